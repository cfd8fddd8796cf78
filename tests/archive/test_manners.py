"""Manners: towards the archive, towards astroquery, and towards the user's secrets."""

import threading
import warnings

import astropy.units as u
import astroquery
import pytest
from astroquery.exceptions import NoResultsWarning
from astroquery.mast import Catalogs, MastMissions, Observations, ObservationsClass
from astroquery.mast import conf as astroquery_conf
from astroquery.mast.discovery_portal import PortalAPI

from jdaviz_mast import Mast
from jdaviz_mast.demo import DemoArchive
from jdaviz_mast.errors import TargetNotFound

MOSAIC = "jw02733-o001_t001_nircam_clear-f090w"


def in_threads(*calls):
    """Run the calls at once, each in a thread; return what they returned, or raised."""
    results = [None] * len(calls)
    together = threading.Barrier(len(calls))

    def run(number, call):
        together.wait()
        try:
            results[number] = call()
        except Exception as error:  # noqa: BLE001 - handed to the test
            results[number] = error

    threads = [threading.Thread(target=run, args=item) for item in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


# -- towards the archive ---------------------------------------------------------------------


def test_the_columns_are_asked_for_once_per_server(tmp_path):
    def columns_asked_for(archive):
        mast = Mast(archive.url, tmp_path)  # each time a new door, as a script and the tray have
        mast.search("NGC 3132")
        mast.products(mast.search(observation_id=MOSAIC))
        return len([r for r in archive.requests if r.path.endswith("/columnsconfig")])

    with DemoArchive() as one, DemoArchive() as another:
        for archive in (one, another):
            # One for each of the portal's services: by column, by position, products.
            assert [columns_asked_for(archive) for _ in range(3)] == [3, 3, 3]


def test_a_search_asks_no_more_than_it_needs(mast, asked):
    for _ in range(2):  # the columns are known the second time
        before = len(asked())
        mast.search(program_id=2733)
        mast.search("NGC 3132")
    paths = [request.path for request in asked()[before:]]
    assert paths == ["/api/v0/invoke", "/Santa-war/query", "/api/v0/invoke"]


def test_the_archive_is_told_who_asks(mast, asked):
    mast.search(program_id=2733)
    assert all("astroquery" in request.headers["user-agent"] for request in asked("invoke"))


def test_a_server_may_have_a_slash_at_its_end(archive, tmp_path):
    assert len(Mast(f"{archive.url}/", tmp_path).search(program_id=2736)) == 3


# -- towards the user's secrets --------------------------------------------------------------


def test_no_credentials_but_the_token_and_no_cookies_are_sent(mast, asked, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("MAST_API_TOKEN", "the-token")

    found = mast.search("NGC 3132", mission="HST")
    products = mast.products(found)
    job = mast.fetch(products[:1])

    assert job.state == "complete"
    for request in asked():
        # MAST's own token goes with what is downloaded, and with nothing else.
        token = request.headers.get("authorization")
        assert token == ("Bearer the-token" if "Download" in request.path else None)
        assert not {"cookie", "proxy-authorization"} & set(request.headers)
        assert "secret" not in f"{request.path} {request.query} {request.body} {request.headers}"


def test_a_proxy_of_the_network_is_not_asked_for_this_machine(mast, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    found = mast.search("NGC 3132", mission="HST")
    job = mast.fetch(mast.products(found)[:1])

    assert job.state == "complete", job.files[0].error


# -- towards astroquery, which others use in the same process --------------------------------


def state_of_astroquery():
    """What a user of astroquery would notice if it changed."""
    urls = ("MAST_REQUEST_URL", "COLUMNS_CONFIG_URL", "MAST_DOWNLOAD_URL", "MAST_BUNDLE_URL")
    instances = (Observations, Catalogs, MastMissions)
    return {
        "urls": [getattr(PortalAPI, name) for name in urls],
        "limits": (PortalAPI.TIMEOUT, PortalAPI.PAGESIZE),
        "columns": dict(PortalAPI._column_configs),
        "service": PortalAPI._current_service,
        "server": astroquery_conf.server,
        "class attributes": {
            name: repr(value) for cls in (PortalAPI, ObservationsClass)
            for name, value in vars(cls).items()
        },
        "instances": [sorted(vars(instance)) for instance in instances],
        "connections": [sorted(vars(i._portal_api_connection)) for i in instances],
        "adapters": [list(i._session.adapters) for i in instances],
        "hooks": [[len(h) for h in i._session.hooks.values()] for i in instances],
        "headers": [dict(i._session.headers) for i in instances],
        "caching": astroquery.cache_conf.cache_active,
    }  # fmt: skip


def test_astroquery_is_as_it_was(archive, tmp_path, asked):
    before = state_of_astroquery()
    mast = Mast(archive.url, tmp_path)
    found = mast.search("NGC 3132", radius=1 * u.arcmin)
    mast.products(found[:1])
    with pytest.raises(TargetNotFound):
        mast.search("NGC 99999")
    assert state_of_astroquery() == before


def test_searches_in_eight_threads_at_once_give_the_right_answers(archive, tmp_path, held):
    mast = Mast(archive.url, tmp_path)
    wanted = {
        "2733": 10, "2736": 3, "2732": 1, "1492": 1, "7777": 1, "11599": 2, "1": 0, "2": 0
    }  # fmt: skip
    before = state_of_astroquery()
    filters = list(warnings.filters)
    archive.latency = 0.02

    for _ in range(3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoResultsWarning)
            results = in_threads(
                *(lambda program=program: mast.search(program_id=program) for program in wanted)
            )
        for (program, count), found in zip(wanted.items(), results, strict=True):
            assert not isinstance(found, Exception), found
            assert len(found) == count
            assert set(found["proposal_id"]) <= {program}

    assert state_of_astroquery() == before
    assert warnings.filters == filters


def test_warnings_still_reach_the_user_after_searches_in_threads(archive, tmp_path, capfd):
    # Not pytest.warns: it sets the filters anew and would hide that they are lost.
    mast = Mast(archive.url, tmp_path)
    before = list(warnings.filters)

    def search(number):
        archive.latency = 0.01 * number  # they do not end in the order in which they began
        return mast.search(program_id=2736)

    for _ in range(3):
        in_threads(*(lambda number=number: search(number) for number in range(8)))

    assert warnings.filters == before


def test_several_doors_to_several_servers_do_not_mix(archive, tmp_path):
    with DemoArchive() as another:
        row = another.observations[0]
        row["obs_title"] = "the other archive"
        doors = [Mast(server, tmp_path) for server in (archive.url, another.url)] * 4
        results = in_threads(*(lambda m=m: m.search(observation_id=row["obs_id"]) for m in doors))
        titles = [found["obs_title"][0] for found in results]
    assert titles == ["JWST Early Release Observation 7", "the other archive"] * 4


def test_another_machine_is_reached_through_the_proxy_of_the_network(
    archive, tmp_path, monkeypatch
):
    # The embedded archive answers for any host, as a proxy does.
    monkeypatch.setenv("http_proxy", archive.url)
    monkeypatch.setenv("no_proxy", "mast.stsci.edu")
    before = len(archive.requests)
    assert len(Mast("http://archive.invalid", tmp_path).search(program_id=2736)) == 3
    assert {request.host for request in archive.requests[before:]} == {"archive.invalid"}
