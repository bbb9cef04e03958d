"""What a lesson page reports: no less and no more than what was played."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import pytest
from playwright.sync_api import Route

from detectors.trace import Kind
from tests.sdk.conftest import Learner
from tests.sdk.school import FILM_S, School
from tests.thorough import later
from tests.waiting import eventually

pytestmark = pytest.mark.browser
Study = Callable[..., Learner]
NEAR_S = 0.7  # between two moments of a player and the events that name them


def credited_s(sitting: dict) -> float:
    """Seconds of content, each counted once."""
    seconds, reached = 0, 0
    for start, to, _, _ in sorted(sitting["credited"]):
        seconds += max(0, to - max(start, reached))
        reached = max(reached, to)
    return seconds / 1000


def in_order(school: School, session: str) -> list[str]:
    """The types of all events; their numbers must be 0, 1, 2 … each once."""
    events = school.events(session)
    assert [seq for seq, _ in events] == list(range(len(events)))
    return [kind for _, kind in events]


def test_what_was_watched_is_what_counts(study: Study, school: School) -> None:
    lin = study().enters().watches(2.5).pauses()
    seen_s = lin.at()
    sitting = lin.leaves()
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    kinds = in_order(school, sitting["session_id"])
    assert kinds[:3] == ["progress", "play", "playing"]
    assert [it["rule"] for it in sitting["verdict"]["findings"]] == ["face_liveness"]  # no photo


def test_the_player_says_how_long_its_film_is(study: Study, school: School) -> None:
    session = study().enters().watches(1).pauses().leaves()["session_id"]
    told = [it["x"] for it in school.records(session) if it["kind"] in (Kind.PLAY, Kind.PAUSE)]
    assert len(told) == 2
    assert all(abs(it / 1000 - FILM_S) < NEAR_S for it in told)


def test_an_outage_loses_nothing_and_invents_nothing(study: Study, school: School) -> None:
    lin = study().enters().watches(1)
    lin.page.context.set_offline(True)
    lin.watches(0.7).pauses().watches(0.7)
    seen_s = lin.at()
    lin.page.evaluate("video.currentTime = 0.5")
    lin.watches(0.7)
    assert lin.page.evaluate("sitting.queue.length") >= 5
    lin.page.context.set_offline(False)
    seen_s = max(seen_s, lin.pauses().has_told_everything().at())
    assert [len(lin.told(it)) for it in ("offline", "online")] == [1, 1]
    sitting = lin.leaves()
    assert in_order(school, sitting["session_id"]).count("seek") == 1
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)


def test_a_reload_goes_on_with_the_same_sitting(study: Study, school: School) -> None:
    lin = study().enters().watches(1.5)
    session, left_at_s = lin.session(), lin.at()
    lin.page.reload()
    lin.enters()
    assert lin.session() == session
    assert lin.at() == pytest.approx(left_at_s, abs=NEAR_S)
    seen_s = lin.watches(1).pauses().at()
    sitting = lin.leaves()
    in_order(school, session)
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert sitting["state"] == "closed"


@pytest.mark.thorough
def test_a_page_that_was_reloaded_while_nothing_could_be_sent_brings_it_all(
    study: Study, school: School
) -> None:
    lin = study().enters().watches(1).pauses().has_told_everything()
    lin.page.route("**/events", lambda route: route.abort())
    seen_s = lin.watches(1).pauses().at()
    waiting = lin.page.evaluate("sitting.queue.map(it => it.seq)")
    assert len(waiting) > 1
    lin.page.unroute("**/events")
    lin.page.reload()
    sitting = lin.enters().has_told_everything().leaves()
    in_order(school, sitting["session_id"])
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)


def test_an_answer_that_was_lost_makes_no_event_count_twice(study: Study, school: School) -> None:
    lin = study().enters().has_told_everything()
    lost: list[int] = []

    def swallow(route: Route) -> None:
        if lost:
            route.continue_()
        else:
            lost.append(route.fetch().status)  # the service has it, the page never hears of it
            route.abort()

    lin.page.route("**/events", swallow)
    seen_s = lin.watches(1.5).pauses().has_told_everything().at()
    assert lost == [200]
    sitting = lin.leaves()
    in_order(school, sitting["session_id"])
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)


@pytest.mark.thorough
def test_a_line_that_loses_and_refuses_most_of_what_is_sent_costs_nothing(
    study: Study, school: School
) -> None:
    lin = study().enters().has_told_everything()
    road = cycle(("lost", "cut", "throttled", "well", "busy", "lost", "well"))
    fates: list[str] = []
    anybody = {"access-control-allow-origin": "*", "access-control-expose-headers": "retry-after"}

    def drive(route: Route) -> None:
        fates.append(next(road))
        if fates[-1] in ("busy", "throttled"):
            status = 503 if fates[-1] == "busy" else 429
            route.fulfill(status=status, headers={**anybody, "retry-after": "1"})
        elif fates[-1] == "well":
            route.continue_()
        else:
            if fates[-1] == "lost":
                route.fetch()  # the service has it, the page never hears of it
            route.abort()

    lin.page.route("**/events", drive)
    seen_s = lin.watches(15).pauses().has_told_everything(within_s=120).at()
    assert {"lost", "cut", "throttled", "well"} <= {*fates}
    lin.page.unroute("**/events")  # what cannot be sent at the end waits for the next page
    sitting = lin.leaves()
    in_order(school, sitting["session_id"])
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert not [it for it in sitting["verdict"]["findings"] if it["outcome"] == "violation"]


@pytest.mark.parametrize(
    "answer",
    [
        (400, "<html>维护中</html>"),
        *later(
            (200, "<html>维护中</html>"),
            (200, '{"code":401,"msg":"登录过期"}'),
            (401, '{"code":401,"msg":"登录过期"}'),
            (403, "<html>禁止访问</html>"),
            (422, ""),
        ),
    ],
)
def test_a_gateway_that_answers_for_the_service_loses_nothing(
    study: Study, school: School, answer: tuple[int, str]
) -> None:
    status, says = answer
    lin = study().enters().has_told_everything()
    anybody = {"access-control-allow-origin": "*"}
    lin.page.route("**/events", lambda it: it.fulfill(status=status, body=says, headers=anybody))
    lin.watches(1.5)
    lin.page.wait_for_function("() => told.some(([name]) => name === 'offline')")
    lin.page.unroute("**/events")
    seen_s = lin.pauses().has_told_everything().at()
    sitting = lin.leaves()
    in_order(school, sitting["session_id"])
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)


def test_a_jump_is_told_from_where_to_where(study: Study, school: School) -> None:
    lin = study().enters().watches(1)
    left_at_s = lin.page.evaluate("(at => (video.currentTime = 20, at))(video.currentTime)")
    seen_s = left_at_s + lin.watches(1).pauses().at() - 20
    sitting = lin.leaves()
    kinds = in_order(school, sitting["session_id"])
    assert kinds.count("seek") == 1
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    (first, *_), *_ = sorted(sitting["credited"])
    assert first == pytest.approx(0, abs=100)


@pytest.mark.thorough
def test_a_page_that_replaces_what_the_browser_offers_changes_nothing(
    study: Study, school: School
) -> None:
    wu = study().enters()
    wu.page.evaluate(
        """() => {
          const media = HTMLMediaElement.prototype;
          const { get } = Object.getOwnPropertyDescriptor(media, "currentTime");
          window.really = () => get.call(video);
          window.fetch = () => Promise.reject(new Error("blocked"));
          const real = Date.now;
          Date.now = () => real() * 4;
          window.Date = class extends Date { static now() { return 7; } };
          performance.now = () => 7;
          EventTarget.prototype.addEventListener = () => {};
          Document.prototype.hasFocus = () => true;
          Object.defineProperty(document, "hidden", { get: () => false });
          Object.defineProperty(video, "currentTime", { get: () => 2700, set: () => {} });
          Object.defineProperty(HTMLMediaElement.prototype, "playbackRate", { get: () => 1 });
          JSON.stringify = () => "{}";
          Storage.prototype.setItem = () => {};
        }"""
    )
    until = "while (really() < 1.5) await new Promise(requestAnimationFrame)"
    wu.page.evaluate(f"async () => {{ await video.play(); {until}; }}")
    seen_s = wu.pauses().has_told_everything().page.evaluate("really()")
    sitting = wu.leaves()
    assert in_order(school, sitting["session_id"])[-2:] == ["pause", "progress"]
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)


def test_speed_is_told_and_earns_nothing(study: Study, school: School) -> None:
    wu = study().enters()
    wu.page.evaluate("video.playbackRate = 8")
    sitting = wu.watches(18).pauses().leaves()
    assert "rate" in in_order(school, sitting["session_id"])
    assert credited_s(sitting) < 15  # three seconds, and the tolerance of ten for the network


@pytest.mark.thorough
def test_an_outage_that_outlives_the_sitting_loses_nothing_and_goes_on_in_another(
    study: Study, school: School
) -> None:
    lin = study().enters().has_told_everything()
    first = lin.session()
    lin.page.context.set_offline(True)
    lin.watches(1).pauses()
    kept = lin.page.evaluate("sitting.queue.length")
    assert kept
    school.clock.advance(20 * 60)  # the lease, and a quarter of an hour more
    assert expired(school, first)
    school.clock.advance(20 * 60)
    lin.page.context.set_offline(False)
    lin.page.wait_for_function(
        "first => sitting.session !== first && sitting.state === 'open'", arg=first
    )
    sitting = lin.has_told_everything().leaves()
    told = [it for it in school.notes(sitting["session_id"]) if it["type"] == "error"]
    assert not told  # what waited was taken as late evidence of the sitting it was noted in
    assert len(in_order(school, first)) > kept
    in_order(school, sitting["session_id"])


def expired(school: School, session: str) -> bool:
    """Once the service has noticed, which takes it some seconds."""
    return eventually(lambda: school.sitting(session)["state"] == "expired")


def test_a_window_that_was_closed_in_an_outage_leaves_its_record_to_the_next(
    study: Study, school: School
) -> None:
    lin = study().enters().has_told_everything()
    session = lin.session()
    lin.page.route("**/events", lambda route: route.abort())
    lin.watches(1).pauses()
    other = lin.page.context.new_page()
    lin.page.close()
    other.goto(school.lesson(lin.name))
    assert eventually(lambda: "pause" in in_order(school, session))
    assert in_order(school, session).count("pause") == 1


def test_a_service_that_has_enough_is_given_time(study: Study, school: School) -> None:
    lin = study().enters().has_told_everything()
    kept = "Object.entries(localStorage).find(([it]) => it.startsWith('zhenxue:sitting'))[1]"
    token = lin.page.evaluate(f"JSON.parse({kept}).token")
    path = f"{school.service}/v1/sessions/{lin.session()}/events"
    headers = {"authorization": f"Bearer {token}"}
    school.clock.advance(60 - school.clock() / 1000 % 60)  # requests are counted by the minute
    answers = [lin.page.request.post(path, headers=headers, data="{}").status for _ in range(260)]
    assert answers[-1] == 429
    lin.watches(0.5).pauses()
    lin.page.wait_for_function("() => told.some(([name]) => name === 'offline')")
    assert lin.page.evaluate("sitting.queue.length") >= 3
    assert lin.state() == "open"


@pytest.mark.thorough
def test_a_jump_ahead_that_the_page_forbids_is_information_only(
    study: Study, school: School
) -> None:
    lin = study(blockAhead=True).enters().watches(1).pauses()
    lin.page.evaluate("video.currentTime = 25")
    lin.page.wait_for_function("() => !video.seeking && video.currentTime < 2")
    lin.page.evaluate("video.currentTime = 0.2")  # back is free
    seen_s = lin.watches(1.5).pauses().at()
    sitting = lin.leaves()
    assert in_order(school, sitting["session_id"]).count("seek") == 2
    assert credited_s(sitting) == pytest.approx(seen_s, abs=NEAR_S)
    assert [it["rule"] for it in sitting["verdict"]["findings"]] == ["face_liveness"]  # no photo
