"""Plots: what is left out of a long series is never a peak, and axes are calm."""

import numpy as np
import pytest

from gui.plots import Plot, envelope, log_ticks, round_range, round_up
from gui.theme import DARK, LIGHT


def test_a_short_series_is_drawn_as_it_is():
    x, y = envelope(np.array([3.0, 1.0, 2.0]), -5, 10, 100)
    assert x.tolist() == [0, 1, 2]
    assert y.tolist() == [3, 1, 2]


@pytest.mark.parametrize("count", [4001, 100_000, 1_000_003])
def test_no_peak_is_lost(count):
    values = np.zeros(count)
    values[count // 3], values[-1] = 5.0, -7.0
    x, y = envelope(values, 0, count, 500)
    assert len(x) == len(y) <= 4 * 500
    assert (y.max(), y.min()) == (5.0, -7.0)
    assert abs(x[y.argmax()] - count // 3) <= count / 500 + 1
    assert np.all(np.diff(x) >= 0)


def test_a_growing_series_keeps_its_picture():
    values = np.random.default_rng(0).random(20_000)
    before = dict(zip(*(part.tolist() for part in envelope(values[:19_990], 0, 30_000, 1000)), strict=True))
    after = dict(zip(*(part.tolist() for part in envelope(values, 0, 30_000, 1000)), strict=True))
    same = sum(before[x] == after.get(x) for x in before)
    assert same >= len(before) - 2


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
