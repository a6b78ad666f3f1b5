"""The kinds of exercises, one a file: each is a `DRILL` record that makes them from any network.

A new kind is a new file here and its name in `NAMES`, which is the order of a sheet.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from graphs.drills.base import Drill

__all__ = ["DRILLS", "NAMES"]

NAMES = ("values", "local", "shapes", "formulas", "gradients", "updates", "stored", "paths", "faults")

DRILLS: Mapping[str, Drill] = {name: importlib.import_module(f"{__name__}.{name}").DRILL for name in NAMES}
