r"""Text with formulas between dollars, set for readers without LaTeX: as a line of Unicode, and as HTML.

Both read the LaTeX by way of :mod:`graphs.mathml`; matrices, which that does not know, are set here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from html import escape
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from graphs.mathml import mathml

__all__ = ["html", "html_formula", "plain", "plain_formula"]

_MATRIX = re.compile(r"\\begin\{bmatrix\}(.*?)\\end\{bmatrix\}", re.DOTALL)
BLOCK = ' display="block"'
_INVISIBLE = {"\u2061": "", "\u2062": " "}
_WORD = re.compile(r"[^\W\d_]{2}")
_LOOSE = re.compile(r"[\s+−/·⊙⊘]")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = {"2": "²", "3": "³", "⊤": "ᵀ", "\u2032": "'", "\u2032\u2032": "''"}
_MARKS = {"^": "\u0302", "¯": "\u0304", "~": "\u0303", "˙": "\u0307", "→": "\u20d7"}
_BINARY = {"+", "−", "=", "·", "⊙", "⊘", "⊗", "×", "<", ">", "←", "≥", "+=", "→"}


def plain(text: str) -> str:
    r"""Return a text as a line of Unicode.

    Examples
    --------
    >>> plain(r"Work out $\frac{\partial\mathcal{L}}{\partial W_1} = \frac{2}{m} (\hat{y} - y) X^\intercal$.")
    'Work out ∂L/∂W₁ = 2/m (ŷ − y) Xᵀ.'
    """
    return _set(text, plain_formula, lambda words: words)


def html(text: str) -> str:
    """Return a text as HTML, its formulas as MathML."""
    return _set(text, html_formula, lambda words: escape(words, quote=False))


def _set(text: str, formula: Callable[[str], str], words: Callable[[str], str]) -> str:
    parts = text.split("$")
    return "".join(formula(part) if i % 2 else words(part) for i, part in enumerate(parts))


# --- formulas ----------------------------------------------------------------------------------------------


def _pieces(latex: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield what stands before each matrix, and its cells; last what is behind, with no cells."""
    start = 0
    for match in _MATRIX.finditer(latex):
        rows = [row.split("&") for row in match[1].split(r"\\")]
        yield latex[start : match.start()], [[cell.strip() for cell in row] for row in rows]
        start = match.end()
    yield latex[start:], []


def html_formula(latex: str, block: bool = False) -> str:
    """Return a formula as an element ``<math>``, its matrices as tables of numbers."""
    inner = "".join(_inner(before) + (_table(cells) if cells else "") for before, cells in _pieces(latex))
    return f"<math{BLOCK if block else ''}>{inner}</math>"


def _inner(latex: str) -> str:
    """Return the elements of a formula without the ``<math>`` around them."""
    return mathml(latex)[len("<math>") : -len("</math>")] if latex.strip() else ""


def _table(cells: list[list[str]]) -> str:
    rows = "".join(f"<mtr>{''.join(f'<mtd>{_inner(cell)}</mtd>' for cell in row)}</mtr>" for row in cells)
    return f"<mrow><mo>[</mo><mtable>{rows}</mtable><mo>]</mo></mrow>"


def plain_formula(latex: str) -> str:
    """Return a formula as a line of Unicode; a matrix as it is typed, ``[[1, 2], [3, 4]]``."""
    parts = []
    for before, cells in _pieces(latex):
        lead = f"<math>{_inner(before)}</math>" if before.strip() else ""
        parts.append(_written(ElementTree.fromstring(lead)).strip() if lead else "")
        if cells:
            rows = [f"[{', '.join(plain_formula(cell) for cell in row)}]" for row in cells]
            parts.append(rows[0] if len(rows) == 1 else f"[{', '.join(rows)}]")
    return " ".join(part for part in parts if part)


def _written(node: Element) -> str:
    """Return an element of MathML as text."""
    rule = _RULES.get(node.tag)
    if rule is not None:
        return rule(node)
    if len(node):
        return re.sub(r"  +", " ", "".join(map(_written, node)))
    return node.text or ""


def _operator(node: Element) -> str:
    sign = node.text or ""
    if sign in _INVISIBLE:
        return _INVISIBLE[sign]
    is_between = sign in _BINARY and node.get("form") != "prefix"
    return f" {sign} " if is_between else f"{sign} " if sign == "," else sign


def _fraction(node: Element) -> str:
    top, bottom = (_written(part).strip() for part in node)
    if top.startswith("∂"):
        return f"{top.replace('∂ ', '∂')}/{bottom.replace('∂ ', '∂')}"
    return f"{_tight(top)}/{_tight(bottom)}"


def _tight(text: str) -> str:
    is_whole = text.startswith("(") and text.endswith(")") and text.count("(") == 1
    return f"({text})" if _LOOSE.search(text.lstrip("−")) and not is_whole else text


def _sub(node: Element) -> str:
    base, script = (_written(part).strip() for part in node)
    return f"{base}{_below(script)}"


def _sup(node: Element) -> str:
    base, script = (_written(part).strip() for part in node)
    return f"{base}{_above(script)}"


def _both(node: Element) -> str:
    base, below, above = (_written(part).strip() for part in node)
    return f"{base}{_below(below)}{_above(above)}"


def _below(script: str) -> str:
    """Return a subscript; one of several parts without the spaces in it, in parentheses."""
    if script.isdecimal():
        return script.translate(_SUBSCRIPTS)
    tight = script if _WORD.search(script) else re.sub(r"\s", "", script)
    return f"_({tight})" if re.search(r"\s", script) else f"_{tight}"


def _above(script: str) -> str:
    """Return a superscript."""
    tight = script.replace(" ", "")
    is_plain = tight.startswith("⊙") or not ("_" in tight or _LOOSE.search(script.lstrip("−")))
    return _SUPERSCRIPTS.get(tight) or (f"^{tight}" if is_plain else f"^({script})")


def _accent(node: Element) -> str:
    base, mark = (_written(part).strip() for part in node)
    return unicodedata.normalize("NFC", base + _MARKS.get(mark, ""))


_RULES: dict[str, Callable[[Element], str]] = {
    "mo": _operator,
    "mfrac": _fraction,
    "msub": _sub,
    "msup": _sup,
    "msubsup": _both,
    "mover": _accent,
    "msqrt": lambda node: f"√({''.join(map(_written, node)).strip()})",
    "mi": lambda node: (node.text or "").replace("ℒ", "L"),
    "mspace": lambda node: " ",
}
