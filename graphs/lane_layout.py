"""Where the cards of an update lane stand: columns from left to right, as each line reads earlier ones.

Small and quick on purpose: a lane has a handful of cards, and its place must be known the moment the first
update step is shown. Numbers only; the scene makes items of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]
Size = tuple[float, float]
Link = tuple[str, str]

ACROSS = 46.0
"""Between two columns."""
DOWN = 11.0
"""Between two cards of a column."""
PASSAGE = 12.0
"""Height that an arrow needs which passes a column."""
PORTS = 15.0
"""Between two arrows that arrive at one card."""
SWEEPS = 6


@dataclass(frozen=True)
class LaneLayout:
    """Cards and arrows of a lane, its upper left corner at the origin.

    Attributes
    ----------
    places
        The middle of each card.
    routes
        For each arrow the points it runs through: from the right side of one card to the left of another,
        and on the way along the passages between cards.
    columns, lefts
        For each card the number of its column; for each column its left side.
    width, height
        Of all of it.
    """

    places: Mapping[str, Point]
    routes: Mapping[Link, tuple[Point, ...]]
    columns: Mapping[str, int]
    lefts: tuple[float, ...]
    width: float
    height: float


def lane_layout(sizes: Mapping[str, Size], links: Sequence[Link]) -> LaneLayout:
    """Place cards so that every arrow runs to the right and through no card.

    Parameters
    ----------
    sizes
        Width and height of each card, in an order in which each comes after what it reads.
    links
        From a card that is read to the card that reads it.
    """
    columns = _columns(list(sizes), links)
    chains = {link: _chain(link, columns) for link in links}
    extent = {**sizes, **{stop: (0.0, PASSAGE) for chain in chains.values() for stop in chain[1:-1]}}
    stacks = _ordered(_stacks(columns, chains), chains)
    heights = _heights(stacks, chains, extent)
    lefts, widths = _across(stacks, extent)
    top = min((heights[name] - sizes[name][1] / 2 for name in sizes), default=0.0)
    bottom = max((heights[name] + sizes[name][1] / 2 for name in sizes), default=0.0)
    places = {name: (lefts[columns[name]] + widths[columns[name]] / 2, heights[name] - top) for name in sizes}
    tracks = {stop: y - top for stop, y in heights.items()}
    routes = _routes(chains, sizes, places, (lefts, widths), tracks)
    width = lefts[-1] + widths[-1] if lefts else 0.0
    return LaneLayout(places, routes, columns, tuple(lefts), width, bottom - top)


def _columns(names: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """Return each card's column: one further than what it reads; what reads nothing stands by its reader."""
    columns: dict[str, int] = {}
    for name in names:
        read = [columns[source] for source, target in links if target == name]
        columns[name] = max(read, default=-1) + 1
    readers = {name: [columns[t] for s, t in links if s == name] for name in names}
    for name in names:
        if columns[name] == 0 and readers[name]:
            columns[name] = min(readers[name]) - 1
    first = min(columns.values(), default=0)
    return {name: column - first for name, column in columns.items()}


def _chain(link: Link, columns: Mapping[str, int]) -> tuple[str, ...]:
    """Return the stops of an arrow: its two cards, and a passage in each column between them."""
    source, target = link
    between = range(columns[source] + 1, columns[target])
    return (source, *(f"{source}>{target}>{column}" for column in between), target)


def _stacks(columns: Mapping[str, int], chains: Mapping[Link, tuple[str, ...]]) -> list[list[str]]:
    stacks: list[list[str]] = [[] for _ in range(max(columns.values(), default=-1) + 1)]
    for name, column in columns.items():
        stacks[column].append(name)
    for (source, _), chain in chains.items():
        for i, stop in enumerate(chain[1:-1], start=columns[source] + 1):
            stacks[i].append(stop)
    return stacks


def _ordered(stacks: list[list[str]], chains: Mapping[Link, tuple[str, ...]]) -> list[list[str]]:
    """Return the columns with few crossings: each by the mean place of its neighbours, there and back."""
    before, after = _neighbours(chains)
    best, fewest = stacks, _crossings(stacks, after)
    for sweep in range(SWEEPS):
        stacks = [list(stack) for stack in stacks]
        order = range(1, len(stacks)) if sweep % 2 else range(len(stacks) - 2, -1, -1)
        for i in order:
            beside, near = (stacks[i - 1], before) if sweep % 2 else (stacks[i + 1], after)
            stacks[i] = _by_mean(stacks[i], beside, near)
        crossings = _crossings(stacks, after)
        if crossings < fewest:
            best, fewest = stacks, crossings
    return best


