"""Ask and import over HTTP: the doors of the standalone application, and who may use them."""

from jdaviz_mast.web.doors import PREFIX, make_doors
from jdaviz_mast.web.guard import Guard, is_this_machine, new_key
from jdaviz_mast.web.pages import Pages

__all__ = ["PREFIX", "Guard", "Pages", "is_this_machine", "make_doors", "new_key"]
