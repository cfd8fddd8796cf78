"""KEEP: what was fetched, when, from where, in which version."""

from jdaviz_mast.library.citations import Citations
from jdaviz_mast.library.keeping import keep_job
from jdaviz_mast.library.kept import KeptFile
from jdaviz_mast.library.provenance_tree import Origin, Provenance
from jdaviz_mast.library.refreshing import Held, Refreshed, RefreshReport
from jdaviz_mast.library.store import Library
from jdaviz_mast.library.updates import Update

__all__ = [
    "Citations",
    "Held",
    "KeptFile",
    "Library",
    "Origin",
    "Provenance",
    "RefreshReport",
    "Refreshed",
    "Update",
    "keep_job",
]
