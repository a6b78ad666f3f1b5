"""``export``: any step as a picture or a document, in any of the formats, one file or many."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from engine.errors import UsageError, as_sentence, excerpt
from engine.graph import Detail
from graphs.commands.base import Command, Outcome, add_network, add_recipe, idle, real, scale, whole
from graphs.commands.place import snapshot_of
from graphs.commands.progress import Progress
from graphs.documents import Options, Scope, formats
from graphs.exporting import (
    OF_RUN,
    SUBJECTS,
    Job,
    Look,
    check_place,
    kind_of,
    kinds,
    planned,
    positions_of,
)
from graphs.files import require_writable, write_whole
from graphs.network import is_session
from graphs.snapshot import Snapshot
from graphs.wording import listed

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
    parser.add_argument(
        "--format", type=str.lower, default="", metavar="F", help=f"{names}; default: by the ending"
    )
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
        "update, or several with commas; default: the own step of an exported file or a session, "
        "of a web page the start, else last",
    )
    group.add_argument(
        "--iteration",
        type=whole(0, MAX_STEPS),
        metavar="N",
        help="which iteration, after training so far; default: that of an exported file or a session, else 0",
    )
    group.add_argument(
        "--steps",
        type=whole(0, MAX_STEPS),
        metavar="N",
        help="iterations that are trained: a CSV and a picture of the loss need some, a script trains as "
        "many; default: up to --iteration",
    )
    group.add_argument(
        "--detail",
        choices=[d.value for d in Detail],
        help="a step a line, or an operation; default: that of an exported file or a session, else equation",
    )


def _add_look(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("how it looks")
    group.add_argument("--of", choices=SUBJECTS, help="what a picture shows; default: graph")
    group.add_argument("--window", action="store_true", help="the whole window: the same as --of window")
    group.add_argument("--theme", choices=("light", "dark", "print"), help="default: light")
    group.add_argument(
        "--scale",
        type=scale,
        metavar="S",
        help="pixels for each unit, in formats that have pixels; default: 2, of the window 1",
    )
    group.add_argument("--transparent", action="store_true", help="leave the background out")
    group.add_argument("--legend", action="store_true", help="say below the graph what its lines mean")
    group.add_argument("--numbers", action="store_true", help="show the numbers of small arrays on the cards")
    group.add_argument(
        "--duration",
        type=_duration,
        metavar="S",
        help="seconds a step of an animation; default: 1",
    )
    group.add_argument(
        "--no-answers", action="store_true", help="leave results blank in a handout or a derivation"
    )


def _duration(text: str) -> float:
    number = real(text)
    if not 0.02 <= number <= 60:
        raise ArgumentTypeError(f"{excerpt(text, 30)} is not between 0.02 and 60")
    return number


def run(args: Namespace, draw: Draw) -> Outcome:
    """Write the files that the options ask for; `draw` paints those that are pictures."""
    _require_names(args)  # before anything is worked out
    look, snapshot = _look(args), snapshot_of(args)
    jobs = planned(
        args.to,
        _positions(args, look, snapshot),
        _fields(snapshot, look),
        wanted=args.format,
        is_stated=True,
        is_chosen=args.step is not None or is_session(args.network),
        is_forced=args.force,
    )
    _check_run(jobs, snapshot)
    progress = Progress(sum(len(job.positions) for job in jobs))
    pictures = [job for job in jobs if job.kind.is_picture]
    for job in jobs:
        if not job.kind.is_picture:
            _write(job, snapshot, Options(look.theme, not args.no_answers))
    if pictures:
        draw(snapshot, pictures, look, progress)
    progress.clear()
    notes = (*_without_effect(args, jobs), *_whatever_step(args, look, jobs, snapshot))
    first, *more = (*notes, *_cut_short(args, snapshot), "")
    return Outcome(_said(jobs), problem=" ".join((first, *map(as_sentence, more))).strip())


# --- what is asked for -------------------------------------------------------------------------------------


def _require_names(args: Namespace) -> None:
    """Say what is wrong with the names of files."""
    found = [kind_of(name, args.format, is_stated=True) for name in args.to]
    if args.format and all(kind.name != args.format for kind in found):
        endings = " or ".join(kinds()[args.format].endings)
        raise UsageError(
            f"{excerpt(args.to[0])} is not the name of a {args.format} file.",
            how=f"End it in {endings}, or leave --format out.",
        )
    for name in args.to:
        if "{" not in name:
            check_place(Path(name), args.force)
    for folder in {Path(name).parent for name in args.to}:
        if folder.is_dir():
            require_writable(folder)


def _positions(args: Namespace, look: Look, snapshot: Snapshot) -> Sequence[int]:
    """Return the steps that are shown; what shows the run shows it once."""
    found = positions_of(args.step or str(snapshot.position), snapshot.trace)
    is_of_run = look.subject in OF_RUN and all(kind_of(n, args.format).is_picture for n in args.to)
    return (snapshot.position,) if is_of_run else found


def _fields(snapshot: Snapshot, look: Look) -> Mapping[str, object]:
    return {
        "iteration": snapshot.iteration,
        "network": snapshot.model.network.name,
        "detail": snapshot.detail.value,
        "theme": look.theme,
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
    chosen = {
        "subject": "window" if args.window else args.of,
        "theme": args.theme,
        "scale": args.scale,
        "duration": args.duration,
    }
    given = {name: value for name, value in chosen.items() if value is not None}
    look = Look(is_transparent=args.transparent, has_legend=args.legend, has_numbers=args.numbers, **given)
    look.check()
    return look


# --- what is said ------------------------------------------------------------------------------------------

_USED = {
    "of": "subject",
    "window": "subject",
    "theme": "theme",
    "scale": "scale",
    "transparent": "is_transparent",
    "legend": "has_legend",
    "numbers": "has_numbers",
    "duration": "duration",
    "no_answers": "answers",
}
"""Which option of a kind's `uses` an argument sets."""


