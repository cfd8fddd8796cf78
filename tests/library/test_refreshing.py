"""Rows fetched anew: the right one of several, what changed, what was reprocessed or released."""

import datetime
import json
import shutil

import pytest

from jdaviz_mast import Mast
from jdaviz_mast.archive import Archive, as_dict
from jdaviz_mast.demo import Fault
from jdaviz_mast.errors import ArchiveError, InvalidInput, ObservationNotFound
from jdaviz_mast.freshness import look_for_updates, open_updates
from jdaviz_mast.library import Held
from jdaviz_mast.library.refreshing import refresh
from jdaviz_mast.library.updates import is_due, kept_updates

F187N = "jw02733-o001_t001_nircam_clear-f187n"
TESS = "tess2018206045859-s0001-0000000261136679-0120-s"
EXCLUSIVE = "jw07777-o001_t001_nircam_clear-f200w"
# A team's product and a mission's can have one name, and each of several sectors, too.
NAME = "hlsp_qlp_tess_ffi_s0001-0000000261136679_tess_v01_llc"


def row_of(archive, obs_id):
    return next(row for row in archive.observations if row["obs_id"] == obs_id)


@pytest.fixture
def namesakes(archive):
    """Four observations of one name: their numbers, makers and times tell them apart."""
    rows = []
    for number, (maker, begin) in enumerate(
        [("QLP", 58324.0), ("QLP", 58353.0), ("TESS-SPOC", 58324.0), ("QLP", 58381.0)]
    ):
        rows.append(row_of(archive, TESS) | {
            "obs_id": NAME, "obsid": str(99000001 + number), "obs_collection": "HLSP",
            "provenance_name": maker, "t_min": begin, "t_max": begin + 27.0,
        })  # fmt: skip
    archive.observations += rows
    return rows


def held(row):
    """An observation as it is held, without the products that the archive may list."""
    return Held(dict(row), {})


def refreshed(archive, *rows):
    return refresh(Archive(archive.url), [held(row) for row in rows]).observations


def test_each_of_one_name_gets_its_own_row(archive, namesakes):
    kept = [dict(row) for row in namesakes]
    for row in namesakes:
        row["target_name"] = f"star of {row['obsid']}"
    for old, new in zip(kept, refreshed(archive, *kept), strict=True):
        assert new.observation["obsid"] == old["obsid"]
        assert new.changes == {"target_name": (old["target_name"], f"star of {old['obsid']}")}


@pytest.mark.parametrize("which", range(4))
def test_a_new_number_is_found_by_what_else_tells(archive, namesakes, which):
    old = dict(namesakes[which])
    namesakes[which] |= {"obsid": "99000777"}
    namesakes[which]["t_exptime"] = 119.0
    (new,) = refreshed(archive, old)
    assert new.observation["obsid"] == "99000777"
    assert set(new.changes) == {"obsid", "t_exptime"}


def test_a_number_that_another_observation_has_now_is_not_taken(archive, namesakes):
    old = dict(namesakes[1])
    namesakes[1]["obsid"] = "99000888"
    row_of(archive, F187N)["obsid"] = old["obsid"]
    (new,) = refreshed(archive, old)
    assert (new.observation["obs_id"], new.observation["obsid"]) == (NAME, "99000888")


def test_what_cannot_be_told_is_left_alone(archive, namesakes):
    old = dict(namesakes[0])
    namesakes[0]["obsid"], namesakes[1]["obsid"] = "99000555", "99000556"
    namesakes[1]["t_min"] = old["t_min"]
    (new,) = refreshed(archive, old)
    assert new.observation is None
    assert "4 observations of this name" in new.problem
    assert not new.has_changed


def test_what_is_no_longer_listed_is_said(archive, namesakes):
    old = dict(namesakes[2])
    archive.observations[:] = [r for r in archive.observations if r["obs_id"] != NAME]
    (new,) = refreshed(archive, old)
    assert new.problem == "MAST does not list it any more."


def test_hundreds_are_asked_for_in_few_requests(archive, asked):
    own = row_of(archive, F187N)
    rows = [own | {"obsid": str(95000000 + n), "obs_id": f"x{n}"} for n in range(450)]
    archive.observations += rows
    report = refresh(Archive(archive.url), [held(row) for row in rows])
    assert len(report.observations) == 450
    assert not report.missing
    assert len(asked("invoke", "Mast.Caom.Filtered")) == 3


def test_a_position_is_no_change(mast, archive):
    found = mast.search(coordinates="151.757 -40.436", radius="1 arcmin", mission="JWST")
    (one, *_) = [as_dict(row) for row in found]
    assert one["distance"] is not None
    (new,) = refreshed(archive, one)
    assert not new.changes
    assert new.observation["distance"] == one["distance"]


