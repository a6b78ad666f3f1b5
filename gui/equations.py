r"""LaTeX as vector paths: laid out by ziamath, painted by Qt, coloured by the role of each part.

A part of a formula gets a role with ``\textcolor{ROLE}{...}``, ROLE being one of `ROLES`; the theme says
what colour that is when it is painted, so one `Equation` serves every theme. Parts in the role ``factor``
stand on a tinted field. Paths are filled without a pen: with one, glyphs come out bold in a PDF.

Laying out costs some 2 ms for a short formula and 20 ms for a long one, so it is done once a formula, at
one size, and kept; `EquationCache` does it ahead of time in idle moments.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QGuiApplication,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QResizeEvent,
    QTransform,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from graphs.palette import EQUATION_ROLES
from gui.groups import group, is_grouped
from gui.icons import path_from_data
from gui.theme import Theme, application_font
from gui.viewdata.links import MARK

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ziamath.zmath import Math

log = logging.getLogger(__name__)

ROLES = frozenset(EQUATION_ROLES) - {"text"}
LAYOUT_SIZE = 24.0
"""Points at which formulas are laid out; every other size is this one, scaled."""
CACHED = 4096
SLICE = 0.008
"""Seconds of work in one idle moment: half a frame."""
PATIENCE = 250
"""Milliseconds before ziamath is loaded: the window's first picture comes before all idle work."""
WARMING = 30
"""Milliseconds between two looks whether ziamath is loaded."""
FIELD_MARGIN = 0.22
"""Room around a tinted part, in font sizes."""

LATEX_REPLACEMENTS = (
    # ziamath puts wide gaps into a name in \mathrm; the same letters in \text are set tight.
    (r"\\(?:mathrm|operatorname)\s*\{([A-Za-z][\w ]*)\}", r"\\text{\1}"),
    (r"\\mathrel\{\+\}\s*=", r"\\;\\text{+=}\\;"),
    (r"\|\||\\[lr]Vert(?![A-Za-z])", r"\\|"),
    # Letters its font has, but that it does not find by these names.
    (r"\\mathbb\{1\}", "𝟙"),
    (r"\\mathbb\{0\}", "𝟘"),
    (r"\\mathbf\{1\}", "𝟏"),
    (r"\\mathbf\{0\}", "𝟎"),
    (r"\\partial(?![A-Za-z])", "𝜕 "),
)
MATHML_REPLACEMENTS = (
    # A hat over one letter keeps its own width instead of being stretched over the letter's.
    (r"(<mi>[^<]*</mi>(?:</mrow>)?)<mo>&#x00302;</mo>", r"\1<mi>&#x00302;</mi>"),
    # Binary operators stand as far apart as plus and minus do: ⊙ ⊘ × ∘
    (
        r"<mo>(&#x(?:02299|02298|000D7|02218);)",
        r'<mo lspace="mediummathspace" rspace="mediummathspace">\1',
    ),
)


@dataclass(frozen=True)
class Equation:
    """A formula as filled paths, its baseline at y = 0 and its left edge at x = 0, y downwards.

    Attributes
    ----------
    latex : str
        Its source.
    parts : tuple of (QPainterPath, str or None)
        Runs of neighbouring glyphs with one role; None is the default role.
    width, height, ascent : float
        In points; `ascent` is the height above the baseline.
    size : float
        The font size.
    """

    latex: str
    parts: tuple[tuple[QPainterPath, str | None], ...]
    width: float
    height: float
    ascent: float
    size: float

    def rect(self, x: float = 0.0, baseline: float = 0.0) -> QRectF:
        """Return the box the formula fills when painted at (`x`, `baseline`)."""
        return QRectF(x, baseline - self.ascent, self.width, self.height)

    def role_rect(self, role: str) -> QRectF:
        """Return the box of the parts in `role`, empty where there are none; for clicks and fields."""
        result = QRectF()
        for path, part_role in self.parts:
            if part_role == role:
                result = result.united(path.boundingRect())
        return result

    def scaled(self, size: float) -> Equation:
        """Return the same formula at another font size."""
        factor = size / self.size
        transform = QTransform.fromScale(factor, factor)
        return Equation(
            latex=self.latex,
            parts=tuple((transform.map(path), role) for path, role in self.parts),
            width=self.width * factor,
            height=self.height * factor,
            ascent=self.ascent * factor,
            size=size,
        )


def equation(latex: str, size: float) -> Equation:
    """Return `latex` laid out at `size` points; at once if it was asked for before.

    A source that cannot be set is shown as it stands and logged once; nothing is raised.
    """
    return _scaled(latex, round(size, 2))


def is_ready(latex: str) -> bool:
    """Say whether `equation` has `latex` at hand and will answer at once."""
    return latex in _layouts


