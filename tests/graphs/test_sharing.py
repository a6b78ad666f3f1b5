"""A network sent as text is the same network, whatever mail and chat do to it on the way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BackstepError, UsageError
from graphs.network import bind, built_in, built_in_names, load, loads, with_values
from graphs.sharing import read_shared, shared_text
from graphs.writing import is_said_alike

MANGLED: dict[str, Callable[[str], str]] = {
    "nothing": lambda t: t,
    "quoted": lambda t: "\n".join(f"> {line}" for line in t.split("\n")),
    "quoted twice": lambda t: "\n".join(f"> > {line}" for line in t.split("\n")),
    "quoted bare": lambda t: "\n".join(f">{line}" for line in t.split("\n")),
    "line ends": lambda t: t.replace("\n", "\r\n"),
    "spaces at ends": lambda t: t.replace("\n", "   \n"),
    "other spaces": lambda t: t.replace(" ", "\u00a0"),
    "curly marks": lambda t: t.replace('"""', "”””").replace('"', "”"),
    "minus signs": lambda t: t.replace("-", "\u2212"),
    "unseen": lambda t: t.replace(" = ", " =\u200b "),
    "a greeting": lambda t: f"Dear all,\nhere it is:\n\n{t}\nBest,\nM.\n",
    "indented": lambda t: "\n".join(f"    {line}" for line in t.split("\n")),
    "a fence with a word": lambda t: t.replace("```", "```toml", 1),
    "without a fence": lambda t: t.replace("```\n", ""),
    "without the first line": lambda t: t.split("\n", 2)[2],
}
ASCII_MINUS = ("minus signs",)


@pytest.mark.parametrize("name", built_in_names())
@pytest.mark.parametrize("change", MANGLED.values(), ids=MANGLED)
def test_it_is_the_same_network_after_the_journey(name: str, change: Callable[[str], str]) -> None:
    network = built_in(name)
    found = read_shared(change(shared_text(network)), name)
    assert bind(found).leaves.keys() == bind(network).leaves.keys()
    for key, array in bind(network).leaves.items():
        assert bind(found).leaves[key].tobytes() == array.tobytes()
    assert found.formula.split() == network.formula.split()
    assert found.training == network.training


@given(st.sampled_from(built_in_names()), st.lists(st.sampled_from(sorted(MANGLED)), max_size=4, unique=True))
def test_it_survives_several_of_these(name: str, kinds: list[str]) -> None:
    if "without the first line" in kinds:
        kinds = ["without the first line", *(k for k in kinds if k != "without the first line")]
    text = shared_text(built_in(name))
    for kind in kinds:
        text = MANGLED[kind](text)
    try:
        found = read_shared(text, name)
    except BackstepError:
        assert "a greeting" in kinds  # whose words may be quoted, or not, with the block or beside it
        return
    assert found.training == built_in(name).training


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for candidate in (text, f"# Backstep network\n{text}", f"> ```\n> {text}"):
        try:
            read_shared(candidate)
        except BackstepError as error:
            sentence = str(error)
        else:
            continue
        assert sentence.endswith((".", "?"))


def test_data_of_a_file_are_in_the_text_those_held_out_as_well(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{i * i}" for i in range(12))
    (tmp_path / "own.csv").write_text(f"a,b\n{rows}\n")
    path = tmp_path / "own.toml"
    path.write_text(
        '# mine\nformula = "L = mse(w * x, y)"\n[parameters]\nw = 1.0 # slope\n[data]\nfile = "own.csv"\n'
        'inputs = { x = ["a"] }\ntargets = { y = ["b"] }\nstandardize = true\nheld_out = 0.25\n'
    )
    network = load(path)
    text = shared_text(network, seed=5)
    assert "own.csv" not in text
    assert "# mine" in text
    assert "# slope" in text
    own, sent = bind(network, seed=5), bind(read_shared(text), seed=5)
    for name in ("x", "y"):
        np.testing.assert_array_equal(own.leaves[name], sent.leaves[name])
        np.testing.assert_array_equal(own.held_inputs[name], sent.held_inputs[name])


def test_too_many_numbers_for_a_text_are_refused() -> None:
    network = loads('formula = "L = norm(x)"\n[data]\nx = 1.0\n')
    with pytest.raises(UsageError, match=r"too many numbers for a text.*\.backstep"):
        shared_text(with_values(network, {"x": np.random.default_rng(0).normal(size=(100, 100))}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no text on the clipboard"),
        ("  \n", "there is no text on the clipboard"),
        ("dear all", "is not a network"),
        ("x" * 2**21, "too long"),
        ('formula = "L = w * ("\n[parameters]\nw = 1\n', "a value is missing"),
        ('formula = "L = w * v"\n[parameters]\nw = 1\n', "v is not defined"),
    ],
)
def test_what_is_no_network_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(BackstepError) as error:
        read_shared(text)
    assert words in str(error.value)


def test_curly_marks_in_words_stay_where_nothing_else_was_curled() -> None:
    network = loads('title = "The “best” line — ever"\nformula = "L = w * 2"\n[parameters]\nw = 1.0\n')
    assert is_said_alike(read_shared(shared_text(network), "network"), network)
