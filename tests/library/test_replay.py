"""Replay: the same products again, each compared with the manifest."""

import json
import shutil

import pytest

from jdaviz_mast import Mast
from jdaviz_mast.demo import DemoArchive
from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.library import Manifest

HST = "ib5741010"
EXCLUSIVE = "jw07777-o001_t001_nircam_clear-f200w"
TOKEN = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"


@pytest.fixture
def kept(mast, tmp_path):
    """A manifest as a file, and the bytes of its files; the folder is gone."""
    job = mast.fetch(mast.search("NGC 3132", mission="HST"))
    path = mast.manifest(job.id).write(tmp_path.parent / f"{tmp_path.name}.json")
    content = {file.path.name: file.path.read_bytes() for file in job.files}
    shutil.rmtree(tmp_path)
    return path, content


def verdicts(replay):
    return {(file.path or file.uri).rsplit("/", 1)[-1]: file.verdict for file in replay.files}


def test_the_same_bytes_come_again(mast, archive, tmp_path, kept):
    path, content = kept
    replay = mast.replay(path)
    assert replay.is_same
    assert set(verdicts(replay).values()) == {"same"}
    assert {file.path.name: file.path.read_bytes() for file in replay.job.files} == content
    assert replay.notes == []
    again = mast.manifest(replay.job.id)
    assert again.queries == Manifest.read(path).queries
    assert again.title.endswith(", again")
    # Once more, from disk.
    before = len(archive.requests)
    assert mast.replay(path).is_same
    assert not any("Download" in r.path for r in archive.requests[before:])
    assert json.loads(json.dumps(replay.as_dict()))["same"] is True


def test_each_kind_of_difference_is_named(mast, archive, kept):
    archive.fail(Fault("changed", match="ib5741010_drz"))
    archive.fail(Fault("status", status=404, match="ib5741020_drc"))
    archive.fail(Fault("status", status=403, match="ib5741020_drz"))
    replay = mast.replay(kept[0])
    assert verdicts(replay) == {
        "ib5741010_drz.fits": "reprocessed",
        "ib5741010_drc.fits": "same",
        "ib5741020_drz.fits": "not permitted",
        "ib5741020_drc.fits": "gone",
    }
    assert not replay.is_same
    told = "\n".join(replay.in_words())
    assert "ib5741010_drz.fits: the archive has another file since" in told
    assert "ib5741010_drc.fits" not in told
    assert replay.summary.startswith("1 the same as in the manifest, 1 another file")
    changed = replay.files[0]
    assert changed.before["sha256"] != changed.now["sha256"]
    assert changed.before["size"] == changed.now["size"]


def test_reprocessed_files_are_told_with_their_versions_old_and_new(mast, archive, tmp_path):
    uri = "mast:JWST/product/jw02733-o001_replay_cat.ecsv"
    row = archive.add_bytes(
        uri, b"# %ECSV 1.0\n# ---\na\n1\n", productFilename="jw02733-o001_replay_cat.ecsv",
        obs_id="jw02733-o001_replay", prvversion="CALWEBB 1.18.0",
    )  # fmt: skip
    from astropy.table import Table

    found = mast.manifest(mast.fetch(Table([row])).id)
    assert found.files[0]["versions"] == {"PRVVERSION": "CALWEBB 1.18.0"}
    shutil.rmtree(tmp_path)
    archive._store.put(uri, b"# %ECSV 1.0\n# ---\na\n1\n2\n")
    (file,) = mast.replay(found).files
    assert file.verdict == "reprocessed"
    assert "bytes" in file.reason


def test_what_is_on_disk_and_another_file_is_told_and_left_alone(mast, archive, tmp_path, kept):
    path, content = kept
    replay = mast.replay(path)
    file = replay.job.files[0].path
    damaged = bytearray(file.read_bytes())
    damaged[-5000] ^= 0xFF
    file.write_bytes(damaged)
    replay = mast.replay(path)
    assert verdicts(replay)[file.name] == "different"
    assert "Move it away" in "\n".join(replay.in_words())
    assert file.read_bytes() == damaged
    file.unlink()
    assert mast.replay(path).is_same


def test_without_checksum_the_size_is_compared_and_that_is_said(mast, kept):
    content = Manifest.read(kept[0]).content
    for file in content["files"]:
        file["sha256"] = None
    replay = mast.replay(content)
    assert replay.is_same
    assert "no checksum" in replay.files[0].reason


