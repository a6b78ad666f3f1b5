"""The command line of Backstep; with no command it opens the window.

Nothing heavy is imported before it is needed: a command that draws nothing starts without Qt, NumPy loads
only after its number of threads is settled, and Ctrl+C ends quietly also while modules load. Hence the
imports in functions.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator

    from graphs.commands.base import Command, Outcome

__all__ = ["main"]

# NumPy reads these once, when it loads. One thread is faster for a lesson's networks: docs/decisions/0005.
for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ.setdefault(_variable, "1")

DEFAULT = "two-layer-nonlinear"
LIBRARIES = (
    "libegl1 libgl1 libglib2.0-0 libfontconfig1 libxkbcommon0 libdbus-1-3 libxcb-cursor0 libxcb-icccm4 "
    "libxcb-keysyms1 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0"
)

DONE, FAILED, USAGE, UNEXPECTED, UNWRITTEN, INTERRUPTED = 0, 1, 2, 70, 74, 130


def main(argv: list[str] | None = None) -> int:
    """Run Backstep.

    Parameters
    ----------
    argv
        The arguments without the program's name; those of the process where None.

    Returns
    -------
    int
        0 done, 1 a check failed, 2 the user's input is at fault (one line on stderr), 70 a defect, 74 the
        output could not be written, 130 interrupted.
    """
    try:
        _speak_utf8()
        return _run(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError:
        return _say("there is not enough memory for this; choose smaller shapes or less data.")
    except RecursionError:
        return _say("this is nested too deeply to be worked out; give parts of it names of their own.")
    except Exception as error:
        return _report(error)


def _run(argv: list[str]) -> int:
    from engine.errors import BackstepError

    try:
        command = _command(argv)
        args = command.parser().parse_args(argv[1:] if argv and argv[0] == command.name else argv)
        with _uncollected(bool(command.name)):
            outcome = command.run(args)
    except BackstepError as error:
        return _say(str(error))
    except SystemExit as end:  # argparse, after --help and --version
        return _write("", end.code if isinstance(end.code, int) else DONE)
    code = _write(outcome.text, outcome.code)
    return _say(outcome.problem, code) if outcome.problem else code


@contextmanager
def _uncollected(is_short: bool) -> Iterator[None]:
    """Keep the garbage collector from searching a short command's many small objects: a third of its time."""
    collected = gc.isenabled()
    if is_short:
        gc.disable()
    try:
        yield
    finally:
        if collected:
            gc.enable()


# --- what is said ------------------------------------------------------------------------------------------


