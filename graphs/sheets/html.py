"""A sheet as one HTML page without scripts, its formulas in MathML, ready to be printed."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from graphs.drills.base import Block
from graphs.mathtext import html, html_formula
from graphs.sheets.sheet import TO_FILL_IN, Entry, Part, Sheet, Writer

__all__ = ["WRITER"]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; }
.top { display: flex; gap: 2rem; margin: 1.2rem 0; }
.top > span { display: flex; flex: 1; gap: 0.6rem; } .top > :first-child { flex: 2; }
.top i { flex: 1; border-bottom: 1px solid; }
h2 { font-size: 1.2rem; margin-top: 2.2rem; border-top: 1px solid #8886; padding-top: 1rem; }
.formula { margin: 0.35rem 1.5rem; overflow-x: auto; overflow-y: hidden; }
.formula math { width: max-content; text-align: left; }
mtable { text-align: right; } mtd { padding: 0.1rem 0.4rem; }
pre { background: #8881; padding: 0.7rem 1rem; border-radius: 0.4rem; overflow-x: auto; font-size: 0.9em; }
.part { margin-top: 0.9rem; } .label { font-weight: 600; margin-right: 0.4rem; }
.space { height: 3.2rem; } .solution { margin: 0.2rem 0 0.2rem 1.6rem; overflow-x: auto; }
ol.choices { margin: 0.3rem 0; } details > summary { cursor: pointer; font-weight: 600; }
@media print {
  body { font-size: 11pt; max-width: none; margin: 0; }
  section, .part { break-inside: avoid; }
  pre { white-space: pre-wrap; }
}
"""
_TOP = f'<div class="top">{"".join(f"<span>{word}: <i></i></span>" for word in TO_FILL_IN)}</div>'


def _write(sheet: Sheet) -> str:
    body = [f"<h1>{escape(sheet.title)}</h1>", *([] if sheet.has_solutions else [_TOP])]
    body += [text for entry in sheet.entries for text in _entry(entry, not sheet.has_solutions)]
    if sheet.has_solutions:
        body.append('<h1 id="solutions">Solutions</h1>')
        body += [text for entry in sheet.entries for text in _solutions(entry)]
    meta = "\n".join(
        f'<meta name="{key.lower()}" content="{escape(value)}">' for key, value in sheet.said.items()
    )
    head = f'<meta charset="utf-8">\n<title>{escape(sheet.title)}</title>\n{meta}\n<style>{_STYLE}</style>'
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en">',
            f"<head>\n{view}\n{head}\n</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        )
    )


def _entry(entry: Entry, has_space: bool) -> Iterator[str]:
    yield f"<section>\n<h2>{entry.number}. {escape(entry.title)}</h2>"
    for block in entry.blocks:
        yield from _block(block)
    for part in entry.parts:
        yield f'<div class="part"><span class="label">{part.label})</span>{html(part.ask)}'
        if part.choices:
            rows = "".join(f"<li>{html(choice)}</li>" for _, choice in part.choices)
            yield f'<ol class="choices">{rows}</ol>'
        elif has_space:
            yield '<div class="space"></div>'
        yield "</div>"
    yield "</section>"


def _block(block: Block) -> Iterator[str]:
    if block.kind == "equations":
        yield from (f'<div class="formula">{html_formula(line, block=True)}</div>' for line in block.lines)
    elif block.kind == "code":
        yield f"<pre><code>{escape(chr(10).join(block.lines))}</code></pre>"
    else:
        yield from (f"<p>{html(line)}</p>" for line in block.lines)


def _solutions(entry: Entry) -> Iterator[str]:
    yield f"<section>\n<h2>{entry.number}. {escape(entry.title)}</h2>"
    for part in entry.solved:
        yield from _solved(part)
    yield "</section>"


def _solved(part: Part) -> Iterator[str]:
    answer = html(part.answer.replace("`", ""))
    yield f'<div class="part"><span class="label">{part.label})</span>{answer}</div>'
    yield from (f'<div class="solution">{html(text)}</div>' for text in part.solution)


WRITER = Writer("html", (".html", ".htm"), _write)
