"""Pop-ups through the API: a platform that reports late, and a learner who has longer to answer."""

from __future__ import annotations

from typing import Any, cast

import msgspec
import pytest
from fastapi.testclient import TestClient

from app.console import learner_messages
from app.console.language import language
from app.domain.accounts.users import ALL_COUNTIES
from app.domain.judging.views import HourVerdictView
from app.jobs.settler import settle_all
from app.services import Services
from app.store.catalogue.catalogue import classes_named
from app.store.judging import facts
from app.store.scope import EVERYTHING
from tests.api.test_sessions import found_school, opening, post, school
from tests.api.test_sitting_life import Desk, accusations
from tests.people import County, TestClock
from tests.thorough import later
from tests.verdicts import sign_in


@pytest.fixture
def desk(client: TestClient, county: County, clock: TestClock, services: Services) -> Desk:
    found_school(client, county, controls="platform")
    assert post(client, county, opening(session_id="s1")).status_code == 201
    return Desk(client, county, clock, services)


def beats(desk: Desk, count: int) -> dict[str, Any]:
    """Play on for so many heartbeats; what the last one was answered with."""
    for _ in range(count):
        desk.clock.advance(seconds=10)
        desk.position += 9.997
        told = desk.send({"type": "progress", "position": desk.position, "visible": True})
    answer: dict[str, Any] = told.json()
    return answer


def asked(desk: Desk) -> dict[str, Any]:
    """Play on until a pop-up is due; what the service asks."""
    while True:
        popup: dict[str, Any] = beats(desk, 1)["controls"].get("popup", {})
        if popup.get("due_in_s") == 0:
            return popup


@pytest.mark.parametrize("ahead_s", [-90, *later(0, 90)])
@pytest.mark.parametrize("late", ["at once", "after the answer", "at the end"])
def test_a_platform_may_report_its_popups_after_they_were_answered(
    desk: Desk, late: str, ahead_s: int
) -> None:
    """Its clock may be off, too."""
    waiting: list[dict[str, Any]] = []

    def report(popup: dict[str, Any]) -> None:
        url = f"/v1/sessions/{desk.session}/controls"
        told = desk.client.post(url, json={"controls": [popup]}, headers=desk.headers)
        assert told.json()["stored"] == 1

    beats(desk, 24)
    for name in ("p1", "p2", "p3"):
        issued = desk.clock() + ahead_s * 1000
        popup = {"control": "popup", "challenge_id": name, "nonce": name, "issued_at_ms": issued}
        if late == "at once":
            report(popup)
        own = {"challenge_id": name, "nonce": name}
        desk.send({"type": "popup_shown", **own}, {"type": "pause", "position": desk.position})
        desk.clock.advance(seconds=5)
        desk.send(
            {"type": "popup_answered", **own, "trusted": True, "latency_ms": 5000},
            {"type": "play", "position": desk.position},
        )
        if late == "after the answer":
            report(popup)
        waiting.append(popup)
        beats(desk, 24)
    if late == "at the end":
        for popup in waiting:
            report(popup)
    verdict = desk.verdict()
    assert accusations(verdict) == []
    assert [it["flags"] for it in desk.seen()["controls"] if it["control"] == "popup"] == [
        ["random_time"]
    ] * 3


