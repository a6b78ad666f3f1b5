"""GIF: an animation that every program shows, in 255 colours that all of its frames share.

Nothing is dithered: of drawn pictures that makes nothing but noise, and files twice as large. The colours
that fill most of the pictures are taken as they are, so grounds and lines are exactly theirs; the others,
such as the edges of letters, are put together into groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from gui.frames import as_array, beside, has_pillow, images_of, milliseconds, saved, told
from gui.pictures import Encoding, Picture, PictureFormat, Several

__all__ = ["FORMAT", "palette_of"]

COLORS = 255  # one more says that nothing has changed
EXACT = 96
"""Colours that are taken as they are."""
ROUNDS = 12
MOST_DISTINCT = 20_000
"""Colours that are looked at, the most frequent ones, when the others are put together."""
Array = np.ndarray


def encode(pictures: Sequence[Picture]) -> Encoding:
    """Paint pictures into the frames of a GIF file, twice: first to see their colours; see `Encoding`."""
    from PIL import Image  # an extra, and slow to load

    counts: Counter[int] = Counter()
    for colors in _painted(pictures):
        counts.update(_counted(colors))
        yield 0
    palette = yield from beside(lambda: palette_of(counts), 0)
    table = _table(np.fromiter(counts, dtype=np.int64), palette)
    images = []
    for number, colors in enumerate(_painted(pictures), 1):
        image = Image.frombytes("P", colors.shape[::-1], table[colors].tobytes())
        image.putpalette(_channels(palette).astype(np.uint8).tobytes())
        images.append(image)
        if number < len(pictures):
            yield number
    data = yield from saved(
        images,
        format="GIF",
        duration=[max(20, 10 * round(time / 10)) for time in milliseconds(pictures)],
        loop=0,
        optimize=False,
        comment=told(pictures).encode(),
    )
    yield len(pictures)
    return data


def _painted(pictures: Sequence[Picture]) -> Iterator[Array]:
    """Yield the colours of pictures as ``0xrrggbb``."""
    for image in images_of(pictures, opaque=True):
        red, green, blue = as_array(image).astype(np.int32).transpose(2, 0, 1)
        yield red << 16 | green << 8 | blue


def _counted(colors: Array) -> dict[int, int]:
    """Return how many pixels each colour has."""
    flat = colors.reshape(-1)
    starts = np.flatnonzero(np.diff(flat, prepend=-1))  # most pixels are as the one before
    lengths = np.diff(starts, append=flat.size)
    found, inverse = np.unique(flat[starts], return_inverse=True)
    return dict(zip(found.tolist(), np.bincount(inverse, lengths).astype(int).tolist(), strict=True))


def palette_of(counts: Counter[int]) -> Array:
    """Return at most 255 colours ``0xrrggbb`` that stand for all that were counted.

    The most frequent ones as they are; the others by k-means (Lloyd 1982), each weighted with the root of how
    often it is there.
    """
    ranked = counts.most_common(MOST_DISTINCT)
    if len(ranked) <= COLORS:
        return np.array([color for color, _ in ranked], dtype=np.int64)
    exact = [color for color, _ in ranked[:EXACT]]
    rest = np.array(ranked[EXACT:], dtype=np.int64)
    return np.array([*exact, *_grouped(rest[:, 0], np.sqrt(rest[:, 1]), COLORS - EXACT)], dtype=np.int64)


def _grouped(colors: Array, weights: Array, groups: int) -> list[int]:
    points = _channels(colors).astype(float)
    order = np.argsort(points @ (0.299, 0.587, 0.114), kind="stable")
    middles = points[order[np.linspace(0, len(order) - 1, groups).round().astype(int)]]
    for _ in range(ROUNDS):
        nearest = _nearest(points, middles)
        totals = np.bincount(nearest, weights, groups)
        sums = np.stack([np.bincount(nearest, weights * side, groups) for side in points.T], axis=1)
        is_used = totals > 0
        middles[is_used] = sums[is_used] / totals[is_used, None]
    red, green, blue = middles.round().astype(int).T
    return sorted(set((red << 16 | green << 8 | blue).tolist()))


def _nearest(points: Array, middles: Array) -> Array:
    """Return the index of the nearest of `middles` for each point, in slices to spare memory."""
    norms = (middles**2).sum(axis=1)
    slices = np.array_split(points, max(1, len(points) // 4096))
    return np.concatenate([np.argmin(norms - 2 * part @ middles.T, axis=1) for part in slices])


def _table(colors: Array, palette: Array) -> Array:
    """Return the place in the palette of each colour that there is, by the colour."""
    table = np.zeros(1 << 24, dtype=np.uint8)
    table[colors] = _nearest(_channels(colors).astype(float), _channels(palette).astype(float))
    return table


def _channels(colors: Array) -> Array:
    """Return colours ``0xrrggbb`` as rows of red, green and blue."""
    return np.stack([colors >> 16 & 255, colors >> 8 & 255, colors & 255], axis=1)


FORMAT = PictureFormat(
    "gif",
    "GIF animation",
    (".gif",),
    encode,
    has_pixels=True,
    has_alpha=False,
    several=Several.FRAMES,
    extra="animation",
    is_there=has_pillow,
)
