"""How jdaviz is made to take something, and to forget what it could not take.

With `jdaviz_api` this is all that depends on jdaviz's private side. What is worked around here is
of jdaviz 5.0 and LCviz 2.0.
"""

import functools
import sys

import astropy.units as u
import numpy as np
from glue.config import settings, unit_converter
from glue.core import HubListener, Subset
from glue.core.link_helpers import LinkCollection
from glue.core.message import DataCollectionAddMessage
from glue.viewers.profile.state import ProfileViewerState
from jdaviz.configs.imviz.plugins.viewers import ImvizImageView
from jdaviz.core.events import NewViewerMessage, SnackbarMessage, ViewerAddedMessage
from jdaviz.core.registries import viewer_registry

from jdaviz_mast.errors import MastError
from jdaviz_mast.viewer.catalogs import has_positions
from jdaviz_mast.viewer.jdaviz_api import (
    PART,
    data_labels,
    drop_previews,
    layers,
    remove_data,
)

__all__ = ["add_layer"]

#: jdaviz's name of a kind of viewer to its key in jdaviz's registry.
_VIEWERS = {"1D Spectrum": "spectrum-1d-viewer", "Scatter": "scatter-viewer"}
#: What jdaviz's helpers keep of the cube that they have.
_OF_CUBES = ("_loaded_flux_cube", "_loaded_uncert_cube", "_loaded_mask_cube", "_loaded_dq_cube")


def add_layer(app, content, label, *, format, metadata=None, key="", visible=True):
    """Put something into the application, and show it in viewers that are for it.

    If anything goes wrong, data and viewers are as they were before.

    Parameters
    ----------
    app : jdaviz's private application
    content : object
        What jdaviz's importer of that format takes.
    label : str
        Must be free: a layer of the same label would be replaced.
    format : str
        jdaviz's name of the format, such as ``"1D Spectrum"``.
    metadata : dict, optional
        What the layer, and those that jdaviz derives from it, carry besides what the content
        has.
    key : str
        That of the `~jdaviz_mast.viewer.parts.Part`.
    visible : bool
        Whether the layer is shown at once.

    Returns
    -------
    note : str
        A sentence if jdaviz could not do all of it.

    Raises
    ------
    ValueError
        If the label is taken.
    MastError
        If jdaviz could not open or show it; the message is jdaviz's own.
    """
    if label in data_labels(app):
        raise ValueError(f"label {label!r} is taken")
    if format in ("Light Curve", "TPF"):
        import lcviz  # noqa: F401  # registers its importers, in applications that are open, too
    if "lcviz" in sys.modules:
        settings.UNIT_CONVERTER = _OfEither.name
    attempts = _attempts(app, format)
    for number, extra in enumerate(attempts, 1):
        before, last = _Before(app), number == len(attempts)
        _forget_mouse(app)
        _release_units(app, content, format)
        with _Watch(app, label, metadata or {}, key) as watch:
            try:
                options = _options(app, format, content, label) | {k: new(app) for k, new in extra}
                app._jdaviz_helper._load(
                    content, format=format, data_label=label, ignore_invalid_kwargs=True, **options
                )
                before.restore_of_ramp(app, format)
                _unlink_pixels_of_spectra(app)
                _check_shown(app, label, format, content, watch.errors)
                if not watch.errors or last:
                    break
                before.restore(app)
            # Whatever jdaviz could not do with it, no half of it stays.
            except Exception as error:
                was_added = watch.added
                before.restore(app)
                if last or not was_added:
                    said = str(error)
                    if not isinstance(error, MastError):
                        said = f"jdaviz says: {_first_line(error)}"
                    raise MastError(said) from error
    if not visible:
        for layer in layers(app):
            if layer.layer.label == label:
                layer.visible = False
    elif format == "1D Spectrum":
        _bring_into_view(app, label)
    # A segmentation map may land before the image, and shows nothing that a preview did.
    if format == "Image" and visible:
        drop_previews(app, {**getattr(content, "meta", {}), **(metadata or {})})
    if ("auto_extract", _no) in extra:
        return "jdaviz could not show the spectrum that it extracts, so it was left out"
    return f"jdaviz says: {watch.errors[-1]}" if watch.errors else ""


