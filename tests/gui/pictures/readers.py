"""Programs that know nothing of Backstep, by which exported pictures are opened."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QImage

ROOT = Path(__file__).parents[3]
CHROMIUM = next(
    (name for name in ("chromium", "chromium-browser", "google-chrome") if shutil.which(name)), ""
)
FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{fonts}</dir>
<cachedir>{cache}</cachedir></fontconfig>"""


def needs(*programs: str) -> pytest.MarkDecorator:
    """Return a mark that skips a test where a program is not installed."""
    missing = [program for program in programs if not shutil.which(program)]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="not installed: chromium")


def run(*command: object, env: Mapping[str, str] | None = None) -> str:
    """Return what a program prints; fail where it does."""
    result = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
        env={**os.environ, **(env or {})},
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
ALONE = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{fonts}</dir><cachedir>{cache}</cachedir></fontconfig>"""
needs_dejavu = pytest.mark.skipif(not DEJAVU.exists(), reason="not installed: DejaVu fonts")


def with_wide_fonts(folder: Path) -> dict[str, str]:
    """Return an environment in which other programs find only fonts that are wider than Backstep's."""
    file = folder / "wide.conf"
    file.write_text(ALONE.format(fonts=DEJAVU, cache=folder / "wide"), "utf-8")
    return {"FONTCONFIG_FILE": str(file)}


def with_fonts(folder: Path) -> dict[str, str]:
    """Return an environment in which other programs find the fonts that Backstep brings along."""
    file = folder / "fonts.conf"
    file.write_text(FONTS.format(fonts=ROOT / "gui" / "resources" / "fonts", cache=folder / "cache"), "utf-8")
    return {"FONTCONFIG_FILE": str(file)}


def screenshot(
    page: Path, image: Path, width: int, height: int, env: Mapping[str, str] | None = None
) -> None:
    """Paint a page in a browser, with Backstep's fonts unless `env` gives it others."""
    home = page.parent / "chromium"
    run(
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--force-device-scale-factor=1",
        f"--user-data-dir={home}",
        f"--window-size={width},{height}",
        f"--screenshot={image}",
        page.as_uri(),
        env=env or with_fonts(page.parent),
    )


def pixels(image: QImage | Path) -> np.ndarray:
    """Return an image as numbers of shape (height, width, 3), on white."""
    found = image if isinstance(image, QImage) else QImage(str(image))
    assert not found.isNull()
    ground = QImage(found.size(), QImage.Format.Format_RGB32)
    ground.fill(0xFFFFFFFF)
    from PySide6.QtGui import QPainter

    painter = QPainter(ground)
    painter.drawImage(0, 0, found)
    painter.end()
    width, height = ground.width(), ground.height()
    rows = np.frombuffer(ground.constBits(), np.uint8).reshape(height, ground.bytesPerLine())
    return rows[:, : 4 * width].reshape(height, width, 4)[:, :, 2::-1].astype(int)


def difference(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return by how much two pictures of one size differ: on average, and the share of quite other pixels."""
    assert one.shape == other.shape
    largest = np.abs(one - other).max(axis=2)
    return float(largest.mean()), float((largest > 60).mean())
