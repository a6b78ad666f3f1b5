"""Pictures on the clipboard: pixels for whoever takes pixels, vectors for whoever takes those.

They are painted when a program asks for them, in the form that it asks for: copying costs nothing. A picture
of a step shows that step also when the session has gone on.
"""

from __future__ import annotations

import atexit
from functools import cache
from typing import Any

from PySide6.QtCore import QByteArray, QMetaType, QMimeData
from PySide6.QtGui import QGuiApplication, QImage

from gui.pictures import Picture, formats

__all__ = ["copied", "ready"]

VECTORS, PNG, PIXELS = "image/svg+xml", "image/png", "application/x-qt-image"
"""The last one is Qt's own name for an image, from which it makes what the system's clipboard takes."""

ALONE = ("offscreen", "minimal")
"""Platforms whose clipboard is the application's own."""


class _PictureData(QMimeData):
    """A picture in several forms, each made when it is first asked for."""

    def __init__(self, picture: Picture) -> None:
        super().__init__()
        self._picture = picture
        self._made: dict[str, Any] = {}
        if picture.is_live:
            for form in self.formats():
                self._of(form)

    def _make(self, form: str) -> Any:
        if form == VECTORS:
            return QByteArray(formats()["svg"].whole([self._picture]))
        if form == PNG:
            return QByteArray(formats()["png"].whole([self._picture]))
        return QImage.fromData(self._of(PNG))

    def _of(self, form: str) -> Any:
        if form not in self._made:
            self._made[form] = self._make(form)
        return self._made[form]

    def made(self) -> QMimeData:
        """Return the same with all forms made, and nobody to be asked."""
        data = QMimeData()
        data.setImageData(self._of(PIXELS))
        for form in (VECTORS, PNG):
            data.setData(form, self._of(form))
        return data

    # Qt

    def formats(self) -> list[str]:
        return [VECTORS, PNG, PIXELS]

    def hasFormat(self, mimetype: str) -> bool:
        return mimetype in self.formats()

    def retrieveData(self, mimetype: str, preferredType: QMetaType) -> Any:
        return self._of(mimetype) if self.hasFormat(mimetype) else None


def copied(picture: Picture) -> QMimeData:
    """Return a picture for the clipboard."""
    _end_with_application()
    return _PictureData(picture)


def ready(vectors: bytes, pixels: bytes) -> QMimeData:
    """Return a picture for the clipboard that has been made: as SVG and as PNG."""
    data = QMimeData()
    data.setImageData(QImage.fromData(pixels))
    data.setData(VECTORS, vectors)
    data.setData(PNG, pixels)
    return data


@atexit.register
def settle() -> None:
    """Make what is on the clipboard now, and leave it there by itself: who would be asked for it is going.

    Without a display nobody else can see the clipboard, and Qt empties it only after Python has ended.
    """
    if QGuiApplication.instance() is None:
        return
    clipboard = QGuiApplication.clipboard()
    held = clipboard.mimeData()
    if QGuiApplication.platformName() in ALONE:
        clipboard.clear()
    elif isinstance(held, _PictureData):
        clipboard.setMimeData(held.made())


@cache
def _end_with_application() -> None:
    app = QGuiApplication.instance()
    if app is not None:
        app.aboutToQuit.connect(settle)
