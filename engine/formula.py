"""Formula text to graph: a tokenizer, a parser of fixed depth, and a builder that checks shapes.

The text is never executed: there is no eval, no exec, and no attribute but ``.T``. Input of any length or
nesting gives an answer or a clear error, because length, depth and number of operations are bounded before
work is done.
"""

from __future__ import annotations

import difflib
import keyword
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from engine import expr as ex
from engine import shapes
from engine.errors import FormulaError, ShapeError, excerpt
from engine.expr import Expr
from engine.graph import Graph, Kind, Line, Node, Use
from engine.ops import OPS, Op
from engine.shapes import Dim, Dims

__all__ = [
    "FUNCTIONS",
    "MAX_CHARACTERS",
    "MAX_DEPTH",
    "MAX_NODES",
    "Leaf",
    "build",
    "identifiers",
    "instead_of",
    "parse",
    "reserved",
]

MAX_CHARACTERS = 1_000_000
MAX_DEPTH = 50
MAX_NODES = 50_000
MAX_NAME = 100
MAX_SEARCHED = 500  # lines looked through for a helpful word

FUNCTIONS = (
    *(
        "norm",
        "mean",
        "sum",
        "sqrt",
        "exp",
        "log",
        "abs",
        "sin",
        "cos",
        "tanh",
        "sigmoid",
        "relu",
    ),
    *("softplus", "softmax", "max", "min", "mse", "bce", "cross_entropy"),
)
_REDUCTIONS = {"norm", "mean", "sum", "max", "min"}
_WITH_AXIS = _REDUCTIONS | {"softmax"}
_PAIRS = {"max": "maximum", "min": "minimum"}
_TWO = {"mse", "bce", "cross_entropy"}


class Token(NamedTuple):
    kind: str  # name, number, an operator's own text, newline, end
    text: str
    line: int
    column: int


class Item(NamedTuple):
    """One entry of a statement in postfix order: a name, a number, or an operation on those before it."""

    kind: str  # name, number, op
    text: str
    arity: int
    attrs: tuple[tuple[str, object], ...]
    line: int
    column: int


class Statement(NamedTuple):
    name: str
    items: tuple[Item, ...]
    text: str
    line: int
    column: int


class Leaf(NamedTuple):
    """An input or a parameter, as the builder needs it."""

    name: str
    kind: Kind
    dims: Dims


