"""Lin's player speaks xAPI: what it says becomes the events of her sitting."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.jobs.lease_sweep import sweep
from app.jobs.settler import settle_all
from app.services import Services
from app.store.events import event_log
from detectors.trace import Kind
from models import Session
from tests.api.test_sessions import found_school, opening, post
from tests.api.test_xapi import ID, Lrs
from tests.people import County, TestClock

ADL = "http://adlnet.gov/expapi/verbs/"
VIDEO = "https://w3id.org/xapi/video/"


def said(verb: str, session: str = "s1", **result: Any) -> dict[str, Any]:
    extensions = {f"{VIDEO}extensions/{name.replace('_', '-')}": it for name, it in result.items()}
    return {
        "actor": {"account": {"homePage": "https://huang.example", "name": "lin"}},
        "verb": {"id": verb},
        "object": {"id": "https://huang.example/lessons/l1"},
        "result": {"extensions": extensions},
        "context": {"extensions": {f"{VIDEO}extensions/session-id": session}},
    }


def played(time: float, **more: Any) -> dict[str, Any]:
    return {**said(f"{VIDEO}verbs/played", time=time), **more}


def paused(time: float, **more: Any) -> dict[str, Any]:
    return {**said(f"{VIDEO}verbs/paused", time=time), **more}


@pytest.fixture
def lrs(client: TestClient, county: County) -> Lrs:
    """Lin's sitting `s1` is open."""
    found_school(client, county, controls="platform")
    assert post(client, county, opening(session_id="s1")).status_code == 201
    return Lrs(client, county.huang)


def tell(lrs: Lrs, *statements: dict[str, Any]) -> list[str]:
    answer = lrs.post(list(statements))
    assert answer.status_code == 200, answer.text
    ids: list[str] = answer.json()
    return ids


def heard(services: Services, session: str = "s1") -> list[tuple[int, str, int]]:
    """(seq, type, position in s) of what the sitting holds."""
    with services.database.read() as connection:
        query = select(Session).where(Session.external_id == session)
        row = connection.execute(query).one()
        log = event_log.read(connection, row.id)
    assert row.event_count == len(log.events)
    return [
        (int(it["seq"]), Kind(it["kind"]).name.lower(), int(it["pos_ms"]) // 1000)
        for it in log.events
    ]


@pytest.mark.parametrize("together", [True, False], ids=["forwarded", "one by one"])
def test_a_jump_that_tells_only_where_it_led_is_told_and_nobody_s_leap(
    lrs: Lrs, services: Services, clock: TestClock, together: bool
) -> None:
    """Played a minute, dragged on over twenty, played another."""
    jump = said(f"{VIDEO}verbs/seeked", time_to=1260)
    tell(lrs, with_length(played(0)))
    clock.advance(seconds=30)
    tell(lrs, said(ADL + "interacted", time=30))
    clock.advance(seconds=30)
    if together:
        tell(lrs, jump, with_length(played(1260)))
    else:
        tell(lrs, jump)
        tell(lrs, with_length(played(1260)))
    clock.advance(seconds=60)
    tell(lrs, with_length(paused(1320)))
    seeks = [it for it in heard(services) if it[1] == "seek"]
    assert [it[2] for it in seeks] == [30]
    verdict = closed(lrs, services)
    assert verdict["credited_ms"] == 90_000  # all but what was played before the jump
    assert {it["reason"] for it in verdict["findings"] if it["fault"] == "learner"} == set()


def fates(client: TestClient) -> dict[str, float]:
    lines = client.get("/metrics").text.splitlines()
    told = [it.rsplit(" ", 1) for it in lines if it.startswith("zhenxue_statements_total{")]
    return {name.split('"')[1]: float(count) for name, count in told if float(count)}


@pytest.mark.both_databases
def test_what_the_player_says_is_heard_in_the_order_it_came(lrs: Lrs, services: Services) -> None:
    tell(lrs, said(ADL + "initialized"), played(0))
    tell(lrs, paused(60), said(f"{VIDEO}verbs/seeked", time_from=60, time_to=30))
    tell(lrs, played(30), said(ADL + "completed", time=2700), said(ADL + "terminated", time=2700))
    assert heard(services) == [
        (0, "play", 0),
        (1, "pause", 60),
        (2, "seek", 60),
        (3, "play", 30),
        (4, "ended", 2700),
        (5, "pause", 2700),
    ]
    assert len(lrs.ids()) == 7
    assert fates(lrs.client) == {"taken": 6, "kept": 1}


@pytest.mark.both_databases
def test_a_statement_sent_twice_is_one_event(lrs: Lrs, services: Services) -> None:
    statement = played(0, id="7ccd3322-e1a5-411a-a67d-6a735c76f119")
    for _ in range(2):
        tell(lrs, statement)
    tell(lrs, statement, paused(5))
    assert heard(services) == [(0, "play", 0), (1, "pause", 5)]
    assert fates(lrs.client) == {"taken": 2, "duplicate": 2}


@pytest.mark.both_databases
def test_statements_sent_at_the_same_time_are_stored_once_and_numbered_apart(
    lrs: Lrs, services: Services
) -> None:
    shared = played(0, id="7ccd3322-e1a5-411a-a67d-6a735c76f119")

    def send(turn: int) -> int:
        return int(lrs.post([shared, paused(turn)]).status_code)

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send, range(12))) == {200}
    events = heard(services)
    assert [seq for seq, _, _ in events] == list(range(13))
    assert [kind for _, kind, _ in events].count("play") == 1
    assert len(lrs.ids()) == 13


