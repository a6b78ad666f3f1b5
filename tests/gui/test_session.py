"""The session: wherever the user goes, the numbers are those of that place, and nothing of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from engine.faults import FAULTS, FaultAt, Stage
from engine.graph import Detail
from engine.nudge import Verdict
from engine.trace import State, Trace, trace
from engine.training import Run
from graphs.draft import Draft, check
from graphs.network import Model, Network, bind, built_in_names, load, loads
from graphs.views.nudge import UNKNOWN
from gui.session import POLL, Document, Session
from gui.viewdata import Statics, inspector_view, nudge_view, scene_view, step_view
from tests.gui.waiting import wait_until_settled
from tests.helpers import model_of

TWICE = """
formula = '''
z = x * x + x
L = mean(z * w)
'''
parameters = { w = 1.5 }
data = { x = [1.0, -2.0, 0.5, 3.0, 0.25] }
"""
NO_PARAMETERS = "formula = 'L = mean(x * x)'\ndata = { x = [1.0, 2.0] }"
NEEDS_ALL_EXAMPLES = """
formula = '''
yhat = v * x
L = mean((yhat - x)**2)
'''
parameters = { v = [1.0, 2.0, 3.0, 4.0] }
data = { x = [1.0, -2.0, 0.5, 3.0] }
"""
NETWORKS = ("univariate-regression", "two-layer-nonlinear", "scalar-operations")
EDITED = ("w", "b", "W1", "b2", "X", "y")

Opened = Callable[..., Session]


@pytest.fixture
def opened(qtbot: QtBot) -> Iterator[Opened]:
    """Open sessions that are closed when the test ends."""
    sessions: list[Session] = []

    def open_session(
        network: str | Network = "two-layer-nonlinear", detail: Detail = Detail.EQUATION
    ) -> Session:
        document = Document.of(load(network) if isinstance(network, str) else network)
        sessions.append(Session(document, detail))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


class Heard:
    """What a session has said: its notices, and how often each signal came."""

    def __init__(self, session: Session) -> None:
        self.notices: list[tuple[str, str]] = []
        self.signals: list[str] = []
        session.notice.connect(lambda kind, text: self.notices.append((kind, text)))
        for name in ("document_changed", "graph_changed", "frame_changed", "progressed", "training_changed"):
            getattr(session, name).connect(lambda name=name: self.signals.append(name))


def let_timers_come_up(qtbot: QtBot) -> None:
    """Give any timer that may be left over its turn: nothing is expected of it."""
    timer = QTimer(singleShot=True, interval=3 * POLL)
    with qtbot.waitSignal(timer.timeout, timeout=60_000):
        timer.start()


# --- what a place must show --------------------------------------------------------------------------------


_runs: dict[tuple[Any, ...], tuple[Document, Model, Run]] = {}


def _run_of(document: Document, iterations: int) -> tuple[Model, Run]:
    """Return a model and a run made from nothing but a document; kept, as sequences come back to them."""
    recipe = document.recipe
    choice = (recipe.optimizer, recipe.learning_rate, recipe.batch_size)
    key = (id(document.network), document.seed, id(document.overrides), choice, iterations)
    if key not in _runs:
        model = bind(document.network, seed=document.seed, overrides=document.overrides)
        run = Run(model, document.recipe)
        run.advance(iterations) if iterations else None
        _runs[key] = (document, model, run)  # the document too: no id of it must be given again
    return _runs[key][1:]


def fresh(session: Session) -> tuple[Trace, State]:
    """Return trace and state of the session's place, worked out from nothing but its document."""
    document = session.document
    model, run = _run_of(document, session.iterations)  # updates end at recorded points
    graph, data = model.batch(model.indices(session.iteration, document.batch_size))
    point = run.at(session.iteration)
    found = trace(graph, {**data, **point.parameters}, session.detail, run.optimize(point))
    return found, found.state(session.position)


def assert_same(shown: Any, wanted: Any) -> None:
    assert shown.keys() == wanted.keys()
    for name, array in wanted.items():
        assert shown[name].shape == array.shape
        assert shown[name].tobytes() == array.tobytes(), name


