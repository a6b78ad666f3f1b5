"""What can be chosen of a data set, what would come of it, and what is seen of it: no Qt, no pixels."""

from __future__ import annotations

import codecs
import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from engine.data import Between, Dataset, Texts, rows_where
from engine.dialect import DELIMITERS, ENCODINGS, NOTHING, SPACES, Stated
from engine.errors import BackstepError, DataError, excerpt
from engine.formula import Statement, parse
from engine.inference import compared_with
from graphs.definition import Literals
from graphs.draft import Checked, Draft, check, differs
from graphs.network import FileData, Initial, Model, Network, bind, table_source
from graphs.reading import attached
from graphs.shelf import shelf
from graphs.wording import listed

Array = np.ndarray
Columns = tuple[str, ...]
Where = Mapping[str, Sequence[Any] | Between]

USUAL: Mapping[str, tuple[str, Columns]] = {
    "airquality.csv": ("Ozone", ("Temp", "Wind", "Solar.R")),
    "penguins.csv": ("body_mass_g", ("flipper_length_mm", "bill_length_mm", "bill_depth_mm")),
}
"""What is usually explained, and by what, where a file's last column would be an odd first choice."""
MOST_CLASSES = 50
"""Distinct values of a text column that is offered as a target; of more, two would hardly be chosen."""
MOST_POINTS = 4000
MOST_ROWS, MOST_COLUMNS = 200, 200
MOST_TRIALS = 8
MOST_RAW, MOST_LINES, MOST_SHOWN = 8192, 30, 200
"""Bytes, lines and letters of a line that are shown of a file that cannot be read."""
MOST_PROPOSED = 8
"""Columns that are proposed for an input that has had none yet."""
BINARY, CLASSES = "binary", "classes"
"""What targets are, other than numbers: 0 or 1, or a row of 0 and 1 for each class."""


# --- where data come from ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Source:
    """A data set that can be chosen.

    Attributes
    ----------
    file
        What a network calls it: a built-in name, a path from the network's folder or an absolute one.
    origin
        The file, or what it held when the network was opened.
    """

    file: str
    origin: Path | bytes
    is_built_in: bool = False

    @property
    def title(self) -> str:
        """What the user calls it."""
        name = self.file.replace("\\", "/").rpartition("/")[2]
        return name.removesuffix(".csv") if self.is_built_in else name


@lru_cache(maxsize=1)
def built_in_sets() -> Mapping[str, Path]:
    """Return the built-in data sets by file name."""
    folder = Path(str(resources.files("graphs") / "datasets"))
    return {path.name: path for path in sorted(folder.glob("*.csv"))}


def sources_of(network: Network) -> list[Source]:
    """Return the data sets that can be chosen for a network: the built-in ones, and its own file."""
    found = [Source(name, path, True) for name, path in built_in_sets().items()]
    own = own_source(network)
    return found if own is None or own in found else [*found, own]


def own_source(network: Network) -> Source | None:
    """Return where the data of a network come from, None where they are numbers in its file."""
    if not isinstance(network.data, FileData):
        return None
    try:
        origin, _ = table_source(network, network.data.file)
    except DataError:
        return None
    name = origin.name if isinstance(origin, Path) else ""
    if built_in_sets().get(name) == origin:
        return Source(name, origin, True)
    return Source(network.data.file, origin)


@dataclass(frozen=True)
class Loaded:
    """A data set that has been read, what its file holds (of a large one nothing), and what is seen of it."""

    dataset: Dataset
    kept: Mapping[str, bytes]
    view: TableView


def loading(source: Source, stated: Stated = NOTHING) -> Iterator[float | Loaded]:
    """Read a data set: yields which part is done, and at last what was read.

    Parameters
    ----------
    stated
        What is not to be found out of how it is written.
    """
    kept: Mapping[str, bytes] = {}
    origin = source.origin
    if isinstance(origin, bytes):
        kept = {source.file: origin}
    elif not source.is_built_in:
        kept = attached(origin, source.file)
        yield 0.0
    name = Path(source.file).name
    for value in shelf.reading(kept.get(source.file, origin), name, stated):
        yield Loaded(value, kept, table_view(value)) if isinstance(value, Dataset) else value


