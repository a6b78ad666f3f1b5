"""The formula as text: typed, checked while it is typed, and the graph follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any, NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QActionGroup, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QSplitter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.errors import BackstepError, FormulaError, as_sentence, excerpt
from engine.graph import Kind
from engine.names import plain_name
from graphs.definition import Array, FileData, Network
from graphs.draft import Checked, Draft, Entry, check, wanted
from graphs.entries import Drawn, entry_text
from graphs.initial import Initial
from graphs.network import Model, with_values
from graphs.templates import BLANK, is_untouched, template, template_names
from gui.formula_rows import RowTable
from gui.formula_text import FormulaText
from gui.jobs import LatestTask
from gui.panel import Panel
from gui.preparing import SHORT, has_many_numbers, is_large
from gui.session import Session
from gui.theme import Theme, application_font
from gui.viewdata.formula import current_line, roles_of

PAUSE = 25
"""Milliseconds after the last key before the text is read."""
PATIENCE = 350
"""Milliseconds more before an error is shown that comes of a line being half typed."""
BURST = 2.0
"""Seconds within which one edit goes on with the last: they are one change in the history."""
WIDE, HIGH = 640, 300
"""Pixels: text and rows stand side by side in a panel so wide, or not so high."""
SHARES = (56, 44)
"""How text and rows share the width until somebody moves what parts them: a usual loss fits into a line."""
MOST_KEPT = 200_000
"""Characters of a text that cannot be read which a session's file keeps."""
MOST_ASIDE = 50
"""Texts that are kept for the networks that they were typed over."""
MOST_LOSSES = 24
"""Lines that are offered as the loss, the last ones."""
BEHIND = "The graph shows the last formula that could be read."
EDIT = "Edit formula"


class Aside(NamedTuple):
    """What was half typed over a network, and the values that had been given by hand there."""

    network: Network
    draft: Draft
    overrides: Mapping[str, Any]


class Sentence(QLabel):
    """What is to be said of the formula; a click on it goes to the place it speaks of."""

    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(application_font("small"))
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)  # or a third line would be squeezed into the room of two
        self.setSizePolicy(policy)

    def say(self, text: str, role: str = "small") -> None:
        """Show a sentence as "small" or "error"; none takes no room."""
        text = as_sentence(text)
        self.setText(text)
        self.setVisible(bool(text))
        self.setToolTip(text)
        if self.property("role") != role:
            self.setProperty("role", role)
            self.style().unpolish(self)
            self.style().polish(self)

    # Qt

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pressed.emit()


