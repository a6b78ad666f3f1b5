"""The export card: format, steps, look, and at once what comes of them; Enter writes it.

It lies over the window and is no dialog. Nothing is written until Export, which says first
where a file exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from engine.errors import BackstepError, UsageError, as_sentence
from engine.graph import Detail
from graphs.documents import Options
from graphs.documents import formats as documents
from graphs.exporting import Job, Look, kinds, planned, positions_of
from graphs.snapshot import Snapshot
from gui.clipboard import ready
from gui.export import SUBJECTS
from gui.exporter import Exporter
from gui.fields import ENTER, PushButton
from gui.jobs import Task
from gui.overlay import Overlay
from gui.painting import Answer, Encoded, Encoding, Order, Painting, Shown, Standing, Work, painter
from gui.pictures import formats as pictures
from gui.session import Session
from gui.settings import Settings
from gui.theme import THEMES, Theme, application_font, code_font
from gui.viewdata.exporting import STEPS, Wanted, groups, said, suggested, taken

if TYPE_CHECKING:
    from gui.window import Window

__all__ = ["ExportChoice"]

MARGIN, LARGEST = 20, (1120, 760)
LEFT = 330
SOON = 60  # ms after the last change until the preview follows
MOST_SHOWN = 20_000  # characters of a document


class ExportChoice(Overlay):
    """Choose what is written, and write it.

    Parameters
    ----------
    session
        What is exported, at its place.
    settings
        Where the last choice and folder are remembered.
    window
        The session's window, for its own picture.

    Signals
    -------
    written(str)
        Files have been written: what to say.
    browse_requested(str)
        The user wants to choose a folder and a name; the name so far.
    """

    written = Signal(str)
    browse_requested = Signal(str)

    def __init__(self, session: Session, settings: Settings, theme: Theme, window: Window) -> None:
        super().__init__(theme, window)
        self._session = session
        self._settings = settings
        self._window = window
        self._wanted = self._first_choice()
        self._is_named = False  # whether the user has typed a name
        self._jobs: list[Job] = []
        self._twin: Session | None = None
        self._exporter: Exporter | None = None
        self._task: Task | None = None
        self._copying: Task | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON)
        self._soon.timeout.connect(self._show_preview)
        self._make()
        self._arrange()
        self._changed()
        session.document_changed.connect(self.close)

    # --- facts, for whoever looks ---

    @property
    def wanted(self) -> Wanted:
        """What is chosen."""
        return self._wanted

    @property
    def is_busy(self) -> bool:
        """Whether files are being written, or a preview is on its way."""
        writes = self._exporter is not None and self._exporter.running
        reads = any(task is not None and task.running for task in (self._task, self._copying))
        return writes or reads or self._soon.isActive()

    # --- making ---

    def _first_choice(self) -> Wanted:
        """Return what was chosen last, as far as it is still there."""
        kept = {key: self._settings.get(f"export/{key}") for key in ("kind", "subject", "theme")}
        known = {"kind": kinds(), "subject": SUBJECTS, "theme": THEMES}
        chosen = {key: value for key, value in kept.items() if value in known[key]}
        return replace(Wanted(detail=self._session.detail, theme=self._theme.name), **chosen)

    def _make(self) -> None:
        self.kinds = QComboBox()
        self.kinds.setModel(_formats_model(self))
        self.kinds.setCurrentIndex(self.kinds.findData(self._wanted.kind))
        self.subjects = _choice({s.name: s.title for s in SUBJECTS.values()}, self._wanted.subject)
        self.steps = _choice({word: word for word in STEPS}, self._wanted.steps)
        self.typed = QLineEdit()
        self.typed.setPlaceholderText("3-9, 12, last")
        self.details = _choice({d.value: d.value.capitalize() for d in Detail}, self._wanted.detail.value)
        self.themes = _choice({name: name.capitalize() for name in THEMES}, self._wanted.theme)
        self.scale = _number(0.1, 10.0, self._wanted.scale, "×", 0.5)
        self.duration = _number(0.02, 60.0, self._wanted.duration, "s a step", 0.25)
        self.transparent = QCheckBox("Transparent background")
        self.legend = QCheckBox("Legend")
        self.numbers = QCheckBox("Numbers on the cards")
        self.answers = QCheckBox("With the answers")
        self.answers.setChecked(True)
        self._make_outcome()
        self._listen()

    def _make_outcome(self) -> None:
        """Make what says what comes of the choice, and where it goes."""
        self.name = QLineEdit()
        self.name.setAccessibleName("File")
        self.browse = PushButton("Folder…")
        self.export_button, self.copy_button, self.cancel_button = map(
            PushButton, ("Export", "Copy", "Cancel")
        )
        self.export_button.setProperty("accent", True)
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Writing")
        self.progress.hide()
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.preview = _Preview(self._theme)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(code_font())
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName("Preview of the document")

    def _listen(self) -> None:
        for box in (self.kinds, self.subjects, self.steps, self.details, self.themes):
            box.activated.connect(self._changed)
        for number in (self.scale, self.duration):
            number.valueChanged.connect(self._changed)
        for check in (self.transparent, self.legend, self.numbers, self.answers):
            check.toggled.connect(self._changed)
        self.typed.textEdited.connect(self._changed)
        self.name.textEdited.connect(self._named)
        self.preview.resized.connect(self._soon.start)
        self.browse.clicked.connect(lambda: self.browse_requested.emit(self.name.text()))
        self.export_button.clicked.connect(self.export)
        self.copy_button.clicked.connect(self.copy)
        self.cancel_button.clicked.connect(self.close)

    def _arrange(self) -> None:
        self._card = QWidget(self)
        title = QLabel("Export")
        title.setProperty("role", "title")
        middle = QHBoxLayout()
        middle.setSpacing(18)
        middle.addWidget(self._make_form())
        self._shown = QStackedWidget()
        self._shown.addWidget(self.preview)
        self._shown.addWidget(self.text)
        middle.addWidget(self._shown, 1)
        column = QVBoxLayout(self._card)
        column.setContentsMargins(20, 14, 20, 14)
        column.setSpacing(10)
        column.addWidget(title)
        column.addLayout(middle, 1)
        column.addWidget(self.progress)
        column.addLayout(self._make_foot())

    def _make_form(self) -> QWidget:
        form = QWidget()
        form.setFixedWidth(LEFT)
        grid = QGridLayout(form)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        self._rows: dict[str, list[QWidget]] = {}
        rows: list[tuple[str, QWidget]] = [
            ("Format", self.kinds),
            ("Of", self.subjects),
            ("Steps", self.steps),
            ("", self.typed),
            ("Detail", self.details),
            ("Theme", self.themes),
            ("Size", self.scale),
            ("Time", self.duration),
            ("", self.transparent),
            ("", self.legend),
            ("", self.numbers),
            ("", self.answers),
        ]
        for number, (text, part) in enumerate(rows):
            label = QLabel(text)
            label.setProperty("role", "muted")
            label.setBuddy(part)
            part.setAccessibleName(text or part.accessibleName() or getattr(part, "text", str)())
            grid.addWidget(label, number, 0)
            grid.addWidget(part, number, 1)
        self.typed.setAccessibleName("Which steps")
        self._labels = [grid.itemAtPosition(i, 0) for i in range(len(rows))]
        self._parts = [part for _, part in rows]
        grid.setRowStretch(len(rows), 1)
        return form

    def _make_foot(self) -> QVBoxLayout:
        foot = QVBoxLayout()
        foot.setSpacing(8)
        row = QHBoxLayout()
        row.setSpacing(8)
        label = QLabel("File")
        label.setProperty("role", "muted")
        label.setBuddy(self.name)
        for part, stretch in ((label, 0), (self.name, 1), (self.browse, 0)):
            row.addWidget(part, stretch)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.note, 1)
        for part in (self.cancel_button, self.copy_button, self.export_button):
            buttons.addWidget(part)
        foot.addLayout(row)
        foot.addLayout(buttons)
        return foot

    # --- what is chosen ---

    def _changed(self) -> None:
        """Take in what the controls say, and let the rest follow."""
        self._wanted = replace(
            self._wanted,
            kind=self.kinds.currentData(),
            subject=self.subjects.currentData(),
            steps=self.steps.currentData(),
            typed=self.typed.text(),
            detail=Detail(self.details.currentData()),
            theme=self.themes.currentData(),
            scale=self.scale.value(),
            duration=self.duration.value(),
            is_transparent=self.transparent.isChecked(),
            answers=self.answers.isChecked(),
            has_legend=self.legend.isChecked(),
            has_numbers=self.numbers.isChecked(),
        )
        self._show_parts()
        self._suggest()
        self._soon.start()

    def _show_parts(self) -> None:
        """Show the controls that make a difference to what is chosen."""
        wanted = self._wanted
        is_picture, uses = wanted.format.is_picture, ()
        if is_picture:
            format = pictures()[wanted.kind]
            alpha, pixels, moves = format.has_alpha, format.has_pixels, format.several == "frames"
        else:
            alpha = pixels = moves = False
            uses = documents()[wanted.kind].uses
        shown = {
            self.subjects: is_picture,
            self.steps: wanted.shows_step,
            self.typed: wanted.shows_step and wanted.steps == STEPS[-1],
            self.details: wanted.subject not in ("loss", "landscape", "window") or not is_picture,
            self.themes: is_picture or "theme" in uses,
            self.scale: pixels,
            self.duration: moves,
            self.transparent: alpha and wanted.subject != "window",
            self.legend: is_picture and wanted.subject == "graph",
            self.numbers: is_picture and wanted.subject == "graph",
            self.answers: "answers" in uses,
        }
        for item, part in zip(self._labels, self._parts, strict=True):
            visible = shown.get(part, True)
            part.setVisible(visible)
            label = item.widget() if item is not None else None
            if label is not None:
                label.setVisible(visible)

    def _suggest(self) -> None:
        """Propose a name as long as the user has not typed one; its ending follows the format in any case."""
        try:
            positions = self._positions()
        except BackstepError as error:
            self._say(str(error), is_wrong=True)
            return
        name = suggested(self._wanted, self._session.document.network.name, positions)
        if self._is_named:
            old = Path(self.name.text())
            endings = {e for group in groups().values() for kind in group for e in kind.endings}
            stem = old.name[: -len(old.suffix)] if old.suffix in endings else old.name
            name = str(old.parent / f"{stem}{self._wanted.format.endings[0]}")
        else:
            name = str(Path(self._settings.get("files/folder") or Path.home()) / name)
        self.name.setText(name)
        self._plan()

    def _named(self) -> None:
        """Take a name that was typed; where its ending is another format's, that one is chosen."""
        self._is_named = bool(self.name.text().strip())
        self._plan()
        kind = self._jobs[0].kind.name if self._jobs else self._wanted.kind
        if kind != self._wanted.kind and self.kinds.findData(kind) >= 0:
            self.kinds.setCurrentIndex(self.kinds.findData(kind))
            self._changed()

    def set_path(self, path: str) -> None:
        """Take a name that was chosen elsewhere."""
        self.name.setText(path)
        self._named()

    def _positions(self) -> tuple[int, ...]:
        wanted = self._wanted
        snapshot = self._snapshot()
        if not wanted.shows_step:
            return (snapshot.position,)
        return positions_of(wanted.step_text(snapshot.position), snapshot.trace)

    def _snapshot(self) -> Snapshot:
        """Return the session's place at the detail that is chosen."""
        own = self._session.snapshot()
        if self._wanted.detail == own.detail or own.run is None:
            return own
        return self._other_session().snapshot()

    def _other_session(self) -> Session:
        """Return a session at the other detail, at the same place."""
        if self._twin is None or self._twin.detail != self._wanted.detail:
            self._end_twin()
            self._twin = Session.at(self._session.snapshot())
            self._twin.set_detail(self._wanted.detail)
        return self._twin

    def _end_twin(self) -> None:
        if self._twin is not None:
            self._twin.close()
            self._twin = None

    # --- what comes of it ---

    def _plan(self) -> None:
        """Work out the files, and say what is in their way."""
        self._jobs = []
        fields = {
            "iteration": self._session.iteration,
            "network": self._session.document.network.name,
            "detail": self._wanted.detail.value,
            "theme": self._wanted.theme,
        }
        try:
            if not self.name.text().strip():
                raise UsageError("the file has no name.", how="Type one.")
            positions, snapshot = self._positions(), self._snapshot()
            jobs = planned([self.name.text()], positions, fields, wanted=self._wanted.kind, is_forced=True)
            if self._wanted.format.is_picture:
                pictures()[self._wanted.kind].check()
                SUBJECTS[self._wanted.subject].check(self._session)
        except BackstepError as error:
            self._say(str(error), is_wrong=True)
            return
        self._jobs = jobs
        there = taken(jobs)
        words = said(self._wanted, positions, snapshot.trace)
        if there:
            more = f" and {len(there) - 1} more" if len(there) > 1 else ""
            words = f"This replaces {there[0].name}{more}."
        self.export_button.setText("Replace" if there else "Export")
        self._say(words)

    def _say(self, text: str, is_wrong: bool = False) -> None:
        self.note.setText(as_sentence(text))
        self.note.setProperty("role", "error" if is_wrong else "muted")
        self.note.style().unpolish(self.note)
        self.note.style().polish(self.note)
        self.export_button.setEnabled(not is_wrong)
        self.copy_button.setEnabled(not is_wrong)

    def _look(self) -> Look:
        wanted = self._wanted
        is_graph = wanted.subject == "graph"
        return Look(
            wanted.subject,
            wanted.theme,
            wanted.scale,
            wanted.is_transparent,
            wanted.duration,
            is_graph and wanted.has_legend,
            is_graph and wanted.has_numbers,
        )

    def _options(self) -> Options:
        return Options(self._wanted.theme, self._wanted.answers)

    def _standing(self) -> Standing:
        """Return what is painted, as it is now."""
        is_window = self._wanted.subject == "window"
        window = self._window.seen() if is_window else None
        detail = self._session.detail if is_window else self._wanted.detail
        return Standing.of(self._session, detail, window)

    def _show_preview(self) -> None:
        if self._exporter is not None:
            return  # what is seen is being written
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if not self._jobs:
            self.preview.show_picture(None)
            self._shown.setCurrentWidget(self.preview)
            return
        if not self._wanted.format.is_picture:
            self._preview_document()
            return
        self._shown.setCurrentWidget(self.preview)
        self._preview_picture()

    def _preview_picture(self) -> None:
        room, ratio = self.preview.room, self.preview.devicePixelRatioF()
        work = Painting(self._jobs[0].positions[0], room.width(), room.height(), ratio)
        self._task = self._asked(work)
        self._task.came.connect(self.preview.show_picture)
        self._task.start()

    def _asked(self, *work: Work) -> Task:
        """Return a task that has something painted, and says why where that cannot be done."""
        standing, order = self._standing(), Order(self._look(), work)
        task = Task(lambda: painter().ask(standing, order), self)
        task.failed.connect(self._not_painted)
        return task

    def _not_painted(self, sentence: str) -> None:
        self.preview.show_picture(None)
        self._say(sentence, is_wrong=True)

    def _preview_document(self) -> None:
        self._task = Task(self._written(_beginning), self)
        self._task.came.connect(self._show_text)
        self._task.failed.connect(lambda sentence: self._say(sentence, is_wrong=True))
        self._task.start()

    def _show_text(self, text: str) -> None:
        self.text.setPlainText(text)
        self._shown.setCurrentWidget(self.text)

    # --- commands ---

    def export(self) -> None:
        """Write the files; the card closes when they are there."""
        if not self._jobs or self._exporter is not None or not self.export_button.isEnabled():
            return
        self._remember()
        exporter = Exporter(self._jobs, self)
        exporter.progressed.connect(self._progressed)
        exporter.finished.connect(self._finished)
        exporter.failed.connect(self._failed)
        self._exporter = exporter
        self.progress.setRange(0, 0)
        self.progress.show()
        self.export_button.setEnabled(False)
        exporter.start(self._snapshot(), self._options(), self._standing(), self._look())

    def copy(self) -> None:
        """Put the picture or the text on the clipboard, at the first of the steps."""
        if not self._jobs:
            return
        if self._wanted.format.is_picture:
            self._copy_picture()
            return
        self._say("Copying…")
        self._copying = Task(self._written(str), self)
        self._copying.came.connect(self._copy_text)
        self._copying.failed.connect(lambda sentence: self._say(sentence, is_wrong=True))
        self._copying.start()

    def _copy_text(self, text: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self._say("Copied.")

    def _written(self, shorten: Callable[[str], str]) -> Callable[[], Iterator[str]]:
        """Return what writes the document that is chosen, in a thread."""
        write, options = documents()[self._wanted.kind].write, self._options()
        snapshot = self._snapshot().at(self._jobs[0].positions[0])
        return lambda: iter([shorten(write(snapshot, options))])

    def _copy_picture(self) -> None:
        position = (self._jobs[0].positions[0],)
        found: list[bytes] = []

        def take(answer: Answer) -> None:
            if isinstance(answer, Encoded):
                found.append(answer.data)

        def copy() -> None:
            QGuiApplication.clipboard().setMimeData(ready(*found))
            self._say("Copied.")

        self._say("Copying…")
        self._copying = self._asked(Encoding("svg", position), Encoding("png", position))
        self._copying.came.connect(take)
        self._copying.ended.connect(copy)
        self._copying.start()

    def _remember(self) -> None:
        wanted = self._wanted
        for key in ("kind", "subject", "theme"):
            self._settings.set(f"export/{key}", getattr(wanted, key))
        self._settings.set("files/folder", str(self._jobs[0].path.absolute().parent))

    def _progressed(self, done: int, total: int) -> None:
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    def _finished(self, paths: list[Path]) -> None:
        words = f"Exported {paths[0].name}."
        if len(paths) > 1:
            words = f"Exported {len(paths)} files, {paths[0].name} to {paths[-1].name}."
        self._exporter = None
        self.close()
        self.written.emit(words)

    def _failed(self, sentence: str) -> None:
        self._exporter = None
        self.progress.hide()
        self._soon.start()
        self._say(sentence, is_wrong=True)

    # --- the card ---

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        super().set_theme(theme)
        self.preview.set_theme(theme)

    def card(self) -> QRect:
        """Return where the card is."""
        room = self.rect().adjusted(MARGIN, MARGIN, -MARGIN, -MARGIN)
        size = QSize(min(room.width(), LARGEST[0]), min(room.height(), LARGEST[1]))
        card = QRect(room.topLeft(), size)
        card.moveCenter(self.rect().center())
        return card

    def arrange(self) -> None:
        """Place what is inside for the size there is."""
        self._card.setGeometry(self.card())

    def focus_inside(self) -> None:
        """Give the focus to the format: the first thing that is chosen."""
        self.kinds.setFocus()

    # Qt

    def focusNextPrevChild(self, forward: bool) -> bool:
        return QWidget.focusNextPrevChild(self, forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in ENTER:
            self.export()
            return
        super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._exporter is not None:
            self._exporter.cancel()
        for task in (self._task, self._copying):
            if task is not None:
                task.cancel()
        self._soon.stop()
        self._end_twin()
        super().closeEvent(event)


class _Preview(QWidget):
    """A picture, as large as there is room.

    Signals
    -------
    resized()
        There is more room for it, or less.
    """

    resized = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shown: Shown | None = None
        self._image: QImage | None = None
        self.setAccessibleName("Preview of the picture")

    @property
    def room(self) -> QSize:
        """How large a picture can be, in logical pixels."""
        return (self.size() - QSize(4, 4)).expandedTo(QSize(1, 1))

    def show_picture(self, shown: Shown | None) -> None:
        """Show a picture, or nothing."""
        self._shown, self._image = shown, None
        if shown is not None:
            kind = QImage.Format.Format_ARGB32_Premultiplied
            self._image = QImage(shown.data, shown.width, shown.height, 4 * shown.width, kind).copy()
            self._image.setDevicePixelRatio(self.devicePixelRatioF())
        self.setAccessibleDescription(shown.title if shown is not None else "")
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in another theme."""
        self._theme = theme
        self.update()

    # Qt

    def resizeEvent(self, event: Any) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._image is None or self._shown is None:
            return
        painter = QPainter(self)
        rect = QRectF(QPointF(), self._image.deviceIndependentSize())
        rect.moveCenter(QRectF(self.rect()).center())
        if self._shown.is_transparent:
            _paint_squares(painter, rect, self._theme)
        painter.drawImage(rect.topLeft(), self._image)
        painter.setPen(self._theme.color("card_border"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(rect.adjusted(-1, -1, 0, 0))
        painter.end()


def _paint_squares(painter: QPainter, rect: QRectF, theme: Theme) -> None:
    """Paint the pattern that says that nothing is there."""
    painter.save()
    painter.setClipRect(rect)
    painter.fillRect(rect, Qt.GlobalColor.white)
    side, grey = 8, theme.color("control")
    for row in range(int(rect.height() // side) + 1):
        for column in range(row % 2, int(rect.width() // side) + 1, 2):
            painter.fillRect(QRectF(rect.left() + column * side, rect.top() + row * side, side, side), grey)
    painter.restore()


def _choice(words: Mapping[str, str], chosen: str) -> QComboBox:
    box = QComboBox()
    for key, text in words.items():
        box.addItem(text, key)
    box.setCurrentIndex(box.findData(chosen))
    return box


def _number(low: float, high: float, value: float, unit: str, step: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setDecimals(2)
    box.setSingleStep(step)
    box.setValue(value)
    box.setSuffix(f" {unit}")
    return box


def _formats_model(parent: QWidget) -> QStandardItemModel:
    """Return the formats under their groups' names, which cannot be chosen."""
    model = QStandardItemModel(parent)
    for group, members in groups().items():
        members = [k for k in members if k.name in (pictures() if k.is_picture else documents())]
        if not members:
            continue
        head = QStandardItem(group)
        head.setEnabled(False)
        head.setFont(application_font("small"))
        model.appendRow(head)
        for kind in members:
            title = (pictures() if kind.is_picture else documents())[kind.name].title
            item = QStandardItem(f"{title}  ({kind.endings[0]})")
            item.setData(kind.name, Qt.ItemDataRole.UserRole)
            model.appendRow(item)
    return model


def _beginning(text: str) -> str:
    """Return as much of a document as is looked at."""
    lines = [line if len(line) <= 400 else f"{line[:399]}…" for line in text.split("\n", 600)[:600]]
    shown = "\n".join(lines)
    return shown if len(shown) <= MOST_SHOWN else f"{shown[:MOST_SHOWN]}\n…"
