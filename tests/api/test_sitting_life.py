"""The life of a sitting through every door: breaks, late evidence, and how a refusal is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import msgspec
import pytest
from fastapi.testclient import TestClient

from app.console import learner_messages
from app.console.language import language
from app.domain.judging.views import HourVerdictView
from app.jobs.lease_sweep import sweep
from app.jobs.settler import settle_all
from app.services import Services
from tests.api.test_sessions import found_school, opening, post
from tests.api.test_xapi_events import paused
from tests.evidence import ndjson, picture, sitting
from tests.people import County, TestClock
from tests.thorough import later


@dataclass
class Desk:
    """Lin's sitting in a class whose platform runs its own controls."""

    client: TestClient
    county: County
    clock: TestClock
    services: Services
    session: str = "s1"
    seq: int = 0
    position: float = 0.0
    popups: int = 0

    @property
    def headers(self) -> dict[str, str]:
        return self.county.huang.headers

    def send(self, *events: dict[str, Any]) -> Any:
        told = []
        for event in events:
            told.append({"seq": self.seq, "at_ms": self.clock(), **event})
            self.seq += 1
        url = f"/v1/sessions/{self.session}/events"
        return self.client.post(url, json={"events": told}, headers=self.headers)

    def report(self, **changes: Any) -> Any:
        self.popups += 1
        popup = {
            "control": "popup",
            "challenge_id": f"p{self.popups}",
            "nonce": f"n{self.popups}",
            "issued_at_ms": self.clock(),
            **changes,
        }
        url = f"/v1/sessions/{self.session}/controls"
        return self.client.post(url, json={"controls": [popup]}, headers=self.headers)

    def answered(self) -> list[dict[str, Any]]:
        own = {"challenge_id": f"p{self.popups}", "nonce": f"n{self.popups}"}
        trusted = {"trusted": True, "input": "pointer", "latency_ms": 1500}
        return [{"type": "popup_shown", **own}, {"type": "popup_answered", **own, **trusted}]

    def wait(self, seconds: float) -> None:
        """Nothing arrives, and the sweep runs as it does."""
        for _ in range(round(seconds / 10)):
            self.clock.advance(seconds=10)
            sweep(self.services)

    def study(self, seconds: float, *, every_s: float = 200) -> None:
        for n in range(1, round(seconds / 10) + 1):
            self.clock.advance(seconds=10)
            sweep(self.services)
            self.position += 10.003
            beat = {"type": "progress", "position": self.position, "rate": 1, "visible": True}
            more = []
            if n * 10 % every_s == 0:
                answer = self.report()
                assert (answer.status_code, answer.json()["stored"]) == (200, 1), answer.text
                more = self.answered()
            answer = self.send(beat, *more)
            assert answer.status_code == 200, answer.text

    def seen(self) -> dict[str, Any]:
        seen: dict[str, Any] = self.client.get(
            f"/v1/sessions/{self.session}", headers=self.headers
        ).json()
        return seen

    def verdict(self) -> dict[str, Any]:
        self.client.post(f"/v1/sessions/{self.session}/close", headers=self.headers)
        settle_all(self.services)
        verdict: dict[str, Any] = self.seen()["verdict"]
        return verdict


@pytest.fixture
def desk(client: TestClient, county: County, clock: TestClock, services: Services) -> Desk:
    found_school(client, county, controls="platform")
    assert post(client, county, opening(session_id="s1")).status_code == 201
    return Desk(client, county, clock, services)


def accusations(verdict: dict[str, Any]) -> list[tuple[str, str]]:
    found = verdict["findings"]
    return [
        (it["rule"], it["reason"])
        for it in found
        if it["outcome"] in ("violation", "review") and it["rule"] not in ABOUT_PHOTOS
    ]


ABOUT_PHOTOS = ("face_liveness", "photo_retention")  # nobody sends any here


def test_a_break_longer_than_the_lease_is_a_break(desk: Desk) -> None:
    desk.study(400)
    desk.wait(200)
    assert desk.seen()["state"] == "expired"
    desk.study(600)
    seen = desk.seen()
    assert (seen["state"], seen["closed_at_ms"], seen["close_reason"]) == ("open", None, None)
    verdict = desk.verdict()
    assert accusations(verdict) == []
    assert verdict["credited_ms"] >= 995_000, verdict


