r"""Formulas on lines: how wide LaTeX is when it is set, and where it may be broken.

TeX breaks no displayed formula by itself. The formulas that Backstep writes use a small part of LaTeX, which
is read here into atoms with widths (those of Latin Modern, in em). A formula wider than its line is broken
where a mathematician would: before a relation or a sum's sign, if need be before a product's, and inside
parentheses only where nothing else is left.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

__all__ = ["lines", "width"]

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|\d+(?:\.\d+)?|.", re.DOTALL)
_ARGUMENTS = {r"\frac": 2, r"\sqrt": 1, r"\textcolor": 2, r"\phantom": 1}
_ACCENTS = (r"\hat", r"\bar", r"\tilde", r"\dot", r"\vec")
_UPRIGHT = (r"\mathrm", r"\text", r"\mathbf", r"\operatorname")
_RELATIONS = ("=", ">", "<", r"\leftarrow", r"\approx", r"\to")
_SIGNS = ("+", "-")
_OPERATORS = (*_SIGNS, r"\cdot", r"\odot", r"\oslash", r"\times")
_OPENING, _CLOSING = ("(", "["), (")", "]")
_SPACES = {r"\,": 0.167, r"\;": 0.278, r"\!": -0.167, r"\quad": 1.0, r"\qquad": 2.0, r"\ ": 0.333, "~": 0.333}

_ITALIC = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            *(
                0.53,
                0.43,
                0.43,
                0.52,
                0.47,
                0.6,
                0.51,
                0.58,
                0.35,
                0.47,
                0.55,
                0.32,
                0.88,
                0.6,
                0.49,
                0.5,
                0.48,
            ),
            *(0.48, 0.47, 0.36, 0.57, 0.52, 0.74, 0.57, 0.53, 0.51),
            *(
                0.75,
                0.81,
                0.79,
                0.86,
                0.8,
                0.78,
                0.79,
                0.91,
                0.52,
                0.65,
                0.92,
                0.68,
                1.08,
                0.91,
                0.79,
                0.78,
                0.79,
            ),
            *(0.77, 0.67, 0.72, 0.79, 0.81, 1.08, 0.91, 0.8, 0.75),
        ),
        strict=True,
    )
)
_ROMAN = {
    **{c: 0.555 for c in "abdhknpqu"},
    **{c: 0.54 for c in "kvxy"},
    **{c: 0.444 for c in "ceaz"},
    **{c: 0.51 for c in "ago"},
    **{c: 0.395 for c in "frst"},
    **{c: 0.29 for c in "ijl.,:;'|!"},
    **{"m": 0.84, "w": 0.74, " ": 0.333, "M": 0.92, "W": 1.04, "I": 0.37, "_": 0.5},
    **{c: 0.78 for c in "AGHKNOQRU"},
    **{c: 0.389 for c in "()-"},
}
_COMMANDS = {
    **{
        r"\partial": 0.586,
        r"\infty": 1.0,
        r"\ldots": 1.167,
        r"\cdots": 1.333,
        r"\square": 0.778,
        r"\#": 0.833,
    },
    **{
        r"\log": 1.29,
        r"\sin": 1.235,
        r"\cos": 1.34,
        r"\tanh": 2.01,
        r"\max": 1.88,
        r"\min": 1.68,
        r"\exp": 1.53,
    },
    **{r"\intercal": 0.556, r"\odot": 0.778, r"\oslash": 0.778, r"\times": 0.778, r"\cdot": 0.278},
    **{r"\leftarrow": 1.0, r"\to": 1.0, r"\approx": 0.778, r"\|": 0.5, r"\ell": 0.417, r"\_": 0.5},
    **{r"\{": 0.5, r"\}": 0.5, r"\mathcal": 0.0, r"\displaystyle": 0.0},
}
_GREEK_CAPITAL, _GREEK = 0.79, 0.61
_SIGN_WIDTH = {"+": 0.778, "-": 0.778, "=": 0.778, ">": 0.778, "<": 0.778, "|": 0.278, ",": 0.278, ".": 0.278}
_AROUND = {"bin": 0.444, "rel": 0.556, "punct": 0.167}
_TALL = 0.74  # of a parenthesis as high as a fraction
_SCRIPT, _LEAST = 0.7, 0.5
_FRACTION = 0.24
_ROOT = 0.83
_COLUMN = 0.92  # between two columns of an array


@dataclass(frozen=True)
class _Atom:
    """What is not broken: its LaTeX, its width in em, what it is, and how deep in parentheses it stands.

    `spaced` says that a space stands before it in the source, as between the factors of a product.
    """

    text: str
    width: float
    kind: str = "ord"
    depth: int = 0
    spaced: bool = False
    colour: str = ""


def width(latex: str) -> float:
    r"""Return about how wide a formula is in display style, in em of the font around it.

    Examples
    --------
    >>> round(width(r"\frac{1}{2} + x"), 1)
    2.5
    """
    return _sum(_atoms(latex))


def lines(latex: str, room: float, first: float | None = None, indent: float = 1.5) -> list[str]:
    r"""Return a formula broken into lines no wider than `room`, in em.

    Parameters
    ----------
    first
        The room on the first line, where it differs.
    indent
        How far the other lines are to be moved in.

    Returns
    -------
    list of str
        LaTeX of each line; a sign of an operation begins a line, and a product that is broken gets one. A
        part that cannot be broken may be wider than its line.
    """
    atoms = _atoms(latex)
    widths = (room if first is None else first, max(1.0, room - indent))
    if _sum(atoms) <= widths[0]:
        return [latex]
    cuts = _cuts(atoms, widths)
    pieces = [list(atoms[a:b]) for a, b in zip(cuts, [*cuts[1:], len(atoms)], strict=True)]
    before = [None, *(piece[-1] for piece in pieces)]
    return [_line(piece, last) for piece, last in zip(pieces, before, strict=False)]


def _sum(atoms: Sequence[_Atom]) -> float:
    return sum(_advance(atom) for atom in atoms)


def _advance(atom: _Atom) -> float:
    return atom.width + _AROUND.get(atom.kind, 0.0)


# --- reading -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _atoms(latex: str) -> tuple[_Atom, ...]:
    reader = _Reader(_TOKEN.findall(latex))
    return tuple(reader.atoms(1.0, 0))


class _Reader:
    """Reads tokens into atoms; scripts and groups become parts of the atom they belong to."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next
        self._at += 1
        return token

    def atoms(self, scale: float, depth: int, colour: str = "") -> list[_Atom]:
        """Read up to the end of the group."""
        found: list[_Atom] = []
        spaced = in_norm = False
        while self._next and self._next != "}":
            if self._next.isspace():
                self._take()
                spaced = True
                continue
            if self._next in "^_" and found:
                found[-1] = self._scripted(found[-1], scale)
            elif self._next == r"\textcolor":
                inner = self._coloured(scale, depth)
                found += [replace(a, spaced=spaced or a.spaced) if not i else a for i, a in enumerate(inner)]
            else:
                atom = self._atom(scale, found)
                if atom.text == r"\|":
                    in_norm = not in_norm
                    atom = replace(atom, kind="open" if in_norm else "close")
                depth += atom.kind == "open"
                found.append(replace(atom, depth=depth, spaced=spaced, colour=colour))
                depth = max(0, depth - (atom.kind == "close"))
            spaced = False
        return found

    def _coloured(self, scale: float, depth: int) -> list[_Atom]:
        self._take()
        colour = self._group()[1:-1]
        self._take()
        inner = self.atoms(scale, depth, colour)
        self._take()
        return inner

    def _atom(self, scale: float, before: Sequence[_Atom]) -> _Atom:
        token = self._take()
        if token in (r"\left", r"\right"):
            delimiter = self._take()
            kind = "open" if token == r"\left" else "close"
            return _Atom(f"{token}{delimiter}", (0.53 if delimiter in "[]" else _TALL) * scale, kind)
        if token in _OPENING or token in _CLOSING:
            return _Atom(token, 0.39 * scale, "open" if token in _OPENING else "close")
        if token in _OPERATORS:
            unary = not before or before[-1].kind in ("bin", "rel", "open", "punct")
            return _Atom(token, _symbol(token) * scale, "ord" if unary else "bin")
        if token in _RELATIONS:
            return _Atom(token, _symbol(token) * scale, "rel")
        if token == ",":
            return _Atom(token, _symbol(token) * scale, "punct")
        if token == r"\mathrel":
            return _Atom(token + self._group(), 0.9 * scale, "ord")
        if token in _SPACES:
            return _Atom(token, _SPACES[token] * scale, "space")
        text, wide = self._ordinary(token, scale)
        return _Atom(text, wide)

    def _ordinary(self, token: str, scale: float) -> tuple[str, float]:
        if token == "{":
            self._at -= 1
            return self._measured(scale)
        if token == r"\begin":
            return self._array()
        if token == r"\frac":
            (top, a), (bottom, b) = self._measured(scale), self._measured(scale)
            return f"{token}{top}{bottom}", max(a, b) + _FRACTION * scale
        if token == r"\sqrt":
            text, wide = self._measured(scale)
            return token + text, wide + _ROOT * scale
        if token in _ACCENTS or token in (r"\mathcal", r"\mathbb"):
            text, wide = self._measured(scale)
            return token + text, wide
        if token in _UPRIGHT:
            text = self._group()
            return token + text, sum(_roman(c) for c in _shown(text)) * scale
        return token, _symbol(token) * scale

    def _array(self) -> tuple[str, float]:
        """Read an array up to its end; it is never broken."""
        start = self._at - 1
        self._group()
        self._group()
        body = self._at
        while self._next and self._next != r"\end":
            self._take()
        cells = "".join(self._tokens[body : self._at])
        self._take()
        self._group()
        table = [[width(cell.strip()) for cell in row.split("&")] for row in cells.split(r"\\")]
        wide = sum(max(column) + _COLUMN for column in zip(*table, strict=True))
        return "".join(self._tokens[start : self._at]), wide

    def _measured(self, scale: float) -> tuple[str, float]:
        """Read an argument: a group in braces, or a single token."""
        start = self._at
        if self._next != "{":
            token = self._take()
            return f"{{{token}}}", _symbol(token) * scale
        self._take()
        wide = _sum(self.atoms(scale, 0))
        self._take()
        return "".join(self._tokens[start : self._at]), wide

    def _group(self) -> str:
        """Read a group in braces as it stands."""
        start, depth = self._at, 0
        while self._next:
            token = self._take()
            depth += (token == "{") - (token == "}")
            if not depth:
                break
        return "".join(self._tokens[start : self._at])

    def _scripted(self, atom: _Atom, scale: float) -> _Atom:
        widest = 0.0
        text = atom.text
        while self._next and self._next in "^_":
            mark = self._take()
            inner, wide = self._measured(max(_LEAST, scale * _SCRIPT))
            text += mark + inner
            widest = max(widest, wide)
        return replace(atom, text=text, width=atom.width + widest + 0.05)


