"""Choosing products on the page: unfold, filter, see what it takes, pick, import; the basket."""

import json
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from tray_page import Jobs

F1130W = "jw02733-o002_t001_miri_f1130w"


class Products:
    """The product table on a page."""

    def __init__(self, page):
        self.page = page
        self.box = page.locator("#mast-products")

    def unfold(self, obs_id):
        self.page.get_by_label(f"Products of {obs_id}", exact=True).click()
        self.rows.first.wait_for()

    @property
    def rows(self):
        return self.box.locator("tr.mast-product")

    @property
    def names(self):
        return self.box.locator(".mast-file-name").all_inner_texts()

    @property
    def badges(self):
        return self.box.locator(".mast-badge").all_inner_texts()

    def count(self, number):
        """Wait until so many products match."""
        self.box.get_by_text(re.compile(rf"^\d+-\d+ of {number}$")).wait_for()

    def choose(self, filter, *items):
        """Choose items, such as ``level 2``, of a filter, such as ``levels``."""
        select = self.box.locator(f".mast-filter-{filter}")
        select.click()
        menu = self.page.locator(".v-menu__content:visible")
        for item in items:
            menu.get_by_text(re.compile(rf"^{re.escape(item)} \(")).click()
        self.page.keyboard.press("Escape")
        menu.wait_for(state="hidden")

    def pick(self, name):
        self.box.get_by_label(f"Select {name}", exact=True).click()

    @property
    def totals(self):
        return self.box.locator(".mast-totals")


@pytest.fixture
def tray(open_tray, archive):
    tray = open_tray("imviz")
    tray.search_target("NGC 3132")
    tray.row("F090W").wait_for()
    tray.page.get_by_label("Filter these rows").fill("f1130w")
    tray.row("F1130W").wait_for()
    return tray


@pytest.fixture
def products(tray):
    return Products(tray.page)


def test_two_of_thousands_of_products_are_chosen_and_imported(tray, products):
    products.unfold(F1130W)
    clutter = products.box.locator(".mast-clutter")
    clutter.click()
    products.count("3470")
    clutter.click()
    products.choose("levels", "level 2")
    products.choose("types", "SCIENCE")
    products.count("80")
    assert set(products.badges) <= {"Image"}
    products.totals.get_by_text("All that match: 80 files").wait_for()
    assert "free on disk" in products.totals.inner_text()
    assert re.search(r"24 files will open, with about .* of memory", products.totals.inner_text())

    products.choose("suffixes", "cal")
    products.count("16")
    first, second = products.names[:2]
    products.pick(first)
    products.pick(second)
    products.totals.get_by_text("Selected: 2 files").wait_for()
    assert "2 files will open" in products.totals.inner_text()
    products.box.locator(".mast-import-products").click()
    Jobs(tray).wait_for("2 products", "complete")
    assert "2 images loaded" in tray.message_of("import")
    products.totals.get_by_text("all on disk already").wait_for()


def test_what_does_not_open_here_says_why_and_can_be_downloaded(tray, products):
    products.unfold(F1130W)
    products.choose("levels", "level 1")
    row = products.box.locator("tr.mast-product-why").first
    assert "it opens in jdaviz's App" in row.inner_text()
    name = products.names[0]
    products.box.get_by_label(f"Import {name}", exact=True).click()
    Jobs(tray).wait_for(name, "complete")


def test_the_basket_gathers_from_several_searches(tray, products):
    page = tray.page
    products.unfold(F1130W)
    products.choose("suffixes", "segm")
    products.count("1")
    products.pick(f"{F1130W}_segm.fits")
    products.box.locator(".mast-into-basket").click()
    basket = page.locator("#mast-basket")
    basket.get_by_text("Basket · 1 file").wait_for()

    page.get_by_label("Target", exact=True).fill("")
    tray.search_target("NGC 7319")
    tray.rows.first.wait_for()
    products.box.wait_for(state="detached")  # it was of the other search
    tray.rows.first.get_by_label(re.compile("^More for")).click()
    page.get_by_role("menuitem").get_by_text("Add to basket").or_(
        page.locator(".v-menu__content:visible").get_by_text("Add to basket")
    ).first.click()
    basket.get_by_text(re.compile(r"Basket · [2-9] files")).wait_for()
    basket.locator(".mast-basket-head").click()
    basket.get_by_text(f"{F1130W}_segm.fits").wait_for()
    basket.get_by_label(f"Take {F1130W}_segm.fits out of the basket").click()
    basket.get_by_text(f"{F1130W}_segm.fits").wait_for(state="detached")
    basket.locator(".mast-totals").get_by_text("to fetch").or_(
        basket.locator(".mast-totals").get_by_text("free on disk")
    ).first.wait_for()
    basket.locator(".mast-import-basket").click()
    assert "loaded" in tray.message_of("import")


def test_each_row_links_to_its_page_in_the_portal(tray):
    tray.row("F1130W").get_by_label(f"More for {F1130W}").click()
    link = tray.page.locator(".v-menu__content:visible a[href]")
    address = urlsplit(link.get_attribute("href"))
    assert (address.scheme, address.netloc) == ("https", "mast.stsci.edu")
    search = json.loads(parse_qs(address.query)["searchQuery"][0])
    assert search["inputText"][0]["freeText"] == F1130W
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert link.get_attribute("target") == "_blank"
