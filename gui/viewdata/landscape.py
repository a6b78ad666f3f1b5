"""The landscape as it is drawn: colours, contours, what a slice is in words, and where runs went. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine.landscape import Extent, Slice, Surface
from engine.trace import forward
from engine.training import Run
from graphs.network import Model
from graphs.views.numbers import format_number

__all__ = [
    "Scale",
    "Trail",
    "color_table",
    "contour_lines",
    "dashed",
    "heights_on",
    "hover_text",
    "is_quick",
    "labels_of",
    "levels_of",
    "loss_at",
    "nice_losses",
    "off_sentence",
    "scale_of",
    "slice_sentence",
    "thinned",
]

Array = np.ndarray

COLORS = 256
SMALLEST = 1e-10
"""Losses so many times smaller than the largest look alike on a log scale."""
EXACT_NUMBERS = 400_000
"""Up to so many numbers in a forward pass, the loss under the pointer is worked out rather than looked up."""
FAR = 20.0
"""Lines end so many widths of the picture outside of it."""


# --- colours -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scale:
    """From losses to colours: evenly from `low` to `high`, or by their logarithm.

    Attributes
    ----------
    low, high
        The smallest and the largest loss that is finite.
    shift
        What is added to a loss before its logarithm is taken, so that it has one.
    """

    low: float
    high: float
    is_log: bool = False
    shift: float = 0.0

    def height(self, losses: Any) -> Array:
        """Return how high losses stand, nan for those that are not finite."""
        losses = np.asarray(losses, dtype=float)
        with np.errstate(all="ignore"):
            finite = np.where(np.isfinite(losses), losses, np.nan)
            return np.log10(np.maximum(finite + self.shift, 1e-300)) if self.is_log else finite

    def share(self, losses: Any) -> Array:
        """Return where losses stand between the lowest and the highest, from 0 to 1."""
        bottom, top = self.height(self.low), self.height(self.high)
        with np.errstate(all="ignore"):
            # halves: the difference of two very large numbers is not finite
            found = (self.height(losses) / 2 - bottom / 2) / (top / 2 - bottom / 2)
        return np.clip(found, 0.0, 1.0) if top > bottom else np.where(np.isfinite(losses), 0.0, np.nan)

    @property
    def title(self) -> str:
        """What the numbers beside the colours are."""
        return "loss, log" if self.is_log else "loss"

    @property
    def sentence(self) -> str:
        """How colours follow from losses."""
        if not self.is_log:
            return "Colours follow the loss evenly."
        if not self.shift:
            return "Colours follow the logarithm of the loss."
        sign = "plus" if self.shift > 0 else "minus"
        return f"Colours follow the logarithm of the loss {sign} {format_number(abs(self.shift), 3)}."


def scale_of(losses: Array, is_log: bool) -> Scale | None:
    """Return the scale that suits some losses, None where none is finite.

    The logarithm is of the loss itself where all are positive and not too different; otherwise something is
    added to every loss, so that the lowest is not infinitely deep.
    """
    finite = losses[np.isfinite(losses)]
    if not finite.size:
        return None
    low, high = float(finite.min()), float(finite.max())
    shift = 0.0
    if is_log and low < SMALLEST * high:
        shift = SMALLEST * high if low >= 0 else -low + 1e-4 * (high - low)
    if is_log and high <= 0:
        shift = -low + (1e-4 * (high - low) or 1.0)
    return Scale(low, high, is_log, shift)


@lru_cache(maxsize=16)
def color_table(anchors: tuple[str, ...]) -> Array:
    """Return 256 colours through `anchors`, each as different from the next as the eye can tell.

    The way leads straight from one anchor to the next in OKLab (Ottosson, 2020), where distances are
    differences that are seen; it is divided into steps of equal length.

    Returns
    -------
    uint8 array, shape (256, 3)
    """
    points = np.array([_oklab(anchor) for anchor in anchors])
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    places = np.linspace(0, lengths[-1], COLORS)
    path = np.stack([np.interp(places, lengths, points[:, i]) for i in range(3)], axis=1)
    table = np.rint(255 * _from_oklab(path)).astype(np.uint8)
    table.flags.writeable = False
    return table


_TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def _oklab(color: str) -> Array:
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return _TO_LAB @ np.cbrt(_TO_LMS @ linear)


def _from_oklab(lab: Array) -> Array:
    linear = np.clip((lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


# --- contours ----------------------------------------------------------------------------------------------


def nice_losses(scale: Scale, most: int) -> list[float]:
    """Return at most about `most` round losses between the lowest and the highest, in order."""
    if not scale.high > scale.low or most < 1:
        return []
    return _nice_logs(scale, most) if scale.is_log else _nice_steps(scale.low, scale.high, most)


def _nice_steps(low: float, high: float, most: int) -> list[float]:
    rough = high / most - low / most
    if not (math.isfinite(rough) and rough > 1e-300):
        return []
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step), math.floor(high / step)
    if last - first > 1000:  # the range is too small for its place: numbers cannot be told apart
        return []
    found = {float(f"{i * step:.12g}") for i in range(first, last + 1)}
    return sorted(v for v in found if low <= v <= high)


def _nice_logs(scale: Scale, most: int) -> list[float]:
    """Return powers of ten, with as many numbers between them as there is room for."""
    largest = max(abs(scale.low), abs(scale.high))
    powers = range(math.floor(math.log10(largest)) - 14, math.ceil(math.log10(largest)) + 1)
    for digits in _DIGITS:
        sizes = [float(f"{digit}e{power}") for power in powers for digit in digits]
        found = sorted(v for v in [*sizes, *(-s for s in sizes), 0.0] if scale.low < v < scale.high)
        kept, last = [], -1.0
        for value, place in zip(found, scale.share(np.array(found)).tolist(), strict=True):
            if place - last >= 0.6 / most:
                kept.append(value)
                last = place
        if len(kept) == len(found) or digits == _DIGITS[-1]:
            break
    return kept if len(kept) > 2 else _nice_steps(scale.low, scale.high, most)


_DIGITS = ((1, 1.5, 2, 3, 4, 5, 6, 8), (1, 2, 3, 5), (1, 2, 5), (1, 3), (1,))
"""First digits of round numbers on a log scale, from the densest."""


def levels_of(scale: Scale, most: int = 11) -> list[float]:
    """Return the losses at which contours are drawn: round ones, and some closer ones at the bottom."""
    levels = nice_losses(scale, most)
    if scale.is_log or len(levels) < 2:
        return levels
    step = levels[1] - levels[0]
    return sorted({*levels, *_nice_steps(scale.low, scale.low + step, 4)})


def contour_lines(surface: Surface, scale: Scale, levels: Sequence[float]) -> list[tuple[Array, Array]]:
    """Return for each level the contours of a surface as one line, x and y, with nan between its pieces."""
    from contourpy import LineType, contour_generator

    heights = np.ma.masked_invalid(scale.height(surface.losses).T)
    if min(heights.shape) < 2 or heights.mask.all():
        return [(np.empty(0), np.empty(0)) for _ in levels]
    generator = contour_generator(surface.xs, surface.ys, heights, line_type=LineType.ChunkCombinedNan)
    found = []
    for level in scale.height(np.array(levels)):
        points = generator.lines(float(level))[0][0]
        found.append((points[:, 0], points[:, 1]) if points is not None else (np.empty(0), np.empty(0)))
    return found


def labels_of(
    lines: Sequence[tuple[Array, Array]],
    levels: Sequence[float],
    named: Sequence[float],
    extent: Extent,
    size: tuple[float, float],
    most: int = 6,
) -> list[tuple[float, float, str]]:
    """Return where a few contours have room for their loss: x, y and text.

    A label stands where its contour runs level, away from the edges and from the labels before it; a contour
    with no such place has none.

    Parameters
    ----------
    named
        The levels that may have a label.
    size
        Width and height of the picture in pixels.
    """
    scale = np.array([size[0] / extent.width, size[1] / extent.height])
    taken: list[Array] = []
    found = []
    chosen = [(line, level) for line, level in zip(lines, levels, strict=True) if level in named]
    for (xs, ys), level in chosen[:: max(1, math.ceil(len(chosen) / most))]:
        points = (np.column_stack([xs, ys]) - (extent.left, extent.bottom)) * scale
        place = _level_place(points, taken, size)
        if place is not None:
            taken.append(points[place])
            found.append((float(xs[place]), float(ys[place]), format_number(level, 3)))
    return found


def _level_place(points: Array, taken: Sequence[Array], size: tuple[float, float]) -> int | None:
    """Return the point of a line where it runs most level, None where none has room around it."""
    if len(points) < 8:
        return None
    run = np.full(len(points), np.nan)
    ahead = points[4:] - points[:-4]
    with np.errstate(all="ignore"):
        run[2:-2] = np.abs(ahead[:, 1]) / np.hypot(ahead[:, 0], ahead[:, 1])
    inside = np.all((points > (36, 18)) & (points < (size[0] - 36, size[1] - 18)), axis=1)
    for other in taken:
        inside &= np.any(np.abs(points - other) > (60, 24), axis=1)
    run[~inside] = np.nan
    if not np.isfinite(run).any():
        return None
    return int(np.nanargmin(run))


# --- words -------------------------------------------------------------------------------------------------


def slice_sentence(slice_: Slice, iteration: int, run: str = "") -> str:
    """Say plainly what is shown: all there is, or a slice, and what stays as it is.

    Parameters
    ----------
    iteration, run
        The iteration at whose parameters the slice has its centre, and of which run, where there are several.
    """
    if slice_.is_whole:
        which = "these two parameters" if slice_.kind == "entries" else "two parameters"
        return f"The whole landscape: the network has only {which}."
    where = f"iteration {iteration} of {run}" if run else f"iteration {iteration}"
    if slice_.kind == "entries":
        others = "1 other number stays" if slice_.still == 1 else f"{slice_.still} other numbers stay"
        return f"A slice: {' and '.join(slice_.labels)} vary, {others} as at {where}."
    if slice_.kind == "principal" and slice_.shares is not None:
        share = f"{100 * min(1.0, sum(slice_.shares)):.3g} %"
        return f"A slice along the two directions that hold {share} of the run's movement, through {where}."
    return f"A slice along two random directions, through {where}."


def off_sentence(slice_: Slice, distance: float) -> str:
    """Say how far off the slice the point shown lies; nothing where it lies on it."""
    with np.errstate(over="ignore"):
        length = float(np.linalg.norm(slice_.centre))
    if slice_.is_whole or not distance > 1e-9 * max(1.0, length):
        return ""
    return f"The point shown lies {format_number(distance, 3)} off it."


def hover_text(slice_: Slice, x: float, y: float, loss: float) -> str:
    """Return what is said of the place under the pointer."""
    names = slice_.labels if slice_.kind == "entries" else ("first", "second")
    return (
        f"{names[0]} {format_number(x, 3)}, {names[1]} {format_number(y, 3)}\n"
        f"loss {format_number(loss)}\nClick to start from here"
    )


def is_quick(model: Model) -> bool:
    """Say whether a forward pass is so short that nobody waits for some of them."""
    return sum(math.prod(d.size for d in node.dims) for node in model.graph.nodes) <= EXACT_NUMBERS


def loss_at(model: Model, slice_: Slice, surface: Surface | None, x: float, y: float) -> float:
    """Return the loss at a place: worked out where that is quick, otherwise of the nearest point known."""
    graph = model.graph
    if surface is None or is_quick(model):
        leaves = {**model.inputs, **slice_.parameters(x, y)}
        return float(forward(graph, leaves)[graph.ids[graph.loss]])
    i, j = (int(np.argmin(np.abs(line - v))) for line, v in ((surface.xs, x), (surface.ys, y)))
    return float(surface.losses[i, j])


# --- where runs went ---------------------------------------------------------------------------------------


class Trail:
    """Where a run went, on a slice; only what is new of the run is projected."""

    def __init__(self, slice_: Slice, run: Run) -> None:
        self.slice = slice_
        self.run = run
        self._iterations = np.empty(0, np.int64)
        self._places = np.empty((0, 2))

    def places(self) -> Array:
        """Return the places of the run's samples and of where it stands, shape (n, 2)."""
        iterations, vectors = self.slice.space.trajectory(self.run)
        known = np.isin(self._iterations, iterations, assume_unique=True)
        is_new = np.isin(iterations, self._iterations, assume_unique=True, invert=True)
        places = np.empty((len(iterations), 2))
        places[~is_new] = self._places[known]
        places[is_new] = self.slice.project(vectors[is_new])
        self._iterations, self._places = iterations, places
        return places


