"""The equations dock: all equations, the one being computed marked, each a way to its node."""

import re
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

import graphs
from gui.panels.equations_dock import EquationsPanel
from gui.theme import LIGHT
from gui.viewdata import EquationRow

RESIDUAL = Path(graphs.__file__).parent / "templates" / "residual.toml"


def click(qtbot, panel, name, phase):
    rows = panel._model.rows
    row = next(
        i for i, r in enumerate(rows) if isinstance(r, EquationRow) and (r.name, r.phase) == (name, phase)
    )
    index = panel._model.index(row)
    panel.view.scrollTo(index)
    place = panel.view.visualRect(index).center()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=place)


def test_the_equation_being_computed_is_marked_and_in_sight(open_session, show):
    session = open_session()
    panel = show(EquationsPanel, session, 460, 190)
    panel._cache.drain()
    panel._lay_out_again()
    for position in range(1, 15):
        session.go(position)
        row = panel._model.current_row()
        assert row is not None, position
        rect = panel.view.visualRect(panel._model.index(row))
        assert panel.view.viewport().rect().contains(rect.center()), position
    assert panel._model.rows[panel._model.current_row()].phase == "backward"


def test_the_marked_line_has_its_phases_colour(open_session, show):
    session = open_session(position=1)
    panel = show(EquationsPanel, session, 460, 190)
    panel._cache.drain()
    panel._lay_out_again()
    rect = panel.view.visualRect(panel._model.index(panel._model.current_row()))
    image = panel.view.viewport().grab().toImage()
    assert image.pixelColor(rect.left() + 1, rect.center().y()) == LIGHT.color("forward")


def test_a_click_selects_the_node(qtbot, open_session, show):
    session = open_session()
    panel = show(EquationsPanel, session, 460, 300)
    panel._cache.drain()
    panel._lay_out_again()
    with qtbot.waitSignal(session.selection_changed):
        click(qtbot, panel, "Z", "backward")
    assert session.selection == "Z"


def test_equations_are_set_while_nothing_else_is_to_be_done(qtbot, open_session, show):
    panel = show(EquationsPanel, open_session("univariate-regression"), 460, 190)
    qtbot.waitUntil(lambda: panel._cache.waiting == 0)
    heights = [panel.view.visualRect(panel._model.index(i)).height() for i in range(panel._model.rowCount())]
    assert all(height > 10 for height in heights)


def test_rows_have_their_heights_anew_at_another_width(qtbot, open_window):
    window = open_window(RESIDUAL, size=(1280, 720))
    window.build_late()
    window.show_dock("equations")
    panel = window.panels["equations"]
    panel.settle()

    def fits():
        delegate, model = panel._delegate, panel._model
        return all(
            delegate.is_set(row)
            and panel.view.visualRect(model.index(i)).height()
            == delegate.sizeHint(None, model.index(i)).height()
            for i, row in enumerate(model.rows)
            if not isinstance(row, str)
        )

    for width in (230, 300, 520):
        before = panel.view.viewport().width()
        window.resizeDocks([window.docks["equations"]], [width], Qt.Orientation.Horizontal)
        qtbot.waitUntil(lambda before=before: panel.view.viewport().width() != before)
        qtbot.waitUntil(fits)


def test_everything_is_copied_in_one_environment(qtbot, open_session, show):
    session = open_session()
    panel = show(EquationsPanel, session, 460, 190)
    qtbot.mouseClick(panel.copy_button, Qt.MouseButton.LeftButton)
    copied = QGuiApplication.clipboard().text()
    lines = copied.splitlines()
    assert (lines[0], lines[-1]) == ("\\begin{align*}", "\\end{align*}")
    rows = [row for row in panel._model.rows if isinstance(row, EquationRow)]
    assert len(lines) - 2 == len(rows)
    assert all(line.count(" &= ") == 1 for line in lines[1:-1])
    assert not re.search(r"\\\\$", lines[-2])


def test_another_network_has_other_equations(open_session, show):
    session = open_session()
    panel = show(EquationsPanel, session, 460, 190)
    session.open("univariate-regression")
    names = {row.name for row in panel._model.rows if isinstance(row, EquationRow)}
    assert names == {"yhat", "L", "w", "b", "x", "y"}
    assert "2 forward" in panel._caption.text()
