"""A whole sitting with a face before the camera: an artificial one that does as it is asked, under
the newest pack, where only that passes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import select

from app.domain.accounts import users
from app.domain.controls import draws
from app.domain.controls.scheduler import SEED_PURPOSE
from app.jobs.face_worker import run_pending
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait, portrait_pixels
from models import Session
from tests.e2e.conftest import found_chromium
from tests.sdk.conftest import EYES_AND_HANDS, FILM_IS_OPEN, Learner
from tests.sdk.school import School, open_school
from tests.verdicts import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FACE = PORTRAIT_SEEDS[12]  # its turns are plainly those of a head: the page is what is tried here
FPS, SIZE = 10, (480, 360)
Pose = tuple[float, float]
STRAIGHT = (0.0, 1.0)
# How far `portrait` turns a head, and how many times as large it is.
DONE = {
    "turn_left": (1.0, 1.0),
    "turn_right": (-1.0, 1.0),
    "nearer": (0.0, 1.4),
    "farther": (0.0, 0.75),
}


@pytest.fixture
def school(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[School]:
    """One a test: a face that another learner showed before is known."""
    folder = tmp_path / "school"
    pack = getattr(request, "param", "huangchuan-2021-graded")
    with open_school(folder, policy_id=pack) as school:
        yield school


@pytest.fixture
def camera(tmp_path: Path) -> Path:
    """What the browser's camera sees, read when the camera is opened."""
    film = tmp_path / "camera.y4m"
    play(film, [STRAIGHT])
    return film


@pytest.fixture
def page(school: School, camera: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    seen = [*EYES_AND_HANDS, f"--use-file-for-fake-video-capture={camera}"]
    if getattr(request, "param", "") == "no camera":
        seen = [it for it in seen if "fake" not in it]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found_chromium(), args=seen)
        yield browser.new_context(permissions=["camera"]).new_page()
        browser.close()


