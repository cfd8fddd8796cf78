"""The memory that a viewer needs for products, from their rows alone."""

import pytest

from jdaviz_mast.products import kind_of, memory_need
from jdaviz_mast.products.forecast import array_bytes

MB = 1_000_000
RAMPS = ("a_uncal.fits", "a_ramp.fits")


def need(names, sizes, configuration="imviz", levels=None, **options):
    kinds = [kind_of({"productFilename": name}) for name in names]
    suffixes = [name.rsplit("_", 1)[1].split(".")[0] for name in names]
    levels = levels or [3] * len(names)
    return memory_need(kinds, suffixes, sizes, levels, configuration, **options)


@pytest.mark.parametrize(
    ("name", "size", "shape", "width"),
    [  # true sizes, as MAST lists them, and the shape of the science image in these files
        ("jw02733002001_02103_00001_mirimage_o002_crf.fits", 29687040, (1024, 1032), 4),
        ("jw02733002001_02103_00001_mirimage_cal.fits", 29684160, (1024, 1032), 4),
        ("jw02733002001_02103_00001_mirimage_rate.fits", 21191040, (1024, 1032), 4),
    ],
)
def test_the_science_array_follows_from_the_size_of_the_file(name, size, shape, width):
    suffix = name.rsplit("_", 1)[1].split(".")[0]
    expected = shape[0] * shape[1] * width
    kind = kind_of({"productFilename": name})
    assert array_bytes(kind, suffix, size) == pytest.approx(expected, rel=0.02)


def test_app_copies_an_image_in_passing_and_imviz_does_not():
    imviz, app = (need(["a_i2d.fits"], [7000 * MB], where) for where in ("imviz", "deconfigged"))
    assert imviz.kept == app.kept
    assert imviz.kept == pytest.approx(1000 * MB, rel=0.05)
    assert app.peak == pytest.approx(2 * imviz.peak, rel=0.05)


def test_one_copy_at_a_time():
    names = ["a_i2d.fits", "b_i2d.fits"]
    largest_first = need(names, [7000 * MB, 700 * MB], "deconfigged")
    largest_last = need(names, [700 * MB, 7000 * MB], "deconfigged")
    assert largest_first.peak == pytest.approx(2000 * MB, rel=0.05)
    assert largest_last.peak == pytest.approx(2100 * MB, rel=0.05)
    chips = need(["a_flc.fits"], [2500 * MB], "deconfigged")  # of two chips, one by one
    assert chips.peak == pytest.approx(1500 * MB, rel=0.05)


def test_every_extension_counts():
    one, three = (
        need(["a_i2d.fits"], [700 * MB], extensions=extensions)
        for extensions in (("SCI",), ("SCI", "ERR", "WHT"))
    )
    assert three.kept - one.kept == pytest.approx(200 * MB, rel=0.1)


def test_what_is_not_opened_needs_no_memory():
    assert need(["a_asn.json", "a_i2d.jpg"], [MB, MB]).peak == 0
    assert need(["a_s3d.fits"], [MB]).opened == 0  # Imviz holds no cubes
    assert need(["a_s3d.fits"], [MB], "cubeviz").opened == 1


def test_no_more_files_are_opened_than_allowed_those_of_the_highest_level_first():
    names = ["a_cal.fits", "b_i2d.fits", "c_cal.fits"]
    got = need(names, [700 * MB, 70 * MB, 700 * MB], levels=[2, 3, 2], max_images=1)
    assert got.opened == 1
    assert got.kept < 100 * MB


def test_what_is_not_shown_is_not_drawn():
    shown, hidden = (need([name], [0]) for name in ("a_i2d.fits", "a_segm.fits"))
    assert shown.kept > hidden.kept > 0


def test_a_size_that_is_not_known_counts_nothing():
    assert need(["a_i2d.fits"], [-1]).kept == need(["a_i2d.fits"], [0]).kept


def test_jdaviz_makes_several_arrays_of_a_cube_and_of_a_ramp():
    cube = need(["a_s3d.fits"], [400 * MB], "cubeviz")
    assert cube.peak > 2 * 400 * MB > cube.kept > 400 * MB
    raw, corrected = (need([name], [200 * MB], "deconfigged") for name in RAMPS)
    assert raw.peak > 10 * 200 * MB  # 2 bytes a pixel in the file, 4 and more in memory
    assert corrected.peak < raw.peak


def test_what_is_there_needs_nothing_more():
    names, sizes = ["a_i2d.fits", "b_i2d.fits", "c_x1d.fits"], [700 * MB, 1400 * MB, MB]
    of_b = need(["b_i2d.fits"], [1400 * MB], "deconfigged")

    rest = need(names, sizes, "deconfigged", there=[{"SCI,1"}, (), {"EXTRACT1D,1"}])

    assert (rest.kept, rest.peak) == (of_b.kept, of_b.peak)
    assert (rest.opened, rest.already, rest.left_out) == (1, 2, 0)
    assert need(names, sizes, "deconfigged", there=[{"SCI,1"}] * 3).peak == 0
    # what a file calls otherwise is its science
    assert need(["a_i2d.fits"], [700 * MB], there=[{"PRIMARY,1"}]).already == 1


def test_of_a_file_only_what_is_missing_counts():
    both, science, error = (
        need(["a_i2d.fits"], [7000 * MB], extensions=["SCI", "ERR"], there=[there])
        for there in ((), {"ERR,1"}, {"SCI,1"})
    )
    assert science.kept == error.kept == pytest.approx(both.kept / 2, rel=0.05)
    # a segmentation map has no errors that could be missing
    of_map = need(["a_segm.fits"], [MB], extensions=["SCI", "ERR"], there=[{"SCI,1"}])
    assert (of_map.opened, of_map.already) == (0, 1)


def test_what_is_left_out_is_counted():
    names = [f"{n}_i2d.fits" for n in range(5)]
    counts = need(names, [MB] * 5, max_images=3, there=[{"SCI,1"}, (), (), (), ()])
    assert (counts.opened, counts.already, counts.left_out) == (2, 1, 2)
