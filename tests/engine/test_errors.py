"""Expected errors as sentences: a capital where they stand alone, and never on a name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import errors
from engine.errors import FormulaError, as_sentence

ROOT = Path(__file__).parents[2]
FAMILY = {name for name in vars(errors) if name.endswith("Error")}
NAMES = {"softmax", "cross_entropy", "axis=x", "ε"}
"""First words that are names, of functions and in formulas."""


def openings() -> Iterator[tuple[str, str]]:
    """Yield where each error is made whose text begins with words rather than with what the user wrote."""
    for room in ("engine", "graphs", "gui"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in FAMILY and node.args:
                    text = node.args[0]
                    begin = text.values[0] if isinstance(text, ast.JoinedStr) and text.values else text
                    if isinstance(begin, ast.Constant) and isinstance(begin.value, str) and begin.value:
                        more = "x" if isinstance(text, ast.JoinedStr) else ""
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", begin.value + more


def test_every_error_that_begins_with_a_word_begins_with_a_capital_in_the_window() -> None:
    found = list(openings())
    assert len(found) > 100
    small = [(place, text) for place, text in found if as_sentence(text)[:1].islower()]
    assert [(p, t) for p, t in small if t.split()[0] not in NAMES] == []


@pytest.mark.parametrize(
    "text",
    [
        "a is not defined. Give it a value.",
        "line is used before its line.",
        "the is read in two lines.",
        "w2 has the shape (1, 3); (1, 4) is needed.",
        "cars.csv, line 3: a row has 2 fields.",
        "k: 0 is not a size.",
        "x and t need numbers: fill in beside the formula.",
        "",
    ],
)
def test_a_name_keeps_its_letters(text: str) -> None:
    assert as_sentence(text) == text


def test_a_place_begins_with_a_capital() -> None:
    said = as_sentence(FormulaError("the parenthesis is not closed.", 2, 5, how="Write )."))
    assert said == "Line 2, column 5: the parenthesis is not closed. Write )."
