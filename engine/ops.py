r"""The operations: one record each, and everything Backstep knows about an operation stands in it.

A record holds the forward rule, the local factors of the vector-Jacobian product (one chain of :class:`Link`
per input slot), the LaTeX and the NumPy source. Rules are polymorphic (see :mod:`engine.expr`): the same line
computes with arrays and writes the equation. Broadcasting is not their business: where an elementwise
operation copied an input, the sum over the copies is a link that :func:`links` adds.

Conventions at the points where a derivative does not exist: relu'(0) = 0, |x|'(0) = 0, norm'(0) = 0, ties of
max and min share the gradient evenly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from engine import expr as ex
from engine import shapes
from engine.errors import ShapeError
from engine.expr import Expr, count
from engine.notation import atom, parenthesised
from engine.shapes import Dims

__all__ = ["OPS", "Helper", "Link", "Op", "Side", "back", "chain", "links"]

Rule = Callable[..., Any]
Attrs = Mapping[str, Any]


class Side:
    """How a link turns the gradient that comes in into the one that goes out."""

    SCALAR = "scalar"  # operand * g
    ELEMENTWISE = "elementwise"  # g (.) operand
    LEFT = "left"  # operand @ g
    RIGHT = "right"  # g @ operand
    SUM = "sum"  # summed over the axes that broadcasting copied
    SPREAD = "spread"  # copied along the axes that a reduction summed over
    TRANSPOSE = "transpose"
    MAP = "map"  # a linear map that is none of these, such as softmax's
    COMPOSED = "composed"  # several of these, one after the other


@dataclass(frozen=True)
class Helper:
    """A function that only derivatives need, such as ``sign``; polymorphic like an operation."""

    name: str
    compute: Rule
    latex: Callable[..., str]
    source: Callable[..., str]
    infix: bool = False
    torch = None  # PyTorch takes derivatives itself

    def __call__(self, *args: Any, **attrs: Any) -> Any:
        """Return the value for arrays, the application for expressions."""
        symbols = [a for a in args if isinstance(a, Expr)]
        if not symbols:
            return self.compute(*args, **attrs)
        lifted = [ex.lift(a) for a in args]
        dims: Dims = ()
        for arg in lifted:
            dims = shapes.broadcast(dims, arg.dims)
        return ex.apply(self, lifted, dims, **attrs)

    def write_latex(self, *args: str, **attrs: Any) -> str:
        """Return its LaTeX, given that of its arguments."""
        return self.latex(*args, **attrs)

    def write_source(self, *args: str, **attrs: Any) -> str:
        """Return its NumPy source, given that of its arguments."""
        return self.source(*args, **attrs)


class Link(NamedTuple):
    """One local factor: a side, and the rule for its operand from the inputs and, last, the output."""

    side: str
    rule: Rule | None = None


Chain = tuple[Link, ...]


@dataclass(frozen=True)
class Op:
    """An operation.

    Attributes
    ----------
    name
        What the formula calls it.
    forward
        From the inputs (arrays or expressions) and the attributes to the output.
    factors
        For each input slot, the chain of links from the gradient of the output to that of the input.
    shape
        From the shapes of the inputs and the attributes to the shape of the output; raises ShapeError.
    latex, source, torch
        How an application prints, as NumPy and as PyTorch too; None where the forward rule's own operators
        print it. Where a derivative does not exist, PyTorch's function has to take the same one.
    analytic
        Whether the forward rule may be given complex numbers (the complex-step derivative).
    elementwise
        Whether NumPy broadcasts the inputs; then the sum over copies is added to the factors.
    symbol
        What stands for it on a small card.
    sentence
        How the backward step through it is said in words.
    noun
        What its result is called; the operation's own name where empty.
    definition
        LaTeX of what it computes, where its sign alone does not say it.
    written
        From the inputs to what it computes, in other operations; where numbers are put in, they go in there.
    arity
        The smallest and the largest number of arguments.
    """

    name: str
    forward: Rule
    factors: tuple[Chain, ...]
    shape: Callable[..., Dims]
    latex: Callable[..., str] | None = None
    source: Callable[..., str] | None = None
    torch: Callable[..., str] | None = None
    analytic: bool = True
    elementwise: bool = False
    symbol: str = ""
    sentence: str = ""
    noun: str = ""
    definition: str = ""
    written: Rule | None = None
    arity: tuple[int, int] = field(default=(1, 1))
    infix = False

    def compute(self, *args: Any, **attrs: Any) -> Any:
        """Return the output for arrays."""
        return self.forward(*args, **attrs)

    def express(self, args: Sequence[Expr], dims: Dims, attrs: Attrs) -> Expr:
        """Return the application to `args` in symbols."""
        if self.latex is None:
            return self.forward(*args, **attrs)
        return ex.apply(self, args, dims, **attrs)

    def write_latex(self, *args: str, **attrs: Any) -> str:
        """Return its LaTeX, given that of its arguments."""
        assert self.latex is not None
        return self.latex(*args, **attrs)

    def write_source(self, *args: str, **attrs: Any) -> str:
        """Return its NumPy source, given that of its arguments."""
        assert self.source is not None
        return self.source(*args, **attrs)


# --- applying links ----------------------------------------------------------------------------------------


class Placed(NamedTuple):
    """A link whose operand has been worked out, as an array or as an expression."""

    side: str
    operand: Any
    dims: Dims  # the shape that comes out
    attrs: Attrs
    rule: Rule | None = None


def links(
    op: Op, slot: int, ins: Sequence[Any], out: Any, dims: Sequence[Dims], attrs: Attrs
) -> list[Placed]:
    """Return the placed links of `op` for `slot`, the sum over broadcast copies included.

    Parameters
    ----------
    ins, out
        The inputs and the output: arrays, or expressions.
    dims
        The shapes of the inputs, then of the output.
    """
    target, whole = dims[slot], dims[-1]
    chain = chain_of(op, slot, dims)
    placed = [_place(link, ins, out, target if not op.elementwise else whole, attrs) for link in chain]
    if op.elementwise:
        placed = _with_sum(placed, target, whole)
    return placed


def chain_of(op: Op, slot: int, dims: Sequence[Dims]) -> Chain:
    """Return the links of `op` for `slot`; the product with a one-dimensional array needs its own."""
    if op.name == "@" and any(len(d) < 2 for d in dims[:2]):
        return (Link(Side.MAP, _VECTOR_RULES[len(dims[0]), len(dims[1])][slot]),)
    return op.factors[slot]


def _place(link: Link, ins: Sequence[Any], out: Any, dims: Dims, attrs: Attrs) -> Placed:
    if link.side == Side.MAP:
        bound = link.rule
        assert bound is not None
        return Placed(link.side, None, dims, attrs, lambda g: bound(g, *ins, out, **attrs))
    operand = None if link.rule is None else link.rule(*ins, out, **attrs)
    return Placed(link.side, operand, dims, attrs)


def _with_sum(placed: list[Placed], target: Dims, whole: Dims) -> list[Placed]:
    axes = shapes.summed_axes(target, whole)
    if not axes:
        return placed
    last = placed[-1]
    if len(placed) == 1 and last.side == Side.ELEMENTWISE:
        product = _as_matrix_product(last, target, whole, axes)
        if product is not None:
            return [product]
    return [*placed, Placed(Side.SUM, axes, target, {})]


def _as_matrix_product(last: Placed, target: Dims, whole: Dims, axes: tuple[int, ...]) -> Placed | None:
    """Return "times a row, summed over it" as the product with the row transposed, which it is: g x^T.

    Only where a single number was multiplied into a row or a column; the equation then is the one of the
    course.
    """
    if len(whole) != 2 or any(not d.is_unit for d in target) or _rank(last.operand) != 2:
        return None
    if whole[0].name == "1" and 1 in axes:
        return Placed(Side.RIGHT, last.operand.T, target, {})
    if whole[1].name == "1" and 0 in axes:
        return Placed(Side.LEFT, last.operand.T, target, {})
    return None


def _rank(x: Any) -> int:
    return len(x.dims) if isinstance(x, Expr) else np.ndim(x)


def back(g: Any, link: Placed) -> Any:
    """Return what `link` makes of the gradient `g`: an array of an array, symbols of symbols."""
    return _back_symbols(g, link) if isinstance(g, Expr) else _back_arrays(g, link)


def chain(g: Any, placed: Sequence[Placed]) -> Any:
    """Return `g` taken through all links."""
    for link in placed:
        g = back(g, link)
    return g


def _back_arrays(g: Any, link: Placed) -> Any:
    side, operand = link.side, link.operand
    if side in (Side.SCALAR, Side.ELEMENTWISE):
        return g if isinstance(operand, int) and operand == 1 else g * operand
    if side == Side.LEFT:
        return np.reshape(operand @ g, shapes.sizes(link.dims))
    if side == Side.RIGHT:
        return np.reshape(g @ operand, shapes.sizes(link.dims))
    if side == Side.SUM:
        return np.sum(g, axis=operand).reshape(shapes.sizes(link.dims))
    if side == Side.TRANSPOSE:
        return np.transpose(g)
    if side == Side.SPREAD:
        return _spread_array(g, link)
    assert link.rule is not None
    return link.rule(g)


def _spread_array(g: Any, link: Placed) -> Any:
    axis, keepdims = link.attrs.get("axis"), link.attrs.get("keepdims", False)
    if axis is not None and not keepdims:
        g = np.expand_dims(g, axis)
    elif axis is None:
        g = np.reshape(g, ())
    return np.broadcast_to(g, shapes.sizes(link.dims))


def _back_symbols(g: Expr, link: Placed) -> Expr:
    side, operand = link.side, link.operand
    if side in (Side.SCALAR, Side.ELEMENTWISE):
        operand = ex.lift(operand)
        before = operand.is_scalar and (not g.is_scalar or isinstance(operand, ex.Const))
        return ex.multiply(operand, g) if before else ex.multiply(g, operand)
    if side == Side.LEFT:
        return ex.reshape(operand @ g, link.dims)
    if side == Side.RIGHT:
        return ex.reshape(g @ operand, link.dims)
    if side == Side.SUM:
        return ex.sum_to(g, operand, link.dims)
    if side == Side.TRANSPOSE:
        return g.T
    if side == Side.SPREAD:
        return _spread_symbols(g, link)
    assert link.rule is not None
    return link.rule(g)


def _spread_symbols(g: Expr, link: Placed) -> Expr:
    axis, keepdims = link.attrs.get("axis"), link.attrs.get("keepdims", False)
    if axis is None:
        return ex.spread(ex.reshape(g, ()), link.dims)
    return ex.spread(g, link.dims, axis, keepdims)


# --- rules with a name: numbers for arrays, symbols for expressions -----------------------------------------


def _stable_sigmoid(x: Any) -> Any:
    if np.iscomplexobj(x):
        small = np.exp(np.where(np.real(x) >= 0, -x, x))
        return np.where(np.real(x) >= 0, 1 / (1 + small), small / (1 + small))
    small = np.exp(-np.abs(x))
    return np.where(np.asarray(x) >= 0, 1 / (1 + small), small / (1 + small))


def _softmax(x: Any, axis: int = 0) -> Any:
    shifted = np.exp(x - np.max(np.real(x), axis=axis, keepdims=True))
    return shifted / np.sum(shifted, axis=axis, keepdims=True)


def _log_softmax(x: Any) -> Any:
    shifted = x - np.max(np.real(x), axis=0, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=0, keepdims=True))


def _share_of(name: str) -> Helper:
    """Return the helper for the share of each entry in the gradient of ``max`` or ``min``.

    It compares with the extreme of the entries it is given, not with the stored one: an equation may multiply
    in another order than the forward pass did, and then differ from the stored extreme by rounding.
    """
    extreme = {"max": np.max, "min": np.min}[name]

    def compute(x: Any, _: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        equal = np.equal(x, extreme(x, axis=axis, keepdims=True)).astype(float)
        return equal / np.sum(equal, axis=axis, keepdims=True)

    def source(x: str, _: str, axis: int | None = None, keepdims: bool = False) -> str:
        kept = "" if axis is None else f", axis={axis}, keepdims=True"
        equal = f"({atom(x)} == np.{name}({x}{kept}))"
        return f"({equal} / np.sum({equal}{kept}))"

    return Helper(
        "share",
        compute,
        lambda x, out, **_: rf"\frac{{\mathbb{{1}}[{x} = {out}]}}{{\#\{{{x} = {out}\}}}}",
        source,
    )


def _wins(sign: str) -> Helper:
    def compute(a: Any, b: Any) -> Any:
        ahead = np.greater(a, b) if sign == ">" else np.less(a, b)
        return ahead + 0.5 * np.equal(a, b)

    return Helper(
        "wins",
        compute,
        lambda a, b: rf"\left(\mathbb{{1}}[{a} {sign} {b}] + \frac{{1}}{{2}}\mathbb{{1}}[{a} = {b}]\right)",
        lambda a, b: f"({atom(a)} {sign} {atom(b)}) + 0.5 * ({atom(a)} == {atom(b)})",
    )


def _is_zero(p: Any) -> bool:
    return isinstance(p, ex.Const) and p.value == 0


def _power_slope(x: Any, p: Any) -> Any:
    if isinstance(x, Expr) or isinstance(p, Expr):
        return ex.lift(0) if _is_zero(p) else p * x ** (p - 1)
    with np.errstate(all="ignore"):
        return np.where(np.equal(p, 0), 0.0, p * np.power(x, np.subtract(p, 1.0)))


def _log_source(x: str) -> str:
    return f"np.log(np.where({x} == 0, 1, {x}))"


sign = Helper("sign", np.sign, lambda x: rf"\mathrm{{sign}}{parenthesised(x)}", lambda x: f"np.sign({x})")
positive = Helper(
    "positive",
    lambda x: np.greater(x, 0).astype(float),
    lambda x: rf"\mathbb{{1}}[{x} > 0]",
    lambda x: f"1.0 * ({atom(x)} > 0)",
)
sine = Helper("sin", np.sin, lambda x: rf"\sin{parenthesised(x)}", lambda x: f"np.sin({x})")
cosine = Helper("cos", np.cos, lambda x: rf"\cos{parenthesised(x)}", lambda x: f"np.cos({x})")
sigma = Helper(
    "sigmoid",
    _stable_sigmoid,
    lambda x: rf"\sigma{parenthesised(x)}",
    lambda x: f"1 / (1 + np.exp(-{atom(x)}))",
)
log_nonzero = Helper(
    "log", lambda x: np.log(np.where(x == 0, 1.0, x)), lambda x: rf"\log{parenthesised(x)}", _log_source
)
soft = Helper(
    "softmax",
    _softmax,
    lambda x, axis=0: rf"\mathrm{{softmax}}{parenthesised(x)}",
    lambda x, axis=0: (
        f"(np.exp({x} - np.max({x}, axis={axis}, keepdims=True))"
        f" / np.sum(np.exp({x} - np.max({x}, axis={axis}, keepdims=True)), axis={axis}, keepdims=True))"
    ),
)
log_soft = Helper(
    "log_softmax",
    _log_softmax,
    lambda x: rf"\log\mathrm{{softmax}}{parenthesised(x)}",
    lambda x: (
        f"({x} - np.max({x}, axis=0, keepdims=True)"
        f" - np.log(np.sum(np.exp({x} - np.max({x}, axis=0, keepdims=True)), axis=0, keepdims=True)))"
    ),
)
log_partition = Helper(
    "log_partition",
    lambda z: np.logaddexp(0.0, z),
    lambda z: rf"\log(1 + e^{{{z}}})",
    lambda z: f"np.logaddexp(0, {z})",
)
or_one = Helper(
    "or_one",
    lambda n: np.where(n == 0, 1.0, n),
    lambda n: n,
    lambda n: f"np.where({n} == 0, 1, {n})",
)
larger, smaller = _wins(">"), _wins("<")


def column_sums(x: Any) -> Any:
    """Return the sums of the columns, as a row that is copied back to the shape of `x`."""
    if not isinstance(x, Expr):
        return np.sum(x, axis=0, keepdims=True)
    return _summed_and_copied(x, 0)


def _summed_and_copied(x: Expr, axis: int) -> Expr:
    axis %= len(x.dims)
    kept = shapes.reduced(x.dims, axis, keepdims=True)
    return ex.spread(ex.sum_to(x, (axis,), kept), x.dims, axis)


def _softmax_back(g: Any, x: Any, out: Any, axis: int = 0) -> Any:
    if isinstance(g, Expr):
        return out * (g - _summed_and_copied(g * out, axis))
    return out * (g - np.sum(g * out, axis=axis, keepdims=True))


def examples(x: Any) -> Any:
    """Return the number of examples: the columns of `x`, or 1 for a scalar."""
    return count(x, -1) if _rank(x) else 1


outer = Helper(
    "outer",
    lambda a, b: np.multiply.outer(a, b),
    lambda a, b: rf"{a} \otimes {b}",
    lambda a, b: f"np.multiply.outer({a}, {b})",
    infix=True,
)


def _outer_expr(a: Any, b: Any) -> Any:
    if isinstance(a, Expr) or isinstance(b, Expr):
        a, b = ex.lift(a), ex.lift(b)
        return ex.apply(outer, (a, b), a.dims + b.dims)
    return np.multiply.outer(a, b)


_VECTOR_RULES: dict[tuple[int, int], tuple[Rule, Rule]] = {
    (1, 1): (lambda g, a, b, out: g * b, lambda g, a, b, out: g * a),
    (1, 2): (lambda g, a, b, out: b @ g, lambda g, a, b, out: _outer_expr(a, g)),
    (2, 1): (lambda g, a, b, out: _outer_expr(g, b), lambda g, a, b, out: a.T @ g),
}


# --- shapes ------------------------------------------------------------------------------------------------


def _same(x: Dims, **_: Any) -> Dims:
    return x


def _pair(a: Dims, b: Dims) -> Dims:
    return shapes.broadcast(a, b)


def _reduce(x: Dims, axis: int | None = None, keepdims: bool = False) -> Dims:
    return shapes.reduced(x, axis, keepdims)


def _axis_exists(x: Dims, axis: int = 0) -> Dims:
    if not x:
        raise ShapeError(
            "softmax needs a vector or a matrix, not a scalar.", how="Use sigmoid for one number."
        )
    shapes.reduced(x, axis, True)
    return x


def _equal(name: str) -> Callable[[Dims, Dims], Dims]:
    def shape(a: Dims, b: Dims) -> Dims:
        if shapes.sizes(a) != shapes.sizes(b):
            raise ShapeError(
                f"{name} compares entry by entry, but the shapes are {shapes.show(a)} and {shapes.show(b)}.",
                how="Give both the same shape" + (", e.g. with .T." if a[::-1] == b else "."),
            )
        if name == "cross_entropy" and len(a) != 2:
            raise ShapeError(
                f"cross_entropy takes a matrix with a row for each class, but the shape is {shapes.show(a)}.",
                how="Use bce for two classes.",
            )
        shapes.broadcast(a, b)
        return ()

    return shape


# --- the table ---------------------------------------------------------------------------------------------


def _scalar(rule: Rule) -> Chain:
    return (Link(Side.SCALAR, rule),)


def _each(rule: Rule) -> Chain:
    return (Link(Side.ELEMENTWISE, rule),)


_SPREAD = Link(Side.SPREAD)
_PASS = _scalar(lambda *_: 1)


def _operator(name: str, forward: Rule, *factors: Chain, sentence: str, **more: Any) -> Op:
    return Op(name, forward, factors, _pair, elementwise=True, arity=(2, 2), sentence=sentence, **more)


def _function(
    name: str, forward: Rule, factor: Chain, latex: Any, source: Any, sentence: str, **more: Any
) -> Op:
    """Return an elementwise function of one argument; PyTorch has it by its name unless that is said."""
    more.setdefault("torch", lambda x: f"torch.{name}({x})")
    return Op(name, forward, (factor,), _same, latex, source, elementwise=True, sentence=sentence, **more)


def _axes(axis: int | None = None, **_: Any) -> str:
    return "" if axis is None else rf"_{{\text{{axis }}{axis}}}"


def _keywords(axis: int | None = None, keepdims: bool = False) -> str:
    return ("" if axis is None else f", axis={axis}") + (", keepdims=True" if keepdims else "")


def _dims(axis: int | None = None, keepdims: bool = False) -> str:
    """Return the keywords of a reduction as PyTorch calls them."""
    return (f", dim={axis}" if keepdims or axis is not None else "") + (", keepdim=True" if keepdims else "")


def _reduction(
    name: str, forward: Rule, factor: Chain, word: str, function: str, sentence: str, **more: Any
) -> Op:
    return Op(
        name,
        forward,
        (factor,),
        _reduce,
        lambda x, **attrs: rf"{word}{_axes(**attrs)}{parenthesised(x)}",
        lambda x, **attrs: f"np.{name}({x}{_keywords(**attrs)})",
        lambda x, **attrs: f"torch.{function}({x}{_dims(**attrs)})",
        sentence=sentence,
        **more,
    )


def _extreme(name: str, forward: Rule, sentence: str) -> Op:
    share = _share_of(name)

    def rule(x: Any, out: Any, **attrs: Any) -> Any:
        if isinstance(x, Expr):
            return ex.apply(share, (x, out), x.dims, **attrs)
        return share(x, out, **attrs)

    return _reduction(
        name,
        forward,
        (_SPREAD, Link(Side.ELEMENTWISE, rule)),
        rf"\{name}",
        f"a{name}",  # which shares the gradient among ties; torch.max gives it to one of them
        sentence,
        analytic=False,
    )


def _extreme_pair(name: str, forward: Rule, helper: Helper, word: str) -> Op:
    return Op(
        name,
        forward,
        (_each(lambda a, b, out: helper(a, b)), _each(lambda a, b, out: helper(b, a))),
        _pair,
        lambda a, b: rf"\{word}" + parenthesised(f"{a}, {b}"),
        lambda a, b: f"np.{name}({a}, {b})",
        lambda a, b: f"torch.{name}({a}, {b})",
        analytic=False,
        elementwise=True,
        arity=(2, 2),
        sentence=f"The {'larger' if word == 'max' else 'smaller'} one gets the gradient, half each at a tie.",
    )


_NORM = r"||x|| = \sqrt{\sum_i x_i^2}"


def _norm(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def _norm_squared(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    return np.sum(x * x, axis=axis, keepdims=keepdims)


def _norm_latex(x: str, **attrs: Any) -> str:
    bars = rf"\left||{x}\right||" if r"\frac" in x else f"||{x}||"
    return bars + _axes(**attrs)


def _copied(out: Any, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return the output of a reduction, ready to stand beside its input."""
    if axis is None:
        return ex.reshape(out, ()) if isinstance(out, Expr) else np.reshape(out, ())
    if isinstance(out, Expr):
        return ex.spread(out, x.dims, axis, keepdims)
    return out if keepdims else np.expand_dims(out, axis)


