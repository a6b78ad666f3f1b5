"""Expressions as people type them, worked out with arrays: ``2/m (ŷ − y) xᵀ``, ``A*(1-A)``, ``∂L/∂W₁ Xᵀ``.

The language is the formula's, wider in what stands for a product, a power and a transpose: ``·`` and two
things side by side multiply as matrices do, or a number into anything; ``*`` multiplies entry by entry, and
so does ``⊙``, which binds less tightly, as it is printed; ``²``, ``^`` and ``**`` raise each entry; ``ᵀ``,
``.T`` and ``'`` transpose. Entries are ``W1[0, 1]``, counted from 0. ``σ'(Z)`` is the derivative of any
function of one number, from its record. ``1⃗`` is a vector of ones as long as is needed. Nothing is executed:
the text is parsed as a formula is, and worked out operation by operation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from engine import ops, shapes
from engine.errors import FormulaError, ShapeError, UnknownNameError, excerpt
from engine.formula import FUNCTIONS, Item, Parser, Token, after_hint, shown, suggest
from engine.names import plain_name
from engine.ops import OPS
from engine.shapes import Dims, unnamed

__all__ = ["MAX_CHARACTERS", "evaluate", "read", "work_out"]

Array = np.ndarray
MAX_CHARACTERS = 2_000
MAX_ENTRIES = 5_000_000
MAX_SPLIT = 24  # characters of a name that is tried as several side by side

# --- text to tokens ----------------------------------------------------------------------------------------

_RAISED = "ᵀ⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ"
_NAME = rf"[^\W\d{_RAISED}](?:[^\W{_RAISED}]|[\u0300-\u036f])*"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<partial>∂\s*{_NAME}\s*/\s*∂\s*{_NAME}|d{_NAME}\s*/\s*d{_NAME}|d_{_NAME}\s*/\s*d_{_NAME})
    |(?P<ones>1\u20d7)|(?P<indicator>(?:1|𝟙)\[)
    |(?P<number>(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<vulgar>[¼½¾⅐-⅞])
    |(?P<transposed>\^\s*(?:T(?!\w)|⊤|⊺|ᵀ|\\intercal|\\top)|ᵀ|⊤|⊺)
    |(?P<raised>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)
    |(?P<name>{_NAME})
    |(?P<op>\*\*|\^⊙?|[<>=!]=|\|\||[-+*/@()\[\]=,.:|<>%×·⋅•∙∗⊙∘○⊘÷−–‖√∑≥≤≠'′])""",
    re.VERBOSE,
)
_SIGNS: Mapping[str, str] = {
    **dict.fromkeys("−–", "-"),
    **dict.fromkeys("×⋅•∙", "·"),
    **dict.fromkeys("∘○", "⊙"),
    **{"∗": "*", "÷": "/"},
    **dict.fromkeys(("^", "^⊙"), "**"),
    **{"≥": ">=", "≤": "<=", "≠": "!=", "′": "'", "||": "‖"},
}
_FUNCTIONS: Mapping[str, str] = {
    **{name: name for name in FUNCTIONS},
    **{"σ": "sigmoid", "sigma": "sigmoid", "ln": "log", "Σ": "sum", "∑": "sum", "√": "sqrt"},
    **{"ReLU": "relu", "maximum": "max", "minimum": "min", "MSE": "mse", "BCE": "bce"},
}
_NUMPY: Mapping[str, tuple[str, int]] = {
    **{"dot": ("@", 2), "matmul": ("@", 2), "multiply": ("*", 2), "divide": ("/", 2), "power": ("**", 2)},
    **{"add": ("+", 2), "subtract": ("-", 2), "transpose": ("T", 1)},
}
_PRODUCTS = ("*", "/", "@", "·")
_COMPARED: Mapping[str, Callable[[Array, Array], Array]] = {
    **{">": np.greater, "<": np.less, ">=": np.greater_equal, "<=": np.less_equal},
    **{"=": np.equal, "==": np.equal, "!=": np.not_equal},
}
_BEGINNINGS = ("name", "partial", "ones", "indicator", "(", "√", "∑")
_CONSTANTS = {"pi": np.pi, "π": np.pi, "e": np.e}


