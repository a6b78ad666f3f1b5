"""Groups in what is painted: a painter that writes them names its parts, every other one does not notice.

An item says with :func:`group` what the strokes that follow belong to. The painter of an SVG file makes an
element of it, by which a designer finds the part and a screen reader reads it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPaintEngine, QPainter

__all__ = ["Group", "GroupingEngine", "aligned", "group", "is_grouped", "write"]


@dataclass(frozen=True)
class Group:
    """What strokes belong to.

    Attributes
    ----------
    name
        For programs and designers: ``node-W1``. The engine makes it unique in its file.
    title
        For people, in a few words.
    description
        The same in a sentence, where there is more to say.
    label
        What a screen reader says in place of the strokes, where these are no text: a formula's source.
    """

    name: str
    title: str = ""
    description: str = ""
    label: str = ""


class GroupingEngine(QPaintEngine):
    """A paint engine that knows groups.

    Attributes
    ----------
    side
        How the text that is painted is aligned: its right end, its middle or its left end is to stay in place
        where a reader has other fonts.
    """

    side = Qt.AlignmentFlag.AlignLeft

    def begin_group(self, group: Group) -> None:
        """Let what follows belong to a group."""
        raise NotImplementedError

    def end_group(self) -> None:
        """End the group that was begun last."""
        raise NotImplementedError


def is_grouped(painter: QPainter) -> bool:
    """Say whether a painter makes anything of groups."""
    return isinstance(painter.paintEngine(), GroupingEngine)


@contextmanager
def group(
    painter: QPainter, name: str, title: str = "", description: str = "", label: str = ""
) -> Iterator[None]:
    """Let all that is painted inside belong to a group; see `Group`."""
    engine = painter.paintEngine()
    if not isinstance(engine, GroupingEngine):
        yield
        return
    engine.begin_group(Group(name, title, description, label))
    try:
        yield
    finally:
        engine.end_group()


@contextmanager
def aligned(painter: QPainter, side: Qt.AlignmentFlag) -> Iterator[None]:
    """Say of the text that is painted inside which side of it stays in place; see `GroupingEngine`."""
    engine = painter.paintEngine()
    if not isinstance(engine, GroupingEngine):
        yield
        return
    before, engine.side = engine.side, side
    try:
        yield
    finally:
        engine.side = before


def write(painter: QPainter, rect: QRectF, alignment: Qt.AlignmentFlag, text: str) -> None:
    """Write a text in a rectangle, as ``drawText`` does; a file that keeps text keeps its side as well."""
    with aligned(painter, alignment & Qt.AlignmentFlag.AlignHorizontal_Mask):
        painter.drawText(rect, alignment, text)
