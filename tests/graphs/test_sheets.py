"""Sheets: every format holds the same exercises, is read by others, and keeps solutions to itself."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import permutations
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

import graphs
from engine.optimizers import OPTIMIZERS
from engine.substitute import number_latex
from engine.training import Run
from graphs.answers import Posed
from graphs.drills import DRILLS
from graphs.drills.base import Block
from graphs.exercise import exercises
from graphs.mathtext import html_formula, plain, plain_formula
from graphs.network import bind, built_in_names, load
from graphs.sheets import NAMES, Sheet, writers
from graphs.snapshot import Snapshot
from tests.browser import MISSING, Browser
from tests.helpers import model_of

TEMPLATES = sorted(str(p) for p in (Path(graphs.__file__).parent / "templates").glob("*.toml"))


def sheet_of(network: str, has_solutions: bool = True, **more) -> Sheet:
    model = bind(load(network))
    snapshot = Snapshot.of(Run(model, model.network.training.recipe), model)
    return Sheet(exercises(snapshot, seed=1, **more), snapshot, 1, has_solutions)


@pytest.fixture(scope="module")
def sheets() -> dict[bool, Sheet]:
    return {has: sheet_of("two-layer-nonlinear", has) for has in (True, False)}


@pytest.mark.parametrize("name", NAMES)
def test_every_format_has_every_question(name: str, sheets: dict[bool, Sheet]) -> None:
    writer = writers()[name]
    with_solutions, without = (writer.write(sheets[has]) for has in (True, False))
    for entry in sheets[True].entries:
        assert entry.title in with_solutions
        assert entry.title in without
    assert len(with_solutions) > len(without)
    assert "d_Z" in without  # the code of the faulty pass


def test_a_sheet_without_solutions_gives_none_away(sheets: dict[bool, Sheet]) -> None:
    for name in NAMES:
        text = writers()[name].write(sheets[False])
        assert "Solutions" not in text
        assert "665" not in text  # how many numbers are stored: an answer alone says it


# --- what a sheet may state --------------------------------------------------------------------------------


def answer_numbers(posed: Posed) -> set[str]:
    is_asked = posed.question.kind in ("number", "matrix")
    return {number_latex(float(x)) for x in np.ravel(posed.right)} if is_asked else set()


def stated_numbers(blocks: Sequence[Block]) -> set[str]:
    text = " ".join(line for block in blocks if block.kind != "code" for line in block.lines)
    return {number for number in re.findall(r"-?\d[\d.]*", text) if len(number.strip("-.")) > 1}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("network", ["two-layer-nonlinear", "logistic-regression", "scalar-operations"])
def test_no_number_that_is_asked_for_stands_in_another_exercise_on_the_same_network(
    network: str, seed: int
) -> None:
    """Whichever two kinds a sheet has, in whichever order."""
    model = bind(load(network))
    made = exercises(Snapshot.of(Run(model), model), [*DRILLS, *OPTIMIZERS], seed=seed)
    compared = 0
    for earlier, later in permutations(made, 2):
        leaves = (earlier.snapshot.model.leaves, later.snapshot.model.leaves)
        is_same = all(np.array_equal(leaves[0][name], leaves[1][name]) for name in leaves[0])
        if is_same and not earlier.kind == later.kind == "updates":  # each optimizer has its own iteration
            compared += 1
            asked = set().union(*map(answer_numbers, earlier.parts))
            assert not asked & stated_numbers(later.blocks), (earlier.kind, later.kind)
    assert compared > 10


def test_no_formula_that_is_asked_for_stands_with_what_is_stored() -> None:
    local, stored = sheet_of("two-layer-nonlinear", kinds=["local", "stored"]).exercises
    assert local.parts[0].answer_latex.strip("$") in r"A \odot (1 - A)"
    assert r"A \odot (1 - A)" not in stored.text
    assert r"Take $\frac{\partial A}{\partial Z}$ from $A$." in stored.text


def test_exercises_on_one_network_stand_together() -> None:
    kinds = ["faults", "stored", "adam", "shapes", "local", "formulas"]
    text = writers()["text"].write(sheet_of("two-layer-nonlinear", False, kinds=kinds))
    assert re.findall(r"^\d\. (.*)|The network of exercise (\d)", text, flags=re.MULTILINE) == [
        ("Find the fault", ""),
        *(("Local derivatives", ""), ("", "1")),
        ("What has to be stored", ""),
        *(("Shapes", ""), ("", "3"), ("Gradients as formulas", ""), ("", "3")),
        ("One update by hand: Adam", ""),
    ]


@pytest.mark.parametrize("name", ["text", "markdown", "html", "latex"])
def test_a_sheet_that_is_handed_out_has_a_place_for_name_and_date(
    name: str, sheets: dict[bool, Sheet]
) -> None:
    writer = writers()[name]
    without = writer.write(sheets[False])
    assert without.index("Name: ") < without.index("Date: ") < without.index("The forward pass")
    assert "Name: " not in writer.write(sheets[True])


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_a_browser_rules_the_lines_for_name_and_date(sheets: dict[bool, Sheet], tmp_path: Path) -> None:
    path = tmp_path / "sheet.html"
    path.write_text(writers()["html"].write(sheets[False]), encoding="utf-8")
    with Browser() as browser:
        browser.resize(800, 720)
        browser.open(path)
        name, date = browser.run(
            "return [...document.querySelectorAll('.top i')].map(rule => ["
            "rule.getBoundingClientRect().width, parseFloat(getComputedStyle(rule).borderBottomWidth)])"
        )
    assert name[0] > date[0] > 100
    assert name[1] == date[1] == 1


def test_what_was_given_is_not_given_again(sheets: dict[bool, Sheet]) -> None:
    text = writers()["text"].write(sheets[True])
    assert text.count("Z = W₁ X + b₁\n    A = ") == 2  # in its small size, and in its own
    assert "The network of exercise 1, with what is given there." in text


class _Page(HTMLParser):
    """Reads a page as a browser does, and notes what is open."""

    VOID = frozenset({"meta"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs) -> None:
        """Leave out what is closed at once, as MathML's spaces are."""

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("network", [*built_in_names(), *TEMPLATES])
def test_pages_and_texts_are_whole(network: str) -> None:
    sheet = sheet_of(network)
    page = _Page()
    source = writers()["html"].write(sheet)
    page.feed(source)
    assert page.open == []
    assert "$" not in page.text
    assert "\\" not in re.sub(r"<pre>.*?</pre>", "", source, flags=re.DOTALL)  # no command was left over
    for math in re.findall(r"<math.*?</math>", source):
        ElementTree.fromstring(math)
    text = writers()["text"].write(sheet)
    assert not set("$\\") & set(text)
    assert "<" not in re.sub(r"\n    .*", "", text).replace(" < ", "")


