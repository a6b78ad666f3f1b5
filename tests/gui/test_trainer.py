"""The training process: the same numbers as here, several runs at once, and every way it can end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from engine.training import Point, Reached, Recipe, Run, Stopping
from graphs.network import Model, bind, built_in_names, load
from gui.processes import THREADS
from gui.trainer import Done, Failed, Message, Paused, Progress, Slow, Trainer, trainer
from gui.training_process import merged
from tests.gui.problems import Deadly, Failing, Greedy, Stuck, Unreadable, Wrapped
from tests.helpers import model_of

LONG = 10**8
LIMIT = 60_000  # ms
ENDED = "the training process ended unexpectedly; what was recorded up to iteration"
on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")

Problem = Model | Wrapped


class Lab:
    """Starts runs, and takes in what arrives of them as the window does."""

    def __init__(self, qtbot: QtBot, **options: float) -> None:
        self._qtbot = qtbot
        self.trainer = Trainer(**options)
        self.runs: dict[int, Run] = {}
        self.heard: dict[int, list[Message]] = defaultdict(list)
        self.arrived: list[Message] = []  # of all runs, in order

    def start(self, key: int, problem: Problem, goal: int, recipe: Recipe | None = None) -> Run:
        if key not in self.runs:
            self.runs[key] = Run(problem, recipe or Recipe(batch_size=4))  # type: ignore[arg-type]
        return self.go_on(key, goal)

    def go_on(self, key: int, goal: int) -> Run:
        run = self.runs[key]
        self.trainer.start(key, run.problem, run.recipe, run.point, goal, run.history.stride)
        return run

    def poll(self) -> None:
        for message in self.trainer.poll():
            self.heard[message.key].append(message)
            self.arrived.append(message)
            if isinstance(message, Progress):
                self.runs[message.key].extend(message.records)

    def wait(self, condition: Callable[[], bool]) -> None:
        def look() -> bool:
            self.poll()
            return condition()

        self._qtbot.waitUntil(look, timeout=LIMIT)

    def wait_for(self, key: int) -> Message:
        """Wait for the last message of a run."""
        self.wait(lambda: not self.trainer.is_running(key))
        return self.heard[key][-1]

    def wait_for_iterations(self, key: int, count: int) -> None:
        self.wait(lambda: self.runs[key].iteration >= count)

    def wait_until_idle(self) -> None:
        self.wait(lambda: not self.trainer.expects)


@pytest.fixture
def lab(qtbot: QtBot) -> Iterator[Lab]:
    made = Lab(qtbot)
    yield made
    made.trainer.close()


@pytest.fixture(scope="module")
def model() -> Model:
    return bind(load("two-layer-nonlinear"))


def straight(like: Run, model: Problem | None = None) -> Run:
    """Return a run as far as `like`, trained here."""
    run = Run(model or like.problem, like.recipe)  # type: ignore[arg-type]
    run.advance(like.iteration)
    return run


def assert_same_point(a: Point, b: Point) -> None:
    assert a.iteration == b.iteration
    assert {n: v.tobytes() for n, v in a.parameters.items()} == {
        n: v.tobytes() for n, v in b.parameters.items()
    }
    assert {n: v.tobytes() for n, v in a.state.items()} == {n: v.tobytes() for n, v in b.state.items()}


def assert_same(a: Run, b: Run) -> None:
    """Assert that two runs have the same records, bit for bit."""
    assert a.losses.tobytes() == b.losses.tobytes()
    assert_same_point(a.point, b.point)
    assert a.ended == b.ended


def lives(pid: int) -> bool:
    """Say whether a process has not ended; one that nobody has buried yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


# --- the same numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", built_in_names())
def test_what_arrives_is_what_training_here_gives_bit_for_bit(lab: Lab, name: str) -> None:
    model = bind(load(name))
    run = lab.start(1, model, 1500, model.network.training.recipe)
    assert lab.wait_for(1) == Done(1)
    here = straight(run)
    assert_same(run, here)
    found = {sample.point.iteration: sample for sample in run.history.samples}
    for sample in here.history.samples:
        other = found[sample.point.iteration]
        assert_same_point(sample.point, other.point)
        assert np.array_equal([sample.held_loss], [other.held_loss], equal_nan=True)
        assert sample.gradient_norm == other.gradient_norm


