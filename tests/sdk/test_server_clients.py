"""A platform's server, with the clients that come along, on a bad road: each event counts once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi import FastAPI
from standardwebhooks import Webhook as Signature

from app.db import Database
from app.http.patience import ImpatientProtocol
from app.jobs.face_worker import run_pending
from app.sdk.server.python.zhenxue_client import (
    BadSignature,
    Refused,
    Unanswered,
    Webhooks,
    Zhenxue,
)
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from tests.evidence import picture
from tests.people import LIN, County, TestClock, course, training_class
from tests.sdk.flaky_proxy import flaky
from tests.served import served

NEW, FORMER, OTHER = (f"whsec_{'YWFh' * 7}{it}" for it in ("YmJi", "Y2Nj", "ZGRk"))
LESSON = {"learner_id": "lin", "class_id": "c1", "lesson_id": "l1"}
WHERE = {"device_id": "phone", "window_id": "tab"}


@pytest.fixture
def school(app: FastAPI, database: Database, county: County) -> Iterator[tuple[str, str]]:
    """(the flaky address of a service with a class whose platform runs the controls, its key)"""
    with served(app, http=ImpatientProtocol) as address:
        there = Zhenxue(address, county.huang.secret)
        klass = training_class(controls="platform")
        there.call("PUT", "/v1/courses/sewing", course())
        there.call("PUT", "/v1/classes/c1", klass)
        there.call("PUT", "/v1/classes/c1/roster", {"learners": [LIN]})
        with flaky(address) as road:
            yield road, county.huang.secret


@pytest.fixture
def nearby(app: FastAPI, database: Database, county: County) -> Iterator[Zhenxue]:
    """A school like that at the end of a road that loses nothing."""
    with served(app, http=ImpatientProtocol) as address:
        there = Zhenxue(address, county.huang.secret, timeout_s=60)
        there.call("PUT", "/v1/courses/sewing", course())
        there.call("PUT", "/v1/classes/c1", training_class(controls="platform"))
        there.call("PUT", "/v1/classes/c1/roster", {"learners": [LIN]})
        yield there


@pytest.fixture
def zhenxue(school: tuple[str, str]) -> Zhenxue:
    address, key = school
    return Zhenxue(address, key, timeout_s=1, sleep=lambda seconds: time.sleep(seconds / 50))


def judged(zhenxue: Zhenxue, session_id: str) -> dict[str, Any]:
    for _ in range(300):
        told = zhenxue.sitting(session_id)
        if told["verdict"] is not None:
            return told
        time.sleep(0.02)
    raise AssertionError("nobody judged the sitting")


def test_a_sitting_over_a_bad_road_counts_every_event_once(
    zhenxue: Zhenxue, clock: TestClock
) -> None:
    sitting = zhenxue.open(**LESSON, **WHERE)
    for beat in range(13):
        sitting.add("progress", clock(), position=beat * 10.0, rate=1, visible=True, focused=True)
        if beat % 2:
            sitting.flush()
        clock.advance(seconds=10)
    popup = {"control": "popup", "challenge_id": "p1", "issued_at_ms": clock() - 20_000}
    shown = {"shown_at_ms": clock() - 20_000, "answered_at_ms": clock() - 15_000}
    asked = {"control": "snapshot", "challenge_id": "f1", "issued_at_ms": clock() - 9_000}
    sitting.report_controls({**popup, **shown}, asked)
    sitting.photo("one", picture(), purpose="random", taken_at_ms=clock(), challenge_id="f1",
                  content_type="image/png")  # fmt: skip
    sitting.add("pause", clock(), position=120.0)
    sitting.close("finished")

    assert (sitting.accepted + sitting.duplicates, sitting.rejected) == (14, [])
    told = judged(zhenxue, sitting.session_id)
    assert (told["event_count"], told["state"]) == (14, "closed")
    assert told["verdict"]["credited_ms"] == 120_000
    assert sorted(it["control"] for it in told["controls"]) == ["popup", "snapshot"]


def test_what_is_forwarded_for_many_sittings_counts_once(
    zhenxue: Zhenxue, clock: TestClock
) -> None:
    sitting = zhenxue.open(**LESSON, **WHERE, session_id="many")
    events = [
        {"session_id": "many", "type": "progress", "at_ms": clock(), "position": 0.0, "rate": 1}
        for _ in range(1500)
    ]
    for _ in range(3):
        told = zhenxue.forward(events, "night-1")
        assert [it["accepted"] + it["duplicates"] for it in told] == [1000, 500]
    assert zhenxue.sitting(sitting.session_id)["event_count"] == 1500


def test_a_refusal_is_told_and_keeps_what_was_refused(zhenxue: Zhenxue, clock: TestClock) -> None:
    sitting = zhenxue.open(**LESSON, **WHERE)
    with pytest.raises(Refused, match="concurrent_session"):
        zhenxue.open(**LESSON, device_id="other", window_id="tab")
    sitting.add("nonsense", clock())
    sitting.flush()
    sitting.close()
    clock.advance(hours=1)
    sitting.add("pause", clock(), position=0.0)
    with pytest.raises(Refused, match="session_closed"):
        sitting.flush()
    assert [it["event"]["type"] for it in sitting.rejected] == ["nonsense", "pause"]
    assert sitting.flush() is sitting.controls


@pytest.mark.thorough
def test_patience_ends_and_what_waits_goes_later(school: tuple[str, str], clock: TestClock) -> None:
    address, key = school
    sitting = Zhenxue(address, key, timeout_s=1).open(**LESSON, **WHERE)
    hasty = Zhenxue(address, key, patience_s=0)
    patient, sitting._zhenxue = sitting._zhenxue, hasty
    sitting.add("pause", clock(), position=0.0)
    with pytest.raises(Unanswered):
        for _ in range(10):  # some fate of the road
            sitting.flush()
            sitting.add("pause", clock(), position=0.0)
    sitting._zhenxue = patient
    sitting.flush()
    counted = patient.sitting(sitting.session_id)["event_count"]
    assert counted == sitting.accepted + sitting.duplicates > 0


def sign(
    *secrets: str, age_s: int = 0, body: str = '{"type":"webhook.test","data":{}}'
) -> tuple[dict[str, str], bytes]:
    at = int(time.time()) - age_s
    signatures = [
        Signature(it).sign("msg_1", datetime.fromtimestamp(at, UTC), body) for it in secrets
    ]
    headers = {
        "Webhook-Id": "msg_1",
        "Webhook-Timestamp": str(at),
        "Webhook-Signature": " ".join(signatures),
    }
    return headers, body.encode()


BAD: dict[str, Callable[[], Any]] = {
    "another secret": lambda: sign(OTHER),
    "too old": lambda: sign(NEW, age_s=301),
    "from the future": lambda: sign(NEW, age_s=-302),
    "another body": lambda: (sign(NEW)[0], b'{"type":"session.verdict","data":{}}'),
    "no header": lambda: ({}, sign(NEW)[1]),
    "another version": lambda: (
        {
            **sign(NEW)[0],
            "Webhook-Signature": sign(NEW)[0]["Webhook-Signature"].replace("v1", "v2"),
        },
        sign(NEW)[1],
    ),
}


@pytest.mark.parametrize("receiver", [(NEW,), (FORMER,), (NEW, FORMER)])
def test_a_webhook_is_taken_while_its_secret_is_exchanged(receiver: tuple[str, ...]) -> None:
    """The service signs with both secrets for a day, before and after the receiver changed."""
    message = Webhooks(*receiver).verify(*sign(NEW, FORMER))
    assert (message.id, message.type) == ("msg_1", "webhook.test")


@pytest.mark.parametrize("why", BAD)
def test_a_webhook_that_is_not_ours_or_old_is_refused(why: str) -> None:
    with pytest.raises(BadSignature):
        Webhooks(NEW, FORMER).verify(*BAD[why]())


def test_a_message_that_comes_again_is_handled_once_unless_its_handler_failed() -> None:
    handled: list[str] = []

    def fails(message: Any) -> None:
        raise OSError("the platform's database is away")

    receiver = Webhooks(NEW)
    with pytest.raises(OSError, match="away"):
        receiver.handle(*sign(NEW), fails)
    assert receiver.handle(*sign(NEW), lambda it: handled.append(it.id))
    assert not receiver.handle(*sign(NEW, age_s=60), lambda it: handled.append(it.id))
    assert handled == ["msg_1"]


def shot(noise: int) -> bytes:
    """Lin before her camera; JPEG."""
    return portrait(PORTRAIT_SEEDS[12], noise_seed=noise, mouth_open=0.2, light=0.85)


def knows_her_face(zhenxue: Zhenxue, app: FastAPI) -> None:
    for take in range(3):
        shown = portrait(PORTRAIT_SEEDS[12], noise_seed=100 + take, mouth_open=0.3, light=0.9)
        path = "/v1/learners/lin/reference-photo"
        zhenxue.call("PUT", path, shown, content_type="image/jpeg")
    run_pending(app.state.services)


def is_a_valid_class_hour(zhenxue: Zhenxue, session_id: str) -> None:
    told = judged(zhenxue, session_id)
    assert told["verdict"]["outcome"] == "valid", told["verdict"]["findings"]
    hours = zhenxue.call("GET", "/v1/classes/c1/class-hours?learner_id=lin")
    assert hours["learners"][0]["class_hours"][0]["outcome"] == "valid"


@pytest.mark.slow
@pytest.mark.thorough
def test_a_whole_lesson_of_a_platform_s_own_controls_is_a_valid_class_hour(
    nearby: Zhenxue, clock: TestClock, app: FastAPI
) -> None:
    knows_her_face(nearby, app)
    sitting = nearby.open(**LESSON, **WHERE)

    def photo(name: str, control: str, purpose: str, noise: int) -> None:
        asked = {"control": control, "challenge_id": name, "issued_at_ms": clock()}
        sitting.report_controls(asked)
        sitting.photo(name, shot(noise), purpose=purpose, taken_at_ms=clock(), challenge_id=name,
                      content_type="image/jpeg")  # fmt: skip

    photo("face-1", "face_check", "start", 11)
    for beat in range(271):
        sitting.add("progress", clock(), position=beat * 10.0, rate=1, visible=True, focused=True)
        if beat % 24 == 23:
            sitting.add("pause", clock(), position=beat * 10.0)
            popup = {"control": "popup", "challenge_id": f"p{beat}", "issued_at_ms": clock()}
            shown_ms = clock()
            clock.advance(seconds=6)
            answered = {"shown_at_ms": shown_ms, "answered_at_ms": clock()}
            sitting.flush()
            sitting.report_controls({**popup, **answered})
            sitting.add("play", clock(), position=beat * 10.0)
        if beat == 100:
            photo("random-1", "snapshot", "random", 12)
        if beat == 150:
            photo("face-2", "face_check", "challenge", 13)
        sitting.flush()
        clock.advance(seconds=10)
    sitting.add("pause", clock(), position=2700.0)
    run_pending(app.state.services)
    sitting.close("finished")
    is_a_valid_class_hour(nearby, sitting.session_id)
