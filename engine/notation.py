r"""How expressions are written: as LaTeX for people, and as NumPy source for the code dock and for exports.

Each writer gives every subexpression a level, how tightly it binds, and puts parentheses where the place it
stands in binds more tightly.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from engine.expr import (
    Apply,
    Const,
    Expr,
    Hadamard,
    Name,
    Power,
    Product,
    Quotient,
    Reshape,
    Spread,
    Sum,
    SumTo,
    Transpose,
    children,
    is_one,
    is_vector_product,
)
from engine.names import latex_name
from engine.shapes import Dim, Dims, reduced, sizes

__all__ = ["atom", "const_latex", "copied_axes", "latex", "parenthesised", "source", "torch_source"]

# --- LaTeX -------------------------------------------------------------------------------------------------

_SUM, _HADAMARD, _PRODUCT, _ATOM = range(4)
Mark = Callable[[Expr, str], str]


def latex(expr: Expr, mark: Mark | None = None, ones: str = r"\vec{1}") -> str:
    """Return `expr` as LaTeX.

    `mark` is called with every subexpression and its LaTeX, and may wrap it (a colour for the current
    factor); `ones` is how the vector of ones is written.
    """
    return _Latex(mark or (lambda _, text: text), ones).write(expr, _SUM)


def parenthesised(text: str) -> str:
    """Return `text` in parentheses that are as high as it is."""
    tall = r"\frac" in text or r"\left" in text
    return rf"\left({text}\right)" if tall else f"({text})"


class _Latex:
    def __init__(self, mark: Mark, ones: str) -> None:
        self._mark = mark
        self._ones = ones

    def write(self, expr: Expr, level: int) -> str:
        text, own = self._body(expr)
        return self._mark(expr, parenthesised(text) if own < level else text)

    def _body(self, expr: Expr) -> tuple[str, float]:
        match expr:
            case Const():
                return const_latex(expr), _PRODUCT if expr.value < 0 else _ATOM
            case Name(part=part) if part is not None:
                return self._body(part)
            case Name():
                return expr.text, _ATOM
            case Sum():
                return self._sum(expr), _SUM
            case Product():
                return self._product(expr)
            case Hadamard():
                return self._hadamard(expr)
            case Quotient():
                return self._quotient(expr)
            case Power():
                return self._power(expr), _ATOM
        return self._shaped(expr)

    def _sum(self, expr: Sum) -> str:
        parts = []
        for i, (sign, term) in enumerate(expr.terms):
            text = self.write(term, _HADAMARD)
            parts.append(f"-{text}" if sign < 0 and not i else text if not i else f"{'+-'[sign < 0]} {text}")
        return " ".join(parts)

    def _product(self, expr: Product) -> tuple[str, float]:
        several = len(expr.factors) > 1
        parts = [self.write(f, _PRODUCT if several else _HADAMARD) for f in expr.factors]
        if all(len(f.dims) == 1 for f in expr.factors) and several:
            text, own = r" \cdot ".join(parts), _HADAMARD
        else:
            text, own = _juxtapose(parts), _product_level(expr)
        return (f"-{text}", _SUM) if expr.negative else (text, own)

    def _hadamard(self, expr: Hadamard) -> tuple[str, int]:
        text = r" \odot ".join(self._member(f) for f in expr.factors)
        return (f"-{text}", _SUM) if expr.negative else (text, _HADAMARD)

    def _member(self, factor: Expr) -> str:
        text, own = self._body(factor)
        loose = own < _PRODUCT or own == _HADAMARD_MEMBER
        return self._mark(factor, parenthesised(text) if loose else text)

    def _quotient(self, expr: Quotient) -> tuple[str, int]:
        top, bottom = expr.numerator, expr.denominator
        if top.is_scalar or bottom.is_scalar:
            return rf"\frac{{{self.write(top, _SUM)}}}{{{self.write(bottom, _SUM)}}}", _ATOM
        return rf"{self._member(top)} \oslash {self.write(bottom, _ATOM)}", _HADAMARD

    def _power(self, expr: Power) -> str:
        exponent = self.write(expr.exponent, _SUM)
        circle = r"\odot " if expr.base.dims else ""
        return f"{self._base(expr.base)}^{{{circle}{exponent}}}"

    def _base(self, expr: Expr) -> str:
        text, own = self._body(expr)
        bare = own == _ATOM and "^" not in text and r"\frac" not in text and text[-1] != ")"
        return self._mark(expr, text if bare else parenthesised(text))

    def _shaped(self, expr: Expr) -> tuple[str, float]:
        match expr:
            case Transpose():
                return rf"{self._base(expr.operand)}^\intercal", _ATOM
            case SumTo():
                return self._summed(expr), _HADAMARD_MEMBER
            case Spread():
                text = self._spread(expr)
                return text, _ATOM if text == self._ones else _HADAMARD_MEMBER
            case Reshape():
                return self._body(expr.operand)
            case Apply(head=head):
                args = [self.write(a, _ATOM if head.infix else _SUM) for a in expr.args]
                text = head.write_latex(*args, **dict(expr.attrs))
                return text, _HADAMARD if head.infix else _ATOM
        raise TypeError(f"no LaTeX for {type(expr).__name__}")

    def _summed(self, expr: SumTo) -> str:
        inner = self.write(expr.operand, _PRODUCT)
        axes = copied_axes(expr)
        rank = len(expr.operand.dims)
        if rank - 1 in axes:
            inner = f"{inner}{self._ones}"
        return rf"{self._ones}^\intercal {inner}" if rank > 1 and 0 in axes else inner

    def _spread(self, expr: Spread) -> str:
        inner = "" if is_one(expr.operand) else self.write(expr.operand, _PRODUCT)
        column, row = self._ones, self._ones if len(expr.dims) == 1 else rf"{self._ones}^\intercal"
        first, last = expr.dims[0], expr.dims[len(expr.dims) - 1]
        rows = len(expr.dims) > 1 and expr.axis in (None, 0) and first.name != "1"
        columns = expr.axis in (None, len(expr.dims) - 1) and last.name != "1"
        if expr.operand.is_scalar:  # a scalar stands before the ones
            return _juxtapose(
                [p for p in (inner, column if rows else "", row if columns else "") if p] or ["1"]
            )
        return (column if rows else "") + inner + (row if columns else "")


# a product of several matrices: bare in a product, in parentheses beside a \odot
_HADAMARD_MEMBER = _PRODUCT + 0.5


def _product_level(expr: Product) -> float:
    if is_vector_product(expr):  # not associative, so never bare inside another product
        return _HADAMARD
    # scalars before one matrix need no parentheses inside an elementwise product
    return _PRODUCT if sum(not f.is_scalar for f in expr.factors) <= 1 else _HADAMARD_MEMBER


def copied_axes(expr: SumTo) -> tuple[int, ...]:
    """Return the axes that a sum really runs over, without those that have one entry by definition."""
    axes = tuple(a for a in expr.axes if expr.operand.dims[a].name != "1")
    return axes or expr.axes


def _juxtapose(parts: Sequence[str]) -> str:
    text = parts[0]
    for part in parts[1:]:
        text += (r" \cdot " if part[0].isdigit() else " ") + part  # x 2 reads badly, 2 3 as one number
    return text


def const_latex(const: Const) -> str:
    r"""Return a constant as LaTeX: ``\frac{2}{m}``, ``0.5``, ``3 m``."""
    sign = "-" if const.value < 0 else ""
    top, bottom = _split(abs(const.value), const.decimal)
    over = [(d, e) for d, e in const.powers if e > 0]
    under = [(d, -e) for d, e in const.powers if e < 0]
    numerator = _monomial(top, over, _power_latex)
    if bottom == "1" and not under:
        return sign + numerator
    return rf"{sign}\frac{{{numerator}}}{{{_monomial(bottom, under, _power_latex)}}}"


def _monomial(number: str, powers: Sequence[tuple[Dim, int]], write: Callable[[str, int], str]) -> str:
    symbols = [write(dim.name, exponent) for dim, exponent in powers]
    return _juxtapose(symbols if symbols and number == "1" else [number, *symbols])


def _power_latex(name: str, exponent: int) -> str:
    symbol = name if name.isdigit() else latex_name(name)
    return symbol if exponent == 1 else f"{symbol}^{{{exponent}}}"


def _split(value: Fraction, decimal: bool) -> tuple[str, str]:
    """Return numerator and denominator as text; a decimal number has the denominator 1."""
    if decimal and value.denominator != 1:
        return _decimal_latex(float(value)), "1"
    limit = 10**9
    if value.denominator == 1 and value.numerator > limit:
        return _decimal_latex(float(value)), "1"
    return str(value.numerator), str(value.denominator)


def _decimal_latex(number: float) -> str:
    mantissa, _, exponent = repr(number).partition("e")
    if not exponent:
        return mantissa.removesuffix(".0")
    head = "" if mantissa in ("1", "1.0") else rf"{mantissa.removesuffix('.0')} \cdot "
    return rf"{head}10^{{{int(exponent)}}}"


# --- source ------------------------------------------------------------------------------------------------


def source(expr: Expr) -> str:
    """Return `expr` as a NumPy expression over ``np``, ``m``, stored values, and gradients ``d_NAME``."""
    return _Source().write(expr, _SUM)


def torch_source(expr: Expr) -> str:
    """Return `expr` as a PyTorch expression over ``torch``, ``m`` and stored values, whose value is a tensor.

    Raises
    ------
    TypeError
        For what only derivatives need: PyTorch takes these itself.

    """
    return _Torch().tensor(expr)


def atom(text: str) -> str:
    """Return source `text` so that an operator can stand beside it."""
    return text if re.fullmatch(r"[\w.]+", text) else f"({text})"


class _Source:
    module, expand, axis, keep = "np", "np.expand_dims", "axis", "keepdims"

    def write(self, expr: Expr, level: float) -> str:
        text, own = self._body(expr)
        return f"({text})" if own < level else text

    def _body(self, expr: Expr) -> tuple[str, float]:
        match expr:
            case Const():
                return _const_source(expr)
            case Name():
                return expr.code, _ATOM
            case Sum():
                return self._sum(expr), _SUM
            case Product() | Hadamard():
                return self._product(expr), _SUM if expr.negative else _PRODUCT
            case Quotient():
                top, bottom = self.write(expr.numerator, _PRODUCT), self.write(expr.denominator, _ATOM)
                return f"{top} / {bottom}", _PRODUCT
            case Power():
                base, exponent = self.write(expr.base, _ATOM), self.write(expr.exponent, _ATOM)
                return f"{base}**{exponent}", _POWER
            case Apply():
                text = self._applied(expr)
                return text, _level(text)
        return self._shaped(expr)

    def _applied(self, expr: Apply) -> str:
        return expr.head.write_source(*(self.write(a, _SUM) for a in expr.args), **dict(expr.attrs))

    def _sum(self, expr: Sum) -> str:
        text = ""
        for sign, term in expr.terms:
            part = self.write(term, _PRODUCT)
            text += (f" {'+-'[sign < 0]} " if text else "-" * (sign < 0)) + part
        return text

    def _product(self, expr: Product | Hadamard) -> str:
        text = "-" if expr.negative else ""
        scalar = True
        for i, factor in enumerate(expr.factors):
            part = self._factor(factor, expr, first=not i)
            matrices = isinstance(expr, Product) and not scalar and not factor.is_scalar
            text += part if not i else f" @ {part}" if matrices else f" * {part}"
            scalar = scalar and factor.is_scalar
        return text

    def _factor(self, factor: Expr, whole: Product | Hadamard, first: bool) -> str:
        # NumPy copies a spread operand by itself where the other operand has the full shape
        if isinstance(whole, Hadamard) and isinstance(factor, Spread):
            others = [f for f in whole.factors if not isinstance(f, Spread) and f.dims == whole.dims]
            if others:
                return self._unspread(factor)
        return self.write(factor, _PRODUCT if first else _POWER)

    def _unspread(self, expr: Spread) -> str:
        if expr.kept or expr.axis is None:
            return self.write(expr.operand, _POWER)
        return f"{self.expand}({self.write(expr.operand, _SUM)}, {expr.axis})"

    def _shaped(self, expr: Expr) -> tuple[str, float]:
        match expr:
            case Transpose():
                return f"{self.write(expr.operand, _ATOM)}.T", _ATOM
            case SumTo():
                return self._summed(expr), _ATOM
            case Spread():
                ones = ", ".join(_size_source(dim) for dim in expr.dims)
                comma = "," if len(expr.dims) == 1 else ""
                return f"{self._unspread(expr)} * {self.module}.ones(({ones}{comma}))", _PRODUCT
            case Reshape():
                inner = self.write(expr.operand, _SUM)
                if not expr.dims:
                    return f"{self.module}.squeeze({inner})", _ATOM
                return f"{self.module}.reshape({inner}, {sizes(expr.dims)})", _ATOM
        raise TypeError(f"no source for {type(expr).__name__}")

    def _summed(self, expr: SumTo) -> str:
        inner = self.write(expr.operand, _SUM)
        if not expr.dims:
            return f"{self.module}.sum({inner})"
        rank = len(expr.operand.dims)
        axes = str(expr.axes[0]) if len(expr.axes) == 1 else str(expr.axes)
        if len(expr.dims) == rank:
            return f"{self.module}.sum({inner}, {self.axis}={axes}, {self.keep}=True)"
        kept = reduced_to(expr.operand.dims, expr.axes)
        text = f"{self.module}.sum({inner}, {self.axis}={axes})"
        return text if len(kept) == len(expr.dims) else f"{text}.reshape({sizes(expr.dims)})"


class _Torch(_Source):
    module, expand, axis, keep = "torch", "torch.unsqueeze", "dim", "keepdim"

    def tensor(self, expr: Expr) -> str:
        """Return source of a tensor: a number alone is made one, as PyTorch's functions take no numbers."""
        text = self.write(expr, _SUM)
        return f"torch.tensor({text}, dtype=torch.float64)" if _is_number(expr) else text

    def _applied(self, expr: Apply) -> str:
        if expr.head.torch is None:
            raise TypeError(f"no PyTorch source for {expr.head.name}")
        return expr.head.torch(*map(self.tensor, expr.args), **dict(expr.attrs))


