"""Networks: what a file says, and a network bound to numbers.

A :class:`Network` is what a file says (:mod:`graphs.definition`; :mod:`graphs.reading` and
:mod:`graphs.writing` turn text into it and back). :func:`bind` gives it data, parameters drawn from a seed,
and a graph whose shapes have been checked: a :class:`Model`. Nothing here depends on which network it is; the
built-in ones are files like any other.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from engine.axes import distinct_names
from engine.data import (
    Dataset,
    Selection,
    batch_indices,
    bytes_of,
    held_examples,
    select,
)
from engine.errors import DataError, FormulaError, NetworkError, UsageError, excerpt
from engine.formula import Leaf, build, identifiers
from engine.graph import Graph, Kind
from engine.shapes import Dim, Dims, unnamed
from graphs.carrying import CARRIERS
from graphs.definition import Array, FileData, Literals, Network, Source, Training, in_formula_of
from graphs.initial import INITS, Initial, draw
from graphs.literals import array_of
from graphs.reading import built_in, built_in_names, loads
from graphs.reading import load as load_network
from graphs.shelf import shelf
from graphs.writing import dumps

__all__ = [
    "INITS",
    "SESSION",
    "FileData",
    "Initial",
    "Model",
    "Network",
    "Source",
    "Training",
    "array_of",
    "bind",
    "built_in",
    "built_in_names",
    "complete",
    "data_path",
    "draw",
    "dumps",
    "is_session",
    "leaf_dims",
    "literal",
    "load",
    "load_seeded",
    "loads",
    "table_source",
    "with_values",
]

MAX_ENTRIES = 2_000_000
SESSION = ".backstep"
"""How the name of a session's file ends."""