def _mean_square(a: Any, b: Any) -> Any:
    return np.mean((a - b) * (a - b))


def _bce(z: Any, y: Any) -> Any:
    if np.iscomplexobj(z) or np.iscomplexobj(y):
        # complex step: log(1 + e^z), shifted so that nothing overflows
        shift = np.where(np.real(z) > 0, z, 0)
        soft_plus = shift + np.log(np.exp(-shift) + np.exp(z - shift))
    else:
        soft_plus = np.logaddexp(0.0, z)
    return np.sum(soft_plus - y * z) / (np.shape(z)[-1] if np.ndim(z) else 1)


def _cross_entropy(z: Any, y: Any) -> Any:
    return -np.sum(y * _log_softmax(z)) / np.shape(z)[-1]


def _total(x: Expr) -> Expr:
    return ex.sum_to(x, tuple(range(len(x.dims))), ())


def _total_by_example(x: Expr) -> Expr:
    """Return the sum of a matrix as that of its columns' sums."""
    return ex.sum_to(ex.sum_to(x, (0,), x.dims[1:]), (0,), ())


def _softplus(x: Any) -> Any:
    if not np.iscomplexobj(x):
        return np.logaddexp(0.0, x)
    shift = np.where(np.real(x) > 0, x, 0)
    return shift + np.log(np.exp(-shift) + np.exp(x - shift))


