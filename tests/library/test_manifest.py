"""The manifest: what an import was, in forms that others read."""

import hashlib
import io
import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import astropy.units as u
import jsonschema
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.time import Time

from jdaviz_mast import Mast
from jdaviz_mast.archive import META, Query, plain_arguments, queries_of, set_token
from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import FileProblem, InvalidInput
from jdaviz_mast.library import FORMATS, Manifest, schema

HST = "ib5741010"
MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"
EXCLUSIVE = "jw07777-o001_t001_nircam_clear-f200w"
LIGHT_CURVE = "tess2018206045859-s0001-0000000261136679-0120-s"
TOKEN = "a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6"
ALL_FORMATS = tuple(dict.fromkeys(FORMATS.values()))


@pytest.fixture
def manifest(mast):
    """Of an import of what a search found."""
    job = mast.fetch(mast.search("NGC 3132", radius=6 * u.arcmin, mission="HST"))
    return mast.manifest(job.id)


# -- what was asked ---------------------------------------------------------------------------

ASKED = [
    {"target": "NGC 3132", "radius": 6 * u.arcmin, "mission": ["JWST", "HST"]},
    {"coordinates": SkyCoord(151.757, -40.436, unit="deg"), "radius": 0.1 * u.deg},
    {"coordinates": (151.757, np.float64(-40.436)), "all_levels": np.True_},
    {"instrument": "NIRCAM", "wavelength": (1 * u.um, None), "date": (None, Time(59000.1234567,
                                                                              format="mjd"))},
    {"author": "SPOC", "exposure_time": (100, 2 * u.min), "date": ["2018", "2019-02"]},
    {"program_id": np.array([2733, 1492]), "wavelength": [0.5, 2] * u.keV},
    {"keywords": {"exp_type": ["NRC_IMAGE", "NRS_IFU"], "duration": ">100"}},
]  # fmt: skip


@pytest.mark.parametrize("given", ASKED, ids=[" ".join(given) for given in ASKED])
def test_what_was_asked_survives_json_and_asks_the_same_again(given):
    plain = json.loads(json.dumps(plain_arguments(given)))
    asked, again = Query.create(**given), Query.create(**plain)
    assert again.criteria() == asked.criteria()
    assert again.targets == asked.targets
    assert again.radius == asked.radius
    assert again.keywords == asked.keywords
    if asked.coordinates is not None:
        assert again.coordinates.separation(asked.coordinates) < 1e-9 * u.arcsec


def test_tables_tell_the_search_that_they_came_from(mast):
    observations = mast.search("NGC 3132", radius="6 arcmin", mission="HST")
    asked = {"target": "NGC 3132", "radius": "6 arcmin", "mission": "HST"}
    assert observations.meta[META]["query"] == asked
    for table in (observations[:1], mast.products(observations), mast.products(observations[0])):
        (query,) = queries_of(table)
        assert query["arguments"] == asked
        assert query["places"][0]["resolver"] == "SIMBAD"
    region = "CIRCLE ICRS 151.757 -40.436 0.02"
    assert queries_of(mast.search_region(region))[0]["arguments"] == {"region": region}
    corners = SkyCoord([151.7, 151.8, 151.8], [-40.4, -40.4, -40.5], unit="deg")
    found = mast.search_region(corners, mission="JWST")
    arguments = dict(queries_of(found)[0]["arguments"])
    again = mast.search_region(arguments.pop("region"), **arguments)
    assert list(again["obs_id"]) == list(found["obs_id"])


def test_products_of_several_searches_remember_them_all(mast):
    from jdaviz_mast.archive import join_products

    one = mast.products(mast.search(observation_id=HST))
    other = mast.products(MOSAIC)
    job = mast.fetch(join_products([one[:1], one[1:], other[:0]]))
    asked = [query["arguments"] for query in mast.manifest(job.id).queries]
    assert asked == [{"observation_id": HST}, {"observation_id": MOSAIC, "all_levels": True}]


# -- what is in it ----------------------------------------------------------------------------


