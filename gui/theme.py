"""Themes: every colour and font of the window, by the role it plays.

Items, widgets and plots ask a `Theme` for a role and hold no colours of their own. The hues are those of
Okabe and Ito (safe for colour-blind readers); the text roles are darker or lighter cousins that reach a
contrast of 4.5, which the tests compute.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from string import Template

import numpy as np
from PySide6.QtCore import QFileInfo
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QAbstractSpinBox, QApplication

RESOURCES = Path(__file__).parent / "resources"
FONT_FILES = ("*.ttf", "*.otf")
FAMILY = "Inter"
BODY_SIZE = 13 if sys.platform == "darwin" else 9.75
"""Points; 13 logical pixels on every system (macOS counts 72 points to the inch, the others 96)."""
FONT_SCALES = {"body": 1.0, "small": 0.88, "strong": 1.0, "title": 1.2, "heading": 0.96}
BOLD_ROLES = {"strong", "title", "heading"}


@dataclass(frozen=True)
class Theme:
    """Colours by role, each as ``#rrggbb``.

    `forward`, `backward`, `update`, `stored`, `seed` are for lines and marks; the same names with
    ``_text`` are for words and formulas in that role. `negative`, `zero`, `positive` are the ends and the
    middle of the diverging map.
    """

    name: str
    is_dark: bool
    window: str
    canvas: str
    card: str
    card_border: str
    separator: str
    control: str
    control_hover: str
    control_pressed: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_hover: str
    on_accent: str
    focus: str
    selection: str
    on_selection: str
    forward: str
    backward: str
    update: str
    stored: str
    seed: str
    error: str
    warning: str
    forward_text: str
    backward_text: str
    update_text: str
    stored_text: str
    error_text: str
    factor_background: str
    info_background: str
    warning_background: str
    error_background: str
    tooltip: str
    tooltip_text: str
    grid: str
    scroll_handle: str
    negative: str
    zero: str
    positive: str

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


PHASES = ("forward", "seed", "backward", "update")
PHASE_TEXT = {"forward": "forward_text", "backward": "backward_text", "update": "update_text"}
EQUATION_ROLES = {
    "text": "text",
    "muted": "muted",
    "factor": "backward_text",
    "forward": "forward_text",
    "backward": "backward_text",
    "update": "update_text",
    "stored": "stored_text",
    "error": "error_text",
}
"""What may stand in ``\\textcolor{...}`` of a formula, and the theme's role for it."""

LIGHT = Theme(
    name="light",
    is_dark=False,
    window="#ffffff",
    canvas="#fbfcfd",
    card="#ffffff",
    card_border="#dfe3e8",
    separator="#e6e9ed",
    control="#eef1f4",
    control_hover="#e3e8ed",
    control_pressed="#d6dde4",
    text="#1b1f24",
    muted="#5c6672",
    disabled="#98a1ac",
    accent="#0072b2",
    accent_hover="#00649c",
    on_accent="#ffffff",
    focus="#0072b2",
    selection="#cfe5f3",
    on_selection="#1b1f24",
    forward="#0072b2",
    backward="#d55e00",
    update="#009e73",
    stored="#c974a3",  # a shade darker than Okabe and Ito's #CC79A7, to reach 3 on the canvas
    seed="#808a99",
    error="#c62828",
    warning="#b07a00",
    forward_text="#006ba8",
    backward_text="#a84900",
    update_text="#007353",
    stored_text="#a83f78",
    error_text="#b71c1c",
    factor_background="#faeade",
    info_background="#e4f0f8",
    warning_background="#fbf2d9",
    error_background="#fbe6e6",
    tooltip="#1b1f24",
    tooltip_text="#f4f6f8",
    grid="#e6e9ed",
    scroll_handle="#b9c1ca",
    negative="#762a83",
    zero="#f6f6f6",
    positive="#1b7837",
)

DARK = Theme(
    name="dark",
    is_dark=True,
    window="#20242a",
    canvas="#1a1d22",
    card="#20242a",
    card_border="#383f48",
    separator="#2c3139",
    control="#2a3038",
    control_hover="#343b45",
    control_pressed="#3e4652",
    text="#e8ebef",
    muted="#a0aab5",
    disabled="#69737f",
    accent="#56b4e9",
    accent_hover="#76c4f0",
    on_accent="#0f1a22",
    focus="#56b4e9",
    selection="#2b526b",
    on_selection="#f4f6f8",
    forward="#56b4e9",
    backward="#ff8a3d",
    update="#2cc295",
    stored="#e79cc4",
    seed="#8d96a3",
    error="#ff6b6b",
    warning="#f0b429",
    forward_text="#56b4e9",
    backward_text="#ff8a3d",
    update_text="#2cc295",
    stored_text="#e79cc4",
    error_text="#ff8a84",
    factor_background="#3c312c",
    info_background="#24384a",
    warning_background="#3d3420",
    error_background="#472a2d",
    tooltip="#e8ebef",
    tooltip_text="#1b1f24",
    grid="#2f353d",
    scroll_handle="#4b545f",
    negative="#c183d6",
    zero="#2a2d34",
    positive="#6ec882",
)

PRINT = Theme(
    name="print",
    is_dark=False,
    window="#ffffff",
    canvas="#ffffff",
    card="#ffffff",
    card_border="#6b6b6b",
    separator="#bdbdbd",
    control="#f2f2f2",
    control_hover="#e8e8e8",
    control_pressed="#dcdcdc",
    text="#000000",
    muted="#444444",
    disabled="#8c8c8c",
    accent="#004c7a",
    accent_hover="#003a5e",
    on_accent="#ffffff",
    focus="#004c7a",
    selection="#d6e4ee",
    on_selection="#000000",
    forward="#004c7a",  # the darkest in grey, and solid
    backward="#c65300",  # clearly lighter in grey, and dashed
    update="#00634a",
    stored="#a8538a",
    seed="#707070",
    error="#a31515",
    warning="#8a5a00",
    forward_text="#004c7a",
    backward_text="#a04300",
    update_text="#00634a",
    stored_text="#8f2f66",
    error_text="#a31515",
    factor_background="#f9eee5",
    info_background="#eef4f8",
    warning_background="#f8f3e4",
    error_background="#f9eaea",
    tooltip="#000000",
    tooltip_text="#ffffff",
    grid="#d0d0d0",
    scroll_handle="#b0b0b0",
    negative="#762a83",
    zero="#ffffff",
    positive="#1b7837",
)

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


def application_font(role: str = "body") -> QFont:
    """Return the font of a role: body, small, strong, title, heading.

    The bundled Inter where its files are there, else the system's own sans font.
    """
    families = load_fonts()
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    if families:
        font = QFont(families[0])
    font.setStyleHint(QFont.StyleHint.SansSerif)
    font.setPointSizeF(BODY_SIZE * FONT_SCALES[role])
    font.setWeight(QFont.Weight.DemiBold if role in BOLD_ROLES else QFont.Weight.Normal)
    return font


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
