"""``train``: train a network and print its losses and parameters."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from engine.errors import UsageError, excerpt
from engine.optimizers import OPTIMIZERS
from engine.schedules import SCHEDULES
from engine.training import Recipe, Run
from graphs.commands.base import (
    Command,
    Outcome,
    add_network,
    add_recipe,
    bound,
    chosen_recipe,
    file_to_write,
    format_of,
    whole,
)
from graphs.commands.progress import Progress
from graphs.documents.csv import train_csv
from graphs.documents.json import dumps, train_json
from graphs.documents.text import columns, number, shape_text, summary
from graphs.files import write_whole
from graphs.network import Model

Trajectory = dict[str, list[np.ndarray]]
ENDINGS = {".txt": "text", ".json": "json", ".csv": "csv"}
MAX_STEPS = 10_000_000
MAX_RECORDED = 20_000_000  # numbers in a trajectory
EMPTY = 16  # what an array takes besides its numbers, in numbers
ROWS = 10


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument("--steps", type=whole(1, MAX_STEPS), metavar="N", help="default: the network's own")
    parser.add_argument("--trajectory", action="store_true", help="also give the parameters after every step")
    parser.add_argument(
        "--format", choices=tuple(FORMATS), help="default: by the ending of the file to write, else text"
    )
    endings = ", ".join(ENDINGS)
    parser.add_argument("--to", metavar="FILE", help=f"the file to write instead of printing, {endings}")
    add_recipe(parser)


def _run(args: Namespace) -> Outcome:
    write = FORMATS[_format(args)]
    target = None if args.to is None else file_to_write(args.to, is_forced=True)
    model = bound(args)
    run = Run(model, chosen_recipe(args, model.network))
    trajectory = _advance(run, args.steps or model.network.training.steps, args.trajectory)
    text = write(model, run, trajectory)
    if target is not None:
        write_whole(target, text.encode())
        text = f"{_ending(run)} Written to {excerpt(args.to, 100)}.\n"
    return Outcome(text) if run.diverged is None else Outcome(text, 1, run.diverged.sentence())


def _format(args: Namespace) -> str:
    if args.to is None or not args.to.strip() or Path(args.to).is_dir():
        return args.format or "text"
    return format_of(args.to, args.format, ENDINGS, "a run")


def _advance(run: Run, steps: int, record: bool) -> Trajectory | None:
    """Train for `steps`, and return every value of the parameters on the way where they are asked for."""
    stride = 1 if record else max(1, steps // 100)
    trajectory = {name: [value] for name, value in run.point.parameters.items()} if record else None
    if record and (steps + 1) * sum(v.size + EMPTY for v in run.point.parameters.values()) > MAX_RECORDED:
        raise UsageError("the trajectory would be too long.", how="Ask for fewer --steps.")
    progress = Progress(steps)
    while run.iteration < steps and run.ended is None:
        run.advance(min(stride, steps - run.iteration))
        if trajectory is not None:
            for name, value in run.point.parameters.items():
                trajectory[name].append(value)
        progress.show(run.iteration, f"loss {number(run.losses[-1])}")
    progress.clear()
    return trajectory


# --- text --------------------------------------------------------------------------------------------------


def _text(model: Model, run: Run, trajectory: Trajectory | None) -> str:
    parts = [
        f"{model.network.title} ({model.network.name}), seed {model.seed}",
        *model.notices,
        *_recipe_lines(run.recipe),
        "",
        _losses(run, trajectory),
        "",
        _parameters(run),
        *_endings(model, run),
    ]
    return "\n".join(parts) + "\n"


def _recipe_lines(recipe: Recipe) -> list[str]:
    """Say how the run was trained."""
    batch = f", {recipe.batch_size} examples a step" if recipe.batch_size else ""
    lines = [f"{OPTIMIZERS[recipe.optimizer].title}: {_settings(recipe.settings)}{batch}"]
    if recipe.schedule != "constant" or recipe.schedule_settings["warmup"]:
        schedule, settings = SCHEDULES[recipe.schedule], recipe.schedule_settings
        lines.append(f"{schedule.title} learning rate: {_settings(settings)}")
        lines.append(f"  at iteration i: {schedule.source(settings)}")
    return lines


def _settings(settings: Mapping[str, float]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in settings.items())


def _endings(model: Model, run: Run) -> list[str]:
    """Say the loss on held-out examples, and why a run ended before its last step."""
    found = []
    if model.held() is not None:
        found.append(f"held-out loss {number(run.sample(run.point).held_loss)}")
    if run.ended is not None and run.diverged is None:
        found.append(run.ended.sentence())
    return ["", *found] if found else []


def _ending(run: Run) -> str:
    """Say how a run ended, in one sentence."""
    if run.ended is not None:
        return run.ended.sentence()
    return f"{run.iteration} steps, loss {number(run.losses[-1])}."


def _losses(run: Run, trajectory: Trajectory | None) -> str:
    """Return the losses: all of them beside a trajectory, otherwise some ten from the first to the last."""
    last = run.iteration
    count = last if trajectory is not None else min(last, ROWS)
    places = sorted({round(i * last / count) for i in range(count + 1)}) if count else [0]
    recorded = trajectory or {}
    rows = [
        (str(i), number(run.losses[i]), *(summary(recorded[name][i]) for name in recorded)) for i in places
    ]
    return columns(("step", "loss", *recorded), rows)


def _parameters(run: Run) -> str:
    rows = [(name, shape_text(value), summary(value)) for name, value in run.point.parameters.items()]
    return columns(("parameter", "shape", "value"), rows)


# --- formats -----------------------------------------------------------------------------------------------


def _json(model: Model, run: Run, trajectory: Trajectory | None) -> str:
    return dumps(train_json(model, run, trajectory)) + "\n"


def _csv(model: Model, run: Run, trajectory: Trajectory | None) -> str:
    return train_csv(run, trajectory)


FORMATS: Mapping[str, Callable[[Model, Run, Trajectory | None], str]] = {
    "text": _text,
    "json": _json,
    "csv": _csv,
}

COMMAND = Command(
    "train",
    "Train a network and print its losses and the parameters it ends with.",
    "train two-layer-nonlinear --optimizer adam --beta1 0.95 --schedule cosine --steps 800 --to run.csv",
    _add_options,
    _run,
)
