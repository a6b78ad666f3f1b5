"""``landscape``: numbers that are the loss, pictures of them, and one sentence for what cannot be."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import main as command_line
from engine.trace import forward
from graphs.network import bind, built_in_names, load

Caught = pytest.CaptureFixture[str]
U, M = "univariate-regression", "multivariate-regression"


def printed(capsys: Caught, *argv: str, code: int = 0) -> str:
    assert command_line.main(["landscape", *argv]) == code
    return capsys.readouterr().out


def table_of(text: str) -> np.ndarray:
    rows = list(csv.reader(io.StringIO(text)))
    assert rows[0] == ["x", "y", "loss"]
    return np.array(rows[1:], dtype=float)


def refused(capsys: Caught, *argv: str) -> str:
    assert command_line.main(["landscape", *argv]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err.removeprefix("backstep: ").strip()


class TestNumbers:
    def test_the_table_is_the_loss(self, capsys: Caught) -> None:
        """Univariate regression has a closed form: every row must have it."""
        model = bind(load(U))
        x, y = (model.inputs[name].ravel() for name in ("x", "y"))
        ranges = ("--x-range", "-2", "3", "--y-range", "-1", "1")
        table = table_of(
            printed(capsys, U, "--x", "w", "--y", "b", "--grid", "11", *ranges, "--format", "csv")
        )
        assert table.shape == (121, 3)
        assert table[0, :2].tolist() == [-2, -1]
        assert table[-1, :2].tolist() == [3, 1]
        assert table[1, 1] == -1  # x runs first
        wanted = [np.mean((w * x + b - y) ** 2) for w, b, _ in table]
        np.testing.assert_allclose(table[:, 2], wanted, rtol=1e-12)

    @pytest.mark.parametrize("name", built_in_names())
    def test_every_network_by_default(self, name: str, capsys: Caught) -> None:
        text = printed(capsys, name, "--grid", "20")
        assert "lowest of the grid" in text
        assert "20 × 20 points" in text
        assert ("whole landscape" in text) is (name == U)

    def test_entries_of_matrices(self, capsys: Caught) -> None:
        model = bind(load("two-layer-nonlinear"), seed=3)
        argv = ("two-layer-nonlinear", "--seed", "3", "--x", "W1[1,0]", "--y", "w2[2]", "--grid", "3")
        table = table_of(printed(capsys, *argv, "--format", "csv"))
        parameters = {name: value.copy() for name, value in model.parameters.items()}
        parameters["W1"][1, 0], parameters["w2"][0, 2], loss = table[4]
        graph = model.graph
        assert loss == pytest.approx(
            float(forward(graph, {**model.inputs, **parameters})[graph.ids[graph.loss]]), rel=1e-12
        )

    def test_other_values(self, capsys: Caught) -> None:
        document = json.loads(
            printed(capsys, U, "--set", "w=2", "--set", "b=-1", "--grid", "3", "--format", "json")
        )
        assert document["start"] == [2, -1]

    def test_the_json_has_the_run_on_it(self, capsys: Caught) -> None:
        argv = (M, "--steps", "30", "--optimizer", "adam", "--grid", "5", "--format", "json")
        document: dict[str, Any] = json.loads(printed(capsys, *argv))
        assert document["iteration"] == 30
        assert (document["kind"], document["whole"]) == ("entries", False)
        assert len(document["trajectory"]) == 31
        assert np.shape(document["loss"]) == (5, 5)
        trained = ["train", M, "--steps", "30", "--optimizer", "adam", "--format", "json"]
        assert command_line.main(trained) == 0
        end = json.loads(capsys.readouterr().out)["parameters"]["w"][0]
        assert document["trajectory"][-1] == pytest.approx(end[:2])

    def test_principal_directions_train_first(self, capsys: Caught) -> None:
        text = printed(capsys, "perceptron-classifier", "--directions", "principal", "--grid", "5")
        assert "first principal direction (" in text
        assert "after 500 steps" in text

    def test_random_directions_follow_the_seed(self, capsys: Caught) -> None:
        argv = ("perceptron-classifier", "--directions", "random", "--grid", "3", "--format", "csv")
        first, again, other = (printed(capsys, *argv, "--seed", seed) for seed in ("1", "1", "2"))
        assert first == again != other

    def test_a_run_that_diverges_is_said(self, capsys: Caught) -> None:
        argv = (U, "--learning-rate", "1000", "--steps", "500", "--grid", "5", "--format", "csv")
        assert command_line.main(["landscape", *argv]) == 1
        out, err = capsys.readouterr()
        assert "no longer a finite number" in err
        assert np.isfinite(table_of(out)).all()

    def test_losses_that_are_not_finite(self, capsys: Caught, tmp_path: Path) -> None:
        file = tmp_path / "log.toml"
        file.write_text('formula = "L = log(w) + b"\n[parameters]\nw = 0.5\nb = 0.5\n')
        argv = (str(file), "--grid", "3", "--x-range", "-1", "1")
        assert np.isnan(table_of(printed(capsys, *argv, "--format", "csv"))[0, 2])
        assert json.loads(printed(capsys, *argv, "--format", "json"))["loss"][0][0] is None


class TestFiles:
    def test_a_table(self, capsys: Caught, tmp_path: Path) -> None:
        file = tmp_path / "l.csv"
        out = printed(capsys, U, "--grid", "4", "--to", str(file))
        assert out.startswith("Lowest of the grid: ")
        assert len(table_of(file.read_text())) == 16
        assert list(tmp_path.iterdir()) == [file]

    @pytest.mark.parametrize(
        "more", [(), ("--log", "--theme", "dark"), ("--steps", "40", "--theme", "print")]
    )
    def test_a_png(self, capsys: Caught, tmp_path: Path, more: tuple[str, ...]) -> None:
        from PySide6.QtGui import QImage

        file = tmp_path / "l.png"
        printed(capsys, U, "--grid", "40", "--to", str(file), *more)
        image = QImage(str(file))
        assert (image.width(), image.height()) == (1440, 1120)
        colors = {image.pixel(x, y) for x in range(0, 1440, 9) for y in range(0, 1120, 9)}
        assert len(colors) > 40

    def test_an_svg_has_its_words_as_words(self, capsys: Caught, tmp_path: Path) -> None:
        file = tmp_path / "l.svg"
        printed(capsys, M, "--x", "w[0]", "--y", "b", "--grid", "40", "--steps", "20", "--to", str(file))
        root = ElementTree.parse(file).getroot()
        words = " ".join(e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}text"))
        assert "A slice: w[0, 0] and b vary, 2 other numbers stay as at iteration 20." in words
        assert "loss" in words
        images = list(root.iter("{http://www.w3.org/2000/svg}image"))
        assert len(images) == 2  # the colours, and their scale: everything else is lines


class TestWhatCannotBe:
    @pytest.mark.parametrize(
        ("argv", "sentence"),
        [
            ((U, "--x", "q"), "there is no parameter q. There are: w, b."),
            ((U, "--x", "w", "--y", "w"), "both axes are w. Choose two different entries."),
            ((M, "--x", "w"), "w has 3 entries. Choose one, from w[0, 0] to w[0, 2]."),
            ((M, "--x", "w[0,3]"), "w has no entry [0,3]. It is 1 × 3; rows and columns are counted from 0."),
            ((U, "--grid", "1001"), "argument --grid: 1001 is too large, the most is 1000."),
            ((U, "--grid", "1"), "argument --grid: 1 is too small, the least is 2."),
            ((U, "--x-range", "1", "1"), "the range along x, 1 to 1, is empty."),
            ((U, "--y-range", "0", "inf"), "argument --y-range: inf is not a finite number."),
            ((U, "--directions", "random", "--y", "b"), "the axes are two entries or two directions."),
            ((U, "--steps", "0", "--directions", "principal"), "the run has not moved yet"),
            ((U, "--learning-rate", "-1"), "the learning rate"),
            (
                (U, "--to", "l.gif"),
                "a landscape cannot be written as l.gif. End it in .png, .svg, ",
            ),
            ((U, "--to", "nowhere/l.png"), "there is no folder nowhere."),
            ((U, "--to", "l.png", "--format", "csv"), "l.png is a picture. Leave out --format."),
            ((U, "--to", "l.csv", "--format", "json"), "l.csv is not the name of a json file."),
        ],
    )
    def test_one_sentence(
        self,
        capsys: Caught,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        argv: tuple[str, ...],
        sentence: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert refused(capsys, *argv).startswith(sentence)
        assert list(tmp_path.iterdir()) == []

    def test_a_network_with_one_parameter(self, capsys: Caught, tmp_path: Path) -> None:
        file = tmp_path / "one.toml"
        file.write_text('formula = "L = w**2"\n[parameters]\nw = 0.5\n')
        assert refused(capsys, str(file)) == (
            "a landscape needs two numbers to vary, but this network has one parameter."
        )
        file.write_text('formula = "L = sum(x)"\n[data]\nx = [1.0]\n')
        assert "this network has no parameters" in refused(capsys, str(file))

    def test_a_file_that_is_there_stays_as_it_was(self, capsys: Caught, tmp_path: Path) -> None:
        file = tmp_path / "l.csv"
        file.write_text("kept")
        refused(capsys, U, "--x", "q", "--to", str(file))
        assert file.read_text() == "kept"
        folder = tmp_path / "d.csv"
        folder.mkdir()
        assert refused(capsys, U, "--to", str(folder)).endswith("is a folder. Name a file in it.")


def test_options_without_effect_are_said(
    capsys: Caught, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    argv = ["landscape", U, "--grid", "3", "--theme", "dark", "--scale", "2"]
    for to, said in (
        (["--to", "l.csv"], "--theme and --scale made no difference to l.csv."),
        (["--to", "l.svg"], "--scale made no difference to l.svg."),
        ([], "--theme and --scale made no difference to what is printed."),
    ):
        assert command_line.main([*argv, *to]) == 0
        assert capsys.readouterr().err == f"backstep: {said}\n"


def test_numbers_come_without_qt(tmp_path: Path) -> None:
    script = (
        "import sys, main\n"
        f"code = main.main(['landscape', '{U}', '--grid', '5', '--to', sys.argv[1]])\n"
        "loaded = {'PySide6', 'pyqtgraph', 'contourpy'} & set(sys.modules)\n"
        "sys.exit(f'imports {sorted(loaded)}' if loaded else code)\n"
    )
    root = Path(__file__).parents[1]
    command = [sys.executable, "-c", script, str(tmp_path / "l.csv")]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