def _is_number(expr: Expr) -> bool:
    """Say whether the source of `expr` comes to a plain number: constants and operators on them."""
    stack = [expr]
    while stack:
        part = stack.pop()
        if isinstance(part, Name | Apply | Spread | SumTo | Reshape):
            return False
        stack.extend(children(part))
    return True


_POWER = _PRODUCT + 0.5


def reduced_to(dims: Dims, axes: Sequence[int]) -> Dims:
    """Return `dims` without `axes`."""
    for axis in sorted(axes, reverse=True):
        dims = reduced(dims, axis, keepdims=False)
    return dims


def _level(text: str) -> float:
    """Return how tightly source `text` binds: its loosest operator outside parentheses."""
    depth, level = 0, float(_ATOM)
    for i, char in enumerate(text):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(char, 0)
        if depth or char not in "+-*/@<>=":
            continue
        level = min(level, _SUM if char in "+-<>=" and not _is_exponent(text, i) else _PRODUCT)
    return level


def _is_exponent(text: str, i: int) -> bool:
    """Say whether the sign at `i` belongs to a number such as 1e-05."""
    return bool(re.search(r"\d[eE]$", text[:i]))


def _const_source(const: Const) -> tuple[str, float]:
    value = abs(const.value)
    parts = [_number_source(value.numerator, const, value)]
    divisors = [] if const.decimal or value.denominator == 1 else [str(value.denominator)]
    for dim, exponent in const.powers:
        target = parts if exponent > 0 else divisors
        target.extend([_size_source(dim)] * abs(exponent))
    numbers = parts[1:] if parts[0] == "1" and len(parts) > 1 else parts
    text = " * ".join(numbers) + "".join(f" / {d}" for d in divisors)
    single = len(numbers) == 1 and not divisors
    if const.value < 0:
        return f"-{text}", _SUM
    return text, _ATOM if single else _PRODUCT


def _number_source(numerator: int, const: Const, value: Fraction) -> str:
    return repr(float(value)) if const.decimal or numerator > 2**53 else str(numerator)


def _size_source(dim: Dim) -> str:
    return dim.name if dim.examples and dim.name.isidentifier() else str(dim.size)
