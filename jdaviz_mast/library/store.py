"""The library of a download folder: what is in it, and where each file came from, in SQLite."""

from pathlib import Path

__all__ = ["Library"]


class Library:
    """What was fetched into a download folder.

    Parameters
    ----------
    folder : path-like
        The download folder.
    """

    def __init__(self, folder):
        self.folder = Path(folder).absolute()

    def __repr__(self):
        return f"<Library {self.folder}>"

    def files(self, text="", *, gone=False, limit=None, offset=0):
        """Return the files whose words contain all words of ``text``, latest first: KeptFile.

        Parameters
        ----------
        text : str
            Looked for in path, URI, target, instrument, filters, program, title and versions.
        gone : bool
            Whether those that are no longer on disk are among them.
        limit, offset : int, optional
            A page of them.
        """
        raise NotImplementedError

    def totals(self, text=""):
        """Return how many files there are, and how many bytes."""
        raise NotImplementedError

    def file(self, uri, *, gone=False):
        """Return a file by its URI, by its path in the folder or by its name; None if none is."""
        raise NotImplementedError

    def update(self, uri, *, product=None, observation=None, query=None):
        """Put other rows of the archive in the place of those that are kept.

        Raises
        ------
        InvalidInput
            If there is no such file.
        """
        raise NotImplementedError

    def remove(self, uri):
        """Delete a file, and what is known of it.

        Raises
        ------
        InvalidInput
            If there is no such file.
        FileProblem
            If it cannot be removed.
        """
        raise NotImplementedError

    def synchronize(self, check_cancelled=None):
        """Make it agree with what is on disk; no file is read whole."""
        raise NotImplementedError
