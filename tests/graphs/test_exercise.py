"""Exercises: from any network, short to work out, the same for the same seed, right about themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import combinations, islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import graphs
from engine.derive import Derivation
from engine.errors import UsageError
from engine.graph import Kind
from engine.notation import latex
from engine.optimizers import OPTIMIZERS
from engine.trace import forward, gradients, loss_and_gradients
from engine.training import Recipe, Run
from graphs.answers import Posed, Question
from graphs.byhand import by_hand, small_snapshot
from graphs.bytable import is_in_table, sentences, taken
from graphs.drills import DRILLS
from graphs.exercise import Exercise, exercises, series, stored_values
from graphs.network import Model, bind, built_in_names, load
from graphs.plain import equation_text
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Aspect, subjects
from tests.arithmetic import work_out
from tests.helpers import Sample, assert_well_formed, built, example, model_of, run, samples, scope_of

TEMPLATES = sorted(str(p) for p in (Path(graphs.__file__).parent / "templates").glob("*.toml"))
NETWORKS = [*built_in_names(), *TEMPLATES]
FORKED = """
h = tanh(w*x + b)
p = v*h + h
L = mean((p - y)**2)
"""
"""A network whose lines hold several operations, and one line reads a value twice."""


def forked(w: float = 0.5, b: float = 0.1, v: float = 2.0) -> Model:
    return model_of(FORKED, {"w": w, "b": b, "v": v}, {"x": [1.0, -1.0, 2.0], "y": [0.0, 1.0, 1.0]})


def snapshot_of(model: Model) -> Snapshot:
    return Snapshot.of(Run(model, model.network.training.recipe), model)


@pytest.fixture(scope="module", params=NETWORKS)
def made(request: pytest.FixtureRequest) -> tuple[Snapshot, tuple[Exercise, ...]]:
    snapshot = snapshot_of(bind(load(request.param)))
    return snapshot, exercises(snapshot, seed=3)


def right_text(posed: Posed) -> str:
    """Return the right answer as a learner would type it."""
    kind = posed.question.kind
    if kind == "choice":
        return posed.question.answer
    if kind == "shape":
        return " x ".join(map(str, posed.right_shape)) or "scalar"
    if kind == "name":
        return ", ".join(sorted(posed.right_names))
    if kind == "expression":
        subject, derivation = posed.subject, posed.place.derivation
        assert subject is not None
        if subject.aspect == "gradient":
            return equation_text(derivation.gradient(subject.name), derivation.graph.loss)
        return subject.text(posed.place)
    return (
        "[" + ", ".join(map(_row, np.atleast_2d(posed.right))) + "]"
        if posed.right.ndim
        else _digits(posed.right)
    )


def _row(row: np.ndarray) -> str:
    return "[" + ", ".join(map(_digits, row)) + "]"


def _digits(x: np.ndarray) -> str:
    return f"{float(x):.4g}"  # as the sheet's solutions say it


def test_every_exercise_is_solved_by_its_own_answers(made: tuple[Snapshot, tuple[Exercise, ...]]) -> None:
    _, found = made
    for exercise in found:
        assert exercise.parts
        for posed in exercise.parts:
            posed.validate()
            verdict = posed.check(right_text(posed))
            assert verdict.right, (exercise.kind, posed.question, verdict, right_text(posed))
            assert not posed.check(example(posed.question.kind)).right, posed.question


def test_every_kind_is_there_that_the_network_has_something_for(
    made: tuple[Snapshot, tuple[Exercise, ...]],
) -> None:
    snapshot, found = made
    graph = snapshot.trace.graph
    kinds = {exercise.kind for exercise in found}
    assert kinds <= set(DRILLS)
    assert {"values", "formulas", "gradients", "updates", "faults"} <= kinds
    derivation = Derivation(graph)
    forked = any(len(derivation.contributions_to(n)) > 1 for n in graph.named)
    assert not ("paths" in kinds and not forked)
    assert ("shapes" in kinds) == any(graph[n].dims for n in graph.named)


def test_texts_hold_formulas_that_are_whole(made: tuple[Snapshot, tuple[Exercise, ...]]) -> None:
    _, found = made
    for exercise in found:
        texts = [exercise.text]
        for posed in exercise.parts:
            texts += [posed.question.ask, posed.answer_latex, *posed.hints, *posed.solution]
        for text in texts:
            assert text.strip()
            assert text.replace("$$", "$").count("$") % 2 == 0, text
            for formula in re.findall(r"\$([^$]+)\$", text.replace("$$", "$")):
                assert_well_formed(formula.replace(r"\begin{bmatrix}", "").replace(r"\end{bmatrix}", ""))


def test_the_same_seed_gives_the_same_exercises() -> None:
    snapshot = snapshot_of(bind(load("perceptron-classifier")))
    first, again, other = (exercises(snapshot, ["values", "faults"], 4, seed) for seed in (5, 5, 6))
    assert [e.text for e in first] == [e.text for e in again]
    assert [e.text for e in first] != [e.text for e in other]
    assert first[0].text != first[2].text  # other numbers the second time round
    assert first[0].given is first[1].given  # the exercises of a round share theirs


def test_kinds_and_counts_are_as_asked_for() -> None:
    snapshot = snapshot_of(bind(load("univariate-regression")))
    assert [e.kind for e in exercises(snapshot, ["gradients", "values"], 5)] == [
        *("gradients", "values", "gradients", "values", "gradients")
    ]
    titles = [e.title for e in exercises(snapshot, ["updates"], 6)]
    assert {title.split(": ")[1] for title in titles} == {o.title for o in OPTIMIZERS.values()}
    assert exercises(snapshot, ["adam"])[0].title.endswith("Adam")
    for kinds, count in ((["sums"], None), ([], 0), ([], 1000), (["paths"], None)):
        with pytest.raises(UsageError):
            exercises(snapshot, kinds, count)


# --- numbers by hand ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_network_by_hand_is_small_and_short(network: str, seed: int) -> None:
    model = bind(load(network))
    small = by_hand(model, seed)
    assert [line.text for line in small.graph.lines] == [line.text for line in model.graph.lines]
    for name, array in small.leaves.items():
        assert array.size <= 8
        assert np.all(np.abs(array) <= 3)
        assert np.all(array * 2 == np.round(array * 2)), name  # halves and whole numbers
        assert [d.name for d in small.graph[name].dims if not d.name.isdigit()] == [
            d.name for d in model.graph[name].dims if not d.name.isdigit()
        ]
    loss, found = loss_and_gradients(small.graph, small.leaves)
    assert np.isfinite(loss)
    assert abs(loss) < 1000
    assert any(np.any(found[name]) for name in small.graph.parameters)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("seed", range(4))
def test_by_hand_no_unit_and_no_example_does_what_another_does(network: str, seed: int) -> None:
    small = by_hand(bind(load(network)), seed)
    graph, values = small.graph, forward(small.graph, small.leaves)
    found = gradients(graph, values)
    for name in graph.named:
        value = values[graph.ids[name]]
        is_class = graph[name].kind == Kind.INPUT and bool(np.all((value == 0) | (value == 1)))
        if value.ndim == 2 and min(value.shape) > 1:
            ranks = [np.linalg.matrix_rank(pair) for pair in pairs_of_rows(value)]
            assert set(ranks) == {2}, (name, value)
        if value.size > 1 and graph[name].op is not None:
            assert len(np.unique(np.round(value, 9), axis=-1).T) > 1, (name, value)
        assert value.size < 2 or is_class or value.flat[0] != 0 or not np.any(value), (name, value)
    for name in graph.parameters:
        for array in (small.leaves[name], found[name]):
            rows = np.round(
                array.reshape(len(array), -1) if array.ndim > 1 and len(array) > 1 else array.ravel(), 9
            )
            assert array.size < 2 or len(np.unique(rows, axis=0)) == len(rows), (name, array)


def pairs_of_rows(array: np.ndarray) -> Iterator[np.ndarray]:
    for pair in combinations(range(len(array)), 2):
        yield array[list(pair)]


FARTHEST_LATER = 5.0  # where a function is taken that reads the result of another one
LARGEST = 40.0  # of all values and gradients


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("seed", range(3))
def test_by_hand_functions_are_taken_where_the_sheet_has_a_table(network: str, seed: int) -> None:
    small = by_hand(bind(load(network)), seed)
    graph, values = small.graph, forward(small.graph, small.leaves)
    told = " ".join(sentences(graph, values))
    for function in taken(graph):
        x = function.arguments(values)
        assert not function.is_first or np.all(is_in_table(function, values)), (function.name, x)
        assert np.all(np.abs(x) <= (FARTHEST_LATER if function.name != "log" else 5)), (function.name, x)
        assert "Take $" in told or "calculator" in told
    found = gradients(graph, values)
    for array in (*(values[graph.ids[name]] for name in graph.named), *found.values()):
        assert np.all(np.abs(array) <= LARGEST)


def test_the_table_of_a_sheet_has_what_is_needed_and_says_what_it_has_not() -> None:
    def told(network: str) -> str:
        small = by_hand(bind(load(network)))
        return " ".join(sentences(small.graph, forward(small.graph, small.leaves)))

    sigmoid = r"$\sigma(1.5) = 0.8176$, $\sigma(2) = 0.8808$ and $\sigma(-x) = 1 - \sigma(x)$."
    assert sigmoid in told("two-layer-nonlinear")
    assert "calculator" not in told("two-layer-nonlinear")
    assert r"$\log(0.8808) = -0.1269$" in told("logistic-regression")
    assert r"A calculator is needed for $\sigma(x)$" in told("perceptron-classifier")
    assert told("two-layer-linear") == ""
    snapshot = snapshot_of(bind(load("two-layer-nonlinear")))
    assert sigmoid in exercises(snapshot, ["values"])[0].text


def test_polynomials_stay_exact() -> None:
    for network in ("univariate-regression", "multivariate-regression", "two-layer-linear"):
        small = by_hand(bind(load(network)), 4)
        _, found = loss_and_gradients(small.graph, small.leaves)
        for array in found.values():
            assert np.allclose(array * 16, np.round(array * 16), atol=1e-9), (network, array)


def test_classes_stay_classes() -> None:
    logistic = by_hand(bind(load("logistic-regression")))
    assert set(np.unique(logistic.leaves["y"])) <= {0.0, 1.0}
    softmax = by_hand(bind(load(TEMPLATES[[Path(t).stem for t in TEMPLATES].index("softmax")])))
    np.testing.assert_array_equal(softmax.leaves["Y"].sum(axis=0), 1.0)


def test_no_kink_is_asked_about() -> None:
    model = model_of(
        "A = relu(W @ X + b)\nL = sum(abs(A - y))",
        {"W": [[1.0]], "b": 0.0},
        {"X": [1.0, 2.0], "y": [1.0, 0.0]},
    )
    for seed in range(8):
        small = by_hand(model, seed)
        Z = small.leaves["W"] @ small.leaves["X"] + small.leaves["b"]
        assert np.all(Z != 0)
        assert np.all(np.maximum(Z, 0) != small.leaves["y"])


@given(samples(3), st.integers(0, 99))
@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.generate],  # hypothesis looks at every line that runs, and many numbers are tried
    suppress_health_check=[HealthCheck.too_slow],
)
def test_any_network_has_exercises(sample: Sample, seed: int) -> None:
    model = built(sample)
    if model is None:
        return
    snapshot = snapshot_of(model)
    for exercise in exercises(
        snapshot, ["values", "local", "shapes", "formulas", "gradients", "paths"], seed=seed
    ):
        for posed in exercise.parts:
            if posed.question.kind in ("number", "matrix") and np.all(np.isfinite(posed.right)):
                text = _exactly(posed.right)
                assert posed.check(text).right, (sample.formula, posed.question, text)


def _exactly(array: np.ndarray) -> str:
    if array.ndim == 0:
        return f"{float(array):.12e}"
    rows = ("[" + ", ".join(f"{float(x):.12e}" for x in row) + "]" for row in np.atleast_2d(array))
    return "[" + ", ".join(rows) + "]"


def test_a_network_with_few_and_short_numbers_keeps_them_at_first() -> None:
    model = forked()
    snapshot = snapshot_of(model)
    first, second = exercises(snapshot, ["values"], 2)
    (other,) = exercises(snapshot, ["values"], 1, seed=1)

    def has_own(exercise: Exercise) -> bool:
        found = exercise.snapshot.trace.values
        return all(np.array_equal(found[name], array) for name, array in model.leaves.items())

    assert [has_own(exercise) for exercise in (first, second, other)] == [True, False, False]
    (in_full,) = exercises(snapshot, ["shapes"], 1)
    assert in_full.text.startswith("In its own size, the network is")
    long = forked(w=0.51234)
    (short,) = exercises(snapshot_of(long), ["values"], 1)
    assert short.snapshot.trace.values["w"] != long.leaves["w"]


# --- worked solutions ---------------------------------------------------------------------------------------


_NUMBER = r"-?\d+(?:\.\d+)?(?: \\cdot 10\^\{-?\d+\})?|-?10\^\{-?\d+\}"
_MATRIX = re.compile(r"\\begin\{bmatrix\}(.*)\\end\{bmatrix\}\Z")
_ENTRY = re.compile(r"\[(\d+(?:, \d+)*)\]\Z")
_SIGN = re.compile(r" = | \\leftarrow ")


def _float(text: str) -> float:
    assert re.fullmatch(_NUMBER, text), text
    return float(text.replace(r" \cdot 10^{", "e").replace("10^{", "1e").rstrip("}"))


def _stated(formula: str) -> tuple[str, np.ndarray] | None:
    """Return what an equation says that something comes to, None where it says no numbers."""
    left, *_, right = _SIGN.split(formula)
    matrix = _MATRIX.match(right)
    if matrix:
        rows = [row.split(" & ") for row in matrix[1].split(r" \\ ")]
        return left, np.asarray([[_float(cell) for cell in row] for row in rows])
    return (left, np.asarray(_float(right))) if re.fullmatch(_NUMBER, right) else None


def _known(posed: Posed) -> dict[str, np.ndarray]:
    """Return what every symbol of a solution stands for, by its LaTeX."""
    place, here = posed.place, Draw(posed.place.trace, posed.place)
    derivation, own = place.derivation, posed.subject
    found: dict[str, np.ndarray] = {}
    for subject in subjects(place):
        if subject.aspect == Aspect.UPDATE and (own is None or own.aspect != Aspect.UPDATE):
            continue
        try:
            array = subject.value(here)
        except (LookupError, UsageError):
            continue
        symbol = subject.symbol(derivation, place.optimizer)
        if subject.aspect == Aspect.CONTRIBUTION:
            if not derivation.graph.line_by_name[subject.reader].written:
                continue
            symbol = latex(derivation.contribution(subject.reader, subject.slot).expr)
        found.setdefault(_apart(symbol), array)
    return found


def _apart(formula: str) -> str:
    """Return a formula in which a comparison is not taken for what something comes to."""
    return re.sub(r"\[[^\]]* = [^\]]*\]", lambda found: found[0].replace(" = ", "=="), formula)


def assert_solution_states_the_trace(posed: Posed) -> int:
    """Compare every number that a solution or a hint states with the trace; return how many there are."""
    count, known = 0, _known(posed)
    for text in (*posed.solution, *posed.hints):
        for formula in map(_apart, re.findall(r"\$([^$]+)\$", text)):
            stated = _stated(formula) if _SIGN.search(formula) else None
            if stated is None:
                continue
            left, numbers = stated
            if not re.search("[a-zA-Z]", left):
                continue  # a sum of numbers
            entry = _ENTRY.search(left)
            symbol = left[: entry.start()] if entry else left
            symbol = re.sub(r"\A\\left\((.*)\\right\)\Z", r"\1", symbol) if symbol not in known else symbol
            assert symbol in known, (posed.question.ask, formula)
            array = known[symbol]
            own = array[tuple(map(int, entry[1].split(", ")))] if entry else np.squeeze(array)
            np.testing.assert_allclose(np.squeeze(numbers), own, rtol=6e-4, atol=1e-12, err_msg=formula)
            count += 1
    return count


@pytest.mark.parametrize("network", [*NETWORKS, "forked", "forked by one"])
def test_worked_solutions_state_what_is_in_the_trace(network: str) -> None:
    own = {"forked": forked(), "forked by one": forked(w=1.0, v=1.0)}
    snapshot = snapshot_of(own.get(network) or bind(load(network)))
    count = 0
    for seed in (0, 1):
        for exercise in exercises(snapshot, [*DRILLS, "adam", "momentum"], seed=seed):
            for posed in exercise.parts:
                count += assert_solution_states_the_trace(posed)
    assert count > 20


def test_every_part_has_a_way_to_its_answer(made: tuple[Snapshot, tuple[Exercise, ...]]) -> None:
    _, found = made
    for exercise in found:
        for posed in exercise.parts:
            way = [text for text in posed.solution if text != posed.answer_latex]
            assert way, (exercise.kind, posed.question.ask)
            bare = [text for text in way if re.fullmatch(r"\$[^$]+\$", text) and not _SIGN.search(text)]
            assert not bare, exercise.kind  # a formula that is said to be nothing


# --- single kinds ------------------------------------------------------------------------------------------


def test_what_is_stored_is_what_the_source_of_backward_reads() -> None:
    for network in NETWORKS:
        snapshot = snapshot_of(bind(load(network)))
        graph = snapshot.trace.graph
        names = {line.name for line in graph.lines}
        read: set[str] = set()
        inputs = set(graph.inputs)
        for name, source in Derivation(graph).code():
            if name not in inputs and graph.ids[name] in graph.trained and "zeros_like" not in source:
                read |= set(re.findall(r"(?<!\w)[^\W\d]\w*", source)) & names
        assert read == set(stored_values(snapshot)), network


@pytest.mark.parametrize("seed", [1, 11])
def test_two_uses_in_one_line_are_named_by_their_terms_and_bring_different_numbers(seed: int) -> None:
    data = {"x": [1.0, 2.0, -1.0], "y": [0.5, 1.0, -0.3]}
    model = model_of(
        "h = tanh(w*x + b)\np = v*h + h\nL = mean((p - y)**2)", {"w": 0.5, "b": 0.1, "v": 1.0}, data
    )
    (exercise,) = exercises(snapshot_of(model), ["paths"], seed=seed)
    first, second, _ = exercise.parts
    assert "through the term $v h$ of $p$" in first.question.ask
    assert "through the term $h$ of $p$" in second.question.ask
    assert not np.allclose(first.right, second.right)
    found = first.check(str(second.right.tolist()))
    assert "the term $h$ of $p$. Asked is another path." in found.hint or "arrives at $p$" in found.hint


def test_a_wrong_count_of_what_is_stored_is_told_what_it_counts() -> None:
    (exercise,) = exercises(snapshot_of(bind(load("two-layer-nonlinear"))), ["stored"])
    part = exercise.parts[1]  # A, 4 × 133, and ŷ, 1 × 133
    assert part.check("665").right
    said = {
        "2": "number of arrays",
        "532": "$A$ has alone",
        "133": r"$\hat{y}$ has alone",
        "5": "for one example",
        "1198": "all that forward works out",
        "944": "kept anyway",
    }
    for text, words in said.items():
        found = part.check(text)
        assert not found.right
        assert words in found.hint, (text, found)


def test_the_first_wrong_gradient_is_shown_as_a_gradient() -> None:
    (exercise,) = exercises(snapshot_of(bind(load("two-layer-nonlinear"))), ["faults"], 1)
    assert exercise.parts[0].answer_latex.startswith(r"$\frac{\partial\mathcal{L}}{\partial")


def test_a_mean_squared_error_is_worked_out_square_by_square() -> None:
    model = model_of("yhat = w * x\nL = mse(yhat, y)", {"w": 2.0}, {"x": [1.0, 3.0], "y": [0.0, 3.0]})
    told, numbers, *_ = Posed(Question("?", "number", "L"), snapshot_of(model)).solution
    assert told.endswith(r"\frac{1}{N} \sum_{i=1}^{N} (a_i - b_i)^2$")
    assert numbers.endswith(r"\frac{1}{2} \cdot ((2 - 0)^{2} + 9) = 6.5$")


LOSSES = ("mse(w * x, y)", "bce(w * x, y)", "cross_entropy(W @ X, Y)", "mean(softmax(W @ X) * Y)")


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_of_many_entries_is_worked_out_with_numbers(loss: str) -> None:
    data = {
        "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0],
        "y": [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0],
        "X": [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]],
        "Y": [[0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0]],
    }
    model = model_of(f"L = {loss}", {"w": 0.5, "W": [[0.5], [1.0]]}, data)
    (told,) = [t for t in Posed(Question("?", "number", "L"), snapshot_of(model)).solution if r"\ldots" in t]
    assert len(re.findall(r"\d+", told.partition(" = ")[2].partition(r"\ldots")[0])) >= 3


NAMED = r"\\(?:cdot|frac|left|right|sqrt|log|sin|cos|tanh|exp|max|min|sigma|mathbb|;)"
NAMED += r"|\\(?:text|mathrm)\{\w+\}|e\^"


def with_numbers(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what is worked out with numbers in a solution, and what it is said to come to."""
    for text in texts:
        parts = re.split(r" (?:=|\\leftarrow) (?![^\[]*\])", text.strip("$"))  # not those of an indicator
        numbers = parts[-2].rpartition(": $")[2] if len(parts) > 1 else "W"
        if r"\ldots" not in numbers and not re.search("[a-zA-Z]", re.sub(NAMED, "", numbers)):
            yield numbers, parts[-1]


