"""What each kind of product is, and what opens it: one table over every suffix there is."""

import pytest
from astropy.table import MaskedColumn, Table

from jdaviz_mast.products import kind_of, kind_of_observation, kinds, level_of
from jdaviz_mast.products.suffixes import SUFFIXES

JWST = "jw02733-o001_t001_nircam_clear-f090w"
EXPOSURE = "jw02733001001_02105_00001_nrcb1"
GUIDER = "jw02733001001"
HST = "ib5741010"
TESS = "tess2018206045859-s0001-0000000261136679-0120-s"
KEPLER = "kplr008957091-2009131105131"

# Badge and jdaviz's name of the format.
IMAGE, RAMP, CUBE = ("image", "Image"), ("image", "Ramp"), ("image", "3D Spectrum")
SPECTRUM_1D, SPECTRUM_2D = ("table", "1D Spectrum"), ("image", "2D Spectrum")
CATALOG, LIGHT_CURVE, PIXELS = ("table", "Catalog"), ("table", "Light Curve"), ("image", "TPF")
TABLE, NOT = ("table", ""), ("", "")
CLUTTER = "clutter"

# File name, MAST's dataproduct_type, productType; what is expected; levels, None: not told.
PRODUCTS = [
    # JWST
    (f"{EXPOSURE}_uncal.fits", "image", "SCIENCE", RAMP, [1]),
    (f"{EXPOSURE}_ramp.fits", "image", "SCIENCE", RAMP, [2]),
    (f"{EXPOSURE}_dark.fits", "image", "SCIENCE", RAMP, [2]),
    (f"{EXPOSURE}_rate.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{EXPOSURE}_rateints.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{EXPOSURE}_cal.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{EXPOSURE}_calints.fits", "timeseries", "SCIENCE", IMAGE, [2]),
    (f"{EXPOSURE}_bsub.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{EXPOSURE}_o001_crf.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{EXPOSURE}_o001_crfints.fits", "timeseries", "SCIENCE", IMAGE, [2]),
    (f"{EXPOSURE}_i2d.fits", "image", "SCIENCE", IMAGE, [2, 3]),
    (f"{JWST}_i2d.fits", "image", "SCIENCE", IMAGE, [2, 3]),
    (f"{EXPOSURE}_s2d.fits", "spectrum", "SCIENCE", SPECTRUM_2D, [2, 3]),
    (f"{JWST}_s2d.fits", "spectrum", "SCIENCE", SPECTRUM_2D, [2, 3]),
    (f"{EXPOSURE}_s3d.fits", "cube", "SCIENCE", CUBE, [2, 3]),
    (f"{JWST}_s3d.fits", "cube", "SCIENCE", CUBE, [2, 3]),
    (f"{JWST}_x1d.fits", "spectrum", "SCIENCE", SPECTRUM_1D, [2, 3]),
    (f"{JWST}_x1d.fits", "cube", "SCIENCE", SPECTRUM_1D, [2, 3]),
    (f"{JWST}_c1d.fits", "spectrum", "SCIENCE", SPECTRUM_1D, [2, 3]),
    (f"{JWST}_x1dints.fits", "timeseries", "SCIENCE", SPECTRUM_1D, [2, 3]),
    (f"{JWST}_segm.fits", "image", "SCIENCE", IMAGE, [3]),
    (f"{JWST}_cat.ecsv", "image", "SCIENCE", CATALOG, [3]),
    (f"{JWST}_phot.ecsv", "timeseries", "SCIENCE", CATALOG, [3]),
    (f"{JWST}_whtlt.ecsv", "timeseries", "SCIENCE", CATALOG, [3]),
    (f"{JWST}_psfstack.fits", "image", "SCIENCE", IMAGE, [3]),
    (f"{EXPOSURE}_psfalign.fits", "image", "SCIENCE", IMAGE, [3]),
    (f"{EXPOSURE}_psfsub.fits", "image", "SCIENCE", IMAGE, [3]),
    (f"{JWST}_wfscmb-01.fits", "image", "SCIENCE", IMAGE, [3]),
    (f"{EXPOSURE}_amilg.fits", "image", "SCIENCE", IMAGE, [3]),
    (f"{JWST}_ami-oi.fits", "image", "SCIENCE", TABLE, [3]),
    (f"{JWST}_amimulti-oi.fits", "image", "SCIENCE", TABLE, [3]),
    (f"{JWST}_aminorm-oi.fits", "image", "SCIENCE", TABLE, [3]),
    ("jw02733-o001_20260701t120000_image3_00001_asn.json", "image", "INFO", TABLE, []),
    ("jw02733_20260701t120000_pool.csv", "image", "INFO", TABLE, []),
    (f"{GUIDER}_gs-id_1_image_cal.fits", "image", "AUXILIARY", CLUTTER, [2]),
    (f"{GUIDER}_gs-acq1_2022163000000_cal.fits", "image", "AUXILIARY", CLUTTER, [2]),
    (f"{GUIDER}_gs-acq2_2022163000000_uncal.fits", "image", "AUXILIARY", CLUTTER, [1]),
    (f"{GUIDER}_gs-track_2022163000000_cal.fits", "image", "AUXILIARY", CLUTTER, [2]),
    (f"{GUIDER}_gs-fg_2022163000000_cal.fits", "image", "AUXILIARY", CLUTTER, [2]),
    (f"{EXPOSURE}_trapsfilled.fits", "image", "AUXILIARY", CLUTTER, [2]),
    (f"{EXPOSURE}_fitopt.fits", "image", "AUXILIARY", CLUTTER, [2]),
    (f"{JWST}_i2d.jpg", "image", "PREVIEW", NOT, [2, 3]),
    (f"{JWST}_i2d_thumb.jpg", "image", "PREVIEW", NOT, None),
    # spectrographs: the suffix alone does not tell
    (f"{EXPOSURE}_cal.fits", "spectrum", "SCIENCE", IMAGE, [2]),
    (f"{EXPOSURE}_cal.fits", "cube", "SCIENCE", IMAGE, [2]),
    (f"{EXPOSURE}_rate.fits", "spectrum", "SCIENCE", IMAGE, [2]),
    # HST
    (f"{HST}_raw.fits", "image", "SCIENCE", IMAGE, [1]),
    (f"{HST}_flt.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{HST}_flc.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{HST}_ima.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{HST}_crj.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{HST}_crc.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{HST}_sfl.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{HST}_drz.fits", "image", "SCIENCE", IMAGE, [3]),
    (f"{HST}_drc.fits", "image", "SCIENCE", IMAGE, [3]),
    ("hst_11599_01_wfc3_uvis_f502n_ib5741_drc.fits", "image", "SCIENCE", IMAGE, [3]),
    ("lb6v01010_x1d.fits", "spectrum", "SCIENCE", SPECTRUM_1D, [2, 3]),
    ("o8h904040_sx1.fits", "spectrum", "SCIENCE", SPECTRUM_1D, [2, 3]),
    ("lb6v01010_x1dsum.fits", "spectrum", "SCIENCE", SPECTRUM_1D, [2, 3]),
    ("o8h904040_x2d.fits", "spectrum", "SCIENCE", SPECTRUM_2D, [2]),
    ("o8h904040_sx2.fits", "spectrum", "SCIENCE", SPECTRUM_2D, [2]),
    ("u2eq0701t_c0m.fits", "image", "SCIENCE", IMAGE, [2]),
    ("u2eq0701t_c1m.fits", "image", "SCIENCE", IMAGE, [2]),
    ("u2eq0701t_c0f.fits", "image", "SCIENCE", IMAGE, [2]),
    ("u2eq0701t_c1f.fits", "image", "SCIENCE", IMAGE, [2]),
    ("lb6v01bnq_corrtag.fits", "spectrum", "SCIENCE", TABLE, [1, 2]),
    ("lb6v01bnq_rawtag.fits", "spectrum", "SCIENCE", TABLE, [1, 2]),
    (f"{HST}_asn.fits", "image", "AUXILIARY", CLUTTER, []),
    (f"{HST}_spt.fits", "image", "AUXILIARY", CLUTTER, []),
    (f"{HST}_trl.fits", "image", "AUXILIARY", CLUTTER, []),
    (f"{HST}_trl.txt", "image", "INFO", CLUTTER, []),
    (f"{HST}_jit.fits", "image", "AUXILIARY", CLUTTER, []),
    (f"{HST}_jif.fits", "image", "AUXILIARY", CLUTTER, []),
    (f"{HST}_drc.jpg", "image", "PREVIEW", NOT, [3]),
    # TESS
    ("tess2018206192942-s0001-1-1-0120-s_ffir.fits", "image", "SCIENCE", IMAGE, [1]),
    ("tess2018206192942-s0001-1-1-0120-s_ffic.fits", "image", "SCIENCE", IMAGE, [2]),
    (f"{TESS}_tp.fits", "timeseries", "SCIENCE", PIXELS, [2]),
    (f"{TESS}_fast-tp.fits", "timeseries", "SCIENCE", PIXELS, [2]),
    (f"{TESS}_lc.fits", "timeseries", "SCIENCE", LIGHT_CURVE, [3]),
    (f"{TESS}_fast-lc.fits", "timeseries", "SCIENCE", LIGHT_CURVE, [3]),
    (f"{TESS}_dvt.fits", "timeseries", "SCIENCE", TABLE, [3]),
    (f"{TESS}_dvr.pdf", "timeseries", "INFO", NOT, [3]),
    (f"{TESS}_dvs.pdf", "timeseries", "INFO", NOT, [3]),
    # Kepler, K2
    (f"{KEPLER}_llc.fits", "timeseries", "SCIENCE", LIGHT_CURVE, [3]),
    (f"{KEPLER}_slc.fits", "timeseries", "SCIENCE", LIGHT_CURVE, [3]),
    (f"{KEPLER}_lpd-targ.fits.gz", "timeseries", "SCIENCE", PIXELS, [2]),
    (f"{KEPLER}_spd-targ.fits.gz", "timeseries", "SCIENCE", PIXELS, [2]),
    # others, of whose names nothing is known: the row tells
    ("hlsp_candels_hst_acs_gs-tot-sect33_f606w_v1.0_sci.fits", "image", "SCIENCE", IMAGE, None),
    ("rings.v3.skycell.1234.005.stk.g.unconv.fits", "image", "SCIENCE", IMAGE, None),
    ("hlsp_muse_spec.fits", "spectrum", "SCIENCE", SPECTRUM_1D, None),
    ("hlsp_muse_final.fits", "cube", "SCIENCE", CUBE, None),
    ("hlsp_qlp_llc.fits", "timeseries", "SCIENCE", LIGHT_CURVE, [3]),
    ("hlsp_something.fits", "timeseries", "SCIENCE", LIGHT_CURVE, None),
    ("hlsp_something.fits", "measurements", "SCIENCE", CATALOG, None),
    ("hlsp_something.fits", "eventlist", "SCIENCE", TABLE, None),
    ("hlsp_something.ecsv", None, "SCIENCE", TABLE, None),
    ("hlsp_something.fits", None, "SCIENCE", NOT, None),
    ("hlsp_something.fits", "image", "AUXILIARY", CLUTTER, None),
    ("readme.txt", "image", "INFO", NOT, None),
    ("name_without_suffix", "image", "SCIENCE", NOT, None),
]

