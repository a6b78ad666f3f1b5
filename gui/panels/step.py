"""The panel *This step*: one sentence, the equation with its numbers, and the matrices of the product."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from gui.equation_cache import EquationCache
from gui.equations import plain_source
from gui.formulas import FormulaBlock, inline_fractions, with_air
from gui.labels import words_label
from gui.links import LinkedFormula
from gui.nudge_box import NudgeBox
from gui.panel import Panel, scrolled
from gui.product import ProductStrip
from gui.session import Session
from gui.step_words import more_html, numbers_html, result_html, shapes_html, short_html
from gui.theme import Theme, application_font, strong
from gui.viewdata import Statics, StepView, nudge_view, step_view, symbols_of

PREFETCHED = 200
"""Networks with more nodes than this have their equations set when they are shown, not ahead of time."""

TWO_BUTTONS_FROM = 280
ALL_BUTTONS_FROM = 352
"""Narrower than this, the statement for NumPy is copied by the menu of the button beside."""


class StepPanel(Panel):
    """What happens in this step, said in words, in symbols, in numbers and in matrices."""

    title = "This step"
    object_name = "step"

    def __init__(
        self,
        session: Session,
        theme: Theme,
        parent: QWidget | None = None,
        cache: EquationCache | None = None,
    ) -> None:
        super().__init__(session, theme, parent)
        self._cache = cache or EquationCache(self)
        self._view = StepView("start", "")
        self._make_parts()
        self._arrange()
        self.strip.entry_chosen.connect(session.set_entry)
        self.nudge_box.epsilon_chosen.connect(session.set_epsilon)
        self.nudge_box.closed.connect(session.end_nudge)
        for part in (self.equation, self.strip):
            part.pointed.connect(session.hover)
        session.hover_changed.connect(self._mark)
        self.nudge_button.clicked.connect(session.nudge_test)
        self.latex_button.clicked.connect(self.copy_latex)
        self.code_button.clicked.connect(self.copy_code)
        session.graph_changed.connect(self._prefetch)
        self.refresh_on(session.frame_changed)
        self._prefetch()

    def refresh(self) -> None:
        """Show the step that the session stands after."""
        view = self._view = step_view(self.session.frame)
        self.nudge_box.set_view(nudge_view(self.session.frame))
        self._sentence.setText(view.sentence)
        self._show_words(view)
        symbols = symbols_of(self.session.statics)
        self.equation.set_symbols(symbols)
        self.strip.set_symbols(symbols)
        self.equation.set_latex(with_air(view.equation))
        self.strip.set_parts(view.matrices, view.index)
        self._show_numbers(view)
        for part, shown in (
            (self.equation, view.equation),
            (self.strip, view.matrices),
            (self._shapes, view.shapes),
            (self._entry, view.entry),
            (self._buttons, view.phase != "start"),
            (self._hint, view.phase == "start"),
        ):
            part.setVisible(bool(shown))
        self.latex_button.setEnabled(bool(view.latex))
        self.code_button.setEnabled(bool(view.code))

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        for part in (self.equation, self.strip, self._numbers_formula, self.nudge_box):
            part.set_theme(theme)
        super().set_theme(theme)

    def copy_latex(self) -> None:
        """Put the equation's LaTeX onto the clipboard."""
        self.put(plain_source(self._view.latex), "the equation as LaTeX")

    def copy_code(self) -> None:
        """Put the step's NumPy statement onto the clipboard."""
        self.put(self._view.code, "the step as NumPy")

    def _mark(self) -> None:
        """Mark what is pointed at, here or in another panel."""
        for part in (self.equation, self.strip):
            part.set_linked(self.session.hovered)

    def _show_words(self, view: StepView) -> None:
        self._more.setText(more_html(view, self.theme))
        self._more.setVisible(bool(view.more))
        self._shapes.setText(shapes_html(view.shapes, self.theme))
        self._entry.setText(view.entry)

    def _show_numbers(self, view: StepView) -> None:
        """Show the numbers put in and what they come to, as text where there is text for it."""
        numbers, short = numbers_html(view), short_html(view)
        result = result_html(view, self.theme)
        self._numbers.setText(numbers or "")
        self._numbers.setVisible(bool(numbers))
        self._numbers_formula.set_latex(view.numbers if numbers is None else "")
        self._numbers_formula.setVisible(numbers is None)
        self._short.setText(short or "")
        self._short.setVisible(bool(short))
        self._result.setText(result)
        self._result.setVisible(bool(result))

    def _prefetch(self) -> None:
        """Have all equations of the network set before they are asked for."""
        statics = self.session.statics
        if len(statics.names) <= PREFETCHED:
            self._cache.plan(self.object_name, _formulas(statics))

    # Parts

    def _make_parts(self) -> None:
        self.nudge_box = NudgeBox(self.theme)
        self.nudge_box.hide()
        self._sentence = _label("title")
        self._more = _label("muted")
        self.equation = LinkedFormula(self.theme, 19.0, self._cache)
        self.strip = ProductStrip(self.theme)
        self._shapes = _label("muted")
        self._entry = _label("muted")
        self._numbers = _label("")
        self._numbers_formula = FormulaBlock(self.theme, 15.0)
        self._short = _label("")
        self._result = _label("")
        self._hint = _label("muted")
        self._hint.setText(f"Press {strong('→')} to compute the first line, or {strong('Space')} to play.")
        self._numbers.setAccessibleName("numbers put in")
        self._short.setAccessibleName("numbers put in, in short")
        self._result.setAccessibleName("result")
        self.nudge_button = QPushButton("Nudge test  G")
        self.nudge_button.setToolTip("Change one number a little, and compare how the loss answers (G)")
        self.latex_button = QPushButton("Copy as LaTeX")
        self.code_button = QPushButton("NumPy")
        self.code_button.setToolTip("Copy as NumPy")
        self.code_button.setAccessibleName("Copy as NumPy")
        self.latex_button.addAction("Copy as NumPy").triggered.connect(self.copy_code)
        self.latex_button.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)

    def _arrange(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(14, 4, 14, 12)
        column.setSpacing(6)
        for part in (self.nudge_box, self._sentence, self._more, self._hint):
            column.addWidget(part)
        column.addSpacing(2)
        # the lines of the equation stand together; the matrices, which may be tall, come after them
        for part in (
            self.equation,
            self._entry,
            self._numbers,
            self._numbers_formula,
            self._short,
            self._result,
        ):
            column.addWidget(part)
        column.addWidget(self.strip)
        column.addWidget(self._shapes)
        self._buttons = self._button_row()
        column.addWidget(self._buttons)
        column.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(content))

    def _button_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(7)
        for button in (self.nudge_button, self.latex_button, self.code_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            layout.addWidget(button)
        layout.addStretch(1)
        return row

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.code_button.setVisible(event.size().width() >= ALL_BUTTONS_FROM)
        self.latex_button.setVisible(event.size().width() >= TWO_BUTTONS_FROM)
        super().resizeEvent(event)


def _label(role: str) -> QLabel:
    kind = Qt.TextFormat.PlainText if role == "title" else Qt.TextFormat.RichText
    label = words_label(role, kind, is_selectable=True)
    if role == "title":
        label.setFont(application_font("title"))
    return label


def _formulas(statics: Statics) -> Iterator[str]:
    """Yield the formulas of every step, in the order of the steps."""
    derivation = statics.derivation
    for name in statics.names:
        if statics.graph[name].op is not None:
            yield derivation.forward_latex(name)
        yield derivation.name_latex(name)
    for _, node, slot in reversed(statics.edges):
        found = statics.backward(node, slot)
        if found is not None:
            yield with_air(found.coloured)
            yield found.contribution.factor.latex
    for name in statics.names:
        yield inline_fractions(derivation.gradient_latex(name))
