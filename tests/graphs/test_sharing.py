"""A network sent as text is the same network, whatever mail and chat do to it on the way."""

from __future__ import annotations

import quopri
import re
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import BackstepError, UsageError
from graphs.definition import Network
from graphs.network import bind, built_in, built_in_names, literal, load, loads, with_values
from graphs.sharing import read_shared, shared_text, was_changed
from graphs.templates import template, template_names
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


# --- lines that are broken on the way ----------------------------------------------------------------------


def wrapped(text: str, width: int, *, mark: str = "", end: str = "") -> str:
    """Break lines at spaces, as mail does; a word that is longer stays whole."""
    lines = []
    for line in text.split("\n"):
        while len(line) > width and " " in line[1:width]:
            place = line.rfind(" ", 1, width + 1)
            lines.append(line[:place] + end)
            line = mark + line[place + 1 :]
        lines.append(line)
    return "\n".join(lines)


def chopped(text: str, width: int) -> str:
    """Break lines wherever they are too long, also inside a word."""
    lines = [line[i : i + width] for line in text.split("\n") for i in range(0, max(1, len(line)), width)]
    return "\n".join(lines)


def filled(text: str, width: int) -> str:
    """Fill the lines of each paragraph, as some programs do with a quotation."""
    paragraphs = re.split(r"\n\s*\n", text)
    return "\n\n".join(wrapped(" ".join(p.split()), width) for p in paragraphs)


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def source(text: str) -> str:
    """Return the source of a mail with this text: quoted-printable, with soft breaks at 76 columns."""
    return quopri.encodestring(text.encode()).decode()


BROKEN: dict[str, Callable[[str, int], str]] = {
    "wrapped": wrapped,
    "wrapped, flowed": lambda t, width: wrapped(t, width, end=" "),
    "wrapped, marked": lambda t, width: wrapped(t, width, mark="> " if t.lstrip().startswith(">") else ""),
    "chopped": chopped,
    "filled": filled,
    "quoted": lambda t, _: quoted(t),
    "doubly spaced": lambda t, _: t.replace("\n", "\n\n"),
    "line ends": lambda t, _: t.replace("\n", "\r\n"),
    "spaces at ends": lambda t, _: t.replace("\n", "  \n"),
    "other spaces": lambda t, _: t.replace(" ", "\u00a0"),
    "curly marks": lambda t, _: t.replace('"', "”"),
    "indented": lambda t, _: "\n".join(f"\t{line}" for line in t.split("\n")),
    "a greeting": lambda t, _: f"Dear all,\n\nhere it is (see page 12):\n\n{t}\n12 people asked.\n\nM.\n",
}
LONG = """# A remark that is longer than any line of a mail, so that it breaks somewhere, whatever the width.
title = "A rather long title which says what this network is good for, and goes on to say whom it is from"
description = "One line, but such a one that mail breaks it at least once, since it has more columns; -> so"
formula = \"\"\"
Z = W1 @ X + b1 + 0.000000001 * W1 @ X - 0.000000001 * b1 + 0.5 * (W1 @ X - W1 @ X) + 0.25 * (b1 - b1)
L = mean(sigmoid(Z)**2)
\"\"\"

[parameters]
W1 = [
  [0.1234567890123456, -0.9876543210987654, 0.3333333333333333, 0.6666666666666666, 2.718281828],
]
b1 = { shape = [1, 1], init = "zeros" }

[data]
X = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0000000000001, 10.0000001]]
"""


@pytest.mark.parametrize("width", [60, 66, 72, 74, 76, 78])
@pytest.mark.parametrize("kind", ["wrapped", "wrapped, flowed", "chopped", "filled"])
def test_broken_lines_are_put_together_as_they_were(kind: str, width: int) -> None:
    network = loads(LONG, name="pasted")
    text = BROKEN[kind](shared_text(network), width)
    assert text != shared_text(network)
    for journey in (text, quoted(text), wrapped(quoted(text), width), source(text), quoted(source(text))):
        assert is_said_alike(read_shared(journey), network)


