"""What a picture is made from: a subject laid out for certain places of an iteration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QSizeF
from PySide6.QtGui import QColor, QPainter

__all__ = ["Drawing"]


@dataclass(frozen=True)
class Drawing:
    """A subject laid out for certain places: all of its pictures have one size, so that nothing jumps.

    Attributes
    ----------
    size
        In logical pixels.
    background
        What the pictures stand on.
    paint
        Paints the picture at a place: after so many steps of the iteration.
    scale
        Pixels for each logical pixel, where nobody asks for others.
    """

    size: QSizeF
    background: QColor
    paint: Callable[[QPainter, int], None]
    scale: float = 2.0
