"""Small files of every kind that opens: JWST's by stdatamodels' own models, others by hand."""

import astropy.units as u
import numpy as np
from astropy.coordinates import ICRS, SkyCoord
from astropy.io import fits
from astropy.modeling import models
from astropy.table import QTable
from gwcs import WCS as GWCS  # noqa: N811
from gwcs import coordinate_frames as frames
from stdatamodels.jwst import datamodels

RA, DEC = 202.4696, 47.1952
SIDE = 24  # pixels of an image
CUBE = (12, 10, 11)
SLIT = (14, 60)
LAMBDA = 100  # samples of a 1D spectrum
_EXPOSURE = "jw01783001001_02101_00001_nrcblong"
_TARGET = "jw01783-o001_t001_nircam_f444w"


def make(suffix, folder):
    """Write the file of a suffix of the table; return its path, and the name of its observation."""
    name, write = FILES[suffix]
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)
    return path


def pixels(shape, seed=0):
    return np.random.default_rng(seed).normal(5, 1, shape).astype("f4")


# JWST


def _describe(model, exposure_type, unit=None, instrument="NIRCAM", detector="NRCBLONG"):
    meta = model.meta
    meta.telescope = "JWST"
    meta.instrument.name, meta.instrument.detector = instrument, detector
    meta.instrument.filter = "F444W" if instrument == "NIRCAM" else "CLEAR"
    meta.exposure.type = exposure_type
    meta.observation.date, meta.observation.time = "2023-06-01", "00:00:00"
    meta.target.catalog_name, meta.target.ra, meta.target.dec = "M-51", RA, DEC
    if unit:
        meta.bunit_data = meta.bunit_err = unit


def _celestial(model, side=SIDE):
    info = model.meta.wcsinfo
    info.wcsaxes, info.crpix1, info.crpix2 = 2, side / 2, side / 2
    info.crval1, info.crval2, info.cdelt1, info.cdelt2 = RA, DEC, -1e-5, 1e-5
    info.ctype1, info.ctype2, info.cunit1, info.cunit2 = "RA---TAN", "DEC--TAN", "deg", "deg"
    info.pc1_1 = info.pc2_2 = 1.0
    info.pc1_2 = info.pc2_1 = 0.0


def _sky_gwcs(side=SIDE):
    shift = models.Shift(1 - side / 2) & models.Shift(1 - side / 2)
    scale = models.Scale(-1e-5) & models.Scale(1e-5)
    to_sky = models.Pix2Sky_TAN() | models.RotateNative2Celestial(RA, DEC, 180)
    result = GWCS([(_detector(2), shift | scale | to_sky), (_sky(), None)])
    result.bounding_box = ((-0.5, side - 0.5), (-0.5, side - 0.5))
    return result


def _detector(axes):
    return frames.CoordinateFrame(
        naxes=axes, axes_type=["SPATIAL"] * axes, axes_order=tuple(range(axes)),
        unit=[u.pix] * axes, name="detector",
    )  # fmt: skip


def _sky():
    return frames.CelestialFrame(
        name="sky", reference_frame=ICRS(), unit=(u.deg, u.deg), axes_order=(0, 1)
    )


def _sky_and_light():
    light = frames.SpectralFrame(name="light", unit=(u.um,), axes_order=(2,))
    return frames.CompositeFrame([_sky(), light], name="world")


def slit_gwcs(shape, along_y=False):
    """Wavelength along one axis of a slit, the sky along the other."""
    length = shape[0] if along_y else shape[1]
    light = models.Polynomial1D(1, c0=1.0, c1=4 / length)
    ra, dec = models.Polynomial1D(1, c0=RA, c1=1e-5), models.Polynomial1D(1, c0=DEC, c1=1e-5)
    order = (0, 0, 1) if along_y else (1, 1, 0)
    transform = models.Mapping(order, n_inputs=2) | ra & dec & light
    result = GWCS([(_detector(2), transform), (_sky_and_light(), None)])
    result.bounding_box = ((-0.5, shape[1] - 0.5), (-0.5, shape[0] - 0.5))
    return result


