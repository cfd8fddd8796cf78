"""From an image file to glue data: pixels, coordinates and header, read once and no more."""

import io
import warnings
from pathlib import Path

import asdf
import astropy.units as u
import numpy as np
from asdf.exceptions import ValidationError
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS, WcsError
from glue.core import Data
from glue.core.component import Component
from gwcs import WCS as GWCS  # noqa: N811
from yaml import YAMLError

from jdaviz_mast.errors import FileProblem, NotAnImage

__all__ = ["image_extensions", "read_image"]

_SCIENCE = "SCI"
#: Key under which jdaviz looks for the header of the first HDU.
_PRIMARY_HEADER = "_primary_header"
# What asdf raises for a tree it cannot read, and gwcs for a transform it cannot apply.
_NO_GWCS = (ValidationError, YAMLError, KeyError, ValueError, TypeError, AttributeError,
            RuntimeError, OSError)  # fmt: skip
# Spellings of BUNIT in HST files that astropy does not read.
_UNITS = {"ELECTRONS/S": "electron/s", "ELECTRONS": "electron", "COUNTS": "count",
          "COUNTS/S": "count/s", "UNITLESS": ""}  # fmt: skip


def image_extensions(path, names=None):
    """Return the extensions of a FITS file that hold a 2D image.

    Parameters
    ----------
    path : path-like
    names : sequence of str, optional
        Only extensions of these names. An extension that stands in the file several times is
        taken as often if those are the chips of a detector, and once if they are repeated
        reads of one.

    Returns
    -------
    extensions : list of (str, int)
        Names and versions, such as ``("SCI", 1)``, in the order of the file.

    Raises
    ------
    NotAnImage
        If there is none.
    FileProblem
        If the file cannot be read as FITS.
    """
    with _open(path) as hdus:
        images = [hdu for hdu in hdus if _is_image(hdu)]
        if names is not None:
            wanted = {name.upper() for name in names}
            if _SCIENCE in wanted and images and all(hdu.name != _SCIENCE for hdu in images):
                wanted.add(images[0].name)  # a file that does not call its science so
            images = [
                hdu for hdu in images
                if hdu.name in wanted and (hdu.ver == 1 or "CCDCHIP" in hdu.header)
            ]  # fmt: skip
    if not images:
        what = "2D image" if names is None else f"image extension {' or '.join(names)}"
        raise NotAnImage(f"{Path(path).name} holds no {what}.")
    return [(hdu.name, hdu.ver) for hdu in images]


def read_image(path, extension=None):
    """Read one image of a FITS file as glue data.

    Only the pixels of that extension are read; an image of 8192² pixels costs its own bytes
    and no copy.

    Parameters
    ----------
    path : path-like
    extension : str or (str, int), optional
        By default the first science extension, or else the first image.

    Returns
    -------
    data : `~glue.core.Data`
        One 2D component with the unit of BUNIT; ``coords`` is the GWCS of the ASDF extension
        if it has one that fits the image, else the FITS WCS, else None; ``meta`` holds the
        header.

    Raises
    ------
    NotAnImage
        If there is no such image in the file.
    FileProblem
        If the file cannot be read as FITS.
    """
    with _open(path) as hdus:
        hdu = _find(hdus, extension, path)
        try:
            pixels = _native(hdu.data)
        except (OSError, ValueError, TypeError) as error:
            raise FileProblem(f"{path}: the image cannot be read ({error}).") from error
        data = Data()
        data.meta.update(_header(hdu.header))
        if hdu is not hdus[0]:
            data.meta[_PRIMARY_HEADER] = _header(hdus[0].header)
        data.coords = _coordinates(hdu, hdus, data.meta)
        data.add_component(Component(pixels, units=_unit(hdu.header)), f"{hdu.name},{hdu.ver}")
    return data


def _open(path):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            # Not mapped into memory: the layer must outlive the file, and be native-endian.
            return fits.open(path, memmap=False, lazy_load_hdus=True)
    except OSError as error:
        raise FileProblem(f"{path}: this is not a FITS file ({error}).") from error


def _is_image(hdu):
    """Whether an HDU holds a 2D image, told from its header, without reading it."""
    return hdu.is_image and len(hdu.shape) == 2 and 0 not in hdu.shape


def _find(hdus, extension, path):
    images = [hdu for hdu in hdus if _is_image(hdu)]
    if extension is not None:
        name, version = (extension, 1) if isinstance(extension, str) else extension
        images = [hdu for hdu in images if (hdu.name, hdu.ver) == (name.upper(), version)]
    else:
        images.sort(key=lambda hdu: hdu.name != _SCIENCE)  # stable: first SCI, else first
    if not images:
        what = "2D image" if extension is None else f"image extension {extension}"
        raise NotAnImage(f"{Path(path).name} holds no {what}.")
    return images[0]


def _native(pixels):
    """Return pixels in the machine's byte order, swapped in place."""
    if pixels.dtype.isnative:
        return pixels
    return pixels.byteswap(inplace=True).view(pixels.dtype.newbyteorder("="))


def _header(header):
    """Return a header as a dict; commentary cards are joined, blank ones dropped."""
    cards = {key: header[key] for key in header if key and key not in ("COMMENT", "HISTORY")}
    for key in ("COMMENT", "HISTORY"):
        if key in header:
            cards[key] = "\n".join(str(line) for line in header[key])
    return cards


def _unit(header):
    text = str(header.get("BUNIT", "")).strip()
    text = _UNITS.get(text.upper(), text)
    try:
        return u.Unit(text).to_string()
    except ValueError:
        return ""


def _coordinates(hdu, hdus, meta):
    gwcs = _gwcs(hdu, hdus)
    if gwcs is not None:
        center = gwcs(*((np.array(hdu.shape[::-1]) - 1) / 2))
        # Where jdaviz looks for the pixel scale of a GWCS: near this position.
        meta["wcs"] = gwcs
        meta["wcsinfo"] = {"ra_ref": float(center[0]), "dec_ref": float(center[1])}
        return gwcs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)
        try:
            wcs = WCS(hdu.header, hdus)
        except (WcsError, ValueError, KeyError, TypeError):
            return None
    return wcs if wcs.has_celestial and wcs.naxis == 2 else None


def _gwcs(hdu, hdus):
    """Return the celestial GWCS of a JWST file for one of its images, or None."""
    if "ASDF" not in hdus or _SCIENCE not in hdus or hdu.shape != hdus[_SCIENCE].shape:
        return None
    tree = hdus["ASDF"].data[0]["ASDF_METADATA"].tobytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # asdf warns of every newer or unknown tag
            with asdf.open(io.BytesIO(tree), lazy_tree=False) as content:
                gwcs = content.tree["meta"]["wcs"]
                if not isinstance(gwcs, GWCS) or gwcs.pixel_n_dim != 2 or gwcs.world_n_dim != 2:
                    return None
                center = gwcs(*((np.array(hdu.shape[::-1]) - 1) / 2))
                gwcs.invert(*center)
    # A GWCS that cannot be read, evaluated or inverted is no reason not to show the image:
    # the FITS WCS stands in for it.
    except _NO_GWCS:
        return None
    return gwcs if np.all(np.isfinite(center)) else None
