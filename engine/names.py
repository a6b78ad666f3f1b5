r"""Names as a mathematician writes them: ``yhat`` is \hat{y}, ``W1`` is W_1, ``alpha`` is \alpha.

Entries of arrays are named by brackets, ``W1[0, 1]``, and counted from 0 as NumPy counts, wherever that is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import SupportsIndex

__all__ = ["entry_latex", "entry_text", "latex_name", "plain_name"]

_GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu"),
    *("nu", "xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
    *("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega"),
)
_ALIASES = {"lam": "lambda", "eps": "epsilon", "ell": "ell"}
_MARKS = {"hat": "hat", "bar": "bar", "tilde": "tilde", "dot": "dot", "vec": "vec"}
_UNICODE_MARKS = {"\u0302": "hat", "\u0304": "bar", "\u0303": "tilde", "\u0307": "dot"}
_LETTERS = {
    unicodedata.lookup(
        f"GREEK {'CAPITAL' if g[0].isupper() else 'SMALL'} LETTER {g.upper().replace('LAMBDA', 'LAMDA')}"
    ): g
    for g in _GREEK
}


@lru_cache(maxsize=1 << 16)
def latex_name(name: str) -> str:
    r"""Return the LaTeX of a name of the formula language.

    Examples
    --------
    >>> latex_name("yhat"), latex_name("W1"), latex_name("w_out"), latex_name("zhat2")
    ('\\hat{y}', 'W_1', 'w_{\\text{out}}', '\\hat{z}_2')
    """
    base, index = _split(name)
    body = _base(base)
    return body if not index else f"{body}_{_index(index)}"


@lru_cache(maxsize=1 << 16)
def plain_name(name: str) -> str:
    """Return a name as plain text with Unicode marks, for sentences: ``ŷ``, ``W₁``.

    Examples
    --------
    >>> plain_name("yhat"), plain_name("W1"), plain_name("w_out")
    ('ŷ', 'W₁', 'w_out')
    """
    base, index = _split(name)
    stem, mark = _mark(base)
    combining = {mark: code for code, mark in _UNICODE_MARKS.items()}
    greek = {name: letter for letter, name in _LETTERS.items()}
    text = greek.get(_ALIASES.get(stem, stem), stem)
    if mark and mark not in combining:
        return name
    text = unicodedata.normalize("NFC", text + (combining[mark] if mark else ""))
    if not index:
        return text
    return text + (index.translate(_SUBSCRIPTS) if index.isdigit() else f"_{index}")


_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def entry_text(index: Sequence[SupportsIndex]) -> str:
    """Return the place of an entry as people write it, ``[0, 1]``; nothing for a scalar, which has none."""
    return f"[{', '.join(str(int(place)) for place in index)}]" if len(index) else ""


def entry_latex(symbol: str, index: Sequence[SupportsIndex]) -> str:
    r"""Return the LaTeX of an entry of what a symbol stands for; what is worked out gets parentheses.

    Examples
    --------
    >>> entry_latex("W_1", (0, 1)), entry_latex(r"\hat{y} - y", (0, 1)), entry_latex("b", ())
    ('W_1[0, 1]', '\\left(\\hat{y} - y\\right)[0, 1]', 'b')
    """
    place = entry_text(index)
    is_worked_out = re.search(r"[\s+\-=/]", _outside_braces(symbol).removeprefix(r"\Delta ")) is not None
    return rf"\left({symbol}\right){place}" if place and is_worked_out else f"{symbol}{place}"


def _outside_braces(latex: str) -> str:
    depths = accumulate({"{": 1, "}": -1}.get(letter, 0) for letter in latex)
    return "".join(letter for letter, depth in zip(latex, depths, strict=True) if not depth)


def _split(name: str) -> tuple[str, str]:
    """Return stem and index: W1 -> W, 1; w_out -> w, out; y_hat -> yhat, nothing."""
    stem, _, rest = name.partition("_")
    if not stem:
        return name, ""
    if rest in _MARKS and len(stem) > 0:
        return stem + rest, ""
    if rest:
        return stem, rest
    match = re.fullmatch(r"(.*?\D)(\d+)", name.rstrip("_"))
    return (match[1], match[2]) if match else (name, "")


def _mark(base: str) -> tuple[str, str]:
    for mark in _MARKS:
        stem = base.removesuffix(mark)
        if stem and stem != base and (len(stem) == 1 or _known(stem) or re.fullmatch(r"[A-Za-z]\d+", stem)):
            return stem, mark
    return base, ""


def _known(stem: str) -> bool:
    return _ALIASES.get(stem, stem) in _GREEK


def _base(base: str) -> str:
    stem, mark = _mark(base)
    if mark:
        inner, index = _split(stem)
        return rf"\{_MARKS[mark]}{{{_letter(inner)}}}" + (f"_{_index(index)}" if index else "")
    decomposed = unicodedata.normalize("NFD", base)
    if len(decomposed) == 2 and decomposed[1] in _UNICODE_MARKS:
        return rf"\{_UNICODE_MARKS[decomposed[1]]}{{{_letter(decomposed[0])}}}"
    return _letter(base)


def _letter(stem: str) -> str:
    stem = _LETTERS.get(stem, _ALIASES.get(stem, stem))
    if stem in _GREEK or stem == "ell":
        return rf"\{stem}"
    return _escaped(stem) if len(stem) == 1 else rf"\mathrm{{{_escaped(stem)}}}"


def _index(index: str) -> str:
    if len(index) == 1:
        return _escaped(index)
    if index.isdigit():
        return f"{{{index}}}"
    if _known(index):
        return f"{{{_letter(index)}}}"
    return rf"{{\text{{{_escaped(index)}}}}}"


def _escaped(text: str) -> str:
    return text.replace("_", r"\_")