def _image(kind, unit, gwcs=True, exposure_type="NRC_IMAGE"):
    def write(path):
        model = kind()
        model.data = pixels((SIDE, SIDE))
        model.err = np.full((SIDE, SIDE), 0.1, "f4")
        _describe(model, exposure_type, unit)
        _celestial(model)
        if gwcs:
            model.meta.wcs = _sky_gwcs()
        model.save(str(path))

    return write


def _segmentation(path):
    model = datamodels.SegmentationMapModel()
    model.data = np.random.default_rng(2).integers(0, 9, (SIDE, SIDE)).astype("u4")
    _describe(model, "NRC_IMAGE")
    _celestial(model)
    model.meta.wcs = _sky_gwcs()
    model.save(str(path))


def _stack(count, unit, exposure_type="NRC_TSIMAGE"):
    def write(path):
        model = datamodels.CubeModel()
        shape = (count, SIDE, SIDE)
        model.data, model.err = pixels(shape), np.full(shape, 0.1, "f4")
        model.dq = np.zeros(shape, "u4")
        _describe(model, exposure_type, unit)
        _celestial(model)
        model.save(str(path))

    return write


def _psf_stack(path):
    model = datamodels.CubeModel()
    model.data = pixels((3, SIDE, SIDE))
    _describe(model, "NRC_CORON")
    model.save(str(path))


def _raw_ramp(path):
    model = datamodels.Level1bModel()
    rng = np.random.default_rng(3)
    model.data = rng.integers(0, 60000, (2, 5, SIDE, SIDE)).astype("u2")
    _describe(model, "NRC_IMAGE")
    model.meta.bunit_data = "DN"
    model.save(str(path))


def _ramp(path):
    model = datamodels.RampModel()
    model.data = pixels((1, 5, SIDE, SIDE))
    _describe(model, "NRC_IMAGE", "DN")
    model.save(str(path))


def _slit(path):
    write_slit(path, SLIT)


def write_slit(path, shape, along_y=False, unit="MJy/sr"):
    model = datamodels.SlitModel()
    model.data, model.err = pixels(shape), np.full(shape, 0.1, "f4")
    _describe(model, "MIR_LRS-FIXEDSLIT", unit, "MIRI", "MIRIMAGE")
    model.meta.wcsinfo.dispersion_direction = 2 if along_y else 1
    model.meta.wcs = slit_gwcs(shape, along_y)
    model.save(str(path))


def write_slits(path, count):
    model = datamodels.MultiSlitModel()
    _describe(model, "NRS_MSASPEC", None, "NIRSPEC", "NRS1")
    for number in range(count):
        slit = datamodels.SlitModel()
        slit.data, slit.err = pixels(SLIT, number), np.full(SLIT, 0.1, "f4")
        slit.meta.bunit_data = slit.meta.bunit_err = "MJy"
        slit.meta.wcsinfo.dispersion_direction = 1
        slit.meta.wcs = slit_gwcs(SLIT)
        slit.name, slit.source_id = f"S{number}", number + 1
        model.slits.append(slit)
    model.save(str(path))


def _cube(path):
    model = datamodels.IFUCubeModel()
    model.data, model.err = pixels(CUBE), np.full(CUBE, 0.1, "f4")
    model.dq = np.zeros(CUBE, "u4")
    model.dq[:, 0, 0] = 513
    model.weightmap = np.ones(CUBE, "f4")
    _describe(model, "NRS_IFU", "MJy/sr", "NIRSPEC", "NRS1")
    info = model.meta.wcsinfo
    info.wcsaxes, info.crpix1, info.crpix2, info.crpix3 = 3, 5.5, 5.0, 1.0
    info.crval1, info.crval2, info.crval3 = RA, DEC, 2.87
    info.cdelt1, info.cdelt2, info.cdelt3 = -2.8e-5, 2.8e-5, 0.01
    info.ctype1, info.ctype2, info.ctype3 = "RA---TAN", "DEC--TAN", "WAVE"
    info.cunit1, info.cunit2, info.cunit3 = "deg", "deg", "um"
    info.pc1_1 = info.pc2_2 = info.pc3_3 = 1.0
    info.pc1_2 = info.pc1_3 = info.pc2_1 = info.pc2_3 = info.pc3_1 = info.pc3_2 = 0.0
    model.meta.photometry.pixelarea_steradians = 2.35e-13
    celestial = _sky_gwcs(10).forward_transform
    light = models.Polynomial1D(1, c0=2.87, c1=0.01)
    model.meta.wcs = GWCS([(_detector(3), celestial & light), (_sky_and_light(), None)])
    model.save(str(path))