def _tokens(text: str) -> Iterator[Token]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FormulaError(
                f"the character {excerpt(repr(text[position]))} cannot be read here.",
                column=position + 1,
                how="Write names, numbers, + - * / @ **, .T and functions such as sigmoid(z).",
            )
        kind, value = match.lastgroup or "", match.group()
        sign = _SIGNS.get(value, value)
        if kind != "space":
            yield Token(sign if kind == "op" else kind, sign, 1, position + 1)
        position = match.end()
    while True:
        yield Token("end", "", 1, position + 1)


# --- names -------------------------------------------------------------------------------------------------


class _Lexicon:
    """Knows a name by any of its spellings: ``ŷ`` is yhat, ``W₁`` and ``W_1`` are W1, ``dW1`` is d_W1."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = set(known)
        self._spelled: dict[str, str] = {}
        self._partials: dict[tuple[str, ...], str] = {}
        for name in known:
            top, slash, bottom = name.partition("/")
            if slash:
                for pair in product(*(_spellings(part.removeprefix("d_")) for part in (top, bottom))):
                    self._partials.setdefault(pair, name)
                continue
            for spelling in _spellings(name):
                self._spelled.setdefault(spelling, name)
            if name.startswith("d_"):
                self._spelled.setdefault(_canonical(f"d{plain_name(name[2:])}"), name)

    def find(self, text: str) -> str | None:
        """Return the name that `text` is, None where it is none."""
        return text if text in self._known else self._spelled.get(_canonical(text))

    def side_by_side(self, text: str) -> tuple[str, ...]:
        """Return the names that `text` is made of, where there is one way to; otherwise none."""
        return self._split(_canonical(text)) if len(text) <= MAX_SPLIT else ()

    def partial(self, text: str) -> str | None:
        """Return the name of a derivative, ``∂L/∂W₁``, None where it is unknown."""
        top, bottom = (part.strip() for part in text.split("/"))
        pair = (_canonical(top.lstrip("∂").strip()), _canonical(bottom.lstrip("∂").strip()))
        if not text.startswith("∂"):
            pair = (_canonical(top)[1:], _canonical(bottom)[1:])
        return self._partials.get(pair)

    def suggestion(self, text: str) -> str:
        """Return the advice on a name that is not known."""
        shown_names = [name for name in self._known if not name.startswith("d_")]
        return suggest(text, sorted(shown_names))

    def _split(self, text: str) -> tuple[str, ...]:
        ways: list[list[tuple[str, ...]]] = [[()]]
        for end in range(1, len(text) + 1):
            found = []
            for start in range(end):
                name = self._spelled.get(text[start:end])
                if name is not None and not name.startswith("d_"):
                    found += [(*way, name) for way in ways[start]]
            ways.append(found[:2])
        return ways[-1][0] if len(ways[-1]) == 1 else ()


def _spellings(name: str) -> tuple[str, str]:
    return _canonical(name), _canonical(plain_name(name))


def _canonical(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace("_", "")


@lru_cache(maxsize=64)
def _lexicon(known: frozenset[str]) -> _Lexicon:
    return _Lexicon(known)


# --- tokens to items ---------------------------------------------------------------------------------------


class _Reader(Parser):
    """Reads one expression; what the formula language lacks is added rule by rule."""

    def __init__(self, text: str, lexicon: _Lexicon) -> None:
        super().__init__(text)
        self._lexicon = lexicon
        self._bars = 0

    def _read(self, text: str) -> Iterator[Token]:
        return _tokens(text)

    def items(self) -> tuple[Item, ...]:
        self._expression()
        end = self._peek()
        if end.kind != "end":
            raise self._fail(end, f"{shown(end)} cannot stand here.", after_hint(end))
        return tuple(self._items)

    def _expression(self) -> None:
        super()._expression()
        token = self._peek()
        if token.kind in _COMPARED and token.kind != "=":
            self._next()
            super()._expression()
            self._emit(token, token.kind, 2)

    def _term(self) -> None:
        """Read factors with ``⊙`` or ``⊘`` between them, which bind less tightly than any other product."""
        self._factors()
        while self._peek().kind in ("⊙", "⊘"):
            token = self._next()
            self._factors()
            self._emit(token, "*" if token.kind == "⊙" else "/", 2)

    def _factors(self) -> None:
        self._unary()
        while True:
            token = self._peek()
            if token.kind in _PRODUCTS:
                self._next()
                self._unary()
                self._emit(token, token.kind, 2)
            elif self._begins_factor(token):
                self._power()
                self._emit(token, "·", 2)
            else:
                return

    def _begins_factor(self, token: Token) -> bool:
        """Say whether what comes is a factor without a sign before it."""
        if token.kind in ("number", "vulgar"):  # "2 3" is two numbers, "x 2/m" a product
            return bool(self._items) and self._items[-1].kind != "number"
        return token.kind in _BEGINNINGS or (token.kind in ("|", "‖") and not self._bars)

    def _power(self) -> None:
        self._postfix()
        while self._peek().kind in ("**", "raised", "transposed", "'", "%"):
            token = self._next()
            if token.kind == "**":
                self._deeper(token, self._unary)
            elif token.kind == "raised":
                self._number(token, unicodedata.normalize("NFKC", token.text).replace("−", "-"))
            elif token.kind == "%":
                self._number(token, "100")
            else:
                self._emit(token, "T", 1)
                continue
            self._emit(token, "/" if token.kind == "%" else "**", 2)

    def _number(self, token: Token, text: str) -> None:
        self._items.append(Item("number", text, 0, (), token.line, token.column))

    def _postfix(self) -> None:
        self._atom()
        while self._peek().kind in (".", "[", "transposed"):
            token = self._next()
            if token.kind == "[":
                self._index(token)
            elif token.kind == "transposed":
                self._emit(token, "T", 1)
            else:
                self._attribute(token)

    def _attribute(self, dot: Token) -> None:
        name = self._next()
        if name.text == "T":
            self._emit(dot, "T", 1)
        elif name.text in ("dot", "sum", "mean", "max", "min") and self._peek().kind == "(":
            opened = self._next()
            self._open += 1
            count, attrs = self._arguments(name._replace(text="sum"))
            self._close(opened)
            if count != (name.text == "dot"):
                raise self._fail(name, f".{name.text} takes {int(name.text == 'dot')} values, not {count}.")
            self._emit(
                name, "@" if name.text == "dot" else name.text, 1 + count, tuple(sorted(attrs.items()))
            )
        else:
            raise self._fail(name, f".{excerpt(name.text, 30)} cannot be read.", "Only .T may follow a dot.")

    def _index(self, opened: Token) -> None:
        index: list[int | None] = []
        while not index or self._peek().kind == ",":
            if index:
                self._next()
            index.append(self._place())
        token = self._next()
        if token.kind != "]":
            raise self._fail(token, f"{shown(token)} cannot stand in an index.", "Write W1[0, 1].")
        self._emit(opened, "[]", 1, (("index", tuple(index)),))

    def _place(self) -> int | None:
        """Read one place of an index: a whole number, or ``:`` for all."""
        token = self._next()
        if token.kind == ":":
            return None
        sign, token = (-1, self._next()) if token.kind == "-" else (1, token)
        if token.kind == "number" and token.text.isdigit() and len(token.text) < 9:
            return sign * int(token.text)
        raise self._fail(
            token, f"{shown(token)} is no index.", "Rows and columns are counted from 0: W1[0, 1]."
        )

    def _atom(self) -> None:
        token = self._peek()
        rules: Mapping[str, Callable[[Token], None]] = {
            "partial": self._partial,
            "ones": self._ones,
            "indicator": self._indicator,
            "vulgar": self._vulgar,
            "|": self._between_bars,
            "‖": self._between_bars,
            "√": self._root,
            "∑": self._name,
        }
        rule = rules.get(token.kind)
        if rule is None:
            return super()._atom()
        self._next()
        return rule(token)

    def _partial(self, token: Token) -> None:
        key = self._lexicon.partial(token.text)
        parts = [] if token.text.startswith("∂") else [part.strip() for part in token.text.split("/")]
        found = [name for name in map(self._lexicon.find, parts) if name is not None]
        if key is not None:
            self._product_of(token, (key,))
        elif len(found) == 2:  # a quotient of two names that begin with d
            self._product_of(token, found[:1])
            self._product_of(token, found[1:])
            self._emit(token, "/", 2)
        else:
            raise self._fail(
                token,
                f"{excerpt(token.text, 40)} is not known here.",
                "Known are the gradients of the loss, such as ∂L/∂W1 or d_W1, and of a line by what it reads "
                "entry by entry.",
            )

    def _ones(self, token: Token) -> None:
        self._items.append(Item("ones", token.text, 0, (), token.line, token.column))

    def _vulgar(self, token: Token) -> None:
        self._number(token, repr(unicodedata.numeric(token.text)))

    def _indicator(self, token: Token) -> None:
        self._open += 1
        self._deeper(token, self._expression)
        sign = self._peek()
        if sign.kind == "=":
            self._next()
            super()._expression()
            self._emit(sign, "==", 2)
        if self._items[-1].text not in _COMPARED:
            raise self._fail(token, "a comparison is missing in the brackets.", "Write 1[Z > 0].")
        closed = self._next()
        if closed.kind != "]":
            raise self._fail(token, "the bracket is not closed.", "Add a ].")
        self._open -= 1

    def _between_bars(self, token: Token) -> None:
        self._bars += 1
        self._deeper(token, self._expression)
        closed = self._next()
        if closed.kind != token.kind:
            raise self._fail(token, f"{shown(token)} is not closed.", f"Add a {token.text}.")
        self._bars -= 1
        self._emit(token, "abs" if token.kind == "|" else "norm", 1)

    def _root(self, token: Token) -> None:
        self._deeper(token, self._atom)
        self._emit(token, "sqrt", 1)

    def _name(self, token: Token) -> None:
        if token.text in ("np", "numpy") and self._peek().kind == ".":
            self._next()
            return self._numpy(self._next())
        following = self._peek().kind
        name = self._lexicon.find(token.text)
        function = None if name else _FUNCTIONS.get(token.text)
        if function and following == "'":
            return self._derivative(token, function)
        if function and following == "(":
            return self._call(token._replace(text=function))
        if function:
            raise self._fail(token, f"{token.text} is a function.", f"Write {token.text}(…).")
        return self._value(token, (name,) if name else self._lexicon.side_by_side(token.text))

    def _value(self, token: Token, names: tuple[str, ...]) -> None:
        if names:
            self._product_of(token, names)
        elif token.text in _CONSTANTS:
            self._number(token, repr(_CONSTANTS[token.text]))
        elif self._peek().kind == "(":
            how = suggest(token.text, FUNCTIONS)
            raise self._fail(token, f"there is no function {excerpt(token.text, 30)}.", how)
        else:
            how = self._lexicon.suggestion(token.text)
            what, is_like = f"{excerpt(token.text, 30)} is not known here.", how.startswith("Did")
            is_like = is_like and not token.text.startswith("d_")  # a gradient is spelled like many a name
            raise UnknownNameError(what, token.line, token.column, how=how, is_like=is_like)

    def _product_of(self, token: Token, names: Sequence[str]) -> None:
        for i, name in enumerate(names):
            self._items.append(Item("name", name, 0, (), token.line, token.column))
            if i:
                self._emit(token, "·", 2)

    def _derivative(self, token: Token, function: str) -> None:
        op = OPS.get(function)
        if op is None or not op.elementwise or op.arity != (1, 1):
            raise self._fail(token, f"{token.text} has no derivative entry by entry.", "Write it out.")
        prime = self._next()
        opened = self._next()
        if opened.kind != "(":
            raise self._fail(
                prime, f"after {token.text}' comes what it is taken at.", f"Write {token.text}'(Z)."
            )
        self._parenthesised(opened)
        self._emit(token, f"'{function}", 1)

    def _numpy(self, token: Token) -> None:
        if token.text == "linalg" and self._peek().kind == ".":
            self._next()
            token = self._next()
        if token.text in _NUMPY:
            name, count = _NUMPY[token.text]
            opened = self._next()
            self._open += 1
            found, _ = self._arguments(token)
            self._close(opened)
            if found != count:
                raise self._fail(token, f"{token.text} takes {count} arguments, not {found}.")
            return self._emit(token, name, count)
        if token.text in _FUNCTIONS:
            return self._call(token._replace(text=_FUNCTIONS[token.text]))
        raise self._fail(
            token, f"np.{excerpt(token.text, 30)} cannot be read here.", suggest(token.text, FUNCTIONS)
        )


def read(text: str, known: Collection[str]) -> tuple[Item, ...]:
    """Return an expression in postfix order, its names as they stand in `known`.

    Parameters
    ----------
    known
        Names of values; of gradients as ``d_W1``; of derivatives as ``d_L/d_W1`` and ``d_A/d_Z``.

    Raises
    ------
    FormulaError
        With the column, for what cannot be read, names that are not known, and a text of more than
        `MAX_CHARACTERS` characters.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(f"this is longer than {MAX_CHARACTERS:,} characters.", how="Shorten it.")
    if not text.strip():
        raise FormulaError("there is nothing to read.", how="Write an expression such as 2/m * (yhat - y).")
    return _Reader(_right_side(text), _lexicon(frozenset(known))).items()


