"""All that depends on jdaviz's private side, in one place: it changes with each release.

jdaviz 5.1 brings Vue 3 and 5.2 drops Imviz and Cubeviz; what breaks then breaks here.
"""

import contextlib
import functools
import warnings

from astropy.wcs.wcsapi import BaseLowLevelWCS
from glue.core import HubListener
from glue.core.link_helpers import LinkCollection
from glue.core.message import DataCollectionAddMessage, DataCollectionDeleteMessage
from glue_jupyter.bqplot.image import BqplotImageView
from jdaviz.app import PrivateApplication
from jdaviz.configs.imviz.helper import get_reference_image_data
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
    "PART",
    "TrayPlugin",
    "add_image",
    "add_marks",
    "align_by_sky",
    "data_from_mast",
    "data_labels",
    "drop_previews",
    "enable",
    "has_part",
    "image_viewer_hint",
    "image_viewers",
    "images",
    "install",
    "labels_of",
    "layers",
    "limits",
    "one_redraw",
    "open_tray",
    "parts_by_uri",
    "plot_options",
    "preview_labels",
    "product_uris",
    "remove_data",
    "remove_marks",
    "show_metadata_anew",
    "sky_coordinates",
    "watch_data",
    "watch_viewers",
]

#: Key of a layer's metadata that tells which part of its file it is; None: derived from one.
PART = "_mast_part"

REGISTRY_NAME = "mast-import"
LABEL = "MAST Import"

#: Key in the metadata of a layer that is a preview: where the picture is from.
PREVIEW = "mast_preview"

#: Configurations (jdaviz's word for its applications) that can hold some product.
CONFIGURATIONS = ("deconfigged", "imviz", "cubeviz", "specviz", "specviz2d", "rampviz", "lcviz")

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
    with contextlib.suppress(KeyError, AttributeError):  # LCviz has none
        about = app.get_tray_item_from_name("about")
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
        data.meta.get("mast_product_dataURI") == uri and data.meta.get(PART) == key
        for data in app.data_collection
    )


def product_uris(app):
    """Return the ``dataURI`` of the products that something in the application is of."""
    uris = {data.meta.get("mast_product_dataURI") for data in app.data_collection}
    return uris - {None}


def watch_data(app, subscriber, call):
    """Have something called when data have come into the application, or left it."""

    class Listener(HubListener):
        pass

    # The hub holds it weakly.
    subscriber._data_listener = listener = Listener()
    for message in (DataCollectionAddMessage, DataCollectionDeleteMessage):
        app.hub.subscribe(listener, message, handler=call)


def parts_by_uri(app):
    """Return which parts of which products are in the application.

    Parameters
    ----------
    app : jdaviz's private application

    Returns
    -------
    parts : dict of str to set of str
        ``dataURI`` to keys of `~jdaviz_mast.viewer.parts.Part`.
    """
    parts = {}
    for data in app.data_collection:
        uri, key = data.meta.get("mast_product_dataURI"), data.meta.get(PART)
        if uri and key:
            parts.setdefault(uri, set()).add(key)
    return parts


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
    from jdaviz_mast.viewer.jdaviz_adding import add_layer  # which builds on this module

    add_layer(app, data, label, format="Image", visible=visible)


def drop_previews(app, metadata):
    """Remove the previews of an observation from the sky: its file has landed."""
    obs_id = metadata.get("mast_obs_id")
    if obs_id is None or PREVIEW in metadata:
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


def labels_of(app, obs_id):
    """Return the labels of the images of an observation that are no previews."""
    return [
        label
        for label, data in images(app).items()
        if PREVIEW not in data.meta and data.meta.get("mast_obs_id") == obs_id
    ]


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


def data_from_mast(app):
    """Return the data of the application that have rows of the archive in their metadata."""
    return [data for data in app.data_collection if "mast_obs_id" in data.meta]


def show_metadata_anew(app):
    """Have jdaviz's Metadata plugin read what it shows again.

    It reads when another data set is selected, and is not told of changes in one.
    """
    with contextlib.suppress(KeyError):  # an application without it
        plugin = app.get_tray_item_from_name("g-metadata-viewer")
        plugin.handle_show_primary({})  # reads either header, as the plugin is set


def layers(app):
    """Return all layers of all viewers."""
    return [layer for viewer in app._viewer_store.values() for layer in viewer.layers]


def align_by_sky(app):
    """Align all images by their sky coordinates instead of by pixels.

    Raises
    ------
    ValueError
        If jdaviz cannot change the alignment now, because there are subsets or markers, or
        because the image that it refers the others to has no place on the sky.
    """
    orientation = app._jdaviz_helper.plugins.get("Orientation")
    if orientation is not None and orientation.align_by.selected != "WCS":
        reference = get_reference_image_data(app)[0]
        if reference is not None and reference.coords is None:
            raise ValueError(f"{reference.label}, which is there already, has no place on it.")
        with _links_of_spectra_kept(app.data_collection):
            orientation.align_by.selected = "WCS"


@contextlib.contextmanager
def _links_of_spectra_kept(collection):
    """Put back the links that have nothing to do with how images lie.

    jdaviz 5.0 replaces all links by those between images when it changes their alignment, and
    spectra are blank from then on beside a cube's, whose wavelengths they were linked to.
    """
    before = [link for link in collection.external_links if not _is_between_pixels(link)]
    yield
    lost = [
        link
        for link in before
        if link not in collection.external_links
        and link.data1 in collection
        and link.data2 in collection
    ]
    if lost:
        with collection.delay_link_manager_update():
            collection.add_link(lost)


def _is_between_pixels(link):
    """Return whether a link is one of those that say how images, and places on them, lie."""
    if not isinstance(link, LinkCollection):  # of a catalog's positions
        return True
    ends = [(link.data1, link.cids1), (link.data2, link.cids2)]
    return any(d.ndim == 2 and any(c in d.pixel_component_ids for c in cids) for d, cids in ends)


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
