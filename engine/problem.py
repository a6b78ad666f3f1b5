"""What can be trained."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from engine.graph import Graph

__all__ = ["Problem"]

Array = np.ndarray


class Problem(Protocol):
    """A graph with parameters and data, whole or a mini-batch of it."""

    @property
    def graph(self) -> Graph:
        """The graph for the whole data."""
        ...

    @property
    def parameters(self) -> dict[str, Array]:
        """The initial parameters by name."""
        ...

    @property
    def examples(self) -> int:
        """The number of examples."""
        ...

    @property
    def inputs(self) -> dict[str, Array]:
        """The whole data by name."""
        ...

    def indices(self, iteration: int, batch_size: int | None) -> Array | None:
        """Return which examples an iteration takes, None for all."""
        ...

    def batch(self, indices: Array | None) -> tuple[Graph, dict[str, Array]]:
        """Return the graph and the data of a mini-batch."""
        ...

    def held(self) -> tuple[Graph, dict[str, Array]] | None:
        """Return the graph and the data of the examples held out of training, None where there are none."""
        ...