# -- the library -----------------------------------------------------------------------------


def test_the_library_gets_the_new_values(mast, archive):
    mast.fetch(F187N)
    assert not mast.refresh_metadata().changed
    row_of(archive, F187N)["target_name"] = "Southern Ring"
    report = mast.refresh_metadata(F187N)
    assert report.observations[0].changes == {"target_name": ("NGC-3132", "Southern Ring")}
    assert "target: NGC-3132 → Southern Ring" in str(report)
    assert json.loads(json.dumps(report.as_dict()))["changed"] == 1
    assert {f.observation["target_name"] for f in mast.library.files()} == {"Southern Ring"}
    again = Mast(archive.url, mast.download_dir)  # from the disk
    assert not again.refresh_metadata().changed


def test_the_manifest_shows_the_new_values(mast, archive):
    job = mast.fetch(F187N)
    row_of(archive, F187N)["target_name"] = "Southern Ring"
    mast.refresh_metadata()
    (row,) = mast.manifest(job.id).content["observations"]
    assert row["target_name"] == "Southern Ring"


def test_one_is_asked_for_by_its_name_or_its_number(mast, archive, asked):
    mast.fetch(F187N)
    mast.fetch(TESS)
    row_of(archive, TESS)["target_name"] = "pi Men"
    row_of(archive, F187N)["target_name"] = "Southern Ring"
    report = mast.refresh_metadata(str(row_of(archive, TESS)["obsid"]))
    assert [one.obs_id for one in report.observations] == [TESS]
    names = {f.observation["obs_id"]: f.observation["target_name"] for f in mast.library.files()}
    assert names == {TESS: "pi Men", F187N: "NGC-3132"}


def test_what_is_not_held_is_not_refreshed(mast):
    with pytest.raises(ObservationNotFound, match="import it first"):
        mast.refresh_metadata("ib5741010")
    with pytest.raises(InvalidInput, match="observation_id"):
        mast.refresh_metadata(" ")


def test_an_archive_that_fails_changes_nothing(mast, archive):
    mast.fetch(F187N)
    row_of(archive, F187N)["target_name"] = "Southern Ring"
    archive.fail(Fault("error", match="Mast.Caom.Products", message="out of order"))
    with pytest.raises(ArchiveError):
        mast.refresh_metadata()
    assert {f.observation["target_name"] for f in mast.library.files()} == {"NGC-3132"}


def test_files_that_nothing_was_known_of_get_their_rows(mast, archive):
    job = mast.fetch(F187N)
    mast.remove(job.id)
    shutil.rmtree(mast.download_dir / ".jdaviz-mast")
    assert not mast.library.files()[0].observation
    report = mast.refresh_metadata()
    assert not report.missing
    assert not report.changed  # of values that were not known none has changed
    for file in mast.library.files():
        assert file.observation["obs_id"] == F187N
        assert file.product["dataURI"].startswith("mast:JWST/product/")


# -- reprocessed and released ----------------------------------------------------------------


@pytest.fixture
def own_archive():
    """An archive whose files may be reprocessed: that is not undone after a test."""
    from jdaviz_mast.demo import DemoArchive

    with DemoArchive() as archive:
        yield archive


@pytest.fixture
def kept(own_archive, tmp_path):
    """The front door, and the URI of a file that it has fetched and the archive reprocessed."""
    mast = Mast(own_archive.url, tmp_path / "kept")
    job = mast.fetch(F187N)
    uri = next(file.uri for file in job.files if file.uri.endswith("i2d.fits"))
    own_archive.reprocess(uri)
    return mast, uri


def test_what_was_reprocessed_is_told_again_and_again(kept):
    mast, uri = kept
    for _ in range(2):  # the rows are those of now, but the file is not
        (update,) = mast.refresh_metadata().updates
        assert (update.kind, update.uri, update.old, update.new) == (
            "reprocessed", uri, "1.18.0", "1.19.0")  # fmt: skip
    assert "reprocessed by the archive: 1.18.0 → 1.19.0" in str(mast.refresh_metadata())
    assert mast.library.file(uri).versions["CAL_VER"] == "1.18.0"