_LEFT = re.compile(r"[^=<>!()\[\]]*(?<![<>!=])=(?!=)")


def _right_side(text: str) -> str:
    """Return what stands behind ``∂L/∂b =``, at the same columns."""
    left = _LEFT.match(text)
    return text if left is None else " " * left.end() + text[left.end() :]


# --- working out -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ones:
    """What is copied along axes whose length is not known yet: a vector of ones, also multiplied already.

    Attributes
    ----------
    array
        Of two dimensions, with one entry along every axis of `axes`.
    """

    array: Array
    axes: frozenset[int]


def evaluate(text: str, names: Mapping[str, Array], shape: tuple[int, ...] | None = None) -> Array:
    """Return what an expression comes to.

    Parameters
    ----------
    names
        Arrays by name, as :func:`read` takes them.
    shape
        The shape that is wanted, where a vector of ones is to fill it.

    Raises
    ------
    FormulaError
        As :func:`read`, and for shapes that do not fit.

    Examples
    --------
    >>> names = {"A": np.array([[0.5, 0.25]]), "W1": np.eye(2), "d_A": np.ones((1, 2))}
    >>> evaluate("A ⊙ (1 − A)", names).tolist(), evaluate("dA A^T", names).tolist()
    ([[0.25, 0.1875]], [[0.75]])
    >>> float(evaluate("W₁[0, 1] + 1/4", names))
    0.25
    """
    return work_out(read(text, names), names, shape)


