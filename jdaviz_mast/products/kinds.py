"""What a product is, at which level, in which application it opens and as what, or why not."""

import functools
import importlib.util
import re
from dataclasses import dataclass

from jdaviz_mast.products.suffixes import SUFFIXES

__all__ = ["APPLICATIONS", "KIND_NAMES", "Kind", "kind_of", "kind_of_observation", "level_of"]

#: What jdaviz calls its applications in ``app.config``, and people call them.
APPLICATIONS = {
    "deconfigged": "jdaviz's App", "imviz": "Imviz", "cubeviz": "Cubeviz",
    "specviz": "Specviz", "specviz2d": "Specviz2d", "rampviz": "Rampviz", "lcviz": "LCviz",
}  # fmt: skip

#: Which applications have jdaviz's importer of a format, as of jdaviz 5.0.2 and LCviz 2.0.
FORMATS = {
    "Image": ("deconfigged", "imviz", "cubeviz", "rampviz"),
    "Ramp": ("deconfigged", "rampviz"),
    "1D Spectrum": ("deconfigged", "specviz", "specviz2d", "cubeviz"),
    "2D Spectrum": ("deconfigged", "specviz2d"),
    "3D Spectrum": ("deconfigged", "cubeviz"),
    "Catalog": ("deconfigged", "imviz"),
    "Light Curve": ("deconfigged", "lcviz"),
    "TPF": ("deconfigged", "lcviz"),
}

#: Formats whose importer comes with LCviz, which an extra of this package installs.
_OF_LCVIZ = ("Light Curve", "TPF")
_NOBODY = "jdaviz does not open it"


@dataclass(frozen=True)
class Kind:
    """One kind of product.

    Attributes
    ----------
    name : str
        The field's word for it, in the singular.
    badge : str
        ``"image"`` (blue), ``"table"`` (amber) or ``""``.
    format : str
        jdaviz's name of the format that it opens as, such as ``"1D Spectrum"``; empty if it
        opens in no application.
    advice : str
        What to do with it instead, where ``format`` is empty.
    clutter : bool
        Whether lists leave it out until they are asked for it: guide stars, telemetry, logs.
    hidden : bool
        Whether its layer is not switched on at once, since it would cover the image it is of.
    by_slice : bool
        Whether it is a stack that opens image by image.
    has_positions : bool
        Whether a catalog has places on the sky or in an image, to mark there.
    """

    name: str
    badge: str = ""
    format: str = ""
    advice: str = _NOBODY
    clutter: bool = False
    hidden: bool = False
    by_slice: bool = False
    has_positions: bool = True

    @property
    def is_image(self):
        """Whether it is a 2D image, or several."""
        return self.format == "Image" and not self.by_slice

    @property
    def with_article(self):
        """Its name with an article, such as "an image"."""
        return f"{'an' if self.name[0].lower() in 'aeiou' else 'a'} {self.name}"

    @property
    def applications(self):
        """What jdaviz calls the applications that can hold it, some with an extra."""
        if self.format == "Catalog" and not self.has_positions:
            return ("deconfigged",)
        return FORMATS.get(self.format, ())

    def opens_in(self, configuration):
        """Return whether it opens in an application.

        Parameters
        ----------
        configuration : str
            jdaviz's ``app.config``, such as ``"deconfigged"`` for App, or ``"imviz"``.
        """
        return configuration in self.applications and not self._lacks_extra()

    def why_not(self, configuration):
        """Return a clause on why it does not open in an application; empty if it does."""
        if self.opens_in(configuration):
            return ""
        name = self.with_article
        if not self.format:
            return f"{name}: {self.advice}"
        if configuration in self.applications:
            how = "install the extra “lightcurves” (pip install 'jdaviz-mast[lightcurves]')"
            return f"{name}: {how} and it opens here"
        *others, last = [APPLICATIONS[name] for name in self.applications]
        where = f"{', '.join(others)} or {last}" if others else last
        here = APPLICATIONS.get(configuration, configuration)
        return f"{name}: it opens in {where} as “{self.format}”, not in {here}"

    def _lacks_extra(self):
        return self.format in _OF_LCVIZ and not _has_lcviz()


