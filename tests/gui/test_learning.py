"""The report of what was learnt: kept in one file, by several windows, whatever is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from graphs.answers import Verdict
from graphs.report import Key, loads
from gui.app import application
from gui.learning import DAMAGED, FILE, Learning

RIGHT, WRONG = Verdict(True, "Right."), Verdict(False, "No.", kinds=("sign",))
FIRST, SECOND = Key("A network", "a"), Key("A network", "b")


Begin = Callable[..., Learning]


@pytest.fixture
def begun(qtbot: QtBot) -> Iterator[Begin]:
    """Return a function that keeps a report in a folder, as a window does; it has been read unless told."""
    kept: list[Learning] = []

    def begun(folder: Path, *, is_read: bool = True) -> Learning:
        learning = Learning(folder, application())
        kept.append(learning)
        if is_read:
            learning.begin()
            settled(learning, qtbot)
        return learning

    yield begun
    for learning in kept:
        learning.close()
        learning.deleteLater()


def settled(learning: Learning, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: learning.is_settled)


def test_what_happens_before_the_file_is_read_is_added(tmp_path: Path, qtbot: QtBot, begun: Begin) -> None:
    before = begun(tmp_path)
    before.tried(FIRST, "1?", WRONG)
    settled(before, qtbot)
    learning = begun(tmp_path, is_read=False)
    learning.tried(FIRST, "1?", RIGHT)
    learning.helped(SECOND, "2?", 1)
    learning.begin()
    settled(learning, qtbot)
    learning.close()
    kept = loads((tmp_path / FILE).read_text()).records
    assert (kept[FIRST].tries, kept[FIRST].is_first) == (2, False)
    assert kept[SECOND].hints == 1


def test_two_windows_keep_both_of_their_answers(tmp_path: Path, qtbot: QtBot, begun: Begin) -> None:
    one, other = begun(tmp_path), begun(tmp_path)
    one.tried(FIRST, "1?", RIGHT)
    settled(one, qtbot)
    other.tried(SECOND, "2?", RIGHT)
    settled(other, qtbot)
    assert set(loads((tmp_path / FILE).read_text()).records) == {FIRST, SECOND}
    other.clear()
    settled(other, qtbot)
    assert not loads((tmp_path / FILE).read_text()).records


def test_what_is_not_written_yet_is_written_at_the_end(tmp_path: Path, qtbot: QtBot, begun: Begin) -> None:
    learning = begun(tmp_path / "new")  # the folder is made
    learning.tried(FIRST, "1?", RIGHT)
    learning.close()
    assert set(loads((tmp_path / "new" / FILE).read_text()).records) == {FIRST}
    forgotten = learning.clear()
    learning.tried(SECOND, "2?", RIGHT)
    learning.put_back(forgotten)
    learning.close()
    assert set(loads((tmp_path / "new" / FILE).read_text()).records) == {FIRST, SECOND}


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"format": 99}', b"\xff\xfe"])
def test_a_damaged_file_is_kept_aside_and_said(
    tmp_path: Path, qtbot: QtBot, begun: Begin, content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)
    learning, said = begun(tmp_path, is_read=False), []
    learning.failed.connect(said.append)
    learning.begin()
    qtbot.waitUntil(lambda: learning.is_read)
    assert len(said) == 1
    assert DAMAGED in said[0]
    assert (tmp_path / DAMAGED).read_bytes() == content
    learning.tried(FIRST, "1?", RIGHT)
    settled(learning, qtbot)
    learning.close()
    assert set(loads((tmp_path / FILE).read_text()).records) == {FIRST}


def test_a_folder_that_cannot_be_written_to_is_said(tmp_path: Path, qtbot: QtBot, begun: Begin) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    learning, said = begun(blocked / "folder"), []
    learning.failed.connect(said.append)
    learning.tried(FIRST, "1?", RIGHT)
    qtbot.waitUntil(lambda: bool(said))
    assert "cannot be kept" in said[0]
