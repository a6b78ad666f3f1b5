"""PNG: pixels, as many as the scale says."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageWriter, QPainter

from gui.pictures import Picture

ENDINGS = (".png",)
TITLE = "PNG picture"


def encode(picture: Picture) -> bytes:
    """Return the picture as the bytes of a PNG file."""
    width, height = (
        max(1, round(side * picture.scale)) for side in (picture.size.width(), picture.size.height())
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
