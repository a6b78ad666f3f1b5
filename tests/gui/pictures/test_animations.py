"""Animations: every frame with its time, in the colours of the pictures, opened by readers of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEventLoop, QRectF, QSizeF, QTimer
from PySide6.QtGui import QColor, QPainter
from pytestqt.qtbot import QtBot

from engine.errors import UsageError
from graphs.exporting import Look
from graphs.network import load
from gui import frames
from gui.app import application
from gui.export import pictures_of
from gui.frames import images_of
from gui.pictures import Picture, PictureFormat, Several, formats, gif, mp4, said_of, webp
from gui.session import Document, Session
from tests.gui.pictures.exported import every_network
from tests.gui.pictures.readers import difference, needs, pixels, run

Image = pytest.importorskip("PIL.Image")
IMAGES = [formats()[name] for name in ("gif", "webp", "apng")]
needs_ffmpeg = pytest.mark.skipif(not mp4.ffmpeg(), reason="not installed: ffmpeg")


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    application()
    session = Session(Document.of(load("two-layer-nonlinear")))
    yield session
    session.close()


def blank(color: str, duration: float = 1.0, size: tuple[int, int] = (31, 21)) -> Picture:
    def paint(painter: QPainter) -> None:
        painter.fillRect(QRectF(5, 5, 10, 10), QColor(color))

    return Picture(QSizeF(*size), paint, 1.0, background=QColor("#fbfcfd"), duration=duration)


def opened(path: Path) -> tuple[list[np.ndarray], list[float]]:
    """Return the frames of an animation and how long each stands, in milliseconds."""
    found, times = [], []
    with Image.open(path) as image:
        for number in range(image.n_frames):
            image.seek(number)
            found.append(np.asarray(image.convert("RGB")).astype(int))
            times.append(image.info["duration"])
    return found, times


@pytest.mark.parametrize("format", IMAGES, ids=lambda format: format.name)
def test_every_network_moves(qapp: object, format: PictureFormat, tmp_path: Path) -> None:
    for name, pictures in every_network(Look(scale=0.6, duration=0.7)):
        path = tmp_path / f"{name}{format.endings[0]}"
        path.write_bytes(format.whole(pictures))
        found, times = opened(path)
        assert times == [700.0] * 3
        for frame, image in zip(found, images_of(pictures), strict=True):
            mean, other = difference(frame, pixels(image))
            assert mean < (1.0 if format is gif.FORMAT else 0.01), name
            assert other < 0.001, name


@needs_ffmpeg
@needs("ffprobe", "ffmpeg")
def test_every_network_moves_in_a_video(qapp: object, tmp_path: Path) -> None:
    for name, pictures in every_network(Look(scale=0.6, duration=0.5)):
        path = tmp_path / f"{name}.mp4"
        path.write_bytes(mp4.FORMAT.whole(pictures))
        said = json.loads(run("ffprobe", "-v", "error", "-of", "json", "-show_streams", "-show_format", path))
        (stream,) = said["streams"]
        images = list(images_of(pictures))
        width, height = (side + side % 2 for side in (images[0].width(), images[0].height()))
        assert (stream["codec_name"], stream["pix_fmt"]) == ("h264", "yuv420p")
        assert (stream["width"], stream["height"]) == (width, height)
        assert float(said["format"]["duration"]) == pytest.approx(1.5, abs=0.02)
        for number, image in enumerate(images):
            shot = tmp_path / "shot.png"
            run(
                *("ffmpeg", "-v", "error", "-y", "-ss", 0.25 + 0.5 * number, "-i", path),
                *("-frames:v", 1, shot),
            )
            mean, other = difference(pixels(shot)[: image.height(), : image.width()], pixels(image))
            assert mean < 6.0, name
            assert other < 0.02, name


@pytest.mark.parametrize("format", IMAGES, ids=lambda format: format.name)
def test_each_frame_has_its_own_time(qapp: object, format: PictureFormat, tmp_path: Path) -> None:
    path = tmp_path / f"a{format.endings[0]}"
    path.write_bytes(format.whole([blank("#d55e00", 0.25), blank("#0072b2", 2.0), blank("#009e73", 0.5)]))
    assert opened(path)[1] == [250.0, 2000.0, 500.0]


@needs_ffmpeg
@needs("ffprobe")
def test_each_frame_of_a_video_has_its_own_time(qapp: object, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(mp4.FORMAT.whole([blank("#d55e00", 0.2), blank("#0072b2", 1.0), blank("#009e73", 0.4)]))
    command = ("ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", "format=duration", path)
    assert float(run(*command)) == pytest.approx(1.6, abs=0.05)


def test_what_fills_a_gif_has_exactly_its_colour(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    path.write_bytes(gif.FORMAT.whole(pictures_of(session, Look(scale=0.8), [2, 9, 18])))
    found, _ = opened(path)
    for color in ("#fbfcfd", "#ffffff", "#d55e00", "#0072b2"):
        exact = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        assert any((frame == exact).all(axis=2).sum() > 40 for frame in found), color
    assert len(np.unique(np.concatenate([f.reshape(-1, 3) for f in found]), axis=0)) <= 255


def test_a_gif_is_not_dithered(session: Session, tmp_path: Path) -> None:
    """Where the picture is even, so is the frame."""
    pictures = pictures_of(session, Look(scale=1.0), [9])
    path = tmp_path / "a.gif"
    path.write_bytes(gif.FORMAT.whole(pictures))
    even, kept = (
        (np.diff(found, axis=1) == 0).all(axis=2)
        for found in (pixels(next(images_of(pictures))), opened(path)[0][0])
    )
    assert kept[even].all()


@pytest.mark.parametrize("format", [f for f in IMAGES if f.has_alpha], ids=lambda format: format.name)
def test_a_transparent_animation_is_soft_at_its_edges(
    session: Session, format: PictureFormat, tmp_path: Path
) -> None:
    path = tmp_path / f"a{format.endings[0]}"
    look = Look(theme="dark", scale=0.7, is_transparent=True)
    path.write_bytes(format.whole(pictures_of(session, look, [1, 2])))
    with Image.open(path) as image:
        image.seek(1)
        alpha = np.asarray(image.convert("RGBA"))[:, :, 3]
    assert alpha[0, 0] == 0
    assert {0, 255} < set(np.unique(alpha).tolist())


def test_animations_say_where_they_come_from(session: Session, tmp_path: Path) -> None:
    pictures = pictures_of(session, Look(scale=0.3), [1, 2])
    said = said_of(pictures)
    for format in IMAGES:
        (tmp_path / format.name).write_bytes(format.whole(pictures))
    with Image.open(tmp_path / "gif") as image:
        assert json.loads(image.info["comment"]) == said
    with Image.open(tmp_path / "apng") as image:
        assert {key: image.text[key] for key in said} == said
    with Image.open(tmp_path / "webp") as image:
        assert all(f"<backstep:{k}>{v}</backstep:{k}>" in image.info["xmp"].decode() for k, v in said.items())


@needs_ffmpeg
@needs("ffprobe")
def test_a_video_says_where_it_comes_from(session: Session, tmp_path: Path) -> None:
    pictures = pictures_of(session, Look(scale=0.3), [1, 2])
    (tmp_path / "a.mp4").write_bytes(mp4.FORMAT.whole(pictures))
    found = json.loads(run("ffprobe", "-v", "error", "-of", "json", "-show_format", tmp_path / "a.mp4"))
    tags = found["format"]["tags"]
    assert tags["title"] == said_of(pictures)["Title"]
    assert json.loads(tags["comment"]) == said_of(pictures)


def steps(format: PictureFormat, pictures: Sequence[Picture]) -> list[int]:
    return list(format.encode(pictures))


@pytest.mark.parametrize("format", [f for f in formats().values() if f.several == Several.FRAMES])
def test_it_is_told_how_far_it_is(qapp: object, format: PictureFormat) -> None:
    format.check()
    told = steps(format, [blank("#d55e00"), blank("#0072b2"), blank("#009e73")])
    assert told == sorted(told)
    assert told[-1] == 3
    assert {1, 2} <= set(told)


@needs_ffmpeg
def test_a_video_that_is_left_early_leaves_nothing_behind(
    qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    encoding = mp4.FORMAT.encode([blank("#d55e00"), blank("#0072b2")])
    next(encoding)
    assert list(tmp_path.iterdir()) != []
    encoding.close()
    assert list(tmp_path.iterdir()) == []


@needs_ffmpeg
def test_what_ffmpeg_cannot_do_is_one_sentence(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mp4, "COLORS", "nosuchfilter")
    with pytest.raises(UsageError, match=r"FFmpeg could not write the video: .*nosuchfilter.*Choose GIF"):
        mp4.FORMAT.whole([blank("#d55e00"), blank("#0072b2")])


def test_too_many_pixels_are_one_sentence(qapp: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MOST", 1000)
    with pytest.raises(UsageError, match=r"2 frames of 31 × 21 pixels\. Choose a smaller scale"):
        webp.FORMAT.whole([blank("#d55e00"), blank("#0072b2")])


def test_a_format_without_transparency_says_so() -> None:
    for format in (gif.FORMAT, mp4.FORMAT):
        with pytest.raises(UsageError, match="has no transparent background"):
            format.check(is_transparent=True)


def test_pictures_of_several_sizes_become_frames_of_one(qapp: object) -> None:
    sizes = {(i.width(), i.height()) for i in images_of([blank("#d55e00"), blank("#0072b2", size=(40, 10))])}
    assert sizes == {(40, 21)}
    even = {(i.width(), i.height()) for i in images_of([replace(blank("#d55e00"), scale=1.0)], even=True)}
    assert even == {(32, 22)}


@pytest.mark.parametrize("name", ["gif", "webp", "apng", "mp4"])
def test_the_window_goes_on_while_it_is_written(
    session: Session, qtbot: QtBot, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In an event loop, what takes long is done beside it: the encoding yields again and again meanwhile."""
    format = formats()[name]
    if name == "mp4" and not mp4.ffmpeg():
        pytest.skip("not installed: ffmpeg")
    pictures = pictures_of(session, Look(scale=0.5), [1, 9, 18])
    alone = format.whole(pictures)
    found: list[bytes] = []
    told: list[int] = []
    encoding = format.encode(pictures)
    timer = QTimer(interval=0)

    def turn() -> None:
        try:
            told.append(next(encoding))
        except StopIteration as end:
            timer.stop()
            found.append(end.value)
            loop.quit()

    loop = QEventLoop()
    timer.timeout.connect(turn)
    timer.start()
    loop.exec()
    assert told == sorted(told)
    assert told[-1] == 3
    assert len(told) > 4
    if name != "mp4":  # its encoder writes when it was made
        assert found == [alone]