def test_records_follow_one_another_and_the_last_word_comes_last(lab: Lab, model: Model) -> None:
    lab.start(1, model, 700)
    lab.wait_for(1)
    progress = [m.records for m in lab.heard[1] if isinstance(m, Progress)]
    assert len(progress) == len(lab.heard[1]) - 1
    following = 1
    for records in progress:
        assert records.first == following
        following += len(records.losses)
        assert records.point.iteration == following - 1
    assert following == 701


@pytest.mark.parametrize(("optimizer", "batch_size"), [("gd", None), ("momentum", 3), ("adam", 4)])
def test_a_pause_anywhere_leaves_the_curve_bit_for_bit(
    lab: Lab, model: Model, optimizer: str, batch_size: int | None
) -> None:
    lab.start(1, model, LONG, Recipe(optimizer, batch_size=batch_size))
    for place in (1, 3, 50, 400, 1300):
        lab.wait_for_iterations(1, place)
        lab.trainer.pause(1)
        assert lab.wait_for(1) == Paused(1)
        lab.go_on(1, LONG)
    lab.trainer.pause(1)
    lab.wait_for(1)
    assert_same(lab.runs[1], straight(lab.runs[1]))
    middle = lab.runs[1].iteration // 2
    assert_same_point(lab.runs[1].at(middle), straight(lab.runs[1]).at(middle))


def test_a_run_that_diverges_is_done(lab: Lab) -> None:
    model = bind(load("univariate-regression"))
    run = lab.start(1, model, 100, Recipe(settings={"learning_rate": 1e200}))
    assert lab.wait_for(1) == Done(1)
    assert run.diverged is not None
    assert run.iteration < 100
    here = Run(model, run.recipe)
    here.advance(100)
    assert run.ended == here.ended


@pytest.mark.parametrize("stopping", [Stopping(loss=0.4), Stopping(change=1e-4), Stopping(gradient=0.1)])
def test_a_run_that_meets_a_rule_is_done(lab: Lab, stopping: Stopping) -> None:
    model = bind(load("univariate-regression"))
    run = lab.start(1, model, 3000, Recipe(stopping=stopping))
    assert lab.wait_for(1) == Done(1)
    here = Run(model, run.recipe)
    here.advance(3000)
    assert isinstance(run.ended, Reached)
    assert_same(run, here)


def test_a_goal_that_has_been_reached_is_done_at_once(lab: Lab, model: Model) -> None:
    lab.start(1, model, 0)
    assert lab.wait_for(1) == Done(1)
    assert lab.heard[1] == [Done(1)]


# --- several runs ------------------------------------------------------------------------------------------


def test_a_race_is_even(lab: Lab, model: Model) -> None:
    for key, optimizer in enumerate(("gd", "adam", "gd")):
        lab.start(key, model, 1500, Recipe(optimizer, batch_size=None if key else 4))
    lab.wait(lambda: any(Done(key) in lab.heard[key] for key in range(3)))
    assert min(run.iteration for run in lab.runs.values()) > 500
    lab.wait_until_idle()
    for run in lab.runs.values():
        assert_same(run, straight(run))


def test_a_run_that_joins_late_gets_no_more_than_its_turns(lab: Lab, model: Model) -> None:
    lab.start(1, model, LONG)
    lab.wait_for_iterations(1, 15_000)
    lab.start(2, model, 10_000)
    assert lab.wait_for(2) == Done(2)
    here, marks = 0, []  # how far both were at each message of the second
    for message in lab.arrived:
        if isinstance(message, Progress):
            there = message.records.point.iteration
            here, marks = (there, marks) if message.key == 1 else (here, [*marks, (here, there)])
    (first_began, second_began), (first_ended, second_ended) = marks[0], marks[-1]
    assert first_ended - first_began > (second_ended - second_began) / 2 > 0


