"""From a combined product to the exposures that it was made of."""

import io
import json
import threading

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from jdaviz_mast.demo import Fault
from jdaviz_mast.errors import Cancelled, FileProblem, InvalidInput, MastError, ObservationNotFound
from jdaviz_mast.products import read_association

F090W = "jw02733-o001_t001_nircam_clear-f090w"
F187N = "jw02733-o001_t001_nircam_clear-f187n"
HST = "ib5741010"


def association(*names, product="jw02733-o001_t001_nircam_clear-f090w", role="science"):
    members = [{"expname": name, "exptype": role} for name in names]
    return json.dumps({"products": [{"name": product, "members": members}]}).encode()


def own_rows(archive, obs_id):
    """Product rows that are listed with an observation."""
    obsid = next(row["obsid"] for row in archive.observations if row["obs_id"] == obs_id)
    return [row for row in archive.products if row["parent_obsid"] == obsid]


def own_association(archive, obs_id):
    return next(row for row in own_rows(archive, obs_id) if "asn" in row["productFilename"])


def put_association(archive, obs_id, content, name):
    """Let the archive have another association of an observation, of a name of its own."""
    kept = own_association(archive, obs_id)
    archive.products.remove(kept)
    return archive.add_bytes(
        f"mast:JWST/product/{name}", content,
        **{c: kept[c] for c in ("obsID", "parent_obsid", "obs_id", "productType")},
        productFilename=name,
    )  # fmt: skip


def names_of(table, level=None):
    return [
        str(row["productFilename"]) for row in table if level in (None, row["calib_level"])
    ]  # fmt: skip


@pytest.mark.parametrize("obs_id", [F090W, F187N, "jw02733-o002_t001_miri_f1130w"])
def test_the_ladder_is_what_the_association_file_says(mast, archive, obs_id):
    asn = own_association(archive, obs_id)
    content = json.loads(archive.make(asn["dataURI"]).read_bytes())
    assert {"asn_type", "asn_rule", "asn_pool", "program", "target", "asn_id"} <= set(content)
    assert content["products"][0]["name"] == obs_id
    expected = [member["expname"] for member in content["products"][0]["members"]]
    assert len(expected) > 1

    found = mast.ladder(obs_id)
    assert names_of(found, 2) == expected
    assert names_of(found, 1) == [name.replace("_cal.", "_uncal.") for name in expected]
    assert names_of(found) == names_of(found, 2) + names_of(found, 1)
    assert found.meta["made"] == obs_id
    assert found.meta["association"] == asn["productFilename"]
    assert found.meta["roles"] == dict.fromkeys(expected, "science")
    assert found.meta["missing"] == []
    # They are rows of the archive's list, as they are.
    listed = {str(row["dataURI"]): row for row in mast.products(
        mast.search(observation_id=obs_id), all_levels=True)}  # fmt: skip
    for row in found:
        assert [row[c] for c in found.colnames] == [listed[row["dataURI"]][c] for c in row.colnames]


def test_each_way_to_name_the_product(mast):
    observations = mast.search(observation_id=F090W)
    products = mast.products(observations)
    product = products[[str(n).endswith("_i2d.fits") for n in products["productFilename"]]]
    expected = names_of(mast.ladder(F090W))
    for given in (observations, observations[0], product, product[0]):
        assert names_of(mast.ladder(given)) == expected


def test_it_leaves_no_trace_among_the_downloads(mast, tmp_path):
    mast.ladder(F090W)
    assert list(tmp_path.iterdir()) == []
    assert mast.jobs == []


def test_what_it_returns_can_be_fetched(mast):
    found = mast.ladder(F090W)
    job = mast.fetch(found[:1])
    assert job.state == "complete"
    assert [file.path.name for file in job.files] == names_of(found[:1])


