"""What each kind of product is, and what opens it: one table over every suffix there is."""

import re

import pytest
from astropy.table import MaskedColumn, Table

from jdaviz_mast.products import kind_of, kind_of_observation

JWST = "jw02733-o001_t001_nircam_clear-f090w"
EXPOSURE = "jw02733001001_02105_00001_nrcb1"
HST = "ib5741010"
TESS = "tess2018206045859-s0001-0000000261136679-0120-s"
KEPLER = "kplr008957091-2009131105131"

IMAGE = ""  # opens here
RAMP, CUBE, CATALOG = "Ramp", "3D Spectrum", "Catalog"
SPECTRUM_1D, SPECTRUM_2D, SLICES = "1D Spectrum", "2D Spectrum", "Image"
LCVIZ, TABLE, NOT, PICTURE, TEXT = "LCviz", "astropy.table", "does not open", "picture", "text file"

# file name, MAST's dataproduct_type, productType; the word on which app or reader opens it
PRODUCTS = [
    # JWST
    (f"{EXPOSURE}_uncal.fits", "image", "SCIENCE", RAMP),
    (f"{EXPOSURE}_ramp.fits", "image", "SCIENCE", RAMP),
    (f"{EXPOSURE}_dark.fits", "image", "SCIENCE", RAMP),
    (f"{EXPOSURE}_rate.fits", "image", "SCIENCE", IMAGE),
    (f"{EXPOSURE}_cal.fits", "image", "SCIENCE", IMAGE),
    (f"{EXPOSURE}_bsub.fits", "image", "SCIENCE", IMAGE),
    (f"{EXPOSURE}_o001_crf.fits", "image", "SCIENCE", IMAGE),
    (f"{EXPOSURE}_rateints.fits", "image", "SCIENCE", SLICES),
    (f"{EXPOSURE}_calints.fits", "timeseries", "SCIENCE", SLICES),
    (f"{EXPOSURE}_o001_crfints.fits", "timeseries", "SCIENCE", SLICES),
    (f"{EXPOSURE}_i2d.fits", "image", "SCIENCE", IMAGE),
    (f"{JWST}_i2d.fits", "image", "SCIENCE", IMAGE),
    (f"{EXPOSURE}_s2d.fits", "spectrum", "SCIENCE", SPECTRUM_2D),
    (f"{JWST}_s2d.fits", "spectrum", "SCIENCE", SPECTRUM_2D),
    (f"{EXPOSURE}_s3d.fits", "cube", "SCIENCE", CUBE),
    (f"{JWST}_s3d.fits", "cube", "SCIENCE", CUBE),
    (f"{JWST}_x1d.fits", "spectrum", "SCIENCE", SPECTRUM_1D),
    (f"{JWST}_x1d.fits", "cube", "SCIENCE", SPECTRUM_1D),
    (f"{JWST}_c1d.fits", "spectrum", "SCIENCE", SPECTRUM_1D),
    (f"{JWST}_x1dints.fits", "timeseries", "SCIENCE", SPECTRUM_1D),
    (f"{JWST}_segm.fits", "image", "SCIENCE", IMAGE),
    (f"{JWST}_cat.ecsv", "image", "SCIENCE", CATALOG),
    (f"{JWST}_phot.ecsv", "timeseries", "SCIENCE", CATALOG),
    (f"{JWST}_whtlt.ecsv", "timeseries", "SCIENCE", TABLE),
    (f"{JWST}_psfstack.fits", "image", "SCIENCE", SLICES),
    (f"{EXPOSURE}_psfalign.fits", "image", "SCIENCE", SLICES),
    (f"{EXPOSURE}_psfsub.fits", "image", "SCIENCE", SLICES),
    (f"{JWST}_wfscmb-01.fits", "image", "SCIENCE", IMAGE),
    (f"{EXPOSURE}_amilg.fits", "image", "SCIENCE", IMAGE),
    (f"{JWST}_ami-oi.fits", "image", "SCIENCE", TABLE),
    (f"{JWST}_amimulti-oi.fits", "image", "SCIENCE", TABLE),
    (f"{JWST}_aminorm-oi.fits", "image", "SCIENCE", TABLE),
    ("jw02733-o001_20260701t120000_image3_00001_asn.json", "image", "INFO", TEXT),
    ("jw02733_20260701t120000_pool.csv", "image", "INFO", TEXT),
    ("jw02733001001_gs-id_1_image_cal.fits", "image", "AUXILIARY", NOT),
    ("jw02733001001_gs-acq1_2022163000000_cal.fits", "image", "AUXILIARY", NOT),
    ("jw02733001001_gs-fg_2022163000000_cal.fits", "image", "AUXILIARY", NOT),
    (f"{EXPOSURE}_trapsfilled.fits", "image", "AUXILIARY", NOT),
    (f"{EXPOSURE}_fitopt.fits", "image", "AUXILIARY", NOT),
    (f"{JWST}_i2d.jpg", "image", "PREVIEW", PICTURE),
    (f"{JWST}_i2d_thumb.jpg", "image", "PREVIEW", PICTURE),
    # spectrographs: the suffix alone does not tell
    (f"{EXPOSURE}_cal.fits", "spectrum", "SCIENCE", SPECTRUM_2D),
    (f"{EXPOSURE}_cal.fits", "cube", "SCIENCE", SPECTRUM_2D),
    (f"{EXPOSURE}_rate.fits", "spectrum", "SCIENCE", SPECTRUM_2D),
    # HST
    (f"{HST}_raw.fits", "image", "SCIENCE", IMAGE),
    (f"{HST}_flt.fits", "image", "SCIENCE", IMAGE),
    (f"{HST}_flc.fits", "image", "SCIENCE", IMAGE),
    (f"{HST}_ima.fits", "image", "SCIENCE", IMAGE),
    (f"{HST}_crj.fits", "image", "SCIENCE", IMAGE),
    (f"{HST}_crc.fits", "image", "SCIENCE", IMAGE),
    (f"{HST}_sfl.fits", "image", "SCIENCE", IMAGE),
    (f"{HST}_drz.fits", "image", "SCIENCE", IMAGE),
    (f"{HST}_drc.fits", "image", "SCIENCE", IMAGE),
    ("hst_11599_01_wfc3_uvis_f502n_ib5741_drc.fits", "image", "SCIENCE", IMAGE),
    ("lb6v01010_x1d.fits", "spectrum", "SCIENCE", SPECTRUM_1D),
    ("o8h904040_sx1.fits", "spectrum", "SCIENCE", SPECTRUM_1D),
    ("lb6v01010_x1dsum.fits", "spectrum", "SCIENCE", SPECTRUM_1D),
    ("o8h904040_x2d.fits", "spectrum", "SCIENCE", SPECTRUM_2D),
    ("o8h904040_sx2.fits", "spectrum", "SCIENCE", SPECTRUM_2D),
    ("u2eq0701t_c0m.fits", "image", "SCIENCE", IMAGE),
    ("u2eq0701t_c1m.fits", "image", "SCIENCE", IMAGE),
    ("u2eq0701t_c0f.fits", "image", "SCIENCE", IMAGE),
    ("u2eq0701t_c1f.fits", "image", "SCIENCE", IMAGE),
    ("lb6v01bnq_corrtag.fits", "spectrum", "SCIENCE", TABLE),
    ("lb6v01bnq_rawtag.fits", "spectrum", "SCIENCE", TABLE),
    (f"{HST}_asn.fits", "image", "AUXILIARY", "exposures"),
    (f"{HST}_spt.fits", "image", "AUXILIARY", NOT),
    (f"{HST}_trl.fits", "image", "AUXILIARY", NOT),
    (f"{HST}_jit.fits", "image", "AUXILIARY", NOT),
    (f"{HST}_drc.jpg", "image", "PREVIEW", PICTURE),
    # TESS
    ("tess2018206192942-s0001-1-1-0120-s_ffir.fits", "image", "SCIENCE", IMAGE),
    ("tess2018206192942-s0001-1-1-0120-s_ffic.fits", "image", "SCIENCE", IMAGE),
    (f"{TESS}_tp.fits", "timeseries", "SCIENCE", LCVIZ),
    (f"{TESS}_fast-tp.fits", "timeseries", "SCIENCE", LCVIZ),
    (f"{TESS}_lc.fits", "timeseries", "SCIENCE", LCVIZ),
    (f"{TESS}_fast-lc.fits", "timeseries", "SCIENCE", LCVIZ),
    (f"{TESS}_dvt.fits", "timeseries", "SCIENCE", TABLE),
    (f"{TESS}_dvr.pdf", "timeseries", "INFO", NOT),
    (f"{TESS}_dvs.pdf", "timeseries", "INFO", NOT),
    # Kepler, K2
    (f"{KEPLER}_llc.fits", "timeseries", "SCIENCE", LCVIZ),
    (f"{KEPLER}_slc.fits", "timeseries", "SCIENCE", LCVIZ),
    (f"{KEPLER}_lpd-targ.fits.gz", "timeseries", "SCIENCE", LCVIZ),
    (f"{KEPLER}_spd-targ.fits.gz", "timeseries", "SCIENCE", LCVIZ),
    # others, of whose names nothing is known: the row tells
    ("hlsp_candels_hst_acs_gs-tot-sect33_f606w_v1.0_sci.fits", "image", "SCIENCE", IMAGE),
    ("rings.v3.skycell.1234.005.stk.g.unconv.fits", "image", "SCIENCE", IMAGE),
    ("hlsp_muse_spec.fits", "spectrum", "SCIENCE", "Specviz"),
    ("hlsp_muse_final.fits", "cube", "SCIENCE", CUBE),
    ("hlsp_qlp_llc.fits", "timeseries", "SCIENCE", LCVIZ),
    ("hlsp_something.fits", "measurements", "SCIENCE", CATALOG),
    ("hlsp_something.fits", None, "SCIENCE", NOT),
    ("readme.txt", "image", "INFO", NOT),
    ("name_without_suffix", "image", "SCIENCE", NOT),
]


