"""What is shown at a step: the numbers of the trace, sentences, factors, and nothing of the future."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.graph import Detail
from engine.nudge import nudge_any
from engine.trace import Phase, trace
from engine.training import Recipe, Run
from graphs.documents.json import trace_json
from graphs.network import Model, bind, built_in_names, load
from graphs.views.curtain import Curtain
from gui.equations import equation
from gui.viewdata import (
    EdgeView,
    Frame,
    MatrixView,
    NudgeView,
    SceneView,
    Statics,
    StepView,
    code_rows,
    equation_rows,
    factor_latex,
    inspector_view,
    nudge_view,
    same_selection,
    scene_view,
    step_view,
    timeline_phases,
)
from tests.arithmetic import work_out
from tests.helpers import model_of

DATA = {"X": [[0.5, -1.2, 2.0], [1.5, 0.3, -0.7]], "y": [1.0, 0.0, 1.0]}
PARAMETERS = {"W": [[0.4, -0.9], [1.1, 0.2]], "w": [[0.7, -0.4]], "b": 0.3}
ODD = {
    "residual": "Z = W @ X + b\nA = relu(Z) + Z\nyhat = w @ A\nL = mse(yhat, y)",
    "softmax": "P = softmax(W @ X + b)\nL = -mean(log(P))",
    "axes": "Z = W @ X\ns = sum(Z, axis=0, keepdims=True)\nt = mean(Z, axis=1, keepdims=True)\n"
    "L = mean(s * b) + sum(t**2)",
    "powers": "Z = W @ X + b\nA = (1 + Z**2)**0.5 - 2**Z\nL = norm(w @ A - y)",
    "extremes": "Z = W @ X\nA = max(Z, 0.1 * Z) - min(Z, b)\nL = max(A) + min(A) + sum(w)",
    "bce": "z = w @ X + b\nL = bce(z, y)",
    "cross_entropy": "Z = W @ X + b\nL = cross_entropy(Z, X)",
    "division": "Z = W @ X\nq = Z / (1 + exp(-Z))\nL = 1/m * norm(w @ q - y)**2 / (1 + b**2)",
    "transposes": "S = X.T @ X\nL = sum(abs(W.T - W)) + mean(tanh(S)) * b + sum(w.T)",
    "signs": "Z = -(W @ X) - (b - X)\nL = -sum(-Z * softplus(-Z)) / m",
}
ALL = [(name, detail) for name in built_in_names() for detail in Detail]


class Walk:
    """A model's trace, as frames."""

    def __init__(self, model: Model, detail: Detail = Detail.EQUATION, recipe: Recipe | None = None) -> None:
        self.model = model
        self.detail = detail
        self.run = Run(model, recipe or model.network.training.recipe)
        self.trace = trace(model.graph, model.leaves, detail, self.run.optimize(self.run.point))
        self.statics = Statics(model.graph, detail)

    def frame(
        self, position: int, entry: tuple[int, ...] | None = None, statics: Statics | None = None
    ) -> Frame:
        state = self.trace.state(position)
        return Frame(
            self.model,
            self.trace,
            statics or self.statics,
            position,
            state.values,
            state.gradients,
            0,
            0,
            self.run.optimizer,
            self.run.settings,
            entry,
        )

    def frames(self) -> Iterator[Frame]:
        for position in range(len(self.trace.steps) + 1):
            yield self.frame(position)

    def after(self, phase: str, node: str, source: str | None = None) -> Frame:
        """Return the frame after the last such step."""
        found = [s.index for s in self.trace.steps if (s.phase, s.node, s.input) == (phase, node, source)]
        return self.frame(found[-1] + 1)


def built_in_walk(name: str, detail: Detail) -> Walk:
    return Walk(bind(load(name)), detail)


def odd_walk(formula: str, detail: Detail = Detail.EQUATION) -> Walk:
    read = set(re.findall(r"\w+", formula))
    parameters = {n: v for n, v in PARAMETERS.items() if n in read}
    return Walk(model_of(formula, parameters, {n: v for n, v in DATA.items() if n in read}), detail)


