"""Pictures on the clipboard: pixels for whoever takes pixels, vectors for whoever takes those."""

from __future__ import annotations

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage

from gui.pictures import Picture, formats

__all__ = ["copied"]

VECTORS = "image/svg+xml"


def copied(picture: Picture) -> QMimeData:
    """Return a picture for the clipboard.

    Raises
    ------
    UsageError
        For a picture of more pixels than can be painted.
    """
    data = QMimeData()
    data.setData(VECTORS, formats()["svg"].whole([picture]))
    data.setImageData(QImage.fromData(formats()["png"].whole([picture])))
    return data
