"""JWST spectra: cubes, rectified 2D spectra and extracted 1D spectra of NIRSpec."""

from __future__ import annotations

import numpy as np

from . import sizes
from .images import noise_source
from .jwst_meta import DATE, celestial_gwcs, describe, model_class, put_wcs, save
from .sky import parse_region

__all__ = ["WRITERS", "detector_counts", "preview", "spectrum", "transit"]

_SAMPLES = 900
_INTEGRATIONS = 10
# Rest wavelength in micron and strength relative to the continuum.
_LINES = {
    "He I": (1.0833, 3.0),
    "Pa gamma": (1.0941, 1.5),
    "Pa beta": (1.2822, 2.4),
    "[Fe II]": (1.6440, 1.0),
    "Pa alpha": (1.8756, 4.0),
    "H2 1-0 S(1)": (2.1218, 1.2),
    "Br gamma": (2.1661, 0.9),
    "Br beta": (2.6259, 1.1),
}
_REDSHIFT = {"NGC-7319-NUCLEUS": 0.0225}


def _band(row):
    """First and last wavelength in micron."""
    return row["em_min"] / 1000, row["em_max"] / 1000


def spectrum(row, wavelength, velocity_shift=0.0):
    """Spectrum of the target: a power law and emission lines, 1 at 2 micron.

    Parameters
    ----------
    row : dict
        Observation row; names the target, whose redshift is applied.
    wavelength : ndarray of float
        Observed wavelengths in micron.
    velocity_shift : float or ndarray of float
        Further shift of the lines, in units of the speed of light.
    """
    flux = (wavelength / 2.0) ** -0.6 + np.zeros_like(velocity_shift * wavelength)
    stretch = 1 + _REDSHIFT.get(row["target_name"], 0.0) + velocity_shift
    for rest, strength in _LINES.values():
        width = 0.0018 * rest
        flux = flux + strength * np.exp(-(((wavelength - rest * stretch) / width) ** 2))
    return flux


def _cube(recipe, wavelength):
    """Surface brightness of a galaxy's nucleus and its error, in MJy/sr."""
    east, north = sizes.grid_of(recipe).plane()
    nucleus = 40 * np.exp(-np.hypot(east, north) / 0.25)
    disk = 9 * np.exp(-np.hypot(east, north / 0.6) / 0.9)
    # A disk seen inclined: one side comes, the other goes, at up to 250 km/s.
    velocity = 8e-4 * np.tanh(east / 0.6)
    lines = spectrum(recipe.row, wavelength[:, None, None], velocity[None])
    cube = (disk * lines + nucleus * (wavelength[:, None, None] / 2) ** -0.6).astype(np.float32)
    error = np.sqrt(0.02 + 0.004 * cube, dtype=np.float32)
    noise = noise_source(recipe).standard_normal(cube.shape, dtype=np.float32)
    return cube + error * noise, error


def _write_s3d(recipe, path):
    planes, rows, columns = sizes.CUBE_SHAPE
    grid = sizes.grid_of(recipe)
    low, high = _band(recipe.row)
    step = (high - low) / planes
    wavelength = low + step * (np.arange(planes) + 0.5)
    cube, error = _cube(recipe, wavelength)
    model = model_class("IFUCubeModel")()
    weight = np.ones(cube.shape, np.float32)
    flags = np.zeros(cube.shape, np.uint32)
    border = np.ones((rows, columns), bool)
    border[1:-1, 1:-1] = False
    # Sky outside of the slices: NaN, flagged NON_SCIENCE and DO_NOT_USE as the pipeline does.
    cube[:, border], error[:, border], weight[:, border], flags[:, border] = np.nan, np.nan, 0, 513
    model.data, model.err, model.dq, model.weightmap = cube, error, flags, weight
    describe(model, recipe, bunit="MJy/sr")
    put_wcs(model, grid, gwcs=False)
    info = model.meta.wcsinfo
    info.wcsaxes = 3
    info.crpix3, info.crval3, info.cdelt3 = 1.0, float(wavelength[0]), step
    info.ctype3, info.cunit3 = "WAVE", "um"
    info.pc1_3 = info.pc2_3 = info.pc3_1 = info.pc3_2 = 0.0
    info.pc3_3 = 1.0
    model.meta.wcs = _cube_gwcs(grid, planes, wavelength[0], step)
    save(model, path)


