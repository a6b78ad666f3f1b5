"""The web page as a text: complete without its script, self-contained, safe, and small."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from engine.graph import Detail
from engine.trace import Phase
from graphs.carrying import carried
from graphs.documents import Options, formats
from graphs.palette import DARK, LIGHT
from graphs.provenance import provenance
from graphs.snapshot import Snapshot
from graphs.views.frame import Frame
from graphs.views.step import step_view
from graphs.webpage import page
from graphs.webpage.arrays import ArrayTable, is_small
from graphs.webpage.extent import FULL_STEPS, MOST_CARDS, MOST_STEPS, extent
from graphs.webpage.steps import cancelling, walk
from tests.graphs.snapshots import BUILT_IN, ODD, built_in_snapshot, every_snapshot, odd_snapshot, snapshot_of
from tests.helpers import model_of

VOID = {"meta", "input", "br"}
SNAPSHOTS = pytest.mark.parametrize("snapshot", [pytest.param(s, id=name) for name, s in every_snapshot()])


class Reader(HTMLParser):
    """Reads a page strictly: every element that opens closes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []  # the innermost element, and text in it
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, (tag, self.open, self.getpos())

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def attributes(self, tag: str) -> list[dict[str, str]]:
        return [attributes for found, attributes in self.elements if found == tag]

    def data(self) -> dict[str, Any]:
        (text,) = [text for tag, text in self.texts if tag == "script" and text.startswith("{")]
        return json.loads(text)


@cache
def written(snapshot: Snapshot) -> str:
    return page(snapshot)


@cache
def read(snapshot: Snapshot) -> Reader:
    return Reader(written(snapshot))


@SNAPSHOTS
def test_every_page_is_well_formed(snapshot: Snapshot) -> None:
    assert read(snapshot).attributes("html") == [{"lang": "en"}]


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_pages_of_the_built_in_networks_are_small(name: str, detail: Detail) -> None:
    assert len(written(built_in_snapshot(name, detail)).encode()) < 1_000_000


@SNAPSHOTS
def test_without_a_script_it_says_every_step_that_the_window_says(snapshot: Snapshot) -> None:
    found = "\n".join(text for _, text in read(snapshot).texts)
    total = len(snapshot.trace.steps)
    for frame in walk(Frame.of(snapshot), 0, total):
        view = step_view(frame)
        assert view.sentence in found
        assert view.more in found
        assert f"Step {frame.position:,} of {total:,}, {view.phase}" in found
    ids = {attributes.get("id") for attributes in read(snapshot).attributes("li")}
    assert {f"step={position}" for position in range(total + 1)} <= ids


@SNAPSHOTS
def test_it_loads_nothing_and_links_nowhere(snapshot: Snapshot) -> None:
    for tag, attributes in read(snapshot).elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base")
        for name, value in attributes.items():
            assert name not in ("src", "srcset", "action", "data", "ping")
            assert name != "href" or value.startswith("#")
            assert not re.search(r"url\(|javascript:|@import", value)
            assert not name.startswith("on")
    style = "".join(text for tag, text in read(snapshot).texts if tag == "style")
    assert set(re.findall(r"url\((.{16})", style)) == {"data:font/woff2;"}
    assert "@import" not in style


