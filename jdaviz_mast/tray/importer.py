"""One import into the viewer: files are fetched, and each becomes a layer when it is whole."""

import functools
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


class LayerImport:
    """Fetches products and shows the images among them.

    Parameters
    ----------
    app : jdaviz's private application
    mast : `jdaviz_mast.Mast`
    observations : `~astropy.table.Table` or str
    extensions : sequence of str
        Names of the image extensions that become layers.
    all_levels, product_type, source
        As in `jdaviz_mast.Mast.fetch`.
    on_progress : callable
        Called on the owner's thread with per cent and a text.

    Attributes
    ----------
    job : `~jdaviz_mast.ImportJob` or None
    layers : list of str
        Labels of the layers that were made.
    """

    def __init__(
        self,
        app,
        mast,
        observations,
        *,
        extensions,
        all_levels,
        product_type,
        source,
        on_progress,
    ):
        self._app, self._mast, self._observations = app, mast, observations
        self._options = {"all_levels": all_levels, "product_type": product_type, "source": source}
        self._extensions, self._on_progress = extensions, on_progress
        self.job, self.layers, self._hidden = None, [], []
        self._opened, self._failures = set(), []

    def run(self, worker):
        """Do it; runs on a worker's thread and returns the job."""
        self.job = self._mast.fetch(self._observations, block=False, **self._options)
        waiting, ended = None, False
        while not ended:
            ended = self.job.wait(_TICK)
            worker.check_cancelled()
            if waiting is None and self.job.files:
                waiting = list(self.job.files)
            worker.show(self._show_progress)
            for file in [f for f in waiting or () if f.state == "complete"]:
                waiting.remove(file)
                self._open(file, worker)
        if self.job.error is not None:
            raise self.job.error
        self._failures += [f"{f.name}: {f.error}" for f in self.job.files if f.state == "failed"]
        if len(self.layers) + len(self._hidden) > 0:
            worker.call(self._align)
        return self.job

    def cancel(self):
        """Stop fetching."""
        if self.job is not None:
            self.job.cancel()

    @staticmethod
    def _not_images(files):
        """Count the files that will not open as a layer, by the reason."""
        kinds = [kind_of(file.about["product"]) for file in files]
        return Counter(kind.why_not() for kind in kinds if not kind.is_image)

    def _open(self, file, worker):
        """Make layers of one whole file, if it is an image; read here, added by the owner."""
        product = file.about["product"]
        kind = kind_of(product)
        if not kind.is_image:
            return
        try:
            extensions = image_extensions(file.path, self._extensions)
            for number, extension in enumerate(extensions):
                data = read_image(file.path, extension)
                data.meta.update(layer_metadata(file.about["observation"], product))
                name = _name_of(extension, extensions)
                # Errors, quality and the like would cover the image that they belong to.
                hidden = kind.hidden or (number > 0 and extension[0] != "SCI")
                worker.call(functools.partial(self._add, data, file, name, hidden))
            self._opened.add(file.uri)
        except Cancelled:
            raise
        except (MastError, ValueError, OSError) as error:
            self._failures.append(f"{file.name} was downloaded, but could not be shown: {error}")

    def _add(self, data, file, extension, hidden):
        taken = jdaviz_api.data_labels(self._app)
        about = file.about
        label = free_label(about["observation"], about["product"], taken, extension)
        try:
            jdaviz_api.add_image(self._app, data, label, visible=not hidden)
        # Whatever jdaviz could not do with it, no half of it stays, and the others go on.
        except Exception as error:  # noqa: BLE001
            jdaviz_api.remove_data(self._app, label)
            raise MastError(f"jdaviz cannot show it ({error})") from error
        (self._hidden if hidden else self.layers).append(label)

    def _align(self):
        try:
            jdaviz_api.align_by_sky(self._app)
        except ValueError as error:
            self._failures.append(f"The images are not aligned on the sky: {error}")

    def _show_progress(self):
        job, files = self.job, self.job.files
        if not files:
            return
        done = sum(f.state == "complete" for f in files)
        parts = [f"{done} of {len(files)} files"]
        if job.bytes_total:
            parts.append(f"{_bytes(job.bytes_done)} of {_bytes(job.bytes_total)}")
        if job.rate:
            parts.append(f"{_bytes(job.rate)}/s")
        if job.eta is not None and job.eta >= 1:
            parts.append(f"{_duration(job.eta)} left")
        text = ", ".join(parts)
        not_images = self._not_images(files)
        if not_images:
            text += f". {_count(not_images.total(), 'file')} will not open as a layer"
            text += f" ({'; '.join(not_images)})"
        percent = 100 * job.bytes_done / job.bytes_total if job.bytes_total else 0.0
        self._on_progress(min(percent, 100.0), text + ".")

    def summary(self):
        """Return what happened: a sentence, a list of notes, and the kind of message."""
        files = self.job.files
        images = len(self.layers) + len(self._hidden)
        whole = [f for f in files if f.state == "complete"]
        others = sum(f.uri not in self._opened for f in whole)
        notes = list(self._failures)
        if self._hidden:
            notes.append(f"Loaded, but not switched on: {', '.join(self._hidden)}.")
        for why, count in self._not_images(whole).items():
            notes.append(f"{_count(count, 'file')}: {why}.")
        if others:
            notes.append(f"All files are in {self._mast.download_dir}.")
        hint = jdaviz_api.image_viewer_hint(self._app)
        if hint and images:
            notes.append(hint)
        if not files:
            level = "" if self._options["all_levels"] else " of level 3"
            return f"These observations have no products{level} of this type.", notes, "info"
        text = f"{_count(images, 'image')} added to the viewer"
        if others:
            text += f", {_count(others, 'other file')} downloaded"
        failed = len(files) - len(whole)
        if failed:
            text += f", {_count(failed, 'file')} failed"
        kind = "success" if not self._failures else ("warning" if whole else "error")
        return text + ".", notes, kind

    def cancelled_summary(self):
        """Return a sentence for a user who stopped it."""
        done = len(self.layers) + len(self._hidden)
        kept = f"{_count(done, 'image')} had been added and stay" if done else "Nothing was added"
        return f"The import was cancelled. {kept}. What is whole is not fetched again."


def _name_of(extension, extensions):
    """Return what to call an extension in a label: nothing where there is only the science."""
    name, version = extension
    if [other for other, _ in extensions].count(name) > 1:
        return f"{name},{version}"
    return "" if name == "SCI" else name


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
