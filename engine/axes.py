"""Names for axes: what a formula lines up is one axis; what it never does has a name of its own.

Sizes alone cannot tell: in a network of two inputs, two units and two outputs every axis has two entries. So
the formula is read once with the axes of its leaves, and each operation joins those that it lines up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from engine.formula import Item, Statement
from engine.shapes import UNIT, Dim, Dims

__all__ = ["MOST_LINES", "distinct_names", "free_names"]

MOST_LINES = 3000
"""Lines of a formula in which axes are told apart."""
_FREE = ("k", "p", "q", "r", "d", "h")
_REDUCTIONS = ("norm", "mean", "sum", "max", "min")
_LOSSES = ("mse", "bce", "cross_entropy")

Axes = tuple[int, ...]


class _MisfitError(Exception):
    """Shapes that do not fit: said elsewhere, with its place."""


def free_names(taken: Collection[str]) -> Iterator[str]:
    """Yield names for dimensions without end: k, p, q, ... that nothing is called yet."""
    yield from (name for name in _FREE if name not in taken)
    number = 2
    while True:
        yield from (name for letter in _FREE if (name := f"{letter}{number}") not in taken)
        number += 1


def distinct_names(
    statements: Sequence[Statement],
    leaves: Mapping[str, Dims],
    dimensions: Mapping[str, int],
    *,
    is_known: bool = False,
) -> dict[str, Dims]:
    r"""Return the shapes of leaves with a name for every axis of several entries.

    Parameters
    ----------
    leaves
        Shapes whose axes have a name, or their size in its place where they have none.
    dimensions
        Names with their sizes that are given to axes that have none, where they fit.
    is_known
        Whether only names that are known are given: axes that none of them fits stay without.

    Examples
    --------
    >>> from engine.formula import parse
    >>> two, n, m = Dim("2", 2), Dim("n", 2), Dim("m", 5, True)
    >>> leaves = {"x": (n, m), "W1": (two, two), "W2": (two, two), "t": (two, m)}
    >>> found = distinct_names(parse("h = tanh(W1 @ x)\nL = mse(W2 @ h, t)"), leaves, {})
    >>> {name: " x ".join(dim.name for dim in dims) for name, dims in found.items()}
    {'x': 'n x m', 'W1': 'k x n', 'W2': 'p x k', 't': 'p x m'}
    """
    if len(statements) > MOST_LINES:
        return dict(leaves)
    axes = _Axes(leaves)
    try:
        for statement in statements:
            axes.read(statement)
    except _MisfitError:
        pass  # what was lined up until there holds
    words = dict.fromkeys(item.text for s in statements for item in s.items if item.kind == "name")
    taken = {*words, *leaves, *(s.name for s in statements), "n", "m"}
    order = dict.fromkeys((*(name for name in words if name in leaves), *leaves))
    axes.give_names(order, dimensions, None if is_known else taken)
    return {name: axes.dims_of(name) for name in leaves}


class _Axes:
    """Axes by number, joined where they are lined up."""

    def __init__(self, leaves: Mapping[str, Dims]) -> None:
        self._dims: list[Dim] = []
        self._up: list[int] = []
        self._names: dict[int, str] = {}
        self._leaves = {name: tuple(map(self._new, dims)) for name, dims in leaves.items()}
        self._scope: dict[str, Axes | None] = dict(self._leaves)

    def _new(self, dim: Dim) -> int:
        self._dims.append(dim)
        self._up.append(len(self._up))
        return len(self._up) - 1

    def _root(self, axis: int) -> int:
        while self._up[axis] != axis:
            self._up[axis] = axis = self._up[self._up[axis]]
        return axis

    def _join(self, a: int, b: int) -> None:
        if self._dims[a].size != self._dims[b].size:
            raise _MisfitError
        self._up[self._root(b)] = self._root(a)

    # --- reading ---

    def read(self, statement: Statement) -> None:
        stack: list[Axes | None] = []  # None for what is not known
        for item in statement.items:
            if item.kind == "number":
                stack.append(())
            elif item.kind == "name":
                stack.append(self._scope.get(item.text, () if item.text == "m" else None))
            else:
                args = stack[len(stack) - item.arity :]
                del stack[len(stack) - item.arity :]
                stack.append(self._operation(item, args))
        self._scope[statement.name] = stack[0]

    def _operation(self, item: Item, args: Sequence[Axes | None]) -> Axes | None:
        if item.text in _LOSSES:
            self._alike(args)
            return ()
        if item.text in _REDUCTIONS and len(args) == 1:
            return self._reduced(args[0], dict(item.attrs))
        first, last = args[0], args[-1]
        if first is None or last is None:
            return None
        if item.text == "@":
            return self._product(first, last)
        if item.text == "T":
            return first[::-1]
        return self._broadcast(first, last) if len(args) == 2 else first

    def _alike(self, args: Sequence[Axes | None]) -> None:
        a, b = args
        if a is not None and b is not None and len(a) == len(b):
            for p, q in zip(a, b, strict=True):
                self._join(p, q)

    def _reduced(self, axes: Axes | None, attrs: Mapping[str, object]) -> Axes | None:
        axis, keepdims = attrs.get("axis"), bool(attrs.get("keepdims"))
        if axis is None and not keepdims:
            return ()
        if axes is None:
            return None
        if axis is None:
            return tuple(self._new(UNIT) for _ in axes)
        assert isinstance(axis, int)
        if not -len(axes) <= axis < len(axes):
            raise _MisfitError
        axis %= len(axes)
        return axes[:axis] + ((self._new(UNIT),) if keepdims else ()) + axes[axis + 1 :]

    def _product(self, a: Axes, b: Axes) -> Axes:
        if not a or not b:
            raise _MisfitError
        self._join(a[-1], b[-2:][0])
        return a[:-1] + (b[-1:] if len(b) > 1 else ())

    def _broadcast(self, a: Axes, b: Axes) -> Axes:
        rank = max(len(a), len(b))
        padded = [(None,) * (rank - len(axes)) + axes for axes in (a, b)]
        return tuple(self._wider(p, q) for p, q in zip(*padded, strict=True))

    def _wider(self, p: int | None, q: int | None) -> int:
        if p is None or q is None:
            found = q if p is None else p
            assert found is not None
            return found
        if self._dims[p].size == 1 or self._dims[q].size == 1:
            return q if self._dims[p].size == 1 and not self._dims[p].examples else p
        self._join(p, q)
        return p

    # --- naming ---

    def give_names(
        self, order: Iterable[str], dimensions: Mapping[str, int], taken: Collection[str] | None
    ) -> None:
        """Name what has been joined: by a name that one of it has, by one of a dimension, or by a new one.

        New ones are given to the leaves in `order`, none where nobody says which are `taken`.
        """
        for axis, dim in enumerate(self._dims):
            if dim.examples:  # what is lined up with them has no other name than its size
                self._names.setdefault(self._root(axis), "")
            elif _is_named(dim):
                self._names.setdefault(self._root(axis), dim.name)
        used = {*self._names.values()}
        spare = {name: size for name, size in dimensions.items() if name not in used}
        fresh = iter(()) if taken is None else free_names({*taken, *used, *dimensions})
        for axis in (axis for name in order for axis in self._leaves[name]):
            root, size = self._root(axis), self._dims[axis].size
            if root not in self._names and size > 1:
                own = next((name for name, s in spare.items() if s == size), None)
                self._names[root] = next(fresh, "") if own is None else own
                spare.pop(own or "", None)

    def dims_of(self, name: str) -> Dims:
        """Return the shape of a leaf; an axis that has a name keeps it."""
        return tuple(self._dim(axis) for axis in self._leaves[name])

    def _dim(self, axis: int) -> Dim:
        dim = self._dims[axis]
        if _is_named(dim) or dim.size == 1:
            return dim
        return dim._replace(name=self._names.get(self._root(axis)) or dim.name)


def _is_named(dim: Dim) -> bool:
    return dim.examples or not dim.name.isdigit()
