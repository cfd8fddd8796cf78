"""ASK: from a query to observations and products. No widget and no disk in here."""

from jdaviz_mast.archive.client import Archive
from jdaviz_mast.archive.query import MISSIONS, Query

__all__ = ["MISSIONS", "Archive", "Query"]