def test_a_new_version_comes_beside_the_old(kept):
    mast, uri = kept
    old = mast.library.file(uri)
    content = old.path.read_bytes()
    job = mast.fetch_new_version(uri)
    assert job.state == "complete"
    (new,) = job.files
    assert new.path == old.path.parent / "1.19.0" / old.path.name
    assert old.path.read_bytes() == content
    versions = {f.path: f.versions["CAL_VER"] for f in mast.library.files() if f.uri == uri}
    assert versions == {old.path: "1.18.0", new.path: "1.19.0"}
    assert not mast.refresh_metadata().updates
    assert not open_updates(mast)
    (mast.download_dir / ".jdaviz-mast" / "library.sqlite").unlink()
    rebuilt = {f.path: f.versions["CAL_VER"] for f in mast.library.files() if f.uri == uri}
    assert rebuilt == versions
    with pytest.raises(InvalidInput, match="no other version"):
        mast.fetch_new_version(uri)


def test_a_new_version_is_replayed_to_where_it_was(kept, tmp_path):
    mast, uri = kept
    job = mast.fetch_new_version(uri)
    elsewhere = Mast(mast.server, tmp_path / "again")
    replay = elsewhere.replay(mast.manifest(job.id))
    assert replay.is_same
    (file,) = replay.job.files
    assert file.path.relative_to(elsewhere.download_dir) == job.files[0].path.relative_to(
        mast.download_dir
    )


def test_a_new_version_that_was_broken_off_goes_on_beside_the_old(kept, own_archive):
    mast, uri = kept
    own_archive.fail(Fault("status", match=uri, status=404))
    job = mast.fetch_new_version(uri)
    assert job.state == "failed"
    assert mast.library.file(uri).versions["CAL_VER"] == "1.18.0"
    own_archive.clear_faults()
    assert mast.resume(job.id).files[0].path.parent.name == "1.19.0"


def test_a_version_is_told_by_the_size_where_nothing_else_tells(kept, own_archive):
    mast, uri = kept
    for row in own_archive.products:
        if row["dataURI"] == uri:
            row["prvversion"] = "1.18.0"
    (update,) = mast.refresh_metadata().updates
    assert update.new.endswith("bytes")
    (file,) = mast.fetch_new_version(uri).files
    assert file.state == "complete"
    assert file.path.parent.name.startswith("1.18.0-2")


def test_no_version_leaves_the_folder(kept, own_archive):
    mast, uri = kept
    for row in own_archive.products:
        if row["dataURI"] == uri:
            row["prvversion"] = "../../../x"
    (file,) = mast.fetch_new_version(uri).files
    assert file.path.resolve().is_relative_to(mast.download_dir.resolve() / "JWST" / F187N)


def test_only_files_of_the_library_have_new_versions(mast):
    with pytest.raises(InvalidInput, match="uri"):
        mast.fetch_new_version("mast:JWST/product/none.fits")


def test_what_became_public_is_told(own_archive, tmp_path):
    mast = Mast(own_archive.url, tmp_path)
    job = mast.fetch(EXCLUSIVE)
    assert job.state == "failed"  # nobody's token
    assert look_for_updates(mast) == []
    own_archive.release(EXCLUSIVE)
    updates = look_for_updates(mast)
    assert {update.kind for update in updates} == {"public"}
    assert {update.uri for update in updates} == {file.uri for file in job.files}
    assert "is public now." in updates[0].sentence
    assert open_updates(mast) == updates
    mast.resume(job.id)
    mast.refresh_metadata()
    assert not open_updates(mast)


def test_looking_changes_no_row(kept):
    mast, uri = kept
    before = mast.library.file(uri)
    (update,) = look_for_updates(mast)
    assert update.uri == uri
    after = mast.library.file(uri)
    assert (after.product, after.observation) == (before.product, before.observation)
    assert [u.uri for u in kept_updates(mast.download_dir)] == [uri]


def test_who_has_looked_today_need_not(kept):
    mast, _ = kept
    path = mast.download_dir / ".jdaviz-mast" / "updates.json"
    assert is_due(mast.download_dir)
    look_for_updates(mast)
    assert not is_due(mast.download_dir)
    content = json.loads(path.read_text())
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1, minutes=1)
    path.write_text(json.dumps(content | {"asked": yesterday.isoformat()}))
    assert is_due(mast.download_dir)
    for broken in ("", "[]", "{}", '{"format": 1, "asked": 7, "updates": [{"x": 1}]}'):
        path.write_text(broken)
        assert is_due(mast.download_dir)
        assert kept_updates(mast.download_dir) == []


def test_a_refresh_of_one_keeps_what_is_known_of_others(kept, own_archive):
    mast, uri = kept
    mast.refresh_metadata()
    mast.fetch(TESS)
    mast.refresh_metadata(TESS)
    assert [update.uri for update in open_updates(mast)] == [uri]
