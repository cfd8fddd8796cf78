"""``jdaviz-mast`` and ``jdaviz-mast demo``: the standalone viewer in a browser."""

import contextlib
import errno
import json
import os
import socket
import webbrowser
from pathlib import Path

import platformdirs

from jdaviz_mast.archive.cloud import ENDPOINT_VARIABLE
from jdaviz_mast.config import conf
from jdaviz_mast.errors import InvalidInput
from jdaviz_mast.mast import Mast

__all__ = ["run"]

#: How long a viewer waits for its page after the tab was closed or the page left.
PAGE_GRACE = "60s"


def run(options):
    """Serve the viewer and return when it ends."""
    with contextlib.ExitStack() as stack:
        target = note = ""
        if options.command == "demo":
            from jdaviz_mast.demo import DemoArchive

            archive = stack.enter_context(DemoArchive())
            conf.server = archive.url
            os.environ[ENDPOINT_VARIABLE] = archive.url  # it has the public bucket, too
            cache = Path(platformdirs.user_cache_dir("jdaviz-mast")) / "demo"
            conf.download_dir = options.download_dir or str(cache)
            target = "NGC 3132"
            note = (
                f"Its archive, with NGC 3132 and more, for other commands: --server {archive.url}"
            )
        else:
            conf.server = options.server or conf.server
            conf.download_dir = options.download_dir or conf.download_dir
        _serve(options, target, note)


def _serve(options, target, note):
    # Solara reads the name of the application when its server is imported, and that import
    # changes how widgets are made: it must not happen in a process that does not serve.
    os.environ["SOLARA_APP"] = "jdaviz_mast.cli.standalone"
    import solara.server.settings
    import solara.server.starlette

    from jdaviz_mast.cli import standalone
    from jdaviz_mast.web import PREFIX, Guard, is_this_machine, make_doors, new_key

    standalone.settings.update(layout=options.layout, target=target)
    solara.server.settings.theme.variant = options.theme
    solara.server.settings.theme.loader = "plain"
    solara.server.settings.main.mode = "production"
    solara.server.settings.telemetry.mixpanel_enable = False  # solara reports its use to its makers
    if "SOLARA_KERNEL_CULL_TIMEOUT" not in os.environ:
        solara.server.settings.kernel.cull_timeout = PAGE_GRACE
    host, alone = options.host, is_this_machine(options.host)
    _check_free(host, options.port)
    key = new_key() if options.require_key or not alone else None
    guard = Guard(
        make_doors(Mast(), standalone.pages),
        solara.server.starlette.app,
        host=host,
        key=key,
        names=options.allow_host,
    )
    server = solara.server.starlette.ServerStarlette(
        host=host,
        port=options.port,
        starlette_app=guard,
        log_level="warning",
    )
    server.serve_threaded()
    server.wait_until_serving()
    base = f"http://{_in_address(host)}:{server.port}"
    # A page that does not report its end leaves its viewer a while to be found again.
    url = f"{base}/?solara-no-close-beacon{f'&key={key}' if key else ''}"
    if options.json:
        about = {"url": url, "api": f"{base}{PREFIX}", "key": key}
        print(json.dumps(about), flush=True)
    else:
        _say(url, f"{base}{PREFIX}/openapi.json", key, alone, note)
    if not options.no_browser:
        webbrowser.open(url)
    server.join()


def _say(url, description, key, alone, note):
    # First, since who looks for an address takes the first.
    print(f"jdaviz with MAST Import on {url}")
    if note:
        print(note)
    print(f"Calls over HTTP are described on {description}")
    if key:
        print(f"They need the header  Authorization: Bearer {key}")
    if not alone:
        print(
            "Whoever reads this network's traffic can read the key: outside a network that you "
            "trust, leave --host out and use ssh -L."
        )
    print("Ctrl-C ends it, and so does closing the tab, a minute later.", flush=True)


def _check_free(host, port):
    """Raise `InvalidInput` if nothing can be served there."""
    if not 0 <= port <= 65535:
        raise InvalidInput("--port", port, "give a number from 1 to 65535")
    try:
        places = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        allowed = "give an address of this machine, such as 0.0.0.0 for all"
        raise InvalidInput("--host", host, allowed) from None
    for family, kind, protocol, _, place in places:
        try:
            with socket.socket(family, kind, protocol) as probe:
                if os.name == "posix":  # of a server that ended a moment ago, something stays
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(place)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                allowed = "another program uses it; give another, or leave it out"
                raise InvalidInput("--port", port, allowed) from None
            if error.errno == errno.EACCES:
                allowed = "this system lets nobody use it; give one above 1023"
                raise InvalidInput("--port", port, allowed) from None
            if error.errno == errno.EADDRNOTAVAIL and len(places) == 1:
                allowed = "give an address of this machine, such as 0.0.0.0 for all"
                raise InvalidInput("--host", host, allowed) from None


def _in_address(host):
    """Return how others call what is served on an address."""
    if host.strip("[]") in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host.strip('[]')}]" if ":" in host else host
