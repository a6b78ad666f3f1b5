"""Write what the window shows first of the built-in networks: their formulas and their layouts.

    python tools/make_stores.py

gui/resources/equations.json and layouts.json keep them: the first picture needs neither ziamath nor NetworkX.
Run it when a built-in network, the cards, the layout or the way formulas are set changes; a test says so.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
sys.path.insert(0, str(Path(__file__).parents[1]))

from engine.graph import Detail
from graphs.network import bind, built_in_names, load
from gui.app import application
from gui.equations import STORE, stored_form
from gui.layouts import STORE as LAYOUTS
from gui.layouts import layout_key, worked_out
from gui.layouts import stored_form as stored_form_of_layout
from gui.session import Document, Session
from gui.viewdata import Statics, scene_view


def first_formulas() -> list[str]:
    """Return the titles, right-hand sides and definitions of every built-in network, each once."""
    found: dict[str, None] = {}
    for name in built_in_names():
        graph = bind(load(name)).graph
        statics = Statics(graph, Detail.EQUATION)
        for title, formula in statics.titles.values():
            found.update(dict.fromkeys((title, formula)))
        for line in graph.lines:
            found[statics.derivation.forward_latex(line.name)] = None
    return sorted(text for text in found if text)


def layouts() -> dict[str, object]:
    """Return the layouts of every built-in network at both details, by key."""
    found = {}
    for name in built_in_names():
        for detail in Detail:
            session = Session(Document.of(load(name)), detail)
            view = scene_view(session.frame)
            found[layout_key(session.frame, view)] = stored_form_of_layout(worked_out(session.frame, view))
            session.close()
    return found


def main() -> None:
    """Write the files."""
    app = application()
    _write_equations()
    LAYOUTS.write_text(json.dumps(layouts(), separators=(",", ":")).replace("},", "},\n") + "\n", "utf-8")
    print(f"{LAYOUTS.stat().st_size // 1024} kB of layouts")
    app.quit()


def _write_equations() -> None:
    rows = {latex: stored_form(latex) for latex in first_formulas()}
    lines = ",\n".join(f"{json.dumps(latex)}: {json.dumps(parts)}" for latex, parts in rows.items())
    STORE.write_text(f"{{\n{lines}\n}}\n", "utf-8")
    print(f"{len(rows)} formulas, {STORE.stat().st_size // 1024} kB")


if __name__ == "__main__":
    main()