def first_lines(source: Source, stated: Stated = NOTHING) -> tuple[str, ...]:
    """Return how a file begins that cannot be read; nothing of one that is no text."""
    try:
        with _opened(source.origin) as file:
            start = file.read(MOST_RAW)
    except OSError:
        return ()
    is_wide = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    codec = ENCODINGS[stated.encoding][1] if stated.encoding else "utf-16" if is_wide else "utf-8-sig"
    text = start.decode(codec, errors="replace")
    if "\0" in text:
        return ()
    return tuple(excerpt(line, MOST_SHOWN) if len(line) > MOST_SHOWN else line for line in text.splitlines())[
        :MOST_LINES
    ]


def _opened(origin: Path | bytes) -> BinaryIO:
    return io.BytesIO(origin) if isinstance(origin, bytes) else origin.open("rb")


# --- how it is written -------------------------------------------------------------------------------------


def dialect_options(found: Stated | None, stated: Stated) -> dict[str, list[tuple[str, Any]]]:
    """Return what can be stated of each part of a dialect, as text and value; the first leaves it open.

    Parameters
    ----------
    found
        What was found out, None where nothing is known of it.
    stated
        What is stated now; it is among the options.
    """
    words = {mark: f"{title}  {mark}" if mark.strip() else title for mark, title in DELIMITERS.items()}
    words[SPACES] = "spaces"
    if stated.delimiter not in ("", *words):
        words[stated.delimiter] = stated.delimiter
    options: dict[str, dict[Any, str]] = {
        "delimiter": words,
        "decimal": {".": "point  .", ",": "comma  ,"},
        "header": {True: "yes", False: "no"},
        "encoding": {name: title for name, (title, _) in ENCODINGS.items()},
    }
    known = {} if found is None else _found_words(found)
    return {
        key: [(known.get(key, "automatic"), getattr(NOTHING, key)), *((t, v) for v, t in texts.items())]
        for key, texts in options.items()
    }


def _found_words(found: Stated) -> dict[str, str]:
    """Say what was found out, as far as it was."""
    words = {
        "delimiter": found.delimiter.strip() or DELIMITERS.get(found.delimiter, "spaces"),
        "decimal": found.decimal or "none",
        "header": "" if found.header is None else "yes" if found.header else "no",
        "encoding": ENCODINGS[found.encoding][0] if found.encoding else "",
    }
    return {key: f"found: {word}" for key, word in words.items() if word}


# --- columns -----------------------------------------------------------------------------------------------


def input_columns(dataset: Dataset) -> Columns:
    """Return the columns of numbers."""
    return tuple(c for c in dataset.columns if not isinstance(dataset.table[c], Texts))


def target_columns(dataset: Dataset) -> Columns:
    """Return the columns of numbers and those of a few classes, of which a filter may keep two."""
    return tuple(c for c in dataset.columns if c in input_columns(dataset) or len(classes_of(dataset, c)) > 1)


def classes_of(dataset: Dataset, column: str, where: Where | None = None) -> Columns:
    """Return the values of a text column in the rows that are used; none of one that has very many."""
    texts = dataset.table.get(column)
    if not isinstance(texts, Texts) or len(texts.values) > MOST_CLASSES:
        return ()
    if not where:
        return texts.values
    try:
        rows, _ = rows_where(dataset, where)
    except BackstepError:  # said where the choice is tried
        return ()
    return tuple(texts.values[code] for code in np.unique(texts.codes[rows]) if code >= 0)


class Subject(Protocol):
    """What is given data: the network that is open, or the one that is being typed."""

    @property
    def network(self) -> Network:
        """What it has so far."""
        ...

    def template(self) -> FileData | str:
        """Return which inputs and targets a file could give it, or why none can."""
        ...

    def target_kind(self) -> str:
        """Return what its targets are, as :func:`first_choice` takes it."""
        ...

    def preview(self, changed: Network, dataset: Dataset | None, draws: bool) -> Preview:
        """Try other data without touching anything."""
        ...


