"""SVG: lines, text and formulas stay vectors."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRect, QSize
from PySide6.QtGui import QPainter
from PySide6.QtSvg import QSvgGenerator

from gui.pictures import Encoding, Picture, PictureFormat

__all__ = ["FORMAT"]


def encode(pictures: Sequence[Picture]) -> Encoding:
    """Paint the one picture into an SVG file; see `Encoding`."""
    (picture,) = pictures
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    size = QSize(round(picture.size.width()), round(picture.size.height()))
    generator.setSize(size)
    generator.setViewBox(QRect(0, 0, size.width(), size.height()))
    generator.setTitle(picture.title)
    generator.setDescription("; ".join(f"{key}: {text}" for key, text in picture.metadata.items()))
    painter = QPainter(generator)
    picture.paint_whole(painter)
    painter.end()
    buffer.close()
    yield 1
    return _finished(bytes(data.data()))


def _finished(data: bytes) -> bytes:
    """Say what Qt leaves out: fonts to fall back on, and that the cells of a heat map have no seams."""
    data = data.replace(b'font-family="Inter"', b'font-family="Inter, Helvetica, Arial, sans-serif"')
    return data.replace(b"<rect ", b'<rect shape-rendering="crispEdges" ')


FORMAT = PictureFormat("svg", "SVG picture", (".svg",), encode)
