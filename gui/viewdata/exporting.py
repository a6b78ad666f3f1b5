"""What the export card offers: formats by group, files' names, what a choice comes to in words. No Qt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.graph import Detail
from engine.trace import Trace
from graphs.documents import Scope
from graphs.documents import formats as documents
from graphs.exporting import OF_RUN, Job, Kind, kinds

__all__ = ["GROUPS", "STEPS", "Wanted", "groups", "said", "suggested"]

GROUPS = ("Picture", "Animation", "Document", "Script", "Graph and numbers")
_GROUP_OF = {
    **dict.fromkeys(("svg", "png", "pdf"), "Picture"),
    **dict.fromkeys(("gif", "webp", "apng", "mp4"), "Animation"),
    **dict.fromkeys(("html", "latex", "markdown", "tikz"), "Document"),
    **dict.fromkeys(("numpy", "pytorch"), "Script"),
}
STEPS = ("This step", "All steps", "Forward", "Backward", "Update", "Other steps…")
"""What the choice of steps offers; the last is typed."""
_WORDS = {"All steps": "all", "Forward": "forward", "Backward": "backward", "Update": "update"}


@dataclass(frozen=True)
class Wanted:
    """What is chosen on the card.

    Attributes
    ----------
    kind
        The format's name.
    steps
        One of `STEPS`; `typed` says which where they are typed.
    """

    kind: str = "svg"
    subject: str = "graph"
    steps: str = STEPS[0]
    typed: str = ""
    detail: Detail = Detail.EQUATION
    theme: str = "print"
    scale: float = 2.0
    is_transparent: bool = False
    duration: float = 1.0
    answers: bool = True
    has_legend: bool = False
    has_numbers: bool = False
    extras: Mapping[str, str] = field(default_factory=dict)

    @property
    def format(self) -> Kind:
        """The format."""
        return kinds()[self.kind]

    def step_text(self, position: int) -> str:
        """Return the steps as :func:`graphs.exporting.positions_of` takes them."""
        if self.steps == STEPS[-1]:
            return self.typed or str(position)
        return _WORDS.get(self.steps, str(position))

    @property
    def shows_step(self) -> bool:
        """Whether another step gives another file."""
        if self.format.is_picture:
            return self.subject not in OF_RUN
        return documents()[self.kind].scope == Scope.STEP


def groups() -> dict[str, list[Kind]]:
    """Return every format by the group that it is listed under."""
    found: dict[str, list[Kind]] = {name: [] for name in GROUPS}
    for kind in kinds().values():
        found[_GROUP_OF.get(kind.name, GROUPS[-1])].append(kind)
    return found


def suggested(wanted: Wanted, network: str, positions: Sequence[int]) -> str:
    """Return a name for the file: what it is of, and which step where it shows one."""
    stem = re.sub(r"[^\w.-]+", "-", network).strip("-") or "network"
    subject = "" if wanted.subject == "graph" or not wanted.format.is_picture else f"-{wanted.subject}"
    step = ""
    if wanted.shows_step and len(positions) == 1:
        step = f"-step-{positions[0]:03d}"
    elif wanted.shows_step and wanted.format.takes == "one":
        step = "-step-{step:03d}"
    return f"{stem}{subject}{step}{wanted.format.endings[0]}"


def said(wanted: Wanted, positions: Sequence[int], trace: Trace) -> str:
    """Return in words how much is written."""
    count, last = len(positions), len(trace.steps)
    if not wanted.shows_step:
        is_page = wanted.format.takes == "all" and wanted.format.has_place
        return f"every step; opens at step {positions[0]} of {last}" if is_page else ""
    if count == 1:
        return f"step {positions[0]} of {last}"
    if not wanted.format.is_picture or wanted.format.takes == "one":
        return f"{count} files, a step each"
    if wanted.kind == "pdf":
        return f"{count} pages"
    return f"{count} steps, {count * wanted.duration:g} s"


def taken(jobs: Sequence[Job]) -> list[Path]:
    """Return the files that are there already."""
    return [job.path for job in jobs if job.path.exists()]
