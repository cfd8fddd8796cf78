"""A spectrum or a light curve drawn as a picture, where the archive has none."""

import io
import warnings

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.preview.picture import read_picture

__all__ = ["plot_file"]

#: What is drawn over what: JWST's, HST's and IUE's spectra; the light curves of SPOC, QLP,
#: Kepler and K2. The first pair that a table has.
_PAIRS = (
    ("WAVELENGTH", ("FLUX", "SURF_BRIGHT", "NET")),
    ("WAVE", ("FLUX",)),
    ("TIME", ("PDCSAP_FLUX", "KSPSAP_FLUX", "DET_FLUX", "SAP_FLUX", "FLUX")),
)
#: Segments of a file that are drawn.
_MOST_CURVES = 20
_INCHES, _DPI = (7.2, 3.6), 110


def plot_file(path, name):
    """Draw the spectra or the light curve of a FITS file.

    Parameters
    ----------
    path : path-like
    name : str
        What stands above, and what to call the file in a sentence.

    Returns
    -------
    picture : Picture

    Raises
    ------
    FileProblem
        If there is nothing in it that could be drawn.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            with fits.open(path) as hdus:
                curves, labels = _curves(hdus)
    # Whatever a damaged header may lead to, memory that no machine has included.
    except (OSError, ValueError, LookupError, TypeError, AttributeError, MemoryError,
            fits.VerifyError) as error:  # fmt: skip
        raise FileProblem(f"{name} cannot be read ({error}).") from error
    if not curves:
        raise FileProblem(f"{name} holds no spectrum or light curve that could be drawn.")

    # Without pyplot, which is for one thread alone.
    figure = Figure(figsize=_INCHES, dpi=_DPI, layout="constrained")
    axes = figure.add_subplot()
    dots = labels[0].startswith("TIME")
    for x, y in curves:
        style = {"marker": ".", "markersize": 2, "linestyle": ""} if dots else {"linewidth": 0.8}
        axes.plot(x, y, color="#00617e" if len(curves) == 1 else None, **style)
    every = np.concatenate([y for _, y in curves])
    low, high = np.percentile(every, [0.3, 99.7])
    if high > low:  # a cosmic ray must not flatten everything else
        margin = 0.15 * (high - low)
        bottom, top = every.min() - margin, every.max() + margin
        axes.set_ylim(max(low - margin, bottom), min(high + margin, top))
    # What stands between two dollar signs would be typeset as a formula.
    axes.set_xlabel(labels[0], parse_math=False)
    axes.set_ylabel(labels[1], parse_math=False)
    axes.set_title(name, fontsize=9, parse_math=False)
    axes.grid(alpha=0.25)
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out)
    return read_picture(out.getvalue(), name)


def _curves(hdus):
    """Return pairs of arrays, and what stands on the axes."""
    curves, labels = [], None
    for hdu in hdus:
        if not isinstance(hdu, fits.BinTableHDU) or len(curves) >= _MOST_CURVES:
            continue
        columns = {name.upper(): name for name in hdu.columns.names}
        pair = next(((x, y) for x, ys in _PAIRS if x in columns for y in ys if y in columns), None)
        if pair is None or (labels is not None and pair != labels[2:]):
            continue
        x, y = (hdu.data[columns[name]] for name in pair)
        # A cell of HST's tables, or a row of JWST's for many integrations, is a whole spectrum.
        rows = zip(x, y, strict=True) if np.ndim(x) == 2 else [(x, y)]
        for one, other in rows:
            one, other = np.asarray(one, dtype=float), np.asarray(other, dtype=float)
            if one.shape != other.shape:
                continue
            # Wavelengths of 0 stand for none in padded tables.
            usable = np.isfinite(one) & np.isfinite(other) & (one != 0)
            if usable.sum() > 1 and len(curves) < _MOST_CURVES:
                curves.append((one[usable], other[usable]))
                labels = labels or (*(_label(hdu, columns[n]) for n in pair), *pair)
    return curves, labels and (labels[0], labels[1])


def _label(hdu, name):
    unit = hdu.columns[name].unit
    return f"{name} ({unit})" if unit else name
