"""How far a long command is, said on stderr where a person watches it."""

from __future__ import annotations

import sys

__all__ = ["Progress"]


class Progress:
    """A line that is written over again; nothing where stderr is a file or a pipe."""

    def __init__(self, total: int) -> None:
        self._total = max(1, total)
        self._shown = -1
        self._watched = sys.stderr is not None and sys.stderr.isatty()

    def show(self, done: int, text: str = "") -> None:
        """Say how much has been done, and what comes of it so far."""
        percent = 100 * done // self._total
        if self._watched and percent != self._shown:
            self._shown = percent
            sys.stderr.write(f"\r{percent:3d} %{', ' if text else ''}{text}".ljust(40))
            sys.stderr.flush()

    def clear(self) -> None:
        """Leave the line empty."""
        if self._watched:
            sys.stderr.write("\r" + " " * 40 + "\r")
            sys.stderr.flush()
