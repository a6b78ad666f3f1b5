"""From a graph to values: the forward pass, and the backward pass that its factors make.

Nothing is known here about single operations beyond what their records say. The forward rule and the factors
of every operation are polymorphic (see :mod:`engine.expr`); given symbols they return an expression, and an
expression has a dozen kinds, each of which is a few values. The functions that only compute (``softmax``,
``logaddexp`` in ``bce``, ...) are taken apart where the table `_OPENED` knows how, and called as they are
where it does not: a new operation runs at once, and fast when somebody adds a line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from engine import expr as ex
from engine import ops, shapes
from engine.graph import Graph, Kind, Node
from engine.plan.values import Builder, Shape, Term

__all__ = ["Lowered", "lower"]

MOST_POWER = 4  # whole powers up to this are products


class Lowered(NamedTuple):
    """What a plan computes: the loss, and its gradient by each parameter."""

    builder: Builder
    loss: Term
    gradients: dict[str, Term]


def lower(graph: Graph) -> Lowered:
    """Return the loss of a graph and its gradients as values."""
    writer = _Writer(graph)
    writer.forward()
    loss = writer.values[graph.ids[graph.loss]]
    return Lowered(writer.builder, loss, writer.backward())


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self.builder = Builder()
        self.values: list[Term] = []
        self._graph = graph
        self._gradients: dict[int, Term] = {}
        self._known: dict[str, Term] = {}

    def forward(self) -> None:
        path = self._graph.on_loss_path
        for node in self._graph.nodes:
            term = self._value(node) if node.id in path else self.builder.number(0.0)
            self.values.append(term)
            self.builder.kept.add(term.value)

    def _value(self, node: Node) -> Term:
        if node.constant is not None:
            return self.builder.number(float(ex.evaluate(node.constant, {})))
        if node.op is None:
            role = "data" if node.kind == Kind.INPUT else "parameter"
            axis = next((i for i, dim in enumerate(node.dims) if dim.examples), None)
            shape = shapes.sizes(node.dims)
            return Term(1.0, self.builder.leaf(node.name, shape, role, axis if role == "data" else None))
        args = [self._symbol(i) for i in node.inputs]
        return self._lowered(node.op.express(args, node.dims, dict(node.attrs)), shapes.sizes(node.dims))

    def _symbol(self, node_id: int) -> ex.Expr:
        """Return a node's value as a symbol, and remember what it stands for; a constant is itself."""
        constant = self._graph.nodes[node_id].constant
        if constant is not None:
            return constant
        name = str(node_id)
        self._known[name] = self.values[node_id]
        return ex.Name(name, self._graph.nodes[node_id].dims, "", "")

    def backward(self) -> dict[str, Term]:
        """Return the gradient of the loss by every parameter, zeros where it does not depend on it."""
        graph = self._graph
        self.builder.merging = True
        self._gradients[graph.ids[graph.loss]] = self.builder.number(1.0)
        wanted = graph.trained & graph.on_loss_path
        for node in reversed(graph.nodes):
            if node.id in wanted and node.op is not None:
                upstream = self._gradients.pop(node.id)
                for slot, source in enumerate(node.inputs):
                    if source in wanted:
                        self._arrive(source, self._contribution(node, slot, upstream))
        return {name: self._of_parameter(graph[name]) for name in graph.parameters}

    def _of_parameter(self, node: Node) -> Term:
        found = self._gradients.get(node.id)
        return self.builder.number(0.0, shapes.sizes(node.dims)) if found is None else found

    def _arrive(self, source: int, part: Term) -> None:
        held = self._gradients.get(source)
        self._gradients[source] = part if held is None else self.builder.add(held, part)

    def _contribution(self, node: Node, slot: int, upstream: Term) -> Term:
        ins = [self._symbol(i) for i in node.inputs]
        # the value itself is called "out": an operation's input is never its output
        self._known["out"] = self.values[node.id]
        self._known["d_out"] = upstream
        out = ex.Name("out", node.dims, "", "")
        dims = [*(self._graph.nodes[i].dims for i in node.inputs), node.dims]
        assert node.op is not None
        placed = ops.links(node.op, slot, ins, out, dims, dict(node.attrs))
        gradient = ex.Name("out", node.dims, "", "", "gradient")
        return self._lowered(ops.chain(gradient, placed), shapes.sizes(dims[slot]))

    def _lowered(self, expr: ex.Expr, shape: Shape) -> Term:
        term = self._term(expr)
        if term.shape == shape:
            return term
        builder = self.builder
        if term.value.size == int(np.prod(shape)):
            return builder.reshape(term, shape)
        return builder.spread(term, shape)

    # --- expressions ---

    def _term(self, expr: ex.Expr) -> Term:
        b = self.builder
        match expr:
            case ex.Const():
                return b.number(expr.number())
            case ex.Name():
                return self._known[expr.name if expr.kind == "value" else f"d_{expr.name}"]
            case ex.Sum():
                return b.add(*(self._term(term).times(sign) for sign, term in expr.terms))
            case ex.Product():
                return self._product(expr)
            case ex.Hadamard():
                product = b.mul(*(self._term(f) for f in expr.factors))
                return product.times(-1.0 if expr.negative else 1.0)
            case ex.Quotient():
                return b.mul(self._term(expr.numerator), b.invert(self._term(expr.denominator)))
            case ex.Power():
                return _power(b, self._term(expr.base), self._term(expr.exponent))
            case ex.Apply():
                return self._applied(expr)
        return self._shaped(expr)

    def _shaped(self, expr: ex.Expr) -> Term:
        b, shape = self.builder, shapes.sizes(expr.dims)
        match expr:
            case ex.Transpose():
                return b.t(self._term(expr.operand))
            case ex.SumTo():
                return _summed(b, self._term(expr.operand), expr.axes, shape)
            case ex.Spread():
                inner = self._term(expr.operand)
                if not expr.kept and expr.axis is not None:
                    grown = list(inner.shape)
                    grown.insert(expr.axis % len(shape), 1)
                    inner = b.reshape(inner, tuple(grown))
                return b.spread(inner, shape)
            case ex.Reshape():
                return b.reshape(self._term(expr.operand), shape)
        raise TypeError(f"no values for {type(expr).__name__}")

    def _product(self, expr: ex.Product) -> Term:
        """Return a product of scalars and matrices, in their order."""
        b = self.builder
        scalars = [self._term(f) for f in expr.factors if f.is_scalar]
        arrays = [self._term(f) for f in expr.factors if not f.is_scalar]
        found = arrays[0] if arrays else b.number(1.0)
        for array in arrays[1:]:
            found = b.dot(found, array)
        found = b.mul(*scalars, found) if scalars else found
        return found.times(-1.0 if expr.negative else 1.0)

    def _applied(self, expr: ex.Apply) -> Term:
        args = [self._term(arg) for arg in expr.args]
        attrs, name = dict(expr.attrs), expr.head.name
        opened = _OPENED.get(name)
        if opened is not None:
            return opened(self.builder, *args, **attrs)
        if name in _FUNCTIONS:
            return self.builder.fn(name, *args)
        return self.builder.call(expr.head.compute, expr.attrs, shapes.sizes(expr.dims), *args)


