"""A sheet for a terminal, in Unicode."""

from __future__ import annotations

from collections.abc import Iterator

from graphs.drills.base import Block
from graphs.mathtext import plain, plain_formula
from graphs.sheets.sheet import Entry, Part, Sheet, Writer, ruled_top

__all__ = ["WRITER"]


def _write(sheet: Sheet) -> str:
    lines = [sheet.title, "=" * len(sheet.title), *([] if sheet.has_solutions else ["", ruled_top()])]
    for entry in sheet.entries:
        lines += ["", *_entry(entry)]
    if sheet.has_solutions:
        lines += ["", "Solutions", "========="]
        for entry in sheet.entries:
            lines += [
                "",
                f"{entry.number}. {entry.title}",
                *(line for part in entry.solved for line in _solved(part)),
            ]
    return "\n".join(lines) + "\n"


def _entry(entry: Entry) -> Iterator[str]:
    title = f"{entry.number}. {entry.title}"
    yield title
    yield "-" * len(title)
    for block in entry.blocks:
        yield from _block(block)
    for part in entry.parts:
        yield f"{part.label}) {plain(part.ask)}"
        yield from (f"   {number}. {plain(choice)}" for number, choice in part.choices)


def _block(block: Block) -> Iterator[str]:
    if block.kind == "equations":
        yield from (f"    {plain_formula(line)}" for line in block.lines)
    elif block.kind == "code":
        yield from (f"    {line}" for line in block.lines)
    else:
        yield from map(plain, block.lines)


def _solved(part: Part) -> Iterator[str]:
    yield f"{part.label}) {plain(part.answer)}"
    yield from (f"   {plain(text)}" for text in part.solution)


WRITER = Writer("text", (".txt",), _write)
