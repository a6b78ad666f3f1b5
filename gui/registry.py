"""Finds what a package holds: adding a picture format or a panel means adding a file."""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType

__all__ = ["modules_of"]


def modules_of(package: str) -> list[ModuleType]:
    """Return the modules directly inside `package`, imported, by name."""
    found = importlib.import_module(package)
    names = sorted(entry.name for entry in pkgutil.iter_modules(found.__path__))
    return [importlib.import_module(f"{package}.{name}") for name in names]
