"""Where something comes from, line by line, to be copied or written as W3C PROV."""

from pathlib import Path

from traitlets import List, Unicode

from jdaviz_mast.errors import MastError
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.panel import Panel
from jdaviz_mast.tray.words import cut
from jdaviz_mast.tray.worker import Worker

__all__ = ["ProvenancePanel"]

_MOST_LINES = 400
_LONGEST = 400


class ProvenancePanel(Panel):
    """Shows one tree of origins at a time; found out beside the page.

    Parameters
    ----------
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    mast : `jdaviz_mast.Mast`
    layer_of : callable
        Called with a label on the owner's thread; returns what `jdaviz_mast.Mast.provenance` takes
        of that layer.
    """

    template_file = __file__, "provenance_panel.vue"

    layers = List().tag(sync=True)  # labels of the layers to choose from
    layer = Unicode("").tag(sync=True)  # the one that is shown; empty if it is something else
    rows = List().tag(sync=True)  # dicts: depth, text, facts
    notes = List().tag(sync=True)
    text = Unicode("").tag(sync=True)  # all of it, to be copied

    def __init__(self, owner, mast, layer_of):
        super().__init__(owner, mast)
        self._layer_of, self._found = layer_of, None

    def start(self, subject, title, *, layers=(), layer=""):
        """Find out where something comes from and show it; return the `Worker`.

        Parameters
        ----------
        subject
            What `jdaviz_mast.Mast.provenance` takes.
        title : str
        layers : list of str
            Labels to choose from.
        layer : str
            Which of them it is.
        """
        mast = self._mast
        with self.hold_sync():
            self.layers, self.layer = list(layers), layer
            return self._ask(
                title,
                lambda check_cancelled: mast.provenance(subject, check_cancelled=check_cancelled),
            )

    def _clear(self):
        self._found, self.rows, self.notes, self.text = None, [], [], ""

    def _show(self, found):
        self._found = found
        rows = [
            {"depth": depth, "text": cut(text, _LONGEST), "facts": cut(facts, _LONGEST)}
            for depth, text, facts in found.rows()
        ]
        notes = list(found.notes)
        if len(rows) > _MOST_LINES:
            notes.append(f"{len(rows) - _MOST_LINES:,} more lines are in what is copied or saved.")
        with self.hold_sync():
            self.busy, self.rows, self.text = False, rows[:_MOST_LINES], str(found)
            self.notes = [cut(note, _LONGEST) for note in notes]

    # From the page

    def vue_choose(self, label):
        """Show another layer's."""
        if label in self.layers:
            subject = self._layer_of(label)
            if subject is not None:
                self.start(subject, label, layers=self.layers, layer=label)

    def vue_save(self, _=None):
        """Write it as PROV-JSON into the download folder."""
        found, folder = self._found, Path(self._mast.download_dir)
        if found is None:
            return
        stem = "".join(c if c.isalnum() or c in "-._" else "-" for c in self.title)[:100]
        path = folder / f"{stem.strip('.-') or 'provenance'}_prov.json"

        def write(worker):
            folder.mkdir(parents=True, exist_ok=True)
            return found.write(path)

        Worker(
            self._owner, write,
            on_done=lambda path: self._say(f"Saved as {path}.", "success"),
            on_error=lambda error: self._say(
                sentence(error) if isinstance(error, MastError) else f"{path}: {error}", "error"
            ),
        ).start()  # fmt: skip
