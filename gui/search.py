"""The command search: type a part of a command, a step's number or a node's name, and Enter does it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from gui.fields import medium
from gui.overlay import Overlay
from gui.theme import Theme, application_font

Item = tuple[str, str, str, bool]
"""A command: its id, its text, its keys, whether it can be done now."""
Index = QModelIndex | QPersistentModelIndex

MOST_NODES = 12
STEP = re.compile(r"(?:go\s*to\s*)?(?:step\s*)?(\d{1,9})", re.IGNORECASE)
NODE = re.compile(r"(?:find|show|go\s*to|node)\s+(\S+)", re.IGNORECASE)


# --- what is found -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Match:
    """How well a text answers a query (more is better), and which of its characters do."""

    score: float
    positions: tuple[int, ...] = ()


@dataclass(frozen=True)
class Result:
    """One line of the list."""

    kind: Literal["command", "step", "node"]
    value: str | int
    text: str
    keys: str = ""
    enabled: bool = True
    match: Match = field(default_factory=lambda: Match(0.0))


def match(query: str, text: str) -> Match | None:
    """Say how well the letters of `query` are found in `text` in their order, None if they are not.

    The beginning of a word is best, then the initials of the words, then anywhere in one piece, then apart.

    Examples
    --------
    >>> match("exp", "Export picture…").positions
    (0, 1, 2)
    >>> match("xyz", "Export picture…") is None
    True
    """
    query, folded = query.casefold(), text.casefold()
    if len(folded) != len(text):  # rare letters that become two: then positions would be wrong
        folded = text.lower()
    initials = [0, *(i + 1 for i, letter in enumerate(folded) if letter in " -" and i + 1 < len(folded))]
    for start in initials:
        if folded.startswith(query, start):
            return Match(300 - start, tuple(range(start, start + len(query))))
    if "".join(folded[i] for i in initials).startswith(query):
        return Match(200, tuple(initials[: len(query)]))
    return _inside(query, folded) or _apart(query.replace(" ", ""), folded)


def _inside(query: str, text: str) -> Match | None:
    start = text.find(query)
    return Match(100 - start / 10, tuple(range(start, start + len(query)))) if start >= 0 else None


def _apart(query: str, text: str) -> Match | None:
    """Return the closest place where the letters stand in their order."""
    found = [_from(query, text, start) for start, letter in enumerate(text) if query[:1] == letter]
    whole = [places for places in found if places]
    best = min(whole, key=lambda places: places[-1] - places[0], default=None)
    return Match(-float(best[-1] - best[0]), best) if best else None


def _from(query: str, text: str, start: int) -> tuple[int, ...]:
    places: list[int] = []
    at = start
    for letter in query:
        at = text.find(letter, at)
        if at < 0:
            return ()
        places.append(at)
        at += 1
    return tuple(places)


def find(
    query: str, items: Sequence[Item], nodes: Sequence[str] = (), steps: int | None = None
) -> list[Result]:
    """Return what a query finds, the best first; everything in its order for an empty query."""
    query = " ".join(query.split())
    if not query:
        return [Result("command", *item[:3], item[3]) for item in items]
    results = [*_steps(query, steps), *_nodes(query, nodes), *_commands(query, items)]
    return sorted(results, key=lambda result: -result.match.score)


def _commands(query: str, items: Sequence[Item]) -> list[Result]:
    found = ((item, match(query, item[1])) for item in items)
    return [Result("command", *item[:3], item[3], m) for item, m in found if m is not None]


def _steps(query: str, steps: int | None) -> list[Result]:
    wanted = STEP.fullmatch(query)
    if wanted is None:
        return []
    number = int(wanted[1])
    if steps is not None and number > steps:
        text = f"There is no step {number}: this iteration has {steps}"
        return [Result("step", number, text, enabled=False, match=Match(1000))]
    return [Result("step", number, f"Go to step {number}", match=Match(1000))]


def _nodes(query: str, nodes: Sequence[str]) -> list[Result]:
    worded = NODE.fullmatch(query)
    name = worded[1] if worded else query
    found = [(node, score) for node in nodes if (score := _node_score(name, node)) is not None]
    best = sorted(found, key=lambda pair: -pair[1])[:MOST_NODES]
    return [Result("node", node, f"Find {node}", match=_after("Find ", score, name)) for node, score in best]


def _node_score(name: str, node: str) -> float | None:
    """Rank the name itself before every command, its beginning before what commands have inside."""
    if name == node:
        return 900
    if name.casefold() == node.casefold():
        return 800
    return 150 - len(node) / 100 if node.casefold().startswith(name.casefold()) else None


def _after(before: str, score: float, name: str) -> Match:
    return Match(score, tuple(range(len(before), len(before) + len(name))))


# --- how it is shown ---------------------------------------------------------------------------------------


class ResultDelegate(QStyledItemDelegate):
    """Paints a result: its text with what was typed in bold, its keys at the right."""

    HEIGHT = 32

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    def _paint_text(self, painter: QPainter, result: Result, rect: QRect, role: str) -> None:
        """Write runs of characters one after the other, those that match stronger and in blue."""
        left, hits = float(rect.left()), set(result.match.positions)
        for hit, run in groupby(enumerate(result.text), key=lambda pair: pair[0] in hits):
            text = "".join(letter for _, letter in run)
            font = application_font("strong") if hit else application_font()
            painter.setFont(font)
            painter.setPen(self.theme.color("forward_text" if hit and role == "text" else role))
            painter.drawText(
                QRectF(left, rect.top(), rect.width(), rect.height()), Qt.AlignmentFlag.AlignVCenter, text
            )
            left += QFontMetricsF(font).horizontalAdvance(text)

    # Qt

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, self.HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        result: Result = index.data(Qt.ItemDataRole.UserRole)
        rect: QRect = option.rect  # type: ignore[attr-defined]
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)  # type: ignore[attr-defined]
        painter.save()
        if chosen:
            painter.setRenderHint(painter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.color("selection"))
            painter.drawRoundedRect(rect, 6, 6)
        role = "on_selection" if chosen else "text" if result.enabled else "disabled"
        inner = rect.adjusted(12, 0, -12, 0)
        self._paint_text(painter, result, inner, role)
        painter.setFont(application_font("small"))
        painter.setPen(self.theme.color(role if chosen or not result.enabled else "muted"))
        note = result.keys or ("" if result.kind == "command" else result.kind)
        painter.drawText(inner, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, note)
        painter.restore()


class CommandSearch(Overlay):
    """An overlay at the top with a line to type in, and what it finds.

    Parameters
    ----------
    items
        The commands: id, text, keys, and whether each can be done now.
    nodes
        Names of nodes that can be found.
    steps
        How many steps there are; None for not telling.

    Signals
    -------
    chosen(str)
        The id of the command to do.
    go_to(int)
        The number of the step to go to.
    find_node(str)
        The name of the node to show.
    """

    chosen = Signal(str)
    go_to = Signal(int)
    find_node = Signal(str)

    WIDTH = 520
    MOST_ROWS = 10
    PADDING = 10

    def __init__(
        self,
        theme: Theme,
        items: Sequence[Item],
        nodes: Sequence[str] = (),
        parent: QWidget | None = None,
        steps: int | None = None,
    ) -> None:
        assert parent is not None, "an overlay lies over something"
        super().__init__(theme, parent)
        self._items, self._nodes, self._steps = list(items), list(nodes), steps
        self.edit, self.list, self.nothing = QLineEdit(self), QListWidget(self), QLabel(self)
        self._card = QRect()
        self._make()
        self.edit.textChanged.connect(self._search)
        self.edit.returnPressed.connect(self._choose)
        self.list.itemClicked.connect(self._choose)
        self._search("")

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self._delegate.theme = theme

    def card(self) -> QRect:
        return self._card

    def focus_inside(self) -> None:
        self.edit.setFocus()

    def arrange(self) -> None:
        width, pad = min(self.WIDTH, self.width() - 24), self.PADDING
        left, top = (self.width() - width) // 2, min(64, self.height() // 10)
        inner, line = width - 2 * pad, self.edit.sizeHint().height()
        below = self._height_below(inner, self.height() - top - line - 3 * pad - 12)
        self._card = QRect(left, top, width, line + below + 2 * pad + (pad - 2 if below else 0))
        self.edit.setGeometry(left + pad, top + pad, inner, line)
        for part in (self.list, self.nothing):
            part.setGeometry(left + pad, top + line + 2 * pad - 2, inner, below)
        self.update()

    def _height_below(self, width: int, room: int) -> int:
        """Return the height of what is under the line: whole rows, or the sentence."""
        if not self.list.count():
            return self.nothing.heightForWidth(width)
        rows = min(self.MOST_ROWS, room // ResultDelegate.HEIGHT, self.list.count())
        return max(1, rows) * ResultDelegate.HEIGHT

    def _make(self) -> None:
        self.edit.setPlaceholderText("Search commands, steps and nodes")
        self.edit.setAccessibleName("Search commands, steps and nodes")
        self.edit.setMaxLength(100)
        self.edit.setFont(medium())
        self.edit.setMinimumHeight(24)
        self._delegate = ResultDelegate(self._theme, self.list)
        self.list.setItemDelegate(self._delegate)
        self.list.setAccessibleName("Results")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMouseTracking(True)
        self.nothing.setWordWrap(True)
        self.nothing.setTextFormat(Qt.TextFormat.PlainText)
        self.nothing.setProperty("role", "muted")
        self.nothing.setContentsMargins(10, 4, 10, 6)

    def _search(self, text: str) -> None:
        results = find(text, self._items, self._nodes, self._steps)
        self.list.clear()
        for result in results:
            item = QListWidgetItem(result.text, self.list)
            item.setData(Qt.ItemDataRole.UserRole, result)
            if not result.enabled:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
        self.list.setVisible(bool(results))
        self.nothing.setVisible(not results)
        self.nothing.setText(
            f"Nothing is called “{text.strip()}”. Try a command, a step's number or a node's name."
        )
        self._move(1, from_row=-1)
        self.arrange()

    def _move(self, direction: int, count: int = 1, from_row: int | None = None) -> None:
        """Go to the next result that can be chosen, past the end to the other one."""
        enabled = [row for row in range(self.list.count()) if self._result(row).enabled]
        if not enabled:
            self.list.setCurrentRow(-1)
            return
        now = self.list.currentRow() if from_row is None else from_row
        place = enabled.index(now) if now in enabled else -1
        if count > 1:
            place = max(0, min(len(enabled) - 1, place + direction * count))
        self.list.setCurrentRow(enabled[place if count > 1 else (place + direction) % len(enabled)])
        self.edit.setAccessibleDescription(self._result(self.list.currentRow()).text)

    def _result(self, row: int) -> Result:
        return self.list.item(row).data(Qt.ItemDataRole.UserRole)

    def _choose(self) -> None:
        """Close, so that the focus is back where it was, then ask for what was chosen."""
        row = self.list.currentRow()
        if row < 0:
            return
        result = self._result(row)
        self.close()
        {"command": self.chosen, "step": self.go_to, "node": self.find_node}[result.kind].emit(result.value)

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {Qt.Key.Key_Down: (1, 1), Qt.Key.Key_Up: (-1, 1)}
        moves |= {Qt.Key.Key_PageDown: (1, self.MOST_ROWS), Qt.Key.Key_PageUp: (-1, self.MOST_ROWS)}
        if event.key() in moves:
            self._move(*moves[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)
