"""What narrows a search in the tray, what is remembered of it, and long answers page by page."""

import json
import threading

import pytest
from trays import tray_of, wait_for

from jdaviz_mast import conf
from jdaviz_mast.demo.faults import Fault
from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.tray import recent
from jdaviz_mast.tray.form import SearchForm, filter_arguments
from jdaviz_mast.tray.more_filters import MoreFilters

EMPTY = {
    "instrument": "", "filters": "", "wavelength_from": "", "wavelength_to": "",
    "wavelength_unit": "um", "date_from": "", "date_to": "", "exposure_from": "",
    "exposure_to": "", "data_type": "Any", "rights": "Any", "author": "", "keywords": [],
}  # fmt: skip


@pytest.fixture
def tray():
    import jdaviz

    return tray_of(jdaviz.new_app())


@pytest.fixture
def filters(mast):
    """The fold alone."""
    return MoreFilters(mast, owner=None, on_search=lambda: None)


# -- the fold “More filters” -----------------------------------------------------------------

ARGUMENTS = {
    "nothing": ({}, {}),
    "blanks": ({"instrument": "  ", "date_from": " "}, {}),
    "words": (
        {"instrument": "NIRCAM", "filters": "F444W", "author": "SPOC"},
        {"instrument": "NIRCAM", "filters": "F444W", "author": "SPOC"},
    ),
    "wavelength": (
        {"wavelength_from": "1", "wavelength_to": 2.5},
        {"wavelength": ("1 um", "2.5 um")},
    ),
    "wavelength in nm": (
        {"wavelength_to": "700", "wavelength_unit": "nm"},
        {"wavelength": (None, "700 nm")},
    ),
    "dates": ({"date_from": "2022-06"}, {"date": ("2022-06", None)}),
    "exposure": (
        {"exposure_from": 120, "exposure_to": "120"},
        {"exposure_time": ("120", "120")},
    ),
    "choices": (
        {"data_type": "cube", "rights": "exclusive"},
        {"data_type": "cube", "rights": "exclusive"},
    ),
    "keywords": (
        {"keywords": [{"name": "exp_type", "value": "NRC_IMAGE"},
                      {"name": "tsovisit", "value": "F"},
                      {"name": "exp_type", "value": "MIR_IMAGE"}]},
        {"keywords": {"exp_type": "NRC_IMAGE,MIR_IMAGE", "tsovisit": "F"}},
    ),
}  # fmt: skip
IN_FORCE = {"nothing": 0, "blanks": 0, "words": 3, "choices": 2, "keywords": 3}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_fields_become_arguments_and_are_counted(filters, name):
    fields, arguments = ARGUMENTS[name]
    filters.fill(fields)
    assert filters.fields == EMPTY | fields
    assert filter_arguments(filters.fields) == arguments
    assert filters.in_force == IN_FORCE.get(name, 1)


def test_clear_empties_all_fields(filters):
    for fields, _ in ARGUMENTS.values():
        filters.fill(fields)
        filters.vue_clear()
        assert filters.fields == EMPTY
        assert filters.in_force == 0


def test_keywords_are_added_and_dropped(filters):
    filters.vue_add_keyword({"name": "exp_type", "value": " NRC_IMAGE "})
    filters.vue_add_keyword({"name": "tsovisit", "value": "F"})
    filters.vue_add_keyword({"name": "", "value": "F"})
    filters.vue_add_keyword({"name": "category"})
    assert filters.in_force == 2
    filters.vue_drop_keyword(0)
    assert filters.keywords == [{"name": "tsovisit", "value": "F"}]


def test_a_bad_value_names_its_field(tray):
    tray.target = "NGC 3132"
    for field, value, words in (
        ("wavelength_from", "short", "Wavelength cannot be “short”: give a number of um."),
        ("date_from", "yesterday", "Date cannot be “yesterday”: give dates"),
        ("exposure_to", "long", "Exposure cannot be “long”: give seconds"),
    ):
        tray.more_filters.clear()
        setattr(tray.more_filters, field, value)
        with pytest.raises(InvalidInput):
            tray.search()
        assert tray._obj.search_message.startswith(words)


def test_the_filters_narrow_what_is_shown(tray):
    tray.target = "NGC 3132"
    tray.more_filters.wavelength_from = "10"
    tray.more_filters.date_from, tray.more_filters.date_to = "2022", "2023"
    found = tray.search()
    assert sorted(found["filters"]) == ["F1130W", "F1280W", "F1800W"]
    assert tray._obj.results_of == ("NGC 3132 within 0.1 deg, from 10 um, 2022 to 2023, level 3")


def test_filters_say_enough_without_a_target(tray):
    tray.target = " "
    tray.more_filters.keywords = [{"name": "exp_type", "value": "NRS_IFU"}]
    assert list(tray.search()["target_name"]) == ["NGC-7319-NUCLEUS"]
    assert tray._obj.results_of == "exp_type NRS_IFU, level 3"


