"""A library of tens of thousands of files: how long it takes to be made, checked and searched.

    python benchmarks/library.py [--files 50000] [--folder FOLDER]

The files are small FITS headers in a folder per four files; what is measured grows with their
number, not with their size. Checksums are not in it: see transfer.py.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from astropy.io import fits

from jdaviz_mast.library import Library
from jdaviz_mast.library.trails import Trail

PER_OBSERVATION = 4


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--folder", help="where the files go [a temporary folder]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        measure(Path(folder), options.files)


def measure(folder, count):
    found = {}
    cards = [("CAL_VER", "1.14.0"), ("CRDS_CTX", "jwst_1234.pmap")]
    cards += [(f"KEY{n}", "value") for n in range(150)]  # as many as JWST's have
    data = fits.Header([("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 0), *cards]).tostring().encode()
    for n in range(count):
        obs_id = f"jw{n // PER_OBSERVATION:05}-o001_t001_nircam"
        name = f"{obs_id}_{n}_cal.fits"
        path = folder / "JWST" / obs_id / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        uri = f"mast:JWST/product/{name}"
        row = {f"column{c}": "a value of a row" for c in range(30)}
        found[f"JWST/{obs_id}/{name}"] = Trail(
            uri, "http", "http://archive", "0123456789ab", None,
            row | {"dataURI": uri, "productFilename": name}, row | {"obs_id": obs_id},
        )  # fmt: skip
    library = Library(folder)
    database = folder / ".jdaviz-mast" / "library.sqlite"
    print(f"{count:,} files in {count // PER_OBSERVATION:,} folders")
    report("enter them all at once", lambda: library.enter(found))
    print(f"  {'its size':42}{database.stat().st_size / 1e6:8.1f} MB")
    report("synchronize, nothing has changed", library.synchronize, 5)
    report("a page of 10", lambda: library.files(limit=10), 5)
    report("a page of 10 that match a word", lambda: library.files("jw00777", limit=10), 5)
    report("number and bytes of what matches", lambda: library.totals("jw00777"), 5)
    report("one file by its URI", lambda: library.file(uri), 5)
    report("all files", library.files)
    for path in list(found)[::50]:
        (folder / path).unlink()
    report(f"synchronize, {count // 50:,} are gone", library.synchronize)
    for path in list(found)[1::50]:
        os.utime(folder / path)
    report(f"synchronize, {count // 50:,} have changed", library.synchronize)
    database.unlink()
    report("make it again from folders and headers", library.synchronize)


def report(what, function, repeat=1):
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    print(f"  {what:42}{min(times):8.3f} s", flush=True)


if __name__ == "__main__":
    main()
