"""Session files (``.backstep``): networks with data, runs, what can be taken back, and what is on the screen.

The file is a zip archive of ``session.json``, the networks as text, the CSV files they refer to, and arrays
as NumPy writes them. Nothing is unpacked and nothing is run: members are read by the names that this module
gives them, arrays by their one allowed header. What is read is bounded before it is read, so a file that
somebody made to do harm is refused in little time and memory, with the sentence that a damaged one gets.
"""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from math import isfinite, prod
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeVar

import numpy as np

from engine.errors import BackstepError, UsageError, excerpt
from engine.faults import FAULTS, FaultAt
from engine.history import Diverged, Reached, Recording
from engine.training import STOPPING, Recipe
from graphs.carrying import CARRIERS, carried
from graphs.definition import Array, Network
from graphs.reading import LARGEST_FILE, loads
from graphs.recipes import recipe_of, table_of
from graphs.writing import text_of

__all__ = [
    "FORMAT",
    "SavedDocument",
    "SavedMoment",
    "SavedRun",
    "SavedSession",
    "read_session",
    "write_session",
]

FORMAT = 4
LARGEST, LARGEST_PACKED = 2**30, 2**28
"""Bytes that all members together may have; where the file is much smaller than that, only so many."""
LARGE_ARRAY = 4 * 2**20
"""Bytes from which on an array is not packed: it would take long and gain little."""
LARGEST_TABLE = 8 * 2**20
MOST_MEMBERS = 4000
MOST_RUNS = 100
MOST_RECORDS = 400
MOST_NETWORKS = 200
MOST_DOCUMENTS = 400
MOST_MOMENTS = 200
MAX_ITERATIONS = 10**8
_DATE = (1980, 1, 1, 0, 0, 0)  # the same session gives the same bytes
_END, _LOCATOR = b"PK\x05\x06", b"PK\x06\x07"

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class SavedDocument:
    """What is open, or what a run was made from."""

    network: Network
    seed: int
    overrides: Mapping[str, Array]
    recipe: Recipe
    fault: FaultAt | None = None


@dataclass(frozen=True)
class SavedRun:
    """A run: what it was made from, what it had recorded at some time, and how it is shown.

    Attributes
    ----------
    key
        Which run it is: one run at several times has one key.
    recipe
        How it is trained, where a fault makes that another than its document says.
    """

    document: SavedDocument
    recording: Recording
    name: str
    style: int
    group: int
    visible: bool = True
    goal: int = 0
    key: int = 0
    recipe: Recipe | None = None


@dataclass(frozen=True)
class SavedMoment:
    """What the session was before a change that can be taken back, or after one that can be done again.

    Attributes
    ----------
    runs
        All runs that there were; `current` is the place of the one that the timeline stood in.
    what
        The name of the change.
    rewinds
        Whether taking it back takes back what runs have recorded since.
    """

    document: SavedDocument
    runs: tuple[SavedRun, ...]
    current: int
    iteration: int
    position: int
    what: str
    rewinds: bool


@dataclass(frozen=True)
class SavedSession:
    """All that a session file keeps.

    Attributes
    ----------
    current
        Which of the runs the timeline stands in.
    place
        Detail, iteration, position, selection and entry, as :meth:`gui.session.Session.restore` takes them.
    view
        What the window makes of it: docks, axes; numbers, text, lists and tables alone.
    path
        The network file that a recovered session belongs to, "" for none.
    back, forth
        What can be taken back and done again; the last is the next.
    """

    document: SavedDocument
    runs: tuple[SavedRun, ...]
    current: int
    place: Mapping[str, Any] = field(default_factory=dict)
    view: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    back: tuple[SavedMoment, ...] = ()
    forth: tuple[SavedMoment, ...] = ()


# --- writing -----------------------------------------------------------------------------------------------


def write_session(saved: SavedSession, file: BinaryIO, *, is_packed: bool = True) -> None:
    """Write a session into a file that is open.

    Parameters
    ----------
    is_packed
        Whether the file is to be small rather than quickly written.

    Raises
    ------
    UsageError
        Where it is larger than what is read back.
    """
    kind = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
    with zipfile.ZipFile(file, "w", kind, compresslevel=1 if is_packed else None) as archive:
        _Writer(archive).write(saved)


