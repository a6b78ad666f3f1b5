"""What is drawn of a session's runs, and what the user has chosen about that."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace

import numpy as np

from engine.search import STEP_COST, SearchResult
from engine.training import Diverged
from gui.curves import Line, Points, Pyramid, Staircase
from gui.lab import LabRun
from gui.runseries import Entry, RunSeries, csv_table, moving_entries
from gui.session import Session

__all__ = ["HELD", "QUANTITIES", "SEARCH", "RunLines"]

QUANTITIES = {"loss": "Loss", "norm": "Gradient norm", "parameters": "Parameters"}
"""What can be drawn, and its name."""
SEARCH, HELD = "search", "held"
"""Keys of the legend that are no run's."""
TRACES = 8
"""Entries of parameters that are drawn unless the user chooses others."""
LEAVES = 4.0
"""How many times its first loss a diverging run stretches the axis to; a log axis to 1000 times that."""
FLIES = 1e4
"""How many times its first value marks a run as diverging, though its numbers are still finite."""
LEAST_ROOM = 50


class RunLines:
    """The lines of a session's runs.

    Attributes
    ----------
    quantity
        What is drawn, a key of `QUANTITIES`.
    log_y
        Whether heights are powers of ten.
    hidden
        Keys of the legend that are not drawn (a run knows by itself whether it is).
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.quantity = "loss"
        self.log_y = False
        self.hidden: set[Hashable] = set()
        self._series: dict[int, RunSeries] = {}
        self._entries: list[Entry] = []
        self._chosen: list[Entry] | None = None  # by hand
        self._entries_for: tuple[int, int] | None = None
        self._answer: tuple[tuple[object, ...], str] | None = None

    def update(self) -> None:
        """Take in what the runs have recorded since."""
        runs = self.session.runs
        for gone in self._series.keys() - {run.id for run in runs}:
            del self._series[gone]
        for run in runs:
            series = self._series.get(run.id)
            if series is None or series.run is not run.run:
                series = self._series[run.id] = RunSeries(run.run)
            series.update()

    def table(self) -> Iterator[bytes]:
        """Return all that has been recorded as a table, some rows at a time."""
        self.update()
        runs = [(run.name, self._series[run.id]) for run in self.session.runs]
        found, more = self.session.search, []
        if found is not None and found.evaluations:
            more.append(("best of random search", found.by_iteration(int(self.search_end), self.price)))
        return csv_table(runs, more)

    # --- lines ---

    def lines(self) -> list[Line]:
        """Return what is to be drawn: the search and ghosts first, the current run last."""
        if self.quantity == "parameters":
            return self._traces()
        found = self._search_lines() if self.quantity == "loss" else []
        current = self.session.current
        for run in sorted(self.shown_runs(), key=lambda r: (not self.is_ghost(r), r is current)):
            main = self._main(run)
            line = Line(run.id, run.name, main, run.style, self.is_ghost(run), run is current)
            found.append(replace(line, cap=self._cap(run, main)))
            held = self._series[run.id].held
            if self.quantity == "loss" and len(held) and HELD not in self.hidden and not line.ghost:
                look = {"key": (HELD, run.id), "name": f"{run.name}, held-out", "kind": HELD}
                found.append(replace(line, **look, series=held, cap=self._cap(run, held)))
        return found

    def shown_runs(self) -> list[LabRun]:
        """Return the runs that are drawn."""
        if self.quantity == "parameters":
            return [self.session.current]
        return [run for run in self.session.runs if run.visible]

    def is_ghost(self, run: LabRun) -> bool:
        """Say whether a run is an earlier one, that is in no race with the current one."""
        return run.group != self.session.current.group and not run.running

    def _main(self, run: LabRun) -> Pyramid | Points:
        series = self._series[run.id]
        return series.loss if self.quantity == "loss" else series.norm

    def _cap(self, run: LabRun, series: Pyramid | Points, least: float = 0.0) -> float | None:
        """Return up to where a line stretches the axis: a run that diverges would press all others flat.

        On a log axis only such a run is held back.
        """
        first = max(least, abs(float(series.values[0]))) if len(series) else 0.0
        flies = not abs(series.last) < FLIES * first
        diverges = isinstance(run.run.ended, Diverged) or flies
        if not np.isfinite(first) or first == 0 or (self.log_y and not diverges):
            return None
        if self.log_y:
            return 1000.0 * LEAVES * first
        return max(LEAVES * first, 0.0 if diverges else 2.0 * abs(series.last))

    @property
    def last_iteration(self) -> int:
        """The last iteration to be seen; room is kept for those to come, so that the axis is calm."""
        runs = self.shown_runs()
        last = max((run.iterations for run in runs), default=0)
        goal = max((run.goal for run in runs if run.running), default=0)
        room = min(goal, _round_up(2 * max(last, LEAST_ROOM)))
        searched = self.search_end if self.quantity == "loss" and SEARCH not in self.hidden else 0.0
        return max(last, room, int(searched), 1)

    def value(self) -> float | None:
        """Return the current run's number at the iteration shown, None where there is none."""
        session = self.session
        if self.quantity == "loss":
            return float(session.losses[session.iteration])
        series = self._series.get(session.current.id)
        known = series.norm.at(session.iteration) if self.quantity == "norm" and series is not None else None
        return known[1] if known is not None and known[0] == session.iteration else None

    # --- entries of parameters ---

    @property
    def entries(self) -> list[Entry]:
        """The entries that are drawn, those of the current run that move most unless some were chosen.

        Which do is looked at again when the run has doubled.
        """
        run = self.session.current
        key = (run.id, run.iterations.bit_length() if self._chosen is None else 0)
        if key != self._entries_for:
            self._entries_for = key
            chosen = [entry for entry in self._chosen or () if entry.is_in(run.run)]
            self._entries = chosen or moving_entries(run.run, TRACES)
        return self._entries

    def choose_entries(self, entries: list[Entry] | None) -> None:
        """Draw these entries, those that move most where None."""
        self._chosen, self._entries_for = entries, None

    def _traces(self) -> list[Line]:
        current = self.session.current
        series, found = self._series[current.id], []
        for style, entry in enumerate(self.entries):
            points = series.trace(entry)
            cap = self._cap(current, points, 1.0) if current.run.diverged else None
            if entry not in self.hidden:
                found.append(Line((current.id, entry), entry.title, points, style, cap=cap))
        return found

    # --- random search ---

    @property
    def price(self) -> float:
        """What an iteration of the current run costs, in losses over the whole data."""
        examples, batch = self.session.model.examples, self.session.run.batch_size
        return STEP_COST * (1.0 if batch is None else min(batch, examples) / examples)

    @property
    def search_end(self) -> float:
        """How many iterations cost what the search has cost."""
        found = self.session.search
        return 0.0 if found is None else found.evaluations / self.price

    def answer(self) -> str:
        """Return what random search says beside the current run, "" while there is nothing to say."""
        session, found = self.session, self.session.search
        if found is None or not found.evaluations or not session.iterations or session.searching:
            return ""
        if session.training:
            return self._answer[1] if self._answer is not None and self._answer[0][0] is found else ""
        key: tuple[object, ...] = (found, found.evaluations, session.run, session.iterations)
        if self._answer is None or self._answer[0] != key:
            self._answer = (key, found.compared(session.run).sentence())
        return self._answer[1]

    def _search_lines(self) -> list[Line]:
        found: SearchResult | None = self.session.search
        if found is None or SEARCH in self.hidden or not found.improvements:
            return []
        places = np.array([(i.evaluation + 1) / self.price for i in found.improvements])
        losses = np.array([i.loss for i in found.improvements])
        stairs = Staircase(places, losses, self.search_end)
        cap = float(self.session.losses[0])
        return [Line(SEARCH, "best of random search", stairs, 0, kind=SEARCH, cap=cap)]

    @property
    def has_held(self) -> bool:
        """Whether any run has losses on held-out examples."""
        return any(len(series.held) for series in self._series.values())


def _round_up(count: int) -> int:
    """Return the next of 100, 200, 500, 1000, ..."""
    power = 100
    while True:
        for digit in (1, 2, 5):
            if digit * power >= count:
                return digit * power
        power *= 10
