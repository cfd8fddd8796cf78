"""All that depends on jdaviz's private side, in one place: it changes with each release.

jdaviz 5.1 brings Vue 3 and 5.2 drops Imviz and Cubeviz; what breaks then breaks here.
"""

import functools
import warnings

import astropy.units as u
from astropy.wcs.wcsapi import BaseLowLevelWCS
from glue.core import HubListener
from glue_jupyter.bqplot.image import BqplotImageView
from jdaviz.app import PrivateApplication
from jdaviz.core.events import (
    AddDataMessage,
    ChangeRefDataMessage,
    LinkUpdatedMessage,
    RemoveDataMessage,
    SnackbarMessage,
    ViewerAddedMessage,
    ViewerRemovedMessage,
)
from jdaviz.core.registries import tray_registry
from jdaviz.core.template_mixin import PluginTemplateMixin

from jdaviz_mast.viewer.owner_thread import OwnerThread

__all__ = [
    "TrayPlugin",
    "add_image",
    "add_marks",
    "align_by_sky",
    "data_labels",
    "enable",
    "has_image",
    "image_viewer_hint",
    "image_viewers",
    "install",
    "limits",
    "open_tray",
    "preview_labels",
    "remove_data",
    "remove_marks",
    "sky_coordinates",
    "watch_viewers",
]

REGISTRY_NAME = "mast-import"
LABEL = "MAST Import"

#: Key in the metadata of a layer that is a preview: where the picture is from.
PREVIEW = "mast_preview"

#: Configurations (jdaviz's word for its applications) that can hold an image.
CONFIGURATIONS = ("deconfigged", "imviz", "cubeviz", "rampviz")

#: Those in which an image stands in a viewer of images on the sky.
IMAGE_CONFIGURATIONS = ("deconfigged", "imviz")


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


def has_image(app, uri, extension):
    """Return whether one image of a product is in the application.

    Parameters
    ----------
    app : jdaviz's private application
    uri : str
        The product's ``dataURI``.
    extension : (str, int)
        EXTNAME and EXTVER, which name the component that `read_image` makes.
    """
    component = "{},{}".format(*extension)
    return any(
        data.meta.get("mast_product_dataURI") == uri
        and component in [c.label for c in data.main_components]
        for data in app.data_collection
    )


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
    if label in data_labels(app):
        raise ValueError(f"label {label!r} is taken")
    _release_solid_angle(app, data)
    app._jdaviz_helper._load(data, format="Image", data_label=label)
    if not visible:
        for layer in _image_layers(app):
            if layer.layer.label == label:
                layer.visible = False
    _drop_preview(app, data)


def _drop_preview(app, data):
    """Remove the preview of an observation: its file has landed."""
    obs_id = data.meta.get("mast_obs_id")
    if obs_id is None or PREVIEW in data.meta:
        return
    for label in preview_labels(app, obs_id):
        remove_data(app, label)


def preview_labels(app, obs_id):
    """Return the labels of the previews of an observation that lie on the sky."""
    return [
        data.label
        for data in app.data_collection
        if PREVIEW in data.meta and data.meta.get("mast_obs_id") == obs_id
    ]


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
    if label in data_labels(app):
        app.data_item_remove(label)


def _image_layers(app):
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


# The sky in the viewers


def image_viewers(app):
    """Return the viewers that show images, by the name that a user sees."""
    return {
        viewer.reference or name: viewer
        for name, viewer in app._viewer_store.items()
        if isinstance(viewer, BqplotImageView)
    }


def sky_coordinates(viewer):
    """Return what places the pixels of an image viewer on the sky; None if nothing does.

    When images are aligned by WCS, that is a layer of jdaviz's own.
    """
    coords = getattr(viewer.state.reference_data, "coords", None)
    if not isinstance(coords, BaseLowLevelWCS) or coords.pixel_n_dim != 2:
        return None
    axes = coords.world_axis_physical_types
    on_sky = len(axes) == 2 and all(str(axis).startswith("pos.") for axis in axes)
    return coords if on_sky else None


def limits(viewer):
    """Return what part of its pixels an image viewer shows: left, right, bottom, top."""
    state = viewer.state
    return tuple(float(edge) for edge in (state.x_min, state.x_max, state.y_min, state.y_max))


def watch_viewers(app, subscriber, call):
    """Have something called when viewers come and go, or show their images another way."""

    class Listener(HubListener):
        pass

    # The hub holds it weakly.
    subscriber._viewer_listener = listener = Listener()
    for message in (
        AddDataMessage, ChangeRefDataMessage, LinkUpdatedMessage, RemoveDataMessage,
        ViewerAddedMessage, ViewerRemovedMessage,
    ):  # fmt: skip
        app.hub.subscribe(listener, message, handler=call)


def add_marks(viewer, marks):
    """Draw bqplot marks over the image of a viewer."""
    viewer.figure.marks = [*viewer.figure.marks, *marks]


def remove_marks(viewer, marks):
    """Remove marks from a viewer."""
    viewer.figure.marks = [m for m in viewer.figure.marks if all(m is not mark for mark in marks)]