@dataclass(frozen=True)
class Model:
    """A network with data, parameters and a checked graph.

    Attributes
    ----------
    leaves
        The whole data (those held out excepted) and the initial parameters by name, read-only.
    graph
        The graph for the whole data; :meth:`batch` gives the one for a mini-batch.
    selection
        How the data were taken from a CSV, None for literal data.
    targets
        The names of the inputs that are targets.
    held_inputs
        The data of the examples held out of training by name, read-only; empty where there are none.
        :meth:`held` gives the graph with them.
    """

    network: Network
    seed: int
    leaves: Mapping[str, Array]
    graph: Graph
    kinds: tuple[Leaf, ...]
    notices: tuple[str, ...] = ()
    selection: Selection | None = None
    targets: tuple[str, ...] = ()
    held_inputs: Mapping[str, Array] = field(default_factory=dict)

    @property
    def examples(self) -> int:
        """The number of examples that are trained on; 1 where the inputs have no common one."""
        return self.graph.examples or 1

    @property
    def held_examples(self) -> int:
        """The number of examples that are held out of training."""
        axes = ((self._axes[name], array) for name, array in self.held_inputs.items())
        return next((array.shape[axis] for axis, array in axes if axis is not None), 0)

    @property
    def parameters(self) -> dict[str, Array]:
        """The initial parameters by name."""
        return {name: self.leaves[name] for name in self.graph.parameters}

    @property
    def inputs(self) -> dict[str, Array]:
        """The whole data by name."""
        return {name: self.leaves[name] for name in self.graph.inputs}

    def indices(self, iteration: int, batch_size: int | None) -> Array | None:
        """Return which examples the mini-batch of an iteration takes, None for all."""
        if batch_size is None or self.graph.examples is None:
            return None
        return batch_indices(self.graph.examples, batch_size, iteration, self.seed)

    def batch(self, indices: Array | None) -> tuple[Graph, dict[str, Array]]:
        """Return the graph and the data of a mini-batch."""
        if indices is None:
            return self.graph, self.inputs
        data = {name: _taken(array, indices, self._axes[name]) for name, array in self.inputs.items()}
        return self._graph_of(len(indices)), data

    def held(self) -> tuple[Graph, dict[str, Array]] | None:
        """Return the graph and the data of the examples held out of training, None where there are none."""
        if not self.held_inputs:
            return None
        return self._graph_of(self.held_examples), dict(self.held_inputs)

    def whole(self, name: str, array: Array, indices: Array | None) -> Array:
        """Return the whole of an input, of which `array` has the examples of a mini-batch."""
        axis = self._axes[name]
        if indices is None or axis is None:
            return array
        found = self.leaves[name].copy()
        found[(slice(None), indices) if axis else indices] = array
        return found

    def takes(self, values: Mapping[str, Any]) -> bool:
        """Say whether values can be put in the place of leaves just so: arrays of their shapes."""
        return all(
            isinstance(value, np.ndarray) and name in self.leaves and value.shape == self.leaves[name].shape
            for name, value in values.items()
        )

    def revalued(self, values: Mapping[str, Array]) -> Model:
        """Return the model with other numbers for some of its leaves; its graphs are the same ones.

        What :func:`bind` gives for the same values, without reading, drawing and checking anything anew.

        Parameters
        ----------
        values
            Arrays of the shapes of the leaves they replace; of data, the examples that are trained on.
        """
        arrays = {name: _read_only(array) for name, array in values.items()}
        same_for_all = {n: a for n, a in arrays.items() if n in self.held_inputs and self._axes[n] is None}
        found = replace(
            self, leaves={**self.leaves, **arrays}, held_inputs={**self.held_inputs, **same_for_all}
        )
        found.__dict__["_graphs"] = self._graphs
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle all but the graph, which is built again: operations are records with functions in them."""
        kept = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "graph"}
        return _rebuilt, (kept, self.graph.examples)

    def _graph_of(self, examples: int) -> Graph:
        found = self._graphs.get(examples)
        if found is None:
            leaves = [leaf._replace(dims=_resized(leaf.dims, examples)) for leaf in self.kinds]
            found = build(self.network.statements, leaves, loss=self.network.loss, examples=examples)
            self._graphs[examples] = found
        return found

    @cached_property
    def _axes(self) -> dict[str, int | None]:
        """Which axis of each input holds the examples."""
        return {leaf.name: _example_axis(leaf.dims) for leaf in self.kinds if leaf.kind == Kind.INPUT}

    @cached_property
    def _graphs(self) -> dict[int, Graph]:
        return {self.examples: self.graph}


def _read_only(array: Array) -> Array:
    found = np.array(array, dtype=float)
    found.flags.writeable = False
    return found


def _rebuilt(kept: dict[str, Any], examples: int | None) -> Model:
    network: Network = kept["network"]
    graph = build(network.statements, kept["kinds"], loss=network.loss, examples=examples)
    return Model(**kept, graph=graph)


def _example_axis(dims: Dims) -> int | None:
    return next((i for i, dim in enumerate(dims) if dim.examples), None)


def _taken(array: Array, indices: Array, axis: int | None) -> Array:
    """Return some examples of an array; one without an axis of examples is the same for all."""
    return array if axis is None else np.take(array, indices, axis=axis)


def _resized(dims: Dims, examples: int) -> Dims:
    return tuple(dim._replace(size=examples) if dim.examples else dim for dim in dims)


def bind(network: Network, *, seed: int = 0, overrides: Mapping[str, Any] | None = None) -> Model:
    """Return `network` with its data read, its parameters drawn and its shapes checked.

    Parameters
    ----------
    seed
        At least 0; the same seed gives the same numbers in every process.
    overrides
        Values for parameters or data by name, instead of the file's. Where examples are held out, data may be
        given for the others alone; those held out then keep the values of the file.

    Raises
    ------
    BackstepError
        For data that cannot be read, names nobody has defined, and shapes that do not fit.
    """
    if seed < 0:
        raise UsageError(f"the seed cannot be {seed}.", how="Choose a whole number from 0.")
    with in_formula_of(network):
        bound = _Bound(network, seed, overrides or {})
        _require_defined(network, bound.given, bound.arrays)
    arrays, sizes, selection = bound.arrays, bound.sizes, bound.selection
    leaves = bound.leaves()
    values = {name: sizes.part(name, sizes.kept) for name in arrays}
    for leaf in leaves[len(arrays) :]:
        spec = bound.given[leaf.name]
        values[leaf.name] = draw(spec, leaf.name, seed, leaf.dims) if isinstance(spec, Initial) else spec
    with in_formula_of(network):
        graph = build(network.statements, leaves, loss=network.loss, examples=sizes.examples)
    replaced = [name for name in overrides or {} if name in arrays]
    notices = (*_data_notices(selection, replaced), *sizes.notices(), *graph.notices)
    targets = bound.targets or _guess_targets(graph, sizes)
    held = {name: sizes.part(name, sizes.held) for name in arrays} if sizes.held.size else {}
    return Model(network, seed, values, graph, tuple(leaves), notices, selection, targets, held)


def leaf_dims(
    network: Network, *, seed: int = 0, overrides: Mapping[str, Any] | None = None
) -> dict[str, Dims]:
    """Return the shapes of the inputs and parameters that a network defines, whatever its formula reads.

    Axes have the names that the network gives, and their size where it gives none.

    Raises
    ------
    BackstepError
        For data that cannot be read, and dimensions without a size.
    """
    return _Bound(network, seed, overrides or {}).dims(is_known=True)


def data_of(network: Network, *, seed: int = 0) -> dict[str, Array]:
    """Return the whole data of a network by name, read from its CSV where they come from one.

    Raises
    ------
    BackstepError
        For data that cannot be read.
    """
    return _data(network, seed)[0]


class _Bound:
    """The data and the parameters of a network as it defines them, and the sizes that follow."""

    def __init__(self, network: Network, seed: int, overrides: Mapping[str, Any]) -> None:
        self.arrays, self.selection, self.targets = _data(network, seed)
        self.given = dict(network.parameters)
        _replace(network, overrides, self.given, self.arrays, seed)
        self.sizes = _Sizes(network, self.arrays, self.given, seed=seed)
        self._network = network

    def leaves(self) -> list[Leaf]:
        """Return the inputs, then the parameters."""
        kinds = {**dict.fromkeys(self.arrays, Kind.INPUT), **dict.fromkeys(self.given, Kind.PARAMETER)}
        return [Leaf(name, kinds[name], dims) for name, dims in self.dims().items()]

    def dims(self, *, is_known: bool = False) -> dict[str, Dims]:
        """Return the shapes of inputs and parameters; `is_known` is that of `distinct_names`."""
        dims = {name: self.sizes.data_dims(name) for name in self.arrays}
        dims |= {name: self.sizes.parameter_dims(name, spec) for name, spec in self.given.items()}
        network = self._network
        return distinct_names(network.statements, dims, network.dimensions, is_known=is_known)


def _data_notices(selection: Selection | None, replaced: Sequence[str]) -> tuple[str, ...]:
    """Return what was done to the data; what was given by hand is as it was given."""
    if selection is None or not replaced:
        return selection.notices if selection is not None else ()
    return (f"{', '.join(replaced)}: the values given here, not those of the file.",)


def load(source: str | Path) -> Network:
    """Return a built-in network by name, or the one in a file; in a session or an export, as it stands there.

    Raises
    ------
    BackstepError
        Where there is no such network, or the file cannot be read as one.
    """
    return load_seeded(source)[0]


def load_seeded(source: str | Path) -> tuple[Network, int]:
    """Return the same with the seed that a session or an export has; 0 for other networks.

    Raises
    ------
    BackstepError
        As :func:`load`.
    """
    if not is_session(source):
        return load_network(source), 0
    from graphs.sessions import read_session  # here, because no other start needs what it imports

    document = read_session(Path(source), with_runs=False).document
    network = with_values(document.network, document.overrides, document.seed)
    return replace(network, training=replace(network.training, recipe=document.recipe)), document.seed


def is_session(source: str | Path) -> bool:
    """Say whether a file's name is that of a session, or of an export that may carry one."""
    ending = Path(source).suffix
    return ending == SESSION or ending.lower() in CARRIERS


