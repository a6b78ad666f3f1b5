"""Network files: what they may say, what is said about the rest, and that they are read as written."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from engine.dialect import ENCODINGS, SPACES, Stated
from engine.errors import BackstepError, DataError, FormulaError, NetworkError, UsageError
from engine.graph import Graph
from engine.shapes import sizes
from engine.trace import loss_and_gradients, trace
from engine.training import Recipe, Run
from graphs.network import (
    INITS,
    FileData,
    Initial,
    Model,
    Network,
    Training,
    bind,
    built_in,
    built_in_names,
    dumps,
    leaf_dims,
    load,
    loads,
    with_values,
)
from graphs.writing import is_said_alike, text_of
from tests.helpers import recipes

NET = 'formula = "L = w * 2"\n'
PARAMETER = NET + "[parameters]\nw = 1.0\n"
CSV = NET + '[data]\nfile = "cars.csv"\n'


def model(text: str, **more: Any) -> Model:
    return bind(loads(text, where="net.toml"), **more)


# --- what a file may say -----------------------------------------------------------------------------------


def test_the_file_of_the_design_is_read_as_it_says() -> None:
    network = loads(
        '''
title = "Two-layer nonlinear network"
formula = """
Z = W1 @ X + b1
A = sigmoid(Z)
yhat = w2 @ A + b2
L = 1/m * norm(yhat - y)**2
"""
loss = "L"
[dimensions]
k = 4
[parameters]
W1 = { shape = ["k", "n"], init = "xavier" }
b1 = { shape = ["k", 1], init = "zeros" }
w2 = [[0.5, -0.2, 0.1, 0.3]]
b2 = 0.0
[data]
X = [[1.0, 2.0], [0.5, 0.1]]
y = [1.0, 0.0]
[training]
optimizer = "gd"
learning_rate = 0.2
'''
    )
    found = bind(network)
    shapes = {name: array.shape for name, array in found.leaves.items()}
    assert shapes == {"X": (2, 2), "y": (1, 2), "W1": (4, 2), "b1": (4, 1), "w2": (1, 4), "b2": ()}
    names = {n: tuple(d.name for d in found.graph[n].dims) for n in ("X", "y", "W1", "Z", "yhat", "L")}
    assert names == {
        "X": ("n", "m"),
        "y": ("1", "m"),
        "W1": ("k", "n"),
        "Z": ("k", "m"),
        "yhat": ("1", "m"),
        "L": (),
    }
    assert network.training == Training(Recipe("gd", {"learning_rate": 0.2}).checked())
    assert found.targets == ("y",)
    assert found.notices == ()


def test_a_list_is_a_row_and_a_number_a_scalar() -> None:
    found = model('formula = "L = sum(w)"\n[parameters]\nw = [1, 2.5, 3]\nb = [[1], [2]]\nc = 4\nd = [[5]]')
    assert found.leaves["w"].tolist() == [[1.0, 2.5, 3.0]]
    assert [found.leaves[n].shape for n in "bcd"] == [(2, 1), (), (1, 1)]
    assert all(array.dtype == np.float64 for array in found.leaves.values())


def test_numbers_are_read_only() -> None:
    found = model('formula = "L = sum(w * X)"\n[parameters]\nw = {shape = [1, "m"]}\n[data]\nX = [1.0, 2.0]')
    for array in found.leaves.values():
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0.0


def test_inputs_that_disagree_on_m_leave_it_unknown() -> None:
    data = "[data]\nX = [[1.0, 2.0, 3.0]]\nq = [[1.0, 2.0]]\n"
    assert model(f'formula = "L = sum(X) + sum(q)"\n{data}').graph.examples is None
    with pytest.raises(FormulaError, match="m, the number of examples, is not known: the inputs disagree"):
        model(f'formula = "L = (sum(X) + sum(q)) / m"\n{data}')


def test_an_input_of_one_column_goes_with_any_number_of_examples() -> None:
    found = model('formula = "L = sum(X * c) / m"\n[data]\nX = [[1.0, 2.0, 3.0]]\nc = [[2.0]]')
    assert found.graph.examples == 3
    assert trace(found.graph, found.leaves).loss == 4.0


def test_names_are_normalised_as_the_formula_reads_them() -> None:
    found = model('formula = "L = ŷ * w₁"\n[parameters]\n"y\u0302" = 2.0\n"w₁" = 3.0')
    assert trace(found.graph, found.leaves).loss == 6.0


def test_an_unused_parameter_is_noticed_and_has_the_gradient_zero() -> None:
    found = model(PARAMETER + "q = [1.0, 2.0]")
    assert found.notices == ("No line uses the parameter q: its gradient is zero.",)
    _, gradients = loss_and_gradients(found.graph, found.leaves)
    assert gradients["q"].tolist() == [[0.0, 0.0]]


# --- what is said about the rest ---------------------------------------------------------------------------

BAD = [
    # text, what the sentence must say
    ("", "there is no formula"),
    ("formula = 3", "formula is not text"),
    ('formula = ""', "line 1, column 1: the formula is empty"),
    ("x = = 3", "not valid TOML.*line 1, column 5"),
    ("x = " + "[" * 5000, "nested too deeply"),
    (NET + "x = 1" + "0" * 5000, "a number that is too long"),
    (NET + "lose = 'L'", "no key lose. Did you mean loss?"),
    (NET + "[paramters]\nw = 1.0", "no key paramters. Did you mean parameters?"),
    (NET + "qqq = 1", "no key qqq. There are: data, description"),
    (NET + "parameters = 3", r"parameters is not a table. Write \[parameters\]"),
    (NET + "title = 3", "title is not text"),
    (NET + "loss = 3", "loss is not text"),
    (
        PARAMETER.replace("[", 'loss = "Q"\n[', 1),
        "the loss is to be Q, but no line has that name. There are: L.",
    ),
    (PARAMETER.replace("[", 'loss = "w"\n[', 1), "the loss is to be w, but no line has that name"),
    (NET + "[dimensions]\nk = 0", "net.toml, k: 0 is not a size. Write a whole number"),
    (NET + "[dimensions]\nk = 1.5", "1.5 is not a size"),
    (NET + "[dimensions]\nk = true", "True is not a size"),
    (NET + "[dimensions]\nk = 1000000", "1000000 is not a size"),
    (NET + '[dimensions]\nk = "a"', "'a' is not a size"),
    (
        PARAMETER + "[dimensions]\nm = 7\n[data]\nX = [1.0, 2.0]",
        "the dimension m is 7, but the data have 2 examples",
    ),
    (NET, r"line 1, column 5: w is not defined"),
    (
        PARAMETER.replace("w =", "v ="),
        r"w is not defined. Did you mean v\? Otherwise add it|w is not defined. Add it",
    ),
    (NET + "[parameters]\nw = true", "parameter w: True is not a finite number"),
    (NET + "[parameters]\nw = '1'", "parameter w: '1' is not a finite number. Write a number, or how"),
    (NET + "[data]\nx = 'a'", "data x: 'a' is not a finite number. Write a number; a CSV is named with file"),
    (NET + "[parameters]\nw = nan", "nan is not a finite number"),
    (NET + "[parameters]\nw = [1.0, -inf]", "-inf is not a finite number"),
    (NET + "[parameters]\nw = 1e400", "inf is not a finite number"),
    (NET + "[parameters]\nw = 1" + "0" * 400, "is not a finite number"),
    (NET + "[parameters]\nw = 1979-05-27", "is not a finite number"),
    (NET + "[parameters]\nw = [[1.0, 2.0], [3.0]]", "parameter w: the rows are not equally long"),
    (NET + "[parameters]\nw = [1.0, [2.0]]", r"\[2.0\] is not a finite number"),
    (NET + "[parameters]\nw = [[1.0], 2.0]", "the rows are not equally long"),
    (NET + "[parameters]\nw = [[[1.0]]]", "more than two dimensions"),
    (NET + "[parameters]\nw = []", "there are no numbers"),
    (NET + "[parameters]\nw = [[]]", "there are no numbers"),
    (NET + "[parameters]\nw = { shape = [1], init = 'xavir' }", "no init xavir. There are: xavier, he"),
    (NET + "[parameters]\nw = { shape = [1], init = ['a'] }", "no init"),
    (NET + "[parameters]\nw = { shap = [1] }", "no key shap. Did you mean shape?"),
    (NET + "[parameters]\nw = { shape = 'k' }", "the shape k is not one"),
    (NET + "[parameters]\nw = { shape = [0] }", r"the shape \[0\] is not one"),
    (NET + "[parameters]\nw = { shape = [true] }", "is not one"),
    (NET + "[parameters]\nw = { shape = [1, 2, 3] }", "is not one"),
    (NET + "[parameters]\nw = { shape = ['k', 1] }", "the dimension k of w has no size"),
    (NET + "[parameters]\nw = { shape = ['m', 1] }", "the dimension m of w has no size"),
    (NET + "[parameters]\nw = { shape = [100000, 100000] }", "w would have more than 2,000,000 entries"),
    (NET + "[parameters]\n'a b' = 1.0", r"\[parameters\]: a b is not a name"),
    (NET + "[parameters]\nlambda = 1.0", "lambda is a word of Python. Choose another name, such as lam."),
    (NET + "[parameters]\nsin = 1.0", "sin is a function"),
    (NET + "[data]\nnp = 1.0", "np is the name of NumPy"),
    (PARAMETER + "d_w = 1.0", "d_w is kept for the gradient of w"),
    (PARAMETER + "[data]\nw = 2.0", "w is both a parameter and data"),
    (PARAMETER + "[data]\nfile = 'cars.csv'\ninputs = { w = ['speed'] }", "w is both a parameter and data"),
    (
        NET + "[data]\nfile = 'nowhere.csv'\ninputs = { w = ['a'] }",
        "no data set nowhere.csv. Put the CSV beside",
    ),
    (NET + "[data]\nfile = 3\ninputs = { w = ['a'] }", "file is not text"),
    (CSV, "inputs does not name columns. Write inputs"),
    (CSV + "inputs = { w = [3] }", r"inputs.w: \[3\] is not a list of columns"),
    (CSV + "inputs = { w = [] }", "no column is chosen for w"),
    (CSV + "inputs = { w = ['sped'] }", "no column sped. Did you mean speed?"),
    (CSV + "input = { w = ['speed'] }", "no key input. Did you mean inputs?"),
    (CSV + "inputs = { w = ['speed'] }\nstandardize = 3", "standardize: 3 is not a list of columns"),
    (CSV + "inputs = { w = ['speed'] }\nwhere = { speed = [true] }", "True is neither text nor a number"),
    (CSV + "inputs = { w = ['speed'] }\nwhere = { speed = nan }", "nan is neither text nor a number"),
    (CSV + "inputs = { w = ['speed'] }\nwhere = { speed = [99] }", "no row has 99 in speed"),
    (CSV + "inputs = { w = ['speed'] }\nwhere = { speed = { from = 9, to = 5 } }", "Exchange from and to"),
    (CSV + "inputs = { w = ['speed'] }\nwhere = { speed = { from = '9' } }", "9 is not a number"),
    (CSV + "inputs = { w = ['speed'] }\nwhere = { speed = {} }", "the range has no end"),
    (CSV + "inputs = { w = ['speed'] }\nwhere = { speed = { form = 9 } }", "Did you mean from?"),
    (NET + "[training]\nlr = 0.1", r"\[training\]: there is no key lr. There are: batch_size, beta1, beta2"),
    (NET + "[training]\nlearningrate = 0.1", "no key learningrate. Did you mean learning_rate?"),
    (NET + "[training]\noptimizer = 'foo'", r"\[training\]: there is no optimizer foo. There are: gd, mom"),
    (NET + "[training]\noptimizer = 3", r"\[training\], optimizer: 3 is not text"),
    (NET + "[training]\nschedule = 'foo'", "there is no schedule foo. There are: constant, step"),
    (NET + "[training]\nlearning_rate = 'a'", r"\[training\], learning_rate: a is not a number"),
    (NET + "[training]\nlearning_rate = '0.1'", r"\[training\], learning_rate: 0.1 is not a number"),
    (NET + "[training]\nlearning_rate = nan", r"\[training\]: the learning rate cannot be nan"),
    (NET + "[training]\nlearning_rate = -1", "the learning rate cannot be -1. It is a number greater than 0"),
    (NET + "[training]\nlearning_rate = 1" + "0" * 400, "It is a number greater than 0"),
    (NET + "[training]\nbeta1 = 0.5", "the optimizer gd has no hyperparameter beta1. beta1 belongs to adam"),
    (NET + "[training]\noptimizer = 'adam'\nbeta2 = 1", "beta2 cannot be 1. It is a number of at least 0"),
    (
        NET + "[training]\nperiod = 5",
        "the schedule constant has no hyperparameter period. period belongs to cosine",
    ),
    (NET + "[training]\nschedule = 'cosine'\nperiod = 0.5", "the period cannot be 0.5. It is a whole number"),
    (NET + "[training]\ntolerance = -1", "the tolerance cannot be -1"),
    (NET + "[training]\nsteps = 0", r"\[training\], steps: the steps cannot be 0"),
    (NET + "[training]\nsteps = 1.5", "the steps cannot be 1.5. It is a whole number of at least 1"),
    (NET + "[training]\nbatch_size = true", r"\[training\], batch_size: True is not a number"),
    (NET + "[training]\nbatch_size = 2.5", "the batch size cannot be 2.5. It is a whole number"),
    ('formula = "z = L\\nL = z"', "z is used before|L is used before its line"),
]


@pytest.mark.parametrize(("text", "what"), BAD, ids=[t[-40:] for t, _ in BAD])
def test_every_bad_value_is_said_in_one_sentence(text: str, what: str) -> None:
    with pytest.raises(BackstepError, match=what) as caught:
        model(text)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 400
    assert said.endswith((".", "?"))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=r"cannot be read .*no such file"):
        load(tmp_path / "nowhere.toml")
    with pytest.raises(
        UsageError, match=r"no network two-layer-nonlinea. Did you mean two-layer-nonlinear\?"
    ):
        load("two-layer-nonlinea")


def test_a_file_that_is_no_text_is_said(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NetworkError, match="not UTF-8"):
        load(path)


def test_windows_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_bytes(
        b"\xef\xbb\xbf" + b'formula = """\r\nz = w * 2\r\nL = z\r\n"""\r\n[parameters]\r\nw = 1.0\r\n'
    )
    assert trace(bind(load(path)).graph, bind(load(path)).leaves).loss == 2.0
    assert load(path).name == "net"


def test_a_csv_beside_the_file_comes_before_a_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "cars.csv").write_text("speed,dist\n1,2\n3,4\n")
    (tmp_path / "net.toml").write_text(
        'formula = "L = mse(w * x, y)"\n[parameters]\nw = 2.0\n[data]\nfile = "cars.csv"\n'
        'inputs = { x = ["speed"] }\ntargets = { y = ["dist"] }\n'
    )
    found = bind(load(tmp_path / "net.toml"))
    assert found.leaves["x"].tolist() == [[1.0, 3.0]]
    assert found.targets == ("y",)


# --- seeds and overrides -----------------------------------------------------------------------------------

DRAWN = (
    'formula = "L = sum(W)"\n[parameters]\nW = { shape = [300, 200], init = "%s" }\nV = { shape = [2, 2] }\n'
)


def test_the_seed_decides_every_drawn_number() -> None:
    one, same, other = (model(DRAWN % "normal", seed=s).leaves["W"] for s in (5, 5, 6))
    assert one.tobytes() == same.tobytes()
    assert one.tobytes() != other.tobytes()


def test_a_parameter_depends_on_no_other() -> None:
    alone = model('formula = "L = sum(V)"\n[parameters]\nV = { shape = [2, 2] }', seed=5)
    assert alone.leaves["V"].tobytes() == model(DRAWN % "normal", seed=5).leaves["V"].tobytes()


def test_the_same_seed_gives_the_same_numbers_in_another_process() -> None:
    drawn = "bind(load('two-layer-nonlinear'), seed=3).leaves['W1'].tobytes().hex()"
    command = [sys.executable, "-c", f"from graphs.network import bind, load; print({drawn})"]
    root = Path(__file__).parents[2]
    printed = {
        subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=root, env={"PYTHONHASHSEED": seed}
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert printed == {bind(load("two-layer-nonlinear"), seed=3).leaves["W1"].tobytes().hex()}


@pytest.mark.parametrize("init", INITS)
def test_initialisers_have_the_spread_they_are_named_for(init: str) -> None:
    # Glorot and Bengio 2010: var = 2 / (in + out); He et al. 2015: var = 2 / in
    expected = {"xavier": 2 / 500, "he": 2 / 200, "normal": 1.0, "uniform": 1 / 3, "zeros": 0.0, "ones": 0.0}
    found = model(DRAWN % init).leaves["W"]
    assert np.var(found) == pytest.approx(expected[init], rel=0.05)
    assert np.mean(found) == pytest.approx(1.0 if init == "ones" else 0.0, abs=0.02)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UsageError, match="the seed cannot be -1"):
        model(PARAMETER, seed=-1)


def test_overrides_replace_parameters_and_data() -> None:
    text = 'formula = "L = sum(w @ X)"\n[parameters]\nw = { shape = [1, "n"] }\n[data]\nX = [[1.0], [2.0]]\n'
    found = model(text, overrides={"w": [[3.0, 4.0]], "X": [[1.0, 1.0], [2.0, 2.0]]})
    assert trace(found.graph, found.leaves).loss == 22.0
    assert found.graph.examples == 2
    with pytest.raises(
        UsageError, match=r"q is neither a parameter nor data of this network. There are: w, X"
    ):
        model(text, overrides={"q": 1.0})
    with pytest.raises(BackstepError, match="the value of w: 'a' is not a finite number"):
        model(text, overrides={"w": "a"})
    with pytest.raises(FormulaError, match=r"w and X: the shapes \(1, 3\) and \(2, 1\) do not fit for @"):
        model(text, overrides={"w": [1.0, 2.0, 3.0]})


# --- mini-batches ------------------------------------------------------------------------------------------


def test_a_batch_takes_its_examples_from_whichever_axis_holds_them() -> None:
    text = (
        'formula = "L = sum(X @ c) / m"\n[data]\nX = [[1.0, 2.0, 3.0]]\n'
        "c = [[1.0], [10.0], [100.0]]\nk = [[7.0]]\n"
    )
    graph, data = model(text).batch(np.array([2, 0]))
    assert data["X"].tolist() == [[3.0, 1.0]]
    assert data["c"].tolist() == [[100.0], [1.0]]
    assert data["k"].tolist() == [[7.0]]
    assert graph.examples == 2
    assert trace(graph, data).loss == 301.0 / 2


def test_the_graph_of_a_batch_size_is_built_once() -> None:
    found = bind(load("two-layer-nonlinear"))
    assert found.batch(np.arange(5))[0] is found.batch(np.arange(5, 10))[0]
    assert found.batch(None)[0] is found.graph


# --- held out ----------------------------------------------------------------------------------------------

LINE = """formula = 'L = 1/m * sum((w * x - y)**2) + 0 * c'
[parameters]
w = 0.5
[data]
x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
y = [2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0]
c = 3.0
held_out = 0.25
"""


def _columns(array: np.ndarray) -> list[float]:
    return array[0].tolist()


def test_literal_examples_are_held_out_and_the_others_keep_their_order() -> None:
    found = model(LINE, seed=7)
    graph, data = held(found)
    assert (found.examples, found.held_examples, graph.examples) == (6, 2, 2)
    assert found.graph.examples == 6
    x, x_held = _columns(found.inputs["x"]), _columns(data["x"])
    assert x == sorted(x)
    assert x_held == sorted(x_held)
    assert sorted(x + x_held) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]
    assert _columns(found.inputs["y"]) == [2 * v for v in x]
    assert _columns(data["y"]) == [2 * v for v in x_held]
    assert found.notices == ("2 of 8 examples are held out.",)


def held(found: Model) -> tuple[Graph, dict[str, np.ndarray]]:
    pair = found.held()
    assert pair is not None
    return pair


def test_m_is_the_number_of_examples_on_its_own_side() -> None:
    found = model(LINE, seed=7)
    graph, data = held(found)
    for one, leaves in ((found.graph, found.leaves), (graph, {**data, **found.parameters})):
        expected = np.mean((0.5 * leaves["x"] - leaves["y"]) ** 2)
        assert trace(one, leaves).loss == pytest.approx(expected, rel=1e-14)


def test_an_input_without_examples_is_the_same_on_both_sides() -> None:
    found = model(LINE)
    assert float(held(found)[1]["c"]) == float(found.inputs["c"]) == 3.0


def test_examples_are_held_out_of_whichever_axis_holds_them() -> None:
    text = (
        'formula = "L = sum(X @ c) / m"\n[data]\nX = [[1.0, 2.0, 3.0, 4.0]]\n'
        "c = [[1.0], [2.0], [3.0], [4.0]]\nheld_out = 0.5\n"
    )
    found = model(text)
    graph, data = held(found)
    assert (found.inputs["c"].shape, data["c"].shape) == ((2, 1), (2, 1))
    assert data["X"][0].tolist() == data["c"][:, 0].tolist()
    assert trace(graph, data).loss == np.sum(data["X"] ** 2) / 2


def test_mini_batches_are_dealt_from_the_training_examples_alone() -> None:
    found = model(LINE, seed=7)
    dealt = [found.batch(found.indices(i, 4))[1]["x"] for i in range(2)]
    assert sorted(np.concatenate(dealt, axis=1)[0].tolist()) == _columns(found.inputs["x"])
    with pytest.raises(BackstepError, match="cannot be taken from 6 examples"):
        found.indices(0, 7)


def test_the_same_seed_holds_out_the_same_examples_in_another_process() -> None:
    code = (
        "from graphs.network import bind, loads\n"
        f"print(bind(loads({LINE!r}), seed=3).held()[1]['x'].tolist())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(held(model(LINE, seed=3))[1]["x"].tolist())
    assert len({str(held(model(LINE, seed=s))[1]["x"].tolist()) for s in range(10)}) > 3


def test_a_csv_is_split_and_only_the_training_rows_are_standardised() -> None:
    found = bind(replace(load("univariate-regression"), held_out=0.2), seed=2)
    whole = bind(load("univariate-regression"), seed=2)
    graph, data = held(found)
    assert (found.examples, found.held_examples, whole.examples, whole.held()) == (40, 10, 50, None)
    assert found.notices[-1] == "10 of 50 examples are held out."
    assert (found.inputs["x"].mean(), found.inputs["x"].std()) == pytest.approx((0, 1))
    assert data["x"].mean() != pytest.approx(0, abs=1e-6)
    assert data["x"].shape == (1, 10)
    assert np.isfinite(trace(graph, {**data, **found.parameters}).loss)


@pytest.mark.parametrize("name", [n for n in built_in_names() if built_in(n).data])
def test_every_built_in_network_can_hold_examples_out(name: str) -> None:
    found = bind(replace(load(name), held_out=0.25))
    run = Run(found, Recipe())
    run.advance(3)
    assert np.isfinite(run.held_loss(run.point))


def test_a_model_keeps_what_is_held_out_on_its_way_to_another_process() -> None:
    found = model(LINE, seed=7)
    copy = pickle.loads(pickle.dumps(found))
    assert copy.held_examples == 2
    assert held(copy)[1]["x"].tolist() == held(found)[1]["x"].tolist()
    assert held(copy)[0].examples == 2


def test_what_is_held_out_cannot_be_written_to() -> None:
    found = model(LINE)
    for array in (*held(found)[1].values(), *found.leaves.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_training_examples_alone_can_be_given_by_hand() -> None:
    found = model(LINE, seed=7)
    changed = model(LINE, seed=7, overrides={"x": found.inputs["x"] * 10})
    assert _columns(changed.inputs["x"]) == [10 * v for v in _columns(found.inputs["x"])]
    assert held(changed)[1]["x"].tolist() == held(found)[1]["x"].tolist()


def test_other_data_given_by_hand_are_split_anew() -> None:
    numbers = [float(i) for i in range(20)]
    found = model(LINE, overrides={"x": numbers, "y": numbers})
    assert (found.examples, found.held_examples) == (15, 5)
    assert found.notices[-1] == "5 of 20 examples are held out."


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("0.25", "1.0", "net.toml, [data], held_out: 1.0 of the examples cannot be held out. Write a number"),
        ("0.25", "-0.5", "-0.5 of the examples cannot be held out"),
        ("0.25", "nan", "nan of the examples cannot be held out"),
        ("0.25", "true", "True of the examples cannot be held out"),
        ("0.25", '"some"', "some of the examples cannot be held out"),
        ("0.25", "0.01", "0.01 of 8 examples leaves none to hold out. Hold out between 0.12 and 0.88."),
        ("c = 3.0", "c = 3.0\nm = 1.0", ""),
        ("w = 0.5", 'w = { shape = [1, "m"] }', "w has a value for every example, so none can be held out"),
    ],
)
def test_what_cannot_be_held_out_is_said_in_one_sentence(old: str, new: str, what: str) -> None:
    text = LINE.replace(old, new)
    if not what:
        assert model(text).held_examples == 2
        return
    with pytest.raises(BackstepError) as caught:
        model(text)
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_examples_nothing_can_be_held_out() -> None:
    text = NET + "[parameters]\nw = 1.0\n[data]\nheld_out = 0.5\n"
    with pytest.raises(BackstepError, match="no common number of examples, so none can be held out"):
        model(text)


# --- how a CSV is written ----------------------------------------------------------------------------------

TABLE = """
formula = "L = mean((w * x - y)**2)"
[parameters]
w = 1.0
[data]
file = "mine.csv"
inputs = { x = ["u"] }
targets = { y = ["v"] }
"""


@pytest.mark.parametrize(
    ("said", "stated"),
    [
        ('delimiter = "tab"', Stated(delimiter="\t")),
        ("delimiter = 'Spaces'", Stated(delimiter=SPACES)),
        ('delimiter = ":"', Stated(delimiter=":")),
        ('decimal = ","\nheader = false', Stated(decimal=",", header=False)),
        ('encoding = "cp1252"', Stated(encoding="windows-1252")),
        ('encoding = "ISO-8859-1"', Stated(encoding="latin-1")),
        ('encoding = "UTF8"', Stated(encoding="utf-8")),
        ('encoding = "Shift_JIS"', Stated(encoding="shift-jis")),
    ],
)
def test_how_a_csv_is_written_can_be_stated(said: str, stated: Stated) -> None:
    data = loads(TABLE + said).data
    assert isinstance(data, FileData)
    assert data.stated == stated
    assert loads(dumps(loads(TABLE + said))).data == data


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            'delimiter = "::"',
            "mine.toml, [data], delimiter: '::' cannot separate values. "
            'Write one character, such as delimiter = ";", or "tab" or "spaces".',
        ),
        ('delimiter = "."', "'.' cannot separate values."),
        ('delimiter = ""', "'' cannot separate values."),
        ("delimiter = 1", 'mine.toml, [data], delimiter: delimiter is not text. Write delimiter = "...".'),
        ('decimal = ";"', """mine.toml, [data], decimal: ';' is not a decimal sign. Write decimal = ",\""""),
        ('header = "no"', "mine.toml, [data], header: header is not true or false. Write header = false."),
        ("header = 0", "header is not true or false"),
        ('encoding = "klingon"', "[data], encoding: there is no encoding klingon. There are: utf-8, utf-16,"),
        ('encoding = "base64"', "there is no encoding base64."),
        ('encoding = "\\u0000"', "there is no encoding"),
        ('decimals = ","', "there is no key decimals. Did you mean decimal?"),
    ],
)
def test_what_cannot_be_stated_is_said_in_one_sentence(said: str, sentence: str) -> None:
    with pytest.raises(NetworkError) as caught:
        loads(TABLE + said, where="mine.toml")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_stated_is_how_the_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes("1,5:2\n2,5:4\n".encode("utf-16"))
    (tmp_path / "mine.toml").write_text(
        TABLE.replace('"u"', '"c1"').replace('"v"', '"c2"') + 'delimiter = ":"\ndecimal = ","\nheader = false'
    )
    found = bind(load(tmp_path / "mine.toml"))
    assert found.inputs["x"].tolist() == [[1.5, 2.5]]
    assert found.inputs["y"].tolist() == [[2, 4]]


