"""Reading tables, choosing columns, standardising, and dealing out mini-batches."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data import (
    Between,
    Dataset,
    batch_indices,
    batches_per_epoch,
    held_examples,
    parse_csv,
    read_csv,
    select,
)
from engine.errors import BackstepError, DataError, FormulaError, TrainingError, excerpt

BUILT_IN = Path(__file__).parents[2] / "graphs" / "datasets"


def built_in(name: str) -> Dataset:
    return read_csv(BUILT_IN / f"{name}.csv", name=name)


def numbers(dataset: Dataset, column: str) -> np.ndarray:
    values = dataset.table[column]
    assert isinstance(values, np.ndarray), f"{column} is a column of text"
    return values


def line_fit(dataset: Dataset, x: str, y: str) -> tuple[float, float]:
    """Return intercept and slope of the least-squares line through two columns."""
    chosen = select(dataset, {"x": [x]}, {"y": [y]})
    design = np.vstack([np.ones(chosen.rows.size), chosen.arrays["x"]]).T
    intercept, slope = np.linalg.lstsq(design, chosen.arrays["y"][0], rcond=None)[0]
    return float(intercept), float(slope)


# The errors ------------------------------------------------------------------------------------------------


def test_an_error_says_where_what_and_how_on_one_line() -> None:
    error = FormulaError(
        "the shapes (4, 3) and (2, 50)\ndo not fit for @", 2, 9, how="Transpose one with .T."
    )
    assert str(error) == (
        "line 2, column 9: the shapes (4, 3) and (2, 50) do not fit for @. Transpose one with .T."
    )


@pytest.mark.parametrize(
    "error", [FormulaError("no", 3, 4, how="Do so."), DataError("no", where="a.csv"), TrainingError("no")]
)
def test_an_error_travels_between_processes_whole(error: BackstepError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), vars(copy), type(copy)) == (str(error), vars(error), type(error))


@given(st.text(), st.integers(3, 80))
def test_an_excerpt_is_one_line_no_longer_than_asked(text: str, limit: int) -> None:
    short = excerpt(text, limit)
    assert len(short) <= limit
    assert len(short.splitlines()) <= 1


def test_an_excerpt_of_a_huge_text_shows_both_ends() -> None:
    assert excerpt("a" * 10_000_000 + "b" * 10_000_000, 9) == "aaaa…bbbb"


# The built-in data against published figures ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rows", "columns"),
    [("cars", 50, 2), ("penguins", 344, 8), ("mcycle", 133, 2), ("faithful", 272, 2), ("airquality", 153, 6)],
)
def test_a_built_in_table_has_its_published_size(name: str, rows: int, columns: int) -> None:
    dataset = built_in(name)
    assert (dataset.rows, len(dataset.columns)) == (rows, columns)


@pytest.mark.parametrize(
    ("name", "x", "y", "intercept", "slope"),
    [
        # R: coef(lm(dist ~ speed, cars)); ?cars and any textbook that uses it.
        ("cars", "speed", "dist", -17.5791, 3.9324),
        # R: coef(lm(eruptions ~ waiting, faithful)).
        ("faithful", "waiting", "eruptions", -1.874016, 0.075628),
        # R: coef(lm(body_mass_g ~ flipper_length_mm, penguins)); palmerpenguins' own introduction.
        ("penguins", "flipper_length_mm", "body_mass_g", -5780.83, 49.69),
        # R: coef(lm(Ozone ~ Temp, airquality)).
        ("airquality", "Temp", "Ozone", -146.9955, 2.4287),
    ],
)
def test_a_built_in_table_gives_the_published_line(
    name: str, x: str, y: str, intercept: float, slope: float
) -> None:
    assert line_fit(built_in(name), x, y) == pytest.approx((intercept, slope), rel=1e-4)


def test_mcycle_has_its_published_range() -> None:
    # R: summary(MASS::mcycle): times 2.4 to 57.6, median 23.4; accel -134 to 75, median -13.3.
    mcycle = built_in("mcycle")
    quantiles = [np.quantile(numbers(mcycle, name), [0, 0.5, 1]) for name in ("times", "accel")]
    np.testing.assert_allclose(quantiles, [[2.4, 23.4, 57.6], [-134, -13.3, 75]])


def test_penguins_has_its_published_species() -> None:
    species = built_in("penguins").table["species"]
    counts = {name: list(species).count(name) for name in ("Adelie", "Chinstrap", "Gentoo")}
    assert counts == {"Adelie": 152, "Chinstrap": 68, "Gentoo": 124}


def test_every_built_in_table_names_its_source_and_licence() -> None:
    sections = (BUILT_IN / "SOURCES.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert {text.splitlines()[0] for text in sections} == {path.name for path in BUILT_IN.glob("*.csv")}
    assert all("Licence:" in text for text in sections)


# Reading ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,y\n",
        "\ufeffa,b\r\n1,x\r\n2,y\r\n",
        "a;b\n1;x\n2;y",
        "a\tb\n1\tx\n\n2\ty\n\n",
        '"a", "b"\n"1", "x"\n 2 , y \n',
        "a,b\r1,x\r2,y\r",
    ],
)
def test_the_same_table_in_another_dialect_reads_the_same(text: str) -> None:
    dataset = parse_csv(text)
    assert dataset.columns == ("a", "b")
    assert numbers(dataset, "a").tolist() == [1.0, 2.0]
    assert dataset.table["b"] == ("x", "y")


def test_semicolons_allow_a_decimal_comma() -> None:
    assert numbers(parse_csv("a;b\n1,5;2.5\n"), "a").tolist() == [1.5]


def test_a_quoted_comma_belongs_to_the_value() -> None:
    assert parse_csv('place,n\n"Aachen, West",1\n').table["place"] == ("Aachen, West",)


def test_a_column_without_a_name_gets_one() -> None:
    assert parse_csv('"",speed\n"1",4\n').columns == ("column 1", "speed")


@pytest.mark.parametrize("word", ["", "NA", "NaN", "nan", "null", "NULL", "?", "n/a"])
def test_a_missing_value_keeps_its_column_numeric(word: str) -> None:
    column = numbers(parse_csv(f"a,b\n1,0\n{word},0\n"), "a")
    assert column[0] == 1
    assert np.isnan(column[1])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["empty"]),
        ("\n \n", ["empty"]),
        ("a,b\n", ["no rows"]),
        ("a,a\n1,2\n", ["two columns are named a"]),
        ("a,b\n1,2\n\n3\n", ["line 4", "1 value", "2 columns"]),
        ("a,b\n1,2\n3,4,5\n", ["line 3", "3 values"]),
        ('a,b\n"1,2\n', ["CSV", "quotation mark"]),
        ("a,b\n1,2\n1e400,2\n", ["column a, line 3", "1e400", "not a finite number"]),
        ("a\n-inf\n", ["column a, line 2", "-inf"]),
        ("a\n" + "x" * 200_000 + "\n", ["line 2", "CSV"]),
    ],
)
def test_a_broken_table_says_where_and_what(text: str, parts: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        parse_csv(text, name="mine.csv")
    message = str(caught.value)
    assert message.startswith("mine.csv")
    assert "\n" not in message
    assert [part for part in parts if part not in message] == []


@given(st.text(alphabet='ab1.,;\t"\n\r -e\ufeff\x00', max_size=60))
def test_any_text_gives_a_table_or_a_data_error(text: str) -> None:
    try:
        dataset = parse_csv(text)
    except DataError:
        return
    assert {len(column) for column in dataset.table.values()} == {dataset.rows}


def test_files_are_read_whatever_their_byte_order_mark(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path = tmp_path / f"{encoding}.csv"
        path.write_text("größe\n1\n", encoding=encoding)
        assert read_csv(path).columns == ("größe",)


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv: the file cannot be read \(no such file"):
        read_csv(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="cannot be read"):
        read_csv(tmp_path)


# Selecting -------------------------------------------------------------------------------------------------


def test_columns_become_rows_in_the_order_asked() -> None:
    chosen = select(parse_csv("a,b,y\n1,2,3\n4,5,6\n"), {"X": ["b", "a"]}, {"y": ["y"]})
    assert chosen.arrays["X"].tolist() == [[2, 5], [1, 4]]
    assert chosen.arrays["y"].tolist() == [[3, 6]]
    assert chosen.columns == {"X": ("b", "a"), "y": ("y",)}
    assert chosen.notices == ()


def test_only_gaps_in_chosen_columns_cost_a_row() -> None:
    penguins = built_in("penguins")
    chosen = select(penguins, {"X": ["bill_length_mm"]}, {"y": ["flipper_length_mm"]})
    assert chosen.arrays["X"].shape == (1, 342)
    assert chosen.dropped == 2
    assert chosen.notices == (
        "2 of 344 rows have missing values in bill_length_mm or flipper_length_mm and were left out.",
    )
    assert 3 not in chosen.rows


def test_a_filter_and_two_classes_make_a_logistic_target() -> None:
    chosen = select(
        built_in("penguins"),
        {"X": ["bill_length_mm", "bill_depth_mm"]},
        {"y": ["species"]},
        standardize=True,
        where={"species": ["Adelie", "Gentoo"]},
    )
    assert chosen.arrays["X"].shape == (2, 274)
    assert np.unique(chosen.arrays["y"]).tolist() == [0, 1]
    assert chosen.arrays["y"].sum() == 123
    assert chosen.classes == {"species": ("Adelie", "Gentoo")}
    assert chosen.notices == (
        "Only rows with species Adelie or Gentoo are used.",
        "2 of 276 rows have missing values in bill_length_mm or bill_depth_mm and were left out.",
        "In species, Adelie counts as 0 and Gentoo as 1.",
        "bill_length_mm and bill_depth_mm are standardised: mean 0, standard deviation 1.",
    )


def test_a_range_keeps_both_its_ends_and_no_row_without_a_value() -> None:
    data = parse_csv("x,y\n1,1\n2,2\nNA,3\n4,4\n", name="mine.csv")
    for between, kept, said in (
        (Between(2, 4), [2, 4], "from 2 to 4"),
        (Between(most=2), [1, 2], "to 2"),
        (Between(least=1.5), [2, 4], "from 1.5"),
    ):
        chosen = select(data, {"X": ["y"]}, {}, where={"x": between})
        assert chosen.arrays["X"].tolist() == [kept]
        assert chosen.notices == (f"Only rows with x {said} are used.",)


def test_what_was_guessed_when_reading_is_said_with_what_was_chosen() -> None:
    chosen = select(parse_csv("1,2\n3,4\n"), {"X": ["c1"]}, {"y": ["c2"]})
    assert "no header" in chosen.notices[0]


def test_standardised_rows_have_mean_0_and_deviation_1_and_a_way_back() -> None:
    cars = built_in("cars")
    chosen = select(cars, {"x": ["speed"]}, {"y": ["dist"]}, standardize=True)
    for name, column in (("x", "speed"), ("y", "dist")):
        array, scaling = chosen.arrays[name], chosen.scaling[name]
        assert (array.mean(), array.std()) == pytest.approx((0, 1))
        np.testing.assert_allclose((array * scaling.deviation + scaling.mean)[0], numbers(cars, column))


def test_a_target_of_noughts_and_ones_stays_so() -> None:
    chosen = select(parse_csv("x,y\n1,0\n2,1\n4,1\n"), {"x": ["x"]}, {"y": ["y"]}, standardize=True)
    assert chosen.arrays["y"].tolist() == [[0, 1, 1]]
    assert "y" not in chosen.scaling


def test_standardising_can_be_asked_for_single_columns() -> None:
    dataset = parse_csv("a,b,y\n1,2,3\n4,5,6\n")
    chosen = select(dataset, {"X": ["a", "b"]}, {"y": ["y"]}, standardize=["b"])
    assert chosen.arrays["X"].tolist() == [[1, 4], [-1, 1]]
    assert chosen.scaling["X"].mean.tolist() == [[0], [3.5]]


def test_arrays_cannot_be_written_to() -> None:
    chosen = select(built_in("cars"), {"x": ["speed"]}, {"y": ["dist"]}, standardize=True)
    for array in (*chosen.arrays.values(), chosen.rows, chosen.held, *chosen.scaling["x"]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"inputs": {"X": ["sped"]}}, ["no column sped", "Did you mean speed?", "speed, kind, same, dist"]),
        ({"inputs": {"X": []}}, ["no column is chosen for X", "speed, kind, same, dist"]),
        ({"inputs": {"X": ["kind"]}}, ["kind holds text (a in row 1), not numbers"]),
        ({"targets": {"y": ["kind"]}}, ["kind", "3 classes (a, b, c)", "where = { kind = [...] }"]),
        ({"targets": {"X": ["dist"]}}, ["X is an input and a target"]),
        ({"inputs": {"X": ["same"]}, "standardize": True}, ["same has the value 0.1", "do not standardise"]),
        ({"standardize": ["dst"]}, ["no column dst"]),
        ({"where": {"kind": ["d"]}}, ["no row has 'd' in kind", "a, b, c"]),
        ({"where": {"kind": Between(1, 2)}}, ["kind holds text", "List the values"]),
        ({"where": {"kind": []}}, ["no value of kind is kept"]),
        ({"where": {"speed": Between(6)}}, ["no row passes the filter"]),
        ({"where": {"speed": Between(1, 1)}, "targets": {"y": ["kind"]}}, ["one class alone (a)"]),
        ({"where": {"kind": ["a"], "speed": [3]}}, ["no row passes the filter"]),
        ({"inputs": {"X": ["none"]}}, ["every row lacks a value in none"]),
    ],
)
def test_a_choice_that_cannot_be_made_says_why(options: dict, parts: list[str]) -> None:
    dataset = parse_csv("speed,kind,same,dist,none\n1,a,.1,2,\n3,b,.1,4,\n5,c,.1,7,\n", name="mine.csv")
    choice = {"inputs": {"X": ["speed"]}, "targets": {"y": ["dist"]}, **options}
    with pytest.raises(DataError) as caught:
        select(dataset, **choice)
    assert [part for part in parts if part not in str(caught.value)] == []


@given(st.lists(st.floats(-1e150, 1e150), min_size=2, max_size=30, unique=True))
def test_standardising_any_numbers_stays_finite(values: list[float]) -> None:
    text = "x,y\n" + "".join(f"{value!r},0\n" for value in values)
    try:
        chosen = select(parse_csv(text), {"x": ["x"]}, {"y": ["y"]}, standardize=True)
    except DataError:
        return
    assert np.isfinite(chosen.arrays["x"]).all()


# Held-out examples -----------------------------------------------------------------------------------------


@given(st.integers(2, 400), st.floats(0.0, 1.0, exclude_max=True), st.integers(0, 99))
def test_both_sides_have_examples_or_it_is_said_why_not(m: int, fraction: float, seed: int) -> None:
    if fraction and int(fraction * m + 0.5) in (0, m):
        with pytest.raises(DataError, match="leaves none to"):
            held_examples(m, fraction, seed)
        return
    held = held_examples(m, fraction, seed)
    assert len(held) == pytest.approx(fraction * m, abs=0.5)
    assert len(held) < m
    assert (len(held) > 0) is (fraction > 0)
    assert sorted(set(held.tolist())) == held.tolist()
    assert set(held.tolist()) <= set(range(m))
    assert held.tolist() == held_examples(m, fraction, seed).tolist()


def test_the_seed_decides_which_examples_are_held_out() -> None:
    drawn = {tuple(held_examples(50, 0.2, seed).tolist()) for seed in range(20)}
    assert len(drawn) == 20
    assert np.bincount(np.concatenate([held_examples(50, 0.2, s) for s in range(500)])).std() < 12


def test_the_mini_batches_are_drawn_apart_from_what_is_held_out() -> None:
    first = batch_indices(50, 10, 0, seed=3)
    assert first is not None
    assert sorted(first.tolist()) != held_examples(50, 0.2, seed=3).tolist()


@pytest.mark.parametrize(
    ("m", "fraction", "parts"),
    [
        (10, 1.0, ["1 of the examples cannot be held out", "from 0 to below 1"]),
        (10, -0.1, ["-0.1 of the examples", "from 0 to below 1"]),
        (10, float("nan"), ["nan of the examples", "from 0 to below 1"]),
        (10, 0.01, ["0.01 of 10 examples leaves none to hold out", "between 0.1 and 0.9"]),
        (4, 0.99, ["0.99 of 4 examples leaves none to train on", "between 0.25 and 0.75"]),
        (1, 0.5, ["0.5 of 1 example leaves none to train on", "Leave held_out out."]),
    ],
)
def test_what_cannot_be_held_out_is_said(m: int, fraction: float, parts: list[str]) -> None:
    with pytest.raises(DataError) as caught:
        held_examples(m, fraction, seed=0)
    assert [part for part in parts if part not in str(caught.value)] == []


def test_standardising_learns_nothing_from_what_is_held_out() -> None:
    cars = built_in("cars")
    chosen = select(cars, {"x": ["speed"]}, {"y": ["dist"]}, standardize=True, held_out=0.2, seed=4)
    kept = np.delete(np.arange(50), chosen.held)
    assert len(chosen.held) == 10
    for name, column in (("x", "speed"), ("y", "dist")):
        raw, array, scaling = numbers(cars, column), chosen.arrays[name], chosen.scaling[name]
        assert (array[0, kept].mean(), array[0, kept].std()) == pytest.approx((0, 1))
        assert array[0].mean() != pytest.approx(0, abs=1e-6)
        assert float(scaling.mean[0, 0]) == pytest.approx(raw[kept].mean())
        np.testing.assert_allclose((array * scaling.deviation + scaling.mean)[0], raw)
    assert chosen.notices == (
        "speed and dist are standardised: mean 0, standard deviation 1 over the training examples.",
    )


def test_a_column_that_varies_only_where_it_is_held_out_cannot_be_standardised() -> None:
    held = int(held_examples(4, 0.25, seed=0)[0])
    rows = "".join(f"{9 if i == held else 5},{i}\n" for i in range(4))
    with pytest.raises(DataError, match="x has the value 5 in every row of the training examples"):
        select(parse_csv("x,y\n" + rows), {"x": ["x"]}, {"y": ["y"]}, standardize=True, held_out=0.25)


# Mini-batches ----------------------------------------------------------------------------------------------


@given(st.integers(1, 60), st.data(), st.integers(0, 9), st.integers(0, 5))
def test_an_epoch_deals_every_example_once(m: int, data: st.DataObject, seed: int, epoch: int) -> None:
    size = data.draw(st.integers(1, max(1, m - 1)))
    count = batches_per_epoch(m, size)
    batches = [batch_indices(m, size, epoch * count + turn, seed) for turn in range(count)]
    dealt = np.concatenate([np.arange(m) if batch is None else batch for batch in batches])
    assert sorted(dealt.tolist()) == list(range(m))
    assert all(batch is None or batch.size <= size for batch in batches)


def test_a_mini_batch_depends_on_its_iteration_not_on_the_way_there() -> None:
    forward = [batch_indices(10, 3, iteration, seed=7) for iteration in range(40)]
    backward = [batch_indices(10, 3, iteration, seed=7) for iteration in reversed(range(40))][::-1]
    assert [list(batch) for batch in forward] == [list(batch) for batch in backward]  # pyright: ignore
    assert len({tuple(batch) for batch in forward}) > 30  # pyright: ignore


def test_full_batches_need_no_indices() -> None:
    assert batch_indices(10, None, 5, seed=0) is None
    assert batch_indices(10, 10, 5, seed=0) is None


@pytest.mark.parametrize("size", [0, -1, 51])
def test_an_impossible_batch_size_names_both_numbers(size: int) -> None:
    with pytest.raises(TrainingError, match=rf"mini-batch of {size} cannot be taken from 50 examples"):
        batch_indices(50, size, 0, seed=0)


def test_a_batch_cannot_be_written_to() -> None:
    batch = batch_indices(10, 3, 0, seed=0)
    assert batch is not None
    with pytest.raises(ValueError, match="read-only"):
        batch[0] = 1


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="only where there is such a device")
def test_a_device_is_not_read_without_end() -> None:
    with pytest.raises(DataError, match="not an ordinary file"):
        read_csv("/dev/zero")
