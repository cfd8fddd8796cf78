"""Labels that a person can tell apart: target, filter, level, and more only where needed."""

from itertools import count
from pathlib import PurePath

__all__ = ["free_label"]

#: Suffixes of what an observation is about; their layers need no further name.
_MAIN = ("i2d", "drz", "drc")


def free_label(observation, product, taken, extension="", version=None):
    """Return a label for a new layer that no other layer has.

    Parameters
    ----------
    observation, product : mapping
        The archive's rows.
    taken : collection of str
        Labels that are in use.
    extension : str
        What to name the extension, such as ``ERR`` or ``SCI,2``; empty for none.
    version : str, optional
        Of the file, if there are several, such as ``1.19.0``.

    Returns
    -------
    label : str
        Such as ``NGC-3132 F090W L3``; with the file's suffix if it is not the combined
        image itself, with the exposure's name below level 3.
    """
    stem = PurePath(str(product.get("productFilename") or "image")).stem
    suffix = stem.rpartition("_")[2]
    level = product.get("calib_level")
    names = [
        observation.get("target_name") or product.get("obs_id"),
        observation.get("filters") or product.get("filters"),
        None if level is None else f"L{level}",
    ]
    base = " ".join(str(name) for name in names if name not in (None, "")) or stem
    if level is not None and level < 3:
        base = f"{base} {stem}"
    elif suffix not in _MAIN:
        base = f"{base} {suffix}"
    if version:
        base = f"{base} v{version}" if version[0].isdigit() else f"{base} {version}"
    candidates = [base, *([] if stem in base else [f"{base} {stem}"])]
    if extension:
        candidates = [f"{label} [{extension}]" for label in candidates]
    for label in candidates:
        if label not in taken:
            return label
    return next(label for n in count(2) if (label := f"{candidates[-1]} ({n})") not in taken)
