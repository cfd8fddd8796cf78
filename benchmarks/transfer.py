"""Downloading products: time, CPU and memory, ours against astroquery's and one stream of curl.

    python benchmarks/transfer.py [--quick] [--case NAME …] [--folder FOLDER]

Every run has a process of its own and an empty folder, and what it fetched is compared with
what was served. What is measured, and why that is fair: README.md.
"""

import argparse
import contextlib
import gc
import hashlib
import json
import os
import pty
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.io import fits

CONNECTIONS = 4
BANDWIDTH = 20 << 20  # bytes per second and connection, where it is throttled
LATENCY = 0.1  # seconds before each answer, where there is one
MB = 1_000_000

OURS, ASTROQUERY, CURL = "jdaviz-mast", "astroquery", "curl, one stream"
#: Its progress bar is drawn in a terminal (and in a notebook), and left out of a log file.
IN_TERMINAL = "astroquery, its bar"
WARM_UP = "warm"


@dataclass(frozen=True)
class Case:
    """Files, as (number, bytes), and how the archive serves them."""

    title: str
    files: tuple
    repeat: int
    bandwidth: int | None = None
    latency: float = 0.0
    nginx: bool = False  # it paces the answers, between the archive and the client

    @property
    def bytes(self):
        """Bytes of all files."""
        return sum(number * size for number, size in self.files)

    def quick(self):
        """Return a case of the same kind that takes a tenth of the time."""
        files = tuple((number, size // 8) if size > MB else (number // 3, size)
                      for number, size in self.files)  # fmt: skip
        return replace(self, files=files, repeat=-(-self.repeat // 5))

    def names(self):
        """Return the names of its files, with their sizes."""
        sizes = [size for number, size in self.files for _ in range(number)]
        return {f"file{n:02}_{size}_i2d.fits": size for n, size in enumerate(sizes)}


LARGE = ((8, 50 * MB), (1, 400 * MB))
CASES = {
    "throttled": Case("20 MiB/s a connection: 8 × 50 MB and 400 MB", LARGE, 3, BANDWIDTH),
    "nginx": Case("nginx, limit_rate 20m: 8 × 50 MB and 400 MB", LARGE, 3, BANDWIDTH, nginx=True),
    "unthrottled": Case("Unthrottled: 8 × 50 MB and 400 MB", LARGE, 9),
    "latency": Case("100 ms before each answer: 60 × 300 kB", ((60, 300_000),), 5, None, LATENCY),
    "memory": Case("Unthrottled: one file of 400 MB", ((1, 400 * MB),), 5),
}

#: Nothing is stored on the way: the archive waits for the client, and the client for its pace.
NGINX = """
daemon off; pid {folder}/pid; worker_processes 1; error_log stderr error;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {url}; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_max_temp_file_size 0;
      limit_rate {bandwidth};
    }}
  }}
}}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="smaller files, fewer runs")
    parser.add_argument("--case", nargs="+", choices=CASES, default=list(CASES), help="[all]")
    parser.add_argument("--folder", help="where the files go [a temporary folder]")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--run", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not Path("/proc/self/clear_refs").exists():
        sys.exit("This benchmark reads the peak memory from Linux's /proc.")
    if not shutil.which("curl"):
        sys.exit("This benchmark needs the command curl.")
    if "nginx" in options.case and not shutil.which("nginx"):
        print("The command nginx is missing, so its case is left out.\n")
        options.case.remove("nginx")
    if options.serve:
        serve(chosen(options.serve, options.quick))
    elif options.run:
        run(*options.run)
    else:
        for name in options.case:
            compare(name, options.quick, options.folder)


def chosen(name, quick):
    return CASES[name].quick() if quick else CASES[name]


# The archive, in its own process


def serve(case):
    """Serve the files of a case until the input ends; print address and observation as JSON."""
    from jdaviz_mast.demo import DemoArchive

    bandwidth = None if case.nginx else case.bandwidth
    with DemoArchive(latency=case.latency, bandwidth=bandwidth) as archive:
        for name, size in {f"{WARM_UP}_i2d.fits": 300_000, **case.names()}.items():
            archive.add_bytes(f"mast:JWST/product/{name}", content(name, size))
        print(json.dumps([archive.url, archive.observations[0]["obs_id"]]), flush=True)
        sys.stdin.read()


def content(name, size):
    """Return FITS of this many bytes; the same for the same name, and no block twice."""
    header = fits.Header([("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 1), ("NAXIS1", size - 2880)])
    start = header.tostring().encode()
    return start + np.random.default_rng(list(name.encode())).bytes(size - len(start))


@contextlib.contextmanager
def served(name, quick):
    """Serve a case; gives address and observation."""
    command = [sys.executable, __file__, "--serve", name, *["--quick"] * quick]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        url, observation = json.loads(process.stdout.readline())
        case = chosen(name, quick)
        nginx = paced_by_nginx(url, case.bandwidth) if case.nginx else contextlib.nullcontext(url)
        with nginx as address:
            yield address, observation
        process.stdin.close()


@contextlib.contextmanager
def paced_by_nginx(url, bandwidth):
    """Run nginx before a server; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "nginx.conf")
        config.write_text(NGINX.format(folder=folder, port=port, url=url, bandwidth=bandwidth))
        process = subprocess.Popen(["nginx", "-c", config, "-e", "stderr"])
        try:
            while process.poll() is None:
                with contextlib.suppress(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.1", port)).close()
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


# One run, in its own process


def run(contestant, archive, folder):
    """Fetch once, and print what it took as JSON."""
    warnings.simplefilter("ignore")
    url, observation = json.loads(archive)
    from jdaviz_mast import Mast

    products = Mast(url).products(observation)
    ways = {OURS: ours, ASTROQUERY: astroquery, IN_TERMINAL: astroquery, CURL: curl}
    fetch = ways[contestant](url)
    warm_up = [str(name).startswith(WARM_UP) for name in products["productFilename"]]
    files = [str(name).startswith("file") for name in products["productFilename"]]
    products, warm_up = products[files], products[warm_up]
    # Everything that is imported or set up at the first use is not part of the measurement.
    with tempfile.TemporaryDirectory(dir=folder) as other:
        job = fetch(warm_up, other)
        if job is not None:
            job.settled.wait()
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    idle = memory("VmRSS")
    start, start_cpu = time.perf_counter(), cpu()
    job = fetch(products, folder)
    end, end_cpu = time.perf_counter(), cpu()
    result = {"time": end - start, "cpu": end_cpu - start_cpu}
    if job is not None:  # the files are there; now their checksums enter the library
        job.settled.wait()
        result |= {"kept_time": time.perf_counter() - start, "kept_cpu": cpu() - start_cpu}
    result["peak"] = memory("VmHWM") - idle
    print(json.dumps(result), file=sys.stderr)


def ours(url):
    from jdaviz_mast import Mast, conf

    conf.connections = CONNECTIONS

    def fetch(products, folder):
        job = Mast(url, folder).fetch(products, source="http", block=False)
        job.wait()
        assert job.state == "complete", [file.error for file in job.files]
        return job

    return fetch


def astroquery(url):
    from astroquery import mast

    from jdaviz_mast.archive.session import open_session

    if hasattr(mast.conf, "enable_cloud_dataset"):  # astroquery 0.4.12 asks S3 otherwise
        mast.conf.enable_cloud_dataset = False
    observations = mast.ObservationsClass()
    open_session(observations._session, url, timeout=60)

    def fetch(products, folder):
        manifest = observations.download_products(products, download_dir=str(folder))
        assert set(manifest["Status"]) == {"COMPLETE"}, manifest

    return fetch


def curl(url):
    from jdaviz_mast.archive import Archive

    def fetch(products, folder):
        command = ["curl", "--silent", "--show-error", "--fail", "--noproxy", "*"]
        for row in products:
            address = Archive(url).download_url(row["dataURI"])
            command += ["--output", str(Path(folder) / row["productFilename"]), address]
        subprocess.run(command, check=True)

    return fetch


def cpu():
    """Return the CPU time of this process and of those that it started, in seconds."""
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def memory(name):
    """Return a figure of this process's memory, in bytes; VmHWM is the peak of VmRSS."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)


# All runs, side by side


def compare(name, quick, folder):
    case = chosen(name, quick)
    print(f"{case.title}{' (quick: an eighth, or fewer)' if quick else ''}", flush=True)
    expected = {file: digest(content(file, size)) for file, size in case.names().items()}
    shown = [IN_TERMINAL] if case.bandwidth is None and not case.latency else []
    runs = {contestant: [] for contestant in (OURS, ASTROQUERY, *shown, CURL)}
    with served(name, quick) as archive:
        for n in range(case.repeat):
            # The machine's mood changes: nobody is always the first, or the last.
            for contestant in list(runs)[:: 1 if n % 2 else -1]:
                runs[contestant].append(start(contestant, archive, folder, expected))
    report(name, case, runs)


def start(contestant, archive, folder, expected):
    """Run a contestant once in a new folder; check what is in it afterwards."""
    # What was written before is on the disk: nobody pays for somebody else's files.
    os.sync()
    with tempfile.TemporaryDirectory(prefix="jdaviz-mast-benchmark-", dir=folder) as own:
        command = [sys.executable, __file__, "--run", contestant, json.dumps(archive), own]
        with terminal() if contestant == IN_TERMINAL else open(os.devnull, "w") as output:
            done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{contestant} failed:\n{done.stderr[-3000:]}")
        found = {path.name: digest(path.read_bytes()) for path in Path(own).rglob("file*.fits")}
        if found != expected:
            sys.exit(f"{contestant} fetched other bytes than were served.")
    return json.loads(done.stderr.splitlines()[-1])


@contextlib.contextmanager
def terminal():
    """Open a terminal in which nobody looks; gives what to write to."""
    reader, writer = pty.openpty()

    def drain():
        with contextlib.suppress(OSError):  # how a terminal ends
            while os.read(reader, 1 << 16):
                pass

    thread = threading.Thread(target=drain)
    thread.start()
    try:
        yield writer
    finally:
        os.close(writer)
        thread.join()
        os.close(reader)


def digest(data):
    return hashlib.sha256(data).hexdigest()


def report(name, case, runs):
    columns = "  {:<20}{:>9}{:>16}{:>9}{:>9}{:>10}{:>9}{:>9}"
    print(columns.format("", "time", "", "rate", "CPU", "peak", "time", "CPU"))
    print(columns.format(f"{case.repeat} runs, medians", "s", "s", "MB/s", "s", "MB", "÷ ours",
                         "÷ ours"))  # fmt: skip
    median = {
        contestant: {key: statistics.median(result[key] for result in results)
                     for key in results[0]}
        for contestant, results in runs.items()
    }  # fmt: skip
    our = median[OURS]
    for contestant, its in median.items():
        times = [result["time"] for result in runs[contestant]]
        peak = f"{max(result['peak'] for result in runs[contestant]) / MB:+.1f}"
        print(columns.format(
            contestant, f"{its['time']:.3f}", f"{min(times):.2f} to {max(times):.2f}",
            f"{case.bytes / MB / its['time']:.1f}", f"{its['cpu']:.3f}",
            "" if contestant == CURL else peak,  # a process of its own, not in the figure
            f"{its['time'] / our['time']:.2f}", f"{its['cpu'] / our['cpu']:.2f}",
        ))  # fmt: skip
    more, more_cpu = our["kept_time"] - our["time"], our["kept_cpu"] - our["cpu"]
    faster = median[ASTROQUERY]["time"] / our["kept_time"]
    print(f"  Then our checksums and the library: {more:.3f} s more, {more_cpu:.3f} s of CPU.")
    print(f"  fetch() returns after both, {our['kept_time']:.3f} s: {faster:.2f} times as fast as "
          "astroquery, which makes no checksums.")  # fmt: skip
    faster = median[ASTROQUERY]["time"] / our["time"]
    if case.bandwidth:
        target("at least 4 × astroquery's speed", faster, 4)
        share = median[CURL]["time"] / our["time"] / CONNECTIONS
        target(f"at least 95 % of {CONNECTIONS} × one connection's rate", 100 * share, 95)
    elif name == "unthrottled":
        for contestant in (ASTROQUERY, IN_TERMINAL):
            its = median[contestant]
            target(f"at most 0.6 × the time of {contestant}", -our["time"] / its["time"], -0.6)
            target(f"at most 0.7 × the CPU of {contestant}", -our["cpu"] / its["cpu"], -0.7)
    elif name == "latency":
        target("at least 3.5 × astroquery's speed", faster, 3.5)
    else:
        peak = max(result["peak"] for result in runs[OURS]) / MB
        target("peak memory at most 40 MB above the idle process", -peak, -40)
    print(flush=True)


def target(text, reached, wanted):
    """Print whether a target is met; where less is better, both numbers are negative."""
    print(f"  Target: {text}: {'met' if reached >= wanted else 'MISSED'} ({abs(reached):.3g}).")


if __name__ == "__main__":
    main()
