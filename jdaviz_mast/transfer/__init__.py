"""FETCH: from addresses to whole files on disk. No astronomy in here."""

from jdaviz_mast.transfer.job import ImportJob, Item, TransferFile, running_jobs

__all__ = ["ImportJob", "Item", "TransferFile", "running_jobs"]
