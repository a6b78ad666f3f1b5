"""Motion is off where the user or the system asks for less of it."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest

from gui.motion import motion_wanted


@pytest.fixture(autouse=True)
def no_config_folder(monkeypatch):
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@pytest.mark.parametrize(("setting", "wanted"), [("full", True), ("none", False)])
def test_the_users_own_word_counts_most(tmp_path, setting, wanted):
    write(tmp_path / ".config/kdeglobals", b"[KDE]\nAnimationDurationFactor=0\n")
    assert motion_wanted(setting, tmp_path, "linux") is wanted


@pytest.mark.parametrize(
    ("file", "text", "wanted"),
    [
        (".config/gtk-3.0/settings.ini", b"[Settings]\ngtk-enable-animations=0\n", False),
        (".config/gtk-4.0/settings.ini", b"[Settings]\ngtk-enable-animations=false\n", False),
        (".config/gtk-4.0/settings.ini", b"[Settings]\ngtk-enable-animations=1\n", True),
        (".config/kdeglobals", b"[KDE]\nAnimationDurationFactor=0\n", False),
        (".config/kdeglobals", b"[KDE]\nAnimationDurationFactor=0.7\n", True),
        (".config/kdeglobals", b"no settings at all \xff\xfe", True),
        (".config/other", b"", True),
    ],
)
def test_desktops_are_asked(tmp_path, file, text, wanted):
    write(tmp_path / file, text)
    assert motion_wanted("system", tmp_path, "linux") is wanted


@pytest.mark.parametrize(
    ("data", "wanted"),
    [(plistlib.dumps({"reduceMotion": True}), False), (plistlib.dumps({}), True), (b"broken", True)],
)
def test_macos_is_asked(tmp_path, data, wanted):
    write(tmp_path / "Library/Preferences/com.apple.universalaccess.plist", data)
    assert motion_wanted("system", tmp_path, "darwin") is wanted


def test_windows_is_asked_through_qt(qapp, tmp_path):
    assert isinstance(motion_wanted("system", tmp_path, "win32"), bool)
