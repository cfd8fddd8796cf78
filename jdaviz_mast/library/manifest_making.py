"""From a job and the library to a manifest: made when the job ends, and kept beside its files."""

import contextlib
import json
import logging
import math
import platform
import threading
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from astropy.time import Time

from jdaviz_mast.archive import collection_doi, find_token, is_doi, plain_doi, plain_server
from jdaviz_mast.errors import FileProblem, MastError
from jdaviz_mast.library.manifest import Manifest, manifest_path
from jdaviz_mast.products import kind_of
from jdaviz_mast.transfer import STATE_FOLDER
from jdaviz_mast.whole import write_whole
from jdaviz_mast.words import without_folder

__all__ = ["kept_manifest", "keep_layers", "make_manifest", "write_manifest"]

log = logging.getLogger(__name__)

_PACKAGES = ("jdaviz-mast", "jdaviz", "lcviz", "glue-core", "astroquery", "astropy", "numpy")
_HIDDEN = "•••"


def make_manifest(download_dir, job, library=None):
    """Return the `Manifest` of a job as it stands now.

    Parameters
    ----------
    download_dir : path-like
    job : `~jdaviz_mast.ImportJob`
    library : `~jdaviz_mast.library.Library`, optional
        Tells sizes, checksums and versions of the files, and the newest rows of the archive.

    Raises
    ------
    MastError
        If what is kept of the job is damaged.
    """
    request, tidy = job.request, _tidying(download_dir)
    server = plain_server(request.get("server") or "")
    observations, places = [], {}
    # By their paths: of one URI there may be two versions.
    known = {} if library is None else {kept.path: kept for kept in library.files()}
    files = [
        _file(
            download_dir, file, known.get(file.path and file.path.absolute()), observations, places,
            tidy,
        )
        for file in job.files
    ]  # fmt: skip
    queries = [
        {"arguments": query["arguments"], "places": [_place(p) for p in query["places"]]}
        for query in request.get("queries") or []
    ]
    content = {
        "format": "jdaviz-mast manifest",
        "version": 1,
        "written": _isot(Time.now()),
        "software": _software(),
        "server": server,
        "job": {
            "id": job.id,
            "title": tidy(job.title),
            "created": _isot(job.created),
            "state": job.state,
            "error": None if job.error is None else tidy(str(job.error)),
            "notes": [tidy(note) for note in job.notes],
        },
        "queries": queries,
        "choice": {
            "asked_for": request.get("asked_for"),
            "all_levels": request.get("all_levels"),
            "product_type": request.get("product_type"),
            "source": request.get("source"),
        },
        "shown_with": request.get("shown_with"),
        "layers": _layers_of(download_dir, job.id),
        "observations": observations,
        "dois": _dois(queries, files),
        "files": files,
    }
    return Manifest.own(json.loads(json.dumps(_finite(content))))


def write_manifest(download_dir, job, library=None):
    """Write the manifest of a job to the download folder; return its path.

    Raises
    ------
    MastError
        If it cannot be made or written.
    """
    return _write(download_dir, make_manifest(download_dir, job, library))


def kept_manifest(download_dir, job_id, library=None):
    """Return the manifest that was written for a job, or None.

    Parameters
    ----------
    download_dir : path-like
    job_id : str
    library : `~jdaviz_mast.library.Library`, optional
        Tells what the archive's rows say by now; the files stay what they were.

    Raises
    ------
    InvalidInput
        If it is damaged.
    """
    path = manifest_path(download_dir, job_id)
    if not path.exists():
        return None
    manifest = Manifest.read_own(path)
    manifest.content["layers"] = _layers_of(download_dir, job_id) or manifest.layers
    if library is not None:
        _refresh(manifest.content, library)
    return manifest


def keep_layers(download_dir, job, layers):
    """Keep which layers a viewer made of a job's files, and write it into the manifest.

    Parameters
    ----------
    download_dir : path-like
    job : `~jdaviz_mast.ImportJob`
    layers : list of dict
        ``label`` and ``uri`` of each, in their order. Those that were kept before come first.

    Raises
    ------
    FileProblem
        If the disk does not take them.
    """
    before = _layers_of(download_dir, job.id)
    layers = before + [layer for layer in layers if layer not in before]
    try:
        write_whole(_layers_file(download_dir, job.id), json.dumps(layers).encode())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileProblem(f"The layers of the import cannot be kept: {reason}.") from error
    # The manifest is written when the checksums are there; nobody has to wait for that.
    threading.Thread(target=_rewrite, args=(download_dir, job), daemon=True).start()


def _rewrite(download_dir, job):
    job.settled.wait()
    try:
        manifest = kept_manifest(download_dir, job.id)
        if manifest is not None:
            _write(download_dir, manifest)
    except MastError as error:
        log.warning("%s", error)


