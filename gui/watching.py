"""Seeing that a file has been changed by somebody else, whichever way an editor writes it."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

__all__ = ["FileWatch"]

CALM = 150
"""Milliseconds without news after which a file is looked at: editors write in several steps."""
LARGEST = 4 * 2**20
"""Bytes from which on the time of the last change tells, and not what a file holds."""


class _Seen(NamedTuple):
    """What of a file tells contents apart, or why it cannot be read; neither where it is gone."""

    content: str = ""
    fault: str = ""


class FileWatch(QObject):
    """Watches a few files for other contents.

    The folders are watched as well: an editor that puts a new file in the old one's place ends the watch of
    the file itself.

    Signals
    -------
    changed(Path)
        A watched file holds something else now.
    gone(Path)
        A watched file is not there any more.
    unreadable(Path, str)
        A watched file cannot be read any more, and why.
    back(Path)
        It is there again, or can be read again, and holds what it held before.
    """

    changed = Signal(object)
    gone = Signal(object)
    unreadable = Signal(object, str)
    back = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._known: dict[Path, _Seen] = {}
        self._held: dict[Path, str] = {}  # what a file held when it could be read last
        self._watcher = QFileSystemWatcher(self)
        self._calm = QTimer(self, singleShot=True, interval=CALM)
        self._watcher.fileChanged.connect(lambda _: self._calm.start())
        self._watcher.directoryChanged.connect(lambda _: self._calm.start())
        self._calm.timeout.connect(self.look)

    @property
    def paths(self) -> tuple[Path, ...]:
        """What is watched."""
        return tuple(self._known)

    def watch(self, paths: Iterable[Path]) -> None:
        """Watch these files and no others, from what they hold now."""
        self._known = {path: _seen(path) for path in paths}
        self._held = {path: seen.content for path, seen in self._known.items()}
        self._renew()

    def look(self) -> None:
        """Look whether a file holds something else, and say so once."""
        self._renew()
        for path, before in list(self._known.items()):
            now = _seen(path)
            if now != before and path in self._known:
                self._known[path] = now
                self._tell(path, now)

    def _tell(self, path: Path, now: _Seen) -> None:
        if now.fault:
            self.unreadable.emit(path, now.fault)
        elif not now.content:
            self.gone.emit(path)
        elif now.content == self._held.get(path):
            self.back.emit(path)
        else:
            self._held[path] = now.content
            self.changed.emit(path)

    def _renew(self) -> None:
        """Watch again what has been put in an old file's place."""
        wanted = {str(p) for path in self._known for p in (path, path.parent) if _is_there(p)}
        watched = {*self._watcher.files(), *self._watcher.directories()}
        if stale := watched - wanted:
            self._watcher.removePaths(list(stale))
        if fresh := wanted - watched:
            self._watcher.addPaths(list(fresh))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a folder on the way that may not be entered any more
        return False


def _seen(path: Path) -> _Seen:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):  # a pipe would be waited for, a device never ends
            return _Seen(fault="it is not an ordinary file")
        if found.st_size > LARGEST:
            return _Seen(f"{found.st_mtime_ns} {found.st_size}")
        return _Seen(hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest())
    except FileNotFoundError:
        return _Seen()
    except OSError as error:
        return _Seen(fault=(error.strerror or "unknown reason").lower())
