"""Networks: the file format a user writes, and a network bound to numbers.

A :class:`Network` is what a file says. :func:`bind` gives it data, parameters drawn from a seed, and a graph
whose shapes have been checked: a :class:`Model`. Nothing here depends on which network it is; the built-in
ones are files like any other.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cached_property, lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from engine.data import HELD_OUT_RANGE, Selection, batch_indices, held_examples, read_csv, select
from engine.errors import DataError, FormulaError, NetworkError, TrainingError, UsageError, excerpt
from engine.formula import Leaf, Statement, build, identifiers, instead_of, parse, reserved
from engine.graph import Graph, Kind
from engine.shapes import UNIT, Dim, Dims
from engine.training import Recipe
from graphs.recipes import OF_OPTIMIZERS, OF_SCHEDULES, OF_STOPPING, recipe_of, table_of

__all__ = [
    "INITS",
    "Model",
    "Network",
    "Training",
    "bind",
    "built_in",
    "built_in_names",
    "dumps",
    "load",
    "loads",
]

Array = np.ndarray
LARGEST_FILE = 8 * 2**20
LARGEST_NUMBER = 1e300
MAX_ENTRIES = 2_000_000


# --- what a file says --------------------------------------------------------------------------------------


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


@dataclass(frozen=True)
class Initial:
    """A parameter that is drawn: its shape (names or numbers) and how."""

    shape: tuple[str | int, ...]
    init: str


@dataclass(frozen=True)
class FileData:
    """Data from a CSV: the columns that become the rows of each input and target."""

    file: str
    inputs: Mapping[str, tuple[str, ...]]
    targets: Mapping[str, tuple[str, ...]]
    standardize: bool | tuple[str, ...] = False
    where: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


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

    @cached_property
    def statements(self) -> Sequence[Statement]:
        """The parsed formula."""
        return parse(self.formula)


# --- reading -----------------------------------------------------------------------------------------------

_KEYS = {"title", "description", "formula", "loss", "dimensions", "parameters", "data", "training"}
_DATA_KEYS = {"file", "inputs", "targets", "standardize", "where", "held_out"}


def load(source: str | Path) -> Network:
    """Return a built-in network by name, or the one in a file.

    Raises
    ------
    BackstepError
        Where there is no such network, or the file cannot be read as one.
    """
    name = str(source)
    if name in built_in_names():
        return built_in(name)
    path = Path(name)
    if path.suffix != ".toml" and not _is_file(path):
        raise UsageError(f"there is no network {excerpt(name)}.", how=_which_network(name))
    return loads(_read(path), name=path.stem, folder=path.resolve().parent, where=path.name)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name longer than any file's
        return False


def _which_network(name: str) -> str:
    close = difflib.get_close_matches(name[:100], built_in_names(), 1)
    hint = f"Did you mean {close[0]}? " if close else ""
    return f"{hint}Name a .toml file or one of: {', '.join(built_in_names())}."


def _read(path: Path) -> str:
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise NetworkError(
                "this is not an ordinary file.", where=excerpt(path.name), how="Name a .toml file."
            )
        if path.stat().st_size > LARGEST_FILE:
            raise NetworkError(
                f"the file is larger than {LARGEST_FILE // 2**20} MB.",
                where=excerpt(path.name),
                how="Put large data into a CSV beside it.",
            )
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise NetworkError(
            "the file is not UTF-8 text.", where=excerpt(path.name), how="Save it as UTF-8."
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no such path"
        raise NetworkError(
            f"the file cannot be read ({reason.lower()}).", where=excerpt(path, 100), how="Check its name."
        ) from None


@lru_cache(maxsize=1)
def built_in_names() -> tuple[str, ...]:
    """Return the names of the built-in networks, in the order in which a course meets them."""
    folder = resources.files("graphs") / "networks"
    found = [
        (_place(entry.read_text("utf-8")), entry.name[:-5])
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    ]
    return tuple(name for _, name in sorted(found))


def _place(text: str) -> int:
    """Return the number in the first line's comment, ``# 4``, by which built-in networks are ordered."""
    match = re.match(r"#\s*(\d+)", text)
    return int(match[1]) if match else 1000


