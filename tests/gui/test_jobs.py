"""Work in threads and in processes: what comes, what comes no more, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QObject, QThread
from pytestqt.qtbot import QtBot

from engine.errors import DataError
from gui import jobs
from gui.jobs import ROOM, LatestTask, Task, Workers
from tests.gui.problems import call_of_a_worker, wait_forever

LIMIT = 60_000  # ms


class Heard(QObject):
    """Everything that a task says, in order, and whether it says it in the window's thread."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.values: list[Any] = []
        self.last: list[str] = []
        self.threads: set[Any] = set()
        task.came.connect(self._came)
        task.ended.connect(lambda: self.last.append("ended"))
        task.failed.connect(self.last.append)

    def _came(self, value: Any) -> None:
        self.values.append(value)
        self.threads.add(QThread.currentThread())


class Source:
    """A generator without an end: how many it has made, when that is all that may wait, when it is left."""

    def __init__(self) -> None:
        self.count = 0
        self.has_filled = threading.Event()
        self.is_left = threading.Event()

    def __call__(self) -> Iterator[int]:
        try:
            while True:
                self.count += 1
                if self.count == ROOM + 1:
                    self.has_filled.set()
                yield self.count
        finally:
            self.is_left.set()


def task_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "task"]


@pytest.fixture(autouse=True)
def no_thread_stays(qtbot: QtBot) -> Iterator[None]:
    yield
    jobs.close()
    qtbot.waitUntil(lambda: not task_threads(), timeout=LIMIT)


@pytest.fixture
def source() -> Source:
    return Source()


# --- one task at a time ------------------------------------------------------------------------------------


def test_what_is_begun_takes_the_place_of_what_is_at_work(qtbot: QtBot, source: Source) -> None:
    parent = QObject()
    said: list[Any] = []
    work = LatestTask(parent)
    assert not work.cancel()
    work.run(source, lambda value: said.append(("old", value)), said.append)
    source.has_filled.wait(LIMIT)
    work.run(lambda: iter([1, 2]), said.append, said.append, lambda: said.append("ended"))
    assert work.running
    before = len(said)
    qtbot.waitUntil(lambda: not work.running, timeout=LIMIT)
    assert said[before:] == [1, 2, "ended"]
    assert source.is_left.wait(LIMIT)
    assert not work.cancel()  # it has come to its end by itself


def test_a_failure_of_the_latest_task_is_said(qtbot: QtBot) -> None:
    parent = QObject()
    said: list[Any] = []

    def fails() -> Iterator[int]:
        yield 1
        raise DataError("Not so.")

    work = LatestTask(parent)
    work.run(fails, said.append, lambda sentence: said.append(f"failed: {sentence}"))
    qtbot.waitUntil(lambda: not work.running, timeout=LIMIT)
    assert said == [1, "failed: Not so."]


# --- tasks -------------------------------------------------------------------------------------------------


def test_what_is_waited_for_has_come_in_order_and_to_its_end(qapp: Any) -> None:
    count = 3 * ROOM  # more than may wait

    def work() -> Iterator[int]:
        yield from range(count)

    task = Task(work)
    heard = Heard(task)
    task.start()
    task.finish()
    assert heard.values == list(range(count))
    assert heard.last == ["ended"]
    assert heard.threads == {qapp.thread()}
    task.finish()  # nothing more is to come
    assert heard.last == ["ended"]


def test_the_latest_task_is_waited_for_also_where_it_fails_or_is_cancelled_by_what_comes(qapp: Any) -> None:
    parent = QObject()
    said: list[Any] = []
    latest = LatestTask(parent)
    latest.finish()  # none has been begun

    def wrong() -> Iterator[int]:
        yield 1
        raise DataError("no data.", how="Give some.")

    latest.run(wrong, said.append, said.append)
    latest.finish()
    assert said[0] == 1
    assert "no data" in said[1]

    def take(value: int) -> None:
        said.append(value)
        latest.cancel()

    latest.run(lambda: iter(range(5, 9)), take, said.append)
    latest.finish()
    assert said[2:] == [5]


def test_every_value_comes_in_order_in_the_thread_of_the_window(qtbot: QtBot, qapp: Any) -> None:
    task = Task(lambda: iter(range(5 * ROOM)))
    heard = Heard(task)
    assert not task.running
    task.start()
    assert task.running
    qtbot.waitUntil(lambda: bool(heard.last), timeout=LIMIT)
    assert heard.values == list(range(5 * ROOM))
    assert heard.last == ["ended"]
    assert heard.threads == {qapp.thread()}
    assert not task.running


def test_of_many_values_only_the_newest(qtbot: QtBot) -> None:
    task = Task(lambda: iter(range(100_000)), newest_only=True)
    heard = Heard(task)
    task.start()
    qtbot.waitUntil(lambda: bool(heard.last), timeout=LIMIT)
    assert heard.values == sorted(heard.values)
    assert heard.values[-1] == 99_999
    assert len(heard.values) < 10_000


def test_values_that_nobody_takes_make_the_thread_wait(source: Source, qtbot: QtBot) -> None:
    task = Task(source)
    task.start()
    assert source.has_filled.wait(LIMIT)  # the window is busy: its events are not looked at
    assert source.count == ROOM + 1
    heard = Heard(task)
    qtbot.waitUntil(lambda: len(heard.values) > 3 * ROOM, timeout=LIMIT)
    assert heard.values == list(range(1, len(heard.values) + 1))
    task.cancel()


