"""The front door: from a name to whole files that know where they came from."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

import jdaviz_mast
from jdaviz_mast import ImportJob, Mast, conf
from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import (
    ArchiveError,
    ArchiveUnreachable,
    InvalidInput,
    MastError,
    ObservationNotFound,
)
from jdaviz_mast.transfer import STATE_FOLDER, find_record

# Small files that are quick to make: HST's and the tables of JWST's mosaics.
HST = "ib5741010"
MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"
RAW = "jw02733001001_02105_00009_nrcb1"
EXCLUSIVE = "jw07777-o001_t001_nircam_clear-f200w"


def small(products):
    """Those of the products that the embedded archive makes quickly."""
    return products[[str(name).endswith((".ecsv", ".json", ".csv")) for name in
                     products["productFilename"]]]  # fmt: skip


def on_disk(folder):
    """Names of all files below a folder but those that say what is known of jobs."""
    files = [p for p in folder.rglob("*") if p.is_file() and STATE_FOLDER not in p.parts]
    return sorted(p.relative_to(folder).as_posix() for p in files)


# -- what may be fetched ---------------------------------------------------------------------


@pytest.mark.parametrize("given", ["table", "row", "ID", "products", "product row"])
def test_observations_products_rows_and_ids_can_be_fetched(mast, archive, tmp_path, given):
    observations = mast.search(observation_id=HST)
    products = mast.products(observations)
    what = {"table": observations, "row": observations[0], "ID": HST, "products": products,
            "product row": products[0]}[given]  # fmt: skip

    job = mast.fetch(what)

    assert isinstance(job, ImportJob)
    assert job.state == "complete"
    assert job.finished
    names = ["ib5741010_drz.fits", "ib5741010_drc.fits"][: 1 if given == "product row" else 2]
    assert [file.path for file in job.files] == [tmp_path / "HST" / HST / name for name in names]
    for file in job.files:
        assert file.path.read_bytes() == Path(archive.make(file.uri)).read_bytes()
    assert on_disk(tmp_path) == sorted(f"HST/{HST}/{name}" for name in names)


def test_level_and_type_choose_the_products_of_observations(mast):
    job = mast.fetch(HST, all_levels=True, product_type=["SCIENCE", "AUXILIARY"])
    suffixes = sorted(file.path.name.rsplit("_", 1)[1] for file in job.files)
    assert suffixes == sorted(["drz.fits", "drc.fits", "asn.fits"]
                              + 2 * ["raw.fits", "flt.fits", "flc.fits"])  # fmt: skip
    assert job.state == "complete"


def test_products_that_are_given_are_fetched_whatever_their_level_and_type(mast):
    products = small(mast.products(MOSAIC, all_levels=True, product_type=None))
    job = mast.fetch(products)
    assert [file.uri for file in job.files] == list(products["dataURI"])
    assert {str(kind) for kind in products["productType"]} == {"SCIENCE", "INFO"}


def test_an_exposure_that_is_named_is_fetched_at_its_own_level(mast, archive, tmp_path):
    job = mast.fetch(RAW)
    assert [file.path.name for file in job.files] == [f"{RAW}_uncal.fits"]
    assert job.state == "complete"


def test_an_observation_without_products_of_the_type_is_a_complete_job_of_nothing(mast, tmp_path):
    job = mast.fetch(HST, product_type="CATALOG")
    assert (job.state, job.files) == ("complete", [])
    assert on_disk(tmp_path) == []


def test_products_of_a_few_columns_will_do(mast, tmp_path):
    products = small(mast.products(MOSAIC))["dataURI", "productFilename"]
    job = mast.fetch(products)
    assert job.state == "complete"
    assert on_disk(tmp_path) == [f"{MOSAIC}_cat.ecsv"]


def test_what_was_fetched_is_not_fetched_again(mast, asked):
    products = small(mast.products(MOSAIC, product_type=["SCIENCE", "INFO"]))
    mast.fetch(products)
    before = len(asked("Download"))
    job = mast.fetch(products)
    assert job.state == "complete"
    assert len(asked("Download")) == before == len(products)


# -- where it goes ---------------------------------------------------------------------------


def test_each_observation_has_a_folder_below_its_mission(mast, tmp_path):
    products = mast.products(mast.search(program_id=2733), product_type="INFO")
    job = mast.fetch(products)
    assert job.state == "complete"
    expected = {
        f"{row['obs_collection']}/{row['obs_id']}/{row['productFilename']}" for row in products
    }
    assert len(expected) == len(products)
    assert set(on_disk(tmp_path)) == expected


def test_the_download_folder_is_the_one_that_was_given_or_configured(archive, tmp_path):
    given, configured = tmp_path / "given", tmp_path / "configured"
    with conf.set_temp("download_dir", str(configured)):
        assert Mast(archive.url, given).download_dir == given
        assert Mast(archive.url, str(given)).download_dir == given
        assert Mast(archive.url).download_dir == configured
    with conf.set_temp("download_dir", ""):
        assert Mast(archive.url).download_dir.name == "jdaviz-mast"


def test_the_server_is_the_one_that_was_given_or_configured(archive):
    assert Mast().server == archive.url
    assert Mast("https://mast.example.org/").server == "https://mast.example.org"
    with conf.set_temp("server", "https://mast.example.org"):
        assert Mast().server == "https://mast.example.org"
    assert "mast.example.org" in repr(Mast("https://mast.example.org"))


def test_what_was_not_given_follows_the_settings(archive, tmp_path):
    mast, told = Mast(), Mast(archive.url, tmp_path)
    with (
        conf.set_temp("server", "http://127.0.0.1:9"),
        conf.set_temp("download_dir", str(tmp_path / "moved")),
    ):
        assert mast.server == "http://127.0.0.1:9"
        assert mast.download_dir == tmp_path / "moved"
        assert told.server == archive.url
        assert told.download_dir == tmp_path
        with pytest.raises(ArchiveUnreachable):
            mast.search(program_id=2736)
    assert len(mast.search(program_id=2736)) == 3


def test_a_job_keeps_the_settings_of_its_start(archive, tmp_path):
    mast = Mast()
    archive.latency = 0.1
    job = mast.fetch(HST, block=False)
    with (
        conf.set_temp("server", "http://127.0.0.1:9"),
        conf.set_temp("download_dir", str(tmp_path / "moved")),
    ):
        assert job.wait(10)
    assert job.state == "complete"
    assert all(name.startswith("HST/") for name in on_disk(tmp_path))


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("productFilename", "../../escaped.fits"),
        ("productFilename", "/tmp/escaped.fits"),
        ("obs_id", "../../../escaped"),
        ("obs_collection", ".."),
        ("productFilename", "nul\x00.fits"),
        ("productFilename", "x" * 300),
        ("productFilename", ".bashrc"),
        ("obs_id", "CON"),
    ],
)
def test_a_name_that_leads_elsewhere_is_an_error_of_that_file_alone(
    archive, tmp_path, column, value
):
    mast = Mast(archive.url, tmp_path / "downloads")
    products = small(mast.products(MOSAIC, product_type=["SCIENCE", "INFO"]))
    products[column] = [value, *(str(item) for item in products[column][1:])]

    job = mast.fetch(products)

    assert job.state == "partial"
    bad, *good = job.files
    assert (bad.state, bad.path) == ("failed", None)
    assert "not safe as a file name; it is not downloaded." in bad.error
    assert {file.state for file in good} == {"complete"}
    assert len(on_disk(tmp_path)) == len(good) == len(products) - 1
    assert all(name.startswith("downloads/JWST/") for name in on_disk(tmp_path))


def test_a_folder_that_is_a_link_to_itself_is_an_error_of_its_files_alone(mast, tmp_path):
    other = "jw02733-o001_t001_nircam_clear-f187n"
    products = small(mast.products(mast.search(observation_id=f"{MOSAIC},{other}")))
    (tmp_path / "JWST").mkdir()
    (tmp_path / "JWST" / MOSAIC).symlink_to(tmp_path / "JWST" / MOSAIC)

    job = mast.fetch(products)

    states = {str(row["obs_id"]): file for row, file in zip(products, job.files, strict=True)}
    assert states[MOSAIC].state == "failed"
    assert states[MOSAIC].error.endswith(".")
    assert states[other].state == "complete"


# -- what a file knows -----------------------------------------------------------------------


def as_known(row):
    """A row of the archive as it is kept on a file: the numbers of MAST's IDs are texts."""
    return {name: str(value) if name in ("obsid", "objID", "obsID", "parent_obsid") else value
            for name, value in row.items()}  # fmt: skip


