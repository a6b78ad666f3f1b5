"""What can be taken back: moments of a session, each with the name of the change that followed it. No Qt.

A moment holds the whole of what a user has made: the document, its model, the runs with what they had
recorded, and where the timeline stood. Undo is going back to it; nothing is worked out anew, so a file that
has changed since, or has gone, does not matter. Moments share what is the same in them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from engine.graph import Graph
from engine.search import SearchResult
from engine.training import Run
from graphs.network import Model
from gui.lab import Document, LabRun

__all__ = ["NO_PAST", "Entry", "Kept", "Moment", "Moments", "Past"]

MOST = 200
"""Moments that are kept."""
MOST_BYTES = 2**30
"""Bytes of arrays that they may hold together; the last one is kept however large it is."""


class Kept(NamedTuple):
    """A run of the lab, and its record as it was."""

    shown: LabRun
    run: Run


@dataclass(frozen=True, eq=False)
class Moment:
    """What a session was.

    Attributes
    ----------
    runs
        All runs of the lab, oldest first; `current` is the one that the timeline stood in.
    """

    document: Document
    model: Model
    runs: tuple[Kept, ...]
    current: LabRun
    iteration: int
    position: int
    search: SearchResult | None

    @property
    def graph(self) -> Graph:
        """The graph of the run's first iteration."""
        return self.model.batch(self.model.indices(0, self.document.batch_size))[0]

    def detached(self) -> Moment:
        """Return the same moment with runs and a search that nobody goes on with."""
        own = {kept.shown: replace(kept.shown, run=kept.run, running=False) for kept in self.runs}
        runs = tuple(Kept(own[kept.shown], kept.run) for kept in self.runs)
        search = None if self.search is None else self.search.fork()
        return replace(self, runs=runs, current=own[self.current], search=search)

    def arrays(self) -> Iterator[np.ndarray]:
        """Yield the arrays that the moment keeps alive."""
        yield from self.model.leaves.values()
        for kept in self.runs:
            yield from kept.run.history.arrays()


class Entry(NamedTuple):
    """A moment to go to, the name of the change that this undoes, and whether it shortens runs."""

    moment: Moment
    what: str
    rewinds: bool


class Past(NamedTuple):
    """What can be taken back and done again; the last of each is the next. It does not change."""

    back: tuple[Entry, ...] = ()
    forth: tuple[Entry, ...] = ()

    def standing_for(self, runs: Mapping[LabRun, LabRun]) -> Past:
        """Return the same with other runs in the place of its own."""
        return Past(*(tuple(_with_runs(entry, runs) for entry in entries) for entries in self))


NO_PAST = Past()


def _with_runs(entry: Entry, runs: Mapping[LabRun, LabRun]) -> Entry:
    moment = entry.moment
    kept = tuple(Kept(runs[own.shown], own.run) for own in moment.runs)
    return entry._replace(moment=replace(moment, runs=kept, current=runs[moment.current]))


class Moments:
    """The moments behind and ahead of the present one."""

    def __init__(self) -> None:
        self._back: list[Entry] = []
        self._forth: list[Entry] = []
        self._merge = ""
        self._users: Counter[int] = Counter()
        self._bytes = 0

    @property
    def undo_text(self) -> str:
        """What undo would take back, "" for nothing."""
        return self._back[-1].what if self._back else ""

    @property
    def redo_text(self) -> str:
        """What redo would do again, "" for nothing."""
        return self._forth[-1].what if self._forth else ""

    @property
    def behind(self) -> Moment | None:
        """The moment that undo would go to."""
        return self._back[-1].moment if self._back else None

    @property
    def ahead(self) -> Moment | None:
        """The moment that redo would go to."""
        return self._forth[-1].moment if self._forth else None

    def record(self, before: Moment, what: str, *, merge: str = "", rewinds: bool = False) -> None:
        """Note a change that has been made; what was ahead is gone.

        Parameters
        ----------
        before
            The moment before it.
        what
            Its name in the menu.
        merge
            Changes that follow one another with the same key are taken back as one; "" for none.
        rewinds
            Whether taking it back takes back what runs have recorded since: a training.
        """
        is_one = bool(merge) and merge == self._merge and bool(self._back) and not self._forth
        self._merge = merge
        for entry in self._forth:
            self._forget(entry)
        self._forth.clear()
        if not is_one:
            self._push(self._back, Entry(before, what, rewinds))
            self._shorten()

    @property
    def past(self) -> Past:
        """All of it as it is now."""
        return Past(tuple(self._back), tuple(self._forth))

    def add(self, past: Past) -> None:
        """Put what can be taken back and done again in another session on top of what is here."""
        self._merge = ""
        for entry in self._forth:
            self._forget(entry)
        self._forth.clear()
        for entries, added in ((self._back, past.back), (self._forth, past.forth)):
            for entry in added:
                self._push(entries, entry)
        self._shorten()

    def seal(self) -> None:
        """Let nothing that follows be taken back together with the last change."""
        self._merge = ""

    def undo(self, now: Moment) -> tuple[Moment, bool] | None:
        """Return the moment to go back to and whether runs go back too; None where there is none."""
        return self._move(self._back, self._forth, now)

    def redo(self, now: Moment) -> tuple[Moment, bool] | None:
        """Return the moment to go forth to and whether runs change too; None where there is none."""
        return self._move(self._forth, self._back, now)

    def _move(self, source: list[Entry], target: list[Entry], now: Moment) -> tuple[Moment, bool] | None:
        if not source:
            return None
        self._merge = ""
        entry = source.pop()
        self._push(target, Entry(now, entry.what, entry.rewinds))
        self._forget(entry)
        return entry.moment, entry.rewinds

    # --- how much is kept ---

    def _push(self, entries: list[Entry], entry: Entry) -> None:
        entries.append(entry)
        for base in _bases(entry):
            self._users[id(base)] += 1
            if self._users[id(base)] == 1:
                self._bytes += base.nbytes

    def _forget(self, entry: Entry) -> None:
        for base in _bases(entry):
            self._users[id(base)] -= 1
            if not self._users[id(base)]:
                del self._users[id(base)]
                self._bytes -= base.nbytes

    def _shorten(self) -> None:
        while len(self._back) > MOST or (self._bytes > MOST_BYTES and len(self._back) > 1):
            self._forget(self._back.pop(0))


def _bases(entry: Entry) -> Iterator[np.ndarray]:
    """Yield the memory behind the arrays of an entry: several views of one array cost no more than it."""
    for array in entry.moment.arrays():
        yield array.base if isinstance(array.base, np.ndarray) else array
