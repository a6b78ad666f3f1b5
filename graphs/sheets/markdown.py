"""A sheet as Markdown, formulas as LaTeX between dollars, as GitHub and Pandoc read it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from graphs.drills.base import Block
from graphs.sheets.sheet import Entry, Part, Sheet, Writer, ruled_top

__all__ = ["WRITER"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|])")


def _write(sheet: Sheet) -> str:
    paragraphs = [f"# {_escaped(sheet.title)}", *([] if sheet.has_solutions else [ruled_top()])]
    for entry in sheet.entries:
        paragraphs += _entry(entry)
    if sheet.has_solutions:
        paragraphs.append("# Solutions")
        for entry in sheet.entries:
            paragraphs.append(f"## {entry.number}. {_escaped(entry.title)}")
            paragraphs += [paragraph for part in entry.solved for paragraph in _solved(part)]
    said = "\n".join(f"<!-- {key}: {value.replace('--', '- -')} -->" for key, value in sheet.said.items())
    return "\n\n".join([*paragraphs, said]) + "\n"


def _entry(entry: Entry) -> Iterator[str]:
    yield f"## {entry.number}. {_escaped(entry.title)}"
    for block in entry.blocks:
        yield from _block(block)
    for part in entry.parts:
        yield f"**{part.label})** {_sentence(part.ask)}"
        if part.choices:
            yield "\n".join(f"{number}. {_sentence(choice)}" for number, choice in part.choices)


def _block(block: Block) -> Iterator[str]:
    if block.kind == "equations":
        yield from (f"$$\n{line}\n$$" for line in block.lines)
    elif block.kind == "code":
        yield "\n".join(("```python", *block.lines, "```"))
    else:
        yield from map(_sentence, block.lines)


def _solved(part: Part) -> Iterator[str]:
    yield f"**{part.label})** {_sentence(part.answer)}"
    yield from map(_sentence, part.solution)


def _sentence(text: str) -> str:
    """Return a text with the signs of Markdown escaped, but not in its formulas."""
    parts = text.split("$")
    return "".join(f"${part}$" if i % 2 else _escaped(part) for i, part in enumerate(parts))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


WRITER = Writer("markdown", (".md", ".markdown"), _write)
