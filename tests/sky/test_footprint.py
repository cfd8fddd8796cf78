"""Footprints: what is read, and what overlaps, against a brute-force sampling of the sphere."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from brute import cap, inside, random_polygon, s_region

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.sky import Footprint, footprints_of

KINDS = ("convex", "concave", "crossing", "thin", "degenerate")
#: Places where right ascension and tangent planes go wrong, then anywhere.
PLACES = {
    "RA 0": SkyCoord(0 * u.deg, 20 * u.deg),
    "north pole": SkyCoord(40 * u.deg, 90 * u.deg),
    "near the north pole": SkyCoord(200 * u.deg, 89.7 * u.deg),
    "south pole": SkyCoord(0 * u.deg, -90 * u.deg),
    "RA 180": SkyCoord(180 * u.deg, -30 * u.deg),
    "anywhere": None,
}
SAMPLES = 6000


def _direction(rng, place):
    if place is None:
        vector = rng.normal(size=3)
        return vector / np.linalg.norm(vector)
    return place.cartesian.xyz.value


@pytest.mark.parametrize("place", PLACES)
def test_overlap_agrees_with_a_sampling_of_the_sphere(place):
    """100 pairs in each of six places, from an arcsecond to 40 degrees; and the areas."""
    rng = np.random.default_rng(sorted(PLACES).index(place))
    overlapping = 0
    for number in range(100):
        radius = np.radians(10 ** rng.uniform(-3.5, np.log10(40)))
        middle = _direction(rng, PLACES[place])
        near = cap(rng, middle, radius, 1)[0]
        other_radius = min(radius * 10 ** rng.uniform(-0.5, 0.5), np.radians(60))
        rings = [
            random_polygon(rng, near, radius, KINDS[number % 5]),
            random_polygon(rng, middle, other_radius, KINDS[(number // 5) % 5]),
        ]
        one, other = (Footprint.from_s_region(s_region(ring)) for ring in rings)

        points = cap(rng, near, radius, SAMPLES)
        # A quarter of the way around the sky from either, where neither reaches.
        outside = -(near + middle) / np.linalg.norm(near + middle) + 0.1 * rng.normal(size=3)
        in_one, in_other = (inside(ring, points, outside) for ring in rings)
        whole = one.area.to_value(u.sr) / (2 * np.pi * (1 - np.cos(radius)))
        assert abs(in_one.mean() - whole) < _margin(whole, SAMPLES), (number, place)

        fraction = one.covered_by([other])[0]
        assert 0 <= fraction <= 1
        count = in_one.sum()
        if count > 50:
            sampled = (in_one & in_other).sum() / count
            assert abs(sampled - fraction) < _margin(fraction, count), (number, place)
            overlapping += 0.05 < sampled < 0.95

        positions = SkyCoord(*points[:200].T, representation_type="cartesian")
        positions = SkyCoord(positions.spherical.lon, positions.spherical.lat)
        assert np.mean(one.contains(positions) != in_one[:200]) < 0.01, (number, place)
    assert overlapping > 25  # the pairs are not mostly apart or one in the other


def _margin(fraction, count):
    """Five standard deviations, or the few samples that a fraction near 0 or 1 is told by."""
    return 5 * np.sqrt(max(fraction * (1 - fraction), 2 / count) / count)


def test_a_square_degree_across_ra_0():
    square = Footprint.from_s_region("POLYGON 359.5 -0.5 0.5 -0.5 0.5 0.5 359.5 0.5")

    assert square.area.to_value(u.deg**2) == pytest.approx(1, rel=1e-4)
    assert abs(square.center.ra.wrap_at(180 * u.deg).deg) < 1e-9
    assert square.contains(SkyCoord([0.2, 359.8, 1, 180] * u.deg, [0] * 4 * u.deg)).tolist() == [
        True, True, False, False,
    ]  # fmt: skip


def test_half_of_a_tiny_field_is_half():
    """A tenth of an arcsecond, by the digits and not by sampling."""
    side = 0.1 / 3600
    field = Footprint.from_corners(
        SkyCoord(np.array([0, side, side, 0]) * u.deg + 10 * u.deg, [0, 0, side, side] * u.deg)
    )
    left = f"POLYGON 10 -1 {10 + side / 2:.15f} -1 {10 + side / 2:.15f} 1 10 1"

    assert field.covered_by([Footprint.from_s_region(left)])[0] == pytest.approx(0.5, abs=1e-6)


def test_a_cap_around_the_pole():
    cap = Footprint.from_s_region("CIRCLE ICRS 0 90 10")

    exact = 2 * np.pi * (1 - np.cos(np.radians(10))) * u.sr
    assert cap.area.to_value(u.sr) == pytest.approx(exact.value, rel=1e-3)
    assert cap.contains(SkyCoord([0, 90, 271] * u.deg, [89, 80.1, 79.9] * u.deg)).tolist() == [
        True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize("towards", [(0, 60), (0, -60), (60, 0), (300, 0), (50, 45), (310, -45)])
def test_what_reaches_behind_a_small_field(towards):
    """Corners as far as 140 degrees from the field, on every side of it."""
    field = Footprint.from_s_region("POLYGON 359.5 -0.5 0.5 -0.5 0.5 0.5 359.5 0.5")
    distance = SkyCoord(0 * u.deg, 0 * u.deg).separation(SkyCoord(*towards, unit="deg")).deg
    circles = [
        Footprint.from_s_region(f"CIRCLE {towards[0]} {towards[1]} {radius}")
        for radius in (distance + 20, distance, distance - 20)
    ]

    whole, half, none = field.covered_by(circles)

    assert (whole, none) == (1, 0)
    assert half == pytest.approx(0.5, abs=0.03)  # a circle of 96 corners
    assert circles[0].contains(field.vertices[0]).all()


def test_a_frame_of_rectangles_has_a_hole():
    # They overlap a little: edges of different lengths are arcs of different great circles.
    parts = [(0, 0, 3, 1), (0, 2, 3, 3), (0, 0.9, 1, 2.1), (2, 0.9, 3, 2.1)]
    text = " ".join(
        f"POLYGON {left} {low} {right} {low} {right} {high} {left} {high}"
        for left, low, right, high in parts
    )

    frame = Footprint.from_s_region(text)

    assert frame.area.value == pytest.approx(8, rel=2e-3)
    assert frame.contains(SkyCoord([1.5, 0.5] * u.deg, [1.5, 1.5] * u.deg)).tolist() == [
        False, True,
    ]  # fmt: skip


def test_several_shapes_count_once_where_they_overlap():
    one = "POLYGON 10 0 11 0 11 1 10 1"
    both = Footprint.from_s_region(f"{one} POLYGON 10.5 0 11.5 0 11.5 1 10.5 1")

    assert both.area.value == pytest.approx(1.5, rel=1e-3)
    assert len(both.vertices) == 2
    assert Footprint.from_s_region(one).covered_by([both])[0] == pytest.approx(1)
    assert both.covered_by([Footprint.from_s_region(one)])[0] == pytest.approx(2 / 3, rel=1e-3)


@pytest.mark.parametrize(
    "text",
    [
        "POLYGON {}",
        "polygon icrs {}",
        "POLYGON ICRS GEOCENTER {} ",
        "POLYGON J2000 {}",
        "Polygon UNKNOWNFRAME {}",
        "UNION ICRS ( POLYGON {} )",
    ],
)
def test_spellings_of_a_polygon(text):
    text = text.format("151.70 -40.45 151.80 -40.45 151.80 -40.40 151.70 -40.40 151.70 -40.45")
    if text.startswith("UNION"):
        text = text.replace("ICRS ", "")

    footprint = Footprint.from_s_region(text)

    assert [len(ring) for ring in footprint.vertices] == [4]
    assert footprint.area.to_value(u.arcmin**2) == pytest.approx(13.70, abs=0.03)


def test_a_frame_is_not_ignored():
    galactic = Footprint.from_s_region("CIRCLE GALACTIC 0 0 1")

    assert galactic.center.separation(SkyCoord("17h45m37.2s -28d56m10s")) < 2 * u.arcsec


@pytest.mark.parametrize(
    "text",
    [
        None, "", np.ma.masked, float("nan"), "NaN", "POLYGON", "POLYGON 1 2", "POLYGON 1 2 3 4",
        "POLYGON 1 2 3 4 5", "POLYGON 1 2 nan 4 5 6", "POLYGON 1 2 3 95 5 6", "CIRCLE 1 2",
        "CIRCLE 1 2 0", "CIRCLE 1 2 -1", "CIRCLE 1 2 3 4", "BOX 1 2 3 4", "1 2 3 4 5 6",
        "POLYGON 5 5 5 5 5 5", "POLYGON 1 2 3 inf 5 6", "POLYGON 0 0 120 0 240 0", "<b>x</b>",
        "POLYGON 1 1 2 2 1 x", "CIRCLE MARS 1 2 3", "POLYGON 10 10 11 10 11 11 CIRCLE",
    ],
)  # fmt: skip
def test_rubbish_is_no_footprint(text):
    with pytest.raises(InvalidInput, match="s_region"):
        Footprint.from_s_region(text)
    assert footprints_of([text, "CIRCLE 1 2 3"])[0] is None


def test_a_true_region_that_spans_the_sky_is_none(shared):
    """The header of a true NIRSpec product names corners that are 190 degrees apart."""
    from astropy.io import fits

    name = "jw01492-o005_s00004_nirspec_f100lp-g140m-s1600a1-sub2048_s2d.fits"
    region = fits.getheader(shared / "real" / name, "SCI")["S_REGION"]

    assert footprints_of([region]) == [None]


def test_corners_that_are_no_field():
    with pytest.raises(InvalidInput, match="corners"):
        Footprint.from_corners(SkyCoord([1, 2] * u.deg, [1, 2] * u.deg))
    with pytest.raises(InvalidInput, match="corners"):
        Footprint.from_corners("here")


def test_a_tangle_is_what_its_corners_span():
    """Tens of thousands of crossings, of which GEOS would make polygons for minutes."""
    rng = np.random.default_rng(5)
    middle, radius = _direction(rng, None), np.radians(0.1)
    ring = cap(rng, middle, radius, 600)

    tangle = Footprint.from_s_region(s_region(ring))
    points = cap(rng, middle, 0.9 * radius, SAMPLES)
    positions = SkyCoord(*points.T, representation_type="cartesian")
    positions = SkyCoord(positions.spherical.lon, positions.spherical.lat)

    assert tangle.contains(positions).all()
    whole = 2 * np.pi * (1 - np.cos(radius))
    assert 0.95 * whole < tangle.area.to_value(u.sr) < whole
    assert Footprint.from_s_region(s_region(ring[:3])).covered_by([tangle])[0] == 1


def test_a_long_outline_that_crosses_itself_is_taken_at_its_word():
    """A rosette of 900 corners: where it is wound around twice is no part of it."""
    angle = np.linspace(0, 2 * np.pi, 900, endpoint=False)
    distance = 1 + 2 * np.cos(angle)  # negative for a third of the way: a loop in the loop
    ra, dec = distance * np.cos(angle), distance * np.sin(angle)
    limacon = Footprint.from_corners(SkyCoord(ra * u.deg, dec * u.deg))

    inside = limacon.contains(SkyCoord([2, 0.5, 0.5, 3.1] * u.deg, [0, 0, 1, 0] * u.deg))

    assert inside.tolist() == [True, False, True, False]


@pytest.mark.parametrize("corners", [300, 1200])
def test_a_zigzag_on_a_line_ends(corners):
    """Edges that lie on each other meet everywhere."""
    rng = np.random.default_rng(corners)
    ra = rng.uniform(0, 1, corners)
    zigzag = Footprint.from_corners(SkyCoord(ra * u.deg, np.zeros(corners) * u.deg))

    assert zigzag.area.value == pytest.approx(0, abs=1e-6)
