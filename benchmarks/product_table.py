"""From a list of products to a table one can choose from: time and bytes, with a page.

    python benchmarks/product_table.py [--products 10000]

What is measured, and why that is fair: README.md.
"""

import argparse
import time
import warnings

import comm
from search_table import REPEAT, Page, change, cost, event, print_costs

OBSERVATION = "jw02733-o002_t001_miri_f1130w"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--products", type=int, default=10_000, help="of one observation (10000)")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import jdaviz

    from jdaviz_mast.demo import DemoArchive

    jdaviz.App()  # brings connections of its own, once
    comm.create_comm = Page
    with DemoArchive() as archive:
        archive.products += more_products(archive, options.products)
        tray = jdaviz.App().plugins["MAST Import"]
        tray._obj.mast._server = archive.url
        start = time.perf_counter()
        products = tray.choose_products(OBSERVATION)
        asked = time.perf_counter() - start
        assert len(products) == options.products
        print(
            f"{len(products):,} products of {len(products.colnames)} columns, asked for, sent, "
            f"parsed and shown in {asked:.2f} s.\n"
        )
        print_costs(uses(tray, products))


def more_products(archive, number):
    """Return rows for as many more guide-star and science files as are missing."""
    own = next(row for row in archive.observations if row["obs_id"] == OBSERVATION)
    patterns = [row for row in archive.products if row["parent_obsid"] == own["obsid"]]
    missing = number - len({row["dataURI"] for row in patterns})
    rows = []
    for n in range(missing):
        pattern = patterns[n % len(patterns)]
        name = f"jw02733{n:05d}_{pattern['productFilename'].partition('_')[2]}"
        rows.append(pattern | {"productFilename": name, "dataURI": f"mast:JWST/product/{name}"})
    return rows


def uses(tray, products):
    table, found = tray._obj.products, {}

    def use(name, message, before=None):
        received, deliver = message
        found[name] = cost(deliver, page=True, repeat=REPEAT, before=before, received=received)

    def everything():
        table.levels, table.types, table.suffixes, table.clutter = [], [], [], True
        table.options = table.options | {"page": 1, "sortBy": [], "sortDesc": []}
        table.select_none()

    def show():
        table.show(products, "many")

    def hide():
        table.show(None)

    found["show the list, no page"] = cost(show, page=False, repeat=REPEAT, before=hide)
    found["show the list"] = cost(show, page=True, repeat=REPEAT, before=hide)
    use("level 2 alone", change(table, levels=[2]), everything)
    use("SCIENCE alone, of level 2", change(table, types=["SCIENCE"]), lambda: levels_2(table))
    use("sort by size", change(table, options=table.options | {"sortBy": ["size"]}), everything)
    use("filter by words", change(table, filter_text="mirimage cal"), lambda: no_words(table))
    no_words(table)
    use("next page", change(table, options=table.options | {"page": 2}), everything)
    use("select all", event(table, "toggle_all"), everything)
    use("deselect one of all", event(table, "toggle", 5), table.select_all)
    everything()
    found["forecast of all (beside the page)"] = cost(
        lambda: tray.forecast(products), page=False, repeat=REPEAT
    )
    return found


def levels_2(table):
    table.types, table.levels, table.clutter = [], [2], True


def no_words(table):
    table.filter_text = ""


if __name__ == "__main__":
    main()
