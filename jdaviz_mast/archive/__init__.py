"""ASK: from a query to observations and products. No widget and no disk in here."""

from jdaviz_mast.archive.asked import keep_queries, plain_arguments, plain_server, queries_of
from jdaviz_mast.archive.cells import UNREADABLE
from jdaviz_mast.archive.checks import MAX_RADIUS
from jdaviz_mast.archive.client import Archive, check_product_types
from jdaviz_mast.archive.cloud import bucket_address
from jdaviz_mast.archive.credentials import Credentials, User, check_token
from jdaviz_mast.archive.datasets import collection_doi, is_doi, plain_doi
from jdaviz_mast.archive.links import PORTAL_LINK, portal_link
from jdaviz_mast.archive.places import Place
from jdaviz_mast.archive.product_lists import join_products
from jdaviz_mast.archive.query import COMBINED_LEVEL, DATA_TYPES, MISSIONS, RIGHTS, Query
from jdaviz_mast.archive.rows import as_dict, as_observations
from jdaviz_mast.archive.search import META, ROWS_AT_MOST, count
from jdaviz_mast.archive.session import check_server
from jdaviz_mast.archive.stars import Star
from jdaviz_mast.archive.token import (
    TOKEN_PAGE,
    find_token,
    forget_token,
    set_token,
    store_token,
    token_origin,
)

__all__ = [
    "COMBINED_LEVEL",
    "DATA_TYPES",
    "MAX_RADIUS",
    "META",
    "MISSIONS",
    "PORTAL_LINK",
    "RIGHTS",
    "ROWS_AT_MOST",
    "TOKEN_PAGE",
    "UNREADABLE",
    "Archive",
    "Credentials",
    "Place",
    "Query",
    "Star",
    "User",
    "as_dict",
    "as_observations",
    "bucket_address",
    "check_product_types",
    "check_server",
    "check_token",
    "collection_doi",
    "count",
    "find_token",
    "forget_token",
    "is_doi",
    "join_products",
    "keep_queries",
    "plain_arguments",
    "plain_doi",
    "plain_server",
    "portal_link",
    "queries_of",
    "set_token",
    "store_token",
    "token_origin",
]
