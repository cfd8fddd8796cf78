"""One import into the viewer: files are fetched, and each becomes a layer when it is whole."""

import functools
import time
from collections import Counter

from jdaviz_mast.errors import Cancelled, MastError
from jdaviz_mast.products import kind_of
from jdaviz_mast.tray.words import bytes_in_words, counted, seconds_in_words, some_of
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.images import image_extensions, read_image
from jdaviz_mast.viewer.labels import free_label
from jdaviz_mast.viewer.metadata import layer_metadata

__all__ = ["LayerImport", "is_exclusive"]

#: Seconds between two updates of the progress bar.
_TICK = 0.25
#: Longest rest, in seconds, that the page is given after a layer was added.
_LONGEST_REST = 1.0
#: Problems that a summary names; the files carry them all.
_MOST_NOTES = 12
_ON_TOKENS = (
    "Files under exclusive access need the token of somebody who may fetch them: give it under "
    "“Token for exclusive data”, then press “Retry failed” in the list of imports."
)


class LayerImport:
    """Has products fetched and shows the images among them.

    Parameters
    ----------
    app : jdaviz's private application
    begin : callable
        Called on a worker's thread; returns the `~jdaviz_mast.ImportJob` to follow.
    folder : path-like
        Where files go, for the summary.
    extensions : sequence of str
        Names of the image extensions that become layers.
    max_images : int
        Files that are opened at the most; the others are downloaded only.
    turn : context manager
        Held while a layer is added; the same for all imports into one application.
    on_job : callable
        Called with nothing, on the worker's thread, once there is a job.
    on_progress : callable
        Called on the owner's thread with per cent, a text that changes, and a note that stays.
    nothing : str
        What to say if there is nothing to fetch.

    Attributes
    ----------
    job : `~jdaviz_mast.ImportJob` or None
    layers : list of str
        Labels of the layers that are switched on.
    hidden_layers : list of str
        Labels of those that are not: they would cover what they belong to.
    of_failures : list of str
        The notes of the summary that files tell themselves.
    """

    def __init__(
        self, app, begin, *, folder, extensions, max_images, turn, on_job, on_progress, nothing
    ):
        self._app, self._begin, self._folder = app, begin, folder
        self._extensions, self._max_images = extensions, max_images
        self._turn, self._on_job, self._on_progress = turn, on_job, on_progress
        self._nothing = nothing
        self.job, self.layers, self.hidden_layers = None, [], []
        self.of_failures = []
        self._opened, self._already = set(), 0
        self._too_many, self._problems = 0, {}

    def run(self, worker):
        """Do it; runs on a worker's thread and returns the job."""
        self.job = self._begin()
        if worker.cancelled:  # while it was begun
            self.cancel()
        self._on_job()
        waiting, top_level, ended = None, None, False
        while not ended:
            ended = self.job.wait(_TICK)
            worker.check_cancelled()
            worker.show(self._show_progress)
            if waiting is None and self.job.files:
                waiting, top_level = self._choose_images()
            for file in [f for f in waiting or () if f.state == "complete"]:
                waiting.remove(file)
                self._open(file, top_level, worker)
                worker.show(self._show_progress)
        if self.job.error is not None:
            raise self.job.error
        failed = [f for f in self.job.files if f.state == "failed"]
        self.of_failures = self._note({file.name: file.error for file in failed})
        return self.job

    def cancel(self):
        """Stop fetching."""
        if self.job is not None:
            self.job.cancel()

    def _choose_images(self):
        """Return the files to open, those of the highest level first, and that level."""
        images = [f for f in self.job.files if kind_of(f.about["product"]).is_image]
        images.sort(key=lambda file: -_level(file))  # stable
        self._too_many = len(images[self._max_images :])
        return images[: self._max_images], max(map(_level, images), default=0)

    def _open(self, file, top_level, worker):
        """Make layers of one whole file; read here, added by the owner."""
        product = file.about["product"]
        try:
            extensions = image_extensions(file.path, self._extensions)
            for number, extension in enumerate(extensions):
                is_there = functools.partial(jdaviz_api.has_image, self._app, file.uri, extension)
                if worker.call(is_there):
                    self._already += 1
                    continue
                data = read_image(file.path, extension)
                data.meta.update(layer_metadata(file.about["observation"], product))
                # The archive's name is what tells later that the file is in the viewer.
                data.meta["mast_product_dataURI"] = file.uri
                hidden = (
                    kind_of(product).hidden
                    or (number > 0 and extension[0] != "SCI")
                    or _level(file) < top_level
                )
                label = _name_of(extension, extensions)
                with self._turn:
                    began = time.monotonic()
                    if worker.call(is_there):  # another import was faster
                        self._already += 1
                        continue
                    worker.call(functools.partial(self._add, data, file, label, hidden))
                    # jdaviz takes longer for each further layer, and the page is blocked for
                    # that time: it gets as long to answer the user.
                    time.sleep(min(time.monotonic() - began, _LONGEST_REST))
            self._opened.add(file.uri)
        except Cancelled:
            raise
        except (MastError, ValueError, OSError) as error:
            self._note({file.name: f"downloaded, but it could not be shown: {error}"})

    def _add(self, data, file, extension, hidden):
        taken = jdaviz_api.data_labels(self._app)
        about = file.about
        label = free_label(about["observation"], about["product"], taken, extension)
        try:
            jdaviz_api.add_image(self._app, data, label, visible=not hidden)
        # Whatever jdaviz could not do with it, no half of it stays, and the others go on.
        except Exception as error:  # noqa: BLE001
            jdaviz_api.remove_data(self._app, label)
            raise MastError(f"jdaviz says: {error}") from error
        (self.hidden_layers if hidden else self.layers).append(label)
        try:
            # At once: the images that follow are then linked to the sky as they come.
            jdaviz_api.align_by_sky(self._app)
        except ValueError as error:
            self._problems[f"The images are not aligned on the sky: {error}"] = None

    def _note(self, problems):
        """Keep problems, a dict of file name to sentence, as notes; equal ones are told once."""
        names = {}
        for name, sentence in problems.items():
            names.setdefault(sentence, []).append(name)
        notes = [
            f"{who[0] if len(who) == 1 else counted(len(who), 'file')}: {sentence}"
            for sentence, who in names.items()
        ]
        self._problems |= dict.fromkeys(notes)
        return notes

    def _not_images(self, files):
        """Count the files that will not open as a layer, by the reason."""
        kinds = [kind_of(file.about["product"]) for file in files]
        return Counter(
            kind.why_not(self._app.config) or f"a {kind.name}"
            for kind in kinds
            if not kind.is_image
        )

    def _show_progress(self):
        job, files = self.job, self.job.files
        if not files:
            return
        done = sum(f.state == "complete" for f in files)
        parts = [f"{done} of {counted(len(files), 'file')}"]
        if job.bytes_total:
            parts.append(f"{bytes_in_words(job.bytes_done)} of {bytes_in_words(job.bytes_total)}")
        if job.finished:
            parts.append(f"{counted(self._n_layers, 'image')} opened so far")
        elif job.rate:
            parts.append(f"{bytes_in_words(job.rate)}/s")
            if job.eta is not None and job.eta >= 1:
                parts.append(f"{seconds_in_words(job.eta)} left")
        notes = []
        not_images = self._not_images(files)
        if not_images:
            count = counted(not_images.total(), "file")
            notes.append(f"{count} will not open as a layer ({'; '.join(not_images)}).")
        if self._too_many:
            notes.append(f"{self._too_many_note()}.")
        percent = 100 * job.bytes_done / job.bytes_total if job.bytes_total else 0.0
        self._on_progress(min(percent, 100.0), ", ".join(parts), " ".join(notes))

    @property
    def _n_layers(self):
        return len(self.layers) + len(self.hidden_layers)

    def _too_many_note(self):
        return (
            f"Only {self._max_images} images of one import are opened, the highest level first; "
            f"{self._too_many:,} more are downloaded only"
        )

    def summary(self):
        """Return what happened: a sentence, a list of notes, and the kind of message."""
        files = self.job.files
        if not files:
            return self._nothing, [], "info"
        whole = [f for f in files if f.state == "complete"]
        others = sum(f.uri not in self._opened for f in whole)
        failed = len(files) - len(whole)

        notes = list(self._problems)[:_MOST_NOTES]
        if len(self._problems) > _MOST_NOTES:
            more = len(self._problems) - _MOST_NOTES
            notes.append(f"And {counted(more, 'problem')} more: see the files in the list below.")
        if any(f.state == "failed" and is_exclusive(f.about) for f in files):
            notes.append(_ON_TOKENS)
        if self.hidden_layers:
            notes.append(f"Loaded, but not switched on: {some_of(self.hidden_layers)}.")
        for why, count in self._not_images(whole).items():
            notes.append(f"{counted(count, 'file')}: {why}.")
        if self._too_many:
            notes.append(f"{self._too_many_note()}.")
        if others:
            notes.append(f"All files are in {self._folder}.")
        if self._n_layers:
            notes += filter(None, [jdaviz_api.image_viewer_hint(self._app)])

        if not whole:
            return f"Nothing could be imported: {counted(failed, 'file')} failed.", notes, "error"
        parts = []
        if self._n_layers or not self._already:
            parts.append(f"{counted(self._n_layers, 'image')} loaded")
        if self._already:
            verb = "is" if self._already == 1 else "are"
            parts.append(f"{counted(self._already, 'image')} {verb} already in the viewer")
        if others:
            parts.append(f"{counted(others, 'other file')} downloaded")
        if failed:
            parts.append(f"{counted(failed, 'file')} failed")
        return f"{', '.join(parts)}.", notes, "warning" if self._problems else "success"

    def cancelled_summary(self):
        """Return a sentence for a user who stopped it."""
        done = self._n_layers
        kept = "Nothing was loaded"
        if done:
            kept = f"{counted(done, 'image')} had been loaded and stay{'s' if done == 1 else ''}"
        return f"The import was cancelled. {kept}. Resume it in the list of imports."


def is_exclusive(about):
    """Return whether the archive does not give a file to everybody, by what is known of it."""
    rights = about["product"].get("dataRights") or about["observation"].get("dataRights")
    return rights not in (None, "", "PUBLIC")


def _level(file):
    level = file.about["product"].get("calib_level")
    return -1 if level is None else level


def _name_of(extension, extensions):
    """Return what to call an extension in a label: nothing where there is only the science."""
    name, version = extension
    if [other for other, _ in extensions].count(name) > 1:
        return f"{name},{version}"
    return "" if name == "SCI" else name