@dataclass(frozen=True)
class Opened:
    """The network that is open, with the values that were given by hand."""

    model: Model
    network: Network
    overrides: Mapping[str, Any]

    def template(self) -> FileData | str:
        return template_of(self.model)

    def target_kind(self) -> str:
        found = target_kind(self.network.statements)
        return found or (BINARY if is_binary(self.model) else "")

    def preview(self, changed: Network, dataset: Dataset | None, draws: bool) -> Preview:
        return preview(changed, self.model, self.overrides, dataset, draws)


@dataclass(frozen=True)
class Typed:
    """The formula as it is being typed, of which some inputs have no numbers yet."""

    checked: Checked
    seed: int

    @property
    def network(self) -> Network:
        return self.checked.draft.base

    def template(self) -> FileData | str:
        return template_of_typed(self.checked)

    def target_kind(self) -> str:
        return target_kind(parse(self.checked.draft.formula))

    def preview(self, changed: Network, dataset: Dataset | None, draws: bool) -> Preview:
        return preview_typed(self.checked.draft.with_data(changed), self.seed, dataset)


def template_of_typed(checked: Checked) -> FileData | str:
    """Return which of the names that have no numbers yet a file could give, or why it can give none."""
    asked = [p.name for p in checked.missing if differs(p)]
    if not asked:
        return f"{checked.sentence()} A data file has nothing to give."
    data = checked.draft.base.data
    compared = compared_with(parse(checked.draft.formula), asked, checked.loss)
    inputs: dict[str, Columns] = {name: () for name in asked if name not in compared}
    targets: dict[str, Columns] = {name: () for name in asked if name in compared}
    if isinstance(data, FileData):
        read = {name: columns for name, columns in data.columns.items() if name in checked.names}
        inputs = {n: c for n, c in read.items() if n in data.inputs} | inputs
        targets = {n: c for n, c in read.items() if n in data.targets} | targets
        found = data if read else FileData("", {}, {}, own=data.own)
    else:
        kept = {n: array for n, array in data.items() if n in checked.names and n not in asked}
        found = FileData("", {}, {}, own=Literals(kept))
    return replace(found, inputs=inputs or targets, targets=targets if inputs else {})


def template_of(model: Model) -> FileData | str:
    """Return which inputs and targets a file could give a network, or why none can."""
    network = model.network
    if isinstance(network.data, FileData):
        return network.data
    if not network.data:
        return "This network has no inputs: it needs no data."
    rows = {n: ("",) * len(array) for n, array in network.data.items() if _has_examples(array, model)}
    if not rows:
        return "No input of this network differs from example to example: a data file has nothing to give."
    targets = _targets_of(model, rows)
    return FileData(
        "",
        {name: columns for name, columns in rows.items() if name not in targets},
        {name: columns for name, columns in rows.items() if name in targets},
        own=Literals({name: array for name, array in network.data.items() if name not in rows}),
    )


def _targets_of(model: Model, rows: Collection[str]) -> Columns:
    """Return which of the data with `rows` are targets: the last where the loss alone reads all of them."""
    names = tuple(name for name in model.graph.inputs if name in rows)
    targets = tuple(name for name in model.targets if name in rows)
    return targets if len(targets) < len(names) else names[1:][-1:]


def _has_examples(array: Array, model: Model) -> bool:
    return array.ndim == 2 and array.shape[1] == model.examples + model.held_examples


