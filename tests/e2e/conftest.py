"""A browser, and a service of its own for every test: a copy of one county made once.

Without a Chromium the tests are skipped and say so; with ZHENXUE_REQUIRE_BROWSER=1 they fail.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.e2e.site import PASSWORD, MovingClock, Site, serving, settle
from tests.machine import CHROMIUM, lacks

OFFICE_PC = {"width": 1366, "height": 768}
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 30_000  # nothing is that slow, however busy the machine
expect.set_options(timeout=PATIENCE_MS)
WITHOUT_WINDOWS = "chromium-headless-shell"


@dataclass
class Visitor:
    """Somebody in front of a browser."""

    page: Page
    site: Site
    complaints: list[str] = field(default_factory=list)  # of the pages' scripts
    abroad: list[str] = field(default_factory=list)  # requests that left the service

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("request", self._asked)

    def _heard(self, message: object) -> None:
        if message.type == "error" and "status of" not in message.text:  # type: ignore[attr-defined]
            self.complaints.append(message.text)  # type: ignore[attr-defined]

    def _asked(self, request: object) -> None:
        if not request.url.startswith((self.site.url, "data:", "blob:")):  # type: ignore[attr-defined]
            self.abroad.append(request.url)  # type: ignore[attr-defined]

    def open(self, path: str) -> Visitor:
        self.page.goto(self.site.url + path)
        return self

    def sign_in(self, username: str) -> Visitor:
        return self.open("/").sign_in_again(username)

    def sign_in_again(self, username: str) -> Visitor:
        """On the login page that one was led to."""
        self.page.get_by_label("用户名").fill(username)
        self.page.get_by_label("口令").fill(PASSWORD)
        self.page.get_by_role("button", name="登录").click()
        expect(self.page.get_by_role("button", name="退出")).to_be_visible()
        return self

    def follow(self, name: str | re.Pattern[str]) -> Visitor:
        """Click the first link of that name, which may lie in the bar's folded part."""
        folded = self.page.locator("details.further:not([open])")
        if folded.locator("a", has_text=name).count():
            folded.locator("summary").click()
        self.page.get_by_role("link", name=name).first.click()
        return self

    def press(self, *keys: str) -> Visitor:
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def row(self, text: str) -> Locator:
        """The list's row that speaks of this."""
        return self.page.locator("[data-row]").filter(has_text=text).first

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.locator("main")).to_contain_text(text)

    def does_not_see(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.locator("main")).not_to_contain_text(text)


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the county in it, made once for all test processes."""
    chromium_without_windows()  # else it would be made for nobody
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own
    folder = shared / "e2e-county"
    with (shared / "e2e-county.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            settle(folder, MovingClock())
            (folder / "complete").touch()
    return folder


@pytest.fixture
def site(settled: Path, tmp_path: Path) -> Iterator[Site]:
    folder = Path(shutil.copytree(settled, tmp_path / "county"))
    with serving(folder, MovingClock()) as site:
        yield site


@pytest.fixture(scope="module")  # not longer: while Playwright is there, asyncio.run() is refused
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=chromium_without_windows(), args=["--no-sandbox", "--disable-gpu"]
        )


def chromium_without_windows() -> str:
    """The same engine without the browser's own windows and menus, where it is installed: opening a
    page takes a fifth of the time."""
    return shutil.which(WITHOUT_WINDOWS) or found_chromium()


def found_chromium() -> str:
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    lacks(CHROMIUM)


@pytest.fixture
def visitor(chromium: Browser, site: Site) -> Iterator[Callable[..., Visitor]]:
    """More people, each with a browser of their own. No page's script may complain, and nothing
    may be loaded from elsewhere."""
    opened: list[tuple[BrowserContext, Visitor]] = []

    def visit(username: str = "", **options: object) -> Visitor:
        context = chromium.new_context(
            viewport=options.pop("viewport", OFFICE_PC),  # type: ignore[arg-type]
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            **options,  # type: ignore[arg-type]
        )
        context.set_default_timeout(PATIENCE_MS)
        somebody = Visitor(context.new_page(), site)
        opened.append((context, somebody))
        return somebody.sign_in(username) if username else somebody

    yield visit
    complaints = [it for _, somebody in opened for it in somebody.complaints]
    abroad = [it for _, somebody in opened for it in somebody.abroad]
    for context, _ in opened:
        context.close()
    assert complaints == []
    assert abroad == []
