"""The archive's files: what a URI holds, made on first use in a temporary folder."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path

from . import files

__all__ = ["Store"]


class Store:
    """Files by URI; a file is made once, by one thread, and kept until `close`."""

    def __init__(self, recipes):
        self._recipes = recipes
        self._held = {}
        self._making = {}
        self._lock = threading.Lock()
        self._folder = None

    def put(self, uri, source):
        """Serve `source`, bytes or the path of an existing file, as `uri`."""
        with self._lock:
            self._held[uri] = source

    def held(self, uri):
        """Bytes or path of a file that exists already, else None."""
        with self._lock:
            return self._held.get(uri)

    def knows(self, uri):
        """Whether there is a file behind `uri`, made or not."""
        return self.held(uri) is not None or uri in self._recipes

    def make(self, uri):
        """Path of the file behind `uri`, made now if need be.

        Raises
        ------
        KeyError
            If nothing is known under `uri`.
        """
        if not self.knows(uri):
            raise KeyError(uri)
        with self._lock:
            making = self._making.setdefault(uri, threading.Lock())
        with making:
            source = self.held(uri)
            if isinstance(source, Path):
                return source
            name = uri.rsplit("/", 1)[-1]
            path = self._temporary_folder() / name
            if isinstance(source, bytes):
                path.write_bytes(source)
                return path
            # Written under a folder of its own, so that nobody sees half a file.
            with tempfile.TemporaryDirectory(dir=path.parent) as part:
                files.write(self._recipes[uri], Path(part) / name)
                (Path(part) / name).replace(path)
            self.put(uri, path)
            return path

    def _temporary_folder(self):
        with self._lock:
            if self._folder is None:
                self._folder = Path(tempfile.mkdtemp(prefix="jdaviz-mast-demo-"))
            return self._folder

    def close(self):
        """Remove the files that were made."""
        with self._lock:
            folder, self._folder = self._folder, None
            self._held = {
                uri: source
                for uri, source in self._held.items()
                if folder is None or not isinstance(source, Path) or source.parent != folder
            }
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