def test_manifest_is_written_beside_the_files_and_says_what_they_are(mast, manifest, tmp_path):
    kept = tmp_path / ".jdaviz-mast" / "manifests" / f"{manifest.job_id}.json"
    assert Manifest.read(kept) == manifest
    content = manifest.content
    assert content["server"] == mast.server
    assert content["job"]["state"] == "complete"
    assert set(content["software"]) >= {"jdaviz-mast", "jdaviz", "astroquery", "python"}
    assert content["queries"][0]["arguments"]["target"] == "NGC 3132"
    assert content["queries"][0]["places"][0]["ra_deg"] == pytest.approx(151.757, abs=0.01)
    assert manifest.failures == {}
    assert len(manifest.files) == 4
    for file in manifest.files:
        path = tmp_path / file["path"]
        assert path.stat().st_size == file["size"]
        printed = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True)
        assert printed.stdout.split()[0] == file["sha256"]
        assert (file["source"], file["rights"], file["kind"]) == ("http", "PUBLIC", "image")
        assert abs(Time(file["fetched"].rstrip("Z")) - Time.now()) < 10 * u.min
        about = manifest.about(file)
        assert about["product"]["dataURI"] == file["uri"]
        assert about["observation"]["obs_id"] == file["obs_id"]


def test_manifest_follows_its_published_schema(mast, manifest):
    jsonschema.Draft202012Validator.check_schema(schema())
    checker = jsonschema.Draft202012Validator(
        schema(), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    checker.validate(json.loads(manifest.to_text("json")))
    failed = mast.fetch(EXCLUSIVE)
    checker.validate(json.loads(mast.manifest(failed.id).to_text("json")))
    # Everything that is in it is described.
    assert set(manifest.content) <= set(schema()["properties"])


def test_failures_are_in_it_with_their_reasons(mast, archive):
    archive.fail(Fault("status", status=404, match=f"{HST}_drz"))
    job = mast.fetch(HST)
    found = mast.manifest(job.id)
    assert found.content["job"]["state"] == "partial"
    ((uri, reason),) = found.failures.items()
    assert uri.endswith(f"{HST}_drz.fits")
    assert "404" in reason
    archive.clear_faults()
    mast.resume(job.id)
    assert mast.manifest(job.id).failures == {}
    assert mast.manifest(job.id).content["job"]["state"] == "complete"


def test_an_import_that_could_not_start_has_a_manifest_with_its_error(mast, archive, tmp_path):
    archive.fail(Fault("status", route="invoke", status=500))
    with pytest.raises(Exception, match="HTTP 500"):
        mast.fetch(HST)
    found = mast.manifest()
    assert found.content["job"]["state"] == "failed"
    assert "HTTP 500" in found.content["job"]["error"]
    assert found.files == []
    for format in ALL_FORMATS:
        assert found.to_text(format)


def test_dois_are_those_that_mast_gave_to_collections(mast):
    found = mast.manifest(mast.fetch(LIGHT_CURVE).id)
    assert found.content["dois"] == ["10.17909/t9-nmc8-f686"]
    assert "https://doi.org/10.17909/t9-nmc8-f686" in found.to_text("html")
    assert mast.manifest(mast.fetch(HST).id).content["dois"] == []


def test_manifest_stays_when_its_import_is_removed_from_the_list(mast, manifest):
    mast.remove(manifest.job_id)
    assert mast.manifest(manifest.job_id) == manifest
    with pytest.raises(InvalidInput, match="there are no imports"):
        mast.manifest()
    with pytest.raises(InvalidInput, match="job_id"):
        mast.manifest("0" * 12)
    with pytest.raises(InvalidInput, match="job_id"):
        mast.manifest("../../../etc/passwd")


def test_rows_that_the_library_has_refreshed_are_shown_by_the_manifest(mast, manifest):
    file = manifest.files[0]
    about = manifest.about(file)
    mast.library.update(file["uri"], observation=about["observation"] | {"proposal_pi": "Noll, K."})
    again = mast.manifest(manifest.job_id)
    assert again.about(again.files[0])["observation"]["proposal_pi"] == "Noll, K."
    assert again.files[0]["sha256"] == file["sha256"]


# -- forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("format", "reader"), [("ecsv", "ascii.ecsv"), ("csv", "ascii.csv"),
                                                ("votable", "votable")])  # fmt: skip
