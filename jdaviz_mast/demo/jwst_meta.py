"""What all JWST files of the demo share: keywords, WCS, and a save that repeats exactly."""

from __future__ import annotations

import functools
import mmap
import re

import numpy as np

from .sky import polygon

__all__ = ["DATE", "celestial_gwcs", "describe", "model_class", "put_wcs", "require", "save"]

DATE = "2026-07-01T12:00:00.000"
_STERADIAN_PER_ARCSEC2 = (np.pi / 180 / 3600) ** 2
_EXPOSURE_TYPES = {
    "NIRCAM/IMAGE": "NRC_IMAGE",
    "MIRI/IMAGE": "MIR_IMAGE",
    "NIRSPEC/IFU": "NRS_IFU",
    "NIRSPEC/SLIT": "NRS_FIXEDSLIT",
}
_USED_EXTENSION = re.compile(rb"  - !core/extension_metadata-1\.0\.0\n(?: {4}.*\n)+")
_LONG_WAVE_MODULES = {"NRCALONG", "NRCBLONG"}


def require():
    """Import stdatamodels' JWST models, or say what to install."""
    try:
        from stdatamodels.jwst import datamodels
    except ImportError as error:
        raise ImportError(
            "the demo archive writes its JWST files with stdatamodels and gwcs, which are not "
            "installed: pip install 'jdaviz-mast[offline]'"
        ) from error
    return datamodels


@functools.cache
def model_class(name):
    """Make a JWST model whose files carry a fixed date, so that they repeat byte by byte.

    The class keeps the name of the true one, which the file carries as DATAMODL.
    """

    def on_save(self, init):
        type(self).__mro__[1].on_save(self, init)
        self.meta.date = DATE

    base = getattr(require(), name)
    return type(name, (base,), {"on_save": on_save, "__module__": base.__module__})


def describe(model, recipe, *, bunit=None):
    """Fill in the keywords that the pipeline writes for the observation."""
    from astropy.time import Time

    row, meta = recipe.row, model.meta
    instrument, _, _ = row["instrument_name"].partition("/")
    meta.telescope, meta.origin = "JWST", "STSCI"
    meta.filename = recipe.filename
    meta.calibration_software_version = "1.18.0"
    meta.calibration_software_revision = "RELEASE"
    meta.instrument.name = instrument
    _optics(meta.instrument, row, recipe)
    meta.exposure.type = _EXPOSURE_TYPES[row["instrument_name"]]
    begin, end = Time(row["t_min"], format="mjd"), Time(row["t_max"], format="mjd")
    meta.observation.date, meta.observation.time = begin.isot.split("T")
    meta.observation.date_beg, meta.observation.date_end = begin.isot, end.isot
    meta.observation.program_number = f"{int(row['proposal_id']):05}"
    name = row["obs_id"]
    number = name[9:12] if name[7] == "-" else name[7:10]
    meta.observation.observation_number = number
    meta.exposure.start_time, meta.exposure.end_time = row["t_min"], row["t_max"]
    meta.exposure.mid_time = (row["t_min"] + row["t_max"]) / 2
    meta.exposure.exposure_time = row["t_exptime"]
    meta.exposure.effective_exposure_time = row["t_exptime"]
    meta.exposure.nints, meta.exposure.ngroups = 1, 5
    meta.program.title, meta.program.pi_name = row["obs_title"], row["proposal_pi"]
    meta.program.category = row["proposal_type"]
    meta.target.catalog_name = row["target_name"]
    meta.target.proposer_name = row["target_name"].upper()
    meta.target.type = "FIXED"
    meta.target.ra, meta.target.dec = row["s_ra"], row["s_dec"]
    meta.cal_step.assign_wcs = "COMPLETE"
    if bunit:
        meta.bunit_data = bunit
        if recipe.kind != "uncal":
            meta.bunit_err = bunit
    if recipe.members:
        meta.resample.pointings = len(recipe.members)
        meta.resample.product_exposure_time = row["t_exptime"]


