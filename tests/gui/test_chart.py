"""The chart: what it draws, where its cursor stands, what it reads."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from gui.chart import Chart
from gui.curves import Line, Points, Pyramid, Staircase
from gui.runstyle import run_color, run_dash
from gui.theme import DARK, LIGHT


@pytest.fixture
def chart(qtbot):
    chart = Chart(LIGHT)
    qtbot.addWidget(chart)
    chart.resize(500, 200)
    chart.show()
    qtbot.waitExposed(chart)
    return chart


def line(key, values, style=0, **look):
    series = Pyramid()
    series.extend(np.asarray(values, dtype=float))
    return Line(key, f"run {key}", series, style, **look)


def show(chart, *lines, last=100):
    chart.show_iterations(last)
    chart.set_lines(lines)


def pens(chart):
    return {key: parts.curve.opts["pen"] for key, parts in chart._parts.items()}


def test_lines_have_the_colour_and_dash_of_their_style(chart):
    show(chart, *(line(i, [3, 2, 1], i) for i in range(6)))
    for style, pen in pens(chart).items():
        assert pen.color() == run_color(LIGHT, style)
        assert [pytest.approx(d) for d in pen.dashPattern()] == run_dash(style) or not run_dash(style)
    chart.set_theme(DARK)
    assert all(pen.color() == run_color(DARK, style) for style, pen in pens(chart).items())


def test_ghosts_stand_back_and_the_current_one_stands_out(chart):
    show(chart, line(0, [1, 2], 0, ghost=True), line(1, [1, 2], 0), line(2, [1, 2], 0, current=True))
    widths = [pens(chart)[key].widthF() for key in range(3)]
    assert widths == sorted(set(widths))
    assert pens(chart)[0].color() != pens(chart)[1].color()
    depths = [chart._parts[key].curve.zValue() for key in range(3)]
    assert depths == sorted(set(depths))


def test_a_held_out_loss_is_thinner_and_bears_circles(chart):
    held = Points(np.arange(0, 101, 4), np.linspace(2, 1, 26))
    show(chart, line(0, np.linspace(2, 1, 101)), Line("held", "held-out", held, 0, kind="held"))
    assert pens(chart)["held"].widthF() < pens(chart)[0].widthF()
    marks = chart._parts["held"].marks
    assert marks.isVisible()
    assert 4 <= len(marks.points()) <= 12
    assert not chart._parts[0].marks.isVisible()


def test_a_search_is_a_staircase_with_a_diamond_at_every_step(chart):
    stairs = Staircase(np.array([1.0, 20.0, 60.0]), np.array([2.0, 1.0, 0.5]), 90.0)
    show(chart, line(0, np.linspace(2, 1, 101)), Line("search", "search", stairs, 0, kind="search"))
    spots = [(spot.pos().x(), spot.pos().y()) for spot in chart._parts["search"].marks.points()]
    assert spots == [(1, 2), (20, 1), (60, 0.5)]
    assert pens(chart)["search"].color() == LIGHT.color("text")


def test_a_noisy_line_is_a_mean_over_its_range_and_both_are_seen(chart):
    values = 1 + np.random.default_rng(0).random(100_000)
    show(chart, line(0, values), last=100_000)
    image = chart.grab().toImage()
    colors = {image.pixelColor(x, y).name() for x in range(100, 400) for y in range(0, 180)}
    assert run_color(LIGHT, 0).name() in colors
    band = QColor(chart._parts[0].band.opts["pen"].color()).name()
    assert band in colors
    assert chart._parts[0].band.zValue() < chart._parts[0].curve.zValue()


def test_a_line_that_is_gone_leaves_nothing(chart):
    show(chart, line(0, [1, 2]), line(1, [1, 2]))
    before = len(chart.scene().items())
    show(chart, line(0, [1, 2]))
    assert len(chart.scene().items()) == before - 3
    assert chart.drawn_of(1) is None


def test_the_axis_grows_in_round_steps(chart):
    values = np.linspace(1.9, 0.3, 100)
    ranges = set()
    for count in range(50, 100):
        show(chart, line(0, values[:count]))
        ranges.add(tuple(chart.box.viewRange()[1]))
    assert len(ranges) <= 6


def test_a_cap_keeps_the_axis_and_tells_the_peak(chart):
    show(chart, line(0, [1.0, 1e9, 1.0]), line(1, [1.0, 2.0, 1.0]))
    assert chart.view().top > 1e8
    show(chart, line(0, [1.0, 1e9, 1.0], cap=4.0), line(1, [1.0, 2.0, 1.0]))
    assert chart.view().top < 6
    assert chart.peak == 1e9
    show(chart, line(0, [1.0, 3.0, 1.0], cap=4.0))
    assert chart.peak is None
    show(chart, line(0, [-1.0, -1e9], cap=4.0))
    assert chart.view().bottom > -10


def test_the_cursor_stands_where_it_is_put_on_either_axis(chart):
    for log_x in (False, True):
        chart.set_logs(log_x, False)
        show(chart, line(0, np.linspace(2, 1, 101)))
        for iteration in (0, 1, 50, 100):
            chart.set_place(iteration, 100, str(iteration), 1.5)
            assert chart.cursor_iteration == iteration
            assert chart._cursor.getXPos() == pytest.approx(chart.view().x(np.array(iteration)))


def test_many_lines_are_read_in_one_tip_and_never_too_many(chart):
    show(chart, *(line(i, np.linspace(2, 1, 101), i % 8, current=i == 3) for i in range(20)))
    chart._hover(chart.box.mapViewToScene(QPointF(40, 1.5)))
    text = chart.tip.text()
    assert text.index("run 3<") < text.index("run 0<")
    assert "and 8 more" in text
    assert chart.rect().contains(chart.tip.geometry().center())


def test_what_is_kept_from_time_to_time_says_from_when_it_is(chart):
    points = Points(np.array([0, 8, 16]), np.array([3.0, 2.0, np.inf]))
    show(chart, Line("norm", "norm", points, 0))
    assert [text for _, text in chart.readout(8)] == ["2.0"]
    assert [text for _, text in chart.readout(11)] == ["2.0 (at 8)"]
    assert [text for _, text in chart.readout(17)] == ["not finite (at 16)"]
    assert chart.readout(99) == []


def test_a_low_chart_gives_the_names_of_its_axes_up_for_its_lines(chart):
    show(chart, line(0, [2, 1]))
    assert chart.axes["bottom"].label.isVisible()
    high = chart.box.height()
    chart.resize(500, 120)
    QApplication.processEvents()
    assert not chart.axes["bottom"].label.isVisible()
    assert chart.box.height() > high - 80 + 10
    chart.set_theme(DARK)
    assert not chart.axes["bottom"].label.isVisible()


def test_the_tip_goes_with_the_mouse(qtbot, chart):
    show(chart, line(0, np.linspace(2, 1, 101)))
    chart._hover(chart.box.mapViewToScene(QPointF(40, 1.5)))
    assert chart.tip.isVisible()
    chart.hide()
    assert not chart.tip.isVisible()


def test_no_curve_is_seen_through_what_stands_beside_the_cursor(chart):
    fill = chart._cursor.label.fill
    assert (fill.style(), fill.color().alpha()) == (Qt.BrushStyle.SolidPattern, 255)
    assert fill.color() == chart._theme.color("window")