# Which application opens a format (facts of jdaviz 5.0.2 and LCviz 2.0).
OPENS = {
    "Image": {"deconfigged", "imviz", "cubeviz", "rampviz"},
    "Ramp": {"deconfigged", "rampviz"},
    "1D Spectrum": {"deconfigged", "cubeviz", "specviz", "specviz2d"},
    "2D Spectrum": {"deconfigged", "specviz2d"},
    "3D Spectrum": {"deconfigged", "cubeviz"},
    "Catalog": {"deconfigged", "imviz"},
    "Light Curve": {"deconfigged", "lcviz"},
    "TPF": {"deconfigged", "lcviz"},
    "": set(),
}


@pytest.mark.parametrize(
    ("filename", "data_type", "product_type", "expected", "levels"),
    PRODUCTS,
    ids=[f"{name} {data_type}" for name, data_type, *_ in PRODUCTS],
)
@pytest.mark.parametrize("case", ["as it is", "upper case"])
def test_a_product_is_known_by_its_row(filename, data_type, product_type, expected, levels, case):
    row = {
        "productFilename": filename if case == "as it is" else filename.upper(),
        "dataproduct_type": data_type,
        "productType": product_type,
    }
    kind = kind_of(row)
    assert kind.clutter is (expected == CLUTTER)
    assert (kind.badge, kind.format) == (NOT if expected == CLUTTER else expected)

    where = OPENS[kind.format]
    if filename.endswith("_whtlt.ecsv"):  # no positions to mark in an image
        where = {"deconfigged"}
    for configuration in kinds.APPLICATIONS:
        assert kind.opens_in(configuration) is (configuration in where)
        why = kind.why_not(configuration)
        if configuration in where:
            assert why == ""
        elif where:
            assert kind.format in why
            for other in where:
                assert kinds.APPLICATIONS[other] in why
        else:
            assert kind.advice in why

    if levels is not None:  # as the row says it, or as the suffix has it if it has one
        assert levels == list(_levels_of_suffix(filename)) or kind is kinds.GUIDE_STAR
        for level in levels:
            assert level_of(row | {"calib_level": level}) == level
    if levels is not None and len(levels) == 1:
        assert level_of(row) == levels[0]
    elif kind is not kinds.GUIDE_STAR:
        assert level_of(row) is None


