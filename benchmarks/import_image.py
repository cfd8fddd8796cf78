"""From a downloaded image to a shown layer: time and memory, ours against jdaviz's own ways.

    python benchmarks/import_image.py [--size 8192] [--repeat 3]

Every run has a process of its own. What is measured, and why that is fair: README.md.
"""

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

FULL = 8192
SCREEN = (600, 800)  # rows and columns of the viewer in which the layer is drawn
OBSERVATION, LABEL = "jw02733-o001_t001_nircam_clear-f090w", "NGC-3132 F090W L3"

OURS = "jdaviz-mast"
BY_PATH = 'load(path, format="Image")'

# Applications, and the ways to load an image into each, ours first. The shortest call,
# load(path), is refused in both: an i2d could be a catalog, too.
CASES = {
    "App": (OURS, BY_PATH),
    "Imviz": (OURS, BY_PATH, 'load_data(path, ext="SCI")'),
}
WITHOUT_FORMAT = "load(path)"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=FULL, help=f"rows and columns ({FULL})")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each way (3)")
    parser.add_argument("--run", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not Path("/proc/self/clear_refs").exists():
        sys.exit("This benchmark reads the peak memory from Linux's /proc.")
    if options.run:
        run(*options.run)
    else:
        compare(options.size, options.repeat)


# One run, in its own process


def run(application, way, path, warm_path):
    """Load once, and print what it took as JSON."""
    warnings.simplefilter("ignore")
    import jdaviz

    make = getattr(jdaviz, application)
    if way == WITHOUT_FORMAT:
        print(json.dumps(attempt(lambda: make().load(warm_path))))
        return
    # Everything that is imported or set up at the first use is not part of the measurement.
    load(make(), way, warm_path)
    viz = make()
    gc.collect()
    read_into_page_cache(path)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = memory()
    start, start_cpu = time.perf_counter(), time.process_time()
    load(viz, way, path)
    loaded = time.perf_counter()
    viewer, layer = shown_layer(viz)
    viewer.shape = SCREEN
    viewer._composite_image.update(force=True)
    drawn, drawn_cpu = time.perf_counter(), time.process_time()
    peak = memory()["VmHWM"] - before["VmRSS"]
    gc.collect()
    after = memory()
    check(path, layer, viewer._composite_image.image)
    print(json.dumps({
        "time": drawn - start,
        "cpu": drawn_cpu - start_cpu,
        "draw": drawn - loaded,
        "peak": peak,
        "kept": after["VmRSS"] - before["VmRSS"],
        "mapped": after["RssFile"] - before["RssFile"],
    }))  # fmt: skip


def load(viz, way, path):
    if way == OURS:
        load_as_the_tray_does(viz, path)
    elif way == BY_PATH:
        viz.load(path, format="Image")
    else:
        viz.load_data(path, ext="SCI")


def load_as_the_tray_does(viz, path):
    from jdaviz_mast.demo.fields import load_data
    from jdaviz_mast.viewer import jdaviz_api
    from jdaviz_mast.viewer.images import image_extensions, read_image
    from jdaviz_mast.viewer.metadata import layer_metadata

    observation = load_data("program_2733.json")[0]
    product = {"productFilename": Path(path).name, "calib_level": 3}
    [extension] = image_extensions(path, ["SCI"])
    data = read_image(path, extension)
    data.meta.update(layer_metadata(observation, product))
    jdaviz_api.add_image(viz._app, data, LABEL)


def shown_layer(viz):
    """Return the viewer and the one layer that is visible in it."""
    [(viewer, layer)] = [
        (viewer, layer)
        for viewer in viz._app._viewer_store.values()
        for layer in viewer.layers
        if layer.visible
    ]
    return viewer, layer


def check(path, layer, picture):
    """Make sure that every way ends with the same: pixels, unit and coordinates."""
    import numpy as np
    from astropy import units as u
    from astropy.io import fits

    data = layer.layer
    component = data.get_component(data.main_components[0])
    with fits.open(path) as hdus:
        expected = hdus["SCI"].data[5, :100]
        assert np.array_equal(component.data[5, :100], expected)
        assert data.shape == hdus["SCI"].shape
    assert u.Unit(component.units) == u.MJy / u.sr
    assert type(data.coords).__module__.startswith("gwcs")
    assert picture.shape == (*SCREEN, 4)
    assert len(np.unique(picture[..., 0])) > 10


def attempt(action):
    """Return what becomes of an action, in a line."""
    try:
        action()
    except ValueError as error:
        return f"{type(error).__name__}: {str(error).split('.')[0]}"
    return "works"


def read_into_page_cache(path):
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def memory():
    """Return the memory of this process, in bytes; VmHWM is the peak of VmRSS."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return {
        name: int(value.split()[0]) * 1024
        for name, value in (line.split(":", 1) for line in lines)
        if name in ("VmRSS", "VmHWM", "RssFile")
    }


# All runs, side by side


def compare(size, repeat):
    from jdaviz_mast.demo import write_i2d

    with tempfile.TemporaryDirectory(prefix="jdaviz-mast-benchmark-") as folder:
        print(f"Writing an i2d of {size} x {size} pixels…", flush=True)
        path = write_i2d(Path(folder) / f"{OBSERVATION}_i2d.fits", (size, size))
        warm_path = write_i2d(Path(folder) / "warm_i2d.fits", (64, 64))
        os.sync()
        sci = 4 * size**2
        print(
            f"{path.stat().st_size / 1e9:.3f} GB (SCI, ERR, CON, WHT, VAR_*, ASDF with GWCS); "
            f"the array of SCI is {sci / 1e9:.3f} GB.\n"
            f"{repeat} runs of each way in turn, each in its own process. Times: the fastest run. "
            "Memory: the highest.\n"
        )
        for application in CASES:
            outcome = start(application, WITHOUT_FORMAT, path, warm_path)
            print(f"{application}.{WITHOUT_FORMAT} → {outcome}", flush=True)
        print()
        runs = {(app, way): [] for app, ways in CASES.items() for way in ways}
        for _ in range(repeat):
            for case, results in runs.items():
                results.append(start(*case, path, warm_path))
        report(runs, sci)


def start(application, way, path, warm_path):
    command = [sys.executable, __file__, "--run", application, way, str(path), str(warm_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{application} {way} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def report(runs, sci):
    columns = "{:<34}{:>8}{:>8}{:>13}{:>7}{:>14}{:>8}{:>8}{:>8}   {}"
    print(columns.format("", "time", "CPU", "peak memory", "× SCI", "kept (mapped)", "time", "CPU",
                         "memory", ""))  # fmt: skip
    print(columns.format("", "s", "s", "GB", "", "GB", "÷ ours", "÷ ours", "÷ ours",
                         "all times, s"))  # fmt: skip
    best = {}
    for (application, way), results in runs.items():
        fastest = min(result["time"] for result in results)
        cpu = min(result["cpu"] for result in results)
        peak = max(result["peak"] for result in results)
        kept = max(result["kept"] for result in results)
        mapped = max(result["mapped"] for result in results)
        best[application, way] = fastest, cpu, peak
        our_time, our_cpu, our_peak = best[application, OURS]
        print(columns.format(
            f"{application}: {way}", f"{fastest:.2f}", f"{cpu:.2f}", f"+{peak / 1e9:.3f}",
            f"{peak / sci:.2f}", f"{kept / 1e9:.2f} ({mapped / 1e9:.2f})",
            f"{fastest / our_time:.1f}", f"{cpu / our_cpu:.1f}", f"{peak / our_peak:.1f}",
            "  ".join(f"{result['time']:.2f}" for result in results),
        ))  # fmt: skip
    draw = max(result["draw"] for results in runs.values() for result in results)
    print(f"\nDrawing the layer for the first time took at most {draw:.2f} s of that.\n")
    if sci < 4 * FULL**2:
        print(f"The targets are for {FULL} x {FULL} pixels.")
        return
    app, imviz = best["App", OURS], best["Imviz", OURS]
    target("at most 1/20 of App.load(path)'s time", 20 * app[0] / best["App", BY_PATH][0])
    target("not slower than Imviz.load(path)", imviz[0] / best["Imviz", BY_PATH][0])
    target("at most 2.5 × the bytes of SCI more", max(app[-1], imviz[-1]) / (2.5 * sci))


def target(text, used):
    print(f"Target: {text}: {'met' if used <= 1 else 'MISSED'} ({used:.0%} of what it allows).")


if __name__ == "__main__":
    main()
