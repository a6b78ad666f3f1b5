r"""LaTeX as glyphs in their places, laid out by ziamath. No Qt, so that it can be done in another process.

Only glyphs and where they stand come of a formula; the outline of each of them is the same everywhere.
ziamath would write all outlines as text, again and again, and copy the style of every node: what is changed
here of its ways makes it several times as fast, and nothing that comes out is different.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from ziamath.zmath import Math

__all__ = ["SIZE", "Bar", "Glyph", "Setting", "set_all", "set_formula"]

SIZE = 24.0
"""Points at which formulas are laid out."""

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

Outline = tuple[tuple[str, tuple[float, ...]], ...]
"""Commands of a path, ``M``, ``L``, ``Q``, ``C`` and ``Z``, in the font's units, upwards."""


class Glyph(NamedTuple):
    """A glyph in its place, in points, downwards."""

    outline: str  # its name in `Setting.outlines`
    x: float
    y: float
    scale: float  # points a unit of the font
    color: str


class Bar(NamedTuple):
    """A filled rectangle: the line of a fraction, of a root."""

    x: float
    y: float
    width: float
    height: float
    color: str


class Setting(NamedTuple):
    """What comes of a formula."""

    shapes: tuple[Glyph | Bar, ...]
    outlines: dict[str, Outline]


def set_formula(latex: str) -> Setting:
    r"""Lay out a formula.

    Parameters
    ----------
    latex
        Its source; the colour of a part, ``\textcolor{...}``, may be any word.

    Raises
    ------
    Exception
        Whatever a source does to ziamath that cannot be set.
    """
    from xml.etree.ElementTree import Element  # not before the first picture, which sets no formula

    with _lock:  # ziamath's fonts have a state
        formula = _typesetter()(_replaced(latex, LATEX_REPLACEMENTS))
        canvas = Element("svg")
        formula.node.draw(0, 0, canvas)
        shapes = tuple(_shapes(canvas))
        return Setting(shapes, {s.outline: _outline(s.outline) for s in shapes if isinstance(s, Glyph)})


def set_all(sources: Sequence[str]) -> list[Setting | str]:
    """Lay out several formulas: for each what comes of it, or why it cannot be set."""
    found: list[Setting | str] = []
    for latex in sources:
        try:
            found.append(set_formula(latex))
        except Exception as error:  # whatever a formula does to ziamath, its reader sees the source
            found.append(f"{type(error).__name__}: {error}")
    return found


_lock = threading.RLock()
_GLYPH = "glyph"
"""The tag of what stands for a glyph in a drawing; its attributes are no text."""


def _replaced(text: str, replacements: Iterable[tuple[str, str]]) -> str:
    for pattern, replacement in replacements:
        text = re.sub(pattern, replacement, text)
    return text


@lru_cache(maxsize=1)
def _typesetter() -> Callable[[str], Math]:
    """Import ziamath, when the first formula is set: it takes a seventh of a second."""
    from xml.etree import ElementTree

    with warnings.catch_warnings():
        # ziamath finds its font in a way that Python 3.11 calls deprecated, and 3.13 no longer does.
        warnings.simplefilter("ignore", DeprecationWarning)
        from ziamath import drawable, operators, styles
        from ziamath.config import config
        from ziamath.escapes import unescape
        from ziamath.nodes import mnode
        from ziamath.nodes.mrow import Mrow
        from ziamath.tex import tex2mml
        from ziamath.zmath import Math, denamespace

    config.svg2 = False  # no references to symbols
    setattr(styles, "asdict", vars)  # noqa: B010  it is only read; asdict would copy every style deeply
    drawable.Glyph.draw = _draw_glyph  # type: ignore[method-assign]  where it stands, not its outline
    quick = _quick_style(styles.parse_style, styles.MathStyle, styles.MathVariant)
    setattr(mnode, "parse_style", quick)  # noqa: B010  no name of its own, for a type checker
    mnode.Mnode.size_px = _kept_lengths(mnode.Mnode.size_px)  # type: ignore[method-assign]
    stretchy = {name for (name, _), how in operators.operators.items() if how.get("stretchy") == "true"}

    class QuickRow(Mrow, tag="mrow"):
        """A row that is measured once, and only if anything in it stretches.

        To find how far brackets stretch, ziamath lays out each row twice, and each row in it twice again:
        the time doubles with every level. In the measuring pass nothing stretches, so rows inside need
        no measuring of their own; what comes out is the same.
        """

        def _get_height_nostretch(self, line: list[Element], **kwargs) -> tuple[float, float]:
            if kwargs.get("nostretch") or not any(_may_stretch(child, stretchy) for child in line):
                return 0.0, 0.0
            return super()._get_height_nostretch(line, **kwargs)

    def typeset(latex: str) -> Math:
        source = _replaced(tex2mml(latex), MATHML_REPLACEMENTS)
        formula = denamespace(ElementTree.fromstring(unescape(source)))
        return Math(_with_leading_signs(formula, operators.names), SIZE)

    return typeset


