"""One of each kind into one App, in any order.

All 720 orders take an hour, so here are six in which every kind follows every other one at once
(a Williams design), and as many at random; JDAVIZ_MAST_ALL_ORDERS=1 runs all.
"""

import itertools
import os
import random

import jdaviz
import product_files
import pytest

from jdaviz_mast.errors import NotViewable
from jdaviz_mast.products import kind_of
from jdaviz_mast.viewer.opening import open_product

SIX = {"i2d": "Image", "s3d": "3D Spectrum", "s2d": "2D Spectrum", "x1d": "1D Spectrum",
       "cat": "Catalog", "ramp": "Ramp"}  # fmt: skip
EACH_AFTER_EACH = [[[*SIX][(n + shift) % 6] for n in (0, 1, 5, 2, 4, 3)] for shift in range(6)]
ORDERS = list(itertools.permutations(SIX))
if not os.environ.get("JDAVIZ_MAST_ALL_ORDERS"):
    ORDERS = [*map(tuple, EACH_AFTER_EACH), *random.Random(20260701).sample(ORDERS, 6)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("six")
    return {suffix: product_files.make(suffix, folder / suffix) for suffix in SIX}


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
def test_one_of_each_in_any_order(order, made):
    viz = jdaviz.App()
    labels = {}
    for suffix in order:
        path = made[suffix]
        product = {"productFilename": path.name, "dataURI": f"mast:{path.name}", "calib_level": 3}
        about = {"observation": {"target_name": "M-51", "filters": "F444W"}, "product": product}
        opened = open_product(viz._app, path, kind_of(product), about)
        assert opened.formats == {SIX[suffix]: 1}
        assert not opened.notes
        labels[suffix] = opened.layers[0]
    # each is there, is shown, and knows its file
    shown = {
        layer.layer.label
        for viewer in viz._app._viewer_store.values()
        for layer in viewer.layers
        if layer.visible
    }
    for suffix, label in labels.items():
        data = next(data for data in viz._app.data_collection if data.label == label)
        assert data.meta["mast_product_productFilename"] == made[suffix].name
        assert label in shown, (suffix, shown)


def test_every_kind_is_tried_after_every_other():
    neighbours = {pair for order in EACH_AFTER_EACH for pair in itertools.pairwise(order)}
    assert neighbours == set(itertools.permutations(SIX, 2))


def test_what_opens_elsewhere_is_refused_before_it_is_read(made):
    path = made["s3d"]
    product = {"productFilename": path.name, "dataURI": f"mast:{path.name}", "calib_level": 3}
    with pytest.raises(NotViewable, match="it opens in jdaviz's App or Cubeviz"):
        open_product(
            jdaviz.Imviz()._app, path, kind_of(product), {"observation": {}, "product": product}
        )
