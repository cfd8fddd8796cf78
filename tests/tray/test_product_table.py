"""The product table: the page gets one page; what is chosen is chosen in Python."""

import re

import jdaviz
import numpy as np
import pytest
from astropy.table import Table, vstack
from trays import tray_of, wait_for

from jdaviz_mast.errors import InvalidInput

F1130W = "jw02733-o002_t001_miri_f1130w"
F770W = "jw02733-o002_t001_miri_f770w"


@pytest.fixture(scope="module")
def imviz():
    return jdaviz.Imviz()


@pytest.fixture
def tray(imviz, archive, tmp_path):
    tray = tray_of(imviz)
    tray._obj.mast._server, tray._obj.mast._download_dir = archive.url, tmp_path
    tray._obj._lists.clear()
    yield tray
    tray._obj._close_products()
    tray.basket.clear()
    tray._obj.observations.show(None)


def shown(table, name):
    return [row[name] for row in table.rows]


def sent(table):
    """Bytes of all that the page is told of it, the template aside, which never changes."""
    return sum(len(str(value)) for key, value in table.get_state().items() if key != "template")


def change(table, **options):
    table.options = table.options | options


def search(tray, by="Program ID", subject="2733"):
    tray.search_by = by
    setattr(tray, by.lower().replace(" ", "_"), subject)
    tray.all_levels = False
    return tray.search()


def test_an_observation_unfolds_into_all_of_its_products(tray, asked):
    products = tray.choose_products(F1130W)
    assert len(products) == 3470
    assert len(set(products["dataURI"])) == 3470
    table = tray._obj.products
    assert table.total == 3470
    assert table.matching == 3470 - table.n_clutter < 200
    assert len(table.rows) == 10
    assert sent(table) < 8_000
    tray.choose_products(F1130W)
    assert len(asked("invoke", "Mast.Caom.Products")) == 1  # remembered


def test_the_lists_are_forgotten_with_the_search(tray, asked):
    search(tray, "Observation ID", F770W)
    tray.observations.select_rows([0])
    tray.choose_products()
    search(tray, "Observation ID", F770W)
    assert not tray._obj.products.is_open
    tray.observations.select_rows([0])
    tray.choose_products()
    assert len(asked("invoke", "Mast.Caom.Products")) == 2


def test_several_observations_list_what_they_share_once(tray, archive):
    observations = search(tray)
    both = observations[[row["obs_id"] in (F770W, F1130W) for row in observations]]
    one_by_one = [tray.choose_products(both[n : n + 1]) for n in (0, 1)]
    shared = set(one_by_one[0]["dataURI"]) & set(one_by_one[1]["dataURI"])
    assert shared  # pool, associations, guide stars
    together = tray.choose_products(both)
    assert set(together["dataURI"]) == set(vstack(one_by_one)["dataURI"])
    assert len(set(together["dataURI"])) == len(together)


def test_the_filters_leave_the_eighty_science_exposures_of_level_2(tray):
    tray.choose_products(F1130W)
    tray.products.levels = [2]
    tray.products.types = ["SCIENCE"]
    table = tray._obj.products
    assert table.matching == 80
    texts = {one["value"]: one["text"] for one in table.choices["suffixes"]}
    assert texts["cal"] == "cal (16)"
    tray.products.suffixes = ["cal", "i2d"]
    assert table.matching == 32
    tray.products.kinds = "image"  # one value does, too
    assert table.matching == 32
    tray.products.suffixes = []
    tray.products.kinds = ["stack of integrations"]
    assert table.matching == 16
    assert all("rateints" in name for name in shown(table, "productFilename"))


def test_recommended_products_and_clutter(tray):
    tray.choose_products(F1130W)
    table = tray._obj.products
    tray.products.recommended = True
    assert table.matching == 1 + 16 + 1  # the mosaic, resampled exposures, the association
    tray.products.recommended = False
    tray.products.clutter = True
    assert table.matching == 3470
    tray.products.types = ["AUXILIARY"]
    assert table.matching == table.n_clutter
    assert set(shown(table, "format")) == {"guide-star file"}


