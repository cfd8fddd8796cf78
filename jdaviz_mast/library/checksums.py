"""The half of the library that reads whole files: their checksums, and whether they still hold."""

import contextlib
import time

from jdaviz_mast.library.disk import inside, look_at, sha256_of

__all__ = ["Checksums"]

#: Seconds for which checksums are collected before they are written.
_SECONDS_IN_HAND = 1.0
_DIFFERS = "Its content is not what was fetched: the checksum differs."


class Checksums:
    """Adds checksums to a library, and compares them; see `jdaviz_mast.library.Library`."""

    def add_checksums(self, paths=None, check_cancelled=None):
        """Read the files that have no checksum yet, one after the other, and keep theirs.

        Parameters
        ----------
        paths : iterable of path-like, optional
            Which files; by default all.
        check_cancelled : callable, optional
            Called now and then; what it raises ends it. What was read is kept.
        """
        wanted = None if paths is None else {self._relative(path) for path in paths}
        digests, kept_at = [], time.monotonic()
        try:
            for path, about in self._read(lambda rows: rows.without_checksum()):
                if wanted is None or path in wanted:
                    digests.append((path, about, self._digest(path, about, check_cancelled)))
                # Of small files the disk takes longer for each transaction than for the file.
                if digests and time.monotonic() - kept_at > _SECONDS_IN_HAND:
                    in_hand, digests = digests, []
                    self._keep_digests(in_hand)
                    kept_at = time.monotonic()
        finally:
            if digests:
                self._keep_digests(digests)

    def _keep_digests(self, digests):
        def write(rows):
            for path, about, digest in digests:
                if digest is not None:
                    rows.set_checksum(path, about, digest)

        self._write(write)

    def _digest(self, path, about, check_cancelled):
        """Return the checksum of a file, None if it is not the one that ``about`` tells of."""
        with contextlib.suppress(OSError):
            if look_at(self.folder, path) == about:
                digest = sha256_of(inside(self.folder, path), check_cancelled)
                if look_at(self.folder, path) == about:
                    return digest
        return None

    def verify(self, uris=None, check_cancelled=None):
        """Compare files with what was fetched, by their checksums.

        Parameters
        ----------
        uris : list of str, optional
            Which files, as `file` takes them; by default all, those that are gone too.
        check_cancelled : callable, optional
            Called now and then; what it raises ends it.

        Yields
        ------
        file : KeptFile
        problem : str
            What is wrong with it, a sentence; empty if it is what was fetched.
        """
        self.synchronize(check_cancelled)
        if uris is None:
            files = self.files(gone=True)
        else:
            files = [self.file(uri, gone=True) for uri in uris]
            for uri, file in zip(uris, files, strict=True):
                if file is None:
                    raise self._unknown(uri)
        for file in files:
            if file.gone_at:
                when = file.gone_at[:16].replace("T", " ")
                yield file, f"It is gone; that was noticed on {when} UTC."
            elif file.sha256 is None:
                self.add_checksums([file.path], check_cancelled)
                now = self.file(file.path) or file
                yield now, _DIFFERS * now.changed if now.sha256 else "It cannot be read."
            else:
                yield file, self._compare(file, check_cancelled)

    def _compare(self, file, check_cancelled):
        try:
            digest = sha256_of(inside(self.folder, self._relative(file.path)), check_cancelled)
        except OSError as error:
            return f"It cannot be read: {getattr(error, 'strerror', None) or error}."
        if digest != file.sha256 or file.changed:
            return _DIFFERS
        return ""