# --- written as they are read ------------------------------------------------------------------------------

_numbers = st.floats(allow_nan=False, allow_infinity=False)
_arrays = npst.arrays(np.float64, npst.array_shapes(min_dims=2, max_dims=2, max_side=4), elements=_numbers)
_scalars = _numbers.map(np.array)
_names = st.sampled_from(["w", "W1", "b_2", "ŷ", "theta", "x9", "longer_name"])
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_initials = st.builds(
    Initial, st.lists(st.sampled_from(["k", 1, 3]), max_size=2).map(tuple), st.sampled_from(sorted(INITS))
)
_words = st.lists(_text.filter(bool), min_size=1, max_size=3).map(tuple)
_choices = st.lists(_text | st.integers(-5, 5) | st.floats(-5, 5), min_size=1, max_size=3).map(tuple)
_stated = st.builds(
    Stated,
    st.sampled_from(["", ",", ";", "\t", "|", SPACES, ":", "~", "\\", "\x1f", "¦"]),
    st.sampled_from(["", ".", ","]),
    st.none() | st.booleans(),
    st.sampled_from(["", *ENCODINGS]),
)
_csv = st.builds(
    FileData,
    _text,
    st.dictionaries(st.sampled_from(["X", "Y"]), _words, min_size=1),
    st.dictionaries(st.sampled_from(["y", "t"]), _words),
    st.booleans() | _words,
    st.dictionaries(_text, _choices, max_size=2),
    _stated,
)
_formulas = st.sampled_from(
    [
        "L = w",
        "z = a*b  # a 'comment' \"quoted\" \\ \nL = z",
        'L = 1 # """',
        "L = 1 # é\t\x01",
        "\n\nL = 1\n\n",
    ]
)
_networks = st.builds(
    Network,
    name=st.just("net"),
    title=_text,
    formula=_formulas,
    loss=st.none() | _text,
    description=_text,
    dimensions=st.dictionaries(_text, st.integers(1, 9), max_size=2),
    parameters=st.dictionaries(_names, _arrays | _scalars | _initials, max_size=3),
    data=st.dictionaries(st.sampled_from(["X", "y"]), _arrays | _scalars, max_size=2) | _csv,
    training=st.builds(Training, recipes(), st.integers(1, 9999)),
    held_out=st.just(0.0) | st.floats(0.0, 1.0, exclude_max=True),
)


