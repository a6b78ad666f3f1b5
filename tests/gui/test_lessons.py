"""Lessons in the window: a page is shown whole, whatever the learner did before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from engine.graph import Detail
from graphs.lesson import Lesson, built_in_lessons, load_lesson, read_lesson
from graphs.network import load
from gui.app import application, temporary_settings
from gui.course import Course
from gui.lessons import LessonPlayer
from gui.notify import Message
from gui.session import Document, Session
from gui.window import Window
from tests.gui.conftest import OpenWindow
from tests.gui.waiting import wait_until_settled

LESSON = """
title = "Backwards"
network = "two-layer-nonlinear"

[[page]]
title = "Forward"
text = "The loss is {{L}}."
at = "forward L"
highlight = ["L"]

[[page]]
title = "Trained"
text = "Now it is {{L}}."
train = 30
docks = ["fit"]

[[page]]
title = "After"
text = "And here {{L}}."
at = "backward W1"
iteration = "last"
hide = ["d_W1"]

[[page]]
title = "Primitive"
text = "One by one."
detail = "primitive"
at = "start"
iteration = 3
wait = { at = "backward W1", edited = "b2" }

[[page]]
title = "Another"
text = "$w = {{w}}$"
network = "univariate-regression"
set = { w = 2.0 }
training = { optimizer = "adam" }
"""


@pytest.fixture
def lesson() -> Lesson:
    return read_lesson(LESSON)


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    application()
    session = Session(Document.of(load("logistic-regression")))
    yield session
    session.close()


@pytest.fixture
def player(session: Session, lesson: Lesson) -> LessonPlayer:
    return LessonPlayer(session)


def shown(player: LessonPlayer, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: player.stage is not None and not player.is_busy, timeout=30_000)
    wait_until_settled(player._session)


def test_a_page_is_what_the_session_shows(player: LessonPlayer, lesson: Lesson, qtbot: QtBot) -> None:
    session = player._session
    player.open(lesson)
    shown(player, qtbot)
    assert session.document.network.name == "two-layer-nonlinear"
    assert session.frame.step is not None
    assert (session.frame.step.node, session.iteration) == ("L", 0)
    assert player.stage is not None
    assert player.stage.texts["text"] == f"The loss is {session.trace.loss:.4g}."
    assert session.marked == ("L",)
    player.forward()
    shown(player, qtbot)
    assert session.iterations == 30
    assert session.marked == ()
    player.forward()
    shown(player, qtbot)
    assert (session.iteration, session.hidden) == (30, frozenset({"d_W1"}))
    assert player.stage.texts["text"] == f"And here {session.trace.loss:.4g}."
    player.forward()
    shown(player, qtbot)
    assert (session.iteration, session.detail) == (3, Detail.PRIMITIVE)
    player.forward()
    shown(player, qtbot)
    assert float(session.model.leaves["w"]) == 2.0
    assert session.document.optimizer == "adam"
    assert player.stage.texts["text"] == "$w = 2$"


@pytest.mark.parametrize("path", [[4, 0, 3, 1, 2], [3, 3, 0], [2, 1, 2, 0]])
def test_a_page_is_the_same_on_every_way_to_it(
    player: LessonPlayer, lesson: Lesson, qtbot: QtBot, path: list[int]
) -> None:
    session = player._session
    player.open(lesson, path[0])
    shown(player, qtbot)
    for number in path[1:]:
        session.step(3)  # the learner looks around
        player.go(number)
        shown(player, qtbot)
    fresh = Session(Document.of(load("logistic-regression")))
    other = LessonPlayer(fresh)
    other.open(lesson, path[-1])
    shown(other, qtbot)
    try:
        assert (session.position, session.iteration) == (fresh.position, fresh.iteration)
        assert session.document.network.name == fresh.document.network.name
        for name, array in fresh.trace.values.items():
            assert np.array_equal(session.trace.values[name], array)
        assert player.stage is not None
        assert other.stage is not None
        assert player.stage.texts == other.stage.texts
    finally:
        fresh.close()


RUNS = """
title = "Runs"
network = "univariate-regression"

[[page]]
title = "One rate"
text = "Thirty steps."
training = { optimizer = "gd", learning_rate = 0.05 }
train = 30

[[page]]
title = "Another"
text = "Twenty."
training = { optimizer = "gd", learning_rate = 0.1 }
train = 20

