"""The fan-out microscope against sums made by hand, the fault clinic's passes, and the nudge test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from engine.faults import FAULTS, faulty_trace
from engine.graph import Detail
from engine.trace import Phase
from graphs.network import Model, bind, built_in_names, load
from graphs.templates import template, template_names
from graphs.views.curtain import Curtain
from graphs.views.fanout import fan_out as fan_out_of
from graphs.views.fanout import fan_out_subject, fan_outs, judged
from graphs.views.frame import Frame, Statics
from tests.graphs.snapshots import snapshot_of
from tests.helpers import model_of

DOUBLED = "y0 = 1 * w\n" + "\n".join(f"y{i + 1} = y{i} + y{i}" for i in range(60)) + "\nL = y60"
BY_HAND = model_of("a = x * w\nb = w + 1\nL = a * b", {"w": 2.0}, {"x": 3.0})


@cache
def models() -> dict[str, Model]:
    found = {name: bind(load(name)) for name in built_in_names()}
    found |= {name: bind(template(name), seed=2) for name in template_names() if name != "blank"}
    found["doubled"] = model_of(DOUBLED, {"w": 1.5})
    found["square"] = model_of("L = sum(w * w * x) + w", {"w": 2.0}, {"x": [1.0, 2.0, 3.0]})
    found["long line"] = model_of(f"L = a * b{' + sin(a)' * 210}", {"a": 1.0, "b": 0.5})
    return found


def fan_out(frame: Frame, name: str) -> Any:
    return fan_out_of(frame, name)


def frames(detail: Detail) -> Iterator[tuple[str, Frame]]:
    for name, model in models().items():
        yield name, Frame.of(snapshot_of(model, detail))


def frame_of(model: Model, position: int | None = None, **more: object) -> Frame:
    snapshot = snapshot_of(model)
    return Frame.of(snapshot if position is None else snapshot.at(position), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("detail", Detail)
def test_running_sums_are_the_gradient_on_the_card_at_every_step(detail: Detail) -> None:
    seen = 0
    for network, frame in frames(detail):
        names = fan_outs(frame.statics)
        uses = [edge[0] for edge in frame.statics.edges if edge in frame.statics.flows_back]
        assert set(names) == {name for name in uses if uses.count(name) > 1}, network
        for position in range(len(frame.trace.steps) + 1)[:: 1 if len(frame.trace.steps) < 60 else 7]:
            there = frame.at(position)
            for name in names[:4]:
                fan = fan_out(there, name)
                taken = frame.trace.steps[:position]
                own = [s for s in taken if s.phase == Phase.BACKWARD and s.target == name]
                assert [a.edge for a in fan.arrivals][: len(own)] == [(name, s.node, s.slot) for s in own]
                assert fan.arrived == len(own)
                assert [a.state for a in fan.arrivals if a.total is not None].count("future") == 0
                for arrival, step in zip(fan.arrivals, own, strict=False):
                    assert arrival.contribution is step.contribution
                    assert np.array_equal(arrival.total, step.after, equal_nan=True)
                    assert arrival.current == (step.index == position - 1)
                assert all(a.total is None for a in fan.arrivals[len(own) :])
                if own:
                    assert np.array_equal(fan.total, there.gradients[name], equal_nan=True)
                    seen += 1
    assert seen > 200


def test_overwriting_leaves_what_the_fault_of_the_clinic_leaves() -> None:
    fault, seen = FAULTS["overwrite"], 0
    for network, frame in frames(Detail.EQUATION):
        graph = frame.trace.graph
        leaves = {name: frame.trace.values[name] for name in (*graph.inputs, *graph.parameters)}
        for place in fault.places(graph)[:5]:
            wrong = faulty_trace(graph, leaves, fault, place).trace
            fan = fan_out(frame, place.name)
            assert fan.is_complete
            assert np.array_equal(fan.last, wrong.gradients[place.name]), (network, place.name)
            assert np.array_equal(fan.missing, fan.total - fan.last)
            seen += 1
    assert seen > 10


def test_the_nudge_test_agrees_with_the_sum_and_not_with_what_overwrites() -> None:
    seen = 0
    for network, frame in frames(Detail.EQUATION):
        for name in fan_outs(frame.statics)[:3]:
            fan = fan_out(frame, name)
            found = judged(frame, fan)
            assert found is not None
            assert found.total_passes, (network, name)
            differs = abs(found.total - found.last) > 1e-3 * abs(found.total)
            assert found.last_passes is not differs, (network, name, found)
            seen += differs
            assert judged(frame.at(0), fan_out(frame.at(0), name)) is None
    assert seen > 8


def test_an_example_by_hand() -> None:
    frame = frame_of(BY_HAND)
    fan = fan_out(frame, "w")
    assert [float(a.contribution) for a in fan.arrivals] == [6.0, 9.0]  # through b: a; through a: b x
    assert [float(a.total) for a in fan.arrivals] == [6.0, 15.0]
    assert (float(fan.last), float(fan.missing)) == (9.0, 6.0)
    assert fan.sentence == "Both have arrived: the gradient is their sum."
    assert [r"\mathrel{+}=" in a.equation for a in fan.arrivals] == [False, True]
    assert fan.arrivals[0].way == "The gradient of b passes on unchanged."
    found = judged(frame, fan)
    assert found is not None
    assert found.slope == pytest.approx(15.0)
    assert (found.total_passes, found.last_passes) == (True, False)


def test_sums_over_examples_are_said_where_they_are() -> None:
    recurrence = frame_of(models()["recurrence"])
    assert fan_out(recurrence, "W").note == "Each contribution is a sum over the 4 examples already."
    residual = frame_of(models()["residual"])
    assert fan_out(residual, "X1").note == ""  # it has the examples itself
    assert "is a sum over the 6 examples already" in fan_out(residual, "b1").note
    primitive = Frame.of(snapshot_of(models()["recurrence"], Detail.PRIMITIVE))
    assert fan_out(primitive, "U").note.startswith("2 of the contributions are sums over the 4 examples")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("b", "b is used once: that one contribution is its whole gradient."),
        ("L", "The loss is where backward starts."),
        ("c", "The loss does not depend on c."),
    ],
)
def test_what_is_used_once_says_what_to_select_instead(name: str, said: str) -> None:
    model = model_of("a = x * w\nb = w + 1\nL = a * b\nz = c + c", {"w": 2.0, "c": 1.0}, {"x": 3.0}, loss="L")
    note = fan_out(frame_of(model), name).note
    assert note == f"{said} Select a value with several uses: w."


def test_a_network_without_any_says_so() -> None:
    frame = frame_of(model_of("u = 3 * w\nL = u**2", {"w": 2.0}))
    assert fan_out_subject(frame, None) == ""
    assert fan_out(frame, "").note == "Every value of this network is used once: nothing is added up."
    assert "No value of this network is used more than once." in fan_out(frame, "u").note
    lines = frame_of(models()["univariate-regression"])
    assert fan_out(lines, "").note.endswith("The sums over the 50 examples are part of the factors.")


def test_it_looks_at_what_is_selected_or_at_what_the_step_reaches() -> None:
    frame = frame_of(models()["scalar-operations"])
    assert fan_out_subject(frame, "b") == "b"
    assert fan_out_subject(frame, ("p", "q", 0)) == "p"
    assert fan_out_subject(frame, "nobody") == fan_outs(frame.statics)[0]
    step = next(s for s in frame.trace.steps if s.phase == Phase.BACKWARD and s.target == "a")
    assert fan_out_subject(frame.at(step.index + 1), None) == "a"


def test_the_entry_that_is_said_is_the_chosen_one_or_where_most_is_lost() -> None:
    frame = frame_of(models()["recurrence"])
    fan = fan_out(frame, "W")
    assert abs(fan.missing[fan.index]) == np.max(np.abs(fan.missing))
    chosen = frame.__class__(**{**frame.__dict__, "entry": (2, 0)})
    assert fan_out(chosen, "W").index == (2, 0)
    other = frame.__class__(**{**frame.__dict__, "entry": (9, 9)})
    assert fan_out(other, "W").index == fan.index


def test_what_is_to_be_predicted_shows_no_number_and_no_factor() -> None:
    frame = frame_of(BY_HAND)
    hidden = frame.__class__(**{**frame.__dict__, "curtain": Curtain(frozenset({"d_w"}))})
    fan = fan_out(hidden, "w")
    assert fan.is_hidden
    assert all(a.contribution is None and a.total is None for a in fan.arrivals)
    assert fan.total is None
    assert fan.last is None
    assert judged(hidden, fan) is None
    assert [a.equation.split()[-2:] for a in fan.arrivals] == [
        [r"\leftarrow", r"\text{?}"],
        [r"\mathrel{+}=", r"\text{?}"],
    ]
    factors = frame.__class__(**{**frame.__dict__, "curtain": Curtain(frozenset({"factors"}))})
    assert fan_out(factors, "w").total is not None
    assert all(r"\text{?}" in a.equation and not a.way for a in fan_out(factors, "w").arrivals)


def test_sums_over_the_examples_are_told_of_no_factor_that_is_still_to_be_found_out() -> None:
    frame = frame_of(models()["recurrence"])
    sums = "sum over the 4 examples"
    assert sums in fan_out(frame, "W").note
    start = frame.at(0)
    for curtain in (Curtain(ahead=True), Curtain(frozenset({"factors"})), Curtain(frozenset({"d_W"}))):
        assert sums not in fan_out(replace(start, curtain=curtain), "W").note
    seen = replace(start, curtain=Curtain(ahead=True)).at(len(frame.trace.steps))
    assert sums in fan_out(seen, "W").note


def test_gradients_that_nobody_has_reset_are_where_the_sum_begins() -> None:
    model = models()["recurrence"]
    graph = model.graph
    found = faulty_trace(graph, model.leaves, FAULTS["reset"], FAULTS["reset"].place(graph)).trace
    frame = frame_of(model)
    again = frame.__class__(**{**frame.__dict__, "trace": found, "statics": Statics(graph, Detail.EQUATION)})
    again = again.at(len(found.steps))
    fan = fan_out(again, "W")
    assert fan.left is not None
    assert np.array_equal(fan.total, found.gradients["W"])
    assert fan.note.startswith("The sum begins with the gradient that nobody has reset.")
