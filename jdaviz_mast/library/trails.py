"""Where files came from, by what imports have left on disk: their records and manifests."""

import contextlib
import datetime
import json
from dataclasses import dataclass, field

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.library.disk import inside, product_path
from jdaviz_mast.transfer import STATE_FOLDER, all_records

__all__ = ["Trail", "trail_of_file", "trails"]

_SOURCES = ("http", "s3")
#: What reading JSON that is no manifest, or a damaged one, may raise.
_NO_MANIFEST = (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError)


@dataclass
class Trail:
    """What is known of how a file came here.

    Attributes
    ----------
    uri : str
    source : str
        ``'http'`` or ``'s3'``; ``'disk'`` if nothing tells.
    server, job_id : str
        Empty if not known.
    query : dict or None
    product, observation : dict
        Rows of the archive; empty if not known.
    sha256 : str or None
        What it was when it was fetched; None if not known.
    fetched : str
        When that was, ISO 8601 in UTC; empty if not known.
    """

    uri: str
    source: str = "disk"
    server: str = ""
    job_id: str = ""
    query: dict | None = None
    product: dict = field(default_factory=dict)
    observation: dict = field(default_factory=dict)
    sha256: str | None = None
    fetched: str = ""

    @property
    def is_fetched(self):
        """Whether it is the trail of a file that came from the archive."""
        return self.source in _SOURCES


def trails(folder):
    """Return what the records and manifests of imports tell of files.

    The record of an import is forgotten at some time; its manifest stays.

    Parameters
    ----------
    folder : `~pathlib.Path`
        The download folder.

    Returns
    -------
    found : dict
        Relative path, with slashes, to `Trail`. Of several imports of a file, the last one that
        has fetched it counts.
    """
    told = [(r.request["created"], 0, _of_record(folder, r)) for r in all_records(folder)]
    told += [(m["job"]["created"], 1, _of_manifest(folder, m)) for m in _manifests(folder)]
    found = {}
    # Times of both are ISO 8601 in UTC, but not to the same digit.
    for _, _, files in sorted(told, key=lambda one: (one[0][:19], one[1])):
        with contextlib.suppress(OSError, *_NO_MANIFEST):  # FileProblem is an OSError
            for path, trail in files:
                before = found.get(path)
                if before is not None and before.job_id and before.job_id == trail.job_id:
                    before.sha256 = trail.sha256 or before.sha256
                    before.fetched = trail.fetched or before.fetched
                elif before is None or not before.product or (trail.is_fetched and trail.job_id):
                    found[path] = trail
    return found


def trail_of_file(file, job):
    """Return the `Trail` of a whole file of a job, see `jdaviz_mast.ImportJob`."""
    return _trail(file.about, file.source, job.request, job.id)


def _of_record(folder, record):
    said = {}
    for line in record.log():
        if isinstance(line.get("file"), int) and line.get("state") == "complete":
            # Where a job was resumed, what is whole is whole once more, without a source.
            said[line["file"]] = line.get("source") or said.get(line["file"])
    for number, about in enumerate(record.files() or ()):
        product = about.get("product") if isinstance(about, dict) else None
        if isinstance(product, dict) and product.get("dataURI"):
            with contextlib.suppress(OSError):
                path = product_path(folder, product, about.get("version"))
                path = path.relative_to(folder).as_posix()
                yield path, _trail(about, said.get(number), record.request, record.id)


def _trail(about, source, request, job_id):
    product, query = about["product"], request.get("query")
    uri = str(product["dataURI"])
    if request.get("source") is None:  # an import of what was on disk: it did not come from there
        listed = uri != product.get("productFilename")
        known = {"product": product, "observation": about.get("observation")} if listed else {}
        return Trail(uri, **known)
    return Trail(
        uri,
        source=source if source in _SOURCES else "disk",
        server=str(request.get("server") or ""),
        job_id=job_id,
        query=query if isinstance(query, dict) else None,
        product=product,
        observation=about.get("observation") or {},
    )


def _manifests(folder):
    """Yield the manifests of a download folder, as far as they can be read."""
    for path in sorted((folder / STATE_FOLDER / "manifests").glob("*.json")):
        with contextlib.suppress(OSError, *_NO_MANIFEST):
            content = json.loads(path.read_bytes())
            if isinstance(content["job"]["created"], str):
                yield content


def _of_manifest(folder, content):
    searches = [query["arguments"] for query in content["queries"]]
    for file in content["files"]:
        if file["state"] != "complete" or not file["path"] or file["source"] not in _SOURCES:
            continue
        place, fetched = file["observation"], _utc(file["fetched"])
        # Else it was there already, and only what else is told of it is of use.
        by_this = fetched[:19] >= content["job"]["created"][:19]
        with contextlib.suppress(FileProblem):
            path = inside(folder, file["path"]).relative_to(folder).as_posix()
            yield (
                path,
                Trail(
                    str(file["uri"]),
                    source=file["source"],
                    server=str(content["server"]),
                    job_id=str(content["job"]["id"]) if by_this else "",
                    query=dict(searches[0]) if len(searches) == 1 else None,
                    product=dict(file["product"]),
                    observation={} if place is None else dict(content["observations"][place]),
                    sha256=None if file["sha256"] is None else str(file["sha256"]),
                    fetched=fetched,
                ),
            )


def _utc(text):
    """Return an ISO 8601 time in UTC as the library writes it; ValueError if it is none."""
    if not text:
        return ""
    time = datetime.datetime.fromisoformat(text).replace(tzinfo=None)
    return time.isoformat(timespec="milliseconds")
