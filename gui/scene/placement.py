"""Where notes find room on the canvas (`graphs.room`), in Qt's points and rectangles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF

from graphs import room
from graphs.room import Point, Surroundings, pieces

__all__ = ["Spot", "Surroundings", "arc_around", "label_beside", "pieces", "rows", "spot_beside"]

Array = np.ndarray


@dataclass(frozen=True)
class Spot:
    """Where a note stands: its middle, by how much it is scaled, and the point on the wire it is about."""

    center: QPointF
    scale: float
    rect: QRectF
    foot: QPointF


def rows(rects: Sequence[QRectF]) -> Array:
    """Return rectangles as rows of left, top, right, bottom."""
    return np.array([_sides(rect) for rect in rects], dtype=float).reshape(-1, 4)


def spot_beside(line: Sequence[Point], size: QSizeF, around: Surroundings) -> Spot:
    """Find room for a note beside a wire."""
    found = room.spot_beside(line, (size.width(), size.height()), around)
    return Spot(QPointF(*found.center), found.scale, _rect(found.rect), QPointF(*found.foot))


def arc_around(start: QPointF, box: QRectF, around: Surroundings) -> Array:
    """Find a curve from a bookmark up and over to a box: the points of a cubic Bézier, of shape (4, 2)."""
    return room.arc_around((start.x(), start.y()), _sides(box), around)


def label_beside(curve: Array, size: QSizeF, around: Surroundings, curves: Sequence[Array]) -> QRectF:
    """Find room for a label at a curve."""
    return _rect(room.label_beside(curve, (size.width(), size.height()), around, curves))


def _sides(rect: QRectF) -> room.Rect:
    return rect.left(), rect.top(), rect.right(), rect.bottom()


def _rect(sides: room.Rect) -> QRectF:
    return QRectF(QPointF(*sides[:2]), QPointF(*sides[2:]))
