r"""Reads the arithmetic that is shown, ``\frac{2}{3} \cdot (0.31 - 1.2)``, and works it out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

Number = tuple[float, float]  # a value, and how far rounding to four digits may have moved it

_TOKEN = re.compile(
    r"\s+|\\[;,! ]|(\d+(?:\.\d+)?)|(\\(?:text|operatorname|mathrm)\{[A-Za-z ]+\}|\\[A-Za-z]+|\|\||\|)|(.)"
)
_DIGITS = 5e-4
_FUNCTIONS: dict[str, Callable[[float], float]] = {
    r"\sigma": lambda x: 1 / (1 + math.exp(-x)),
    r"\log": math.log,
    r"\ln": math.log,
    r"\exp": math.exp,
    r"\sin": math.sin,
    r"\cos": math.cos,
    r"\tanh": math.tanh,
    r"\text{relu}": lambda x: max(x, 0.0),
    r"\text{softplus}": lambda x: math.log1p(math.exp(x)),
    r"\text{sign}": lambda x: (x > 0) - (x < 0),
    r"\text{sgn}": lambda x: (x > 0) - (x < 0),
}


def work_out(latex: str) -> Number:
    """Return what an expression comes to, and the bound of its rounding error."""
    for written, meant in ((r"\|", "||"), (r"\times", r"\cdot"), (r"\mathbf{1}", r"\mathbb{1}")):
        latex = latex.replace(written, meant)
    reader = _Reader([m[0] for m in _TOKEN.finditer(latex) if any(m.groups())])
    result = reader.sum()
    assert not reader.tokens, f"{latex}: left over {reader.tokens}"
    return result


class _Reader:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = [t.replace(r"\operatorname", r"\text").replace(r"\mathrm", r"\text") for t in tokens]

    @property
    def next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, wanted: str = "") -> str:
        token = self.tokens.pop(0)
        assert not wanted or token == wanted, f"{wanted} expected before {token} {self.tokens}"
        return token

    def sum(self) -> Number:
        value, error = self.term()
        while self.next in ("+", "-"):
            sign = 1 if self.take() == "+" else -1
            other, more = self.term()
            value, error = value + sign * other, error + more
        return value, error

    def term(self) -> Number:
        if self.next == "-":
            self.take()
            value, error = self.term()
            return -value, error
        result = self.power()
        while self.next and self.next not in (
            "+",
            "-",
            ")",
            "}",
            "]",
            ",",
            ">",
            "<",
            "=",
            "|",
            "||",
            r"\right",
        ):
            if self.next in (r"\cdot", r"\odot"):
                self.take()
            result = _product(result, self.power())
        return result

    def power(self) -> Number:
        base = self.primary()
        if self.next != "^":
            return base
        self.take()
        exponent = self.group() if self.next == "{" else (float(self.take()), 0.0)
        return _function(lambda x: float(x ** exponent[0]), base)

    def group(self) -> Number:
        self.take("{")
        result = self.sum()
        self.take("}")
        return result

    def primary(self) -> Number:
        token = self.take()
        if re.match(r"\d", token):
            return float(token), _DIGITS * float(token)
        if token == r"\left" and self.next == "|":
            return self.magnitude()
        if token in ("(", r"\left"):
            return self.bracketed(token)
        if token == r"\frac":
            return _quotient(self.group(), self.group())
        if token == r"\sqrt":
            return _function(math.sqrt, self.group())
        if token == "e":
            self.take("^")
            return _function(math.exp, self.group())
        if token in ("|", "||"):
            return self.norm(token)
        if token == r"\mathbb":
            return self.indicator()
        if token in (r"\max", r"\min"):
            return self.extreme(max if token == r"\max" else min)
        if token in (r"\text{sum}", r"\text{mean}"):
            return self.gathered(token)
        return _function(_FUNCTIONS[token], self.primary())

    def bracketed(self, token: str) -> Number:
        if token == r"\left":
            self.take("(")
        result = self.sum()
        if token == r"\left":
            self.take(r"\right")
        self.take(")")
        return result

    def magnitude(self) -> Number:
        self.take("|")
        value, error = self.sum()
        self.take(r"\right")
        self.take("|")
        return abs(value), error

    def norm(self, bar: str) -> Number:
        entries = self.entries()
        self.take(bar)
        if bar == "|":
            return abs(entries[0][0]), entries[0][1]
        length = math.hypot(*(value for value, _ in entries))
        return length, math.hypot(*(error for _, error in entries))

    def entries(self) -> list[Number]:
        found = [self.sum()]
        while self.next == ",":
            self.take()
            found.append(self.sum())
        return found

    def indicator(self) -> Number:
        for token in ("{", "1", "}", "["):
            self.take(token)
        left, more = self.sum()
        relation = self.take()
        right, other = self.sum()
        self.take("]")
        holds = {">": left > right, "<": left < right, "=": left == right}[relation]
        return float(holds), 1.0 if abs(left - right) <= more + other else 0.0

    def gathered(self, token: str) -> Number:
        """Read the sum or the mean of a list."""
        wide = self.take() == r"\left" and bool(self.take("("))
        entries = self.entries()
        for _ in range(2 if wide else 1):
            self.take()
        count = len(entries) if token == r"\text{mean}" else 1
        return sum(value for value, _ in entries) / count, sum(error for _, error in entries) / count

    def extreme(self, choose: Callable[[list[float]], float]) -> Number:
        wide = self.take() == r"\left"
        if wide:
            self.take("(")
        entries = self.entries()
        if wide:
            self.take(r"\right")
        self.take(")")
        return choose([value for value, _ in entries]), max(error for _, error in entries)


def _product(a: Number, b: Number) -> Number:
    return a[0] * b[0], abs(a[0]) * b[1] + abs(b[0]) * a[1] + a[1] * b[1]


def _quotient(a: Number, b: Number) -> Number:
    value = a[0] / b[0]
    return value, (a[1] + abs(value) * b[1]) / (abs(b[0]) - b[1])


def _function(f: Callable[[float], float], x: Number) -> Number:
    value = f(x[0])
    return value, max(abs(f(x[0] + d) - value) for d in (x[1], -x[1]))
