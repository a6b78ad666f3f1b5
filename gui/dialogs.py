"""Choosing a file: the system's dialogs, which belong to the window and let it go on while they are open.

What is to be done with the file is handed in, since nobody waits for the answer.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from engine.errors import UsageError, excerpt

__all__ = ["ask_open", "ask_save", "completed", "use_own_dialogs"]


def use_own_dialogs(own: bool) -> None:
    """Use Qt's dialogs rather than the system's: where those fail, and in tests, which can type into them."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs, own)


def ask_open(
    parent: QWidget, title: str, folder: str, filters: str, done: Callable[[str], object]
) -> QFileDialog:
    """Let the user choose a file that there is.

    Parameters
    ----------
    filters
        Kinds of files as Qt writes them, such as ``Data (*.csv);;All files (*)``.
    done
        Called with the path, not where the user goes back.
    """
    dialog = QFileDialog(parent, title, folder, filters)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(done)
    return _shown(dialog)


def ask_save(
    parent: QWidget,
    title: str,
    name: str,
    filters: str,
    done: Callable[[str, str], object],
    *,
    confirms: bool = True,
) -> QFileDialog:
    """Let the user choose a file to be written.

    Parameters
    ----------
    name
        What is proposed: a file's name, or its path.
    done
        Called with the path and the filter that was chosen.
    confirms
        Whether a file that there is already may be replaced only after a question.
    """
    proposed = Path(name)
    dialog = QFileDialog(parent, title, str(proposed.parent) if proposed.parent != Path() else "", filters)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite, not confirms)
    dialog.selectFile(proposed.name)
    dialog.fileSelected.connect(lambda path: done(path, dialog.selectedNameFilter()))
    return _shown(dialog)


def completed(path: str, ending: str) -> Path:
    """Return a path with an ending that was not typed.

    Raises
    ------
    UsageError
        Where there is such a file: the dialog has asked about the name as it was typed.
    """
    target = Path(f"{path}{ending}")
    if target.exists():
        raise UsageError(
            f"{excerpt(target.name)} exists already.", how="Choose it in the list to replace it."
        )
    return target


def _shown(dialog: QFileDialog) -> QFileDialog:
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()
    return dialog
