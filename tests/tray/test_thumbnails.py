"""Small pictures in the table of results."""

import base64
import io

import jdaviz
import pytest
from PIL import Image
from trays import tray_of, wait_for

from jdaviz_mast.demo import Fault


@pytest.fixture
def tray(archive):
    tray = tray_of(jdaviz.Imviz())
    tray.target = "NGC 3132"
    tray.search()
    return tray


def asked(archive):
    return [r for r in archive.requests if "/Download/" in r.path and ".jpg" in str(r.query)]


def shown(table):
    return [str(row["index"]) for row in table.rows]


def test_pictures_come_when_they_are_wanted_and_once(tray, archive):
    table, before = tray._obj.observations, len(asked(archive))
    tray.search()
    assert len(asked(archive)) == before, "nobody wanted to see them"
    table.pictures = True
    wait_for(lambda: set(table.thumbnails) == set(shown(table)), tray, 120)
    head, _, data = next(iter(table.thumbnails.values())).partition(",")
    assert head == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert max(image.size) == 56
    assert len(str(table.thumbnails)) < 5000 * len(table.rows)

    first, number = dict(table.thumbnails), len(asked(archive))
    table.options = table.options | {"page": 2}
    wait_for(lambda: not tray._obj._thumbnails._wanted, tray, 120)  # not every row has a picture
    assert table.thumbnails
    assert set(table.thumbnails) <= set(shown(table))
    more = len(asked(archive))
    assert more > number
    table.options = table.options | {"page": 1}
    assert table.thumbnails == first
    table.pictures = False
    assert table.thumbnails == {}
    assert len(asked(archive)) == more


def test_one_picture_that_is_damaged_leaves_its_cell_empty(tray, archive):
    table = tray._obj.observations
    name = table.rows[1]["obs_id"]
    archive.fail(Fault("html", match=f"*{name}*.jpg"))
    table.pictures = True
    wait_for(lambda: len(table.thumbnails) == len(table.rows) - 1, tray, 120)
    wait_for(lambda: not tray._obj._thumbnails._wanted, tray, 120)
    assert str(table.rows[1]["index"]) not in table.thumbnails
