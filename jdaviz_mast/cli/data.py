"""``jdaviz-mast`` with ``search``, ``preview``, ``fetch``, ``jobs`` and ``resume``."""

import json
import shlex
import sys
import warnings
from pathlib import Path

import numpy as np
from astropy.time import Time
from astroquery.exceptions import NoResultsWarning
from tqdm import tqdm

from jdaviz_mast.archive import META, as_dict
from jdaviz_mast.cli.products import chosen, is_choice
from jdaviz_mast.errors import FileProblem, InvalidInput
from jdaviz_mast.mast import Mast
from jdaviz_mast.words import bytes_in_words, one_line

__all__ = ["fetch", "follow", "jobs", "keywords", "preview", "resume", "search",
           "show_progress"]  # fmt: skip

_COLUMNS = (
    "target_name", "instrument_name", "filters", "t_exptime", "calib_level", "t_min",
    "dataRights", "obs_id",
)  # fmt: skip
_LAST_DAY = 1e5  # MJD, in the year 2132
_TICK = 0.2  # seconds between two steps of the progress bar


def search(options):
    """Print what the archive holds; return whether that is anything."""
    mast = Mast(options.server)
    if options.region is not None:
        return _print_overlapping(mast, options)
    arguments = _search_arguments(options)
    if options.count:
        count = mast.count(options.target, **arguments)
        print(json.dumps(count) if options.json else f"{count:,}")
        return count > 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NoResultsWarning)
        observations = mast.search(options.target, **arguments)
    for note in [] if options.json else observations.meta[META]["notes"]:
        print(note, file=sys.stderr)
    if options.json:
        print(json.dumps([as_dict(row) for row in observations], indent=1))
    elif len(observations):
        print("\n".join(_with_dates(observations).pformat(max_lines=-1, max_width=-1)))
    else:
        levels = "" if options.all_levels else " at level 3; --all-levels shows the others"
        print(f"MAST holds nothing that matches{levels}.", file=sys.stderr)
    return len(observations) > 0


def keywords(options):
    """Print the keywords that JWST's data can be searched by; return whether there are any."""
    words = [word.lower() for word in options.words]
    rows = [
        as_dict(row)
        for row in Mast(options.server).keywords("JWST")
        if all(word in f"{row['name']} {row['description']}".lower() for word in words)
    ]
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        for row in rows:
            print(f"{row['name']:24} {row['type']:10} {row['description']}")
    return bool(rows)


def _search_arguments(options):
    """Return the arguments of a search, the target excepted."""
    names = (
        "coordinates", "radius", "observation_id", "program_id", "dataset_id", "doi", "mission",
        "instrument", "filters", "data_type", "rights", "author", "all_levels",
    )  # fmt: skip
    arguments = {name: getattr(options, name) for name in names}
    for name in ("wavelength", "date", "exposure_time"):
        ends = getattr(options, name)
        arguments[name] = None if ends is None else tuple(end or None for end in ends)
    if options.keyword:
        pairs = [text.partition("=") for text in options.keyword]
        if not all(equals for _, equals, _ in pairs):
            raise InvalidInput("keyword", options.keyword, "write NAME=VALUE")
        arguments["keywords"] = {name: value for name, _, value in pairs}
    return arguments


def _with_dates(observations):
    """Return the columns that are printed, the date as a day."""
    shown = observations[[name for name in _COLUMNS if name in observations.colnames]].copy()
    if "t_min" in shown.colnames:
        place = shown.colnames.index("t_min")
        shown.add_column(_days(shown["t_min"]), name="date", index=place)
        shown.remove_column("t_min")
    if "t_exptime" in shown.colnames:
        shown["t_exptime"].info.format = "{:.1f}"
    return shown


def _print_overlapping(mast, options):
    """Print what overlaps a region, with the part of it that each covers."""
    if options.target or options.coordinates or options.observation_id or options.program_id:
        raise InvalidInput("--region", options.region, "it is a search of its own; leave the rest")
    found = mast.search_region(
        options.region, mission=options.mission, all_levels=options.all_levels
    )
    if options.json:
        rows = zip(found, found.meta["overlap"], strict=True)
        print(json.dumps([as_dict(row) | {"overlap": part} for row, part in rows], indent=1))
    elif len(found):
        shown = found[[name for name in _COLUMNS if name in found.colnames]]
        parts = [f"{100 * part:.0f} %" for part in found.meta["overlap"]]
        shown.add_column(parts, name="overlap", index=0)
        print("\n".join(shown.pformat(max_lines=-1, max_width=-1)))
    else:
        print("Nothing in MAST overlaps this region.", file=sys.stderr)
    return len(found) > 0


def preview(options):
    """Write the preview of an observation to a file, and print where that is."""
    found = Mast(options.server).preview(options.observation_id)
    suffix = {"image/png": ".png", "image/jpeg": ".jpg"}[found.picture.mime]
    path = Path(options.output or f"{options.observation_id}_preview{suffix}")
    try:
        path.write_bytes(found.picture.data)
    except OSError as error:
        raise FileProblem(f"{path} cannot be written: {error.strerror}.") from error
    print(json.dumps({"path": str(path), "mime": found.picture.mime}) if options.json else path)


