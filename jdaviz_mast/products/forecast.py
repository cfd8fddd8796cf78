"""How much memory the viewer will need for products, told from their rows before download.

A FITS file is its extensions, and those of one kind of product are always the same. So the
bytes of one extension, of which a layer is made, follow from the bytes of the file. What jdaviz
makes of them was measured: ``benchmarks/memory_forecast.py``.
"""

from dataclasses import dataclass

__all__ = ["Alternative", "Forecast", "MemoryNeed", "array_bytes", "memory_need"]

_SEVEN = {"SCI": 4, "ERR": 4, "VAR_POISSON": 4, "VAR_RNOISE": 4, "VAR_FLAT": 4}

# Bytes per pixel of the extensions of a file, by its suffix. Sources: the data models of the
# JWST pipeline (https://stdatamodels.readthedocs.io), compared with the sizes that MAST lists;
# the data handbooks of HST's instruments; TESS's archive manual.
_EXTENSIONS = {
    # JWST
    "uncal": {"SCI": 2},
    "ramp": {"SCI": 4, "ERR": 4, "GROUPDQ": 1},
    "dark": {"SCI": 4, "ERR": 4, "GROUPDQ": 1},
    "rate": {"SCI": 4, "ERR": 4, "DQ": 4, "VAR_POISSON": 4, "VAR_RNOISE": 4},
    "rateints": {"SCI": 4, "ERR": 4, "DQ": 4, "VAR_POISSON": 4, "VAR_RNOISE": 4},
    "cal": _SEVEN | {"DQ": 4, "AREA": 4},
    "calints": _SEVEN | {"DQ": 4},
    "crf": _SEVEN | {"DQ": 4, "AREA": 4},
    "crfints": _SEVEN | {"DQ": 4},
    "bsub": _SEVEN | {"DQ": 4, "AREA": 4},
    "i2d": _SEVEN | {"CON": 4, "WHT": 4},
    "s2d": _SEVEN | {"CON": 4, "WHT": 4},
    "s3d": {"SCI": 4, "ERR": 4, "DQ": 4, "WMAP": 4},
    "segm": {"SCI": 4},
    "psfstack": _SEVEN | {"DQ": 4},
    "psfalign": _SEVEN | {"DQ": 4},
    "psfsub": _SEVEN | {"DQ": 4},
    # HST
    "raw": {"SCI": 2},
    "flt": {"SCI": 4, "ERR": 4, "DQ": 2},
    "flc": {"SCI": 4, "ERR": 4, "DQ": 2},
    "ima": {"SCI": 4, "ERR": 4, "DQ": 2, "SAMP": 2, "TIME": 4},
    "crj": {"SCI": 4, "ERR": 4, "DQ": 2},
    "crc": {"SCI": 4, "ERR": 4, "DQ": 2},
    "sfl": {"SCI": 4, "ERR": 4, "DQ": 2},
    "drz": {"SCI": 4, "WHT": 4, "CTX": 4},
    "drc": {"SCI": 4, "WHT": 4, "CTX": 4},
    "x2d": {"SCI": 4, "ERR": 4, "DQ": 2},
    "sx2": {"SCI": 4, "ERR": 4, "DQ": 2},
    # TESS
    "ffic": {"SCI": 4, "UNCERT": 4},
}

# Files in which each extension stands twice, once for each chip of the detector.
_TWO_CHIPS = frozenset({"raw", "flt", "flc", "crj", "crc"})

# What an application needs besides the arrays, in bytes: for its first viewer, for each layer,
# for one that is shown, and in passing while that is drawn, on a screen of 800 x 600 pixels.
_VIEWER = 18_000_000
_LAYER = 4_000_000
_SHOWN = 18_000_000
_DRAWING = 20_000_000

#: Slices that a stack is taken to have: its row does not tell.
_SLICES = 8

# Of the science array of a file, how many times its bytes stay in memory when it is opened as
# some format, and how many times more are needed meanwhile. By format, then by application; ""
# for every other. Measured with jdaviz 5.0.2 by benchmarks/memory_forecast.py.
_COPIES = {
    # App makes a copy of an image to learn its unit; Imviz and Cubeviz do not.
    "Image": {"deconfigged": (1.0, 1.0), "": (1.0, 0.0)},
    # Flux, uncertainty and mask, each in double precision in passing, and their sum.
    "3D Spectrum": {"": (7.1, 7.7)},
    # Of a ramp in single precision: itself, and the differences of its groups.
    "Ramp": {"": (4.6, 4.0)},
}
_OTHER_COPIES = (2.0, 2.0)


@dataclass(frozen=True)
class MemoryNeed:
    """Memory of the viewer's process, above what it has now, in bytes.

    Attributes
    ----------
    kept : int
        While the layers are there.
    peak : int
        At the moment when most is needed, the last of what is kept included.
    opened : int
        How many files become layers.
    already : int
        How many are layers already, and need nothing more.
    left_out : int
        How many open, but are not opened since there are more than ``max_images``.
    """

    kept: int = 0
    peak: int = 0
    opened: int = 0
    already: int = 0
    left_out: int = 0


