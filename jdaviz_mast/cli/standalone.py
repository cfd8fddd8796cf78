"""The page of the standalone application: a jdaviz viewer with the MAST Import tray open.

Served by solara, see `jdaviz_mast.cli.app`. It differs from jdaviz's own page in that the tray
is open, that a page which is reloaded shows the viewer it had, and that a tab which is closed
does not end an import that is running.
"""

import os
import threading
from pathlib import Path

import ipygoldenlayout
import ipysplitpanes
import ipyvue
import ipyvuetify
import jdaviz
import solara
import solara.lab
from jdaviz.app import custom_components
from solara.server import kernel_context
from solara.server.kernel_context import PageStatus
from traitlets import Unicode

from jdaviz_mast.transfer import running_jobs
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.web import Pages

__all__ = ["LAYOUTS", "Page", "pages", "settings"]

LAYOUTS = {"app": "App", "imviz": "Imviz", "cubeviz": "Cubeviz"}

#: Set by the command line before the server starts.
settings = {"layout": "app", "target": ""}

#: The viewers that show what is imported over HTTP.
pages = Pages()

_FOLDER = Path(jdaviz.__file__).parent
_open_pages = set()
_with_viewer = set()


@solara.lab.on_kernel_start
def _count_pages():
    page = solara.get_kernel_id()
    if "dummy" in page:  # solara's own, at import
        return None
    _open_pages.add(page)

    def closed():
        had_viewer = page in _with_viewer
        _open_pages.discard(page)
        _with_viewer.discard(page)
        pages.closed(page)
        # Without one it was a tab of an earlier process, which solara turns away.
        if had_viewer and not _open_pages:
            threading.Thread(target=_exit_after_imports, daemon=True).start()

    return closed


def _exit_after_imports():
    """End the process, as jdaviz does when its tab is closed, once nothing is fetched."""
    for job in running_jobs():
        job.wait()
    if not _open_pages:
        os._exit(0)  # the server's threads would keep the process


class _Address(ipyvuetify.VuetifyTemplate):
    """Writes into the page's address which viewer it shows, so that a reload finds it again.

    It also tells when somebody turns to the page, since what is imported over HTTP appears in the
    viewer that was used last. Solara makes a new viewer for every page that does not name a kernel
    and a widget in it.
    """

    template_file = __file__, "standalone_address.vue"
    kernel = Unicode().tag(sync=True)
    root = Unicode().tag(sync=True)

    def vue_used(self, *_):
        """Take note that somebody does something on this page."""
        pages.used(self.kernel)


def _shared_widgets():
    ipysplitpanes.SplitPanes()
    ipygoldenlayout.GoldenLayout()
    for name, path in custom_components.items():
        ipyvue.register_component_from_file(None, name, str(_FOLDER / path))
    ipyvue.register_component_from_file("g-viewer-tab", "container.vue", jdaviz.__file__)


def _make_viewer():
    viz = getattr(jdaviz, LAYOUTS[settings["layout"]])()
    jdaviz_api.enable(viz)
    viz.plugins[jdaviz_api.LABEL].target = settings["target"]
    jdaviz_api.open_tray(viz)
    context, page = kernel_context.get_current_context(), solara.get_kernel_id()
    _with_viewer.add(page)
    pages.opened(
        page,
        viz.plugins[jdaviz_api.LABEL]._obj,
        is_connected=lambda: PageStatus.CONNECTED in context.page_status.values(),
    )
    return viz._app


@solara.component
def _Viewer():  # noqa: N802  solara's components are named as classes
    solara.use_memo(_shared_widgets, [])
    viewer, set_viewer = solara.use_state(None)
    # After the first rendering: solara would take the widgets that jdaviz makes for its own.
    solara.use_effect(lambda: set_viewer(_make_viewer()), [])
    if viewer is None:
        return solara.Column()
    root = kernel_context.get_current_context().container
    address = _Address.element(kernel=solara.get_kernel_id(), root=root.model_id)
    return solara.Column(gap="0px", children=[address, viewer])


@solara.component
def Page():  # noqa: N802
    """Solara's entry point."""
    solara.Style(_FOLDER / "solara.css")
    solara.Title("jdaviz – MAST Import")
    _Viewer()
