"""The fault clinic: the menu by which a fault is put into backward or training, and taken out again."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QMenu

from engine.faults import FAULTS, Fault, FaultAt, Stage
from gui.session import Session

__all__ = ["CLINIC", "FaultMenu"]

CLINIC = tuple(fault for fault in FAULTS.values() if fault.stage != Stage.RATE)
"""The faults of the menu; the learning rate has a field of its own."""


class FaultMenu:
    """Offers every fault at every place where the open network can have it.

    A fault in a line has a submenu of its places, which are looked for when it opens.

    Parameters
    ----------
    session
        Where the fault is put in.
    menu
        Where it is offered.
    """

    def __init__(self, session: Session, menu: QMenu) -> None:
        self._session = session
        self._places: dict[str, QMenu] = {}
        menu.setToolTipsVisible(True)
        menu.addSeparator()
        for fault in CLINIC:
            if fault.stage in (Stage.FACTOR, Stage.ACCUMULATION):
                places = self._places[fault.name] = menu.addMenu(_as_title(fault.title))
                places.menuAction().setToolTip(fault.explanation)
                places.aboutToShow.connect(lambda places=places, fault=fault: self._fill(places, fault))
            else:
                self._offer(menu, fault, FaultAt(fault.name), _as_title(fault.title))

    def put_in(self, name: str, at: QPoint) -> None:
        """Put a fault in; where there are several places for it, or none, offer them in a menu at a point."""
        fault = FAULTS[name]
        places = fault.places(self._session.model.graph)
        if name not in self._places:
            self._session.set_fault(FaultAt(name))
        elif len(places) == 1:
            self._session.set_fault(FaultAt(name, places[0].node, places[0].slot))
        else:
            self._places[name].popup(at)

    def _fill(self, menu: QMenu, fault: Fault) -> None:
        menu.clear()
        graph = self._session.model.graph
        for place in fault.places(graph):
            at = FaultAt(fault.name, place.node, place.slot)
            self._offer(menu, fault, at, _as_title(fault.where(place)))
            menu.actions()[-1].setCheckable(True)
            menu.actions()[-1].setChecked(at == self._session.known_fault)
        if menu.isEmpty():
            menu.addAction("Nowhere in this network").setEnabled(False)

    def _offer(self, menu: QMenu, fault: Fault, at: FaultAt, text: str) -> None:
        action = menu.addAction(text)
        action.setToolTip(fault.explanation)
        action.triggered.connect(lambda: self._session.set_fault(at))


def _as_title(text: str) -> str:
    """Return what a menu says: with a capital, and no letter taken for a shortcut."""
    return (text[0].upper() + text[1:]).replace("&", "&&")