_ROWS = frozenset(("math", "mrow", "mstyle", "mtd", "msqrt"))
_OVER_AND_UNDER = frozenset(("msub", "msup", "msubsup", "munder", "mover", "munderover"))
_LEADING = frozenset("-−+±")
_ENDING, _BARS = frozenset(")]}⌋⌉⟩!…⋯∞"), frozenset("|‖")


def _with_leading_signs(formula: Element, operators: Container[str]) -> Element:
    """Set signs tight that belong to what follows: at the start, after a relation, a bracket, another sign.

    ziamath takes each of them that is not the first in its row for one between two operands, with as much
    room before and behind it.
    """
    for row in formula.iter():
        is_after_operand = False
        open_bars: list[str] = []
        for part in row if row.tag in _ROWS else ():
            if part.tag == "mspace":
                continue
            text = (part.text or "").strip()
            is_operator = part.tag == "mo" or (part.tag == "mi" and text in operators)
            if is_operator and text in _LEADING and not is_after_operand:
                part.attrib.update(form="prefix", lspace="0em", rspace="0em")
            if is_operator and text in _BARS:
                is_after_operand = _closes(text, open_bars)
            else:
                is_after_operand = _ends_operand(part, text, is_operator)
    return formula


def _closes(bar: str, open_bars: list[str]) -> bool:
    """Say whether a bar closes what the last one of its kind began; keep account of those that are open."""
    if open_bars[-1:] == [bar]:
        open_bars.pop()
        return True
    open_bars.append(bar)
    return False


def _ends_operand(part: Element, text: str, is_operator: bool) -> bool:
    """Say whether a sign behind a part of a row would join it to what follows."""
    if part.tag in _OVER_AND_UNDER:
        return part[0].tag != "mo"  # what stands under a sum belongs to its sign
    if part.tag == "mtext":
        return text != "+="
    return not is_operator or text in _ENDING


_STYLES = frozenset(
    (
        *("mathcolor", "mathbackground", "mathsize", "mathvariant"),
        *("scriptlevel", "displaystyle", "display", "style"),
    )
)


def _quick_style(parse: Callable[..., Any], style: Callable[..., Any], variant: Callable[..., Any]) -> Any:
    """Return ziamath's way of finding a node's style, quick where the node has its parent's."""

    def quick(element: Element, parent: Any = None) -> Any:
        if parent is None or not _STYLES.isdisjoint(element.attrib):
            return parse(element, parent)
        return style(**{**vars(parent), "mathvariant": variant(**vars(parent.mathvariant))})

    return quick


def _kept_lengths(measure: Callable[..., float]) -> Callable[..., float]:
    """Return ziamath's way of reading a length such as ``0.3em``, which looks up tables, kept."""
    kept: dict[tuple[str, float], float] = {}

    def length(self: Any, size: str, fontsize: float | None = None) -> float:
        key = (size, self.glyphsize if fontsize is None else fontsize)
        if key not in kept:
            kept[key] = measure(self, size, fontsize)
        return kept[key]

    return length


def _may_stretch(element: Element, stretchy: Container[str]) -> bool:
    """Say whether anything in an element may grow with what stands beside it."""
    for part in element.iter():
        if part.tag in ("mo", "mi"):  # ziamath makes operators of some identifiers
            usual = "true" if (part.text or "").strip() in stretchy else "false"
            if part.get("stretchy", usual) != "false":
                return True
    return False


def _draw_glyph(self: Any, x: float, y: float, svg: Element) -> tuple[float, float]:
    """Note where a glyph stands, in the place of ziamath's own way of drawing it."""
    glyph = self.glyph
    if not self.phantom and glyph.operators:
        _known.setdefault(glyph.id, glyph)
        scale = self.size / glyph.font.info.layout.unitsperem
        placed: Any = {"shape": Glyph(glyph.id, x, y, scale, self.style.mathcolor or "")}
        svg.append(svg.makeelement(_GLYPH, placed))
    return x + self.funit_to_points(glyph.advance()), y


_known: dict[str, Any] = {}
"""ziafont's glyphs by name."""


def _shapes(svg: Element) -> Iterator[Glyph | Bar]:
    for element in svg:
        if element.tag == _GLYPH:
            yield element.attrib["shape"]  # type: ignore[misc]
        elif element.tag == "rect" and element.get("fill") != "none":
            x, y, width, height = (float(element.get(name, 0)) for name in ("x", "y", "width", "height"))
            yield Bar(x, y, width, height, element.get("fill", ""))


@lru_cache(maxsize=2048)
def _outline(name: str) -> Outline:
    """Return a glyph's outline, every contour closed."""
    found: list[tuple[str, tuple[float, ...]]] = []
    for command in _known[name].operators:
        letter = _LETTERS[type(command).__name__]
        if letter == "M" and found:
            found.append(("Z", ()))
        found.append((letter, tuple(side for point in command.points()[0] for side in (point.x, point.y))))
    return (*found, ("Z", ()))


_LETTERS = {"Moveto": "M", "Lineto": "L", "Quad": "Q", "Cubic": "C"}
