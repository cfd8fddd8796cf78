"""The MAST Import tray: what a person sees and what a notebook calls."""

from jdaviz.core.registries import tray_registry
from jdaviz.core.template_mixin import SelectPluginComponent
from jdaviz.core.user_api import PluginUserApi
from traitlets import Any, Bool, Int, List, Unicode, observe

from jdaviz_mast.errors import Cancelled, MastError
from jdaviz_mast.tray.form import MISSION_CHOICES, SEARCHES, UNITS, SearchForm, sentence
from jdaviz_mast.tray.import_side import ImportSide
from jdaviz_mast.tray.look import FieldSearch
from jdaviz_mast.tray.observation_table import ObservationTable, RowAction
from jdaviz_mast.tray.preview_panel import PreviewPanel
from jdaviz_mast.tray.sky_panel import SkyPanel
from jdaviz_mast.tray.worker import Worker
from jdaviz_mast.viewer import jdaviz_api

__all__ = ["MastImport"]


@tray_registry(jdaviz_api.REGISTRY_NAME, label=jdaviz_api.LABEL, category="app:options")
class MastImport(ImportSide):
    """Search the MAST archive and import what it holds as layers.

    Python calls wait for the end and return what they made; buttons do not wait.

    Attributes
    ----------
    search_by : select
        ``Target name``, ``Coordinates``, ``Observation ID`` or ``Program ID``.
    target : str
    ra, dec : float or str
        ICRS, degrees or sexagesimal.
    radius : float
        In ``radius_unit``: deg, arcmin or arcsec.
    observation_id, program_id : str
        Several with commas.
    mission : select
    extensions : list of str
        Names of the image extensions that become layers, ``SCI`` alone by default.
    max_images : int
        Files of one import that are opened at the most; jdaviz becomes slow with many layers.
    all_levels : bool
        All calibration levels instead of level 3 only, in what is shown and imported.
    footprints : bool
        Whether the footprints of the rows are drawn on the images.
    observations : table
        What the last search found; ``select_rows``, ``export_table`` and so on.
    jobs : list of `~jdaviz_mast.ImportJob`
        Imports into the download folder, those of earlier sessions too, oldest first.
    """

    template_file = __file__, "mast_import.vue"

    search_by_items = List().tag(sync=True)
    search_by_selected = Unicode().tag(sync=True)
    target = Unicode("").tag(sync=True)
    ra = Any("").tag(sync=True)
    dec = Any("").tag(sync=True)
    radius = Any(0.1).tag(sync=True)
    radius_unit_items = List().tag(sync=True)
    radius_unit_selected = Unicode().tag(sync=True)
    observation_id = Unicode("").tag(sync=True)
    program_id = Any("").tag(sync=True)
    mission_items = List().tag(sync=True)
    mission_selected = Unicode().tag(sync=True)
    all_levels = Bool(False).tag(sync=True)

    searching = Bool(False).tag(sync=True)
    search_message = Unicode("").tag(sync=True)
    search_message_type = Unicode("info").tag(sync=True)
    table_widget = Unicode().tag(sync=True)
    sky_widget = Unicode().tag(sync=True)
    preview_widget = Unicode().tag(sync=True)
    n_rows = Int(0).tag(sync=True)
    results_of = Unicode("").tag(sync=True)  # the search that the rows are of
    n_selected = Int(0).tag(sync=True)
    selection_note = Unicode("").tag(sync=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._plugin_description = "Search the MAST archive and import its images as layers."
        self.docs_description = (
            "Search the MAST archive (JWST, HST, TESS, Kepler) and import its images as layers."
        )
        self.docs_link = "https://mast.stsci.edu"
        self.search_by = SelectPluginComponent(
            self,
            items="search_by_items",
            selected="search_by_selected",
            manual_options=list(SEARCHES),
        )
        self.radius_unit = SelectPluginComponent(
            self,
            items="radius_unit_items",
            selected="radius_unit_selected",
            manual_options=list(UNITS),
        )
        self.mission = SelectPluginComponent(
            self,
            items="mission_items",
            selected="mission_selected",
            manual_options=list(MISSION_CHOICES),
        )
        self.observations = ObservationTable(
            self, on_selection=self._selection_changed, on_import=self._import_row
        )
        self.table_widget = "IPY_MODEL_" + self.observations.model_id
        self.sky = SkyPanel(self._app, self.observations, on_look=self._look_from_page)
        self.sky_widget = "IPY_MODEL_" + self.sky.model_id
        self.preview_panel = PreviewPanel(self._app, self._owner, self.mast)
        self.preview_widget = "IPY_MODEL_" + self.preview_panel.model_id
        self.observations.add_action(
            RowAction("preview", "Preview", "mdi-image-search", self._preview_row)
        )
        self._search_worker = None

    @property
    def user_api(self):
        """What a notebook may use."""
        return PluginUserApi(
            self,
            expose=(
                "search_by", "target", "ra", "dec", "radius", "radius_unit", "observation_id",
                "program_id", "mission", "all_levels", "search", "observations",
                "extensions", "max_images", "import_selected", "import_observation",
                "import_existing", "cancel", "resume", "remove",
                "footprints", "search_where_i_look", "preview", "place_preview",
            ),
            readonly=("jobs",),
        )  # fmt: skip

    # Search

    def search(self):
        """Ask the archive, show what it holds, and return it.

        Returns
        -------
        observations : `~astropy.table.Table`
            MAST's own columns.

        Raises
        ------
        jdaviz_mast.errors.MastError
            The kind says what went wrong; the tray shows the same sentence.
        """
        return self._start_search().wait()

    @property
    def footprints(self):
        """Whether the footprints of the rows are drawn on the images."""
        return self.sky.footprints

    @footprints.setter
    def footprints(self, drawn):
        self.sky.footprints = drawn

    def search_where_i_look(self, viewer=None):
        """Search the field that a viewer shows; mission and levels are those of the tray.

        Parameters
        ----------
        viewer : str, optional
            Name of an image viewer; by default the one chosen in the tray, or else the first.

        Returns
        -------
        observations : `~astropy.table.Table`
            See `jdaviz_mast.Mast.search_region`.

        Raises
        ------
        InvalidInput
            If no viewer shows the sky, or it shows too much of it.
        jdaviz_mast.errors.MastError
        """
        return self._start_look(viewer).wait()

    def preview(self, observation_id):
        """Show what an observation looks like, before its files are fetched, and return it.

        Parameters
        ----------
        observation_id : str
            MAST's ``obs_id``.

        Returns
        -------
        preview : `~jdaviz_mast.preview.Preview`
            A notebook shows it.

        Raises
        ------
        ObservationNotFound
            If there is no such observation, or no preview of it.
        jdaviz_mast.errors.MastError
        """
        return self.preview_panel.start(observation_id, str(observation_id)).wait()

    def place_preview(self, observation_id):
        """Put the preview of an observation on the sky, as a layer; return its label.

        When a file of the observation is imported, it takes the layer's place.

        Raises
        ------
        InvalidInput
            If it is not known how the preview lies on the sky.
        jdaviz_mast.errors.MastError
            As `preview` does.
        """
        self.preview(observation_id)
        return self.preview_panel.place()

    def cancel_search(self):
        """Stop the search that is running, if any."""
        if self._search_worker is not None:
            self._search_worker.cancel()

    def _start_search(self):
        self.cancel_search()
        form, mast = self._form(), self.mast
        self.searching = True
        self.search_message = ""
        if not self.importing:
            self.import_message = ""
        self._search_worker = Worker(
            self._owner,
            lambda worker: mast.search(**form.arguments(), check_cancelled=worker.check_cancelled),
            on_done=lambda observations: self._show_observations(observations, form),
            on_error=self._search_failed,
        ).start()
        return self._search_worker

    def _start_look(self, viewer=None):
        mission = self.mission_selected
        search = FieldSearch(
            *self.sky.field(viewer),
            mission=None if mission == MISSION_CHOICES[0] else mission,
            all_levels=self.all_levels,
        )
        self.cancel_search()
        mast = self.mast
        self.searching = True
        self.search_message = ""
        self._search_worker = Worker(
            self._owner,
            lambda worker: mast.search_region(
                **search.arguments(), check_cancelled=worker.check_cancelled
            ),
            on_done=lambda observations: self._show_overlapping(observations, search),
            on_error=self._search_failed,
        ).start()
        return self._search_worker

    def _show_overlapping(self, observations, search):
        self.preview_panel.close()
        self.observations.show(observations)
        self.n_rows, self.results_of = len(observations), search.in_words()
        self.searching = False
        kind = "success" if self.n_rows else "info"
        self._say("search", search.found(observations), kind)

    def _preview_row(self, index):
        row = self.observations.row(index)
        self.preview_panel.start(row, str(row["obs_id"][0]))

    def _look_from_page(self):
        try:
            self._start_look()
        except MastError as error:
            self._say("search", sentence(error), "error")

    @observe("searching")
    def _search_began_or_ended(self, _):
        self.sky.searching = self.searching

    def _form(self):
        """Take down what the fields say now."""
        subjects = (self.target, (self.ra, self.dec), self.observation_id, self.program_id)
        return SearchForm(
            by=self.search_by_selected,
            subject=dict(zip(SEARCHES, subjects, strict=True))[self.search_by_selected],
            radius=self.radius,
            unit=self.radius_unit_selected,
            mission=self.mission_selected,
            all_levels=self.all_levels,
        )

    def _show_observations(self, observations, form):
        self.preview_panel.close()
        self.observations.show(observations)
        self.n_rows, self.results_of = len(observations), form.in_words()
        self.searching = False
        self._say("search", form.found(self.n_rows), "success" if self.n_rows else "info")

    def _search_failed(self, error):
        self.searching = False
        if isinstance(error, Cancelled):
            self._say("search", "The search was cancelled.")
        else:
            self._say("search", sentence(error), "error")

    def _selection_changed(self):
        self.sky.table_changed()
        self.n_selected = self.observations.n_selected
        self.selection_note = " ".join(
            f"{count} of the selected: {kind.why_not()}. Downloaded, but not shown here."
            for kind, count in self.observations.selected_kinds().items()
            if not kind.is_image
        )
        if self.observations.n_selected_unseen:
            unseen = f"{self.observations.n_selected_unseen:,} of the selected rows"
            self.selection_note += f" The filter hides {unseen}; they are imported, too."

    @observe("vdocs")
    def _update_docs_link(self, *_):
        """Keep our own link: jdaviz would put its documentation's in."""

    # From the page

    def vue_search(self, *_):
        """Search, without waiting."""
        self._start_search()

    def vue_cancel_search(self, *_):
        """Stop the search."""
        self.cancel_search()