@pytest.mark.parametrize("told", ["at once", "display first"])
def test_a_platform_tells_a_popup_with_its_answer_in_one_call_and_needs_no_events(
    desk: Desk, told: str
) -> None:
    url = f"/v1/sessions/{desk.session}/controls"

    def report(**popup: Any) -> dict[str, Any]:
        body = {"controls": [{"control": "popup", **popup}]}
        answer: dict[str, Any] = desk.client.post(url, json=body, headers=desk.headers).json()
        return answer

    beats(desk, 24)
    for name in ("p1", "p2"):
        popup = {"challenge_id": name, "issued_at_ms": desk.clock()}
        desk.send({"type": "pause", "position": desk.position})
        if told == "display first":
            assert report(**popup, shown_at_ms=desk.clock())["stored"] == 1
        desk.clock.advance(seconds=5)
        answer = popup | {"answered_at_ms": desk.clock()}
        desk.send({"type": "play", "position": desk.position})
        assert report(**answer)["stored"] == 1
        assert report(**answer)["unchanged"] == 1
        assert report(**answer | {"answered_at_ms": desk.clock() - 1})["rejected"][0]["code"] == (
            "challenge_differs"
        )
        beats(desk, 24)
    verdict = desk.verdict()
    assert [it for it in verdict["findings"] if it["rule"] == "popup_gap"] == []
    (first, second) = (it for it in desk.seen()["controls"] if it["control"] == "popup")
    assert first["latency_ms"] == second["latency_ms"] == 5000


@pytest.mark.parametrize(
    ("control", "times", "field"),
    [
        ("popup", {"answered_at_ms": -1}, "answered_at_ms"),
        ("popup", {"shown_at_ms": -1}, "shown_at_ms"),
        ("popup", {"shown_at_ms": 5_000, "answered_at_ms": 4_000}, "answered_at_ms"),
        ("popup", {"answered_at_ms": 3_600_000}, "answered_at_ms"),
        ("snapshot", {"answered_at_ms": 1_000}, "answered_at_ms"),
    ],
)
def test_an_answer_that_cannot_be_is_refused_by_its_field(
    desk: Desk, control: str, times: dict[str, int], field: str
) -> None:
    issued = desk.clock()
    told = {"control": control, "challenge_id": "p1", "issued_at_ms": issued}
    body = {"controls": [told | {name: issued + it for name, it in times.items()}]}
    answer = desk.client.post("/v1/sessions/s1/controls", json=body, headers=desk.headers).json()
    (refused,) = answer["rejected"]
    assert (refused["code"], refused["field"]) == ("bad_answer", field)


ACT = {
    "kind": "answer_time",
    "learner_id": "lin",
    "body": {"answer_window_s": 150},
    "reason": "uses a screen reader",
    "document": "certificate 17",
}


def test_a_learner_for_whom_longer_was_recorded_is_asked_and_judged_by_it(
    client: TestClient, school: County, clock: TestClock, services: Services
) -> None:
    recorded = client.post("/v1/classes/c1/acts", json=ACT, headers=school.huang.headers)
    assert recorded.status_code == 201, recorded.text
    post(client, school, opening(session_id="s1"))
    lin = Desk(client, school, clock, services)
    popup = asked(lin)
    assert popup["answer_window_s"] == 150
    own = {"challenge_id": popup["challenge_id"], "nonce": popup["nonce"]}
    lin.send({"type": "popup_shown", **own})
    beats(lin, 14)
    told = lin.send({"type": "popup_answered", **own, "trusted": True, "latency_ms": 140_000})
    assert "popup" not in told.json()["controls"]
    beats(lin, 15)
    client.post("/v1/sessions/s1/close", headers=school.huang.headers)
    settle_all(services)
    verdict = lin.seen()["verdict"]
    assert [it["reason"] for it in verdict["findings"] if it["rule"] == "popup_gap"] == []


def test_a_platform_s_word_gives_longer_to_few_and_never_for_the_past(
    client: TestClient, school: County, clock: TestClock, services: Services
) -> None:
    headers = school.huang.headers
    post(client, school, opening(session_id="s0"))
    past = Desk(client, school, clock, services, "s0")
    asked(past)
    client.post("/v1/sessions/s0/close", headers=headers)
    clock.advance(hours=1)
    first = client.post("/v1/classes/c1/acts", json=ACT, headers=headers).json()
    second = client.post("/v1/classes/c1/acts", json=ACT | {"learner_id": "wu"}, headers=headers)
    again = client.post("/v1/classes/c1/acts", json=ACT, headers=headers)
    assert first["state"] == again.json()["state"] == "in_force"
    assert second.json()["state"] == "awaits_approval"
    post(client, school, opening(session_id="s1"))
    assert windows(services) == {"s0": 0, "s1": 150_000}
    zhao = sign_in(services, "zhao", ALL_COUNTIES, "auditor")
    for act in (first, second.json()):
        approved = client.post(f"/v1/acts/{act['id']}/approval", headers=zhao)
        assert approved.status_code == 200, approved.text
    assert windows(services) == {"s0": 150_000, "s1": 150_000}
    twice = client.post(f"/v1/acts/{first['id']}/approval", headers=zhao)
    assert twice.json()["code"] == "already_approved"


