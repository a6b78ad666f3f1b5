r"""Formulas in narrow places: broken into lines where they are too wide, or written as text.

Setting a formula costs milliseconds. Symbols are set once and kept, but lines of numbers are new at every
step and at every iteration, so they are written as rich text instead: ``\frac{2}{133} \cdot x^{2}`` is
2/133 · x².
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.equations import Equation, equation, is_ready, paint, plain_source
from gui.theme import Theme

MIN_SCALE = 0.6
"""Formulas are not made smaller than this."""
BREAK_BELOW = 0.8
"""A formula that would get smaller than this is broken into lines."""
LEADING = 0.45
"""Room between two lines of one formula, in font sizes."""
INDENT = 1.2
"""How far lines after the first stand in, in font sizes."""
LONGEST = 4000
"""Characters of a source that is written as text; nobody reads more."""

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|.", re.DOTALL)
_SIGN_OR_TOKEN = re.compile(r"\\mathrel\{\+\}\s*=|" + _TOKEN.pattern, re.DOTALL)
_BREAK_BEFORE = frozenset(
    ("=", "+", "-", r"\mathrel{+}=", r"\leftarrow", r"\odot", r"\cdot", r"\times", r"\oslash")
)
_DEEP = 100
"""Lines may end inside plain parentheses where they must, never inside anything that is set as one."""
_DEPTHS = {
    "{": _DEEP,
    "[": _DEEP,
    r"\left": _DEEP,
    "(": 1,
    "}": -_DEEP,
    "]": -_DEEP,
    r"\right": -_DEEP,
    ")": -1,
}
_SIGNS = {
    "cdot": "·",
    "times": "×",
    "odot": "⊙",
    "oslash": "⊘",
    "ldots": "…",
    "dots": "…",
    "leftarrow": "←",
    "infty": "∞",
    "intercal": "ᵀ",
    "partial": "∂",
    "square": "□",
    "|": "‖",
    "lVert": "‖",
    "rVert": "‖",
    "le": "≤",
    "ge": "≥",
    "neq": "≠",
    "to": "→",
    "in": "∈",
    "{": "{",
    "}": "}",
    "#": "#",
    "%": "%",
    "_": "_",
    "sigma": "σ",
    "eta": "η",
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "theta": "θ",
    "lambda": "λ",
    "mu": "μ",
    "rho": "ρ",
    "epsilon": "ε",
    "varepsilon": "ε",
    "phi": "φ",
    "sum": "∑",
}
_SPACES = frozenset((",", ";", ":", " ", "quad", "qquad"))
_WORDS = frozenset(("log", "ln", "exp", "sin", "cos", "tan", "tanh", "max", "min", "mean", "softmax"))
_RAW = frozenset(("text", "mathrm", "operatorname", "textrm"))
_PLAIN = frozenset(("mathbf", "mathcal", "mathit", "mathsf", "mathrel", "mathbin", "mathop"))
_MARKS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "vec": "\u20d7"}
_BLACKBOARD = {"1": "𝟙", "0": "𝟘"}


class _UnknownCommandError(Exception):
    """There is no text for a command of LaTeX."""


def as_html(latex: str) -> str | None:
    r"""Return a formula as rich text on one line, None where it has something that text cannot say.

    Examples
    --------
    >>> as_html(r"= \frac{1}{2 + 3} \cdot (-0.5)^{2}")
    '= 1/(2 + 3) · (−0.5)<sup>2</sup>'
    """
    if len(latex) > LONGEST:
        return None
    try:
        return re.sub(r" +", " ", _Reader(latex).read()).strip()
    except (_UnknownCommandError, StopIteration, RecursionError):
        return None


class _Reader:
    """Reads a formula once, from left to right."""

    def __init__(self, latex: str) -> None:
        self._tokens = _TOKEN.findall(latex)
        self._place = 0

    def read(self, end: str = "") -> str:
        """Return the text up to the token `end`."""
        parts = []
        while self._place < len(self._tokens):
            token = self._next()
            if token == end:
                return "".join(parts)
            parts.append(self._text(token))
        if end:
            raise _UnknownCommandError(end)
        return "".join(parts)

    def _next(self) -> str:
        token = self._tokens[self._place]
        self._place += 1
        return token

    def _argument(self) -> str:
        """Return the text of what follows: a group in braces, or one token."""
        while self._peek() == " ":
            self._next()
        if not self._peek():
            raise _UnknownCommandError("")
        token = self._next()
        return self.read("}") if token == "{" else self._text(token)

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _text(self, token: str) -> str:
        if token == "{":
            return self.read("}")
        if token in "^_":
            return self._script("sup" if token == "^" else "sub")
        if token == "|" and self._peek() == "|":
            self._next()
            return "‖"
        if token.startswith("\\"):
            return self._command(token[1:])
        return "−" if token == "-" else escape(token)

    def _script(self, tag: str) -> str:
        text = self._argument()
        return text if text == "ᵀ" else f"<{tag}>{text}</{tag}>"

    def _command(self, name: str) -> str:
        if name in _SPACES:
            return " "
        if name in _SIGNS:
            while name == "partial" and self._peek() == " ":
                self._next()
            return _SIGNS[name]
        if name in _WORDS:
            return name
        if name in ("left", "right"):
            if self._peek() == ".":  # an invisible bracket
                self._next()
            return ""
        return self._with_arguments(name)

    def _with_arguments(self, name: str) -> str:
        if name == "frac":
            return f"{_grouped(self._argument())}/{_grouped(self._argument())}"
        if name == "sqrt":
            return f"√{_grouped(self._argument())}"
        if name == "textcolor":
            self._argument()
            return self._argument()
        if name == "mathbb":
            body = self._argument()
            return _BLACKBOARD.get(body, body)
        if name in _RAW | _PLAIN:
            return self._argument()
        if name in _MARKS:
            return self._argument() + _MARKS[name]
        raise _UnknownCommandError(name)


def _grouped(text: str) -> str:
    """Put parentheses around what has a sign of its own."""
    return f"({text})" if re.search(r"[ +−·×/]", text) else text


def inline_fractions(latex: str) -> str:
    r"""Write a derivative on one line, for labels.

    Examples
    --------
    >>> inline_fractions(r"\frac{\partial\mathcal{L}}{\partial w_2}")
    '\\partial\\mathcal{L}/\\partial w_2'
    """
    match = re.match(r"\\frac\{(\\partial.*)\}$", latex)
    if match is None:
        return latex
    groups = list(_groups(latex[len(r"\frac") :]))
    return f"{groups[0]}/{groups[1]}" if len(groups) == 2 else latex


def with_air(latex: str) -> str:
    r"""Keep what stands on a tinted field apart from a fraction beside it; signs keep apart by themselves.

    Examples
    --------
    >>> with_air(r"= \frac{a}{b} \textcolor{factor}{A} \odot c")
    '= \\frac{a}{b} \\;\\textcolor{factor}{A} \\odot c'
    """
    mark = r"\textcolor{factor}"
    first, *parts = latex.replace(f"}}{mark}", f"}} {mark}").split(f" {mark}")
    result, apart = first, first.endswith("}")
    for part in parts:
        body = next(_groups(part), None)
        if body is None:  # it holds the next one
            result, apart = f"{result} {mark}{part}", False
            continue
        rest = part[len(body) + 2 :]
        after = rf"\;{rest[1:]}" if rest.startswith(r" \frac") else rest
        result += (r" \;" if apart else " ") + f"{mark}{{{body}}}{after}"
        apart = rest.endswith("}")  # nothing of another colour in between: it is one field
    return result


def _groups(text: str) -> Iterator[str]:
    """Yield what stands in each pair of outer braces."""
    depth, start = 0, 0
    for i, char in enumerate(text):
        if char == "{":
            depth += 1
            start = i + 1 if depth == 1 else start
        elif char == "}":
            depth -= 1
            if depth == 0:
                yield text[start:i]


def pieces(latex: str, level: int = 0) -> list[str]:
    r"""Cut a formula before its signs, where a line may end; at most `level` parentheses deep.

    Examples
    --------
    >>> pieces(r"y = w \odot (a - b) + c")
    ['y', '= w', '\\odot (a - b)', '+ c']
    """
    found, depth, start = [], 0, 0
    begun = False  # a sign right after another one is that of a number, and stays with it
    for match in _SIGN_OR_TOKEN.finditer(latex):
        token = match.group()
        if depth <= level and begun and token.replace(" ", "") in _BREAK_BEFORE:
            found.append(latex[start : match.start()].strip())
            start, begun = match.start(), False
        elif not token.isspace():
            begun = token != "("
        depth += _DEPTHS.get(token, 0)
    return [*found, latex[start:].strip()]


@lru_cache(maxsize=2048)
def set_lines(latex: str, size: float, width: float) -> tuple[Equation, ...]:
    """Return a formula as one line, or as several where it is too wide for `width`."""
    return tuple(equation(line, size) for line in _line_sources(latex, size, width))


def lines_missing(latex: str, size: float, width: float) -> list[str]:
    """Return what has still to be laid out before :func:`set_lines` answers at once.

    Once that is done more may be missing: which lines there are depends on how wide their pieces are.
    """
    if not is_ready(latex):
        return [latex]
    if equation(latex, size).width * BREAK_BELOW <= width:
        return []
    wanted = _all_pieces(latex)
    if all(is_ready(piece) for piece in wanted):
        wanted = _line_sources(latex, size, width)
    return [piece for piece in wanted if not is_ready(piece)]


@lru_cache(maxsize=1024)
def _all_pieces(latex: str) -> tuple[str, ...]:
    """Return every piece whose width says where lines may end."""
    return tuple(dict.fromkeys(piece for cut in _cuts(latex) for part in cut for piece in pieces(part, 3)))


@lru_cache(maxsize=2048)
def _line_sources(latex: str, size: float, width: float) -> tuple[str, ...]:
    if equation(latex, size).width * BREAK_BELOW <= width:
        return (latex,)
    room = width / BREAK_BELOW
    parts = next((p for p in _cuts(latex) if all(_width(q, size) <= room for q in p)), [latex])
    lines = [parts[0]]
    for part in parts[1:]:
        longer = f"{lines[-1]} {part}"
        if _width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(part)
    return tuple(lines)


def _cuts(latex: str) -> Iterator[list[str]]:
    """Yield a formula cut ever finer; what is defined is never left alone on its line."""
    for level in range(4):
        first, *others = pieces(latex, level)
        yield [f"{first} {others[0]}", *others[1:]] if others else [first]


def _width(latex: str, size: float) -> float:
    """Estimate a width from that of the pieces: each of them is set only once."""
    return sum(equation(piece, size).width + 0.25 * size for piece in pieces(latex, 3))


def lines_size(lines: tuple[Equation, ...], size: float) -> tuple[float, float]:
    """Return the width and height of lines set below one another."""
    widths = (line.width + (INDENT * size if i else 0) for i, line in enumerate(lines))
    return max(widths), sum(line.height for line in lines) + LEADING * size * (len(lines) - 1)


def fitting_scale(lines: tuple[Equation, ...], size: float, width: float) -> float:
    """Return by how much lines are scaled down to fit `width`, 1 if they are not."""
    return min(1.0, max(MIN_SCALE, width / max(lines_size(lines, size)[0], 1e-9)))


def paint_lines(
    painter: QPainter, lines: tuple[Equation, ...], size: float, theme: Theme, role: str = "text"
) -> None:
    """Paint lines below one another, the first one's top at the origin."""
    top = 0.0
    for i, line in enumerate(lines):
        paint(painter, line, INDENT * size if i else 0, top + line.ascent, theme, role)
        top += line.height + LEADING * size