class _Writer:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._kind = archive.compression
        self._arrays: dict[int, tuple[int, Array]] = {}  # by identity; the array is held, so none is reused
        self._files: dict[bytes, int] = {}
        self._networks: dict[int, int] = {}
        self._documents: dict[int, int] = {}
        self._records: dict[int, int] = {}
        self._record_rows: list[dict[str, Any]] = []
        self._network_rows: list[dict[str, Any]] = []
        self._document_rows: list[dict[str, Any]] = []
        self._size = 0

    def write(self, saved: SavedSession) -> None:
        table = {
            "format": FORMAT,
            "document": self._document(saved.document),
            "runs": [self._record(run) for run in saved.runs],
            "current": saved.current,
            "back": [self._moment(moment) for moment in saved.back],
            "forth": [self._moment(moment) for moment in saved.forth],
            "place": dict(saved.place),
            "view": dict(saved.view),
            "path": saved.path,
            "networks": self._network_rows,
            "documents": self._document_rows,
            "records": self._record_rows,
        }
        self._member("session.json", json.dumps(table, indent=1, allow_nan=False).encode())

    def _member(self, name: str, data: bytes) -> None:
        self._make_room(len(data))
        self._archive.writestr(self._info(name), data)

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, _DATE)
        info.compress_type = self._kind
        return info

    def _make_room(self, size: int) -> None:
        self._size += size
        if self._size > LARGEST:
            raise UsageError(
                f"the session has more than {LARGEST // 2**20} MB.", how="Remove runs that you do not need."
            )

    def _array(self, array: Array) -> int:
        if id(array) in self._arrays:
            return self._arrays[id(array)][0]
        number = len(self._arrays)
        self._arrays[id(array)] = (number, array)
        self._make_room(array.nbytes)
        info = self._info(f"arrays/{number}.npy")
        if array.nbytes > LARGE_ARRAY:
            info.compress_type = zipfile.ZIP_STORED
        with self._archive.open(info, "w") as member:
            np.lib.format.write_array(member, np.ascontiguousarray(array).reshape(array.shape), (1, 0))
        return number

    def _network(self, network: Network) -> int:
        if id(network) not in self._networks:
            number = self._networks[id(network)] = len(self._network_rows)
            self._member(f"networks/{number}.toml", text_of(network).encode())
            attached = {name: self._file(data) for name, data in network.attached.items()}
            self._network_rows.append({"name": network.name, "title": network.title, "attached": attached})
        return self._networks[id(network)]

    def _file(self, data: bytes) -> int:
        if data not in self._files:
            self._files[data] = len(self._files)
            self._member(f"files/{self._files[data]}.csv", data)
        return self._files[data]

    def _document(self, document: SavedDocument) -> int:
        if id(document) not in self._documents:
            self._documents[id(document)] = len(self._document_rows)
            overrides = {name: self._array(array) for name, array in document.overrides.items()}
            row = {"network": self._network(document.network), "seed": document.seed}
            row |= {"overrides": overrides, "recipe": table_of(document.recipe)}
            self._document_rows.append(row | {"fault": _fault_row(document.fault)})
        return self._documents[id(document)]

    def _moment(self, moment: SavedMoment) -> dict[str, Any]:
        return {
            "what": moment.what,
            "rewinds": moment.rewinds,
            "document": self._document(moment.document),
            "runs": [self._record(run) for run in moment.runs],
            "current": moment.current,
            "iteration": moment.iteration,
            "position": moment.position,
        }

    def _record(self, run: SavedRun) -> int:
        if id(run) not in self._records:
            self._records[id(run)] = len(self._record_rows)
            self._record_rows.append(self._record_row(run))
        return self._records[id(run)]

    def _record_row(self, run: SavedRun) -> dict[str, Any]:
        kept = run.recording
        arrays = {
            name: self._array(np.asarray(getattr(kept, name)))
            for name in ("losses", "iterations", "vectors", "numbers", "point")
        }
        return {
            "document": self._document(run.document),
            "run": run.key,
            "name": run.name,
            "style": run.style,
            "group": run.group,
            "visible": run.visible,
            "goal": run.goal,
            "stride": kept.stride,
            "ended": _ended_row(kept.ended),
            "recipe": None if run.recipe is None else table_of(run.recipe),
            **arrays,
        }


def _fault_row(fault: FaultAt | None) -> dict[str, Any] | None:
    return None if fault is None else fault._asdict()


def _ended_row(ended: Diverged | Reached | None) -> dict[str, Any] | None:
    if isinstance(ended, Diverged):
        return asdict(ended)
    if isinstance(ended, Reached):
        return {"iteration": ended.iteration, "rule": ended.rule, "value": ended.value}
    return None


