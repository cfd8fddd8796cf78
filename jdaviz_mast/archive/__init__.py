"""ASK: from a query to observations and products. No widget and no disk in here."""

from jdaviz_mast.archive.client import Archive
from jdaviz_mast.archive.cloud import bucket_address
from jdaviz_mast.archive.credentials import Credentials, User, check_token
from jdaviz_mast.archive.query import COMBINED_LEVEL, MAX_RADIUS, MISSIONS, Query
from jdaviz_mast.archive.session import check_server
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
    "MAX_RADIUS",
    "MISSIONS",
    "TOKEN_PAGE",
    "Archive",
    "Credentials",
    "Query",
    "User",
    "bucket_address",
    "check_server",
    "check_token",
    "find_token",
    "forget_token",
    "set_token",
    "store_token",
    "token_origin",
]
