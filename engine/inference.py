"""What a formula says of the names that nobody has defined: parameter or input, and of which shape.

Shapes are worked out both ways through every operation by unification: each axis is a variable that is bound
to a size when something says it. First comes what the formula leaves no choice about; then, one after the
other, what is usual (a bias does not widen what it is added to, a residual compares like with like), each
followed by all that it entails. A formula that contradicts itself is no business of this module: what was
proposed before the contradiction stands, and :func:`engine.formula.build` says where it is.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.axes import free_names
from engine.formula import Item, Statement, identifiers
from engine.graph import Kind
from engine.shapes import Dims

__all__ = ["DEFAULT_SIZE", "Inference", "Proposal", "compared_with", "infer", "roles", "undefined"]

DEFAULT_SIZE = 4
"""Of a dimension that nothing in the formula or the data says the size of."""
_INPUT_NAME = re.compile(r"(?:[xXyYtT]|target)_?\d*$")
_BIAS_NAME = re.compile(r"[bc]")
_ROUNDS = 8  # of defaults; what is still open then becomes a scalar
_LOOKS = 60  # at each constraint, on average: the bound that no formula should meet

Shape = tuple[str | int, ...]


class Proposal(NamedTuple):
    """What an undefined name should be.

    Attributes
    ----------
    shape
        Names of dimensions, or sizes; (rows, columns), or nothing for a scalar.
    is_determined
        Whether the formula leaves no other shape.
    line, column
        Where it is first read.
    """

    name: str
    kind: Kind
    shape: Shape
    is_determined: bool
    line: int
    column: int


@dataclass(frozen=True)
class Inference:
    """The proposals, in the order in which the names are read.

    Attributes
    ----------
    dimensions
        The names of dimensions made up here and the sizes they have until somebody says otherwise.
    pending
        Those whose size the values of inputs that are yet to be given will say.
    """

    proposals: tuple[Proposal, ...] = ()
    dimensions: Mapping[str, int] = field(default_factory=dict)
    pending: tuple[str, ...] = ()


def undefined(
    statements: Sequence[Statement], known: Collection[str], counted: bool = True
) -> dict[str, Item]:
    """Return where each name is first read that is no known leaf and no line at all.

    A name that has a line, only too late, is a mistake in the order of lines and nothing to fill in. ``m`` is
    the number of examples where they are `counted`.
    """
    lines = {statement.name for statement in statements}
    names = set(identifiers(statements)).difference(known, lines, {"m"} if counted else ())
    found: dict[str, Item] = {}
    for statement in statements if names else ():
        for item in statement.items:
            if item.kind == "name" and item.text in names:
                found.setdefault(item.text, item)
    return found


def infer(
    statements: Sequence[Statement],
    known: Mapping[str, Dims],
    *,
    kinds: Mapping[str, Kind] | None = None,
    loss: str | None = None,
    has_data: bool = False,
    dimensions: Mapping[str, int] | None = None,
) -> Inference:
    """Propose a role and a shape for every name that nobody has defined.

    Parameters
    ----------
    known
        The shapes of the parameters and inputs that are defined.
    kinds
        The roles that somebody has chosen for undefined names.
    loss
        The name of the loss line; the last line where None.
    has_data
        Whether there are data that the formula reads: then an undefined x is rather a parameter.
    dimensions
        Sizes by name. Those that no known shape uses are given to dimensions that are left open.
    """
    missing = undefined(statements, known)
    found = roles(statements, missing, loss, has_data) | dict(kinds or {})
    counted = any(dim.examples for dims in known.values() for dim in dims)
    if not counted and not any(found[name] == Kind.INPUT for name in missing):
        missing |= undefined(statements, known, counted=False)  # there are no examples for m to count
        found = {"m": Kind.PARAMETER} | found
    if not missing:
        return Inference()
    shapes = _Shapes(statements, known, {name: found[name] for name in missing}, loss)
    shapes.solve()
    return _Naming(shapes, statements, known, dimensions or {}).inference(missing)


# --- roles -------------------------------------------------------------------------------------------------


def roles(
    statements: Sequence[Statement],
    names: Collection[str],
    loss: str | None = None,
    has_data: bool = False,
) -> dict[str, Kind]:
    """Return the role each of `names` should have: what the loss compares with is data, as are x, y and t."""
    compared = compared_with(statements, names, loss)
    return {
        name: Kind.INPUT if name in compared or (not has_data and _INPUT_NAME.match(name)) else Kind.PARAMETER
        for name in names
    }


def compared_with(
    statements: Sequence[Statement], names: Collection[str], loss: str | None = None
) -> set[str]:
    """Return the names that are read once, in the loss, as the other side of something worked out."""
    counts: dict[str, int] = {}
    for statement in statements:
        for item in statement.items:
            if item.kind == "name" and item.text in names:
                counts[item.text] = counts.get(item.text, 0) + 1
    last = next((s for s in reversed(statements) if loss in (None, s.name)), None)
    lines = {statement.name for statement in statements}
    found = _other_sides(last, lines) if last is not None else ()
    return {name for name in found if counts.get(name) == 1}


def _other_sides(statement: Statement, lines: Collection[str]) -> Iterator[str]:
    stack: list[str | None] = []  # a name that stands alone, "" for a number, None for what is worked out
    for item in statement.items:
        if item.kind != "op":
            stack.append("" if item.kind == "number" else None if item.text in lines else item.text)
            continue
        args = stack[len(stack) - item.arity :]
        del stack[len(stack) - item.arity :]
        if item.text in ("-", "mse", "bce", "cross_entropy") and None in args:
            yield from (arg for arg in args if arg)
        stack.append(None)


# --- shapes ------------------------------------------------------------------------------------------------


class _Constraint(NamedTuple):
    """What one operation says of the shapes (by number) of its operands and its result."""

    rule: Callable[..., None]
    operands: tuple[int, ...]
    out: int
    text: str = ""
    axis: int | None = None
    keepdims: bool = False


class _Axes:
    """Axes as variables: which are the same, and what size and name they have.

    A bound axis never becomes another's; whoever waits for an axis is woken when it is bound.
    """

    def __init__(self, wake: Callable[[list[int]], None]) -> None:
        self.changes = 0
        self._wake = wake
        self._up: list[int] = []
        self.size: list[int | None] = []
        self.name: list[str] = []
        self.examples: list[bool] = []
        self._waiting: list[list[int]] = []
        self._shared: dict[tuple[str, int, bool], int] = {}
        self.unit = self.known("1", 1, False)

    def fresh(self) -> int:
        """Return an axis of which nothing is known."""
        self._up.append(len(self._up))
        self.size.append(None)
        self.name.append("")
        self.examples.append(False)
        self._waiting.append([])
        return len(self._up) - 1

    def known(self, name: str, size: int, examples: bool) -> int:
        """Return the axis of that name and size."""
        key = (name, size, examples)
        if key not in self._shared:
            axis = self._shared[key] = self.fresh()
            self.size[axis], self.name[axis], self.examples[axis] = size, name, examples
        return self._shared[key]

    def root(self, axis: int) -> int:
        up = self._up
        while up[axis] != axis:
            up[axis] = up[up[axis]]
            axis = up[axis]
        return axis

    def is_open(self, axis: int) -> bool:
        """Say whether its size is not known."""
        return self.size[self.root(axis)] is None

    def is_plain_unit(self, axis: int) -> bool:
        """Say whether it has one entry by definition, rather than one example."""
        root = self.root(axis)
        return self.size[root] == 1 and not self.examples[root]

    def is_same(self, a: int, b: int) -> bool:
        return self.root(a) == self.root(b)

    def unify(self, a: int, b: int) -> None:
        """Let two axes be one; two that are bound stay what they are."""
        a, b = self.root(a), self.root(b)
        if a == b or not (self.is_open(a) or self.is_open(b)):
            return
        if self.is_open(a) and self.is_open(b):
            if len(self._waiting[a]) > len(self._waiting[b]):
                a, b = b, a
            self._waiting[b] += self._waiting[a]
        else:
            a, b = (a, b) if self.is_open(a) else (b, a)
            self._wake(self._waiting[a])
        self.changes += 1
        self._waiting[a] = []
        self._up[a] = b

    def wait(self, axis: int, constraint: int) -> None:
        """Have a constraint looked at again when the axis is bound."""
        if self.is_open(axis):
            self._waiting[self.root(axis)].append(constraint)


class _Shapes:
    """The shapes of all values of a formula, as far as they can be said."""

    def __init__(
        self,
        statements: Sequence[Statement],
        known: Mapping[str, Dims],
        missing: Mapping[str, Kind],
        loss: str | None,
    ) -> None:
        self._queue: deque[int] = deque()
        self._is_queued: set[int] = set()
        self.axes = _Axes(self._wake)
        self._up: list[int] = []
        self._known: list[tuple[int, ...] | None] = []
        self._waiting: list[list[int]] = []
        self._constraints: list[_Constraint] = []
        self._looks = 0
        self._changes = 0
        self._scalar = self._shape(())
        self.kinds = missing
        self.names = {name: self._shape() for name in missing}
        self._leaves = {shape: name for name, shape in self.names.items()}
        self._has_leaf = set(self._leaves)  # by root: such a shape is () or a matrix
        self._columns: set[int] = set()  # axes of the examples of inputs that have no value yet
        self._of_parameters: set[int] = set()
        self._scope = dict(self.names)
        for name, dims in known.items():
            self._scope[name] = self._shape(tuple(self.axes.known(*dim) for dim in dims))
        self._loss: int | None = None
        for statement in statements:
            result = self._read(statement)
            self._scope[statement.name] = result
            if loss in (None, statement.name):
                self._loss = result
        self.determined: set[str] = set()
        self._open = list(range(len(self._constraints)))

    # shapes as variables

    def _shape(self, axes: tuple[int, ...] | None = None) -> int:
        self._up.append(len(self._up))
        self._known.append(axes)
        self._waiting.append([])
        return len(self._up) - 1

    def _root(self, shape: int) -> int:
        up = self._up
        while up[shape] != shape:
            up[shape] = up[up[shape]]
            shape = up[shape]
        return shape

    def of(self, shape: int) -> tuple[int, ...] | None:
        """Return the axes of a shape, None where not even their number is known."""
        return self._known[self._root(shape)]

    def set(self, shape: int, axes: tuple[int, ...]) -> None:
        """Say what a shape is; where it has as many axes already, they are these."""
        root = self._root(shape)
        found = self._known[root]
        if found is None:
            self._changes += 1
            self._known[root] = axes
            self._wake(self._waiting[root])
            self._waiting[root] = []
        elif len(found) == len(axes):
            for a, b in zip(found, axes, strict=True):
                self.axes.unify(a, b)

    def merge(self, a: int, b: int) -> None:
        """Let two shapes be the same."""
        a, b = self._root(a), self._root(b)
        if a == b:
            return
        axes = self._known[a]
        if axes is not None and self._known[b] is not None:
            self.set(b, axes)
            return
        if axes is not None:
            a, b = b, a
        if self._known[b] is not None:
            self._wake(self._waiting[a])
        else:
            if len(self._waiting[a]) > len(self._waiting[b]):
                a, b = b, a
            self._waiting[b] += self._waiting[a]
        self._changes += 1
        self._waiting[a] = []
        self._up[a] = b
        if a in self._has_leaf:
            self._has_leaf.add(b)

    def _matrix(self, shape: int) -> tuple[int, ...] | None:
        """Return the axes of what must have some: a leaf has two then, anything else may have one."""
        found = self.of(shape)
        if found is None and self._root(shape) in self._has_leaf:
            found = (self.axes.fresh(), self.axes.fresh())
            self.set(shape, found)
        return found

    # reading

    def _read(self, statement: Statement) -> int:
        stack: list[int] = []
        for item in statement.items:
            if item.kind == "number":
                stack.append(self._scalar)
            elif item.kind == "name":
                stack.append(self._named(item.text))
            else:
                args = tuple(stack[len(stack) - item.arity :])
                del stack[len(stack) - item.arity :]
                stack.append(self._operation(item, args))
        return stack[0]

    def _named(self, name: str) -> int:
        if name == "m" and name not in self._scope:
            return self._scalar
        return self._scope.setdefault(name, self._shape())  # a line that comes too late: anything

    def _operation(self, item: Item, args: tuple[int, ...]) -> int:
        attrs = dict(item.attrs)
        axis, keepdims = attrs.get("axis"), bool(attrs.get("keepdims"))
        if item.text in ("mse", "bce", "cross_entropy"):
            self.merge(*args)
            return self._scalar
        if item.text in ("norm", "mean", "sum", "max", "min"):
            if axis is None and not keepdims:
                return self._scalar
            assert axis is None or isinstance(axis, int)
            return self._constrain(_Constraint(self._reduction, args, self._shape(), "", axis, keepdims))
        if item.text == "@":
            return self._constrain(_Constraint(self._product, args, self._shape()))
        if item.text == "T":
            return self._constrain(_Constraint(self._transposition, args, self._shape()))
        if item.arity == 2:
            return self._constrain(_Constraint(self._broadcast, args, self._shape(), item.text))
        if item.text == "softmax":
            self._constrain(_Constraint(self._vector, args, args[0]))
        return args[0]

    def _constrain(self, constraint: _Constraint) -> int:
        self._constraints.append(constraint)
        number = len(self._constraints) - 1
        self._queue.append(number)
        self._is_queued.add(number)
        return constraint.out

    # solving

    def solve(self) -> None:
        """Work out what can be said, then what is usual."""
        self._propagate()
        if self._loss is not None and self.of(self._loss) is None:
            self.set(self._loss, ())
            self._propagate()
        self.determined = {name for name, shape in self.names.items() if self._is_determined(shape)}
        for _ in range(_ROUNDS):
            before = self._progress
            self._open = [number for number in self._open if self._is_open(self._constraints[number])]
            for default in (self._does_not_widen, self._like_with_like, self._usual, self._has_axes):
                self._each(default)
            if self._progress == before:
                break
        for kind in (Kind.PARAMETER, Kind.INPUT):
            for name, shape in self.names.items():
                if self.kinds[name] == kind and self.of(shape) is None:
                    self.set(shape, ())
                    self._propagate()

    @property
    def _progress(self) -> int:
        return self._changes + self.axes.changes

    def _is_determined(self, shape: int) -> bool:
        axes = self.of(shape)
        return axes is not None and not any(self.axes.is_open(axis) for axis in axes)

    def _wake(self, constraints: list[int]) -> None:
        for number in constraints:
            if number not in self._is_queued:
                self._is_queued.add(number)
                self._queue.append(number)

    def _propagate(self) -> None:
        most = _LOOKS * (len(self._constraints) + 10)
        while self._queue and self._looks < most:
            self._looks += 1
            number = self._queue.popleft()
            self._is_queued.discard(number)
            constraint = self._constraints[number]
            constraint.rule(constraint)
            self._wait(number, constraint)

    def _wait(self, number: int, constraint: _Constraint) -> None:
        for shape in (*constraint.operands, constraint.out):
            axes = self.of(shape)
            if axes is None:
                self._waiting[self._root(shape)].append(number)
            else:
                for axis in axes:
                    self.axes.wait(axis, number)

    # what each operation says

    def _vector(self, constraint: _Constraint) -> None:
        self._matrix(constraint.out)

    def _product(self, constraint: _Constraint) -> None:
        a, b = (self._matrix(shape) for shape in constraint.operands)
        if a and b:
            self.axes.unify(a[-1], b[-2:][0])
            self.set(constraint.out, a[:-1] + (b[-1:] if len(b) > 1 else ()))

    def _transposition(self, constraint: _Constraint) -> None:
        (operand,), out = constraint.operands, constraint.out
        for one, other in ((operand, out), (out, operand)):
            axes = self.of(one)
            if axes is not None:
                self.set(other, axes[::-1])

    def _reduction(self, constraint: _Constraint) -> None:
        axes, axis = self._matrix(constraint.operands[0]), constraint.axis
        unit = self.axes.unit
        if axes is None:
            return
        if axis is None:
            self.set(constraint.out, (unit,) * len(axes))
        elif -len(axes) <= axis < len(axes):
            axis %= len(axes)
            kept = (unit,) if constraint.keepdims else ()
            self.set(constraint.out, axes[:axis] + kept + axes[axis + 1 :])

    def _broadcast(self, constraint: _Constraint) -> None:
        (a, b), out = constraint.operands, constraint.out
        if self.of(out) == ():
            self.set(a, ())
            self.set(b, ())
        for one, other in ((a, b), (b, a)):
            if self.of(one) == ():
                self.merge(other, out)
                return
        shape_a, shape_b, shape_out = self.of(a), self.of(b), self.of(out)
        widest = max((axes for axes in (shape_a, shape_b) if axes is not None), key=len, default=None)
        if widest is None:
            return
        if shape_out is None and (len(widest) == 2 or (shape_a is not None and shape_b is not None)):
            self.set(out, tuple(self.axes.fresh() for _ in widest))
            shape_out = self.of(out)
        if shape_out is not None:
            for one, axes in ((a, shape_b), (b, shape_a)):
                if self.of(one) is None and axes is not None and self._is_wider(shape_out, axes):
                    self.set(one, tuple(self.axes.fresh() for _ in shape_out))
            if (shape_a := self.of(a)) is not None and (shape_b := self.of(b)) is not None:
                self._align(shape_a, shape_b, shape_out)

    def _is_wider(self, out: tuple[int, ...], axes: tuple[int, ...]) -> bool:
        """Say whether a result has entries along an axis on which this operand has one."""
        pairs = zip(out, self._padded(axes, len(out)), strict=False)
        return any(
            self.axes.is_plain_unit(q) and not self.axes.is_open(p) and not self.axes.is_plain_unit(p)
            for p, q in pairs
        )

    def _padded(self, axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
        return (self.axes.unit,) * (rank - len(axes)) + axes

    def _align(self, a: tuple[int, ...], b: tuple[int, ...], out: tuple[int, ...]) -> None:
        if max(len(a), len(b)) != len(out):
            return
        for p, q, r in zip(self._padded(a, len(out)), self._padded(b, len(out)), out, strict=True):
            self._align_axis(p, q, r)

    def _align_axis(self, p: int, q: int, out: int) -> None:
        axes = self.axes
        if axes.is_plain_unit(out):
            axes.unify(p, out)
            axes.unify(q, out)
        if axes.is_same(p, q):
            axes.unify(p, out)
        for one, other in ((p, q), (q, p)):
            if axes.is_plain_unit(one):
                axes.unify(other, out)
            elif not axes.is_open(one):
                axes.unify(one, out)

    # what is usual

    def _each(self, default: Callable[[_Constraint], None]) -> None:
        """Apply a default to one operation after the other, with all that each entails."""
        self._mark_leaves()
        for number in self._open:
            before = self._progress
            default(self._constraints[number])
            if self._progress != before:
                self._wake([number])
                self._propagate()

    def _is_open(self, constraint: _Constraint) -> bool:
        return not all(self._is_determined(shape) for shape in (*constraint.operands, constraint.out))

    def _mark_leaves(self) -> None:
        self._columns, self._of_parameters = set(), set()
        for name, shape in self.names.items():
            axes = self.of(shape) or ()
            if self.kinds[name] == Kind.PARAMETER:
                self._of_parameters.update(self.axes.root(axis) for axis in axes)
            elif len(axes) == 2:
                self._columns.add(self.axes.root(axes[1]))

    def _does_not_widen(self, constraint: _Constraint) -> None:
        """Let a parameter of unknown shape leave the shape of what it is combined with as it is."""
        for one, other in self._sides(constraint):
            name = self._leaves.get(other, "")
            if name and self.of(other) is None and self.kinds[name] == Kind.PARAMETER:
                self.set(constraint.out, self.of(one) or ())

    def _sides(self, constraint: _Constraint) -> Iterator[tuple[int, int]]:
        """Yield both orders of the operands of a broadcast of which the first is no scalar."""
        if constraint.rule == self._broadcast:
            a, b = constraint.operands
            yield from ((p, q) for p, q in ((a, b), (b, a)) if self.of(p))

    def _like_with_like(self, constraint: _Constraint) -> None:
        """Where two sides may have different lengths but nothing says so, let them have the same."""
        if constraint.rule != self._broadcast:
            return
        a, b = (self.of(shape) for shape in constraint.operands)
        if a and b and len(a) == len(b):
            for p, q in zip(a, b, strict=True):
                self._make_alike(p, q)
                self._make_alike(q, p)

    def _make_alike(self, axis: int, other: int) -> None:
        axes = self.axes
        root = axes.root(axis)
        if axes.is_open(axis) and not (root in self._columns and axes.is_plain_unit(other)):
            is_shared = root in self._of_parameters and root not in self._columns and self._is_examples(other)
            axes.unify(axis, axes.unit if is_shared else other)

    def _usual(self, constraint: _Constraint) -> None:
        """Give a leaf of unknown shape the one that it usually has beside what it is combined with."""
        for one, other in self._sides(constraint):
            axes, name = self.of(one), self._leaves.get(other, "")
            if not axes or not name or self.of(other) is not None:
                continue
            if self.kinds[name] == Kind.INPUT:
                self.merge(other, one)
            elif constraint.text in ("+", "-"):
                self.set(other, self._added(name, axes))
            else:
                self.set(other, self._scaling(name, axes))

    def _has_axes(self, constraint: _Constraint) -> None:
        """Let what must have axes be a matrix."""
        if constraint.rule in (self._product, self._reduction, self._vector):
            for shape in constraint.operands:
                if self.of(shape) is None:
                    self.set(shape, (self.axes.fresh(), self.axes.fresh()))

    def _added(self, name: str, axes: tuple[int, ...]) -> tuple[int, ...]:
        rows, columns = self._padded(axes, 2)
        if _BIAS_NAME.match(name) or self._is_examples(columns):
            return () if self.axes.is_plain_unit(rows) else (rows, self.axes.unit)
        return (rows, columns)

    def _scaling(self, name: str, axes: tuple[int, ...]) -> tuple[int, ...]:
        if not name[0].isupper() or len(axes) != 2:
            return ()
        rows, columns = axes
        return (rows, self.axes.unit if self._is_examples(columns) else columns)

    def _is_examples(self, axis: int) -> bool:
        root = self.axes.root(axis)
        return self.axes.examples[root] or root in self._columns


# --- names for what is open --------------------------------------------------------------------------------


class _Naming:
    """Gives names to the axes whose size nothing says."""

    def __init__(
        self,
        shapes: _Shapes,
        statements: Sequence[Statement],
        known: Mapping[str, Dims],
        dimensions: Mapping[str, int],
    ) -> None:
        self._shapes = shapes
        used = {dim.name for dims in known.values() for dim in dims}
        words = {item.text for s in statements for item in s.items if item.kind == "name"}
        taken = {*used, *words, *dimensions, *(s.name for s in statements), "n", "m"}
        self._spare = [name for name in dimensions if name not in used and name not in ("n", "m")]
        self._sizes = dimensions
        self._fresh = free_names(taken)
        has_examples = any(dim.examples for dims in known.values() for dim in dims)
        self._usual = set() if has_examples else {"n", "m"} - used
        self._of_inputs: set[int] = set()
        self._named: dict[int, str] = {}
        self.made: dict[str, int] = {}
        self.pending: list[str] = []

    def inference(self, missing: Mapping[str, Item]) -> Inference:
        kinds = self._shapes.kinds
        for name in (n for n in missing if kinds[n] == Kind.INPUT):
            self._name_input(name)
        proposals = []
        for name, item in missing.items():
            is_determined = name in self._shapes.determined
            shape = self._shape(name)
            proposals.append(Proposal(name, kinds[name], shape, is_determined, item.line, item.column))
        return Inference(tuple(proposals), self.made, tuple(dict.fromkeys(self.pending)))

    def _name_input(self, name: str) -> None:
        """Call the first input's axes n and m; what else the value of an input says has its turn later."""
        axes = self._shapes.of(self._shapes.names[name]) or ()
        for usual, axis in zip(("n", "m"), axes, strict=False):
            root = self._shapes.axes.root(axis)
            if self._shapes.axes.is_open(axis):
                self._of_inputs.add(root)
                if root not in self._named and usual in self._usual:
                    self._usual.remove(usual)
                    self._named[root] = usual
                    self.pending.append(usual)

    def _shape(self, name: str) -> Shape:
        return tuple(self._entry(axis) for axis in self._shapes.of(self._shapes.names[name]) or ())

    def _entry(self, axis: int) -> str | int:
        axes = self._shapes.axes
        root = axes.root(axis)
        size = axes.size[root]
        if size is not None:
            return axes.name[root] if axes.name[root].isidentifier() else size
        if root not in self._named:
            is_pending = root in self._of_inputs
            name = next(self._fresh) if is_pending or not self._spare else self._spare.pop(0)
            self._named[root] = name
            if is_pending:
                self.pending.append(name)
            else:
                self.made[name] = self._sizes.get(name, DEFAULT_SIZE)
        return self._named[root]
