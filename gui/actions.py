"""The table of actions: menus, shortcuts, the key sheet and the command search are all made from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.graph import Detail
from gui.session import Session

__all__ = ["ACTIONS", "Action", "works_while_typing"]

EDITORS = frozenset(("Ctrl+Z", "Ctrl+Shift+Z", "Ctrl+Y", "Ctrl+Left", "Ctrl+Right"))
"""Shortcuts that mean something in a text: a field that is being edited keeps them."""


def _always(_: Session) -> bool:
    return True


@dataclass(frozen=True)
class Action:
    """One thing that the user can do.

    Attributes
    ----------
    keys
        Shortcuts; the first is the one that is shown.
    text
        Its name in menus, or from the session where the name depends on it.
    enabled
        From the session to whether it can be done now.
    run
        What it does, given the window.
    repeats
        Whether holding the key does it again and again.
    checked
        From the session to whether it is on, where it is something that can be.
    asks
        Whether a dialog or a panel of words opens for it: never while presenting.
    """

    id: str
    group: str
    text: str
    keys: tuple[str, ...]
    run: Callable[[Any], object]
    icon: str = ""
    enabled: Callable[[Session], bool] = _always
    name: Callable[[Session], str] | None = None
    repeats: bool = True
    checked: Callable[[Session], bool] | None = None
    asks: bool = False


def works_while_typing(keys: str) -> bool:
    """Say whether a shortcut is done also while a field is edited: one with Ctrl, or F1 to F12."""
    last = keys.rpartition("+")[2]
    is_function_key = last.startswith("F") and last[1:].isdigit()
    return (is_function_key or keys.startswith("Ctrl+")) and keys not in EDITORS


def _can_go_back(session: Session) -> bool:
    return session.position > 0 or session.iteration > 0


def _can_go_on(session: Session) -> bool:
    return session.position < len(session.trace.steps) or session.iteration < session.iterations


def _trainable(session: Session) -> bool:
    return bool(session.model.graph.parameters)


def _flip_detail(session: Session) -> None:
    primitive = session.detail == Detail.EQUATION
    session.set_detail(Detail.PRIMITIVE if primitive else Detail.EQUATION)


ACTIONS: tuple[Action, ...] = (
    Action("back", "Step", "Step back", ("Left",), lambda w: w.session.step(-1), "back", _can_go_back),
    Action("forward", "Step", "Step forward", ("Right",), lambda w: w.session.step(1), "forward"),
    Action(
        "node-back",
        "Step",
        "Previous node",
        ("Shift+Left",),
        lambda w: w.session.step_node(-1),
        enabled=_can_go_back,
    ),
    Action(
        "node-forward",
        "Step",
        "Next node",
        ("Shift+Right",),
        lambda w: w.session.step_node(1),
        enabled=_can_go_on,
    ),
    Action(
        "phase-back",
        "Step",
        "Previous phase",
        ("Ctrl+Left",),
        lambda w: w.session.step_phase(-1),
        enabled=_can_go_back,
    ),
    Action(
        "phase-forward",
        "Step",
        "Next phase",
        ("Ctrl+Right",),
        lambda w: w.session.step_phase(1),
        enabled=_can_go_on,
    ),
    Action("iteration-back", "Step", "Previous iteration", ("PgUp",), lambda w: w.page(-1)),
    Action(
        "iteration-forward",
        "Step",
        "Next iteration",
        ("PgDown",),
        lambda w: w.page(1),
        enabled=_trainable,
    ),
    Action("first", "Step", "First step", ("Home",), lambda w: w.session.first(), "first", _can_go_back),
    Action("last", "Step", "Last step", ("End",), lambda w: w.session.last(), "last"),
    Action("go-to", "Step", "Go to step…", ("Ctrl+G",), lambda w: w.ask_step(), repeats=False, asks=True),
    Action(
        "play",
        "Play",
        "Play",
        ("Space",),
        lambda w: w.session.toggle_play(),
        "play",
        name=lambda s: "Pause" if s.playing else "Play",
        repeats=False,
    ),
    Action("faster", "Play", "Play faster", ("+", "="), lambda w: w.session.faster(1)),
    Action("slower", "Play", "Play slower", ("-",), lambda w: w.session.faster(-1)),
    Action(
        "train",
        "Train",
        "Train",
        ("T",),
        lambda w: w.session.toggle_training(),
        enabled=_trainable,
        name=lambda s: "Pause training" if s.training else "Train",
        repeats=False,
    ),
    Action(
        "train-once",
        "Train",
        "Train one iteration",
        ("Shift+T",),
        lambda w: w.session.step_training(),
        enabled=_trainable,
    ),
    Action(
        "recipe",
        "Train",
        "Optimizer, schedule, stopping…",
        ("Shift+O",),
        lambda w: w.controls.recipe.open_under(w.controls.optimizer),
        repeats=False,
        asks=True,
    ),
    Action(
        "race",
        "Train",
        "Race all optimizers",
        ("O",),
        lambda w: w.race(),
        enabled=_trainable,
        repeats=False,
    ),
    Action(
        "random-search",
        "Train",
        "Random search",
        ("S",),
        lambda w: w.toggle_search(),
        enabled=_trainable,
        name=lambda s: "Stop random search" if s.searching else "Random search",
        repeats=False,
    ),
    Action(
        "accept",
        "Train",
        "Start from these parameters",
        ("Shift+A",),
        lambda w: w.session.accept(),
        enabled=lambda s: s.iteration > 0,
        repeats=False,
    ),
    Action("reset", "Train", "Reset, same seed", ("R",), lambda w: w.session.reset(), "reset", repeats=False),
    Action("new-seed", "Train", "New seed", ("Shift+R",), lambda w: w.session.new_seed(), repeats=False),
    Action(
        "hide",
        "Look closer",
        "Predict, then reveal; again to end",
        ("H",),
        lambda w: w.session.toggle_hidden(),
        checked=lambda s: s.predicting,
    ),
    Action(
        "predict", "Look closer", "Type a prediction", ("Q",), lambda w: w.predicting.ask(), repeats=False
    ),
    Action("nudge", "Look closer", "Nudge test", ("G",), lambda w: w.nudge(), repeats=False),
    Action(
        "end-nudge",
        "Look closer",
        "End the nudge test",
        ("Esc",),
        lambda w: w.session.end_nudge(),
        enabled=lambda s: s.frame.nudge is not None,
        repeats=False,
    ),
    Action(
        "microscope",
        "Look closer",
        "Fan-out microscope",
        ("M",),
        lambda w: w.show_dock("microscope"),
        repeats=False,
    ),
    Action(
        "shelf",
        "Look closer",
        "Stored values",
        ("Shift+M",),
        lambda w: w.show_dock("shelf"),
        repeats=False,
    ),
    Action(
        "no-fault",
        "Faults",
        "Take the fault out",
        (),
        lambda w: w.session.set_fault(None),
        enabled=lambda s: s.known_fault is not None,
        repeats=False,
    ),
    Action(
        "detail",
        "View",
        "Equation or primitive detail",
        ("D",),
        lambda w: _flip_detail(w.session),
        repeats=False,
    ),
    Action(
        "fit", "View", "Fit the graph to the window", ("F",), lambda w: w.view.fit_all(), "fit", repeats=False
    ),
    Action("zoom-in", "View", "Zoom in", ("Ctrl++", "Ctrl+="), lambda w: w.view.zoom(1.25)),
    Action("zoom-out", "View", "Zoom out", ("Ctrl+-",), lambda w: w.view.zoom(0.8)),
    Action("theme", "View", "Light or dark", ("Ctrl+D",), lambda w: w.next_theme(), "theme", repeats=False),
    Action(
        "print",
        "View",
        "Print theme",
        ("Ctrl+Shift+D",),
        lambda w: w.set_theme("print" if w.theme.name != "print" else "light"),
        repeats=False,
    ),
    Action("lab", "View", "Larger plots", ("L",), lambda w: w.toggle_lab(), repeats=False, asks=True),
    Action("landscape", "View", "Landscape", ("Shift+L",), lambda w: w.show_dock("landscape"), repeats=False),
    Action("step-size", "View", "Step size", (), lambda w: w.show_dock("sweep"), repeats=False),
    Action(
        "layout", "View", "Restore the panels", (), lambda w: w.restore_panels(), repeats=False, asks=True
    ),
    Action("new", "File", "New network", ("Ctrl+N",), lambda w: w.new_network(), repeats=False, asks=True),
    Action(
        "open-data",
        "File",
        "Open data…",
        ("Ctrl+Shift+O",),
        lambda w: w.open_data(),
        repeats=False,
        asks=True,
    ),
    Action("data", "File", "Choose data…", ("Ctrl+B",), lambda w: w.choose_data(), repeats=False, asks=True),
    Action("open", "File", "Open…", ("Ctrl+O",), lambda w: w.filing.ask_open(), repeats=False, asks=True),
    Action("save", "File", "Save", ("Ctrl+S",), lambda w: w.filing.save(), repeats=False, asks=True),
    Action(
        "save-as",
        "File",
        "Save as…",
        ("Ctrl+Shift+S",),
        lambda w: w.filing.save_as(),
        repeats=False,
        asks=True,
    ),
    Action(
        "save-session",
        "File",
        "Save session…",
        ("F12",),
        lambda w: w.filing.save_session(),
        repeats=False,
        asks=True,
    ),
    Action(
        "copy-network",
        "File",
        "Copy network as text",
        ("Ctrl+Shift+C",),
        lambda w: w.copy_network(),
        repeats=False,
    ),
    Action(
        "paste-network",
        "File",
        "Paste network",
        ("Ctrl+Shift+V",),
        lambda w: w.paste_network(),
        repeats=False,
    ),
    Action(
        "export", "File", "Export…", ("Ctrl+E",), lambda w: w.export(), "export", repeats=False, asks=True
    ),
    Action(
        "copy-picture",
        "File",
        "Copy as picture",
        ("Ctrl+Shift+I",),
        lambda w: w.copy_picture(),
        repeats=False,
    ),
    Action(
        "curves",
        "File",
        "Export curves as CSV…",
        ("Ctrl+Shift+E",),
        lambda w: w.export_curves(),
        repeats=False,
        asks=True,
    ),
    Action("quit", "File", "Quit", ("Ctrl+Q",), lambda w: w.close(), repeats=False),
    Action(
        "undo",
        "Edit",
        "Undo",
        ("Ctrl+Z",),
        lambda w: w.session.undo(),
        enabled=lambda s: bool(s.undo_text),
        name=lambda s: f"Undo: {s.undo_text}" if s.undo_text else "Undo",
    ),
    Action(
        "redo",
        "Edit",
        "Redo",
        ("Ctrl+Shift+Z", "Ctrl+Y"),
        lambda w: w.session.redo(),
        enabled=lambda s: bool(s.redo_text),
        name=lambda s: f"Redo: {s.redo_text}" if s.redo_text else "Redo",
    ),
    Action(
        "formula",
        "Edit",
        "Edit the formula",
        ("Ctrl+Shift+F",),
        lambda w: w.edit_formula(),
        repeats=False,
        asks=True,
    ),
    Action(
        "search",
        "Help",
        "Search commands",
        ("Ctrl+K", "Ctrl+Shift+P"),
        lambda w: w.search_commands(),
        "search",
        repeats=False,
        asks=True,
    ),
    Action("course", "Lesson", "Lessons…", ("Ctrl+L",), lambda w: w.show_course(), repeats=False, asks=True),
    Action("lesson-next", "Lesson", "Next page", ("N",), lambda w: w.teaching.turn(1)),
    Action("lesson-back", "Lesson", "Page before", ("Shift+N",), lambda w: w.teaching.turn(-1)),
    Action("lesson-again", "Lesson", "This page again", ("Shift+B",), lambda w: w.teaching.player.restore()),
    Action(
        "lesson-new",
        "Lesson",
        "New lesson",
        ("Ctrl+Shift+L",),
        lambda w: w.authoring.begin(),
        repeats=False,
        asks=True,
    ),
    Action(
        "lesson-edit",
        "Lesson",
        "Edit this lesson",
        (),
        lambda w: w.authoring.edit_open(),
        repeats=False,
        asks=True,
    ),
    Action(
        "lesson-page",
        "Lesson",
        "Add page from what is on screen",
        ("Ctrl+Shift+A",),
        lambda w: w.authoring.add_page(),
        repeats=False,
        asks=True,
    ),
    Action("present", "Lesson", "Present", ("F11",), lambda w: w.presenting.toggle(), repeats=False),
    Action("present-start", "Lesson", "Start presenting", ("F5", "Shift+F5"), lambda w: w.presenting.start()),
    Action("speaker", "Lesson", "Speaker notes", ("Shift+F11",), lambda w: w.presenting.toggle_speaker()),
    Action("screens", "Lesson", "Exchange the screens", ("Ctrl+F11",), lambda w: w.presenting.swap_screens()),
    Action(
        "black", "Lesson", "Black screen", ("B", "."), lambda w: w.presenting.toggle_black(), repeats=False
    ),
    Action("spotlight", "Lesson", "Spotlight", ("P",), lambda w: w.view.set_spot(not w.view.has_spot)),
    Action("why", "Lesson", "Why? Go and come back", ("W",), lambda w: w.presenting.ask_why()),
    Action("lesson-end", "Lesson", "End the lesson", (), lambda w: w.teaching.end(), repeats=False),
    Action("practice", "Exercises", "Exercises", ("E",), lambda w: w.practice.show(), repeats=False),
    Action(
        "answer", "Exercises", "Type the answer", ("Shift+E",), lambda w: w.practice.answer(), repeats=False
    ),
    Action(
        "exercise-next",
        "Exercises",
        "Next part or exercise",
        ("X",),
        lambda w: w.practice.player.forward(),
    ),
    Action("exercise-back", "Exercises", "Part before", ("Shift+X",), lambda w: w.practice.player.back()),
    Action("exercise-end", "Exercises", "Back to my network", (), lambda w: w.practice.end(), repeats=False),
    Action(
        "report",
        "Exercises",
        "What was right at the first try",
        (),
        lambda w: w.practice.show_report(),
        repeats=False,
        asks=True,
    ),
    Action("keys", "Help", "Keys", ("F1",), lambda w: w.show_keys(), "help", repeats=False, asks=True),
)
