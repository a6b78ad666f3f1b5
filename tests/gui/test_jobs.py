"""The training job: in the background, interruptible at any iteration, and never losing one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from engine.errors import TrainingError
from engine.training import Run
from graphs.network import Model, bind, load
from gui.jobs import TrainingJob
from tests.helpers import model_of

LONG = 10**7


@pytest.fixture
def model() -> Model:
    return bind(load("two-layer-nonlinear"))


@pytest.fixture
def job(model: Model) -> Iterator[TrainingJob]:
    job = TrainingJob(Run(model))
    yield job
    job.close()


def threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "training"]


def recorded(job: TrainingJob, count: int) -> None:
    """Wait until `count` iterations are there; each look also makes the job give way once."""
    while job.iterations < count:
        job.at(0)


def test_nothing_runs_before_it_is_asked_for(job: TrainingJob) -> None:
    assert not job.running
    assert job.iterations == 0
    assert threads() == []
    assert job.wait(0)


def test_it_does_as_many_iterations_as_asked_for(job: TrainingJob, model: Model) -> None:
    job.train(57)
    assert job.wait(60)
    assert not job.running
    assert job.iterations == 57
    straight = Run(model)
    straight.advance(57)
    assert job.run.losses == straight.losses


def test_pauses_anywhere_leave_the_curve_bit_for_bit(job: TrainingJob, model: Model) -> None:
    for place in (1, 3, 10, 11, 40):
        job.train(LONG)
        recorded(job, place)
        job.pause()
        assert not job.running
        here = job.iterations
        assert job.run.iteration == here
        assert job.at(here).iteration == here
    straight = Run(model)
    straight.advance(job.iterations)
    assert job.run.losses == straight.losses
    assert job.at(5).parameters["W1"].tobytes() == straight.at(5).parameters["W1"].tobytes()


def test_any_iteration_can_be_asked_for_while_training(job: TrainingJob) -> None:
    job.train(LONG)
    for _ in range(200):
        wanted = job.iterations // 2
        assert job.at(wanted).iteration == wanted
    assert job.running


def test_an_iteration_beyond_the_last_is_the_last(job: TrainingJob) -> None:
    job.advance(3)
    assert job.at(99).iteration == 3


def test_a_new_goal_right_at_the_end_of_the_old_one_is_not_lost(job: TrainingJob) -> None:
    for count in range(1, 200):
        job.train(1)
        assert job.wait(60)
        assert job.iterations == count


def test_closing_ends_the_thread_at_once_and_may_be_repeated(model: Model) -> None:
    job = TrainingJob(Run(model))
    job.train(LONG)
    assert len(threads()) == 1
    job.close()
    assert threads() == []
    assert not job.running
    job.close()
    here = job.iterations
    assert job.at(here).iteration == here


def test_closing_a_job_that_never_ran(model: Model) -> None:
    TrainingJob(Run(model)).close()


def test_a_diverging_run_ends(model: Model) -> None:
    job = TrainingJob(Run(model, settings={"learning_rate": 1e300}))
    job.train(100)
    assert job.wait(60)
    assert job.run.diverged is not None
    assert job.failure is None
    job.close()


def test_one_iteration_at_a_time(job: TrainingJob) -> None:
    job.advance()
    job.advance(2)
    assert job.iterations == 3
    assert threads() == []


class Slow:
    """A problem whose iterations take as long as one lets them; else the model it stands for."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self.begun, self.may_end = threading.Event(), threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def batch(self, indices: Any) -> Any:
        self.begun.set()
        assert self.may_end.wait(60)
        return self._model.batch(indices)


def test_a_pause_waits_for_the_iteration_that_is_being_done(model: Model) -> None:
    problem = Slow(model)
    job = TrainingJob(Run(problem))  # type: ignore[arg-type]
    job.train(LONG)
    assert problem.begun.wait(60)

    def let_go_once_paused() -> None:
        job.wait(60)
        problem.may_end.set()

    helper = threading.Thread(target=let_go_once_paused)
    helper.start()
    job.pause()
    assert job.iterations == 1
    helper.join()
    job.close()
    assert job.iterations == 1


class Failing:
    """A problem that fails once, at one iteration; else the model it stands for."""

    def __init__(self, model: Model, at: int) -> None:
        self._model = model
        self._at: int | None = at

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def indices(self, iteration: int, batch_size: int | None) -> Any:
        if iteration == self._at:
            self._at = None
            raise MemoryError("no room")
        return self._model.indices(iteration, batch_size)


def test_a_failure_is_kept_and_training_can_go_on(model: Model) -> None:
    job = TrainingJob(Run(Failing(model, 5)))  # type: ignore[arg-type]
    job.train(20)
    assert job.wait(60)
    assert isinstance(job.failure, MemoryError)
    assert not job.running
    assert job.iterations == 5
    job.train(15)
    assert job.wait(60)
    assert job.failure is None
    straight = Run(model)
    straight.advance(20)
    assert job.run.losses == straight.losses
    job.close()


def test_what_cannot_be_trained_is_a_failure_of_the_expected_kind() -> None:
    job = TrainingJob(Run(model_of("L = x * x", {}, {"x": 2.0})))
    job.train(5)
    assert job.wait(60)
    assert isinstance(job.failure, TrainingError)
    job.close()
