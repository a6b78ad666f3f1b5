"""The training process: advances the runs that the window sends, in turns, and sends back what they record.

It is a process of its own so that training never holds the interpreter that paints, and so that an iteration
that takes minutes can be ended. It imports the engine and the graphs, never Qt. Commands come through one
pipe, messages leave through another, and wait there until the window has room for them. Should the process be
killed, the window can still read all of them; what is lost is less than the last :data:`BATCH` and a turn.
"""

from __future__ import annotations

import os
import pickle
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from engine.errors import BackstepError
from engine.faults import FaultAt, run_of
from engine.history import Samples
from engine.training import Point, Problem, Recipe, Records
from gui.processes import sentence_of

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Done", "Failed", "Message", "Paused", "Progress", "Slow", "serve"]

TURN = 0.004  # seconds of training between two looks at who goes next
BATCH = 1 / 30  # seconds between two batches: showing what one brings costs the window 9 ms
MOST_REDONE = 0.25  # seconds of work, however busy the machine, to find what came before a failure

clock = time.perf_counter


# --- messages to the window --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """More of a run has been recorded."""

    key: int
    records: Records


@dataclass(frozen=True)
class Paused:
    """A run has stopped because it was asked to; all that it recorded has been sent."""

    key: int


@dataclass(frozen=True)
class Done:
    """A run has reached its goal, diverged, or met a rule of its `Stopping`."""

    key: int


@dataclass(frozen=True)
class Failed:
    """A run cannot go on; what it recorded before has been sent."""

    key: int
    sentence: str


@dataclass(frozen=True)
class Slow:
    """A run has sent nothing for a long time; it may still."""

    key: int
    sentence: str


Message: TypeAlias = Progress | Paused | Done | Failed | Slow


# --- commands from the window ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Learn:
    """Keep a problem; pickled on its own, so that one that cannot be read fails its runs alone."""

    name: int
    problem: bytes


@dataclass(frozen=True)
class Forget:
    """A problem that no new run will need."""

    name: int


@dataclass(frozen=True)
class Start:
    """Train a problem from a point to a goal."""

    key: int
    name: int
    recipe: Recipe
    point: Point
    goal: int
    stride: int
    fault: FaultAt | None = None


@dataclass(frozen=True)
class Stop:
    """Stop a run; it answers Paused, unless it has just ended otherwise."""

    key: int


Command: TypeAlias = Learn | Forget | Start | Stop


# --- the process -------------------------------------------------------------------------------------------


def serve(commands: Connection, messages: Connection) -> None:
    """Do as `commands` says until the other side is gone."""
    _Server(commands, messages).serve()


class _Active:
    """A run in training, and what it has recorded since the last batch."""

    def __init__(self, problem: Problem, start: Start, level: int) -> None:
        self.problem = problem
        self.start = start
        self.run = run_of(problem, start.recipe, start.fault, start.point, start.stride)
        self.point = start.point  # up to where it has been recorded
        self.key = start.key
        self.goal = start.goal
        self.parts: list[Records] = []
        self._zero = start.point.iteration - level

    @property
    def level(self) -> int:
        """How far the run has come beside the others: the iterations since it joined them."""
        return self.run.iteration - self._zero

    def take_turn(self, stop: Callable[[], bool]) -> None:
        try:
            self.keep(self.run.advance(self.goal - self.run.iteration, stop))
        except Exception:
            self._redo()
            raise

    def keep(self, records: Records) -> None:
        self.point = records.point
        if len(records.losses):
            self.parts.append(records)

    def pop(self) -> list[Message]:
        """Return what has been recorded since this was last asked, as a message, or as none."""
        parts, self.parts = self.parts, []
        return [Progress(self.key, merged(parts))] if parts else []

    def _redo(self) -> None:
        """Do a turn that failed again, an iteration at a time: those before the failure are not lost."""
        start, stride = self.start, self.run.history.stride
        run = run_of(self.problem, start.recipe, start.fault, self.point, stride)
        end = time.thread_time() + MOST_REDONE  # should it not fail again
        with suppress(Exception):
            while run.iteration < self.goal and time.thread_time() < end:
                self.keep(run.advance(1))


class _Server:
    def __init__(self, commands: Connection, messages: Connection) -> None:
        self._commands = commands
        self._messages = messages
        self._inbox: SimpleQueue[Command] = SimpleQueue()
        self._problems: dict[int, bytes | Problem] = {}
        self._active: dict[int, _Active] = {}
        self._ready: list[Message] = []  # the last words of runs, in order
        self._due = 0.0

    def serve(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        while True:
            while not self._active or not self._inbox.empty():
                self._obey(self._inbox.get())
                if not self._active:
                    self._report()
            self._take_turn(min(self._active.values(), key=lambda active: active.level))
            if self._ready or clock() >= self._due:
                self._report()

    def _listen(self) -> None:
        """Take in commands also during an iteration that lasts; end when the window has gone."""
        try:
            while True:
                self._inbox.put(self._commands.recv())
        except (EOFError, OSError):
            os._exit(0)

    def _obey(self, command: Command) -> None:
        match command:
            case Learn(name, problem):
                self._problems[name] = problem
            case Forget(name):
                self._problems.pop(name, None)
            case Start(key):
                try:
                    level = min((active.level for active in self._active.values()), default=0)
                    self._active[key] = _Active(self._problem(command.name), command, level)
                except Exception as error:
                    self._ready.append(Failed(key, _failure(command.point, error)))
            case Stop(key):
                self._end(key, Paused(key))

    def _problem(self, name: int) -> Problem:
        problem = self._problems[name]
        if isinstance(problem, bytes):
            problem = self._problems[name] = pickle.loads(problem)
        return problem

    def _take_turn(self, active: _Active) -> None:
        """Advance the run that has come least far, so that runs in a race stay level."""
        end = clock() + TURN
        try:
            active.take_turn(lambda: clock() >= end or not self._inbox.empty())
        except Exception as error:  # said by the window, whatever it is; the other runs go on
            self._end(active.key, Failed(active.key, _failure(active.point, error)))
        else:
            if active.run.ended is not None or active.run.iteration >= active.goal:
                self._end(active.key, Done(active.key))

    def _end(self, key: int, last: Message) -> None:
        active = self._active.pop(key, None)
        if active is not None:
            self._ready += [*active.pop(), last]

    def _report(self) -> None:
        """Send what has been recorded since the last batch; wait where the window is behind."""
        for active in self._active.values():
            self._ready += active.pop()
        if not self._ready:
            return
        try:
            self._messages.send_bytes(pickle.dumps(self._ready, pickle.HIGHEST_PROTOCOL))
        except OSError:
            os._exit(0)
        self._ready.clear()
        self._due = clock() + BATCH


def _failure(point: Point, error: Exception) -> str:
    words = sentence_of(error)
    if isinstance(error, BackstepError):
        return words
    return f"Training stopped at iteration {point.iteration}: {words}"


def merged(parts: Sequence[Records]) -> Records:
    """Return as one what a run recorded in several turns."""
    losses = np.concatenate([part.losses for part in parts])
    samples = [part.samples for part in parts if isinstance(part.samples, Samples) and len(part.samples)]
    columns = [(s.iterations, s.vectors, s.numbers) for s in samples]
    joined = Samples(samples[0].form, *map(np.concatenate, zip(*columns, strict=True))) if samples else ()
    return Records(parts[0].first, losses, parts[-1].point, joined, parts[-1].ended)
