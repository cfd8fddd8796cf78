"""Where files came from, by what imports have left on disk: their records."""

import contextlib
from dataclasses import dataclass, field

from jdaviz_mast.library.disk import product_path
from jdaviz_mast.transfer import all_records

__all__ = ["Trail", "trail_of_file", "trails"]

_SOURCES = ("http", "s3")


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
    """

    uri: str
    source: str = "disk"
    server: str = ""
    job_id: str = ""
    query: dict | None = None
    product: dict = field(default_factory=dict)
    observation: dict = field(default_factory=dict)

    @property
    def is_fetched(self):
        """Whether it is the trail of a file that came from the archive."""
        return self.source in _SOURCES


def trails(folder):
    """Return what the records of imports tell of files.

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
    found = {}
    for record in all_records(folder):
        with contextlib.suppress(OSError):  # FileProblem is one
            for path, trail in _of_record(folder, record):
                before = found.get(path)
                if before is None or trail.is_fetched or not before.product:
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
                path = product_path(folder, product).relative_to(folder).as_posix()
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
