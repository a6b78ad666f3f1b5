r"""Which symbols of a formula stand for which values: what a mouse on one of them points at.

Formulas reach the screen as LaTeX that was made from expressions; the same names make the same LaTeX
everywhere, so a symbol is found again as a run of tokens. The longest name wins: ``w_2`` is not ``w``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from graphs.views.frame import Statics
from graphs.views.records import Link

__all__ = ["MARK", "Symbol", "link_of_label", "marked", "symbols_of"]

MARK = "at"
"""The role of the n-th symbol of a formula is this and n."""

MOST_NAMES = 1000

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[^\s]")
_OPAQUE = (r"\text", r"\mathrm", r"\operatorname", r"\mathbb", r"\mathcal", r"\vec", r"\begin", r"\end")
"""Commands whose argument has no symbols in it."""
_TRANSPOSED = ("^", r"\intercal")
_ROLE = r"\textcolor"


class Symbol(NamedTuple):
    """How a value or a gradient is written, and what it is."""

    latex: str
    link: Link


class _Token(NamedTuple):
    text: str
    start: int
    end: int


@lru_cache(maxsize=8)
def symbols_of(statics: Statics) -> tuple[Symbol, ...]:
    """Return what can be pointed at in formulas: every value and every gradient, by name.

    None of a graph so large that the names in a formula could not be looked up while the mouse moves.
    """
    write = statics.whole
    names = dict.fromkeys((*statics.names, *statics.graph.named))
    if len(names) > MOST_NAMES:
        return ()
    found = [Symbol(write.gradient_latex(name), Link(name, part="gradient")) for name in names]
    return (*found, *(Symbol(write.name_latex(name), Link(name)) for name in names))


@lru_cache(maxsize=1024)
def marked(latex: str, symbols: tuple[Symbol, ...]) -> tuple[str, tuple[Link, ...]]:
    r"""Return a formula with every symbol in a role of its own, and what each of them is.

    The n-th symbol stands in ``\textcolor{atN}{...}``; what it is set as does not change by that.
    """
    tokens, table = _tokens(latex), _table(symbols)
    pieces, links, done, i = [], [], 0, 0
    while i < len(tokens):
        found = _symbol_at(tokens, i, table)
        if found is None:
            i = _after(tokens, i)
            continue
        end, link = found
        pieces += [latex[done : tokens[i].start], rf"\textcolor{{{MARK}{len(links)}}}{{"]
        pieces += [latex[tokens[i].start : tokens[end - 1].end], "}"]
        done = tokens[end - 1].end
        links.append(link)
        i = end
    return "".join((*pieces, latex[done:])), tuple(links)


def link_of_label(latex: str, symbols: tuple[Symbol, ...]) -> tuple[Link, bool] | None:
    """Return what a label stands for and whether it is transposed, None for more than one symbol."""
    tokens = _tokens(latex)
    found = _symbol_at(tokens, 0, _table(symbols)) if tokens else None
    if found is None or found[0] != len(tokens):
        return None
    return found[1], tuple(token.text for token in tokens[-2:]) == _TRANSPOSED


def _tokens(latex: str) -> Sequence[_Token]:
    return [_Token(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(latex)]


_Table = dict[str, list[tuple[tuple[str, ...], Link]]]


@lru_cache(maxsize=8)
def _table(symbols: tuple[Symbol, ...]) -> _Table:
    """Return the symbols' tokens by the first of them, the longest first."""
    table: _Table = {}
    for latex, link in symbols:
        words = tuple(token.text for token in _tokens(latex))
        if words:
            table.setdefault(words[0], []).append((words, link))
    for entries in table.values():
        entries.sort(key=lambda entry: len(entry[0]), reverse=True)
    return table


def _symbol_at(tokens: Sequence[_Token], start: int, table: _Table) -> tuple[int, Link] | None:
    """Return where the symbol that begins at a token ends, and what it is."""
    for words, link in table.get(tokens[start].text, ()):
        end = start + len(words)
        if tuple(token.text for token in tokens[start:end]) != words:
            continue
        if end < len(tokens) and tokens[end].text == "_":  # a longer name that nobody has
            continue
        is_transposed = tuple(token.text for token in tokens[end : end + 2]) == _TRANSPOSED
        return end + 2 * is_transposed, link
    return None


def _after(tokens: Sequence[_Token], i: int) -> int:
    """Return the token to look at next: what has no symbols in it is passed over."""
    if tokens[i].text == _ROLE:
        return _closed(tokens, i + 1)  # the role's name; what is in the role is looked through
    return _closed(tokens, i + 1) if tokens[i].text in _OPAQUE else i + 1


def _closed(tokens: Sequence[_Token], i: int) -> int:
    """Return the token after the group that opens at `i`."""
    if i >= len(tokens) or tokens[i].text != "{":
        return i
    for place, depth in _depths(tokens, i):
        if depth == 0:
            return place + 1
    return len(tokens)


def _depths(tokens: Sequence[_Token], start: int) -> Iterator[tuple[int, int]]:
    depth = 0
    for place in range(start, len(tokens)):
        depth += {"{": 1, "}": -1}.get(tokens[place].text, 0)
        yield place, depth
