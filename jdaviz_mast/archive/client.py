"""The archive as three questions: where is it, what was observed, which products are there."""

import contextlib
import threading

import numpy as np
import requests
from astropy.table import vstack
from astroquery.exceptions import InvalidQueryError, RemoteServiceError
from astroquery.mast import ObservationsClass

from jdaviz_mast.archive import cloud, missions, stars
from jdaviz_mast.archive.checks import PRODUCT_TYPES
from jdaviz_mast.archive.places import resolve
from jdaviz_mast.archive.portal import Portal
from jdaviz_mast.archive.product_lists import join_products
from jdaviz_mast.archive.query import COMBINED_LEVEL
from jdaviz_mast.archive.search import ROWS_AT_MOST, search
from jdaviz_mast.archive.session import check_server, explain, open_session
from jdaviz_mast.config import conf
from jdaviz_mast.errors import ArchiveError, InvalidInput, MastError

__all__ = ["Archive"]

_DOWNLOAD_PATH = "/api/v0.1/Download/file"

#: Column configuration per server: it does not change within a session.
_column_configs = {}
#: Keywords per server and mission: likewise.
_keywords = {}
_column_configs_lock = threading.Lock()

# What a malformed answer makes astroquery raise while it parses it; InvalidQueryError if its
# description of the columns lacks one that we ask for.
_BAD_ANSWER = (requests.RequestException, RemoteServiceError, InvalidQueryError, TimeoutError,
               ValueError, KeyError, TypeError, AttributeError, OverflowError)  # fmt: skip


