"""Where the neurons and edges of a neuron view lie in a rectangle; what is under a point."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import hypot

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from gui.viewdata.neurons import EdgeBundle, NeuronColumn, NeuronView

MOST_SHOWN = 16
"""Units of a column that are drawn; of more, the first `FIRST` and how many others there are."""
FIRST = 14
LABEL, GAP, MARGIN = 19.0, 8.0, 14.0
"""Height of a column's name, between two columns above each other, and at the left and right."""
LARGEST, SMALLEST, ROOMY = 58.0, 3.0, 1.7
"""The height of a neuron at most and at least; with what share of it between two of them at most."""
NUMBER_WIDTH, NUMBER_HEIGHT = 37.0, 15.0
"""The least room for a number in a neuron."""
END = 22.0
"""Half the width that is kept for the outermost neurons."""
RUN, SHORT_RUN = 40.0, 24.0
"""The length that an edge beside neurons with numbers keeps, and the least where they would have none."""
GRADIENT_ROOM = 17.0
"""Room below a neuron for its gradient, where there is any: its figures, and the rings of two neurons."""
WIDEST = 280.0
"""Between two columns."""
MARK = 8.0
NEAR = 5.0
"""How near to an edge a click counts."""


@dataclass(frozen=True)
class Stack:
    """One column as drawn, with the one that shares its neurons: names of nodes, and rectangles."""

    names: tuple[str, ...]
    label: QRectF
    neurons: tuple[QRectF, ...]
    more: QRectF | None
    hidden: int
    has_numbers: bool
    has_gradients: bool

    def half(self, unit: int, name: str) -> QRectF:
        """Return where a column's own half of a neuron lies."""
        rect = self.neurons[unit]
        if len(self.names) == 1:
            return rect
        middle = rect.center().x()
        left = name == self.names[0]
        return QRectF(rect.left() if left else middle, rect.top(), rect.width() / 2, rect.height())

    def mark(self, unit: int) -> QRectF:
        """Return where a unit's bias lies: below its left end."""
        rect = self.neurons[unit]
        side = min(MARK, rect.height())
        return QRectF(rect.left() - side * 0.55, rect.bottom() - side * 0.75, side, side)


@dataclass(frozen=True)
class Edge:
    """One edge: which bundle, which units, and the points of its line."""

    bundle: int
    target: int
    source: int
    points: tuple[QPointF, ...]


@dataclass(frozen=True)
class Hit:
    """What is under a point: a neuron of a column, an edge of a bundle, or a bias mark."""

    kind: str
    index: int
    unit: int
    source: int = 0


