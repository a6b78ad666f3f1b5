"""How long a command takes as a process, imports and all: ``pytest tests/benchmarks --benchmark-only``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MAIN = Path(__file__).parents[2] / "main.py"
COMMANDS = {
    "python": ["-c", "pass"],
    "import numpy": ["-c", "import numpy"],
    "networks": [str(MAIN), "networks"],
    "trace": [str(MAIN), "trace", "two-layer-nonlinear"],
    "trace primitive json": [
        str(MAIN),
        "trace",
        "perceptron-classifier",
        "--detail=primitive",
        "--format=json",
    ],
    "derive": [str(MAIN), "derive", "two-layer-nonlinear"],
    "check": [str(MAIN), "check", "perceptron-classifier"],
    "train": [str(MAIN), "train", "two-layer-nonlinear", "--steps", "500"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_process(benchmark: Any, name: str) -> None:
    argv = [sys.executable, *COMMANDS[name]]
    benchmark.pedantic(
        subprocess.run, (argv,), {"check": True, "capture_output": True}, rounds=7, warmup_rounds=1
    )