def test_badges_and_why_something_does_not_open_here(tray):
    tray.choose_products(F770W)
    table = tray._obj.products
    tray.products.levels = [3]
    change(table, itemsPerPage=50)
    rows = {row["productFilename"].removeprefix(F770W): row for row in table.rows}
    assert (rows["_i2d.fits"]["badge"], rows["_i2d.fits"]["format"]) == ("image", "Image")
    assert (rows["_cat.ecsv"]["badge"], rows["_cat.ecsv"]["format"]) == ("table", "Catalog")
    assert rows["_i2d.fits"]["why_not"] == ""
    assert rows["_i2d.jpg"]["badge"] == ""
    assert "picture viewer" in rows["_i2d.jpg"]["why_not"]
    tray.products.levels = [1]
    assert "it opens in jdaviz's App or Rampviz" in table.rows[0]["why_not"]


@pytest.mark.parametrize("descending", [False, True])
def test_sorting_by_size_and_kind(tray, descending):
    tray.choose_products(F1130W)
    table = tray._obj.products
    change(table, sortBy=["size"], sortDesc=[descending], itemsPerPage=-1)
    sizes = tray._obj.products._known.sizes[shown(table, "index")].tolist()
    assert sizes == sorted(sizes, reverse=descending)
    change(table, sortBy=["kind"], sortDesc=[descending])
    kinds = shown(table, "kind")
    assert kinds == sorted(kinds, reverse=descending)
    change(table, itemsPerPage=10)


def test_the_filter_looks_in_names_and_descriptions(tray):
    tray.choose_products(F1130W)
    tray._obj.products.filter_text = "segmentation map"
    assert shown(tray._obj.products, "productFilename") == [f"{F1130W}_segm.fits"]


def test_chosen_products_are_imported(imviz, tray):
    tray.choose_products(F1130W)
    tray.products.suffixes = ["cal"]
    indices = [row["index"] for row in tray._obj.products.rows[:2]]
    tray.products.select_rows(indices)
    names = {row["productFilename"] for row in tray.products.selected_rows}
    forecast = tray.forecast()
    assert forecast.files == forecast.memory.opened == 2
    job = tray.import_products()
    assert {file.name for file in job.files} == names
    loaded = {d.meta.get("mast_product_productFilename") for d in imviz._app.data_collection}
    assert names <= loaded
    assert tray.forecast().bytes_to_fetch == 0


def test_totals_of_what_matches_and_of_what_is_selected(tray):
    tray.choose_products(F1130W)
    table = tray._obj.products
    tray.products.levels, tray.products.types = [2], ["SCIENCE"]
    wait_for(lambda: table.totals.get("files", "").startswith("80 files"), tray)
    assert table.totals_of == "All that match"
    assert "free on disk" in table.totals["files"]
    assert re.search(r"(^24|22 more) files will open", table.totals["memory"])
    assert (
        "56 more are downloaded only: raise “Open at most” (max_images)" in table.totals["memory"]
    )
    table.vue_toggle(table.rows[0]["index"])
    wait_for(lambda: table.totals.get("files", "").startswith("1 file,"), tray)
    assert table.totals_of == "Selected"


def test_an_archive_that_is_away_is_said_in_the_table(tray):
    tray._obj.mast._server = "http://127.0.0.1:9"
    with pytest.raises(ConnectionError):
        tray.choose_products(F770W)
    assert "cannot be reached" in tray._obj.products.error
    assert not tray._obj.products.loading


def test_the_chevron_unfolds_and_folds_up(tray):
    search(tray, "Observation ID", F770W)
    observations, table = tray._obj.observations, tray._obj.products
    observations.vue_unfold(0)
    wait_for(lambda: table.total, tray)
    assert (observations.unfolded, table.title) == (0, F770W)
    observations.vue_unfold(0)
    assert (observations.unfolded, table.is_open) == (-1, False)
    observations.vue_unfold(0)
    table.vue_close()
    assert (observations.unfolded, table.is_open) == (-1, False)
    observations.vue_unfold(99)
    assert not table.is_open


