r"""Matrices and numbers in LaTeX, turned into cells of the formula language: ``\frac{1}{3}`` is ((1)/(3))."""

from __future__ import annotations

import re
from collections import deque

from engine.errors import NumeralError, excerpt
from engine.numerals.splitting import Rows

__all__ = ["is_latex", "latex_rows"]

MAX_DEPTH = 50
MAX_CELL = 1000
MAX_AROUND = 200  # characters before and after the matrix that are looked at

_COMMAND = re.compile(r"\\[A-Za-z]|\\\\|&|\^\s*\{")
_BEGIN = re.compile(
    r"\\begin\s*\{\s*(?P<kind>[bpvVB]?(?:small)?matrix\*?|array)\s*\}(?:\s*\[[a-z]\])?(?:\s*\{[lcr|\s]*\})?"
)
_END = re.compile(r"\\end\s*\{[^{}]*\}")
_BEFORE = re.compile(
    r"[\s$]*(?:\\\[|\\\()?\s*(?:[\\A-Za-z][^=&]*=)?\s*(?:\\left\s*(?:\\?[\[({|.]|\\[a-zA-Z]+)|[\[(])?\s*"
)
_AFTER = re.compile(
    r"\s*(?:\\right\s*(?:\\?[\])}|.]|\\[a-zA-Z]+)|[\])])?\s*"
    r"(\^\s*\{?\s*(?:T|\\top|\\intercal)\s*\}?)?[\s$.,;]*(?:\\\]|\\\))?\s*"
)
_ROW_END = re.compile(r"\\\\(?:\s*\[[^\[\]&\\]*(?:pt|em|ex|mm|cm)\])?|\\cr(?![A-Za-z])|\\tabularnewline")
_IDLE = re.compile(
    r"\\(?:hline|displaystyle|textstyle|,|;|:|!|quad|qquad|left|right|limits)(?![A-Za-z])|~|\$|\\ "
)
_POWER_OF_TEN = re.compile(r"(\d[\d.]*)\s*\\(?:times|cdot)\s*10\s*\^\s*(?:\{\s*([+-]?\d+)\s*\}|(\d))")
_TOKEN = re.compile(r"\\[A-Za-z]+|\d[\d_]*\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[A-Za-z]+|\S")
_FUNCTIONS = {"exp": "exp", "ln": "log", "log": "log", "sin": "sin", "cos": "cos", "tanh": "tanh"}
_OPERATORS = {
    "\\cdot": "*",
    "\\times": "*",
    "\\ast": "*",
    "\\div": "/",
    "+": "+",
    "-": "-",
    "*": "*",
    "/": "/",
}
_GROUPS = {"{": "}", "(": ")", "[": "]"}
_FRACTIONS = ("\\frac", "\\dfrac", "\\tfrac", "\\cfrac")
_UPRIGHT = ("\\mathrm", "\\text", "\\mathit", "\\operatorname", "\\num", "\\mathbf", "\\boldsymbol")


def is_latex(text: str) -> bool:
    """Say whether a text is LaTeX: a command, the end of a row, or a mark between columns."""
    return _COMMAND.search(text) is not None


def latex_rows(text: str) -> Rows:
    """Return the cells of a matrix, or of a single expression, in the formula language.

    Raises
    ------
    NumeralError
        For commands that are not those of matrices and numbers, and for more than one matrix.
    """
    body, turned = _body(text)
    rows = [row.split("&") for row in _ROW_END.split(body)]
    if len(rows) > 1 and not "".join(rows[-1]).replace("\\hline", "").strip():
        rows.pop()
    cells = [[_cell(cell, i, j) for j, cell in enumerate(row)] for i, row in enumerate(rows)]
    if turned and all(len(row) == len(cells[0]) for row in cells):
        return [list(column) for column in zip(*cells, strict=True)]
    return cells


def _body(text: str) -> tuple[str, bool]:
    """Return what stands between begin and end, and whether the matrix is transposed after that."""
    begin = _BEGIN.search(text)
    if begin is None:
        return text, False
    end = _END.search(text, begin.end())
    if end is None:
        raise NumeralError(f"\\begin{{{begin['kind']}}} has no \\end.", how="Copy the whole matrix.")
    before, inside, after = text[: begin.start()], text[begin.end() : end.start()], text[end.end() :]
    for part, pattern, side in ((before, _BEFORE, "before"), (after, _AFTER, "after")):
        if len(part) > MAX_AROUND or not pattern.fullmatch(part):
            raise NumeralError(
                f"'{excerpt(part.strip(), 30)}' stands {side} the matrix.", how="Paste one matrix alone."
            )
    if "\\begin" in inside:
        raise NumeralError("a matrix stands inside a matrix.", how="Paste one matrix alone.")
    found = _AFTER.fullmatch(after)
    return inside, found is not None and found[1] is not None