def play(film: Path, poses: list[Pose], light: float = 1.0) -> None:
    """A film in which the head takes these poses, one a frame."""
    width, height = SIZE
    being_made = film.with_suffix(".part")  # the browser looks for the film at any moment
    with being_made.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for n, (pose, size) in enumerate(poses):
            look: dict[str, Any] = {
                "light": light,
                "mouth_open": 0.0,
                "eyes_open": 1.0,
                "size": SIZE,
            }
            picture = portrait_pixels(FACE, pose=pose, noise_seed=n // 3, **look)
            zoom = cv2.getRotationMatrix2D((width / 2, height / 2), 0, size)
            edge = cv2.BORDER_REPLICATE
            moved = cv2.warpAffine(picture, zoom, SIZE, borderMode=edge)
            file.write(b"FRAME\n" + cv2.cvtColor(moved, cv2.COLOR_BGR2YUV_I420).tobytes())
    being_made.replace(film)


def as_asked(actions: list[str], reads_s: float = 0.0) -> list[Pose]:
    """The poses of somebody who hears each request, does so, holds, and returns; before it they
    read why the last check did not pass."""
    # The camera starts, then the learner faces it.
    poses = [STRAIGHT] * round((0.7 + reads_s + 0.7) * FPS)
    for action in actions:
        turn, size = DONE[action]
        there, halfway = (turn, size), (turn / 2, (1 + size) / 2)
        poses += [STRAIGHT] * 4 + [halfway] * 2 + [there] * 10 + [halfway] * 2 + [STRAIGHT] * 10
    return poses + [STRAIGHT] * 60


def with_photos(school: School) -> str:
    """A learner whose face is enrolled; the name."""
    name = school.enrol(face=True)
    for take in range(3):
        school.api.call(
            "PUT",
            f"/v1/learners/{name}/reference-photo",
            content=portrait(FACE, noise_seed=100 + take, mouth_open=0.3, light=0.9),
            content_type="image/jpeg",
        )
    return name


def slowed(page: Page) -> None:
    """Each photo leaves only after a time of its own, 1 to 8 s."""
    page.add_init_script(
        """
        const send = window.fetch;
        let n = 0;
        window.fetch = async (...what) => {
          if (`${what[0]?.url ?? what[0]}`.includes("/snapshots/")) {
            n += 1;
            const uneven = (n * 0.618034) % 1;  // the golden ratio: never twice the same
            await new Promise((go) => setTimeout(go, 1_000 + uneven * 7_000));
          }
          return send(...what);
        };
        """
    )


@pytest.mark.parametrize("line", ["quick", pytest.param("uneven", marks=pytest.mark.thorough)])
def test_lin_is_recognised_and_the_sitting_is_valid(
    school: School, page: Page, camera: Path, line: str
) -> None:
    name = with_photos(school)
    if line == "uneven":
        slowed(page)
    page.goto(school.lesson(name))
    page.wait_for_function(FILM_IS_OPEN)
    lin = Learner(name, page, school).enters()
    page.wait_for_function("() => told.some(([name, it]) => name === 'asked' && it.face_check)")
    play(camera, as_asked(lin.told("asked")[0]["face_check"]["actions"]))
    consent = page.get_by_role("dialog", name="需要使用摄像头")
    expect(consent).to_contain_text("不录像")
    expect(consent.get_by_role("button", name="不同意")).to_be_visible()
    consent.get_by_role("button", name="同意并继续").click()
    check = page.get_by_role("dialog", name="请正对摄像头")
    expect(check).to_contain_text("停一下", timeout=15_000)
    page.wait_for_function("() => told.some(([name]) => name === 'photo')", timeout=60_000)
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


@pytest.mark.thorough
def test_a_face_check_in_the_dark_lights_the_screen_and_says_so(
    school: School, page: Page, camera: Path
) -> None:
    play(camera, [STRAIGHT], light=0.25)
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
    expect(check).to_contain_text("停一下")
    face = check.locator("video").bounding_box()
    assert face is not None and face["y"] + face["height"] <= 640, (
        "in sight while it is asked to move"
    )


@pytest.mark.thorough
def test_the_third_try_says_what_to_do_when_it_does_not_pass_either(
    school: School, page: Page
) -> None:
    """Before a camera that shows somebody who does nothing."""
    name = with_photos(school)
    page.goto(school.lesson(name))
    lin = Learner(name, page, school).enters()
    page.get_by_role("button", name="同意并继续").click()
    check = page.get_by_role("dialog", name="请正对摄像头")
    expect(check).to_be_visible(timeout=20_000)
    for number in (1, 2):
        page.wait_for_function(f"() => told.filter(([it]) => it === 'photo').length >= {number}")
        run_pending(school.services)
        expect(check).to_contain_text("上一次没有通过", timeout=30_000)
        again = check.inner_text()
        assert "没有看到" in again or "不要用照片" in again
        assert ("第三次" in again) == (number == 2)
    expect(check).to_contain_text("请找培训机构当面核对并登记；不会因此算您违规")
    page.wait_for_function("() => told.filter(([it]) => it === 'photo').length >= 3")
    run_pending(school.services)
    over = page.get_by_role("status").filter(has_text="本人核验没有通过")
    expect(over).to_contain_text("请培训机构当面核对并登记", timeout=30_000)
    expect(over).to_contain_text("不算违规")
    lin.leaves()
    said = [it["value"] for it in school.notes(lin.session()) if it.get("code") == "camera_track"]
    assert len(said) == 1 and "480x360" in said[0]


def zhao_asks_while_lin_watches(school: School, page: Page) -> Page:
    """The auditor's page, where a check of the learner was just asked for."""
    lin = lin_enters(page, school)
    page.get_by_role("button", name="同意并继续").click()
    has_sent(page, 1)
    run_pending(school.services)
    lin.watches(1)
    zhao = at_the_class(page, school)
    zhao.get_by_role("button", name="核验一次").click()
    return zhao


@pytest.mark.thorough
@pytest.mark.parametrize("school", ["huangchuan-2021-graded@1.0.0"], indirect=True)  # no turning
def test_zhao_presses_check_now_and_reads_what_became_of_lin_who_sat_still(
    school: School, page: Page
) -> None:
    zhao = zhao_asks_while_lin_watches(school, page)
    asked = zhao.locator("#spot-checks tbody tr")
    expect(asked).to_contain_text("林小兰")
    has_sent(page, 2)
    expect(asked).to_contain_text("正在比对", timeout=15_000)
    run_pending(school.services)
    expect(asked).to_contain_text("存疑", timeout=15_000)  # her face, as still as a photograph
    zhao.get_by_role("button", name="核验一次").click()
    expect(zhao.get_by_role("alert")).to_contain_text("十分钟内只能要求核验一次")


@pytest.mark.thorough
def test_the_board_and_the_inspection_tell_that_it_is_lin_who_turns_as_asked(
    school: School, page: Page, camera: Path
) -> None:
    lin = lin_enters(page, school)
    is_ready(lin, camera)
    page.get_by_role("button", name="同意并继续").click()
    has_sent(page, 1)
    run_pending(school.services)
    lin.watches(1)
    ready = is_ready(lin, camera)
    zhao = at_the_class(page, school)
    zhao.get_by_role("button", name="抽取").click()
    drawn = zhao.locator("#drawn tbody tr")
    drawn.get_by_role("button", name="核验一次").click()
    board = zhao.context.new_page()
    board.goto(f"{school.service}/console/live")
    told = board.locator("#spot-checks tbody tr")
    until = time.monotonic() + 150  # three tries: a busy machine may miss a turn
    while "核验通过" not in told.inner_text() and time.monotonic() < until:
        ready = is_ready(lin, camera, ready)
        page.evaluate("video.ended && void video.play().catch(() => 0)")
        run_pending(school.services)
        page.wait_for_timeout(500)
    expect(told).to_contain_text("是登记的本人", timeout=1)
    expect(drawn).to_contain_text("核验通过", timeout=15_000)
    assert lin.leaves()["verdict"]["findings"] == []


def is_ready(lin: Learner, camera: Path, before: int = -1) -> int:
    """Before the camera, to do what the next check will ask for, drawn when the sitting began; its
    number. The film is read when the camera is opened."""
    n = sum(it["purpose"] == "challenge" for it in lin.told("photo"))
    if n != before:
        services = lin.school.services
        with services.database.read() as connection:
            query = select(Session.seed_encrypted).where(Session.external_id == lin.session())
            seed = services.vault.open(connection.execute(query).scalar_one(), SEED_PURPOSE)
        reads_s = 4.0 if before >= 0 else 0.0  # the next try: why, for four seconds
        play(camera, as_asked(draws.actions(seed, n, moves=True), reads_s))
    return n


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("page", "consent", "says"),
    [
        ("a camera", "不同意", "不同意使用摄像头"),
        ("no camera", "同意并继续", "摄像头打不开"),
    ],
    indirect=["page"],
)
def test_the_board_says_that_lin_refuses_the_camera_or_has_none(
    school: School, page: Page, consent: str, says: str
) -> None:
    lin = lin_enters(page, school)
    page.get_by_role("button", name=consent, exact=True).click()
    lin.watches(1)
    zhao = at_the_class(page, school)
    zhao.get_by_role("button", name="核验一次").click()
    told = zhao.locator("#spot-checks tbody tr")
    expect(told).to_contain_text(says, timeout=40_000)
    expect(told).to_contain_text("不是违规")
    found = lin.leaves()["verdict"]["findings"]
    assert {it["outcome"] for it in found} <= {"clear", "not_proven"}


