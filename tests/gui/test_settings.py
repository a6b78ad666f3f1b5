"""Settings: what is set is there at the next start, what is broken in the file is not believed."""

import pytest
from PySide6.QtCore import QSettings

from gui.settings import RECENT_KEPT, SETTINGS, Settings

OTHER = {
    "view/theme": "dark",
    "view/detail": "primitive",
    "view/motion": "none",
    "view/sentences": False,
    "play/speed": 2.5,
    "window/geometry": b"\x00\xff1",
    "window/state": b"\x01",
    "window/present": True,
    "files/recent": ("a.toml", "b, c.toml"),
    "files/folder": "/home/é",
    "lessons/places": ("3 04-chain-rule",),
    "lessons/open": "3 04-chain-rule",
    "lessons/progress": ("12:3,5 04-chain-rule",),
    "export/kind": "pdf",
    "export/subject": "neurons",
    "export/theme": "print",
    "files/network": "perceptron-classifier",
    "files/dialogs": "own",
}


@pytest.fixture
def file(tmp_path):
    return str(tmp_path / "settings.ini")


def opened(file):
    return Settings(QSettings(file, QSettings.Format.IniFormat))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_every_setting_starts_at_its_default_and_survives_a_restart(qapp, file, setting):
    settings = opened(file)
    assert settings.get(setting.key) == setting.default
    settings.set(setting.key, OTHER[setting.key])
    settings.save()
    again = opened(file)
    assert again.get(setting.key) == OTHER[setting.key]
    again.reset(setting.key)
    again.save()
    assert opened(file).get(setting.key) == setting.default


def test_a_change_is_told_once(qtbot, file):
    settings = opened(file)
    with qtbot.waitSignal(settings.changed) as signal:
        settings.set("view/theme", "dark")
    assert signal.args == ["view/theme"]
    with qtbot.assertNotEmitted(settings.changed):
        settings.set("view/theme", "dark")


@pytest.mark.parametrize(
    ("key", "broken"),
    [("view/theme", "mauve"), ("play/speed", "fast"), ("play/speed", "1e9"), ("view/sentences", "perhaps")],
)
def test_a_broken_file_gives_the_default(qapp, file, key, broken):
    store = QSettings(file, QSettings.Format.IniFormat)
    store.setValue(key, broken)
    default = next(setting.default for setting in SETTINGS if setting.key == key)
    assert Settings(store).get(key) == default


@pytest.mark.parametrize(
    ("key", "value"), [("view/theme", "mauve"), ("play/speed", 99.0), ("play/speed", "1")]
)
def test_what_cannot_be_is_refused(qapp, file, key, value):
    with pytest.raises(ValueError, match=key):
        opened(file).set(key, value)


def test_an_unknown_setting_is_a_defect(qapp, file):
    with pytest.raises(KeyError):
        opened(file).get("view/colour")


def test_recent_files_stand_once_the_last_in_front(qapp, file):
    settings = opened(file)
    for name in [*"abcdefghijkl", "c"]:
        settings.add_recent(name)
    recent = settings.get("files/recent")
    assert recent[:3] == ("c", "l", "k")
    assert len(recent) == len(set(recent)) == RECENT_KEPT
