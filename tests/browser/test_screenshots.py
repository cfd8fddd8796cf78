"""The pictures of the documentation can be made anew, and show what they are for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
LARGEST = 250 * 1024  # bytes


def named():
    """Return the names of the PNG files that the docs and the README show."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.rst")]
    return {name for page in pages for name in re.findall(r"images/(\w+\.png)", page.read_text())}


@pytest.fixture(scope="module")
def made(tmp_path_factory, chromium):  # chromium: that there is one
    folder = tmp_path_factory.mktemp("images")
    home = tmp_path_factory.mktemp("home")
    subprocess.run(
        [sys.executable, ROOT / "docs" / "make_screenshots.py", folder],
        env=os.environ | {"HOME": str(home), "PYTHONPATH": str(ROOT)},
        timeout=300,
        check=True,
    )
    return folder


def test_each_picture_that_is_shown_is_made_and_no_other(made):
    assert {path.name for path in made.iterdir()} == named()
    assert {path.name for path in IMAGES.glob("*.png")} == named()


def test_no_picture_is_blank_or_large(made):
    for path in made.iterdir():
        picture = np.asarray(Image.open(path).convert("L"))
        assert path.stat().st_size <= LARGEST, path.name
        assert (IMAGES / path.name).stat().st_size <= LARGEST, path.name
        # A blank page, or one that is still loading, has one level of grey nearly everywhere, and
        # all of it in the upper part.
        assert np.unique(picture).size > 20, path.name
        for half in np.array_split(picture, 2):
            assert half.std() > 10, path.name


def test_pictures_have_the_size_of_those_in_the_docs(made):
    for path in made.iterdir():
        new, kept = Image.open(path).size, Image.open(IMAGES / path.name).size
        assert abs(new[0] - kept[0]) < 30, path.name
        assert abs(new[1] - kept[1]) < 0.3 * kept[1], path.name
