"""GLANCE: what an observation looks like, before its files are fetched. No widget in here."""

from jdaviz_mast.preview.finder import Preview, find_preview
from jdaviz_mast.preview.picture import Picture, read_picture

__all__ = ["Picture", "Preview", "find_preview", "read_picture"]
