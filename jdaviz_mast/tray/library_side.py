"""The part of the tray that goes back to what is on disk already."""

from traitlets import Unicode

from jdaviz_mast.errors import Cancelled, FileProblem, InvalidInput, MastError
from jdaviz_mast.products import kind_of
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.import_side import ImportSide
from jdaviz_mast.tray.library_panel import LibraryPanel, product_of
from jdaviz_mast.tray.words import counted, some_of
from jdaviz_mast.tray.worker import Worker
from jdaviz_mast.viewer.opening import open_product

__all__ = ["LibrarySide"]


class LibrarySide(ImportSide):
    """Shows the library, and loads files of it without the network."""

    library_widget = Unicode().tag(sync=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.library_panel = LibraryPanel(
            self._app, self.mast, self._owner,
            on_load=self._load_from_page, on_removed=self._disk_changed,
        )  # fmt: skip
        self.library_widget = "IPY_MODEL_" + self.library_panel.model_id

    @property
    def library(self):
        """What was fetched into the download folder, a `~jdaviz_mast.library.Library`."""
        return self.mast.library

    def load_from_library(self, uri):
        """Open a file of the library, without the network.

        Parameters
        ----------
        uri : str
            The archive's name for it (``dataURI``), its path, or its file name.

        Returns
        -------
        labels : list of str
            Of the layers that it became; empty if all of it is in the viewer already.

        Raises
        ------
        InvalidInput
            If the library has no such file.
        NotViewable
            If it does not open in this application.
        jdaviz_mast.errors.MastError
            If it cannot be read.
        """
        opened = self._start_load(str(uri)).wait()
        return [*opened.layers, *opened.hidden_layers]

    def _start_load(self, uri):
        extensions = tuple(self._layer_options()["extensions"])
        panel = self.library_panel
        panel.say("")
        panel.loading = uri
        return Worker(
            self._owner,
            lambda worker: self._load(worker, uri, extensions),
            on_done=lambda opened: self._loaded(opened, uri),
            on_error=lambda error: self._not_loaded(error, uri),
        ).start()

    def _load(self, worker, uri, extensions):
        """Read the file, and have the owner add it; runs on a worker."""
        library = self.mast.open_library(synchronize=False)
        file = library.file(uri)
        if file is None or not file.path.exists():
            library.synchronize(worker.check_cancelled)
            file = library.file(uri)
        if file is None and library.file(uri, gone=True) is not None:
            raise FileProblem("The file is no longer in the download folder; import it again.")
        if file is None:
            allowed = f"choose a file of the library of {library.folder}"
            raise InvalidInput("uri", uri, allowed)
        product = product_of(file)
        return open_product(
            self._app, file.path, kind_of(product),
            {"product": product, "observation": file.observation}, uri=file.uri,
            extensions=extensions, call=worker.call, turn=self._imports.turn,
        )  # fmt: skip

    def _loaded(self, opened, uri):
        self.library_panel.loading = ""
        self.library_panel.data_changed()
        labels = [*opened.layers, *opened.hidden_layers]
        text = f"{counted(len(labels), 'layer')} loaded: {some_of(labels)}."
        if not labels:
            text = "It is in the viewer already."
        self.library_panel.say(" ".join([text, *opened.notes]), "success", uri)

    def _not_loaded(self, error, uri):
        self.library_panel.loading = ""
        if not isinstance(error, Cancelled):
            self.library_panel.say(sentence(error), "error", uri)

    def _load_from_page(self, key):
        try:
            self._start_load(key)
        except MastError as error:
            self._not_loaded(error, key)

    def _updates_known(self, updates):
        super()._updates_known(updates)
        self.library_panel.show_updates(updates)

    def _disk_changed(self):
        super()._disk_changed()
        self.library_panel.refresh()