def paint(
    painter: QPainter,
    formula: Equation,
    x: float,
    baseline: float,
    theme: Theme,
    default_role: str = "text",
    field: bool = True,
) -> None:
    """Paint a formula with its baseline's left end at (`x`, `baseline`).

    Parameters
    ----------
    default_role : str
        The role of parts that name none.
    field : bool
        Whether parts in the role ``factor`` stand on a tinted field.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.translate(x, baseline)
    with group(painter, "formula", label=_spoken(formula.latex) if is_grouped(painter) else ""):
        if field:
            _paint_field(painter, formula, theme)
        for path, role in formula.parts:
            painter.setBrush(theme.equation_color(role or default_role))
            painter.drawPath(path)
    painter.restore()


def _spoken(latex: str) -> str:
    """Return the source that stands for a formula's strokes."""
    return _without_marks(plain_source(latex), _SYMBOL_MARK)


def plain_source(latex: str) -> str:
    r"""Return the source without role marks, as one would paste it: ``\textcolor{factor}{A}`` -> ``A``."""
    return _without_marks(latex, _ROLE_MARK)


def _without_marks(latex: str, mark: re.Pattern[str]) -> str:
    result = ""
    rest = latex
    while match := mark.search(rest):
        end = _closing_brace(rest, match.end())
        result += rest[: match.start()]
        rest = rest[match.end() : end] + rest[end + 1 :]
    return result + rest


class EquationCache(QObject):
    """Formulas laid out ahead of time, in idle moments, so that showing them costs nothing.

    Signals
    -------
    ready(str)
        A requested or prefetched formula can now be had at once.
    """

    ready = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: dict[str, None] = {}
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._work)

    @property
    def waiting(self) -> int:
        """How many formulas are still to be laid out."""
        return len(self._waiting)

    def request(self, latex: str, size: float) -> Equation | None:
        """Return `latex` if it is at hand; else lay it out next, then send `ready`."""
        if is_ready(latex):
            return equation(latex, size)
        self._waiting = {latex: None, **self._waiting}
        self._begin()
        return None

    def prefetch(self, sources: Iterable[str]) -> None:
        """Lay out `sources` when nothing else is to be done, in their order."""
        self._waiting.update(dict.fromkeys(latex for latex in sources if not is_ready(latex)))
        if self._waiting:
            self._begin()

    def _begin(self) -> None:
        if not self._timer.isActive():
            self._timer.start(0 if _warm.is_set() else PATIENCE)

    def drain(self) -> None:
        """Lay out everything that waits now: for tests and exports."""
        while self._waiting:
            self._lay_out_next()
        self._timer.stop()

    def _work(self) -> None:
        if not _warm.is_set():
            warm_up()
            self._timer.setInterval(WARMING)
            return
        self._timer.setInterval(0)
        begin = perf_counter()
        while self._waiting and perf_counter() - begin < SLICE:
            self._lay_out_next()
        if not self._waiting:
            self._timer.stop()

    def _lay_out_next(self) -> None:
        latex = next(iter(self._waiting))
        del self._waiting[latex]
        _layout(latex)
        self.ready.emit(latex)


