"""The web page in a real browser: keys, scrubber, buttons, the numbers at every step, phone, dark, print."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest

from engine.graph import Detail
from graphs.palette import DARK, LIGHT
from graphs.snapshot import Snapshot
from graphs.views.frame import Frame
from graphs.views.lane import lane_view
from graphs.views.numbers import NOTHING, format_number, full
from graphs.views.records import MatrixView
from graphs.views.step import step_view
from graphs.webpage import page
from graphs.webpage.arrays import is_small
from graphs.webpage.steps import walk
from tests.browser import MISSING, Browser
from tests.graphs.snapshots import BUILT_IN, ODD, batch_snapshot, built_in_snapshot, odd_snapshot

pytestmark = pytest.mark.skipif(bool(MISSING), reason=MISSING)

TWO_LAYERS = "two-layer-nonlinear"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """Return the browser in a window of usual size; afterwards nothing may have gone wrong in it."""
    chromium.resize(1280, 720)
    chromium.prefer(color_scheme="light", reduced_motion="reduce")
    chromium.log("browser")
    chromium.log("performance")
    yield chromium
    assert [entry["message"] for entry in chromium.log("browser")] == []


class Pages:
    """Writes pages to files, each once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[int, Path] = {}

    def of(self, snapshot: Snapshot) -> Path:
        path = self._written.get(id(snapshot))
        if path is None:
            path = self._written[id(snapshot)] = self._folder / f"page-{len(self._written)}.html"
            path.write_text(page(snapshot), encoding="utf-8")
        return path


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


@pytest.fixture
def opened(browser: Browser, pages: Pages) -> Browser:
    """Return the browser with the two-layer network in it, at its start."""
    browser.open("about:blank")
    browser.open(f"{pages.of(built_in_snapshot(TWO_LAYERS)).as_uri()}#step=0")
    return browser


def place(browser: Browser) -> int:
    """Return the step that the scrubber, the text beside it, and the article shown agree on."""
    found = browser.run(
        "return [document.querySelector('#scrubber').value, document.querySelector('#where b').textContent,"
        " document.querySelector('.step.current').id.slice(5)]"
    )
    assert len(set(found)) == 1, found
    return int(found[0])


# --- keys, buttons, scrubber, address -----------------------------------------------------------------------


def test_the_arrow_keys_step_and_stop_at_the_ends(opened: Browser) -> None:
    opened.press("Right", "Right", "Right")
    assert place(opened) == 3
    opened.press("Left")
    assert place(opened) == 2
    opened.press("Left", "Left", "Left")
    assert place(opened) == 0
    opened.press("End", "Right")
    last = len(built_in_snapshot(TWO_LAYERS).trace.steps)
    assert place(opened) == last
    opened.press("PgUp", "PgUp", "PgDn")
    assert place(opened) == last - 1
    opened.press("Home")
    assert place(opened) == 0


def test_with_shift_they_go_by_nodes_and_with_ctrl_by_phases_as_in_the_window(opened: Browser) -> None:
    steps = built_in_snapshot(TWO_LAYERS).trace.steps

    def stops(differs: Any) -> list[int]:
        inner = [k for k in range(1, len(steps)) if differs(steps[k - 1], steps[k])]
        return [*inner, len(steps)]

    nodes = stops(lambda a, b: (a.node, a.phase) != (b.node, b.phase))
    phases = stops(lambda a, b: a.phase != b.phase)
    for keys, expected in (("Shift", nodes), ("Ctrl", phases)):
        opened.press("Home")
        there = []
        for _ in expected:
            opened.press(f"{keys}+Right")
            there.append(place(opened))
        assert there == expected
        back = []
        for _ in expected:
            opened.press(f"{keys}+Left")
            back.append(place(opened))
        assert back == [*expected[-2::-1], 0]


def test_buttons_step(opened: Browser) -> None:
    last = len(built_in_snapshot(TWO_LAYERS).trace.steps)
    for button, expected in (("ahead", 1), ("ahead", 2), ("back", 1), ("end", last), ("start", 0)):
        opened.click(f"#{button}")
        assert place(opened) == expected