@pytest.mark.parametrize("given", ["table", "ID", "products"])
def test_a_file_knows_its_product_row_and_its_observation_row(mast, archive, given):
    observations = mast.search(observation_id=HST)
    what = {"table": observations, "ID": HST, "products": mast.products(observations)}[given]

    for file in mast.fetch(what).files:
        product = archive.product(file.uri)
        (observation,) = (o for o in archive.observations if o["obs_id"] == HST)
        assert file.about["product"] == as_known(product)
        assert file.about["observation"] == as_known(observation)


@pytest.mark.parametrize("given", ["ID", "products"])
def test_a_file_of_an_exposure_knows_the_exposure_not_the_mosaic(mast, archive, given):
    observations = {o["obsid"]: o for o in archive.observations}
    what = HST if given == "ID" else mast.products(HST, all_levels=True)

    job = mast.fetch(what, all_levels=True)

    exposures = set()
    for file in job.files:
        known, own = file.about["observation"], observations[archive.product(file.uri)["obsID"]]
        assert known["obs_id"] == own["obs_id"]
        assert known["t_min"] == own["t_min"]
        assert known["t_exptime"] == own["t_exptime"]
        assert known["calib_level"] == own["calib_level"]
        assert file.path.parent.name == own["obs_id"]
        exposures.add(known["obs_id"])
    assert len(exposures) == 3  # the mosaic and its two exposures


