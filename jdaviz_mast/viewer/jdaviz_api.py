"""All that depends on jdaviz's private side, in one place: it changes with each release.

jdaviz 5.1 brings Vue 3 and 5.2 drops Imviz and Cubeviz; what breaks then breaks here.
"""

import contextlib
import functools
import warnings

import astropy.units as u
from jdaviz.app import PrivateApplication
from jdaviz.core.events import SnackbarMessage
from jdaviz.core.registries import tray_registry
from jdaviz.core.template_mixin import PluginTemplateMixin

from jdaviz_mast.viewer.owner_thread import OwnerThread

__all__ = [
    "TrayPlugin",
    "add_image",
    "align_by_sky",
    "data_labels",
    "enable",
    "has_image",
    "image_viewer_hint",
    "images",
    "install",
    "one_redraw",
    "open_tray",
    "plot_options",
    "remove_data",
]

REGISTRY_NAME = "mast-import"
LABEL = "MAST Import"

#: Configurations (jdaviz's word for its applications) that can hold an image.
CONFIGURATIONS = ("deconfigged", "imviz", "cubeviz", "rampviz")


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


def images(app):
    """Return the 2D images of the application: label to `~glue.core.Data`, oldest first."""
    return {
        data.label: data
        for data in app.data_collection
        if data.ndim == 2 and not data.meta.get("_WCS_ONLY")
    }


@contextlib.contextmanager
def plot_options(app):
    """Lend out jdaviz's Plot Options, one viewer and one layer at a time.

    What the user had selected there is selected again afterwards.
    """
    options = app._jdaviz_helper.plugins["Plot Options"]
    names = ("viewer_multiselect", "layer_multiselect")
    multiselect = {name: getattr(options, name) for name in names}
    selected = options.viewer.selected, options.layer.selected
    for name in names:
        setattr(options, name, False)
    try:
        yield options
    finally:
        for name, value in multiselect.items():
            setattr(options, name, value)
        for component, value in zip((options.viewer, options.layer), selected, strict=True):
            # What has gone meanwhile cannot be selected.
            with contextlib.suppress(ValueError):
                component.selected = value


@contextlib.contextmanager
def one_redraw(app):
    """Have image viewers draw once at the end, not after each change of a layer.

    A picture of several large images takes a good part of a second to put together and to send.
    """
    pictures = [
        viewer._composite_image
        for viewer in app._viewer_store.values()
        if hasattr(viewer, "_composite_image")
        and "update" not in vars(viewer._composite_image)  # held already
    ]
    for picture in pictures:
        picture.update = lambda *args, **kwargs: None
    try:
        yield
    finally:
        for picture in pictures:
            del picture.update
            picture.invalidate_cache()


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