[[page]]
title = "Before it"
text = "None yet."
iteration = 0
training = { optimizer = "gd", learning_rate = 0.05 }
"""


def test_a_page_that_is_shown_again_trains_no_second_run(player: LessonPlayer, qtbot: QtBot) -> None:
    session = player._session
    player.open(read_lesson(RUNS))
    shown(player, qtbot)
    player.forward()
    shown(player, qtbot)
    looks = {(run.name, run.style): run.losses.tolist() for run in session.runs}
    assert sorted(map(len, looks.values())) == [21, 31]
    for number in (0, 1, 0, 1):
        player.go(number)
        shown(player, qtbot)
        assert {(run.name, run.style): run.losses.tolist() for run in session.runs} == looks
    player.forward()  # as it says: not trained yet
    shown(player, qtbot)
    assert session.iterations == 0
    player.open(read_lesson(RUNS), 1)  # as presented once more
    shown(player, qtbot)
    player.back()
    shown(player, qtbot)
    assert {(run.name, run.style): run.losses.tolist() for run in session.runs} == looks


def test_what_the_learner_changed_does_not_stay(player: LessonPlayer, lesson: Lesson, qtbot: QtBot) -> None:
    session = player._session
    player.open(lesson)
    shown(player, qtbot)
    loss = session.trace.loss
    session.set_value("b2", 5.0)
    assert session.trace.loss != loss
    player.restore()
    shown(player, qtbot)
    assert session.trace.loss == loss


def test_what_is_waited_for_is_noticed(player: LessonPlayer, lesson: Lesson, qtbot: QtBot) -> None:
    session = player._session
    player.open(lesson, 3)
    shown(player, qtbot)
    assert player.open_tasks == (
        "Step on until the gradient of W1 is there.",
        "Change b2: click its number.",
    )
    session.last()
    assert player.open_tasks == ("Change b2: click its number.",)
    session.edit("b2", np.asarray(1.5))
    assert player.open_tasks == ()


def test_a_clicker_steps_where_the_page_waits_for_it(
    player: LessonPlayer, lesson: Lesson, qtbot: QtBot
) -> None:
    session = player._session
    player.open(lesson, 3)
    shown(player, qtbot)
    for _ in range(200):
        if player.number != 3:
            break
        position = session.position
        player.advance()
        assert player.number == 4 or session.position == position + 1
    assert player.number == 4


def test_leaving_hides_nothing_any_more(player: LessonPlayer, lesson: Lesson, qtbot: QtBot) -> None:
    player.open(lesson, 2)
    shown(player, qtbot)
    player.close()
    assert (player._session.hidden, player._session.marked) == (frozenset(), ())
    assert player.page is None


def test_a_page_that_cannot_be_shown_is_said(player: LessonPlayer, qtbot: QtBot) -> None:
    broken = read_lesson('title = "x"\nnetwork = "nope"\n[[page]]\ntitle = "1"\n')
    with qtbot.waitSignal(player.failed, timeout=10_000) as said:
        player.open(broken)
    assert said.args is not None
    assert "there is no network nope" in said.args[0]
    assert player._session.document.network.name == "logistic-regression"


def test_no_page_of_an_old_lesson_arrives(player: LessonPlayer, lesson: Lesson, qtbot: QtBot) -> None:
    player.open(lesson, 1)
    player.open(lesson, 4)
    player.go(0)
    player.close()
    qtbot.wait(100)
    assert player.stage is None
    assert player._session.document.network.name == "logistic-regression"


# --- the window --------------------------------------------------------------------------------------------


@pytest.fixture
def window(shared_window: Window, qtbot: QtBot) -> Iterator[Window]:
    assert shared_window.teaching.player.lesson is None
    yield shared_window
    shared_window.teaching.end()


def test_a_lesson_is_chosen_from_the_course(window: Window, qtbot: QtBot) -> None:
    QTest.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    course = window.overlay
    assert isinstance(course, Course)
    assert course.list.count() == len(built_in_lessons())
    QTest.keyClick(course.list, Qt.Key.Key_Return)
    player = window.teaching.player
    shown(player, qtbot)
    first = load_lesson(built_in_lessons()[0])
    assert player.lesson is not None
    assert player.lesson.title == first.title
    panel = window.panels["lesson"]
    assert panel.is_seen
    assert panel.text.source == player.stage.texts["text"]  # type: ignore[attr-defined, union-attr]


def test_the_docks_stand_where_they_stood_after_a_lesson(window: Window, qtbot: QtBot) -> None:
    before = {name: (dock.geometry(), dock.isVisible()) for name, dock in window.docks.items()}
    window.teaching.begin(read_lesson(LESSON))
    shown(window.teaching.player, qtbot)
    assert window.docks["lesson"].isVisible()
    QTest.keyClick(window, Qt.Key.Key_N)
    shown(window.teaching.player, qtbot)
    assert window.teaching.player.number == 1
    assert window.panels["fit"].is_seen
    window.teaching.end()
    window.settle()
    after = {name: (dock.geometry(), dock.isVisible()) for name, dock in window.docks.items()}
    assert {n for n in before if before[n][1]} == {n for n in after if after[n][1]}
    assert after["step"][0].height() == pytest.approx(before["step"][0].height(), abs=30)


def test_a_learner_returns_to_the_page_that_was_left(window: Window, qtbot: QtBot) -> None:
    name = built_in_lessons()[3]
    player = window.teaching.player
    window.teaching.open(name)
    shown(player, qtbot)
    player.go(4)
    shown(player, qtbot)
    window.teaching.end()
    row = window.teaching.rows()[3]
    assert (row.page, row.is_done, row.progress) == (5, False, f"page 5 of {row.pages}")
    again = Window(Session(Document.of(load("univariate-regression"))), window.settings)
    qtbot.addWidget(again)
    assert Course(again.theme, again.teaching.rows(), again).list.currentRow() == 3  # not the first
    again.teaching.open(name)
    assert again.teaching.player.number == 4
    again.teaching.player.go(999)
    assert again.teaching.rows()[3].is_done
    assert Course(again.theme, again.teaching.rows(), again).list.currentRow() == 4
    again.teaching.player.go(2)
    assert again.teaching.rows()[3].is_done
    again.teaching.open(name)
    assert again.teaching.player.number == 2  # also one that was finished goes on where it was left
    again.teaching.player.go(999)
    again.teaching.open(name)
    assert again.teaching.player.number == 0  # after its last page it begins anew


def test_the_list_says_how_many_questions_were_answered(window: Window, qtbot: QtBot) -> None:
    name = built_in_lessons()[3]
    pages = load_lesson(name).pages
    asked = [n for n, page in enumerate(pages) if page.question is not None]
    player = window.teaching.player
    window.teaching.open(name, asked[0])
    shown(player, qtbot)
    assert player.stage is not None
    assert player.stage.posed is not None
    player.submit(player.stage.answer_text.strip("$"))
    assert player.state.is_right
    player.go(999)
    window.teaching.end()
    assert window.teaching.rows()[3].progress == f"1 of {len(asked)} answered"  # passed, but not done
    again = Window(Session(Document.of(load("univariate-regression"))), window.settings)
    qtbot.addWidget(again)
    assert again.teaching.rows()[3].progress == f"1 of {len(asked)} answered"
    assert replace(again.teaching.rows()[3], answered=len(asked)).progress == "done"


def test_a_lesson_that_was_open_goes_on_at_the_next_start(qtbot: QtBot, open_window: OpenWindow) -> None:
    settings = temporary_settings()
    window = open_window(size=(1280, 720), settings=settings)
    before = {name for name, dock in window.docks.items() if not dock.isHidden()}
    window.teaching.open(built_in_lessons()[3], 4)
    shown(window.teaching.player, qtbot)
    QTest.keyClick(window.view, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)
    assert not window.isVisible()
    again = open_window("scalar-operations", size=(1280, 720), settings=settings)  # a network that is named
    assert {name for name, dock in again.docks.items() if not dock.isHidden()} == before
    assert again.docks["step"].titleBarWidget() is None
    again.teaching.resume()
    shown(again.teaching.player, qtbot)
    assert again.teaching.player.number == 4
    assert again.panels["lesson"].is_seen
    assert "goes on at page 5" in again.messages.accessibleName()
    again.teaching.end()
    again.close()
    last = open_window(size=(1280, 720), settings=settings)
    last.teaching.resume()  # nothing was open any more
    assert last.teaching.player.lesson is None
    assert last.docks["lesson"].isHidden()


def test_a_lesson_whose_file_has_gone_does_not_go_on(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    settings, path = temporary_settings(), tmp_path / "my own.toml"
    path.write_text(LESSON)
    window = open_window(settings=settings)
    window.teaching.open(str(path), 1)
    shown(window.teaching.player, qtbot)
    window.close()
    path.unlink()
    again = open_window(settings=settings)
    again.teaching.resume()
    assert again.teaching.player.lesson is None
    assert again.docks["lesson"].isHidden()


ASKED = """
title = "Asked"
network = "univariate-regression"