def assert_whole(session: Session) -> None:
    """Assert that the frame is exactly what a fresh trace gives at this place, and nothing more."""
    frame = session.frame
    assert frame.model is session.model
    assert session.model.network is session.document.network
    assert session.model.seed == session.document.seed
    assert 0 <= session.position <= len(session.trace.steps)
    assert 0 <= session.iteration <= session.iterations == len(session.losses) - 1
    assert (frame.position, frame.iteration) == (session.position, session.iteration)
    assert frame.settings["learning_rate"] == session.document.learning_rate
    found, state = fresh(session)
    assert_same(frame.values, state.values)
    assert_same(frame.gradients, state.gradients)
    assert [s.target for s in frame.trace.steps] == [s.target for s in found.steps]
    for step in found.steps[session.position :]:
        if step.phase == "forward":
            assert step.node not in frame.values
    scene = scene_view(frame)
    assert {n: v.value for n, v in scene.nodes.items() if v.value is not None}.keys() == set(
        state.values
    ) & scene.nodes.keys()
    assert step_view(frame).sentence


# --- any sequence of commands ------------------------------------------------------------------------------


def _commands() -> st.SearchStrategy[tuple[str, Any]]:
    def command(
        name: str, argument: st.SearchStrategy[Any] | None = None
    ) -> st.SearchStrategy[tuple[str, Any]]:
        return st.tuples(st.just(name), st.none() if argument is None else argument)

    direction = st.sampled_from((-1, 1))
    return st.one_of(
        command("step", st.integers(-30, 30)),
        command("step_node", direction),
        command("step_phase", direction),
        command("step_iteration", direction),
        command("go", st.integers(-3, 60)),
        command("go_to_iteration", st.integers(-1, 9)),
        command("first"),
        command("last"),
        command("set_detail", st.sampled_from(list(Detail))),
        command("set_seed", st.integers(-1, 2)),
        command("set_learning_rate", st.sampled_from((0.01, 0.1, 0.3, 0, float("nan")))),
        command("set_batch_size", st.sampled_from((None, 1, 4, 16, 0, 10**6))),
        command("undo"),
        command("redo"),
        command("there_and_back"),
        command("reset"),
        command("open", st.sampled_from((*NETWORKS, "no-such-network"))),
        command("edit", st.tuples(st.sampled_from(EDITED), st.sampled_from((0.25, -3.0, float("nan"))))),
        command("scrub", st.tuples(st.sampled_from(EDITED), st.sampled_from((0.5, -1.0)), st.booleans())),
        command("set_formula", st.sampled_from(("{}\n# said", "{}\nM = 2 * {loss}", "{}\nM = nope(", ""))),
        command("select", st.sampled_from((None, "L", "Z", "L.1", ("Z", "A", 0), ("yhat", "L", 0)))),
        command("set_entry", st.sampled_from((None, (0, 0), (1, 2), (99, 99)))),
        command("train", st.integers(1, 3)),
        command("step_training"),
        command("accept"),
        command("race"),
        command("remove_oldest"),
    )


def _apply(session: Session, name: str, argument: Any) -> None:
    if name == "train":
        session.train(argument)
        wait_until_settled(session)
    elif name == "race":
        session.race([replace(session.document.recipe, optimizer=o).checked() for o in ("gd", "adam")], 2)
        wait_until_settled(session)
    elif name == "remove_oldest":
        session.remove_run(session.runs[0])
    elif name == "edit":
        _edit(session, *argument)
    elif name == "scrub":
        _scrub(session, *argument)
    elif name == "set_formula":
        _set_formula(session, argument)
    elif name == "there_and_back":
        _undo_and_redo(session)
    elif name in ("first", "last", "undo", "redo", "reset", "step_training", "accept"):
        getattr(session, name)()
    else:
        getattr(session, name)(argument)


def _edit(session: Session, name: str, number: float) -> None:
    """Change the first entry of a parameter or of data, as it is shown."""
    if name in session.model.leaves:
        array = session.trace.values[name].copy()
        array.flat[0] = number
        session.edit(name, array)


def _scrub(session: Session, name: str, number: float, is_kept: bool) -> None:
    leaf = session.model.leaves.get(name)
    if leaf is None:
        return
    for part in (0.5, 1.0):
        session.scrub(name, (0,) * leaf.ndim, part * number)
    session.end_scrub(is_kept)


def _set_formula(session: Session, text: str) -> None:
    """Do what the formula editor does with another text."""
    network, loss = session.document.network, session.model.graph.loss
    found = check(Draft.of(network).with_formula(text.format(network.formula.rstrip(), loss=loss)))
    if found.network is not None:
        overrides = session.document.overrides
        session.set_network(found.network, "Edit the formula", overrides=overrides)


def _undo_and_redo(session: Session) -> None:
    if session.undo_text:
        before, what = made(session), session.undo_text
        session.undo()
        assert made(session) != before
        assert session.redo_text == what
        assert_whole(session)
        session.redo()
        assert made(session) == before
        assert session.undo_text == what


