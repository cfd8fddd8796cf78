"""The embedded archive itself: `DemoArchive`."""

from __future__ import annotations

from . import catalog, cloud, missions, portal
from .faults import FaultBoard
from .fields import load_data
from .server import ArchiveServer
from .store import Store

__all__ = ["DemoArchive"]

DEMO_TOKEN = "demo-token"


class DemoArchive:
    """An archive that speaks MAST's protocol on this machine, for offline use and tests.

    Parameters
    ----------
    port : int
        TCP port on 127.0.0.1; 0 takes a free one.
    latency : float
        Seconds to wait before each answer.
    bandwidth : float, optional
        Bytes per second and connection; unlimited if not given.
    executing : int
        How many times an invoke request is answered EXECUTING first; -1 for ever.

    Attributes
    ----------
    observations, products : list of dict
        The rows, in MAST's column order. They may be changed while it runs.
    targets : list of dict
        What the name resolver knows.
    tokens : dict
        Token to display name.
    faults : FaultBoard
        The faults in force; see `fail`.

    Notes
    -----
    The images are scaled down: true NIRCam mosaics have several thousand pixels on a
    side, these have under a thousand, of the same field.

    Examples
    --------
    >>> with DemoArchive() as archive:
    ...     print(archive.url)  # doctest: +SKIP
    http://127.0.0.1:40123
    """

    def __init__(self, port=0, latency=0.0, bandwidth=None, executing=0):
        self.latency, self.bandwidth, self.executing = latency, bandwidth, executing
        self.observations, self.products, recipes = catalog.build()
        self.targets = load_data("targets.json")
        self.tokens = {DEMO_TOKEN: "Demo Astronomer"}
        self.faults = FaultBoard()
        self._store = Store(recipes)
        self._tic = load_data("tic.json")
        self._port = port
        self._server = None
        self._log = ()

    # -- running -------------------------------------------------------------

    def start(self):
        """Start to answer; returns the archive."""
        if self._server is None:
            self._server = ArchiveServer(self, self._port)
            self._server.start()
        return self

    def stop(self):
        """Break off all connections, free the port and remove the files made."""
        if self._server is not None:
            self._server.stop()
            self._log, self._server = tuple(self._server.log), None
            self._store.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *exception):
        self.stop()

    @property
    def url(self):
        """Address of the archive, without a slash at the end."""
        if self._server is None:
            raise RuntimeError("the archive is not running: call start() or use it in a with")
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def requests(self):
        """The requests so far, oldest first: tuple of `LoggedRequest`, bounded."""
        return self._log if self._server is None else tuple(self._server.log)

    # -- misbehaving ---------------------------------------------------------

    def fail(self, fault):
        """Put a `Fault` in force."""
        self.faults.add(fault)

    def clear_faults(self):
        """Behave well again."""
        self.faults.clear()

    # -- holdings ------------------------------------------------------------

    def product(self, uri):
        """Find the first product row of `uri`, or None."""
        # The rows are a plain list that tests may change, so there is no index to keep.
        return next((row for row in list(self.products) if row["dataURI"] == uri), None)

    def make(self, uri):
        """Path of the file behind `uri`, made on first use; the same bytes every time.

        Raises
        ------
        KeyError
            If the archive holds no such file.
        ImportError
            If a library needed to write it is missing; the message names the extra.
        """
        return self._store.make(uri)

    def stored(self, uri):
        """Bytes or path of a file that need not be made, else None."""
        return self._store.held(uri)

    # -- answers -------------------------------------------------------------

    def invoke(self, request):
        """Answer a mashup request; see `jdaviz_mast.demo.portal.invoke`."""
        products = self.products
        if request.get("service") == "Mast.Caom.Products":
            products = [
                row | {"size": self.faults.claimed_size(row["dataURI"], row["size"])}
                for row in products
            ]
        return portal.invoke(request, self.observations, products, self._tic)

    def mission_rows(self, mission):
        """Rows of mission search."""
        return missions.rows_of(mission, self.observations)

    def bucket_keys(self):
        """List the keys in the bucket of every public product."""
        return {
            cloud.key_of(row["dataURI"]) for row in self.products if row["dataRights"] == "PUBLIC"
        }

    def uri_of_key(self, key):
        """URI of the public product under `key`, or None."""
        name = key.rsplit("/", 1)[-1]
        for row in list(self.products):
            if row["productFilename"] == name and cloud.key_of(row["dataURI"]) == key:
                return row["dataURI"] if row["dataRights"] == "PUBLIC" else None
        return None
