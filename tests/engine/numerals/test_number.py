"""One number as a user types it, and what is said about everything else."""

from __future__ import annotations

import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import NumeralError
from engine.numerals import number

NUMBERS = [
    ("3", 3.0),
    (" -2.5 ", -2.5),
    (".5", 0.5),
    ("5.", 5.0),
    ("1e-3", 0.001),
    ("1_000", 1000.0),
    ("0,5", 0.5),
    ("-12,3456", -12.3456),
    ("0,123", 0.123),
    ("1.234,5", 1234.5),
    ("1,234.5", 1234.5),
    ("1,234,567", 1234567.0),
    ("1.234.567", 1234567.0),
    ("1 234,5", 1234.5),
    ("1\u202f234\u202f567", 1234567.0),
    ("1'234.5", 1234.5),
    ("\u22122", -2.0),
    ("½", 0.5),
    ("-1½", -1.5),
    ("⅓", 1 / 3),
    ("1/3", 1 / 3),
    ("=1/3", 1 / 3),
    ("sqrt(2)", math.sqrt(2)),
    ("exp(-1)", math.exp(-1)),
    ("-2**0.5", -math.sqrt(2)),
    ("2**-1", 0.5),
    ("pi", math.pi),
    ("2*π", 2 * math.pi),
    ("e", math.e),
    ("3 × 4", 12.0),
    ("max(1, 2) - min(3, 4)", -1.0),
    ("sigmoid(0)", 0.5),
]

REFUSED = [
    ("", "there is no number"),
    ("   ", "there is no number"),
    ("hello", "'hello' is not a number"),
    ("w + 1", "w in w + 1 is not a number. Only pi and e"),
    ("1/0", "1 / 0 divides by zero"),
    ("0**-1", "0**(-1) divides by zero"),
    ("1e400", "1e400 is too large"),
    ("1e301", "1e301 is too large"),
    ("10**400", "10**400 is too large"),
    ("exp(1000)", "exp(1000) is too large"),
    ("sqrt(-1)", "sqrt(-1) is not a real number"),
    ("log(0)", "log(0) is not a real number"),
    ("(-8)**(1/3)", "not a real number"),
    ("nan", "nan is not a finite number"),
    ("-Infinity", "-Infinity is not a finite number"),
    ("#DIV/0!", "not a finite number"),
    ("1,234", "1,234 may mean 1234 or 1.234"),
    ("1 2", "one number is wanted here"),
    ("1\t2", "one number is wanted here"),
    ("1\n2", "one number is wanted here"),
    ("1; y = 2", "more than one number"),
    ("2^3", "Write ** for a power"),
    ("2pi", "Write * between two factors"),
    ("mean(2)", "mean is for matrices"),
    ("2 @ 3", "@ is for matrices"),
    ("softmax(1, axis=0)", "softmax is for matrices"),
    ("foo(2)", "there is no function foo"),
    ("__import__('os').system('true')", "there is no function __import__"),
    ("(1).real", "not part of the formula language"),
    ("(" * 900, "nested more than"),
    ("1+" * 5000 + "1", "longer than 1,000 characters"),
    ("9" * 3_000_000, "too large"),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_a_number_is_read(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(("text", "words"), REFUSED, ids=[text[:20] for text, _ in REFUSED])
def test_anything_else_is_refused_in_one_sentence_that_says_why(text: str, words: str) -> None:
    with pytest.raises(NumeralError) as caught:
        number(text)
    message = str(caught.value)
    assert words in message
    assert "\n" not in message
    assert "NAME" not in message
    assert len(message) < 220


@given(st.floats(-1e300, 1e300))
def test_every_number_written_in_full_reads_back(value: float) -> None:
    assert number(repr(value)) == value


@given(st.text())
def test_any_text_gives_a_number_or_a_numeral_error(text: str) -> None:
    with contextlib.suppress(NumeralError):
        assert math.isfinite(number(text))
