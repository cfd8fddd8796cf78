"""The part of the tray that keeps the trail: manifests, replay, notebook cells, cURL scripts."""

import json

from traitlets import Unicode

from jdaviz_mast.errors import Cancelled, InvalidInput
from jdaviz_mast.library import Manifest
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.handout import Handout
from jdaviz_mast.tray.product_side import ProductSide
from jdaviz_mast.tray.worker import Worker

__all__ = ["TrailSide"]

#: What the menu of a job offers: name, title, icon.
_OF_JOB = (
    ("cell", "Copy as notebook cell", "mdi-content-copy"),
    ("html", "Manifest as a page", "mdi-file-document-outline"),
    ("json", "Manifest as JSON, for replay", "mdi-code-braces"),
    ("votable", "Manifest as VOTable", "mdi-table"),
    ("ecsv", "Manifest as ECSV", "mdi-table"),
    ("csv", "Manifest as CSV", "mdi-table"),
    ("replay", "Make again and compare", "mdi-replay"),
)
_SUFFIXES = {"cell": ".py", "html": ".html", "json": ".json", "votable": ".vot", "ecsv": ".ecsv",
             "csv": ".csv"}  # fmt: skip
_MIMES = {"html": "text/html", "json": "application/json", "votable": "application/x-votable+xml",
          "csv": "text/csv"}  # fmt: skip


class TrailSide(ProductSide):
    """Says what an import was, in forms that others can use, and makes it again."""

    handout_widget = Unicode().tag(sync=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.handout = Handout(on_manifest=self._replay_text)
        self.handout_widget = "IPY_MODEL_" + self.handout.model_id
        self.job_list.offer(_OF_JOB, self._make_of_job)
        self.basket.on_script = lambda: self._hand_out_script(self.basket.products)

    # From Python

    def manifest(self, job_id=None):
        """Return the manifest of an import, a `~jdaviz_mast.library.Manifest`.

        Parameters
        ----------
        job_id : str, optional
            ``id`` of one of `jobs`, by default the newest.

        Raises
        ------
        InvalidInput
            If there is no such import.
        """
        return self.mast.manifest(job_id)

    def as_notebook_cell(self, job_id=None):
        """Return the lines of Python that do by themselves what was done by hand.

        Parameters
        ----------
        job_id : str, optional
            ``id`` of one of `jobs`, by default the newest.

        Returns
        -------
        cell : str
            They search, choose and import; nothing of this machine is in them.
        """
        return self.mast.manifest(job_id).to_text("cell")

    def replay(self, manifest, source=None):
        """Make an import again from its manifest: fetch, compare, and load the same layers.

        Parameters
        ----------
        manifest : `~jdaviz_mast.library.Manifest`, dict or path-like
        source : str, optional
            ``'auto'``, ``'http'`` or ``'s3'``.

        Returns
        -------
        replay : `~jdaviz_mast.library.Replay`
            ``replay.files`` says of each file whether it is the same.

        Raises
        ------
        InvalidInput
            If it is not a manifest, or lists no file.
        """
        worker = self._replay(Manifest.read(manifest), source)
        replay = worker.wait()
        self._job_of(worker)
        return replay

    def curl_script(self, observations_or_products=None):
        """Return a bash script that fetches products with cURL.

        Parameters
        ----------
        observations_or_products : `~astropy.table.Table`, `~astropy.table.Row` or str, optional
            By default what is in the basket, or else the selected observations.

        Returns
        -------
        script : str
            See `jdaviz_mast.Mast.curl_script`.
        """
        given = observations_or_products
        if given is None:
            given = self.basket.products if len(self.basket) else self._selected_observations()
        return self._write_script(given, lambda _: None, lambda _: None).wait()

    # What both do

    def _replay(self, manifest, source=None):
        options = self._layer_options() | (manifest.content.get("shown_with") or {})
        return self._imports.replay(manifest, source=source, **options)

    def _write_script(self, given, on_done, on_error):
        all_levels, mast = self.all_levels, self.mast
        return Worker(
            self._owner,
            lambda worker: mast.curl_script(
                given, all_levels=all_levels, check_cancelled=worker.check_cancelled
            ),
            on_done=on_done,
            on_error=on_error,
        ).start()

    # From the page

    def vue_curl_script(self, *_):
        """Hand out a script of the selected observations, without waiting."""
        if self.observations.selected is not None:
            self._hand_out_script(self.observations.selected)

    def _hand_out_script(self, given):
        self.handout.say("Writing the script…")
        self._write_script(
            given,
            lambda script: self.handout.offer("cURL script", script, "mast_download.sh",
                                              mime="application/x-sh"),
            self._not_made,
        )  # fmt: skip

    def _make_of_job(self, name, job_id):
        """Make what was chosen in the menu of a job, without waiting."""
        if name == "replay":
            self._from_worker(lambda: self.mast.manifest(job_id), self._replay)
        elif name in _SUFFIXES:
            self._from_worker(
                lambda: self.mast.manifest(job_id).to_text(name),
                lambda text: self._hand_out(name, job_id, text),
            )

    def _hand_out(self, name, job_id, text):
        title = "Notebook cell" if name == "cell" else f"Manifest of import {job_id}"
        stem = "import" if name == "cell" else "manifest"
        self.handout.offer(
            title,
            text,
            f"{stem}_{job_id}{_SUFFIXES[name]}",
            mime=_MIMES.get(name, "text/plain"),
            copied=name == "cell",
            visible=name != "html",
        )

    def _replay_text(self, text):
        def read():
            try:
                return Manifest(json.loads(text))
            except (ValueError, RecursionError) as error:
                if isinstance(error, InvalidInput):
                    raise
                raise InvalidInput("manifest", text[:40], "it is not JSON") from error

        def not_read(error):
            self.import_notes = []
            self._say("import", sentence(error), "error")

        self._from_worker(read, self._replay, not_read)

    def _from_worker(self, work, then, on_error=None):
        Worker(
            self._owner,
            lambda worker: work(),
            on_done=lambda result: self._from_button(lambda: then(result)),
            on_error=on_error or self._not_made,
        ).start()

    def _not_made(self, error):
        if not isinstance(error, Cancelled):
            self.handout.say(sentence(error))
