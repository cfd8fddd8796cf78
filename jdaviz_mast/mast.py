"""The front door: search, products and fetch, as one object that every face uses."""

import contextlib
import functools
import warnings
from pathlib import Path

import astropy.units as u
import platformdirs
from astropy.table import Table
from astroquery.exceptions import MaxResultsWarning, NoResultsWarning

from jdaviz_mast.archive import (
    COMBINED_LEVEL,
    MAX_RADIUS,
    META,
    ROWS_AT_MOST,
    Archive,
    Credentials,
    Query,
    as_dict,
    as_observations,
    check_product_types,
    check_server,
    count,
    keep_queries,
    plain_arguments,
    queries_of,
)
from jdaviz_mast.archive.checks import check_choices, check_whole_number
from jdaviz_mast.config import conf
from jdaviz_mast.errors import (
    FileProblem,
    InvalidInput,
    ObservationNotFound,
)
from jdaviz_mast.ladder import ladder
from jdaviz_mast.library import Library, keep_job
from jdaviz_mast.outlook import forecast
from jdaviz_mast.plan import Plan, as_given, title_of_given
from jdaviz_mast.preview import find_preview
from jdaviz_mast.products import APPLICATIONS
from jdaviz_mast.reproducing import Reproducible, check_executor, check_source
from jdaviz_mast.sky import Footprint, rank_by_overlap
from jdaviz_mast.traceable import Traceable
from jdaviz_mast.transfer import (
    Distributed,
    ImportJob,
    KeptJob,
    Record,
    Transfer,
    all_records,
    find_record,
    remove_old,
    remove_partial,
)

__all__ = ["Mast"]

#: What `Mast.search` takes and a search of a region does not.
_NOT_BESIDE_A_REGION = {"target", "coordinates", "radius", "observation_id", "program_id",
                        "dataset_id", "page"}  # fmt: skip


