"""Files that are dropped onto the window: what is done with each is looked up by its ending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget

__all__ = ["DATA_ENDINGS", "Dropping"]

DATA_ENDINGS = (".csv", ".tsv", ".tab", ".dat", ".txt")
"""How the names of data files end."""


class Dropping(QObject):
    """Lets files be dropped onto a window.

    Parameters
    ----------
    window
        What they are dropped onto.
    openers
        For each ending, in small letters and with its dot, what to call with the file's path.
    """

    def __init__(self, window: QWidget, openers: Mapping[str, Callable[[str], object]]) -> None:
        super().__init__(window)
        self._openers = dict(openers)
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def add(self, openers: Mapping[str, Callable[[str], object]]) -> None:
        """Take files with other endings as well."""
        self._openers.update(openers)

    def path_of(self, mime: QMimeData) -> str:
        """Return the one file that would be opened, "" where there is none."""
        urls = mime.urls()
        path = urls[0].toLocalFile() if len(urls) == 1 else ""
        return path if Path(path).suffix.lower() in self._openers else ""

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop):
            assert isinstance(event, QDropEvent)
            path = self.path_of(event.mimeData())
            if not path:
                return False
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            if event.type() == QEvent.Type.Drop:
                self._openers[Path(path).suffix.lower()](path)
            return True
        return super().eventFilter(watched, event)
