"""Every colour of the window and of what leaves it, by the role it plays.

The hues are those of Okabe and Ito (safe for colour-blind readers); the text roles are darker or lighter
cousins that reach a contrast of 4.5, which the tests compute.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "DARK",
    "EQUATION_ROLES",
    "LIGHT",
    "MEANINGS",
    "PALETTES",
    "PHASES",
    "PHASE_TEXT",
    "PRINT",
    "SHADES",
    "Palette",
]

MEANINGS = {
    "forward": "value",
    "backward": "gradient",
    "update": "parameter, update",
    "stored": "stored for backward",
}
SHADES = "negative to positive, each array by itself"
"""What the lines of a picture of the graph mean, by their role, and the colours of its arrays."""


@dataclass(frozen=True)
class Palette:
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

LIGHT = Palette(
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

DARK = Palette(
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

PRINT = Palette(
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

PALETTES: dict[str, Palette] = {palette.name: palette for palette in (LIGHT, DARK, PRINT)}
