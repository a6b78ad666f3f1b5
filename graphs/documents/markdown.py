r"""Markdown: the step-by-step solution of an iteration as a handout, with the answers or with room for them.

GitHub's flavour: formulas between dollar signs, small arrays as tables. A section is a step; each has its
sentence, its equation, the numbers put in and what they come to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np

from engine.graph import Kind
from engine.names import entry_text, latex_name
from engine.shapes import Dims
from engine.trace import Phase
from graphs.definition import Array
from graphs.documents import Format, Options, Scope
from graphs.figures import is_shown_whole, number, places_shown, span
from graphs.provenance import provenance
from graphs.snapshot import Snapshot
from graphs.solution import NEARLY, Solution, Written
from graphs.tex import tidied
from graphs.typesetting import lines
from graphs.views.numbers import NOTHING
from graphs.wording import counted

__all__ = ["FORMAT", "solution_md"]

ROOM = 60.0  # em, of a displayed formula
TABLE_ROOM = 34.0  # em, of a table's numbers
BLANK = "\\_" * 12
PHASES = {
    Phase.FORWARD: "Forward pass",
    Phase.SEED: "Backward pass",
    Phase.BACKWARD: "Backward pass",
    Phase.UPDATE: "Update",
}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$~&!])")
_IN_MATHS: Mapping[str, str] = {
    "|": r"\vert ",  # in a table it would end the cell
    r"\|": r"\Vert ",  # readers that know no formulas take a backslash before a sign away
    r"\,": r"\thinspace ",
    r"\;": r"\enspace ",
    r"\{": r"\lbrace ",
    r"\}": r"\rbrace ",
}
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_INTRODUCTION = (
    "Examples are columns. Rows and columns are counted from 0, as NumPy counts: $A[i, j]$ is the entry of "
    "$A$ in row $i$ and column $j$. The gradient of a value is the derivative of the loss with respect to it "
    "and has the value's shape: by the chain rule, every use of a value contributes the gradient of what was "
    "computed from it, times the local derivative of that computation, the factor."
)


def solution_md(snapshot: Snapshot, answers: bool = True) -> str:
    """Return the steps of an iteration as a handout in Markdown.

    Parameters
    ----------
    answers
        Whether gradients, and all numbers that are worked out, are given or left for a learner to fill in.
    """
    handout = _Answers(snapshot) if answers else _Questions(snapshot)
    return "\n\n".join((_comment(provenance(snapshot, scope=Scope.ITERATION)), *handout.blocks())) + "\n"


def _comment(said: Mapping[str, str]) -> str:
    """Return what a file says about itself as a comment, which two hyphens in a row would end."""
    rows = [f"{key}: {' '.join(value.split())}".replace("--", "-&#45;") for key, value in said.items()]
    return "\n".join(["<!--", *(row.replace("-->", "--&gt;") for row in rows), "-->"])


class _Answers:
    """Writes the handout, block by block."""

    kind = "Step-by-step solution"

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.solution = Solution(snapshot, tidied)
        self.graph = snapshot.trace.graph

    def blocks(self) -> Iterator[str]:
        yield f"# {_escaped(self.snapshot.title)}"
        yield f"{self.kind}: {self.what()}"
        yield from self.network()
        heading = ""
        for written in self.solution.steps:
            if heading != PHASES[written.step.phase]:
                heading = PHASES[written.step.phase]
                yield f"## {heading}"
                yield from self.before(written.step.phase)
            yield f"### Step {written.step.index + 1} of {len(self.solution.steps)}: {self.subject(written)}"
            yield from self.step(written)
        yield from self.summary()

    def what(self) -> str:
        snapshot = self.snapshot
        examples = self.graph.examples
        data = f", {counted(examples, 'example')}" if examples is not None else ""
        if snapshot.batch is not None:
            data = f", a mini-batch of {len(snapshot.batch)} of {snapshot.model.examples} examples"
        return f"iteration {snapshot.iteration}{data}, {snapshot.optimizer.title} ({self.settings()})."

    def settings(self) -> str:
        values, known = self.snapshot.settings, self.snapshot.optimizer.hyperparameters
        return ", ".join(f"{h.text} {_maths(f'{h.symbol} = {number(values[h.name])}')}" for h in known)

    # --- the network ---

    def network(self) -> Iterator[str]:
        description = self.snapshot.model.network.description
        if description:
            yield _escaped(description)
        whole = self.solution.frame.statics.whole
        yield "## The network"
        for line in self.graph.lines:
            yield _display(f"{self.solution.latex(line.name)} = {tidied(whole.definition_latex(line.name))}")
        yield _INTRODUCTION
        yield _table(("symbol", "what it is", "shape"), [self.row(name) for name in self.graph.named], "lll")
        values = self.snapshot.trace.values
        leaves = {"Parameters before the update": self.graph.parameters, "Data": self.graph.inputs}
        for title, names in leaves.items():
            if names:
                yield f"**{title}**"
            for name in names:
                yield from self.array(self.solution.latex(name), values[name])

    def row(self, name: str) -> tuple[str, ...]:
        node = self.graph[name]
        what = {Kind.PARAMETER: "parameter", Kind.INPUT: "input"}.get(node.kind, f"line {node.line + 1}")
        what += ", the loss" * (name == self.graph.loss)
        return _maths(self.solution.latex(name)), what, _shape(node.dims)

    # --- the steps ---

    def before(self, phase: Phase) -> Iterator[str]:
        """Yield what is said once before the steps of a phase."""
        if phase == Phase.UPDATE:
            yield f"{self.snapshot.optimizer.title}. {self.snapshot.optimizer.text}"

    def subject(self, written: Written) -> str:
        if written.step.phase in (Phase.SEED, Phase.BACKWARD):
            again = "one more contribution to " if written.step.before is not None else ""
            return f"{again}the gradient of {_maths(self.solution.latex(written.step.target))}"
        return _maths(written.left)

    def step(self, written: Written) -> Iterator[str]:
        shapes = f"Shapes: {written.shapes}." if written.shapes else ""
        yield " ".join(filter(None, (_sentence(written.sentence), *map(_sentence, written.notes), shapes)))
        if written.right:
            yield _display(f"{written.left} {written.sign} {written.right}")
        yield from self.numbers(written)

    def numbers(self, written: Written) -> Iterator[str]:
        """Yield one entry with the numbers put in, then the whole array."""
        if written.right and (written.numbers or not written.index) and written.step.phase != Phase.SEED:
            yield self.entry(written)
        if written.index:
            yield from self.result(written)
        elif not written.right:
            sign = NEARLY if written.is_rounding else written.sign
            yield _display(f"{written.left} {sign} {written.comes_to}")
        if written.step.before is not None and written.step.phase == Phase.BACKWARD:
            yield "Together with what has arrived before:"
            yield from self.total(written)

    def entry(self, written: Written) -> str:
        place = _place(written.index)
        came_to = f"{written.relation} {written.comes_to}"
        came_to = f"= {written.numbers} {came_to}" if written.numbers else came_to
        return f"{place}:\n\n{_display(came_to)}" if place else _display(came_to)

    def result(self, written: Written) -> Iterator[str]:
        left = written.left if written.step.before is None or written.step.phase != Phase.BACKWARD else ""
        yield from self.array(left, written.result, written.is_rounding)

    def total(self, written: Written) -> Iterator[str]:
        if written.index:
            yield from self.array(written.left, written.step.after, written.adds_up_to_rounding)
        else:
            relation = NEARLY if written.adds_up_to_rounding else "="
            yield _display(f"{written.left} {relation} {number(written.added_up)}")

    def array(self, left: str, array: Array, is_rounding: bool = False) -> Iterator[str]:
        """Yield an array as a table, a number as an equation; of a large array the corners and the range."""
        if array.ndim == 0:
            yield _display(f"{left} {NEARLY} 0" if is_rounding else f"{left} = {number(array)}")
            return
        yield _array_table(left, array, _rounding if is_rounding else _number)
        if is_rounding:
            yield f"This is {_size(array.shape)}, all of it rounding."
        elif not is_shown_whole(array, TABLE_ROOM):
            yield f"This is {_size(array.shape)}, {_sentence(span(array))}."

    def summary(self) -> Iterator[str]:
        if self.solution.phase(Phase.UPDATE):
            before, after = (
                _number(float(x)) for x in (self.snapshot.trace.loss, self.solution.loss_after())
            )
            yield f"With the new parameters, the loss of these examples goes from {before} to {after}."
        yield "## The gradients"
        for name, rows in self.solution.contributions.items():
            terms = " + ".join(written.right or r"\ldots" for written in rows)
            yield _display(f"{rows[0].left} = {self.solution.composed(name) or terms}")


class _Questions(_Answers):
    """Writes the same with room for what is to be worked out."""

    kind = "Exercise"

    def step(self, written: Written) -> Iterator[str]:
        if written.step.phase == Phase.SEED:
            yield from super().step(written)
            return
        if written.step.phase == Phase.BACKWARD:
            node = self.solution.wording.name(written.step.node)
            reached, line = self.solution.symbol(written.step.target), self.solution.quoted(written.step.node)
            where = f"{reached} is used in {line}. " if line else ""
            yield _sentence(f"{where}What is the gradient of {node} multiplied with to reach {reached}?")
            yield f"Factor: {BLANK} From which side: {BLANK} It reads: {BLANK}"
            yield f"{_maths(f'{written.left} {written.sign}')} {BLANK * 2}"
        else:
            yield _sentence(written.sentence)
            yield _display(f"{written.left} {written.sign} {written.right}")
        yield from self.numbers(written)

    def entry(self, written: Written) -> str:
        place = _place(written.index)
        return f"{place}: {BLANK * 3}" if place else f"In numbers: {BLANK * 3}"

    def result(self, written: Written) -> Iterator[str]:
        left = written.left if written.step.before is None or written.step.phase != Phase.BACKWARD else ""
        yield _array_table(left, written.result, lambda _: "")

    def total(self, written: Written) -> Iterator[str]:
        if written.index:
            yield _array_table(written.left, written.step.after, lambda _: "")
        else:
            yield f"{_maths(f'{written.left} =')} {BLANK}"

    def summary(self) -> Iterator[str]:
        return iter(())


# --- formulas, tables --------------------------------------------------------------------------------------


def _in_maths(latex: str) -> str:
    return re.sub(r"\\[|,;{}]|\|", lambda m: _IN_MATHS[m[0]], latex)


def _maths(latex: str) -> str:
    """Return a formula in a sentence."""
    return f"${_in_maths(tidied(latex)).strip()}$"


def _display(latex: str) -> str:
    """Return a displayed formula; a long one is broken, as no reader breaks it."""
    first, *more = lines(latex, ROOM)
    rows = (first, *(rf"\quad {line}" for line in more))
    return "\n\n".join(f"$$\n{_in_maths(row).strip()}\n$$" for row in rows)


def _array_table(left: str, array: Array, write: Callable[[float], str]) -> str:
    """Return an array as a table with numbered rows and columns; of a large one the corners."""
    rows, columns = places_shown(array, TABLE_ROOM)
    table = np.atleast_2d(array) if array.ndim <= 2 else array.reshape(array.shape[0], -1)
    head = [_maths(left) if left else " ", *("…" if c is None else str(c) for c in columns)]
    body = [
        ["⋮", *("⋱" if c is None else "⋮" for c in columns)]
        if r is None
        else [str(r), *("…" if c is None else write(float(table[r, c])) for c in columns)]
        for r in rows
    ]
    return _table(head, body, "r" * len(head))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> str:
    rule = ["---:" if side == "r" else ":---" for side in align]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


# --- words, numbers ----------------------------------------------------------------------------------------


def _escaped(text: str) -> str:
    """Return plain text as Markdown shows it, on one line."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _sentence(text: str) -> str:
    """Return a sentence in which formulas stand between dollar signs."""
    parts = text.split("$")
    return "".join(f"${_in_maths(part).strip()}$" if i % 2 else _words(part) for i, part in enumerate(parts))


def _words(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _number(x: float) -> str:
    """Return a number for a table: 4 digits, powers of ten with a cross, what is no number in words."""
    text = number(x)
    text = {r"\text{nan}": "not a number", r"\infty": "∞", r"-\infty": "−∞"}.get(text, text)
    power = re.sub(r"\^\{(-?\d+)\}", lambda m: m[1].translate(_SUPERSCRIPTS), text)
    return power.replace(r"\times", "×").replace("-", "−")


def _rounding(x: float) -> str:
    return NOTHING if x else "0"


def _place(index: tuple[int, ...]) -> str:
    """Return which entry an index is, as the screen says it."""
    return _escaped(f"Entry {entry_text(index)}") if index else ""


def _shape(dims: Dims) -> str:
    if not dims:
        return "scalar"
    names = r" \times ".join(d.name if d.name.isdigit() else latex_name(d.name) for d in dims)
    sizes = r" \times ".join(str(d.size) for d in dims)
    return _maths(sizes if names == sizes else f"{names} = {sizes}")


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))


def _write(snapshot: Snapshot, options: Options) -> str:
    return solution_md(snapshot, options.answers)


FORMAT = Format("markdown", "Step-by-step handout", (".md", ".markdown"), _write, uses=("answers",))
