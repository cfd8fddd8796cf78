"""An import made again from its manifest: what is the same, and what the archive has changed."""

from collections import Counter
from dataclasses import asdict, dataclass, field

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.library.disk import sha256_of

__all__ = ["VERDICTS", "Replay", "ReplayedFile", "abouts_of"]

#: What may be said of a file, and what that means to a person.
VERDICTS = {
    "same": "the same as in the manifest",
    "reprocessed": "another file at the archive since",
    "different": "another file in the download folder",
    "gone": "no longer at the archive",
    "not permitted": "not permitted",
    "failed": "not fetched",
}

_FAILURES = {"gone": "gone", "denied": "not permitted"}


@dataclass(frozen=True)
class ReplayedFile:
    """What became of one file of a manifest.

    Attributes
    ----------
    uri : str
    path : str or None
        Where it is, relative to the download folder.
    verdict : str
        ``same``; ``reprocessed``: it was fetched, and its bytes are others than those of the
        manifest; ``different``: what was there already is another file; ``gone``; ``not
        permitted``; ``failed``.
    reason : str
        A sentence that says more.
    before, now : dict
        ``size`` in bytes, ``sha256`` and ``versions``: in the manifest, and on disk. ``now`` is
        empty where there is no file.
    """

    uri: str
    path: str | None
    verdict: str
    reason: str = ""
    before: dict = field(default_factory=dict)
    now: dict = field(default_factory=dict)


class Replay:
    """An import that is made again.

    Parameters
    ----------
    manifest : `~jdaviz_mast.library.Manifest`
    job : `~jdaviz_mast.ImportJob`
        That fetches its files.
    library : callable
        Called with nothing; returns the `~jdaviz_mast.library.Library`.
    server : str
        Address of the archive that is asked.

    Attributes
    ----------
    files : list of ReplayedFile
        In the manifest's order; empty before `verify`.
    notes : list of str
        What a person should know of all of it.
    """

    def __init__(self, manifest, job, library, server):
        self.manifest, self.job, self._library = manifest, job, library
        self.files, self.notes = [], []
        if manifest.server != server:
            self.notes.append(
                f"The manifest is of an import from {manifest.server}; {server} is asked now."
            )
        missing = len(manifest.failures)
        if missing:
            self.notes.append(
                f"{missing:,} of its files had not been fetched then, and are left out."
            )

    def __repr__(self):
        return f"<Replay of {self.manifest.job_id}: {self.summary}>"

    @property
    def is_same(self):
        """Whether every file is the same as in the manifest."""
        return bool(self.files) and all(file.verdict == "same" for file in self.files)

    @property
    def summary(self):
        """How many files are what, in words."""
        if not self.files:
            return "not compared yet"
        counts = Counter(file.verdict for file in self.files)
        return ", ".join(
            f"{counts[verdict]:,} {words}" for verdict, words in VERDICTS.items() if counts[verdict]
        )

    def verify(self, check_cancelled=None):
        """Wait for the job, compare each file with the manifest, and return `files`.

        Parameters
        ----------
        check_cancelled : callable, optional
            Called now and then; what it raises ends it.
        """
        self.job.wait()
        self.job.settled.wait()
        # By their order, which the record of the job keeps.
        library, fetched = self._library(), {file.uri: file for file in self.job.files}
        self.files = [
            _compare(then, fetched.get(then["uri"]), library, check_cancelled)
            for then in self.manifest.files
            if then["state"] == "complete"
        ]
        return self.files

    def as_dict(self):
        """Return the report as JSON."""
        return {
            "manifest": self.manifest.job_id,
            "job": self.job.id,
            "state": self.job.state,
            "same": self.is_same,
            "summary": self.summary,
            "notes": self.notes,
            "files": [asdict(file) for file in self.files],
        }

    def in_words(self):
        """Return the report as sentences, one for each file that is not the same."""
        lines = [f"{self.summary[:1].upper()}{self.summary[1:]}.", *self.notes]
        return lines + [
            f"{_name(file)}: {file.reason}" for file in self.files if file.verdict != "same"
        ]

    def _repr_html_(self):
        from html import escape

        return "<br>".join(map(escape, self.in_words()))


