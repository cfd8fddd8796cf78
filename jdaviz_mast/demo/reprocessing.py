"""What a file becomes when the archive calibrates its exposures anew."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path

from .padding import pad_fits

__all__ = ["reprocessed"]

_BLOCK = 2880
#: By how much the flux calibration changes.
_FACTOR = 1.02
_CONTEXTS = 10  # of the calibration reference data (CRDS) between two releases of the pipeline


def reprocessed(path, version, size=None):
    """Return the content of a FITS file as a later version of the pipeline makes it.

    The headers say ``CAL_VER``, and the following ``CRDS_CTX`` where there was one; the science
    data are scaled by 2 per cent.

    Parameters
    ----------
    path : path-like
        The file as it is.
    version : str
        Of the calibration software.
    size : int, optional
        Bytes of the new file, a multiple of 2880; by default one block more than before.

    Returns
    -------
    content : bytes
    """
    from astropy.io import fits

    path = Path(path)
    size = path.stat().st_size + _BLOCK if size is None else size
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copy = Path(folder) / path.name
        shutil.copyfile(path, copy)
        with fits.open(copy, mode="update", memmap=False) as hdus:
            header = hdus[0].header
            before = str(header.get("CAL_VER", ""))
            header["CAL_VER"] = version
            if "CRDS_CTX" in header:
                header["CRDS_CTX"] = _later_context(header["CRDS_CTX"])
            for hdu in hdus:
                if hdu.name == "SCI" and hdu.is_image and hdu.data is not None:
                    hdu.data = (hdu.data * _FACTOR).astype(hdu.data.dtype)
        if len(before) == len(version):  # the ASDF tree of JWST's files says it, too
            key = b"calibration_software_version: "
            content = copy.read_bytes()
            copy.write_bytes(content.replace(key + before.encode(), key + version.encode()))
        pad_fits(copy, size)
        return copy.read_bytes()


def _later_context(context):
    """Return a CRDS context some releases after ``jwst_1234.pmap``."""
    name, _, rest = str(context).partition("_")
    number = rest.partition(".")[0]
    return f"{name}_{int(number) + _CONTEXTS:04}.pmap" if number.isdecimal() else context
