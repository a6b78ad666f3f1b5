"""The lab: the document as the user chose it, the runs on it side by side, and who trains them. No Qt.

Runs are trained in another process (:mod:`gui.trainer`); the lab's own copy of a run takes in what arrives.
Every start has a key of its own, so nothing that an earlier start still sends can reach a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import numpy as np

from engine.faults import FaultAt, fault_of, run_of
from engine.training import Point, Recipe, Run
from graphs.network import FileData, Model, Network
from graphs.views.records import Array
from gui.trainer import Failed, Progress, Slow, trainer

__all__ = ["Document", "Lab", "LabRun", "News", "fresh_name"]

_STARTS = count()
"""Keys of starts: all labs share one trainer."""
MOST_RUNS = 12
"""Runs that are kept; the oldest that nobody trains goes first."""


@dataclass(frozen=True, eq=False)
class Document:
    """What is open, as the user chose it; every change makes a new one, and none is equal to another.

    Attributes
    ----------
    overrides
        The values given by hand, by name.
    fault
        What is wrong in its runs, for the fault clinic; nothing where None.
    """

    network: Network
    seed: int = 0
    overrides: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=lambda: Recipe().checked())
    fault: FaultAt | None = None

    @property
    def optimizer(self) -> str:
        """The optimizer's name."""
        return self.recipe.optimizer

    @property
    def learning_rate(self) -> float:
        """The learning rate, before any schedule."""
        return self.recipe.learning_rate

    @property
    def batch_size(self) -> int | None:
        """Examples in a mini-batch, None for all."""
        return self.recipe.batch_size

    def has_numbers_of(self, other: Document) -> bool:
        """Say whether both start from the same data and parameters."""
        return self.network is other.network and self.seed == other.seed and self.overrides is other.overrides

    def new_values(self, other: Document) -> dict[str, Any] | None:
        """Return the values given by hand that `other` has not, None where more than such values differs."""
        if self.network is not other.network or self.seed != other.seed:
            return None
        if any(name not in self.overrides for name in other.overrides):
            return None
        return {name: v for name, v in self.overrides.items() if other.overrides.get(name) is not v}

    def is_comparable(self, other: Document) -> bool:
        """Say whether runs of both can stand in one plot: the same loss over the same data."""
        a, b = self.network, other.network
        if a.formula != b.formula or a.loss != b.loss or a.dimensions != b.dimensions:
            return False
        same_data = a.data is b.data or (isinstance(a.data, FileData) and a.data == b.data)
        same_split = a.held_out == b.held_out and (not a.held_out or self.seed == other.seed)
        return same_data and same_split and _data_of(self) == _data_of(other)

    def is_like(self, other: Document) -> bool:
        """Say whether nothing has been changed from `other`."""
        return self.has_numbers_of(other) and self.recipe == other.recipe and self.fault == other.fault

    @classmethod
    def of(cls, network: Network, seed: int = 0, overrides: Mapping[str, Any] | None = None) -> Document:
        """Return a document with the network's own training settings."""
        return cls(network, seed, dict(overrides or {}), network.training.recipe)


def _data_of(document: Document) -> dict[str, int]:
    """Return which data were replaced by hand, by identity: other data make another landscape."""
    parameters = document.network.parameters
    return {name: id(value) for name, value in document.overrides.items() if name not in parameters}


@dataclass(eq=False)
class LabRun:
    """One run as the lab shows it.

    Attributes
    ----------
    id
        Unique in the session.
    document
        What it was made from.
    name
        For the legend; unique among the session's runs.
    style
        Index of its colour and dash.
    group
        The race that it belongs to: its runs are trained together.
    goal
        The iteration that it is being trained to.
    """

    id: int
    run: Run
    document: Document
    name: str
    style: int
    group: int
    visible: bool = True
    running: bool = False
    goal: int = 0

    @property
    def iterations(self) -> int:
        """How many iterations have been recorded."""
        return len(self.run.losses) - 1

    @property
    def losses(self) -> Array:
        """The loss before each iteration, and after the last."""
        return self.run.losses

    @property
    def can_go_on(self) -> bool:
        """Whether more iterations can be done."""
        return self.run.ended is None and bool(self.run.problem.graph.parameters)

    def at(self, iteration: int) -> Point:
        """Return the point before an iteration."""
        return self.run.at(min(iteration, self.iterations))


