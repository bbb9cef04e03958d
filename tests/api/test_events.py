"""The hot path as a platform sees it: what is acknowledged, what is refused, and how it is said."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
import zstandard
from fastapi.testclient import TestClient
from sqlalchemy.event import listen, remove

from app.simulation.entities import invented_id_number
from tests.api.test_sessions import found_school, opening, post
from tests.people import LIN, County, TestClock

PATH = "/v1/sessions/s1/events"


@pytest.fixture
def school(client: TestClient, county: County) -> County:
    """Lin sits in session s1 of Huangchuan's platform."""
    found_school(client, county)
    assert post(client, county, opening(session_id="s1")).status_code == 201
    return county


@pytest.fixture
def beat(clock: TestClock):
    def beat(seq: int, **more: Any) -> dict[str, Any]:
        event = {
            "seq": seq,
            "type": "progress",
            "at_ms": clock(),
            "position": seq * 10.0,
            "rate": 1,
        }
        return event | more

    return beat


def send(client: TestClient, county: County, events: Any, **more: Any) -> Any:
    return client.post(PATH, json={"events": events}, headers=county.huang.headers, **more)


@pytest.mark.both_databases
def test_a_batch_is_acknowledged_with_the_head_of_its_chain(client, school, beat, clock):
    clock.advance(seconds=10)
    first = send(client, school, [beat(0), beat(1)]).json()
    assert (first["accepted"], first["duplicates"], first["rejected"]) == (2, 0, [])
    assert first["next_seq"] == 2
    assert first["lease"]["expires_at_ms"] == clock() + 120_000
    second = send(client, school, [beat(2)]).json()
    assert len(second["chain"]) == 64 and second["chain"] != first["chain"]
    told = client.get("/v1/sessions/s1", headers=school.huang.headers).json()
    assert (told["chain"], told["event_count"]) == (second["chain"], 3)


@pytest.mark.both_databases
def test_the_same_batch_again_changes_nothing(client, school, beat):
    events = [beat(0), beat(1)]
    first = send(client, school, events).json()
    again = send(client, school, events).json()
    assert (again["accepted"], again["duplicates"]) == (0, 2)
    assert again["chain"] == first["chain"]


def test_what_is_sent_again_with_a_new_time_is_the_same(client, school, beat):
    send(client, school, [beat(0)])
    again = send(client, school, [{**beat(0), "at_ms": beat(0)["at_ms"] + 1_500}, beat(1)]).json()
    assert (again["accepted"], again["duplicates"], again["rejected"]) == (1, 1, [])


def test_one_number_with_two_contents_is_told_and_kept_for_review(client, school, beat):
    send(client, school, [beat(0)])
    answer = send(client, school, [beat(0, position=99.0), beat(1)]).json()
    assert answer["accepted"] == 1
    assert [(it["index"], it["code"]) for it in answer["rejected"]] == [(0, "seq_conflict")]


def test_good_events_are_kept_and_each_bad_one_is_named(client, school, beat):
    events = [beat(0), beat(1, position="far"), beat(2), {"seq": 3, "type": "levitate", "at_ms": 1}]
    answer = send(client, school, events)
    assert answer.status_code == 200
    body = answer.json()
    assert body["accepted"] == 2
    assert [it["index"] for it in body["rejected"]] == [1, 3]
    assert body["rejected"][0]["detail"].startswith("position:")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"position": 1e308}, "position"),
        ({"position": "12"}, "position"),
        ({"seq": -1}, "seq"),
        ({"seq": 2**40}, "seq"),
        ({"seq": "1"}, "seq"),
        ({"at_ms": "yesterday"}, "at_ms"),
        ({"rate": "fast"}, "rate"),
        ({"visible": "yes"}, "visible"),
        ({"type": "fly"}, "type"),
    ],
)
def test_a_batch_without_a_good_event_is_refused_and_stores_nothing(
    client, school, beat, change, named
):
    answer = send(client, school, [beat(0) | change])
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["errors"][0]["detail"].startswith(named)
    assert client.get("/v1/sessions/s1", headers=school.huang.headers).json()["event_count"] == 0


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_positions_that_are_no_numbers_are_refused(client, school, clock, literal):
    body = f'{{"events":[{{"seq":0,"type":"play","at_ms":{clock()},"position":{literal}}}]}}'
    answer = client.post(PATH, content=body, headers=school.huang.headers)
    assert answer.status_code in (400, 422)


def test_the_number_of_events_has_bounds(client, school, beat):
    assert send(client, school, []).json()["code"] == "no_events"
    assert send(client, school, [beat(n, position=n) for n in range(1000)]).status_code == 200
    answer = send(client, school, [beat(n) for n in range(1001)])
    assert (answer.status_code, answer.json()["code"]) == (422, "too_many_events")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"events":{}}', b"\xff\xfe", b"{}"])
def test_what_is_no_batch_is_refused(client, school, body):
    answer = client.post(PATH, content=body, headers=school.huang.headers)
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("malformed_json", "invalid_batch")


def test_lines_of_json_are_a_batch_too(client, school, beat):
    body = "\n".join(json.dumps(beat(n)) for n in range(3)) + "\n"
    headers = school.huang.headers | {"content-type": "application/x-ndjson"}
    assert client.post(PATH, content=body, headers=headers).json()["accepted"] == 3


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("zstd", zstandard.ZstdCompressor().compress)],
)
def test_compressed_bodies_are_unpacked(client, school, beat, encoding, pack):
    body = json.dumps({"events": [beat(n) for n in range(200)]}).encode()
    headers = school.huang.headers | {"content-encoding": encoding}
    assert client.post(PATH, content=pack(body), headers=headers).json()["accepted"] == 200
    cut = client.post(PATH, content=pack(body)[:-9], headers=headers)
    assert (cut.status_code, cut.json()["code"]) == (400, "malformed_encoding")
    bomb = client.post(PATH, content=pack(b" " * 50_000_000), headers=headers)
    assert (bomb.status_code, bomb.json()["code"]) == (413, "body_too_large")


