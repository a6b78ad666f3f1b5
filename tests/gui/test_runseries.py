"""What runs have recorded, as series and as a table."""

import csv
import io

import numpy as np
import pytest

from engine.training import Recipe, Run
from graphs.network import bind, built_in_names, load
from gui.runseries import Entry, RunSeries, csv_table, entries_of, moving_entries


def trained(name="two-layer-nonlinear", iterations=50, **recipe):
    run = Run(bind(load(name)), Recipe(**recipe))
    run.advance(iterations)
    return run


def series_of(run):
    series = RunSeries(run)
    series.update()
    return series


def table(runs, more=()):
    text = b"".join(csv_table([(name, series_of(run)) for name, run in runs], more)).decode()
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("name", built_in_names())
def test_series_are_what_the_run_has_recorded(name):
    run = trained(name, 20)
    series = series_of(run)
    assert np.array_equal(series.loss.values, run.losses)
    samples = list(run.history.samples)
    assert series.norm.values.tolist() == [s.gradient_norm for s in samples]
    assert series.norm.iterations.tolist() == [s.point.iteration for s in samples]
    assert len(series.held) == 0
    for entry in entries_of(run):
        wanted = [float(s.point.parameters[entry.parameter][entry.place]) for s in samples]
        assert series.trace(entry).values.tolist() == wanted


def test_series_grow_with_the_run_and_follow_when_samples_are_dropped():
    run = trained(iterations=10)
    series = series_of(run)
    for _ in range(3):
        run.advance(900)
        series.update()
        assert np.array_equal(series.loss.values, run.losses)
        assert np.array_equal(series.norm.iterations, run.history.samples.iterations)
    assert run.history.stride > 1


def test_the_state_of_an_optimizer_is_no_parameter():
    run = trained(iterations=30, optimizer="adam")
    entry = Entry("b2", ())
    samples = run.history.samples
    assert series_of(run).trace(entry).values.tolist() == [float(s.point.parameters["b2"]) for s in samples]
    assert {e.parameter for e in moving_entries(run, 100)} == set(run.problem.parameters)


def test_entries_that_move_most_come_in_the_order_of_the_parameters():
    run = trained("perceptron-classifier", 30)
    everything = list(entries_of(run))
    chosen = moving_entries(run, 5)
    assert len(chosen) == 5
    assert chosen == [e for e in everything if e in chosen]
    spread = {e: np.ptp(series_of(run).trace(e).values) for e in everything}
    assert min(spread[e] for e in chosen) >= max(spread[e] for e in everything if e not in chosen)


def test_an_entry_has_a_name_and_knows_where_it_is():
    run = trained(iterations=0)
    assert Entry("W1", (2, 0)).text == "W1[2, 0]"
    assert Entry("W1", (2, 0)).title == "W₁[2, 0]"
    assert Entry("b2", ()).text == "b2"
    assert Entry("W1", (3, 0)).is_in(run)
    assert not Entry("W1", (4, 0)).is_in(run)
    assert not Entry("W1", ()).is_in(run)
    assert not Entry("nothing", ()).is_in(run)


def test_a_table_gives_the_numbers_back_bit_for_bit():
    runs = [("one", trained(iterations=30)), ("other", trained(iterations=12, optimizer="momentum"))]
    header, *rows = table(runs, [("more", np.array([np.nan, 2.0]))])
    assert header == [
        "iteration",
        "one: loss",
        "one: gradient norm",
        "other: loss",
        "other: gradient norm",
        "more",
    ]
    assert [int(row[0]) for row in rows] == list(range(31))
    for column, (_, run) in zip((1, 3), runs, strict=True):
        known = [row[column] for row in rows if row[column]]
        assert [float(v) for v in known] == run.losses.tolist()
    assert rows[13][3:] == ["", "", ""]
    assert [row[5] for row in rows[:3]] == ["nan", "2.0", ""]


def test_what_is_kept_from_time_to_time_stands_at_its_iterations():
    run = trained(iterations=3000)
    rows = table([("run", run)])[1:]
    known = {int(row[0]): float(row[2]) for row in rows if row[2]}
    samples = run.history.samples
    assert run.history.stride > 1
    assert known == dict(zip(samples.iterations.tolist(), samples.numbers[:, 1].tolist(), strict=True))


def test_headers_are_quoted_and_no_two_are_the_same():
    run = trained(iterations=1)
    text = b"".join(csv_table([('a "b", c', series_of(run)), ('a "b", c', series_of(run))])).decode()
    assert text.startswith('"iteration","a ""b"", c: loss","a ""b"", c: gradient norm",')
    header = next(csv.reader(io.StringIO(text)))
    assert len(set(header)) == len(header) == 5


def test_a_run_that_diverged_has_its_last_loss_in_the_table():
    run = trained("univariate-regression", 50, settings={"learning_rate": 1e200})
    assert run.diverged
    assert table([("run", run)])[-1][1] in ("inf", "nan")