def made(session: Session) -> tuple[Any, ...]:
    """Return what undo must bring back: the document itself, every run and its record, which is stood in."""
    runs = [(run.name, run.style, id(run.document), run.losses.tobytes()) for run in session.runs]
    start = [(name, array.tobytes()) for name, array in session.model.leaves.items()]
    return id(session.document), start, runs, session.runs.index(session.current), session.search


@settings(max_examples=40)
@given(st.sampled_from(NETWORKS), st.lists(_commands(), min_size=1, max_size=14))
def test_any_sequence_of_commands_shows_the_numbers_of_its_place(
    qapp: Any, name: str, commands: list[tuple[str, Any]]
) -> None:
    session = Session(Document.of(load(name)))
    try:
        assert_whole(session)
        for command, argument in commands:
            _apply(session, command, argument)
            assert_whole(session)
    finally:
        session.close()


@settings(max_examples=40)
@given(st.sampled_from(NETWORKS), st.lists(_commands(), min_size=1, max_size=14))
def test_undo_goes_back_to_the_beginning_and_redo_to_the_end(
    qapp: Any, name: str, commands: list[tuple[str, Any]]
) -> None:
    session = Session(Document.of(load(name)))
    try:
        start = made(session)
        for command, argument in commands:
            _apply(session, command, argument)
        while session.redo_text:
            session.redo()
        end, passed = made(session), [made(session)]
        while session.undo_text:
            session.undo()
            assert_whole(session)
            passed.append(made(session))
        assert passed[-1] == start
        while session.redo_text:
            assert made(session) == passed.pop()
            session.redo()
        assert made(session) == end
    finally:
        session.close()


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("detail", list(Detail))
def test_to_the_end_and_back_restores_every_number(opened: Opened, name: str, detail: Detail) -> None:
    session = opened(name, detail)
    seen = [(dict(session.frame.values), dict(session.frame.gradients))]
    while session.position < len(session.trace.steps):
        session.step(1)
        seen.append((dict(session.frame.values), dict(session.frame.gradients)))
    while session.position:
        values, gradients = seen.pop()
        assert_same(session.frame.values, values)
        assert_same(session.frame.gradients, gradients)
        session.step(-1)
    assert_same(session.frame.values, seen[0][0])
    assert not session.frame.gradients


# --- the timeline ------------------------------------------------------------------------------------------


def test_steps_run_on_into_the_next_iteration_and_back(opened: Opened) -> None:
    session = opened("univariate-regression")
    session.step_iteration(1)
    session.go_to_iteration(0)
    session.last()
    end = len(session.trace.steps)
    session.step(1)
    assert (session.iteration, session.position) == (1, 0)
    session.step(-1)
    assert (session.iteration, session.position) == (0, end)
    session.step(3)
    assert (session.iteration, session.position) == (1, 2)
    session.step(-3)
    assert (session.iteration, session.position) == (0, end)
    assert_whole(session)


def test_the_ends_of_the_timeline_hold(opened: Opened) -> None:
    session = opened("univariate-regression")
    session.step(-5)
    assert (session.iteration, session.position) == (0, 0)
    session.step(1000)
    assert (session.iteration, session.position) == (0, len(session.trace.steps))


def test_a_node_and_a_phase_are_taken_whole(opened: Opened) -> None:
    session = opened("two-layer-nonlinear", Detail.PRIMITIVE)
    for move in (session.step_node, session.step_phase):
        session.first()
        places = [0]
        while session.position < len(session.trace.steps):
            move(1)
            places.append(session.position)
        while session.position:
            assert session.position == places.pop()
            move(-1)
        assert places == [0]


def test_phases_are_four(opened: Opened) -> None:
    session = opened("two-layer-nonlinear")
    phases = []
    while session.position < len(session.trace.steps):
        session.step_phase(1)
        phases.append(session.frame.phase)
    assert phases == ["forward", "seed", "backward", "update"]


def test_running_backward_twice_gives_the_same_gradients(opened: Opened) -> None:
    session = opened(loads(TWICE))
    session.last()
    first = dict(session.frame.gradients)
    session.first()
    session.last()
    assert_same(session.frame.gradients, first)
    session.step_phase(-1)
    session.step_phase(-1)
    session.last()
    assert_same(session.frame.gradients, first)


@pytest.mark.parametrize("detail", list(Detail))
def test_a_variable_used_twice_gets_the_sum(opened: Opened, detail: Detail) -> None:
    session = opened(loads(TWICE), detail)
    session.last()
    x = session.frame.values["x"]
    np.testing.assert_allclose(session.frame.gradients["x"], 1.5 * (2 * x + 1) / 5, rtol=1e-14)


