"""Curves: what is left out of a long series is never an extreme, and a gap stays one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gui.curves import Points, Pyramid, Staircase, View, drawn

MIXED = st.one_of(
    st.floats(-1e6, 1e6),
    st.sampled_from([0.0, -1.0, 1e-300, 1e308, -1e308, np.nan, np.inf, -np.inf]),
)


def view(left=0.0, right=100.0, bottom=-10.0, top=10.0, width=500.0, height=100.0, **kind) -> View:
    return View(left, right, bottom, top, width, height, **kind)


def pyramid_of(values, cuts=()) -> Pyramid:
    """Return a pyramid that has grown in the pieces between `cuts`."""
    values, series = np.asarray(values, dtype=float), Pyramid()
    for cut in (*sorted(cuts), len(values)):
        series.extend(values[:cut])
    return series


def by_hand(values, first, last, positive=False):
    """Return smallest, largest and mean of the finite values from `first` to `last`, nan for none."""
    part = np.asarray(values[first : last + 1], dtype=float)
    part = part[np.isfinite(part) & ((part > 0) | (not positive))]
    if not part.size:
        return (np.nan, np.nan, np.nan)
    with np.errstate(all="ignore"):
        return (part.min(), part.max(), part.mean())


@given(
    st.lists(MIXED, min_size=1, max_size=700),
    st.lists(st.integers(1, 700), max_size=6),
    st.integers(1, 60),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_stretches_are_those_found_by_hand(values, cuts, most, log_x, log_y, data):
    series = pyramid_of(values, [cut for cut in cuts if cut < len(values)])
    ends = sorted((data.draw(st.integers(0, 900)), data.draw(st.integers(0, 900))))
    left, right = (float(np.log10(end + 1)) if log_x else float(end) for end in ends)
    seen = view(left, right + 0.5, log_x=log_x, log_y=log_y)
    found = series.stretches(seen, most)
    np.testing.assert_array_equal(series.lowest, by_hand(values, 0, len(values))[0])
    for i in range(len(found)):
        low, high, mean = by_hand(values, found.first[i], found.last[i], log_y)
        np.testing.assert_array_equal((found.low[i], found.high[i]), (low, high))
        if max(abs(low), abs(high)) <= 1e6 and not log_y:
            assert found.mean[i] == pytest.approx(mean, rel=1e-9, abs=1e-9 * max(abs(low), abs(high)))
        assert np.isnan(mean) == np.isnan(found.mean[i])
        assert not found.mean[i] < low
        assert not found.mean[i] > high
    first, last = seen.span
    inside = set(range(first, min(last, len(values) - 1) + 1))
    covered = [i for a, b in zip(found.first, found.last, strict=True) for i in range(a, b + 1)]
    assert covered == sorted(set(covered)), "no value is in two stretches"
    assert inside <= set(covered)


@given(st.integers(1, 40_000), st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_there_are_about_as_many_stretches_as_asked_for(count, most, seed):
    series = pyramid_of(np.random.default_rng(seed).random(count))
    found = series.stretches(view(0, count), most)
    assert len(found) <= most + 2
    assert len(found) >= min(count, most // 2)
    if count <= most:
        np.testing.assert_array_equal(found.mean, series.values)


@given(st.lists(MIXED, min_size=1, max_size=300), st.integers(4, 50), st.booleans())
def test_points_keep_their_extremes(values, most, log_y):
    iterations = np.cumsum(np.random.default_rng(len(values)).integers(1, 9, len(values)))
    series = Points(iterations, np.array(values))
    found = series.stretches(view(0, float(iterations[-1]), log_y=log_y), most)
    np.testing.assert_array_equal(series.lowest, by_hand(values, 0, len(values))[0])
    low, high, _ = by_hand(np.array(values), 0, len(values), log_y)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(np.fmin.reduce(found.low), low)
        np.testing.assert_array_equal(np.fmax.reduce(found.high), high)
    assert len(found) <= max(len(values) if len(values) <= most else 0, most + 3)


@pytest.mark.parametrize("log_x", [False, True])
@pytest.mark.parametrize("count", [4001, 100_000, 1_000_003])
def test_no_peak_of_a_long_series_is_lost(count, log_x):
    values = np.ones(count)
    values[count // 3], values[-1] = 5.0, -7.0
    right = np.log10(count) if log_x else count - 1.0
    found = drawn(pyramid_of(values), view(0, right, log_x=log_x))
    assert len(found.x) <= 2 * 500 + 4
    assert found.range() == (-7.0, 5.0)
    at = found.band_x[found.band_y.argmax()]
    wanted = np.log10(count // 3 + 1) if log_x else count // 3
    assert abs(at - wanted) <= 2 * right / 500
    assert np.all(np.diff(found.x) > 0)


def test_a_lone_peak_in_a_pixel_is_drawn_though_the_mean_hides_it():
    values = np.zeros(1_000_000)
    values[654_321] = 9.0
    found = drawn(pyramid_of(values), view(0, 1e6))
    assert np.nanmax(found.y) < 0.1
    assert found.band_y.max() == 9.0


def test_a_short_series_is_drawn_as_it_is():
    found = drawn(pyramid_of([3.0, 1.0, 2.0]), view(-5, 10))
    assert found.x.tolist() == [0, 1, 2]
    assert found.y.tolist() == [3, 1, 2]
    assert not found.has_band


def test_gaps_stay_and_a_value_between_two_is_seen():
    values = [1.0, 1.0, np.nan, 4.0, np.inf, 1.0, 1.0]
    found = drawn(pyramid_of(values), view(0, 10))
    assert found.x.tolist() == pytest.approx([0, 1, 2, 2.97, 3.03, 4, 5, 6])
    np.testing.assert_array_equal(found.y, [1, 1, np.nan, 4, 4, np.nan, 1, 1])


def test_a_long_gap_is_a_gap_at_any_zoom():
    values = np.ones(1_000_000)
    values[400_000:500_000] = np.nan
    for left, right in ((0, 1e6), (390_000, 510_000), (399_990, 400_010)):
        found = drawn(pyramid_of(values), view(left, right))
        missing = found.x[np.isnan(found.y)]
        assert missing.size
        assert missing.min() >= 400_000 - (right - left) / 250
        assert missing.max() <= 500_000 + (right - left) / 250


@pytest.mark.parametrize("log_x", [False, True])
def test_a_line_through_means_begins_and_ends_where_the_series_does(log_x):
    values = np.concatenate([[50.0], np.full(99_998, 1.0), [7.0]])
    found = drawn(pyramid_of(values), view(0, 5 if log_x else 1e5, 0, 60, log_x=log_x))
    assert (found.x[0], found.y[0]) == (0, 50)
    assert (found.x[-1], found.y[-1]) == (pytest.approx(5 if log_x else 99_999), 7)


def test_a_scribble_becomes_a_mean_over_its_range():
    values = np.where(np.arange(400) % 2, 9.0, -9.0)
    seen = view(0, 400)
    found = drawn(pyramid_of(values), seen)
    assert seen.length(found.x, found.y) <= 3 * (500 + 100)
    assert np.abs(found.y[1:-1]).max() < 9
    assert found.has_band
    assert found.range() == (-9, 9)
    assert len(found.band_x) == 2 * len(values)


def test_swings_that_stand_apart_are_no_scribble():
    values = np.where(np.arange(41) % 4 < 2, 9.0, -9.0)
    seen = view(0, 40)
    found = drawn(pyramid_of(values), seen)
    assert seen.length(found.x, found.y) > 3 * (500 + 100)
    np.testing.assert_array_equal(found.y, values)
    assert not found.has_band


def test_what_is_not_positive_has_no_place_on_a_log_axis_but_hides_nothing_beside_it():
    values = np.tile([0.0, -3.0, 100.0, 1e-3], 5000)
    found = drawn(pyramid_of(values), view(0, 20_000, -4, 3, log_y=True))
    assert found.range() == pytest.approx((-3, 2))
    exact = drawn(pyramid_of([10.0, 0.0, -1.0, 100.0]), view(0, 4, -4, 3, log_y=True))
    np.testing.assert_array_equal(np.isnan(exact.y), [False] * 2 + [True] * 2 + [False] * 2)


def test_iteration_0_has_a_place_on_a_log_axis():
    seen = view(0, 3, log_x=True)
    assert seen.x(np.array([0, 9, 999])).tolist() == [0, 1, 3]
    assert [round(seen.iteration(x)) for x in (0, 1, 3)] == [0, 9, 999]
    assert drawn(pyramid_of(np.arange(1000.0)), seen).x[0] == 0


def test_a_growing_series_keeps_its_picture():
    values = np.random.default_rng(0).random(20_000)
    series, seen = Pyramid(), view(0, 30_000, 0, 1)
    series.extend(values[:19_990])
    before = series.stretches(seen, 1000)
    series.extend(values)
    after = series.stretches(seen, 1000)
    for part in ("first", "low", "high", "mean"):
        np.testing.assert_array_equal(getattr(before, part)[:-1], getattr(after, part)[: len(before) - 1])


def test_points_know_the_last_one_before_an_iteration():
    series = Points(np.array([0, 8, 16]), np.array([5.0, 4.0, 3.0]))
    assert [series.at(i) for i in (0, 7, 8, 23)] == [(0, 5.0), (0, 5.0), (8, 4.0), (16, 3.0)]
    assert series.at(24) is None, "the next one would be there"
    assert Points().at(3) is None
    assert Points().end == -1


def test_a_staircase_holds_until_its_next_step():
    series = Staircase(np.array([0.5, 2.0, 2.5]), np.array([9.0, 4.0, 1.0]), 10.0)
    assert [series.at(i) for i in (0, 1, 2, 3, 10, 11)] == [
        None,
        (1, 9.0),
        (2, 4.0),
        (3, 1.0),
        (10, 1.0),
        None,
    ]
    found = drawn(series, view(0, 10))
    assert found.x.tolist() == [0.5, 2, 2, 2.5, 2.5, 10]
    assert found.y.tolist() == [9, 9, 4, 4, 1, 1]
    assert not found.has_band


def test_what_is_far_above_is_painted_near_and_leaves_where_it_rises():
    seen = view(0, 4, 0, 10)
    found = drawn(pyramid_of([5.0, 1e112, np.inf, 2.0]), seen)
    near = found.within(seen)
    assert near.y[:2].tolist() == [5.0, 30.0]
    assert near.exit(seen) == pytest.approx(0.2)
    assert found.y[1] == 1e112
    assert drawn(pyramid_of([5.0, 2.0]), seen).exit(seen) is None
    assert drawn(pyramid_of([50.0, 2.0]), seen).exit(seen) == 0.0


def test_nothing_is_drawn_of_nothing():
    for series in (Pyramid(), Points()):
        found = drawn(series, view())
        assert len(found.x) == 0
        assert found.range() is None