def _power(b: Builder, base: Term, exponent: Term) -> Term:
    number = exponent.scale
    if exponent.value.kind == "ones" and number == int(number) and 0 < abs(number) <= MOST_POWER:
        return b.spread(b.power(base, int(number)), np.broadcast_shapes(base.shape, exponent.shape))
    return b.fn("power", base, exponent)


def _summed(b: Builder, term: Term, axes: Sequence[int], shape: Shape) -> Term:
    if len(axes) == len(term.shape):
        return b.reshape(b.total(term), shape)
    for axis in sorted((a % len(term.shape) for a in axes), reverse=True):
        term = b.reduce("sum", term, axis, keepdims=True)
    return b.reshape(term, shape)


# --- functions taken apart ---------------------------------------------------------------------------------

_FUNCTIONS = frozenset(
    ("sqrt", "exp", "log", "abs", "sin", "cos", "tanh", "sign", "positive", "maximum", "minimum")
)


def _sigmoid(b: Builder, x: Term) -> Term:
    """Return the sigmoid as a function of -x: the sign may go where it costs nothing."""
    return b.fn("sigmoid of minus", x.times(-1.0))


def _sum(b: Builder, x: Term, axis: int | None = None, keepdims: bool = False) -> Term:
    if axis is None:
        return b.reshape(b.total(x), (1,) * len(x.shape) if keepdims else ())
    return b.reduce("sum", x, axis, keepdims)


