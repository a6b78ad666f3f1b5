"""Undo and redo over all that a user makes: trainings, removed runs, searches; and what they may cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.training import Recipe, Run
from graphs.network import load, loads
from gui import moments
from gui.moments import Moments
from gui.session import Document, Session
from tests.gui.waiting import wait_until_settled

Opened = Callable[..., Session]


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Opened]:
    sessions: list[Session] = []

    def open_session(network: str = "univariate-regression") -> Session:
        sessions.append(Session(Document.of(load(network))))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


def train(session: Session, iterations: int) -> list[float]:
    session.train(iterations)
    wait_until_settled(session)
    return session.losses.tolist()


def test_a_training_is_taken_back_and_done_again(opened: Opened) -> None:
    session = opened()
    first = train(session, 20)
    second = train(session, 30)
    assert second[:21] == first
    session.undo()
    assert session.losses.tolist() == first
    assert session.iteration == 20
    assert (session.undo_text, session.redo_text) == ("Train", "Train")
    session.undo()
    assert session.iterations == session.iteration == 0
    session.redo()
    session.redo()
    assert session.losses.tolist() == second
    assert session.iteration == 50


def test_what_is_trained_after_undo_is_what_was_trained_before(opened: Opened) -> None:
    session = opened("two-layer-nonlinear")
    session.set_recipe(Recipe("adam", {"learning_rate": 0.05}, batch_size=16))
    train(session, 20)
    whole = train(session, 20)
    session.undo()
    assert train(session, 20) == whole
    for iteration in (0, 7, 23, 40):
        alone = Run(session.model, session.document.recipe)
        alone.advance(40)
        shown, wanted = session.current.at(iteration), alone.at(iteration)
        assert all(np.array_equal(shown.parameters[n], a) for n, a in wanted.parameters.items())


def test_a_training_that_is_taken_back_while_it_goes_on_ends(opened: Opened, qtbot: QtBot) -> None:
    session = opened()
    session.train(10**6)
    qtbot.waitUntil(lambda: session.iterations > 10, timeout=60_000)
    session.undo()
    assert not session.training
    assert session.iterations == 0
    wait_until_settled(session)
    assert session.iterations == 0
    session.redo()
    assert session.iterations > 10
    assert not session.training


def test_iterations_trained_one_by_one_are_one_change(opened: Opened) -> None:
    session = opened()
    for _ in range(5):
        session.step_iteration(1)
    assert session.iterations == 5
    session.undo()
    assert session.iterations == 0
    assert session.undo_text == ""


def test_a_run_that_was_removed_comes_back_as_it_was(opened: Opened) -> None:
    session = opened()
    train(session, 20)
    first = session.current
    session.set_learning_rate(0.07)
    train(session, 10)
    session.remove_run(first)
    assert len(session.runs) == 1
    assert session.undo_text == f"Remove {first.name}"
    session.undo()
    assert session.runs[0] is first
    assert first.iterations == 20


def test_what_was_trained_since_stays_when_something_else_is_taken_back(opened: Opened, qtbot: QtBot) -> None:
    session = opened()
    session.train(10**6)
    qtbot.waitUntil(lambda: session.iterations > 10, timeout=60_000)
    session.start_search(50)
    begun = session.iterations
    qtbot.waitUntil(lambda: session.iterations > begun + 10, timeout=60_000)
    session.undo()
    assert session.search is None
    assert session.iterations > begun
    session.undo()
    assert session.iterations == 0


def test_a_reset_and_a_race_are_taken_back(opened: Opened) -> None:
    session = opened()
    before = train(session, 20)
    session.reset()
    assert session.iterations == 0
    session.undo()
    assert session.losses.tolist() == before
    session.race([Recipe("gd", {"learning_rate": r}) for r in (0.01, 0.1)], 5)
    wait_until_settled(session)
    assert len(session.runs) == 3
    session.undo()
    assert len(session.runs) == 1
    assert session.losses.tolist() == before


def test_trained_parameters_are_accepted_as_the_start(opened: Opened) -> None:
    session = opened()
    train(session, 20)
    session.go_to_iteration(12)
    reached = dict(session.current.at(12).parameters)
    session.accept()
    assert session.iteration == session.iterations == 0
    for name, array in reached.items():
        assert session.model.leaves[name].tobytes() == array.tobytes()
    session.undo()
    assert session.iteration == 12


def test_a_data_file_that_has_gone_is_still_there_for_undo(opened: Opened, tmp_path: Path) -> None:
    file = tmp_path / "points.csv"
    file.write_text("a,b\n1,2\n2,3\n3,5\n")
    session = opened()
    session.open_network(
        loads(
            "formula = 'L = mean((w * x - y)**2)'\nparameters = { w = 0.2 }\n"
            "[data]\nfile = 'points.csv'\ninputs = { x = ['a'] }\ntargets = { y = ['b'] }",
            folder=tmp_path,
        )
    )
    losses = session.losses.tolist()
    session.open("two-layer-nonlinear")
    file.unlink()
    session.undo()
    assert session.losses.tolist() == losses
    session.undo()
    session.redo()
    assert session.losses.tolist() == losses


def test_the_oldest_moments_are_forgotten_when_they_hold_too_much(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments, "MOST_BYTES", 200_000)
    session = opened()
    for start in range(30):
        session.set_value("x", np.arange(start, start + 2000.0).reshape(1, 2000))  # does not fit y: refused
        session.set_values({name: np.full((1, 2000), float(start)) for name in ("x", "y")})
    taken = 0
    while session.undo_text:
        session.undo()
        taken += 1
    assert 3 <= taken <= 10


def test_nothing_is_counted_after_everything_is_forgotten(opened: Opened) -> None:
    session = opened()
    kept = Moments()
    for what in "abc":
        kept.record(session._moment(), what)
    kept.undo(session._moment())
    kept.record(session._moment(), "d")
    assert (kept.undo_text, kept.redo_text) == ("d", "")
    for entry in kept._back:
        kept._forget(entry)
    assert kept._bytes == 0
    assert not kept._users
