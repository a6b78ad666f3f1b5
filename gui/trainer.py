"""Stand-in until the training process lands (part J overwrites this whole file): trains inside poll()."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from engine.training import Records, Run


@dataclass(frozen=True)
class Progress:
    key: int
    records: Records


@dataclass(frozen=True)
class Paused:
    key: int


@dataclass(frozen=True)
class Done:
    key: int


@dataclass(frozen=True)
class Failed:
    key: int
    sentence: str


@dataclass(frozen=True)
class Slow:
    key: int
    sentence: str


class Trainer:
    def __init__(self) -> None:
        self._runs: dict[int, tuple[Run, int]] = {}
        self._paused: list[int] = []

    def start(self, key, problem, recipe, point, goal, stride) -> None:  # noqa: ANN001
        run = Run(problem, recipe, point)
        run.history._count = point.iteration + 1
        run.history.stride = stride
        self._runs[key] = (run, goal)

    def pause(self, key: int) -> None:
        if self._runs.pop(key, None):
            self._paused.append(key)

    def drop(self, key: int) -> None:
        self._runs.pop(key, None)

    def is_running(self, key: int) -> bool:
        return key in self._runs

    def poll(self) -> list[Any]:
        found: list[Any] = [Paused(k) for k in self._paused]
        self._paused.clear()
        for key, (run, goal) in list(self._runs.items()):
            end = time.perf_counter() + 0.004
            first = run.history._count
            run.history._room = run.history._room
            records = run.advance(goal - run.iteration, lambda end=end: time.perf_counter() > end)
            assert records.first == first
            found.append(Progress(key, records))
            if run.iteration >= goal or run.ended:
                del self._runs[key]
                found.append(Done(key))
        return found

    def close(self) -> None:
        self._runs.clear()


_TRAINER = Trainer()


def trainer() -> Trainer:
    return _TRAINER
