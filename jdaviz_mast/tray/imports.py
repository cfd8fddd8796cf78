"""The imports that a tray runs: several at once, each with a worker of its own."""

import contextlib
import functools
import logging
import threading

from jdaviz_mast.errors import Cancelled, InvalidInput, MastError
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.importer import LayerImport
from jdaviz_mast.tray.worker import Worker

__all__ = ["Imports", "Running"]

log = logging.getLogger(__name__)


class Running:
    """One import that runs.

    Attributes
    ----------
    subject : object
        What is imported; a button that is pressed twice does not import it twice.
    title : str
    layer_import : `~jdaviz_mast.tray.importer.LayerImport`
    worker : `~jdaviz_mast.tray.worker.Worker`
    replay : `~jdaviz_mast.library.Replay` or None
        What it is compared with, if it makes another import again.
    progress : (float, str, str)
        Per cent, a text that changes, and a note that stays.
    """

    def __init__(self, subject, title):
        self.subject, self.title = subject, title
        self.layer_import = self.worker = self.replay = None
        self.progress = (0.0, "Asking what there is…", "")

    @property
    def job_id(self):
        """The ID of its job, None before it has one."""
        job = self.layer_import.job
        return None if job is None else job.id

    @property
    def has_files(self):
        """Whether nothing more is fetched; layers may still be opened."""
        job = self.layer_import.job
        return job is not None and job.finished