def _speak_utf8() -> None:
    """Let names such as ŷ be printed whatever the locale, and a byte that is not text not be an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _say(sentence: str, code: int = USAGE) -> int:
    """Print one line on stderr, and return the exit code."""
    print(f"backstep: {_plain(sentence)}", file=sys.stderr)
    return code


def _write(text: str, code: int) -> int:
    """Write `text` to stdout and return `code`; a reader who has seen enough (``| head``) is no error."""
    if sys.stdout is None:  # closed before Python started
        return code
    try:
        sys.stdout.write(_plain(text))
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_stdout()
    except OSError as error:
        _silence_stdout()
        return _say(f"the output cannot be written ({(error.strerror or 'an error').lower()}).", UNWRITTEN)
    return code


def _silence_stdout() -> None:
    """Give what is still in the buffer to nobody, or Python would complain about it at exit."""
    sink = os.open(os.devnull, os.O_WRONLY)
    os.dup2(sink, sys.stdout.fileno())
    os.close(sink)


def _plain(text: str) -> str:
    """Return `text` without control characters: a network file must not be able to command the terminal."""
    if text.isascii() and text.replace("\n", "").isprintable():
        return text
    return "".join(
        c if c == "\n" or ord(c) > 159 or 32 <= ord(c) < 127 else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def _report(error: Exception) -> int:
    """Print what somebody needs who is to mend a defect."""
    import traceback

    traceback.print_exception(error, file=sys.stderr)
    name = type(error).__name__
    return _say(f"an unexpected error ({name}); please report it together with the lines above.", UNEXPECTED)


# --- which command -----------------------------------------------------------------------------------------


def _command(argv: list[str]) -> Command:
    """Return the command that the first argument names; what is no command's name is a network's."""
    from graphs import commands

    first = argv[0] if argv else ""
    painted = {"landscape": _landscape_command, "export": _export_command, "lesson": _lesson_command}
    if first in painted:
        return painted[first]()
    return commands.find(first) if first in commands.NAMES else _window_command()


def _window_command() -> Command:
    from graphs.commands.base import Command

    return Command(
        "", "Explore computation graphs, a step at a time.", DEFAULT, _add_window_options, _open_window
    )


# --- the window --------------------------------------------------------------------------------------------


def _add_window_options(parser: ArgumentParser) -> None:
    parser.usage = "backstep [NETWORK|FILE] [options]\n       backstep COMMAND [options]"
    parser.add_argument(
        "words", nargs="*", metavar="NETWORK|FILE", help=f"what the window opens with; default: {DEFAULT}"
    )
    parser.add_argument("--version", action="version", version=f"backstep {_version()}")
    parser.epilog = f"{_command_list()}\n\n{parser.epilog}"


def _command_list() -> str:
    from graphs import commands

    rows = [f"  {command.name:10}{command.summary}" for command in map(commands.find, commands.NAMES)]
    return "\n".join(["commands:", *rows, "", "backstep COMMAND --help says more about each."])


def _version() -> str:
    """Return the version that the project file beside this one states, or that of the installed package."""
    import tomllib
    from importlib import metadata
    from pathlib import Path

    try:
        return tomllib.loads(Path(__file__).with_name("pyproject.toml").read_text("utf-8"))["project"][
            "version"
        ]
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return metadata.version("backstep")


def _open_window(args: Namespace) -> Outcome:
    from graphs.commands.base import overrides
    from graphs.network import bind, load

    _refuse_commands(args.words)
    _refuse_lessons(args.words)
    source = args.words[0] if args.words else None
    bind(load(source or DEFAULT), seed=args.seed or 0, overrides=overrides(args))
    return _opened(source, seed=args.seed or 0, overrides=overrides(args))


def _opened(source: str | None, **options: Any) -> Outcome:
    """Open the window where there is a display, and return what came of it."""
    from graphs import commands
    from graphs.commands.base import Outcome

    if not _has_display():
        names = [name for name in commands.NAMES if name != "lesson"]
        drawn = f"{', '.join(names[:-1])} and {names[-1]}"
        return Outcome(
            problem=f"there is no display to open a window on; {drawn} work without one.", code=USAGE
        )
    try:
        from gui import app
    except ImportError as error:
        _explain(error)
        raise
    return Outcome(code=app.run(source, **options))


def _refuse_commands(words: list[str]) -> None:
    """Say it where a word that is not a network's name was meant as a command."""
    import difflib

    from engine.errors import UsageError, excerpt
    from graphs import commands
    from graphs.network import built_in_names

    names = commands.NAMES
    first = words[0] if words else ""
    if first in names:
        raise UsageError("a command comes first.", how=f"Write backstep {first} ..., its options after it.")
    close = difflib.get_close_matches(first[:40], (*names, *built_in_names()), 1)
    if close and close[0] in names and not os.path.exists(first):
        raise UsageError(f"there is no command {excerpt(first, 40)}.", how=f"Did you mean {close[0]}?")
    if len(words) > 1:
        raise UsageError(
            "the window opens one network at a time.", how=f"The commands are {', '.join(names)}."
        )


def _refuse_lessons(words: list[str]) -> None:
    """Say it where the name of a network is that of a lesson."""
    from engine.errors import UsageError
    from graphs.lesson import built_in_name
    from graphs.network import built_in_names

    first = words[0] if words else ""
    is_network = first in built_in_names() or os.path.exists(first)
    if not is_network and not first.isdecimal() and built_in_name(first):
        how = f"Open it with backstep lesson {first}."
        raise UsageError(f"{first} is a lesson, not a network.", how=how)


PLATFORMS = ("xcb", "wayland", "wayland-egl", "offscreen", "minimal", "minimalegl", "vnc", "eglfs", "linuxfb")


