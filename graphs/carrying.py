"""Documents that open again: a packed session, carried as text by files of another format.

A JSON, HTML or SVG file holds it wherever it likes, as a ``data:`` URI (RFC 2397): in a string, an attribute,
an element. Nothing of the file around it is parsed, so what an editor or a web server has done to the rest
makes no difference, and a file made to do harm can do no more than a session's can.
"""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

from engine.errors import UsageError, excerpt

__all__ = ["CARRIERS", "carried", "packed_text"]

CARRIERS = (".json", ".html", ".htm", ".svg")
"""How the names of files end that may carry a session."""
LARGEST = 2**28
"""Bytes of a file that is looked through."""
_OPENING = "data:application/x-backstep;base64,"
_CARRIED = re.compile(rb"data:application\\?/x-backstep;base64,([A-Za-z0-9+/\\]+={0,2})")
"""A slash may have a backslash before it: some write JSON so."""


def packed_text(packed: bytes) -> str:
    """Return a session's bytes as text that needs no escaping in JSON, HTML and XML."""
    return _OPENING + base64.b64encode(packed).decode("ascii")


def carried(path: Path) -> bytes:
    """Return the session's bytes that a file carries; the longest, where a title or a text looks like one.

    Raises
    ------
    UsageError
        Where the file is too large or carries none.
    OSError
        Where it cannot be read.
    """
    with path.open("rb") as file:
        text = file.read(LARGEST + 1)
    where = excerpt(path.name)
    if len(text) > LARGEST:
        raise UsageError(
            f"the file has more than {LARGEST // 2**20} MB.", where=where, how="Open a smaller one."
        )
    found = max((match[1] for match in _CARRIED.finditer(text)), key=len, default=b"")
    if not found:
        raise UsageError(
            "there is no network in it that could be opened.",
            where=where,
            how="Open a network, a session, or a JSON, HTML or SVG file that Backstep has exported.",
        )
    try:
        return base64.b64decode(found.replace(b"\\", b""), validate=True)
    except binascii.Error:
        return b""  # which is no session: said where it is read
