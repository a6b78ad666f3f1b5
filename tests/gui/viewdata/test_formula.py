"""What is worked out of a formula's text while it is typed."""

from __future__ import annotations

import pytest

from graphs.network import load
from gui.session import Document, Session
from gui.viewdata.formula import (
    bracket_pair,
    completions,
    current_line,
    error_span,
    spans,
    word_before,
    words_of,
)

ROLES = {"W1": "parameter", "X": "input", "Z": "line", "yhat": "line", "sigma_x": "parameter"}


def test_every_word_has_its_role() -> None:
    line = "Z = sigmoid(W1 @ X.T) * 2.5e-3 + q $  # sigmoid(W1)"
    found = [(line[s.start : s.start + s.length], s.role) for s in spans(line, ROLES)]
    assert found == [
        ("Z", "line"),
        ("sigmoid", "function"),
        ("W1", "parameter"),
        ("X", "input"),
        ("T", "function"),
        ("2.5e-3", "number"),
        ("q", "name"),
        ("$", "error"),
        ("# sigmoid(W1)", "comment"),
    ]


def test_a_function_without_its_parenthesis_is_a_name() -> None:
    assert [s.role for s in spans("sum = 1", {})] == ["name", "number"]


@pytest.mark.parametrize(
    ("line", "column", "word"),
    [
        ("Z = sig", 7, "sig"),
        ("Z = sig", 6, "si"),
        ("Z = 2e", 6, ""),
        ("Z = x.T", 7, ""),
        ("# sig", 5, ""),
        ("", 0, ""),
        ("ψhat", 4, "ψhat"),
    ],
)
def test_the_word_before_the_cursor(line: str, column: int, word: str) -> None:
    assert word_before(line, column) == word


def test_names_come_before_functions_and_a_whole_word_is_left_alone() -> None:
    assert [c.text for c in completions("si", ROLES)] == ["sigma_x", "sigmoid(", "sin("]
    assert [c.text for c in completions("y", ROLES)] == ["yhat"]
    assert completions("yhat", ROLES) == []
    assert completions("sum", ROLES) == []
    assert completions("", ROLES) == []
    assert {"W1", "softmax(", "mse("} <= {c.text for c in completions("", ROLES, always=True)}


def test_words_of_comments_are_no_names() -> None:
    assert words_of("Z = W @ X  # the block's input\nab = W", "ab") == dict.fromkeys(("Z", "W", "X"), "name")
    assert "ab" in words_of("ab = 1\nL = ab", "ab")


def test_functions_show_their_signatures() -> None:
    shown = {c.text: c.shown for c in completions("", {}, always=True)}
    assert shown["mse("] == "mse(yhat, y)"
    assert shown["sum("] == "sum(x, axis=…, keepdims=…)"
    assert shown["tanh("] == "tanh(x)"


@pytest.mark.parametrize(
    ("line", "column", "text"),
    [
        ("Z = W1 @ Q", 10, "Q"),
        ("Z = W1 @ Q", 8, "@"),
        ("Z = long_name + 1", 5, "long_name"),
        ("Z = (1 +", 9, "+"),
        ("Z = (1 +   ", 12, "+"),
        ("", 1, ""),
        ("Z", 400, "Z"),
    ],
)
def test_an_error_underlines_the_word_at_its_place(line: str, column: int, text: str) -> None:
    start, length = error_span(line, column)
    assert line[start : start + length] == text


@pytest.mark.parametrize(
    ("text", "position", "pair"),
    [
        ("f(a + (b))", 1, (1, 9)),
        ("f(a + (b))", 10, (9, 1)),
        ("f(a + (b))", 7, (6, 8)),
        ("f(a", 2, (1, None)),
        ("a)", 2, (1, None)),
        ("abc", 1, None),
        ("", 0, None),
    ],
)
def test_the_other_bracket(text: str, position: int, pair: object) -> None:
    assert bracket_pair(text, position) == pair


def test_a_bracket_in_a_very_long_line_takes_no_time() -> None:
    assert bracket_pair("(" + "x" * 1_000_000, 1) == (0, None)


def test_the_line_of_the_step(qapp) -> None:
    session = Session(Document.of(load("two-layer-nonlinear")))
    assert current_line(session.frame) is None
    session.go(3)
    assert current_line(session.frame) == (3, "forward")
    session.go(6)
    assert current_line(session.frame) == (4, "backward")
    session.last()
    assert current_line(session.frame) is None
    session.close()