def _without_effect(args: Namespace, jobs: Sequence[Job]) -> Iterator[str]:
    """Say which options make no difference to any of the files."""
    used = {name for job in jobs for name in job.kind.uses}
    sentence = idle({n: bool(getattr(args, n)) and _USED[n] not in used for n in _USED}, _names(jobs))
    if sentence:
        yield sentence


def _whatever_step(args: Namespace, look: Look, jobs: Sequence[Job], snapshot: Snapshot) -> Iterator[str]:
    """Say which files show more than the steps that were asked for."""
    if args.step is None:
        return
    if look.subject in OF_RUN and any(job.kind.is_picture for job in jobs):
        yield f"the {look.subject} is that of the run, whatever --step says."
    partly = [job for job in jobs if len(job.positions) <= len(snapshot.trace.steps)]
    for scope, what in ((Scope.ITERATION, "step of the iteration"), (Scope.RUN, "iteration")):
        whole = [job for job in partly if not job.kind.has_place and _scope_of(job) == scope]
        if whole:
            has = "has" if len(whole) == 1 else "have"
            yield f"{_names(whole)} {has} every {what}, whatever --step says."
    for job in partly:
        if job.kind.takes == "all" and job.kind.has_place and len(job.positions) > 1:
            yield f"{_names([job])} has every step of the iteration and opens at step {job.positions[0]}."


def _cut_short(args: Namespace, snapshot: Snapshot) -> Iterator[str]:
    """Say why fewer iterations were trained than were asked for."""
    run = snapshot.run
    if run is not None and run.ended is not None and run.iteration < (args.steps or 0):
        yield run.ended.sentence()


def _scope_of(job: Job) -> Scope:
    return Scope.STEP if job.kind.is_picture else formats()[job.kind.name].scope


def _said(jobs: Sequence[Job]) -> str:
    if len(jobs) == 1:
        return f"Written to {excerpt(jobs[0].path, 100)}.\n"
    return f"{len(jobs)} files written: {_names(jobs)}.\n"


def _names(jobs: Sequence[Job]) -> str:
    """Return the names of files, of a numbered series the first and the last."""
    series: dict[str, list[Job]] = {}
    for job in jobs:
        series.setdefault(job.name, []).append(job)
    return listed([_series(found) for found in series.values()])


def _series(jobs: Sequence[Job]) -> str:
    first, last = (excerpt(job.path, 100) for job in (jobs[0], jobs[-1]))
    return first if len(jobs) == 1 else f"{first} to {last} ({len(jobs)})"


def _nothing(snapshot: Snapshot, jobs: Sequence[Job], look: Look, progress: Progress) -> None:
    raise UsageError("pictures need a painter.", where=excerpt(Path(jobs[0].path).name))


COMMAND = Command(
    "export",
    "Write any step as a picture or a document.",
    'export two-layer-nonlinear --to "step-{step:03d}.svg" --step all --theme print',
    _add_options,
    lambda args: run(args, _nothing),
)
