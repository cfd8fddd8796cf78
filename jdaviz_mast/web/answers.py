"""From what the front door returns to the messages that go out."""

from astropy.time import Time

from jdaviz_mast.archive import META, as_dict
from jdaviz_mast.errors import MastError
from jdaviz_mast.web.messages import FileProgress, Found, Imported, Progress
from jdaviz_mast.words import without_folder

__all__ = ["found", "obs_id_of", "progress", "without_paths"]

#: Of each state of a job: the stage in the guide's words, and how it ended.
_STAGES = {
    "queued": ("Starting", None),
    "running": ("Downloading", None),
    "complete": ("Complete", "completed"),
    "partial": ("Failed", "partial"),
    "failed": ("Failed", "failed"),
    "cancelled": ("Cancelled", "cancelled"),
    "interrupted": ("Failed", "interrupted"),
}
#: Of each state of a file, the guide's word.
_FILES = {
    "queued": "pending", "running": "downloading", "complete": "complete", "failed": "failed",
    "cancelled": "cancelled",
}  # fmt: skip
_FROM_DISK = ", from disk"


def found(search_type, request, observations, levels):
    """Return the answer to a search.

    Parameters
    ----------
    search_type : str
    request : pydantic.BaseModel
        What was asked for.
    observations : `~astropy.table.Table`
        What `jdaviz_mast.Mast.search` returned.
    levels : sequence of int or None
        Those to keep, None for all.
    """
    rows = [as_dict(row) for row in observations]
    about = observations.meta.get(META, {})
    total = max(int(about.get("total", len(rows))), len(rows))
    notes = [str(note) for note in about.get("notes", [])]
    if levels is not None:
        kept = [row for row in rows if row.get("calib_level") in levels]
        if len(kept) < len(rows):
            if total > len(rows):
                notes.append(
                    f"{total:,} rows match at all levels; those of other levels are left out page "
                    "by page."
                )
            total -= len(rows) - len(kept)
            rows = kept
    return Found(
        search_type=search_type,
        query_params=request.model_dump(by_alias=True, exclude_none=True),
        results=rows,
        result_count=len(rows),
        total_count=total,
        notes=notes,
        timestamp=Time.now().utc.isot + "Z",
    )


def obs_id_of(job):
    """Return the observation that a job is of, None if it is of several or nobody knows."""
    owners = {
        str(file.about["product"].get("obs_id") or file.about["observation"].get("obs_id") or "")
        for file in job.files
    } - {""}
    title = job.title.removesuffix(_FROM_DISK)
    if title in owners or (not owners and " " not in title):
        return title
    return owners.pop() if len(owners) == 1 else None


def progress(job, mast, obs_id=None):
    """Return how far a job is.

    Parameters
    ----------
    job : `~jdaviz_mast.ImportJob`
    mast : `~jdaviz_mast.Mast`
        Whose download folder no message names.
    obs_id : str, optional
        The observation that it is of, if that is known.
    """
    ended, state = job.finished, job.state  # in this order: it may end between the two
    files = list(job.files)
    stage, outcome = _STAGES[state]
    if stage == "Downloading" and not files:
        stage = "Starting"
    done, total = job.bytes_done, job.bytes_total
    # Of a file that is fetched without a size, what has come may be more than what is known.
    percent = min(100.0, 100 * done / total) if total else 0.0
    whole = [file for file in files if file.state == "complete"]
    error = _error_of(job, files, ended, mast)
    obs_id = obs_id or obs_id_of(job)
    result = None
    if ended:
        result = Imported(
            status=outcome or "interrupted",
            obs_id=obs_id,
            imported_data_ids=[file.uri for file in whole],
            imported_count=len(whole),
            error=error,
        )
    said = f"{len(whole):,} of {len(files):,} files are here" if files else "Asking what there is"
    if ended and not files:
        said = "There are no files"
    return Progress(
        job_id=job.id,
        obs_id=obs_id,
        progress=100.0 if state == "complete" else round(percent, 2),
        stage=stage,
        state=state,
        message=without_paths(" ".join([f"{said}.", *job.notes]), mast),
        is_complete=ended,
        error=error,
        started_at=job.created.isot + "Z",
        result=result,
        total_bytes=total,
        downloaded_bytes=done,
        download_progress_percent=100.0 if state == "complete" else round(percent, 2),
        speed_bytes_per_sec=job.rate,
        eta_seconds=job.eta,
        file_progress=[_file(file, mast) for file in files],
        is_resumable=ended and state != "complete",
    )


def _file(file, mast):
    done, total = file.bytes_done, file.bytes_total or 0
    percent = min(100.0, 100 * done / total) if total else 0.0
    return FileProgress(
        filename=file.name,
        total_bytes=total,
        downloaded_bytes=done,
        progress_percent=100.0 if file.state == "complete" else round(percent, 2),
        status=_FILES.get(file.state, "pending"),
        error=without_paths(file.error, mast) if file.error else None,
    )


def _error_of(job, files, ended, mast):
    if job.error is not None:
        known = isinstance(job.error, MastError)
        return without_paths(str(job.error), mast) if known else "An unexpected error ended it."
    failed = [file for file in files if file.state == "failed"]
    if failed:
        reasons = dict.fromkeys(file.error or "unknown" for file in failed)
        some = " ".join(list(reasons)[:3])
        return without_paths(f"{len(failed)} of {len(files)} files failed: {some}", mast)
    if ended and job.state == "interrupted":
        return "Its process ended before it did; resume it."
    if ended and job.state == "failed":
        return "It failed; resume it."
    return None


def without_paths(text, mast):
    """Return a message without the download folder's place on this machine."""
    return without_folder(text, mast.download_dir)