def thinned(places: Array, extent: Extent, size: tuple[float, float]) -> Array:
    """Return a line with no two points in a row on the same pixel, and none very far outside.

    It ends with the step that leads very far away for good: what a run that diverged does there, from one
    side of the picture to the other and back, would only cover it.

    Parameters
    ----------
    places : float array, shape (n, 2)
    size
        Width and height of the picture in pixels.
    """
    low = np.array([extent.left - FAR * extent.width, extent.bottom - FAR * extent.height])
    high = np.array([extent.right + FAR * extent.width, extent.top + FAR * extent.height])
    places = places[np.isfinite(places).all(axis=1)]
    near = np.flatnonzero(((places >= low) & (places <= high)).all(axis=1))
    places = np.clip(places[: near[-1] + 2] if len(near) else places, low, high)
    if len(places) < 3:
        return places
    pixels = np.floor((places - low) * (np.array(size) / (extent.width, extent.height)))
    kept = np.ones(len(places), bool)
    kept[1:-1] = (np.diff(pixels, axis=0)[:-1] != 0).any(axis=1)
    return places[kept]


def heights_on(surface: Surface, places: Array) -> Array:
    """Return the loss of a surface at places between its points, nan outside; shape (n,).

    Parameters
    ----------
    places : float array, shape (n, 2)
    """
    places = np.reshape(places, (-1, 2))
    with np.errstate(all="ignore"):
        x = (places[:, 0] - surface.extent.left) / surface.extent.width * (len(surface.xs) - 1)
        y = (places[:, 1] - surface.extent.bottom) / surface.extent.height * (len(surface.ys) - 1)
    inside = (x >= 0) & (x <= len(surface.xs) - 1) & (y >= 0) & (y <= len(surface.ys) - 1)
    i = np.clip(np.where(inside, x, 0).astype(int), 0, len(surface.xs) - 2)
    j = np.clip(np.where(inside, y, 0).astype(int), 0, len(surface.ys) - 2)
    u, v = x - i, y - j
    z = surface.losses
    low = z[i, j] * (1 - u) + z[i + 1, j] * u
    high = z[i, j + 1] * (1 - u) + z[i + 1, j + 1] * u
    return np.where(inside, low * (1 - v) + high * v, np.nan)


def dashed(line: Array, pattern: Sequence[float], unit: float) -> list[Array]:
    """Return the strokes of a line, for what can only draw solid ones.

    Parameters
    ----------
    line : float array, shape (n, d)
    pattern
        Lengths of strokes and gaps in turn, in `unit`; nothing for a solid line.
    """
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    total = float(np.sum(steps))
    if len(line) < 2 or not pattern or not total > 0:
        return [line] if len(line) > 1 else []
    at = np.concatenate([[0.0], np.cumsum(steps)])
    ends = np.cumsum(np.tile(np.array(pattern) * unit, math.ceil(total / (sum(pattern) * unit))))
    begins = np.concatenate([[0.0], ends[:-1]])[::2]
    strokes = []
    for begin, end in zip(begins, np.minimum(ends[::2], total), strict=True):
        if begin < total:
            # the points of the line inside the stroke, and its two ends
            inner = line[(at > begin) & (at < end)]
            first, last = (np.array([np.interp(p, at, axis) for axis in line.T]) for p in (begin, end))
            strokes.append(np.vstack([first, inner, last]))
    return strokes
