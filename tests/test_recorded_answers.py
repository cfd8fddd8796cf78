"""What the true MAST has answered, through queries, tables, kinds and metadata, without loss.

The recordings are those that come with astroquery, mast-table and, where they are beside the
project, the ones in ``../shared/real``. They are answered once more by a server on this machine.
"""

import csv
import importlib.util
import json
import threading
import urllib.parse
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import astropy.units as u
import jdaviz
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astroquery.exceptions import NoResultsWarning

from jdaviz_mast import Mast
from jdaviz_mast.archive import as_dict
from jdaviz_mast.products import Kind, kind_of, kind_of_observation
from jdaviz_mast.viewer.colours import choose_layers, one_image_each
from jdaviz_mast.viewer.labels import free_label
from jdaviz_mast.viewer.metadata import layer_metadata

OBSERVATIONS = ("caom.json", "advSearch.json", "advSearchPos.json")
PRODUCTS = "products.json"


def recorded(package, *parts):
    """Path of a recording in a package, which need not be imported for it."""
    found = importlib.util.find_spec(package)
    if found is None:
        pytest.skip(f"{package} is not installed: its recorded answers are not here")
    path = Path(found.submodule_search_locations[0]).joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"this {package} comes without {'/'.join(parts)}")
    return path


def of_astroquery(name):
    return recorded("astroquery", "mast", "tests", "data", name)


class Replay:
    """A server that answers each service with what the true one has answered once."""

    def __init__(self, answers):
        replay = self
        self.asked, self._answers = [], answers

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self._answer("resolver" if "Santa-war" in self.path else "columns")

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                if "columnsconfig" in self.path:
                    return self._answer("columns")
                request = json.loads(urllib.parse.parse_qs(body)["request"][0])
                return self._answer(request["service"])

            def _answer(self, service):
                replay.asked.append(service)
                content = replay._answers.get(service)
                self.send_response(404 if content is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content or b"")))
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def as_answer(rows):
    """Return rows of which only the data were recorded as an answer of MAST's."""
    words = {str: "string", int: "int", float: "float", bool: "boolean"}
    fields = []
    for name in rows[0]:
        types = {type(row[name]) for row in rows if row[name] is not None} or {str}
        kind = float if types == {int, float} else types.pop()
        fields.append({"name": name, "type": words[kind]})
    paging = {"page": 1, "pageSize": 50000, "pagesFiltered": 1, "rows": len(rows),
              "rowsFiltered": len(rows), "rowsTotal": len(rows)}  # fmt: skip
    return json.dumps(
        {"status": "COMPLETE", "msg": "", "data": rows, "fields": fields, "paging": paging}
    ).encode()


def replay_of(content):
    """The server, for whatever way of asking for observations."""
    services = ("Mast.Caom.Filtered", "Mast.Caom.Filtered.Position", "Mast.Caom.Cone")
    return Replay(
        dict.fromkeys(services, content) | {
            "Mast.Caom.Products": of_astroquery(PRODUCTS).read_bytes(),
            "columns": of_astroquery("columnsconfig.json").read_bytes(),
            "resolver": of_astroquery("resolver.json").read_bytes(),
        }
    )  # fmt: skip


def same(value, was):
    """Whether a table's value is the recorded one; MAST's empty text is a missing value."""
    if was is None or was == "":
        return value is None or value == ""
    if isinstance(was, (int, float)) and isinstance(value, (int, float)):
        return value == pytest.approx(was, rel=1e-15, abs=0)
    return str(value) == str(was)


def nothing_lost(table, rows):
    """Check that a table holds what was recorded, row by row and column by column."""
    assert len(table) == len(rows)
    for row, was in zip(table, rows, strict=True):
        values = as_dict(row)
        assert set(was) - {"_selected_"} <= set(values)
        for name in set(was) - {"_selected_"}:
            assert same(values[name], was[name]), name
        json.dumps(values, allow_nan=False)


