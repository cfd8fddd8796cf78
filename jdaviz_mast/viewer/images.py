"""From an image file to glue data: pixels, coordinates and header, read once and no more."""

import io
import warnings
from pathlib import Path

import asdf
import numpy as np
from asdf.exceptions import ValidationError
from astropy.utils.exceptions import AstropyWarning
from astropy.wcs import WCS, WcsError
from glue.core import Data
from glue.core.component import Component
from gwcs import WCS as GWCS  # noqa: N811
from yaml import YAMLError

from jdaviz_mast.errors import FileProblem, NotAnImage
from jdaviz_mast.viewer.fits_reading import header_dict, native, open_fits, unit_of

__all__ = ["image_extensions", "read_image", "read_slice", "stack_of"]

_SCIENCE = "SCI"
# What asdf raises for a tree it cannot read, and gwcs for a transform it cannot apply.
_NO_GWCS = (ValidationError, YAMLError, KeyError, ValueError, TypeError, AttributeError,
            RuntimeError, OSError)  # fmt: skip


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
    with open_fits(path) as hdus:
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
    with open_fits(path) as hdus:
        hdu = _find(hdus, extension, path)
        try:
            pixels = native(hdu.data)
        except (OSError, ValueError, TypeError) as error:
            raise FileProblem(f"{Path(path).name}: the image cannot be read ({error}).") from error
        data = Data()
        data.meta.update(header_dict(hdu, hdus))
        data.coords = _coordinates(hdu, hdus, data.meta)
        _add_pixels(data, pixels, hdu)
    return data


def stack_of(path):
    """Return which extension of a FITS file is a stack of images, and how many they are.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    extension : (str, int)
        Its name and version.
    count : int

    Raises
    ------
    NotAnImage
        If there is none.
    FileProblem
        If the file cannot be read as FITS.
    """
    with open_fits(path) as hdus:
        stacks = [hdu for hdu in hdus if hdu.is_image and len(hdu.shape) == 3 and all(hdu.shape)]
        stacks.sort(key=lambda hdu: hdu.name != _SCIENCE)  # stable
        if not stacks:
            raise NotAnImage(f"{Path(path).name} holds no stack of images.")
        return (stacks[0].name, stacks[0].ver), stacks[0].shape[0]


def read_slice(path, extension, index):
    """Read one image of a stack as glue data, as `read_image` reads a single one.

    Parameters
    ----------
    path : path-like
    extension : (str, int)
        Name and version of the stack.
    index : int
        From 0.
    """
    with open_fits(path) as hdus:
        hdu = hdus[extension]
        data = Data()
        data.meta.update(header_dict(hdu, hdus))
        data.coords = _coordinates(hdu, hdus, data.meta)
        _add_pixels(data, native(np.array(hdu.section[index])), hdu)
    return data


def _add_pixels(data, pixels, hdu):
    unit = unit_of(hdu.header.get("BUNIT"))
    units = "" if unit is None else unit.to_string()
    data.add_component(Component(pixels, units=units), f"{hdu.name},{hdu.ver}")


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


def _coordinates(hdu, hdus, meta):
    gwcs = _gwcs(hdu, hdus)
    if gwcs is not None:
        center = gwcs(*_center(hdu))
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
    if wcs.has_celestial and wcs.naxis == 3 and len(hdu.shape) == 3:
        wcs = wcs.celestial
    return wcs if wcs.has_celestial and wcs.naxis == 2 else None


def _center(hdu):
    """Return the pixel coordinates of the middle of an image or of a stack of images."""
    return (np.array(hdu.shape[:-3:-1]) - 1) / 2


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
                center = gwcs(*_center(hdu))
                gwcs.invert(*center)
    # A GWCS that cannot be read, evaluated or inverted is no reason not to show the image:
    # the FITS WCS stands in for it.
    except _NO_GWCS:
        return None
    return gwcs if np.all(np.isfinite(center)) else None
