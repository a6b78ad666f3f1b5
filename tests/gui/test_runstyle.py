"""Run styles: seen on every background, and told apart without colour."""

from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from gui.runstyle import STYLES, paint_sample, run_color, run_dash, run_pen, style_text
from gui.theme import THEMES

BACKGROUNDS = ("card", "window", "canvas")
SEEN = {
    "by all": np.eye(3),
    # the matrices of Machado, Oliveira and Fernandes (2009) for a total lack of one kind of cones, linear RGB
    "without green cones": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "without red cones": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
WHITE = np.array([0.95047, 1.0, 1.08883])


def linear(color: QColor) -> np.ndarray:
    channels = np.array([color.redF(), color.greenF(), color.blueF()])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: QColor, other: QColor) -> float:
    """Return the contrast ratio after WCAG 2.2."""
    dark, bright = sorted(float(linear(color) @ XYZ[1]) for color in (one, other))
    return (bright + 0.05) / (dark + 0.05)


def lab(color: QColor, eye: np.ndarray) -> np.ndarray:
    """Return CIE L*a*b* of a colour as an eye sees it."""
    share = XYZ @ np.clip(eye @ linear(color), 0, 1) / WHITE
    f = np.where(share > 0.008856, np.cbrt(share), 7.787 * share + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_every_style_stands_out_from_its_background(theme):
    assert STYLES >= 8
    for style in range(STYLES):
        for role in BACKGROUNDS:
            assert contrast(run_color(theme, style), theme.color(role)) >= 3, (style, role)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_the_first_style_is_the_familiar_curve(theme):
    assert run_color(theme, 0) == theme.color("forward")
    assert run_dash(0) == []


def test_every_style_has_a_dash_of_its_own():
    dashes = [tuple(run_dash(style)) for style in range(STYLES)]
    assert len(set(dashes)) == STYLES
    assert all(len(dash) % 2 == 0 and min(dash, default=1) > 0 for dash in dashes)


def test_when_the_colours_begin_again_the_dashes_are_others():
    looks = {(run_color(THEMES["light"], s).name(), tuple(run_dash(s))) for s in range(STYLES**2)}
    assert len(looks) == STYLES**2


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
@pytest.mark.parametrize("eye", SEEN.values(), ids=SEEN)
def test_the_colours_of_the_first_five_runs_differ_for_every_eye(theme, eye):
    for one, other in combinations(range(5), 2):
        distance = np.linalg.norm(lab(run_color(theme, one), eye) - lab(run_color(theme, other), eye))
        assert distance > 8, (one, other, distance)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_all_colours_differ_for_most_eyes(theme):
    for one, other in combinations(range(STYLES), 2):
        distance = np.linalg.norm(
            lab(run_color(theme, one), np.eye(3)) - lab(run_color(theme, other), np.eye(3))
        )
        assert distance > 15, (one, other, distance)


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES)
def test_a_ghost_stands_back_but_is_seen(theme):
    for style in range(STYLES):
        plain, ghost = run_pen(theme, style), run_pen(theme, style, ghost=True)
        assert ghost.widthF() < plain.widthF()
        seen = contrast(ghost.color(), theme.color("card"))
        assert 1.5 <= seen < contrast(plain.color(), theme.color("card"))
        assert ghost.dashPattern() == plain.dashPattern()
        assert plain.isCosmetic()


def test_a_style_is_said_in_words():
    assert style_text(0) == "blue, solid"
    assert len({style_text(style) for style in range(STYLES)}) == STYLES


def test_a_sample_shows_strokes_and_gaps(qapp):
    theme = THEMES["light"]
    runs = {}
    for style in range(STYLES):
        image = QImage(60, 9, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.white)
        painter = QPainter(image)
        paint_sample(painter, QRectF(0, 0, 60, 9), theme, style)
        painter.end()
        runs[style] = tuple(min(image.pixelColor(x, y).value() for y in range(9)) < 240 for x in range(60))
    assert len(set(runs.values())) == STYLES
    assert all(runs[0])
