"""What a card shows, seen in its pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from gui.scene.metrics import card_of
from gui.scene.node_item import Look, badge_text, paint_card, shows_badge, tooltip
from gui.theme import DARK, LIGHT, PRINT, THEMES, Theme
from gui.viewdata import NodeView

MATRIX = np.array([[1.0, -1.0, 0.5], [0.2, 0.0, -0.7]])
VIEW = NodeView(
    "Z", "line", False, "Z", "W X", "2 × 3", "k × m", value=MATRIX, gradient=-MATRIX, arrived=1, expected=1
)
FUTURE = replace(VIEW, value=None, gradient=None, arrived=0)


def colors(view: NodeView, theme: Theme = LIGHT, look: Look = Look()) -> set[str]:  # noqa: B008
    """Return all colours that painting a card uses, drawn large so that smoothing does not hide them."""
    card = card_of(view)
    image = QImage(1200, 900, QImage.Format.Format_RGB32)
    image.fill(QColor(theme.canvas))
    painter = QPainter(image)
    painter.translate(600, 450)
    painter.scale(4, 4)
    paint_card(painter, card, view, theme, look)
    painter.end()
    pixels = np.frombuffer(image.constBits(), dtype=np.uint32)
    found, counts = np.unique(pixels, return_counts=True)
    return {QColor.fromRgb(int(c)).name() for c, n in zip(found, counts, strict=True) if n > 20}


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES.keys())
def test_the_present_shows_its_numbers_and_the_future_does_not(qapp, theme):
    present, future = colors(VIEW, theme), colors(FUTURE, theme)
    for role in ("positive", "negative", "forward", "backward"):
        assert getattr(theme, role) in present
        assert getattr(theme, role) not in future
    assert theme.card in present
    assert theme.canvas in future


def test_a_scalar_is_a_number_not_a_heat_map(qapp):
    view = replace(VIEW, shape="", dims="", value=np.array(0.678), gradient=np.array(1.0))
    found = colors(view)
    assert LIGHT.positive not in found
    assert {LIGHT.text, LIGHT.backward_text} <= found


@pytest.mark.parametrize(
    ("phase", "theme"), [("forward", LIGHT), ("backward", DARK), ("update", PRINT), ("seed", LIGHT)]
)
def test_the_current_card_has_a_border_in_the_phases_colour(qapp, phase, theme):
    assert getattr(theme, phase) in colors(replace(FUTURE, phase=phase), theme)


def test_marks_say_what_is_kept_read_selected_and_trained(qapp):
    assert LIGHT.stored not in colors(VIEW)
    assert LIGHT.stored in colors(replace(VIEW, stored=True))
    assert LIGHT.stored in colors(replace(VIEW, read=True))
    assert LIGHT.focus in colors(FUTURE, LIGHT, Look(selected=True))
    assert LIGHT.update in colors(replace(FUTURE, kind="parameter"))


def test_what_is_not_a_number_is_said_in_words_of_their_colour(qapp):
    view = replace(VIEW, shape="", dims="", value=np.array(np.nan), gradient=None)
    assert LIGHT.error_text in colors(view)


@pytest.mark.parametrize(
    ("arrived", "expected", "phase", "shown"),
    [
        *((0, 2, "", False), (1, 2, "backward", True), (1, 2, "", True)),
        *((2, 2, "backward", True), (2, 2, "", False), (1, 1, "backward", False)),
    ],
)
def test_accumulation_is_counted_while_it_happens(arrived, expected, phase, shown):
    view = replace(VIEW, arrived=arrived, expected=expected, phase=phase)
    assert shows_badge(view) is shown
    assert badge_text(view) == f"+ {arrived} of {expected}"


def test_hovering_names_the_node_and_gives_a_scalar_in_full():
    scalar = replace(VIEW, name="L", shape="", dims="", value=np.array(0.67801234), gradient=None)
    assert tooltip(scalar).splitlines() == ["L, scalar", "value 0.67801234"]
    assert tooltip(VIEW) == "Z, 2 × 3 (k × m)"
    assert "not computed yet" in tooltip(FUTURE)
