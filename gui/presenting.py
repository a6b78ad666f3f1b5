"""Presenting: graph and sentence large, everything else away; notes and clock on a second screen.

The projector shows the graph over one strip of words, 24 points and more; beside the graph stands the plot
that a page opens, if any. A clicker has two keys: the next thing and the one before. The next thing is a step
that the page waits for, the page's question, its answer, or the next page; without a lesson it is a step.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, QTime, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QScreen
from PySide6.QtWidgets import QDockWidget, QWidget

from graphs.lesson import Lesson, Page
from graphs.views.nudge import nudge_view
from gui.exercising import ExercisePlayer
from gui.garbage import soon
from gui.lessons import LessonPlayer
from gui.notify import Message
from gui.pointer import RestingPointer
from gui.presenter_strip import (
    PresenterStrip,
    answer_line,
    question_under_text,
    words_of_exercise,
    words_of_nudge,
    words_of_page,
    words_of_step,
)
from gui.scene.graph_view import TOO_SMALL
from gui.speaker import SpeakerWindow, is_same, place_on
from gui.theme import BODY_SIZE, FONT_SCALES, THEMES, Theme
from gui.viewdata import step_view

if TYPE_CHECKING:
    from gui.window import Window

__all__ = ["Presenting", "contrasted"]

PLOTS = ("landscape", "fit", "loss", "neurons", "sweep", "microscope", "shelf")
"""Docks that are pictures rather than words: a page's first one stands beside the graph."""
PLOT_WIDTH = 0.4
LEAST_WIDTH = {"neurons": 0.36, "microscope": 0.38, "shelf": 0.38}
"""The share of the width that a plot has, and the least beside a wide graph; 0.3 where none is named."""
MODIFIERS = (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_AltGr, Qt.Key.Key_Meta)
LEAST_SCALE = 0.45
"""The scale down to which a lesson's graph is shown whole."""
GRAPH_HEIGHT = 0.6
"""The share of the height that a graph has over few words."""
WORDY = {"microscope": "body", "shelf": "body"}
"""The font in which a panel says most; that of plots is small."""
LETTERS = {role: 16 / (BODY_SIZE * FONT_SCALES[role]) for role in ("body", "small")}
"""How much larger than on a desk a panel writes: words and the numbers of an axis have 16 points."""
TICK = 1000  # ms between two looks at the clock


def contrasted(theme: Theme) -> Theme:
    """Return a theme whose quiet words and lines can be read from the last row."""
    if theme.is_dark:
        return replace(theme, canvas="#000000", window="#000000", muted="#d7dbe0", card_border="#8a929b")
    return replace(theme, canvas="#ffffff", window="#ffffff", muted="#333a41", card_border="#7b858e")


def _blank(window: QWidget) -> QWidget:
    """Return what lies over everything while the audience is to look at the speaker."""
    blank = QWidget(window)
    blank.setObjectName("blank")
    blank.setStyleSheet("#blank { background: #000000; }")
    blank.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    blank.setAccessibleName("Black screen")
    blank.hide()
    return blank


class _AnyKey(QObject):
    """Takes the next key away from everybody, whatever it is, and tells of it."""

    pressed = Signal()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.key() in MODIFIERS:
            return False
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()  # it is no shortcut: it will come as a key
            return True
        if event.type() == QEvent.Type.KeyPress:
            self.pressed.emit()
            return True
        return False


