"""A formula as it was typed, typeset: ``d_Z @ X.T`` with the symbols of the network it is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.derive import Derivation
from engine.errors import BackstepError
from engine.formula import Item, Leaf, Statement, build
from engine.graph import Graph, Kind
from engine.names import latex_name
from engine.shapes import Dims, unnamed
from graphs.definition import Array

__all__ = ["typed_latex"]

_ANSWER, _TOTAL = "typed", "typed_total"
_WHOLE = (Item("name", _ANSWER, 0, (), 1, 1), Item("op", "sum", 1, (), 1, 1))  # a graph ends with one number


class _Written(Derivation):
    """The equations of a formula whose names are written as another network writes them."""

    def __init__(self, graph: Graph, written: Mapping[str, str]) -> None:
        super().__init__(graph)
        self._written = written

    def name_latex(self, name: str) -> str:
        return self._written.get(name) or super().name_latex(name)


def typed_latex(items: Sequence[Item], names: Mapping[str, Array], derivation: Derivation) -> str:
    """Return the LaTeX of a formula that has been read; "" for what only an answer can say, as one entry.

    Parameters
    ----------
    items
        As :func:`engine.calculator.read` returns it.
    names
        What the formula may name, with their numbers.
    derivation
        Of the network that the names are of.
    """
    used = sorted({item.text for item in items if item.kind == "name"})
    plain = {name: f"x{i}" for i, name in enumerate(used)}  # a gradient's name is kept for a gradient
    renamed = tuple(i._replace(text=plain[i.text]) if i.kind == "name" else i for i in items)
    leaves = [Leaf(plain[name], Kind.PARAMETER, _dims(name, names[name], derivation)) for name in used]
    lines = (Statement(_ANSWER, renamed, "", 1, 1), Statement(_TOTAL, _WHOLE, "", 2, 1))
    try:
        graph = build(lines, leaves)
    except (BackstepError, LookupError):
        return ""
    written = {plain[name]: _symbol(name, derivation) for name in used}
    return _Written(graph, written).definition_latex(_ANSWER)


def _dims(name: str, array: Array, derivation: Derivation) -> Dims:
    own = _name_in(name, derivation)
    return derivation.graph[own].dims if own else tuple(unnamed(size) for size in array.shape)


def _symbol(name: str, derivation: Derivation) -> str:
    own = _name_in(name, derivation)
    if not own:
        return latex_name(name)
    return derivation.name_latex(own) if own == name else derivation.gradient_latex(own)


def _name_in(name: str, derivation: Derivation) -> str:
    """Return the value that a name is of, or is the gradient of; "" where it is none of the network's."""
    ids = derivation.graph.ids
    return next((own for own in (name, name.removeprefix("d_")) if own in ids), "")
