"""What is typed for a name, and how it is shown again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from engine.errors import BackstepError
from graphs.entries import MOST_SHOWN, Drawn, Wanted, entry_text, number_text, read_entry


@pytest.mark.parametrize(
    ("text", "shape", "value"),
    [
        ("0.05, 0.1", (2, None), [[0.05], [0.1]]),
        ("0.05 0.1", (2, 1), [[0.05], [0.1]]),
        ("[0.05, 0.1]", (2, None), [[0.05], [0.1]]),
        ("0.05, 0.1", (1, None), [[0.05, 0.1]]),
        ("0.05, 0.1", None, [[0.05, 0.1]]),
        ("[[0.05, 0.1]]", (2, 1), [[0.05, 0.1]]),
        ("1, 2, 3", (2, None), [[1, 2, 3]]),
        ("0.05; 0.1", None, [[0.05], [0.1]]),
        ("0.15, 0.20; 0.25, 0.30", None, [[0.15, 0.2], [0.25, 0.3]]),
        ("0.15 0.20; 0.25 0.30", None, [[0.15, 0.2], [0.25, 0.3]]),
        ("[[0.15, 0.20], [0.25, 0.30]]", None, [[0.15, 0.2], [0.25, 0.3]]),
        ("0.35", (2, 1), 0.35),
        ("1/3", (), 1 / 3),
        ("2", (1, 1), [[2]]),
        ("2", (None, None), [[2]]),
        ("2", (1, None), [[2]]),
        ("2", (None, 1), 2),
    ],
)
def test_numbers_are_read_as_the_formula_needs_them(text: str, shape: Wanted | None, value: Any) -> None:
    found = read_entry(text, shape)
    assert isinstance(found, np.ndarray)
    np.testing.assert_array_equal(found, np.array(value, dtype=float), strict=True)
    assert not found.flags.writeable


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("xavier", Drawn("xavier")),
        ("Zeros", Drawn("zeros")),
        ("he (k × n)", Drawn("he", ("k", "n"))),
        ("normal 3 x 1", Drawn("normal", (3, 1))),
        ("ones [k, 2]", Drawn("ones", ("k", 2))),
        ("uniform k by n", Drawn("uniform", ("k", "n"))),
        ("zeros ()", Drawn("zeros", ())),
    ],
)
def test_an_initialiser_may_have_a_shape(text: str, drawn: Drawn) -> None:
    assert read_entry(text) == drawn


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1e400", "too large"),
        ("nan", "not a finite number"),
        ("inf", "finite"),
        ("1, two; 3, 4", "row"),
        ("[[1, 2], [3]]", "row 2"),
        ("True", "not a number"),
        ("[1, 2", "not closed"),
        ("", "no numbers"),
        ("xavier 3", "rows and columns"),
        ("xavier 0 x 2", "not the length"),
        ("xavier 2 x 2 x 2", "rows and columns"),
        ("__import__('os')", "__import__"),
        ("9" * 500, "too large"),
    ],
)
def test_what_is_no_value_is_said_in_one_line(text: str, said: str) -> None:
    with pytest.raises(BackstepError, match=said) as caught:
        read_entry(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@given(
    npst.arrays(float, st.sampled_from([(), (1, 1), (1, 3), (3, 1), (2, 4)]), elements=st.floats(-1e9, 1e9))
)
def test_what_is_shown_reads_back_as_the_same_numbers(array: np.ndarray) -> None:
    np.testing.assert_array_equal(read_entry(entry_text(array)), array + 0.0, strict=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([[0.15, 0.2], [0.25, 0.3]], "[[0.15, 0.2], [0.25, 0.3]]"),
        ([[1.1, 2.0]], "[1.1, 2]"),
        ([[1.0], [2.0]], "[[1], [2]]"),
        ([[5.0]], "[[5]]"),
        (1 / 3, "1/3"),
        ([[-2 / 7, 0.375]], "[-2/7, 0.375]"),
        (2.8e-17, "2.8e-17"),
        (-0.0, "0"),
        (1e22, "1e22"),
        (0.30000000000000004, "0.30000000000000004"),
    ],
)
def test_numbers_are_written_as_a_person_would(value: Any, text: str) -> None:
    array = np.array(value, dtype=float)
    assert entry_text(array) == text
    np.testing.assert_array_equal(read_entry(text), array, strict=True)


@given(st.integers(-500, 500), st.integers(1, 300))
def test_the_text_of_a_fraction_reads_back_as_the_same_number(p: int, q: int) -> None:
    found = read_entry(number_text(p / q))
    assert isinstance(found, np.ndarray)
    assert float(found) == p / q


def test_many_numbers_are_not_written_into_a_field() -> None:
    assert entry_text(np.zeros((1, MOST_SHOWN + 1))) == ""
