"""Exercises in the real window: every kind is posed, answered wrong and right, and is kept in a report."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from engine.faults import FAULTS, FaultAt, fault_of
from engine.graph import Detail
from graphs.answers import Posed
from graphs.drills import DRILLS
from graphs.network import load
from graphs.writing import dumps
from gui.app import temporary_settings
from gui.learning import FILE
from gui.scene.metrics import card_of
from gui.viewdata import scene_view, step_view
from gui.window import Window
from tests.graphs.test_exercise import right_text
from tests.gui.dialogs import answer as choose


def posed(window: Window, qtbot: QtBot) -> Posed:
    """Return the question that is posed, as soon as it is there."""
    player = window.practice.player
    qtbot.waitUntil(lambda: player.part is not None and not player.is_busy, timeout=30_000)
    assert player.part is not None
    return player.part


def begin(window: Window, qtbot: QtBot, *kinds: str, seed: int = 0) -> Posed:
    window.practice.player.begin(kinds, seed)
    return posed(window, qtbot)


def answer(window: Window, qtbot: QtBot, text: str) -> None:
    """Type an answer, or choose it, and have it checked."""
    panel, part = window.practice.panel, posed(window, qtbot)
    if part.question.kind == "choice":
        panel.options.button(part.question.choices.index(text)).click()
        panel.check.click()
    else:
        panel.field.setText(text)
        QTest.keyClick(panel.field, Qt.Key.Key_Return)
    posed(window, qtbot)


def wrong_text(part: Posed, names: tuple[str, ...]) -> tuple[str, str]:
    """Return a wrong answer that is often given, and part of what has to be said of it."""
    kind = part.question.kind
    if kind == "choice":
        return next(c for c in part.question.choices if c != part.question.answer), "Were it"
    if kind == "name":
        return next(n for n in names if n not in part.right_names), ""
    if kind == "shape":
        return "7 x 9 x 2", ""
    if kind == "expression":
        return f"-({right_expression(part)})", "sign"
    if part.question.tolerance == 0 or not np.any(part.right):
        return "4711", ""
    return str((-part.right).tolist()), "sign"


def right_expression(part: Posed) -> str:
    """Return a formula that does not name what is asked for."""
    assert part.subject is not None
    if part.subject.aspect == "gradient":
        return right_text(part)
    line, name = part.subject.reader, part.subject.name
    graph = part.place.trace.graph
    op = graph[line].op
    if op is not None and op.name == "sigmoid":
        return f"{line} * (1 - {line})"
    if op is not None and op.name == "tanh":
        return f"1 - {line}**2"
    return {"square": f"2 * {name}", "log": f"1 / {name}"}.get(op.name if op else "", f"{name}")


OWN = (
    """
formula = """
    + '"""'
    + """
Z = w @ X + b
A = tanh(Z)
P = A * Z
L = mean((P - y)**2)
"""
    + '"""'
    + """
[parameters]
w = [[0.5, -1.0]]
b = 0.25
[data]
X = [[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]]
y = [1.0, 0.0, 2.0]
"""
)


def answer_all_parts(window: Window, qtbot: QtBot) -> None:
    """Answer every part of an exercise wrong, then right."""
    player, panel = window.practice.player, window.practice.panel
    exercise = player.exercise
    assert exercise is not None
    for number in range(len(exercise.parts)):
        part, hidden = posed(window, qtbot), window.session.hidden
        text, hint = wrong_text(part, part.place.trace.graph.named)
        answer(window, qtbot, text)
        assert not player.state.is_right, (part.question.ask, text)
        assert hint in player.state.said, (part.question.ask, text, player.state.said)
        assert panel.said.source == player.state.said != ""
        assert window.session.hidden == hidden
        right = right_expression(part) if part.question.kind == "expression" else right_text(part)
        answer(window, qtbot, right)
        assert player.state.is_right, (part.question.ask, right, player.state.said)
        assert panel.said.source.startswith("**Right.**")
        assert not panel.field.isEnabled()
        if number < len(exercise.parts) - 1:
            player.forward()
    assert window.session.hidden == frozenset()