def _forget_mouse(app):
    """Let jdaviz not read out, while it adds a layer, the pixel that the mouse was over last.

    With a display unit in surface brightness, jdaviz 5.0 cannot read out an image without a solid
    angle, such as a count rate, and what it raises then ends whatever is being added.
    """
    readout = app.session.application._tools.get("g-coords-info")
    if readout is not None:
        readout._x = readout._y = None


def _attempts(app, format):
    """Return what to try in turn, each as pairs of an importer's option and what makes it.

    A spectrum whose unit does not go with that of those that are shown gets a viewer of its own.
    """
    new = functools.partial(_new_viewer, name="1D Spectrum")
    in_app = app.config == "deconfigged"
    if format == "1D Spectrum":
        return [(), (("viewer", new),)] if in_app else [()]
    if format in ("2D Spectrum", "3D Spectrum"):
        own = [(("ext_viewer", new),)] if in_app else []
        return [(), *own, (("auto_extract", _no),)]
    return [()]


def _new_viewer(app, name):
    """Make a viewer of one of jdaviz's kinds; return its label in a list."""
    label = app.return_unique_name(name, typ="viewer")
    kind = viewer_registry.members[_VIEWERS[name]]["cls"]
    app._on_new_viewer(
        NewViewerMessage(kind, data=None, sender=app), vid=label, name=label,
        open_data_menu_if_empty=False,
    )  # fmt: skip
    state = app._viewer_store[label].state
    if isinstance(state, ProfileViewerState):
        viewer = app._viewer_store[label]
        state.add_callback("y_display_unit", functools.partial(_keep_to_own_unit, viewer))
    return [label]


def _keep_to_own_unit(viewer, unit):
    """Do not let a viewer take a unit in which nothing that it has can be shown.

    jdaviz 5.0 gives all viewers of spectra one unit. Where a spectrum cannot be converted to it,
    the values are drawn as they are, and the axis would name a unit that they are not in.
    """
    found = [layer for layer in viewer.layers if layer.visible]
    if unit and found and all(_profile(layer) is None for layer in found):
        attribute = found[0].state.attribute
        viewer.state.y_display_unit = found[0].layer.get_component(attribute).units
        viewer.set_plot_axes()


def _profile(layer):
    """Return x and y of what is drawn, in the viewer's units, or None if that cannot be."""
    try:
        return layer.state.profile
    except u.UnitConversionError:
        return None


def _no(app):
    return False


def _options(app, format, content, label):
    """Return what an importer is told: names of what it derives, all columns of a catalog."""
    if format == "3D Spectrum":
        return {"ext_data_label": f"{label} (sum)", "unc_data_label": f"{label} [UNC]",
                "mask_data_label": f"{label} [MASK]"}  # fmt: skip
    if format == "2D Spectrum":
        return {"ext_data_label": f"{label} (auto-ext)"}
    if format == "Ramp":
        return {"diff_data_label": f"{label} [DIFF]", "ext_data_label": f"{label} (median)"}
    if format == "Catalog":
        return {"col_other": list(content.colnames)} | _viewers_of_catalog(app, content)
    return {}


def _viewers_of_catalog(app, table):
    """Let App mark positions on its images alone, and plot a table without any.

    By default jdaviz puts both into every viewer of images, cubes, tables and plots.
    """
    if app.config != "deconfigged":
        return {}
    if has_positions(table):
        images = _labels_of_viewers(app, ImvizImageView)
        return {"viewer": images} if images else {}
    plots = _labels_of_viewers(app, viewer_registry.members[_VIEWERS["Scatter"]]["cls"])
    return {"viewer": plots or _new_viewer(app, "Scatter")}


