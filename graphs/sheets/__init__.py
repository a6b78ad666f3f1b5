"""Sheets of exercises, to be printed or passed on: one format a file, each a `WRITER` record.

A new format is a new file here and its name in `NAMES`; the first one is what the command line prints.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from graphs.sheets.sheet import Sheet, Writer

__all__ = ["NAMES", "Sheet", "Writer", "writers"]

NAMES = ("text", "markdown", "latex", "html", "json")


def writers() -> Mapping[str, Writer]:
    """Return the formats of sheets by name."""
    return {name: importlib.import_module(f"{__name__}.{name}").WRITER for name in NAMES}
