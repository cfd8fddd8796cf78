"""From a file of extracted or rectified spectra to specutils' spectra, 1D and 2D."""

import io
import warnings
from pathlib import Path

import asdf
import astropy.units as u
import numpy as np
from asdf.exceptions import ValidationError
from astropy.io import fits
from astropy.nddata import StdDevUncertainty
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS, WcsError
from specutils import Spectrum
from yaml import YAMLError

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.viewer.fits_reading import header_dict, native, open_fits, unit_of

__all__ = ["gwcs_of_slits", "is_spectrum_table", "read_spectra_1d", "read_spectra_2d"]

# What names a spectrum in its header or in a column of its row, and what to call that.
_NAMES = (("SLTNAME", ""), ("SOURCEID", "source "), ("SPORDER", "order "))
_NAMES_OF_ROWS = (("INT_NUM", "integration "), ("SEGMENT", ""), ("SPORDER", "order "),
                  ("SOURCE_ID", "source "))  # fmt: skip
_NO_TREE = (ValidationError, YAMLError, KeyError, ValueError, TypeError, AttributeError,
            RuntimeError, OSError, IndexError, NotImplementedError)  # fmt: skip
_FLUXES = {"POINT": "FLUX", "EXTENDED": "SURF_BRIGHT"}
_ERRORS = {"FLUX": ("FLUX_ERROR", "ERROR", "FLUX_ERR"), "SURF_BRIGHT": ("SB_ERROR",)}


def read_spectra_1d(path):
    """Read every spectrum of a file, such as JWST's x1d, c1d, x1dints and HST's x1d, sx1.

    A table holds a spectrum as its rows (JWST), or one in each row (HST: segments or orders;
    JWST: sources or integrations).

    Parameters
    ----------
    path : path-like

    Returns
    -------
    spectra : list of (str, str, `~specutils.Spectrum`)
        What tells one from the others, what to call it, and itself, with the units of the
        table; ``meta`` has the header. Flux, or surface brightness where SRCTYPE says that the
        source is extended. Rows without a wavelength are left out.

    Raises
    ------
    FileProblem
        If the file cannot be read, or holds no spectrum.
    """
    found = []
    with open_fits(path) as hdus:
        for hdu in hdus:
            if isinstance(hdu, fits.BinTableHDU) and is_spectrum_table(hdu.columns.names):
                found += _of_table(hdu, hdus, path)
    if not found:
        raise FileProblem(f"{Path(path).name} holds no spectrum with a wavelength.")
    return _with_names(found, "spectrum")


def _with_names(found, noun):
    """Return them with a name each, numbered where there is none; one alone needs none."""
    names = [name for _, name, _ in found]
    result = []
    for number, (key, name, spectrum) in enumerate(found, 1):
        if not name or names.count(name) > 1:
            name = f"{name or noun} {number}"
        result.append((key, name if len(found) > 1 else "", spectrum))
    return result


def is_spectrum_table(columns):
    """Return whether a table of these columns holds spectra."""
    names = {name.upper() for name in columns}
    return "WAVELENGTH" in names and not names.isdisjoint({"FLUX", "SURF_BRIGHT"})


def _of_table(hdu, hdus, path):
    try:
        table = hdu.data
    except (OSError, ValueError, TypeError) as error:
        raise FileProblem(f"{Path(path).name}: the table cannot be read ({error}).") from error
    columns = {column.name.upper(): column for column in hdu.columns}
    meta = header_dict(hdu, hdus)
    is_one = len(columns["WAVELENGTH"].array.shape) == 1
    rows = [None] if is_one else range(len(table))
    for row in rows:
        values = {
            name: table[column.name] if row is None else table[column.name][row]
            for name, column in columns.items()
        }
        flux = _FLUXES.get(_source_type(hdu, hdus, values, row), "FLUX")
        flux = flux if flux in values else next(n for n in ("FLUX", "SURF_BRIGHT") if n in values)
        error = next((name for name in _ERRORS[flux] if name in values), None)
        spectrum = _spectrum(values, columns, flux, error, meta)
        if spectrum is not None:
            key = f"{hdu.name},{hdu.ver}" + ("" if row is None else f",{row + 1}")
            yield key, _name(hdu, values, row), spectrum


def _source_type(hdu, hdus, values, row):
    if row is not None and "SOURCE_TYPE" in values:
        return str(values["SOURCE_TYPE"]).strip().upper()
    kind = hdu.header.get("SRCTYPE") or hdus[0].header.get("SRCTYPE") or ""
    return str(kind).strip().upper()


def _name(hdu, values, row):
    for name, noun in _NAMES if row is None else _NAMES_OF_ROWS:
        value = hdu.header.get(name) if row is None else values.get(name)
        if np.ndim(value) == 0 and value is not None and str(value).strip():
            return f"{noun}{str(value).strip()}"
    return ""


def _spectrum(values, columns, flux, error, meta):
    wavelength = native(np.array(values["WAVELENGTH"], dtype=float))
    used = np.isfinite(wavelength) & (wavelength > 0)
    count = values.get("NELEM", values.get("N_ALONGDISP"))
    if np.ndim(count) == 0 and count is not None:  # the rest of the row is padding
        used &= np.arange(len(wavelength)) < count
    if used.sum() < 2:
        return None
    order = np.flatnonzero(used)
    order = order[np.argsort(wavelength[order], kind="stable")]
    # specutils takes only what rises: of equal wavelengths the first stays.
    order = order[np.append(True, np.diff(wavelength[order]) > 0)]

    def quantity(name):
        unit = unit_of(columns[name].unit)
        return native(np.array(values[name]))[order] << (unit or u.dimensionless_unscaled)

    axis = wavelength[order] << (unit_of(columns["WAVELENGTH"].unit) or u.um)
    uncertainty = None
    if error is not None:
        uncertainty = StdDevUncertainty(quantity(error))
    return Spectrum(
        flux=quantity(flux), spectral_axis=axis, uncertainty=uncertainty, meta=dict(meta)
    )