@pytest.mark.parametrize(
    ("filename", "data_type", "product_type", "opens_in"),
    PRODUCTS,
    ids=[f"{name} {data_type}" for name, data_type, *_ in PRODUCTS],
)
@pytest.mark.parametrize("case", ["as it is", "upper case"])
def test_a_product_is_known_by_its_row(filename, data_type, product_type, opens_in, case):
    row = {
        "productFilename": filename if case == "as it is" else filename.upper(),
        "dataproduct_type": data_type,
        "productType": product_type,
    }
    kind = kind_of(row)
    assert kind.is_image is (opens_in == IMAGE)
    assert opens_in in kind.opens_in
    if kind.is_image:
        assert kind.why_not() == ""
    else:
        assert re.match(r"an? \w.*, not an image: .*" + re.escape(opens_in), kind.why_not())


def test_only_a_segmentation_map_starts_hidden():
    hidden = {
        name
        for name, data_type, *_ in PRODUCTS
        if kind_of({"productFilename": name, "dataproduct_type": data_type}).hidden
    }
    assert hidden == {f"{JWST}_segm.fits"}


def test_a_row_of_a_table_will_do_and_a_masked_type_is_no_hindrance():
    table = Table(
        {
            "productFilename": [f"{JWST}_i2d.fits", "hlsp_x.fits"],
            "dataproduct_type": MaskedColumn(["image", "image"], mask=[True, True]),
        }
    )
    assert kind_of(table[0]).is_image
    assert not kind_of(table[1]).is_image