IMAGE = Kind("image", "image", "Image")
SEGMENTATION = Kind("segmentation map", "image", "Image", hidden=True)
DISPERSED = Kind("dispersed image", "image", "Image")
INTEGRATIONS = Kind("stack of integrations", "image", "Image", by_slice=True)
SLICES = Kind("stack of images", "image", "Image", by_slice=True)
RAMP = Kind("ramp", "image", "Ramp")
SPECTRUM_1D = Kind("1D spectrum", "table", "1D Spectrum")
SPECTRUM_2D = Kind("2D spectrum", "image", "2D Spectrum")
CUBE = Kind("spectral cube", "image", "3D Spectrum")
CATALOG = Kind("catalog", "table", "Catalog")
WHITE_LIGHT = Kind("white-light curve", "table", "Catalog", has_positions=False)
LIGHT_CURVE = Kind("light curve", "table", "Light Curve")
TARGET_PIXELS = Kind("target pixel file", "image", "TPF")
TABLE = Kind("table", "table", advice="read the file with astropy.table")
INTERFEROMETRY = Kind(
    "interferometric table", "table", advice="open the file with an OIFITS reader"
)
EVENTS = Kind("list of events", "table", advice="read the file with astropy.table")
ASSOCIATION = Kind("association", "table", advice="a text file that lists exposures")
POOL = Kind("association pool", "table", advice="a text file that lists exposures")
REPORT = Kind("report", advice="open the file in a PDF reader")
PREVIEW = Kind("preview picture", advice="open the file in any picture viewer")
GUIDE_STAR = Kind("guide-star file", clutter=True)
AUXILIARY = Kind("auxiliary file", clutter=True)
PLANNED = Kind("planned observation", advice="there are no files before it was made")
OTHER = Kind("file of another kind")

#: What the table of suffixes calls them.
KINDS = {
    "image": IMAGE, "segmentation map": SEGMENTATION, "integrations": INTEGRATIONS,
    "slices": SLICES, "ramp": RAMP, "1D spectrum": SPECTRUM_1D, "2D spectrum": SPECTRUM_2D,
    "cube": CUBE, "catalog": CATALOG, "white light": WHITE_LIGHT, "light curve": LIGHT_CURVE,
    "target pixels": TARGET_PIXELS, "table": TABLE, "interferometry": INTERFEROMETRY,
    "events": EVENTS, "association": ASSOCIATION, "pool": POOL, "report": REPORT,
    "guide star": GUIDE_STAR, "auxiliary": AUXILIARY,
}  # fmt: skip

# What MAST's `dataproduct_type` says of a file of which the name says nothing.
_BY_DATA_TYPE = {"image": IMAGE, "spectrum": SPECTRUM_1D, "cube": CUBE, "measurements": CATALOG,
                 "timeseries": LIGHT_CURVE, "eventlist": EVENTS}  # fmt: skip

#: Names of all kinds that a product may be of.
KIND_NAMES = frozenset(
    kind.name for kind in (*KINDS.values(), SLICES, DISPERSED, PREVIEW, PLANNED, OTHER)
)

# What an observation of MAST's `dataproduct_type` is about.
_TIME_SERIES = Kind("time series of spectra or images", "table", "1D Spectrum")
_SPECTRUM = Kind("spectrum", "table", "1D Spectrum")
_WITH_LIGHT_CURVES = ("TESS", "KEPLER", "K2", "HLSP")

# Suffixes that do not say whether they hold an image of the sky or of a slit's light.
_IMAGE_OR_DISPERSED = frozenset({"rate", "cal", "bsub", "crf", "raw", "flt", "flc", "crj"})
_BY_EXTENSION = {"jpg": PREVIEW, "jpeg": PREVIEW, "png": PREVIEW, "gif": PREVIEW, "pdf": REPORT}
_TEXTS = ("json", "csv")

# Columns of a product's row that tell its kind.
_TELLING = ("productFilename", "calib_level", "dataproduct_type", "productType",
            "productSubGroupDescription")  # fmt: skip

_BY_SUFFIX = {suffix.name: suffix for suffix in SUFFIXES}
# The longest first, since "lc" also ends "fast-lc".
_SUFFIX = re.compile(
    rf"[_-]({'|'.join(sorted(map(re.escape, _BY_SUFFIX), key=len, reverse=True))})(-\d+)?$"
)
_GUIDE_STAR = re.compile(r"_gs-(acq\d|fg|id|track)(_|$)")


