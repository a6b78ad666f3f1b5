"""The bar at the top: network, data, detail, optimizer, learning rate, batch size and seed in one place.

It holds no state of its own: what it shows is the session's document, read anew at every change. What does
not fit into the window's width moves into a panel behind the last button but stays one click away.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import methodcaller
from typing import Any

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QMenu, QWidget

from engine.data import batches_per_epoch
from engine.errors import BackstepError, TrainingError, UsageError, excerpt
from engine.graph import Detail
from engine.optimizers import OPTIMIZERS
from graphs.network import FileData, Model, built_in, built_in_names
from gui.fields import HEIGHT, ChoiceField, DropButton, Field, IconButton, SegmentButton, comfortable_size
from gui.overlay import Popup
from gui.recipe_choice import RecipeChoice
from gui.session import Document, Session
from gui.settings import Settings
from gui.theme import Theme
from gui.viewdata.recipe import next_rate, number_text, summary

BATCHES = (1, 8, 16, 32, 64, 128, 256, 512, 1024)
ALL = "all"
DATA_TIP = "Choose the data set, its columns, whether they are standardised, and how many are held out"
OPTIMIZER_TIP = "Choose how to train: optimizer, its settings, learning rate over time, when to stop"


# --- what the fields say, and how they are read ------------------------------------------------------------


def read_rate(text: str, optimizer: str) -> float:
    """Return the learning rate that a text says; raise `TrainingError` where it is none."""
    return OPTIMIZERS[optimizer].hyperparameter("learning_rate").checked(text.replace(",", "."))


def read_batch(text: str, examples: int) -> int | None:
    """Return the batch size that a text says, None for all; raise `TrainingError` where it is none."""
    if text.casefold() in (ALL, "full"):
        return None
    size = _whole(text)
    if size is None:
        how = f"Write all, or a whole number from 1 to {examples}."
        raise TrainingError(f"the batch size cannot be {excerpt(text, 30) or 'empty'}.", how=how)
    batches_per_epoch(examples, size)
    return None if size == examples else size


def read_seed(text: str) -> int:
    """Return the seed that a text says; raise `UsageError` where it is none."""
    seed = _whole(text)
    if seed is None or seed < 0:
        raise UsageError(
            f"the seed cannot be {excerpt(text, 30) or 'empty'}.", how="Choose a whole number from 0."
        )
    return seed


def _whole(text: str) -> int | None:
    try:
        return int(text)
    except ValueError:
        return None


def batch_choices(examples: int) -> list[str]:
    """Return the usual batch sizes for so many examples, with "all" in front."""
    return [ALL, *(str(size) for size in BATCHES if size < examples)]


def batch_text(size: int | None) -> str:
    """Write a batch size."""
    return ALL if size is None else str(size)


def data_text(document: Document, model: Model) -> str:
    """Say in a few words which data are in use: ``mcycle · 133 examples``, ``mcycle · 32 of 133``.

    Those held out are added: ``mcycle · 100 + 33``; the tooltip says what they are.
    """
    data = document.network.data
    if not data:
        return "No data set"
    name = data.file.rpartition("/")[2].removesuffix(".csv") if isinstance(data, FileData) else "own data"
    if document.batch_size is not None:
        return f"{name} · {document.batch_size} of {model.examples}"
    if model.held_examples:
        return f"{name} · {model.examples} + {model.held_examples}"
    return f"{name} · {model.examples} example{'s' if model.examples != 1 else ''}"


# --- the bar -----------------------------------------------------------------------------------------------


class MorePanel(Popup):
    """Holds the controls for which the bar has no room, each with its name."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(16, 14, 16, 14)
        self._grid.setVerticalSpacing(8)
        self._grid.setHorizontalSpacing(16)
        self._labels: list[QLabel] = []

    def hold(self, groups: Sequence[tuple[str, QWidget]]) -> None:
        """Show these controls, with their names."""
        for label in self._labels:
            self._grid.removeWidget(label)
            label.deleteLater()
        self._labels = [QLabel(title) for title, _ in groups]
        for row, (label, (_, widget)) in enumerate(zip(self._labels, groups, strict=True)):
            label.setProperty("role", "muted")
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(widget, row, 1, Qt.AlignmentFlag.AlignLeft)
            widget.show()


