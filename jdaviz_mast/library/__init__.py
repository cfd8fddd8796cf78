"""KEEP: what was fetched, when, from where, in which version."""

from jdaviz_mast.library.citations import Citations
from jdaviz_mast.library.keeping import keep_job
from jdaviz_mast.library.kept import KeptFile
from jdaviz_mast.library.manifest import FORMATS, Manifest, manifest_path, schema
from jdaviz_mast.library.manifest_making import (
    keep_layers,
    kept_manifest,
    make_manifest,
    write_manifest,
)
from jdaviz_mast.library.provenance_tree import Origin, Provenance
from jdaviz_mast.library.refreshing import Held, Refreshed, RefreshReport
from jdaviz_mast.library.replaying import Replay, ReplayedFile, abouts_of
from jdaviz_mast.library.store import Library
from jdaviz_mast.library.updates import Update

__all__ = [
    "FORMATS",
    "Citations",
    "Held",
    "KeptFile",
    "Library",
    "Manifest",
    "Origin",
    "Provenance",
    "RefreshReport",
    "Refreshed",
    "Replay",
    "ReplayedFile",
    "Update",
    "abouts_of",
    "keep_job",
    "keep_layers",
    "kept_manifest",
    "make_manifest",
    "manifest_path",
    "schema",
    "write_manifest",
]