@pytest.mark.parametrize("network", NETWORKS)
def test_numbers_in_solutions_come_to_what_is_said(network: str) -> None:
    snapshot, seen = snapshot_of(bind(load(network))), 0
    for exercise in exercises(snapshot, [*DRILLS, *OPTIMIZERS], seed=4):
        for posed in exercise.parts:
            for numbers, came_to in with_numbers(posed.solution):
                if "nan" not in numbers and not came_to.startswith(r"\begin"):
                    value, bound = work_out(numbers)
                    assert value == pytest.approx(work_out(came_to)[0], rel=1e-3, abs=bound + 1e-9), numbers
                    seen += 1
    assert seen > 5


def test_sentences_read_well() -> None:
    """No title stands as a sentence; one size is no "sizes"; uses are counted as people do."""
    for network in NETWORKS:
        snapshot = snapshot_of(bind(load(network)))
        for exercise in exercises(snapshot, seed=2):
            asks = [part.question.ask for part in exercise.parts]
            words = " ".join([*(line for block in exercise.texts for line in block.lines), *asks])
            assert f"{snapshot.title}." not in words
            assert "The sizes are" not in words or words.partition("The sizes are")[2].count("=") > 1
            assert not re.search(r"used \d times|use number", words)


def test_a_gradient_has_the_shape_of_its_value_in_a_solution() -> None:
    snapshot = snapshot_of(bind(load("univariate-regression")))
    solutions = {posed.question.answer: posed.solution for posed in exercises(snapshot, ["shapes"])[0].parts}
    assert "$w$ is one number, and so is its gradient." in solutions["d_w"]
    assert r"$\hat{y}$ is 1 × m." in solutions["yhat"]


