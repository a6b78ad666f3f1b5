"""MP4: a video in H.264, as slides, players and learning platforms take it.

FFmpeg makes it, in a process of its own that is fed one picture after another. Its output goes to a file in a
folder for the time being, since the index at the beginning is written last.
"""

from __future__ import annotations

import math
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import partial, reduce
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtGui import QImage

from engine.errors import UsageError, excerpt
from gui.frames import as_array, beside, images_of, milliseconds, told
from gui.pictures import Encoding, Picture, PictureFormat, Several, said_of

__all__ = ["FORMAT", "ffmpeg"]

RATE = 10
"""Frames a second of the file, at least: some players stumble over one a second."""
QUALITY = 16  # constant rate factor: letters keep their edges
COLORS = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"


def encode(pictures: Sequence[Picture]) -> Encoding:
    """Paint pictures into the frames of a video; see `Encoding`."""
    with TemporaryDirectory(prefix="backstep-") as folder:
        path = Path(folder) / "video.mp4"
        yield from _fed(pictures, path)
        yield len(pictures)
        return path.read_bytes()


def _fed(pictures: Sequence[Picture], path: Path) -> Iterator[int]:
    """Feed pictures to FFmpeg, yielding how many it has; where that is left early, it ends too."""
    times = milliseconds(pictures)
    tick = reduce(math.gcd, times)
    process: subprocess.Popen[bytes] | None = None
    log = path.with_suffix(".log")
    try:
        for number, image in enumerate(images_of(pictures, opaque=True, even=True), 1):
            if process is None:
                process = _started(pictures, image, tick, path, log)
            data = as_array(image).tobytes()
            yield from beside(partial(_write, process, data, times[number - 1] // tick), number - 1)
            if number < len(pictures):
                yield number
        assert process is not None
        assert process.stdin is not None
        process.stdin.close()
        if (yield from beside(process.wait, len(pictures) - 1)) != 0:
            raise _failed(log)
    except BrokenPipeError:
        raise _failed(log) from None
    finally:
        if process is not None:
            process.kill()
            process.communicate()


def _write(process: subprocess.Popen[bytes], data: bytes, times: int) -> None:
    """Write a picture as often as it takes to stand its time; waits until FFmpeg has room for it."""
    assert process.stdin is not None
    for _ in range(times):
        process.stdin.write(data)
    process.stdin.flush()


def _started(
    pictures: Sequence[Picture], image: QImage, tick: int, path: Path, log: Path
) -> subprocess.Popen[bytes]:
    said, rate = said_of(pictures), max(RATE, math.ceil(1000 / tick))
    source = ["-f", "rawvideo", "-pixel_format", "rgb24", "-video_size", f"{image.width()}x{image.height()}"]
    colors = [word for key in ("primaries", "trc") for word in (f"-color_{key}", "bt709")]
    command = [
        ffmpeg(),
        *("-hide_banner", "-loglevel", "error", "-y"),
        *(*source, "-framerate", f"1000/{tick}", "-i", "-"),
        # the last picture stands its time too: some versions drop what nothing follows
        *("-vf", f"tpad=stop_mode=clone:stop_duration={tick}ms,fps={rate},{COLORS}"),
        *("-t", f"{sum(milliseconds(pictures))}ms"),
        *("-c:v", "libx264", "-crf", str(QUALITY), "-preset", "fast", "-tune", "animation"),
        *("-colorspace", "bt709", *colors, "-color_range", "tv", "-movflags", "+faststart"),
        *("-metadata", f"title={said.get('Title', '')}", "-metadata", f"comment={told(pictures)}"),
        *("-metadata", f"artist={said.get('Software', '')}", str(path)),
    ]
    with log.open("wb") as errors:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors)


def _failed(log: Path) -> UsageError:
    lines = log.read_text("utf-8", "replace").split("\n")
    reason = next((line.strip() for line in lines if line.strip()), "no reason given")
    return UsageError(f"FFmpeg could not write the video: {excerpt(reason, 200)}.", how="Choose GIF or WebP.")


def ffmpeg() -> str:
    """Return the program that makes videos: the extra's, else the one that is installed; "" for none."""
    if find_spec("imageio_ffmpeg") is not None:
        from imageio_ffmpeg import get_ffmpeg_exe  # an extra

        try:
            return get_ffmpeg_exe()
        except RuntimeError:  # it has no program for this system
            pass
    return shutil.which("ffmpeg") or ""


FORMAT = PictureFormat(
    "mp4",
    "MP4 video",
    (".mp4",),
    encode,
    has_pixels=True,
    has_alpha=False,
    several=Several.FRAMES,
    extra="video",
    is_there=lambda: bool(ffmpeg()),
)
