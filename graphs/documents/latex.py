r"""LaTeX: the derivation of one iteration, to be compiled by pdfLaTeX or LuaLaTeX and handed in.

Forward pass, every gradient by the chain rule, and the update: each first in symbols, then with the numbers
put in. Formulas are broken into lines here, as TeX breaks none that is displayed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil, isnan
from typing import NamedTuple

from engine.graph import Kind, Node
from engine.names import entry_latex, latex_name
from engine.shapes import Dims
from engine.trace import Phase
from graphs.definition import Array, FileData
from graphs.documents import Format, Options, Scope
from graphs.figures import blank, is_shown_whole, matrix, number, span
from graphs.palette import PRINT
from graphs.provenance import provenance
from graphs.snapshot import Snapshot
from graphs.solution import NEARLY, Solution, Written
from graphs.tex import PREAMBLE, comments, escaped, formula, pdf_text, sentence
from graphs.typesetting import lines, width
from graphs.wording import counted, listed

__all__ = ["FORMAT", "derivation_tex"]

ROOM = 38.5  # em, of a displayed formula on a page of A4 with margins of 25 mm
WIDE_LEFT = 13.0  # em, of a left side that has a line to itself
MOST_LINES, MOST_ROWS = 14, 30  # of one display and of one table, which no page break divides
BOX, TALLEST = 22.0, 18.0  # em, of a place to write a formula at
BY_HAND = 1.6  # how much wider a hand writes
FEW = 24  # examples of a mini-batch that are listed

_FILL_IN = (
    r"Name: \makebox[0.5\linewidth]{\hrulefill}\hfill Date: \makebox[0.25\linewidth]{\hrulefill}" + "\n"
)
_CHAIN_RULE = (
    "The gradient of a value is the derivative of the loss with respect to it, and has the value's shape. By "
    "the chain rule, every use of a value contributes the gradient of what was computed from it, times the "
    "local derivative of that computation: the factor{coloured}. Where a value is used several times, the "
    "contributions are added up."
)
_NOTATION = (
    (r"\odot", r"$\odot$ multiplies entry by entry."),
    (r"\oslash", r"$\oslash$ divides entry by entry."),
    (r"\intercal", r"$A^\intercal$ is the transpose of $A$."),
    (
        r"\vec{1}",
        r"$\vec{1}$ is a column of ones, as long as the product needs: $A\vec{1}$ adds up rows of $A$.",
    ),
    (r"\mathbf{1}[", r"$\mathbf{1}[\ldots]$ is 1 where the condition holds, and 0 elsewhere."),
)
_ENTRY = (
    "$Z[i, j]$ is the entry of $Z$ in row $i$ and column $j$, which are counted from 0, as NumPy counts; "
    "examples are columns."
)
_QUESTION = (
    "What does the chain rule multiply the gradient of {node} with, from which side, and which stored values "
    "does that read?"
)


class Row(NamedTuple):
    """One line of a displayed derivation; without a left side it goes on with the line above."""

    left: str
    sign: str
    right: str


def derivation_tex(snapshot: Snapshot, answers: bool = True) -> str:
    """Return the derivation of an iteration as a LaTeX document.

    Parameters
    ----------
    answers
        Whether gradients, and all numbers that are worked out, are given or left for a learner to fill in.
    """
    said = provenance(snapshot, scope=Scope.ITERATION)
    kind = "Derivation of the gradients" if answers else "Exercise: derive the gradients"
    body = _Answers(snapshot) if answers else _Questions(snapshot)
    return "\n".join(
        (
            comments(said) + PREAMBLE.replace("@factor", PRINT.backward_text.removeprefix("#").upper()),
            _information(said),
            "\\begin{document}\n",
            f"{{\\LARGE\\bfseries {escaped(snapshot.title)}\\par}}",
            f"{{\\large {kind}, iteration {snapshot.iteration}\\par}}\n",
            *body.paragraphs(),
            "\\end{document}\n" + comments(said, long=True),
        )
    )


def _information(said: dict[str, str]) -> str:
    known = {"Title": "pdftitle", "Software": "pdfcreator"}
    rows = [f"{known[key]}={{{pdf_text(value)}}}" for key, value in said.items() if key in known]
    others = [f"{key}={{{pdf_text(value)}}}" for key, value in said.items() if key not in known]
    return "\\hypersetup{" + ",\n  ".join([*rows, f"pdfinfo={{{','.join(others)}}}"]) + "}\n"


class _Answers:
    """Writes the derivation, paragraph by paragraph."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.solution = Solution(snapshot)
        self.graph = snapshot.trace.graph

    def paragraphs(self) -> Iterator[str]:
        yield from self.network()
        yield from self.forward()
        yield from self.backward()
        yield from self.update()
        yield from self.summary()

    # --- the network ---

    def network(self) -> Iterator[str]:
        solution, graph = self.solution, self.graph
        yield "\\section{The network}\n"
        description = self.snapshot.model.network.description
        if description:
            yield escaped(description) + "\n"
        whole = solution.frame.statics.whole
        yield f"The network computes {counted(len(graph.lines), 'value')}, line by line:"
        names = [line.name for line in graph.lines]
        yield display([Row(solution.latex(n), "=", formula(whole.definition_latex(n))) for n in names])
        symbols = [solution.symbol(name) for name in graph.parameters]
        purpose = (
            f"training makes it small by changing {listed(symbols)}" if symbols else "nothing is trained"
        )
        yield f"The loss is {solution.symbol(graph.loss)}; {purpose}.\n"
        yield self.table()
        yield from self.leaves("Before this update, the parameters are", graph.parameters)
        yield from self.leaves("The data are", graph.inputs)
        yield from self.data()
        yield self.notation()

    def table(self) -> str:
        rows = [f"{self.table_row(self.graph[name])} \\\\" for name in self.graph.named]
        head = "symbol & what it is & shape \\\\ \\hline"
        parts = ("\n".join([head, *rows[i : i + MOST_ROWS]]) for i in range(0, len(rows), MOST_ROWS))
        return "\n".join(f"\\begin{{tabular}}{{@{{}}lll@{{}}}}\n{part}\n\\end{{tabular}}\n" for part in parts)

    def table_row(self, node: Node) -> str:
        what = {Kind.PARAMETER: "parameter", Kind.INPUT: "input, from the data"}.get(node.kind)
        what = what or f"computed in line {node.line + 1}"
        what += ": the loss" * (node.name == self.graph.loss)
        return f"$\\fitted[8em]{{{self.solution.latex(node.name)}}}$ & {what} & {_shape(node.dims)}"

    def leaves(self, there: str, names: Sequence[str]) -> Iterator[str]:
        if not names:
            return
        values = self.snapshot.trace.values
        yield there
        yield display([Row(self.solution.latex(name), "=", matrix(values[name])) for name in names])
        large = [name for name in names if not is_shown_whole(values[name])]
        told = [f"{self.solution.symbol(n)} is {_size(values[n].shape)}, {span(values[n])}" for n in large]
        if told:
            yield "; ".join(told) + ".\n"

    def data(self) -> Iterator[str]:
        snapshot, model = self.snapshot, self.snapshot.model
        if model.selection is not None:
            columns = {n: c for n, c in model.selection.columns.items() if n in self.graph.ids}
            held = [f"{self.solution.symbol(n)} holds {listed(map(escaped, c))}" for n, c in columns.items()]
            file = model.network.data.file if isinstance(model.network.data, FileData) else "a table"
            yield (
                f"From {escaped(file)}, {'; '.join(held)}. "
                + " ".join(map(escaped, model.selection.notices))
                + "\n"
            )
        if snapshot.batch is not None:
            count = len(snapshot.batch)
            which = f": {', '.join(map(str, snapshot.batch))}, counted from 0" if count <= FEW else ""
            yield f"This iteration takes a mini-batch of {count} of the {model.examples} examples{which}.\n"
        if snapshot.overrides:
            symbols = [self.solution.symbol(name) for name in snapshot.overrides if name in self.graph.ids]
            yield f"Changed by hand: {listed(symbols)}.\n" if symbols else ""

    def notation(self) -> str:
        text = " ".join(f"{written.left} {written.right}" for written in self.solution.steps)
        signs = [meaning for sign, meaning in _NOTATION if sign in text]
        defined = dict.fromkeys(node.op.definition for node in self.graph.nodes if node.op is not None)
        functions = [f"$\\displaystyle {formula(definition)}$" for definition in defined if definition]
        return "In what follows,\n" + _bullets([_ENTRY, *signs, *functions])

    # --- the passes ---

    def forward(self) -> Iterator[str]:
        yield "\\section{Forward pass}\n"
        for written in self.solution.phase(Phase.FORWARD):
            yield self.step(written)
        wrong = self.snapshot.trace.first_non_finite()
        if wrong is not None:
            yield (
                sentence(f"{self.solution.wording.name(wrong)} is the first that is not a finite number.")
                + "\n"
            )

    def step(self, written: Written) -> str:
        """Return a forward step or one of an update."""
        rows = [Row(written.left, written.sign, written.right), *self.numbers(written.left, written)]
        return f"{self.told(written)}\n{display(rows)}{self.rest(written)}"

    def told(self, written: Written) -> str:
        shapes = f" Shapes: {escaped(written.shapes)}." if written.shapes else ""
        return sentence(written.sentence) + shapes

    def numbers(self, left: str, written: Written) -> Iterator[Row]:
        """Yield one entry with the numbers put in, then the whole array."""
        sign = "=" if written.step.phase == Phase.BACKWARD else written.sign
        relation = NEARLY if written.is_rounding else sign
        if written.right and written.numbers:
            came_to = f"{written.numbers} {written.relation} {written.comes_to}"
            yield Row(entry_latex(left, written.index), sign, self.worked_out(came_to))
        elif written.right and not written.index:
            yield Row(left, relation, self.worked_out(written.comes_to))
        if written.index or not written.right:
            yield Row(left, relation, self.array(written.shown))

    def rest(self, written: Written) -> str:
        if is_shown_whole(written.result):
            return ""
        said = "all of it rounding" if written.is_rounding else span(written.result)
        return f"This is {_size(written.result.shape)}, {said}.\n"

    worked_out = staticmethod(str)
    array = staticmethod(matrix)

    def backward(self) -> Iterator[str]:
        solution = self.solution
        yield "\\section{Backward pass}\n"
        yield self.chain_rule()
        seed = solution.phase(Phase.SEED)[0]
        yield sentence(" ".join((seed.sentence, *seed.notes))) + "\n" + display([Row(seed.left, "=", "1")])
        for name, rows in solution.contributions.items():
            heading = f"$\\fitted[0.7\\linewidth]{{{solution.latex(name)}}}$"
            text = f"\\texorpdfstring{{{heading}}}{{{escaped(name)}}}"
            yield f"\\subsection{{The gradient of {text}}}\n"
            yield from self.gradient(name, rows)
        for name in self.graph.parameters:
            if name not in solution.contributions:
                yield f"The loss does not depend on {solution.symbol(name)}: its gradient is 0.\n"

    def chain_rule(self) -> str:
        ops = [
            node.op for node in self.graph.nodes if node.op is not None and node.id in self.graph.on_loss_path
        ]
        rules = [sentence(rule) for rule in dict.fromkeys(op.sentence for op in ops) if rule]
        return (
            _CHAIN_RULE.format(coloured=" (\\textcolor{factor}{coloured} below)")
            + "\n\nThe local rules of the operations in this network:\n"
            + _bullets(rules)
        )

    def gradient(self, name: str, rows: Sequence[Written]) -> Iterator[str]:
        many = len(rows) > 1
        symbol = self.solution.symbol(name)
        if many:
            count = len(rows)
            yield f"{symbol} is used {count} times: its gradient is the sum of {count} contributions.\n"
        for i, written in enumerate(rows, 1):
            yield self.contribution(written, f"g_{{{i}}}" if many else written.left)
        if many:
            yield "Added up:\n" + display(list(self.total(rows)))
        if self.graph[name].kind == Kind.INPUT:
            yield f"Training does not use this gradient: {symbol} is not changed.\n"

    def contribution(self, written: Written, left: str) -> str:
        notes = [note for note in written.notes if not note.startswith("Contribution")]
        shapes = f"Shapes: {written.shapes}." if written.shapes else ""
        words = (self.where(written), written.sentence, *notes, shapes)
        rows = [Row(left, "=", written.coloured)] if written.right else []
        composed = self.solution.composed(written.step.target)
        if left == written.left and composed and rows:
            rows.append(Row("", "=", composed))
        rows += self.numbers(left, written)
        return f"{sentence(' '.join(filter(None, words)))}\n{display(rows)}{self.rest(written)}"

    def where(self, written: Written) -> str:
        """Say in which line the value is used."""
        line = self.solution.quoted(written.step.node)
        return f"{self.solution.symbol(written.step.target)} is used in {line}." if line else ""

    def total(self, rows: Sequence[Written]) -> Iterator[Row]:
        """Yield the sum of several contributions: in symbols, of one entry, and whole."""
        left, index, whole = rows[0].left, rows[0].index, rows[-1].added_up
        relation = NEARLY if rows[-1].adds_up_to_rounding else "="
        composed = self.solution.composed(rows[0].step.target)
        yield Row(left, "=", " + ".join(f"g_{{{i}}}" for i in range(1, len(rows) + 1)))
        if composed:
            yield Row("", "=", self.derived(composed))
        entries = [number(written.shown[index]) for written in rows]
        added = " + ".join(f"({e})" if e.startswith("-") and i else e for i, e in enumerate(entries))
        came_to = f"{added} {relation} {number(whole[index])}"
        yield Row(entry_latex(left, index), "=", self.worked_out(came_to))
        if index:
            yield Row(left, relation, self.array(whole))

    derived = staticmethod(str)

    # --- the update, the summary ---

    def update(self) -> Iterator[str]:
        updates = self.solution.phase(Phase.UPDATE)
        if not updates:
            return
        optimizer, settings = self.snapshot.optimizer, self.snapshot.settings
        values = [
            f"{escaped(h.text)} ${formula(h.symbol)} = {number(settings[h.name])}$"
            for h in optimizer.hyperparameters
        ]
        yield "\\section{Update}\n"
        yield (
            f"{escaped(optimizer.title)}. {escaped(optimizer.text)} Here the numbers are: "
            f"{', '.join(values)}; this is update $t = {settings['t']}$.\n"
        )
        for written in updates:
            yield self.step(written)

    def summary(self) -> Iterator[str]:
        solution = self.solution
        if solution.phase(Phase.UPDATE):
            before, after = _said(self.snapshot.trace.loss), _said(solution.loss_after())
            yield f"With the new parameters, the loss of these examples goes from {before} to {after}.\n"
        yield "\\section{The gradients at a glance}\n"
        rows = []
        for name, found in solution.contributions.items():
            terms = [written.right or r"\ldots" for written in found]
            rows.append(Row(found[0].left, "=", solution.composed(name) or " + ".join(terms)))
        yield display(rows)