def _shown(group: str) -> str:
    """Return the characters that a group of text shows."""
    return re.sub(r"\\([A-Za-z]+\s?|(.))|[{}]", lambda m: m[2] or ("x" if m[1] else ""), group)


def _roman(char: str) -> float:
    return _ROMAN.get(char, 0.7 if char.isupper() else 0.55)


def _symbol(token: str) -> float:
    if token in _COMMANDS:
        return _COMMANDS[token]
    if token[0].isdigit():
        return 0.5 * len(token) - 0.222 * ("." in token)
    if token.startswith("\\"):
        return _GREEK_CAPITAL if token[1:2].isupper() else _GREEK
    return _ITALIC.get(token, _SIGN_WIDTH.get(token, 0.5))


# --- breaking ----------------------------------------------------------------------------------------------

_NEVER = 1e9
_LINE = 20.0  # what a line more costs; the rest in the same measure
_DEEPER, _DEEPEST = 8.0, 4  # inside so many parentheses
_BEFORE = {"=": 0.0, "+": 1.0, "-": 1.0, r"\odot": 6.0, r"\cdot": 6.0, r"\oslash": 8.0}
_PRODUCT, _LIST = 12.0, 2.0
_TOO_WIDE = 1000.0
_SLACK = 4.0


def _costs(atoms: Sequence[_Atom]) -> list[float]:
    """Return what it costs to begin a line with each atom."""
    found = [0.0]
    for before, atom, after in zip(atoms, atoms[1:], [*atoms[2:], None], strict=False):
        depth = min(before.depth, atom.depth)
        found.append(_NEVER if depth > _DEEPEST else _cost(before, atom, after) + _DEEPER * depth)
    return found