def test_a_faulty_line_is_one_that_somebody_would_write() -> None:
    for network in ("two-layer-nonlinear", "two-layer-linear"):
        snapshot = snapshot_of(bind(load(network)))
        for exercise in exercises(snapshot, ["faults"], 8, seed=2):
            code = next(block for block in exercise.blocks if block.kind == "code")
            assert "reshape" not in "".join(code.lines)


def test_a_faulty_backward_pass_is_faulty_where_it_says() -> None:
    snapshot = snapshot_of(bind(load("two-layer-nonlinear")))
    seen = set()
    for exercise in exercises(snapshot, ["faults"], 8, seed=1):
        here = exercise.snapshot
        code = next(block for block in exercise.blocks if block.kind == "code")
        scope = scope_of(here.model, here.trace.values)
        wrong = []
        for line in code.lines:
            name, source = line.split(" = ", 1)
            scope[name] = run(source, **scope)
            if not np.allclose(scope[name], here.trace.gradients[name[2:]]):
                wrong.append(name[2:])
        assert wrong[0] == exercise.parts[0].question.answer
        seen.add(exercise.parts[1].question.answer)
        assert exercise.parts[1].question.answer in exercise.parts[1].question.choices
    assert len(seen) > 2


@pytest.mark.parametrize("network", [*NETWORKS, ""])
def test_of_a_faulty_backward_pass_only_the_gradient_that_is_named_is_wrong_by_itself(network: str) -> None:
    """Work every gradient out anew, by the right rule, from the gradients that are shown."""
    snapshot = snapshot_of(bind(load(network)) if network else forked())
    for seed in range(3):
        for exercise in exercises(snapshot, ["faults"], 2, seed):
            here, shown = exercise.snapshot, exercise.stage.trace.gradients
            scope = scope_of(here.model, here.trace.values)
            scope |= {f"d_{name}": array for name, array in shown.items()}
            wrong = {
                name
                for name, source in Derivation(here.trace.graph).code()
                if not np.allclose(run(source, **scope), shown[name], rtol=1e-7, atol=1e-10)
            }
            assert wrong == exercise.parts[0].right_names, (seed, wrong)


