"""One table of product kinds: what the suffix of a file name means and what opens it.

Sources: the JWST pipeline's and archive's product tables
(https://jwst-pipeline.readthedocs.io/en/latest/jwst/data_products/product_types.html), the
HST, TESS and Kepler archive manuals. The suffix is a hint: a product row that says it is a
cube or a spectrum is believed over it.
"""

import re
from dataclasses import dataclass

__all__ = ["Kind", "kind_of", "kind_of_observation"]


@dataclass(frozen=True)
class Kind:
    """One kind of product.

    Attributes
    ----------
    name : str
        The field's word for it, in the singular.
    opens_in : str
        In plain words, where it can be opened; empty for images, which open as layers here.
    hidden : bool
        Whether its layer is not switched on at once, since it would cover the image it is of.
    """

    name: str
    opens_in: str = ""
    hidden: bool = False

    @property
    def is_image(self):
        """Whether it goes into the viewer as an image layer."""
        return not self.opens_in

    def why_not(self):
        """Return a clause on why it does not open as a layer here, empty for images."""
        if self.is_image:
            return ""
        article = "an" if self.name[0].lower() in "aeiou" else "a"
        return f"{article} {self.name}, not an image: {self.opens_in}"


IMAGE = Kind("image")
SEGMENTATION = Kind("segmentation map", hidden=True)
RAMP = Kind("ramp", "open the file in jdaviz's App as “Ramp”")
INTEGRATIONS = Kind("stack of integrations", "open single integrations in jdaviz's App as “Image”")
SPECTRUM = Kind("spectrum", "open the files in jdaviz's App, or in Specviz or Specviz2d")
SPECTRUM_1D = Kind("1D spectrum", "open the file in jdaviz's App or Specviz as “1D Spectrum”")
SPECTRUM_2D = Kind("2D spectrum", "open the file in jdaviz's App or Specviz2d as “2D Spectrum”")
CUBE = Kind("spectral cube", "open the file in jdaviz's App or Cubeviz as “3D Spectrum”")
CATALOG = Kind("catalog", "open the file in jdaviz's App or Imviz as “Catalog”")
LIGHT_CURVE = Kind("light curve", "open the file in LCviz (package lcviz)")
TARGET_PIXELS = Kind("target pixel file", "open the file in LCviz (package lcviz)")
TABLE = Kind("table", "read the file with astropy.table")
ASSOCIATION = Kind("association", "a text file that lists exposures")
PREVIEW = Kind("preview picture", "open the file in any picture viewer")
AUXILIARY = Kind("auxiliary file", "jdaviz does not open it")
OTHER = Kind("file of another kind", "jdaviz does not open it")

_BY_SUFFIX = {
    # JWST
    "uncal": RAMP, "ramp": RAMP, "dark": RAMP,
    "rate": IMAGE, "cal": IMAGE, "bsub": IMAGE, "crf": IMAGE, "i2d": IMAGE, "segm": SEGMENTATION,
    "rateints": INTEGRATIONS, "calints": INTEGRATIONS, "crfints": INTEGRATIONS,
    "psfstack": INTEGRATIONS, "psfalign": INTEGRATIONS, "psfsub": INTEGRATIONS,
    "x1d": SPECTRUM_1D, "c1d": SPECTRUM_1D, "x1dints": SPECTRUM_1D,
    "s2d": SPECTRUM_2D, "s3d": CUBE,
    "cat": CATALOG, "phot": CATALOG, "whtlt": TABLE,
    "oi": TABLE,  # ami-oi, amimulti-oi, aminorm-oi
    "asn": ASSOCIATION, "pool": ASSOCIATION,
    # HST
    "raw": IMAGE, "flt": IMAGE, "flc": IMAGE, "ima": IMAGE, "crj": IMAGE, "crc": IMAGE,
    "sfl": IMAGE, "drz": IMAGE, "drc": IMAGE, "c0m": IMAGE, "c1m": IMAGE,
    "sx1": SPECTRUM_1D, "x1dsum": SPECTRUM_1D, "x2d": SPECTRUM_2D, "sx2": SPECTRUM_2D,
    "corrtag": TABLE, "rawtag": TABLE,
    # TESS, Kepler, K2
    "ffir": IMAGE, "ffic": IMAGE,
    "tp": TARGET_PIXELS, "fast-tp": TARGET_PIXELS,
    "lpd-targ": TARGET_PIXELS, "spd-targ": TARGET_PIXELS,
    "lc": LIGHT_CURVE, "fast-lc": LIGHT_CURVE, "llc": LIGHT_CURVE, "slc": LIGHT_CURVE,
    "dvt": TABLE,
}  # fmt: skip

# What MAST's `dataproduct_type` says it is, where that cannot be an image.
_BY_DATA_TYPE = {"spectrum": SPECTRUM, "cube": CUBE, "timeseries": LIGHT_CURVE,
                 "measurements": CATALOG, "eventlist": TABLE}  # fmt: skip

# These suffixes do not say whether they hold an image or a spectrum of a slit.
_IMAGE_OR_SPECTRUM = frozenset({"rate", "cal", "bsub", "crf"})

_SUFFIX = re.compile(r"[_-]([a-z0-9]+|fast-tp|fast-lc|lpd-targ|spd-targ)$", re.IGNORECASE)
_LONG_SUFFIX = re.compile(r"_(fast-tp|fast-lc|lpd-targ|spd-targ)$", re.IGNORECASE)


def kind_of(row):
    """Return the `Kind` of a product, from its row in the archive's list.

    Parameters
    ----------
    row : mapping
        With MAST's product columns ``productFilename`` and, where known,
        ``dataproduct_type`` and ``productType``.

    Returns
    -------
    kind : Kind
    """
    filename = str(row["productFilename"])
    stem, _, extension = filename.lower().removesuffix(".gz").rpartition(".")
    if extension in ("jpg", "jpeg", "png", "gif"):
        return PREVIEW
    match = _LONG_SUFFIX.search(stem) or _SUFFIX.search(stem)
    suffix = match[1] if match else ""
    if extension in ("json", "csv"):
        return ASSOCIATION if _BY_SUFFIX.get(suffix) is ASSOCIATION else OTHER
    if extension not in ("fits", "ecsv"):
        return OTHER
    kind = _BY_SUFFIX.get(suffix, OTHER)
    data_type = str(_get(row, "dataproduct_type")).lower()
    if kind is IMAGE and suffix in _IMAGE_OR_SPECTRUM and data_type in ("spectrum", "cube"):
        return SPECTRUM_2D
    if kind is OTHER and extension == "fits":
        # HLSP and others name files freely; their row is all there is to go by.
        kind = IMAGE if data_type == "image" else _BY_DATA_TYPE.get(data_type, OTHER)
    if kind.is_image and str(_get(row, "productType")).upper() == "AUXILIARY":
        # Guide stars, charge traps, telemetry: of an image, but none.
        return AUXILIARY
    return kind


def kind_of_observation(row):
    """Return the `Kind` of what an observation is mainly about.

    Parameters
    ----------
    row : mapping
        With MAST's observation column ``dataproduct_type``.

    Returns
    -------
    kind : Kind
    """
    data_type = str(_get(row, "dataproduct_type")).lower()
    return IMAGE if data_type == "image" else _BY_DATA_TYPE.get(data_type, OTHER)


def _get(row, column):
    try:
        return row[column]
    except KeyError:
        return ""
