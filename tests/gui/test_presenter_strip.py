"""The words on a projector: as large as they fit, choices in columns, and a legend where there is room."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QFont, QTextCursor
from pytestqt.qtbot import QtBot

from gui.app import application
from gui.presenter_strip import LEAST, MeaningRow, PresenterStrip, Words
from gui.theme import DARK, LIGHT, Theme
from tests.gui.pictures.readers import pixels

SHORT = ("grows", "shrinks", "stays", "depends on $w$")
LONG = (
    *SHORT[:3],
    "it grows first, then shrinks, and what it comes to depends on $w$",
)


@pytest.fixture
def strip(qtbot: QtBot) -> PresenterStrip:
    application()
    widget = PresenterStrip(LIGHT)
    qtbot.addWidget(widget)
    widget.resize(1280, 200)
    widget.show()
    widget.set_room(QSize(1280, 720))
    return widget


def lines(strip: PresenterStrip) -> list[str]:
    """Return the lines of the choices as they are laid out."""
    block = strip.text.document().findBlockByNumber(1)
    layout, text = block.layout(), block.text()
    found = [layout.lineAt(number) for number in range(layout.lineCount())]
    return [text[line.textStart() :][: line.textLength()].strip("\u2028") for line in found]


def test_short_choices_stand_two_in_a_line_and_long_ones_below_each_other(strip: PresenterStrip) -> None:
    strip.show_words(Words("What now?", "**What does it do?**", SHORT))
    assert lines(strip) == ["A\u2002grows\tB\u2002shrinks", "C\u2002stays\tD\u2002depends on \ufffc"]
    assert not strip.is_cut
    low = strip.height()
    strip.show_words(Words("What now?", "**What does it do?**", LONG))
    assert [line[0] for line in lines(strip)] == ["A", "B", "C", "D"]
    assert not strip.is_cut
    assert strip.height() > low


def test_second_columns_are_below_each_other(strip: PresenterStrip) -> None:
    strip.show_words(Words("", "**What?**", ("a", "b", "a much longer one", "d")))
    block = strip.text.document().findBlockByNumber(1)
    layout, text = block.layout(), block.text()
    starts = [layout.lineAt(n).cursorToX(text.index(letter))[0] for n, letter in enumerate("BD")]  # type: ignore[index]
    assert starts[0] == pytest.approx(starts[1])
    assert starts[0] == pytest.approx(strip.text.document().textWidth() / 2, abs=2)


def test_what_was_said_of_an_answer_follows_the_choices(strip: PresenterStrip) -> None:
    strip.show_words(Words("", "**What?**", SHORT, "Not quite."))
    assert strip.text.document().lastBlock().text() == "Not quite."


def test_letters_are_large_where_there_is_little_to_say(strip: PresenterStrip) -> None:
    strip.show_words(Words("", "One line."))
    large = strip.text.document().defaultFont().pointSizeF()
    strip.show_words(Words("", "Many words. " * 60))
    assert strip.text.document().defaultFont().pointSizeF() == pytest.approx(LEAST)
    assert large == pytest.approx(32.0)


def test_strong_words_have_letters_that_came_with_the_window(strip: PresenterStrip) -> None:
    strip.show_words(Words("", "plain **strong $x$ words**"))
    cursor = QTextCursor(strip.text.document())
    cursor.setPosition(len("plain s"))
    assert cursor.charFormat().fontWeight() == QFont.Weight.DemiBold


def test_the_legend_says_as_much_as_there_is_room_for(strip: PresenterStrip, qtbot: QtBot) -> None:
    strip.show_facts("seed 0 · 09:30")
    strip.show_place("step 1 of 10")
    assert strip.legend.words == ["value", "gradient", "parameter, update", "stored for backward"]
    strip.show_place("page 12 of 14 · step 10 of 10 · backward")
    assert strip.legend.words == ["value", "gradient", "parameter", "stored"]
    strip.show_place("page 12 of 14 · iteration 1000000 of 1000000 · step 10 of 10 · backward, or so")
    assert strip.legend.words == []
    qtbot.waitUntil(lambda: strip.place.width() >= strip.place.sizeHint().width())
    assert strip.legend.geometry().right() < strip.facts.geometry().left()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_legend_shows_the_colours_of_its_theme(qtbot: QtBot, theme: Theme) -> None:
    application()
    row = MeaningRow(LIGHT)
    qtbot.addWidget(row)
    row.fit(2000)
    row.resize(row.sizeHint().width(), 40)
    row.set_theme(theme)
    seen = pixels(row.grab().toImage())[..., :3].reshape(-1, 3)
    for role in ("forward", "backward", "update", "stored", "positive", "negative"):
        color = theme.color(role)
        wanted = np.array([color.red(), color.green(), color.blue()])
        assert (np.abs(seen.astype(int) - wanted).max(axis=1) <= 12).any(), role
