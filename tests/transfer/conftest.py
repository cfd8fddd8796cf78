"""Files to fetch from the embedded archive, and what a fetch may leave behind."""

import bad_days
import pytest


@pytest.fixture
def fits():
    """Callable: FITS of that many blocks, the same for the same arguments."""

    def make(blocks, seed=0):
        return bad_days.fits(2880 * blocks, seed)

    return make


@pytest.fixture
def served(archive, request):
    """Callable: serve these bytes and return their URI and the address to fetch them at.

    The addresses are the test's own, since the embedded archive keeps files that are added.
    """

    def serve(name, data):
        uri = f"mast:TEST/{abs(hash(request.node.nodeid))}/{name}"
        archive.add_bytes(uri, data)
        return uri, f"{archive.url}/api/v0.1/Download/file?uri={uri}"

    return serve


@pytest.fixture
def left_behind(tmp_path):
    """Callable: names of all files below the test's folder, hidden ones included."""

    def names(folder=tmp_path):
        return sorted(
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        )

    return names
