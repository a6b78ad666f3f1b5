"""The inspector: one node or edge looked at closely, every entry of it readable."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from graphs.views.numbers import full
from gui.formulas import FormulaBlock
from gui.labels import words_label
from gui.matrices import MatrixWidget, as_latex, as_numpy
from gui.matrix_editor import EditableMatrix, shapes_differ
from gui.panel import Panel
from gui.session import Session
from gui.theme import Theme, application_font
from gui.viewdata import (
    Array,
    InspectorView,
    Link,
    changeable,
    file_unit,
    inspector_view,
    is_standardised,
    step_view,
)

VALUE, GRADIENT, STATISTICS = range(3)
TABS = ("Value", "Gradient", "Statistics")
FUTURE = {
    VALUE: "Its value has not been computed yet.",
    GRADIENT: "Its gradient has not been computed yet.",
    STATISTICS: "There are no numbers yet.",
}
HEADING = 0.32
"""The share of the panel's height that the formula may take."""
LOW = 190
"""Pixels of height below which the room is the numbers': the matrix's menu copies as the buttons do."""
ROUNDING = "mere rounding of zero"
NOTHING = "Nothing is selected: click a node or an edge of the graph."


class InspectorPanel(Panel):
    """What is selected, or with nothing selected what the current step changes."""

    title = "Inspector"
    object_name = "inspector"

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self._view: InspectorView | None = None
        self._phase = ""
        self._name = ""  # of the node whose numbers are shown
        self._waiting: dict[str, Array] = {}  # pasted data of another size, until all have it
        self._make_parts()
        self._arrange()
        self.tabs.currentChanged.connect(self._show_tab)
        for matrix in (self.value_matrix, self.gradient_matrix, self.contribution_matrix):
            matrix.cell_selected.connect(self._choose)
            matrix.pointed.connect(lambda cell, matrix=matrix: self._point(matrix, cell))
        self.value_matrix.changed.connect(self._take)
        self.value_matrix.pasted.connect(self._take_block)
        self.value_matrix.scrubbed.connect(self._scrub)
        self.value_matrix.scrub_ended.connect(session.end_scrub)
        self.value_matrix.said.connect(self._say)
        self.numpy_button.clicked.connect(self.copy_numpy)
        self.latex_button.clicked.connect(self.copy_latex)
        session.hover_changed.connect(self._mark)
        session.selection_changed.connect(self._say_waiting)
        session.document_changed.connect(self._waiting.clear)
        self.refresh_on(session.frame_changed, session.selection_changed)

    def refresh(self) -> None:
        """Show the selection at the place where the session stands."""
        view = self._view = inspector_view(self.session.frame, self.session.selection)
        self._follow_phase()
        self._show_heading(view)
        if view is not None:
            self._show_value(view)
            self._show_gradient(view)
            self._show_facts(view)
        for part in (self.tabs, self._stack):
            part.setVisible(view is not None)
        self._show_tab()
        self._mark()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        matrices = (self.value_matrix, self.gradient_matrix, self.contribution_matrix)
        for part in (self.heading, *matrices):
            part.set_theme(theme)
        super().set_theme(theme)

    def shown_array(self) -> Array | None:
        """Return the numbers of the tab that is open, None where there are none."""
        view = self._view
        if view is None:
            return None
        if self.tabs.currentIndex() == GRADIENT:
            return view.contribution if view.contribution is not None else view.gradient
        return view.value

    def copy_numpy(self) -> None:
        """Put what is shown onto the clipboard as NumPy source."""
        array = self.shown_array()
        if array is not None:
            self.put(as_numpy(array), "the numbers as NumPy")

    def copy_latex(self) -> None:
        """Put what is shown onto the clipboard as LaTeX."""
        array = self.shown_array()
        if array is not None:
            self.put(as_latex(array), "the numbers as LaTeX")

    def edit(
        self, entry: tuple[int, ...] | None = None, text: str | None = None, back: QWidget | None = None
    ) -> None:
        """Open a number of the value for editing: the entry given, else the marked one, else the first.

        Parameters
        ----------
        text
            What has been typed already.
        back
            What has the keys afterwards, where that is not the matrix.
        """
        self.tabs.setCurrentIndex(VALUE)
        row, column = (0, 0, *entry)[-2:] if entry is not None else self.value_matrix.selected or (0, 0)
        if self.shown_array() is not None:
            self.value_matrix.edit_cell(row, column, text, back)

    # Pointing

    def _point(self, matrix: MatrixWidget, cell: tuple[int, int] | None) -> None:
        """Tell all panels which entry the mouse is at."""
        part = "value" if matrix is self.value_matrix else "gradient"
        entry = None if cell is None else cell[2 - matrix.array.ndim :]
        self.session.hover(None if cell is None else Link(self._name, entry or None, part))

    def _mark(self) -> None:
        """Mark what the mouse is at, here or in another panel."""
        link = self.session.hovered
        for matrix in (self.value_matrix, self.gradient_matrix, self.contribution_matrix):
            part = "value" if matrix is self.value_matrix else "gradient"
            if link is None or (link.name, link.part) != (self._name, part):
                matrix.set_linked(None)
            elif not link.entry or len(link.entry) != matrix.array.ndim:  # all of it, or a scalar
                matrix.set_linked(None, is_whole=True)
            else:
                row, column = (0, *link.entry)[-2:]
                matrix.set_linked((row, column))

    # Changing

    def _take(self, array: Array, place: str) -> None:
        """Put the numbers that were typed or pasted into use."""
        name, _ = changeable(self.session.frame, self.session.selection)
        self._waiting.clear()
        self._hold(name)
        self.session.edit(name, array, f"Change {name}{place}")

    def _scrub(self, index: tuple[int, ...], number: float) -> None:
        name, _ = changeable(self.session.frame, self.session.selection)
        if not self.session.is_scrubbing:
            self._hold(name)
        self.session.scrub(name, index, number)

    def _hold(self, name: str) -> None:
        """Select what is changed: what the step is about may be another thing afterwards."""
        if self.session.selection is None:
            self.session.select(name)

    def _take_block(self, block: Array) -> None:
        """Take data of another number of examples as soon as all of them have it; nothing else fits."""
        name, _ = changeable(self.session.frame, self.session.selection)
        model = self.session.model
        shape = model.leaves[name].shape
        is_data = name in model.inputs and len(shape) == 2 and block.shape[0] == shape[0]
        if not is_data or shape[1] != model.examples:
            self._say(shapes_differ(name, self.session.frame.values[name].shape, block))
            return
        waiting = {n: a for n, a in self._waiting.items() if a.shape[1] == block.shape[1]}
        self._waiting.clear()
        self._waiting.update(waiting)
        self._waiting[name] = block
        waiting = self._waiting
        others = [n for n, a in model.inputs.items() if a.ndim == 2 and a.shape[1] == model.examples]
        if all(n in waiting for n in others):
            self.session.set_values({**waiting}, f"Change {' and '.join(waiting)}")
        self._say_waiting()

    def _say_waiting(self) -> None:
        """Say which data are still wanted before those that were pasted are taken."""
        waiting = self._waiting
        missing = [n for n, a in self.session.model.inputs.items() if a.ndim == 2 and n not in waiting]
        if not waiting or not missing:
            self._say("")
            return
        count, have = next(iter(waiting.values())).shape[1], "has" if len(missing) == 1 else "have"
        kept = f"{' and '.join(waiting)} {'is' if len(waiting) == 1 else 'are'}"
        self._say(f"{kept} kept until {' and '.join(missing)} {have} {count} examples too: paste them there.")

    def _say(self, sentence: str) -> None:
        self._message.setText(sentence)
        self._message.setVisible(bool(sentence))
        self._show_readout()

    # Showing

    def _follow_phase(self) -> None:
        """Open the tab of the phase when it changes, as long as nothing is selected."""
        phase = self.session.frame.phase
        if phase != self._phase and self.session.selection is None:
            self.tabs.setCurrentIndex(GRADIENT if phase in ("seed", "backward") else VALUE)
        self._phase = phase

    def _show_heading(self, view: InspectorView | None) -> None:
        self.heading.set_latex(view.heading if view else "")
        self._edge.setText(f"edge {view.name}" if view and view.kind == "edge" else NOTHING)
        self._edge.setVisible(view is None or view.kind == "edge")
        self._what.setVisible(view is not None)
        if view is None:
            return
        dims = f" ({view.dims})" if view.dims else ""
        kind = f"{view.kind} · " if view.kind in ("parameter", "input") else ""
        self._what.setText(f"{kind}{view.shape}{dims}")

    def _show_value(self, view: InspectorView) -> None:
        self._name, refusal = changeable(self.session.frame, self.session.selection)
        self.value_matrix.set_editing(self._name, refusal)
        notes = [axes_note(view), "standardised" if is_standardised(self.session.frame, view.name) else ""]
        is_noise = "value" in view.noise
        notes.append(ROUNDING if is_noise else "")
        _fill(self.value_matrix, view.value, "forward", " · ".join(filter(None, notes)), is_noise)
        self._value_note.setText("" if view.value is not None else view.value_note or FUTURE[VALUE])
        self._value_note.setVisible(view.value is None)

    def _show_gradient(self, view: InspectorView) -> None:
        is_noise = "gradient" in view.noise
        note = " · ".join(filter(None, (axes_note(view), ROUNDING if is_noise else "")))
        _fill(self.contribution_matrix, view.contribution, "backward", note, is_noise)
        _fill(self.gradient_matrix, view.gradient, "backward", note, is_noise)
        note = view.gradient_note or ("" if view.gradient is not None else FUTURE[GRADIENT])
        self._gradient_note.setText(note)
        self._gradient_note.setVisible(bool(note))
        several = view.contribution is not None
        self._contribution_label.setVisible(several)
        self._whole_label.setVisible(several and view.gradient is not None)

    def _show_facts(self, view: InspectorView) -> None:
        """Put the facts into the rows that are there, and make or hide rows where their number differs."""
        while len(self._rows) < len(view.facts):
            self._rows.append(_fact_row(self._facts))
        for i, (name, number) in enumerate(self._rows):
            shown = i < len(view.facts)
            self._facts.setRowVisible(i, shown)
            if shown:
                name.setText(view.facts[i][0])
                number.setText(view.facts[i][1])
        self._facts_note.setText(view.value_note or FUTURE[STATISTICS])
        self._facts_note.setVisible(not view.facts)

    def _show_tab(self) -> None:
        if self.tabs.currentIndex() != VALUE:
            self.value_matrix.close_field()
            self._say("")
        self._stack.setCurrentIndex(self.tabs.currentIndex())
        shown = self.shown_array()
        on_numbers = self.tabs.currentIndex() != STATISTICS
        self._buttons.setVisible(shown is not None and on_numbers and self.height() >= LOW)
        self._show_readout()

    def _show_readout(self) -> None:
        """Show the marked entry, or the one number of a scalar, in full."""
        array, matrix, view = self.shown_array(), self._matrix(), self._view
        for each in (self.value_matrix, self.gradient_matrix, self.contribution_matrix):
            each.is_read_out = each is matrix
        text = ""
        if array is not None and array.ndim == 0:
            text = full(float(array))
        elif array is not None and matrix.selected is not None:
            unit = file_unit(self.session.frame, view.name, matrix.selected) if view is not None else ""
            text = f"{matrix.cell_text(*matrix.selected)}{unit}"
        self._readout.setText(text)
        on_numbers = self.tabs.currentIndex() != STATISTICS
        self._readout.setVisible(bool(text) and on_numbers and self._message.isHidden())

    def _matrix(self) -> MatrixWidget:
        """Return the matrix of the tab that is open."""
        if self.tabs.currentIndex() == VALUE or self._view is None:
            return self.value_matrix
        return self.gradient_matrix if self._view.contribution is None else self.contribution_matrix

    def _choose(self, row: int, column: int) -> None:
        """Put the numbers of this cell into the equation, where it is one of the result's."""
        self._show_readout()
        array, step = self.shown_array(), step_view(self.session.frame)
        name, _ = changeable(self.session.frame, self.session.selection)
        if array is not None and array.ndim <= 2:
            self.session.pick(name, (row, column)[2 - array.ndim :])
        result = next((part for part in step.matrices if not isinstance(part, str)), None)
        if array is not None and result is not None and result.array.shape == array.shape and array.ndim:
            self.session.set_entry((row, column)[2 - array.ndim :])

    # Parts

    def _make_parts(self) -> None:
        self.heading = FormulaBlock(self.theme, 18.0)
        self._what, self._edge, self._readout = _words("muted"), _words("muted"), _words("")
        self._what.setWordWrap(False)
        self._readout.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._readout.setAccessibleName("marked entry")
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setStyleSheet("QTabBar::tab:first { margin-left: 0 }")  # in line with what is above
        self.tabs.setAccessibleName("what to inspect")
        for text in TABS:
            self.tabs.addTab(text)
        self.value_matrix = EditableMatrix(self.theme)
        self._message = _words("error")
        self._message.setAccessibleName("message about the numbers")
        self._message.hide()
        self.gradient_matrix = MatrixWidget(self.theme)
        self.contribution_matrix = MatrixWidget(self.theme)
        for matrix in (self.value_matrix, self.gradient_matrix, self.contribution_matrix):
            matrix.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._value_note, self._gradient_note, self._facts_note = (_words("muted") for _ in range(3))
        self._contribution_label, self._whole_label = _words("small"), _words("small")
        self._contribution_label.setText("What flowed back along this edge")
        self._whole_label.setText("The whole gradient so far")
        self.numpy_button, self.latex_button = QPushButton("Copy as NumPy"), QPushButton("Copy as LaTeX")
        self._rows: list[tuple[QLabel, QLabel]] = []

    def _arrange(self) -> None:
        self._stack = QStackedWidget()
        self._stack.addWidget(_page(self._value_note, self.value_matrix))
        self._stack.addWidget(
            _page(
                self._gradient_note,
                self._contribution_label,
                self.contribution_matrix,
                self._whole_label,
                self.gradient_matrix,
            )
        )
        self._stack.addWidget(self._facts_page())
        self._stack.setMinimumHeight(1)  # it scrolls: in a low panel nothing is squeezed into anything else
        column = QVBoxLayout(self)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        column.setContentsMargins(14, 2, 14, 6)
        column.setSpacing(3)
        top = QHBoxLayout()
        top.addWidget(self.heading, 1)
        top.addWidget(self._what)
        column.addLayout(top)
        column.addWidget(self._edge)
        column.addWidget(self.tabs)
        column.addWidget(self._stack, 1)
        column.addWidget(self._message)
        column.addWidget(self._readout)
        self._buttons = self._button_row()
        column.addWidget(self._buttons)

    def _facts_page(self) -> QWidget:
        page = QWidget()
        self._facts = QFormLayout(page)
        self._facts.setContentsMargins(0, 6, 0, 0)
        self._facts.setHorizontalSpacing(18)
        self._facts.setVerticalSpacing(5)
        self._facts.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        holder = _page(self._facts_note, page)
        return holder

    def _button_row(self) -> QWidget:
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 2, 0, 0)
        layout.setSpacing(7)
        for button in (self.numpy_button, self.latex_button):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            layout.addWidget(button)
        layout.addStretch(1)
        return row

    # Qt

    def minimumSizeHint(self) -> QSize:
        return QSize(150, 130)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.heading.set_most_height(event.size().height() * HEADING)
        if (event.size().height() < LOW) != (event.oldSize().height() < LOW):
            self._show_tab()
        both = self.numpy_button.sizeHint().width() + self.latex_button.sizeHint().width() + 40
        self.latex_button.setVisible(event.size().width() >= both)  # the matrix's menu has it too


def _fill(matrix: MatrixWidget, array: Array | None, role: str, note: str, is_noise: bool) -> None:
    """Show an array, or no matrix where there is none; what is mere rounding looks as zeros do."""
    matrix.setVisible(array is not None)
    if array is not None:
        matrix.set_matrix(array, role, note, 0.0 if is_noise else None)


def axes_note(view: InspectorView) -> str:
    """Say which way the examples run, "" where there are none."""
    if view.axes[1] == "examples":
        return "examples run across"
    return "examples run down" if view.axes[0] == "examples" else ""


def _fact_row(form: QFormLayout) -> tuple[QLabel, QLabel]:
    name, number = _words("muted"), _words("")
    name.setWordWrap(False)
    number.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    form.addRow(name, number)
    return name, number


def _words(role: str) -> QLabel:
    label = words_label(role)
    if role == "small":
        label.setFont(application_font("small"))
    return label


def _page(*parts: QWidget) -> QWidget:
    """Return a page that scrolls where it is too high."""
    content = QWidget()
    column = QVBoxLayout(content)
    column.setContentsMargins(0, 3, 0, 0)
    column.setSpacing(5)
    for part in parts:
        column.addWidget(part)
    column.addStretch(1)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(content)
    return area