def test_playing_goes_to_the_end_and_stops(opened: Opened, qtbot: QtBot) -> None:
    session = opened(loads(TWICE))
    for _ in range(10):
        session.faster(1)
    session.toggle_play()
    assert session.playing
    qtbot.waitUntil(lambda: not session.playing, timeout=30_000)
    assert session.position == len(session.trace.steps)
    session.toggle_play()
    assert session.position == 0
    session.toggle_play()
    assert not session.playing


def test_an_edit_stops_playing(opened: Opened) -> None:
    session = opened()
    session.toggle_play()
    session.set_seed(3)
    assert not session.playing


# --- the document ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "argument"),
    [
        *(("set_learning_rate", rate) for rate in (0, -1, float("nan"), float("inf"), "fast", None)),
        *(("set_batch_size", size) for size in (0, -1, 134)),
        ("set_seed", -1),
        ("open", "no-such-network"),
        ("open", "/nowhere/at/all.toml"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(opened: Opened, command: str, argument: Any) -> None:
    session = opened()
    session.step_training()
    session.go(4)
    heard = Heard(session)
    before = (session.document, session.model, session.frame, session.run, session.undo_text)
    getattr(session, command)(argument)
    assert [kind for kind, _ in heard.notices] == ["error"]
    assert heard.notices[0][1].endswith(".")
    assert (session.document, session.model, session.frame, session.run, session.undo_text) == before
    assert heard.signals == []
    assert_whole(session)


def test_a_broken_file_is_said_and_changes_nothing(opened: Opened, tmp_path: Path) -> None:
    session = opened()
    heard = Heard(session)
    for text in (
        "formula = 'L = '",
        "not toml",
        "formula = 'L = x'",
        "formula = 'L = x @ x'\ndata={x=[1.0,2.0]}",
    ):
        path = tmp_path / "broken.toml"
        path.write_text(text)
        session.open(str(path))
    assert [kind for kind, _ in heard.notices] == ["error"] * 4
    assert heard.signals == []
    assert session.document.network.name == "two-layer-nonlinear"
    assert_whole(session)


def test_a_mini_batch_that_the_shapes_do_not_allow_changes_nothing(opened: Opened) -> None:
    session = opened(loads(NEEDS_ALL_EXAMPLES))
    session.last()
    heard = Heard(session)
    frame = session.frame
    session.set_batch_size(3)
    assert [kind for kind, _ in heard.notices] == ["error"]
    assert session.frame is frame
    assert session.document.batch_size is None
    assert_whole(session)


def test_starting_twice_from_the_same_parameters_is_one_change(opened: Opened) -> None:
    session = opened()
    session.step_training()
    session.accept()
    document = session.document
    session.accept()
    assert session.document is document
    session.undo()
    assert (session.undo_text, session.redo_text) == ("Train", "Start from these parameters")


def test_a_learning_rate_given_as_text_becomes_a_number(opened: Opened) -> None:
    session = opened()
    session.set_learning_rate("0.25")  # type: ignore[arg-type]
    assert session.document.learning_rate == 0.25
    assert isinstance(session.document.learning_rate, float)
    assert_whole(session)


@pytest.mark.parametrize(
    "edit",
    [
        lambda s: s.set_seed(5),
        lambda s: s.set_learning_rate(0.05),
        lambda s: s.set_batch_size(7),
        lambda s: s.set_value("b2", 4.0),
        lambda s: s.open("logistic-regression"),
        lambda s: s.reset(),
        lambda s: s.new_seed(),
    ],
)
def test_no_stale_number_stands_after_an_edit(opened: Opened, edit: Callable[[Session], None]) -> None:
    session = opened()
    session.train(5)
    wait_until_settled(session)
    session.last()
    shown: list[bool] = []
    session.document_changed.connect(lambda: shown.append(session.frame.model is session.model))
    session.frame_changed.connect(lambda: shown.append(session.iterations == 0))
    edit(session)
    assert shown
    assert all(shown)
    assert (session.iteration, session.iterations) == (0, 0)
    if not session.document.overrides:
        assert_whole(session)


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.open("logistic-regression"),
        lambda s: s.undo(),
        lambda s: s.set_fault(None),
        lambda s: s.choose_run(s.runs[0]),
    ],
)
def test_whoever_answers_a_new_document_finds_its_graph_told(
    opened: Opened, change: Callable[[Session], None]
) -> None:
    session = opened()
    fault = next(fault for fault in FAULTS.values() if fault.stage == Stage.FACTOR)
    place = fault.places(session.model.graph)[0]
    session.step_training()
    session.set_fault(FaultAt(fault.name, place.node, place.slot))  # another run, with equations of its own
    drawn: list[Statics] = []
    session.graph_changed.connect(lambda: drawn.append(session.statics))
    known: list[bool] = []
    session.frame_changed.connect(lambda: known.append(drawn[-1:] == [session.statics]))
    session.document_changed.connect(lambda: session.set_hidden(frozenset(("L",))))
    change(session)
    assert known
    assert all(known)


