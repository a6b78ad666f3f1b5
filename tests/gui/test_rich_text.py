"""Markdown with formulas: every formula is in its place, and the widget is as high as its text."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from gui.app import application
from gui.rich_text import RichText, pieces_of
from gui.theme import DARK, LIGHT


@pytest.fixture
def text(qtbot: QtBot) -> RichText:
    application()
    widget = RichText(LIGHT)
    qtbot.addWidget(widget)
    widget.resize(320, 100)
    widget.show()
    return widget


def formulas(text: RichText) -> int:
    return text.document().toPlainText().count("\ufffc")


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("no formula", []),
        ("$a$ and $$b$$", [("a", False), ("b", True)]),
        (r"five \$ and $x$", [("x", False)]),
        ("`$no$` but $yes$", [("yes", False)]),
        ("```\n$no$\n```\n$$a\n= b$$", [("a\n= b", True)]),
        ("half $open", []),
        ("$$ $$", [("", True)]),
    ],
)
def test_formulas_are_told_from_text(source: str, found: list[tuple[str, bool]]) -> None:
    assert pieces_of(source)[1] == found


def test_formulas_stand_where_they_were_written(text: RichText) -> None:
    text.set_source("First $a$, then **bold $b$**:\n\n$$c = \\frac{1}{2}$$\n\n- item $d$\n- `code`")
    assert formulas(text) == 4
    plain = text.document().toPlainText()
    assert "\ue000" not in plain
    assert plain.startswith("First \ufffc, then bold \ufffc:")


def test_a_formula_stands_in_the_middle_only_on_a_line_of_its_own(text: RichText) -> None:
    text.set_source("$$a$$\n\n$b$\n\nand $c$\n\n- $d$\n- $e$")
    document = text.document()
    blocks = [document.findBlockByNumber(n) for n in range(document.blockCount())]
    centred = [block.blockFormat().alignment() == Qt.AlignmentFlag.AlignHCenter for block in blocks]
    assert centred == [True, True, False, False, False]


def test_the_widget_is_as_high_as_its_text(text: RichText, qtbot: QtBot) -> None:
    text.set_source("word " * 100)
    high = text.height()
    assert high > 100
    text.resize(640, text.height())
    qtbot.waitUntil(lambda: text.height() < 0.7 * high)
    assert text.document().size().height() <= text.height() + 1
    text.set_source("word")
    assert text.height() < 40


def test_a_wide_formula_is_made_to_fit(text: RichText) -> None:
    long = " + ".join(f"x_{{{i}}}" for i in range(60))
    text.set_source(f"$${long}$$")
    format = text.document().begin().begin().fragment().charFormat()
    lines, scale = text.lines(format)
    assert len(lines) > 1
    assert max(line.width for line in lines) * scale <= text.viewport().width()
    assert text.height() > sum(line.height for line in lines) * scale


def test_it_is_painted_in_the_theme(text: RichText) -> None:
    text.set_source("Text and $x^2$")
    images: list[QImage] = []
    for theme in (LIGHT, DARK):
        text.set_theme(theme)
        images.append(text.grab().toImage())
    assert images[0] != images[1]
