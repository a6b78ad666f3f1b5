"""Where docks stand, in words: for session files, which may come from anybody.

Qt's own `saveState` is for the settings alone: `restoreState` believes every byte and ends the process over a
wrong one. What is read here is looked at, and what does not fit is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QEventLoop, QSize, Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QTabBar

__all__ = ["docks_state", "hide_stale_tabs", "restore_docks", "show_docks"]

AREAS = {
    "left": Qt.DockWidgetArea.LeftDockWidgetArea,
    "right": Qt.DockWidgetArea.RightDockWidgetArea,
    "top": Qt.DockWidgetArea.TopDockWidgetArea,
    "bottom": Qt.DockWidgetArea.BottomDockWidgetArea,
}
MOST = 20_000
"""Logical pixels that nothing on a screen has."""


def docks_state(window: QMainWindow, docks: Mapping[str, QDockWidget]) -> dict[str, Any]:
    """Return where each dock stands, which are tabs of one another, which are in front, and their sizes."""
    names = {dock: name for name, dock in docks.items()}
    groups, seen = [], set()
    for name, dock in docks.items():
        if name not in seen:
            group = [name, *(names[d] for d in window.tabifiedDockWidgets(dock) if d in names)]
            seen |= {*group}
            groups.append(sorted(group, key=list(docks).index))
    rows = {}
    for name, dock in docks.items():
        area = window.dockWidgetArea(dock)
        rows[name] = {
            "area": next((word for word, value in AREAS.items() if value == area), "right"),
            "shown": not dock.isHidden(),
            "floating": dock.isFloating(),
            "front": dock.geometry().intersects(window.rect()),
            "size": [dock.width(), dock.height() + _bar_height(window, dock)],
        }
    return {"groups": groups, "docks": rows, "window": [window.width(), window.height()]}


def hide_stale_tabs(window: QMainWindow) -> None:
    """Hide tab bars whose tabs stand in another one: Qt leaves them where they were while docks are moved."""
    direct = Qt.FindChildOption.FindDirectChildrenOnly
    bars = [(bar, _titles(bar)) for bar in window.findChildren(QTabBar, options=direct) if bar.isVisible()]
    for bar, titles in bars:
        if any(titles < others for _, others in bars):
            bar.hide()


def _titles(bar: QTabBar) -> set[str]:
    return {bar.tabText(place) for place in range(bar.count())}


def restore_docks(window: QMainWindow, docks: Mapping[str, QDockWidget], state: Any) -> None:
    """Put docks where a state says; the window keeps its size."""
    rows = _rows_of(state, docks)
    if not rows:
        return
    whole = window.size()
    for name, row in rows.items():
        if docks[name].isFloating() and row.get("floating") is not True:
            docks[name].setFloating(False)
    _move(window, docks, rows, _groups_of(state.get("groups"), docks))
    show_docks(window, docks, state)
    window.resize(whole)  # docks that stood side by side for a moment may have made it wider
    # a tab bar that has just come takes its height only now
    QApplication.processEvents(QEventLoop.ProcessEventsFlag.ExcludeUserInputEvents)
    _resize(window, docks, rows, _size(state.get("window")))


def show_docks(window: QMainWindow, docks: Mapping[str, QDockWidget], state: Any) -> None:
    """Show the docks that a state shows, those in front in front, wherever they stand."""
    rows = _rows_of(state, docks)
    for name, row in rows.items():
        docks[name].setVisible(row.get("shown") is not False)
    for name, row in rows.items():
        if row.get("front") is True and row.get("shown") is True and not docks[name].isFloating():
            docks[name].raise_()


def _rows_of(state: Any, docks: Mapping[str, QDockWidget]) -> dict[str, dict[str, Any]]:
    """Return what a state says of each dock, as far as it can be read."""
    if not isinstance(state, dict) or not isinstance(state.get("docks"), dict):
        return {}
    return {n: row for n, row in state["docks"].items() if n in docks and isinstance(row, dict)}


def _bar_height(window: QMainWindow, dock: QDockWidget) -> int:
    """Return the height of the tab bar of a dock, which Qt counts as the dock's when it is resized."""
    if not window.tabifiedDockWidgets(dock):
        return 0
    bars = window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly)
    place = dock.geometry().adjusted(0, -4, 0, 4)
    return next((b.height() for b in bars if b.isVisible() and b.geometry().intersects(place)), 0)


def _groups_of(groups: Any, docks: Mapping[str, QDockWidget]) -> list[list[str]]:
    """Return which docks are tabs of one another, as far as that can be read; each dock once."""
    found: list[list[str]] = []
    seen: set[str] = set()
    for group in groups if isinstance(groups, list) else ():
        names = [n for n in group if isinstance(n, str)] if isinstance(group, list) else []
        names = [n for n in dict.fromkeys(names) if n in docks and n not in seen]
        seen |= {*names}
        if names:
            found.append(names)
    return found


def _move(
    window: QMainWindow, docks: Mapping[str, QDockWidget], rows: Mapping[str, Any], groups: list[list[str]]
) -> None:
    """Move docks whose area or whose tabs are others than they are now; leave the rest alone."""
    now = docks_state(window, docks)
    for group in groups:
        first = group[0]
        area = AREAS.get(str(rows.get(first, {}).get("area")))
        is_same = group in now["groups"] and AREAS[now["docks"][first]["area"]] == area
        if area is None or is_same:
            continue
        window.addDockWidget(area, docks[first])
        for name in group[1:]:
            window.addDockWidget(area, docks[name])
            window.tabifyDockWidget(docks[first], docks[name])
    for name, row in rows.items():
        size = _size(row.get("size"))
        if row.get("floating") is True and size is not None:
            docks[name].setFloating(True)
            docks[name].resize(size.boundedTo(window.size()))


def _resize(
    window: QMainWindow, docks: Mapping[str, QDockWidget], rows: Mapping[str, Any], whole: QSize | None
) -> None:
    """Give docks their sizes, in proportion where the window has another one."""
    if whole is None:
        return
    shown = [
        (docks[name], size)
        for name, row in rows.items()
        if row.get("front") is True
        and not docks[name].isHidden()
        and not docks[name].isFloating()
        and (size := _size(row.get("size"))) is not None
    ]
    widths = [max(1, size.width() * window.width() // whole.width()) for _, size in shown]
    heights = [max(1, size.height() * window.height() // whole.height()) for _, size in shown]
    some = [dock for dock, _ in shown]
    window.resizeDocks(some, widths, Qt.Orientation.Horizontal)
    window.resizeDocks(some, heights, Qt.Orientation.Vertical)


def _size(value: Any) -> QSize | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    if not all(type(length) is int and 0 < length < MOST for length in value):
        return None
    return QSize(*value)
