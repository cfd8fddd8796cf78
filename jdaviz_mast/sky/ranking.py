"""Which observations cover a field, and in which order they are worth looking at."""

import numpy as np

from jdaviz_mast.sky.footprint import footprints_of

__all__ = ["rank_by_overlap"]

#: Fractions that differ by less are equal, so that the deeper observation comes first.
_STEP = 0.01
#: Less than this of a field is a shared edge, not a part of it.
_LEAST = 1e-6


def rank_by_overlap(observations, field):
    """Keep the observations that overlap a field, and rank them.

    Parameters
    ----------
    observations : `~astropy.table.Table`
        With MAST's columns; of them ``s_region`` and ``t_exptime`` (seconds) are looked at.
    field : Footprint

    Returns
    -------
    overlapping : `~astropy.table.Table`
        The rows whose footprint truly overlaps the field: the largest part of the field first,
        per cent by per cent, and the longest exposure first among equals. Columns are as they
        were. ``meta["overlap"]`` lists the fractions of the field, from 0 to 1, row by row, and
        ``meta["without_footprint"]`` counts the observations of which no footprint is known.
    """
    if not len(observations) or "s_region" not in observations.colnames:
        fractions = np.full(len(observations), np.nan)
    else:
        fractions = field.covered_by(footprints_of(observations["s_region"]))
    kept = np.flatnonzero(fractions > _LEAST)
    depth = np.zeros(len(kept))
    if "t_exptime" in observations.colnames:
        depth = np.ma.filled(observations["t_exptime"][kept].astype(float), 0.0)
    order = np.lexsort([-np.nan_to_num(depth), -np.round(fractions[kept] / _STEP)])
    chosen = observations[kept[order]]
    chosen.meta["overlap"] = fractions[kept[order]].tolist()
    chosen.meta["without_footprint"] = int(np.isnan(fractions).sum())
    return chosen
