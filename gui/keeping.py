"""Between a session and what a file keeps of it. No Qt, so that it can be done in a thread.

:func:`saved` only takes notes of what is there; it is :func:`graphs.sessions.write_session` that takes time.
:func:`opened` binds networks and lets runs stand where they stood.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.errors import BackstepError, UsageError
from engine.faults import resumed, run_of
from engine.graph import Detail
from graphs.network import FileData, Model, Network, array_of, bind, complete
from graphs.sessions import SavedDocument, SavedMoment, SavedRun, SavedSession
from gui.lab import Document, LabRun
from gui.moments import NO_PAST, Entry, Kept, Moment, Past

__all__ = ["Opened", "Place", "Snapshot", "opened", "saved"]

HEAVY = 32 * 2**20
"""Bytes of runs from which on they are left out where saving has to be quick."""
MOST_BACK = {False: 50, True: 20}
"""Changes that a file keeps so that they can be taken back, and where saving has to be quick."""
MOST_BACK_BYTES = {False: 16 * 2**20, True: 2 * 2**20}
"""What they may take beside the rest of the file; the changes nearest to the present are kept."""
A_NETWORK = 4096
"""Bytes that a network takes at least, for what it may cost."""


@dataclass(frozen=True)
class Place:
    """Where a session stands, beside what a `Moment` has of it."""

    detail: Detail
    selection: str | tuple[str, str, int] | None = None
    entry: tuple[int, ...] | None = None


@dataclass(frozen=True, eq=False)
class Opened:
    """What a session file comes to."""

    moment: Moment
    place: Place
    view: Mapping[str, Any]
    path: str
    past: Past = NO_PAST

    def networks(self) -> Iterator[Network]:
        """Yield the networks of all that was open and of all that can be gone to."""
        for moment in (self.moment, *(entry.moment for entries in self.past for entry in entries)):
            yield moment.document.network
            yield from (kept.shown.document.network for kept in moment.runs)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All that a file may keep of a session; nothing that happens later changes it.

    Attributes
    ----------
    view
        What the window makes of it.
    past
        What can be taken back and done again.
    """

    moment: Moment
    place: Place
    view: Mapping[str, Any]
    past: Past = NO_PAST


# --- to a file ---------------------------------------------------------------------------------------------


def saved(snapshot: Snapshot, path: str = "", *, is_quick: bool = False) -> SavedSession:
    """Return what a file is to keep of a session; of its past the part that is nearest to the present.

    Parameters
    ----------
    path
        The network file that it belongs to, where it is kept for a crash.
    is_quick
        Whether runs that are heavy are to be left out: the current one then stands at its beginning.

    Raises
    ------
    DataError
        Where a CSV cannot be read any more that has to travel along.
    """
    notes = _Notes(is_quick)
    moment, place = snapshot.moment, snapshot.place
    runs = _worth_keeping(moment)
    iteration, position = moment.iteration, moment.position
    if is_quick and sum(array.nbytes for kept in runs for array in kept.run.history.arrays()) > HEAVY:
        shown = next(kept for kept in runs if kept.shown is moment.current).shown
        document = moment.document
        runs, iteration = [Kept(shown, run_of(moment.model, document.recipe, document.fault))], 0
    where = {
        "detail": str(place.detail.value),
        "iteration": iteration,
        "position": position,
        "selection": place.selection,
        "entry": place.entry,
    }
    current = next(number for number, kept in enumerate(runs) if kept.shown is moment.current)
    rows = tuple(notes.run(kept) for kept in runs)
    document = notes.document(moment.document)
    back, forth = _nearest(snapshot.past, notes, is_quick)
    return SavedSession(document, rows, current, where, snapshot.view, path, back, forth)


def _worth_keeping(moment: Moment) -> list[Kept]:
    """Return the runs of a moment that have recorded something, and the current one."""
    return [kept for kept in moment.runs if kept.shown is moment.current or kept.run.iteration]