def complete(network: Network) -> Network:
    """Return `network` with the CSV that it needs attached, so that it can be opened anywhere.

    Raises
    ------
    DataError
        Where the CSV cannot be read any more.
    """
    data = network.data
    if not isinstance(data, FileData) or data.file in network.attached:
        return network
    path = data_path(network, data.file)
    if path.parent == Path(str(resources.files("graphs") / "datasets")):
        return network
    return replace(network, attached={**network.attached, data.file: bytes_of(path)})


def with_values(network: Network, overrides: Mapping[str, Any], seed: int = 0) -> Network:
    """Return `network` with values given by hand as its own.

    Data from a CSV of which any are given by hand become literal, all of them as they are bound; inputs that
    are numbers beside a CSV are that anyway.

    Raises
    ------
    BackstepError
        For values that are none, and data that cannot be read.
    """
    parameters = dict(network.parameters)
    data = network.data
    own = dict(data.own) if isinstance(data, FileData) else {}
    if own and all(name in parameters or name in own for name in overrides):
        assert isinstance(data, FileData)
        _replace(network, overrides, parameters, own, seed, is_split=False)
        return replace(network, parameters=parameters, data=replace(data, own=Literals(own)))
    if not any(name not in parameters for name in overrides):
        _replace(network, overrides, parameters, {}, seed, is_split=False)
        return replace(network, parameters=parameters) if overrides else network
    arrays, _, _ = _data(network, seed)
    _replace(network, overrides, parameters, arrays, seed)
    return replace(network, parameters=parameters, data=arrays)


