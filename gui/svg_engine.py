"""A paint engine that writes SVG as one would write it by hand: text, styles on each element, named groups.

Qt's own generator flattens everything into nameless groups, turns patterns into bitmaps and knows no titles.
Scaling and moving are worked into the numbers, so that an editor shows every element where it is; only what
is turned or sheared keeps a ``transform``.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QLineF, QPoint, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontInfo,
    QGradient,
    QGuiApplication,
    QImage,
    QLinearGradient,
    QPaintDevice,
    QPaintEngine,
    QPaintEngineState,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
    QTextItem,
    QTransform,
)

from gui.groups import Group, GroupingEngine

__all__ = ["SvgDevice", "escaped", "identifier", "number", "quoted"]

FALLBACKS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans Condensed', sans-serif"
"""Fonts that are no wider than Inter, for readers that know no ``textLength``, by which others keep a text
to the room that it was measured for."""
PLAIN = {"font-weight": "400", "font-style": "normal", "fill-opacity": "1"}
"""What is not written of a text's look, since it is so anyway."""
ANCHORS = {Qt.AlignmentFlag.AlignRight: (1.0, "end"), Qt.AlignmentFlag.AlignHCenter: (0.5, "middle")}
"""Which point of a text is given, as a share of its length: so it keeps its side in a font of any width."""
MONOSPACE = "'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace"
HATCHES = {
    Qt.BrushStyle.HorPattern: "M0 4H8",
    Qt.BrushStyle.VerPattern: "M4 0V8",
    Qt.BrushStyle.CrossPattern: "M0 4H8M4 0V8",
    Qt.BrushStyle.BDiagPattern: "M-1 1L1 -1M0 8L8 0M7 9L9 7",
    Qt.BrushStyle.FDiagPattern: "M-1 7L1 9M0 0L8 8M7 -1L9 1",
    Qt.BrushStyle.DiagCrossPattern: "M0 0L8 8M0 8L8 0",
}
_FLAG = QPaintEngine.DirtyFlag
PEN, BRUSH, FONT, TRANSFORM, OPACITY, HINTS, CLIP_ENABLED, CLIP_PATH, CLIP_REGION = (
    flag.value
    for flag in (
        _FLAG.DirtyPen,
        _FLAG.DirtyBrush,
        _FLAG.DirtyFont,
        _FLAG.DirtyTransform,
        _FLAG.DirtyOpacity,
        _FLAG.DirtyHints,
        _FLAG.DirtyClipEnabled,
        _FLAG.DirtyClipPath,
        _FLAG.DirtyClipRegion,
    )
)
STYLES = PEN | BRUSH | TRANSFORM | OPACITY
CLIPS = CLIP_ENABLED | CLIP_PATH | CLIP_REGION
"""What may have changed, as numbers: combining Python's flags takes longer than all the rest."""
CAPS = {Qt.PenCapStyle.SquareCap: "square", Qt.PenCapStyle.RoundCap: "round"}
JOINS = {Qt.PenJoinStyle.BevelJoin: "bevel", Qt.PenJoinStyle.RoundJoin: "round"}


class SvgDevice(QPaintDevice):
    """What a painter paints on to write SVG.

    Parameters
    ----------
    size
        Width and height in logical pixels, which are the units of the file.
    """

    def __init__(self, size: QSizeF) -> None:
        super().__init__()
        self._size = size
        self._engine = _SvgEngine(QRectF(QPointF(), size))

    def elements(self) -> str:
        """Return what has been painted, as elements of an ``<svg>``."""
        return self._engine.written()

    # Qt

    def paintEngine(self) -> QPaintEngine:
        return self._engine

    def metric(self, metric: QPaintDevice.PaintDeviceMetric) -> int:
        kind = QPaintDevice.PaintDeviceMetric
        dots = _dots()
        width, height = round(self._size.width()), round(self._size.height())
        known = {
            kind.PdmWidth: width,
            kind.PdmHeight: height,
            kind.PdmWidthMM: round(width / dots * 25.4),
            kind.PdmHeightMM: round(height / dots * 25.4),
            kind.PdmDpiX: round(dots),
            kind.PdmDpiY: round(dots),
            kind.PdmPhysicalDpiX: round(dots),
            kind.PdmPhysicalDpiY: round(dots),
            kind.PdmNumColors: 2**24,
            kind.PdmDepth: 32,
        }
        return known[metric] if metric in known else super().metric(metric)


