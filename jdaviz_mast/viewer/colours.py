"""A colour picture of one target: which layers belong to it, and which colour each gets."""

import colorsys
import re
from dataclasses import dataclass

import astropy.units as u
import numpy as np

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.products import kind_of

__all__ = [
    "LOADED",
    "ColourLayer",
    "choose_layers",
    "hues",
    "layers_of",
    "one_image_each",
    "opacity",
    "plain_name",
]

#: What an error calls the filters that there are.
LOADED = "loaded filters"

_COMBINED_LEVEL = 3
_REDDEST, _BLUEST = 0.0, 240.0  # degrees on the colour wheel; beyond blue it is red again
#: How bright the sum of all layers is where each is at its upper limit; 1 is white.
_GAIN = 1.2
# Planes of a product that are about its image instead of being it.
_NOT_SCIENCE = frozenset({"ERR", "DQ", "WHT", "CON", "CTX", "AREA", "VAR_POISSON", "VAR_RNOISE",
                          "VAR_FLAT"})  # fmt: skip
# Of several images in one filter, the one to take: resampled before drizzled.
_SUFFIXES = ("i2d", "drc", "drz")
_FILTER = re.compile(r"^F(\d{3,4})(N|M|W2|W|LP|X|C)", re.IGNORECASE)
_WIDTHS = ("N", "M", "C", "W", "X", "LP", "W2")  # the narrowest first
_SHORTEST_HST_OPTICAL = 200


@dataclass(frozen=True)
class ColourLayer:
    """One layer of a colour picture.

    Attributes
    ----------
    label : str
    filter : str
        As the archive writes it, such as ``F444W;F470N``.
    wavelength : `~astropy.units.Quantity`
        Scalar, in nm: the middle of the filter.
    colour : str
        Such as ``#ff0000``.
    """

    label: str
    filter: str
    wavelength: u.Quantity
    colour: str


def hues(number):
    """Return the colours of a picture of so many filters, from the longest wavelength on.

    Spread evenly from red to blue, in the order of wavelengths and not by their distance, as in
    published pictures of HST and JWST ("chromatic ordering"; Rector et al. 2007, AJ 133, 598).
    Green is dimmed where the spread holds more of it, so that what is equally bright in all
    filters comes out white.

    Parameters
    ----------
    number : int
        At least 1.

    Returns
    -------
    colours : list of str
        Such as ``['#ff0000', '#00ff00', '#0000ff']``.
    """
    if number == 1:
        return ["#ffffff"]
    if number == 2:
        return ["#ff8000", "#0080ff"]  # complementary: together they are white
    step = (_BLUEST - _REDDEST) / (number - 1)
    pure = [colorsys.hsv_to_rgb((_REDDEST + n * step) / 360, 1, 1) for n in range(number)]
    totals = [sum(channel) for channel in zip(*pure, strict=True)]
    gains = [min(totals) / total for total in totals]
    return [
        "#{:02x}{:02x}{:02x}".format(*(round(255 * c * g) for c, g in zip(rgb, gains, strict=True)))
        for rgb in pure
    ]


def opacity(colours):
    """Return the opacity at which layers of these colours add up to a picture.

    jdaviz adds layers; without it, everything that shows in several filters would be white.

    Parameters
    ----------
    colours : list of str

    Returns
    -------
    opacity : float
        Above 0, at most 1.
    """
    channels = zip(*(bytes.fromhex(colour[1:]) for colour in colours), strict=True)
    return min(1.0, _GAIN / max(sum(channel) / 255 for channel in channels))


def choose_layers(images, target=None, obsids=None):
    """Choose the images of one target for a colour picture, and give them their colours.

    Parameters
    ----------
    images : dict
        Label to `~glue.core.Data` (anything with ``meta`` and ``main_components``).
    target : str, optional
        MAST's ``target_name``. By default the target of which there are most filters, the
        one loaded first if there are several.
    obsids : set of str, optional
        MAST's ``obsid`` of the observations whose images may be taken; by default any.

    Returns
    -------
    layers : list of ColourLayer
        From the longest wavelength to the shortest, one for each filter.

    Raises
    ------
    InvalidInput
        If there are not two filters of one target.
    """
    by_target = {}
    for label, data in images.items():
        wanted = obsids is None or str(data.meta.get("mast_obsid")) in obsids
        if wanted and _is_combined_image(data):
            filters = by_target.setdefault(plain_name(data.meta.get("mast_target_name")), {})
            wavelength = _wavelength(data.meta)
            if wavelength is not None:
                name = str(data.meta.get("filter") or "")
                filters.setdefault(name, []).append((label, wavelength))
    by_target.pop("", None)
    if target is not None:
        filters = by_target.get(plain_name(target), {})
    else:
        filters = max(by_target.values(), key=len, default={})
    if len(filters) < 2:
        of = f" of {target}" if target else " of one target"
        raise InvalidInput(
            LOADED, ", ".join(filters) or "none",
            f"a colour picture needs combined images (level 3){of} in at least two filters; select "
            "rows of the results, and they are imported first",
        )  # fmt: skip
    chosen = []
    for name, candidates in filters.items():
        label, wavelength = min(candidates, key=lambda c: _rank(images[c[0]].meta))
        chosen.append((label, name, wavelength))
    return _coloured(chosen)


