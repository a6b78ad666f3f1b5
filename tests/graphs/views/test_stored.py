"""The shelf at every step: states, readers, words and formulas."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

import pytest

from engine.faults import FAULTS, faulty_trace
from engine.graph import Detail, Kind
from engine.trace import Phase
from engine.training import Recipe
from graphs.network import Model, bind, built_in_names, load
from graphs.templates import template, template_names
from graphs.views.curtain import Curtain, step_names
from graphs.views.frame import Frame
from graphs.views.scene import scene_view
from graphs.views.stored import (
    every_root,
    has_storage,
    is_same,
    keep_storage,
    plans,
    shelf_view,
    storage_of,
    values_formula,
)
from tests.graphs.snapshots import snapshot_of
from tests.helpers import model_of

TWO_LAYERS = "two-layer-nonlinear"
FORGOTTEN = frozenset({"A"})


@cache
def model(name: str) -> Model:
    return bind(load(name) if name in built_in_names() else template(name), seed=1)


def frame_of(name: str, detail: Detail = Detail.EQUATION) -> Frame:
    return Frame.of(snapshot_of(model(name), detail))


NAMES = [*built_in_names(), *(n for n in template_names() if n != "blank")]


@pytest.mark.parametrize("name", NAMES)
def test_states_are_those_of_the_memory_at_every_step(name: str) -> None:
    for detail in Detail:
        frame = frame_of(name, detail)
        for recomputed in (frozenset[str](), every_root(storage_of(frame))):
            storage = storage_of(frame, recomputed)
            for position in range(len(frame.trace.steps) + 1):
                here = frame.at(position)
                view = shelf_view(here, recomputed)
                held = storage.held_after(position)
                sizes = sum(frame.trace.arrays[i].size for i in held)
                assert view.held == sizes
                for row in view.rows:
                    is_there = frame.trace.graph.ids[row.name] in held
                    if row.state in ("kept", "back", "passing"):
                        assert is_there
                    elif row.state in ("future", "gone", "done"):
                        assert not is_there
                    assert row.is_kept == (row.name not in recomputed)
                    assert (row.state == "future") == (
                        row.name not in here.values
                    ) or detail == Detail.PRIMITIVE
                    reading = [r for r in row.reads if r.state == "current"]
                    assert bool(reading) == (row.state == "read")
                    assert all((r.position <= position) == (r.state != "future") for r in row.reads)
                assert view.sentence
            assert is_same(frame, storage)


def test_the_shelf_of_the_primers_network() -> None:
    frame = frame_of(TWO_LAYERS)
    view = shelf_view(frame.at(8))
    assert [(row.words, row.state, row.values, row.formula) for row in view.rows] == [
        ("A", "read", 532, "4 m"),
        ("ŷ", "done", 133, "m"),
    ]
    assert [row.words for row in view.leaves] == ["X", "y", "W₁", "w₂"]
    assert [read.words for read in view.rows[0].reads] == ["w₂", "Z"]
    assert (view.kept, view.kept_formula) == (665, "5 m")
    assert (view.peak, view.peak_formula, view.peak_position) == (1064, "8 m", 2)
    assert view.note == "Z is not kept: no factor reads it."
    assert view.sentence == "The factor reads A."
    assert shelf_view(frame.at(2)).sentence == (
        "A is put away: 2 backward steps will read it. Z is not needed any more."
    )
    assert shelf_view(frame.at(0)).sentence == "Nothing is put away yet."
    assert shelf_view(frame.at(7)).sentence.endswith("ŷ is not needed any more.")


def test_what_is_recomputed_says_from_what() -> None:
    frame = frame_of(TWO_LAYERS)
    view = shelf_view(frame.at(8), FORGOTTEN)
    assert view.sentence == (
        "A is worked out again from W₁, X and b₁, by way of Z: 1596 operations. The factor reads A."
    )
    assert (
        view.rows[0].recomputed
        == "worked out again at step 8 from W₁, X and b₁, by way of Z: 1596 operations"
    )
    assert [row.again for row in view.rows] == [8, 0]
    assert (view.kept_formula, view.extra, view.forward) == ("m", 1596, 2927)
    assert [shelf_view(frame.at(p), FORGOTTEN).rows[0].state for p in (1, 2, 3, 7, 8, 9, 11, 12)] == [
        "future",
        "passing",
        "gone",
        "gone",
        "read",
        "back",
        "read",
        "done",
    ]
    assert "backward will work it out again" in shelf_view(frame.at(2), FORGOTTEN).sentence
    assert view.history != view.usual_history
    assert view.usual == 1064


def test_primitive_detail_keeps_the_difference_instead_of_the_prediction() -> None:
    view = shelf_view(frame_of(TWO_LAYERS, Detail.PRIMITIVE))
    assert [row.words for row in view.rows] == ["A", "ŷ − y"]
    assert "are not kept: no factor reads them." in view.note


def test_networks_that_keep_nothing_and_that_read_the_loss() -> None:
    linear = Frame.of(snapshot_of(model_of("u = 3 * w\nL = u + w", {"w": 2.0})))
    view = shelf_view(linear)
    assert view.rows == ()
    assert (view.kept, view.kept_formula, view.peak_formula) == (0, "", "")
    last = Frame.of(snapshot_of(model_of("L = exp(w)", {"w": 2.0})))
    assert [row.words for row in shelf_view(last).rows] == ["the loss"]
    assert shelf_view(last.at(1)).sentence == "The loss is put away: 1 backward step will read it."


def test_formulas_have_the_examples_of_the_network() -> None:
    graph = model(TWO_LAYERS).graph
    ids = graph.ids
    assert values_formula(graph, [ids["A"], ids["w2"], ids["L"]]) == "4 m + 5"
    assert values_formula(graph, [ids["w2"]]) == ""
    gram = model_of("G = x.T @ x * w\nL = sum(G * G)", {"w": 2.0}, {"x": [1.0, 2.0, 3.0]}).graph
    assert values_formula(gram, [gram.ids["G"], gram.ids["x"]]) in ("m² + m", "4 m")  # as the rows are called
    for name in NAMES:
        frame = frame_of(name)
        m = frame.trace.graph.examples
        view = shelf_view(frame)
        if view.kept_formula:
            assert m is not None
            assert sum(worked_out(term, m) for term in view.kept_formula.split(" + ")) == view.kept, name


def worked_out(term: str, m: int) -> int:
    """Return what a term such as "4 m" or "m²" comes to."""
    number = int("".join(re.findall(r"^\d+", term)) or 1)
    return number * (m**2 if term.endswith("²") else m if term.endswith("m") else 1)


def test_what_is_to_be_predicted_is_not_told() -> None:
    frame = frame_of(TWO_LAYERS).at(8)
    hidden = replace(frame, curtain=Curtain(frozenset({"factors", "shapes"})))
    view = shelf_view(hidden)
    assert view.sentence == "Which stored values does this factor read?"
    assert (view.rows, view.leaves, view.note, view.history) == ((), (), "", ())
    assert view.is_covered
    covered = replace(hidden, curtain=replace(hidden.curtain, asks=False))
    assert shelf_view(covered).sentence == "What factors read is hidden for now."


def test_hidden_shapes_are_not_told_by_sizes() -> None:
    frame = replace(frame_of(TWO_LAYERS), curtain=Curtain(frozenset({"shapes"}))).at(8)
    view = shelf_view(frame)
    assert [row.name for row in view.rows] == ["A", "yhat"]
    assert {(row.shape, row.values, row.formula) for row in (*view.rows, *view.leaves)} == {("?", None, "")}
    assert (view.is_covered, view.held, view.kept_formula, view.history) == (True, 0, "", ())


def test_who_predicts_every_step_is_told_of_the_readings_that_were_seen_alone() -> None:
    whole = frame_of(TWO_LAYERS)
    storage = storage_of(whole)
    for step in whole.trace.steps:
        for names, seen in ((step_names(step), step.index), (frozenset(), step.index + 1)):
            frame = replace(whole, curtain=Curtain(names, ahead=True), position=-1).at(step.index + 1)
            view = shelf_view(frame)
            rows = {row.name: [read.words for read in row.reads] for row in (*view.rows, *view.leaves)}
            told = {
                name: [whole.statics.wording.name(storage.steps[i].target) for i in places if i < seen]
                for name, places in storage.readers.items()
            }
            if view.is_covered:
                assert rows == {name: [*words, "?"] for name, words in told.items() if words}
                assert "not needed" not in view.sentence
                assert "will read" not in view.sentence
                assert {row.state for row in view.rows} <= {"kept", "read"}
            else:
                assert rows == told
            cards = scene_view(frame).nodes
            assert {n for n, card in cards.items() if card.stored} == {n for n in rows if n in frame.values}


def test_another_optimizer_has_an_iteration_of_its_own() -> None:
    plain = frame_of(TWO_LAYERS)
    found = snapshot_of(model(TWO_LAYERS), recipe=Recipe("adam").checked())
    adam = replace(Frame.of(found), statics=plain.statics)
    assert len(adam.trace.steps) > len(plain.trace.steps)
    for frame in (plain, adam, plain):
        view = shelf_view(frame.at(len(frame.trace.steps)))
        assert len(view.history) == len(frame.trace.steps)


def test_plans_are_kept_for_a_graph_and_forgotten_in_turn() -> None:
    frame = frame_of("residual")
    names = storage_of(frame).kept
    assert not has_storage(frame, frozenset(names[:1]))
    for choice, storage in plans(frame, frozenset(names[:1])):
        keep_storage(frame.statics, choice, storage)
    assert has_storage(frame, frozenset(names[:1]))
    for own in names:
        storage_of(frame, frozenset({own, "nobody"}))
    for count in range(10):
        storage_of(frame, frozenset({f"nobody{count}"}))
    assert has_storage(frame)
    assert not has_storage(frame, frozenset(names[:1]))
    assert storage_of(frame) is storage_of(frame.at(3))


def test_a_wrong_pass_is_told_from_the_right_one() -> None:
    frame = frame_of(TWO_LAYERS)
    graph = frame.trace.graph
    fault = FAULTS["count"]
    wrong = faulty_trace(graph, model(TWO_LAYERS).leaves, fault, fault.places(graph)[0]).trace
    assert is_same(frame, storage_of(frame, FORGOTTEN))
    assert not is_same(replace(frame, trace=wrong), storage_of(frame, FORGOTTEN))
    assert all(s.phase != Phase.BACKWARD or s.contribution is not None for s in wrong.steps)
    assert {graph[row.name].kind for row in shelf_view(frame).rows} == {Kind.OP}