def _cell(text: str, i: int, j: int) -> str:
    if "\\" not in text and "{" not in text and "^" not in text:
        return text.replace("~", " ").replace("$", "").strip()
    if len(text) > MAX_CELL:
        raise NumeralError(
            f"the cell has more than {MAX_CELL:,} characters.", i + 1, j + 1, how="Simplify it."
        )
    text = _IDLE.sub(" ", text.replace("{,}", ","))
    text = _POWER_OF_TEN.sub(lambda m: f"{m[1]}e{m[2] or m[3]}", text).strip()
    if "\\" not in text and "{" not in text and "^" not in text:
        return text
    try:
        return _Reader(text).expression("")
    except NumeralError as error:
        raise NumeralError(error.what, i + 1, j + 1, how=error.how) from None


class _Reader:
    """Reads one cell, from left to right; what stands side by side is multiplied."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = deque(_TOKEN.findall(text))
        self._depth = 0

    def expression(self, closing: str) -> str:
        """Return everything up to `closing`, which is taken too."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise NumeralError(f"the cell is nested more than {MAX_DEPTH} levels deep.", how="Simplify it.")
        parts: list[str] = []
        after_value = False
        while (token := self._next(closing)) != closing:
            is_operator = token in _OPERATORS
            if after_value and not is_operator and token not in "^":
                parts.append("*")
            parts.append(_OPERATORS[token] if is_operator else self._value(token))
            after_value = not is_operator
        self._depth -= 1
        return "".join(parts)

    def _next(self, closing: str) -> str:
        if self._tokens:
            return self._tokens.popleft()
        if closing:
            raise NumeralError(f"a {closing} is missing in '{excerpt(self._text, 40)}'.")
        return ""

    def _value(self, token: str) -> str:
        if token in _GROUPS:
            return f"({self.expression(_GROUPS[token])})"
        if token == "^":
            return f"**({self._argument(whole=True)})"
        if token in _FRACTIONS:
            return f"(({self._argument()})/({self._argument()}))"
        if token == "\\sqrt":
            return self._root()
        name = token.removeprefix("\\")
        if name in _FUNCTIONS and token != name:
            return f"{_FUNCTIONS[name]}({self._argument(whole=True)})"
        return self._atom(token)

    def _atom(self, token: str) -> str:
        if token in _UPRIGHT and self._tokens and self._tokens[0] == "{":
            return self._upright()
        if token[0].isdigit() or token[0] == ".":
            return token
        if token in ("\\pi", "e", "pi"):
            return token.removeprefix("\\")
        if token == "\\infty":
            raise NumeralError("∞ is not a finite number.", how="Parameters and data take finite ones.")
        raise NumeralError(
            f"'{excerpt(token, 30)}' in '{excerpt(self._text, 40)}' is not a number.",
            how="Only numbers, \\frac, \\sqrt, powers, \\pi and functions such as \\exp are read.",
        )

    def _upright(self) -> str:
        self._tokens.popleft()
        words = []
        while (token := self._next("}")) != "}":
            words.append(token)
        word = "".join(words)
        if word == "e" or re.fullmatch(r"[\d.,+-]+(?:[eE][+-]?\d+)?", word):
            return word
        raise NumeralError(f"'{excerpt(' '.join(words), 30)}' is not a number.", how="Write a finite number.")

    def _root(self) -> str:
        if self._tokens and self._tokens[0] == "[":
            self._tokens.popleft()
            degree = self.expression("]")
            return f"(({self._argument()})**(1/({degree})))"
        return f"sqrt({self._argument()})"

    def _argument(self, whole: bool = False) -> str:
        r"""Return what a command acts on: a group, or what comes next; of ``\frac12`` one digit at a time."""
        token = self._next("value")
        if token.isdigit() and len(token) > 1 and not whole:
            self._tokens.appendleft(token[1:])
            return token[0]
        if token in ("-", "+"):
            return token + self._argument(whole)
        return self.expression(_GROUPS[token]) if token in _GROUPS else self._value(token)