def built_in(name: str) -> Network:
    """Return a built-in network."""
    text = (resources.files("graphs") / "networks" / f"{name}.toml").read_text("utf-8")
    return loads(text, name=name, where=f"{name}.toml")


def loads(text: str, *, name: str = "network", folder: Path | None = None, where: str = "") -> Network:
    """Return the network that a file's text says.

    Raises
    ------
    NetworkError
        For anything that is not such a file; names the key.
    FormulaError
        For a formula that cannot be read.
    """
    where = where or name
    document = _toml(text, where)
    _known_keys(document, _KEYS, where)
    reader = _Reader(where)
    network = Network(
        name=name,
        title=reader.text(document, "title", name),
        formula=reader.formula(document),
        loss=reader.text(document, "loss", None),
        description=reader.text(document, "description", ""),
        dimensions=reader.dimensions(reader.table(document, "dimensions")),
        parameters=reader.parameters(reader.table(document, "parameters")),
        data=reader.data(reader.table(document, "data")),
        training=reader.training(reader.table(document, "training")),
        folder=folder,
        held_out=reader.held_out(reader.table(document, "data")),
    )
    with _in_formula_of(network):
        _ = network.statements  # a formula that cannot be read is said at once
    _check_names(network, where)
    return network


_LONG_KEY = re.compile(r"(?:[\w-]+\.){100}")


def _toml(text: str, where: str) -> dict[str, Any]:
    if _LONG_KEY.search(text):  # the reader's time grows with the square of it
        raise NetworkError("a name has more than a hundred dots.", where=where, how="Write plain keys.")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NetworkError(
            f"the file is not valid TOML: {excerpt(error, 120)}.", where=where, how="Correct that place."
        ) from None
    except RecursionError:
        raise NetworkError(
            "the file is nested too deeply.", where=where, how="Write plain lists of numbers."
        ) from None
    except ValueError:  # of thousands of digits
        raise NetworkError(
            "the file has a number that is too long.", where=where, how="The largest is about 1.8e308."
        ) from None


def _known_keys(table: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in table:
        if key not in known:
            close = difflib.get_close_matches(key[:100], sorted(known), 1)
            hint = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(sorted(known))}."
            raise NetworkError(f"there is no key {excerpt(key)}.", where=where, how=hint)


def _check_names(network: Network, where: str) -> None:
    data = network.data
    names = (*data.inputs, *data.targets) if isinstance(data, FileData) else tuple(data)
    both = [name for name in network.parameters if name in names]
    if both:
        raise NetworkError(
            f"{excerpt(both[0])} is both a parameter and data.", where=where, how="Rename one of them."
        )


