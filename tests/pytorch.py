"""Running source that needs PyTorch, which is no dependency: by a Python that has it, if there is one."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

__all__ = ["needs_torch", "run_with_torch"]

VARIABLE = "BACKSTEP_TORCH_PYTHON"


@cache
def _python() -> str:
    """Return the Python that has PyTorch, "" where there is none."""
    return os.environ.get(VARIABLE) or (sys.executable if find_spec("torch") else "")


needs_torch = pytest.mark.skipif(
    not _python(), reason=f"no PyTorch here: install it, or name a Python that has it in {VARIABLE}"
)


def run_with_torch(folder: Path, script: str, *arguments: str) -> str:
    """Return what a script prints that is run in a folder, by itself; PyTorch in one thread."""
    path = folder / "run_with_torch.py"
    path.write_text(f"import torch\ntorch.set_num_threads(1)\n{script}", encoding="utf-8")
    command = [_python(), "-I", "-W", "error", path.name, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
