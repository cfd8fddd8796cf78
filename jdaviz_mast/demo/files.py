"""Which function writes which kind of file, and the file's exact size."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

from .padding import pad_fits

__all__ = ["write"]

# stdatamodels and asdf are not made for several threads at once.
_WRITING = threading.Lock()


def write(recipe, path):
    """Write the file that `recipe` describes, `recipe.size` bytes long.

    Raises
    ------
    ImportError
        If a library that the kind of file needs is not installed.
    ValueError
        If the file would be longer than declared.
    """
    path = Path(path)
    writer = _writers()[recipe.kind]
    with _WRITING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        writer(recipe, path)
        if path.suffix == ".fits":
            pad_fits(path, recipe.size)
    if path.stat().st_size != recipe.size:
        raise ValueError(f"{path.name} has {path.stat().st_size} bytes, not {recipe.size}")


def _writers():
    # Imported late: numpy aside, the archive starts without any of the heavy libraries.
    from . import images, other_missions, spectra, texts

    return images.WRITERS | spectra.WRITERS | other_missions.WRITERS | texts.WRITERS
