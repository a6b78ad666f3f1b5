"""``exercise``: a sheet of exercises made from any network, with its solutions or without."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from engine.errors import UsageError, excerpt
from engine.training import Run
from graphs.commands.base import Command, Outcome, add_format, add_network, bound, whole
from graphs.exercise import DRILLS, MOST, exercises
from graphs.files import write_whole
from graphs.sheets import NAMES, Sheet, Writer, writers
from graphs.snapshot import Snapshot


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument(
        "--kinds",
        metavar="KIND,…",
        default="",
        help=f"which, with commas: {', '.join(DRILLS)}, or an optimizer's name; default: all",
    )
    parser.add_argument(
        "--count", type=whole(1, MOST), metavar="N", help="how many, the kinds in turns; default: one of each"
    )
    parser.add_argument("--solutions", action="store_true", help="with answers and how they are worked out")
    parser.add_argument("--to", metavar="FILE", help="write to a file, its format by its ending")
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    add_format(parser, *NAMES)


def _run(args: Namespace) -> Outcome:
    writer = _writer(args)
    path = _path(args)
    model = bound(args)
    snapshot = Snapshot.of(Run(model, model.network.training.recipe), model)
    kinds = [kind.strip() for kind in args.kinds.split(",") if kind.strip()]
    seed = args.seed or 0
    found = exercises(snapshot, kinds, args.count, seed)
    text = writer.write(Sheet(found, snapshot, seed, args.solutions))
    if path is None:
        return Outcome(text)
    write_whole(path, text.encode())
    return Outcome(f"{path}: {len(found)} exercises\n")


def _writer(args: Namespace) -> Writer:
    """Return the format that is asked for, else the one of the file's ending."""
    known = writers()
    if args.to is None or args.format != NAMES[0]:
        return known[args.format]
    for writer in known.values():
        if args.to.lower().endswith(writer.endings):
            return writer
    endings = ", ".join(ending for writer in known.values() for ending in writer.endings)
    raise UsageError(f"{excerpt(args.to)} is not the name of a sheet.", how=f"End it in one of {endings}.")


def _path(args: Namespace) -> Path | None:
    if args.to is None:
        return None
    path = Path(args.to)
    if path.exists() and not args.force:
        raise UsageError(f"{excerpt(path)} exists.", how="Add --force to replace it, or choose another name.")
    return path


COMMAND = Command(
    "exercise",
    "Make exercises from a network, to be worked out by hand.",
    "exercise two-layer-nonlinear --kinds values,gradients --to sheet.tex --solutions",
    _add_options,
    _run,
)
