"""The page put together: its head, what is written in it, and what its script reads."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from html import escape
from importlib import resources
from string import Template
from typing import Any

from engine.graph import Detail
from engine.trace import Step
from graphs.mathml import mathml
from graphs.palette import DARK, LIGHT, PHASES, PRINT, Palette
from graphs.provenance import provenance
from graphs.snapshot import Snapshot
from graphs.views.frame import Frame
from graphs.views.numbers import format_number
from graphs.webpage.arrays import ArrayTable
from graphs.webpage.cards import Drawing, drawing
from graphs.webpage.extent import extent
from graphs.webpage.lanes import Lanes
from graphs.webpage.record import Record
from graphs.webpage.steps import article, walk

__all__ = ["page"]

LETTER = 0.0105
"""Share of the steps that a letter of a phase's name takes up below the scrubber."""
_BEGIN = 'document.documentElement.classList.add("js")'
"""Said before the body is read, so that a browser does not lay out all steps first."""
_CARRIED = "Document"
"""The pair of the provenance that opens again."""


def page(snapshot: Snapshot) -> str:
    """Return the iteration of a snapshot as a web page that begins at its step."""
    frame = Frame.of(snapshot)
    statics = frame.statics
    shown = extent(len(statics.names), len(snapshot.trace.steps), snapshot.position)
    table = ArrayTable()
    frames = walk(frame, shown.first, shown.last)
    steps = "".join(article(here, shown, table) for here in frames)
    drawn = drawing(statics) if shown.graph else Drawing("", statics.names, statics.edges)
    lanes = Lanes(frame, shown, drawn, table)
    drawn = drawn.with_lanes(lanes.html())
    script = _resource("page.js")
    return Template(_resource("page.html")).substitute(
        title=escape(snapshot.title),
        policy=_policy(_BEGIN, f"\n{script}"),
        begin=_BEGIN,
        meta="\n".join(_meta(snapshot)),
        style=Template(_resource("page.css")).substitute(_colors(), font=_font()),
        about=_about(snapshot),
        note=f'<p class="note" role="note">{escape(shown.note)}</p>' if shown.note else "",
        graph=drawn.html,
        drawn="" if drawn.html else ' class="undrawn"',
        steps=steps,
        last=shown.last,
        first=shown.first,
        track=_track(snapshot.trace.steps[shown.first : shown.last]),
        phases=_phases(snapshot.trace.steps[shown.first : shown.last]),
        data=_in_script(Record(frame, shown, drawn, table, lanes).data()),
        script=script,
    )


@cache
def _resource(name: str) -> str:
    return resources.files("graphs.webpage").joinpath(name).read_text("utf-8")


@cache
def _font() -> str:
    """Return the font of formulas: one that relies on what is installed shows empty boxes on some phones."""
    data = resources.files("graphs.webpage").joinpath("math.woff2").read_bytes()
    return base64.b64encode(data).decode("ascii")


def _policy(*scripts: str) -> str:
    """Return what a browser may do with the page: run these scripts, apply its styles, and load nothing."""
    digests = (hashlib.sha256(script.encode()).digest() for script in scripts)
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode('ascii')}'" for digest in digests)
    return f"default-src 'none'; style-src 'unsafe-inline'; font-src data:; script-src {allowed}"


def _meta(snapshot: Snapshot) -> Iterator[str]:
    for key, value in provenance(snapshot, with_document=True).items():
        name = "generator" if key == "Software" else f"backstep.{key.lower().replace(' ', '-')}"
        if key == _CARRIED:
            yield f'<script type="application/x-backstep" id="document">{value}</script>'
        else:
            yield f'<meta name="{name}" content="{escape(value)}">'


def _about(snapshot: Snapshot) -> str:
    """Return what is said below the title: which iteration this is, how it is trained, and the loss."""
    detail = "a step a line" if snapshot.detail == Detail.EQUATION else "a step an operation"
    rate = f"{snapshot.settings['learning_rate']:.4g}"
    examples = snapshot.trace.graph.examples
    loss = mathml(snapshot.derivation.loss_latex())
    parts = [
        f"Iteration {snapshot.iteration:,}, {detail}",
        f"{snapshot.optimizer.title}, learning rate {rate}",
        f"{examples:,} examples" if examples and examples > 1 else "",
        f"seed {snapshot.model.seed}",
    ]
    said = " · ".join(escape(part) for part in parts if part)
    return f"{said} · loss {loss} = {format_number(snapshot.trace.loss)}"


# --- colours ------------------------------------------------------------------------------------------------


def _colors() -> dict[str, str]:
    return {"light": _variables(LIGHT), "dark": _variables(DARK), "print": _variables(PRINT)}


def _variables(palette: Palette) -> str:
    named = {key: value for key, value in vars(palette).items() if isinstance(value, str) and key != "name"}
    return "".join(f"--{key.replace('_', '-')}:{value};" for key, value in named.items())


def _track(steps: Sequence[Step]) -> str:
    """Return the phases as stops of a gradient along the scrubber, whose thumb keeps off the ends."""
    stops = []
    for phase, start, end in _spans(steps):
        share = [
            f"calc(var(--thumb) / 2 + (100% - var(--thumb)) * {at / len(steps):.5f})" for at in (start, end)
        ]
        stops.append(f"var(--{phase}) {' '.join(share)}")
    return f"linear-gradient(to right, {', '.join(stops)})" if stops else "none"


def _phases(steps: Sequence[Step]) -> str:
    return "".join(
        f'<li class="{phase}" style="flex-grow:{end - start}">'
        f"{phase if end - start >= LETTER * len(phase) * len(steps) else ''}</li>"
        for phase, start, end in _spans(steps)
    )


def _spans(steps: Sequence[Step]) -> Iterator[tuple[str, int, int]]:
    start = 0
    for phase in PHASES:
        count = sum(step.phase == phase for step in steps)
        if count:
            yield phase, start, start + count
            start += count


# --- what the script reads ----------------------------------------------------------------------------------


def _in_script(data: Mapping[str, Any]) -> str:
    """Return data as JSON that no text in it can end the element of."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace(
        "<", "\\u003c"
    )
