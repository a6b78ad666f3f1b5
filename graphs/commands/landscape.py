"""``landscape``: the loss over two parameters or two directions; as a summary, a table, or a picture.

Pictures are painted by the window's room; whoever runs the command with one in mind gives a function that
does, so that the other formats start without Qt.
"""

from __future__ import annotations

import csv
import io
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from engine.errors import UsageError, excerpt
from engine.landscape import (
    FINEST,
    Extent,
    Slice,
    Space,
    Surface,
    along_entries,
    along_principal,
    along_random,
    default_extent,
    evaluate,
    last_finite,
    run_points,
)
from engine.trace import forward
from engine.training import Run
from graphs.commands.base import (
    Command,
    Outcome,
    add_network,
    add_recipe,
    bound,
    chosen_recipe,
    file_to_write,
    format_of,
    idle,
    real,
    scale,
    wants_optimizer,
    whole,
)
from graphs.commands.workers import Progress
from graphs.documents.json import dumps
from graphs.documents.text import columns, number
from graphs.files import write_whole
from graphs.network import Model

__all__ = ["COMMAND", "PICTURES", "Drawn", "run"]

PICTURES = (".png", ".svg")
TABLES = {".csv": "csv", ".json": "json"}
GRID = 200
MAX_STEPS = 10_000_000


@dataclass(frozen=True, eq=False)
class Drawn:
    """A landscape that has been worked out, with the run on it: what a picture shows.

    Attributes
    ----------
    iteration
        The one through whose parameters the slice goes.
    """

    model: Model
    run: Run
    surface: Surface
    iteration: int


Draw = Callable[[Drawn, Path, Namespace], None]


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument(
        "--x", metavar="ENTRY", help='what varies across, such as w or "W1[0,2]"; default: the first entry'
    )
    parser.add_argument("--y", metavar="ENTRY", help="what varies upwards; default: the next entry")
    parser.add_argument(
        "--directions",
        choices=("principal", "random"),
        help="instead of entries: the two directions in which training moved most, or two random ones",
    )
    for axis in "xy":
        parser.add_argument(
            f"--{axis}-range",
            nargs=2,
            type=real,
            metavar=("FROM", "TO"),
            help=f"the part of {axis} that is shown; default: what shows the start, the end and the minimum",
        )
    parser.add_argument(
        "--grid",
        type=whole(2, FINEST),
        default=GRID,
        metavar="N",
        help=f"points along each axis; default: {GRID}",
    )
    parser.add_argument(
        "--steps",
        type=whole(0, MAX_STEPS),
        metavar="N",
        help="train first, and go through the end; default: 0",
    )
    parser.add_argument(
        "--to", metavar="FILE", help=f"the file to write, {', '.join((*PICTURES, *TABLES))}; default: print"
    )
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        help="default: by the ending of the file, else text",
    )
    picture = parser.add_argument_group("pictures")
    picture.add_argument("--log", action="store_true", help="colours by the logarithm of the loss")
    picture.add_argument("--theme", choices=("light", "dark", "print"), help="default: light")
    picture.add_argument("--scale", type=scale, metavar="S", help="pixels for each unit of a PNG; default: 2")
    add_recipe(parser)


def run(args: Namespace, draw: Draw | None = None) -> Outcome:
    """Work a landscape out and write it; `draw` paints a picture into a file."""
    target = None if args.to is None else _target(args)
    model = bound(args)
    drawn = _worked_out(args, model)
    if target is None:
        text = FORMATS[args.format or "text"](drawn)
    else:
        if target.suffix.lower() in PICTURES:
            assert draw is not None
            draw(drawn, target, args)
        else:
            write_whole(target, FORMATS[TABLES[target.suffix.lower()]](drawn).encode())
        text = f"{_lowest(drawn)}. Written to {excerpt(args.to, 100)}.\n"
    diverged = drawn.run.diverged
    if diverged is not None:
        return Outcome(text, 1, diverged.sentence())
    return Outcome(text, problem=_without_effect(args, target))


