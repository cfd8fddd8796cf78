"""The embedded archive itself: `DemoArchive`."""

from __future__ import annotations

from pathlib import Path

from . import catalog, cloud, missions, portal
from .faults import FaultBoard
from .fields import PRODUCT_FIELDS, load_data
from .from_files import rows_for
from .reprocessing import reprocessed
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
        Token to display name; who sends another one is nobody.
    rights : dict
        Program to the display names of those who may fetch its data under exclusive access;
        another known user gets 403. Data of a program that is not in it are for everyone
        who is known.
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
        self.rights = {}
        self.faults = FaultBoard()
        self._store = Store(recipes)
        self._revisions, self._versions = {}, {}
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

    def has_file(self, uri):
        """Whether there is a file behind `uri`; a product row alone does not make one."""
        return self._store.knows(uri)

    def stored(self, uri):
        """Bytes or path of a file that need not be made, else None."""
        return self._store.held(uri)

    def add_file(self, path, *, obs_id=None):
        """Serve a real FITS file as ``mast:<mission>/product/<name>``.

        Its observation and product rows are made from its headers. If an observation
        called `obs_id` exists already, the file becomes one more product of it.

        Parameters
        ----------
        path : str or Path
            The file; it is served from where it lies.
        obs_id : str, optional
            Observation to put it under; by default the file's name without its suffix.

        Returns
        -------
        dict
            The observation row.
        """
        path = Path(path).resolve()
        row, product = rows_for(path, obs_id, self._new_obsid())
        present = next((o for o in self.observations if o["obs_id"] == row["obs_id"]), None)
        if present is None:
            self.observations.append(row)
        else:
            row = present
            product |= {"obsID": row["obsid"], "parent_obsid": row["obsid"]}
        self._store.put(product["dataURI"], path)
        listed = [p for p in self.products if p["dataURI"] == product["dataURI"]]
        for other in listed:
            # The archive made a file of that name itself: the real one takes its place.
            other["size"] = product["size"]
        if not listed:
            self.products.append(product)
        return row

    def add_bytes(self, uri, data, **columns):
        """Serve `data` as `uri`.

        Parameters
        ----------
        uri : str
            Such as ``"mast:JWST/product/jw99999_i2d.fits"``.
        data : bytes
            What to serve.
        **columns
            Columns of the product row that are to differ from the defaults: a public
            science product of level 3 of the archive's first observation.

        Returns
        -------
        dict
            The product row, which may be changed.
        """
        unknown = set(columns) - set(PRODUCT_FIELDS)
        if unknown:
            raise ValueError(f"not a column of a product: {sorted(unknown)[0]}")
        recipe = catalog.Recipe("asn", uri.rsplit("/", 1)[-1], self.observations[0])
        row = catalog.product_row(recipe, None, "SCIENCE", None, None)
        row |= {"dataURI": uri, "size": len(data)} | columns
        self._store.put(uri, bytes(data))
        self.products.append(row)
        return row

    def reprocess(self, uri, version="1.19.0"):
        """Calibrate a product anew, as MAST does with a new release of a pipeline.

        The file has other bytes, one block more, another ETag and Last-Modified, and its headers
        another ``CAL_VER``. Its product rows have the new ``size`` and ``prvversion``, and JWST's
        data set in mission search the new ``cal_ver``; name, URI and IDs stay.

        Parameters
        ----------
        uri : str
            Of a FITS file.
        version : str
            Of the calibration software.

        Raises
        ------
        KeyError
            If the archive holds no such file.
        """
        content = reprocessed(self.make(uri), version)
        self._store.put(uri, content)
        self._revisions[uri] = self._revisions.get(uri, 0) + 1
        for row in self.products:
            if row["dataURI"] == uri:
                row["size"], row["prvversion"] = len(content), version
                self._versions[row["obs_id"]] = version

    def release(self, obs_id):
        """Make an observation under exclusive access public, as on its day of release."""
        for rows in (self.observations, self.products):
            for row in rows:
                if row["obs_id"] == obs_id:
                    row["dataRights"] = "PUBLIC"

    def revision(self, uri):
        """How often a file was made anew."""
        return self._revisions.get(uri, 0)

    def _new_obsid(self):
        return str(90_000_000 + len(self.observations))

    # -- answers -------------------------------------------------------------

    def invoke(self, request):
        """Answer a mashup request; see `jdaviz_mast.demo.portal.invoke`."""
        answer = portal.invoke(request, self.observations, self.products, self._tic)
        if request.get("service") == "Mast.Caom.Products":
            for row in answer["data"]:
                row["size"] = self.faults.claimed_size(row["dataURI"], row["size"])
        return answer

    def mission_rows(self, mission):
        """Rows of mission search."""
        return missions.rows_of(mission, self.observations, self._versions)

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