@pytest.mark.parametrize(
    ("network", "kinds"),
    [
        ("two-layer-nonlinear", [kind for kind in (*DRILLS, "momentum", "adam") if kind != "paths"]),
        ("", ["values", "local", "gradients", "paths", "faults"]),
    ],
)
def test_every_kind_is_answered_wrong_and_right(
    open_window, qtbot: QtBot, tmp_path: Path, network: str, kinds: list[str]
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    window = open_window(network or path)
    before, player = window.session.document, window.practice.player
    begin(window, qtbot, *kinds, seed=1)
    for number, kind in enumerate(kinds):
        qtbot.waitUntil(lambda number=number: player.number == number and not player.is_busy, timeout=30_000)
        assert player.exercise is not None
        assert player.exercise.kind == (kind if kind in DRILLS else "updates")
        answer_all_parts(window, qtbot)
        player.forward()
    player.end()
    assert window.session.document is before


def test_the_users_network_comes_back_whole(open_window, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(dumps(load("univariate-regression")))
    window = open_window(path, position=5)
    session = window.session
    session.set_detail(Detail.PRIMITIVE)
    session.set_value("b", np.asarray(0.25))
    session.step_training()
    session.step_training()
    document, losses, run = session.document, session.losses.copy(), session.current
    assert window.filing.is_modified
    begin(window, qtbot, "values")
    assert session.document.network is not document.network
    assert window.filing.path is None  # saving would ask, and not write over the file
    begin(window, qtbot, "gradients")
    window.practice.player.end()
    assert session.document is document
    assert session.detail == Detail.PRIMITIVE
    assert (session.current, session.iterations) == (run, 2)
    np.testing.assert_array_equal(session.losses, losses)
    assert window.filing.is_modified
    assert window.filing.path == path


@pytest.mark.parametrize("how", ["close", "menu", "floating"])
def test_closing_the_panel_ends_the_exercises(open_window, qtbot: QtBot, how: str) -> None:
    window = open_window("two-layer-nonlinear")
    session, dock = window.session, window.docks["practice"]
    document = session.document
    begin(window, qtbot, "faults", seed=1)
    window.docks["step"].raise_()
    window.restore_panels()
    assert session.document.fault is not None  # another panel over it ends nothing, nor does a new layout
    assert not dock.isHidden()
    if how == "menu":
        dock.toggleViewAction().trigger()
    else:
        dock.setFloating(how == "floating")
        dock.close()
    qtbot.waitUntil(lambda: not window.practice.player.is_open)
    assert session.document is document
    assert session.document.fault is None
    assert session.hidden == frozenset()
    assert dock.isHidden()
    session.set_fault(FaultAt("zeros"))
    assert window.actions_by_id["no-fault"].isEnabled()  # nothing is kept secret any more


def test_undo_and_another_file_lead_back_too(open_window, qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(dumps(load("univariate-regression")))
    window = open_window(path)
    session = window.session
    session.set_value("b", np.asarray(0.25))
    document = session.document
    begin(window, qtbot, "values")
    assert session.hidden
    session.undo()
    assert session.document is document
    assert (session.hidden, session.marked) == (frozenset(), ())  # nothing of it stays
    assert not window.practice.panel.away.isHidden()
    begin(window, qtbot, "values")
    window.filing.open("perceptron-classifier")  # asks about the user's file, not about the exercise
    assert session.document is document
    assert "mine.toml" in window.overlay.accessibleName()


def test_where_the_graph_stands_and_what_it_hides(open_window, qtbot: QtBot) -> None:
    window = open_window("two-layer-nonlinear")
    session, panel, player = window.session, window.practice.panel, window.practice.player
    part = begin(window, qtbot, "gradients", seed=3)
    assert part.subject is not None
    name = part.subject.name
    step = session.frame.step
    assert step is not None
    assert step.target == name
    assert scene_view(session.frame).nodes[name].asked == ("gradient",)
    assert session.marked == (f"d_{name}",)
    panel.hint.click()
    panel.hint.click()
    assert panel.said.source == part.hints[1]
    panel.show_answer.click()
    assert scene_view(session.frame).nodes[name].gradient is not None
    assert panel.said.source.startswith("The answer is")
    assert all(text in panel.said.source for text in part.solution[:-1])
    panel.forward.click()
    panel.back.click()
    assert player.part is part
    assert player.state.is_shown
    session.go(0)
    session.toggle_hidden()  # H is giving up as well
    panel.forward.click()
    second = posed(window, qtbot)
    session.toggle_hidden()
    assert player.part is second
    assert player.state.is_shown


def test_a_secret_fault_is_named_by_a_click_and_told_at_the_end(open_window, qtbot: QtBot) -> None:
    window = open_window("two-layer-nonlinear")
    session, panel, player = window.session, window.practice.panel, window.practice.player
    part = begin(window, qtbot, "faults", seed=1)
    assert player.exercise is not None
    fault = fault_of(player.exercise.stage.run)
    assert fault is not None
    assert session.document.fault == fault
    told = [session.fault_text, window.remark.text(), session.undo_text, session.current.name]
    told.append(panel.given.source)
    assert not any(fault.fault.title in text for text in told)
    assert not session.frame.is_faulty
    assert not window.actions_by_id["no-fault"].isEnabled()
    wrong = next(n for n in part.place.trace.graph.named if n != part.question.answer and n != "L")
    window.scene.activate(wrong)
    assert panel.field.text() == wrong
    panel.check.click()
    posed(window, qtbot)
    assert "gradient of" in player.state.said
    window.scene.activate(part.question.answer)
    panel.check.click()
    posed(window, qtbot)
    assert player.state.is_right
    player.forward()
    answer(window, qtbot, posed(window, qtbot).question.answer)
    assert fault.fault.title in window.remark.text()
    assert fault.fault.explanation in panel.said.source
    assert "```" in panel.given.source  # now the source may be read
    player.end()
    assert session.document.fault is None
    assert window.remark.isHidden()


def test_the_list_of_kinds_cuts_no_row(open_window) -> None:
    window = open_window("univariate-regression")
    kinds = window.practice.panel.kinds
    assert kinds.view().minimumWidth() > kinds.view().sizeHintForColumn(0)
    assert len({kinds.itemText(i)[:12] for i in range(kinds.count())}) == kinds.count()  # told apart when cut


def window_color(window: Window) -> str:
    return window.theme.color("window").name()


def test_pictures_that_would_tell_an_answer_are_covered_until_it_is_given(open_window, qtbot: QtBot) -> None:
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    panels = {}
    for name in ("fit", "landscape", "loss"):
        window.show_dock(name)
        window.settle()
        panels[name] = window.panels[name]
    assert not any(panel.is_covered_up for panel in panels.values())
    begin(window, qtbot, "values")
    player, exercise = window.practice.player, window.practice.player.exercise
    assert exercise is not None
    for _ in exercise.parts:
        assert {name for name, panel in panels.items() if panel.is_covered_up} == {*panels}
        image, edge = panels["loss"].grab().toImage(), range(4, 40)
        assert {image.pixelColor(x, image.height() // 4 * 3).name() for x in edge} == {window_color(window)}
        player.give_up()
        player.forward()
        qtbot.waitUntil(lambda: player.part is not None and not player.is_busy)
        if player.number:
            break
    player.back()
    assert not any(panel.is_covered_up for panel in panels.values())
    begin(window, qtbot, "gradients")
    assert not panels["loss"].is_covered_up  # which is known by now
    player.end()
    assert not any(panel.is_covered_up for panel in panels.values())


def test_a_faulty_formula_is_hidden_until_the_fault_is_known(open_window, qtbot: QtBot) -> None:
    window = open_window("two-layer-nonlinear")
    session, player = window.session, window.practice.player
    answer(window, qtbot, begin(window, qtbot, "faults", seed=1).question.answer)
    assert player.state.is_right
    assert step_view(session.frame).equation.endswith(r"\ldots")  # it would pass for the rule
    player.forward()
    answer(window, qtbot, posed(window, qtbot).question.answer)
    assert not step_view(session.frame).equation.endswith(r"\ldots")


def test_faults_in_the_users_own_run_are_in_no_exercise(open_window, qtbot: QtBot) -> None:
    window = open_window("univariate-regression", position=3)
    session = window.session
    graph = session.model.graph
    fault = FaultAt("sign", FAULTS["sign"].places(graph)[0].node, FAULTS["sign"].places(graph)[0].slot)
    session.set_fault(fault)
    session.set_hidden(frozenset(("L",)))
    part = begin(window, qtbot, "formulas")
    assert part.check(right_text(part)).right
    assert session.document.fault is None
    window.practice.player.end()
    assert session.document.fault == fault
    assert (session.position, session.hidden) == (3, {"L"})


def test_what_was_right_at_first_stays_and_can_be_exported_and_cleared(
    open_window, qtbot: QtBot, tmp_path: Path
) -> None:
    settings = temporary_settings()
    settings.set("files/dialogs", "own")  # into which one can type
    window = open_window("univariate-regression", settings=settings)
    practice, panel, player = window.practice, window.practice.panel, window.practice.player
    part = begin(window, qtbot, "values", seed=2)
    answer(window, qtbot, right_text(part))
    player.forward()
    part = posed(window, qtbot)
    answer(window, qtbot, str((-part.right).tolist()))
    answer(window, qtbot, right_text(part))
    assert practice.learning.report.sentence() == "1 of 2 questions right at the first try."
    qtbot.waitUntil(lambda: practice.learning.is_settled)
    kept = settings.folder / FILE
    assert json.loads(kept.read_text())["records"][1]["tries"] == 2
    window.close()

    again = open_window("univariate-regression", settings=settings)
    practice, panel = again.practice, again.practice.panel
    qtbot.waitUntil(lambda: practice.learning.is_read)
    practice.show_report()
    assert "1 of 2 questions right at the first try." in panel.report.source
    exported(qtbot, again, tmp_path)
    panel.clear.click()
    assert "Nothing has been answered yet." in panel.report.source
    panel.clear.click()  # put back
    assert "1 of 2 questions" in panel.report.source
    panel.clear.click()
    qtbot.waitUntil(lambda: practice.learning.is_settled)
    assert json.loads(kept.read_text())["records"] == []


def test_what_is_said_of_an_answer_is_in_sight(open_window, qtbot: QtBot) -> None:
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    begin(window, qtbot, "values", seed=2)
    panel = window.practice.panel
    window.practice.player.give_up()

    def is_seen() -> bool:
        area = panel.area.viewport()
        return area.rect().contains(panel.said.mapTo(area, panel.said.rect().bottomLeft()))

    qtbot.waitUntil(is_seen)
    assert panel.said.source.startswith("The answer is")
    window.practice.end()


def exported(qtbot: QtBot, window: Window, folder: Path) -> None:
    """Export the report under a name without an ending: the kind that is chosen says it."""
    for name, kind, start in (
        ("report.md", "Markdown", "# What was right"),
        ("report.csv", "CSV", "source,"),
    ):
        window.practice.panel.export_requested.emit()
        choose(qtbot, window, folder / Path(name).stem, kind)
        assert (folder / name).read_text().startswith(start)


def test_questions_of_lessons_are_in_the_report_unless_a_lecturer_shows_them(
    open_window, qtbot: QtBot
) -> None:
    window = open_window()
    window.teaching.open("4", 0)
    player = window.teaching.player
    number = next(i for i, page in enumerate(player.lesson.pages) if page.question is not None)
    player.go(number)
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy, timeout=30_000)
    window.presenting.begin(False)
    player.hint()
    window.presenting.end()
    learning = window.practice.learning
    qtbot.waitUntil(lambda: learning.is_read)
    assert not learning.report.records
    player.submit(player.question.answer)
    (key,) = learning.report.records
    assert (key.source, key.place) == (player.lesson.title, player.page.title)


def test_the_keyboard_is_enough(open_window, qtbot: QtBot) -> None:
    window = open_window("univariate-regression")
    panel, player = window.practice.panel, window.practice.player
    QTest.keyClick(window, Qt.Key.Key_E)
    part = posed(window, qtbot)
    assert panel.isVisible()
    QTest.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ShiftModifier)
    assert panel.field.hasFocus()
    QTest.keyClicks(panel.field, right_text(part))
    QTest.keyClick(panel.field, Qt.Key.Key_Return)
    posed(window, qtbot)
    assert player.state.is_right
    assert panel.forward.hasFocus()
    panel.show_answer.setFocus()
    QTest.keyClick(panel.show_answer, Qt.Key.Key_Return)
    assert not panel.show_answer.isEnabled()  # the solution is shown
    assert panel.forward.hasFocus()
    QTest.keyClick(window.focusWidget(), Qt.Key.Key_Return)
    assert player.part_number == 1
    panel.show_answer.setFocus()
    QTest.keyClick(panel.show_answer, Qt.Key.Key_Return)
    assert panel.forward.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_X, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(window, Qt.Key.Key_X)
    assert player.part_number == 1
    QTest.keyClick(window, Qt.Key.Key_X, Qt.KeyboardModifier.ShiftModifier)
    assert player.part_number == 0


def test_a_seed_that_is_none_is_refused_with_a_word(open_window, qtbot: QtBot) -> None:
    window = open_window("univariate-regression", size=(1280, 720))
    begin(window, qtbot, "values")
    panel = window.practice.panel
    panel.seed.setText("m0")
    QTest.keyClick(panel.seed, Qt.Key.Key_Return)
    message = window.messages.current
    assert message is not None
    assert message.text == "A seed is a whole number from 0 to 999,999,999, not m0."
    assert window.practice.player.seed == 0
    panel.more.click()
    menu = QApplication.activePopupWidget()
    assert menu is not None
    assert menu is panel._menu
    assert window.mapToGlobal(window.rect().bottomRight()).x() > menu.geometry().right()
    menu.close()


def test_kinds_and_seeds_are_chosen_and_a_series_ends(open_window, qtbot: QtBot) -> None:
    window = open_window("univariate-regression")
    panel = window.practice.panel
    first = begin(window, qtbot, "values", seed=0)
    panel.seed.setText("12")
    QTest.keyClick(panel.seed, Qt.Key.Key_Return)
    other = posed(window, qtbot)
    assert window.practice.player.seed == 12
    assert panel.seed.text() == "12"
    assert panel.given.source
    assert first.snapshot.model.leaves["x"].tolist() != other.snapshot.model.leaves["x"].tolist()
    panel.seed.setText("nonsense")
    QTest.keyClick(panel.seed, Qt.Key.Key_Return)
    assert panel.seed.is_refused
    panel.kinds.setCurrentIndex(panel.kinds.findData("shapes"))
    panel.kinds.activated.emit(panel.kinds.currentIndex())
    assert posed(window, qtbot).question.kind == "shape"
    assert window.practice.player.seed == 12
    player = window.practice.player
    begin(window, qtbot, "stored")
    player.forward()
    assert not player.is_last  # nobody has asked for more yet
    player.forward()
    qtbot.waitUntil(lambda: player.is_last)
    assert panel.forward.text() == "Finish"
    assert player.part is not None
    player.begin(("paths",))
    qtbot.waitUntil(lambda: "has nothing for that" in panel.given.source)
    assert panel.asking.isHidden()
    assert panel.kinds.isEnabled()


def test_the_keyboard_leads_from_part_to_part_and_home(open_window, qtbot: QtBot) -> None:
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    document, player = window.session.document, window.practice.player
    begin(window, qtbot, "stored")
    panel = window.practice.panel
    panel.focus_answer()
    for number in range(2):
        assert panel.field.hasFocus()
        assert player.part_number == number
        QTest.keyClicks(panel.field, right_text(posed(window, qtbot)))
        QTest.keyClick(panel.field, Qt.Key.Key_Return)
        posed(window, qtbot)
        assert player.state.is_right
        assert panel.forward.hasFocus()
        QTest.keyClick(panel.forward, Qt.Key.Key_Return)
        posed(window, qtbot)
    assert player.is_last
    assert panel.forward.hasFocus()
    assert panel.forward.text() == "Finish"
    window.messages.clear()
    QTest.keyClick(window, Qt.Key.Key_X)  # says what can be done
    assert window.messages.current is not None
    assert "Finish" in window.messages.current.text
    QTest.keyClick(panel.forward, Qt.Key.Key_Return)
    assert not player.is_open
    assert window.session.document is document
    assert window.view.hasFocus()


def seen(panel, *parts: QWidget) -> list[bool]:
    """Return which parts of the panel are seen from top to bottom."""
    viewport = panel.area.viewport()
    places = [QRect(part.mapTo(viewport, QPoint(0, 0)), part.size()) for part in parts]
    return [viewport.rect().contains(place) for place in places]


@pytest.mark.parametrize("kind", DRILLS)
def test_what_was_asked_or_said_last_is_in_sight(open_window, qtbot: QtBot, kind: str) -> None:
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    QTest.keyClick(window, Qt.Key.Key_E)
    posed(window, qtbot)
    player, panel = window.practice.player, window.practice.panel
    player.begin((kind,), 0)
    qtbot.waitUntil(lambda: not player.is_busy, timeout=30_000)
    if player.exercise is None:
        return  # nothing of that kind
    for _ in player.exercise.parts:
        qtbot.waitUntil(lambda: all(seen(panel, panel.ask, panel.check, panel.hint)))
        for _ in player.part.hints:
            panel.hint.click()
            qtbot.waitUntil(lambda: all(seen(panel, panel.check, panel.said)))
        panel.show_answer.click()
        qtbot.waitUntil(lambda: all(seen(panel, panel.ask)))
        player.forward()


def test_in_a_low_panel_a_hint_is_in_sight_rather_than_the_question(open_window, qtbot: QtBot) -> None:
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    begin(window, qtbot, "faults", seed=1)
    window.resizeDocks([window.docks["practice"], window.docks["step"]], [280, 400], Qt.Orientation.Vertical)
    player, panel = window.practice.player, window.practice.panel
    player.give_up()
    player.forward()
    part = posed(window, qtbot)
    for _ in part.hints:
        panel.hint.click()
        qtbot.waitUntil(lambda: all(seen(panel, panel.said)))
    assert not all(seen(panel, panel.ask))  # there is no room for both


def test_cards_show_numbers_while_exercises_are_done(open_window, qtbot: QtBot) -> None:
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    scene = window.scene
    usual = scene.node_rect("X")
    begin(window, qtbot, "faults")
    assert scene.letters.has_numbers
    for name, view in scene.view.nodes.items():
        card = card_of(view, scene.letters)
        assert card.rect.contains(card.value)
        columns = int(view.shape.split("×")[-1]) if view.shape else 1
        assert card.value.width() >= 40 * columns, name
    window.presenting.begin(False)
    assert not scene.letters.has_numbers  # there they would be too small
    window.presenting.end()
    assert scene.letters.has_numbers
    assert "numbers, on the cards" in window.practice.panel.given.source
    window.practice.player.end()
    assert scene.node_rect("X") == usual
    assert not scene.letters.has_numbers


def test_hidden_shapes_make_no_number_of_a_matrix(open_window, qtbot: QtBot) -> None:
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    sizes = {name: window.scene.node_rect(name).size() for name in ("X", "A")}
    begin(window, qtbot, "local")  # another graph is drawn when it comes
    begin(window, qtbot, "shapes")
    assert window.scene.view.nodes["X"].shape == "?"
    assert {name: window.scene.node_rect(name).size() for name in sizes} == sizes


def test_exercises_come_back_where_the_window_stays_open_after_all(
    open_window, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    window = open_window(path)
    window.session.set_value("b", 0.5)
    home = window.session.document
    part = begin(window, qtbot, "gradients")
    player, network = window.practice.player, window.session.document.network
    QTest.keyClick(window.view, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert window.session.document is home  # which the question is about
    overlay = window.overlay
    assert overlay is not None
    QTest.keyClick(overlay, Qt.Key.Key_Escape)
    assert posed(window, qtbot) is part
    assert window.session.document.network is network
    assert window.docks["practice"].isVisible()
    window.practice.end()
    assert window.session.document is home
    QTest.keyClick(window.view, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    overlay = window.overlay
    assert overlay is not None
    QTest.keyClick(overlay, Qt.Key.Key_Escape)
    assert not player.is_open  # those had been ended before


def test_nothing_stands_over_anything_from_the_first_moment(open_window, qtbot: QtBot) -> None:
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    begin(window, qtbot, "stored")
    panel, player = window.practice.panel, window.practice.player
    seen: list[bool] = []

    def look() -> None:
        if player.part is not None:
            column = (panel.heading, panel.given, panel.asking)
            inner = (panel.ask, panel.field) if panel.field.isVisible() else (panel.ask,)
            for parts in (column, inner):
                ends = [(part.geometry().top(), part.geometry().bottom()) for part in parts]
                seen.extend(a[1] < b[0] for a, b in itertools.pairwise(ends))

    player.changed.connect(look)  # after the panel
    for kind in ("shapes", "gradients", "local"):
        begin(window, qtbot, kind)
    assert len(seen) >= 6
    assert all(seen)