def test_ten_thousand_products_are_chosen_from_as_ever(tray):
    n = 10_000
    rng = np.random.default_rng(4)
    suffixes = rng.choice(["cal", "rate", "i2d", "x1d"], n)
    products = Table(
        {
            "dataURI": [f"mast:JWST/product/jw{i:05d}_{s}.fits" for i, s in enumerate(suffixes)],
            "productFilename": [f"jw{i:05d}_{s}.fits" for i, s in enumerate(suffixes)],
            "calib_level": rng.integers(1, 4, n),
            "size": rng.integers(1, 10**9, n),
        }
    )
    table = tray._obj.products
    table.show(products, "many")
    tray.products.suffixes, tray.products.levels = ["i2d"], [3]
    assert table.matching == np.sum((suffixes == "i2d") & (products["calib_level"] == 3))
    tray.products.select_all()
    assert table.n_selected == table.matching
    tray.products.suffixes = []
    assert table.n_selected < table.matching
    assert table.n_selected_unseen == 0
    assert sent(table) < 8_000


def test_totals_of_selected_observations(tray, asked):
    search(tray)
    observations = tray._obj.observations
    tray.observations.select_rows([0])  # from Python: nobody looks, so nothing is asked
    assert tray._obj.selection_totals == {"ask": "Totals of 1 observation"}
    assert not asked("invoke", "Mast.Caom.Products")
    tray.observations.select_none()
    observations.vue_toggle(0)
    wait_for(lambda: tray._obj.selection_totals.get("files"), tray)
    job = tray.import_selected()
    told = f"{len(job.files)} files"
    wait_for(lambda: tray._obj.selection_totals.get("files", "").startswith(told), tray)
    assert "on disk already" in tray._obj.selection_totals["files"]
    observations.vue_toggle_all()
    wait_for(lambda: tray._obj.selection_totals.get("files"), tray)
    observations.vue_toggle_all()
    assert tray._obj.selection_totals == {}


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("levels", [[1]], "give one value, or several in a list"),
        ("levels", 7, "choose from .*1, 2, 3"),
        ("levels", "three", "choose from .*1, 2, 3"),
        ("kinds", "imag", "choose from .*image"),
        ("suffixes", ["i2d", "i2dd"], "choose from .*i2d"),
        ("types", {"a": 1}, "choose from .*SCIENCE"),
    ],
)
def test_a_choice_of_what_there_is_not_is_refused(tray, name, value, allowed):
    tray.choose_products(F1130W)
    table = tray._obj.products
    before = table.matching

    with pytest.raises(InvalidInput, match=rf"^{name}: .* is not usable; {allowed}"):
        setattr(tray.products, name, value)

    assert getattr(table, name) == []
    assert table.matching == before


@pytest.mark.parametrize("rows", [[999_999], 999_999, [0, -999_999], "first", [1.5], {"a": 1}])
def test_rows_that_there_are_not_are_refused(tray, rows):
    search(tray)
    tray.observations.select_rows([1])

    with pytest.raises(InvalidInput, match="^rows: .* give an index from 0 to "):
        tray.observations.select_rows(rows)

    assert tray._obj.observations.selected_indices == [1]


def test_no_row_of_nothing_can_be_selected(tray):
    tray.observations.select_rows([])
    with pytest.raises(InvalidInput, match="^rows: .* there are no rows"):
        tray.observations.select_rows(0)


@pytest.mark.parametrize("number", [0, -1, 2.5, "many", True])
def test_a_number_of_files_that_is_none_is_refused(tray, number):
    before = tray.max_images
    with pytest.raises(InvalidInput, match="^max_images: .* give a whole number, 1 or more"):
        tray.max_images = number
    assert tray.max_images == before


def test_what_is_in_the_viewer_needs_no_more_memory(archive):
    tray = tray_of(jdaviz.Imviz())
    products = tray.choose_products(F770W)
    images = products[products["productFilename"] == f"{F770W}_i2d.fits"]
    before = tray.forecast(images)
    assert (before.memory.opened, before.memory.already) == (1, 0)

    tray._obj._start_import(images).wait()

    after = tray.forecast(images)
    assert (after.memory.opened, after.memory.already, after.memory.peak) == (0, 1, 0)
    table = tray._obj.products
    tray.products.levels, tray.products.suffixes = [3], ["i2d"]
    wait_for(lambda: "viewer already" in table.totals.get("memory", ""), tray)
    assert table.totals["memory"] == "1 file is in the viewer already."
    tray.extensions = ["SCI", "ERR"]  # the other image of the same file is none yet
    assert 0 < tray.forecast(images).memory.kept < 2 * before.memory.kept
    assert tray.forecast(images).memory.opened == 1
    tray._obj._app.data_item_remove(tray._obj._app.data_collection[0].label)
    assert tray.forecast(images).memory.already == 0
