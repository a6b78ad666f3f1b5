"""Writing networks as the text of a file.

A network that was read from a text is written by changing that text: comments, order, spacing and the
spelling of numbers stay wherever nothing else is meant (:func:`text_of`). Without one there is a new text, as
a person would write it (:func:`dumps`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from engine.data import Between
from engine.dialect import Stated
from engine.errors import BackstepError
from graphs.definition import KEPT, Array, FileData, Network, Training
from graphs.initial import Initial
from graphs.literals import number_text
from graphs.reading import loads, plain
from graphs.recipes import table_of
from graphs.textedit import TextEdit

__all__ = ["as_in", "dumps", "is_said_alike", "text_of"]

MOST_KEPT = 2**18
"""Characters of a text that is kept with its network."""
WIDTH = 96
"""Columns that a line of numbers takes."""


# --- a new text --------------------------------------------------------------------------------------------


def dumps(network: Network) -> str:
    """Return a network as the text of a file that :func:`loads` reads back."""
    lines = [f"title = {_quoted(network.title)}"]
    if network.description:
        lines.append(f"description = {_quoted(network.description)}")
    lines.append(f"formula = {_formula_text(network.formula)}")
    if network.loss is not None:
        lines.append(f"loss = {_quoted(network.loss)}")
    for title, items in _tables(network).items():
        if items:
            lines += ["", f"[{title}]", *(f"{_key(key)} = {value}" for key, value in items.items())]
    return "\n".join(lines) + "\n"


def _tables(network: Network) -> dict[str, dict[str, str]]:
    """Return what stands in each table of the file: values as text by key."""
    return {
        "dimensions": {name: str(size) for name, size in network.dimensions.items()},
        "parameters": {name: _parameter_text(value) for name, value in network.parameters.items()},
        "data": dict(_data_items(network)),
        "training": dict(_training_items(network.training)),
    }


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    escaped = _escaped(text).replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _escaped(text: str) -> str:
    """Return `text` as TOML's multi-line strings take it, quotation marks aside."""
    escaped = text.replace("\\", "\\\\")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", lambda c: f"\\u{ord(c.group()):04x}", escaped)


def _formula_text(formula: str) -> str:
    lines = _escaped(formula.strip("\n").replace("\r\n", "\n")).replace('"""', '""\\"')
    return f'"""\n{lines}\n"""'


def _parameter_text(value: Array | Initial) -> str:
    if isinstance(value, Initial):
        return f'{{ shape = {_words_text(value.shape)}, init = "{value.init}" }}'
    return _array_text(value)


def _array_text(array: Array) -> str:
    """Write a number, a row on a line, or a matrix with a row on each; what is too long is wrapped."""
    if array.ndim == 0:
        return number_text(float(array))
    if array.shape[0] == 1:
        return _row_text(array[0]) if array.shape[1] != 1 else f"[{_row_text(array[0])}]"
    rows = ",\n".join(f"  {_row_text(row, '  ')}" for row in array)
    return f"[\n{rows},\n]"


def _row_text(row: Array, indent: str = "") -> str:
    words = [number_text(float(entry)) for entry in row]
    line = "[" + ", ".join(words) + "]"
    if len(indent) + len(line) <= WIDTH:
        return line
    return (
        "[\n"
        + "".join(f"{indent}  {part}\n" for part in _wrapped(words, WIDTH - len(indent) - 2))
        + indent
        + "]"
    )


def _wrapped(words: Iterable[str], width: int) -> Iterator[str]:
    line: list[str] = []
    length = 0
    for word in words:
        if line and length + len(word) + 2 > width:
            yield ", ".join(line) + ","
            line, length = [], 0
        line.append(word)
        length += len(word) + 2
    yield ", ".join(line) + ","


def _data_items(network: Network) -> Iterator[tuple[str, str]]:
    data = network.data
    if isinstance(data, FileData):
        yield from _file_items(data)
    else:
        yield from ((name, _array_text(array)) for name, array in data.items())
    if network.held_out:
        yield "held_out", number_text(network.held_out)


def _file_items(data: FileData) -> Iterator[tuple[str, str]]:
    yield "file", _quoted(data.file)
    yield from _stated_items(data.stated)
    yield "inputs", _columns_text(data.inputs)
    if data.targets:
        yield "targets", _columns_text(data.targets)
    if data.standardize:
        yield "standardize", "true" if data.standardize is True else _words_text(data.standardize)
    if data.where:
        yield "where", _columns_text(data.where)
    yield from ((name, _array_text(array)) for name, array in data.own.items())


def _stated_items(stated: Stated) -> Iterator[tuple[str, str]]:
    for key in ("delimiter", "decimal", "encoding"):
        if getattr(stated, key):
            yield key, _quoted(getattr(stated, key))
    if stated.header is not None:
        yield "header", "true" if stated.header else "false"


def _columns_text(columns: Mapping[str, Sequence[Any] | Between]) -> str:
    return "{ " + ", ".join(f"{_key(name)} = {_wanted_text(words)}" for name, words in columns.items()) + " }"


def _wanted_text(wanted: Sequence[Any] | Between) -> str:
    if not isinstance(wanted, Between):
        return _words_text(wanted)
    ends = (("from", wanted.least), ("to", wanted.most))
    return "{ " + ", ".join(f"{key} = {_value_text(end)}" for key, end in ends if end is not None) + " }"


def _words_text(words: Sequence[Any]) -> str:
    return "[" + ", ".join(_quoted(w) if isinstance(w, str) else _value_text(w) for w in words) + "]"


