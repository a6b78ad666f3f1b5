"""Networks as text that people send one another: it holds all that is needed, and reads back after a journey.

Mail and chat quote lines, break them, wrap them in fences, turn spaces into others and quotation marks into
curly ones. A text ends with a check from which its lines are put together again (:mod:`graphs.rejoining`).
One without it, or that somebody has changed since, is read as it is where that can be done, and else with one
thing after the other undone.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from itertools import chain

from engine.errors import BackstepError, NetworkError, UsageError
from graphs.definition import FileData, Network
from graphs.network import bind, complete, literal
from graphs.reading import loads
from graphs.rejoining import check_lines, rejoined
from graphs.writing import text_of

__all__ = ["PASTED", "read_shared", "shared_text", "was_changed"]

PASTED = "pasted"
"""What a network is called that came as a text."""

FIRST, LAST = "# Backstep network", "# End of the network"
HINT = ": copy this text and choose Paste network."
LARGEST, LARGEST_READ = 64 * 2**10, 2**20
"""Characters that a text may have which is sent, and one that is read."""


def shared_text(network: Network, seed: int = 0) -> str:
    """Return a network as text that needs nothing else: data from a file of the user's own are in it.

    Parameters
    ----------
    seed
        Which examples are held out depends on it, and on those how data are standardised.

    Raises
    ------
    UsageError
        Where it has too many numbers for a text.
    BackstepError
        For data that cannot be read any more.
    """
    if isinstance(network.data, FileData) and complete(network).attached:
        network = literal(network, seed)
    text = text_of(network).replace("\r\n", "\n").removeprefix("\ufeff")
    if len(text) > LARGEST:
        raise UsageError(
            f"the network has too many numbers for a text: {len(text) // 1024} kB.",
            how="Save a session (.backstep) and send that file.",
        )
    text = text.strip("\n")
    return f"```\n{FIRST}{HINT}\n{text}\n{check_lines(text, LAST)}\n```\n"


def read_shared(text: str, name: str = PASTED) -> Network:
    """Return the network that a text says, whatever mail and chat have done to it.

    Raises
    ------
    BackstepError
        Where it is not a network; the sentence is about the text as it was pasted.
    """
    if not text.strip():
        raise UsageError("there is no text on the clipboard.", how="Copy a network's text first.")
    if len(text) > LARGEST_READ:
        raise UsageError("the text is too long for a network.", how="Open it as a file.")
    first: BackstepError | None = None
    for candidate in chain(_as_sent(text), _readings(text)):
        try:
            network = loads(candidate, name=name, where="the pasted text")
        except BackstepError as error:
            first = first or error
        else:
            bind(network)  # says at once what is missing
            return network
    assert first is not None
    if FIRST in text and LAST not in _with_plain_spaces(text):
        raise NetworkError("the end of the pasted text is missing.", how="Copy the whole text.") from None
    if "formula" not in text:
        raise NetworkError(
            "the text on the clipboard is not a network.", how="Copy one with Copy network as text."
        ) from None
    if f"{LAST}. Check:" in text:
        first.how = (
            f"{first.how} The text was changed on its way here: copying it once more may help.".strip()
        )
    raise first


def was_changed(text: str) -> bool:
    """Say whether a text has been changed since it was copied, as far as its check tells."""
    return f"{LAST}. Check:" in text and next(_as_sent(text), None) is None


def _as_sent(text: str) -> Iterator[str]:
    """Yield the text that was sent, where its check says so, in whichever way it may have been spaced."""
    tried: set[str] = set()
    for reading in _sources(_with_plain_ends(text)):
        for change in (lambda t: t, _with_plain_spaces, _with_plain_quotes, _with_plain_marks):
            reading = change(reading)
            if reading not in tried:
                tried.add(reading)
                yield from rejoined(reading, FIRST + HINT, LAST)


def _sources(text: str) -> Iterator[str]:
    """Yield a text as it is, and where it looks like the source of a mail, what that says."""
    yield text
    if "=3D" in text:  # every network has equals signs
        for source in (text, re.sub(r"^(?:[>|] ?)+", "", text, flags=re.MULTILINE)):
            yield quopri.decodestring(source.encode("utf-8", "replace")).decode("utf-8", "replace")


def _readings(text: str) -> Iterator[str]:
    """Yield the text as it may have been meant, the least changed first."""
    lines = _inside(_with_plain_ends(text))
    tried: set[str] = set()
    for change in (lambda t: t, _unquoted, _without_fences, _with_plain_spaces, _with_plain_marks):
        lines = change(lines)
        for reading in (lines, _inside(lines)):
            if reading not in tried:
                tried.add(reading)
                yield reading.strip("\n") + "\n"


def _inside(text: str) -> str:
    """Return what stands between the first line of a network and its last."""
    start = re.search(r"^.*# ?Backstep network[^\n]*\n", text, re.MULTILINE)
    if start is not None and not _unmarked(start[0]).startswith("#"):
        start = None
    text = text[start.end() :] if start is not None else text
    end = re.search(r"^[>\s|]*# ?End of the network", text, re.MULTILINE)
    return text[: end.start()] if end is not None else text


def _unmarked(line: str) -> str:
    return line.lstrip("> \t|\u00a0")


def _unquoted(text: str) -> str:
    """Take away what marks lines as quoted, where all of them are marked."""
    lines = text.split("\n")
    while lines and all(line.lstrip().startswith((">", "|")) for line in lines if line.strip()):
        lines = [re.sub(r"^\s*[>|] ?", "", line) for line in lines]
        if not any(line.strip() for line in lines):
            break
    return "\n".join(lines)


def _without_fences(text: str) -> str:
    return re.sub(r"^\s*(```|~~~)[^\n]*\n?", "", text, flags=re.MULTILINE)


def _with_plain_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n")


def _with_plain_spaces(text: str) -> str:
    """Put plain spaces for all others, and take away characters that nobody sees."""
    text = re.sub(r"[\u200b-\u200f\u2060\ufeff\u00ad]", "", text)
    text = re.sub(r"[\u00a0\u2000-\u200a\u202f\u205f\u3000]", " ", text)
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def _with_plain_quotes(text: str) -> str:
    """Put the marks that a keyboard has for those that a word processor makes of them, one for one."""
    for marks, plain in (("“”„‟″«»", '"'), ("‘’‚‛′", "'"), ("−‐‑–", "-"), ("∗", "*")):
        text = re.sub(f"[{marks}]", plain, text)
    return text


def _with_plain_marks(text: str) -> str:
    """Do the same with those that stand for several."""
    return _with_plain_quotes(text).replace("—", "--").replace("…", "...")