# --- reading -----------------------------------------------------------------------------------------------

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,  # RecursionError among them, and a member that asks for a password
    ValueError,
    LookupError,
    OverflowError,
    TypeError,
    AttributeError,
)
"""What the standard library raises about archives that are none."""


def read_session(path: Path, *, with_runs: bool = True) -> SavedSession:
    """Return what a session file keeps, or an exported file carries; without its runs where not asked for.

    Raises
    ------
    UsageError
        Where the file cannot be read, is damaged, carries no session, or is from a newer version.
    """
    where = excerpt(path.name)
    try:
        if path.suffix.lower() in CARRIERS:
            return read_session_from(io.BytesIO(carried(path)), where, with_runs=with_runs)
        with path.open("rb") as file:
            return read_session_from(file, where, with_runs=with_runs)
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or "no such path").lower()
        raise UsageError(
            f"the file cannot be read ({reason}).", where=excerpt(path, 100), how="Check its name."
        ) from None


def read_session_from(file: BinaryIO, where: str, *, with_runs: bool = True) -> SavedSession:
    """Return what a session file keeps that is open, as :func:`read_session`."""
    try:
        _require_small(file)
        with zipfile.ZipFile(file) as archive:
            return _Reader(archive, with_runs).session()
    except _NewerError as error:
        raise UsageError(
            f"the session has the format {error}, and this version of Backstep reads up to {FORMAT}.",
            where=where,
            how="Open it with a newer Backstep.",
        ) from None
    except (_DamagedError, *_BROKEN, BackstepError, OSError):
        raise UsageError(
            "the file is damaged, or it is not a session.", where=where, how="Open an earlier copy of it."
        ) from None


class _DamagedError(Exception):
    """The file is not what this module writes."""


class _NewerError(Exception):
    """The file is from a newer version, whose format is given."""


def _require_small(file: BinaryIO) -> None:
    """See to it that the list of members is short, before all of it is read."""
    size = file.seek(0, os.SEEK_END)
    if size > 2 * LARGEST:
        raise _DamagedError
    file.seek(max(0, size - 42))
    tail = file.read()
    if tail[-22:-18] != _END or tail[:4] == _LOCATOR:  # an archive of ours ends there, without a comment
        raise _DamagedError
    members, length = struct.unpack("<HL", tail[-12:-6])
    if members > MOST_MEMBERS or length > 200 * MOST_MEMBERS:
        raise _DamagedError
    file.seek(0)


_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00..\{'descr': '(<f8|<i8)', 'fortran_order': False, "
    rb"'shape': \(([\d, ]{0,40})\), \} *\n",
    re.DOTALL,
)