@given(_networks)
def test_a_network_is_read_back_as_it_was_written(network: Network) -> None:
    text = dumps(network)
    found = loads(text, name="net")
    assert found.formula.strip("\n") == network.formula.strip("\n")
    for key in ("title", "loss", "description", "dimensions", "training", "held_out"):
        assert getattr(found, key) == getattr(network, key), text
    _assert_same(found.parameters, network.parameters)
    if isinstance(network.data, FileData):
        assert found.data == network.data
    else:
        _assert_same(found.data, network.data)
    assert dumps(found) == text


def _assert_same(found: Any, expected: Any) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        if isinstance(value, Initial):
            assert found[name] == value
        else:
            assert found[name].shape == value.shape
            assert found[name].tobytes() == value.tobytes()


@given(st.text(max_size=200))
def test_any_text_is_a_network_or_a_plain_error(text: str) -> None:
    for whole in (text, f'formula = "L = w"\n[parameters]\nw = {text}'):
        error = _error_of(whole)
        assert error is None or "\n" not in str(error)


def _error_of(text: str) -> BackstepError | None:
    try:
        found = model(text)
    except BackstepError as error:
        return error
    assert all(found.leaves[n].shape == sizes(found.graph[n].dims) for n in found.leaves)
    return None


def test_a_key_of_thousands_of_dots_is_refused_before_it_is_read() -> None:
    with pytest.raises(BackstepError, match="more than a hundred dots"):
        loads("[q]\n" + "a." * 50_000 + "a = 1\nformula = 'L = w'")