def abouts_of(manifest):
    """Return what a job needs to fetch the files of a manifest, as `Record.keep_files` takes it.

    Raises
    ------
    InvalidInput
        If there was no file in it.
    """
    # One dict an observation, however many files it has: the record keeps it once.
    abouts = []
    for file in manifest.files:
        if file["state"] == "complete":
            about = manifest.about(file)
            own = {"dataURI": file["uri"], "size": file["size"]}
            abouts.append(about | {"product": about["product"] | own} | _version(file))
    if not abouts:
        allowed = "it lists no file that was fetched, so there is nothing to do again"
        raise InvalidInput("manifest", manifest.job_id, allowed)
    return abouts


def _version(file):
    """Return the folder of a version that was fetched beside another, if it was one."""
    names = str(file["path"] or "").split("/")
    return {"version": names[2]} if len(names) == 4 else {}


def _compare(then, file, library, check_cancelled):
    before = {name: then[name] for name in ("size", "sha256", "versions")}
    # Not that of the manifest, which may say anything.
    path = None if file is None or file.path is None else file.path.absolute()
    path = path.relative_to(library.folder).as_posix() if path is not None else None
    about = {"uri": then["uri"], "path": path, "before": before}
    if file is None or file.state != "complete":
        failure = "" if file is None else file.failure
        error = file.error if file is not None else None
        reason = error or "The replay ended before it was fetched; replay the manifest again."
        return ReplayedFile(**about, verdict=_FAILURES.get(failure, "failed"), reason=reason)
    try:
        size, sha256 = file.path.stat().st_size, sha256_of(file.path, check_cancelled)
    except OSError as error:
        reason = f"It cannot be read: {error.strerror or type(error).__name__}."
        return ReplayedFile(**about, verdict="failed", reason=reason)
    kept = library.file(file.path.absolute())
    now = {"size": size, "sha256": sha256, "versions": {} if kept is None else kept.versions}
    if then["sha256"] is None and size == then["size"]:
        reason = "The manifest has no checksum of it; the size is the same."
        return ReplayedFile(**about, verdict="same", reason=reason, now=now)
    if then["sha256"] == sha256:
        return ReplayedFile(**about, verdict="same", now=now)
    verdict, reason = "reprocessed", f"the archive has another file since; {_changes(before, now)}."
    if not file.bytes_fetched and not _is_of_archive(kept, sha256, then["fetched"]):
        verdict = "different"
        reason = (
            f"what is in the download folder is another file; {_changes(before, now)}. Move it "
            "away and replay the manifest again to fetch the archive's."
        )
    return ReplayedFile(**about, verdict=verdict, reason=reason, now=now)


def _is_of_archive(kept, sha256, since):
    """Return whether what is there was fetched since then, and is as it was fetched."""
    return (
        kept is not None
        and kept.source != "disk"
        and not kept.changed
        and kept.sha256 == sha256
        and kept.fetched_at > (since or "")
    )


def _changes(before, now):
    """Say which versions have changed."""
    old, new = before["versions"], now["versions"]
    names = [name for name in new if old.get(name) != new[name]]
    if names:
        return ", ".join(f"{n} {old.get(n, 'unknown')} → {new[n]}" for n in names)
    sizes = f"{before['size']:,} → {now['size']:,} bytes" if before["size"] != now["size"] else ""
    if not new:
        return sizes or "its size is the same, its checksum is not"
    same = ", ".join(f"{name} {value}" for name, value in new.items())
    return f"{sizes or 'its checksum has changed'}, its versions have not ({same})"


def _name(file):
    return (file.path or file.uri).rsplit("/", 1)[-1]
