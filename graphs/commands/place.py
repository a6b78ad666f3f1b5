"""The place that ``export`` writes of: which run, which iteration, after how many steps.

A network begins at its first iteration; a file that was exported, or a session, stands where it was written.
"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path

from engine.errors import UsageError
from engine.faults import run_of
from engine.graph import Detail
from engine.training import Run
from graphs.commands.base import bound, chosen_recipe, overrides, wants_optimizer
from graphs.commands.progress import Progress
from graphs.literals import array_of
from graphs.network import is_session
from graphs.reopening import reopened
from graphs.sessions import SavedSession, read_session
from graphs.snapshot import Snapshot, same_place

__all__ = ["snapshot_of"]


def snapshot_of(args: Namespace) -> Snapshot:
    """Return the iteration asked for, trained to where it has to be, after its last step.

    Of a file that has a place, detail, iteration and step are its own where the options say nothing; so is
    its run, unless they ask for another one.

    Raises
    ------
    BackstepError
        For a network that cannot be bound, and an iteration that its run does not reach.
    """
    saved = read_session(Path(args.network)) if is_session(args.network) else None
    before = None if saved is None else reopened(saved)
    begun = before if before is not None and not _is_another(args) else _begun(args, saved)
    assert begun.run is not None
    iteration = args.iteration if args.iteration is not None else before.iteration if before else 0
    run = _trained(begun.run, iteration, max(iteration, args.steps or 0))
    detail = Detail(args.detail) if args.detail else before.detail if before else Detail.EQUATION
    found = Snapshot.of(run, begun.model, detail=detail, iteration=iteration, overrides=begun.overrides)
    found = replace(found, runs=begun.runs)
    return found if before is None else found.at(_place_in(found, before))


def _is_another(args: Namespace) -> bool:
    """Say whether the options ask for another run than the one that a file keeps."""
    return args.seed is not None or bool(args.set) or wants_optimizer(args)


def _begun(args: Namespace, saved: SavedSession | None) -> Snapshot:
    """Return the beginning of the run that the options describe, with the fault of a file that has one."""
    model = bound(args)
    fault = None if saved is None else saved.document.fault
    run = run_of(model, chosen_recipe(args, model.network), fault)
    values = {name: array_of(value, name) for name, value in overrides(args).items()}
    return Snapshot.of(run, model, overrides=values)


def _trained(run: Run, iteration: int, wanted: int) -> Run:
    progress = Progress(wanted)
    while run.iteration < wanted and run.ended is None:
        run.advance(min(max(1, wanted // 100), wanted - run.iteration))
        progress.show(run.iteration)
    progress.clear()
    if iteration > run.iteration and run.ended is not None:
        raise UsageError(
            f"there is no iteration {iteration}. {run.ended.sentence()}", how="Ask for an earlier one."
        )
    return run


def _place_in(found: Snapshot, before: Snapshot) -> int:
    """Return the step of an iteration that another one stood at."""
    steps = len(found.trace.steps)
    if found.detail == before.detail and steps == len(before.trace.steps):
        return before.position
    return same_place(before.trace, before.position, found.trace)
