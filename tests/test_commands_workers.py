"""Progress on stderr for a person who watches, and nothing for a file."""

from __future__ import annotations

import io
import os
import sys

import pytest

import main as command_line
from graphs.commands.workers import Progress, executor


class Terminal(io.StringIO):
    """A stderr that a person watches."""

    def isatty(self) -> bool:
        return True


def seen(text: str) -> str:
    """Return what stands on the last line of a terminal after `text`."""
    line: list[str] = []
    place = 0
    for char in text:
        if char == "\r":
            place = 0
        else:
            line[place : place + 1] = [char]
            place += 1
    return "".join(line).rstrip()


def test_a_shorter_line_leaves_nothing_of_a_longer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with Progress() as progress:
        progress.show(0.123, "a long word about it")
        assert seen(terminal.getvalue()) == "12 %, a long word about it".rjust(27)
        progress.show(0.5, "short")
        assert seen(terminal.getvalue()) == " 50 %, short"
    assert seen(terminal.getvalue()) == ""


def test_the_line_is_cleared_where_the_work_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())

    def work() -> None:
        with Progress() as progress:
            progress.show(0.5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert seen(terminal.getvalue()) == ""


@pytest.mark.parametrize("command", [["search"], ["sweep", "--workers", "1"]])
def test_commands_show_progress_to_a_person_alone(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = command
    assert command_line.main([name, "univariate-regression", *options]) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    assert command_line.main([name, "univariate-regression", *options]) == 0
    assert "100 %" in terminal.getvalue()
    assert seen(terminal.getvalue()) == ""


def test_no_more_processes_than_there_is_work() -> None:
    with executor(workers=8, tasks=1) as alone:
        assert alone.submit(os.getpid).result() == os.getpid()
    with executor(workers=2, tasks=9) as pool:
        assert pool.submit(os.getpid).result() != os.getpid()
        one = pool.submit(os.getenv, "OPENBLAS_NUM_THREADS").result()
    assert one == "1"
