"""Themes: what must be readable is, and applying one changes the whole application."""

from dataclasses import fields

import numpy as np
import pytest
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QDoubleSpinBox, QPushButton

from gui.theme import (
    DARK,
    LIGHT,
    PRINT,
    THEMES,
    Theme,
    application_font,
    apply,
    blend,
    diverging_map,
    pad_spin_box,
    stylesheet,
)

NOTICES = ("info_background", "warning_background", "error_background", "factor_background")
TEXT_ON = {
    "text": ("window", "canvas", "card", "control", "control_hover", "control_pressed", *NOTICES),
    "muted": ("window", "canvas", "card", "control", *NOTICES),
    "on_accent": ("accent", "accent_hover"),
    "on_selection": ("selection",),
    "tooltip_text": ("tooltip",),
    "forward_text": ("window", "canvas", "card", "control"),
    "backward_text": ("window", "canvas", "card", "control", "factor_background"),
    "update_text": ("window", "canvas", "card", "control"),
    "stored_text": ("window", "canvas", "card", "control"),
    "error_text": ("window", "canvas", "card", "error_background"),
}
MARKS = ("forward", "backward", "update", "stored", "seed", "error", "warning", "accent", "focus")


def luminance(color: QColor) -> float:
    """Return the relative luminance of WCAG 2.2."""
    channels = np.array([color.redF(), color.greenF(), color.blueF()])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def contrast(theme: Theme, front: str, back: str) -> float:
    """Return the contrast ratio of two roles after WCAG 2.2."""
    dark, bright = sorted(luminance(theme.color(role)) for role in (front, back))
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize(("text", "back"), [(t, b) for t, backs in TEXT_ON.items() for b in backs])
def test_text_is_readable(theme, text, back):
    assert contrast(theme, text, back) >= 4.5


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("back", ["window", "canvas", "card"])
def test_lines_and_marks_stand_out(theme, mark, back):
    assert contrast(theme, mark, back) >= 3


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_ends_of_the_map_stand_out_from_its_middle(theme):
    assert min(contrast(theme, end, "zero") for end in ("negative", "positive")) >= 3


def test_the_print_theme_tells_directions_apart_in_grey():
    grey = {phase: luminance(PRINT.color(phase)) for phase in ("forward", "backward")}
    assert grey["backward"] > 2 * grey["forward"]


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_every_colour_is_a_colour(theme):
    for field in fields(theme):
        if field.name not in ("name", "is_dark"):
            assert theme.color(field.name).isValid(), field.name


def test_phases_and_formula_roles_have_colours_and_unknown_ones_a_neutral():
    assert LIGHT.phase_color("backward") == QColor(LIGHT.backward)
    assert LIGHT.phase_color("?") == QColor(LIGHT.seed)
    assert DARK.equation_color("factor") == QColor(DARK.backward_text)
    assert DARK.equation_color(None) == DARK.equation_color("?") == QColor(DARK.text)


def test_the_diverging_map_has_zero_in_the_middle():
    colors = diverging_map(LIGHT)
    found = [QColor.fromRgb(int(colors[i])).name() for i in (0, 128, 255)]
    assert found == [LIGHT.negative, LIGHT.zero, LIGHT.positive]


def test_a_blend_is_opaque_and_between():
    assert blend("#000000", "#ffffff", 0.4) == QColor(153, 153, 153)


def test_a_style_sheet_has_every_role_filled_in():
    for theme in THEMES.values():
        assert "$" not in stylesheet(theme)
        assert theme.accent in stylesheet(theme)


def test_applying_a_theme_is_seen_on_a_button(qtbot, qapp):
    button = QPushButton("Nudge test")
    qtbot.addWidget(button)
    button.resize(120, 32)
    for theme in (LIGHT, DARK, DARK, LIGHT):
        apply(qapp, theme)
        assert button.grab().toImage().pixelColor(15, 16) == QColor(theme.control)
        assert qapp.palette().windowText().color() == QColor(theme.text)


def test_fonts_come_in_roles():
    assert application_font("title").pointSizeF() > application_font().pointSizeF()
    assert application_font("title").weight() > QFont.Weight.Medium
    assert application_font("small").pointSizeF() < application_font().pointSizeF()


def test_a_spin_boxs_text_stands_off_its_edge(qtbot, qapp):
    apply(qapp, LIGHT)
    box = QDoubleSpinBox()
    qtbot.addWidget(box)
    pad_spin_box(box)
    box.resize(110, 32)
    image = box.grab().toImage()
    edge = {image.pixelColor(x, y).name() for x in range(3, 9) for y in range(8, 24)}
    assert edge == {LIGHT.control}
