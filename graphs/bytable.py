"""Values of functions that nobody works out by hand: where they are taken, and the table of them.

A function whose argument is made of sums and products alone can be taken at halves from −2 to 2, where a few
values of it are enough. One that reads the result of another function cannot: that needs a calculator.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.graph import Graph, Node
from engine.ops import OPS
from engine.substitute import number_latex
from graphs.definition import Array
from graphs.wording import enumerated

__all__ = ["FARTHEST", "Taken", "is_in_table", "sentences", "taken"]

FARTHEST = 2.0
GRID = np.arange(0.0, FARTHEST + 0.1, 0.5)
LOGARITHMS = np.arange(1.0, 6.0)
_OF_SEVERAL = ("softmax", "bce", "cross_entropy")  # functions of their first argument, a column at a time
_EVEN = {
    "sigmoid": r"\sigma(-x) = 1 - \sigma(x)",
    "tanh": r"\tanh(-x) = -\tanh(x)",
    "exp": r"e^{-x} = 1 / e^{x}",
    "sin": r"\sin(-x) = -\sin(x)",
    "cos": r"\cos(-x) = \cos(x)",
    "softplus": r"\mathrm{softplus}(-x) = \mathrm{softplus}(x) - x",
    "partition": r"\log(1 + e^{-x}) = \log(1 + e^{x}) - x",
}


class Taken:
    """A function at one node: its name, the node that it reads, and whether another function is before it."""

    def __init__(self, node: Node, is_first: bool, before: str) -> None:
        self.name = node.op.name if node.op is not None else ""
        self.source = node.inputs[0]
        self.is_first = is_first
        self.before = before

    def arguments(self, values: Sequence[Array]) -> Array:
        """Return where it is taken: of a softmax, also how far its entries are apart."""
        found = np.asarray(values[self.source], dtype=float)
        if self.name in ("softmax", "cross_entropy") and found.ndim:
            return np.append(found.ravel(), found.max(axis=0) - found.min(axis=0))
        return found.ravel()


def taken(graph: Graph) -> tuple[Taken, ...]:
    """Return the functions of a graph that are looked up, in order."""
    behind: dict[int, str] = {}
    found = []
    for node in graph.nodes:
        before = next((behind[i] for i in node.inputs if behind.get(i)), "")
        behind[node.id] = before
        if _is_looked_up(node):
            found.append(Taken(node, not behind.get(node.inputs[0]), behind.get(node.inputs[0], "")))
            behind[node.id] = found[-1].name
    return tuple(found)


def _is_looked_up(node: Node) -> bool:
    op = node.op
    if op is None or op.name == "identity":
        return False
    is_function = op.elementwise and op.analytic and op.arity == (1, 1) and op.latex is not None
    return is_function or op.name in _OF_SEVERAL


def is_in_table(function: Taken, values: Sequence[Array]) -> Array:
    """Say of each argument whether the table has it."""
    x = function.arguments(values)
    if function.name == "log" and function.before == "sigmoid":
        places = 1 / (1 + np.exp(-np.append(-GRID, GRID)))
        return np.min(np.abs(x[:, np.newaxis] - places), axis=1) < 1e-9
    if not function.is_first:
        return np.zeros(len(x), bool)
    if function.name == "log":
        return np.isin(x, LOGARITHMS)
    return (np.abs(x) <= FARTHEST) & (2 * x == np.round(2 * x)) & ((x >= 0) | (function.name != "sqrt"))


def sentences(graph: Graph, values: Sequence[Array]) -> tuple[str, ...]:
    """Return what has to be told of a network's functions: their values, and where these are not enough."""
    functions = taken(graph)
    inside = [f for f in functions if np.all(is_in_table(f, values))]
    outside = dict.fromkeys(name for f in functions if f not in inside for name in _needed(f))
    is_whole = all(np.all(f.arguments(values) % 1 == 0) for f in inside if f.name != "log")
    grid = GRID[::2] if is_whole else GRID
    tables: dict[str, None] = {}
    for function in inside:
        tables |= dict.fromkeys("log-sigmoid" if _is_log(function) else n for n in _needed(function))
    told = [f"Take {enumerated(_table(name, grid))}." for name in tables]
    if outside:
        where = [f"{_symbol(name)}{' elsewhere' if name in tables else ''}" for name in outside]
        told.append(f"A calculator is needed for {enumerated(where)}.")
    return tuple(told)


def _is_log(function: Taken) -> bool:
    return function.name == "log" and function.before == "sigmoid"


def _needed(function: Taken) -> tuple[str, ...]:
    """Return the functions of one number that one of a whole column, or its derivative, is made of."""
    made = {"bce": ("partition", "sigmoid"), "softmax": ("exp",), "cross_entropy": ("exp", "partition")}
    return made.get(function.name, (function.name,))


_VALUES = {
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "partition": lambda x: np.log1p(np.exp(x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
}


def _table(name: str, grid: Array) -> Iterator[str]:
    if name == "log-sigmoid":
        for x in 1 / (1 + np.exp(-np.append(-grid[:0:-1], grid))):
            yield f"$\\log({number_latex(float(x))}) = {number_latex(float(np.log(x)))}$"
        return
    compute = _VALUES.get(name) or getattr(np, name)
    for x in LOGARITHMS[1:] if name == "log" else grid:
        yield f"${_written(name, f'{x:g}')} = {number_latex(float(compute(x)))}$"
    if name in _EVEN:
        yield f"${_EVEN[name]}$"


def _symbol(name: str) -> str:
    return f"${_written(name, 'x')}$"


def _written(name: str, x: str) -> str:
    return rf"\log(1 + e^{{{x}}})" if name == "partition" else OPS[name].write_latex(x)
