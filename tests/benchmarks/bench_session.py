"""What a step costs in the session and in everything that works out what is shown, without painting.

Run with ``pytest tests/benchmarks --benchmark-only``; nothing here is asserted by the clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.graph import Detail
from graphs.network import Network, built_in_names, load
from gui.session import Document, Session
from gui.viewdata import (
    code_rows,
    equation_rows,
    inspector_view,
    scene_view,
    step_view,
    timeline_phases,
)
from tests.helpers import model_of


def largest() -> Network:
    """Return the built-in network with the most steps."""
    return max((load(name) for name in built_in_names()), key=lambda n: len(n.formula))


def chain(lines: int) -> Network:
    """Return a network of that many lines."""
    middle = (f"y{i} = sin(y{i - 1}) + w" for i in range(1, lines))
    return model_of("\n".join(["y0 = w * w", *middle, f"L = y{lines - 1} * 2"]), {"w": 0.5}).network


@pytest.fixture(params=["largest", "chain of 10000"])
def session(request: pytest.FixtureRequest, qapp: Any) -> Iterator[Session]:
    network = largest() if request.param == "largest" else chain(10_000)
    session = Session(Document.of(network), Detail.PRIMITIVE)
    yield session
    session.close()


def show(session: Session) -> None:
    """Work out everything that the window shows."""
    frame = session.frame
    scene_view(frame)
    step_view(frame)
    inspector_view(frame, session.selection)
    equation_rows(frame)
    code_rows(frame)
    timeline_phases(frame.trace)


def test_a_step_and_all_that_is_shown(benchmark: Any, session: Session) -> None:
    session.go(len(session.trace.steps) // 2)
    show(session)
    direction = [1]

    def step() -> None:
        session.step(direction[0])
        direction[0] = -direction[0]
        show(session)

    benchmark(step)


def test_a_step_of_the_session_alone(benchmark: Any, session: Session) -> None:
    session.go(len(session.trace.steps) // 2)
    direction = [1]

    def step() -> None:
        session.step(direction[0])
        direction[0] = -direction[0]

    benchmark(step)


def test_opening(benchmark: Any, qapp: Any) -> None:
    network = largest()

    def open_it() -> None:
        session = Session(Document.of(network))
        show(session)
        session.close()

    benchmark(open_it)


def test_showing_another_iteration(benchmark: Any, session: Session) -> None:
    session.step_training()

    def there_and_back() -> None:
        session.go_to_iteration(0)
        scene_view(session.frame)
        session.go_to_iteration(1)
        scene_view(session.frame)

    benchmark(there_and_back)
