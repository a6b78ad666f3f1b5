"""``exercise``: a sheet of exercises made from any network, with its solutions or without."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from engine.training import Run
from graphs.commands.base import Command, Outcome, add_network, bound, file_to_write, format_of, whole
from graphs.exercise import DRILLS, MOST, empty_kinds, exercises
from graphs.files import write_whole
from graphs.sheets import NAMES, Sheet, Writer, writers
from graphs.snapshot import Snapshot
from graphs.wording import counted, listed


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument(
        "--kinds",
        metavar="KIND,…",
        default="",
        help=f"which, with commas: {', '.join(DRILLS)}, or an optimizer's name; default: all; "
        "those on the same network stand together",
    )
    parser.add_argument(
        "--count", type=whole(1, MOST), metavar="N", help="how many, the kinds in turns; default: one of each"
    )
    parser.add_argument("--solutions", action="store_true", help="with answers and how they are worked out")
    parser.add_argument("--to", metavar="FILE", help="write to a file, its format by its ending")
    parser.add_argument("--force", action="store_true", help="replace the file if it exists")
    parser.add_argument(
        "--format", choices=NAMES, help=f"default: by the ending of the file, else {NAMES[0]}"
    )


def _run(args: Namespace) -> Outcome:
    writer = _writer(args)
    path = None if args.to is None else file_to_write(args.to, is_forced=args.force)
    model = bound(args)
    snapshot = Snapshot.of(Run(model, model.network.training.recipe), model)
    kinds = [kind.strip().lower() for kind in args.kinds.split(",") if kind.strip()]
    seed = args.seed or 0
    found = exercises(snapshot, kinds, args.count, seed)
    text = writer.write(Sheet(found, snapshot, seed, args.solutions))
    empty = empty_kinds(snapshot, kinds, seed) if kinds else []
    said = " ".join(filter(None, (_said_of_set(args), _said_of(empty))))
    if path is None:
        return Outcome(text, problem=said)
    write_whole(path, text.encode())
    return Outcome(f"{path}: {counted(len(found), 'exercise')}\n", problem=said)


def _said_of_set(args: Namespace) -> str:
    return "exercises have short numbers of their own: --set changes none of them." if args.set else ""


def _said_of(empty: list[str]) -> str:
    """Say which kinds were asked for in vain."""
    return f"this network has nothing to ask for {listed(empty)}: no exercises of that." if empty else ""


def _writer(args: Namespace) -> Writer:
    """Return the format that is asked for, else the one of the file's ending."""
    known = writers()
    if args.to is None or not args.to.strip() or Path(args.to).is_dir():
        return known[args.format or NAMES[0]]
    endings = {ending: writer.name for writer in known.values() for ending in writer.endings}
    return known[format_of(args.to, args.format, endings, "a sheet")]


COMMAND = Command(
    "exercise",
    "Make exercises from a network, to be worked out by hand.",
    "exercise two-layer-nonlinear --kinds values,gradients --to sheet.tex --solutions",
    _add_options,
    _run,
)