def _labels_of_viewers(app, kind):
    viewers = app._jdaviz_helper.viewers.items()
    return [label for label, viewer in viewers if isinstance(viewer._obj.glue_viewer, kind)]


def _check_shown(app, label, format, content, errors):
    """Raise `MastError` if something is not in the application, or in none of its viewers."""
    reason = f"jdaviz says: {errors[-1]}" if errors else "jdaviz did not take it"
    if format == "1D Spectrum" and errors:
        # jdaviz offers its viewers only what can be converted, and does not say why.
        unit = content.flux.unit
        reason = f"its unit, {unit}, may not go with that of the spectra shown; {reason}"
    if label not in data_labels(app):
        raise MastError(reason)
    if app.config == "cubeviz" and format == "Image":
        return  # a person chooses where
    if all(layer.layer.label != label for layer in layers(app)):
        raise MastError(reason if errors else "jdaviz shows it in none of its viewers")


def _bring_into_view(app, label):
    """Let viewers show all that they have, if a spectrum lies outside of what they show.

    jdaviz keeps a viewer's limits, and one of other wavelengths would seem not to be there.
    """
    for viewer in app._viewer_store.values():
        state = viewer.state
        if not isinstance(state, ProfileViewerState):
            continue
        for layer in viewer.layers:
            if layer.layer.label == label and (drawn := _profile(layer)) is not None:
                x, y = drawn
                seen = (x >= min(state.x_min, state.x_max)) & (x <= max(state.x_min, state.x_max))
                seen &= (y >= min(state.y_min, state.y_max)) & (y <= max(state.y_min, state.y_max))
                if not np.any(seen):
                    state.reset_limits()


def _unlink_pixels_of_spectra(app):
    """Link spectra by their wavelengths alone.

    jdaviz 5.0 also takes pixel n of one for pixel n of the other. Of the two ways to a
    wavelength, glue takes one or the other: sometimes a spectrum stands at the wavelengths that the
    pixels of another have.
    """
    collection = app.data_collection
    wrong = [
        link
        for link in collection.external_links
        if isinstance(link, LinkCollection)  # those of catalogs are not
        and all(data.ndim == 1 and data.coords is not None for data in (link.data1, link.data2))
        and link.cids1[0] in link.data1.pixel_component_ids
        and link.cids2[0] in link.data2.pixel_component_ids
    ]
    if wrong:
        with collection.delay_link_manager_update():
            collection.remove_link(wrong)


def _first_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # Where no importer took it, jdaviz lists what each of its resolvers said.
    of_objects = [line.partition("....")[2].lstrip(". ") for line in lines if "object...." in line]
    return (of_objects or lines or [repr(error)])[0]


class _Watch(HubListener):
    """While something is added: gives all that comes its metadata, and keeps what goes wrong."""

    def __init__(self, app, label, metadata, key):
        self._app, self._hub = app, app.hub
        self._label, self._metadata, self._key = label, metadata, key
        self.errors, self.added = [], False

    def __enter__(self):
        # First, so that every other listener finds the metadata there.
        self._hub.subscribe(self, DataCollectionAddMessage, handler=self._added, priority=10**6)
        self._hub.subscribe(self, ViewerAddedMessage, handler=self._viewer_added)
        self._hub.subscribe(self, SnackbarMessage, handler=self._said)
        return self

    def __exit__(self, *_):
        self._hub.unsubscribe_all(self)

    def _added(self, message):
        self.added = True
        meta = message.data.meta
        meta.update(self._metadata)
        meta[PART] = self._key if message.data.label == self._label else None

    def _viewer_added(self, message):
        # Where images are aligned on the sky, jdaviz 5.0 takes every new viewer for one of
        # them, and then fails to find a spectrum's or a ramp's place on the sky.
        viewer = self._app.get_viewer_by_id(message.viewer_id)
        if not isinstance(viewer, ImvizImageView) and hasattr(viewer.state, "linked_by_wcs"):
            viewer.state.linked_by_wcs = False

    def _said(self, message):
        if message.color == "error":
            reasons = message.traceback if isinstance(message.traceback, list) else []
            text = _first_line(message.text)
            self.errors.append(f"{text} ({_first_line(reasons[0])})" if reasons else text)


