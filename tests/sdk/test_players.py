"""Players that platforms really use, from npm, and real streams, studied in with Chromium."""

from __future__ import annotations

import mimetypes
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Route
from starlette.staticfiles import StaticFiles

from tests.e2e.conftest import PATIENCE_MS
from tests.machine import lacks
from tests.sdk.school import FILM_S, School
from tests.sdk.streams import write_streams
from tests.sdk.test_guide_pages import PACKAGES, SOURCES, Platform, found
from tests.sdk.test_playing import NEAR_S, credited_s
from tests.served import served

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

NAMES = re.findall(
    r'^  async "?([\w.-]+)"?\(box', (SOURCES / "players.js").read_text("utf-8"), re.M
)
BY_MEDIA_SOURCE = {"hls.js", "shaka-player", "video.js", "Artplayer"}  # DPlayer: Chromium's own HLS
OWN_KINDS = {".m3u8": "application/vnd.apple.mpegurl", ".mpd": "application/dash+xml"}

# The element may be another one at each frame.
WATCH = """async s => {
  await video().play();
  const to = video().currentTime + s;
  while (!(video()?.currentTime >= to)) await new Promise(requestAnimationFrame);
}"""
GOES_ON = "at => video()?.currentTime > at && !video().paused && !video().seeking"


class Students(Platform):
    def app(self) -> FastAPI:
        app = FastAPI()
        for suffix, kind in OWN_KINDS.items():
            mimetypes.add_type(kind, suffix)
        app.mount("/films", StaticFiles(directory=self.folder / "films"))
        app.mount("/node_modules", StaticFiles(directory=SOURCES / "node_modules"))
        app.mount("/", super().app())
        return app


@pytest.fixture(scope="session")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streams")
    for name in ("l1", "l2"):
        (folder / name).mkdir()
        write_streams(folder / name, FILM_S)
    return folder


@pytest.fixture
def platform(school: School, streams: Path, tmp_path: Path) -> Iterator[Students]:
    if not (SOURCES / "node_modules").is_dir():
        lacks(PACKAGES)
    platform = Students(school, tmp_path)
    (tmp_path / "films").symlink_to(streams)
    platform.puts("players.html", (SOURCES / "players.html").read_text("utf-8"))
    shutil.copy(SOURCES / "players.js", tmp_path)
    with served(platform.app()) as platform.url:
        yield platform


class Student:
    """Somebody in front of one of the players."""

    def __init__(self, page: Page, platform: Students, name: str) -> None:
        self.page, self.platform, self.name = page, platform, name

    def opens(self, lesson: str = "l1") -> Student:
        self.page.evaluate("lesson => begin(lesson)", lesson)
        return self

    def has_the_player(self, lesson: str = "l1") -> Student:
        self.page.evaluate("([name, lesson]) => void bring(name, lesson)", [self.name, lesson])
        self.page.wait_for_function("() => window.player && video()?.readyState >= 1")
        return self

    def is_in(self) -> Student:
        self.page.wait_for_function("() => sitting.state === 'open'")
        return self

    def does(self, what: str, *more: Any) -> Student:
        self.page.evaluate(f"async more => {{ await player.{what}(...more); }}", list(more))
        return self

    def watches(self, seconds: float) -> Student:
        self.page.evaluate(WATCH, seconds)
        return self

    def pauses(self) -> Student:
        self.page.evaluate("video().pause()")
        return self

    def at(self) -> float:
        return float(self.page.evaluate("video().currentTime"))

    def leaves(self) -> dict[str, Any]:
        self.page.evaluate("sitting.stop()")
        return self.platform.sittings()[-1]


