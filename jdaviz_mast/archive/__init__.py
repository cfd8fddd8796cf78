"""ASK: from a query to observations and products. No widget and no disk in here."""

from jdaviz_mast.archive.client import Archive
from jdaviz_mast.archive.query import COMBINED_LEVEL, MISSIONS, Query

__all__ = ["COMBINED_LEVEL", "MISSIONS", "Archive", "Query"]
