"""The legend: as many chips as fit, the current one among them, and all of them by keys."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

from gui.legend import Legend, LegendItem, MiniButton, short_names
from gui.theme import DARK, LIGHT

LEFT = Qt.MouseButton.LeftButton


def items(count, current=0, **kind):
    return [
        LegendItem(i, (f"Optimizer number {i}, η 0.{i}", f"O{i}"), f"Optimizer {i}", i, current=i == current,
                   can_choose=True, can_remove=i != current, **kind)
        for i in range(count)
    ]  # fmt: skip


@pytest.fixture
def legend(qtbot):
    legend = Legend(LIGHT)
    qtbot.addWidget(legend)
    legend.resize(500, 22)
    legend.show()
    return legend


def shown(legend):
    return [chip for chip in legend.chips if chip.isVisible()]


def test_names_are_shortened_only_while_they_tell_apart():
    assert short_names(["Adam, η 0.1"]) == [["Adam, η 0.1"], ["Adam, η 0.1"], ["Adam"]]
    assert short_names(["Gradient descent, η 1", "Adam, η 1"])[-1] == ["GD", "Adam"]
    assert short_names(["Gradient descent, η 1", "Gradient descent, η 1 #2"]) == [["η 1", "η 1 #2"]]
    for names in short_names(["Adam, η 1", "Adam, η 2", "Momentum, η 1"]):
        assert len(set(names)) == 3


@pytest.mark.parametrize("count", [1, 2, 4, 9, 30])
@pytest.mark.parametrize("width", [60, 200, 443, 900])
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_chips_fill_the_rows_without_touching_and_the_rest_is_in_the_menu(legend, count, width, rows):
    legend.set_most_rows(rows)
    legend.resize(width, 22)
    legend.set_items(items(count, current=count - 1))
    seen = shown(legend)
    assert any(chip.item.current for chip in seen)
    for i, chip in enumerate(seen):
        assert chip.geometry().right() <= max(width, 0) or len(seen) == 1
        assert not any(chip.geometry().intersects(other.geometry()) for other in seen[i + 1 :])
    assert legend.height() <= rows * 24
    assert legend.more.isVisible() == (len(seen) < count)
    if len(seen) < count:
        assert legend.more.text() == f"{count - len(seen)} more"
        legend._fill_menu()
        assert len(legend._menu.actions()) == count - len(seen)


def test_full_names_where_they_fit_short_ones_where_they_do_not(legend):
    legend.set_items(items(2))
    assert [chip._text for chip in shown(legend)] == [
        "Optimizer number 0, η 0.0",
        "Optimizer number 1, η 0.1",
    ]
    legend.set_items(items(5))
    assert [chip._text for chip in shown(legend)] == ["O0", "O1", "O2", "O3", "O4"]


def test_a_click_chooses_hides_or_removes(qtbot, legend):
    legend.set_items(items(2))
    first, second = legend.chips
    with qtbot.waitSignal(legend.chosen) as told:
        qtbot.mouseClick(second, LEFT, pos=QPoint(60, 10))
    assert told.args == [1]
    with qtbot.waitSignal(legend.toggled_line) as told:
        qtbot.mouseClick(second, LEFT, pos=QPoint(12, 10))
    assert told.args == [1, False]
    second.setFocus()
    with qtbot.waitSignal(legend.removed) as told:
        qtbot.mouseClick(second, LEFT, pos=QPoint(second.width() - 6, 10))
    assert told.args == [1]
    with qtbot.waitSignal(legend.toggled_line) as told:
        qtbot.mouseClick(first, LEFT, pos=QPoint(60, 10))
    assert told.args == [0, False], "the current one is stood in already"


def test_keys_do_the_same(qtbot, legend):
    legend.set_items(items(2))
    second = legend.chips[1]
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Space):
        with qtbot.waitSignal(legend.chosen):
            qtbot.keyClick(second, key)
    with qtbot.waitSignal(legend.removed):
        qtbot.keyClick(second, Qt.Key.Key_Delete)
    with qtbot.assertNotEmitted(legend.removed):
        qtbot.keyClick(legend.chips[0], Qt.Key.Key_Delete)


def test_its_menu_says_in_words_what_can_be_done(qtbot, legend):
    legend.set_items(items(2))
    texts = []
    for chip in legend.chips:
        menu = QMenu(chip)
        chip.actions_of(menu)
        texts.append([(a.text(), a.isEnabled()) for a in menu.actions()])
    assert texts[0] == [("Stand in this run", False), ("Hide", True)]
    assert texts[1] == [("Stand in this run", True), ("Hide", True), ("Remove", True)]


def test_a_hidden_line_is_struck_out_and_said_to_be_hidden(legend):
    legend.set_items(items(2))
    assert not legend.chips[1]._font().strikeOut()
    legend.set_items([items(2)[0], *items(2, shown=False)[1:]])
    assert legend.chips[1]._font().strikeOut()
    assert legend.chips[1].accessibleName() == "Optimizer 1, vermilion, dashed, hidden"


def test_chips_look_different_for_every_kind_and_theme(legend):
    looks = set()
    for theme in (LIGHT, DARK):
        legend.set_theme(theme)
        for kind in ("run", "held", "search"):
            legend.set_items([LegendItem(0, ("x",), "x", 1, kind)])
            image = legend.chips[0].grab().toImage()
            looks.add(bytes(image.constBits()))
    assert len(looks) == 6


def test_a_mini_button_opens_its_menu_and_takes_keys(qtbot):
    button = MiniButton("Loss", LIGHT)
    qtbot.addWidget(button)
    menu = QMenu(button)
    menu.addAction("Gradient norm")
    width = button.sizeHint().width()
    button.set_menu(menu)
    assert button.sizeHint().width() > width
    button.resize(button.sizeHint())
    button.show()
    qtbot.keyClick(button, Qt.Key.Key_Return)
    qtbot.waitUntil(menu.isVisible)
    menu.close()