class _Before:
    """What an application held, to go back to."""

    def __init__(self, app):
        helper = app._jdaviz_helper
        self._labels, self._viewers = set(data_labels(app)), set(app._viewer_store)
        self._kept = {name: getattr(helper, name, None) for name in _OF_CUBES}
        for name, cube in self._kept.items():
            if cube is not None and cube not in app.data_collection:
                # It was removed; jdaviz 5.0 would take the next for it, and show it nowhere.
                self._kept[name] = None
                setattr(helper, name, None)

    def restore(self, app):
        helper = app._jdaviz_helper
        for name, value in self._kept.items():
            setattr(helper, name, value)
        if hasattr(helper, "_in_batch_load"):
            helper._in_batch_load = 0
            helper.pending_set_data_visibility = []
        for label in data_labels(app):
            if label not in self._labels:
                remove_data(app, label)
        for name, viewer in list(app._viewer_store.items()):
            if name not in self._viewers:
                app.vue_destroy_viewer_item(name)
                # jdaviz 5.0 leaves these behind, and would find them for a viewer of that name.
                for item in [item for item in app.state.viewer_items if item["id"] == name]:
                    app.state.viewer_items.remove(item)
                if viewer in app.session.application.viewers:
                    app.session.application.viewers.remove(viewer)

    def restore_of_ramp(self, app, format):
        """Let a cube be loaded after a ramp, which jdaviz takes down as the one cube it has."""
        if app.config == "deconfigged" and format == "Ramp":
            app._jdaviz_helper._loaded_flux_cube = self._kept["_loaded_flux_cube"]


def _release_units(app, content, format):
    """Let App take its display units from what comes, if those it has do not go with it.

    jdaviz 5.0 settles on the units of what comes first, be they counts, and on square pixels
    where that has no solid angle in its unit (a count rate, a segmentation map), and then fails
    to show anything in MJy/sr. What is in neither is not converted, so nothing is lost when
    the choice is made anew.
    """
    if app.config != "deconfigged":
        return
    conversion = app.get_tray_item_from_name("g-unit-conversion")
    if format == "Image":
        units = {u.Unit(content.get_component(c).units or "") for c in content.main_components}
    elif format in ("1D Spectrum", "2D Spectrum", "3D Spectrum"):
        units = {content.flux.unit}
        flux = conversion.flux_unit_selected
        if flux and not u.Unit(flux).is_equivalent(u.Jy, u.spectral_density(1 * u.um)):
            _forget_units(conversion)
    else:
        return
    in_brightness = any(unit.physical_type == "surface brightness" for unit in units)
    if in_brightness and conversion.angle_unit_selected in ("pix2", "pix^2"):
        _forget_units(conversion)


def _forget_units(conversion):
    conversion.angle_unit.choices = []
    conversion.angle_unit_selected = ""
    conversion.flux_unit_selected = ""
    conversion.sb_unit_selected = ""


@unit_converter("jdaviz-mast")
class _OfEither:
    """LCviz's conversion of units for its data, jdaviz's for all other.

    LCviz puts its own in the place of jdaviz's for the whole process when it is imported, and
    then spectra cannot be shown in other units than their own.
    """

    name = "jdaviz-mast"

    def equivalent_units(self, data, cid, units):
        return self._of(data).equivalent_units(data, cid, units)

    def to_unit(self, data, cid, values, original_units, target_units):
        return self._of(data).to_unit(data, cid, values, original_units, target_units)

    def _of(self, data):
        data = data.data if isinstance(data, Subset) else data
        whose = "custom-lcviz" if "reference_time" in data.meta else "custom-jdaviz"
        return unit_converter.members[whose]()
