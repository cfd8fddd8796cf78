"""Products of observations: all that are meant, each once, asked for in small portions."""

import numpy as np
import pytest
from astropy.table import Table

from jdaviz_mast.demo.fields import PRODUCT_FIELDS
from jdaviz_mast.errors import ObservationNotFound

MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"
RAW = "jw02733001001_02105_00009_nrcb1"  # has an uncal and nothing else


@pytest.fixture
def listed(archive):
    """Callable: URIs of an observation's products that are as wanted, each once."""

    def find(*obs_ids, where=lambda row: True):
        uris = []
        for obs_id in obs_ids:
            (obsid,) = {o["obsid"] for o in archive.observations if o["obs_id"] == obs_id}
            uris += [p["dataURI"] for p in archive.products
                     if p["parent_obsid"] == obsid and where(p)]  # fmt: skip
        return list(dict.fromkeys(uris))

    return find


def uris(products):
    return [str(uri) for uri in products["dataURI"]]


@pytest.mark.parametrize("all_levels", [False, True], ids=["level 3", "all levels"])
@pytest.mark.parametrize(
    ("product_type", "types"),
    [
        ("SCIENCE", ["SCIENCE"]),
        ("science", ["SCIENCE"]),
        ("PREVIEW", ["PREVIEW"]),
        (["INFO", "preview"], ["INFO", "PREVIEW"]),
        (("AUXILIARY",), ["AUXILIARY"]),
        (None, ["SCIENCE", "PREVIEW", "INFO", "AUXILIARY"]),
    ],
    ids=str,
)
def test_products_are_those_of_the_type_and_level(mast, listed, product_type, types, all_levels):
    def wanted(row):
        return row["productType"] in types and (all_levels or row["calib_level"] == 3)

    found = mast.products(MOSAIC, product_type=product_type, all_levels=all_levels)

    assert isinstance(found, Table)
    assert uris(found) == listed(MOSAIC, where=wanted)


def test_by_default_only_science_of_level_3_is_meant(mast):
    suffixes = [str(name).rsplit("_", 1)[1] for name in mast.products(MOSAIC)["productFilename"]]
    assert suffixes == ["i2d.fits", "segm.fits", "cat.ecsv"]


def test_the_columns_and_values_are_those_of_the_archive(mast, archive):
    found = mast.products(MOSAIC)
    assert found.colnames == list(PRODUCT_FIELDS)
    for product in found:
        row = archive.product(product["dataURI"])
        for name, value in row.items():
            if value is None:
                assert np.ma.is_masked(product[name]), name
            else:
                assert str(product[name]) == str(value), name


@pytest.mark.parametrize("given", ["table", "row", "ID"])
def test_observations_may_be_a_table_a_row_or_an_id(mast, given):
    table = mast.search(observation_id=MOSAIC)
    observations = {"table": table, "row": table[0], "ID": MOSAIC}[given]
    assert len(mast.products(observations)) == 3


def test_each_observation_is_asked_for_alone(mast, asked):
    observations = mast.search(program_id=2733)
    before = len(asked())
    mast.products(observations)
    requests = [r.body for r in asked()[before:] if "Mast.Caom.Products" in r.body
                and "invoke" in r.path]  # fmt: skip
    assert len(requests) == len(observations)
    for observation, body in zip(observations, requests, strict=True):
        assert f"%22obsid%22%3A%20%22{observation['obsid']}%22" in body


def test_an_observation_that_is_given_twice_is_asked_for_once(mast, asked):
    observations = mast.search(observation_id=MOSAIC)
    before = len(asked("invoke"))
    products = mast.products(observations[[0, 0, 0]])
    assert len(asked("invoke")) == before + 1
    assert len(products) == 3


def test_a_product_of_two_observations_is_listed_once(mast, archive, listed):
    # Each mosaic lists its exposures' products, which are the exposures' own as well.
    observations = mast.search(program_id=2736, all_levels=True)
    found = uris(mast.products(observations, all_levels=True, product_type=None))
    assert len(found) == len(set(found))
    assert found == listed(*observations["obs_id"])


def test_no_product_of_the_level_is_an_empty_table_with_the_columns(mast):
    found = mast.products(RAW)
    assert len(found) == 0
    assert found.colnames == list(PRODUCT_FIELDS)
    assert len(mast.products(RAW, all_levels=True)) == 1


def test_an_observation_without_any_product_is_an_empty_table_with_the_columns(mast, archive):
    archive.products[:] = [p for p in archive.products if p["proposal_id"] != "2736"]
    found = mast.products(mast.search(program_id=2736))
    assert len(found) == 0
    assert found.colnames == list(PRODUCT_FIELDS)


def test_no_observations_have_no_products_and_nothing_is_asked(mast, asked):
    observations = mast.search(program_id=2733)[:0]
    before = len(asked())
    found = mast.products(observations)
    assert len(found) == 0
    assert "dataURI" in found.colnames
    assert len(asked()) == before


def test_a_product_with_missing_values_is_still_listed(mast, archive):
    uri = uris(mast.products(MOSAIC))[0]
    for row in archive.products:
        if row["dataURI"] == uri:
            row |= dict.fromkeys(("size", "description", "filters", "obs_id", "project"))
    found = mast.products(MOSAIC)
    assert uris(found)[0] == uri
    assert all(np.ma.is_masked(found[0][name]) for name in ("size", "filters", "obs_id"))


def test_products_without_type_or_level_are_found_when_all_are_asked_for(mast, archive):
    uri = uris(mast.products(MOSAIC))[0]
    for row in archive.products:
        if row["dataURI"] == uri:
            row |= {"productType": None, "calib_level": None}
    assert uri not in uris(mast.products(MOSAIC))
    assert uri in uris(mast.products(MOSAIC, product_type=None, all_levels=True))


def test_products_of_an_unknown_observation_are_said_to_be_unknown(mast):
    with pytest.raises(ObservationNotFound, match="no observation 'jw99999-o001_t001'") as raised:
        mast.products("jw99999-o001_t001")
    assert isinstance(raised.value, LookupError)
