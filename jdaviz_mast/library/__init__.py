"""KEEP: what was fetched, when, from where, in which version."""

from jdaviz_mast.library.keeping import keep_job
from jdaviz_mast.library.kept import KeptFile
from jdaviz_mast.library.store import Library

__all__ = ["KeptFile", "Library", "keep_job"]
