"""Background work: the one place where anything runs beside the window.

A :class:`TrainingJob` advances a run in a thread, in slices short enough that the window can always ask the
run for an iteration in between. Nothing is signalled per iteration: the window polls.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from engine.training import Point, Run

__all__ = ["TrainingJob"]

SLICE = 0.004  # seconds of training between two looks at what the window wants
GAP = 0.0005  # seconds given to the window between two slices: Python's lock is not fair


class TrainingJob:
    """Trains a run in the background.

    Parameters
    ----------
    run
        The run; while the job exists, it is only touched through the job.

    Attributes
    ----------
    failure
        What ended the training unexpectedly; what was recorded before it stays.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.failure: Exception | None = None
        self._lock = threading.Lock()
        self._wanted = threading.Event()  # set while iterations remain to be done
        self._idle = threading.Event()  # set while none do
        self._idle.set()
        self._stop = threading.Event()
        self._goal = 0
        self._waiting = 0
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether iterations are being done."""
        return self._wanted.is_set() and not self._stop.is_set()

    @property
    def iterations(self) -> int:
        """How many iterations have been recorded."""
        return len(self.run.losses) - 1

    def train(self, iterations: int) -> None:
        """Do `iterations` more, in the background."""
        with self._held():
            self._goal = self.run.iteration + iterations
            self.failure = None
            self._idle.clear()
            self._wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="training", daemon=True)
            self._thread.start()

    def pause(self) -> None:
        """Stop after the iteration that is being done; it has been recorded when this returns."""
        self._end()
        with self._held():
            pass

    def at(self, iteration: int) -> Point:
        """Return the point before `iteration`, also while training goes on."""
        with self._held():
            return self.run.at(min(iteration, self.run.iteration))

    def advance(self, iterations: int = 1) -> None:
        """Do a few iterations now; only while nothing runs."""
        with self._held():
            self.run.advance(iterations)

    def close(self) -> None:
        """End the job; the thread is gone when this returns."""
        self._stop.set()
        self._wanted.set()  # wakes the thread
        if self._thread is not None:
            self._thread.join()
        self._end()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the iterations asked for are done, and say whether they are; for tests."""
        return self._idle.wait(timeout)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Hold the run; the thread ends its slice after the current iteration."""
        self._waiting += 1
        try:
            with self._lock:
                yield
        finally:
            self._waiting -= 1

    def _end(self) -> None:
        self._wanted.clear()
        self._idle.set()

    def _work(self) -> None:
        gap = threading.Event()
        while not self._stop.is_set():
            self._wanted.wait()
            self._slice()
            gap.wait(GAP if not self._waiting else 4 * GAP)

    def _slice(self) -> None:
        """Train for a slice; no new goal can be set between its last look at the goal and its end."""
        end = time.perf_counter() + SLICE
        with self._lock:
            try:
                self.run.advance(
                    self._goal - self.run.iteration,
                    stop=lambda: time.perf_counter() > end or not self.running or self._waiting > 0,
                )
            except Exception as error:  # said by the window, whatever it is
                self.failure = error
            if self.failure or self.run.diverged is not None or self.run.iteration >= self._goal:
                self._end()
