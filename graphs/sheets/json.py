"""A sheet for other programs."""

from __future__ import annotations

import json
from typing import Any

from graphs.sheets.sheet import Entry, Part, Sheet, Writer

__all__ = ["WRITER"]


def _write(sheet: Sheet) -> str:
    document = {
        "network": sheet.snapshot.model.network.name,
        "title": sheet.title,
        "seed": sheet.seed,
        "exercises": [_entry(entry, sheet.has_solutions) for entry in sheet.entries],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _entry(entry: Entry, has_solutions: bool) -> dict[str, Any]:
    return {
        "number": entry.number,
        "kind": entry.exercise.kind,
        "title": entry.title,
        "text": entry.exercise.text,
        "parts": [_part(part, has_solutions) for part in entry.parts],
    }


def _part(part: Part, has_solutions: bool) -> dict[str, Any]:
    question = part.posed.question
    found: dict[str, Any] = {"label": part.label, "ask": part.ask, "kind": question.kind}
    found |= {"choices": list(question.choices)} if question.choices else {}
    if has_solutions:
        found |= {"answer": _answer(part), "latex": part.answer}
        found |= {"hints": list(part.posed.hints), "solution": list(part.posed.solution)}
    return found


def _answer(part: Part) -> Any:
    """Return the right answer as a value: numbers, a shape, names, or words."""
    posed, kind = part.posed, part.posed.question.kind
    if kind in ("number", "matrix"):
        return posed.right.tolist()
    if kind == "shape":
        return list(posed.right_shape)
    if kind == "name":
        return sorted(posed.right_names)
    return posed.question.answer


WRITER = Writer("json", (".json",), _write)