def literal(network: Network, seed: int = 0) -> Network:
    """Return `network` with its data as numbers of its own, those held out among them.

    Raises
    ------
    DataError
        For data that cannot be read.
    """
    return replace(network, data=_data(network, seed)[0], attached={})


def _replace(
    network: Network,
    overrides: Mapping[str, Any],
    given: dict[str, Array | Initial],
    arrays: dict[str, Array],
    seed: int,
    is_split: bool = True,
) -> None:
    """Put the values given by hand in the place of the file's."""
    has_held = bool(overrides) and is_split and network.held_out > 0
    sizes = _Sizes(network, dict(arrays), given, seed=seed) if has_held else None
    for name, value in overrides.items():
        array = value if isinstance(value, np.ndarray) else array_of(value, f"the value of {excerpt(name)}")
        if name in given:
            given[name] = array
        elif name in arrays:
            arrays[name] = sizes.merged(name, array) if sizes is not None else array
        else:
            known = ", ".join((*given, *arrays))
            raise UsageError(
                f"{excerpt(name)} is neither a parameter nor data of this network.",
                how=f"There are: {excerpt(known, 160)}.",
            )


def _data(network: Network, seed: int) -> tuple[dict[str, Array], Selection | None, tuple[str, ...]]:
    data = network.data
    if not isinstance(data, FileData):
        return dict(data), None, ()
    chosen = select(
        _table(network, data),
        data.inputs,
        data.targets,
        standardize=data.standardize,
        where=data.where,
        held_out=network.held_out,
        seed=seed,
    )
    return {**chosen.arrays, **data.own}, chosen, tuple(data.targets)


def _table(network: Network, data: FileData) -> Dataset:
    """Return the data set that is named: as it was when the network was read, where that is known."""
    try:
        return shelf.read(*table_source(network, data.file), data.stated)
    except DataError as error:
        own = network.source.path
        if own is None:
            raise
        where = ", ".join(part for part in (excerpt(own.name), error.where) if part)
        raise DataError(error.what, where=where, how=error.how) from error


