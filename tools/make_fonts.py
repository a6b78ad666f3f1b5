"""Make the bundled fonts: Inter, and the font of formulas in web pages. Needs fonttools and brotli.

Of Inter, from the woff2 files of the npm package `inter-ui`, it keeps the Latin, Greek and symbol ranges and
the features Backstep uses, and adds the few signs of the field that it does not draw (⊙ ▾ ▸ ▴ ◂ ∇ ᵀ ⋅ ∘),
built from its own shapes. Of STIX Two Math, from ziamath, it keeps what `graphs/mathml.py` writes.

    npm pack inter-ui && tar xzf inter-ui-*.tgz
    python tools/make_fonts.py package/web gui/resources/fonts
    python tools/make_fonts.py STIXTwoMath-Regular.ttf graphs/webpage/math.woff2
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.misc.transform import Transform
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.reverseContourPen import ReverseContourPen
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

WEIGHTS = ("Regular", "Medium", "SemiBold")
RANGES = (
    (0x0020, 0x024F), (0x02B0, 0x03FF), (0x1D00, 0x1D7F), (0x1E00, 0x1EFF), (0x2000, 0x22FF),
    (0x2300, 0x23FF), (0x25A0, 0x27FF), (0x2B00, 0x2BFF),
)  # fmt: skip
FEATURES = ["calt", "case", "ccmp", "frac", "kern", "locl", "mark", "mkmk", "sups", "subs", "tnum", "zero"]

# New sign: its model, the scale, and its place: "centre" on the mathematical axis or "top" at cap height.
SCALED = {
    "▾": ("▼", 0.7, "centre"),
    "▴": ("▲", 0.7, "centre"),
    "▸": ("▶", 0.7, "centre"),
    "◂": ("◀", 0.7, "centre"),
    "ᵀ": ("T", 0.62, "top"),
    "∘": ("○", 0.45, "centre"),
    "⋅": ("•", 0.55, "centre"),
}


MATH_RANGES = (
    (0x0020, 0x007E), (0x00A0, 0x00A0), (0x00AF, 0x00B7), (0x00D7, 0x00D7), (0x02D9, 0x02D9),
    (0x0391, 0x03C9), (0x03D5, 0x03D5), (0x03F5, 0x03F5), (0x2016, 0x2016), (0x2026, 0x2026),
    (0x2061, 0x2062), (0x210E, 0x2113), (0x2190, 0x2192), (0x2202, 0x2207), (0x2212, 0x2212),
    (0x221A, 0x221E), (0x2264, 0x2265), (0x2295, 0x2299), (0x22A4, 0x22A4), (0x230A, 0x230B),
    (0x25A1, 0x25A1), (0x1D434, 0x1D467), (0x1D6FC, 0x1D71B), (0x1D7D9, 0x1D7D9),
)  # fmt: skip


def main(source: str, target: str) -> None:
    """Write one font a weight from the folder `source` to the folder `target`, or one file as another."""
    if not Path(source).is_dir():
        _make_math(Path(source), Path(target))
        return
    for weight in WEIGHTS:
        font = TTFont(Path(source) / f"Inter-{weight}.woff2")
        for sign, (model, scale, place) in SCALED.items():
            _add_scaled(font, sign, model, scale, place)
        _add_nabla(font)
        _add_odot(font)
        _cut(font)
        font.flavor = None
        font.save(Path(target) / f"Inter-{weight}.ttf")


def _make_math(source: Path, target: Path) -> None:
    """Cut a font of formulas to what pages have; its table of stretched signs, and who made it, stay."""
    names = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options = subset.Options(layout_features=[], hinting=False, name_IDs=names, notdef_outline=True)
    options.drop_tables += ["DSIG", "GDEF", "GPOS", "GSUB"]
    font = TTFont(source, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[code for first, last in MATH_RANGES for code in range(first, last + 1)])
    cutter.subset(font)
    font.flavor = "woff2"
    font.save(target)


def _cut(font: TTFont) -> None:
    options = subset.Options(layout_features=FEATURES, name_IDs=["*"], notdef_outline=True)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
    cutter.subset(font)


def _add_scaled(font: TTFont, sign: str, model: str, scale: float, place: str) -> None:
    shape = font["glyf"][_name(font, model)]
    middle = (shape.yMin + shape.yMax) / 2
    lift = _axis(font) - scale * middle if place == "centre" else font["OS/2"].sCapHeight * (1 - scale)
    width = round(font["hmtx"][_name(font, model)][0] * scale)
    _add(font, sign, model, Transform(scale, 0, 0, scale, 0, lift), width)


def _add_nabla(font: TTFont) -> None:
    height = font["OS/2"].sCapHeight
    _add(font, "∇", "Δ", Transform(1, 0, 0, -1, 0, height), font["hmtx"][_name(font, "Δ")][0], mirrored=True)


def _add_odot(font: TTFont) -> None:
    """⊙: the ring of ○ at the size of ⊕'s usual drawing, as thick as the bar of −, with a dot in it."""
    minus, times = font["glyf"][_name(font, "−")], _name(font, "×")
    stroke, width, middle = minus.yMax - minus.yMin, round(font["hmtx"][times][0] * 1.12), _axis(font)
    outer = width * 0.42
    pen = TTGlyphPen(None)
    for radius, clockwise in ((outer, True), (outer - stroke * 0.8, False), (stroke * 0.85, True)):
        _circle(pen, width / 2, middle, radius, clockwise)
    _store(font, "⊙", pen, width)


def _circle(pen: TTGlyphPen, x: float, y: float, radius: float, clockwise: bool) -> None:
    # Eight quadratic arcs: the control points stand on a regular octagon around the circle.
    step = 0.41421356 * radius
    corners = [
        (radius, step), (step, radius), (-step, radius), (-radius, step),
        (-radius, -step), (-step, -radius), (step, -radius), (radius, -step),
    ]  # fmt: skip
    if clockwise:
        corners.reverse()
    points = [(round(x + dx), round(y + dy)) for dx, dy in corners]
    pen.qCurveTo(*points, None)
    pen.closePath()


def _axis(font: TTFont) -> float:
    minus = font["glyf"][_name(font, "−")]
    return (minus.yMin + minus.yMax) / 2


def _add(font: TTFont, sign: str, model: str, change: Transform, width: int, mirrored: bool = False) -> None:
    drawing = DecomposingRecordingPen(font.getGlyphSet())
    font.getGlyphSet()[_name(font, model)].draw(drawing)
    pen = TTGlyphPen(None)
    # A mirrored outline runs the wrong way round, which would turn the inside out.
    drawing.replay(TransformPen(ReverseContourPen(pen) if mirrored else pen, change))
    _store(font, sign, pen, width)


def _store(font: TTFont, sign: str, pen: TTGlyphPen, width: int) -> None:
    if ord(sign) in font.getBestCmap():
        return
    name = f"uni{ord(sign):04X}"
    glyph = pen.glyph()
    font["glyf"][name] = glyph
    glyph.recalcBounds(font["glyf"])
    font["hmtx"][name] = (width, glyph.xMin)
    for table in font["cmap"].tables:
        table.cmap[ord(sign)] = name


def _name(font: TTFont, sign: str) -> str:
    return font.getBestCmap()[ord(sign)]


if __name__ == "__main__":
    main(*sys.argv[1:])