def test_data_given_by_hand_are_not_said_to_be_standardised() -> None:
    model = bind(load("univariate-regression"), overrides={"x": [1, 2, 3], "y": [2, 4, 6]})
    assert model.notices == ("x, y: the values given here, not those of the file.",)


def test_the_shapes_of_what_is_defined_can_be_had_for_any_formula() -> None:
    network = replace(built_in("two-layer-nonlinear"), formula="Q = W1 @ H\nL = norm(Q)")
    dims = leaf_dims(network, overrides={"b2": [[1.0, 2.0]]})
    assert {name: tuple(d.size for d in found) for name, found in dims.items()} == {
        "X": (1, 133),
        "y": (1, 133),
        "W1": (4, 1),
        "b1": (4, 1),
        "w2": (1, 4),
        "b2": (1, 2),
    }
    assert [d.name for d in dims["W1"]] == ["k", "n"]


def test_a_range_of_a_column_is_written_and_read_back() -> None:
    text = 'formula = "L = mean((w * x - y)**2)"\n[parameters]\nw = 1.0\n[data]\nfile = "cars"\n'
    text += 'inputs = { x = ["speed"] }\ntargets = { y = ["dist"] }\n'
    network = loads(text + "where = { speed = { from = 10, to = 20.5 }, dist = { to = 60 } }\n")
    assert loads(dumps(network)).data == network.data
    model = bind(network)
    assert (model.inputs["x"].min(), model.inputs["x"].max()) == (10, 20)
    assert model.notices[0] == "Only rows with speed from 10 to 20.5 are used."


