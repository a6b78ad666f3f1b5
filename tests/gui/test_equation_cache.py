"""Formulas ahead of time: set in another process, as they would be here, those that are wanted first."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from gui import equations, jobs
from gui.equation_cache import EquationCache
from gui.equations import equation, is_ready

SET = (r"\frac{1}{m}||\hat{y} - y||^2", r"\vec{1}", r"A^{\odot 2}", r"X^\intercal", r"\sqrt{x}")


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    equations._layouts.clear()
    equations._scaled.cache_clear()


def test_a_cache_works_ahead_and_says_when_it_is_ready(qtbot: QtBot) -> None:
    cache = EquationCache()
    assert cache.request(r"x^2", 12) is None
    with qtbot.waitSignal(cache.ready, timeout=60_000) as signal:
        pass
    assert signal.args == [r"x^2"]
    assert cache.request(r"x^2", 12) is equation(r"x^2", 12)


def test_a_request_overtakes_what_waits(qtbot: QtBot) -> None:
    cache = EquationCache()
    done: list[str] = []
    cache.ready.connect(done.append)
    cache.prefetch(["a", "b", "a"])
    cache.request("c", 12)
    cache.drain()
    assert done == ["c", "a", "b"]
    assert cache.waiting == 0
    assert all(is_ready(latex) for latex in "abc")


def test_what_another_process_has_set_is_what_would_be_set_here(qtbot: QtBot) -> None:
    cache = EquationCache()
    cache.prefetch(SET)
    qtbot.waitUntil(lambda: all(map(is_ready, SET)), timeout=60_000)
    there = [equation(latex, 24.0) for latex in SET]
    equations._layouts.clear()
    equations._scaled.cache_clear()
    for found in there:
        here = equation(found.latex, 24.0)
        assert (found.width, found.height, found.ascent) == (here.width, here.height, here.ascent)
        assert found.parts == here.parts
        assert here.parts


def test_what_cannot_be_set_is_ready_as_it_stands(qtbot: QtBot) -> None:
    cache = EquationCache()
    with qtbot.waitSignal(cache.ready, timeout=60_000):
        cache.prefetch([r"\frac{1}"])
    assert equation(r"\frac{1}", 12).width > 0


def test_the_window_goes_on_while_formulas_are_set(qtbot: QtBot) -> None:
    """Long formulas: of the work with them, the window does a small part, in slices."""
    long = [" + ".join(rf"\frac{{x_{{{i}}}}}{{\sqrt{{{j}}}}}" for j in range(40)) for i in range(30)]
    cache, seen = EquationCache(), set()
    timer = QTimer(interval=0)
    timer.timeout.connect(lambda: seen.add(sum(map(is_ready, long))))
    timer.start()
    cache.prefetch(long)
    qtbot.waitUntil(lambda: all(map(is_ready, long)), timeout=60_000)
    assert len(seen) > 4, "all were taken in at once"


def test_formulas_are_written_only_when_it_is_their_turn(qtbot: QtBot) -> None:
    cache, written = EquationCache(), []

    def sources(mark: str) -> Iterator[str]:
        for number in range(10_000):
            written.append(f"{mark}_{{{number}}}")
            yield written[-1]

    cache.plan("graph", sources("a"))
    cache.prefetch(["c"])
    qtbot.waitUntil(lambda: len(written) > 20, timeout=60_000)
    assert is_ready("c") or cache.waiting
    cache.plan("graph", sources("b"))  # another graph
    before = len(written)
    assert before < 5_000
    qtbot.waitUntil(lambda: is_ready("b_{3}"), timeout=60_000)
    assert all(latex.startswith("b") for latex in written[before:])
    cache.plan("graph", iter(()))


def test_a_process_that_dies_takes_no_formula_with_it(qtbot: QtBot) -> None:
    cache = EquationCache()
    cache.prefetch(["u"])
    qtbot.waitUntil(lambda: is_ready("u"), timeout=60_000)
    executor = jobs.companion()
    (number,) = executor._processes or {}
    cache.prefetch(f"v_{{{i}}}" for i in range(50))
    os.kill(number, 9)
    qtbot.waitUntil(lambda: all(is_ready(f"v_{{{i}}}") for i in range(50)), timeout=60_000)
    cache.prefetch(["w"])
    qtbot.waitUntil(lambda: is_ready("w"), timeout=60_000)


def test_the_first_formulas_go_where_there_are_too_many_and_can_be_had_again(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equations, "CACHED", 20)
    names = [f"x_{{{i}}}" for i in range(30)]
    cache = EquationCache()
    for latex in names:
        cache.prefetch([latex])
        cache.drain()
    assert len(equations._layouts) <= 20
    assert not is_ready(names[0])
    assert all(map(is_ready, names[-10:]))
    cache.prefetch([names[0]])
    cache.drain()
    assert is_ready(names[0])  # also where it was at hand at some size


def test_more_formulas_than_can_be_kept_are_each_set_once(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equations, "CACHED", 20)
    names = {f"y_{{{i}}}" for i in range(50)}
    cache, done = EquationCache(), []
    cache.ready.connect(done.append)
    cache.settle(lambda: {latex for latex in names if not is_ready(latex)})
    assert sorted(done) == sorted(names)