def _cost(before: _Atom, atom: _Atom, after: _Atom | None) -> float:
    if atom.kind == "bin" and atom.text == r"\times":
        return _NEVER  # of a power of ten
    if atom.kind in ("bin", "rel"):
        joined = atom.kind == "rel" and before.text.startswith(r"\mathrel")
        return _NEVER if joined or after is None else _BEFORE.get(atom.text, _BEFORE["="])
    if before.kind == "punct":
        return _LIST
    whole = before.kind in ("ord", "close") and atom.kind in ("ord", "open")
    unary = before.text in _SIGNS
    return _PRODUCT if whole and atom.spaced and not unary else _NEVER


def _cuts(atoms: Sequence[_Atom], widths: tuple[float, float]) -> list[int]:
    """Return where lines begin, so that they cost least together."""
    costs, ends = _costs(atoms), [0.0]
    for atom in atoms:
        ends.append(ends[-1] + _advance(atom))
    count = len(atoms)
    best, came = [0.0] + [_NEVER] * count, [0] * (count + 1)
    places = [i for i in range(count) if costs[i] < _NEVER]
    for end in (*places[1:], count):
        for start in reversed([p for p in places if p < end]):
            wide, room = ends[end] - ends[start], widths[start > 0]
            if wide > 1.5 * room and best[end] < _NEVER:
                break
            cost = best[start] + costs[start] + _LINE + _loose(wide, room, end == count)
            if cost < best[end]:
                best[end], came[end] = cost, start
    found = [count]
    while found[-1]:
        found.append(came[found[-1]])
    return found[:0:-1]


