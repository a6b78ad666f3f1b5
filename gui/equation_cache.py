"""Formulas made ready ahead of time, beside the window.

Typesetting is done in a process of its own: it takes milliseconds a formula, and a network of a hundred lines
has a thousand of them. What comes back are glyphs and their places; making paths of them is done here, in
slices. Where no process can be had, formulas are typeset here as well, one at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from time import perf_counter
from typing import NamedTuple

from PySide6.QtCore import QObject, QTimer, Signal

from gui.equations import Equation, equation, is_at_hand, is_ready, sources_of, take
from gui.jobs import companion, ready_for_threads
from gui.typesetting import Setting, set_all

__all__ = ["EquationCache", "Wanted"]

SLICE = 0.006
"""Seconds of work in one idle moment: less than half a frame."""
PATIENCE = 250
"""Milliseconds before the process is started: the window's first picture comes before all idle work."""
WAITING = 8
"""Milliseconds between two looks whether anything has come."""
TOGETHER = 1500
"""Letters of formulas that are sent together: what has been sent cannot be overtaken."""
ON_THE_WAY = 2
"""Parcels that are at the process at a time: one in work, one waiting."""


class _Parcel(NamedTuple):
    """Formulas that are at the process, and what will come of their sources."""

    formulas: tuple[str, ...]
    settings: Future[list[Setting | str]]


class EquationCache(QObject):
    """Formulas laid out ahead of time, so that showing them costs nothing.

    Signals
    -------
    ready(str)
        A requested or prefetched formula can now be had at once.
    """

    ready = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[str, None] = {}
        self._planned: dict[str, Iterator[str]] = {}
        self._parcels: list[_Parcel] = []
        self._came: list[tuple[str, list[Setting | str]]] = []
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._work)

    @property
    def waiting(self) -> int:
        """How many formulas are still to be laid out, as far as they are known."""
        return len(self._waiting) + len(self._came) + sum(len(parcel.formulas) for parcel in self._parcels)

    @property
    def is_busy(self) -> bool:
        """Whether anything is still to be laid out."""
        return self._timer.isActive()

    def request(self, latex: str, size: float) -> Equation | None:
        """Return `latex` if it is at hand; else lay it out next, then send `ready`."""
        if is_ready(latex):
            return equation(latex, size)
        self._waiting = {latex: None, **self._waiting}
        self._begin()
        return None

    def prefetch(self, sources: Iterable[str]) -> None:
        """Lay out `sources` when nothing else is to be done, in their order."""
        known = {latex for parcel in self._parcels for latex in parcel.formulas}
        wanted = (latex for latex in sources if not is_ready(latex) and latex not in known)
        self._waiting.update(dict.fromkeys(wanted))
        if self._waiting:
            self._begin()

    def plan(self, owner: str, sources: Iterator[str]) -> None:
        """Lay out `sources` after all that is prefetched; they are written only when it is their turn.

        Parameters
        ----------
        owner
            What it planned before is given up.
        """
        self._planned[owner] = sources
        self._begin()

    def drain(self) -> None:
        """Lay out everything that waits now: for tests and exports."""
        waiting = dict.fromkeys(latex for latex, _ in self._came)
        waiting.update(dict.fromkeys(latex for parcel in self._parcels for latex in parcel.formulas))
        waiting.update(self._waiting)
        for sources in self._planned.values():
            waiting.update(dict.fromkeys(sources))
        self._waiting, self._planned, self._parcels, self._came = {}, {}, [], []
        for latex in waiting:
            if not is_ready(latex):
                equation(latex, 1.0)
                self.ready.emit(latex)
        self._timer.stop()

    def settle(self, lay_out: Callable[[], Iterable[str]]) -> None:
        """Lay out everything that waits, and what `lay_out` then says to be missing, until nothing is.

        Each formula is set once: where there are more than can be kept, those that have gone again stay away.
        """
        asked: set[str] = set()
        while missing := {*lay_out()} - asked:
            asked |= missing
            self.prefetch(missing)
            self.drain()

    def _begin(self) -> None:
        if not self._timer.isActive():
            self._timer.start(0 if _helper.is_there else PATIENCE)

    def _work(self) -> None:
        """Do what there is to do for a part of a frame."""
        if not _helper.is_there:
            _helper.call()
            self._timer.setInterval(WAITING)
            return
        end = perf_counter() + SLICE
        has_taken = self._take(end)
        if not (self._send(end) and has_taken):
            self._timer.setInterval(0)
        elif self._parcels:
            self._timer.setInterval(WAITING)
        else:
            self._timer.stop()

    def _send(self, end: float) -> bool:
        """Send what waits, as long as there is room on the way; return whether there was time for it."""
        while len(self._parcels) < ON_THE_WAY and perf_counter() < end:
            formulas: list[str] = []
            while sum(map(len, formulas)) < TOGETHER and perf_counter() < end:
                latex = self._next()
                if latex is None:
                    break
                if is_ready(latex):
                    continue
                if is_at_hand(latex):
                    self.ready.emit(latex)
                elif _helper.is_alone:
                    equation(latex, 1.0)
                    self.ready.emit(latex)
                else:
                    formulas.append(latex)
            if not formulas:
                return not (self._waiting or self._planned)
            self._parcels.append(_Parcel(tuple(formulas), _helper.send(formulas)))
        return perf_counter() < end

    def _next(self) -> str | None:
        """Return the next formula, None where nothing waits."""
        if self._waiting:
            latex = next(iter(self._waiting))
            del self._waiting[latex]
            return latex
        while self._planned:
            owner, sources = next(iter(self._planned.items()))
            latex = next(sources, None)
            if latex is not None:
                return latex
            del self._planned[owner]
        return None

    def _take(self, end: float) -> bool:
        """Take in what has come; return whether there was time for all of it."""
        while self._came or (self._parcels and self._parcels[0].settings.done()):
            if perf_counter() > end:
                return False
            if not self._came:
                self._came = _contents(self._parcels.pop(0))
            latex, settings = self._came.pop(0)
            take(latex, settings)
            self.ready.emit(latex)
        return True


