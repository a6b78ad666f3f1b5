"""Arrays as source, to the last bit, in either of the dialects that scripts are written in."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.expr import Expr
from engine.notation import source, torch_source

__all__ = ["MOST_WRITTEN", "NUMPY", "TORCH", "WIDTH", "Dialect", "as_source"]

Array = np.ndarray

WIDTH = 100
"""Characters of a line."""
MOST_WRITTEN = 20_000
"""Numbers of an array that are written out; more are packed, to the last bit, to keep a script short."""


@dataclass(frozen=True)
class Dialect:
    """How one library says it.

    Attributes
    ----------
    title, module
        The library's name, and what scripts import it as.
    array
        Its function that makes an array of a nested list.
    unpack
        What makes an array of bytes; ``{bytes}`` and ``{shape}`` are put in.
    write
        Returns an expression as source.
    """

    title: str
    module: str
    array: str
    unpack: tuple[str, str]
    write: Callable[[Expr], str]


NUMPY = Dialect(
    "NumPy", "np", "array", ("np.frombuffer(zlib.decompress(", '), dtype="<f8").reshape({shape})'), source
)
TORCH = Dialect(
    "PyTorch",
    "torch",
    "tensor",
    ("torch.frombuffer(bytearray(zlib.decompress(", ")), dtype=torch.float64).reshape({shape})"),
    torch_source,
)


def as_source(name: str, array: Any, dialect: Dialect = NUMPY) -> list[str]:
    """Return the lines that give a name an array, to the last bit.

    Examples
    --------
    >>> as_source("w", [[0.1, -2.0]]), as_source("b", 0.5)
    (['w = np.array([[0.1, -2.0]])'], ['b = np.array(0.5)'])
    """
    values = np.asarray(array, dtype=np.float64)
    if not values.size:
        return [f"{name} = {dialect.module}.zeros({values.shape})"]
    if values.size > MOST_WRITTEN:
        return _packed(name, values, dialect)
    opening = f"{name} = {dialect.module}.{dialect.array}("
    if values.ndim == 0:
        return [f"{opening}{_number(float(values), dialect.module)})"]
    rows = list(_rows(values, len(opening) + values.ndim, dialect.module))
    return [opening + rows[0], *rows[1:-1], rows[-1] + ")"] if len(rows) > 1 else [f"{opening}{rows[0]})"]


def _rows(values: Array, indent: int, module: str) -> Iterator[str]:
    """Yield the lines of an array's literal, a row beginning on a line of its own."""
    if values.ndim == 1:
        yield from _row("[", _numbers(values, module), "]", indent)
        return
    last = len(values) - 1
    for i, row in enumerate(values):
        opening = "[[" if not i else " " * (indent - 1) + "["
        texts = _numbers(row, module)
        yield from _row(opening, texts, "]" if i < last else "]]", indent, "," if i < last else "")


def _row(opening: str, texts: Sequence[str], closing: str, indent: int, comma: str = "") -> Iterator[str]:
    line = opening
    used = len(opening) if opening.startswith(" ") else indent
    for i, text in enumerate(texts):
        piece = text + (", " if i < len(texts) - 1 else "")
        if used + len(piece) > WIDTH and not line.endswith("["):
            yield line.rstrip()
            line, used = " " * indent, indent
        line, used = line + piece, used + len(piece)
    yield line + closing + comma


def _numbers(row: Array, module: str) -> list[str]:
    return [_number(x, module) for x in row.tolist()]


def _number(x: float, module: str) -> str:
    text = repr(x)
    return {"nan": f"{module}.nan", "inf": f"{module}.inf", "-inf": f"-{module}.inf"}.get(text, text)


def _packed(name: str, values: Array, dialect: Dialect) -> list[str]:
    """Return the lines of a large array: its bytes, compressed."""
    text = base64.b64encode(zlib.compress(values.astype("<f8").tobytes(), 9)).decode("ascii")
    pieces = [f'    "{text[i : i + WIDTH]}"' for i in range(0, len(text), WIDTH)]
    count = f"{values.size:,}".replace(",", " ")
    before, after = dialect.unpack
    return [
        f"# {count} numbers, compressed to the last bit",
        f"{name} = {before}base64.b64decode(",
        *pieces,
        f"){after.format(shape=values.shape)}",
    ]