[[page]]
title = "Read"
text = "One."

[[page]]
title = "Number"
text = "Two."
question = { kind = "number", ask = "What is 1 + 1?", answer = "2" }

[[page]]
title = "Choice"
text = "Three."
question = { kind = "choice", ask = "Which?", answer = "this", choices = ["this", "that"] }

[[page]]
title = "Step"
text = "Four."
at = "start"
wait = { at = "forward L" }

[[page]]
title = "End"
text = "Five."
"""


def test_who_turns_pages_with_buttons_answers_with_keys(window: Window, qtbot: QtBot) -> None:
    player = window.teaching.player
    window.teaching.begin(read_lesson(ASKED))
    shown(player, qtbot)
    panel: Any = window.panels["lesson"]
    assert window.focusWidget() is window.view
    QTest.mouseClick(panel.forward, Qt.MouseButton.LeftButton)
    shown(player, qtbot)
    assert window.focusWidget() is panel.field
    QTest.keyClick(panel.field, Qt.Key.Key_Return)  # nothing is typed: nothing goes on
    assert (player.number, player.state.is_answered) == (1, False)
    QTest.keyClicks(panel.field, "2")
    QTest.keyClick(panel.field, Qt.Key.Key_Return)
    assert player.state.is_right
    assert window.focusWidget() is panel.forward
    QTest.keyClick(panel.forward, Qt.Key.Key_Return)
    QTest.keyClick(panel.forward, Qt.Key.Key_Return)  # too soon: the question is not there yet
    shown(player, qtbot)
    assert player.number == 2
    assert window.focusWidget() is panel.options.button(0)
    panel.options.button(0).click()
    panel.check.click()
    QTest.keyClick(panel.forward, Qt.Key.Key_Return)
    shown(player, qtbot)
    assert player.number == 3
    assert window.focusWidget() is window.view  # the page waits for steps


def test_the_keys_stay_where_they_turn_pages(window: Window, qtbot: QtBot) -> None:
    player = window.teaching.player
    window.teaching.begin(read_lesson(ASKED), 3)
    shown(player, qtbot)
    panel: Any = window.panels["lesson"]
    window.session.last()
    panel.forward.setFocus()
    QTest.keyClick(panel.forward, Qt.Key.Key_Return)
    shown(player, qtbot)
    assert window.focusWidget() is panel.back  # the last page
    window.view.setFocus()
    QTest.keyClick(window.view, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(window.view, Qt.Key.Key_N, Qt.KeyboardModifier.ShiftModifier)
    shown(player, qtbot)
    assert window.focusWidget() is window.view  # who turns pages with N goes on doing so


def test_six_optimizers_are_six_runs(window: Window, qtbot: QtBot) -> None:
    window.teaching.open("14", 8)  # Adam alone, before it races
    shown(window.teaching.player, qtbot)
    for number in (9, 8, 9, 10, 9):
        window.teaching.player.go(number)
        shown(window.teaching.player, qtbot)
    assert [run.document.optimizer for run in window.session.runs] == [
        *("adam", "gd", "momentum", "nesterov", "adagrad", "rmsprop")
    ]
    assert {run.iterations for run in window.session.runs} == {60}


def test_answers_open_what_is_hidden(window: Window, qtbot: QtBot) -> None:
    window.teaching.open("5", 7)
    player, panel = window.teaching.player, window.panels["lesson"]
    shown(player, qtbot)
    assert player.question is not None
    assert "d_w" in window.session.hidden
    panel.field.setFocus()  # type: ignore[attr-defined]
    QTest.keyClicks(panel.field, "d_yhat @ x")  # type: ignore[attr-defined]
    QTest.keyClick(panel.field, Qt.Key.Key_Return)  # type: ignore[attr-defined]
    assert panel.said.source == "A transpose is missing: look at the shapes of the product."  # type: ignore[attr-defined]
    assert player.state.tries == ["d_yhat @ x"]
    QTest.keyClicks(panel.field, ".T")  # type: ignore[attr-defined]
    QTest.keyClick(panel.field, Qt.Key.Key_Return)  # type: ignore[attr-defined]
    assert player.state.is_right
    assert window.focusWidget() is panel.forward  # type: ignore[attr-defined]  # Return goes on
    assert window.session.hidden == frozenset()
    assert panel.said.source.startswith("**Right.**")  # type: ignore[attr-defined]
    assert window.session.position == player.stage.answered.position  # type: ignore[union-attr]


@pytest.mark.parametrize("is_found", [True, False])
def test_once_it_is_answered_the_step_that_was_asked_for_is_shown(
    window: Window, qtbot: QtBot, is_found: bool
) -> None:
    window.teaching.open("10", 5)
    player, session = window.teaching.player, window.session
    shown(player, qtbot)
    before = session.position
    player.submit("d_z2 @ A1")
    assert session.position == before
    if is_found:
        player.submit("d_z2 @ A1.T")
    else:
        player.give_up()
    assert session.frame.step is not None
    assert (session.frame.step.target, session.hidden) == ("w2", frozenset())
    player.forward()
    shown(player, qtbot)
    assert session.position == before
    player.back()
    shown(player, qtbot)
    assert session.frame.step is not None
    assert session.frame.step.target == "w2"


def test_an_answer_that_is_given_elsewhere_moves_nothing(window: Window, qtbot: QtBot) -> None:
    window.teaching.open("10", 5)
    shown(window.teaching.player, qtbot)
    window.session.set_value("b2", 0.5)
    place = window.session.position
    window.teaching.player.give_up()
    assert (window.session.position, window.session.hidden) == (place, frozenset())
    window.session.undo()  # nothing is left to be saved


def test_how_an_answer_is_right_otherwise_is_said_with_it(window: Window, qtbot: QtBot) -> None:
    window.teaching.open("10", 6)
    shown(window.teaching.player, qtbot)
    panel: Any = window.panels["lesson"]
    panel.field.setFocus()
    QTest.keyClicks(panel.field, "w2.T * d_z2")
    QTest.keyClick(panel.field, Qt.Key.Key_Return)
    assert panel.said.source.startswith("**Right.** Row and column are stretched over each other")


def test_hints_come_one_after_another_and_the_answer_can_be_shown(window: Window, qtbot: QtBot) -> None:
    window.teaching.open("5", 7)
    player, panel = window.teaching.player, window.panels["lesson"]
    shown(player, qtbot)
    seen = []
    for _ in range(3):
        panel.hint.click()  # type: ignore[attr-defined]
        seen.append(panel.said.source)  # type: ignore[attr-defined]
    assert len(set(seen)) == 3
    panel.show_answer.click()  # type: ignore[attr-defined]
    assert (player.state.is_right, player.state.is_shown) == (False, True)
    assert panel.said.source.startswith("The answer is")  # type: ignore[attr-defined]
    assert not panel.field.isEnabled()  # type: ignore[attr-defined]


def changed_by_an_editor(qtbot: QtBot, window: Window, path: Path, text: str) -> Message:
    """Write a file as an editor beside the window does, and return what is asked then."""
    said: list[Message] = []
    window.notifier.message.connect(said.append)
    path.write_text(text)
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    window.notifier.message.disconnect(said.append)
    assert said[0].text == f"{path.name} has been changed by another program."
    return said[0]


def test_a_lesson_that_an_editor_changes_is_offered_and_keeps_its_page(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "my.toml"
    ask = 'question = { ask = "What is two?", answer = "2" }'
    start = LESSON.replace('highlight = ["L"]', ask)
    path.write_text(start)
    window.teaching.open(str(path), 0)
    player, panel = window.teaching.player, window.panels["lesson"]
    shown(player, qtbot)
    player.submit("3")
    player.submit("2")
    player.go(1)
    shown(player, qtbot)
    more = start.replace("[[page]]", '[[page]]\ntitle = "Before"\n\n[[page]]', 1).replace("Now", "By now")
    message = changed_by_an_editor(qtbot, window, path, more)
    assert panel.text.source.startswith("Now it is")  # type: ignore[attr-defined]  # until it is wanted
    message.choices[0][1]()
    shown(player, qtbot)
    assert (player.number, len(player.lesson.pages)) == (2, 6)  # type: ignore[union-attr]
    assert panel.text.source.startswith("By now it is")  # type: ignore[attr-defined]
    player.go(1)
    shown(player, qtbot)
    assert player.state.is_right  # the question is the same
    assert player.state.tries == ["3"]
    other = more.replace("What is two?", "What is 1 + 1?")
    changed_by_an_editor(qtbot, window, path, other).choices[0][1]()
    shown(player, qtbot)
    assert not player.state.is_right  # another question
    window.teaching.end()


def test_a_lesson_that_cannot_be_read_any_more_stays_as_it_was(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "my.toml"
    path.write_text(LESSON)
    window.teaching.open(str(path), 0)
    player = window.teaching.player
    shown(player, qtbot)
    broken = changed_by_an_editor(qtbot, window, path, LESSON.replace("title", "tittle", 1))
    broken.choices[0][1]()
    current = window.messages.current
    assert current is not None
    assert current.level == "error"
    assert player.page is not None
    assert player.page.title == "Forward"
    mended = changed_by_an_editor(qtbot, window, path, LESSON.replace("The loss", "Its loss"))
    mended.choices[0][1]()
    shown(player, qtbot)
    assert player.stage is not None
    assert player.stage.texts["text"].startswith("Its loss")
    window.teaching.end()
