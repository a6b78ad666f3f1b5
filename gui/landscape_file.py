"""A landscape in a picture file: what the command line's ``landscape --to FILE.png`` writes."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from graphs.commands.landscape import Drawn
from graphs.files import write_whole
from gui.app import application
from gui.landscape_picture import picture
from gui.pictures import formats
from gui.theme import THEMES

__all__ = ["draw"]

SCALE = 2.0
"""Pixels for each unit, where nobody asks for another."""


def draw(drawn: Drawn, path: Path, args: Namespace) -> None:
    """Write a landscape to a picture file.

    Raises
    ------
    BackstepError
        Where the file cannot be written.
    """
    theme = THEMES[args.theme or "light"]
    application(theme)
    format = formats()[path.suffix.lower().removeprefix(".")]
    write_whole(path, format.whole([picture(drawn, theme, args.log, args.scale or SCALE)]))
