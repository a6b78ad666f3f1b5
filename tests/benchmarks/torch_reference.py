"""What PyTorch's optimizers and schedules do in 50 steps: the reference that the engine's are held to.

``python -m tests.benchmarks.torch_reference`` (with torch installed) writes ``tests/engine/data/torch.json``;
the tests read that file and need no torch. The loss is ``x.A x / 2 + sum(cos x)``: neither quadratic nor
separable, so that every entry of a state matters.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch  # pyright: ignore[reportMissingImports]

STEPS = 50
MATRIX = [[2.0, 0.3, -0.4], [0.3, 1.0, 0.1], [-0.4, 0.1, 0.5]]
START = [1.5, -2.0, 0.7]
TARGET = Path(__file__).parents[1] / "engine" / "data" / "torch.json"

# our optimizer, our settings, PyTorch's optimizer, PyTorch's settings
OPTIMIZERS: tuple[tuple[str, dict[str, float], str, dict[str, Any]], ...] = (
    ("gd", {"learning_rate": 0.1}, "SGD", {"lr": 0.1}),
    (
        "momentum",
        {"learning_rate": 0.05, "momentum": 0.8, "dampening": 0.0},
        "SGD",
        {"lr": 0.05, "momentum": 0.8},
    ),
    (
        "nesterov",
        {"learning_rate": 0.05, "momentum": 0.8, "dampening": 0.0},
        "SGD",
        {"lr": 0.05, "momentum": 0.8, "nesterov": True},
    ),
    ("adagrad", {"learning_rate": 0.3, "epsilon": 1e-6}, "Adagrad", {"lr": 0.3, "eps": 1e-6}),
    (
        "rmsprop",
        {"learning_rate": 0.02, "rho": 0.95, "epsilon": 1e-7},
        "RMSprop",
        {"lr": 0.02, "alpha": 0.95, "eps": 1e-7},
    ),
    (
        "adam",
        {"learning_rate": 0.1, "beta1": 0.85, "beta2": 0.99, "epsilon": 1e-8},
        "Adam",
        {"lr": 0.1, "betas": [0.85, 0.99], "eps": 1e-8},
    ),
)

# our schedule, our settings, PyTorch's schedule, PyTorch's settings; the base rate is 0.2
SCHEDULES: tuple[tuple[str, dict[str, float], str, dict[str, Any]], ...] = (
    ("step", {"every": 7, "factor": 0.3}, "StepLR", {"step_size": 7, "gamma": 0.3}),
    ("exponential", {"decay": 0.95}, "ExponentialLR", {"gamma": 0.95}),
    ("cosine", {"period": 50, "final_rate": 0.01}, "CosineAnnealingLR", {"T_max": 50, "eta_min": 0.01}),
    ("warmup", {"warmup": 10}, "LinearLR", {"start_factor": 0.1, "total_iters": 9}),
)


def trajectory(name: str, settings: dict[str, Any]) -> list[list[float]]:
    """Return the parameters after each of the steps."""
    x = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    matrix = torch.tensor(MATRIX, dtype=torch.float64)
    optimizer = getattr(torch.optim, name)([x], **settings)
    found = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        (x @ matrix @ x / 2 + torch.cos(x).sum()).backward()
        optimizer.step()
        found.append(x.tolist())
    return found


def rates(name: str, settings: dict[str, Any]) -> list[float]:
    """Return the learning rate of each of the steps."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.2)
    schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **settings)
    found = []
    for _ in range(STEPS):
        found.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return found


def main() -> None:
    """Write the reference."""
    optimizers = [
        {"optimizer": ours, "settings": settings, "torch": f"{theirs} {more}", "x": trajectory(theirs, more)}
        for ours, settings, theirs, more in OPTIMIZERS
    ]
    schedules = [
        {"schedule": ours, "settings": settings, "torch": f"{theirs} {more}", "rates": rates(theirs, more)}
        for ours, settings, theirs, more in SCHEDULES
    ]
    document = {
        "source": f"PyTorch {torch.__version__}, float64, by python -m tests.benchmarks.torch_reference",
        "matrix": MATRIX,
        "start": START,
        "base_rate": 0.2,
        "optimizers": optimizers,
        "schedules": schedules,
    }
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(json.dumps(document).replace("}, {", "},\n{") + "\n", "utf-8")


if __name__ == "__main__":
    main()
