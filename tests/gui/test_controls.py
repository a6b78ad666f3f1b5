"""The bar at the top: it shows the session's document, and keys typed in it do not reach the window."""

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMainWindow, QWidget

from engine.graph import Detail
from engine.training import Recipe
from graphs.network import load
from gui.controls import ControlBar, next_rate, number_text, read_batch
from gui.session import Document, Session
from gui.settings import Settings
from gui.theme import DARK, LIGHT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
Key = Qt.Key
WINDOW_KEYS = ("Left", "Right", "Home", "End", "Space", "PgUp", "PgDown", "R", "F", "+", "-", "Ctrl+Right")


class Host(QMainWindow):
    """A window with the keys that Backstep's has, and something in the middle that takes the focus."""

    def __init__(self, session, settings=None):
        super().__init__()
        self.fired, self.told = [], []
        session.notice.connect(lambda kind, text: self.told.append((kind, text)))
        self.graph = QWidget()
        self.graph.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCentralWidget(self.graph)
        self.bar = ControlBar(session, LIGHT, settings)
        self.bar.focus_back.connect(self.graph.setFocus)
        self.setMenuWidget(self.bar)
        self.window_actions = [self.key(text) for text in WINDOW_KEYS]
        self.right = [QAction(text, self) for text in ("Light or dark", "Export picture…", "Keys")]
        self.right[1].setShortcut(QKeySequence("Ctrl+E"))
        self.bar.set_actions(*self.right)

    def key(self, text):
        action = QAction(text, self)
        action.setShortcut(QKeySequence(text))
        action.triggered.connect(lambda: self.fired.append(text))
        self.addAction(action)
        return action


@pytest.fixture
def make(qtbot):
    sessions = []

    def make(name="two-layer-nonlinear", width=1280, settings=None):
        session = Session(Document.of(load(name)))
        sessions.append(session)
        host = Host(session, settings)
        qtbot.addWidget(host)
        host.resize(width, 400)
        host.show()
        host.activateWindow()
        host.graph.setFocus()
        qtbot.waitUntil(host.graph.hasFocus)
        return host, session

    yield make
    for session in sessions:
        session.close()