class ControlBar(QFrame):
    """The controls of what is trained, in one row.

    Signals
    -------
    open_requested()
        The user wants to open a file.
    data_requested()
        The user wants to choose data.
    focus_back()
        The user is done here; the graph may have the focus.
    """

    open_requested = Signal()
    data_requested = Signal()
    focus_back = Signal()

    GIVES_WAY = ("optimizer", "seed", "batch", "rate", "detail")
    """What moves into the panel when there is little room, in this order."""

    def __init__(
        self,
        session: Session,
        theme: Theme,
        settings: Settings | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._theme = theme
        self._settings = settings
        self._hidden: tuple[str, ...] = ()
        self.opener: Callable[[str], object] = session.open
        self.titled: Callable[[], str] = lambda: session.document.network.title
        self.setProperty("bar", "top")
        self._make_choices()
        self._make_fields()
        self._make_right()
        self._arrange()
        self._connect()
        self._show_values()
        self._show_detail()

    def set_actions(self, theme: QAction, export: QAction, keys: QAction) -> None:
        """Let the buttons at the right trigger these actions."""
        for button, action in ((self.theme, theme), (self.export, export), (self.help, keys)):
            button.set_action(action)

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.theme.set_icon_name("sun" if theme.is_dark else "moon")
        for part in (self.rate, self.batch, self.seed, self.new_seed, self.theme, self.export, self.help):
            part.set_theme(theme)
        for popup in (self.panel, *([self._recipe] if self._recipe is not None else [])):
            popup.set_theme(theme)

    @property
    def recipe(self) -> RecipeChoice:
        """How to train, as a popup; made when it is first asked for, since its symbols need typesetting."""
        if self._recipe is None:
            self._recipe = RecipeChoice(self._session, self._theme, self)
        return self._recipe

    # --- making ---

    def _make_choices(self) -> None:
        self.network = DropButton(112, 170)
        self.menu = QMenu(self.network)
        self.menu.setToolTipsVisible(True)
        self.data = DropButton(100, 150)
        self.detail = QFrame()
        self.detail.setProperty("segmented", True)
        row = QHBoxLayout(self.detail)
        row.setContentsMargins(1, 1, 1, 1)
        row.setSpacing(0)
        self.details = {detail: SegmentButton(detail.value.capitalize()) for detail in Detail}
        for button in self.details.values():
            row.addWidget(button)

    def _make_fields(self) -> None:
        self.optimizer = DropButton(84, 150)
        self._recipe: RecipeChoice | None = None
        self.rate = Field("rate", self._theme, 5)
        self.batch = ChoiceField("batch", self._theme, 3)
        self.seed = Field("seed", self._theme, 3)
        self.new_seed = IconButton("reset", self._theme)
        self.seeds = QWidget()
        row = QHBoxLayout(self.seeds)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.seed)
        row.addWidget(self.new_seed)

    def _make_right(self) -> None:
        self.theme = IconButton("sun" if self._theme.is_dark else "moon", self._theme)
        self.export = IconButton("export", self._theme, "Export")
        self.help = IconButton("help", self._theme)
        self.more = DropButton(200, 200)
        self.more.setText("More")
        self.panel = MorePanel(self._theme, self)

    def _arrange(self) -> None:
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(10, 7, 10, 7)
        self._row.setSpacing(6)
        self._row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        self._name_all()
        self._fill()

    def _name_all(self) -> None:
        for widget, (name, tip) in self._words().items():
            widget.setAccessibleName(name)
            widget.setToolTip(tip)

    def _words(self) -> dict[QWidget, tuple[str, str]]:
        keys = "Enter applies, Escape restores, ↑ and ↓ choose the next."
        equation, primitive = (self.details[d] for d in (Detail.EQUATION, Detail.PRIMITIVE))
        return {
            self.network: ("Network", "Choose a network, or open a file"),
            self.data: ("Data", DATA_TIP),
            equation: ("Equation detail", "One node for each line of the formula"),
            primitive: ("Primitive detail", "One node for each operation"),
            self.optimizer: ("Optimizer", OPTIMIZER_TIP),
            self.rate: (
                "Learning rate",
                f"Learning rate η: the share of a gradient that an update takes, above 0.\n{keys}",
            ),
            self.batch: ("Batch size", ""),
            self.batch.field: ("Batch size", ""),
            self.seed: (
                "Seed",
                f"Seed of the first values and of the mini-batches: a whole number from 0.\n{keys}",
            ),
            self.new_seed: ("New seed", "New seed: other first values, other mini-batches"),
            self.theme: ("Theme", "Light or dark"),
            self.export: ("Export", "Export"),
            self.help: ("Keys", "Keys"),
            self.more: ("More settings", "Settings for which the window is too narrow"),
        }

    def _connect(self) -> None:
        self.network.setMenu(self.menu)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.data.clicked.connect(self._ask_for_data)
        self.more.clicked.connect(lambda: self.panel.open_under(self.more))
        for detail, button in self.details.items():
            button.clicked.connect(lambda _=False, detail=detail: self._session.set_detail(detail))
        self.optimizer.clicked.connect(lambda: self.recipe.open_under(self.optimizer))
        self._connect_fields()
        self.new_seed.clicked.connect(self._session.new_seed)
        self._session.document_changed.connect(self._show_values)
        self._session.graph_changed.connect(self._show_detail)

    def _connect_fields(self) -> None:
        self.rate.submitted.connect(self._apply_rate)
        self.rate.stepped.connect(self._step_rate)
        self.batch.field.submitted.connect(self._apply_batch)
        self.batch.field.stepped.connect(self._step_batch)
        self.batch.picked.connect(self._pick_batch)
        self.seed.submitted.connect(self._apply_seed)
        self.seed.stepped.connect(self._step_seed)
        for field in (self.rate, self.batch.field, self.seed):
            field.finished.connect(self._finish)

    # --- showing ---

    def _show_values(self) -> None:
        """Show the document, whatever stood in the fields."""
        document, model = self._session.document, self._session.model
        self.network.setText(self.titled() or document.network.name)
        self.data.setText(data_text(document, model))
        held = f"{model.examples} to train on, {model.held_examples} held out" if model.held_examples else ""
        self.data.setToolTip("\n".join(part for part in (DATA_TIP, held) if part))
        self.optimizer.setText(OPTIMIZERS[document.optimizer].title)
        self.optimizer.setToolTip(f"{OPTIMIZER_TIP}\n{summary(document.recipe)}")
        self.rate.show_value(number_text(document.learning_rate))
        self._show_batch(document, model)
        self.seed.show_value(str(document.seed))
        self._fit()

    def show_network(self) -> None:
        """Show what the network is called, which may be another name since it has a file."""
        self.network.setText(self.titled() or self._session.document.network.name)
        self._fit()

    def _ask_for_data(self) -> None:
        self.panel.hide()
        self.data_requested.emit()

    def _show_batch(self, document: Document, model: Model) -> None:
        self.batch.set_choices(batch_choices(model.examples))
        self.batch.show_value(batch_text(document.batch_size))
        self.batch.setEnabled(model.examples > 1)
        tip = (
            f"Batch size: examples in each iteration, from 1 to {model.examples}, or all.\n"
            "Enter applies, Escape restores, ↑ and ↓ choose the next."
            if model.examples > 1
            else "This network has one example: there is nothing to divide into mini-batches."
        )
        self.batch.setToolTip(tip)
        self.batch.field.setToolTip(tip)

    def _show_detail(self) -> None:
        self.details[self._session.detail].setChecked(True)

    def _fill_menu(self) -> None:
        self.menu.clear()
        group = QActionGroup(self.menu)
        for name in built_in_names():
            network = built_in(name)
            action = self._menu_action(self.menu, network.title, lambda name=name: self.opener(name))
            action.setToolTip(network.description)
            action.setCheckable(True)
            action.setChecked(name == self._session.document.network.name)
            group.addAction(action)
        self.menu.addSeparator()
        self.menu.addAction("Open file…", self.open_requested.emit)
        for path in self._settings.get("files/recent") if self._settings is not None else ():
            name = excerpt(path.replace("\\", "/").rpartition("/")[2], 40)
            self._menu_action(self.menu, name, lambda path=path: self.opener(path)).setToolTip(path)

    def _menu_action(self, menu: QMenu, text: str, run: Callable[[], object]) -> QAction:
        action = menu.addAction(text.replace("&", "&&"))
        action.triggered.connect(lambda _=False: run())
        action.triggered.connect(self.focus_back)
        return action

    # --- applying ---

    def _submit(self, field: Field, read: Callable[[], Any], apply: Callable[[Any], None]) -> None:
        """Apply what a field says, or mark it and say why not."""
        try:
            value = read()
        except BackstepError as error:
            field.refuse()
            self._session.notice.emit("error", str(error))
            return
        apply(value)
        self._show_values()

    def _apply_rate(self, text: str) -> None:
        optimizer = self._session.document.optimizer
        self._submit(self.rate, lambda: read_rate(text, optimizer), self._session.set_learning_rate)

    def _apply_batch(self, text: str) -> None:
        examples = self._session.model.examples
        self._submit(self.batch.field, lambda: read_batch(text, examples), self._session.set_batch_size)

    def _apply_seed(self, text: str) -> None:
        self._submit(self.seed, lambda: read_seed(text), self._session.set_seed)

    def _pick_batch(self, text: str) -> None:
        self._apply_batch(text)
        self._finish()

    def _step_rate(self, direction: int) -> None:
        self._session.set_learning_rate(next_rate(self._session.document.learning_rate, direction))

    def _step_seed(self, direction: int) -> None:
        self._session.set_seed(max(0, self._session.document.seed + direction))

    def _step_batch(self, direction: int) -> None:
        """Go to the next usual size; above the largest stands "all"."""
        examples = self._session.model.examples
        sizes = [*(size for size in BATCHES if size < examples), examples]
        now = self._session.document.batch_size or examples
        beyond = [s for s in sizes if (s > now if direction > 0 else s < now)]
        if beyond:
            self._apply_batch(str(min(beyond) if direction > 0 else max(beyond)))

    def _finish(self) -> None:
        self.panel.hide()
        self.focus_back.emit()

    # --- room ---

    def _groups(self) -> dict[str, tuple[str, QWidget, int]]:
        """Return what stands in the row: its name in the panel, and the room before it."""
        return {
            "network": ("Network", self.network, 0),
            "data": ("Data", self.data, 0),
            "detail": ("Detail", self.detail, 4),
            "optimizer": ("Optimizer", self.optimizer, 4),
            "rate": ("Learning rate", self.rate, 0),
            "batch": ("Batch size", self.batch, 0),
            "seed": ("Seed", self.seeds, 0),
        }

    def _fit(self) -> None:
        """Show as much as there is room for: words of buttons go first, then endings, then some controls."""
        for wordy in (True, False):
            self.export.set_wordy(wordy)
            if self._width((), methodcaller("sizeHint")) <= self.width():
                self._hide(())
                return
        hidden = (self.GIVES_WAY[:count] for count in range(len(self.GIVES_WAY)))
        fitting = (some for some in hidden if self._width(some, comfortable_size) <= self.width())
        self._hide(next(fitting, self.GIVES_WAY))

    def _width(self, hidden: Sequence[str], size: Callable[[QWidget], QSize]) -> int:
        """Return the width that the row needs without `hidden`, where each part has this size."""
        groups = [(w, gap) for name, (_, w, gap) in self._groups().items() if name not in hidden]
        right = [(w, 0) for w in (*([self.more] if hidden else []), self.theme, self.export, self.help)]
        widths = [size(widget).width() + gap for widget, gap in groups + right]
        return sum(widths) + self._row.spacing() * (len(widths) + 1) + 20

    def _hide(self, hidden: tuple[str, ...]) -> None:
        if hidden != self._hidden:
            self._hidden = hidden
            self.panel.hide()
            self._fill()

    def _fill(self) -> None:
        """Put everything into the row or the panel anew, and order the tab key's way through."""
        while self._row.count():
            self._row.takeAt(0)
        groups = self._groups()
        for name, (_, widget, gap) in groups.items():
            if name not in self._hidden:
                if gap:
                    self._row.addSpacing(gap)
                self._row.addWidget(widget)
                widget.show()
        self._row.addStretch(1)
        self.panel.hold([groups[name][:2] for name in groups if name in self._hidden])
        for widget in (self.more, self.theme, self.export, self.help):
            self._row.addWidget(widget)
        self.more.setVisible(bool(self._hidden))
        self._order_tabs()

    def _order_tabs(self) -> None:
        inside = [self.network, self.data, *self.details.values(), self.optimizer, self.rate, self.batch]
        order = [*inside, self.seed, self.new_seed, self.more, self.theme, self.export, self.help]
        for before, after in pairwise(order):
            if before.window() is after.window():
                QWidget.setTabOrder(before, after)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(1280, HEIGHT + 15)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._width(self.GIVES_WAY, methodcaller("minimumSizeHint")), HEIGHT + 15)