def test_tables_are_read_back_by_astropy(mast, archive, tmp_path, format, reader):
    archive.fail(Fault("status", status=404, match=f"{HST}_drz"))
    found = mast.manifest(mast.fetch(mast.search("NGC 3132", mission="HST")).id)
    path = found.write(tmp_path / "table", format)
    read, table = Table.read(path, format=reader), found.table
    assert read.colnames == table.colnames
    for name in table.colnames:
        ours, theirs = table[name], read[name]
        gone = np.ma.getmaskarray(np.ma.asarray(ours))
        if format == "votable" and ours.dtype.kind == "U":  # it has no text that is missing
            assert list(ours.filled("")) == list(theirs.astype(str)), name
            continue
        if format == "csv" and gone.all():
            continue  # a column of nothing is read as whatever
        assert (np.ma.getmaskarray(np.ma.asarray(theirs)) == gone).all(), name
        there = ~gone
        assert list(ours[there].astype(str)) == list(theirs[there].astype(str)), name
        if format != "csv":
            assert str(ours.unit) == str(theirs.unit)
            assert ours.description == theirs.description
    if format == "ecsv":
        assert read.meta["queries"] == found.queries
    assert table["size"].unit == u.byte


def test_the_suffix_of_a_file_says_the_format(manifest, tmp_path):
    for suffix, format in FORMATS.items():
        path = manifest.write(tmp_path / f"m{suffix}")
        if format not in ("votable",):
            assert path.read_text("utf-8") == manifest.to_text(format)
    assert Manifest.read(tmp_path / "m.json") == manifest
    assert Manifest.read(manifest.content) == manifest
    with pytest.raises(InvalidInput, match=r"\.json"):
        manifest.write(tmp_path / "m.docx")
    with pytest.raises(InvalidInput, match="choose from json"):
        manifest.to_text("yaml")
    with pytest.raises(FileProblem, match="cannot be written"):
        manifest.write(tmp_path / "nowhere" / "m.json")