def _levels_of_suffix(filename):
    stem = filename.removesuffix(".gz").rpartition(".")[0].removesuffix("-01")
    return {s.name: s.levels for s in SUFFIXES}[stem.rpartition("_")[2]]


def test_the_table_above_has_every_suffix():
    for suffix in SUFFIXES:
        assert any(f"_{suffix.name}" in name for name, *_ in PRODUCTS), suffix


def test_no_suffix_is_listed_twice_and_every_kind_is_known():
    names = [suffix.name for suffix in SUFFIXES]
    assert len(set(names)) == len(names)
    assert {suffix.kind for suffix in SUFFIXES} == set(kinds.KINDS)


@pytest.mark.parametrize(
    ("filename", "group", "kind"),
    [
        # MAST's own word for the suffix stands in productSubGroupDescription
        ("jw1_cal.fits", "GS-ACQ1", kinds.GUIDE_STAR),
        ("jw1.fits", "S3D", kinds.CUBE),
        ("strange_cal.fits", "X1D", kinds.SPECTRUM_1D),
        ("strange_cal.fits", "NEWER-THAN-WE", kinds.IMAGE),
        ("strange_cal.fits", None, kinds.IMAGE),
    ],
)
def test_the_row_is_believed_over_the_name(filename, group, kind):
    assert kind_of({"productFilename": filename, "productSubGroupDescription": group}) is kind


