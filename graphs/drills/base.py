"""What exercises are made of, and what their kinds share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.trace import forward
from graphs.answers import Posed, Question
from graphs.byhand import has_few_and_short_numbers, small_snapshot
from graphs.bytable import sentences
from graphs.definition import Array
from graphs.hints import array_latex
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Subject
from graphs.wording import enumerated

__all__ = [
    "COUNTING",
    "MOST_PARTS",
    "Block",
    "Drill",
    "Exercise",
    "Maker",
    "asked",
    "given",
    "posed",
    "sizes_given",
    "some",
]

SMALL = 8  # entries of an array that is asked for whole
MOST_PARTS = 6
COUNTING = "Rows and columns are counted from 0: $A[i, j]$ is the entry in row $i$ and column $j$."
NETWORK = "The network is"
IN_FULL = "In its own size, the network is"
ROUNDED = 5e-3  # relative: what rounding to three digits on the way comes to


@dataclass(frozen=True)
class Block:
    """A piece of an exercise's text.

    Attributes
    ----------
    kind
        ``text``: a paragraph, with LaTeX between dollars; ``equations``: LaTeX, one equation a line;
        ``code``: NumPy source.
    """

    kind: str
    lines: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Exercise:
    """One exercise.

    Attributes
    ----------
    kind
        Which of `KINDS`.
    title
        What it is about, in a few words.
    given
        What is given: equations and numbers. Exercises about the same numbers share it.
    blocks
        What is told before the parts.
    parts
        What is asked.
    snapshot
        Where it is asked.
    seed, turn
        The seed that it was made with, and the round, counted from 0.
    staged
        What a window shows with it, where that is not `snapshot`.
    """

    kind: str
    title: str
    given: tuple[Block, ...]
    blocks: tuple[Block, ...]
    parts: tuple[Posed, ...]
    snapshot: Snapshot
    seed: int = 0
    turn: int = 0
    staged: Snapshot | None = None

    @property
    def texts(self) -> tuple[Block, ...]:
        """What is given and told."""
        return (*self.given, *self.blocks)

    @cached_property
    def text(self) -> str:
        """What is given and told, as Markdown with LaTeX between dollars."""
        return "\n\n".join(_markdown(block) for block in self.texts)

    @property
    def stage(self) -> Snapshot:
        """What a window shows with it."""
        return self.snapshot if self.staged is None else self.staged


def _markdown(block: Block) -> str:
    if block.kind == "code":
        return "\n".join(("```python", *block.lines, "```"))
    if block.kind == "equations":
        return "\n\n".join(f"$${line}$$" for line in block.lines)
    return "\n".join(block.lines)


@dataclass(frozen=True)
class Drill:
    """A kind of exercises.

    Attributes
    ----------
    name, title, text
        As the command line takes it, as a list shows it, and what it is about.
    make
        Returns an exercise of a round, None where the network has nothing for it.
    """

    name: str
    title: str
    text: str
    make: Callable[[Maker, int], Exercise | None]


class Maker:
    """What exercises are made from: one network, small in every round with other numbers.

    Parameters
    ----------
    snapshot
        The network in its real size, in steps of one line each.
    """

    def __init__(self, snapshot: Snapshot, seed: int) -> None:
        self.snapshot = snapshot
        self.seed = seed
        self._small: dict[int, Snapshot] = {}
        self._apart: dict[int, Snapshot] = {}
        self._given: dict[int, tuple[Block, ...]] = {}

    def small(self, turn: int) -> Snapshot:
        """Return the small network of a round: first of all with its own numbers, where they are short."""
        if turn not in self._small:
            model, number = self.snapshot.model, self.seed * 1000 + turn
            seed = None if number == 0 and has_few_and_short_numbers(model) else number
            self._small[turn] = small_snapshot(model, self.snapshot.recipe, seed)
        return self._small[turn]

    def small_apart(self, turn: int) -> Snapshot:
        """Return one with other numbers than the round's, for an exercise that states gradients."""
        if turn not in self._apart:
            seed = self.seed * 1000 + 999 - turn
            avoided = self.small(turn).model.leaves
            self._apart[turn] = small_snapshot(self.snapshot.model, self.snapshot.recipe, seed, avoided)
        return self._apart[turn]

    def given(self, turn: int) -> tuple[Block, ...]:
        """Return the equations and numbers of a round: one object, which its exercises share."""
        if turn not in self._given:
            self._given[turn] = given(self.small(turn))
        return self._given[turn]

    @cached_property
    def sizes(self) -> tuple[Block, ...]:
        """The equations and sizes of the network as it is."""
        return sizes_given(self.snapshot)

    def rng(self, turn: int, kind: str) -> np.random.Generator:
        """Return the random numbers of an exercise."""
        return np.random.default_rng([self.seed, turn, *kind.encode()])