@pytest.mark.parametrize("newest_only", [False, True])
def test_nothing_comes_after_a_cancel_not_even_what_is_there(
    source: Source, qtbot: QtBot, newest_only: bool
) -> None:
    task = Task(source, newest_only=newest_only)
    heard = Heard(task)
    task.start()
    assert source.has_filled.wait(LIMIT)  # values are there, none has been delivered
    task.cancel()
    assert not task.running
    assert source.is_left.wait(LIMIT)
    other = Task(lambda: iter(range(3)))
    with qtbot.waitSignal(other.ended, timeout=LIMIT):
        other.start()
    assert heard.values == []
    assert heard.last == []
    task.cancel()


def test_a_cancel_while_values_are_delivered(source: Source, qtbot: QtBot) -> None:
    task = Task(source)
    heard = Heard(task)
    task.came.connect(lambda value: task.cancel() if value == 3 else None)
    task.start()
    qtbot.waitUntil(lambda: not task.running, timeout=LIMIT)
    assert source.is_left.wait(LIMIT)
    assert heard.values == [1, 2, 3]
    assert heard.last == []


def fail_with(error: Exception) -> Callable[[], Iterator[int]]:
    def work() -> Iterator[int]:
        yield 1
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            DataError("The file has no rows", where="cars.csv", how="Add one."),
            "cars.csv: The file has no rows. Add one.",
        ),
        (ValueError("no such\nthing"), "ValueError: no such thing"),
        (KeyError(), "KeyError"),
        (MemoryError(), "there is not enough memory for this; choose smaller shapes or less data."),
    ],
)
def test_what_goes_wrong_is_said_in_one_sentence(qtbot: QtBot, error: Exception, sentence: str) -> None:
    task = Task(fail_with(error))
    heard = Heard(task)
    task.start()
    qtbot.waitUntil(lambda: bool(heard.last), timeout=LIMIT)
    assert heard.values == [1]
    assert heard.last == [sentence]
    assert not task.running


def test_a_task_goes_with_its_parent(source: Source, qtbot: QtBot) -> None:
    parent = QObject()
    task = Task(source, parent)
    heard = Heard(task)
    task.start()
    qtbot.waitUntil(lambda: bool(heard.values), timeout=LIMIT)
    parent.deleteLater()
    qtbot.waitUntil(source.is_left.is_set, timeout=LIMIT)


def test_the_end_of_the_application_ends_threads(source: Source, qtbot: QtBot) -> None:
    task = Task(source)
    task.start()
    jobs.close()
    assert source.is_left.is_set()
    assert task_threads() == []
    jobs.close()


# --- workers -----------------------------------------------------------------------------------------------


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(most=2)
    yield made
    made.close()


def has_ended(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def test_workers_have_one_blas_thread_no_qt_and_a_low_priority(workers: Workers) -> None:
    threads, nice, has_qt, _ = workers.executor.submit(call_of_a_worker).result(60)
    assert threads == "1"
    assert nice > os.nice(0)
    assert not has_qt


def test_closing_ends_workers_at_once_and_they_can_be_had_again(workers: Workers, qtbot: QtBot) -> None:
    executor = workers.executor
    assert workers.executor is executor
    *_, pid = executor.submit(call_of_a_worker).result(60)
    waiting = [executor.submit(wait_forever) for _ in range(20)]
    qtbot.waitUntil(waiting[0].running, timeout=LIMIT)
    workers.close()
    for future in waiting:
        with pytest.raises((CancelledError, BrokenProcessPool)):
            future.result(60)
    qtbot.waitUntil(lambda: has_ended(pid), timeout=LIMIT)
    assert workers.executor is not executor
    *_, following = workers.executor.submit(call_of_a_worker).result(60)
    assert following != pid
    workers.close()
    workers.close()


def test_a_worker_that_died_takes_the_pool_with_it_not_the_next(workers: Workers, qtbot: QtBot) -> None:
    *_, pid = workers.executor.submit(call_of_a_worker).result(60)
    future = workers.executor.submit(wait_forever)
    qtbot.waitUntil(future.running, timeout=LIMIT)
    os.kill(pid, 9)
    with pytest.raises(BrokenProcessPool):
        future.result(60)
    *_, following = workers.executor.submit(call_of_a_worker).result(60)
    assert following != pid


APPLICATION = """
import sys
from PySide6.QtCore import QCoreApplication, QTimer
from gui import jobs
from tests.gui.problems import wait_forever

def work():
    while True:
        yield 1

if __name__ == "__main__":
    app = QCoreApplication([])
    task = jobs.Task(work)
    future = jobs.executor().submit(wait_forever)
    jobs.executor().submit(wait_forever)

    def look():
        if future.running():
            print(*jobs.executor()._processes, flush=True)
            {how}

    timer = QTimer(interval=5)
    timer.timeout.connect(look)
    timer.start()
    task.start()
    app.exec()
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
@pytest.mark.parametrize("how", ["app.quit()", "import os; os.kill(os.getpid(), 9)"])
def test_nothing_stays_behind_an_application(how: str, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "application.py"
    file.write_text(APPLICATION.format(how=how))
    here = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(here)},
    )
    assert done.returncode in (0, -9)
    assert (done.returncode == 0) == ("quit" in how)
    if "quit" in how:
        assert done.stderr == ""
    pids = [int(pid) for pid in done.stdout.splitlines()[0].split()]
    assert pids
    for pid in pids:
        qtbot.waitUntil(lambda pid=pid: has_ended(pid), timeout=LIMIT)
