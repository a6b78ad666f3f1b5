"""Presenting: large words under the graph, a clicker's two keys, and everything back afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QLabel, QMenu
from pytestqt.qtbot import QtBot

from engine.trace import Phase as TracePhase
from graphs.lesson import read_lesson
from graphs.network import load
from gui.actions import ACTIONS as ROWS
from gui.legend import Chip
from gui.presenter_strip import LEAST
from gui.presenting import PLOTS, contrasted
from gui.scene.graph_view import BEYOND, CAPTION_HEIGHT, FADE, Overlay
from gui.scene.metrics import ON_PROJECTOR
from gui.theme import DARK, LIGHT, Theme, application_font
from gui.window import Window
from tests.gui.conftest import OpenWindow
from tests.gui.test_theme import contrast

LESSON = """
title = "A lesson"
network = "two-layer-nonlinear"
[[page]]
title = "One"
text = "The loss is {{L}}."
docks = ["fit"]
notes = "Say it slowly."
[[page]]
title = "Two"
text = "Which?"
at = "start"
wait = { at = "forward Z" }
[[page]]
title = "Three"
text = "And now?"
[page.question]
ask = "Which is it?"
kind = "choice"
choices = ["a", "b"]
answer = "b"
hints = ["x", "y"]
explain = "Because."
"""


READABLE = 15.99
"""Points of what stands in and around a plot."""


@pytest.fixture
def window(shared_window: Window, qtbot: QtBot) -> Iterator[Window]:
    """Return a window with a network that nobody has stepped through, and no lesson."""
    shared_window.session.open_network(load("two-layer-nonlinear"))
    shared_window.session.first()
    shared_window.activateWindow()
    shared_window.settle()
    assert (shared_window.session.position, shared_window.session.iterations) == (0, 0)
    yield shared_window
    shared_window.presenting.end()
    shared_window.teaching.end()
    shared_window.resize(1280, 720)


def page_down(window: Window) -> None:
    QTest.keyClick(window, Qt.Key.Key_PageDown)


def staged(window: Window, qtbot: QtBot) -> None:
    player = window.teaching.player
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy, timeout=30_000)


def test_a_step_is_said_in_large_letters(window: Window) -> None:
    window.presenting.begin(is_full=False)
    page_down(window)
    assert window.session.position == 1
    assert window.strip.text.source.startswith("**")
    assert window.strip.text.document().defaultFont().pointSizeF() >= LEAST - 0.01
    assert not window.strip.is_cut
    assert not window.transport.isVisible()
    assert not any(dock.isVisible() for dock in window.docks.values())
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    assert window.session.position == 0


@pytest.mark.parametrize(
    ("network", "least"),
    [("multivariate-regression", 20.0), ("two-layer-linear", 19.0), ("two-layer-nonlinear", 18.0)],
)
def test_the_cards_are_written_for_the_last_row(window: Window, network: str, least: float) -> None:
    """Numbers and formulas of a graph that is looked at as a whole, in pixels of a projector with 1280."""
    window.session.open_network(load(network))
    places = {name: window.scene.node_rect(name) for name in window.scene.view.nodes}
    window.resize(1280, 720)
    window.presenting.begin(is_full=False)
    window.settle()
    window.session.go(3)
    scale, letters = window.view.transform().m11(), window.scene.letters
    assert min(letters.number, letters.formula) * scale >= least
    assert letters.title * scale >= 24.0
    window.presenting.end()
    assert {name: window.scene.node_rect(name) for name in window.scene.view.nodes} == places


def test_the_graph_has_the_room_of_caption_and_key(window: Window) -> None:
    """What lines mean is said in the strip; what lies over the graph pushes it down, and lets it go again."""
    window.session.open_network(load("univariate-regression"))
    window.resize(1280, 480)
    window.messages.clear()
    window.presenting.begin(is_full=False)
    window.settle()

    def top() -> int:
        cards = [window.view.mapFromScene(window.scene.node_rect(name)) for name in window.scene.view.nodes]
        return min(card.boundingRect().top() for card in cards)

    assert not any(child.isVisible() for child in window.view.findChildren(Overlay))
    assert window.strip.legend.words == ["value", "gradient", "parameter, update", "stored for backward"]
    free = top()
    assert free < 60
    window.notifier.ask("The file has gone.", stays=True)
    assert window.messages.isVisible()
    assert top() >= window.messages.geometry().bottom() > free - 20
    window.messages.dismiss()
    assert top() == free
    window.presenting.end()
    assert all(child.isVisible() for child in window.view.findChildren(Overlay))


@pytest.mark.parametrize(
    ("network", "presents"),
    [("logistic-regression", False), ("logistic-regression", True), ("two-layer-nonlinear", True)],
)
def test_factors_and_what_they_read_are_in_sight_at_every_step(
    window: Window, qtbot: QtBot, network: str, presents: bool
) -> None:
    """Also where they stand beyond the cards; the view goes back to the whole graph after them."""
    window.session.open_network(load(network))
    window.messages.dismiss()
    if presents:
        window.presenting.begin(is_full=False)
    window.settle()
    view, reached = window.view, 0
    for position in range(len(window.session.frame.trace.steps) + 1):
        window.session.go(position)
        qtbot.waitUntil(lambda: not view.is_moving)
        notes = window.scene.notes_rect().adjusted(BEYOND, BEYOND, -BEYOND, -BEYOND)
        seen = view.mapToScene(view.viewport().rect()).boundingRect()
        caption = 0 if presents else CAPTION_HEIGHT - FADE
        seen.setTop(view.mapToScene(0, caption).y())
        assert notes.isEmpty() or seen.adjusted(-1, -1, 1, 1).contains(notes), position
        reached += not window.scene.picture_rect().contains(notes)
    assert reached  # or nothing would be tested
    assert view.is_fitted


def test_a_clicker_goes_on_past_the_last_iteration(window: Window) -> None:
    session = window.session
    session.last()
    last = session.position
    window.presenting.begin(is_full=False)
    for iteration in (1, 2):
        page_down(window)
        assert (session.iteration, session.iterations, session.position) == (iteration, iteration, 0)
        session.last()
        assert session.position == last
    QTest.keyClick(window, Qt.Key.Key_Right)
    assert (session.iteration, session.position) == (2, last)  # a step stays in what there is
    session.go_to_iteration(0)
    page_down(window)
    assert (session.iteration, session.iterations, session.position) == (1, 2, 0)


def test_everything_is_back_afterwards(window: Window) -> None:
    shown = {name for name, dock in window.docks.items() if dock.isVisible()}
    theme = window.theme
    QTest.keyClick(window, Qt.Key.Key_F11)
    assert window.presenting.is_on
    QTest.keyClick(window, Qt.Key.Key_F11)
    window.resize(1280, 720)
    window.settle()
    assert not window.presenting.is_on
    assert {name for name, dock in window.docks.items() if dock.isVisible()} == shown
    assert window.transport.isVisible()
    assert not window.strip.isVisible()
    assert window.theme == theme
    page_down(window)
    assert window.session.iterations == 1


def test_a_question_without_room_under_its_text_says_how_to_read_that_again(
    window: Window, qtbot: QtBot
) -> None:
    window.presenting.begin(is_full=False)
    long = "A sentence that is said to everybody in the room. " * 6
    window.teaching.begin(read_lesson(LESSON.replace("And now?", long)), 2)
    staged(window, qtbot)
    height = window.strip.height()
    assert long.strip() in window.strip.text.source
    page_down(window)
    assert window.strip.text.source.startswith("**Which is it?**")
    assert "PgUp: the text" in window.strip.place.text()
    assert (window.strip.is_cut, window.strip.height()) == (False, height)
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    assert long.strip() in window.strip.text.source
    assert "PgUp" not in window.strip.place.text()


def test_a_clicker_goes_through_a_lesson(window: Window, qtbot: QtBot) -> None:
    window.presenting.begin(is_full=False)
    window.teaching.begin(read_lesson(LESSON))
    player = window.teaching.player
    staged(window, qtbot)
    assert window.strip.text.source.startswith("The loss is")
    assert window.docks["fit"].isVisible()
    assert not window.docks["lesson"].isVisible()
    page_down(window)
    staged(window, qtbot)
    assert (player.number, window.session.position) == (1, 0)
    assert window.docks["fit"].isVisible()  # what a page opens stays open until another says otherwise
    page_down(window)
    assert (player.number, window.session.position) == (1, 1)
    page_down(window)
    staged(window, qtbot)
    assert (player.number, window.presenting.phase) == (2, "text")
    page_down(window)
    assert window.strip.text.source.startswith("And now?\n\n**Which is it?**\n\n")
    assert "b" in window.strip.text.source
    assert "PgUp" not in window.strip.place.text()
    page_down(window)
    assert window.strip.text.source == "**Which is it?**\u2002**B\u00a0\u00a0b**\n\nBecause."
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    assert window.presenting.phase == "question"
    window.presenting.end()
    assert window.docks["lesson"].isVisible()


ACTIONS = """
title = "What pages start"
network = "univariate-regression"
[[page]]
title = "Landscape"
text = "A map."
docks = ["loss"]
landscape = ["w", "b"]
[[page]]
title = "Learning rates"
text = "Too short, too long."
docks = ["sweep"]
sweep = true
[[page]]
title = "A fault"
text = "Which?"
fault = "count"
hide = ["fault"]
[page.question]
ask = "What was left out?"
kind = "choice"
choices = ["1/m", "2"]
answer = "1/m"
"""


@pytest.mark.parametrize("name", ["loss", "fit", "landscape", "sweep"])
def test_a_plot_can_be_read_from_the_last_row(window: Window, name: str) -> None:
    window.presenting.begin(is_full=False)
    window.presenting.show_dock(name)
    panel: Any = window.panels[name]
    panel.settle()
    panel.build()
    plot = panel.map if name == "landscape" else panel.plot
    for axis in plot.axes.values():
        assert axis.style["tickFont"].pointSizeF() >= READABLE
        assert axis.label.font().pointSizeF() >= READABLE
    labels = [label for label in panel.findChildren(QLabel) if label.isVisible() and label.text()]
    assert all(label.font().pointSizeF() >= READABLE for label in labels)
    assert not [b for b in panel.findChildren(QAbstractButton) if b.isVisible() and not isinstance(b, Chip)]
    window.presenting.end()
    assert plot.axes["left"].style["tickFont"] == application_font("small")
    assert not panel.is_projected


@pytest.mark.parametrize(
    ("network", "dock", "share"),
    [
        ("univariate-regression", "fit", 0.388),
        (
            "two-layer-nonlinear",
            "fit",
            0.3,
        ),  # the graph is wide, and the letters as large as its width allows
        ("two-layer-nonlinear", "neurons", 0.36),
    ],
)
def test_a_plot_has_the_same_share_of_any_screen(
    window: Window, qtbot: QtBot, network: str, dock: str, share: float
) -> None:
    window.session.open_network(load(network))
    window.presenting.begin(is_full=False)
    window.presenting.show_dock(dock)
    for width, height in ((1600, 900), (1280, 720)):
        window.resize(width, height)
        qtbot.waitUntil(lambda: abs(window.docks[dock].width() / window.width() - share) < 0.01)


def test_neurons_are_as_large_as_their_numbers_have_room(window: Window) -> None:
    window.session.go(4)
    window.presenting.begin(is_full=False)
    window.presenting.show_dock("neurons")
    window.settle()
    panel: Any = window.panels["neurons"]
    large, canvas = panel.canvas.grab().toImage(), panel.canvas
    has_numbers = [stack.has_numbers for stack in canvas.places.stacks]
    canvas.set_letters(1.0)
    assert [stack.has_numbers for stack in canvas.places.stacks] == has_numbers
    assert canvas.grab().toImage() != large
    canvas.resize(2000, 1200)
    canvas.set_letters(1.5)
    assert all(stack.has_numbers for stack in canvas.places.stacks)
    outer = canvas.places.stacks[0].neurons[0].center()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=(outer * 1.5).toPoint())
    assert window.session.selection == "X"  # what is painted there is what is clicked
    window.presenting.end()
    assert panel.caption.font() == application_font("small")


def test_what_a_page_starts_opens_no_second_plot(window: Window, qtbot: QtBot) -> None:
    window.presenting.begin(is_full=False)
    window.teaching.begin(read_lesson(ACTIONS))
    staged(window, qtbot)
    seen = {name for name, dock in window.docks.items() if dock.isVisible()}
    assert seen == {"landscape"}
    page_down(window)
    staged(window, qtbot)
    seen = {name for name, dock in window.docks.items() if dock.isVisible()}
    assert seen == {"sweep"}
    panel: Any = window.panels["sweep"]
    qtbot.waitUntil(lambda: panel.result is not None and not panel.running, timeout=60_000)
    assert panel.result.done
    assert panel.result.plan.rates[-1] > panel.limit.rate  # the picture is of the limit


def test_a_fault_that_is_asked_for_has_no_name_until_it_is_found(window: Window, qtbot: QtBot) -> None:
    window.presenting.begin(is_full=False)
    window.teaching.begin(read_lesson(ACTIONS), 2)
    staged(window, qtbot)
    assert window.session.fault_text
    assert window.remark.isHidden()
    assert window.messages.isHidden()  # the lesson says what is to be said of the data
    window.teaching.player.submit("1/m")
    assert window.remark.isVisible()
    assert "1/m" in window.remark.text()
    assert window.remark.font().pointSizeF() >= READABLE
    assert window.remark.width() <= window.view.width() // 2  # the caption has the other half


def test_the_speaker_sees_notes_and_what_comes_next(window: Window, qtbot: QtBot) -> None:
    window.teaching.begin(read_lesson(LESSON))
    staged(window, qtbot)
    window.presenting.begin(is_full=False)
    window.presenting.show_speaker()
    speaker = window.presenting.speaker
    assert speaker is not None
    assert (speaker.notes.source, speaker.following.text()) == ("Say it slowly.", "Next: Two")
    window.teaching.player.go(2)
    staged(window, qtbot)  # who asks knows the answer
    assert speaker.notes.source == "**Asked:** Which is it?\n\n**B\u00a0\u00a0b**"
    window.teaching.player.go(0)
    staged(window, qtbot)
    QTest.keyClick(speaker, Qt.Key.Key_PageDown)
    staged(window, qtbot)
    assert speaker.page.text() == "2 of 3: Two"
    assert "presenting for 0:" in speaker.clock.text()
    window.presenting.end()
    assert window.presenting.speaker is None


def test_the_notes_go_with_the_window_also_where_it_does_not_present(open_window: OpenWindow) -> None:
    window = open_window("two-layer-nonlinear")
    window.presenting.show_speaker()
    speaker = window.presenting.speaker
    assert speaker is not None
    assert speaker.isVisible()
    assert window.close()
    assert not speaker.isVisible()
    assert window.presenting.speaker is None
    assert window.close()


def test_two_screens_one_for_the_audience_and_one_for_the_speaker(tmp_path: Path) -> None:
    screens = [
        {"name": name, "x": x, "y": 0, "width": width, "height": height, "logicalDpi": 96, "dpr": 1}
        for name, x, width, height in (("laptop", 0, 1280, 720), ("projector", 1280, 1920, 1080))
    ]
    config = tmp_path / "screens.json"
    config.write_text(json.dumps({"screens": screens}))
    done = subprocess.run(
        [sys.executable, "-m", "tests.gui.two_screens"],
        env={**os.environ, "QT_QPA_PLATFORM": f"offscreen:configfile={config}"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout == "done\n", done.stderr


def rests(window: Window, qtbot: QtBot) -> bool:
    """Let the pointer rest over the window until it goes, if it does."""
    pointer = window.presenting.pointer
    pointer.rest.setInterval(100_000)
    QTest.mouseMove(window, QPoint(300, 200))
    QTest.mouseMove(window, QPoint(310, 200))
    assert not pointer.is_away
    with qtbot.waitSignal(pointer.rest.timeout):
        pointer.rest.start(1)
    pointer.rest.stop()
    return pointer.is_away


def test_a_pointer_that_rests_goes_and_comes_with_a_movement(window: Window, qtbot: QtBot) -> None:
    pointer = window.presenting.pointer
    window.presenting.begin(is_full=False)
    assert rests(window, qtbot)
    cursor = QApplication.overrideCursor()
    assert cursor is not None
    assert cursor.shape() == Qt.CursorShape.BlankCursor
    QTest.mouseMove(window.view, QPoint(40, 60))
    assert not pointer.is_away
    assert QApplication.overrideCursor() is None
    QTest.keyClick(window, Qt.Key.Key_P)  # the spotlight is of the step, not of the mouse
    assert rests(window, qtbot)
    window.presenting.end()
    assert QApplication.overrideCursor() is None
    assert not pointer.rest.isActive()
    QTest.mouseMove(window.view, QPoint(60, 60))
    assert not pointer.rest.isActive()


def test_a_pointer_stays_where_something_needs_it(window: Window, qtbot: QtBot) -> None:
    pointer = window.presenting.pointer
    window.session.toggle_hidden()
    window.presenting.begin(is_full=False)
    for _ in range(3):
        window.session.step(1)
    assert rests(window, qtbot)
    window.predicting.ask()  # it has a field
    qtbot.waitUntil(lambda: not pointer.is_away)
    assert not rests(window, qtbot)
    window.predicting.end()
    assert rests(window, qtbot)
    menu = QMenu(window)
    menu.addAction("Something")
    menu.popup(window.mapToGlobal(QPoint(20, 20)))
    qtbot.waitUntil(lambda: not pointer.is_away)
    menu.close()
    window.session.toggle_hidden()


def test_a_window_that_closes_while_it_presents_leaves_the_pointer(
    open_window: OpenWindow, qtbot: QtBot
) -> None:
    window = open_window("two-layer-nonlinear")
    window.presenting.begin(is_full=False)
    assert rests(window, qtbot)
    assert window.close()
    assert QApplication.overrideCursor() is None


@pytest.mark.parametrize("key", [Qt.Key.Key_F11, Qt.Key.Key_Escape])
def test_a_clicker_begins_and_ends(window: Window, key: Qt.Key) -> None:
    QTest.keyClick(window, Qt.Key.Key_F5)
    assert window.presenting.is_on
    QTest.keyClick(window, Qt.Key.Key_F5)  # some send it again and again
    assert window.presenting.is_on
    QTest.keyClick(window.view, key)
    assert not window.presenting.is_on


def test_escape_ends_a_nudge_test_first(window: Window) -> None:
    window.presenting.begin(is_full=False)
    window.session.go(9)
    QTest.keyClick(window, Qt.Key.Key_G)
    assert window.session.frame.nudge is not None
    assert not any(dock.isVisible() for dock in window.docks.values())
    QTest.keyClick(window.view, Qt.Key.Key_Escape)
    assert window.session.frame.nudge is None
    assert window.presenting.is_on
    QTest.keyClick(window.view, Qt.Key.Key_Escape)
    assert not window.presenting.is_on


def asked(window: Window, qtbot: QtBot) -> None:
    """Present the lesson at the question of its last page."""
    window.presenting.begin(is_full=False)
    window.teaching.begin(read_lesson(LESSON), 2)
    staged(window, qtbot)
    page_down(window)
    assert window.presenting.phase == "question"


def test_the_graph_stays_where_it_is_from_a_question_to_its_answer(window: Window, qtbot: QtBot) -> None:
    asked(window, qtbot)
    height, sight = window.strip.height(), window.view.transform()
    assert window.strip.text.source.startswith("And now?\n\n**Which is it?**")
    page_down(window)
    assert (window.strip.height(), window.view.transform()) == (height, sight)
    assert window.strip.text.source.startswith("**Which is it?**")  # an answer alone says nothing
    assert not window.strip.is_cut
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    assert window.presenting.phase == "text"
    assert (window.strip.height(), window.view.transform()) == (height, sight)


def test_back_from_a_page_leads_to_what_was_shown_last(window: Window, qtbot: QtBot) -> None:
    asked(window, qtbot)
    page_down(window)
    player = window.teaching.player
    player.go(0)
    staged(window, qtbot)
    player.go(2)
    staged(window, qtbot)
    assert window.presenting.phase == "text"  # forwards, a page begins at its text
    with_more = read_lesson(LESSON + '\n[[page]]\ntitle = "Four"\ntext = "More."\n')
    window.teaching.begin(with_more, 2)
    staged(window, qtbot)
    for _ in range(3):
        page_down(window)
    staged(window, qtbot)
    assert player.number == 3
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    staged(window, qtbot)
    assert (player.number, window.presenting.phase) == (2, "answer")
    player.forward()
    staged(window, qtbot)
    window.teaching.begin(read_lesson(LESSON), 2)
    assert window.presenting.phase == "text"


def test_the_last_page_says_that_it_was_the_last(window: Window, qtbot: QtBot) -> None:
    asked(window, qtbot)
    page_down(window)
    assert window.messages.current is None
    page_down(window)
    message = window.messages.current
    assert message is not None
    assert message.text == "This was the last page: Esc ends presenting."
    assert window.teaching.player.number == 2
    window.messages.dismiss()


def test_a_nudge_test_is_said_in_large_letters(window: Window) -> None:
    window.presenting.begin(is_full=False)
    window.session.last()
    window.session.select("W1")
    QTest.keyClick(window, Qt.Key.Key_G)
    source = window.strip.text.source
    assert "slope, ΔL / 2ε **" in source
    assert "gradient **" in source
    assert source.endswith("**They agree.**")
    QTest.keyClick(window.view, Qt.Key.Key_Escape)
    assert "They agree" not in window.strip.text.source


@pytest.mark.parametrize("key", [Qt.Key.Key_P, Qt.Key.Key_T, Qt.Key.Key_W, Qt.Key.Key_Escape, Qt.Key.Key_X])
def test_any_key_lifts_the_black_screen_and_does_nothing_else(window: Window, key: Qt.Key) -> None:
    window.presenting.begin(is_full=False)
    QTest.keyClick(window, Qt.Key.Key_B)
    QTest.keyClick(window, Qt.Key.Key_Shift)
    assert window.presenting.blank.isVisible()
    QTest.keyClick(window, key)
    assert window.presenting.blank.isHidden()
    assert window.presenting.is_on
    assert not window.presenting.is_away
    assert not window.view.has_spot
    assert window.session.iterations == 0
    QTest.keyClick(window, Qt.Key.Key_P)  # the next one is an ordinary key again
    assert window.view.has_spot


@pytest.mark.parametrize("key", [Qt.Key.Key_B, Qt.Key.Key_Period])
def test_a_black_screen_hides_everything_until_the_next_key(window: Window, key: Qt.Key) -> None:
    QTest.keyClick(window, key)
    assert window.presenting.blank.isHidden()  # it is for a projector
    window.presenting.begin(is_full=False)
    QTest.keyClick(window, key)
    image = window.grab().toImage()
    colours = {image.pixelColor(x, y).name() for x in range(0, 1280, 40) for y in range(0, 720, 40)}
    assert colours == {"#000000"}
    position = window.session.position
    page_down(window)
    assert window.presenting.blank.isHidden()
    assert window.session.position == position
    QTest.keyClick(window, key)
    QTest.keyClick(window, key)
    assert window.presenting.blank.isHidden()


def test_nothing_is_asked_on_the_projector(window: Window) -> None:
    window.presenting.begin(is_full=False)
    for row in ROWS:
        if row.asks:
            window.actions_by_id[row.id].trigger()
    assert not window.findChildren(QFileDialog)
    assert window.overlay is None
    assert not any(dock.isVisible() for dock in window.docks.values())
    assert window.presenting.is_on
    message = window.messages.current
    assert message is not None
    assert message.text == "Not while presenting: Esc ends it."


def test_what_lies_over_the_window_is_taken_away(window: Window) -> None:
    window.presenting.show_speaker()
    window.actions_by_id["export"].trigger()
    assert window.overlay is not None
    assert window.presenting.speaker is not None
    QTest.keyClick(window.presenting.speaker, Qt.Key.Key_F11)  # over the notes, keys mean what they always do
    assert window.presenting.is_on
    assert window.overlay is None


def test_every_other_action_leaves_the_projector_without_dialogs(open_window: OpenWindow) -> None:
    window = open_window("two-layer-nonlinear")  # its own: actions change more than is put back
    window.presenting.begin(is_full=False)
    left_out = {"present", "paste-network", "copy-network", "copy-picture", "lesson-end", "speaker"}
    for row in ROWS:
        if not row.asks and row.group != "Train" and row.id not in left_out:
            window.actions_by_id[row.id].trigger()
            window.session.stop()
            assert window.overlay is None, row.id
            assert QApplication.activePopupWidget() is None, row.id
            shown = {name for name, dock in window.docks.items() if dock.isVisible()}
            assert shown <= set(PLOTS), row.id
            assert len(shown) < 2, row.id


def test_what_asks_waits_until_the_projector_is_off(window: Window) -> None:
    window.presenting.begin(is_full=False)
    answers: list[str] = []
    window.notifier.ask("Reload?", ("&Reload", lambda: answers.append("yes")))
    message = window.messages.current
    assert message is None or not message.choices
    window.presenting.end()
    assert window.messages.current is not None
    assert window.messages.current.text == "Reload?"


def test_why_leads_back_to_where_it_was_asked(window: Window, qtbot: QtBot) -> None:
    window.session.go(12)
    QTest.keyClick(window, Qt.Key.Key_W)
    assert window.presenting.is_away
    assert window.messages.isVisible()
    window.session.go(2)
    QTest.keyClick(window, Qt.Key.Key_W)
    assert window.messages.isHidden()  # what it said has been done
    assert (window.session.position, window.presenting.is_away) == (12, False)


def test_why_leads_back_to_the_question_that_was_asked(window: Window, qtbot: QtBot) -> None:
    asked(window, qtbot)
    QTest.keyClick(window, Qt.Key.Key_W)
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    staged(window, qtbot)
    assert window.teaching.player.number == 1
    QTest.keyClick(window, Qt.Key.Key_W)
    staged(window, qtbot)
    assert (window.teaching.player.number, window.presenting.phase) == (2, "question")
    assert "Which is it?" in window.strip.text.source
    QTest.keyClick(window, Qt.Key.Key_W)
    QTest.keyClick(window, Qt.Key.Key_PageUp)
    QTest.keyClick(window, Qt.Key.Key_W)
    assert window.presenting.phase == "question"


def test_a_spotlight_dims_what_is_not_spoken_of(window: Window) -> None:
    window.session.go(9)
    before = window.view.grab().toImage()
    QTest.keyClick(window, Qt.Key.Key_P)
    after = window.view.grab().toImage()
    step = window.session.frame.step
    assert step is not None
    for name, is_lit in ((step.target, True), ("X", False)):
        rect = window.view.mapFromScene(window.scene.node_rect(name)).boundingRect()
        assert (before.copy(rect) == after.copy(rect)) == is_lit
    QTest.keyClick(window, Qt.Key.Key_P)
    assert window.view.grab().toImage() == before


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_quiet_words_can_be_read_from_the_last_row(theme: Theme) -> None:
    strong = contrasted(theme)
    assert contrast(strong, "muted", "canvas") > 9
    assert application_font().pointSizeF() < LEAST


def in_sight(window: Window, rect: QRectF) -> bool:
    return window.view.mapToScene(window.view.viewport().rect()).boundingRect().contains(rect)


def test_a_graph_too_wide_to_be_read_is_followed_from_step_to_step(open_window: OpenWindow) -> None:
    window = open_window("scalar-operations", size=(1280, 720))
    window.view.set_motion(False)
    window.presenting.begin(is_full=False)
    window.settle()
    session, scene = window.session, window.scene
    assert in_sight(window, scene.picture_rect())  # before the first step all is there, however small
    least = ON_PROJECTOR.label * window.view.transform().m11()
    assert least < 14
    for position, step in enumerate(session.trace.steps, 1):
        if step.phase == TracePhase.UPDATE:
            break
        session.go(position)
        QApplication.processEvents()
        assert ON_PROJECTOR.label * window.view.transform().m11() >= 17.9
        assert in_sight(window, scene.node_rect(step.target))
        if step.phase == TracePhase.FORWARD and step.node not in ("r", "u"):  # whose inputs are far apart
            assert all(in_sight(window, rect) for rect in scene.step_rects()), step.node
    QTest.keyClick(window, Qt.Key.Key_F)
    assert in_sight(window, scene.picture_rect())
    session.step(-1)
    QApplication.processEvents()
    assert in_sight(window, scene.picture_rect())  # it stays so until it is asked for again
    QTest.keyClick(window, Qt.Key.Key_F)
    assert not in_sight(window, scene.picture_rect())
    window.presenting.end()
    window.settle()
    assert in_sight(window, scene.picture_rect())


def test_a_graph_that_can_be_read_stays_whole_at_every_step(open_window: OpenWindow) -> None:
    window = open_window("two-layer-nonlinear", size=(1280, 720))
    window.view.set_motion(False)
    window.presenting.begin(is_full=False)
    window.settle()
    for position in range(len(window.session.trace.steps) - 4):
        window.session.go(position)
        QApplication.processEvents()
        assert in_sight(window, window.scene.picture_rect())
    window.presenting.end()
