"""The sky's part of the tray: footprints of the rows on the images, and the field they show."""

import numpy as np
from ipyvuetify import VuetifyTemplate
from traitlets import Bool, List, Unicode, observe

from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.sky import footprints_of
from jdaviz_mast.viewer.footprints import FootprintMarks
from jdaviz_mast.viewer.sky_view import SkyView, sky_views

__all__ = ["MOST_FOOTPRINTS", "SkyPanel"]

#: Rows whose footprints are drawn at the most: more of them hide the image.
MOST_FOOTPRINTS = 300


class SkyPanel(VuetifyTemplate):
    """A switch that draws the rows' footprints, and a button to search the field that is shown.

    Parameters
    ----------
    app : jdaviz's private application
    table : `~jdaviz_mast.tray.observation_table.ObservationTable`
    on_look : callable
        Called with nothing when the button was pressed; must not wait.
    """

    template_file = __file__, "sky_panel.vue"

    footprints = Bool(False).tag(sync=True)
    has_rows = Bool(False).tag(sync=True)
    viewers = List(Unicode()).tag(sync=True)  # that show a part of the sky
    viewer = Unicode("").tag(sync=True)  # whose field is searched
    note = Unicode("").tag(sync=True)
    searching = Bool(False).tag(sync=True)

    def __init__(self, app, table, on_look):
        super().__init__()
        self._app, self._table, self._on_look = app, table, on_look
        self._rows = self._shapes = None  # the rows that `_shapes` are of
        self._last_click = None
        self._marks = FootprintMarks(app, self._clicked, self._viewers_changed)
        self._viewers_changed()

    def table_changed(self):
        """Draw what the table holds now: other rows, another filter, another selection."""
        self.has_rows = len(self._table) > 0
        if not self.footprints or not self.has_rows:
            self._marks.show(None, ())
            self.note = ""
            return
        rows = self._table.matching_indices[:MOST_FOOTPRINTS]
        # What is selected is drawn, wherever in the table it stands.
        rows = list(dict.fromkeys([*rows, *self._table.selected_indices[:MOST_FOOTPRINTS]]))
        of = (self._table.observations, rows)
        if self._rows is None or of[0] is not self._rows[0] or rows != self._rows[1]:
            self._rows, self._shapes = of, self._read(rows)
        self._marks.show(self._shapes, self._table.selected_indices)
        self._say(rows)

    def field(self, viewer=None):
        """Return the part of the sky that a viewer shows, and the name of the viewer.

        Parameters
        ----------
        viewer : str, optional
            By default the one that is chosen, or else the first.

        Returns
        -------
        field : `~jdaviz_mast.sky.Footprint`
        viewer : str

        Raises
        ------
        InvalidInput
            If there is no such viewer, or it does not show the sky.
        """
        views = sky_views(self._app)
        if not views:
            allowed = "show an image with sky coordinates first"
            raise InvalidInput("viewer", viewer or "no viewer", allowed)
        name = viewer or (self.viewer if self.viewer in views else next(iter(views)))
        if name not in views:
            raise InvalidInput("viewer", viewer, f"choose from {', '.join(views)}")
        return SkyView(views[name]).field(), name

    @observe("footprints")
    def _switched(self, _):
        self.table_changed()

    def _read(self, rows):
        table = self._table.observations
        if "s_region" not in table.colnames:
            return {}
        shapes = footprints_of(table["s_region"][np.array(rows, dtype=int)]) if rows else []
        return {row: shape for row, shape in zip(rows, shapes, strict=True) if shape is not None}

    def _say(self, rows):
        missing, more = len(rows) - len(self._shapes), self._table.matching - MOST_FOOTPRINTS
        notes = []
        if not self.viewers:
            notes.append("They are drawn as soon as an image with sky coordinates is shown.")
        if more > 0:
            notes.append(f"Of the first {MOST_FOOTPRINTS} rows; filter the rows to see others.")
        if missing:
            of = "1 row has" if missing == 1 else f"{missing} rows have"
            notes.append(f"{of} no footprint.")
        self.note = " ".join(notes)

    def _viewers_changed(self):
        self.viewers = list(sky_views(self._app))
        if self.viewer not in self.viewers:
            self.viewer = self.viewers[0] if self.viewers else ""
        if self.footprints and self._shapes is not None and self.has_rows:
            self._say(self._rows[1])

    def _clicked(self, rows):
        """Select the next of the rows under a click, in place of the one clicked before."""
        selected = self._table.selected_indices
        here = self._last_click if self._last_click in selected else None
        # What was ticked by hand stays.
        by_hand = [index for index in selected if index != here]
        free = [row for row in rows if row not in by_hand]
        if not free:
            self._table.reveal(rows[0])
            return
        place = free.index(here) + 1 if here in free else 0
        row = self._last_click = free[place % len(free)]
        with self._table.by_the_page():
            self._table.select_rows([*by_hand, row])
        self._table.reveal(row)

    # From the page

    def vue_look(self, _=None):
        """Search the field that is shown, without waiting."""
        self._on_look()