@dataclass
class News:
    """What a look at the trainer found: which runs have more records, which have ended, what went wrong."""

    changed: list[LabRun] = field(default_factory=list)
    ended: list[LabRun] = field(default_factory=list)
    problems: list[tuple[LabRun, str]] = field(default_factory=list)


class Lab:
    """The runs of one session."""

    def __init__(self) -> None:
        self.runs: list[LabRun] = []
        self._ids = count()
        self._groups = count()
        self._keys: dict[int, LabRun] = {}  # of the starts that may still send something

    # --- which runs there are ---

    def add(
        self, document: Document, model: Model, group: int | None = None, run: Run | None = None
    ) -> LabRun:
        """Return a run, new where None is given; it has a group of its own where None is given."""
        run = run or run_of(model, document.recipe, document.fault)
        group = next(self._groups) if group is None else group
        beside = [r for r in self.runs if _stays(r, document, group)]
        name = fresh_name(document, (r.name for r in beside))
        added = LabRun(next(self._ids), run, document, name, _fresh_style(r.style for r in beside), group)
        self.runs.append(added)
        return added

    def stand_in(self, document: Document, model: Model, run: Run) -> LabRun:
        """Return a run with this record, in the place of one from the same start by the same recipe."""
        same = next((old for old in self.runs if _is_again(old, document, run)), None)
        if same is None:
            return self.add(document, model, run=run)
        if len(same.losses) == len(run.losses):
            same.document = document
            return same
        self.remove(same)
        added = self.add(document, model, run=run)
        added.style = same.style
        return added

    def add_race(
        self, documents: Sequence[Document], model: Model, *, replaces: bool = False
    ) -> list[LabRun]:
        """Return a run for each document, trained together; none where one of them cannot be made.

        Parameters
        ----------
        replaces
            Whether they take the place of runs from the same start by the same recipe.
        """
        runs = [run_of(model, document.recipe, document.fault) for document in documents]
        pairs = list(zip(documents, runs, strict=True))
        if replaces:
            for old in list(self.runs):
                if any(_is_again(old, document, run) for document, run in pairs):
                    self.remove(old)
        group = next(self._groups)
        return [self.add(document, model, group, run) for document, run in pairs]

    def remove(self, run: LabRun) -> None:
        """Forget a run."""
        self.settle([run])
        self.runs.remove(run)

    def keep_beside(self, current: LabRun) -> None:
        """Forget runs that cannot stand beside `current`, untrained ones, and the oldest of too many."""
        for run in list(self.runs):
            if not _stays(run, current.document, current.group):
                self.remove(run)
        spare = [r for r in self.runs if r.group != current.group]
        for run in spare[: max(0, len(self.runs) - MOST_RUNS)]:
            self.remove(run)

    def restore(self, runs: Iterable[tuple[LabRun, Run]], *, rewinds: bool) -> dict[LabRun, LabRun]:
        """Have just these runs, each with its record as it was.

        One that is still here is left as it is, unless `rewinds` and it has recorded something since: then
        another with the earlier record takes its place, so that nobody takes one for the other.

        Returns
        -------
        dict
            For each of the runs the one that is here now.
        """
        self.settle()
        present = {*self.runs}
        found: dict[LabRun, LabRun] = {}
        for shown, record in runs:
            stays = shown in present and not rewinds
            same = len(shown.run.losses) == len(record.losses)
            found[shown] = shown if stays or same else replace(shown, id=next(self._ids), run=record)
        self.runs = list(found.values())
        return found

    def take_in(self, runs: Iterable[LabRun], others: Iterable[LabRun] = ()) -> dict[LabRun, LabRun]:
        """Have just these runs, which are of another lab.

        Parameters
        ----------
        others
            Runs of that lab that are not here now, but may be again.

        Returns
        -------
        dict
            For each run the one that stands for it here.
        """
        self.settle()
        groups: dict[int, int] = {}
        found: dict[LabRun, LabRun] = {}
        present = list(runs)
        for run in dict.fromkeys((*present, *others)):
            if run.group not in groups:
                groups[run.group] = next(self._groups)
            found[run] = replace(run, id=next(self._ids), group=groups[run.group])
        self.runs = [found[run] for run in present]
        return found

    def group_of(self, run: LabRun) -> list[LabRun]:
        """Return the runs that are trained together with `run`, itself among them."""
        return [r for r in self.runs if r.group == run.group]

    # --- training ---

    @property
    def training(self) -> bool:
        """Whether any run is being trained."""
        return any(run.running for run in self.runs)

    @property
    def expects_news(self) -> bool:
        """Whether anything may still arrive."""
        return bool(self._keys)

    @property
    def must_look(self) -> bool:
        """Whether there is a reason to poll: news, or a process that has yet to obey."""
        return self.expects_news or trainer().expects

    def train(self, runs: Sequence[LabRun], iterations: int) -> None:
        """Train `runs` for so many iterations more, in turns."""
        self.settle(runs)
        for run in runs:
            if run.can_go_on:
                key = next(_STARTS)
                run.goal = run.iterations + iterations
                own = run.run
                point, stride = own.point, own.history.stride
                trainer().start(key, own.problem, own.recipe, point, run.goal, stride, fault_of(own))
                self._keys[key] = run
                run.running = True

    def pause(self) -> None:
        """Stop training; what was recorded until then still arrives."""
        for key, run in self._keys.items():
            if run.running:
                trainer().pause(key)
                run.running = False

    def settle(self, runs: Iterable[LabRun] | None = None) -> None:
        """Stop training `runs` (all where None) at what has arrived; nothing more comes of them."""
        chosen = self.runs if runs is None else list(runs)
        for key, run in list(self._keys.items()):
            if run in chosen:
                trainer().drop(key)
                run.running = False
                del self._keys[key]

    def poll(self) -> News:
        """Take in what has arrived; never waits."""
        news = News()
        for message in trainer().poll():
            run = self._keys.get(message.key)
            if run is None:
                continue
            if isinstance(message, Progress):
                run.run.extend(message.records)
                if run not in news.changed:
                    news.changed.append(run)
            elif isinstance(message, Slow):
                news.problems.append((run, message.sentence))
            else:
                self._end(message.key, run)
                news.ended.append(run)
                if isinstance(message, Failed):
                    news.problems.append((run, message.sentence))
        return news

    def _end(self, key: int, run: LabRun) -> None:
        del self._keys[key]
        run.running = False


