"""The archive as three questions: where is it, what was observed, which products are there."""

import contextlib
import threading

import numpy as np
import requests
from astropy.coordinates import SkyCoord
from astroquery.exceptions import InvalidQueryError, RemoteServiceError
from astroquery.mast import ObservationsClass

from jdaviz_mast.archive import cloud
from jdaviz_mast.archive.portal import Portal
from jdaviz_mast.archive.product_lists import join_products
from jdaviz_mast.archive.query import COMBINED_LEVEL
from jdaviz_mast.archive.session import check_server, explain, open_session
from jdaviz_mast.config import conf
from jdaviz_mast.errors import ArchiveError, InvalidInput, MastError, TargetNotFound

__all__ = ["Archive"]

_RESOLVER_URL = "http://mastresolver.stsci.edu/Santa-war/query"
_DOWNLOAD_PATH = "/api/v0.1/Download/file"

#: Column configuration per server: it does not change within a session.
_column_configs = {}
_column_configs_lock = threading.Lock()

# What a malformed answer makes astroquery raise while it parses it; InvalidQueryError if its
# description of the columns lacks one that we ask for.
_BAD_ANSWER = (requests.RequestException, RemoteServiceError, InvalidQueryError, TimeoutError,
               ValueError, KeyError, TypeError, AttributeError)  # fmt: skip


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
        """Return the ICRS position of a target.

        The service and its parameters are those that astroquery's ``resolve_object`` uses;
        that function allows neither a time limit nor another server.

        Parameters
        ----------
        name : str
        check_cancelled : callable, optional

        Returns
        -------
        position : `~astropy.coordinates.SkyCoord`
            Scalar.

        Raises
        ------
        TargetNotFound
            If no resolver knows the name.
        """
        params = {"outputFormat": "json", "resolveAll": "False", "name": name}
        with self._errors_explained(), requests.Session() as session:
            open_session(
                session, self.server, timeout=conf.timeout, check_cancelled=check_cancelled
            )
            response = session.get(_RESOLVER_URL, params=params)
            response.raise_for_status()
            found = response.json().get("resolvedCoordinate") or []
            positions = [(float(item["ra"]), float(item["decl"])) for item in found]
        if not positions:
            raise TargetNotFound(
                f"No position is known for the target “{name}”. Check the spelling, or search "
                "by coordinates."
            )
        return SkyCoord(*positions[0], unit="deg", frame="icrs")

    def observations(self, query, *, check_cancelled=None):
        """Return what the archive holds for a query.

        Parameters
        ----------
        query : `jdaviz_mast.archive.Query`
        check_cancelled : callable, optional
            Called between answers; raises to stop.

        Returns
        -------
        observations : `~astropy.table.Table`
            MAST's own columns and order; empty if nothing matches.
        """
        criteria = query.criteria()
        position = query.coordinates
        if query.target:
            position = self.resolve(query.target, check_cancelled=check_cancelled)
        if position is not None:
            criteria |= {"coordinates": position, "radius": query.radius}
        return self._ask(
            lambda mast: mast.query_criteria(pagesize=conf.page_size, **criteria),
            "obs_id",
            check_cancelled,
        )

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
        check_cancelled : callable, optional

        Returns
        -------
        products : `~astropy.table.Table`
            MAST's own columns, in the archive's order.
        """
        types = _product_types(product_type)
        lists = []
        for obsid in dict.fromkeys(str(obsid) for obsid in observations["obsid"]):
            rows = self._ask(
                lambda mast, obsid=obsid: mast.get_product_list(obsid),
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
        mast = ObservationsClass()
        open_session(
            mast._session, self.server, timeout=conf.timeout, check_cancelled=check_cancelled
        )
        with _column_configs_lock:
            known = _column_configs.get(self.server, {})
            portal = Portal(mast._session, 10 * conf.timeout, known)
        mast._portal_api_connection = portal
        with self._errors_explained():
            table = question(mast)
            if len(table) and column not in table.colnames:
                raise ArchiveError(f"The archive at {self.server} sent an answer without rows.")
        with _column_configs_lock:
            _column_configs.setdefault(self.server, {}).update(portal.column_configs)
        return table

    @contextlib.contextmanager
    def _errors_explained(self):
        try:
            yield
        except MastError:
            raise
        except _BAD_ANSWER as error:
            raise explain(error, self.server) from error


def _product_types(product_type):
    if product_type is None:
        return None
    types = [str(item).upper() for item in np.atleast_1d(product_type)]
    known = ("SCIENCE", "PREVIEW", "INFO", "AUXILIARY", "THUMBNAIL", "CATALOG", "GUIDE")
    for item in types:
        if item not in known:
            raise InvalidInput("product_type", product_type, f"choose from {', '.join(known)}")
    return types


def _choose(rows, types, all_levels):
    keep = np.ones(len(rows), dtype=bool)
    if types is not None:
        keep &= np.isin(rows["productType"].filled(""), types)
    # Lists of older processing have no levels: all that is known is that they are products.
    if not all_levels and "calib_level" in rows.colnames:
        keep &= rows["calib_level"].filled(-1) == COMBINED_LEVEL
    return rows[keep]
