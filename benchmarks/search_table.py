"""From the archive's answer to a table one can use: time and bytes, ours against jdaviz's own.

    python benchmarks/search_table.py [--rows 10000] [--full] [--ours]

What is measured, and why that is fair: README.md.
"""

import argparse
import json
import statistics
import time
import warnings
from dataclasses import dataclass

import comm
from comm.base_comm import BaseComm
from jupyter_client.session import json_packer

PROGRAM = 1727
#: Rows that jdaviz's loader shows unless told otherwise.
LOADER_DEFAULT = 1000
REPEAT = 7


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the answer (10000)")
    parser.add_argument(
        "--full",
        action="store_true",
        help="run jdaviz's loader on all rows with a page, too; takes half an hour",
    )
    parser.add_argument(
        "--ours", action="store_true", help="leave jdaviz's own tables out: for many rows"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import jdaviz

    answer = search(options.rows)
    jdaviz.App()  # brings connections of its own, once
    comm.create_comm = Page
    if options.ours:
        print_ours(answer, jdaviz)
        return
    print(
        "Filling the table, from the answer being there. Time: median; of the loader, one run.\n"
        "The loader asks another service, for 5,000 rows at most: its code that fills the table\n"
        "is given this answer instead."
    )
    print_fills(answer, jdaviz, options.full)
    print("\nUsing the table, with a page. Time: median, in Python.")
    print_uses(answer, jdaviz)


# The answer


def search(number):
    """Return what an ordinary search for `number` rows answers, and print how long it took."""
    from jdaviz_mast import Mast
    from jdaviz_mast.demo import DemoArchive

    with DemoArchive() as archive:
        archive.observations += plausible_rows(archive.observations, number)
        start = time.perf_counter()
        answer = Mast(archive.url).search(program_id=PROGRAM, all_levels=True)
        seconds = time.perf_counter() - start
    assert len(answer) == number
    print(
        f"Search, the same for all: {number:,} rows of {len(answer.colnames)} columns, asked "
        f"for, sent and parsed in {seconds:.2f} s.\n"
    )
    return answer


def plausible_rows(observations, number):
    """Return rows as of a large JWST program, after the archive's own JWST rows."""
    from jdaviz_mast.demo.footprint import rectangle

    patterns = [row for row in observations if row["obs_collection"] == "JWST"]
    patterns = [row for row in patterns if row["calib_level"] in (2, 3)]
    rows = []
    for n in range(number):
        pattern = patterns[n % len(patterns)]
        visit, exposure = divmod(n, 96)
        name = f"jw{PROGRAM:05}{visit % 999 + 1:03}001_{2101 + visit // 999:05}_{exposure + 1:05}"
        ra, dec = 150.12 + (visit % 40 - 20) * 0.02, 2.2 + (visit // 40) * 0.03
        start = 59900 + 0.37 * visit + 0.0131 * exposure
        rows.append(pattern | {
            "obsid": str(150_000_000 + n),
            "objID": str(1_200_000_000 + n),
            "obs_id": f"{name}_nrcb{n % 4 + 1}",
            "target_name": f"COSMOS-FIELD-{visit % 40 + 1}",
            "s_ra": ra, "s_dec": dec,
            "s_region": rectangle(ra, dec, 64, 64, 20),
            "proposal_id": str(PROGRAM), "proposal_type": "GO",
            "proposal_pi": "Kartaltepe, Jeyhan",
            "obs_title": "COSMOS-Webb: The Webb Cosmic Origins Survey",
            "t_min": start, "t_max": start + 0.011,
            "t_exptime": None if n % 50 == 49 else 257.682 * (1 + n % 4),
            "t_obs_release": start + 365,
            "dataRights": "EXCLUSIVE_ACCESS" if n % 10 == 9 else "PUBLIC",
            "jpegURL": f"mast:JWST/product/{name}_cal.jpg",
            "dataURL": f"mast:JWST/product/{name}_cal.fits",
        })  # fmt: skip
    return rows


# The page


class Page(BaseComm):
    """Stands in for the connection to the page: makes every message up, and counts it."""

    is_open = False
    bytes = messages = 0

    @property
    def kernel(self):
        """What ipywidgets looks at: without a kernel it does not send changes."""
        return Page if Page.is_open else None

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        """Encode a message as a kernel does."""
        if Page.is_open:
            content = json_packer({"data": data, "comm_id": self.comm_id, **keys})
            Page.bytes += len(content) + sum(len(buffer) for buffer in buffers or ())
            Page.messages += 1


@dataclass
class Cost:
    """What an action takes."""

    seconds: float
    sent: int = 0
    messages: int = 0
    received: int = 0


def cost(action, *, page, repeat=1, before=None, received=0):
    """Measure an action: the median of the times, what is sent in the last one."""
    seconds = []
    for _ in range(repeat):
        if before is not None:
            before()
        Page.is_open, Page.bytes, Page.messages = page, 0, 0
        start = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - start)
        Page.is_open = False
    return Cost(statistics.median(seconds), Page.bytes, Page.messages, received)


def from_page(widget, **content):
    """Return a message of the page to a widget as bytes, and what delivers it."""
    text = json.dumps(content)

    def deliver():
        widget._handle_msg({"content": {"data": json.loads(text)}, "buffers": []})

    return len(text), deliver


def event(widget, name, data=None):
    return from_page(widget, method="custom", content={"event": name, "data": data})


def change(widget, **state):
    return from_page(widget, method="update", state=state, buffer_paths=[])


# Filling it


def print_fills(answer, jdaviz, full):
    few = answer[:LOADER_DEFAULT]
    line = "  {:<38}{:>7}{:>12}{:>10}{:>10}{:>10}{:>12}"
    print(line.format("", "rows", "time", "÷ ours", "sent", "messages", "÷ ours"))
    for page in (False, True):
        print(" with a page" if page else " without a page: nothing is sent")
        for table in (few, answer):
            ours = fill_ours(jdaviz, table, page)
            fills = {"jdaviz-mast": ours}
            if table is few or full or not page:
                fills["jdaviz's astroquery loader"] = fill_loader(jdaviz, table, page)
            fills["jdaviz's Table, if filled at once"] = fill_at_once(jdaviz, table, page)
            for name, one in fills.items():
                print(line.format(
                    name, f"{len(table):,}", seconds(one), ratio(one.seconds, ours.seconds),
                    size(one.sent), f"{one.messages:,}", ratio(one.sent, ours.sent),
                ), flush=True)  # fmt: skip
    sent = size(bytes_of_the_loader(jdaviz, answer))
    print(f"  The loader sends all rows with each row: {sent} for {len(answer):,} (calculated).")


def print_ours(answer, jdaviz):
    print_costs({"fill, no page": fill_ours(jdaviz, answer, False),
                 "fill, with a page": fill_ours(jdaviz, answer, True)}
                | our_uses(jdaviz, answer))  # fmt: skip


def print_costs(costs):
    """Print what actions took, with a page unless it says otherwise."""
    line = "  {:<40}{:>10}{:>12}{:>12}"
    print(line.format("", "time", "from page", "to page"))
    for name, one in costs.items():
        print(line.format(name, seconds(one), size(one.received), size(one.sent)))


def our_table(jdaviz):
    return jdaviz.App().plugins["MAST Import"].observations._obj


def fill_ours(jdaviz, answer, page):
    table = our_table(jdaviz)
    result = cost(lambda: table.show(answer), page=page, repeat=REPEAT,
                  before=lambda: table.show(None))  # fmt: skip
    assert isinstance(table.comm, Page)
    assert (table.total, len(table.rows)) == (len(answer), 10)
    return result


def fill_loader(jdaviz, answer, page):
    """Fill the loader's table by its own code, from where it has its answer.

    The loader itself cannot ask for this answer: it asks MAST's mission search, which has
    other columns, and as it calls it (`MastMissions.query_region`), for 5,000 rows at most.
    """
    loader = jdaviz.App().loaders["astroquery"]._obj
    # A new loader fills its table twice, since that it now shows a query counts as new input.
    loader._output = loader_answer(answer[:1])
    loader._resolver_input_updated()
    loader._output = loader_answer(answer)
    result = cost(loader._resolver_input_updated, page=page)
    assert loader.observation_table_populated
    assert len(loader.observation_table.items) == len(answer)
    return result


def loader_answer(answer):
    """Return the answer with the one column that the loader renames to the name it wants."""
    answer = answer.copy()
    answer.rename_column("obs_id", "Dataset")
    return answer


def fill_at_once(jdaviz, answer, page):
    table = jdaviz_table(jdaviz)
    return cost(lambda: put_in_at_once(table, answer), page=page, repeat=REPEAT,
                before=table._clear_table)  # fmt: skip


def jdaviz_table(jdaviz):
    """Return a table set up as the loader's is, but that asks for nothing when selected."""
    table = jdaviz.App().loaders["astroquery"]._obj.observation_table
    table._selected_rows_changed_callback = None
    return table


def put_in_at_once(table, answer):
    """Fill jdaviz's table with one message, as none of its plugins does."""
    values = [answer[name].tolist() for name in answer.colnames]
    names = ["Dataset" if name == "obs_id" else name for name in answer.colnames]
    table._qtable = answer
    table.headers_avail = table.headers_visible = names
    table.items = [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def bytes_of_the_loader(jdaviz, answer):
    """Add up what `Table.add_item` sends: with row n, rows 1 to n."""
    table = jdaviz_table(jdaviz)
    put_in_at_once(table, answer)
    lengths = [len(json_packer(row)) + 1 for row in table.items]
    return sum(length * (len(lengths) - n) for n, length in enumerate(lengths))


# Using it


def print_uses(answer, jdaviz):
    ours, theirs = our_uses(jdaviz, answer), jdaviz_uses(jdaviz, answer)
    line = "  {:<36}{:>10}{:>11}{:>11}   {:>10}{:>11}{:>11}{:>9}{:>9}"
    print(line.format("", "jdaviz-mast", "from page", "to page", "jdaviz's", "from page",
                      "to page", "time ÷", "bytes ÷"))  # fmt: skip
    for name, our in ours.items():
        their = theirs.get(name)
        cells = [seconds(our), size(our.received), size(our.sent)]
        if their is None:
            cells += ["on page", "0 B", "0 B", "", ""]
        else:
            cells += [
                seconds(their), size(their.received), size(their.sent),
                ratio(their.seconds, our.seconds),
                ratio(their.received + their.sent, our.received + our.sent),
            ]  # fmt: skip
        print(line.format(name, *cells))


def our_uses(jdaviz, answer):
    table = our_table(jdaviz)
    table.show(answer)
    uses = {}

    def use(name, message, before=None):
        received, deliver = message
        uses[name] = cost(deliver, page=True, repeat=REPEAT, before=before, received=received)

    def options(**values):
        return change(table, options=table.options | values)

    first = dict(table.options)

    def unsorted():
        table.options = first

    use("sort by exposure time", options(sortBy=["t_exptime"], sortDesc=[True]), unsorted)
    use("sort by target", options(sortBy=["target_name"], sortDesc=[True]), unsorted)
    use("next page", options(page=2), unsorted)
    unsorted()
    use("select all", event(table, "toggle_all"), table.select_none)
    assert table.n_selected == len(answer)
    use("deselect one of all", event(table, "toggle", 5), table.select_all)
    assert table.n_selected == len(answer) - 1
    use("deselect all", event(table, "toggle_all"), table.select_all)
    assert table.n_selected == 0
    uses["another plugin's table gets a row"] = change_elsewhere(table)
    return uses


def jdaviz_uses(jdaviz, answer):
    table = jdaviz_table(jdaviz)
    put_in_at_once(table, answer)
    every, all_but_one = table.items, table.items[:5] + table.items[6:]
    uses = {}

    def use(name, message, before):
        received, deliver = message

        def prepare():
            table.selected_rows = before

        uses[name] = cost(deliver, page=True, repeat=REPEAT, before=prepare, received=received)

    use("select all", change(table, selected_rows=every), [])
    assert len(table.selected_rows) == len(answer)
    use("deselect one of all", change(table, selected_rows=all_but_one), every)
    use("deselect all", change(table, selected_rows=[]), every)
    assert not table.selected_rows
    uses["another plugin's table gets a row"] = change_elsewhere(table)
    return uses


def change_elsewhere(table):
    """Measure what jdaviz does about every table when one of them has changed."""
    from jdaviz.core.events import PluginTableModifiedMessage

    changed = PluginTableModifiedMessage(sender=table)
    return cost(lambda: table._plugin.session.hub.broadcast(changed), page=True, repeat=REPEAT)


# Words


def seconds(one):
    return f"{one.seconds * 1e3:.1f} ms" if one.seconds < 1 else f"{one.seconds:.1f} s"


def size(number):
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"


def ratio(theirs, ours):
    if not ours:
        return ""
    return f"{theirs / ours:,.0f}" if theirs >= 10 * ours else f"{theirs / ours:.2g}"


if __name__ == "__main__":
    main()