def fetch(options):
    """Download one observation's products; return the exit code."""
    from jdaviz_mast.cli.main import NOTHING_FOUND

    mast = Mast(options.server, options.download_dir)
    wanted = options.observation_id
    if is_choice(options):
        wanted = chosen(mast, options)
        if not len(wanted):
            print("No product of this observation matches.", file=sys.stderr)
            return NOTHING_FOUND
    job = mast.fetch(
        wanted,
        source=options.source,
        all_levels=options.all_levels,
        product_type=options.product_type,
        block=False,
    )
    return follow(job, options)


def resume(options):
    """Go on with a job; return the exit code."""
    from jdaviz_mast.cli.main import NOTHING_FOUND

    mast = Mast(options.server, options.download_dir)
    job_id = options.job_id
    if job_id is None:
        unfinished = [job for job in mast.jobs if job.finished and job.state != "complete"]
        if not unfinished:
            print(f"No import into {mast.download_dir} is left to resume.", file=sys.stderr)
            return NOTHING_FOUND
        job_id = unfinished[-1].id
    return follow(mast.resume(job_id, block=False), options)


def jobs(options):
    """Print the imports of a download folder, or remove some; return whether there are any."""
    mast = Mast(None, options.download_dir)
    for job_id in options.remove:
        mast.remove(job_id)
    listed = mast.jobs
    if options.json:
        print(json.dumps([_report(job, files=False) for job in listed], indent=1))
    else:
        for job in listed:
            done = sum(file.state == "complete" for file in job.files)
            size = f"{bytes_in_words(job.bytes_done)} of {bytes_in_words(job.bytes_total)}"
            when = job.created.to_value("iso", subfmt="date_hm")
            files = f"{done} of {len(job.files)} files"
            print(
                f"{job.id}  {when}  {job.state:11}  {files:>18}  {size:>20}  {one_line(job.title)}"
            )
    if not listed and not options.json:
        print(f"There are no imports into {mast.download_dir}.", file=sys.stderr)
    return bool(listed)


def follow(job, options):
    """Show how a job goes on, and print what came of it; return the exit code."""
    from jdaviz_mast.cli.main import FAILED, NOTHING_FOUND, OK

    show_progress(job, options)
    if job.error is not None:
        raise job.error
    if options.json:
        print(json.dumps(_report(job), indent=1))
    else:
        _print_files(job)
    if not job.files:
        levels = (
            ""
            if getattr(options, "all_levels", True)
            else (" of level 3; --all-levels fetches the others")
        )
        print(f"The observation has no products{levels}.", file=sys.stderr)
        return NOTHING_FOUND
    return OK if job.state == "complete" else FAILED


def show_progress(job, options):
    """Show how a job goes on; Ctrl-C cancels it, and it is said how to go on."""
    try:
        _show_progress(job, quiet=options.json or not sys.stderr.isatty())
        job.settled.wait()  # what is fetched is kept in the library before this process ends
    except KeyboardInterrupt:
        job.cancel()
        job.wait()
        where = f" --download-dir {shlex.quote(options.download_dir)}" * bool(options.download_dir)
        server = f" --server {shlex.quote(options.server)}" * bool(options.server)
        print(f"\nGo on with: jdaviz-mast resume {job.id}{where}{server}", file=sys.stderr)
        raise


def _show_progress(job, quiet):
    with tqdm(unit="B", unit_scale=True, disable=quiet, file=sys.stderr) as bar:
        ended = False
        while not ended:
            ended = job.wait(_TICK)
            bar.total = job.bytes_total or None
            bar.n = job.bytes_done
            bar.set_description(f"{sum(f.state == 'complete' for f in job.files)} files", False)
            bar.refresh()


def _days(column):
    """Return times in MJD UTC as days, such as ``2022-06-03``, empty where there is none."""
    values = np.ma.filled(np.ma.masked_invalid(column), 0.0)
    there = (values > 0) & (values < _LAST_DAY)
    dates = Time(np.where(there, values, 59000.0), format="mjd", scale="utc").iso
    return [str(date)[:10] if known else "" for date, known in zip(dates, there, strict=True)]


def _report(job, *, files=True):
    about = {
        "id": job.id,
        "title": job.title,
        "created": job.created.isot + "Z",
        "state": job.state,
        "bytes_done": job.bytes_done,
        "bytes_total": job.bytes_total,
        "error": None if job.error is None else str(job.error),
        "notes": job.notes,
    }
    if not files:
        return about | {"files": len(job.files)}
    return about | {
        "files": [
            {"uri": f.uri, "path": None if f.path is None else str(f.path), "state": f.state,
             "bytes": f.bytes_done, "source": f.source, "error": f.error, "note": f.note}
            for f in job.files
        ],
    }  # fmt: skip


def _print_files(job):
    for note in job.notes:
        print(note, file=sys.stderr)
    for file in job.files:
        if file.state == "complete":
            print(file.path)
        else:
            print(f"{file.name}: {file.state}: {file.error or ''}", file=sys.stderr)
        if file.note:
            print(f"{file.name}: {file.note}", file=sys.stderr)