def _contents(parcel: _Parcel) -> list[tuple[str, list[Setting | str]]]:
    """Return each formula of a parcel with what came of its sources; set here where the process has gone."""
    if parcel.settings.cancelled() or parcel.settings.exception() is not None:
        _helper.lose()
        return [(latex, set_all(sources_of(latex))) for latex in parcel.formulas]
    settings = iter(parcel.settings.result())
    return [(latex, [next(settings) for _ in sources_of(latex)]) for latex in parcel.formulas]


class _Helper:
    """The process that typesets for every cache of the application."""

    def __init__(self) -> None:
        self._there = threading.Event()
        self._called = threading.Lock()
        self.is_alone = False  # no process can be had

    @property
    def is_there(self) -> bool:
        """Whether formulas can be sent, or no process can be had."""
        return self._there.is_set()

    def call(self) -> None:
        """Have the process started, beside the window."""
        if self._called.acquire(blocking=False):
            ready_for_threads()
            threading.Thread(target=self._start, name="typesetter", daemon=True).start()

    def _start(self) -> None:
        try:
            companion().submit(set_all, ["x"]).result()
        except Exception:  # whatever forbids it: formulas are typeset here then
            self.is_alone = True
        self._there.set()
        set_all(["x"])  # a formula that is wanted at once is set here: ziamath is loaded for it

    def send(self, formulas: list[str]) -> Future[list[Setting | str]]:
        """Have the sources of formulas typeset."""
        try:
            return companion().submit(set_all, [source for latex in formulas for source in sources_of(latex)])
        except Exception as error:  # the pool has been closed, or its process cannot be started again
            failed: Future[list[Setting | str]] = Future()
            failed.set_exception(error)
            return failed

    def lose(self) -> None:
        """Do without a process from now on."""
        self.is_alone = True


_helper = _Helper()


class Wanted:
    """The formulas that rows wait for.

    What is out of sight is asked for once: where it has gone since, there is more than can be kept.
    """

    def __init__(self, cache: EquationCache) -> None:
        self._cache = cache
        self._asked: set[str] = set()
        self._awaited: set[str] = set()

    def begin_anew(self) -> None:
        """Take note that the rows are other ones."""
        self._asked.clear()

    def ask(self, missing: set[str], in_sight: set[str]) -> None:
        """Have formulas set that are missing, of all rows and of those in sight."""
        wanted = (missing - self._asked) | in_sight
        self._asked |= missing
        self._awaited = (self._awaited & missing) | wanted
        self._cache.prefetch(wanted)

    def take(self, latex: str) -> bool:
        """Say whether a formula that has become ready was waited for; it is not any more."""
        is_awaited = latex in self._awaited
        self._awaited.discard(latex)
        return is_awaited

    def settle(self, lay_out: Callable[[], Iterable[str]]) -> None:
        """Have everything set now; `lay_out` says what is still missing. Each formula is set once."""
        self._cache.settle(lay_out)
        self._awaited.clear()