def kind_of(row):
    """Return the `Kind` of a product, from its row in the archive's list.

    The row is believed over the name of the file: first its level and its type, then
    ``productSubGroupDescription``, which is the suffix where MAST knows it, then the suffix of
    the name, then ``dataproduct_type``.

    Parameters
    ----------
    row : mapping
        With MAST's product column ``productFilename`` and, where known, ``calib_level``,
        ``dataproduct_type``, ``productType`` and ``productSubGroupDescription``
        (https://mast.stsci.edu/api/v0/_productsfields.html).

    Returns
    -------
    kind : Kind
    """
    return _kind(*(_text(row, column) for column in _TELLING))


@functools.lru_cache(maxsize=1 << 16)  # the progress of an import asks again and again
def _kind(filename, level, data_type, product_type, group):
    stem, extension = _name_parts(filename)
    if _number(level) == -1:
        return PLANNED
    if extension in _BY_EXTENSION:
        return _BY_EXTENSION[extension]
    suffix = _suffix_of(stem, group)
    kind = KINDS[suffix.kind] if suffix else OTHER
    if _GUIDE_STAR.search(stem):
        return GUIDE_STAR
    # Charge traps, telemetry: of an image, but none. HST's associations are of use to its
    # pipeline alone.
    in_fits = kind is ASSOCIATION and extension == "fits"
    if in_fits or (product_type == "auxiliary" and not kind.clutter):
        return AUXILIARY
    if kind.clutter or (kind in (ASSOCIATION, POOL) and extension in _TEXTS):
        return kind
    if extension not in ("fits", "ecsv"):
        return OTHER
    if suffix is None:
        return TABLE if extension == "ecsv" else _BY_DATA_TYPE.get(data_type, OTHER)
    if suffix.name in _IMAGE_OR_DISPERSED and data_type in ("spectrum", "cube"):
        return DISPERSED
    return kind


def level_of(row):
    """Return the calibration level of a product, None where nothing tells.

    Parameters
    ----------
    row : mapping
        As for `kind_of`. Its ``calib_level`` is believed; else the suffix tells, where it
        exists at one level alone.

    Returns
    -------
    level : int or None
        -1 planned, 0 raw, 1 uncalibrated, 2 calibrated exposure, 3 combined, 4 contributed.
    """
    level = _number(_text(row, "calib_level"))
    if level is not None:
        return level
    stem, _ = _name_parts(_text(row, "productFilename"))
    suffix = _suffix_of(stem, _text(row, "productSubGroupDescription"))
    return suffix.levels[0] if suffix and len(suffix.levels) == 1 else None


def kind_of_observation(row):
    """Return the `Kind` of what an observation is mainly about.

    Parameters
    ----------
    row : mapping
        With MAST's observation column ``dataproduct_type`` and, where known,
        ``obs_collection`` and ``calib_level``.

    Returns
    -------
    kind : Kind
    """
    if _number(_text(row, "calib_level")) == -1:
        return PLANNED
    data_type = _text(row, "dataproduct_type")
    if data_type == "timeseries":
        collection = _text(row, "obs_collection").upper()
        return LIGHT_CURVE if collection in ("", "NONE", *_WITH_LIGHT_CURVES) else _TIME_SERIES
    return _SPECTRUM if data_type == "spectrum" else _BY_DATA_TYPE.get(data_type, OTHER)


def _suffix_of(stem, group):
    """Return what the table of suffixes has on a product, or None."""
    if group in _BY_SUFFIX:
        return _BY_SUFFIX[group]
    match = _SUFFIX.search(stem)
    return _BY_SUFFIX[match[1]] if match else None


def _name_parts(filename):
    stem, _, extension = filename.removesuffix(".gz").rpartition(".")
    return stem, extension


def _number(text):
    try:
        return int(float(text))
    except ValueError:  # masked, missing
        return None


def _text(row, column):
    try:
        return str(row[column]).lower()
    except KeyError:
        return ""


@functools.cache
def _has_lcviz():
    # Looked for, not imported: importing it changes every open application.
    return importlib.util.find_spec("lcviz") is not None
