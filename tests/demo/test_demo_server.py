"""The server's own conduct: files and ranges, tokens, names, missions, the bucket, the log."""

import json
import socket
import time
from urllib.parse import urlsplit

import pytest
import requests
from demo_material import F1130W, SMALL

from jdaviz_mast.demo import DemoArchive


def download(archive, uri, method="get", **options):
    url = f"{archive.url}/api/v0.1/Download/file"
    return getattr(requests, method)(url, params={"uri": uri}, timeout=20, **options)


def exclusive(archive):
    rows = archive.products
    return next(r["dataURI"] for r in rows if r["dataRights"] == "EXCLUSIVE_ACCESS")


def test_head_tells_what_get_brings_and_makes_no_file(archive):
    head = download(archive, F1130W, "head")
    assert head.status_code == 200
    assert archive.stored(F1130W) is None
    assert head.headers["Content-Length"] == str(archive.product(F1130W)["size"])
    name = F1130W.split("/")[-1]
    assert head.headers["Content-Disposition"] == f"attachment; filename={name}"
    body = download(archive, F1130W)
    for key in ("Content-Length", "ETag", "Last-Modified", "Accept-Ranges", "Content-Type"):
        assert body.headers[key] == head.headers[key]
    assert body.content == archive.make(F1130W).read_bytes()


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=100-199", slice(100, 200)),
        ("bytes=159990-", slice(159990, 160000)),
        ("bytes=-5", slice(159995, 160000)),
        ("bytes=159990-999999", slice(159990, 160000)),
        ("bytes=-999999", slice(0, 160000)),
    ],
)
def test_range_brings_that_part(shared_archive, asked, part):
    whole = shared_archive.make(SMALL).read_bytes()
    assert len(whole) == 160000
    answer = download(shared_archive, SMALL, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == whole[part]
    expected = f"bytes {part.start}-{part.stop - 1}/160000"
    assert answer.headers["Content-Range"] == expected


@pytest.mark.parametrize("asked", ["bytes=160000-", "bytes=999999-1000000", "bytes=-0"])
def test_range_behind_the_end_is_416(shared_archive, asked):
    answer = download(shared_archive, SMALL, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == "bytes */160000"


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=-", "junk"])
def test_range_that_makes_no_sense_is_left_aside(shared_archive, asked):
    answer = download(shared_archive, SMALL, headers={"Range": asked})
    assert answer.status_code == 200
    assert len(answer.content) == 160000


def test_if_range_brings_the_part_only_of_the_same_file(shared_archive):
    head = download(shared_archive, SMALL, "head").headers
    for validator in (head["ETag"], head["Last-Modified"]):
        condition = {"Range": "bytes=0-9", "If-Range": validator}
        assert download(shared_archive, SMALL, headers=condition).status_code == 206
    condition = {"Range": "bytes=0-9", "If-Range": '"another"'}
    assert download(shared_archive, SMALL, headers=condition).status_code == 200


def test_unknown_file_is_404_and_a_missing_parameter_400(shared_archive):
    assert download(shared_archive, "mast:JWST/product/none.fits").status_code == 404
    url = f"{shared_archive.url}/api/v0.1/Download/file"
    assert requests.get(url, timeout=20).status_code == 400
    assert requests.get(f"{shared_archive.url}/nowhere", timeout=20).status_code == 404
    for body in ("request={", "nothing=1"):
        answer = requests.post(f"{shared_archive.url}/api/v0/invoke", data=body, timeout=20)
        assert answer.status_code == 400


def test_exclusive_files_need_a_token(archive):
    uri = exclusive(archive)
    (token,) = archive.tokens
    archive.add_bytes(uri, b"secret")
    assert download(archive, uri).status_code == 401
    assert download(archive, uri, "head").status_code == 401
    assert download(archive, uri, cookies={"mast_token": "wrong"}).status_code == 401
    assert download(archive, uri, cookies={"mast_token": token}).content == b"secret"
    for scheme in ("Bearer", "token"):
        header = {"Authorization": f"{scheme} {token}"}
        assert download(archive, uri, headers=header).content == b"secret"
    assert download(archive, SMALL).status_code == 200


def test_whoami_knows_the_token(archive):
    url = f"{archive.url}/whoami"
    assert requests.get(url, timeout=20).json()["anon"] is True
    archive.tokens["abc"] = "Ada Lovelace"
    answer = requests.get(url, cookies={"mast_token": "abc"}, timeout=20).json()
    assert answer["anon"] is False
    assert answer["attrib"]["display_name"] == "Ada Lovelace"


@pytest.mark.parametrize("name", ["NGC 3132", "ngc3132", "NGC-3132", "Southern ring nebula"])
def test_resolver_is_not_picky_about_names(shared_archive, name):
    url = f"{shared_archive.url}/Santa-war/query"
    answer = requests.get(url, params={"name": name, "resolveAll": "False"}, timeout=20).json()
    (found,) = answer["resolvedCoordinate"]
    assert found["searchString"] == name.lower()
    assert (found["ra"], found["decl"]) == (151.75725, -40.436406)


def test_every_target_of_an_observation_resolves(shared_archive):
    url = f"{shared_archive.url}/Santa-war/query"
    names = {row["target_name"] for row in shared_archive.observations}
    answer = requests.get(url, params={"name": list(names), "resolveAll": "False"}, timeout=20)
    found = {entry["searchString"] for entry in answer.json()["resolvedCoordinate"]}
    assert found == {name.lower() for name in names}


def test_resolver_knows_its_limits(shared_archive):
    url = f"{shared_archive.url}/Santa-war/query"

    def ask(**query):
        return requests.get(url, params=query, timeout=20).json()["resolvedCoordinate"]

    assert ask(name="no such thing", resolveAll="False") == []
    assert [e["resolver"] for e in ask(name="M101", resolver="NED")] == ["NED"]
    assert ask(name="pi Men", resolver="NED") == []
    several = ask(name=["M101", "nobody", "TIC 261136679"], resolveAll="True")
    assert {e["searchString"] for e in several} == {"m101", "tic 261136679"}
    assert several[-2]["resolver"] == "TIC"


def test_resolver_answers_through_http_proxy(shared_archive):
    host, port = urlsplit(shared_archive.url).netloc.split(":")
    request = (
        "GET http://mastresolver.stsci.edu/Santa-war/query?name=M101&resolveAll=False HTTP/1.1\r\n"
        "Host: mastresolver.stsci.edu\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(request.encode())
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"MESSIER 101" in answer or b"M 101" in answer
    assert shared_archive.requests[-1].host == "mastresolver.stsci.edu"


def test_bucket_serves_the_path_that_lookup_names(archive):
    url = f"{archive.url}/api/v0.1/path_lookup/"
    answer = requests.get(url, params={"uri": [SMALL]}, timeout=20).json()
    path = answer[SMALL]["path"]
    assert path == "/jwst/public/jw02733/L3/t/o002/jw02733-o002_t001_miri_f1130w_cat.ecsv"
    head = requests.head(f"{archive.url}/stpubdata{path}", timeout=20)
    assert head.headers["Content-Length"] == "160000"
    part = requests.get(
        f"{archive.url}/stpubdata{path}", headers={"Range": "bytes=0-5"}, timeout=20
    )
    assert part.status_code == 206
    assert part.content == b"# %ECS"
    assert requests.get(f"{archive.url}/stpubdata/jwst/none", timeout=20).status_code == 404
    listing = requests.get(
        f"{archive.url}/stpubdata/", params={"list-type": 2, "prefix": "hst/"}, timeout=20
    ).text
    assert "hst/public/ib57/ib5741010/ib5741010_drc.fits" in listing
    assert "jwst/" not in listing


def test_bucket_has_no_exclusive_files(archive):
    uri = exclusive(archive)
    url = f"{archive.url}/api/v0.1/path_lookup/"
    path = requests.get(url, params={"uri": [uri]}, timeout=20).json()[uri]["path"]
    assert requests.get(f"{archive.url}/stpubdata{path}", timeout=20).status_code == 404


def test_bundle_is_a_script_of_curl_lines(shared_archive):
    url = f"{shared_archive.url}/api/v0.1/Download/bundle.sh"
    script = requests.post(url, data={"uri": [SMALL, F1130W]}, timeout=20).text
    lines = [line for line in script.splitlines() if line.startswith("curl")]
    assert script.startswith("#!/bin/bash")
    assert len(lines) == 2
    assert f"{shared_archive.url}/api/v0.1/Download/file?uri={SMALL}" in lines[0]


def test_mission_search_by_position_condition_and_order(shared_archive):
    url = f"{shared_archive.url}/search/jwst/api/v0.1/search"

    def search(**query):
        answer = requests.post(url, json=query, timeout=20)
        assert answer.status_code == 200
        return answer.json()

    near = search(target=["151.757 -40.436"], radius=1, radius_units="arcminutes")
    assert all(row["ang_sep"] <= 1 for row in near["results"])
    names = [row["fileSetName"] for row in near["results"]]
    assert "jw02733-o001_t001_nircam_clear-f090w" in names
    assert len(set(names)) == len(names)
    program = search(conditions=[{"program": "2733"}, {"productLevel": "3"}])
    assert program["totalResults"] == 10
    assert search(conditions=[{"program": "2733..2736"}, {"instrume": "!NIRCAM"}])["totalResults"]
    late = search(conditions=[{"date_obs": ">=2025-01-01"}])["results"]
    assert {row["program"] for row in late} == {7777}
    assert {row["access"] for row in late} == {"EXCLUSIVE_ACCESS"}
    some = search(
        conditions=[{"targprop": "*3132*"}],
        select_cols=["fileSetName", "duration"],
        sort_by=["duration"],
        sort_desc=[True],
        limit=3,
        offset=1,
    )
    assert [list(row) for row in some["results"]] == [["fileSetName", "duration"]] * 3
    durations = [row["duration"] for row in some["results"]]
    assert durations == sorted(durations, reverse=True)
    counted = search(conditions=[{"program": "2733"}], count_only=True)
    assert counted["search_params"]["count_only"] is True
    assert counted["results"] == []
    assert counted["totalResults"] > 10
    bad = requests.post(url, json={"conditions": [{"colour": "red"}]}, timeout=20)
    assert bad.status_code == 400


def test_mission_products_can_be_retrieved(shared_archive):
    base = f"{shared_archive.url}/search/jwst/api/v0.1"
    query = {"dataset_ids": ["jw02733-o002_t001_miri_f1130w"]}
    listed = requests.post(f"{base}/post_list_products", json=query, timeout=20).json()["products"]
    by_name = {product["filename"]: product for product in listed}
    name = SMALL.split("/")[-1]
    assert by_name[name]["size"] == 160000
    assert by_name[name]["file_suffix"] == "_cat"
    for product_name in (name, f"jw02733-o002_t001_miri_f1130w/{name}"):
        answer = requests.get(
            f"{base}/retrieve_product", params={"product_name": product_name}, timeout=20
        )
        assert answer.content == shared_archive.make(SMALL).read_bytes()


def test_requests_are_logged_for_tests_to_look_at(archive):
    download(archive, SMALL, headers={"X-Test": "1"})
    requests.post(f"{archive.url}/api/v0/invoke", data={"request": json.dumps({})}, timeout=20)
    first, second = archive.requests
    assert (first.method, first.path) == ("GET", "/api/v0.1/Download/file")
    assert first.query == {"uri": [SMALL]}
    assert first.headers["x-test"] == "1"
    assert first.host == urlsplit(archive.url).netloc
    assert second.body == "request=%7B%7D"
    archive.stop()
    assert archive.requests[0] is first


def test_rows_may_be_changed_while_it_runs(archive):
    row = dict(archive.observations[0], obs_id="jw99999", obsid="99999", proposal_id="99999")
    archive.observations.append(row)
    archive.add_bytes("mast:JWST/product/jw99999_i2d.fits", b"x", parent_obsid="99999")
    request = {"service": "Mast.Caom.Products", "params": {"obsid": "99999"}}
    answer = requests.post(
        f"{archive.url}/api/v0/invoke", data={"request": json.dumps(request)}, timeout=20
    ).json()
    assert [p["productFilename"] for p in answer["data"]] == ["jw99999_i2d.fits"]
    archive.products.append(dict(archive.products[0], dataURI="mast:JWST/product/no_file.fits"))
    for method in ("head", "get"):
        missing = download(archive, "mast:JWST/product/no_file.fits", method)
        assert missing.status_code == 404
    with pytest.raises(ValueError, match="not a column"):
        archive.add_bytes("mast:JWST/product/x", b"", colour="red")


def test_it_starts_again_after_a_stop_and_two_run_side_by_side():
    first, second = DemoArchive(), DemoArchive()
    with pytest.raises(RuntimeError, match="not running"):
        _ = first.url
    with first, second:
        assert first.url != second.url
        assert first.url.startswith("http://127.0.0.1:")
        address = urlsplit(first.url)
    with pytest.raises(OSError, match=r"refused|reset"):
        socket.create_connection((address.hostname, address.port), timeout=2)
    with first:
        assert requests.get(f"{first.url}/whoami", timeout=20).ok


def test_stop_does_not_wait_for_idle_connections():
    archive = DemoArchive().start()
    with requests.Session() as session:
        session.get(f"{archive.url}/whoami", timeout=20)
        began = time.monotonic()
        archive.stop()
        assert time.monotonic() - began < 1