def test_the_scrubber_goes_where_it_is_dragged_to_and_says_where_that_is(opened: Browser) -> None:
    snapshot = built_in_snapshot(TWO_LAYERS)
    total = len(snapshot.trace.steps)
    for position in (7, 1, total):
        opened.run(
            "const s = document.querySelector('#scrubber'); s.value = arguments[0];"
            "s.dispatchEvent(new Event('input', {bubbles: true}))",
            position,
        )
        assert place(opened) == position
        text = opened.run("return document.querySelector('#scrubber').getAttribute('aria-valuetext')")
        assert text == snapshot.at(position).place()
    opened.run("document.querySelector('#scrubber').focus()")
    opened.press("Left", "Left")
    assert place(opened) == total - 2


def test_space_plays_to_the_end_and_pauses(opened: Browser) -> None:
    faster = ["+"] * 5
    opened.press(*faster, " ")
    assert label(opened, "#play") == "Pause"
    opened.run(_UNTIL.format("document.querySelector('#scrubber').value >= 2"))
    opened.press(" ")
    assert label(opened, "#play") == "Play"
    paused = place(opened)
    assert paused >= 2
    opened.press("End", "Left", " ")
    opened.run(_UNTIL.format("!document.querySelector('#play').classList.contains('playing')"))
    assert place(opened) == len(built_in_snapshot(TWO_LAYERS).trace.steps)


_UNTIL = """return new Promise(done => {{
  const look = () => {} ? done(true) : requestAnimationFrame(look);
  look();
}})"""
_PRESS = """
const press = key => dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const last = Number(document.querySelector("#scrubber").max);
"""


def label(browser: Browser, selector: str) -> str:
    return browser.run("return document.querySelector(arguments[0]).getAttribute('aria-label')", selector)


def test_the_address_names_the_step_and_leads_to_it(opened: Browser, pages: Pages) -> None:
    opened.press("Right", "Right")
    opened.run(_UNTIL.format("location.hash === '#step=2'"))
    opened.run("location.hash = '#step=9'")
    opened.run(_UNTIL.format("document.querySelector('#scrubber').value === '9'"))
    assert place(opened) == 9
    address = pages.of(built_in_snapshot(TWO_LAYERS)).as_uri()
    last = len(built_in_snapshot(TWO_LAYERS).trace.steps)
    for hash, expected in (("#step=7", 7), ("#step=9999", last), ("#step=x", last), ("", last)):
        opened.open("about:blank")
        opened.open(address + hash)
        assert place(opened) == expected


def test_a_page_begins_at_the_step_that_was_exported(browser: Browser, pages: Pages) -> None:
    browser.open(pages.of(built_in_snapshot(TWO_LAYERS).at(6)))
    assert place(browser) == 6


def test_keys_are_listed_and_the_list_closes(opened: Browser) -> None:
    opened.press("?")
    assert opened.run("return document.querySelector('#keys').open")
    opened.press("Right")
    opened.press("Esc")
    assert not opened.run("return document.querySelector('#keys').open")
    assert place(opened) == 0
    opened.click("#help")
    opened.click("#close")
    assert not opened.run("return document.querySelector('#keys').open")


# --- the numbers --------------------------------------------------------------------------------------------

_READ = (
    _PRESS
    + """
const array = holder => {
  const cells = all("td", holder), one = holder.querySelector("span[title]");
  if (cells.length) return { texts: cells.map(c => c.textContent), fulls: cells.map(c => c.title) };
  if (one) return { texts: [one.textContent], fulls: one.title.split(" … ") };
  return { texts: [holder.textContent], fulls: [] };
};
const slot = item => [item.textContent, item.title, all("canvas", item).length];
document.querySelector("#known").open = true;
press("Home");
const found = [];
for (let k = 0; k <= last; k++) {
  const now = document.querySelector(".step.current");
  found.push({
    sentence: now.querySelector(".sentence").textContent,
    said: document.querySelector("#said").textContent,
    known: all("#table td.value").map(cell => array(cell)),
    flowed: all("#table td.gradient").map(cell => array(cell)),
    slots: all(".card").map(card => all(".slot", card).map(slot)),
    matrices: all(".matrix .array", now).map(array),
  });
  press("ArrowRight");
}
return found;
"""
)


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_the_numbers_at_every_step_are_those_of_the_trace(
    browser: Browser, pages: Pages, name: str, detail: Detail
) -> None:
    assert_numbers(browser, pages, built_in_snapshot(name, detail))