@dataclass(frozen=True)
class NeuronLayout:
    """The places of everything in a rectangle."""

    stacks: tuple[Stack, ...] = ()
    edges: tuple[Edge, ...] = ()
    stack_of: Mapping[str, int] = field(default_factory=dict)

    def neuron(self, name: str, unit: int) -> QRectF | None:
        """Return where a neuron of a column lies, None for one that is not drawn."""
        stack = self.stacks[self.stack_of[name]]
        return stack.half(unit, name) if unit < len(stack.neurons) else None

    def hit(self, view: NeuronView, point: QPointF) -> Hit | None:
        """Return what lies under a point: marks above neurons above edges."""
        return self._mark_at(view, point) or self._neuron_at(view, point) or self._edge_at(point)

    def hits(self, view: NeuronView) -> list[Hit]:
        """Return everything that can be clicked: neurons, biases, edges with a weight."""
        stacks = self.stack_of
        neurons = [
            Hit("neuron", i, unit)
            for i, column in enumerate(view.columns)
            for unit in range(len(self.stacks[stacks[column.name]].neurons))
        ]
        marks = [
            Hit("mark", i, unit)
            for i, mark in enumerate(view.marks)
            for unit in range(len(self.stacks[stacks[mark.target]].neurons))
        ]
        weighted = (edge for edge in self.edges if view.bundles[edge.bundle].name)
        return [*neurons, *marks, *(Hit("edge", e.bundle, e.target, e.source) for e in weighted)]

    def nearest(self, point: QPointF) -> tuple[int, int, QPointF] | None:
        """Return the neuron nearest to a point: stack, unit and centre; None where there is none."""
        found = [
            (stack, unit, rect.center())
            for stack, one in enumerate(self.stacks)
            for unit, rect in enumerate(one.neurons)
        ]
        return min(found, key=lambda n: (n[2] - point).manhattanLength(), default=None)

    def _mark_at(self, view: NeuronView, point: QPointF) -> Hit | None:
        for index, mark in enumerate(view.marks):
            stack = self.stacks[self.stack_of[mark.target]]
            for unit in range(len(stack.neurons)):
                if stack.mark(unit).adjusted(-2, -2, 2, 2).contains(point):
                    return Hit("mark", index, unit)
        return None

    def _neuron_at(self, view: NeuronView, point: QPointF) -> Hit | None:
        for index, column in enumerate(view.columns):
            stack = self.stacks[self.stack_of[column.name]]
            for unit in range(len(stack.neurons)):
                if stack.half(unit, column.name).adjusted(-1, -2, 1, 2).contains(point):
                    return Hit("neuron", index, unit)
        return None

    def _edge_at(self, point: QPointF) -> Hit | None:
        best, found = NEAR, None
        for edge in self.edges:
            for a, b in pairwise(edge.points):
                distance = _distance(point, a, b)
                if distance < best:
                    best, found = distance, edge
        return None if found is None else Hit("edge", found.bundle, found.target, found.source)


def neuron_layout(view: NeuronView, rect: QRectF) -> NeuronLayout:
    """Return the places of a view in a rectangle."""
    slots = _slots(view.columns)
    if not slots:
        return NeuronLayout()
    stacks: list[Stack] = []
    centres, apart = _centres(slots, rect)
    for groups, x in zip(slots, centres, strict=True):
        stacks += _stacks(groups, x, apart, rect)
    stack_of = {name: i for i, stack in enumerate(stacks) for name in stack.names}
    slot_of = {column.name: place for place, groups in enumerate(slots) for g in groups for column in g}
    edges = [
        edge
        for index, bundle in enumerate(view.bundles)
        if stack_of[bundle.source] != stack_of[bundle.target]
        for edge in _edges(index, bundle, stacks, stack_of, slot_of)
    ]
    return NeuronLayout(tuple(stacks), tuple(edges), stack_of)


def structure(view: NeuronView) -> tuple[object, ...]:
    """Return what the places depend on, for comparing: another step of a network has the same."""
    columns = tuple((c.name, c.rank, c.behind, c.units) for c in view.columns)
    return columns, tuple((b.source, b.target, b.kind) for b in view.bundles)


def shown(units: int) -> int:
    """Return how many units of a column are drawn."""
    return units if units <= MOST_SHOWN else FIRST


def _slots(columns: Sequence[NeuronColumn]) -> list[list[list[NeuronColumn]]]:
    """Return from left to right what stands above each other: columns, each with the one behind it."""
    fronts = [c for c in columns if not c.behind]
    behind = {c.behind: c for c in columns if c.behind}
    ranks = sorted({c.rank for c in fronts})
    return [
        [[c, *([behind[c.name]] if c.name in behind else [])] for c in fronts if c.rank == rank]
        for rank in ranks
    ]


def _centres(slots: Sequence[Sequence[Sequence[NeuronColumn]]], rect: QRectF) -> tuple[list[float], float]:
    """Return where the slots stand, and how far apart: from border to border, if that is not too far."""
    ends = [max(len(group) for group in groups) * END for groups in (slots[0], slots[-1])]
    room = rect.width() - 2 * MARGIN - sum(ends)
    apart = min(WIDEST, room / max(1, len(slots) - 1))
    left = rect.left() + MARGIN + ends[0] + (room - apart * (len(slots) - 1)) / 2
    return [left + apart * i for i in range(len(slots))], apart


