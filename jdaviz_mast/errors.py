"""What can go wrong, as types: every message is a sentence that a user can act on."""

from jdaviz_mast.words import bytes_in_words

__all__ = [
    "AccessDenied",
    "ArchiveError",
    "ArchiveTimeout",
    "ArchiveUnreachable",
    "Cancelled",
    "DiskFull",
    "FileProblem",
    "InvalidInput",
    "MastError",
    "NotAnImage",
    "NotViewable",
    "ObservationNotFound",
    "TargetNotFound",
]


class MastError(Exception):
    """Base class of all errors that jdaviz-mast raises on purpose."""


class InvalidInput(MastError, ValueError):
    """An argument is not usable; the message names it, its value and what is allowed."""

    def __init__(self, field, value, allowed):
        self.field, self.value, self.allowed = field, value, allowed
        shown = " ".join(repr(value).split())  # a table or an array takes many lines
        shown = shown if len(shown) <= 80 else f"{shown[:79]}…"
        said = "nothing is given" if value is None else f"{shown} is not usable"
        super().__init__(f"{field}: {said}; {allowed}.")

    def for_person(self, label):
        """Return the message for a form, where the field is called ``label``."""
        if self.value is None or not str(self.value).strip():
            return f"{label} is empty: {self.allowed}."
        return f"{label} cannot be “{self.value}”: {self.allowed}."


class TargetNotFound(MastError, LookupError):
    """No name resolver knows the target."""


class ObservationNotFound(MastError, LookupError):
    """The archive holds no such observation."""


class ArchiveUnreachable(MastError, ConnectionError):
    """The archive could not be reached: no network, refused, or an unknown host."""


class ArchiveTimeout(MastError, TimeoutError):
    """The archive did not answer in time."""


class ArchiveError(MastError):
    """The archive answered with an error, or with something that is not an answer."""


class AccessDenied(MastError, PermissionError):
    """The data are under exclusive access, or the token is not accepted."""


class FileProblem(MastError, OSError):
    """A product file is cut short, of the wrong size, or not what its name says."""


class DiskFull(FileProblem):
    """There is no room for a file; the message names the folder and what is missing."""

    def __init__(self, folder, needed, free):
        self.folder, self.needed, self.free = folder, needed, free
        super().__init__(
            f"The disk is full: {bytes_in_words(needed)} are needed in {folder}, "
            f"{bytes_in_words(free)} are free. Make room, then resume the import."
        )

    def __reduce__(self):
        return type(self), (self.folder, self.needed, self.free)


class NotAnImage(MastError, TypeError):
    """The product is fine, but it is not an image that this viewer can show."""


class NotViewable(MastError, TypeError):
    """The product is fine, but this application opens nothing of its kind."""


class Cancelled(MastError):
    """The user stopped it."""
