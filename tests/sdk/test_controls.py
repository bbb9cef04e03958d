"""What the service asks for in the middle of a lesson, and how the page puts it to the learner."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.sdk.conftest import Learner, expect
from tests.sdk.school import OTHER, School
from tests.thorough import later

pytestmark = pytest.mark.browser
Study = Callable[..., Learner]


def of_kind(sitting: dict, kind: str) -> list[dict]:
    return [it for it in sitting["controls"] if it["control"] == kind]


@pytest.fixture
def near(school: School) -> str:
    """Somebody whose next pop-up is a second of play away."""
    name = school.enrol()
    school.studied_until_a_popup_is_near(name, 1.0)
    return name


def test_a_popup_comes_in_its_moment_and_is_answered_by_keyboard(
    study: Study, school: School, near: str
) -> None:
    lin = study(near).enters()
    dialog = lin.page.get_by_role("dialog", name="请确认您正在学习")
    lin.page.wait_for_timeout(700)
    expect(dialog).to_be_hidden()  # the learning clock stands while nothing plays
    lin.page.evaluate("video.play()")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("剩余")
    answer = dialog.get_by_role("button", name="我在学习")
    expect(answer).to_be_focused()
    lin.page.keyboard.press("Escape")
    lin.page.keyboard.press("Escape")
    expect(dialog).to_be_visible()
    lin.page.wait_for_timeout(400)
    lin.page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    sitting = lin.pauses().has_told_everything().leaves()
    (popup,) = of_kind(sitting, "popup")
    assert popup["answered_at_ms"] - popup["shown_at_ms"] < 20_000
    assert popup["expired_at_ms"] is None and 300 <= popup["latency_ms"] < 20_000
    answers = [it for it in school.notes(sitting["session_id"]) if it["type"] == "popup_answered"]
    assert [(it["input"], it["trusted"]) for it in answers] == [("keyboard", True)]


def test_content_stops_when_a_popup_is_shown_and_goes_on_after_the_answer(
    study: Study, school: School, near: str
) -> None:
    lin = study(near).enters()
    dialog = lin.page.get_by_role("dialog", name="请确认您正在学习")
    lin.page.evaluate("video.play()")
    expect(dialog).to_be_visible()
    assert lin.page.evaluate("video.paused")
    at = lin.page.evaluate("video.currentTime")
    lin.page.evaluate("video.play()")  # as a key for media on the keyboard does
    lin.page.wait_for_timeout(500)
    assert lin.page.evaluate("video.paused && video.currentTime") == pytest.approx(at, abs=0.2)
    dialog.get_by_role("button").click()
    lin.page.wait_for_function("() => !video.paused")
    sitting = lin.pauses().has_told_everything().leaves()
    assert [
        it["reason"] for it in sitting["verdict"]["findings"] if it["rule"] == "popup_gap"
    ] == []


def test_who_had_paused_is_left_alone_after_the_answer(
    study: Study, school: School, near: str
) -> None:
    lin = study(near).enters()
    lin.page.evaluate("video.play()")
    dialog = lin.page.get_by_role("dialog", name="请确认您正在学习")
    expect(dialog).to_be_visible()
    lin.has_told_everything().page.reload()  # from here on the time to answer it runs
    lin.enters()
    expect(dialog).to_be_visible()
    lin.page.wait_for_timeout(400)
    dialog.get_by_role("button").click()
    lin.page.wait_for_timeout(300)
    assert lin.page.evaluate("video.paused")


def test_a_script_that_presses_the_button_is_told_of(
    study: Study, school: School, near: str
) -> None:
    wu = study(near).enters()
    wu.page.evaluate("video.play()")
    dialog = wu.page.get_by_role("dialog", name="请确认您正在学习")
    dialog.get_by_role("button").evaluate("it => it.click()")
    sitting = wu.pauses().has_told_everything().leaves()
    assert "untrusted_input" in of_kind(sitting, "popup")[0]["flags"]
    codes = [it["code"] for it in school.notes(sitting["session_id"]) if it["type"] == "integrity"]
    assert codes == ["untrusted_input"]


def test_a_popup_survives_a_reload(study: Study, school: School, near: str) -> None:
    lin = study(near).enters()
    lin.page.evaluate("video.play()")
    dialog = lin.page.get_by_role("dialog", name="请确认您正在学习")
    expect(dialog).to_be_visible()
    lin.page.reload()
    lin.enters()
    expect(dialog).to_be_visible()
    lin.page.wait_for_timeout(400)
    dialog.get_by_role("button").click()
    sitting = lin.has_told_everything().leaves()
    assert [bool(it["answered_at_ms"]) for it in of_kind(sitting, "popup")] == [True]


@pytest.mark.thorough
def test_a_reload_gives_no_more_time_to_answer(study: Study, school: School, near: str) -> None:
    """The page counts down what the service leaves it, from the first display."""
    lin = study(near).enters()
    lin.page.evaluate("video.play()")
    dialog = lin.page.get_by_role("dialog", name="请确认您正在学习")
    expect(dialog).to_be_visible()
    lin.has_told_everything()
    school.clock.advance(45)
    lin.page.reload()
    lin.enters()
    left = dialog.get_by_role("timer")
    expect(left).to_contain_text("剩余")
    (seconds,) = re.findall(r"\d+", left.inner_text())
    assert 5 <= int(seconds) <= 15
    lin.page.wait_for_timeout(400)
    dialog.get_by_role("button").click()
    sitting = lin.has_told_everything().leaves()
    (popup,) = of_kind(sitting, "popup")
    assert popup["answered_at_ms"] - popup["shown_at_ms"] > 45_000 and not popup["expired_at_ms"]


def test_a_second_window_waits_until_the_first_is_closed(study: Study, school: School) -> None:
    lin = study().enters()
    other = lin.page.context.new_page()
    other.goto(school.lesson(lin.name))
    second = Learner(lin.name, other, school).enters("refused")
    (refusal,) = second.told("refused")
    assert refusal["code"] == "concurrent_session"
    assert refusal["body"]["rival"]["session_id"] == lin.session()
    expect(other.get_by_role("dialog")).to_contain_text("另一个窗口")
    other.evaluate("video.play()")
    other.wait_for_timeout(300)
    assert other.evaluate("video.paused && video.currentTime < 0.3")
    lin.leaves()
    other.get_by_role("dialog").get_by_role("button", name="继续学习").click()
    second.enters()
    assert second.session() != lin.session()
    other.wait_for_function("() => !video.paused")


def test_a_sitting_that_ended_elsewhere_stops_the_page_and_goes_on_when_wanted(
    study: Study, school: School
) -> None:
    lin = study().enters().watches(1)
    school.api.call("POST", f"/v1/sessions/{lin.session()}/close", {"reason": "by hand"})
    before = lin.session()
    lin.pauses().enters("stopped")
    lin.page.get_by_role("dialog").get_by_role("button", name="继续学习").click()
    lin.enters()
    assert lin.session() != before


def test_a_lesson_that_is_locked_says_which_comes_first(study: Study, school: School) -> None:
    lin = study(lesson="o2").enters("refused")
    expect(lin.page.get_by_role("dialog")).to_contain_text("请先学完上一节课")


def test_who_refuses_the_camera_studies_on(study: Study, school: School) -> None:
    lin = study(face=True).enters()
    consent = lin.page.get_by_role("dialog", name="需要使用摄像头")
    consent.get_by_role("button", name="不同意").click()
    sitting = lin.watches(1).pauses().has_told_everything().leaves()
    codes = [it["code"] for it in school.notes(sitting["session_id"]) if it["type"] == "error"]
    assert codes == ["camera_refused"] and len(lin.told("camera_refused")) == 1
    assert sitting["verdict"]["outcome"] == "not_proven"


@pytest.mark.parametrize("decision", ["同意并继续", *later("不同意")])
def test_content_stands_still_behind_the_question_for_the_camera(
    study: Study, school: School, decision: str
) -> None:
    lin = study(face=True).enters()
    consent = lin.page.get_by_role("dialog", name="需要使用摄像头")
    expect(consent).to_be_visible()
    lin.page.evaluate("video.play()")
    lin.page.wait_for_timeout(700)
    assert lin.page.evaluate("video.paused && video.currentTime") == pytest.approx(0, abs=0.2)
    consent.get_by_role("button", name=decision, exact=True).click()
    lin.page.wait_for_function("() => !video.paused && video.currentTime > 0.3")


STUCK_ONCE = """
  const real = MediaDevices.prototype.getUserMedia;
  const stuck = () => new MediaStream([new MediaStreamTrackGenerator({ kind: "video" })]);
  window.opened = 0;
  MediaDevices.prototype.getUserMedia = async function (wanted) {
    return opened++ ? real.call(this, wanted) : stuck();
  };
