"""What was right at the first try: kept in a file beside the settings, and nowhere else.

It is read in a thread when the window opens. What happens before it is there is added when it is. Two windows
may keep the same file: before it is written it is read again, and only what was done here is put in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from engine.errors import BackstepError
from graphs.answers import Verdict
from graphs.files import write_whole
from graphs.report import Key, Report, loads
from gui.jobs import Task

__all__ = ["FILE", "Learning"]

FILE = "learnt.json"
"""The name of the file in the folder of the settings."""
DAMAGED = "learnt-damaged.json"
"""What one is called that cannot be read: it is kept, and another is begun."""
LAST_WAIT = 1.0
"""Seconds that a file which is being written has to be whole when the window closes."""
SOON = 400
"""Milliseconds from an answer to its being written."""


class Learning(QObject):
    """Keeps the report of one learner.

    Parameters
    ----------
    folder
        Where the file is.

    Signals
    -------
    changed()
        There is something new in the report.
    failed(str)
        It cannot be read or written: one sentence.
    """

    changed = Signal()
    failed = Signal(str)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path = folder / FILE
        self._report = Report()
        self._is_read = False
        self._waiting: list[Callable[[Report], Report]] = []
        self._touched: set[Key] = set()
        self._is_cleared = False
        self._timer = QTimer(self, singleShot=True, interval=SOON)
        self._timer.timeout.connect(self._write)
        self._task: Task | None = None

    # --- facts ---

    @property
    def report(self) -> Report:
        """Everything that was tried."""
        return self._report

    @property
    def is_read(self) -> bool:
        """Whether what was kept before is in it."""
        return self._is_read

    @property
    def is_settled(self) -> bool:
        """Whether everything is in the file."""
        return self._is_read and not self._timer.isActive() and self._task is None

    # --- commands ---

    def begin(self) -> None:
        """Read what was kept."""
        if self._task is None and not self._is_read:
            self._run(lambda: iter([_read(self._path)]), self._take)

    def tried(self, key: Key, ask: str, verdict: Verdict) -> None:
        """Take note of an answer."""
        now = datetime.now()
        self._change(key, lambda report: report.tried(key, ask, verdict, now))

    def helped(self, key: Key, ask: str, hints: int) -> None:
        """Take note of so many hints."""
        self._change(key, lambda report: report.helped(key, ask, hints))

    def revealed(self, key: Key, ask: str) -> None:
        """Take note that the answer was shown."""
        self._change(key, lambda report: report.revealed(key, ask))

    def clear(self) -> Report:
        """Forget everything; return what it was."""
        before = self._report
        self._put(Report())
        return before

    def put_back(self, report: Report) -> None:
        """Have what was forgotten again, and what was done since."""
        self._put(Report({**report.records, **self._report.records}))

    def close(self) -> None:
        """Write what is not written yet, now, and end: the window is about to go."""
        if self._task is not None:
            self._task.cancel()
            self._task.wait(LAST_WAIT)
            self._end()
        if self._timer.isActive():
            self._timer.stop()
            with suppress(BackstepError, OSError):  # there is nobody left to be told
                _write(self._path, self._report, frozenset(self._touched), self._is_cleared)

    # --- inside ---

    def _put(self, report: Report) -> None:
        self._is_cleared, self._touched = True, set(report.records)
        self._report = report
        self._timer.start()
        self.changed.emit()

    def _change(self, key: Key, change: Callable[[Report], Report]) -> None:
        if not self._is_read:
            self._waiting.append(change)
            self._touched.add(key)
            return
        changed = change(self._report)
        if changed is not self._report:
            self._report = changed
            self._touched.add(key)
            self._timer.start()
            self.changed.emit()

    def _take(self, found: Report | str) -> None:
        if isinstance(found, str):
            self.failed.emit(found)
            found = Report()
        self._report, self._is_read = found, True
        waiting, self._waiting = self._waiting, []
        for change in waiting:
            self._report = change(self._report)
        if waiting:
            self._timer.start()
        self.changed.emit()

    def _write(self) -> None:
        if self._task is not None:
            self._timer.start()
            return
        report, touched, is_cleared = self._report, frozenset(self._touched), self._is_cleared
        self._is_cleared = False
        self._run(lambda: iter([_write(self._path, report, touched, is_cleared)]), lambda _: None)

    def _run(self, work: Callable[[], Iterator[object]], take: Callable[..., None]) -> None:
        task = self._task = Task(work, self)
        task.came.connect(take)
        task.ended.connect(self._end)
        task.failed.connect(self._end)
        task.failed.connect(lambda why: self.failed.emit(f"What was learnt cannot be kept: {why}"))
        task.start()

    def _end(self) -> None:
        if self._task is not None:
            self._task.dismiss()
            self._task = None


def _read(path: Path) -> Report | str:
    """Return the report in a file; an empty one where there is no file, a sentence where it is damaged."""
    try:
        return loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return Report()
    except (BackstepError, OSError, UnicodeDecodeError) as error:
        kept = ""
        with suppress(OSError):
            path.replace(path.with_name(DAMAGED))
            kept = f" It is kept as {DAMAGED}."
        why = error.what if isinstance(error, BackstepError) else "the file cannot be read."
        return f"The report of what was learnt begins anew: {why}{kept}"


def _write(path: Path, report: Report, touched: frozenset[Key], is_cleared: bool) -> None:
    """Write a report, with what another window has put into the file in the meantime."""
    if not is_cleared:
        with suppress(BackstepError, OSError, UnicodeDecodeError):
            others = loads(path.read_text("utf-8")).records
            own = {key: record for key, record in report.records.items() if key in touched}
            report = Report({**others, **own})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, report.dumps().encode())
