"""Somebody at a real browser, or nobody: the hands and the absences of a recorded sitting."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.sdk.cdp import Chromium, Tab
from tests.sdk.school import School

LOOK_S = 0.1
PATIENCE_S = 60.0

NOW = """(() => {
  const w = %s, v = w.video ?? w.document.getElementById("video");
  const near = [...w.document.querySelectorAll("div")].flatMap((it) => it.shadowRoot ?? []);
  const dialog = near.flatMap((it) => [...it.querySelectorAll("dialog[open]")])[0];
  const button = dialog?.querySelector("button.first");
  const at = button?.getBoundingClientRect();
  const frame = w === window ? { x: 0, y: 0 } : w.frameElement.getBoundingClientRect();
  return {
    state: w.sitting?.state ?? null, position: v?.currentTime ?? null, paused: v?.paused ?? null,
    ended: v?.ended ?? null,
    dialog: dialog?.getAttribute("aria-label") ?? null, queue: w.sitting?.queue.length ?? 0,
    x: at ? frame.x + at.x + at.width / 2 : null, y: at ? frame.y + at.y + at.height / 2 : null,
  };
})()"""
POPUP = "请确认您正在学习"


@dataclass
class Desk:
    """One learner's browser. `acts` are what was done there: (server milliseconds, what)."""

    school: School
    browser: Chromium
    learner: str
    framed: bool = False
    acts: list[tuple[int, str]] = field(default_factory=list)
    seen: list[tuple[int, str]] = field(default_factory=list)
    tab: Tab = field(init=False)
    met: int = 0

    def did(self, what: str) -> None:
        self.acts.append((self.school.clock(), what))

    def sits_down(self, **options: Any) -> Desk:
        """Open the lesson page and wait until its sitting is open."""
        self.did("open")
        url = self.school.lesson(self.learner, **options)
        if self.framed:
            url = url.replace("/study?", "/framed?")
        self.tab = self.browser.open(quote(url, safe=":/?=&"))
        self.tab.to_front()
        return self.enters()

    def enters(self, state: str = "open") -> Desk:
        self.until(lambda now: now["state"] == state)
        return self

    @property
    def window(self) -> str:
        return "window.frames[0]" if self.framed else "window"

    def now(self) -> dict[str, Any]:
        now: dict[str, Any] = self.tab.evaluate(NOW % self.window)
        return now

    def until(self, true: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        ends = time.monotonic() + PATIENCE_S
        while not true(now := self._looked()):
            assert time.monotonic() < ends, now
            time.sleep(LOOK_S)
        return now

    def _looked(self) -> dict[str, Any]:
        try:
            return self.now()
        except AssertionError:  # the page is just being loaded
            return dict.fromkeys(("state", "position", "paused", "ended", "dialog", "queue"))

    def plays(self) -> Desk:
        self.did("play")
        self.tab.evaluate(f"void ({self.window}.document.getElementById('video').play())")
        return self

    def pauses(self) -> Desk:
        self.did("pause")
        self.tab.evaluate(f"void ({self.window}.document.getElementById('video').pause())")
        return self

    def does(self, what: str, script: str) -> Desk:
        self.did(what)
        self.tab.evaluate(script)
        return self

    def presses(self, now: dict[str, Any], what: str = "press") -> None:
        """A click of the hand on the dialog's first button."""
        self.did(what)
        for kind in ("mousePressed", "mouseReleased"):
            at = {"x": now["x"], "y": now["y"], "button": "left", "clickCount": 1}
            self.tab.call("Input.dispatchMouseEvent", type=kind, **at)

    def stays(self, seconds: float, after_s: Callable[[int], float] | None = None) -> Desk:
        """Watch for that long, or to the end of the film.

        The n-th pop-up (from 1) is answered `after_s(n)` seconds after it was seen; without
        `after_s` nobody is there. Somebody who is there presses play when the film stands still
        and nothing is in its way, and what a page that was stopped offers.
        """
        ends = time.monotonic() + seconds
        open_since: float | None = None
        while time.monotonic() < ends:
            now = self._looked()
            moment = time.monotonic()
            if now["ended"]:
                break
            if now["dialog"] == POPUP and after_s is not None:
                if open_since is None:
                    open_since, self.met = moment, self.met + 1
                    self.did("sees popup")
                elif moment - open_since >= after_s(self.met):
                    self.presses(now, "answer")
                    open_since = None
                    time.sleep(0.3)
            else:
                open_since = None
                if after_s is not None and now["dialog"] and now["x"]:
                    self.presses(now, "again")
                    time.sleep(0.5)
                elif after_s is not None and now["state"] == "open" and now["paused"]:
                    self.plays()
            time.sleep(LOOK_S)
        return self

    def stays_until_popup(self) -> Desk:
        """Watch until the first pop-up is on the screen."""
        ends = time.monotonic() + 400
        while self._looked()["dialog"] != POPUP:
            assert time.monotonic() < ends, "no pop-up came"
            time.sleep(LOOK_S)
        self.met += 1
        self.did("sees popup")
        return self

    def has_told_everything(self) -> Desk:
        self.until(lambda now: now["queue"] == 0)
        return self

    def leaves(self) -> None:
        self.did("leave")
        self.tab.evaluate(f"{self.window}.sitting.stop()")
        time.sleep(0.5)

    def network(self, online: bool) -> Desk:
        self.did("online" if online else "offline")
        self.tab.call("Network.enable")
        self.tab.call(
            "Network.emulateNetworkConditions",
            offline=not online,
            latency=0,
            downloadThroughput=-1,
            uploadThroughput=-1,
        )
        return self
