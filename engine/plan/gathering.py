"""Mini-batches: what a step needs of the data, taken from tables that were worked out for all examples.

What is made of each example alone (a column of X with its 1 and its target, say) is worked out once for the
whole data, and a mini-batch takes its examples from that table. What mixes examples is worked out at each
step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from engine.memory import aligned
from engine.plan.emission import Array, apply_function, evaluated
from engine.plan.values import Value, reached

__all__ = ["Gathered"]


class Gathered:
    """The tables, and the arrays that a mini-batch's examples are taken into.

    Parameters
    ----------
    needed
        The values of a mini-batch that are read at each step, in order.
    data
        The whole data by name.
    count
        The number of all examples.
    """

    def __init__(self, needed: Sequence[Value], data: Mapping[str, Array], count: int) -> None:
        self.arrays: dict[Value, Array] = {}
        self._takes: list[tuple[Array, Array]] = []
        known: dict[Value, Array] = {}
        for value in needed:
            axis = value.examples
            assert axis is not None
            table = _whole(value, data, known)
            shape = (*value.shape[:axis], count, *value.shape[axis + 1 :])
            # an example is a row of the table, so that it is copied in one piece
            rows = np.moveaxis(np.broadcast_to(table, shape), axis, 0)
            table = aligned(rows.shape)
            table[...] = rows
            room = aligned((value.shape[axis], *table.shape[1:]))
            self._takes.append((table, room))
            self.arrays[value] = np.moveaxis(room, 0, axis)

    def take(self, indices: Array) -> None:
        """Take the examples of a mini-batch."""
        for table, room in self._takes:
            table.take(indices, 0, room, "clip")


def is_gathered(value: Value) -> bool:
    """Say whether a value can be taken from a table: each of its examples is made of one example."""
    return value.fixed and value.examples is not None and value.examples >= 0


def frontier(values: Sequence[Value], outputs: Sequence[Value]) -> list[Value]:
    """Return the values that come from tables and are read by others that do not."""
    found = dict.fromkeys(v for v in outputs if is_gathered(v))
    for value in values:
        if not is_gathered(value):
            found.update(dict.fromkeys(arg for arg in value.args if is_gathered(arg)))
    return list(found)


def _whole(value: Value, data: Mapping[str, Array], known: dict[Value, Array]) -> Array:
    """Return a value worked out for all examples; what is the same for each may still have one entry."""
    for part in reached([value], given=known):
        if part.kind == "leaf":
            known[part] = data[part.attrs[0]]
        elif is_gathered(part) and part not in known:
            for arg in part.args:
                if arg not in known:
                    known[arg] = evaluated(arg, data)
            known[part] = _worked_out(part, [_along(part, arg, known[arg]) for arg in part.args])
    return known[value]


def _along(value: Value, arg: Value, array: Array) -> Array:
    """Return an argument of `value` with one entry along the examples if it does not depend on them.

    It was worked out for a mini-batch, and is the same for every example.
    """
    if arg.examples is not None:
        return array
    assert value.examples is not None
    axis = (1 - value.examples if value.kind == "t" else value.examples) - len(value.shape) + array.ndim
    return array.take([0], axis) if 0 <= axis < array.ndim else array


def _worked_out(value: Value, args: Sequence[Array]) -> Array:
    match value.kind:
        case "lin":
            return np.asarray(sum(c * a for c, a in zip(value.attrs, args, strict=True)))
        case "prod":
            found = np.asarray(1.0)
            for arg, exponent in zip(args, value.attrs, strict=True):
                found = found * np.asarray(arg) ** float(exponent)
            return found
        case "fn":
            return apply_function(value.attrs[0], args)
        case "t":
            return args[0].T
        case "stack":
            count = max(a.shape[1] for a in args)
            parts = zip(args, value.args, strict=True)
            return np.concatenate([np.broadcast_to(a, (v.shape[0], count)) for a, v in parts])
    return args[0].reshape((1,) * (len(value.shape) - args[0].ndim) + args[0].shape)  # spread
