"""What every test needs before it starts: no display, one BLAS thread, fresh settings."""

from __future__ import annotations

import gc
import os

# Before Qt and NumPy are imported: both read their environment only once.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pathlib import Path

import hypothesis
import pytest

# A shared machine can stall at any moment, so no deadline; in CI the same examples every time.
hypothesis.settings.register_profile("local", deadline=None, max_examples=60)
hypothesis.settings.register_profile("ci", deadline=None, max_examples=60, derandomize=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(autouse=True)
def fresh_settings(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let every test, and every process it starts, begin with empty settings; return their folder."""
    from PySide6.QtCore import QCoreApplication, QSettings

    home = tmp_path_factory.mktemp("settings")
    for variable in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(home))
    QCoreApplication.setOrganizationName("Backstep")
    QCoreApplication.setApplicationName("Backstep")
    QSettings.setDefaultFormat(QSettings.Format.IniFormat)
    for layout in (QSettings.Format.IniFormat, QSettings.Format.NativeFormat):
        QSettings.setPath(layout, QSettings.Scope.UserScope, str(home))
    return home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest test begin first, in a new process: what others leave makes it several times longer."""
    items.sort(key=lambda item: "test_twenty_thousand" not in item.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Free what a test has left behind, where the window's collector has taken that over from Python's."""
    if not gc.isenabled():
        gc.unfreeze()
        gc.collect(2 if nextitem is None or not _tests_until_all(nextitem) else 1)


def _tests_until_all(item: pytest.Item) -> int:
    """Return how many tests are to come before everything is looked at: that takes a tenth of a second."""
    return hash(item.nodeid) % 16
