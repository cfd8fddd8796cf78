"""Links to the MAST Portal: made here, and whatever an ID holds stays inside its JSON string."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from jdaviz_mast.archive import portal_link
from jdaviz_mast.errors import InvalidInput


@pytest.mark.parametrize(
    "obs_id",
    ["jw02733-o001_t001_nircam_clear-f090w", 'a"b\\c&d#e', "</script><b>", "%22}]", "Ω Cen"],
)
def test_the_link_searches_for_just_that_observation(obs_id):
    parts = urlsplit(portal_link(obs_id))
    assert (parts.scheme, parts.netloc) == ("https", "mast.stsci.edu")
    assert not parts.fragment
    query = parse_qs(parts.query)
    assert list(query) == ["searchQuery"]
    search = json.loads(query["searchQuery"][0])
    assert search["service"] == "CAOMFILTERED"
    [condition] = search["inputText"]
    assert (condition["paramName"], condition["freeText"]) == ("obs_id", obs_id)


@pytest.mark.parametrize("obs_id", ["", "  ", None, 7])
def test_what_is_no_observation_has_no_link(obs_id):
    with pytest.raises(InvalidInput, match="observation_id"):
        portal_link(obs_id)
