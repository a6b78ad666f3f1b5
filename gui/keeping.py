"""Between a session and what a file keeps of it. No Qt, so that it can be done in a thread.

:func:`saved` only takes notes of what is there; it is :func:`graphs.sessions.write_session` that takes time.
:func:`opened` binds networks and lets runs stand where they stood.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.errors import BackstepError, UsageError
from engine.graph import Detail
from engine.training import Run
from graphs.network import FileData, Model, Network, array_of, bind, complete
from graphs.sessions import SavedDocument, SavedRun, SavedSession
from gui.lab import Document, LabRun
from gui.moments import Kept, Moment

__all__ = ["Opened", "Place", "opened", "saved"]

HEAVY = 32 * 2**20
"""Bytes of runs from which on they are left out where saving has to be quick."""


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


# --- to a file ---------------------------------------------------------------------------------------------


def saved(
    moment: Moment, place: Place, view: Mapping[str, Any], path: str = "", *, is_quick: bool = False
) -> SavedSession:
    """Return what a file is to keep of a session.

    Parameters
    ----------
    is_quick
        Whether runs that are heavy are to be left out: the current one then stands at its beginning.

    Raises
    ------
    DataError
        Where a CSV cannot be read any more that has to travel along.
    """
    notes = _Notes(is_quick)
    runs = [kept for kept in moment.runs if kept.shown is moment.current or kept.shown.iterations]
    iteration, position = moment.iteration, moment.position
    if is_quick and sum(array.nbytes for kept in runs for array in kept.run.history.arrays()) > HEAVY:
        shown = next(kept for kept in runs if kept.shown is moment.current).shown
        runs, iteration = [Kept(shown, Run(moment.model, moment.document.recipe))], 0
    where = {
        "detail": str(place.detail.value),
        "iteration": iteration,
        "position": position,
        "selection": place.selection,
        "entry": place.entry,
    }
    current = next(number for number, kept in enumerate(runs) if kept.shown is moment.current)
    rows = tuple(notes.run(kept) for kept in runs)
    return SavedSession(notes.document(moment.document), rows, current, where, view, path)


class _Notes:
    """Notes each document, network and array once, so that what was one thing is one thing again."""

    def __init__(self, is_quick: bool) -> None:
        self._is_quick = is_quick
        self._documents: dict[int, tuple[Document, SavedDocument]] = {}
        self._networks: dict[int, Network] = {}
        self._arrays: dict[int, tuple[Any, np.ndarray]] = {}

    def document(self, document: Document) -> SavedDocument:
        if id(document) not in self._documents:
            network = self._network(document.network)
            overrides = {name: self._array(name, value) for name, value in document.overrides.items()}
            found = SavedDocument(network, document.seed, overrides, document.recipe)
            self._documents[id(document)] = document, found
        return self._documents[id(document)][1]

    def run(self, kept: Kept) -> SavedRun:
        shown = kept.shown
        return SavedRun(
            self.document(shown.document),
            kept.run.recording(),
            shown.name,
            shown.style,
            shown.group,
            shown.visible,
            shown.goal,
        )

    def _network(self, network: Network) -> Network:
        if id(network) not in self._networks:
            try:
                self._networks[id(network)] = complete(network)
            except BackstepError:
                if not self._is_quick:
                    raise
                self._networks[id(network)] = network
        return self._networks[id(network)]

    def _array(self, name: str, value: Any) -> np.ndarray:
        if id(value) not in self._arrays:
            self._arrays[id(value)] = value, value if isinstance(value, np.ndarray) else array_of(value, name)
        return self._arrays[id(value)][1]


# --- from a file -------------------------------------------------------------------------------------------


def opened(file: SavedSession) -> Opened:
    """Return the moment that a file kept, its networks bound and its runs standing where they stood.

    Raises
    ------
    BackstepError
        Where what the file keeps does not fit together.
    """
    made = _Made()
    runs = [made.run(run) for run in file.runs]
    current = runs[file.current].shown
    document = made.document(file.document)
    if current.document.recipe != document.recipe or not current.document.has_numbers_of(document):
        raise UsageError("the session's run is of another network.", how="Open an earlier copy of it.")
    moment = Moment(
        current.document,
        made.model(document),
        tuple(runs),
        current,
        min(file.place["iteration"], current.iterations),
        file.place["position"],
        None,
    )
    detail = file.place["detail"]
    place = Place(
        Detail(detail) if detail in tuple(Detail) else Detail.EQUATION,
        file.place["selection"],
        file.place["entry"],
    )
    return Opened(moment, place, file.view, file.path)


class _Made:
    def __init__(self) -> None:
        self._documents: dict[int, Document] = {}
        self._networks: dict[int, Network] = {}
        self._overrides: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._models: dict[tuple[int, int, int], Model] = {}

    def document(self, document: SavedDocument) -> Document:
        if id(document) not in self._documents:
            network = self._network(document.network)
            key = tuple((name, id(array)) for name, array in document.overrides.items())
            overrides = self._overrides.setdefault(key, dict(document.overrides))
            self._documents[id(document)] = Document(network, document.seed, overrides, document.recipe)
        return self._documents[id(document)]

    def model(self, document: Document) -> Model:
        key = (id(document.network), document.seed, id(document.overrides))
        if key not in self._models:
            self._models[key] = bind(document.network, seed=document.seed, overrides=document.overrides)
        return self._models[key]

    def run(self, row: SavedRun) -> Kept:
        document = self.document(row.document)
        run = Run.resumed(self.model(document), document.recipe, row.recording)
        goal = max(row.goal, run.iteration)
        shown = LabRun(0, run, document, row.name, row.style, row.group, row.visible, False, goal)
        return Kept(shown, run)

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
