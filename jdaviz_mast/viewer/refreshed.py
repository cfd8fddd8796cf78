"""Layers and the archive's rows: what layers hold, and how they get other values in place."""

from jdaviz_mast.library.layer_rows import rows_of_layer
from jdaviz_mast.library.refreshing import Held
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.metadata import layer_metadata

__all__ = ["REPROCESSED", "held_by_layers", "update_layers"]

#: Key in the metadata of a layer whose file is not the archive's present version any more.
REPROCESSED = "reprocessedSince"


def held_by_layers(app):
    """Return what the layers of an application are of: a list of Held, each product once."""
    held = {}
    for data in jdaviz_api.data_from_mast(app):
        one = Held(*rows_of_layer(data.meta))
        held.setdefault((one.obsid, one.obs_id, one.uri), one)
    return list(held.values())


def update_layers(app, report):
    """Put what the archive says now into the metadata of layers, in place.

    The layers stay as they are. jdaviz's Metadata plugin shows the new values.

    Parameters
    ----------
    app : jdaviz's private application
    report : `jdaviz_mast.library.refreshing.RefreshReport`

    Returns
    -------
    labels : list of str
        Of the layers whose metadata have changed.
    """
    reprocessed = {u.uri: u for u in report.updates if u.kind == "reprocessed"}
    labels = []
    for data in jdaviz_api.data_from_mast(app):
        observation, product = rows_of_layer(data.meta)
        held = Held(observation, product)
        refreshed = report.row_of(held.obsid, held.obs_id)
        if refreshed is None or refreshed.observation is None:
            continue
        update = reprocessed.get(held.uri)
        metadata = layer_metadata(
            observation | refreshed.observation, product | refreshed.products.get(held.uri, {})
        )
        if update is not None:
            metadata[REPROCESSED] = f"{update.old} → {update.new}"
        changed = {k: v for k, v in metadata.items() if k not in data.meta or data.meta[k] != v}
        if changed:
            data.meta.update(changed)
            labels.append(data.label)
    if labels:
        jdaviz_api.show_metadata_anew(app)
    return labels
