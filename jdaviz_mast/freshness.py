"""What is held, asked for anew: rows, versions and rights; and a new version beside the old."""

import contextlib
import re

from jdaviz_mast.archive import Archive
from jdaviz_mast.errors import InvalidInput, ObservationNotFound
from jdaviz_mast.library.refreshing import Held, refresh
from jdaviz_mast.library.updates import keep_updates, kept_updates, updates_of
from jdaviz_mast.plan import Plan, is_public
from jdaviz_mast.transfer import all_records

__all__ = ["look_for_updates", "new_version", "open_updates", "refresh_metadata"]


def refresh_metadata(mast, observation_id=None, held=(), check_cancelled=None):
    """Fetch rows anew and keep them; see `jdaviz_mast.Mast.refresh_metadata`."""
    if observation_id is not None and not str(observation_id).strip():
        raise InvalidInput("observation_id", observation_id, "give an obs_id, or leave it out")
    library = mast.library
    everything = [*_in_library(library), *_out_of_reach(mast), *held]
    chosen = everything
    if observation_id is not None:
        wanted = str(observation_id).strip()
        chosen = [one for one in everything if wanted in (one.obs_id, one.obsid)]
        if not chosen:
            raise ObservationNotFound(
                f"Nothing of an observation {wanted!r} is in {mast.download_dir}, nor among the "
                "layers; import it first."
            )
    report = refresh(Archive(mast.server), chosen, check_cancelled)
    report.updates = updates_of(chosen, report)
    library.update_all(_changes(library, report))
    asked = None if observation_id is None else {one.uri for one in chosen}
    keep_updates(mast.download_dir, report.updates, asked)
    return report


def _changes(library, report):
    """Return what is to be kept of files: URI to their rows of now, those that are others."""
    changes = {}
    for file in library.files():
        held = _held(file, library.folder)
        one = report.row_of(held.obsid, held.obs_id)
        if one is None or one.observation is None:
            continue
        product = one.products.get(held.uri) or file.product
        if one.observation != file.observation or product != file.product:
            changes[file.uri] = {"observation": one.observation, "product": product}
    return changes


def look_for_updates(mast, check_cancelled=None):
    """Ask what is new of all that is held, changing no row; return a list of Update."""
    held = [*_in_library(mast.library), *_out_of_reach(mast)]
    if not held:
        return []
    report = refresh(Archive(mast.server), held, check_cancelled)
    updates = updates_of(held, report)
    keep_updates(mast.download_dir, updates)
    return updates


def open_updates(mast):
    """Return what was found when the archive was asked last, and has not been seen to since.

    No network is needed.
    """
    updates = kept_updates(mast.download_dir)
    if not updates:
        return []
    files = {}
    for file in mast.library.files():
        files.setdefault(file.uri, []).append(file)
    return [update for update in updates if not _is_settled(update, files.get(update.uri, ()))]


def _is_settled(update, files):
    if update.kind == "public":
        return any(file.product.get("dataRights") == "PUBLIC" for file in files)
    # Of a file that was removed there is nothing to compare.
    return not files or any(file.size == update.product.get("size") for file in files)


def new_version(mast, uri, check_cancelled=None):
    """Return what a job is to fetch of a product that the archive has reprocessed.

    Returns
    -------
    about : dict
        ``product``, ``observation``, and ``version``: the folder that it goes to, beside the file
        that is there.

    Raises
    ------
    InvalidInput
        If there is no file of that URI, or the archive has no other version of it.
    """
    held = [one for one in _in_library(mast.library) if one.uri == uri]
    if not held:
        raise InvalidInput("uri", uri, f"give the URI of a file that is in {mast.download_dir}")
    report = refresh(Archive(mast.server), held, check_cancelled)
    found = [u for u in updates_of(held, report) if u.kind == "reprocessed"]
    if not found:
        raise InvalidInput("uri", uri, "the archive has no other version of it")
    (update,) = found
    version = str(update.product.get("prvversion") or "")
    if version in ("", held[0].version):  # only its size tells
        version = f"{version} {update.product['size']}".strip()
    return {
        "product": update.product,
        "observation": update.observation,
        "version": re.sub(r"[^\w.+()-]+", "-", version).strip(".-") or "new",
    }


def _in_library(library):
    return [_held(file, library.folder) for file in library.files()]


def _held(file, folder):
    product = dict(file.product) or {"dataURI": file.uri, "productFilename": file.path.name}
    product.setdefault("dataURI", file.uri)
    if not product.get("obs_id") and file.path.is_relative_to(folder):
        # Of what nothing is known, the folders tell: <mission>/<obs_id>/<file>.
        names = file.path.relative_to(folder).parts
        if len(names) > 2:
            product |= {"obs_collection": names[0], "obs_id": names[1]}
    return Held(file.observation, product, file.size, file.versions)


def _out_of_reach(mast):
    """Return what jobs could not fetch since it was not public."""
    held, plan = [], Plan(mast.server, mast.download_dir)
    for record in all_records(mast.download_dir):
        with contextlib.suppress(OSError):  # FileProblem is one
            for item in plan.kept_items(record) or ():
                about = item.about
                if not is_public(about) and item.path and not item.path.exists():
                    held.append(Held(about["observation"], about["product"]))
    return held