def same_scene(one: SceneView, other: SceneView) -> bool:
    nodes = one.nodes.keys() == other.nodes.keys()
    edges = one.edges == other.edges and list(one.edges) == list(other.edges)
    rest = (one.current, one.reads, one.caption, one.phase)
    return (
        nodes
        and edges
        and all(v.same(other.nodes[n]) for n, v in one.nodes.items())
        and rest == (other.current, other.reads, other.caption, other.phase)
    )


# --- the numbers are the trace's ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "detail"), ALL)
def test_every_number_shown_is_what_trace_prints(name: str, detail: Detail) -> None:
    walk = built_in_walk(name, detail)
    model = walk.model
    printed = trace_json(model, walk.trace, walk.run.optimizer, walk.run.settings)
    values = {n: printed["values"][n] for n in (*model.graph.inputs, *model.graph.parameters)}
    gradients: dict[str, object] = {}
    snapshots = []
    for position in range(len(printed["steps"]) + 1):
        if position:
            step = printed["steps"][position - 1]
            table = gradients if step["phase"] in ("seed", "backward") else values
            table[step["input"] or step["node"]] = step["gradient"] if table is gradients else step["value"]
        snapshots.append((position, dict(values), dict(gradients)))
    for position, known, arrived in [*snapshots, *reversed(snapshots)]:
        _assert_shows(walk.frame(position), known, arrived)
        if position:
            _assert_step_is(step_view(walk.frame(position)), printed["steps"][position - 1])


def _assert_shows(frame: Frame, values: dict, gradients: dict) -> None:
    scene = scene_view(frame)
    for name, node in scene.nodes.items():
        inspected = inspector_view(frame, name)
        assert inspected is not None
        for shown in (node, inspected):
            assert (None if shown.value is None else shown.value.tolist()) == values.get(name)
            assert (None if shown.gradient is None else shown.gradient.tolist()) == gradients.get(name)


def _assert_step_is(view: StepView, printed: dict) -> None:
    assert view.phase == printed["phase"]
    assert (view.latex, view.code) == (printed["latex"], printed["code"])
    matrices = [part for part in view.matrices if isinstance(part, MatrixView)]
    if matrices:
        shown = printed["contribution"] if view.phase == "backward" else printed["value"]
        assert matrices[0].array.tolist() == shown


@pytest.mark.parametrize(("name", "detail"), ALL)
def test_the_numbers_put_in_come_to_the_result_shown(name: str, detail: Detail) -> None:
    _assert_arithmetic(built_in_walk(name, detail))


@pytest.mark.parametrize("formula", ODD.values(), ids=ODD)
@pytest.mark.parametrize("detail", list(Detail))
def test_the_numbers_put_in_come_to_the_result_for_odd_formulas(formula: str, detail: Detail) -> None:
    _assert_arithmetic(odd_walk(formula, detail))


def _assert_arithmetic(walk: Walk) -> None:
    for frame in walk.frames():
        view = step_view(frame)
        if not view.numbers or r"\ldots" in view.numbers or "softmax" in view.equation:
            continue
        if re.search(r"\\text\{(?:mean|bce|cross|mse)|\\sum|CE", view.numbers):
            continue  # a function of a whole matrix
        value, bound = work_out(view.numbers.removeprefix("= "))
        result, _ = work_out(view.result.removeprefix("= "))
        assert abs(value - result) <= bound + 1e-3 * abs(result) + 1e-12, (view.sentence, view.numbers)


@pytest.mark.parametrize("formula", ODD.values(), ids=ODD)
@pytest.mark.parametrize("detail", list(Detail))
def test_the_matrices_of_a_product_multiply_to_the_result(formula: str, detail: Detail) -> None:
    walk = odd_walk(formula, detail)
    for frame in walk.frames():
        view = step_view(frame)
        _assert_product(view, frame)


@pytest.mark.parametrize(("name", "detail"), ALL)
def test_the_matrices_of_a_product_multiply_to_the_result_in_built_in_networks(
    name: str, detail: Detail
) -> None:
    for frame in built_in_walk(name, detail).frames():
        _assert_product(step_view(frame), frame)


