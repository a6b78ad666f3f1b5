"""``export``: any step as a picture or a document, in any of the formats, one file or many."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from engine.errors import UsageError, excerpt
from engine.graph import Detail
from engine.training import Run
from graphs.commands.base import (
    Command,
    Outcome,
    add_network,
    add_recipe,
    bound,
    chosen_recipe,
    overrides,
    real,
    scale,
    whole,
)
from graphs.commands.progress import Progress
from graphs.documents import Options, Scope, formats
from graphs.exporting import SUBJECTS, Job, Look, kind_of, kinds, planned, positions_of
from graphs.files import write_whole
from graphs.literals import array_of
from graphs.network import Model
from graphs.snapshot import Snapshot

__all__ = ["COMMAND", "run"]

MAX_STEPS = 10_000_000


Draw = Callable[[Snapshot, Sequence[Job], Look, Progress], None]


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    endings = ", ".join(dict.fromkeys(e for kind in kinds().values() for e in kind.endings))
    parser.add_argument(
        "--to",
        required=True,
        action="append",
        metavar="FILE",
        help=f"the file to write: {endings}; {{step:03d}} in its name makes a file of each; may be repeated",
    )
    names = ", ".join(kinds())
    parser.add_argument("--format", default="", metavar="F", help=f"{names}; default: by the ending")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    _add_place(parser)
    _add_look(parser)
    add_recipe(parser)


def _add_place(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("which step")
    group.add_argument(
        "--step",
        metavar="K",
        help="after how many steps: a number, 3-9, start, first, middle, last, all, forward, backward, "
        "update, or several with commas; default: last",
    )
    group.add_argument(
        "--iteration",
        type=whole(0, MAX_STEPS),
        metavar="N",
        help="which iteration, after training so far; default: 0",
    )
    group.add_argument(
        "--steps",
        type=whole(0, MAX_STEPS),
        metavar="N",
        help="iterations that are trained, for a curve or a table of the run; default: up to --iteration",
    )
    group.add_argument(
        "--detail",
        choices=[d.value for d in Detail],
        default="equation",
        help="a step a line, or an operation",
    )


def _add_look(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("how it looks")
    group.add_argument("--of", choices=SUBJECTS, help="what a picture shows; default: graph")
    group.add_argument("--window", action="store_true", help="the whole window: the same as --of window")
    group.add_argument("--theme", choices=("light", "dark", "print"), default="light")
    group.add_argument(
        "--scale",
        type=scale,
        metavar="S",
        help="pixels for each unit of a picture; default: 2, of the window 1",
    )
    group.add_argument("--transparent", action="store_true", help="leave the background out")
    group.add_argument(
        "--duration",
        type=_duration,
        default=1.0,
        metavar="S",
        help="seconds a step of an animation; default: 1",
    )
    group.add_argument("--no-answers", action="store_true", help="a handout with results left blank")


def _duration(text: str) -> float:
    number = real(text)
    if not 0.02 <= number <= 60:
        raise ArgumentTypeError(f"{excerpt(text, 30)} is not between 0.02 and 60")
    return number


def run(args: Namespace, draw: Draw) -> Outcome:
    """Write the files that the options ask for; `draw` paints those that are pictures."""
    for name in args.to:
        kind_of(name, args.format)  # before anything is worked out
    look, model = _look(args), bound(args)
    snapshot = _snapshot(args, model)
    positions = positions_of(args.step, snapshot.trace)
    jobs = planned(args.to, positions, _fields(args, model), wanted=args.format, is_forced=args.force)
    _check_run(jobs, snapshot)
    progress = Progress(sum(len(job.positions) for job in jobs))
    pictures = [job for job in jobs if job.kind.is_picture]
    for job in jobs:
        if not job.kind.is_picture:
            _write(job, snapshot, Options(args.theme, not args.no_answers))
    if pictures:
        draw(snapshot, pictures, look, progress)
    progress.clear()
    return Outcome(_said(jobs))


def _snapshot(args: Namespace, model: Model) -> Snapshot:
    """Return the iteration asked for, trained to where it has to be."""
    found = Run(model, chosen_recipe(args, model.network))
    wanted = max(args.iteration or 0, args.steps or 0)
    progress = Progress(wanted)
    while found.iteration < wanted and found.ended is None:
        found.advance(min(max(1, wanted // 100), wanted - found.iteration))
        progress.show(found.iteration)
    progress.clear()
    iteration = args.iteration or 0
    if iteration > found.iteration and found.ended is not None:
        raise UsageError(
            f"there is no iteration {iteration}: {found.ended.sentence()}", how="Ask for an earlier one."
        )
    values = {name: array_of(value, name) for name, value in overrides(args).items()}
    return Snapshot.of(found, model, detail=Detail(args.detail), iteration=iteration, overrides=values)


def _fields(args: Namespace, model: Model) -> Mapping[str, object]:
    return {
        "iteration": args.iteration or 0,
        "network": model.network.name,
        "detail": args.detail,
        "theme": args.theme,
    }


def _check_run(jobs: Sequence[Job], snapshot: Snapshot) -> None:
    """Say so where a table of a run that has not begun is asked for."""
    runs = {name for name, format in formats().items() if format.scope == Scope.RUN}
    is_empty = snapshot.run is None or snapshot.run.iteration == 0
    if is_empty and any(job.kind.name in runs for job in jobs):
        raise UsageError("nothing has been trained.", how="Add how many iterations, such as --steps 500.")


def _write(job: Job, snapshot: Snapshot, options: Options) -> None:
    text = formats()[job.kind.name].write(snapshot.at(job.positions[0]), options)
    write_whole(job.path, text.encode())


def _look(args: Namespace) -> Look:
    if args.window and args.of not in (None, "window"):
        raise UsageError(f"--window and --of {args.of} are two things.", how="Leave one of them out.")
    subject = "window" if args.window else args.of or "graph"
    return Look(subject, args.theme, args.scale, args.transparent, args.duration)


def _said(jobs: Sequence[Job]) -> str:
    first, last = (excerpt(job.path, 100) for job in (jobs[0], jobs[-1]))
    if len(jobs) == 1:
        return f"Written to {first}.\n"
    return f"{len(jobs)} files written, {first} to {last}.\n"


def _nothing(snapshot: Snapshot, jobs: Sequence[Job], look: Look, progress: Progress) -> None:
    raise UsageError("pictures need a painter.", where=excerpt(Path(jobs[0].path).name))


COMMAND = Command(
    "export",
    "Write any step as a picture or a document.",
    'export two-layer-nonlinear --to "step-{step:03d}.svg" --step all --theme print',
    _add_options,
    lambda args: run(args, _nothing),
)
