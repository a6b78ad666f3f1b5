"""The frames of an animation: pictures as pixels, all of one size, and how long each stands."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar
from xml.sax.saxutils import escape

import numpy as np
from PySide6.QtCore import QSizeF, QThread
from PySide6.QtGui import QColor, QImage, QPainter

from engine.errors import UsageError
from gui.jobs import ready_for_threads
from gui.pictures import Picture, said_of
from gui.raster import painted

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "as_array",
    "as_pillow",
    "beside",
    "collected",
    "has_pillow",
    "images_of",
    "milliseconds",
    "saved",
    "told",
    "xmp_of",
]

Result = TypeVar("Result")

LOOK = 0.004
"""Seconds that are waited for work beside the window before it has its turn."""
MOST = 500_000_000
"""Pixels of all frames, which are in memory together: two gigabytes."""
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:backstep="urn:backstep">'
    '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>{pairs}'
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def images_of(pictures: Sequence[Picture], *, opaque: bool = False, even: bool = False) -> Iterator[QImage]:
    """Yield pictures as images of one size, smaller ones in the corner of it.

    Parameters
    ----------
    opaque
        Whether what has no background is to have a white one.
    even
        Whether width and height are to be even, which videos ask for.
    """
    width = max(picture.size.width() for picture in pictures)
    height = max(picture.size.height() for picture in pictures)
    for picture in pictures:
        ground = picture.background or (QColor("white") if opaque else None)
        whole = replace(picture, size=QSizeF(width, height), background=ground)
        image = painted(whole)
        yield _even(image, ground) if even else image


def _even(image: QImage, ground: QColor | None) -> QImage:
    width, height = (side + side % 2 for side in (image.width(), image.height()))
    if (width, height) == (image.width(), image.height()):
        return image
    grown = QImage(width, height, image.format())
    grown.fill(ground or QColor(0, 0, 0, 0))
    painter = QPainter(grown)
    painter.drawImage(0, 0, image)
    painter.end()
    return grown


def milliseconds(pictures: Sequence[Picture]) -> list[int]:
    """Return how long each picture stands."""
    return [max(1, round(1000 * picture.duration)) for picture in pictures]


def as_array(image: QImage, *, alpha: bool = False) -> np.ndarray:
    """Return an image as an array of shape (height, width, 3), or 4 with alpha, of bytes."""
    kind = QImage.Format.Format_RGBA8888 if alpha else QImage.Format.Format_RGB888
    found = image.convertToFormat(kind)
    channels = 4 if alpha else 3
    rows = np.frombuffer(found.constBits(), np.uint8).reshape(found.height(), found.bytesPerLine())
    return rows[:, : found.width() * channels].reshape(found.height(), found.width(), channels).copy()


def as_pillow(image: QImage, *, alpha: bool) -> Image:
    """Return an image as Pillow's."""
    from PIL import Image  # an extra, and slow to load

    return Image.fromarray(as_array(image, alpha=alpha))


def has_pillow() -> bool:
    """Say whether Pillow is installed, which comes with the extra ``animation``."""
    return find_spec("PIL") is not None


def collected(pictures: Sequence[Picture]) -> Generator[int, None, list[Image]]:
    """Paint all pictures, yielding how many are done; return them as Pillow's images.

    Raises
    ------
    UsageError
        For more pixels than memory is likely to hold.
    """
    alpha = any(picture.background is None for picture in pictures)
    found: list[Image] = []
    for number, image in enumerate(images_of(pictures), 1):
        size = f"{image.width()} × {image.height()}"
        if image.width() * image.height() * len(pictures) > MOST:
            raise UsageError(
                f"the animation would have {len(pictures)} frames of {size} pixels.",
                how="Choose a smaller scale, fewer steps, or MP4.",
            )
        found.append(as_pillow(image, alpha=alpha))
        if number < len(pictures):
            yield number
    return found


def beside(work: Callable[[], Result], done: int) -> Generator[int, None, Result]:
    """Do work that takes long, without Qt, beside the window where there is one; yield `done` meanwhile."""
    if QThread.currentThread().loopLevel() == 0:  # nobody waits for anything else
        return work()
    ready_for_threads()
    found: list[Result] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            found.append(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, name="encoder", daemon=True)
    thread.start()
    while thread.is_alive():
        yield done
        thread.join(LOOK)
    if failures:
        raise failures[0]
    return found[0]


def saved(images: Sequence[Image], **options: Any) -> Generator[int, None, bytes]:
    """Put frames together, yielding meanwhile; return the bytes of the file."""
    file = BytesIO()
    rest = list(images[1:])
    yield from beside(
        lambda: images[0].save(file, save_all=True, append_images=rest, **options), len(images) - 1
    )
    return file.getvalue()


def told(pictures: Sequence[Picture]) -> str:
    """Return what a file says about itself as one text, for formats that have a comment and no keys."""
    return json.dumps(said_of(pictures), ensure_ascii=False)


def xmp_of(said: Mapping[str, str]) -> bytes:
    """Return what a file says about itself as XMP (ISO 16684-1)."""
    pairs = ((key.replace(" ", ""), escape(text)) for key, text in said.items())
    text = "".join(f"<backstep:{key}>{text}</backstep:{key}>" for key, text in pairs)
    return XMP.format(title=escape(said.get("Title", "")), pairs=text).encode()
