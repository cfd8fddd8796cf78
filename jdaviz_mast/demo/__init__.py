"""An embedded archive that speaks MAST's protocol, for offline use and for tests."""

from .archive import DemoArchive
from .benchmark import write_i2d
from .faults import Fault

__all__ = ["DemoArchive", "Fault", "write_i2d"]
