"""What a session's file keeps can be taken back as in the session itself; how much it keeps is bounded."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from engine.graph import Detail
from engine.training import Recipe
from graphs.network import load
from graphs.sessions import read_session_from, write_session
from gui import keeping
from gui.keeping import Opened, Place, Snapshot, opened, saved
from gui.session import Document, Session
from tests.gui.waiting import wait_until_settled

Begin = Callable[..., Session]


@pytest.fixture
def begin(qtbot: QtBot) -> Iterator[Begin]:
    sessions: list[Session] = []

    def begun(network: str | Path = "univariate-regression") -> Session:
        sessions.append(Session(Document.of(load(network))))
        return sessions[-1]

    yield begun
    for session in sessions:
        session.close()


def written(session: Session, *, is_quick: bool = False) -> bytes:
    file = io.BytesIO()
    place = Place(session.detail, session.selection, session.frame.entry)
    kept = saved(Snapshot(session.moment(), place, {}, session.past), is_quick=is_quick)
    write_session(kept, file)
    return file.getvalue()


def read(data: bytes) -> Opened:
    return opened(read_session_from(io.BytesIO(data), "a.backstep"))


def enter(session: Session, kept: Opened, *, is_first: bool = True) -> None:
    place = kept.place
    assert session.open_moment(kept.moment, place.detail, None, None, kept.past, is_first=is_first)


def screen(session: Session) -> tuple[object, ...]:
    """Return all that a user could see of a session, to the last bit."""
    frame = session.frame
    return (
        session.document.network.formula,
        session.document.seed,
        session.document.recipe,
        session.iteration,
        session.position,
        {name: value.tobytes() for name, value in frame.values.items()},
        [(run.name, run.style, run.visible, run.losses.tobytes()) for run in session.runs if run.iterations],
        session.current.losses.tobytes(),
    )


def worked_on(session: Session) -> None:
    session.set_value("w", 0.25)
    session.train(12)
    wait_until_settled(session)
    session.go_to_iteration(5)
    session.edit("b", np.array(3.0))
    session.set_recipe(Recipe("momentum", {"learning_rate": 0.2}))
    session.train(7)
    wait_until_settled(session)
    session.remove_run(session.runs[0])
    session.go(4)


def test_what_could_be_taken_back_can_be_taken_back_after_reopening(begin: Begin) -> None:
    first, second = begin(), begin("two-layer-linear")
    worked_on(first)
    enter(second, read(written(first)))
    while first.undo_text:
        assert (second.undo_text, second.redo_text) == (first.undo_text, first.redo_text)
        assert screen(second) == screen(first)
        first.undo()
        second.undo()
    assert second.undo_text == ""
    while first.redo_text:
        assert screen(second) == screen(first)
        first.redo()
        second.redo()
    assert screen(second) == screen(first)
    assert second.redo_text == ""


def test_what_was_taken_back_can_be_done_again_after_reopening(begin: Begin) -> None:
    first, second = begin(), begin()
    worked_on(first)
    for _ in range(3):
        first.undo()
    enter(second, read(written(first)))
    assert second.redo_text == first.redo_text != ""
    for session in (first, second):
        for _ in range(3):
            session.redo()
    assert screen(second) == screen(first)


def test_below_the_changes_of_the_file_lies_what_was_open_before(begin: Begin) -> None:
    first, second = begin(), begin("two-layer-linear")
    first.set_value("w", 2.0)
    first.set_value("w", 3.0)
    second.set_value("b2", 7.0)
    enter(second, read(written(first)), is_first=False)
    texts = []
    while second.undo_text:
        texts.append(second.undo_text)
        second.undo()
    assert texts == ["Change w", "Change w", "Open session", "Change b2"]
    assert second.document.network.name == "two-layer-linear"
    for _ in range(4):
        second.redo()
    assert float(second.frame.values["w"]) == 3.0


changes = st.sampled_from(
    ["value", "edit", "recipe", "seed", "train", "undo", "undo", "redo", "go", "network"]
)


@given(st.lists(changes, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_session_goes_on_after_reopening_as_if_it_had_not_been_closed(
    begin: Begin, kinds: list[str]
) -> None:
    first, second = begin(), begin("two-layer-linear")
    for number, kind in enumerate(kinds):
        changed(first, kind, number)
    enter(second, read(written(first)))
    assert screen(second) == screen(first)
    for number in range(3):
        changed(first, "undo", number)
        changed(second, "undo", number)
        assert screen(second) == screen(first)


def changed(session: Session, kind: str, number: int) -> None:
    name = next(iter(session.document.network.parameters))
    {
        "value": lambda: session.set_value(name, np.zeros(session.model.leaves[name].shape) + number),
        "edit": lambda: session.edit(name, session.model.leaves[name] + 0.5),
        "recipe": lambda: session.set_learning_rate(0.01 * (number + 1)),
        "seed": session.new_seed,
        "train": lambda: (session.train(5), wait_until_settled(session)),
        "undo": session.undo,
        "redo": session.redo,
        "go": lambda: session.go(number),
        "network": lambda: session.open(("logistic-regression", "univariate-regression")[number % 2]),
    }[kind]()


# --- how much is kept --------------------------------------------------------------------------------------


def test_the_changes_nearest_to_the_present_are_kept(begin: Begin) -> None:
    first, second = begin(), begin()
    for number in range(keeping.MOST_BACK[False] + 30):
        first.set_value("w", float(number))
    enter(second, read(written(first)))
    count = 0
    while second.undo_text:
        second.undo()
        count += 1
    assert count == keeping.MOST_BACK[False]
    assert float(second.model.leaves["w"]) == 29.0


def test_heavy_changes_are_kept_as_far_as_there_is_room(begin: Begin, tmp_path: Path) -> None:
    path = tmp_path / "heavy.toml"
    path.write_text('formula = "L = norm(W)**2"\n[parameters]\nW = { shape = [500, 500], init = "normal" }\n')
    first, second = begin(path), begin()
    size = 500 * 500 * 8
    for number in range(20):
        first.set_value("W", np.full((500, 500), float(number)))
    data = written(first)
    enter(second, read(data))
    count = 0
    while second.undo_text:
        second.undo()
        count += 1
    assert 2 <= count <= keeping.MOST_BACK_BYTES[False] // size
    quick = read(written(first, is_quick=True))
    assert len(quick.past.back) <= keeping.MOST_BACK_BYTES[True] // size


def test_a_data_file_is_kept_once_however_many_changes_there_are(begin: Begin, tmp_path: Path) -> None:
    rows = "".join(f"{i},{(i * 7919) % 1000}\n" for i in range(40_000))
    (tmp_path / "own.csv").write_text(f"a,b\n{rows}")
    path = tmp_path / "own.toml"
    path.write_text(
        'formula = "L = mse(w * x, y)"\n[parameters]\nw = 1.0\n[data]\nfile = "own.csv"\n'
        'inputs = { x = ["a"] }\ntargets = { y = ["b"] }\n'
    )
    first, second = begin(path), begin()
    alone = len(written(first))
    for number in range(40):
        first.set_value("w", float(number))
    data = written(first)
    assert len(data) < alone + 60_000
    began = time.perf_counter()
    kept = read(data)
    assert len(kept.past.back) == 40
    models = {id(entry.moment.model.leaves["x"]) for entry in kept.past.back}
    assert len(models) <= 2  # bound once, and revalued from then on
    assert time.perf_counter() - began < 20
    enter(second, kept)
    second.undo()
    assert float(second.model.leaves["w"]) == 38.0


def test_a_change_whose_network_no_longer_binds_ends_what_can_be_taken_back(begin: Begin) -> None:
    first = begin()
    for number in range(3):
        first.set_value("w", float(number))
    file = io.BytesIO()
    kept = saved(Snapshot(first.moment(), Place(Detail.EQUATION), {}, first.past))
    bad = kept.back[0].document
    object.__setattr__(bad, "overrides", {"nobody": np.array(1.0)})
    write_session(kept, file)
    found = read(file.getvalue())
    assert [entry.what for entry in found.past.back] == ["Change w", "Change w"]
