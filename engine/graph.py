"""The computation graph: a value that can be printed, checked and saved.

A formula line is one *line*; its operations are *parts*. Every node is one operation or one leaf (an input, a
parameter, a constant), stored in an order in which each node comes after its inputs. Nothing here is
recursive: a chain of ten thousand nodes is as good as one of ten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from engine.expr import Const, Expr
from engine.ops import Op
from engine.shapes import Dims

__all__ = ["Detail", "Graph", "Kind", "Line", "Node", "Use"]


class Kind(StrEnum):
    """What a node is."""

    INPUT = "input"
    PARAMETER = "parameter"
    CONSTANT = "constant"
    OP = "op"


class Detail(StrEnum):
    """How finely a graph is shown: one node a formula line, or one node an operation."""

    EQUATION = "equation"
    PRIMITIVE = "primitive"


@dataclass(frozen=True, slots=True)
class Node:
    """One operation or leaf.

    Attributes
    ----------
    id
        Its place in `Graph.nodes`; larger than the id of every input.
    name
        Unique. A line's last operation bears the line's name, the others a part's: ``L.1``.
    inputs
        Ids, one a slot; an id may stand twice.
    line
        Index into `Graph.lines`, -1 for a leaf.
    constant
        For a constant, its expression.
    """

    id: int
    name: str
    kind: Kind
    dims: Dims
    op: Op | None = None
    inputs: tuple[int, ...] = ()
    line: int = -1
    attrs: tuple[tuple[str, Any], ...] = ()
    constant: Expr | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """One place in a line where a name is read.

    `path` runs from the line's last operation down to the name: pairs of node id and input slot.
    """

    slot: int
    source: int
    path: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One formula line: its name, its text, the node that bears its name, its parts and its uses.

    Uses stand in reading order. `written` says whether the line is short enough to be written out in symbols.
    """

    name: str
    text: str
    number: int
    node: int
    parts: tuple[int, ...]
    uses: tuple[Use, ...]
    written: bool = True


@dataclass(frozen=True)
class Graph:
    """An immutable graph in topological order.

    Attributes
    ----------
    parameters, inputs
        Names of the leaves that are trained, and of those that hold data.
    loss
        The name of the line whose gradients are taken.
    examples
        The number of examples m, or None where the inputs have no common one.
    notices
        What the user should know, a sentence each.
    """

    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    parameters: tuple[str, ...]
    inputs: tuple[str, ...]
    loss: str
    examples: int | None = None
    notices: tuple[str, ...] = ()

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """Node id by name."""
        return {node.name: node.id for node in self.nodes}

    @cached_property
    def named(self) -> tuple[str, ...]:
        """Every input, parameter and line, in order."""
        lines = {line.node for line in self.lines}
        leaves = (Kind.INPUT, Kind.PARAMETER)
        return tuple(n.name for n in self.nodes if n.kind in leaves or n.id in lines)

    @cached_property
    def line_by_name(self) -> Mapping[str, Line]:
        """Line by name."""
        return {line.name: line for line in self.lines}

    @cached_property
    def active(self) -> frozenset[int]:
        """Ids of the nodes that have a gradient: named, or made of something named."""
        names = set(self.named)
        found: set[int] = set()
        for node in self.nodes:
            if node.name in names or any(i in found for i in node.inputs):
                found.add(node.id)
        return frozenset(found)

    @cached_property
    def trained(self) -> frozenset[int]:
        """Ids of the parameters and of what is made of them: all that training needs gradients of."""
        found = {self.ids[name] for name in self.parameters}
        for node in self.nodes:
            if any(i in found for i in node.inputs):
                found.add(node.id)
        return frozenset(found)

    @cached_property
    def on_loss_path(self) -> frozenset[int]:
        """Ids of the nodes that the loss depends on, itself included."""
        found = {self.ids[self.loss]}
        for node in reversed(self.nodes):
            if node.id in found:
                found.update(node.inputs)
        return frozenset(found)

    def __getitem__(self, name: str) -> Node:
        return self.nodes[self.ids[name]]

    def called(self, name: str) -> str:
        """Return what a node is called where its expression says too much: "the square in line L".

        Of several such operations in a line it says which: "the 2nd sum in line L". What has a name of its
        own is called by it.
        """
        node = self[name]
        if node.op is None or self.lines[node.line].node == node.id:
            return name
        line = self.lines[node.line]
        alike = [i for i in line.parts if self.noun(i) == self.noun(node.id)]
        which = f"{_ordinal(alike.index(node.id) + 1)} " if len(alike) > 1 else ""
        return f"the {which}{self.noun(node.id)} in line {line.name}"

    def noun(self, node_id: int) -> str:
        """Return what the result of a node's operation is called: "sum", "square"; "" for a leaf."""
        node = self.nodes[node_id]
        if node.op is None:
            return ""
        exponent = self.nodes[node.inputs[1]].constant if node.op.name == "**" else None
        if isinstance(exponent, Const) and exponent.value == 2 and not exponent.powers:
            return "square"
        return node.op.noun or node.op.name

    def visible(self, detail: Detail) -> tuple[str, ...]:
        """Return the names of the nodes shown at `detail`; a constant is part of what reads it."""
        if detail == Detail.EQUATION:
            return self.named
        return tuple(
            n.name for n in self.nodes if n.kind != Kind.CONSTANT and (n.id in self.active or n.line < 0)
        )

    def edges(self, detail: Detail) -> Iterable[tuple[str, str, int]]:
        """Yield the edges shown at `detail`: source, target, and the input slot of the target."""
        if detail == Detail.EQUATION:
            for line in self.lines:
                for use in line.uses:
                    yield self.nodes[use.source].name, line.name, use.slot
            return
        for node in self.nodes:
            for slot, source in enumerate(node.inputs):
                if source in self.active:
                    yield self.nodes[source].name, node.name, slot


def _ordinal(number: int) -> str:
    tens = 10 < number % 100 < 14
    return f"{number}{'th' if tens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
