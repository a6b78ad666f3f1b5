"""What is hidden is nowhere to be seen, and what is not hidden is as it was."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from engine.graph import Detail
from engine.nudge import nudge_any
from engine.trace import Phase, Step
from engine.training import Recipe, Run
from graphs.network import bind, built_in_names, load
from graphs.snapshot import Snapshot
from graphs.views.curtain import Curtain, step_names
from graphs.views.frame import Frame, Statics
from graphs.views.nudge import nudge_view
from graphs.views.scene import scene_view
from graphs.views.step import step_view
from gui.viewdata import code_rows, equation_rows, inspector_view
from gui.viewdata.neurons import neuron_view


def frame_of(
    name: str,
    position: int | None = None,
    hidden: frozenset[str] = frozenset(),
    detail: Detail = Detail.EQUATION,
) -> Frame:
    model = bind(load(name))
    run = Run(model, model.network.training.recipe)
    snapshot = Snapshot.of(run, model, position=position, detail=detail)
    curtain = Curtain(hidden)
    state = snapshot.state
    values, gradients, covered = curtain.known(
        snapshot.trace, state.values, state.gradients, snapshot.position
    )
    return Frame(
        model=model,
        trace=snapshot.trace,
        statics=Statics(snapshot.trace.graph, snapshot.trace.detail),
        position=snapshot.position,
        values=values,
        gradients=gradients,
        iteration=0,
        iterations=0,
        optimizer=run.optimizer,
        settings=run.recipe.settings_at(0),
        curtain=curtain,
        covered=covered,
    )


def arrays_shown(frame: Frame, name: str) -> list[object]:
    """Return every array about a node that any panel is given."""
    node = scene_view(frame).nodes[name]
    close = inspector_view(frame, name)
    assert close is not None
    neurons = neuron_view(frame, 0)
    matrices = [m.array for m in step_view(frame).matrices if not isinstance(m, str)]
    return [node.value, node.gradient, close.value, close.gradient, *matrices, neurons]


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("detail", Detail)
def test_every_step_can_be_shown_while_a_gradient_is_hidden(name: str, detail: Detail) -> None:
    """A learner steps on from where something is to be predicted: what is hidden comes in at a later step."""
    whole = frame_of(name, detail=detail)
    for hidden in ("gradients", *(f"d_{node}" for node in whole.trace.gradients)):
        start = replace(whole, curtain=Curtain(frozenset({hidden})), position=0)
        for step in whole.trace.steps:
            if step.phase == Phase.BACKWARD and hidden in ("gradients", f"d_{step.node}"):
                view = step_view(start.at(step.index + 1))
                assert view.matrices == ()
                assert view.sentence


@pytest.mark.parametrize("position", ["yhat", "Z"])
def test_a_step_that_reads_a_hidden_value_shows_no_number_of_it(position: str) -> None:
    whole = frame_of("two-layer-nonlinear")
    (step,) = [s for s in whole.trace.steps if position in (s.input, s.node) and reads_a(s)]
    hidden = step_view(replace(whole, curtain=Curtain(frozenset({"A"})), position=0).at(step.index + 1))
    shown = step_view(replace(whole, position=0).at(step.index + 1))
    assert "0.3207" in shown.numbers
    assert (hidden.numbers, hidden.short, hidden.matrices) == ("", "", ())
    assert hidden.equation == shown.equation


def reads_a(step: Step) -> bool:
    """Say whether a step is forward from A, or back to Z through the factor that is made of A."""
    return (step.phase, step.node) in ((Phase.FORWARD, "yhat"), (Phase.BACKWARD, "A"))


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("detail", Detail)
def test_the_outcome_of_every_step_can_be_hidden(name: str, detail: Detail) -> None:
    whole = frame_of(name, detail=detail)
    for step in whole.trace.steps:
        hidden = step_names(step)
        frame = replace(whole, curtain=Curtain(hidden)).at(step.index + 1)
        frame = (
            frame
            if step.index + 1 < len(whole.trace.steps)
            else replace(frame, position=0).at(step.index + 1)
        )
        view, scene = step_view(frame), scene_view(frame)
        assert frame.covered == hidden
        assert view.result in ("", r"= \text{?}")
        assert view.numbers == ""
        assert view.matrices == ()
        card = scene.nodes[step.target]
        is_on_lane = step.phase == Phase.UPDATE and step.quantity != "value"
        own = ("gradient",) if step.phase in (Phase.SEED, Phase.BACKWARD) else ("value",)
        assert card.asked == (() if is_on_lane else own)
        if step.phase == Phase.FORWARD:
            assert card.value is None
        elif step.phase != Phase.UPDATE:
            assert card.gradient is None
        else:
            assert card.value is whole.trace.values[step.node]


def test_a_hidden_gradient_has_no_number_equation_or_code_anywhere() -> None:
    frame = frame_of("two-layer-nonlinear", position=12, hidden=frozenset({"d_A"}))
    assert "A" in frame_of("two-layer-nonlinear", position=12).gradients
    secret = frame.trace.gradients["A"]
    assert all(array is not secret for array in arrays_shown(frame, "A"))
    row = next(r for r in equation_rows(frame) if r.name == "A" and r.phase == "backward")
    assert row.latex.endswith(r"= \text{?}")
    code = [r.text for r in code_rows(frame) if r.names == ("A",) and r.phase == "backward"]
    assert code == ["d_A = ?"]
    close = inspector_view(frame, "A")
    assert close is not None
    assert "press H" in close.gradient_note
    edge = next(e for key, e in scene_view(frame).edges.items() if key[0] == "A")
    assert edge.factor in ("", r"\text{?}")


def test_where_a_lesson_asks_the_step_and_the_graph_only_cover() -> None:
    whole = frame_of("two-layer-nonlinear", position=9, hidden=frozenset({"factors", "gradients"}))
    frame = replace(whole, curtain=replace(whole.curtain, asks=False))
    view, scene = step_view(frame), scene_view(frame)
    assert "?" not in view.sentence + view.equation + view.result
    assert view.equation.endswith(r"= \ldots")
    assert (view.numbers, view.latex, view.code, view.matrices) == ("", "", "", ())
    assert {edge.factor for edge in scene.edges.values()} == {""}


def test_where_a_lesson_asks_equations_and_code_say_that_they_are_hidden() -> None:
    whole = frame_of("two-layer-nonlinear", position=9, hidden=frozenset({"d_A", "d_W1"}))
    frame = replace(whole, curtain=replace(whole.curtain, asks=False))
    rows = {row.name: row for row in equation_rows(frame) if row.phase == "backward"}
    assert {name for name, row in rows.items() if row.covered} == {"A", "W1"}
    assert rows["W1"].latex.endswith(r"= \text{hidden for now}")
    code = {row.names[0]: row.text for row in code_rows(frame) if row.phase == "backward"}
    assert (code["A"], code["Z"]) == ("d_A = ...  # hidden", "d_Z = d_A * A * (1 - A)")
    assert not any(row.covered for row in equation_rows(whole))  # there the step itself asks


def test_what_factors_read_is_told_of_those_alone_that_are_not_hidden() -> None:
    whole = frame_of("two-layer-nonlinear", position=9, hidden=frozenset({"d_Z"}))
    assert stored_for(whole, "A") == "the step back through ŷ and ?"
    assert stored_for(frame_of("two-layer-nonlinear", position=9), "A") == (
        "the step back through A and the step back through ŷ"
    )
    assert scene_view(whole).nodes["A"].stored
    hidden = frame_of("two-layer-nonlinear", position=9, hidden=frozenset({"factors"}))
    assert stored_for(hidden, "A") == ""
    assert not any(card.stored for card in scene_view(hidden).nodes.values())


def stored_for(frame: Frame, name: str) -> str:
    """Return who reads a value, as the inspector says it."""
    view = inspector_view(frame, name)
    assert view is not None
    return dict(view.facts).get("stored for", "")


def test_who_predicts_every_step_sees_no_mark_of_storing_ahead_also_when_stepping_back() -> None:
    whole = frame_of("two-layer-nonlinear")
    ahead = replace(whole, curtain=Curtain(ahead=True), position=-1)
    there = ahead.at(len(whole.trace.steps))
    assert {n for n, card in scene_view(there).nodes.items() if card.stored} == set(whole.statics.readers)
    assert not any(card.stored for card in scene_view(there.at(4)).nodes.values())


def test_what_is_known_and_hidden_is_not_said_to_be_missing() -> None:
    frame = frame_of("two-layer-nonlinear", position=2, hidden=frozenset({"A", "shapes"}))
    view = inspector_view(frame, "A")
    assert view is not None
    assert (view.value, view.value_note) == (None, "Its value is hidden: predict it, then press H.")
    assert (view.shape, view.dims) == ("?", "")
    lesson = replace(frame, curtain=replace(frame.curtain, asks=False))
    covered = inspector_view(lesson, "A")
    assert covered is not None
    assert covered.value_note == "Its value is hidden for now."


def test_the_nudge_test_says_that_its_gradient_is_hidden() -> None:
    frame = frame_of("two-layer-nonlinear", hidden=frozenset({"d_w2"}))
    nudged = replace(frame, nudge=nudge_any(frame.trace, "w2", (0, 1)))
    view = nudge_view(nudged)
    assert view is not None
    assert dict(view.rows)["gradient"] == "—"
    assert "hidden" in view.verdict
    loss = nudge_view(replace(nudged, values={}, covered=frozenset({"L"})))
    assert loss is not None
    assert loss.verdict == "The loss is hidden for now."


def test_factors_and_shapes_can_be_hidden_alone() -> None:
    open_, frame = (
        frame_of("two-layer-nonlinear", position=9, hidden=names)
        for names in (frozenset[str](), frozenset({"factors", "shapes"}))
    )
    step = frame.step
    assert step is not None
    view, scene = step_view(frame), scene_view(frame)
    assert scene.current is not None
    assert scene.edges[scene.current].factor == r"\text{?}"
    assert scene.reads == ()
    assert "textcolor" not in view.equation
    assert (view.shapes, view.code) == ("", "")
    assert {node.shape for node in scene.nodes.values()} <= {"", "?"}
    assert scene.nodes["A"].gradient is frame.trace.gradients["A"] or scene.nodes["A"].gradient is not None
    assert scene_view(open_).edges[scene.current].factor not in ("", r"\text{?}")


def test_kinds_hide_what_is_computed_and_leave_what_is_given() -> None:
    frame = frame_of("two-layer-nonlinear", hidden=frozenset({"values", "gradients"}))
    assert not frame.gradients
    assert set(frame.values) == {*frame.trace.graph.parameters, *frame.trace.graph.inputs}


def test_a_new_value_that_is_hidden_leaves_the_old_one() -> None:
    frame = frame_of("univariate-regression", hidden=frozenset({"new_w"}))
    assert frame.values["w"] is frame.trace.values["w"]
    assert frame.values["b"] is not frame.trace.values["b"]
    assert frame.covered == {"new_w"}


def test_the_next_scene_shows_what_is_revealed() -> None:
    hidden = frame_of("two-layer-nonlinear", position=5, hidden=frozenset({"A", "Z"}))
    assert scene_view(hidden).nodes["A"].value is None
    shown = replace(hidden, curtain=Curtain()).at(4).at(5)
    assert scene_view(shown).nodes["A"].value is shown.trace.values["A"]
    assert scene_view(shown).nodes["A"].asked == ()
    assert np.array_equal(shown.values["Z"], shown.trace.values["Z"])


def test_no_number_of_a_hidden_result_is_in_the_texts() -> None:
    frame = frame_of("univariate-regression", position=2, hidden=frozenset({"L"}))
    view = step_view(frame)
    loss = f"{frame.trace.loss:.3f}"
    texts = [view.sentence, view.more, view.equation, view.numbers, view.result]
    assert not any(re.search(re.escape(loss), text) for text in texts)


def test_what_an_optimizer_works_out_is_hidden_on_its_card_and_wherever_it_is_read() -> None:
    model = bind(load("two-layer-nonlinear"))
    run = Run(model, Recipe("adam"))
    whole = Frame.of(Snapshot.of(run, model))
    first, *rest = whole.trace.updates["w2"]
    hidden = step_names(first)
    assert hidden == {f"new_w2:{first.quantity}"}
    frame = replace(whole, curtain=Curtain(hidden)).at(rest[0].index + 1)
    assert frame.covered == hidden
    lane = scene_view(frame).lane
    assert lane is not None
    cards = lane.cards
    assert (cards[str(first.quantity)].value, cards[str(first.quantity)].asked) == (None, ("value",))
    assert str(first.quantity) not in frame.quantities("w2")
    third = frame.at(rest[1].index + 1)
    assert step_view(third).numbers == ""
    assert step_view(third).matrices == ()
    assert replace(frame, position=0).at(first.index).covered == frozenset()


def test_hidden_values_are_not_put_into_the_steps_that_read_them() -> None:
    whole = frame_of("two-layer-nonlinear")
    later = {"A": "Z", "yhat": "A"}
    for step in whole.trace.steps:
        if step.phase == Phase.FORWARD and step.node in later:
            view = step_view(
                replace(whole, curtain=Curtain(frozenset((later[step.node],)))).at(step.index + 1)
            )
            assert (view.numbers, view.short, view.matrices) == ("", "", ())
        if step.phase == Phase.BACKWARD and step.node == "Z":
            view = step_view(replace(whole, curtain=Curtain(frozenset(("d_Z",)))).at(step.index + 1))
            assert (view.numbers, view.short, view.matrices) == ("", "", ())


@pytest.mark.parametrize("name", built_in_names())
def test_who_predicts_every_step_reads_no_code_and_no_equation_ahead(name: str) -> None:
    whole = frame_of(name)
    written = [row.text for row in code_rows(whole)]
    for step in whole.trace.steps:
        place = replace(whole, position=-1).at(step.index + 1)
        asked = replace(place, curtain=Curtain(step_names(step), ahead=True))
        revealed = replace(place, curtain=Curtain(ahead=True))
        for frame, known in ((asked, step.index), (revealed, step.index + 1)):
            code = [row.text for row in code_rows(frame)]
            assert code[:known] == written[:known] or frame is asked  # an earlier part of the same gradient
            assert all(text.endswith("= ?") for text in code[known:])
            unseen = [r for r in equation_rows(frame) if r.phase == "backward" and not (r.current or r.done)]
            assert all(row.latex.endswith(r"= \text{?}") for row in unseen)


def test_the_gradient_that_backward_starts_with_is_told_nowhere_while_it_is_hidden() -> None:
    open_ = frame_of("two-layer-nonlinear")
    seed = next(s.index for s in open_.trace.steps if s.phase == Phase.SEED)
    shown = replace(open_, position=-1).at(seed + 1)
    hidden = replace(shown, curtain=Curtain(frozenset({"d_L"}), ahead=True)).at(seed).at(seed + 1)

    def told(frame: Frame) -> str:
        view, scene = step_view(frame), scene_view(frame)
        return " ".join((view.sentence, view.more, *scene.caption, neuron_view(frame, 0).says))

    assert "1" in told(shown)
    assert "1" not in told(hidden)


def test_an_edge_that_nothing_has_come_back_along_tells_no_factor_ahead() -> None:
    frame = frame_of("two-layer-nonlinear", position=6)
    edge = ("A", "yhat", next(iter(e for e in scene_view(frame).edges if e[:2] == ("A", "yhat")))[2])
    before, ahead = (
        inspector_view(frame, edge),
        inspector_view(replace(frame, curtain=Curtain(ahead=True)), edge),
    )
    assert before is not None
    assert ahead is not None
    assert before.facts
    assert ahead.facts == ()
    assert ahead.heading.endswith(r"= \text{?}")