def _bce_source(z: str, y: str) -> str:
    z = atom(z)
    return f"np.sum(np.logaddexp(0, {z}) - {atom(y)} * {z}) / np.atleast_1d({z}).shape[-1]"


def _bce_torch(z: str, y: str) -> str:
    whole = f'torch.nn.functional.binary_cross_entropy_with_logits({z}, {y}, reduction="sum")'
    return f"{whole} / torch.atleast_1d({z}).shape[-1]"


_TABLE = (
    _operator(
        "+",
        lambda a, b: a + b,
        _PASS,
        _PASS,
        symbol="+",
        noun="sum",
        sentence="Addition passes the gradient on unchanged.",
    ),
    _operator(
        "-",
        lambda a, b: a - b,
        _PASS,
        _scalar(lambda *_: -1),
        symbol="−",
        noun="difference",
        sentence="Subtraction passes the gradient on, with its sign turned for what is subtracted.",
    ),
    _operator(
        "*",
        lambda a, b: a * b,
        _each(lambda a, b, out: b),
        _each(lambda a, b, out: a),
        symbol="×",
        noun="product",
        sentence="A product passes the gradient on, multiplied by the other factor.",
    ),
    _operator(
        "/",
        lambda a, b: a / b,
        _each(lambda a, b, out: 1 / b),
        _each(lambda a, b, out: -(a / b**2)),
        symbol="÷",
        noun="quotient",
        sentence="A quotient passes the gradient on, multiplied by its slope in that argument.",
    ),
    _operator(
        "**",
        lambda a, b: a**b,
        _each(lambda a, b, out: _power_slope(a, b)),
        _each(lambda a, b, out: out * log_nonzero(a)),
        symbol="xⁿ",
        noun="power",
        sentence="A power passes the gradient on, times the exponent and the base to one power less.",
    ),
    Op(
        "@",
        lambda a, b: a @ b,
        ((Link(Side.RIGHT, lambda a, b, out: b.T),), (Link(Side.LEFT, lambda a, b, out: a.T),)),
        shapes.matmul,
        symbol="@",
        arity=(2, 2),
        noun="matrix product",
        sentence="A matrix product passes the gradient on, multiplied by the other matrix transposed.",
    ),
    Op(
        "neg",
        lambda x: -x,
        (_scalar(lambda x, out: -1),),
        _same,
        elementwise=True,
        symbol="−",
        noun="minus sign",
        sentence="A minus sign turns the gradient's sign.",
    ),
    Op(
        "T",
        lambda x: x.T,
        ((Link(Side.TRANSPOSE),),),
        lambda x: x[::-1],
        symbol="ᵀ",
        noun="transpose",
        sentence="The gradient is transposed back.",
    ),
    Op(
        "identity",
        lambda x: x,
        (_PASS,),
        _same,
        elementwise=True,
        symbol="=",
        noun="copy",
        sentence="The gradient is passed on unchanged.",
    ),
    _function(
        "sqrt",
        np.sqrt,
        _each(lambda x, out: 1 / (2 * out)),
        lambda x: rf"\sqrt{{{x}}}",
        lambda x: f"np.sqrt({x})",
        "Each entry is divided by twice the root that was stored.",
        noun="root",
    ),
    _function(
        "exp",
        np.exp,
        _each(lambda x, out: out),
        lambda x: rf"e^{{{x}}}",
        lambda x: f"np.exp({x})",
        "The slope of exp is its own value, read from the stored output.",
    ),
    _function(
        "log",
        np.log,
        _each(lambda x, out: 1 / x),
        lambda x: rf"\log{parenthesised(x)}",
        lambda x: f"np.log({x})",
        "Each entry is divided by the stored argument of log.",
    ),
    _function(
        "abs",
        np.abs,
        _each(lambda x, out: sign(x)),
        lambda x: rf"\left|{x}\right|",
        lambda x: f"np.abs({x})",
        "Each entry keeps or turns its sign with the argument; at zero it stops.",
        noun="absolute value",
        analytic=False,
    ),
    _function(
        "sin",
        np.sin,
        _each(lambda x, out: cosine(x)),
        lambda x: rf"\sin{parenthesised(x)}",
        lambda x: f"np.sin({x})",
        "Each entry is multiplied by the cosine of the stored argument.",
    ),
    _function(
        "cos",
        np.cos,
        _each(lambda x, out: -sine(x)),
        lambda x: rf"\cos{parenthesised(x)}",
        lambda x: f"np.cos({x})",
        "Each entry is multiplied by minus the sine of the stored argument.",
    ),
    _function(
        "tanh",
        np.tanh,
        _each(lambda x, out: 1 - out**2),
        lambda x: rf"\tanh{parenthesised(x)}",
        lambda x: f"np.tanh({x})",
        "Each entry is multiplied by the slope of tanh there, one minus the stored output squared.",
    ),
    _function(
        "sigmoid",
        _stable_sigmoid,
        _each(lambda x, out: out * (1 - out)),
        sigma.latex,
        sigma.source,
        "Each entry is multiplied by the slope of \u03c3 there, read from the stored output.",
        symbol="σ",
        definition=r"\sigma(x) = \frac{1}{1 + e^{-x}}",
    ),
    _function(
        "relu",
        lambda x: np.maximum(x, 0.0),
        _each(lambda x, out: positive(x)),
        lambda x: rf"\mathrm{{relu}}{parenthesised(x)}",
        lambda x: f"np.maximum({x}, 0)",
        "The gradient passes where the argument was positive, and stops elsewhere.",
        analytic=False,
        definition=r"\mathrm{relu}(x) = \max(x, 0)",
    ),
    _function(
        "softplus",
        _softplus,
        _each(lambda x, out: sigma(x)),
        lambda x: rf"\mathrm{{softplus}}{parenthesised(x)}",
        lambda x: f"np.logaddexp(0, {x})",
        "Each entry is multiplied by \u03c3 of the stored argument, the slope of softplus.",
        # torch's softplus is linear beyond 20
        torch=lambda x: f"torch.logaddexp(torch.tensor(0.0), {x})",
        definition=r"\mathrm{softplus}(x) = \log(1 + e^{x})",
    ),
    Op(
        "softmax",
        _softmax,
        ((Link(Side.MAP, _softmax_back),),),
        _axis_exists,
        soft.latex,
        soft.source,
        lambda x, axis=0: f"torch.softmax({x}, dim={axis})",
        sentence="Each column's gradient loses its mean under the stored softmax, and is multiplied by it.",
        definition=r"\mathrm{softmax}(x)_i = \frac{e^{x_i}}{\sum_j e^{x_j}}",
    ),
    _reduction(
        "sum",
        lambda x, **a: np.sum(x, **a),
        (_SPREAD,),
        r"\mathrm{sum}",
        "sum",
        "A sum passes the same gradient to everything it added up.",
        symbol="Σ",
    ),
    _reduction(
        "mean",
        lambda x, **a: np.mean(x, **a),
        (Link(Side.SCALAR, lambda x, out, axis=None, keepdims=False: 1 / count(x, axis)), _SPREAD),
        r"\mathrm{mean}",
        "mean",
        "A mean passes the gradient, divided by how many there were, to everything it took in.",
    ),
    _extreme(
        "max", lambda x, **a: np.max(x, **a), "The gradient goes to the largest entry; ties share it evenly."
    ),
    _extreme(
        "min", lambda x, **a: np.min(x, **a), "The gradient goes to the smallest entry; ties share it evenly."
    ),
    _extreme_pair("maximum", np.maximum, larger, "max"),
    _extreme_pair("minimum", np.minimum, smaller, "min"),
    Op(
        "norm",
        _norm,
        ((_SPREAD, Link(Side.ELEMENTWISE, lambda x, out, **a: x / _copied(or_one(out), x, **a))),),
        _reduce,
        _norm_latex,
        lambda x, **a: f"np.linalg.norm({x}{_keywords(**a)})",
        lambda x, **a: f"torch.linalg.vector_norm({x}{_dims(**a)})",
        analytic=False,  # not at zero, where it has a kink
        symbol="‖·‖",
        noun="norm",
        sentence="A norm passes the gradient on along the vector, divided by its length; at zero it stops.",
        definition=_NORM,
    ),
    Op(
        "norm_squared",
        _norm_squared,
        (
            (
                Link(Side.SCALAR, lambda x, out, **_: 2),
                _SPREAD,
                Link(Side.ELEMENTWISE, lambda x, out, **_: x),
            ),
        ),
        _reduce,
        lambda x, **a: f"{_norm_latex(x, **a)}^2",
        lambda x, **a: f"np.sum({atom(x)}**2{_keywords(**a)})",
        lambda x, **a: f"torch.sum({atom(x)}**2{_dims(**a)})",
        symbol="‖·‖²",
        noun="sum of squares",
        sentence="The slope of a sum of squares is twice what was squared.",
        definition=_NORM,
    ),
    Op(
        "mse",
        _mean_square,
        (
            (
                Link(Side.SCALAR, lambda a, b, out: 2 / count(a)),
                Link(Side.ELEMENTWISE, lambda a, b, out: a - b),
            ),
            (
                Link(Side.SCALAR, lambda a, b, out: -2 / count(a)),
                Link(Side.ELEMENTWISE, lambda a, b, out: a - b),
            ),
        ),
        _equal("mse"),
        lambda a, b: r"\mathrm{mse}" + parenthesised(f"{a}, {b}"),
        lambda a, b: f"np.mean(({atom(a)} - {atom(b)})**2)",
        lambda a, b: f"torch.nn.functional.mse_loss({a}, {b})",
        arity=(2, 2),
        noun="mean squared error",
        sentence="The slope of the mean squared error is twice the error over the number of entries.",
        definition=r"\mathrm{mse}(a, b) = \frac{1}{N} \sum_{i=1}^{N} (a_i - b_i)^2",
        written=lambda a, b: 1 / count(a) * _total((a - b) ** 2),
    ),
    Op(
        "bce",
        _bce,
        (
            (
                Link(Side.SCALAR, lambda z, y, out: 1 / examples(z)),
                Link(Side.ELEMENTWISE, lambda z, y, out: sigma(z) - y),
            ),
            (
                Link(Side.SCALAR, lambda z, y, out: -1 / examples(z)),
                Link(Side.ELEMENTWISE, lambda z, y, out: z),
            ),
        ),
        _equal("bce"),
        lambda z, y: r"\mathrm{bce}" + parenthesised(f"{z}, {y}"),
        _bce_source,
        _bce_torch,
        arity=(2, 2),
        noun="cross-entropy",
        sentence="The slope of cross-entropy is predicted probability minus target, over the examples.",
        definition=r"\mathrm{bce}(z, y) = \frac{1}{m} \sum_i \left(\log(1 + e^{z_i}) - y_i z_i\right)",
        written=lambda z, y: 1 / examples(z) * _total(log_partition(z) - y * z),
    ),
    Op(
        "cross_entropy",
        _cross_entropy,
        (
            (
                Link(Side.SCALAR, lambda z, y, out: 1 / examples(z)),
                Link(Side.ELEMENTWISE, lambda z, y, out: soft(z, axis=0) * column_sums(y) - y),
            ),
            (
                Link(Side.SCALAR, lambda z, y, out: -1 / examples(z)),
                Link(Side.ELEMENTWISE, lambda z, y, out: log_soft(z)),
            ),
        ),
        _equal("cross_entropy"),
        lambda z, y: r"\mathrm{cross\_entropy}" + parenthesised(f"{z}, {y}"),
        lambda z, y: f"-np.sum({atom(y)} * {log_soft.source(z)}) / np.shape({z})[-1]",
        lambda z, y: f"-torch.sum({atom(y)} * torch.log_softmax({z}, dim=0)) / {atom(z)}.shape[-1]",
        arity=(2, 2),
        noun="cross-entropy",
        sentence="The slope of cross-entropy is predicted probabilities minus targets, over the examples.",
        definition=(
            r"\mathrm{cross\_entropy}(z, y) = "
            r"-\frac{1}{m} \sum_{i,j} y_{ij} \log\mathrm{softmax}(z)_{ij}"
        ),
        written=lambda z, y: -1 / examples(z) * _total_by_example(y * log_soft(z)),
    ),
)

OPS: Mapping[str, Op] = {op.name: op for op in _TABLE}
