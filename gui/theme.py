"""Themes: every colour and font of the window, by the role it plays.

Items, widgets and plots ask a `Theme` for a role and hold no colours of their own; which colour that is
stands in :mod:`graphs.palette`.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from string import Template

import numpy as np
from PySide6.QtCore import QFileInfo
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QAbstractSpinBox, QApplication

from graphs.palette import EQUATION_ROLES, PALETTES, PHASE_TEXT, PHASES, Palette

RESOURCES = Path(__file__).parent / "resources"
FONT_FILES = ("*.ttf", "*.otf")
FAMILY = "Inter"
BODY_SIZE = 13 if sys.platform == "darwin" else 9.75
"""Points; 13 logical pixels on every system (macOS counts 72 points to the inch, the others 96)."""
FONT_SCALES = {"body": 1.0, "small": 0.88, "strong": 1.0, "title": 1.2, "heading": 0.96}
BOLD_ROLES = {"strong", "title", "heading"}


class Theme(Palette):
    """A palette in Qt's colours."""

    def color(self, role: str) -> QColor:
        """Return the colour of `role`, a field's name."""
        return QColor(getattr(self, role))

    def equation_color(self, role: str | None) -> QColor:
        """Return the colour of formula parts in `role`; unknown roles are plain text."""
        return self.color(EQUATION_ROLES.get(role or "text", "text"))

    def phase_color(self, phase: str) -> QColor:
        """Return the colour of lines and marks of a phase: forward, seed, backward, update."""
        return self.color(phase if phase in PHASES else "seed")

    def phase_text_color(self, phase: str) -> QColor:
        """Return the colour of words about a phase."""
        return self.color(PHASE_TEXT.get(phase, "muted"))


LIGHT, DARK, PRINT = (Theme(**asdict(colors)) for colors in PALETTES.values())

THEMES: dict[str, Theme] = {theme.name: theme for theme in (LIGHT, DARK, PRINT)}


def blend(color: str, background: str, amount: float) -> QColor:
    """Lay `color` over `background` with an opacity of `amount` (0 to 1), giving an opaque colour.

    What is in the future is painted so: opaque, as overlapping transparent lines would darken.
    """
    top, under = QColor(color), QColor(background)
    parts = [round(u + (t - u) * amount) for t, u in zip(_rgb(top), _rgb(under), strict=True)]
    return QColor(*parts)


@lru_cache(maxsize=8)
def diverging_map(theme: Theme) -> np.ndarray:
    """Return the diverging map as 256 opaque colours.

    Returns
    -------
    numpy.ndarray
        Shape (256,), uint32 ``0xffrrggbb``; entry 128 is zero, 0 the most negative, 255 the most positive.
    """
    ends = [np.array(_rgb(theme.color(role)), float) for role in ("negative", "zero", "positive")]
    share = np.linspace(1, 0, 129)[:-1, None]
    low = ends[0] * share + ends[1] * (1 - share)
    high = ends[1] + (ends[2] - ends[1]) * np.linspace(0, 1, 128)[:, None]
    red, green, blue = np.rint(np.vstack([low, high])).astype(np.uint32).T
    colors = (0xFF << 24) | (red << 16) | (green << 8) | blue
    colors.flags.writeable = False
    return colors


LIGHT_INK, DARK_INK = "#ffffff", "#000000"
"""One of the two has a contrast of at least 4.5 on any colour."""


@lru_cache(maxsize=8)
def light_ink_map(theme: Theme) -> np.ndarray:
    """Say for each of the 256 colours of `diverging_map` whether white is easier to read on it than black."""
    colors = diverging_map(theme)
    light = _luminance(np.stack([colors >> 16 & 255, colors >> 8 & 255, colors & 255], axis=1)) < 0.179
    light.flags.writeable = False
    return light


@lru_cache(maxsize=1)
def load_fonts() -> list[str]:
    """Load the fonts that came with the application; return their families, none if there are none."""
    if QFontDatabase.hasFamily(FAMILY):
        return [FAMILY]
    files = sorted(file for pattern in FONT_FILES for file in (RESOURCES / "fonts").glob(pattern))
    ids = [QFontDatabase.addApplicationFont(str(file)) for file in files]
    found = {family for id_ in ids if id_ >= 0 for family in QFontDatabase.applicationFontFamilies(id_)}
    return sorted(found, key=lambda family: (family != FAMILY, family))


