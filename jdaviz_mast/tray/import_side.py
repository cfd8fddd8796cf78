"""The half of the tray that imports: what a notebook calls, and what the page shows of it."""

from astropy.table import Table
from traitlets import Any, Bool, Float, List, Unicode, observe, validate

from jdaviz_mast.archive.checks import check_whole_number
from jdaviz_mast.errors import InvalidInput, MastError
from jdaviz_mast.mast import Mast
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.greeting import Greeting
from jdaviz_mast.tray.imports import Imports
from jdaviz_mast.tray.job_list import JobList
from jdaviz_mast.tray.token_field import TokenField
from jdaviz_mast.tray.words import counted
from jdaviz_mast.tray.worker import Worker
from jdaviz_mast.viewer import jdaviz_api

__all__ = ["ImportSide", "check_given", "title_of"]

#: Image extensions that JWST's and HST's files have, besides others.
_EXTENSIONS = ("SCI", "ERR", "DQ", "WHT", "CON", "CTX", "AREA", "VAR_POISSON", "VAR_RNOISE",
               "VAR_FLAT")  # fmt: skip
#: Seconds that Python waits for an import to have stopped.
_LONGEST_CANCEL = 5


class ImportSide(jdaviz_api.TrayPlugin):
    """Imports observations, and shows the list of imports, their greeting and the token field.

    What it is the side of has ``observations``, the table whose rows are imported, and
    ``all_levels``.
    """

    extensions = List(Unicode(), ["SCI"]).tag(sync=True)
    max_images = Any(24).tag(sync=True)
    extension_items = List(list(_EXTENSIONS)).tag(sync=True)
    importing = Bool(False).tag(sync=True)
    progress_title = Unicode("").tag(sync=True)  # which import it is of, if there are several
    progress = Float(0).tag(sync=True)  # per cent
    progress_text = Unicode("").tag(sync=True)
    progress_note = Unicode("").tag(sync=True)
    import_message = Unicode("").tag(sync=True)
    import_message_type = Unicode("info").tag(sync=True)
    import_notes = List().tag(sync=True)

    jobs_widget = Unicode().tag(sync=True)
    greeting_widget = Unicode().tag(sync=True)
    token_widget = Unicode().tag(sync=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._typed = None  # into the field of `max_images`
        self.mast = Mast()
        self._imports = Imports(
            self._app,
            self._owner,
            self.mast,
            on_change=self._show_progress,
            on_end=self._import_ended,
            on_job=lambda: self.job_list.watch.look(reread=True),
        )
        self.greeting = Greeting(on_resume=self._resume_from_page)
        self.job_list = JobList(
            self.mast,
            self._owner,
            outcome_of=self._imports.outcomes.get,
            on_cancel=self._cancel_from_page,
            on_resume=lambda job_id: self._resume_from_page([job_id]),
            on_remove=self._remove_from_page,
            on_greeting=self._greet,
        )
        self.token_field = TokenField(self.mast, self._owner)
        self.jobs_widget = "IPY_MODEL_" + self.job_list.model_id
        self.greeting_widget = "IPY_MODEL_" + self.greeting.model_id
        self.token_widget = "IPY_MODEL_" + self.token_field.model_id

    @validate("max_images")
    def _check_max_images(self, proposal):
        check_whole_number("max_images", proposal.value)
        return int(proposal.value)

    @observe("max_images")
    def _max_images_changed(self, change):
        self._typed = None

    @property
    def jobs(self):
        """Imports into the download folder, oldest first."""
        return self.mast.jobs

    def import_selected(self):
        """Import the selected observations; return the `~jdaviz_mast.ImportJob`.

        Raises
        ------
        InvalidInput
            If no row is selected.
        jdaviz_mast.errors.MastError
            If the archive did not say what there is to fetch. What is wrong with single files
            is on the job, also when that is all of them.
        """
        return self._job_of(self._start_import(self._selected_observations()))

    def import_observation(self, observation_id, product_type="SCIENCE", source=None):
        """Import one observation, which need not have been searched for.

        Parameters
        ----------
        observation_id : str
            MAST's ``obs_id``.
        product_type : str, list of str or None
            MAST's ``productType``; None for all.
        source : str, optional
            ``'auto'``, ``'http'`` or ``'s3'``.

        Returns
        -------
        job : `~jdaviz_mast.ImportJob`
        """
        return self._job_of(self._start_import(observation_id, product_type, source))

    def import_existing(self, observation_id):
        """Import what is whole on disk of an observation, without the network.

        Returns
        -------
        job : `~jdaviz_mast.ImportJob`

        Raises
        ------
        ObservationNotFound
            If there is no file of it in the download folder.
        """
        return self._job_of(self._imports.existing(observation_id, **self._layer_options()))

    def resume(self, job_id):
        """Go on with an import, and show what is not in the viewer yet.

        Parameters
        ----------
        job_id : str
            ``id`` of one of `jobs`.

        Returns
        -------
        job : `~jdaviz_mast.ImportJob`

        Raises
        ------
        InvalidInput
            If there is no such job.
        """
        return self._job_of(self._resume(job_id))

    def cancel(self, job_id=None):
        """Stop an import: the one with that ID, or the newest that runs here.

        Returns
        -------
        job : `~jdaviz_mast.ImportJob` or None
            None if nothing runs.

        Raises
        ------
        InvalidInput
            If there is no such job.
        """
        newest = self._imports.newest
        if job_id is None and newest is not None:
            newest.worker.cancel()
            job = newest.layer_import.job
        else:
            job = None if job_id is None else self._imports.cancel(job_id)
        if job is not None:
            job.wait(_LONGEST_CANCEL)
        return job

    def remove(self, job_id):
        """Take an import off the list; files that are whole stay.

        Raises
        ------
        InvalidInput
            If there is no such job, or it runs.
        """
        self.mast.remove(job_id)
        self._removed(job_id)

    def _job_of(self, worker):
        """Return the job, once its files are in the library: who calls may end the process."""
        job = worker.wait()
        job = getattr(job, "job", job)  # a replay has one
        while not job.settled.wait(0.02):
            self._owner.drain()
        return job

    def follow(self, job):
        """Show an import that was started elsewhere, such as over HTTP; does not wait."""
        self._imports.follow(job, **self._layer_options())

    def from_other_thread(self, function):
        """Call something on the thread that owns the tray, from any other; return its result.

        Raises
        ------
        Cancelled
            If the page has gone.
        """
        return self._owner.call(function)

    def _start_import(self, observations, product_type="SCIENCE", source=None, **options):
        check_given(observations)
        return self._imports.fetch(
            observations,
            _subject(observations),
            title_of(observations),
            all_levels=self.all_levels,
            product_type=product_type,
            source=source,
            **self._layer_options(),
            **options,
        )

    def _import_of(self, observations):
        """Return the `Running` import of the same observations or products, or None."""
        return self._imports.of_subject(_subject(observations))

    def _resume(self, job_id):
        self.greeting.drop(job_id)
        titles = {row["id"]: row["title"] for row in self.job_list.rows}
        title = titles.get(job_id, str(job_id))
        return self._imports.resume(job_id, title, **self._layer_options())

    def _layer_options(self):
        if not self.extensions:
            raise InvalidInput("extensions", [], f"choose some of {', '.join(_EXTENSIONS)}")
        # What was typed last and refused stands in the field still; traitlets lets None pass.
        typed = self.max_images if self._typed is None else self._typed
        check_whole_number("max_images", typed)
        return {"extensions": list(self.extensions), "max_images": self.max_images}

    def _selected_observations(self):
        selected = self.observations.selected
        if selected is None:
            raise InvalidInput("observations", "none selected", "select rows of the table first")
        return selected

    def _import_row(self, index):
        self._import_from_page(lambda: self.observations.row(index))

    def _import_from_page(self, choose):
        def start():
            observations = choose()
            if self._import_of(observations) is None:  # no double click
                self._start_import(observations)

        self._from_button(start)

    def _from_button(self, start):
        self.import_message, self.import_notes = "", []
        try:
            start()
        except MastError as error:
            self._say("import", sentence(error), "error")

    def _resume_from_page(self, job_ids):
        self._from_button(lambda: [self._resume(job_id) for job_id in job_ids])

    def _cancel_from_page(self, job_id):
        running = self._imports.of_job(job_id)
        if running is not None:
            running.worker.cancel()
        else:  # reads the disk
            self._beside(lambda: self._imports.cancel(job_id))

    def _remove_from_page(self, job_id):
        self._beside(lambda: self.mast.remove(job_id), lambda: self._removed(job_id))

    def _beside(self, work, then=lambda: None):
        """Do something that reads the disk, without waiting for it."""
        Worker(
            self._owner,
            lambda worker: work(),
            on_done=lambda _: then(),
            on_error=lambda error: self._say("import", sentence(error), "error"),
        ).start()

    def _removed(self, job_id):
        self.greeting.drop(job_id)
        self.job_list.watch.look(reread=True)

    def _greet(self, jobs):
        self.greeting.show([(job_id, title) for job_id, title in jobs
                            if self._imports.of_job(job_id) is None])  # fmt: skip

    def _show_progress(self):
        newest = self._imports.newest
        self.importing = newest is not None
        if newest is not None:
            several = len(self._imports) > 1
            with self.hold_sync():
                self.progress, self.progress_text, self.progress_note = newest.progress
                self.progress_title = (
                    f"{newest.title} (the newest of {len(self._imports)} imports)"
                    if several else ""
                )  # fmt: skip

    def _import_ended(self, title, message, notes, kind):
        self.import_notes = notes
        self._say("import", f"{title}: {message}" if self.importing else message, kind)
        self.snackbar(f"MAST: {message}", kind)
        self._disk_changed()

    def _disk_changed(self):
        """Files have come into the download folder, or are gone."""

    def _updates_known(self, updates):
        """Take what the archive has reprocessed, or made public, since: all that is open."""

    def _say(self, where, text, kind="info"):
        setattr(self, f"{where}_message_type", kind)
        setattr(self, f"{where}_message", text)

    # From the page

    def vue_import_selected(self, *_):
        """Import what is selected, without waiting."""
        self._import_from_page(self._selected_observations)

    def vue_set_max_images(self, text):
        """Set how many files of one import are opened, from what was typed."""
        self._typed = number = int(text) if str(text).strip().isdecimal() else text
        self._from_button(lambda: setattr(self, "max_images", number))

    def vue_cancel_import(self, *_):
        """Stop the newest import."""
        if self._imports.newest is not None:
            self._imports.newest.worker.cancel()

    def vue_plugin_ping(self, ping_timestamp):
        """Heartbeat of the open panel: somebody looks at the list of imports."""
        super().vue_plugin_ping(ping_timestamp)
        self.job_list.watch.attend()


def check_given(given):
    """Raise `InvalidInput` if it is neither a table nor an observation ID."""
    if not isinstance(given, (str, Table)):
        allowed = "give observations or products as a table, or an observation ID"
        raise InvalidInput("observations_or_products", type(given).__name__, allowed)


def _subject(observations):
    """Return what is the same for two imports of the same observations or products."""
    if isinstance(observations, str):
        return observations
    column = next((c for c in ("dataURI", "obsid") if c in observations.colnames), None)
    return None if column is None else tuple(observations[column])


def title_of(observations):
    """Return what observations, products or an observation ID are called in a list."""
    if isinstance(observations, str):
        return observations
    if "dataURI" in observations.colnames:
        one = str(observations["productFilename"][0])
        return one if len(observations) == 1 else counted(len(observations), "product")
    if len(observations) == 1 and "obs_id" in observations.colnames:
        return str(observations["obs_id"][0])
    return counted(len(observations), "observation")
