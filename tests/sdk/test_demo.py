"""The demo's lesson page: a developer plays, ends, and finds the sitting in the console."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
TELEPHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}


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
        yield browser.new_context(locale="zh-CN", **TELEPHONE).new_page()
        browser.close()


def test_a_developer_studies_the_demo_lesson(demo: str, page: Page) -> None:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda it: complaints.append(it.text) if it.type == "error" else None)
    page.goto(f"{demo}/demo/lesson")
    page.wait_for_function(FILM_IS_OPEN)
    expect(page.locator("#state")).to_have_text("可以学习，点播放")
    page.evaluate("document.getElementById('video').play()")
    page.wait_for_function("() => document.getElementById('video').ended")
    expect(page.locator("#counted")).to_have_text(re.compile("0分0[1-9]秒"))
    expect(page.locator("#next")).to_have_text(re.compile(r"再学4分\d\d秒以内"))
    page.get_by_role("button", name="结束学习").click()
    expect(page.locator("#verdict")).to_contain_text("不是认定您违规")
    expect(page.locator("#credited")).to_have_text(re.compile("计入学时0分0[1-9]秒"))
    expect(page.locator("#reasons li").first).to_contain_text(re.compile("[\u4e00-\u9fff]"))
    assert "{" not in page.locator("main").inner_text()
    page.get_by_text("演示设置与开发人员的记录").click()
    link = page.get_by_role("link", name=re.compile("控制台"))
    expect(link).to_have_attribute("href", re.compile(r"/console/sessions/\d+"))
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= TELEPHONE["viewport"]["width"]
    assert complaints == []


@pytest.mark.thorough
def test_its_pages_and_dialogs_are_for_everyone(demo: str, page: Page) -> None:
    page = page.context.browser.new_context(locale="zh-CN", bypass_csp=True).new_page()
    page.goto(f"{demo}/demo/lesson?learner=jia")
    expect(page.get_by_role("dialog", name="需要使用摄像头")).to_be_visible()
    assert grave_issues(page) == []
