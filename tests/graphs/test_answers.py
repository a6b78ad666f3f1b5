"""Answers: what is right is right in any form; every wrong one that is often given gets its own hint."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphs
from engine.alterations import Change
from engine.graph import Detail
from engine.training import Recipe, Run
from graphs.answers import Posed, Question, Verdict, check
from graphs.documents.text import equation_text
from graphs.mistakes import Slip
from graphs.network import bind, built_in_names, load
from graphs.scope import draws, names_of
from graphs.snapshot import Snapshot
from tests.helpers import model_of

TEMPLATES = sorted(str(p) for p in (Path(graphs.__file__).parent / "templates").glob("*.toml"))
NETWORKS = [*built_in_names(), *TEMPLATES]


def snapshot_of(network: str, iteration: int = 0, **more) -> Snapshot:
    model = bind(load(network))
    run = Run(model, more.pop("recipe", None) or model.network.training.recipe)
    run.advance(iteration)
    return Snapshot.of(run, model, iteration=iteration, **more)


def posed(snapshot: Snapshot, kind: str, answer: str, **more) -> Posed:
    return Posed(Question("?", kind, answer, **more), snapshot)


def verdict(snapshot: Snapshot, kind: str, answer: str, text: str, **more) -> Verdict:
    return check(posed(snapshot, kind, answer, **more), text)


LAYERS = snapshot_of("two-layer-nonlinear")
SCALARS = snapshot_of("scalar-operations")
CHAINS = model_of("p = a*b\nq = p + a\nL = q**2", {"a": 3.0, "b": 2.0})
FAN = Snapshot.of(Run(CHAINS), CHAINS)


# --- numbers -----------------------------------------------------------------------------------------------

THIRD = Snapshot.of(Run(model_of("L = x / 3", {"x": 1.0})), model_of("L = x / 3", {"x": 1.0}))
RIGHT_NUMBERS = [
    "0.333",
    "0.33",
    "1/3",
    "0,333",
    "33 %",
    "33.3%",
    "⅓",
    "0.3333333",
    "x/3",
    "L",
    "3.3·10^-1",
    "0.335",
]
WRONG_NUMBERS = {
    "0.3": Slip.DIGITS,
    "-0.333": Change.SIGN,
    "0.34": Slip.ROUNDING,
    "3.33": Slip.DECIMAL,
    "0.0333": Slip.DECIMAL,
    "1": Slip.TIMES,
}


@pytest.mark.parametrize("text", RIGHT_NUMBERS[:-1])
def test_a_number_is_right_to_the_digits_that_were_given(text: str) -> None:
    assert verdict(THIRD, "number", "L", text).right


@pytest.mark.parametrize("text", WRONG_NUMBERS)
def test_a_wrong_number_gets_its_hint(text: str) -> None:
    found = verdict(THIRD, "number", "L", text)
    assert not found.right
    assert WRONG_NUMBERS[text] in found.kinds
    assert found.is_read


def test_zero_is_zero_and_nothing_else_is() -> None:
    model = model_of("L = x*0 + sin(y) - sin(y)", {"x": 1.0, "y": 0.7})
    flat = Snapshot.of(Run(model), model)
    assert verdict(flat, "number", "L", "0").right
    assert verdict(flat, "number", "L", "0.00").right
    assert not verdict(flat, "number", "L", "0.01").right
    assert not verdict(THIRD, "number", "L", "0").right
    assert not verdict(THIRD, "number", "L", "0.00").right


@given(st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-6), st.integers(2, 7))
@settings(max_examples=150, deadline=None)
def test_any_rounding_to_two_digits_or_more_is_right(value: float, digits: int) -> None:
    model = model_of("L = 1 * x", {"x": value})
    here = Snapshot.of(Run(model), model)
    question = posed(here, "number", "L")
    for text in (f"{value:.{digits}e}", f"{value:#.{digits}g}"):
        assert question.check(text).right, text
        wrong = text[1:] if text.startswith("-") else f"-{text}"
        assert not question.check(wrong).right, wrong


# --- matrices ----------------------------------------------------------------------------------------------


def test_a_matrix_is_compared_entry_by_entry() -> None:
    value = LAYERS.trace.values["W1"]  # 4 × 1
    rows = [f"{float(x):.3f}" for x in value[:, 0]]
    question = posed(LAYERS, "matrix", "W1")
    assert question.check("; ".join(rows)).right
    assert question.check("[" + ", ".join(f"[{x}]" for x in rows) + "]").right
    assert question.check("\n".join(rows)).right
    off = question.check("; ".join([*rows[:3], "99.0"]))
    assert (off.right, off.kinds) == (False, (Slip.SOME,))
    assert "[3, 0]" in off.hint
    turned = question.check(", ".join(rows))
    assert Slip.TRANSPOSED in turned.kinds
    assert Slip.SHAPE in question.check("1, 2").kinds


# --- shapes ------------------------------------------------------------------------------------------------

SHAPES = [
    "4x133",
    "4 × 133",
    "(4, 133)",
    "(4,133)",
    "4 by 133",
    "k×m",
    "k x m",
    "kxm",
    "[4, 133]",
    "4*133",
    "(k, m)",
    "ℝ^{4×133}",
    "4 133",
    "k by m.",
]


@pytest.mark.parametrize("text", SHAPES)
def test_a_shape_is_right_in_any_spelling(text: str) -> None:
    assert verdict(LAYERS, "shape", "Z", text).right
    assert verdict(LAYERS, "shape", "d_Z", text).right


def test_a_wrong_shape_gets_its_hint() -> None:
    wrong = {"m × k": Slip.TRANSPOSED, "532": Slip.SIZE, "scalar": Slip.SHAPE, "1 x 133": Slip.OTHER}
    for text, kind in wrong.items():
        assert verdict(LAYERS, "shape", "Z", text).kinds == (kind,), text
    assert verdict(LAYERS, "shape", "L", "scalar").right
    assert verdict(LAYERS, "shape", "L", "()").right
    assert verdict(LAYERS, "shape", "L", "1").kinds == (Slip.SIZE,)
    assert not verdict(LAYERS, "shape", "Z", "3 x 7").right
    assert not verdict(LAYERS, "shape", "Z", "what?").is_read


# --- choices and names -------------------------------------------------------------------------------------


def test_choices_and_names() -> None:
    choices = ("they are added up", "The largest counts.")
    for text in ("they are added up", "a", "A)", "(a)", "1", " They are added up. "):
        assert verdict(LAYERS, "choice", choices[0], text, choices=choices).right, text
    assert not verdict(LAYERS, "choice", choices[0], "b", choices=choices).right
    assert not verdict(LAYERS, "choice", choices[0], "c", choices=choices).is_read
    for text in ("yhat", "ŷ", "y_hat", " ŷ. "):
        assert verdict(LAYERS, "name", "yhat", text).right, text
    for text in ("A, X, w2", "w₂ X A", "X; A and w_2", "{A, X, w2}"):
        assert verdict(LAYERS, "name", "A, X, w2", text).right, text
    missing = verdict(LAYERS, "name", "A, X, w2", "A, Z")
    assert missing.hint == "$Z$ does not belong there. 2 values are missing."
    assert verdict(LAYERS, "name", "A, X, w2", "A, X").hint == "One value is missing."
    assert not verdict(LAYERS, "name", "A", "Q").is_read


# --- formulas ----------------------------------------------------------------------------------------------

RIGHT_FORMULAS = {
    "d_W1": [
        "dZ X^T",
        "∂L/∂Z · Xᵀ",
        "d_Z @ X.T",
        "(X dZᵀ)ᵀ",
        "((w2ᵀ 2/m (ŷ − y)) ⊙ A ⊙ (1 − A)) Xᵀ",
        "(w2ᵀ 2/m (ŷ − y)) ⊙ A ⊙ (1 − A) Xᵀ",
        "(w2.T @ (yhat - y) * 2 / m * (A - A**2)) @ X.T",
        "∂L/∂W1 = (dA * σ'(Z)) @ X.T",
        "(dA ⊙ ∂A/∂Z) Xᵀ",
        "np.dot(d_A * sigmoid(Z) * (1 - sigmoid(Z)), X.T)",
        "dW1",
    ],
    "d_b1": ["dZ 1⃗", "np.sum(dZ, axis=1, keepdims=True)", "dZ.sum(axis=1, keepdims=True)"],
    "d_b2": ["2/m (ŷ−y) 1⃗", "2/m * sum(yhat - y)", "2 mean(ŷ − y)", "sum(d_yhat)"],
    "A": ["σ(Z)", "1/(1 + e^(-Z))", "sigmoid(W1 X + b1)", "(1 + tanh(Z/2))/2"],
    "d_A": ["w2ᵀ dŷ", "(dŷᵀ w2)ᵀ", "w2' * d_yhat"],
    "new_b2": ["b2 - eta * d_b2", "b2 - learning_rate db2"],
}


@pytest.mark.parametrize("answer", RIGHT_FORMULAS)
def test_a_formula_that_means_the_same_is_right(answer: str) -> None:
    question = posed(LAYERS, "expression", answer)
    for text in RIGHT_FORMULAS[answer]:
        found = question.check(text)
        assert found.right, (text, found.message)


WRONG_FORMULAS = {
    "-dZ X^T": (Change.SIGN, "sign"),
    "dZ X": (Change.TRANSPOSE, "transpose is missing"),
    "dZ^T X^T": (Change.TRANSPOSE, "transpose too much"),
    "Xᵀ dZ": (Change.ORDER, "order of the product"),
    "dA Xᵀ": (Change.FACTOR, r"derivative of σ is missing"),
    "(dA ⊙ A) Xᵀ": (Change.PART, "not whole"),
    "(dA ⊙ Z ⊙ (1 − Z)) Xᵀ": (Change.POINT, "wrong value"),
    "((w2ᵀ 2 (ŷ − y)) ⊙ A ⊙ (1 − A)) Xᵀ": (Change.COUNT, r"$\frac{1}{m}$ is missing"),
    "((w2ᵀ 1/m (ŷ − y)) ⊙ A ⊙ (1 − A)) Xᵀ": (Change.CONSTANT, "$2$ is missing"),
    "1/m dZ Xᵀ": (Change.MEAN, "averaged"),
    "dZ": (Slip.UPSTREAM, "arrives at $Z$"),
    "W1": (Slip.VALUE, "value of $W_1$"),
    "X dZᵀ": (Slip.TRANSPOSED, "Transposed"),
    "np.sum(dZ * X, axis=1)": (Slip.SHAPE, "keepdims"),
    "dA": (Slip.OTHER, "gradient of $A$"),
    "dZ * Xᵀ": (Change.ELEMENTWISE, "one of matrices"),
}


@pytest.mark.parametrize("text", WRONG_FORMULAS)
def test_a_wrong_formula_gets_its_hint(text: str) -> None:
    kind, words = WRONG_FORMULAS[text]
    found = verdict(LAYERS, "expression", "d_W1", text)
    assert not found.right
    assert kind in found.kinds, found
    assert words in found.hint, found


def test_one_path_of_a_fan_out_is_recognised() -> None:
    # L = (ab + a)²: ∂L/∂a = 2q (b + 1), of which 2qb comes back through p and 2q through q
    question = posed(FAN, "expression", "d_a")
    assert question.check("2 q (b + 1)").right
    assert question.check("d_p b + d_q").right
    for text, words in {"2 q b": "the path through $p$", "2 q": "the path through $q$"}.items():
        found = question.check(text)
        assert Slip.PATH in found.kinds, found
        assert words in found.hint
    number = posed(FAN, "number", "d_a")
    assert number.check("54").right  # q = 9, 2·9·3
    assert Slip.PATH in number.check("36").kinds
    share = posed(FAN, "number", "p -> a", about="p -> a")
    assert share.check("36").right
    assert Slip.TOTAL in share.check("54").kinds
    assert Slip.PATH in share.check("18").kinds


def test_a_sum_over_the_examples_that_is_left_out_is_recognised() -> None:
    found = verdict(LAYERS, "expression", "d_b1", "dZ")
    assert Change.UNSUMMED in found.kinds or Slip.UPSTREAM in found.kinds
    first = float(LAYERS.trace.gradients["Z"][0, 0])
    assert Change.FIRST in verdict(LAYERS, "number", "d_b1[0, 0]", f"{first:.6g}").kinds


def test_right_at_these_numbers_is_not_right() -> None:
    found = verdict(SCALARS, "expression", "d_c", f"{float(SCALARS.trace.gradients['c'])!r}")
    assert (found.right, found.kinds) == (False, (Slip.NUMBERS,))
    lucky = verdict(FAN, "expression", "d_a", "54 + b - 2")
    assert lucky.kinds[0] == Slip.NUMBERS


def test_what_cannot_be_read_is_no_try() -> None:
    found = verdict(LAYERS, "expression", "d_W1", "dZ Q")
    assert (found.is_read, found.column) == (False, 4)
    assert found.message.startswith("Column 4: Q is not known here.")
    for kind in ("number", "matrix", "expression", "shape", "name"):
        assert not verdict(LAYERS, kind, "Z" if kind != "number" else "L", "").is_read
        assert not verdict(LAYERS, kind, "Z" if kind != "number" else "L", "?!").is_read


@pytest.mark.parametrize(
    ("about", "names"),
    [
        ("p -> h", "d_p, v, h, p, m"),
        ("d_w", "d_h, h, x, w, b, m"),
        ("p", "v, h"),
        ("new_w", "learning_rate, d_w, w"),
        ("2/m * (p - y)", "m, p, y, L"),  # it is the gradient of p
    ],
)
def test_where_a_name_is_not_known_those_of_the_answer_and_its_neighbours_are_told(
    about: str, names: str
) -> None:
    for text in ("2 * Qq", "d_qq"):
        found = verdict(TWICE, "expression", about, text, about=about if "->" in about else "")
        assert not found.is_read
        assert found.message.endswith(f"There are {names} and others."), found.message
    assert "Did you mean" in verdict(LAYERS, "expression", "Z", "yhaz").message


def test_another_entry_is_recognised() -> None:
    question = posed(LAYERS, "number", "W1[1, 0]")
    other = float(LAYERS.trace.values["W1"][2, 0])
    assert Slip.ENTRY in question.check(f"{other:.5g}").kinds
    assert "[2, 0]" in question.check(f"{other:.5g}").hint


def test_formulas_of_their_own_need_no_subject() -> None:
    question = posed(LAYERS, "expression", "2/m * (yhat - y)")
    assert question.check("(ŷ − y) 2/m").right
    assert Change.SIGN in question.check("2/m (y − ŷ)").kinds
    assert Change.COUNT in question.check("2 (ŷ − y)").kinds
    shares = posed(
        snapshot_of(TEMPLATES[[Path(t).stem for t in TEMPLATES].index("softmax")]), "expression", "d_Z"
    )
    assert shares.check("1/m (P − Y)").right  # targets add up to 1 in every redraw


def test_what_an_answer_is_of_the_trace_is_found_out() -> None:
    found = {
        "A * (1 - A)": "d_A/d_Z",
        "w2.T @ d_yhat": "d_A",
        "(d_yhat @ A.T)[0, 2]": "d_w2[0, 2]",
        "W1 @ X + b1": "Z",
        "b2 - learning_rate * d_b2": "new_b2",
        "learning_rate * d_b2": None,
        "2": None,
    }
    for answer, text in found.items():
        kind = "number" if "[" in answer or answer in ("2", "learning_rate * d_b2") else "expression"
        question = posed(LAYERS, kind, answer, about="d_w2" if "[" in answer else "")
        assert (question.subject and question.subject.text(question.place)) == text, answer
        question.validate()
        assert question.check(answer).right


def test_a_formula_of_its_own_has_hints_too() -> None:
    question = posed(LAYERS, "number", "1 - learning_rate**2")  # 0.91
    assert question.check("0.91").right
    for text, words in {"1.09": "sign of $", "0.7": "without its power $2$", "1": "subtracted"}.items():
        found = question.check(text)
        assert words in found.hint, (text, found)


def test_updates_can_be_asked_for() -> None:
    here = snapshot_of("two-layer-nonlinear", 3, recipe=Recipe("momentum", {"momentum": 0.8}))
    question = posed(here, "expression", "new_b2")
    assert question.subject is not None
    assert question.check("b2 - learning_rate * v_b2").right
    assert question.check("b2 - eta v_b2").right
    assert question.check("b2 + eta v_b2").kinds[0] == Change.SIGN
    assert question.check("b2 - v_b2").kinds[0] == Slip.TIMES
    assert posed(here, "number", "v_b2").check(repr(float(names_of(here)["v_b2"]))).right


def test_questions_at_primitive_detail_are_about_lines_all_the_same() -> None:
    here = snapshot_of("two-layer-nonlinear", detail=Detail.PRIMITIVE)
    assert verdict(here, "expression", "A -> Z", "dA ⊙ A ⊙ (1 − A)", about="A -> Z").right
    assert verdict(here, "expression", "d_W1", "dZ Xᵀ").right
    assert verdict(here, "number", "new_b2", repr(float(names_of(LAYERS)["new_b2"]))).right


# --- what is said first -------------------------------------------------------------------------------------

TANH = model_of(
    "h = tanh(w*x + b)\np = v*h + h\nL = mean((p - y)**2)",
    {"w": 0.5, "b": 0.1, "v": 0.7},
    {"x": [1.0, 2.0, -1.0], "y": [0.5, 1.0, -0.3]},
)
TWICE = Snapshot.of(Run(TANH), TANH)


@pytest.mark.parametrize(("about", "text"), [("d_A", "d_yhat @ w2.T"), ("Z", "X @ W1 + b1")])
def test_a_matrix_product_in_the_wrong_order_is_not_said_to_be_one_entry_by_entry(
    about: str, text: str
) -> None:
    found = verdict(LAYERS, "expression", about, text)
    assert found.kinds == (Change.ORDER,)
    assert found.hint == "Look at the order of the product: the other one comes first."


def test_a_product_by_broadcasting_is_right_and_called_that() -> None:
    for text in ("w2.T * d_yhat", "d_yhat * w2.T"):
        found = verdict(LAYERS, "expression", "d_A", text)
        assert found.right
        assert found.note in found.message
        assert "the same as their matrix product" in found.note
    assert verdict(LAYERS, "expression", "d_A", "w2.T @ d_yhat").note == ""
    assert verdict(LAYERS, "expression", "d_Z", "d_A * A * (1 - A)").note == ""


def test_a_matrix_product_for_one_entry_by_entry_is_called_that() -> None:
    found = verdict(LAYERS, "expression", "A * (1 - A)", "A @ (1 - A)")
    assert found.kinds == (Slip.MATRICES,)
    assert "entry by entry, not as one of matrices" in found.hint


@pytest.mark.parametrize("text", ["np.sum(dZ, axis=0, keepdims=True)", "sum(dZ)"])
def test_a_sum_along_the_wrong_axis_is_recognised(text: str) -> None:
    found = verdict(LAYERS, "expression", "d_b1", text)
    assert found.kinds == (Slip.AXIS,)
    assert "axis=1" in found.hint


@pytest.mark.parametrize(
    ("snapshot", "kind", "answer", "text", "hint"),
    [
        (TWICE, "expression", "v * d_p", "d_p", "gradient that arrives at $p$"),
        (
            TWICE,
            "number",
            "sum(h) / m",
            f"{float(TWICE.trace.values['h'].sum()):.6}",
            "not been divided by $m$",
        ),
        (LAYERS, "number", "1/2", "1", "not been divided by $2$"),
        (LAYERS, "expression", "d_A/d_Z", "A", "value of $A$, not a derivative"),
    ],
)
def test_one_mistake_in_two_words_is_told_once(
    snapshot: Snapshot, kind: str, answer: str, text: str, hint: str
) -> None:
    found = verdict(snapshot, kind, answer, text)
    assert hint in found.hint
    assert "Or:" not in found.hint


def test_a_step_back_that_changes_nothing_is_no_other_mistake() -> None:
    model = model_of("b = w + 1\nL = b * w * 3", {"w": 2.0})  # the path through b alone: what arrives at b
    here = Snapshot.of(Run(model), model)
    found = verdict(here, "number", "d_w", "6")
    assert found.hint.startswith("Only the path through $b$")
    assert "Or:" not in found.hint


def test_other_mistakes_that_give_the_same_number_here_are_told_as_two() -> None:
    model = model_of("b = w * u\nL = b * w * 3", {"w": 2.0, "u": 1.0})
    here = Snapshot.of(Run(model), model)
    assert " Or: " in verdict(here, "number", "d_w", "6").hint


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("p -> h 1", "$p$, by its first use there"),
        ("p -> h 2", "$p$, by its second use there"),
        ("p -> h 3", r"the term $-\frac{h}{3}$ of $p$"),
        ("p -> h 4", "the term $h$ of $p$"),
        ("q -> p", "$q$"),
    ],
)
def test_a_use_is_named_by_the_term_it_stands_in(way: str, words: str) -> None:
    model = model_of("h = 2*w\np = h*h - h/3 + h\nq = 3*p\nL = q**2", {"w": 2.0})
    here = Snapshot.of(Run(model), model)
    subject = posed(here, "number", way, about=way).subject
    assert subject is not None
    assert subject.words(here.derivation).endswith(f" through {words}")
    assert posed(here, "number", way, about=way).hints[0].startswith("Only the way through ")


def test_the_path_that_has_been_counted_is_named_by_its_term() -> None:
    assert "the path through the term $v h$ of $p$" in verdict(TWICE, "expression", "d_h", "v * d_p").hint
    other = verdict(TWICE, "expression", "p -> h 2", "v * d_p", about="p -> h 2")
    assert other.hint == "That is what comes back through the term $v h$ of $p$. Asked is another path."


def test_a_power_left_out_is_not_called_the_whole_term() -> None:
    found = verdict(TWICE, "expression", "d_w", "sum(d_h * (1 - h) * x)")
    assert found.hint.endswith("$h$ stands without its power $2$.")


def test_a_first_hint_is_not_the_whole_answer() -> None:
    found = verdict(LAYERS, "expression", "A * (1 - A)", "Z * (1 - Z)")
    assert found.kinds[0] == Change.POINT
    assert "1 - A" not in found.hint


def test_who_gets_the_gradient_is_said_in_words() -> None:
    model = model_of("p = 3*max(a, b)\nL = p**2", {"a": 1.0, "b": 2.0})
    found = verdict(Snapshot.of(Run(model), model), "number", "d_a", "36")
    assert found.kinds[0] == Change.FACTOR
    assert "The larger one gets the gradient" in found.hint
    assert "mathbb" not in found.hint


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("1/2", "0"),  # 0 is no rounding of a half
        ("1/100", "1/10"),  # worked out: no decimal point has been moved
        ("1/100", "0.1"),  # one digit says nothing
        ("2", "1"),  # a count is off by no factor
        ("2", "4"),
        ("300", "301"),  # nor is it rounded
    ],
)
def test_nothing_is_said_that_may_be_untrue(answer: str, text: str) -> None:
    assert verdict(LAYERS, "number", answer, text).message == "That is not it."


def test_the_value_is_recognised_where_it_is_nothing() -> None:
    model = model_of("L = tanh(z)", {"z": 0.0})
    here = Snapshot.of(Run(model), model)
    assert "value of $z$" in verdict(here, "number", "d_z", "0").hint
    assert verdict(here, "number", "d_z", "1").right
    assert "value" not in verdict(SCALARS, "number", "d_c", "0").hint


def test_a_sign_that_is_seldom_seen_is_explained_once() -> None:
    model = model_of("L = max(a, b)", {"a": 1.0, "b": 2.0})
    question = posed(Snapshot.of(Run(model), model), "number", "d_a")
    for texts in (question.hints, question.solution):
        told = [i for i, text in enumerate(texts) if "what stands in the brackets is true" in text]
        assert told == [i for i, text in enumerate(texts) if "mathbb{1}" in text][:1]


def test_a_rounding_to_one_digit_is_too_rough() -> None:
    assert verdict(LAYERS, "number", "1/3", "0.3").kinds == (Slip.DIGITS,)
    assert Slip.DIGITS not in verdict(LAYERS, "number", "1/2", "1").kinds


# --- every mistake, in every network -----------------------------------------------------------------------


@pytest.mark.parametrize("network", NETWORKS)
def test_every_mistake_gets_its_own_hint_and_is_never_right(network: str) -> None:
    here = snapshot_of(network)
    graph = here.trace.graph
    abouts = [f"d_{name}" for name in graph.named if name != graph.loss]
    abouts += [line.name for line in graph.lines]
    paths = [line for line in graph.lines if line.node in graph.on_loss_path][-2:]
    abouts += [f"{line.name} -> {graph.nodes[use.source].name}" for line in paths for use in line.uses[:1]]
    seen: set[str] = set()
    for about in abouts:
        question = posed(here, "matrix", about, about=about)
        assert question.subject is not None
        right = question.right
        if right.size > 24:  # of a large one, an entry: not the first, which would be taken for many a sum
            entry = [size - 1 for size in right.shape]
            question = posed(here, "number", f"{about}{entry}", about=f"{about}{entry}")
        for mistake in question.mistakes:
            value = mistake.value(question.draws[0])
            assert value is not None
            if value.size > 24 or not np.all(np.abs(value) < 1e200):
                continue
            found = question.check(_typed(value))
            assert not found.right, (about, mistake)
            assert mistake.kind in found.kinds, (about, mistake, found)
            assert "$" in mistake.sentence or mistake.sentence.endswith(".")
            seen.add(mistake.kind)
    assert Change.SIGN in seen


def _typed(value: np.ndarray) -> str:
    """Return an array with all its digits, as somebody would paste it."""
    if value.ndim == 0:
        return f"{float(value):.16e}"
    return (
        "["
        + ", ".join("[" + ", ".join(f"{float(x):.16e}" for x in row) + "]" for row in np.atleast_2d(value))
        + "]"
    )


@pytest.mark.parametrize("network", NETWORKS)
def test_every_equation_is_a_right_answer(network: str) -> None:
    """What the window prints is right, and help with it never fails."""
    here = snapshot_of(network)
    derivation, graph = here.derivation, here.trace.graph
    for name in derivation.gradients:
        text = equation_text(derivation.gradient(name), graph.loss)
        if "log_softmax" in text or name == graph.loss:  # a target's gradient, which cannot be typed
            continue
        question = posed(here, "expression", f"d_{name}")
        assert question.check(text).right, text
        assert all(question.hints)
        assert question.solution
    for line in graph.lines:
        question = posed(here, "expression", line.name)
        text = equation_text(derivation.right_side(line.name))
        found = question.check(text)
        assert found.right or Slip.SHAPE in found.kinds, text  # sums are printed without keepdims
        assert question.hints


@pytest.mark.parametrize("network", NETWORKS)
def test_redraws_are_the_same_every_time_and_finite(network: str) -> None:
    first, second = draws(snapshot_of(network)), draws(snapshot_of(network))
    assert len(first) == len(second) == 4
    for a, b in zip(first, second, strict=True):
        for name, array in a.trace.values.items():
            np.testing.assert_array_equal(array, b.trace.values[name])
            assert np.all(np.isfinite(array))


# --- whatever is typed -------------------------------------------------------------------------------------

_ASKED = {
    "number": posed(LAYERS, "number", "L"),
    "matrix": posed(LAYERS, "matrix", "W1"),
    "shape": posed(LAYERS, "shape", "Z"),
    "expression": posed(LAYERS, "expression", "d_b2"),
    "name": posed(LAYERS, "name", "A, yhat"),
    "choice": posed(LAYERS, "choice", "yes", choices=("yes", "no")),
}
_PIECES = (
    *(
        "1",
        "0",
        "9" * 400,
        "-",
        "−",
        ".",
        ",",
        " ",
        "e",
        "E5",
        "^",
        "%",
        "½",
        "×",
        "x",
        "by",
        "k",
        "m",
        "(",
        ")",
    ),
    *(
        "[",
        "]",
        ";",
        "\n",
        "\t",
        "dZ",
        "ŷ",
        "W₁",
        "ᵀ",
        "⊙",
        "+",
        "*",
        "@",
        "/",
        "nan",
        "inf",
        "1⃗",
        "sum(",
        "{",
        "$",
    ),
)
_TYPED = st.lists(st.sampled_from(_PIECES), max_size=10).map("".join)


@pytest.mark.parametrize("kind", _ASKED)
@given(text=_TYPED | st.text(max_size=20))
@settings(max_examples=120, deadline=None)
def test_whatever_is_typed_gets_a_verdict(kind: str, text: str) -> None:
    found = _ASKED[kind].check(text)
    assert found.message
    assert found.right <= found.is_read
    assert found.message.count("$") % 2 == 0 or "$" in text


# --- published worked examples -----------------------------------------------------------------------------


def test_mazurs_example() -> None:
    """The 2-2-2 network of M. Mazur, "A Step by Step Backpropagation Example" (2015), with its numbers."""
    model = model_of(
        "h = sigmoid(W1 @ i + b1)\no = sigmoid(W2 @ h + b2)\nE = 1/2 * norm(t - o)**2",
        {"W1": [[0.15, 0.20], [0.25, 0.30]], "b1": 0.35, "W2": [[0.40, 0.45], [0.50, 0.55]], "b2": 0.60},
        {"i": [[0.05], [0.10]], "t": [[0.01], [0.99]]},
    )
    here = Snapshot.of(Run(model, Recipe("gd", {"learning_rate": 0.5})), model)
    published = {
        "h[0, 0]": "0.593269992",
        "h[1, 0]": "0.596884378",
        "o[0, 0]": "0.75136507",
        "o[1, 0]": "0.772928465",
        "E": "0.298371109",
        "d_W2[0, 0]": "0.082167041",
        "d_W1[0, 0]": "0.000438568",
        "new_W2[0, 0]": "0.35891648",
        "new_W2[0, 1]": "0.408666186",
        "new_W2[1, 0]": "0.511301270",
        "new_W2[1, 1]": "0.561370121",
        "new_W1[0, 0]": "0.149780716",
        "new_W1[0, 1]": "0.19956143",
        "new_W1[1, 0]": "0.24975114",
        "new_W1[1, 1]": "0.29950229",
    }
    for answer, text in published.items():
        assert verdict(here, "number", answer, text, tolerance=0.0).right, answer
    forgotten = verdict(here, "number", "d_W2[0, 0]", repr(0.74136507 * 0.593269992))  # without out(1 − out)
    assert Change.FACTOR in forgotten.kinds
    assert "derivative of σ" in forgotten.hint


def test_the_staged_sigmoid_of_cs231n() -> None:
    """The two-dimensional neuron of Stanford's CS231n notes, "Backpropagation, Intuitions", in its stages."""
    formula = "a = w0*x0\nb = w1*x1\ndot = a + b + w2\nn = -dot\ne = exp(n)\nd = 1 + e\nf = 1/d"
    values = {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}
    model = model_of(formula, values)
    here = Snapshot.of(Run(model), model)
    rounded = {
        **{"dot": "1.00", "e": "0.37", "d": "1.37", "f": "0.73", "d_d": "-0.53", "d_e": "-0.53"},
        **{
            "d_n": "-0.20",
            "d_dot": "0.20",
            "d_x0": "0.39",
            "d_x1": "-0.59",
            "d_w0": "-0.20",
            "d_w1": "-0.39",
        },
        "d_w2": "0.20",
    }
    for answer, text in rounded.items():
        assert verdict(here, "number", answer, text).right, answer
    assert verdict(here, "expression", "d_dot", "(1 − f) f").right  # as one gate
    assert verdict(here, "expression", "d_x0", "w0 f (1 − f)").right


