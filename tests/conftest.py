"""What every test needs before it starts: no display, one BLAS thread, fresh settings."""

from __future__ import annotations

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