def test_a_collection_or_a_data_set_is_searched_for(tray):
    tray.search_by = "DOI or data set"
    tray.dataset = "https://doi.org/10.17909/t9-nmc8-f686"
    assert list(tray.search()["obs_collection"]) == ["TESS"]
    tray.dataset = "jw02733001001_02101_00001"
    assert len(tray.search()) == 5
    assert tray._obj.results_of == "jw02733001001_02101_00001, all levels"
    tray.dataset = "10.17909/nothing"
    with pytest.raises(InvalidInput):
        tray.search()
    assert "Display Data" in tray._obj.search_message


def test_it_is_shown_who_resolved_the_target_and_what_the_star_is(tray):
    tray.target = "pi Men"
    tray.search()
    where, star = tray._obj.search_notes
    assert where == "pi Men is at 84.29119 -80.46912 (SIMBAD, as * pi. Men)."
    assert star.startswith("TIC 261136679: Tmag 5.11, Teff 6037 K")


def test_a_search_that_fails_says_what_the_rows_are_of(tray):
    kept = " The table still shows the search before."
    for found in (False, True):
        tray.target = "Nowhere"
        with pytest.raises(LookupError) as caught:
            tray.search()
        assert tray._obj.search_message == f"{caught.value}{kept if found else ''}"
        tray.target = "NGC 3132"
        tray.search()
    tray._obj.sky.vue_look()  # no viewer shows the sky
    assert tray._obj.search_message.endswith(kept)
    assert len(tray._obj.observations) == tray._obj.n_rows == 13
    assert "NGC 3132" in tray._obj.results_of


def test_a_target_that_failed_is_a_warning(tray):
    tray.target = "NGC 3132; Nowhere"
    assert len(tray.search()) == 13
    assert tray._obj.search_message_type == "warning"
    assert tray._obj.search_message.endswith(" Without Nowhere: see below.")
    assert any(note.startswith("Nowhere failed") for note in tray._obj.search_notes)


def test_an_unknown_observation_id_among_several_is_named(tray, mast):
    known, lower_level = "jw02733-o002_t001_miri_f770w", "ib5741a1q"
    tray.search_by = "Observation ID"
    tray.observation_id = f"{known.upper()}, nope, {lower_level}"
    about = tray.search().meta["mast_search"]
    reason = "MAST holds no observation of this ID at level 3"
    assert about["failed"] == {"nope": reason, lower_level: reason}
    assert tray._obj.search_notes == [f"nope: {reason}.", f"{lower_level}: {reason}."]
    assert tray._obj.search_message_type == "warning"
    assert tray._obj.search_message.endswith(f" Without nope, {lower_level}: see below.")
    tray.all_levels = True
    about = tray.search().meta["mast_search"]
    assert about["failed"] == {"nope": "MAST holds no observation of this ID"}
    one = mast.search(observation_id=[known, "nope"], mission="JWST").meta["mast_search"]
    assert one["notes"] == [f"nope: {reason} with these filters."]
    tray.observation_id = f"{known}, {lower_level}"
    tray.search()
    assert tray._obj.search_message_type == "success"


def test_the_list_of_keywords_comes_when_somebody_looks(tray, asked):
    fold = tray._obj.more_filters
    assert not asked("column_list")
    fold.vue_open()
    wait_for(lambda: fold.known_keywords, tray)
    described = {item["name"]: item["description"] for item in fold.known_keywords}
    assert "time-series" in described["tsovisit"]


def test_a_list_of_keywords_that_does_not_come_is_said(tray, archive):
    from jdaviz_mast.archive import client

    client._keywords.clear()
    archive.fail(Fault("status", route="missions", status=503))
    fold = tray._obj.more_filters
    fold.vue_open()
    wait_for(lambda: fold.keyword_note, tray)
    assert "did not come: The archive at" in fold.keyword_note
    archive.clear_faults()
    fold.vue_open()
    wait_for(lambda: fold.known_keywords, tray)
    assert not fold.keyword_note


# -- recent searches -------------------------------------------------------------------------


def test_a_search_is_remembered_and_put_back_with_one_click(tray):
    tray.target, tray.radius, tray.mission = "NGC 3132", 6, "JWST"
    tray.radius_unit = "arcmin"
    tray.more_filters.filters = "F090W"
    tray.more_filters.keywords = [{"name": "exp_type", "value": "NRC_IMAGE"}]
    first = tray.search()
    tray.search_by, tray.program_id, tray.mission = "Program ID", "2736", "Any"
    tray.all_levels = True
    tray.more_filters.clear()
    tray.search()

    menu = tray._obj.recent
    menu.vue_open()
    wait_for(lambda: len(menu.rows) == 2, tray)
    assert menu.rows == [
        "program 2736, all levels",
        "NGC 3132 within 6 arcmin, JWST, F090W, exp_type NRC_IMAGE, level 3",
    ]
    menu.vue_choose(1)
    assert tray.search_by == "Target name"
    assert (tray.radius, tray.all_levels) == (6, False)
    assert tray._obj.more_filters.in_force == 2
    assert list(tray.search()["obs_id"]) == list(first["obs_id"])