def test_no_part_of_a_fault_names_the_gradient_that_another_part_asks_for() -> None:
    for exercise in exercises(snapshot_of(forked()), ["faults"], 4):
        symbol = exercise.parts[0].answer_latex.strip("$")
        for part in exercise.parts:
            assert symbol not in part.question.ask
            assert not any(symbol in hint for hint in part.question.hints)
        told, wrong, *_ = exercise.parts[0].solution
        assert symbol in told
        assert wrong.startswith("Here it comes to $")
        assert exercise.parts[1].solution[0].startswith("The gradient that is wrong first is worked out as $")


def test_an_update_by_hand_is_that_of_the_paper() -> None:
    """The second step of Adam on one number, by the formulas of Kingma and Ba (2015), algorithm 1."""
    snapshot = snapshot_of(bind(load("univariate-regression")))
    exercise = exercises(snapshot, ["adam"], seed=2)[0]
    here = exercise.snapshot
    subject = exercise.parts[0].subject
    assert subject is not None
    g, kept = float(here.trace.gradients[subject.name]), here.trace.kept
    m, v = (float(kept[subject.name, key]) for key in here.optimizer.state)
    m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
    step = 0.1 * (m / (1 - 0.8**2)) / (np.sqrt(v / (1 - 0.9**2)) + 1e-8)
    theta = float(here.trace.values[subject.name]) - step
    assert exercise.parts[-1].check(f"{theta:.8g}").right