def test_a_file_whose_exposure_the_archive_lacks_knows_its_mosaic(mast, archive):
    products = mast.products(HST, all_levels=True)
    gone = {str(o["obsID"]) for o in products if o["calib_level"] < 3}
    archive.observations[:] = [o for o in archive.observations if o["obsid"] not in gone]
    raw = products[[str(name).endswith("_raw.fits") for name in products["productFilename"]]]

    job = mast.fetch(HST, all_levels=True)
    assert {file.about["observation"]["obs_id"] for file in job.files} == {HST}

    job = mast.fetch(raw)  # without the mosaic at hand, nothing is known of it
    assert job.state == "complete"
    assert [file.about["product"]["obs_id"] for file in job.files] == list(raw["obs_id"])


def test_missing_values_are_none_and_all_values_are_pythons_own(mast, archive):
    for row in archive.observations:
        if row["obs_id"] == HST:
            row |= {"filters": None, "t_min": None, "instrument_name": None, "sequence_number": 3}
    (file, *_) = mast.fetch(HST).files
    known = file.about["observation"]
    assert known["filters"] is known["t_min"] is known["instrument_name"] is None
    assert known["sequence_number"] == 3
    for row in file.about.values():
        assert {type(value) for value in row.values()} <= {str, int, float, bool, type(None)}


@pytest.mark.parametrize(
    "column", ["size", "obs_id", "obs_collection", "filters", "calib_level", "productType"]
)
def test_a_product_with_a_missing_value_is_fetched(mast, archive, column):
    products = small(mast.products(MOSAIC))
    for row in archive.products:
        if row["dataURI"] == str(products["dataURI"][0]):
            row[column] = None
    job = mast.fetch(small(mast.products(MOSAIC, product_type=None, all_levels=True)))
    file = next(file for file in job.files if file.uri == str(products["dataURI"][0]))
    assert file.state == "complete"
    assert "--" not in file.path.parts  # what astropy shows for a missing value


def test_a_product_without_a_file_name_is_named_by_its_address(mast, archive, tmp_path):
    products = small(mast.products(MOSAIC))
    products["productFilename"] = np.ma.masked_all(len(products), dtype=str)
    assert mast.fetch(products).state == "complete"
    assert on_disk(tmp_path) == [f"JWST/{MOSAIC}/{MOSAIC}_cat.ecsv"]


# -- what goes wrong -------------------------------------------------------------------------


def test_an_unknown_observation_cannot_be_fetched(mast, recwarn):
    with pytest.raises(ObservationNotFound, match="holds no observation 'jw99999-o001_t001'"):
        mast.fetch("jw99999-o001_t001")
    assert not recwarn.list, "the error says it all"


@pytest.mark.parametrize("source", ["s3", "ftp", "HTTP", 3])
def test_an_unknown_source_is_refused_at_once(mast, source, asked):
    with pytest.raises(InvalidInput, match="^source: .* choose 'auto'"):
        mast.fetch(HST, source=source)
    assert mast.jobs == []
    assert asked() == []