def first_choice(dataset: Dataset, data: FileData, kind: str = "") -> FileData:
    """Return `data` with columns of another data set: the same ones if it has them, else likely ones.

    Parameters
    ----------
    kind
        What the targets are: `BINARY` for 0 and 1, `CLASSES` for a row of 0 and 1 for each class, "" for
        numbers.
    """
    if _has_columns(dataset, data):
        where = {column: wanted for column, wanted in data.where.items() if column in dataset.columns}
        return replace(data, where=where)
    telling = tuple(c for c in input_columns(dataset) if not _is_constant(dataset, c))
    numeric = telling or input_columns(dataset)
    found, where = _likely_target(dataset, numeric, kind)
    usual = USUAL.get(dataset.name, (found[0] if found else "", numeric))
    targets = found if kind or not usual[0] else (usual[0],)
    candidates = [c for c in usual[1] if c not in targets]
    constant = [c for c in input_columns(dataset) if c not in (*numeric, *targets)]
    return replace(
        data,
        inputs={name: _first(candidates, constant, columns) for name, columns in data.inputs.items()},
        targets={name: targets for name in data.targets},
        standardize=bool(data.standardize),
        where={column: wanted for column, wanted in where.items() if data.targets},
    )


def _first(candidates: Sequence[str], constant: Sequence[str], former: Columns) -> Columns:
    """Return so many columns as an input had; one that had none yet takes some, constant ones if need be."""
    if former:
        return (*candidates, *constant)[: len(former)]
    return tuple((candidates or constant)[:MOST_PROPOSED])


def _has_columns(dataset: Dataset, data: FileData) -> bool:
    inputs = [c for columns in data.inputs.values() for c in columns]
    targets = [c for columns in data.targets.values() for c in columns]
    is_chosen = all((*data.inputs.values(), *data.targets.values()))
    return is_chosen and set(inputs) <= set(input_columns(dataset)) and set(targets) <= set(dataset.columns)


def _is_constant(dataset: Dataset, column: str) -> bool:
    """Say whether a column tells nothing: it has one value, or none at all."""
    values = dataset.table[column]
    if isinstance(values, Texts):
        return len(values.values) < 2
    present = values[~np.isnan(values)]
    return not present.size or bool((present == present[0]).all())


def _is_zero_one(dataset: Dataset, column: str) -> bool:
    values = dataset.table[column]
    return not isinstance(values, Texts) and bool(np.isin(values[~np.isnan(values)], (0.0, 1.0)).all())


def _likely_target(dataset: Dataset, numeric: Columns, kind: str) -> tuple[Columns, Where]:
    """Return the last columns that can be a target of a kind, and a filter that makes them one."""
    last = numeric[-1:]
    if not kind:
        return last, {}
    telling = [c for c in reversed(dataset.columns) if not _is_constant(dataset, c)]
    zero_one = [c for c in telling if _is_zero_one(dataset, c)]
    texts = [c for c in telling if len(classes_of(dataset, c)) > 1]
    if kind == CLASSES:
        if len(zero_one) > 1:
            return tuple(reversed(zero_one)), {}
        return (*sorted(texts, key=lambda c: len(classes_of(dataset, c)) == 2)[:1],) or last, {}
    two = [c for c in telling if c in zero_one or len(classes_of(dataset, c)) == 2]
    if two or not texts:
        return (*two[:1],) or last, {}
    return (texts[0],), {texts[0]: classes_of(dataset, texts[0])[:2]}


def target_kind(statements: Sequence[Statement]) -> str:
    """Return what the losses of a formula compare with, as far as their names say it."""
    losses = {item.text for statement in statements for item in statement.items if item.kind == "op"}
    return CLASSES if "cross_entropy" in losses else BINARY if "bce" in losses else ""


def is_binary(model: Model) -> bool:
    """Say whether every target of a network is 0 or 1 throughout."""
    return bool(model.targets) and all(np.isin(model.leaves[n], (0.0, 1.0)).all() for n in model.targets)


# --- what would come of a choice ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Preview:
    """What would come of a choice: a network and what is to be said about it, or why not.

    Attributes
    ----------
    used, held
        For each row of the data set whether it becomes an example, and whether one that is held out.
    redraw
        The parameters that would have to be drawn anew for the choice to be possible.
    forget
        The parameters whose values given by hand go with the old data.
    """

    network: Network | None
    headline: str
    notes: tuple[str, ...] = ()
    model: Model | None = None
    classes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    used: Array | None = None
    held: Array | None = None
    redraw: tuple[str, ...] = ()
    forget: tuple[str, ...] = ()