def _optics(instrument, row, recipe):
    """Detector, filter and pupil (or grating) from the row and the exposure's name."""
    elements = (row["filters"] or "").split(";")
    detector = row["obs_id"].rsplit("_", 1)[-1].upper()
    if instrument.name == "NIRCAM":
        if recipe.level == 3:
            detector = "NRCBLONG" if row["em_min"] > 2400 else "MULTIPLE"
        long_wave = detector in _LONG_WAVE_MODULES
        instrument.channel = "LONG" if long_wave else "SHORT"
        instrument.module = "B"
        # Of a pair, the wide filter sits in the filter wheel, the narrow one in the pupil's.
        instrument.filter = next((e for e in elements if e.endswith("W")), elements[0])
        others = [e for e in elements if e != instrument.filter]
        instrument.pupil = others[0] if others else "CLEAR"
    elif instrument.name == "NIRSPEC":
        detector = detector if detector.startswith("NRS") else "NRS1"
        instrument.filter = next(e for e in elements if e.startswith("F"))
        instrument.grating = next(e for e in elements if e.startswith("G"))
    else:
        detector = "MIRIMAGE"
        instrument.filter = elements[0]
    instrument.detector = detector


def put_wcs(model, grid, *, gwcs=True):
    """Write a pixel grid into a model: the FITS keywords, S_REGION and the GWCS."""
    info = model.meta.wcsinfo
    scale = grid.scale / 3600
    info.wcsaxes = 2
    info.crpix1, info.crpix2 = (float(value) for value in grid.crpix)
    info.crval1, info.crval2 = (float(value) for value in grid.center)
    info.ctype1, info.ctype2 = "RA---TAN", "DEC--TAN"
    info.cunit1 = info.cunit2 = "deg"
    info.cdelt1 = info.cdelt2 = scale
    rotation = grid.cd / grid.scale
    info.pc1_1, info.pc1_2, info.pc2_1, info.pc2_2 = (float(value) for value in rotation.flat)
    info.ra_ref, info.dec_ref = info.crval1, info.crval2
    info.s_region = polygon(grid.corners(), "ICRS ")
    model.meta.coordinates.reference_frame = "ICRS"
    model.meta.photometry.pixelarea_arcsecsq = grid.scale**2
    model.meta.photometry.pixelarea_steradians = grid.scale**2 * _STERADIAN_PER_ARCSEC2
    if gwcs:
        model.meta.wcs = celestial_gwcs(grid)


def celestial_gwcs(grid):
    """Write the same tangent-plane WCS as a `gwcs.WCS`."""
    import gwcs
    from astropy import coordinates
    from astropy import units as u
    from astropy.modeling import models
    from gwcs import coordinate_frames

    shift = models.Shift(1 - grid.crpix[0]) & models.Shift(1 - grid.crpix[1])
    linear = models.AffineTransformation2D(matrix=grid.cd / 3600, translation=[0, 0])
    rotate = models.RotateNative2Celestial(*grid.center, 180)
    transform = shift | linear | models.Pix2Sky_TAN() | rotate
    detector = coordinate_frames.Frame2D(name="detector", unit=(u.pix, u.pix))
    sky = coordinate_frames.CelestialFrame(
        name="world", reference_frame=coordinates.ICRS(), unit=(u.deg, u.deg)
    )
    result = gwcs.WCS([(detector, transform), (sky, None)])
    rows, columns = grid.shape
    result.bounding_box = ((-0.5, columns - 0.5), (-0.5, rows - 0.5))
    return result


def save(model, path):
    """Save a model whose class is from `model_class`."""
    name = model.meta.filename
    model.save(str(path))
    if model.meta.filename != name:
        raise RuntimeError(f"{path} must be called {name}")
    _put_in_order(path)


def _put_in_order(path):
    """Sort the extensions that ASDF says it used: it lists a set, in any order."""
    with open(path, "r+b") as file, mmap.mmap(file.fileno(), 0) as data:
        entries = list(_USED_EXTENSION.finditer(data, max(0, data.rfind(b"#ASDF 1"))))
        if entries:  # they follow each other
            listed = b"".join(sorted(entry.group() for entry in entries))
            data[entries[0].start() : entries[-1].end()] = listed
