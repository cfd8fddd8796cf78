"""On a real page: narrow a search, find the keyword, come back to an earlier search."""


def test_filters_keywords_and_recent_searches(open_tray):
    tray = open_tray("app")
    page = tray.page
    fold, filters = page.locator(".mast-filters-fold"), page.locator("#mast-filters")
    fold.click()
    filters.get_by_label("Wavelength from").fill("3")
    filters.get_by_label("Observed from").fill("2022-06")
    keyword = filters.get_by_label("Keyword", exact=True)
    keyword.click()
    keyword.fill("type of the exposure")  # a word of what it means, not of its name
    page.locator(".mast-filters-item").filter(has_text="exp_type").click()
    filters.get_by_label("Value", exact=True).fill("NRC_IMAGE")
    page.locator("#mast-keyword-add").click()
    page.locator(".mast-filters-keyword").filter(has_text="exp_type: NRC_IMAGE").wait_for()
    page.get_by_text("3 in force").wait_for()

    tray.search_target("NGC 3132")
    assert tray.message_of("search").startswith("3 observations at level 3.")
    assert page.locator("#mast-search-notes").inner_text() == (
        "NGC 3132 is at 151.75725 -40.43641 (SIMBAD)."
    )

    filters.get_by_label("Wavelength from").fill("short")
    page.locator("#mast-search").click()
    page.get_by_text("Wavelength cannot be “short”").wait_for()
    page.locator("#mast-filters-clear").click()
    page.get_by_text("3 in force").wait_for(state="hidden")
    tray.search_target("TIC 261136679")
    page.get_by_text("TIC 261136679: Tmag 5.11, Teff 6037 K").wait_for()

    page.locator("#mast-recent").click()
    page.locator(".mast-recent-row").nth(1).click()
    page.get_by_text("3 in force").wait_for()
    assert page.get_by_label("Target", exact=True).input_value() == "NGC 3132"
    page.locator("#mast-search").click()
    tray.row("F356W").wait_for()
