"""``sweep``: the loss that each of many learning rates comes to, and the stability limit."""

from __future__ import annotations

import csv
import io
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import asdict
from typing import Any

from engine.errors import excerpt
from engine.optimizers import OPTIMIZERS
from engine.stability import Limit, stability_limit
from engine.sweep import Found, Sweep, SweepResult, default_range, log_rates, sweep
from graphs.commands.base import (
    Command,
    Outcome,
    add_format,
    add_network,
    add_recipe,
    bound,
    chosen_recipe,
    real,
    whole,
)
from graphs.commands.workers import MOST_WORKERS, Progress, executor
from graphs.documents.json import dumps
from graphs.documents.text import columns, number
from graphs.network import Model

MOST_STEPS = 10_000_000
POINTS = 25


def _add_options(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument(
        "--rates",
        type=_range_or_list,
        metavar="A..B",
        help="learning rates from A to B, or a list of them such as 0.1,0.5; default: powers of ten around "
        "the network's own",
    )
    parser.add_argument(
        "--points",
        type=whole(2, 1000),
        default=POINTS,
        metavar="N",
        help=f"how many rates; default: {POINTS}",
    )
    parser.add_argument("--steps", type=whole(1, MOST_STEPS), metavar="N", help="default: the network's own")
    parser.add_argument(
        "--workers",
        type=whole(1, MOST_WORKERS),
        metavar="K",
        help="how many processes; default: one a processor",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="a Dask scheduler whose workers do the work instead"
    )
    add_format(parser, "text", "json", "csv")
    add_recipe(parser)


def _range_or_list(text: str) -> tuple[float, ...]:
    """Read ``0.001..10`` as two ends, ``0.1,0.5`` as the rates themselves; a range is marked by None."""
    low, dots, high = text.partition("..")
    parts = (low, high) if dots else tuple(text.split(","))
    try:
        numbers = tuple(real(part) for part in parts)
    except ArgumentTypeError:
        raise ArgumentTypeError(f"{excerpt(text, 40)!r} is neither 0.001..10 nor 0.1,0.5") from None
    return _Ends(numbers) if dots else numbers


class _Ends(tuple[float, ...]):
    """The two ends of a range."""


def _run(args: Namespace) -> Outcome:
    model = bound(args)
    recipe = chosen_recipe(args, model.network)
    limit = stability_limit(model, recipe)
    rates = args.rates or _Ends(default_range(recipe.learning_rate, limit.rate))
    if isinstance(rates, _Ends):
        rates = log_rates(rates[0], rates[1], args.points)
    plan = Sweep(model, recipe, rates, args.steps or model.network.training.steps).checked()
    result = _swept(SweepResult(plan, limit), args)
    text = FORMATS[args.format](model, result, limit)
    if all(found.outcome == "failed" for found in result.found):
        return Outcome(text, 1, f"no learning rate could be tried: {result.found[0].failure}")
    return Outcome(text)


def _swept(result: SweepResult, args: Namespace) -> SweepResult:
    plan = result.plan
    with (
        executor(args.workers, args.scheduler, len(plan.rates)) as workers,
        closing(sweep(plan, workers)) as work,  # given up before the workers are waited for
        Progress() as progress,
    ):
        for records in work:
            result.extend(records)
            progress.show(result.progress, f"{len(result.found)} of {len(plan.rates)} learning rates")
    return result


# --- formats -----------------------------------------------------------------------------------------------


def _text(model: Model, result: SweepResult, limit: Limit) -> str:
    plan = result.plan
    batch = f", {plan.recipe.batch_size} examples a step" if plan.recipe.batch_size else ""
    parts = [
        f"{model.network.title} ({model.network.name}), seed {model.seed}",
        *model.notices,
        f"{OPTIMIZERS[plan.recipe.optimizer].title}{batch}: {plan.steps} steps at each learning rate.",
        limit.sentence(),
        "",
        columns(("learning rate", "loss", "steps", "remark"), [_row(f) for f in result.found]),
        "",
        result.sentence(),
    ]
    return "\n".join(parts) + "\n"


def _row(found: Found) -> tuple[str, str, str, str]:
    remark = {
        "trained": "",
        "rose": "not below the start",
        "diverged": f"diverged at iteration {found.diverged_at}",
        "diverging": "diverging: above the limit",
        "oscillating": "goes to and fro for ever: at the limit",
        "failed": found.failure,
    }[found.outcome]
    loss = "" if found.outcome in ("diverged", "failed") else number(found.loss)
    return f"{found.rate:.4g}", loss, str(found.iterations), remark


def _json(model: Model, result: SweepResult, limit: Limit) -> str:
    plan = result.plan
    document = {
        "network": model.network.name,
        "seed": model.seed,
        "optimizer": plan.recipe.optimizer,
        "steps": plan.steps,
        "limit": asdict(limit),
        "rates": [{**_entry(found), "outcome": found.outcome} for found in result.found],
        "best": [found.rate for found in result.best],
        "sentence": result.sentence(),
    }
    return dumps(document) + "\n"


def _entry(found: Found) -> dict[str, Any]:
    return {name: value for name, value in asdict(found).items() if name != "limit"}  # it is said once


def _csv(model: Model, result: SweepResult, limit: Limit) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["learning_rate", "loss", "iterations", "outcome", "diverged_at", "failure"])
    for f in result.found:
        writer.writerow([f.rate, f.loss, f.iterations, f.outcome, f.diverged_at, f.failure])
    return out.getvalue()


FORMATS: Mapping[str, Callable[[Model, SweepResult, Limit], str]] = {
    "text": _text,
    "json": _json,
    "csv": _csv,
}

COMMAND = Command(
    "sweep",
    "Train with many learning rates and print the loss that each comes to.",
    "sweep univariate-regression --rates 0.001..10 --points 33 --steps 200",
    _add_options,
    _run,
)
