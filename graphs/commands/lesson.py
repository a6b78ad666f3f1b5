"""``lesson``: the course; a lesson in the window, or whether it can be held."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import replace

from engine.errors import UsageError
from graphs.commands.base import Command, Outcome, idle
from graphs.documents.text import columns
from graphs.lesson import Lesson, Misread, built_in_lessons, load_in_part, load_lesson
from graphs.staging import problems

__all__ = ["COMMAND", "run"]


def _add_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "lesson",
        nargs="?",
        metavar="FILE|NAME",
        help="a lesson's file, name or number; the list of the course where it is left out",
    )
    parser.add_argument("--check", action="store_true", help="say everything that is wrong with it instead")


def run(args: Namespace, show: Callable[[Namespace], Outcome]) -> Outcome:
    """List the course, check a lesson, or hand it to `show`, which opens the window."""
    if args.lesson is None:
        if args.check:
            raise UsageError("there is no lesson to check.", how="Name its file.")
        return Outcome(_course())
    if args.check:
        found = _checked(args.lesson)
    else:
        load_lesson(args.lesson)  # what is wrong with it is said before a window opens
        found = show(args)
    given = {"seed": args.seed is not None, "set": bool(args.set)}
    said = idle(given, "a lesson, which has its own")
    return replace(found, problem=found.problem or said)


def _course() -> str:
    rows = [_row(load_lesson(name)) for name in built_in_lessons()]
    return f"{columns(('name', 'pages', 'title'), rows)}\n"


def _row(lesson: Lesson) -> tuple[str, str, str]:
    return lesson.name, str(len(lesson.pages)), lesson.title


def _checked(source: str) -> Outcome:
    """Say everything that is wrong with a lesson, what cannot be read of it among that."""
    lesson, misread = load_in_part(source)
    rows = [(_line_of(found), str(found.error)) for found in misread]
    if lesson is not None:
        file = lesson.path.name if lesson.path is not None else f"{lesson.name}.toml"
        is_untrained = any(found.keys[2:] == ("train",) for found in misread)
        for problem in problems(lesson):
            if is_untrained and problem.key == ("iteration",):
                continue  # nobody knows how far it would have been trained
            is_placed = problem.sentence.startswith(f"{file}, line")
            place = "" if is_placed else f"{file}, line {problem.line}: "
            rows.append((problem.line, place + problem.sentence))
    if lesson is None or rows:
        ordered = dict.fromkeys(text for _, text in sorted(rows, key=lambda row: row[0]))
        return Outcome("\n".join(ordered) + "\n", 1)
    pages = f"{len(lesson.pages)} page{'s' if len(lesson.pages) != 1 else ''}"
    return Outcome(f"{lesson.title}: {pages}, nothing wrong.\n")


def _line_of(found: Misread) -> int:
    line = found.error.where.rpartition("line ")[2]
    return int(line) if line.isdecimal() else 0


def _nowhere(args: Namespace) -> Outcome:
    raise UsageError("a lesson needs a window.", how="Add --check to see whether it can be held.")


COMMAND = Command(
    "lesson",
    "Step through a lesson of the course, or one of your own.",
    "lesson chain-rule --check",
    _add_options,
    lambda args: run(args, _nowhere),
)
