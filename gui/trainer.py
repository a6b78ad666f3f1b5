"""The trainer: the window's side of the training process.

One process serves every run of the application. Nothing here waits: what is sent goes through a thread, what
comes is gathered by another, and :meth:`Trainer.poll` hands over no more than a frame has time for. A process
that does not obey is ended; that loses nothing, because a run goes on from the last point that arrived.
"""

from __future__ import annotations

import atexit
import pickle
import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from queue import SimpleQueue
from typing import TYPE_CHECKING

from engine.faults import FaultAt
from engine.training import Point, Problem, Recipe
from gui.processes import sentence_of, served
from gui.training_process import (
    Command,
    Done,
    Failed,
    Forget,
    Learn,
    Message,
    Paused,
    Progress,
    Slow,
    Start,
    Stop,
)

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Done", "Failed", "Message", "Paused", "Progress", "Slow", "Trainer", "trainer"]

BUDGET = 0.003  # seconds that one poll may take, one message aside
ROOM = 64  # messages that may wait for a poll; then the process waits
UNBOUNDED = 2**20  # messages: more than can be left in a pipe
PATIENCE = 0.5
SILENCE = 10.0
KEPT = 4  # problems that the process keeps

clock = time.monotonic


class _Process:
    """A training process, with a thread for each of its pipes."""

    def __init__(self) -> None:
        self._process, self._commands, self._messages = served("gui.training_process", "backstep-training")
        self._outbox: SimpleQueue[Command | None] = SimpleQueue()
        self._inbox: deque[bytes] = deque()
        self._room = threading.Semaphore(ROOM)
        self._names: OrderedDict[int, tuple[int, Problem]] = OrderedDict()
        self._fresh = count()
        self.was_killed = False
        for work in (_send, self._commands, self._outbox), (_gather, self._messages, self._inbox, self._room):
            threading.Thread(target=work[0], args=work[1:], name="trainer", daemon=True).start()

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process has not ended; what it sent before its end can still be taken."""
        return self._process.is_alive()

    def send(self, command: Command) -> None:
        """Let a command go; it is on its way when this returns."""
        self._outbox.put(command)

    def name_of(self, problem: Problem) -> int:
        """Return the name that the process knows a problem by; it is sent the first time."""
        known = self._names.get(id(problem))
        if known is None:
            known = (next(self._fresh), problem)  # held, so that its id stays its own
            self.send(Learn(known[0], pickle.dumps(problem, pickle.HIGHEST_PROTOCOL)))
            self._names[id(problem)] = known
            if len(self._names) > KEPT:
                _, (name, _) = self._names.popitem(last=False)
                self.send(Forget(name))
        self._names.move_to_end(id(problem))
        return known[0]

    def take(self) -> bytes | None:
        """Return the next message that has come, None where none has, and nothing (empty) at the end."""
        if not self._inbox:
            return None
        self._room.release()
        return self._inbox.popleft()

    def kill(self) -> None:
        """End the process, whatever it does; what it sent before can still be taken."""
        self.was_killed = True
        self._process.kill()
        self._outbox.put(None)
        self._room.release(UNBOUNDED)  # or a thread would wait for polls that nobody makes


def _send(commands: Connection, outbox: SimpleQueue[Command | None]) -> None:
    try:
        while (command := outbox.get()) is not None:
            commands.send(command)
    except OSError:  # the process is gone: the other thread says so
        pass
    finally:
        commands.close()


def _gather(messages: Connection, inbox: deque[bytes], room: threading.Semaphore) -> None:
    try:
        while room.acquire():
            inbox.append(messages.recv_bytes())
    except (EOFError, OSError):
        pass
    finally:
        inbox.append(b"")
        messages.close()


@dataclass
class _Active:
    """A run that was started: all that is needed to start it again where it stands."""

    key: int
    problem: Problem
    recipe: Recipe
    point: Point
    goal: int
    stride: int
    fault: FaultAt | None = None
    asked: float | None = None  # when it was asked to stop
    is_dropped: bool = False


class Trainer:
    """Trains runs in a process of its own.

    A run is known by a key of the caller's choice. Records of one start follow one another without a gap,
    from the point that it was started at.

    Parameters
    ----------
    patience
        Seconds in which a run must have stopped when it is asked to; then its process is ended.
    silence
        Seconds after which it is said that nothing comes.
    """

    def __init__(self, patience: float = PATIENCE, silence: float = SILENCE) -> None:
        self._patience = patience
        self._silence = silence
        self._process: _Process | None = None
        self._active: dict[int, _Active] = {}  # by a number that no two starts share
        self._numbers: dict[int, int] = {}  # of each key's last start
        self._fresh = count()
        self._ready: list[Message] = []
        self._polled = self._heard = clock()
        self._was_slow = False

    def warm(self) -> None:
        """Start the process where there is none, so that the first run begins at once."""
        if self._process is not None and not self._active and not self._process.is_alive:
            self._process.kill()  # it ended while nobody needed it: its threads end too
            self._process = None
        if self._process is None:
            self._process = _Process()
            self._heard = clock()

    def start(
        self,
        key: int,
        problem: Problem,
        recipe: Recipe,
        point: Point,
        goal: int,
        stride: int = 1,
        fault: FaultAt | None = None,
    ) -> None:
        """Train a problem from a point until `goal` iterations are done; ends an earlier run of the key.

        Parameters
        ----------
        key
            What the messages about this run are called by.
        point
            Where to begin; the records begin with the iteration after it.
        stride
            The least distance between two samples: that of the history which takes the records in.
        fault
            What is to be wrong in the training; nothing where None.
        """
        self.drop(key)
        self._submit(_Active(key, problem, recipe, point, goal, stride, fault))

    def pause(self, key: int) -> None:
        """Stop a run after the iteration that is being done; all that it recorded arrives, then Paused."""
        self._stop(self._numbers.get(key))

    def drop(self, key: int) -> None:
        """Stop a run, of which nothing arrives any more."""
        number = self._numbers.pop(key, None)
        if number is not None:
            self._active[number].is_dropped = True
            self._stop(number)
        self._ready = [message for message in self._ready if message.key != key]

    def is_running(self, key: int) -> bool:
        """Say whether anything may still arrive of a run: its last message has not been polled."""
        return key in self._numbers or any(message.key == key for message in self._ready)

    @property
    def pid(self) -> int | None:
        """The number of the process that trains, None where there is none."""
        return self._process.pid if self._process is not None else None

    @property
    def expects(self) -> bool:
        """Whether there is a reason to poll: also a dropped run that has not stopped yet is one."""
        return bool(self._active or self._ready)

    def poll(self) -> list[Message]:
        """Return what has come since the last poll, in order; at most what a frame has time for."""
        now = clock()
        if now - self._polled > 1:
            self._heard = now  # nobody listened: that is no silence
        self._polled = now
        found, self._ready = self._ready, []
        while self._process is not None and clock() < now + BUDGET:
            data = self._process.take()
            if data is None:
                found += self._watch(now)
                break
            self._heard, self._was_slow = now, False
            if not data:
                self._bury()
                found, self._ready = found + self._ready, []
                break
            for message in pickle.loads(data):
                found += self._take(message)
        return found

    def close(self) -> None:
        """End all runs and the process, at once; the next start begins with a new process."""
        self._active.clear()
        self._numbers.clear()
        self._ready.clear()
        if self._process is not None:
            self._process.kill()
            self._process = None

    # --- one run ---

    def _submit(self, active: _Active) -> None:
        number = next(self._fresh)
        try:
            self.warm()
            assert self._process is not None
            name = self._process.name_of(active.problem)
        except Exception as error:  # a process that cannot be started, a problem that cannot be sent
            self._ready.append(Failed(active.key, f"Training cannot start: {sentence_of(error)}"))
            return
        if not self._active:
            self._heard = clock()
        self._active[number] = active
        self._numbers[active.key] = number
        start = Start(number, name, active.recipe, active.point, active.goal, active.stride, active.fault)
        self._process.send(start)

    def _stop(self, number: int | None) -> None:
        active = self._active.get(number) if number is not None else None
        if active is None or number is None or self._process is None:
            return
        if active.asked is None:
            active.asked = clock()
            self._process.send(Stop(number))

    def _take(self, message: Message) -> list[Message]:
        """Return a message under its run's own key; nothing where nobody waits for it."""
        active = self._active.get(message.key)
        if active is None:
            return []
        if isinstance(message, Progress):
            active.point = message.records.point
        else:
            del self._active[message.key]
            if not active.is_dropped:
                del self._numbers[active.key]
        return [] if active.is_dropped else [replace(message, key=active.key)]

    # --- the process ---

    def _watch(self, now: float) -> list[Message]:
        """End a process that does not obey, and return what to say of one that is silent."""
        assert self._process is not None
        asked = [active.asked for active in self._active.values() if active.asked is not None]
        if asked and not self._process.was_killed and now - max(min(asked), self._heard) > self._patience:
            self._process.kill()
        if self._was_slow or not self._numbers or now - self._heard < self._silence:
            return []
        self._was_slow = True
        return [
            Slow(
                min(self._numbers),
                f"Training has not answered for {self._silence:g} s; it may be in a long iteration. "
                "Pausing ends it; what was recorded is kept.",
            )
        ]

    def _bury(self) -> None:
        """Say of every run that its process has ended; start those again that had to end with another."""
        assert self._process is not None
        was_killed = self._process.was_killed
        self._process.kill()  # its pipe may have ended before it
        self._process = None
        active, self._active = list(self._active.values()), {}
        self._numbers.clear()
        for run in active:
            if run.is_dropped:
                continue
            if run.asked is not None:
                self._ready.append(Paused(run.key))
            elif was_killed:
                self._submit(run)
            else:
                self._ready.append(Failed(run.key, _ended(run.point.iteration)))


def _ended(iteration: int) -> str:
    return (
        "Training stopped: the training process ended unexpectedly; what was recorded up to iteration "
        f"{iteration} is kept; train again to go on."
    )


@cache
def trainer() -> Trainer:
    """Return the application's trainer; its process is ended with the application."""
    made = Trainer()
    atexit.register(made.close)
    return made
