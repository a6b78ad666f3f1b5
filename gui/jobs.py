"""Background work: the one place where anything runs beside the window.

A :class:`TrainingJob` advances a run in a thread, in slices short enough that the window can always ask the run
for an iteration in between. Nothing is signalled per iteration: the window polls.
"""

from __future__ import annotations

import threading
import time

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
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._lock = threading.Lock()
        self._wanted = threading.Event()  # set while iterations remain to be done
        self._stop = threading.Event()
        self._goal = 0
        self._waiting = 0
        self.failure: BaseException | None = None
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
        self._goal = self.iterations + iterations
        self._wanted.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="training", daemon=True)
            self._thread.start()

    def pause(self) -> None:
        """Stop after the iteration that is being done."""
        self._wanted.clear()

    def at(self, iteration: int) -> Point:
        """Return the point before `iteration`, also while training goes on."""
        self._waiting += 1
        try:
            with self._lock:
                return self.run.at(min(iteration, self.run.iteration))
        finally:
            self._waiting -= 1

    def advance(self, iterations: int = 1) -> None:
        """Do a few iterations now; only while nothing runs."""
        with self._lock:
            self.run.advance(iterations)

    def close(self) -> None:
        """End the job; the thread is gone when this returns."""
        self._stop.set()
        self._wanted.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join()
        self._wanted.clear()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the iterations asked for are done; for tests."""
        end = None if timeout is None else time.monotonic() + timeout
        idle = threading.Event()
        while self.running:
            if end is not None and time.monotonic() > end:
                return False
            idle.wait(0.002)
        return True

    def _work(self) -> None:
        gap = threading.Event()
        try:
            while not self._stop.is_set():
                self._wanted.wait()
                self._slice()
                gap.wait(GAP if not self._waiting else 4 * GAP)
        except BaseException as error:  # said by the window; what was recorded stays
            self.failure = error
            self._wanted.clear()

    def _slice(self) -> None:
        end = time.perf_counter() + SLICE
        with self._lock:
            self.run.advance(
                self._goal - self.run.iteration,
                stop=lambda: time.perf_counter() > end or not self.running or self._waiting > 0,
            )
            if self.run.diverged is not None or self.run.iteration >= self._goal:
                self._wanted.clear()