def _assert_product(view: StepView, frame: Frame) -> None:
    if len(view.matrices) < 3:
        return
    first, equals, *rest = view.matrices
    operations = {"+", "−", "⊙", "×", "·", "⊘", "÷"}
    if not isinstance(first, MatrixView) or any(isinstance(p, str) and p not in operations for p in rest):
        return
    if equals == "←" and len(rest) == 1:  # where the gradient comes from, not what it is the product of
        return
    assert equals in ("=", "+=", "←")
    np.testing.assert_allclose(_multiplied(rest), first.array, rtol=1e-9, atol=1e-12, err_msg=str(view))
    assert all(p.shape == " × ".join(map(str, p.array.shape)) for p in rest if isinstance(p, MatrixView))


def _multiplied(parts: list[MatrixView | str]) -> np.ndarray:
    """Return what matrices with signs between them come to: products before sums."""
    total = np.asarray(0.0)
    sign, product, operation = 1.0, None, ""
    for part in [*parts, "+"]:
        if isinstance(part, MatrixView):
            if product is None:
                product = part.array
            elif operation in ("⊘", "÷"):
                product = product / part.array
            else:
                product = product @ part.array if operation == "·" else product * part.array
        elif part in ("+", "−"):
            total = total + (0.0 if product is None else sign * product)
            sign, product = (1.0 if part == "+" else -1.0), None
        else:
            operation = part
    return total


@pytest.mark.parametrize("formula", [*ODD.values()], ids=[*ODD])
@pytest.mark.parametrize("detail", list(Detail))
def test_a_scene_made_from_the_last_one_is_the_scene_made_anew(formula: str, detail: Detail) -> None:
    walk = odd_walk(formula, detail)
    rng = np.random.default_rng(1)
    steps = len(walk.trace.steps)
    places = [*range(steps + 1), *reversed(range(steps + 1)), *rng.integers(0, steps + 1, 30).tolist()]
    for position in places:
        fresh = walk.frame(position, statics=Statics(walk.model.graph, detail))
        assert same_scene(scene_view(walk.frame(position)), scene_view(fresh))


# --- edges, factors, contributions -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "detail"), ALL)
def test_edges_light_up_as_steps_are_taken(name: str, detail: Detail) -> None:
    walk = built_in_walk(name, detail)
    taken: set = set()
    computed: set = set()
    for frame in walk.frames():
        step = frame.step
        if step is not None and step.phase == "backward":
            taken.add((step.input, step.node, step.slot))
        elif step is not None and step.phase == "forward":
            computed.add(step.node)
        scene = scene_view(frame)
        assert {key for key, edge in scene.edges.items() if edge.backward} == taken
        assert {edge.target for edge in scene.edges.values() if edge.forward} == {
            target for _, target, _ in scene.edges if target in computed
        }
        lit = {key for key, edge in scene.edges.items() if edge.current == "backward"}
        assert lit == ({scene.current} if scene.current else set())
        assert all(edge.factor == "" for edge in scene.edges.values() if edge.current != "backward")
    assert taken == {key for key, edge in scene.edges.items() if edge.has_backward}


def test_a_variable_used_twice_gathers_its_contributions() -> None:
    for formula in ("u = x * x\nL = u + 3 * x", "a = x + 1\nL = x * a + x"):
        for detail in Detail:
            walk = Walk(model_of(formula, {"x": 2.0}), detail)
            expected = scene_view(walk.frame(0)).nodes["x"].expected
            assert expected == 3
            counts = [scene_view(frame).nodes["x"].arrived for frame in walk.frames()]
            assert sorted(counts) == counts
            assert counts[-1] == expected
            last = scene_view(walk.frame(len(walk.trace.steps) - 1)).nodes["x"]
            assert last.gradient is not None
            assert float(last.gradient) == pytest.approx(7.0 if "u" in formula else 6.0)
            notes = [inspector_view(f, "x").gradient_note for f in walk.frames()]  # type: ignore[union-attr]
            assert "1 of 3 contributions have arrived." in notes
            assert notes[-1] == ""


