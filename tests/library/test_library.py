"""The library: what it knows, that it agrees with the disk, and that it is made again."""

import json
import os
import random
import shutil
import subprocess
from types import SimpleNamespace

import pytest
from astropy.table import Table
from astropy.time import Time

from jdaviz_mast import Mast
from jdaviz_mast.errors import FileProblem, InvalidInput
from jdaviz_mast.library import Library
from jdaviz_mast.library.headers import header_versions
from jdaviz_mast.library.trails import Trail

MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"
HST = "ib5741010"


@pytest.fixture(scope="module")
def fetched(_running_archive, tmp_path_factory):
    """A folder with the mosaic's and an HST image's files, and the jobs that fetched them."""
    archive = _running_archive[0]
    folder = tmp_path_factory.mktemp("fetched")
    mast = Mast(archive.url, folder)
    jobs = [mast.fetch(MOSAIC), mast.fetch(HST)]
    return SimpleNamespace(folder=folder, jobs=jobs)


@pytest.fixture
def mast(archive, fetched, tmp_path):
    """The front door, on a folder of its own with what was fetched."""
    shutil.copytree(fetched.folder, tmp_path / "data")
    return Mast(archive.url, tmp_path / "data")


@pytest.fixture
def library(mast):
    return mast.library


@pytest.fixture
def plain(tmp_path):
    """An empty download folder that files are put into by `put`."""
    return tmp_path / "plain"


def put(folder, *names, content=b"{}", obs_id="jw00001-o001_t001_niriss"):
    """Put files where products belong; return their paths."""
    paths = [folder / "JWST" / obs_id / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return paths


def trail(uri, **columns):
    """A trail as a fetch from the archive leaves it."""
    return Trail(uri, source="http", server="http://archive", job_id="0123456789ab",
                 product={"dataURI": uri, **columns},
                 observation={"target_name": "NGC-3132", "filters": "F090W"})  # fmt: skip


def sha256sum(path):
    """What the command says."""
    return subprocess.check_output(["sha256sum", path], text=True).split()[0].lstrip("\\")


def database(library):
    return library.folder / ".jdaviz-mast" / "library.sqlite"


def about(files):
    """All that is known of files, comparable."""
    return {file.path: file for file in files}


# -- what it knows ---------------------------------------------------------------------------


def test_what_was_fetched_is_known_with_its_origin(library, fetched, archive):
    mosaic = fetched.jobs[0]
    files = {file.uri: file for file in library.files()}
    assert set(files) == {file.uri for job in fetched.jobs for file in job.files}
    uri = f"mast:JWST/product/{MOSAIC}_i2d.fits"
    file = files[uri]
    assert file.path == library.folder / "JWST" / MOSAIC / f"{MOSAIC}_i2d.fits"
    assert (file.source, file.server, file.job_id) == ("http", archive.url, mosaic.id)
    assert file.size == file.path.stat().st_size
    assert file.product["dataURI"] == uri
    assert file.observation["target_name"] == "NGC-3132"
    assert file.versions["CAL_VER"] == header_versions(file.path)["CAL_VER"]
    assert file.versions["PRVVERSION"] == file.product["prvversion"]
    assert isinstance(file.fetched, Time)
    assert 0 <= (file.fetched - mosaic.created).sec < 60
    assert not file.changed
    assert file.gone is None


def test_checksums_agree_with_sha256sum(library):
    files = library.files()
    assert len(files) >= 4
    assert {f.name: f.sha256 for f in files} == {f.name: sha256sum(f.path) for f in files}


def test_the_end_of_a_fetch_has_them_all_with_checksums(archive, tmp_path):
    mast = Mast(archive.url, tmp_path)
    job = mast.fetch(HST)
    assert job.settled.is_set()
    # Read by another hand, before anything synchronizes.
    kept = Library(tmp_path).files()
    assert {f.uri for f in kept} == {f.uri for f in job.files}
    assert all(f.sha256 == sha256sum(f.path) for f in kept)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("f090w", True), ("NGC-3132 nircam", True), ("2733 F090W", True), ("i2d", True),
        ("Pontoppidan", True), ("f090w f187n", False), ("ib5741", False), ("%", False),
        ("_", True), ("'", False),
    ],
)  # fmt: skip
def test_every_word_has_to_occur(library, text, found):
    names = {file.name for file in library.files(text)}
    assert (f"{MOSAIC}_i2d.fits" in names) is found
    count, size = library.totals(text)
    assert (count, size) == (len(names), sum(f.size for f in library.files(text)))


