"""One of each kind into one App, in any order.

By default here are six orders in which every kind follows every other one at once (a Williams
design). JDAVIZ_MAST_THOROUGH=1 runs all 720, more than an hour: orders that begin alike share
their beginning, as the process is forked where they part.
"""

import itertools
import json
import os
import traceback

import jdaviz
import numpy as np
import product_files
import pytest
from glue.viewers.profile.state import ProfileViewerState

from jdaviz_mast.errors import NotViewable
from jdaviz_mast.products import kind_of
from jdaviz_mast.viewer.opening import open_product

SIX = {"i2d": "Image", "s3d": "3D Spectrum", "s2d": "2D Spectrum", "x1d": "1D Spectrum",
       "cat": "Catalog", "ramp": "Ramp"}  # fmt: skip
EACH_AFTER_EACH = [[[*SIX][(n + shift) % 6] for n in (0, 1, 5, 2, 4, 3)] for shift in range(6)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("six")
    return {suffix: product_files.make(suffix, folder / suffix) for suffix in SIX}


@pytest.mark.parametrize("order", EACH_AFTER_EACH, ids="-".join)
def test_one_of_each_in_any_order(order, made):
    app, labels = jdaviz.App()._app, {}
    for suffix in order:
        labels[suffix] = opened(app, suffix, made)
    check(app, labels, made)


@pytest.mark.skipif(
    not os.environ.get("JDAVIZ_MAST_THOROUGH"), reason="JDAVIZ_MAST_THOROUGH=1 runs it"
)
@pytest.mark.parametrize("first", list(itertools.permutations(SIX, 2)), ids="-".join)
def test_all_orders(first, made):
    def go_on(labels):
        """Return the number of orders that begin with these and end well."""
        rest = [suffix for suffix in SIX if suffix not in labels]
        if not rest:
            check(app, labels, made)
            return 1
        return sum(
            in_a_fork(lambda s=suffix: go_on(labels | {s: opened(app, s, made)}), [*labels, suffix])
            for suffix in rest
        )

    app = jdaviz.App()._app
    assert go_on({suffix: opened(app, suffix, made) for suffix in first}) == 24


def in_a_fork(call, order):
    """Return what the call returns in a copy of this process, and leave this one as it is."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            answer = call()
        # Whatever it is, the copy must not go on with the tests.
        except BaseException:  # noqa: BLE001
            answer = f"{'-'.join(order)}: {traceback.format_exc()}"
        with os.fdopen(writer, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    answer = json.loads(said) if said else f"{'-'.join(order)}: the process died"
    assert isinstance(answer, int), answer
    return answer


def opened(app, suffix, made):
    """Open that one; return its label."""
    path = made[suffix]
    product = {"productFilename": path.name, "dataURI": f"mast:{path.name}", "calib_level": 3}
    about = {"observation": {"target_name": "M-51", "filters": "F444W"}, "product": product}
    result = open_product(app, path, kind_of(product), about)
    assert result.formats == {SIX[suffix]: 1}
    assert not result.notes
    return result.layers[0]


def check(app, labels, made):
    """Each is there, is shown, and knows its file."""
    shown = {
        layer.layer.label
        for viewer in app._viewer_store.values()
        for layer in viewer.layers
        if layer.visible and layer.enabled
    }
    assert len(labels) == 6
    for suffix, label in labels.items():
        data = next(data for data in app.data_collection if data.label == label)
        assert data.meta["mast_product_productFilename"] == made[suffix].name
        assert label in shown, (suffix, shown)
    # and what is drawn is in the unit that the axis names
    for viewer in app._viewer_store.values():
        for layer in viewer.layers:
            if isinstance(viewer.state, ProfileViewerState) and layer.visible:
                assert np.all(np.isfinite(layer.state.profile[1])), layer.layer.label
                assert viewer.state.y_display_unit in viewer.figure.axes[1].label


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