def layers_of(images, labels):
    """Give colours to the images that somebody has named.

    Parameters
    ----------
    images : dict
        Label to `~glue.core.Data`.
    labels : sequence of str

    Returns
    -------
    layers : list of ColourLayer
        From the longest wavelength to the shortest. Those whose wavelength is unknown are
        taken in the order given, as the shortest.

    Raises
    ------
    InvalidInput
        If one is no image that is loaded, or there are fewer than two.
    """
    if not isinstance(labels, (list, tuple, set, frozenset, np.ndarray)):
        labels = [labels]
    for label in labels:
        if not isinstance(label, str) or label not in images:
            allowed = f"choose from {', '.join(images) or 'none: no images are loaded'}"
            raise InvalidInput("labels", label, allowed)
    labels = list(dict.fromkeys(labels))
    if len(labels) < 2:
        raise InvalidInput("labels", ", ".join(labels) or "none", "name at least two images")
    return _coloured(
        (label, str(images[label].meta.get("filter") or label),
         _wavelength(images[label].meta) or (0 * u.nm, 0 * u.nm))
        for label in labels
    )  # fmt: skip


def one_image_each(products):
    """Choose one combined image of each observation from a list of products.

    Parameters
    ----------
    products : list of dict
        Rows with MAST's product columns.

    Returns
    -------
    indices : list of int
        In the order of the list.
    """
    best = {}
    for index, row in enumerate(products):
        level = row.get("calib_level")
        if level is not None and level >= _COMBINED_LEVEL and _is_plain_image(row):
            rank = _suffix_rank(row), index
            best[row["obsID"]] = min(best.get(row["obsID"], rank), rank)
    return sorted(index for _, index in best.values())


def plain_name(name):
    """Return a target's name without what is written in several ways: NGC-3132, NGC 3132."""
    return re.sub(r"[\s_-]+", "", str(name or "")).upper()


def _coloured(chosen):
    chosen = sorted(chosen, key=lambda layer: layer[2], reverse=True)  # stable
    return [
        ColourLayer(label, name, wavelength[0], colour)
        for (label, name, wavelength), colour in zip(chosen, hues(len(chosen)), strict=True)
    ]


def _is_combined_image(data):
    level = data.meta.get("calibrationLevel")
    if level is None or level < _COMBINED_LEVEL:
        return False
    row = _product_row(data.meta)
    component = str(data.main_components[0]) if data.main_components else ""
    plane = component.partition(",")[0].upper()
    return plane not in _NOT_SCIENCE and _is_plain_image(row)


def _is_plain_image(row):
    """Whether a product is an image of the sky: no segmentation map, no stack of several."""
    known = {name: "" if value is None else value for name, value in row.items()}
    return bool(known.get("productFilename")) and kind_of(known).name == "image"


def _product_row(meta):
    prefix = "mast_product_"
    return {k.removeprefix(prefix): v for k, v in meta.items() if str(k).startswith(prefix)}


def _suffix_rank(row):
    stem = str(row["productFilename"]).partition(".")[0].lower()
    suffix = stem.rpartition("_")[2]
    return _SUFFIXES.index(suffix) if suffix in _SUFFIXES else len(_SUFFIXES)


def _rank(meta):
    return _suffix_rank(_product_row(meta)), -float(meta.get("exposureTime") or 0)


def _wavelength(meta):
    """Return the middle of the filter and, to tell apart those of one range, that of its name.

    The range that MAST gives for two crossed filters is that of the wide one: F405N and F470N,
    both seen through F444W, have the same.
    """
    named = _named_wavelength(str(meta.get("filter") or ""), meta.get("mast_obs_collection"))
    limits = [meta.get(f"mast_em_{end}") for end in ("min", "max")]
    if all(isinstance(limit, (int, float)) and limit > 0 for limit in limits):
        middle = sum(limits) / 2 * u.nm  # MAST's em_min and em_max are in nm
        return middle, middle if named is None else named
    return None if named is None else (named, named)


def _named_wavelength(filters, mission):
    """Return the wavelength that the narrowest of some filters is named after, or None.

    JWST counts in 10 nm (F090W, F1130W); HST in nm (F502N, F1042M), in the infrared in 10 nm
    (F110W).
    """
    found = [match for name in re.split(r"[;,/ ]+", filters) if (match := _FILTER.match(name))]
    if not found:
        return None
    number = int(min(found, key=lambda match: _WIDTHS.index(match[2].upper()))[1])
    in_nm = mission == "HST" and number >= _SHORTEST_HST_OPTICAL
    return number * (1 if in_nm else 10) * u.nm
