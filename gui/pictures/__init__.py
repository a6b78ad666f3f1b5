"""Rendered formats, one a file.

Each module has `ENDINGS` (the file endings it writes), `TITLE`, and ``encode(picture) -> bytes``. A `Picture`
knows its size and how to paint itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from PySide6.QtCore import QSizeF
from PySide6.QtGui import QPainter

__all__ = ["Picture"]


@dataclass(frozen=True)
class Picture:
    """Something that can be painted at a size.

    Attributes
    ----------
    size
        Width and height in logical pixels.
    paint
        Paints the picture, its background included, into the rectangle from the origin to `size`.
    scale
        Pixels for each logical pixel, for formats that have pixels.
    title
        What it shows, for the file's own description.
    metadata
        Pairs of key and text, written in the format's own way.
    """

    size: QSizeF
    paint: Callable[[QPainter], None]
    scale: float = 1.0
    title: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
