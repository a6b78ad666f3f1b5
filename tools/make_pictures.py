"""Make the README's pictures anew: to be run when what they show looks different.

python tools/make_pictures.py
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

from PySide6.QtWidgets import QApplication

from engine.training import Recipe
from graphs.network import Network, load, loads
from gui.app import application, temporary_settings
from gui.lab import Document
from gui.session import Session
from gui.window import Window

FOLDER = Path(__file__).parents[1] / "docs" / "images"
EXERCISE = """
title = "Two inputs, two hidden units, two outputs"
formula = '''
h = sigmoid(W1 @ x + b1)
o = sigmoid(W2 @ h + b2)
E = 1/2 * norm(t - o)**2
'''
[parameters]
W1 = [[0.15, 0.20], [0.25, 0.30]]
W2 = [[0.40, 0.45], [0.50, 0.55]]
b1 = 0.35
b2 = 0.60
[data]
x = [[0.05], [0.10]]
t = [[0.01], [0.99]]
[training]
learning_rate = 0.5
"""  # the numbers of M. Mazur, "A step by step backpropagation example", 2015


def main() -> None:
    """Write every picture."""
    application()
    _picture("exercise-light", loads(EXERCISE), "light", (1600, 900), _exercise)
    _picture("window-light", load("two-layer-nonlinear"), "light", (1920, 1080), _through_the_sigmoid)
    _picture("race-light", load("univariate-regression"), "light", (1600, 900), _race)
    _picture("adam-dark", load("two-layer-nonlinear"), "dark", (1600, 900), _adam)


def _picture(
    name: str, network: Network, theme: str, size: tuple[int, int], act: Callable[[Window, Session], None]
) -> None:
    session = Session(Document.of(network))
    window = Window(session, temporary_settings())
    window.resize(*size)
    window.set_theme(theme)
    window.show()
    window.settle()
    act(window, session)
    window.messages.clear()
    window.settle()
    window.grab().save(str(FOLDER / f"{name}.png"))
    window.close()


def _train(session: Session, iterations: int) -> None:
    session.train(iterations)
    _wait(session)


def _wait(session: Session) -> None:
    while session.training or not session.is_settled:
        QApplication.processEvents()


def _exercise(window: Window, session: Session) -> None:
    window.toggle_lab()
    window.show_dock("formula")
    window.show_dock("neurons")
    session.last()
    session.step_phase(-1)


def _through_the_sigmoid(window: Window, session: Session) -> None:
    _train(session, 3000)
    session.go_to_iteration(1500)
    session.go(11)


def _race(window: Window, session: Session) -> None:
    window.toggle_lab()
    window.show_dock("landscape")
    recipes = [Recipe("gd", {"learning_rate": 0.1}), Recipe("momentum", {"learning_rate": 0.1})]
    recipes += [Recipe("rmsprop", {"learning_rate": 0.02}), Recipe("adam", {"learning_rate": 0.05})]
    session.race(recipes, 150)
    _wait(session)
    session.go_to_iteration(8)


def _adam(window: Window, session: Session) -> None:
    session.set_recipe(Recipe("adam", {"learning_rate": 0.05}))
    _train(session, 50_000)
    session.go_to_iteration(123)
    session.go(36)


if __name__ == "__main__":
    main()
