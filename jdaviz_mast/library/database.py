"""The SQLite file of a library: opened for each piece of work, migrated, set aside if damaged.

It keeps SQLite's rollback journal: the write-ahead log does not work on network file systems
(https://www.sqlite.org/wal.html, section 1), where download folders often are.
"""

import contextlib
import sqlite3

from filelock import FileLock, Timeout

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.transfer import STATE_FOLDER

__all__ = ["MIGRATIONS", "Damaged", "Database"]

#: What makes each version out of the one before; `PRAGMA user_version` says how many were done.
#: What stands here was released: it is only added to.
MIGRATIONS = (
    """
    CREATE TABLE texts (
        id INTEGER PRIMARY KEY,
        json TEXT NOT NULL UNIQUE
    );
    CREATE TABLE files (
        path TEXT PRIMARY KEY,
        uri TEXT NOT NULL,
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        sha256 TEXT,
        fetched TEXT NOT NULL,
        source TEXT NOT NULL,
        server TEXT NOT NULL,
        job_id TEXT NOT NULL,
        query INTEGER REFERENCES texts,
        product TEXT NOT NULL,
        observation INTEGER NOT NULL REFERENCES texts,
        versions TEXT NOT NULL,
        words TEXT NOT NULL
    );
    CREATE INDEX files_by_uri ON files (uri);
    """,
    """
    ALTER TABLE files ADD COLUMN gone TEXT;
    ALTER TABLE files ADD COLUMN first_sha256 TEXT;
    CREATE INDEX files_by_date ON files (fetched);
    """,
)

#: `PRAGMA application_id` of a library that has agreed with the disk once; before, it is new.
_COMPLETE = 0x6D617374
#: Seconds for which another process is waited for.
_PATIENCE = 60.0
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Damaged(Exception):
    """The file is no library, or not one that can be read."""


class Database:
    """The file ``.jdaviz-mast/library.sqlite`` of a download folder; safe between processes.

    Parameters
    ----------
    folder : `~pathlib.Path`
        The download folder.
    """

    def __init__(self, folder):
        self._folder = folder / STATE_FOLDER
        self.path = self._folder / "library.sqlite"
        # Held where the file itself is made, changed or replaced.
        self._lock = FileLock(self._folder / "library.lock", timeout=_PATIENCE)

    @contextlib.contextmanager
    def reading(self):
        """Give a connection that sees one state of the library.

        Raises
        ------
        Damaged
        FileProblem
            If the folder cannot be written to, another process does not let go of it, or a
            later version has written it.
        """
        with self._connected() as db:
            db.execute("BEGIN")
            yield db
            db.execute("ROLLBACK")

    @contextlib.contextmanager
    def writing(self):
        """Give a connection whose changes are all kept, or none; raises as `reading` does."""
        with self._connected() as db:
            # At once: two who read first, and then want to write, would wait for each other.
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                if db.in_transaction:  # a full disk has ended it already
                    db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    @classmethod
    def empty(cls):
        """Return a connection to a library of nothing, which is nowhere on disk."""
        db = sqlite3.connect(":memory:", isolation_level=None)
        _migrate(db, 0)
        return db

    @staticmethod
    def is_complete(db):
        """Return whether all that is on disk has been entered once."""
        return db.execute("PRAGMA application_id").fetchone()[0] == _COMPLETE

    @staticmethod
    def set_complete(db):
        """Note that all that is on disk has been entered."""
        db.execute(f"PRAGMA application_id = {_COMPLETE}")

    def set_aside(self):
        """Rename a damaged file, unless somebody else has done so meanwhile."""
        with self._held():
            try:
                with contextlib.closing(self._open()) as db:
                    self._check_tables(db)
                    if db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok":
                        return
            except (Damaged, sqlite3.DatabaseError):
                pass
            numbers = (n for n in range(1, 10_000) if not self._aside(n).exists())
            self.path.rename(self._aside(next(numbers)))
            # A journal of the old file must not be played back into the new one.
            self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)

    def _aside(self, number):
        return self.path.with_name(f"{self.path.name}.damaged{number}")

    @contextlib.contextmanager
    def _connected(self):
        try:
            with contextlib.closing(self._open_current()) as db:
                yield db
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in _DAMAGED:
                raise Damaged(str(error)) from error
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                reason = "another process does not let go of it; try again"
            elif code == sqlite3.SQLITE_FULL:
                reason = "the disk is full"
            else:
                reason = str(error)
            raise FileProblem(f"The library {self.path} cannot be used: {reason}.") from error

    @contextlib.contextmanager
    def _held(self):
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._lock:
                yield
        except Timeout:
            raise FileProblem(
                f"The library {self.path} cannot be used: another process does not let go of it; "
                "try again."
            ) from None
        except FileProblem:
            raise
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise FileProblem(f"The library {self.path} cannot be kept: {reason}.") from None

    def _open_current(self):
        """Open it in the present version; make or migrate it if need be."""
        if self.path.is_file():
            db = self._open()
            try:
                if self._version(db) == len(MIGRATIONS):
                    self._check_tables(db)
                    return db
            except BaseException:
                db.close()
                raise
            db.close()
        with self._held():
            db = self._open()
            try:
                _migrate(db, self._version(db))
            except BaseException:
                db.close()
                raise
        return db

    def _open(self):
        if self.path.is_symlink() or self.path.is_dir():
            raise Damaged("no plain file")
        return sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)

    def _version(self, db):
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise FileProblem(
                f"The library {self.path} was written by a later version of jdaviz-mast "
                f"({version}, this one reads up to {len(MIGRATIONS)}); update jdaviz-mast."
            )
        return version

    @staticmethod
    def _check_tables(db):
        try:
            db.execute("SELECT path, first_sha256 FROM files, texts LIMIT 0")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:  # no such table, or column
                raise Damaged(str(error)) from error
            raise


def _migrate(db, version):
    for number in range(version, len(MIGRATIONS)):
        db.execute("BEGIN IMMEDIATE")
        for statement in MIGRATIONS[number].split(";"):
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {number + 1}")
        db.execute("COMMIT")
