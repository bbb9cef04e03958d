"""A whole sitting with a face before the camera: an artificial one that turns as it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from app.jobs.face_worker import run_pending
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait, portrait_pixels
from tests.e2e.conftest import found_chromium
from tests.sdk.conftest import EYES_AND_HANDS, FILM_IS_OPEN, Learner
from tests.sdk.school import School

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FACE = PORTRAIT_SEEDS[0]
FPS, SIZE = 10, (480, 360)
TOWARDS = {"turn_left": 1.0, "turn_right": -1.0}  # as `portrait` turns a head


@pytest.fixture
def camera(tmp_path: Path) -> Path:
    """What the browser's camera sees, read when the camera is opened."""
    film = tmp_path / "camera.y4m"
    play(film, [0.0])
    return film


@pytest.fixture
def page(school: School, camera: Path) -> Iterator[Page]:
    seen = f"--use-file-for-fake-video-capture={camera}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found_chromium(), args=[*EYES_AND_HANDS, seen]
        )
        yield browser.new_context(permissions=["camera"]).new_page()
        browser.close()


def play(film: Path, poses: list[float], light: float = 1.0) -> None:
    """A film in which the head takes these poses, one a frame."""
    width, height = SIZE
    with film.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for n, pose in enumerate(poses):
            look: dict[str, Any] = {
                "light": light,
                "mouth_open": 0.0,
                "eyes_open": 1.0,
                "size": SIZE,
            }
            picture = portrait_pixels(FACE, pose=pose, noise_seed=n // 3, **look)
            file.write(b"FRAME\n" + cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).tobytes())


def as_asked(actions: list[str]) -> list[float]:
    """The poses of somebody who hears each request, turns, holds, and turns back."""
    poses = [0.0] * round((0.7 + 0.7) * FPS)  # the camera starts, then the learner faces it
    for action in actions:
        turn = TOWARDS[action]
        poses += [0.0] * 4 + [turn / 2] * 2 + [turn] * 10 + [turn / 2] * 2 + [0.0] * 10
    return poses + [0.0] * 60


def test_lin_is_recognised_and_the_sitting_is_valid(
    school: School, page: Page, camera: Path
) -> None:
    name = school.enrol(face=True)
    for take in range(3):
        school.api.call(
            "PUT",
            f"/v1/learners/{name}/reference-photo",
            content=portrait(FACE, noise_seed=100 + take, mouth_open=0.3, light=0.9),
            content_type="image/jpeg",
        )
    page.goto(school.lesson(name))
    page.wait_for_function(FILM_IS_OPEN)
    lin = Learner(name, page, school).enters()
    page.wait_for_function("() => told.some(([name, it]) => name === 'asked' && it.face_check)")
    play(camera, as_asked(lin.told("asked")[0]["face_check"]["actions"]))
    consent = page.get_by_role("dialog", name="需要使用摄像头")
    expect(consent).to_contain_text("不录像")
    expect(consent.get_by_role("button", name="不同意")).to_be_visible()
    consent.get_by_role("button", name="同意并继续").click()
    expect(page.get_by_role("dialog", name="请正对摄像头")).to_contain_text("转头")
    page.wait_for_function("() => told.some(([name]) => name === 'photo')")
    (photo,) = lin.told("photo")
    assert photo["purpose"] == "challenge" and photo["stored"] >= 8
    run_pending(school.services)
    lin.watches(2).pauses().has_told_everything()
    expect(page.get_by_role("dialog")).to_have_count(0)
    said = [it["value"] for it in school.notes(lin.session()) if it.get("code") == "camera_track"]
    assert len(said) == 1 and "getUserMedia native" in said[0]
    sitting = lin.leaves()
    assert sitting["verdict"]["outcome"] == "valid"
    assert sitting["verdict"]["findings"] == []


def test_a_face_check_in_the_dark_lights_the_screen_and_says_so(
    school: School, page: Page, camera: Path
) -> None:
    play(camera, [0.0], light=0.25)
    page.set_viewport_size({"width": 320, "height": 640})
    name = school.enrol(face=True)
    page.goto(school.lesson(name))
    Learner(name, page, school).enters()
    page.get_by_role("button", name="同意并继续").click()
    check = page.get_by_role("dialog", name="请正对摄像头")
    check.wait_for()
    expect(check).to_contain_text("屏幕已变亮补光")
    assert check.evaluate(
        "it => it.scrollWidth <= it.clientWidth && getComputedStyle(it).boxShadow"
    )
