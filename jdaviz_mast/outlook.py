"""What an import of products will take, and what this machine has for it."""

import os

import numpy as np

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.machine import disk_free, memory_free
from jdaviz_mast.products import Alternative, Forecast, KnownProducts, memory_need
from jdaviz_mast.transfer import bytes_on_disk

__all__ = ["forecast"]

_EVERY = 500  # products between two looks whether it was cancelled


def forecast(
    products, path_of, folder, *, configuration, extensions, max_images, in_viewer=None,
    check_cancelled=None,
):  # fmt: skip
    """Return the `Forecast` of products.

    Parameters
    ----------
    products : `~astropy.table.Table`
        MAST's product columns.
    path_of : callable
        Called with a product, a dict; returns where its file goes, or None.
    folder : path-like
        What the files are put into.
    configuration, extensions, max_images
        As in `jdaviz_mast.products.memory_need`.
    in_viewer : mapping, optional
        ``dataURI`` to keys of the parts that are layers already.
    check_cancelled : callable, optional

    Returns
    -------
    forecast : Forecast
    """
    known = KnownProducts(products)
    there = _bytes_there(products, known.sizes, path_of, check_cancelled or (lambda: None))
    sizes = np.maximum(known.sizes, 0)
    whole = there < 0
    layers = [(in_viewer or {}).get(uri, ()) for uri in products["dataURI"].tolist()]

    def need(which=slice(None), configuration=configuration, extensions=extensions):
        chosen = np.arange(len(known))[which]
        return memory_need(
            [known.kinds[n] for n in chosen],
            known.suffixes[chosen],
            known.sizes[chosen],
            known.levels[chosen],
            configuration,
            extensions=extensions,
            max_images=max_images,
            there=[layers[n] for n in chosen],
        )

    memory, free = need(), memory_free()
    return Forecast(
        files=len(known),
        bytes_total=int(sizes.sum()),
        bytes_to_fetch=int(np.maximum(sizes - there, 0)[~whole].sum()),
        files_to_fetch=int((~whole).sum()),
        unknown_sizes=int((known.sizes < 0).sum()),
        disk_free=disk_free(folder),
        memory=memory,
        memory_free=free,
        alternatives=(
            () if memory.peak <= free else _alternatives(need, configuration, extensions, free)
        ),
    )


def _bytes_there(products, sizes, path_of, check_cancelled):
    """Return how much of each file is on disk, in bytes; -1 where it is whole."""
    names = [n for n in ("obs_collection", "obs_id", "productFilename", "dataURI")
             if n in products.colnames]  # fmt: skip
    if "dataURI" not in names:
        raise InvalidInput("products", type(products).__name__, "give what products() returned")
    there, folders = np.zeros(len(products), dtype=np.int64), {}
    rows = zip(*(products[name].tolist() for name in names), strict=True)
    for n, row in enumerate(rows):
        if n % _EVERY == 0:
            check_cancelled()
        path = path_of(dict(zip(names, row, strict=True)))
        if path is None:
            continue
        # A folder is read once: of thousands of files most are not there.
        if path.parent not in folders:
            folders[path.parent] = _names_in(path.parent)
        if not folders[path.parent] & {path.name, f".{path.name}.part"}:
            continue
        size = int(sizes[n]) if sizes[n] >= 0 else None
        have = bytes_on_disk(path, size)
        there[n] = -1 if have is None else have
    return there


def _names_in(folder):
    try:
        return frozenset(os.listdir(folder))
    except OSError:  # not made yet
        return frozenset()


def _alternatives(need, configuration, extensions, free):
    """Return what would need less memory, what is nearest to the wish first."""
    ways = []
    everything = need()
    if len(extensions) > 1:
        one = need(extensions=extensions[:1]).peak
        ways.append(Alternative(f"open the extension {extensions[0]} alone", one))
    fewer = everything.opened
    while fewer and need(slice(fewer)).peak > free:
        fewer -= 1
    if fewer:
        ways.append(Alternative(f"import {fewer} at a time", need(slice(fewer)).peak))
    if configuration == "deconfigged":
        imviz = need(configuration="imviz")
        if imviz.opened == everything.opened and imviz.peak < everything.peak:
            ways.append(Alternative("use Imviz, which makes no copies", imviz.peak))
    ways.append(Alternative("fetch it from Python and load a cutout (astropy's Cutout2D)", None))
    return tuple(ways)
