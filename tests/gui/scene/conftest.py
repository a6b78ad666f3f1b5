"""Scenes that several tests look at."""

from __future__ import annotations

import pytest

from engine.graph import Detail
from gui.scene.graph_scene import GraphScene
from gui.theme import LIGHT, apply
from tests.gui.scene.scenes import Show

NETWORKS = ("two-layer-nonlinear", "logistic-regression", "scalar-operations", "perceptron-classifier")


@pytest.fixture(scope="session")
def shows() -> dict[tuple[str, str], Show]:
    return {(name, detail.value): Show(name, detail) for name in NETWORKS for detail in Detail}


@pytest.fixture
def show(shows) -> Show:
    return shows["two-layer-nonlinear", "equation"]


@pytest.fixture
def scene(qapp, show) -> GraphScene:
    apply(qapp, LIGHT)
    scene = GraphScene(LIGHT)
    scene.set_graph(show.scene(0), show.layout())
    return scene