def test_an_unknown_encoding_or_media_type_is_refused(client, school, beat):
    body = json.dumps({"events": [beat(0)]})
    for header in ({"content-encoding": "br"}, {"content-type": "text/html"}):
        answer = client.post(PATH, content=body, headers=school.huang.headers | header)
        assert answer.status_code == 415


def test_a_body_of_ten_megabytes_is_refused(client, school):
    answer = client.post(PATH, content=b"x" * 10_000_000, headers=school.huang.headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


def test_a_foreign_platform_and_a_stranger_do_not_find_the_session(client, school, beat):
    body = {"events": [beat(0)]}
    foreign = client.post(PATH, json=body, headers=school.guang.headers)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "unknown_session")
    assert client.post(PATH, json=body).status_code == 401
    wrong = client.post(PATH, json=body, headers={"authorization": "Bearer zx_nobody"})
    assert wrong.status_code == 401
    unknown = "/v1/sessions/nobody/events"
    assert client.post(unknown, json=body, headers=school.huang.headers).status_code == 404


def test_events_of_many_sessions_come_in_one_body(client, school, beat):
    wu = opening("wu", session_id="s2", device_id="d2", window_id="w2")
    assert post(client, school, wu).status_code == 201
    events = [
        {"session_id": "s1", **beat(0)},
        {"session_id": "s2", **beat(0)},
        {"session_id": "s2", **beat(1)},
        {"session_id": "nobody", **beat(0)},
        beat(5),
    ]
    body = client.post("/v1/events", json={"events": events}, headers=school.huang.headers).json()
    assert body["accepted"] == 3
    assert {name: told["next_seq"] for name, told in body["sessions"].items()} == {"s1": 1, "s2": 2}
    assert [(it["index"], it["code"]) for it in body["rejected"]] == [
        (3, "unknown_session"),
        (4, "missing_field"),
    ]


@pytest.mark.both_databases
def test_sittings_of_one_body_wait_for_the_disk_together(client, school, beat):
    names = [f"of-{n}" for n in range(12)]
    people = [
        LIN | {"learner_id": it, "id_number": invented_id_number(n)} for n, it in enumerate(names)
    ]
    client.put("/v1/classes/c1/roster", json={"learners": people}, headers=school.huang.headers)
    for name in names:
        assert post(client, school, opening(name, session_id=name, device_id=name)).is_success
    client.post(f"/v1/sessions/{names[3]}/close", json={}, headers=school.huang.headers)
    commits: list[object] = []
    engine = client.app.state.services.database.engine
    count = commits.append
    listen(engine, "commit", count)
    events = [{"session_id": name, **beat(0)} for name in names]
    body = client.post("/v1/events", json={"events": events}, headers=school.huang.headers).json()
    remove(engine, "commit", count)
    assert (body["accepted"], len(body["sessions"]), body["rejected"]) == (12, 12, [])
    assert list(body["sessions"][names[3]]["controls"]) == ["stop"]
    assert 1 <= len(commits) <= 8  # one after another it would be two each


def test_a_closed_session_takes_what_was_under_way_and_then_no_more(client, school, beat, clock):
    send(client, school, [beat(0)])
    client.post("/v1/sessions/s1/close", json={"reason": "ended"}, headers=school.huang.headers)
    clock.advance(minutes=1)
    answer = send(client, school, [beat(1)]).json()
    assert answer["accepted"] == 1
    assert list(answer["controls"]) == ["stop"] and answer["controls"]["stop"]["code"] == "closed"
    clock.advance(hours=1)
    late = send(client, school, [beat(2)])
    assert (late.status_code, late.json()["code"]) == (409, "session_closed")


def test_a_backlog_after_a_long_outage_finds_its_session_open_again(client, school, beat, clock):
    from app.jobs.lease_sweep import sweep

    send(client, school, [beat(0)])
    clock.advance(minutes=10)
    sweep(client.app.state.services)
    state = client.get("/v1/sessions/s1", headers=school.huang.headers).json()["state"]
    assert state == "expired"
    assert send(client, school, [beat(n) for n in range(1, 30)]).json()["accepted"] == 29
    state = client.get("/v1/sessions/s1", headers=school.huang.headers).json()["state"]
    assert state == "open"


def test_a_session_of_last_month_takes_no_more_events(client, school, beat, clock):
    clock.advance(days=26)
    answer = send(client, school, [beat(0)])
    assert (answer.status_code, answer.json()["code"]) == (409, "session_closed")


def test_a_device_whose_clock_stands_in_1970_loses_nothing(client, school, beat):
    events = [beat(n) | {"at_ms": 10_000 * n, "monotonic_ms": -1} for n in range(3)]
    answer = client.post(
        PATH, json={"sent_at_ms": -5, "events": events}, headers=school.huang.headers
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (3, [])
    assert answer.json()["noted"][0]["count"] == 3
    again = send(client, school, events).json()
    assert (again["accepted"], again["duplicates"]) == (0, 3)
    assert "noted" not in send(client, school, [beat(3)]).json()
