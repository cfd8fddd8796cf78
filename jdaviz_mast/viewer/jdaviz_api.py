"""All that depends on jdaviz's private side, in one place: it changes with each release.

jdaviz 5.1 brings Vue 3 and 5.2 drops Imviz and Cubeviz; what breaks then breaks here.
"""

import functools
import warnings

import astropy.units as u
from glue.core import HubListener
from glue.core.message import DataCollectionAddMessage
from jdaviz.app import PrivateApplication
from jdaviz.configs.imviz.plugins.viewers import ImvizImageView
from jdaviz.core.events import SnackbarMessage, ViewerAddedMessage
from jdaviz.core.registries import tray_registry
from jdaviz.core.template_mixin import PluginTemplateMixin

from jdaviz_mast.errors import MastError
from jdaviz_mast.viewer.owner_thread import OwnerThread

__all__ = [
    "TrayPlugin",
    "add_image",
    "add_layer",
    "align_by_sky",
    "data_labels",
    "enable",
    "has_part",
    "image_viewer_hint",
    "install",
    "open_tray",
    "remove_data",
]

#: Key of a layer's metadata that tells which part of its file it is; None: derived from one.
_PART = "_mast_part"
#: What jdaviz's helpers keep of the cube that they have.
_OF_CUBES = ("_loaded_flux_cube", "_loaded_uncert_cube", "_loaded_mask_cube", "_loaded_dq_cube")

REGISTRY_NAME = "mast-import"
LABEL = "MAST Import"

#: Configurations (jdaviz's word for its applications) that can hold some product.
CONFIGURATIONS = ("deconfigged", "imviz", "cubeviz", "specviz", "specviz2d", "rampviz", "lcviz")


def install():
    """Make every application that is created from now on show the tray. Idempotent."""
    original = PrivateApplication.load_configuration
    if getattr(original, "_adds_mast_import", False):
        return

    # App takes its tray from the registry; Imviz and Cubeviz take theirs from a file in
    # jdaviz, so the item has to be put in after that file was read.
    @functools.wraps(original)
    def load_configuration(self, *args, **kwargs):
        result = original(self, *args, **kwargs)
        try:
            enable(self)
        # Whatever it is, jdaviz itself must start.
        except Exception as error:  # noqa: BLE001
            warnings.warn(f"The MAST Import tray could not be added: {error!r}", stacklevel=2)
        return result

    load_configuration._adds_mast_import = True
    PrivateApplication.load_configuration = load_configuration


def enable(viz):
    """Add the tray to one application, if it is not there and can be. Idempotent."""
    from jdaviz_mast import __version__

    app = getattr(viz, "_app", viz)
    if app.config not in CONFIGURATIONS:
        return viz
    if REGISTRY_NAME not in [item["name"] for item in app.state.tray_items]:
        if app.config == "deconfigged":
            app.update_tray_items_from_registry()
        else:
            item = app._create_tray_item(tray_registry.members[REGISTRY_NAME])
            # The open trays are kept by position.
            app.state.tray_items_open = [index + 1 for index in app.state.tray_items_open]
            app.state.tray_items.insert(0, item)
    about = app.get_tray_item_from_name("about")
    if hasattr(about, "register_downstream_package"):
        about.register_downstream_package("jdaviz-mast", __version__, abbreviation="mast")
    return viz


class TrayPlugin(PluginTemplateMixin):
    """Base of a tray whose workers hand their updates to the thread that owns it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._owner = OwnerThread()

    def vue_plugin_ping(self, ping_timestamp):
        """Heartbeat of the open panel: the one sign of life of a page that was reloaded."""
        self._owner.rebind()
        self._owner.drain()
        super().vue_plugin_ping(ping_timestamp)

    def snackbar(self, text, color="info"):
        """Show a short message over the viewers, and keep it in jdaviz's logger."""
        self._app.hub.broadcast(SnackbarMessage(text, sender=self, color=color))


def data_labels(app):
    """Return the labels of all data in the application."""
    return [data.label for data in app.data_collection]


def has_part(app, uri, key):
    """Return whether one part of a product is in the application.

    Parameters
    ----------
    app : jdaviz's private application
    uri : str
        The product's ``dataURI``.
    key : str
        That of the `~jdaviz_mast.viewer.parts.Part`.
    """
    return any(
        data.meta.get("mast_product_dataURI") == uri and data.meta.get(_PART) == key
        for data in app.data_collection
    )


def add_layer(app, content, label, *, format, metadata=None, key="", visible=True):
    """Put something into the application, and show it in the viewers that are for it.

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

    Raises
    ------
    ValueError
        If the label is taken.
    MastError
        If jdaviz could not open or show it; the message is jdaviz's own.
    """
    if label in data_labels(app):
        raise ValueError(f"label {label!r} is taken")
    if format == "Image":
        _release_solid_angle(app, content)
    if format in ("Light Curve", "TPF"):
        import lcviz  # noqa: F401  # registers its importers, in applications that are open, too
    before = _Before(app)
    with _Watch(app, label, metadata or {}, key) as watch:
        try:
            app._jdaviz_helper._load(
                content, format=format, data_label=label, ignore_invalid_kwargs=True,
                **_options(format, content, label),
            )  # fmt: skip
            before.restore_cube(app, format)
            _check_shown(app, label, format, watch.errors)
        # Whatever jdaviz could not do with it, no half of it stays.
        except Exception as error:
            before.restore(app)
            said = error if isinstance(error, MastError) else f"jdaviz says: {_first_line(error)}"
            raise MastError(str(said)) from error
    if not visible:
        for layer in _layers(app):
            if layer.layer.label == label:
                layer.visible = False


