"""The command line as a whole: which command runs, what is said about input at fault, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest

import main as command_line
from engine.errors import UsageError
from graphs import commands
from graphs.commands.base import Command, Outcome, Parser

ROOT = Path(__file__).parents[1]
U = "univariate-regression"
Caught = pytest.CaptureFixture[str]


def process(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own."""
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *argv],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )


def sentence(caught: Caught) -> str:
    """Return the one line on stderr; nothing may stand on stdout."""
    out, err = caught.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("backstep: ")
    assert len(err) < 400
    return err


# --- input at fault ----------------------------------------------------------------------------------------

BAD: list[tuple[list[str], str]] = [
    (["trace"], "NETWORK"),
    (["trace", "nope"], "there is no network nope"),
    (["trace", "two-layer-nonlinar"], "Did you mean two-layer-nonlinear?"),
    (["trace", ""], "there is no network"),
    (["trace", "a\nb"], "a b"),
    (["trace", "x" * 5000], "there is no network"),
    (["trace", "x" * 5000 + ".toml"], "cannot be read"),
    (["trace", "missing.toml"], "cannot be read"),
    (["trace", "/dev/zero"], "there is no network"),
    (["trace", U, "more"], "unrecognized arguments: more"),
    (["trace", U, "--format", "xml"], "xml"),
    (["trace", U, "--format"], "--format"),
    (["trace", U, "--form", "json"], "--form"),
    (["trace", U, "--detail", "fine"], "fine"),
    (["trace", U, "--seed", "-1"], "-1 is too small"),
    (["trace", U, "--seed", "1.5"], "not a whole number"),
    (["trace", U, "--seed", "9" * 5000], "not a whole number"),
    (["trace", U, "--set", "w"], "NAME=VALUE"),
    (["trace", U, "--set", "=1"], "NAME=VALUE"),
    (["trace", U, "--set", "w="], "is no number"),
    (["trace", U, "--set", "w=NaN"], "NaN is not a finite number"),
    (["trace", U, "--set", "w=-Infinity"], "not a finite number"),
    (["trace", U, "--set", "w=1e999"], "not a finite number"),
    (["trace", U, "--set", "w=" + "9" * 5000], "is no number"),
    (["trace", U, "--set", "w=" + "[" * 100_000], "nested too deeply"),
    (["trace", U, "--set", "w=[[[1]]]"], "more than two dimensions"),
    (["trace", U, "--set", "w=[[1],[1,2]]"], "not equally long"),
    (["trace", U, "--set", "w=[1,2,3]"], "(1, 3) and (1, 50)"),
    (["trace", U, "--set", 'w="text"'], "not a finite number"),
    (["trace", U, "--set", 'w={"a": 1}'], "not a finite number"),
    (["trace", U, "--set", "w=null"], "not a finite number"),
    (["trace", U, "--set", "nobody=1"], "There are: w, b, x, y"),
    (["trace", U, "--optimizer", "magic"], "there is no optimizer magic"),
    (["trace", U, "--learning-rate", "nan"], "learning rate"),
    (["check", U, "--bogus"], "--bogus"),
    (["derive", U, "--format", "html"], "html"),
    (["train", U, "--steps", "0"], "the least is 1"),
    (["train", U, "--steps", "-1"], "the least is 1"),
    (["train", U, "--steps", "nan"], "not a whole number"),
    (["train", U, "--steps", "1" * 30], "too large"),
    (["train", U, "--steps", "9999999", "--trajectory"], "too long"),
    (["train", U, "--batch-size", "0"], "the least is 1"),
    (["train", U, "--batch-size", "51"], "from 1 to 50"),
    (["train", U, "--learning-rate", "0"], "greater than 0"),
    (["train", U, "--learning-rate", "-0.5"], "greater than 0"),
    (["train", U, "--learning-rate", "inf"], "greater than 0"),
    (["train", U, "--learning-rate", "x" * 500], "learning rate"),
    (["train", U, "--no-such-hyperparameter", "1"], "--no-such-hyperparameter"),
    (["export", U], "--to"),
    (["export", U, "--to", "a.bmp"], "End the name in one of .svg, .png,"),
    (["export", U, "--to", "no/such/folder/a.png"], "there is no folder"),
    (["export", U, "--to", "a.png", "--step", "-1"], "is no step"),
    (["export", U, "--to", "a.png", "--theme", "neon"], "neon"),
    (["export", "nope", "--to", "a.png"], "there is no network nope"),
    (["nope"], "there is no network nope"),
    (["tracee", U], "Did you mean trace?"),
    (["--seed", "3", "trace", U], "a command comes first"),
    ([U, "two-layer-linear"], "one network at a time"),
    (["--bogus"], "--bogus"),
    ([U, "--set", "nobody=1"], "There are: w, b, x, y"),
]


