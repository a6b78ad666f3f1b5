"""Rendered formats, one a file.

A module that has a `FORMAT` is found by :func:`formats`; window and command line offer it. A `Picture` knows
its size and how to paint itself. Encoding is a generator: whoever waits for it can show how far it is, or
leave it at any picture.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from itertools import takewhile
from typing import TypeAlias

from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QColor, QPainter

from engine.errors import UsageError
from gui.registry import modules_of

__all__ = ["Encoding", "Picture", "PictureFormat", "Several", "formats", "result_of", "said_of"]

Encoding: TypeAlias = Generator[int, None, bytes]
"""Yields how many pictures are done after each of them, and returns the bytes of the file."""


@dataclass(frozen=True)
class Picture:
    """Something that can be painted at a size.

    Attributes
    ----------
    size
        Width and height in logical pixels.
    paint
        Paints all but the background into the rectangle from the origin to `size`.
    scale
        Pixels for each logical pixel, for formats that have pixels.
    title
        What it shows, in a few words.
    description
        The same in a sentence, for those who cannot see it.
    metadata
        Pairs of key and text, written in the format's own way.
    carried
        Returns more such pairs for formats that can be opened again: the session.
    background
        What it stands on; None where that shines through.
    duration
        For how many seconds it stands in an animation.
    is_live
        Whether it shows what there is when it is painted, rather than when it was made.
    """

    size: QSizeF
    paint: Callable[[QPainter], None]
    scale: float = 1.0
    title: str = ""
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    carried: Callable[[], Mapping[str, str]] = dict
    background: QColor | None = None
    duration: float = 1.0
    is_live: bool = False

    def paint_whole(self, painter: QPainter) -> None:
        """Paint the background, to the last pixel that `size` touches, and the picture."""
        if self.background is not None:
            painter.fillRect(QRectF(0, 0, self.size.width() + 1, self.size.height() + 1), self.background)
        self.paint(painter)


def said_of(pictures: Sequence[Picture]) -> dict[str, str]:
    """Return what a file of several pictures says about itself: pairs that differ give first and last."""
    first, last = pictures[0].metadata, pictures[-1].metadata
    return {key: _joined(text, last.get(key, text)) for key, text in first.items()}


def _joined(first: str, last: str) -> str:
    """Return both texts, without repeating the clauses that they begin with."""
    if first == last:
        return first
    ends = last.split(", ")
    shared = takewhile(lambda pair: pair[0] == pair[1], zip(first.split(", "), ends, strict=False))
    return f"{first} – {', '.join(ends[len(list(shared)) :])}"


class Several(StrEnum):
    """What a format makes of several pictures."""

    NONE = "none"  # one picture a file
    PAGES = "pages"
    FRAMES = "frames"  # of an animation


@dataclass(frozen=True)
class PictureFormat:
    """A format of pictures.

    Attributes
    ----------
    name
        As ``--format`` takes it.
    title
        As a menu shows it.
    endings
        How the names of its files end, the usual one first.
    encode
        Paints pictures into the bytes of a file, one at a time; see `Encoding`.
    has_pixels
        Whether a picture's `scale` makes a difference.
    has_alpha
        Whether a picture without a background stays so.
    several
        What it makes of several pictures.
    extra
        The extra of the package that it needs, "" for none.
    is_there
        Says whether what that brings is there.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    encode: Callable[[Sequence[Picture]], Encoding]
    has_pixels: bool = False
    has_alpha: bool = True
    several: Several = Several.NONE
    extra: str = ""
    is_there: Callable[[], bool] = lambda: True

    def check(self, *, is_transparent: bool = False) -> None:
        """Say whether it can be written here.

        Raises
        ------
        UsageError
            Where the extra that it needs is not installed, and where it cannot be transparent, but should be.
        """
        if is_transparent and not self.has_alpha:
            raise UsageError(
                f"{self.title} has no transparent background.", how="Leave it opaque, or choose WebP or PNG."
            )
        if not self.is_there():
            raise UsageError(
                f"{self.title} needs the extra “{self.extra}”.",
                how=f"Install it: pip install 'backstep[{self.extra}]', or uv sync --extra {self.extra}.",
            )

    def whole(self, pictures: Sequence[Picture]) -> bytes:
        """Return the bytes of a file, however long that takes."""
        return result_of(self.encode(pictures))


def result_of(encoding: Encoding) -> bytes:
    """Return what an encoding comes to."""
    while True:
        try:
            next(encoding)
        except StopIteration as end:
            return end.value


@cache
def formats() -> Mapping[str, PictureFormat]:
    """Return the formats of pictures by name."""
    found = [module.FORMAT for module in modules_of(__name__) if hasattr(module, "FORMAT")]
    return {format.name: format for format in found}
