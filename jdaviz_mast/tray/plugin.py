"""The MAST Import tray: what a person sees and what a notebook calls."""

from jdaviz.core.registries import tray_registry
from jdaviz.core.template_mixin import SelectPluginComponent
from jdaviz.core.user_api import PluginUserApi
from traitlets import Int, List, Unicode, observe

from jdaviz_mast.tray.colour_side import ColourSide
from jdaviz_mast.tray.form import MISSION_CHOICES, SEARCHES, UNITS
from jdaviz_mast.tray.ladder_side import LadderSide
from jdaviz_mast.tray.library_side import LibrarySide
from jdaviz_mast.tray.observation_table import ObservationTable
from jdaviz_mast.tray.origin_side import OriginSide
from jdaviz_mast.tray.sky_side import SkySide
from jdaviz_mast.tray.trail_side import TrailSide
from jdaviz_mast.viewer import jdaviz_api

__all__ = ["MastImport"]


@tray_registry(jdaviz_api.REGISTRY_NAME, label=jdaviz_api.LABEL, category="app:options")
class MastImport(OriginSide, LibrarySide, SkySide, ColourSide, LadderSide, TrailSide):
    """Search the MAST archive and import what it holds as layers.

    Python calls wait for the end and return what they made; buttons do not wait.

    Attributes
    ----------
    search_by : select
        ``Target name``, ``Coordinates``, ``Observation ID``, ``Program ID`` or ``DOI or data set``.
    target : str
        Several with commas or semicolons.
    ra, dec : float or str
        ICRS, degrees or sexagesimal.
    radius : float
        In ``radius_unit``: deg, arcmin or arcsec.
    observation_id, program_id, dataset : str
        Several with commas.
    mission : select
    more_filters : object
        Fields of the fold “More filters”: ``instrument``, ``wavelength_from`` and so on.
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
    products : table
        The products of what was unfolded, see `choose_products`; with ``kinds``, ``levels``,
        ``suffixes``, ``types``, ``recommended`` and ``clutter`` to choose from them.
    basket
        Products of several searches: ``add``, ``remove``, ``clear``, ``products``,
        ``forecast``, ``import_``.
    jobs : list of `~jdaviz_mast.ImportJob`
        Imports into the download folder, those of earlier sessions too, oldest first.

    Notes
    -----
    ``library`` is the `~jdaviz_mast.library.Library` of the download folder; `load_from_library`
    opens a file of it.
    """

    template_file = __file__, "mast_import.vue"

    search_by_items = List().tag(sync=True)
    search_by_selected = Unicode().tag(sync=True)
    radius_unit_items = List().tag(sync=True)
    radius_unit_selected = Unicode().tag(sync=True)
    mission_items = List().tag(sync=True)
    mission_selected = Unicode().tag(sync=True)

    table_widget = Unicode().tag(sync=True)
    n_selected = Int(0).tag(sync=True)
    selection_note = Unicode("").tag(sync=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._plugin_description = "Search the MAST archive and open what it holds."
        self.docs_description = (
            "Search the MAST archive (JWST, HST, TESS, Kepler) and open what it holds as layers."
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
            self,
            on_selection=self._selection_changed,
            on_import=self._import_row,
            on_unfold=self._unfold_row,
        )
        self.observations.observe(self._paged, "options")
        self.table_widget = "IPY_MODEL_" + self.observations.model_id
        self._offer_sky()
        self._offer_choosing()

    @property
    def user_api(self):
        """What a notebook may use."""
        return PluginUserApi(
            self,
            expose=(
                "search_by", "target", "ra", "dec", "radius", "radius_unit", "observation_id",
                "program_id", "dataset", "mission", "more_filters", "all_levels", "search",
                "fetch_more", "observations",
                "extensions", "max_images", "import_selected", "import_observation",
                "import_existing", "cancel", "resume", "remove",
                "products", "choose_products", "import_products", "basket", "forecast",
                "ladder", "colour_set", "undo_colours",
                "refresh_metadata", "fetch_new_version", "provenance", "citations",
                "manifest", "replay", "as_notebook_cell", "curl_script",
                "footprints", "search_where_i_look", "preview", "place_preview",
                "load_from_library",
            ),
            readonly=("jobs", "library"),
        )  # fmt: skip

    def _show_rows(self, observations, of):
        self._forget_products()
        super()._show_rows(observations, of)

    def _selection_changed(self):
        self.sky.table_changed()
        self.n_selected = self.observations.n_selected
        self.selection_note = " ".join(
            f"{count} of the selected: {kind.why_not(self._app.config)}. "
            "Downloaded, but not shown here."
            for kind, count in self.observations.selected_kinds().items()
            if not kind.opens_in(self._app.config)
        )
        if self.observations.n_selected_unseen:
            unseen = f"{self.observations.n_selected_unseen:,} of the selected rows"
            self.selection_note += f" The filter hides {unseen}; they are imported, too."
        self._reckon_selection()

    @observe("vdocs")
    def _update_docs_link(self, *_):
        """Keep our own link: jdaviz would put its documentation's in."""