def test_reset_keeps_the_weights_of_the_seed(opened: Opened) -> None:
    session = opened()
    session.new_seed()
    start = dict(session.frame.values)
    session.train(20)
    wait_until_settled(session)
    session.first()
    assert session.frame.values["W1"].tobytes() != start["W1"].tobytes()
    session.reset()
    session.first()
    assert session.document.seed == 1
    for name in ("W1", "b1", "w2", "b2"):
        assert session.frame.values[name].tobytes() == start[name].tobytes()
    session.new_seed()
    assert session.frame.values["W1"].tobytes() != start["W1"].tobytes()


def test_a_change_that_changes_nothing_is_none(opened: Opened) -> None:
    session = opened()
    heard = Heard(session)
    session.set_seed(0)
    session.set_learning_rate(session.document.learning_rate)
    session.set_batch_size(None)
    assert heard.signals == []
    assert session.undo_text == ""


def test_undo_and_redo_name_what_they_take_back(opened: Opened) -> None:
    session = opened()
    session.set_seed(1)
    session.set_learning_rate(0.01)
    session.set_value("b2", 1.0)
    assert (session.undo_text, session.redo_text) == ("Change b2", "")
    session.undo()
    session.undo()
    assert (session.undo_text, session.redo_text) == ("Seed", "Learning rate")
    session.redo()
    assert session.document.learning_rate == 0.01
    session.set_seed(9)
    assert session.redo_text == ""
    for _ in range(5):
        session.undo()
    assert session.document.seed == 0
    assert session.undo_text == ""


def test_a_network_that_is_worked_on_is_one_change_as_long_as_it_goes_on(opened: Opened) -> None:
    session = opened("univariate-regression")
    session.set_seed(3)
    session.set_learning_rate(0.25)
    first = session.document.network
    for rate in ("1", "12", "123"):
        changed = replace(first, formula=f"{first.formula.rstrip()} * {rate}")
        session.set_network(changed, "Edit formula", overrides={}, merge=rate != "1")
        assert session.document.network is changed
    assert (session.document.seed, session.document.learning_rate) == (3, 0.25)
    assert session.document.network is changed
    session.undo()
    assert session.document.network is first
    session.redo()
    assert session.document.network is changed


def test_a_network_that_cannot_be_is_said_and_the_open_one_stays(opened: Opened) -> None:
    session = opened("univariate-regression")
    said: list[str] = []
    session.notice.connect(lambda kind, sentence: said.append(sentence))
    before = session.document
    session.set_network(replace(before.network, formula="L = q"), "Edit formula", overrides={})
    assert session.document is before
    assert "q is not defined" in said[0]


def test_an_edit_keeps_the_place_where_the_graph_is_the_same(opened: Opened) -> None:
    session = opened()
    session.go(6)
    session.select(("Z", "A", 0))
    session.set_learning_rate(0.01)
    assert session.position == 6
    assert session.selection == ("Z", "A", 0)
    session.open("scalar-operations")
    assert session.position == 0
    assert session.selection is None


def test_other_data_drop_the_values_given_to_the_old(opened: Opened) -> None:
    session = opened(loads(TWICE))
    session.set_value("x", [1.0, 1.0])
    session.set_value("w", 7.0)
    session.set_data(loads(TWICE.replace("-2.0", "-9.0")))
    assert session.frame.values["x"].tolist() == [[1.0, -9.0, 0.5, 3.0, 0.25]]
    assert float(session.frame.values["w"]) == 7.0


# --- detail ------------------------------------------------------------------------------------------------


def _line(session: Session) -> tuple[str, str]:
    step = session.frame.step
    return ("start", "") if step is None else (step.phase.value, step.node.partition(".")[0])


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("detail", list(Detail))
def test_the_place_is_kept_at_the_other_detail_and_back(opened: Opened, name: str, detail: Detail) -> None:
    session = opened(name, detail)
    other = next(d for d in Detail if d != detail)
    for position in range(len(session.trace.steps) + 1):
        session.go(position)
        place = _line(session)
        session.set_detail(other)
        assert _line(session) == place
        session.set_detail(detail)
        assert session.position == position
    assert_whole(session)