def work_out(
    items: Sequence[Item], names: Mapping[str, Array], shape: tuple[int, ...] | None = None
) -> Array:
    """Return what an expression that has been read comes to; see :func:`evaluate`."""
    stack: list[Array | Ones] = []
    with np.errstate(all="ignore"):
        for item in items:
            args = stack[len(stack) - item.arity :] if item.arity else []
            del stack[len(stack) - item.arity :]
            stack.append(_applied(item, args) if item.kind == "op" else _leaf(item, names))
    result = stack[0]
    if isinstance(result, Ones):
        return _filled(result, shape)
    return result


def _leaf(item: Item, names: Mapping[str, Array]) -> Array | Ones:
    if item.kind == "ones":
        return Ones(np.ones((1, 1)), frozenset({0}))
    return np.asarray(names[item.text] if item.kind == "name" else float(item.text), dtype=float)


def _filled(ones: Ones, shape: tuple[int, ...] | None) -> Array:
    """Return what is copied in the shape that is wanted, where it fits."""
    if shape is None or len(shape) != 2:
        return ones.array
    sizes = zip(ones.array.shape, shape, strict=True)
    fits = all(own == wanted or axis in ones.axes for axis, (own, wanted) in enumerate(sizes))
    return np.broadcast_to(ones.array, shape) if fits else ones.array


