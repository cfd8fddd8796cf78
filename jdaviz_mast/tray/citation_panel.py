"""What to write into a paper: the acknowledgement and the BibTeX entries, to be copied."""

from traitlets import List, Unicode

from jdaviz_mast.tray.panel import Panel
from jdaviz_mast.tray.words import cut

__all__ = ["CitationPanel"]

_LONGEST = 1200


class CitationPanel(Panel):
    """Shows what to acknowledge and to cite; put together beside the page."""

    template_file = __file__, "citation_panel.vue"

    text = Unicode("").tag(sync=True)
    bibtex = Unicode("").tag(sync=True)
    advice = List().tag(sync=True)

    def start(self, subjects, title):
        """Put the citations of some subjects together and show them; return the `Worker`.

        Parameters
        ----------
        subjects
            What `jdaviz_mast.Mast.citations` takes.
        title : str
            What they are of.
        """
        mast = self._mast
        return self._ask(
            title, lambda check_cancelled: mast.citations(subjects, check_cancelled=check_cancelled)
        )

    def _show(self, found):
        with self.hold_sync():
            self.busy, self.text, self.bibtex = False, found.text, found.bibtex
            self.advice = [cut(text, _LONGEST) for text in found.advice]

    def _clear(self):
        self.text, self.bibtex, self.advice = "", "", []
