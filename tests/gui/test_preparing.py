"""Large documents: ready beside the window, and nothing of them is to be seen before they are."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from engine.graph import Detail
from engine.trace import trace
from graphs.network import Network, bind, load, loads
from gui.preparing import PATIENCE, SHORT, is_large
from gui.session import Document, Session
from gui.viewdata import Frame, scene_view
from tests.gui.waiting import wait_until_settled

LINES = 120


def chain(lines: int = LINES, factor: float = 0.5) -> str:
    """Return the text of a network of so many lines: each squashes the one before."""
    rows = ["h0 = tanh(w * x + b)", *(f"h{i} = tanh(w * h{i - 1} + b)" for i in range(1, lines))]
    formula = "\n".join([*rows, f"L = mse(h{lines - 1}, y)"])
    return (
        f'title = "A chain of {lines}"\nformula = """\n{formula}\n"""\n'
        f"parameters = {{ w = {factor}, b = 0.1 }}\n"
        "data = { x = [1.0, 2.0, 3.0], y = [0.1, 0.2, 0.3] }\n"
    )


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    opened = Session(Document.of(load("two-layer-nonlinear")))
    yield opened
    opened.close()


class Gate:
    """A view that lets nobody on until it is opened: whatever is prepared waits for it."""

    def __init__(self, session: Session) -> None:
        self.is_reached, self.is_open = threading.Event(), threading.Event()
        session.preparing.views.append(self.wait)

    def wait(self, frame: Frame) -> Iterator[None]:
        self.is_reached.set()
        assert self.is_open.wait(60)
        yield None


@pytest.fixture
def gate(session: Session) -> Iterator[Gate]:
    found = Gate(session)
    yield found
    found.is_open.set()


def prepared(qtbot: QtBot, session: Session) -> None:
    """Wait until nothing is being prepared."""
    qtbot.waitUntil(lambda: not session.preparing.what, timeout=60_000)


def assert_whole(session: Session) -> None:
    """Assert that the frame is what the document alone gives at this place."""
    document = session.document
    model = bind(document.network, seed=document.seed, overrides=document.overrides)
    point = session.run.at(session.iteration)
    found = trace(
        model.graph, {**model.leaves, **point.parameters}, session.detail, session.run.optimize(point)
    )
    state = found.state(session.position)
    for shown, wanted in ((session.frame.values, state.values), (session.frame.gradients, state.gradients)):
        assert shown.keys() == wanted.keys()
        assert all(shown[name].tobytes() == array.tobytes() for name, array in wanted.items())
    assert session.statics.graph is session.trace.graph
    assert set(scene_view(session.frame).nodes) == set(session.trace.graph.visible(session.detail))


# --- what is large -----------------------------------------------------------------------------------------


def test_what_is_large_is_the_formula_the_numbers_and_the_table(tmp_path: Path) -> None:
    small = load("two-layer-nonlinear")
    assert not is_large(Document.of(small))
    assert not is_large(Document.of(load("logistic-regression")))
    assert is_large(Document.of(loads(chain())))
    assert not is_large(Document.of(loads(chain(3))))
    wide = replace(small, data={"x": np.zeros((1, 200_000)), "y": np.zeros((1, 200_000))})
    assert is_large(Document.of(wide))
    table = "x,y\n" + "1.5,2.5\n" * 100_000
    (tmp_path / "long.csv").write_text(table, "utf-8")
    of_file = 'formula = "L = mean((w * x - y)**2)"\nparameters = { w = 1.0 }\n[data]\nfile = "long.csv"\n'
    path = tmp_path / "long.toml"
    path.write_text(of_file + 'inputs = { x = ["x"] }\ntargets = { y = ["y"] }\n', "utf-8")
    assert is_large(Document.of(load(path)))
    (tmp_path / "long.csv").unlink()
    assert not is_large(Document.of(load(path)))  # binding says that it is missing


# --- opening -----------------------------------------------------------------------------------------------


def test_the_old_document_stays_whole_until_the_new_one_is_there(
    qtbot: QtBot, session: Session, gate: Gate
) -> None:
    before = session.document
    network = loads(chain())
    session.open_network(network)
    assert session.preparing.what == "Open network"
    assert gate.is_reached.wait(60)
    session.step(3)  # the window goes on meanwhile
    assert session.document is before
    assert session.position == 3
    assert_whole(session)
    gate.is_open.set()
    prepared(qtbot, session)
    assert session.document.network is network
    assert session.position == 0
    assert_whole(session)
    session.undo()
    prepared(qtbot, session)
    assert session.document is before


@pytest.mark.parametrize("detail", [Detail.EQUATION, Detail.PRIMITIVE])
def test_what_was_prepared_is_what_would_have_been_worked_out(
    qtbot: QtBot, session: Session, detail: Detail
) -> None:
    session.set_detail(detail)
    session.open_network(loads(chain()))
    prepared(qtbot, session)
    session.go(LINES + 7)
    assert_whole(session)
    session.set_value("w", np.array(0.25))
    prepared(qtbot, session)
    assert session.position == LINES + 7  # the graph is the same one
    assert_whole(session)
    assert session.frame.values["w"] == 0.25


def test_another_detail_while_it_is_prepared(qtbot: QtBot, session: Session) -> None:
    session.open_network(loads(chain()))
    session.set_detail(Detail.PRIMITIVE)
    prepared(qtbot, session)
    assert session.trace.detail == Detail.PRIMITIVE
    assert session.document.network.title == f"A chain of {LINES}"
    assert_whole(session)


def test_it_can_be_cancelled(qtbot: QtBot, session: Session, gate: Gate) -> None:
    before, text = session.document, session.undo_text
    session.open_network(loads(chain()))
    assert gate.is_reached.wait(60)
    session.preparing.cancel()
    gate.is_open.set()
    assert not session.preparing.what
    session.preparing.finish()  # there is nothing to wait for
    assert session.document is before
    assert session.undo_text == text
    assert_whole(session)


def test_what_cannot_be_done_is_said_and_changes_nothing(qtbot: QtBot, session: Session) -> None:
    said: list[tuple[str, str]] = []
    session.notice.connect(lambda kind, text: said.append((kind, text)))
    before = session.document
    network = loads(chain())
    session.open_network(replace(network, data={"x": np.ones((1, 3)), "y": np.ones((1, 4))}))
    prepared(qtbot, session)
    assert session.document is before
    assert [kind for kind, _ in said] == ["error"]
    assert "3" in said[0][1]
    assert "4" in said[0][1]


# --- what comes meanwhile ----------------------------------------------------------------------------------

COMMANDS: dict[str, Callable[[Session], object]] = {
    "seed": lambda s: s.set_seed(4),
    "rate": lambda s: s.set_learning_rate(0.125),
    "race": lambda s: s.race([replace(s.document.recipe, optimizer="momentum")], 3),
    "train": lambda s: s.train(3),
    "reset": lambda s: s.reset(),
    "edit": lambda s: s.edit("w", np.array(0.75)),
    "scrub": lambda s: (s.scrub("w", (), 0.75), s.end_scrub()),
    "accept": lambda s: s.accept(),
    "undo": lambda s: s.undo(),
    "one": lambda s: s.step_training(),
    "search": lambda s: s.start_search(5),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_whatever_is_done_meanwhile_is_done_to_the_new_document(
    qtbot: QtBot, session: Session, command: str
) -> None:
    before, network = session.document, loads(chain())
    session.open_network(network)
    COMMANDS[command](session)
    prepared(qtbot, session)
    wait_until_settled(session)
    qtbot.waitUntil(lambda: not session.searching, timeout=60_000)
    if command == "undo":
        assert session.document is before
        return
    assert session.document.network is network
    qtbot.waitUntil(lambda: session.iteration == session.iterations, timeout=60_000)
    assert_whole(session)


def test_two_changes_one_after_the_other_are_both_there(qtbot: QtBot, session: Session) -> None:
    session.open_network(loads(chain()))
    session.set_seed(7)
    session.set_batch_size(2)
    prepared(qtbot, session)
    assert session.document.network.title == f"A chain of {LINES}"
    assert (session.document.seed, session.document.batch_size) == (7, 2)
    assert session.frame.trace.graph.examples == 2


# --- training and taking back ------------------------------------------------------------------------------


def test_the_picture_follows_the_training_of_a_large_network(qtbot: QtBot, session: Session) -> None:
    session.open_network(loads(chain()))
    prepared(qtbot, session)
    session.last()
    session.train(40)
    wait_until_settled(session)
    qtbot.waitUntil(lambda: session.iteration == 40, timeout=60_000)
    assert_whole(session)
    session.go_to_iteration(17)
    assert_whole(session)
    session.undo()  # of the training
    prepared(qtbot, session)
    assert (session.iteration, session.iterations) == (0, 0)
    assert_whole(session)
    session.redo()
    prepared(qtbot, session)
    assert session.iterations == 40
    assert_whole(session)


def test_what_is_looked_at_while_it_trains_stays(qtbot: QtBot, session: Session) -> None:
    session.open_network(loads(chain()))
    prepared(qtbot, session)
    session.train(60)
    qtbot.waitUntil(lambda: session.iterations > 5, timeout=60_000)
    session.go_to_iteration(2)
    wait_until_settled(session)
    assert session.iteration == 2
    assert_whole(session)


def test_undo_and_redo_of_large_documents(qtbot: QtBot, session: Session) -> None:
    first = session.document
    for number in (0, 1):
        session.open_network(loads(chain(LINES + number)))
        prepared(qtbot, session)
    second = session.document
    session.undo()
    session.undo()
    prepared(qtbot, session)
    assert session.document is first
    assert_whole(session)
    session.redo()
    session.redo()
    prepared(qtbot, session)
    assert session.document is second
    assert_whole(session)
    session.undo()
    session.preparing.cancel()
    assert session.document is second
    assert session.undo_text == "Open network"


# --- in the window -----------------------------------------------------------------------------------------


def typed(lines: int) -> Network:
    assert len(chain(lines)) > SHORT
    return loads(chain(lines))


def test_the_window_says_that_it_takes_long_and_lets_it_be_cancelled(
    qtbot: QtBot, open_window: Callable[..., Any]
) -> None:
    window = open_window()
    window.messages.dismiss()
    gate = Gate(window.session)
    before = window.session.document
    window.session.open_network(typed(LINES))
    qtbot.waitUntil(lambda: window.messages.current is not None, timeout=60_000 + PATIENCE)
    message = window.messages.current
    assert "Open network" in message.text
    button = window.messages.findChild(QPushButton)
    assert button.text() == "&Cancel"
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    gate.is_open.set()
    assert window.messages.current is None
    assert window.session.document is before


def test_a_large_file_is_read_and_opened_beside_the_window(
    qtbot: QtBot, open_window: Callable[..., Any], tmp_path: Path
) -> None:
    path = tmp_path / "chain.toml"
    path.write_text(chain(700), "utf-8")
    window = open_window()
    before = window.session.document
    window.filing.open(str(path))
    assert window.session.document is before
    qtbot.waitUntil(lambda: window.session.document is not before, timeout=60_000)
    assert window.filing.path == path
    assert not window.filing.is_modified
    assert len(window.scene.view.nodes) == 700 + 1 + 4
    window.settle()
    window.session.last()
    assert_whole(window.session)


@pytest.fixture
def typing(open_window: Callable[..., Any], tmp_path: Path) -> Any:
    """Return a window on a large formula, with the cursor at the end of its third line."""
    path = tmp_path / "chain.toml"
    path.write_text(chain(), "utf-8")
    window = open_window(str(path))
    window.show_dock("formula")
    window.settle()
    window.panels["formula"].text.go_to(3, len("h2 = tanh(w * h1 + b)") + 1)
    return window


def test_typing_in_a_large_formula_is_followed_and_the_last_text_wins(qtbot: QtBot, typing: Any) -> None:
    panel = typing.panels["formula"]
    session, before = typing.session, typing.session.document
    gate = Gate(session)
    QTest.keyClicks(panel.text, " * 2")
    panel.check_now()
    qtbot.waitUntil(gate.is_reached.is_set, timeout=60_000)
    assert session.document is before
    assert session.preparing.what == "Edit formula"
    QTest.keyClicks(panel.text, "5")
    gate.is_open.set()
    panel.settle()
    assert session.document.network.formula.splitlines()[2] == "h2 = tanh(w * h1 + b) * 25"
    assert panel.text.toPlainText().splitlines()[2] == "h2 = tanh(w * h1 + b) * 25"
    assert panel.unread == ""
    assert session.undo_text == "Edit formula"
    assert_whole(session)
    session.undo()
    prepared(qtbot, session)
    assert session.document.network is before.network
    assert panel.text.toPlainText().splitlines()[2] == "h2 = tanh(w * h1 + b)"


def test_a_text_that_is_typed_back_leaves_nothing_to_come(typing: Any) -> None:
    panel, before = typing.panels["formula"], typing.session.document
    QTest.keyClicks(panel.text, " ")
    QTest.keyClick(panel.text, Qt.Key.Key_Backspace)
    panel.settle()
    assert typing.session.document is before
    assert not typing.filing.is_modified
