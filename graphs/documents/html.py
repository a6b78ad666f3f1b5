"""A web page in which a reader steps through the iteration: one file, which needs no network."""

from __future__ import annotations

from graphs.documents import Format, Options
from graphs.snapshot import Snapshot
from graphs.webpage import page

__all__ = ["FORMAT"]


def _write(snapshot: Snapshot, _: Options) -> str:
    return page(snapshot)


FORMAT = Format("html", "Web page to step through", (".html", ".htm"), _write, is_read=True)
