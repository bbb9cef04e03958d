"""A learner enrols five photos on a phone: an artificial face that does as it is asked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait_pixels
from tests.e2e.conftest import PATIENCE_MS, found_chromium
from tests.sdk.conftest import EYES_AND_HANDS
from tests.sdk.school import School

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FACE = PORTRAIT_SEEDS[0]
PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL_PHONE: ViewportSize = {"width": 320, "height": 640}
SIZE = (480, 640)  # a phone held upright
FPS = 5
# Who is to be photographed counts to three in an instant.
IN_HASTE = """
  const later = window.setTimeout;
  window.setTimeout = (run, ms, ...more) => later(run, ms === 1_000 ? 50 : ms, ...more);
"""
SCREENSHOTS = os.environ.get("ZHENXUE_SCREENSHOTS")  # a folder, to look at every state

ASKED: dict[str, dict[str, Any]] = {
    "请正对镜头": {"noise_seed": 7},
    "自己的左边": {"noise_seed": 2, "pose": 0.4},
    "自己的右边": {"noise_seed": 3, "pose": -0.4},
    "请再靠近一点": {"noise_seed": 4, "nearer": 1.3},
    "请换个方向": {"noise_seed": 5, "light": 0.7},
}


def play(film: Path, *, nearer: float = 1.0, **look: Any) -> None:
    """The camera sees a face that holds still."""
    width, height = SIZE
    looks = {"pose": 0.0, "light": 1.0, "mouth_open": 0.0, "eyes_open": 1.0, "noise_seed": 0}
    picture = portrait_pixels(FACE, size=SIZE, **{**looks, **look})
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 0, nearer * 0.75)
    picture = np.asarray(
        cv2.warpAffine(picture, matrix, SIZE, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
    frame = b"FRAME\n" + cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).tobytes()
    head = f"YUV4MPEG2 W{width} H{height} F{FPS}:1 Ip A1:1 C420jpeg\n".encode()
    film.write_bytes(head + frame * 3)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("camera") / "camera.y4m"


@pytest.fixture
def camera(film: Path) -> Path:
    play(film)
    return film


@pytest.fixture(scope="module")
def phone(film: Path) -> Iterator[Browser]:
    seen = f"--use-file-for-fake-video-capture={film}"
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=found_chromium(), args=[*EYES_AND_HANDS, seen]
        )


@pytest.fixture
def browser(phone: Browser, camera: Path) -> Iterator[Browser]:
    yield phone
    for context in phone.contexts:
        context.close()


def opened(browser: Browser, school: School, viewport: ViewportSize, **context: Any) -> Page:
    """The enrolment page on a phone, by a new learner's link."""
    name = school.enrol(face=True)
    link = school.api.call("POST", f"/v1/learners/{name}/enrolment")
    page = browser.new_context(
        viewport=viewport,
        locale="zh-CN",
        **{"permissions": ["camera"], **context},
    ).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.add_init_script(IN_HASTE)
    page.goto(link["url"])
    return page


def picture_of(page: Page, name: str) -> None:
    if SCREENSHOTS:
        width = (page.viewport_size or PHONE)["width"]
        page.screenshot(path=f"{SCREENSHOTS}/{width}-{name}.png")


def fits(page: Page) -> bool:
    """Nothing reaches over the edge, and what must be pressed is in sight."""
    return bool(
        page.evaluate(
            "document.documentElement.scrollWidth <= innerWidth && [...document.querySelector("
            "'main > div').shadowRoot.querySelectorAll('button')].every(it => "
            "it.getBoundingClientRect().bottom <= innerHeight)"
        )
    )


