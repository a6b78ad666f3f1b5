"""Work beside the window: a generator in a thread (:class:`Task`), functions in processes (:func:`executor`).

Training has a process of its own: :mod:`gui.trainer`.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QObject, QTimer, Signal, SignalInstance

from gui.garbage import collect_here
from gui.processes import context, sentence_of, settle

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

__all__ = ["LatestTask", "Task", "Workers", "close", "companion", "executor", "ready_for_threads"]

FRAME = 16  # ms between two looks at what has come
BUDGET = 0.004  # seconds that a look may take, one value aside
ROOM = 256  # values that may wait for a look; then the thread waits
LAST_WAIT = 1.0  # seconds that threads have to end with the application
MOST_WORKERS = 8


# --- tasks: a generator in a thread ------------------------------------------------------------------------


class _Work:
    """What a task's thread and the window share; it knows no Qt, so the thread cannot touch any."""

    def __init__(self, work: Callable[[], Iterator[Any]], newest_only: bool) -> None:
        self._work = work
        self.values: deque[Any] = deque(maxlen=1 if newest_only else None)
        self.room = threading.Semaphore(ROOM)
        self._is_bounded = not newest_only
        self.is_cancelled = False
        self.has_ended = False
        self.failure: str | None = None
        self.thread = threading.Thread(target=self._run, name="task", daemon=True)

    def cancel(self) -> None:
        self.is_cancelled = True
        self.values.clear()
        self.room.release()  # the thread may be waiting for it

    def _run(self) -> None:
        try:
            for value in self._work():
                if self._is_bounded:
                    self.room.acquire()
                if self.is_cancelled:
                    break
                self.values.append(value)
        except Exception as error:  # said by the window, whatever it is
            self.failure = sentence_of(error)
        finally:
            self.has_ended = True
            _at_work.discard(self)


_at_work: set[_Work] = set()


class Task(QObject):
    """A generator function, run in a thread; what it yields arrives here, in the window's thread.

    The thread emits nothing: the window looks for values at the rate of frames, and takes no more of them at
    a time than a frame has room for. So nothing can arrive after :meth:`cancel`, not even what is there.

    Parameters
    ----------
    work
        Called in the thread. It must not touch Qt; between two values it can be cancelled.
    newest_only
        Whether values that nobody has seen yet are dropped when another comes.
    """

    came = Signal(object)
    ended = Signal()  # by itself; everything that it yielded has come
    failed = Signal(str)  # one sentence

    def __init__(
        self, work: Callable[[], Iterator[Any]], parent: QObject | None = None, newest_only: bool = False
    ) -> None:
        super().__init__(parent)
        self._work = shared = _Work(work, newest_only)
        self._timer = QTimer(self)
        self._timer.setInterval(FRAME)
        self._timer.timeout.connect(self._look)
        self.destroyed.connect(lambda: shared.cancel())

    @property
    def running(self) -> bool:
        """Whether anything may still come."""
        return self._timer.isActive()

    def start(self) -> None:
        """Begin; a task runs once."""
        ready_for_threads()
        _at_work.add(self._work)
        self._work.thread.start()
        self._timer.start()

    def cancel(self) -> None:
        """Let nothing come any more; the thread ends at its next value."""
        self._timer.stop()
        self._work.cancel()

    def dismiss(self) -> None:
        """Let nothing come any more, and be gone when the events at hand have been dealt with.

        Its parent may go with it: what is told of values may be all that still holds whoever began it. So it
        leaves its parent first, or each would destroy the other.
        """
        self.cancel()
        self.setParent(QCoreApplication.instance())
        self.deleteLater()

    def wait(self, seconds: float) -> None:
        """Wait until the thread has ended: only where the application ends."""
        self._work.thread.join(seconds)

    def finish(self) -> None:
        """Wait for all that is still to come, and take it: for whoever cannot go on without it."""
        while self.running:
            self._work.thread.join(FRAME / 1000)
            self._look()

    def _look(self) -> None:
        work, end = self._work, time.perf_counter() + BUDGET
        has_ended = work.has_ended  # read first: what came before the end is there then
        while work.values and not work.is_cancelled:
            value = work.values.popleft()
            work.room.release()
            self.came.emit(value)
            if time.perf_counter() > end:
                return
        if has_ended and not work.is_cancelled:
            self._timer.stop()
            if work.failure is not None:
                self.failed.emit(work.failure)
            else:
                self.ended.emit()