def test_data_outside_the_folder_are_named_by_their_whole_path(tmp_path: Path) -> None:
    csv = tmp_path / "mine.csv"
    csv.write_text("a;b\n1,5;2\n2,5;4\n")
    network = load("univariate-regression")
    data = FileData(str(csv), {"x": ("a",)}, {"y": ("b",)})
    assert bind(replace(network, data=data)).inputs["x"].tolist() == [[1.5, 2.5]]
    csv.write_text("a;b\n3,5;2\n2,5;4\n7;7\n")
    assert bind(replace(network, data=data)).inputs["x"].tolist() == [[3.5, 2.5, 7]]
    csv.unlink()
    with pytest.raises(DataError, match="cannot be read"):
        bind(replace(network, data=data))


def test_who_asks_for_a_csv_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(CSV.replace("cars.csv", "gone.csv") + "inputs = { w = ['a'] }\n")
    with pytest.raises(DataError, match=r"^mine\.toml, .*gone\.csv: the file cannot be read"):
        bind(load(path))


# --- inputs that are numbers beside a table -----------------------------------------------------------------

RIDGE = '''formula = """
yhat = w @ X + b
L = mse(yhat, y) + lam * norm(w)**2
"""

[parameters]
w = { shape = [1, "n"], init = "zeros" }
b = 0.0

[data]
file = "penguins.csv"
inputs = { X = ["bill_length_mm", "bill_depth_mm"] }
targets = { y = ["body_mass_g"] }
standardize = true
lam = 0.5  # of the ridge
'''