@pytest.mark.parametrize("source", ["auto", "http", None])
def test_known_sources_are_taken(mast, source):
    assert mast.fetch(small(mast.products(MOSAIC)), source=source).state == "complete"


def test_a_job_that_was_begun_at_another_archive_says_so(mast, tmp_path):
    job = mast.fetch(HST)
    elsewhere = Mast("http://127.0.0.1:9", mast.download_dir).resume(job.id)
    assert elsewhere.state == "complete"  # nothing was missing
    said = f"It was begun at {mast.server}; http://127.0.0.1:9 is asked now."
    assert said in elsewhere.notes
    assert not mast.resume(job.id).notes


@pytest.mark.parametrize("product_type", ["IMAGES", "", 3])
def test_an_unknown_product_type_is_refused(mast, product_type, tmp_path):
    with pytest.raises(InvalidInput, match="^product_type: .*SCIENCE, PREVIEW"):
        mast.fetch(HST, product_type=product_type)
    assert on_disk(tmp_path) == []


@pytest.mark.parametrize("given", [None, 42, [HST], Table({"x": [1]}), "jw02733*", ""], ids=str)
def test_what_is_no_observation_cannot_be_fetched(mast, given):
    with pytest.raises(InvalidInput):
        mast.fetch(given)


def test_without_blocking_the_error_is_on_the_job(mast):
    job = mast.fetch("jw99999-o001_t001", block=False)
    assert job.wait(5)
    assert job.state == "failed"
    assert isinstance(job.error, ObservationNotFound)


def test_a_product_under_exclusive_access_is_said_to_be(mast, tmp_path):
    job = mast.fetch(EXCLUSIVE)
    assert job.state == "failed"
    assert job.files
    for file in job.files:
        assert file.state == "failed"
        assert "exclusive access" in file.error
    assert on_disk(tmp_path) == []


def test_one_bad_file_is_an_error_on_the_file_not_an_exception(mast, archive, tmp_path):
    archive.fail(Fault("html", match="drz.fits"))
    job = mast.fetch(HST)
    assert job.state == "partial"
    bad, good = job.files
    assert (bad.path.name, bad.state) == ("ib5741010_drz.fits", "failed")
    assert bad.error.startswith("A web page came instead of the file.")
    assert good.state == "complete"
    assert on_disk(tmp_path) == [f"HST/{HST}/ib5741010_drc.fits"]


def test_a_size_that_the_archive_lists_wrongly_is_said(mast, archive, tmp_path):
    archive.fail(Fault("wrong-size", match="_cat.ecsv"))
    job = mast.fetch(small(mast.products(MOSAIC)))
    assert job.state == "complete"
    (file,) = job.files
    assert f"the server has {file.path.stat().st_size}" in file.note


def test_an_archive_that_breaks_down_between_two_questions_is_the_error(mast, archive):
    archive.fail(Fault("status", route="invoke", match="Products", status=500))
    with pytest.raises(ArchiveError, match="HTTP 500"):
        mast.fetch(HST)
    assert mast.jobs[-1].state == "failed"


def test_an_archive_that_is_gone_is_unreachable(tmp_path):
    with pytest.raises(ArchiveUnreachable):
        Mast("http://127.0.0.1:9", tmp_path).fetch(HST)


# -- jobs ------------------------------------------------------------------------------------


def test_jobs_are_kept_in_their_order(mast):
    assert mast.jobs == []
    first = mast.fetch(small(mast.products(MOSAIC)))
    second = mast.fetch(HST, product_type="CATALOG")
    assert mast.jobs == [first, second]


def test_without_blocking_the_job_runs_beside_the_caller(mast, archive):
    products = mast.products(HST)
    archive.latency = 0.2
    began = time.monotonic()
    job = mast.fetch(products, block=False)
    assert time.monotonic() - began < 0.15
    assert not job.finished
    assert job.wait(10)
    assert job.state == "complete"


def test_a_job_is_cancelled_within_a_second_while_the_archive_is_silent(mast, archive, asked):
    mast.search(observation_id=HST)
    archive.fail(Fault("stall", route="invoke", fraction=0))
    before = len(asked())
    job = mast.fetch(HST, block=False)
    while len(asked()) == before:
        time.sleep(0.01)
    began = time.monotonic()
    job.cancel()
    assert job.wait(5)
    assert time.monotonic() - began < 1
    assert job.state == "cancelled"