def test_a_line_that_came_whole_keeps_its_spaces_and_comments() -> None:
    network = loads(LONG.replace("b1 = {", "b1   = {"), name="pasted")
    found = read_shared(quoted(wrapped(shared_text(network), 72)))
    assert "b1   = { shape" in found.source.text
    assert [line.strip() for line in found.source.text.splitlines()] == [
        line.strip() for line in network.source.text.splitlines()
    ]


@given(
    st.sampled_from([*built_in_names(), "long", "numbers"]),
    st.lists(st.tuples(st.sampled_from(sorted(BROKEN)), st.integers(58, 78)), max_size=5),
    st.booleans(),
)
def test_whatever_mail_does_to_the_lines_it_is_the_same_network(
    name: str, kinds: list[tuple[str, int]], as_source: bool
) -> None:
    network = loads(LONG, name="long") if name == "long" else built_in("logistic-regression")
    network = literal(network) if name == "numbers" else network if name == "long" else built_in(name)
    text = shared_text(network)
    if "chopped" in dict(kinds):  # filling leaves a space inside the words that were broken: that is lost
        kinds = [(kind, width) for kind, width in kinds if kind != "filled"]
    for kind, width in kinds:
        text = BROKEN[kind](text, width)
    found = read_shared(source(text) if as_source else text, name)
    assert is_said_alike(found, network)


def test_what_somebody_has_changed_in_the_text_holds() -> None:
    text = shared_text(loads(LONG, name="pasted")).replace("X = [[1.0,", "X = [[1.5,")
    assert bind(read_shared(text)).leaves["X"][0, 0] == 1.5
    assert was_changed(text)


@pytest.mark.parametrize("change", MANGLED.values(), ids=list(MANGLED))
def test_a_journey_is_no_change(change: Callable[[str], str]) -> None:
    assert not was_changed(change(shared_text(built_in("two-layer-linear"))))


def test_a_text_that_ends_too_early_is_said_to() -> None:
    text = shared_text(built_in("two-layer-linear"))
    with pytest.raises(BackstepError, match=r"the end of the pasted text is missing\. Copy"):
        read_shared(text[: text.index("formula = ") + 30])


def test_what_was_damaged_on_the_way_is_said_to_be() -> None:
    text = shared_text(loads(LONG, name="pasted"))
    with pytest.raises(BackstepError) as error:
        read_shared(text.replace("W1 = [", "W1 = ", 1))
    assert str(error.value).endswith("The text was changed on its way here: copying it once more may help.")


def test_a_text_of_an_earlier_version_is_read() -> None:
    text = shared_text(built_in("two-layer-linear"))
    old = re.sub(r"\. Check: [^`]*", "\n", text)
    assert old.endswith("# End of the network\n```\n")
    for change in MANGLED.values():
        found = read_shared(change(old))
        assert found.formula.split() == built_in("two-layer-linear").formula.split()
        assert found.training == built_in("two-layer-linear").training


@pytest.mark.parametrize(
    "check",
    [
        ". Check: 00000000 2: 1a 1a",
        ". Check: 00000000 99999: 1a",
        ". Check: 00000000 3000: " + "1a " * 3000,
        ". Check: 00000000 1: 999999a",
        ". Check: 00000000 30: " + "200a " * 30,
        ". Check: zz 2: 1a 1a",
        ". Check: 00000000 0:",
    ],
)
def test_a_check_that_somebody_made_up_costs_little_time(check: str) -> None:
    text = "# Backstep network\n" + "a b\n" * 100_000 + "# End of the network" + check
    began = time.perf_counter()
    with pytest.raises(BackstepError, match="is not a network"):
        read_shared(text)
    assert time.perf_counter() - began < 20


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


@pytest.mark.parametrize("network", [*map(built_in, built_in_names()), *map(template, template_names())])
def test_nothing_stands_in_the_text_that_is_not_of_the_network(network: Network) -> None:
    lines = shared_text(network).split("\n")
    assert lines[2].startswith("title = ")
    assert not any(re.fullmatch(r"#\s*\d+", line) for line in lines)


def test_a_text_of_an_older_version_with_a_number_in_its_first_line_is_read() -> None:
    text = shared_text(template("recurrence")).replace("\ntitle =", "\n# 8\ntitle =", 1)
    assert read_shared(text).formula == template("recurrence").formula