class _Questions(_Answers):
    """Writes the same with places to fill in for what is worked out."""

    def paragraphs(self) -> Iterator[str]:
        yield _FILL_IN
        yield from super().paragraphs()

    def summary(self) -> Iterator[str]:
        return iter(())

    def chain_rule(self) -> str:
        return _CHAIN_RULE.format(coloured="") + "\n"

    def contribution(self, written: Written, left: str) -> str:
        question = _QUESTION.format(node=self.solution.wording.name(written.step.node))
        rows = [Row(left, "=", _box(written.right))] if written.right else []
        rows += self.numbers(left, written)
        return f"{sentence(f'{self.where(written)} {question}'.strip())}\n{display(rows)}"

    def rest(self, written: Written) -> str:
        return "" if is_shown_whole(written.result) else f"This is {_size(written.result.shape)}.\n"

    def worked_out(self, text: str) -> str:
        return _box(text)

    def array(self, array: Array) -> str:
        return blank(array)

    def derived(self, text: str) -> str:
        return _box(text)


# --- displayed formulas ------------------------------------------------------------------------------------


def display(rows: Sequence[Row]) -> str:
    """Return rows aligned at their signs, broken into lines, in displays that fit on a page."""
    lefts = [width(row.left) for row in rows]
    narrow = max((wide for wide in lefts if wide <= WIDE_LEFT), default=0.0)
    found = [
        line for row, wide in zip(rows, lefts, strict=True) for line in _set(row, narrow, wide > WIDE_LEFT)
    ]
    parts = (found[i : i + MOST_LINES] for i in range(0, len(found), MOST_LINES))
    return "".join(_aligned(part) for part in parts)