def _loose(wide: float, room: float, is_last: bool) -> float:
    if wide > room:
        return _TOO_WIDE * (wide - room)
    return 0.0 if is_last else _SLACK * (1 - wide / room) ** 2


def _is_split(atoms: Sequence[_Atom]) -> bool:
    r"""Say whether a line holds a \left without its \right."""
    balance = 0
    for atom in atoms:
        balance += atom.text.startswith(r"\left") and atom.kind == "open"
        balance -= atom.text.startswith(r"\right") and atom.kind == "close"
        if balance < 0:
            return True
    return balance != 0


def _line(atoms: Sequence[_Atom], before: _Atom | None) -> str:
    """Return a line's LaTeX; `before` is the last atom of the line above."""
    if _is_split(atoms):
        atoms = [replace(a, text=_fixed(a.text)) for a in atoms]
    text = " ".join(_runs(atoms))
    if before is None or before.kind == "punct":
        return text
    return f"{{}} {text}" if atoms[0].kind in ("bin", "rel") else rf"{{}} \cdot {text}"


def _fixed(text: str) -> str:
    r"""Return a \left or \right as a delimiter of a size of its own, which need not stand on one line."""
    return (
        text.replace(r"\left", r"\biggl").replace(r"\right", r"\biggr").replace(r"\bigglarrow", r"\leftarrow")
    )


def _runs(atoms: Sequence[_Atom]) -> Iterator[str]:
    """Yield what stands side by side in one colour."""
    run: list[str] = []
    for atom, after in zip(atoms, [*atoms[1:], None], strict=True):
        if not run and atom.colour and atom.kind in ("bin", "rel"):
            run.append("{}")
        run.append(f" {atom.text}" if run and _is_apart(atom, run[-1]) else atom.text)
        if after is None or after.colour != atom.colour:
            text = "".join(run)
            yield rf"\textcolor{{{atom.colour}}}{{{text}}}" if atom.colour else text
            run = []


def _is_apart(atom: _Atom, before: str) -> bool:
    """Say whether a space is needed before an atom, or reads better."""
    word = re.search(r"\\[A-Za-z]+$", before) is not None and atom.text[:1].isalpha()
    return word or atom.spaced or atom.kind in ("bin", "rel")