class _Reader:
    """Reads the tables of a network file, naming the key in every error."""

    def __init__(self, where: str) -> None:
        self._where = where

    def fail(self, what: str, how: str = "", key: str = "") -> NetworkError:
        return NetworkError(what, where=f"{self._where}, {key}" if key else self._where, how=how)

    def text(self, document: Mapping[str, Any], key: str, default: Any) -> Any:
        value = document.get(key, default)
        if value is not default and not isinstance(value, str):
            raise self.fail(f"{key} is not text.", 'Write it in quotation marks, such as "L".')
        return value

    def formula(self, document: Mapping[str, Any]) -> str:
        if "formula" not in document:
            raise self.fail("there is no formula.", 'Add formula = """..."""; a network is its formula.')
        return self.text(document, "formula", "")

    def table(self, document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = document.get(key, {})
        if not isinstance(value, Mapping):
            raise self.fail(f"{key} is not a table.", f"Write [{key}] on a line of its own.")
        return value

    def dimensions(self, table: Mapping[str, Any]) -> dict[str, int]:
        for name, size in table.items():
            if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= 100_000:
                raise self.fail(
                    f"{excerpt(repr(size))} is not a size.", "Write a whole number from 1 to 100000.", name
                )
        return dict(table)

    def parameters(self, table: Mapping[str, Any]) -> dict[str, Array | Initial]:
        return {self.identifier(n, "parameters"): self.parameter(n, value) for n, value in table.items()}

    def parameter(self, name: str, value: Any) -> Array | Initial:
        if not isinstance(value, Mapping):
            return array_of(value, f"{self._where}, parameter {excerpt(name)}")
        _known_keys(value, {"shape", "init"}, f"{self._where}, parameter {excerpt(name)}")
        init = value.get("init", "xavier")
        if not isinstance(init, str) or init not in INITS:
            raise self.fail(f"there is no init {excerpt(init)}.", f"There are: {', '.join(INITS)}.", name)
        return Initial(self.shape(name, value.get("shape", ())), init)

    def shape(self, name: str, shape: Any) -> tuple[str | int, ...]:
        fine = isinstance(shape, list | tuple) and len(shape) <= 2
        if not fine or not all(isinstance(s, str) or (type(s) is int and 0 < s <= 100_000) for s in shape):
            raise self.fail(
                f"the shape {excerpt(shape)} is not one.",
                'Write [rows, columns], such as ["k", "n"] or [3, 1].',
                name,
            )
        return tuple(shape)

    def identifier(self, name: str, table: str) -> str:
        """Return a name as the formula reads it."""
        name = unicodedata.normalize("NFKC", name)
        if not name.isidentifier():
            raise self.fail(f"{excerpt(name)} is not a name.", "Use letters, digits and _.", f"[{table}]")
        if reserved(name):
            raise self.fail(f"{excerpt(name)} is {reserved(name)}.", instead_of(name), f"[{table}]")
        return name

    def data(self, table: Mapping[str, Any]) -> Mapping[str, Array] | FileData:
        if "file" in table:
            return self.file_data(table)
        return {
            self.identifier(name, "data"): array_of(value, f"{self._where}, data {excerpt(name)}")
            for name, value in table.items()
            if name != "held_out"
        }

    def held_out(self, table: Mapping[str, Any]) -> float:
        """Return which part of the examples is held out."""
        value = table.get("held_out", 0.0)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not 0 <= value < 1:
            what = f"{excerpt(value, 30)} of the examples cannot be held out."
            raise self.fail(what, HELD_OUT_RANGE, "[data], held_out")
        return float(value)

    def file_data(self, table: Mapping[str, Any]) -> FileData:
        _known_keys(table, _DATA_KEYS, f"{self._where}, [data]")
        standardize = table.get("standardize", False)
        if not isinstance(standardize, bool):
            standardize = self.words(standardize, "standardize")
        if not isinstance(table["file"], str):
            raise self.fail("file is not text.", 'Write file = "cars.csv".', "[data]")
        where = {key: self.choices(v, key) for key, v in self.table(table, "where").items()}
        return FileData(
            table["file"],
            self.columns(table, "inputs"),
            self.columns(table, "targets"),
            standardize,
            where,
        )

    def choices(self, value: Any, key: str) -> tuple[str | int | float, ...]:
        values = tuple(value) if isinstance(value, list) else (value,)
        for entry in values:
            if not isinstance(entry, str | int | float) or isinstance(entry, bool) or entry != entry:
                raise self.fail(
                    f"{excerpt(entry)} is neither text nor a number.",
                    'Write where = { species = ["Adelie"] }.',
                    f"[data], where.{excerpt(key)}",
                )
        return values

    def columns(self, table: Mapping[str, Any], key: str) -> dict[str, tuple[str, ...]]:
        value = table.get(key, {})
        if not isinstance(value, Mapping) or (key == "inputs" and not value):
            raise self.fail(f"{key} does not name columns.", f'Write {key} = {{ X = ["speed"] }}.', "[data]")
        return {
            self.identifier(name, "data"): self.words(columns, f"{key}.{name}")
            for name, columns in value.items()
        }

    def words(self, value: Any, key: str) -> tuple[str, ...]:
        words = (value,) if isinstance(value, str) else value
        if not isinstance(words, list | tuple) or not all(isinstance(w, str) for w in words):
            raise self.fail(
                f"{excerpt(value)} is not a list of columns.", 'Write ["speed"].', f"[data], {key}"
            )
        return tuple(words)

    def training(self, table: Mapping[str, Any]) -> Training:
        numbers = (*OF_OPTIMIZERS, *OF_SCHEDULES, *OF_STOPPING, "steps", "batch_size")
        _known_keys(table, {"optimizer", "schedule", *numbers}, f"{self._where}, [training]")
        for key, value in table.items():
            self.training_value(key, value)
        try:
            recipe = recipe_of({key: value for key, value in table.items() if key != "steps"})
        except TrainingError as error:
            raise self.fail(error.what, error.how, "[training]") from None
        return Training(recipe, table.get("steps", Training().steps))

    def training_value(self, key: str, value: Any) -> None:
        """Check the kind of a value; its range is the recipe's business."""
        if key in ("optimizer", "schedule"):
            if not isinstance(value, str):
                raise self.fail(
                    f"{excerpt(value)} is not text.", f'Write {key} = "NAME".', f"[training], {key}"
                )
            return
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.fail(
                f"{excerpt(value)} is not a number.", f"Write {key} = NUMBER.", f"[training], {key}"
            )
        if key == "steps" and not (isinstance(value, int) and 1 <= value <= LARGEST_NUMBER):
            raise self.fail(
                f"the steps cannot be {excerpt(value, 30)}.",
                "It is a whole number of at least 1.",
                f"[training], {key}",
            )


def array_of(value: Any, where: str) -> Array:
    """Return a literal value as a read-only array.

    A number is 0-d, a flat list a row (1, m), a list of rows (n, m).

    Raises
    ------
    DataError
        For anything else: text, ragged rows, more than two dimensions, no entries, nan or infinity.
    """
    depth = _depth(value)
    if depth > 2:
        raise DataError(
            "there are more than two dimensions.", where=where, how="Write a list of rows of numbers."
        )
    rows = [[value]] if depth == 0 else [value] if depth == 1 else value
    if any(not isinstance(row, list | tuple) for row in rows) or len({len(row) for row in rows}) != 1:
        raise DataError("the rows are not equally long.", where=where, how="Give every row as many numbers.")
    if not rows[0]:
        raise DataError("there are no numbers.", where=where, how="Give at least one.")
    array = np.array([[_float(entry, where) for entry in row] for row in rows])
    array = array.reshape(()) if depth == 0 else array
    array.flags.writeable = False
    return array


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list | tuple) and depth < 4:
        depth += 1
        value = value[0] if value else None
    return depth


