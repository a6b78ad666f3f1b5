"""Writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import UsageError, excerpt
from graphs.network import Network, array_of, dumps
from gui.session import Document

__all__ = ["save_network", "write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or, where that fails, as it was before.

    Raises
    ------
    UsageError
        Where the folder cannot be written to or the disk is full.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _as_others(name, path)
        os.replace(name, path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _unwritable(path, error) from None


def _as_others(name: str, path: Path) -> None:
    """Give the new file the permissions of the one it replaces, or the usual ones."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()
    os.chmod(name, mode)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> UsageError:
    reason = (error.strerror or "unknown reason").lower()
    return UsageError(
        f"the file cannot be written ({reason}).", where=excerpt(path, 100), how="Choose another folder."
    )


def save_network(document: Document, path: Path) -> None:
    """Save the network of a document, its changed values and training settings put in."""
    network = document.network
    training = replace(network.training, recipe=document.recipe)
    network = replace(network, training=training, **_with_values(network, document.overrides))
    write_whole(path, dumps(network).encode())


def _with_values(network: Network, overrides: Mapping[str, Any]) -> dict[str, Any]:
    arrays = {
        name: value if isinstance(value, np.ndarray) else array_of(value, name)
        for name, value in overrides.items()
    }
    parameters = {**network.parameters, **{n: a for n, a in arrays.items() if n in network.parameters}}
    found: dict[str, Any] = {"parameters": parameters}
    if isinstance(network.data, dict):
        found["data"] = {**network.data, **{n: a for n, a in arrays.items() if n in network.data}}
    return found