def table_source(network: Network, file: str) -> tuple[Path | bytes, str]:
    """Return where the data set of this name is read from: a file, or what one held; and what it is called.

    Raises
    ------
    DataError
        Where there is none of that name.
    """
    raw = network.attached.get(file)
    path = Path(file) if raw is not None else data_path(network, file)
    return (path if raw is None else raw), path.name


def data_path(network: Network, file: str) -> Path:
    """Return the CSV beside the network's file, or the built-in one of that name."""
    is_named = network.folder is not None or Path(file).is_absolute()
    own = (network.folder or Path()) / file if is_named else None
    if own is not None and _exists(own):
        return own
    name = file if file.endswith(".csv") else f"{file}.csv"
    built_in_file = Path(str(resources.files("graphs") / "datasets")) / Path(name).name
    if _exists(built_in_file) and Path(file).name == file:
        return built_in_file
    if own is not None:
        return own
    raise DataError(f"there is no data set {excerpt(file)}.", how="Put the CSV beside the network's file.")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _require_defined(network: Network, given: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
    """Say which names of the formula nobody has defined, before shapes are looked at."""
    missing = [n for n in identifiers(network.statements) if n not in given and n not in arrays and n != "m"]
    if not missing or (not given and not arrays):
        return
    items = ((item, s) for s in network.statements for item in s.items if item.kind == "name")
    item = next(i for i, _ in items if i.text == missing[0])
    if any(s.name == item.text for s in network.statements):
        return  # used before its line, or in it: the builder says that better
    close = difflib.get_close_matches(
        item.text, [*given, *arrays, *(s.name for s in network.statements)][:500], 1
    )
    hint = f"Did you mean {close[0]}? Otherwise add" if close else "Add"
    raise FormulaError(
        f"{excerpt(item.text)} is not defined.",
        line=item.line,
        column=item.column,
        how=f"{hint} it under [parameters] or [data].",
    )


def _guess_targets(graph: Graph, sizes: _Sizes) -> tuple[str, ...]:
    """Return the inputs that only the loss reads: what a network is to meet."""
    loss = graph.line_by_name[graph.loss]
    by_loss = {graph.nodes[use.source].name for use in loss.uses}
    others = {graph.nodes[u.source].name for line in graph.lines if line is not loss for u in line.uses}
    return tuple(n for n in graph.inputs if n in by_loss and n not in others)


class _Sizes:
    """Names for the axes: m from the data's columns, n from the first input's rows, others from the file.

    Attributes
    ----------
    kept, held
        Which examples of the data are trained on, and which are held out.
    examples
        How many are trained on, None where the inputs have no common number.
    """

    def __init__(
        self,
        network: Network,
        arrays: Mapping[str, Array],
        parameters: Iterable[str] = (),
        seed: int = 0,
    ) -> None:
        self._network = network
        self._arrays = arrays
        own = network.data.own if isinstance(network.data, FileData) else ()
        self._whole = _count_examples([array for name, array in arrays.items() if name not in own])
        self.held = self._held(seed)
        self.kept = np.delete(np.arange(self._whole or 0), self.held)
        self.examples = None if self._whole is None else len(self.kept)
        taken = {s.name for s in network.statements} | {*arrays, *parameters}
        self._m = "m" if "m" not in taken else None
        self._named = dict(network.dimensions)
        self._check_m(network)
        if self.held.size:
            self._named.pop("m", None)  # it counts those held out as well
        self._first = next((n for n, a in arrays.items() if a.ndim == 2 and a.shape[0] > 1), None)
        if arrays:
            self._named.setdefault("n", 1 if self._first is None else arrays[self._first].shape[0])

    def _held(self, seed: int) -> Array:
        if not self._network.held_out:
            return np.empty(0, dtype=np.intp)
        if self._whole is None:
            raise NetworkError(
                "the data have no common number of examples, so none can be held out.",
                where=self._network.name,
                how="Leave held_out out.",
            )
        return held_examples(self._whole, self._network.held_out, seed)

    def _check_m(self, network: Network) -> None:
        given = network.dimensions.get("m", self._whole)
        if self._whole is not None and given != self._whole:
            raise NetworkError(
                f"the dimension m is {given}, but the data have {self._whole} examples.",
                where=network.name,
                how="m comes from the data: leave it out.",
            )

    def notices(self) -> tuple[str, ...]:
        """Return what is to be said about the examples that are held out."""
        if not self.held.size:
            return ()
        verb = "is" if self.held.size == 1 else "are"
        return (f"{self.held.size:,} of {self._whole:,} examples {verb} held out.",)

    def part(self, name: str, examples: Array) -> Array:
        """Return some examples of an input, read-only; all of it where it has no axis of examples."""
        whole = self._arrays[name]
        axis = self._examples_axis(whole.shape)
        if axis is None or not self.held.size:
            return whole
        array = np.take(whole, examples, axis=axis)
        array.flags.writeable = False
        return array

    def merged(self, name: str, array: Array) -> Array:
        """Return the whole input where `array` has the examples that are trained on alone."""
        whole = self._arrays[name]
        axis = self._examples_axis(whole.shape)
        if axis is None or array.shape != self.part(name, self.kept).shape:
            return array
        found = whole.copy()
        found[(slice(None), self.kept) if axis else self.kept] = array
        return found

    def data_dims(self, name: str) -> Dims:
        shape = self._arrays[name].shape
        axis = self._examples_axis(shape)
        return tuple(
            self._examples_dim() if i == axis else self._rows_dim(name) if i == 0 else unnamed(size)
            for i, size in enumerate(shape)
        )

    def _examples_axis(self, shape: tuple[int, ...]) -> int | None:
        if self._whole is None or len(shape) != 2:
            return None
        if shape[1] == self._whole:
            return 1
        return 0 if shape[0] == self._whole else None

    def _examples_dim(self) -> Dim:
        assert self.examples is not None
        return Dim(self._m or str(self.examples), self.examples, True)

    def _rows_dim(self, name: str) -> Dim:
        """Return the axis of an input's features: n for the first input that has several."""
        size = self._arrays[name].shape[0]
        return Dim("n", size) if name == self._first and self._named.get("n") == size else unnamed(size)

    def parameter_dims(self, name: str, spec: Array | Initial) -> Dims:
        if not isinstance(spec, Initial):
            return tuple(map(unnamed, spec.shape))
        dims = tuple(self._named_dim(name, entry) for entry in spec.shape)
        if np.prod([d.size for d in dims]) > MAX_ENTRIES:
            raise NetworkError(
                f"{name} would have more than {MAX_ENTRIES:,} entries.", how="Choose a smaller shape."
            )
        return dims

    def _named_dim(self, parameter: str, entry: str | int) -> Dim:
        if isinstance(entry, int):
            return unnamed(entry)
        if entry == "m" and self.examples is not None:
            if self.held.size:
                raise NetworkError(
                    f"{excerpt(parameter)} has a value for every example, so none can be held out.",
                    how="Give it another shape, or leave held_out out.",
                )
            return self._examples_dim()
        if entry not in self._named:
            known = ", ".join([*self._named, "m"])
            raise NetworkError(
                f"the dimension {excerpt(entry)} of {excerpt(parameter)} has no size.",
                how=f"Give it one under [dimensions]; there are: {known}.",
            )
        return Dim(entry, self._named[entry])


def _count_examples(arrays: Sequence[Array]) -> int | None:
    """Return the number of columns that the data agree on, None where they do not.

    An input of one column beside others of several is taken as the same for every example.
    """
    shapes = [array.shape for array in arrays if array.ndim == 2]
    several = {shape[1] for shape in shapes if shape[1] > 1}
    if not several:
        return 1 if shapes else None
    if len(several) == 1:
        return several.pop()
    common = set.intersection(*(set(shape) for shape in shapes if shape[1] > 1)) - {1}
    return common.pop() if len(common) == 1 else None
