"""Every key of a TOML text is found on its line."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphs.tomlplaces import Key, places

TEXT = '''# a comment = 1
title = "with [brackets] and = signs"
[networks.mine]
formula = """
a = 1
[[page]]
"""
data = { x = [[1.0],
  [2.0]], y = 3 }

  [[page]]
title = 'one' # [[page]]
question = {
  ask = "x = 1",
}
[page.wait]
at = "start"
[[page]]
"quoted key" = 2
train.optimizer = 'adam'
'''


def test_keys_stand_where_they_are_written() -> None:
    found = places(TEXT)
    expected: dict[Key, int] = {
        ("title",): 2,
        ("networks", "mine"): 3,
        ("networks", "mine", "formula"): 4,
        ("networks", "mine", "data"): 8,
        ("page", 0): 11,
        ("page", 0, "title"): 12,
        ("page", 0, "question"): 13,
        ("page", 0, "wait"): 16,
        ("page", 0, "wait", "at"): 17,
        ("page", 1): 18,
        ("page", 1, "quoted key"): 19,
        ("page", 1, "train", "optimizer"): 20,
    }
    assert {key: line for key, line in found.items() if key[-1] != "ask"} == expected


words = st.text("abc", min_size=1, max_size=3)
texts = st.text("ab\n='\"[]{}#\\ ", max_size=12)


@given(st.lists(st.dictionaries(words, texts, min_size=1, max_size=4), min_size=1, max_size=5))
def test_every_key_of_every_page_is_found(pages: list[dict[str, str]]) -> None:
    lines: list[str] = []
    expected: dict[Key, int] = {}
    for number, page in enumerate(pages):
        expected["page", number] = len(lines) + 1
        lines.append("[[page]]")
        for key, text in page.items():
            expected["page", number, key] = len(lines) + 1
            lines += f'{key} = """{_escaped(text)}"""'.split("\n")
    written = "\n".join(lines)
    read: dict[str, Any] = tomllib.loads(written)
    assert [list(page) for page in read["page"]] == [list(page) for page in pages]
    assert places(written) == expected


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@pytest.mark.parametrize("text", ["", "\n\n", "[[", '"""', "a", "]]]}", "= 1", "[a.b", '"""\n' * 50])
def test_a_text_that_is_no_toml_does_no_harm(text: str) -> None:
    assert isinstance(dict(places(text)), dict)