class Imports:
    """Starts imports, keeps those that run, and says when something changed.

    Parameters
    ----------
    app : jdaviz's private application
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    mast : `jdaviz_mast.Mast`
    on_change : callable
        Called with nothing, on the owner's thread, when one started, got further or ended.
    on_end : callable
        Called with title, message, notes and the kind of message, on the owner's thread.
    on_job : callable
        Called with nothing, on any thread, when there is another job.

    Attributes
    ----------
    outcomes : dict
        Of the imports of this session that have ended, by job ID: message and notes.
    turn : context manager
        Held while a layer is added.
    """

    def __init__(self, app, owner, mast, *, on_change, on_end, on_job):
        self._app, self._owner, self._mast = app, owner, mast
        self._on_change, self._on_end, self._on_job = on_change, on_end, on_job
        self._running, self.outcomes = [], {}
        # One layer after the other: the page must get its turn between them.
        self.turn = threading.Lock()

    def __len__(self):
        return len(self._running)

    @property
    def newest(self):
        """The newest `Running`, or None."""
        return self._running[-1] if self._running else None

    def of_subject(self, subject):
        """Return the `Running` of a subject, or None."""
        return next((r for r in self._running if r.subject == subject), None)

    def of_job(self, job_id):
        """Return the `Running` whose job has this ID, or None."""
        return next((r for r in reversed(self._running) if r.job_id == job_id), None)

    def fetch(self, observations, subject, title, *, all_levels, product_type, source, **options):
        """Import observations or products; return the `Worker`, which results in the job."""
        begin = functools.partial(
            self._mast.fetch, observations, all_levels=all_levels, product_type=product_type,
            source=source, block=False,
            shown_with={name: options[name] for name in ("extensions", "max_images")},
        )  # fmt: skip
        level = "" if all_levels else " of level 3"
        nothing = f"These observations have no products{level} of this type."
        return self._start(begin, subject, title, nothing=nothing, **options)

    def resume(self, job_id, title, **options):
        """Go on with a job; return the `Worker`. One that runs here is not started again."""
        running = self.of_job(job_id) or self.of_subject(job_id)
        # One whose files have ended may still be opening layers; that goes on beside.
        if running is not None and not running.has_files:
            return running.worker
        begin = functools.partial(self._mast.resume, job_id, block=False)
        return self._start(begin, job_id, title, nothing="The import has no files.", **options)

    def new_version(self, uri, title, **options):
        """Import what the archive has reprocessed; return the `Worker`."""
        subject = ("new version", uri)
        running = self.of_subject(subject)
        if running is not None:
            return running.worker
        begin = functools.partial(self._mast.fetch_new_version, uri, block=False)
        return self._start(begin, subject, title, nothing="There are no files.", **options)

    def existing(self, observation_id, **options):
        """Import what is on disk of an observation; return the `Worker`."""
        begin = functools.partial(self._mast.import_existing, observation_id)
        nothing = "There are no files."
        subject = ("existing", observation_id)
        return self._start(begin, subject, observation_id, nothing=nothing, **options)

    def replay(self, manifest, *, source=None, **options):
        """Make an import again; return the `Worker`, which results in the `Replay`."""
        subject = ("replay", manifest.job_id)
        running = self.of_subject(subject)
        if running is not None:
            return running.worker

        running = Running(subject, f"{manifest.title}, again")

        def begin():
            running.replay = self._mast.replay(manifest, source=source, block=False)
            return running.replay.job

        order = list(dict.fromkeys(layer["uri"] for layer in manifest.layers))
        nothing = "The manifest has no files."
        return self._begin(running, begin, nothing=nothing, order=order, **options)

    def follow(self, job, **options):
        """Open what a job fetches that somebody else has started; return the `Worker`."""
        running = self.of_job(job.id)
        if running is not None and not running.has_files:
            return running.worker
        return self._start(
            lambda: job, job.id, job.title, nothing="The import has no files.", **options
        )

    def cancel(self, job_id):
        """Stop a job, whoever runs it; return it.

        Raises
        ------
        InvalidInput
            If there is no such job.
        """
        running = self.of_job(job_id)
        if running is not None:
            running.worker.cancel()
            return running.layer_import.job
        known = {job.id: job for job in self._mast.jobs}
        if job_id not in known:
            allowed = f"choose from {', '.join(known) or 'none: there are no imports'}"
            raise InvalidInput("job_id", job_id, allowed)
        known[job_id].cancel()
        return known[job_id]

    def _start(self, begin, subject, title, **options):
        return self._begin(Running(subject, title), begin, **options)

    def _begin(self, running, begin, **options):
        running.layer_import = LayerImport(
            self._app,
            begin,
            folder=self._mast.download_dir,
            turn=self.turn,
            on_job=self._on_job,
            on_progress=functools.partial(self._got_further, running),
            **options,
        )
        running.worker = Worker(
            self._owner,
            functools.partial(self._run, running),
            on_done=lambda job: self._ended(running),
            on_error=lambda error: self._failed(running, error),
        )
        self._running.append(running)
        self._on_change()
        return running.worker.start()

    def _run(self, running, worker):
        """Fetch, open, keep what was opened, compare; on the worker's thread."""
        layer_import = running.layer_import
        try:
            job = layer_import.run(worker)
        finally:
            if layer_import.layers:
                try:
                    self._mast.keep_layers(layer_import.job, layer_import.layers)
                except MastError as error:
                    log.warning("%s", error)
        if running.replay is None:
            return job
        running.replay.verify(worker.check_cancelled)
        return running.replay

    def _got_further(self, running, *progress):
        running.progress = progress
        self._on_change()

    def _ended(self, running):
        message, notes, kind = running.layer_import.summary()
        if running.replay is not None:
            compared, *differences = running.replay.in_words()
            message = f"{message} Compared with the manifest: {compared}"
            # Files that failed are among the differences.
            notes = [n for n in notes if n not in running.layer_import.of_failures]
            notes = [*differences, *notes]
            kind = "warning" if kind == "success" and not running.replay.is_same else kind
        self._end(running, message, notes, kind)

    def _failed(self, running, error):
        if isinstance(error, Cancelled):
            # Not if the page has gone: then the files are fetched to their end.
            if running.worker.cancelled:
                running.layer_import.cancel()
            self._end(running, running.layer_import.cancelled_summary(), [], "info")
        else:
            running.layer_import.cancel()
            self._end(running, sentence(error), [], "error")

    def _end(self, running, message, notes, kind):
        with contextlib.suppress(ValueError):
            self._running.remove(running)
        if running.job_id is not None:
            told = running.layer_import.of_failures
            self.outcomes[running.job_id] = message, [note for note in notes if note not in told]
        self._on_change()
        self._on_end(running.title, message, notes, kind)
        self._on_job()
