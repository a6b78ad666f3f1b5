"""One family of expected errors: what is wrong, where, and how to mend it.

Whatever a user's file, formula or option can get wrong is raised as a `BackstepError`; the window shows its
one line, the command line prints it on stderr and exits 2. Anything else that escapes is a defect.
"""

from __future__ import annotations

import re

ELLIPSIS = "…"
_WORDS = (
    "the there this these a an no one two both all every only what it line row column step seed axis "
    "iteration records learning read not numbers how"
)
_OPENING = re.compile(
    rf"(?:{'|'.join(_WORDS.split())})\b(?=\s+[\w'\"(])"
    r"(?!\s+(?:is|are|was|has|have|had|would|does|needs|compares|cannot|stands|may)\b)"
    r"|(?:there|this|what|all|both|it|nothing|pictures|format)\s+(?:is|are|was|were|would|cannot|may|has|need)\b"
)
"""How a sentence opens that no name begins: a parameter may be called a, or line."""


def excerpt(text: object, limit: int = 60) -> str:
    r"""Return `text` on one line, cut in the middle if it is longer than `limit`.

    Parameters
    ----------
    text : object
        What the user wrote; anything but a string is converted with `str`.
    limit : int
        The greatest number of characters returned, at least 3.

    Examples
    --------
    >>> excerpt("W1 @ X\n  + b1")
    'W1 @ X + b1'
    >>> excerpt("x" * 100, limit=9)
    'xxxx…xxxx'
    """
    raw = str(text)
    # Cut before splitting too: what a user pastes can be megabytes long.
    head, tail = raw[: 4 * limit], raw[-4 * limit :]
    line = _one_line(raw if len(raw) <= 8 * limit else f"{head}{ELLIPSIS}{tail}")
    if len(line) <= limit:
        return line
    end = (limit - 1) // 2
    return f"{line[: limit - 1 - end]}{ELLIPSIS}{line[-end:]}"


def as_sentence(text: object) -> str:
    """Return an error's text as a sentence that stands alone: with a capital, unless a name begins it.

    Examples
    --------
    >>> as_sentence("line 2, column 5: the parenthesis is not closed.")
    'Line 2, column 5: the parenthesis is not closed.'
    >>> as_sentence("a is not defined."), as_sentence("a loss is a scalar.")
    ('a is not defined.', 'A loss is a scalar.')
    """
    sentence = str(text)
    return sentence[:1].upper() + sentence[1:] if _OPENING.match(sentence) else sentence


class BackstepError(Exception):
    """An expected error: something the user can mend.

    Parameters
    ----------
    what : str
        What is wrong, as a sentence.
    where : str
        The place: a line and column, a file, a column's name. May be empty.
    how : str
        How to mend it, as a sentence. May be empty.

    Examples
    --------
    >>> print(DataError("The file has no rows", where="cars.csv", how="Add at least one row."))
    cars.csv: The file has no rows. Add at least one row.
    """

    def __init__(self, what: str, *, where: str = "", how: str = "") -> None:
        # `args` holds `what` alone: pickling copies the attributes as well, so every subclass travels whole.
        super().__init__(what)
        self.what = what
        self.where = where
        self.how = how

    def __str__(self) -> str:
        what = _one_line(self.what)
        if self.how and not what.endswith((".", "!", "?", ":", ELLIPSIS)):
            what += "."
        body = f"{what} {_one_line(self.how)}".strip()
        where = _one_line(self.where)
        return f"{where}: {body}" if where else body


class FormulaError(BackstepError):
    """A formula that cannot be read, or whose shapes do not fit, at a place in its text.

    Parameters
    ----------
    what, how : str
        As in `BackstepError`.
    line, column : int
        The place in the formula's text, both counted from 1.

    Examples
    --------
    >>> print(FormulaError("the name 'Wl' is not known.", 2, 5, how="Did you mean W1?"))
    line 2, column 5: the name 'Wl' is not known. Did you mean W1?
    """

    def __init__(self, what: str, line: int = 1, column: int = 1, *, how: str = "") -> None:
        super().__init__(what, where=f"line {line}, column {column}", how=how)
        self.line = line
        self.column = column


class UnknownNameError(FormulaError):
    """A name in a formula that stands for nothing there; `how` says which there are, or which is meant.

    Attributes
    ----------
    is_like
        Whether it is spelled nearly as one that there is.
    """

    def __init__(self, what: str, line: int, column: int, *, how: str, is_like: bool) -> None:
        super().__init__(what, line, column, how=how)
        self.is_like = is_like


class NumeralError(BackstepError):
    """A text that is no number, or no block of numbers.

    Parameters
    ----------
    what, how : str
        As in `BackstepError`.
    row, column : int, optional
        The place in a block, both counted from 1.

    Examples
    --------
    >>> print(NumeralError("'speed' is not a number.", 1, 2))
    row 1, column 2: 'speed' is not a number.
    """

    def __init__(
        self, what: str, row: int | None = None, column: int | None = None, *, how: str = ""
    ) -> None:
        places = (("row", row), ("column", column))
        super().__init__(
            what, where=", ".join(f"{name} {at}" for name, at in places if at is not None), how=how
        )
        self.row = row
        self.column = column


class ShapeError(BackstepError):
    """Shapes that do not fit an op; the formula reader adds the line and the column."""


class NetworkError(BackstepError):
    """A network file that says something it cannot mean."""


class DataError(BackstepError):
    """A data file or a choice of columns that cannot be used."""


class TrainingError(BackstepError):
    """A training option that cannot work, or a run that left the finite numbers."""


class LessonError(BackstepError):
    """A lesson file that says something it cannot mean."""


class UsageError(BackstepError):
    """A command line that asks for something Backstep does not have."""


def _one_line(text: str) -> str:
    return " ".join(text.split())