def test_statements_go_on_where_events_left_off(lrs: Lrs, services: Services) -> None:
    event = {"seq": 41, "type": "play", "at_ms": 1_772_413_200_000, "position": 0}
    answer = lrs.client.post(
        "/v1/sessions/s1/events",
        json={"sent_at_ms": 1_772_413_200_000, "events": [event]},
        headers=lrs.headers,
    )
    assert answer.status_code == 200
    tell(lrs, paused(9))
    assert heard(services) == [(41, "play", 0), (42, "pause", 9)]


def test_the_servers_clock_counts_and_the_players_is_only_noted(
    lrs: Lrs, services: Services, clock: TestClock
) -> None:
    clock.advance(seconds=30)
    tell(lrs, played(0, timestamp="2026-03-02T08:00:00+08:00"), paused(1))
    with services.database.read() as connection:
        session = connection.execute(select(Session)).one()
        events = event_log.read(connection, session.id).events
    assert events["recv_ms"].tolist() == [30_000, 30_000]
    assert (events["at_ms"] - clock()).tolist() == [-3_630_000, 0]


def test_a_batch_may_tell_of_several_sittings(lrs: Lrs, county: County, services: Services) -> None:
    wu = opening("wu", session_id="s2", device_id="d2")
    assert post(lrs.client, county, wu).status_code == 201
    of_wu = said(f"{VIDEO}verbs/played", "s2", time=7)
    of_wu["actor"]["account"]["name"] = "wu"
    tell(lrs, played(0), of_wu, paused(5))
    assert heard(services) == [(0, "play", 0), (1, "pause", 5)]
    assert heard(services, "s2") == [(0, "play", 7)]


def test_statements_of_a_sitting_that_was_never_opened_are_only_kept(
    lrs: Lrs, client: TestClient, county: County, services: Services
) -> None:
    (statement_id,) = tell(lrs, said(f"{VIDEO}verbs/played", "s9", time=0))
    assert lrs.get(statementId=statement_id).status_code == 200
    tell(Lrs(client, county.guang), played(0))
    assert heard(services) == []
    assert fates(client) == {"unknown_session": 2}


def test_a_batch_that_is_refused_leaves_no_event(lrs: Lrs, services: Services) -> None:
    statement = played(0, id="7ccd3322-e1a5-411a-a67d-6a735c76f119")
    tell(lrs, statement)
    assert lrs.post([paused(5), {**statement, "result": {}}]).status_code == 409
    assert lrs.post([paused(5), {}]).status_code == 400
    assert heard(services) == [(0, "play", 0)]


def test_terminated_ends_nothing_the_lease_does(
    lrs: Lrs, services: Services, clock: TestClock
) -> None:
    tell(lrs, played(0), said(ADL + "terminated", time=5))
    url = "/v1/sessions/s1"
    assert lrs.client.get(url, headers=lrs.headers).json()["state"] == "open"
    clock.advance(seconds=119)
    tell(lrs, said(ADL + "interacted", time=5))  # renews the lease like any event
    clock.advance(seconds=119)
    assert sweep(services) == []
    clock.advance(seconds=1)
    assert len(sweep(services)) == 1
    assert lrs.client.get(url, headers=lrs.headers).json()["state"] == "expired"


