"""What the tray hands out as text: a notebook cell, a script, a manifest; and takes one in."""

from ipyvuetify import VuetifyTemplate
from traitlets import Bool, Int, Unicode

__all__ = ["Handout"]

#: Characters that are shown; all of them are copied or saved.
_SHOWN = 6000
#: Characters of a manifest that a page may send.
_LARGEST = 50_000_000


class Handout(VuetifyTemplate):
    """A text to copy or to save, and a button to choose a manifest for a replay.

    Parameters
    ----------
    on_manifest : callable
        Called with the text of a file that was chosen; must not wait.
    """

    template_file = __file__, "handout.vue"

    title = Unicode("").tag(sync=True)
    note = Unicode("").tag(sync=True)
    text = Unicode("").tag(sync=True)
    shown = Unicode("").tag(sync=True)
    name = Unicode("").tag(sync=True)  # of the file that it is saved as
    mime = Unicode("text/plain").tag(sync=True)
    copied_at_once = Bool(False).tag(sync=True)
    serial = Int(0).tag(sync=True)  # grows with each text

    def __init__(self, on_manifest):
        super().__init__()
        self._on_manifest = on_manifest

    def offer(self, title, text, name, *, mime="text/plain", copied=False, visible=True):
        """Hand out a text.

        Parameters
        ----------
        title, text : str
        name : str
            Of the file that it is saved as.
        mime : str
        copied : bool
            Whether it goes to the clipboard at once.
        visible : bool
            Whether its beginning is shown.
        """
        with self.hold_sync():
            self.title, self.text, self.name, self.mime = title, text, name, mime
            self.shown = text[:_SHOWN] if visible else ""
            more = visible and len(text) > _SHOWN
            self.note = "This is its beginning; all of it is copied and saved." if more else ""
            self.copied_at_once = copied
            self.serial += 1

    def say(self, title, note=""):
        """Show a sentence instead of a text."""
        with self.hold_sync():
            self.title, self.note, self.text, self.shown = title, note, "", ""

    # From the page

    def vue_close(self, _=None):
        """Put it away."""
        self.say("")

    def vue_replay(self, text):
        """Take in the manifest that was chosen."""
        if isinstance(text, str) and len(text) <= _LARGEST:
            self._on_manifest(text)
        else:
            self.say("This file is too large for a manifest.")
