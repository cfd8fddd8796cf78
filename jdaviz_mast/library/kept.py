"""One file of the library, as everybody else sees it."""

from dataclasses import dataclass, field, fields
from pathlib import Path

from astropy.time import Time

__all__ = ["KeptFile"]


@dataclass(frozen=True)
class KeptFile:
    """What the library knows of a file in the download folder.

    Attributes
    ----------
    path : `~pathlib.Path`
        Where it is, absolute.
    uri : str
        The archive's name for it (``dataURI``); the file name where nothing tells it.
    size : int
        Bytes.
    sha256 : str or None
        Of its content, 64 hexadecimal digits; None until it has been read for that.
    fetched_at : str
        When it was whole on disk, ISO 8601 in UTC; `fetched` is the same as a Time.
    source : str
        ``'http'`` or ``'s3'``; ``'disk'`` where it was found and nothing tells.
    server : str
        Address of the archive that it came from; empty if not known.
    job_id : str
        Of the import that fetched it; empty if not known.
    query : dict or None
        What was searched for, see ``Mast.search``.
    product, observation : dict
        Rows of the archive, with MAST's column names; empty if not known.
    versions : dict
        ``CAL_VER``, ``CRDS_VER``, ``CRDS_CTX``, ``SDP_VER`` of its header and ``PRVVERSION``
        of the product's row when it was fetched; those that there are.
    gone_at : str or None
        When it was noticed that it is no longer on disk, ISO 8601 in UTC.
    changed : bool
        Whether its content is no longer what was fetched.
    """

    path: Path
    uri: str
    size: int
    sha256: str | None
    fetched_at: str
    source: str = "disk"
    server: str = ""
    job_id: str = ""
    query: dict | None = None
    product: dict = field(default_factory=dict)
    observation: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    gone_at: str | None = None
    changed: bool = False

    # Made when asked for: of 50,000 files that takes seconds.
    @property
    def fetched(self):
        """When it was whole on disk, a `~astropy.time.Time` in UTC."""
        return Time(self.fetched_at, format="isot", scale="utc")

    @property
    def gone(self):
        """When it was noticed that it is no longer on disk, a `~astropy.time.Time`, or None."""
        return self.gone_at and Time(self.gone_at, format="isot", scale="utc")

    def as_dict(self):
        """Return all of it as JSON knows it; times are ISO 8601 in UTC."""
        about = {field.name: getattr(self, field.name) for field in fields(self)}
        return about | {"path": str(self.path)}

    @property
    def name(self):
        """File name."""
        return self.path.name