class FormulaBlock(QWidget):
    """A formula that takes as many lines as its width asks for.

    Parameters
    ----------
    size : float
        Font size in logical pixels.
    """

    MARGIN = 5.0
    SMALLEST = 0.6
    """Share of its size down to which a formula is scaled for its height."""

    def __init__(self, theme: Theme, size: float = 18.0, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._size = size
        self._most: float | None = None
        self._latex = ""
        self._role = "text"
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setSizePolicy(policy)
        self.addAction("Copy as LaTeX").triggered.connect(self.copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    @property
    def latex(self) -> str:
        """The formula's source."""
        return self._latex

    def set_latex(self, latex: str, role: str = "text") -> None:
        """Show another formula."""
        if (latex, role) == (self._latex, self._role):
            return
        self._latex, self._role = latex, role
        self.setAccessibleName(plain_source(latex))
        self._fit()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def copy(self) -> None:
        """Put the source onto the clipboard."""
        QGuiApplication.clipboard().setText(plain_source(self._latex))

    def lines(self) -> tuple[Equation, ...]:
        """Return the lines as they are set now."""
        return set_lines(self._latex, self._size, float(self._room()))

    def scale(self) -> float:
        """Return by how much they are scaled down."""
        scale = fitting_scale(self.lines(), self._size, self._room())
        height = lines_size(self.lines(), self._size)[1]
        if self._most is None or height <= 0:
            return scale
        return min(scale, max(self.SMALLEST, (self._most - 2 * self.MARGIN - 1) / height))

    def set_most_height(self, most: float) -> None:
        """Take no more than this height, in logical pixels, as far as the formula can still be read then."""
        if most != self._most:
            self._most = most
            self._fit()
            self.update()

    def paint_over(self, painter: QPainter) -> None:
        """Paint what lies over the formula, in its coordinates: nothing, but who inherits may."""

    def _room(self) -> int:
        return max(40, self.width() - 2 * int(self.MARGIN))

    def _fit(self) -> None:
        """Take the height that the lines need at this width."""
        height = lines_size(self.lines(), self._size)[1] * self.scale() if self._latex else 0
        needed = int(height + 2 * self.MARGIN) + 1 if self._latex else 0
        if needed != self.height() or self.minimumHeight() != needed:
            self.setFixedHeight(needed)

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(200, self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._latex:
            return
        painter = QPainter(self)
        scale = self.scale()
        painter.translate(self.MARGIN, self.MARGIN)
        painter.scale(scale, scale)
        paint_lines(painter, self.lines(), self._size, self._theme, self._role)
        self.paint_over(painter)
        painter.end()
