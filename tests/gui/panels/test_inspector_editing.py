"""Numbers are changed in the inspector, with real keys and clicks; what cannot be used says why."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication

from engine.numerals import array
from gui.panels.inspector import InspectorPanel
from tests.gui.panels.helpers import words

KEY, SHIFT, CTRL, ALT = (
    Qt.Key,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)


@pytest.fixture
def inspect(qtbot, open_session, show):
    """Return a function that opens a network with something selected, and shows it."""

    def inspect(name, network="two-layer-nonlinear", position=0, cell=None):
        session = open_session(network, position)
        session.select(name)
        panel = show(InspectorPanel, session, 420, 520)
        panel.activateWindow()
        qtbot.waitUntil(panel.isActiveWindow)
        panel.value_matrix.setFocus()
        if cell is not None:
            panel.value_matrix.select_cell(*cell)
        return session, panel

    return inspect


def type_into(qtbot, panel, text, key=KEY.Key_Return):
    field = panel.value_matrix.field
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, key)


@pytest.mark.parametrize("how", [KEY.Key_F2, KEY.Key_Return, "double-click"])
def test_a_cell_opens_with_its_number_in_full_to_be_typed_over(qtbot, inspect, how):
    session, panel = inspect("W1", cell=(1, 0))
    matrix, value = panel.value_matrix, session.frame.values["W1"][1, 0]
    if how == "double-click":
        qtbot.mouseDClick(matrix, Qt.MouseButton.LeftButton, pos=matrix.cell_position(1, 0))
    else:
        qtbot.keyClick(matrix, how)
    assert matrix.field.isVisible()
    assert float(matrix.field.text()) == value
    assert matrix.field.selectedText() == matrix.field.text()
    type_into(qtbot, panel, "1/3")
    assert session.frame.values["W1"][1, 0] == 1 / 3
    assert not matrix.field.isVisible()
    assert matrix.selected == (2, 0)  # Enter goes down
    assert session.undo_text == "Change W1[1, 0]"


def test_typing_a_digit_opens_the_field_with_it(qtbot, inspect):
    session, panel = inspect("W1", cell=(0, 0))
    qtbot.keyClick(panel.value_matrix, "2")
    type_into(qtbot, panel, ".5", KEY.Key_Tab)
    assert session.frame.values["W1"][0, 0] == 2.5
    assert panel.value_matrix.selected == (1, 0)  # a matrix of one column: on in the next row


@pytest.mark.parametrize(
    ("text", "value"), [("sqrt(2)", 2**0.5), ("exp(1)", np.e), ("+2", 2.0), ("foo", None)]
)
def test_an_expression_typed_onto_a_cell_is_taken_whole(qtbot, inspect, text, value):
    session, panel = inspect("W1", cell=(0, 0))
    before, first = session.frame.values["W1"][0, 0], session.current
    qtbot.keyClick(panel.value_matrix, text[0])
    assert panel.value_matrix.field.text() == text[0]
    type_into(qtbot, panel, text[1:], KEY.Key_Return)
    assert session.frame.values["W1"][0, 0] == (before if value is None else value)
    assert not session.training
    assert value is not None or session.current is first


def test_tab_goes_right_and_back(qtbot, inspect):
    session, panel = inspect("w2", cell=(0, 0))
    qtbot.keyClick(panel.value_matrix, "1")
    type_into(qtbot, panel, "", KEY.Key_Tab)
    assert panel.value_matrix.selected == (0, 1)
    qtbot.keyClick(panel.value_matrix, "4")
    type_into(qtbot, panel, "", KEY.Key_Backtab)
    assert panel.value_matrix.selected == (0, 0)
    assert session.frame.values["w2"][0, :2].tolist() == [1.0, 4.0]


def test_escape_takes_nothing(qtbot, inspect):
    session, panel = inspect("W1", cell=(0, 0))
    before = session.document
    qtbot.keyClick(panel.value_matrix, "7")
    qtbot.keyClick(panel.value_matrix.field, KEY.Key_Escape)
    assert session.document is before
    assert not panel.value_matrix.field.isVisible()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("abc", "'abc' is not a number"),
        ("1/0", "divides by zero"),
        ("1e400", "too large"),
        ("nan", "not a finite number"),
        ("1,234", "may mean"),
    ],
)
def test_what_is_no_number_stays_marked_with_a_sentence(qtbot, inspect, text, sentence):
    session, panel = inspect("W1", cell=(0, 0))
    before, field = session.document, panel.value_matrix.field
    qtbot.keyClick(panel.value_matrix, KEY.Key_F2)
    type_into(qtbot, panel, text)
    assert field.isVisible()
    assert field.text() == text
    assert field.property("invalid")
    assert sentence in words(panel)
    assert session.document is before
    field.selectAll()
    type_into(qtbot, panel, "2")
    assert session.frame.values["W1"][0, 0] == 2.0
    assert sentence not in words(panel)


def test_leaving_a_refused_text_loses_nothing(qtbot, inspect):
    _, panel = inspect("W1", cell=(0, 0))
    qtbot.keyClick(panel.value_matrix, KEY.Key_F2)
    qtbot.keyClicks(panel.value_matrix.field, "1/")
    assert panel.value_matrix.field.hasFocus()
    panel.numpy_button.setFocus()
    assert panel.value_matrix.field.text() == "1/"
    assert "a value is missing" in words(panel)


def test_another_selection_puts_the_field_away(qtbot, inspect):
    session, panel = inspect("W1", cell=(0, 0))
    qtbot.keyClick(panel.value_matrix, KEY.Key_F2)
    session.select("b1")
    assert not panel.value_matrix.field.isVisible()


def test_a_computed_value_says_what_to_change_instead(qtbot, inspect):
    session, panel = inspect("Z", position=1, cell=(0, 0))
    qtbot.keyClick(panel.value_matrix, "5")
    assert not panel.value_matrix.field.isVisible()
    assert "Z is computed: change W₁, b₁ or X." in words(panel)
    session.select("W1")
    assert "is computed" not in words(panel)


def test_a_scalar_has_a_field_too(qtbot, inspect):
    session, panel = inspect("b2", cell=(0, 0))
    qtbot.keyClick(panel.value_matrix, KEY.Key_F2)
    type_into(qtbot, panel, "sqrt(2)")
    assert session.frame.values["b2"] == np.sqrt(2)
    assert session.undo_text == "Change b2"


def test_targets_are_edited_too(qtbot, inspect):
    session, panel = inspect("y", cell=(0, 3))
    qtbot.keyClick(panel.value_matrix, KEY.Key_F2)
    type_into(qtbot, panel, "-1", KEY.Key_Tab)
    assert session.model.leaves["y"][0, 3] == -1.0


# --- blocks ---


def paste(qtbot, panel, text):
    QGuiApplication.clipboard().setText(text)
    qtbot.keyClick(panel.value_matrix, KEY.Key_V, CTRL)


@pytest.mark.parametrize(
    "text",
    [
        "1\n0,5\n-3\n4",
        "[[1], [0.5], [-3], [4]]",
        r"\begin{bmatrix} 1 \\ \frac{1}{2} \\ -3 \\ 4 \end{bmatrix}",
        "np.array([[1.], [.5], [-3.], [4.]])",
    ],
)
def test_a_block_of_the_same_shape_replaces_the_matrix(qtbot, inspect, text):
    session, panel = inspect("W1")
    paste(qtbot, panel, text)
    assert session.frame.values["W1"].ravel().tolist() == [1.0, 0.5, -3.0, 4.0]
    assert session.undo_text == "Change W1"


def test_a_block_goes_in_from_the_marked_cell(qtbot, inspect):
    session, panel = inspect("W1", cell=(2, 0))
    before = session.frame.values["W1"].copy()
    paste(qtbot, panel, "7\n8")
    assert session.frame.values["W1"].ravel().tolist() == [*before[:2, 0], 7.0, 8.0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1\t2\n3\t4", "the block is 2 × 2, W1 is 4 × 1"),
        ("1\t2\t3\t4", "the block is 1 × 4, W1 is 4 × 1. Transpose it first."),
        ("1\n2\n3\n4\n5", "the block is 5 × 1, W1 is 4 × 1"),
        ("[[1,2],[3]]", "row 2: it has 1 number"),
        ("speed\n1\n2\n3", "'speed' is not a number. Leave the names out."),
        ("<table><tr><td>1</td></tr></table>", "this is HTML"),
        ("words", "'words' is not a number"),
        ("", "there are no numbers"),
    ],
)
def test_what_cannot_be_pasted_changes_nothing_and_says_why(qtbot, inspect, text, sentence):
    session, panel = inspect("W1", cell=(0, 0))
    before = session.document
    paste(qtbot, panel, text)
    assert "Nothing was pasted" in words(panel)
    assert sentence in words(panel)
    assert session.document is before


def test_ten_megabytes_are_answered_at_once(qtbot, inspect):
    _, panel = inspect("W1", cell=(0, 0))
    paste(qtbot, panel, "1\t2\n" * 2_500_000)
    qtbot.waitUntil(lambda: "at most 1,000,000" in words(panel))


def test_a_long_block_is_read_beside_the_window(qtbot, inspect):
    session, panel = inspect("X")
    before = session.document
    paste(qtbot, panel, "\t".join(["0.123456789"] * 3000))
    assert "Reading what was pasted" in words(panel)
    qtbot.waitUntil(lambda: "is kept until y has 3000 examples too" in words(panel))
    assert session.document is before


def test_data_of_another_size_are_taken_when_all_have_it(qtbot, inspect):
    session, panel = inspect("X")
    paste(qtbot, panel, "1\t2\t3")
    assert "X is kept until y has 3 examples too" in words(panel)
    assert session.model.examples == 133
    session.select("y")
    assert "X is kept until y has 3 examples too" in words(panel)
    paste(qtbot, panel, "4\t5\t6")
    assert session.model.examples == 3
    assert session.model.leaves["X"].tolist() == [[1.0, 2.0, 3.0]]
    assert session.model.leaves["y"].tolist() == [[4.0, 5.0, 6.0]]
    assert "is kept" not in words(panel)


def test_what_is_copied_pastes_back(qtbot, inspect):
    session, panel = inspect("W1", cell=(1, 0))
    qtbot.keyClick(panel.value_matrix, KEY.Key_Down, SHIFT)
    qtbot.keyClick(panel.value_matrix, KEY.Key_C, CTRL)
    text = QGuiApplication.clipboard().text()
    np.testing.assert_array_equal(array(text), session.frame.values["W1"][1:3])


# --- scrubbing ---


def drag(qtbot, matrix, cell, by, modifier=Qt.KeyboardModifier.NoModifier, release=True):
    start = matrix.cell_position(*cell)
    qtbot.mousePress(matrix, Qt.MouseButton.LeftButton, modifier, pos=start)
    for x in (by // 2, by // 2 + 1, by):
        qtbot.mouseMove(matrix, start + QPoint(12 if x > 0 else -12, 0))
        qtbot.mouseMove(matrix, start + QPoint(x + 12, 0))
    if release:
        qtbot.mouseRelease(matrix, Qt.MouseButton.LeftButton, modifier, pos=start + QPoint(by + 12, 0))


def test_dragging_sideways_changes_a_number_in_one_change(qtbot, inspect):
    session, panel = inspect("W1", position=3, cell=(0, 0))
    session.edit("W1", np.array([[1.0], [2.0], [3.0], [4.0]]))
    drag(qtbot, panel.value_matrix, (1, 0), 60)
    assert session.frame.values["W1"][1, 0] > 2.0
    assert session.position == 3
    session.undo()
    assert session.frame.values["W1"][1, 0] == 2.0
    drag(qtbot, panel.value_matrix, (1, 0), -60)
    assert session.frame.values["W1"][1, 0] < 2.0


def test_the_arrows_come_with_the_drag_and_do_not_lie_over_the_number_before(qtbot, inspect):
    _, panel = inspect("W1", cell=(0, 0))
    matrix = panel.value_matrix
    qtbot.mouseMove(matrix, matrix.cell_position(1, 0))
    assert matrix.cursor().shape() == Qt.CursorShape.PointingHandCursor
    drag(qtbot, matrix, (1, 0), 60, release=False)
    assert matrix.cursor().shape() == Qt.CursorShape.SizeHorCursor
    qtbot.mouseRelease(matrix, Qt.MouseButton.LeftButton, pos=matrix.cell_position(1, 0))
    assert matrix.cursor().shape() == Qt.CursorShape.PointingHandCursor


def test_escape_gives_the_drag_up(qtbot, inspect):
    session, panel = inspect("W1", cell=(0, 0))
    before, value = session.document, session.frame.values["W1"][1, 0]
    drag(qtbot, panel.value_matrix, (1, 0), 60, release=False)
    assert session.frame.values["W1"][1, 0] != value
    qtbot.keyClick(panel.value_matrix, KEY.Key_Escape)
    assert session.frame.values["W1"][1, 0] == value
    assert session.document is before
    assert session.undo_text == ""


def test_alt_and_the_arrows_step_a_number(qtbot, inspect):
    session, panel = inspect("b2", cell=(0, 0))
    session.edit("b2", np.array(3.0))
    qtbot.keyClick(panel.value_matrix, KEY.Key_Up, ALT)
    assert session.frame.values["b2"] == pytest.approx(3.01)
    qtbot.keyClick(panel.value_matrix, KEY.Key_Down, ALT | SHIFT)
    assert session.frame.values["b2"] == pytest.approx(3.009)
    session.undo()
    session.undo()
    assert session.frame.values["b2"] == 3.0


def test_what_is_computed_cannot_be_dragged(qtbot, inspect):
    session, panel = inspect("Z", position=1, cell=(0, 0))
    before = session.document
    drag(qtbot, panel.value_matrix, (1, 0), 60)
    assert session.document is before


def test_standardised_data_say_what_they_are_in_the_file(inspect):
    session, panel = inspect("X", cell=(0, 0))
    selection = session.model.selection
    assert selection is not None
    assert "standardised" in panel.value_matrix.caption()
    column = selection.columns["X"][0]
    assert f"({column} " in words(panel)


def test_the_marked_entry_is_the_one_that_is_nudged(qtbot, inspect):
    session, panel = inspect("X", position=3)
    session.nudge_test()
    assert session.frame.nudge.index == (0, 0)
    qtbot.mouseClick(
        panel.value_matrix, Qt.MouseButton.LeftButton, pos=panel.value_matrix.cell_position(0, 2)
    )
    assert session.frame.nudge.index == (0, 2)


def test_a_smaller_mini_batch_puts_the_field_away(qtbot, inspect):
    session, panel = inspect("X")
    session.set_batch_size(100)
    session.step_training()
    session.go_to_iteration(0)
    panel.value_matrix.edit_cell(0, 99)
    assert panel.value_matrix.field.isVisible()
    session.go_to_iteration(1)  # the 33 examples that are left of the epoch
    assert session.frame.values["X"].shape == (1, 33)
    assert not panel.value_matrix.field.isVisible()
