"""The session that a document of another format carries: written into it, and opened again at its step."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np

from engine.errors import BackstepError
from engine.faults import fault_of, resumed
from engine.graph import Detail
from engine.history import Recording
from engine.training import Run
from graphs.carrying import packed_text
from graphs.network import FileData, Model, array_of, bind, complete
from graphs.sessions import SavedDocument, SavedRun, SavedSession, write_session
from graphs.snapshot import Snapshot

__all__ = ["carried_pairs", "reopened"]

MOST_OF_NETWORK, MOST_OF_RUN = 2_000_000, 300_000
"""Bytes of numbers and CSV files, and of what a run recorded, that are carried; packing gains little."""
TOO_LARGE = "The data are too large to be carried along, so this file does not open again."
FAULTY = "The fault is left out."
UNREADABLE = "The data could not be read any more, so this file does not open again."


def carried_pairs(snapshot: Snapshot) -> dict[str, str]:
    """Return the session with which a file opens again at this step, as text under ``Document``.

    What is too heavy is left out, and ``Document note`` says so: iterations after this one, then the run (the
    network then has the parameters of this iteration), then all of it.
    """
    try:
        network = complete(snapshot.model.network)
    except BackstepError:
        return {"Document note": UNREADABLE}
    overrides = {name: _array(name, value) for name, value in snapshot.overrides.items()}
    document = SavedDocument(network, snapshot.model.seed, overrides, snapshot.recipe, fault_of(snapshot.run))
    if _weight_of(document) > MOST_OF_NETWORK:
        return {"Document note": TOO_LARGE}
    file = io.BytesIO()
    session, note = _session(snapshot, document)
    write_session(session, file)
    return {"Document": packed_text(file.getvalue())} | ({"Document note": note} if note else {})


def _array(name: str, value: Any) -> np.ndarray:
    return value if isinstance(value, np.ndarray) else array_of(value, name)


def _weight_of(document: SavedDocument) -> int:
    network = document.network
    data = network.data.own if isinstance(network.data, FileData) else network.data
    arrays = *data.values(), *document.overrides.values(), *network.parameters.values()
    files = sum(map(len, network.attached.values())) + len(network.source.text)
    return files + sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))


def _session(snapshot: Snapshot, document: SavedDocument) -> tuple[SavedSession, str]:
    """Return the fullest session that is light enough, and what is to be said about what it lacks."""
    run, iteration = snapshot.run or Run(snapshot.model, snapshot.recipe), snapshot.iteration
    whole = run.recording()
    if _weight(whole) <= MOST_OF_RUN:
        return _standing(snapshot, document, whole, iteration), ""
    short = run.recording_until(min(iteration + 1, run.iteration))
    if _weight(short) <= MOST_OF_RUN:
        count = len(short.losses) - 1
        note = f"The run is long: {count} of its {run.iteration} iterations are carried along."
        return _standing(snapshot, document, short, iteration), note
    note = f"The run is too long to be carried along: the parameters are those of iteration {iteration}."
    if document.fault is not None:  # one that sets the parameters would set these too
        note = f"{note} {FAULTY}"
    return _begun(snapshot, document), note


def _begun(snapshot: Snapshot, document: SavedDocument) -> SavedSession:
    """Return a session that begins with the parameters of this iteration."""
    assert snapshot.run is not None
    parameters = snapshot.run.at(snapshot.iteration).parameters
    at_point = replace(document, overrides={**document.overrides, **parameters}, fault=None)
    begun = Run(snapshot.model.revalued(parameters), snapshot.recipe)
    return _standing(snapshot, at_point, begun.recording(), 0)


def _weight(recording: Recording) -> int:
    arrays = recording.losses, recording.vectors, recording.numbers, recording.point
    return sum(array.nbytes for array in arrays)


def _standing(
    snapshot: Snapshot, document: SavedDocument, recording: Recording, iteration: int
) -> SavedSession:
    place = {
        "detail": snapshot.detail.value,
        "iteration": iteration,
        "position": snapshot.position,
        "selection": None,
        "entry": None,
    }
    goal = len(recording.losses) - 1
    saved = SavedRun(document, recording, snapshot.recipe.title(), 0, 0, True, goal, 0, snapshot.recipe)
    return SavedSession(document, (saved,), 0, place)


# --- opening again -----------------------------------------------------------------------------------------


def reopened(saved: SavedSession) -> Snapshot:
    """Return the place where a session stood, in the run that it stood in, with the runs beside that.

    Raises
    ------
    BackstepError
        Where a network cannot be bound any more, and where no such run can have recorded what it keeps.
    """
    shown, place = saved.runs[saved.current], saved.place
    beside = [row for row in saved.runs if len(row.recording.losses) > 1 and row.name != shown.name]
    documents = {id(row.document): row.document for row in (shown, *beside)}
    models = {key: bind(d.network, seed=d.seed, overrides=d.overrides) for key, d in documents.items()}
    runs = {row.name: _run(row, models[id(row.document)]) for row in (shown, *beside)}
    run, model = runs[shown.name], models[id(shown.document)]
    found = Snapshot.of(
        run,
        model,
        detail=Detail(place["detail"]) if place["detail"] in tuple(Detail) else Detail.EQUATION,
        iteration=min(place["iteration"], run.iteration),
        overrides=shown.document.overrides,
    )
    found = replace(found, runs=runs if beside else {})
    return found.at(min(place["position"], len(found.trace.steps)))


def _run(row: SavedRun, model: Model) -> Run:
    return resumed(model, row.document.recipe, row.document.fault, row.recording, row.recipe)
