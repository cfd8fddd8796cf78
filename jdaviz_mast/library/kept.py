"""One file of the library, as everybody else sees it."""

from dataclasses import dataclass, field
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
    fetched : `~astropy.time.Time`
        When it was whole on disk, UTC.
    source : str
        ``'http'``, ``'s3'``, or ``'disk'`` where it was found without anything that says more.
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
        of its rows, those that there are.
    gone : `~astropy.time.Time` or None
        When it was noticed that it is no longer there.
    changed : bool
        Whether its content is another than the one that was fetched.
    """

    path: Path
    uri: str
    size: int
    sha256: str | None
    fetched: Time
    source: str = "disk"
    server: str = ""
    job_id: str = ""
    query: dict | None = None
    product: dict = field(default_factory=dict)
    observation: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)
    gone: Time | None = None
    changed: bool = False

    @property
    def name(self):
        """File name."""
        return self.path.name
