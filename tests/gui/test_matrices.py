"""Matrices: the picture says the numbers, the widget lets every one of them be read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from PySide6.QtCore import QBuffer, QIODevice, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QHelpEvent, QImage, QPainter, QShortcut, QWheelEvent
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QToolTip, QWidget

from gui.matrices import (
    Grid,
    MatrixWidget,
    as_latex,
    as_numpy,
    matrix_scale,
    matrix_size,
    paint_legend,
    paint_matrix,
)
from gui.theme import DARK, LIGHT

RNG = np.random.default_rng(7)


def picture(array, width=120, height=80, theme=LIGHT, **options):
    """Return an image with a matrix in a margin of ten pixels."""
    image = QImage(width + 20, height + 20, QImage.Format.Format_RGB32)
    image.fill(theme.color("card"))
    painter = QPainter(image)
    paint_matrix(painter, QRectF(10, 10, width, height), array, theme, **options)
    painter.end()
    return image


def colors_of(image):
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}


def ink(image, ground):
    """Count the pixels that are not of the colour `ground`."""
    return sum(image.pixelColor(x, y) != ground for x in range(image.width()) for y in range(image.height()))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_sign_and_size_are_read_from_the_colour(qapp, theme):
    image = picture([[-2.0, 0.0, 2.0]], 90, 30, theme)
    found = [image.pixelColor(10 + x, 25).name() for x in (15, 45, 75)]
    assert found == [theme.negative, theme.zero, theme.positive]


def test_a_scale_given_from_outside_holds(qapp):
    assert picture([[1.0]], scale=1.0).pixelColor(20, 20) == QColor(LIGHT.positive)
    assert picture([[1.0]], scale=1e9).pixelColor(20, 20) == QColor(LIGHT.zero)


def test_a_matrix_of_zeros_is_all_zero_coloured(qapp):
    assert colors_of(picture(np.zeros((2, 2)))) == {LIGHT.zero, LIGHT.card}


def test_mere_rounding_looks_like_zero(qapp):
    noise = [[2.8e-17, -5.6e-17]]
    assert LIGHT.negative in colors_of(picture(noise))
    plain = picture(noise, scale=0.0)
    assert colors_of(plain) == {LIGHT.zero, LIGHT.card}
    numbered, zeros = (picture(a, scale=0.0, numbers=True) for a in (noise, np.zeros((1, 2))))
    assert ink(numbered, QColor(LIGHT.zero)) > ink(zeros, QColor(LIGHT.zero))  # ≈0 rather than 0


def test_what_is_not_a_number_is_hatched_and_named(qapp):
    found = colors_of(picture([[np.nan, 1.0, np.inf]], numbers=True))
    assert LIGHT.error_background in found
    assert LIGHT.positive in found


def test_cells_are_apart_when_large_and_joined_when_small(qapp):
    values = np.ones((4, 6))
    apart = colors_of(picture(values, 120, 80))
    joined = picture(values, 18, 12)
    assert apart == {LIGHT.positive, LIGHT.card}
    assert all(joined.pixelColor(x, y).name() == LIGHT.positive for x in range(11, 27) for y in range(11, 21))


def test_a_large_matrix_still_shows_its_one_large_entry(qapp):
    values = np.zeros((500, 700))
    values[321, 456] = -1
    assert LIGHT.negative in colors_of(picture(values))


def test_a_large_matrix_still_shows_a_nan(qapp):
    values = np.ones((300, 300))
    values[5, 5] = np.nan
    assert LIGHT.error in colors_of(picture(values))


def test_numbers_appear_when_there_is_room(qapp):
    values = np.full((2, 2), 0.5)
    ground = QColor(LIGHT.positive)
    bare, told, crowded = (
        ink(picture(values, *size, numbers=numbers), ground) - ink(picture(values, *size), ground)
        for size, numbers in (((120, 60), False), ((120, 60), True), ((30, 20), True))
    )
    assert bare == crowded == 0
    assert told > 50


def test_a_scalar_tells_its_number_by_itself(qapp):
    assert len(colors_of(picture(0.678, 60, 20))) > 2


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0,), (1, 1), (5,), (2, 3, 4)])
def test_any_shape_can_be_painted(qapp, shape):
    picture(np.zeros(shape), numbers=True, border_role="forward", selected=(0, 0))


def test_border_and_mark_have_the_colours_of_their_roles(qapp):
    found = colors_of(picture(np.zeros((2, 2)), border_role="backward", selected=(1, 1)))
    assert LIGHT.text in found
    assert any(QColor(c).red() > 180 and QColor(c).blue() < 120 for c in found)


def test_in_a_vector_file_cells_stay_cells(qapp):
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    painter = QPainter(generator)
    paint_matrix(painter, QRectF(0, 0, 300, 40), RNG.normal(size=(4, 272)), LIGHT)
    painter.end()
    svg = bytes(buffer.data().data()).decode()
    assert "<image" not in svg
    assert svg.count("<rect") + svg.count("<path") > 1000


def test_a_legend_tells_its_ends(qapp):
    image = QImage(400, 20, QImage.Format.Format_RGB32)
    image.fill(LIGHT.color("card"))
    painter = QPainter(image)
    paint_legend(painter, QRectF(0, 0, 400, 20), LIGHT, scale=0.5)
    painter.end()
    found = colors_of(image)
    assert {LIGHT.negative, LIGHT.zero} <= found
    assert any(QColor(color).lightness() < 120 for color in found - {LIGHT.negative})


def test_sizes_are_squares_until_the_room_ends():
    assert matrix_size((4, 3), 100, 100, 10).toTuple() == (30, 40)
    assert matrix_size((4, 272), 100, 100, 10).toTuple() == (100, 40)
    assert matrix_size((), 100, 100, 10).toTuple() == (10, 10)
    assert matrix_size((12,), 200, 100, 10).toTuple() == (120, 10)


def test_a_cell_is_found_where_it_is_drawn():
    grid = Grid(QRectF(5, 5, 60, 40), 4, 3)
    for cell in np.ndindex(4, 3):
        assert grid.cell_at(grid.cell_rect(*cell).center()) == cell
    assert grid.cell_at(QPointF(0, 0)) is None


def test_the_scale_ignores_what_is_not_finite():
    assert matrix_scale([[np.nan, -3.0, np.inf]]) == 3
    assert matrix_scale(np.full((2, 2), np.nan)) == 0


@given(arrays(float, array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)))
def test_copied_numpy_gives_back_the_same_numbers(array):
    back = eval(as_numpy(array), {"np": np})  # noqa: S307  the point is that it is source
    np.testing.assert_array_equal(back, array)
    assert back.shape == array.shape


def test_copied_latex_is_a_bmatrix():
    assert as_latex([[1.0, -0.5], [1.23456e-7, np.nan]]) == (
        "\\begin{bmatrix}\n1 & -0.5 \\\\\n1.235 \\times 10^{-7} & \\text{not a number}\n\\end{bmatrix}"
    )
    assert as_latex(-np.inf) == r"-\infty"


@pytest.fixture
def widget(qtbot):
    """A matrix of 30 rows and 40 columns in room for a few."""
    window = QWidget()
    qtbot.addWidget(window)
    widget = MatrixWidget(LIGHT, window)
    widget.setGeometry(10, 10, 400, 240)
    widget.set_matrix(np.arange(1200.0).reshape(30, 40), note="examples run across")
    window.resize(420, 260)
    window.show()
    qtbot.waitExposed(window)
    window.activateWindow()
    widget.setFocus()
    yield widget  # noqa: PT022  not returned: the window lives as long as this function


def test_a_click_marks_a_cell_and_says_so(qtbot, widget):
    with qtbot.waitSignal(widget.cell_selected) as signal:
        qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, pos=widget.cell_position(2, 3))
    assert signal.args == [2, 3]
    assert widget.accessibleDescription() == "[2, 3]  83.0"


def test_every_entry_can_be_reached_with_the_keyboard(qtbot, widget):
    qtbot.keyClick(widget, Qt.Key.Key_Right)
    assert widget.selected == (0, 0)
    qtbot.keyClick(widget, Qt.Key.Key_End)
    for _ in range(30):
        qtbot.keyClick(widget, Qt.Key.Key_Down)
    assert widget.selected == (29, 39)
    assert "–29 of 30" in widget.caption()
    assert "–39 of 40" in widget.caption()
    qtbot.keyClick(widget, Qt.Key.Key_Home)
    qtbot.keyClick(widget, Qt.Key.Key_PageUp)
    qtbot.keyClick(widget, Qt.Key.Key_Left)
    assert widget.selected[1] == 0
    assert widget.caption().startswith("rows")


def test_the_caption_says_what_is_in_sight(widget):
    assert widget.caption().startswith("rows 0–")
    assert widget.caption().endswith("of 40 · examples run across")
    widget.set_matrix(np.zeros((2, 2)))
    assert widget.caption() == ""


def test_the_wheel_pages(qtbot, widget):
    before = widget.caption()
    where = QPointF(widget.cell_position(1, 1))
    wheel = QWheelEvent(
        where,
        widget.mapToGlobal(where),
        QPoint(),
        QPoint(0, -240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QGuiApplication.sendEvent(widget, wheel)
    assert widget.caption() != before
    assert widget.caption().startswith("rows 2–")


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_hovering_shows_full_precision(qtbot, widget):
    widget.set_matrix([[1 / 3, np.nan]])
    for column, text in ((0, "[0, 0]  0.3333333333333333"), (1, "[0, 1]  not a number")):
        where = widget.cell_position(0, column)
        QGuiApplication.sendEvent(
            widget, QHelpEvent(QHelpEvent.Type.ToolTip, where, widget.mapToGlobal(where))
        )
        assert QToolTip.text() == text


@pytest.mark.qt_log_ignore("This plugin does not support")
@pytest.mark.parametrize(("is_read_out", "text"), [(False, "0.3333333333333333"), (True, "")])
def test_a_scalar_has_no_index_and_is_told_once(qtbot, widget, is_read_out, text):
    widget.set_matrix(1 / 3)
    widget.is_read_out = is_read_out
    QToolTip.hideText()
    where = widget.cell_position(0, 0)
    QGuiApplication.sendEvent(widget, QHelpEvent(QHelpEvent.Type.ToolTip, where, widget.mapToGlobal(where)))
    assert QToolTip.text() == text


def test_copying_gives_numpy_and_latex(qtbot, widget):
    widget.set_matrix([[0.1, 2.0]])
    qtbot.keyClick(widget, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "np.array([[0.1, 2.0]])"
    widget.actions()[1].trigger()
    assert "bmatrix" in QGuiApplication.clipboard().text()


def test_the_windows_shortcuts_stand_back_until_escape(qtbot, widget):
    window = widget.window()
    steps = []
    QShortcut(Qt.Key.Key_Right, window, lambda: steps.append(1))
    widget.select_cell(0, 0)
    qtbot.waitUntil(widget.hasFocus)
    qtbot.keyClick(widget, Qt.Key.Key_Right)
    assert widget.selected == (0, 1)
    assert not steps
    qtbot.keyClick(widget, Qt.Key.Key_Escape)
    qtbot.keyClick(window, Qt.Key.Key_Right)
    assert widget.selected is None
    assert steps == [1]


def test_the_mark_stays_on_a_matrix_of_the_same_shape(widget):
    widget.select_cell(4, 5)
    widget.set_matrix(np.zeros((30, 40)))
    assert widget.selected == (4, 5)
    widget.set_matrix(np.zeros((2, 2)))
    assert widget.selected is None


def test_a_theme_is_seen_at_once(widget):
    widget.set_matrix([[1.0]])
    widget.set_theme(DARK)
    assert DARK.positive in colors_of(widget.grab().toImage())


def test_an_empty_matrix_takes_any_key(qtbot, widget):
    widget.set_matrix(np.zeros((0, 3)))
    qtbot.keyClick(widget, Qt.Key.Key_Down)
    widget.select_cell(3, 3)
    assert widget.selected is None
