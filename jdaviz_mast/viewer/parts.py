"""What a file opens as: one part for each layer that it makes."""

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Part"]


@dataclass(frozen=True)
class Part:
    """One thing in a file that becomes a layer: an extension, a spectrum, an integration.

    Attributes
    ----------
    key : str
        What tells it from the other parts of its file, such as ``"SCI,1"``.
    format : str
        jdaviz's name of the format that it opens as.
    read : callable
        Returns the object that jdaviz takes, in memory and independent of the file; called on
        a worker's thread.
    name : str
        What to call it in a label; empty where the file has but one.
    hidden : bool
        Whether its layer is not switched on at once.
    options : dict
        For jdaviz's importer of that format.
    """

    key: str
    format: str
    read: Callable
    name: str = ""
    hidden: bool = False
    options: dict = field(default_factory=dict)
