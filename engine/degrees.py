"""Whether a loss is quadratic in the parameters: the degree of every node as a polynomial in them.

The structure of the graph decides where it can. Sums have the largest degree of their terms, products the
sum of their factors' degrees, and a function such as exp of anything that varies is no polynomial, however
small the number before it. What structure cannot tell is tried with numbers, at the very node where it comes
up and measured by the size of what meets there: log undoing exp, a power that the data give, terms that
cancel. Differences of order d + 1 along a line vanish for a polynomial of degree d, and along random lines
for no other analytic function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf, prod

import numpy as np

from engine.expr import evaluate
from engine.graph import Graph, Kind, Node
from engine.trace import forward

__all__ = ["Degree", "degree_of_loss"]

Array = np.ndarray

MOST = 2  # degrees above are not told apart by numbers
SCALES = (1.0, 30.0, 1000.0)
LINES = 3  # random lines at each of the scales
VANISHES = 1e-9  # a difference of so small a share of what it is made of is rounding

_LINEAR = frozenset(("+", "-", "neg", "identity", "T", "sum", "mean"))
_TERMS = frozenset(("+", "-", "neg", "identity"))  # through which sums are opened
_BILINEAR = frozenset(("*", "@"))
_SQUARES = frozenset(("norm_squared", "mse"))
_NEVER = frozenset(
    ("exp", "log", "sin", "cos", "tanh", "sigmoid", "softplus", "softmax", "bce", "cross_entropy")
)
"""What is no polynomial of a polynomial that is not constant."""


@dataclass(frozen=True)
class Degree:
    """The degree of a loss in the parameters.

    Attributes
    ----------
    degree
        2 for a quadratic loss; infinite where it is no polynomial. Where it is larger than 2, it is a bound.
    culprit
        In a few words what makes it more than quadratic; empty where nothing does.
    may_have_kinks
        Whether numbers said that it is quadratic, of operations that are put together from pieces: the points
        that were tried may have missed one.
    """

    degree: float
    culprit: str = ""
    may_have_kinks: bool = False


def degree_of_loss(graph: Graph, inputs: Mapping[str, Array], parameters: Mapping[str, Array]) -> Degree:
    """Return the degree of the loss as a polynomial in the parameters.

    Parameters
    ----------
    inputs
        The data by name.
    parameters
        Around which, and how far from which, numbers are tried.

    Examples
    --------
    >>> from engine.formula import Leaf, build, parse
    >>> graph = build(parse("L = (w - 1)**2 + 1e-12 * exp(w)"), [Leaf("w", Kind.PARAMETER, ())])
    >>> degree_of_loss(graph, {}, {"w": np.array(0.5)})
    Degree(degree=inf, culprit='exp in L', may_have_kinks=False)
    """
    found = _Degrees(graph, _Tried(graph, inputs, parameters))
    loss = found.degrees[graph.ids[graph.loss]]
    kinks = found.is_tried and _has_kinks(graph)
    return Degree(loss, _culprit(graph, found) if loss > MOST or kinks else "", kinks)


class _Degrees:
    """The degree of every node; `structural` is what the structure alone would say."""

    def __init__(self, graph: Graph, tried: _Tried) -> None:
        self._graph, self._tried = graph, tried
        self.degrees: list[float] = []
        self.structural: list[float] = []
        self.is_tried = False
        path = graph.on_loss_path
        for node in graph.nodes:
            plain = 1.0 if node.kind == Kind.PARAMETER else _from_inputs(node, graph, self.degrees)
            self.structural.append(plain)
            found = plain if plain <= MOST or node.id not in path else self._settled(node, plain)
            self.is_tried |= found < plain
            self.degrees.append(found)

    def _settled(self, node: Node, plain: float) -> float:
        """Return the degree of a node of which the structure says a larger one than 2, or nothing."""
        assert node.op is not None
        high = [i for i in node.inputs if self.degrees[i] > MOST]
        name = node.op.name
        if name in _TERMS:
            terms = [i for i in self._terms(node) if self.degrees[i] > MOST]
            return self._tried.degree_of_sum(node.id, terms, plain) if len(terms) > 1 else plain
        if plain < inf or name in _LINEAR or name in _SQUARES or name == "@":
            return plain
        if name in _NEVER and not high:
            return inf
        if name == "*" and any(self.degrees[i] == 0.0 for i in node.inputs):
            return inf
        return self._tried.degree(node.id)

    def _terms(self, node: Node) -> list[int]:
        """Return the nodes that a sum is made of, the sums in it opened."""
        found, stack = [], [*node.inputs]
        while stack:
            inner = self._graph.nodes[stack.pop()]
            if inner.op is not None and inner.op.name in _TERMS:
                stack += inner.inputs
            else:
                found.append(inner.id)
        return found


def _from_inputs(node: Node, graph: Graph, degrees: Sequence[float]) -> float:
    """Return the degree of a node by the degrees of its inputs, infinite where it may be no polynomial."""
    ins = [degrees[i] for i in node.inputs]
    if node.op is None or not any(ins):
        return 0.0
    name = node.op.name
    if name in _LINEAR:
        return max(ins)
    if name in _BILINEAR:
        return sum(ins)
    if name == "/" and ins[1] == 0.0:
        return ins[0]
    if name in _SQUARES:
        return 2.0 * max(ins)
    if name == "**":
        exponent = _exponent(graph.nodes[node.inputs[1]])
        return 0.0 if exponent == 0 else inf if exponent is None else ins[0] * exponent
    return inf


def _exponent(node: Node) -> int | None:
    """Return a constant whole exponent, None for any other."""
    if node.constant is None:
        return None
    value = float(evaluate(node.constant, {}))
    return int(value) if value == int(value) and value >= 0 else None


def _culprit(graph: Graph, found: _Degrees) -> str:
    """Return in a few words what makes the loss more than quadratic, or would if numbers did not deny it."""
    degrees, place = found.degrees, graph.ids[graph.loss]
    if degrees[place] <= MOST:
        degrees = found.structural
        place = next(i for i in sorted(graph.on_loss_path) if degrees[i] > MOST)
    most, node = degrees[place], graph.nodes[place]
    while cause := [i for i in node.inputs if degrees[i] >= most]:
        node = graph.nodes[cause[0]]
    if node.op is None or most < inf:
        return f"a polynomial of degree {most:g} in the parameters"
    return f"{node.op.name} in {graph.lines[node.line].name}"


def _has_kinks(graph: Graph) -> bool:
    """Say whether an operation is put together from pieces, of which random points may have missed one."""
    trained, path = graph.trained, graph.on_loss_path
    nodes = (n for n in graph.nodes if n.id in path and n.id in trained)
    return any(n.op is not None and not n.op.analytic for n in nodes)


# --- numbers -----------------------------------------------------------------------------------------------


class _Tried:
    """The differences of nodes along random lines; nothing is worked out before it is asked for."""

    def __init__(self, graph: Graph, inputs: Mapping[str, Array], parameters: Mapping[str, Array]) -> None:
        self._graph, self._inputs = graph, inputs
        self._shapes = {name: np.shape(parameters[name]) for name in graph.parameters}
        flat = [np.max(np.abs(parameters[name]), initial=0.0) for name in self._shapes]
        self._scale = max(1.0, *map(float, flat))

    def degree(self, node: int) -> float:
        """Return the least degree up to 2 that a node has along every line, entry by entry; else infinity."""
        for degree in range(MOST + 1):
            vanishing = [line.vanishes(node, degree) for line in self._lines]
            told = [v for v in vanishing if v is not None]  # too far out for floating point says nothing
            if told and all(told):
                return float(degree)
        return inf

    def degree_of_sum(self, node: int, terms: Sequence[int], plain: float) -> float:
        """Return 2 where terms of higher degrees cancel, otherwise `plain`.

        Their differences have to vanish beside the smallest of them: a large one hides none.
        """
        told = [found for line in self._lines if (found := line.cancels(node, terms)) is not None]
        return float(MOST) if told and all(told) else plain

    @cached_property
    def _lines(self) -> list[_Line]:
        rng = np.random.default_rng(0)
        return [self._line(rng, self._scale * s) for s in SCALES for _ in range(LINES)]

    def _line(self, rng: np.random.Generator, scale: float) -> _Line:
        size = sum(prod(shape) for shape in self._shapes.values())
        point, step = scale * rng.uniform(-1, 1, size), scale * rng.uniform(-1, 1, size)
        at = [forward(self._graph, self._leaves(point + k * step)) for k in range(MOST + 2)]
        nodes = [n.id for n in self._graph.nodes if n.id in self._graph.trained and n.op is not None]
        with np.errstate(all="ignore"):
            return _Line({i: _Course.of([values[i] for values in at]) for i in nodes})

    def _leaves(self, vector: Array) -> dict[str, Array]:
        leaves, start = dict(self._inputs), 0
        for name, shape in self._shapes.items():
            leaves[name] = vector[start : start + prod(shape)].reshape(shape)
            start += prod(shape)
        return leaves


@dataclass(frozen=True)
class _Course:
    """How a node goes along a line: whether it stays finite, its size, and its differences of each order.

    `shares` are the largest differences of orders 1 to 3, each relative to its entry; `bend` is the largest
    of order 3.
    """

    is_finite: bool
    size: float
    bend: float
    shares: tuple[float, ...]

    @staticmethod
    def of(values: Sequence[Array]) -> _Course:
        """Return the course of values at equal distances."""
        stacked = np.array([np.ravel(v) for v in values])
        if not np.all(np.isfinite(stacked)):
            return _Course(False, inf, inf, ())
        entries = np.max(np.abs(stacked), axis=0, initial=0.0)
        entries = np.where(entries == 0.0, 1.0, entries)
        differences = [np.abs(np.diff(stacked, order, axis=0)).max(0) for order in range(1, MOST + 2)]
        shares = tuple(float(np.max(d / entries, initial=0.0)) for d in differences)
        size = float(np.max(np.abs(stacked), initial=0.0))
        return _Course(True, size, float(np.max(differences[-1], initial=0.0)), shares)


@dataclass(frozen=True)
class _Line:
    courses: Mapping[int, _Course]

    def vanishes(self, node: int, degree: int) -> bool | None:
        course = self.courses[node]
        return course.shares[degree] <= VANISHES if course.is_finite else None

    def cancels(self, node: int, terms: Sequence[int]) -> bool | None:
        course, parts = self.courses[node], [self.courses[i] for i in terms]
        if not all(c.is_finite for c in (course, *parts)):
            return None
        return course.bend <= VANISHES * min(c.size for c in parts)