class _Reader:
    def __init__(self, archive: zipfile.ZipFile, with_runs: bool) -> None:
        self._archive = archive
        self._with_runs = with_runs
        self._members = {info.filename: info for info in archive.infolist()}
        size = sum(info.file_size for info in self._members.values())
        packed = sum(info.compress_size for info in self._members.values())
        if size > min(LARGEST, max(LARGEST_PACKED, 4 * packed)):
            raise _DamagedError
        self._arrays: dict[int, Array] = {}
        self._files: dict[int, bytes] = {}

    def session(self) -> SavedSession:
        table = _migrated(_Row(json.loads(self._member("session.json", LARGEST_TABLE), parse_constant=_no)))
        networks = [
            self._network(i, _Row(row)) for i, row in enumerate(table.rows("networks", MOST_NETWORKS))
        ]
        documents = [self._document(_Row(row), networks) for row in table.rows("documents", MOST_DOCUMENTS)]
        document = documents[table.number("document", 0, len(documents) - 1)]
        place = _place(_Row(table.table("place")))
        path = table.text("path", 5000) if "path" in table.items else ""
        found = SavedSession(document, (), 0, place, table.table("view"), path)
        if not self._with_runs:
            return found
        records = [self._record(_Row(row), documents) for row in table.rows("records", MOST_RECORDS)]
        runs, current = _runs_of(table, records)
        back, forth = (
            tuple(_moment(_Row(row), documents, records) for row in table.rows(key, MOST_MOMENTS, least=0))
            for key in ("back", "forth")
        )
        return replace(found, runs=runs, current=current, back=back, forth=forth)

    def _member(self, name: str, most: int) -> bytes:
        info = self._members[name]
        if info.file_size > most or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _DamagedError
        data = self._archive.read(info)
        if len(data) != info.file_size:
            raise _DamagedError
        return data

    def _array(self, number: int, kind: str = "<f8") -> Array:
        if number not in self._arrays:
            self._arrays[number] = self._read_array(number)
        array = self._arrays[number]
        if array.dtype != np.dtype(kind):
            raise _DamagedError
        return array

    def _read_array(self, number: int) -> Array:
        raw = self._member(f"arrays/{number}.npy", LARGEST)
        header = _HEADER.match(raw[:1000])
        if header is None:
            raise _DamagedError
        shape = tuple(int(word) for word in header[2].decode().split(",") if word.strip())
        if len(shape) > 2 or prod(shape) * 8 != len(raw) - header.end():
            raise _DamagedError
        return np.frombuffer(raw, header[1].decode(), offset=header.end()).reshape(shape)

    def _file(self, number: int) -> bytes:
        if number not in self._files:
            self._files[number] = self._member(f"files/{number}.csv", 64 * 2**20)
        return self._files[number]

    def _network(self, number: int, row: _Row) -> Network:
        text = self._member(f"networks/{number}.toml", LARGEST_FILE).decode()
        attached = {
            file: self._file(_whole(place, 0, MOST_MEMBERS)) for file, place in row.table("attached").items()
        }
        network = loads(text, name=row.text("name", 300))
        return replace(network, title=row.text("title", 10_000), attached=attached)

    def _document(self, row: _Row, networks: list[Network]) -> SavedDocument:
        overrides = {name: self._value(place) for name, place in row.table("overrides").items()}
        network = networks[row.number("network", 0, len(networks) - 1)]
        recipe, fault = _recipe(row.table("recipe")), _fault(row.items["fault"])
        return SavedDocument(network, row.number("seed", 0, 2**63), overrides, recipe, fault)

    def _value(self, place: Any) -> Array:
        array = self._array(_whole(place, 0, MOST_MEMBERS))
        if array.size == 0 or array.ndim == 1 or not np.isfinite(array).all():
            raise _DamagedError
        return array

    def _record(self, row: _Row, documents: list[SavedDocument]) -> SavedRun:
        columns = {
            n: self._array(row.number(n, 0, MOST_MEMBERS)) for n in ("losses", "vectors", "numbers", "point")
        }
        if not 1 <= len(columns["losses"]) <= MAX_ITERATIONS:
            raise _DamagedError
        iterations = self._array(row.number("iterations", 0, MOST_MEMBERS), "<i8")
        ended = _ended(row.items["ended"])
        kept = Recording(row.number("stride", 1, 2**40), iterations=iterations, ended=ended, **columns)
        return SavedRun(
            documents[row.number("document", 0, len(documents) - 1)],
            kept,
            row.text("name", 200),
            row.number("style", 0, 10_000),
            row.number("group", 0, 2**31),
            row.truth("visible"),
            row.number("goal", 0, 2 * MAX_ITERATIONS),
            row.number("run", 0, 2**53),
            None if row.items["recipe"] is None else _recipe(row.table("recipe")),
        )


class _Row:
    """A table of the file, whose values are looked at before they are believed."""

    def __init__(self, items: Any) -> None:
        if not isinstance(items, dict):
            raise _DamagedError
        self.items: dict[str, Any] = items

    def number(self, key: str, low: int, high: int) -> int:
        return _whole(self.items[key], low, high)

    def text(self, key: str, most: int) -> str:
        value = self.items[key]
        if not isinstance(value, str) or len(value) > most:
            raise _DamagedError
        return value

    def truth(self, key: str) -> bool:
        return _of(self.items[key], bool)

    def table(self, key: str) -> dict[str, Any]:
        return _of(self.items[key], dict)

    def rows(self, key: str, most: int, least: int = 1) -> list[Any]:
        rows = _of(self.items[key], list)
        if not least <= len(rows) <= most:
            raise _DamagedError
        return rows


def _runs_of(row: _Row, records: list[SavedRun]) -> tuple[tuple[SavedRun, ...], int]:
    """Return the runs that a row refers to, each another one, and which of them is the current one."""
    runs = tuple(records[_whole(place, 0, len(records) - 1)] for place in row.rows("runs", MOST_RUNS))
    if len({run.key for run in runs}) < len(runs):
        raise _DamagedError
    return runs, row.number("current", 0, len(runs) - 1)


