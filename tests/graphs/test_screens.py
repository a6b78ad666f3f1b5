"""From a screen to a page and back: what was shown when a page was added is shown when it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from engine.errors import LessonError
from engine.faults import FAULTS, FaultAt, Stage, fault_of, run_of
from engine.graph import Detail
from engine.training import Recipe, Stopping
from graphs.lesson import Screen, read_lesson
from graphs.lessondraft import Draft
from graphs.lessontext import LessonText
from graphs.network import Network, bind, built_in_names, load
from graphs.reading import loads
from graphs.screens import Looks, fault_text, is_shown_alike, place_text, row_of, shot
from graphs.snapshot import Snapshot
from graphs.staging import Stager, fault_place, place

NETWORKS = ("univariate-regression", "two-layer-nonlinear", "perceptron-classifier")
RECIPES = (
    None,
    Recipe("adam", {"learning_rate": 0.02}, 2),
    Recipe("gd", {"learning_rate": 0.05}, None, Stopping(loss=0.01)),
    Recipe("momentum", {"momentum": 0.5}, None, Stopping(), "cosine"),
    Recipe("rmsprop", {}, 3, Stopping(), "exponential", {}, 50),
)
FAULTY = ("", "count", "activation", "reset", "zeros")
OWN = """
title = "Mine"
formula = '''
h = tanh(a * x)
L = mean((h - y)**2) + h @ h.T * 0
'''
[parameters]
a = 0.3
[data]
x = [1.0, 2.0, 3.0]
y = [0.5, 0.6, 0.7]
[training]
batch_size = 2
tolerance = 1e-9
"""
OWN = OWN.replace(" + h @ h.T * 0", "")


def network_named(name: str) -> Network:
    return loads(OWN, name="mine") if name == "mine" else load(name)


def snapshot_of(
    name: str,
    seed: int = 0,
    recipe: Recipe | None = None,
    fault: str = "",
    trained: int = 0,
    at: float = 1.0,
    detail: Detail = Detail.EQUATION,
    moved: bool = False,
    iteration: float = 1.0,
) -> Snapshot:
    """Return what a window may show."""
    network = network_named(name)
    natural = bind(network, seed=seed)
    overrides: dict[str, Any] = {}
    if moved:
        first = natural.graph.parameters[0]
        overrides[first] = natural.leaves[first] * 0.5 + 0.125
    model = bind(network, seed=seed, overrides=overrides)
    places = FAULTS[fault].places(model.graph) if fault else ()
    chosen = FaultAt(fault, places[-1].node, places[-1].slot) if places else None
    run = run_of(model, (recipe or network.training.recipe).checked(), chosen)
    run.advance(trained)
    where = round(iteration * run.iteration)
    found = Snapshot.of(run, model, detail=detail, iteration=where, overrides=overrides)
    return found.at(round(at * len(found.trace.steps)))


SNAPSHOTS = st.builds(
    snapshot_of,
    st.sampled_from((*NETWORKS, "mine")),
    st.integers(0, 3),
    st.sampled_from(RECIPES[:1] * 2 + RECIPES[1:2]) | st.sampled_from(RECIPES),
    st.sampled_from(FAULTY),
    st.integers(0, 4),
    st.floats(0, 1),
    st.sampled_from(Detail),
    st.booleans(),
    st.floats(0, 1),
)


def show_the_same(a: Snapshot, b: Snapshot) -> bool:
    """Say whether two places are one: to the last bit of every number, and of every loss there was."""
    assert a.run is not None
    assert b.run is not None
    same = (a.position, a.iteration, a.detail, a.model.seed) == (
        b.position,
        b.iteration,
        b.detail,
        b.model.seed,
    )
    same = same and fault_of(a.run) == fault_of(b.run)
    same = same and a.recipe == b.recipe and a.batch == b.batch
    same = same and a.run.losses.tobytes() == b.run.losses.tobytes()
    return same and all(
        _bits(getattr(a.trace, kind)) == _bits(getattr(b.trace, kind)) for kind in ("values", "gradients")
    )


def _bits(arrays: Mapping[str, Any]) -> dict[str, tuple[Any, bytes]]:
    return {name: (array.shape, np.asarray(array).tobytes()) for name, array in arrays.items()}


def drafted(snapshots: list[Snapshot], looks: Looks | None = None) -> Draft:
    draft = Draft(LessonText.begun("A lesson"))
    for number, snapshot in enumerate(snapshots):
        networks = draft.lesson.networks if draft.lesson is not None else {}
        draft = draft.with_page(shot(snapshot, looks or Looks(), networks), number, f"Page {number}")
    return draft


def staged(draft: Draft, page: int) -> Snapshot:
    """Return what a page shows whose file has been written and read."""
    lesson = read_lesson(draft.text.text)
    stage = Stager(lesson).stage(page)
    return replace(stage.snapshot, run=stage.ended)


# --- one page ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", built_in_names())
def test_a_page_of_any_network_shows_what_was_shown(name: str) -> None:
    before = snapshot_of(name, seed=2, trained=2, at=0.6, moved=True)
    assert show_the_same(staged(drafted([before]), 0), before)


@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.generate))
@given(
    st.lists(SNAPSHOTS, min_size=1, max_size=3),
    st.sampled_from(("move", "copy", "delete", "replace")),
    st.integers(0, 2),
    st.integers(0, 2),
)
def test_pages_show_what_was_shown_wherever_they_go(
    snapshots: list[Snapshot], what: str, page: int, to: int
) -> None:
    """The round trip: from screens to pages, to a file, to screens; also after they have been moved about."""
    draft, order = drafted(snapshots), list(range(len(snapshots)))
    for number, snapshot in enumerate(snapshots):
        assert show_the_same(staged(draft, number), snapshot)
    page, to = page % len(order), to % len(order)
    if what == "move":
        draft = draft.moved(page, to)
        order.insert(to, order.pop(page))
    elif what == "copy":
        draft = draft.duplicated(page)
        order.insert(page, page)
    elif what == "delete" and len(order) > 1:
        draft = draft.without(page)
        del order[page]
    elif what == "replace":
        assert draft.lesson is not None
        draft = draft.with_screen(shot(snapshots[0], Looks(), draft.lesson.networks), page)
        order[page] = 0
    for number, which in enumerate(order):
        assert show_the_same(staged(draft, number), snapshots[which])


def test_what_is_looked_at_is_said() -> None:
    looks = Looks(["A", "d_Z"], {"values", "d_W1"}, ["fit"], ["A", "Z"], {"nudge": "W1[0,1]"})
    before = snapshot_of("two-layer-nonlinear", at=0.5)
    screen = read_lesson(drafted([before], looks).text.text).pages[0].screen
    assert screen.highlight == ("A", "d_Z")
    assert screen.hide == ("d_W1", "values")
    assert (screen.docks, screen.camera) == (("fit",), ("A", "Z"))
    assert screen.actions == {"nudge": "W1[0,1]"}


def test_a_page_says_no_more_than_it_has_to() -> None:
    first = snapshot_of("two-layer-nonlinear", at=0)
    draft = drafted([first, first.at(6), first.at(6)])
    assert [sorted(row) for row in draft.text.pages] == [
        ["network", "text", "title"],
        ["at", "text", "title"],
        ["text", "title"],
    ]
    assert draft.text.value(1, "at") == place_text(6, first.trace)


def test_a_network_of_ones_own_is_carried_once() -> None:
    draft = drafted([snapshot_of("mine", at=0.4), snapshot_of("mine", trained=1), snapshot_of("mine", 1)])
    assert list(draft.text.table["networks"]) == ["mine"]
    assert "tanh" in draft.text.text


def test_data_from_a_file_are_carried_as_numbers(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text("speed,dist\n1,2\n2,3\n3,5\n4,4\n")
    text = (
        'formula = "L = mean((w * x - y)**2)"\n[parameters]\nw = 0.5\n[data]\nfile = "my.csv"\n'
        'inputs = { x = ["speed"] }\ntargets = { y = ["dist"] }\nstandardize = true\nheld_out = 0.25\n'
    )
    (tmp_path / "own.toml").write_text(text)
    model = bind(load(tmp_path / "own.toml"), seed=4)
    run = run_of(model, model.network.training.recipe, None)
    before = Snapshot.of(run, model)
    after = staged(drafted([before, before]), 1)
    assert list(drafted([before, before]).text.table["networks"]) == ["own"]
    assert np.array_equal(after.trace.values["x"], before.trace.values["x"])
    assert after.run is not None
    assert after.run.losses.tobytes() == run.losses.tobytes()


def test_data_that_are_too_many_are_refused() -> None:
    rows = ", ".join(map(str, np.random.default_rng(0).normal(size=80_000).tolist()))
    network = loads(f'formula = "L = mean((x - a)**2)"\n[parameters]\na = 0.0\n[data]\nx = [{rows}]\n')
    model = bind(network)
    with pytest.raises(LessonError, match="too many numbers for a lesson"):
        shot(Snapshot.of(run_of(model, Recipe(), None), model), Looks(), {})


# --- places and faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("detail", Detail)
def test_every_place_has_words(name: str, detail: Detail) -> None:
    trace = snapshot_of(name, detail=detail, recipe=Recipe("adam")).trace
    texts = [place_text(position, trace) for position in range(len(trace.steps) + 1)]
    assert [place(text, trace) for text in texts] == list(range(len(texts)))
    assert texts[1].startswith("forward ")
    assert not any(text.isdecimal() for text in texts)


def test_every_fault_at_every_place_has_words() -> None:
    graph = bind(load("perceptron-classifier")).graph
    square = bind(loads('formula = "L = x * x"\n[parameters]\nx = 2.0\n')).graph
    for one in (graph, square):
        for fault in FAULTS.values():
            for wanted in fault.places(one):
                text = fault_text(FaultAt(fault.name, wanted.node, wanted.slot), one)
                assert fault_place(text, one) == (fault, wanted)
                assert fault.stage in (Stage.FACTOR, Stage.ACCUMULATION) or text == fault.name


# --- many pages --------------------------------------------------------------------------------------------

SCREENS = st.builds(
    Screen,
    network=st.sampled_from(["a", "b"]),
    seed=st.integers(0, 2),
    values=st.sampled_from([{}, {"w": 1.0}, {"w": 1.0, "b": [1.0, 2.0]}, {"b": [3.0]}]),
    training=st.sampled_from([{}, {"learning_rate": 0.1}, {"optimizer": "adam"}, {"batch_size": "none"}]),
    detail=st.sampled_from(Detail),
    fault=st.sampled_from(["", "count"]),
    train=st.sampled_from([0, 0, 5]),
    iteration=st.sampled_from([0, 3, None]),
    at=st.sampled_from(["start", "end"]),
    highlight=st.sampled_from([(), ("A",)]),
    hide=st.sampled_from([(), ("values",)]),
    docks=st.sampled_from([(), ("fit",)]),
    camera=st.sampled_from([(), ("A",)]),
)


@given(st.lists(SCREENS, min_size=1, max_size=5))
def test_any_screens_in_any_order_can_be_said(screens: list[Screen]) -> None:
    text, before = LessonText.begun("A lesson"), Screen()
    for number, screen in enumerate(screens):
        row = row_of(screen, before, starts=not number)
        text = text.with_page(number, {"title": "x", **row})
        before = read_lesson(text.text).pages[-1].screen
        assert is_shown_alike(before, screen)
