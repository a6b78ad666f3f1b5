r"""A sheet as a LaTeX document, to be compiled by pdfLaTeX or LuaLaTeX, with places to write at."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap

from graphs.drills.base import Block
from graphs.palette import PRINT
from graphs.sheets.sheet import TO_FILL_IN, Entry, Sheet, Writer
from graphs.tex import PREAMBLE, comments, escaped, formula, pdf_text, sentence

__all__ = ["WRITER"]

WIDTH = 84  # characters of a line of source
_SPACE = {"matrix": "28mm", "expression": "16mm", "number": "12mm"}
_WIDTHS = (0.5, 0.25)  # of the rules at the top, as shares of a line's
_TOP = r"\hfill ".join(
    rf"{word}: \makebox[{width}\linewidth]{{\hrulefill}}"
    for word, width in zip(TO_FILL_IN, _WIDTHS, strict=True)
)


def _write(sheet: Sheet) -> str:
    colour = PRINT.backward_text.removeprefix("#").upper()
    parts = [
        comments(sheet.said) + PREAMBLE.replace("@factor", colour),
        rf"\hypersetup{{pdftitle={{{pdf_text(sheet.title)}}},pdfcreator={{{pdf_text(sheet.said['Software'])}}}}}",
        "\\begin{document}\n",
        f"{{\\LARGE\\bfseries {escaped(sheet.title)}\\par}}\n",
    ]
    parts += [] if sheet.has_solutions else [_TOP + "\n"]
    parts += [text for entry in sheet.entries for text in _entry(entry, not sheet.has_solutions)]
    if sheet.has_solutions:
        parts.append("\\clearpage\n{\\Large\\bfseries Solutions\\par}\n")
        parts += [text for entry in sheet.entries for text in _solutions(entry)]
    return "\n".join([*parts, "\\end{document}", comments(sheet.said, long=True)])


def _entry(entry: Entry, has_space: bool) -> Iterator[str]:
    yield f"\\section*{{{entry.number}. {escaped(entry.title)}}}\n"
    for block in entry.blocks:
        yield from _block(block)
    for part in entry.parts:
        yield f"\\textbf{{{part.label})}} {sentence(part.ask)}\n"
        if part.choices:
            rows = "\n".join(f"\\item[{number}.] {sentence(choice)}" for number, choice in part.choices)
            yield f"\\begin{{itemize}}\n{rows}\n\\end{{itemize}}"
        elif has_space:
            yield f"\\vspace{{{_SPACE.get(part.posed.question.kind, '10mm')}}}\n"


def _block(block: Block) -> Iterator[str]:
    if block.kind == "equations":
        yield from (rf"\[\fitted{{{formula(line)}}}\]" for line in block.lines)
    elif block.kind == "code":
        lines = (piece for line in block.lines for piece in wrap(line, WIDTH, subsequent_indent="      "))
        yield "\n".join(("{\\small\\begin{verbatim}", *lines, "\\end{verbatim}}"))
    else:
        yield from (f"{sentence(line)}\n" for line in block.lines)


def _solutions(entry: Entry) -> Iterator[str]:
    yield f"\\section*{{{entry.number}. {escaped(entry.title)}}}\n"
    for part in entry.solved:
        yield f"\\textbf{{{part.label})}} {_shown(part.answer)}\n"
        yield from (f"{_shown(text)}\n" for text in part.solution)


def _shown(text: str) -> str:
    """Return a sentence; what is one formula alone is displayed."""
    bare = text[1:-1]
    is_formula = len(text) > 2 and text[0] == text[-1] == "$" and "$" not in bare
    if is_formula:
        return rf"$\fitted[0.94\linewidth]{{\displaystyle {formula(bare)}}}$"
    return sentence(text.replace("`", ""))


WRITER = Writer("latex", (".tex",), _write)