@pytest.mark.parametrize("key", [*ODD, "batch"])
def test_so_are_those_of_odd_networks(browser: Browser, pages: Pages, key: str) -> None:
    snapshot = batch_snapshot() if key == "batch" else odd_snapshot(key)
    assert_numbers(browser, pages, snapshot)


def assert_numbers(browser: Browser, pages: Pages, snapshot: Snapshot) -> None:
    browser.open("about:blank")
    browser.open(f"{pages.of(snapshot).as_uri()}#step=0")
    browser.run("document.querySelector('#known').open = true")
    shown = browser.run(_READ)
    assert len(shown) == len(snapshot.trace.steps) + 1
    for frame, found in zip(walk(Frame.of(snapshot), 0, len(shown) - 1), shown, strict=True):
        view = step_view(frame)
        assert found["sentence"] == view.sentence
        assert found["said"] == f"Step {frame.position} of {len(shown) - 1}, {view.phase}. {view.sentence}"
        both = zip(frame.statics.names, found["known"], found["flowed"], strict=True)
        for name, value, gradient in both:
            where, noise = (frame.position, name), frame.noise(name)
            assert_shown(value, frame.values.get(name), "value" in noise, where)
            assert_shown(gradient, frame.gradients.get(name), "gradient" in noise, where)
        assert_cards(frame, found["slots"])
        wanted = [part for part in view.matrices if isinstance(part, MatrixView)]
        assert len(found["matrices"]) == len(wanted)
        for matrix, part in zip(found["matrices"], wanted, strict=True):
            assert_shown(matrix, part.array, part.noise, (frame.position, part.label))


def assert_shown(
    found: Mapping[str, list[str]], array: np.ndarray | None, noise: bool, where: object
) -> None:
    """Assert that all numbers of a small array are shown in short and in full, of a large one its range."""
    if array is None:
        assert found["texts"] == ["not yet"], where
        return
    if not is_small(array.shape):
        finite = array[np.isfinite(array)]
        assert found["fulls"] == [full(finite.min()), full(finite.max())], where
        return
    assert found["fulls"] == [full(x) for x in np.ravel(array)], where
    assert found["texts"] == [in_short(x, noise, signed=array.size > 1) for x in np.ravel(array)], where


def in_short(x: float, noise: bool, signed: bool = False) -> str:
    """Return a number as cells show it, or cards, which have no sign before what is positive."""
    if noise and x:
        return NOTHING
    if not np.isfinite(x) and signed:
        return {"nan": "nan", "inf": "+∞", "-inf": "−∞"}[str(x)]
    return f"+{format_number(x)}" if signed and x > 0 else format_number(x)


def assert_cards(frame: Frame, cards: list[list[list[Any]]]) -> None:
    """Assert that cards show numbers where they are known, and nothing of the future."""
    for name, slots in zip(frame.statics.names, cards, strict=True):
        arrays = (("", "value", frame.values.get(name)), ("∂ ", "gradient", frame.gradients.get(name)))
        for (text, title, maps), (mark, part, array) in zip(slots, arrays, strict=False):
            if array is None:
                assert (text, maps) == ("", 0)
            elif array.size == 1:
                short = in_short(array.item(), part in frame.noise(name))
                assert (text, title) == (mark + short, full(array.item()))
            else:
                assert (text, maps) == ("", 1)


# --- nothing leaves the page --------------------------------------------------------------------------------


