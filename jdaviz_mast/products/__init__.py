"""KNOW: what a product is, at which level, what it opens as, or why it does not."""

from jdaviz_mast.products.contents import check_contents, fits_headers
from jdaviz_mast.products.kinds import Kind, kind_of, kind_of_observation, level_of
from jdaviz_mast.products.structure import kind_of_file

__all__ = [
    "Kind", "check_contents", "fits_headers", "kind_of", "kind_of_file", "kind_of_observation",
    "level_of",
]  # fmt: skip
