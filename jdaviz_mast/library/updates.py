"""What the archive has reprocessed or made public since it was fetched, kept beside the library."""

import contextlib
import datetime
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from jdaviz_mast.transfer import STATE_FOLDER
from jdaviz_mast.whole import write_whole

__all__ = ["Update", "is_due", "keep_updates", "kept_updates", "updates_of"]

#: Days between two questions that nobody has asked for.
_DAYS = 1
_FILE = "updates.json"
_PUBLIC = "PUBLIC"


@dataclass(frozen=True)
class Update:
    """One product that is not what it was.

    Attributes
    ----------
    kind : str
        ``'reprocessed'``: the archive has another version of the file. ``'public'``: it was under
        exclusive access, and is no more.
    uri : str
        The product's ``dataURI``.
    obs_id : str
    old, new : str
        Versions of the calibration software, or sizes where that is the same.
    observation, product : dict
        The archive's rows now.
    """

    kind: str
    uri: str
    obs_id: str
    old: str = ""
    new: str = ""
    observation: dict = field(default_factory=dict, repr=False)
    product: dict = field(default_factory=dict, repr=False)

    @property
    def name(self):
        """File name."""
        return self.uri.rsplit("/", 1)[-1]

    @property
    def sentence(self):
        """What a person is told."""
        if self.kind == "public":
            return f"{self.name} is public now."
        return f"{self.name} was reprocessed by the archive: {self.old} → {self.new}."

    def as_dict(self):
        """Return it as JSON knows it, without the rows."""
        names = ("kind", "uri", "obs_id", "old", "new")
        return {name: getattr(self, name) for name in names}


def updates_of(held, report):
    """Return what is not what it was, as a list of Update.

    Parameters
    ----------
    held : list of `jdaviz_mast.library.refreshing.Held`
        As it was before.
    report : `jdaviz_mast.library.refreshing.RefreshReport`
        What the archive says now.
    """
    files = {}
    for one in held:
        files.setdefault((one.obsid, one.obs_id, one.uri), []).append(one)
    found = []
    for (obsid, obs_id, uri), those in files.items():
        refreshed = report.row_of(obsid, obs_id)
        product = None if refreshed is None else refreshed.products.get(uri)
        if product is None:
            continue
        update = _reprocessed(those, product) or _released(those, product)
        if update is not None:
            found.append(
                Update(*update, observation=refreshed.observation, product=product)
            )  # fmt: skip
    return found


def _reprocessed(files, product):
    """Return what is told of a product that none of its files is the present version of."""
    files = [one for one in files if one.size is not None]
    size, version = product.get("size"), product.get("prvversion")
    if not files or any(_is_version(one, size, version) for one in files):
        return None
    old = files[0].version or "an earlier version"
    new = version or "a later version"
    if old == new:
        old, new = (f"{number:,} bytes" for number in (files[0].size, size))
    return "reprocessed", files[0].uri, files[0].obs_id, str(old), str(new)


def _is_version(one, size, version):
    same_size = size is None or one.size == size
    same_version = None in (version, one.version) or str(one.version) == str(version)
    return same_size and same_version


def _released(files, product):
    rights = {_rights(one.product, one.observation) for one in files}
    if _PUBLIC in rights or rights == {None} or product.get("dataRights") != _PUBLIC:
        return None
    return "public", files[0].uri, files[0].obs_id


def _rights(product, observation):
    return product.get("dataRights") or observation.get("dataRights")


def keep_updates(download_dir, updates, asked=None):
    """Write down what was found; a folder that takes nothing costs no more than that.

    Parameters
    ----------
    download_dir : path-like
    updates : list of Update
    asked : collection of str, optional
        URIs that were asked for: what was known of others stays. By default all were.
    """
    if asked is not None:
        updates = [u for u in kept_updates(download_dir) if u.uri not in asked] + list(updates)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    before = _read(download_dir)
    kept = {
        "format": 1,
        "asked": now if asked is None else before.get("asked"),
        "updates": [asdict(update) for update in updates],
    }
    with contextlib.suppress(OSError):
        folder = Path(download_dir) / STATE_FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / _FILE, json.dumps(kept).encode())


def kept_updates(download_dir):
    """Return what was found when the archive was asked last; empty if that cannot be read."""
    try:
        return [Update(**kept) for kept in _read(download_dir).get("updates", ())]
    except TypeError:  # written by another version
        return []


def is_due(download_dir):
    """Return whether the archive was not asked within the last day."""
    try:
        asked = datetime.datetime.fromisoformat(_read(download_dir).get("asked"))
        age = datetime.datetime.now(datetime.UTC) - asked
    except (TypeError, ValueError):
        return True
    return not datetime.timedelta(0) <= age < datetime.timedelta(days=_DAYS)


def _read(download_dir):
    try:
        kept = json.loads((Path(download_dir) / STATE_FOLDER / _FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) and kept.get("format") == 1 else {}
