"""What an import will take, in words, reckoned beside the interface."""

from pathlib import Path

from jdaviz_mast.errors import Cancelled
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.words import bytes_in_words, counted
from jdaviz_mast.tray.worker import Worker

__all__ = ["TOTALS_COMPONENT", "Totals", "totals_in_words"]

#: What shows them in a template, as ``<mast-totals>``: see ``components`` of ipyvue's templates.
TOTALS_COMPONENT = {"mast-totals": Path(__file__).with_suffix(".vue").read_text(encoding="utf-8")}


class Totals:
    """Keeps the totals of something up to date; only the newest question is answered.

    Parameters
    ----------
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    forecast : callable
        Called on a worker with products, ``check_cancelled`` and what is in the viewer; returns
        a `~jdaviz_mast.products.Forecast`.
    show : callable
        Called on the owner's thread with what the page shows: a dict of ``files``, ``memory``
        and ``warnings``, empty where there is nothing.
    """

    def __init__(self, owner, forecast, show):
        self._owner, self._forecast, self._show = owner, forecast, show
        self._worker = None

    @property
    def wanted(self):
        """Whether they are shown, or will be."""
        return self._worker is not None

    def reckon(self, find, folder, in_viewer):
        """Reckon anew.

        Parameters
        ----------
        find : callable or None
            Called on a worker with ``check_cancelled``; returns the products. None for nothing.
        folder : path-like
            What the files go to, for a warning.
        in_viewer : mapping
            ``dataURI`` to keys of the parts that are layers already.
        """
        self.forget()
        if find is None:
            return

        def work(worker):
            check = worker.check_cancelled
            return self._forecast(find(check), check, in_viewer)

        self._worker = Worker(
            self._owner,
            work,
            on_done=lambda forecast: self._show(totals_in_words(forecast, folder)),
            on_error=self._failed,
        ).start()

    def forget(self):
        """Show nothing, and wait for nothing."""
        if self._worker is not None:
            self._worker.cancel()
            self._worker = None
        self._show({})

    def _failed(self, error):
        if not isinstance(error, Cancelled):
            self._show({"files": f"The totals are not known: {sentence(error)}"})


def totals_in_words(forecast, folder):
    """Return a `~jdaviz_mast.products.Forecast` as what the page shows of it, a dict."""
    if not forecast.files:
        return {"files": "no files", "memory": "", "warnings": []}
    there = forecast.files - forecast.files_to_fetch
    files = f"{counted(forecast.files, 'file')}, {bytes_in_words(forecast.bytes_total)}"
    if there == forecast.files:
        files += ", all on disk already."
    else:
        if there or forecast.bytes_to_fetch != forecast.bytes_total:
            files += f", {bytes_in_words(forecast.bytes_to_fetch)} of it to fetch"
        files += f"; {bytes_in_words(forecast.disk_free)} free on disk."
    if forecast.unknown_sizes:
        files += f" MAST does not list the size of {counted(forecast.unknown_sizes, 'file')}."
    need, free = forecast.memory, bytes_in_words(forecast.memory_free)
    memory = []
    if need.already:
        is_ = "is" if need.already == 1 else "are"
        memory.append(f"{counted(need.already, 'file')} {is_} in the viewer already.")
    if need.opened:
        noun = "more file" if need.already else "file"
        memory.append(
            f"{counted(need.opened, noun)} will open, with about {bytes_in_words(need.peak)} "
            f"of memory; {free} available."
        )
    if need.left_out:
        is_ = "is" if need.left_out == 1 else "are"
        memory.append(
            f"{need.left_out:,} more {is_} downloaded only: raise “Open at most” (max_images) "
            "to open more."
        )
    memory = " ".join(memory) or "None of it opens here."
    return {"files": files, "memory": memory, "warnings": _warnings(forecast, folder, free)}


def _warnings(forecast, folder, free):
    warnings = []
    if not forecast.fits_disk:
        warnings.append(
            f"There is no room for these files: {bytes_in_words(forecast.bytes_to_fetch)} are to "
            f"be fetched, {bytes_in_words(forecast.disk_free)} are free in {folder}. Choose "
            "fewer, make room, or set jdaviz_mast.conf.download_dir to another folder."
        )
    if not forecast.fits_memory:
        ways = "; or ".join(
            way.what + (f" ({bytes_in_words(way.peak)})" if way.peak is not None else "")
            for way in forecast.alternatives
        )
        warnings.append(
            f"This will probably not fit into the memory: about "
            f"{bytes_in_words(forecast.memory.peak)} are needed, {free} are available. "
            f"Instead: {ways}."
        )
    return warnings
