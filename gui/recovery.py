"""What has not been saved, kept for the case that the application ends where it should not.

Every window keeps a session's file of its own in the recovery folder while there is anything to lose, and
takes it away when it closes. What lies there at the next start is offered, where its window is not alive.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from PySide6.QtCore import QLockFile, QObject, QStandardPaths, QTimer

from engine.errors import BackstepError, excerpt
from graphs.files import write_whole
from graphs.lessondraft import Draft
from graphs.sessions import read_session, write_session
from gui.jobs import Task
from gui.keeping import Opened, saved

__all__ = ["LessonRecovery", "Recovery", "recovery_folder"]

SOON, TRAINED = 1500, 5000
"""Milliseconds from a change to its being kept: one of the document, and one of its runs."""

DISCARDED = ".discarded"
"""How the names of files end that are not offered any more."""
LAST_WAIT = 5.0  # seconds that a file has to be written when the window closes


def recovery_folder() -> Path:
    """Return where unsaved work is kept."""
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation)
    return Path(place or ".") / "recovery"


class Left(NamedTuple):
    """What a window has left that ended where it should not: the file, its lock, whose changes, of when."""

    path: Path
    lock: QLockFile
    name: str
    when: str


class Recovery(QObject):
    """Keeps a window's unsaved work, and offers what another one has left.

    Parameters
    ----------
    window
        Whose session it is.
    folder
        Where it is kept; unusable folders are no error: then nothing is kept.
    """

    def __init__(self, window: Any, folder: Path) -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session
        self._folder = folder
        self._path = folder / f"{uuid.uuid4().hex}.backstep"
        self._lock: QLockFile | None = None
        self._found: list[QLockFile] = []
        self._task: Task | None = None
        self._kept: tuple[Any, ...] | None = None  # what is in the file: document and lengths of runs
        self._replaces: list[tuple[Path, QLockFile]] = []
        self._discarded: list[Left] = []
        self._stays = self._has_ended = False
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self.keep)
        session = self._session
        # methods: a lambda would hold the window while the session lives, which the window holds
        session.document_changed.connect(self._wait_a_little)
        session.runs_changed.connect(self._wait_a_little)
        session.progressed.connect(self._wait_longer)
        window.filing.changed.connect(self._wait_a_little)
        window.filing.typed.connect(self._wait_a_little)

    @property
    def path(self) -> Path:
        """Where this window's work is kept."""
        return self._path

    def _wait_a_little(self) -> None:
        self._wait(SOON)

    def _wait_longer(self) -> None:
        self._wait(TRAINED)

    def _wait(self, milliseconds: int) -> None:
        if not self._timer.isActive() or self._timer.remainingTime() > milliseconds:
            self._timer.start(milliseconds)

    @property
    def _has_work(self) -> bool:
        """Whether there is something to lose: what a lesson has put on stage and trained is not."""
        has_trained = any(run.iterations for run in self._session.runs)
        is_lesson = self._window.teaching.player.lesson is not None
        return self._window.filing.is_modified or (has_trained and not is_lesson)

    def _state(self) -> tuple[Any, ...]:
        session = self._session
        runs = tuple((run.id, run.iterations) for run in session.runs)
        return session.document, runs, self._window.unread

    def keep(self) -> None:
        """Write what there is to lose, in the background; take the file away where there is nothing."""
        if self._has_ended:
            return
        if self._task is not None:
            self._wait(SOON)
            return
        if not self._has_work:
            self._path.unlink(missing_ok=True)
            self._kept = None
            return
        if self._state() == self._kept or not self._locked():
            return
        state, write = self._state(), self._writer()

        def work() -> Iterator[None]:
            write()
            yield

        task = self._task = Task(work, self)
        task.ended.connect(lambda: self._end(state))
        task.failed.connect(lambda _: self._end(None))  # no room, perhaps: the next change tries again
        task.start()

    def _writer(self) -> Callable[[], None]:
        """Return what writes the session as it is now, in whichever thread."""
        filing = self._window.filing
        snapshot = filing.snapshot()
        path = str(filing.path or "")

        def write() -> None:
            session = saved(snapshot, path, is_quick=True)
            write_whole(self._path, lambda target: write_session(session, target, is_packed=False))

        return write

    def _end(self, state: tuple[Any, ...] | None) -> None:
        assert self._task is not None
        self._task.dismiss()
        self._task = None
        self._kept = state
        if state is not None:
            for path, lock in self._replaces:
                _remove(path, lock)
            self._replaces.clear()
            if state != self._state():
                self._wait(SOON)

    def _locked(self) -> bool:
        """Say whether the file is this window's; its lock tells others that it is alive."""
        if self._lock is None:
            self._lock = _lock_of(self._path)
        return self._lock is not None

    # --- what was left ---

    def look(self) -> None:
        """Offer what windows have left that ended where they should not."""
        try:
            paths = sorted(self._folder.glob("*.backstep"), key=lambda path: path.stat().st_mtime)
            discarded = list(self._folder.glob(f"*{DISCARDED}"))
        except OSError:
            return
        self._sweep()
        for path in discarded:  # at an earlier start; of a window that is still open they stay
            if (lock := _lock_of(path)) is not None:
                _remove(path, lock)
        for path in paths:
            if path != self._path and (lock := _lock_of(path)) is not None:
                self._offer(path, lock)

    def _sweep(self) -> None:
        """Remove what windows were writing when they were killed."""
        for path in self._folder.glob("*.lock"):
            if (lock := _lock_of(path)) is not None:
                for half in self._folder.glob(f".{path.stem}.*"):
                    half.unlink(missing_ok=True)
                lock.unlock()

    def _offer(self, path: Path, lock: QLockFile) -> None:
        try:
            session = read_session(path, with_runs=False)
            moment = datetime.fromtimestamp(path.stat().st_mtime)
        except Exception:  # written by a version that crashed while it wrote something else
            _remove(path, lock)
            return
        name = Path(session.path).name or session.document.network.title
        day = "" if moment.date() == datetime.now().date() else f" on {moment:%d %B}"
        left = Left(path, lock, excerpt(name), f"{moment:%H:%M}{day}")
        self._window.notifier.ask(
            f"Backstep ended unexpectedly{day} at {moment:%H:%M} with unsaved changes to {left.name}.",
            ("&Restore", lambda: self.restore(left)),
            ("&Discard", lambda: self._discard(left)),
            stays=True,
        )
        self._found.append(lock)

    def _discard(self, left: Left) -> None:
        """Offer it no more; until the next start it can be brought back."""
        target = left.path.with_suffix(DISCARDED)
        try:
            left.path.replace(target)
        except OSError:
            _remove(left.path, left.lock)
            return
        gone = left._replace(path=target)
        self._discarded.append(gone)
        self._window.notifier.ask(
            f"Discarded the changes to {left.name}. Until the next start they can be brought back: "
            "here, and under Open recent.",
            ("&Bring back", lambda: self.restore(gone)),
        )

    @property
    def discarded(self) -> tuple[Left, ...]:
        """What was discarded since the start, the last first."""
        return tuple(reversed(self._discarded))

    def restore(self, left: Left) -> None:
        """Open what was left, after a question where anything that is open now is unsaved."""

        def enter(kept: Opened) -> None:
            target = Path(kept.path) if kept.path else None
            if self._window.filing.enter(kept, target, is_saved=False):
                self._discarded = [other for other in self._discarded if other is not left]
                self._replaces.append((left.path, left.lock))
                self.keep()
                self._window.notifier.info("Restored. Undo goes back to what was open.")

        filing = self._window.filing
        filing.leave(lambda: filing.read(left.path, enter), f"what was left of {excerpt(left.name)}")

    def keep_now(self) -> None:
        """Write what there is to lose before the application ends, and leave it for the next start."""
        self._stays = True
        self._timer.stop()
        if self._task is not None:
            self._task.wait(LAST_WAIT)
        if self._has_work and self._state() != self._kept and self._locked():
            self._writer()()

    def close(self) -> None:
        """Leave nothing behind: the window closes as it should."""
        self._has_ended = True
        self._timer.stop()
        if self._task is not None:
            self._task.cancel()
            self._task.wait(LAST_WAIT)
        if not self._stays:
            self._path.unlink(missing_ok=True)
        for path, lock in self._replaces:
            _remove(path, lock)
        for lock in [*self._found, *([self._lock] if self._lock is not None else [])]:
            lock.unlock()