def _float(entry: Any, where: str) -> float:
    try:
        number = float(entry) if isinstance(entry, int | float) and not isinstance(entry, bool) else None
    except OverflowError:
        number = float("inf")
    if number is None or not np.isfinite(number):
        raise DataError(
            f"{excerpt(repr(entry), 30)} is not a finite number.",
            where=where,
            how='Write a number; a CSV is named with file = "iris.csv".'
            if isinstance(entry, str)
            else "Write a number.",
        )
    return number


# --- initialisers ------------------------------------------------------------------------------------------


def _fans(shape: Sequence[int]) -> tuple[int, int]:
    return (shape[-1], shape[0]) if len(shape) == 2 else (1, 1)


def _xavier(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    limit = np.sqrt(6.0 / sum(_fans(shape)))
    return rng.uniform(-limit, limit, shape)


INITS = {
    # Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010
    "xavier": _xavier,
    # He et al., "Delving deep into rectifiers", 2015
    "he": lambda rng, shape: rng.normal(0.0, np.sqrt(2.0 / _fans(shape)[0]), shape),
    "normal": lambda rng, shape: rng.normal(0.0, 1.0, shape),
    "uniform": lambda rng, shape: rng.uniform(-1.0, 1.0, shape),
    "zeros": lambda rng, shape: np.zeros(shape),
    "ones": lambda rng, shape: np.ones(shape),
}


def draw(initial: Initial, name: str, seed: int, dims: Dims) -> Array:
    """Return a drawn parameter; its numbers depend on the seed and its own name alone."""
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    array = np.asarray(INITS[initial.init](rng, tuple(d.size for d in dims)), dtype=float)
    array.flags.writeable = False
    return array


# --- a network bound to numbers ----------------------------------------------------------------------------


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
    arrays, selection, targets = _data(network, seed)
    given = dict(network.parameters)
    _replace(network, overrides or {}, given, arrays, seed)
    with _in_formula_of(network):
        _require_defined(network, given, arrays)
    sizes = _Sizes(network, arrays, given, seed=seed)
    leaves, values = [], {}
    for name in arrays:
        leaves.append(Leaf(name, Kind.INPUT, sizes.data_dims(name)))
        values[name] = sizes.part(name, sizes.kept)
    for name, spec in given.items():
        dims = sizes.parameter_dims(name, spec)
        leaves.append(Leaf(name, Kind.PARAMETER, dims))
        values[name] = draw(spec, name, seed, dims) if isinstance(spec, Initial) else spec
    with _in_formula_of(network):
        graph = build(network.statements, leaves, loss=network.loss, examples=sizes.examples)
    replaced = [name for name in overrides or {} if name in arrays]
    notices = (*_data_notices(selection, replaced), *sizes.notices(), *graph.notices)
    targets = targets or _guess_targets(graph, sizes)
    held = {name: sizes.part(name, sizes.held) for name in arrays} if sizes.held.size else {}
    return Model(network, seed, values, graph, tuple(leaves), notices, selection, targets, held)


@contextmanager
def _in_formula_of(network: Network) -> Iterator[None]:
    """Let an error in a formula say which file's: its line is counted inside the formula."""
    try:
        yield
    except FormulaError as error:
        if network.folder is not None:
            error.where = f"{network.name}.toml, formula {error.where}"
        raise


def _data_notices(selection: Selection | None, replaced: Sequence[str]) -> tuple[str, ...]:
    """Return what was done to the data; what was given by hand is as it was given."""
    if selection is None or not replaced:
        return selection.notices if selection is not None else ()
    return (f"{', '.join(replaced)}: the values given here, not those of the file.",)


def _replace(
    network: Network,
    overrides: Mapping[str, Any],
    given: dict[str, Array | Initial],
    arrays: dict[str, Array],
    seed: int,
) -> None:
    """Put the values given by hand in the place of the file's."""
    sizes = _Sizes(network, dict(arrays), given, seed=seed) if overrides and network.held_out else None
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
        read_csv(_data_path(network, data.file)),
        data.inputs,
        data.targets,
        standardize=data.standardize,
        where=data.where,
        held_out=network.held_out,
        seed=seed,
    )
    return dict(chosen.arrays), chosen, tuple(data.targets)


