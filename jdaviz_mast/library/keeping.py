"""What follows the end of an import: its files enter the library, then its manifest is written."""

import logging

from jdaviz_mast.errors import MastError
from jdaviz_mast.library.manifest_making import write_manifest
from jdaviz_mast.library.store import Library
from jdaviz_mast.library.trails import trail_of_file

__all__ = ["keep_job"]

log = logging.getLogger(__name__)


def keep_job(download_dir, job):
    """Keep what a job has fetched.

    The files enter the library at once, their checksums are added one after the other. What
    cannot be kept costs the user no more than a line in the log: the files are there, and the
    library notices them the next time that it is opened.

    Parameters
    ----------
    download_dir : path-like
    job : `~jdaviz_mast.ImportJob`
        That has ended.
    """
    library = _enter(download_dir, job)
    try:
        write_manifest(download_dir, job, library)
    except MastError as error:
        log.warning("%s", error)


def _enter(download_dir, job):
    """Enter the files of a job; return the library, None if it cannot be kept."""
    library = Library(download_dir)
    whole = [file for file in job.files if file.state == "complete" and file.path is not None]
    try:
        if whole:
            folder = library.folder
            library.enter({
                file.path.absolute().relative_to(folder).as_posix(): trail_of_file(file, job)
                for file in whole
            })  # fmt: skip
            library.add_checksums([file.path for file in whole])
    except MastError as error:
        log.warning("%s", error)
        return None
    return library