def lin_enters(page: Page, school: School) -> Learner:
    """With photos that are enrolled, once her film is open."""
    name = with_photos(school)
    page.goto(school.lesson(name))
    page.wait_for_function(FILM_IS_OPEN)
    return Learner(name, page, school).enters()


def at_the_class(page: Page, school: School) -> Page:
    """Zhao's page, in the browser of this one: the class on the live board."""
    zhao = page.context.browser.new_context(locale="zh-CN").new_page()
    sign_in(zhao, school)
    zhao.goto(f"{school.service}/console/live")
    zhao.get_by_role("link", name="缝纫工").click()
    return zhao


def has_sent(page: Page, checks: int) -> None:
    """The photos of so many face checks."""
    sent = f"() => told.filter(([name]) => name === 'photo').length >= {checks}"
    page.wait_for_function(sent, timeout=60_000)


def sign_in(page: Page, school: School) -> None:
    with school.services.database.write() as connection:
        users.add_user(
            connection,
            username="zhao",
            display_name="赵审核",
            password=PASSWORD,
            role="auditor",
            counties=["*"],
            actor="system",
            now_ms=school.clock(),
        )
    page.goto(f"{school.service}/console/login")
    page.get_by_label("用户名").fill("zhao")
    page.get_by_label("口令").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
