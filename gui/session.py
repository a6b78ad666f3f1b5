"""The session: the one mutable state of the window, and the only thing that changes it.

Commands are methods; facts are signals. A panel takes the session, reads its frame, and listens. Whatever
changes the document (network, data, seed, recipe) makes a new run at once, so no number of the old one can
stay on the screen, and no result of an old run can reach a new document. Earlier runs stay in the lab beside
the current one as long as they minimise the same loss over the same data.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from engine.errors import BackstepError, UsageError
from engine.faults import FaultAt, Stage, fault_of, run_of
from engine.graph import Detail, Graph
from engine.nudge import AnyNudge
from engine.search import STEP_COST, Search, SearchResult
from engine.trace import Step, Trace
from engine.training import Diverged, Recipe, Run
from graphs.network import Model, Network, bind, load
from graphs.snapshot import Snapshot, same_place
from graphs.views.curtain import Curtain, step_names
from graphs.views.records import Array
from gui.edits import edit_of, entry_text, with_entry
from gui.jobs import ready_for_threads
from gui.lab import Document, Lab, LabRun, fresh_name
from gui.moments import NO_PAST, Kept, Moment, Moments, Past
from gui.nudging import Nudging
from gui.player import Player
from gui.preparing import Preparation, Prepared, Preparing, is_large, retraced
from gui.random_search import RandomSearch
from gui.timeline import Ready, Timeline
from gui.viewdata import EdgeKey, Frame, Link, Statics, same_selection

__all__ = ["Document", "Session"]

POLL = 16  # ms between two looks at a training run
REST = 200  # ms without motion after which a scrubbed number is taken as chosen for now


class _Scrub(NamedTuple):
    """A number that is being scrubbed: what was before, the change's name, the iteration it began at."""

    before: Moment
    what: str
    iteration: int


def _nothing() -> None:
    """Do nothing."""