def test_of_what_is_planned_there_is_nothing_to_open():
    row = {"productFilename": f"{JWST}_i2d.fits", "calib_level": -1}
    assert kind_of(row) is kind_of_observation({"calib_level": -1}) is kinds.PLANNED
    assert level_of(row) == -1


def test_without_lcviz_a_light_curve_says_which_extra_opens_it(monkeypatch):
    monkeypatch.setattr(kinds, "_has_lcviz", lambda: False)
    assert not kinds.LIGHT_CURVE.opens_in("deconfigged")
    assert "jdaviz-mast[lightcurves]" in kinds.LIGHT_CURVE.why_not("deconfigged")
    assert "jdaviz-mast" not in kinds.LIGHT_CURVE.why_not("imviz")
    assert kinds.IMAGE.opens_in("deconfigged")


def test_reasons_read_as_clauses():
    assert kinds.CUBE.why_not("imviz") == (
        "a spectral cube: it opens in jdaviz's App or Cubeviz as “3D Spectrum”, not in Imviz"
    )
    assert kinds.INTERFEROMETRY.why_not("imviz").startswith("an interferometric table: ")


def test_only_a_segmentation_map_starts_hidden():
    hidden = {
        name
        for name, data_type, *_ in PRODUCTS
        if kind_of({"productFilename": name, "dataproduct_type": data_type}).hidden
    }
    assert hidden == {f"{JWST}_segm.fits"}


def test_a_row_of_a_table_will_do_and_a_masked_value_is_no_hindrance():
    table = Table(
        {
            "productFilename": [f"{JWST}_i2d.fits", "hlsp_x.fits"],
            "dataproduct_type": MaskedColumn(["image", "image"], mask=[True, True]),
            "calib_level": MaskedColumn([3, -1], mask=[False, True]),
        }
    )
    assert kind_of(table[0]) is kinds.IMAGE
    assert kind_of(table[1]) is kinds.OTHER
    assert [level_of(row) for row in table] == [3, None]


def test_a_row_without_a_type_will_do():
    assert kind_of({"productFilename": f"{JWST}_i2d.fits"}) is kinds.IMAGE


def test_every_product_of_the_archive_has_a_kind(archive):
    """Those that are images are those that a person would call so."""
    images = {"rate", "cal", "crf", "i2d", "segm", "raw", "flt", "flc", "drz", "drc"}
    for row in archive.products:
        suffix = row["productFilename"].rsplit(".", 1)[0].rsplit("_", 1)[1]
        expected = (
            suffix in images
            and row["productFilename"].endswith(".fits")
            and "_gs-" not in row["productFilename"]
        )
        assert kind_of(row).is_image is expected, row["productFilename"]
        assert kind_of(row) is not kinds.OTHER, row["productFilename"]
        assert level_of(row) == row["calib_level"]


@pytest.mark.parametrize(
    ("data_type", "collection", "name", "opens_in_app"),
    [
        ("image", "JWST", "image", True),
        ("IMAGE", "JWST", "image", True),
        ("cube", "JWST", "spectral cube", True),
        ("spectrum", "HST", "spectrum", True),
        ("timeseries", "TESS", "light curve", True),
        ("timeseries", None, "light curve", True),
        ("timeseries", "JWST", "time series of spectra or images", True),
        ("measurements", "HLSP", "catalog", True),
        ("eventlist", "HST", "list of events", False),
        ("visibility", "JWST", "file of another kind", False),
        (None, "JWST", "file of another kind", False),
    ],
)
def test_an_observation_is_known_by_its_type(data_type, collection, name, opens_in_app):
    kind = kind_of_observation({"dataproduct_type": data_type, "obs_collection": collection})
    assert kind.name == name
    assert kind.opens_in("deconfigged") is opens_in_app
