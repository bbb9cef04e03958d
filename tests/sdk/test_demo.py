"""The demo's lesson page: a developer plays, ends, and finds the sitting in the console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from app.cli.demo import DemoFilling
from app.main import create_app
from app.sdk.demo import DemoPlatform
from app.services import open_services
from app.settings import Settings
from app.simulation.transport import UrllibClient
from app.vision.film import draw_film
from tests.e2e.conftest import found_chromium
from tests.e2e.test_accessibility import grave_issues
from tests.sdk.conftest import EYES_AND_HANDS, FILM_IS_OPEN
from tests.served import served

pytestmark = pytest.mark.browser


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[str]:
    """The demo's service and school; the film is as short as a test."""
    settings = Settings(data_dir=tmp_path, database_url="", blob_url="", face_workers=0)
    with open_services(settings):
        pass
    app = create_app(settings)
    with served(app) as url:
        key = DemoFilling(settings, url).school_key()
        film = tmp_path / "film.webm"
        school = DemoPlatform(UrllibClient(url), key, film, draw_film, film_s=3)
        app.include_router(school.router())
        yield url


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found_chromium(), args=EYES_AND_HANDS)
        yield browser.new_context(locale="zh-CN").new_page()
        browser.close()


def test_a_developer_studies_the_demo_lesson(demo: str, page: Page) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda it: complaints.append(it.text) if it.type == "error" else None)
    page.goto(f"{demo}/demo/lesson")
    page.wait_for_function(FILM_IS_OPEN)
    expect(page.locator("#state")).to_have_text("open")
    page.evaluate("document.getElementById('video').play()")
    page.wait_for_function("() => document.getElementById('video').ended")
    page.get_by_role("button", name="结束学习").click()
    expect(page.locator("#verdict")).to_have_text("not_proven")
    expect(page.locator("#credited")).to_contain_text("0:00–0:0")
    link = page.get_by_role("link", name=re.compile("控制台"))
    expect(link).to_have_attribute("href", re.compile(r"/console/sessions/\d+"))
    assert complaints == []


@pytest.mark.thorough
def test_its_pages_and_dialogs_are_for_everyone(demo: str, page: Page) -> None:
    page = page.context.browser.new_context(locale="zh-CN", bypass_csp=True).new_page()
    page.goto(f"{demo}/demo/lesson?learner=jia")
    expect(page.get_by_role("dialog", name="需要使用摄像头")).to_be_visible()
    assert grave_issues(page) == []