def _data_path(network: Network, file: str) -> Path:
    """Return the CSV beside the network's file, or the built-in one of that name."""
    own = network.folder / file if network.folder is not None else None
    if own is not None and own.exists():
        return own
    name = file if file.endswith(".csv") else f"{file}.csv"
    built_in_file = Path(str(resources.files("graphs") / "datasets")) / Path(name).name
    if built_in_file.exists() and Path(file).name == file:
        return built_in_file
    if own is not None:
        return own
    raise DataError(f"there is no data set {excerpt(file)}.", how="Put the CSV beside the network's file.")


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
        self._whole = _count_examples(list(arrays.values()))
        self.held = self._held(seed)
        self.kept = np.delete(np.arange(self._whole or 0), self.held)
        self.examples = None if self._whole is None else len(self.kept)
        taken = {s.name for s in network.statements} | {*arrays, *parameters}
        self._m = "m" if "m" not in taken else None
        self._named = dict(network.dimensions)
        self._check_m(network)
        if self.held.size:
            self._named.pop("m", None)  # it counts those held out as well
        rows = next((a.shape[0] for a in arrays.values() if a.ndim == 2 and a.shape[0] > 1), 1)
        if arrays:
            self._named.setdefault("n", rows)

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
        return (f"{self.held.size} of {self._whole} examples {verb} held out.",)

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
        return tuple(self._examples_dim() if i == axis else self._dim(size) for i, size in enumerate(shape))

    def _examples_axis(self, shape: tuple[int, ...]) -> int | None:
        if self._whole is None or len(shape) != 2:
            return None
        if shape[1] == self._whole:
            return 1
        return 0 if shape[0] == self._whole else None

    def _examples_dim(self) -> Dim:
        assert self.examples is not None
        return Dim(self._m or str(self.examples), self.examples, True)

    def _dim(self, size: int) -> Dim:
        if size == 1:
            return UNIT
        name = next((n for n, s in self._named.items() if s == size), str(size))
        return Dim(name, size)

    def parameter_dims(self, name: str, spec: Array | Initial) -> Dims:
        if not isinstance(spec, Initial):
            return tuple(self._dim(size) for size in spec.shape)
        dims = tuple(self._named_dim(name, entry) for entry in spec.shape)
        if np.prod([d.size for d in dims]) > MAX_ENTRIES:
            raise NetworkError(
                f"{name} would have more than {MAX_ENTRIES:,} entries.", how="Choose a smaller shape."
            )
        return dims

    def _named_dim(self, parameter: str, entry: str | int) -> Dim:
        if isinstance(entry, int):
            return UNIT if entry == 1 else self._dim(entry)
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