def test_what_comes_long_after_the_end_is_only_kept(
    lrs: Lrs, services: Services, clock: TestClock
) -> None:
    lrs.client.post("/v1/sessions/s1/close", headers=lrs.headers)
    clock.advance(minutes=1)
    tell(lrs, played(0))  # it was under way
    clock.advance(minutes=15)
    tell(lrs, paused(5))
    clock.advance(days=30)
    tell(lrs, paused(6))
    assert heard(services) == [(0, "play", 0)]
    assert fates(lrs.client) == {"late": 1, "session_closed": 2}


def test_a_session_whose_numbers_are_used_up_takes_no_more(lrs: Lrs, services: Services) -> None:
    with services.database.write() as connection:
        connection.execute(update(Session).values(next_seq=2**31 - 2))
    tell(lrs, played(0), paused(1))
    assert heard(services) == []
    tell(lrs, paused(1))
    tell(lrs, paused(2))
    assert heard(services) == [(2**31 - 2, "pause", 1)]


def test_an_hour_told_in_statements_earns_its_minutes(
    lrs: Lrs, services: Services, clock: TestClock
) -> None:
    tell(lrs, played(0))
    for minute in range(1, 11):
        clock.advance(minutes=1)
        tell(lrs, said(ADL + "interacted", time=60 * minute))
    tell(lrs, paused(600, result={**paused(600)["result"], "completion": True}))
    lrs.client.post("/v1/sessions/s1/close", headers=lrs.headers)
    seen = lrs.client.get("/v1/sessions/s1", headers=lrs.headers).json()
    with services.database.read() as connection:
        session = connection.execute(select(Session)).one()
    assert session.learning_ms == 600_000
    assert seen["state"] == "closed"


def test_a_statement_that_reaches_no_sitting_is_stored_and_told_of(
    lrs: Lrs, services: Services, clock: TestClock
) -> None:
    taken = lrs.post([played(0), said(ADL + "experienced")])
    assert taken.headers["zhenxue-statements"] == "kept=1, taken=1"
    assert "zhenxue-remedy" not in taken.headers
    clock.advance(seconds=121)
    sweep(services)
    clock.advance(days=2)
    lost = lrs.put(paused(5) | {"id": ID})
    assert (lost.status_code, lost.headers["zhenxue-statements"]) == (204, "session_closed=1")
    assert "POST /v1/sessions" in lost.headers["zhenxue-remedy"]
    nowhere = lrs.post([said(f"{VIDEO}verbs/played", session="never", time=0)])
    assert nowhere.headers["zhenxue-statements"] == "unknown_session=1"
    url = "/v1/platforms/huang-edu/conformity"
    notes = lrs.client.get(url, headers=lrs.headers).json()["notes"]
    assert [(it["code"], it["count"]) for it in notes] == [
        ("session_closed", 1),
        ("unknown_session", 1),
    ]
    assert "1条xAPI语句" in notes[0]["sentence"]["zh"]
    clock.advance(days=31)
    assert lrs.client.get(url, headers=lrs.headers).json()["notes"] == []


def judged(
    lrs: Lrs, services: Services, clock: TestClock, seconds: int, session: str = "s1"
) -> list[dict[str, Any]]:
    """What the verdict says of a player that plays so long and tells its place every ten seconds,
    in statements alone."""
    tell(lrs, with_length(played(0)))
    for place in range(10, seconds + 1, 10):
        clock.advance(seconds=10)
        tell(lrs, said(ADL + "interacted", time=place))
    tell(lrs, with_length(paused(seconds)))
    findings: list[dict[str, Any]] = closed(lrs, services, session)["findings"]
    return findings


def closed(lrs: Lrs, services: Services, session: str = "s1") -> dict[str, Any]:
    """The verdict on a sitting that its platform closes."""
    lrs.client.post(f"/v1/sessions/{session}/close", headers=lrs.headers)
    settle_all(services)
    told = lrs.client.get(f"/v1/sessions/{session}", headers=lrs.headers).json()
    verdict: dict[str, Any] = told["verdict"]
    return verdict


def with_length(statement: dict[str, Any]) -> dict[str, Any]:
    """As the Video Profile wants it: the film's length in the context."""
    statement["context"]["extensions"][f"{VIDEO}extensions/length"] = 2640
    return statement


def test_a_popup_that_no_statement_can_bring_accuses_nobody(
    client: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    """The class runs the service's controls, and the answers to statements carry none."""
    found_school(client, county, controls="service")
    assert post(client, county, opening(session_id="s1")).status_code == 201
    findings = judged(Lrs(client, county.huang), services, clock, 420)
    popups = [it for it in findings if it["rule"] == "popup_gap"]
    told = [(it["outcome"], it["reason"], it["fault"]) for it in popups]
    assert told == [("not_proven", "not_delivered", "platform")]