_UNITS = {"wavelength": "um", "flux": "Jy", "flux_error": "Jy", "surf_bright": "MJy/sr",
          "sb_error": "MJy/sr"}  # fmt: skip


def _spectrum_table(model, shape, seed):
    table = np.zeros(shape, model.get_dtype("spec_table"))
    rng = np.random.default_rng(seed)
    table["WAVELENGTH"] = np.linspace(1, 5, LAMBDA)
    table["FLUX"] = 1e-3 * rng.normal(5, 1, table["FLUX"].shape)
    table["FLUX_ERROR"] = 1e-5
    table["SURF_BRIGHT"] = 10 * table["FLUX"]
    table["SB_ERROR"] = 1e-4
    return table


def write_spectra(path, count, source_type="POINT"):
    model = datamodels.MultiSpecModel()
    _describe(model, "NRS_FIXEDSLIT", None, "NIRSPEC", "NRS1")
    for number in range(count):
        part = datamodels.SpecModel()
        part.spec_table = _spectrum_table(part, LAMBDA, number)
        for name, unit in _UNITS.items():
            part.spec_table.columns[name].unit = unit
        part.name, part.source_id, part.source_type = f"S{number}", number + 1, source_type
        part.spectral_order = 1
        model.spec.append(part)
    model.save(str(path))


def _combined(path):
    model = datamodels.MultiCombinedSpecModel()
    _describe(model, "NRS_FIXEDSLIT", None, "NIRSPEC", "NRS1")
    part = datamodels.CombinedSpecModel()
    table = np.zeros(LAMBDA, part.get_dtype("spec_table"))
    table["WAVELENGTH"], table["FLUX"] = np.linspace(1, 5, LAMBDA), pixels(LAMBDA)
    table["ERROR"], table["SURF_BRIGHT"], table["SB_ERROR"] = 0.1, 1.0, 0.1
    part.spec_table = table
    units = {"wavelength": "um", "flux": "Jy", "error": "Jy", "surf_bright": "MJy/sr"}
    for name, unit in units.items():
        part.spec_table.columns[name].unit = unit
    model.spec.append(part)
    model.save(str(path))


def write_integrations(path, count):
    """A time series as the pipeline writes it now: an integration in each row."""
    model = datamodels.TSOMultiSpecModel()
    _describe(model, "NRS_BRIGHTOBJ", None, "NIRSPEC", "NRS1")
    part = datamodels.TSOSpecModel()
    scalars = ("INT_NUM", "N_ALONGDISP", "SEGMENT")
    fields = [
        (name, kind)
        if name in scalars or name.startswith(("MJD", "TDB"))
        else (name, kind, (LAMBDA,))
        for name, (kind, _) in part.get_dtype("spec_table").fields.items()
    ]
    table = np.zeros(count, np.dtype(fields))
    rng = np.random.default_rng(5)
    table["INT_NUM"], table["N_ALONGDISP"] = np.arange(count) + 1, LAMBDA - 4
    table["WAVELENGTH"] = np.linspace(1, 5, LAMBDA)
    table["WAVELENGTH"][:, LAMBDA - 4 :] = np.nan  # padding
    table["FLUX"] = rng.normal(5, 1, (count, LAMBDA))
    table["FLUX_ERROR"] = 0.1
    part.spec_table = table
    for name, unit in _UNITS.items():
        part.spec_table.columns[name].unit = unit
    part.source_type = "POINT"
    model.spec.append(part)
    model.save(str(path))