@pytest.mark.parametrize(
    ("suffix", "made_of"), [("drz", {"flt"}), ("drc", {"flc"}), (None, {"flt", "flc"})]
)
def test_drizzled_images_of_hst(mast, archive, suffix, made_of):
    given = HST
    if suffix:
        products = mast.products(HST)
        given = products[[f"_{suffix}." in str(name) for name in products["productFilename"]]]
        assert len(given) == 1
    found = mast.ladder(given)
    asn = own_association(archive, HST)["productFilename"]
    assert found.meta["association"] == asn == f"{HST}_asn.fits"
    exposures = {"ib5741a1q", "ib5741a3q"}
    assert set(names_of(found, 2)) == {f"{e}_{s}.fits" for e in exposures for s in made_of}
    assert set(names_of(found, 1)) == {f"{e}_raw.fits" for e in exposures}
    assert set(found.meta["roles"].values()) == {"EXP-DTH"}


def test_without_an_association_the_listed_exposures_stand_in(mast, archive):
    expected = names_of(mast.ladder(F090W), 2)
    archive.products.remove(own_association(archive, F090W))
    found = mast.ladder(F090W)
    assert found.meta["association"] is None
    assert sorted(names_of(found, 2)) == sorted(expected)


def test_without_exposures_the_ladder_is_empty(mast, archive):
    for row in own_rows(archive, F090W):
        if row["calib_level"] < 3 or "asn" in row["productFilename"]:
            archive.products.remove(row)
    assert len(mast.ladder(F090W)) == 0


def test_members_that_the_archive_does_not_list_are_named(mast, archive):
    there = names_of(mast.ladder(F090W), 2)[0]
    content = association(there, "jw09999001001_01101_00001_nrcb1_cal.fits", role="background")
    put_association(archive, F090W, content, "jw02733-o001_20270101t000000_image3_00009_asn.json")
    found = mast.ladder(F090W)
    assert names_of(found, 2) == [there]
    assert found.meta["missing"] == ["jw09999001001_01101_00001_nrcb1_cal.fits"]
    assert found.meta["roles"] == {there: "background"}


def test_names_in_an_association_are_no_paths(mast, archive, tmp_path):
    content = association("../../etc/passwd", "/etc/hosts", "https://example.org/x.fits", "", "..")
    put_association(archive, F090W, content, "jw02733-o001_20270102t000000_image3_00009_asn.json")
    found = mast.ladder(F090W)
    assert len(found) == 0
    assert list(tmp_path.iterdir()) == []


def test_the_newest_association_counts_and_those_of_stage_2_do_not(mast, archive):
    there = names_of(mast.ladder(F090W), 2)
    kept = own_association(archive, F090W)
    for name, members in (
        ("jw02733-o001_20270103t000000_image3_00009_asn.json", there[:1]),
        ("jw02733-o001_20290103t000000_image2_00009_asn.json", there[1:2]),
        ("jw02733-o001_20200103t000000_image3_00009_asn.json", there[2:3]),
    ):
        archive.add_bytes(
            f"mast:JWST/product/{name}", association(*members),
            **{c: kept[c] for c in ("obsID", "parent_obsid", "obs_id", "productType")},
            productFilename=name,
        )  # fmt: skip
    found = mast.ladder(F090W)
    assert names_of(found, 2) == there[:1]


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"[]", b"{}", b'{"products": 3}', b'{"products": [{"members": [1]}]}',
     b'{"products": [{"members": [{"exptype": "science"}]}]}', b"\xff\xfe\x00", b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_association_is_named(mast, archive, content):
    name = f"jw02733-o001_20270104t0000{len(content) % 100:02}_image3_00009_asn.json"
    put_association(archive, F090W, content or b" ", name)
    with pytest.raises(FileProblem, match=name):
        mast.ladder(F090W)


def test_a_damaged_association_of_hst_is_named():
    for content in (b"", b"SIMPLE  = ", b"not FITS at all" * 300):
        with pytest.raises(FileProblem, match=r"x_asn\.fits"):
            read_association(content, "x_asn.fits")
    blank = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU()]).writeto(blank)
    with pytest.raises(FileProblem, match=r"x_asn\.fits"):
        read_association(blank.getvalue(), "x_asn.fits")