def _dots() -> float:
    """Return the logical dots per inch by which everything has been laid out: the screen's."""
    screen = QGuiApplication.primaryScreen()
    return screen.logicalDotsPerInch() if screen is not None else 96.0


def identifier(name: str) -> str:
    """Return a name as an XML identifier, which any letters may stand in but no signs."""
    return re.sub(r"[^\w.-]+", "_", name)


class _Run(NamedTuple):
    """Characters that look the same."""

    text: str
    look: Mapping[str, str]


class _Words(NamedTuple):
    """A line of text that has been written: as which element, from where to where, and of which runs.

    `frame` is what stands on the whole element: transformation and clip.
    """

    at: int
    place: QPointF
    right: float
    side: Qt.AlignmentFlag
    frame: str
    runs: tuple[_Run, ...]

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)

    def is_before(self, other: _Words) -> bool:
        """Say whether `other` begins where this ends, on the same line."""
        is_next = other.at == self.at + 1 and (other.side, other.frame) == (self.side, self.frame)
        level = abs(other.place.y() - self.place.y()) < 0.01
        return is_next and level and abs(other.place.x() - self.right) < 0.6

    def joined(self, other: _Words) -> _Words:
        """Return both as one line; runs that look the same become one."""
        (*before, last), (first, *after) = self.runs, other.runs
        middle = [last, first]
        if last.look == first.look or not first.text.strip():
            middle = [_Run(last.text + first.text, last.look)]
        return self._replace(right=other.right, runs=(*before, *middle, *after))

    def element(self) -> str:
        """Return it as an element, which keeps its length in a font of any width."""
        share, anchor = ANCHORS.get(self.side, (0.0, ""))
        length = self.right - self.place.x()
        where = f'x="{number(self.place.x() + share * length)}" y="{number(self.place.y())}"'
        where += f' text-anchor="{anchor}"' if anchor else ""
        where += f' textLength="{number(length)}" lengthAdjust="spacingAndGlyphs"'
        keep = "" if self.text == " ".join(self.text.split()) else ' xml:space="preserve"'
        first, *others = self.runs
        words = escaped(first.text) + "".join(
            f"<tspan{_attributes(_changed(first.look, run.look))}>{escaped(run.text)}</tspan>"
            if run.look != first.look
            else escaped(run.text)
            for run in others
        )
        return f"<text {where}{_attributes(first.look)}{self.frame}{keep}>{words}</text>"


def _kept(draw: Callable[..., None]) -> Callable[..., None]:
    """Keep what goes wrong until the painter has ended: Qt, which calls this, cannot pass it on."""

    @wraps(draw)
    def guarded(self: _SvgEngine, *arguments: Any) -> None:
        if self.failure is None:
            try:
                draw(self, *arguments)
            except Exception as error:
                self.failure = error

    return guarded


