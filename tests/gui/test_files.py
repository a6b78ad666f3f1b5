"""A saved network is the one on the screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.errors import UsageError
from engine.training import Recipe
from graphs.network import FileData, Network, bind, built_in_names, load, loads
from graphs.sharing import read_shared
from graphs.templates import template
from gui.files import proposed_path, save_network
from gui.session import Document


@pytest.mark.parametrize("name", built_in_names())
def test_a_saved_network_opens_with_the_same_numbers(tmp_path: Path, name: str) -> None:
    document = Document.of(load(name), seed=3)
    path = tmp_path / "saved.toml"
    save_network(document, path)
    saved, own = bind(load(path), seed=3), bind(document.network, seed=3)
    assert saved.leaves.keys() == own.leaves.keys()
    for key, array in own.leaves.items():
        assert saved.leaves[key].tobytes() == array.tobytes()
    assert saved.network.training == own.network.training


def test_changed_values_and_settings_are_saved(tmp_path: Path) -> None:
    values = {"w": np.asarray(2.5), "b": 4}
    document = Document.of(load("univariate-regression"), overrides=values)
    recipe = Recipe("adam", {"learning_rate": 0.03, "beta1": 0.8}, 10, schedule="cosine").checked()
    document = Document(document.network, 0, document.overrides, recipe)
    path = tmp_path / "saved.toml"
    save_network(document, path)
    saved = load(path)
    assert saved.training.recipe == recipe
    model = bind(saved)
    assert (float(model.leaves["w"]), float(model.leaves["b"])) == (2.5, 4.0)


# --- where the data are ------------------------------------------------------------------------------------

OWN = (
    'formula = "L = mse(w * x, y)"\n[parameters]\nw = 1.0\n'
    '[data]\nfile = "own.csv" # mine\ninputs = { x = ["a"] }\ntargets = { y = ["b"] }\n'
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "own.csv").write_text("a,b\n1,2\n3,4\n")
    path = tmp_path / "in" / "own.toml"
    path.write_text(OWN)
    return path


def test_a_network_saved_elsewhere_still_finds_its_csv(own: Path) -> None:
    (own.parents[1] / "out").mkdir()
    elsewhere = own.parents[1] / "out/b.toml"
    for path, file in ((own.with_name("b.toml"), "own.csv"), (elsewhere, "../in/own.csv")):
        assert save_network(Document.of(load(own)), path) == ()
        assert path.read_text() == OWN.replace('"own.csv"', f'"{file}"')
        assert bind(load(path)).leaves["x"].tolist() == [[1.0, 3.0]]


@pytest.mark.parametrize("place", ["own.csv", "data/own.csv"])
def test_a_csv_that_was_chosen_is_named_from_the_folder_that_holds_it(own: Path, place: str) -> None:
    csv = own.parent / place
    csv.parent.mkdir(exist_ok=True)
    own.with_name("own.csv").rename(csv)
    network = load(own)
    assert isinstance(network.data, FileData)
    document = Document.of(replace(network, folder=None, data=replace(network.data, file=str(csv))))
    save_network(document, own)
    assert own.read_text() == OWN.replace("own.csv", place)
    moved = own.parent.rename(own.parents[1] / "handed on")
    assert bind(load(moved / own.name)).leaves["x"].tolist() == [[1.0, 3.0]]


def test_a_csv_that_was_chosen_elsewhere_keeps_its_whole_path(own: Path, tmp_path: Path) -> None:
    csv = tmp_path / "mine.csv"
    own.with_name("own.csv").rename(csv)
    network = load(own)
    assert isinstance(network.data, FileData)
    document = Document.of(replace(network, data=replace(network.data, file=str(csv))))
    save_network(document, own)
    assert load(own).data == replace(network.data, file=str(csv))


def test_data_changed_by_hand_are_saved_and_said(own: Path) -> None:
    document = Document.of(load(own), overrides={"x": [5, 6]})
    (notice,) = save_network(document, own)
    assert notice == "x has been changed by hand: the data are numbers in own.toml now."
    model = bind(load(own))
    assert model.leaves["x"].tolist() == [[5.0, 6.0]]
    assert model.leaves["y"].tolist() == [[2.0, 4.0]]


def test_an_edit_after_the_csv_has_changed_keeps_the_numbers_that_were_opened(own: Path) -> None:
    network = load(own)
    own.with_name("own.csv").write_text("a,b\n7,7\n7,7\n")
    assert bind(network).leaves["x"].tolist() == [[1.0, 3.0]]


def test_a_csv_that_came_along_is_written_beside_the_network(own: Path, tmp_path: Path) -> None:
    network = replace(load(own), folder=None)
    (tmp_path / "own.csv").write_text("other")
    (notice,) = save_network(Document.of(network), tmp_path / "new.toml")
    assert notice == "The data are beside it, in own-2.csv."
    assert bind(load(tmp_path / "new.toml")).leaves["x"].tolist() == [[1.0, 3.0]]
    assert (tmp_path / "own.csv").read_text() == "other"


def test_a_network_too_large_for_a_file_is_not_saved(tmp_path: Path) -> None:
    network = loads('formula = "L = norm(x)"\n[data]\nx = 1.0\n')
    document = Document.of(network, overrides={"x": np.random.default_rng(0).normal(size=(1000, 500))})
    with pytest.raises(UsageError, match="too many numbers"):
        save_network(document, tmp_path / "a.toml")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("network", "name"),
    [
        (template("blank"), "network.toml"),
        (template("two-layers"), "two-layers.toml"),
        (load("logistic-regression"), "logistic-regression.toml"),
        (read_shared("title = 'Étude: a/b'\nformula = 'L = w**2'\nparameters = { w = 1 }"), "étude-a-b.toml"),
        (read_shared("title = '…'\nformula = 'L = w**2'\nparameters = { w = 1 }"), "network.toml"),
    ],
)
def test_a_network_without_a_file_is_called_as_it_is_and_replaces_none(
    tmp_path: Path, network: Network, name: str
) -> None:
    first = proposed_path(network, tmp_path, ".toml")
    assert first == tmp_path / name
    first.touch()
    assert proposed_path(network, tmp_path, ".toml").name == name.replace(".toml", "-2.toml")
    assert proposed_path(network, tmp_path, ".backstep").name == name.replace(".toml", ".backstep")
