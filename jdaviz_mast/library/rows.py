"""The tables of a library: from rows to `KeptFile` and back."""

import datetime
import json
from dataclasses import dataclass

from jdaviz_mast.library.kept import KeptFile

__all__ = ["Rows", "State", "now", "words_to_find"]

#: Columns of an observation that a file is searched by.
_SEARCHED = ("target_name", "obs_id", "instrument_name", "filters", "proposal_id", "proposal_pi",
             "obs_title", "obs_collection", "dataproduct_type", "provenance_name")  # fmt: skip
#: The columns of `KeptFile`, in its order.
_SELECT = """
    SELECT path, uri, size, sha256, fetched, source, server, job_id,
        (SELECT json FROM texts WHERE id = query), product,
        (SELECT json FROM texts WHERE id = observation), versions, gone, first_sha256
    FROM files
"""
_LATEST = " ORDER BY fetched DESC, path"


@dataclass(frozen=True)
class State:
    """What tells whether a file has changed: ``about`` is its size and time of change."""

    about: tuple
    gone: bool
    job_id: str


class Rows:
    """What is done with the rows, within one transaction.

    Parameters
    ----------
    db : `sqlite3.Connection`
    folder : `~pathlib.Path`
        The download folder.
    """

    def __init__(self, db, folder):
        self._db, self._folder = db, folder
        self._texts = {}  # JSON of what several files share, to its number

    # -- looking -----------------------------------------------------------------------------

    def files(self, words, gone, limit, offset):
        """Return the files that have all words, see `Library.files`."""
        where, values = _where(words, gone)
        limit = -1 if limit is None else limit
        found = self._db.execute(f"{_SELECT}{where}{_LATEST} LIMIT ? OFFSET ?",
                                 (*values, limit, offset))  # fmt: skip
        parse = _Parser()
        return [self._kept(row, parse) for row in found]

    def totals(self, words, gone):
        """Return number and bytes of the files that have all words."""
        where, values = _where(words, gone)
        query = f"SELECT count(*), coalesce(sum(size), 0) FROM files{where}"
        return self._db.execute(query, values).fetchone()

    def file(self, name, gone):
        """Return the `KeptFile` of a URI, path or file name, or None."""
        paths = self.paths_of(name, gone)
        if not paths:
            return None
        row = self._db.execute(f"{_SELECT} WHERE path = ?", paths[:1]).fetchone()
        return self._kept(row, _Parser())

    def paths_of(self, name, gone=True):
        """Return the paths of a URI, path or file name; those on disk first, latest first."""
        there = "" if gone else " AND gone IS NULL"
        order = f"{there} ORDER BY gone IS NOT NULL, fetched DESC, path"
        for where in ("path = ?", "uri = ?"):
            found = self._db.execute(f"SELECT path FROM files WHERE {where}{order}", (name,))
            if paths := [path for (path,) in found]:
                return paths
        tail = f"/{name}"
        found = self._db.execute(
            f"SELECT path FROM files WHERE substr(path, -length(?)) = ?{order}", (tail, tail)
        ).fetchall()
        return [path for (path,) in found] if len(found) == 1 else []

    def states(self):
        """Return the `State` of each path."""
        query = "SELECT path, size, mtime_ns, gone IS NOT NULL, job_id FROM files"
        return {
            path: State((size, mtime), bool(gone), job_id)
            for path, size, mtime, gone, job_id in self._db.execute(query)
        }

    def without_checksum(self):
        """Return path and ``about`` of the files that were not read yet, smallest first."""
        query = ("SELECT path, size, mtime_ns FROM files "
                 "WHERE sha256 IS NULL AND gone IS NULL ORDER BY size, path")  # fmt: skip
        return [(path, (size, mtime)) for path, size, mtime in self._db.execute(query)]

    def _kept(self, row, parse):
        path, uri, size, sha256, fetched, source, server, job_id, query, product, observation, \
            versions, gone, first_sha256 = row  # fmt: skip
        return KeptFile(
            self._folder / path, uri, size, sha256, fetched, source, server, job_id,
            None if query is None else parse(query), json.loads(product), parse(observation),
            json.loads(versions), gone, None not in (sha256, first_sha256),
        )  # fmt: skip

    # -- changing ----------------------------------------------------------------------------

    def enter(self, path, about, trail, versions):
        """Enter a file, or what its trail tells that was not known."""
        known = self._db.execute(
            "SELECT size, mtime_ns, source, job_id, sha256, first_sha256, product "
            "FROM files WHERE path = ?", (path,)
        ).fetchone()  # fmt: skip
        sha256 = first = None
        if known is not None:
            same = known[:2] == about
            fetched_anew = trail.is_fetched and (
                not same or known[2] == "disk" or known[3] != trail.job_id
            )
            tells_more = known[6] == "{}" and trail.product
            if not fetched_anew and not tells_more:
                if not same:
                    self.change(path, known[:2], about)
                return
            if same:
                sha256, first = known[4:6]
        if sha256 is None:  # it is compared with what was fetched once it has been read
            first = first or trail.sha256
        # Nothing is written to a file after its last byte: it was whole then.
        fetched = trail.fetched or _iso(about[1] / 1e9)
        product = trail.product
        if product.get("size") not in (None, about[0]):
            # The row is of another version of the file, as in a replay of an old manifest.
            product = {name: product[name] for name in product if name != "prvversion"}
        if product.get("prvversion"):
            versions = versions | {"PRVVERSION": str(product["prvversion"])}
        row = {
            "path": path,
            "uri": trail.uri,
            "size": about[0],
            "mtime_ns": about[1],
            "sha256": sha256,
            "first_sha256": first,
            "fetched": fetched,
            "source": trail.source,
            "server": trail.server,
            "job_id": trail.job_id,
            "query": None if trail.query is None else self._text(trail.query),
            "product": json.dumps(product, default=str),
            "observation": self._text(trail.observation),
            "versions": json.dumps(versions),
            "words": _words(path, trail.uri, product, trail.observation, versions,
                            fetched),
        }  # fmt: skip
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        self._db.execute(
            f"INSERT OR REPLACE INTO files ({names}) VALUES ({marks})", tuple(row.values())
        )

    def update(self, path, *, product=None, observation=None, query=None):
        """Put other rows of the archive in the place of those that are kept."""
        file = self.file(path, gone=True)
        product = file.product if product is None else product
        observation = file.observation if observation is None else observation
        query = file.query if query is None else query
        words = _words(path, file.uri, product, observation, file.versions, file.fetched_at)
        self._db.execute(
            "UPDATE files SET product = ?, observation = ?, query = ?, words = ? WHERE path = ?",
            (json.dumps(product, default=str), self._text(observation),
             None if query is None else self._text(query), words, path),
        )  # fmt: skip

    def change(self, path, before, about):
        """Note that a file is another one than it was, or that it is back."""
        same = before == about
        self._db.execute(
            "UPDATE files SET size = ?, mtime_ns = ?, gone = NULL, "
            "first_sha256 = iif(?, first_sha256, coalesce(first_sha256, sha256)), "
            "sha256 = iif(?, sha256, NULL) WHERE path = ? AND size = ? AND mtime_ns = ?",
            (*about, same, same, path, *before),
        )

    def lose(self, path):
        """Note that a file is gone; what nothing was known of is forgotten."""
        self._db.execute(
            "DELETE FROM files WHERE path = ? AND source = 'disk' AND product = '{}'", (path,)
        )
        self._db.execute("UPDATE files SET gone = ? WHERE path = ?", (now(), path))

    def delete(self, path):
        """Forget a file."""
        self._db.execute("DELETE FROM files WHERE path = ?", (path,))

    def set_checksum(self, path, about, digest):
        """Keep the checksum of a file, if it is still the one that was read."""
        self._db.execute(
            "UPDATE files SET sha256 = ?, first_sha256 = nullif(first_sha256, ?) "
            "WHERE path = ? AND size = ? AND mtime_ns = ?",
            (digest, digest, path, *about),
        )

    def drop_unused(self):
        """Forget observations and queries that no file is of."""
        self._db.execute(
            "DELETE FROM texts WHERE id NOT IN (SELECT observation FROM files) "
            "AND id NOT IN (SELECT query FROM files WHERE query IS NOT NULL)"
        )

    def _text(self, value):
        text = json.dumps(value, default=str)
        if text not in self._texts:
            self._db.execute("INSERT OR IGNORE INTO texts (json) VALUES (?)", (text,))
            found = self._db.execute("SELECT id FROM texts WHERE json = ?", (text,))
            self._texts[text] = found.fetchone()[0]
        return self._texts[text]


class _Parser:
    """Reads JSON that many rows have in common once."""

    def __init__(self):
        self._known = {}

    def __call__(self, text):
        if text not in self._known:
            self._known[text] = json.loads(text)
        return dict(self._known[text])


def words_to_find(text):
    """Return the words of a text as they are looked for."""
    return str(text).casefold().split()


def now():
    """Return the time, ISO 8601 in UTC."""
    return _iso(datetime.datetime.now(datetime.UTC).timestamp())


def _iso(seconds):
    """Return seconds since 1970 as ISO 8601 in UTC."""
    time = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds")


def _where(words, gone):
    conditions = ["instr(words, ?)"] * len(words) + ["gone IS NULL"] * (not gone)
    return f" WHERE {' AND '.join(conditions)}" if conditions else "", words


def _words(path, uri, product, observation, versions, fetched):
    texts = [path, uri, fetched[:10], product.get("description"), *versions.values()]
    texts += [row.get(name) for row in (observation, product) for name in _SEARCHED]
    return "\n".join(dict.fromkeys(str(text).casefold() for text in texts if text))
