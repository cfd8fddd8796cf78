"""The part of the tray that looks at the sky: footprints, the field of a viewer, previews."""

from traitlets import Unicode, observe

from jdaviz_mast.archive import META
from jdaviz_mast.errors import MastError
from jdaviz_mast.tray.form import MISSION_CHOICES, filter_arguments
from jdaviz_mast.tray.look import FieldSearch
from jdaviz_mast.tray.observation_table import RowAction
from jdaviz_mast.tray.preview_panel import PreviewPanel
from jdaviz_mast.tray.search_side import SearchSide
from jdaviz_mast.tray.sky_panel import SkyPanel
from jdaviz_mast.tray.thumbnails import Thumbnails
from jdaviz_mast.tray.worker import Worker

__all__ = ["SkySide"]


class SkySide(SearchSide):
    """Draws footprints, searches the field that a viewer shows, and shows previews."""

    sky_widget = Unicode().tag(sync=True)
    preview_widget = Unicode().tag(sync=True)

    def _offer_sky(self):
        """Make what is beside the table of observations, which is there by now."""
        self.sky = SkyPanel(self._app, self.observations, on_look=self._look_from_page)
        self.sky_widget = "IPY_MODEL_" + self.sky.model_id
        self.preview_panel = PreviewPanel(self._app, self._owner, self.mast)
        self.preview_widget = "IPY_MODEL_" + self.preview_panel.model_id
        self._thumbnails = Thumbnails(self.observations, self._owner, self.mast)
        self.observations.add_action(
            RowAction("preview", "Preview", "mdi-image-search", self._preview_row)
        )

    @property
    def footprints(self):
        """Whether the footprints of the rows are drawn on the images."""
        return self.sky.footprints

    @footprints.setter
    def footprints(self, drawn):
        self.sky.footprints = drawn

    def search_where_i_look(self, viewer=None):
        """Search the field that a viewer shows; mission, filters and levels are those of the tray.

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

    def _start_look(self, viewer=None):
        mission = self.mission_selected
        search = FieldSearch(
            *self.sky.field(viewer),
            mission=None if mission == MISSION_CHOICES[0] else mission,
            all_levels=self.all_levels,
            filters=filter_arguments(self.more_filters.fields),
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
        self._show_rows(observations, search.in_words())
        self._forget_rest()
        self.search_notes = list(observations.meta[META]["notes"])
        kind = "success" if self.n_rows else "info"
        self._say("search", search.found(observations), kind)

    def _show_rows(self, observations, of):
        self.preview_panel.close()
        super()._show_rows(observations, of)

    def _import_ended(self, *outcome):
        super()._import_ended(*outcome)
        self.preview_panel.layers_changed()

    def _preview_row(self, index):
        row = self.observations.row(index)
        self.preview_panel.start(row, str(row["obs_id"][0]))

    def _look_from_page(self):
        try:
            self._start_look()
        except MastError as error:
            self._search_failed(error)

    @observe("searching")
    def _search_began_or_ended(self, _):
        self.sky.searching = self.searching