def test_sentences_count_contributions() -> None:
    walk = Walk(model_of("L = x * x", {"x": 2.0}))
    first, second = (step_view(f).more for f in walk.frames() if f.phase == "backward")
    assert first.endswith("Contribution 1 of 2: more will be added.")
    assert second.endswith("Contribution 2 of 2: it is added to what has arrived.")


@pytest.mark.parametrize(
    ("formula", "node", "source", "factor"),
    [
        ("A = tanh(W @ X)\nL = sum(A)", "A.1", None, ""),
        ("Z = W @ X\nA = tanh(Z)\nL = sum(A)", "A", "Z", r"\odot (1 - A^{\odot 2})"),
        ("Z = W @ X\nA = sigmoid(Z)\nL = sum(A)", "A", "Z", r"\odot A \odot (1 - A)"),
        ("Z = W @ X\nL = sum(3 * Z)\n", "Z", "W", r"\cdot\,X^\intercal"),
        ("Z = W @ X\nq = w @ Z\nL = sum(q)", "q", "Z", r"w^\intercal\,\cdot"),
        ("Z = X - W @ X\nq = b - Z\nL = sum(q)", "q", "Z", r"\times (-1)"),
        ("q = W @ X\nL = sum(q * q)", "L", "q", None),
        ("z = b * b\nq = 1 - z**3\nL = q * 2", "q", "z", r"\times (-3 z^{2})"),
    ],
)
def test_a_factor_stands_on_its_edge_with_its_sign_of_multiplication(
    formula: str, node: str, source: str | None, factor: str | None
) -> None:
    walk = odd_walk(formula)
    if source is None:
        assert factor_latex(walk.frame(0).equation) == factor
        return
    frame = walk.after("backward", node, source)
    shown = scene_view(frame)
    assert shown.current is not None
    text = shown.edges[shown.current].factor
    assert factor is None or text == factor
    assert not re.search(r"\\(?:odot|times) -", text)


def test_the_factor_says_what_it_reads() -> None:
    walk = built_in_walk("two-layer-nonlinear", Detail.EQUATION)
    frame = walk.after("backward", "A", "Z")
    scene = scene_view(frame)
    assert scene.reads == ("A",)
    assert scene.nodes["A"].read
    assert scene.nodes["A"].stored
    assert scene.nodes["A"].part
    assert "The factor reads the stored A." in step_view(frame).more
    assert not scene_view(walk.after("forward", "L")).reads


def test_captions() -> None:
    walk = built_in_walk("univariate-regression", Detail.EQUATION)
    captions = [scene_view(frame).caption for frame in walk.frames()]
    assert captions[0][1].startswith("Ready")
    assert captions[1] == (r"\hat{y}", "is computed")
    assert (r"\frac{\partial\mathcal{L}}{\partial \mathcal{L}}", "starts at 1") in captions
    assert captions[-1] == ("b", "is updated")


def test_a_first_contribution_is_not_called_the_gradient() -> None:
    model = model_of("s = x * x\nq = 3 * x\nr = exp(x)\nL = s + q + r", {"x": 2.0}, {})
    frames = [
        frame
        for frame in Walk(model, Detail.EQUATION).frames()
        if frame.step is not None and frame.step.phase == Phase.BACKWARD and frame.step.target == "x"
    ]
    said = [(scene_view(frame).caption[1], step_view(frame).equation) for frame in frames]
    first, *between, last = said
    assert first[0] == "gets its first of 4 contributions"
    assert [words for words, _ in between] == ["gets contribution 2 of 4", "gets contribution 3 of 4"]
    assert last[0] == "gets its last contribution: it is computed"
    assert r"\leftarrow" in first[1]
    assert not any(" = " in equation for _, equation in said)
    hidden = [step_view(replace(frame, curtain=Curtain(frozenset({"factors"})))).equation for frame in frames]
    assert all(text.endswith(r"= \text{?}") or text.endswith(r"\leftarrow \text{?}") for text in hidden)