class Mast(Reproducible, Traceable):
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

    #: Whether what is fetched enters the library of the folder; not what is read in passing.
    _keeps = True

    def __init__(self, server=None, download_dir=None):
        self._server = None if server is None else check_server(server)
        self._download_dir = download_dir

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
    def _plan(self):
        """With the settings of now, which a job keeps to its end."""
        return Plan(self.server, self.download_dir)

    def search(
        self,
        target=None,
        *,
        coordinates=None,
        radius=0.1 * u.deg,
        observation_id=None,
        program_id=None,
        dataset_id=None,
        mission=None,
        instrument=None,
        filters=None,
        wavelength=None,
        date=None,
        exposure_time=None,
        data_type=None,
        rights=None,
        author=None,
        doi=None,
        keywords=None,
        all_levels=False,
        page=None,
        check_cancelled=None,
    ):
        """Return what the archive holds.

        Give exactly one of ``target``, ``coordinates``, ``observation_id``, ``program_id`` and
        ``dataset_id``, unless ``instrument``, ``filters``, ``author``, ``doi`` or ``keywords``
        alone say enough. A row has to match all that is given.

        Parameters
        ----------
        target : str or list of str, optional
            Name of an object, whose position is looked up, such as ``'NGC 3132'`` or
            ``'TIC 261136679'``; or the position itself. Several as a list, or in one text with
            commas, semicolons or line breaks; one that fails does not stop the others.
        coordinates : `~astropy.coordinates.SkyCoord`, str or (ra, dec) in degrees, optional
        radius : `~astropy.units.Quantity`, str or float, optional
            Radius around target or coordinates, above 0 and up to 30 deg. A bare number is
            in degrees.
        observation_id : str or list of str, optional
            Exact ``obs_id``; several as above.
        program_id : int, str or list, optional
            Program (proposal) numbers; several as above.
        dataset_id : str or list of str, optional
            Names of data sets, such as ``'jw02733001001_02101_00001'`` (all detectors of that
            exposure) or ``'IB5741010'``; found at every level.
        mission : str or list of str, optional
            ``obs_collection``, such as ``'JWST'``.
        instrument : str or list of str, optional
            ``instrument_name``, such as ``'NIRCAM/IMAGE'``, or ``'NIRCAM'`` for all of its modes.
        filters : str or list of str, optional
            One of those in the light path, such as ``'F444W'``.
        wavelength : `~astropy.units.Quantity`, str, or two of them, optional
            Observations whose own range (``em_min`` to ``em_max``) has a wavelength in common
            with this one. Frequencies and energies are taken, too; None is an open end.
        date : `~astropy.time.Time`, str, or two of them, optional
            Observations that were being made (``t_min`` to ``t_max``) at a time of this range, in
            UTC. A year, month or day stands for all of it; None is an open end.
        exposure_time : `~astropy.units.Quantity`, str or float, or two of them, optional
            ``t_exptime``; a bare number is in seconds. One value is meant to half a second.
        data_type : str or list of str, optional
            ``dataproduct_type``: ``'image'``, ``'spectrum'``, ``'cube'``, ``'timeseries'`` …
        rights : str or list of str, optional
            ``dataRights``: ``'public'`` or ``'exclusive'``.
        author : str or list of str, optional
            ``provenance_name``, the pipeline or team: ``'SPOC'``, ``'QLP'``, ``'TESS-SPOC'`` …
        doi : str, optional
            DOI of a collection of light curves; see `jdaviz_mast.archive.datasets`.
        keywords : dict, optional
            JWST keyword to condition, such as ``{'exp_type': 'NRC_IMAGE', 'duration': '>100'}``;
            `keywords` lists them.
        all_levels : bool
            All calibration levels instead of level 3 only.
        page : int, optional
            Only this page of ``jdaviz_mast.conf.page_size`` rows, 1 for the first; by default all
            rows, up to MAST's limit of 500,000.
        check_cancelled : callable, optional
            Called now and then; what it raises ends the search.

        Returns
        -------
        observations : `~astropy.table.Table`
            MAST's own columns (t_min, t_max, t_obs_release in MJD UTC, t_exptime in s, em_min
            and em_max in nm, s_ra and s_dec in deg ICRS), in the archive's order. Empty, with
            a `~astroquery.exceptions.NoResultsWarning`, if nothing matches.
            ``meta['mast_search']`` says in ``query`` what was asked (JSON, the arguments of this
            method), in ``notes`` which resolver answered, which position was searched, which
            target or ID failed, and in ``total`` how many rows match.

        Raises
        ------
        InvalidInput, TargetNotFound, ArchiveUnreachable, ArchiveTimeout, ArchiveError
        """
        arguments = {
            "target": target,
            "coordinates": coordinates,
            "radius": radius,
            "observation_id": observation_id,
            "program_id": program_id,
            "dataset_id": dataset_id,
            "mission": mission,
            "instrument": instrument,
            "filters": filters,
            "wavelength": wavelength,
            "date": date,
            "exposure_time": exposure_time,
            "data_type": data_type,
            "rights": rights,
            "author": author,
            "doi": doi,
            "keywords": keywords,
            "all_levels": all_levels,
        }
        query = Query.create(**arguments)
        if page is not None:
            check_whole_number("page", page)
        found = self._archive.observations(query, page=page, check_cancelled=check_cancelled)
        found.meta[META]["query"] = plain_arguments(arguments)
        total = found.meta[META]["total"]
        if not len(found):
            level = "" if query.all_levels else f" at calibration level {COMBINED_LEVEL}"
            warnings.warn(
                f"MAST holds nothing{level} for {query.describe()}.",
                NoResultsWarning,
                stacklevel=2,
            )
        elif page is None and total > ROWS_AT_MOST:
            warnings.warn(found.meta[META]["notes"][-1], MaxResultsWarning, stacklevel=2)
        return found

    def count(self, target=None, *, check_cancelled=None, **arguments):
        """Return how many observations a search would find, without fetching them.

        Parameters
        ----------
        target, **arguments
            As in `search`; one target, and no keywords.
        check_cancelled : callable, optional

        Returns
        -------
        count : int

        Raises
        ------
        InvalidInput, TargetNotFound, ArchiveUnreachable, ArchiveTimeout, ArchiveError
        """
        query = Query.create(target, **arguments)
        if len(query.targets) > 1 or query.keywords:
            given = "keywords" if query.keywords else "target"
            raise InvalidInput(given, arguments.get(given, target), "count one target at a time")
        return count(self._archive, query, check_cancelled=check_cancelled)

    def keywords(self, mission="JWST", *, check_cancelled=None):
        """Return the keywords that the data sets of a mission can be searched by.

        Parameters
        ----------
        mission : str
            ``'JWST'`` or ``'HST'``; `search` takes those of JWST.
        check_cancelled : callable, optional

        Returns
        -------
        keywords : `~astropy.table.Table`
            ``name``, ``type`` and ``description``, in MAST's order.
        """
        missions = check_choices("mission", mission, ("JWST", "HST"))
        if len(missions) != 1:
            raise InvalidInput("mission", mission, "give one, 'JWST' or 'HST'")
        (mission,) = missions
        return self._archive.keywords(mission, check_cancelled=check_cancelled)

    def search_region(self, region, *, check_cancelled=None, **narrowed_by):
        """Return the observations that truly overlap a part of the sky, the best first.

        The archive is asked for the cone around it, and answers with all that comes near; here
        the footprints themselves are compared, as polygons on the sphere.

        Parameters
        ----------
        region : `~jdaviz_mast.sky.Footprint`, `~astropy.coordinates.SkyCoord` or str
            The corners of a polygon, shape (n,), or STC-S as in the column ``s_region``. It may
            reach up to 30 deg from its middle.
        check_cancelled : callable, optional
            Called now and then; what it raises ends the search.
        **narrowed_by
            ``mission``, ``instrument``, ``filters``, ``all_levels`` and whatever else `search`
            takes besides what is searched for.

        Returns
        -------
        observations : `~astropy.table.Table`
            As `search` returns them, ranked by how much of the region they cover, per cent by
            per cent, then by ``t_exptime``. ``meta["overlap"]`` lists the fractions of the
            region, row by row; ``meta["without_footprint"]`` counts the observations near it
            that the archive gives no footprint for.

        Raises
        ------
        InvalidInput, ArchiveUnreachable, ArchiveTimeout, ArchiveError
        """
        for name in _NOT_BESIDE_A_REGION & narrowed_by.keys():
            allowed = "leave it out: the region says where, and all that overlaps it is ranked"
            raise InvalidInput(name, narrowed_by[name], allowed)
        field = _as_footprint(region)
        if field.radius > MAX_RADIUS:
            reach = f"{field.radius:.3g} from its middle"
            raise InvalidInput("region", reach, f"it may reach up to {MAX_RADIUS:g}; zoom in")
        near = self.search(
            coordinates=field.center,
            # The last digits of a corner must not decide.
            radius=min(field.radius + 1 * u.arcsec, MAX_RADIUS),
            check_cancelled=check_cancelled,
            **narrowed_by,
        )
        found = rank_by_overlap(near, field)
        asked = region if isinstance(region, str) else field.s_region
        found.meta[META]["query"] = {"region": asked} | plain_arguments(narrowed_by)
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
        found = self._archive.products(
            as_observations(self._archive, observations, check_cancelled),
            all_levels=all_levels,
            product_type=product_type,
            check_cancelled=check_cancelled,
        )
        keep_queries(found, _asked(observations))
        return found

    def forecast(
        self,
        products,
        *,
        configuration="deconfigged",
        extensions=("SCI",),
        max_images=24,
        in_viewer=None,
        check_cancelled=None,
    ):
        """Return what an import of products will take, and what this machine has for it.

        Parameters
        ----------
        products : `~astropy.table.Table`
            What `products` returned, or some of it.
        configuration : str
            jdaviz's name of the application that opens them, its ``app.config``:
            ``"deconfigged"`` is App.
        extensions : sequence of str
            Names of the image extensions that become layers.
        max_images : int
            Files that are opened at the most.
        in_viewer : mapping, optional
            ``dataURI`` to keys of its parts, such as ``"SCI,1"``, that are layers already and
            need no more memory; see `jdaviz_mast.viewer.jdaviz_api.parts_by_uri`.
        check_cancelled : callable, optional

        Returns
        -------
        forecast : `~jdaviz_mast.products.Forecast`
            In files and bytes; what is on disk already need not be fetched.

        Raises
        ------
        InvalidInput
        """
        if not isinstance(products, Table):
            raise InvalidInput(
                "products", type(products).__name__, "give a table that products() returned"
            )
        check_whole_number("max_images", max_images)
        if configuration not in APPLICATIONS:
            raise InvalidInput(
                "configuration", configuration, f"choose from {', '.join(APPLICATIONS)}"
            )
        names = extensions if isinstance(extensions, (list, tuple)) else ()
        if not names or not all(isinstance(name, str) for name in names):
            raise InvalidInput("extensions", extensions, "give names in a list, such as ['SCI']")
        plan = self._plan
        return forecast(
            products,
            lambda product: plan.item({"product": product}).path,
            self.download_dir,
            configuration=configuration,
            extensions=tuple(extensions),
            max_images=max_images,
            in_viewer=in_viewer,
            check_cancelled=check_cancelled,
        )

    def ladder(self, observation_or_product, *, check_cancelled=None):
        """Return what a combined product was made of: its exposures, and their raw data.

        The members are those of the product's association, as the archive's product list of the
        observation has them. Where there is no association, they are the calibrated exposures
        that the list holds.

        Parameters
        ----------
        observation_or_product : `~astropy.table.Table`, `~astropy.table.Row` or str
            One row of what `search` or `products` returned, of calibration level 3 or above;
            or an observation ID.
        check_cancelled : callable, optional

        Returns
        -------
        products : `~astropy.table.Table`
            MAST's own columns, as `fetch` takes them: the members (level 2) in the order of the
            association, then their raw data (level 1). ``meta`` has ``made`` (the observation),
            ``association`` (its file's name, or None), ``roles`` (file name to science,
            background …) and ``missing`` (members that the list does not have).

        Raises
        ------
        InvalidInput
            If it is not one observation or product, or below level 3.
        FileProblem
            If the association cannot be read.
        MastError
            If the archive did not answer, or did not give the association.
        """
        found = ladder(self, observation_or_product, check_cancelled)
        keep_queries(found, _asked(observation_or_product))
        return found

    def preview(self, observation, *, draw=True, check_cancelled=None):
        """Return what an observation looks like, without fetching its files.

        Parameters
        ----------
        observation : `~astropy.table.Row`, `~astropy.table.Table` of one row, or str
            What `search` returned, or an observation ID.
        draw : bool
            Whether a file is fetched and drawn where MAST has no picture.
        check_cancelled : callable, optional
            Called now and then; what it raises ends it.

        Returns
        -------
        preview : `~jdaviz_mast.preview.Preview`
            MAST's own picture; of spectra and light curves without one, a plot of their
            smallest file. A notebook shows it.

        Raises
        ------
        ObservationNotFound
            If there is no preview.
        AccessDenied
            If the data are under exclusive access, as their previews are.
        FileProblem, ArchiveUnreachable, ArchiveTimeout, ArchiveError
        """
        rows = as_observations(self._archive, observation, check_cancelled)
        if len(rows) != 1:
            raise InvalidInput("observation", f"{len(rows)} rows", "give one observation")
        return find_preview(
            self.server,
            as_dict(rows[0]),
            timeout=conf.timeout,
            draw=draw,
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
        executor=None,
        shown_with=None,
    ):
        """Download products; one that fails does not stop the others.

        Parameters
        ----------
        observations_or_products : `~astropy.table.Table`, `~astropy.table.Row` or str
            Observations (all their products of the level and type are fetched), products
            (fetched as given), or an observation ID.
        source : str, optional
            ``'http'`` for the archive's download service, ``'s3'`` for MAST's public bucket,
            ``'auto'`` for the bucket first and the archive where that fails; by default
            ``jdaviz_mast.conf.source``.
        all_levels, product_type
            As in `products`; they do not filter products that are given, and an exposure
            (level 1 or 2) that is named by its ID is fetched at its own levels.
        block : bool
            Whether to wait for the end. Ctrl-C then cancels the job, which can be resumed.
        executor : `concurrent.futures.Executor`, optional
            Runs the files on its workers, such as those of a dask cluster, instead of on
            threads here. The workers must see the download folder under the same path.
        shown_with : dict, optional
            How a viewer opens the files, JSON; it is kept in the manifest of the import, for
            `replay`.

        Returns
        -------
        job : `~jdaviz_mast.ImportJob`
            ``job.files`` tells of each file where it is, or what went wrong.

        Raises
        ------
        InvalidInput
        FileProblem
            If the download folder cannot be written to.
        MastError
            With ``block``, if the archive could not say which products there are.
        """
        check_product_types(product_type)
        request = {
            "server": self.server,
            "source": check_source(source or conf.source, self.server),
            "all_levels": bool(all_levels),
            "product_type": product_type,
        }
        check_executor(executor)
        given = as_given(observations_or_products)
        queries = queries_of(_asked(observations_or_products))
        request |= {
            "asked_for": next(iter(given)),
            "query": queries[0]["arguments"] if len(queries) == 1 else None,
            "queries": queries,
            "shown_with": shown_with,
        }
        request["title"] = title_of_given(given)
        remove_old(self.download_dir)
        record = Record.create(self.download_dir, request, given)
        return self._start(record, executor, block)

    @property
    def jobs(self):
        """Imports into the download folder, oldest first: a list of `~jdaviz_mast.ImportJob`.

        Those of earlier sessions and of other processes are among them; one whose process has
        ended before it did is ``interrupted``.
        """
        plan = self._plan
        return [_job_of(record, plan) for record in all_records(self.download_dir)]

    def job(self, job_id):
        """Return one of `jobs`.

        Parameters
        ----------
        job_id : str

        Returns
        -------
        job : `~jdaviz_mast.ImportJob`

        Raises
        ------
        InvalidInput
            If there is no such job.
        """
        return _job_of(find_record(self.download_dir, job_id), self._plan)

    def resume(self, job_id, *, block=True, executor=None):
        """Go on with an import: what is missing is fetched, what is whole is not.

        Parameters
        ----------
        job_id : str
            ``id`` of one of `jobs`, whether it was interrupted, cancelled or has failed files.
        block, executor
            As in `fetch`.

        Returns
        -------
        job : `~jdaviz_mast.ImportJob`
            With the same ``id``. One that runs is only waited for.

        Raises
        ------
        InvalidInput
            If there is no such job.
        """
        check_executor(executor)
        record = find_record(self.download_dir, job_id)
        job = ImportJob.living(record)
        if job is None:
            return self._start(record, executor, block)
        return _wait(job) if block else job

    def remove(self, job_id):
        """Forget an import. Whole files stay, the beginnings of others are removed.

        Raises
        ------
        InvalidInput
            If there is no such job, or it runs.
        """
        record = find_record(self.download_dir, job_id)
        if record.is_held or not record.acquire():
            raise InvalidInput("job_id", job_id, "it is running; cancel it first")
        try:
            with contextlib.suppress(FileProblem):
                for item in self._plan.kept_items(record) or ():
                    remove_partial(item.path)
            record.remove()
        finally:
            record.release()

    def import_existing(self, observation_id):
        """Take up the files of an observation that are whole on disk, without the network.

        Parameters
        ----------
        observation_id : str

        Returns
        -------
        job : `~jdaviz_mast.ImportJob`
            Ended. Files that are not what they should be have failed in it.

        Raises
        ------
        ObservationNotFound
            If there is no file of it in the download folder.
        """
        items = self._plan.existing_items(observation_id)
        if not items:
            raise ObservationNotFound(
                f"There is no file of an observation {observation_id!r} in {self.download_dir}."
            )
        request = {
            "server": self.server, "source": None, "title": f"{observation_id}, from disk"
        }  # fmt: skip
        record = Record.create(self.download_dir, request, None)
        record.keep_files([item.about for item in items])
        return self._start(record, None, True)

    @property
    def library(self):
        """What was fetched into the download folder, a `~jdaviz_mast.library.Library`.

        It is made to agree with the disk first.

        Raises
        ------
        FileProblem
            If it cannot be kept in the download folder.
        """
        return self.open_library()

    def open_library(self, *, synchronize=True):
        """Return `library`, without a look at the disk if not ``synchronize``."""
        library = Library(self.download_dir)
        if synchronize:
            library.synchronize()
        return library

    # -- jobs --------------------------------------------------------------------------------

    def _job(self, job_id):
        """Return the job with an ID, as `jobs` lists it."""
        find_record(self.download_dir, job_id)  # its complaint names what is wrong
        return next(job for job in self.jobs if job.id == job_id)

    def _start(self, record, executor, block):
        options = {
            "credentials": Credentials(self.server),
            "connections": conf.connections,
            "timeout": conf.timeout,
            "retries": conf.retries,
        }
        if executor is None:
            transfer = functools.partial(Transfer, **options)
        else:
            transfer = functools.partial(Distributed, executor=executor, **options)
        plan = self._plan
        on_end = functools.partial(keep_job, self.download_dir) if self._keeps else None
        job = ImportJob(record, functools.partial(plan.make, record), transfer, on_end).start()
        return _wait(job) if block else job


def _job_of(record, plan):
    """Return the job of a record: the one of this process, or what is kept of it."""
    return ImportJob.living(record, ended=True) or KeptJob(
        record, functools.partial(plan.kept_items, record)
    )


def _as_footprint(region):
    if isinstance(region, Footprint):
        return region
    read = Footprint.from_s_region if isinstance(region, str) else Footprint.from_corners
    try:
        return read(region)
    except InvalidInput as error:
        raise InvalidInput("region", error.value, error.allowed) from error


def _asked(given):
    """Return what tells which search led to this; whoever names an ID has searched for it."""
    if isinstance(given, str):
        return Table(meta={META: {"query": {"observation_id": given, "all_levels": True}}})
    return given


def default_download_dir():
    """Return the folder for downloads where none is configured."""
    return Path(platformdirs.user_downloads_dir()) / "jdaviz-mast"


def _wait(job):
    """Wait for a job, and for what follows its end; raise what kept it from starting."""
    try:
        job.wait()
        job.settled.wait()
    except KeyboardInterrupt:
        job.cancel()
        job.wait()
        raise
    if job.error is not None:
        raise job.error
    return job
