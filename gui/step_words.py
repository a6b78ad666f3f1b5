"""The words of *This step* as rich text: what is stored stands out, inner dimensions cancel."""

from __future__ import annotations

import re
from html import escape
from itertools import pairwise

from gui.formulas import as_html
from gui.theme import Theme, strong
from gui.viewdata import StepView

__all__ = ["more_html", "numbers_html", "result_html", "shapes_html", "short_html"]


def more_html(view: StepView, theme: Theme) -> str:
    """Return the line below the sentence; the values that the factor reads are in their colour."""
    stored = theme.color("stored_text").name()
    marked = strong(r"\1", stored)
    return re.sub(r"the (stored [^.]+)", f"the {marked}", escape(view.more, quote=False))


def numbers_html(view: StepView) -> str | None:
    """Return the numbers put in as text, None where text cannot say them."""
    return as_html(view.numbers)


def short_html(view: StepView) -> str:
    """Return the same in short as text, "" for nothing."""
    return as_html(view.short) or ""


def result_html(view: StepView, theme: Theme) -> str:
    """Return what the numbers come to, in the phase's colour; "" for nothing."""
    result = as_html(view.result)
    return strong(result, theme.phase_text_color(view.phase).name()) if result else ""


def shapes_html(shapes: str, theme: Theme) -> str:
    """Return how shapes fit as rich text: inner dimensions that cancel are struck through.

    Parameters
    ----------
    shapes : str
        Such as "(1 × 133) · (133 × 4) → 1 × 4".
    """
    product, arrow, result = shapes.partition(" → ")
    if not arrow:
        return escape(shapes)
    factors = [factor.strip("()").split(" × ") for factor in product.split(" · ")]
    for left, right in pairwise(factors):
        if len(left) == 2 and len(right) == 2 and left[1] == right[0]:
            left[1], right[0] = _struck(left[1], theme), _struck(right[0], theme)
    text = " · ".join(f"({' × '.join(factor)})" for factor in factors)
    return f"{text} → {strong(result, theme.text)}"


def _struck(number: str, theme: Theme) -> str:
    return f'<s style="color:{theme.color("backward_text").name()}">{number}</s>'
