"""WebP: one picture or an animation, without loss, in fewer bytes than PNG."""

from __future__ import annotations

from collections.abc import Sequence

from gui.frames import collected, has_pillow, milliseconds, saved, xmp_of
from gui.pictures import Encoding, Picture, PictureFormat, Several, said_of

__all__ = ["FORMAT"]


def encode(pictures: Sequence[Picture]) -> Encoding:
    """Paint pictures into the frames of a WebP file; see `Encoding`."""
    images = yield from collected(pictures)
    data = yield from saved(
        images,
        format="WEBP",
        lossless=True,
        method=4,
        duration=milliseconds(pictures),
        loop=0,
        xmp=xmp_of(said_of(pictures)),
    )
    yield len(pictures)
    return data


FORMAT = PictureFormat(
    "webp",
    "WebP animation",
    (".webp",),
    encode,
    has_pixels=True,
    several=Several.FRAMES,
    extra="animation",
    is_there=has_pillow,
)