@pytest.mark.parametrize(
    ("argv", "expected"), BAD, ids=lambda v: " ".join(v)[:40] if isinstance(v, list) else ""
)
def test_input_at_fault_gets_one_clear_line(argv: list[str], expected: str, capsys: Caught) -> None:
    start = time.monotonic()
    assert command_line.main(argv) == 2
    assert expected in sentence(capsys)
    assert time.monotonic() - start < 10


def _options_with_numbers() -> list[tuple[str, str, int]]:
    """Return every option of a command that takes numbers: command, option, how many."""
    found = []
    for name in commands.NAMES:
        command = commands.find(name)
        text = command.parser().format_help()
        options = re.findall(r"^  (--[\w-]+) ([NXSCBK]|FROM TO|A\.\.B)(?=\s)", text, re.MULTILINE)
        found += [(name, option, 2 if metavar == "FROM TO" else 1) for option, metavar in options]
    return found


def _said_of(parser: Parser, argv: list[str]) -> str:
    try:
        parser.parse_args(argv)
    except UsageError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("number", ["-1e-3", "-1", "-.5E+2", "-inf"])
def test_a_negative_number_is_never_taken_for_an_option(number: str, capsys: Caught) -> None:
    options = _options_with_numbers()
    assert {o for _, o, _ in options} >= {"--x-range", "--learning-rate", "--rates", "--spread", "--steps"}
    for name, option, count in options:
        network = [] if name == "networks" else [U]
        to = ["--to", "a.png"] if name == "export" else []
        command = commands.find(name)
        said = _said_of(command.parser(), [*network, *to, option, *[number] * count])
        assert said == "" or (number in said and "expected" not in said), option  # out of its range, but read


def test_negative_numbers_with_an_exponent_are_read(capsys: Caught) -> None:
    ranges = ["--x-range", "-1e-3", "1e-3", "--y-range", "-2.5E-1", "-1e-2"]
    assert command_line.main(["landscape", U, "--grid", "2", "--format", "csv", *ranges]) == 0
    rows = capsys.readouterr().out.split()[1:]
    assert {tuple(map(float, row.split(",")[:2])) for row in rows} == {
        (x, y) for x in (-1e-3, 1e-3) for y in (-0.25, -0.01)
    }
    assert command_line.main(["trace", U, "--set", "b=-1e-3", "--set", "w= -2E-2", "--format", "json"]) == 0
    values = json.loads(capsys.readouterr().out)["values"]
    assert (values["b"], values["w"]) == (-1e-3, -2e-2)
    assert command_line.main(["train", U, "--steps", "3", "--stop-loss", "-1e-3"]) == 0
    assert command_line.main(["train", U, "--learning-rate", "-1e-3"]) == 2
    assert "the learning rate cannot be -1e-3. It is a number greater than 0." in capsys.readouterr().err


def test_a_folder_and_a_device_are_no_networks(tmp_path: Path, capsys: Caught) -> None:
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "endless.toml").symlink_to("/dev/zero")
    assert command_line.main(["trace", str(tmp_path / "folder.toml")]) == 2
    assert "directory" in sentence(capsys)
    assert command_line.main(["trace", str(tmp_path / "endless.toml")]) == 2
    assert "not an ordinary file" in sentence(capsys)


