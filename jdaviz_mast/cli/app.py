"""``jdaviz-mast`` and ``jdaviz-mast demo``: the standalone viewer in a browser."""

import contextlib
import os
import webbrowser
from pathlib import Path

import platformdirs

from jdaviz_mast.config import conf

__all__ = ["run"]


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
            print(f"Embedded archive on {archive.url} holds NGC 3132 and more; no internet needed")
        else:
            conf.server = options.server or conf.server
            conf.download_dir = options.download_dir or conf.download_dir
        _serve(options, target)


def _serve(options, target):
    # Solara reads the name of the application when its server is imported, and that import
    # changes how widgets are made: it must not happen in a process that does not serve.
    os.environ["SOLARA_APP"] = "jdaviz_mast.viewer.standalone"
    import solara.server.settings
    import solara.server.starlette

    from jdaviz_mast.viewer import standalone

    standalone.settings.update(layout=options.layout, target=target)
    solara.server.settings.theme.variant = options.theme
    solara.server.settings.theme.loader = "plain"
    solara.server.settings.main.mode = "production"
    server = solara.server.starlette.ServerStarlette(host="localhost", port=options.port)
    server.serve_threaded()
    server.wait_until_serving()
    print(f"jdaviz with MAST Import on {server.base_url} (Ctrl-C ends it)", flush=True)
    if not options.no_browser:
        webbrowser.open(server.base_url)
    server.join()
