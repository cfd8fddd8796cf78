"""A preview as a layer: on the sky at once, until its file takes its place."""

from glue.core import Data
from glue.core.component import Component

from jdaviz_mast.errors import InvalidInput, MastError
from jdaviz_mast.sky import Footprint, picture_wcs
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.metadata import layer_metadata

__all__ = ["place_preview", "why_not_placed"]


def why_not_placed(app, preview):
    """Return why a preview cannot be put on the sky; empty if it can."""
    if preview.plotted or preview.observation.get("dataproduct_type") != "image":
        return "It is no picture of the sky."
    if app.config not in jdaviz_api.IMAGE_CONFIGURATIONS:
        return "This application shows no images."
    try:
        _wcs(preview)
    except InvalidInput as error:
        return f"It cannot be put on the sky: {error.allowed}."
    return ""


def place_preview(app, preview):
    """Add a preview to the application as an image layer; return its label.

    It lies where the footprint of the observation is, to the precision of that. When a file of
    the same observation is added, it is removed.

    Parameters
    ----------
    app : jdaviz's private application
    preview : `~jdaviz_mast.preview.Preview`

    Returns
    -------
    label : str

    Raises
    ------
    InvalidInput
        If it is not known where it lies, or it is there already.
    """
    why_not = why_not_placed(app, preview)
    if why_not:
        raise InvalidInput("preview", preview.observation.get("obs_id"), why_not.rstrip("."))
    row = preview.observation
    landed = jdaviz_api.labels_of(app, row.get("obs_id"))
    if landed:
        allowed = f"its file is in the viewer already, as {landed[0]}"
        raise InvalidInput("preview", row.get("obs_id"), allowed)
    present = jdaviz_api.preview_labels(app, row.get("obs_id"))
    if present:
        raise InvalidInput("preview", row.get("obs_id"), f"it is there already, as {present[0]}")
    data = Data()
    data.meta.update(layer_metadata(row, {}))
    data.meta[jdaviz_api.PREVIEW] = preview.uri
    data.coords = _wcs(preview)
    data.add_component(Component(preview.picture.pixels()), "PREVIEW")
    names = [row.get("target_name"), row.get("filters")]
    base = " ".join(str(name) for name in names if name) or str(row.get("obs_id"))
    taken = jdaviz_api.data_labels(app)
    label = f"{base} preview"
    if label in taken:
        label = f"{base} {row.get('obs_id')} preview"
    try:
        jdaviz_api.add_image(app, data, label)
    # Whatever jdaviz could not do with it, no half of it stays.
    except Exception as error:  # noqa: BLE001
        jdaviz_api.remove_data(app, label)
        raise MastError(f"The preview could not be shown; jdaviz says: {error}") from error
    try:
        jdaviz_api.align_by_sky(app)
    except ValueError as error:
        raise MastError(f"The images are not aligned on the sky: {error}") from error
    return label


def _wcs(preview):
    footprint = Footprint.from_s_region(preview.observation.get("s_region"))
    return picture_wcs(footprint, (preview.picture.height, preview.picture.width))