def _x1dints(path):
    write_integrations(path, 3)


# Catalogs


def _catalog(path):
    rng = np.random.default_rng(6)
    number = 20
    table = QTable(
        {
            "label": np.arange(number) + 1,
            "xcentroid": rng.uniform(0, SIDE, number) * u.pix,
            "ycentroid": rng.uniform(0, SIDE, number) * u.pix,
            "sky_centroid": SkyCoord(
                RA + rng.uniform(-1e-4, 1e-4, number),
                DEC + rng.uniform(-1e-4, 1e-4, number),
                unit="deg",
            ),
            "aper_total_flux": rng.uniform(1, 10, number) * u.Jy,
            "is_extended": np.zeros(number, bool),
        }
    )
    table.write(path, format="ascii.ecsv")


def _white_light(path):
    table = QTable(
        {
            "MJD": np.linspace(59000, 59000.2, 30),
            "whitelight_flux": np.random.default_rng(7).normal(5, 0.1, 30) * u.Jy,
        }
    )
    table.write(path, format="ascii.ecsv")


# HST


def _hst_primary(instrument, observation_type):
    primary = fits.PrimaryHDU()
    primary.header.update(
        TELESCOP="HST", INSTRUME=instrument, OBSTYPE=observation_type, TARGNAME="M51"
    )
    return primary


def celestial_header(unit):
    return fits.Header(
        {
            "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": SIDE / 2, "CRPIX2": SIDE / 2,
            "CRVAL1": RA, "CRVAL2": DEC, "CDELT1": -1e-5, "CDELT2": 1e-5, "BUNIT": unit,
        }
    )  # fmt: skip


def _hst_image(*extensions, unit="ELECTRONS/S"):
    def write(path):
        hdus = [_hst_primary("ACS", "IMAGING")]
        for number, (name, version) in enumerate(extensions):
            header = celestial_header(unit if name in ("SCI", "ERR") else "UNITLESS")
            header["CCDCHIP"] = 3 - version
            hdus.append(fits.ImageHDU(pixels((SIDE, SIDE), number), header, name, ver=version))
        fits.HDUList(hdus).writeto(path)

    return write


