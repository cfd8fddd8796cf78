"""Footprints drawn on the image viewers: those of the rows, the selected ones on top."""

import bqplot
import numpy as np
import shapely

from jdaviz_mast.sky import planar
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.sky_view import SkyView, sky_views

__all__ = ["FootprintMarks"]

# Seen on a dark and on a bright image, and by the colour-blind.
_COLOR, _SELECTED_COLOR = "#5fc9f8", "#ff9a3c"
#: How near to an edge a click is one on it, as a part of the width of the view.
_NEAR = 0.01


class FootprintMarks:
    """Draws footprints and tells which of them are under a click.

    All footprints of a viewer are two marks, so that some hundreds of them stay quick. They are
    drawn in pixels of what the viewer is aligned to, and drawn anew when that changes.

    Parameters
    ----------
    app : jdaviz's private application
    on_click : callable
        Called with the keys of the footprints under a click, the smallest first.
    on_change : callable
        Called with nothing when the viewers have changed.
    """

    def __init__(self, app, on_click, on_change):
        self._app, self._on_click, self._on_change = app, on_click, on_change
        self._footprints, self._selected = {}, ()
        self._drawn = {}  # name of the viewer → _Drawing
        jdaviz_api.watch_viewers(app, self, self._viewers_changed)

    def show(self, footprints, selected):
        """Draw footprints instead of those that are drawn.

        Parameters
        ----------
        footprints : dict of key to `~jdaviz_mast.sky.Footprint`
            None removes all.
        selected : collection of keys
        """
        self._footprints, self._selected = footprints or {}, tuple(selected)
        self._draw()

    @property
    def viewers(self):
        """Names of the viewers that have footprints."""
        return list(self._drawn)

    def _viewers_changed(self, _=None):
        self._draw()
        self._on_change()

    def _draw(self):
        viewers = sky_views(self._app) if self._footprints else {}
        for name in [name for name in self._drawn if name not in viewers]:
            self._drawn.pop(name).remove()
        for name, viewer in viewers.items():
            drawing = self._drawn.get(name)
            if drawing is None or drawing.viewer is not viewer:
                drawing = self._drawn[name] = _Drawing(viewer, self._on_click)
            drawing.update(self._footprints, self._selected)


class _Drawing:
    """The marks of one viewer."""

    def __init__(self, viewer, on_click):
        self.viewer, self._on_click = viewer, on_click
        nothing = {"x": [0.0], "y": [0.0], "scales": viewer.scales, "close_path": True}
        self._others = bqplot.Lines(colors=[_COLOR], stroke_width=1.5, visible=False, **nothing)
        self._selected = bqplot.Lines(
            colors=[_SELECTED_COLOR], stroke_width=3, visible=False, **nothing
        )
        self._outlines, self._of = {}, None
        jdaviz_api.add_marks(viewer, [self._others, self._selected])
        viewer.add_event_callback(self._clicked, events=["click"])

    def remove(self):
        """Take the marks out of the viewer."""
        self.viewer.remove_event_callback(self._clicked)
        jdaviz_api.remove_marks(self.viewer, [self._others, self._selected])

    def update(self, footprints, selected):
        """Bring what is drawn up to date."""
        # The outlines of a selection that changes are there already.
        of = (footprints, jdaviz_api.sky_coordinates(self.viewer))
        if self._of is None or any(a is not b for a, b in zip(of, self._of, strict=True)):
            self._outlines = SkyView(self.viewer).outlines(footprints)
            self._of = of
        chosen = set(selected)
        _put(self._others, [o for key, o in self._outlines.items() if key not in chosen])
        _put(self._selected, [o for key, o in self._outlines.items() if key in chosen])

    def _clicked(self, event):
        point = event.get("domain") or {}
        if "x" not in point or "y" not in point:
            return
        left, right, _, _ = jdaviz_api.limits(self.viewer)
        spot = shapely.Point(point["x"], point["y"]).buffer(_NEAR * abs(right - left))
        under = []
        for key, outlines in self._outlines.items():
            if not any(shapely.LineString(o.T).envelope.intersects(spot) for o in outlines):
                continue  # most of them
            shapes = [shape for outline in outlines for shape in planar.polygons(outline.T)]
            if any(shape.intersects(spot) for shape in shapes):
                under.append((sum(shape.area for shape in shapes), key))
        if under:
            # Almost equal sizes stay in the order of the rows.
            under.sort(key=lambda pair: round(np.log(max(pair[0], 1e-12)), 2))
            self._on_click([key for _, key in under])


def _put(mark, outlines):
    """Give a mark its lines: arrays of one length, the shorter ones end where they are."""
    rings = [ring for several in outlines for ring in several]
    longest = max((ring.shape[1] for ring in rings), default=0)
    padded = [np.pad(ring, ((0, 0), (0, longest - ring.shape[1])), "edge") for ring in rings]
    with mark.hold_sync():
        mark.visible = bool(rings)
        if rings:
            mark.x = np.array([ring[0] for ring in padded])
            mark.y = np.array([ring[1] for ring in padded])