def _moment(row: _Row, documents: list[SavedDocument], records: list[SavedRun]) -> SavedMoment:
    runs, current = _runs_of(row, records)
    return SavedMoment(
        documents[row.number("document", 0, len(documents) - 1)],
        runs,
        current,
        row.number("iteration", 0, MAX_ITERATIONS),
        row.number("position", 0, 10**9),
        row.text("what", 300),
        row.truth("rewinds"),
    )


def _of(value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise _DamagedError
    return value


def _whole(value: Any, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise _DamagedError
    return value


def _real(value: Any) -> float:
    if type(value) not in (int, float) or not isfinite(value):
        raise _DamagedError
    return float(value)


def _no(constant: str) -> NoReturn:
    raise ValueError(constant)


def _recipe(table: Mapping[str, Any]) -> Recipe:
    for key, value in table.items():
        if key not in ("optimizer", "schedule"):
            _real(value)
    return recipe_of(table)


def _fault(row: Any) -> FaultAt | None:
    """Return a fault; whether the network can have it there is seen when its runs are made."""
    if row is None:
        return None
    found = _Row(row)
    if (name := found.text("name", 40)) not in FAULTS:
        raise _DamagedError
    return FaultAt(name, found.text("node", 300), found.number("slot", 0, 10_000))


def _ended(row: Any) -> Diverged | Reached | None:
    if row is None:
        return None
    found = _Row(row)
    iteration = found.number("iteration", 0, MAX_ITERATIONS)
    if "node" in found.items:
        called = found.text("called", 400) if "called" in found.items else ""  # older files say no such thing
        return Diverged(iteration, found.text("node", 300), _real(found.items["learning_rate"]), called)
    if (rule := found.text("rule", 20)) not in STOPPING:
        raise _DamagedError
    return Reached(iteration, rule, _real(found.items["value"]))


def _place(row: _Row) -> dict[str, Any]:
    """Return where the session stood; whether its graph has such a place is seen when it is restored."""
    selection, entry = row.items["selection"], row.items["entry"]
    if isinstance(selection, list):
        source, target, slot = selection
        selection = (_of(source, str), _of(target, str), _whole(slot, 0, 10_000))
    elif selection is not None:
        _of(selection, str)
    if entry is not None:
        entry = tuple(_whole(index, 0, 10**9) for index in _of(entry, list)[:3])
    return {
        "detail": row.text("detail", 20),
        "iteration": row.number("iteration", 0, MAX_ITERATIONS),
        "position": row.number("position", 0, 10**9),
        "selection": selection,
        "entry": entry,
    }


# --- earlier formats ---------------------------------------------------------------------------------------


def _migrated(table: _Row) -> _Row:
    """Return a table of any earlier format in this one."""
    version = table.items.get("format")
    if type(version) is not int or version < 1:
        raise _DamagedError
    if version > FORMAT:
        raise _NewerError(excerpt(version, 20))
    for earlier in range(version, FORMAT):
        table = _Row(_MIGRATIONS[earlier](table.items))
    return table


def _with_documents(table: dict[str, Any]) -> dict[str, Any]:
    """Return a table of format 1, in which every run told its document itself, with a list of documents."""
    keys = ("network", "seed", "overrides", "recipe")
    documents = [{key: table[key] for key in keys}]
    runs = []
    for run in _of(table["runs"], list):
        own = {key: run[key] for key in keys}
        if own not in documents:
            documents.append(own)
        runs.append({k: v for k, v in run.items() if k not in keys} | {"document": documents.index(own)})
    kept = {k: v for k, v in table.items() if k not in keys}
    return kept | {"format": 2, "document": 0, "documents": documents, "runs": runs}


def _with_records(table: dict[str, Any]) -> dict[str, Any]:
    """Return a table of format 2, in which there was nothing to take back, with runs by number."""
    runs = _of(table["runs"], list)
    records = [_of(run, dict) | {"run": number} for number, run in enumerate(runs)]
    return table | {
        "format": 3,
        "runs": list(range(len(runs))),
        "records": records,
        "back": [],
        "forth": [],
    }


def _with_faults(table: dict[str, Any]) -> dict[str, Any]:
    """Return a table of format 3, which kept no run that had a fault."""
    documents = [_of(row, dict) | {"fault": None} for row in _of(table["documents"], list)]
    records = [_of(row, dict) | {"recipe": None} for row in _of(table["records"], list)]
    return table | {"format": 4, "documents": documents, "records": records}


_MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {
    1: _with_documents,
    2: _with_records,
    3: _with_faults,
}
"""From each earlier format to the one after it."""
