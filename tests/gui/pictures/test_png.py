"""PNG: read by Pillow, pixel for pixel, with what it says of itself."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest

from graphs.exporting import Look
from gui.pictures import png
from gui.raster import painted
from tests.gui.pictures.exported import every_network
from tests.gui.pictures.readers import pixels

Image = pytest.importorskip("PIL.Image")


@pytest.mark.parametrize(("theme", "is_transparent"), [("print", False), ("dark", True)])
def test_another_library_reads_every_network(qapp: object, theme: str, is_transparent: bool) -> None:
    for name, pictures in every_network(Look(theme=theme, scale=0.5, is_transparent=is_transparent)):
        for picture in pictures:
            with Image.open(BytesIO(png.FORMAT.whole([picture]))) as image:
                image.verify()
            with Image.open(BytesIO(png.FORMAT.whole([picture]))) as image:
                found, said = np.asarray(image.convert("RGBA")).astype(int), dict(image.text)
            sides = (picture.size.height(), picture.size.width())
            assert found.shape == (*(round(0.5 * side) for side in sides), 4), name
            assert (found[0, 0, 3] == 0) == is_transparent
            assert said["Title"] == picture.title
            assert {key: said[key] for key in picture.metadata} == picture.metadata
            share = found[:, :, 3:] / 255
            on_white = found[:, :, :3] * share + 255 * (1 - share)
            assert np.abs(on_white - pixels(painted(picture))).max() <= 2, name