# -- parts of it ----------------------------------------------------------------------------


def _file(download_dir, file, kept, observations, places, tidy):
    about = file.about
    product, observation = about["product"], about["observation"]
    whole = file.state == "complete"
    kept = kept if whole else None
    if kept is not None:  # refreshed since, perhaps
        product, observation = kept.product or product, kept.observation or observation
    size = product.get("size")
    if whole:
        size = file.bytes_total if kept is None else kept.size
    return {
        "uri": file.uri,
        "path": _relative(file.path, download_dir),
        "state": file.state,
        "size": size if isinstance(size, int) and size >= 0 else None,
        "sha256": None if kept is None else kept.sha256,
        "source": (kept.source if kept is not None else file.source) or None,
        "fetched": None if kept is None else _isot(kept.fetched),
        "versions": _versions(product, kept),
        "rights": product.get("dataRights") or observation.get("dataRights"),
        "calib_level": product.get("calib_level"),
        "kind": kind_of({"productFilename": file.name, **product}).name,
        "obs_id": product.get("obs_id") or observation.get("obs_id"),
        "obsid": _text(product.get("obsID") or observation.get("obsid")),
        "doi": collection_doi(observation),
        "error": None if whole or not file.error else tidy(file.error),
        "note": tidy(file.note or ""),
        "product": product,
        "observation": _place_of(observation, observations, places),
    }


def _place_of(observation, observations, places):
    """Return where an observation's row is in the manifest; it is put in once."""
    if not observation:
        return None
    key = observation.get("obsid") or observation.get("obs_id") or id(observation)
    if key not in places:
        places[key] = len(observations)
        observations.append(observation)
    return places[key]


def _versions(product, kept):
    versions = {} if kept is None else dict(kept.versions)
    if product.get("prvversion"):
        versions.setdefault("PRVVERSION", product["prvversion"])
    return {str(name): str(value)[:500] for name, value in versions.items()}


def _refresh(content, library):
    """Put the rows of the archive into a manifest that the library has by now."""
    observations = list(content["observations"])
    known = {kept.uri: kept for kept in library.files()}
    for file in content["files"]:
        kept = known.get(file["uri"])
        if kept is None:
            continue
        if kept.product:
            file["product"] = _finite(kept.product)
            file["rights"] = file["product"].get("dataRights") or file["rights"]
        place, observation = file["observation"], _finite(kept.observation)
        # Of several files of an observation, the one whose row is another has been refreshed.
        if observation and place is not None and observation != observations[place]:
            content["observations"][place] = observation


def _layers_file(download_dir, job_id):
    return Path(download_dir) / STATE_FOLDER / "jobs" / job_id / "layers.json"


def _layers_of(download_dir, job_id):
    try:
        layers = json.loads(_layers_file(download_dir, job_id).read_text("utf-8"))
        return [{"label": str(one["label"]), "uri": str(one["uri"])} for one in layers]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def _place(place):
    names = ("target", "resolver", "known_as")
    texts = {name: str(place[name]) for name in names if place.get(name)}
    return texts | {"ra_deg": place["ra_deg"], "dec_deg": place["dec_deg"]}


def _dois(queries, files):
    asked = [str(query["arguments"].get("doi") or "") for query in queries]
    dois = [plain_doi(doi) for doi in asked if is_doi(doi)]
    return list(dict.fromkeys([*dois, *(file["doi"] for file in files if file["doi"])]))


def _software():
    found = {}
    for name in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found | {"python": platform.python_version(), "platform": platform.platform()}


# -- texts ----------------------------------------------------------------------------------


def _tidying(download_dir):
    """Return what takes folders of this machine, and the token, out of a text."""
    names = {str(Path.home()): "~"}
    with contextlib.suppress(MastError):
        token = find_token()
        if token is not None:
            names[token.reveal()] = _HIDDEN

    def tidy(text):
        # First, as the home folder is its beginning.
        text = without_folder(text, download_dir)
        for name, instead in names.items():
            if len(name) > 1:
                text = text.replace(name, instead)
        return text

    return tidy


def _relative(path, folder):
    if path is None:
        return None
    with contextlib.suppress(ValueError):
        return Path(path).absolute().relative_to(Path(folder).absolute()).as_posix()
    return None


def _text(value):
    return None if value is None else str(value)


def _isot(time):
    return f"{time.utc.isot}Z"


def _finite(value):
    """Return JSON without what JSON cannot hold."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {name: _finite(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return value


def _write(download_dir, manifest):
    path = manifest_path(download_dir, manifest.job_id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, manifest.to_text().encode())
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileProblem(f"The manifest of the import cannot be written: {reason}.") from error
    return path
