"""Sphinx configuration; the build needs no internet."""

from importlib.metadata import version as installed_version

project = "jdaviz-mast"
author = "The jdaviz-mast developers"
copyright = author  # noqa: A001  named by Sphinx
version = release = installed_version("jdaviz-mast")

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.doctest",
    "numpydoc",
]
exclude_patterns = ["_build", "api"]
default_role = "py:obj"

html_theme = "furo"
html_title = f"jdaviz-mast {release}"

autosummary_generate = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_class_signature = "mixed"
numpydoc_show_class_members = False

# `sphinx-build -b doctest docs docs/_build/doctest` runs the examples of these pages
# against the embedded archive.
doctest_global_setup = """
import tempfile
import warnings
import astropy.units as u
from astroquery.exceptions import NoResultsWarning
from jdaviz_mast import Mast, conf
from jdaviz_mast.demo import DemoArchive, Fault
warnings.simplefilter("ignore", NoResultsWarning)
_archive = archive = DemoArchive().start()
_folder = tempfile.TemporaryDirectory()
conf.server, conf.download_dir = _archive.url, _folder.name
"""
doctest_global_cleanup = """
_archive.stop()
_folder.cleanup()
conf.reset("server")
conf.reset("download_dir")
"""