def array_bytes(kind, suffix, size, extensions=("SCI",)):
    """Return the bytes of the science array of a file, or of its chosen extensions, at the most.

    Of a stack or a ramp jdaviz gets less where it has more slices or integrations than are
    opened: its row does not tell.

    Parameters
    ----------
    kind : `~jdaviz_mast.products.Kind`
    suffix : str
        Of the file's name, such as ``"i2d"``.
    size : int
        Bytes of the file, as the archive lists them.
    extensions : sequence of str
        Names of the image extensions that become layers.

    Returns
    -------
    bytes : int
        All of the file's where it is not known how they are divided.
    """
    known = _EXTENSIONS.get(suffix)
    if known is None:
        return size
    wanted = {"SCI"}
    if kind.is_image:
        wanted = {name.upper() for name in extensions}
    chosen = sum(width for name, width in known.items() if name in wanted)
    if kind.format == "Ramp":
        chosen = 4  # whatever the file holds, jdaviz takes it as single precision
    return round(size * chosen / sum(known.values()))


def memory_need(
    kinds, suffixes, sizes, levels, configuration, *, extensions=("SCI",), max_images=24,
    there=None,
):  # fmt: skip
    """Return what the viewer needs to open products.

    Parameters
    ----------
    kinds : sequence of `~jdaviz_mast.products.Kind`
    suffixes : sequence of str
    sizes : sequence of int
        Bytes of the files; negative where unknown, which counts nothing.
    levels : sequence of int
        Calibration levels: those of the highest are opened first, images before others.
    configuration : str
        jdaviz's name of the application: ``"deconfigged"`` is App.
    extensions : sequence of str
        Names of the image extensions that become layers.
    max_images : int
        Files that are opened at the most.
    there : sequence of collection of str, optional
        Of each product, keys of the parts of it that are layers already, such as ``"SCI,1"``.

    Returns
    -------
    need : MemoryNeed
    """
    opened = [n for n, kind in enumerate(kinds) if kind.opens_in(configuration)]
    opened.sort(key=lambda n: (-levels[n], kinds[n].format != "Image"))  # stable
    opened, left_out = opened[:max_images], max(len(opened) - max_images, 0)
    wanted = {
        n: _not_there(kinds[n], suffixes[n], extensions, there[n] if there else ()) for n in opened
    }
    missing = [n for n in opened if wanted[n]]
    counts = {"already": len(opened) - len(missing), "left_out": left_out}
    if not missing:
        return MemoryNeed(**counts)
    kept, peak = _VIEWER, 0
    for n in missing:
        kind, suffix = kinds[n], suffixes[n]
        array = array_bytes(kind, suffix, max(sizes[n], 0), wanted[n])
        by_application = _COPIES.get(kind.format, {})
        stays, more = by_application.get(configuration, by_application.get("", _OTHER_COPIES))
        chips = 2 if suffix in _TWO_CHIPS else 1
        layers = chips * len(wanted[n]) if kind.is_image else 1
        layers = _SLICES if kind.by_slice else layers
        kept += round(stays * array)
        # One layer after the other, so the copy is one of a layer.
        peak = max(peak, kept + round(more * array / layers))
        kept += layers * _LAYER
        if not kind.hidden and levels[n] == levels[opened[0]]:
            kept += chips * _SHOWN
    return MemoryNeed(kept, max(peak, kept + _DRAWING), len(missing), **counts)


def _not_there(kind, suffix, extensions, parts):
    """Return the extensions of a file that become layers and are none yet; of no image, all."""
    if not parts:
        return extensions
    if not kind.is_image:
        return ()
    names = {part.partition(",")[0] for part in parts}
    if names.isdisjoint(extensions):
        names.add("SCI")  # which this file calls otherwise
    known = _EXTENSIONS.get(suffix, {})
    return tuple(name for name in extensions if name not in names and (name in known or not known))


@dataclass(frozen=True)
class Alternative:
    """Something to do instead of an import for which there is not enough memory.

    Attributes
    ----------
    what : str
        A clause, such as ``"import 3 at a time"``.
    peak : int or None
        Bytes of memory that it needs, where that can be told.
    """

    what: str
    peak: int | None


@dataclass(frozen=True)
class Forecast:
    """What an import will take, in files and bytes, and what this machine has.

    Attributes
    ----------
    files : int
    bytes_total : int
        Of all files of which the archive lists the size.
    bytes_to_fetch : int
        Without what is on disk already.
    files_to_fetch : int
        Files that are not whole on disk.
    unknown_sizes : int
        Files of which the archive does not list the size.
    disk_free : int
    memory : MemoryNeed
    memory_free : int
    alternatives : tuple of Alternative
        Where the memory does not suffice: what to do instead, the nearest first.
    """

    files: int = 0
    bytes_total: int = 0
    bytes_to_fetch: int = 0
    files_to_fetch: int = 0
    unknown_sizes: int = 0
    disk_free: int = 0
    memory: MemoryNeed = MemoryNeed()
    memory_free: int = 0
    alternatives: tuple = ()

    @property
    def fits_disk(self):
        """Whether there is room for the files."""
        return self.bytes_to_fetch <= self.disk_free

    @property
    def fits_memory(self):
        """Whether there is memory to open what opens."""
        return self.memory.peak <= self.memory_free
