"""Where the parameters of a network lie in one vector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from engine import shapes
from engine.graph import Graph
from engine.memory import aligned
from engine.plan.emission import Array
from engine.plan.values import Shape

__all__ = ["Block", "Layout"]


@dataclass(frozen=True)
class Block:
    """A matrix of parameters beside one another.

    Attributes
    ----------
    members
        The parameters and how many columns each takes; the last may be a bias, shaped otherwise.
    closed
        Whether a row (0, ..., 0, 1) stands under the matrix: it hands a row of ones on.
    tail
        A number behind the matrix, the coefficient of a target; None without.
    """

    name: str
    rows: int
    members: tuple[tuple[str, int], ...]
    closed: bool = False
    tail: float | None = None

    @property
    def shape(self) -> Shape:
        """The shape of the matrix."""
        return (self.rows, sum(columns for _, columns in self.members))

    @property
    def size(self) -> int:
        """The number of entries, fixed ones included."""
        rows, columns = self.shape
        return (rows + self.closed) * columns + (self.tail is not None)


class Layout:
    """Where each parameter lies in the vector.

    Parameters
    ----------
    graph
        The network.
    blocks
        The matrices that lie whole; every parameter that is in none follows them.
    """

    def __init__(self, graph: Graph, blocks: Sequence[Block] = ()) -> None:
        self.blocks = tuple(blocks)
        self.shapes = {name: shapes.sizes(graph[name].dims) for name in graph.parameters}
        inside = {name for block in blocks for name, _ in block.members}
        self._alone = [name for name in self.shapes if name not in inside]
        self.size = sum(block.size for block in blocks)
        self.size += sum(int(np.prod(self.shapes[name])) for name in self._alone)
        places = self.views(np.arange(self.size))
        self.places = np.concatenate(
            [np.zeros(0, np.intp), *(places[name].reshape(-1) for name in self.shapes)]
        )

    def start(self) -> Array:
        """Return a vector with nothing but the entries that are fixed."""
        vector = aligned((self.size,))
        for block in self.blocks:
            if block.closed:
                self.matrix(vector, block, "closed")[-1, -1] = 1.0
            if block.tail is not None:
                self.matrix(vector, block, "padded")[-1, -1] = block.tail
        return vector

    def block(self, name: str) -> Block:
        """Return a block by name."""
        return next(block for block in self.blocks if block.name == name)

    def matrix(self, vector: Array, block: Block, role: str = "block") -> Array:
        """Return a block as a view of a vector: alone, with the row that closes it, or with its tail."""
        start = sum(other.size for other in self.blocks[: self.blocks.index(block)])
        rows, columns = block.shape
        rows, columns = rows + (role == "closed"), columns + (role == "padded")
        return vector[start : start + rows * columns].reshape(rows, columns)

    def views(self, vector: Array) -> dict[str, Array]:
        """Return the parameters by name as views of a vector."""
        found: dict[str, Array] = {}
        start = 0
        for block in self.blocks:
            matrix = self.matrix(vector, block)
            start += block.size  # with what closes it, or stands behind it
            column = 0
            for name, columns in block.members:
                part = matrix[: block.rows, column : column + columns]
                found[name] = (
                    part if part.shape == self.shapes[name] else part[:, 0].reshape(self.shapes[name])
                )
                column += columns
        for name in self._alone:
            size = int(np.prod(self.shapes[name]))
            found[name] = vector[start : start + size].reshape(self.shapes[name])
            start += size
        return found