class FormulaPanel(Panel):
    """The formula's text beside a row for each of its names.

    The graph follows a short pause in typing. While the text cannot be read the last graph stays, and
    `remarked` says so for the window to show over it. Where another network takes the place of that graph,
    the text is laid aside, and is there again with it: after undo, after an exercise.
    """

    title = "Formula"
    object_name = "formula"

    read = Signal()  # the text has been read, and can be or not

    def __init__(self, session: Session, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(session, theme, parent)
        self.leaving: Callable[[Callable[[], object], str], object] = lambda then, _: then()
        self._draft = Draft.of(session.document.network)
        self._checked: Checked | None = None
        self._own: Network | None = None  # the network that the text has made, or was read from
        self._overrides: Mapping[str, Any] = {}
        self._coming: Network | None = None  # which the text has made, and the session has been given
        self._asides: list[Aside] = []  # the last one last
        self._is_quiet = False
        self._may_apply = False
        self._is_edited = False  # since the session's network was followed
        self._last = -BURST
        self._reader = LatestTask(self)
        self._place: tuple[int, int] | None = None
        self._is_moved = False  # what parts text and rows, by hand
        self._waiting: list[Callable[[], object]] = []  # what is done as soon as the text has been read
        self._unread: dict[str, str] = {}  # why what stands in a field is no value, by its name
        self._make_parts()
        self._pause = QTimer(self, singleShot=True, interval=PAUSE)
        self._pause.timeout.connect(self.check_now)
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE)
        self._patience.timeout.connect(self._show_error)
        self._connect()
        self.refresh_on(session.document_changed, session.frame_changed)

    def _make_parts(self) -> None:
        self.text = FormulaText(self.theme)
        self.text.setProperty("code", True)
        self.rows = RowTable(self.text)
        self.sentence = Sentence()
        self.sentence.setContentsMargins(12, 0, 12, 4)
        self.sentence.hide()
        self.loss = _menu_button("Loss")
        self.templates = _menu_button("Templates")
        self.templates.setMenu(self._make_menu())
        self.loss.setMenu(QMenu(self.loss))
        self.loss.menu().aboutToShow.connect(self._offer_losses)
        self._splitter = QSplitter(Qt.Orientation.Horizontal)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.setHandleWidth(1)
        self._splitter.addWidget(self._make_side())
        self._splitter.addWidget(self.rows)
        for place in (0, 1):
            self._splitter.setStretchFactor(place, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._splitter, 1)
        column.addWidget(self.sentence)

    def _make_side(self) -> QWidget:
        """Return the text with its buttons under it: the rows have the whole height."""
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 0, 8, 4)
        bar.addWidget(self.loss)
        bar.addStretch(1)
        bar.addWidget(self.templates)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.text, 1)
        column.addLayout(bar)
        return side

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        for name in template_names():
            action = menu.addAction(template(name).title)
            action.setToolTip(template(name).description)
            action.triggered.connect(lambda _=False, name=name: self.begin(name))
        menu.setToolTipsVisible(True)
        return menu

    def _offer_losses(self) -> None:
        """Offer the lines that may be the loss."""
        menu, checked = self.loss.menu(), self._checked
        menu.clear()
        group = QActionGroup(menu)
        for name in checked.losses[-MOST_LOSSES:] if checked is not None else ():
            action = menu.addAction(excerpt(plain_name(name), 40).replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(checked is not None and name == checked.loss)
            action.setActionGroup(group)
            action.triggered.connect(lambda _=False, name=name: self.choose_loss(name))

    def choose_loss(self, name: str) -> None:
        """Have another line be what training makes small."""
        if self._checked is None or name == self._checked.loss:
            return
        self._adopt(self._draft.with_loss(name))

    def _connect(self) -> None:
        self.text.textChanged.connect(self._take_text)
        self.text.left.connect(self.focus_back)
        self.session.preparing.changed.connect(self._go_on)
        self.text.refused.connect(self._refuse_text)
        self.text.undone_all.connect(self._undo)
        self.text.redone_all.connect(self._redo)
        self.sentence.pressed.connect(self._go_to_place)
        self.rows.given.connect(self._give)
        self.rows.sized.connect(self._size)
        self.rows.turned.connect(self._turn)
        self.rows.carried.connect(self._carry)
        self.rows.left.connect(self.focus_back)
        self._splitter.splitterMoved.connect(self._keep_shares)
        for part in (self.templates, self.loss, self.sentence):
            part.installEventFilter(self)

    def _keep_shares(self) -> None:
        self._is_moved = True

    # --- the session's side ---

    def refresh(self) -> None:
        """Follow the session's network, and mark the line of its step."""
        document = self.session.document
        if document.network is self._coming:
            self._own, self._overrides, self._coming = document.network, {}, None
        same_values = document.overrides is self._overrides or not (document.overrides or self._overrides)
        if document.network is not self._own or not same_values:
            self._follow()
        self._show_step()

    def _follow(self) -> None:
        """Show the session's network, unless it is the one that the text has just made."""
        document = self.session.document
        self._lay_aside(document.network)
        try:
            network = with_values(document.network, document.overrides, document.seed)
        except BackstepError:
            network = document.network
        text = document.network.formula.rstrip("\n")
        is_related = network.source is self._draft.base.source and self._own is not None
        is_same = is_related and document.network is self._own
        if not (is_same and self._is_edited):  # a value that was changed elsewhere leaves the text alone
            self._show_text(text, is_related and bool(self.unread))  # which would be lost
        memory = self._memory(network) if is_related else {}
        self._draft = Draft(network, self.text.toPlainText(), memory, self._draft.kinds if is_related else {})
        self._own, self._overrides = document.network, document.overrides
        self._may_apply = False
        if not is_related:
            self.rows.forget()
        self._take_again(document.network)
        self.check_now()

    @property
    def is_half_typed(self) -> bool:
        """Whether text and fields say something else than the open network, as they cannot be read."""
        own = self._own
        return own is not None and own is self.session.document.network and self._is_half_typed(own)

    def _lay_aside(self, network: Network) -> None:
        """Keep what is half typed where another network takes the place of the one it was typed over."""
        own = self._own
        if own is None or own is network or not self._is_half_typed(own):
            return
        if _is_same_text(self._draft.formula, network.formula):
            return  # the text has gone there, and the network follows
        self._asides = [aside for aside in self._asides if aside.network is not own][1 - MOST_ASIDE :]
        self._asides.append(Aside(own, self._draft, self._overrides))

    def _is_half_typed(self, own: Network) -> bool:
        """Say whether text or fields say something else than their network does."""
        checked = self._checked
        is_said = _is_same_text(self._draft.formula, own.formula)
        return self._is_edited and (not is_said or (checked is not None and checked.network is None))

    def _take_again(self, network: Network) -> None:
        """Have again what was half typed over this network."""
        aside = next((aside for aside in self._asides if aside.network is network), None)
        if aside is None:
            return
        self._asides.remove(aside)
        draft = aside.draft
        if aside.overrides is not self._overrides and (aside.overrides or self._overrides):
            draft = replace(draft, base=self._draft.base)  # with the values of now
        self._show_text(draft.formula, keep_history=False)
        self._draft = draft
        self._is_edited = self._may_apply = True

    def _show_text(self, text: str, keep_history: bool) -> None:
        self._is_edited = False
        if text != self.text.toPlainText():
            self._is_quiet = True
            self.text.put(text, keep_history)
            self._is_quiet = False

    def _memory(self, network: Network) -> dict[str, Entry]:
        """Return what was given for names that the network does not have: they may be typed again."""
        data = network.data
        names = set(data.names if isinstance(data, FileData) else data)
        own = {*network.parameters, *names}
        found = {n: _entry(v) for n, v in self._draft.base.parameters.items() if n not in own}
        return found | {n: e for n, e in self._draft.entries.items() if n not in own}

    def _show_step(self) -> None:
        text = self.session.document.network.formula.rstrip("\n")
        is_shown = not self._is_edited or text == self.text.toPlainText().rstrip("\n")
        self.text.set_step(current_line(self.session.frame) if is_shown else None)

    # --- the user's side ---

    @property
    def unread(self) -> str:
        """The text where the network is not the one that it says, since it cannot be read; else nothing."""
        text, network = self.text.toPlainText(), self.session.document.network
        is_here = network is self._own or network is self._coming  # else it was typed over another one
        is_said = _is_same_text(text, network.formula)
        return "" if is_said or not (is_here and self._is_edited) else text

    @property
    def typed(self) -> Checked | None:
        """What came of the text where the network is not the one that it says; None where it is."""
        checked = self._checked
        return checked if checked is not None and self._is_edited and checked.network is None else None

    @property
    def refused(self) -> tuple[str, ...]:
        """The names whose field holds a text that is no value: the network goes on with the one before."""
        return tuple(plain_name(name) for name in self._unread)

    def choices(self) -> dict[str, Any]:
        """Return the text that cannot be read, which is nowhere else."""
        text = self.unread
        return {"text": text} if 0 < len(text) <= MOST_KEPT else {}

    def choose_again(self, choices: Mapping[str, Any]) -> None:
        """Have the text again that could not be read."""
        text = choices.get("text")
        if isinstance(text, str) and 0 < len(text) <= MOST_KEPT:
            self._is_stale = True
            self.make_up()
            self.text.put(text, True)

    def begin(self, name: str = BLANK) -> None:
        """Open a template, ready to be typed over."""
        other = "a new network" if name == BLANK else f"the template {template(name).title}"
        self.leaving(lambda: self._begin(name), other)

    def _begin(self, name: str) -> None:
        self.session.open_network(template(name))
        self._is_stale = True
        self.make_up()
        self.focus_text()
        self.text.selectAll()

    def focus_text(self) -> None:
        """Let the user type."""
        self.text.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _take_text(self) -> None:
        if self._is_quiet or self.text.toPlainText() == self._draft.formula:
            return  # colours are changes of the text for Qt, not for anybody else
        self._is_edited = self._may_apply = True
        self._draft = self._draft.with_formula(self.text.toPlainText())
        self._reader.cancel()
        if self.session.preparing.what == EDIT:  # of a text that has changed
            self.session.preparing.cancel()
        self._patience.stop()
        self.text.set_step(None)
        self._pause.start()

    def _undo(self) -> None:
        self.when_read(self.session.undo)

    def _redo(self) -> None:
        self.when_read(self.session.redo)

    def _refuse_text(self, sentence: str) -> None:
        self._place = None
        self.sentence.say(sentence, "error")

    def _give(self, name: str, text: str) -> None:
        kind = next((row.kind for row in self.rows.rows if row.name == name), Kind.PARAMETER)
        seed = self.session.document.seed
        self._change(
            name, lambda: self._draft.with_entry(name, text, wanted(self._draft, name, seed=seed), kind)
        )

    def _size(self, name: str, text: str) -> None:
        self._change(f"[{name}]", lambda: self._draft.with_dimension(name, text))

    def _turn(self, name: str) -> None:
        row = next(row for row in self.rows.rows if row.name == name)
        other = Kind.INPUT if row.kind == Kind.PARAMETER else Kind.PARAMETER
        self._change(name, lambda: self._draft.with_kind(name, other))

    def _carry(self, old: str, new: str) -> None:
        self._change(new, lambda: self._draft.carried(old, new))

    def _change(self, name: str, make: Callable[[], Draft]) -> None:
        """Adopt another draft, or say under the field why not and mark it."""
        try:
            draft = make()
        except BackstepError as error:
            self._unread[name] = as_sentence(error)
            self.rows.fields[name].refuse()
            self._show_faults()
            return
        self._unread.pop(name, None)
        self._adopt(draft)

    def _adopt(self, draft: Draft) -> None:
        self._draft = draft
        self._is_edited = self._may_apply = True
        self.check_now()

    def _show_faults(self) -> None:
        """Say under each field what is wrong with its value."""
        fields = self.rows.fields
        self._unread = {n: said for n, said in self._unread.items() if n in fields and fields[n].is_refused}
        faults = self._checked.faults if self._checked is not None else {}
        self.rows.complain({**faults, **self._unread})

    # --- reading ---

    def check_now(self) -> None:
        """Read the text as it stands."""
        self._pause.stop()
        self._reader.cancel()
        self._check()

    def _check(self) -> None:
        draft, seed = self._draft, self.session.document.seed
        if len(draft.formula) <= SHORT and not has_many_numbers(draft.base):
            self._take(check(draft, seed=seed))
            return

        def work() -> Iterator[Checked]:
            yield check(draft, seed=seed)

        self._reader.run(work, self._take, self._fail_reading, self._go_on)
        self.sentence.say("Reading the formula…")

    def _fail_reading(self, sentence: str) -> None:
        self._refuse_text(sentence)
        self._go_on()

    @property
    def is_reading(self) -> bool:
        """Whether the graph may still follow what was typed."""
        is_checked = not self._pause.isActive() and not self._reader.running
        return not is_checked or self.session.preparing.what == EDIT

    def when_read(self, then: Callable[[], object]) -> None:
        """Do something with all that has been typed in use: at once, or when a long text has been read."""
        if self._pause.isActive():
            self.check_now()
        self._show_error_now()
        self._waiting.append(then)
        self._go_on()

    def _go_on(self) -> None:
        if self.is_reading:
            return
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then()

    def settle(self) -> None:
        """Read the text now, have its network open, and show what is wrong with it."""
        if self._pause.isActive():
            self.check_now()
        self._reader.finish()
        self.session.preparing.finish()
        self._show_error_now()

    def _show_error_now(self) -> None:
        if self._patience.isActive():
            self._patience.stop()
            self._show_error()

    def _take(self, checked: Checked) -> None:
        """Show what came of the text, unless it has changed since."""
        if checked.draft is not self._draft:
            return
        was_wrong = self._checked is not None and self._checked.error is not None and self._place is not None
        self._checked = checked
        if checked.names and (self._is_edited or not is_untouched(self._draft.base)):
            self._draft = self._draft.having_read(checked.names)
        draft = self._draft
        if checked.network is not None and self._may_apply:
            self._apply(checked.network, checked.model)
        if self._draft is not draft:
            return  # another network is shown, and has been read by now
        self._show_names(checked)
        if checked.error is None or was_wrong or not self._is_edited:
            self._show_error()
        else:
            self._patience.start()
        self.remarked.emit(BEHIND if checked.network is None and self._is_edited else "")
        self._show_step()
        self.read.emit()
        self._go_on()

    def _apply(self, network: Network, model: Model | None) -> None:
        """Make the session's network the one that was typed."""
        document = self.session.document
        if not document.overrides and _is_like(network, document.network):
            return
        if self._goes_back(network):
            return
        if model is not None and model.seed != document.seed:
            model = None
        now = perf_counter()
        goes_on = now - self._last < BURST and document.network is self._own
        self._coming = network
        self.session.set_network(network, EDIT, overrides={}, model=model, merge=goes_on)
        self._last = now

    def _goes_back(self, network: Network) -> bool:
        """Undo or redo an edit whose text stands here again, so that text and window take back the same."""
        past = self.session.past
        for entries, go in ((past.back, self.session.undo), (past.forth, self.session.redo)):
            moment = entries[-1].moment if entries and entries[-1].what == EDIT else None
            if moment is None or moment.document.overrides or is_large(moment.document, moment.model):
                continue
            known = moment.document.network
            if known.formula.rstrip("\n") == self.text.toPlainText() and _is_like(network, known):
                go()
                return True
        return False

    def _show_names(self, checked: Checked) -> None:
        if checked.rows or checked.error is None:
            self.rows.show_rows(checked.rows, checked.sizes)
            kinds = {row.name: row.kind.value for row in checked.rows}
            self.text.set_roles(roles_of(checked.lines, kinds))
        self._show_faults()
        if checked.loss:
            self.loss.setText(f"Loss: {excerpt(plain_name(checked.loss), 14)}")
            self.loss.setToolTip(
                f"{checked.loss} is the loss: what training makes small. Choose another line."
            )

    def _show_error(self) -> None:
        checked = self._checked
        if checked is None:
            return
        error = checked.error
        self._place = (error.line, error.column) if isinstance(error, FormulaError) else None
        self.text.set_error(*(self._place or (0, 0)))
        said = checked.sentence() or " ".join(checked.notices)
        if (error is not None or checked.waiting) and self._is_edited:
            said = f"{said} {BEHIND}"
        self.sentence.say(said, "error" if error is not None else "small")

    def _go_to_place(self) -> None:
        if self._place is not None:
            self.text.go_to(*self._place)

    # --- look ---

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self.text.set_theme(theme)
        super().set_theme(theme)

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and event.key() == Qt.Key.Key_Escape:  # type: ignore[attr-defined]
            self.focus_back.emit()
            return True
        return super().eventFilter(watched, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        is_beside = self.width() >= WIDE or self.height() < HIGH
        way = Qt.Orientation.Horizontal if is_beside else Qt.Orientation.Vertical
        if self._splitter.orientation() != way:
            self._splitter.setOrientation(way)
            self._is_moved = False
        if not self._is_moved:
            self._splitter.setSizes([10 * share for share in (SHARES if is_beside else (50, 50))])
        super().resizeEvent(event)


def _is_same_text(a: str, b: str) -> bool:
    return a.rstrip("\n") == b.rstrip("\n")


def _menu_button(text: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button


def _entry(value: Array | Initial) -> Entry:
    """Return a value of a network as if it had been typed."""
    found = Drawn(value.init, value.shape) if isinstance(value, Initial) else value
    return Entry(entry_text(found), found)


def _is_like(a: Network, b: Network) -> bool:
    """Say whether two networks say the same."""
    if a.formula.rstrip("\n") != b.formula.rstrip("\n") or a.loss != b.loss or a.dimensions != b.dimensions:
        return False
    if isinstance(a.data, FileData) or isinstance(b.data, FileData):
        return a.data == b.data and _values_like(a.parameters, b.parameters)
    return _values_like(a.data, b.data) and _values_like(a.parameters, b.parameters)


def _values_like(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    return list(a) == list(b) and all(_is_same(a[name], b[name]) for name in a)


def _is_same(a: Any, b: Any) -> bool:
    if isinstance(a, Initial) or isinstance(b, Initial):
        return a == b if isinstance(a, Initial) and isinstance(b, Initial) else False
    return a is b or (a.shape == b.shape and a.tobytes() == b.tobytes())