def _nearest(past: Past, notes: _Notes, is_quick: bool) -> tuple[tuple[SavedMoment, ...], ...]:
    """Return the changes that are kept: on both sides the nearest ones, as far as they are small enough."""
    room, count = MOST_BACK_BYTES[is_quick], MOST_BACK[is_quick]
    found: list[tuple[SavedMoment, ...]] = []
    for entries in past:
        kept: list[SavedMoment] = []
        for entry in reversed(entries):
            room -= notes.cost(entry.moment)
            count -= 1
            if room < 0 or count < 0:
                break
            try:
                kept.append(notes.moment(entry))
            except BackstepError:  # its CSV cannot be read any more: nothing before it could be reached
                break
        found.append(tuple(reversed(kept)))
    return tuple(found)


class _Notes:
    """Notes each document, network and array once, so that what was one thing is one thing again."""

    def __init__(self, is_quick: bool) -> None:
        self._is_quick = is_quick
        # by identity; what has been noted is held, so that nothing else can take its place in memory
        self._documents: dict[int, tuple[Document, SavedDocument]] = {}
        self._networks: dict[int, tuple[Network, Network]] = {}
        self._arrays: dict[int, tuple[Any, np.ndarray]] = {}
        self._runs: dict[tuple[int, int], tuple[LabRun, SavedRun]] = {}
        self._keys: dict[int, int] = {}

    def cost(self, moment: Moment) -> int:
        """Return about how many bytes a moment takes beyond what has been noted."""
        size = 0
        for kept in _worth_keeping(moment):
            if _key(kept) not in self._runs:
                size += sum(array.nbytes for array in kept.run.history.arrays())
        for document in (moment.document, *(kept.shown.document for kept in _worth_keeping(moment))):
            if id(document) not in self._documents:
                given = (v for v in document.overrides.values() if id(v) not in self._arrays)
                size += sum(np.asarray(value).nbytes for value in given)
            if id(document.network) not in self._networks:
                size += _size_of(document.network)
        return size

    def moment(self, entry: Entry) -> SavedMoment:
        moment = entry.moment
        runs = _worth_keeping(moment)
        current = next(number for number, kept in enumerate(runs) if kept.shown is moment.current)
        return SavedMoment(
            self.document(moment.document),
            tuple(self.run(kept) for kept in runs),
            current,
            moment.iteration,
            moment.position,
            entry.what,
            entry.rewinds,
        )

    def document(self, document: Document) -> SavedDocument:
        if id(document) not in self._documents:
            network = self._network(document.network)
            overrides = {name: self._array(name, value) for name, value in document.overrides.items()}
            found = SavedDocument(network, document.seed, overrides, document.recipe, document.fault)
            self._documents[id(document)] = document, found
        return self._documents[id(document)][1]

    def run(self, kept: Kept) -> SavedRun:
        shown = kept.shown
        if _key(kept) not in self._runs:
            found = SavedRun(
                self.document(shown.document),
                kept.run.recording(),
                shown.name,
                shown.style,
                shown.group,
                shown.visible,
                shown.goal,
                self._keys.setdefault(id(shown), len(self._keys)),
                None if kept.run.recipe == shown.document.recipe else kept.run.recipe,
            )
            self._runs[_key(kept)] = shown, found
        return self._runs[_key(kept)][1]

    def _network(self, network: Network) -> Network:
        if id(network) not in self._networks:
            try:
                found = complete(network)
            except BackstepError:
                if not self._is_quick:
                    raise
                found = network
            self._networks[id(network)] = network, found
        return self._networks[id(network)][1]

    def _array(self, name: str, value: Any) -> np.ndarray:
        if id(value) not in self._arrays:
            self._arrays[id(value)] = value, value if isinstance(value, np.ndarray) else array_of(value, name)
        return self._arrays[id(value)][1]


def _key(kept: Kept) -> tuple[int, int]:
    """Return what tells records apart: a run's only ever grows."""
    return id(kept.shown), kept.run.iteration


def _size_of(network: Network) -> int:
    data = network.data.own if isinstance(network.data, FileData) else network.data
    arrays = (
        value for value in (*network.parameters.values(), *data.values()) if isinstance(value, np.ndarray)
    )
    return A_NETWORK + len(network.source.text) + 20 * sum(array.size for array in arrays)


# --- from a file -------------------------------------------------------------------------------------------


