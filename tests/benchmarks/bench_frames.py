"""How smooth the window stays while it trains flat out, and how fast it trains meanwhile.

The graph of the two-layer network is painted anew at 60 Hz, beside a visible loss dock. A frame's time is
from the end of one painting to the end of the next: all that the window does in between is in it. Rounds of
*idle*, *training* and *alone* (the same run advanced in a loop, no window) take turns, so that whatever else
the machine does falls on all three; the ratios are medians over the rounds.

Run with ``python -m tests.benchmarks.bench_frames``, or, for the work in a frame, like its neighbours.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:  # the training process imports the main module again: it needs no Qt
    from pytest_benchmark.fixture import BenchmarkFixture

    from gui.window import Window

NETWORK = "two-layer-nonlinear"
FRAME = 1 / 60
FLAT_OUT = 10**9  # iterations, more than will be done


class Round(NamedTuple):
    """Frames of one round, in ms, and the iterations a second done meanwhile."""

    intervals: list[float]
    busy: list[float]
    rate: float


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def open_window() -> Window:
    """Return a window whose loss dock is on the screen."""
    from PySide6.QtWidgets import QApplication

    from gui.app import application, make_window, temporary_settings

    application()
    window = make_window(NETWORK, temporary_settings())
    window.resize(1600, 950)
    window.show()
    window.settle()
    dock = window.docks["loss"]
    dock.show()
    dock.raise_()
    window.settle()
    QApplication.processEvents()
    return window


def frames(window: Window, seconds: float) -> Round:
    """Paint at 60 Hz for so long."""
    from PySide6.QtCore import QEventLoop, Qt, QTimer

    loop, timer = QEventLoop(), QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.setInterval(int(1000 * FRAME))
    ends: list[float] = []
    busy: list[float] = []
    viewport = window.view.viewport()

    def tick() -> None:
        begun = time.perf_counter()
        viewport.repaint()
        ends.append(time.perf_counter())
        busy.append(1000 * (ends[-1] - begun))
        if ends[-1] > finish:
            loop.quit()

    timer.timeout.connect(tick)
    before, begun = window.session.iterations, time.perf_counter()
    finish = begun + seconds
    timer.start()
    loop.exec()
    rate = (window.session.iterations - before) / (time.perf_counter() - begun)
    intervals = [1000 * (b - a) for a, b in pairwise(ends)]
    return Round(intervals, busy, rate)


def idle(window: Window, seconds: float) -> Round:
    window.session.pause()
    frames(window, 0.3)
    return frames(window, seconds)


def training(window: Window, seconds: float) -> Round:
    window.session.train(FLAT_OUT)
    frames(window, 0.5)  # until the process is at full speed
    return frames(window, seconds)


def alone(window: Window, seconds: float) -> float:
    """Return the iterations a second of the same run without a window."""
    from engine.training import Run

    window.session.pause()
    frames(window, 0.3)
    own = window.session.run
    run = Run(own.problem, own.recipe, point=own.point, stride=own.history.stride)
    begun = time.perf_counter()
    finish = begun + seconds
    run.advance(FLAT_OUT, stop=lambda: time.perf_counter() > finish)
    return (run.iteration - own.iteration) / (time.perf_counter() - begun)


def measure(window: Window, rounds: int, seconds: float) -> None:
    """Print each round and the ratios."""
    print("      idle p50   p99   max | train p50   p99   max | ratio | steps/s beside    alone  share")
    ratios, shares = [], []
    for number in range(rounds):
        quiet, busy = idle(window, seconds), training(window, seconds)
        rate = alone(window, seconds)
        a, b = (
            (percentile(r.intervals, 0.5), percentile(r.intervals, 0.99), max(r.intervals))
            for r in (quiet, busy)
        )
        ratios.append(b[1] / a[1])
        shares.append(busy.rate / rate)
        print(
            f"{number:4}  {a[0]:8.1f} {a[1]:5.1f} {a[2]:5.1f} | {b[0]:9.1f} {b[1]:5.1f} {b[2]:5.1f} |"
            f" {ratios[-1]:5.2f} | {busy.rate:14.0f} {rate:8.0f}  {shares[-1]:5.2f}",
            flush=True,
        )
    print(
        f"p99 frame while training / idle: {statistics.median(ratios):.2f} (at most 1.6); "
        f"steps a second beside the window / alone: {statistics.median(shares):.2f} (at least 0.5)"
    )


def main() -> None:
    """Measure in a window of one's own."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    args = parser.parse_args()
    window = open_window()
    measure(window, args.rounds, args.seconds)
    window.close()


# --- one frame, for pytest-benchmark -----------------------------------------------------------------------


@pytest.fixture
def window() -> Iterator[Window]:
    window = open_window()
    yield window
    window.close()


@pytest.mark.parametrize("what", ["idle", "training"])
def test_frame(benchmark: BenchmarkFixture, window: Window, what: str) -> None:
    """What the window has to do for a frame: all that is due, and the painting."""
    from PySide6.QtWidgets import QApplication

    (idle if what == "idle" else training)(window, 0.5)

    def frame() -> None:
        QApplication.processEvents()
        window.view.viewport().repaint()

    def rest() -> None:
        time.sleep(FRAME)

    benchmark.pedantic(frame, setup=rest, rounds=240)


if __name__ == "__main__":
    main()
