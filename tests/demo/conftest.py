import json
from pathlib import Path

import astroquery.mast
import pytest

from jdaviz_mast.demo import DemoArchive

RECORDED = Path(astroquery.mast.__file__).parent / "tests" / "data"
SHARED = Path(__file__).parents[3] / "shared" / "real"


@pytest.fixture(scope="session")
def recorded():
    """An answer of the true MAST, as astroquery's wheel carries it."""
    return lambda name: json.loads((RECORDED / f"{name}.json").read_text())


@pytest.fixture(scope="session")
def real():
    if not SHARED.is_dir():
        pytest.skip("the folder of real MAST material, ../shared, is not here")
    return SHARED


@pytest.fixture(scope="session")
def shared_archive():
    """One archive for all tests that only ask."""
    with DemoArchive() as archive:
        yield archive


@pytest.fixture
def archive():
    """An archive of one's own, to break."""
    with DemoArchive() as archive:
        yield archive