# --- what is given -----------------------------------------------------------------------------------------


def given(snapshot: Snapshot) -> tuple[Block, ...]:
    """Return the equations of a network and its numbers."""
    derivation, graph, values = snapshot.derivation, snapshot.trace.graph, snapshot.trace.values
    leaves = (*graph.inputs, *graph.parameters)
    numbers = tuple(f"{derivation.name_latex(n)} = {array_latex(values[n])}" for n in leaves)
    several = (graph.examples or 1) > 1
    examples = f"There are $m = {graph.examples}$ examples, one a column." if several else ""
    counting = COUNTING if any(value.ndim for value in values.values()) else ""
    return (
        Block("text", (" ".join(text for text in (examples, counting, NETWORK) if text),)),
        _equations(snapshot),
        *([Block("text", ("with",)), Block("equations", numbers)] if numbers else []),
        *(Block("text", (sentence,)) for sentence in sentences(graph, forward(graph, snapshot.model.leaves))),
    )


def _equations(snapshot: Snapshot) -> Block:
    lines = snapshot.trace.graph.lines
    return Block("equations", tuple(snapshot.derivation.forward_latex(line.name) for line in lines))


def sizes_given(snapshot: Snapshot) -> tuple[Block, ...]:
    """Return the equations of a network and the shapes of what goes in."""
    derivation, graph = snapshot.derivation, snapshot.trace.graph
    leaves = (*graph.inputs, *graph.parameters)
    shapes = [f"${derivation.name_latex(n)}$ is {_shape(snapshot, n)}" for n in leaves]
    named = {d.name: d.size for node in graph.nodes for d in node.dims if d.name.isidentifier()}
    sizes = [f"${name} = {size}$" for name, size in named.items()]
    are = "size is" if len(sizes) == 1 else "sizes are"
    told = [
        f"Here {enumerated(shapes)}." if shapes else "",
        f"The {are} {enumerated(sizes)}." if sizes else "",
    ]
    sentence = " ".join(text for text in told if text)
    return (Block("text", (IN_FULL,)), _equations(snapshot), Block("text", (sentence,)))


def _shape(snapshot: Snapshot, name: str) -> str:
    names = [d.name for d in snapshot.trace.graph[name].dims]
    return "$" + r" \times ".join(names) + "$" if names else "a number"


# --- parts -------------------------------------------------------------------------------------------------


def posed(subject: Subject, snapshot: Snapshot, kind: str, ask: str) -> Posed:
    """Return a question about a subject, whose own numbers are the answer."""
    about = subject.text(snapshot)
    return Posed(Question(ask, kind, about, about=about, tolerance=ROUNDED), snapshot)


def asked(
    subject: Subject,
    snapshot: Snapshot,
    rng: np.random.Generator,
    ask: str = "Work out {it}.",
    words: Callable[[Subject], str] | None = None,
) -> Posed:
    """Return the question for a subject's numbers: whole where it is small, else one entry of it.

    Parameters
    ----------
    ask
        The question, with ``{it}`` for what is asked for.
    words
        How that is said; by its symbol where None.
    """
    array = subject.value(Draw(snapshot.trace, snapshot))
    is_matrix = array.ndim > 0 and array.size <= SMALL
    if array.ndim and not is_matrix:
        subject = subject.at(telling_entry(array, rng))
    it = f"${subject.symbol(snapshot.derivation, snapshot.optimizer)}$" if words is None else words(subject)
    return posed(subject, snapshot, "matrix" if is_matrix else "number", ask.replace("{it}", it))


def telling_entry(array: Array, rng: np.random.Generator) -> tuple[int, ...]:
    """Return an entry that is not zero, where there is one."""
    entries = np.argwhere(array != 0)
    entries = entries if len(entries) else np.argwhere(array == 0)
    return tuple(int(i) for i in entries[rng.integers(len(entries))])


def some(items: Sequence[Subject], count: int, rng: np.random.Generator) -> list[Subject]:
    """Return some of the items, in their order."""
    return [items[i] for i in sorted(rng.permutation(len(items))[:count])]
