"""From a file of a light curve or of target pixels to what LCviz takes, by way of lightkurve.

lightkurve comes with LCviz, which the extra ``lightcurves`` installs; so it is imported late.
"""

import warnings
from pathlib import Path

from astropy.io import fits

from jdaviz_mast.errors import FileProblem

__all__ = ["read_light_curve", "read_target_pixels"]


def read_light_curve(path):
    """Read a light curve of TESS, Kepler or K2.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    light_curve : `~lightkurve.LightCurve`
        Without the cadences that lightkurve leaves out by default for their quality flags.

    Raises
    ------
    FileProblem
        If it cannot be read.
    """
    import lightkurve

    return _read(path, lightkurve.LightCurve, "light curve")


def read_target_pixels(path):
    """Read target pixels of TESS, Kepler or K2.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    pixels : `~lightkurve.targetpixelfile.TargetPixelFile`
        In memory. Without the cadences that lightkurve leaves out by default.

    Raises
    ------
    FileProblem
        If it cannot be read.
    """
    import lightkurve

    pixels = _read(path, lightkurve.targetpixelfile.TargetPixelFile, "target pixel file")
    # lightkurve reads from the file as it is asked; a layer must outlive its file.
    opened, pixels.hdu = pixels.hdu, fits.HDUList([hdu.copy() for hdu in pixels.hdu])
    opened.close()
    return pixels


def _read(path, expected, name):
    import lightkurve
    from lightkurve.utils import LightkurveError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of every column whose unit it does not know
            content = lightkurve.read(str(path))
    except (OSError, ValueError, TypeError, KeyError, LightkurveError) as error:
        raise FileProblem(f"{Path(path).name}: lightkurve cannot read it ({error}).") from error
    if not isinstance(content, expected):
        raise FileProblem(f"{Path(path).name} holds no {name}.")
    return content
