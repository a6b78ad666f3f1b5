"""The recipe popup: made from the records, applied at once, worked with the keyboard alone."""

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMainWindow, QPushButton, QWidget

from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.training import Recipe, Stopping
from graphs.network import load
from gui import theme
from gui.recipe_choice import HEADINGS, RecipeChoice
from gui.session import Document, Session
from gui.theme import DARK, LIGHT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")
Key = Qt.Key


class Opened:
    """A popup over a session, and what a user does with it."""

    def __init__(self, qtbot, width=1280, height=720):
        self.session = Session(Document.of(load("two-layer-nonlinear")))
        self.told = []
        self.session.notice.connect(lambda kind, text: self.told.append(text))
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.button = QPushButton("Gradient descent", self.window)
        self.window.resize(width, height)
        self.window.show()
        self.popup = RecipeChoice(self.session, LIGHT, self.window)
        self.popup.open_under(self.button)

    @property
    def recipe(self):
        return self.session.document.recipe

    def field(self, group, name):
        return self.popup.groups[group].rows[name].field

    def write(self, group, name, text, end=Key.Key_Return):
        field = self.field(group, name)
        field.setFocus()
        QTest.keyClick(field, Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClick(field, Key.Key_Backspace)
        QTest.keyClicks(field, text)
        QTest.keyClick(field, end)
        return field

    def choose_schedule(self, name):
        combo = self.popup.schedules
        combo.setCurrentIndex(combo.findData(name))
        combo.activated.emit(combo.currentIndex())

    def words(self):
        return [label.text() for label in self.popup.findChildren(QLabel) if label.isVisible()]


@pytest.fixture
def opened(qtbot, qapp):
    theme.apply(qapp, LIGHT)
    made = []

    def opened(*size):
        made.append(Opened(qtbot, *size))
        return made[-1]

    yield opened
    for one in made:
        one.popup.hide()
        one.session.close()


def test_it_shows_the_recipe_in_use(opened):
    choice = opened()
    assert choice.popup.optimizers["gd"].isChecked()
    assert choice.field("optimizer", "learning_rate").text() == "0.3"
    assert choice.popup.schedules.currentText() == "Constant"
    assert [choice.field("stopping", n).text() for n in ("loss", "change", "gradient")] == ["", "", ""]


def test_every_optimizer_is_there_with_what_it_does(opened):
    choice = opened()
    assert [b.text() for b in choice.popup.optimizers.values()] == [o.title for o in OPTIMIZERS.values()]
    for optimizer in OPTIMIZERS.values():
        assert optimizer.text in choice.words()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_is_applied_by_a_click_with_fields_of_its_own(opened, qtbot, name):
    choice = opened()
    qtbot.mouseClick(choice.popup.optimizers[name], Qt.MouseButton.LeftButton)
    assert choice.recipe.optimizer == name
    assert choice.popup.isVisible()
    shown = {n: row.field.text() for n, row in choice.popup.groups["optimizer"].rows.items()}
    assert {n: float(text) for n, text in shown.items()} == dict(choice.recipe.settings)
    if name != "gd":
        choice.session.undo()
        assert choice.recipe.optimizer == "gd"
        assert choice.popup.optimizers["gd"].isChecked()
        assert choice.field("optimizer", "learning_rate").text() == "0.3"


def test_the_words_are_as_good_a_place_to_click(opened, qtbot):
    choice = opened()
    [label] = [x for x in choice.popup.findChildren(QLabel) if x.text() == OPTIMIZERS["adam"].text]
    qtbot.mouseClick(label, Qt.MouseButton.LeftButton)
    assert choice.recipe.optimizer == "adam"


def test_arrows_go_through_the_optimizers(opened):
    choice = opened()
    assert choice.popup.optimizers["gd"].hasFocus()
    QTest.keyClick(choice.popup.optimizers["gd"], Key.Key_Down)
    assert choice.recipe.optimizer == "momentum"
    assert choice.popup.optimizers["momentum"].hasFocus()
    QTest.keyClick(choice.popup.optimizers["momentum"], Key.Key_Up)
    assert choice.recipe.optimizer == "gd"


def test_a_value_is_applied_by_enter_and_the_field_keeps_the_focus(opened):
    choice = opened()
    field = choice.write("optimizer", "learning_rate", "0,05")
    assert choice.recipe.learning_rate == 0.05
    assert field.text() == "0.05"
    assert field.hasFocus()
    assert choice.popup.isVisible()
    assert choice.session.undo_text == "Learning rate"


def test_what_is_no_value_is_marked_and_said_in_place_and_changes_nothing(opened):
    choice = opened()
    before = choice.session.document
    field = choice.write("optimizer", "learning_rate", "-3")
    assert field.is_refused
    assert "The learning rate cannot be -3. It is a number greater than 0." in choice.words()
    assert choice.session.document is before
    assert choice.told == []
    choice.write("optimizer", "learning_rate", "0.2")
    assert not field.is_refused
    assert not any("cannot be" in text for text in choice.words())
    assert choice.recipe.learning_rate == 0.2


def test_escape_restores_a_field_and_then_closes(opened):
    choice = opened()
    field = choice.write("optimizer", "learning_rate", "7", Key.Key_Escape)
    assert field.text() == "0.3"
    assert choice.popup.isVisible()
    QTest.keyClick(field, Key.Key_Escape)
    assert not choice.popup.isVisible()
    assert choice.recipe.learning_rate == 0.3


@pytest.mark.parametrize("key", [Key.Key_Escape, Key.Key_Return])
def test_the_popup_is_closed_from_the_list(opened, key):
    choice = opened()
    QTest.keyClick(choice.popup.optimizers["gd"], key)
    assert not choice.popup.isVisible()


def test_up_and_down_go_through_usual_values(opened):
    choice = opened()
    choice.popup.optimizers["adam"].click()
    field = choice.field("optimizer", "beta2")
    QTest.keyClick(field, Key.Key_Up)
    assert choice.recipe.settings["beta2"] == 0.9995
    rule = choice.field("stopping", "loss")
    QTest.keyClick(rule, Key.Key_Up)
    assert choice.recipe.stopping.loss == 0.01


def test_a_default_that_was_left_is_shown_and_brought_back(opened, qtbot):
    choice = opened()
    choice.popup.optimizers["adam"].click()
    defaults = choice.popup.groups["optimizer"].defaults
    assert not defaults.isVisible()
    choice.write("optimizer", "beta1", "0.5")
    assert "default 0.9" in choice.words()
    qtbot.mouseClick(defaults, Qt.MouseButton.LeftButton)
    assert choice.recipe.settings["beta1"] == 0.9
    assert "default 0.9" not in choice.words()


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_has_its_own_fields_and_a_curve(opened, name):
    choice = opened()
    choice.choose_schedule(name)
    assert choice.recipe.schedule == name
    rows = choice.popup.groups["schedule"].rows
    assert list(rows) == [h.name for h in SCHEDULES[name].hyperparameters]
    assert SCHEDULES[name].text in choice.words()
    assert "over 3000 iterations" in choice.popup.preview.accessibleName()
    choice.popup.grab()


def test_the_curve_follows_the_fields(opened):
    choice = opened()
    choice.choose_schedule("cosine")
    choice.write("schedule", "period", "500")
    frame = QRect(0, 0, 100, 100)
    before = choice.popup.preview.curve(frame)
    choice.write("schedule", "period", "2000")
    after = choice.popup.preview.curve(frame)
    assert (before.first(), before.last()) == (after.first(), after.last())
    assert before != after


def test_the_curve_spans_what_would_be_trained(opened):
    choice = opened()
    choice.choose_schedule("cosine")
    assert choice.field("schedule", "period").text() == "3000"
    choice.session.plan(120)
    assert "over 120 iterations" in choice.popup.preview.accessibleName()
    assert choice.field("schedule", "period").text() == "120", "what is by default goes with it"
    choice.write("schedule", "warmup", "20")
    assert choice.field("schedule", "period").text() == "100"
    choice.write("schedule", "period", "70")
    choice.session.plan(400)
    assert choice.field("schedule", "period").text() == "70", "what was chosen stays"
    assert choice.popup.groups["schedule"].rows["period"].default.text() == "default 380"
    choice.popup.groups["schedule"].defaults.click()
    assert choice.field("schedule", "period").text() == "400"


def test_the_formula_has_the_warm_up_in_it(opened):
    choice = opened()
    choice.choose_schedule("exponential")
    plain = choice.popup._formula.sizeHint()
    choice.write("schedule", "warmup", "20")
    assert choice.popup._formula.sizeHint().height() > plain.height()


def test_rules_to_stop_are_set_and_taken_back(opened):
    choice = opened()
    choice.write("stopping", "gradient", "1e-4")
    choice.write("stopping", "loss", "0.5")
    assert choice.recipe.stopping == Stopping(loss=0.5, gradient=1e-4)
    choice.write("stopping", "loss", "")
    assert choice.recipe.stopping == Stopping(gradient=1e-4)
    choice.popup.groups["stopping"].defaults.click()
    assert choice.recipe.stopping == Stopping()


def test_what_is_changed_from_elsewhere_is_shown(opened):
    choice = opened()
    choice.session.set_recipe(Recipe("adam", {"learning_rate": 0.004}, schedule="step"))
    assert choice.popup.optimizers["adam"].isChecked()
    assert choice.field("optimizer", "learning_rate").text() == "0.004"
    assert choice.popup.schedules.currentText() == "Step"
    choice.popup.hide()
    choice.session.open("univariate-regression")
    choice.popup.open_under(choice.button)
    assert choice.popup.optimizers["gd"].isChecked()


def test_a_field_that_is_left_behind_by_another_optimizer_says_nothing(opened):
    choice = opened()
    choice.session.set_recipe(Recipe("adam").checked())
    field = choice.field("optimizer", "beta1")
    field.setFocus()
    QTest.keyClicks(field, "0.5")
    choice.popup.hide()
    choice.session.undo()
    before = choice.session.document.recipe
    choice.popup._submit("optimizer", "beta1", "0.5")
    assert choice.session.document.recipe == before


def test_a_field_whose_place_another_has_taken_says_nothing_whatever_it_hears(opened):
    choice = opened()
    choice.session.set_recipe(Recipe("momentum").checked())
    field = choice.field("optimizer", "dampening")
    field.setFocus()
    QTest.keyClicks(field, "0.5")
    choice.session.set_recipe(Recipe("adam").checked())
    before = choice.session.document.recipe
    for key in (Key.Key_Up, Key.Key_1, Key.Key_Return, Key.Key_Tab):
        QTest.keyClick(field, key)
    choice.popup._step("optimizer", "dampening", 1)
    assert choice.session.document.recipe == before
    assert "dampening" not in choice.popup.groups["optimizer"].rows


def test_the_tab_key_goes_through_everything_in_order(opened):
    choice = opened()
    choice.popup.optimizers["adam"].click()
    choice.popup.optimizers["adam"].setFocus()
    seen = []
    for _ in range(9):
        QTest.keyClick(choice.popup.focusWidget(), Key.Key_Tab)
        seen.append(choice.popup.focusWidget().accessibleName())
    assert seen == [
        *("Learning rate", "Decay rate beta1", "Decay rate beta2", "Epsilon"),
        *("Learning-rate schedule", "Warm-up"),
        *("Loss at most", "Change at most", "Gradient norm at most"),
    ]


def test_letters_are_written_as_they_are_read(opened):
    choice = opened()
    choice.popup.optimizers["adam"].click()
    rows = choice.popup.groups["optimizer"].rows
    assert rows["beta1"].title.text() == "Decay rate β₁"
    assert rows["beta1"].field.accessibleName() == "Decay rate beta1"


def test_everything_has_a_name_for_those_who_hear_it(opened):
    choice = opened()
    for widget in choice.popup.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            name = widget.accessibleName() or getattr(widget, "text", str)()
            assert name, widget
    for group in HEADINGS:
        for row in choice.popup.groups[group].rows.values():
            assert row.field.accessibleDescription()


def test_no_key_reaches_the_window(opened):
    choice = opened()
    fired = []
    for text in ("R", "Space", "Right", "Ctrl+R"):
        action = QAction(text, choice.window)
        action.setShortcut(QKeySequence(text))
        action.triggered.connect(lambda _=False, text=text: fired.append(text))
        choice.window.addAction(action)
    for text in ("R", "Space", "Right"):
        QTest.keySequence(choice.popup.optimizers["gd"], QKeySequence(text))
    assert fired == []


@pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (800, 600), (512, 480)])
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_it_fits_into_the_window_and_nothing_is_cut_off(opened, size, schedule):
    choice = opened(*size)
    choice.session.set_recipe(Recipe("adam", schedule=schedule))
    choice.popup.open_under(choice.button)
    corner = choice.popup.mapTo(choice.popup, QPoint(0, 0))
    assert choice.popup.width() <= size[0] - 8
    assert choice.popup.height() <= max(size[1], choice.window.screen().availableGeometry().height())
    inside = choice.popup._area.widget()
    assert inside.width() <= choice.popup._area.viewport().width()
    for label in choice.popup.findChildren(QLabel):
        if label.isVisible() and not label.wordWrap():
            assert label.width() >= label.sizeHint().width(), label.text()
    assert corner == QPoint(0, 0)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", ["gd", "adam"])
def test_where_there_is_room_nothing_scrolls(opened, qtbot, optimizer, schedule):
    choice = opened(1920, 1080)
    bar = choice.popup._area.verticalScrollBar()
    choice.popup.hide()
    choice.session.set_recipe(Recipe(optimizer, schedule=schedule))
    choice.popup.open_under(choice.button)
    qtbot.waitExposed(choice.popup)
    qtbot.waitUntil(lambda: bar.maximum() == 0)
    choice.session.undo()
    choice.session.redo()
    qtbot.waitUntil(lambda: bar.maximum() == 0)


def test_what_does_not_fit_scrolls_to_the_field_that_has_the_focus(opened):
    choice = opened(512, 480)
    choice.popup.fit(300)
    assert choice.popup.height() <= 300
    last = choice.field("stopping", "gradient")
    choice.field("stopping", "change").setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(choice.field("stopping", "change"), Key.Key_Tab)
    assert last.hasFocus()
    viewport = choice.popup._area.viewport()
    assert viewport.rect().contains(last.mapTo(viewport, last.rect().center()))


def test_it_is_painted_in_another_theme(opened):
    choice = opened()
    light = choice.popup.grab().toImage()
    choice.popup.set_theme(DARK)
    assert choice.popup.grab().toImage() != light