@pytest.mark.parametrize("break_s", [130, 5_400, *later(60, 900, 1_200)])
@pytest.mark.parametrize("study_s", [590, *later(190)])
def test_whatever_the_break_it_accuses_nobody_and_costs_nothing(
    desk: Desk, break_s: int, study_s: int
) -> None:
    desk.study(400)
    desk.wait(break_s)
    desk.study(study_s)
    verdict = desk.verdict()
    assert accusations(verdict) == []
    assert verdict["credited_ms"] >= (400 + study_s) * 1000 - 10_500, verdict


@pytest.mark.parametrize("silence_s", [130, 1000, *later(600, 900)])
def test_a_popup_that_ends_the_break_is_taken_before_the_play_is_told(
    desk: Desk, silence_s: int
) -> None:
    desk.study(400)
    desk.wait(silence_s)
    assert desk.report().json()["stored"] == 1
    answer = desk.send({"type": "progress", "position": 400.0}, *desk.answered())
    assert answer.status_code == 200
    assert answer.json()["fate"] == "resumes"


def test_a_popup_that_the_platform_never_told_of_accuses_no_learner(desk: Desk) -> None:
    desk.study(200)
    answer = desk.report(issued_at_ms=desk.clock() - 86_400_000).json()
    assert answer["rejected"][0]["code"] == "outside_sitting"
    desk.send(*desk.answered())
    desk.study(200)
    assert accusations(desk.verdict()) == []
    assert any("unknown" in it["flags"] for it in desk.seen()["controls"])


# --------------------------------------------------- the same events through each of the doors


def by_events(desk: Desk) -> dict[str, Any]:
    answer = desk.send({"type": "pause", "position": 30.0})
    refused = answer.status_code == 409
    return answer.json() if refused else {"code": answer.json()["fate"]}


def by_forwarding(desk: Desk) -> dict[str, Any]:
    event = {"session_id": "s1", "seq": 90, "type": "pause", "at_ms": desk.clock(), "position": 30}
    answer = desk.client.post("/v1/events", json={"events": [event]}, headers=desk.headers).json()
    return answer["errors"][0] if "errors" in answer else {"code": answer["sessions"]["s1"]["fate"]}


def by_statement(desk: Desk) -> dict[str, Any]:
    headers = {**desk.headers, "x-experience-api-version": "1.0.3"}
    answer = desk.client.post("/xAPI/statements", json=[paused(30)], headers=headers)
    assert answer.status_code == 200  # the standard's word: it is stored
    told = answer.headers["zhenxue-statements"]
    (fate,) = [it.strip() for it in told.split(";")[0].split(",")]
    return {"code": fate.split("=")[0], "detail": answer.headers.get("zhenxue-remedy", "")}


def by_report(desk: Desk) -> dict[str, Any]:
    answer = desk.report()
    return answer.json() if answer.status_code == 409 else {"code": "stored"}


def by_photo(desk: Desk) -> dict[str, Any]:
    answer = desk.client.put(
        f"/v1/sessions/s1/snapshots/late?purpose=random&taken_at_ms={desk.clock()}",
        content=picture(),
        headers={**desk.headers, "content-type": "image/png"},
    )
    return answer.json() if answer.status_code == 409 else {"code": "stored"}


def by_renewal(desk: Desk) -> dict[str, Any]:
    answer = post(desk.client, desk.county, opening(session_id="s1"))
    return answer.json() if answer.status_code == 409 else {"code": "renewed"}


PLAY = (by_events, by_forwarding, by_statement)
BESIDE = (by_report, by_photo)
OVER = "session_closed"
MINUTE, DAY = 60, 86_400

LIFE = [
    # how it ended, seconds since, what becomes of play / of reports and photos / of a renewal
    ("open", 0, "taken", "stored", "renewed"),
    ("lease", 10, "resumes", "stored", "renewed"),
    ("lease", 14 * MINUTE, "resumes", "stored", "renewed"),
    ("lease", 16 * MINUTE, "late", "stored", OVER),
    ("lease", 120 * MINUTE, "late", "stored", OVER),
    ("lease", DAY + 5 * MINUTE, OVER, OVER, OVER),
    ("close", 10, "late", "stored", OVER),
    ("close", 14 * MINUTE, "late", "stored", OVER),
    ("close", 61 * MINUTE, OVER, OVER, OVER),
    ("supersede", 14 * MINUTE, "late", "stored", OVER),
    ("supersede", 61 * MINUTE, OVER, OVER, OVER),
    ("lease and rival", 5 * MINUTE, "late", "stored", OVER),
]


