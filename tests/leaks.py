"""Where a secret may have gone: errors with their variables, log records, files, objects."""

import base64
import contextlib
import logging
import traceback
from pathlib import Path

TESTS = Path(__file__).resolve().parent


def everything_in(error):
    """An error and all errors behind it as text, with the variables of all frames but the tests'.

    The tests have the secret in their own variables.
    """
    texts, waiting, seen = [], [error], set()
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        for frame in shown.stack:
            if not Path(frame.filename).is_relative_to(TESTS):
                texts += [str(frame.locals), frame.line or ""]
        texts += [str(error), repr(error), repr(vars(error)), repr(error.args)]
        waiting += [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
    return "\n".join(texts)


def forms_of(secret):
    """The secret as it may be written: as it is, in Base64, in UTF-16."""
    plain = secret.encode()
    # Base64 of a text depends on where in it the secret begins; its middle does not.
    shifted = [base64.b64encode(bytes(n) + plain)[8:-4] for n in range(3)]
    return [plain, secret.encode("utf-16-le"), *shifted]


def shows(data, secret):
    """Whether bytes or text hold the secret in any form."""
    data = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    return any(form in data for form in forms_of(secret))


def files_with(secret, *folders):
    """Files below some folders whose name or content holds the secret."""
    return [
        path
        for folder in folders
        for path in folder.rglob("*")
        if shows(str(path), secret) or (path.is_file() and shows(path.read_bytes(), secret))
    ]


def plain_texts(thing, depth=6):
    """Every text that can be reached from an object over attributes and containers."""
    seen, texts = set(), []

    def walk(value, depth):
        if id(value) in seen or depth < 0:
            return
        seen.add(id(value))
        if type(value) in (str, bytes):
            texts.append(value)
        elif isinstance(value, dict):
            for item in [*value.keys(), *value.values()]:
                walk(item, depth - 1)
        elif isinstance(value, (list, tuple, set, frozenset)):
            for item in value:
                walk(item, depth - 1)
        else:
            texts.append(everything_in(value) if isinstance(value, BaseException) else repr(value))
            with contextlib.suppress(TypeError):
                walk(vars(value), depth - 1)

    walk(thing, depth)
    return texts


class LogKeeper(logging.Handler):
    """Keeps all that a log record says, its arguments and traceback included."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.texts = []

    def emit(self, record):
        self.texts += [self.format(record), repr(vars(record))]
        if record.exc_info and record.exc_info[1] is not None:
            self.texts.append(everything_in(record.exc_info[1]))
