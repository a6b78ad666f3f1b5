"""A saved network is the file that was opened, with what was changed put in and nothing else touched."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from engine.dialect import Stated
from engine.training import Recipe
from graphs.network import (
    INITS,
    FileData,
    Initial,
    Network,
    Training,
    bind,
    built_in,
    built_in_names,
    load,
    loads,
    with_values,
)
from graphs.recipes import table_of
from graphs.writing import dumps, is_said_alike, text_of
from tests.helpers import recipes

HAND = '''# My network

title = "By hand"      # a title
formula = """
# the hidden layer
Z = W1 @ X + b1
yhat = w2 @ tanh(Z) + b2
L = mse(yhat, y)       # the loss
"""

[dimensions]
k   = 2  # hidden units
# of no use now

[parameters]
# first layer
W1 = [
    [ 0.50, 1_000.0 ],  # to unit 1
    [-.5e0_fix, +2 ],
]
b1 = { shape = ["k", 1], init = "zeros" } # starts at 0
w2 = [1, 2.50]
b2 = 3          # a whole number

[training]
# how
optimizer = "momentum"
momentum = 0.9   # the usual
learning_rate = 1e-2

[data]
X = [[1.0, 2.00, 3e0], [4, 5, 6]]
y = [ 0.0,
      1.0,  # here
      2.0 ]
'''.replace("-.5e0_fix", "-5.0e-1")


def comments(text: str) -> list[str]:
    return re.findall(r"#[^\n]*", text)


def lines_changed(before: str, after: str) -> list[str]:
    old = before.splitlines()
    return [line for line in after.splitlines() if line not in old]


def hand() -> Network:
    return loads(HAND, name="hand")


# --- nothing changed ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", built_in_names())
def test_a_built_in_network_is_written_as_its_file_is(name: str) -> None:
    network = built_in(name)
    assert text_of(network) == network.source.text


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_stay(tmp_path: Path, ending: str, mark: str) -> None:
    path = tmp_path / "hand.toml"
    raw = (mark + HAND).replace("\n", ending).encode()
    path.write_bytes(raw)
    network = load(path)
    assert network.source.path == path
    assert text_of(network).encode() == raw
    changed = text_of(with_values(network, {"b2": 4}))
    assert changed == raw.decode().replace("b2 = 3 ", "b2 = 4 ")


# --- one thing changed -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"b2": 4.5}, "b2 = 4.5          # a whole number"),
        ({"b2": 4}, "b2 = 4          # a whole number"),
        ({"W1": [[0.5, 1000], [-0.5, 3]]}, "    [-5.0e-1, 3 ],"),
        ({"W1": [[0.5, 0.25], [-0.5, 2]]}, "    [ 0.50, 0.25 ],  # to unit 1"),
        ({"w2": [1, 1e-5]}, "w2 = [1, 1e-5]"),
        ({"w2": [0.1, 2.5]}, "w2 = [0.1, 2.50]"),
        ({"y": [0, 9, 2]}, "      9.0,  # here"),
        ({"X": [[1, 2, 3], [4, 5, 0.1]]}, "X = [[1.0, 2.00, 3e0], [4, 5, 0.1]]"),
    ],
)
def test_a_value_changes_in_its_place_alone(values: dict[str, Any], line: str) -> None:
    network = with_values(hand(), values)
    text = text_of(network)
    assert lines_changed(HAND, text) == [line]
    assert comments(text) == comments(HAND)
    assert is_said_alike(loads(text, name="hand"), network)


def test_a_drawn_parameter_becomes_numbers_and_keeps_its_comment() -> None:
    text = text_of(with_values(hand(), {"b1": [[0.5], [1.5]]}))
    assert "b1 = [\n  [0.5],\n  [1.5],\n] # starts at 0\n" in text
    assert comments(text) == comments(HAND)


def test_formula_loss_dimensions_and_parameters_change_where_they_stand() -> None:
    network = replace(
        hand(),
        formula="Z = W1 @ X + b1\nyhat = w2 @ sigmoid(Z) + b2 + c\nL = mse(yhat, y)\nM = 2 * L",
        loss="M",
        dimensions={"k": 3, "j": 4},
        parameters={**hand().parameters, "c": np.array(0.5), "W1": Initial(("k", "n"), "he")},
    )
    text = text_of(network)
    assert is_said_alike(loads(text, name="hand"), network)
    assert 'loss = "M"' in text
    assert text.index('loss = "M"') < text.index("[dimensions]")
    assert "k   = 3  # hidden units\n" in text
    assert "c = 0.5\n\n[training]" in text
    assert "# first layer\nW1 = { shape" in text
    for kept in ("# My network", "# a title", "# hidden units", "# a whole number", "# how", "# here"):
        assert kept in text


def test_what_is_gone_is_taken_out_and_nothing_else() -> None:
    parameters = {n: v for n, v in hand().parameters.items() if n != "b2"}
    network = replace(hand(), parameters=parameters, dimensions={})
    text = text_of(network)
    assert lines_changed(HAND, text) == []
    assert is_said_alike(loads(text, name="hand"), network)


def test_training_settings_change_in_their_places() -> None:
    recipe = Recipe("momentum", {"momentum": 0.5, "learning_rate": 0.01}, 2).checked()
    text = text_of(replace(hand(), training=Training(recipe, 900)))
    assert lines_changed(HAND, text) == ["momentum = 0.5   # the usual", "batch_size = 2", "steps = 900"]
    assert "steps = 900\n\n[data]" in text


def test_a_setting_that_is_the_default_stays_written_out() -> None:
    said = 'formula = "L = w * 2"\n[parameters]\nw = 1\n[training]\n'
    said += 'optimizer = "adam"\nbeta1 = 0.9 # so\nsteps = 500\n'
    network = loads(said)
    recipe = Recipe("adam", {"learning_rate": 0.5}).checked()
    text = text_of(replace(network, training=Training(recipe, 500)))
    assert text == said + "learning_rate = 0.5\n"
    other = text_of(replace(network, training=Training(Recipe("gd").checked(), 500)))
    assert "beta1" not in other
    assert "steps = 500" in other


def test_an_edit_in_a_table_of_its_own_changes_its_lines() -> None:
    said = (
        'formula = "L = norm(w @ x)**2"\n[parameters.w]\nshape = [2, 1] # two\ninit = "he" # why\n'
        '[data]\nfile = "cars.csv"\n[data.inputs]\n# the speed\nx = ["speed"] # mph\n'
    )
    network = loads(said)
    assert isinstance(network.data, FileData)
    changed = replace(
        network,
        parameters={"w": Initial((2, 1), "ones")},
        data=replace(network.data, inputs={"x": ("dist",)}),
    )
    assert lines_changed(said, text_of(changed)) == ['init = "ones" # why', 'x = ["dist"] # mph']


def test_how_a_table_is_written_changes_where_it_is_said() -> None:
    said = (
        'formula = "L = norm(w * x)**2"\n[parameters]\nw = 1.0\n'
        '[data]\nfile = "mine.csv"\ndelimiter = "tab" # from the lab\nheader = true\ninputs = { x = ["u"] }\n'
    )
    network = loads(said)
    assert isinstance(network.data, FileData)
    assert text_of(network) == said
    stated = Stated("\t", ",", None, "latin-1")
    text = text_of(replace(network, data=replace(network.data, stated=stated)))
    assert lines_changed(said, text) == ['decimal = ","', 'encoding = "latin-1"']
    assert 'delimiter = "tab" # from the lab' in text
    assert "header" not in text
    text = text_of(replace(network, data=replace(network.data, stated=Stated(";"))))
    assert lines_changed(said, text) == ['delimiter = ";" # from the lab']


def test_data_changed_by_hand_replace_the_csv() -> None:
    network = with_values(built_in("univariate-regression"), {"x": np.arange(50.0)[None]})
    text = text_of(network)
    assert "file" not in text.partition("[data]")[2]
    assert "standardize" not in text
    saved = bind(loads(text))
    own = bind(built_in("univariate-regression"), overrides={"x": np.arange(50.0)[None]})
    for name, array in own.leaves.items():
        assert saved.leaves[name].tobytes() == array.tobytes()
    assert max(map(len, text.splitlines())) <= 110


# --- any edit ----------------------------------------------------------------------------------------------

NUMBERS = st.floats(-1e9, 1e9) | st.integers(-50, 50).map(float) | st.just(-0.0)


def arrays(shape: tuple[int, ...]) -> st.SearchStrategy[np.ndarray]:
    return npst.arrays(np.float64, shape, elements=NUMBERS)


@st.composite
def edits(draw: st.DrawFn) -> Network:
    network = hand()
    shapes: dict[str, tuple[int, ...]] = {"W1": (2, 2), "b1": (2, 1), "w2": (1, 2), "b2": (), "y": (1, 3)}
    for name in draw(st.sets(st.sampled_from(sorted(shapes)))):
        network = with_values(network, {name: draw(arrays(shapes[name]))})
    if draw(st.booleans()):
        network = replace(network, training=Training(draw(recipes()), draw(st.integers(1, 900))))
    if draw(st.booleans()):
        init = st.builds(Initial, st.just(("k", 1)), st.sampled_from(sorted(INITS)))
        network = replace(network, parameters={**network.parameters, "b1": draw(init)})
    if draw(st.booleans()):
        network = replace(network, title=draw(st.text(max_size=9)), held_out=draw(st.sampled_from([0, 0.25])))
    if draw(st.booleans()):
        network = replace(
            network, formula=hand().formula + draw(st.sampled_from(["M = L\n", "", "# \\ '''\n"]))
        )
    return network


@given(edits())
def test_any_edit_is_read_back_and_loses_no_comment(network: Network) -> None:
    text = text_of(network)
    assert is_said_alike(loads(text, name="hand"), network)
    said = re.sub(r'title = "(?:[^"\\]|\\.)*"', "", text)
    kept = ["# My network", "# the hidden layer", "# first layer", "# to unit 1", "# here", "# how"]
    assert all(comment in said for comment in kept)
    again = loads(text, name="hand")
    assert text_of(again) == text


@given(st.sampled_from(built_in_names()), recipes(), st.data())
def test_an_edited_built_in_network_is_read_back(name: str, recipe: Recipe, data: st.DataObject) -> None:
    network = built_in(name)
    model = bind(network)
    for key in data.draw(st.sets(st.sampled_from(sorted(model.parameters)))):
        network = with_values(network, {key: data.draw(arrays(model.parameters[key].shape))})
    network = replace(network, training=Training(recipe))
    saved = loads(text_of(network), name=name)
    assert is_said_alike(saved, network)
    assert table_of(saved.training.recipe) == table_of(recipe)
    assert text_of(network).startswith(network.source.text.splitlines()[0])


# --- a new text --------------------------------------------------------------------------------------------


def test_a_new_network_is_written_as_a_person_would() -> None:
    network = Network(
        "new",
        "New",
        "yhat = W @ X\nL = mse(yhat, y)",
        parameters={"W": np.array([[0.1, 1e-5], [2, 3]])},
        data={"X": np.array([[1.0], [2.0]]), "y": np.array([[1.0], [0.30000000000000004]])},
    )
    assert dumps(network) == text_of(network)
    assert dumps(network) == (
        'title = "New"\nformula = """\nyhat = W @ X\nL = mse(yhat, y)\n"""\n\n[parameters]\n'
        "W = [\n  [0.1, 1e-5],\n  [2.0, 3.0],\n]\n\n[data]\nX = [\n  [1.0],\n  [2.0],\n]\n"
        'y = [\n  [1.0],\n  [0.30000000000000004],\n]\n\n[training]\noptimizer = "gd"\nlearning_rate = 0.1\n'
    )


def test_long_rows_are_wrapped_and_read_back() -> None:
    values = np.random.default_rng(0).normal(size=(3, 50))
    network = Network(
        "n",
        "N",
        "L = norm(w @ X)**2 + norm(v)",
        parameters={"w": np.ones((1, 3)), "v": values[:1]},
        data={"X": values},
    )
    text = dumps(network)
    assert max(map(len, text.splitlines())) <= 100
    assert is_said_alike(loads(text, name="n"), network)


def test_a_large_file_is_saved_in_little_time() -> None:
    values = np.random.default_rng(0).normal(size=(40, 1000))
    big = Network(
        "n",
        "N",
        "L = norm(w @ X)**2 * c",
        parameters={"w": np.ones((1, 40)), "c": np.array(1.0)},
        data={"X": values},
    )
    text = "# large\n" + dumps(big)
    network = loads(text, name="n")
    begun = time.process_time()
    changed = text_of(with_values(network, {"c": 2.5}))
    assert time.process_time() - begun < 2.0  # tomlkit alone takes about four seconds here
    assert changed == text.replace("c = 1.0", "c = 2.5")
    other = values.copy()
    other[3, 7] = 1.5
    rewritten = text_of(with_values(network, {"X": other}))
    assert rewritten.startswith("# large\n")
    assert is_said_alike(loads(rewritten, name="n"), with_values(network, {"X": other}))


def test_a_text_that_the_editor_cannot_change_is_written_anew() -> None:
    said = 'formula = "L = w * 2"\nparameters = { w = 1.0 }\ntraining.steps = 7\n'
    network = with_values(loads(said), {"w": 2})
    text = text_of(replace(network, dimensions={"k": 2}))
    assert is_said_alike(loads(text), replace(network, dimensions={"k": 2}))
