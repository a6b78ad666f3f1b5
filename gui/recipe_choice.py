"""The popup in which is chosen how to train: optimizer, hyperparameters, schedule, when to stop.

It is made from the records of the engine, and applies every change at once; undo takes it back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import (
    QBoxLayout,
    QButtonGroup,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from engine.errors import BackstepError, as_sentence
from engine.names import plain_name
from engine.optimizers import OPTIMIZERS, Optimizer
from engine.schedules import SCHEDULES
from engine.training import Recipe
from graphs.views.numbers import format_number
from gui.equations import EquationLabel
from gui.fields import ENTER, Field, PushButton
from gui.overlay import Popup
from gui.session import Session
from gui.theme import Theme, application_font
from gui.viewdata.recipe import (
    Setting,
    hyperparameter,
    next_number,
    number_text,
    rates,
    settings_of,
    with_defaults,
    with_optimizer,
    with_schedule,
    with_setting,
)

RIGHT = ("optimizer", "schedule")
"""The groups with hyperparameters, beside the list of optimizers."""
HEADINGS = {"optimizer": "Settings", "schedule": "Learning rate over time", "stopping": "Stop early"}
SYMBOL_SIZE = 14.0
_RECORDS = (*OPTIMIZERS.values(), *SCHEDULES.values())
TITLES = {
    True: max((h.text for record in _RECORDS for h in record.hyperparameters), key=len),
    False: max((s.title for s in settings_of(Recipe().checked(), "stopping")), key=len),
}
"""The longest titles, of hyperparameters and of the others: fields stand under one another."""


class SettingField(Field):
    """A field of the form: Escape restores what stood there, and closes the form where nothing was typed."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        untouched = self.text() == self._shown and not self.is_refused
        if event.key() == Qt.Key.Key_Escape and untouched:
            event.ignore()
        else:
            super().keyPressEvent(event)


class SettingRow:
    """A field with its symbol and name in front and its default behind, as parts of a grid."""

    def __init__(self, setting: Setting, theme: Theme) -> None:
        self.symbol = EquationLabel(theme, setting.symbol, SYMBOL_SIZE, "muted")
        title = setting.title.replace(setting.name, plain_name(setting.name))  # a letter as it is read
        self.title, self.default = QLabel(title), QLabel()
        self.field = SettingField("", theme, 8)
        self.field.setAccessibleName(setting.title)
        self.field.setPlaceholderText("never" if setting.group == "stopping" else "")
        self.title.setBuddy(self.field)
        self.default.setProperty("role", "small")
        self.default.setFont(application_font("small"))
        self.show_setting(setting)

    def show_setting(self, setting: Setting) -> None:
        """Show the value in use."""
        self.field.show_value(setting.text)
        changed = not setting.is_default and setting.group != "stopping"
        self.default.setText(f"default {setting.default}" if changed else "")
        for part in (self.title, self.field, self.symbol):
            part.setToolTip(setting.tip)
        self.field.setAccessibleDescription(setting.tip)

    def add_to(self, grid: QGridLayout, row: int) -> None:
        """Put the parts into a grid's row."""
        grid.addWidget(self.symbol, row, 0)
        for column, part in enumerate((self.title, self.field, self.default), 1):
            grid.addWidget(part, row, column)

    def parts(self) -> tuple[QWidget, ...]:
        """Return all parts."""
        return self.symbol, self.title, self.field, self.default


