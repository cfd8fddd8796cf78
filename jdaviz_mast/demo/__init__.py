"""An embedded archive that speaks MAST's protocol, for offline use and for tests."""

from .archive import DemoArchive
from .faults import Fault

__all__ = ["DemoArchive", "Fault"]
