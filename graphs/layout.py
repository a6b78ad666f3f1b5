"""Where every node of a computation graph is drawn, and along which line every edge runs.

The picture is layered: each operation stands in a column to the right of everything it reads. The longest
way to the loss is the spine, one straight line at height zero. The leaves that a single operation reads hang
on that operation and move with it as one block. Every other edge runs along a track: it crosses a column as a
horizontal line (a bend, placed like a node without height) and changes height only in the free channel
between two columns, or right above or below a node that it leaves or enters there. So no edge can run into a
node.

fast-sugiyama decides who stands above whom. Columns and coordinates are decided here, because boxes of
different sizes, hanging leaves and a straight spine are more than it offers.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from math import hypot, inf
from statistics import fmean, median_low

import fast_sugiyama  # given integers only: text hashes differently in every process
import networkx as nx

Point = tuple[float, float]
Size = tuple[float, float]
Item = str | tuple[int, int]  # a node, or the bend of track number i in column c
Columns = list[list[Item]]
Run = tuple[int, float]  # a horizontal stretch of an edge: the last column it crosses, its height

ABOVE, LEVEL, BELOW = -1, 0, 1

SPINE_GAP = 126.0  # between neighbours on the spine: an equation stands on that edge
LONG_SPINE_GAP = 84.0  # the same in a narrow picture, and of many columns, else it would be too small to read
MANY_COLUMNS = 7
LEAF_DROP = 70.0  # between an operation and the leaves that hang on it
LEAF_GAP = 24.0
NODE_GAP = 40.0  # between two blocks in one column
BEND_GAP = 24.0  # between a block and an edge that passes it: its gradient runs beside it
PORT_GAP = 22.0  # between two edges, in a column and at the border of a node
GAPS = (PORT_GAP, BEND_GAP, NODE_GAP)  # between two items of which so many are nodes
PITCH = 14.0  # between parallel edges
CORNER = 12.0  # of a border, kept free at either end
STUB = 14.0  # of an edge, kept horizontal before a column, so that arrow heads lie flat
CHANNEL = 52.0  # least width in which edges change their height
FEW_LEAVES = 3  # that hang below; of more than these, half go above
LARGE = 1500  # nodes and bends, beyond which long edges take lanes above the picture
SWEEPS = 8
FINAL_SWEEPS = 3


@dataclass(frozen=True)
class Layout:
    """The finished drawing, in scene coordinates: x to the right, y downwards.

    Parameters
    ----------
    positions : mapping of str to (x, y)
        The centre of every node.
    routes : mapping of (source, target, slot) to a sequence of (x, y)
        The corners of every edge, from the border of its source to the border of its target.
    bounds : (x, y, width, height)
        The smallest rectangle around all nodes and routes.
    """

    positions: Mapping[str, Point]
    routes: Mapping[tuple[str, str, int], tuple[Point, ...]]
    bounds: tuple[float, float, float, float]


def layout(graph: nx.MultiDiGraph, sizes: Mapping[str, Size], *, is_narrow: bool = False) -> Layout:
    """Place the nodes of a computation graph in layers from left to right and route its edges.

    Parameters
    ----------
    graph : networkx.MultiDiGraph
        Acyclic; edges are keyed by the input slot of their target. Nodes have the attributes `kind` ("input",
        "parameter", "line" or "op") and `order` (topological); the graph's attribute "loss" names its loss.
    sizes : mapping of str to (width, height)
        The size at which each node is drawn.
    is_narrow : bool
        Whether neighbours stand close, for a picture that is looked at small.

    Returns
    -------
    Layout
        The same for equal graphs, in every process and whatever the order in which nodes were added.

    Raises
    ------
    networkx.NetworkXUnfeasible
        If the graph has a cycle.

    Examples
    --------
    >>> graph = nx.MultiDiGraph(loss="L")
    >>> graph.add_node("x", kind="input", order=0)
    >>> graph.add_node("L", kind="line", order=1)
    >>> _ = graph.add_edge("x", "L", 0)
    >>> drawing = layout(graph, {"x": (80, 60), "L": (80, 60)})
    >>> drawing.routes["x", "L", 0]
    ((40.0, 0.0), (166.0, 0.0))
    """
    plan = _plan(graph, sizes)
    if len(plan.column) + sum(track.stop - track.start - 1 for track in plan.tracks) > LARGE:
        plan, heights, runs = _in_lanes(plan)
    else:
        plan, heights, runs = _in_layers(plan)
    ports = _ports(plan, heights, runs)
    levels = [_levels(track, i, heights, runs[i], ports) for i, track in enumerate(plan.tracks)]
    xs, channels = _across(plan, levels, is_narrow)
    positions = {node: (xs[node], heights[node]) for node in plan.column}
    routes: dict[tuple[str, str, int], tuple[Point, ...]] = {}
    for i, track in enumerate(plan.tracks):
        line = _polyline(plan, i, positions, levels[i], ports, channels)
        routes |= _parallel(track, line)
    _hang_leaves(plan, positions, routes)
    _park_unused(plan, positions, _bounds(sizes, positions, routes.values()))
    return Layout(positions, routes, _bounds(sizes, positions, routes.values()))


# What hangs on what, and in which column it stands.


@dataclass(frozen=True)
class _Bundle:
    """All edges from one node to another; a square has two."""

    source: str
    target: str
    slots: tuple[int, ...]


@dataclass(frozen=True)
class _Block:
    """A node with the leaves that hang on it; `half`, `up` and `down` reach from its centre to its edges."""

    width: float
    height: float
    below: tuple[_Bundle, ...] = ()
    above: tuple[_Bundle, ...] = ()
    half: float = 0.0
    up: float = 0.0
    down: float = 0.0


@dataclass(frozen=True)
class _Track:
    """The way of one bundle through the columns from `start` to `stop`.

    `leave` and `enter` say at which border it ends: LEVEL for the sides that face the flow. `trunk` is shared
    by the tracks of one source that run together.
    """

    bundle: _Bundle
    start: int
    stop: int
    pitch: float
    trunk: tuple[str, str]
    leave: int = LEVEL
    enter: int = LEVEL

    @property
    def thickness(self) -> float:
        return self.pitch * (len(self.bundle.slots) - 1)

    @property
    def first(self) -> int:
        return self.start if self.leave else self.start + 1

    @property
    def last(self) -> int:
        return self.stop if self.enter else self.stop - 1

    def bends(self, number: int) -> list[Item]:
        return [(number, column) for column in range(self.first, self.last + 1)]

    def items(self, number: int) -> list[Item]:
        return [self.bundle.source, *self.bends(number), self.bundle.target]


@dataclass(frozen=True)
class _Plan:
    """What is decided before any coordinate; `spine` maps each column to the item of the spine in it."""

    sizes: Mapping[str, Size]
    blocks: Mapping[str, _Block]
    column: Mapping[str, int]
    tracks: tuple[_Track, ...]
    spine: Mapping[int, Item]
    loss: str | None
    hanging: Mapping[str, tuple[_Bundle, ...]]
    unused: tuple[str, ...]


def _plan(graph: nx.MultiDiGraph, sizes: Mapping[str, Size]) -> _Plan:
    ranked = _ranked(graph)
    bundles = _bundles(graph, ranked)
    ops = [node for node in ranked if _is_op(graph, node)]
    reads = _grouped((bundle.target, bundle) for bundle in bundles)
    uses = _grouped((bundle.source, bundle) for bundle in bundles)
    loss = graph.graph.get("loss", ops[-1] if ops else None)
    column = _op_columns(graph, ops, reads, uses, loss)
    hosts = _hosts(graph, ranked, reads, uses, column)
    for leaf in ranked:
        if not _is_op(graph, leaf) and leaf not in hosts and leaf in uses:
            column[leaf] = min(column[bundle.target] for bundle in uses[leaf]) - 1
    used = {place: i for i, place in enumerate(sorted(set(column.values())))}
    column = {node: used[column[node]] for node in ranked if node in column}
    hanging = {op: tuple(b for b in reads.get(op, ()) if b.source in hosts) for op in ops}
    tracks = tuple(_track(bundle, column, sizes) for bundle in bundles if bundle.source in column)
    return _Plan(
        sizes=sizes,
        blocks={node: _block(node, hanging.get(node, ()), sizes) for node in column},
        column=column,
        tracks=tracks,
        spine=_spine(graph, tracks, column, loss),
        loss=loss,
        hanging=hanging,
        unused=tuple(node for node in ranked if node not in column and node not in hosts),
    )


def _is_op(graph: nx.MultiDiGraph, node: str) -> bool:
    return graph.nodes[node]["kind"] in ("op", "line")


def _ranked(graph: nx.MultiDiGraph) -> list[str]:
    """List the nodes in topological order, ties broken so that it never depends on the order of insertion."""
    return list(
        nx.lexicographical_topological_sort(graph, key=lambda node: (graph.nodes[node]["order"], node))
    )


def _bundles(graph: nx.MultiDiGraph, ranked: Sequence[str]) -> list[_Bundle]:
    """List the bundles by target, and for one target by its input slots."""
    bundles = []
    for target in ranked:
        slots: dict[str, list[int]] = defaultdict(list)
        for slot, source in sorted((slot, source) for source, _, slot in graph.in_edges(target, keys=True)):
            slots[source].append(slot)
        bundles += [_Bundle(source, target, tuple(found)) for source, found in slots.items()]
    return bundles


def _grouped(pairs: Iterable[tuple[str, _Bundle]]) -> dict[str, list[_Bundle]]:
    groups: dict[str, list[_Bundle]] = defaultdict(list)
    for node, bundle in pairs:
        groups[node].append(bundle)
    return dict(groups)


def _op_columns(
    graph: nx.MultiDiGraph,
    ops: Sequence[str],
    reads: Mapping[str, list[_Bundle]],
    uses: Mapping[str, list[_Bundle]],
    loss: str | None,
) -> dict[str, int]:
    """Give every operation a column: right of all that it reads, the loss in the last one."""
    before = {op: [b.source for b in reads.get(op, ()) if _is_op(graph, b.source)] for op in ops}
    column = _earliest(ops, before)
    if loss not in column:
        return column
    # What is computed from the loss itself cannot stand left of it; everything else does.
    free = set(ops) - nx.descendants(graph, loss)
    column = _earliest(ops, before, {loss: max(column[op] for op in free)})
    for op in reversed(ops):
        after = [bundle.target for bundle in uses.get(op, ())]
        layered = [b for b in reads.get(op, ()) if _is_op(graph, b.source) or len(uses[b.source]) > 1]
        if op != loss and len(after) > len(layered):
            column[op] = min(column[target] for target in after) - 1
    behind = max(column[op] for op in free) - column[loss]
    own = nx.node_connected_component(graph.to_undirected(as_view=True), loss)
    return {op: place + behind * (op in own) for op, place in column.items()}


def _earliest(
    ops: Sequence[str], before: Mapping[str, Sequence[str]], least: Mapping[str, int] | None = None
) -> dict[str, int]:
    column: dict[str, int] = {}
    for op in ops:
        reached = [column[source] + 1 for source in before[op]]
        column[op] = max(reached, default=0)
        if least and op in least:
            column[op] = max(column[op], least[op])
    return column


def _hosts(
    graph: nx.MultiDiGraph,
    ranked: Sequence[str],
    reads: Mapping[str, list[_Bundle]],
    uses: Mapping[str, list[_Bundle]],
    column: Mapping[str, int],
) -> dict[str, str]:
    """Find the operation on which each leaf hangs.

    The first data input of a leftmost operation does not hang: it stands at the left end of the line.
    """
    readers = {leaf: uses[leaf] for leaf in ranked if not _is_op(graph, leaf) and leaf in uses}
    hosts = {leaf: found[0].target for leaf, found in readers.items() if len(found) == 1}
    for op in _leftmost(graph, column):
        sources = [bundle.source for bundle in reads.get(op, ())]
        in_line = (leaf for leaf in sources if leaf in hosts and graph.nodes[leaf]["kind"] == "input")
        if not any(_is_op(graph, source) for source in sources):
            hosts.pop(next(in_line, ""), None)
    return hosts


def _leftmost(graph: nx.MultiDiGraph, column: Mapping[str, int]) -> Iterator[str]:
    """Yield the operations in the first column of each connected part."""
    for part in nx.weakly_connected_components(graph):
        ops = [node for node in part if node in column]
        first = min((column[op] for op in ops), default=0)
        yield from (op for op in ops if column[op] == first)


def _block(node: str, hanging: Sequence[_Bundle], sizes: Mapping[str, Size]) -> _Block:
    """Measure a node with its leaves: in one row below it, or in two rows if they are many."""
    width, height = sizes[node]
    cut = len(hanging) if len(hanging) <= FEW_LEAVES else (len(hanging) + 1) // 2
    below, above = tuple(hanging[:cut]), tuple(hanging[cut:])
    reach = [_drop(row, sizes) + max((sizes[b.source][1] for b in row), default=0) for row in (below, above)]
    return _Block(
        width=width,
        height=height,
        below=below,
        above=above,
        half=max(width, _row_width(below, sizes), _row_width(above, sizes)) / 2,
        up=height / 2 + reach[1],
        down=height / 2 + reach[0],
    )


def _row_width(row: Sequence[_Bundle], sizes: Mapping[str, Size]) -> float:
    return sum(sizes[bundle.source][0] for bundle in row) + LEAF_GAP * max(0, len(row) - 1)


def _drop(row: Sequence[_Bundle], sizes: Mapping[str, Size]) -> float:
    """Return the distance of a row of leaves from their operation.

    Wide rows hang lower, so that no edge grazes a leaf; with parallel edges yet lower, to keep these apart.
    """
    if not row:
        return 0.0
    slope = 0.4 if any(len(bundle.slots) > 1 for bundle in row) else 0.15
    return max(LEAF_DROP, slope * _row_width(row, sizes))


def _track(bundle: _Bundle, column: Mapping[str, int], sizes: Mapping[str, Size]) -> _Track:
    room = min(*sizes[bundle.source], *sizes[bundle.target]) - 2 * CORNER
    pitch = min(PITCH, room / max(1, len(bundle.slots) - 1))
    start, stop = column[bundle.source], column[bundle.target]
    return _Track(bundle, start, stop, pitch, trunk=(bundle.source, bundle.target))


def _spine(
    graph: nx.MultiDiGraph, tracks: Sequence[_Track], column: Mapping[str, int], loss: str | None
) -> dict[int, Item]:
    """Walk back from the loss along the longest way; where ways are equally long, along the first operand."""
    entering: dict[str, list[int]] = defaultdict(list)
    # Data outranks shared parameters: the line starts with what flows through the network.
    length = {node: {"parameter": 0, "input": 1}.get(graph.nodes[node]["kind"], 2) for node in graph}
    for number, track in enumerate(tracks):
        source, target = track.bundle.source, track.bundle.target
        entering[target].append(number)
        length[target] = max(length[target], length[source] + 2)
    spine: dict[int, Item] = {}
    node = loss if loss in column else None
    while node is not None:
        spine[column[node]] = node
        ways = entering[node]
        node = None
        if ways:
            number = max(ways, key=lambda i: length[tracks[i].bundle.source])
            spine |= enumerate(tracks[number].bends(number), tracks[number].first)
            node = tracks[number].bundle.source
    return spine


# Heights, when every bend gets a place of its own.


def _in_layers(plan: _Plan) -> tuple[_Plan, dict[Item, float], list[list[Run]]]:
    """Order every column with few crossings, then find heights that keep the edges straight."""
    columns = _ordered(plan)
    for group in _liftable(plan):
        columns = _lifted(plan, columns, group)
    plan, columns = _turned(plan, columns)
    heights = _heights(plan, _stacks(plan, columns))
    runs: list[list[Run]] = []
    for number, track in enumerate(plan.tracks):
        runs.append([(track.first + i, heights[bend]) for i, bend in enumerate(track.bends(number))])
    return plan, heights, runs


def _ordered(plan: _Plan) -> Columns:
    """Stack the items of every column: first the part with the spine, below it parts not joined to it."""
    items: list[Item] = list(plan.column)
    items += [bend for i, track in enumerate(plan.tracks) for bend in track.bends(i)]
    number = {item: i for i, item in enumerate(items)}
    links = [(number[a], number[b]) for a, b in _links(plan)]
    found = fast_sugiyama.from_edges(links, vertex_spacing=1).to_list() if links else []
    parts = [{int(i): float(at[0]) for i, at in part[0]} for part in found]
    alone = set(range(len(items))).difference(*parts)
    parts = sorted([*parts, *({i: 0.0} for i in alone)], key=min)
    spine = {number[item] for item in plan.spine.values()}
    columns: Columns = [[] for _ in range(1 + max(plan.column.values(), default=-1))]
    for part in sorted(parts, key=spine.isdisjoint):
        order = [items[i] for i in sorted(part, key=lambda i: (part[i], i))]
        for item in order if spine.isdisjoint(part) else _upright(plan, order):
            columns[_column(plan, item)].append(item)
    return columns


def _links(plan: _Plan) -> Iterator[tuple[Item, Item]]:
    for number, track in enumerate(plan.tracks):
        yield from pairwise(track.items(number))


def _column(plan: _Plan, item: Item) -> int:
    return plan.column[item] if isinstance(item, str) else item[1]


def _on_spine(plan: _Plan, item: Item) -> bool:
    return plan.spine.get(_column(plan, item)) == item


def _upright(plan: _Plan, order: Sequence[Item]) -> Sequence[Item]:
    """Turn the picture so that edges pass above the spine: below it hang the leaves."""
    balance = [0, 0]
    passed: set[int] = set()
    for item in order:
        if _on_spine(plan, item):
            passed.add(_column(plan, item))
        elif _column(plan, item) in plan.spine:
            is_op = isinstance(item, str) and item in plan.hanging
            balance[is_op] += 1 if _column(plan, item) in passed else -1
    return order if (balance[0], -balance[1]) <= (0, 0) else order[::-1]


def _liftable(plan: _Plan) -> list[list[Item]]:
    """List what may move above the spine: edges that end on it, and shared leaves with all their edges."""
    groups: dict[str | int, list[Item]] = {}
    for number, track in enumerate(plan.tracks):
        source, target = track.bundle.source, track.bundle.target
        leaf = source not in plan.hanging and not _on_spine(plan, source)
        if _on_spine(plan, target) and (leaf or _on_spine(plan, source)):
            group = groups.setdefault(source if leaf else number, [source] if leaf else [])
            group += [bend for bend in track.bends(number) if not _on_spine(plan, bend)]
    # The longest is lifted first: shorter ones then come to lie between it and the spine.
    return sorted(groups.values(), key=len, reverse=True)


def _lifted(plan: _Plan, columns: Columns, group: Sequence[Item]) -> Columns:
    """Move a group to just above the spine, unless it lies above already or more edges would cross."""
    raised = list(columns)
    for c in sorted({_column(plan, item) for item in group} & set(plan.spine)):
        place = columns[c].index(plan.spine[c])
        low = [item for item in columns[c][place:] if item in group]
        rest = [item for item in columns[c] if item not in low]
        raised[c] = [*rest[:place], *low, *rest[place:]]
    if raised == columns or _crossings(plan, raised) > _crossings(plan, columns):
        return columns
    return raised


def _crossings(plan: _Plan, columns: Columns) -> int:
    place = {item: i for column in columns for i, item in enumerate(column)}
    between: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for a, b in _links(plan):
        between[_column(plan, a)].append((place[a], place[b]))
    count = 0
    for links in between.values():
        passed: list[int] = []
        for _, right in sorted(links):
            count += len(passed) - bisect_right(passed, right)
            insort(passed, right)
    return count


def _turned(plan: _Plan, columns: Columns) -> tuple[_Plan, Columns]:
    """Let edges leave and enter the spine at the top or bottom of its nodes, where nothing is in the way."""
    columns = [list(column) for column in columns]
    tracks = list(plan.tracks)
    for number, track in enumerate(tracks):
        inner = track.bends(number)
        ends = (
            ("leave", track.bundle.source, inner[:1] or [track.bundle.target], track.start),
            ("enter", track.bundle.target, inner[-1:] or [track.bundle.source], track.stop),
        )
        for end, node, (neighbour,), column in ends:
            side = _free_side(plan, columns, node, neighbour)
            if side:
                tracks[number] = replace(tracks[number], **{end: side})
                _insert_turn(plan, columns, (number, column), node, neighbour, side)
    return replace(plan, tracks=tuple(tracks)), columns


def _free_side(plan: _Plan, columns: Columns, node: str, neighbour: Item) -> int:
    """Say at which border of a spine node an edge can turn to its neighbouring item, or LEVEL."""
    c = _column(plan, neighbour)
    if not _on_spine(plan, node) or _on_spine(plan, neighbour) or c not in plan.spine:
        return LEVEL
    side = BELOW if neighbour in _outwards(columns[c], plan.spine[c], BELOW) else ABOVE
    block = plan.blocks[node]
    hung = block.above if side == ABOVE else block.below
    beyond = _outwards(columns[plan.column[node]], node, side)
    return LEVEL if hung or any(isinstance(item, str) for item in beyond) else side


def _outwards(column: Sequence[Item], item: Item, side: int) -> Sequence[Item]:
    place = column.index(item)
    return column[:place][::-1] if side == ABOVE else column[place + 1 :]


def _insert_turn(
    plan: _Plan, columns: Columns, turn: tuple[int, int], node: str, neighbour: Item, side: int
) -> None:
    """Put the bend above a node among the edges that pass there, so that it crosses few of them."""
    c = _column(plan, neighbour)
    rank = {item: i for i, item in enumerate(_outwards(columns[c], plan.spine[c], side))}
    column = columns[turn[1]]
    passed = 0
    for item in _outwards(column, node, side):
        met = rank.get(_continued(plan, item, c))
        # Of an edge that comes in and one that goes out, the longer one has more to pass over.
        if _span(plan, item) > _span(plan, turn) if met is None else met >= rank[neighbour]:
            break
        passed += 1
    place = column.index(node)
    column.insert(place - passed if side == ABOVE else place + 1 + passed, turn)


def _span(plan: _Plan, bend: Item) -> int:
    return 0 if isinstance(bend, str) else plan.tracks[bend[0]].stop - plan.tracks[bend[0]].start


def _continued(plan: _Plan, item: Item, column: int) -> Item:
    """Return what an edge that bends at `item` has in a column beside it."""
    if isinstance(item, str):
        return item
    track = plan.tracks[item[0]]
    ends = {track.start: track.bundle.source, track.stop: track.bundle.target}
    return ends.get(column, (item[0], column))


@dataclass(frozen=True)
class _Stacks:
    """The columns, and what each item keeps to: its distance to the next in its column, and its line.

    `lines` are paths that should each become one straight line; `ports` say how far from the middle of its
    node a track would best end, and `ends` lists the tracks that end at the sides of a node.
    """

    columns: Columns
    gaps: list[list[float]]
    above: Mapping[Item, tuple[Item, float]]
    below: Mapping[Item, tuple[Item, float]]
    lines: list[list[Item]]
    ports: Mapping[tuple[int, str], float]
    ends: Mapping[Item, list[tuple[int, str]]]


def _stacks(plan: _Plan, columns: Columns) -> _Stacks:
    gaps = [_gaps(plan, column) for column in columns]
    steps = [
        (a, b, gap)
        for column, row in zip(columns, gaps, strict=True)
        for (a, b), gap in zip(pairwise(column), row, strict=True)
    ]
    ahead = _ahead(plan)
    return _Stacks(
        columns=columns,
        gaps=gaps,
        above={b: (a, gap) for a, b, gap in steps},
        below={a: (b, gap) for a, b, gap in steps},
        lines=_lines(columns, ahead),
        ports=_best_ports(plan, columns, ahead),
        ends=_ends(plan),
    )


def _heights(plan: _Plan, stacks: _Stacks) -> dict[Item, float]:
    """Find a height for every item: the spine at zero, the others near their neighbours, edges straight."""
    pulls: list[dict[Item, list[Item]]] = [defaultdict(list), defaultdict(list)]
    for a, b in _links(plan):
        pulls[0][b].append(a)
        pulls[1][a].append(b)
    heights: dict[Item, float] = {item: 0.0 for column in stacks.columns for item in column}
    count = len(stacks.columns)
    for _ in range(SWEEPS):
        for c in range(count):
            _pull(plan, stacks, c, pulls[0], heights)
        for c in reversed(range(count)):
            _pull(plan, stacks, c, pulls[1], heights)
        _straighten(plan, stacks, stacks.lines, heights)
    for _ in range(FINAL_SWEEPS):
        # The outermost gives way first; so there is room for the next.
        outer = sorted(stacks.lines, key=lambda line: -max(abs(heights[item]) for item in line))
        _straighten(plan, stacks, outer, heights)
    return heights


def _pull(
    plan: _Plan, stacks: _Stacks, c: int, pull: Mapping[Item, list[Item]], heights: dict[Item, float]
) -> None:
    """Move the items of a column as near as possible to their neighbours on one side."""
    column = stacks.columns[c]
    wanted = [fmean(heights[other] for other in pull.get(item) or [item]) for item in column]
    fixed = column.index(plan.spine[c]) if c in plan.spine else None
    if fixed is not None:
        wanted[fixed] = 0.0
    heights |= zip(column, _settled(wanted, stacks.gaps[c], fixed), strict=True)


def _gaps(plan: _Plan, column: Sequence[Item]) -> list[float]:
    """Return the least distances between the centres of the items of a column."""
    turns = Counter(_turn(plan, item) for item in column)
    gaps = []
    for a, b in pairwise(column):
        first, second = _turn(plan, a), _turn(plan, b)
        if first and second and first != second and turns[first] == turns[second] == 1:
            gaps.append(0.0)  # one edge comes in from the left, the other goes out to the right
        else:
            gap = GAPS[isinstance(a, str) + isinstance(b, str)]
            gaps.append(_reach(plan, a)[1] + gap + _reach(plan, b)[0])
    return gaps


def _turn(plan: _Plan, item: Item) -> tuple[str, str] | None:
    """Say at which node a bend turns, and whether it leaves or enters there."""
    if isinstance(item, str):
        return None
    track = plan.tracks[item[0]]
    if item[1] == track.start:
        return track.bundle.source, "leave"
    return (track.bundle.target, "enter") if item[1] == track.stop else None


def _reach(plan: _Plan, item: Item) -> tuple[float, float]:
    """Return how far an item extends above and below its height."""
    if isinstance(item, str):
        return plan.blocks[item].up, plan.blocks[item].down
    half = plan.tracks[item[0]].thickness / 2
    return half, half


def _settled(wanted: Sequence[float], gaps: Sequence[float], fixed: int | None = None) -> list[float]:
    """Return the places nearest to those wanted that keep the gaps; the fixed one gets what it wants."""
    offsets = [0.0, *accumulate(gaps)]
    slack = [place - offset for place, offset in zip(wanted, offsets, strict=True)]
    if fixed is None:
        slack = _monotonic(slack)
    else:
        middle = slack[fixed]
        before = [min(place, middle) for place in _monotonic(slack[:fixed])]
        slack = [*before, middle, *(max(place, middle) for place in _monotonic(slack[fixed + 1 :]))]
    return [place + offset for place, offset in zip(slack, offsets, strict=True)]


def _monotonic(values: Sequence[float]) -> list[float]:
    """Return the non-decreasing values nearest to the given ones: neighbours that clash are pooled."""
    pools: list[tuple[float, int]] = []
    for value in values:
        pool = (value, 1)
        while pools and pools[-1][0] / pools[-1][1] > pool[0] / pool[1]:
            total, count = pools.pop()
            pool = (total + pool[0], count + pool[1])
        pools.append(pool)
    return [total / count for total, count in pools for _ in range(count)]


def _ahead(plan: _Plan) -> dict[Item, Item]:
    """Choose for each item at most one to its right that should have its height; none is chosen twice."""
    ahead = dict(pairwise(plan.spine[c] for c in sorted(plan.spine)))
    taken = set(ahead.values())
    ends = Counter(end for track in plan.tracks for end in _level_ends(track))
    for a, b in sorted(_links(plan), key=lambda link: sum(isinstance(item, str) for item in link)):
        # Where a node has several edges, those that pass a column share its border evenly.
        lone = isinstance(a, str) == isinstance(b, str) or ends[a, "leave"] + ends[b, "enter"] == 1
        if lone and a not in ahead and b not in taken and _column(plan, a) < _column(plan, b):
            ahead[a] = b
            taken.add(b)
    return ahead


def _ends(plan: _Plan) -> dict[Item, list[tuple[int, str]]]:
    ends: dict[Item, list[tuple[int, str]]] = defaultdict(list)
    for number, track in enumerate(plan.tracks):
        for node, end in _level_ends(track):
            ends[node].append((number, end))
    return ends


def _level_ends(track: _Track) -> list[tuple[Item, str]]:
    ends: list[tuple[Item, str]] = []
    if track.leave == LEVEL:
        ends.append((track.bundle.source, "leave"))
    if track.enter == LEVEL:
        ends.append((track.bundle.target, "enter"))
    return ends


def _lines(columns: Columns, ahead: Mapping[Item, Item]) -> list[list[Item]]:
    """Follow the chosen neighbours from left to right; the longest line comes first."""
    taken = set(ahead.values())
    lines = [[item] for column in columns for item in column if item not in taken]
    for line in lines:
        while line[-1] in ahead:
            line.append(ahead[line[-1]])
    return sorted(lines, key=len, reverse=True)


def _best_ports(plan: _Plan, columns: Columns, ahead: Mapping[Item, Item]) -> dict[tuple[int, str], float]:
    """Space the edges evenly at each side of each node; the one that runs straight on keeps the middle."""
    place = {item: i for column in columns for i, item in enumerate(column)}
    borders: dict[tuple[Item, str], list[tuple[int, int, bool]]] = defaultdict(list)
    for number, track in enumerate(plan.tracks):
        items = track.items(number)
        for node, end in _level_ends(track):
            near, far = (items[1], items[0]) if end == "leave" else (items[-2], items[-1])
            straight = ahead.get(far) == near or ahead.get(near) == far
            borders[node, end].append((place[near], number, straight))
    ports = {}
    for (_, end), found in borders.items():
        middle = next((i for i, (*_, straight) in enumerate(sorted(found)) if straight), (len(found) - 1) / 2)
        ports |= {(number, end): (i - middle) * PORT_GAP for i, (_, number, _) in enumerate(sorted(found))}
    return ports


def _straighten(
    plan: _Plan, stacks: _Stacks, lines: Iterable[Sequence[Item]], heights: dict[Item, float]
) -> None:
    """Put as much of each line as its neighbours allow on one height."""
    for line in lines:
        stretch: list[Item] = []
        low, high = -inf, inf
        for item in line:
            least, most = _leeway(plan, stacks, item, heights)
            if stretch and max(low, least) > min(high, most):
                _level_out(plan, stacks, stretch, low, high, heights)
                stretch, low, high = [], -inf, inf
            stretch.append(item)
            low, high = max(low, least), min(high, most)
        _level_out(plan, stacks, stretch, low, high, heights)


def _leeway(plan: _Plan, stacks: _Stacks, item: Item, heights: Mapping[Item, float]) -> tuple[float, float]:
    """Return between which heights an item can move while the others of its column stay."""
    if _on_spine(plan, item):
        return 0.0, 0.0
    low, high = -inf, inf
    if item in stacks.above:
        other, gap = stacks.above[item]
        low = heights[other] + gap
    if item in stacks.below:
        other, gap = stacks.below[item]
        high = heights[other] - gap
    return low, max(low, high)  # rounding may have turned them round


def _level_out(
    plan: _Plan, stacks: _Stacks, stretch: Sequence[Item], low: float, high: float, heights: dict[Item, float]
) -> None:
    """Give a stretch one height: if possible, one at which edges run straight into the nodes at its ends."""
    level = min(max(fmean(heights[item] for item in stretch), low), high)
    if len(stretch) == 1 and isinstance(stretch[0], str):
        aims = _aims_of_node(plan, stacks, stretch[0], heights)
    else:
        aims = _aims_of_edge(plan, stacks, stretch, heights)
    level = next((aim for aim in aims if low <= aim <= high), level)
    heights |= dict.fromkeys(stretch, level)


def _aims_of_edge(
    plan: _Plan, stacks: _Stacks, stretch: Sequence[Item], heights: Mapping[Item, float]
) -> Iterator[float]:
    """Yield the heights at which the edge that bends here would leave and enter its nodes."""
    first, last = stretch[0], stretch[-1]
    if isinstance(first, str) or isinstance(last, str):
        return
    track = plan.tracks[first[0]]
    if first[1] == track.first and track.leave == LEVEL:
        yield heights[track.bundle.source] + stacks.ports[first[0], "leave"]
    if last[1] == track.last and track.enter == LEVEL:
        yield heights[track.bundle.target] + stacks.ports[first[0], "enter"]


def _aims_of_node(plan: _Plan, stacks: _Stacks, node: str, heights: Mapping[Item, float]) -> Iterator[float]:
    """Yield the height at which most of the edges that pass columns beside a node meet it straight."""
    aims = []
    for number, end in stacks.ends.get(node, ()):
        beside = plan.tracks[number].items(number)[1 if end == "leave" else -2]
        if not isinstance(beside, str):
            aims.append(heights[beside] - stacks.ports[number, end])
    if aims:
        yield median_low(aims)


# Heights of large graphs, in linear time.


def _in_lanes(plan: _Plan) -> tuple[_Plan, dict[Item, float], list[list[Run]]]:
    """Stack every column below the spine; edges that pass a column take a lane above the whole picture."""
    columns: Columns = [[] for _ in range(1 + max(plan.column.values()))]
    for node in sorted(plan.column, key=lambda node: not _on_spine(plan, node)):
        columns[plan.column[node]].append(node)
    heights: dict[Item, float] = {}
    for column in columns:
        heights |= zip(column, accumulate(_gaps(plan, column), initial=0.0), strict=True)
    tops = {column[0] for column in columns if column and not plan.blocks[str(column[0])].above}
    plan = replace(plan, tracks=tuple(_over(track, tops) for track in plan.tracks))
    roof = min(heights[node] - plan.blocks[node].up for node in plan.column)
    lanes = _lanes([track for track in plan.tracks if track.first <= track.last], roof)
    runs = [[(t.last, lanes[t.trunk])] if t.first <= t.last else [] for t in plan.tracks]
    return plan, heights, runs


def _over(track: _Track, tops: set[Item]) -> _Track:
    """Let a long edge leave and enter at a free top; the long edges of one source share a trunk."""
    if track.stop - track.start == 1:
        return track
    leave = ABOVE if track.bundle.source in tops else LEVEL
    enter = ABOVE if track.bundle.target in tops else LEVEL
    return replace(track, leave=leave, enter=enter, trunk=(track.bundle.source, ""))


def _lanes(tracks: Sequence[_Track], roof: float) -> dict[tuple[str, str], float]:
    """Give every trunk the lowest lane that is free along its whole length."""
    trunks: dict[tuple[str, str], tuple[int, int]] = {}
    for track in tracks:
        first, last = trunks.get(track.trunk, (track.first, track.last))
        trunks[track.trunk] = min(first, track.first), max(last, track.last)
    pitch = BEND_GAP + max((track.thickness for track in tracks), default=0.0)
    busy: list[tuple[int, int]] = []
    free: list[int] = []
    lanes: dict[tuple[str, str], float] = {}
    for trunk, (first, last) in sorted(trunks.items(), key=lambda entry: (entry[1], entry[0])):
        while busy and busy[0][0] < first:
            heapq.heappush(free, heapq.heappop(busy)[1])
        lane = heapq.heappop(free) if free else len(busy)
        heapq.heappush(busy, (last, lane))
        lanes[trunk] = roof - (lane + 1) * pitch
    return lanes


# Ports: where on the border of a node its edges end.

Ports = dict[tuple[int, str], float]  # the number of a track and "leave" or "enter" -> from the middle


def _ports(plan: _Plan, heights: Mapping[Item, float], runs: Sequence[Sequence[Run]]) -> Ports:
    """Return the distance from the middle of the border at which each track leaves and enters."""
    borders: dict[tuple[str, int, str], list[tuple[int, str]]] = defaultdict(list)
    for number, track in enumerate(plan.tracks):
        # Above and below a node, what enters and what leaves share one border.
        borders[track.bundle.source, track.leave, "" if track.leave else "leave"].append((number, "leave"))
        borders[track.bundle.target, track.enter, "" if track.enter else "enter"].append((number, "enter"))
    ports: Ports = {}
    for (node, side, _), ends in borders.items():
        aims = {end: _aim(plan, heights, runs, *end) for end in _trunks(plan, ends)}
        spread = _turned_ports(plan, node, aims) if side else _side_ports(plan, node, aims)
        trunks = {(plan.tracks[number].trunk, end): place for (number, end), place in spread.items()}
        ports |= {(number, end): trunks[plan.tracks[number].trunk, end] for number, end in ends}
    return ports


def _trunks(plan: _Plan, ends: Iterable[tuple[int, str]]) -> Iterable[tuple[int, str]]:
    """Keep one end of each trunk, that of its thickest track: its tracks share a port."""
    order = sorted(ends, key=lambda end: plan.tracks[end[0]].thickness)
    return {(plan.tracks[number].trunk, end): (number, end) for number, end in order}.values()


def _aim(
    plan: _Plan, heights: Mapping[Item, float], runs: Sequence[Sequence[Run]], number: int, end: str
) -> tuple[float, float]:
    """Return the height, seen from this end, at which a track comes, and how far that may be off."""
    bundle, run = plan.tracks[number].bundle, runs[number]
    node, other = (bundle.source, bundle.target) if end == "leave" else (bundle.target, bundle.source)
    if run:
        return run[0 if end == "leave" else -1][1] - heights[node], 0.0
    return heights[other] - heights[node], plan.blocks[other].height / 2 - CORNER


def _side_ports(plan: _Plan, node: str, aims: Mapping[tuple[int, str], tuple[float, float]]) -> Ports:
    """Spread edges at the left or right border in the order in which they come; a level one is central."""
    room = plan.blocks[node].height / 2 - CORNER
    ends = sorted(aims, key=lambda end: (aims[end][0], end))
    fixed = next((i for i, end in enumerate(ends) if abs(aims[end][0]) < 0.5), None)
    wanted = [_nearest(room, *aims[end]) for end in ends]
    return dict(zip(ends, _spread(plan, ends, wanted, room, fixed), strict=True))


def _nearest(room: float, aim: float, slack: float) -> float:
    """Return the place on a border from which an edge runs level, or nearly so, to where it is aimed."""
    low, high = max(-room, aim - slack), min(room, aim + slack)
    if abs(aim) < 0.5:
        return 0.0
    if low <= high:
        return (low + high) / 2
    return min(room, PORT_GAP) * (1 if aim > 0 else -1)


def _turned_ports(plan: _Plan, node: str, aims: Mapping[tuple[int, str], tuple[float, float]]) -> Ports:
    """Spread edges at the top or bottom border so that the turns of one side lie inside each other."""
    room = plan.blocks[node].width / 2 - CORNER
    inwards = sorted(aims, key=lambda end: (-abs(aims[end][0]), end))
    ends = [end for end in reversed(inwards) if end[1] == "enter"]
    ends += [end for end in inwards if end[1] == "leave"]
    return dict(zip(ends, _spread(plan, ends, [0.0] * len(ends), room, None), strict=True))


def _spread(
    plan: _Plan, ends: Sequence[tuple[int, str]], wanted: Sequence[float], room: float, fixed: int | None
) -> list[float]:
    """Keep edges apart on a border that reaches `room` to both sides of its middle."""
    thick = [plan.tracks[number].thickness for number, _ in ends]
    gaps = [PORT_GAP + (a + b) / 2 for a, b in pairwise(thick)]
    top, bottom = thick[0] / 2 - room, room - thick[-1] / 2
    if fixed is None:
        scale = _fit(sum(gaps), bottom - top)
    else:
        scale = min(_fit(sum(gaps[:fixed]), -top), _fit(sum(gaps[fixed:]), bottom))
    gaps = [gap * scale for gap in gaps]
    offsets = [0.0, *accumulate(gaps)]
    places = []
    for place, offset, width in zip(_settled(wanted, gaps, fixed), offsets, thick, strict=True):
        place = min(max(place, top + offset), bottom - offsets[-1] + offset)
        places.append(min(max(place, width / 2 - room), room - width / 2))
    return places


def _fit(needed: float, room: float) -> float:
    return min(1.0, room / needed) if needed else 1.0


# Coordinates of everything.


def _levels(
    track: _Track, number: int, heights: Mapping[Item, float], run: Sequence[Run], ports: Ports
) -> list[Run]:
    """List the heights at which an edge runs from left to right, each with the last column it reaches."""
    levels = list(run)
    if track.leave == LEVEL:
        levels.insert(0, (track.start, heights[track.bundle.source] + ports[number, "leave"]))
    if track.enter == LEVEL:
        levels.append((track.stop, heights[track.bundle.target] + ports[number, "enter"]))
    return levels


def _changes(levels: Iterable[Run]) -> Iterator[tuple[int, float, float]]:
    """Yield the channels in which an edge changes its height."""
    for (column, before), (_, after) in pairwise(levels):
        if abs(before - after) > 0.01:
            yield column, before, after


def _across(
    plan: _Plan, levels: Sequence[Sequence[Run]], is_narrow: bool
) -> tuple[dict[str, float], list[Point]]:
    """Return the x of every layered node, and for each channel where its slanted lines begin and end."""
    count = 1 + max(plan.column.values(), default=-1)
    box, full, stub = [0.0] * count, [0.0] * count, [0.0] * count
    for node, c in plan.column.items():
        box[c] = max(box[c], plan.blocks[node].width / 2)
        full[c] = max(full[c], plan.blocks[node].half)
    for track, found in zip(plan.tracks, levels, strict=True):
        for c, _, _ in _changes(found):
            stub[c] = max(stub[c], STUB + track.thickness / 2)
    middles = [0.0] * min(1, count)
    spine = LONG_SPINE_GAP if is_narrow or count >= MANY_COLUMNS else SPINE_GAP
    for c in range(count - 1):
        channel = CHANNEL + 2 * stub[c] if stub[c] else LEAF_GAP
        middles.append(middles[c] + max(box[c] + spine + box[c + 1], full[c] + channel + full[c + 1]))
    edges = [
        (middles[c] + full[c] + stub[c], middles[c + 1] - full[c + 1] - stub[c]) for c in range(count - 1)
    ]
    xs = {node: middles[c] for node, c in plan.column.items()}
    last = [node for node in xs if plan.column[node] == count - 1]
    if plan.loss in last:
        # Nothing reaches further to the right than the loss.
        reach = max((plan.blocks[node].half for node in last if node != plan.loss), default=0.0)
        xs[plan.loss] += max(0.0, reach - plan.blocks[plan.loss].width / 2)
    return xs, edges


def _polyline(
    plan: _Plan,
    number: int,
    positions: Mapping[str, Point],
    levels: Sequence[Run],
    ports: Ports,
    channels: Sequence[Point],
) -> list[Point]:
    """Join the levels of a track to one line between the borders of its nodes."""
    track = plan.tracks[number]
    line = _end(plan, positions, track.bundle.source, track.leave, 1, ports[number, "leave"], levels[0][1])
    for c, before, after in _changes(levels):
        line += [(channels[c][0], before), (channels[c][1], after)]
    end = _end(plan, positions, track.bundle.target, track.enter, -1, ports[number, "enter"], levels[-1][1])
    return [*line, *reversed(end)]


def _end(
    plan: _Plan,
    positions: Mapping[str, Point],
    node: str,
    side: int,
    facing: int,
    port: float,
    level: float,
) -> list[Point]:
    """Return where an edge touches a node, and where it turns if it does so above or below."""
    (x, y), block = positions[node], plan.blocks[node]
    if side == LEVEL:
        return [(x + facing * block.width / 2, y + port)]
    return [(x + port, y + side * block.height / 2), (x + port, level)]


def _parallel(track: _Track, line: Sequence[Point]) -> dict[tuple[str, str, int], tuple[Point, ...]]:
    """Draw each edge of a bundle at its own distance from the middle of the track."""
    bundle = track.bundle
    return {
        (bundle.source, bundle.target, slot): _shifted(line, i * track.pitch - track.thickness / 2)
        for i, slot in enumerate(bundle.slots)
    }


def _shifted(line: Sequence[Point], distance: float) -> tuple[Point, ...]:
    """Return the line that runs beside another at a distance."""
    if distance == 0.0:
        return tuple(line)
    normals = []
    for (x0, y0), (x1, y1) in pairwise(line):
        length = hypot(x1 - x0, y1 - y0)
        normals.append(((y0 - y1) / length, (x1 - x0) / length))
    shifted = []
    for (x, y), (ax, ay), (bx, by) in zip(line, normals[:1] + normals, normals + normals[-1:], strict=True):
        mitre = distance / (1 + ax * bx + ay * by)
        shifted.append((x + mitre * (ax + bx), y + mitre * (ay + by)))
    return tuple(shifted)


def _hang_leaves(
    plan: _Plan, positions: dict[str, Point], routes: dict[tuple[str, str, int], tuple[Point, ...]]
) -> None:
    """Place the leaves of each operation in rows, with edges going straight into its border."""
    for op, block in plan.blocks.items():
        x, y = positions[op]
        for row, side in ((block.below, BELOW), (block.above, ABOVE)):
            border = y + side * block.height / 2
            near = border + side * _drop(row, plan.sizes)
            left = x - _row_width(row, plan.sizes) / 2
            ports = _row_ports(row, x, block.width)
            for bundle in row:
                w, h = plan.sizes[bundle.source]
                positions[bundle.source] = (left + w / 2, near + side * h / 2)
                count = len(bundle.slots)
                pitch = min(2 * PITCH, w / count)
                for i, slot in enumerate(bundle.slots):
                    start = (left + w / 2 + (i - (count - 1) / 2) * pitch, near)
                    routes[bundle.source, op, slot] = (start, (next(ports), border))
                left += w + LEAF_GAP


def _row_ports(row: Sequence[_Bundle], x: float, width: float) -> Iterator[float]:
    """Yield where the edges from a row of leaves meet the border of their operation, from left to right."""
    count = sum(len(bundle.slots) for bundle in row)
    pitch = min(2 * PITCH, (width - 2 * CORNER) / max(1, count - 1))
    return (x + (i - (count - 1) / 2) * pitch for i in range(count))


def _park_unused(plan: _Plan, positions: dict[str, Point], bounds: tuple[float, float, float, float]) -> None:
    """Put the leaves that nothing reads in rows below the picture, not further to the right than the loss."""
    left, top, width, height = bounds
    bottom, right = top + height + NODE_GAP, left + width
    if plan.loss in positions:
        right = positions[plan.loss][0] + plan.sizes[plan.loss][0] / 2
    left = min(left, right - max((plan.sizes[leaf][0] for leaf in plan.unused), default=0.0))
    x, deepest = left, 0.0
    for leaf in plan.unused:
        w, h = plan.sizes[leaf]
        if x > left and x + w > right:
            x, bottom, deepest = left, bottom + deepest + LEAF_GAP, 0.0
        positions[leaf] = (x + w / 2, bottom + h / 2)
        x, deepest = x + w + LEAF_GAP, max(deepest, h)


def _bounds(
    sizes: Mapping[str, Size], positions: Mapping[str, Point], routes: Iterable[Sequence[Point]]
) -> tuple[float, float, float, float]:
    corners = [point for route in routes for point in route]
    for node, (x, y) in positions.items():
        w, h = sizes[node]
        corners += [(x - w / 2, y - h / 2), (x + w / 2, y + h / 2)]
    if not corners:
        return 0.0, 0.0, 0.0, 0.0
    left, top = min(x for x, _ in corners), min(y for _, y in corners)
    return left, top, max(x for x, _ in corners) - left, max(y for _, y in corners) - top
