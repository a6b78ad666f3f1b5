"""Pictures of every built-in network at its first, middle and last step, for the tests of formats."""

from __future__ import annotations

from collections.abc import Iterator

from graphs.exporting import Look
from graphs.network import built_in_names, load
from gui.app import application
from gui.export import pictures_of
from gui.pictures import Picture
from gui.session import Document, Session


def three_steps(session: Session) -> tuple[int, int, int]:
    last = len(session.trace.steps)
    return 1, (last + 1) // 2, last


def every_network(look: Look) -> Iterator[tuple[str, list[Picture]]]:
    """Yield each network's name, and its pictures at three steps."""
    application()
    for name in built_in_names():
        session = Session(Document.of(load(name)))
        yield name, list(pictures_of(session, look, three_steps(session)))
        session.close()
