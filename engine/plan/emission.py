"""From values to calls: which array each value lives in, and the NumPy calls that fill it.

A call is a bound function and its arguments; nothing is left to decide when it runs. Every array is allocated
once. A value that nobody reads any more gives its array to a later one, and an operation that works entry by
entry writes over its own argument where it can.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from engine.memory import aligned
from engine.plan.values import Shape, Value, reached

__all__ = ["Call", "Emitter"]

Array = np.ndarray
Call = tuple[Callable[..., Any], tuple[Any, ...]]
VIEWS = ("t", "reshape", "spread", "rows")

_UFUNCS: Mapping[str, Callable[..., Any]] = {
    **{name: getattr(np, name) for name in ("sqrt", "exp", "log", "sin", "cos", "tanh", "sign", "log1p")},
    **{"abs": np.absolute, "maximum": np.maximum, "minimum": np.minimum, "power": np.power},
}


class Emitter:
    """Writes calls.

    Parameters
    ----------
    arrays
        Where values live that are there from the beginning.
    batched
        Whether the examples change from step to step.
    """

    def __init__(self, arrays: Mapping[Value, Array], batched: bool = False) -> None:
        self.arrays = dict(arrays)
        self._batched = batched
        self.once: list[Call] = []  # for fixed values, when the data are known
        self.calls: list[Call] = []  # at every step
        self._free: dict[int, list[Array]] = {}
        self._owned: dict[Value, Array] = {}  # flat arrays that may be given on
        self._last: dict[Value, int] = {}
        self._constants: dict[float, Array] = {}
        self._vectors: dict[int, Array] = {}
        self._position = 0

    def is_once(self, value: Value) -> bool:
        """Say whether a value is worked out before the first step, once for all."""
        return value.fixed and not (self._batched and value.examples is not None)

    # --- order and lifetimes ---

    def place(self, *homes: Mapping[Value, Array]) -> None:
        """Let values be computed in arrays of the caller's, where they have arrays of their own."""
        for value, array in ((v, a) for home in homes for v, a in home.items()):
            owns = value.kind not in (*VIEWS, "leaf", "ones", "stack")
            if owns and value not in self.arrays and array.flags.c_contiguous:
                self.arrays[value] = array

    def look_through(
        self, order: Sequence[Value], held: Iterable[Value], between: tuple[int, Sequence[Value]]
    ) -> None:
        """Note when each array is read last.

        Parameters
        ----------
        order
            All values that will be emitted.
        held
            Those that are still read after the last of them.
        between
            A place in the order, and the values that are read there by somebody else.
        """
        self._place_stacks(order)
        for place, value in enumerate(order):
            for arg in value.args:
                self._last[self.root(arg)] = place
        for value in between[1]:
            self._last[self.root(value)] = max(self._last.get(self.root(value), 0), between[0])
        for value in held:
            self._last[self.root(value)] = len(order) + 1

    def emit(self, order: Iterable[Value]) -> None:
        """Write the calls for the next values of the order."""
        for value in order:
            getattr(self, f"_emit_{value.kind}")(value)
            self._release(value)
            self._position += 1

    def taken_calls(self) -> tuple[Call, ...]:
        """Return the calls written since they were last taken."""
        calls, self.calls = tuple(self.calls), []
        return calls

    def copy(self, value: Value, target: Array) -> None:
        """Write a copy of a value into an array, unless it is there."""
        array = self.arrays[value]
        if array.ctypes.data != target.ctypes.data or array.strides != target.strides:
            array = array if array.shape == target.shape else np.broadcast_to(array, target.shape)
            self.calls.append((np.copyto, (target, array)))

    def add_to(self, value: Value, target: Array) -> None:
        """Write the addition of a value to what is in an array."""
        self.calls.append((np.add, (target, self.arrays[value], target)))

    def root(self, value: Value) -> Value:
        """Return the value whose array is read where `value` is."""
        while value.kind in VIEWS:
            value = value.args[0]
        return value

    def _release(self, value: Value) -> None:
        for arg in {self.root(a) for a in value.args}:
            if self._last.get(arg) == self._position and arg in self._owned:
                room = self._owned.pop(arg)
                self._free.setdefault(room.size, []).append(room)

    # --- room ---

    def _room(self, value: Value, over: Value | None = None) -> Array:
        """Return the array for a value; that of its argument `over` where that is not read afterwards."""
        if value in self.arrays:
            return self.arrays[value]
        if self.is_once(value):
            array = aligned(value.shape)
        else:
            flat = self._taken(value, over)
            self._owned[value] = flat
            array = flat.reshape(value.shape)
        self.arrays[value] = array
        return array

    def _taken(self, value: Value, over: Value | None) -> Array:
        if over is not None:
            return self._owned.pop(self.root(over))
        free = self._free.get(value.size)
        return free.pop() if free else aligned((value.size,))

    def _dying(self, value: Value, candidates: Iterable[Value]) -> Value | None:
        """Return an argument that `value` may be written over."""
        if self.is_once(value) or value in self.arrays:
            return None
        roots = [self.root(arg) for arg in dict.fromkeys(value.args)]
        for arg in candidates:
            root = self.root(arg)
            if roots.count(root) > 1:  # it is also read in another shape, by a later call
                continue
            usable = arg.kind not in ("t", "spread") and arg.shape == value.shape and root.size == value.size
            if usable and root in self._owned and self._last.get(root) == self._position:
                return arg
        return None

    def _scratch(self, shape: Shape) -> Array:
        """Return an array for use within one value's calls."""
        size = int(np.prod(shape))
        free = self._free.setdefault(size, [])
        if not free:
            free.append(aligned((size,)))
        return free[-1].reshape(shape)

    def constant(self, number: float) -> Array:
        """Return a number as an array without axes, which a ufunc takes faster than a Python float."""
        found = self._constants.get(number)
        if found is None:
            found = self._constants[number] = np.array(number)
        return found

    def _place_stacks(self, order: Sequence[Value]) -> None:
        """Let what is stacked be computed in its place in the stack."""
        for value in order:
            if value.kind == "stack" and value not in self.arrays:
                room = self.arrays[value] = aligned(value.shape)
                start = 0
                for part in value.args:
                    rows = room[start : start + part.shape[0]]
                    start += part.shape[0]
                    owns = part.kind not in (*VIEWS, "leaf", "ones")
                    if owns and self.is_once(part) == self.is_once(value) and part not in self.arrays:
                        self.arrays[part] = rows
            elif value.kind == "pad" and value.args[0] not in self.arrays:
                room = self.arrays[value] = aligned(value.shape)
                room[0, -1] = value.attrs[0]
                self.arrays[value.args[0]] = room[:, :-1]

    # --- calls ---

    def _add(self, value: Value, function: Callable[..., Any], *args: Any) -> None:
        (self.once if self.is_once(value) else self.calls).append((function, args))

    def _emit_ones(self, value: Value) -> None:
        self._room(value)[...] = 1.0

    def _emit_t(self, value: Value) -> None:
        self.arrays[value] = self.arrays[value.args[0]].T

    def _emit_rows(self, value: Value) -> None:
        self.arrays[value] = self.arrays[value.args[0]][value.attrs[0] : value.attrs[1]]

    def _emit_spread(self, value: Value) -> None:
        self.arrays[value] = np.broadcast_to(self.arrays[value.args[0]], value.shape)

    def _emit_reshape(self, value: Value) -> None:
        source = self.arrays[value.args[0]]
        if source.flags.c_contiguous:
            self.arrays[value] = source.reshape(value.shape)
        else:
            room = self.arrays[value] = aligned(value.shape)
            self._add(value, np.copyto, room.reshape(source.shape), source)

    def _contiguous(self, value: Value) -> Array:
        """Return a value's array, copied where its entries do not follow one another."""
        array = self.arrays[value]
        if array.flags.c_contiguous:
            return array
        room = aligned(value.shape)
        self._add(value, np.copyto, room, array)
        return room

    def _emit_stack(self, value: Value) -> None:
        room, start = self.arrays[value], 0
        for part in value.args:
            rows = room[start : start + part.shape[0]]
            start += part.shape[0]
            array = self.arrays[part]
            if array.ctypes.data != rows.ctypes.data or array.shape != rows.shape:
                self._add(part, np.copyto, rows, array)

    def _emit_pad(self, value: Value) -> None:
        """Write nothing: what is padded has been computed in its place."""

    def _emit_lin(self, value: Value) -> None:
        terms = [t for t in zip(value.attrs, value.args, strict=True) if t[1].kind != "ones"]
        shift = sum(c for c, v in zip(value.attrs, value.args, strict=True) if v.kind == "ones")
        if not terms:
            self._room(value)[...] = shift
            return
        terms.sort(key=lambda term: (-term[1].size, term[0] != 1.0))
        over = self._dying(value, (v for _, v in terms))
        terms.sort(key=lambda term: term[1] is not over)
        out = self._room(value, over)
        arrays = [(c, self.arrays[v]) for c, v in terms]
        if len(arrays) == 1 and abs(arrays[0][0]) == 1.0 and shift:
            ufunc = np.add if arrays[0][0] > 0 else np.subtract
            self._add(value, ufunc, self.constant(shift), arrays[0][1], out)
            return
        for coefficient, array in self._begin(value, arrays, out, over is not None):
            self._accumulate(value, coefficient, array, out)
        if shift:
            self._add(value, np.add, out, self.constant(shift), out)

    def _begin(
        self, value: Value, terms: list[tuple[float, Array]], out: Array, is_over: bool
    ) -> list[tuple[float, Array]]:
        """Write the first one or two terms of a sum into `out`, and return the others.

        Where `is_over`, `out` lies over the first term, which then must be read by the first call.
        """
        (c, first), *others = terms
        if abs(c) != 1.0:
            self._add(value, np.multiply, first, self.constant(c), out)
            return others
        if not others:
            self._add(value, np.negative if c < 0 else np.positive, first, out)
            return []
        (d, second), *rest = others
        if abs(d) != 1.0:
            if is_over:
                if c < 0:
                    self._add(value, np.negative, first, out)
                return others
            self._add(value, np.multiply, second, self.constant(d), out)
            self._add(value, np.add if c > 0 else np.subtract, out, first, out)
            return rest
        if c == d:
            self._add(value, np.add, first, second, out)
            if c < 0:
                self._add(value, np.negative, out, out)
        else:
            self._add(value, np.subtract, *((first, second) if c > 0 else (second, first)), out)
        return rest

    def _accumulate(self, value: Value, coefficient: float, array: Array, out: Array) -> None:
        if abs(coefficient) != 1.0:
            room = self._scratch(array.shape)
            self._add(value, np.multiply, array, self.constant(abs(coefficient)), room)
            array = room
        self._add(value, np.add if coefficient > 0 else np.subtract, out, array, out)

    def _emit_prod(self, value: Value) -> None:
        factors = list(zip(value.args, value.attrs, strict=True))
        above = [v for v, p in factors if p > 0 for _ in range(p)]
        below = [v for v, p in factors if p < 0 for _ in range(-p)]
        full = [v for v in above if v.shape == value.shape]
        over = self._dying(value, full or (below if not above else ()))
        above.sort(key=lambda v: (v is not over, -v.size))
        out = self._room(value, over)
        above = self._small_first(value, above, out)
        if above:
            self._multiply(value, above, out)
        else:
            below.sort(key=lambda v: (v is not over, -v.size))
            self._add(value, np.reciprocal, self.arrays[below[0]], out)
            del below[0]
        for factor in below:
            self._add(value, np.divide, out, self.arrays[factor], out)

    def _small_first(self, value: Value, above: list[Value], out: Array) -> list[Array]:
        """Return the factors as arrays, those of one small shape multiplied with one another first."""
        groups: dict[Shape, list[Value]] = {}
        for factor in above:
            groups.setdefault(factor.shape, []).append(factor)
        found = []
        for shape, members in groups.items():
            if shape == value.shape or len(members) == 1 or len(groups) == 1:
                found += [self.arrays[v] for v in members]
            else:
                room = aligned(shape)
                self._multiply(value, [self.arrays[v] for v in members], room)
                found.append(room)
        return found

    def _multiply(self, value: Value, factors: Sequence[Array], out: Array) -> None:
        first, *others = factors
        if not others:
            if first is not out:
                self._add(value, np.positive, first, out)
            return
        if len(others) == 3 and all(other is first for other in others):
            self._add(value, np.multiply, first, first, out)
            self._add(value, np.multiply, out, out, out)
            return
        # a factor that `out` lies over is read by the first call alone, so its repetitions come first
        repeated = 1 + sum(other is first for other in others)
        if repeated > 2 and np.shares_memory(first, out):
            room = aligned(first.shape)
            self._add(value, np.positive, first, room)
            factors = [room if f is first else f for f in factors]
            first, *others = factors
        self._add(value, np.multiply, first, others[0], out)
        for factor in others[1:]:
            self._add(value, np.multiply, out, factor, out)

    def _emit_dot(self, value: Value) -> None:
        left, right = (self._operand(arg) for arg in value.args)
        self._add(value, left.dot, right, self._room(value))

    def _operand(self, value: Value) -> Array:
        """Return an array that BLAS can read: none of its axes are copies."""
        array = self.arrays[value]
        if array.size and any(s == 0 and n > 1 for s, n in zip(array.strides, array.shape, strict=True)):
            return self._contiguous(value)
        return array

    def flat_pair(self, value: Value) -> tuple[Array, Array]:
        """Return the operands of a ``vdot`` or ``total`` as vectors."""
        if value.kind == "total":
            array = self._contiguous(self._untransposed(value.args[0]))
            return self._ones(array.size), array.reshape(-1)
        left, right = value.args
        if left.kind == right.kind == "t":
            left, right = left.args[0], right.args[0]
        return self._contiguous(left).reshape(-1), self._contiguous(right).reshape(-1)

    def _untransposed(self, value: Value) -> Value:
        return value.args[0] if value.kind == "t" else value

    def _ones(self, size: int) -> Array:
        found = self._vectors.get(size)
        if found is None:
            found = self._vectors[size] = aligned((size,))
            found += 1.0
        return found

    def _emit_vdot(self, value: Value) -> None:
        left, right = self.flat_pair(value)
        self._add(value, left.dot, right, self._room(value))

    _emit_total = _emit_vdot

    def _emit_sum(self, value: Value) -> None:
        self._reduce(value, np.add)

    def _emit_max(self, value: Value) -> None:
        self._reduce(value, np.maximum)

    def _emit_min(self, value: Value) -> None:
        self._reduce(value, np.minimum)

    def _reduce(self, value: Value, ufunc: np.ufunc) -> None:
        axis, keepdims = value.attrs
        self._add(value, ufunc.reduce, self.arrays[value.args[0]], axis, None, self._room(value), keepdims)

    def _emit_fn(self, value: Value) -> None:
        over = self._dying(value, value.args)
        out = self._room(value, over)
        arrays = [self.arrays[arg] for arg in value.args]
        self.write_function(value.attrs[0], arrays, out, self.once if self.is_once(value) else self.calls)

    def write_function(self, name: str, arrays: Sequence[Array], out: Array, calls: list[Call]) -> None:
        """Write the calls of an elementwise function.

        The sigmoid is 1 / (1 + e^-x), given -x: exact to rounding everywhere, for where e^-x overflows, 1/inf
        is the 0 that is wanted.
        """
        if name == "sigmoid of minus":
            calls.append((np.exp, (arrays[0], out)))
            calls.append((np.add, (out, self.constant(1.0), out)))
            calls.append((np.reciprocal, (out, out)))
        elif name == "positive":
            calls.append((np.greater, (arrays[0], self.constant(0.0), out)))
        elif name in ("maximum", "minimum"):  # they take `out` by name alone
            calls.append((partial(_UFUNCS[name], out=out), tuple(arrays)))
        else:
            calls.append((_UFUNCS[name], (*arrays, out)))

    def _emit_call(self, value: Value) -> None:
        compute, attrs = value.attrs
        arrays = tuple(self.arrays[arg] for arg in value.args)
        out = self._room(value)
        keywords = dict(attrs)
        self._add(value, _stored, out, compute, arrays, keywords)


def _stored(
    out: Array, compute: Callable[..., Any], arrays: tuple[Array, ...], attrs: dict[str, Any]
) -> None:
    out[...] = compute(*arrays, **attrs)


def apply_function(name: str, args: Sequence[Array]) -> Array:
    """Return an elementwise function's value, outside of any plan."""
    emitter = Emitter({})
    out = aligned(np.broadcast_shapes(*(a.shape for a in args)))
    emitter.write_function(name, args, out, emitter.once)
    _run(emitter.once)
    return out


def evaluated(value: Value, data: Mapping[str, Array]) -> Array:
    """Return a fixed value worked out once, outside of any plan."""
    order = reached([value])
    emitter = Emitter({v: data[v.attrs[0]] for v in order if v.kind == "leaf"})
    order = [v for v in order if v.kind != "leaf"]
    emitter.look_through(order, order, (0, ()))
    emitter.emit(order)
    _run(emitter.once)
    return emitter.arrays[value]


def _run(calls: Sequence[Call]) -> None:
    with np.errstate(all="ignore"):
        for function, operands in calls:
            function(*operands)