class EquationLabel(QWidget):
    """A formula as a widget: scaled down to fit its width, never below `MIN_SCALE`, then cut off.

    Parameters
    ----------
    theme : Theme
    latex : str
    size : float
        Font size in points.
    default_role : str
        The role of parts that name none.
    centered : bool
        Whether it stands in the middle of its room instead of at the left.
    """

    MIN_SCALE = 0.6

    def __init__(
        self,
        theme: Theme,
        latex: str = "",
        size: float = 13.0,
        default_role: str = "text",
        centered: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._size = size
        self._default_role = default_role
        self._centered = centered
        self._equation = equation("", size)
        self.addAction("Copy as LaTeX").triggered.connect(self.copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.set_latex(latex)

    @property
    def latex(self) -> str:
        """The formula's source."""
        return self._equation.latex

    def set_latex(self, latex: str, default_role: str | None = None) -> None:
        """Show another formula."""
        self._default_role = default_role or self._default_role
        self._equation = equation(latex, self._size)
        self.setAccessibleName(plain_source(latex))
        self._update_tooltip()
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def set_size(self, size: float) -> None:
        """Show the formula at another font size."""
        self._size = size
        self.set_latex(self.latex)

    def scale(self) -> float:
        """Return by how much the formula is scaled down to fit, 1 if it is not."""
        room = self.width() - 2 * self._margin()
        wanted = max(self._equation.width, 1e-9)
        return min(1.0, max(self.MIN_SCALE, room / wanted))

    def is_cut_off(self) -> bool:
        """Say whether part of the formula is out of sight."""
        return self._equation.width * self.scale() > self.width() - 2 * self._margin() + 0.5

    def copy(self) -> None:
        """Put the source onto the clipboard."""
        QGuiApplication.clipboard().setText(plain_source(self.latex))

    def _margin(self) -> float:
        return FIELD_MARGIN * self._size

    def _update_tooltip(self) -> None:
        self.setToolTip(plain_source(self.latex) if self.is_cut_off() else "")

    # Qt

    def sizeHint(self) -> QSize:
        margin = 2 * self._margin()
        return QSize(int(self._equation.width + margin) + 1, int(self._equation.height + margin) + 1)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(60, self.sizeHint().width()), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        scale = self.scale()
        spare = self.width() - self._equation.width * scale
        left = spare / 2 if self._centered and not self.is_cut_off() else self._margin()
        middle = self._equation.ascent - self._equation.height / 2
        painter.translate(left, self.height() / 2)
        painter.scale(scale, scale)
        paint(painter, self._equation, 0, middle, self._theme, self._default_role)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._update_tooltip()


# From LaTeX to paths

_ROLE_MARK = re.compile(r"\\textcolor\{(" + "|".join(sorted(ROLES)) + r")\}\{")
_SYMBOL_MARK = re.compile(rf"\\textcolor\{{{MARK}\d+\}}\{{")
_layouts: dict[str, Equation] = {}


@lru_cache(maxsize=CACHED)
def _scaled(latex: str, size: float) -> Equation:
    return _layout(latex).scaled(size)


def _layout(latex: str) -> Equation:
    if latex not in _layouts:
        if len(_layouts) >= CACHED:
            _layouts.clear()
        _layouts[latex] = _laid_out(latex)
    return _layouts[latex]


def _laid_out(latex: str) -> Equation:
    if not latex.strip():
        return Equation(latex, (), 0.0, 0.0, 0.0, LAYOUT_SIZE)
    stored = _from_store(latex)
    if stored is not None:
        return stored
    try:
        return _typeset(latex)
    except Exception:  # whatever a formula does to ziamath, its reader sees the source instead
        log.warning("This formula cannot be set, its source is shown instead: %s", latex, exc_info=True)
        return _as_plain_text(latex)


# The store: what the window shows first of the built-in networks, laid out beforehand

STORE = Path(__file__).parent / "resources" / "equations.json"


@lru_cache(maxsize=1)
def _store() -> dict[str, list[list[str | None]]]:
    """Return the path data of the stored formulas: with them, the first picture needs no ziamath."""
    try:
        return json.loads(STORE.read_text("utf-8"))
    except (OSError, ValueError):
        return {}


def _from_store(latex: str) -> Equation | None:
    found = _store().get(latex)
    if found is None:
        return None
    parts = []
    for data, role in found:
        path = path_from_data(str(data))
        path.setFillRule(Qt.FillRule.WindingFill)
        parts.append((path, role))
    return _boxed(latex, parts)


def stored_form(latex: str) -> list[list[str | None]]:
    """Return `latex` laid out now, as the store keeps it; for the tool that writes it, and its test."""
    return [[_data_of_path(path), role] for path, role in _typeset(latex).parts]


def _data_of_path(path: QPainterPath) -> str:
    """Return a path as the path data that `path_from_data` reads."""
    words: list[str] = []
    names = {
        QPainterPath.ElementType.MoveToElement: "M",
        QPainterPath.ElementType.LineToElement: "L",
        QPainterPath.ElementType.CurveToElement: "C",
    }
    for i in range(path.elementCount()):
        element = path.elementAt(i)
        name = names.get(element.type)  # the two points that end a curve have none
        words += [name] if name else []
        words += [f"{side:.2f}".rstrip("0").rstrip(".") for side in (element.x, element.y)]
    return " ".join(words)


# ziamath


def warm_up() -> None:
    """Load ziamath and its font beside the window, before anything needs them: a fifth of a second."""
    if not _warm.is_set() and _warming.acquire(blocking=False):
        threading.Thread(target=_warm_up, name="typesetter", daemon=True).start()


def _warm_up() -> None:
    _typesetter()("x")
    _warm.set()


_warm = threading.Event()
_warming = threading.Lock()


def _typeset(latex: str) -> Equation:
    shapes = list(_set(latex))
    if _SYMBOL_MARK.search(latex):
        # Set apart, a symbol can stand a hair further from its neighbours: the roles, but not the places, are
        # those of the marked formula; the glyphs are the same in the same order.
        bare = list(_set(_without_marks(latex, _SYMBOL_MARK)))
        if len(bare) == len(shapes):
            shapes = [(path, role) for (path, _), (_, role) in zip(bare, shapes, strict=True)]
    return _boxed(latex, _merged(shapes))


def _set(latex: str) -> Iterator[tuple[QPainterPath, str | None]]:
    formula = _typesetter()(_replaced(latex, LATEX_REPLACEMENTS))
    _make_spaces_phantoms(formula.node)
    return _shapes(formula.svgxml())


def _boxed(latex: str, parts: Sequence[tuple[QPainterPath, str | None]]) -> Equation:
    """Move the ink to the left edge and measure it."""
    ink = QRectF()
    for path, _ in parts:
        ink = ink.united(path.boundingRect())
    shift = QTransform.fromTranslate(-ink.left(), 0)
    moved = tuple((shift.map(path), role) for path, role in parts)
    return Equation(latex, moved, ink.width(), ink.height(), -ink.top(), LAYOUT_SIZE)


def _replaced(text: str, replacements: Iterable[tuple[str, str]]) -> str:
    for pattern, replacement in replacements:
        text = re.sub(pattern, replacement, text)
    return text


@lru_cache(maxsize=1)
def _typesetter() -> Callable[[str], Math]:
    """Import ziamath, when the first formula is shown: it takes a seventh of a second."""
    with warnings.catch_warnings():
        # ziamath finds its font in a way that Python 3.11 calls deprecated, and 3.13 no longer does.
        warnings.simplefilter("ignore", DeprecationWarning)
        from ziamath.config import config
        from ziamath.nodes.mrow import Mrow
        from ziamath.tex import tex2mml
        from ziamath.zmath import Math

    config.svg2 = False  # whole paths instead of references to symbols

    class QuickRow(Mrow, tag="mrow"):
        """A row that is measured once.

        To find how far brackets stretch, ziamath lays out each row twice, and each row in it twice again:
        the time doubles with every level. In the measuring pass nothing stretches, so rows inside need
        no measuring of their own; what comes out is the same.
        """

        def _get_height_nostretch(self, line: list[Element], **kwargs) -> tuple[float, float]:
            if kwargs.get("nostretch"):
                return 0.0, 0.0
            return super()._get_height_nostretch(line, **kwargs)

    return lambda latex: Math(_replaced(tex2mml(latex), MATHML_REPLACEMENTS), LAYOUT_SIZE)


def _make_spaces_phantoms(node) -> None:  # noqa: ANN001  ziamath's drawable
    """Keep spaces from being drawn: ziamath would give their colour to the glyph before them."""
    for child in node.nodes:
        if getattr(child, "glyph", None) is not None and not child.glyph.operators:
            child.phantom = True
        _make_spaces_phantoms(child)


def _shapes(svg: Element) -> Iterator[tuple[QPainterPath, str | None]]:
    for element in svg:
        role = element.get("fill")
        path = _PATH_OF.get(element.tag, _no_path)(element)
        if not path.isEmpty():
            yield path, role if role in ROLES or (role or "").startswith(MARK) else None


def _merged(shapes: Iterable[tuple[QPainterPath, str | None]]) -> list[tuple[QPainterPath, str | None]]:
    """Join neighbours of one role: painting one path is quicker than painting many."""
    result: list[tuple[QPainterPath, str | None]] = []
    for path, role in shapes:
        if result and result[-1][1] == role:
            result[-1][0].addPath(path)
        else:
            path.setFillRule(Qt.FillRule.WindingFill)
            result.append((path, role))
    return result


def _path_of_path(element: Element) -> QPainterPath:
    return path_from_data(element.get("d", ""))


def _path_of_rect(element: Element) -> QPainterPath:
    path = QPainterPath()
    if element.get("fill") != "none":
        path.addRect(*(float(element.get(name, 0)) for name in ("x", "y", "width", "height")))
    return path


def _no_path(element: Element) -> QPainterPath:
    return QPainterPath()


_PATH_OF = {"path": _path_of_path, "rect": _path_of_rect}


def _as_plain_text(latex: str) -> Equation:
    font = application_font()
    font.setPointSizeF(LAYOUT_SIZE)
    path = QPainterPath()
    path.addText(QPointF(0, 0), font, latex)
    return _boxed(latex, [(path, None)])


def _paint_field(painter: QPainter, formula: Equation, theme: Theme) -> None:
    rect = formula.role_rect("factor")
    if rect.isEmpty():
        return
    margin = FIELD_MARGIN * formula.size
    painter.setBrush(theme.color("factor_background"))
    painter.drawRoundedRect(rect.adjusted(-margin, -margin, margin, margin), margin, margin)


def _closing_brace(text: str, start: int) -> int:
    """Return where the brace that was opened just before `start` is closed."""
    depth = 1
    for index in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return len(text)
