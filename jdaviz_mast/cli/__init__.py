"""FACE: the terminal. Thin: it asks the front door and prints what comes back."""

from jdaviz_mast.cli.main import main

__all__ = ["main"]