def _stays(run: LabRun, document: Document, group: int) -> bool:
    """Say whether a run stays beside one of `document`: a rival in its race, or a trained one like it."""
    return run.group == group or (run.iterations > 0 and run.document.is_comparable(document))


def _is_again(old: LabRun, document: Document, run: Run) -> bool:
    """Say whether a run is the same as one of `document`, from the same start, however far each has come."""
    own = old.document
    if own.seed != document.seed or own.recipe != document.recipe or own.fault != document.fault:
        return False
    if not own.is_comparable(document):
        return False
    before, now = old.run.problem.parameters, run.problem.parameters
    return before.keys() == now.keys() and all(np.array_equal(before[name], now[name]) for name in now)


def fresh_name(document: Document, taken: Iterable[str]) -> str:
    """Return the recipe's title and the fault's, in full or even numbered where another run has it."""
    names, recipe = set(taken), document.recipe
    fault = f", {document.fault.fault.title}" if document.fault is not None else ""
    titles = f"{recipe.title()}{fault}", f"{recipe.title(in_full=True)}{fault}"
    title = name = next((t for t in titles if t not in names), titles[-1])
    number = 2
    while name in names:
        name = f"{title} #{number}"
        number += 1
    return name


def _fresh_style(taken: Iterable[int]) -> int:
    """Return the first style that no run has."""
    used = set(taken)
    return next(i for i in range(len(used) + 1) if i not in used)
