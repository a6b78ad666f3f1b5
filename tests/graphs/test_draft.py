"""A network while its formula is being typed."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from engine.errors import BackstepError, FormulaError
from engine.graph import Kind
from engine.trace import loss_and_gradients
from graphs.definition import FileData, Network
from graphs.draft import Checked, Draft, Row, check, wanted
from graphs.initial import Initial
from graphs.network import bind, built_in, built_in_names
from graphs.writing import dumps

BLANK = Network("blank", "New network", "")
MAZUR = "h = sigmoid(W1 @ x + b1)\no = sigmoid(W2 @ h + b2)\nE = sum(1/2*(t - o)**2)"
PUBLISHED = {
    "W1": "0.15 0.20; 0.25 0.30",
    "x": "0.05, 0.10",
    "b1": "0.35",
    "W2": "0.40 0.45; 0.50 0.55",
    "b2": "0.60",
    "t": "0.01, 0.99",
}


def rows(checked: Checked) -> dict[str, Row]:
    return {row.name: row for row in checked.rows}


def filled(draft: Draft, values: dict[str, str]) -> Draft:
    for name, text in values.items():
        draft = draft.with_entry(name, text, wanted(draft, name))
    return draft


@pytest.mark.parametrize("name", built_in_names())
def test_the_draft_of_a_network_is_that_network(name: str) -> None:
    network = built_in(name)
    found = check(Draft.of(network))
    assert found.error is None
    assert found.model is not None
    assert found.network is not None
    assert found.network.data is network.data
    assert dumps(found.network) == dumps(network)
    assert {row.state for row in found.rows} == {"given"}
    own = bind(network)
    assert all(np.array_equal(found.model.leaves[n], own.leaves[n]) for n in own.leaves)


@pytest.mark.parametrize("name", built_in_names())
def test_without_its_parameters_a_built_in_network_is_drawn_at_once(name: str) -> None:
    network = built_in(name)
    found = check(Draft.of(replace(network, parameters={})))
    assert found.model is not None
    own = bind(network)
    assert {n: found.model.leaves[n].shape for n in own.parameters} == {
        n: own.leaves[n].shape for n in own.parameters
    }
    assert {row.name for row in found.rows if row.state == "drawn"} == set(own.parameters)


def test_a_published_example_from_a_blank_page() -> None:
    draft = Draft.of(BLANK).with_formula(MAZUR)
    found = check(draft)
    assert found.network is None
    assert found.error is None
    assert found.waiting == ("x", "t")
    assert (
        found.sentence()
        == "x and t need numbers: fill in beside the formula, or choose a data file (Ctrl+Shift+O)."
    )
    assert [(r.name, r.state, r.shape) for r in found.rows] == [
        ("W1", "drawn", "k × n"),
        ("x", "missing", "n × m"),
        ("b1", "drawn", "4 × 1 (k × 1)"),
        ("W2", "drawn", "p × k"),
        ("b2", "drawn", "p × 1"),
        ("t", "missing", "p × m"),
    ]
    found = check(filled(draft, PUBLISHED))
    assert found.model is not None
    # Matt Mazur, "A Step by Step Backpropagation Example", 2015
    loss, gradients = loss_and_gradients(found.model.graph, found.model.leaves)
    assert loss == pytest.approx(0.298371109, abs=5e-10)
    assert gradients["W2"][0, 0] == pytest.approx(0.082167041, abs=5e-10)
    assert gradients["W1"][0, 0] == pytest.approx(0.000438568, abs=5e-10)


def test_as_soon_as_the_inputs_have_numbers_there_is_a_graph() -> None:
    draft = filled(Draft.of(BLANK).with_formula(MAZUR), {"x": "0.05; 0.10", "t": "0.01; 0.99"})
    found = check(draft)
    assert found.network is not None
    assert found.network.parameters["W1"] == Initial(("k", "n"), "xavier")
    assert found.network.parameters["b1"] == Initial(("k", 1), "zeros")
    assert found.network.dimensions == {"k": 4}
    wider = check(draft.with_dimension("k", "7"))
    assert wider.model is not None
    assert wider.model.leaves["W1"].shape == (7, 2)
    assert [(s.name, s.size) for s in wider.sizes] == [("k", 7)]


def test_a_name_that_is_typed_anew_has_its_value_back() -> None:
    draft = Draft.of(BLANK).with_formula("L = w1 * x1").with_entry("w1", "3").with_entry("x1", "2")
    draft = check(draft.with_formula("L = w * x1")).draft
    assert rows(check(draft))["w"].state == "drawn"
    found = check(draft.with_formula("L = w1 * x1"))
    assert found.model is not None
    assert float(found.model.leaves["w1"]) == 3.0


def test_a_renamed_name_may_have_the_value_of_the_old_one() -> None:
    network = built_in("two-layer-nonlinear")
    draft = Draft.of(network).having_read(check(Draft.of(network)).names)
    draft = draft.with_formula(network.formula.replace("W1", "V"))
    found = rows(check(draft))["V"]
    assert (found.state, found.carry) == ("drawn", "W1")
    carried = check(draft.carried("W1", "V"))
    assert carried.network is not None
    assert carried.network.parameters["V"] == network.parameters["W1"]
    assert rows(carried)["V"].text == "normal (k × n)"


def test_two_new_names_are_offered_nothing() -> None:
    network = built_in("two-layer-nonlinear")
    text = network.formula.replace("W1", "V").replace("b1", "c1")
    draft = Draft.of(network).having_read(check(Draft.of(network)).names)
    assert all(not row.carry for row in check(draft.with_formula(text)).rows)


def test_the_data_of_a_file_stay_as_long_as_they_are_read() -> None:
    network = built_in("two-layer-nonlinear")
    less = check(Draft.of(network).with_formula("Z = W1 @ X + b1\nL = norm(Z)**2"))
    assert less.network is not None
    assert isinstance(less.network.data, FileData)
    assert set(less.network.data.targets) == set()
    back = check(less.draft.with_formula(network.formula))
    assert back.network is not None
    assert back.network.data is network.data


def test_a_new_input_beside_those_of_a_file() -> None:
    network = built_in("univariate-regression")
    draft = Draft.of(network).with_formula("yhat = w*x + b\nL = mse(yhat, y) + lam * w**2")
    draft = draft.with_kind("lam", Kind.INPUT)
    assert check(draft).waiting == ("lam",)
    found = check(draft.with_entry("lam", "0.5"))
    assert found.model is not None
    assert found.network is not None
    own = bind(network)
    assert found.model.graph.inputs == ("x", "y", "lam")
    assert np.array_equal(found.model.leaves["y"], own.leaves["y"])
    assert isinstance(found.network.data, FileData)  # which goes on naming its file
    assert found.network.data.columns == network.data.columns  # type: ignore[union-attr]
    assert {row.name: row.text for row in check(Draft.of(found.network)).rows}["lam"] == "0.5"
    again = check(Draft.of(found.network).with_formula(network.formula))
    assert again.network is not None
    assert again.network.data == network.data


def test_an_input_becomes_a_parameter_with_its_value() -> None:
    draft = Draft.of(BLANK).with_formula("L = (w*x - 1)**2").with_entry("x", "2")
    found = check(draft.with_kind("x", Kind.PARAMETER))
    assert found.model is not None
    assert set(found.model.graph.parameters) == {"w", "x"}
    assert float(found.model.leaves["x"]) == 2.0


def test_what_was_not_typed_makes_room_for_what_was() -> None:
    draft = Draft.of(built_in("two-layer-nonlinear"))
    found = check(draft.with_entry("W1", "1; 2"))
    assert found.model is not None
    assert {n: found.model.leaves[n].shape for n in ("W1", "b1", "w2", "b2")} == {
        "W1": (2, 1),
        "b1": (2, 1),
        "w2": (1, 2),
        "b2": (),
    }
    assert found.notices[0].startswith("b1 and w2 are drawn anew")


def test_typed_values_that_do_not_fit_are_an_error_that_names_the_field_to_empty() -> None:
    draft = Draft.of(built_in("two-layer-nonlinear"))
    wrong = draft.with_entry("w2", "zeros (1 x 3)").with_entry("W1", "1; 2")
    found = check(wrong)
    assert isinstance(found.error, FormulaError)
    assert (found.error.line, found.error.column) == (1, 12)  # b1 cannot fit both
    assert check(wrong.with_entry("w2", "")).model is not None


def test_the_field_to_empty_is_named() -> None:
    draft = Draft.of(built_in("two-layer-nonlinear"))
    found = check(draft.with_entry("W1", "1; 2").with_entry("b1", "1; 2; 3"))
    assert "Or empty the field of W1" in str(found.error)


def test_values_that_the_formula_has_outgrown_are_drawn_anew_and_come_back_with_it() -> None:
    network = built_in("two-layer-nonlinear")
    draft = Draft.of(network).with_formula("yhat = w2 @ X + b2\nL = mse(yhat, y)")
    found = check(draft)
    assert found.model is not None
    assert found.model.leaves["w2"].shape == (1, 1)
    assert found.notices[0].startswith("w2 is drawn anew")
    back = check(found.draft.with_formula(network.formula))
    assert back.network is not None
    assert back.network.parameters == network.parameters


def test_a_layer_may_be_put_between_two_others() -> None:
    network = built_in("two-layer-nonlinear")
    lines = network.formula.strip().splitlines()
    lines[2:3] = ["A2 = tanh(W3 @ A + b3)", "yhat = w2 @ A2 + b2"]
    found = check(Draft.of(network).with_formula("\n".join(lines)))
    assert found.model is not None
    assert found.model.leaves["W3"].shape == (4, 4)
    assert found.notices == ()


@pytest.mark.parametrize("name", built_in_names())
def test_a_formula_may_be_typed_over_any_other(name: str) -> None:
    draft = Draft.of(built_in(name)).with_formula(MAZUR)
    found = check(draft)
    assert found.error is None
    assert found.waiting == ("x", "t") or name == "univariate-regression"
    found = check(filled(draft, PUBLISHED))
    assert found.model is not None
    loss, _ = loss_and_gradients(found.model.graph, found.model.leaves)
    assert loss == pytest.approx(0.298371109, abs=5e-10)


def test_a_dimension_that_is_typed_has_a_size_at_once() -> None:
    network = built_in("multivariate-regression")
    text = "Z = V @ X\nL = norm(Z)**2"
    found = check(Draft.of(network).with_formula(text).with_entry("V", "ones (units x n)"))
    assert found.model is not None
    assert found.model.leaves["V"].shape == (4, found.model.leaves["X"].shape[0])
    assert [(s.name, s.size) for s in found.sizes] == [("units", 4)]


def test_a_loss_that_is_gone_gives_way_to_the_last_line_and_is_said() -> None:
    draft = Draft.of(Network("n", "N", "L = w**2\nq = w", loss="L", parameters={"w": np.array(2.0)}))
    assert check(draft).model.graph.loss == "L"  # type: ignore[union-attr]
    found = check(draft.with_formula("E = w**2\nq = w"))
    assert found.model is not None
    assert found.model.graph.loss == "q"
    assert found.notices == ("No line is called L: the loss is q, the last line.",)


def test_zeros_alone_have_the_shape_that_is_needed() -> None:
    network = built_in("two-layer-nonlinear")
    found = check(Draft.of(network).with_entry("W1", "zeros"))
    assert found.model is not None
    assert np.array_equal(found.model.leaves["W1"], np.zeros((4, 1)))


def test_an_input_is_not_drawn() -> None:
    with pytest.raises(BackstepError, match="x is an input"):
        Draft.of(BLANK).with_formula("L = x").with_entry("x", "zeros", None, Kind.INPUT)


# --- what is wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "place", "said"),
    [
        ("", (1, 1), "empty"),
        ("   \n# nothing\n", (1, 1), "empty"),
        ("a = b\nb = a\nL = a", (1, 5), "before its line"),
        ("a = a + 1", (1, 5), "in its own line"),
        ("L = sigmod(w)", (1, 5), "no function sigmod"),
        ("L = 1e400 * w", (1, 5), "too large"),
        ("L = w * (1 + 2", (1, 9), "not closed"),
        ("L = w ^ 2", (1, 7), "not part of the formula language"),
        ("L = [1, 2] @ w", (1, 5), "not part of the formula language"),
        ("Z = X @ X\nL = norm(Z)", (1, 7), "do not fit for @"),
        ("Z = W @ X", (1, 1), "a loss is a scalar"),
        ("L = 'text' * w", (1, 5), "not part of the formula language"),
        ("L = " + "(" * 80 + "w" + ")" * 80, (1, 55), "nested more than"),
        ("L = 1/0", (1, 6), "not a finite number"),
    ],
)
def test_every_error_has_its_place(formula: str, place: tuple[int, int], said: str) -> None:
    data = {"X": np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])}
    found = check(Draft.of(replace(BLANK, data=data)).with_formula(formula))
    assert found.network is None
    assert isinstance(found.error, FormulaError)
    assert said in str(found.error)
    assert (found.error.line, found.error.column) == place


def test_an_error_is_said_before_the_inputs_are_there_if_they_cannot_mend_it() -> None:
    wrong = check(Draft.of(BLANK).with_formula("h = W @ x\nL = mse(h, y) + q(1)"))
    assert "no function q" in str(wrong.error)
    wrong = check(Draft.of(BLANK).with_formula("h = W @ x\nL = norm(h - y) + late\nlate = h\nL = late"))
    assert "late is used before its line" in str(wrong.error)
    fine = check(Draft.of(BLANK).with_formula("h = W @ x\nL = norm(h - y)"))
    assert fine.error is None
    assert fine.waiting == ("x", "y")


def test_ten_megabytes_are_refused_at_once() -> None:
    begin = time.process_time()
    found = check(Draft.of(BLANK).with_formula("L = w\n" * 1_700_000))
    assert "at most 1,000,000" in str(found.error)
    assert time.process_time() - begin < 1


def test_a_file_of_ones_own_is_not_named_in_the_place(tmp_path) -> None:
    network = replace(built_in("scalar-operations"), folder=tmp_path)
    found = check(Draft.of(network).with_formula("L = norm(X\n"))
    assert str(found.error).startswith("line 1")
