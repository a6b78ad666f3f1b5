"""What is open as a file: opening, saving, whether anything is unsaved, and what to do before it is left.

Every document knows the :class:`~graphs.definition.Source` that it was made from by editing; which file that
is, this module knows. So undo may go from one file's document to another's and back, and *Save* writes the
right one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from engine.errors import BackstepError, excerpt
from graphs.carrying import CARRIERS
from graphs.files import write_whole
from graphs.network import SESSION, FileData, Network, complete, data_path, is_session
from graphs.reading import built_in, built_in_names
from graphs.reading import load as load_network
from graphs.sessions import read_session, write_session
from graphs.sharing import read_shared, shared_text, was_changed
from graphs.writing import is_said_alike
from gui.dialogs import ask_open, ask_save, completed
from gui.files import is_untitled, network_of, proposed_path, save_network
from gui.jobs import Task
from gui.keeping import Opened, Place, Snapshot, opened, saved
from gui.lab import Document
from gui.notify import Message
from gui.preparing import SHORT
from gui.question import UnsavedQuestion
from gui.watching import FileWatch

__all__ = ["Filing", "OnDisk"]

NETWORK = ".toml"
FILTERS = (f"Network (*{NETWORK})", f"Session with runs (*{SESSION})")
EXPORTED = " ".join(f"*{ending}" for ending in CARRIERS)
OPENED = (
    f"Networks, sessions and exports (*{NETWORK} *{SESSION} {EXPORTED});;"
    f"Networks and sessions (*{NETWORK} *{SESSION});;Exported at a step ({EXPORTED})"
)
FAULT_LEFT_OUT = "The fault is not in it: a session (.backstep) keeps it."
UNDOABLE = "If you discard them now, Undo brings them back."
CLOSING = "They are lost when the window closes without."
UNREAD_YET = "Save — the formula cannot be read yet: only a session keeps its text"
UNREAD = "The formula cannot be read as it stands: only a session (.backstep) keeps its text."


@dataclass(frozen=True, eq=False)
class OnDisk:
    """What is on the disk of a document and all that is made of it.

    Attributes
    ----------
    path
        The file, None where there is none yet.
    document
        The document as it is there, None where nothing of it is.
    runs
        Which runs a session file has, and how long they are.
    unread
        The formula's text that a session file keeps although it cannot be read.
    """

    path: Path | None = None
    document: Document | None = None
    runs: tuple[tuple[str, int], ...] = ()
    unread: str = ""

    @property
    def is_session(self) -> bool:
        """Whether the file keeps runs and the place as well."""
        return self.path is not None and self.path.suffix == SESSION


class Filing(QObject):
    """The files of one window.

    Parameters
    ----------
    window
        Whose session it is; it shows the questions and the messages.

    Signals
    -------
    changed()
        Another name, or saved, or not saved any more.
    typed()
        The formula's text, which cannot be read as it stands, may be another one.
    may_close()
        The window may close: what was to be saved is.
    stayed()
        Nothing is left: the user has gone back from the question.
    leaving()
        Something else is about to be opened, or the window to be closed: what was put over the user's network
        for a while has to go.
    """

    changed = Signal()
    typed = Signal()
    may_close = Signal()
    leaving = Signal()
    stayed = Signal()

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window = window
        self._session = window.session
        self._settings = window.settings
        self._notifier = window.notifier
        self._files: dict[Any, OnDisk] = {}
        self._task: Task | None = None
        self._told: tuple[str, bool] | None = None
        self._offer: Message | None = None
        self._missing: Path | None = None  # what the last message that a file is gone speaks of
        self._is_leaving = False
        self._staged: Any = None  # the source of what a lesson has put on stage last
        self._lost: tuple[Any, OnDisk] | None = None  # a file that went, and what was known of it
        self._known: OnDisk | None = None
        self._compared: tuple[OnDisk, Document] | None = None  # of which it is known whether they are alike
        self._is_alike = True
        self._watch = FileWatch(self)
        self._watch.changed.connect(self._offer_reload)
        self._watch.gone.connect(self._say_gone)
        self._watch.unreadable.connect(self._say_unreadable)
        self._watch.back.connect(self._take_back)
        self._session.document_changed.connect(self._follow)
        self._session.progressed.connect(self._tell)
        self._session.runs_changed.connect(self._tell)
        self._follow()

    # --- facts ---

    @property
    def on_disk(self) -> OnDisk:
        """What is on the disk of the open document."""
        return self._files[self._session.document.network.source]

    @property
    def path(self) -> Path | None:
        """The file that *Save* writes, None where it has to be asked for."""
        return self.on_disk.path

    @property
    def is_modified(self) -> bool:
        """Whether the open document is other than what is on the disk."""
        disk, document = self.on_disk, self._session.document
        compared = self._compared
        if compared is None or compared[0] is not disk or compared[1] is not document:
            self._compared = disk, document
            self._is_alike = disk.document is not None and is_saved_alike(
                document, disk.document, with_seed=disk.is_session
            )
        if not self._is_alike or self._window.unread != disk.unread:
            return True
        return disk.is_session and disk.runs != _lengths(self._session.runs)

    @property
    def has_work(self) -> bool:
        """Whether something is unsaved that is worth a question.

        How a network without a file is to be trained is none: a lecturer tries this and that. Nor is what a
        lesson has put on stage, and what is tried there; a formula that is half typed is, wherever.
        """
        disk, document = self.on_disk, self._session.document
        if not self.is_modified or disk.path is not None:
            return self.is_modified
        if self._window.unread:
            return True
        if self._window.teaching.player.lesson is not None and document.network.source is self._staged:
            return False
        if disk.document is None:
            return True
        return not is_saved_alike(replace(document, recipe=disk.document.recipe), disk.document)

    @property
    def is_busy(self) -> bool:
        """Whether a file is being read or written."""
        return self._task is not None

    @property
    def name(self) -> str:
        """What the open document is called."""
        return self.path.name if self.path is not None else self.title

    @property
    def title(self) -> str:
        """The open network's title; one that was begun blank is called as its file."""
        network, path = self._session.document.network, self.path
        return path.stem if path is not None and is_untitled(network) else network.title

    # --- opening ---

    def ask_open(self) -> None:
        """Let the user choose a file to open."""

        def take(path: str) -> None:
            self._settings.set("files/folder", str(Path(path).parent))
            self.open(path)

        folder = self._settings.get("files/folder")
        ask_open(self._window, "Open a network or a session", folder, OPENED, take)

    def open(self, source: str) -> None:
        """Open a built-in network, a network's file, a session's, or an export at the step that it shows.

        Unsaved changes are asked for.
        """
        is_file = source.endswith(NETWORK) or is_session(source)
        if is_file and not Path(source).is_file():
            gone = f"{excerpt(Path(source).name)} is not there any more. It was {excerpt(source, 150)}."
            self._notifier.error(gone)
            return
        self.leave(lambda: self._open(source), excerpt(_shown_name(source)))

    def leave(self, then: Callable[[], object], other: str) -> None:
        """Let another network take the place of this one, after a question where anything is unsaved.

        Parameters
        ----------
        other
            What takes its place, as it is called in a sentence.

        While a lesson is held nothing stands over the graph: the message bar asks. While the window presents
        nothing is asked, so nothing is left.
        """
        self.leaving.emit()
        if not self.has_work:
            then()
        elif self._window.presenting.is_on:
            self._window.presenting.refuse()
        elif self._window.teaching.player.lesson is not None:
            rest = UNREAD if self._window.unread else "Undo brings them back."
            self._notifier.ask(
                f"{excerpt(self.name)} has unsaved changes, and {other} is to take its place. {rest}",
                ("&Go on", then),
            )
        else:
            rest = UNREAD if self._window.unread else UNDOABLE
            self._ask_before(f"Then {other} takes its place. {rest}", then)

    def _open(self, source: str) -> None:
        path = Path(source)
        if is_session(source):
            self.read(path)
        elif path.suffix == NETWORK and path.is_file() and path.stat().st_size > SHORT:
            self._read_network(path)
        else:
            self._session.open(source)

    def _read_network(self, path: Path) -> None:
        """Read a network's file in the background; open it unless something else is opened first."""
        document, found = self._session.document, []

        def work() -> Iterator[Network]:
            yield load_network(path)

        def end() -> None:
            if self._session.document.network is document.network:
                self._session.open_network(found[0])

        self._begin(work, end, found.append)

    def read(self, path: Path, done: Callable[[Opened], None] | None = None) -> None:
        """Read a session or an export in the background; open it unless something else is opened first."""
        source, found = self._session.document.network.source, []

        def work() -> Iterator[Opened]:
            yield opened(read_session(path))

        def end() -> None:
            if self._session.document.network.source is source:
                self.enter(found[0], path) if done is None else done(found[0])

        self._begin(work, end, found.append)

    def enter(
        self, kept: Opened, path: Path | None, *, is_saved: bool = True, is_first: bool = False
    ) -> bool:
        """Open what a session's file kept; return whether that could be done.

        Parameters
        ----------
        path
            The file that *Save* is to write; it never writes an export.
        is_saved
            Whether that file holds it.
        is_first
            Whether nothing was open before, so that there is nothing to go back to.
        """
        place, session = kept.place, self._session
        chosen = place.selection, place.entry
        if not session.open_moment(kept.moment, place.detail, *chosen, kept.past, is_first=is_first):
            return False
        document = self._session.document
        runs = _lengths(self._session.runs)
        own = None if path is not None and path.suffix.lower() in CARRIERS else path
        unread = unread_of(kept.view)
        disk = OnDisk(own, document, runs, unread) if is_saved else OnDisk(own)
        self._files[document.network.source] = disk
        for network in kept.networks():
            self._files.setdefault(network.source, disk)
        if is_saved and path is not None:
            self._settings.add_recent(str(path.resolve()))
        self._follow()
        self._window.show_view(kept.view)
        return True

    # --- saving ---

    def save(self, then: Callable[[], object] | None = None) -> None:
        """Write the file that the document came from; ask for one where there is none."""
        path = self.path
        if path is None:
            self.save_as(then)
        else:
            self.write(path, then)

    def save_as(self, then: Callable[[], object] | None = None) -> None:
        """Let the user choose a file, and write it; its ending says whether runs are kept."""
        if self._window.unread:  # which a network's file cannot keep
            self._ask_where(UNREAD_YET, SESSION, then)
        else:
            self._ask_where("Save", self.path.suffix if self.path is not None else NETWORK, then)

    def save_session(self) -> None:
        """Let the user choose a file for all there is: network, runs, place, panels."""
        self._ask_where("Save session", SESSION)

    def _ask_where(self, title: str, ending: str, then: Callable[[], object] | None = None) -> None:
        """Let the user choose a file, and write it; the kind of this ending comes first."""
        kinds = ";;".join(sorted(FILTERS, key=lambda kind: ending not in kind))
        network, folder = self._session.document.network, Path(self._settings.get("files/folder"))
        if self.path is None:
            proposed = proposed_path(network, folder, ending)
        else:
            proposed = self.path.with_suffix(ending)
        ask_save(
            self._window,
            title,
            str(proposed),
            kinds,
            lambda path, chosen: self._save_as(path, chosen, then),
        )

    def _save_as(self, path: str, chosen: str, then: Callable[[], object] | None) -> None:
        target = Path(path)
        if target.suffix not in (NETWORK, SESSION):
            try:
                target = completed(path, SESSION if SESSION in chosen else NETWORK)
            except BackstepError as error:
                self._notifier.error(error)
                return
        self._settings.set("files/folder", str(target.parent))
        self.write(target, then)

    def write(self, path: Path, then: Callable[[], object] | None = None) -> None:
        """Write the document, or the whole session, into a file in the background."""
        session = self._session
        document, runs, unread = session.document, _lengths(session.runs), self._window.unread
        refused = self._window.refused
        keep = self.snapshot() if path.suffix == SESSION else None
        sources = {document.network.source}
        if keep is not None:
            sources |= {run.document.network.source for run in session.runs}
        said = [FAULT_LEFT_OUT] if keep is None and document.fault is not None else []
        said += [UNREAD] if keep is None and unread else []
        said += [f"What stands in the field {name} is no value, and is not in it." for name in refused]

        def work() -> Iterator[str]:
            if keep is None:
                yield from save_network(document, path)
                return
            session = saved(keep)
            write_whole(path, lambda file: write_session(session, file))

        def end() -> None:
            resolved = path.resolve()
            for source in sources:
                self._files[source] = OnDisk(resolved, document, runs, unread if keep else "")
            self._settings.add_recent(str(resolved))
            self._follow()
            self._notifier.info(" ".join([f"Saved {path.name}.", *said]), "file")
            if then is not None:
                then()

        self._begin(work, end, said.append)

    def snapshot(self) -> Snapshot:
        """Return what a session's file is written from; nothing that happens later changes it."""
        session = self._session
        place = Place(session.detail, session.selection, session.frame.entry)
        return Snapshot(session.moment(), place, self._window.view_state(), session.past)

    def _begin(
        self, work: Callable[[], Iterator[Any]], end: Callable[[], None], take: Callable[[Any], object]
    ) -> None:
        """Do work with a file after what is being done now."""
        if self._task is not None:
            self._task.ended.connect(lambda: self._begin(work, end, take))
            self._task.failed.connect(lambda _: self._begin(work, end, take))
            return
        task = self._task = Task(work, self)
        task.came.connect(take)
        task.ended.connect(self._end_task)
        task.failed.connect(self._end_task)
        task.ended.connect(end)
        task.failed.connect(self._fail)
        task.start()

    def _end_task(self) -> None:
        if self._task is not None:
            self._task.dismiss()
            self._task = None

    def _fail(self, sentence: str) -> None:
        self._is_leaving = False
        self._notifier.error(sentence, "file")

    # --- leaving ---

    def close(self) -> bool:
        """Say whether the window may close now; if not, the user is asked, or a file is being written."""
        self.leaving.emit()
        if self._is_leaving:
            return True
        if self.is_busy:
            self._begin(lambda: iter(()), self._leave, lambda _: None)
            return False
        if not self.has_work:
            return True
        self._ask_before(f"{UNREAD} {CLOSING}" if self._window.unread else CLOSING, self._leave)
        return False

    def _leave(self) -> None:
        self.give_up()
        self.may_close.emit()

    def give_up(self) -> None:
        """Let the window close without a question."""
        self._is_leaving = True

    def _ask_before(self, why: str, then: Callable[[], object]) -> None:
        keeps = self.path is not None and (self.on_disk.is_session or not self._window.unread)
        question = UnsavedQuestion(self._window.theme, self.name, why, self._window, has_file=keeps)
        question.save.connect(lambda: self.save(then) if keeps else self.save_as(then))
        question.discard.connect(then)
        question.cancelled.connect(self.stayed)
        self._window.show_overlay(question)

    # --- following ---

    def note_stage(self) -> None:
        """Take note that a lesson has put on stage what is open: nothing of it is the user's yet."""
        document = self._session.document
        self._staged = document.network.source
        if self.path is None:
            self._files[document.network.source] = OnDisk(None, document)
            self._follow()

    def note_text(self) -> None:
        """Take note that the formula's text, which cannot be read, may be another one."""
        self._tell()
        self.typed.emit()

    def _follow(self) -> None:
        """Take note of a document that is new here, and say what is open."""
        document = self._session.document
        source = document.network.source
        if source not in self._files:
            self._files[source] = OnDisk(source.path, document)
            if source.path is not None:
                self._settings.add_recent(str(source.path))
        self._watch_files()
        self._tell()

    def _tell(self) -> None:
        told = self.name, self.is_modified
        if told != self._told:
            self._told = told
            self.changed.emit()

    # --- changed by somebody else ---

    def _watch_files(self) -> None:
        wanted = tuple(path for path in (self.path, self._csv()) if path is not None)
        if wanted != self._watch.paths or self._known is not self.on_disk:
            self._known, self._lost = self.on_disk, None  # which has just been read or written
            self._watch.watch(wanted)
            self._withdraw()

    def _csv(self) -> Path | None:
        network = self._session.document.network
        if not isinstance(network.data, FileData) or network.folder is None:
            return None
        try:
            path = data_path(network, network.data.file)
        except BackstepError:
            return None
        return path if path == network.folder / network.data.file else None

    def _withdraw(self) -> None:
        if self._offer is not None:
            self._notifier.withdraw(self._offer)
            self._offer = None

    def _offer_reload(self, path: Path) -> None:
        """Offer to read a file again that somebody else has changed."""
        if self.is_busy:
            return  # it is being written here
        is_own = path == self.path
        what = f"{excerpt(path.name)} has been changed by another program."
        if is_own and self.is_modified:
            what += " Reloading drops your unsaved changes; Undo brings them back."
        if self._offer is not None:
            self._notifier.withdraw(self._offer)
        reload = ("&Reload", self.reload if is_own else self.reload_data)
        self._offer = self._notifier.ask(what, reload, ("&Keep", lambda: None), stays=True, about="file")

    def _say_gone(self, path: Path) -> None:
        self._lose(path)
        gone = f"{excerpt(path.name)} has been moved or deleted. Saving writes it again."
        self._offer = self._notifier.ask(gone, about="file")

    def _say_unreadable(self, path: Path, why: str) -> None:
        self._lose(path)
        self._offer = self._notifier.ask(
            f"{excerpt(path.name)} cannot be read any more ({why}). "
            "What is open here stays; Save as… keeps it.",
            about="file",
        )

    def _lose(self, path: Path) -> None:
        """Take note that nothing of the document is on the disk any more, as far as one can tell."""
        self._withdraw()
        self._missing = path
        if path == self.path and self._lost is None:
            source = self._session.document.network.source
            self._lost = source, self.on_disk
            self._files[source] = OnDisk(path)
            self._known = self.on_disk
            self._tell()

    def _take_back(self, path: Path) -> None:
        """Take note that a file is there again as it was."""
        if path == self._missing:
            self._withdraw()
        if self._lost is not None and path == self._lost[1].path:
            source, disk = self._lost
            self._lost = None
            self._files[source] = disk
            if source is self._session.document.network.source:
                self._known = disk
            self._tell()

    def reload(self) -> None:
        """Read the document's file again; the place on the timeline stays where the graph is the same."""
        path = self.path
        if path is None:
            return
        if path.suffix == SESSION:
            self.read(path)
            return
        try:
            network = load_network(path)
        except BackstepError as error:
            self._notifier.error(error, "file")
            return

        def note() -> None:
            self._files[network.source] = OnDisk(path, self._session.document)
            self._follow()

        self._session.reload(Document.of(network, self._session.document.seed), note)

    def reload_data(self) -> None:
        """Read the CSV of the document again; what was changed by hand stays."""
        document = self._session.document
        data = document.network.data
        if not isinstance(data, FileData):
            return
        attached = {name: raw for name, raw in document.network.attached.items() if name != data.file}
        network = replace(document.network, attached=attached)
        try:
            network = complete(network)
        except BackstepError as error:
            self._notifier.error(error, "file")
            return
        disk = self.on_disk
        was_saved = not self.is_modified

        def note() -> None:
            if was_saved:
                self._files[network.source] = replace(disk, document=self._session.document)
                self._follow()

        self._session.reload(replace(document, network=network), note)

    # --- sharing ---

    def copy(self, put: Callable[[str], object]) -> None:
        """Put the network on the clipboard as text."""
        try:
            document = self._session.document
            put(shared_text(network_of(document), document.seed))
        except BackstepError as error:
            self._notifier.error(error)
        else:
            self._notifier.info("Copied the network as text. Paste network (Ctrl+Shift+V) reads it back.")

    def paste(self, text: str) -> None:
        """Open the network that a text says."""
        try:
            network = read_shared(text)
        except BackstepError as error:
            self._notifier.error(error)
            return
        said = f"Pasted {excerpt(network.title)}. "
        if was_changed(text):
            said += "The text was changed since it was copied. "
        said += "Undo goes back."
        self.leave(lambda: self._paste(network, said), f"the pasted network {excerpt(network.title)}")

    def _paste(self, network: Network, said: str) -> None:
        self._files.setdefault(network.source, OnDisk())  # nothing of it is on the disk
        self._session.open_network(network, lambda: self._notifier.info(said))


def is_saved_alike(a: Document, b: Document, *, with_seed: bool = False) -> bool:
    """Say whether a file would be the same for both documents, wherever they have their values from."""
    if a is b:
        return True
    if with_seed and (a.seed, a.fault) != (b.seed, b.fault):
        return False
    try:
        return is_said_alike(network_of(a), network_of(b))
    except BackstepError:
        return False


def _shown_name(source: str) -> str:
    """Return what something that is about to be opened is called: a network's title, or a file's name."""
    return built_in(source).title if source in built_in_names() else Path(source).name


def unread_of(view: Mapping[str, Any]) -> str:
    """Return the text of a formula that a session's file keeps although it cannot be read."""
    panels = view.get("panels")
    formula = panels.get("formula") if isinstance(panels, dict) else None
    text = formula.get("text") if isinstance(formula, dict) else None
    return text if isinstance(text, str) else ""


def _lengths(runs: Any) -> tuple[tuple[str, int], ...]:
    return tuple((run.name, run.iterations) for run in runs if run.iterations)