def events(browser: Browser, method: str) -> list[dict[str, Any]]:
    """Return what the browser's network has told since it was asked last."""
    told = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    return [event["params"] for event in told if event["method"] == method]


def test_no_request_leaves_the_page(opened: Browser, pages: Pages) -> None:
    opened.press("End", "Home", "Right", "?", "Esc")
    for _ in range(3):
        opened.click("#theme")
    opened.pdf()
    asked = {e["request"]["url"].partition("#")[0] for e in events(opened, "Network.requestWillBeSent")}
    inside = {url for url in asked if url.startswith("data:")}  # the font, which the page holds
    assert asked - inside == {pages.of(built_in_snapshot(TWO_LAYERS)).as_uri()}


_TRY_TO_LEAVE = """return new Promise(done => {
  const found = [];
  const add = (tag, more) => document.body.append(Object.assign(document.createElement(tag), more));
  document.addEventListener("securitypolicyviolation", event => {
    found.push(event.effectiveDirective);
    if (found.length === 3) done(found.sort());
  });
  add("img", { src: "https://example.org/a.png" });
  add("script", { textContent: "document.title = 'caught'" });
  fetch("https://example.org/").catch(() => {});
})"""


def test_the_browser_would_not_let_one_out(chromium: Browser, pages: Pages) -> None:
    """The policy stands in the page itself: nothing in it, whatever it says, could load or run anything."""
    snapshot = built_in_snapshot("univariate-regression")
    chromium.open(pages.of(snapshot))
    events(chromium, "Network.loadingFailed")
    assert chromium.run(_TRY_TO_LEAVE) == ["connect-src", "img-src", "script-src-elem"]
    failed = events(chromium, "Network.loadingFailed")
    assert {event.get("blockedReason") for event in failed} == {"csp"}
    assert chromium.run("return document.title") == snapshot.title
    chromium.log("browser")


# --- readers of all kinds -----------------------------------------------------------------------------------


def test_on_a_phone_the_page_does_not_scroll_sideways_and_controls_fit_thumbs(
    browser: Browser, pages: Pages
) -> None:
    browser.resize(360, 740, phone=True)
    for name, step in ((TWO_LAYERS, 8), ("logistic-regression", 5), ("scalar-operations", 20)):
        snapshot = built_in_snapshot(name, Detail.PRIMITIVE)
        browser.open("about:blank")
        browser.open(f"{pages.of(snapshot).as_uri()}#step={step}")
        widths = "[innerWidth, document.documentElement.scrollWidth, document.body.scrollWidth]"
        assert browser.run(f"return {widths}") == [360, 360, 360]
        small = browser.run(
            """return [...document.querySelectorAll("button, input, summary")]
              .map(item => [item.id, item.offsetWidth, item.offsetHeight])
              .filter(([, wide, high]) => wide && (wide < 44 || high < 44))"""
        )
        assert small == []
        inside = browser.run(
            """const bottom = document.querySelector("#transport").getBoundingClientRect().bottom;
            const panel = document.querySelector("#panel").getBoundingClientRect();
            const view = document.querySelector("#view").getBoundingClientRect();
            return [bottom === innerHeight, panel.top >= view.bottom, view.height > 150]"""
        )
        assert inside == [True, True, True]
        seen = browser.run(
            """const view = document.querySelector("#view").getBoundingClientRect();
            const item = document.elementFromPoint(view.left + view.width / 2, view.top + 20);
            return [Boolean(item.closest("#view")), document.querySelector("main").scrollTop]"""
        )
        assert seen == [True, 0]  # also where the address names the step


def test_the_graph_follows_the_step(browser: Browser, pages: Pages) -> None:
    browser.resize(360, 740, phone=True)
    browser.open("about:blank")
    browser.open(f"{pages.of(built_in_snapshot('logistic-regression', Detail.PRIMITIVE)).as_uri()}#step=0")
    for key in ("End", "Home", "Ctrl+Right", "Ctrl+Right"):
        browser.press(key)
        seen = browser.run(
            """const rect = selector => document.querySelector(selector)?.getBoundingClientRect();
            const view = rect("#view"), card = rect(".card.now") || rect(".card");
            return [card.left >= view.left - 1, card.right <= view.right + 1]"""
        )
        assert seen == [True, True]


