"""Files of the other missions: HST images and spectra, TESS light curves; guide-star files."""

from __future__ import annotations

import numpy as np

from . import sizes
from .images import noise_source, noisy_scene
from .sky import polygon

__all__ = ["WRITERS"]

_ELECTRONS_PER_MJYSR = 2.5  # electrons per second that 1 MJy/sr gives in a pixel
_DAYS = 27.9  # length of a TESS sector
_PI_MENSAE_C = 6.26790  # days; the planet's period
_STAMP = 11


def _date(mjd):
    from astropy.time import Time

    return Time(mjd, format="mjd").isot


def _primary(recipe):
    """Primary HDU with the keywords of an HST data set."""
    from astropy.io import fits

    row = recipe.row
    instrument, _, detector = row["instrument_name"].partition("/")
    day, time = _date(row["t_min"]).split("T")
    primary = fits.PrimaryHDU()
    primary.header.update(
        FILENAME=recipe.filename,
        TELESCOP="HST",
        INSTRUME=instrument,
        DETECTOR=detector,
        ROOTNAME=row["obs_id"],
        IMAGETYP="EXT",
        OBSTYPE="IMAGING",
        TARGNAME=row["target_name"],
        RA_TARG=row["s_ra"],
        DEC_TARG=row["s_dec"],
        PROPOSID=int(row["proposal_id"]),
        PR_INV_L=row["proposal_pi"].split(",")[0],
        FILTER=row["filters"],
        EXPTIME=row["t_exptime"],
        EXPSTART=row["t_min"],
        EXPEND=row["t_max"],
        **{"DATE-OBS": day, "TIME-OBS": time[:8]},
    )
    primary.header["DATE"] = "2026-07-01"
    return primary


def _wcs_cards(grid, first_row=0):
    """FITS WCS of a grid, or of the part of it from a row on."""
    cards = {"WCSAXES": 2, "RADESYS": "ICRS", "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN"}
    cards |= {"CRPIX1": grid.crpix[0], "CRPIX2": grid.crpix[1] - first_row}
    cards |= {"CRVAL1": grid.center[0], "CRVAL2": grid.center[1], "CUNIT1": "deg", "CUNIT2": "deg"}
    for row in (0, 1):
        for column in (0, 1):
            cards[f"CD{row + 1}_{column + 1}"] = grid.cd[row, column] / 3600
    cards["S_REGION"] = polygon(grid.corners(), "ICRS ")
    return cards


def _image(data, name, version, unit=None, cards=None):
    from astropy.io import fits

    hdu = fits.ImageHDU(data, name=name, ver=version)
    hdu.header["INHERIT"] = True
    if unit:
        hdu.header["BUNIT"] = unit
    hdu.header.update(cards or {})
    return hdu


def _table(name):
    """Small table at the end, where real files keep the headers of their inputs."""
    from astropy.io import fits

    column = fits.Column("ROOTNAME", "9A", array=np.array(["ib5741a1q"]))
    return fits.BinTableHDU.from_columns([column], name=name)


def _write(path, *hdus):
    from astropy.io import fits

    fits.HDUList(list(hdus)).writeto(path)


def _write_drizzled(recipe, path):
    grid = sizes.grid_of(recipe)
    image, error = noisy_scene(recipe, grid, np.full(grid.shape, 2, np.float32))
    image = image * np.float32(_ELECTRONS_PER_MJYSR)
    cards = _wcs_cards(grid) | {"PHOTFLAM": 5.1e-18, "PHOTPLAM": recipe.row["em_min"] * 10}
    _write(
        path,
        _primary(recipe),
        _image(image, "SCI", 1, "ELECTRONS/S", cards),
        _image(1 / error**2, "WHT", 1, "UNITLESS", _wcs_cards(grid)),
        _image(np.full(grid.shape, 3, np.int32), "CTX", 1, "UNITLESS", _wcs_cards(grid)),
        _table("HDRTAB"),
    )