def _cos(path):
    rng = np.random.default_rng(8)
    light = np.array([np.linspace(1300, 1450, LAMBDA), np.linspace(1130, 1290, LAMBDA)])
    flux = 1e-14 * rng.normal(5, 1, light.shape)
    vector, unit = f"{LAMBDA}E", "erg /s /cm**2 /angstrom"
    columns = [
        fits.Column("SEGMENT", "4A", array=["FUVA", "FUVB"]),
        fits.Column("NELEM", "J", array=[LAMBDA, LAMBDA]),
        fits.Column("WAVELENGTH", f"{LAMBDA}D", unit="angstrom", array=light),
        fits.Column("FLUX", vector, unit=unit, array=flux),
        fits.Column("ERROR", vector, unit=unit, array=flux * 0.1),
        fits.Column("DQ", f"{LAMBDA}I", array=np.zeros_like(light, "i2")),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SCI")
    fits.HDUList([_hst_primary("COS", "SPECTROSCOPIC"), table]).writeto(path)


def _stis(path):
    """Two orders of an echelle, of which the second is the bluer."""
    light = np.array([np.linspace(2500, 2600, LAMBDA), np.linspace(2400, 2500, LAMBDA)])
    flux = pixels(light.shape)
    vector, unit = f"{LAMBDA}E", "erg/s/cm**2/Angstrom"
    columns = [
        fits.Column("SPORDER", "I", array=[70, 71]),
        fits.Column("NELEM", "I", array=[LAMBDA, LAMBDA]),
        fits.Column("WAVELENGTH", f"{LAMBDA}D", unit="Angstroms", array=light),
        fits.Column("FLUX", vector, unit=unit, array=flux),
        fits.Column("ERROR", vector, unit=unit, array=flux * 0.1),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="SCI")
    fits.HDUList([_hst_primary("STIS", "SPECTROSCOPIC"), table]).writeto(path)


def _stis_2d(path):
    header = fits.Header(
        {
            "CTYPE1": "LAMBDA", "CTYPE2": "ANGLE", "CRPIX1": 1.0, "CRPIX2": 7.0,
            "CRVAL1": 2500.0, "CRVAL2": 0.0, "CUNIT1": "angstrom", "CUNIT2": "arcsec",
            "CD1_1": 1.5, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.025,
            "BUNIT": "erg/s/cm**2/angstrom/arcsec**2",
        }
    )  # fmt: skip
    science = fits.ImageHDU(pixels(SLIT), header, "SCI", ver=1)
    error = fits.ImageHDU(np.full(SLIT, 0.1, "f4"), header, "ERR", ver=1)
    fits.HDUList([_hst_primary("STIS", "SPECTROSCOPIC"), science, error]).writeto(path)


# TESS, Kepler


def _photometer(telescope, creator):
    primary = fits.PrimaryHDU()
    primary.header.update(
        TELESCOP=telescope, ORIGIN="NASA/Ames", CREATOR=creator, OBJECT="a star", RA_OBJ=RA,
        DEC_OBJ=DEC, EQUINOX=2000.0, MISSION=telescope,
    )  # fmt: skip
    if telescope == "TESS":
        primary.header.update(TICID=1, SECTOR=1, CAMERA=1, CCD=1, INSTRUME="TESS Photometer")
    else:
        primary.header.update(
            KEPLERID=1, QUARTER=1, CHANNEL=1, MODULE=2, OUTPUT=1, OBSMODE="long cadence",
            INSTRUME="Kepler Photometer",
        )  # fmt: skip
    return primary


def _time_cards(table, telescope, time):
    table.header.update(
        TELESCOP=telescope, TIMEREF="SOLARSYSTEM", TIMESYS="TDB", TIMEUNIT="d", BJDREFF=0.0,
        BJDREFI=2457000 if telescope == "TESS" else 2454833, TSTART=time[0], TSTOP=time[-1],
        EXPOSURE=20.0,
    )  # fmt: skip


def _light_curve(telescope, creator):
    def write(path):
        time = np.linspace(1325, 1352, 200)
        zero = np.zeros(len(time), "f4")
        rng = np.random.default_rng(9)
        quality = "QUALITY" if telescope == "TESS" else "SAP_QUALITY"
        columns = [
            fits.Column("TIME", "D", unit="BJD - 2457000, days", array=time),
            fits.Column("TIMECORR", "E", unit="d", array=zero),
            fits.Column("CADENCENO", "J", array=np.arange(len(time))),
            fits.Column("SAP_FLUX", "E", unit="e-/s", array=rng.normal(1000, 1, len(time))),
            fits.Column("SAP_FLUX_ERR", "E", unit="e-/s", array=zero + 1),
            fits.Column("PDCSAP_FLUX", "E", unit="e-/s", array=rng.normal(1000, 1, len(time))),
            fits.Column("PDCSAP_FLUX_ERR", "E", unit="e-/s", array=zero + 1),
            fits.Column(quality, "J", array=zero),
            fits.Column("MOM_CENTR1", "D", unit="pixel", array=zero),
            fits.Column("MOM_CENTR2", "D", unit="pixel", array=zero),
        ]
        table = fits.BinTableHDU.from_columns(columns, name="LIGHTCURVE")
        _time_cards(table, telescope, time)
        aperture = fits.ImageHDU(np.ones((5, 5), "i4"), name="APERTURE")
        fits.HDUList([_photometer(telescope, creator), table, aperture]).writeto(path)

    return write


def _target_pixels(telescope, creator):
    def write(path):
        time = np.linspace(1325, 1352, 30)
        shape = (len(time), 5, 5)
        stamp = {"format": "25E", "dim": "(5,5)", "unit": "e-/s"}
        columns = [
            fits.Column("TIME", "D", unit="BJD - 2457000, days", array=time),
            fits.Column("TIMECORR", "E", unit="d", array=np.zeros(len(time), "f4")),
            fits.Column("CADENCENO", "J", array=np.arange(len(time))),
            fits.Column("RAW_CNTS", "25J", dim="(5,5)", unit="count", array=np.ones(shape, "i4")),
            fits.Column("FLUX", **stamp, array=pixels(shape)),
            fits.Column("FLUX_ERR", **stamp, array=np.full(shape, 0.1, "f4")),
            fits.Column("FLUX_BKG", **stamp, array=np.ones(shape, "f4")),
            fits.Column("FLUX_BKG_ERR", **stamp, array=np.full(shape, 0.1, "f4")),
            fits.Column("QUALITY", "J", array=np.zeros(len(time), "i4")),
            fits.Column("POS_CORR1", "E", unit="pixel", array=np.zeros(len(time), "f4")),
            fits.Column("POS_CORR2", "E", unit="pixel", array=np.zeros(len(time), "f4")),
        ]
        table = fits.BinTableHDU.from_columns(columns, name="PIXELS")
        _time_cards(table, telescope, time)
        for number in (4, 5, 6, 7, 8):
            table.header.update(
                {
                    f"1CRV{number}P": 345, f"2CRV{number}P": 590, f"1CRPX{number}": 3.0,
                    f"2CRPX{number}": 3.0, f"1CTYP{number}": "RA---TAN",
                    f"2CTYP{number}": "DEC--TAN", f"1CRVL{number}": RA, f"2CRVL{number}": DEC,
                    f"1CDLT{number}": -0.005, f"2CDLT{number}": 0.005, f"1CUNI{number}": "deg",
                    f"2CUNI{number}": "deg",
                }
            )  # fmt: skip
        aperture = fits.ImageHDU(np.full((5, 5), 3, "i4"), name="APERTURE")
        fits.HDUList([_photometer(telescope, creator), table, aperture]).writeto(path)

    return write


def _tess_frame(path):
    header = celestial_header("electrons/s")
    header["CAMERA"] = 1
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(pixels((SIDE, SIDE)), header)]).writeto(path)