def preview(
    changed: Network,
    old: Model,
    overrides: Mapping[str, Any],
    dataset: Dataset | None = None,
    draws: bool = False,
) -> Preview:
    """Try a choice without touching anything; data given by hand go with the old choice.

    Parameters
    ----------
    changed
        The network with other data.
    old
        The model that is open.
    overrides
        Values given by hand.
    draws
        Whether parameters that no longer fit may be drawn anew.
    """
    why = _gap(changed, dataset, target_kind(changed.statements))
    if why:
        notes = dataset.notices if dataset is not None else ()
        return _with_rows(Preview(None, why, notes), changed, dataset)
    kept = {name: value for name, value in overrides.items() if name in changed.parameters}
    found = _tried(changed, old.seed, kept)
    if found.network is None:
        again = redrawn(changed, old, kept)
        if again is not None and draws:
            found = _tried(again[0], old.seed, {n: v for n, v in kept.items() if n not in again[1]})
            notes = (*found.notes, f"Drawn anew: {', '.join(again[1])}.")
            found = replace(found, notes=notes, forget=again[1])
        elif again is not None:
            found = replace(found, redraw=again[1])
    return _with_rows(found, changed, dataset)


def _gap(changed: Network, dataset: Dataset | None, kind: str = "") -> str:
    """Return what is still to be chosen, "" where nothing is."""
    if not isinstance(changed.data, FileData):
        return ""
    if dataset is not None and not input_columns(dataset):
        texts = [excerpt(column, 24) for column in dataset.columns]
        verb = "is" if len(texts) == 1 else "are"
        return (
            f"No column is of numbers: {listed(texts)} {verb} text. Look at the delimiter and the decimal "
            "sign, or choose another table."
        )
    for name, columns in changed.data.inputs.items():
        if not columns:
            return f"Choose at least one column for {name}."
    for name, columns in changed.data.targets.items():
        if not columns:
            return f"Choose a column for {name}."
        classes = classes_of(dataset, columns[0], changed.data.where) if dataset is not None else ()
        if kind == CLASSES and classes:
            return (
                f"{columns[0]} is text, and cross_entropy compares with a row of 0 and 1 for each class: "
                "choose columns of 0 and 1, or write bce for two classes."
            )
        if len(classes) > 2:
            some = excerpt(", ".join(classes), 60)
            what = f"{columns[0]} has {len(classes)} classes ({some}), and a target has two."
            return f"{what} Keep two of them under Only rows where."
    return ""


def preview_typed(draft: Draft, seed: int, dataset: Dataset | None = None) -> Preview:
    """Try data for a formula that is being typed: its parameters take the shapes that the data ask for."""
    changed = draft.base
    why = _gap(changed, dataset, target_kind(parse(draft.formula)))
    if why:
        notes = dataset.notices if dataset is not None else ()
        return _with_rows(Preview(None, why, notes), changed, dataset)
    checked = check(draft, seed=seed)
    if checked.network is None or checked.model is None:
        return _with_rows(Preview(None, checked.sentence()), changed, dataset)
    return _with_rows(_seen(checked.network, checked.model, checked.notices), changed, dataset)


def _tried(network: Network, seed: int, overrides: Mapping[str, Any]) -> Preview:
    try:
        model = bind(network, seed=seed, overrides=overrides)
    except BackstepError as error:
        return Preview(None, str(error))
    return _seen(network, model)


def _seen(network: Network, model: Model, notices: Columns = ()) -> Preview:
    misfit = _misfit(model)
    if misfit:
        return Preview(None, misfit)
    classes = model.selection.classes if model.selection is not None else {}
    return Preview(network, _headline(model), (*model.notices, *notices), model, classes)


def _with_rows(found: Preview, changed: Network, dataset: Dataset | None) -> Preview:
    """Add which rows are used, also where the choice cannot be made."""
    if dataset is None or not isinstance(changed.data, FileData):
        return found
    used, held = np.zeros(dataset.rows, dtype=bool), np.zeros(dataset.rows, dtype=bool)
    selection = found.model.selection if found.model is not None else None
    if selection is not None:
        used[selection.rows] = True
        held[selection.rows[selection.held]] = True
    else:
        used = _used_rows(dataset, changed.data)
    return replace(found, used=used, held=held)


