"""What a reader sees for a number."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.views.numbers import compact, format_number, full, shape_and_names, shape_text, signed

WRITTEN = [
    (0.67801, "0.6780"),
    (0.678, "0.678"),
    (0.5, "0.5"),
    (1.0, "1"),
    (1.00001, "1.000"),
    (-12, "−12"),
    (0.0, "0"),
    (-0.0, "0"),
    (-1e-8, "−1e−8"),
    (1.23456e-7, "1.235e−7"),
    (12345.678, "12346"),
    (123456, "123456"),
    (1234567, "1.235e6"),
    (999999.5, "1.000e6"),
    (math.nan, "not a number"),
    (math.inf, "infinite"),
    (-math.inf, "−infinite"),
]


@pytest.mark.parametrize(("number", "text"), WRITTEN)
def test_a_number_is_written_as_a_reader_expects(number, text):
    assert format_number(number) == text


def test_a_sign_is_printed_except_on_zero():
    assert [signed(x) for x in (0.5, -0.5, 0.0, -0.0)] == ["+0.5", "−0.5", "0", "0"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0567, "+.057"), (-0.006, "−.006"), (0, "0"), (1.5, "+1.5"), (4e-12, "≈0"), (12345.6, "+1e4")],
)
def test_a_narrow_cell_keeps_sign_and_size(number, text):
    assert compact(number, 5) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_negative_zero_is_never_written(number):
    for text in (format_number(number), signed(number), *(compact(number, n) for n in range(2, 9))):
        digits = text.strip("+−≈").split("e")[0]
        assert not (text.startswith("−") and set(digits) <= set("0.")), text


@given(st.floats(), st.integers(3, 12))
def test_a_narrow_cell_is_never_overrun(number, chars):
    assert len(compact(number, chars)) <= chars


@given(st.floats(min_value=-1e12, max_value=1e12).filter(lambda x: abs(x) > 1e-12))
def test_four_digits_are_right(number):
    assert float(format_number(number).replace("−", "-")) == pytest.approx(number, rel=5.1e-4)


@given(st.floats(allow_nan=False))
def test_full_precision_reads_back_the_same(number):
    assert float(full(number)) == number


def test_shapes_are_written_with_sizes_or_names():
    assert shape_text((4, 12)) == "4 × 12"
    assert shape_text((4, 12), ("k", None)) == "k × 12"
    assert shape_text(()) == "scalar"
    assert shape_and_names((4, 12), ("k", "m")) == "4 × 12 (k × m)"
    assert shape_and_names((4, 12)) == "4 × 12"