# --- words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "phase", "node", "source", "sentence"),
    [
        ("multivariate-regression", "forward", "yhat", None, "ŷ is computed from w, X and b."),
        ("multivariate-regression", "forward", "L", None, "The loss is computed from ŷ and y."),
        (
            "multivariate-regression",
            "backward",
            "L",
            "yhat",
            "The loss reads ŷ directly: the gradient of ŷ is its slope.",
        ),
        (
            "multivariate-regression",
            "backward",
            "yhat",
            "w",
            "To reach w, the gradient of ŷ is multiplied from the right by the transpose of X.",
        ),
        (
            "multivariate-regression",
            "backward",
            "yhat",
            "b",
            "b is copied to every example, so its gradient is the sum over all of them.",
        ),
        (
            "two-layer-nonlinear",
            "backward",
            "A",
            "Z",
            "To reach Z, the gradient of A passes back through σ.",
        ),
        ("scalar-operations", "backward", "p", "s", "To reach s, the gradient of p is multiplied by c."),
        ("scalar-operations", "backward", "s", "b", "The gradient of s passes on to b unchanged."),
        ("scalar-operations", "update", "c", None, "c takes one step against its gradient."),
    ],
)
def test_sentences(network: str, phase: str, node: str, source: str | None, sentence: str) -> None:
    assert step_view(built_in_walk(network, Detail.EQUATION).after(phase, node, source)).sentence == sentence


@pytest.mark.parametrize(("name", "detail"), ALL)
def test_every_sentence_reads_like_one(name: str, detail: Detail) -> None:
    for frame in built_in_walk(name, detail).frames():
        view = step_view(frame)
        for text in (view.sentence, view.more):
            assert not re.search(r"\bthe the\b|the stored the|None|\{|\}|  |\.\.| 0 ", text), text
            assert text == "" or view.phase == "forward" or text.endswith("."), text
        assert view.sentence.split()[0] not in ("the", "part", "to"), view.sentence


def test_the_start_counts_what_is_there() -> None:
    assert step_view(odd_walk("L = b * b").frame(0)).more == "1 parameter is there; nothing is computed yet."
    assert (
        step_view(odd_walk("L = sum(b * X)").frame(0)).more
        == "1 input and 1 parameter are there; nothing is computed yet."
    )


# --- entries, the inspector, rows --------------------------------------------------------------------------


def test_a_chosen_entry_is_put_in_where_it_fits() -> None:
    walk = built_in_walk("two-layer-nonlinear", Detail.EQUATION)
    assert step_view(walk.frame(1, entry=(2, 5))).entry == "Entry [2, 5]"
    for entry in ((99, 0), (0, 0, 0), (-1, 0), ()):
        assert step_view(walk.frame(1, entry=entry)).index == (0, 0)


def test_the_inspector_of_an_edge_shows_its_contribution_only_once_it_has_flowed() -> None:
    walk = built_in_walk("two-layer-nonlinear", Detail.EQUATION)
    key = ("Z", "A", 0)
    before = inspector_view(walk.frame(3), key)
    after_frame = walk.after("backward", "A", "Z")
    after = inspector_view(after_frame, key)
    assert before is not None
    assert after is not None
    assert before.contribution is None
    assert "not" in before.gradient_note or before.gradient_note.startswith("No ")
    assert after_frame.step is not None
    assert after.contribution is after_frame.step.contribution
    assert ("reads", "A") in after.facts


def test_the_inspector_of_what_is_not_there_is_none() -> None:
    frame = built_in_walk("two-layer-nonlinear", Detail.EQUATION).frame(0)
    assert inspector_view(frame, "nobody") is None
    assert inspector_view(frame, ("X", "A", 7)) is None


def test_what_the_loss_does_not_need_says_so() -> None:
    walk = Walk(model_of("z = 2 * x\nL = w * w", {"w": 1.0}, {"x": [1.0, 2.0]}))
    view = inspector_view(walk.frame(len(walk.trace.steps)), "z")
    assert view is not None
    assert view.gradient_note == "The loss does not depend on it: its gradient is zero."