def windows(services: Services) -> dict[str, int]:
    with services.database.read() as connection:
        evidence = facts.of_class(
            connection, classes_named(connection, EVERYTHING, "c1", None)[0].id
        )
    longer = evidence.trace.answer_ms.tolist() or [0] * len(evidence.sessions)
    return {it.external_id: ms for it, ms in zip(evidence.sessions, longer, strict=True)}


def test_credit_that_is_withheld_is_said_where_the_class_hour_is(
    client: TestClient, school: County, clock: TestClock, services: Services
) -> None:
    post(client, school, opening(session_id="s1"))
    lin = Desk(client, school, clock, services)
    popup = asked(lin)
    lin.send({"type": "popup_shown", **{k: popup[k] for k in ("challenge_id", "nonce")}})
    beats(lin, 6)
    lin.send({"type": "pause", "position": lin.position})
    for _ in range(5):
        clock.advance(seconds=10)
        lin.send({"type": "progress", "position": lin.position, "visible": True})
    lin.verdict()
    url = "/v1/classes/c1/class-hours?learner_id=lin"
    (learner,) = client.get(url, headers=school.huang.headers).json()["learners"]
    hour = learner["class_hours"][0]
    assert [it for it in hour["findings"] if it["rule"] == "popup_gap"] == []
    (told,) = (it for it in hour["withheld"] if it["rule"] == "popup_gap")
    assert (told["reason"], told["outcome"]) == ("unanswered_play_stopped", "clear")
    assert told["measured"] == pytest.approx(60, abs=0.5)
    (own, *_) = learner_messages.withheld(
        {1: cast(Any, msgspec.convert(hour, HourVerdictView))}, language("zh")
    )
    words = "弹窗出来后没有点，之后的这段时间没有算进去。不是认定您违规，请补看。"
    assert (own.hour, own.told) == (1, words)


def test_a_page_that_plays_on_when_its_sitting_is_over_costs_minutes_and_accuses_nobody(
    client: TestClient, school: County, clock: TestClock, services: Services
) -> None:
    post(client, school, opening(session_id="s1"))
    lin = Desk(client, school, clock, services)
    popup = asked(lin)
    own = {"challenge_id": popup["challenge_id"], "nonce": popup["nonce"]}
    lin.send({"type": "popup_shown", **own})
    lin.send({"type": "popup_answered", **own, "trusted": True, "latency_ms": 3_000})
    beats(lin, 5)
    lin.wait(3_600)
    assert beats(lin, 200)["controls"]["stop"]["code"] == "expired"
    verdict = lin.verdict()
    assert accusations(verdict) == []
    (told,) = (it for it in verdict["findings"] if it["rule"] == "popup_gap")
    assert (told["reason"], told["outcome"]) == ("none_issued", "clear")
    assert verdict["credited_ms"] < 800_000


def test_whoever_has_no_more_time_is_asked_by_the_pack_s(
    client: TestClient, school: County, clock: TestClock, services: Services
) -> None:
    client.post("/v1/classes/c1/acts", json=ACT, headers=school.huang.headers)
    post(client, school, opening(session_id="s1", learner_id="wu", window_id="w2"))
    assert asked(Desk(client, school, clock, services))["answer_window_s"] == 60


__all__ = ["school"]