def test_one_run_is_paused_and_the_others_go_on(lab: Lab, model: Model) -> None:
    for key in (1, 2):
        lab.start(key, model, LONG)
    lab.wait(lambda: all(run.iteration for run in lab.runs.values()))
    lab.trainer.pause(1)
    assert lab.wait_for(1) == Paused(1)
    here = lab.runs[2].iteration
    lab.wait_for_iterations(2, here + 100)
    assert lab.heard[1][-1] == Paused(1)
    assert lab.heard[1].count(Paused(1)) == 1


def test_nothing_arrives_of_a_run_that_was_dropped(lab: Lab, model: Model) -> None:
    for key in (1, 2):
        lab.start(key, model, LONG)
    lab.wait(lambda: all(run.iteration for run in lab.runs.values()))
    lab.trainer.drop(1)
    assert not lab.trainer.is_running(1)
    count, here = len(lab.heard[1]), lab.runs[2].iteration
    lab.wait_for_iterations(2, here + 500)
    assert len(lab.heard[1]) == count
    lab.trainer.drop(2)
    lab.wait_until_idle()
    lab.trainer.drop(2)
    lab.trainer.drop(77)
    lab.trainer.pause(77)


def test_a_second_start_of_a_key_takes_the_place_of_the_first(lab: Lab, model: Model) -> None:
    lab.start(1, model, LONG)
    lab.wait_for_iterations(1, 20)
    other = bind(load("univariate-regression"))
    lab.runs[1] = Run(other)
    run = lab.go_on(1, 30)
    assert lab.wait_for(1) == Done(1)
    assert_same(run, straight(run))


def test_more_problems_than_the_process_keeps(lab: Lab) -> None:
    models = [bind(load("univariate-regression"), seed=seed) for seed in range(9)]
    for _ in range(2):
        for key, model in enumerate(models):
            lab.runs[key] = Run(model)
            lab.go_on(key, 10)
        lab.wait_until_idle()
        for run in lab.runs.values():
            assert_same(run, straight(run))


# --- failures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Failing, "OSError: the disk is gone"),
        (Greedy, "there is not enough memory for this; choose smaller shapes or less data."),
    ],
)
def test_a_failure_ends_one_run_and_loses_nothing(
    lab: Lab, model: Model, kind: type[Wrapped], words: str
) -> None:
    lab.start(1, kind(model, 37), LONG)
    lab.start(2, model, LONG)
    assert lab.wait_for(1) == Failed(1, f"Training stopped at iteration 37: {words}")
    assert_same(lab.runs[1], straight(lab.runs[1], model))
    assert lab.runs[1].iteration == 37
    here = lab.runs[2].iteration
    lab.wait_for_iterations(2, here + 100)
    lab.runs[1].problem = model
    lab.go_on(1, 60)
    assert lab.wait_for(1) == Done(1)
    assert_same(lab.runs[1], straight(lab.runs[1]))


def test_what_cannot_be_trained_is_said_in_the_engine_s_own_words(lab: Lab) -> None:
    run = lab.start(1, model_of("L = x * x", {}, {"x": 2.0}), 5, Recipe())
    assert lab.wait_for(1) == Failed(
        1, "this network has no parameters to train. Add some under [parameters]."
    )
    assert run.iteration == 0


def test_a_problem_that_cannot_be_sent_or_read(lab: Lab, model: Model) -> None:
    unsent: Any = Failing(model, LONG)
    unsent.own = lambda: None
    lab.start(1, unsent, 5)
    assert lab.trainer.is_running(1)  # the failure is still to be told
    lab.start(2, Unreadable(model, LONG), 5)
    lab.start(3, model, 5)
    lab.wait_until_idle()
    unsent_words = lab.heard[1][-1]
    assert isinstance(unsent_words, Failed)
    assert unsent_words.sentence.startswith("Training cannot start: ")
    assert lab.heard[2] == [Failed(2, "Training stopped at iteration 0: ValueError: nobody can read this")]
    assert lab.heard[3][-1] == Done(3)


