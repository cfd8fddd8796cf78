"""Bring the MAST archive into the jdaviz viewer.

The public names: `Mast` (search, products, fetch), `ImportJob`, `conf`, the errors in
`jdaviz_mast.errors`, and `setup` and `enable`, by which jdaviz gets its MAST Import tray.
"""

import warnings
from importlib.metadata import version

from jdaviz_mast.config import conf
from jdaviz_mast.mast import Mast
from jdaviz_mast.transfer import ImportJob

__all__ = ["ImportJob", "Mast", "conf", "enable", "setup"]
__version__ = version("jdaviz-mast")


def setup():
    """Make every jdaviz application of this process show the MAST Import tray.

    jdaviz calls this by itself, through the entry point ``glue.plugins``. It may be called
    again without effect.
    """
    try:
        _install()
    except (ImportError, AttributeError) as error:
        # glue swallows what a plugin raises here; a user would look for a missing tray.
        warnings.warn(f"jdaviz-mast could not be added to jdaviz: {error!r}", stacklevel=2)


def enable(app):
    """Add the MAST Import tray to a jdaviz application that exists already.

    Parameters
    ----------
    app : `jdaviz.App`, `jdaviz.Imviz`, `jdaviz.Cubeviz`, …
        Nothing happens if the tray is there.

    Returns
    -------
    app : the same application
    """
    return _install().enable(app)


def _install():
    """Register the tray with jdaviz and return what knows jdaviz; late, since it is heavy."""
    from jdaviz_mast.tray import plugin  # noqa: F401  its import registers it
    from jdaviz_mast.viewer import jdaviz_api

    jdaviz_api.install()
    return jdaviz_api