def test_what_had_failed_then_is_left_out(mast, archive, tmp_path):
    archive.fail(Fault("status", status=404, match=f"{HST}_drz"))
    found = mast.manifest(mast.fetch(HST).id)
    archive.clear_faults()
    replay = mast.replay(found)
    assert verdicts(replay) == {f"{HST}_drc.fits": "same"}
    assert "1 of its files had not been fetched then" in replay.notes[0]
    for file in found.content["files"]:
        file["state"] = "failed"
    with pytest.raises(InvalidInput, match="nothing to do again"):
        mast.replay(found)


def test_a_replay_that_was_stopped_is_resumed_like_any_other_job(mast, archive, kept):
    archive.bandwidth = 1_000_000
    replay = mast.replay(kept[0], block=False)
    replay.job.cancel()
    archive.bandwidth = None
    replay.verify()
    assert set(verdicts(replay).values()) <= {"same", "failed"}
    assert mast.resume(replay.job.id).state == "complete"
    assert mast.replay(kept[0]).is_same


def test_exclusive_data_are_replayed_with_a_token_alone(archive, mast, tmp_path, monkeypatch):
    archive.tokens[TOKEN] = "Somebody"
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    found = mast.manifest(mast.fetch(EXCLUSIVE).id)
    shutil.rmtree(tmp_path)
    monkeypatch.delenv("MAST_API_TOKEN")
    assert {file.verdict for file in mast.replay(found).files} == {"not permitted"}
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    assert mast.replay(found).is_same


# -- a manifest may come from anybody ---------------------------------------------------------


def test_no_path_of_a_manifest_leaves_the_folder(mast, archive, tmp_path, kept):
    content = Manifest.read(kept[0]).content
    for number, file in enumerate(content["files"]):
        evil = ["../../astray", "/etc/astray", "a/../../astray", ".hidden"][number]
        file["path"] = f"{evil}/x"
        file["product"]["obs_collection"] = evil
    replay = mast.replay(content)
    assert {file.verdict for file in replay.files} == {"failed"}
    assert not list(tmp_path.parent.rglob("astray*"))
    assert not list(tmp_path.rglob("*.fits"))


def test_uris_go_to_the_download_service_of_the_configured_archive_alone(
    mast, archive, tmp_path, kept, monkeypatch
):
    content = Manifest.read(kept[0]).content
    archive.tokens[TOKEN] = "Somebody"
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    evil = [
        "http://127.0.0.1:9/x", "file:///etc/passwd", "mast:x&uri=mast:y#z?q=1", "//127.0.0.1:9",
    ]  # fmt: skip
    for uri, file in zip(evil, content["files"], strict=True):
        file["uri"], file["product"]["dataURI"] = uri, "mast:HST/product/ib5741010_drz.fits"
    content["server"] = "http://127.0.0.1:9"
    before = len(archive.requests)
    replay = mast.replay(content)
    assert {file.verdict for file in replay.files} == {"gone"}
    asked = [r for r in archive.requests[before:] if "Download" in r.path]
    assert {r.path for r in asked} == {"/api/v0.1/Download/file"}
    assert sorted(r.query["uri"][0] for r in asked) == sorted(evil)
    assert all(set(r.query) == {"uri"} for r in asked)
    assert "http://127.0.0.1:9" in replay.notes[0]


def test_another_archive_is_named(archive, tmp_path, kept):
    content = Manifest.read(kept[0]).content | {"server": "https://mast.stsci.edu"}
    replay = Mast(archive.url, tmp_path).replay(content)
    assert replay.is_same
    assert "https://mast.stsci.edu" in replay.notes[0]


def test_what_was_reprocessed_is_kept_as_what_it_is(tmp_path):
    """The manifest's row is of the version then: it tells nothing of the file that came now."""
    with DemoArchive() as own:
        name = "jw02733-o001_t001_nircam_clear-f187n_i2d.fits"
        uri = f"mast:JWST/product/{name}"
        first = Mast(own.url, tmp_path / "first")
        job = first.fetch(name.removesuffix("_i2d.fits"))
        manifest = first.manifest(job.id)
        own.reprocess(uri)
        again = Mast(own.url, tmp_path / "again")
        assert verdicts(again.replay(manifest))[name] == "reprocessed"
        file = again.library.file(uri)
        assert file.versions["CAL_VER"] == "1.19.0"
        assert "PRVVERSION" not in file.versions
        assert not again.refresh_metadata().updates
        assert again.library.file(uri).product["prvversion"] == "1.19.0"
        # Once more: what lies there came from the archive, after the manifest.
        assert verdicts(again.replay(manifest))[name] == "reprocessed"
