"""The loss at many parameter vectors at once: what the landscape, the search and the sweep are made of.

A graph is evaluated over leading axes: a value of shape (k, m) becomes an array of shape (x, y, k, m), one
matrix for each place of a grid. Along an axis of the grid on which a value does not depend, it is worked out
once: with one parameter varying along x and another along y, most of a network is worked out for the lines
of the grid rather than for its points. What depends on no parameter is worked out once altogether. The
grid is taken in blocks that fit the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from math import isqrt, prod
from typing import Any, NamedTuple

import numpy as np

from engine.expr import evaluate
from engine.graph import Graph, Kind, Node
from engine.memory import settled
from engine.reduced import Rows, reduced
from engine.shapes import sizes

__all__ = ["RULES", "Batch", "Block", "Rows", "losses"]

Array = np.ndarray
Rule = Callable[..., Any]

BLOCK = 1 << 18
"""Numbers that are alive at once while a block is worked out: two megabytes, about a cache."""
LINES = 3 << 20
"""Numbers that are alive at once for the lines along one axis of the grid: 24 megabytes."""


class Block(NamedTuple):
    """A part of the grid: where it lies, and its losses."""

    rows: slice
    columns: slice
    losses: Array


def losses(graph: Graph, inputs: Mapping[str, Array], parameters: Mapping[str, Array | Rows]) -> Array:
    """Return the loss at many parameter vectors; values that are not finite are inf or nan.

    Parameters
    ----------
    inputs
        The data by name.
    parameters
        For each parameter an array with one leading axis, of G places, or with two, of a grid of X by Y.
        The leading axes broadcast; a parameter that does not vary may come without them, and one of which
        only some rows vary may come as :class:`Rows`.

    Returns
    -------
    float array, shape (G,) or (X, Y)

    Examples
    --------
    >>> from engine.formula import Leaf, build, parse
    >>> graph = build(parse("L = w**2"), [Leaf("w", Kind.PARAMETER, ())])
    >>> losses(graph, {}, {"w": np.array([0.0, 1.0, 3.0])})
    array([0., 1., 9.])
    """
    batch = Batch(graph, inputs, parameters)
    result = np.empty(batch.grid)
    for block in batch.blocks():
        result[block.rows, block.columns] = block.losses
    return result.reshape(batch.shape)


class Batch:
    """A graph made ready to be evaluated at many parameter vectors.

    Attributes
    ----------
    shape
        Of the losses, as the parameters' leading axes have it.
    grid
        The same with two axes.
    """

    def __init__(
        self, graph: Graph, inputs: Mapping[str, Array], parameters: Mapping[str, Array | Rows]
    ) -> None:
        graph, inputs, arrays = _without_still_rows(graph, inputs, parameters)
        self._graph = graph
        leading = {name: _leading(graph, name, array) for name, array in arrays.items()}
        if len({len(shape) for _, shape in leading.values() if shape}) > 1:
            raise ValueError("all parameters that vary need the same number of leading axes")
        self.shape = np.broadcast_shapes(*(shape for _, shape in leading.values()))
        grids = [array.shape[:2] for array, _ in leading.values()]
        self.grid: tuple[int, int] = np.broadcast_shapes((1, 1), *grids)  # type: ignore[assignment]
        if len(self.shape) == 1:
            self.grid = (self.shape[0], 1)
        self._leaves = {
            **settled(inputs),
            **{name: _collapsed(array) for name, (array, _) in leading.items()},
        }
        self._prepare()

    def _prepare(self) -> None:
        """Work out what no parameter varies, and write down the rest in three lists of steps."""
        graph, path = self._graph, self._graph.on_loss_path
        self._values: dict[int, Array] = {}
        self._varies: dict[int, tuple[bool, bool]] = {}
        stages: dict[tuple[bool, bool], list[Node]] = {(True, False): [], (False, True): [], (True, True): []}
        with np.errstate(all="ignore"):
            for node in graph.nodes:
                if node.id not in path:
                    continue
                if node.op is None:
                    self._place_leaf(node)
                    continue
                by = [self._varies[i] for i in node.inputs]
                varies = (any(v[0] for v in by), any(v[1] for v in by))
                self._varies[node.id] = varies
                if any(varies):
                    stages[varies].append(node)
                else:
                    ins = [self._values[i] for i in node.inputs]
                    self._values[node.id] = np.asarray(node.op.forward(*ins, **dict(node.attrs)))
        self._along_x, self._along_y, self._across = (
            _Stage(nodes, self._needed_after(varies), graph, varies) for varies, nodes in stages.items()
        )

    def _place_leaf(self, node: Node) -> None:
        if node.kind == Kind.CONSTANT:
            assert node.constant is not None
            array, varies = np.asarray(evaluate(node.constant, {}), dtype=float), (False, False)
        else:
            array = self._leaves[node.name]
            extra = array.ndim - len(node.dims)
            varies = (extra > 0 and array.shape[0] > 1, extra > 0 and array.shape[1] > 1)
            if extra and not any(varies):
                array = array[0, 0]
        self._values[node.id] = array
        self._varies[node.id] = varies

    def _needed_after(self, varies: tuple[bool, bool]) -> set[int]:
        """Return what a stage must keep for the stages after it: the loss, and what varies in other ways."""
        graph, path = self._graph, self._graph.on_loss_path
        readers = (n for n in graph.nodes if n.id in path and self._varies.get(n.id) != varies)
        return {graph.ids[graph.loss], *(i for node in readers for i in node.inputs)}

    def blocks(self) -> Generator[Block, None, None]:
        """Yield the grid's losses, block after block; whoever stops asking stops the work."""
        rows, columns = self._block_size()
        lines: dict[int, Array] = {}
        left_of_lines = -1
        for top in range(0, self.grid[0], rows):
            across_rows = slice(top, min(top + rows, self.grid[0]))
            size = (across_rows.stop - top, 1)
            along_x = {**self._values, **self._along_x.run(self._values, self._part(across_rows, None), size)}
            for left in range(0, self.grid[1], columns):
                across_columns = slice(left, min(left + columns, self.grid[1]))
                part = self._part(across_rows, across_columns)
                size = (size[0], across_columns.stop - left)
                if left_of_lines != left:
                    left_of_lines, lines = left, self._along_y.run(self._values, part, size)
                values = {**along_x, **lines}
                values.update(self._across.run(values, part, size))
                loss = values[self._graph.ids[self._graph.loss]]
                yield Block(across_rows, across_columns, np.broadcast_to(loss, size).copy())

    def _part(self, rows: slice, columns: slice | None) -> Callable[[int], Array | None]:
        """Return what gives a parameter's part in a block; None for what is no varying leaf."""

        def part(node: int) -> Array | None:
            if self._graph.nodes[node].kind != Kind.PARAMETER or not any(self._varies[node]):
                return None
            by_rows, by_columns = self._varies[node]
            array = self._values[node]
            array = array[rows] if by_rows else array
            return array[:, columns] if by_columns and columns is not None else array

        return part

    def _block_size(self) -> tuple[int, int]:
        """Return how many rows and columns of the grid a block has, so that its values fit the cache."""
        x, y, both = (stage.peak for stage in (self._along_x, self._along_y, self._across))
        most_rows = max(1, min(self.grid[0], (LINES if both else BLOCK) // max(1, x)))
        most_columns = max(1, min(self.grid[1], (LINES if both else BLOCK) // max(1, y)))
        if not both:
            return most_rows, most_columns
        points = max(1, BLOCK // both)
        if points >= most_columns:
            return min(most_rows, points // most_columns), most_columns
        side = isqrt(points)  # as square as can be: lines along either axis serve as many points as they can
        return min(most_rows, side), min(most_columns, max(1, points // side))


def _without_still_rows(
    graph: Graph, inputs: Mapping[str, Array], parameters: Mapping[str, Array | Rows]
) -> tuple[Graph, Mapping[str, Array], Mapping[str, Array]]:
    """Return a graph that works out varying rows alone, where some parameter has others."""
    whole = {name: value for name, value in parameters.items() if not isinstance(value, Rows)}
    if len(whole) == len(parameters):
        return graph, inputs, whole
    return reduced(graph, inputs, parameters)


def _leading(graph: Graph, name: str, array: Array) -> tuple[Array, tuple[int, ...]]:
    """Return a parameter with exactly two leading axes, and the leading axes as they were given."""
    array = np.asarray(array, dtype=float)
    shape = sizes(graph[name].dims)
    count = array.ndim - len(shape)
    if not 0 <= count <= 2 or array.shape[count:] != shape:
        raise ValueError(f"{name} has the shape {array.shape}; a leading axis and {shape} were expected")
    leading = array.shape[:count]
    if count == 1:
        return array[:, None], leading
    return array.reshape((1,) * (2 - count) + array.shape) if count == 0 else array, leading


def _collapsed(array: Array) -> Array:
    """Return a parameter without the copies that ``np.broadcast_to`` made along its leading axes."""
    rows = slice(0, 1) if array.strides[0] == 0 else slice(None)
    columns = slice(0, 1) if array.strides[1] == 0 else slice(None)
    return array[rows, columns]


# --- stages -------------------------------------------------------------------------------------------------


class _Step(NamedTuple):
    """One node of a stage.

    Attributes
    ----------
    slot, scratch
        The buffer of its result, and those that its rule may use meanwhile.
    done_with
        Nodes that nobody reads any more.
    """

    node: Node
    compute: Rule
    slot: int
    scratch: tuple[int, ...]
    done_with: tuple[int, ...]


class _Stage:
    """The nodes that vary along the same axes of the grid, in order, with a plan for their buffers.

    A buffer is used again as soon as nobody reads what is in it; new memory for every value would take longer
    than the arithmetic.

    Attributes
    ----------
    peak
        The numbers that its buffers hold for one point.
    """

    def __init__(
        self, nodes: Sequence[Node], needed: set[int], graph: Graph, varies: tuple[bool, bool]
    ) -> None:
        self._nodes = graph.nodes
        self._needed = needed
        self._varies = varies
        self._slots: list[int] = []
        self._free: list[int] = []
        self._steps = [self._planned(node, done) for node, done in self._with_last_uses(nodes)]
        self.peak = sum(self._slots)
        self._buffers: list[Array] = []

    def _with_last_uses(self, nodes: Sequence[Node]) -> Iterator[tuple[Node, list[int]]]:
        """Yield the nodes with those whose memory nobody reads after them; a view keeps what it looks at."""
        self._owner = {node.id: node.id for node in nodes}
        for node in nodes:
            if _op_name(node) in VIEWS:
                self._owner[node.id] = self._owner.get(node.inputs[0], node.id)
        last = {self._owner[i]: n.id for n in nodes for i in (n.id, *n.inputs) if i in self._owner}
        kept = {self._owner[i] for i in self._needed if i in self._owner}
        done: dict[int, list[int]] = {}
        for owner, reader in last.items():
            if owner not in kept:
                done.setdefault(reader, []).append(owner)
        self._slot_of: dict[int, int] = {}
        for node in nodes:
            yield node, done.get(node.id, [])

    def _planned(self, node: Node, done: list[int]) -> _Step:
        """Return the step of a node, with buffers that are free by then."""
        name = _op_name(node)
        freed = [self._slot_of[owner] for owner in done if owner in self._slot_of]
        if name in VIEWS:
            step = _Step(node, _rule(node, self._nodes), -1, (), tuple(done))
        else:
            in_place = name in UFUNCS or name in IN_PLACE
            scratch = tuple(self._taken(prod(self._wide(node))) for _ in range(SCRATCH.get(name, 0)))
            if in_place:
                self._free += freed
            slot = self._slot_of[node.id] = self._taken(_entries(node))
            self._free += scratch
            freed = [] if in_place else freed
            step = _Step(node, _rule(node, self._nodes), slot, scratch, tuple(done))
            if node.id in done:  # nobody reads it at all
                freed.append(slot)
        self._free += freed
        return step

    def _taken(self, entries: int) -> int:
        """Return the free buffer that fits best, or a new one."""
        fitting = [slot for slot in self._free if self._slots[slot] >= entries]
        if fitting:
            slot = min(fitting, key=self._slots.__getitem__)
            self._free.remove(slot)
            return slot
        self._slots.append(entries)
        return len(self._slots) - 1

    def run(
        self, given: Mapping[int, Array], part: Callable[[int], Array | None], block: tuple[int, int]
    ) -> dict[int, Array]:
        """Return the values that others need, for the part of the grid that `part` cuts out.

        They stand in the stage's buffers, and are gone when it runs again.
        """
        leading = (block[0] if self._varies[0] else 1, block[1] if self._varies[1] else 1)
        points = leading[0] * leading[1]
        if not self._buffers or self._room < points:
            self._room = points
            self._buffers = [np.empty(entries * points) for entries in self._slots]
        found: dict[int, Array] = {}
        with np.errstate(all="ignore"):
            for step in self._steps:
                ins = [_read(i, found, given, part) for i in step.node.inputs]
                found[step.node.id] = step.compute(*ins, **self._room_for(step, leading))
        return {node: found[node] for node in self._needed if node in found}

    def _room_for(self, step: _Step, leading: tuple[int, int]) -> dict[str, Any]:
        if step.slot < 0:
            return {}
        shape = (*leading, *sizes(step.node.dims))
        more: dict[str, Any] = {"out": self._buffers[step.slot][: prod(shape)].reshape(shape)}
        if step.scratch:
            wide = (*leading, *self._wide(step.node))
            more["scratch"] = [self._buffers[s][: prod(wide)].reshape(wide) for s in step.scratch]
        return more

    def _wide(self, node: Node) -> tuple[int, ...]:
        """Return the shape that scratch arrays have, without the leading axes."""
        return np.broadcast_shapes(*(sizes(self._nodes[i].dims) for i in node.inputs))


def _read(
    node: int, found: Mapping[int, Array], given: Mapping[int, Array], part: Callable[[int], Array | None]
) -> Array:
    if node in found:
        return found[node]
    cut = part(node)
    return given[node] if cut is None else cut


def _entries(node: Node) -> int:
    return prod(sizes(node.dims))


def _op_name(node: Node) -> str:
    assert node.op is not None
    return node.op.name


# --- rules over leading axes --------------------------------------------------------------------------------
# A value's own axes are its last ones; a value that does not vary has no others. So rules count axes from
# the end, and stretch a value of fewer own axes before it meets one of more. `out` and `scratch` are rooms
# for the result and for what comes before it; a rule may leave them alone.


def _rule(node: Node, nodes: Sequence[Node]) -> Rule:
    """Return what computes a node from its inputs, whether they vary or not."""
    assert node.op is not None
    ranks = tuple(len(nodes[i].dims) for i in node.inputs)
    attrs = dict(node.attrs)
    special = RULES.get(node.op.name)
    if special is not None:
        return lambda *ins, **room: special(*ins, ranks=ranks, **attrs, **room)
    return _elementwise(UFUNCS[node.op.name], ranks)


def _elementwise(ufunc: Rule, ranks: tuple[int, ...]) -> Rule:
    rank = max(ranks)
    if all(r == rank for r in ranks):
        return ufunc
    return lambda *ins, out: ufunc(*(_raised(x, r, rank) for x, r in zip(ins, ranks, strict=True)), out=out)


def _raised(x: Array, rank: int, to: int) -> Array:
    """Return a value with `to` own axes, the new ones first."""
    if rank == to or x.ndim == rank:
        return x
    return x.reshape(x.shape[:2] + (1,) * (to - rank) + x.shape[2:])


def _own_axes(rank: int, axis: int | None) -> tuple[int, ...]:
    return tuple(range(-rank, 0)) if axis is None else (axis % rank - rank,)


def _count(x: Array, axes: tuple[int, ...]) -> int:
    return prod(x.shape[a] for a in axes)


def _reduction(reduce: Rule) -> Rule:
    def rule(
        x: Array, *, ranks: tuple[int, ...], axis: int | None = None, keepdims: bool = False, out: Array
    ) -> Array:
        return reduce(x, axis=_own_axes(ranks[0], axis), keepdims=keepdims, out=out)

    return rule


def _mean(x: Array, *, ranks: tuple[int, ...], axis: int | None = None, **options: Any) -> Array:
    axes = _own_axes(ranks[0], axis)
    result = np.sum(x, axis=axes, **options)
    result /= _count(x, axes)
    return result


def _norm_squared(
    x: Array,
    *,
    ranks: tuple[int, ...],
    axis: int | None = None,
    keepdims: bool = False,
    out: Array,
    scratch: list[Array],
) -> Array:
    if axis is None and not keepdims:
        return _sum_of_squares(x, ranks[0], out)
    return np.sum(
        np.multiply(x, x, out=scratch[0]), axis=_own_axes(ranks[0], axis), keepdims=keepdims, out=out
    )


def _norm(x: Array, *, out: Array, **options: Any) -> Array:
    return np.sqrt(_norm_squared(x, out=out, **options), out=out)


def _sum_of_squares(x: Array, rank: int, out: Array) -> Array:
    flat = x.reshape((*x.shape[: x.ndim - rank], -1))
    return np.einsum("...i,...i->...", flat, flat, out=out)


def _mse(a: Array, b: Array, *, ranks: tuple[int, ...], out: Array, scratch: list[Array]) -> Array:
    difference = np.subtract(a, b, out=scratch[0])
    result = _sum_of_squares(difference, ranks[0], out)
    result /= _count(difference, _own_axes(ranks[0], None))
    return result


def _log_one_plus(x: Array, out: Array) -> Array:
    """Return log(1 + e^-|x|), the part of softplus that is not max(x, 0)."""
    np.abs(x, out=out)
    np.negative(out, out=out)
    np.exp(out, out=out)
    return np.log1p(out, out=out)


def _softplus(x: Array, *, out: Array, scratch: list[Array], **_: Any) -> Array:
    """Return log(1 + e^x): np.logaddexp to the last digits, and several times as fast."""
    small = _log_one_plus(x, scratch[0])
    result = np.maximum(x, 0.0, out=out)
    result += small
    return result


def _bce(z: Array, y: Array, *, ranks: tuple[int, ...], out: Array, scratch: list[Array]) -> Array:
    rank = ranks[0]
    terms, other = scratch
    np.maximum(z, 0.0, out=terms)
    terms += _log_one_plus(z, other)
    terms -= np.multiply(y, z, out=other)
    result = np.sum(terms, axis=_own_axes(rank, None), out=out)
    result /= z.shape[-1] if rank else 1
    return result


def _cross_entropy(z: Array, y: Array, *, ranks: tuple[int, ...], out: Array, scratch: list[Array]) -> Array:
    shifted, other = scratch
    np.subtract(z, np.max(z, axis=-2, keepdims=True), out=shifted)
    np.exp(shifted, out=other)
    shifted -= np.log(np.sum(other, axis=-2, keepdims=True))
    shifted *= y
    result = np.sum(shifted, axis=(-2, -1), out=out)
    result /= -z.shape[-1]
    return result


def _softmax(x: Array, *, ranks: tuple[int, ...], axis: int = 0, out: Array) -> Array:
    axes = _own_axes(ranks[0], axis)
    np.subtract(x, np.max(x, axis=axes, keepdims=True), out=out)
    np.exp(out, out=out)
    out /= np.sum(out, axis=axes, keepdims=True)
    return out


def _sigmoid(x: Array, *, out: Array, scratch: list[Array], **_: Any) -> Array:
    """Return the sigmoid, shorter where e^-x cannot overflow: there 1 / (1 + e^-x) loses nothing."""
    (below,) = scratch
    if np.min(x) > -700:
        np.negative(x, out=out)
        np.exp(out, out=out)
        out += 1.0
        return np.divide(1.0, out, out=out)
    np.abs(x, out=below)
    np.negative(below, out=below)
    np.exp(below, out=below)
    below += 1.0
    np.minimum(x, 0.0, out=out)
    np.exp(out, out=out)
    out /= below
    return out


def _relu(x: Array, *, out: Array, **_: Any) -> Array:
    return np.maximum(x, 0.0, out=out)


def _view(x: Array, *, ranks: tuple[int, ...]) -> Array:
    return x


def _transpose(x: Array, *, ranks: tuple[int, ...]) -> Array:
    return np.swapaxes(x, -1, -2) if ranks[0] == 2 else x


def _power(a: Array, b: Array, *, ranks: tuple[int, ...], out: Array, scratch: list[Array]) -> Array:
    """Return a power; small whole ones are products, which take a tenth of the time."""
    exponent = float(b) if b.ndim == 0 else 0.0
    if exponent == 2:
        return np.multiply(a, a, out=out)
    if exponent == 3:
        return np.multiply(np.multiply(a, a, out=scratch[0]), a, out=out)
    rank = max(ranks)
    return np.power(_raised(a, ranks[0], rank), _raised(b, ranks[1], rank), out=out)


def _product(a: Array, b: Array, *, ranks: tuple[int, ...], out: Array) -> Array:
    left, right = ranks
    if left == right == 2:
        return _matrix_product(a, b, out)
    a = a[..., None, :] if left == 1 else a
    b = b[..., :, None] if right == 1 else b
    result = a @ b
    result = result[..., 0] if right == 1 else result
    return result[..., 0] if left == right else result[..., 0, :] if left == 1 else result


def _matrix_product(a: Array, b: Array, out: Array) -> Array:
    if a.shape[-1] == 1:
        return np.multiply(a, b, out=out)
    if b.ndim == 2 and a.flags.c_contiguous:  # one large product rather than many small ones
        np.matmul(a.reshape(-1, a.shape[-1]), b, out=out.reshape(-1, b.shape[-1]))
        return out
    return np.matmul(a, b, out=out)


RULES: Mapping[str, Rule] = {
    "@": _product,
    "**": _power,
    "T": _transpose,
    "identity": _view,
    "sum": _reduction(np.sum),
    "max": _reduction(np.max),
    "min": _reduction(np.min),
    "mean": _mean,
    "norm": _norm,
    "norm_squared": _norm_squared,
    "mse": _mse,
    "bce": _bce,
    "cross_entropy": _cross_entropy,
    "softmax": _softmax,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "relu": _relu,
}
"""Operations that know their own axes, or are worth a rule of their own."""
UFUNCS: Mapping[str, Rule] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.true_divide,
    "neg": np.negative,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "abs": np.abs,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
}
"""Operations that work entry by entry."""
VIEWS = {"T", "identity"}
"""Results that stand in the memory of their input."""
IN_PLACE = {"**", "sigmoid", "softplus", "relu", "softmax"}
"""Rules that may write over their input, beside the ufuncs."""
SCRATCH = {
    **dict.fromkeys(("sigmoid", "softplus", "**", "mse", "norm", "norm_squared"), 1),
    **dict.fromkeys(("bce", "cross_entropy"), 2),
}
"""How many arrays of the inputs' shape a rule needs besides its result."""
