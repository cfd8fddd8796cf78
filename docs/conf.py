"""Sphinx configuration; the build needs no internet."""

from importlib.metadata import version as installed_version
from pathlib import Path

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
doctest_path = [str(Path(__file__).parent)]
doctest_global_setup = """
import tempfile
import warnings
import astropy.units as u
from astroquery.exceptions import NoResultsWarning
from jdaviz_mast import Mast, conf
from jdaviz_mast.demo import DemoArchive, Fault
from shared_archive import archive
warnings.simplefilter("ignore", NoResultsWarning)
_folder = tempfile.TemporaryDirectory()
conf.server, conf.download_dir = archive.url, _folder.name
"""
doctest_global_cleanup = """
import shared_archive
shared_archive.archive.clear_faults()
_folder.cleanup()
conf.reset("server")
conf.reset("download_dir")
"""


def _table_of_kinds():
    """Return the table of suffixes as reStructuredText, made from the code's own."""
    from jdaviz_mast.products import kinds
    from jdaviz_mast.products.suffixes import SUFFIXES

    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 11 14 34 8 15 18", ""]

    def add(first, *cells):
        lines.append(f"   * - {first}")
        lines.extend(f"     - {cell}" for cell in cells)

    add("Mission", "Suffix", "Meaning", "Level", "Opens as", "In")
    for suffix in SUFFIXES:
        kind = kinds.KINDS[suffix.kind]
        where = ", ".join(kinds.APPLICATIONS[name] for name in kind.applications)
        add(
            suffix.mission,
            f"``{suffix.name}``",
            suffix.meaning,
            ", ".join(map(str, suffix.levels)) or "–",
            kind.format or ("hidden" if kind.clutter else "not here"),
            where.replace("jdaviz's ", "") or ("–" if kind.clutter else kind.advice),
        )
    return "\n".join(lines)


def _put_in_kinds(app, name, source):
    source[0] = source[0].replace("|table of kinds|", _table_of_kinds())


def setup(app):
    """Put the table of kinds where a page asks for it."""
    app.connect("source-read", _put_in_kinds)
