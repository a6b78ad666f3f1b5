"""Make docs/gallery: what the program exports, made by the program itself.

Run it from anywhere: ``python tools/make_gallery.py``. Everything is written anew; what is no longer made is
taken away.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import main as command_line  # noqa: E402  found beside this folder
from graphs.network import built_in_names, load  # noqa: E402

GALLERY = ROOT / "docs" / "gallery"
ANIMATED, STEPPED = "two-layer-nonlinear", "two-layer-nonlinear"
STEPPER, ANIMATION = "stepper.html", "backward.gif"


def export(network: str, to: Path, *options: str) -> None:
    """Export a network as a user would, on the command line."""
    code = command_line.main(["export", network, "--to", str(to), "--force", *options])
    if code:
        raise SystemExit(f"{to.name} could not be made")


def make(folder: Path) -> None:
    """Make the gallery in a folder: a picture of each network, an animation, a page to step through."""
    for name in built_in_names():
        export(name, folder / f"{name}.svg", "--step", "middle")
    export(ANIMATED, folder / ANIMATION, "--step", "backward", "--duration", "1.2", "--scale", "1")
    export(STEPPED, folder / STEPPER)
    (folder / "README.md").write_text(page(), "utf-8")


def page() -> str:
    """Return the gallery's page."""
    parts = [
        "# Gallery",
        "Made by the program itself: `python tools/make_gallery.py`.",
        f"## The backward pass\n\n![The backward pass of a two-layer network, step by step]({ANIMATION})\n\n"
        f"`main.py export {ANIMATED} --to {ANIMATION} --step backward`",
        f"## A page to step through\n\n[{STEPPER}]({STEPPER}) works in any browser, without a network: keys, "
        f"buttons and a scrubber.\n\n`main.py export {STEPPED} --to {STEPPER}`",
        "## The networks, half way through",
    ]
    for name in built_in_names():
        title = load(name).title
        parts.append(
            f"### {title}\n\n![{title}]({name}.svg)\n\n`main.py export {name} --to {name}.svg --step middle`"
        )
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Make the gallery aside, and put it in its place when it is whole."""
    with tempfile.TemporaryDirectory() as aside:
        folder = Path(aside) / "gallery"
        folder.mkdir()
        make(folder)
        shutil.rmtree(GALLERY, ignore_errors=True)
        shutil.copytree(folder, GALLERY)


if __name__ == "__main__":
    main()