@pytest.mark.parametrize(
    ("name", "obs_id", "makes"),
    [
        (F090W, F090W, True),
        (F090W.upper(), F090W, True),
        (F090W, F187N, False),
        ("jw01283-o001_t001_miri", "jw01283-o001_t001_miri_ch1-short", True),
        ("jw02733-o001_t001_nircam_f444w", "jw02733-o001_t001_nircam_f444w-f470n", False),
        ("jw01492-o005_{source_id}_nirspec_f100lp-g140m",
         "jw01492-o005_s00004_nirspec_f100lp-g140m", True),
        ("jw01492-o005_{source_id}_nirspec_f100lp-g140m",
         "jw01492-o006_s00004_nirspec_f100lp-g140m", False),
        ("", F090W, False),
        ("(a+)+$", "a" * 60, False),
    ],
)  # fmt: skip
def test_which_product_an_association_is_of(name, obs_id, makes):
    (read,) = read_association(association("a_cal.fits", product=name), "a_asn.json")
    assert read.makes(obs_id) is makes


def test_what_has_no_ladder(mast):
    exposure = mast.ladder(F090W)
    with pytest.raises(InvalidInput, match="level 3"):
        mast.ladder(exposure[0])
    with pytest.raises(InvalidInput, match="one row"):
        mast.ladder(mast.search(program_id="2733"))
    for wrong in (None, 3, Table({"a": [1]}), exposure[:0]):
        with pytest.raises(InvalidInput):
            mast.ladder(wrong)
    with pytest.raises(ObservationNotFound):
        mast.ladder("jw99999-o001_t001_nowhere")


def test_an_association_that_is_not_given_is_a_reason(mast, archive):
    archive.fail(Fault("status", status=404, match="_asn.json"))
    with pytest.raises(MastError, match=r"_asn\.json"):
        mast.ladder(F090W)


def test_it_can_be_cancelled(mast, archive):
    archive.bandwidth = 2000  # the association takes ten seconds
    asked = threading.Event()

    def check():
        if any("_asn.json" in f"{r.path}{r.query}" for r in archive.requests[-3:]):
            asked.set()
            raise Cancelled("Cancelled.")

    with pytest.raises(Cancelled):
        mast.ladder(F090W, check_cancelled=check)
    assert asked.is_set()


def test_members_of_every_association_are_products_of_the_archive(archive):
    names = {row["productFilename"] for row in archive.products}
    suffixes = {"image": ("_flt.fits", "_flc.fits"), "spectrum": ("_x1d.fits",)}
    types = set()
    for row in {r["dataURI"]: r for r in archive.products}.values():
        if not row["productFilename"].endswith(("_asn.json", "_asn.fits")):
            continue
        content = archive.make(row["dataURI"]).read_bytes()
        assert len(content) == row["size"]
        (read,) = read_association(content, row["productFilename"])
        assert read.makes(row["obs_id"])
        assert read.members
        for member in read.members:
            if row["obs_collection"] == "HST":
                assert {member + s for s in suffixes[row["dataproduct_type"]]} <= names
            else:
                assert member in names
        types.add((row["obs_collection"], row["dataproduct_type"]))
    assert {("JWST", "image"), ("JWST", "cube"), ("JWST", "spectrum"), ("HST", "image")} <= types


def test_a_thousand_exposures(mast, archive):
    """A large program: the list is looked through once, not once an exposure."""
    kept = own_association(archive, F090W)
    names = [f"jw02733001001_02101_{n:05}_nrcb1_cal.fits" for n in range(1000)]
    model = next(r for r in own_rows(archive, F090W) if r["productFilename"].endswith("_cal.fits"))
    archive.products += [
        model | {"productFilename": name, "dataURI": f"mast:JWST/product/{name}"}
        for name in np.random.default_rng(1).permutation(names)
    ]
    put_association(
        archive, F090W, association(*names), "jw02733-o001_20270105t000000_image3_00009_asn.json"
    )
    assert kept["productFilename"] != mast.ladder(F090W).meta["association"]
    assert names_of(mast.ladder(F090W), 2) == names
