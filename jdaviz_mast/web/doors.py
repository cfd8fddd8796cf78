"""The calls of the guide over HTTP, each a thin face of `jdaviz_mast.Mast`."""

import warnings
from typing import Annotated

from astroquery.exceptions import MaxResultsWarning, NoResultsWarning
from fastapi import APIRouter, FastAPI, Path

import jdaviz_mast
from jdaviz_mast.archive import COMBINED_LEVEL
from jdaviz_mast.archive.checks import check_observation_ids
from jdaviz_mast.errors import InvalidInput, ObservationNotFound
from jdaviz_mast.products import choose_products
from jdaviz_mast.web import answers
from jdaviz_mast.web.messages import (
    CoordinatesSearch,
    Found,
    ImportRequest,
    ObservationSearch,
    ProgramSearch,
    Progress,
    Refreshed,
    Started,
    TargetSearch,
)
from jdaviz_mast.web.problems import RESPONSES, answer_problems

__all__ = ["PREFIX", "make_doors"]

PREFIX = "/api/mast"

_ABOUT = """\
Search MAST and import what it holds into the jdaviz viewer that is open on the page.

Errors are JSON: `error` is a sentence; `field`, `value` and `allowed` say what to change.
"""

JobId = Annotated[str, Path(alias="jobId", max_length=100, examples=["3f9a0c62b7de"])]
ObsIdInPath = Annotated[
    str,
    Path(alias="obsId", max_length=200, examples=["jw02733-o001_t001_nircam_clear-f090w"]),
]


def make_doors(mast, pages):
    """Return the doors as an ASGI application.

    Parameters
    ----------
    mast : `~jdaviz_mast.Mast`
    pages : `~jdaviz_mast.web.Pages`
        Shows what is imported.
    """
    app = FastAPI(
        title="jdaviz-mast",
        version=jdaviz_mast.__version__,
        description=_ABOUT,
        openapi_url=f"{PREFIX}/openapi.json",
        # Their pages load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    answer_problems(app, mast)
    doors = APIRouter(prefix=PREFIX, responses=RESPONSES)
    _searches(doors, mast)
    _imports(doors, mast, pages)
    _refreshes(doors, mast, pages)
    app.include_router(doors)
    return app


def _searches(doors, mast):
    def search(search_type, request, **arguments):
        levels = request.calib_level
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoResultsWarning)  # the answer says it
            warnings.simplefilter("ignore", MaxResultsWarning)
            rows = mast.search(
                **arguments,
                all_levels=levels is not None and set(levels) != {COMBINED_LEVEL},
                page=request.page,
            )
        return answers.found(search_type, request, rows, levels)

    @doors.post("/search/target")
    def search_target(request: TargetSearch) -> Found:
        """Search around a target, whose position is looked up."""
        return search("target", request, target=request.target_name, radius=request.radius)

    @doors.post("/search/coordinates")
    def search_coordinates(request: CoordinatesSearch) -> Found:
        """Search around a position."""
        position = request.ra, request.dec
        return search("coordinates", request, coordinates=position, radius=request.radius)

    @doors.post("/search/observation")
    def search_observation(request: ObservationSearch) -> Found:
        """Search by observation ID."""
        return search("observation", request, observation_id=request.obs_id)

    @doors.post("/search/program")
    def search_program(request: ProgramSearch) -> Found:
        """Search by program ID."""
        return search("program", request, program_id=str(request.program_id))


def _imports(doors, mast, pages):
    names = {}  # the observation of each import of now

    def started(job, obs_id, message):
        names[job.id] = obs_id
        pages.show(job)
        return Started(job_id=job.id, obs_id=obs_id, message=message)

    @doors.post("/import")
    def import_observation(request: ImportRequest) -> Started:
        """Fetch an observation's products, and show them in the viewer that was used last.

        This does not wait for the end. If no viewer is open, the next one shows them.
        """
        obs_id = _one(request.obs_id)
        product_type = None if request.product_type.lower() == "all" else request.product_type
        if request.calib_level is None:
            wanted, kind = obs_id, {"product_type": product_type}
        else:
            wanted, kind = _of_levels(mast, obs_id, product_type, request.calib_level), {}
        job = mast.fetch(wanted, source=request.download_source, block=False, **kind)
        return started(job, obs_id, "Import started")

    @doors.get("/import-progress/{jobId}")
    def import_progress(job_id: JobId) -> Progress:
        """Tell how far an import is, or how it ended."""
        return answers.progress(_job(mast, job_id), mast, names.get(job_id))

    @doors.post("/import/resume/{jobId}")
    def resume(job_id: JobId) -> Progress:
        """Go on with an import: what is missing is fetched, what is whole is not."""
        _job(mast, job_id)
        job = mast.resume(job_id, block=False)
        pages.show(job)
        return answers.progress(job, mast, names.get(job_id))

    @doors.post("/import/from-existing/{obsId}")
    def from_existing(obs_id: ObsIdInPath) -> Started:
        """Show an observation's files that are whole on disk, without the network."""
        obs_id = _one(obs_id)
        job = mast.import_existing(obs_id)
        return started(job, obs_id, f"Found {len(job.files):,} files")


def _refreshes(doors, mast, pages):
    def refreshed(obs_id):
        held = [one for held in pages.each(lambda tray: tray.held()) for one in held]
        report = mast.refresh_metadata(obs_id, held=held)
        pages.each(lambda tray: tray.take_report(report))
        about = report.as_dict()
        return Refreshed(
            obs_id=obs_id or "all",
            updated_count=len(report.changed),
            message=answers.without_paths(str(report), mast),
            observations=about["observations"],
            updates=about["updates"],
        )

    @doors.post("/refresh-metadata/{obsId}")
    def refresh(obs_id: ObsIdInPath) -> Refreshed:
        """Fetch the metadata of one observation anew.

        The library and the layers in open viewers get the new values.
        """
        return refreshed(_one(obs_id))

    @doors.post("/refresh-metadata-all")
    def refresh_all() -> Refreshed:
        """Fetch the metadata of all that was imported, and of all layers, anew."""
        return refreshed(None)


def _one(obs_id):
    ids = check_observation_ids(obs_id)
    if len(ids) != 1:
        raise InvalidInput("observation_id", obs_id, "give one")
    return ids[0]


def _of_levels(mast, obs_id, product_type, levels):
    products = mast.products(obs_id, all_levels=True, product_type=product_type)
    chosen = choose_products(products, level=levels, clutter=True) if len(products) else products
    if not len(chosen):
        some = ", ".join(map(str, sorted(set(levels))))
        raise ObservationNotFound(f"{obs_id} has no products of this type at level {some}.")
    return chosen


def _job(mast, job_id):
    try:
        return mast.job(job_id)
    except InvalidInput as error:
        if "damaged" in error.allowed:
            raise
        # To HTTP it is not a value that is wrong, but a thing that is not there.
        raise ObservationNotFound(f"There is no import {job_id[:80]!r}.") from None
