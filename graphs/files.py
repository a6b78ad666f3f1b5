"""Writing files whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from engine.errors import UsageError, excerpt

__all__ = ["require_writable", "write_whole"]

_NO_FILES = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS)
"""What a system says of a folder, which is there, in which no file can be made."""


def write_whole(
    path: Path,
    data: bytes | Callable[[BinaryIO], object],
    is_wanted: Callable[[], bool] = lambda: True,
) -> None:
    """Write a file so that it is there whole or, where that fails, as it was before.

    Parameters
    ----------
    data
        What is to be in the file, or what writes it there.
    is_wanted
        Asked when everything has been written; where it says no, the file stays as it was before.

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
            if isinstance(data, bytes):
                file.write(data)
            else:
                data(file)
            file.flush()
            os.fsync(file.fileno())
        if is_wanted():
            _as_others(name, path)
            os.replace(name, path)
        else:
            Path(name).unlink()
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise _unwritable(path, error) from None
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def require_writable(folder: Path) -> None:
    """See to it that files can be made in a folder, before anything is worked out for them.

    Raises
    ------
    UsageError
        Where none can.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        reason = f" ({(error.strerror or 'unknown reason').lower()})" if error.errno not in _NO_FILES else ""
        raise UsageError(
            f"no file can be written in this folder{reason}.",
            where=excerpt(folder, 100),
            how="Choose another one.",
        ) from None


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
    if error.errno in _NO_FILES and path.parent.is_dir():
        reason = "its folder takes no files"
    return UsageError(
        f"the file cannot be written ({reason}).", where=excerpt(path, 100), how="Choose another folder."
    )