class Group(QWidget):
    """The fields of an optimizer, a schedule or the stopping rules.

    Signals
    -------
    submitted(str, str)
        The user wants a value: the setting's name and the text.
    stepped(str, int)
        The user wants the next value of a setting.
    defaults_wanted()
        Everything as it is by default.
    """

    submitted = Signal(str, str)
    stepped = Signal(str, int)
    defaults_wanted = Signal()

    def __init__(self, name: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.rows: dict[str, SettingRow] = {}
        heading = QLabel(HEADINGS[name])
        heading.setProperty("role", "heading")
        self.defaults = PushButton("All off" if name == "stopping" else "Defaults")
        self.defaults.setAccessibleName(f"{HEADINGS[name]}: {self.defaults.text()}")
        self.defaults.setFont(application_font("small"))
        self.defaults.setStyleSheet("QPushButton { padding: 0 8px; min-height: 16px; }")
        self.defaults.clicked.connect(self.defaults_wanted)
        self.head = QHBoxLayout()
        self.head.addWidget(heading)
        self.head.addStretch(1)
        self.head.addWidget(self.defaults)
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(8)
        self.grid.setVerticalSpacing(4)
        self.grid.setColumnMinimumWidth(0, 36)
        self.grid.setColumnMinimumWidth(1, self.fontMetrics().horizontalAdvance(TITLES[name in RIGHT]) + 4)
        self.grid.setColumnStretch(3, 1)
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(6)
        self.column.addLayout(self.head)
        self.column.addLayout(self.grid)

    def show_settings(self, settings: Sequence[Setting]) -> None:
        """Show the values in use, in other fields where they are others."""
        if list(self.rows) != [s.name for s in settings]:
            self._make_rows(settings)
        for setting in settings:
            self.rows[setting.name].show_setting(setting)
        # It keeps its room, so that nothing moves when it comes and goes.
        policy = self.defaults.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        self.defaults.setSizePolicy(policy)
        self.defaults.setVisible(not all(s.is_default for s in settings))

    def _make_rows(self, settings: Sequence[Setting]) -> None:
        for row in self.rows.values():
            row.field.blockSignals(True)  # what is left behind says nothing, not even when it loses the focus
            for part in row.parts():
                self.grid.removeWidget(part)
                part.hide()
                part.deleteLater()
        self.rows = {s.name: SettingRow(s, self._theme) for s in settings}
        for i, (name, row) in enumerate(self.rows.items()):
            row.add_to(self.grid, i)
            for part in row.parts():
                part.show()  # at once, or its room is not counted
            row.field.submitted.connect(lambda text, name=name: self.submitted.emit(name, text))
            row.field.stepped.connect(lambda direction, name=name: self.stepped.emit(name, direction))

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        for row in self.rows.values():
            row.symbol.set_theme(theme)
            row.field.set_theme(theme)


class OptimizerRow(QWidget):
    """An optimizer to choose: its title, and what it does in a sentence."""

    def __init__(self, optimizer: Optimizer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = QRadioButton(optimizer.title)
        self.button.setAccessibleDescription(optimizer.text)
        self.button.setToolTip(optimizer.reference)
        text = QLabel(optimizer.text)
        text.setProperty("role", "small")
        text.setFont(application_font("small"))
        text.setWordWrap(True)
        text.setContentsMargins(26, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.button)
        column.addWidget(text)

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.button.click()  # the words are as good a place to click as the button
        self.button.setFocus()


class RatePreview(QWidget):
    """A small curve of the learning rate over the iterations."""

    HEIGHT = 76

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._recipe = Recipe().checked()
        self._iterations = 1
        self.setFixedHeight(self.HEIGHT)
        self.setFont(application_font("small"))

    def show_recipe(self, recipe: Recipe, iterations: int) -> None:
        """Show the learning rate of a recipe over so many iterations."""
        self._recipe, self._iterations = recipe, iterations
        self._x, self._y = rates(recipe, iterations)
        first, last, top = (format_number(float(v)) for v in (self._y[0], self._y[-1], self._y.max()))
        text = f"Learning rate over {iterations} iterations: from {first} to {last}, at most {top}."
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    def curve(self, rect: QRectF) -> QPolygonF:
        """Return the curve inside `rect`, zero at its bottom."""
        top = float(self._y.max()) or 1.0
        last = float(self._x[-1]) or 1.0
        return QPolygonF(
            [
                QPointF(rect.left() + rect.width() * x / last, rect.bottom() - rect.height() * y / top)
                for x, y in zip(self._x.tolist(), self._y.tolist(), strict=True)
            ]
        )

    # Qt

    def sizeHint(self) -> QSize:
        return QSize(200, self.HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        top = format_number(float(self._y.max()))
        left = max(self.fontMetrics().horizontalAdvance(text) for text in (top, "0")) + 8
        rect = QRectF(left, line / 2, self.width() - left - 4, self.height() - 1.5 * line - 5)
        painter.setPen(QPen(self._theme.color("grid"), 1))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.drawLine(rect.topLeft(), rect.topRight())
        painter.setPen(QPen(self._theme.color("update"), 1.8))
        painter.drawPolyline(self.curve(rect))
        self._paint_words(painter, rect, top)
        painter.end()

    def _paint_words(self, painter: QPainter, rect: QRectF, top: str) -> None:
        painter.setPen(self._theme.color("muted"))
        line, align = self.fontMetrics().height(), Qt.AlignmentFlag
        beside = (align.AlignRight | align.AlignVCenter, rect.left() - 6)
        for text, y in ((top, rect.top()), ("0", rect.bottom())):
            painter.drawText(QRectF(0, y - line / 2, beside[1], line), beside[0], text)
        under = QRectF(rect.left(), rect.bottom() + 4, rect.width(), line)
        painter.drawText(under, align.AlignLeft, "iteration 0")
        painter.drawText(under, align.AlignRight, str(self._iterations))


class RecipeChoice(Popup):
    """Choose how to train; everything is applied as soon as it is chosen, by click or Enter."""

    WIDE, NARROW = 716, 392
    """Both columns side by side, or one over the other where the window is too narrow for that."""
    LEFT = 300
    MOST_ROOM = 668

    def __init__(self, session: Session, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._session = session
        self._width, self._room = self.WIDE, self.MOST_ROOM
        self._make_optimizers()
        self._make_groups()
        self._make_schedule()
        self._arrange()
        self._connect()
        self.show_recipe()

    def open_under(self, button: QWidget) -> None:
        self._width = self.WIDE if self.over(button).width() >= self.WIDE + 8 else self.NARROW
        self._say("")
        self.show_recipe()
        super().open_under(button)
        self.fit()  # once more, now that everything has its final style and size
        self.optimizers[self._session.document.recipe.optimizer].setFocus()

    def fit(self, room: int | None = None) -> None:
        """Take the size that is needed, as far as there is room; the rest scrolls."""
        self._room = min(room, self.MOST_ROOM) if room is not None else self._room
        across = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        is_wide = self._width == self.WIDE
        self._body.setDirection(across[0] if is_wide else across[1])
        self._optimizers.setFixedWidth(self.LEFT if is_wide else self._width - 42)
        # Beside one another the columns are about equally high; under one another the last comes last.
        (self._left if is_wide else self._right).addWidget(self.groups["stopping"])
        for part in (self, *self.findChildren(QWidget)):
            part.ensurePolished()  # before that, their sizes are those of another style
        self.setFixedWidth(self._width)
        self._heading.setFixedHeight(self.groups["optimizer"].head.sizeHint().height())  # in line with it
        error = self._error.heightForWidth(self._width - 32) + 8 if self._error.text() else 0
        for group in self.groups.values():  # what changed while hidden has not been laid out yet
            group.grid.invalidate()
            group.column.invalidate()
        for layout in (self._left, self._right, self._body):
            layout.invalidate()
        needed = self._body.totalHeightForWidth(
            self._width - 32 - self._area.verticalScrollBar().sizeHint().width()
        )
        self._area.setFixedHeight(max(60, min(needed, self._room - 28 - error)))
        self._column.activate()
        self.adjustSize()
        self._order_tabs()  # fields may be new, and what moves to another place loses its turn

    def show_recipe(self) -> None:
        """Show the document's recipe, whatever stood in the fields."""
        recipe = self._session.document.recipe
        self._group.blockSignals(True)
        self.optimizers[recipe.optimizer].setChecked(True)
        self._group.blockSignals(False)
        before = [list(group.rows) for group in self.groups.values()]
        for name, group in self.groups.items():
            group.show_settings(settings_of(recipe, name))
        schedule = SCHEDULES[recipe.schedule]
        self.schedules.setCurrentIndex(self.schedules.findData(recipe.schedule))
        self._about.setText(schedule.text)
        self._formula.set_latex(schedule.formula(recipe.schedule_settings))
        self.preview.show_recipe(recipe, max(2, self._session.planned))
        if before != [list(group.rows) for group in self.groups.values()]:
            self.fit()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        for part in (*self.groups.values(), self.preview, self._formula):
            part.set_theme(theme)

    # --- making ---

    def _make_optimizers(self) -> None:
        self._optimizers, self._group = QWidget(), QButtonGroup(self)
        self._left = QVBoxLayout()
        self._left.setSpacing(7)
        self._heading = QLabel("Optimizer")
        self._heading.setProperty("role", "heading")
        self._left.addWidget(self._heading)
        self.optimizers: dict[str, QRadioButton] = {}
        for name, optimizer in OPTIMIZERS.items():
            row = OptimizerRow(optimizer)
            self.optimizers[name] = row.button
            self._group.addButton(row.button)
            self._left.addWidget(row)
        self._left.addSpacing(8)

    def _make_groups(self) -> None:
        self.groups = {name: Group(name, self._theme) for name in HEADINGS}

    def _make_schedule(self) -> None:
        """Put the schedule's list over its fields, and its formula and curve under them."""
        self.schedules = QComboBox()
        self.schedules.setAccessibleName("Learning-rate schedule")
        for name, schedule in SCHEDULES.items():
            self.schedules.addItem(schedule.title, name)
        self._about = QLabel()
        self._about.setProperty("role", "small")
        self._about.setFont(application_font("small"))
        self._about.setWordWrap(True)
        self._formula = EquationLabel(self._theme, "", SYMBOL_SIZE)
        self.preview = RatePreview(self._theme)
        column = self.groups["schedule"].column
        column.insertWidget(1, self.schedules)
        column.insertWidget(2, self._about)
        column.addWidget(self._formula)
        column.addWidget(self.preview)

    def _arrange(self) -> None:
        self._area, inside, right = QScrollArea(), QWidget(), QWidget()
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight, inside)
        self._body.setContentsMargins(0, 0, 6, 0)
        self._body.setSpacing(22)
        self._right = QVBoxLayout(right)
        self._right.setSpacing(14)
        for name in RIGHT:
            self._right.addWidget(self.groups[name])
        self._optimizers.setLayout(self._left)
        for column in (self._left, self._right):
            column.setContentsMargins(0, 0, 0, 0)
            column.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._left.addWidget(self.groups["stopping"])
        self._body.addWidget(self._optimizers)
        self._body.addWidget(right, 1)
        self._area.setWidget(inside)
        self._error = QLabel()
        self._error.setProperty("role", "error")
        self._error.setWordWrap(True)
        self._error.setTextFormat(Qt.TextFormat.PlainText)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 14, 10, 14)
        self._column.setSpacing(8)
        self._column.addWidget(self._area)
        self._column.addWidget(self._error)
        self._error.hide()

    def _connect(self) -> None:
        for name, button in self.optimizers.items():
            button.toggled.connect(lambda on, name=name: self._choose_optimizer(name) if on else None)
        self.schedules.activated.connect(lambda _: self._choose_schedule(self.schedules.currentData()))
        for name, group in self.groups.items():
            group.submitted.connect(lambda field, text, name=name: self._submit(name, field, text))
            group.stepped.connect(lambda field, direction, name=name: self._step(name, field, direction))
            group.defaults_wanted.connect(lambda name=name: self._restore(name))
        self._session.document_changed.connect(self._follow)
        self._session.planned_changed.connect(self._follow)

    def _order_tabs(self) -> None:
        order: list[QWidget] = [*self.optimizers.values()]
        for name, group in self.groups.items():
            order += [self.schedules] if name == "schedule" else []
            order += [*(row.field for row in group.rows.values()), group.defaults]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    # --- applying ---

    @property
    def _own(self) -> Recipe:
        return self._session.document.network.training.recipe

    def _choose_optimizer(self, name: str) -> None:
        if name != self._session.document.recipe.optimizer:
            self._apply(lambda recipe: with_optimizer(recipe, name, self._own), "Optimizer")

    def _choose_schedule(self, name: str) -> None:
        self._apply(lambda recipe: with_schedule(recipe, name, self._own), "Schedule")

    def _restore(self, group: str) -> None:
        self._apply(lambda recipe: with_defaults(recipe, group), HEADINGS[group])
        next(iter(self.groups[group].rows.values())).field.setFocus()

    def _submit(self, group: str, name: str, text: str) -> None:
        """Apply what a field says, or mark it and say why not."""
        if not self._is_open(group, name):
            return
        row = self.groups[group].rows[name]
        try:
            self._apply(lambda recipe: with_setting(recipe, group, name, text), row.title.text())
        except BackstepError as error:
            row.field.refuse()
            self._say(as_sentence(error))

    def _is_open(self, group: str, name: str) -> bool:
        """Say whether the recipe still has a setting: it may have been changed from elsewhere."""
        return name in {setting.name for setting in settings_of(self._session.document.recipe, group)}

    def _step(self, group: str, name: str, direction: int) -> None:
        if not self._is_open(group, name):
            return
        recipe = self._session.document.recipe
        record = hyperparameter(recipe, group, name)
        settings = {s.name: s for s in settings_of(recipe, group)}
        text = settings[name].text
        found = next_number(record, float(text), direction) if text else record.default
        self._submit(group, name, number_text(found))

    def _apply(self, change: Callable[[Recipe], Recipe], what: str) -> None:
        changed = change(self._session.document.recipe)
        self._say("")
        self._session.set_recipe(changed, what)
        self.show_recipe()  # also where nothing has changed but how it was written

    def _follow(self) -> None:
        """Show what was changed from elsewhere; nobody sees it while the popup is closed."""
        if self.isVisible():
            self.show_recipe()

    def _say(self, sentence: str) -> None:
        changed = sentence != self._error.text()
        self._error.setText(sentence)
        self._error.setVisible(bool(sentence))
        if changed and self.isVisible():
            self.fit()

    # Qt

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.hide()
        else:
            super().keyPressEvent(event)