@pytest.fixture(params=(*OBSERVATIONS, "program 2733"))
def observations(request):
    """The recorded rows, and the answer that they were."""
    if request.param in OBSERVATIONS:
        content = of_astroquery(request.param).read_bytes()
        return json.loads(content)["data"], content
    shared = request.getfixturevalue("shared")
    rows = json.loads((shared / "real" / "mast_observations_program_2733.json").read_bytes())
    return rows, as_answer(rows)


@pytest.fixture
def found(observations, tmp_path):
    """The rows, and the table that a search for them returns."""
    rows, content = observations
    with replay_of(content) as server:
        table = Mast(server.url, tmp_path).search(
            coordinates=SkyCoord(rows[0]["s_ra"] * u.deg, rows[0]["s_dec"] * u.deg),
            all_levels=True,
        )
        assert "Mast.Caom.Filtered.Position" in server.asked
    return rows, table


@pytest.fixture(scope="module")
def products(tmp_path_factory):
    rows = json.loads(of_astroquery(PRODUCTS).read_bytes())["data"]
    with replay_of(b"") as server:
        mast = Mast(server.url, tmp_path_factory.mktemp("downloads"))
        table = mast.products(
            Table({"obsid": [str(rows[0]["obsID"])]}), all_levels=True, product_type=None
        )
    return rows, table


def test_observations_become_a_table_without_loss(found):
    rows, table = found
    nothing_lost(table, rows)


def test_the_results_table_shows_sorts_and_filters_them(found):
    rows, table = found
    shown = jdaviz.Imviz().plugins["MAST Import"]._obj.observations
    shown.show(table)
    assert shown.total == shown.matching == len(rows)
    columns = [column["value"] for column in shown.columns]
    for name in columns:
        for descending in (False, True):
            shown.options = {
                "page": 1, "itemsPerPage": 100, "sortBy": [name], "sortDesc": [descending]
            }  # fmt: skip
            assert sorted(row["index"] for row in shown.rows) == list(range(len(rows)))
    json.dumps(shown.rows, allow_nan=False)
    texts = {row["index"]: row for row in shown.rows}
    for index, was in enumerate(rows):
        for name in ("target_name", "instrument_name", "filters", "obs_id"):
            assert texts[index][name] == (was[name] or "–")
    shown.filter_text = rows[-1]["obs_id"]
    assert {rows[row["index"]]["obs_id"] for row in shown.rows} == {rows[-1]["obs_id"]}


def test_observations_have_a_kind(found):
    for row in found[1]:
        kind = kind_of_observation(as_dict(row))
        assert isinstance(kind, Kind)
        assert kind.is_image is (row["dataproduct_type"] == "image")


def test_layers_carry_all_of_it(found, products):
    product = as_dict(products[1][0])
    for row, was in zip(found[1], found[0], strict=True):
        metadata = layer_metadata(as_dict(row), product)
        again = json.loads(json.dumps(metadata, allow_nan=False))
        assert again == metadata
        for name in set(was) - {"_selected_"}:
            assert same(again[f"mast_{name}"], was[name]), name
        assert set(products[0][0]) - {"_selected_"} <= {
            name.removeprefix("mast_product_") for name in again
        }
        assert again["targetName"] == (was["target_name"] or None)
        assert again["observationDate"]


def test_products_become_a_table_without_loss(products):
    rows, table = products
    nothing_lost(table, rows)


def test_products_have_the_kind_that_their_row_says(products):
    kinds = {str(row["productFilename"]): kind_of(as_dict(row)) for row in products[1]}
    science = {name: kind for name, kind in kinds.items() if "_c0m" in name or "_drz" in name}
    assert len(science) == 2
    assert all(kind.is_image and not kind.clutter for kind in science.values())
    for name in ("u9o40504j_jit.fits", "u9o40504m_trl.fits", "u9o40504m_shf.fits"):
        assert kinds[name].clutter
        assert not kinds[name].format
    for kind in kinds.values():
        assert bool(kind.why_not("imviz")) is not kind.opens_in("imviz")


