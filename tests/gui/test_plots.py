"""Plots: axes are calm and their numbers round."""

import numpy as np

from gui.plots import Plot, log_ticks, round_range, round_up, shifted_ticks
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


def test_a_plot_has_the_colours_of_its_theme(qtbot):
    plot = Plot(LIGHT, "iteration", "loss")
    qtbot.addWidget(plot)
    plot.resize(300, 150)
    plot.show()
    plot.set_theme(DARK)
    assert plot.grab().toImage().pixelColor(2, 2) == DARK.color("window")