def test_a_network_file_cannot_command_the_terminal(tmp_path: Path, capsys: Caught) -> None:
    path = tmp_path / "colour.toml"
    path.write_text(r'title = "\u001b[31mred\u009b"' + '\nformula = "L = w"\n[parameters]\nw = 1.0\n')
    assert command_line.main(["check", str(path)]) == 0
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", capsys.readouterr().out)


# --- help and version --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", commands.NAMES)
def test_every_command_has_help_with_an_example(name: str, capsys: Caught) -> None:
    assert command_line.main([name, "--help"]) == 0
    text = capsys.readouterr().out
    assert f"example:\n  backstep {name}" in text
    assert "--seed" in text
    assert "--set NAME=VALUE" in text


@pytest.mark.parametrize("name", [n for n in commands.NAMES if n != "networks"])
def test_the_example_of_the_help_can_be_parsed(name: str) -> None:
    command = commands.find(name)
    words = shlex.split(command.example)
    assert words[0] == name
    args = command.parser().parse_args(words[1:])
    assert vars(args).get("network") or vars(args).get("lesson")


def test_the_help_lists_every_command(capsys: Caught) -> None:
    assert command_line.main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"\n  {name}" in text for name in commands.NAMES)


def test_the_version_is_the_project_files(capsys: Caught) -> None:
    assert command_line.main(["--version"]) == 0
    stated = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert stated
    assert capsys.readouterr().out == f"backstep {stated[1]}\n"


# --- the window and pictures -------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Put a window that only records in the place of the real one, which its own tests open."""
    calls: list[tuple[Any, ...]] = []
    app = types.ModuleType("gui.app")
    app.run = lambda source, **options: calls.append((source, options)) or 0  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gui.app", app)
    monkeypatch.setattr("gui.app", app, raising=False)
    return calls


def test_without_a_command_the_window_opens(opened: list[tuple[Any, ...]]) -> None:
    assert command_line.main([]) == 0
    assert command_line.main([U, "--seed", "3", "--set", "w=2", "--set", "w=0.5"]) == 0
    assert opened == [
        (None, {"seed": 0, "overrides": {}}),
        (U, {"seed": 3, "overrides": {"w": 0.5}}),
    ]