# --- text to tokens ----------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""(?P<space>[ \t\f\u00a0]+|\#[^\n]*)|(?P<newline>\r\n?|\n)
    |(?P<number>(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<name>[^\W\d]\w*)
    |(?P<op>\*\*|==|[-+*/@()=,.;])""",
    re.VERBOSE,
)
_HINTS = {
    "^": "Write ** for a power.",
    "×": "Write * or @ for a product.",
    "·": "Write * or @ for a product.",
    "⊙": "Write * for the elementwise product.",
    "−": "Write - for minus.",
    "'": "Write .T for the transpose.",
    "[": "Give the matrix a name, and its numbers in the field beside the formula, or in a file under "
    "[parameters] or [data].",
    "{": "Use parentheses.",
    "|": "Write norm(...) or abs(...).",
    "\\": "Write the name without a backslash, such as alpha.",
    "<": "Comparisons are not part of the language; max and relu may serve.",
    ">": "Comparisons are not part of the language; max and relu may serve.",
}


def _tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of `text` as they are asked for: an early error is an early end."""
    position, line, start = 0, 1, 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            char = text[position]
            raise FormulaError(
                f"the character {excerpt(repr(char))} is not part of the formula language.",
                line=line,
                column=position - start + 1,
                how=_HINTS.get(char, "See the list of operators and functions in the README."),
            )
        kind = match.lastgroup or ""
        if kind != "space":
            value = match.group()
            yield Token(value if kind == "op" else kind, value, line, position - start + 1)
        position = match.end()
        if kind == "newline":
            line, start = line + 1, position
    yield Token("newline", "", line, position - start + 1)
    while True:
        yield Token("end", "", line, position - start + 1)


# --- tokens to statements ----------------------------------------------------------------------------------


def parse(text: str) -> list[Statement]:
    """Return the statements of a formula.

    Raises
    ------
    FormulaError
        With line and column, for anything that is not an assignment of the formula language, and for a
        formula of more than `MAX_CHARACTERS` characters or a nesting of more than `MAX_DEPTH` levels.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormulaError(
            f"the formula has {len(text):,} characters; at most {MAX_CHARACTERS:,} are read.",
            line=1,
            column=1,
            how="Split the network into smaller ones.",
        )
    statements = Parser(text if text.isascii() else _normalised(text)).statements()
    if not statements:
        raise FormulaError(
            "the formula is empty.", line=1, column=1, how="Write a line such as L = mse(w*x + b, y)."
        )
    return statements


_SUPERSCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿᵀ]")


def _normalised(text: str) -> str:
    """Return `text` as Python would read its names: ``W₁`` is W1. What stands raised is no part of a name."""
    raised = _SUPERSCRIPT.search(text)
    if raised is not None:
        before = text[: raised.start()]
        raise FormulaError(
            f"the character '{raised.group()}' is not part of the formula language.",
            line=before.count("\n") + 1,
            column=raised.start() - before.rfind("\n"),
            how="Write .T for the transpose." if raised.group() == "ᵀ" else "Write ** for a power.",
        )
    return unicodedata.normalize("NFKC", text)


def identifiers(statements: Sequence[Statement]) -> list[str]:
    """Return every name that is read before a line of that name: what must be given from outside."""
    defined: set[str] = set()
    found: dict[str, None] = {}
    for statement in statements:
        for item in statement.items:
            if item.kind == "name" and item.text not in defined:
                found.setdefault(item.text)
        defined.add(statement.name)
    return list(found)


class Parser:
    """Reads statements; a wider language overrides the rules that it widens (:mod:`engine.calculator`)."""

    def __init__(self, text: str) -> None:
        self._lines = re.split(r"\r\n?|\n", text)  # as the tokens count them
        self._tokens = self._read(text)
        self._ahead: deque[Token] = deque()
        self._depth = 0
        self._open = 0
        self._operations = 0
        self._items: list[Item] = []

    def _read(self, text: str) -> Iterator[Token]:
        return _tokens(text)

    def statements(self) -> list[Statement]:
        """Return every statement of the text."""
        found = []
        while self._skip_blank().kind != "end":
            found.append(self._statement())
        return found

    def _skip_blank(self) -> Token:
        while self._peek().kind in ("newline", ";"):
            self._next()
        return self._peek()

    def _peek(self) -> Token:
        if self._open:  # inside parentheses a line may go on
            while self._look(0).kind == "newline":
                self._ahead.popleft()
        return self._look(0)

    def _look(self, ahead: int) -> Token:
        while len(self._ahead) <= ahead:
            self._ahead.append(next(self._tokens))
        return self._ahead[ahead]

    def _next(self) -> Token:
        token = self._peek()
        self._ahead.popleft()
        return token

    def _fail(self, token: Token, what: str, how: str = "") -> FormulaError:
        return FormulaError(what, line=token.line, column=token.column, how=how)

    def _statement(self) -> Statement:
        target = self._next()
        if target.kind != "name":
            raise self._fail(
                target, f"a line starts with a name, not with {shown(target)}.", "Write NAME = formula."
            )
        if target.text in FUNCTIONS and self._look(0).kind == "(":
            text = excerpt(self._text_from(target), 60)
            raise self._fail(
                target, f"{target.text} is a function, and its value has no name.", f"Write L = {text}."
            )
        _check_name(target)
        equals = self._next()
        if equals.kind != "=":
            raise self._fail(
                equals,
                f"after {excerpt(target.text)} comes =, not {shown(equals)}.",
                "Write NAME = formula.",
            )
        self._items = []
        self._expression()
        end = self._peek()
        if end.kind not in ("newline", ";", "end"):
            raise self._misplaced(end)
        text = excerpt(self._text_from(target), 200)
        return Statement(target.text, tuple(self._items), text, target.line, target.column)

    def _text_from(self, token: Token) -> str:
        return self._lines[token.line - 1][token.column - 1 :].partition("#")[0].strip()

    def _misplaced(self, token: Token) -> FormulaError:
        how = self._with_point(token) or after_hint(token)
        if token.kind == "name" and self._look(1).kind == "=":
            how = f"Begin a new line before {excerpt(token.text, 30)}, or write * or @ between two factors."
        return self._fail(token, f"{shown(token)} cannot stand here.", how)

    def _with_point(self, comma: Token) -> str:
        """Return the advice for a decimal comma, "" for another token."""
        before, after = self._items[-1:], self._look(1)
        if comma.kind != "," or not before or before[0].kind != "number":
            return ""
        is_near = before[0].line == comma.line and before[0].column + len(before[0].text) == comma.column
        if not is_near or (after.kind, after.line, after.column) != ("number", comma.line, comma.column + 1):
            return ""
        return f"Decimals have a point: write {excerpt(f'{before[0].text}.{after.text}', 40)}."

    def _expression(self) -> None:
        self._left_to_right(("+", "-"), self._term)

    def _term(self) -> None:
        self._left_to_right(("*", "/", "@"), self._unary)

    def _left_to_right(self, operators: tuple[str, ...], operand: Callable[[], None]) -> None:
        operand()
        while self._peek().kind in operators:
            token = self._next()
            operand()
            self._emit(token, token.kind, 2)

    def _unary(self) -> None:
        token = self._peek()
        if token.kind not in ("-", "+"):
            return self._power()
        self._next()
        with_sign = token.kind == "-"
        self._deeper(token, self._unary)
        if with_sign:
            self._emit(token, "neg", 1)
        return None

    def _power(self) -> None:
        self._postfix()
        token = self._peek()
        if token.kind == "**":
            self._next()
            self._deeper(token, self._unary)
            self._emit(token, "**", 2)

    def _deeper(self, token: Token, rule: Callable[[], None]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fail(
                token,
                f"the formula is nested more than {MAX_DEPTH} levels deep.",
                "Name a part on a line of its own.",
            )
        rule()
        self._depth -= 1

    def _postfix(self) -> None:
        self._atom()
        while self._peek().kind == ".":
            dot = self._next()
            name = self._next()
            if name.text != "T":
                raise self._fail(
                    name,
                    f".{excerpt(name.text)} is not part of the formula language.",
                    "Only .T may follow a dot.",
                )
            self._emit(dot, "T", 1)

    def _atom(self) -> None:
        token = self._next()
        if token.kind == "(":
            self._parenthesised(token)
        elif token.kind == "number":
            self._items.append(Item("number", number_text(token), 0, (), token.line, token.column))
        elif token.kind == "name":
            self._name(token)
        else:
            raise self._fail(
                token,
                f"a value is missing before {shown(token)}.",
                "Put a name, a number or parentheses here.",
            )

    def _parenthesised(self, token: Token) -> None:
        self._open += 1
        self._deeper(token, self._expression)
        self._close(token)

    def _close(self, opened: Token) -> None:
        token = self._peek()
        is_next = token.kind == "name" and token.line > opened.line and self._look(1).kind == "="
        if token.kind in ("name", "number", "(") and not is_next:
            raise self._misplaced(token)
        if self._with_point(token):
            raise self._misplaced(token)
        if token.kind != ")":
            before = f"line {token.line}" if is_next else shown(token)
            is_there = is_next or token.kind == "end"
            place = "" if is_there else f" from line {opened.line}, column {opened.column}"
            raise self._fail(
                opened if is_there else token,
                f"the parenthesis{place} is not closed before {before}.",
                "Add a ).",
            )
        self._next()
        self._open -= 1

    def _name(self, token: Token) -> None:
        following = self._peek()
        if following.kind == "(" and following.line == token.line:
            return self._call(token)
        if token.text in FUNCTIONS:
            raise self._fail(token, f"{token.text} is a function.", f"Write {token.text}(...).")
        if following.kind == "." and token.text in ("np", "numpy", "math", "torch"):
            raise self._fail(
                token, f"{token.text}. is not part of the formula language.", "Write exp(x), not np.exp(x)."
            )
        self._items.append(Item("name", token.text, 0, (), token.line, token.column))
        return None

    def _call(self, token: Token) -> None:
        if token.text not in FUNCTIONS:
            raise self._fail(
                token, f"there is no function {excerpt(token.text)}.", suggest(token.text, FUNCTIONS)
            )
        opened = self._next()
        self._open += 1
        count, attrs = self._arguments(token)
        self._close(opened)
        name = _PAIRS[token.text] if token.text in _PAIRS and count == 2 else token.text
        self._check_arity(token, count)
        if name != token.text and attrs:
            raise self._fail(
                token, f"{token.text} of two values takes no axis=.", "Take the axis of one value."
            )
        self._emit(token, name, count, tuple(sorted(attrs.items())))

    def _arguments(self, function: Token) -> tuple[int, dict[str, object]]:
        count, attrs = 0, {}
        while self._peek().kind != ")":
            if self._is_keyword():
                key = self._next()
                self._next()
                attrs[key.text] = self._keyword_value(function, key)
            else:
                if attrs:
                    raise self._fail(self._peek(), "a value cannot follow a keyword.", "Put axis= last.")
                self._deeper(function, self._expression)
                count += 1
            if self._peek().kind != ",":
                break
            self._next()
        return count, attrs

    def _is_keyword(self) -> bool:
        return self._peek().kind == "name" and self._look(1).kind == "="

    def _keyword_value(self, function: Token, key: Token) -> object:
        if (
            key.text not in ("axis", "keepdims")
            or function.text not in _WITH_AXIS
            or (key.text == "keepdims" and function.text == "softmax")
        ):
            raise self._fail(
                key,
                f"{function.text} has no option {excerpt(key.text)}.",
                "Reductions take axis= and keepdims=, softmax takes axis=.",
            )
        negative = self._peek().kind == "-" and bool(self._next())
        value = self._next()
        if key.text == "axis" and value.kind == "number" and value.text.isdigit() and len(value.text) < 4:
            return -int(value.text) if negative else int(value.text)
        if key.text == "axis" and value.text == "None":
            return None
        if key.text == "keepdims" and value.text in ("True", "False", "true", "false"):
            return value.text.lower() == "true"
        allowed = "0, 1 or None" if key.text == "axis" else "True or False"
        raise self._fail(value, f"{key.text}= takes {allowed}, not {shown(value)}.")

    def _check_arity(self, token: Token, count: int) -> None:
        allowed = (2,) if token.text in _TWO else (1, 2) if token.text in _PAIRS else (1,)
        if count in allowed:
            return
        wanted = " or ".join(map(str, allowed))
        plural = "s" if allowed != (1,) else ""
        how = "Name the axis: axis=0." if token.text in _REDUCTIONS and count > 1 else ""
        raise self._fail(token, f"{token.text} takes {wanted} argument{plural}, not {count}.", how)

    def _emit(self, token: Token, name: str, arity: int, attrs: tuple[tuple[str, object], ...] = ()) -> None:
        self._operations += 1
        if self._operations > MAX_NODES:
            raise self._fail(
                token, f"the network has more than {MAX_NODES:,} operations.", "Use a smaller one."
            )
        self._items.append(Item("op", name, arity, attrs, token.line, token.column))


def shown(token: Token) -> str:
    if token.kind in ("newline", "end"):
        return "the end of the line"
    return f"'{excerpt(token.text, 30)}'"


def after_hint(token: Token) -> str:
    if token.kind in ("name", "number", "("):
        return "Write * or @ between two factors."
    if token.kind in ("=", "=="):
        return "A line has one =."
    if token.kind == ")":
        return "There is a ) too many."
    return ""


def number_text(token: Token) -> str:
    text = token.text.replace("_", "")
    if len(text) > 400 or not np.isfinite(float(text)):
        raise FormulaError(
            f"the number {excerpt(token.text, 30)} is too large for a float.",
            line=token.line,
            column=token.column,
            how="The largest is about 1.8e308.",
        )
    return text


def reserved(name: str) -> str:
    """Return why `name` cannot name a line, a parameter or data; nothing where it can."""
    if len(name) > MAX_NAME:
        return f"longer than {MAX_NAME} characters"
    if keyword.iskeyword(name):
        return "a word of Python"
    return "a function" if name in FUNCTIONS else "the name of NumPy" if name == "np" else ""


def instead_of(name: str) -> str:
    """Return the advice to choose another name than a reserved one."""
    return f"Choose another name, such as {'lam' if name == 'lambda' else f'{name[:10]}_'}."


def _check_name(token: Token) -> None:
    reason = reserved(token.text)
    if reason:
        raise FormulaError(
            f"{excerpt(token.text)} is {reason} and cannot name a line.",
            line=token.line,
            column=token.column,
            how=instead_of(token.text),
        )


def suggest(name: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(name[:MAX_NAME], list(known)[:500], 1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"There are: {excerpt(', '.join(known), 160)}."


# --- statements to graph -----------------------------------------------------------------------------------


def build(
    statements: Sequence[Statement],
    leaves: Sequence[Leaf],
    *,
    loss: str | None = None,
    examples: int | None = None,
) -> Graph:
    """Return the graph of `statements` over `leaves`.

    Parameters
    ----------
    loss
        The name of the loss line; the last line where None.
    examples
        The number of examples, which the name ``m`` stands for unless a line or a leaf is called so.

    Raises
    ------
    FormulaError
        Unknown names, shapes that do not fit, a loss that is not a scalar: with line and column.
    """
    builder = _Builder(leaves, examples)
    for number, statement in enumerate(statements):
        builder.add(statement, later=statements[number + 1 : number + 1 + MAX_SEARCHED])
    return builder.graph(loss)


@dataclass
class _Builder:
    leaves: Sequence[Leaf]
    examples: int | None
    nodes: list[Node] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    scope: dict[str, int] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for leaf in self.leaves:
            self.scope[leaf.name] = len(self.nodes)
            self.taken.add(leaf.name)
            self.nodes.append(Node(len(self.nodes), leaf.name, leaf.kind, leaf.dims))

    def add(self, statement: Statement, later: Sequence[Statement]) -> None:
        self._parts: list[int] = []
        self._constants = 0
        self._name = self._unique(statement)
        stack: list[int | Expr] = []
        for item in statement.items:
            if item.kind == "op":
                args = stack[len(stack) - item.arity :]
                del stack[len(stack) - item.arity :]
                stack.append(self._operation(item, args))
            else:
                stack.append(self._value(item, statement, later))
        self._finish(statement, stack[0])

    def _unique(self, statement: Statement) -> str:
        name = statement.name
        if name not in self.taken:
            return name
        number = self.numbers.get(name, 2)
        while f"{name}_{number}" in self.taken:
            number += 1
        self.numbers[name] = number + 1
        unique = f"{name}_{number}"
        self.notices.append(
            f"Line {statement.line} assigns {name} again; from there on it is called {unique}."
            if len(self.notices) < 5
            else "Further lines assign a name again; each is numbered."
        )
        self.notices = list(dict.fromkeys(self.notices))
        return unique

    def _value(self, item: Item, statement: Statement, later: Sequence[Statement]) -> int | Expr:
        if item.kind == "number":
            return _literal(item.text)
        if item.text in self.scope:
            return self.scope[item.text]
        if item.text == "m" and self.examples is not None:
            return ex.dimension(Dim("m", self.examples, True))
        raise self._unknown_name(item, statement, later)

    def _unknown_name(self, item: Item, statement: Statement, later: Sequence[Statement]) -> FormulaError:
        name = excerpt(item.text)
        what = f"{name} is not defined."
        how = f"It is no line above, parameter or input. {suggest(item.text, list(self.scope))}"
        if item.text == statement.name:
            what = f"{name} is used in its own line before it has a value."
            how = f"Give {name} a value under [parameters] or [data], or use another name."
        elif any(s.name == item.text for s in later):
            what = f"{name} is used before its line."
            how = f"Move the line of {name} up: lines run from top to bottom."
        elif item.text == "m":
            what = f"m, the number of examples, is not known: {self._inputs_disagree()}."
            how = "Give the inputs the same number of columns, or define m."
        return FormulaError(what, line=item.line, column=item.column, how=how)

    def _inputs_disagree(self) -> str:
        inputs = [leaf for leaf in self.leaves if leaf.kind == Kind.INPUT and leaf.dims]
        if not inputs:
            return "there are no inputs with columns"
        found = ", ".join(f"{leaf.name} is {shapes.show(leaf.dims)}" for leaf in inputs[:4])
        return f"the inputs disagree on it ({excerpt(found, 120)})"

    def _operation(self, item: Item, args: Sequence[int | Expr]) -> int | Expr:
        folded = self._folded(item, args)
        if folded is not None:
            return folded
        if item.text == "**" and self._squares_norm(args):
            return self._replace_norm()
        ids = [self._materialised(arg) for arg in args]
        op = OPS[item.text]
        attrs = dict(item.attrs)
        return self._append(op, tuple(ids), self._shape(item, op, ids, attrs), tuple(item.attrs))

    def _folded(self, item: Item, args: Sequence[int | Expr]) -> Expr | None:
        """Return a constant for arithmetic on constants: ``1/(2*m)`` is one factor, not three operations."""
        exprs = [arg for arg in args if isinstance(arg, Expr)]
        if len(exprs) < len(args) or item.text not in ("+", "-", "*", "/", "**", "neg"):
            return None
        if item.text == "**" and not isinstance(exprs[1], ex.Const):
            return None
        if sum(e.weight for e in exprs) > 20:
            return None
        with np.errstate(all="ignore"):
            result = None if _divides_by_zero(item, exprs) else OPS[item.text].forward(*exprs)
            value = None if result is None else _constant_value(result)
        if result is None or value is None:
            raise FormulaError(
                "this constant is not a finite number.",
                line=item.line,
                column=item.column,
                how="It is divided by zero, or more than the largest float, about 1.8e308.",
            )
        return result

    def _squares_norm(self, args: Sequence[int | Expr]) -> bool:
        base, exponent = args
        return (
            isinstance(base, int)
            and isinstance(exponent, ex.Const)
            and exponent.value == 2
            and not exponent.powers
            and bool(self._parts)
            and base == self._parts[-1] == len(self.nodes) - 1
            and self.nodes[base].op is OPS["norm"]
        )

    def _replace_norm(self) -> int:
        """Turn the norm just read into its square, which has a derivative at zero too."""
        node = self.nodes[-1]
        op = OPS["norm_squared"]
        self.nodes[-1] = Node(
            node.id, node.name, node.kind, node.dims, op, node.inputs, node.line, node.attrs
        )
        return node.id

    def _shape(self, item: Item, op: Op, ids: Sequence[int], attrs: Mapping[str, object]) -> Dims:
        try:
            return op.shape(*(self.nodes[i].dims for i in ids), **attrs)
        except ShapeError as error:
            named = [self.nodes[i].name for i in ids]
            who = " and ".join(excerpt(n, 40) for n in named if self._is_named(n))
            what = f"{who}: {error.what}" if who else error.what
            raise FormulaError(what, line=item.line, column=item.column, how=error.how) from None

    def _is_named(self, name: str) -> bool:
        return name in self.taken

    def _materialised(self, arg: int | Expr) -> int:
        if isinstance(arg, int):
            return arg
        self._constants += 1
        name = f"{self._name}#{self._constants}"
        node = Node(len(self.nodes), name, Kind.CONSTANT, (), line=len(self.lines), constant=arg)
        return self._push(node)

    def _append(self, op: Op, ids: tuple[int, ...], dims: Dims, attrs: tuple = ()) -> int:
        name = f"{self._name}.{len(self._parts) + 1}"
        node = Node(len(self.nodes), name, Kind.OP, dims, op, ids, len(self.lines), attrs)
        self._parts.append(node.id)
        return self._push(node)

    def _push(self, node: Node) -> int:
        if node.id >= MAX_NODES:
            raise FormulaError(
                f"the network has more than {MAX_NODES:,} operations.",
                line=1,
                column=1,
                how="Use a smaller one.",
            )
        self.nodes.append(node)
        return node.id

    def _finish(self, statement: Statement, result: int | Expr) -> None:
        root = self._materialised(result)
        if not self._parts or root != self._parts[-1]:
            root = self._append(OPS["identity"], (root,), self.nodes[root].dims)
        node = self.nodes[root]
        self.nodes[root] = Node(
            node.id, self._name, node.kind, node.dims, node.op, node.inputs, node.line, node.attrs
        )
        written = len(self._parts) <= MAX_WRITTEN and self._depth_of(root) <= MAX_WRITTEN_DEPTH
        uses = tuple(self._uses(root, written))
        parts = tuple(self._parts)
        self.lines.append(Line(self._name, statement.text, statement.line, root, parts, uses, written))
        self.scope[statement.name] = root
        self.taken.add(self._name)

    def _depth_of(self, root: int) -> int:
        """Return how deeply the line nests as it is printed: sums and products of many are one level."""
        depths: dict[int, int] = {}
        for node_id in self._parts:
            family = _FAMILY.get(_name_of(self.nodes[node_id]))
            depths[node_id] = max(
                (
                    depths[i] + (family is None or family != _FAMILY.get(_name_of(self.nodes[i])))
                    for i in self.nodes[node_id].inputs
                    if i in depths
                ),
                default=1,
            )
        return depths.get(root, 1)

    def _uses(self, root: int, written: bool) -> list[Use]:
        """Return the places where the line reads a name, from left to right, with their paths."""
        parts = set(self._parts)
        found: list[Use] = []
        stack: list[tuple[int, tuple[tuple[int, int], ...]]] = [(root, ())]
        while stack:
            node_id, path = stack.pop()
            if node_id in parts:
                for slot, source in reversed(list(enumerate(self.nodes[node_id].inputs))):
                    # the path of a line too long to write out would take memory by the square of its length
                    stack.append((source, (*path, (node_id, slot)) if written else ((node_id, slot),)))
            elif self.nodes[node_id].kind != Kind.CONSTANT:
                found.append(Use(len(found), node_id, path))
        return found

    def graph(self, loss: str | None) -> Graph:
        name = self._loss_name(loss)
        line = next(line for line in self.lines if line.name == name)
        dims = self.nodes[line.node].dims
        if dims:
            raise FormulaError(
                f"the loss {excerpt(name)} has the shape {shapes.show(dims)}; "
                "a loss is a scalar, with the shape ().",
                line=line.number,
                column=1,
                how="Reduce it with sum(...), mean(...) or norm(...)**2.",
            )
        self._check_gradient_names()
        return Graph(
            tuple(self.nodes),
            tuple(self.lines),
            tuple(leaf.name for leaf in self.leaves if leaf.kind == Kind.PARAMETER),
            tuple(leaf.name for leaf in self.leaves if leaf.kind == Kind.INPUT),
            name,
            self.examples,
            (*self.notices, *self._unused()),
        )

    def _loss_name(self, loss: str | None) -> str:
        if loss is None:
            return self.lines[-1].name
        lines = {line.node: line.name for line in self.lines}
        if loss in self.scope and self.scope[loss] in lines:
            return lines[self.scope[loss]]
        raise FormulaError(
            f"the loss is to be {excerpt(loss)}, but no line has that name.",
            line=1,
            column=1,
            how=suggest(loss, [line.name for line in self.lines]),
        )

    def _check_gradient_names(self) -> None:
        lines = {line.name: line.number for line in self.lines}
        for name in self.taken:
            if name.startswith("d_") and name[2:] in self.taken:
                raise FormulaError(
                    f"the name {excerpt(name)} is kept for the gradient of {excerpt(name[2:])}.",
                    line=lines.get(name, 1),
                    column=1,
                    how="Choose another name.",
                )

    def _unused(self) -> list[str]:
        used = {source for node in self.nodes for source in node.inputs}
        return [
            f"No line uses the parameter {node.name}: its gradient is zero."
            for node in self.nodes[: len(self.leaves)]
            if node.kind == Kind.PARAMETER and node.id not in used
        ]


MAX_WRITTEN = 400  # a line of more operations is not written out in symbols
MAX_WRITTEN_DEPTH = 80  # nor is one that nests more deeply
_FAMILY = {"+": "sum", "-": "sum", "*": "product", "@": "product"}


def _name_of(node: Node) -> str:
    return node.op.name if node.op is not None else ""


def _literal(text: str) -> Expr:
    if text.isdigit():
        return ex.Const(Fraction(text))
    # by way of the float: the exact value of 1e-999999999 would fill the memory
    return ex.Const(Fraction(repr(float(text))), decimal=True)


def _divides_by_zero(item: Item, exprs: Sequence[Expr]) -> bool:
    return item.text == "/" and _constant_value(exprs[1]) == 0


def _constant_value(expr: Expr) -> float | None:
    try:
        value = float(ex.evaluate(expr, {}))
    except (OverflowError, ZeroDivisionError):
        return None
    return value if np.isfinite(value) else None