"""


@pytest.mark.thorough
def test_a_camera_without_a_picture_is_opened_again_for_the_next_photo(
    study: Study, school: School
) -> None:
    """Another program holds it: it opens, and nothing comes."""
    lin = study(face=True, before=STUCK_ONCE).enters()
    consent = lin.page.get_by_role("dialog", name="需要使用摄像头")
    consent.get_by_role("button", name="同意并继续").click()
    lin.watches(12)
    school.clock.advance(60)  # the check's time is over, and it is asked for again
    lin.page.wait_for_function("() => opened === 2")
    why = [it["detail"] for it in school.notes(lin.session()) if it["type"] == "error"]
    assert why[0] == "TimeoutError"


COUNTED = """
  window.live = { listeners: 0, timers: new Set(), frames: new Set(), children: 0 };
  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const held = new Map();
  EventTarget.prototype.addEventListener = function (type, run, how) {
    if (!(this instanceof AbortSignal) && new Error().stack.includes("/sdk/v1/")) {
      held.set(run, (held.get(run) ?? 0) + 1);
      live.listeners += 1;
    }
    return addEventListener.call(this, type, run, how);
  };
  EventTarget.prototype.removeEventListener = function (type, run, how) {
    if (held.get(run)) { held.set(run, held.get(run) - 1); live.listeners -= 1; }
    return removeEventListener.call(this, type, run, how);
  };
  const { setTimeout, clearTimeout, setInterval, clearInterval } = window;
  const { requestAnimationFrame, cancelAnimationFrame } = window;
  window.setTimeout = (run, ms) => {
    const id = setTimeout(() => { live.timers.delete(id); run(); }, ms);
    live.timers.add(id);
    return id;
  };
  window.clearTimeout = (id) => { live.timers.delete(id); clearTimeout(id); };
  window.setInterval = (run, ms) => {
    const id = setInterval(run, ms);
    live.timers.add(id);
    return id;
  };
  window.clearInterval = (id) => { live.timers.delete(id); clearInterval(id); };
  window.requestAnimationFrame = (run) => {
    const id = requestAnimationFrame((t) => { live.frames.delete(id); run(t); });
    live.frames.add(id);
    return id;
  };
  window.cancelAnimationFrame = (id) => { live.frames.delete(id); cancelAnimationFrame(id); };
