"""Pictures as pixels."""

from __future__ import annotations

from PySide6.QtGui import QImage, QPainter

from engine.errors import UsageError
from gui.pictures import Picture

__all__ = ["painted"]

LONGEST = 32_000  # pixels along a side: Qt paints no further than 32767
MOST = 120_000_000  # pixels in all: half a gigabyte while it is painted


def painted(picture: Picture) -> QImage:
    """Return a picture as an image of `scale` pixels for each of its own.

    Raises
    ------
    UsageError
        For a picture of more pixels than can be painted.
    """
    sides = (picture.size.width(), picture.size.height())
    width, height = (max(1, round(side * picture.scale)) for side in sides)
    if max(width, height) > LONGEST or width * height > MOST:
        raise UsageError(
            f"the picture would have {width} × {height} pixels.", how="Choose a smaller scale, or SVG."
        )
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    painter.scale(picture.scale, picture.scale)
    picture.paint_whole(painter)
    painter.end()
    return image
