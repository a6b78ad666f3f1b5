"""Where a file comes from: what every export says about itself."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import metadata
from pathlib import Path

from engine.faults import fault_of
from graphs.documents import Scope
from graphs.snapshot import Snapshot

__all__ = ["provenance", "version"]


@cache
def version() -> str:
    """Return the version that the project file above this one states, or that of the installed package."""
    try:
        project = Path(__file__).parents[1] / "pyproject.toml"
        return tomllib.loads(project.read_text("utf-8"))["project"]["version"]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return metadata.version("backstep")


def provenance(
    snapshot: Snapshot, *, with_document: bool = False, scope: Scope = Scope.STEP
) -> dict[str, str]:
    """Return what a file says about itself, by key, to be written in its format's own way.

    Parameters
    ----------
    scope
        What the file shows: this step, every step of the iteration, or every iteration of the run.
    with_document
        Whether the session is among them with which the file opens again at this step
        (:mod:`graphs.reopening`): in formats whose endings are :data:`~graphs.carrying.CARRIERS`.
    """
    found = {
        "Software": f"Backstep {version()}",
        "Title": snapshot.title,
        "Network": snapshot.model.network.name,
        "Seed": str(snapshot.model.seed),
        **_shown(snapshot, scope),
    }
    fault = fault_of(snapshot.run)
    if fault is not None:
        found["Fault"] = fault.title(snapshot.model.graph)
    if not with_document:
        return found
    from graphs.reopening import carried_pairs  # here, because a short command needs nothing of sessions

    return found | carried_pairs(snapshot)


def _shown(snapshot: Snapshot, scope: Scope) -> dict[str, str]:
    """Return which place, iteration or run a file shows, and its title."""
    iteration, last = snapshot.iteration, len(snapshot.trace.steps)
    if scope == Scope.RUN:
        return {"Iteration": _to(0, snapshot.run.iteration if snapshot.run is not None else 0)}
    step, title = str(snapshot.position), snapshot.place()
    if scope == Scope.ITERATION:
        step, title = _to(1, last), f"iteration {iteration}"
    return {
        "Title": f"{snapshot.title}, {title}",
        "Iteration": str(iteration),
        "Step": step,
        "Detail": snapshot.detail.value,
    }


def _to(first: int, last: int) -> str:
    return f"{first} to {last}" if last > first else str(last)