class Archive:
    """Asks one archive server; wraps astroquery's own query methods.

    Safe to use from several threads: every question gets an instance of astroquery's class of
    its own, since that class keeps the state of a question on itself.

    Parameters
    ----------
    server : str
        Address of the archive.
    """

    def __init__(self, server):
        self.server = check_server(server)

    def resolve(self, name, *, check_cancelled=None):
        """Return where a target is, and who says so.

        Parameters
        ----------
        name : str
        check_cancelled : callable, optional

        Returns
        -------
        place : `jdaviz_mast.archive.Place`

        Raises
        ------
        TargetNotFound
            If no resolver knows the name.
        """
        with self._session(check_cancelled) as session:
            return resolve(session, name)

    def count(self, criteria, *, check_cancelled=None):
        """Return how many observations match, without asking for them.

        Parameters
        ----------
        criteria : dict
            As for `matching`.
        check_cancelled : callable, optional

        Returns
        -------
        count : int
        """
        return self._with_portal(
            lambda mast, _: int(mast.query_criteria_count(**criteria)), check_cancelled
        )

    def observations(self, query, *, page=None, check_cancelled=None):
        """Return what the archive holds for a query.

        Parameters
        ----------
        query : `jdaviz_mast.archive.Query`
        page : int, optional
            Only this page of ``jdaviz_mast.conf.page_size`` rows, 1 for the first.
        check_cancelled : callable, optional
            Called between answers; raises to stop.

        Returns
        -------
        observations : `~astropy.table.Table`
            MAST's own columns and order; empty if nothing matches.
        """
        return search(self, query, page=page, check_cancelled=check_cancelled)

    def matching(self, criteria, *, page=None, check_cancelled=None):
        """Return the observations that match some criteria.

        Parameters
        ----------
        criteria : dict
            Column to the values that it may have, see `jdaviz_mast.archive.Query.criteria`; and
            ``coordinates``, a `~astropy.coordinates.SkyCoord`, with ``radius``, an angle.
        page : int, optional
            Only this page of ``jdaviz_mast.conf.page_size`` rows, 1 for the first; by default all
            pages, up to `ROWS_AT_MOST` rows.
        check_cancelled : callable, optional
            Called between answers; raises to stop.

        Returns
        -------
        observations : `~astropy.table.Table`
            MAST's own columns and order; empty if nothing matches.
        total : int
            Rows that match, which are more than there are if it is one page of several.
        """
        size = conf.page_size

        def ask(mast, portal):
            pages, number = [], page or 1
            while True:
                rows = mast.query_criteria(pagesize=size, page=number, **criteria)
                if len(rows) and "obs_id" not in rows.colnames:
                    raise self._without_rows()
                pages.append(rows)
                total = len(rows) if portal.total is None else int(portal.total)
                if page or not len(rows) or number * size >= min(total, ROWS_AT_MOST):
                    break
                number += 1
            found = pages[0] if len(pages) == 1 else vstack(pages, metadata_conflicts="silent")
            return found[:ROWS_AT_MOST], total

        return self._with_portal(ask, check_cancelled)

    def keywords(self, mission, *, check_cancelled=None):
        """Return the keywords that a mission's data sets can be searched by.

        Parameters
        ----------
        mission : str
            ``'JWST'`` or ``'HST'``.
        check_cancelled : callable, optional

        Returns
        -------
        keywords : `~astropy.table.Table`
            ``name``, ``type`` and ``description``.
        """
        key = self.server, mission.lower()
        if key not in _keywords:
            with self._session(check_cancelled) as session:
                _keywords[key] = missions.column_list(session, mission.lower())
        return _keywords[key].copy()

    def datasets(self, conditions, *, position=None, radius=None, check_cancelled=None):
        """Return JWST's data sets with some keywords, see `jdaviz_mast.Mast.search`."""
        keywords = self.keywords("JWST", check_cancelled=check_cancelled)
        conditions = missions.check_keywords(conditions, keywords)
        with self._session(check_cancelled) as session:
            return missions.find_datasets(
                session, conditions, keywords, position=position, radius=radius
            )

    def star(self, number=None, position=None, *, check_cancelled=None):
        """Return what the TESS Input Catalog knows of a star, or None.

        Parameters
        ----------
        number : str, optional
            Of the star in the catalog.
        position : `~astropy.coordinates.SkyCoord`, optional
            Of the star, to 5 arcsec, if its number is not known.
        check_cancelled : callable, optional

        Returns
        -------
        star : `jdaviz_mast.archive.Star` or None
        """

        def ask(_, portal):
            if number is not None:
                return stars.star_of(portal, number)
            return stars.star_near(portal, position)

        return self._with_portal(ask, check_cancelled)

    def observations_by_obsid(self, obsids, *, check_cancelled=None):
        """Return the observations of these numbers (``obsid``), at whichever level.

        Parameters
        ----------
        obsids : iterable of str
        check_cancelled : callable, optional

        Returns
        -------
        observations : `~astropy.table.Table`
            Those that the archive has, in its order.
        """
        return self._ask(
            lambda mast: mast.query_criteria(pagesize=conf.page_size, obsid=sorted(obsids)),
            "obs_id",
            check_cancelled,
        )

    def products(
        self,
        observations,
        *,
        all_levels=False,
        product_type="SCIENCE",
        at_once=1,
        check_cancelled=None,
    ):
        """Return the products of observations, unique by ``dataURI``.

        Each observation is asked for alone: lists of several JWST observations hold tens of
        thousands of rows and time out.

        Parameters
        ----------
        observations : `~astropy.table.Table`
            Rows with the column ``obsid``.
        all_levels : bool
            Whether products below the combined level are wanted too.
        product_type : str, list of str or None
            MAST's ``productType``; None for all types.
        at_once : int
            Observations that are asked for in one request; more than 1 for those whose lists are
            known to be short.
        check_cancelled : callable, optional

        Returns
        -------
        products : `~astropy.table.Table`
            MAST's own columns, in the archive's order.
        """
        types = check_product_types(product_type)
        lists = []
        numbers = list(dict.fromkeys(str(obsid) for obsid in observations["obsid"]))
        for start in range(0, len(numbers), at_once):
            portion = ",".join(numbers[start : start + at_once])
            rows = self._ask(
                lambda mast, portion=portion: mast.get_product_list(portion),
                "dataURI",
                check_cancelled,
            )
            if rows.colnames:
                lists.append(_choose(rows, types, all_levels))
        return join_products(lists)

    def download_url(self, uri):
        """Return the address of the download service for a product's ``dataURI``."""
        return requests.Request(
            "GET", self.server + _DOWNLOAD_PATH, params={"uri": uri}
        ).prepare().url  # fmt: skip

    def cloud_urls(self, uris, check_cancelled=None):
        """Return where products lie in MAST's public bucket.

        Parameters
        ----------
        uris : iterable of str
            Values of ``dataURI``.
        check_cancelled : callable, optional
            Called now and then; raises to stop.

        Returns
        -------
        urls : dict
            For each URI the address of its key in the bucket, or None if it is not in the
            cloud. All are None if this archive has no bucket, see `bucket_address`.

        Raises
        ------
        InvalidInput
            If ``AWS_ENDPOINT_URL_S3`` is set, but is no address.
        ArchiveUnreachable, ArchiveTimeout, ArchiveError
        """
        with self._errors_explained():
            return cloud.look_up(self.server, uris, check_cancelled=check_cancelled)

    def _ask(self, question, column, check_cancelled):
        """Ask astroquery; ``column`` is one that every row of the answer has."""
        table = self._with_portal(lambda mast, _: question(mast), check_cancelled)
        if len(table) and column not in table.colnames:
            raise self._without_rows()
        return table

    def _without_rows(self):
        return ArchiveError(f"The archive at {self.server} sent an answer without rows.")

    def _with_portal(self, question, check_cancelled):
        """Ask astroquery, with a connection to the portal that belongs to this question."""
        mast = ObservationsClass()
        open_session(
            mast._session, self.server, timeout=conf.timeout, check_cancelled=check_cancelled
        )
        with _column_configs_lock:
            known = _column_configs.get(self.server, {})
            portal = Portal(mast._session, 10 * conf.timeout, known)
        mast._portal_api_connection = portal
        with self._errors_explained():
            answer = question(mast, portal)
        with _column_configs_lock:
            _column_configs.setdefault(self.server, {}).update(portal.column_configs)
        return answer

    @contextlib.contextmanager
    def _session(self, check_cancelled):
        """Open a connection of its own for a question that astroquery does not ask."""
        with self._errors_explained(), requests.Session() as session:
            yield open_session(
                session, self.server, timeout=conf.timeout, check_cancelled=check_cancelled
            )

    @contextlib.contextmanager
    def _errors_explained(self):
        try:
            yield
        except MastError:
            raise
        except _BAD_ANSWER as error:
            raise explain(error, self.server) from error


def check_product_types(product_type):
    """Return the ``productType`` that are meant, a list; None for all.

    Raises
    ------
    InvalidInput
    """
    if product_type is None:
        return None
    types = [str(item).upper() for item in np.atleast_1d(product_type)]
    for item in types:
        if item not in PRODUCT_TYPES:
            allowed = f"choose from {', '.join(PRODUCT_TYPES)}"
            raise InvalidInput("product_type", product_type, allowed)
    return types


def _choose(rows, types, all_levels):
    keep = np.ones(len(rows), dtype=bool)
    if types is not None:
        keep &= np.isin(rows["productType"].filled(""), types)
    # Lists of older processing have no levels: all that is known is that they are products.
    if not all_levels and "calib_level" in rows.colnames:
        # Above it is what teams contribute, whose observations have nothing else.
        keep &= rows["calib_level"].filled(-1) >= COMBINED_LEVEL
    return rows[keep]