def test_a_row_without_a_type_will_do():
    assert kind_of({"productFilename": f"{JWST}_i2d.fits"}).is_image


def test_every_product_of_the_archive_has_a_kind(archive):
    """The fits that are images are those that a person would call so."""
    images = {"rate", "cal", "crf", "i2d", "segm", "raw", "flt", "flc", "drz", "drc"}
    for row in archive.products:
        suffix = row["productFilename"].rsplit(".", 1)[0].rsplit("_", 1)[1]
        expected = (
            suffix in images
            and row["productFilename"].endswith(".fits")
            and "_gs-" not in row["productFilename"]
            and row["dataproduct_type"] == "image"
        )
        assert kind_of(row).is_image is expected, row["productFilename"]


@pytest.mark.parametrize(
    ("data_type", "name", "is_image"),
    [
        ("image", "image", True),
        ("IMAGE", "image", True),
        ("cube", "spectral cube", False),
        ("spectrum", "spectrum", False),
        ("timeseries", "light curve", False),
        ("measurements", "catalog", False),
        ("eventlist", "table", False),
        ("visibility", "file of another kind", False),
        (None, "file of another kind", False),
    ],
)
def test_an_observation_is_known_by_its_type(data_type, name, is_image):
    kind = kind_of_observation({"dataproduct_type": data_type})
    assert kind.name == name
    assert kind.is_image is is_image
