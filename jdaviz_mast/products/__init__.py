"""KNOW: what a product is, at which level, what it opens as, or why it does not."""

from jdaviz_mast.products.association import Association, read_association
from jdaviz_mast.products.choice import (
    CONTRIBUTED_LEVEL,
    Choice,
    KnownProducts,
    choose_products,
    suffix_of,
)
from jdaviz_mast.products.contents import check_contents, fits_headers
from jdaviz_mast.products.forecast import Alternative, Forecast, MemoryNeed, memory_need
from jdaviz_mast.products.kinds import (
    APPLICATIONS,
    Kind,
    kind_of,
    kind_of_observation,
    level_of,
)
from jdaviz_mast.products.structure import kind_of_file

__all__ = [
    "APPLICATIONS",
    "CONTRIBUTED_LEVEL",
    "Alternative",
    "Association",
    "Choice",
    "Forecast",
    "Kind",
    "KnownProducts",
    "MemoryNeed",
    "check_contents",
    "choose_products",
    "fits_headers",
    "kind_of",
    "kind_of_file",
    "kind_of_observation",
    "level_of",
    "memory_need",
    "read_association",
    "suffix_of",
]