@pytest.mark.parametrize(("name", "detail"), ALL)
def test_rows_mark_what_is_being_computed(name: str, detail: Detail) -> None:
    walk = built_in_walk(name, detail)
    for frame in walk.frames():
        rows = equation_rows(frame)
        assert sum(row.current for row in rows) <= 1
        assert all(row.done == (row.name in frame.values) for row in rows if row.phase == "forward")
        for row in rows:
            if row.phase == "backward" and row.done:
                np.testing.assert_array_equal(frame.gradients[row.name], walk.trace.gradients[row.name])
        codes = code_rows(frame)
        assert [row.phase for row in codes] == timeline_phases(walk.trace)
        assert [i for i, row in enumerate(codes) if row.current] == [frame.position - 1] * (
            frame.position > 0
        )


# --- LaTeX -------------------------------------------------------------------------------------------------


def strings_of(frame: Frame) -> set[str]:
    """Return every LaTeX string shown at a frame."""
    view, scene = step_view(frame), scene_view(frame)
    found = {view.equation, view.latex, scene.caption[0], *(r.latex for r in equation_rows(frame))}
    found |= {part.label for part in view.matrices if isinstance(part, MatrixView)}
    found |= {edge.factor for edge in scene.edges.values() if isinstance(edge, EdgeView)}
    found |= {text for node in scene.nodes.values() for text in (node.title, node.formula)}
    selected = [inspector_view(frame, key) for key in (*scene.nodes, *scene.edges)]
    found |= {view.heading for view in selected if view is not None}
    return found - {""}