class Session(QObject):
    """The state of one window.

    Parameters
    ----------
    document
        What is open at first.
    detail
        Equation or primitive.
    model
        The document's network bound to its data, where that has been done.
    run
        A run of it that has been trained, to stand in; a new one where None.

    Raises
    ------
    BackstepError
        Where the document's network cannot be bound to its data.
    """

    graph_changed = Signal()  # another graph on the screen, perhaps: other nodes, another fault or detail
    document_changed = Signal()  # another model: everything is new; told after the graph
    frame_changed = Signal()  # another place on the timeline, or other numbers there
    selection_changed = Signal()
    training_changed = Signal()  # started, paused, ended
    progressed = Signal()  # more iterations of any run have been recorded
    runs_changed = Signal()  # which runs there are, which is the current one, which are shown
    search_changed = Signal()  # random search: begun, further, ended, forgotten
    playing_changed = Signal()
    history_changed = Signal()  # what undo and redo would do
    hover_changed = Signal()  # what the mouse points at, in any panel
    hidden_changed = Signal()  # what is to be found out before it is shown
    marked_changed = Signal()  # what a lesson points at
    planned_changed = Signal()  # how many iterations are to be trained
    _hidden: frozenset[str] = frozenset()
    _predicting = False
    _marked: tuple[str, ...] = ()
    _secret: FaultAt | None = None

    # One sentence, and its kind: "info", "warning", "error"; "step" for what holds at this step alone;
    # "reached" and "stopped" for how a run has ended; "copied" for what is on the clipboard now.
    notice = Signal(str, str)

    def __init__(
        self,
        document: Document,
        detail: Detail = Detail.EQUATION,
        parent: QObject | None = None,
        *,
        model: Model | None = None,
        run: Run | None = None,
    ) -> None:
        super().__init__(parent)
        ready_for_threads()  # the trainer has some
        self._detail = detail
        self._moments = Moments()
        self._timeline = Timeline()
        self._selection: str | EdgeKey | None = None
        self._entry: tuple[int, ...] | None = None
        self._nudging = Nudging()
        self._hovered: Link | None = None
        self._follow = True
        self._make_parts()
        self._scrubbed: _Scrub | None = None
        self._previewed: dict[str, Array] = {}  # parameters in sight that no run starts from yet
        self._has_preview = False
        self._lab = Lab()
        self._current: LabRun | None = None
        self._came: tuple[Trace, int, int] | None = None
        self._planned = document.network.training.steps
        model = model or bind(document.network, seed=document.seed, overrides=document.overrides)
        self._adopt(document, model, None if run is None else self._lab.add(document, model, run=run))

    def _make_parts(self) -> None:
        self._player = Player(self)
        self._player.due.connect(self._play_on)
        self._player.changed.connect(self.playing_changed)
        self._poll = QTimer(self, interval=POLL)
        self._poll.timeout.connect(self._look)
        self._rest = QTimer(self, singleShot=True, interval=REST)
        self._rest.timeout.connect(self._adopt_preview)
        self.preparing = Preparing(self)
        self._following = Preparing(self)  # the steps of a run that is being trained
        self.preparing.failed.connect(self._fail)
        self._search = RandomSearch(self)
        self._search.changed.connect(self.search_changed)
        self._search.ended.connect(self._end_search)
        self._search.failed.connect(self._fail_search)

    @classmethod
    def at(cls, snapshot: Snapshot) -> Session:
        """Return a session that stands where a snapshot is, in the run that it belongs to."""
        model = snapshot.model
        fault = fault_of(snapshot.run)
        document = Document(model.network, model.seed, snapshot.overrides, snapshot.recipe, fault)
        session = cls(document, snapshot.detail, model=model, run=snapshot.run)
        session.go_to_iteration(snapshot.iteration)
        session.go(snapshot.position)
        return session

    @classmethod
    def at_moment(
        cls,
        moment: Moment,
        detail: Detail,
        selection: str | EdgeKey | None = None,
        entry: tuple[int, ...] | None = None,
    ) -> Session:
        """Return a session that is what another one was, with all of its runs and its search."""
        session = cls(moment.document, detail, model=moment.model, run=moment.current.run)
        session.open_moment(moment, detail, selection, entry, is_first=True)
        session._search.put_back(moment.search)
        return session

    # --- facts ---

    @property
    def document(self) -> Document:
        return self._document

    @property
    def model(self) -> Model:
        return self._model

    @property
    def detail(self) -> Detail:
        return self._detail

    @property
    def frame(self) -> Frame:
        """What is to be seen now."""
        return self._frame

    @property
    def trace(self) -> Trace:
        return self._timeline.trace

    @property
    def statics(self) -> Statics:
        """What does not change while stepping: equations, who reads what, how many contributions come."""
        return self._frame.statics

    @property
    def iteration(self) -> int:
        """The iteration shown."""
        return self._iteration

    @property
    def current(self) -> LabRun:
        """The run that the timeline stands in."""
        assert self._current is not None
        return self._current

    @property
    def runs(self) -> tuple[LabRun, ...]:
        """All runs of this loss over these data, oldest first."""
        return tuple(self._lab.runs)

    @property
    def iterations(self) -> int:
        """How many iterations of the current run have been recorded."""
        return self.current.iterations

    @property
    def losses(self) -> Array:
        """The current run's loss before each iteration, and after the last."""
        return self.current.losses

    @property
    def run(self) -> Run:
        """The current run's record."""
        return self.current.run

    @property
    def planned(self) -> int:
        """How many iterations are to be trained next; the defaults of a schedule go with it."""
        return self._planned

    @property
    def training(self) -> bool:
        """Whether any run is being trained."""
        return self._lab.training

    @property
    def is_settled(self) -> bool:
        """Whether nothing of any run can still arrive: a moment after `training` has become false."""
        return not self._lab.expects_news

    @property
    def playing(self) -> bool:
        return self._player.playing

    @property
    def speed(self) -> float:
        """Steps a second while playing."""
        return self._player.speed

    @property
    def selection(self) -> str | EdgeKey | None:
        """The node (its name) or the edge (source, target, slot) that is inspected."""
        return self._selection

    @property
    def hovered(self) -> Link | None:
        """What the mouse points at, in whichever panel; None for nothing."""
        return self._hovered

    @property
    def hidden(self) -> frozenset[str]:
        """What is not to be seen until it is revealed: kinds of things, or names, as a lesson says them."""
        return self._hidden

    @property
    def predicting(self) -> bool:
        """Whether the outcome of every step is hidden at first."""
        return self._predicting

    def toggle_hidden(self) -> None:
        """Reveal what is hidden; where nothing is, hide the outcome of each step from now on, or stop it."""
        if self._frame.covered or (self._hidden and not self._predicting):
            self.set_hidden(frozenset())
            return
        self._predicting = not self._predicting
        self._hidden = step_names(self._frame.step) if self._predicting else frozenset()
        self.hidden_changed.emit()
        self._refresh()
        if not self._predicting:  # while it is on, that stands over the graph
            self.notice.emit("step", "Predicting is off: nothing is hidden.")

    def set_hidden(self, names: frozenset[str]) -> None:
        """Hide these until they are revealed, and nothing else."""
        if names != self._hidden:
            self._hidden = names
            self.hidden_changed.emit()
            self._refresh()

    @property
    def marked(self) -> tuple[str, ...]:
        """The nodes, edges and gradients that a lesson points at."""
        return self._marked

    def set_marked(self, names: tuple[str, ...]) -> None:
        """Point at these, and at nothing else."""
        if names != self._marked:
            self._marked = names
            self.marked_changed.emit()

    @property
    def secret(self) -> FaultAt | None:
        """The fault that is to be found: nothing says that it is there."""
        return self._secret

    def set_secret(self, fault: FaultAt | None) -> None:
        """Say nothing of this fault while it is in, or of none in particular."""
        before, self._secret = self._secret, fault
        if fault != before and self._document.fault in (fault, before):
            self._refresh()
            self.document_changed.emit()

    @property
    def known_fault(self) -> FaultAt | None:
        """What is wrong in the current run, None where nothing is or where that is to be found."""
        fault = self._document.fault
        return None if fault == self._secret else fault

    def return_to(self, moment: Moment, detail: Detail, what: str) -> None:
        """Be again what the session was at a moment; undo comes back to where it is now."""
        self.preparing.finish()
        before = self._moment()
        self._detail = detail
        self._restore(moment, rewinds=False)
        self._show(moment.position, at=min(moment.iteration, self.iterations))
        self._announce()
        self._moments.seal()
        self._record(before, what)

    @property
    def undo_text(self) -> str:
        """What undo would take back, "" for nothing."""
        return self._moments.undo_text

    @property
    def redo_text(self) -> str:
        """What redo would do again, "" for nothing."""
        return self._moments.redo_text

    def snapshot(self) -> Snapshot:
        """Return the place where the session stands, whole, for what is written of it."""
        indices = self._model.indices(self._iteration, self._document.batch_size)
        return Snapshot(
            model=self._model,
            recipe=self._document.recipe,
            trace=self.trace,
            position=self.position,
            iteration=self._iteration,
            batch=None if indices is None else tuple(indices.tolist()),
            run=self.run,
            overrides=self._document.overrides,
            runs={run.name: run.run for run in self.runs if run.iterations},
        )

    def show_snapshot(self, snapshot: Snapshot, what: str) -> bool:
        """Be where a snapshot is, in the run that it belongs to; return whether that could be done.

        Where this session has that run already, it only goes there; what has been trained since stays. One
        beside it from the same start by the same recipe gives place.
        """
        self.preparing.finish()

        def enter() -> None:
            before = self._moment()
            self._detail = snapshot.detail
            if self._has(snapshot):
                self._follow = False
                self._show(snapshot.position, at=snapshot.iteration)
                self.graph_changed.emit()
                self._announce()
            else:
                self._enter_run_of(snapshot)
            self._record(before, what, merge="snapshot")

        return self._try(enter)

    def _has(self, snapshot: Snapshot) -> bool:
        """Say whether the current run is that of a snapshot, trained as far."""
        is_own = self._model is snapshot.model and self._document.recipe == snapshot.recipe
        is_own = is_own and self._document.fault == fault_of(snapshot.run)
        return is_own and self.iterations >= snapshot.iteration

    def _enter_run_of(self, snapshot: Snapshot) -> None:
        model = snapshot.model
        fault, overrides = fault_of(snapshot.run), dict(snapshot.overrides)
        document = Document(model.network, model.seed, overrides, snapshot.recipe, fault)
        run = run_of(model, snapshot.recipe, fault) if snapshot.run is None else snapshot.run.fork()
        self._leave()
        self._search.forget()
        chosen = self._lab.stand_in(document, model, run)
        if fault is not None and fault == self._secret:
            chosen.name = fresh_name(replace(document, fault=None), ())
        self._lab.keep_beside(chosen)
        self._enter(document, model, chosen, snapshot.iteration, snapshot.position)

    # --- the document ---

    def open(self, source: str) -> None:
        """Open a built-in network by name, or a file."""
        self._change(lambda: Document.of(load(source), self._document.seed), "Open network")

    def open_network(self, network: Network, then: Callable[[], object] = _nothing) -> None:
        """Open a network that has been read; `then` is called when it is open."""
        self._change(lambda: Document.of(network, self._document.seed), "Open network", then=then)

    def reload(self, document: Document, then: Callable[[], object] = _nothing) -> None:
        """Open a document anew whose files have changed; `then` is called when it is open.

        The place on the timeline stays while the graph is the same one: the new run is trained as far.
        """
        self.preparing.finish()
        iteration, before = self._iteration, self._model.graph

        def go_back() -> None:
            if iteration and _is_built_alike(self._model.graph, before):
                self._follow = True
                self._go_on([self.current], iteration)
            then()

        self._change(lambda: document, "Reload", then=go_back)

    def open_moment(
        self,
        moment: Moment,
        detail: Detail,
        selection: str | EdgeKey | None = None,
        entry: tuple[int, ...] | None = None,
        past: Past = NO_PAST,
        *,
        is_first: bool = False,
    ) -> bool:
        """Be what another session was, all of its runs and what can be taken back in it.

        Parameters
        ----------
        is_first
            Whether nothing was open before, so that there is nothing to go back to.

        Returns
        -------
        bool
            Whether that could be done.
        """
        self.preparing.finish()

        def enter() -> None:
            moment.model.batch(moment.model.indices(0, moment.document.batch_size))  # raises where it does
            before = self._moment()
            self._leave()
            self._search.forget()
            self._detail = detail
            others = (kept.shown for entry in (*past.back, *past.forth) for kept in entry.moment.runs)
            runs = self._lab.take_in((kept.shown for kept in moment.runs), others)
            place = (moment.iteration, moment.position)
            self._enter(moment.document, moment.model, runs[moment.current], *place)
            if not is_first:
                self._moments.record(before, "Open session")
            self._moments.add(past.standing_for(runs))
            self.history_changed.emit()
            if selection in (*self.statics.names, *self.statics.edges):
                self.select(selection)
            if entry is not None and self._has_entry(entry):
                self.set_entry(entry)

        return self._try(enter)

    def _has_entry(self, entry: tuple[int, ...]) -> bool:
        """Say whether the value that the step is about has this entry."""
        step = self._frame.step
        dims = self.trace.graph[step.target].dims if step is not None else ()
        return len(entry) == len(dims) and all(i < dim.size for i, dim in zip(entry, dims, strict=True))

    def moment(self) -> Moment:
        """Return what the session is now, for a file; nothing that happens later changes it."""
        return self._moment()

    @property
    def past(self) -> Past:
        """What can be taken back and done again, for a file."""
        return self._moments.past

    def set_seed(self, seed: int) -> None:
        self._change(lambda: replace(self._document, seed=seed), "Seed")

    def set_recipe(self, recipe: Recipe, what: str = "Training settings") -> None:
        """Train in another way, from iteration 0; what was trained before stays as another run."""
        self._change(lambda: replace(self._document, recipe=recipe.checked()), what)

    def set_fault(self, fault: FaultAt | None) -> None:
        """Put a fault into backward or training, or take it out; runs without it stay beside."""
        what = "Take the fault out" if fault is None else f"Fault: {fault.fault.title}"
        self._change(lambda: replace(self._document, fault=fault), what)

    @property
    def fault_text(self) -> str:
        """What is wrong in the current run and where, "" where nothing is."""
        fault = self.known_fault
        return "" if fault is None else fault.title(self._model.graph)

    def set_learning_rate(self, rate: float) -> None:
        self.preparing.finish()
        recipe = self._document.recipe
        settings = {**recipe.settings, "learning_rate": rate}
        self.set_recipe(replace(recipe, settings=settings), "Learning rate")

    def set_batch_size(self, size: int | None) -> None:
        self.preparing.finish()
        self.set_recipe(replace(self._document.recipe, batch_size=size), "Batch size")

    def set_data(self, network: Network, model: Model | None = None, forget: Collection[str] = ()) -> None:
        """Put other data under the same formula.

        Parameters
        ----------
        model
            The network bound to the data, where that has been done: for a million rows it takes long.
        forget
            Parameters whose values given by hand go with the old data.
        """
        self.preparing.finish()
        names = [name for name in network.parameters if name not in forget]
        overrides = {n: v for n, v in self._document.overrides.items() if n in names}
        recipe = replace(self._document.recipe, batch_size=None)
        document = replace(self._document, network=network, overrides=overrides, recipe=recipe)
        self._change(lambda: document, "Data", model=model)

    def set_network(
        self,
        network: Network,
        what: str,
        *,
        overrides: Mapping[str, Any],
        model: Model | None = None,
        merge: bool = False,
    ) -> None:
        """Put a network that has been worked on in the place of the open one; seed and recipe stay.

        Parameters
        ----------
        overrides
            The values given by hand that still hold.
        model
            The network bound to its data with these values, where that has been done.
        merge
            Whether this goes on with the last change: undo takes both back together.
        """
        if self.preparing.what != what:  # or else it takes the place of what is being prepared
            self.preparing.finish()
        before = self._document
        recipe = before.recipe
        if network.data is not before.network.data:
            recipe = replace(recipe, batch_size=None)  # of so many examples as the other data had
        fault = before.fault if network.formula == before.network.formula else None
        changed = replace(before, network=network, overrides=dict(overrides), recipe=recipe, fault=fault)

        def tell() -> None:
            if fault != before.fault:
                self.notice.emit("info", "Another formula is open, so the fault has been taken out.")

        if not merge:
            self._moments.seal()
        self._change(lambda: changed, what, merge=what, model=model, then=tell)

    def set_value(self, name: str, value: Any) -> None:
        """Give a parameter or an input another value."""
        self.set_values({name: value}, f"Change {name}")

    def set_values(self, values: Mapping[str, Any], what: str = "Start here") -> None:
        """Give parameters or inputs other values, in one change: training starts from them."""

        def changed() -> Document:
            self._check_start(values)
            return replace(self._document, overrides={**self._document.overrides, **values})

        self._change(changed, what)

    def _check_start(self, names: Collection[str]) -> None:
        """Raise where parameters are to get values, but a fault sets them all."""
        fault = self._document.fault
        parameters = self._model.graph.parameters
        if fault is not None and fault.fault.stage == Stage.START and any(n in parameters for n in names):
            raise UsageError(
                f"the parameters cannot be changed: the fault is that {fault.fault.title}.",
                how="Take it out first, in the menu under Faults.",
            )

    def edit(self, name: str, array: Array, what: str = "") -> bool:
        """Give a parameter or an input other numbers where the timeline stands, which stays where it is.

        In the middle of a training the parameters that are shown are where a new run starts.

        Parameters
        ----------
        array
            As it is shown: of a mini-batch, its examples alone.
        what
            The name of the change.

        Returns
        -------
        bool
            Whether the numbers are in use now; if not, the user has been told why.
        """
        self.preparing.finish()
        self.end_scrub()
        before, iteration = self._moment(), self._iteration
        if not self._try(lambda: self._put(name, array)):
            return False
        if self._document is not before.document:
            self._record(before, what or f"Change {name}")
            self._say_new_start(iteration)
        return True

    def _put(self, name: str, array: Array) -> None:
        """Stand in a document with these numbers, at the same place."""
        found = edit_of(self._frame, self._document.batch_size, name, np.asarray(array, dtype=float))
        self._check_start(found.values)
        document = replace(self._document, overrides={**self._document.overrides, **found.values})
        model, entry = self._bound(document), self._entry
        if (
            all(np.array_equal(model.leaves[n], a) for n, a in self._model.leaves.items())
            and not self._iteration
        ):
            return
        self._adopt(document, model)
        self._stand(found.position)
        self._entry = entry
        self._refresh()

    def _say_new_start(self, iteration: int) -> None:
        if iteration:
            self.notice.emit(
                "info",
                f"A new run starts from the parameters of iteration {iteration}, with this change. "
                "Undo (Ctrl+Z) goes back to the run.",
            )

    # --- scrubbing ---

    @property
    def is_scrubbing(self) -> bool:
        """Whether a number is being scrubbed."""
        return self._scrubbed is not None

    def scrub(self, name: str, index: tuple[int, ...], number: float) -> None:
        """Show everything with one number changed; many such calls until :meth:`end_scrub` are one change.

        Only what is in sight is worked out at once; runs and plots follow when the number rests.
        """
        if self._scrubbed is None:
            self.preparing.finish()
            before, iteration = self._moment(), self._iteration
            if not self._try(lambda: self._put(name, with_entry(self._frame.values[name], index, number))):
                return
            self._scrubbed = _Scrub(before, f"Change {entry_text(name, index)}", iteration)
        else:
            self._preview(name, with_entry(self._frame.trace.values[name], index, number))
        self._rest.start()

    def end_scrub(self, keep: bool = True) -> None:
        """Keep the number that was scrubbed to, as one change, or bring everything back as it was."""
        scrubbed, self._scrubbed = self._scrubbed, None
        self._rest.stop()
        if scrubbed is None:
            return
        if keep:
            self._adopt_preview()
            if self._document is not scrubbed.before.document:
                self._record(scrubbed.before, scrubbed.what)
                self._say_new_start(scrubbed.iteration)
        else:
            self._previewed = {}
            self._restore(scrubbed.before, rewinds=False)

    def _preview(self, name: str, array: Array) -> None:
        """Show other numbers before there is a run that starts from them."""
        whole = edit_of(self._frame, self._document.batch_size, name, array).values
        self._model = self._model.revalued(whole)
        self._document = replace(self._document, overrides={**self._document.overrides, **whole})
        self._previewed |= {n: a for n, a in whole.items() if n in self._model.graph.parameters}
        self._has_preview = True
        self._show(self.position)
        self.frame_changed.emit()

    def _adopt_preview(self) -> None:
        """Have a run that starts from the numbers that are shown."""
        self._rest.stop()
        if self._has_preview:
            entry = self._entry
            self._previewed, self._has_preview = {}, False
            self._adopt(self._document, self._model)
            self.set_entry(entry)

    def accept(self) -> None:
        """Make the parameters that are shown the ones that training starts from."""
        self.preparing.finish()
        shown, given = self.current.at(self._iteration).parameters, self._document.overrides
        is_given = all(n in given and np.array_equal(given[n], a) for n, a in shown.items())
        if self._iteration or not is_given:
            self.set_values(dict(shown), "Start from these parameters")

    def reset(self) -> None:
        """Go back to iteration 0 of the same seed, with a run that has not been trained."""
        self.preparing.finish()
        before = self._moment()
        self._adopt(_over(self._document, self._planned), self._model)
        if before.current.iterations:
            self._record(before, "Reset")

    def plan(self, iterations: int) -> None:
        """Say how many iterations are to be trained; a run that has begun keeps its schedule."""
        self.preparing.finish()
        if iterations != self._planned:
            self._planned = iterations
            self._span(iterations)
            self.planned_changed.emit()

    def _span(self, iterations: int) -> None:
        """Let the schedule of a run that has not begun span so many iterations, where it goes with them."""
        document = _over(self._document, iterations)
        if self.iterations == 0 and document is not self._document:
            self._adopt(document, self._model)

    def new_seed(self) -> None:
        self.set_seed(self._document.seed + 1)

    # --- taking back ---

    def undo(self) -> None:
        """Take the last change back: of the document, of the runs, of a training."""
        self._travel("Undo", self._moments.undo, lambda: self._moments.behind)

    def redo(self) -> None:
        """Do again what was taken back."""
        self._travel("Redo", self._moments.redo, lambda: self._moments.ahead)

    def _travel(
        self,
        what: str,
        move: Callable[[Moment], tuple[Moment, bool] | None],
        target: Callable[[], Moment | None],
    ) -> None:
        self.end_scrub()
        self.preparing.finish()
        moment = target()

        def go(ready: Ready | None = None) -> None:
            found = move(self._moment())
            if found is not None:
                self._restore(*found, ready)

        if moment is not None and is_large(moment.document, moment.model):
            run = next(kept.run for kept in moment.runs if kept.shown is moment.current)
            tracing = self._tracing(moment.model, run, moment.iteration, moment.document.batch_size)
            known = self._timeline.known(moment.graph, self._detail, run)
            self.preparing.begin(what, lambda _: retraced(run, moment.iteration, tracing, known), go)
        else:
            go()

    def _moment(self) -> Moment:
        """Return what can be gone back to: the document and all that was made of it.

        A number that is being scrubbed is let go first: what comes next is another change.
        """
        self.end_scrub()
        return Moment(
            self._document,
            self._model,
            tuple(Kept(run, run.run.fork()) for run in self._lab.runs),
            self.current,
            self._iteration,
            self.position,
            self._search.result,
        )

    def _record(self, before: Moment, what: str, *, merge: str = "", rewinds: bool = False) -> None:
        self._moments.record(before, what, merge=merge, rewinds=rewinds)
        self.history_changed.emit()

    def _restore(self, moment: Moment, rewinds: bool, ready: Ready | None = None) -> None:
        """Be what the session was at a moment; the timeline stays where it is while the graph is the same."""
        self._leave()
        self._search.put_back(moment.search)
        current = self._lab.restore(moment.runs, rewinds=rewinds)[moment.current]
        position = self.position if self._looks_like(moment.graph) else moment.position
        iteration = self._iteration if current is self._current else moment.iteration
        iteration = min(iteration, current.iterations)
        self._enter(moment.document, moment.model, current, iteration, position, ready)
        self.history_changed.emit()

    def _change(
        self,
        make: Callable[[], Document],
        what: str,
        merge: str = "",
        model: Model | None = None,
        then: Callable[[], object] = _nothing,
    ) -> None:
        """Adopt a new document, or say why not and keep the old one untouched.

        A large one is made ready beside the window, and adopted when it is.

        Parameters
        ----------
        merge
            Changes that follow one another with the same are taken back as one.
        model
            The document's network bound to its data, where that has been done.
        then
            Called when the new document is open.
        """

        def change() -> None:
            document = make()
            is_same = document.network is self._document.network
            document = _over(document, self._planned if is_same else document.network.training.steps)
            if document.is_like(self._document):
                return
            binding = self._binding(document, model)
            if is_large(document, model):
                preparation = Preparation(document, binding, self._frame)
                self.preparing.begin(what, preparation.work, take)
            else:
                enter(document, binding())

        def take(prepared: Prepared) -> None:
            self._try(lambda: enter(prepared.document, prepared.model, prepared))

        def enter(document: Document, bound: Model, prepared: Prepared | None = None) -> None:
            before = self._moment()
            self._adopt(document, bound, prepared=prepared)
            self._record(before, what, merge=merge)
            then()

        if merge and merge == self.preparing.what:
            self.preparing.cancel()  # what comes now goes on from there
        self.preparing.finish()
        self._try(change)

    def _bound(self, document: Document) -> Model:
        return self._binding(document)()

    def _binding(self, document: Document, bound: Model | None = None) -> Callable[[], Model]:
        """Return what binds a document, in whichever thread; `bound` is its model where there is one."""
        if bound is not None:
            return lambda: bound
        values, model = document.new_values(self._document), self._model
        if values is not None and model.takes(values) and not self._are_first_of_file(values):
            return lambda: model.revalued(values) if values else model
        return lambda: bind(document.network, seed=document.seed, overrides=document.overrides)

    def _are_first_of_file(self, values: Mapping[str, Any]) -> bool:
        """Say whether any replace data of a file for the first time: then there is something to be said."""
        inputs = [name for name in values if name in self._model.graph.inputs]
        return self._model.selection is not None and any(n not in self._document.overrides for n in inputs)

    def _try(self, action: Callable[[], object]) -> bool:
        try:
            action()
        except BackstepError as error:
            self.notice.emit("error", str(error))
            return False
        return True

    def _adopt(
        self,
        document: Document,
        model: Model,
        run: LabRun | None = None,
        prepared: Prepared | None = None,
    ) -> None:
        """Swap the whole state for a new document; raises before anything is touched.

        It stands in `run`, or in a new run where that is None: the one that is prepared, where one is.
        """
        graph, _ = model.batch(model.indices(0, document.batch_size))  # may not fit a mini-batch: raises here
        is_same = self._current is not None and self._looks_like(graph)
        chosen = run or self._lab.add(
            document, model, run=prepared.ready.run if prepared is not None else None
        )
        self._leave()
        if self._search.result is not None and not document.is_comparable(self._document):
            self._search.forget()
        self._lab.keep_beside(chosen)
        position = self.position if is_same else 0
        ready = prepared.ready if prepared is not None else None
        self._enter(document, model, chosen, chosen.iterations, position, ready)

    def _enter(
        self,
        document: Document,
        model: Model,
        run: LabRun,
        iteration: int,
        position: int,
        ready: Ready | None = None,
    ) -> None:
        """Be in this document and run, at this place, and tell everybody."""
        if ready is not None:
            self._timeline.expect(ready._replace(run=run.run))
        graph, _ = model.batch(model.indices(iteration, document.batch_size))
        if self._current is None or not self._looks_like(graph):
            self._selection = self._hovered = None
        if self._current is not None and document.network is not self._document.network:
            self._planned = document.network.training.steps
        self._document, self._model, self._current = document, model, run
        self._iteration, self._entry = iteration, None
        self._follow = iteration == run.iterations
        self._show(position)
        self.graph_changed.emit()
        self.document_changed.emit()
        self._announce()
        self.runs_changed.emit()
        self.training_changed.emit()
        self.search_changed.emit()
        self.progressed.emit()

    def _looks_like(self, graph: Graph) -> bool:
        """Say whether a graph has the nodes and edges of the one that is shown."""
        return self._frame.statics.is_of(graph)

    def _leave(self) -> None:
        """End all that goes on in the old document; nothing of it is told any more."""
        if self._current is not None:
            self.stop()
            self._lab.settle()  # the timer looks on until the trainer has obeyed

    def _announce(self) -> None:
        self.selection_changed.emit()
        self.frame_changed.emit()

    # --- the timeline ---

    def _show(self, position: int, at: int | None = None) -> None:
        """Work out iteration `at` and stand at `position` in it."""
        if at is not None:
            self._iteration = at
        run, iteration, batch_size = self.current.run, self._iteration, self._document.batch_size
        graph, _ = self._model.batch(self._model.indices(iteration, batch_size))
        shown = self._timeline.expected(run, iteration, graph, self._detail)
        if shown is None:
            shown = self._tracing(self._model, run, iteration, batch_size)()
        self._is_open_ended = self._iteration == self.iterations  # where its update ends is not recorded yet
        self._faulty = run.faulty_steps(shown)
        self._timeline.show(shown, position)
        self._frame = self._make_frame()

    def _tracing(self, model: Model, run: Run, iteration: int, batch_size: int | None) -> Callable[[], Trace]:
        """Return what works out the steps of an iteration, in any thread."""
        point = run.at(min(iteration, run.iteration))
        graph, data = model.batch(model.indices(iteration, batch_size))
        return run.tracing(graph, {**data, **point.parameters, **self._previewed}, point, self._detail)

    def _stand(self, position: int) -> None:
        self._timeline.stand(position)
        self._frame = self._make_frame()

    @property
    def _curtain(self) -> Curtain:
        """What hides: only who predicts each step is asked by the step, others by a lesson or an exercise."""
        return Curtain(self._hidden, ahead=self._predicting, asks=self._predicting)

    def _make_frame(self) -> Frame:
        timeline = self._timeline
        state, curtain = timeline.state, self._curtain
        values, gradients, covered = curtain.known(
            timeline.trace, state.values, state.gradients, timeline.position
        )
        return Frame(
            model=self._model,
            trace=timeline.trace,
            statics=timeline.statics(self.run),
            position=timeline.position,
            values=values,
            gradients=gradients,
            iteration=self._iteration,
            iterations=self.iterations,
            optimizer=self.run.optimizer,
            settings=self.run.recipe.settings_at(self._iteration),
            entry=self._entry,
            nudge=self._nudging.shown(self.trace),
            curtain=curtain,
            covered=covered,
            faulty=self._faulty if self.known_fault is not None else frozenset(),
        )

    @property
    def position(self) -> int:
        """How many steps of the iteration have been taken."""
        return self._timeline.position

    def go(self, position: int) -> None:
        """Stand after `position` steps of this iteration."""
        is_ahead = position > self.position
        self._timeline.go(position)
        if self._predicting:
            steps = self.trace.steps
            step = steps[self.position - 1] if self.position else None
            self._hidden = step_names(step) if is_ahead else frozenset()
        self._refresh()

    def _refresh(self) -> None:
        self._frame = self._make_frame()
        self.frame_changed.emit()

    def step(self, count: int) -> None:
        """Take `count` steps, back where negative; past either end lies another iteration, if any.

        Where each outcome is hidden at first, a step forward first reveals the one there is.
        """
        if self._predicting and count > 0 and self._frame.covered:
            self.set_hidden(frozenset())
            return
        position = self.position + count
        last = self._timeline.length
        if position > last and self._iteration < self.iterations:
            self._travel_to(self._iteration + 1, position - last - 1)
        elif position < 0 and self._iteration > 0:
            self._travel_to(self._iteration - 1, position + last + 1)
        else:
            self.go(position)
            if position > last:
                self.notice.emit("step", "This iteration ends here. PgDn goes on.")

    def advance(self) -> None:
        """Take a step; past the last iteration, train one more and stand at its start."""
        is_covered = self._predicting and bool(self._frame.covered)
        if is_covered or self.position < self._timeline.length or self._iteration < self.iterations:
            self.step(1)
            return
        iteration = self._iteration
        self.step_iteration(1)
        if self._iteration > iteration:
            self.go(0)

    def _travel_to(self, iteration: int, position: int) -> None:
        self._follow = False
        self._show(position, at=iteration)
        self.frame_changed.emit()

    def step_node(self, direction: int) -> None:
        """Move to the next or previous step at another node."""
        self._move_until(direction, lambda a, b: (a.node, a.phase) != (b.node, b.phase))

    def step_phase(self, direction: int) -> None:
        """Move to the end of this phase, or to the end of the one before."""
        self._move_until(direction, lambda a, b: a.phase != b.phase)

    def _move_until(self, direction: int, differs: Callable[[Step, Step], bool]) -> None:
        position = self._timeline.beyond(direction, differs)
        if position is None:
            self.step(direction)
        else:
            self.go(position)

    def step_iteration(self, direction: int) -> None:
        """Go to the next or previous iteration, at the same place; past the last, train one more."""
        target = self._iteration + direction
        if target < 0:
            self.go(0)
            return
        if target <= self.iterations:
            self.go_to_iteration(target)
        elif not self.training:
            self._train_one()

    def go_to_iteration(self, iteration: int) -> None:
        """Show another iteration at the same place of the timeline."""
        iteration = max(0, min(iteration, self.iterations))
        self._follow = iteration == self.iterations
        self._show(self.position, at=iteration)
        self.frame_changed.emit()

    def first(self) -> None:
        self.go(0)

    def last(self) -> None:
        self.go(self._timeline.length)

    def set_detail(self, detail: Detail) -> None:
        """Show the graph at another detail, with the same place: the same phase, at the same line."""
        self.preparing.finish()
        if detail == self._detail:
            return
        old, position, came = self.trace, self.position, self._came
        self._detail = detail
        self._selection = same_selection(old.graph, self._selection, detail)
        self._show(0)
        if came is not None and came[0] is old and came[1] == position:
            place = came[2]  # back to exactly where it was, where nothing has moved since
        else:
            place = same_place(old, position, self.trace)
        self._stand(place)
        self._came = (self.trace, self.position, position)
        self.graph_changed.emit()
        self._announce()

    # --- playing ---

    def toggle_play(self) -> None:
        """Play, or stop playing."""
        if self.playing:
            self.stop()
            return
        if self._timeline.is_at_end and self._iteration == self.iterations:
            self.go(0)
        self._player.start()

    def stop(self) -> None:
        """Stop playing."""
        self._player.stop()

    def _play_on(self) -> None:
        if self._timeline.is_at_end and self._iteration == self.iterations:
            self.stop()
        else:
            self.step(1)

    def faster(self, direction: int) -> None:
        """Play faster or slower, one notch."""
        self._player.faster(direction)

    # --- training ---

    def train(self, iterations: int | None = None) -> None:
        """Train the current run, and those that race with it, in another process; the picture follows."""
        if self._can_train():
            self.stop()
            before = self._moment()
            self._span(iterations or self._planned)
            self._follow = True
            self._go_on(self._lab.group_of(self.current), iterations)
            self._record(before, "Train", rewinds=True)

    def race(
        self, recipes: Sequence[Recipe], iterations: int | None = None, *, replaces: bool = False
    ) -> None:
        """Train once with each recipe, side by side: the same start, the same mini-batches.

        The timeline stands in the first; earlier runs stay as ghosts.

        Parameters
        ----------
        replaces
            Whether earlier runs from the same start by the same recipe give place to these.
        """

        def start() -> None:
            own = [r.checked().spanning(iterations or self._planned) for r in recipes]
            documents = [replace(self._document, recipe=r) for r in own]
            before = self._moment()
            racing = self._lab.add_race(documents, self._model, replaces=replaces)
            self._adopt(racing[0].document, self._model, racing[0])
            self._go_on(racing, iterations)
            self._record(before, "Race")

        if recipes and self._can_train(again=True):
            self._try(start)

    def _go_on(self, runs: Sequence[LabRun], iterations: int | None) -> None:
        self._lab.train(runs, iterations or self._planned)
        self._poll.start()
        self.training_changed.emit()

    def choose_run(self, run: LabRun) -> None:
        """Let the timeline stand in another run; training goes on."""
        self.preparing.finish()
        if run is self._current or run not in self._lab.runs:
            return
        self.end_scrub()
        iteration = min(self._iteration, run.iterations) if not self._follow else run.iterations
        statics = self.statics
        self._document, self._model, self._current = run.document, self._bound(run.document), run
        self._show(self.position, at=iteration)
        if self.statics is not statics:  # with a fault, or without: other equations
            self.graph_changed.emit()
        self.document_changed.emit()
        self._announce()
        self.runs_changed.emit()
        self.progressed.emit()

    def show_run(self, run: LabRun, visible: bool) -> None:
        """Show or hide a run in the plots."""
        if run.visible != visible:
            run.visible = visible
            self.runs_changed.emit()

    def remove_run(self, run: LabRun) -> None:
        """Forget a run; the timeline goes to the one before where it stood in this. The last one stays."""
        self.preparing.finish()
        rest = [r for r in self._lab.runs if r is not run]
        if run in self._lab.runs and rest:
            was_training, before = self.training, self._moment()
            if run is self._current:
                self.choose_run(rest[max(0, self._lab.runs.index(run) - 1)])
            self._lab.remove(run)
            self._record(before, f"Remove {run.name}")
            self.runs_changed.emit()
            if was_training and not self.training:
                self.training_changed.emit()

    def _can_train(self, again: bool = False) -> bool:
        """Say whether there is anything to train; if not, the user is told why."""
        self.preparing.finish()
        if not self._model.graph.parameters:
            self.notice.emit("error", "This network has no parameters to train.")
            return False
        if again or self.run.ended is None:
            return True
        self._say_how_it_ended(self.current)
        return False

    def pause(self) -> None:
        """Pause training; what is recorded stays, and training again goes on from there."""
        if self.training:
            self._lab.pause()
            self.training_changed.emit()

    def toggle_training(self) -> None:
        """Train, or pause."""
        if self.training:
            self.pause()
        else:
            self.train()

    def step_training(self) -> None:
        """Train one iteration and show it."""
        self.preparing.finish()
        self._settle()
        self._train_one()

    def _settle(self) -> None:
        """Stop training at what has arrived."""
        was_training = self.training
        self._lab.settle()
        if was_training:
            self.training_changed.emit()

    def _train_one(self) -> None:
        if not self._can_train():
            return
        before = self._moment()
        if self._try(lambda: self.run.advance(1)):
            self._record(before, "Train", merge=f"train {self.current.id}", rewinds=True)
            self._follow = True
            self._take_news(changed=True)
            if self.run.ended is not None:
                self._say_how_it_ended(self.current)

    def _look(self) -> None:
        """Look for what was recorded: tell what is new, and end when nothing more is to come."""
        news = self._lab.poll()
        if news.changed:
            self._take_news(self.current in news.changed)
        for run, sentence in news.problems:
            self.notice.emit("error", sentence if run is self._current else f"{run.name}: {sentence}")
        if self._current in news.ended and self.run.ended is not None:
            self._say_how_it_ended(self.current)
        if not self._lab.must_look:
            self._poll.stop()
        if news.ended:
            self.training_changed.emit()

    def _take_news(self, changed: bool) -> None:
        if changed and (self._follow or self._is_open_ended):
            if is_large(self._document, self._model):
                self._follow_beside()
            else:
                self._show(self.position, at=self.iterations if self._follow else None)
                self.frame_changed.emit()
        self.progressed.emit()

    def _follow_beside(self) -> None:
        """Work out the steps of the newest iteration in a thread, one after the other; show what has come."""
        if self._following.what:
            return  # it looks again when it has come
        run, iteration = self.run, self.iterations if self._follow else self._iteration
        tracing = self._tracing(self._model, run, iteration, self._document.batch_size)
        statics, model = self.statics, self._model

        def take(ready: Ready) -> None:
            is_here = self.run is run and self._model is model  # or a number is being scrubbed
            if not is_here or not (self._follow or self._iteration == iteration):
                return
            self._timeline.expect(ready)
            self._show(self.position, at=iteration)
            self.frame_changed.emit()
            if self._follow and self.iterations > iteration:
                self._follow_beside()

        self._following.begin("Train", lambda _: retraced(run, iteration, tracing, statics), take)

    def _say_how_it_ended(self, run: LabRun) -> None:
        ended = run.run.ended
        if ended is not None:
            kind = "stopped" if isinstance(ended, Diverged) else "reached"
            self.notice.emit(kind, self.end_of(run.run))

    def end_of(self, run: Run) -> str:
        """Say how a run has ended, "" where it has not; a fault that is known is what has to go."""
        ended, fault = run.ended, fault_of(run)
        if ended is None:
            return ""
        is_known = fault is not None and fault != self._secret and fault.fault.stage != Stage.RATE
        if not isinstance(ended, Diverged) or fault is None or not is_known:
            return ended.sentence()
        return f"{ended.sentence(fault.fault.title)} Take it out under Faults in the menu."

    # --- random search ---

    @property
    def search(self) -> SearchResult | None:
        """What random search has found on this loss so far, None where there was none."""
        return self._search.result

    @property
    def searching(self) -> bool:
        """Whether random search goes on."""
        return self._search.running

    def start_search(self, evaluations: int | None = None, spread: float | None = None) -> None:
        """Sample parameters at random in the background.

        Parameters
        ----------
        evaluations
            How many samples; where None, as many as cost what the current run has cost, or will.
        spread
            Half the width of the box that they are drawn from; where None, the search's own choice.
        """
        self.preparing.finish()

        def start() -> None:
            iterations = self.iterations or self._planned
            count = evaluations or int(iterations * STEP_COST)
            plan = Search(self._model, count, self._document.seed, spread).checked()
            self._record(self._moment(), "Random search")
            self._search.start(plan)

        self._try(start)

    def stop_search(self) -> None:
        """Stop sampling; what was found stays."""
        self._search.stop()

    def _end_search(self) -> None:
        sentence = self._search.sentence(self.run)
        if sentence:
            self.notice.emit("info", sentence)

    def _fail(self, sentence: str) -> None:
        self.notice.emit("error", sentence)

    def _fail_search(self, sentence: str) -> None:
        self.notice.emit("error", f"Random search stopped: {sentence}")

    # --- looking closer ---

    def select(self, selection: str | EdgeKey | None) -> None:
        """Inspect a node or an edge."""
        if selection != self._selection:
            self._selection = selection
            self.selection_changed.emit()
            if self._frame.nudge is not None and selection is not None:
                self._nudge(self._nudging.subject(self.trace, self._frame.step, selection))

    def hover(self, link: Link | None) -> None:
        """Point at a node or one of its entries, in any panel: all others mark the same."""
        if link != self._hovered:
            self._hovered = link
            self.hover_changed.emit()

    def set_entry(self, entry: tuple[int, ...] | None) -> None:
        """Choose the entry whose numbers are put into the equation."""
        if entry != self._entry:
            self._entry = entry
            if self._frame.nudge is not None:
                self._nudge(self._frame.nudge.name)
            else:
                self._refresh()

    def nudge_test(self) -> AnyNudge | None:
        """Nudge the chosen entry of what is selected, or of what the step is at; again to end it.

        It changes nothing, and stays while one steps through the iteration; other numbers end it.
        """
        if self._frame.nudge is not None:
            self.end_nudge()
            return None
        self._nudge(self._nudging.subject(self.trace, self._frame.step, self._selection))
        return self._frame.nudge

    def pick(self, name: str, index: tuple[int, ...]) -> None:
        """Choose the entry of a node that a nudge test is about."""
        self._nudging.pick(name, index)
        if self._frame.nudge is not None and self._frame.nudge.name == name:
            self._nudge(name)

    def set_epsilon(self, epsilon: float) -> None:
        """Nudge by another ε."""
        self._nudging.epsilon = epsilon
        if self._frame.nudge is not None:
            self._nudging.repeat()
            self._refresh()

    def end_nudge(self) -> None:
        """Look at things as they are again."""
        if self._frame.nudge is not None:
            self._nudging.forget()
            self._refresh()

    def _nudge(self, name: str) -> None:
        self._nudging.make(self.trace, name, self._entry)
        self._refresh()

    def close(self) -> None:
        """End everything that runs; the window is going away."""
        self.preparing.cancel()
        self._following.cancel()
        self._player.stop()
        self._poll.stop()
        self._rest.stop()
        self._search.forget()
        self._lab.settle()


def _over(document: Document, iterations: int) -> Document:
    """Return a document with a schedule for so many iterations; itself where that says nothing new."""
    recipe = document.recipe.spanning(iterations)
    is_same = recipe.span == document.recipe.span or not recipe.has_span
    return document if is_same else replace(document, recipe=recipe)


def _is_built_alike(a: Graph, b: Graph) -> bool:
    """Say whether two graphs have the same operations on the same values, whatever numbers stand in them."""

    def built(graph: Graph) -> list[tuple[object, ...]]:
        return [(node.name, node.kind, node.op and node.op.name, node.inputs) for node in graph.nodes]

    return built(a) == built(b)
