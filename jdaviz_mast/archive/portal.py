"""astroquery's connection to the portal, made fit for several threads at once."""

import functools

from astroquery.mast.discovery_portal import PortalAPI, _json_to_table
from astroquery.query import BaseQuery

from jdaviz_mast.archive.cells import UNREADABLE, leave_out_unreadable

__all__ = ["Portal", "Sender"]


class Sender(BaseQuery):
    """Sends a request and nothing else.

    `~astroquery.query.BaseQuery` switches astroquery's cache off for each request and on again
    after it, for the whole process: with two threads it ends up off.
    """

    def _request(self, method, url, *, cache=None, **kwargs):
        response = self._session.request(method, url, **kwargs)
        # astroquery and `Portal` read each answer three times, and it may be long.
        response.json = functools.cache(response.json)
        return response


class Portal(PortalAPI, Sender):
    """The connection of one question; it changes nothing that others share.

    Parameters
    ----------
    session : `requests.Session`
    timeout : float
        Seconds after which astroquery gives the question up.
    column_configs : mapping
        The archive's descriptions of its columns, as far as they are known.
    """

    def __init__(self, session, timeout, column_configs):
        super().__init__(session)
        # In front of astroquery's class attributes.
        self.TIMEOUT = timeout
        self._column_configs = dict(column_configs)
        #: Rows that the last answer is a part of, if the archive has said so.
        self.total = None

    @property
    def column_configs(self):
        """The archive's descriptions of its columns, those that were asked for included."""
        return self._column_configs

    def _parse_result(self, responses, verbose=False):
        answers = [response.json() for response in responses]
        paging = answers[0].get("paging") or {}
        self.total = paging.get("rowsFiltered")
        if any(answer["status"] == "ERROR" or answer["data"] for answer in answers):
            return self._parse_rows(responses, answers, verbose)
        # Without its warning, which does not say of what there are no rows: a filter would
        # silence it for every thread of the process, and might never be taken away.
        return _json_to_table(answers[0])

    def _parse_rows(self, responses, answers, verbose):
        service = self._current_service
        try:
            table = super()._parse_result(responses, verbose)
            if all(column.ndim == 1 for column in table.itercols()):
                return table
        except (ValueError, TypeError, OverflowError):
            pass  # which cells it were is looked at now
        sentences = [text for answer in answers for text in leave_out_unreadable(answer)]
        self._current_service = service  # astroquery has forgotten whose columns these are
        table = super()._parse_result(responses, verbose)
        if sentences:
            table.meta[UNREADABLE] = sentences
        return table
