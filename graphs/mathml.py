r"""Equations as MathML: the LaTeX that the engine writes, in the form that browsers set by themselves.

Every equation of Backstep is written once, by the engine, as LaTeX: from expressions, from numbers put in,
from an optimizer's lines. This module reads that LaTeX, a small and closed part of the language, so what a
page shows is what the window shows, and a new operation needs no second way of writing. Only elements of
MathML Core are written, so nothing needs a script.

What LaTeX leaves to the eye is said to programs that read aloud: a function's application (``\sigma(Z)``, no
space before the parenthesis) and a product without a sign (``w x``) have their invisible operators, and
parentheses bind what they hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape

from engine.names import plain_name

__all__ = ["mathml"]

PRIME = "\u2032"
APPLY, TIMES, MINUS = "\u2061", "\u2062", "\u2212"

_TOKEN = re.compile(r"(\s*)(\\[A-Za-z]+|\\.|\|\||\d+(?:\.\d+)?|\S)")

_IDENTIFIERS = {
    **{"epsilon": "ϵ", "phi": "ϕ"},  # as LaTeX draws them
    **{"ell": "ℓ", "infty": "∞", "square": "□", "ldots": "…", "sum": "∑"},
    **{name: name for name in ("log", "exp", "sin", "cos", "tanh", "min", "max")},
}
_OPERATORS = {
    **{"cdot": "·", "times": "×", "odot": "⊙", "oslash": "⊘", "otimes": "⊗", "leftarrow": "←", "geq": "≥"},
    **{"partial": "∂", "nabla": "∇"},
}
_SIGNS = {"-": MINUS, "+": "+", "=": "=", "<": "<", ">": ">", ",": ",", "/": "/", r"\#": "#"}
_PREFIXES = {"∂", "∇", "#"}
_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "dot": "˙", "vec": "→"}
_SPACES = {r"\,": 0.1667, r"\;": 0.2778, r"\quad": 1.0}
_FENCES = {"(": ")", "[": "]", r"\{": r"\}", "|": "|", "||": "||", r"\lfloor": r"\rfloor"}
_SHOWN = {"||": "‖", r"\{": "{", r"\}": "}", r"\lfloor": "⌊", r"\rfloor": "⌋"}
_SCRIPTS = {"L": "ℒ"}
_DOUBLE = {"1": "𝟙"}


@lru_cache(maxsize=1 << 14)
def mathml(latex: str, block: bool = False) -> str:
    r"""Return an equation of the engine as an element ``<math>`` of MathML Core.

    Parameters
    ----------
    latex
        As the engine writes it. A part in a role, ``\textcolor{factor}{...}``, becomes
        ``<mrow class="factor">``.
    block
        Whether it stands by itself, its fractions at full size.

    Examples
    --------
    >>> mathml(r"\hat{y}^2")
    '<math><msup><mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover><mn>2</mn></msup></math>'
    """
    row = _Reader(latex).row()
    return _element("math", _joined(row), ' display="block"' if block else "")


@dataclass
class _Item:
    """One element of a row.

    `kind` is "operand", "function" (an operand that may be applied), "operator", "space" or "text"; `apart`
    says whether white space stood before it, `fenced` whether it stands in parentheses, `bracketed` whether
    these are brackets, as of an entry's place. `role` is that of a coloured part, `inside` what the part is
    made of.
    """

    xml: str
    kind: str = "operand"
    apart: bool = False
    fenced: bool = False
    bracketed: bool = False
    role: str = ""
    inside: tuple[_Item, ...] = ()


def _element(tag: str, content: str, attributes: str = "") -> str:
    return f"<{tag}{attributes}>{content}</{tag}>"


def _operator(sign: str, attributes: str = "") -> _Item:
    return _Item(_element("mo", escape(sign), attributes), "operator")


def _identifier(text: str, upright: bool = False) -> _Item:
    normal = ' mathvariant="normal"' if upright and len(text) == 1 else ""
    return _Item(_element("mi", escape(text), normal), "function")


def _joined(row: Sequence[_Item]) -> str:
    return "".join(_with_invisible(row))


def _grouped(row: Sequence[_Item]) -> _Item:
    """Return a row as one element."""
    if len(row) == 1:
        return row[0]
    return _Item(_element("mrow", _joined(row)))


def _with_invisible(row: Sequence[_Item]) -> Iterator[str]:
    """Yield the elements of a row, with the operators between operands that have no sign between them."""
    for before, item in zip([None, *row], row, strict=False):
        if before is not None and {before.kind, item.kind} <= {"operand", "function"}:
            is_applied = not item.apart and item.fenced and (before.kind == "function" or item.bracketed)
            yield _element("mo", APPLY if is_applied else TIMES)
        yield item.xml


class _Reader:
    """Reads LaTeX from left to right, a row at a time."""

    def __init__(self, latex: str) -> None:
        found = _TOKEN.findall(latex)
        self._tokens = [token for _, token in found]
        self._apart = [bool(space) for space, _ in found]
        self._at = 0
        self._roles: list[str] = []

    def row(self, *ends: str) -> list[_Item]:
        """Return the elements up to one of the tokens `ends`, which is passed over, or to the end."""
        found: list[_Item] = []
        while self._at < len(self._tokens):
            token, apart = self._tokens[self._at], self._apart[self._at]
            self._at += 1
            if token in ends and not (token == "||" and not _ends_operand(found)):
                break
            if token in ("_", "^"):
                self._attach(found, token)
            elif token == "'" and found:
                self._prime(found)
            else:
                item = self._item(token, found)
                item.apart = apart
                found.append(item)
        return _joined_parts(found)

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else ""

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    # --- elements ---

    def _item(self, token: str, before: Sequence[_Item]) -> _Item:
        if token in _SIGNS:
            return self._sign(_SIGNS[token], before)
        if token in _SPACES:
            return _Item(f'<mspace width="{_SPACES[token]}em"/>', "space")
        if token in _FENCES:
            return self._fence(token, ' stretchy="false"')
        if token.startswith("\\"):
            return self._command(token[1:])
        if token == "{":
            return _grouped(self.row("}"))
        if token[0].isdigit():
            return _Item(_element("mn", token))
        return _identifier(token)

    def _sign(self, sign: str, before: Sequence[_Item]) -> _Item:
        if sign in _PREFIXES or (sign in "+\u2212" and not _ends_operand(before)):
            return _operator(sign, ' form="prefix"')
        return _operator(sign)

    def _fence(self, opening: str, stretchy: str = "") -> _Item:
        closing = _FENCES[opening]
        inside = _joined(self.row(closing))
        return _fenced(opening, inside, closing, stretchy)

    def _command(self, name: str) -> _Item:
        if name in _OPERATORS:
            return self._sign(_OPERATORS[name], ())
        letter = _IDENTIFIERS.get(name, plain_name(name))
        if name in _IDENTIFIERS or len(letter) == 1:
            return _identifier(letter, upright=name[0].isupper())
        if name in _ACCENTS:
            size = ' mathsize="65%"' if name == "vec" else ""
            mark = _element("mo", _ACCENTS[name], f' stretchy="false"{size}')
            return _Item(_element("mover", self._argument().xml + mark, ' accent="true"'), "function")
        read = getattr(self, f"_read_{name}", None)
        return read() if read is not None else _Item(_element("mtext", escape(f"\\{name}")), "text")

    def _read_frac(self) -> _Item:
        return _Item(_element("mfrac", self._argument().xml + self._argument().xml))

    def _read_sqrt(self) -> _Item:
        return _Item(_element("msqrt", self._argument().xml))

    def _read_left(self) -> _Item:
        """Read parentheses as high as what they hold; at the usual height they are set as plain ones."""
        opening = self._next()
        inside = _joined(self.row(r"\right"))
        stretchy = "" if any(tall in inside for tall in ("<mfrac>", "<msqrt>")) else ' stretchy="false"'
        return _fenced(opening, inside, self._next(), stretchy)

    def _read_textcolor(self) -> _Item:
        role = self._letters()
        self._next()
        is_inside = role in self._roles
        self._roles.append(role)
        row = self.row("}")
        self._roles.pop()
        return _grouped(row) if is_inside else _coloured(role, row)

    def _read_mathrel(self) -> _Item:
        """Read what the engine writes for "is added to": a plus in braces before the equals sign."""
        sign = self._letters()
        while self._peek() in ("=",):
            sign += self._next()
        return _operator(sign)

    def _read_mathrm(self) -> _Item:
        return _identifier(self._letters(), upright=True)

    def _read_text(self) -> _Item:
        text = self._letters()
        spaced = re.sub(r"^ | $", "\u00a0", text)
        return _Item(_element("mtext", escape(spaced)), "text")

    def _read_mathcal(self) -> _Item:
        text = self._letters()
        return _identifier("".join(_SCRIPTS.get(char, char) for char in text))

    def _read_mathbb(self) -> _Item:
        text = self._letters()
        return _Item(_element("mn", "".join(_DOUBLE.get(char, char) for char in text)), "function")

    def _letters(self) -> str:
        """Return an argument as it stands: text, a name, a role."""
        self._next()
        text = ""
        while (token := self._next()) not in ("}", ""):
            text += " " * (self._apart[self._at - 1] and bool(text)) + token.removeprefix("\\")
        is_spaced = self._at - 1 < len(self._apart) and self._apart[self._at - 1]
        return text + " " * is_spaced

    def _argument(self) -> _Item:
        return self._item(self._next(), ())

    # --- scripts ---

    def _attach(self, row: list[_Item], sign: str) -> None:
        """Put a script, or the pair of them, on the element before it."""
        base = row.pop() if row else _Item("<mrow></mrow>")
        script = {sign: self._script()}
        other = "^" if sign == "_" else "_"
        if self._peek() == other:
            self._next()
            script[other] = self._script()
        tags = {"_": "msub", "^": "msup"}
        tag = "msubsup" if len(script) == 2 else tags[sign]
        scripts = "".join(script[key] for key in ("_", "^") if key in script)
        kind = base.kind if set(script) == {"_"} else "operand"
        row.append(_Item(_element(tag, base.xml + scripts), kind, base.apart, base.fenced))

    def _prime(self, row: list[_Item]) -> None:
        """Put the sign of a derivative on the function before it."""
        base, sign = row.pop(), PRIME
        while self._peek() == "'":
            self._next()
            sign += PRIME
        xml = _element("msup", base.xml + _element("mo", sign))
        row.append(_Item(xml, "function", base.apart, base.fenced))

    def _script(self) -> str:
        if self._peek() == r"\intercal":
            self._next()
            return _identifier("⊤", upright=True).xml
        return self._argument().xml


def _coloured(role: str, row: Sequence[_Item]) -> _Item:
    kind = row[-1].kind if len(row) == 1 else "operand"
    xml = _element("mrow", _joined(row), f' class="{escape(role)}"')
    return _Item(xml, kind, role=role, inside=tuple(row))


def _joined_parts(row: Sequence[_Item]) -> list[_Item]:
    """Return a row in which coloured parts that are multiplied with each other are one part."""
    found: list[_Item] = []
    for item in row:
        is_sign = len(found) > 1 and found[-1].xml in _PRODUCTS
        before = found[-2] if is_sign else found[-1] if found else None
        if item.role and before is not None and before.role == item.role:
            signs = [found.pop()] if is_sign else []
            found.pop()
            item = replace(_coloured(item.role, [*before.inside, *signs, *item.inside]), apart=before.apart)
        found.append(item)
    return found


_PRODUCTS = tuple(f"<mo>{sign}</mo>" for sign in "·×⊙")


def _fenced(opening: str, inside: str, closing: str, stretchy: str = "") -> _Item:
    first, last = (_element("mo", _SHOWN.get(sign, sign), stretchy) for sign in (opening, closing))
    return _Item(_element("mrow", first + inside + last), fenced=True, bracketed=opening == "[")


def _ends_operand(row: Sequence[_Item]) -> bool:
    """Say whether a row ends in something that a sign behind it would join to the next."""
    return bool(row) and row[-1].kind in ("operand", "function", "text")