def opened(file: SavedSession) -> Opened:
    """Return the moment that a file kept, its networks bound and its runs standing where they stood.

    Raises
    ------
    BackstepError
        Where what the file keeps does not fit together.
    """
    made = _Made()
    now = SavedMoment(
        file.document, file.runs, file.current, file.place["iteration"], file.place["position"], "", False
    )
    moment = made.moment(now)
    past = Past(made.entries(file.back), made.entries(file.forth))
    detail = file.place["detail"]
    place = Place(
        Detail(detail) if detail in tuple(Detail) else Detail.EQUATION,
        file.place["selection"],
        file.place["entry"],
    )
    return Opened(moment, place, file.view, file.path, past)


class _Made:
    def __init__(self) -> None:
        self._documents: dict[int, Document] = {}
        self._networks: dict[int, Network] = {}
        self._overrides: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._models: dict[tuple[int, int, int], Model] = {}
        self._seen: set[tuple[int, int]] = set()
        self._bases: dict[tuple[int, int], Model] = {}  # without values given by hand
        self._shown: dict[int, LabRun] = {}
        self._records: dict[int, Kept] = {}

    def moment(self, row: SavedMoment) -> Moment:
        runs = tuple(self.run(run) for run in row.runs)
        current, run = runs[row.current]
        document = self.document(row.document)
        is_alike = (current.document.recipe, current.document.fault) == (document.recipe, document.fault)
        if not is_alike or not current.document.has_numbers_of(document):
            raise UsageError("the session's run is of another network.", how="Open an earlier copy of it.")
        iteration = min(row.iteration, run.iteration)
        model = self.model(document)
        return Moment(current.document, model, runs, current, iteration, row.position, None)

    def entries(self, rows: Sequence[SavedMoment]) -> tuple[Entry, ...]:
        """Return what can be gone to, as far as each can be made from the present on."""
        found: list[Entry] = []
        for row in reversed(rows):
            try:
                found.append(Entry(self.moment(row), row.what, row.rewinds))
            except BackstepError:
                break
        return tuple(reversed(found))

    def document(self, document: SavedDocument) -> Document:
        if id(document) not in self._documents:
            network = self._network(document.network)
            key = tuple((name, id(array)) for name, array in document.overrides.items())
            overrides = self._overrides.setdefault(key, dict(document.overrides))
            self._documents[id(document)] = Document(
                network, document.seed, overrides, document.recipe, document.fault
            )
        return self._documents[id(document)]

    def model(self, document: Document) -> Model:
        key = (id(document.network), document.seed, id(document.overrides))
        if key not in self._models:
            self._models[key] = self._bound(document)
        return self._models[key]

    def _bound(self, document: Document) -> Model:
        """Bind a network, or revalue what has been bound of it: with many rows that takes long."""
        network, seed, values = document.network, document.seed, document.overrides
        place = (id(network), seed)
        if place in self._seen and set(values) <= set(network.parameters):
            with suppress(BackstepError):  # where it is those values alone that make it fit
                if place not in self._bases:
                    self._bases[place] = bind(network, seed=seed)
                if self._bases[place].takes(values):
                    return self._bases[place].revalued(values)
        self._seen.add(place)
        return bind(network, seed=seed, overrides=values)

    def run(self, row: SavedRun) -> Kept:
        """Return a run with what it had recorded; the same run at another time is shown as the same one."""
        if id(row) not in self._records:
            document = self.document(row.document)
            fault, model = document.fault, self.model(document)
            run = resumed(model, document.recipe, fault, row.recording, row.recipe)
            goal = max(row.goal, run.iteration)
            shown = LabRun(0, run, document, row.name, row.style, row.group, row.visible, False, goal)
            self._records[id(row)] = Kept(self._shown.setdefault(row.key, shown), run)
        return self._records[id(row)]

    def _network(self, network: Network) -> Network:
        """Return a network whose data are another's where they are the same numbers: runs stay comparable."""
        if id(network) not in self._networks:
            alike = (other for other in self._networks.values() if _has_data_of(network, other))
            twin = next(alike, None)
            self._networks[id(network)] = network if twin is None else replace(network, data=twin.data)
        return self._networks[id(network)]


def _has_data_of(a: Network, b: Network) -> bool:
    if isinstance(a.data, FileData) or isinstance(b.data, FileData):
        return False
    return a.data.keys() == b.data.keys() and all(
        a.data[name].shape == b.data[name].shape and a.data[name].tobytes() == b.data[name].tobytes()
        for name in a.data
    )
