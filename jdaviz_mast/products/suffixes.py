"""The table of suffixes: what the last part of a product's file name says of it.

Sources: the product tables of the JWST pipeline
(https://jwst-pipeline.readthedocs.io/en/latest/jwst/data_products/product_types.html), of HST
(https://hst-docs.stsci.edu, the data handbooks of the instruments), of TESS
(https://archive.stsci.edu/missions-and-data/tess, the science data products description
document) and of Kepler (https://archive.stsci.edu/missions-and-data/kepler, the archive
manual). A new product is a new line here; what its kind means stands in ``kinds.py``.
"""

from typing import NamedTuple

__all__ = ["SUFFIXES", "Suffix"]


class Suffix(NamedTuple):
    """One line of the table.

    Attributes
    ----------
    mission : str
    name : str
        In lower case.
    meaning : str
    levels : tuple of int
        Calibration levels at which it exists.
    kind : str
        Key of ``kinds.KINDS``.
    """

    mission: str
    name: str
    meaning: str
    levels: tuple
    kind: str


_JWST = (
    ("uncal", "raw ramp, 4D", (1,), "ramp"),
    ("ramp", "corrected ramp, 4D", (2,), "ramp"),
    ("dark", "dark ramp, 4D", (2,), "ramp"),
    ("rate", "count rate", (2,), "image"),
    ("rateints", "count rates of the integrations", (2,), "integrations"),
    ("cal", "calibrated exposure", (2,), "image"),
    ("calints", "calibrated integrations", (2,), "integrations"),
    ("bsub", "background-subtracted exposure", (2,), "image"),
    ("crf", "exposure with cosmic rays flagged", (2,), "image"),
    ("crfints", "integrations with cosmic rays flagged", (2,), "integrations"),
    ("i2d", "resampled image", (2, 3), "image"),
    ("s2d", "resampled 2D spectrum", (2, 3), "2D spectrum"),
    ("s3d", "IFU cube", (2, 3), "cube"),
    ("x1d", "extracted spectrum", (2, 3), "1D spectrum"),
    ("c1d", "combined spectrum", (2, 3), "1D spectrum"),
    ("x1dints", "spectra of a time series", (2, 3), "1D spectrum"),
    ("segm", "segmentation map", (3,), "segmentation map"),
    ("cat", "source catalog", (3,), "catalog"),
    ("phot", "photometry of a time series", (3,), "catalog"),
    ("whtlt", "white-light curve of a time series", (3,), "white light"),
    ("psfstack", "stack of reference stars", (3,), "slices"),
    ("psfalign", "aligned reference stars", (3,), "slices"),
    ("psfsub", "integrations without their star", (3,), "slices"),
    ("wfscmb", "combined wavefront sensing image", (3,), "image"),
    ("amilg", "fringe model of an interferogram", (3,), "image"),
    ("ami-oi", "interferometric observables (OIFITS)", (3,), "interferometry"),
    ("amimulti-oi", "interferometric observables of integrations", (3,), "interferometry"),
    ("aminorm-oi", "calibrated interferometric observables", (3,), "interferometry"),
    ("asn", "association: which exposures make a product", (), "association"),
    ("pool", "pool that associations are drawn from", (), "pool"),
    ("gs-acq1", "guide-star acquisition", (1, 2), "guide star"),
    ("gs-acq2", "guide-star acquisition", (1, 2), "guide star"),
    ("gs-fg", "fine guiding", (1, 2), "guide star"),
    ("gs-id", "guide-star identification", (1, 2), "guide star"),
    ("gs-track", "guide-star tracking", (1, 2), "guide star"),
    ("trapsfilled", "filled charge traps", (2,), "auxiliary"),
    ("fitopt", "optional results of the ramp fit", (2,), "auxiliary"),
)

_HST = (
    ("raw", "raw exposure", (1,), "image"),
    ("flt", "flat-fielded exposure", (2,), "image"),
    ("flc", "flat-fielded, CTE-corrected exposure", (2,), "image"),
    ("ima", "calibrated reads of an infrared exposure", (2,), "image"),
    ("crj", "combined exposures, cosmic rays rejected", (2,), "image"),
    ("crc", "the same, CTE-corrected", (2,), "image"),
    ("sfl", "summed flat-fielded exposures", (2,), "image"),
    ("drz", "drizzled image", (3,), "image"),
    ("drc", "drizzled, CTE-corrected image", (3,), "image"),
    ("sx1", "extracted spectrum, exposures combined", (2, 3), "1D spectrum"),
    ("x1dsum", "summed extracted spectrum", (2, 3), "1D spectrum"),
    ("x2d", "rectified 2D spectrum", (2,), "2D spectrum"),
    ("sx2", "rectified 2D spectrum, exposures combined", (2,), "2D spectrum"),
    ("c0m", "calibrated WFPC2 exposure", (2,), "image"),
    ("c1m", "quality of a WFPC2 exposure", (2,), "image"),
    ("c0f", "calibrated WFPC2 exposure", (2,), "image"),
    ("c1f", "quality of a WFPC2 exposure", (2,), "image"),
    ("corrtag", "corrected COS events", (1, 2), "events"),
    ("rawtag", "raw COS events", (1, 2), "events"),
    ("spt", "support and telemetry", (), "auxiliary"),
    ("trl", "trailer: log of the processing", (), "auxiliary"),
    ("jit", "jitter of the pointing", (), "auxiliary"),
    ("jif", "jitter of the pointing, as an image", (), "auxiliary"),
)

_TESS = (
    ("ffir", "raw full-frame image", (1,), "image"),
    ("ffic", "calibrated full-frame image", (2,), "image"),
    ("tp", "target pixels", (2,), "target pixels"),
    ("fast-tp", "target pixels at 20 s", (2,), "target pixels"),
    ("lc", "light curve", (3,), "light curve"),
    ("fast-lc", "light curve at 20 s", (3,), "light curve"),
    ("dvt", "data validation: time series", (3,), "table"),
    ("dvr", "data validation: report", (3,), "report"),
    ("dvs", "data validation: summary", (3,), "report"),
)

_KEPLER = (
    ("llc", "light curve, long cadence", (3,), "light curve"),
    ("slc", "light curve, short cadence", (3,), "light curve"),
    ("lpd-targ", "target pixels, long cadence", (2,), "target pixels"),
    ("spd-targ", "target pixels, short cadence", (2,), "target pixels"),
)

SUFFIXES = tuple(
    Suffix(mission, *line)
    for mission, lines in (
        ("JWST", _JWST), ("HST", _HST), ("TESS", _TESS), ("Kepler, K2", _KEPLER)
    )
    for line in lines
)  # fmt: skip
