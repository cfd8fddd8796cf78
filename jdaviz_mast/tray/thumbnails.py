"""Small pictures of the rows that are shown, fetched when somebody wants to see them."""

from jdaviz_mast.errors import Cancelled
from jdaviz_mast.tray.worker import Worker

__all__ = ["Thumbnails"]

#: Pixels of the longer side, and thumbnails that are kept at the most.
_SIDE, _MOST_KEPT = 56, 500


class Thumbnails:
    """Fills in the pictures of a table's page, one after the other, beside the page.

    Parameters
    ----------
    table : `~jdaviz_mast.tray.observation_table.ObservationTable`
    owner : `jdaviz_mast.viewer.owner_thread.OwnerThread`
    mast : `jdaviz_mast.Mast`
    """

    def __init__(self, table, owner, mast):
        self._table, self._owner, self._mast = table, owner, mast
        self._kept, self._worker, self._wanted = {}, None, ()
        table.observe(self._look, ["rows", "pictures"])

    def _look(self, _=None):
        """Send what is known of the rows that are shown, and have the rest fetched."""
        indices = [row["index"] for row in self._table.rows] if self._table.pictures else []
        names = {index: str(self._table.row(index)["obsid"][0]) for index in indices}
        self._send(names)
        missing = {i: name for i, name in names.items() if name not in self._kept}
        if tuple(missing.values()) == self._wanted:
            return  # these are on their way
        if self._worker is not None:
            self._worker.cancel()
        self._wanted = tuple(missing.values())
        if missing:
            rows = {name: self._table.row(index) for index, name in missing.items()}
            self._worker = Worker(
                self._owner,
                lambda worker: self._fetch(rows, worker),
                on_done=lambda _: None,
                on_error=lambda error: None,
            ).start()

    def _fetch(self, rows, worker):
        for name, row in rows.items():
            worker.check_cancelled()
            try:
                picture = self._mast.preview(
                    row, draw=False, check_cancelled=worker.check_cancelled
                ).picture
                url = picture.thumbnail(_SIDE).data_url
            except Cancelled:
                raise
            # No picture, or none that may be seen or decoded: the cell stays empty.
            except Exception:  # noqa: BLE001
                url = ""
            worker.show(lambda name=name, url=url: self._keep(name, url))

    def _keep(self, name, url):
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[name] = url
        self._wanted = tuple(other for other in self._wanted if other != name)
        if self._table.pictures:
            self._send({r["index"]: str(self._table.row(r["index"])["obsid"][0])
                        for r in self._table.rows})  # fmt: skip

    def _send(self, names):
        self._table.thumbnails = {
            str(index): self._kept[name] for index, name in names.items() if self._kept.get(name)
        }