_FORMULAS = """
const line = parseFloat(getComputedStyle(document.body).lineHeight);
return [...document.querySelectorAll('math[display="block"]')].map(math => {
  const glyphs = [...math.querySelectorAll('mi, mn, mo')].map(leaf => leaf.getBoundingClientRect());
  const box = math.getBoundingClientRect(), left = Math.min(...glyphs.map(glyph => glyph.left));
  const rows = math.querySelectorAll('mtr').length, parent = math.parentElement;
  return {
    lines: box.height / line / (rows || 1), left: left - parent.getBoundingClientRect().left,
    page: document.documentElement.scrollWidth - innerWidth,
  };
});
"""


@pytest.mark.skipif(bool(MISSING), reason=MISSING)
def test_a_browser_sets_each_formula_as_one_line(sheets: dict[bool, Sheet], tmp_path: Path) -> None:
    path = tmp_path / "sheet.html"
    path.write_text(writers()["html"].write(sheets[True]), encoding="utf-8")
    with Browser() as browser:
        browser.resize(500, 720)
        browser.open(path)
        formulas = browser.run(_FORMULAS)
    assert len(formulas) > 10
    for formula in formulas:
        assert 0.5 < formula["lines"] < 3  # a fraction is two lines high; glyphs one under another are more
        assert 0 <= formula["left"] < 8  # they begin where the text does
        assert formula["page"] <= 0  # a long one scrolls by itself


