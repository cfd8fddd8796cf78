"""The memory that is forecast for an import, against the peak that it takes.

    python benchmarks/memory_forecast.py [--quick]

Every import has a process of its own. What is measured, and why that is fair: README.md.
"""

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
from astropy.io import fits

ALLOWED = 0.25  # of the measured peak
SCREEN = (600, 800)  # rows and columns of the viewers


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="files of a ninth of the size")
    parser.add_argument("--only", default="", help="cases with this word, such as cube")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not Path("/proc/self/clear_refs").exists():
        sys.exit("This benchmark reads the peak memory from Linux's /proc.")
    if options.run:
        run(*options.run)
    else:
        compare(3 if options.quick else 1, options.only)


# Files, as large as true ones


def write_i2d(path, side):
    from jdaviz_mast.demo import write_i2d

    write_i2d(path, (side, side))


def write_chips(path, side):
    """Write two chips, each with SCI, ERR and DQ, as of ACS and WFC3."""
    hdus = [fits.PrimaryHDU()]
    for chip in (1, 2):
        for name, dtype in (("SCI", "f4"), ("ERR", "f4"), ("DQ", "i2")):
            hdu = fits.ImageHDU(noise((side // 2, side), dtype), name=name, ver=chip)
            hdu.header.update(celestial(side), CCDCHIP=chip)
            hdus.append(hdu)
    fits.HDUList(hdus).writeto(path)


def write_drizzled(path, side):
    hdus = [fits.PrimaryHDU()]
    for name, dtype in (("SCI", "f4"), ("WHT", "f4"), ("CTX", "i4")):
        hdu = fits.ImageHDU(noise((side, side), dtype), name=name)
        hdu.header.update(celestial(side))
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path)


def write_full_frame(path, side):
    hdus = [fits.PrimaryHDU()]
    for name in ("SCI", "UNCERT"):
        hdu = fits.ImageHDU(noise((side, side), "f4"), name=name)
        hdu.header.update(celestial(side))
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path)


def write_cube(path, side):
    """Write a thousand planes of a fiftieth of the side, as of JWST's s3d."""
    hdus, shape = [jwst("SCI")], (1000, side // 50, side // 50)
    for name, dtype in (("SCI", "f4"), ("ERR", "f4"), ("DQ", "i4"), ("WMAP", "f4")):
        hdu = fits.ImageHDU(noise(shape, dtype) if name != "DQ" else np.zeros(shape, dtype))
        hdu.name = name
        hdu.header.update(celestial(side // 50))
        hdu.header.update(
            BUNIT="MJy/sr", WCSAXES=3, CTYPE3="WAVE", CUNIT3="um", CRPIX3=1.0, CRVAL3=5.0,
            CDELT3=0.001, CUNIT1="deg", CUNIT2="deg",
        )  # fmt: skip
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path)


def write_stack(path, side):
    """Write eight integrations, as of JWST's rateints."""
    hdus, shape = [jwst("rateints")], (8, side // 3, side // 3)
    for name in ("SCI", "ERR", "DQ", "VAR_POISSON", "VAR_RNOISE"):
        hdu = fits.ImageHDU(noise(shape, "i4" if name == "DQ" else "f4"), name=name)
        hdu.header.update(celestial(side // 3))
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path)


def write_ramp(path, side):
    """Write one integration of twenty groups, as of JWST's uncal."""
    sci = fits.ImageHDU(noise((1, 20, side // 3, side // 3), "u2"), name="SCI")
    sci.header["BUNIT"] = "DN"
    fits.HDUList([jwst("uncal"), sci]).writeto(path)


def jwst(what):
    primary = fits.PrimaryHDU()
    primary.header.update(TELESCOP="JWST", TARG_RA=151.757, TARG_DEC=-40.436, TITLE=what)
    return primary


def noise(shape, dtype):
    values = np.random.default_rng(4).normal(100, 10, shape)
    return values.astype(dtype)


def celestial(side):
    return {
        "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 151.757, "CRVAL2": -40.436,
        "CRPIX1": side / 2, "CRPIX2": side / 2, "CDELT1": -1e-5, "CDELT2": 1e-5,
        "BUNIT": "ELECTRONS/S", "RA_TARG": 151.757, "DEC_TARG": -40.436, "TELESCOP": "HST",
    }  # fmt: skip


#: Name of the file, what writes it, pixels along a side.
FILES = {
    "mosaic": ("jw90001-o001_t001_nircam_clear-f200w_i2d.fits", write_i2d, 6000),
    "second": ("jw90001-o001_t001_nircam_clear-f090w_i2d.fits", write_i2d, 4500),
    "third": ("jw90001-o001_t001_nircam_clear-f444w_i2d.fits", write_i2d, 3000),
    "chips": ("jzz901010_flc.fits", write_chips, 6000),
    "drizzled": ("hst_90001_01_wfc3_uvis_f606w_jzz901_drc.fits", write_drizzled, 6000),
    "cube": ("jw90001-o002_t001_nirspec_g395h-f290lp_s3d.fits", write_cube, 6000),
    "wide cube": ("jw90001-o002_t001_nirspec_g235h-f170lp_s3d.fits", write_cube, 9000),
    "stack": ("jw90001001001_02101_00001_nrcb1_rateints.fits", write_stack, 6000),
    "ramp": ("jw90001001001_02101_00001_nrcb1_uncal.fits", write_ramp, 6000),
    "frame": ("tess2023001000000-s0060-1-1-0250-s_ffic.fits", write_full_frame, 6000),
}

#: Application, files, extensions.
CASES = (
    ("App", ("mosaic",), ("SCI",)),
    ("Imviz", ("mosaic",), ("SCI",)),
    ("App", ("mosaic", "second", "third"), ("SCI",)),
    ("Imviz", ("mosaic", "second", "third"), ("SCI",)),
    ("App", ("second",), ("SCI", "ERR", "WHT")),
    ("Imviz", ("second",), ("SCI", "ERR", "WHT")),
    ("App", ("chips",), ("SCI",)),
    ("Imviz", ("chips",), ("SCI", "ERR")),
    ("App", ("drizzled",), ("SCI",)),
    ("Imviz", ("drizzled",), ("SCI",)),
    ("App", ("frame",), ("SCI",)),
    ("Imviz", ("frame",), ("SCI",)),
    ("App", ("stack",), ("SCI",)),
    ("Imviz", ("stack",), ("SCI",)),
    ("App", ("cube",), ("SCI",)),
    ("Cubeviz", ("cube",), ("SCI",)),
    ("App", ("wide cube",), ("SCI",)),
    ("App", ("ramp",), ("SCI",)),
    ("App", ("mosaic", "cube", "ramp"), ("SCI",)),
)


# One import, in its own process


def run(application, url, uris, extensions):
    warnings.simplefilter("ignore")
    import jdaviz
    from astropy.table import Table

    from jdaviz_mast import Mast, conf

    conf.server, conf.source = url, "http"
    uris, extensions = uris.split(","), extensions.split(",")
    with tempfile.TemporaryDirectory(prefix="jdaviz-mast-benchmark-") as folder:
        conf.download_dir = folder
        warm_up(getattr(jdaviz, application)())
        viz = getattr(jdaviz, application)()
        tray = viz.plugins["MAST Import"]
        tray.extensions = extensions
        rows = Mast(url).search(program_id="90001", all_levels=True)
        products = Mast(url).products(rows, all_levels=True)
        products = Table(products[np.isin(products["dataURI"], uris)])
        forecast = tray.forecast(products)
        # Fetched before: what is forecast is what opening them takes.
        Mast(url).fetch(products)
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
        before = memory()
        job = tray._obj._start_import(products).wait()
        draw(viz)
        peak = memory()["VmHWM"] - before["VmRSS"]
        gc.collect()
        kept = memory()["VmRSS"] - before["VmRSS"]
        assert job.state == "complete", job.files
        assert len(viz._app.data_collection) >= forecast.memory.opened > 0
    print(json.dumps({
        "forecast": forecast.memory.peak, "forecast_kept": forecast.memory.kept,
        "peak": peak, "kept": kept, "layers": len(viz._app.data_collection),
    }))  # fmt: skip


def warm_up(viz):
    """Import something small: what is loaded and set up at the first use is not measured."""
    viz.plugins["MAST Import"].import_observation("jw02733-o002_t001_miri_f770w")


def draw(viz):
    """Draw what is shown, as the page has it done: that takes memory, too."""
    for viewer in viz._app._viewer_store.values():
        if hasattr(viewer, "_composite_image"):
            viewer.shape = SCREEN
            viewer._composite_image.update(force=True)


def memory():
    """Return the memory of this process, in bytes; VmHWM is the peak of VmRSS."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return {
        name: int(value.split()[0]) * 1024
        for name, value in (line.split(":", 1) for line in lines)
        if name in ("VmRSS", "VmHWM")
    }


# All of them, side by side


def compare(divided_by, only):
    from jdaviz_mast.demo import DemoArchive

    line = "{:<7}{:<26}{:<16}{:>12}{:>12}{:>9}{:>12}{:>12}  {}"
    with (
        tempfile.TemporaryDirectory(prefix="jdaviz-mast-benchmark-") as folder,
        DemoArchive() as archive,
    ):
        uris = {}
        for key, (name, write, side) in FILES.items():
            if not any(key in keys for _, keys, _ in CASES if not only or only in keys):
                continue
            path = Path(folder) / name
            write(path, side // divided_by)
            uris[key] = serve(archive, path)
        print(line.format("", "files", "extensions", "forecast", "peak", "ratio",
                          "kept: fc.", "kept", ""))  # fmt: skip
        worst = 1.0
        for application, keys, extensions in CASES:
            if only and only not in keys:
                continue
            wanted = ",".join(uris[key] for key in keys)
            result = start(application, archive.url, wanted, ",".join(extensions))
            ratio = result["forecast"] / result["peak"]
            worst = max(worst, ratio, 1 / ratio)
            print(line.format(
                application, ", ".join(keys), ", ".join(extensions),
                megabytes(result["forecast"]), megabytes(result["peak"]), f"{ratio:.2f}",
                megabytes(result["forecast_kept"]), megabytes(result["kept"]),
                "" if abs(ratio - 1) <= ALLOWED else "MISSED",
            ), flush=True)  # fmt: skip
    print(f"\nTarget: within {ALLOWED:.0%} of the measured peak. "
          f"Farthest: a factor of {worst:.2f}.")  # fmt: skip


def serve(archive, path):
    """Put a file into the archive; return its URI."""
    row = archive.add_file(path)
    product = next(p for p in archive.products if p["productFilename"] == path.name)
    row["proposal_id"] = product["proposal_id"] = "90001"
    product["productType"] = "SCIENCE"
    return product["dataURI"]


def start(*arguments):
    command = [sys.executable, __file__, "--run", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def megabytes(number):
    return f"{number / 1e6:,.0f} MB"


if __name__ == "__main__":
    main()
