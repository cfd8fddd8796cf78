"""One import into the viewer: files are fetched, and each is opened when it is whole."""

import itertools
from collections import Counter

from jdaviz_mast.errors import Cancelled, MastError
from jdaviz_mast.plan import is_public
from jdaviz_mast.products import kind_of
from jdaviz_mast.tray.words import bytes_in_words, counted, seconds_in_words, some_of
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.opening import Opened, open_product

__all__ = ["LayerImport"]

#: Seconds between two updates of the progress bar.
_TICK = 0.25
#: What is opened before the rest, and after it.
_ORDER = {"Image": 0, "Catalog": 2}
#: What a person calls what jdaviz's formats hold; the order is that in sentences.
_NOUNS = {
    "Image": "image", "1D Spectrum": "spectrum", "2D Spectrum": "2D spectrum",
    "3D Spectrum": "spectral cube", "Ramp": "ramp", "Catalog": "catalog",
    "Light Curve": "light curve", "TPF": "target pixel file",
}  # fmt: skip
#: Problems that a summary names; the files carry them all.
_MOST_NOTES = 12
_ON_TOKENS = (
    "Files under exclusive access need the token of somebody who may fetch them: give it under "
    "“Token for exclusive data”, then press “Retry failed” in the list of imports."
)


class LayerImport:
    """Has products fetched, and opens those that open in this application.

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
    order : sequence of str
        URIs of the files to open, in this order and no others; empty to open what there is, each
        as it is whole.

    Attributes
    ----------
    job : `~jdaviz_mast.ImportJob` or None
    opened : `~jdaviz_mast.viewer.opening.Opened`
        What became layers.
    layers : list of dict
        ``label`` and ``uri`` of each layer, in the order in which they were made.
    of_failures : list of str
        The notes of the summary that files tell themselves.
    """

    def __init__(
        self, app, begin, *, folder, extensions, max_images, turn, on_job, on_progress, nothing,
        order=(),
    ):  # fmt: skip
        self._app, self._begin, self._folder = app, begin, folder
        self._extensions, self._max_images = extensions, max_images
        self._turn, self._on_job, self._on_progress = turn, on_job, on_progress
        self._nothing, self._order = nothing, list(order)
        self.layers = []
        self.job, self.opened, self.of_failures = None, Opened(), []
        self._files_loaded, self._files_already = set(), set()
        self._too_many, self._problems = [], {}

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
                waiting, top_level = self._choose()
            for file in self._whole(waiting or (), ended):
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

    def _choose(self):
        """Return the files to open, and the highest level of the images among them.

        Those of the highest level come first; of one level the images, which set how the sky
        lies, and last the catalogs, which mark places on it.
        """
        app = self._app.config
        files = [f for f in self.job.files if _kind(f).opens_in(app)]
        files.sort(key=lambda f: (-_level(f), _ORDER.get(_kind(f).format, 1)))  # stable
        if self._order:
            place = {uri: number for number, uri in enumerate(self._order)}
            files = sorted((f for f in files if f.uri in place), key=lambda f: place[f.uri])
        self._too_many = files[self._max_images :]
        levels = [_level(f) for f in files if _kind(f).format == "Image"]
        return files[: self._max_images], max(levels, default=0)

    def _whole(self, waiting, ended):
        """Return the files that can be opened now.

        Catalogs are small and whole first, but wait for the images that they are marked on.
        """
        if self._order:
            going = itertools.takewhile(lambda f: ended or f.state == "complete", waiting)
            return [f for f in going if f.state == "complete"]
        images = any(_kind(f).is_image for f in waiting)
        return [
            f for f in waiting
            if f.state == "complete"
            and (ended or not images or _kind(f).format != "Catalog")
        ]  # fmt: skip

    def _open(self, file, top_level, worker):
        """Open one whole file: read here, added by the owner."""
        opened = self.opened
        labels = len(opened.labels)
        notes, layers, there = len(opened.notes), self._n_layers, opened.already.total()
        try:
            open_product(
                self._app, file.path, _kind(file), file.about, uri=file.uri,
                extensions=self._extensions, hidden=self._is_hidden(file, top_level), opened=opened,
                call=worker.call, turn=self._turn,
            )  # fmt: skip
        except Cancelled:
            raise
        except (MastError, ValueError, OSError) as error:
            nothing = (self._n_layers, opened.already.total()) == (layers, there)
            what = "it could not" if nothing else "not all of it could"
            self._note({file.name: f"downloaded, but {what} be shown: {error}"})
        finally:
            self.layers += [{"label": name, "uri": file.uri} for name in opened.labels[labels:]]
        # Some of it may be there, whatever became of the rest.
        if self._n_layers > layers:
            self._files_loaded.add(file.uri)
        elif opened.already.total() > there:
            self._files_already.add(file.uri)
        for note in opened.notes[notes:]:
            self._note({file.name: note})

    def _is_hidden(self, file, top_level):
        """Return whether a file's layers would cover what else is imported."""
        if _kind(file).format == "Catalog":
            return any(_kind(f).is_image for f in self.job.files)
        return _level(file) < top_level

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

    def _not_opening(self, files):
        """Count the files that this application does not open, by the reason."""
        whys = (_kind(file).why_not(self._app.config) for file in files)
        return Counter(filter(None, whys))

    def _show_progress(self):
        job, files = self.job, self.job.files
        if not files:
            return
        done = sum(f.state == "complete" for f in files)
        parts = [f"{done} of {counted(len(files), 'file')}"]
        if job.bytes_total:
            parts.append(f"{bytes_in_words(job.bytes_done)} of {bytes_in_words(job.bytes_total)}")
        if job.finished:
            parts.append(f"{_in_words(self.opened.formats)} opened so far")
        elif job.rate:
            parts.append(f"{bytes_in_words(job.rate)}/s")
            if job.eta is not None and job.eta >= 1:
                parts.append(f"{seconds_in_words(job.eta)} left")
        notes = []
        not_opening = self._not_opening(files)
        if not_opening:
            count = counted(not_opening.total(), "file")
            notes.append(f"{count} will not open as a layer ({'; '.join(not_opening)}).")
        if self._too_many:
            notes.append(f"{self._too_many_note()}.")
        percent = 100 * job.bytes_done / job.bytes_total if job.bytes_total else 0.0
        self._on_progress(min(percent, 100.0), ", ".join(parts), " ".join(notes))

    @property
    def _n_layers(self):
        return self.opened.formats.total()

    def _too_many_note(self):
        count = len(self._too_many)
        only_images = all(_kind(f).format == "Image" for f in self._too_many)
        opened = counted(self._max_images, "image" if only_images else "file")
        return (
            f"Only {opened} of one import {'is' if self._max_images == 1 else 'are'} opened, the "
            f"highest level first; {count:,} more "
            f"{'file is' if count == 1 else 'files are'} downloaded only: raise “Open at most” "
            "(max_images) to open more"
        )

    def summary(self):
        """Return what happened: a sentence, a list of notes, and the kind of message."""
        files = self.job.files
        if not files:
            return self._nothing, [], "info"
        whole = [f for f in files if f.state == "complete"]
        others = sum(f.uri not in self._files_already | self._files_loaded for f in whole)
        failed = len(files) - len(whole)

        notes = list(self._problems)[:_MOST_NOTES]
        if len(self._problems) > _MOST_NOTES:
            more = len(self._problems) - _MOST_NOTES
            notes.append(f"And {counted(more, 'problem')} more: see the files in the list below.")
        if any(f.state == "failed" and not is_public(f.about) for f in files):
            notes.append(_ON_TOKENS)
        if self.opened.hidden_layers:
            hidden = some_of(self.opened.hidden_layers)
            notes.append(f"Loaded, but not switched on: {hidden}.")
        for why, count in self._not_opening(whole).items():
            notes.append(f"{counted(count, 'file')}: {why}.")
        if self._too_many:
            notes.append(f"{self._too_many_note()}.")
        if others:
            notes.append(f"All files are in {self._folder}.")
        if self.opened.formats["Image"]:
            notes += filter(None, [jdaviz_api.image_viewer_hint(self._app)])

        if not whole:
            return f"Nothing could be imported: {counted(failed, 'file')} failed.", notes, "error"
        parts = []
        already = self.opened.already
        if self._n_layers or not already:
            layers = f"{_in_words(self.opened.formats)} loaded"
            if self._n_layers != len(self._files_loaded) > 0:  # layers are not files
                layers += f" from {counted(len(self._files_loaded), 'file')}"
            parts.append(layers)
        if already:
            verb = "is" if already.total() == 1 else "are"
            parts.append(f"{_in_words(already)} {verb} already in the viewer")
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
            what = _in_words(self.opened.formats)
            kept = f"{what} had been loaded and stay{'s' if done == 1 else ''}"
        return f"The import was cancelled. {kept}. Resume it in the list of imports."


def _level(file):
    level = file.about["product"].get("calib_level")
    return -1 if level is None else level


def _kind(file):
    return kind_of(file.about["product"])


def _in_words(formats):
    """Return such as ``2 images, 1 spectrum``, of a count of layers by their format."""
    if not formats.total():
        return counted(0, "image")
    return ", ".join(counted(formats[f], noun) for f, noun in _NOUNS.items() if formats[f])
