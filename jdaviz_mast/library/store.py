"""The library of a download folder: what is in it, and where each file came from."""

import contextlib
from pathlib import Path

from jdaviz_mast.archive import MISSIONS
from jdaviz_mast.errors import FileProblem, InvalidInput
from jdaviz_mast.library.checksums import Checksums
from jdaviz_mast.library.database import Damaged, Database
from jdaviz_mast.library.disk import look_at, remove_file, scan
from jdaviz_mast.library.headers import header_versions
from jdaviz_mast.library.rows import Rows, words_to_find
from jdaviz_mast.library.trails import Trail, trails

__all__ = ["Library"]


class Library(Checksums):
    """What was fetched into a download folder; safe between threads and processes.

    It is kept in ``.jdaviz-mast/library.sqlite`` in that folder. If that is lost or damaged, it
    is made again from what is on disk.

    Parameters
    ----------
    folder : path-like
        The download folder.

    Examples
    --------
    >>> from jdaviz_mast import Mast
    >>> for file in Mast().library.files("NGC 3132 F090W"):
    ...     print(file.path, file.versions)  # doctest: +SKIP
    """

    def __init__(self, folder):
        self.folder = Path(folder).absolute()
        self._database = Database(self.folder)

    def __repr__(self):
        return f"<Library {self.folder}>"

    def files(self, text="", *, gone=False, limit=None, offset=0):
        """Return the files that match, the latest first.

        Parameters
        ----------
        text : str
            Words that all have to occur in path, URI, target, instrument, filters, program,
            investigator, title, kind, versions or day, in upper or lower case.
        gone : bool
            Whether those that are no longer on disk are among them.
        limit : int, optional
            Return so many at the most,
        offset : int
            after leaving out so many.

        Returns
        -------
        files : list of KeptFile

        Raises
        ------
        FileProblem
            If the library cannot be read.
        """
        found = words_to_find(text)
        return self._read(lambda rows: rows.files(found, gone, limit, offset))

    def totals(self, text="", *, gone=False):
        """Return how many files match, and how many bytes they are together: two int."""
        found = words_to_find(text)
        return self._read(lambda rows: rows.totals(found, gone))

    def file(self, uri, *, gone=False):
        """Return one file, or None if there is none.

        Parameters
        ----------
        uri : str
            The archive's name (``dataURI``), the path, or the file name if only one file has
            it. Of several files of one URI, the one that was fetched last is returned.
        gone : bool
            Whether one that is no longer on disk will do.
        """
        name = self._relative(uri)
        return self._read(lambda rows: rows.file(name, gone))

    def update(self, uri, *, product=None, observation=None, query=None):
        """Put other rows in the place of those that are kept of a file.

        What the file itself is, its versions among that, stays as it was when it was fetched.

        Parameters
        ----------
        uri : str
        product, observation : dict, optional
            Rows of the archive, with MAST's column names.
        query : dict, optional
            What was searched for.

        Raises
        ------
        InvalidInput
            If there is no such file.
        """
        self.update_all({uri: {"product": product, "observation": observation, "query": query}})

    def update_all(self, changes):
        """Do what `update` does for many files, all or none.

        Parameters
        ----------
        changes : dict
            URI to a dict of ``product``, ``observation`` and ``query``.
        """
        changes = {self._relative(uri): what for uri, what in changes.items()}

        def write(rows):
            for uri, what in changes.items():
                paths = rows.paths_of(uri)
                if not paths:
                    raise self._unknown(uri)
                for path in paths:
                    rows.update(path, **what)

        self._write(write)

    def remove(self, uri):
        """Delete a file from the disk, and what is known of it.

        Parameters
        ----------
        uri : str
            As `file` takes it.

        Raises
        ------
        InvalidInput
            If there is no such file.
        FileProblem
            If it cannot be deleted.
        """
        file = self.file(uri, gone=True)
        if file is None:
            raise self._unknown(uri)
        relative = self._relative(file.path)
        remove_file(self.folder, relative)
        self._write(lambda rows: rows.delete(relative))

    # -- in agreement with the disk ----------------------------------------------------------

    def enter(self, found):
        """Enter files that are on disk.

        Parameters
        ----------
        found : dict
            Path, relative to the folder and with slashes, to the
            `~jdaviz_mast.library.trails.Trail` of the file.
        """
        there = {path: look_at(self.folder, path) for path in found}
        versions = {
            path: header_versions(self.folder / path) for path, about in there.items() if about
        }

        def write(rows):
            for path, versions_of in versions.items():
                rows.enter(path, there[path], found[path], versions_of)

        self._write(write)

    def synchronize(self, check_cancelled=None):
        """Make it agree with what is on disk, by the names, sizes and times of the files.

        New files are entered, with what the records of imports tell of them. One that has
        changed loses its checksum until `add_checksums`. One that is gone is marked; of one
        that nothing was known of, nothing is kept.

        Parameters
        ----------
        check_cancelled : callable, optional
            Called now and then; what it raises ends it, and nothing is changed.

        Raises
        ------
        FileProblem
            If the library cannot be kept in the download folder.
        """
        if not self.folder.is_dir():
            return
        for _ in range(3):
            try:
                self._synchronize(check_cancelled or (lambda: None))
                break
            except Damaged:
                self._database.set_aside()
        else:
            raise self._beyond_repair()

    def _synchronize(self, check_cancelled):
        with self._database.reading() as db:
            complete = self._database.is_complete(db)
            known = Rows(db, self.folder).states()
        missions = set(MISSIONS) | {path.split("/")[0] for path in known if path.count("/") == 2}
        there = scan(self.folder, missions)
        # Few lie elsewhere: products that the archive lists without a mission or an observation.
        there |= self._look_at(path for path in known if path not in there)
        check_cancelled()
        changed = {p for p, about in there.items() if p in known and known[p].about != about}
        found = {}
        if not complete or changed or len(there) > len(there.keys() & known.keys()):
            found = trails(self.folder)
            there |= self._look_at(p for p in found if p not in there)
        check_cancelled()
        new = {path: found.get(path) or Trail(Path(path).name) for path in there.keys() - known}
        for path in changed & found.keys():  # by another import, whose process was killed
            if found[path].is_fetched and found[path].job_id != known[path].job_id:
                new[path] = found[path]
        back = {path for path in there if path in known and known[path].gone}
        lost = {path for path in known if path not in there and not known[path].gone}
        if complete and not (new or changed or back or lost):
            return
        versions = {}
        for path in new:
            check_cancelled()
            versions[path] = header_versions(self.folder / path)
        with self._database.writing() as db:
            rows = Rows(db, self.folder)
            for path, trail in new.items():
                rows.enter(path, there[path], trail, versions[path])
            for path in (changed | back) - new.keys():
                rows.change(path, known[path].about, there[path])
            # Another process may have put it there meanwhile.
            for path in lost:
                if look_at(self.folder, path) is None:
                    rows.lose(path)
            rows.drop_unused()
            self._database.set_complete(db)

    def _look_at(self, paths):
        about = {path: look_at(self.folder, path) for path in paths}
        return {path: found for path, found in about.items() if found is not None}

    # -- the database ------------------------------------------------------------------------

    def _read(self, work):
        if not self.folder.is_dir():  # nothing is made for who only looks
            with contextlib.closing(Database.empty()) as db:
                return work(Rows(db, self.folder))
        return self._do(self._database.reading, work)

    def _write(self, work):
        return self._do(self._database.writing, work)

    def _do(self, connected, work):
        for _ in range(3):
            try:
                with connected() as db:
                    if self._database.is_complete(db):
                        return work(Rows(db, self.folder))
            except Damaged:
                self._database.set_aside()
            self.synchronize()
        raise self._beyond_repair()

    def _relative(self, name):
        """Return a path in the folder as the library calls it; other names as they are."""
        with contextlib.suppress(ValueError, TypeError):
            if Path(name).is_absolute():
                return Path(name).relative_to(self.folder).as_posix()
        return str(name)

    def _beyond_repair(self):
        path = self._database.path
        return FileProblem(f"The library {path} is damaged, and cannot be replaced.")

    def _unknown(self, uri):
        allowed = f"give the URI or the name of one file in the library of {self.folder}"
        return InvalidInput("uri", str(uri), allowed)