class _SvgEngine(GroupingEngine):
    def __init__(self, page: QRectF) -> None:
        super().__init__(QPaintEngine.PaintEngineFeature.AllFeatures)
        self.failure: Exception | None = None
        self._page = page
        self._parts: list[str] = []
        self._defs: dict[str, str] = {}  # by what is defined: its id
        self._names: Counter[str] = Counter()
        self._last_words: _Words | None = None
        self._depth = 0
        self._pen, self._brush, self._font = QPen(), QBrush(), QFont()
        self._transform = QTransform()
        self._is_plain = True  # whether the transformation only moves and scales evenly
        self._styles: tuple[str, str] | None = None  # fill and stroke, until one of them changes
        self._opacity = 1.0
        self._is_smooth = True
        self._clip: QPainterPath | None = None  # in the page's own units
        self._is_clipping = True

    def written(self) -> str:
        """Return the elements, and before them what they refer to."""
        if self.failure is not None:
            raise self.failure
        if not self._defs:
            return "\n".join(self._parts)
        definitions = "\n".join(d.replace("#id#", name, 1) for d, name in self._defs.items())
        return "\n".join([f"<defs>\n{definitions}\n</defs>", *self._parts])

    # --- groups ---

    def begin_group(self, group: Group) -> None:
        name = identifier(group.name)
        self._names[name] += 1
        unique = name if self._names[name] == 1 else f"{name}.{self._names[name]}"
        label = f' role="img" aria-label={quoted(group.label)}' if group.label else ""
        self._write(f"<g id={quoted(unique)}{label}>")
        self._depth += 1
        if group.title:
            self._write(f"<title>{escaped(group.title)}</title>")
        if group.description:
            self._write(f"<desc>{escaped(group.description)}</desc>")

    def end_group(self) -> None:
        self._depth -= 1
        self._write("</g>")

    def _write(self, element: str) -> None:
        self._parts.append("  " * self._depth + element)

    # --- styles ---

    def _shape(self, tag: str, geometry: str, bounds: QRectF, *, filled: bool = True) -> None:
        """Write a shape in the present style, its numbers those of the page where they can be."""
        if self._styles is None:
            self._styles = self._fill(), self._stroke()
        fill, stroke = self._styles
        style = (fill if filled else ' fill="none"') + stroke
        if style == ' fill="none"':
            return
        smooth = "" if self._is_smooth else ' shape-rendering="crispEdges"'
        baked = self._bakes()
        more = self._matrix(baked) + self._clipped(bounds, baked)
        self._write(f"<{tag} {geometry}{style}{smooth}{more}/>")

    def _scale(self) -> float:
        """Return the scale that is worked into the numbers: 1 where a ``transform`` is written."""
        return self._transform.m11() if self._is_plain else 1.0

    def _bakes(self) -> bool:
        """Say whether the transformation is worked into the numbers of a shape.

        Only a pen that it would distort, or a pattern, is left to a ``transform``.
        """
        if self._is_plain:
            return True
        has_even_pen = self._pen.style() == Qt.PenStyle.NoPen or self._pen.isCosmetic()
        solid = (Qt.BrushStyle.NoBrush, Qt.BrushStyle.SolidPattern)
        return self._transform.isAffine() and has_even_pen and self._brush.style() in solid

    def _is_level(self) -> bool:
        """Say whether a rectangle stays one."""
        return not self._transform.m12() and not self._transform.m21()

    def _matrix(self, baked: bool) -> str:
        if baked:
            return ""
        t = self._transform
        numbers = " ".join(number(x, 5) for x in (t.m11(), t.m12(), t.m21(), t.m22(), t.dx(), t.dy()))
        return f' transform="matrix({numbers})"'

    def _at(self, point: QPointF | QPoint) -> QPointF:
        point = QPointF(point)
        return self._transform.map(point) if self._bakes() else point

    def _fill(self) -> str:
        brush = self._brush
        if brush.style() == Qt.BrushStyle.NoBrush:
            return ' fill="none"'
        gradient = brush.gradient()
        if isinstance(gradient, QLinearGradient):
            return f' fill="url(#{self._defined(self._linear(gradient), "gradient")})"'
        if brush.style() in HATCHES:
            return f' fill="url(#{self._defined(_hatch(brush), "hatch")})"'
        return _paint("fill", brush.color(), self._opacity)

    def _stroke(self) -> str:
        pen = self._pen
        if pen.style() == Qt.PenStyle.NoPen:
            return ""
        fixed = pen.isCosmetic()
        width = pen.widthF() or 1.0
        width = width if fixed else width * self._scale()
        words = _paint("stroke", pen.color(), self._opacity) + f' stroke-width="{number(width)}"'
        if pen.style() != Qt.PenStyle.SolidLine:
            dashes = " ".join(number(dash * width) for dash in pen.dashPattern())
            words += f' stroke-dasharray="{dashes}"'
            words += f' stroke-dashoffset="{number(pen.dashOffset() * width)}"' if pen.dashOffset() else ""
        cap, join = CAPS.get(pen.capStyle()), JOINS.get(pen.joinStyle())
        words += f' stroke-linecap="{cap}"' if cap else ""
        words += f' stroke-linejoin="{join}"' if join else ""
        return words + (' vector-effect="non-scaling-stroke"' if fixed and not self._bakes() else "")

    def _linear(self, gradient: QLinearGradient) -> str:
        start, end = self._at(gradient.start()), self._at(gradient.finalStop())
        ends = " ".join(
            f'{key}="{number(x)}"'
            for key, x in zip(("x1", "y1", "x2", "y2"), (*_xy(start), *_xy(end)), strict=True)
        )
        units = "userSpaceOnUse"
        if gradient.coordinateMode() != QGradient.CoordinateMode.LogicalMode:
            units = "objectBoundingBox"
        stops = "".join(
            f'<stop offset="{number(place, 4)}"{_paint("stop", color, self._opacity, "stop-color")}/>'
            for place, color in gradient.stops()
        )
        return f'<linearGradient id="#id#" gradientUnits="{units}" {ends}>{stops}</linearGradient>'

    def _defined(self, definition: str, kind: str) -> str:
        """Return the id of a definition, which is written once."""
        if definition not in self._defs:
            self._defs[definition] = f"{kind}-{len(self._defs) + 1}"
        return self._defs[definition]

    def _take_transform(self, t: QTransform) -> None:
        self._transform = t
        is_level = t.isAffine() and not t.m12() and not t.m21()
        self._is_plain = is_level and t.m11() > 0 and abs(t.m11() - t.m22()) < 1e-9

    # --- clipping ---

    def _take_clip(self, state: QPaintEngineState, dirty: int) -> None:
        if dirty & CLIP_ENABLED:
            self._is_clipping = state.isClipEnabled()
        if dirty & CLIP_PATH:
            self._clip_to(state.clipPath(), state.clipOperation())
        if dirty & CLIP_REGION:
            path = QPainterPath()
            path.addRegion(state.clipRegion())
            self._clip_to(path, state.clipOperation())

    def _clipped(self, bounds: QRectF, baked: bool) -> str:
        """Return the reference to the clip, where it cuts anything off."""
        clip = self._clip if self._is_clipping else None
        if clip is None:
            return ""
        width = self._pen.widthF() * self._scale() if self._pen.style() != Qt.PenStyle.NoPen else 0.0
        area = bounds.adjusted(-width, -width, width, width)
        if not baked:
            area = self._transform.mapRect(area)
        if clip.contains(area) or clip.boundingRect().contains(self._page):
            return ""
        path = clip if baked else self._transform.inverted()[0].map(clip)
        definition = f'<clipPath id="#id#"><path d="{_data(path)}"/></clipPath>'
        return f' clip-path="url(#{self._defined(definition, "clip")})"'

    def _clip_to(self, path: QPainterPath, operation: Qt.ClipOperation) -> None:
        """Take a clip over, given in the painter's units of the moment."""
        path = self._transform.map(path)
        if operation == Qt.ClipOperation.NoClip:
            self._clip = None
        elif operation == Qt.ClipOperation.IntersectClip and self._clip is not None:
            self._clip = self._clip.intersected(path)
        else:
            self._clip = path

    # --- images ---

    def _image(self, target: QRectF, image: QImage, source: QRectF) -> None:
        part = image.copy(source.toRect()) if source != QRectF(image.rect()) else image
        baked = self._is_level()
        if baked:
            target = self._transform.mapRect(target)
            part = _turned(part, self._transform)
        smooth = self.painter().testRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        kind = "" if smooth else ' image-rendering="pixelated" style="image-rendering:pixelated"'
        more = kind + self._matrix(baked) + self._clipped(target, baked)
        self._write(f'<image {_box(target)} preserveAspectRatio="none"{more} href="{_png(part)}"/>')

    # Qt

    def type(self) -> QPaintEngine.Type:
        return QPaintEngine.Type.User

    def begin(self, device: QPaintDevice) -> bool:
        return True

    def end(self) -> bool:
        return True

    @_kept
    def updateState(self, state: QPaintEngineState) -> None:
        dirty = state.state().value
        if dirty & PEN:
            self._pen = QPen(state.pen())
        if dirty & BRUSH:
            self._brush = QBrush(state.brush())
        if dirty & FONT:
            self._font = QFont(state.font())
        if dirty & TRANSFORM:
            self._take_transform(QTransform(state.transform()))
        if dirty & OPACITY:
            self._opacity = state.opacity()
        if dirty & HINTS:
            self._is_smooth = bool(state.renderHints() & QPainter.RenderHint.Antialiasing)
        if dirty & STYLES:
            self._styles = None
        if dirty & CLIPS:
            self._take_clip(state, dirty)

    @_kept
    def drawPath(self, path: QPainterPath) -> None:
        path = self._transform.map(path) if self._bakes() else path
        if path.isEmpty():
            return
        data = _data(path)
        matters = self._brush.style() != Qt.BrushStyle.NoBrush and data.count("M") > 1
        is_even = matters and path.fillRule() == Qt.FillRule.OddEvenFill
        rule = ' fill-rule="evenodd"' if is_even else ""
        self._shape("path", f'd="{data}"{rule}', path.controlPointRect())

    @_kept
    def drawRects(self, rects: Any, count: int = 0) -> None:
        for rect in map(QRectF, rects):
            if self._bakes() and not self._is_level():
                path = QPainterPath()
                path.addRect(rect)
                self.drawPath(path)
                continue
            found = self._transform.mapRect(rect) if self._bakes() else rect
            self._shape("rect", _box(found), found)

    @_kept
    def drawLines(self, lines: Any, count: int = 0) -> None:
        ends = [(self._at(line.p1()), self._at(line.p2())) for line in map(QLineF, lines)]
        bounds = _bounds(point for pair in ends for point in pair)
        if len(ends) == 1:
            (x1, y1), (x2, y2) = map(_xy, ends[0])
            place = " ".join(
                f'{key}="{number(x)}"' for key, x in (("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2))
            )
            self._shape("line", place, bounds, filled=False)
        elif ends:
            data = "".join(f"M{_pair(a)}L{_pair(b)}" for a, b in ends)
            self._shape("path", f'd="{data}"', bounds, filled=False)

    @_kept
    def drawPolygon(self, points: Any, *more: Any) -> None:
        mode = more[-1]
        places = [self._at(point) for point in points]
        is_open = mode == QPaintEngine.PolygonDrawMode.PolylineMode
        is_even = mode == QPaintEngine.PolygonDrawMode.OddEvenMode and len(places) > 3
        rule = ' fill-rule="evenodd"' if is_even else ""
        geometry = f'points="{" ".join(map(_pair, places))}"{"" if is_open else rule}'
        self._shape("polyline" if is_open else "polygon", geometry, _bounds(places), filled=not is_open)

    @_kept
    def drawEllipse(self, rect: Any) -> None:
        found = QRectF(rect)
        if self._bakes() and not self._is_level():
            path = QPainterPath()
            path.addEllipse(found)
            self.drawPath(path)
            return
        found = self._transform.mapRect(found) if self._bakes() else found
        sides = ("cx", found.center().x()), ("cy", found.center().y())
        halves = ("rx", found.width() / 2), ("ry", found.height() / 2)
        self._shape("ellipse", " ".join(f'{key}="{number(x)}"' for key, x in (*sides, *halves)), found)

    @_kept
    def drawPoints(self, points: Any, count: int = 0) -> None:
        width = (self._pen.widthF() or 1.0) * self._scale()
        color = _paint("fill", self._pen.color(), self._opacity)
        for x, y in (_xy(self._at(point)) for point in points):
            place = f'cx="{number(x)}" cy="{number(y)}" r="{number(width / 2)}"'
            self._write(f"<circle {place}{color}{self._matrix(self._bakes())}/>")

    @_kept
    def drawTextItem(self, p: QPointF, textItem: QTextItem) -> None:
        font = textItem.font()
        baked = self._is_plain
        place = self._transform.map(p) if baked else p
        size = QFontInfo(font).pixelSize()  # in whole pixels, whatever was asked for
        bounds = QRectF(place.x(), place.y() - size, textItem.width() * self._scale(), size * 1.3)
        look = _font(font, size * self._scale()) | _ink(self._pen.color(), self._opacity)
        frame = self._matrix(baked) + self._clipped(bounds, baked)
        run = _Run(textItem.text(), look)
        self._write_words(_Words(len(self._parts), place, bounds.right(), self.side, frame, (run,)))

    def _write_words(self, words: _Words) -> None:
        """Write a text, or go on with the last one: Qt cuts a line where script or look change."""
        last = self._last_words
        follows = last is not None and last.is_before(words)
        if last is not None and follows:
            is_blank = not words.text.strip()
            words = last.joined(words)
            if is_blank:  # it is written when something follows
                self._last_words = words
                return
            del self._parts[last.at]
        elif not words.text.strip():
            return
        self._last_words = words
        self._write(words.element())

    @_kept
    def drawImage(self, r: QRectF, pm: QImage, sr: QRectF, *flags: Any) -> None:
        self._image(QRectF(r), pm, QRectF(sr))

    @_kept
    def drawPixmap(self, r: QRectF, pm: QPixmap, sr: QRectF) -> None:
        self._image(QRectF(r), pm.toImage(), QRectF(sr))


# --- writing -----------------------------------------------------------------------------------------------


def number(x: float, digits: int = 2) -> str:
    """Return a number as it is written in the file: as short as it can be."""
    text = f"{x:.{digits}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _pair(point: QPointF) -> str:
    return f"{number(point.x())} {number(point.y())}"


def _xy(point: QPointF) -> tuple[float, float]:
    return point.x(), point.y()


def _box(rect: QRectF) -> str:
    sides = ("x", rect.x()), ("y", rect.y()), ("width", rect.width()), ("height", rect.height())
    return " ".join(f'{key}="{number(side)}"' for key, side in sides)


def _bounds(points: Iterable[QPointF]) -> QRectF:
    found = list(points)
    xs, ys = [point.x() for point in found], [point.y() for point in found]
    return QRectF(QPointF(min(xs), min(ys)), QPointF(max(xs), max(ys))) if found else QRectF()


def _data(path: QPainterPath) -> str:
    """Return a path as path data, closed where it ends where it began."""
    kind = QPainterPath.ElementType
    words: list[str] = []
    elements = [path.elementAt(i) for i in range(path.elementCount())]
    start = None
    for at, element in enumerate(elements):
        point = f"{number(element.x)} {number(element.y)}"
        if element.type == kind.MoveToElement:
            start = (element.x, element.y)
            words.append("M" + point)
        elif element.type == kind.LineToElement:
            words.append("L" + point)
        elif element.type == kind.CurveToElement:
            words.append("C" + point)
        else:
            words.append(" " + point)
        is_last = at + 1 == len(elements) or elements[at + 1].type == kind.MoveToElement
        if is_last and element.type != kind.MoveToElement and start == (element.x, element.y):
            words.append("Z")
    return "".join(words)


def _paint(what: str, color: QColor, opacity: float, key: str = "") -> str:
    share = color.alphaF() * opacity
    more = "" if share >= 0.999 else f' {what}-opacity="{number(share, 3)}"'
    return f' {key or what}="{color.name()}"{more}'


def _ink(color: QColor, opacity: float) -> dict[str, str]:
    share = color.alphaF() * opacity
    return {"fill": color.name()} | ({} if share >= 0.999 else {"fill-opacity": number(share, 3)})


def _font(font: QFont, size: float) -> dict[str, str]:
    families = [f"'{family}'" if " " in family else family for family in font.families() or [font.family()]]
    fallbacks = MONOSPACE if font.styleHint() == QFont.StyleHint.Monospace else FALLBACKS
    look = {"font-family": ", ".join([*families, fallbacks]), "font-size": number(size)}
    if font.weight() != QFont.Weight.Normal:
        look["font-weight"] = str(int(font.weight()))
    return look | ({"font-style": "italic"} if font.italic() else {})


def _changed(before: Mapping[str, str], after: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a part of a line has otherwise than the whole."""
    plain = {key: PLAIN[key] for key in before if key not in after}
    return plain | {key: value for key, value in after.items() if before.get(key) != value}


def _attributes(pairs: Mapping[str, str]) -> str:
    return "".join(f" {key}={quoted(value)}" for key, value in pairs.items())


def _hatch(brush: QBrush) -> str:
    line = f'<path d="{HATCHES[brush.style()]}" fill="none" stroke="{brush.color().name()}"/>'
    return f'<pattern id="#id#" width="8" height="8" patternUnits="userSpaceOnUse">{line}</pattern>'


def _turned(image: QImage, transform: QTransform) -> QImage:
    """Return an image as it is seen where left and right, or up and down, change places."""
    across, down = (-1 if side < 0 else 1 for side in (transform.m11(), transform.m22()))
    return image if (across, down) == (1, 1) else image.transformed(QTransform.fromScale(across, down))


def _png(image: QImage) -> str:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return "data:image/png;base64," + base64.b64encode(data.data()).decode("ascii")


_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _clean(text: str) -> str:
    """Return a text without characters that XML cannot hold."""
    return _UNWRITABLE.sub("\ufffd", text)


def escaped(text: str) -> str:
    """Return a text as it is written between tags."""
    return escape(_clean(text))


def quoted(text: str) -> str:
    """Return a text as it is written behind an attribute's name, quotes included."""
    return quoteattr(_clean(text), {"\n": " "})