def test_a_move_at_the_other_detail_is_kept(opened: Opened) -> None:
    session = opened("two-layer-nonlinear")
    session.go(4)
    session.set_detail(Detail.PRIMITIVE)
    session.last()
    session.set_detail(Detail.EQUATION)
    assert session.position == len(session.trace.steps)


def test_a_selected_part_becomes_its_line(opened: Opened) -> None:
    session = opened("two-layer-nonlinear", Detail.PRIMITIVE)
    for selection, wanted in (("L.1", "L"), ("Z", "Z"), ("W1", "W1"), (("Z.1", "Z", 0), "Z")):
        session.set_detail(Detail.PRIMITIVE)
        session.select(selection)
        session.set_detail(Detail.EQUATION)
        assert session.selection == wanted
        assert inspector_view(session.frame, session.selection) is not None


def test_a_selected_edge_is_found_at_the_other_detail(opened: Opened) -> None:
    session = opened("two-layer-nonlinear")
    for edge in session.statics.edges:
        session.select(edge)
        session.set_detail(Detail.PRIMITIVE)
        assert isinstance(session.selection, tuple)
        assert session.selection[0] == edge[0]
        assert inspector_view(session.frame, session.selection) is not None
        session.set_detail(Detail.EQUATION)
        assert session.selection == edge


# --- training ----------------------------------------------------------------------------------------------


def test_training_follows_and_tells(opened: Opened, qtbot: QtBot) -> None:
    session = opened("univariate-regression")
    heard = Heard(session)
    session.go(2)
    session.train(300)
    assert session.training
    qtbot.waitUntil(lambda: not session.training and session.iteration == 300, timeout=60_000)
    qtbot.waitUntil(lambda: heard.signals.count("training_changed") == 2, timeout=60_000)
    assert session.position == 2
    assert "progressed" in heard.signals
    assert heard.notices == []
    assert len(session.losses) == 301
    assert_whole(session)