def _applied(item: Item, args: Sequence[Array | Ones]) -> Array | Ones:
    try:
        if item.text == "·":
            item = item._replace(text="*" if any(np.ndim(_array(a)) == 0 for a in args) else "@")
        if any(isinstance(a, Ones) for a in args):
            return _with_ones(item, args)
        return _plain(item, [a for a in args if not isinstance(a, Ones)])
    except ShapeError as error:
        raise FormulaError(error.what, line=item.line, column=item.column, how=error.how) from None


def _array(value: Array | Ones) -> Array:
    return value.array if isinstance(value, Ones) else value


def _plain(item: Item, args: Sequence[Array]) -> Array:
    dims = [_dims(a) for a in args]
    if item.text == "[]":
        return _entry(args[0], dict(item.attrs)["index"])
    if item.text.startswith("'"):
        return _slope(item.text[1:], args[0], dims[0])
    if item.text in _COMPARED:
        _bounded(shapes.broadcast(*dims))
        return np.asarray(_COMPARED[item.text](*args), dtype=float)
    op, attrs = OPS[item.text], dict(item.attrs)
    _bounded(op.shape(*dims, **attrs))
    return np.asarray(op.compute(*args, **attrs), dtype=float)


def _dims(array: Array) -> Dims:
    return tuple(unnamed(size) for size in array.shape)