def _by_mean(stack: list[str], beside: list[str], near: Mapping[str, list[str]]) -> list[str]:
    """Return a column sorted by the mean place of each one's neighbours; without any, it keeps its place."""
    share = len(beside) / max(1, len(stack))

    def wanted(item: tuple[int, str]) -> float:
        places = [beside.index(other) for other in near.get(item[1], ())]
        return sum(places) / len(places) if places else item[0] * share

    return [name for _, name in sorted(enumerate(stack), key=wanted)]


def _neighbours(
    chains: Mapping[Link, tuple[str, ...]],
) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for chain in chains.values():
        for a, b in pairwise(chain):
            before.setdefault(b, []).append(a)
            after.setdefault(a, []).append(b)
    return before, after


def _crossings(stacks: list[list[str]], after: Mapping[str, list[str]]) -> int:
    found = 0
    for left, right in pairwise(stacks):
        pairs = [(i, right.index(b)) for i, a in enumerate(left) for b in after.get(a, ())]
        found += sum((a - c) * (b - d) < 0 for k, (a, b) in enumerate(pairs) for c, d in pairs[:k])
    return found


def _heights(
    stacks: list[list[str]], chains: Mapping[Link, tuple[str, ...]], extent: Mapping[str, Size]
) -> dict[str, float]:
    """Return the height of every stop's middle: near those of its neighbours, and apart from each other."""
    before, after = _neighbours(chains)
    heights: dict[str, float] = {}
    for stack in stacks:
        heights.update(zip(stack, apart([0.0] * len(stack), [extent[s][1] for s in stack]), strict=True))
    for sweep in range(SWEEPS):
        for stack in stacks if sweep % 2 else reversed(stacks):
            wanted = [_mean([heights[n] for n in (*before.get(s, ()), *after.get(s, ()))]) for s in stack]
            found = apart(wanted, [extent[s][1] for s in stack])
            heights.update(zip(stack, found, strict=True))
    return heights


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers) if numbers else 0.0


def apart(wanted: Sequence[float], heights: Sequence[float], gap: float = DOWN) -> list[float]:
    """Return places in the given order that do not overlap, as near as can be to the wanted ones.

    Neighbours that would overlap are pooled and stand around the mean of what they wanted: the least squares
    solution.

    Examples
    --------
    >>> apart([0, 0], [10, 10], 2)
    [-6.0, 6.0]
    """
    offsets = [0.0]
    for a, b in pairwise(heights):
        offsets.append(offsets[-1] + (a + b) / 2 + gap)
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=False):
        pools.append((want - offset, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (b, m), (a, n) = pools.pop(), pools.pop()
            pools.append(((a * n + b * m) / (n + m), n + m))
    starts = [start for start, count in pools for _ in range(count)]
    return [start + offset for start, offset in zip(starts, offsets, strict=False)]


def _across(stacks: list[list[str]], extent: Mapping[str, Size]) -> tuple[list[float], list[float]]:
    """Return the left side and the width of every column."""
    widths = [max((extent[stop][0] for stop in stack), default=0.0) for stack in stacks]
    lefts = [sum(widths[:i]) + i * ACROSS for i in range(len(widths))]
    return lefts, widths


def _routes(
    chains: Mapping[Link, tuple[str, ...]],
    sizes: Mapping[str, Size],
    places: Mapping[str, Point],
    sides: tuple[list[float], list[float]],
    heights: Mapping[str, float],
) -> dict[Link, tuple[Point, ...]]:
    """Return the points of every arrow; those that arrive at one card are spread along its left side."""
    lefts, widths = sides
    arriving: dict[str, list[Link]] = {}
    for link in chains:
        arriving.setdefault(link[1], []).append(link)
        arriving[link[1]].sort(key=lambda one: heights[chains[one][-2]])
    column = {stop: int(stop.rpartition(">")[2]) for chain in chains.values() for stop in chain[1:-1]}
    routes = {}
    for link, chain in chains.items():
        x, y = places[link[0]]
        points = [(x + sizes[link[0]][0] / 2, y)]
        for stop in chain[1:-1]:
            left = lefts[column[stop]]
            points += [(left, heights[stop]), (left + widths[column[stop]], heights[stop])]
        x, y = places[link[1]]
        points.append((x - sizes[link[1]][0] / 2, y + _port(link, arriving[link[1]], sizes[link[1]][1])))
        routes[link] = tuple(points)
    return routes


def _port(link: Link, arriving: Iterable[Link], height: float) -> float:
    together = list(arriving)
    pitch = min(PORTS, height / (len(together) + 1))
    return (together.index(link) - (len(together) - 1) / 2) * pitch