def read_spectra_2d(path):
    """Read every rectified 2D spectrum of a file, such as JWST's s2d and HST's x2d, sx2.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    spectra : list of (str, str, `~specutils.Spectrum`)
        What tells one from the others, what to call it, and itself: flux of shape (position
        along the slit, wavelength), with the unit of BUNIT. Its wavelengths are those of the
        GWCS in the middle of the slit, or of the FITS WCS; without either its spectral axis
        counts pixels. Columns without a wavelength are left out.

    Raises
    ------
    FileProblem
        If the file cannot be read, or holds no 2D spectrum.
    """
    with open_fits(path) as hdus:
        slits = [h for h in hdus if h.is_image and len(h.shape) == 2 and h.name == "SCI"]
        slits = slits or [h for h in hdus if h.is_image and len(h.shape) == 2][:1]
        if not slits:
            raise FileProblem(f"{Path(path).name} holds no 2D spectrum.")
        solutions = gwcs_of_slits(hdus)
        solutions += [None] * (len(slits) - len(solutions))
        found = [
            (f"{hdu.name},{hdu.ver}", _name(hdu, {}, None), _slit(hdu, hdus, solution, path))
            for hdu, solution in zip(slits, solutions, strict=False)
        ]
    return _with_names(found, "slit")


def _slit(hdu, hdus, solution, path):
    try:
        pixels = native(hdu.data)
        error = next((h for h in hdus if (h.name, h.ver) == ("ERR", hdu.ver)), None)
        error = None if error is None or error.shape != hdu.shape else native(error.data)
    except (OSError, ValueError, TypeError) as problem:
        raise FileProblem(
            f"{Path(path).name}: the spectrum cannot be read ({problem})."
        ) from problem
    wavelength = _wavelengths(hdu, hdus, solution, pixels.shape)
    # JWST: 1 along x, 2 along y. The viewers have wavelengths along x.
    if (hdu.header.get("DISPAXIS") or hdus[0].header.get("DISPAXIS")) == 2:
        pixels = pixels.T
        error = None if error is None else error.T
    if wavelength is None:
        wavelength = np.arange(pixels.shape[1]) << u.pix
    used = np.flatnonzero(np.isfinite(wavelength))
    if wavelength[used[-1]] < wavelength[used[0]]:
        used = used[::-1]
    unit = unit_of(hdu.header.get("BUNIT")) or u.dimensionless_unscaled
    uncertainty = None
    if error is not None:
        uncertainty = StdDevUncertainty(np.ascontiguousarray(error[:, used]) << unit)
    return Spectrum(
        flux=np.ascontiguousarray(pixels[:, used]) << unit,
        spectral_axis=wavelength[used],
        spectral_axis_index=1,
        uncertainty=uncertainty,
        meta=header_dict(hdu, hdus),
    )


def _wavelengths(hdu, hdus, solution, shape):
    """Return the wavelengths along the dispersion, in the middle of the slit, or None."""
    along_y = (hdu.header.get("DISPAXIS") or hdus[0].header.get("DISPAXIS")) == 2
    length, width = (shape[0], shape[1]) if along_y else (shape[1], shape[0])
    dispersion, position = np.arange(length), np.full(length, (width - 1) / 2)
    x, y = (position, dispersion) if along_y else (dispersion, position)
    values = None
    if solution is not None:
        try:
            *_, values = solution(x, y, with_bounding_box=False)
            unit = u.Unit(solution.output_frame.unit[-1])
            values = np.asarray(values, dtype=float) << unit
        except _NO_TREE:
            values = None
    if values is None:
        values = _fits_wavelengths(hdu, hdus, x, y)
    if values is None or not _rises_or_falls(values.value):
        return None
    return values


def _fits_wavelengths(hdu, hdus, x, y):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            wcs = WCS(hdu.header, hdus)
        except (WcsError, ValueError, KeyError, TypeError):
            return None
        number = wcs.wcs.spec
        if number < 0:
            # STIS writes LAMBDA, which is no type of the FITS standard.
            types = [str(kind).strip().upper() for kind in wcs.wcs.ctype]
            number = types.index("LAMBDA") if "LAMBDA" in types else -1
        if number < 0:
            return None
        values = wcs.wcs_pix2world(np.transpose([x, y]), 0)[:, number]
    return values << u.Unit(str(wcs.wcs.cunit[number]) or "Angstrom")


def _rises_or_falls(values):
    steps = np.diff(values[np.isfinite(values)])
    return len(steps) > 0 and (np.all(steps > 0) or np.all(steps < 0))


def gwcs_of_slits(hdus):
    """Return the GWCS of each slit, or of the whole, of a JWST file; empty if none can be read."""
    if "ASDF" not in hdus:
        return []
    tree = hdus["ASDF"].data[0]["ASDF_METADATA"].tobytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # asdf warns of every newer or unknown tag
            with asdf.open(io.BytesIO(tree), lazy_tree=False) as content:
                slits = content.tree.get("slits") or [content.tree]
                return [slit["meta"]["wcs"] for slit in slits]
    except _NO_TREE:
        return []
