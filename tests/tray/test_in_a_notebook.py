"""The tray in a real kernel: its buttons are pressed by comm messages, as a page does."""

import time

import pytest
from jupyter_client.manager import start_new_kernel

SETUP = """
import warnings; warnings.simplefilter("ignore")
import jdaviz, jdaviz_mast
jdaviz_mast.conf.server, jdaviz_mast.conf.download_dir = {server!r}, {folder!r}
viz = jdaviz.{application}()
tray = viz.plugins["MAST Import"]
tray.target = "NGC 3132"
tray.mission = "JWST"
"""
PATIENCE = 60  # seconds


class Notebook:
    """A kernel, cells of which are executed, and widgets of which get messages."""

    def __init__(self, client):
        self._client = client

    def run(self, code):
        """Execute a cell; return what it prints, raise what it raises."""
        printed = []

        def output(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                printed.append(content["text"])
            elif message["msg_type"] == "error":
                raise AssertionError("\n".join(content["traceback"]))

        self._client.execute_interactive(code, output_hook=output, timeout=PATIENCE)
        return "".join(printed).strip()

    def press(self, widget, event, data=None):
        """Send the event that a button of the page sends; nothing is executed beside it."""
        content = {"event": event, "data": {} if data is None else data}
        message = self._client.session.msg(
            "comm_msg",
            {
                "comm_id": self.run(f"print({widget}.comm.comm_id)"),
                "data": {"method": "custom", "content": content},
            },
        )
        self._client.shell_channel.send(message)

    def wait_until(self, expression):
        """Wait until an expression is true; each look is a short cell."""
        deadline = time.monotonic() + PATIENCE
        while self.run(f"print(bool({expression}))") != "True":
            assert time.monotonic() < deadline, f"{expression} did not come true"
            time.sleep(0.1)


@pytest.fixture
def notebook():
    manager, client = start_new_kernel(kernel_name="python3")
    yield Notebook(client)
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("application", ["App", "Imviz"])
def test_buttons_search_and_import_while_cells_can_be_run(notebook, archive, tmp_path, application):
    archive.latency = 0.2
    notebook.run(SETUP.format(server=archive.url, folder=str(tmp_path), application=application))
    notebook.press("tray._obj", "search")
    assert notebook.run("print(tray._obj.searching)") == "True"  # and the kernel answers
    notebook.wait_until("tray._obj.n_rows and not tray._obj.searching")

    for index in (0, 4):
        notebook.press("tray._obj.observations", "toggle", index)
    notebook.wait_until("tray._obj.n_selected == 2")
    notebook.press("tray._obj", "import_selected")
    notebook.wait_until("tray._obj.importing")
    notebook.wait_until("not tray._obj.importing")

    message = notebook.run("print(tray._obj.import_message_type, tray._obj.import_message)")
    assert message.startswith("success"), message
    wanted = "print([d.label for d in viz._app.data_collection])"
    labels = notebook.run(wanted)
    assert "NGC-3132 F1130W L3" in labels
    assert "NGC-3132 F187N L3" in labels


def test_a_cell_that_imports_waits_for_the_end(notebook, archive, tmp_path):
    notebook.run(SETUP.format(server=archive.url, folder=str(tmp_path), application="Imviz"))
    state = notebook.run(
        "tray.search(); tray.observations.select_rows(0); print(tray.import_selected().state)"
    )
    assert state == "complete"