@pytest.fixture
def ctrl_c():
    """Callable: Ctrl-C after so many seconds, even in a process that was told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda seconds: threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)).start()
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_while_blocking_cancels_the_job(mast, archive, tmp_path, ctrl_c):
    products = mast.products(HST)
    archive.make(str(products["dataURI"][0]))
    archive.bandwidth = 50_000
    ctrl_c(0.3)
    with pytest.raises(KeyboardInterrupt):
        mast.fetch(products)
    (job,) = mast.jobs
    assert job.state == "cancelled"
    assert all(Path(name).name.startswith(".") for name in on_disk(tmp_path))
    archive.bandwidth = None
    assert mast.resume(job.id).state == "complete"


def test_two_jobs_at_once_do_not_disturb_each_other(mast, archive, tmp_path):
    ids = [HST, "ib5741020"]
    jobs = [mast.fetch(obs_id, block=False) for obs_id in ids]
    for job in jobs:
        assert job.wait(20)
        assert job.state == "complete"
    assert len(on_disk(tmp_path)) == 4


def test_two_jobs_may_fetch_the_same_files_at_once(mast, archive, tmp_path):
    products = mast.products(HST)
    jobs = [mast.fetch(products, block=False) for _ in range(3)]
    for job in jobs:
        assert job.wait(20)
        assert job.state == "complete"
    assert len(on_disk(tmp_path)) == 2
    for file in jobs[0].files:
        assert file.path.read_bytes() == Path(archive.make(file.uri)).read_bytes()


def test_two_files_for_one_place_are_not_mixed_up(mast, archive):
    """The place is what counts, however the rows spell it."""
    uris = [f"mast:JWST/product/{name}" for name in ("one/a.csv", "b.csv", "c.csv", "A.CSV")]
    for uri in uris:
        archive.add_bytes(uri, uri.encode())
    names = ["", ["one", "a.csv"][-1], "", ""]
    job = mast.fetch(Table({"dataURI": uris, "productFilename": names}))
    assert [file.state for file in job.files] == ["complete", "failed", "complete", "failed"]
    for number in (1, 3):
        assert job.files[number].error == f"It has the same file name as {uris[0]}."
        assert job.files[number].path is None
    # Of URIs alone each has its own name.
    again = mast.fetch(Table({"dataURI": [uris[0], uris[2]]}))
    assert [file.path.read_bytes() for file in again.files] == [
        uris[0].encode(), uris[2].encode()
    ]  # fmt: skip


def test_a_job_that_somebody_resumes_is_not_removed(mast, archive, monkeypatch):
    job = mast.fetch(HST)
    record = find_record(mast.download_dir, job.id)
    assert record.acquire()
    monkeypatch.setattr("jdaviz_mast.transfer.records.Record.is_held", False)  # when it is asked
    with pytest.raises(InvalidInput, match="running"):
        mast.remove(job.id)
    record.release()
    mast.remove(job.id)
    assert mast.jobs == []


# -- the public names ------------------------------------------------------------------------


def test_the_public_names_are_there():
    assert set(jdaviz_mast.__all__) >= {"ImportJob", "Mast", "conf", "enable", "setup"}
    assert jdaviz_mast.__version__


def test_every_error_is_a_mast_error_and_one_of_pythons_own():
    from jdaviz_mast import errors

    natives = {
        "InvalidInput": ValueError, "TargetNotFound": LookupError,
        "ObservationNotFound": LookupError, "ArchiveUnreachable": ConnectionError,
        "ArchiveTimeout": TimeoutError, "AccessDenied": PermissionError,
        "FileProblem": OSError, "NotAnImage": TypeError,
        "NotViewable": TypeError,
    }  # fmt: skip
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), MastError)
    for name, native in natives.items():
        assert issubclass(getattr(errors, name), native)


@pytest.mark.parametrize(
    ("name", "bad"),
    [("connections", 0), ("connections", 9), ("timeout", 0), ("page_size", 0), ("source", "ftp")],
)
def test_a_setting_out_of_its_range_is_refused(name, bad):
    before = getattr(conf, name)
    with pytest.raises((TypeError, ValueError)):
        setattr(conf, name, bad)
    assert getattr(conf, name) == before


def test_the_settings_are_filed_under_the_package():
    assert {item.module for item in conf.values()} == {"jdaviz_mast"}