def _bounded(dims: Dims) -> None:
    if np.prod([float(d.size) for d in dims]) > MAX_ENTRIES:
        raise ShapeError(
            f"a matrix on the way would have the shape {shapes.show(dims)}.", how="Look at the order."
        )


def _entry(array: Array, index: object) -> Array:
    assert isinstance(index, tuple)
    whole = f"it has the shape {shapes.show(_dims(array))}"
    if len(index) > array.ndim:
        raise ShapeError(f"there are {len(index)} places in the index, but {whole}.", how="Write fewer.")
    for place, size in zip(index, array.shape, strict=False):
        if place is not None and not -size <= place < size:
            raise ShapeError(
                f"there is no place {place}: {whole}.", how="Rows and columns are counted from 0."
            )
    return np.asarray(array[tuple(slice(None) if place is None else place for place in index)])


def _slope(name: str, x: Array, dims: Dims) -> Array:
    op = OPS[name]
    placed = ops.links(op, 0, [x], op.compute(x), [dims, dims], {})
    return np.broadcast_to(ops.chain(np.ones(x.shape), placed), x.shape)


def _with_ones(item: Item, args: Sequence[Array | Ones]) -> Array | Ones:
    arrays = [_array(a) for a in args]
    axes = [a.axes if isinstance(a, Ones) else frozenset() for a in args]
    if item.text == "T":
        return Ones(arrays[0].T, frozenset(1 - axis for axis in axes[0]))
    if item.text == "@":
        return _product_with_ones(arrays, axes)
    op = OPS.get(item.text)
    if op is None or not op.elementwise:
        raise ShapeError("how long the vector of ones is cannot be told here.", how="Multiply by it first.")
    found = _plain(item, arrays)
    kept = frozenset(axis for axis in frozenset().union(*axes) if found.shape[axis] == 1)
    return Ones(found, kept) if kept else found


def _product_with_ones(arrays: Sequence[Array], axes: Sequence[frozenset[int]]) -> Array | Ones:
    left, right = arrays
    if 1 in axes[0] and 0 in axes[1]:
        raise ShapeError("how long these two vectors of ones are cannot be told.", how="Write m for 1⃗ᵀ1⃗.")
    if left.ndim != 2 or right.ndim != 2:
        raise ShapeError("1⃗ is multiplied by matrices only.", how="Write sum(…).")
    if 1 in axes[0]:
        right = right.sum(axis=0, keepdims=True)
    if 0 in axes[1]:
        left = left.sum(axis=1, keepdims=True)
    found = _plain(Item("op", "@", 2, (), 1, 1), [left, right])
    kept = frozenset((axes[0] & {0}) | (axes[1] & {1}))
    return Ones(found, kept) if kept else found
