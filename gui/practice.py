"""Exercises in the window: the dock and the graph follow them, and what was learnt is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QObject

from engine.errors import BackstepError
from graphs.files import write_whole
from gui.asking import Asking
from gui.dialogs import ask_save, completed
from gui.exercising import ExercisePlayer
from gui.garbage import soon
from gui.learning import Learning

if TYPE_CHECKING:
    from gui.window import Window

__all__ = ["Practice"]

UNREAD = "The formula cannot be read as it stands, so it makes no exercises yet: mend it, then press E."
REPORTS = "Markdown (*.md);;Text (*.txt);;CSV (*.csv)"


class Practice(QObject):
    """Holds exercises in a window.

    Parameters
    ----------
    window
        Whose network they are made from, and whose dock shows them.
    """

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._window = window
        self.player = ExercisePlayer(window.session, self)
        self.learning = Learning(window.settings.folder, self)
        self._place = window.teaching.place_of("practice")
        self._shown: object = None
        self._has_left = False  # the exercises, for a question about what is unsaved
        self.player.refusal = lambda: UNREAD if window.is_half_typed else ""
        self.player.changed.connect(self._follow)
        self.learning.failed.connect(window.notifier.error)
        self.listen(self.player)
        self.listen(window.teaching.player)
        window.filing.leaving.connect(self._leave)
        window.filing.stayed.connect(self._return)
        window.docks["practice"].installEventFilter(self)
        window.presenting.follow(self.player)

    def connect_panel(self, panel: Any) -> None:
        """Let the dock's panel show them."""
        panel.set_player(self.player, self.learning)
        panel.export_requested.connect(self.export)
        self._window.scene.node_clicked.connect(panel.take_name)
        self._window.scene.edge_clicked.connect(lambda key: panel.take_name(key[0]))
        self.learning.begin()

    def listen(self, asking: Asking) -> None:
        """Keep what is told of answers, but for what a lecturer shows."""
        learning = self.learning
        asking.tried.connect(self._unless_presenting(learning.tried))
        asking.helped.connect(self._unless_presenting(learning.helped))
        asking.revealed.connect(self._unless_presenting(learning.revealed))

    def _unless_presenting(self, keep: Callable[..., None]) -> Callable[..., None]:
        def told(*facts: object) -> None:
            if not self._window.presenting.is_on:
                keep(*facts)

        return told

    # --- facts ---

    @property
    def panel(self) -> Any:
        """The dock's panel."""
        self._window.build_late()
        return self._window.panels["practice"]

    @property
    def wants_answer(self) -> bool:
        """Whether an exercise asks for something that the graph shows."""
        player = self.player
        return player.part is not None and not player.state.is_done and not player.is_away

    # --- commands ---

    def show(self) -> None:
        """Show the exercises, and begin where none is posed."""
        if not self.player.is_open:
            self.player.begin(self.player.kinds)
        else:
            self.arrange()
        if self.player.is_open:
            self.panel.show_exercises()

    def show_report(self) -> None:
        """Show what was right at the first try."""
        self.panel.show_report()
        if not self._window.presenting.is_on:
            self._place.take()

    def end(self) -> None:
        """Leave the exercises; the network that was open before comes back."""
        self.player.end()

    def _leave(self) -> None:
        """End the exercises before a question about what is unsaved: that is the network below them."""
        self._has_left = self.player.is_open
        self.end()

    def _return(self) -> None:
        """Go back to the exercises where nothing is left after all."""
        if self._has_left:
            self._has_left = False
            self.player.resume()

    def answer(self) -> None:
        """Let the answer be typed."""
        self.arrange()
        self.panel.focus_answer()

    def advance(self) -> None:
        """Do the next thing, as a clicker's key does: show the answer, or go on."""
        if self.player.part is not None and not self.player.state.is_done:
            self.player.give_up()
        else:
            self.player.forward()

    def export(self) -> None:
        """Let the user choose a file for the report."""
        window = self._window
        folder = Path(window.settings.get("files/folder"))

        def write(path: str, chosen: str) -> None:
            ending = next((e for e in (".csv", ".txt") if e in chosen), ".md")
            try:
                target = Path(path) if Path(path).suffix else completed(path, ending)
            except BackstepError as error:
                window.notifier.error(error)
                return
            window.settings.set("files/folder", str(target.parent))
            self.write(target)

        ask_save(window, "Export the report", str(folder / "report.md"), REPORTS, write)

    def write(self, path: Path) -> None:
        """Write the report to a file: its ending says whether as a table or as a text."""
        report = self.learning.report
        text = report.csv() if path.suffix.lower() == ".csv" else report.markdown()
        try:
            write_whole(path, text.encode())
        except BackstepError as error:
            self._window.notifier.error(error)
        else:
            self._window.notifier.info(f"Wrote {path.name}.")

    def close(self) -> None:
        """Write what is not written yet; the window is closing."""
        self.learning.close()

    # --- the window ---

    def _follow(self) -> None:
        """Give the exercises their place, and look at the graph they are about."""
        window, exercise = self._window, self.player.exercise
        self.arrange()
        window.show_numbers(self.player.is_open)  # its networks are small: they are worked with by hand
        if exercise is not None and exercise is not self._shown:
            window.view.fit()
        self._shown = exercise

    def arrange(self) -> None:
        """Give the exercises their place while there are any, and put things back afterwards."""
        window = self._window
        if window.presenting.is_on:  # arranged when that ends
            return
        if self.player.is_open:
            window.build_late()
            self._place.take()
        else:
            self._place.give_back()

    def leave_place(self) -> None:
        """Put the docks back as they were without exercises: the window is closing."""
        if self.player.is_open:
            self._place.give_back()

    # Qt

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # with no panel to say so, the network of an exercise would pass for the user's own
        if event.type() == QEvent.Type.Close and watched is self._window.docks["practice"]:
            soon(self, self.end)  # when the dock has gone
        return False
