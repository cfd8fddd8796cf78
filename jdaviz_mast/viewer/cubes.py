"""From a file of a spectral cube or of a ramp to what jdaviz takes."""

import warnings
from pathlib import Path

import astropy.units as u
import numpy as np
from astropy.io import fits
from astropy.nddata import InverseVariance, StdDevUncertainty, VarianceUncertainty
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS, WcsError
from specutils import Spectrum

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.viewer.fits_reading import header_dict, native, open_fits, unit_of
from jdaviz_mast.viewer.spectra import gwcs_of_slits

__all__ = ["read_cube", "read_ramp"]

#: Names of the extensions with the errors of a cube, and what they hold.
_ERRORS = {"ERR": StdDevUncertainty, "STAT": VarianceUncertainty, "VAR": VarianceUncertainty,
           "IVAR": InverseVariance}  # fmt: skip
_FLAGS = ("DQ", "MASK")
_DO_NOT_USE = 1


def read_cube(path):
    """Read a spectral cube, such as JWST's s3d.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    cube : `~specutils.Spectrum`
        Flux of shape (wavelength, y, x) with the unit of BUNIT, uncertainty, a mask that is
        True where JWST's flags say DO_NOT_USE or others' are not 0, and the WCS: that of the
        FITS keywords, or the GWCS where these do not tell wavelengths.

    Raises
    ------
    FileProblem
        If the file cannot be read, or holds no cube.
    """
    with open_fits(path) as hdus:
        cubes = [hdu for hdu in hdus if hdu.is_image and len(hdu.shape) == 3 and all(hdu.shape)]
        cubes.sort(key=lambda hdu: hdu.name not in ("SCI", "FLUX", "DATA"))  # stable
        if not cubes:
            raise FileProblem(f"{Path(path).name} holds no spectral cube.")
        hdu = cubes[0]
        others = {h.name: h for h in cubes[1:] if h.shape == hdu.shape}
        unit = unit_of(hdu.header.get("BUNIT"))
        unit = u.ct if unit in (None, u.dimensionless_unscaled) else unit
        try:
            flux = native(hdu.data) << unit
            uncertainty = _uncertainty(others, unit)
            mask = _mask(others, hdus)
        except (OSError, ValueError, TypeError) as error:
            raise FileProblem(f"{Path(path).name}: the cube cannot be read ({error}).") from error
        return Spectrum(
            flux=flux,
            wcs=_coordinates(hdu, hdus, path),
            uncertainty=uncertainty,
            mask=mask,
            meta=header_dict(hdu, hdus),
            spectral_axis_index=0,
        )


def _uncertainty(others, unit):
    name = next((name for name in _ERRORS if name in others), None)
    if name is None:
        return None
    kind = _ERRORS[name]
    power = {StdDevUncertainty: 1, VarianceUncertainty: 2, InverseVariance: -2}[kind]
    return kind(native(others[name].data) << unit**power).represent_as(StdDevUncertainty)


def _mask(others, hdus):
    flags = next((others[name] for name in _FLAGS if name in others), None)
    if flags is None:
        return None
    values = native(flags.data)
    if hdus[0].header.get("TELESCOP") == "JWST":
        return (values & _DO_NOT_USE).astype(bool)
    return values != 0


def _coordinates(hdu, hdus, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            wcs = WCS(hdu.header, hdus)
        except (WcsError, ValueError, KeyError, TypeError):
            wcs = None
    if wcs is not None and wcs.naxis == 3 and wcs.wcs.spec == 2 and wcs.has_celestial:
        return wcs
    solutions = gwcs_of_slits(hdus)
    if solutions and solutions[0].pixel_n_dim == 3:
        return solutions[0]
    raise FileProblem(f"{Path(path).name}: its coordinates do not tell wavelengths.")


def read_ramp(path):
    """Read the first integration of a ramp, such as JWST's uncal and ramp.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    ramp : `~astropy.io.fits.HDUList`
        As jdaviz's importer of ramps wants it: the header of the file, and one extension of
        shape (1, group, y, x), in memory.
    count : int
        How many integrations the file has.

    Raises
    ------
    FileProblem
        If the file cannot be read, or holds no ramp.
    """
    with open_fits(path) as hdus:
        hdu = next((h for h in hdus if h.is_image and len(h.shape) == 4 and all(h.shape)), None)
        if hdu is None:
            raise FileProblem(f"{Path(path).name} holds no ramp.")
        try:
            groups = native(np.array(hdu.section[:1]))
        except (OSError, ValueError, TypeError) as error:
            raise FileProblem(f"{Path(path).name}: the ramp cannot be read ({error}).") from error
        count = hdu.shape[0]
        header = hdu.header.copy(strip=True)
        if unit_of(header.get("BUNIT")) in (None, u.dimensionless_unscaled):
            header["BUNIT"] = "DN"  # what a raw ramp is in, where its header does not say
        first = fits.PrimaryHDU(header=hdus[0].header.copy(strip=True))
        ramp = fits.ImageHDU(groups, header, name=hdu.name or "SCI", ver=hdu.ver)
        return fits.HDUList([first, ramp]), count