def _write_exposure(recipe, path):
    """Files ``flt`` and ``flc``: two chips, each with science, error and quality."""
    grid, hdus = sizes.grid_of(recipe), [_primary(recipe)]
    image, error = noisy_scene(recipe, grid, np.ones(grid.shape, np.float32))
    seconds = np.float32(_ELECTRONS_PER_MJYSR * recipe.row["t_exptime"])
    rows = sizes.shape_of(recipe)[0]
    for chip in (1, 2):
        first = (chip - 1) * rows
        part, cards = slice(first, first + rows), _wcs_cards(grid, first)
        quality = np.zeros((rows, grid.shape[1]), np.int16)
        hdus += [
            _image(image[part] * seconds, "SCI", chip, "ELECTRONS", cards),
            _image(error[part] * seconds, "ERR", chip, "ELECTRONS", cards),
            _image(quality, "DQ", chip, "UNITLESS", cards),
        ]
    _write(path, *hdus, _table("WCSCORR"))


def _write_raw(recipe, path):
    grid, hdus = sizes.grid_of(recipe), [_primary(recipe)]
    image, _ = noisy_scene(recipe, grid, np.ones(grid.shape, np.float32))
    seconds = _ELECTRONS_PER_MJYSR * recipe.row["t_exptime"] / 1.5
    counts = np.clip(2500 + image * seconds, 0, 65535).astype(np.uint16)
    rows = sizes.shape_of(recipe)[0]
    for chip in (1, 2):
        first = (chip - 1) * rows
        part = counts[first : first + rows]
        hdus.append(_image(part, "SCI", chip, "COUNTS", _wcs_cards(grid, first)))
    _write(path, *hdus)


def _write_hst_association(recipe, path):
    from astropy.io import fits

    columns = [
        fits.Column("MEMNAME", "14A", array=np.array([recipe.row["obs_id"].upper()])),
        fits.Column("MEMTYPE", "14A", array=np.array(["PROD-DTH"])),
        fits.Column("MEMPRSNT", "L", array=np.array([True])),
    ]
    _write(path, _primary(recipe), fits.BinTableHDU.from_columns(columns, name="ASN"))


def _write_hst_spectrum(recipe, path):
    """Files ``x1d`` and ``x1dsum`` of COS: the two segments of its detector, a row for each."""
    from astropy.io import fits

    low, high = recipe.row["em_min"] * 10, recipe.row["em_max"] * 10  # Angstrom
    middle, count = (low + high) / 2, 1200
    light = np.array([np.linspace(middle + 8, high, count), np.linspace(low, middle - 8, count)])
    clean = 2e-14 * (light / 1300) ** -1.2 * np.ones_like(light)
    for line, depth in ((1215.67, 0.95), (1242.9, 0.4), (1334.5, 0.8), (1393.8, 0.6)):
        clean = clean * (1 - depth * np.exp(-(((light - line) / 0.6) ** 2)))
    error = 0.04 * clean + 1e-16
    flux = clean + error * noise_source(recipe).standard_normal(light.shape)
    unit = "erg /s /cm**2 /angstrom"
    columns = [
        fits.Column("SEGMENT", "4A", array=np.array(["FUVA", "FUVB"])),
        fits.Column("EXPTIME", "D", unit="s", array=np.full(2, recipe.row["t_exptime"])),
        fits.Column("NELEM", "J", array=np.full(2, count)),
        fits.Column("WAVELENGTH", f"{count}D", unit="angstrom", array=light),
        fits.Column("FLUX", f"{count}E", unit=unit, array=flux),
        fits.Column("ERROR", f"{count}E", unit=unit, array=error),
        fits.Column("DQ", f"{count}I", array=np.zeros(light.shape, np.int16)),
    ]
    primary = _primary(recipe)
    primary.header["OBSTYPE"] = "SPECTROSCOPIC"
    primary.header["OPT_ELEM"] = recipe.row["filters"]
    _write(path, primary, fits.BinTableHDU.from_columns(columns, name="SCI"))


# -- TESS --------------------------------------------------------------------


def _cadences(recipe, count):
    """Time (BTJD, days) and relative brightness of a star with a small transiting planet."""
    time = 1325.293 + np.arange(count) * _DAYS / count
    phase = (time - 1325.504 + _PI_MENSAE_C / 2) % _PI_MENSAE_C - _PI_MENSAE_C / 2
    bright = 1 - 3e-4 * (np.abs(phase) < 0.0617)
    return time, bright + 1.2e-4 * noise_source(recipe).standard_normal(count)


