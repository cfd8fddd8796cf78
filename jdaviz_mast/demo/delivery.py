"""How one answer leaves the server: ranges, validators, pace, and faults."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import re
import socket
import struct
import time
from dataclasses import dataclass, replace
from email.utils import formatdate
from pathlib import Path

from jdaviz_mast.errors import FileProblem
from jdaviz_mast.products import fits_headers

__all__ = ["Content", "Plan", "byte_range", "plan"]

_BLOCK = 1 << 20
_PACED_BLOCK = 1 << 16  # of a transfer that is slow on purpose
_CARD = 80  # bytes of a FITS header card
_CATCH_UP = 0.1  # seconds of a slow transfer's delay that are made good, and no more
_EPOCH = 1_750_000_000  # Last-Modified of every file: 15 June 2025; same on every run
_PAGE = b"<!DOCTYPE html><html><head><title>MAST</title></head><body>Sign in</body></html>\n"


@dataclass(frozen=True)
class Content:
    """Bytes to answer with, in memory or in a file.

    `name` becomes the Content-Disposition, `tag` the identity that ETag is made from;
    without a tag there are no validators, as for an answer made on the fly. `revision` says
    how often it was made anew: each time a day later. `pieces` is in how many it was put into S3,
    which the ETag then tells; else S3's ETag would have to be the MD5 of the file.
    """

    source: bytes | Path
    type: str = "application/json"
    name: str | None = None
    tag: str | None = None
    ranged: bool = False
    mask: int = 0
    revision: int = 0
    pieces: int = 0
    unmasked: tuple = ()  # (start, stop) of the bytes that the mask leaves alone

    @property
    def size(self):
        """Length in bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    @contextlib.contextmanager
    def opened(self, start):
        """Reader of at most n bytes at a time, from byte `start` on."""
        if isinstance(self.source, bytes):
            view, position = memoryview(self.source), start

            def read(count):
                nonlocal position
                piece = view[position : position + count]
                position += len(piece)
                return self._masked(piece, position - len(piece))

            yield read
            return
        with open(self.source, "rb") as file:
            file.seek(start)

            def read(count):
                position = file.tell()
                return self._masked(file.read(count), position)

            yield read

    def _masked(self, piece, position):
        # Wrong bytes of the right size: every bit of the mask flipped.
        if not self.mask:
            return piece
        piece = bytes(piece)
        flipped = bytearray(piece.translate(bytes(byte ^ self.mask for byte in range(256))))
        for start, stop in self.unmasked:
            kept = slice(max(0, start - position), max(0, stop - position))
            flipped[kept] = piece[kept]
        return bytes(flipped)

    def headers(self):
        """(start, stop) of each header of a FITS file; of its first card if that is all."""
        found, in_memory = [], isinstance(self.source, bytes)
        with (
            contextlib.suppress(FileProblem),
            io.BytesIO(self.source) if in_memory else open(self.source, "rb") as file,
        ):
            found.extend(fits_headers(file, self.size))
        return tuple(found) or ((0, _CARD),)


def byte_range(header, size):
    """First and last byte that a Range header asks for.

    Returns
    -------
    tuple of int, None or str
        ``(first, last)``; None if the header is not one we answer (several ranges,
        other units), so that the whole body is due; ``"unsatisfiable"`` for 416.
    """
    match = re.fullmatch(r"\s*bytes\s*=\s*(\d*)-(\d*)\s*", header or "")
    if not match or match.group(1) == match.group(2) == "":
        return None
    first, last = match.groups()
    if first == "":
        count = min(int(last), size)
        return (size - count, size - 1) if count else "unsatisfiable"
    first, last = int(first), min(int(last) if last else size - 1, size - 1)
    if first >= size:
        return "unsatisfiable"
    return (first, last) if first <= last else None


@dataclass
class Plan:
    """Status, headers and the part of the content that goes out."""

    status: int
    headers: dict
    content: Content
    start: int
    count: int
    chunked: bool
    stop_after: int | None = None
    ending: str | None = None  # "close", "reset", "stall" or None for a clean end


