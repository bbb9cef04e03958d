"""The SDK in a real Firefox: what is played counts there as it does in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.sdk.conftest import FILM_IS_OPEN
from tests.sdk.firefox import Firefox, firefox, found_firefox
from tests.sdk.school import School, open_school
from tests.sdk.test_playing import NEAR_S, credited_s, in_order

pytestmark = [pytest.mark.browser, pytest.mark.thorough]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    found_firefox()
    with open_school(tmp_path_factory.mktemp("school")) as school:
        yield school


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("profile")) as fox:
        yield fox


def enters(fox: Firefox, school: School, learner: str, **options: Any) -> str:
    fox.goes_to(quote(school.lesson(learner, **options), safe=":/?=&"))
    fox.until("window.sitting?.state === 'open'")
    fox.until(FILM_IS_OPEN)
    return str(fox.evaluate("sitting.session"))


def watches(fox: Firefox, seconds: float) -> float:
    """Play that much; seconds of the film where it stands then."""
    fox.evaluate("video.play()")
    fox.evaluate(f"window.to = video.currentTime + {seconds}")
    fox.until("video.currentTime >= to")
    return float(fox.evaluate("(video.pause(), video.currentTime)"))


def leaves(fox: Firefox, school: School, session: str) -> dict[str, Any]:
    fox.until("sitting.queue.length === 0")
    fox.evaluate("void sitting.stop()")
    return school.judged(session)


def test_what_was_watched_is_what_counts(fox: Firefox, school: School) -> None:
    session = enters(fox, school, school.enrol())
    seen_s = watches(fox, 2.5)
    sitting = leaves(fox, school, session)
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert in_order(school, session)[:3] == ["progress", "play", "playing"]
    assert {it["outcome"] for it in sitting["verdict"]["findings"]} <= {"not_proven", "clear"}


def test_a_reload_goes_on_with_the_same_sitting(fox: Firefox, school: School) -> None:
    learner = school.enrol()
    session = enters(fox, school, learner)
    left_at_s = watches(fox, 1.5)
    fox.until("sitting.queue.length === 0")
    fox.call("WebDriver:Refresh")
    fox.until("window.sitting?.state === 'open'")
    assert fox.evaluate("sitting.session") == session
    assert fox.evaluate("video.currentTime") == pytest.approx(left_at_s, abs=NEAR_S)
    seen_s = watches(fox, 1)
    sitting = leaves(fox, school, session)
    in_order(school, session)
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)


def test_a_popup_stops_the_film_and_is_answered_by_keyboard(fox: Firefox, school: School) -> None:
    learner = school.enrol()
    school.studied_until_a_popup_is_near(learner, 1.0)
    session = enters(fox, school, learner)
    fox.evaluate("void video.addEventListener('pause', () => { window.stopped = true; })")
    fox.evaluate("video.play()")
    fox.until("window.stopped && video.paused")
    at_s = fox.evaluate("video.currentTime")
    fox.evaluate("new Promise(after => setTimeout(after, 700))")
    assert fox.evaluate("video.paused && video.currentTime") == pytest.approx(at_s, abs=0.2)
    fox.presses("\ue007")  # Enter
    fox.until("!video.paused")
    fox.evaluate("video.pause()")
    sitting = leaves(fox, school, session)
    (popup,) = (it for it in sitting["controls"] if it["control"] == "popup")
    assert popup["expired_at_ms"] is None and 300 <= popup["latency_ms"] < 20_000
    answers = [it for it in school.notes(session) if it["type"] == "popup_answered"]
    assert [(it["input"], it["trusted"]) for it in answers] == [("keyboard", True)]


def test_play_behind_another_tab_earns_nothing_and_accuses_nobody(
    fox: Firefox, school: School
) -> None:
    session = enters(fox, school, school.enrol(), pauseWhenHidden=False)
    (lesson,) = fox.tabs()
    fox.evaluate("video.play()")
    fox.until("video.currentTime >= 1")
    behind = fox.opens_tab()
    fox.evaluate("new Promise(after => setTimeout(after, 1500))")
    fox.call("WebDriver:CloseWindow")
    assert behind not in fox.tabs()
    fox.to_front(lesson)
    fox.until("document.visibilityState === 'visible'")
    ran_on_to_s = watches(fox, 0.5)
    sitting = leaves(fox, school, session)
    kinds = [kind for _, kind in school.events(session)]
    assert kinds.count("visibility") == 2
    assert 0.5 < credited_s(sitting) < ran_on_to_s - 0.8
    assert {it["outcome"] for it in sitting["verdict"]["findings"]} <= {"not_proven", "clear"}


def test_the_camera_opens_after_consent_and_its_photos_come(fox: Firefox, school: School) -> None:
    """Firefox's artificial camera shows no face: photos come, and nobody is recognised on them."""
    session = enters(fox, school, school.enrol(face=True))
    fox.until("told.some(([what, it]) => what === 'asked' && it.face_check)")
    fox.evaluate("new Promise(after => setTimeout(after, 700))")
    fox.presses("\ue004")  # Tab: nobody consents by an Enter that was meant for something else
    fox.presses("\ue007")
    fox.until("told.some(([what]) => what === 'photo')")
    watches(fox, 1)
    sitting = leaves(fox, school, session)
    said = [it["value"] for it in school.notes(session) if it.get("code") == "camera_track"]
    assert len(said) == 1 and "getUserMedia native" in said[0]
    assert sitting["verdict"]["outcome"] == "not_proven"