# --- large networks ----------------------------------------------------------------------------------------


def chain(length: int) -> Snapshot:
    """Return a network of so many lines, all of which read one parameter."""
    lines = [f"h{i + 1} = h{i} + 0.001 * tanh(h{i}) + 0.001 * b" for i in range(length - 2)]
    formula = "\n".join(["h0 = w * x", *lines, f"L = mean(h{length - 2}**2)"])
    model = model_of(formula, {"w": 0.5, "b": 0.1}, {"x": [[1.0, 2.0]]})
    return Snapshot.of(Run(model), model)


LONG = chain(500)


@pytest.mark.parametrize(
    ("kind", "answer", "wrong"),
    [
        ("expression", "d_h400", "-d_h400"),
        ("matrix", "d_h400", "-d_h400"),
        ("number", "d_b", "-d_b"),
        ("expression", "d_w", "-d_w"),
        ("matrix", "h400", "-h400"),
    ],
)
def test_a_long_network_is_asked_about_as_a_short_one(kind: str, answer: str, wrong: str) -> None:
    asked = posed(LONG, kind, answer, about=answer)
    assert check(asked, answer).right
    assert "sign" in check(asked, wrong).hint
    assert max(map(len, (*asked.hints, *asked.solution))) < 2_000  # one can read it
    assert len(asked.solution) < 20


def test_what_reads_a_value_is_counted_where_it_is_too_much_to_list() -> None:
    hint, *more = posed(LONG, "number", "d_b", about="d_b").hints
    assert "498 times" in hint
    assert not more  # no sum of 498 products


def test_a_network_of_thousands_of_lines_can_be_asked_about() -> None:
    asked = posed(chain(1_000), "number", "d_h990[0, 1]", about="d_h990[0, 1]")
    assert check(asked, "d_h990[0, 1]").right
    assert "sign" in check(asked, "-d_h990[0, 1]").hint