def test_mini_batches_are_left_out() -> None:
    model = bind(load("univariate-regression"))
    snapshot = Snapshot.of(Run(model, Recipe(batch_size=10)), model)
    small = small_snapshot(model, snapshot.recipe)
    assert small.recipe.batch_size is None
    assert small.trace.graph.examples == 4


def test_what_is_too_long_to_be_worked_out_by_hand_is_said() -> None:
    lines = [f"h{i + 1} = tanh(h{i})" for i in range(59)]
    model = model_of("\n".join(["h0 = w * 1", *lines, "L = h59**2"]), {"w": 0.5})
    with pytest.raises(UsageError, match="a network of 61 lines cannot be worked out by hand"):
        exercises(snapshot_of(model))


def test_exercises_come_one_by_one_and_end_where_nothing_is_new() -> None:
    snapshot = snapshot_of(bind(load("two-layer-nonlinear")))
    first, second = islice(series(snapshot, ["values"], seed=4), 2)
    assert [(e.kind, e.seed, e.turn) for e in (first, second)] == [("values", 4, 0), ("values", 4, 1)]
    assert [e.kind for e in series(snapshot, ["stored"])] == ["stored"]


def test_a_small_network_is_saved_in_another_file_than_the_one_it_was_made_of() -> None:
    model = bind(load("two-layer-nonlinear"))
    assert by_hand(model).network.source is not model.network.source


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_update_is_one_of_a_run_that_can_be_stood_in(name: str) -> None:
    snapshot = exercises(snapshot_of(bind(load("two-layer-nonlinear"))), [name])[0].snapshot
    assert snapshot.run is not None
    again = Snapshot.of(snapshot.run, snapshot.model, iteration=snapshot.iteration)
    assert again.recipe == snapshot.recipe
    for parameter, steps in snapshot.trace.updates.items():
        for step, other in zip(steps, again.trace.updates[parameter], strict=True):
            np.testing.assert_array_equal(step.after, other.after)
