"""Whether things may glide: the user's own setting, else what the system asks for."""

from __future__ import annotations

import configparser
import os
import plistlib
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.parsers.expat import ExpatError

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

__all__ = ["motion_wanted"]


def motion_wanted(setting: str, home: Path | None = None, platform: str = sys.platform) -> bool:
    """Say whether motion is wanted.

    Parameters
    ----------
    setting
        "full", "none", or "system": the setting ``view/motion``.
    home
        The user's folder, where the system's wishes are read.
    """
    if setting != "system":
        return setting == "full"
    if platform == "win32":
        return QApplication.isEffectEnabled(Qt.UIEffect.UI_General)
    read = _mac_says_less if platform == "darwin" else _desktop_says_less
    return not read(home or Path.home())


def _mac_says_less(home: Path) -> bool:
    """Read "Reduce motion" of macOS's accessibility settings; Qt does not pass it on."""
    path = home / "Library/Preferences/com.apple.universalaccess.plist"
    try:
        return bool(plistlib.loads(path.read_bytes()).get("reduceMotion"))
    except (OSError, ValueError, ExpatError):
        return False


def _desktop_says_less(home: Path) -> bool:
    """Read what GTK desktops and Plasma keep about animations."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return any(_says(config / name, section, key, test) for name, section, key, test in _DESKTOPS)


def _is_off(value: str) -> bool:
    return value.strip().lower() in ("0", "false", "0.0")


_DESKTOPS: tuple[tuple[str, str, str, Callable[[str], bool]], ...] = (
    ("gtk-4.0/settings.ini", "Settings", "gtk-enable-animations", _is_off),
    ("gtk-3.0/settings.ini", "Settings", "gtk-enable-animations", _is_off),
    ("kdeglobals", "KDE", "AnimationDurationFactor", _is_off),
)


def _says(path: Path, section: str, key: str, test: Callable[[str], bool]) -> bool:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError, OSError):
        return False
    found: Mapping[str, str] = parser[section] if parser.has_section(section) else {}
    return test(found.get(key, ""))
