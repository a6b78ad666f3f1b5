"""The lab: runs side by side, races, ghosts, random search; whatever is chosen, the numbers are its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.training import Recipe, Run
from graphs.network import Network, load, loads
from gui.lab import MOST_RUNS, Document, LabRun
from gui.session import Session
from tests.gui.waiting import wait_until_settled

LITERAL = """
formula = 'L = mean((w * x - 1)**2)'
parameters = { w = 0.2 }
data = { x = [1.0, 2.0] }
"""
Opened = Callable[..., Session]
RATES = [Recipe("gd", {"learning_rate": rate}) for rate in (0.05, 0.1, 0.3)]


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Opened]:
    """Open sessions that are closed when the test ends."""
    sessions: list[Session] = []

    def open_session(network: str | Network = "univariate-regression") -> Session:
        sessions.append(Session(Document.of(load(network) if isinstance(network, str) else network)))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


def trained(session: Session, iterations: int = 20) -> LabRun:
    session.train(iterations)
    wait_until_settled(session)
    return session.current


def straight(run: LabRun) -> list[float]:
    """Return the losses of the same run, trained alone and in one go."""
    alone = Run(run.run.problem, run.document.recipe)
    if run.iterations:
        alone.advance(run.iterations)
    return alone.losses.tolist()


def test_a_race_has_the_same_start_and_the_same_batches(opened: Opened) -> None:
    session = opened("multivariate-regression")
    session.race([replace(recipe, batch_size=32) for recipe in RATES], 40)
    racing = session.runs
    assert session.training
    wait_until_settled(session)
    assert [r.iterations for r in racing] == [40] * 3
    assert len({r.losses[0] for r in racing}) == 1
    assert len({r.losses[-1] for r in racing}) == 3
    for run in racing:
        assert run.losses.tolist() == straight(run)
    assert session.current is racing[0]
    assert session.iteration == 40
    assert len({r.name for r in racing}) == len({r.style for r in racing}) == 3


def test_training_goes_on_for_the_whole_race(opened: Opened) -> None:
    session = opened()
    session.race(RATES, 10)
    wait_until_settled(session)
    trained(session, 5)
    assert [r.iterations for r in session.runs] == [15] * 3


def test_a_race_with_a_recipe_that_cannot_be_leaves_everything(opened: Opened) -> None:
    session = opened()
    before = trained(session)
    notices: list[str] = []
    session.notice.connect(lambda _, text: notices.append(text))
    session.race([RATES[0], Recipe("gd", {"learning_rate": 0.1}, batch_size=10**6)], 10)
    assert session.runs == (before,)
    assert session.current is before
    assert len(notices) == 1
    assert "1000000" in notices[0]


def test_a_race_can_take_the_place_of_the_same_runs(opened: Opened) -> None:
    session = opened()
    session.set_recipe(RATES[0])
    first = trained(session)
    session.set_recipe(RATES[1])
    trained(session, 30)
    names = {run.name for run in session.runs}
    session.race([RATES[1], RATES[2]], 10, replaces=True)
    wait_until_settled(session)
    assert [run.iterations for run in session.runs] == [20, 10, 10]
    assert session.runs[0] is first
    assert names < {run.name for run in session.runs}
    session.race([RATES[1], RATES[2]], 10)  # the user's own
    wait_until_settled(session)
    assert len(session.runs) == 5
    session.undo()
    session.undo()
    assert [run.iterations for run in session.runs] == [20, 30]


def test_a_changed_recipe_leaves_the_old_run_as_a_ghost(opened: Opened) -> None:
    session = opened()
    first = trained(session)
    session.set_learning_rate(0.07)
    assert first in session.runs
    assert session.current is not first
    assert session.iterations == 0
    session.set_learning_rate(0.08)  # the untrained one goes
    assert len(session.runs) == 2
    session.undo()
    session.undo()
    assert session.current is first
    assert (session.iteration, session.iterations) == (20, 20)
    assert first.losses.tolist() == straight(first)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.open("two-layer-nonlinear"),
        lambda s: s.set_value("x", np.linspace(0, 1, 7).reshape(1, 7)),
    ],
    ids=["network", "data"],
)
def test_runs_on_other_data_or_another_network_go(opened: Opened, change: Callable[[Session], None]) -> None:
    session = opened(
        loads("formula = 'L = mean((w * x - 1)**2)'\nparameters = { w = 0.2 }\ndata = { x = [1.0, 2.0] }")
    )
    trained(session)
    session.start_search(50)
    change(session)
    assert session.runs == (session.current,)
    assert session.search is None
    assert not session.searching
    assert session.current.name == session.current.document.recipe.title()


def test_a_run_that_has_begun_keeps_its_schedule(opened: Opened) -> None:
    session = opened()
    recipe = replace(session.document.recipe, schedule="cosine", schedule_settings={})
    session.set_recipe(recipe)
    depth = session.undo_text
    session.plan(30)
    assert (session.current.run.recipe.schedule_settings["period"], session.undo_text) == (30, depth)
    first = trained(session, 30)
    session.plan(70)
    assert session.current is first
    assert trained(session, 10) is first
    assert first.run.recipe.schedule_settings["period"] == 30
    session.reset()
    assert session.current.run.recipe.schedule_settings["period"] == 70
    assert session.current.name != first.name
    assert session.current.name.endswith("cosine, period 70")


def test_runs_are_named_by_what_they_differ_in(opened: Opened) -> None:
    session = opened()
    for settings in ({"beta1": 0.5}, {"beta2": 0.99}, {}):
        recipe = Recipe("adam", {"learning_rate": 0.01, **settings})
        session.set_recipe(recipe)
        trained(session)
    assert [run.name for run in session.runs[-3:]] == [
        "Adam, η 0.01, β₁ 0.5",
        "Adam, η 0.01, β₂ 0.99",
        "Adam, η 0.01",
    ]


def test_another_start_is_on_the_same_landscape(opened: Opened) -> None:
    session = opened()
    first = trained(session)
    session.set_values({"w": 1.5, "b": -1.0})
    assert session.runs[0] is first
    assert session.trace.values["w"] == 1.5
    assert session.undo_text == "Start here"
    session.undo()
    assert session.current is first


def test_another_run_can_be_stood_in_while_all_are_trained(opened: Opened, qtbot: QtBot) -> None:
    session = opened()
    session.race(RATES, 10**6)
    second = session.runs[1]
    qtbot.waitUntil(lambda: second.iterations > 10, timeout=60_000)
    documents: list[Document] = []
    session.document_changed.connect(lambda: documents.append(session.document))
    session.choose_run(second)
    assert session.training
    assert documents == [second.document]
    assert session.run is second.run
    assert session.frame.settings["learning_rate"] == 0.1
    for name, array in second.run.at(session.iteration).parameters.items():
        assert session.trace.values[name].tobytes() == array.tobytes()
    session.pause()
    assert not session.training
    wait_until_settled(session)
    for run in session.runs:
        assert run.losses.tolist() == straight(run)


def test_runs_are_removed_while_others_go_on(opened: Opened) -> None:
    session = opened()
    session.race([*RATES, RATES[0]], 10**6)
    first, second, third, fourth = session.runs
    session.remove_run(second)
    assert session.current is first
    session.remove_run(first)
    assert session.current is third
    assert session.run is third.run
    assert session.document is third.document
    session.remove_run(fourth)
    assert session.runs == (third,)
    session.show_run(third, False)
    assert not third.visible
    session.remove_run(third)  # the last one stays
    assert session.runs == (third,)
    assert session.training
    session.pause()
    wait_until_settled(session)
    assert second.iterations < 10**6


def test_the_run_on_the_screen_is_removed_and_comes_back(opened: Opened) -> None:
    session = opened()
    trained(session, 4)
    session.set_learning_rate(0.02)
    trained(session, 6)
    kept, gone = session.runs
    assert session.current is gone
    session.remove_run(gone)
    assert session.runs == (kept,)
    assert session.current is kept
    assert session.document.learning_rate == kept.document.learning_rate
    session.undo()
    assert session.current is gone
    assert session.iterations == 6
    assert session.document.learning_rate == 0.02


def test_the_oldest_ghosts_go_first(opened: Opened) -> None:
    session = opened()
    for i in range(MOST_RUNS + 3):
        session.set_learning_rate(0.01 * (i + 1))
        trained(session, 2)
    assert len(session.runs) == MOST_RUNS
    assert session.runs[-1] is session.current
    assert len({r.style for r in session.runs}) == MOST_RUNS


def test_reset_keeps_what_was_trained_as_a_ghost(opened: Opened) -> None:
    session = opened()
    first = trained(session)
    session.reset()
    assert session.runs[0] is first
    assert session.iterations == 0
    assert trained(session).losses.tolist() == first.losses.tolist()


def test_random_search_takes_as_many_evaluations_as_the_run_has_cost(opened: Opened, qtbot: QtBot) -> None:
    session = opened()
    trained(session, 100)
    notices: list[str] = []
    session.notice.connect(lambda _, text: notices.append(text))
    session.start_search()
    assert session.searching
    qtbot.waitUntil(lambda: not session.searching, timeout=60_000)
    found = session.search
    assert found is not None
    assert found.evaluations == 300
    assert notices == [found.compared(session.run).sentence()]
    assert found.best is not None
    assert f"{found.best.loss:.4g}" in notices[0]
    session.set_learning_rate(0.02)
    assert session.search is found  # the same landscape
    session.start_search(10**7)
    session.stop_search()
    assert not session.searching
    notices.clear()
    session.start_search(-1)
    assert len(notices) == 1


def test_random_search_before_training_says_how_to_get_an_answer(opened: Opened, qtbot: QtBot) -> None:
    session = opened()
    notices: list[str] = []
    session.notice.connect(lambda _, text: notices.append(text))
    session.start_search(60)
    qtbot.waitUntil(lambda: not session.searching, timeout=60_000)
    assert len(notices) == 1
    assert notices[0].startswith("The best of 60 random samples has the loss ")
    assert "Train (T)" in notices[0]
