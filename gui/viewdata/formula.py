"""A formula as it is being typed: the role of every word, what a word may become, where an error stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from engine.formula import FUNCTIONS
from graphs.views.frame import Frame

__all__ = [
    "Completion",
    "Span",
    "bracket_pair",
    "completions",
    "current_line",
    "error_span",
    "roles_of",
    "spans",
    "word_before",
    "words_of",
]

_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")
_COMMENT = re.compile(r"#.*")
MOST_OFFERED = 12
MOST_SEARCHED = 20_000
"""Characters around the cursor in which the other bracket is looked for."""

_PART = re.compile(
    r"(?P<comment>\#.*)|(?P<number>(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)"
    r"|(?P<space>\s+)|(?P<operator>\*\*|[-+*/@()=,.;])|(?P<error>.)"
)
_SIGNATURES = {
    "mse": "mse(yhat, y)",
    "bce": "bce(z, y)",
    "cross_entropy": "cross_entropy(Z, Y)",
    "softmax": "softmax(Z, axis=0)",
    "sum": "sum(x, axis=…, keepdims=…)",
    "mean": "mean(x, axis=…, keepdims=…)",
    "norm": "norm(x, axis=…, keepdims=…)",
    "max": "max(x) or max(a, b)",
    "min": "min(x) or min(a, b)",
}
_MEANINGS = {
    "mse": "mean squared error",
    "bce": "binary cross-entropy of logits",
    "cross_entropy": "cross-entropy of logits, a row a class",
    "softmax": "probabilities along an axis",
    "norm": "length; norm(x)**2 is the sum of squares",
}
_KINDS = {"parameter": "parameter", "input": "input", "line": "line"}


class Span(NamedTuple):
    """A run of characters in one role: comment, number, function, parameter, input, line, name, error."""

    start: int
    length: int
    role: str


class Completion(NamedTuple):
    """What a word may become: the text put in, how it is shown, and what it is."""

    text: str
    shown: str
    kind: str


def spans(line: str, roles: Mapping[str, str]) -> list[Span]:
    """Return the coloured parts of one line of text.

    Parameters
    ----------
    roles
        "parameter", "input" or "line" by name.
    """
    found = []
    for match in _PART.finditer(line):
        kind, text = match.lastgroup or "", match.group()
        if kind == "name":
            is_function = text in FUNCTIONS and line[match.end() :].lstrip().startswith("(")
            kind = "function" if is_function else roles.get(text, "name")
            if line[: match.start()].rstrip().endswith(".") or text in ("axis", "keepdims"):
                kind = "function"
        if kind not in ("space", "operator"):
            found.append(Span(match.start(), len(text), kind))
    return found


def words_of(text: str, word: str) -> dict[str, str]:
    """Return the names that a text has, without the `word` that is being typed where it stands once alone."""
    found: dict[str, str] = {}
    count = 0
    for match in _NAME.finditer(_COMMENT.sub("", text)):
        count += match.group() == word
        found.setdefault(match.group(), "name")
    if count < 2:
        found.pop(word, None)
    return {name: kind for name, kind in found.items() if name not in FUNCTIONS}


def word_before(line: str, column: int) -> str:
    """Return the part of a name that ends at `column`, counted from 0; "" inside a comment or a number."""
    if "#" in line[:column]:
        return ""
    match = re.search(r"(?<![\w.])[^\W\d]\w*$", line[:column])
    return match.group() if match is not None else ""


def completions(word: str, roles: Mapping[str, str], always: bool = False) -> list[Completion]:
    """Return what `word` may become: names first, then functions; nothing where it is whole already.

    Parameters
    ----------
    always
        Whether it was asked for: then everything is offered for no word at all.
    """
    if not word and not always:
        return []
    names = [Completion(n, n, _KINDS.get(kind, kind)) for n, kind in roles.items() if _begins(n, word)]
    functions = [
        Completion(f"{f}(", _SIGNATURES.get(f, f"{f}(x)"), _MEANINGS.get(f, "function"))
        for f in sorted(FUNCTIONS)
        if _begins(f, word)
    ]
    if not always and (word in roles or word in FUNCTIONS):
        return []
    return [*_sorted(names), *functions][: MOST_OFFERED if not always else 60]


def _sorted(names: Iterable[Completion]) -> list[Completion]:
    return sorted(names, key=lambda c: (len(c.text), c.text.casefold(), c.text))


def _begins(name: str, word: str) -> bool:
    return name != word and name.casefold().startswith(word.casefold())


def error_span(line: str, column: int) -> tuple[int, int]:
    """Return where to underline for an error at `column` (from 1): the word there, or something beside it."""
    at = max(0, min(column - 1, len(line)))
    for match in _PART.finditer(line):
        if match.start() <= at < match.end() and match.lastgroup != "space":
            return match.start(), len(match.group())
    if not line.strip():
        return 0, len(line)
    stop = len(line[:at].rstrip()) or len(line)
    return stop - 1, 1


_OPENING, _CLOSING = "(", ")"


def bracket_pair(text: str, position: int) -> tuple[int, int | None] | None:
    """Return the bracket beside the cursor and its other one, None for that where it is missing.

    Returns
    -------
    tuple or None
        Positions in `text`; None where no bracket is beside the cursor.
    """
    for at in (position - 1, position):
        if 0 <= at < len(text) and text[at] in "()":
            return at, _other(text, at)
    return None


def _other(text: str, at: int) -> int | None:
    step = 1 if text[at] == _OPENING else -1
    depth, stop = 0, at + step * MOST_SEARCHED
    while 0 <= at < len(text) and at != stop:
        depth += (text[at] == _OPENING) - (text[at] == _CLOSING)
        if depth == 0:
            return at
        at += step
    return None


def current_line(frame: Frame) -> tuple[int, str] | None:
    """Return the number of the line that the step is at and the step's phase, None where it is at no line."""
    step = frame.step
    if step is None or step.node not in frame.trace.graph.ids:
        return None
    node = frame.trace.graph[step.node]
    lines = frame.trace.graph.lines
    if node.line is None or node.line >= len(lines) or step.quantity is not None:
        return None
    is_leaf = step.node in (*frame.trace.graph.parameters, *frame.trace.graph.inputs)
    return None if is_leaf else (lines[node.line].number, step.phase)


def roles_of(lines: Sequence[str], kinds: Mapping[str, str]) -> dict[str, str]:
    """Return the role of every known name: leaves as they are, lines besides."""
    return {**dict.fromkeys(lines, "line"), **kinds}