@pytest.mark.thorough
def test_five_photos_are_enrolled_on_a_phone(
    school: School, browser: Browser, camera: Path
) -> None:
    page = opened(browser, school, PHONE)
    assert "token" not in page.url
    expect(page.get_by_role("button", name="开始拍照")).to_be_focused()
    picture_of(page, "0-intro")
    page.keyboard.press("Enter")
    told = page.get_by_role("status").first
    for n, (words, look) in enumerate(ASKED.items(), 1):
        expect(told).to_contain_text(words)
        play(camera, **look)
        _reopened(page)
        assert fits(page)
        picture_of(page, f"{n}-asks")
        page.get_by_role("button", name="拍照").click()
        expect(told).to_contain_text(f"已登记{n}张")
        picture_of(page, f"{n}-good")
    expect(page.get_by_text("照片齐了")).to_be_visible()
    picture_of(page, "6-end")
    page.get_by_role("button", name="完成").click()
    expect(told).to_contain_text("可以关闭本页")


@pytest.mark.thorough
def test_what_was_wrong_is_told_and_a_step_can_be_left_out(
    school: School, browser: Browser, camera: Path
) -> None:
    page = opened(browser, school, SMALL_PHONE)
    page.get_by_role("button", name="开始拍照").click()
    page.get_by_role("button", name="拍照").click()
    told = page.get_by_role("status").first
    expect(told).to_contain_text("左边")
    play(camera, noise_seed=7)
    _reopened(page)
    page.get_by_role("button", name="拍照").click()
    expect(page.get_by_role("alert")).to_contain_text("转得不够")
    picture_of(page, "1-refused")
    assert fits(page)
    for _ in range(4):
        page.get_by_role("button", name="跳过").click()
    expect(told).to_contain_text("已登记1张，需要5张")
    expect(page.get_by_role("alert")).to_contain_text("还缺：向左、向右、靠近、换光线")
    picture_of(page, "2-fewer")
    assert fits(page)
    page.get_by_role("button", name="补拍").click()
    expect(told).to_contain_text("左边")


def test_in_the_dark_the_screen_becomes_a_lamp(
    school: School, browser: Browser, camera: Path
) -> None:
    play(camera, light=0.25)
    page = opened(browser, school, SMALL_PHONE)
    page.get_by_role("button", name="开始拍照").click()
    expect(page.get_by_text("屏幕已变亮补光")).to_be_visible()
    picture_of(page, "3-dark")
    assert fits(page)
    white = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(white) == "rgb(255, 255, 255)"


def test_without_a_camera_there_is_another_way(school: School, browser: Browser) -> None:
    page = opened(browser, school, SMALL_PHONE, permissions=[])
    page.get_by_role("button", name="开始拍照").click()
    told = page.get_by_role("status").first
    expect(told).to_contain_text("培训机构当面")
    picture_of(page, "4-denied")


@pytest.mark.thorough
def test_axe_finds_nothing_in_any_state(school: School, browser: Browser) -> None:
    page = opened(browser, school, SMALL_PHONE)

    def complaints() -> list[str]:
        found = Axe().run(page).response["violations"]
        return [f"{it['id']}: {it['nodes'][0]['html']}" for it in found]

    page.get_by_role("button", name="开始拍照").wait_for()
    assert complaints() == []
    page.get_by_role("button", name="开始拍照").click()
    page.get_by_role("button", name="拍照").wait_for()
    assert complaints() == []
    page.get_by_role("button", name="拍照").click()
    for _ in range(4):
        page.get_by_role("button", name="跳过").click()
    page.get_by_role("button", name="补拍").wait_for()
    assert complaints() == []


def test_a_link_that_is_over_says_where_to_get_another(school: School, browser: Browser) -> None:
    page = browser.new_context(viewport=SMALL_PHONE).new_page()
    page.goto(f"{school.service}/sdk/enrolment/#learner=lin&token=none")
    expect(page.get_by_role("status").first).to_contain_text("重新打开")
    picture_of(page, "5-over")


def _reopened(page: Page) -> None:
    """The camera's film is read when it is opened, so what it sees changes only then."""
    page.evaluate(
        """async () => {
          const video = document.querySelector("main > div").shadowRoot.querySelector("video");
          video.srcObject.getTracks().forEach((track) => track.stop());
          const opened = () => navigator.mediaDevices.getUserMedia({ video: true });
          const again = () => new Promise((done) => setTimeout(done, 300)).then(opened);
          video.srcObject = await opened().catch(again).catch(again);  // half-written films
          await video.play();
        }"""
    )