_TESS = "tess2018206045859-s0001-0000000000000001-0120-s"
_KEPLER = "kplr000000001-2009131105131"
_IMAGE = datamodels.ImageModel

#: Suffix to the name of a file and what writes it; one of every suffix that opens.
FILES = {
    "uncal": (f"{_EXPOSURE}_uncal.fits", _raw_ramp),
    "ramp": (f"{_EXPOSURE}_ramp.fits", _ramp),
    "dark": (f"{_EXPOSURE}_dark.fits", _ramp),
    "rate": (f"{_EXPOSURE}_rate.fits", _image(_IMAGE, "DN/s", gwcs=False)),
    "rateints": (f"{_EXPOSURE}_rateints.fits", _stack(3, "DN/s")),
    "cal": (f"{_EXPOSURE}_cal.fits", _image(_IMAGE, "MJy/sr")),
    "calints": (f"{_EXPOSURE}_calints.fits", _stack(3, "MJy/sr")),
    "bsub": (f"{_EXPOSURE}_bsub.fits", _image(_IMAGE, "DN/s")),
    "crf": (f"{_EXPOSURE}_o001_crf.fits", _image(_IMAGE, "MJy/sr")),
    "crfints": (f"{_EXPOSURE}_o001_crfints.fits", _stack(2, "MJy/sr")),
    "i2d": (f"{_TARGET}_i2d.fits", _image(_IMAGE, "MJy/sr")),
    "segm": (f"{_TARGET}_segm.fits", _segmentation),
    "psfstack": (f"{_TARGET}_psfstack.fits", _psf_stack),
    "psfalign": (f"{_EXPOSURE}_psfalign.fits", _psf_stack),
    "psfsub": (f"{_EXPOSURE}_psfsub.fits", _psf_stack),
    "wfscmb": (f"{_TARGET}_wfscmb-01.fits", _image(_IMAGE, "MJy/sr")),
    "amilg": (f"{_EXPOSURE}_amilg.fits", _image(_IMAGE, "MJy/sr", gwcs=False)),
    "s2d": (f"{_TARGET}_s2d.fits", _slit),
    "s3d": (f"{_TARGET}_s3d.fits", _cube),
    "x1d": (f"{_TARGET}_x1d.fits", lambda path: write_spectra(path, 1)),
    "c1d": (f"{_TARGET}_c1d.fits", _combined),
    "x1dints": (f"{_TARGET}_x1dints.fits", _x1dints),
    "cat": (f"{_TARGET}_cat.ecsv", _catalog),
    "phot": (f"{_TARGET}_phot.ecsv", _catalog),
    "whtlt": (f"{_TARGET}_whtlt.ecsv", _white_light),
    "raw": ("jabc01xyq_raw.fits", _hst_image(("SCI", 1), ("SCI", 2), unit="COUNTS")),
    "flt": ("jabc01xyq_flt.fits", _hst_image(("SCI", 1), ("ERR", 1), ("SCI", 2), ("ERR", 2))),
    "flc": ("jabc01xyq_flc.fits", _hst_image(("SCI", 1), ("ERR", 1), ("SCI", 2), ("ERR", 2))),
    "ima": ("jabc01xyq_ima.fits", _hst_image(("SCI", 1), ("ERR", 1), ("SCI", 2), ("ERR", 2))),
    "crj": ("jabc01xyq_crj.fits", _hst_image(("SCI", 1), ("ERR", 1))),
    "crc": ("jabc01xyq_crc.fits", _hst_image(("SCI", 1), ("ERR", 1))),
    "sfl": ("oabc01xyq_sfl.fits", _hst_image(("SCI", 1), ("ERR", 1))),
    "drz": ("jabc01010_drz.fits", _hst_image(("SCI", 1), ("WHT", 1))),
    "drc": ("jabc01010_drc.fits", _hst_image(("SCI", 1), ("WHT", 1))),
    "c0m": ("u2eq0701t_c0m.fits", _hst_image(("SCI", 1), ("SCI", 2), unit="COUNTS")),
    "c1m": ("u2eq0701t_c1m.fits", _hst_image(("SCI", 1), ("SCI", 2), unit="")),
    "c0f": ("u2eq0701t_c0f.fits", _hst_image(("SCI", 1), unit="COUNTS")),
    "c1f": ("u2eq0701t_c1f.fits", _hst_image(("SCI", 1), unit="")),
    "sx1": ("oabc01010_sx1.fits", _stis),
    "x1dsum": ("labc01010_x1dsum.fits", _cos),
    "x2d": ("oabc01010_x2d.fits", _stis_2d),
    "sx2": ("oabc01010_sx2.fits", _stis_2d),
    "ffir": ("tess2018206192942-s0001-1-1-0120-s_ffir.fits", _tess_frame),
    "ffic": ("tess2018206192942-s0001-1-1-0120-s_ffic.fits", _tess_frame),
    "lc": (f"{_TESS}_lc.fits", _light_curve("TESS", "LightCurveExporterPipelineModule")),
    "fast-lc": (f"{_TESS}_fast-lc.fits", _light_curve("TESS", "LightCurveExporter")),
    "tp": (f"{_TESS}_tp.fits", _target_pixels("TESS", "TargetPixelExporterPipelineModule")),
    "fast-tp": (f"{_TESS}_fast-tp.fits", _target_pixels("TESS", "TargetPixelExporter")),
    "llc": (f"{_KEPLER}_llc.fits", _light_curve("Kepler", "FluxExporter2PipelineModule")),
    "slc": (f"{_KEPLER}_slc.fits", _light_curve("Kepler", "FluxExporter2PipelineModule")),
    "lpd-targ": (
        f"{_KEPLER}_lpd-targ.fits.gz",
        _target_pixels("Kepler", "TargetPixelExporterPipelineModule"),
    ),
    "spd-targ": (
        f"{_KEPLER}_spd-targ.fits.gz",
        _target_pixels("Kepler", "TargetPixelExporterPipelineModule"),
    ),
}