@pytest.mark.parametrize(("asked", "moves"), [("reduce", False), ("no-preference", True)])
def test_less_motion_is_respected(browser: Browser, pages: Pages, asked: str, moves: bool) -> None:
    browser.prefer(color_scheme="light", reduced_motion=asked)
    browser.open(pages.of(built_in_snapshot(TWO_LAYERS)))
    style = "getComputedStyle(document.querySelector('.card'))"
    took = browser.run(f"return parseFloat({style}.transitionDuration)")
    assert (took > 0) == moves
    assert took <= 0.4
    behaviors = browser.run(
        _PRESS
        + """const found = [];
        for (let i = 0; i < 7; i++) document.querySelector("#larger").click();
        document.querySelector("#view").scrollTo = options => found.push(options.behavior);
        press("Home");
        press("End");
        return found"""
    )
    assert set(behaviors) == {"smooth" if moves else "auto"}


def background(browser: Browser) -> str:
    rgb = browser.run("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    return "#" + "".join(f"{part:02x}" for part in rgb)


_HEAT = """
const canvas = document.querySelector(".slot canvas"), copy = document.createElement("canvas");
copy.width = canvas.width;
const context = copy.getContext("2d", { willReadFrequently: true });
context.drawImage(canvas, 0, 0);
return [...context.getImageData(0, 0, canvas.width, 1).data].join()
"""


_CELLS = """
const canvas = document.querySelectorAll(".card")[arguments[0]].querySelector("canvas");
const copy = document.createElement("canvas");
[copy.width, copy.height] = [canvas.width, canvas.height];
const context = copy.getContext("2d", { willReadFrequently: true });
context.drawImage(canvas, 0, 0);
const row = [0, copy.height >> 1, copy.width, 1], column = [copy.width >> 1, 0, 1, copy.height];
const colours = pixels => pixels.filter((_, i) => i % 4 == 3)
  .map((alpha, i) => alpha ? pixels.slice(4 * i, 4 * i + 3).join() : "")
  .filter((colour, i, all) => colour != all[i - 1]);
return [row, column].map(area => colours([...context.getImageData(...area).data]))
"""


def test_cells_of_heat_maps_are_sharp_and_large_ones_stand_apart(browser: Browser, pages: Pages) -> None:
    snapshot = built_in_snapshot(TWO_LAYERS)
    browser.open(pages.of(snapshot))
    browser.press("End")
    names = list(snapshot.trace.graph.visible(snapshot.detail))
    across, _ = browser.run(_CELLS, names.index("w2"))
    assert [not colour for colour in across] == [True, False] * 4 + [True]  # a gap at every cell's sides
    _, down = browser.run(_CELLS, names.index("Z"))
    assert len(down) == 4  # each of the four rows has one colour, not a blend of two
    assert all(down)


def test_it_is_dark_where_the_system_is_and_where_the_reader_says_so(browser: Browser, pages: Pages) -> None:
    browser.prefer(color_scheme="dark", reduced_motion="reduce")
    browser.open(pages.of(built_in_snapshot(TWO_LAYERS)))
    assert (background(browser), label(browser, "#theme")) == (DARK.window, "Theme: as the system")
    dark = browser.run(_HEAT)
    browser.click("#theme")
    assert (background(browser), label(browser, "#theme")) == (LIGHT.window, "Theme: light")
    assert browser.run(_HEAT) != dark
    browser.click("#theme")
    assert (background(browser), label(browser, "#theme")) == (DARK.window, "Theme: dark")
    assert browser.run(_HEAT) == dark
    browser.click("#theme")
    browser.prefer(color_scheme="light", reduced_motion="reduce")
    assert background(browser) == LIGHT.window
    assert browser.run(_HEAT) != dark


_CONTRAST = """
const linear = value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const luminance = rgb => rgb.map(part => linear(part / 255))
  .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
const spot = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const rgba = color => {
  spot.clearRect(0, 0, 1, 1);
  spot.fillStyle = color;
  spot.fillRect(0, 0, 1, 1);
  return [...spot.getImageData(0, 0, 1, 1).data];
};
const behind = item => {
  for (; item; item = item.parentElement) {
    const color = rgba(getComputedStyle(item).backgroundColor);
    if (color[3] === 255) return color;
  }
  return [255, 255, 255];
};
const unseen = "script, .unseen, .skip, [aria-disabled=true], .place";
const poor = new Map(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let looked = 0;
for (let node; node = walker.nextNode();) {
  const item = node.parentElement, text = node.textContent.trim();
  if (!text || !item.checkVisibility() || item.closest(unseen)) continue;
  looked++;
  const style = getComputedStyle(item), size = parseFloat(style.fontSize);
  const pair = [rgba(style.color), behind(item)].map(color => luminance(color.slice(0, 3)) + 0.05);
  const ratio = Math.max(...pair) / Math.min(...pair);
  const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  if (ratio < (large ? 3 : 4.5)) poor.set([item.className, item.tagName, text.slice(0, 20)].join(" "), ratio);
}
return [looked, [...poor]];
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out(browser: Browser, pages: Pages, scheme: str) -> None:
    browser.prefer(color_scheme=scheme, reduced_motion="reduce")
    snapshot = batch_snapshot()
    browser.open("about:blank")
    browser.open(f"{pages.of(snapshot).as_uri()}#step=0")
    phases = [step.phase for step in snapshot.trace.steps]
    for position in (0, 2, *(phases.index(phase) + 2 for phase in dict.fromkeys(phases)), len(phases)):
        browser.run("location.hash = '#step=' + arguments[0]", position)
        browser.run(_UNTIL.format(f"document.querySelector('#scrubber').value === '{position}'"))
        looked, poor = browser.run(_CONTRAST)
        assert looked > 60
        assert poor == []
    browser.press("?")
    assert browser.run(_CONTRAST)[1] == []
    browser.press("Esc")


def test_every_control_has_a_name_and_every_step_is_said(opened: Browser) -> None:
    nodes = opened.devtools("Accessibility.getFullAXTree")["nodes"]
    named = {(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]}
    roles = ("button", "slider", "link", "DisclosureTriangle")
    controls = {(role, name) for role, name in named if role in roles}
    assert len(controls) >= 12
    assert all(name for _, name in controls), controls
    buttons = {name for role, name in controls if role == "button"}
    assert {"First step", "Step back", "Play", "Step forward", "Last step", "Keys"} <= buttons
    assert ("slider", "Step") in controls
    assert {("main", ""), ("banner", "")} <= named
    assert {("region", "Graph"), ("region", "This step"), ("region", "Stepping")} <= named
    assert any(role in ("math", "MathMLMath") for role, _ in named)
    live = "document.querySelector('#said')"
    opened.press("Right")
    told = opened.run(f"return [{live}.getAttribute('role'), {live}.textContent]")
    assert told == ["status", "Step 1 of 18, forward. Z is computed from W₁, X and b₁."]


_FOCUS = """
const item = document.activeElement, style = getComputedStyle(item);
const seen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
return [item.id || item.className || item.tagName, seen]
"""


def test_tab_reaches_every_control_in_the_order_of_the_page_and_shows_where_it_is(
    browser: Browser, pages: Pages
) -> None:
    browser.open("about:blank")
    browser.open(pages.of(built_in_snapshot(TWO_LAYERS)))
    reached: dict[str, bool] = {}
    while True:
        browser.press("Tab")
        name, is_seen = browser.run(_FOCUS)
        if name == "BODY" or name in reached:
            break
        reached[name] = is_seen
    before = ["skip", "help", "theme", "view", "smaller", "larger", "fit", "SUMMARY", "scrolled"]
    assert list(reached) == [*before, "start", "back", "play", "ahead", "end", "scrubber"]
    assert all(reached.values()), reached


def test_space_on_a_button_presses_it_and_arrows_step_from_anywhere(opened: Browser) -> None:
    opened.run("document.querySelector('#ahead').focus()")
    opened.press(" ", " ")
    assert place(opened) == 2
    opened.press("Right")
    assert place(opened) == 3
    assert label(opened, "#play") == "Play"


def test_numbers_are_copied_in_full_in_rows_and_columns(opened: Browser) -> None:
    snapshot = built_in_snapshot(TWO_LAYERS)
    opened.press("Right")
    copied = opened.run(
        """const table = document.querySelector(".step.current .cells");
        getSelection().selectAllChildren(table);
        const data = new DataTransfer();
        const more = { clipboardData: data, bubbles: true, cancelable: true };
        document.dispatchEvent(new ClipboardEvent("copy", more));
        return data.getData("text/plain")"""
    )
    assert copied == "\n".join(full(x) for x in snapshot.trace.values["W1"].ravel())


def test_without_scripts_all_steps_are_listed(browser: Browser, pages: Pages) -> None:
    snapshot = built_in_snapshot(TWO_LAYERS)
    browser.devtools("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open("about:blank")
        browser.open(pages.of(snapshot))
        nodes = browser.devtools("Accessibility.getFullAXTree")["nodes"]
    finally:
        browser.devtools("Emulation.setScriptExecutionDisabled", value=False)
    said = {n["name"]["value"] for n in nodes if not n["ignored"] and n.get("name", {}).get("value")}
    total = len(snapshot.trace.steps)
    for frame in walk(Frame.of(snapshot), 0, total):
        view = step_view(frame)
        assert {view.sentence, f"Step {frame.position} of {total}, {view.phase}"} <= said
    assert said.isdisjoint({"Play", "Step back", "Keys"})


# --- how it looks -------------------------------------------------------------------------------------------

_COVERED = (
    _PRESS
    + """
const rect = item => item.getBoundingClientRect();
const along = (a, b, low, high) => Math.max(0, Math.min(a[high], b[high]) - Math.max(a[low], b[low]));
const shared = (a, b) => along(rect(a), rect(b), "left", "right") * along(rect(a), rect(b), "top", "bottom");
const outside = (item, frame) => {
  const a = rect(item), b = rect(frame);
  return a.left < b.left - 1 || a.top < b.top - 1 || a.right > b.right + 1 || a.bottom > b.bottom + 1;
};
const found = [], cards = all(".card"), sheet = document.querySelector(".sheet");
press("Home");
for (let k = 0; k <= last; k++) {
  const labels = all(".sheet > .factor, .sheet > .reads");
  labels.forEach((label, i) => {
    const text = label.textContent;
    for (const card of cards) if (shared(label, card) > 2) found.push([k, text, "on a card"]);
    for (const other of labels.slice(i + 1)) if (shared(label, other) > 2) found.push([k, text, "on one"]);
    if (outside(label, sheet)) found.push([k, text, "outside"]);
  });
  for (const card of cards) {
    for (const part of all(".name math, .formula math, .size, .slot", card)) {
      if (outside(part, card)) found.push([k, card.textContent, "sticks out"]);
    }
  }
  press("ArrowRight");
}
return found;
"""
)


@pytest.mark.parametrize(("name", "detail"), BUILT_IN)
def test_nothing_in_the_graph_covers_anything_or_sticks_out(
    browser: Browser, pages: Pages, name: str, detail: Detail
) -> None:
    browser.open("about:blank")
    browser.open(f"{pages.of(built_in_snapshot(name, detail)).as_uri()}#step=0")
    assert browser.run(_COVERED) == []


_LANE = (
    _PRESS
    + """
const rect = item => item.getBoundingClientRect();
const along = (a, b, low, high) => Math.min(a[high], b[high]) - Math.max(a[low], b[low]);
const meet = (a, b) =>
  Math.min(along(rect(a), rect(b), "left", "right"), along(rect(a), rect(b), "top", "bottom")) > 0.5;
const within = (item, frame) => {
  const a = rect(item), b = rect(frame);
  return a.left > b.left - 1 && a.top > b.top - 1 && a.right < b.right + 1 && a.bottom < b.bottom + 1;
};
const found = [], sheet = document.querySelector(".sheet");
press("Home");
for (let k = 0; k <= last; k++) {
  const lanes = all(".lane").filter(lane => lane.offsetWidth), wrong = [];
  const tiles = lanes.flatMap(lane => all(".tile", lane));
  const things = [...tiles, ...lanes.flatMap(lane => all(".port", lane))];
  const slots = tiles.map(tile => tile.querySelector(".slot"));
  for (const lane of lanes) {
    if (!within(lane, sheet)) wrong.push("outside");
    if (all(".card").some(card => meet(card, lane))) wrong.push("on a card");
    if (things.some(thing => !within(thing, lane))) wrong.push("out of the lane");
  }
  things.forEach((thing, i) => {
    if (things.slice(i + 1).some(other => meet(thing, other))) wrong.push("covered");
  });
  for (const tile of tiles) for (const part of all(".name math, .formula math, .size, .slot", tile)) {
    if (!within(part, tile)) wrong.push(tile.textContent + " sticks out");
  }
  const edges = lanes.flatMap(lane => all(".edge", lane));
  found.push({
    of: lanes.map(lane => Number(lane.dataset.of)),
    titles: slots.map(slot => slot.classList.contains("held") ? slot.title : null),
    now: tiles.map(tile => tile.classList.contains("now")),
    arrows: edges.map(edge => ["done", "now-f"].map(name => edge.classList.contains(name))),
    wrong,
  });
  press("ArrowRight");
}
return found;
"""
)


@pytest.mark.parametrize("name", ["batch", "univariate-regression", "perceptron-classifier"])
def test_an_update_is_drawn_below_the_graph_while_it_is_done(
    browser: Browser, pages: Pages, name: str
) -> None:
    snapshot = batch_snapshot() if name == "batch" else built_in_snapshot(name)
    browser.open("about:blank")
    browser.open(f"{pages.of(snapshot).as_uri()}#step=0")
    names = Frame.of(snapshot).statics.names
    for frame, shown in zip(
        walk(Frame.of(snapshot), 0, len(snapshot.trace.steps)), browser.run(_LANE), strict=True
    ):
        lane = lane_view(frame)
        assert shown["wrong"] == [], frame.position
        assert shown["of"] == ([] if lane is None else [names.index(lane.parameter)])
        if lane is None:
            continue
        cards = list(lane.cards.values())
        assert shown["now"] == [bool(card.phase) for card in cards]
        for card, title in zip(cards, shown["titles"], strict=True):
            assert (title is None) == (card.value is None), (frame.position, card.name)
            if card.value is not None and card.value.size == 1:
                assert float(title.replace("−", "-")) == float(card.value.reshape(())), card.name
        arrows = [a for a in lane.arrows if a.source or a.flow != "gradient"]
        assert shown["arrows"] == [[arrow.done, arrow.current] for arrow in arrows]


@pytest.mark.skipif(not which("pdftotext"), reason="pdftotext is not installed")
def test_a_print_shows_the_step_that_is_read(opened: Browser, tmp_path: Path) -> None:
    snapshot = built_in_snapshot(TWO_LAYERS)
    opened.press(*["Right"] * 11)
    (tmp_path / "page.pdf").write_bytes(opened.pdf())
    text = subprocess.run(
        ["pdftotext", str(tmp_path / "page.pdf"), "-"], capture_output=True, text=True, check=True
    ).stdout.replace("\n", " ")
    assert "Step 11 of 18, backward" in text
    assert "passes back through σ." in text
    assert "Play" not in text
    assert "is computed from" not in text
    assert snapshot.title in text
    assert background(opened) == LIGHT.window