class Elements(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for name, value in attributes:
            assert not name.startswith("on"), name
            if name in ("href", "src"):
                self.links.append(value)

    def handle_data(self, data):
        self.text.append(data)


EVIL = '<script>alert("1")</script><img src=x onerror=alert(2)>\'"&\x00\x1b]0;'


def test_text_of_the_archive_is_nothing_but_text_on_the_page(mast, manifest):
    content = json.loads(manifest.to_text())
    content["job"]["title"] = content["job"]["notes"] = EVIL
    content["job"]["notes"] = [EVIL]
    content["job"]["error"] = content["server"] = EVIL
    content["queries"][0]["arguments"] = {EVIL: EVIL, "keywords": {EVIL: [EVIL]}}
    content["queries"][0]["places"][0] |= {"target": EVIL, "resolver": EVIL}
    content["software"][EVIL] = EVIL
    content["layers"] = [{"label": EVIL, "uri": EVIL}]
    for file in content["files"]:
        for name in ("uri", "path", "note", "obs_id", "obsid", "error", "rights", "kind"):
            file[name] = EVIL
        file["versions"] = {EVIL: EVIL}
        file["state"] = "failed"
        file["fetched"] = "javascript:alert(1)<b>"
        file["product"] = dict.fromkeys(("dataURI", "obs_id", "productFilename"), EVIL)
    found = Manifest(content)
    page = Elements(found.to_text("html"))
    allowed = {"html", "head", "meta", "title", "style", "body", "div", "h1", "h2", "p", "dl", "dt",
               "dd", "code", "br", "span", "table", "thead", "tbody", "tr", "th", "td", "a", "ol",
               "li"}  # fmt: skip
    assert set(page.tags) <= allowed
    assert all(link.startswith("https://") for link in page.links)
    assert any("<script>" in text for text in page.text)  # there, as text
    assert "default-src 'none'" in found.to_text("html")
    assert set(Elements(found._repr_html_()).tags) <= allowed
    # The lines of the cell hold it as literals.
    compile(found.to_text("cell"), "cell", "exec")
    for line in found.to_text("cell").splitlines():
        assert not line.startswith("<script>")
    for format in ("ecsv", "csv", "votable"):
        Table.read(io.BytesIO(found.to_text(format).encode()),
                   format={"votable": "votable"}.get(format, f"ascii.{format}"))  # fmt: skip


# -- what is not in it ------------------------------------------------------------------------


def test_no_form_holds_the_token_or_a_folder_of_this_machine(archive, tmp_path, monkeypatch):
    archive.tokens[TOKEN] = "Somebody"
    monkeypatch.setenv("MAST_API_TOKEN", TOKEN)
    folder = tmp_path / "downloads of mine"
    mast = Mast(archive.url, folder)
    job = mast.fetch(EXCLUSIVE)
    assert job.state == "complete"
    # Whatever an error may quote is taken out of it.
    (folder / "HST" / HST).mkdir(parents=True)
    (folder / "HST" / HST / f"{HST}_drz.fits").mkdir()
    other = mast.fetch(HST)
    assert str(folder) in other.files[0].error
    for found in (mast.manifest(job.id), mast.manifest(other.id)):
        for format in ALL_FORMATS:
            text = found.to_text(format)
            assert TOKEN not in text
            assert str(tmp_path) not in text
            assert str(Path.home()) not in text
    assert "the download folder" in mast.manifest(other.id).files[0]["error"]
    for path in (folder / ".jdaviz-mast").rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


def test_a_password_in_the_servers_address_is_not_in_it(archive, tmp_path):
    mast = Mast(archive.url.replace("://", "://me:secret-word@"), tmp_path)
    set_token(TOKEN)
    found = mast.manifest(mast.fetch(HST).id)
    assert found.server == archive.url
    assert "secret-word" not in "".join(found.to_text(format) for format in ALL_FORMATS)


# -- from anybody -----------------------------------------------------------------------------


def test_what_is_no_manifest_is_refused_in_a_sentence(manifest, tmp_path):
    path = tmp_path / "it.json"
    for text in ("", "{", "[]", "{}", '{"format": "jdaviz-mast manifest"}', "[" * 100_000, "NaN"):
        path.write_text(text)
        with pytest.raises(InvalidInput) as caught:
            Manifest.read(path)
        assert len(str(caught.value)) < 500
    with pytest.raises(FileProblem, match="cannot be read"):
        Manifest.read(tmp_path / "none.json")
    with pytest.raises(InvalidInput, match="give a Manifest"):
        Manifest.read(3)


@pytest.mark.parametrize(("place", "value"), [
    (["version"], 2), (["job", "id"], "../../x"), (["files", 0, "sha256"], "abc"),
    (["files", 0, "product", "calib_level"], "3"), (["files", 0, "observation"], 99),
    (["files", 0, "uri"], 5), (["files", 0, "size"], -1), (["files", 0, "hook"], "x"),
    (["shown_with"], {"extensions": []}), (["shown_with"], {"command": "rm"}),
    (["observations", 0, "s_ra"], "here"), (["dois"], ["javascript:alert(1)"]),
])  # fmt: skip
def test_each_place_is_held_to_the_schema(manifest, place, value):
    content = json.loads(manifest.to_text())
    target = content
    for name in place[:-1]:
        target = target[name]
    target[place[-1]] = value
    with pytest.raises(InvalidInput, match="manifest"):
        Manifest(content)


def test_seeded_damage_never_raises_anything_else(manifest):
    rng = np.random.default_rng(5)
    text = manifest.to_text()
    for _ in range(200):
        start, length = rng.integers(len(text)), rng.integers(1, 40)
        damaged = text[:start] + text[start + length :]
        try:
            Manifest(json.loads(damaged))
        except (InvalidInput, json.JSONDecodeError):
            continue


def test_checksums_are_of_the_content(manifest, tmp_path):
    for file in manifest.files:
        content = (tmp_path / file["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
    assert re.fullmatch(r"[0-9a-f]{64}", manifest.files[0]["sha256"])
