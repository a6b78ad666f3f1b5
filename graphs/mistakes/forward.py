"""Wrong values: an operation left out, or done with its operands the wrong way round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from engine.alterations import Change
from engine.graph import Graph, Node
from engine.ops import Op
from graphs.definition import Array
from graphs.mistakes.record import Mistake, Slip, made, most
from graphs.mistakes.words import Words, operand_missing
from graphs.scope import Draw
from graphs.snapshot import Snapshot
from graphs.subjects import Subject

__all__ = ["of_value"]

Rule = Callable[[Sequence[Array], Array], Array]


def of_value(subject: Subject, snapshot: Snapshot) -> Iterator[Mistake]:
    """Yield a value with one operation before it left out or done otherwise, the nearest first."""
    graph, words = snapshot.trace.graph, Words(snapshot.derivation)
    target = graph.ids[subject.name]
    nodes = (graph.nodes[i] for i in sorted(_before(graph, target), reverse=True))
    found = (
        made(subject, kind, sentence, _Forward(node, target, rule))
        for node in nodes
        if node.op is not None
        for kind, sentence, rule in _other_results(node, graph, words)
    )
    yield from islice(found, most(graph))
    if target in graph.on_loss_path:
        sentence = f"That is the gradient of {words.name(subject.name)}, not its value."
        yield made(subject, Slip.VALUE, sentence, lambda draw: draw.trace.gradients[subject.name])


def _before(graph: Graph, target: int) -> set[int]:
    """Return a node and all that it is made of."""
    found = {target}
    for node in reversed(graph.nodes[: target + 1]):
        if node.id in found:
            found.update(node.inputs)
    return found


@dataclass(frozen=True)
class _Forward:
    """A value worked out with one operation before it done otherwise."""

    node: Node
    target: int
    rule: Callable[[Sequence[Array], Array], Array]

    def __call__(self, draw: Draw) -> Array:
        graph, arrays = draw.trace.graph, draw.trace.arrays
        ins = [arrays[i] for i in self.node.inputs]
        found = {self.node.id: np.asarray(self.rule(ins, arrays[self.node.id]))}
        for node in graph.nodes[self.node.id + 1 : self.target + 1]:
            if node.op is not None and any(i in found for i in node.inputs):
                own = [found[i] if i in found else arrays[i] for i in node.inputs]
                found[node.id] = np.asarray(node.op.forward(*own, **dict(node.attrs)))
        return found[self.target]


def _other_results(node: Node, graph: Graph, words: Words) -> Iterator[tuple[str, str, Rule]]:
    """Yield what else an operation may be taken for: kind, hint, and its result from inputs and output."""
    op = node.op
    assert op is not None
    symbols = [words.part(i) for i in node.inputs]
    where = words.of_line(node)
    for kept, missing in ((0, 1), (1, 0)) if len(node.inputs) == 2 else ():
        told = operand_missing(op.name, symbols, missing)
        if told is not None:
            kind = Change.COUNT if _is_count(graph.nodes[node.inputs[missing]]) else told[0]
            yield kind, f"{told[1]} {where}", lambda ins, _, kept=kept: ins[kept]
    yield from _done_otherwise(op, symbols, where)
    if len(node.inputs) == 1 and op.name not in ("identity", "neg", "T"):
        name = words.function(op)
        yield Slip.OPERATION, f"{name} has not been applied. {where}", lambda ins, _: ins[0]


def _is_count(node: Node) -> bool:
    return node.constant is not None and bool(getattr(node.constant, "powers", ()))


def _done_otherwise(op: Op, symbols: Sequence[str], where: str) -> Iterator[tuple[str, str, Rule]]:
    for kind, sentence, rule in _OTHERWISE.get(op.name, ()):
        names = dict(zip(("left", "right"), symbols, strict=False))
        yield kind, f"{sentence.format(**names)} {where}", rule


def _times_entries(ins: Sequence[Array], out: Array) -> Array:
    return out * (ins[0].size / out.size)


def _times_examples(ins: Sequence[Array], out: Array) -> Array:
    return out * (ins[0].shape[-1] if ins[0].ndim else 1)


_COUNT = "The division by the number of examples is missing."
_OTHERWISE: Mapping[str, Sequence[tuple[str, str, Rule]]] = {
    "-": (
        (Change.SIGN, "Look at the sign of {right}.", lambda ins, _: ins[0] + ins[1]),
        (Change.SIGN, "What is subtracted from what?", lambda ins, _: ins[1] - ins[0]),
    ),
    "+": ((Change.SIGN, "Look at the sign of {right}.", lambda ins, _: ins[0] - ins[1]),),
    "neg": ((Change.SIGN, "A minus sign is missing.", lambda ins, _: ins[0]),),
    "T": ((Change.TRANSPOSE, "A transpose is missing.", lambda ins, _: ins[0]),),
    "@": (
        (Change.ORDER, "Look at the order of the product.", lambda ins, _: ins[1] @ ins[0]),
        (
            Change.ELEMENTWISE,
            "This product is one of matrices, row times column, not entry by entry.",
            lambda ins, _: ins[0] * ins[1],
        ),
        (Change.TRANSPOSE, "{left} is not transposed here.", lambda ins, _: ins[0].T @ ins[1]),
        (Change.TRANSPOSE, "{right} is not transposed here.", lambda ins, _: ins[0] @ ins[1].T),
    ),
    "norm_squared": ((Slip.OPERATION, "The square is missing.", lambda _, out: np.sqrt(out)),),
    "mean": ((Change.COUNT, _COUNT, _times_entries),),
    "mse": ((Change.COUNT, _COUNT, _times_entries),),
    "bce": ((Change.COUNT, _COUNT, _times_examples),),
    "cross_entropy": ((Change.COUNT, _COUNT, _times_examples),),
    "sum": ((Change.MEAN, "This is a sum, not a mean.", lambda ins, out: out * (out.size / ins[0].size)),),
}
"""What an operation may be done as instead: kind, hint, and the result from inputs and output."""
