"""Wrong answers to a question whose answer is a formula of its own, such as ``2/m * (yhat - y)``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engine.calculator import work_out
from engine.derive import Derivation
from engine.errors import BackstepError
from engine.expr import Expr, Name, lift
from engine.formula import Item
from engine.names import latex_name
from engine.notation import latex
from engine.ops import OPS
from engine.shapes import unnamed
from graphs.definition import Array
from graphs.mistakes.items import other_items
from graphs.mistakes.record import Mistake
from graphs.scope import Draw

__all__ = ["of_formula"]

Items = tuple[Item, ...]
LONG = 60  # characters of LaTeX that a part in a hint may have


def of_formula(
    items: Items, names: Callable[[Draw], Mapping[str, Array]], draw: Draw, derivation: Derivation
) -> Iterator[Mistake]:
    """Yield a formula with one operation left out or its sign turned.

    Parameters
    ----------
    items
        The right one, in postfix order.
    names
        What it can name at a draw.
    """
    write = _Writing(names(draw), derivation)
    for kind, sentence, changed in other_items(items, write):
        yield Mistake(kind, sentence, _Formula(changed, names))


@dataclass(frozen=True)
class _Formula:
    """What a changed formula comes to."""

    items: Items
    names: Callable[[Draw], Mapping[str, Array]]

    def __call__(self, draw: Draw) -> Array:
        return work_out(self.items, self.names(draw))


@dataclass(frozen=True)
class _Writing:
    """Writes a part of a formula in symbols; what cannot be, or is long, is called a part."""

    names: Mapping[str, Array]
    derivation: Derivation

    def __call__(self, items: Items) -> str:
        try:
            text = latex(self._symbols(items))
        except (BackstepError, LookupError, TypeError):
            return "a part"
        return f"${text}$" if len(text) <= LONG else "a part"

    def _symbols(self, items: Items) -> Expr:
        stack: list[Expr] = []
        for item in items:
            if item.kind != "op":
                stack.append(self._leaf(item))
                continue
            args = stack[len(stack) - item.arity :]
            del stack[len(stack) - item.arity :]
            is_scaled = any(not arg.dims for arg in args)
            op = OPS[("*" if is_scaled else "@") if item.text == "·" else item.text]
            attrs = dict(item.attrs)
            stack.append(op.express(args, op.shape(*(arg.dims for arg in args), **attrs), attrs))
        return stack[0]

    def _leaf(self, item: Item) -> Expr:
        if item.kind == "number":
            return lift(int(item.text) if item.text.isdigit() else float(item.text))
        dims = tuple(unnamed(size) for size in self.names[item.text].shape)
        return Name(item.text, dims, self._latex(item.text), item.text)

    def _latex(self, name: str) -> str:
        graph = self.derivation.graph
        if name.startswith("d_") and name[2:] in graph.ids:
            return self.derivation.gradient_latex(name[2:])
        if name in graph.ids:
            return self.derivation.name_latex(name)
        return {"learning_rate": r"\eta", "eta": r"\eta"}.get(name, latex_name(name))