def test_an_input_may_be_a_number_beside_the_columns_of_a_table() -> None:
    network = loads(RIDGE, name="ridge")
    model = bind(network)
    assert model.graph.inputs == ("X", "y", "lam")
    assert model.examples == 342
    assert float(model.leaves["lam"]) == 0.5
    assert model.targets == ("y",)
    plain = RIDGE.replace("lam = 0.5  # of the ridge\n", "").replace("lam *", "0.5 *")
    without = bind(loads(plain, name="r"))
    assert np.array_equal(model.leaves["X"], without.leaves["X"])
    losses = [loss_and_gradients(m.graph, m.leaves)[0] for m in (model, without)]
    assert losses[0] == losses[1]


def test_it_stays_beside_the_table_when_it_is_changed_and_saved() -> None:
    network = loads(RIDGE, name="ridge")
    assert text_of(network) == RIDGE
    assert is_said_alike(loads(dumps(network), name="ridge"), network)
    changed = with_values(network, {"lam": 0.25, "b": 1.0})
    assert text_of(changed) == RIDGE.replace("lam = 0.5 ", "lam = 0.25 ").replace("b = 0.0", "b = 1.0")
    assert changed.data != network.data
    assert with_values(changed, {"lam": 0.5}).data == network.data
    assert not isinstance(with_values(network, {"X": np.ones((2, 342))}).data, FileData)