def write(field, text, end=Key.Key_Return):
    field.setFocus()
    QTest.keyClick(field, Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(field, text)
    QTest.keyClick(field, end)


def test_it_shows_the_document(make):
    host, _ = make()
    bar = host.bar
    assert bar.network.text() == "Two-layer nonlinear network"
    assert bar.data.text() == "mcycle · 133 examples"
    assert (bar.rate.text(), bar.batch.currentText(), bar.seed.text()) == ("0.3", "all", "0")
    assert bar.details[Detail.EQUATION].isChecked()
    assert bar.optimizer.text() == "Gradient descent"


@pytest.mark.parametrize("key", [Key.Key_Space, Key.Key_Return, Key.Key_Down])
def test_the_optimizer_is_chosen_in_a_popup_and_its_title_shown(make, key):
    host, session = make()
    host.bar.optimizer.setFocus()
    QTest.keyClick(host.bar.optimizer, key)
    assert host.bar.recipe.isVisible()
    QTest.keyClick(host.bar.recipe.optimizers["gd"], Key.Key_Down)
    assert session.document.optimizer == "momentum"
    assert host.bar.optimizer.text() == "Momentum"
    assert host.bar.rate.text() == number_text(session.document.learning_rate)
    assert "momentum 0.9" in host.bar.optimizer.toolTip()
    QTest.keyClick(host.bar.recipe.optimizers["momentum"], Key.Key_Escape)
    assert not host.bar.recipe.isVisible()
    assert host.fired == []


def test_a_rate_typed_in_the_bar_is_that_of_the_optimizer(make):
    host, session = make()
    session.set_recipe(Recipe("adam", {"beta1": 0.8}, schedule="cosine"))
    write(host.bar.rate, "0.02")
    recipe = session.document.recipe
    assert (recipe.optimizer, recipe.learning_rate, recipe.settings["beta1"]) == ("adam", 0.02, 0.8)
    assert recipe.schedule == "cosine"


def test_examples_that_are_held_out_are_told(make):
    host, session = make()
    session.set_data(replace(session.document.network, held_out=0.25))
    assert host.bar.data.text() == "mcycle · 100 + 33"
    assert "100 to train on, 33 held out" in host.bar.data.toolTip()
    write(host.bar.batch.field, "101")
    assert "100 examples" in host.told[-1][1]
    write(host.bar.batch.field, "32")
    assert host.bar.data.text() == "mcycle · 32 of 100"


def test_in_a_narrow_window_the_optimizer_is_behind_the_last_button(make, qtbot):
    host, _ = make(width=600)
    qtbot.mouseClick(host.bar.more, Qt.MouseButton.LeftButton)
    assert host.bar.optimizer.window() is host.bar.panel
    qtbot.mouseClick(host.bar.optimizer, Qt.MouseButton.LeftButton)
    popup = host.bar.recipe
    assert popup.isVisible()
    assert host.geometry().left() <= popup.geometry().left()
    assert popup.geometry().right() <= host.geometry().right()
    qtbot.mouseClick(popup.optimizers["adam"], Qt.MouseButton.LeftButton)
    assert host.bar.optimizer.text() == "Adam"
    popup.hide()


def test_a_rate_is_applied_by_enter_and_the_graph_has_the_focus_again(make):
    host, session = make()
    write(host.bar.rate, "0.05")
    assert session.document.learning_rate == 0.05
    assert host.graph.hasFocus()
    assert host.told == []


def test_a_decimal_comma_is_understood(make):
    host, session = make()
    write(host.bar.rate, "0,05")
    assert session.document.learning_rate == 0.05
    assert host.bar.rate.text() == "0.05"


@pytest.mark.parametrize("text", ["quick", "0", "-1", "nan", "inf", "", "1/3"])
def test_what_is_no_rate_is_marked_and_said_and_changes_nothing(make, text):
    host, session = make()
    before = session.document
    write(host.bar.rate, text or " ")
    assert host.bar.rate.is_refused
    assert host.bar.rate.hasFocus()
    [(kind, sentence)] = host.told
    assert kind == "error"
    assert "learning rate" in sentence
    assert session.document is before
    write(host.bar.rate, "0.5")
    assert not host.bar.rate.is_refused
    assert session.document.learning_rate == 0.5


def test_escape_brings_the_value_in_use_back(make):
    host, session = make()
    write(host.bar.rate, "quick")
    write(host.bar.rate, "7", Key.Key_Escape)
    assert host.bar.rate.text() == "0.3"
    assert not host.bar.rate.is_refused
    assert host.graph.hasFocus()
    assert session.document.learning_rate == 0.3


def test_leaving_a_field_applies_what_was_typed_or_restores_it(make):
    host, session = make()
    write(host.bar.rate, "0.7", Key.Key_Tab)
    assert session.document.learning_rate == 0.7
    write(host.bar.rate, "quick", Key.Key_Tab)
    assert session.document.learning_rate == 0.7
    assert host.bar.rate.text() == "0.7"
    assert len(host.told) == 1


def test_no_number_is_stale_after_a_change_from_elsewhere(make):
    host, session = make()
    write(host.bar.rate, "0.05")
    host.bar.rate.setFocus()
    QTest.keyClicks(host.bar.rate, "99")
    session.undo()
    assert host.bar.rate.text() == "0.3"
    session.open("univariate-regression")
    assert host.bar.network.text() == "Univariate regression"
    assert host.bar.data.text() == "cars · 50 examples"
    assert host.bar.rate.text() == "0.1"


def test_up_and_down_go_through_nice_rates(make):
    host, session = make()
    host.bar.rate.setFocus()
    seen = []
    for key in [Key.Key_Up] * 3 + [Key.Key_Down] * 4:
        QTest.keyClick(host.bar.rate, key)
        seen.append(session.document.learning_rate)
        assert host.bar.rate.text() == number_text(session.document.learning_rate)
    assert seen == [0.5, 1.0, 2.0, 1.0, 0.5, 0.2, 0.1]
    assert host.bar.rate.hasFocus()


@pytest.mark.parametrize("rate", [1e-12, 3e-5, 0.1, 0.3, 1.0, 999.0, 1e12])
def test_a_step_up_from_a_nice_rate_and_down_again_is_where_it_was(rate):
    nice = next_rate(rate, 1)
    assert next_rate(rate, -1) < rate < nice
    assert next_rate(next_rate(nice, 1), -1) == nice
    assert float(number_text(nice)) == nice


@pytest.mark.parametrize("field", ["rate", "batch", "seed"])
def test_keys_of_the_window_stay_quiet_while_a_field_is_edited(make, field):
    host, _ = make()
    widget = getattr(host.bar, field)
    widget = getattr(widget, "field", widget)
    widget.setFocus()
    for text in WINDOW_KEYS:
        QTest.keySequence(widget, QKeySequence(text))
    assert host.fired == []
    QTest.keyClick(widget, Key.Key_Escape)
    QTest.keyClick(host.graph, Key.Key_Right)
    assert host.fired == ["Right"]


def test_the_seed_and_a_new_one(make, qtbot):
    host, session = make()
    write(host.bar.seed, "42")
    assert session.document.seed == 42
    qtbot.mouseClick(host.bar.new_seed, Qt.MouseButton.LeftButton)
    assert (session.document.seed, host.bar.seed.text()) == (43, "43")
    QTest.keyClick(host.bar.seed, Key.Key_Down)
    assert session.document.seed == 42
    write(host.bar.seed, "-1")
    assert host.told == [("error", "the seed cannot be -1. Choose a whole number from 0.")]
    assert session.document.seed == 42


def test_the_batch_size_typed_stepped_and_in_the_data_button(make):
    host, session = make()
    write(host.bar.batch.field, "32")
    assert session.document.batch_size == 32
    assert host.bar.data.text() == "mcycle · 32 of 133"
    host.bar.batch.field.setFocus()
    QTest.keyClick(host.bar.batch.field, Key.Key_Up)
    assert session.document.batch_size == 64
    for _ in range(3):
        QTest.keyClick(host.bar.batch.field, Key.Key_Up)
    assert session.document.batch_size is None
    assert host.bar.batch.field.text() == "all"
    write(host.bar.batch.field, "500")
    assert "133 examples" in host.told[-1][1]
    assert host.bar.batch.field.is_refused
    write(host.bar.batch.field, "ALL")
    assert session.document.batch_size is None


def test_a_batch_size_from_the_list(make):
    host, session = make()
    batch = host.bar.batch
    assert [batch.itemText(i) for i in range(batch.count())] == ["all", "1", "8", "16", "32", "64", "128"]
    batch.textActivated.emit("16")
    assert session.document.batch_size == 16
    session.open("univariate-regression")
    assert [batch.itemText(i) for i in range(batch.count())] == ["all", "1", "8", "16", "32"]
    assert batch.field.text() == "all"


def test_all_examples_are_the_full_batch():
    assert read_batch("133", 133) is None
    assert read_batch("132", 133) == 132


def test_a_network_without_examples_has_no_batches(make):
    host, _ = make("scalar-operations")
    assert not host.bar.batch.isEnabled()
    assert "one example" in host.bar.batch.toolTip()
    assert host.bar.data.text() == "No data set"


def test_the_detail_is_switched_and_followed(make, qtbot):
    host, session = make()
    qtbot.mouseClick(host.bar.details[Detail.PRIMITIVE], Qt.MouseButton.LeftButton)
    assert session.detail == Detail.PRIMITIVE
    assert host.graph.hasFocus()
    session.set_detail(Detail.EQUATION)
    assert host.bar.details[Detail.EQUATION].isChecked()
    host.bar.details[Detail.EQUATION].setFocus()
    QTest.keyClick(host.bar.details[Detail.EQUATION], Key.Key_Right)
    assert session.detail == Detail.PRIMITIVE
    assert host.fired == []


def test_the_menu_has_every_network_by_its_title(make):
    host, session = make()
    menu = host.bar.menu
    menu.aboutToShow.emit()
    titles = [action.text() for action in menu.actions()]
    assert titles[0] == "Univariate regression"
    assert titles[-1] == "Open file…"
    assert [a.text() for a in menu.actions() if a.isChecked()] == ["Two-layer nonlinear network"]
    menu.actions()[0].trigger()
    assert session.document.network.name == "univariate-regression"


def test_open_file_is_asked_for_and_recent_files_follow(make, qtbot, tmp_path):
    settings = Settings(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    settings.add_recent(str(tmp_path / "mine.toml"))
    host, _ = make(settings=settings)
    host.bar.menu.aboutToShow.emit()
    *_, ask, recent = host.bar.menu.actions()
    with qtbot.waitSignal(host.bar.open_requested):
        ask.trigger()
    recent.trigger()
    assert "mine.toml" in host.told[0][1]


def test_the_buttons_at_the_right_do_their_actions(make, qtbot):
    host, _ = make()
    done = []
    buttons = (host.bar.theme, host.bar.export, host.bar.help)
    for action, button in zip(host.right, buttons, strict=True):
        action.triggered.connect(lambda _, action=action: done.append(action.text()))
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert done == ["Light or dark", "Export picture…", "Keys"]
    assert "Ctrl+E" in host.bar.export.toolTip()
    host.bar.export.setFocus()
    QTest.keyClick(host.bar.export, Key.Key_Space)
    assert done[-1] == "Export picture…"
    assert host.fired == []


@pytest.mark.parametrize("width", [1600, 1280, 1232, 1000, 800, 600, 467])
@pytest.mark.parametrize("name", ["two-layer-nonlinear", "perceptron-classifier"])
def test_nothing_is_cut_off_at_any_width(make, name, width):
    host, _ = make(name, width)
    bar = host.bar
    shown = [w for w in bar.children() if isinstance(w, QWidget) and w.isVisible() and not w.isWindow()]
    edges = sorted((w.geometry().left(), w.geometry().right()) for w in shown)
    assert edges[-1][1] < bar.width() == width
    assert all(right < left for (_, right), (left, _) in pairwise(edges))
    for widget in shown:
        assert widget.width() >= widget.minimumSizeHint().width()
    assert bar.more.isVisible() == (width < 1200)


def test_what_has_no_room_is_one_click_away(make, qtbot):
    host, session = make(width=500)
    bar = host.bar
    assert not bar.rate.isVisible()
    qtbot.mouseClick(bar.more, Qt.MouseButton.LeftButton)
    assert bar.rate.isVisible()
    assert bar.details[Detail.PRIMITIVE].isVisible()
    write(bar.rate, "0.05")
    assert session.document.learning_rate == 0.05
    assert not bar.panel.isVisible()
    host.resize(1280, 400)
    assert bar.rate.isVisible()
    assert not bar.more.isVisible()


def test_the_tab_key_goes_from_left_to_right(make):
    host, _ = make()
    bar = host.bar
    bar.network.setFocus()
    order = [bar.network]
    for _ in range(9):
        QTest.keyClick(host.focusWidget(), Key.Key_Tab)
        order.append(host.focusWidget())
    assert order[1:3] == [bar.data, bar.details[Detail.EQUATION]]
    places = [widget.mapTo(bar, widget.rect().center()).x() for widget in order]
    assert places == sorted(places)
    assert bar.export in order


def test_every_control_has_a_name_and_a_tip(make):
    host, _ = make()
    bar = host.bar
    controls = [bar.network, bar.data, *bar.details.values(), bar.optimizer, bar.rate, bar.batch, bar.seed]
    for control in [*controls, bar.new_seed, bar.theme, bar.export, bar.help]:
        assert control.accessibleName(), control
        assert control.toolTip(), control


def test_a_theme_is_seen_at_once(make):
    host, _ = make()
    host.bar.set_theme(DARK)
    assert host.bar.theme.icon_name == "sun"
    image = host.bar.rate.grab().toImage()
    colors = {image.pixelColor(x, y).name() for x in range(12, 36) for y in range(image.height())}
    assert DARK.muted in colors
