"""``jdaviz-mast search`` and ``jdaviz-mast fetch``."""

import json
import sys
import warnings

from astroquery.exceptions import NoResultsWarning
from tqdm import tqdm

from jdaviz_mast.mast import Mast, as_dict

__all__ = ["fetch", "search"]

_COLUMNS = (
    "target_name", "instrument_name", "filters", "t_exptime", "calib_level", "t_min",
    "dataRights", "obs_id",
)  # fmt: skip
_TICK = 0.2  # seconds between two steps of the progress bar


def search(options):
    """Print what the archive holds; return whether that is anything."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoResultsWarning)
        observations = Mast(options.server).search(
            options.target,
            coordinates=options.coordinates,
            radius=options.radius,
            observation_id=options.observation_id,
            program_id=options.program_id,
            mission=options.mission,
            all_levels=options.all_levels,
        )
    if options.json:
        print(json.dumps([as_dict(row) for row in observations], indent=1))
    elif len(observations):
        shown = observations[[name for name in _COLUMNS if name in observations.colnames]]
        print("\n".join(shown.pformat(max_lines=-1, max_width=-1)))
    else:
        levels = "" if options.all_levels else " at level 3; --all-levels shows the others"
        print(f"MAST holds nothing that matches{levels}.", file=sys.stderr)
    return len(observations) > 0


def fetch(options):
    """Download one observation's products; return the exit code."""
    from jdaviz_mast.cli.main import FAILED, NOTHING_FOUND, OK

    job = Mast(options.server, options.download_dir).fetch(
        options.observation_id,
        all_levels=options.all_levels,
        product_type=options.product_type,
        block=False,
    )
    try:
        _show_progress(job, quiet=options.json or not sys.stderr.isatty())
    except KeyboardInterrupt:
        job.cancel()
        job.wait()
        raise
    if job.error is not None:
        raise job.error
    if options.json:
        print(json.dumps(_report(job), indent=1))
    else:
        _print_files(job)
    if not job.files:
        levels = "" if options.all_levels else " of level 3; --all-levels fetches the others"
        print(f"The observation has no products{levels}.", file=sys.stderr)
        return NOTHING_FOUND
    return OK if job.state == "complete" else FAILED


def _show_progress(job, quiet):
    with tqdm(unit="B", unit_scale=True, disable=quiet, file=sys.stderr) as bar:
        ended = False
        while not ended:
            ended = job.wait(_TICK)
            bar.total = job.bytes_total or None
            bar.n = job.bytes_done
            bar.set_description(f"{sum(f.state == 'complete' for f in job.files)} files", False)
            bar.refresh()


def _report(job):
    return {
        "id": job.id,
        "state": job.state,
        "files": [
            {"uri": f.uri, "path": None if f.path is None else str(f.path), "state": f.state,
             "bytes": f.bytes_done, "error": f.error}
            for f in job.files
        ],
    }  # fmt: skip


def _print_files(job):
    for file in job.files:
        if file.state == "complete":
            print(file.path)
        else:
            print(f"{file.name}: {file.state}: {file.error or ''}", file=sys.stderr)
