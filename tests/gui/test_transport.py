"""The transport bar: where we stand is seen and said, and any place can be gone to."""

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QAction, QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QLabel, QToolTip, QWidget

from gui.icons import NAMES, icon, icon_path
from gui.theme import DARK, LIGHT, blend, strong
from gui.transport import FUTURE, Scrubber, TransportBar

PHASES = ["forward"] * 5 + ["seed"] + ["backward"] * 11 + ["update"] * 4
IGNORED = "This plugin does not support"  # the offscreen platform cannot raise a tooltip


@pytest.fixture
def bar(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(900, 100)
    bar = TransportBar(LIGHT, window)
    bar.setGeometry(0, 0, 850, 60)
    bar.set_timeline(PHASES)
    bar.set_position(13, 120, 500)
    window.show()
    qtbot.waitExposed(window)
    yield bar  # noqa: PT022  not returned: the window lives as long as this function


def color_at(scrubber: Scrubber, step: float):
    """Return the line's colour in the middle of a step."""
    image = scrubber.grab().toImage()
    return image.pixelColor(round(scrubber.x_of(step)), 14)


def point(scrubber, position):
    return QPoint(round(scrubber.x_of(position)), 14)


def test_segments_have_their_phases_colours_pale_in_the_future(bar):
    scrubber = bar.scrubber
    expected = {
        2.5: LIGHT.color("forward"),
        5.5: LIGHT.color("seed"),
        9.5: LIGHT.color("backward"),
        15.5: blend(LIGHT.backward, LIGHT.window, FUTURE),
        19.5: blend(LIGHT.update, LIGHT.window, FUTURE),
    }
    assert {step: color_at(scrubber, step) for step in expected} == expected


def test_the_words_say_the_same_as_the_line(bar):
    assert bar.text() == ("step 13 of 21 · backward", "iteration 120 of 500 · speed 1×")
    shown = " ".join(label.text() for label in bar.findChildren(QLabel) if label.isVisible())
    assert strong("13") in shown
    assert LIGHT.backward_text in shown
    bar.set_position(0, 0, 0, 0.5, True)
    assert bar.text() == ("step 0 of 21 · start", "playing, speed 0.5×")


@pytest.mark.parametrize(
    ("position", "phase"),
    [(0, ""), (1, "forward"), (5, "forward"), (6, "seed"), (7, "backward"), (17, "backward"), (21, "update")],
)
def test_a_position_is_in_the_phase_of_the_step_taken_last(bar, position, phase):
    assert bar.scrubber.phase_at(position) == phase


@pytest.mark.qt_log_ignore(IGNORED)
def test_a_click_goes_there(qtbot, bar):
    with qtbot.waitSignal(bar.moved) as signal:
        qtbot.mouseClick(bar.scrubber, Qt.MouseButton.LeftButton, pos=point(bar.scrubber, 4))
    assert signal.args == [4]
    assert bar.scrubber.value() == 4


@pytest.mark.qt_log_ignore(IGNORED)
def test_dragging_tells_each_place_once_and_stops_at_the_ends(qtbot, bar):
    scrubber = bar.scrubber
    places = []
    bar.moved.connect(places.append)
    qtbot.mousePress(scrubber, Qt.MouseButton.LeftButton, pos=point(scrubber, 13))
    for position in (14, 14, 15, 20):
        qtbot.mouseMove(scrubber, point(scrubber, position))
    qtbot.mouseMove(scrubber, QPoint(scrubber.width() + 50, 14))
    qtbot.mouseRelease(scrubber, Qt.MouseButton.LeftButton, pos=QPoint(scrubber.width() + 50, 14))
    assert places == [14, 15, 20, 21]


@pytest.mark.qt_log_ignore(IGNORED)
def test_hovering_tells_what_is_there_and_moves_nothing(qtbot, bar):
    with qtbot.assertNotEmitted(bar.moved):
        qtbot.mouseMove(bar.scrubber, point(bar.scrubber, 6))
    assert QToolTip.text() == "step 6 of 21 · seed"
    bar.scrubber.set_preview(lambda position: f"here is {position}")
    qtbot.mouseMove(bar.scrubber, point(bar.scrubber, 9))
    assert QToolTip.text() == "here is 9"


@pytest.mark.parametrize(("notch", "place"), [(-120, 14), (120, 12)])
def test_the_wheel_goes_step_by_step(qtbot, bar, notch, place):
    where = QPointF(point(bar.scrubber, 13))
    wheel = QWheelEvent(
        where,
        bar.scrubber.mapToGlobal(where),
        QPoint(),
        QPoint(0, notch),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    with qtbot.waitSignal(bar.moved) as signal:
        QGuiApplication.sendEvent(bar.scrubber, wheel)
    assert signal.args == [place]


def test_keys_move_it_when_the_window_has_none_of_its_own(qtbot, bar):
    with qtbot.waitSignals([bar.moved] * 2):
        qtbot.keyClick(bar.scrubber, Qt.Key.Key_Right)
        qtbot.keyClick(bar.scrubber, Qt.Key.Key_Home)
    assert bar.scrubber.value() == 0


def test_being_told_a_position_sends_no_signal(qtbot, bar):
    with qtbot.assertNotEmitted(bar.moved):
        bar.set_position(3, 1, 2)
        bar.set_timeline(["forward"] * 2)


def test_it_is_a_slider_to_a_screen_reader(bar):
    interface = QAccessible.queryAccessibleInterface(bar.scrubber)
    assert interface.role() == QAccessible.Role.Slider
    assert interface.text(QAccessible.Text.Description) == "step 13 of 21 · backward"
    assert interface.valueInterface().currentValue() == 13


def test_buttons_trigger_their_actions_and_play_becomes_pause(qtbot, bar):
    done = []
    actions = [QAction(name, bar) for name in bar.BUTTONS]
    for action in actions:
        action.triggered.connect(lambda _, action=action: done.append(action.text()))
    bar.set_actions(*actions)
    for button in bar.buttons.values():
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert tuple(done) == bar.BUTTONS
    bar.set_position(1, 1, 1, playing=True)
    assert bar.buttons["play"].icon_name == "pause"
    actions[0].setEnabled(False)
    assert not bar.buttons["first"].isEnabled()


@pytest.mark.parametrize("count", [1, 21, 3000, 200_000])
def test_ticks_never_run_together(bar, count):
    bar.set_timeline(["forward"] * count)
    scrubber = bar.scrubber
    assert scrubber.x_of(scrubber.tick_distance()) - scrubber.x_of(0) >= 6
    bar.grab()


def test_in_little_room_the_words_make_way(bar):
    for width, told in ((850, True), (500, False), (360, False), (700, True)):
        bar.resize(width, 60)
        assert bar._words.isVisible() is told
        assert bar.scrubber.width() >= 100
        last = bar.buttons["last"].geometry()
        assert last.right() < bar.scrubber.geometry().left() < bar.width()


def test_an_empty_time_line_is_quiet(qtbot, bar):
    bar.set_timeline([])
    with qtbot.assertNotEmitted(bar.moved):
        qtbot.mouseClick(bar.scrubber, Qt.MouseButton.LeftButton, pos=QPoint(100, 14))
    assert bar.text()[0] == "step 0 of 0 · start"
    bar.grab()


def test_a_theme_is_seen_at_once(bar):
    bar.set_theme(DARK)
    assert color_at(bar.scrubber, 2.5) == DARK.color("forward")
    assert DARK.backward_text in " ".join(label.text() for label in bar.findChildren(QLabel))


@pytest.mark.parametrize("name", NAMES)
def test_every_icon_stays_on_its_grid_and_has_ink_at_small_sizes(qapp, name):
    box = icon_path(name).boundingRect()
    assert 0 <= box.left() < box.right() <= 24
    assert 0 <= box.top() < box.bottom() <= 24
    assert not icon(name, LIGHT).pixmap(16, 16).toImage().isNull()
