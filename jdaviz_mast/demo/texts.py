"""Files that are not FITS: source catalogs, associations, pools and previews."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np

from . import sizes
from .images import exposed_fraction, noisy_scene, wavelength_um
from .padding import pad_jpeg, pad_text
from .scene import scene_for

__all__ = ["WRITERS"]

_MJYSR_ARCSEC2_TO_JY = 1e6 / (180 * 3600 / np.pi) ** 2
_BRIGHTEST = 120  # rows of a source catalog


def _write_catalog(recipe, path):
    """Source catalog: the scene's stars inside the image, the brightest first."""
    from astropy import units as u
    from astropy.coordinates import SkyCoord
    from astropy.table import QTable

    grid, scene = sizes.grid_of(recipe), scene_for(recipe.row)
    flux = scene.star_fluxes(wavelength_um(recipe.row)) * _MJYSR_ARCSEC2_TO_JY
    pixels = grid.pixels(scene.stars[:, :2])
    weight = exposed_fraction(grid.shape, recipe.boxes)
    column, row = np.rint(pixels).astype(int).T
    inside = (column >= 0) & (column < grid.shape[1]) & (row >= 0) & (row < grid.shape[0])
    inside[inside] = weight[row[inside], column[inside]] > 0
    order = np.flatnonzero(inside)
    order = order[np.argsort(-flux[order])][:_BRIGHTEST]
    positions = scene.star_positions()[order]
    table = QTable(
        {
            # Labels are those of the segmentation map.
            "label": order + 1,
            "xcentroid": pixels[order, 0] * u.pix,
            "ycentroid": pixels[order, 1] * u.pix,
            "sky_centroid": SkyCoord(*positions.T, unit="deg"),
            "aper_total_flux": flux[order] * u.Jy,
            "aper_total_flux_err": flux[order] * 0.02 * u.Jy,
            "aper_total_abmag": -2.5 * np.log10(flux[order] / 3631),
            "is_extended": np.zeros(len(order), bool),
        },
        meta={"filename": recipe.filename, "filter": recipe.row["filters"]},
    )
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    Path(path).write_bytes(pad_text(text.getvalue(), recipe.size))


def _write_white_light(recipe, path):
    """White-light curve: the brightness of a star in each integration of its time series."""
    from astropy import units as u
    from astropy.table import QTable

    from .spectra import transit

    flux = transit()
    times = np.linspace(recipe.row["t_min"], recipe.row["t_max"], 2 * len(flux) + 1)[1::2]
    table = QTable({"MJD_UTC": times * u.d, "whitelight_flux": flux * 180 * u.Jy})
    text = io.StringIO()
    table.write(text, format="ascii.ecsv")
    Path(path).write_bytes(pad_text(text.getvalue(), recipe.size))


def _write_association(recipe, path):
    """Association: which exposures make the combined product."""
    row = recipe.row
    members = [
        {"expname": f"{name}_cal.fits", "exptype": "science", "exposerr": "null"}
        for name in recipe.members
    ]
    kind = {"image": "image3", "timeseries": "tso3"}.get(row["dataproduct_type"], "spec3")
    association = {
        "asn_type": kind,
        "asn_rule": f"candidate_Asn_Lv3{kind[:-1].title()}",
        "version_id": "20260701t120000",
        "code_version": "1.18.0",
        "degraded_status": "No known degraded exposures in association.",
        "program": f"{int(row['proposal_id']):05}",
        "constraints": "No constraints",
        "asn_id": row["obs_id"].split("_")[0].split("-")[-1],
        "target": row["target_name"],
        "asn_pool": f"{row['obs_id'][:7]}_20260701t120000_pool",
        "products": [{"name": row["obs_id"], "members": members}],
    }
    Path(path).write_bytes(pad_text(json.dumps(association, indent=4), recipe.size))


def _write_pool(recipe, path):
    """Pool: the exposures that associations are drawn from."""
    row = recipe.row
    lines = ["filename|program|obs_num|targetid|instrume|exp_type|filter"]
    instrument, _, mode = row["instrument_name"].partition("/")
    lines += [
        f"{name}_uncal.fits|{row['proposal_id']}|{name[7:10]}|{row['target_name']}"
        f"|{instrument}|{mode}|{row['filters']}"
        for name in recipe.members
    ]
    Path(path).write_bytes(pad_text("\n".join(lines) + "\n", recipe.size))


def _stretched(image):
    """Bytes of a picture: arcsinh between the sky and the bright parts."""
    low, high = np.nanpercentile(image, [2, 99.5])
    scaled = np.arcsinh(8 * (image - low) / max(high - low, 1e-9)) / np.arcsinh(8)
    return (np.nan_to_num(scaled).clip(0, 1) * 255).astype(np.uint8)


def _write_preview(recipe, path):
    """Preview or thumbnail, drawn from the same scene as the image it shows."""
    from PIL import Image

    if recipe.row["dataproduct_type"] == "image":
        grid = sizes.grid_of(recipe)
        image, _ = noisy_scene(recipe, grid, exposed_fraction(grid.shape, recipe.boxes))
    else:
        from .spectra import preview

        image = preview(recipe)
    # FITS counts rows upwards, pictures downwards.
    picture = Image.fromarray(_stretched(image)[::-1])
    if recipe.kind == "thumb":
        picture.thumbnail((180, 180))
    for quality in (85, 70, 50, 30, 15):
        data = io.BytesIO()
        picture.save(data, "JPEG", quality=quality)
        if len(data.getvalue()) <= recipe.size - 4:
            break
    Path(path).write_bytes(pad_jpeg(data.getvalue(), recipe.size))


#: Kind of file to the function that writes it: (recipe, path) -> None.
WRITERS = {
    "cat": _write_catalog,
    "whtlt": _write_white_light,
    "asn": _write_association,
    "pool": _write_pool,
    "jpg": _write_preview,
    "thumb": _write_preview,
    "hst-jpg": _write_preview,
}
