"""Network files: what they may say, what is said about the rest, and that they are read as written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from engine.errors import BackstepError, FormulaError, NetworkError, UsageError
from engine.shapes import sizes
from engine.trace import loss_and_gradients, trace
from graphs.network import (
    INITS,
    FileData,
    Initial,
    Model,
    Network,
    Training,
    bind,
    dumps,
    load,
    loads,
)

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
    assert network.training == Training("gd", 0.2)
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
    (NET + "[parameters]\nw = '1'", "parameter w: '1' is not a finite number"),
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
    (NET + "[training]\nlr = 0.1", "no key lr. There are: batch_size, learning_rate, optimizer, steps"),
    (NET + "[training]\noptimizer = 'foo'", "no optimizer foo. There are: gd"),
    (NET + "[training]\nlearning_rate = 'a'", "learning_rate: a will not do"),
    (NET + "[training]\nlearning_rate = nan", "nan is not a number above zero"),
    (NET + "[training]\nlearning_rate = -1", "-1 is not a number above zero"),
    (NET + "[training]\nlearning_rate = 1" + "0" * 400, "is not a number above zero"),
    (NET + "[training]\nsteps = 0", "0 is not a number above zero"),
    (NET + "[training]\nsteps = 1.5", "steps: 1.5 will not do"),
    (NET + "[training]\nbatch_size = true", "batch_size: True will not do"),
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
_csv = st.builds(
    FileData,
    _text,
    st.dictionaries(st.sampled_from(["X", "Y"]), _words, min_size=1),
    st.dictionaries(st.sampled_from(["y", "t"]), _words),
    st.booleans() | _words,
    st.dictionaries(_text, _choices, max_size=2),
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
    training=st.builds(
        Training,
        st.just("gd"),
        st.floats(1e-9, 1e9),
        st.integers(1, 9999),
        st.none() | st.integers(1, 99),
    ),
)


@given(_networks)
def test_a_network_is_read_back_as_it_was_written(network: Network) -> None:
    text = dumps(network)
    found = loads(text, name="net")
    assert found.formula.strip("\n") == network.formula.strip("\n")
    for key in ("title", "loss", "description", "dimensions", "training"):
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
