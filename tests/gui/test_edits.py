"""Numbers are changed where the timeline stands, and it stays there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.errors import BackstepError
from graphs.network import bind, built_in_names, load
from gui.edits import entry_text, with_entry
from gui.session import Document, Session


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    session = Session(Document.of(load("two-layer-nonlinear")))
    yield session
    session.close()


def change(session: Session, name: str, index: tuple[int, ...], number: float) -> None:
    assert session.edit(name, with_entry(session.frame.values[name], index, number))


@pytest.mark.parametrize("name", built_in_names())
def test_revalued_is_what_binding_gives(name: str) -> None:
    for held_out in (0.0, 0.25):
        network = replace(load(name), held_out=held_out)
        try:
            model = bind(network)
        except BackstepError:  # a single example cannot be held out
            continue
        values = {n: a + 0.5 for n, a in model.leaves.items()}
        wanted, found = bind(network, overrides=values), model.revalued(values)
        assert found.graph is model.graph
        for leaf in model.leaves:
            np.testing.assert_array_equal(found.leaves[leaf], wanted.leaves[leaf])
        for leaf in model.held_inputs:
            np.testing.assert_array_equal(found.held_inputs[leaf], wanted.held_inputs[leaf])


def test_an_edit_keeps_the_place_and_shows_its_numbers(session: Session) -> None:
    session.go(4)
    loss = session.trace.loss
    change(session, "W1", (0, 0), 2.5)
    assert session.position == 4
    assert session.frame.values["W1"][0, 0] == 2.5
    assert session.trace.loss != loss
    assert set(session.document.overrides) == {"W1"}  # the others go on following the seed
    session.undo()
    assert session.trace.loss == loss
    assert session.position == 4
    session.redo()
    assert session.frame.values["W1"][0, 0] == 2.5


def test_the_chosen_entry_and_the_selection_stay(session: Session) -> None:
    session.select("W1")
    session.set_entry((2, 0))
    change(session, "W1", (2, 0), 1.0)
    assert session.selection == "W1"
    assert session.frame.entry == (2, 0)


def test_in_the_middle_of_a_run_the_shown_parameters_are_the_start_of_a_new_one(session: Session) -> None:
    notices: list[str] = []
    session.notice.connect(lambda _, text: notices.append(text))
    for _ in range(5):
        session.step_training()
    session.go_to_iteration(3)
    session.go(6)
    run, shown = session.current, {n: session.trace.values[n] for n in session.trace.graph.parameters}
    change(session, "b2", (), 7.0)
    assert (session.iteration, session.position, session.iterations) == (0, 6, 0)
    for name, array in shown.items():
        np.testing.assert_array_equal(session.frame.values[name], 7.0 if name == "b2" else array)
    assert session.undo_text == "Change b2"
    assert [n for n in notices if "iteration 3" in n and "Undo" in n]
    session.undo()
    assert (session.iteration, session.position, session.iterations) == (3, 6, 5)
    assert session.current is run


def test_after_its_update_the_number_in_sight_is_the_one_that_is_changed(session: Session) -> None:
    session.step_training()
    session.go_to_iteration(0)
    session.last()
    shown = dict(session.frame.values)
    change(session, "W1", (1, 0), 3.0)
    wanted = with_entry(shown["W1"], (1, 0), 3.0)
    np.testing.assert_array_equal(session.frame.values["W1"], wanted)
    np.testing.assert_array_equal(session.frame.values["w2"], shown["w2"])


def test_an_entry_of_a_mini_batch_is_one_of_the_whole_data(session: Session) -> None:
    session.set_batch_size(10)
    session.step_training()
    session.step_training()
    session.go_to_iteration(1)
    examples = session.model.indices(1, 10)
    assert examples is not None
    before = session.model.leaves["X"].copy()
    change(session, "X", (0, 3), 9.0)
    before[0, examples[3]] = 9.0
    np.testing.assert_array_equal(session.model.leaves["X"], before)


def test_what_is_held_out_stays(qtbot: QtBot) -> None:
    session = Session(Document.of(replace(load("two-layer-nonlinear"), held_out=0.2)))
    held = {n: a.copy() for n, a in session.model.held_inputs.items()}
    for number in (5.0, 6.0):  # the first is bound, the second takes the short way
        change(session, "y", (0, 0), number)
        assert session.model.leaves["y"][0, 0] == number
        for name, array in held.items():
            np.testing.assert_array_equal(session.model.held_inputs[name], array)
    session.close()


def test_a_shape_that_does_not_fit_changes_nothing(session: Session) -> None:
    notices: list[str] = []
    session.notice.connect(lambda _, text: notices.append(text))
    before = session.document
    assert not session.edit("W1", np.zeros((3, 3)))
    assert session.document is before
    assert len(notices) == 1


def test_a_drag_is_one_change_and_leaves_one_run(session: Session) -> None:
    session.go(5)
    start = session.frame.values["b2"]
    for k in range(40):
        session.scrub("b2", (), 0.1 * k)
        assert session.frame.values["b2"] == pytest.approx(0.1 * k)
        assert session.position == 5
    session.end_scrub()
    assert session.undo_text == "Change b2"
    assert len(session.runs) == 1
    assert session.losses[0] == pytest.approx(session.trace.loss)  # the run starts from what is in sight
    assert float(session.current.at(0).parameters["b2"]) == pytest.approx(3.9)
    session.undo()
    assert session.undo_text == ""
    assert session.frame.values["b2"] == start


def test_a_drag_that_is_given_up_brings_everything_back(session: Session) -> None:
    for _ in range(3):
        session.step_training()
    session.go_to_iteration(2)
    before, run, loss = session.document, session.current, session.trace.loss
    for number in (1.0, 2.0, 3.0):
        session.scrub("W1", (0, 0), number)
    session.end_scrub(keep=False)
    assert session.document is before
    assert session.current is run
    assert (session.iteration, session.trace.loss) == (2, loss)
    assert session.undo_text == "Train"


def test_a_drag_that_rests_has_a_run_of_its_own(qtbot: QtBot, session: Session) -> None:
    session.scrub("W1", (0, 0), 1.0)
    session.scrub("W1", (0, 0), 2.0)
    with qtbot.waitSignal(session.document_changed):
        pass
    assert session.losses[0] == pytest.approx(session.trace.loss)
    session.scrub("W1", (0, 0), 3.0)
    session.end_scrub()
    session.undo()
    assert session.undo_text == ""


def test_data_are_scrubbed_too(session: Session) -> None:
    session.scrub("X", (0, 0), 1.0)
    session.scrub("X", (0, 0), 2.0)
    assert session.frame.values["X"][0, 0] == 2.0
    session.end_scrub()
    assert session.model.leaves["X"][0, 0] == 2.0
    assert session.losses[0] == pytest.approx(session.trace.loss)


def test_whatever_comes_next_ends_the_drag(session: Session) -> None:
    session.scrub("b2", (), 1.0)
    session.scrub("b2", (), 2.0)
    session.step_training()
    assert session.iteration == 1
    session.undo()
    session.undo()
    assert session.undo_text == ""
    assert not session.document.overrides


def test_entries_are_written_as_in_a_program() -> None:
    assert (entry_text("W1", (0, 2)), entry_text("b", ())) == ("W1[0, 2]", "b")
