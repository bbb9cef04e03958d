"""Learners in front of a real Chromium, at a school whose lesson page has the SDK in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.conftest import PATIENCE_MS, chromium_without_windows
from tests.sdk.school import School, open_school

EYES_AND_HANDS = [
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",  # a camera that shows a test picture
]

# A busy Chromium was seen to give up on the very first film that it was to open.
FILM_IS_OPEN = "video.readyState >= 2 || (video.error && video.load(), false)"


@dataclass
class Learner:
    """Somebody with a lesson page open."""

    name: str
    page: Page
    school: School
    complaints: list[str] = field(default_factory=list)

    def state(self) -> str:
        return str(self.page.evaluate("sitting.state"))

    def session(self) -> str:
        return str(self.page.evaluate("sitting.session"))

    def enters(self, state: str = "open") -> Learner:
        self.page.wait_for_function("state => window.sitting?.state === state", arg=state)
        return self

    def watches(self, seconds: float) -> Learner:
        """Play that much content from here."""
        until = "async s => { const v = video, to = v.currentTime + s; await v.play(); "
        until += "while (v.currentTime < to) await new Promise(requestAnimationFrame); }"
        self.page.evaluate(until, seconds)
        return self

    def pauses(self) -> Learner:
        self.page.evaluate("video.pause()")
        return self

    def at(self) -> float:
        """Seconds of the film, where it stands."""
        return float(self.page.evaluate("video.currentTime"))

    def has_told_everything(self, within_s: float = 30) -> Learner:
        empty = "() => sitting.queue.length === 0"
        self.page.wait_for_function(empty, timeout=within_s * 1000)
        return self

    def leaves(self) -> dict[str, Any]:
        """The sitting as the service judged it after `stop()`."""
        session = self.session()
        self.page.evaluate("sitting.stop()")
        return self.school.judged(session)

    def told(self, name: str) -> list[Any]:
        """What the page was told under that name."""
        heard = self.page.evaluate("told")
        return [detail for what, detail in heard if what == name]


@pytest.fixture(scope="session")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    chromium_without_windows()  # else nobody would come to it
    with open_school(tmp_path_factory.mktemp("school")) as school:
        yield school


@pytest.fixture(scope="module")  # not longer: while Playwright is there, asyncio.run() is refused
def browser(school: School) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_without_windows(), args=EYES_AND_HANDS
        )
        page = browser.new_page()  # the first film it opens is nobody's lesson
        page.goto(f"{school.url}/film")
        page.wait_for_function(FILM_IS_OPEN, timeout=PATIENCE_MS)
        page.close()
        yield browser


@pytest.fixture
def study(browser: Browser, school: School) -> Iterator[Callable[..., Learner]]:
    """A learner opens the lesson. What a page's script complains of fails the test."""
    opened: list[tuple[BrowserContext, Learner]] = []

    def study(name: str = "", *, before: str = "", face: bool = False, **options: Any) -> Learner:
        name = name or school.enrol(face=face)
        context = browser.new_context(locale="zh-CN", permissions=["camera"] if face else [])
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        learner = Learner(name, page, school)
        page.on("pageerror", lambda error: learner.complaints.append(str(error)))
        if before:
            page.add_init_script(before)
        page.goto(school.lesson(name, **options))
        page.wait_for_function(FILM_IS_OPEN)
        opened.append((context, learner))
        return learner

    yield study
    for context, _ in opened:
        context.close()
    assert [it for _, learner in opened for it in learner.complaints] == []


__all__ = ["Learner", "expect"]
