"""How the nodes of a frame are named in a sentence, and in a formula."""

from __future__ import annotations

from graphs.views.frame import Frame


def plain(frame: Frame, name: str) -> str:
    """Return a node's name in plain words: "ŷ", "the loss", "ŷ − y", "the square in line L"."""
    return frame.statics.wording.name(name)


def label_of(frame: Frame, name: str) -> str:
    """Return the LaTeX of a node's name."""
    return frame.statics.derivation.name_latex(name)
