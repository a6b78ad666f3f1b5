"""The data popup: what would come of a choice is said before it is made, and a bad one changes nothing."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QMainWindow, QPushButton

from engine.data import read_csv
from graphs.network import FileData, bind, built_in_names, load
from gui.data_choice import DataChoice, built_in_sets, first_choice, target_columns
from gui.session import Document, Session
from gui.theme import LIGHT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


class Opened:
    """A popup over a session, and what a user does with it."""

    def __init__(self, qtbot, source):
        self.session = Session(Document.of(load(source)))
        self.before = self.session.document
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.button = QPushButton("Data", self.window)
        self.window.resize(900, 700)
        self.window.show()
        self.popup = DataChoice(self.session, LIGHT, self.window)
        self.popup.open_under(self.button)

    def choose(self, name):
        sets = self.popup.sets
        sets.setCurrentIndex(sets.findText(name))
        sets.activated.emit(sets.currentIndex())

    def click(self, text):
        [box] = [box for box in self.popup.findChildren(QCheckBox) if box.text() == text and box.isVisible()]
        box.click()

    @property
    def data(self):
        return self.session.document.network.data


@pytest.fixture
def opened(qtbot):
    made = []

    def opened(source="multivariate-regression"):
        made.append(Opened(qtbot, source))
        return made[-1]

    yield opened
    for one in made:
        one.popup.hide()
        one.session.close()


def test_it_begins_with_what_is_in_use(opened):
    choice = opened()
    assert choice.popup.sets.currentText() == "penguins"
    assert choice.popup.headline.text() == "342 examples, 2 rows left out"
    assert "missing values" in choice.popup.notes.text()
    assert choice.popup.standardize.isChecked()
    assert not choice.popup.filter.isVisible()


def test_every_built_in_set_can_be_chosen(opened):
    choice = opened()
    names = [choice.popup.sets.itemText(i) for i in range(choice.popup.sets.count())]
    assert names == ["airquality", "cars", "faithful", "mcycle", "penguins"]
    for name in names:
        choice.choose(name)
        assert choice.popup.apply_button.isEnabled(), choice.popup.headline.text()
        assert "examples" in choice.popup.headline.text()
    assert choice.session.document is choice.before


def test_apply_puts_other_data_under_the_same_formula(opened, qtbot):
    choice = opened("two-layer-nonlinear")
    choice.choose("faithful")
    with qtbot.waitSignal(choice.popup.applied):
        qtbot.mouseClick(choice.popup.apply_button, Qt.MouseButton.LeftButton)
    assert choice.data.file == "faithful.csv"
    assert choice.data.inputs == {"X": ("eruptions",)}
    assert choice.data.targets == {"y": ("waiting",)}
    assert choice.session.model.examples == 272
    assert not choice.popup.isVisible()
    choice.session.undo()
    assert choice.data.file == "mcycle.csv"


def test_columns_and_scale_are_chosen_by_click(opened):
    choice = opened()
    choice.click("year")
    choice.click("bill_depth_mm")
    choice.popup.standardize.click()
    assert "standardised" not in choice.popup.notes.text()
    QTest.keyClick(choice.popup, Qt.Key.Key_Return)
    assert choice.data.inputs == {"X": ("bill_length_mm", "flipper_length_mm", "year")}
    assert choice.data.standardize is False
    assert choice.session.model.inputs["X"].shape == (3, 342)


def test_no_columns_are_said_to_be_too_few(opened):
    choice = opened("univariate-regression")
    choice.click("speed")
    assert choice.popup.headline.text() == "Choose at least one column for x."
    assert not choice.popup.apply_button.isEnabled()
    QTest.keyClick(choice.popup, Qt.Key.Key_Return)
    assert choice.session.document is choice.before


def test_what_the_formula_cannot_take_is_said_in_place(opened):
    choice = opened("univariate-regression")
    choice.choose("penguins")
    choice.click("bill_length_mm")
    assert not choice.popup.apply_button.isEnabled()
    assert choice.popup.headline.text() == "The formula gives 2 rows, but y has 1: choose fewer columns."
    assert choice.popup.headline.property("role") == "error"
    assert choice.session.document is choice.before


def test_a_filter_can_be_taken_off_and_its_classes_go_with_it(opened):
    choice = opened("logistic-regression")
    popup = choice.popup
    assert popup.filter.isVisible()
    assert popup.filter.text() == "Only rows with species Adelie or Chinstrap"
    assert "counts as 0" in popup.notes.text()
    popup.filter.click()
    box = popup._columns["y"]
    offered = [box.itemText(i) for i in range(box.count())]
    assert "species" not in offered
    assert "sex" in offered


def test_an_error_of_the_engine_is_said_in_place_and_goes_with_its_cause(opened, tmp_path):
    (tmp_path / "fixed.toml").write_text(
        'formula = """\nL = mean((w @ X - y)**2)\n"""\n[parameters]\nw = [[1.0, 2.0]]\n'
        '[data]\nfile = "penguins"\ninputs = { X = ["year", "bill_depth_mm"] }\n'
        'targets = { y = ["body_mass_g"] }\n'
    )
    choice = opened(str(tmp_path / "fixed.toml"))
    choice.click("year")
    assert "line 1" in choice.popup.headline.text()
    assert choice.popup.headline.property("role") == "error"
    assert choice.session.document is choice.before
    choice.click("flipper_length_mm")
    assert choice.popup.headline.text() == "342 examples, 2 rows left out"
    assert choice.popup.headline.property("role") == "strong"


@pytest.mark.parametrize("name", [n for n in built_in_names() if isinstance(load(n).data, FileData)])
def test_the_first_choice_of_every_set_can_be_used_by_every_network(name):
    network = load(name)
    assert isinstance(network.data, FileData)
    for path in built_in_sets().values():
        data = first_choice(read_csv(path), network.data)
        assert bind(replace(network, data=data)).examples > 40


def test_targets_are_numbers_or_two_classes():
    penguins = read_csv(built_in_sets()["penguins.csv"])
    assert "sex" in target_columns(penguins, {})
    assert "species" not in target_columns(penguins, {})
    assert "species" in target_columns(penguins, {"species": ("Adelie", "Gentoo")})


def test_a_file_of_ones_own_can_be_left_and_found_again(opened, tmp_path):
    (tmp_path / "mine.csv").write_text("u,v,w\n1,2,a\n2,4,b\n3,7,c\n4,7,\n")
    (tmp_path / "net.toml").write_text(
        'formula = """\nL = mean((w * x - y)**2)\n"""\n[parameters]\nw = 1.0\n'
        '[data]\nfile = "mine.csv"\ninputs = { x = ["u"] }\ntargets = { y = ["v"] }\n'
    )
    choice = opened(str(tmp_path / "net.toml"))
    assert choice.popup.sets.currentText() == "mine"
    choice.choose("cars")
    assert choice.popup.headline.text() == "50 examples"
    choice.choose("mine")
    assert choice.popup.headline.text() == "4 examples"


@pytest.mark.parametrize("broken", ["gone", "empty"])
def test_a_file_that_went_meanwhile_is_said_and_others_can_be_chosen(opened, tmp_path, broken):
    csv = tmp_path / "mine.csv"
    csv.write_text("u,v\n1,2\n2,4\n")
    (tmp_path / "net.toml").write_text(
        'formula = """\nL = mean((w * x - y)**2)\n"""\n[parameters]\nw = 1.0\n'
        '[data]\nfile = "mine.csv"\ninputs = { x = ["u"] }\ntargets = { y = ["v"] }\n'
    )
    choice = opened(str(tmp_path / "net.toml"))
    choice.popup.hide()
    csv.unlink()
    if broken == "empty":
        csv.write_text("")
    choice.popup.open_under(choice.button)
    assert choice.popup.headline.property("role") == "error"
    assert not choice.popup.apply_button.isEnabled()
    choice.popup.standardize.click()
    QTest.keyClick(choice.popup, Qt.Key.Key_Return)
    assert choice.session.document is choice.before
    choice.choose("cars")
    assert choice.popup.headline.text() == "50 examples"


def test_a_network_with_its_own_numbers_says_so(opened):
    choice = opened("scalar-operations")
    assert choice.popup.headline.text() == "This network has its numbers in its file."
    assert not choice.popup.apply_button.isVisible()
    assert choice.popup.cancel_button.text() == "Close"


def type_percent(popup, text):
    popup.held.setFocus()
    QTest.keyClick(popup.held, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(popup.held, text)


def test_examples_are_held_out_by_percent(opened):
    choice = opened()
    assert choice.popup.held.text() == "0"
    type_percent(choice.popup, "25")
    assert choice.popup.headline.text() == "256 examples to train on, 86 held out, 2 rows left out"
    assert "86 of 342 examples are held out." in choice.popup.notes.text()
    assert choice.session.document is choice.before
    QTest.keyClick(choice.popup.held, Qt.Key.Key_Return)
    assert choice.session.document.network.held_out == 0.25
    assert (choice.session.model.examples, choice.session.model.held_examples) == (256, 86)
    choice.session.undo()
    assert choice.session.model.held_examples == 0


@pytest.mark.parametrize("text", ["100", "-1", "much", "1e9", "nan", "0.01"])
def test_a_percentage_that_cannot_be_is_said_in_place(opened, text):
    choice = opened()
    type_percent(choice.popup, text)
    assert choice.popup.headline.property("role") == "error"
    assert not choice.popup.apply_button.isEnabled()
    QTest.keyClick(choice.popup.held, Qt.Key.Key_Return)
    assert choice.session.document is choice.before
    type_percent(choice.popup, "12,5")
    assert choice.popup.headline.property("role") == "strong"
    assert "43 held out" in choice.popup.headline.text()
    assert not choice.popup.held.property("invalid")


def test_what_is_held_out_stays_as_exact_as_its_file_has_it(opened):
    choice = opened()
    network = replace(choice.session.document.network, held_out=1 / 3)
    choice.session.set_data(network)
    choice.popup.open_under(choice.button)
    assert choice.popup.held.text() == "33.33"
    choice.popup.standardize.click()
    choice.popup.apply()
    assert choice.session.document.network.held_out == 1 / 3
    assert choice.data.standardize is False


def test_literal_data_can_be_held_out_too(opened, tmp_path):
    (tmp_path / "own.toml").write_text(
        'formula = """\nL = mean((w * x - y)**2)\n"""\n[parameters]\nw = 1.0\n'
        "[data]\nx = [1, 2, 3, 4]\ny = [2, 4, 6, 8]\n"
    )
    choice = opened(str(tmp_path / "own.toml"))
    assert not choice.popup.sets.isVisible()
    assert not choice.popup.standardize.isVisible()
    assert choice.popup.headline.text() == "4 examples"
    type_percent(choice.popup, "50")
    choice.popup.apply()
    assert (choice.session.model.examples, choice.session.model.held_examples) == (2, 2)


def test_escape_leaves_everything_as_it_was(opened):
    choice = opened()
    choice.choose("cars")
    QTest.keyClick(choice.popup, Qt.Key.Key_Escape)
    assert not choice.popup.isVisible()
    assert choice.session.document is choice.before
    choice.popup.open_under(choice.button)
    assert choice.popup.sets.currentText() == "penguins"


@pytest.mark.parametrize("room", [240, 300, 700])
def test_in_little_room_the_columns_scroll_and_apply_stays_in_sight(opened, room):
    choice = opened()
    choice.popup.fit(room)
    assert choice.popup.height() <= room
    assert choice.popup.rect().contains(choice.popup.apply_button.geometry())