class LessonRecovery(QObject):
    """Keeps the unsaved lesson of a window, and offers what another one has left.

    Parameters
    ----------
    window
        In which it is written.
    folder
        As for a session's recovery.
    """

    def __init__(self, window: Any, folder: Path) -> None:
        super().__init__(window)
        self._window = window
        self._authoring = window.authoring
        self._folder = folder
        self._path = folder / f"{uuid.uuid4().hex}.lesson"
        self._locks: list[QLockFile] = []
        self._lock: QLockFile | None = None
        self._stays = self._has_ended = False
        self._timer = QTimer(self, singleShot=True, interval=SOON)
        self._timer.timeout.connect(self.keep)
        self._authoring.changed.connect(self._wait)

    @property
    def path(self) -> Path:
        """Where this window's lesson is kept."""
        return self._path

    def _wait(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def keep(self) -> None:
        """Write what is unsaved; take the file away where nothing is."""
        authoring = self._authoring
        if not authoring.is_modified:
            self._path.unlink(missing_ok=True)
            return
        self._lock = self._lock or _lock_of(self._path)
        if self._lock is not None:
            table = {"path": str(authoring.path or ""), "text": authoring.draft.text.text}
            with suppress(BackstepError):  # no room, perhaps: the next change tries again
                write_whole(self._path, json.dumps(table).encode())

    def look(self) -> None:
        """Offer the lessons that windows have left which ended where they should not."""
        for path in sorted(self._folder.glob("*.lesson")):
            if path != self._path and (lock := _lock_of(path)) is not None:
                self._offer(path, lock)

    def _offer(self, path: Path, lock: QLockFile) -> None:
        try:
            table = json.loads(path.read_text("utf-8"))
            text, target = str(table["text"]), str(table["path"])
            title = str(Draft.of(text).text.value(None, "title"))
        except (OSError, ValueError, LookupError, TypeError, BackstepError):
            _remove(path, lock)
            return

        def restore() -> None:
            if self._authoring.restore(text, Path(target) if target else None):
                _remove(path, lock)
                self.keep()

        name = excerpt(Path(target).name or title)
        self._window.notifier.ask(
            f"Backstep ended unexpectedly with unsaved changes to the lesson {name}.",
            ("&Restore", restore),
            ("&Discard", lambda: _remove(path, lock)),
            stays=True,
        )
        self._locks.append(lock)

    def keep_now(self) -> None:
        """Write what is unsaved before the application ends, and leave it for the next start."""
        self._stays = True
        self._timer.stop()
        self.keep()

    def close(self) -> None:
        """Leave nothing behind: the window closes as it should."""
        self._has_ended = True
        self._timer.stop()
        if not self._stays:
            self._path.unlink(missing_ok=True)
        for lock in (*self._locks, *([self._lock] if self._lock is not None else [])):
            lock.unlock()


def _lock_of(path: Path) -> QLockFile | None:
    """Return the lock of a file, None where a living window holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    lock = QLockFile(str(path.with_suffix(".lock")))
    lock.setStaleLockTime(0)  # a window may stay open for days; its process tells whether it lives
    return lock if lock.tryLock(0) else None


def _remove(path: Path, lock: QLockFile) -> None:
    path.unlink(missing_ok=True)
    lock.unlock()