class LatestTask:
    """One task at a time: what is begun takes the place of what is still at work, of which nothing comes.

    Parameters
    ----------
    parent
        With whom the work ends.
    """

    def __init__(self, parent: QObject) -> None:
        self._parent = parent
        self._task: Task | None = None

    @property
    def running(self) -> bool:
        """Whether anything may still come."""
        return self._task is not None and self._task.running

    def run(
        self,
        work: Callable[[], Iterator[Any]],
        came: Callable[[Any], object],
        failed: Callable[[str], object] | SignalInstance,
        ended: Callable[[], object] | None = None,
    ) -> None:
        """Begin, instead of what is at work; `came`, `failed` and `ended` are told as of a :class:`Task`."""
        self.cancel()
        task = self._task = Task(work, self._parent)
        task.came.connect(came)
        task.failed.connect(failed)
        if ended is not None:
            task.ended.connect(ended)
        task.start()

    def finish(self) -> None:
        """Wait for all that is still to come, and take it."""
        if self._task is not None:
            self._task.finish()

    def cancel(self) -> bool:
        """Let nothing come any more; say whether anything could have."""
        task, self._task = self._task, None
        if task is None:
            return False
        was_running = task.running
        task.dismiss()
        return was_running


# --- workers: functions in other processes -----------------------------------------------------------------


class Workers:
    """Processes for work that takes all the cores, such as one run for each of many learning rates.

    They are started when they are first needed, each with one BLAS thread and a low priority, and end at once
    when the application does.
    """

    def __init__(self, most: int = MOST_WORKERS) -> None:
        self._most = most
        self._executor: ProcessPoolExecutor | None = None

    @property
    def executor(self) -> ProcessPoolExecutor:
        """Where to submit work; a new one where the last has been closed or has broken."""
        if self._executor is not None and self._executor._broken:  # a worker died: it takes no more work
            self.close()
        if self._executor is None:
            from concurrent.futures import ProcessPoolExecutor  # slow to load, and rarely needed
            from multiprocessing import current_process

            if current_process().daemon:  # it would fail after it has made locks that nobody takes away
                raise RuntimeError("a process beside the window starts no others")

            self._executor = ProcessPoolExecutor(
                max_workers=min(os.cpu_count() or 1, self._most), mp_context=context(), initializer=settle
            )
        return self._executor

    def close(self) -> None:
        """End the processes, whatever they do; what was submitted is cancelled."""
        executor, self._executor = self._executor, None
        if executor is None:
            return
        processes = list((executor._processes or {}).values())  # public from Python 3.14: kill_workers()
        executor.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()


_workers = Workers()
_companion = Workers(most=1)


def executor() -> ProcessPoolExecutor:
    """Return the application's pool of processes."""
    ready_for_threads()
    return _workers.executor


def companion() -> ProcessPoolExecutor:
    """Return a process for small work that must not wait behind what the pool does; from any thread.

    Whoever asks has called :func:`ready_for_threads` before, in the window's thread.
    """
    return _companion.executor


@atexit.register
def close() -> None:
    """End everything that still runs; a thread that does not end by itself soon is left behind."""
    _workers.close()
    _companion.close()
    works = list(_at_work)
    for work in works:
        work.cancel()
    end = time.monotonic() + LAST_WAIT
    for work in works:
        work.thread.join(max(0.0, end - time.monotonic()))


def ready_for_threads() -> None:
    """Prepare the application for threads beside the window; whoever begins one has called this before.

    What still runs ends with the application, before Python's own end, which would wait for it; and garbage
    is collected in the window's thread.
    """
    app = QCoreApplication.instance()
    if app is not None:
        _prepare(app)


@cache
def _prepare(app: QCoreApplication) -> None:
    app.aboutToQuit.connect(close)
    collect_here(app)
