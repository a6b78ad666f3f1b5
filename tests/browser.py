"""A browser for tests: Chromium, driven through its ChromeDriver by the WebDriver protocol: HTTP and JSON.

See https://www.w3.org/TR/webdriver2/. Nothing but the standard library is needed.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))
MISSING = "" if CHROMIUM and DRIVER else "Chromium and its ChromeDriver are not installed"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--mute-audio"),
    *("--hide-scrollbars", "--force-color-profile=srgb", "--disable-dev-shm-usage"),
)
KEYS = {"Right": "\ue014", "Left": "\ue012", "Home": "\ue011", "End": "\ue010", "Space": " ", "Tab": "\ue004"}
KEYS |= {
    "Shift": "\ue008",
    "Ctrl": "\ue009",
    "PgDn": "\ue00f",
    "PgUp": "\ue00e",
    "Enter": "\ue007",
    "Esc": "\ue00c",
}


class Browser:
    """One window of a headless Chromium, with a profile of its own that goes with it."""

    def __init__(self) -> None:
        assert CHROMIUM
        assert DRIVER
        self._profile = tempfile.TemporaryDirectory(prefix="backstep-chromium-")
        self._driver = subprocess.Popen(
            [DRIVER, "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # so that it goes with all that it started, whatever happens
        )
        self._port = self._listening()
        flags = [*FLAGS, f"--user-data-dir={self._profile.name}"]
        options = {"binary": CHROMIUM, "args": flags}
        wanted = {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        session = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{session['sessionId']}"

    def _listening(self) -> int:
        assert self._driver.stdout is not None
        for line in self._driver.stdout:
            if found := re.search(r"success.* on port (\d+)", line):
                return int(found[1])
        raise RuntimeError("ChromeDriver did not start")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._ask("DELETE", self._session)
        finally:
            os.killpg(self._driver.pid, signal.SIGKILL)
            self._driver.wait(10)
            if self._driver.stdout is not None:
                self._driver.stdout.close()
            self._profile.cleanup()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, path, data, {"Content-Type": "application/json"})
            answer = json.loads(connection.getresponse().read())["value"]
        finally:
            connection.close()
        if isinstance(answer, dict) and "error" in answer:
            raise AssertionError(f"{answer['error']}: {answer['message']}")
        return answer

    def _command(self, path: str, body: Any = None) -> Any:
        return self._ask("POST", f"{self._session}/{path}", body or {})

    # --- what a reader does ---

    def open(self, page: Path | str) -> None:
        """Open a file, or an address."""
        self._command("url", {"url": page.as_uri() if isinstance(page, Path) else page})

    def press(self, *keys: str) -> None:
        """Press keys one after the other: ``"Right"``, ``"Shift+Right"``, ``"f"``."""
        actions = []
        for chord in keys:
            held = [KEYS.get(key, key) for key in (chord.split("+") if len(chord) > 1 else [chord])]
            actions += [{"type": "keyDown", "value": key} for key in held]
            actions += [{"type": "keyUp", "value": key} for key in reversed(held)]
        self._command("actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def click(self, selector: str) -> None:
        """Click the first element that a selector finds, as a mouse does."""
        element = self._command("element", {"using": "css selector", "value": selector})
        self._command(f"element/{next(iter(element.values()))}/click")

    # --- what a reader sees ---

    def run(self, script: str, *arguments: Any) -> Any:
        """Return what a script's ``return`` gives, or its promise."""
        return self._command("execute/sync", {"script": script, "args": list(arguments)})

    def screenshot(self) -> bytes:
        """Return what is seen, as PNG."""
        return base64.b64decode(self._ask("GET", f"{self._session}/screenshot"))

    def pdf(self, **options: Any) -> bytes:
        """Return the page as it is printed."""
        return base64.b64decode(self._command("print", options))

    def log(self, kind: str) -> Sequence[dict[str, Any]]:
        """Return what has been logged since the last call: of "browser" messages, of "performance" events."""
        return self._command("se/log", {"type": kind})

    def devtools(self, command: str, **parameters: Any) -> Any:
        """Send a command of the DevTools protocol."""
        return self._command("goog/cdp/execute", {"cmd": command, "params": parameters})

    def resize(self, width: int, height: int, *, phone: bool = False, scale: float = 1.0) -> None:
        """Make the page so wide and high, on a phone with a touch screen where `phone` says so."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=phone,
        )

    def prefer(self, **features: str) -> None:
        """Set what the reader's system asks for: ``color_scheme="dark"``, ``reduced_motion="reduce"``."""
        named = [
            {"name": f"prefers-{key.replace('_', '-')}", "value": value} for key, value in features.items()
        ]
        self.devtools("Emulation.setEmulatedMedia", features=named)
