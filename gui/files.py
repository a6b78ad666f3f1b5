"""Saving networks as files of their own."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

from engine.errors import UsageError, excerpt
from graphs.files import write_whole
from graphs.network import FileData, Network, data_path, with_values
from graphs.reading import LARGEST_FILE
from graphs.sharing import PASTED
from graphs.templates import BLANK, template
from graphs.writing import text_of
from gui.lab import Document

__all__ = ["is_untitled", "network_of", "proposed_path", "save_network"]

UNTITLED = "network"
"""What the file of a network is called that has no name of its own yet."""
LONGEST_NAME = 60


def network_of(document: Document) -> Network:
    """Return a document's network with its values changed by hand and its training settings put in.

    Raises
    ------
    BackstepError
        For data that cannot be read any more.
    """
    network = with_values(document.network, document.overrides, document.seed)
    training = replace(network.training, recipe=document.recipe)
    return replace(network, training=training) if training != network.training else network


def is_untitled(network: Network) -> bool:
    """Say whether a network was begun blank, and has no title but that of the blank one."""
    return network.name == BLANK and network.title == template(BLANK).title


def proposed_path(network: Network, folder: Path, ending: str) -> Path:
    """Return a file that does not exist for a network that has none yet: it is called as the network is."""
    stem = network.name
    if stem == BLANK:
        stem = UNTITLED
    elif stem == PASTED:
        stem = re.sub(r"\W+", "-", network.title.lower()).strip("-")[:LONGEST_NAME] or UNTITLED
    path, number = folder / f"{stem}{ending}", 2
    while os.path.exists(path):  # False also in a folder that may not be looked into
        path, number = folder / f"{stem}-{number}{ending}", number + 1
    return path


def save_network(document: Document, path: Path) -> tuple[str, ...]:
    """Save the network of a document as a file of its own, and return what is to be said about it.

    The CSV that the network refers to is named as it is found from there; one that came inside a session is
    written beside the file.

    Raises
    ------
    BackstepError
        Where the file cannot be written, and for data that cannot be read any more.
    """
    network, notices = _seen_from(network_of(document), path.parent)
    if is_untitled(network):
        network = replace(network, title=path.stem, description="")
    if isinstance(document.network.data, FileData) and not isinstance(network.data, FileData):
        names = ", ".join(n for n in document.overrides if n not in network.parameters)
        notices = (f"{names} has been changed by hand: the data are numbers in {path.name} now.",)
    text = text_of(network).encode()
    if len(text) > LARGEST_FILE:
        raise UsageError(
            f"the network has too many numbers for a file: {len(text) / 2**20:.1f} MB.",
            where=excerpt(path.name),
            how="Put the data into a CSV, or save a session (.backstep).",
        )
    write_whole(path, text)
    return notices


def _seen_from(network: Network, folder: Path) -> tuple[Network, tuple[str, ...]]:
    """Return a network whose CSV is named as it is found from `folder`, and what is to be said about that."""
    data = network.data
    if not isinstance(data, FileData):
        return network, ()
    if data.file in network.attached and not _is_there(network, data.file):
        name = _write_beside(folder, Path(data.file).name, network.attached[data.file])
        return replace(network, data=replace(data, file=name)), (f"The data are beside it, in {name}.",)
    csv, there = data_path(network, data.file), folder / data.file
    if not _is_built_in(csv):
        return replace(network, data=replace(data, file=_named_from(folder, csv, data.file))), ()
    if there.exists():
        return network, (f"{data.file} beside the file will be read instead of the built-in data set.",)
    return network, ()


def _is_there(network: Network, file: str) -> bool:
    """Say whether a file that a network refers to is still where it was."""
    is_named = network.folder is not None or Path(file).is_absolute()
    return is_named and ((network.folder or Path()) / file).exists()


def _is_built_in(csv: Path) -> bool:
    return csv.parent == Path(str(resources.files("graphs") / "datasets"))


def _named_from(folder: Path, csv: Path, file: str) -> str:
    """Return how a network's file in `folder` names its CSV, which was called `file`.

    One in the folder or below it is handed on with it, so it is named from there; another that was named by
    its whole path keeps that.
    """
    is_whole = Path(file).is_absolute()
    if not is_whole and (folder / file).resolve() == csv.resolve():
        return file
    for whole in (os.path.abspath, os.path.realpath):  # a link in the folder is handed on as well
        own, place = Path(whole(csv)), Path(whole(folder))
        if own.is_relative_to(place):
            return own.relative_to(place).as_posix()
    return file if is_whole else _relative(csv.resolve(), folder.resolve())


def _relative(csv: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(csv, folder)).as_posix()
    except ValueError:  # on another drive
        return csv.as_posix()


def _write_beside(folder: Path, name: str, data: bytes) -> str:
    """Write a CSV under its name, or another where that is taken by other data; return the name."""
    stem, ending = Path(name).stem, Path(name).suffix
    for number in range(1, 100):
        path = folder / (name if number == 1 else f"{stem}-{number}{ending}")
        if not path.exists():
            write_whole(path, data)
            return path.name
        if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
            return path.name
    raise UsageError(f"there are too many files named {excerpt(stem)}.", where=excerpt(folder, 100))