# --- a process that dies -----------------------------------------------------------------------------------


def test_a_killed_process_is_noticed_and_the_next_start_has_a_new_one(lab: Lab, model: Model) -> None:
    for key in (1, 2):
        lab.start(key, model, LONG)
    lab.wait(lambda: all(run.iteration > 10 for run in lab.runs.values()))
    first = lab.trainer.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    lab.wait_until_idle()
    for key, run in lab.runs.items():
        last = lab.heard[key][-1]
        assert isinstance(last, Failed)
        assert f"{ENDED} {run.iteration} is kept; train again to go on." in last.sentence
        lab.go_on(key, run.iteration + 50)
    assert lab.trainer.pid not in (None, first)
    assert all(lab.trainer.is_running(key) for key in lab.runs)
    for key, run in lab.runs.items():
        assert lab.wait_for(key) == Done(key)
        assert_same(run, straight(run))


def test_a_problem_that_ends_the_process_each_time(lab: Lab, model: Model) -> None:
    run = lab.start(1, Deadly(model, 12), LONG)
    for _ in range(2):
        assert isinstance(lab.wait_for(1), Failed)
        assert run.iteration <= 12
        lab.go_on(1, LONG)
    lab.trainer.drop(1)
    lab.start(2, model, 10)
    assert isinstance(lab.wait_for(2), Done | Failed)


def test_a_process_that_died_while_nobody_needed_it(lab: Lab, model: Model, qtbot: QtBot) -> None:
    lab.trainer.warm()
    pid = lab.trainer.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: not lives(pid), timeout=LIMIT)
    lab.start(1, model, 10)
    assert lab.wait_for(1) == Done(1)


# --- a process that hangs ----------------------------------------------------------------------------------


def test_a_stopped_process_is_ended_by_a_pause(lab: Lab, model: Model, qtbot: QtBot) -> None:
    lab.start(1, model, LONG)
    lab.wait_for_iterations(1, 10)
    pid = lab.trainer.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    lab.trainer.pause(1)
    assert lab.wait_for(1) == Paused(1)
    qtbot.waitUntil(lambda: not lives(pid), timeout=LIMIT)
    lab.go_on(1, lab.runs[1].iteration + 50)
    assert lab.wait_for(1) == Done(1)
    assert_same(lab.runs[1], straight(lab.runs[1]))


def test_an_iteration_without_an_end_is_ended_and_the_other_runs_go_on(
    lab: Lab, model: Model, tmp_path: Path
) -> None:
    lab.start(1, Stuck(model, 300, tmp_path / "stuck"), LONG)
    lab.start(2, model, 600)
    lab.wait((tmp_path / "stuck").exists)
    lab.trainer.pause(1)
    assert lab.wait_for(1) == Paused(1)
    assert lab.wait_for(2) == Done(2)
    for run in lab.runs.values():
        assert_same(run, straight(run, model))


def test_a_dropped_iteration_without_an_end_does_not_hold_up_the_next_run(
    lab: Lab, model: Model, tmp_path: Path
) -> None:
    lab.start(1, Stuck(model, 5, tmp_path / "stuck"), LONG)
    lab.wait((tmp_path / "stuck").exists)
    lab.trainer.drop(1)
    assert lab.trainer.expects
    lab.start(2, model, 50)
    assert lab.wait_for(2) == Done(2)
    assert_same(lab.runs[2], straight(lab.runs[2]))


@on_linux
def test_closing_ends_the_process_also_in_an_iteration_without_an_end(
    lab: Lab, model: Model, tmp_path: Path, qtbot: QtBot
) -> None:
    lab.start(1, Stuck(model, 5, tmp_path / "stuck"), LONG)
    lab.wait((tmp_path / "stuck").exists)
    pid = lab.trainer.pid
    assert pid is not None
    lab.trainer.close()
    assert lab.trainer.pid is None
    assert lab.trainer.poll() == []
    assert not lab.trainer.is_running(1)
    qtbot.waitUntil(lambda: not lives(pid), timeout=LIMIT)
    lab.trainer.close()


