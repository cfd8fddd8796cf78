"""What follows the end of an import: its files enter the library, then its manifest is written."""

__all__ = ["keep_job"]


def keep_job(download_dir, job):
    """Keep what a job has fetched.

    Parameters
    ----------
    download_dir : `~pathlib.Path`
    job : `~jdaviz_mast.ImportJob`
        That has ended.
    """
