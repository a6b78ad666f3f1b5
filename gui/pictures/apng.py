"""APNG: an animation that browsers show as they show a PNG, without loss and with soft transparency."""

from __future__ import annotations

from collections.abc import Sequence

from gui.frames import collected, has_pillow, milliseconds, saved
from gui.pictures import Encoding, Picture, PictureFormat, Several, said_of

__all__ = ["FORMAT"]


def encode(pictures: Sequence[Picture]) -> Encoding:
    """Paint pictures into the frames of an animated PNG file; see `Encoding`."""
    images = yield from collected(pictures)
    from PIL.PngImagePlugin import PngInfo  # an extra, and slow to load

    texts = PngInfo()
    for key, text in said_of(pictures).items():
        texts.add_itxt(key, text)
    data = yield from saved(images, format="PNG", duration=milliseconds(pictures), loop=0, pnginfo=texts)
    yield len(pictures)
    return data


FORMAT = PictureFormat(
    "apng",
    "Animated PNG",
    (".apng",),
    encode,
    has_pixels=True,
    several=Several.FRAMES,
    extra="animation",
    is_there=has_pillow,
)