def test_a_silent_process_is_said_once_and_may_go_on(qtbot: QtBot, model: Model) -> None:
    lab = Lab(qtbot, silence=0.3)
    lab.start(1, model, LONG)
    lab.wait_for_iterations(1, 10)
    pid = lab.trainer.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    lab.wait(lambda: isinstance(lab.heard[1][-1], Slow))
    assert lab.trainer.is_running(1)
    os.kill(pid, signal.SIGCONT)
    here = lab.runs[1].iteration
    lab.wait_for_iterations(1, here + 100)
    lab.trainer.pause(1)
    assert lab.wait_for(1) == Paused(1)
    assert_same(lab.runs[1], straight(lab.runs[1]))
    lab.trainer.close()


# --- the process -------------------------------------------------------------------------------------------

PARENT = """
import sys
from engine.training import Run
from graphs.network import bind, load
from gui.trainer import Progress, Trainer

run = Run(bind(load("univariate-regression")))
trainer = Trainer()
trainer.start(1, run.problem, run.recipe, run.point, 10**9)
while not any(isinstance(message, Progress) for message in trainer.poll()):
    pass
print(trainer.pid, "PySide6" in sys.modules, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        env={name: value for name, value in os.environ.items() if name not in THREADS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


@on_linux
def test_no_process_stays_behind_when_the_window_is_killed(
    parent: subprocess.Popen[str], qtbot: QtBot
) -> None:
    assert parent.stdout is not None
    pid, has_qt = parent.stdout.readline().split()
    assert has_qt == "False"
    assert lives(int(pid))
    # one trains, one listens, one ends with the window: none of BLAS, though the environment asks for none
    assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 3
    parent.kill()
    qtbot.waitUntil(lambda: not lives(int(pid)), timeout=LIMIT)


@on_linux
def test_the_end_of_python_ends_the_process_quietly(parent: subprocess.Popen[str], qtbot: QtBot) -> None:
    assert parent.stdout is not None
    pid, _ = parent.stdout.readline().split()
    _, complaints = parent.communicate("")
    assert parent.returncode == 0
    assert complaints == ""
    qtbot.waitUntil(lambda: not lives(int(pid)), timeout=LIMIT)


@on_linux
def test_the_process_has_no_qt_and_a_lower_priority(lab: Lab, model: Model) -> None:
    lab.start(1, model, LONG)
    lab.wait_for_iterations(1, 10)
    here = Path(f"/proc/{lab.trainer.pid}")
    assert "numpy" in (here / "maps").read_text()
    assert "Qt6" not in (here / "maps").read_text()
    nice = (here / "stat").read_text().rpartition(")")[2].split()[16]
    assert int(nice) > os.nice(0)


def test_the_application_has_one_trainer() -> None:
    assert trainer() is trainer()


# --- what is sent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("counts", [[1], [1, 1], [5, 300, 3], [0, 9], [3, 0]])
@pytest.mark.parametrize("stride", [1, 4])
def test_turns_are_told_as_one(counts: list[int], stride: int) -> None:
    model = bind(load("univariate-regression"))
    point = Run(model).point
    run = Run(model, point=point, stride=stride)
    whole = merged([run.advance(count) for count in counts])
    straight = Run(model, point=point, stride=stride).advance(sum(counts))
    assert whole.first == straight.first
    assert whole.losses.tobytes() == straight.losses.tobytes()
    assert_same_point(whole.point, straight.point)
    assert [s.point.iteration for s in whole.samples] == [s.point.iteration for s in straight.samples]
    for ours, theirs in zip(whole.samples, straight.samples, strict=True):
        assert_same_point(ours.point, theirs.point)
