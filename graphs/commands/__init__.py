"""The commands, one a file: each is a `COMMAND` record that the command line runs.

The painting that two of them need is handed in, so none imports Qt.

A new command is a new file here and its name in `NAMES`, which is the order in which the help lists them.
"""

from __future__ import annotations

import importlib

from graphs.commands.base import Command

__all__ = ["NAMES", "find"]

NAMES = (
    *("networks", "trace", "derive", "check", "train", "search", "landscape", "sweep", "export", "lesson"),
    "exercise",
)


def find(name: str) -> Command:
    """Return a command; only its own file is imported, so that each starts as fast as it can."""
    return importlib.import_module(f"graphs.commands.{name}").COMMAND
