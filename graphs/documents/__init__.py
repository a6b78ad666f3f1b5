"""Text documents made from a snapshot: one format a file.

A module that has a `FORMAT` is found by :func:`formats`; window and command line offer it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from graphs.snapshot import Snapshot

__all__ = ["Format", "Options", "Scope", "formats"]


class Scope(StrEnum):
    """What of a snapshot a format shows."""

    STEP = "step"  # the place itself: another step gives another document
    ITERATION = "iteration"  # all steps of the iteration; the place is where the reader begins, if anything
    RUN = "run"  # every iteration trained


@dataclass(frozen=True)
class Options:
    """What may be chosen about a document; a format takes what it has a use for.

    Attributes
    ----------
    theme
        ``light``, ``dark`` or ``print``.
    answers
        Whether results are given, or left blank for a learner to fill in.
    """

    theme: str = "light"
    answers: bool = True


@dataclass(frozen=True)
class Format:
    """A format of documents.

    Attributes
    ----------
    name
        As ``--format`` takes it.
    title
        As a menu shows it.
    endings
        How the names of its files end, the usual one first.
    write
        Returns a snapshot as the text of a file.
    scope
        What of the snapshot it shows.
    uses
        The names of the `Options` that make a difference to it.
    is_read
        Whether a reader goes through it step by step, from the beginning unless a step is chosen.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    write: Callable[[Snapshot, Options], str]
    scope: Scope = Scope.ITERATION
    uses: tuple[str, ...] = ()
    is_read: bool = False


def formats() -> Mapping[str, Format]:
    """Return the formats of documents by name."""
    names = sorted(entry.name for entry in pkgutil.iter_modules(__path__))
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    found = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return {format.name: format for format in found}
