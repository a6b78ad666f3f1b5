"""What Backstep remembers between two starts: one table of settings, and a typed way to them.

The store is a `QSettings` that is handed in, so that tests have an empty one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QSettings, Signal

RECENT_KEPT = 10


@dataclass(frozen=True)
class Setting:
    """One row of the table.

    Attributes
    ----------
    key : str
        Its name in the store; what comes before a slash is its group.
    default : str, float, bool, bytes or tuple of str
        Its value until somebody chooses another; the type of every other one.
    title : str
        What it is called in the preferences; empty if it is not shown there.
    choices : tuple of str
        The values it may have, all if there are none.
    least, most : float
        The range of a number.
    """

    key: str
    default: Any
    title: str = ""
    choices: tuple[str, ...] = ()
    least: float = float("-inf")
    most: float = float("inf")

    def valid(self, value: Any) -> bool:
        """Say whether `value` may be set."""
        if type(value) is not type(self.default):
            return False
        if isinstance(value, float):
            return self.least <= value <= self.most
        return not self.choices or value in self.choices


SETTINGS: tuple[Setting, ...] = (
    Setting("view/theme", "system", "Theme", ("system", "light", "dark", "print")),
    Setting("view/detail", "equation", "Detail", ("equation", "primitive", "neurons")),
    Setting("view/motion", "system", "Motion", ("system", "full", "none")),
    Setting("view/sentences", True, "Say each step in a sentence"),
    Setting("play/speed", 1.0, "Speed", least=0.125, most=16.0),
    Setting("window/geometry", b""),
    Setting("window/state", b""),
    Setting("window/present", False),
    Setting("export/kind", "svg"),
    Setting("export/subject", "graph"),
    Setting("export/theme", ""),
    Setting("lessons/places", ()),
    Setting("lessons/open", ""),
    Setting("lessons/progress", ()),
    Setting("files/recent", ()),
    Setting("files/folder", ""),
    Setting("files/network", ""),
    Setting("files/dialogs", "system", "File dialogs", ("system", "own")),
)
BY_KEY: dict[str, Setting] = {setting.key: setting for setting in SETTINGS}


class Settings(QObject):
    """The settings' values.

    Parameters
    ----------
    store : QSettings
        Where they are kept.

    Signals
    -------
    changed(str)
        The key of a setting that has another value now.
    """

    changed = Signal(str)

    def __init__(self, store: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store

    @property
    def folder(self) -> Path:
        """The folder of the file that they are in, for what is kept beside it."""
        return Path(self._store.fileName()).parent

    def get(self, key: str) -> Any:
        """Return a setting's value; its default if none is stored, or one that cannot be.

        Raises
        ------
        KeyError
            If there is no such setting.
        """
        setting = BY_KEY[key]
        value = _decoded(self._store.value(key), setting.default)
        return value if setting.valid(value) else setting.default

    def set(self, key: str, value: Any) -> None:
        """Give a setting another value and say so.

        Raises
        ------
        KeyError
            If there is no such setting.
        ValueError
            If it cannot have this value.
        """
        setting = BY_KEY[key]
        if not setting.valid(value):
            raise ValueError(f"the setting {key} cannot be {value!r}")
        if value == self.get(key):
            return
        self._store.setValue(key, _encoded(value))
        self.changed.emit(key)

    def reset(self, key: str) -> None:
        """Give a setting its default again."""
        self.set(key, BY_KEY[key].default)

    def add_recent(self, path: str) -> None:
        """Put a file in front of the recent ones; each stands there once."""
        others = tuple(other for other in self.get("files/recent") if other != path)
        self.set("files/recent", (path, *others)[:RECENT_KEPT])

    def save(self) -> None:
        """Write everything out now."""
        self._store.sync()


def _encoded(value: Any) -> Any:
    if isinstance(value, bytes):
        return QByteArray(value)
    return list(value) if isinstance(value, tuple) else value


def _decoded(stored: Any, default: Any) -> Any:
    """Return a stored value in the type of `default`; text files give back numbers and truths as text."""
    if isinstance(default, bool):
        return {"true": True, "false": False, True: True, False: False}.get(stored)
    if isinstance(default, float):
        return _number(stored)
    if isinstance(default, tuple):
        # A list of one comes back as its only entry, an empty one as nothing.
        return (stored,) if isinstance(stored, str) and stored else tuple(stored or ())
    if isinstance(default, bytes):
        return bytes(stored.data()) if isinstance(stored, QByteArray) else b""
    return stored


def _number(stored: Any) -> float | None:
    try:
        return float(stored)
    except (TypeError, ValueError):
        return None