def test_searches_that_fail_are_not_remembered(tray):
    tray.target = "Nowhere"
    with pytest.raises(LookupError):
        tray.search()
    assert recent.read() == []


def test_twenty_are_kept_newest_first_each_once():
    for number in range(30):
        recent.remember(f"search {number}", {"target": str(number)})
    recent.remember("again", {"target": "15"})
    words = [item["words"] for item in recent.read()]
    assert words[:2] == ["again", "search 29"]
    assert "search 15" not in words
    assert len(words) == recent.MOST == 20


@pytest.mark.parametrize("text", ["", "{", "[1, {}]", '{"words": 1}', '[{"fields": "no"}]', "\0"])
def test_a_broken_history_is_none_and_is_replaced(text):
    recent.path().parent.mkdir(parents=True, exist_ok=True)
    recent.path().write_text(text)
    assert recent.read() == []
    recent.remember("new", {"target": "M101"})
    assert [item["words"] for item in recent.read()] == ["new"]


def test_a_history_with_odd_fields_does_not_break_the_tray(tray):
    for fields in ({}, {"search_by": "?"}, {"search_by": "Target name", "mission": 3, "more": 5}):
        tray._obj._restore(fields)
    assert tray.search_by == "Target name"


def test_many_at_once_leave_a_whole_history():
    threads = [
        threading.Thread(target=recent.remember, args=(f"search {n}", {"n": n})) for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads(recent.path().read_text())) == 12
    assert list(recent.path().parent.iterdir()) == [recent.path()]


def test_a_folder_that_cannot_be_written_to_does_not_stop_a_search(tray):
    recent.path().parent.parent.mkdir(parents=True, exist_ok=True)
    recent.path().parent.write_text("a file where the folder would be")
    tray.target = "NGC 3132"
    assert len(tray.search()) == 13


def test_they_can_be_forgotten(tray):
    recent.remember("a search", {"search_by": "Target name", "target": "M101"})
    menu = tray._obj.recent
    menu.vue_open()
    wait_for(lambda: menu.rows, tray)
    menu.vue_forget()
    wait_for(lambda: not menu.rows, tray)
    assert recent.read() == []


def test_no_token_is_in_what_is_kept(tray, monkeypatch):
    monkeypatch.setenv("MAST_API_TOKEN", "0123456789abcdef-secret")
    tray.target = "NGC 3132"
    tray.search()
    assert "secret" not in recent.path().read_text()


# -- long answers ----------------------------------------------------------------------------


def test_the_next_rows_come_as_the_user_pages(tray, mast, asked):
    whole = mast.search("NGC 3132", all_levels=True)
    tray.target, tray.all_levels = "NGC 3132", True
    with conf.set_temp("page_size", 50):
        tray.search()
        assert tray._obj.n_rows == 50
        assert tray._obj.search_message.startswith(f"{len(whole)} observations. ")
        assert tray._obj.more_note.startswith(f"50 of {len(whole)} observations are here;")
        table = tray._obj.observations
        table.select_rows([0, 7])
        before = len(asked("invoke"))
        table.options = table.options | {"page": 4}
        assert len(asked("invoke")) == before, "there are rows after this page"
        table.options = table.options | {"page": 5}
        wait_for(lambda: tray._obj.n_rows == 100, tray)
        assert table.options["page"] == 5
        assert table.selected_indices == [0, 7]
        while tray.fetch_more() is not None:
            pass
    assert list(table.table["obsid"]) == list(whole["obsid"])
    assert tray._obj.more_note == ""


def test_a_next_page_that_does_not_come_is_said_and_can_be_tried_again(tray, archive):
    tray.target, tray.all_levels = "NGC 3132", True
    with conf.set_temp("page_size", 50):
        tray.search()
        archive.fail(Fault("status", route="invoke", status=500))
        tray._obj._start_more()
        wait_for(lambda: not tray._obj.fetching_more, tray)
        assert "the next did not come: The archive at" in tray._obj.more_note
        archive.clear_faults()
        assert len(tray.fetch_more()) == 100


def test_a_new_search_forgets_the_pages_of_the_last(tray):
    tray.target, tray.all_levels = "NGC 3132", True
    with conf.set_temp("page_size", 50):
        tray.search()
        tray.fetch_more()
        tray.target = "NGC 7319"
        tray.search()
        assert tray._obj.more_note == ""
        assert tray.fetch_more() is None


def test_words_for_what_is_found_follow_the_levels():
    by = {"radius": 0.1, "unit": "deg", "mission": "Any", "all_levels": False}
    form = SearchForm(by="Target name", subject="", more=EMPTY | {"author": "QLP"}, **by)
    assert form.in_words() == "QLP, levels 3 and 4"
    assert form.found(3).startswith("3 observations at levels 3 and 4.")
    assert "target" not in form.arguments()