def _tess_primary(recipe, creator):
    from astropy.io import fits

    row = recipe.row
    primary = fits.PrimaryHDU()
    primary.header.update(
        ORIGIN="NASA/Ames",
        CREATOR=creator,
        PROCVER="spoc-5.0.20",
        TELESCOP="TESS",
        INSTRUME="TESS Photometer",
        OBJECT=f"TIC {row['target_name']}",
        TICID=int(row["target_name"]),
        SECTOR=row["sequence_number"],
        CAMERA=4,
        CCD=2,
        RADESYS="ICRS",
        RA_OBJ=row["s_ra"],
        DEC_OBJ=row["s_dec"],
        EQUINOX=2000.0,
        TESSMAG=5.1054,
        TEFF=6037.0,
        DATE="2026-07-01",
        FILENAME=recipe.filename,
    )
    return primary


def _tess_table(columns, name, time):
    from astropy.io import fits

    table = fits.BinTableHDU.from_columns(columns, name=name)
    table.header.update(
        TELESCOP="TESS",
        INSTRUME="TESS Photometer",
        TIMEREF="SOLARSYSTEM",
        TASSIGN="SPACECRAFT",
        TIMESYS="TDB",
        BJDREFI=2457000,
        BJDREFF=0.0,
        TIMEUNIT="d",
        TSTART=time[0],
        TSTOP=time[-1],
        EXPOSURE=20.1,
        TIMEDEL=_DAYS / len(time),
    )
    return table


def _aperture(recipe):
    from astropy.io import fits

    mask = np.ones((_STAMP, _STAMP), np.int32)
    mask[3:8, 3:8] = 3
    hdu = fits.ImageHDU(mask, name="APERTURE")
    hdu.header.update(TELESCOP="TESS", NPIXSAP=25)
    hdu.header.update(CTYPE1="RA---TAN", CTYPE2="DEC--TAN", CUNIT1="deg", CUNIT2="deg")
    hdu.header.update(CRPIX1=6.0, CRPIX2=6.0, CRVAL1=recipe.row["s_ra"])
    hdu.header.update(CRVAL2=recipe.row["s_dec"], CDELT1=-0.00583, CDELT2=0.00583)
    return hdu


def _write_light_curve(recipe, path):
    from astropy.io import fits

    time, bright = _cadences(recipe, 1800)
    count, flux = len(time), 1.4e6 * bright
    zero = np.zeros(count, np.float32)
    drift = 1 + 5e-4 * np.sin(time / 4)
    columns = [
        fits.Column("TIME", "D", unit="BJD - 2457000, days", array=time),
        fits.Column("TIMECORR", "E", unit="d", array=zero),
        fits.Column("CADENCENO", "J", array=70444 + np.arange(count)),
        fits.Column("SAP_FLUX", "E", unit="e-/s", array=flux * drift),
        fits.Column("SAP_FLUX_ERR", "E", unit="e-/s", array=zero + 90),
        fits.Column("SAP_BKG", "E", unit="e-/s", array=zero + 1500),
        fits.Column("SAP_BKG_ERR", "E", unit="e-/s", array=zero + 8),
        fits.Column("PDCSAP_FLUX", "E", unit="e-/s", array=flux),
        fits.Column("PDCSAP_FLUX_ERR", "E", unit="e-/s", array=zero + 90),
        fits.Column("QUALITY", "J", array=np.where(np.arange(count) % 450 == 449, 32, 0)),
    ]
    for name in ("PSF_CENTR1", "PSF_CENTR2", "MOM_CENTR1", "MOM_CENTR2"):
        columns.append(fits.Column(name, "D", unit="pixel", array=zero + 350.5))
        columns.append(fits.Column(f"{name}_ERR", "E", unit="pixel", array=zero + 1e-3))
    columns += [fits.Column(f"POS_CORR{axis}", "E", unit="pixel", array=zero) for axis in (1, 2)]
    table = _tess_table(columns, "LIGHTCURVE", time)
    _write(path, _tess_primary(recipe, "LightCurveExporter"), table, _aperture(recipe))


