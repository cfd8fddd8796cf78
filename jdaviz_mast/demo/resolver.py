"""The name resolver (``/Santa-war/query``): names to positions."""

from __future__ import annotations

import re

__all__ = ["resolve"]

_CATALOGS = {"tic": "TIC", "kic": "KEPLER", "epic": "K2"}


def resolve(names, targets, *, resolver=None, resolve_all=False):
    """Positions of `names` as MAST's resolver answers them.

    Parameters
    ----------
    names : list of str
        What the user typed; case and blanks do not matter.
    targets : list of dict
        ``name``, ``aliases``, ``ra``, ``dec`` (degrees, ICRS), ``type``, ``canonical``
        (name of the resolver to its own spelling of the name).
    resolver : str, optional
        Only this resolver's answer (``"NED"``, ``"SIMBAD"``).
    resolve_all : bool
        Every resolver's answer instead of the first.

    Returns
    -------
    dict
        ``resolvedCoordinate``, a list that is empty for unknown names, and ``status``.
    """
    by_name = {}
    for target in targets:
        for name in (target["name"], *target.get("aliases", ())):
            by_name.setdefault(_key(name), target)
    found = []
    for name in names:
        target = by_name.get(_key(name))
        if target is None:
            continue
        answers = [
            _answer(name, target, who, spelling) for who, spelling in target["canonical"].items()
        ]
        if not resolve_all:
            if resolver:
                answers = [answer for answer in answers if answer["resolver"] == resolver.upper()]
            answers = answers[:1]
        found += answers
    return {"resolvedCoordinate": found, "status": ""}


def _key(name):
    return re.sub(r"[\s\-_]+", "", name).lower()


def _answer(name, target, resolver, spelling):
    answer = {
        # Clients look for the name they sent, in lower case.
        "searchString": name.lower(),
        "resolver": resolver,
        "cached": resolver.startswith("SIMBAD"),
        "resolverTime": 1,
    }
    if answer["cached"]:
        answer["cacheDate"] = "Jul 1, 2026, 12:00:00 PM"
    answer |= {
        "searchRadius": 0.000333 if resolver in _CATALOGS.values() else -1.0,
        "canonicalName": spelling,
        "ra": target["ra"],
        "decl": target["dec"],
    }
    if target.get("type") and resolver not in _CATALOGS.values():
        answer["objectType"] = target["type"]
    return answer
