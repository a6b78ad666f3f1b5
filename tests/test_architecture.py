"""The house stands: imports run one way, and what draws nothing starts without Qt."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE_MAY_IMPORT = sys.stdlib_module_names | {"numpy", "engine"}


def imported_rooms(source: str) -> Iterator[str]:
    """Yield the first word of every absolute import, wherever in the file it stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def test_every_import_contract_is_kept() -> None:
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as lint; lint()",
        "--no-cache",
    ]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("path", sorted((ROOT / "engine").rglob("*.py")), ids=lambda path: path.name)
def test_the_engine_imports_numpy_and_the_standard_library_alone(path: Path) -> None:
    assert set(imported_rooms(path.read_text(encoding="utf-8"))) <= ENGINE_MAY_IMPORT


def test_the_command_line_reaches_qt_only_through_gui() -> None:
    rooms = set(imported_rooms((ROOT / "main.py").read_text(encoding="utf-8")))
    assert rooms.isdisjoint({"PySide6", "pyqtgraph", "shiboken6"})


@pytest.mark.parametrize("folder", ["engine", "graphs", "gui", "main.py"])
def test_nothing_evaluates_text_as_code(folder: str) -> None:
    files = [ROOT / folder] if folder.endswith(".py") else (ROOT / folder).rglob("*.py")
    calls = [
        f"{path.name}:{node.lineno} {node.func.id}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}
    ]
    assert calls == []


def test_a_command_that_draws_nothing_starts_without_qt() -> None:
    script = (
        "import sys, main\n"
        "code = main.main(['networks'])\n"
        "loaded = {'PySide6', 'pyqtgraph'} & set(sys.modules)\n"
        "sys.exit(f'imports {sorted(loaded)}' if loaded else code)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "two-layer-nonlinear" in result.stdout