def _options(format, content, label):
    """Return what an importer is told: names of what it derives, all columns of a catalog."""
    if format == "3D Spectrum":
        return {"ext_data_label": f"{label} (sum)", "unc_data_label": f"{label} [UNC]",
                "mask_data_label": f"{label} [MASK]"}  # fmt: skip
    if format == "2D Spectrum":
        return {"ext_data_label": f"{label} (auto-ext)"}
    if format == "Ramp":
        return {"diff_data_label": f"{label} [DIFF]", "ext_data_label": f"{label} (median)"}
    if format == "Catalog":
        return {"col_other": list(content.colnames)}
    return {}


def _check_shown(app, label, format, errors):
    """Raise `MastError` if something is not in the application, or in none of its viewers."""
    reason = f"jdaviz says: {errors[-1]}" if errors else "jdaviz did not take it"
    if label not in data_labels(app):
        raise MastError(reason)
    if app.config == "cubeviz" and format == "Image":
        return  # a person chooses where
    if all(layer.layer.label != label for layer in _layers(app)):
        raise MastError(reason if errors else "jdaviz shows it in none of its viewers")


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
        self.errors = []

    def __enter__(self):
        # First, so that every other listener finds the metadata there.
        self._hub.subscribe(self, DataCollectionAddMessage, handler=self._added, priority=10**6)
        self._hub.subscribe(self, ViewerAddedMessage, handler=self._viewer_added)
        self._hub.subscribe(self, SnackbarMessage, handler=self._said)
        return self

    def __exit__(self, *_):
        self._hub.unsubscribe_all(self)

    def _added(self, message):
        meta = message.data.meta
        meta.update(self._metadata)
        meta[_PART] = self._key if message.data.label == self._label else None

    def _viewer_added(self, message):
        # Where images are aligned on the sky, jdaviz 5.0 takes every new viewer for one of
        # them, and then fails to find a spectrum's or a ramp's place on the sky.
        viewer = self._app.get_viewer_by_id(message.viewer_id)
        if not isinstance(viewer, ImvizImageView) and hasattr(viewer.state, "linked_by_wcs"):
            viewer.state.linked_by_wcs = False

    def _said(self, message):
        if message.color == "error":
            self.errors.append(_first_line(message.text))


class _Before:
    """What an application held, to go back to."""

    def __init__(self, app):
        helper = app._jdaviz_helper
        self._labels, self._viewers = set(data_labels(app)), set(app._viewer_store)
        self._kept = {name: getattr(helper, name) for name in _OF_CUBES if hasattr(helper, name)}

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
        for viewer in [name for name in app._viewer_store if name not in self._viewers]:
            app.vue_destroy_viewer_item(viewer)

    def restore_cube(self, app, format):
        """Let a cube be loaded after a ramp, which jdaviz takes down as the cube it has."""
        if app.config == "deconfigged" and format == "Ramp":
            app._jdaviz_helper._loaded_flux_cube = self._kept.get("_loaded_flux_cube")


def add_image(app, data, label, *, visible=True):
    """Put glue data into the application as an image layer.

    The first image makes an image viewer where there is none. Metadata that a layer should
    show must be on ``data`` before.

    Parameters
    ----------
    app : jdaviz's private application
    data : `~glue.core.Data`
    label : str
        Must be free: a layer of the same label would be replaced.
    visible : bool
        Whether the layer is shown at once.

    Raises
    ------
    ValueError
        If the label is taken.
    """
    add_layer(app, data, label, format="Image", visible=visible)


def _release_solid_angle(app, data):
    """Let App take its display units from an image in surface brightness.

    jdaviz 5.0 settles on square pixels when the first image has no solid angle in its unit (a
    count rate, a segmentation map), and then fails to show one in MJy/sr. Images without a
    solid angle are not converted, so nothing is lost when the choice is made anew.
    """
    units = {u.Unit(data.get_component(c).units or "") for c in data.main_components}
    if app.config != "deconfigged" or all(
        unit.physical_type != "surface brightness" for unit in units
    ):
        return
    conversion = app.get_tray_item_from_name("g-unit-conversion")
    if conversion.angle_unit_selected in ("pix2", "pix^2"):
        conversion.angle_unit.choices = []
        conversion.angle_unit_selected = ""
        conversion.flux_unit_selected = ""
        conversion.sb_unit_selected = ""


def remove_data(app, label):
    """Take data out of the application again, if they are there."""
    if label not in data_labels(app):
        return
    try:
        app.data_item_remove(label)
    # jdaviz 5.0 asks every viewer for its reference image, also those that show no images.
    except Exception:  # noqa: BLE001
        if label in data_labels(app):
            app.data_collection.remove(app.data_collection[label])


def _layers(app):
    return [layer for viewer in app._viewer_store.values() for layer in viewer.layers]


def align_by_sky(app):
    """Align all images by their sky coordinates instead of by pixels.

    Raises
    ------
    ValueError
        If jdaviz cannot change the alignment now, because there are subsets or markers.
    """
    orientation = app._jdaviz_helper.plugins.get("Orientation")
    if orientation is not None and orientation.align_by.selected != "WCS":
        orientation.align_by.selected = "WCS"


def image_viewer_hint(app):
    """Return where to look for an imported image if it is in no viewer; empty otherwise."""
    if app.config == "cubeviz":
        return (
            "Cubeviz shows no image by itself: choose it in the empty flux viewer, or with + in "
            "the data menu of the viewer."
        )
    return ""


def open_tray(viz):
    """Open the sidebar at the tray."""
    viz.plugins[LABEL]._obj.open_in_tray(scroll_to=False)