def _aligned(rows: Sequence[str]) -> str:
    body = " \\\\[0.8ex]\n".join(rows)
    return f"\\[\\fitted{{\\begin{{aligned}}\n{body}\n\\end{{aligned}}}}\\]\n"


def _set(row: Row, narrow: float, is_wide: bool) -> Iterator[str]:
    first, *more = lines(row.right, ROOM - narrow - 1.6)
    if is_wide:
        yield rf"\lefteqn{{{row.left}}} &"
    yield f"{'' if is_wide else row.left} &{row.sign} {first}"
    yield from (rf"&\quad {line}" for line in more)


def _box(right: str) -> str:
    """Return a place as large as a formula is when it is written by hand."""
    wide = BY_HAND * width(right)
    tall = min(TALLEST, (3.0 if r"\frac" in right else 2.0) * ceil(wide / BOX))
    return rf"\answer{{{min(BOX, max(6.0, wide)):.1f}em}}{{{tall:.1f}em}}"


# --- words -------------------------------------------------------------------------------------------------


def _symbol(name: str) -> str:
    return formula(latex_name(name))


def _bullets(items: Sequence[str]) -> str:
    rows = "\n".join(f"\\item {item}" for item in items)
    return f"\\begin{{itemize}}\\setlength{{\\itemsep}}{{0pt}}\n{rows}\n\\end{{itemize}}\n"


def _shape(dims: Dims) -> str:
    if not dims:
        return "scalar"
    sizes = r" \times ".join(str(d.size) for d in dims)
    names = r" \times ".join(d.name if d.name.isdigit() else _symbol(d.name) for d in dims)
    return f"${sizes}$" if sizes == names else f"${names} = {sizes}$"


def _said(x: float) -> str:
    """Return a number in a sentence."""
    return "not a number" if isnan(x) else f"${number(x)}$"


def _size(shape: tuple[int, ...]) -> str:
    sizes = r" \times ".join(map(str, shape))
    return f"${sizes}$"


def _write(snapshot: Snapshot, options: Options) -> str:
    return derivation_tex(snapshot, options.answers)


FORMAT = Format("latex", "Derivation in LaTeX", (".tex",), _write, uses=("answers",))
