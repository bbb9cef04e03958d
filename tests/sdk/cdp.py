"""A Chromium that is spoken to over a pipe, in which a tab behind another one is really hidden.

Playwright's pages never are: it pretends that each of them is in front.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.e2e.conftest import found_chromium

PATIENCE_S = 60.0
# The browser reads commands on descriptor 3 and answers on 4.
LAUNCH = """
import os, sys
os.dup2(int(sys.argv[1]), 3), os.dup2(int(sys.argv[2]), 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


class Navigated(Exception):
    """The page was left while it was asked."""


class Chromium:
    """One browser window; `Tab`s lie behind each other in it."""

    def __init__(self, to: int, of: int) -> None:
        self._to = os.fdopen(to, "wb", buffering=0)
        self._of = os.fdopen(of, "rb")
        self._calls = 0
        self._rest = b""

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        self._calls += 1
        asked: dict[str, Any] = {"id": self._calls, "method": method, "params": parameters}
        if session:
            asked["sessionId"] = session
        self._to.write(json.dumps(asked).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == self._calls:
                if "navigated" in told.get("error", {}).get("message", ""):
                    raise Navigated(method)
                assert "error" not in told, (method, told["error"])
                result: dict[str, Any] = told["result"]
                return result

    def open(self, url: str) -> Tab:
        """A new tab, in front of all others."""
        return self._attached(self.call("Target.createTarget", url=url)["targetId"])

    def opened_by(self, tab: Tab) -> Tab:
        """The tab that a page opened."""
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            for it in self.call("Target.getTargets")["targetInfos"]:
                if it.get("openerId") == tab.target:
                    return self._attached(it["targetId"])
            time.sleep(0.05)
        raise AssertionError("it opened none")

    def _attached(self, target: str) -> Tab:
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        return Tab(self, target, session)

    def close(self) -> None:
        self._to.close()
        self._of.close()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self._of.fileno(), 1 << 16)
            assert read, "the browser is gone"
            self._rest += read
        line, _, self._rest = self._rest.partition(b"\0")
        told: dict[str, Any] = json.loads(line)
        return told


class Tab:
    def __init__(self, chromium: Chromium, target: str, session: str) -> None:
        self._chromium = chromium
        self.target = target
        self._session = session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._chromium.call(method, self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression; of a promise, what it comes to."""
        told = self.call(
            "Runtime.evaluate",
            expression=expression,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def until(self, condition: str) -> None:
        """Also across a change of the page."""
        ends = time.monotonic() + PATIENCE_S
        while not self._now(condition):
            assert time.monotonic() < ends, f"never came true: {condition}"
            time.sleep(0.05)

    def _now(self, condition: str) -> bool:
        try:
            return bool(self.evaluate(condition))
        except Navigated:
            return False

    def to_front(self) -> None:
        self._chromium.call("Target.activateTarget", targetId=self.target)


@contextmanager
def chromium(profile: Path, *arguments: str) -> Iterator[Chromium]:
    from_us, to_browser = os.pipe()
    of_browser, from_browser = os.pipe()
    command = [
        found_chromium(),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--autoplay-policy=no-user-gesture-required",
        "--remote-debugging-pipe",
        f"--user-data-dir={profile}",
        *arguments,
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", LAUNCH, str(from_us), str(from_browser), *command],
        pass_fds=(from_us, from_browser),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(from_us)
    os.close(from_browser)
    browser = Chromium(to_browser, of_browser)
    try:
        yield browser
        browser.call("Browser.close")
    finally:
        browser.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
