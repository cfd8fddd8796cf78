"""What the page is told of a job and of its files: short texts, and never more than a page."""

import datetime
import os
from collections import Counter

from jdaviz_mast.tray.words import bytes_in_words, counted, cut, seconds_in_words

__all__ = ["FILES_PER_PAGE", "JOBS_PER_PAGE", "detail_of", "file_rows", "job_row"]

JOBS_PER_PAGE = 10
FILES_PER_PAGE = 25

#: Seconds without a byte after which that is said.
_SILENCE = 5
#: Characters of a text of the archive or of an error that go to the page.
_LONGEST = 400
_MOST_NOTES = 8

_WORDS = {
    "queued": "waiting",
    "running": "downloading",
    "complete": "complete",
    "partial": "some files failed",
    "failed": "failed",
    "cancelled": "cancelled",
    "interrupted": "interrupted: the application ended before the import did",
}
_BUTTONS = {
    "queued": ["cancel"],
    "running": ["cancel"],
    "complete": ["remove"],
    "partial": ["retry", "remove"],
    "failed": ["retry", "remove"],
    "cancelled": ["resume", "remove"],
    "interrupted": ["resume", "remove"],
}
#: What asks for attention comes first.
_ORDER = {"failed": 0, "running": 1, "queued": 2, "cancelled": 3, "complete": 4}


def job_row(job, silent=0.0):
    """Return a job as the list shows it.

    Parameters
    ----------
    job : `~jdaviz_mast.ImportJob`
    silent : float
        Seconds since its last byte came.

    Returns
    -------
    row : dict
        Texts and numbers for the page, about 400 bytes.
    """
    files, state = job.files, job.state
    states = Counter(file.state for file in files)
    done, total = sum(f.bytes_done for f in files), sum(f.bytes_total for f in files)
    whole = bool(files) and states["complete"] == len(files)
    return {
        "id": job.id,
        "title": cut(job.title, 120),
        "when": _when(job.created),
        "state": state,
        "words": _words(job, state, bool(files), silent),
        "percent": 100.0 if whole else round(100 * min(done / total, 1), 1) if total else 0.0,
        "bytes": _amount(done, total, whole),
        "speed": _speed(job) if state == "running" and silent < _SILENCE else "",
        "files": _files(states, len(files)),
        "buttons": _BUTTONS.get(state, []),
        "error": "" if job.error is None else cut(job.error, _LONGEST),
    }


def detail_of(job, outcome):
    """Return what is shown below a job that is unfolded, besides its files.

    Parameters
    ----------
    job : `~jdaviz_mast.ImportJob`
    outcome : (str, list of str) or None
        What became of its layers in this session.
    """
    message, notes = outcome or ("", [])
    notes = [*job.notes, *([message] if message else []), *notes]
    return {
        "id": job.id,
        "notes": [cut(note, _LONGEST) for note in notes[:_MOST_NOTES]],
        "folder": folder_of(job),
    }


def folder_of(job):
    """Return the folder that holds all files of a job as text; empty if there is none yet."""
    folders = {os.path.dirname(file.path) for file in job.files if file.path}
    return os.path.commonpath(folders) if folders else ""


def file_rows(job, page):
    """Return one page of the files of a job; those that failed first, then those that run.

    Parameters
    ----------
    job : `~jdaviz_mast.ImportJob`
    page : int
        From 1.

    Returns
    -------
    rows : list of dict
    page : int
        The page that it is; the last one if there are not so many.
    count : int
        Files in all.
    """
    files = sorted(job.files, key=lambda file: _ORDER.get(file.state, 9))  # stable
    page = max(1, min(page, -(-len(files) // FILES_PER_PAGE)))
    shown = files[(page - 1) * FILES_PER_PAGE : page * FILES_PER_PAGE]
    return [_file_row(file) for file in shown], page, len(files)


def _file_row(file):
    done, total = file.bytes_done, file.bytes_total
    return {
        "name": cut(file.name, 200),
        "state": file.state,
        "bytes": _amount(done, total, file.state == "complete"),
        "percent": round(100 * min(done / total, 1)) if total else 0,
        "source": {"http": "HTTP", "s3": "S3"}.get(file.source, ""),
        "error": cut(file.error, _LONGEST) if file.error and file.state == "failed" else "",
        "note": cut(file.note, _LONGEST) if file.note else "",
    }


def _words(job, state, planned, silent):
    if state == "running" and not planned:
        return "asking MAST what there is"
    if state == "running" and silent >= _SILENCE:
        # In steps: a text that changes each second is of no more use.
        since = seconds_in_words(silent // 5 * 5)
        return f"no data for {since}: the archive is asked again and again"
    return _WORDS.get(state, state)


def _when(created):
    """Return the date and time of this machine."""
    moment = created.to_datetime(timezone=datetime.UTC).astimezone()
    return f"{moment:%Y-%m-%d %H:%M}"


def _amount(done, total, whole):
    if not done and not total:
        return ""
    if whole or not total or done >= total:
        return bytes_in_words(max(done, total))
    return f"{bytes_in_words(done)} of {bytes_in_words(total)}"


def _speed(job):
    rate, eta = job.rate, job.eta
    if not rate:
        return ""
    left = f", {seconds_in_words(eta)} left" if eta is not None and eta >= 1 else ""
    return f"{bytes_in_words(rate)}/s{left}"


def _files(states, count):
    if not count:
        return ""
    text = f"{states['complete']:,} of {counted(count, 'file')}"
    return f"{text}, {states['failed']:,} failed" if states["failed"] else text
