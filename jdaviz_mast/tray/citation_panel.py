"""What to write into a paper: the acknowledgement and the BibTeX entries, to be copied."""

from ipyvuetify import VuetifyTemplate
from traitlets import Bool, List, Unicode

from jdaviz_mast.errors import Cancelled
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.words import cut
from jdaviz_mast.tray.worker import Worker

__all__ = ["CitationPanel"]

_LONGEST = 1200


class CitationPanel(VuetifyTemplate):
    """Shows what to acknowledge and to cite; put together beside the page.

    Parameters
    ----------
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    mast : `jdaviz_mast.Mast`
    """

    template_file = __file__, "citation_panel.vue"

    shown = Bool(False).tag(sync=True)
    busy = Bool(False).tag(sync=True)
    title = Unicode("").tag(sync=True)
    text = Unicode("").tag(sync=True)
    bibtex = Unicode("").tag(sync=True)
    advice = List().tag(sync=True)
    message = Unicode("").tag(sync=True)

    def __init__(self, owner, mast):
        super().__init__()
        self._owner, self._mast = owner, mast
        self._worker = None

    def start(self, subjects, title):
        """Put the citations of some subjects together and show them; return the `Worker`.

        Parameters
        ----------
        subjects
            What `jdaviz_mast.Mast.citations` takes.
        title : str
            What they are of.
        """
        self.close()
        mast = self._mast
        with self.hold_sync():
            self.title, self.shown, self.busy = title, True, True
        worker = Worker(
            self._owner,
            lambda worker: mast.citations(subjects, check_cancelled=worker.check_cancelled),
            on_done=self._show,
            on_error=lambda error: self._failed(error, worker),
        )
        self._worker = worker
        return worker.start()

    def close(self):
        """Show nothing."""
        if self._worker is not None:
            self._worker.cancel()
        with self.hold_sync():
            self.shown, self.busy, self.advice = False, False, []
            self.text, self.bibtex, self.message = "", "", ""

    def _show(self, found):
        with self.hold_sync():
            self.busy, self.text, self.bibtex = False, found.text, found.bibtex
            self.advice = [cut(text, _LONGEST) for text in found.advice]

    def _failed(self, error, worker):
        if worker is not self._worker:  # others are shown by now
            return
        self.busy = False
        if isinstance(error, Cancelled):
            self.shown = False
        else:
            self.message = sentence(error)

    # From the page

    def vue_close(self, _=None):
        """Show nothing."""
        self.close()
