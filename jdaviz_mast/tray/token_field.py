"""The field for the token of exclusive data: what is typed goes to Python and nowhere else."""

from ipyvuetify import VuetifyTemplate
from traitlets import Bool, Unicode

from jdaviz_mast.archive import (
    TOKEN_PAGE,
    check_token,
    forget_token,
    set_token,
    store_token,
    token_origin,
)
from jdaviz_mast.archive.token import Secret, veiled
from jdaviz_mast.errors import Cancelled
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.worker import Worker

__all__ = ["TokenField"]

_ORIGINS = {
    None: "There is no token.",
    "session": "A token is in use for this session.",
    "environment": "The token of the environment variable MAST_API_TOKEN is in use.",
    "keyring": "The token of the keyring is in use.",
}


class TokenField(VuetifyTemplate):
    """Takes a token, forgets it, and asks the archive whose it is.

    The keyring and the archive may take long, so they are asked beside the page. No trait ever
    holds a token: it comes as the content of an event.

    Parameters
    ----------
    mast : `jdaviz_mast.Mast`
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    """

    template_file = __file__, "token_field.vue"

    token_page = Unicode(TOKEN_PAGE).tag(sync=True)
    origin = Unicode("").tag(sync=True)  # where the token in force comes from, in words
    has_token = Bool(False).tag(sync=True)
    message = Unicode("").tag(sync=True)
    message_type = Unicode("info").tag(sync=True)
    busy = Bool(False).tag(sync=True)

    def __init__(self, mast, owner):
        super().__init__()
        self._mast, self._owner, self._worker = mast, owner, None

    def vue_open(self, _=None):
        """Say where the token comes from; the keyring is not asked before."""
        self._do(lambda: ("", "info"))

    def vue_use(self, given):
        """Use a token: ``{"token": text, "keep": whether the keyring is to have it}``."""
        token, keep = Secret(), False
        if isinstance(given, dict):
            # Taken out: the event must not carry it any further.
            token, keep = veiled(given.pop("token", None)), given.get("keep") is True

        def use():
            if keep:
                store_token(token)
                return "The token is kept in the keyring.", "success"
            set_token(token)
            return "The token is used until this session ends.", "success"

        self._do(use)

    def vue_forget(self, _=None):
        """Forget the token, in the keyring too."""

        def forget():
            if forget_token() is None:
                return "The token is forgotten.", "success"
            return "The token given here is forgotten; another one is still in force.", "warning"

        self._do(forget)

    def vue_check(self, _=None):
        """Ask the archive whose token it is."""

        def check():
            return f"The archive knows you as {check_token(self._mast.server).name}.", "success"

        self._do(check)

    def _do(self, action):
        if self.busy:
            return
        self.busy, self.message = True, ""
        self._worker = Worker(
            self._owner,
            lambda worker: (*action(), token_origin()),
            on_done=lambda said: self._say(*said),
            on_error=self._failed,
        ).start()

    def _say(self, message, kind, origin):
        with self.hold_sync():
            self.message, self.message_type, self.busy = message, kind, False
            self.origin, self.has_token = _ORIGINS[origin], origin is not None

    def _failed(self, error):
        self.busy = False
        if not isinstance(error, Cancelled):
            self.message, self.message_type = sentence(error), "error"
