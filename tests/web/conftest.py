"""The doors on a real port, in front of the embedded archive, without the page's server."""

import contextlib
import threading
import time

import pytest
import requests
import uvicorn

from jdaviz_mast.web import Guard, Pages, make_doors


async def plain_page(scope, receive, send):
    """Stand where solara's server does, whose import changes how widgets are made."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "hello"})
        await send({"type": "websocket.close"})
        return
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"text/html")]})  # fmt: skip
    await send({"type": "http.response.body", "body": b"the page"})


class Door:
    """What asks the doors over real HTTP."""

    def __init__(self, mast, pages, **guard):
        self.mast, self.pages = mast, pages
        app = Guard(make_doors(mast, pages), plain_page, **guard)
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, log_level="warning", proxy_headers=False
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.origin = f"http://localhost:{self.port}"

    def url(self, path):
        return f"{self.origin}/api/mast/{path}"

    def get(self, path, **kwargs):
        return requests.get(self.url(path), timeout=60, **kwargs)

    def post(self, path, message=None, **kwargs):
        if message is not None:
            kwargs["json"] = message
        return requests.post(self.url(path), timeout=60, **kwargs)

    def ended(self, job_id):
        """Wait for the end of an import as a script does; return its last progress."""
        while not (progress := self.get(f"import-progress/{job_id}").json())["isComplete"]:
            time.sleep(0.05)
        return progress

    def stop(self):
        self._server.should_exit = True
        self._thread.join(10)


@pytest.fixture
def serve(mast):
    """Callable that opens the doors; its keywords are those of the `Guard`."""
    with contextlib.ExitStack() as stack:

        def start(mast=mast, **guard):
            door = Door(mast, Pages(), **guard)
            stack.callback(door.stop)
            return door

        yield start


@pytest.fixture
def door(serve):
    """The doors as they are on a person's own machine."""
    return serve()