def assert_typeset(strings: set[str], caplog: pytest.LogCaptureFixture) -> None:
    for latex in sorted(strings):
        assert equation(latex, 16.0).width > 0
    assert not caplog.records, [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("detail", list(Detail))
def test_every_formula_of_the_built_in_networks_can_be_typeset(
    detail: Detail, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    strings: set[str] = set()
    for name in built_in_names():
        for frame in built_in_walk(name, detail).frames():
            strings |= strings_of(frame)
    assert_typeset(strings, caplog)


@pytest.mark.parametrize("formula", ODD.values(), ids=ODD)
@pytest.mark.parametrize("detail", list(Detail))
def test_every_formula_of_odd_networks_can_be_typeset(
    formula: str, detail: Detail, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    strings: set[str] = set()
    for frame in odd_walk(formula, detail).frames():
        view = step_view(frame)
        strings |= {*strings_of(frame), *{view.numbers, view.result} - {""}}
    assert_typeset(strings, caplog)


# --- the same selection at another detail ------------------------------------------------------------------


def test_a_selection_keeps_its_meaning() -> None:
    graph = odd_walk("Z = W @ X + b\nL = sum(Z**2)").model.graph
    primitive, whole = Detail.PRIMITIVE, Detail.EQUATION
    assert same_selection(graph, None, whole) is None
    assert same_selection(graph, "Z", primitive) == "Z"
    assert same_selection(graph, "Z.1", whole) == "Z"
    assert same_selection(graph, "nobody", whole) is None
    assert same_selection(graph, ("X", "nobody", 0), whole) is None
    for edge in graph.edges(whole):
        there = same_selection(graph, edge, primitive)
        assert there in set(graph.edges(primitive))
        assert there is not None
        assert there[0] == edge[0]
        assert same_selection(graph, there, whole) == edge
    assert same_selection(graph, ("Z.1", "Z", 0), whole) == "Z"


# --- large graphs ------------------------------------------------------------------------------------------


def test_a_step_of_a_large_graph_looks_at_few_cards() -> None:
    """Not by the clock: how often cards are made is counted by their identity."""
    lines = ["y0 = w * w", *(f"y{i} = sin(y{i - 1}) + w" for i in range(1, 2000)), "L = y1999 * 2"]
    walk = Walk(model_of("\n".join(lines), {"w": 0.5}))
    begin = time.process_time()
    for start in (100, 2500, 5000):
        before = scene_view(walk.frame(start))
        after = scene_view(walk.frame(start + 1))
        anew = [name for name, node in after.nodes.items() if node is not before.nodes[name]]
        assert 1 <= len(anew) <= 8
        wires = [key for key, edge in after.edges.items() if edge is not before.edges[key]]
        assert 1 <= len(wires) <= 8
    assert time.process_time() - begin < 60  # a guard against a quadratic loop, with a thousandfold margin


def test_what_should_have_cancelled_is_said_to_be_rounding_wherever_it_is_shown() -> None:
    model = model_of(
        "yhat = w * x + b\nL = norm(yhat - y)**2", {"w": 0.1, "b": 0.2}, {"x": [1.0, 2.0], "y": [0.3, 0.4]}
    )
    walk = Walk(model)
    frame = walk.after("backward", "L", "yhat")
    gradient = frame.gradients["yhat"]
    assert 0 < np.max(np.abs(gradient)) < 1e-15
    nodes = scene_view(frame).nodes
    assert (nodes["yhat"].noise, nodes["L"].noise, nodes["x"].noise) == (("gradient",), ("value",), ())
    inspected = inspector_view(frame, "yhat")
    assert inspected is not None
    assert inspected.noise == ("gradient",)
    shown = [part for part in step_view(frame).matrices if isinstance(part, MatrixView)]
    assert shown[0].noise
    assert {part.label: part.noise for part in shown[1:]}[r"\hat{y} - y"]
    assert not any(part.noise for part in step_view(walk.frame(1)).matrices if isinstance(part, MatrixView))


def test_a_small_number_that_is_none_of_rounding_is_shown_as_any_other() -> None:
    model = model_of("a = sigmoid(w * x)\nL = norm(a)**2", {"w": -40.0}, {"x": [1.0, 1.1]})
    walk = Walk(model)
    frame = walk.frame(len(walk.trace.steps))
    assert not any(view.noise for view in scene_view(frame).nodes.values())


def nudged(walk: Walk, position: int, name: str) -> NudgeView:
    frame = replace(walk.frame(position), nudge=nudge_any(walk.trace, name, (0, 0)))
    found = nudge_view(frame)
    assert found is not None
    return found


def test_a_nudge_shows_no_number_that_lies_in_the_future() -> None:
    walk = built_in_walk("two-layer-nonlinear", Detail.EQUATION)
    places = {phase: [s.index + 1 for s in walk.trace.steps if s.phase == phase] for phase in Phase}
    start = nudged(walk, 0, "W1")
    assert {number for _, number in start.rows} == {"—"}
    assert start.moved[0][0] == "W₁"
    assert len(start.moved) == 1
    assert "forward" in start.verdict
    assert "not computed yet" in nudged(walk, 0, "Z").title
    forward = nudged(walk, places[Phase.FORWARD][-1], "W1")
    assert [number == "—" for _, number in forward.rows] == [False] * 4 + [True] * 2
    assert "backward" in forward.verdict
    assert [name for name, _ in forward.moved] == ["W₁", "Z", "A", "ŷ", "the loss"]
    backward = nudged(walk, places[Phase.BACKWARD][-1], "W1")
    assert "—" not in {number for _, number in backward.rows}
    assert backward.verdict == "They agree."
    assert backward.note == ""
    cards = scene_view(replace(walk.frame(0), nudge=nudge_any(walk.trace, "W1", (0, 0)))).nodes
    assert [name for name, card in cards.items() if card.moved] == ["W1"]


def test_a_gradient_of_which_a_part_is_missing_is_not_compared() -> None:
    walk = Walk(model_of("L = norm(w)**2 + 3 * sum(w)", {"w": [[2.0]]}))
    first = next(s.index for s in walk.trace.steps if s.input == "w")
    assert dict(nudged(walk, first + 1, "w").rows)["gradient"] == "—"
    assert nudged(walk, first + 2, "w").verdict == "They agree."


def test_after_an_update_a_nudge_says_that_it_is_about_what_was_before() -> None:
    walk = built_in_walk("two-layer-nonlinear", Detail.EQUATION)
    [last] = [s.index for s in walk.trace.updates["W1"] if s.quantity == "value"]
    before, after = nudged(walk, last, "W1"), nudged(walk, last + 1, "W1")
    assert "before the update" not in before.title
    assert "before the update moves by ε" in after.title
    assert after.title.split(" = ")[1].split()[0] == before.title.split(" = ")[1].split()[0]
    assert "before its update" in after.note
