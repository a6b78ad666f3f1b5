"""Seeing that a file has been changed by somebody else, whichever way an editor writes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

__all__ = ["FileWatch"]

CALM = 150
"""Milliseconds without news after which a file is looked at: editors write in several steps."""
LARGEST = 4 * 2**20
"""Bytes from which on the time of the last change tells, and not what a file holds."""


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
    """

    changed = Signal(object)
    gone = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._known: dict[Path, str] = {}
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
        self._known = {path: _content(path) for path in paths}
        self._renew()

    def look(self) -> None:
        """Look whether a file holds something else, and say so once."""
        self._renew()
        for path, before in list(self._known.items()):
            now = _content(path)
            if now != before and path in self._known:
                self._known[path] = now
                (self.changed if now else self.gone).emit(path)

    def _renew(self) -> None:
        """Watch again what has been put in an old file's place."""
        wanted = {str(p) for path in self._known for p in (path, path.parent) if p.exists()}
        watched = {*self._watcher.files(), *self._watcher.directories()}
        if stale := watched - wanted:
            self._watcher.removePaths(list(stale))
        if fresh := wanted - watched:
            self._watcher.addPaths(list(fresh))


def _content(path: Path) -> str:
    """Return what tells contents apart, "" where there is no file."""
    try:
        if path.stat().st_size > LARGEST:
            return f"{path.stat().st_mtime_ns} {path.stat().st_size}"
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError:
        return ""
