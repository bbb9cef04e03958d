"""A lesson behind another tab: the clock stands, nobody is accused, a disguise is told of."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.sdk.cdp import Chromium, Tab, chromium
from tests.sdk.conftest import FILM_IS_OPEN
from tests.sdk.school import School
from tests.sdk.test_playing import NEAR_S, credited_s
from tests.waiting import eventually

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


def lesson(desktop: Chromium, school: School, **options: bool) -> Tab:
    tab = desktop.open(quote(school.lesson(school.enrol(), **options), safe=":/?=&"))
    tab.to_front()
    tab.until("window.sitting?.state === 'open' && document.hasFocus()")
    tab.until(FILM_IS_OPEN)
    return tab


def watch(tab: Tab, seconds: float) -> None:
    tab.evaluate("video.play()")
    tab.evaluate(f"window.to = video.currentTime + {seconds}")
    tab.until("video.currentTime >= to")


def hide(desktop: Chromium, tab: Tab, milliseconds: int) -> float:
    """Behind another tab for a while; seconds of the film when it went there."""
    desktop.open("about:blank")
    tab.until("document.visibilityState === 'hidden'")
    at_s = float(tab.evaluate("video.currentTime"))
    tab.evaluate(f"new Promise(after => setTimeout(after, {milliseconds}))")
    return at_s


def comes(school: School, session: str, kind: str, after: str) -> bool:
    def came() -> bool:
        kinds = [kind for _, kind in school.events(session)]
        return after in kinds and kind in kinds[kinds.index(after) :]

    return eventually(came)


def over(tab: Tab, school: School) -> dict:
    session = tab.evaluate("sitting.session")
    tab.evaluate("video.pause(), sitting.stop()")
    return school.judged(session)


def test_play_behind_another_tab_earns_nothing_and_accuses_nobody(
    desktop: Chromium, school: School
) -> None:
    tab = lesson(desktop, school, pauseWhenHidden=False)
    watch(tab, 1)
    hidden_at_s = hide(desktop, tab, 1_500)
    tab.to_front()
    tab.until("document.hasFocus()")
    back_at_s = tab.evaluate("video.currentTime")
    watch(tab, 1)
    seen_s = hidden_at_s + tab.evaluate("video.pause(), video.currentTime") - back_at_s
    sitting = over(tab, school)
    kinds = [kind for _, kind in school.events(sitting["session_id"])]
    assert kinds.count("visibility") == 2 and "focus" in kinds
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert {it["outcome"] for it in sitting["verdict"]["findings"]} == {"not_proven"}


def test_a_page_that_is_hidden_pauses_and_goes_on(desktop: Chromium, school: School) -> None:
    tab = lesson(desktop, school)
    watch(tab, 1)
    hide(desktop, tab, 500)
    assert tab.evaluate("video.paused")
    tab.to_front()
    tab.until("!video.paused")
    sitting = over(tab, school)
    assert {it["outcome"] for it in sitting["verdict"]["findings"]} == {"not_proven"}


def test_a_page_that_says_it_is_visible_is_seen_through(desktop: Chromium, school: School) -> None:
    tab = lesson(desktop, school, pauseWhenHidden=False)
    tab.evaluate("void Object.defineProperty(document, 'hidden', { get: () => false })")
    watch(tab, 1)
    hide(desktop, tab, 500)
    tab.to_front()
    sitting = over(tab, school)
    notes = school.notes(sitting["session_id"])
    assert [it["code"] for it in notes if it["type"] == "integrity"] == ["hidden_but_visible"]
    rules = {it["rule"]: it["outcome"] for it in sitting["verdict"]["findings"]}
    assert rules["forged_telemetry"] == "review"


def test_a_tab_that_was_duplicated_is_another_window(desktop: Chromium, school: School) -> None:
    tab = lesson(desktop, school)
    tab.evaluate("void window.open(location.href)")  # takes the session storage along
    twin = desktop.opened_by(tab)
    twin.until("window.sitting?.state === 'refused'")
    name = "sessionStorage.getItem('zhenxue:window')"
    assert tab.evaluate(name) != twin.evaluate(name)
    assert tab.evaluate("sitting.state") == "open"


@pytest.mark.thorough
def test_a_page_that_comes_back_from_the_history_goes_on_in_its_sitting(
    desktop: Chromium, school: School
) -> None:
    tab = lesson(desktop, school)
    watch(tab, 1)
    tab.evaluate("video.pause(), window.marked = true")
    session = tab.evaluate("sitting.session")
    tab.evaluate(f"void location.assign('{school.service}/healthz')")
    tab.until("location.pathname === '/healthz'")
    assert comes(school, session, "progress", after="pause")  # what waited was sent on the way out
    tab.evaluate("void history.back()")
    tab.until("location.pathname === '/study'")
    assert tab.evaluate("window.marked"), "the browser did not keep the page"
    watch(tab, 1)
    assert tab.evaluate("sitting.session") == session
    seen_s = tab.evaluate("video.pause(), video.currentTime")
    sitting = over(tab, school)
    assert [seq for seq, _ in school.events(session)] == list(range(sitting["next_seq"]))
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)


@pytest.mark.thorough
def test_a_page_that_is_frozen_sends_what_waits_and_wakes_up(
    desktop: Chromium, school: School
) -> None:
    tab = lesson(desktop, school)
    watch(tab, 1)
    session = tab.evaluate("sitting.session")
    before = len(school.events(session))
    tab.call("Page.setWebLifecycleState", state="frozen")
    assert eventually(lambda: len(school.events(session)) > before)
    tab.call("Page.setWebLifecycleState", state="active")
    desktop.open("about:blank")
    tab.to_front()
    tab.until("!document.hidden")
    watch(tab, 0.5)
    sitting = over(tab, school)
    assert {it["outcome"] for it in sitting["verdict"]["findings"]} == {"not_proven"}


@pytest.mark.thorough
def test_a_lesson_in_a_frame_that_nobody_clicked_counts(desktop: Chromium, school: School) -> None:
    """Visible and playing: the keyboard may be with the page around it, or on another screen."""
    url = school.lesson(school.enrol(), pauseWhenHidden=True).replace("/study?", "/framed?")
    tab = desktop.open(quote(url, safe=":/?=&"))
    tab.to_front()
    tab.until("frames[0]?.sitting?.state === 'open'")
    tab.until(
        "frames[0].video.readyState >= 2 || (frames[0].video.error && frames[0].video.load())"
    )
    tab.evaluate("frames[0].video.play()")
    tab.until("frames[0].video.currentTime >= 2")
    assert tab.evaluate("frames[0].document.hasFocus()") is False
    assert tab.evaluate("frames[0].document.visibilityState") == "visible"
    played = tab.evaluate("frames[0].video.pause(), frames[0].video.currentTime")
    session = tab.evaluate("frames[0].sitting.session")
    tab.evaluate("void frames[0].sitting.stop()")
    sitting = school.judged(session)
    assert credited_s(sitting) == pytest.approx(played, abs=NEAR_S)
    assert "unseen_play" not in {it["rule"] for it in sitting["verdict"]["findings"]}


def test_a_page_that_is_hidden_from_the_beginning_says_that_nothing_counts(
    desktop: Chromium, school: School
) -> None:
    url = school.lesson(school.enrol(), pauseWhenHidden=False)
    tab = desktop.open(quote(url, safe=":/?=&"))
    desktop.open("about:blank")
    tab.until("window.sitting?.state === 'open' && told.some(([name]) => name === 'noted')")
    note = tab.evaluate("told.find(([name]) => name === 'noted')[1]")
    assert (note["code"], "不计入学时" in note["text"]) == ("hidden", True)
