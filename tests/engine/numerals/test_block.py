"""Blocks pasted from elsewhere: every form reads back, what cannot be read says where and why."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.errors import NumeralError
from engine.numerals import MAX_CHARACTERS, array

Array = np.ndarray
SAME = [[1.0, 2.5], [-3.0, 1 / 3]]
FORMS = {
    "spreadsheet": "1\t2.5\r\n-3\t=1/3\r\n",
    "spreadsheet with decimal commas": "1\t2,5\n-3\t1/3",
    "csv": "1,2.5\n-3,1/3\n",
    "csv with spaces": "1, 2.5\n-3, 1/3",
    "csv with semicolons": "1;2,5\n-3;1/3",
    "csv with a semicolon at each end": "1;2,5;\n-3;1/3;",
    "spaces": "1 2.5\n-3 1 / 3",
    "python": "[[1, 2.5], [-3, 1/3]]",
    "python with trailing commas": "[\n  [1, 2.5,],\n  [-3, 1/3,],\n]",
    "tuples": "((1, 2.5), (-3, 1/3))",
    "lists of tuples": "[(1, 2.5), (-3, 1/3)]",
    "numpy": "array([[ 1.        ,  2.5       ],\n       [-3.        ,  0.3333333333333333]])",
    "numpy's source": "W1 = np.array([[1, 2.5], [-3, 1/3]], dtype=np.float64)",
    "numpy's print": "[[ 1.          2.5       ]\n [-3.          0.3333333333333333]]",
    "numpy's numbers": "[[np.float64(1.0), np.float64(2.5)], [np.float64(-3), 1/3]]",
    "numpy transposed": "np.array([[1, -3], [2.5, 1/3]]).T",
    "torch": "tensor([[1., 2.5], [-3., 1/3]], dtype=torch.float64, requires_grad=True)",
    "matlab": "[1 2.5; -3 1/3]",
    "matlab with commas": "W = [1, 2.5; -3, 1/3];",
    "matlab transposed": "[1 -3; 2.5 1/3]'",
    "matlab without brackets": "1 2.5; -3 1/3",
    "braces": "{{1, 2.5}, {-3, 1/3}}",
    "bmatrix": r"\begin{bmatrix} 1 & 2.5 \\ -3 & \frac{1}{3} \end{bmatrix}",
    "pmatrix": r"$$W_1 = \begin{pmatrix}1&2{,}5\\-3&\tfrac13\\\end{pmatrix}$$",
    "smallmatrix": r"\left(\begin{smallmatrix}1&2.5\\-3&1/3\end{smallmatrix}\right)",
    "array": r"\left[ \begin{array}{cc} 1 & 2.5 \\[2pt] \hline -3 & \dfrac{1}{3} \end{array} \right].",
    "latex transposed": r"\begin{bmatrix} 1 & -3 \\ 2.5 & 1/3 \end{bmatrix}^{\top}",
    "latex without a frame": r"1 & 2.5 \\ -3 & \frac{1}{3}",
}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_the_same_matrix_is_read_in_every_form(text: str) -> None:
    np.testing.assert_array_equal(array(text), SAME)


READ: list[tuple[str, Any]] = [
    ("0.5", 0.5),
    ("1/3", 1 / 3),
    ("0,5", 0.5),
    ("max(1, 2)", 2.0),
    ("(1 + 2) * 3", 9.0),
    (r"\frac{1}{3}", 1 / 3),
    (r"2\sqrt{3}", 2 * np.sqrt(3)),
    (r"\sqrt[3]{8}", 2.0),
    (r"2\cdot 3 + \left(\frac{1}{2}\right)^2", 6.25),
    (r"-2^{10}", -1024.0),
    (r"\exp(-1)", np.exp(-1)),
    (r"e^{-1}", np.e**-1),
    (r"1.25 \times 10^{-5}", 1.25e-5),
    (r"2\pi", 2 * np.pi),
    ("[5]", [[5.0]]),
    ("[1, 2, 3]", [[1.0, 2.0, 3.0]]),
    ("[1. 2.\n 3.]", [[1.0, 2.0, 3.0]]),
    ("[1; 2; 3]", [[1.0], [2.0], [3.0]]),
    ("1\n2\n3", [[1.0], [2.0], [3.0]]),
    ("1 -2 3 - 1", [[1.0, -2.0, 2.0]]),
    ("0,5 1,5", [[0.5, 1.5]]),
    ("1, 2, 3", [[1.0, 2.0, 3.0]]),
    ("1.234,5\t2", [[1234.5, 2.0]]),
    ("1,234.5\t2", [[1234.5, 2.0]]),
    ("1 234\t2", [[1234.0, 2.0]]),
    ("1\u00a0234 2", [[1234.0, 2.0]]),
    ("\ufeff1\t\u22122", [[1.0, -2.0]]),
]


@pytest.mark.parametrize(("text", "value"), READ)
def test_numbers_rows_and_columns(text: str, value: Any) -> None:
    found = array(text)
    assert found.shape == np.shape(value)
    np.testing.assert_array_equal(found, value)


@pytest.mark.parametrize(
    ("text", "shape", "value"),
    [
        ("1,2\n3,4", (2, 2), [[1.0, 2.0], [3.0, 4.0]]),
        ("1,2\n3,4", (2, 1), [[1.2], [3.4]]),
        ("1,2", (1, 2), [[1.0, 2.0]]),
        ("1,2", (), 1.2),
        ("1,234", (1, 2), [[1.0, 234.0]]),
        ("1;2;3", (1, 3), [[1.0, 2.0, 3.0]]),
        ("1;2;3", (3, 1), [[1.0], [2.0], [3.0]]),
    ],
)
def test_the_wanted_shape_decides_between_two_readings(text: str, shape: tuple, value: Any) -> None:
    np.testing.assert_array_equal(array(text, shape), value)


REFUSED = [
    ("", None, None, "there are no numbers"),
    (" \n\t\n", None, None, "there are no numbers"),
    ("some words here", 1, 1, "'some' is not a number"),
    ("1,2\n3,4", None, None, "may have the shape 2 × 2 or 2 × 1"),
    ("1,234\t5", None, None, "may part decimals or thousands"),
    ("1\t1/0", 1, 2, "1 / 0 divides by zero"),
    ("1\n1e400", 2, 1, "1e400 is too large"),
    ("1\tnan", 1, 2, "nan is not a finite number"),
    ("[[1, inf]]", 1, 2, "inf is not a finite number"),
    ("[[1,2],[3]]", 2, None, "it has 1 number where the first row has 2"),
    ("1\t2\n3", 2, None, "it has 1 number where the first row has 2"),
    ("1\t2\n3\t", 2, 2, "this cell is empty"),
    ("1,,2", 1, 2, "this cell is empty"),
    ("[[1, 2 3]]", 1, 2, "'2 3' is more than one number"),
    ("1\t2;3", 1, 2, "2;3 is more than one number"),
    ("speed\tdist\n4\t2", 1, 1, "'speed' is not a number. Leave the names out."),
    ("speed,dist\n4,2", 1, 1, "'speed' is not a number. Leave the names out."),
    ("<table><tr><td>1</td></tr></table>", None, None, "this is HTML"),
    ("<!DOCTYPE html><html>1</html>", None, None, "this is HTML"),
    ("[[[1, 2]]]", None, None, "more than two axes"),
    ("[[1, 2], [3, 4]", None, None, "is not closed"),
    ("[1, 2)", None, None, "a ] is missing"),
    ("[[1, 2], 3]", 2, None, "'3' stands outside the rows"),
    ("[]", 1, None, "this row is empty"),
    ("[[0. 1. ... 2.]]", None, None, "shortened with dots"),
    ("np.array([1, 2]) * 2", None, None, "stands after the brackets"),
    ("np.array([1, 2]", None, None, "a ) is missing"),
    ("[" * 60, None, None, "nested more than"),
    (r"\begin{bmatrix} 1 & 2", None, None, "has no \\end"),
    (r"2 \begin{bmatrix} 1 & 2 \end{bmatrix}", None, None, "'2' stands before the matrix"),
    (r"\begin{bmatrix} 1 & 2 \\ 3 \end{bmatrix}", 2, None, "it has 1 number where the first row has 2"),
    (r"\begin{bmatrix} 1 & a \end{bmatrix}", 1, 2, "'a' is not a number"),
    (r"\begin{bmatrix} 1 & \infty \end{bmatrix}", 1, 2, "not a finite number"),
    (r"1 & \foo{2}", 1, 2, "'\\foo'"),
    (r"\frac{1}{", 1, 1, "a } is missing"),
    ("{" * 400 + r"\pi", 1, 1, "nested more than"),
]


@pytest.mark.parametrize(("text", "row", "column", "words"), REFUSED, ids=[r[0][:20] for r in REFUSED])
def test_what_cannot_be_read_says_where_and_why(
    text: str, row: int | None, column: int | None, words: str
) -> None:
    with pytest.raises(NumeralError) as caught:
        array(text)
    assert words in str(caught.value)
    assert (caught.value.row, caught.value.column) == (row, column)


NUMBERS = arrays(
    np.float64,
    st.tuples(st.integers(1, 5), st.integers(1, 5)),
    elements=st.floats(-1e300, 1e300) | st.integers(-1000, 1000).map(float),
)


def lines(values: Array, separator: str, mark: str = ".") -> str:
    return "\n".join(separator.join(repr(x).replace(".", mark) for x in row) for row in values.tolist())


def printed(values: Array) -> str:
    with np.printoptions(threshold=10**6, floatmode="unique", linewidth=200):
        return str(values)


WRITERS: dict[str, Callable[[Array], str]] = {
    "tabs": lambda a: lines(a, "\t"),
    "spaces": lambda a: lines(a, "  "),
    "csv": lambda a: lines(a, ", "),
    "semicolons, decimal commas": lambda a: lines(a, ";", ","),
    "tabs, decimal commas": lambda a: lines(a, "\t", ","),
    "python": lambda a: repr(a.tolist()),
    "tuples": lambda a: repr(tuple(map(tuple, a.tolist()))),
    "numpy": lambda a: f"np.array({a.tolist()!r}, dtype=float)".replace("], [", "],\n       ["),
    "numpy's print": printed,
    "matlab": lambda a: "[" + "; ".join(" ".join(map(repr, row)) for row in a.tolist()) + "]",
    "latex": lambda a: (
        "\\begin{bmatrix}\n"
        + " \\\\\n".join(" & ".join(map(repr, row)) for row in a.tolist())
        + "\n\\end{bmatrix}"
    ),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@given(values=NUMBERS)
def test_every_array_reads_back_equal_in_every_form(write: Callable[[Array], str], values: Array) -> None:
    text = write(values)
    assume(values.size > 1 or "[" in text or "(" in text or "begin" in text)
    try:
        found = array(text, values.shape)
    except NumeralError as error:
        assume("may part decimals or thousands" not in str(error))  # 1,234 has no one meaning
        raise
    np.testing.assert_array_equal(np.reshape(found, values.shape), values)


PARTING = ";,\t\n \u00a0[](){}&\\|=+-−*/@^.'\"<>:…_"


@given(st.text(PARTING, max_size=30) | st.text(max_size=30).filter(lambda t: not any(map(str.isalnum, t))))
@example(";")
@example(" ; ;\n")
@example("[;]")
@example("&\\\\")
@example("array([])")
@example(r"\begin{bmatrix}\end{bmatrix}")
def test_text_without_any_number_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(NumeralError) as caught:
        array(text)
    assert str(caught.value).endswith(".")


@given(st.text(alphabet="01.,;-+*/()[]{}\\&^ \t\nabe=", max_size=60))
def test_any_text_gives_finite_numbers_or_a_numeral_error(text: str) -> None:
    try:
        found = array(text)
    except NumeralError:
        return
    assert found.ndim in (0, 2)
    assert found.size
    assert np.isfinite(found).all()


@pytest.mark.parametrize(
    "text",
    [
        "1\t2\n" * 2_500_000,
        "[" * 10_000_000,
        "(" * (MAX_CHARACTERS - 1),
        "1" + " " * (MAX_CHARACTERS - 10) + "@ x",
        "x" * (MAX_CHARACTERS - 1),
        "1" * (MAX_CHARACTERS - 10) + "\\x",
        "\\frac{" * (MAX_CHARACTERS // 8),
        "\n".join(f"{i}/7" for i in range(100_000)),
    ],
    ids=lambda text: repr(text[:6]),
)
def test_a_text_of_any_length_is_answered_soon(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(NumeralError):
        array(text)
    assert time.perf_counter() - start < 10


def test_a_long_block_is_read() -> None:
    values = np.arange(50_000.0).reshape(2500, 20) / 7
    np.testing.assert_array_equal(array(lines(values, "\t")), values)