def test_markdown_keeps_its_formulas_and_escapes_the_rest() -> None:
    model = model_of("L = w*x", {"w": 2.0}, {"x": 3.0})
    from dataclasses import replace

    named = replace(model, network=replace(model.network, title="A *b* [c] <d> #e"))
    snapshot = Snapshot.of(Run(named), named)
    text = writers()["markdown"].write(Sheet(exercises(snapshot, ["gradients"]), snapshot))
    assert r"# Exercises: A \*b\* \[c\] \<d\> \#e" in text
    assert "$$\n\\mathcal{L} = w x\n$$" in text
    page = writers()["html"].write(Sheet(exercises(snapshot, ["gradients"]), snapshot))
    assert "&lt;d&gt;" in page
    assert "<d>" not in page


def test_json_holds_answers_as_values() -> None:
    document = json.loads(
        writers()["json"].write(sheet_of("two-layer-nonlinear", kinds=["values", "shapes", "stored"]))
    )
    values, shapes, stored = document["exercises"]
    assert len(values["parts"][0]["answer"]) == 2
    assert all(isinstance(part["answer"], list) for part in shapes["parts"])
    assert stored["parts"][0]["answer"] == ["A", "yhat"]
    assert stored["parts"][1]["answer"] == 665
    bare = json.loads(writers()["json"].write(sheet_of("two-layer-nonlinear", False, kinds=["values"])))
    assert "answer" not in bare["exercises"][0]["parts"][0]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs TeX")
@pytest.mark.parametrize("has_solutions", [True, False])
@pytest.mark.parametrize("network", ["two-layer-nonlinear", "scalar-operations", "softmax"])
def test_tex_compiles(network: str, has_solutions: bool, tmp_path: Path) -> None:
    found = next((t for t in TEMPLATES if Path(t).stem == network), network)
    (tmp_path / "sheet.tex").write_text(writers()["latex"].write(sheet_of(found, has_solutions)), "ascii")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "sheet.tex"]
    result = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, errors="replace"
    )
    assert result.returncode == 0, result.stdout[-2000:]
    assert "Overfull" not in result.stdout


# --- formulas for readers without LaTeX --------------------------------------------------------------------

FORMULAS = {
    r"\frac{1}{m} ||\hat{y} - y||^2": "1/m ‖ŷ − y‖²",
    r"\left(w_2^\intercal \frac{\partial\mathcal{L}}{\partial \hat{y}}\right) \odot A": "(w₂ᵀ ∂L/∂ŷ) ⊙ A",
    r"1 - A^{\odot 2}": "1 − A^⊙2",
    r"\begin{bmatrix}1 & -2 \\ 0.5 & 3\end{bmatrix}": "[[1, −2], [0.5, 3]]",
    r"W_1[0, 1] = \begin{bmatrix}1 & 2\end{bmatrix}": "W₁[0, 1] = [1, 2]",
    r"\frac{l}{1 + e}": "l/(1 + e)",
    r"\sqrt{\hat{v}} + \epsilon": "√(v̂) + ϵ",
    r"\max(r, a)": "max(r, a)",
    r"\max_{\text{axis }0}(Z)": "max_(axis\u00a00)(Z)",
    r"1 - A_1^{\odot 2}": "1 − A₁^⊙2",
    r"\frac{1}{N} \sum_{i=1}^{N} (a_i - b_i)^2": "1/N ∑_(i=1)^N (a_i − b_i)²",
    r"e^{z_i} - e^{-x}": "e^(z_i) − e^−x",
    r"y_{ij} \log\mathrm{softmax}(z)_{ij}": "y_(ij) log softmax(z)_(ij)",
    r"\frac{\partial\mathcal{L}}{\partial b_2}\vec{1}": "∂L/∂b₂ 1⃗",
}


@pytest.mark.parametrize("latex", FORMULAS)
def test_formulas_are_said_in_unicode(latex: str) -> None:
    assert plain_formula(latex) == FORMULAS[latex]
    ElementTree.fromstring(html_formula(latex))


def test_a_text_without_formulas_stays_as_it_is() -> None:
    assert plain("What is the fault?") == "What is the fault?"
