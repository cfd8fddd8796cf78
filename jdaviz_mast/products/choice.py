"""Choosing from the hundreds of products that an observation lists."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from astropy.table import Table

from jdaviz_mast.archive.checks import PRODUCT_TYPES
from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.products.kinds import KIND_NAMES, kind_of
from jdaviz_mast.products.suffixes import SUFFIXES

__all__ = [
    "CONTRIBUTED_LEVEL",
    "RECOMMENDED",
    "Choice",
    "KnownProducts",
    "choose_products",
    "suffix_of",
]

#: What MAST puts into ``productGroupDescription`` of the products that it recommends.
RECOMMENDED = "Minimum Recommended Products"

#: The calibration level of what teams contribute, above the combined one.
CONTRIBUTED_LEVEL = 4

_LEVELS = (-1, 0, 1, 2, 3, 4)
_UNKNOWN_LEVEL = -2
#: What a `Choice` may name although no product of a list is that, and what a user calls it.
_VOCABULARY = {
    "levels": ("level", frozenset({_UNKNOWN_LEVEL, *_LEVELS})),
    "kinds": ("kind", KIND_NAMES),
    "suffixes": ("suffix", frozenset(suffix.name for suffix in SUFFIXES)),
    "types": ("product_type", frozenset(PRODUCT_TYPES)),
}

# What the archive's columns that decide are called, and what stands where one is missing.
_KIND_COLUMNS = ("productFilename", "dataproduct_type", "productType", "calib_level",
                 "description", "productSubGroupDescription", "obs_collection")  # fmt: skip


@dataclass(frozen=True)
class Choice:
    """Which products are wanted; what is left empty is not asked for.

    Attributes
    ----------
    kinds : frozenset of str
        Names of `Kind`, such as ``"image"``.
    levels : frozenset of int
        Calibration levels, -1 to 4.
    suffixes : frozenset of str
        Such as ``"i2d"``: see `suffix_of`.
    types : frozenset of str
        MAST's ``productType``, such as ``"SCIENCE"``.
    recommended : bool
        Whether only MAST's Minimum Recommended Products are wanted.
    clutter : bool
        Whether guide-star and ancillary files are wanted, too.
    """

    kinds: frozenset = field(default=frozenset())
    levels: frozenset = field(default=frozenset())
    suffixes: frozenset = field(default=frozenset())
    types: frozenset = field(default=frozenset())
    recommended: bool = False
    clutter: bool = False

    @classmethod
    def create(
        cls, kind=None, level=None, suffix=None, product_type=None, recommended=False, clutter=False
    ):
        """Check what a user gave, one value or several of each, and return a `Choice`.

        Raises
        ------
        InvalidInput
            If a level is none of MAST's.
        """
        levels = list(_several(level))
        for one in levels:
            if isinstance(one, (bool, str)) or one not in _LEVELS:
                allowed = f"choose from {', '.join(map(str, _LEVELS))}"
                raise InvalidInput("level", one, allowed)
        return cls(
            kinds=frozenset(str(one) for one in _several(kind)),
            levels=frozenset(int(one) for one in levels),
            suffixes=frozenset(str(one).lower().lstrip("_") for one in _several(suffix)),
            types=frozenset(str(one).upper() for one in _several(product_type)),
            recommended=bool(recommended),
            clutter=bool(clutter),
        )


class KnownProducts:
    """A list of products with what each of them is, worked out once.

    Parameters
    ----------
    table : `~astropy.table.Table`
        MAST's product columns; those that are missing count as unknown.

    Attributes
    ----------
    table : `~astropy.table.Table`
    kinds : list of `Kind`
    names, suffixes, types : array of str
        Of the kinds; of the files; ``productType``.
    levels : array of int
        ``calib_level``; -2 where it is not known.
    sizes : array of int
        Bytes; -1 where they are not known.
    recommended, clutter : array of bool
        Whether MAST recommends it; whether it is a guide-star or ancillary file.
    """

    def __init__(self, table):
        self.table = table
        columns = {name: _values(table, name) for name in _KIND_COLUMNS}
        # Hundreds of guide-star files differ in their names alone.
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        self.kinds = [kind_of(row) for row in rows]
        self.names = _texts(kind.name for kind in self.kinds)
        self.clutter = np.array([kind.clutter for kind in self.kinds], dtype=bool)
        self.suffixes = _texts(suffix_of(row) for row in rows)
        self.types = _texts(str(row["productType"]).upper() for row in rows)
        self.levels = _integers(columns["calib_level"], _UNKNOWN_LEVEL)
        self.sizes = _integers(_values(table, "size"), -1)
        groups = _texts(map(str, _values(table, "productGroupDescription")))
        self.recommended = groups == RECOMMENDED

    def __len__(self):
        return len(self.kinds)

    def matching(self, choice, leave_out=""):
        """Return which products a `Choice` lets through, an array of bool.

        Parameters
        ----------
        choice : Choice
        leave_out : str
            Name of an attribute of the choice that is not looked at.
        """
        keep = np.ones(len(self), dtype=bool)
        for name, values in self._columns().items():
            wanted = getattr(choice, name)
            if wanted and name != leave_out:
                keep &= np.isin(values, list(wanted))
        if choice.recommended:
            keep &= self.recommended
        if not choice.clutter:
            keep &= ~self.clutter
        return keep

    def check(self, choice, names=None):
        """Raise `InvalidInput` if a choice names what neither these products are nor any others.

        Parameters
        ----------
        choice : Choice
        names : dict of str to str, optional
            What the user calls an attribute of the choice.
        """
        columns = self._columns()
        for attribute, (field_name, vocabulary) in _VOCABULARY.items():
            there = set(columns[attribute].tolist()) - {""}
            unknown = sorted(getattr(choice, attribute) - vocabulary - there, key=str)
            if unknown and len(self):
                name = (names or {}).get(attribute, field_name)
                raise InvalidInput(
                    name, unknown[0], f"choose from {', '.join(map(str, sorted(there)))}"
                )

    def counts(self, choice):
        """Count the values that each column of a choice may be given, all else being kept to.

        Returns
        -------
        counts : dict of str to `~collections.Counter`
            For ``kinds``, ``levels``, ``suffixes`` and ``types``.
        """
        return {
            name: Counter(values[self.matching(choice, leave_out=name)].tolist())
            for name, values in self._columns().items()
        }

    def _columns(self):
        return {"kinds": self.names, "levels": self.levels, "suffixes": self.suffixes,
                "types": self.types}  # fmt: skip


def choose_products(products, **wanted):
    """Return the products that are wanted, in their order.

    Parameters
    ----------
    products : `~astropy.table.Table`
        What `jdaviz_mast.Mast.products` returned.
    **wanted
        ``kind``, ``level``, ``suffix``, ``product_type`` (one value or several),
        ``recommended`` and ``clutter`` (bool, False): see `Choice`.

    Returns
    -------
    products : `~astropy.table.Table`

    Raises
    ------
    InvalidInput
        If a level is none of MAST's, or a kind, suffix or type is neither among the products
        nor known; the message names those that there are.

    Examples
    --------
    >>> from astropy.table import Table
    >>> from jdaviz_mast.products import choose_products
    >>> products = Table({"productFilename": ["a_i2d.fits", "a_x1d.fits"], "calib_level": [3, 3]})
    >>> choose_products(products, suffix="i2d")["productFilename"].tolist()
    ['a_i2d.fits']
    """
    if not isinstance(products, Table):
        raise InvalidInput("products", type(products).__name__, "give what products() returned")
    known, choice = KnownProducts(products), Choice.create(**wanted)
    known.check(choice)
    return products[known.matching(choice)]


def suffix_of(row):
    """Return the suffix of a product's file, in lower case: ``"i2d"``, ``"gs-acq1"``, ``"jpg"``.

    Parameters
    ----------
    row : mapping
        With ``productFilename`` and, where known, ``productSubGroupDescription``, in which MAST
        keeps the suffix.
    """
    group = str(row.get("productSubGroupDescription") or "").strip().lower()
    if group:
        return group
    name = str(row["productFilename"]).lower().removesuffix(".gz")
    stem, dot, extension = name.rpartition(".")
    if not dot or extension not in ("fits", "ecsv"):
        return extension if dot else ""
    return stem.rpartition("_")[2] if "_" in stem else ""


def _several(value):
    if value is None:
        return ()
    if isinstance(value, (list, tuple, set, frozenset)):
        return value
    return np.atleast_1d(value).tolist()


def _values(table, name):
    """Return a column as plain values, empty text where it is missing."""
    if name not in table.colnames:
        return [""] * len(table)
    return ["" if value is None else value for value in table[name].tolist()]


def _texts(values):
    return np.array(list(values), dtype=str)


def _integers(values, unknown):
    return np.array([v if isinstance(v, int) else unknown for v in values], dtype=np.int64)