def test_a_network_at_fault_is_said_before_the_window_opens(
    opened: list[tuple[Any, ...]], capsys: Caught
) -> None:
    assert command_line.main(["nope"]) == 2
    assert "nope" in sentence(capsys)
    assert opened == []


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_export_draws_without_a_display(tmp_path: Path, ending: str) -> None:
    """In a process of its own, as a user without a display starts it."""
    environment = {
        k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    }
    to = tmp_path / f"a.{ending}"
    done = subprocess.run(
        [sys.executable, "main.py", "export", U, "--to", str(to), "--step", "3", "--theme", "dark"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"Written to {to}.\n", "")
    head = to.read_bytes()[:400]
    assert head.startswith(b"\x89PNG" if ending == "png" else b"<?xml")
    assert [p.name for p in tmp_path.iterdir()] == [to.name]


def test_export_of_a_step_that_is_not_there_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "a.png"
    assert command_line.main(["export", U, "--to", str(to), "--step", "99"]) == 2
    assert capsys.readouterr().err == "backstep: there is no step 99. Choose one of its steps, 0 to 10.\n"
    assert not to.exists()


def test_export_of_the_window_is_as_large_as_the_window(tmp_path: Path) -> None:
    from PySide6.QtGui import QImage

    to = tmp_path / "window.png"
    assert command_line.main(["export", U, "--to", str(to), "--window", "--theme", "light"]) == 0
    assert QImage(str(to)).size().toTuple() == (1280, 720)


# --- how it ends -------------------------------------------------------------------------------------------


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that puts a command in the place of all, which raises what it is given."""

    def use(error: BaseException) -> None:
        def run(_: object) -> Outcome:
            raise error

        command = Command("networks", "", "", lambda parser: None, run)
        monkeypatch.setattr(command_line, "_command", lambda argv: command)

    return use


@pytest.mark.parametrize(
    ("error", "code", "expected"),
    [
        (MemoryError(), 2, "not enough memory"),
        (RecursionError(), 2, "nested too deeply"),
        (UsageError("that is wrong", how="Mend it."), 2, "backstep: that is wrong. Mend it.\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_expected_ends_are_short(
    failing: Any, error: BaseException, code: int, expected: str, capsys: Caught
) -> None:
    failing(error)
    assert command_line.main(["networks"]) == code
    err = capsys.readouterr().err
    assert expected in err
    assert err.count("\n") <= 1


def test_a_defect_is_reported_with_its_traceback(failing: Any, capsys: Caught) -> None:
    failing(ZeroDivisionError("inside"))
    assert command_line.main(["networks"]) == 70
    err = capsys.readouterr().err
    assert "ZeroDivisionError: inside" in err
    assert err.endswith("please report it together with the lines above.\n")


def test_a_reader_who_has_seen_enough_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "trace", "two-layer-nonlinear", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.read(10)
        running.stdout.close()
        assert running.stderr.read() == b""
        assert running.wait(30) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_output_that_cannot_be_written_is_said() -> None:
    with open("/dev/full", "w") as full:
        found = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), "networks"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert found.returncode == 74
    assert found.stderr.count(b"\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_control_c_ends_training_quietly() -> None:
    argv = [sys.executable, str(ROOT / "main.py"), "train", "two-layer-nonlinear", "--steps", "10000000"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        time.sleep(1.5)  # the process must have come past its imports
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize("environment", [{"LC_ALL": "C", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "latin-1"}])
def test_output_is_utf8_whatever_the_locale(environment: dict[str, str]) -> None:
    found = process("derive", U, PYTHONCOERCECLOCALE="0", **environment)
    assert (found.returncode, found.stderr) == (0, "")
    assert "∂L/∂w = 2/m (ŷ − y) xᵀ" in found.stdout


def test_no_colours_and_no_progress_where_nobody_watches() -> None:
    found = process("train", U, "--steps", "20")
    assert (found.returncode, found.stderr) == (0, "")
    assert "\x1b" not in found.stdout
    assert "\r" not in found.stdout


# --- what is imported --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["networks", "trace", "derive", "check", "train"])
def test_what_draws_nothing_imports_nothing_that_draws(name: str) -> None:
    argv = [name] if name == "networks" else [name, U]
    heavy = {"PySide6", "shiboken6", "pyqtgraph", "networkx", "ziamath", "fast_sugiyama", "contourpy"}
    script = (
        f"import sys, main\ncode = main.main({argv!r})\n"
        f"loaded = {heavy!r} & set(sys.modules)\n"
        "sys.exit(f'imports {sorted(loaded)}' if loaded else code)\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("given", [None, "3"])
def test_one_thread_unless_the_user_says_otherwise(given: str | None) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    environment |= {"OPENBLAS_NUM_THREADS": given} if given else {}
    script = "import os, sys, main; print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, env=environment, check=True
    )
    assert found.stdout.split() == [given or "1", "False"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
@pytest.mark.parametrize(
    "screens",
    [
        {"DISPLAY": ":4095"},
        {"DISPLAY": "127.0.0.1:4095"},
        {"DISPLAY": "nonsense"},
        {"WAYLAND_DISPLAY": "wayland-4095"},
        {"DISPLAY": ":4095", "QT_QPA_PLATFORM": "nonsense"},
    ],
)
def test_a_display_that_does_not_answer_is_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], screens: dict[str, str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in screens.items():
        monkeypatch.setenv(name, value)
    assert command_line.main([]) == 2
    assert "there is no display to open a window on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "values"),
    [("b2=1/3", 1 / 3), ("b2=sqrt(2)", 2**0.5), ("w2=0.1 0.2 0.3 0.4", [[0.1, 0.2, 0.3, 0.4]])],
)
def test_values_are_taken_as_the_window_takes_them(
    capsys: pytest.CaptureFixture[str], text: str, values: object
) -> None:
    argv = ["trace", "two-layer-nonlinear", "--set", text, "--format", "json"]
    assert command_line.main(argv) == 0
    assert json.loads(capsys.readouterr().out)["values"][text.partition("=")[0]] == values


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "a.pdf",
            b"%PDF-1.4\n\xff",
            "a.pdf: this is a PDF document. What opens is a network (.toml)",
        ),
        ("a.toml", b"%PDF-1.4\n\xff", "this is a PDF document."),
        ("a.png", b"\x89PNG\r\n", "this is a PNG picture."),
        ("a.mp4", b"\0\0\0\x20ftypisom", "this is a film."),
        ("a.zip", b"PK\x03\x04", "this is a packed archive."),
        (
            "a.md",
            b"<!-- a handout -->",
            "valid TOML: Invalid statement (at line 1, column 1). What opens is a network",
        ),
        (
            "a.toml",
            b'title = "T"\n[[page]]\n',
            "this is a lesson, not a network. Open it with backstep lesson",
        ),
    ],
)
def test_what_a_file_is_instead_of_a_network_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Caught, name: str, content: bytes, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(content)
    assert command_line.main(["trace", name]) == 2
    assert said in sentence(capsys)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["a.pdf"], "a.pdf: this is a PDF document. A lesson is a text file, saved as UTF-8."),
        (["net.toml"], "this is a network, not a lesson. Open it with backstep net.toml."),
        (
            ["perceptron-classifier"],
            "perceptron-classifier is a network, not a lesson. Open it with backstep perc",
        ),
        (["sigmoid"], "there is no lesson sigmoid. Did you mean 08-sigmoid-and-stored-activations?"),
    ],
)
def test_what_a_file_is_instead_of_a_lesson_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Caught, argv: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.pdf").write_bytes(b"%PDF-1.4\n\xff")
    Path("net.toml").write_text('formula = "L = w"\n[parameters]\nw = 1.0\n')
    assert command_line.main(["lesson", *argv, "--check"]) == 2
    found = capsys.readouterr().err
    assert said in found
    assert found.count("\n") == 1


def test_a_lesson_in_the_place_of_a_network_is_said(capsys: Caught) -> None:
    assert command_line.main(["chain-rule"]) == 2
    said = "chain-rule is a lesson, not a network. Open it with backstep lesson chain-rule."
    assert said in sentence(capsys)


BROKEN = """\
title = "T"
sumary = "s"
network = "two-layer-nonlinear"
[[page]]
title = "One"
text = "It is {{q}}."
docks = ["losses"]
wait = { stepped = 1 }
question = { ask = "Which?", kind = "choise", answer = "a", choices = ["a", "b"] }
[[page]]
txet = "Words."
at = 3
iteration = 10
train = -5
"""


def test_everything_that_is_wrong_with_a_lesson_is_said_at_once(tmp_path: Path, capsys: Caught) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(BROKEN)
    assert command_line.main(["lesson", str(file), "--check"]) == 1
    found = [line.split(":")[0] for line in capsys.readouterr().out.splitlines()]
    lines = [2, 6, 7, 8, 9, 10, 10, 11, 12, 14]  # the last page lacks title and text
    assert found == [f"mine.toml, line {line}" for line in lines]


def test_a_lesson_says_that_it_has_its_own_seed(capsys: Caught) -> None:
    assert command_line.main(["lesson", "chain-rule", "--check", "--seed", "3"]) == 0
    assert capsys.readouterr().err == "backstep: --seed made no difference to a lesson, which has its own.\n"


def test_a_table_is_said_not_to_be_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "points.csv"
    file.write_text("a,b\n1,2\n")
    assert command_line.main(["trace", str(file)]) == 2
    assert "points.csv is a table, not a network" in capsys.readouterr().err
