"""A network while its formula is being typed: text, and what has been given for the names in it.

A :class:`Draft` is a value; every change makes a new one. :func:`check` turns it into a network, or says what
is missing or wrong and where. What was given for a name stays with the draft when the name is not read for a
while, so a name that is typed anew has its value back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from engine.errors import BackstepError, DataError, FormulaError, UsageError, excerpt
from engine.formula import Leaf, Statement, build, identifiers, parse
from engine.graph import Kind
from engine.inference import DEFAULT_SIZE, Inference, Proposal, infer, roles
from engine.shapes import UNIT, Dim, Dims, sizes
from graphs.definition import Array, FileData, Literals, Network
from graphs.entries import Drawn, Wanted, entry_text, read_entry, shape_text
from graphs.initial import Initial
from graphs.network import Model, bind, data_of, leaf_dims

__all__ = ["Checked", "Draft", "Entry", "Row", "Size", "check", "differs", "wanted"]

MOST_RESTORED = 12
"""Values that are tried one by one when the formula has outgrown some of them."""
MOST_FREED = 2000
"""Lines of a formula in which it is tried out whose value is in the way when shapes do not fit."""


class Entry(NamedTuple):
    """What was given for a name: as it was typed, and what it says."""

    text: str
    value: Array | Drawn


@dataclass(frozen=True)
class Draft:
    """A formula and what is known of its names.

    Attributes
    ----------
    base
        The network that the draft began with: its parameters, data and training settings hold until others
        are given.
    entries
        What was given for names, also for those that the formula does not read now.
    kinds
        The roles that were chosen.
    dimensions
        The sizes that were given for dimensions.
    read
        The names that the formula read when it could be read last.
    gone
        Those that were read before that and had a value of their own.
    """

    base: Network
    formula: str
    entries: Mapping[str, Entry] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    dimensions: Mapping[str, int] = field(default_factory=dict)
    read: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @classmethod
    def of(cls, network: Network) -> Draft:
        """Return the draft of a network as it is."""
        return cls(network, network.formula)

    def with_formula(self, text: str) -> Draft:
        """Return the draft with another text."""
        return replace(self, formula=text)

    def with_entry(
        self, name: str, text: str, shape: Wanted | None = None, kind: Kind = Kind.PARAMETER
    ) -> Draft:
        """Return the draft with a value for a name; without one where `text` is empty.

        Parameters
        ----------
        shape
            What the formula needs, to read numbers in a line as a column where one is needed.

        Raises
        ------
        BackstepError
            For text that is no value.
        """
        entries = dict(self.entries)
        if text.strip():
            value = read_entry(text, shape)
            if isinstance(value, Drawn) and kind == Kind.INPUT:
                raise DataError(
                    f"{excerpt(name)} is an input, and inputs are not drawn.", how="Give it numbers."
                )
            entries.pop(name, None)  # what was typed last comes last
            entries[name] = Entry(text.strip(), value)
            return replace(self, entries=entries)
        entries.pop(name, None)
        return replace(self, entries=entries, base=_without(self.base, name))

    def with_data(self, network: Network) -> Draft:
        """Return the draft with the data of a network; what was typed for a name that its CSV gives goes."""
        given = network.data.columns if isinstance(network.data, FileData) else {}
        entries = {name: entry for name, entry in self.entries.items() if name not in given}
        return replace(self, entries=entries, base=network)

    def with_kind(self, name: str, kind: Kind) -> Draft:
        """Return the draft with a name as a parameter or an input."""
        return replace(self, kinds={**self.kinds, name: kind})

    def with_loss(self, name: str) -> Draft:
        """Return the draft with another line as the loss."""
        return replace(self, base=replace(self.base, loss=name))

    def with_dimension(self, name: str, text: str) -> Draft:
        """Return the draft with another size of a dimension.

        Raises
        ------
        UsageError
            Where the text is no size.
        """
        if not (text.strip().isdigit() and len(text.strip()) < 7 and 1 <= int(text) <= 100_000):
            raise UsageError(
                f"{excerpt(text.strip() or 'nothing', 30)} is not a size.",
                where=excerpt(name),
                how="Write a whole number from 1 to 100000.",
            )
        return replace(self, dimensions={**self.dimensions, name: int(text)})

    def having_read(self, names: Sequence[str]) -> Draft:
        """Return the draft after its formula has been read: what is gone may have been renamed."""
        gone = tuple(n for n in self.read if n not in names and self._value(n) is not None)
        gone = gone or tuple(n for n in self.gone if n not in names)
        return replace(self, read=tuple(names), gone=gone)

    def carried(self, old: str, new: str) -> Draft:
        """Return the draft with the value of one name given to another."""
        value = self._value(old)
        if value is None:
            return self
        entries = {name: entry for name, entry in self.entries.items() if name != old}
        entries[new] = self.entries.get(old) or Entry(entry_text(value), value)
        return replace(self, entries=entries, base=_without(self.base, old))

    def _value(self, name: str) -> Array | Drawn | None:
        if name in self.entries:
            return self.entries[name].value
        found = self.base.parameters.get(name)
        if found is None:
            data = self.base.data
            found = (data.own if isinstance(data, FileData) else data).get(name)
        return Drawn(found.init, found.shape) if isinstance(found, Initial) else found


def _without(network: Network, name: str, of_file: bool = False) -> Network:
    """Return a network that says nothing of a name; a CSV goes on saying it, unless that is meant too."""
    parameters = {n: v for n, v in network.parameters.items() if n != name}
    data = network.data
    if not isinstance(data, FileData):
        data = {n: v for n, v in data.items() if n != name} if name in data else data
    elif name in data.own:
        data = data.having(name, None)
    elif of_file:
        rest = [n for n in data.columns if n != name]
        data = _columns(data, rest) if rest else {}
    return replace(network, parameters=parameters, data=data)


# --- what comes of it --------------------------------------------------------------------------------------


class Row(NamedTuple):
    """A name as the table beside the formula shows it.

    Attributes
    ----------
    text
        What its field shows; "" where nothing was given.
    hint
        What holds or is needed as long as nothing is given.
    shape
        In words, with the names of the dimensions.
    state
        "given"; "drawn" where a default stands in; "missing" where there is no graph without it.
    carry
        The name whose value it may take over, "" for none.
    source
        The columns and the file that it is read from, "" for what is read from none.
    """

    name: str
    kind: Kind
    text: str
    hint: str
    shape: str
    state: str
    carry: str = ""
    source: str = ""


class Size(NamedTuple):
    """A dimension whose size can be chosen."""

    name: str
    size: int


@dataclass(frozen=True)
class Checked:
    """What came of a draft: a network with its model, what is missing, or an error; and its rows.

    Attributes
    ----------
    missing
        The inputs without which there is no network, as the formula needs them.
    notices
        What was done for the user.
    lines, names
        The names of the lines, and those that must be given.
    loss, losses
        The name of the loss line, and of those that might be it: every line as long as there is no graph.
    faults
        What is wrong with values that were given, by name, where the formula is right without them.
    """

    draft: Draft
    network: Network | None = None
    model: Model | None = None
    error: BackstepError | None = None
    missing: tuple[Proposal, ...] = ()
    rows: tuple[Row, ...] = ()
    sizes: tuple[Size, ...] = ()
    notices: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    loss: str = ""
    losses: tuple[str, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def waiting(self) -> tuple[str, ...]:
        """The names of the inputs without which there is no network."""
        return tuple(p.name for p in self.missing)

    def sentence(self) -> str:
        """Say what is in the way of the graph, "" where nothing is."""
        if self.error is not None:
            return str(self.error)
        if not self.waiting:
            return ""
        names = _listed([excerpt(name) for name in self.waiting[:6]])
        what = f"{names} need{'s' if len(self.waiting) == 1 else ''} numbers: fill in beside the formula"
        return (
            f"{what}, or choose a data file (Ctrl+Shift+O)."
            if any(map(differs, self.missing))
            else f"{what}."
        )


def differs(missing: Proposal) -> bool:
    """Say whether an input may differ from example to example, so that a file can give it."""
    return bool(missing.shape) or not missing.is_determined


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def check(draft: Draft, *, seed: int = 0) -> Checked:
    """Return what comes of a draft; it never raises what a user can mend.

    Values that the draft began with and that the formula has outgrown give way to drawn ones; what was typed
    for a name never does.
    """
    found, reading = _tried(draft, seed)
    if found.error is None or reading is None:
        return found
    error = found.error
    found = replace(found, faults=_faults(draft, reading, seed))
    hint = next((name for name in reading.typed_near(error) if _fits_without(draft, name, seed)), "")
    if hint and isinstance(error, FormulaError):
        how = f"{error.how} Or empty the field of {hint}: it then takes the shape that the formula needs."
        return replace(found, error=FormulaError(error.what, error.line, error.column, how=how))
    return found


def _tried(draft: Draft, seed: int) -> tuple[Checked, _Reading | None]:
    try:
        reading = _Reading(draft, seed)
    except BackstepError as error:
        return Checked(draft, error=error), None
    found = reading.checked()
    return found if found.error is None else _outgrown(reading, found) or found, reading


def _fits_without(draft: Draft, name: str, seed: int) -> bool:
    entries = {n: entry for n, entry in draft.entries.items() if n != name}
    return _tried(replace(draft, entries=entries, base=_without(draft.base, name)), seed)[0].error is None


def _faults(draft: Draft, reading: _Reading, seed: int) -> dict[str, str]:
    """Say of each typed value that does not fit which shape it should have.

    The values are put in one after the other as they were typed: what does not fit those before it is at
    fault. Nothing is said where the formula is wrong without them too.
    """
    typed = [name for name in draft.entries if name in reading.kinds]
    kinds = {**reading.kinds, **draft.kinds}
    fits = replace(draft, kinds=kinds, entries={})
    for name in typed:
        fits = replace(fits, base=_without(fits.base, name))
    if not typed or len(typed) > MOST_RESTORED or _tried(fits, seed)[0].error is not None:
        return {}
    faults: dict[str, str] = {}
    for name in typed:
        more = replace(fits, entries={**fits.entries, name: draft.entries[name]})
        if _tried(more, seed)[0].error is None:
            fits = more
        else:
            faults[name] = ""
    return {name: _fault(fits, name, draft.entries[name], seed) for name in faults}


def _fault(draft: Draft, name: str, entry: Entry, seed: int) -> str:
    """Say which shape a value has, and which the rest of the formula needs."""
    shape = entry.value.shape
    needed = wanted(draft, name, seed=seed)
    has = f"{excerpt(name)} is {shape_text(shape) or 'one number'}" if shape is not None else ""
    if needed is None or not has or _fits(shape or (), needed):
        return f"{excerpt(name)} does not fit the other values: change it, or empty the field."
    return f"{has}, but the formula needs {_needed_text(needed)}."


def _fits(shape: Sequence[str | int], needed: Sequence[int | None]) -> bool:
    return len(shape) == len(needed) and all(n in (None, s) for s, n in zip(shape, needed, strict=True))


def _needed_text(needed: Sequence[int | None]) -> str:
    """Return a shape of which some lengths may be open: ``3 rows``, ``2 × 2``, ``one number``."""
    if None not in needed:
        return shape_text([size for size in needed if size is not None]) or "one number"
    said = [_count(size, word) for size, word in zip(needed, ("row", "column"), strict=False) if size]
    return " and ".join(said) or "a matrix"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _outgrown(reading: _Reading, found: Checked) -> Checked | None:
    """Return what comes of the draft without the values that are in the way of the formula, if that is it."""
    near, own = reading.in_the_way(found.error)
    for names in ([name] for name in near):
        if (again := reading.without(names)) is not None:
            return again
    again = reading.without(own) if own else None
    if again is None or len(own) > MOST_RESTORED:
        return again
    for name in own:  # what fits beside the others stays
        fewer = [n for n in own if n != name]
        if fewer and (better := reading.without(fewer)) is not None:
            own, again = fewer, better
    return again


def wanted(draft: Draft, name: str, *, seed: int = 0) -> tuple[int | None, ...] | None:
    """Return the shape that the rest of the formula needs of a name, None where that cannot be said."""
    entries = {n: entry for n, entry in draft.entries.items() if n != name}
    try:
        first = _Reading(draft, seed)
        kinds = {**first.kinds, **draft.kinds}
        base = _without(draft.base, name, of_file=True)
        freed = replace(draft, entries=entries, base=base, kinds=kinds)
        reading = _Reading(freed, seed, first.statements)
    except BackstepError:
        return None
    found = next((p for p in reading.inference.proposals if p.name == name), None)
    return None if found is None else reading.wanted(found)


class _Reading:
    """A draft whose formula could be read: which names it reads, and what each is.

    Raises
    ------
    BackstepError
        Where the formula, the data or a dimension is wrong.
    """

    def __init__(self, draft: Draft, seed: int, statements: Sequence[Statement] | None = None) -> None:
        self.draft = draft
        self.seed = seed
        self.statements = parse(draft.formula) if statements is None else statements
        self._lines = {statement.name for statement in self.statements}
        self._names = [n for n in identifiers(self.statements) if n not in self._lines]
        self.loss = self._loss()
        self._data_names = _names_of_data(draft.base)
        self._has_data = any(name in self._data_names for name in self._names)
        self.kinds = self._kinds()
        self._base = self._known()
        self._dims = leaf_dims(self._base, seed=seed)
        self.inference = self._inferred()
        self._proposals = {p.name: p for p in self.inference.proposals}
        self._drawn: dict[str, Initial] = {}

    def _loss(self) -> str | None:
        loss = self.draft.base.loss
        return loss if loss in self._lines else None

    def _kinds(self) -> dict[str, Kind]:
        """Return the role of every name that is read."""
        base = {name: Kind.INPUT for name in self._data_names}
        base |= {name: Kind.PARAMETER for name in self.draft.base.parameters}
        rest = [name for name in self._names if name not in base and name != "m"]
        found = roles(self.statements, rest, self.loss, self._has_data)
        found |= {name: base[name] for name in self._names if name in base}
        return found | {n: k for n, k in self.draft.kinds.items() if n in self._names}

    # what is known

    def _known(self) -> Network:
        """Return the network of all that was given for names that are read."""
        draft, base = self.draft, self.draft.base
        values = {name: value for name in self.kinds if (value := draft._value(name)) is not None}
        arrays = {n: v for n, v in values.items() if self.kinds[n] == Kind.INPUT and not isinstance(v, Drawn)}
        parameters: dict[str, Array | Initial] = {
            n: v for n, v in values.items() if self.kinds[n] == Kind.PARAMETER and not isinstance(v, Drawn)
        }
        data = self._data(arrays, parameters)
        dimensions = {**base.dimensions, **draft.dimensions}
        for name, value in values.items():
            if isinstance(value, Drawn) and value.shape is not None and self.kinds[name] == Kind.PARAMETER:
                names = [s for s in value.shape if isinstance(s, str)]
                if data or not {"n", "m"}.difference(dimensions).intersection(names):
                    parameters[name] = Initial(value.shape, value.init)
                    dimensions |= {s: DEFAULT_SIZE for s in names if s not in (*dimensions, "n", "m")}
        known = replace(base, formula=draft.formula, loss=self.loss, dimensions=dimensions)
        return replace(known, parameters=parameters, data=data).taking(self.statements)

    def _data(self, arrays: dict[str, Array], parameters: dict[str, Array | Initial]) -> Mapping | FileData:
        """Return the data: those of the CSV as long as the formula reads them, and what was given besides."""
        data = self.draft.base.data
        if not isinstance(data, FileData):
            same = arrays.keys() == data.keys() and all(arrays[name] is data[name] for name in arrays)
            return data if same else arrays
        read = [n for n in data.columns if n in self._names]
        if not read:
            return arrays
        if all(self.kinds[n] == Kind.INPUT for n in read) and not any(n in arrays for n in read):
            found = data if len(read) == len(data.columns) else _columns(data, read)
            same = arrays.keys() == data.own.keys() and all(arrays[n] is data.own[n] for n in arrays)
            return found if same else replace(found, own=Literals(arrays))
        whole = data_of(self.draft.base, seed=self.seed)
        for name in read:
            if self.kinds[name] == Kind.PARAMETER:
                parameters.setdefault(name, whole[name])
        return {**{n: whole[n] for n in read if self.kinds[n] == Kind.INPUT}, **arrays}

    def _inferred(self) -> Inference:
        dimensions = {n: s for n, s in self._base.dimensions.items() if n not in ("n", "m")}
        return infer(
            self.statements,
            self._dims,
            kinds=self.kinds,
            loss=self.loss,
            has_data=self._has_data,
            dimensions=dimensions,
        )

    # what comes of it

    def checked(self) -> Checked:
        missing = [p for p in self.inference.proposals if p.kind == Kind.INPUT]
        network = self._network()
        model, error = None, None
        try:
            if missing:
                self._check_pending(network)
            else:
                model = bind(network, seed=self.seed)
        except FormulaError as found:
            found.where = f"line {found.line}, column {found.column}"  # of the text, whatever file it is from
            error = found
        except BackstepError as found:
            error = found
        is_good = model is not None
        return Checked(
            self.draft,
            network if is_good else None,
            model,
            error,
            () if error else tuple(missing),
            self._rows(model),
            self._sizes(),
            self._notices() if is_good else (),
            tuple(dict.fromkeys(statement.name for statement in self.statements)),
            tuple(self._names),
            self.loss or self.statements[-1].name,
            self._losses(model),
        )

    def _losses(self, model: Model | None) -> tuple[str, ...]:
        """Return the lines that are one number, or all where that is not known yet."""
        names = dict.fromkeys(statement.name for statement in self.statements)
        if model is None:
            return tuple(names)
        return tuple(name for name in names if not model.graph[name].dims)

    def _network(self) -> Network:
        """Return the network with what stands in for the parameters that nobody has given."""
        for p in self.inference.proposals:
            if p.kind == Kind.PARAMETER:
                self._drawn[p.name] = Initial(p.shape, self._init(p))
        base = self._base
        order = [n for n in self._names if n in base.parameters or n in self._drawn]
        known = {**self._drawn, **base.parameters}
        parameters = {name: known[name] for name in order}
        used = {s for v in parameters.values() if isinstance(v, Initial) for s in v.shape}
        made = {n: s for n, s in self.inference.dimensions.items() if n in used}
        own = self.draft.base.dimensions
        given = {n: s for n, s in base.dimensions.items() if n in own or n in used}
        found = replace(base, parameters=parameters, dimensions={**given, **made})
        return found.taking(self.statements)

    def _init(self, proposal: Proposal) -> str:
        entry = self.draft.entries.get(proposal.name)
        if entry is not None and isinstance(entry.value, Drawn):
            return entry.value.init
        is_bias = proposal.name[0] in "bc" and (proposal.shape == () or proposal.shape[-1] == 1)
        return "zeros" if is_bias else "xavier"

    def _check_pending(self, network: Network) -> None:
        """Find what is wrong already, although some inputs have no numbers.

        Their lengths are made up twice: only what is said both times has nothing to do with them.
        """
        said: list[FormulaError] = []
        for first in (1009, 2003):
            try:
                leaves = self._made_up(first)
                build(self.statements, leaves, loss=network.loss, examples=first)
            except FormulaError as error:
                said.append(error)
        if len(said) == 2 and str(said[0]) == str(said[1]):
            raise said[0]

    def _made_up(self, first: int) -> list[Leaf]:
        made = {name: first + 2 * i for i, name in enumerate(self.inference.pending)}
        made["m"] = first
        lengths = {**self._base.dimensions, **self.inference.dimensions, **made}
        known = {d.name: d for dims in self._dims.values() for d in dims}
        leaves = [Leaf(name, self.kinds[name], dims) for name, dims in self._dims.items()]
        for p in self.inference.proposals:
            dims: Dims = tuple(
                UNIT
                if s == 1
                else known.get(str(s)) or Dim(str(s), lengths.get(s, DEFAULT_SIZE), s == "m")
                if isinstance(s, str)
                else Dim(str(s), s)
                for s in p.shape
            )
            leaves.append(Leaf(p.name, p.kind, dims))
        return leaves

    def in_the_way(self, error: BackstepError | None) -> tuple[list[str], list[str]]:
        """Return which values that nobody typed may keep the shapes from fitting: those near, and all."""
        own = [n for n in self._base.parameters if n not in self.draft.entries]
        near = self._names_near(error)
        return ([n for n in near if n in own], own) if near else ([], [])

    def typed_near(self, error: BackstepError) -> list[str]:
        """Return which typed values stand where shapes do not fit."""
        return [n for n in self._names_near(error) if n in self.draft.entries]

    def without(self, names: Sequence[str]) -> Checked | None:
        """Return what comes of the draft without the values of `names`, None where that is no good either."""
        base = self.draft.base
        for name in names:
            base = _without(base, name)
        try:
            kinds = {**self.kinds, **self.draft.kinds}
            freed = replace(self.draft, base=base, kinds=kinds)
            again = _Reading(freed, self.seed, self.statements).checked()
        except BackstepError:
            return None
        if again.error is not None:
            return None
        listed = _listed([excerpt(name) for name in names[:6]])
        verb, value = ("is", "value") if len(names) == 1 else ("are", "values")
        notice = f"{listed} {verb} drawn anew: the former {value} did not fit the formula any more."
        return replace(again, draft=self.draft, notices=(notice, *again.notices))

    def _names_near(self, error: BackstepError | None) -> list[str]:
        """Return the names in the line where shapes do not fit; none for another error."""
        is_shape = isinstance(error, FormulaError) and " shape" in error.what
        if not is_shape or len(self.statements) > MOST_FREED:
            return []
        assert isinstance(error, FormulaError)
        line = next((s for s in reversed(self.statements) if s.line <= error.line), None)
        found = (item.text for item in line.items if item.kind == "name") if line is not None else ()
        return list(dict.fromkeys(found))

    def _notices(self) -> tuple[str, ...]:
        loss = self.draft.base.loss
        if loss is None or self.loss is not None:
            return ()
        return (f"No line is called {excerpt(loss)}: the loss is {self.statements[-1].name}, the last line.",)

    # rows

    def _rows(self, model: Model | None) -> tuple[Row, ...]:
        names = [n for n in self._names if n in self.kinds or n in self._proposals]
        carry = self._carry()
        rows = [self._row(name, carry.get(name, "")) for name in names]
        if model is None:
            return tuple(rows)
        return tuple(row._replace(shape=_dims_in_words(model.graph[row.name].dims)) for row in rows)

    def _row(self, name: str, carry: str) -> Row:
        kind = self.kinds.get(name, Kind.PARAMETER)
        entry = self.draft.entries.get(name)
        text = entry.text if entry is not None else self._own_text(name)
        if name in self._proposals:
            p = self._proposals[name]
            if kind == Kind.INPUT:
                shape = self._pending_shape(p)
                hint = f"{shape} numbers" if "×" in shape else "a number" if not shape else "numbers"
                return Row(name, kind, "", hint, shape, "missing", carry)
            drawn = Drawn(self._init(p), p.shape)
            return Row(name, kind, text, entry_text(drawn), self._shape_of(name), "drawn", carry)
        source = "" if text else self._source(name)
        return Row(name, kind, text, self._own_hint(name), self._shape_of(name), "given", source=source)

    def _own_text(self, name: str) -> str:
        value = self.draft._value(name)
        return "" if value is None else entry_text(value)

    def _own_hint(self, name: str) -> str:
        columns, file = self._columns_of(name)
        if not file:
            return "numbers of its own"
        said = excerpt(columns[0], 30) if len(columns) == 1 else f"{len(columns)} columns"
        return f"{said} of {excerpt(file, 40)}"

    def _columns_of(self, name: str) -> tuple[tuple[str, ...], str]:
        """Return which columns of which file a name is, none for other names."""
        data = self.draft.base.data
        if isinstance(data, FileData) and name in data.columns:
            return tuple(data.columns[name]), data.file
        return (), ""

    def _source(self, name: str) -> str:
        columns, file = self._columns_of(name)
        return excerpt(f"{', '.join(columns)} of {file}", 200) if file else ""

    def _shape_of(self, name: str) -> str:
        dims = self._dims.get(name)
        if dims is not None:
            return _dims_in_words(dims)
        shape = self._proposals[name].shape
        lengths = [self._length(s) for s in shape]
        if None in lengths:
            return shape_text(shape)
        return _in_words(shape_text([s for s in lengths if s is not None]), shape_text(shape))

    def _pending_shape(self, p: Proposal) -> str:
        if not p.shape:
            return "" if p.is_determined else "any shape"
        return shape_text([s if s in self.inference.pending else self._length(s) or s for s in p.shape])

    def _length(self, entry: str | int) -> int | None:
        if isinstance(entry, int):
            return entry
        known = {d.name: d.size for dims in self._dims.values() for d in dims}
        lengths = {**self._base.dimensions, **self.inference.dimensions, **known}
        return lengths.get(entry)

    def wanted(self, proposal: Proposal) -> tuple[int | None, ...] | None:
        """Return the lengths that a value for a proposal should have, None for those that are open."""
        if not proposal.shape and not proposal.is_determined:
            return None
        free = {*self.inference.pending, *self.inference.dimensions} - self.draft.dimensions.keys()
        return tuple(None if s in free else self._length(s) for s in proposal.shape)

    def _sizes(self) -> tuple[Size, ...]:
        """Return the dimensions of drawn parameters that the data do not say the size of."""
        drawn = [
            v for v in (*self._base.parameters.values(), *self._drawn.values()) if isinstance(v, Initial)
        ]
        names = dict.fromkeys(s for v in drawn for s in v.shape if isinstance(s, str))
        lengths = {**self._base.dimensions, **self.inference.dimensions}
        return tuple(Size(n, lengths[n]) for n in names if n in lengths and n not in ("n", "m"))

    def _carry(self) -> dict[str, str]:
        """Return which name was probably renamed: the one that is gone, where one has come."""
        new = [p for p in self.inference.proposals if p.name not in self.draft.entries]
        gone = self.draft.having_read(self._names).gone
        if len(new) != 1 or len(gone) != 1 or gone[0] in self._lines:
            return {}
        return {new[0].name: gone[0]}


def _names_of_data(network: Network) -> list[str]:
    data = network.data
    return list(data.names if isinstance(data, FileData) else data)


def _columns(data: FileData, names: Sequence[str]) -> FileData:
    """Return the data with some of its names alone."""
    inputs = {n: c for n, c in data.inputs.items() if n in names}
    targets = {n: c for n, c in data.targets.items() if n in names}
    return (
        replace(data, inputs=inputs, targets=targets) if inputs else replace(data, inputs=targets, targets={})
    )


def _dims_in_words(dims: Dims) -> str:
    return _in_words(shape_text(sizes(dims)), shape_text([d.name for d in dims]))


def _in_words(numbers: str, names: str) -> str:
    """Return a shape with its names: ``4 × 2 (k × n)``."""
    if not numbers:
        return "scalar"
    return numbers if numbers == names else f"{numbers} ({names})"