def test_pages_together_are_all(library):
    every = [file.path for file in library.files()]
    pages = [library.files(limit=2, offset=start) for start in range(0, len(every) + 2, 2)]
    assert [file.path for page in pages for file in page] == every
    dates = [file.fetched_at for file in library.files()]
    assert dates == sorted(dates, reverse=True)


def test_a_file_is_found_by_uri_path_and_name(library):
    file = library.files("f090w i2d")[0]
    for name in (file.uri, file.path, str(file.path), file.name):
        assert library.file(name) == file
    assert library.file("nothing.fits") is None
    assert library.file("") is None


# -- in agreement with the disk --------------------------------------------------------------


def test_nothing_changes_where_nothing_has_changed(library):
    before, size = about(library.files()), database(library).read_bytes()
    library.synchronize()
    assert about(library.files()) == before
    assert database(library).read_bytes() == size


def test_a_changed_file_gets_a_new_checksum_and_is_told(library):
    file = library.files("f090w i2d")[0]
    data = bytearray(file.path.read_bytes())
    data[-1] ^= 1
    file.path.write_bytes(data)
    library.synchronize()
    assert library.file(file.uri).sha256 is None
    library.add_checksums()
    now = library.file(file.uri)
    assert now.sha256 == sha256sum(file.path) != file.sha256
    assert now.changed
    assert (now.fetched_at, now.job_id) == (file.fetched_at, file.job_id)


def test_a_file_that_was_only_touched_is_not_changed(library):
    file = library.files("f090w i2d")[0]
    os.utime(file.path)
    library.synchronize()
    library.add_checksums()
    assert library.file(file.uri) == file


def test_one_that_is_gone_keeps_its_trail_and_comes_back(library):
    file = library.files("f090w i2d")[0]
    hidden = file.path.rename(library.folder / "elsewhere")
    library.synchronize()
    assert library.file(file.uri) is None
    assert file.path not in about(library.files())
    gone = library.file(file.uri, gone=True)
    assert gone.gone is not None
    assert gone.observation == file.observation
    hidden.rename(file.path)
    library.synchronize()
    assert library.file(file.uri) == file


def test_of_an_unknown_file_that_is_gone_nothing_is_kept(plain):
    (path,) = put(plain, "own.fits")
    library = Library(plain)
    library.synchronize()
    assert [(f.uri, f.source, f.product) for f in library.files()] == [("own.fits", "disk", {})]
    path.unlink()
    library.synchronize()
    assert library.files(gone=True) == []


def test_what_is_no_whole_product_never_gets_in(plain, tmp_path):
    put(plain, "a_i2d.fits", ".a_cal.fits.part", ".a_cal.fits.part.journal", "a_i2d.fits.aside1",
        ".hidden.fits")  # fmt: skip
    put(plain, "b.fits", obs_id=".hidden")
    (plain / "JWST" / "folder.fits").mkdir()
    (plain / "thesis").mkdir()
    (plain / "thesis" / "draft.fits").write_bytes(b"mine")
    (plain / "thesis" / "figures").mkdir()
    (plain / "thesis" / "figures" / "one.fits").write_bytes(b"mine")
    library = Library(plain)
    library.synchronize()
    assert [file.name for file in library.files()] == ["a_i2d.fits"]


