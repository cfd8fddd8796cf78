"""The front door: search, products and fetch, as one object that every face uses."""

import functools
import threading
import warnings
from pathlib import Path

import astropy.units as u
import numpy as np
import platformdirs
from astropy.table import Row, Table
from astroquery.exceptions import NoResultsWarning

from jdaviz_mast.archive import COMBINED_LEVEL, Archive, Query, check_server
from jdaviz_mast.config import conf
from jdaviz_mast.errors import FileProblem, InvalidInput, ObservationNotFound
from jdaviz_mast.products import check_contents
from jdaviz_mast.transfer import ImportJob, Item
from jdaviz_mast.transfer.paths import safe_path

__all__ = ["Mast"]


class Mast:
    """The MAST archive: what it holds, and how to get it.

    Parameters
    ----------
    server : str, optional
        Address of the archive. By default it is what ``jdaviz_mast.conf.server`` says
        whenever the archive is asked.
    download_dir : path-like, optional
        Where files go, by default what ``jdaviz_mast.conf.download_dir`` says; in it, each
        observation has a folder ``<mission>/<obs_id>``.

    Examples
    --------
    >>> from jdaviz_mast import Mast
    >>> mast = Mast()
    >>> observations = mast.search("NGC 3132")  # doctest: +SKIP
    >>> job = mast.fetch(observations[:2])  # doctest: +SKIP
    """

    def __init__(self, server=None, download_dir=None):
        self._server = None if server is None else check_server(server)
        self._download_dir = download_dir
        self._jobs = {}
        self._lock = threading.Lock()

    def __repr__(self):
        return f"<Mast {self.server} → {self.download_dir}>"

    @property
    def server(self):
        """Address of the archive."""
        return check_server(conf.server) if self._server is None else self._server

    @property
    def download_dir(self):
        """Folder that files go to, a `~pathlib.Path`."""
        return Path(self._download_dir or conf.download_dir or default_download_dir())

    @property
    def _archive(self):
        return Archive(self.server)

    @property
    def jobs(self):
        """Imports of this session, oldest first: a list of `~jdaviz_mast.ImportJob`."""
        with self._lock:
            return list(self._jobs.values())

    def search(
        self,
        target=None,
        *,
        coordinates=None,
        radius=0.1 * u.deg,
        observation_id=None,
        program_id=None,
        mission=None,
        instrument=None,
        filters=None,
        all_levels=False,
        check_cancelled=None,
    ):
        """Return what the archive holds.

        Give exactly one of ``target``, ``coordinates``, ``observation_id`` and
        ``program_id``, unless ``instrument`` or ``filters`` alone say enough.

        Parameters
        ----------
        target : str, optional
            Name of an object, whose position is looked up; or the position itself.
        coordinates : `~astropy.coordinates.SkyCoord`, str or (ra, dec) in degrees, optional
        radius : `~astropy.units.Quantity`, str or float, optional
            Radius around target or coordinates, above 0 and up to 30 deg. A bare number is
            in degrees.
        observation_id : str or list of str, optional
            Exact ``obs_id``; several with commas.
        program_id : int, str or list, optional
            Program (proposal) numbers; several with commas.
        mission : str or list of str, optional
            ``obs_collection``, such as ``'JWST'``.
        instrument : str or list of str, optional
            ``instrument_name``, such as ``'NIRCAM/IMAGE'``, or ``'NIRCAM'`` for all of its modes.
        filters : str or list of str, optional
        all_levels : bool
            All calibration levels instead of level 3 only.
        check_cancelled : callable, optional
            Called now and then; what it raises ends the search.

        Returns
        -------
        observations : `~astropy.table.Table`
            MAST's own columns (t_min, t_max, t_obs_release in MJD UTC, t_exptime in s, em_min
            and em_max in nm, s_ra and s_dec in deg ICRS), in the archive's order. Empty, with
            a `~astroquery.exceptions.NoResultsWarning`, if nothing matches.

        Raises
        ------
        InvalidInput, TargetNotFound, ArchiveUnreachable, ArchiveTimeout, ArchiveError
        """
        query = Query.create(
            target,
            coordinates=coordinates,
            radius=radius,
            observation_id=observation_id,
            program_id=program_id,
            mission=mission,
            instrument=instrument,
            filters=filters,
            all_levels=all_levels,
        )
        found = self._archive.observations(query, check_cancelled=check_cancelled)
        if not len(found):
            level = "" if all_levels else f" at calibration level {COMBINED_LEVEL}"
            warnings.warn(
                f"MAST holds nothing{level} for {query.describe()}.",
                NoResultsWarning,
                stacklevel=2,
            )
        return found

    def products(
        self, observations, *, all_levels=False, product_type="SCIENCE", check_cancelled=None
    ):
        """Return the products of observations, unique by ``dataURI``.

        Parameters
        ----------
        observations : `~astropy.table.Table`, `~astropy.table.Row` or str
            What `search` returned, one row of it, or an observation ID.
        all_levels : bool
            All calibration levels instead of level 3 only.
        product_type : str, list of str or None
            MAST's ``productType``: SCIENCE, PREVIEW, INFO, AUXILIARY …; None for all.
        check_cancelled : callable, optional

        Returns
        -------
        products : `~astropy.table.Table`
            MAST's own columns (``size`` in bytes).
        """
        return self._archive.products(
            self._as_observations(observations, check_cancelled),
            all_levels=all_levels,
            product_type=product_type,
            check_cancelled=check_cancelled,
        )

    def fetch(
        self,
        observations_or_products,
        *,
        source=None,
        all_levels=False,
        product_type="SCIENCE",
        block=True,
    ):
        """Download products; one that fails does not stop the others.

        Parameters
        ----------
        observations_or_products : `~astropy.table.Table`, `~astropy.table.Row` or str
            Observations (all their products of the level and type are fetched), products
            (fetched as given), or an observation ID.
        source : str, optional
            ``'auto'`` or ``'http'``, by default ``jdaviz_mast.conf.source``.
        all_levels, product_type
            As in `products`; they do not filter products that are given, and an exposure
            (level 1 or 2) that is named by its ID is fetched at its own levels.
        block : bool
            Whether to wait for the end. Ctrl-C then cancels the job.

        Returns
        -------
        job : `~jdaviz_mast.ImportJob`
            ``job.files`` tells of each file where it is, or what went wrong.
        """
        _check_source(source or conf.source)
        given = observations_or_products
        if isinstance(given, Row):
            given = Table(given)
        # The settings of now: a job is not torn apart by one that changes while it runs.
        settled = Mast(self.server, self.download_dir)
        plan = functools.partial(settled._plan, given, all_levels, product_type)
        job = ImportJob(plan, connections=conf.connections, timeout=conf.timeout)
        with self._lock:
            self._jobs[job.id] = job
        job.start()
        if block:
            try:
                job.wait()
            except KeyboardInterrupt:
                job.cancel()
                raise
            if job.error is not None:
                raise job.error
        return job

    def _plan(self, given, all_levels, product_type, check_cancelled):
        """Return the `Item` list of a job: the archive is asked, nothing is written."""
        rows = {}
        if isinstance(given, Table) and "dataURI" in given.colnames:
            products = given
        else:
            observations = self._as_observations(given, check_cancelled)
            if isinstance(given, str) and not np.any(observations["calib_level"] >= COMBINED_LEVEL):
                all_levels = True  # whoever names an exposure means it
            rows = {str(row["obsid"]): row for row in observations}
            products = self._archive.products(
                observations,
                all_levels=all_levels,
                product_type=product_type,
                check_cancelled=check_cancelled,
            )
        # A mosaic's list holds the products of its exposures: each has a row of its own.
        listed = products["obsID"] if "obsID" in products.colnames else ()
        unknown = {str(obsid) for obsid in listed} - set(rows)
        if unknown:
            own = self._archive.observations_by_obsid(unknown, check_cancelled=check_cancelled)
            rows |= {str(row["obsid"]): row for row in own}
        return [self._item(row, rows) for row in products]

    def _item(self, product, observations):
        names = product.colnames
        observation = next(
            (observations[str(product[name])] for name in ("obsID", "parent_obsid")
             if name in names and str(product[name]) in observations),
            None,
        )  # fmt: skip
        uri = str(product["dataURI"])
        filename = _text(product, "productFilename") or uri.rsplit("/", 1)[-1]
        folders = [_text(product, "obs_collection"), _text(product, "obs_id")]
        path, problem = None, ""
        try:
            path = safe_path(self.download_dir, *filter(None, folders), filename)
        except FileProblem as error:
            problem = str(error)
        size = product["size"] if "size" in names else np.ma.masked
        size = None if np.ma.is_masked(size) else int(size)
        return Item(
            uri=uri,
            url=self._archive.download_url(uri),
            path=path,
            size=size,
            check=functools.partial(check_contents, name=filename, size_known=size is not None),
            about={"product": as_dict(product),
                   "observation": {} if observation is None else as_dict(observation)},
            problem=problem,
        )  # fmt: skip

    def _as_observations(self, given, check_cancelled):
        if isinstance(given, str):
            # Whoever names one observation means it, at whichever level it is.
            query = Query.create(observation_id=given, all_levels=True)
            found = self._archive.observations(query, check_cancelled=check_cancelled)
            if not len(found):
                raise ObservationNotFound(f"The archive holds no observation {given!r}.")
            return found
        if isinstance(given, Row):
            return Table(given)
        if not isinstance(given, Table) or "obsid" not in given.colnames:
            raise InvalidInput(
                "observations", type(given).__name__, "give what search() returned, or an ID"
            )
        return given


def default_download_dir():
    """Return the folder for downloads where none is configured."""
    return Path(platformdirs.user_downloads_dir()) / "jdaviz-mast"


def as_dict(row):
    """Return a table row as a dict of plain Python values, None where masked."""
    return {
        name: None if np.ma.is_masked(row[name]) else _plain(row[name]) for name in row.colnames
    }


def _text(row, name):
    """Return a value of a row as text, empty if there is none."""
    present = name in row.colnames and not np.ma.is_masked(row[name])
    return str(row[name]) if present else ""


def _plain(value):
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and np.isnan(value) else value


def _check_source(source):
    if source not in ("auto", "http"):
        raise InvalidInput("source", source, "choose 'auto' or 'http' (S3 is not there yet)")
