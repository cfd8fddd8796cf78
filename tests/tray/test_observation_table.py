"""The results table: order, pages and selection are made in Python."""

import jdaviz
import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from jdaviz_mast.tray.observation_table import RowAction

N = 10_000


@pytest.fixture(scope="module")
def imviz():
    return jdaviz.Imviz()


@pytest.fixture
def table(imviz):
    table = imviz.plugins["MAST Import"].observations._obj
    table.show(observations())
    yield table
    change(table, itemsPerPage=10)
    table.show(None)


def observations(n=N):
    rng = np.random.default_rng(3)
    exposures = rng.uniform(1, 1e4, n)
    masked = rng.random(n) < 0.01
    return Table(
        {
            "obs_id": [f"jw{i:05d}-o001" for i in range(n)],
            "target_name": rng.choice(["NGC-3132", "m 51", "<b>Bold</b>"], n),
            "instrument_name": rng.choice(["NIRCAM/IMAGE", "MIRI/IMAGE"], n),
            "filters": MaskedColumn(rng.choice(["F090W", "F770W"], n), mask=masked),
            "t_exptime": MaskedColumn(exposures, mask=masked),
            "calib_level": np.full(n, 3),
            "t_min": MaskedColumn(59000 + rng.uniform(0, 900, n), mask=masked),
            "dataproduct_type": ["image"] * n,
            "dataRights": ["PUBLIC"] * n,
            "obsid": [str(i) for i in range(n)],
        },
        masked=True,
    )


def shown(table, name="obs_id"):
    return [row[name] for row in table.rows]


def change(table, **options):
    table.options = table.options | options


def test_only_one_page_is_sent_to_the_browser(table):
    assert table.total == table.matching == N
    assert shown(table) == [f"jw{i:05d}-o001" for i in range(10)]
    state = table.get_state()
    assert "items" not in state
    assert "selected_rows" not in state
    assert len(str(state)) < 10_000


def test_paging(table):
    change(table, page=3, itemsPerPage=25)
    assert shown(table) == [f"jw{i:05d}-o001" for i in range(50, 75)]
    change(table, page=1000, itemsPerPage=10)
    assert shown(table)[-1] == f"jw{N - 1:05d}-o001"


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", ["t_exptime", "t_min", "target_name", "filters"])
def test_sorting_agrees_with_numpy_and_puts_missing_values_last(table, name, descending):
    change(table, sortBy=[name], sortDesc=[descending], itemsPerPage=N)
    column = observations()[name]
    order = [int(index) for index in shown(table, "index")]
    values = column[order]
    known = np.asarray(values[~np.ma.getmaskarray(values)])
    if known.dtype.kind == "U":
        known = np.char.lower(known)
    assert list(known) == sorted(known, reverse=descending)
    missing = np.ma.getmaskarray(values)
    assert np.all(np.diff(missing.astype(int)) >= 0)


def test_the_filter_looks_for_every_word_in_all_columns(table):
    table.filter_text = "ngc miri"
    expected = observations()
    match = (expected["target_name"] == "NGC-3132") & (expected["instrument_name"] == "MIRI/IMAGE")
    assert table.matching == match.sum()
    table.filter_text = "no such row"
    assert table.rows == []


def test_selection_survives_paging_sorting_and_filtering(table):
    table.vue_toggle(3)
    change(table, page=5, sortBy=["t_exptime"], sortDesc=[True])
    index = table.rows[0]["index"]
    table.vue_toggle(index)
    table.filter_text = "miri"
    assert table.n_selected == 2
    assert list(table.selected["obsid"]) == ["3", str(index)]
    table.vue_toggle(3)
    assert list(table.selected["obsid"]) == [str(index)]


def test_the_filter_starts_at_its_first_page(table):
    change(table, page=700)
    table.filter_text = "ngc miri"
    assert len(table.rows) == 10
    assert table.options["page"] == 1


def test_the_box_in_the_heading_leaves_alone_what_the_filter_hides(table):
    table.vue_toggle(int(np.flatnonzero(observations()["instrument_name"] == "NIRCAM/IMAGE")[0]))
    table.filter_text = "miri"
    assert table.n_selected_unseen == 1
    table.vue_toggle_all()
    assert table.n_selected == table.matching + 1
    table.vue_toggle_all()
    assert table.n_selected == 1


@pytest.mark.parametrize("day", [1e12, -1.0, np.inf])
def test_a_day_that_no_calendar_has_is_shown_as_missing(table, day):
    rows = observations(2)
    rows["t_min"][0] = day
    table.show(rows)
    assert shown(table, "t_min")[0] == "–"
    assert shown(table, "t_min")[1].startswith("20")


def test_all_that_match_are_selected_and_deselected(table):
    table.filter_text = "F770W"
    table.vue_toggle_all()
    assert table.all_selected
    assert set(table.selected["filters"]) == {"F770W"}
    table.vue_toggle_all()
    assert table.n_selected == 0
    assert table.selected is None


def test_a_message_from_the_page_cannot_select_what_is_not_there(table):
    table.vue_toggle(-1)
    table.vue_toggle(N)
    assert table.n_selected == 0


def test_jdavizs_interface_to_a_table(imviz, table):
    api = imviz.plugins["MAST Import"].observations
    api.select_rows([0, 2])
    assert [row["obsid"] for row in api.selected_rows] == ["0", "2"]
    api.select_rows(slice(1, 3))
    assert [row["obsid"] for row in api.selected_rows] == ["1", "2"]
    api.select_rows((slice(0, 1), slice(5, 6)))
    assert [row["obsid"] for row in api.selected_rows] == ["0", "5"]
    api.select_all()
    assert len(api.selected_rows) == N
    api.select_none()
    assert api.selected_rows == []
    assert len(api.items) == len(api.export_table()) == N
    api.clear_table()
    assert len(api.items) == 0


def test_a_new_result_forgets_the_old_selection_and_page(table):
    table.vue_toggle(9000)
    change(table, page=900, sortBy=["t_min"], sortDesc=[False])
    table.filter_text = "miri"
    table.show(observations(3))
    assert table.n_selected == 0
    assert table.filter_text == ""
    assert shown(table, "index") == [0, 1, 2]


def test_the_menu_of_a_row_calls_with_its_index(table):
    called = []
    before = table.actions
    table.add_action(RowAction("ring", "Ring a bell", "mdi-bell", called.append))
    assert table.actions[-1] == {"name": "ring", "title": "Ring a bell", "icon": "mdi-bell"}
    for asked in ({"name": "ring", "index": 7}, {"name": "ring", "index": N}, {"name": "other"}):
        table.vue_act(asked)
    assert called == [7]
    table.actions = before


def test_more_rows_go_under_those_that_are_there(table):
    table.vue_toggle(3)
    change(table, page=2)
    more = observations(5)
    more["target_name"] = "MESSIER-77"
    table.append(more)
    assert table.total == len(table.items) == N + 5
    assert table.selected_indices == [3]
    assert table.options["page"] == 2
    table.filter_text = "messier-77"
    assert table.matching_indices == list(range(N, N + 5))


def test_a_row_is_revealed_on_its_page(table):
    table.filter_text = "miri"
    index = table.matching_indices[234]
    table.reveal(index)
    assert table.options["page"] == 24
    assert index in shown(table, "index")
    hidden = next(i for i in range(N) if i not in set(table.matching_indices))
    table.reveal(hidden)
    assert table.options["page"] == 24