def _cube_gwcs(grid, planes, first, step):
    import gwcs
    from astropy import coordinates
    from astropy import units as u
    from astropy.modeling import models
    from gwcs import coordinate_frames as frames

    celestial = celestial_gwcs(grid).forward_transform
    transform = celestial & models.Polynomial1D(1, c0=first, c1=step)
    detector = frames.CoordinateFrame(
        naxes=3, axes_type=["SPATIAL"] * 3, axes_order=(0, 1, 2), unit=[u.pix] * 3, name="detector"
    )
    sky = frames.CelestialFrame(
        name="sky", reference_frame=coordinates.ICRS(), unit=(u.deg, u.deg), axes_order=(0, 1)
    )
    light = frames.SpectralFrame(name="wavelength", unit=(u.um,), axes_order=(2,))
    world = frames.CompositeFrame([sky, light], name="world")
    result = gwcs.WCS([(detector, transform), (world, None)])
    rows, columns = grid.shape
    result.bounding_box = ((-0.5, columns - 0.5), (-0.5, rows - 0.5), (-0.5, planes - 0.5))
    return result


def _long_slit(recipe):
    """Rectified spectrum and its error in MJy, shape `sizes.SPECTRUM_SHAPE`."""
    rows, columns = sizes.SPECTRUM_SHAPE
    low, high = _band(recipe.row)
    wavelength = low + (high - low) * (np.arange(columns) + 0.5) / columns
    profile = np.exp(-(((np.arange(rows) - rows / 2) / 1.8) ** 2))[:, None]
    image = (2e-9 * profile * spectrum(recipe.row, wavelength)).astype(np.float32)
    error = np.sqrt(1e-21 + 3e-12 * image, dtype=np.float32)
    noise = noise_source(recipe).standard_normal(image.shape, dtype=np.float32)
    image += error * noise
    image[[0, -1]] = np.nan
    return image, error


def _write_s2d(recipe, path):
    model = model_class("SlitModel")()
    image, error = _long_slit(recipe)
    model.data, model.err = image, error
    model.con = np.ones((1, *image.shape), np.int32)
    model.wht = np.ones(image.shape, np.float32)
    model.var_poisson, model.var_rnoise = error**2 * 0.7, error**2 * 0.3
    model.var_flat = np.zeros(image.shape, np.float32)
    # A point source is calibrated to flux, not to surface brightness.
    describe(model, recipe, bunit="MJy")
    model.name, model.source_id, model.slitlet_id = "S1600A1", 1, 1
    model.meta.wcsinfo.dispersion_direction = 1
    model.meta.wcsinfo.s_region = recipe.row["s_region"].replace("POLYGON", "POLYGON ICRS ")
    model.meta.wcs = _slit_gwcs(recipe.row, image.shape)
    save(model, path)


def _slit_gwcs(row, shape):
    """Along x the wavelength, along y a line on the sky through the target."""
    import gwcs
    from astropy import coordinates
    from astropy import units as u
    from astropy.modeling import models
    from gwcs import coordinate_frames as frames

    rows, columns = shape
    _, corners = parse_region(row["s_region"])
    ends = (corners[0] + corners[1]) / 2, (corners[2] + corners[3]) / 2
    slope = (ends[1] - ends[0]) / rows
    start = ends[0] + slope / 2
    low, high = _band(row)
    step = (high - low) / columns
    ra = models.Polynomial1D(1, c0=start[0], c1=slope[0])
    dec = models.Polynomial1D(1, c0=start[1], c1=slope[1])
    light = models.Polynomial1D(1, c0=low + step / 2, c1=step)
    transform = models.Mapping((1, 1, 0), n_inputs=2) | ra & dec & light
    detector = frames.Frame2D(name="detector", unit=(u.pix, u.pix))
    sky = frames.CelestialFrame(
        name="sky", reference_frame=coordinates.ICRS(), unit=(u.deg, u.deg), axes_order=(0, 1)
    )
    wavelength = frames.SpectralFrame(name="wavelength", unit=(u.um,), axes_order=(2,))
    world = frames.CompositeFrame([sky, wavelength], name="world")
    result = gwcs.WCS([(detector, transform), (world, None)])
    result.bounding_box = ((-0.5, columns - 0.5), (-0.5, rows - 0.5))
    return result


def _write_x1d(recipe, path):
    wavelength = _samples(recipe.row)
    clean = spectrum(recipe.row, wavelength) * 2.0e-3
    error = clean * 0.01 + 2e-5
    flux = clean + error * noise_source(recipe).standard_normal(_SAMPLES)
    spec_model = model_class("SpecModel")()
    table = np.zeros(_SAMPLES, spec_model.get_dtype("spec_table"))
    columns = {"WAVELENGTH": wavelength, "FLUX": flux, "FLUX_ERROR": error}
    columns |= {"SURF_BRIGHT": flux * 1e4, "SB_ERROR": error * 1e4, "NPIXELS": 12.0}
    for name, values in columns.items():
        table[name] = values
    spec_model.spec_table = table
    model = model_class("MultiSpecModel")()
    _describe_source(spec_model, recipe)
    model.spec.append(spec_model)
    describe(model, recipe)
    save(model, path)


