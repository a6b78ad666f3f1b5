"""Choosing entries by hand, out of few and out of very many."""

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from engine.training import Run
from gui.entry_choice import MOST_CHOSEN, MOST_LISTED, EntryChoice
from gui.runseries import Entry, entries_of
from gui.theme import DARK, LIGHT
from tests.helpers import model_of

CHECKED, UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


@pytest.fixture
def run():
    return Run(model_of("L = norm(W)**2 + b*b", {"W": np.ones((30, 40)), "b": 2.0}))


@pytest.fixture
def choice(qtbot, run):
    window = QPushButton("Parameters")
    qtbot.addWidget(window)
    window.show()
    choice = EntryChoice(LIGHT, window)
    choice.open_for(run, [Entry("W", (1, 2)), Entry("b", ())], window)
    yield choice
    choice.close()


def texts(choice):
    return [choice.list.item(i).text() for i in range(choice.list.count())]


def test_what_is_drawn_is_listed_first_and_ticked(choice):
    assert texts(choice)[:3] == ["W[1, 2]", "b", "W[0, 0]"]
    states = [choice.list.item(i).checkState() for i in range(3)]
    assert states == [CHECKED, CHECKED, UNCHECKED]
    assert len(texts(choice)) == MOST_LISTED
    assert f"first {MOST_LISTED}" in choice.note.text()


def test_any_entry_is_found_by_its_name(choice):
    choice.field.setText("w[29,3")
    assert texts(choice) == ["W[29, 3]", *(f"W[29, 3{i}]" for i in range(10))]
    choice.field.setText("nothing")
    assert texts(choice) == []
    assert choice.note.text() == "No entry has this name."


def test_ticking_draws_in_the_order_of_the_parameters(qtbot, choice):
    choice.field.setText("W[0, 5]")
    with qtbot.waitSignal(choice.chosen) as told:
        choice.list.item(0).setCheckState(CHECKED)
    assert told.args == [[Entry("W", (0, 5)), Entry("W", (1, 2)), Entry("b", ())]]
    choice.field.setText("b")
    with qtbot.waitSignal(choice.chosen) as told:
        choice.list.item(0).setCheckState(UNCHECKED)
    assert told.args == [[Entry("W", (0, 5)), Entry("W", (1, 2))]]


def test_there_is_always_one_and_never_too_many(qtbot, choice, run):
    choice.open_for(run, [Entry("b", ())], choice.parentWidget())
    with qtbot.assertNotEmitted(choice.chosen):
        choice.list.item(0).setCheckState(UNCHECKED)
    assert choice.list.item(0).checkState() == CHECKED
    choice.open_for(run, list(entries_of(run))[:MOST_CHOSEN], choice.parentWidget())
    with qtbot.assertNotEmitted(choice.chosen):
        choice.list.item(MOST_CHOSEN).setCheckState(CHECKED)
    assert choice.list.item(MOST_CHOSEN).checkState() == UNCHECKED


def test_those_that_move_most_come_back(qtbot, choice):
    with qtbot.waitSignal(choice.chosen) as told:
        qtbot.mouseClick(choice.automatic, Qt.MouseButton.LeftButton)
    assert told.args == [None]
    assert not choice.isVisible()


def test_boxes_are_seen_in_every_theme(choice):
    looks = set()
    for theme in (LIGHT, DARK):
        choice.set_theme(theme)
        image = choice.list.grab().toImage()
        ticked = {image.pixelColor(x, y).name() for x in range(24) for y in range(16)}
        assert theme.accent in ticked
        looks.add(frozenset(ticked))
    assert len(looks) == 2
