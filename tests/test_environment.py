"""What Backstep needs from the machine and from Qt; each of these has failed on some version."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QPainterPath, QRawFont

FONTS = Path(__file__).parents[1] / "gui" / "resources" / "fonts"
SIGNS = "×⊙∂σŷ−∞▾▸→←↑↓₀₁₂²ᵀ·⋅…≈√∇αβθρε≤≥∘Σ▶◀ABCabc0123456789"


def test_pyside_is_one_of_the_sound_versions() -> None:
    major, minor = (int(part) for part in version("PySide6-Essentials").split(".")[:2])
    assert (6, 8) <= (major, minor) < (6, 12)


def test_qt_calls_do_not_lose_references_to_none() -> None:
    # With PySide6 6.12 on Python 3.11 every call that returns None loses a reference to it, until it aborts.
    path = QPainterPath()
    before = sys.getrefcount(None)
    for index in range(1000):
        path.moveTo(index, 0.0)
    assert sys.getrefcount(None) > before - 100


def test_blas_has_one_thread_and_qt_no_display() -> None:
    assert os.environ["OPENBLAS_NUM_THREADS"] == "1"
    assert "QT_QPA_PLATFORM" in os.environ


@pytest.mark.parametrize("value", ["first", "second"])
def test_settings_start_empty(value: str, fresh_settings: Path) -> None:
    settings = QSettings()
    assert settings.value("kept") is None
    settings.setValue("kept", value)
    settings.sync()
    assert fresh_settings in Path(settings.fileName()).parents


@pytest.mark.parametrize("weight", ["Regular", "Medium", "SemiBold"])
def test_the_bundled_font_draws_every_sign(weight: str, qapp: object) -> None:
    font = QRawFont(str(FONTS / f"Inter-{weight}.ttf"), 20)
    assert font.isValid()
    assert [sign for sign in SIGNS if not font.supportsCharacter(ord(sign))] == []
