"""Files that are dropped onto the window: what is done with each is looked up by its ending."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QWidget

from engine.errors import excerpt

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
    refuse
        What to call with a sentence where something is dropped that nobody opens.
    """

    def __init__(
        self,
        window: QWidget,
        openers: Mapping[str, Callable[[str], object]],
        refuse: Callable[[str], object],
    ) -> None:
        super().__init__(window)
        self._openers = dict(openers)
        self._refuse = refuse
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

    def open(self, mime: QMimeData) -> None:
        """Open what was dropped, or say why that cannot be done."""
        path = self.path_of(mime)
        if path:
            self._openers[Path(path).suffix.lower()](path)
        else:
            self._refuse(self._reason(mime))

    def _reason(self, mime: QMimeData) -> str:
        urls = mime.urls()
        endings = f"Drop a file that ends in {', '.join(self._openers)}."
        if len(urls) > 1:
            return f"{len(urls)} files were dropped, and one is opened at a time. {endings}"
        path = Path(urls[0].toLocalFile())
        if not urls[0].isLocalFile():
            return f"{excerpt(urls[0].toString(), 60)} is not a file on this computer. {endings}"
        what = "is a folder" if path.is_dir() else "is not a kind of file that is opened here"
        return f"{excerpt(path.name, 60)} {what}. {endings}"

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop):
            assert isinstance(event, QDropEvent)
            if not event.mimeData().urls():
                return False
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()  # also what is not opened: else nothing could be said about it
            if event.type() == QEvent.Type.Drop:
                self.open(event.mimeData())
            return True
        return super().eventFilter(watched, event)
