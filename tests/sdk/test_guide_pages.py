"""The pages of the guide for the web, taken out of it and studied in with Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Body, Cookie, FastAPI, Header, Response
from playwright.sync_api import Browser, Frame, Page

from tests.e2e.conftest import PATIENCE_MS
from tests.machine import NODE, Part, lacks
from tests.sdk.school import School, class_of
from tests.sdk.test_playing import NEAR_S, credited_s
from tests.served import served
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.thorough]
GUIDE = Path(__file__).parents[2] / "docs" / "connect-web.md"
SOURCES = Path(__file__).parent / "pages"
PACKAGES = Part("Vue, React and players", "npm ci --prefix tests/sdk/pages", "ZHENXUE_REQUIRE_NODE")
TYPES = {".html": "text/html", ".js": "text/javascript"}

# What the page was told last: of the first answer, where nobody looked in between.
OPENED = (
    """() => ["open", "answered"].includes(document.querySelector("#state, .state").textContent)"""
)
WATCH = """async s => {
  const v = document.querySelector("video"), to = v.currentTime + s;
  v.muted = true;
  await v.play();
  while (v.currentTime < to) await new Promise(requestAnimationFrame);
  v.pause();
  return v.currentTime;
}"""
# A busy Chromium was seen to give up on the very first film that it was to open.
FILM_IS_OPEN = """() => {
  const v = document.querySelector("video");
  return v.readyState >= 2 || (v.error && v.load(), false);
}"""


def block(name: str) -> str:
    """The guide's block whose first line names that file."""
    found = re.findall(r"^```\w+\n(.*?)^```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    (one,) = [it for it in found if name in it.splitlines()[0]]
    return str(one)


@dataclass
class Platform:
    """A platform's server: it knows who is signed in by a cookie, or by what a portal vouches."""

    school: School
    folder: Path
    opened: list[str] = field(default_factory=list)
    url: str = ""

    def app(self) -> FastAPI:
        app = FastAPI()
        app.post("/study/lease")(self.lease)
        app.get("/{name:path}")(self.page)
        return app

    def lease(
        self,
        terms: Annotated[dict[str, Any], Body()],
        learner: Annotated[str, Cookie()] = "",
        authorization: Annotated[str, Header()] = "",
    ) -> Response:
        api, name = self.school.api, authorization.removeprefix("Bearer ") or learner
        answer = api.client.request(
            "POST",
            "/v1/sessions",
            content=json.dumps({**terms, "learner_id": name, "class_id": class_of(name)}).encode(),
            headers={"authorization": f"Bearer {api.key}", "content-type": "application/json"},
        )
        if answer.status_code == 201:
            self.opened.append(json.loads(answer.content)["session_id"])
        return Response(answer.content, answer.status_code, media_type="application/json")

    def page(self, name: str) -> Response:
        path = self.folder / name
        if not path.is_file():
            return Response(status_code=204)
        return Response(path.read_bytes(), media_type=TYPES.get(path.suffix))

    def puts(self, name: str, text: str, **hosts: str) -> None:
        """A page, with the addresses that hold here."""
        text = text.replace("https://zhenxue.example", self.school.service)
        for host, address in hosts.items():
            text = text.replace(f"https://{host}.example", address)
        (self.folder / name).write_text(text.replace("/l1.mp4", "/l1.webm"), "utf-8")

    def sittings(self) -> list[dict[str, Any]]:
        return [self.school.judged(it) for it in dict.fromkeys(self.opened)]


@pytest.fixture
def platform(school: School, tmp_path: Path) -> Iterator[Platform]:
    films = tmp_path / "films"
    films.mkdir()
    shutil.copy(school.film, films / "l1.webm")
    platform = Platform(school, tmp_path)
    with served(platform.app()) as platform.url:
        yield platform


@pytest.fixture
def page(browser: Browser, platform: Platform, school: School) -> Iterator[Page]:
    """A learner's, signed in with the platform. What a script complains of fails the test."""
    complaints: list[str] = []
    context = browser.new_context(locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    cookie = {"name": "learner", "value": school.enrol(), "url": platform.url}
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def watches(page: Page | Frame, seconds: float) -> float:
    """Seconds of the film, where it stands then."""
    page.wait_for_function(FILM_IS_OPEN)
    return float(page.evaluate(WATCH, seconds))


def found(sitting: dict[str, Any]) -> set[str]:
    return {it["rule"] for it in sitting["verdict"]["findings"]} - {"face_liveness"}  # no consent


def test_the_plain_page_is_credited_what_was_played(page: Page, platform: Platform) -> None:
    platform.puts("lesson.html", block("lesson.html"))
    page.goto(f"{platform.url}/lesson.html")
    page.wait_for_function(OPENED)
    seen_s = watches(page, 2)
    page.goto("about:blank")  # left without a word: only the lease ends it
    (session,) = platform.opened

    def told() -> bool:
        return "pause" in [kind for _, kind in platform.school.events(session)]

    assert eventually(told)
    platform.school.api.call("POST", f"/v1/sessions/{session}/close", {"reason": "test"})
    (sitting,) = platform.sittings()
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert found(sitting) == set()


@pytest.fixture
def built(platform: Platform) -> Platform:
    """Vue's and React's pages, as their builder makes them."""
    if shutil.which("npm") is None:
        lacks(NODE)
    if not (SOURCES / "node_modules").is_dir():
        lacks(PACKAGES)
    folder = platform.folder
    for source in SOURCES.iterdir():
        if source.is_file():
            shutil.copy(source, folder)
    (folder / "node_modules").symlink_to(SOURCES / "node_modules")
    for name in ("Lesson.vue", "Lesson.jsx"):
        platform.puts(name, block(name))
    done = subprocess.run(
        ["npm", "run", "build"], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copytree(folder / "films", folder / "dist" / "films")
    platform.folder = folder / "dist"
    return platform


@pytest.mark.parametrize("framework", ["vue", "react"])
def test_a_component_opens_a_sitting_a_lesson_and_ends_it_when_it_goes(
    built: Platform, page: Page, framework: str
) -> None:
    page.goto(f"{built.url}/{framework}.html")
    page.wait_for_function(OPENED)
    seen = [watches(page, 2)]
    page.evaluate("go('l2')")
    assert eventually(lambda: len(dict.fromkeys(built.opened)) == 2)
    page.wait_for_function(OPENED)
    seen.append(watches(page, 1))
    page.evaluate("go('')")
    sittings = built.sittings()
    assert [it["lesson_id"] for it in sittings] == ["l1", "l2"]
    assert [it["state"] for it in sittings] == ["closed", "closed"]
    for sitting, seen_s in zip(sittings, seen, strict=True):
        assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
        assert found(sitting) == set()


def test_a_frame_of_another_site_studies_with_the_portals_sign_in_focused_or_not(
    page: Page, platform: Platform
) -> None:
    learner = platform.school.enrol()
    course = platform.url
    portal = course.replace("127.0.0.1", "localhost")  # another site to a browser
    hosts = {"course": course, "portal": portal}
    vouched = block("portal.html").replace("门户签发的一次性凭据", learner)
    platform.puts("portal.html", vouched, **hosts)
    platform.puts("framed.html", block("framed.html"), **hosts)
    page.goto(f"{portal}/portal.html")
    page.wait_for_function(OPENED)
    frame = page.frames[1]
    page.get_by_role("heading", name="门户").click()
    watches(frame, 2)
    assert frame.evaluate("document.hasFocus()") is False
    frame.locator("video").click()
    frame.wait_for_function("() => document.hasFocus()")
    seen_s = watches(frame, 1)
    page.get_by_role("heading", name="门户").click()
    frame.wait_for_function("() => !document.hasFocus()")
    seen_s = max(seen_s, watches(frame, 1))
    frame.evaluate("sitting.stop()")
    (sitting,) = platform.sittings()
    assert sitting["learner_id"] == learner
    kinds = [kind for _, kind in platform.school.events(sitting["session_id"])]
    assert kinds.count("focus") == 2
    assert credited_s(sitting) == pytest.approx(seen_s, abs=2 * NEAR_S)
    assert found(sitting) == set()
