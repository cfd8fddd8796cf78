"""Rows fetched anew: which is the right one, and what in it is different."""

from dataclasses import dataclass, field

from astropy.table import Table

from jdaviz_mast.archive import COMBINED_LEVEL, as_dict

__all__ = ["Held", "RefreshReport", "Refreshed", "refresh"]

#: Observations that are asked for at once; each is a dozen characters in one request.
_AT_ONCE = 200
#: Exposures whose product lists are asked for at once: of these each has a dozen rows.
_LISTS_AT_ONCE = 25
#: What tells apart observations of one name, once their numbers have changed: first these,
_TELLING = ("provenance_name", "instrument_name", "filters", "sequence_number", "t_min",
            "dataproduct_type")  # fmt: skip
#: then these, which are corrected now and then.
_TELLING_LESS = ("project", "target_name", "calib_level", "proposal_id", "t_exptime",
                 "intentType")  # fmt: skip
#: Columns of a query by position, which no other query has.
_OF_THE_QUERY = ("distance", "objID1", "_selected_")
#: Columns of a product that change with the file itself.
_OF_A_FILE = ("size", "prvversion")
#: What a person calls columns whose names do not say it.
_WORDS = {
    "target_name": "target", "proposal_pi": "principal investigator", "obs_title": "title",
    "instrument_name": "instrument", "t_exptime": "exposure time in s",
    "t_min": "begin (MJD)", "t_max": "end (MJD)", "t_obs_release": "release (MJD)",
    "dataRights": "rights", "calib_level": "calibration level", "proposal_id": "program",
    "prvversion": "version of the calibration software", "size": "bytes",
    "s_ra": "right ascension in deg", "s_dec": "declination in deg", "s_region": "footprint",
    "obsid": "number at MAST", "obsID": "number at MAST", "provenance_name": "made by",
}  # fmt: skip


@dataclass(frozen=True)
class Held:
    """What is held of one product: by the library, by a layer, or by a job that could not fetch it.

    Attributes
    ----------
    observation, product : dict
        The archive's rows as they were; either may be empty.
    size : int or None
        Bytes of the file that is there; None if there is none.
    versions : dict
        ``CAL_VER``, ``PRVVERSION`` and so on of that file, as far as known.
    """

    observation: dict
    product: dict
    size: int | None = None
    versions: dict = field(default_factory=dict)

    @property
    def uri(self):
        """The product's ``dataURI``; empty for a preview, which has no product."""
        return str(self.product.get("dataURI") or "")

    @property
    def obs_id(self):
        """The name of its observation."""
        return str(self.observation.get("obs_id") or self.product.get("obs_id") or "")

    @property
    def obsid(self):
        """MAST's number of its observation; empty if it is not known."""
        number = self.observation.get("obsid") or self.product.get("obsID")
        return "" if number is None else str(number)

    @property
    def version(self):
        """Version of the calibration software that made the file; None if it is not known."""
        return (
            self.versions.get("PRVVERSION")
            or self.versions.get("CAL_VER")
            or self.product.get("prvversion")
        )


@dataclass
class Refreshed:
    """One observation that was asked for anew.

    Attributes
    ----------
    obs_id, obsid : str
        As they were.
    observation : dict or None
        The row now; None if the archive has it no more, or it cannot be told which it is.
    changes : dict
        Column to a pair of the old value and the new.
    products : dict
        ``dataURI`` to the product's row now; those that are no longer listed are left out.
    product_changes : dict
        ``dataURI`` to changes as above; those without any are left out.
    problem : str
        Why there is no row; empty if there is.
    """

    obs_id: str
    obsid: str
    observation: dict | None = None
    changes: dict = field(default_factory=dict)
    products: dict = field(default_factory=dict)
    product_changes: dict = field(default_factory=dict)
    problem: str = ""

    @property
    def has_changed(self):
        """Whether any value is another one."""
        return bool(self.changes or self.product_changes)

    def as_dict(self):
        """Return it as JSON knows it."""

        def pairs(changes):
            return {name: {"old": old, "new": new} for name, (old, new) in changes.items()}

        return {
            "obs_id": self.obs_id,
            "obsid": self.obsid,
            "found": self.observation is not None,
            "problem": self.problem,
            "changes": pairs(self.changes),
            "products": {uri: pairs(found) for uri, found in self.product_changes.items()},
        }


