"""PNG: pixels, as many as the scale says."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageWriter

from gui.pictures import Encoding, Picture, PictureFormat
from gui.raster import painted

__all__ = ["FORMAT", "png_of"]


def encode(pictures: Sequence[Picture]) -> Encoding:
    """Paint the one picture into a PNG file; see `Encoding`."""
    (picture,) = pictures
    data = png_of(painted(picture), {"Title": picture.title, **picture.metadata})
    yield 1
    return data


def png_of(image: QImage, texts: dict[str, str]) -> bytes:
    """Return an image as the bytes of a PNG file with text chunks."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, b"png")
    for key, text in texts.items():
        writer.setText(key, text)
    writer.write(image)
    buffer.close()
    return bytes(data.data())


FORMAT = PictureFormat("png", "PNG picture", (".png",), encode, has_pixels=True)