@pytest.fixture
def study(
    browser: Browser, platform: Students, school: School
) -> Iterator[Callable[[str], Student]]:
    """What the SDK's scripts complain of fails the test; nothing is asked of any maker's server."""
    complaints: list[str] = []
    context = browser.new_context(locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    context.add_cookies([{"name": "learner", "value": school.enrol(), "url": platform.url}])
    here = (platform.url, school.service)

    def elsewhere(route: Route) -> None:
        route.continue_() if route.request.url.startswith(here) else route.abort()

    context.route(re.compile("^https?:"), elsewhere)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(error.stack or str(error)))
    page.goto(f"{platform.url}/players.html")
    page.wait_for_function("() => window.begin")
    yield lambda name: Student(page, platform, name)
    context.close()
    assert [it for it in complaints if "/sdk/v1/" in it] == []


@pytest.mark.parametrize("name", NAMES)
def test_what_a_player_played_is_credited_whatever_it_does_to_its_element(
    study: Callable[[str], Student], name: str
) -> None:
    """Another quality in the middle, full screen, a stretch seen twice, half as fast again."""
    lin = study(name).opens().has_the_player().is_in().watches(2)
    if name in BY_MEDIA_SOURCE:
        assert lin.page.evaluate("video().currentSrc").startswith("blob:")
    if lin.page.evaluate("!!player.quality"):
        left_at_s = lin.at()
        lin.page.evaluate("void player.quality()")
        lin.page.wait_for_function(GOES_ON, arg=left_at_s + 0.5)
    lin.watches(1.5)
    lin.page.mouse.click(2, 2)
    lin.does("fullscreen")
    lin.page.wait_for_function("() => document.fullscreenElement")
    lin.watches(1.5)
    lin.page.evaluate("document.exitFullscreen()")
    lin.does("rate", 1.5).watches(1.5).does("rate", 1)
    seen_s = lin.pauses().at()
    lin.does("seek", 1).watches(1).pauses()
    sitting = lin.leaves()
    assert seen_s - 0.5 - NEAR_S <= credited_s(sitting) <= seen_s + NEAR_S  # speed earns nothing
    assert found(sitting) == set()
    kinds = [kind for _, kind in lin.platform.school.events(sitting["session_id"])]
    assert kinds.count("seek") == 1
    assert kinds.count("rate") >= 2


@pytest.mark.parametrize(
    ("name", "first"),
    [*((it, "film") for it in NAMES), ("hls.js", "lesson"), ("DPlayer", "lesson")],
)
def test_the_next_lesson_in_the_same_player_is_a_sitting_of_its_own(
    study: Callable[[str], Student], name: str, first: str
) -> None:
    """Nobody calls `stop()`; and a page may bring the film before or after it begins the lesson."""
    lin = study(name).has_the_player().opens().is_in().watches(2)
    seen = [lin.at()]
    if first == "lesson":
        lin.page.evaluate("begin('l2'); void player.next('/films/l2')")
    else:
        lin.page.evaluate("void player.next('/films/l2'); begin('l2')")
    lin.page.wait_for_function("() => video()?.readyState >= 1 && video().currentTime < 1")
    seen.append(lin.is_in().watches(1.5).pauses().at())
    lin.leaves()
    one, other = lin.platform.sittings()
    assert (one["lesson_id"], other["lesson_id"]) == ("l1", "l2")
    for sitting, seen_s in zip((one, other), seen, strict=True):
        assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
        assert found(sitting) == set()
    (start, *_), *_ = sorted(other["credited"])
    assert start < 1000 * NEAR_S


@pytest.mark.parametrize("name", NAMES)
def test_a_player_that_is_destroyed_and_made_anew_goes_on_in_the_same_sitting(
    study: Callable[[str], Student], name: str
) -> None:
    lin = study(name).opens().has_the_player().is_in().watches(2)
    left_at_s = lin.at()
    lin.page.evaluate("void video().play()")
    lin.does("destroy")
    lin.page.wait_for_timeout(1000)
    lin.page.evaluate("delete window.player")
    lin.has_the_player().does("seek", left_at_s)
    seen_s = lin.watches(1.5).pauses().at()
    sitting = lin.leaves()
    assert len(lin.platform.sittings()) == 1
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()