@dataclass
class RefreshReport:
    """What was asked for anew, and what has changed.

    Attributes
    ----------
    observations : list of Refreshed
    updates : list of `jdaviz_mast.library.updates.Update`
        What the archive has reprocessed or made public since it was fetched.
    """

    observations: list
    updates: list = field(default_factory=list)

    @property
    def changed(self):
        """Those whose rows have changed."""
        return [o for o in self.observations if o.has_changed]

    @property
    def missing(self):
        """Those that the archive gives no row for."""
        return [o for o in self.observations if o.observation is None]

    def as_dict(self):
        """Return it as JSON knows it."""
        return {
            "asked": len(self.observations),
            "changed": len(self.changed),
            "observations": [o.as_dict() for o in self.observations],
            "updates": [update.as_dict() for update in self.updates],
        }

    def lines(self):
        """Return it in sentences for a person."""
        count, changed = len(self.observations), len(self.changed)
        noun = "observation" if count == 1 else "observations"
        lines = [f"{count:,} {noun} asked for; {changed or 'none'} changed."]
        # Of a product that was reprocessed, its sentence tells more than its columns.
        told = {update.uri for update in self.updates if update.kind == "reprocessed"}
        for one in self.observations:
            if one.problem:
                lines.append(f"{one.obs_id}: {one.problem}")
            lines += [f"{one.obs_id}: {text}" for text in _in_words(one.changes)]
            for uri, changes in one.product_changes.items():
                name = uri.rsplit("/", 1)[-1]
                left = {c: v for c, v in changes.items() if uri not in told or c not in _OF_A_FILE}
                lines += [f"{name}: {text}" for text in _in_words(left)]
        return lines + [update.sentence for update in self.updates]

    def __str__(self):
        return "\n".join(self.lines())

    def row_of(self, obsid, obs_id):
        """Return the `Refreshed` of an observation, or None."""
        named = [o for o in self.observations if o.obs_id == obs_id]
        return next((o for o in named if o.obsid == str(obsid)), None)


def refresh(archive, held, check_cancelled=None):
    """Ask the archive anew for what is held.

    An observation is its number and its name: neither alone is enough, since many observations
    can have one name, and MAST gives new numbers when it takes data in again.

    Parameters
    ----------
    archive : `jdaviz_mast.archive.Archive`
    held : iterable of Held
    check_cancelled : callable, optional

    Returns
    -------
    report : RefreshReport
        In the order of what is held.

    Raises
    ------
    ArchiveUnreachable, ArchiveTimeout, ArchiveError
    """
    held = [one for one in held if one.obs_id]
    groups = {}
    for one in held:
        groups.setdefault((one.obsid, one.obs_id), []).append(one)
    refreshed = {key: Refreshed(obs_id=key[1], obsid=key[0]) for key in groups}
    by_number = _rows_by_number(archive, {key[0] for key in groups if key[0]}, check_cancelled)
    lost = []
    for key, one in refreshed.items():
        row = by_number.get(key[0])
        if row is not None and row["obs_id"] == key[1]:
            one.observation = row
        else:
            lost.append(key)
    by_name = _rows_by_name(archive, {key[1] for key in lost}, check_cancelled)
    for key in lost:
        candidates = by_name.get(key[1], [])
        old = _known(groups[key])
        refreshed[key].observation, refreshed[key].problem = _right_one(candidates, old)
    for key, one in refreshed.items():
        if one.observation is not None:
            old = next((h.observation for h in groups[key] if h.observation), {})
            # A row taken up from the disk had no values: that they are known now is no change.
            one.changes = _differences(old, one.observation)
            one.observation = _kept_columns(old) | one.observation
    _refresh_products(archive, groups, refreshed, check_cancelled)
    return RefreshReport(list(refreshed.values()))


def _rows_by_number(archive, numbers, check_cancelled):
    rows = {}
    for portion in _portions(sorted(numbers), _AT_ONCE):
        found = archive.observations_by_obsid(portion, check_cancelled=check_cancelled)
        rows |= {str(row["obsid"]): as_dict(row) for row in found}
    return rows