def _mean(b: Builder, x: Term, axis: int | None = None, keepdims: bool = False) -> Term:
    count = x.value.size if axis is None else x.shape[axis]
    return _sum(b, x, axis, keepdims).times(1.0 / count)


def _norm_squared(b: Builder, x: Term, axis: int | None = None, keepdims: bool = False) -> Term:
    if axis is None:
        return b.reshape(b.vdot(x, x), (1,) * len(x.shape) if keepdims else ())
    return b.reduce("sum", b.power(x, 2), axis, keepdims)


def _norm(b: Builder, x: Term, axis: int | None = None, keepdims: bool = False) -> Term:
    return b.fn("sqrt", _norm_squared(b, x, axis, keepdims))


def _extreme(how: str) -> Callable[..., Term]:
    def opened(b: Builder, x: Term, axis: int | None = None, keepdims: bool = False) -> Term:
        if axis is not None:
            return b.reduce(how, x, axis, keepdims)
        flat = b.reshape(Term(1.0, b.realised(x)), (x.value.size,))
        return b.reshape(b.reduce(how, flat, 0, False), (1,) * len(x.shape) if keepdims else ())

    return opened


def _mse(b: Builder, x: Term, y: Term) -> Term:
    error = b.add(x, y.times(-1.0))
    return b.vdot(error, error).times(1.0 / x.value.size)


def _softplus(b: Builder, x: Term) -> Term:
    """Return log(1 + e^x) as max(x, 0) + log(1 + e^-|x|), which neither overflows nor cancels."""
    small = b.fn("exp", b.fn("abs", x).times(-1.0))
    return b.add(b.fn("maximum", x, b.number(0.0)), b.fn("log1p", small))


def _bce(b: Builder, z: Term, y: Term) -> Term:
    count = z.shape[-1] if z.shape else 1
    total = b.add(b.total(_softplus(b, z)), b.vdot(y, z).times(-1.0))
    return total.times(1.0 / count)


def _relu(b: Builder, x: Term) -> Term:
    return b.fn("maximum", x, b.number(0.0))


def _softmax(b: Builder, x: Term, axis: int = 0) -> Term:
    grown = b.fn("exp", _shifted(b, x, axis))
    return b.mul(grown, b.invert(b.reduce("sum", grown, axis, keepdims=True)))


def _shifted(b: Builder, x: Term, axis: int) -> Term:
    return b.add(x, b.reduce("max", Term(1.0, b.realised(x)), axis, keepdims=True).times(-1.0))


def _log_softmax(b: Builder, x: Term) -> Term:
    shifted = _shifted(b, x, 0)
    total = b.reduce("sum", b.fn("exp", shifted), 0, keepdims=True)
    return b.add(shifted, b.fn("log", total).times(-1.0))


def _cross_entropy(b: Builder, z: Term, y: Term) -> Term:
    return b.vdot(y, _log_softmax(b, z)).times(-1.0 / z.shape[-1])


_OPENED: Mapping[str, Callable[..., Term]] = {
    "sum": _sum,
    "mean": _mean,
    "norm": _norm,
    "norm_squared": _norm_squared,
    "max": _extreme("max"),
    "min": _extreme("min"),
    "mse": _mse,
    "relu": _relu,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "bce": _bce,
    "softmax": _softmax,
    "log_softmax": _log_softmax,
    "cross_entropy": _cross_entropy,
}