def test_the_numbers_of_any_iteration_can_be_had_while_training(opened: Opened) -> None:
    session = opened()
    session.train(100_000)
    for _ in range(30):
        session.go_to_iteration(session.iterations // 2)
        assert_shown_is_replayed(session)
    assert session.training
    session.pause()
    assert not session.training


def assert_shown_is_replayed(session: Session) -> None:
    point = session.run.at(session.iteration)
    assert point.iteration == session.iteration
    for name, array in point.parameters.items():
        assert session.trace.values[name].tobytes() == array.tobytes()


def test_pausing_and_going_on_gives_the_same_curve(opened: Opened) -> None:
    session = opened("multivariate-regression")
    session.set_batch_size(50)
    for count in (1, 30, 7, 62):
        session.train(count)
        wait_until_settled(session)
    straight = Run(session.model, session.document.recipe)
    straight.advance(100)
    assert session.losses.tolist() == straight.losses.tolist()
    assert_whole(session)


def test_pausing_in_the_middle_loses_nothing(opened: Opened, qtbot: QtBot) -> None:
    session = opened()
    heard = Heard(session)
    session.train(10**6)
    qtbot.waitUntil(lambda: session.iterations > 5, timeout=60_000)
    session.pause()
    assert not session.training
    wait_until_settled(session)
    recorded = session.iterations
    assert session.iteration == recorded
    assert len(session.losses) == recorded + 1
    session.train(10)
    wait_until_settled(session)
    assert session.iterations == recorded + 10
    assert heard.notices == []
    straight = Run(session.model, session.document.recipe)
    straight.advance(session.iterations)
    assert session.losses.tolist() == straight.losses.tolist()


def test_a_learning_rate_is_not_restored_by_a_run_that_ends_late(opened: Opened, qtbot: QtBot) -> None:
    session = opened()
    session.train(100_000)
    old = session.current
    session.set_learning_rate(0.011)
    assert not old.running
    let_timers_come_up(qtbot)
    assert session.document.learning_rate == 0.011
    assert session.run.settings["learning_rate"] == 0.011
    assert session.iterations == 0
    assert_whole(session)


def test_a_run_that_ends_does_not_touch_the_document_opened_meanwhile(opened: Opened, qtbot: QtBot) -> None:
    session = opened()
    session.train(10**6)
    qtbot.waitUntil(lambda: session.iterations > 3, timeout=60_000)
    old = session.current
    heard = Heard(session)
    frames: list[str] = []
    session.frame_changed.connect(lambda: frames.append(session.frame.model.network.name))
    session.open("logistic-regression")
    recorded = len(old.run.losses)
    heard.signals.clear()
    let_timers_come_up(qtbot)
    assert set(frames) == {"logistic-regression"}
    assert heard.signals == []
    assert len(old.run.losses) == recorded
    assert len(session.losses) == 1
    assert not session.training
    assert_whole(session)


def test_going_back_while_training_stays_there(opened: Opened, qtbot: QtBot) -> None:
    session = opened()
    session.train(10**6)
    qtbot.waitUntil(lambda: session.iterations > 10, timeout=60_000)
    session.go_to_iteration(3)
    seen = session.iterations
    qtbot.waitUntil(lambda: session.iterations > seen + 5, timeout=60_000)
    assert session.iteration == 3
    session.pause()
    assert session.iteration == 3
    assert_whole(session)
    session.train(2)
    wait_until_settled(session)
    assert session.iteration == session.iterations


def test_a_diverging_run_ends_with_one_sentence(opened: Opened, qtbot: QtBot) -> None:
    session = opened("univariate-regression")
    session.set_learning_rate(1e200)
    heard = Heard(session)
    session.train(100)
    qtbot.waitUntil(lambda: "training_changed" in heard.signals[1:], timeout=60_000)
    assert len(heard.notices) == 1
    kind, text = heard.notices[0]
    assert kind == "stopped"
    assert "is no longer a finite number; try a smaller learning rate, such as 0.1." in text
    assert "the sum of squares in line L" in text or "yhat" in text
    assert "L." not in text
    assert session.iterations == session.run.iteration < 100
    recorded = session.iterations
    for again in (session.train, session.step_training, lambda: session.step_iteration(1)):
        heard.notices.clear()
        again()
        assert len(heard.notices) == 1
        assert not session.training
        assert session.iterations == recorded
        assert session.frame.iteration == session.iteration


def test_a_run_that_diverges_while_pausing_says_so(opened: Opened) -> None:
    session = opened("univariate-regression")
    session.set_learning_rate(1e200)
    heard = Heard(session)
    session.train(100)
    wait_until_settled(session)
    assert len(heard.notices) == 1
    assert session.frame.iteration == session.iterations


def test_a_network_without_parameters_opens_and_cannot_be_trained(opened: Opened) -> None:
    session = opened(loads(NO_PARAMETERS))
    session.last()
    assert_whole(session)
    heard = Heard(session)
    for train in (
        session.train,
        session.step_training,
        session.toggle_training,
        lambda: session.step_iteration(1),
    ):
        train()
    assert heard.notices == [("error", "This network has no parameters to train.")] * 4
    assert not session.training


class Failing:
    """A problem that fails from some iteration on; else the model it stands for."""

    def __init__(self, model: Model, at: int) -> None:
        self._model = model
        self._at = at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return Failing, (self._model, self._at)

    def indices(self, iteration: int, batch_size: int | None) -> Any:
        if iteration >= self._at:
            raise OSError("the disk is gone")
        return self._model.indices(iteration, batch_size)


def test_a_failure_in_the_worker_is_said_and_loses_nothing(opened: Opened, qtbot: QtBot) -> None:
    session = opened("univariate-regression")
    session.run.problem = Failing(session.model, 6)  # type: ignore[assignment]
    heard = Heard(session)
    session.train(50)
    qtbot.waitUntil(lambda: not session.training, timeout=60_000)
    qtbot.waitUntil(lambda: bool(heard.notices), timeout=60_000)
    said = [notice for notice in heard.notices if "has not answered" not in notice[1]]  # a busy machine
    assert said == [("error", "Training stopped at iteration 6: OSError: the disk is gone")]
    straight = Run(session.model, session.document.recipe)
    straight.advance(6)
    assert session.losses.tolist() == straight.losses.tolist()
    session.run.problem = session.model
    session.train(4)
    wait_until_settled(session)
    assert session.iterations == 10
    assert len(heard.notices) == 1
    assert_whole(session)


# --- looking closer ----------------------------------------------------------------------------------------


def test_the_nudge_test_agrees_and_changes_nothing(opened: Opened) -> None:
    session = opened()
    before = session.document
    session.select("W1")
    session.set_entry((2, 0))
    result = session.nudge_test()
    assert result is not None
    assert (result.name, result.index, result.verdict) == ("W1", (2, 0), Verdict.AGREE)
    assert session.frame.nudge is result
    assert session.document is before
    assert session.undo_text == ""


@pytest.mark.parametrize("detail", list(Detail))
def test_any_value_can_be_nudged(opened: Opened, detail: Detail) -> None:
    session = opened(detail=detail)
    session.nudge_test()
    for name in session.statics.names:
        session.select(name)
        found = session.frame.nudge
        assert found is not None
        assert (found.name, found.verdict) == (name, Verdict.AGREE)
    session.set_epsilon(1e-2)
    assert session.frame.nudge is not None
    assert session.frame.nudge.epsilon == 1e-2


@pytest.mark.parametrize(
    "end",
    [
        lambda s: s.end_nudge(),
        lambda s: s.nudge_test(),
        lambda s: s.open("univariate-regression"),
        lambda s: s.step_training(),
        lambda s: s.set_value("b2", 3.0),
        lambda s: s.set_detail(Detail.PRIMITIVE),
    ],
)
def test_a_nudge_is_over_with_a_change(opened: Opened, end: Callable[[Session], Any]) -> None:
    session = opened()
    session.go(6)  # the loss is computed
    session.select("W1")
    session.nudge_test()
    assert scene_view(session.frame).nodes["W1"].moved == "Δ +0.0001"
    assert scene_view(session.frame).nodes["L"].moved
    end(session)
    assert session.frame.nudge is None
    assert not any(node.moved for node in scene_view(session.frame).nodes.values())


def test_a_nudge_stays_while_one_steps(opened: Opened) -> None:
    session = opened()
    session.step(1)
    found = session.nudge_test()  # of what the step is at
    assert found is not None
    assert loss_told(session) == UNKNOWN
    while session.position < len(session.trace.steps):
        session.step(1)
        assert session.frame.nudge is found
        shown = {name for name, node in scene_view(session.frame).nodes.items() if node.moved}
        assert shown == {name for name in found.moved if name in session.frame.values}
    assert loss_told(session) != UNKNOWN
    session.set_epsilon(1e-3)  # of the same entry, though another step is current
    again = session.frame.nudge
    assert again is not None
    assert (again.name, again.index, again.epsilon) == (found.name, found.index, 1e-3)
    session.select(None)
    assert session.frame.nudge is again


def loss_told(session: Session) -> str:
    """Return what the nudge test says of the loss as it is."""
    view = nudge_view(session.frame)
    assert view is not None
    return dict(view.rows)["loss as it is"]


def test_a_network_without_leaves_can_be_nudged_at_its_loss(opened: Opened) -> None:
    found = opened(loads("formula = 'L = 1 + 2'")).nudge_test()
    assert found is not None
    assert (found.name, found.numeric) == ("L", pytest.approx(1.0))


def test_the_model_of_the_helper_opens_too(opened: Opened) -> None:
    session = opened(model_of("L = x**2", {"x": 3.0}).network)
    session.last()
    assert float(session.frame.gradients["x"]) == 6.0


def test_ten_thousand_lines_open_and_can_be_walked(opened: Opened) -> None:
    middle = (f"y{i} = sin(y{i - 1}) + w" for i in range(1, 10_000))
    session = opened(model_of("\n".join(["y0 = w * w", *middle, "L = y9999 * 2"]), {"w": 0.5}).network)
    session.go(len(session.trace.steps) // 2)
    scene = scene_view(session.frame)
    for _ in range(100):
        session.step(1)
        before, scene = scene, scene_view(session.frame)
        assert step_view(session.frame).sentence
        assert sum(node is not before.nodes[name] for name, node in scene.nodes.items()) < 10
    session.last()
    assert len(session.frame.gradients) == 10_002


def test_closing_ends_the_thread(opened: Opened) -> None:
    session = opened()
    session.train(10**6)
    session.close()
    assert not session.training
    session.close()


# --- predict, then reveal ----------------------------------------------------------------------------------


def test_each_outcome_is_hidden_until_the_next_key() -> None:
    session = Session(Document.of(load("univariate-regression")))
    session.toggle_hidden()
    assert session.predicting
    seen = []
    for _ in range(2 * len(session.trace.steps)):
        position = session.position
        session.step(1)
        seen.append((session.position, bool(session.frame.covered)))
        assert session.position == position + (not seen[-2][1] if len(seen) > 1 else 1)
    assert {position for position, is_covered in seen if is_covered} == set(range(1, 11))
    session.step(-1)
    assert not session.frame.covered
    session.toggle_hidden()
    assert not session.predicting
    session.close()


def test_h_reveals_what_is_hidden_and_goes_on_predicting() -> None:
    session = Session(Document.of(load("univariate-regression")))
    session.go(2)
    session.toggle_hidden()
    assert session.frame.covered == {"L"}
    assert "L" not in session.frame.values
    session.toggle_hidden()
    assert (session.frame.covered, session.predicting) == (frozenset(), True)
    session.step(1)
    assert session.frame.covered == {"d_L"}
    session.close()
