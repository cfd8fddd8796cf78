"""WHERE: footprints on the sphere, and what of them overlaps. Knows no archive and no viewer."""

from jdaviz_mast.sky.footprint import Footprint, footprints_of
from jdaviz_mast.sky.ranking import rank_by_overlap
from jdaviz_mast.sky.tangent import picture_wcs

__all__ = ["Footprint", "footprints_of", "picture_wcs", "rank_by_overlap"]