def end(desk: Desk, how: str) -> None:
    if how == "close":
        desk.client.post("/v1/sessions/s1/close", headers=desk.headers)
    elif how == "supersede":
        other = post(desk.client, desk.county, opening(session_id="s2"))  # the page was reloaded
        assert other.status_code == 201
    elif how != "open":
        desk.clock.advance(seconds=121)
        assert len(sweep(desk.services)) == 1
        if how == "lease and rival":
            other = post(desk.client, desk.county, opening(session_id="s2", device_id="d2"))
            assert other.status_code == 201


@pytest.mark.parametrize(("how", "since_s", "play", "beside", "renewal"), LIFE)
def test_every_door_tells_the_same_fate(
    desk: Desk, how: str, since_s: int, play: str, beside: str, renewal: str
) -> None:
    desk.study(20)
    end(desk, how)
    state = desk.seen()["state"]
    desk.clock.advance(seconds=since_s)
    doors = [(door, play) for door in PLAY] + [(door, beside) for door in BESIDE]
    for door, expected in [*doors, (by_renewal, renewal)]:
        told = door(desk)
        if told["code"] != expected:  # once one door resumed it, the others find it open
            assert (expected, told["code"]) == ("resumes", "taken"), door.__name__
        if expected == OVER:
            assert "POST /v1/sessions" in told["detail"], door.__name__
    resumed = "resumes" in (play, renewal) or renewal == "renewed"
    assert desk.seen()["state"] == ("open" if resumed else state)


def test_an_imported_sitting_takes_imports_and_nothing_else(desk: Desk) -> None:
    records = [
        it for it in sitting("old", start_ms=desk.clock() - 3_600_000) if it["kind"] != "control"
    ]
    told = desk.client.post("/v1/imports", content=ndjson(records[:4]), headers=desk.headers)
    assert told.json()["stored"]["session"] == 1, told.text
    desk.session = "old"
    for answer in (desk.send({"type": "pause", "position": 30.0}), desk.report()):
        assert (answer.status_code, answer.json()["code"]) == (409, "session_imported")
    again = desk.client.post("/v1/imports", content=ndjson(records), headers=desk.headers).json()
    assert again["stored"]["event"] == 6 and again["rejected"] == []
    assert (desk.seen()["state"], desk.seen()["provenance"]) == ("closed", "attested")


# ------------------------------------------------------------------- what a page says of itself


def test_a_page_that_says_hidden_all_the_time_is_told_while_it_plays_and_afterwards(
    desk: Desk,
) -> None:
    for n in range(1, 31):
        desk.clock.advance(seconds=10)
        beat = {"type": "progress", "position": 10.003 * n, "visible": False, "focused": True}
        answer = desk.send(beat).json()
        assert answer["controls"]["note"]["code"] == "hidden"
        assert "不计入学时" in answer["controls"]["note"]["text"]
    desk.clock.advance(seconds=10)
    shown = {"type": "progress", "position": 310.0, "visible": True, "focused": False}
    assert desk.send(shown).json()["controls"] == {}  # not clicked, and seen
    verdict = desk.verdict()
    assert verdict["outcome"] == "not_proven"
    (note,) = [it for it in verdict["findings"] if it["rule"] == "unseen_play"]
    assert (note["reason"], note["outcome"], note["class_hour"]) == ("hidden", "not_proven", 1)
    hours = desk.client.get("/v1/classes/c1/class-hours?learner_id=lin", headers=desk.headers)
    (first, *_) = hours.json()["learners"][0]["class_hours"]
    assert first["outcome"] == "not_proven", hours.text
    url = "/v1/platforms/huang-edu/conformity"
    record = desk.client.get(url, headers=desk.headers).json()
    assert record["classes"][0]["evidence"]["unseen_sittings"] == 1
    assert [it["code"] for it in record["notes"]] == ["unseen_play"]


def test_minutes_in_the_background_are_told_where_the_class_hour_lacks_them(desk: Desk) -> None:
    for n in range(1, 61):
        desk.clock.advance(seconds=10)
        beat = {"type": "progress", "position": 10.003 * n, "visible": not 10 < n <= 40}
        desk.send(beat)
    desk.verdict()
    hours = desk.client.get("/v1/classes/c1/class-hours?learner_id=lin", headers=desk.headers)
    (first, *_) = hours.json()["learners"][0]["class_hours"]
    (told,) = [it for it in first["withheld"] if it["rule"] == "unseen_play"]
    assert (told["reason"], told["outcome"]) == ("hidden", "clear")
    assert told["measured"] == pytest.approx(300, abs=1)
    (own,) = learner_messages.withheld(
        {1: cast(Any, msgspec.convert(first, HourVerdictView))}, language("zh")
    )
    assert "在后台或被遮住时播放了5分" in own.told and "没有算进去" in own.told
