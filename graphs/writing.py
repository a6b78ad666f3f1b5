"""Writing networks as the text of a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from graphs.definition import Array, FileData, Network, Training
from graphs.initial import Initial
from graphs.recipes import table_of

__all__ = ["dumps"]


def dumps(network: Network) -> str:
    """Return a network as the text of a file that :func:`loads` reads back."""
    lines = [f"title = {_quoted(network.title)}"]
    if network.description:
        lines.append(f"description = {_quoted(network.description)}")
    lines += [
        'formula = """',
        _escaped(network.formula.strip("\n").replace("\r\n", "\n")).replace('"""', '""\\"'),
        '"""',
    ]
    if network.loss is not None:
        lines.append(f"loss = {_quoted(network.loss)}")
    lines += _section("dimensions", ((k, str(v)) for k, v in network.dimensions.items()))
    lines += _section("parameters", ((k, _parameter_text(v)) for k, v in network.parameters.items()))
    lines += _section("data", _data_items(network))
    lines += _section("training", _training_items(network.training))
    return "\n".join(lines) + "\n"


def _section(title: str, items: Iterator[tuple[str, str]]) -> list[str]:
    rows = [f"{_key(key)} = {value}" for key, value in items]
    return ["", f"[{title}]", *rows] if rows else []


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    escaped = _escaped(text).replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    """Return `text` as TOML's multi-line strings take it, quotation marks aside."""
    escaped = text.replace("\\", "\\\\")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", lambda c: f"\\u{ord(c.group()):04x}", escaped)


def _parameter_text(value: Array | Initial) -> str:
    if isinstance(value, Initial):
        shape = ", ".join(_quoted(s) if isinstance(s, str) else str(s) for s in value.shape)
        return f'{{ shape = [{shape}], init = "{value.init}" }}'
    return _array_text(value)


def _array_text(array: Array) -> str:
    if array.ndim == 0:
        return repr(float(array))
    if array.shape[0] == 1:
        return _row_text(array[0]) if array.shape[1] != 1 else f"[{_row_text(array[0])}]"
    rows = ",\n".join(f"  {_row_text(row)}" for row in array)
    return f"[\n{rows},\n]"


def _row_text(row: Array) -> str:
    return "[" + ", ".join(repr(float(entry)) for entry in row) + "]"


def _data_items(network: Network) -> Iterator[tuple[str, str]]:
    data = network.data
    if isinstance(data, FileData):
        yield from _file_items(data)
    else:
        yield from ((name, _array_text(array)) for name, array in data.items())
    if network.held_out:
        yield "held_out", repr(network.held_out)


def _file_items(data: FileData) -> Iterator[tuple[str, str]]:
    yield "file", _quoted(data.file)
    for key, table in (("inputs", data.inputs), ("targets", data.targets)):
        yield key, "{ " + ", ".join(f"{_key(n)} = {_words_text(c)}" for n, c in table.items()) + " }"
    if data.standardize:
        yield "standardize", "true" if data.standardize is True else _words_text(data.standardize)
    if data.where:
        yield "where", "{ " + ", ".join(f"{_key(c)} = {_words_text(v)}" for c, v in data.where.items()) + " }"


def _words_text(words: Sequence[Any]) -> str:
    return "[" + ", ".join(_quoted(w) if isinstance(w, str) else repr(w) for w in words) + "]"


def _training_items(training: Training) -> Iterator[tuple[str, str]]:
    for key, value in table_of(training.recipe).items():
        yield key, _quoted(value) if isinstance(value, str) else repr(value)
    if training.steps != Training().steps:
        yield "steps", str(training.steps)