def _used_rows(dataset: Dataset, data: FileData) -> Array:
    used = np.zeros(dataset.rows, dtype=bool)
    try:
        rows, _ = rows_where(dataset, data.where)
    except BackstepError:
        return used
    used[rows] = True
    for columns in (*data.inputs.values(), *data.targets.values()):
        for column in columns:
            if column in dataset.table:
                used &= ~missing_in(dataset, column)
    return used


def missing_in(dataset: Dataset, column: str) -> Array:
    """Return in which rows a column has no value."""
    values = dataset.table[column]
    return values.codes < 0 if isinstance(values, Texts) else np.isnan(values)


def _misfit(model: Model) -> str:
    """Say where a target would be compared with several rows at once, "" where none is.

    NumPy copies the target then, and the formula has a value: but not one that anybody asks for.
    """
    nodes = model.graph.nodes
    elementwise = (node for node in nodes if node.op is not None and node.op.elementwise)
    meetings = ((node, nodes[source]) for node in elementwise for source in node.inputs)
    for node, target in meetings:
        if target.name not in model.targets:
            continue
        rows, own = (n.dims[0].size if len(n.dims) == 2 else 1 for n in (node, target))
        if rows > own:
            return f"The formula gives {rows} rows, but {target.name} has {own}: choose fewer columns."
    return ""


def _headline(model: Model) -> str:
    dropped = model.selection.dropped if model.selection is not None else 0
    parts = [f"{model.examples:,} example{'s' if model.examples != 1 else ''}"]
    if model.held_examples:
        parts = [f"{parts[0]} to train on", f"{model.held_examples:,} held out"]
    if dropped:
        parts.append(f"{dropped:,} row{'s' if dropped != 1 else ''} left out")
    return ", ".join(parts)


# --- parameters that no longer fit -------------------------------------------------------------------------


def redrawn(
    changed: Network, old: Model, overrides: Mapping[str, Any]
) -> tuple[Network, tuple[str, ...]] | None:
    """Return a network whose parameters fit other columns, and which of them are drawn anew.

    Only what stands in the way is given up: values given by hand of which the shape came from the data, and
    literal parameters with an axis as long as an input that has other rows now. None where nothing helps.
    """
    if not isinstance(changed.data, FileData):
        return None
    trial = replace(changed, data=_stand_in(changed.data), held_out=0.0)
    given = tuple(n for n in overrides if not _fits(trial, {n: overrides[n]}))
    if given and _fits(trial, {n: v for n, v in overrides.items() if n not in given}):
        return changed, given
    kept = {n: v for n, v in overrides.items() if isinstance(changed.parameters[n], Initial)}
    places = list(_places(changed, old))[:MOST_TRIALS]
    for count in range(1, len(places) + 1):
        for chosen in combinations(places, count):
            parameters = _drawn(changed, chosen)
            names = tuple(dict.fromkeys(name for name, _, _ in chosen))
            rest = {n: v for n, v in kept.items() if n not in names}
            if _fits(replace(trial, parameters=parameters), rest):
                lost = tuple(dict.fromkeys((*names, *(n for n in overrides if n not in rest))))
                return replace(changed, parameters=parameters), lost
    return None


def _stand_in(data: FileData) -> dict[str, Array]:
    """Return arrays of the right number of rows: shapes do not depend on the numbers."""
    rows = {name: np.full((len(columns), 3), 0.5) for name, columns in data.columns.items()}
    return {**rows, **data.own}


def _fits(trial: Network, overrides: Mapping[str, Any]) -> bool:
    try:
        return not _misfit(bind(trial, overrides=overrides))
    except BackstepError:
        return False


