"""The basket: products of several searches, each once, imported at once."""

import jdaviz
import pytest
from astropy.table import Table
from trays import F090W, tray_of, wait_for

from jdaviz_mast.errors import InvalidInput

F770W = "jw02733-o002_t001_miri_f770w"
WFC3 = "ib5741010"


@pytest.fixture(scope="module")
def imviz():
    return jdaviz.Imviz()


@pytest.fixture
def tray(imviz, archive, tmp_path):
    tray = tray_of(imviz)
    tray._obj.mast._server, tray._obj.mast._download_dir = archive.url, tmp_path
    tray._obj._lists.clear()
    tray.all_levels = False
    yield tray
    tray.basket.clear()
    tray._obj._close_products()


def names(tray):
    return tray.basket.products["productFilename"].tolist()


def test_observations_of_several_searches_and_single_products_are_gathered(tray, mast):
    tray.basket.add(mast.search(observation_id=WFC3))
    assert names(tray) == [f"{WFC3}_drz.fits", f"{WFC3}_drc.fits"]
    tray.search_by, tray.observation_id = "Observation ID", F770W
    tray.search()
    products = tray.choose_products(F770W)
    cal = products[[name.endswith("_cal.fits") for name in products["productFilename"]]]
    tray.basket.add(cal[0])
    tray.search()  # the basket stays
    assert len(names(tray)) == 3
    tray.basket.add(F770W)
    assert len(names(tray)) == 6
    tray.basket.add(F770W)
    assert len(names(tray)) == 6
    assert "3 of these were in it already" in tray._obj.basket.note


def test_it_is_imported_at_once(imviz, tray, mast):
    tray.basket.add(WFC3)
    tray.basket.remove(tray.basket.products[0])
    tray.basket.add(mast.products(F770W)[:1])
    assert tray.basket.forecast().files == 2
    job = tray.basket.import_()
    assert job.state == "complete"
    assert sorted(file.name for file in job.files) == sorted(names(tray))
    loaded = [d.meta.get("mast_product_productFilename") for d in imviz._app.data_collection]
    assert set(names(tray)) <= set(loaded)
    assert tray.basket.forecast().bytes_to_fetch == 0


def test_what_is_in_it_can_be_taken_out(tray):
    tray.basket.add(F770W)
    uris = tray.basket.products["dataURI"].tolist()
    tray.basket.remove(uris[0])
    assert tray.basket.products["dataURI"].tolist() == uris[1:]
    with pytest.raises(InvalidInput, match="not in the basket"):
        tray.basket.remove(uris[0])
    tray.basket.remove(uris[1:])
    assert len(tray.basket.products) == 0
    with pytest.raises(InvalidInput, match="basket"):
        tray.basket.import_()


def test_what_is_neither_product_nor_observation_is_refused(tray):
    for given in (7, None, {"dataURI": "x"}):
        with pytest.raises(InvalidInput, match="observations_or_products"):
            tray.basket.add(given)


def test_products_without_a_name_are_refused_and_leave_it_as_it_was(tray):
    with pytest.raises(InvalidInput, match="^products: .*no column productFilename"):
        tray.basket.add(Table({"dataURI": ["mast:x/y_i2d.fits"]}))
    assert len(tray.basket.products) == 0


@pytest.mark.parametrize("products", [5, None, {}])
def test_what_cannot_be_in_it_cannot_be_taken_out(tray, products):
    with pytest.raises(InvalidInput, match="^products: .*dataURI"):
        tray.basket.remove(products)


@pytest.mark.parametrize("given", [5, ["a"], None])
def test_what_is_no_observation_is_neither_unfolded_nor_imported(tray, given):
    with pytest.raises(InvalidInput, match="^observations_or_products: "):
        tray.import_observation(given)
    if given is not None:  # the selected rows
        with pytest.raises(InvalidInput, match="^observations_or_products: "):
            tray.choose_products(given)


def test_the_page_shows_a_page_of_it_and_its_totals(tray, mast):
    tray.all_levels = True
    tray.basket.add(F090W)
    basket = tray._obj.basket
    assert basket.count > 100
    assert len(basket.rows) == 5
    basket.vue_turn_page(2)
    second = [row["name"] for row in basket.rows]
    assert second == names(tray)[5:10]
    basket.vue_remove(basket.rows[0]["uri"])
    assert [row["name"] for row in basket.rows][0] == second[1]
    basket.vue_turn_page(10_000)
    assert basket.rows
    expected = f"{basket.count} files"
    wait_for(lambda: basket.totals.get("files", "").startswith(expected), tray)
    basket.vue_clear()
    assert (basket.count, basket.rows, basket.totals) == (0, [], {})


def test_a_row_of_the_results_goes_in_by_its_menu(tray):
    tray.search_by, tray.observation_id = "Observation ID", f"{WFC3}, {F770W}"
    tray.search()
    observations = tray._obj.observations
    index = observations.items[:].index(next(o for o in observations.items if o["obs_id"] == WFC3))
    observations.vue_act({"name": "basket", "index": index})
    wait_for(lambda: tray._obj.basket.count == 2, tray)
    tray.observations.select_all()
    tray._obj.vue_add_to_basket()
    wait_for(lambda: tray._obj.basket.count == 5, tray)


def test_an_archive_that_is_away_is_said_in_it(tray):
    tray._obj.mast._server = "http://127.0.0.1:9"
    with pytest.raises(ConnectionError):
        tray.basket.add(F770W)
    assert "cannot be reached" in tray._obj.basket.note
    assert tray._obj.basket.count == 0
