"""How nodes, lists and shapes are said in a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.errors import BackstepError
from engine.expr import Expr, Name, Transpose
from engine.names import plain_name
from engine.optimizers import Quantity
from engine.shapes import Dims
from graphs.documents.text import equation_text
from gui.viewdata.frame import Frame

SHORT = 26  # characters of an unnamed part that is said as its expression
LISTED = 5  # names in a list before the rest is counted


def plain(frame: Frame, name: str) -> str:
    """Return a node's name in plain words: "ŷ", "the loss", "ŷ − y", "part 7 of the loss"."""
    graph = frame.trace.graph
    if name not in graph.ids:
        return name
    if frame.statics.kind(name) == "op":
        written = _written(frame, name)
        line = graph.lines[graph[name].line]
        return written or f"part {name.rpartition('.')[2]} of {plain(frame, line.name)}"
    return "the loss" if name == graph.loss else plain_name(name)


def _written(frame: Frame, name: str) -> str:
    """Return the expression that a short unnamed part stands for, "" for a long one."""
    try:
        part = frame.statics.derivation.symbol(frame.trace.graph.ids[name])
    except BackstepError:
        return ""
    text = equation_text(part.part if isinstance(part, Name) and part.part is not None else part, "L")
    return text if len(text) <= SHORT else ""


def stored_words(frame: Frame, name: str) -> str:
    """Return a node's name as it stands after "the stored"."""
    return "loss" if name == frame.trace.graph.loss else plain(frame, name)


def operand_words(frame: Frame, operand: Expr | None) -> str:
    """Return a factor's operand in plain words where it is one value: "X", "the transpose of X"; else ""."""
    if isinstance(operand, Name) and operand.kind == "value":
        return plain(frame, operand.name)
    if isinstance(operand, Transpose) and isinstance(operand.operand, Name):
        return f"the transpose of {plain(frame, operand.operand.name)}"
    return ""


def listed(items: Iterable[str]) -> str:
    """Return words as a list in a sentence: "w, X and b"; a long one is cut short."""
    words = list(items)
    if len(words) > LISTED:
        words = [*words[: LISTED - 1], f"{len(words) - LISTED + 1} others"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def counted(count: int, word: str) -> str:
    """Return a number of things: "1 input", "2 inputs"."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def capital(sentence: str) -> str:
    """Return a sentence with a capital, unless it starts with a name: b is not B."""
    return sentence[0].upper() + sentence[1:] if sentence.startswith(("the ", "part ")) else sentence


_TENTHS = ("nothing", "one tenth", "two tenths", "three tenths", "four tenths", "half", "six tenths")
_MORE_TENTHS = ("seven tenths", "eight tenths", "nine tenths", "all")


def share(part: float) -> str:
    """Return a share of a whole in words: "nine tenths", "99.9 %", "all"."""
    tenths = round(10 * part)
    if abs(10 * part - tenths) < 1e-9 and 0 <= tenths <= 10:
        return (*_TENTHS, *_MORE_TENTHS)[tenths]
    return f"{100 * part:.4g} %"


def update_sentence(quantity: Quantity, parameter: str, settings: Mapping[str, float]) -> str:
    """Return what a quantity of an update is for, with the parameter's name and the settings put in."""
    words = {name: share(value) for name, value in settings.items()}
    words |= {f"other_{name}": share(1 - value) for name, value in settings.items()}
    return quantity.why.format(**words | {"p": parameter, "t": str(settings.get("t", 1))})


def label_of(frame: Frame, name: str) -> str:
    """Return the LaTeX of a node's name."""
    return frame.statics.derivation.name_latex(name)


def sizes(dims: Dims) -> str:
    """Return a shape in numbers: "4 × 133"; "" for a scalar."""
    return " × ".join(str(d.size) for d in dims)


def dim_names(dims: Dims) -> str:
    """Return a shape in the names of its dimensions: "k × m"; "" where they have none."""
    text = " × ".join(d.name for d in dims)
    return "" if text == sizes(dims) else text
