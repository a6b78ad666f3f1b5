"""PNG: pixels, as many as the scale says."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageWriter, QPainter

from engine.errors import UsageError
from gui.pictures import Picture

ENDINGS = (".png",)
TITLE = "PNG picture"


LONGEST = 32_000  # pixels along a side: Qt paints no further than 32767
MOST = 120_000_000  # pixels in all: half a gigabyte while it is painted


def encode(picture: Picture) -> bytes:
    """Return the picture as the bytes of a PNG file.

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
    picture.paint(painter)
    painter.end()
    return _encoded(image, picture)


def _encoded(image: QImage, picture: Picture) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, b"png")
    writer.setText("Title", picture.title)
    for key, text in picture.metadata.items():
        writer.setText(key, text)
    writer.write(image)
    buffer.close()
    return bytes(data.data())
