"""One import into the viewer: files are fetched, and each becomes a layer when it is whole."""

import functools
import time
from collections import Counter

from jdaviz_mast.errors import Cancelled, MastError
from jdaviz_mast.products import kind_of
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.images import image_extensions, read_image
from jdaviz_mast.viewer.labels import free_label
from jdaviz_mast.viewer.metadata import layer_metadata

__all__ = ["LayerImport"]

#: Seconds between two updates of the progress bar.
_TICK = 0.25
#: Longest rest, in seconds, that the page is given after a layer was added.
_LONGEST_REST = 1.0


class LayerImport:
    """Fetches products and shows the images among them.

    Parameters
    ----------
    app : jdaviz's private application
    mast : `jdaviz_mast.Mast`
    observations : `~astropy.table.Table` or str
    extensions : sequence of str
        Names of the image extensions that become layers.
    max_images : int
        Files that are opened at the most; the others are downloaded only.
    on_progress : callable
        Called on the owner's thread with per cent, a text that changes, and a note that stays.
    **options
        ``all_levels``, ``product_type`` and ``source`` of `jdaviz_mast.Mast.fetch`.

    Attributes
    ----------
    job : `~jdaviz_mast.ImportJob` or None
    layers : list of str
        Labels of the layers that are switched on.
    hidden_layers : list of str
        Labels of those that are not: they would cover what they belong to.
    """

    def __init__(self, app, mast, observations, *, extensions, max_images, on_progress, **options):
        self._app, self._mast, self._observations = app, mast, observations
        self._extensions, self._max_images = extensions, max_images
        self._on_progress, self._options = on_progress, options
        self.job, self.layers, self.hidden_layers = None, [], []
        self._opened, self._too_many, self._problems = set(), 0, Counter()

    def run(self, worker):
        """Do it; runs on a worker's thread and returns the job."""
        self.job = self._mast.fetch(self._observations, block=False, **self._options)
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
        self._note({file.name: file.error for file in failed})
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
                data = read_image(file.path, extension)
                data.meta.update(layer_metadata(file.about["observation"], product))
                hidden = (
                    kind_of(product).hidden
                    or (number > 0 and extension[0] != "SCI")
                    or _level(file) < top_level
                )
                label = _name_of(extension, extensions)
                began = time.monotonic()
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
            self._problems[f"The images are not aligned on the sky: {error}"] = 1

    def _note(self, problems):
        """Keep problems, a dict of file name to sentence; equal sentences are told once."""
        for sentence, count in Counter(problems.values()).items():
            names = [name for name, other in problems.items() if other == sentence]
            who = names[0] if count == 1 else f"{count:,} files"
            self._problems[f"{who}: {sentence}"] = 1

    @staticmethod
    def _not_images(files):
        """Count the files that will not open as a layer, by the reason."""
        kinds = [kind_of(file.about["product"]) for file in files]
        return Counter(kind.why_not() for kind in kinds if not kind.is_image)

    def _show_progress(self):
        job, files = self.job, self.job.files
        if not files:
            return
        done = sum(f.state == "complete" for f in files)
        parts = [f"{done} of {_count(len(files), 'file')}"]
        if job.bytes_total:
            parts.append(f"{_bytes(job.bytes_done)} of {_bytes(job.bytes_total)}")
        if job.finished:
            parts.append(f"{_count(self._n_layers, 'image')} opened so far")
        elif job.rate:
            parts.append(f"{_bytes(job.rate)}/s")
            if job.eta is not None and job.eta >= 1:
                parts.append(f"{_duration(job.eta)} left")
        notes = []
        not_images = self._not_images(files)
        if not_images:
            count = _count(not_images.total(), "file")
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
            level = "" if self._options["all_levels"] else " of level 3"
            return f"These observations have no products{level} of this type.", [], "info"
        whole = [f for f in files if f.state == "complete"]
        others = sum(f.uri not in self._opened for f in whole)
        failed = len(files) - len(whole)

        notes = list(self._problems)
        if self.hidden_layers:
            notes.append(f"Loaded, but not switched on: {_some(self.hidden_layers)}.")
        for why, count in self._not_images(whole).items():
            notes.append(f"{_count(count, 'file')}: {why}.")
        if self._too_many:
            notes.append(f"{self._too_many_note()}.")
        if others:
            notes.append(f"All files are in {self._mast.download_dir}.")
        if self._n_layers:
            notes += filter(None, [jdaviz_api.image_viewer_hint(self._app)])

        if not whole:
            return f"Nothing could be imported: {_count(failed, 'file')} failed.", notes, "error"
        text = f"{_count(self._n_layers, 'image')} loaded"
        if others:
            text += f", {_count(others, 'other file')} downloaded"
        if failed:
            text += f", {_count(failed, 'file')} failed"
        return f"{text}.", notes, "warning" if self._problems else "success"

    def cancelled_summary(self):
        """Return a sentence for a user who stopped it."""
        done = self._n_layers
        kept = "Nothing was loaded"
        if done:
            kept = f"{_count(done, 'image')} had been loaded and stay{'s' if done == 1 else ''}"
        return f"The import was cancelled. {kept}. What is whole is not fetched again."


def _level(file):
    level = file.about["product"].get("calib_level")
    return -1 if level is None else level


def _name_of(extension, extensions):
    """Return what to call an extension in a label: nothing where there is only the science."""
    name, version = extension
    if [other for other, _ in extensions].count(name) > 1:
        return f"{name},{version}"
    return "" if name == "SCI" else name


def _some(names, most=6):
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more" if more > 0 else "")


def _count(number, noun):
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _bytes(number):
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.3g} GB"


def _duration(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