def test_links_are_not_followed(plain, tmp_path):
    outside = tmp_path / "outside"
    (secret,) = put(outside, "secret.fits", content=b"secret")
    (inside,) = put(plain, "a.fits")
    (inside.parent / "link.fits").symlink_to(secret)
    (plain / "JWST" / "linked").symlink_to(secret.parent)
    (plain / "HST").symlink_to(outside / "JWST")
    library = Library(plain)
    library.synchronize()
    assert [file.name for file in library.files()] == ["a.fits"]
    # And not afterwards, when the way to a known file leads out.
    library.add_checksums()
    moved = inside.parent.rename(tmp_path / "moved")
    inside.parent.symlink_to(moved)
    with pytest.raises(FileProblem, match="link"):
        library.remove("a.fits")
    assert (moved / "a.fits").exists()
    library.synchronize()
    assert library.files() == []


@pytest.mark.parametrize("path", ["../outside.fits", "JWST/../../outside.fits", "/etc/passwd"])
def test_a_path_that_leads_out_is_neither_entered_nor_removed(plain, tmp_path, path):
    outside = tmp_path / "outside.fits"
    outside.write_bytes(b"mine")
    put(plain, "a.fits")
    library = Library(plain)
    library.enter({path: trail("mast:X/outside.fits")})
    assert [file.name for file in library.files(gone=True)] == ["a.fits"]
    # Somebody has written it into the database.
    with library._database.writing() as db:
        db.execute("UPDATE files SET path = ?, uri = 'mast:X/outside.fits'", (path,))
    with pytest.raises(FileProblem, match="not safe"):
        library.remove("mast:X/outside.fits")
    assert outside.exists()
    library.add_checksums()
    assert library.file("mast:X/outside.fits").sha256 is None


def test_removing_deletes_file_row_and_empty_folders(library):
    files = library.files("f090w")
    for file in files:
        library.remove(file.uri)
    assert not any(file.path.exists() for file in files)
    assert not files[0].path.parent.exists()
    assert library.files("f090w", gone=True) == []
    assert library.files(HST)
    with pytest.raises(InvalidInput, match="uri"):
        library.remove(files[0].uri)


def test_an_update_is_kept_and_searched_and_leaves_the_versions(library):
    file = library.files("f090w i2d")[0]
    library.update(file.uri, observation=file.observation | {"obs_title": "A new title"},
                   product=file.product | {"prvversion": "99"})  # fmt: skip
    now = library.files("new title")
    assert [f.uri for f in now] == [file.uri]
    assert now[0].product["prvversion"] == "99"
    assert now[0].versions == file.versions
    assert now[0].sha256 == file.sha256
    # Others of the same observation are updated one by one.
    assert all(f.observation["obs_title"] != "A new title"
               for f in library.files("f090w") if f.uri != file.uri)  # fmt: skip
    with pytest.raises(InvalidInput, match="uri"):
        library.update("mast:X/nothing", product={})


def test_an_update_of_many_is_all_or_nothing(library):
    first, second = [file.uri for file in library.files()][:2]
    with pytest.raises(InvalidInput):
        library.update_all({first: {"product": {"a": 1}}, "mast:X/none": {"product": {}}})
    assert "a" not in library.file(first).product
    library.update_all({uri: {"product": {"a": 1}} for uri in (first, second)})
    assert library.file(second).product == {"a": 1}


def test_a_file_fetched_again_has_the_new_trail(plain):
    put(plain, "a.fits", content=b"old")
    library = Library(plain)
    uri, path = "mast:JWST/product/a.fits", "JWST/jw00001-o001_t001_niriss/a.fits"
    library.enter({path: trail(uri, prvversion="1")})
    library.add_checksums()
    put(plain, "a.fits", content=b"new!")
    library.enter({path: Trail(uri, "s3", "http://archive", "ba9876543210",
                               product={"dataURI": uri, "prvversion": "2"})})  # fmt: skip
    library.add_checksums()
    (now,) = library.files()
    assert (now.job_id, now.source, now.versions) == ("ba9876543210", "s3", {"PRVVERSION": "2"})
    assert now.sha256 == sha256sum(now.path)
    assert not now.changed


def test_a_file_that_an_import_found_whole_keeps_its_first_trail(mast, fetched):
    before = about(mast.library.files())
    again = mast.fetch(HST)
    assert all(file.bytes_fetched == 0 for file in again.files)
    assert about(mast.library.files()) == before


