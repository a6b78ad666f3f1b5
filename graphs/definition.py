"""What a network file says, as values: nothing here reads, writes or computes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from engine.data import Between
from engine.dialect import NOTHING, Stated
from engine.errors import FormulaError
from engine.formula import Statement, parse
from engine.training import Recipe
from graphs.initial import Initial

__all__ = ["Array", "FileData", "Literals", "Network", "Source", "Training", "in_formula_of"]

Array = np.ndarray
KEPT = "_text"
"""Where a network keeps its text, which takes a while to be written."""


@dataclass(frozen=True, eq=False)
class Source:
    """Where a network comes from; all that is made of it by editing shares this one object.

    Attributes
    ----------
    text
        The file's text as it stands there, "" for a network that was never text.
    path
        The file, None for a built-in network and for one that was pasted.
    """

    text: str = ""
    path: Path | None = None


@dataclass(frozen=True)
class Training:
    """How a network is trained unless the user says otherwise: what the window and ``train`` start from.

    A file says it in one table, every hyperparameter under its own name::

        [training]
        optimizer = "adam"       # gd, momentum, nesterov, adagrad, rmsprop or adam
        learning_rate = 0.01     # the optimizer's own default where it is left out
        beta1 = 0.95             # and so for its other hyperparameters
        steps = 1000
        batch_size = 16          # all examples where it is left out
        schedule = "cosine"      # constant, step, exponential, cosine or warmup
        period = 900             # the schedule's own hyperparameters
        warmup = 100             # which every schedule has
        stop_loss = 0.05         # stop early: at this loss,
        tolerance = 1e-9         # when the loss changes no more than this,
        gradient_tolerance = 1e-6  # or when the gradient's norm is at most this
    """

    recipe: Recipe = field(default_factory=lambda: Recipe().checked())
    steps: int = 500


class Literals(Mapping[str, Array]):
    """Arrays by name, which are equal where their numbers are."""

    def __init__(self, arrays: Mapping[str, Array] | None = None) -> None:
        self._arrays = dict(arrays or {})

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literals) and self._said() == other._said()

    __hash__ = None  # type: ignore[assignment]  (as of other mappings)

    def __repr__(self) -> str:
        return f"Literals({self._arrays!r})"

    def _said(self) -> dict[str, tuple[tuple[int, ...], bytes]]:
        return {name: (array.shape, array.tobytes()) for name, array in self._arrays.items()}


@dataclass(frozen=True)
class FileData:
    """Data from a CSV: the columns that become the rows of each input and target.

    Attributes
    ----------
    file
        A built-in data set's name, or a path from the network's folder, or an absolute one.
    where
        For some columns the values to keep, or the range of numbers.
    stated
        What the network's file says of how the table is written.
    own
        Inputs that the table does not give: the network's file has their numbers.
    """

    file: str
    inputs: Mapping[str, tuple[str, ...]]
    targets: Mapping[str, tuple[str, ...]]
    standardize: bool | tuple[str, ...] = False
    where: Mapping[str, tuple[Any, ...] | Between] = field(default_factory=dict)
    stated: Stated = NOTHING
    own: Literals = field(default_factory=Literals)

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of every input and target that the table gives."""
        return {**self.inputs, **self.targets}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all data: inputs and targets of the table, then the network's own."""
        return (*self.inputs, *self.targets, *self.own)

    def having(self, name: str, array: Array | None) -> FileData:
        """Return the data with other numbers for one of the network's own inputs, or without it."""
        rest = {n: a for n, a in self.own.items() if n != name or array is not None}
        return replace(self, own=Literals(rest if array is None else {**rest, name: array}))


@dataclass(frozen=True)
class Network:
    """A network as its file has it.

    Attributes
    ----------
    name
        The built-in name, or the file's name without its ending.
    parameters
        For each name its value, or how it is drawn.
    data
        Literal arrays by name, or the columns of a CSV.
    folder
        Where a CSV is looked for, None for a built-in network.
    held_out
        Which part of the examples is kept out of training, from 0 to below 1.
    source
        The text and the file that it was read from.
    attached
        The CSV files that belong to it, as they were when it was read, by the name the network gives them.
    """

    name: str
    title: str
    formula: str
    loss: str | None = None
    description: str = ""
    dimensions: Mapping[str, int] = field(default_factory=dict)
    parameters: Mapping[str, Array | Initial] = field(default_factory=dict)
    data: Mapping[str, Array] | FileData = field(default_factory=dict)
    training: Training = field(default_factory=Training)
    folder: Path | None = None
    held_out: float = 0.0
    source: Source = field(default_factory=Source, compare=False, repr=False)
    attached: Mapping[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def statements(self) -> Sequence[Statement]:
        """The parsed formula."""
        return parse(self.formula)

    def taking(self, statements: Sequence[Statement]) -> Network:
        """Return this network, which takes `statements` as its formula parsed already: parsing costs most."""
        self.__dict__["statements"] = statements  # where a cached property keeps its value
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what only its file is written from: training in another process needs none of it."""
        kept = {key: value for key, value in self.__dict__.items() if key != KEPT}
        return {**kept, "source": Source(), "attached": {}}


@contextmanager
def in_formula_of(network: Network) -> Iterator[None]:
    """Let an error in a formula say which file's: its line is counted inside the formula."""
    try:
        yield
    except FormulaError as error:
        if network.folder is not None:
            error.where = f"{network.name}.toml, formula {error.where}"
        raise
