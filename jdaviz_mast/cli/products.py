"""``jdaviz-mast products``: what an observation holds, and what a fetch of it would take."""

import json
import sys

from jdaviz_mast.archive import COMBINED_LEVEL, as_dict
from jdaviz_mast.mast import Mast
from jdaviz_mast.products import CONTRIBUTED_LEVEL, KnownProducts, choose_products
from jdaviz_mast.words import bytes_in_words

__all__ = ["chosen", "is_choice", "products"]

_CHOICES = ("kind", "level", "suffix", "recommended", "clutter", "made_of")


def products(options):
    """Print the products of an observation; return whether there are any."""
    mast = Mast(options.server, options.download_dir)
    found = chosen(mast, options)
    if options.json:
        print(json.dumps([as_dict(row) for row in found], indent=1))
        return len(found) > 0
    known = KnownProducts(found)
    for kind, row in zip(known.kinds, found, strict=True):
        about = as_dict(row)
        size = "–" if about["size"] is None else bytes_in_words(about["size"])
        level = "–" if about["calib_level"] is None else about["calib_level"]
        print(f"{level!s:>2}  {size:>14}  {kind.name:<22}  {about['productFilename']}")
    if len(found):
        forecast = mast.forecast(found)
        print(
            f"{forecast.files:,} files, {bytes_in_words(forecast.bytes_total)}; "
            f"{bytes_in_words(forecast.bytes_to_fetch)} to fetch, "
            f"{bytes_in_words(forecast.disk_free)} free on disk; App would need about "
            f"{bytes_in_words(forecast.memory.peak)} of memory to open "
            f"{forecast.memory.opened:,} of them.",
            file=sys.stderr,
        )
    else:
        print("No product of this observation matches.", file=sys.stderr)
    return len(found) > 0


def is_choice(options):
    """Whether single products were asked for, not all of some level and type."""
    return any(getattr(options, name) for name in _CHOICES)


def chosen(mast, options):
    """Return the products of an observation that the options ask for."""
    product_type = None if options.product_type.lower() == "all" else options.product_type
    if options.made_of:
        found = mast.ladder(options.observation_id)
    else:
        found = mast.products(options.observation_id, all_levels=True, product_type=product_type)
    anything = options.all_levels or is_choice(options)
    return choose_products(
        found,
        kind=options.kind,
        level=options.level or (None if anything else (COMBINED_LEVEL, CONTRIBUTED_LEVEL)),
        suffix=options.suffix,
        recommended=options.recommended,
        # Whoever asks for ancillary files wants to see them.
        clutter=options.clutter or options.product_type.upper() == "AUXILIARY",
    )
