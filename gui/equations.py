r"""LaTeX as vector paths: laid out by ziamath, painted by Qt, coloured by the role of each part.

A part of a formula gets a role with ``\textcolor{ROLE}{...}``, ROLE being one of `ROLES`; the theme says
what colour that is when it is painted, so one `Equation` serves every theme. Parts in the role ``factor``
stand on a tinted field. Paths are filled without a pen: with one, glyphs come out bold in a PDF.

Typesetting (:mod:`gui.typesetting`) costs a millisecond for a short formula and 20 ms for a long one, so it
is done once a formula, at one size, and kept; :mod:`gui.equation_cache` has it done ahead of time.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
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
from gui.icons import path_from_data, path_of
from gui.theme import Theme, application_font
from gui.typesetting import SIZE, Bar, Outline, Setting, set_all
from gui.viewdata.links import MARK

log = logging.getLogger(__name__)

ROLES = frozenset(EQUATION_ROLES) - {"text"}
CACHED = 4096
FIELD_MARGIN = 0.22
"""Room around a tinted part, in font sizes."""


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
    found = _layouts.pop(latex, None)
    return _keep(found if found is not None else _at_hand(latex) or _set_now(latex))


def _keep(formula: Equation) -> Equation:
    """Have a formula at hand as the last that goes; the first go where there are too many."""
    if len(_layouts) >= CACHED:
        for latex in [*islice(_layouts, CACHED // 4 + 1)]:
            del _layouts[latex]
        _scaled.cache_clear()  # or what is asked for again would be found there, and never be at hand
    _layouts[formula.latex] = formula
    return formula


def _at_hand(latex: str) -> Equation | None:
    """Return what needs no typesetting."""
    return _from_store(latex) if latex.strip() else Equation(latex, (), 0.0, 0.0, 0.0, SIZE)


def _set_now(latex: str) -> Equation:
    return _made(latex, set_all(sources_of(latex)))


def sources_of(latex: str) -> tuple[str, ...]:
    """Return what has to be typeset for a formula: with marks for the mouse, also without them."""
    bare = _without_marks(latex, _SYMBOL_MARK)
    return (latex,) if bare == latex else (latex, bare)


def is_at_hand(latex: str) -> bool:
    """Say whether `equation` will answer at once; what is stored is made ready for it."""
    if latex in _layouts:
        return True
    found = _at_hand(latex)
    if found is not None:
        _keep(found)
    return found is not None


def take(latex: str, settings: Sequence[Setting | str]) -> None:
    """Have a formula ready from what has been typeset for it elsewhere: one setting for each source."""
    if latex not in _layouts:
        _keep(_made(latex, settings))


def _made(latex: str, settings: Sequence[Setting | str]) -> Equation:
    whole, bare = settings[0], settings[-1]
    if isinstance(whole, str):  # its reader sees the source instead
        log.warning("This formula cannot be set, its source is shown instead: %s (%s)", latex, whole)
        return _as_plain_text(latex)
    shapes = [*_painted(whole)]
    if bare is not whole and not isinstance(bare, str) and len(bare.shapes) == len(whole.shapes):
        # Set apart, a symbol can stand a hair further from its neighbours: the roles, but not the places, are
        # those of the marked formula; the glyphs are the same in the same order.
        shapes = [(path, role) for (path, _), (_, role) in zip(_painted(bare), shapes, strict=True)]
    return _boxed(latex, _merged(shapes))


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
    return [[_data_of_path(path), role] for path, role in _set_now(latex).parts]


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


def _painted(setting: Setting) -> Iterator[tuple[QPainterPath, str | None]]:
    """Yield each shape as a path, with its role."""
    for shape in setting.shapes:
        role = shape.color if shape.color in ROLES or shape.color.startswith(MARK) else None
        if isinstance(shape, Bar):
            path = QPainterPath()
            path.addRect(shape.x, shape.y, shape.width, shape.height)
        else:
            outline = _outline(shape.outline, setting.outlines[shape.outline])
            path = QTransform(shape.scale, 0, 0, -shape.scale, shape.x, shape.y).map(outline)
        yield path, role


_outlines: dict[str, QPainterPath] = {}


def _outline(name: str, commands: Outline) -> QPainterPath:
    """Return a glyph's outline in the font's units, upwards."""
    if name not in _outlines:
        _outlines[name] = path_of(commands)
    return _outlines[name]


def _boxed(latex: str, parts: Sequence[tuple[QPainterPath, str | None]]) -> Equation:
    """Move the ink to the left edge and measure it."""
    ink = QRectF()
    for path, _ in parts:
        ink = ink.united(path.boundingRect())
    shift = QTransform.fromTranslate(-ink.left(), 0)
    moved = tuple((shift.map(path), role) for path, role in parts)
    return Equation(latex, moved, ink.width(), ink.height(), -ink.top(), SIZE)


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


def _as_plain_text(latex: str) -> Equation:
    font = application_font()
    font.setPointSizeF(SIZE)
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