"""
NOW = """() => [live.listeners, live.timers.size, live.frames.size, document.body.children.length,
               localStorage.length - (localStorage.getItem("zhenxue:device") ? 1 : 0)]"""


def test_stop_leaves_no_listener_no_timer_and_nothing_in_the_page(
    study: Study, school: School, near: str
) -> None:
    lin = study(near, before=COUNTED).enters()
    lin.page.evaluate("video.play()")
    expect(lin.page.get_by_role("dialog", name="请确认您正在学习")).to_be_visible()
    listeners, timers, *_ = lin.page.evaluate(NOW)
    assert listeners > 15 and timers >= 2
    natives = "[fetch, Date.now, addEventListener, video.play].map(String).join()"
    before = lin.page.evaluate(natives)
    lin.leaves()
    assert lin.page.evaluate(NOW) == [0, 0, 0, 4, 0]  # heading, button, video, script
    assert lin.page.evaluate(natives) == before
    assert lin.state() == "over"
    lin.page.evaluate("video.play()")
    lin.page.wait_for_timeout(300)
    assert lin.page.evaluate("!video.paused")


def test_a_lesson_page_may_go_from_one_lesson_to_the_next(study: Study, school: School) -> None:
    lin = study().enters()
    first = lin.session()
    lin.page.evaluate(
        f"async () => {{ await sitting.stop(); window.sitting = begin({{ lesson: '{OTHER}' }}); }}"
    )
    lin.enters()
    assert lin.session() != first
    assert school.sitting(lin.session())["lesson_id"] == OTHER


def test_a_platform_speaks_english_or_in_words_of_its_own(study: Study, school: School) -> None:
    lin = study(lesson="o2", language="en", texts={"again": "Try once more"}).enters("refused")
    dialog = lin.page.get_by_role("dialog", name="Your learning time has stopped")
    expect(dialog).to_contain_text("Finish the lessons before this one first")
    expect(dialog.get_by_role("button", name="Try once more")).to_be_visible()
    silent = study(lesson="o2", notices=False).enters("refused")
    expect(silent.page.get_by_role("dialog")).to_have_count(0)


def test_a_popup_lies_above_a_player_in_full_screen(
    study: Study, school: School, near: str
) -> None:
    lin = study(near).enters()
    lin.page.evaluate("video.requestFullscreen()")
    lin.page.evaluate("video.play()")
    button = lin.page.get_by_role("dialog").get_by_role("button")
    expect(button).to_be_visible()
    lin.page.wait_for_timeout(400)
    button.click()  # which something above it would not let through
    expect(button).to_have_count(0)
    assert lin.page.evaluate("document.fullscreenElement === video")


def test_stop_lets_the_player_be(study: Study, school: School) -> None:
    lin = study().enters().watches(0.5)
    lin.page.evaluate("sitting.stop()")
    assert lin.page.evaluate("!video.paused")


def test_a_page_that_starts_stops_and_starts_again_at_once_is_one_window(
    study: Study, school: School
) -> None:
    lin = study(before="window.twice = true")  # as some frameworks do while one develops
    lin.enters()
    assert lin.told("refused") == []


def test_an_answer_that_is_no_lease_is_a_refusal(study: Study, school: School) -> None:
    lin = study(lease="/study?learner=nobody").enters("refused")  # a login page, say
    expect(lin.page.get_by_role("dialog")).to_contain_text("现在不能开始学习")