def _without_effect(args: Namespace, target: Path | None) -> str:
    """Return which options made no difference to what was written, in a sentence; "" for none."""
    is_picture = target is not None and target.suffix.lower() in PICTURES
    has_pixels = is_picture and args.to.lower().endswith(".png")
    given = {
        "log": args.log and not is_picture,
        "theme": args.theme is not None and not is_picture,
        "scale": args.scale is not None and not has_pixels,
    }
    return idle(given, excerpt(args.to, 100) if target is not None else "what is printed")


# --- what is asked for -------------------------------------------------------------------------------------


def _target(args: Namespace) -> Path:
    """Return the file to write; says what is wrong with it before anything is worked out."""
    path = Path(args.to)
    ending = path.suffix.lower()
    if ending not in (*PICTURES, *TABLES):
        known = ", ".join((*PICTURES, *TABLES))
        raise UsageError(f"a landscape cannot be written as {excerpt(args.to)}.", how=f"End it in {known}.")
    if ending in PICTURES and args.format:
        raise UsageError(f"{excerpt(args.to)} is a picture.", how="Leave out --format.")
    if ending in TABLES:
        format_of(args.to, args.format, TABLES, "a landscape")
    return file_to_write(args.to, is_forced=True)


def _worked_out(args: Namespace, model: Model) -> Drawn:
    _refuse_both(args)
    run_ = _trained(args, model)
    centre = last_finite(run_, run_.point)
    slice_ = _slice(args, model, run_, centre.parameters)
    extent = _extent(args, model, run_, slice_)
    with Progress() as progress:
        for surface in evaluate(slice_, model.graph, model.inputs, extent, args.grid):
            progress.show(surface.share)
    return Drawn(model, run_, surface, centre.iteration)


def _refuse_both(args: Namespace) -> None:
    if args.directions and (args.x or args.y):
        raise UsageError(
            "the axes are two entries or two directions.",
            how="Leave out --x and --y, or --directions.",
        )