def _places(changed: Network, old: Model) -> Iterator[tuple[str, int, str | int]]:
    """Yield the axes of literal parameters that are as long as an input was, and how long they are to be."""
    assert isinstance(changed.data, FileData)
    rows = {name: len(columns) for name, columns in {**changed.data.inputs, **changed.data.targets}.items()}
    first = next(iter(rows), "")
    for name, value in changed.parameters.items():
        if isinstance(value, Initial):
            continue
        for axis, size in enumerate(value.shape):
            for source, now in rows.items():
                before = old.leaves[source].shape if source in old.leaves else ()
                if before and before[0] == size != now:
                    by_name = source == first and now > 1 and "n" not in changed.dimensions
                    yield name, axis, "n" if by_name else now
                    break


def _drawn(changed: Network, chosen: Sequence[tuple[str, int, str | int]]) -> dict[str, Array | Initial]:
    parameters = dict(changed.parameters)
    for name, axis, size in chosen:
        value = parameters[name]
        shape = list(value.shape)
        shape[axis] = size
        parameters[name] = Initial(tuple(shape), "xavier")
    return parameters


# --- what is seen of a data set ----------------------------------------------------------------------------


@dataclass(frozen=True)
class TableView:
    """The first rows of a data set as text.

    Attributes
    ----------
    heads
        For each column its name, and what it holds.
    cells
        By row and column; None for a missing value.
    numeric
        Which columns hold numbers.
    """

    heads: tuple[tuple[str, str], ...]
    cells: tuple[tuple[str | None, ...], ...]
    numeric: tuple[bool, ...]


def table_view(dataset: Dataset) -> TableView:
    """Return what the preview of a table shows."""
    columns = dataset.columns[:MOST_COLUMNS]
    texts = [_cells(dataset.table[column][:MOST_ROWS]) for column in columns]
    return TableView(
        tuple((column, kind_text(dataset, column)) for column in columns),
        tuple(zip(*texts, strict=True)),
        tuple(not isinstance(dataset.table[column], Texts) for column in columns),
    )


def kind_text(dataset: Dataset, column: str) -> str:
    """Say what a column holds: ``numbers, 2 missing``."""
    values = dataset.table[column]
    missing = int(missing_in(dataset, column).sum())
    gaps = f", {missing:,} missing" if missing else ""
    if missing == dataset.rows:
        return "all missing"
    if isinstance(values, Texts):
        return f"text, {len(values.values):,} value{'s' if len(values.values) != 1 else ''}{gaps}"
    return f"numbers{gaps}"


def _cells(values: Array | Sequence[str]) -> list[str | None]:
    if isinstance(values, Texts):
        return [excerpt(value, 40) or None for value in values]
    numbers = np.asarray(values, dtype=float)
    present = numbers[~np.isnan(numbers)]
    large = present.size and (np.abs(present).max() >= 1e9 or 0 < np.abs(present).max() < 1e-3)
    style = "{:.4g}" if large else f"{{:.{_decimals(present)}f}}"
    return [None if np.isnan(n) else style.format(n).replace("-", "−") for n in numbers]


def _decimals(numbers: Array) -> int:
    """Return how many decimals write the numbers exactly, at most four."""
    return next((d for d in range(4) if np.allclose(numbers, np.round(numbers, d), rtol=1e-12, atol=0)), 4)


@dataclass(frozen=True)
class Scatter:
    """Some points of a data set.

    Attributes
    ----------
    x, y
        Coordinates as they are in the file.
    second
        Which points are of the class that becomes 1, or have a target above the middle.
    held
        Which are held out.
    total
        How many there are; those drawn may be a sample.
    names
        What the two kinds of points are called, () where there is one kind.
    why
        Why there is nothing to plot, "" where there is.
    """

    x: Array
    y: Array
    second: Array
    held: Array
    total: int
    names: tuple[str, ...] = ()
    why: str = ""