def _value_text(value: Any) -> str:
    return number_text(value) if isinstance(value, float) else repr(value)


def _training_items(training: Training) -> Iterator[tuple[str, str]]:
    for key, value in table_of(training.recipe, training.steps).items():
        yield key, _setting_text(value)
    if training.steps != Training().steps:
        yield "steps", str(training.steps)


def _setting_text(value: Any) -> str:
    return _quoted(value) if isinstance(value, str) else _value_text(value)


# --- a text that is changed --------------------------------------------------------------------------------


def text_of(network: Network) -> str:
    """Return a network as text: that which it was read from, with what has been changed since put in.

    Where the text cannot be changed so that it says this network, it is written anew. That takes some 20 ms,
    and a session is written again and again: so a network, which never changes, keeps its text.
    """
    kept = network.__dict__.get(KEPT)
    if kept is None:
        kept = _text_of(network)
        if len(kept) <= MOST_KEPT:
            network.__dict__[KEPT] = kept
    return kept


def _text_of(network: Network) -> str:
    source = network.source.text
    if not source:
        return dumps(network)
    base = loads(source, name=network.name)
    if is_said_alike(base, network):
        return source
    text = _changed(plain(source), base, network)
    try:
        if text is not None and is_said_alike(loads(text, name=network.name), network):
            return as_in(source, text)
    except BackstepError:
        pass
    return as_in(source, dumps(network))


def as_in(source: str, text: str) -> str:
    """Return `text` with the line ends and the byte order mark of `source`."""
    if source.count("\r\n") > source.count("\n") // 2:
        text = text.replace("\n", "\r\n")
    return f"\ufeff{text}" if source.startswith("\ufeff") else text


def is_said_alike(a: Network, b: Network) -> bool:
    """Say whether a file has nothing to tell these networks apart."""
    return _said(a) == _said(b)


def _said(network: Network) -> tuple[Any, ...]:
    data = network.data
    return (
        network.title,
        network.description,
        network.formula.strip("\n"),
        network.loss,
        dict(network.dimensions),
        _numbers(network.parameters),
        data if isinstance(data, FileData) else _numbers(data),
        network.held_out,
        network.training,
    )


def _numbers(values: Mapping[str, Array | Initial]) -> dict[str, Any]:
    return {n: v if isinstance(v, Initial) else (v.shape, v.tobytes()) for n, v in values.items()}


def _changed(text: str, base: Network, network: Network) -> str | None:
    """Return the text of `base`, changed to say `network`; None where the editor cannot read it."""
    tables, before = _tables(network), _tables(base)
    edit = TextEdit.of(text, {*_differing(before, tables)})
    if edit is None:
        return None
    for key, new, old in (("title", network.title, base.title), ("loss", network.loss, base.loss)):
        if new != old:
            edit.put((), key, None if new is None else _quoted(new))
    if network.description != base.description:
        edit.put((), "description", _quoted(network.description) if network.description else None)
    if network.formula.strip("\n") != base.formula.strip("\n"):
        edit.put((), "formula", _formula_text(network.formula))
    for title in ("dimensions", "parameters", "data"):
        _change_table(edit, title, before[title], tables[title], base, network)
    if network.training != base.training:
        _change_training(edit, before["training"], network)
    return edit.text()


def _differing(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> Iterator[str]:
    for title, items in after.items():
        for key in {*items, *before[title]}:
            if items.get(key) != before[title].get(key):
                yield key


def _change_table(
    edit: TextEdit, title: str, before: dict[str, str], after: dict[str, str], base: Network, network: Network
) -> None:
    is_other_kind = title == "data" and isinstance(base.data, FileData) != isinstance(network.data, FileData)
    for key in edit.items((title,)) if is_other_kind else before:
        if key not in after:
            edit.put((title,), key, None)
    for key, text in after.items():
        if before.get(key) == text:
            continue
        old, new = _value(base, title, key), _value(network, title, key)
        if _are_alike(old, new):
            edit.put_entries((title,), key, old, new, text)
        elif title == "data" and isinstance(new, Mapping):
            edit.put_table((title,), key, {name: _wanted_text(words) for name, words in new.items()}, text)
        elif isinstance(new, Initial):
            items = {"shape": _words_text(new.shape), "init": f'"{new.init}"'}
            edit.put_table((title,), key, items, text)
        else:
            edit.put((title,), key, text)


def _change_training(edit: TextEdit, before: dict[str, str], network: Network) -> None:
    """Change what is said of training; what the file says although it is the default stays."""
    recipe = network.training.recipe
    whole = {"optimizer": recipe.optimizer, "schedule": recipe.schedule, "steps": network.training.steps}
    whole |= {**table_of(recipe, network.training.steps), **recipe.settings, **recipe.schedule_settings}
    for key, said in edit.items(("training",)).items():
        if key not in whole:
            edit.put(("training",), key, None)
        elif said != whole[key]:
            edit.put(("training",), key, _setting_text(whole[key]))
    told = edit.items(("training",))
    for key, text in _training_items(network.training):
        if key not in told and before.get(key) != text:
            edit.put(("training",), key, text)


def _value(network: Network, title: str, key: str) -> Any:
    if title == "parameters":
        return network.parameters.get(key)
    if title == "data" and isinstance(network.data, FileData):
        return network.data.own.get(key, getattr(network.data, key, None))
    return network.data.get(key) if title == "data" and isinstance(network.data, Mapping) else None


def _are_alike(old: Any, new: Any) -> bool:
    return isinstance(old, np.ndarray) and isinstance(new, np.ndarray) and old.shape == new.shape