def _write_target_pixels(recipe, path):
    from astropy.io import fits

    time, bright = _cadences(recipe, 600)
    count = len(time)
    y, x = np.mgrid[:_STAMP, :_STAMP] - (_STAMP - 1) / 2
    stamp = 1.4e6 * np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)
    flux = (stamp * bright[:, None, None]).astype(np.float32)
    zero = np.zeros(count, np.float32)
    pixels = {"format": f"{_STAMP**2}E", "dim": f"({_STAMP},{_STAMP})", "unit": "e-/s"}
    counts = (flux * 1.98).astype(np.int32)
    columns = [
        fits.Column("TIME", "D", unit="BJD - 2457000, days", array=time),
        fits.Column("TIMECORR", "E", unit="d", array=zero),
        fits.Column("CADENCENO", "J", array=70444 + np.arange(count)),
        fits.Column("RAW_CNTS", **pixels | {"format": "121J", "unit": "count"}, array=counts),
        fits.Column("FLUX", **pixels, array=flux),
        fits.Column("FLUX_ERR", **pixels, array=np.sqrt(flux + 10)),
        fits.Column("FLUX_BKG", **pixels, array=np.full_like(flux, 12)),
        fits.Column("FLUX_BKG_ERR", **pixels, array=np.full_like(flux, 0.3)),
        fits.Column("QUALITY", "J", array=np.zeros(count, np.int32)),
        fits.Column("POS_CORR1", "E", unit="pixel", array=zero),
        fits.Column("POS_CORR2", "E", unit="pixel", array=zero),
    ]
    table = _tess_table(columns, "PIXELS", time)
    # Column and row on the CCD of the stamp's first pixel, and its WCS, as columns carry it.
    for number in (4, 5, 6, 7, 8):
        cards = {"1CRV": 345, "2CRV": 590, "1CRPX": 6.0, "2CRPX": 6.0}
        table.header[f"1CRV{number}P"] = cards["1CRV"]
        table.header[f"2CRV{number}P"] = cards["2CRV"]
        table.header[f"1CTYP{number}"], table.header[f"2CTYP{number}"] = "RA---TAN", "DEC--TAN"
        table.header[f"1CRPX{number}"], table.header[f"2CRPX{number}"] = 6.0, 6.0
        table.header[f"1CRVL{number}"] = recipe.row["s_ra"]
        table.header[f"2CRVL{number}"] = recipe.row["s_dec"]
        table.header[f"1CDLT{number}"], table.header[f"2CDLT{number}"] = -0.00583, 0.00583
    _write(path, _tess_primary(recipe, "TargetPixelExporter"), table, _aperture(recipe))


# -- guide stars -------------------------------------------------------------


def _write_guide_star(recipe, path):
    from astropy.io import fits

    y, x = np.mgrid[:128, :128] - 63.5
    noise = noise_source(recipe).standard_normal(x.shape)
    star = 5e4 * np.exp(-(x**2 + y**2) / 8) + 20 * noise
    primary = fits.PrimaryHDU()
    primary.header.update(
        DATE="2026-07-01T12:00:00.000",
        ORIGIN="STSCI",
        FILENAME=recipe.filename,
        TELESCOP="JWST",
        INSTRUME="FGS",
        DETECTOR="GUIDER1",
        EXP_TYPE="FGS_" + recipe.kind[3:].upper(),
        PROGRAM=f"{int(recipe.row['proposal_id']):05}",
    )
    image = fits.ImageHDU(star.astype(np.float32), name="SCI")
    image.header["BUNIT"] = "DN/s"
    _write(path, primary, image)


#: Kind of file to the function that writes it: (recipe, path) -> None.
WRITERS = {
    "drz": _write_drizzled,
    "drc": _write_drizzled,
    "flt": _write_exposure,
    "flc": _write_exposure,
    "raw": _write_raw,
    "hst-asn": _write_hst_association,
    "hst-x1d": _write_hst_spectrum,
    "hst-x1dsum": _write_hst_spectrum,
    "lc": _write_light_curve,
    "tp": _write_target_pixels,
    "gs-id": _write_guide_star,
    "gs-acq1": _write_guide_star,
    "gs-fg": _write_guide_star,
}