def scatter(
    dataset: Dataset, found: Preview, across: str, up: str, colour: str = "", most: int = MOST_POINTS
) -> Scatter:
    """Return the points of two columns in the rows that are used, coloured by a third."""
    used = found.used if found.used is not None else np.ones(dataset.rows, dtype=bool)
    texts = [c for c in dict.fromkeys((across, up)) if _is_only_text(dataset, c, found)]
    if texts:
        none = np.empty(0)
        verb = "is" if len(texts) == 1 else "are"
        said = f"Nothing to plot: {listed(excerpt(c, 24) for c in texts)} {verb} text."
        return Scatter(none, none, none.astype(bool), none.astype(bool), 0, (), said)
    rows = np.flatnonzero(used)
    total = len(rows)
    if total > most:  # the same ones every time
        rows = rows[np.unique(np.random.default_rng(0).integers(0, total, most))]
    x, y = (_coordinates(dataset, c, rows, found) for c in (across, up))
    fine = ~(np.isnan(x) | np.isnan(y))
    second, names = _kinds(dataset, colour, rows, found)
    held = found.held[rows] if found.held is not None else np.zeros(len(rows), dtype=bool)
    return Scatter(x[fine], y[fine], second[fine], held[fine], total, names)


def _is_only_text(dataset: Dataset, column: str, found: Preview) -> bool:
    """Say whether a column has no numbers, nor two classes that become 0 and 1."""
    is_text = isinstance(dataset.table[column], Texts) and column not in found.classes
    return is_text and len(classes_of(dataset, column)) != 2


def _coordinates(dataset: Dataset, column: str, rows: Array, found: Preview) -> Array:
    values = dataset.table[column]
    if not isinstance(values, Texts):
        return values[rows]
    codes = values.codes[rows]
    if column in found.classes:
        return (codes == values.code_of(found.classes[column][1])).astype(float)
    return np.where(codes < 0, np.nan, codes)  # of two classes


def _kinds(dataset: Dataset, column: str, rows: Array, found: Preview) -> tuple[Array, tuple[str, ...]]:
    values = dataset.table.get(column)
    if values is None:
        return np.zeros(len(rows), dtype=bool), ()
    if isinstance(values, Texts):
        if column not in found.classes:
            return np.zeros(len(rows), dtype=bool), ()
        zero, one = found.classes[column]
        return values.codes[rows] == values.code_of(one), (zero, one)
    own = values[rows]
    present = own[~np.isnan(own)]
    if not present.size:
        return np.zeros(len(rows), dtype=bool), ()
    if np.isin(present, (0.0, 1.0)).all():
        return own == 1, ("0", "1")
    middle = float(np.median(present))
    return own > middle, (f"to {middle:.4g}", f"above {middle:.4g}")


# --- words -------------------------------------------------------------------------------------------------


def class_text(classes: Mapping[str, tuple[str, str]], columns: Sequence[str]) -> str:
    """Say which class of a target becomes 0 and which 1."""
    found = (classes[column] for column in columns if column in classes)
    return "; ".join(f"{excerpt(zero, 30)} → 0, {excerpt(one, 30)} → 1" for zero, one in found)


def percent_text(fraction: float) -> str:
    """Write which part is held out, in percent."""
    return f"{100 * fraction:.4g}"


def read_percent(text: str) -> float:
    """Return the part that a text in percent says; raise `DataError` where it is none.

    Examples
    --------
    >>> read_percent("25"), read_percent("12,5 %"), read_percent("")
    (0.25, 0.125, 0.0)
    """
    plain = text.strip().removesuffix("%").strip().replace(",", ".")
    try:
        percent = float(plain or 0)
    except ValueError:
        percent = float("nan")
    if not 0 <= percent < 100:
        raise DataError(f"{excerpt(text, 20)} percent cannot be held out", how="Write a number from 0 to 99.")
    return percent / 100


def read_end(text: str) -> float | None:
    """Return the end of a range that a text says, None for none; raise `DataError` where it is no number.

    Examples
    --------
    >>> read_end(" 2,5 "), read_end("")
    (2.5, None)
    """
    plain = text.strip().replace(",", ".").replace("−", "-")
    if not plain:
        return None
    try:
        number = float(plain)
    except ValueError:
        number = float("nan")
    if not abs(number) <= 1e300:
        raise DataError(f"{excerpt(text, 20)} is not a number", how="Write a number, or nothing for no end.")
    return number