# --- writing -----------------------------------------------------------------------------------------------


def dumps(network: Network) -> str:
    """Return a network as the text of a file that :func:`loads` reads back."""
    lines = [f"title = {_quoted(network.title)}"]
    if network.description:
        lines.append(f"description = {_quoted(network.description)}")
    lines += [
        'formula = """',
        _escaped(network.formula.strip("\n").replace("\r\n", "\n")).replace('"""', '""\\"'),
        '"""',
    ]
    if network.loss is not None:
        lines.append(f"loss = {_quoted(network.loss)}")
    lines += _section("dimensions", ((k, str(v)) for k, v in network.dimensions.items()))
    lines += _section("parameters", ((k, _parameter_text(v)) for k, v in network.parameters.items()))
    lines += _section("data", _data_items(network))
    lines += _section("training", _training_items(network.training))
    return "\n".join(lines) + "\n"


def _section(title: str, items: Iterator[tuple[str, str]]) -> list[str]:
    rows = [f"{_key(key)} = {value}" for key, value in items]
    return ["", f"[{title}]", *rows] if rows else []


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    escaped = _escaped(text).replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    """Return `text` as TOML's multi-line strings take it, quotation marks aside."""
    escaped = text.replace("\\", "\\\\")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", lambda c: f"\\u{ord(c.group()):04x}", escaped)


def _parameter_text(value: Array | Initial) -> str:
    if isinstance(value, Initial):
        shape = ", ".join(_quoted(s) if isinstance(s, str) else str(s) for s in value.shape)
        return f'{{ shape = [{shape}], init = "{value.init}" }}'
    return _array_text(value)


def _array_text(array: Array) -> str:
    if array.ndim == 0:
        return repr(float(array))
    if array.shape[0] == 1:
        return _row_text(array[0]) if array.shape[1] != 1 else f"[{_row_text(array[0])}]"
    rows = ",\n".join(f"  {_row_text(row)}" for row in array)
    return f"[\n{rows},\n]"


def _row_text(row: Array) -> str:
    return "[" + ", ".join(repr(float(entry)) for entry in row) + "]"


def _data_items(network: Network) -> Iterator[tuple[str, str]]:
    data = network.data
    if isinstance(data, FileData):
        yield from _file_items(data)
    else:
        yield from ((name, _array_text(array)) for name, array in data.items())
    if network.held_out:
        yield "held_out", repr(network.held_out)


def _file_items(data: FileData) -> Iterator[tuple[str, str]]:
    yield "file", _quoted(data.file)
    for key, table in (("inputs", data.inputs), ("targets", data.targets)):
        yield key, "{ " + ", ".join(f"{_key(n)} = {_words_text(c)}" for n, c in table.items()) + " }"
    if data.standardize:
        yield "standardize", "true" if data.standardize is True else _words_text(data.standardize)
    if data.where:
        yield "where", "{ " + ", ".join(f"{_key(c)} = {_words_text(v)}" for c, v in data.where.items()) + " }"


def _words_text(words: Sequence[Any]) -> str:
    return "[" + ", ".join(_quoted(w) if isinstance(w, str) else repr(w) for w in words) + "]"


def _training_items(training: Training) -> Iterator[tuple[str, str]]:
    for key, value in table_of(training.recipe).items():
        yield key, _quoted(value) if isinstance(value, str) else repr(value)
    if training.steps != Training().steps:
        yield "steps", str(training.steps)