def test_a_matrix_beside_a_table_does_not_say_how_many_examples_there_are() -> None:
    text = RIDGE.replace("lam * norm(w)**2", "norm(M @ w.T)**2")
    model = bind(loads(text.replace("lam = 0.5", "M = [[1, 0], [0, 2], [1, 1]]"), name="r"))
    assert model.examples == 342
    assert model.leaves["M"].shape == (3, 2)
    assert not any(dim.examples for dim in model.graph["M"].dims)


def test_examples_are_held_out_beside_a_number_of_ones_own() -> None:
    model = bind(loads(RIDGE + "held_out = 0.25\n", name="r"))
    assert model.examples + model.held_examples == 342
    assert model.held_examples > 80
    assert float(model.leaves["lam"]) == 0.5


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("X = [[1.0]]", "X is given by the columns of penguins.csv and by numbers"),
        ("held_ou = 0.2", "no line of the formula reads held_ou. Did you mean held_out"),
        ("spare = 3", "no line of the formula reads spare. Use it in a line"),
        ("standardise = true", "there is no key standardise. Did you mean standardize"),
        ("w = 2", "w is both a parameter and data"),
        ("lam = [[1, 2], [3]]", "data lam: the rows are not equally long"),
        ('lam = "much"', "there is no key lam"),
    ],
)
def test_what_cannot_stand_beside_a_table_is_refused(line: str, said: str) -> None:
    text = RIDGE.replace(
        "lam = 0.5  # of the ridge", line if line.startswith("lam") else f"lam = 0.5\n{line}"
    )
    with pytest.raises(BackstepError, match=said):
        loads(text, name="r")
