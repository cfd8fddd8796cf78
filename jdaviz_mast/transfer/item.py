"""What is to be fetched, and how far that has come."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jdaviz_mast.errors import MastError

__all__ = ["ENDED", "Item", "Source", "TransferFile"]

#: States of a file with which nothing more will happen.
ENDED = ("complete", "failed", "cancelled")


@dataclass(frozen=True)
class Source:
    """One place where a file can be had: ``'http'`` or ``'s3'``, and the address there."""

    name: str
    url: str


@dataclass(frozen=True)
class Item:
    """One file to fetch.

    Attributes
    ----------
    uri : str
        The archive's name for it.
    sources : tuple of Source
        Where it is fetched, in the order in which they are tried.
    path : `~pathlib.Path` or None
        Where it goes; None if ``problem`` says why it goes nowhere.
    size : int or None
        Bytes that the archive lists for it.
    check : callable or None
        Called with a path; raises if the content is not what the name says.
    about : mapping
        What the caller wants to find again on the file; JSON. Not looked at here.
    problem : str
        Why it cannot be fetched, known beforehand; empty if it can.
    note : str
        What is to be said of it from the start, such as why a source is left out.
    """

    uri: str
    sources: tuple
    path: Path | None
    size: int | None = None
    check: Callable | None = None
    about: Mapping = field(default_factory=dict)
    problem: str = ""
    note: str = ""

    def is_good(self):
        """Return whether what stands at `path` is what it should be, by its content."""
        try:
            if self.check is not None:
                self.check(self.path)
        except (MastError, OSError):
            return False
        return True


class TransferFile:
    """One file of a job, as it stands now.

    Attributes
    ----------
    path : `~pathlib.Path`
    uri : str
    state : str
        ``queued``, ``running``, ``complete``, ``failed`` or ``cancelled``.
    bytes_done, bytes_total : int
        Bytes on disk, and of the whole file; 0 while that is not known.
    bytes_fetched : int
        Bytes that came over the wire in this run, those that had to be thrown away included.
    source : str
        ``'http'`` or ``'s3'``: where it comes from; empty before that is tried.
    error : str or None
        A sentence that says what went wrong.
    failure : str
        Why a file failed, where a program may want to know: ``'denied'`` (no access) or
        ``'gone'`` (the archive has no such file); else empty.
    note : str
        What a user may want to know although all is well: it changed on the server, another
        source had to be used. Empty if there is nothing to say.
    about : mapping
        What was known of the file when the job was made.
    """

    def __init__(self, item):
        self.item = item
        self.path, self.uri, self.about = item.path, item.uri, item.about
        self.state, self.error, self.note, self.source = "queued", None, item.note, ""
        self.failure = ""
        self.bytes_done, self.bytes_total, self.bytes_fetched = 0, item.size or 0, 0

    @property
    def name(self):
        """File name, or the archive's name where there is none."""
        return self.path.name if self.path else self.uri

    @property
    def ended(self):
        """Whether nothing more will happen to it."""
        return self.state in ENDED

    def say(self, sentence):
        """Add a sentence to the note, once."""
        if sentence not in self.note:
            self.note = f"{self.note} {sentence}".strip()

    def unsay(self, sentence):
        """Take a sentence out of the note again."""
        self.note = self.note.replace(sentence, "").strip()

    def __repr__(self):
        return f"<TransferFile {self.name} {self.state}>"