def _stacks(
    groups: Sequence[Sequence[NeuronColumn]], x: float, apart: float, rect: QRectF
) -> Iterator[Stack]:
    rows = [shown(g[0].units) + (g[0].units > MOST_SHOWN) for g in groups]
    room = rect.height() - 2 * GAP - len(groups) * LABEL - (len(groups) - 1) * GAP
    each = max(SMALLEST + 1, min(room / sum(rows), LARGEST * ROOMY))
    gradients = each >= NUMBER_HEIGHT + GRADIENT_ROOM
    high = max(SMALLEST, min(LARGEST, each - GRADIENT_ROOM if gradients else each * 0.8))
    halves = max(len(g) for g in groups)
    numbers = high >= NUMBER_HEIGHT and apart >= halves * NUMBER_WIDTH + SHORT_RUN
    outermost = 2 * min(x - rect.left(), rect.right() - x) - 6
    widest = min(outermost / halves, max(NUMBER_WIDTH, apart / halves - RUN)) if numbers else apart / 3
    high = min(high, max(NUMBER_HEIGHT if numbers else SMALLEST, widest))
    height = each * sum(rows) + len(groups) * LABEL + (len(groups) - 1) * GAP
    top = rect.center().y() - height / 2
    for group, count in zip(groups, rows, strict=True):
        wide = (max(NUMBER_WIDTH, high) if numbers else high) * len(group)
        label = QRectF(x - apart / 2 + 2, top, apart - 4, LABEL)
        top += LABEL
        middles = [top + each * i + high / 2 + 1 for i in range(count)]
        rects = [QRectF(x - wide / 2, y - high / 2, wide, high) for y in middles]
        units = shown(group[0].units)
        top += each * count + GAP
        yield Stack(
            tuple(c.name for c in group),
            label,
            tuple(rects[:units]),
            QRectF(label.left(), rects[units].top(), label.width(), max(high, 12.0))
            if units < count
            else None,
            group[0].units - units,
            numbers,
            gradients and numbers,
        )


def _edges(
    index: int,
    bundle: EdgeBundle,
    stacks: Sequence[Stack],
    stack_of: Mapping[str, int],
    slot_of: Mapping[str, int],
) -> Iterator[Edge]:
    source, target = stacks[stack_of[bundle.source]], stacks[stack_of[bundle.target]]
    span = slot_of[bundle.target] - slot_of[bundle.source]
    for i, j in _pairs(bundle, len(target.neurons), len(source.neurons)):
        start, end = source.neurons[j], target.neurons[i]
        a, b = QPointF(start.right(), start.center().y()), QPointF(end.left(), end.center().y())
        yield Edge(index, i, j, _bowed(a, b, start.height()) if span > 1 else (a, b))


def _pairs(bundle: EdgeBundle, targets: int, sources: int) -> Iterator[tuple[int, int]]:
    """Yield target and source units that are joined."""
    if bundle.kind in ("weights", "all"):
        yield from ((i, j) for i in range(targets) for j in range(sources))
    elif sources == 1:
        yield from ((i, 0) for i in range(targets))
    else:
        yield from ((i, i) for i in range(min(targets, sources)))


def _bowed(a: QPointF, b: QPointF, height: float) -> tuple[QPointF, ...]:
    """Return the points of an edge that passes over the columns between its ends."""
    rise = height * 1.1 + 8
    points = []
    for step in range(13):
        t = step / 12
        lift = rise * 4 * t * (1 - t)
        points.append(QPointF(a.x() + (b.x() - a.x()) * t, a.y() + (b.y() - a.y()) * t - lift))
    return tuple(points)


def _distance(point: QPointF, a: QPointF, b: QPointF) -> float:
    dx, dy = b.x() - a.x(), b.y() - a.y()
    length = dx * dx + dy * dy
    along = 0.0 if not length else ((point.x() - a.x()) * dx + (point.y() - a.y()) * dy) / length
    along = float(np.clip(along, 0.0, 1.0))
    return hypot(point.x() - a.x() - along * dx, point.y() - a.y() - along * dy)