def test_made_again_after_others_found_it_whole_it_has_its_first_trail(mast, fetched):
    before = {f.path: (f.job_id, f.source, f.uri) for f in mast.library.files()}
    mast.fetch(HST)
    mast.import_existing(HST)
    database(mast.library).unlink()
    assert {f.path: (f.job_id, f.source, f.uri) for f in mast.library.files()} == before


def test_import_of_what_is_on_disk_changes_nothing_that_is_known(mast):
    before = about(mast.library.files())
    mast.import_existing(HST)
    assert about(mast.library.files()) == before


# -- lost, damaged, older, newer -------------------------------------------------------------


def test_a_lost_library_is_made_again_from_the_records(library):
    before = library.files()
    database(library).unlink()
    # Without being told: whoever looks gets all.
    again = Library(library.folder).files()
    assert {f.path: f.sha256 for f in again} == dict.fromkeys((f.path for f in before), None)
    library.add_checksums()
    assert about(library.files()) == about(before)


def test_without_records_the_folders_and_headers_tell(library):
    mosaic = library.files("f090w i2d")[0]
    shutil.rmtree(library.folder / ".jdaviz-mast")
    again = Library(library.folder).files()
    assert len(again) >= 4
    found = next(f for f in again if f.path == mosaic.path)
    assert (found.uri, found.source, found.job_id) == (mosaic.name, "disk", "")
    headers = {name: v for name, v in mosaic.versions.items() if name != "PRVVERSION"}
    assert found.versions == headers


def manifest_of(files, library, job):
    """A manifest with what the library reads of one."""
    return {
        "server": files[0].server,
        "job": {"id": job, "created": "2026-01-01T00:00:00.000Z"},
        "queries": [{"arguments": {"target": "NGC 3132"}, "places": []}],
        "observations": [files[0].observation],
        "files": [
            {"uri": f.uri, "path": f.path.relative_to(library.folder).as_posix(),
             "state": "complete", "size": f.size, "sha256": f.sha256, "source": f.source,
             "fetched": f"{f.fetched_at}Z", "product": f.product, "observation": 0}
            for f in files
        ],
    }  # fmt: skip


def test_without_records_manifests_tell(library):
    files = library.files("f090w")
    folder = library.folder / ".jdaviz-mast"
    content = manifest_of(files, library, files[0].job_id)
    shutil.rmtree(folder)
    (folder / "manifests").mkdir(parents=True)
    (folder / "manifests" / f"{files[0].job_id}.json").write_text(json.dumps(content))
    for name, text in {"a": "", "b": "{", "c": "[]", "d": '{"job": {"created": "2026"}}'}.items():
        (folder / "manifests" / f"{name}.json").write_text(text)
    # One of them is another one since.
    data = bytearray(files[0].path.read_bytes())
    data[-1] ^= 1
    files[0].path.write_bytes(data)
    again = Library(library.folder)
    assert not any(f.changed for f in again.files())
    again.add_checksums()
    for file in files:
        now = again.file(file.uri)
        assert now.query == {"target": "NGC 3132"}
        assert (now.fetched_at, now.job_id, now.source, now.product) == (
            file.fetched_at, file.job_id, file.source, file.product)  # fmt: skip
        assert now.changed is (file is files[0])


@pytest.mark.parametrize("harm", ["noise", "cut", "empty", "middle", "tables", "link", "folder"])
def test_a_damaged_library_is_set_aside_and_made_again(library, harm, tmp_path):
    expected = {f.path: f.uri for f in library.files()}
    path = database(library)
    data = path.read_bytes()
    if harm == "noise":
        path.write_bytes(random.Random(1).randbytes(5000))
    elif harm == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif harm == "empty":
        path.write_bytes(b"")
    elif harm == "middle":
        page = 4096
        path.write_bytes(data[:page] + random.Random(2).randbytes(len(data) - page))
    elif harm == "tables":
        with library._database.writing() as db:
            db.execute("DROP TABLE files")
    elif harm == "link":
        path.rename(tmp_path / "somewhere")
        path.symlink_to(tmp_path / "somewhere")
    else:
        path.unlink()
        path.mkdir()
    for _ in range(2):
        again = Library(library.folder)
        assert {f.path: f.uri for f in again.files()} == expected
        again.add_checksums()
    aside = [p.name for p in path.parent.iterdir() if "damaged" in p.name]
    assert aside == ([] if harm == "empty" else ["library.sqlite.damaged1"])
    assert not list(path.parent.glob("*-journal"))