def plan(content, status, request_headers, faults):
    """Decide what to send for `content` under `faults` (kind to Fault).

    Nothing is written here; `send` does what the plan says.
    """
    if "redirect" in faults:
        return _bare(302, {"Location": faults["redirect"].location})
    if "status" in faults:
        fault = faults["status"]
        retry = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return _bare(fault.status, retry)
    if "html" in faults:
        content = Content(_PAGE, type="text/html; charset=utf-8")
    revision = content.revision
    if "changed" in faults:
        # Reprocessed FITS is FITS still: the headers stay.
        revision, content = revision + 1, replace(content, mask=0x01, unmasked=content.headers())
    if "corrupt" in faults:
        content = replace(content, mask=0xFF)
    headers = {"Content-Type": content.type}
    if "gzip" in faults:
        packed = gzip.compress(b"".join(_whole(content)), mtime=0)
        content = Content(packed, content.type, content.name, content.tag)
        headers["Content-Encoding"] = "gzip"
    if content.name:
        headers["Content-Disposition"] = f"attachment; filename={content.name}"
    etag = None
    if content.tag and "no-validators" not in faults:
        digest = hashlib.sha256(f"{content.tag} {revision} {'gzip' in faults}".encode()).hexdigest()
        if "no-etag" not in faults:
            pieces = f"-{content.pieces}" if content.pieces else ""
            etag = headers["ETag"] = f'"{digest[:32]}{pieces}"'
        headers["Last-Modified"] = formatdate(_EPOCH + revision * 86400, usegmt=True)
    start, count = 0, content.size
    if content.ranged and "no-accept-ranges" not in faults:
        headers["Accept-Ranges"] = "bytes"
        asked = request_headers.get("Range")
        condition = request_headers.get("If-Range")
        current = condition is None or condition in (etag, headers.get("Last-Modified", etag))
        if asked and current and "ignore-range" not in faults:
            wanted = byte_range(asked, count)
            if wanted == "unsatisfiable":
                return _bare(416, {"Content-Range": f"bytes */{count}"})
            if wanted:
                headers["Content-Range"] = f"bytes {wanted[0]}-{wanted[1]}/{count}"
                start, count, status = wanted[0], wanted[1] - wanted[0] + 1, 206
    chunked = "chunked" in faults or "short" in faults
    if chunked:
        headers["Transfer-Encoding"] = "chunked"
    else:
        headers["Content-Length"] = str(count)
    result = Plan(status, headers, content, start, count, chunked)
    endings = {"truncate": "close", "reset": "reset", "stall": "stall", "short": None}
    for kind, ending in endings.items():
        if kind in faults:
            result.stop_after = int(count * faults[kind].fraction)
            result.ending = ending
            break
    return result


def _bare(status, headers):
    body = b"" if status in (204, 304) else f'{{"status": {status}}}'.encode()
    headers = headers | {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return Plan(status, headers, Content(body), 0, len(body), chunked=False)


def _whole(content):
    with content.opened(0) as read:
        while piece := read(_BLOCK):
            yield piece


def send(planned, handler, *, pace, stopping):
    """Write the body of a plan to `handler`, whose headers are out already.

    Parameters
    ----------
    pace : callable
        Gives the bandwidth in bytes per second, or None, each time a block is due.
    stopping : threading.Event
        Set when the archive stops; ends a stall and a slow transfer.

    Returns
    -------
    bool
        Whether the connection can be used again.
    """
    due = planned.count if planned.stop_after is None else planned.stop_after
    on_time = time.monotonic()
    with planned.content.opened(planned.start) as read:
        while due and not stopping.is_set():
            bandwidth = pace()
            block = max(1, min(_PACED_BLOCK, int(bandwidth / 20))) if bandwidth else _BLOCK
            piece = read(min(block, due))
            if not piece:
                break
            if bandwidth:
                # By the clock, not by pauses of one block: each is a little longer than asked for.
                now = time.monotonic()
                on_time = max(on_time, now - _CATCH_UP) + len(piece) / bandwidth
                stopping.wait(max(0.0, on_time - now))
            if planned.chunked:
                handler.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            else:
                handler.wfile.write(piece)
            due -= len(piece)
    if stopping.is_set():
        return False
    if planned.ending == "stall":
        stopping.wait()
    if planned.ending == "reset":
        # SO_LINGER of zero seconds turns the close into an RST.
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        handler.connection.close()
    if planned.ending:
        return False
    if planned.chunked:
        handler.wfile.write(b"0\r\n\r\n")
    return True
