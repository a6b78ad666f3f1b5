"""The fault clinic on the real window: what is put in is seen everywhere, trains, and is taken out again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from engine.faults import FAULTS, FaultAt, FaultyRun, Stage, fault_of, run_of
from engine.graph import Detail
from engine.nudge import Verdict
from engine.training import Diverged
from gui.clinic import CLINIC
from gui.panels.loss import LossPanel
from gui.search import CommandSearch
from gui.window import Window
from tests.gui.conftest import OpenWindow

NETWORK = "perceptron-classifier"
COUNT = FaultAt("count", "L", 0)


@pytest.fixture
def window(open_window: OpenWindow) -> Window:
    return open_window(NETWORK, size=(1280, 720))


def _faults(window: Window) -> QMenu:
    menu = window.menu_button.menu()
    return next(a.menu() for a in menu.actions() if a.text() == "Faults")  # type: ignore[return-value]


def _offered(window: Window, title: str) -> list[QAction]:
    """Return what the submenu of a fault offers when it is opened."""
    menu = next(a.menu() for a in _faults(window).actions() if a.text() == title)
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    return menu.actions()


def _trained(qtbot: QtBot, window: Window, iterations: int) -> None:
    window.session.train(iterations)
    qtbot.waitUntil(lambda: not window.session.training and window.session.is_settled, timeout=20_000)


def test_every_place_is_offered_and_puts_its_fault_in(window: Window) -> None:
    session = window.session
    graph = session.model.graph
    for fault in CLINIC:
        if fault.stage not in (Stage.FACTOR, Stage.ACCUMULATION):
            continue
        title = fault.title[0].upper() + fault.title[1:]
        places = fault.places(graph)
        actions = _offered(window, title)
        if not places:
            assert [a.isEnabled() for a in actions] == [False]
            continue
        assert len(actions) == len(places)
        actions[-1].trigger()
        assert session.document.fault == FaultAt(fault.name, places[-1].node, places[-1].slot)
        assert window.remark.text() == f"Fault: {fault.title}, at {fault.where(places[-1])}"
        assert [a.isChecked() for a in _offered(window, title)][-1]


def test_a_fault_shows_in_steps_equations_nudge_test_and_remark(window: Window) -> None:
    session = window.session
    right = session.trace.gradients
    equation = session.statics.gradient_text("z2")
    session.set_fault(COUNT)
    assert window.remark.isVisible()
    assert "1/m left out" in window.remark.text()
    examples = session.model.examples
    for name in ("W1", "b1", "w2", "b2"):
        assert np.allclose(session.trace.gradients[name], examples * right[name])
    assert "m" in equation
    assert "m" not in session.statics.gradient_text("z2").replace("sigma", "").replace("mathcal", "")
    session.go(min(session.frame.faulty) + 1)
    window.settle()
    assert "The fault is in this step." in window.panels["step"]._more.text()  # type: ignore[attr-defined]
    session.select("b2")
    session.last()
    nudge = session.nudge_test()
    assert nudge is not None
    assert nudge.verdict == Verdict.DISAGREE
    session.end_nudge()
    window.actions_by_id["no-fault"].trigger()
    assert window.remark.isHidden()
    assert np.array_equal(session.trace.gradients["W1"], right["W1"])
    again = session.nudge_test()
    assert again is not None
    assert again.verdict == Verdict.AGREE


def _search(window: Window, text: str) -> list[str]:
    """Return what the command search finds."""
    window.search_commands()
    search = window.overlay
    assert isinstance(search, CommandSearch)
    search.edit.setText(text)
    return [search.list.item(row).text() for row in range(search.list.count())]


def test_the_search_offers_each_fault_and_to_take_it_out(qtbot: QtBot, window: Window) -> None:
    found = _search(window, "fault")
    assert {f"Fault: {fault.title}" for fault in CLINIC} <= set(found)
    assert "Take the fault out" in found
    assert _search(window, "1/m")[0] == "Fault: 1/m left out"
    qtbot.keyClick(window.overlay.edit, Qt.Key.Key_Return)  # type: ignore[union-attr]
    assert window.session.document.fault == COUNT  # the only place
    assert _search(window, "take the fault out")[0] == "Take the fault out"
    qtbot.keyClick(window.overlay.edit, Qt.Key.Key_Return)  # type: ignore[union-attr]
    assert window.session.document.fault is None
    _search(window, "wrong sign")
    qtbot.keyClick(window.overlay.edit, Qt.Key.Key_Return)  # type: ignore[union-attr]
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert len(menu.actions()) > 1  # of several places one is chosen
    menu.close()


def test_a_run_that_diverges_by_a_fault_blames_the_fault_and_shows_its_curve(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    window = open_window("two-layer-linear", size=(1280, 720))
    session, loss = window.session, window.panels["loss"]
    assert isinstance(loss, LossPanel)
    session.set_fault(COUNT)
    _trained(qtbot, window, 300)
    assert isinstance(session.run.ended, Diverged)
    window.settle()
    message = window.messages.current
    assert message is not None
    for said in (message.text, loss.status()):
        assert said.endswith("The fault in this run: 1/m left out. Take it out under Faults in the menu.")
        assert "learning rate" not in said
    assert loss.plot is not None
    seen, parts = loss.plot.view(), loss.plot._parts[session.current.id]
    x, y = parts.curve.getData()
    assert x is not None
    assert y is not None
    assert np.nanmax(np.abs(y)) < 5 * seen.top  # Qt draws no line to 1e112
    assert (x[0], x[1]) == (0.0, 1.0)
    assert parts.marks.isVisible()
    session.set_fault(None)
    _trained(qtbot, window, 300)
    window.settle()
    assert "is above the plot" in loss._status.text()  # whole, in two lines
    assert loss._status.wordWrap()


def test_a_fault_that_is_to_be_found_is_not_named_by_a_run_that_diverges(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    session = open_window("two-layer-linear").session
    session.set_secret(COUNT)
    session.set_fault(COUNT)
    session.train(300)
    qtbot.waitUntil(lambda: not session.training and session.run.ended is not None, timeout=20_000)
    assert "1/m" not in session.end_of(session.run)


@pytest.mark.parametrize("fault", [COUNT, FaultAt("reset"), FaultAt("zeros")], ids=lambda f: f.name)
def test_training_in_the_other_process_has_the_fault_and_goes_on_with_it(
    qtbot: QtBot, window: Window, fault: FaultAt
) -> None:
    session = window.session
    _trained(qtbot, window, 12)
    right = session.losses.copy()
    session.set_fault(fault)
    _trained(qtbot, window, 6)
    _trained(qtbot, window, 6)
    place = fault.place(session.model.graph)
    own = FaultyRun(session.model, fault.fault, place, session.document.recipe)
    own.advance(12)
    assert np.array_equal(session.losses, own.losses)
    assert not np.allclose(session.losses[1:], right[1:])
    assert [len(run.losses) for run in session.runs] == [13, 13]
    assert session.current.name.endswith(f", {fault.fault.title}")
    for name, array in own.at(7).parameters.items():
        assert np.array_equal(session.run.at(7).parameters[name], array)


def test_undo_and_choosing_a_run_change_the_fault_with_the_run(qtbot: QtBot, window: Window) -> None:
    session = window.session
    _trained(qtbot, window, 3)
    session.set_fault(COUNT)
    _trained(qtbot, window, 3)
    faulty = session.current
    session.choose_run(session.runs[0])
    assert session.document.fault is None
    assert window.remark.isHidden()
    assert not session.frame.faulty
    session.choose_run(faulty)
    assert session.document.fault == COUNT
    session.undo()
    session.undo()
    assert session.document.fault is None
    assert fault_of(session.run) is None
    session.redo()
    assert session.document.fault == COUNT
    assert window.remark.isVisible()


def test_a_race_is_run_with_the_fault_and_details_keep_it(qtbot: QtBot, window: Window) -> None:
    session = window.session
    session.set_fault(COUNT)
    session.set_detail(Detail.PRIMITIVE)
    assert session.frame.faulty
    window.race()
    qtbot.waitUntil(lambda: session.iterations > 2, timeout=20_000)
    session.pause()
    assert {fault_of(run.run) for run in session.runs} == {COUNT}


def test_parameters_that_a_fault_sets_are_not_given_by_hand(window: Window) -> None:
    session = window.session
    session.set_fault(FaultAt("zeros"))
    said: list[str] = []
    session.notice.connect(lambda _, sentence: said.append(sentence))
    assert not session.edit("b2", np.array([[3.0]]))
    session.set_value("b2", [[3.0]])
    assert len(said) == 2
    assert all("menu under Faults" in sentence for sentence in said)
    assert not np.any(session.frame.values["b2"])


def test_another_network_has_no_fault(window: Window) -> None:
    window.session.set_fault(COUNT)
    window.session.open("logistic-regression")
    assert window.session.document.fault is None
    assert window.remark.isHidden()


def _opened(qtbot: QtBot, window: Window, path: Path) -> None:
    window.session.open("logistic-regression")
    window.filing.open(str(path))
    qtbot.waitUntil(lambda: window.session.document.network.name == NETWORK, timeout=20_000)


def _kept(qtbot: QtBot, window: Window, path: Path) -> None:
    """Write a session with a right run and one for each of three faults."""
    for fault in (None, COUNT, FaultAt("reset"), FaultAt("zeros")):
        window.session.set_fault(fault)
        _trained(qtbot, window, 5)
    window.filing.write(path)
    qtbot.waitUntil(lambda: not window.filing.is_busy, timeout=20_000)


def test_a_file_keeps_faults_and_the_runs_that_have_one(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    session, path = window.session, tmp_path / "kept.backstep"
    said: list[str] = []
    window.notifier.message.connect(lambda message: said.append(message.text))
    _kept(qtbot, window, path)
    assert said == ["Saved kept.backstep."]
    assert not window.filing.is_modified
    losses = {run.document.fault: run.losses.tobytes() for run in session.runs}
    _opened(qtbot, window, path)
    assert session.document.fault == fault_of(session.run) == FaultAt("zeros")
    assert {run.document.fault: run.losses.tobytes() for run in session.runs} == losses
    assert len(losses) == 4
    for run in session.runs:
        alone = run_of(session.model, run.document.recipe, run.document.fault)
        alone.advance(10)
        again = run.run.fork()
        again.advance(5)
        assert again.losses.tobytes() == alone.losses.tobytes()


def test_a_file_keeps_the_way_back_to_another_fault(qtbot: QtBot, window: Window, tmp_path: Path) -> None:
    session, path = window.session, tmp_path / "kept.backstep"
    _kept(qtbot, window, path)
    _opened(qtbot, window, path)
    for fault in (FaultAt("reset"), COUNT, None):
        session.undo()  # a training, then the fault before it
        session.undo()
        assert session.document.fault == fault_of(session.run) == fault
        assert session.iterations == 5


def test_a_network_file_says_that_it_cannot_keep_the_fault(
    qtbot: QtBot, window: Window, tmp_path: Path
) -> None:
    said: list[str] = []
    window.notifier.message.connect(lambda message: said.append(message.text))
    window.session.set_fault(COUNT)
    window.filing.write(tmp_path / "kept.toml")
    qtbot.waitUntil(lambda: not window.filing.is_busy, timeout=20_000)
    assert said == ["Saved kept.toml. The fault is not in it: a session (.backstep) keeps it."]


def test_the_clinic_has_every_fault_but_the_learning_rate() -> None:
    assert {fault.name for fault in FAULTS.values()} - {fault.name for fault in CLINIC} == {"rate"}
