"""Waiting for what another process does, with the event loop running and a limit."""

from __future__ import annotations

from PySide6.QtCore import QEventLoop, QTimer

from gui.session import Session

LIMIT = 60_000  # ms


def wait_until_settled(session: Session) -> None:
    """Run the event loop until nothing of any run can still arrive."""
    if session.is_settled:
        return
    loop = QEventLoop()
    look, limit = QTimer(interval=2), QTimer(singleShot=True, interval=LIMIT)
    look.timeout.connect(lambda: session.is_settled and loop.quit())
    limit.timeout.connect(loop.quit)
    look.start()
    limit.start()
    loop.exec()
    assert session.is_settled, "training did not end in time"
