"""``train``: train a network and print its losses and parameters."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

import numpy as np

from engine.errors import UsageError
from engine.training import Recipe, Run
from graphs.commands.base import (
    Command,
    Outcome,
    add_format,
    add_network,
    add_optimizer,
    bound,
    chosen_optimizer,
    whole,
)
from graphs.documents.json import dumps, train_json
from graphs.documents.text import columns, number, shape_text, summary
from graphs.network import Model

Trajectory = dict[str, list[np.ndarray]]
MAX_STEPS = 10_000_000
MAX_RECORDED = 20_000_000  # numbers in a trajectory
EMPTY = 16  # what an array takes besides its numbers, in numbers
ROWS = 10


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    add_optimizer(parser)
    parser.add_argument("--steps", type=whole(1, MAX_STEPS), metavar="N", help="default: the network's own")
    parser.add_argument(
        "--batch-size",
        type=whole(1),
        metavar="B",
        help="examples in a mini-batch; default: the network's own",
    )
    parser.add_argument("--trajectory", action="store_true", help="also give the parameters after every step")
    add_format(parser, "text", "json")


def _run(args: Namespace) -> Outcome:
    model = bound(args)
    optimizer, settings = chosen_optimizer(args, model.network)
    training = model.network.training
    run = Run(model, Recipe(optimizer.name, settings, args.batch_size or training.batch_size))
    steps = args.steps or training.steps
    trajectory = _advance(run, steps, args.trajectory)
    if args.format == "json":
        text = dumps(train_json(model, run, trajectory)) + "\n"
    else:
        text = _text(model, run, trajectory)
    return Outcome(text) if run.diverged is None else Outcome(text, 1, run.diverged.sentence())


def _advance(run: Run, steps: int, record: bool) -> Trajectory | None:
    """Train for `steps`, and return every value of the parameters on the way where they are asked for."""
    stride = 1 if record else max(1, steps // 100)
    trajectory = {name: [value] for name, value in run.point.parameters.items()} if record else None
    if record and (steps + 1) * sum(v.size + EMPTY for v in run.point.parameters.values()) > MAX_RECORDED:
        raise UsageError("the trajectory would be too long.", how="Ask for fewer --steps.")
    progress = _Progress(steps)
    while run.iteration < steps and run.diverged is None:
        run.advance(min(stride, steps - run.iteration))
        if trajectory is not None:
            for name, value in run.point.parameters.items():
                trajectory[name].append(value)
        progress.show(run)
    progress.clear()
    return trajectory


class _Progress:
    """How far training is, on stderr where a person watches it: nothing in a file or a pipe."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._shown = -1
        self._watched = sys.stderr is not None and sys.stderr.isatty()

    def show(self, run: Run) -> None:
        percent = 100 * run.iteration // self._steps
        if self._watched and percent != self._shown:
            self._shown = percent
            sys.stderr.write(f"\r{percent:3d} %, loss {number(run.losses[-1])}".ljust(40))
            sys.stderr.flush()

    def clear(self) -> None:
        if self._watched:
            sys.stderr.write("\r" + " " * 40 + "\r")
            sys.stderr.flush()


def _text(model: Model, run: Run, trajectory: Trajectory | None) -> str:
    settings = ", ".join(f"{name.replace('_', ' ')} {value:g}" for name, value in run.settings.items())
    batch = f", {run.batch_size} examples a step" if run.batch_size else ""
    parts = [
        f"{model.network.title} ({model.network.name}), seed {model.seed}",
        *model.notices,
        f"{run.optimizer.title}: {settings}{batch}",
        "",
        _losses(run, trajectory),
        "",
        _parameters(run),
    ]
    return "\n".join(parts) + "\n"


def _losses(run: Run, trajectory: Trajectory | None) -> str:
    """Return the losses: all of them beside a trajectory, otherwise some ten from the first to the last."""
    last = run.iteration
    count = last if trajectory is not None else min(last, ROWS)
    places = sorted({round(i * last / count) for i in range(count + 1)})
    recorded = trajectory or {}
    rows = [
        (str(i), number(run.losses[i]), *(summary(recorded[name][i]) for name in recorded)) for i in places
    ]
    return columns(("step", "loss", *recorded), rows)


def _parameters(run: Run) -> str:
    rows = [(name, shape_text(value), summary(value)) for name, value in run.point.parameters.items()]
    return columns(("parameter", "shape", "value"), rows)


COMMAND = Command(
    "train",
    "Train a network and print its losses and the parameters it ends with.",
    "train univariate-regression --learning-rate 0.05 --steps 200 --format json",
    _add_options,
    _run,
)
