"""Choosing from product lists: what a choice lets through is what a look at each row would."""

import random

import pytest
from astropy.table import MaskedColumn, Table

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.products import (
    Choice,
    KnownProducts,
    choose_products,
    kind_of,
    level_of,
    suffix_of,
)

F1130W = "jw02733-o002_t001_miri_f1130w"


@pytest.fixture(scope="module")
def products(_running_archive):
    """The long list of an observation, with its duplicates gone."""
    archive, _ = _running_archive
    own = next(row for row in archive.observations if row["obs_id"] == F1130W)
    rows = [row for row in archive.products if row["parent_obsid"] == own["obsid"]]
    return Table(list({row["dataURI"]: row for row in rows}.values()))


def names(table):
    return table["productFilename"].tolist()


def test_the_list_is_as_long_as_masts(products):
    assert len(products) == 3470
    assert len(choose_products(products, level=2, product_type="SCIENCE")) == 80


def test_clutter_is_left_out_until_it_is_asked_for(products):
    plain, every = choose_products(products), choose_products(products, clutter=True)
    assert len(every) == 3470
    assert len(plain) < 200
    assert not [name for name in names(plain) if "_gs-" in name or "trapsfilled" in name]
    assert names(choose_products(products, suffix="gs-id", clutter=True))
    assert len(choose_products(products, suffix="gs-id")) == 0


def test_choices_agree_with_a_look_at_every_row(products):
    rng = random.Random(4)
    rows = [dict(zip(products.colnames, row, strict=True)) for row in products.iterrows()]
    values = {
        "kind": sorted({kind_of(row).name for row in rows}),
        "level": [1, 2, 3],
        "suffix": sorted({suffix_of(row) for row in rows}),
        "product_type": ["SCIENCE", "PREVIEW", "INFO", "AUXILIARY"],
    }
    found = 0
    for _ in range(60):
        wanted = {
            name: rng.sample(options, rng.randint(1, min(3, len(options))))
            for name, options in values.items()
            if rng.random() < 0.5
        }
        recommended, clutter = rng.random() < 0.2, rng.random() < 0.5
        expected = [
            row["productFilename"]
            for row in rows
            if kind_of(row).name in wanted.get("kind", values["kind"])
            and row["calib_level"] in wanted.get("level", values["level"])
            and suffix_of(row) in wanted.get("suffix", values["suffix"])
            and row["productType"] in wanted.get("product_type", values["product_type"])
            and (not recommended
                 or row["productGroupDescription"] == "Minimum Recommended Products")
            and (clutter or not kind_of(row).clutter)
        ]  # fmt: skip
        chosen = choose_products(products, recommended=recommended, clutter=clutter, **wanted)
        assert names(chosen) == expected
        found += len(expected)
    assert found > 1000


def test_counts_say_what_each_value_would_leave(products):
    known = KnownProducts(products)
    choice = Choice.create(level=2, product_type="SCIENCE")
    counts = known.counts(choice)
    assert counts["suffixes"] == {"rate": 16, "rateints": 16, "cal": 16, "crf": 16, "i2d": 16}
    assert set(counts["levels"]) == {1, 2, 3}  # the others that could be chosen, too
    for level, count in counts["levels"].items():
        assert len(choose_products(products, level=level, product_type="SCIENCE")) == count


def test_what_the_archive_does_not_say_counts_as_unknown():
    products = Table(
        {
            "productFilename": ["a_i2d.fits", "b.fits", "c_weird.txt"],
            "calib_level": MaskedColumn([3, 0, 0], mask=[False, True, True]),
            "size": MaskedColumn([5, 0, 0], mask=[False, True, False]),
        }
    )
    known = KnownProducts(products)
    assert known.levels.tolist() == [3, -2, -2]
    assert known.sizes.tolist() == [5, -1, 0]
    assert [level_of({"productFilename": "b.fits"})] == [None]
    assert names(choose_products(products, level=3)) == ["a_i2d.fits"]


def test_an_empty_list_is_no_error():
    assert len(KnownProducts(Table())) == 0
    nothing = KnownProducts(Table()).counts(Choice())
    assert not any(nothing.values())


@pytest.mark.parametrize(
    ("name", "group", "suffix"),
    [
        ("jw1_t001_miri_f770w_i2d.fits", None, "i2d"),
        ("jw1_gs-acq1_2022163000000_cal.fits", "GS-ACQ1", "gs-acq1"),
        ("jw1_i2d.jpg", None, "jpg"),
        ("jw1_asn.json", None, "json"),
        ("jw1_cat.ecsv", None, "cat"),
        ("plain.fits", None, ""),
        ("no-extension", None, ""),
        ("ib5741010_drz.fits.gz", "", "drz"),
    ],
)
def test_the_suffix_of_a_file(name, group, suffix):
    assert suffix_of({"productFilename": name, "productSubGroupDescription": group}) == suffix


@pytest.mark.parametrize("level", [5, -2, "three", True])
def test_a_level_that_mast_does_not_have_is_refused(level):
    with pytest.raises(InvalidInput, match="level: .* choose from -1, 0, 1, 2, 3, 4"):
        Choice.create(level=level)


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        ({"kind": "imag"}, "kind: 'imag' .* choose from .*image, .*segmentation map"),
        ({"kind": ["image", "Image"]}, "kind: 'Image' .* choose from .*image"),
        ({"suffix": "i2dd"}, "suffix: 'i2dd' .* choose from .*i2d, "),
        ({"product_type": "SCIENTIFIC"}, "product_type: 'SCIENTIFIC' .* choose from .*SCIENCE"),
    ],
)
def test_what_nothing_can_be_is_refused_and_what_there_is_named(products, wanted, named):
    with pytest.raises(InvalidInput, match=named):
        choose_products(products, **wanted)


def test_what_others_are_is_just_not_there(products):
    for wanted in ({"kind": "target pixel file"}, {"suffix": "tp"}, {"product_type": "CATALOG"}):
        assert len(choose_products(products, **wanted)) == 0
    assert len(choose_products(products[:0], kind="imag")) == 0
