"""ASK: from a query to observations and products. No widget and no disk in here."""

from jdaviz_mast.archive.client import Archive
from jdaviz_mast.archive.query import COMBINED_LEVEL, MISSIONS, Query
from jdaviz_mast.archive.session import check_server

__all__ = ["COMBINED_LEVEL", "MISSIONS", "Archive", "Query", "check_server"]