VERSION_1 = """
CREATE TABLE texts (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
CREATE TABLE files (
    path TEXT PRIMARY KEY, uri TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    sha256 TEXT, fetched TEXT NOT NULL, source TEXT NOT NULL, server TEXT NOT NULL,
    job_id TEXT NOT NULL, query INTEGER REFERENCES texts, product TEXT NOT NULL,
    observation INTEGER NOT NULL REFERENCES texts, versions TEXT NOT NULL, words TEXT NOT NULL
);
CREATE INDEX files_by_uri ON files (uri);
PRAGMA user_version = 1;
PRAGMA application_id = 1835103092;
"""


def test_an_older_library_is_migrated_with_all_that_it_knows(plain):
    import sqlite3

    (path,) = put(plain, "a.fits")
    (plain / ".jdaviz-mast").mkdir()
    old = sqlite3.connect(plain / ".jdaviz-mast" / "library.sqlite")
    old.executescript(VERSION_1)
    old.execute("INSERT INTO texts VALUES (7, ?)", (json.dumps({"target_name": "M 31"}),))
    old.execute(
        "INSERT INTO files VALUES (?, 'mast:X/a', 2, ?, ?, '2025-05-05T00:00:00.000', 's3', "
        "'http://old', '0123456789ab', NULL, '{\"dataURI\": \"mast:X/a\"}', 7, '{}', 'm 31')",
        (path.relative_to(plain).as_posix(), path.stat().st_mtime_ns, "ab" * 32),
    )
    old.commit()
    old.close()
    library = Library(plain)
    library.synchronize()
    (file,) = library.files("M 31")
    assert (file.path, file.uri, file.sha256, file.source) == (path, "mast:X/a", "ab" * 32, "s3")
    assert file.fetched_at == "2025-05-05T00:00:00.000"
    assert file.observation == {"target_name": "M 31"}
    path.unlink()
    library.synchronize()
    assert library.file("mast:X/a", gone=True).gone


def test_a_newer_library_is_not_touched_and_said_so(library, archive, caplog):
    import sqlite3

    later = sqlite3.connect(database(library))
    later.execute("PRAGMA user_version = 99")
    later.close()
    before = database(library).read_bytes()
    for use in (library.synchronize, library.files, lambda: library.remove(HST)):
        with pytest.raises(FileProblem, match="later version of jdaviz-mast .* update"):
            use()
    # And an import goes on without it.
    shutil.rmtree(library.folder / "HST")
    job = Mast(archive.url, library.folder).fetch(HST)
    assert job.state == "complete"
    assert "later version" in caplog.text
    assert "Traceback" not in caplog.text
    assert database(library).read_bytes() == before


def test_who_only_looks_makes_no_folder(tmp_path):
    library = Mast("http://127.0.0.1:9", tmp_path / "nothing").library
    assert library.files() == []
    assert library.totals() == (0, 0)
    assert library.file("x") is None
    assert list(library.verify()) == []
    assert not (tmp_path / "nothing").exists()


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path):
    folder = tmp_path / "data"
    put(folder, "a.fits")
    (folder / ".jdaviz-mast").write_text("a file in the folder's place")
    with pytest.raises(FileProblem, match="cannot be kept"):
        Library(folder).files()


# -- verify ----------------------------------------------------------------------------------