def _samples(row):
    low, high = _band(row)
    return low + (high - low) * (np.arange(_SAMPLES) + 0.5) / _SAMPLES


def _describe_source(spec_model, recipe):
    """Write the units of a table of spectra, and whose they are."""
    units = {"wavelength": "um", "flux": "Jy", "flux_error": "Jy", "flux_var_poisson": "Jy^2"}
    units |= {"flux_var_rnoise": "Jy^2", "flux_var_flat": "Jy^2", "surf_bright": "MJy/sr"}
    units |= {"sb_error": "MJy/sr", "background": "MJy/sr", "bkgd_error": "MJy/sr"}
    for name, unit in units.items():
        spec_model.spec_table.columns[name].unit = unit
    spec_model.name = "S1600A1"
    spec_model.spectral_order, spec_model.source_id = 1, 1
    spec_model.source_type = "POINT"
    spec_model.source_ra, spec_model.source_dec = recipe.row["s_ra"], recipe.row["s_dec"]
    # A part is stamped when it is created, not when the whole is saved.
    spec_model.meta.date = DATE


def transit():
    """Brightness of a star in each integration of its time series, while a planet passes."""
    phase = np.linspace(-1, 1, _INTEGRATIONS)
    return 1 - 0.021 / (1 + np.exp((np.abs(phase) - 0.45) * 25))


def _write_x1dints(recipe, path):
    """Spectra of a time series: one in each row of a table."""
    wavelength = _samples(recipe.row)
    clean = spectrum(recipe.row, wavelength) * 2.0e-1 * transit()[:, None]
    error = clean * 2e-3
    noise = noise_source(recipe).standard_normal(clean.shape)
    spec_model = model_class("TSOSpecModel")()
    scalars = ("INT_NUM", "N_ALONGDISP", "SEGMENT")
    fields = [
        (name, kind) if name in scalars or name[:3] in ("MJD", "TDB") else (name, kind, _SAMPLES)
        for name, (kind, _) in spec_model.get_dtype("spec_table").fields.items()
    ]
    table = np.zeros(_INTEGRATIONS, np.dtype(fields))
    table["INT_NUM"], table["SEGMENT"] = np.arange(_INTEGRATIONS) + 1, 1
    table["N_ALONGDISP"], table["NPIXELS"] = _SAMPLES, 12.0
    table["WAVELENGTH"], table["FLUX"] = wavelength, clean + error * noise
    table["FLUX_ERROR"] = error
    times = np.linspace(recipe.row["t_min"], recipe.row["t_max"], _INTEGRATIONS + 1)
    table["MJD-BEG"], table["MJD-END"] = times[:-1], times[1:]
    table["MJD-AVG"] = (times[:-1] + times[1:]) / 2
    spec_model.spec_table = table
    model = model_class("TSOMultiSpecModel")()
    _describe_source(spec_model, recipe)
    model.spec.append(spec_model)
    describe(model, recipe)
    model.meta.exposure.type, model.meta.exposure.nints = "NRS_BRIGHTOBJ", _INTEGRATIONS
    save(model, path)


def detector_counts(recipe, shape):
    """Count rate in DN/s of an exposure: bright traces along the rows of the detector."""
    rows, columns = shape
    low, high = _band(recipe.row)
    wavelength = low + (high - low) * np.arange(columns) / columns
    line, place = spectrum(recipe.row, wavelength), np.arange(rows)[:, None]
    image = np.full(shape, 0.05, np.float32)
    for trace in range(12, rows, 24):
        bend = trace + 4 * np.sin(np.arange(columns) / columns * 3)
        image += (6 * line * np.exp(-(((place - bend) / 2.5) ** 2))).astype(np.float32)
    return image


def preview(recipe):
    """Picture of a spectrum: rectified, one slice of the cube, or as the detector saw it."""
    if recipe.row["dataproduct_type"] == "spectrum" and recipe.level == 3:
        return np.repeat(_long_slit(recipe)[0], 6, axis=0)
    if recipe.row["dataproduct_type"] == "timeseries" and recipe.level == 3:
        light = spectrum(recipe.row, _samples(recipe.row))
        return np.repeat(transit()[:, None] * light, 16, axis=0)
    if recipe.level == 3:
        plane = _cube(recipe, np.array([1.9178]))[0][0]
        return np.kron(plane, np.ones((8, 8)))
    return detector_counts(recipe, (256, 256))


#: Kind of file to the function that writes it: (recipe, path) -> None.
WRITERS = {"s3d": _write_s3d, "s2d": _write_s2d, "x1d": _write_x1d, "x1dints": _write_x1dints}
