"""Recent searches: kept on disk, shown as a menu, and put back into the fields with one click."""

import contextlib
import json
import threading
from pathlib import Path

import platformdirs
from ipyvuetify import VuetifyTemplate
from traitlets import Bool, List

from jdaviz_mast.tray.words import cut
from jdaviz_mast.tray.worker import Worker
from jdaviz_mast.whole import write_whole

__all__ = ["MOST", "RecentSearches", "forget", "read", "remember"]

#: Searches that are remembered.
MOST = 20
_LONGEST = 100_000  # characters of the file; more is not ours
_lock = threading.Lock()


def path():
    """Return the file that recent searches are kept in."""
    return Path(platformdirs.user_data_dir("jdaviz-mast", appauthor=False)) / "recent_searches.json"


def read():
    """Return the recent searches, newest first.

    Returns
    -------
    searches : list of dict
        ``words`` (what was asked, in words) and ``fields`` (what was in the fields). Empty if
        there is no file, or one that cannot be read.
    """
    try:
        text = path().read_text("utf-8")
        found = json.loads(text) if len(text) < _LONGEST else []
    except (OSError, ValueError):
        return []
    return [
        {"words": str(item.get("words", "")), "fields": item["fields"]}
        for item in (found if isinstance(found, list) else [])
        if isinstance(item, dict) and isinstance(item.get("fields"), dict)
    ][:MOST]


def remember(words, fields):
    """Put a search at the head of the recent ones.

    A history that cannot be written is not worth an error: the search has been made.

    Parameters
    ----------
    words : str
    fields : dict
        What JSON can hold.
    """
    with _lock, contextlib.suppress(OSError):
        others = [item for item in read() if item["fields"] != fields]
        kept = [{"words": words, "fields": fields}, *others][:MOST]
        path().parent.mkdir(parents=True, exist_ok=True)
        write_whole(path(), json.dumps(kept).encode())


def forget():
    """Forget all recent searches."""
    with _lock, contextlib.suppress(OSError):
        path().unlink(missing_ok=True)


class RecentSearches(VuetifyTemplate):
    """A button with a menu of recent searches.

    Parameters
    ----------
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    on_choice : callable
        Called with the fields of the search that was chosen; must not wait.
    """

    template_file = __file__, "recent.vue"

    rows = List().tag(sync=True)  # what was asked, in words
    looked = Bool(False).tag(sync=True)

    def __init__(self, owner, on_choice):
        super().__init__()
        self._owner, self._on_choice, self._searches = owner, on_choice, []

    def show(self, searches):
        """Show some searches, as `read` returns them."""
        self._searches = searches
        self.rows = [cut(search["words"], 200) for search in searches]
        self.looked = True

    # From the page

    def vue_open(self, _=None):
        """Read what there is."""
        Worker(self._owner, lambda worker: read(), on_done=self.show,
               on_error=lambda error: self.show([])).start()  # fmt: skip

    def vue_choose(self, index):
        """Put a search back into the fields."""
        if isinstance(index, int) and 0 <= index < len(self._searches):
            self._on_choice(self._searches[index]["fields"])

    def vue_forget(self, _=None):
        """Forget them all."""
        Worker(self._owner, lambda worker: forget(), on_done=lambda _: self.show([]),
               on_error=lambda error: None).start()  # fmt: skip
