"""``jdaviz-mast`` and ``jdaviz-mast demo``: the standalone viewer in a browser."""

import contextlib
import os
import webbrowser
from pathlib import Path

import platformdirs

from jdaviz_mast.config import conf

__all__ = ["run"]

#: How long a viewer waits for its page after the tab was closed or the page left.
PAGE_GRACE = "60s"


def run(options):
    """Serve the viewer and return when it ends."""
    with contextlib.ExitStack() as stack:
        target = ""
        if options.command == "demo":
            from jdaviz_mast.demo import DemoArchive

            archive = stack.enter_context(DemoArchive())
            conf.server = archive.url
            cache = Path(platformdirs.user_cache_dir("jdaviz-mast")) / "demo"
            conf.download_dir = options.download_dir or str(cache)
            target = "NGC 3132"
            print(
                f"An archive of its own on {archive.url}, with NGC 3132 and more: no internet is "
                "needed"
            )
        else:
            conf.server = options.server or conf.server
            conf.download_dir = options.download_dir or conf.download_dir
        _serve(options, target)


def _serve(options, target):
    # Solara reads the name of the application when its server is imported, and that import
    # changes how widgets are made: it must not happen in a process that does not serve.
    os.environ["SOLARA_APP"] = "jdaviz_mast.cli.standalone"
    import solara.server.settings
    import solara.server.starlette

    from jdaviz_mast.cli import standalone

    standalone.settings.update(layout=options.layout, target=target)
    solara.server.settings.theme.variant = options.theme
    solara.server.settings.theme.loader = "plain"
    solara.server.settings.main.mode = "production"
    solara.server.settings.telemetry.mixpanel_enable = False  # solara reports its use to its makers
    if "SOLARA_KERNEL_CULL_TIMEOUT" not in os.environ:
        solara.server.settings.kernel.cull_timeout = PAGE_GRACE
    server = solara.server.starlette.ServerStarlette(
        host="localhost", port=options.port, log_level="warning"
    )
    server.serve_threaded()
    server.wait_until_serving()
    # A page that does not report its end leaves its viewer a while to be found again.
    url = f"{server.base_url}/?solara-no-close-beacon"
    print(f"jdaviz with MAST Import on {url}", flush=True)
    print("Ctrl-C ends it, and so does closing the tab, a minute later.", flush=True)
    if not options.no_browser:
        webbrowser.open(url)
    server.join()