def _rows_by_name(archive, names, check_cancelled):
    rows = {}
    for portion in _portions(sorted(names), _AT_ONCE):
        found, _ = archive.matching({"obs_id": portion}, check_cancelled=check_cancelled)
        for row in found:
            rows.setdefault(str(row["obs_id"]), []).append(as_dict(row))
    return rows


def _known(held):
    """Return what is known of an observation: its row, or what its products tell of it."""
    for one in held:
        if one.observation:
            return one.observation
    product = held[0].product
    return {name: product.get(name) for name in ("obs_collection", "proposal_id")}


def _right_one(candidates, old):
    """Return the row among those of one name that an old one has become, and what is wrong."""
    collection = old.get("obs_collection")
    same = [row for row in candidates if collection in (None, row["obs_collection"])]
    if not same:
        return None, "MAST does not list it any more."
    agreement = [(_equal(row, old, _TELLING), _equal(row, old, _TELLING_LESS)) for row in same]
    best = [row for row, alike in zip(same, agreement, strict=True) if alike == max(agreement)]
    if len(best) > 1:
        return None, (
            f"MAST lists {len(same)} observations of this name, and it cannot be told which of "
            "them it is; nothing was changed."
        )
    return best[0], ""


def _equal(row, old, names):
    return sum(old.get(name) is not None and row.get(name) == old[name] for name in names)


def _refresh_products(archive, groups, refreshed, check_cancelled):
    """Put the product rows of now into what was refreshed."""
    wanted = {}
    for key, held in groups.items():
        own = refreshed[key].observation
        for one in held:
            if not one.uri or own is None:
                continue
            # The list of its own observation is short, that of a mosaic holds thousands.
            level = one.product.get("calib_level")
            alone = level is None or level >= COMBINED_LEVEL
            wanted.setdefault(str(own["obsid"]), []).append((key, one, alone))
    alone = {number for number, entries in wanted.items() if any(a for *_, a in entries)}
    lists = _lists(archive, sorted(alone), 1, check_cancelled)
    lists |= _lists(archive, sorted(set(wanted) - alone), _LISTS_AT_ONCE, check_cancelled)
    for number, entries in wanted.items():
        for key, one, _ in entries:
            row = _product_row(lists.get(number, ()), one)
            if row is None:
                continue
            old = one.product
            if ":" not in one.uri:  # a file name stands for an address that was not known
                old = {name: value for name, value in old.items() if name != "dataURI"}
            changes = _differences(old, row)
            refreshed[key].products[one.uri] = _kept_columns(one.product) | row
            if changes:
                refreshed[key].product_changes[one.uri] = changes


def _lists(archive, numbers, at_once, check_cancelled):
    """Return the product rows of observations, by the observation's number."""
    lists = {}
    for portion in _portions(numbers, at_once):
        found = archive.products(
            Table({"obsid": portion}), all_levels=True, product_type=None, at_once=at_once,
            check_cancelled=check_cancelled,
        )  # fmt: skip
        for row in found:
            row = as_dict(row)
            for number in {str(row.get("parent_obsid")), str(row.get("obsID"))}:
                lists.setdefault(number, []).append(row)
    return lists


def _product_row(rows, held):
    for row in rows:
        if row["dataURI"] == held.uri:
            return row
    name = held.uri.removeprefix("file:")
    if ":" not in name:  # taken up from the disk, where only its name was known
        for row in rows:
            if row["productFilename"] == name and row["obs_id"] == held.obs_id:
                return row
    return None


def _differences(old, new):
    """Return what has another value now: column to old and new."""
    return {
        name: (old[name], value)
        for name, value in new.items()
        if name in old and name not in _OF_THE_QUERY and not _same(old[name], value)
    }


def _same(old, new):
    return old == new or (old is not None and new is not None and str(old) == str(new))


def _kept_columns(row):
    """Return the columns of a row that the archive has not answered now."""
    return {name: row[name] for name in row if name in _OF_THE_QUERY}


def _portions(values, size):
    values = list(values)
    return [values[start : start + size] for start in range(0, len(values), size)]


def _in_words(changes):
    for name, (old, new) in changes.items():
        shown = ["nothing" if v is None else str(v) for v in (old, new)]
        shown = [text if len(text) <= 60 else f"{text[:59]}…" for text in shown]
        yield f"{_WORDS.get(name, name)}: {shown[0]} → {shown[1]}"
