"""A TeX engine for tests, where one is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGES = ("tikz.sty", "lmodern.sty", "xcolor.sty", "hyperref.sty", "amssymb.sty")


def _has_tex() -> bool:
    if shutil.which("pdflatex") is None or shutil.which("kpsewhich") is None:
        return False
    return subprocess.run(["kpsewhich", *PACKAGES], capture_output=True, check=False).returncode == 0


needs_tex = pytest.mark.skipif(not _has_tex(), reason=f"no pdflatex with {', '.join(PACKAGES)} is installed")
EM = 10.95  # points, in a document of 11 points


class Compiled(NamedTuple):
    """What a TeX run left: the log, the text of the pages where pdftotext is there, and the pages."""

    log: str
    text: str
    pdf: bytes

    @property
    def complaints(self) -> list[str]:
        """Boxes that stick out by more than 2 points, signs that no font has, and what is undefined."""
        sticks = re.findall(r"Overfull \\[hv]box \((\d+\.\d+)pt.*", self.log)
        wide = [f"Overfull by {points}" for points in sticks if float(points) > 2]
        return wide + re.findall(r".*(?:Missing character|undefined).*", self.log)


def compiled(source: str, engine: str = "pdflatex", **files: str) -> Compiled:
    """Compile a document once, stopping at the first error; `files` stand beside it, by stem."""
    with tempfile.TemporaryDirectory() as folder:
        for stem, text in {**files, "document": source}.items():
            Path(folder, f"{stem}.tex").write_text(text, "utf-8")
        command = [engine, "-interaction=nonstopmode", "-halt-on-error", "document.tex"]
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        log = Path(folder, "document.log").read_text("latin-1")
        assert done.returncode == 0, "\n".join(re.findall(r"(?ms)^!.*?^l\.\d+.*?$", log)) or log[-2000:]
        path = Path(folder, "document.pdf")
        return Compiled(log, _text(path), path.read_bytes())


def _text(path: Path) -> str:
    if shutil.which("pdftotext") is None:
        return ""
    done = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True)
    return done.stdout.decode("utf-8")


def measured(formulas: Sequence[str]) -> list[float]:
    """Return how wide formulas are in display style, in em."""
    rows = "\n".join(rf"\setbox0\hbox{{$\displaystyle {f}$}}\typeout{{WIDTH \the\wd0}}" for f in formulas)
    head = r"\documentclass[11pt]{article}\usepackage[T1]{fontenc}\usepackage{lmodern,amsmath,amssymb,xcolor}"
    log = compiled(f"{head}\n\\begin{{document}}\n{rows}\nx\n\\end{{document}}\n").log
    return [float(points) / EM for points in re.findall(r"WIDTH (\d+\.\d+)pt", log)]