def _trained(args: Namespace, model: Model) -> Run:
    """Return the run, trained as far as asked for; who chooses an optimizer wants to see it at work."""
    found = Run(model, chosen_recipe(args, model.network))
    wanted = wants_optimizer(args) or args.directions == "principal"
    steps = args.steps if args.steps is not None else model.network.training.steps if wanted else 0
    with Progress() as progress:
        while found.iteration < steps and found.ended is None:
            found.advance(min(max(1, steps // 100), steps - found.iteration))
            progress.show(found.iteration / steps, f"training, loss {number(found.losses[-1])}")
    return found


def _slice(args: Namespace, model: Model, run_: Run, centre: Mapping[str, np.ndarray]) -> Slice:
    graph = model.graph
    if args.directions == "principal":
        return along_principal(graph, centre, Space.of(graph).trajectory(run_)[1])
    if args.directions == "random":
        return along_random(graph, centre, model.seed)
    space = Space.of(graph)
    first = args.x or _other(space, args.y)
    return along_entries(graph, centre, first, args.y or _other(space, first))


def _other(space: Space, taken: str | None) -> str:
    """Return the first entry that is not `taken`."""
    if not space.size:
        return ""
    index = space.index(taken) if taken is not None else -1
    return space.name(0 if index != 0 else min(1, space.size - 1))


def _extent(args: Namespace, model: Model, run_: Run, slice_: Slice) -> Extent:
    extent = default_extent(slice_, model.graph, model.inputs, run_points(slice_.space, [run_]))
    if args.x_range:
        extent = replace(extent, left=args.x_range[0], right=args.x_range[1])
    if args.y_range:
        extent = replace(extent, bottom=args.y_range[0], top=args.y_range[1])
    return extent.checked()


# --- formats -----------------------------------------------------------------------------------------------


def _text(drawn: Drawn) -> str:
    model, run_, surface = drawn.model, drawn.run, drawn.surface
    extent = surface.extent
    rows = [
        ("x", surface.slice.labels[0], number(extent.left), number(extent.right)),
        ("y", surface.slice.labels[1], number(extent.bottom), number(extent.top)),
    ]
    parts = [
        f"{model.network.title} ({model.network.name}), seed {model.seed}",
        *model.notices,
        _what(drawn),
        "",
        columns(("axis", "what varies", "from", "to"), rows),
        "",
        columns(("", "x", "y", "loss"), _places(drawn)),
        "",
        f"{len(surface.xs)} × {len(surface.ys)} points; --to FILE writes them, as .csv, .json, .png or .svg.",
    ]
    if run_.ended is not None and run_.diverged is None:
        parts.append(run_.ended.sentence())
    return "\n".join(parts) + "\n"


def _what(drawn: Drawn) -> str:
    """Say whether all of the landscape is worked out, or which part."""
    slice_ = drawn.surface.slice
    if slice_.is_whole:
        return "The whole landscape: the network has only two parameters."
    if slice_.kind == "entries":
        others = "1 other number stays" if slice_.still == 1 else f"{slice_.still} other numbers stay"
        return f"A slice: {others} as at iteration {drawn.iteration}."
    return f"A slice through iteration {drawn.iteration}."


def _places(drawn: Drawn) -> list[tuple[str, ...]]:
    """Return start, end and the lowest of the grid, with the losses on the slice."""
    model, run_, surface = drawn.model, drawn.run, drawn.surface
    slice_, loss = surface.slice, model.graph.ids[model.graph.loss]
    named = [("start", run_.history.samples[0].point)]
    if run_.iteration:
        named.append((f"after {run_.iteration} steps", run_.point))
    rows: list[tuple[str, ...]] = []
    for name, point in named:
        x, y = slice_.coordinates(point.parameters)
        found = forward(model.graph, {**model.inputs, **slice_.parameters(x, y)})[loss]
        rows.append((name, number(x), number(y), number(found)))
    lowest = surface.lowest()
    if lowest is not None:
        rows.append(("lowest of the grid", *map(number, lowest)))
    return rows


def _lowest(drawn: Drawn) -> str:
    lowest = drawn.surface.lowest()
    if lowest is None:
        return "No loss of the grid is finite"
    across, up = drawn.surface.slice.labels
    x, y, loss = map(number, lowest)
    return f"Lowest of the grid: {loss} at {across} = {x}, {up} = {y}"


def _csv(drawn: Drawn) -> str:
    """Return a row for each point, row by row from the bottom left."""
    surface = drawn.surface
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["x", "y", "loss"])
    xs = surface.xs.tolist()
    for y, losses in zip(surface.ys.tolist(), surface.losses.T.tolist(), strict=True):
        writer.writerows([x, y, loss] for x, loss in zip(xs, losses, strict=True))
    return out.getvalue()


def _json(drawn: Drawn) -> str:
    model, run_, surface = drawn.model, drawn.run, drawn.surface
    slice_ = surface.slice
    trail = slice_.project(slice_.space.trajectory(run_)[1]).tolist()
    document = {
        "network": model.network.name,
        "seed": model.seed,
        "kind": slice_.kind,
        "whole": slice_.is_whole,
        "x": slice_.labels[0],
        "y": slice_.labels[1],
        "iteration": drawn.iteration,
        "xs": surface.xs.tolist(),
        "ys": surface.ys.tolist(),
        "loss": surface.losses.T.tolist(),
        "start": trail[0],
        "trajectory": trail,
    }
    return dumps(document) + "\n"


FORMATS: Mapping[str, Callable[[Drawn], str]] = {"text": _text, "json": _json, "csv": _csv}

COMMAND = Command(
    "landscape",
    "Work out the loss over two parameters or directions, as numbers or as a picture.",
    'landscape two-layer-nonlinear --x "W1[0,0]" --y "w2[0,0]" --steps 500 --to landscape.svg',
    _add_options,
    run,
)