def test_verify_names_what_is_not_what_was_fetched(library):
    rotten, gone, new, edited = library.files()[:4]
    about_rotten = rotten.path.stat()
    data = bytearray(rotten.path.read_bytes())
    data[-1] ^= 1
    rotten.path.write_bytes(data)
    # The disk has done it: neither size nor time tell.
    os.utime(rotten.path, ns=(about_rotten.st_atime_ns, about_rotten.st_mtime_ns))
    gone.path.unlink()
    edited.path.write_bytes(edited.path.read_bytes() + b"x")
    with library._database.writing() as db:
        db.execute("UPDATE files SET sha256 = NULL WHERE uri = ?", (new.uri,))
    problems = {file.uri: problem for file, problem in library.verify()}
    assert len(problems) == len(library.files(gone=True))
    assert "differs" in problems[rotten.uri]
    assert "gone" in problems[gone.uri]
    assert "differs" in problems[edited.uri]
    assert problems[new.uri] == ""
    assert library.file(new.uri).sha256 == new.sha256
    assert sum(map(bool, problems.values())) == 3
    assert [bool(problem) for _, problem in library.verify([rotten.uri, new.uri])] == [True, False]
    with pytest.raises(InvalidInput, match="uri"):
        list(library.verify(["mast:X/none"]))


# -- headers ---------------------------------------------------------------------------------


def test_versions_are_those_that_astropy_reads(library):
    from astropy.io import fits

    names = ("CAL_VER", "CRDS_VER", "CRDS_CTX", "SDP_VER")
    looked_at = [f for f in library.files() if f.name.endswith(".fits")]
    for file in looked_at:
        header = fits.getheader(file.path)
        expected = {name: str(header[name]) for name in names if header.get(name)}
        assert header_versions(file.path) == expected
    assert any(header_versions(file.path) for file in looked_at)


def test_headers_that_are_none_have_no_versions(tmp_path):
    import gzip

    from astropy.io import fits

    whole = tmp_path / "a.fits"
    fits.PrimaryHDU(header=fits.Header([("CAL_VER", "3.4 (a)"), ("CRDS_CTX", "")])).writeto(whole)
    assert header_versions(whole) == {"CAL_VER": "3.4 (a)"}
    packed = tmp_path / "b.fits.gz"
    packed.write_bytes(gzip.compress(whole.read_bytes()))
    assert header_versions(packed) == {"CAL_VER": "3.4 (a)"}
    harms = {"empty": b"", "text": b"hello", "cut": whole.read_bytes()[:100],
             "gzip": packed.read_bytes()[:30], "noise": random.randbytes(9000)}  # fmt: skip
    for name, data in harms.items():
        harmed = tmp_path / f"{name}.fits"
        harmed.write_bytes(data)
        assert header_versions(harmed) == {}
    assert header_versions(tmp_path / "none.fits") == {}
    assert header_versions(tmp_path) == {}


# -- the records of old imports --------------------------------------------------------------


def test_a_file_is_whole_but_its_import_was_killed_before_it_could_say_so(archive, tmp_path):
    mast = Mast(archive.url, tmp_path)
    job = mast.fetch(HST)
    shutil.rmtree(tmp_path / ".jdaviz-mast" / "manifests", ignore_errors=True)
    database(SimpleNamespace(folder=tmp_path)).unlink()
    log = tmp_path / ".jdaviz-mast" / "jobs" / job.id / "log.jsonl"
    log.write_text('{"job": "running"}\n')
    kept = mast.library.files()
    assert {f.uri for f in kept} == {f.uri for f in job.files}
    assert {f.job_id for f in kept} == {job.id}
    assert all(f.observation for f in kept)


def test_products_without_mission_or_observation_are_found_again(archive, tmp_path):
    rows = [
        {"dataURI": "mast:T/a.json", "productFilename": "a.json", "size": 2},
        {"dataURI": "mast:T/b.json", "productFilename": "b.json", "obs_id": "o1", "size": 2},
    ]
    for row in rows:
        archive.add_bytes(row["dataURI"], b"{}")
    table = Table(rows=[{"obs_id": "", "obs_collection": ""} | row for row in rows])
    mast = Mast(archive.url, tmp_path)
    job = mast.fetch(table, source="http")
    assert job.state == "complete"
    expected = {tmp_path / "a.json", tmp_path / "o1" / "b.json"}
    assert {f.path for f in mast.library.files()} == expected
    database(mast.library).unlink()
    assert {f.path for f in mast.library.files()} == expected
