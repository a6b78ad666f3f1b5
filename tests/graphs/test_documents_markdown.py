"""The handout, read by an independent reader of Markdown: what it says is the trace's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin

from engine.graph import Detail
from engine.names import entry_text
from engine.trace import Phase
from graphs.documents import Options, formats
from graphs.documents.markdown import TABLE_ROOM, solution_md
from graphs.figures import is_shown_whole
from graphs.snapshot import Snapshot
from graphs.solution import Solution
from tests.graphs.snapshots import (
    BUILT_IN,
    ODD,
    batch_snapshot,
    built_in_snapshot,
    numbers_in,
    odd_snapshot,
    rounding_snapshot,
)
from tests.helpers import assert_well_formed

_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_WORDS = {"not a number": np.nan, "∞": np.inf, "−∞": -np.inf}


class Read(NamedTuple):
    """A handout as a reader of Markdown understands it."""

    headings: list[str]
    maths: list[str]
    tables: list[list[list[str]]]
    texts: list[str]


def read(source: str) -> Read:
    """Parse a handout."""
    tokens = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin).parse(source)
    inline = [child for token in tokens for child in token.children or ()]
    return Read(
        [tokens[i + 1].content for i, token in enumerate(tokens) if token.type == "heading_open"],
        [t.content.strip() for t in (*tokens, *inline) if t.type in ("math_block", "math_inline")],
        list(_tables(tokens)),
        [t.content for t in inline if t.type == "text"],
    )


def _tables(tokens: Sequence[Token]) -> Iterator[list[list[str]]]:
    rows: list[list[str]] = []
    for token, content in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "table_open":
            rows = []
        elif token.type == "tr_open":
            rows.append([])
        elif token.type in ("th_open", "td_open"):
            rows[-1].append(content.content if content is not None else "")
        elif token.type == "table_close":
            yield rows


def numbers_of(table: list[list[str]]) -> np.ndarray | None:
    """Return the numbers of a table of an array that is shown whole; None for other tables."""
    cells = [row[1:] for row in table[1:]]
    if (
        not table[0][1:]
        or not table[0][1].isdigit()
        or any(c in ("…", "⋮", "") for row in cells for c in row)
    ):
        return None
    return np.array([[_parsed(cell) for cell in row] for row in cells])


def _parsed(cell: str) -> float:
    if cell in _WORDS:
        return _WORDS[cell]
    number = re.sub("^(−?)10(?=[⁻⁰¹²³⁴⁵⁶⁷⁸⁹])", r"\g<1>1 × 10", cell)
    power = re.sub(" × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: f"e{m[1].translate(_SUPERSCRIPTS)}", number)
    return float(power.replace("−", "-"))


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_a_section_a_step_with_its_equation_and_its_numbers(name: str, detail: Detail) -> None:
    _assert_complete(built_in_snapshot(name, detail))


@pytest.mark.parametrize("detail", list(Detail))
@pytest.mark.parametrize("key", [key for key in ODD if key != "many"])
def test_handouts_of_odd_networks_are_read_as_they_were_meant(key: str, detail: Detail) -> None:
    _assert_complete(odd_snapshot(key, detail))


def test_a_line_too_long_to_be_written_out_has_its_numbers() -> None:
    _assert_complete(odd_snapshot("many"))


def test_the_quantities_of_adam_stand_in_it() -> None:
    _assert_complete(batch_snapshot())
    assert "a mini-batch of 16 of 133 examples, Adam" in solution_md(batch_snapshot())


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_entries_are_named_and_counted_as_on_the_screen(name: str, detail: Detail) -> None:
    snapshot = built_in_snapshot(name, detail)
    found = read(solution_md(snapshot))
    assert any("Rows and columns are counted from 0, as NumPy counts" in text for text in found.texts)
    named = {text for text in found.texts if re.match(r"Entry \[[\d, ]+\]:\Z", text)}
    places = {w.index for w in Solution(snapshot).steps if w.right and w.index and w.step.phase != Phase.SEED}
    assert named <= {f"Entry {entry_text(place)}:" for place in places}
    assert named or not places
    for table in found.tables:
        if table[0][1:] and table[0][1].isdigit():
            assert (table[0][1], table[1][0]) == ("0", "0")


def _assert_complete(snapshot: Snapshot) -> None:
    found = read(solution_md(snapshot))
    steps = snapshot.trace.steps
    assert sum(heading.startswith("Step ") for heading in found.headings) == len(steps)
    assert "$" in snapshot.title or not any("$" in text for text in found.texts)
    for latex in found.maths:
        assert_well_formed(latex.replace(r"\lambda", r"\mu").replace("{} ", ""))
    _assert_equations(found, snapshot)
    tables = [array for array in map(numbers_of, found.tables) if array is not None]
    shown = [x for latex in found.maths for x in numbers_in(latex)]
    for step in steps:
        array = step.contribution if step.contribution is not None else step.after
        if array.ndim and is_shown_whole(array, TABLE_ROOM):
            wanted = np.atleast_2d(array)
            same = (t for t in tables if t.shape == wanted.shape)
            assert any(np.allclose(t, wanted, rtol=5e-4, atol=0, equal_nan=True) for t in same), step
        elif not array.ndim:
            assert np.isclose(shown, float(array), rtol=5e-4, atol=0, equal_nan=True).any(), step


def _assert_equations(found: Read, snapshot: Snapshot) -> None:
    """Assert that each step's equation stands among the formulas; a broken one at least begins there."""
    bare = {re.sub(r"\s|thinspace|enspace", "", latex) for latex in found.maths}
    for written in Solution(snapshot).steps:
        left = re.sub(r"\s|(?<=\\),", "", written.left).replace(r"\|", r"\Vert")
        if left.isascii() and r"\text{" not in left and r"\left|" not in left:
            assert any(latex.startswith(left) for latex in bare), written.left


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_an_exercise_has_room_for_what_is_to_be_worked_out(name: str, detail: Detail) -> None:
    snapshot = built_in_snapshot(name, detail)
    source = formats()["markdown"].write(snapshot, Options(answers=False))
    found, answers = read(source), read(solution_md(snapshot))
    assert [h for h in found.headings if h.startswith("Step")] == [
        h for h in answers.headings if h.startswith("Step")
    ]
    body = source.partition("## Forward pass")[2]
    for written in Solution(snapshot).steps:
        if written.step.phase == Phase.BACKWARD:
            assert f"= {written.right}\n" not in body
        assert not written.numbers or f"= {written.numbers} = {written.comes_to}" not in body
    blanks = [t for t in found.tables if t[0][1:2] == ["0"] and any("" in row[1:] for row in t[1:])]
    whole = sum(s.after.ndim > 0 for s in snapshot.trace.steps if s.phase != Phase.SEED)
    assert len(blanks) >= whole
    assert len(numbers_in(body)) < len(numbers_in(solution_md(snapshot)))


def test_titles_are_shown_as_they_are() -> None:
    snapshot = odd_snapshot("names")
    found = read(solution_md(snapshot))
    assert "".join(found.texts).startswith(" ".join(snapshot.title.split()))
    assert r"\mathrm{вес}" in "".join(found.maths)


def test_provenance_is_a_comment_that_no_title_ends() -> None:
    source = solution_md(odd_snapshot("names"))
    comment = source.partition("-->")[0]
    for key in ("Software", "Title", "Network", "Seed", "Iteration", "Step", "Detail"):
        assert re.search(rf"(?m)^{key}: .", comment)
    assert "--" not in comment.removeprefix("<!--")
    tokens = MarkdownIt("commonmark").parse(source)
    assert tokens[0].type == "html_block"
    assert tokens[1].type == "heading_open"


def test_what_is_mere_rounding_is_no_number() -> None:
    text = solution_md(rounding_snapshot())
    assert r"0.3 \cdot 1 \approx 0" in text
    assert "| ≈0 |" in text
    assert "all of it rounding" in text
    assert not any("10^" in line or "⁻" in line for line in text.splitlines() if line.startswith("|"))