@SNAPSHOTS
def test_the_policy_allows_its_own_scripts_alone(snapshot: Snapshot) -> None:
    reader = read(snapshot)
    policy = next(a["content"] for a in reader.attributes("meta") if a.get("http-equiv"))
    assert policy.startswith("default-src 'none';")
    scripts = re.findall(r"<script>(.*?)</script>", written(snapshot), re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    assert re.findall(r"'sha256-([^']+)'", policy) == digests


@SNAPSHOTS
def test_it_says_where_it_comes_from(snapshot: Snapshot) -> None:
    metas = {a.get("name"): a.get("content") for a in read(snapshot).attributes("meta")}
    pairs = provenance(snapshot, with_document=True)
    assert metas["generator"] == pairs["Software"]
    for key in set(pairs) - {"Software", "Document"}:
        assert metas[f"backstep.{key.lower().replace(' ', '-')}"] == pairs[key]


def test_it_carries_the_session_with_which_it_opens_again(tmp_path: Any) -> None:
    snapshot = built_in_snapshot("two-layer-nonlinear")
    path = tmp_path / "page.html"
    path.write_text(page(snapshot), encoding="utf-8")
    document = provenance(snapshot, with_document=True)["Document"]
    assert carried(path) == base64.b64decode(document.partition(",")[2])


# --- titles that are markup ---------------------------------------------------------------------------------

NASTY = "</script><script>document.title='caught'</script>\"'><img src=x onerror=alert(1)>&amp;<!--"


def test_a_title_of_markup_is_a_title() -> None:
    model = model_of("L = mean(w * x)", {"w": 2.0}, {"x": [1.0, 2.0]})
    snapshot = snapshot_of(replace(model, network=replace(model.network, title=NASTY)))
    reader = Reader(page(snapshot))
    assert [text for tag, text in reader.texts if tag == "h1"] == [NASTY]
    assert [text for tag, text in reader.texts if tag == "title"] == [NASTY]
    assert reader.attributes("img") == []
    assert len(reader.attributes("script")) == len(Reader(page(snapshot_of(model))).attributes("script"))
    assert reader.data()["total"] == len(snapshot.trace.steps)


# --- what the script reads ----------------------------------------------------------------------------------


def decoded(row: dict[str, Any]) -> np.ndarray:
    """Return the numbers of a row of the table of arrays; of a heat map, as its cells show them."""
    numbers = np.array([float(text) for text in row["f"].split("|")])
    if "m" not in row:
        return numbers.reshape(row["r"], row["c"])
    levels = np.frombuffer(base64.b64decode(row["m"]), np.uint8).reshape(-1, row["w"]).astype(float)
    scale = np.max(np.abs(numbers))
    return np.where(levels == 0, np.nan, (levels - 128) / 127 * scale)


def states(snapshot: Snapshot) -> Iterator[tuple[dict[str, int], dict[str, int], Frame]]:
    """Yield which arrays the script shows as values and gradients, position by position."""
    data = read(snapshot).data()
    frame = Frame.of(snapshot)
    names = frame.statics.names
    values = {name: node["v"] for name, node in zip(names, data["nodes"], strict=True)}
    gradients = {name: node["g"] for name, node in zip(names, data["nodes"], strict=True)}
    for here in walk(frame, 0, len(snapshot.trace.steps)):
        if here.step is not None:
            step = data["steps"][here.position - 1]
            table = gradients if step["p"] in ("seed", "backward") else values
            if "a" in step:
                table[names[step["n"]]] = step["a"]
        yield values, gradients, here


@SNAPSHOTS
def test_at_every_step_the_script_holds_the_numbers_of_the_trace(snapshot: Snapshot) -> None:
    arrays = read(snapshot).data()["arrays"]
    checked: set[tuple[int, int]] = set()
    for values, gradients, frame in states(snapshot):
        for held, known in ((values, frame.values), (gradients, frame.gradients)):
            for name, place in held.items():
                assert (place >= 0) == (name in known), (frame.position, name)
                if place >= 0 and (place, id(known[name])) not in checked:
                    checked.add((place, id(known[name])))
                    assert_same(arrays[place], known[name])


def test_mere_rounding_looks_as_zero_does_and_is_read_in_full() -> None:
    table = ArrayTable()
    for array in (np.array([[1e-17, -2e-17, 0.0]]), np.full((1, 60), 3e-17)):
        table.add(array, noise=True)
        table.add(array)
    small, real, large, map = table.rows()
    assert (small["t"], small["f"], small["z"]) == ("≈0|≈0|0", "1e-17|-2e-17|0.0", 1)
    assert real["t"] == "1e−17|−2e−17|0"
    assert set(base64.b64decode(large["m"])) == {128}
    assert set(base64.b64decode(map["m"])) == {255}


def test_a_gradient_that_should_have_been_zero_is_rounding_on_the_page_too() -> None:
    model = model_of("L = mean((0.1 * w + 0.2 * w - 0.3 * w) * x)", {"w": 1.0}, {"x": [1.0, 2.0, 3.0]})
    data = read(snapshot_of(model)).data()
    last = next(s for s in reversed(data["steps"]) if s["p"] == "backward")
    assert set(data["arrays"][last["a"]]["t"].split("|")) == {"≈0"}


def assert_same(row: dict[str, Any], array: np.ndarray) -> None:
    found, table = decoded(row), array.reshape(row["r"], row["c"])
    if is_small(array.shape):
        np.testing.assert_array_equal(found, table)
        return
    finite = array[np.isfinite(array)]
    low, high = (float(text) for text in row["f"].split("|"))
    assert (low, high) == (finite.min(), finite.max())
    np.testing.assert_allclose(found, table, rtol=0, atol=np.max(np.abs(finite)) / 127 / 2 * 1.001)


def test_walking_moves_one_state_over_every_step() -> None:
    snapshot = built_in_snapshot("perceptron-classifier")
    for frame in walk(Frame.of(snapshot), 3, 15):
        expected = snapshot.trace.state(frame.position)
        assert dict(frame.values) == expected.values
        assert dict(frame.gradients) == expected.gradients


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_factors_and_what_they_read_are_those_of_the_equations(name: str, detail: Detail) -> None:
    snapshot = built_in_snapshot(name, detail)
    data, frame = read(snapshot).data(), Frame.of(snapshot)
    names = list(frame.statics.names)
    for step, told in zip(snapshot.trace.steps, data["steps"], strict=True):
        assert told["p"] == step.phase.value
        if step.phase == Phase.BACKWARD:
            contribution = frame.statics.derivation.contribution(step.node, int(step.slot or 0))
            assert [names[i] for i in told["r"]] == list(contribution.factor.uses)
            source, target, back = data["edges"][told["e"]]
            assert (names[source], names[target], back) == (step.input, step.node, step.index + 1)


# --- large arrays, large networks ---------------------------------------------------------------------------


def test_the_same_numbers_are_kept_once() -> None:
    table = ArrayTable()
    row = np.array([[1.0, 2.0]])
    assert [table.add(a) for a in (row, row.copy(), row.T, None, np.float64(1.0) * row)] == [0, 0, 1, -1, 0]


def test_a_heat_map_shows_zero_the_extremes_and_what_is_not_a_number() -> None:
    table = ArrayTable()
    array = np.linspace(-2.0, 1.0, 100).reshape(1, 100)
    array[0, :3] = np.nan, np.inf, -np.inf
    array[0, 50] = 0.0
    table.add(array)
    (row,) = table.rows()
    levels = np.frombuffer(base64.b64decode(row["m"]), np.uint8)
    assert levels[:3].tolist() == [0, 255, 1]
    assert levels[50] == 128
    assert row["n"] == 3
    assert levels[99] == 128 + round(127 * 1.0 / abs(array[0, 3]))


def test_many_large_arrays_are_drawn_coarsely_with_their_extremes_kept() -> None:
    table = ArrayTable()
    rng = np.random.default_rng(1)
    arrays = [rng.normal(size=(300, 700)) for _ in range(4)]
    for i, array in enumerate(arrays):
        array[i, 5 * i] = -99.0
        table.add(array)
    rows = table.rows()
    assert sum(len(row["m"]) for row in rows) < 500_000
    for row in rows:
        assert np.nanmin(decoded(row)) == pytest.approx(-99.0)
        assert float(row["f"].split("|")[0]) == -99.0


def test_what_is_left_out_of_a_large_page_is_said_in_one_sentence() -> None:
    assert extent(20, FULL_STEPS, 7).note == ""
    assert extent(20, FULL_STEPS + 1, 7).note == (
        "To keep this page small, it leaves out the numbers put in and the matrices of each step."
    )
    large = extent(MOST_CARDS + 1, 9000, 5000)
    assert (large.first, large.last, large.graph) == (4000, 4000 + MOST_STEPS, False)
    assert large.note == (
        "To keep this page small, it leaves out the drawing of its 1,201 nodes, "
        "all but steps 4,001 to 6,000 of 9,000, and the numbers put in and the matrices of each step."
    )


@pytest.mark.parametrize("position", [0, 1, 4500, 8999, 9000])
def test_the_steps_shown_are_those_around_the_place(position: int) -> None:
    found = extent(10, 9000, position)
    assert found.first <= position <= found.last
    assert found.last - found.first == MOST_STEPS


def test_a_network_of_a_thousand_nodes_says_what_is_left_out() -> None:
    lines = [f"a{i + 1} = sin(a{i} * w)" for i in range(1, 1000)]
    model = model_of("\n".join(["a1 = x * w", *lines, "L = mean(a1000)"]), {"w": 1.5}, {"x": [1.0, 2.0]})
    snapshot = snapshot_of(model)
    reader = read(snapshot)
    text = next(text for tag, text in reader.texts if text.startswith("To keep this page small"))
    assert text == extent(1003, len(snapshot.trace.steps), len(snapshot.trace.steps)).note
    data = reader.data()
    assert data["total"] == len(snapshot.trace.steps)
    assert len(data["steps"]) == min(MOST_STEPS, data["total"])
    assert len([a for a in reader.attributes("li") if a.get("class", "").startswith("card ")]) == 1003


# --- small things -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [
        ("(4 × 1) · (1 × 133) → 4 × 133", "(4 × <s>1</s>) · (<s>1</s> × 133) → 4 × 133"),
        ("(1 × 133) · (133 × 1) → scalar", "(1 × <s>133</s>) · (<s>133</s> × 1) → scalar"),
        (
            "(2 × 3) · (3 × 4) · (4 × 5) → 2 × 5",
            "(2 × <s>3</s>) · (<s>3</s> × <s>4</s>) · (<s>4</s> × 5) → 2 × 5",
        ),
    ],
)
def test_inner_dimensions_cancel(shapes: str, expected: str) -> None:
    assert cancelling(shapes) == expected


def test_its_colours_are_the_palettes() -> None:
    style = next(
        text for tag, text in read(built_in_snapshot("univariate-regression")).texts if tag == "style"
    )
    for palette in (LIGHT, DARK):
        for role in ("forward", "backward", "update", "stored", "canvas", "text"):
            assert f"--{role}:{getattr(palette, role)};" in style


def test_the_format_is_offered_for_html_files() -> None:
    format = formats()["html"]
    snapshot = odd_snapshot(next(iter(ODD)))
    assert format.endings[0] == ".html"
    assert format.write(snapshot, Options()) == page(snapshot)