def test_products_without_a_level_are_not_lost(products, tmp_path):
    """The recording is of a time when the list had no ``calib_level``."""
    rows, table = products
    assert "calib_level" not in table.colnames
    with replay_of(b"") as server:
        mast = Mast(server.url, tmp_path)
        science = mast.products(Table({"obsid": ["2003738726"]}))
    assert {str(name) for name in science["productFilename"]} == {
        row["productFilename"] for row in rows if row["productType"] == "SCIENCE"
    }
    assert one_image_each([as_dict(row) for row in table]) == []
    assert free_label({}, as_dict(table[0]), [])


def test_a_recorded_list_of_exposures_has_its_kinds(shared):
    with open(shared / "real" / "mast_products_jw02733-o002_t001_miri_f1130w_level2.csv") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 50
    for row in rows:
        row |= {"size": int(row["size"]), "calib_level": int(row["calib_level"])}
        kind = kind_of(row)
        suffix = row["productFilename"].rpartition("_")[2]
        if suffix in ("cal.fits", "crf.fits", "i2d.fits", "rate.fits"):
            assert kind.name == "image", row
        json.dumps(layer_metadata({}, row), allow_nan=False)


def test_recorded_filters_of_one_target_make_a_colour_picture(shared):
    """By the wavelengths of the true archive."""

    class Image:
        def __init__(self, row):
            product = {
                "obs_collection": "JWST", "dataproduct_type": "image", "calib_level": 3,
                "productType": "SCIENCE", "productFilename": f"{row['obs_id']}_i2d.fits",
            }  # fmt: skip
            self.meta = layer_metadata(row, product)
            self.main_components = ["SCI,1"]

    rows = json.loads((shared / "real" / "mast_observations_program_2733.json").read_bytes())
    layers = choose_layers({row["obs_id"]: Image(row) for row in rows})
    assert [layer.filter for layer in layers] == [
        "F1800W", "F1280W", "F1130W", "F770W", "F444W;F470N", "F444W;F405N", "F356W", "F212N",
        "F187N", "F090W",
    ]  # fmt: skip


def test_the_recorded_resolver_is_understood(tmp_path):
    rows = json.loads(of_astroquery("resolver.json").read_bytes())["resolvedCoordinate"]
    empty = json.loads(of_astroquery("advSearch.json").read_bytes()) | {"data": []}
    with (
        replay_of(json.dumps(empty).encode()) as server,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", NoResultsWarning)
        mast = Mast(server.url, tmp_path)
        assert len(mast.search("TIC 307210830")) == 0
        position = mast._archive.resolve("TIC 307210830").position
        assert "resolver" in server.asked
    nearest = min(position.separation(SkyCoord(r["ra"], r["decl"], unit="deg")) for r in rows)
    assert nearest < 1 * u.mas


def test_mission_tables_of_mast_table_lose_nothing():
    """Its recording is of MAST's mission search, with columns of other names."""
    path = recorded("mast_table", "tests", "data", "mm_jwst_M4.ecsv")
    table = Table.read(path, format="ascii.ecsv")
    assert len(table) > 1
    for row in table:
        values = as_dict(row)
        json.dumps(values, allow_nan=False)
        assert isinstance(kind_of_observation(values), Kind)
        metadata = layer_metadata(values, {})
        assert all(same(metadata[f"mast_{name}"], values[name]) for name in table.colnames)
        assert metadata["observationDate"] is None  # of MAST's columns of observations, none
    assert np.all([name.startswith("jw") for name in table["fileSetName"]])
    shown = jdaviz.Imviz().plugins["MAST Import"]._obj.observations
    shown.show(table)
    assert shown.total == len(table)
    json.dumps(shown.rows, allow_nan=False)
