"""The part of the tray that knows where data come from, if they are fresh, and whom to cite."""

import weakref

from astropy.table import Row, Table
from traitlets import Unicode

from jdaviz_mast.config import conf
from jdaviz_mast.errors import Cancelled, InvalidInput
from jdaviz_mast.freshness import look_for_updates, open_updates
from jdaviz_mast.library.updates import is_due
from jdaviz_mast.tray.citation_panel import CitationPanel
from jdaviz_mast.tray.form import sentence
from jdaviz_mast.tray.freshness_panel import FreshnessPanel
from jdaviz_mast.tray.import_side import title_of
from jdaviz_mast.tray.observation_table import RowAction
from jdaviz_mast.tray.product_side import ProductSide
from jdaviz_mast.tray.provenance_panel import ProvenancePanel
from jdaviz_mast.tray.words import counted
from jdaviz_mast.tray.worker import Worker
from jdaviz_mast.viewer import jdaviz_api
from jdaviz_mast.viewer.refreshed import held_by_layers, update_layers

__all__ = ["OriginSide"]

#: The trays of this process: what one of them has learnt, the layers of all show.
_trays = weakref.WeakSet()


class OriginSide(ProductSide):
    """Refreshes metadata, and shows provenance and citations."""

    freshness_widget = Unicode().tag(sync=True)
    provenance_widget = Unicode().tag(sync=True)
    citation_widget = Unicode().tag(sync=True)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._refresh_worker, self._looked = None, False
        self.freshness = FreshnessPanel(
            on_refresh=self._refresh_from_page,
            on_cancel=self._cancel_refresh,
            on_fetch=self._fetch_update,
            on_provenance=self._provenance_of_first_layer,
            on_cite=self._cite_from_page,
        )
        self.provenance_panel = ProvenancePanel(self._owner, self.mast, self._metadata_of)
        self.citation_panel = CitationPanel(self._owner, self.mast)
        self.freshness_widget = "IPY_MODEL_" + self.freshness.model_id
        self.provenance_widget = "IPY_MODEL_" + self.provenance_panel.model_id
        self.citation_widget = "IPY_MODEL_" + self.citation_panel.model_id
        self.job_list.observe(self._kept_changed, "total")
        jdaviz_api.watch_data(self._app, self.freshness, self._kept_changed)
        self.products.on_provenance = self._provenance_of_product
        _trays.add(self)

    def _offer_choosing(self):
        super()._offer_choosing()
        for action in (
            RowAction("origin", "Where it comes from", "mdi-source-branch", self._origin_of_row),
            RowAction("cite", "Cite", "mdi-format-quote-close", self._cite_row),
        ):
            self.observations.add_action(action)

    # From Python

    def refresh_metadata(self, observation_id=None):
        """Fetch the archive's rows anew, for the library and for all layers.

        Parameters
        ----------
        observation_id : str, optional
            MAST's ``obs_id``; by default all that is held.

        Returns
        -------
        report : `~jdaviz_mast.library.RefreshReport`
            See `jdaviz_mast.Mast.refresh_metadata`.

        Raises
        ------
        ObservationNotFound
            If nothing of the observation is held.
        jdaviz_mast.errors.MastError
        """
        report, _ = self._refresh(observation_id).wait()
        return report

    def fetch_new_version(self, uri):
        """Import what the archive has reprocessed, beside the file and the layers that are there.

        Parameters
        ----------
        uri : str
            ``dataURI`` of a file of the library.

        Returns
        -------
        job : `~jdaviz_mast.ImportJob`

        Raises
        ------
        InvalidInput
            If the library has no such file, or the archive no other version of it.
        """
        return self._fetch_new_version(uri).wait()

    def provenance(self, subject=None):
        """Show where something comes from, and return it.

        Parameters
        ----------
        subject : optional
            Label of a layer, or what `jdaviz_mast.Mast.provenance` takes; by default the main
            layer from MAST.

        Returns
        -------
        provenance : `~jdaviz_mast.library.Provenance`

        Raises
        ------
        InvalidInput
            If it is nothing of the archive's.
        """
        labels = self._labels()
        if subject is None:
            if not labels:
                raise InvalidInput("subject", None, "give one: no layer is from MAST")
            subject = _main(labels)
        if isinstance(subject, str) and subject in labels:
            layer = self._metadata_of(subject)
            return self._provenance(layer, subject, layers=labels, layer=subject).wait()
        title = subject if isinstance(subject, str) else getattr(subject, "label", "")
        return self._provenance(subject, str(title)).wait()

    def citations(self, subjects=None):
        """Show what to acknowledge and to cite, and return it.

        Parameters
        ----------
        subjects : optional
            What `jdaviz_mast.Mast.citations` takes; by default all layers from MAST, or the library
            if there are none.

        Returns
        -------
        citations : `~jdaviz_mast.library.Citations`
        """
        return self._cite(subjects).wait()

    # Freshness

    def held(self):
        """Return what the layers of this viewer are of, for `jdaviz_mast.Mast.refresh_metadata`."""
        return held_by_layers(self._app)

    def take_report(self, report):
        """Put into the layers what a refresh found that was started elsewhere, as over HTTP."""
        update_layers(self._app, report)
        self._show_updates()

    def _refresh(self, observation_id=None):
        if self._refresh_worker is not None:
            self._refresh_worker.cancel()
        held, mast = held_by_layers(self._app), self.mast
        self.freshness.wait()

        def refresh(worker):
            report = mast.refresh_metadata(
                observation_id, held=held, check_cancelled=worker.check_cancelled
            )
            return report, _badges(mast)

        self._refresh_worker = Worker(
            self._owner,
            refresh,
            on_done=self._refreshed,
            on_error=self._not_refreshed,
        ).start()
        return self._refresh_worker

    def _refreshed(self, found):
        report, badges = found
        labels = update_layers(self._app, report)
        for tray in list(_trays):
            if tray is not self:
                tray._owner.post(lambda tray=tray: update_layers(tray._app, report))
        with self.freshness.hold_sync():
            self.freshness.shown = True
            self.freshness.show_report(report, labels)
        self._show_badges(badges)

    def _not_refreshed(self, error):
        self.freshness.fail("" if isinstance(error, Cancelled) else sentence(error))

    def _refresh_from_page(self):
        self._from_button(self._refresh)

    def _cancel_refresh(self):
        if self._refresh_worker is not None:
            self._refresh_worker.cancel()

    def _look_once(self):
        """Show what is new; ask the archive for it if nobody has today, and say no word if not."""
        if self._looked:
            return
        self._looked = True
        mast = self.mast

        def look(worker):
            if conf.look_for_updates and is_due(mast.download_dir):
                look_for_updates(mast, worker.check_cancelled)
            return _badges(mast)

        def not_now(error):
            self._show_updates()

        Worker(self._owner, look, on_done=self._show_badges, on_error=not_now).start()

    def _show_updates(self):
        mast = self.mast
        Worker(
            self._owner, lambda worker: _badges(mast), on_done=self._show_badges,
            on_error=lambda error: None,
        ).start()  # fmt: skip

    def _show_badges(self, found):
        updates, badges = found
        self.job_list.badges = badges
        self._updates_known(updates)

    def _updates_known(self, updates):
        super()._updates_known(updates)
        self.freshness.show_updates(updates)

    def _fetch_update(self, update):
        def start():
            if update.kind == "public":
                self._import_from_page(lambda: Table([update.product]))
            else:
                self._fetch_new_version(update.uri)

        self._from_button(start)

    def _fetch_new_version(self, uri):
        name = str(uri).rsplit("/", 1)[-1]
        title = f"{name}, new version"
        return self._imports.new_version(uri, title, **self._layer_options())

    def _import_ended(self, title, message, notes, kind):
        super()._import_ended(title, message, notes, kind)
        self._kept_changed()
        if self.freshness.n_updates:
            self._show_updates()

    def _kept_changed(self, *_):
        labels = self._labels()
        with self.freshness.hold_sync():
            self.freshness.has_layers = bool(labels)
            self.freshness.shown = bool(
                labels or self.job_list.total or self.freshness.n_updates or self.freshness.message
            )
        self.provenance_panel.layers = labels if self.provenance_panel.layer else []

    # Provenance and citations

    def _labels(self):
        return [data.label for data in jdaviz_api.data_from_mast(self._app)]

    def _metadata_of(self, label):
        """Return the layer of a label, None if there is none."""
        found = [d for d in jdaviz_api.data_from_mast(self._app) if d.label == label]
        return _Layer(label, dict(found[0].meta)) if found else None

    def _provenance(self, subject, title, **layers):
        if isinstance(subject, Row):
            subject = Table(subject)
        return self.provenance_panel.start(subject, title, **layers)

    def _provenance_of_first_layer(self):
        labels = self._labels()
        if labels:
            label = _main(labels)
            self._provenance(self._metadata_of(label), label, layers=labels, layer=label)

    def _origin_of_row(self, index):
        row = self.observations.row(index)
        self._provenance(row, title_of(row))

    def _provenance_of_product(self, row):
        self._provenance(row, title_of(row))

    def _cite(self, subjects=None):
        title = "these observations"
        if subjects is None:
            layers = [self._metadata_of(label) for label in self._labels()]
            subjects = layers or None
            title = f"{counted(len(layers), 'layer')}" if layers else "all that is imported"
        elif isinstance(subjects, (str, Table)):
            title = title_of(subjects)
        return self.citation_panel.start(subjects, title)

    def _cite_from_page(self):
        self._cite()

    def _cite_row(self, index):
        self._cite(self.observations.row(index))

    # From the page

    def vue_plugin_ping(self, ping_timestamp):
        """Heartbeat of the open panel: somebody looks, so that what is new is of use."""
        super().vue_plugin_ping(ping_timestamp)
        self._look_once()


class _Layer:
    """A layer as workers may read it: its label, and a copy of its metadata."""

    def __init__(self, label, meta):
        self.label, self.meta = label, meta


def _main(labels):
    """Return the label to begin with: those of masks and catalogs have a word more."""
    return min(labels, key=len)


def _badges(mast):
    """Return what is new, and which imports are concerned: job ID to a few words."""
    updates = open_updates(mast)
    if not updates:
        return [], {}
    kinds, badges = {update.uri: update.kind for update in updates}, {}
    for job in mast.jobs:
        found = [kinds[file.uri] for file in job.files if file.uri in kinds]
        for kind, word in (("reprocessed", "reprocessed"), ("public", "public now")):
            if kind in found:
                badges.setdefault(job.id, word)
    return updates, badges
