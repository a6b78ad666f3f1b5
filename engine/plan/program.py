"""A compiled pass: the calls that compute a loss and its gradient from one vector of parameters.

The parameters of a network live in one vector, and so do their gradients, in an order that :class:`Layout`
chooses: a weight matrix with its bias as one more column is one block, and its gradient is one product. An
update is elementwise, so it needs a call or two for the whole network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from engine.memory import aligned
from engine.plan.affine import Target
from engine.plan.emission import Array, Call, Emitter
from engine.plan.gathering import Gathered, frontier
from engine.plan.layout import Layout
from engine.plan.passes import Passes
from engine.plan.scaling import pushed
from engine.plan.values import Term, Value, reached

__all__ = ["Program", "Vectors"]

SUMS = ("vdot", "total")
READ_LAST = 1 << 13  # entries: so small a part of the loss is kept to be read when all is done


@dataclass(frozen=True)
class Vectors:
    """The parameters and their gradients, shared by all programs of a run."""

    layout: Layout
    theta: Array
    gradient: Array

    @staticmethod
    def of(layout: Layout) -> Vectors:
        """Return new ones."""
        return Vectors(layout, layout.start(), aligned((layout.size,)))

    def leaves(self, values: Sequence[Value]) -> dict[Value, Array]:
        """Return the arrays of the parameters among `values`, alone or in blocks."""
        alone = self.layout.views(self.theta)
        found = {}
        for value in values:
            if value.kind == "leaf" and not value.fixed:
                name, role = value.attrs
                found[value] = alone[name] if role == "parameter" else self._matrix(name, role)
        return found

    def _matrix(self, name: str, role: str) -> Array:
        return self.layout.matrix(self.theta, self.layout.block(name), role)

    def target(self, target: Target) -> Array:
        """Return where a gradient goes."""
        if target.is_block:
            return self.layout.matrix(self.gradient, self.layout.block(target.name))
        return self.layout.views(self.gradient)[target.name]


class Program:
    """The calls of one pass over examples of one number.

    Parameters
    ----------
    passes
        What is to be computed.
    vectors
        The parameters and their gradients.
    data
        The whole data by name.
    examples
        The number of all examples where this program takes mini-batches; None where it takes all of them.
    factor
        A number that the gradients are wanted times, where that costs nothing.

    Attributes
    ----------
    forward, backward
        The calls; the loss can be read after the first, the gradients after the second.
    loss
        The call that gives the loss, to be multiplied by `loss_scale` with `loss_shift` added.
    reads_last
        Whether the loss can also be read after `backward` and after an update.
    gradient_scale
        The factor that turns the gradient vector into the gradients.
    """

    def __init__(
        self,
        passes: Passes,
        vectors: Vectors,
        data: Mapping[str, Array],
        examples: int | None = None,
        factor: float | None = None,
    ) -> None:
        gradients, self.gradient_scale, self.is_folded = _one_scale(passes, factor)
        ends = [passes.loss.value, *(value for _, value in gradients)]
        arrays: dict[Value, Array] = {}
        self._gathered: Gathered | None = None
        if examples is not None:
            self._gathered = Gathered(frontier(reached(ends), ends), data, examples)
            arrays |= self._gathered.arrays
        values = reached(ends, arrays)
        arrays |= vectors.leaves(values)
        arrays |= {v: data[v.attrs[0]] for v in values if v.kind == "leaf" and v not in arrays}
        self._emitter = Emitter(arrays, batched=examples is not None)
        self._read = _Reading(passes.loss)
        self.loss_scale, self.loss_shift = self._read.scale, self._read.shift
        self._write([(vectors.target(target), value, target.adds) for target, value in gradients])
        for function, operands in self._emitter.once:
            function(*operands)

    def read_loss(self) -> float:
        """Return the loss, after `forward`."""
        function, operands = self.loss
        return float(function(*operands)) * self.loss_scale + self.loss_shift

    def take(self, indices: Array) -> None:
        """Take the examples of a mini-batch."""
        assert self._gathered is not None
        self._gathered.take(indices)

    def _write(self, gradients: Sequence[tuple[Array, Value, bool]]) -> None:
        emitter, read = self._emitter, self._read
        given = dict(emitter.arrays)
        first = [v for v in reached(read.operands, given) if v not in given]
        done = {*given, *first}
        then = [v for v in reached([v for _, v, _ in gradients], given) if v not in done]
        self.reads_last = all(not _is_trained(emitter.root(v)) for v in read.operands) and (
            sum(v.size for v in read.operands) <= READ_LAST
        )
        emitter.place(
            read.slots, {v: t for t, v, adds in gradients[::-1] if not (adds or emitter.is_once(v))}
        )
        held = [*(v for _, v, _ in gradients), *(read.operands if self.reads_last else ())]
        emitter.look_through([*first, *then], held, between=(len(first), read.operands))
        emitter.emit(first)
        self.loss = read.call(emitter)
        self.forward = emitter.taken_calls()
        emitter.emit(then)
        for target, value, adds in gradients:
            emitter.add_to(value, target) if adds else emitter.copy(value, target)
        self.backward = emitter.taken_calls()


class _Reading:
    """How the loss is read: as one sum of products, as several, or as a number that has been computed.

    A constant factor and a constant term of the loss are put in afterwards, for many iterations at once.

    Attributes
    ----------
    operands
        What the reading reads.
    slots
        Where several sums of products go.
    """

    def __init__(self, loss: Term) -> None:
        self.scale, self.shift = loss.scale, 0.0
        self.slots: dict[Value, Array] = {}
        self._value = loss.value
        if loss.value.kind == "lin" and not loss.value.shape:
            self._open(loss)
        is_sum = self._value.kind in SUMS
        self.operands = list(self._value.args) if is_sum else list(self.slots) or [self._value]

    def _open(self, loss: Term) -> None:
        terms = list(zip(loss.value.attrs, loss.value.args, strict=True))
        sums = [(c, v) for c, v in terms if v.kind != "ones"]
        shift = loss.scale * sum(c for c, v in terms if v.kind == "ones")
        if len(sums) == 1:
            self._value, self.scale, self.shift = sums[0][1], loss.scale * sums[0][0], shift
        elif sums and all(v.kind in SUMS for _, v in sums):
            self.shift = shift
            self._slots = aligned((len(sums),))
            self._weights = np.array([c for c, _ in sums])
            self.slots = {v: self._slots[i : i + 1].reshape(()) for i, (_, v) in enumerate(sums)}

    def call(self, emitter: Emitter) -> Call:
        """Return the call that gives the loss before scale and shift."""
        if self.slots:
            return self._slots.dot, (self._weights,)
        if self._value.kind in SUMS:
            left, right = emitter.flat_pair(self._value)
            return left.dot, (right,)
        return emitter.arrays[self._value].item, ()


def _one_scale(passes: Passes, factor: float | None) -> tuple[list[tuple[Target, Value]], float, bool]:
    """Return the gradients as values that one factor is still missing from, and that factor.

    Where `factor` can be had for nothing, because it goes into fixed arrays, the gradients come times it; the
    last that is returned says so.
    """
    terms = list(passes.gradients)
    sizes = Counter[float]()
    for _, term in terms:
        if term.scale != 0.0:
            sizes[term.scale] += term.value.size
    scale = sizes.most_common(1)[0][0] if sizes else 1.0
    realised = [(t, passes.builder.realised(term.times(1.0 / scale))) for t, term in terms]
    if factor is not None and realised:
        values = [value for _, value in realised]
        found = pushed(passes.builder, values, scale * factor, passes.loss.value)
        if found is not None:
            return [(t, v) for (t, _), v in zip(realised, found, strict=True)], 1.0 / factor, True
    return realised, scale, False


def _is_trained(value: Value) -> bool:
    return value.kind == "leaf" and not value.fixed
