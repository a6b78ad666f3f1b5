"""Plots: axes are calm and their numbers round."""

from itertools import pairwise

import numpy as np
from PySide6.QtGui import QFontMetricsF

from gui.plots import NumberAxis, Plot, log_ticks, round_range, round_up, shifted_ticks
from gui.theme import DARK, LIGHT


def test_ranges_are_round_and_hold_what_they_should():
    assert round_range(0.13, 1.826) == (0.0, 2.0)
    assert round_range(2.0, 2.0) == (1.0, 3.0)
    assert round_range(0.0, 0.0) == (-1.0, 1.0)
    low, high = round_range(-1e308, 1e308)
    assert np.isfinite([low, high]).all()
    assert [round_up(x) for x in (0.21, 7, 100)] == [0.5, 10, 100]


def test_log_axes_have_a_few_ticks_at_any_range():
    assert log_ticks(-3, 0, 8) == [-3.0, -2.0, -1.0, 0.0]
    assert np.allclose([10**t for t in log_ticks(-0.4, 0.4, 8)], [0.5, 1, 2])
    assert 2 <= len(log_ticks(-50, 300, 3)) <= 4
    assert len(log_ticks(0.1, 0.12, 5)) == 2


def test_a_log_axis_of_iterations_begins_at_iteration_0(qtbot):
    plot = Plot(LIGHT, "iteration", "loss")
    qtbot.addWidget(plot)
    axis = plot.axes["bottom"]
    axis.is_log, axis.shift = True, 1.0
    ((_, values),) = axis.tickValues(0, np.log10(1001), 600)
    assert axis.tickStrings(values, 1, 1) == ["0", "1", "10", "100", "1000"]
    assert values[0] == 0
    assert len(shifted_ticks(0, 9, 4, 1.0)) <= 4
    assert axis.tickStrings(shifted_ticks(np.log10(400), np.log10(700), 9, 1.0), 1, 1) == ["400", "699"]


def test_a_whole_axis_has_no_ticks_between(qtbot):
    plot = Plot(LIGHT, "iteration", "loss")
    qtbot.addWidget(plot)
    plot.axes["bottom"].is_whole = True
    ((spacing, values),) = plot.axes["bottom"].tickValues(0, 2, 400)
    assert (spacing, list(values)) == (1, [0, 1, 2])
    assert plot.axes["left"].tickStrings([0.6000000000000001, -1e-17], 1, 0.2) == ["0.6", "0"]


def test_numbers_of_an_axis_never_touch_however_large_they_are(qtbot):
    plot = Plot(LIGHT, "iteration", "loss")
    qtbot.addWidget(plot)
    for factor in (1.0, 1.9, 3.0):
        plot.set_letters(factor)
        metrics = QFontMetricsF(plot.lettering())
        axis, log, left = plot.axes["bottom"], NumberAxis("bottom"), plot.axes["left"]
        log.set_look(LIGHT, plot.lettering())
        log.is_log = True
        for one, low, high in ((axis, 0, 123456), (axis, -0.021, 0.034), (log, -9, 4)):
            ((_, values),) = one.tickValues(low, high, 420)
            texts = one.tickStrings(values, 1, 1)
            ends = [
                ((v - low) / (high - low) * 420, metrics.horizontalAdvance(t))
                for v, t in zip(values, texts, strict=True)
            ]
            assert len(values) >= 2, (factor, low)
            assert all(b[0] - a[0] > (a[1] + b[1]) / 2 for a, b in pairwise(ends)), (factor, texts)
        ((_, values),) = left.tickValues(0, 1, 60)
        assert all(b - a > 0.8 * metrics.height() / 60 for a, b in pairwise(values)), (factor, values)
    assert 0 in axis.tickValues(-0.021, 0.034, 420)[0][1]  # what stays is counted from 0


def test_a_letter_beside_an_axis_stands_and_words_lie_along_it(qtbot):
    plot = Plot(LIGHT, "iteration", "loss")
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    axis, below = plot.axes["left"], plot.axes["bottom"]
    label, other = axis.label, below.label
    assert label is not None
    assert other is not None
    assert label.rotation() == -90
    axis.set_name("v", LIGHT, plot.lettering())
    assert label.rotation() == 0
    middle = label.pos().y() + label.boundingRect().height() / 2
    assert abs(middle - axis.size().height() / 2) < 2
    axis.set_name("loss", LIGHT, plot.lettering())
    assert label.rotation() == -90
    assert label.pos().y() > middle  # it begins below the middle, upwards
    below.set_name("u", LIGHT, plot.lettering())
    assert other.rotation() == 0


def test_a_plot_has_the_colours_of_its_theme(qtbot):
    plot = Plot(LIGHT, "iteration", "loss")
    qtbot.addWidget(plot)
    plot.resize(300, 150)
    plot.show()
    plot.set_theme(DARK)
    assert plot.grab().toImage().pixelColor(2, 2) == DARK.color("window")
