"""The data choice: what would come of a choice is said before it is made, and a bad one changes nothing."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QLineEdit, QMainWindow, QStyle, QStyleOptionComboBox

from engine.dialect import Stated
from graphs.network import FileData, bind, built_in_names, load
from gui.app import application
from gui.data_choice import DataChoice
from gui.session import Document, Session
from gui.theme import DARK, LIGHT
from gui.viewdata.choice import MOST_POINTS, Source, first_lines

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

OWN = (
    'formula = """\nL = mean((w * x - y)**2)\n"""\n[parameters]\nw = 1.0\n'
    '[data]\nfile = "mine.csv"\ninputs = { x = ["u"] }\ntargets = { y = ["v"] }\n'
)


class Opened:
    """A data choice over a session, and what a user does with it."""

    def __init__(self, qtbot, source, path=""):
        self.qtbot = qtbot
        self.session = Session(Document.of(load(source)))
        self.before = self.session.document
        self.window = QMainWindow()
        qtbot.addWidget(self.window)
        self.window.resize(1280, 720)
        self.window.show()
        self.window.activateWindow()
        self.reopen(path)

    def reopen(self, path=""):
        self.popup = DataChoice(self.session, LIGHT, self.window, str(path))
        self.popup.open_over()
        self.wait()

    def wait(self):
        self.qtbot.waitUntil(lambda: not self.popup.is_busy, timeout=30_000)

    def key(self, key, widget=None):
        QTest.keyClick(widget or self.popup, key)

    @property
    def headline(self):
        return self.popup.headline.text()

    @property
    def notes(self):
        return self.popup.notes.text()

    def choose(self, name, box=None):
        box = box or self.popup.sets
        assert box.findText(name) >= 0
        box.setCurrentIndex(box.findText(name))
        box.activated.emit(box.currentIndex())
        self.wait()

    def click(self, text):
        [box] = [box for box in self.popup.findChildren(QCheckBox) if box.text() == text and box.isVisible()]
        box.click()
        self.wait()

    @property
    def data(self):
        return self.session.document.network.data


@pytest.fixture
def opened(qtbot):
    application()  # with its fonts and its style
    made = []

    def opened(source="multivariate-regression", path=""):
        made.append(Opened(qtbot, str(source), path))
        return made[-1]

    yield opened
    for one in made:
        one.session.close()


def test_it_begins_with_what_is_in_use(opened):
    choice = opened()
    assert choice.popup.sets.currentText() == "penguins"
    assert choice.popup.headline.text() == "342 examples, 2 rows left out"
    assert "missing values" in choice.popup.notes.text()
    assert choice.popup.standardize.isChecked()
    assert not choice.popup._filters


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
    assert not choice.window.findChildren(DataChoice) or not choice.popup.isVisible()
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


def test_a_filter_can_be_taken_off_and_two_classes_are_asked_for(opened):
    choice = opened("logistic-regression")
    popup = choice.popup
    [row] = popup._filters
    assert row.column == "species"
    assert popup._class_labels["y"].text() == "Adelie → 0, Chinstrap → 1"
    assert "counts as 0" in choice.notes
    row.remove_button.click()
    assert choice.headline == (
        "species has 3 classes (Adelie, Chinstrap, Gentoo), and a target has two. "
        "Keep two of them under Only rows where."
    )
    assert not popup.apply_button.isEnabled()
    choice.choose("island", popup._columns["y"])
    assert [row.column for row in popup._filters] == ["island"]
    choice.click("Dream")
    assert popup._class_labels["y"].text() == "Biscoe → 0, Torgersen → 1"
    choice.key(Qt.Key.Key_Return)
    assert choice.data.where == {"island": ("Biscoe", "Torgersen")}
    assert choice.session.model.selection.classes == {"island": ("Biscoe", "Torgersen")}


def test_rows_are_kept_by_a_range_of_numbers(opened):
    choice = opened("univariate-regression")
    choice.choose("speed", choice.popup.filter_box)
    [row] = choice.popup._filters
    least, most = row.findChildren(QLineEdit)
    assert choice.window.focusWidget() is least
    assert (least.placeholderText(), most.placeholderText()) == ("4", "25")
    QTest.keyClicks(least, "10")
    QTest.keyClicks(most, "20,5")
    assert choice.headline == "37 examples"
    assert "Only rows with speed from 10 to 20.5 are used." in choice.notes
    QTest.keyClicks(most, "x")
    assert "20,5x is not a number" in choice.headline
    most.clear()
    QTest.keyClicks(most, "5")
    assert "begins after its end" in choice.headline
    assert choice.session.document is choice.before


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


def test_a_file_of_ones_own_can_be_left_and_found_again(opened, tmp_path):
    (tmp_path / "mine.csv").write_text("u,v,w\n1,2,a\n2,4,b\n3,7,c\n4,7,\n")
    (tmp_path / "net.toml").write_text(OWN)
    choice = opened(str(tmp_path / "net.toml"))
    assert choice.popup.sets.currentText() == "mine.csv"
    choice.choose("cars")
    assert choice.popup.headline.text() == "50 examples"
    choice.choose("mine.csv")
    assert choice.popup.headline.text() == "4 examples"


def test_a_file_that_went_meanwhile_leaves_what_was_read(opened, tmp_path):
    csv = tmp_path / "mine.csv"
    csv.write_text("u,v\n1,2\n2,4\n")
    (tmp_path / "net.toml").write_text(OWN)
    choice = opened(tmp_path / "net.toml")
    choice.popup.close()
    csv.unlink()
    choice.reopen()
    assert choice.headline == "2 examples"


def test_a_network_without_inputs_says_so(opened):
    choice = opened("scalar-operations")
    assert choice.headline == "This network has no inputs: it needs no data."
    assert not choice.popup.apply_button.isEnabled()
    assert not choice.popup.sets.isEnabled()


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
    choice.reopen()
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
    assert not choice.popup.standardize.isVisible()
    assert choice.popup.headline.text() == "4 examples"
    type_percent(choice.popup, "50")
    choice.popup.apply()
    assert (choice.session.model.examples, choice.session.model.held_examples) == (2, 2)


def test_escape_leaves_everything_as_it_was(opened, qtbot):
    choice = opened()
    choice.choose("cars")
    with qtbot.waitSignal(choice.popup.destroyed):
        choice.key(Qt.Key.Key_Escape)
    assert choice.session.document is choice.before
    choice.reopen()
    assert choice.popup.sets.currentText() == "penguins"


# --- files of one's own ------------------------------------------------------------------------------------


def test_a_file_is_opened_looked_at_and_applied(opened, tmp_path):
    path = tmp_path / "mine.tsv"
    path.write_text("u\tv\tw\n1,5\t2\tx\n2,5\tNA\ty\n3,5\t7\tx\n", encoding="utf-8-sig")
    choice = opened("univariate-regression", path)
    assert choice.popup.sets.currentText() == "mine.tsv"
    assert choice.headline == "2 examples, 1 row left out"
    model = choice.popup.table.rows
    shown = [model.data(model.index(row, column)) for row in range(3) for column in range(3)]
    assert shown == ["1.5", "2", "x", "2.5", "missing", "y", "3.5", "7", "x"]
    heads = [model.headerData(i, Qt.Orientation.Horizontal) for i in range(3)]
    assert heads == ["u → x\nnumbers", "v → y\nnumbers, 1 missing", "w\ntext, 2 values"]
    assert model.headerData(1, Qt.Orientation.Vertical) == "2 –"
    assert choice.popup.table_note.text() == "3 rows  ·  –  left out (1)"
    assert choice.popup.plot.note.accessibleName() == "2 points"
    choice.key(Qt.Key.Key_Return)
    assert choice.data.file == str(path)
    assert choice.session.model.selection.rows.tolist() == [0, 2]
    path.unlink()
    choice.session.set_seed(5)
    assert choice.session.model.selection.rows.tolist() == [0, 2]
    choice.session.undo()
    choice.session.undo()
    assert choice.session.document.network is choice.before.network


def test_classes_of_a_new_file_take_the_place_of_the_old_ones(opened, tmp_path):
    path = tmp_path / "iris.csv"
    kinds = ["setosa", "versicolor", "virginica"]
    path.write_text("sepal;petal;kind\n" + "".join(f"{i},5;{i % 4};{kinds[i % 3]}\n" for i in range(30)))
    choice = opened("logistic-regression", path)
    assert choice.popup._class_labels["y"].text() == "setosa → 0, versicolor → 1"
    assert choice.headline == "20 examples"
    assert "Only rows with kind setosa or versicolor are used." in choice.notes
    assert choice.popup.plot.chosen() == ("sepal", "petal", "kind")
    assert "● setosa  ▲ versicolor" in choice.popup.plot.note.accessibleName()
    for theme in (LIGHT, DARK):
        choice.popup.set_theme(theme)
        for mark, color in (("●", theme.negative), ("▲", theme.positive)):
            assert f'<span style="color:{color}">{mark}</span>' in choice.popup.plot.note.text()


def test_numbers_in_the_networks_file_give_way_to_a_data_file(opened, tmp_path):
    (tmp_path / "own.toml").write_text(
        'formula = """\nL = mean((w * x - y)**2)\n"""\n[parameters]\nw = 1.0\n'
        "[data]\nx = [1, 2, 3, 4]\ny = [2, 4, 6, 8]\n"
    )
    (tmp_path / "new.csv").write_text("a,b\n1,2\n3,4\n")
    choice = opened(tmp_path / "own.toml", tmp_path / "new.csv")
    assert choice.headline == "2 examples"
    choice.key(Qt.Key.Key_Return)
    assert choice.data.inputs == {"x": ("a",)}
    assert choice.data.targets == {"y": ("b",)}
    choice.session.undo()
    assert choice.session.model.examples == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty"),
        ("u,v\n", "no rows"),
        ("u,v\n1,2\n3\n", "line 3"),
        ("u,u\n1,2\n", "two columns are named u"),
        ("u,v\n1,1e400\n", "not a finite number"),
        ("u,v\n\x00,2\n", "not a text file"),
        ("u,v\n,NA\n?,-\n", "every row lacks a value"),
        ("u,v\n5,1\n5,2\n", "5 in every row"),
        ("u,v\n5,1\n", "5 in every row"),
        ("u,v\n1,a\n2,3\nb,c\n", "are text"),
    ],
)
def test_a_bad_file_is_said_and_leaves_the_document(opened, tmp_path, text, said):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    choice = opened("univariate-regression", path)
    if choice.popup.dataset is not None:
        choice.popup.standardize.setChecked(True)
    assert said in choice.headline
    assert choice.popup.headline.property("role") == "error"
    assert not choice.popup.apply_button.isEnabled()
    choice.key(Qt.Key.Key_Return)
    assert choice.session.document is choice.before
    choice.choose("faithful")
    assert choice.popup.apply_button.isEnabled() or "standardised" in choice.headline


def test_a_file_that_is_not_there_or_is_a_folder_is_said(opened, tmp_path):
    choice = opened("univariate-regression", tmp_path / "nowhere.csv")
    assert "cannot be read" in choice.headline
    choice.popup.open_data(str(tmp_path))
    choice.wait()
    assert "cannot be read" in choice.headline


# --- shapes ------------------------------------------------------------------------------------------------


def fixed(tmp_path):
    (tmp_path / "fixed.toml").write_text(
        'formula = """\nL = mean((w @ X - y)**2)\n"""\n[parameters]\nw = [[1.0, 2.0]]\n'
        '[data]\nfile = "penguins"\ninputs = { X = ["year", "bill_depth_mm"] }\n'
        'targets = { y = ["body_mass_g"] }\n'
    )
    return tmp_path / "fixed.toml"


def test_parameters_that_no_longer_fit_are_drawn_anew_when_asked_for(opened, tmp_path):
    choice = opened(fixed(tmp_path))
    assert not choice.popup.draw_button.isVisible()
    choice.click("flipper_length_mm")
    assert "w" in choice.headline
    assert choice.popup.draw_button.isVisible()
    choice.popup.draw_button.click()
    assert choice.headline == "342 examples, 2 rows left out"
    assert "Drawn anew: w." in choice.notes
    choice.key(Qt.Key.Key_Return)
    assert choice.session.model.parameters["w"].shape == (1, 3)
    choice.session.undo()
    assert choice.session.model.parameters["w"].tolist() == [[1, 2]]


def test_values_given_by_hand_that_no_longer_fit_are_given_up_when_asked_for(opened):
    choice = opened()
    width = choice.session.model.parameters["w"].shape[1]
    choice.session.set_value("w", np.ones((1, width)))
    choice.reopen()
    choice.click("year")
    assert choice.popup.draw_button.isVisible()
    choice.popup.draw_button.click()
    choice.key(Qt.Key.Key_Return)
    assert choice.session.model.parameters["w"].shape == (1, width + 1)
    choice.session.undo()
    assert (choice.session.model.parameters["w"] == 1).all()


# --- many rows ---------------------------------------------------------------------------------------------


@pytest.fixture
def large(tmp_path):
    rows = np.random.default_rng(0).normal(size=(60_000, 2)).round(3)
    path = tmp_path / "large.csv"
    path.write_text("u,v\n" + "".join(f"{u},{v}\n" for u, v in rows.tolist()))
    return path


def test_a_large_file_is_read_beside_the_window(opened, large):
    choice = opened("univariate-regression")
    choice.popup.open_data(str(large))
    assert choice.popup.is_busy
    assert choice.headline == "Reading large.csv…"
    assert not choice.popup.apply_button.isEnabled()
    choice.wait()
    choice.wait()
    assert choice.headline == "60,000 examples"
    assert choice.popup.table.rows.rowCount() == 200
    assert choice.popup.table_note.text() == "The first 200 of 60,000 rows"
    assert "of 60,000 points are drawn" in choice.popup.plot.note.accessibleName()
    assert len(choice.popup.plot._shown.x) <= MOST_POINTS
    choice.popup.standardize.toggle()
    choice.key(Qt.Key.Key_Return)  # at once, before it has been worked out
    choice.qtbot.waitUntil(lambda: choice.session.document is not choice.before)
    assert choice.session.model.examples == 60_000


def test_reading_is_left_off_by_escape_and_by_another_choice(opened, large, qtbot):
    choice = opened("univariate-regression")
    choice.popup.open_data(str(large))
    choice.choose("faithful")
    assert choice.headline == "272 examples"
    choice.popup.open_data(str(large))
    with qtbot.waitSignal(choice.popup.destroyed):
        choice.key(Qt.Key.Key_Escape)
    assert choice.session.document is choice.before


# --- the window around it ----------------------------------------------------------------------------------


def test_the_tab_key_goes_round_inside_and_reaches_every_part(opened):
    choice = opened()
    popup = choice.popup
    popup.sets.setFocus()
    seen = []
    for _ in range(40):
        now = choice.window.focusWidget()
        seen.append(now)
        QTest.keyClick(now, Qt.Key.Key_Tab)
        if choice.window.focusWidget() is popup.sets:
            break
    for part in (popup.open_button, popup.standardize, popup.held, popup.filter_box, popup.table):
        assert part in seen
    assert seen[-1] is popup.apply_button
    QTest.keyClick(popup.sets, Qt.Key.Key_Backtab)
    assert choice.window.focusWidget() is popup.apply_button


@pytest.mark.parametrize("size", [(512, 288), (768, 432), (1280, 720)])
def test_in_little_room_the_columns_scroll_and_apply_stays_in_sight(opened, size):
    choice = opened()
    choice.window.resize(*size)
    QApplication.processEvents()
    button = choice.popup.apply_button
    place = button.mapTo(choice.window, button.rect().bottomRight())
    assert choice.window.rect().contains(place)
    assert choice.popup.views.isVisible() == (size[0] < 1000)
    if size[0] < 1000:
        choice.popup.view_buttons["Plot"].click()
        assert choice.popup.plot.isVisible()
        assert not choice.popup.table.isVisible()


def test_it_can_be_painted_in_another_theme(opened):
    choice = opened()
    choice.popup.set_theme(DARK)
    assert not choice.popup.grab().isNull()


@pytest.mark.parametrize("name", [n for n in built_in_names() if isinstance(load(n).data, FileData)])
def test_what_is_chosen_first_binds(opened, name):
    choice = opened(name)
    for row in range(choice.popup.sets.count()):
        choice.choose(choice.popup.sets.itemText(row))
        found = choice.popup.found
        assert found.network is not None, found.headline
        assert bind(found.network).examples > 40


# --- how a table is written --------------------------------------------------------------------------------


def state(choice, key, value):
    """Choose an entry by keys, as a user does without a mouse."""
    box = choice.popup.dialect.boxes[key]
    box.setFocus()
    place = [box.itemData(i) for i in range(box.count())].index(value)
    QTest.keyClick(box, Qt.Key.Key_Home)
    for _ in range(place):
        QTest.keyClick(box, Qt.Key.Key_Down)
    choice.wait()
    assert box.currentData() == value


@pytest.fixture
def lab(tmp_path):
    path = tmp_path / "lab.csv"
    path.write_bytes("Länge;Zeit\n1,5;2\n2,5;4\n3,5;7\n".encode("cp1252"))
    return path


def room_of(box):
    """Return how wide the text of a box may be."""
    option = QStyleOptionComboBox()
    box.initStyleOption(option)
    field = QStyle.SubControl.SC_ComboBoxEditField
    return box.style().subControlRect(QStyle.ComplexControl.CC_ComboBox, option, field, box).width()


def words(choice):
    return [box.currentText() for box in choice.popup.dialect.boxes.values()]


def test_what_was_found_out_is_shown_and_what_is_stated_instead_is_followed(opened, lab):
    choice = opened("univariate-regression", lab)
    assert words(choice) == ["found: ;", "found: ,", "found: yes", "found: Windows-1252"]
    assert choice.popup.dataset.columns == ("Länge", "Zeit")
    for box in choice.popup.dialect.boxes.values():
        assert room_of(box) >= box.fontMetrics().horizontalAdvance(box.currentText())
    state(choice, "decimal", ".")
    assert words(choice) == ["found: ;", "point  .", "found: yes", "found: Windows-1252"]
    assert list(choice.popup.dataset.table["Länge"]) == ["1,5", "2,5", "3,5"]
    assert "In Länge, 1,5 has no decimal point: it was read as text." in choice.notes
    state(choice, "decimal", "")
    state(choice, "header", False)
    assert choice.popup.dataset.columns == ("c1", "c2")
    assert choice.headline == (
        "No column is of numbers: c1 and c2 are text. Look at the delimiter and the decimal sign, or choose "
        "another table."
    )
    state(choice, "header", True)
    state(choice, "encoding", "mac-roman")
    assert choice.popup.dataset.columns == ("L‰nge", "Zeit")
    assert choice.window.focusWidget() is choice.popup.dialect.boxes["encoding"]
    choice.key(Qt.Key.Key_Return)
    assert choice.data.stated == Stated("", "", True, "mac-roman")
    assert choice.session.model.selection.columns["x"] == ("L‰nge",)
    choice.reopen()
    assert words(choice) == ["found: ;", "found: ,", "yes", "Mac Roman"]


def test_what_does_not_fit_is_said_in_a_sentence_and_can_be_mended_in_place(opened, lab):
    choice = opened("univariate-regression", lab)
    choice.choose("Länge", choice.popup._columns["y"])
    choice.click("Zeit")
    choice.click("Länge")
    state(choice, "encoding", "utf-8")
    assert choice.headline == (
        "lab.csv, line 1: the text is not UTF-8. Name another encoding, or leave it to be found out."
    )
    assert choice.popup.headline.property("role") == "error"
    assert not choice.popup.apply_button.isEnabled()
    choice.key(Qt.Key.Key_Return)
    assert choice.session.document is choice.before
    state(choice, "encoding", "windows-1252")
    assert choice.popup._chosen().inputs == {"x": ("Zeit",)}  # the columns that were chosen before
    assert choice.popup._chosen().targets == {"y": ("Länge",)}
    state(choice, "delimiter", "|")
    assert choice.headline.startswith("No column is of numbers: ")
    state(choice, "delimiter", "")
    assert choice.headline == "3 examples"
    assert choice.popup._chosen().inputs == {"x": ("Zeit",)}


def test_another_file_is_found_out_anew_and_a_built_in_one_is_what_it_is(opened, lab, tmp_path):
    choice = opened("univariate-regression", lab)
    state(choice, "delimiter", ",")
    (tmp_path / "other.csv").write_text("a|b\n1|2\n2|5\n")
    choice.popup.open_data(str(tmp_path / "other.csv"))
    choice.wait()
    assert words(choice) == ["found: |", "found: none", "found: yes", "found: UTF-8"]
    assert choice.popup.dialect.isVisible()
    choice.choose("cars")
    assert not choice.popup.dialect.isVisible()
    assert choice.headline == "50 examples"


def test_a_network_that_states_it_shows_it_and_a_small_window_has_room_for_it(opened, tmp_path):
    (tmp_path / "mine.csv").write_text("u:v\n1:2\n2:4\n3:7\n")
    (tmp_path / "net.toml").write_text(OWN + 'delimiter = ":"\n')
    choice = opened(tmp_path / "net.toml")
    assert words(choice) == [":", "found: none", "found: yes", "found: UTF-8"]
    assert choice.headline == "3 examples"
    wide = choice.popup.dialect
    choice.window.resize(640, 420)
    choice.wait()
    assert choice.popup.dialect is not wide
    assert not wide.isVisible()
    assert words(choice) == [":", "found: none", "found: yes", "found: UTF-8"]
    state(choice, "delimiter", "")
    assert choice.popup.dataset.columns == ("u:v",)
    assert choice.popup._area.horizontalScrollBar().maximum() == 0


def test_a_table_of_text_says_what_it_lacks_and_plots_nothing(opened, tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("name,town,job\n" + "".join(f"p{i},t{i % 5},j{i % 3}\n" for i in range(30)))
    choice = opened("univariate-regression", path)
    assert choice.headline.startswith("No column is of numbers: name, town and job are text. Look at ")
    assert not choice.popup.apply_button.isEnabled()
    plot = choice.popup.plot
    assert plot.note.accessibleName().startswith("Nothing to plot: ")
    assert plot.note.accessibleName().endswith(" text.")
    assert not plot._plot.isVisible()


def test_a_file_that_cannot_be_read_is_seen_as_it_stands(opened, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text("u;v\n1;2\n3;4;5\n")
    choice = opened("univariate-regression", path)
    popup = choice.popup
    assert "line 3" in choice.headline
    assert popup.raw.isVisible()
    assert popup.raw.toPlainText() == "  1  u;v\n  2  1;2\n  3  3;4;5"
    QApplication.processEvents()
    assert popup.headline.mapTo(popup, QPoint(0, 0)).y() < popup.raw.mapTo(popup, QPoint(0, 0)).y()
    path.write_text("u;v\n1;2\n3;5\n")
    popup.open_data(str(path))
    choice.wait()
    QApplication.processEvents()
    assert not popup.raw.isVisible()
    assert choice.headline == "2 examples"
    assert popup.headline.mapTo(popup, QPoint(0, 0)).y() > popup.plot.mapTo(popup, QPoint(0, 0)).y()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8", "utf-8-sig"])
def test_the_first_lines_of_a_file_are_read_in_its_encoding(encoding):
    assert first_lines(Source("a.csv", "ü,b\n1".encode(encoding))) == ("ü,b", "1")


def test_of_a_file_that_is_no_text_no_line_is_seen(tmp_path):
    assert first_lines(Source("a.csv", b"\x00\x01")) == ()
    assert first_lines(Source("a.csv", tmp_path / "gone.csv")) == ()
    assert first_lines(Source("a.csv", b"\xfc,b"), Stated(encoding="windows-1252")) == ("ü,b",)