class Presenting(QObject):
    """Turns a window into what a projector shows, and back.

    Signals
    -------
    changed()
        It has begun or ended.
    """

    changed = Signal()
    _arriving = "text"  # the phase at which the next page begins
    _timed: Lesson | None = None  # the lesson that the clock runs for

    def __init__(self, window: Window, strip: PresenterStrip) -> None:
        super().__init__(window)
        self._window = window
        self._strip = strip
        self._dock = QDockWidget(window)  # across the whole width, under the graph and a plot
        self._dock.setObjectName("dock-presenter")
        self._dock.setTitleBarWidget(QWidget(self._dock))
        self._dock.setWidget(strip)
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self._dock)
        self._dock.hide()
        self._is_on = self._is_full = False
        self._state: Any = None
        self._was_full = False
        self._phase = "text"
        self._asked: tuple[int, int, int, str] | None = None  # page, iteration, position, phase to return to
        self._way_back: Message | None = None  # what is said of it
        self._geometry: Any = None  # of the window, before it went to the audience's screen
        self._home = ""  # the name of its screen
        self._is_swapped = False
        self.screens: Callable[[], list[QScreen]] = QGuiApplication.screens
        self.blank = _blank(window)
        self._lifting = _AnyKey(self)
        self._lifting.pressed.connect(lambda: self.show_black(False))
        self.pointer = RestingPointer(window)
        self._begun = 0.0  # when presenting began, or this lesson
        self.speaker: SpeakerWindow | None = None
        self._clock = QTimer(self)
        self._clock.setInterval(TICK)
        self._clock.timeout.connect(self._tick)
        self._connect(window)

    def _connect(self, window: Window) -> None:
        player = window.teaching.player
        player.page_changed.connect(self._turned)
        player.stage_changed.connect(self._say)
        player.stage_revised.connect(self._say)
        player.state_changed.connect(self._say)
        window.scene.graph_changed.connect(self._share_width)
        window.session.frame_changed.connect(self._say)
        window.session.training_changed.connect(self._say)
        window.installEventFilter(self)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        for signal in (application.screenAdded, application.screenRemoved):
            signal.connect(self._look_for_screens)

    def _look_for_screens(self, _: QScreen) -> None:
        soon(self, self._place)  # when Qt has moved what stood on a screen that has gone

    # --- facts ---

    @property
    def is_on(self) -> bool:
        """Whether it presents."""
        return self._is_on

    @property
    def phase(self) -> str:
        """What of a page is shown: "text", "question" or "answer"."""
        return self._phase

    @property
    def _player(self) -> LessonPlayer:
        return self._window.teaching.player

    @property
    def _exercises(self) -> ExercisePlayer:
        return self._window.practice.player

    def follow(self, player: ExercisePlayer) -> None:
        """Say what is asked in exercises too."""
        player.changed.connect(self._say)
        player.state_changed.connect(self._say)

    # --- commands ---

    def toggle(self) -> None:
        """Begin, or end."""
        if self._is_on:
            self.end()
        else:
            self.start()

    def start(self) -> None:
        """Begin, with the lesson that is being written; where it presents already, go on."""
        if self._is_on:
            return
        authoring = self._window.authoring
        if authoring.is_in_hand:
            authoring.present()
        else:
            self.begin()

    def begin(self, is_full: bool = True) -> None:
        """Show the graph and the words alone, on the whole screen or in the window as it is."""
        window = self._window
        window.close_overlay()  # what it asks is not for the projector; a key over the notes may come here
        self._is_on = True
        if self._player.lesson is not self._timed or not self._begun:
            self._begun, self._timed = time.monotonic(), self._player.lesson
        self._state, self._was_full = window.saveState(), window.isFullScreen()
        window.show_bars(False)
        window.show_theme(contrasted(window.theme))
        self._is_full, self._is_swapped = is_full, False
        self._home, self._geometry = window.screen().name(), window.saveGeometry()
        self._place()
        window.messages.hold(True)
        window.set_letters(LETTERS["small"])
        page = self._player.page
        self.show_docks((*page.screen.started, *page.screen.docks) if page is not None else ())
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.BottomDockWidgetArea)
        window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, self._dock)
        self._dock.show()
        self._strip.set_room(window.size())
        self._turned()
        self._tick()
        self._clock.start()
        if len(self.screens()) > 1:
            self.show_speaker()
        window.activateWindow()
        window.view.setFocus()
        self.pointer.begin()
        self.changed.emit()

    def end(self) -> None:
        """Put everything back."""
        if not self._is_on:
            return
        window = self._window
        self._is_on = False
        self.pointer.end()
        self.show_black(False)
        self._clock.stop()
        self._dock.hide()
        window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self.hide_speaker()
        window.view.set_spot(False)
        window.show_bars(True)
        if window.isFullScreen() and not self._was_full:
            window.showNormal()
            home = next((screen for screen in self.screens() if screen.name() == self._home), None)
            if home is not None:
                place_on(window, home, home.availableGeometry())
            window.restoreGeometry(self._geometry)
        window.restoreState(self._state)
        window.messages.hold(False)
        for panel in window.panels.values():
            panel.set_letters(1.0)
        window.set_letters(1.0)
        window.show_theme(THEMES[window.theme.name])
        window.view.fit()
        window.teaching.arrange()
        window.practice.arrange()
        window.activateWindow()  # the keys may have been the notes'
        self.changed.emit()

    def show_dock(self, name: str) -> None:
        """Show a dock that is asked for, if it is a picture; panels of words stay away."""
        if name in PLOTS:
            self.show_docks((name,))

    def show_docks(self, names: Sequence[str]) -> None:
        """Show the first plot of these beside the graph, and no other dock."""
        window = self._window
        chosen = next((name for name in names if name in PLOTS), "")
        for name, dock in window.docks.items():
            if name != chosen:
                dock.hide()
        if chosen:
            dock = window.docks[chosen]
            window.panels[chosen].set_letters(LETTERS[WORDY.get(chosen, "small")])
            window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
            dock.show()
            dock.raise_()
            self._share_width()
            self.blank.raise_()

    def _share_width(self) -> None:
        """Give the plot that is shown its share of the width."""
        window = self._window
        if not self._is_on:
            return
        for name in PLOTS:
            if not window.docks[name].isHidden():
                width = int(window.width() * self._share(name))
                window.resizeDocks([window.docks[name]], [width], Qt.Orientation.Horizontal)

    def _share(self, name: str) -> float:
        """Return a plot's share of the width: less beside a graph that is wide for its height."""
        window = self._window
        picture = window.scene.picture_rect()
        if picture.isEmpty():
            return PLOT_WIDTH
        wanted = GRAPH_HEIGHT * window.height() * picture.width() / picture.height()
        return min(PLOT_WIDTH, max(LEAST_WIDTH.get(name, 0.3), 1 - wanted / window.width()))

    # --- screens ---

    def audience_screen(self) -> QScreen:
        """Return the screen that the audience sees: not the laptop's own, where there is another one."""
        own = QGuiApplication.primaryScreen()
        others = [screen for screen in self.screens() if not is_same(screen, own)]
        if not others:
            return own
        return own if self._is_swapped else others[0]

    def speaker_screen(self) -> QScreen | None:
        """Return the screen of the speaker, None where there is one screen alone."""
        audience = self.audience_screen()
        return next((screen for screen in self.screens() if not is_same(screen, audience)), None)

    def swap_screens(self) -> None:
        """Exchange the screens, for a laptop that takes the projector for its own."""
        self._is_swapped = not self._is_swapped
        self._place()

    def _place(self) -> None:
        """Let the window fill the audience's screen, and the notes stand on the other one."""
        window = self._window
        if self._is_on and self._is_full:
            screen = self.audience_screen()
            if len(self.screens()) > 1 or window.isFullScreen():
                place_on(window, screen, screen.geometry())
            window.showFullScreen()
            self._strip.set_room(window.size())
        if self.speaker is not None:
            self._place_speaker(self.speaker)

    def _place_speaker(self, speaker: SpeakerWindow) -> None:
        screen = self.speaker_screen()
        if screen is not None:
            speaker.setWindowState(Qt.WindowState.WindowNoState)
            place_on(speaker, screen, screen.availableGeometry().adjusted(60, 60, -60, -60))
            speaker.showMaximized()
        else:  # over a corner of what is presented: there is no other place
            own = QGuiApplication.primaryScreen()
            room = own.availableGeometry()
            size = QSize(min(900, room.width() * 6 // 10), min(600, room.height() * 7 // 10))
            corner = QRect(room.right() + 1 - size.width(), room.bottom() + 1 - size.height(), 0, 0)
            corner.setSize(size)
            speaker.setWindowState(Qt.WindowState.WindowNoState)
            place_on(speaker, own, corner)
            speaker.show()
        speaker.raise_()

    # --- going on ---

    def show_black(self, black: bool) -> None:
        """Show nothing, so that the audience looks at the speaker, or what is presented again."""
        self.blank.setGeometry(self._window.rect())
        self.blank.setVisible(black)
        self.blank.raise_()
        application = QGuiApplication.instance()
        assert application is not None
        application.removeEventFilter(self._lifting)
        if black:
            application.installEventFilter(self._lifting)
        if self.speaker is not None:
            self.speaker.show_remark("The screen is black. Any key shows it again." if black else "")

    def toggle_black(self) -> None:
        """Make the projector's screen black, or show what is presented again."""
        if self._is_on:
            self.show_black(self.blank.isHidden())

    def refuse(self) -> None:
        """Say that nothing is asked on the projector."""
        sentence = "Not while presenting: Esc ends it."
        if self.speaker is not None:
            self.speaker.show_remark(sentence)
        else:
            self._window.notifier.info(sentence)

    def advance(self) -> None:
        """Go on to the next thing."""
        player = self._player
        if self._exercises.is_open:
            self._window.practice.advance()
        elif player.page is None:
            self._window.session.advance()
        elif player.question is not None and self._phase != "answer" and not player.awaits_step:
            self._phase = "question" if self._phase == "text" else "answer"
            if self._phase == "answer":
                player.give_up()
            self._say()
        elif player.is_last and not player.awaits_step:
            self._window.notifier.info("This was the last page: Esc ends presenting.")
        else:
            player.advance()

    def back(self) -> None:
        """Go to the thing before: of the page before, what was shown last."""
        player = self._player
        if self._exercises.is_open:
            self._exercises.back()
        elif player.page is None:
            self._window.session.step(-1)
        elif self._phase != "text":
            self._phase = "text" if self._phase == "question" else "question"
            self._say()
        else:
            self._arriving = "answer"
            player.back()
            self._arriving = "text"

    def ask_why(self) -> None:
        """Remember this place before going back to explain something; the second time, return to it."""
        session, player = self._window.session, self._player
        if self._asked is None:
            self._asked = (player.number, session.iteration, session.position, self._phase)
            self._way_back = self._window.notifier.ask(
                "Go wherever the answer is: W comes back here.", level="info"
            )
            return
        page, iteration, position, phase = self._asked
        self._asked = None
        if self._way_back is not None:
            self._window.notifier.withdraw(self._way_back)
        if player.page is not None and player.number != page:
            self._arriving = phase
            player.go(page)
            self._arriving = "text"
        else:
            session.go_to_iteration(iteration)
            session.go(position)
            self._phase = phase
            self._say()

    @property
    def is_away(self) -> bool:
        """Whether there is a place to come back to."""
        return self._asked is not None

    def toggle_speaker(self) -> None:
        """Show the notes in a window of their own, or put them away."""
        if self.speaker is None:
            self.show_speaker()
        else:
            self.hide_speaker()

    def show_speaker(self) -> None:
        """Show the notes, on the laptop's screen where the audience has another one."""
        self.speaker = SpeakerWindow(self._window.theme)
        self.speaker.key_pressed.connect(self._pass_on)
        self.speaker.closed.connect(self.hide_speaker)
        self._say_notes()
        self._place_speaker(self.speaker)
        self._tick()
        if not self._clock.isActive():
            self._begun = self._begun or time.monotonic()
            self._clock.start()

    def hide_speaker(self) -> None:
        """Put the notes away."""
        speaker, self.speaker = self.speaker, None
        if speaker is not None:
            speaker.close()
            speaker.deleteLater()
            if not self._is_on:
                self._clock.stop()

    # --- showing ---

    def _pass_on(self, event: QKeyEvent) -> None:
        """Do what a key pressed over the notes means for the window that presents."""
        pressed = QKeySequence(event.keyCombination())
        for action in self._window.actions_by_id.values():
            if pressed in action.shortcuts() and action.isEnabled():
                action.trigger()
                return
        if event.key() == Qt.Key.Key_Escape:
            self.end()

    def _follow(self) -> None:
        """Let the view follow a graph too wide to be read; a lesson's author has seen the whole of it."""
        self._window.view.follow_below(TOO_SMALL if self._player.lesson is None else LEAST_SCALE)

    def _turned(self) -> None:
        self._follow()
        asks = self._player.question is not None
        is_told = self._arriving != "answer" or self._player.state.is_answered
        self._phase = self._arriving if asks and is_told else "text"
        self._say()
        self._say_notes()

    def _say(self) -> None:
        if self.speaker is not None:
            self._say_notes()
        if not self._is_on:
            return
        player, frame = self._player, self._window.session.frame
        nudge = nudge_view(frame)
        if nudge is not None:
            self._strip.show_words(words_of_nudge(nudge))
        elif self._exercises.is_open:
            self._strip.show_words(words_of_exercise(self._exercises))
        elif player.page is not None:
            if player.stage is not None:
                phases = ("text", "question", "answer") if player.question is not None else ()
                others = [words_of_page(player, phase) for phase in phases]
                fuller = question_under_text(player) if others else None
                words, is_asked = words_of_page(player, self._phase), self._phase == "question"
                self._strip.show_words(words, others, fuller, says_fuller=is_asked)
        else:
            self._strip.show_words(words_of_step(step_view(frame)))
        last = len(frame.trace.steps)
        place = f"step {frame.position}/{last} · {frame.phase}"
        if frame.iterations:
            place = f"iteration {frame.iteration}/{frame.iterations} · {place}"
        if player.lesson is not None:
            place = f"page {player.number + 1}/{len(player.lesson.pages)} · {place}"
            if self._phase == "question" and not self._strip.has_fuller:
                place = f"{place} · PgUp: the text"
        self._strip.show_place(place)

    def _say_notes(self) -> None:
        if self.speaker is None:
            return
        player = self._player
        lesson, page = player.lesson, player.page
        if lesson is None or page is None:
            self.speaker.show_page("No lesson is open.", "", "")
            return
        stage, notes = player.stage, page.notes
        if stage is not None:
            asks = page.question is not None
            told = f"**Asked:** {stage.texts['ask']}\n\n{answer_line(stage)}" if asks else ""
            notes = "\n\n".join(part for part in (stage.texts["notes"], told) if part)
        place = f"{player.number + 1} of {len(lesson.pages)}: {page.title}"
        self.speaker.show_page(place, notes, self._following(lesson.pages[player.number + 1 :]))

    def _following(self, rest: Sequence[Page]) -> str:
        """Say what the clicker's key leads to next."""
        player = self._player
        if player.awaits_step:
            return "a step"
        if player.question is not None and self._phase != "answer":
            return "the question" if self._phase == "text" else "the answer"
        return rest[0].title if rest else "the end"

    def _tick(self) -> None:
        now = QTime.currentTime().toString("HH:mm")
        passed = int(time.monotonic() - self._begun)
        self._strip.show_facts(f"seed {self._window.session.document.seed} · {now}")
        if self.speaker is not None:
            self.speaker.show_time(now, f"{passed // 60}:{passed % 60:02d}")

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._window and self._is_on:
            self.blank.setGeometry(self._window.rect())
            soon(self, self._fit_room)
        return False

    def _fit_room(self) -> None:
        if self._is_on:
            self._strip.set_room(self._window.size())
            self._share_width()
