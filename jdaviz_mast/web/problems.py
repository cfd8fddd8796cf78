"""Errors as JSON: the field, its value and what is allowed; never a traceback, never a path."""

import logging

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from jdaviz_mast.errors import (
    AccessDenied,
    ArchiveTimeout,
    ArchiveUnreachable,
    DiskFull,
    FileProblem,
    InvalidInput,
    MastError,
    ObservationNotFound,
    TargetNotFound,
)
from jdaviz_mast.web.answers import without_paths
from jdaviz_mast.web.messages import Problem

__all__ = ["RESPONSES", "answer_problems"]

log = logging.getLogger(__name__)

_STATUS = (
    (InvalidInput, 422),
    ((TargetNotFound, ObservationNotFound), 404),
    (AccessDenied, 403),
    (ArchiveTimeout, 504),
    (ArchiveUnreachable, 503),
    (DiskFull, 507),
    (FileProblem, 500),
    (MastError, 502),
)
#: What each argument of the front door is called over HTTP.
_NAMES = {
    "target": "targetName", "observation_id": "obsId", "program_id": "programId",
    "job_id": "jobId", "source": "downloadSource", "product_type": "productType",
    "coordinates": "ra and dec", "level": "calibLevel", "all_levels": "calibLevel",
}  # fmt: skip
_MEANINGS = {
    401: "The key of the launch is missing; only beyond this machine.",
    403: "The data are under exclusive access, or the request is not allowed.",
    404: "There is no such target, observation, file or import.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    421: "The Host header names another machine.",
    422: "A field is not usable.",
    429: "Too many requests at once.",
    502: "The archive answered with an error.",
    503: "The archive cannot be reached.",
    504: "The archive did not answer in time.",
}
#: For the description of a door that asks the archive.
RESPONSES = {status: {"model": Problem, "description": text} for status, text in _MEANINGS.items()}


def answer_problems(app, mast):
    """Have an application answer what goes wrong as `Problem`."""

    @app.exception_handler(MastError)
    def of_mast(request, error):
        status = next(status for kinds, status in _STATUS if isinstance(error, kinds))
        if isinstance(error, InvalidInput):
            name = _NAMES.get(error.field, error.field)
            allowed = without_paths(error.allowed, mast)
            return _answer(_of_field(name, error.value, allowed), status)
        return _answer(Problem(error=without_paths(str(error), mast)), status)

    @app.exception_handler(RequestValidationError)
    def of_message(request, error):
        return _answer(_of_validation(error.errors()[0]), 422)

    @app.exception_handler(HTTPException)
    def of_http(request, error):
        if error.status_code == 400:  # bytes that are no text
            return _answer(_NO_JSON, 422)
        what = {404: "There is no such door; see openapi.json."}.get(error.status_code)
        if error.status_code == 405:
            allowed = (error.headers or {}).get("Allow") or "another method"
            what = f"{request.method} is not usable here; use {allowed}."
        return _answer(Problem(error=what or str(error.detail)), error.status_code, error.headers)

    @app.exception_handler(Exception)
    def of_ours(request, error):
        log.error("A door broke", exc_info=error)
        return _answer(Problem(error="This is an error of jdaviz-mast; its log has more."), 500)


def _of_validation(about):
    where = [str(part) for part in about["loc"][1:] if part not in ("str", "constrained-str")]
    name, kind = ".".join(where) or "body", about["type"]
    if kind == "json_invalid":
        return _NO_JSON
    if kind == "missing":
        return _of_field(name, None, "it is required")
    if kind == "extra_forbidden":
        return _of_field(name, about.get("input"), "there is no such field; see openapi.json")
    said = about["msg"].removesuffix(".")
    return _of_field(name, about.get("input"), said[:1].lower() + said[1:])


def _of_field(name, value, allowed):
    error = str(InvalidInput(name, value, allowed))
    plain = value if value is None or isinstance(value, (str, bool, int, float)) else repr(value)
    if isinstance(plain, str):
        # A lone half of a surrogate pair cannot be sent.
        plain = plain[:200].encode("utf-8", "replace").decode()
    elif isinstance(plain, float) and plain - plain != 0:
        plain = repr(plain)
    error = error.encode("utf-8", "replace").decode()
    return Problem(error=error, field=name, value=plain, allowed=allowed)


_NO_JSON = _of_field("body", "no JSON", "send one JSON object")


def _answer(problem, status, headers=None):
    return JSONResponse(problem.model_dump(mode="json", by_alias=True), status, headers)