def application_font(role: str = "body", factor: float = 1.0) -> QFont:
    """Return the font of a role: body, small, strong, title, heading; `factor` times as large.

    The bundled Inter where its files are there, else the system's own sans font.
    """
    font = QFont(_font_of(role))  # the caller's own, to be changed
    if factor != 1.0:
        font.setPointSizeF(font.pointSizeF() * factor)
    return font


@lru_cache(maxsize=16)
def _font_of(role: str) -> QFont:
    families = load_fonts()
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if families:
        font = QFont(families[0])
    font.setStyleHint(QFont.StyleHint.SansSerif)
    # Inter lifts × and − between digits by other glyphs, which no PDF reader finds as the signs they are.
    font.setFeature(QFont.Tag("calt"), 0)
    font.setPointSizeF(BODY_SIZE * FONT_SCALES[role])
    font.setWeight(QFont.Weight.DemiBold if role in BOLD_ROLES else QFont.Weight.Normal)
    return font


def strong(text: str, color: str = "") -> str:
    """Return rich text in the strong letters that came with the window; ``<b>`` would smear others."""
    return f'<span style="font-weight:600{f"; color:{color}" if color else ""}">{text}</span>'


def code_font() -> QFont:
    """Return the font for source: the system's own with letters of one width."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    font.setStyleHint(QFont.StyleHint.Monospace)
    font.setPointSizeF(BODY_SIZE)
    return font


@lru_cache(maxsize=8)
def stylesheet(theme: Theme) -> str:
    """Return the style sheet of the whole application in `theme`."""
    template = Template((RESOURCES / "style" / "backstep.qss").read_text(encoding="utf-8"))
    colors = {name: str(value) for name, value in asdict(theme).items()}
    style = QFileInfo(str(RESOURCES / "style")).absoluteFilePath()  # with forward slashes everywhere
    return template.substitute(colors, style=style, shade="dark" if theme.is_dark else "light")


def palette(theme: Theme) -> QPalette:
    """Return the palette in `theme`, for what the style sheet does not reach."""
    result = QPalette()
    for role, name in PALETTE_ROLES.items():
        result.setColor(role, theme.color(name))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, role, theme.color("disabled"))
    return result


PALETTE_ROLES = {
    QPalette.ColorRole.Window: "window",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.Base: "window",
    QPalette.ColorRole.AlternateBase: "control",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.PlaceholderText: "muted",
    QPalette.ColorRole.Button: "control",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.BrightText: "error",
    QPalette.ColorRole.Highlight: "selection",
    QPalette.ColorRole.HighlightedText: "on_selection",
    QPalette.ColorRole.ToolTipBase: "tooltip",
    QPalette.ColorRole.ToolTipText: "tooltip_text",
    QPalette.ColorRole.Link: "forward_text",
    QPalette.ColorRole.LinkVisited: "stored_text",
    QPalette.ColorRole.Accent: "accent",
    QPalette.ColorRole.Light: "control_hover",
    QPalette.ColorRole.Midlight: "control",
    QPalette.ColorRole.Mid: "card_border",
    QPalette.ColorRole.Dark: "separator",
    QPalette.ColorRole.Shadow: "separator",
}


def apply(app: QApplication, theme: Theme) -> None:
    """Give the whole application `theme`: style, palette, font and style sheet. Doing it twice is free."""
    if app.style().name() != "fusion" and not app.styleSheet():
        app.setStyle("fusion")
    if app.styleSheet() == stylesheet(theme):
        return
    app.setFont(application_font())
    app.setPalette(palette(theme))
    app.setStyleSheet(stylesheet(theme))


def pad_spin_box(box: QAbstractSpinBox) -> None:
    """Give a spin box's text room at its left, which no style sheet can: Qt goes by the buttons alone."""
    box.lineEdit().setTextMargins(8, 0, 0, 0)


def _rgb(color: QColor) -> tuple[int, int, int]:
    return color.red(), color.green(), color.blue()


def _luminance(rgb: np.ndarray) -> np.ndarray:
    """Return the relative luminance (WCAG 2.2) of colours of shape (n, 3), 0 to 255."""
    channels = rgb / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])