def _has_display() -> bool:
    """Say whether Qt will find a display; without one QApplication would end the process."""
    chosen = os.environ.get("QT_QPA_PLATFORM", "").partition(":")[0]
    if sys.platform in ("win32", "darwin"):
        return True
    if chosen and chosen not in PLATFORMS:
        return False
    if chosen not in ("", *PLATFORMS[:3]):
        return True
    wayland = os.environ.get("WAYLAND_DISPLAY") if chosen != "xcb" else ""
    x11 = os.environ.get("DISPLAY") if not chosen.startswith("wayland") else ""
    return (bool(wayland) and _answers_wayland(str(wayland))) or (bool(x11) and _answers_x11(str(x11)))


def _answers_wayland(name: str) -> bool:
    folder = os.environ.get("XDG_RUNTIME_DIR", "")
    return _answers("unix", os.path.join(folder, name))


def _answers_x11(name: str) -> bool:
    """Say whether somebody listens at an X display: ``:0``, ``host:0.0``, ``unix:0``, ``/path``."""
    host, colon, number = name.rpartition(":")
    display = number.partition(".")[0]
    if not colon or not display.isdigit() or len(display) > 5:
        return os.path.exists(name)
    if host in ("", "unix"):
        path = f"/tmp/.X11-unix/X{display}"
        return _answers("unix", f"\0{path}") or _answers("unix", path)
    return _answers("tcp", (host.strip("[]"), 6000 + int(display)))


def _answers(kind: str, address: str | tuple[str, int]) -> bool:
    import socket

    try:
        if kind == "tcp":
            socket.create_connection(address, timeout=2).close()  # type: ignore[arg-type]
        else:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(2)
                client.connect(address)
    except (OSError, ValueError, OverflowError):
        return False
    return True


def _explain(error: ImportError) -> None:
    """Raise what a user can mend where `error` says that a system library or a package is missing."""
    from engine.errors import UsageError

    if ".so" in str(error):
        library = str(error).partition(":")[0]
        raise UsageError(
            f"the system library {library} is missing.", how=f"On Debian or Ubuntu: apt install {LIBRARIES}"
        ) from error
    room = (error.name or "").partition(".")[0]
    if room not in ("", "gui", "graphs", "engine"):
        raise UsageError(
            f"the package {room} is not installed.", how="Start with uv run main.py, or pip install -e ."
        ) from error


# --- lesson ------------------------------------------------------------------------------------------------


def _lesson_command() -> Command:
    """Return the command with what opens its window; it checks lessons without Qt."""
    from dataclasses import replace

    from graphs.commands import lesson

    return replace(lesson.COMMAND, run=lambda args: lesson.run(args, _open_lesson))


def _open_lesson(args: Namespace) -> Outcome:
    return _opened(None, lesson=args.lesson)


# --- landscape ---------------------------------------------------------------------------------------------


def _landscape_command() -> Command:
    """Return the command with what paints its pictures; its numbers come without Qt."""
    from dataclasses import replace

    from graphs.commands import landscape

    return replace(landscape.COMMAND, run=lambda args: landscape.run(args, _draw_landscape))


def _draw_landscape(drawn: Any, path: Any, args: Namespace) -> None:
    _draw_offscreen()
    try:
        from gui.landscape_file import draw
    except ImportError as error:
        _explain(error)
        raise
    draw(drawn, path, args)


def _draw_offscreen() -> None:
    """Let Qt paint without a display, also where there is one: no window flashes up."""
    if sys.platform not in ("win32", "darwin"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"


# --- export ------------------------------------------------------------------------------------------------


def _export_command() -> Command:
    """Return the command with what paints its pictures; documents come without Qt."""
    from dataclasses import replace

    from graphs.commands import export

    return replace(export.COMMAND, run=lambda args: export.run(args, _draw_jobs))


def _draw_jobs(snapshot: Any, jobs: Any, look: Any, progress: Any) -> None:
    _draw_offscreen()
    try:
        from gui.offscreen import export
    except ImportError as error:
        _explain(error)
        raise
    export(snapshot, jobs, look, progress)


if __name__ == "__main__":
    sys.exit(main())
