"""FETCH: from addresses to whole files on disk. No astronomy in here."""

from jdaviz_mast.transfer.distributed import Distributed
from jdaviz_mast.transfer.engine import Transfer
from jdaviz_mast.transfer.item import Item, Source, TransferFile
from jdaviz_mast.transfer.job import ImportJob, KeptJob, running_jobs
from jdaviz_mast.transfer.partial import bytes_on_disk, is_set_aside, remove_partial
from jdaviz_mast.transfer.paths import safe_path
from jdaviz_mast.transfer.records import (
    STATE_FOLDER,
    Record,
    all_records,
    find_record,
    remove_old,
)

__all__ = [
    "STATE_FOLDER",
    "Distributed",
    "ImportJob",
    "Item",
    "KeptJob",
    "Record",
    "Source",
    "Transfer",
    "TransferFile",
    "all_records",
    "bytes_on_disk",
    "find_record",
    "is_set_aside",
    "remove_old",
    "remove_partial",
    "running_jobs",
    "safe_path",
]
