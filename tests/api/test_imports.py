"""An import keeps what is good, names what is not, and the second time changes nothing."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Iterable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.domain.exchange import import_source, imports
from app.jobs.settler import settle_all
from app.services import Services
from detectors.trace import ControlFlag
from models import Session
from tests.evidence import (
    START_MS,
    Record,
    catalogue,
    event,
    ndjson,
    picture,
    sitting,
    snapshot,
    zipped,
)
from tests.people import LIN, WU, County, course, lesson, training_class

ALL = {"course": 1, "class": 1, "roster": 1, "session": 1, "control": 1, "event": 9}


@pytest.fixture
def huang(client: TestClient, county: County) -> TestClient:
    client.headers.update(county.huang.headers)
    return client


def send(client: TestClient, body: bytes | Iterable[Record | bytes]) -> dict[str, Any]:
    content = body if isinstance(body, bytes) else ndjson(body)
    answer = client.post("/v1/imports", content=content)
    assert answer.status_code == 200, answer.text
    report: dict[str, Any] = answer.json()
    return report


def refused(client: TestClient, body: bytes) -> tuple[int, str]:
    answer = client.post("/v1/imports", content=body)
    return answer.status_code, answer.json()["code"]


def contents(services: Services) -> dict[str, list[Any]]:
    """Every row of what an import writes, less what a verdict adds."""
    tables = ("courses", "course_versions", "classes", "class_hours", "learners", "enrolments")
    with services.database.read() as connection:
        found: dict[str, list[Any]] = {
            table: list(connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY id").all())
            for table in (*tables, "controls", "snapshots", "leave_records")
        }
        sessions = connection.exec_driver_sql(
            "SELECT external_id, state, close_reason, opened_ms, closed_ms, event_count,"
            " batch_count, chain, resume_ms FROM sessions ORDER BY external_id"
        )
        found["sessions"] = list(sessions.all())
    return found


@pytest.mark.both_databases
def test_lin_s_sitting_is_taken_in_and_twice_is_once(huang: TestClient, services: Services) -> None:
    records = [*catalogue(), *sitting()]
    assert send(huang, records) == {
        "stored": ALL,
        "unchanged": 0,
        "rejected": [],
        "rejected_total": 0,
    }
    before = contents(services)
    again = send(huang, records)
    assert (again["stored"], again["unchanged"]) == ({}, 14)
    assert contents(services) == before


def test_a_control_that_comes_after_its_answer_is_answered(
    huang: TestClient, services: Services
) -> None:
    records = [*catalogue(), *sitting()]
    send(huang, [it for it in records if it["kind"] != "control"])
    report = send(huang, records)
    assert (report["stored"], report["rejected"]) == ({"control": 1}, [])
    (control,) = contents(services)["controls"]
    assert control.source == "platform" and control.answered_ms is not None
    assert not control.flags & ControlFlag.UNKNOWN


def test_an_imported_sitting_is_attested_and_closed(huang: TestClient, services: Services) -> None:
    send(huang, [*catalogue(), *sitting(close_reason="finished")])
    with services.database.read() as connection:
        row = connection.exec_driver_sql("SELECT * FROM sessions").one()
    assert (row.provenance, row.state, row.close_reason) == ("attested", "closed", "finished")
    assert (row.opened_ms, row.closed_ms) == (START_MS, START_MS + 70_000)
    assert row.event_count == 9


def test_the_order_of_records_does_not_matter(huang: TestClient, services: Services) -> None:
    records = [*catalogue(), *sitting(), *sitting("s2", learner_id="wu")]
    random.Random(7).shuffle(records)
    report = send(huang, records)
    assert report["rejected"] == []
    assert report["stored"]["event"] == 18
    with services.database.read() as connection:
        answered = connection.exec_driver_sql("SELECT answered_ms FROM controls").scalars().all()
    assert answered == [START_MS + 29_540] * 2


@pytest.mark.parametrize("pack", [gzip.compress, zipped])
def test_files_may_come_packed(huang: TestClient, pack: Any) -> None:
    records = [*catalogue(), *sitting()]
    body = pack(records) if pack is zipped else pack(ndjson(records))
    assert send(huang, body)["stored"] == ALL


def test_a_second_file_may_bring_what_the_first_lacked(
    huang: TestClient, services: Services
) -> None:
    whole = sitting()
    send(huang, [*catalogue(), *whole[:6]])
    report = send(huang, whole)
    assert report["stored"] == {"event": 5}
    assert report["unchanged"] == 6
    with services.database.read() as connection:
        control = connection.exec_driver_sql("SELECT shown_ms, answered_ms FROM controls").one()
    assert None not in control


def test_a_sitting_goes_on_where_the_earlier_one_stopped(
    huang: TestClient, services: Services
) -> None:
    later = sitting("s2", start_ms=START_MS + 3_600_000)
    send(huang, [*catalogue(), *later, *sitting()])
    with services.database.read() as connection:
        marks = connection.exec_driver_sql(
            "SELECT external_id, resume_ms FROM sessions ORDER BY opened_ms"
        ).all()
    assert marks == [("s1", 0), ("s2", 60_000)]


def test_photos_come_in_the_zip(huang: TestClient, services: Services) -> None:
    records = [
        *catalogue(),
        *sitting(),
        snapshot("s1", "photos/a.png", START_MS + 30_000),
        snapshot("s1", "photos/gone.png", START_MS + 40_000),
        snapshot("s1", "photos/bad.png", START_MS + 50_000),
        snapshot("s1", "../../etc/passwd", START_MS + 60_000),
        {"kind": "reference_photo", "learner_id": "lin", "file": "photos/lin.png"},
        {"kind": "reference_photo", "learner_id": "nobody", "file": "photos/lin.png"},
    ]
    files = {
        "photos/a.png": picture(100),
        "photos/lin.png": picture(90),
        "photos/bad.png": b"not a picture",
    }
    body = zipped(records, files)
    report = send(huang, body)
    assert (report["stored"]["snapshot"], report["stored"]["reference_photo"]) == (1, 1)
    assert [it["code"] for it in report["rejected"]] == [
        "unknown_learner",
        "missing_file",
        "image_type",
        "missing_file",
    ]
    before = contents(services)
    assert send(huang, body)["stored"] == {}
    assert contents(services) == before


def test_a_log_that_was_packed_and_not_read_is_told(huang: TestClient) -> None:
    (head, *rest) = sitting()
    packed = zipped([*catalogue(), head], {"events.log": ndjson(rest), "photos/b.jpg": b"x"})
    report = send(huang, packed)
    assert report["stored"]["session"] == 1
    (told,) = report["rejected"]
    assert (told["file"], told["line"], told["code"]) == ("events.log", 0, "unread_file")


def test_a_snapshot_id_cannot_be_given_other_bytes(huang: TestClient) -> None:
    records = [*catalogue(), *sitting(), snapshot("s1", "a.png", START_MS + 30_000)]
    send(huang, zipped(records, {"a.png": picture(1)}))
    report = send(huang, zipped(records, {"a.png": picture(2)}))
    assert [it["code"] for it in report["rejected"]] == ["snapshot_exists"]


def test_one_seq_with_two_contents_is_told_and_kept_on_record_once(
    huang: TestClient, services: Services
) -> None:
    records = [*catalogue(), *sitting(), event("s1", 3, "pause", START_MS + 31_000, position=31.0)]
    for _ in range(2):
        report = send(huang, records)
        assert [(it["line"], it["code"]) for it in report["rejected"]] == [(15, "seq_conflict")]
    with services.database.read() as connection:
        row = connection.exec_driver_sql("SELECT seq_conflict, batch_count FROM sessions").one()
    assert tuple(row) == (1, 1)


def test_lists_come_under_their_own_kinds(huang: TestClient) -> None:
    leave: Record = {
        "learner_id": "lin",
        "from_on": "2026-03-11",
        "to_on": "2026-03-12",
        "written": True,
        "approved": True,
    }
    hours: Record = {"learner_id": "lin", "held_on": "2026-03-10", "hours": 4}
    records = [
        {"kind": "leave", "class_id": "c1", "items": [leave, {"learner_id": "lin"}]},
        {"kind": "offline-attendance", "class_id": "c1", "items": [hours]},
        {"kind": "offline_attendance", "class_id": "c1", **hours, "item_id": "pm"},
        {"kind": "satisfaction", "class_id": "nowhere", "items": []},
        *catalogue(),
    ]
    report = send(huang, records)
    assert report["stored"]["leave"] == 1
    assert report["stored"]["offline_attendance"] == 2
    assert [(it["line"], it["code"]) for it in report["rejected"]] == [
        (1, "missing"),
        (4, "unknown_class"),
    ]
    assert "items[1].from_on" in report["rejected"][0]["detail"]
    assert send(huang, records)["stored"] == {}


def test_a_roster_of_eighty_one_is_refused_and_one_bad_learner_is_named(
    huang: TestClient,
) -> None:
    many = [{"learner_id": f"p{n}", "name": f"学员{n}"} for n in range(81)]
    records = [
        *catalogue()[:2],
        {"kind": "roster", "class_id": "c1", "learners": many},
        {"kind": "roster", "class_id": "c1", "learners": [LIN, WU | {"id_number": "1"}]},
    ]
    report = send(huang, records)
    assert report["stored"]["roster"] == 1
    assert [(it["line"], it["code"]) for it in report["rejected"]] == [
        (3, "roster_too_large"),
        (4, "bad_id_number"),
    ]
    assert "learners[1].id_number" in report["rejected"][1]["detail"]


def test_a_file_must_not_contradict_itself(huang: TestClient) -> None:
    records = [
        *catalogue(),
        {"kind": "course", **course(title="另一门课")},
        {"kind": "class", **training_class(teachers=9)},
        *sitting(),
        sitting(ended_at_ms=START_MS + 1)[0],
        sitting()[0],
    ]
    for _ in range(2):
        report = send(huang, records)
        assert [(it["line"], it["code"]) for it in report["rejected"]] == [
            (4, "contradictory_record"),
            (5, "contradictory_record"),
            (17, "contradictory_record"),
        ]
    assert huang.get("/v1/courses/sewing").json()["version"] == 1


@pytest.mark.parametrize(
    ("line", "code", "named"),
    [
        (b"{", "malformed_json", ""),
        (b"nonsense", "malformed_json", ""),
        (b"[]", "invalid_field", ""),
        (b'{"kind": "event", "position": NaN}', "malformed_json", ""),
        (b'"' + b"x" * 5_000_000, "line_too_long", ""),
        (b'{"kind": "leave", "items": ' + b"[" * 5_000, "malformed_json", ""),
        (b'{"session_id": "s1"}', "missing_field", "kind"),
        (b'{"kind": 7}', "invalid_field", "kind"),
        (b'{"kind": "gossip"}', "unknown_kind", "kind"),
        (b'{"kind": "event"}', "missing_field", "session_id"),
        (b'{"kind": "event", "session_id": 7}', "invalid_field", "session_id"),
        (b'{"kind": "session", "session_id": ""}', "missing_field", "session_id"),
        (b'{"kind": "roster", "class_id": "c1"}', "missing", "learners"),
        (b'{"kind": "course", "course_id": "x", "title": 3}', "string_type", "title"),
    ],
)
def test_a_wrong_line_is_named_and_spoils_no_other(
    huang: TestClient, line: bytes, code: str, named: str
) -> None:
    report = send(huang, [catalogue()[0], line, *catalogue()[1:]])
    assert report["stored"] == {"course": 1, "class": 1, "roster": 1}
    (wrong,) = report["rejected"]
    assert (wrong["line"], wrong["code"]) == (2, code)
    assert named in wrong["detail"]


WRONG_EVENTS: list[tuple[dict[str, Any], str, str]] = [
    ({"seq": -1}, "invalid_field", "seq"),
    ({"seq": 2**31}, "invalid_field", "seq"),
    ({"seq": "5"}, "invalid_field", "seq"),
    ({"seq": 1.5}, "invalid_field", "seq"),
    ({"type": "telepathy"}, "unknown_type", "type"),
    ({"type": None}, "invalid_field", "type"),
    ({"position": "12"}, "invalid_field", "position"),
    ({"position": 1e300}, "invalid_field", "position"),
    ({"received_at_ms": 0}, "invalid_field", "received_at_ms"),
    ({"received_at_ms": "now"}, "invalid_field", "received_at_ms"),
    ({"received_at_ms": START_MS + 90 * 86_400_000}, "outside_sitting", "received_at_ms"),
]


@pytest.mark.parametrize(("change", "code", "named"), WRONG_EVENTS)
def test_a_wrong_event_is_named_and_the_sitting_stays(
    huang: TestClient, change: dict[str, Any], code: str, named: str
) -> None:
    wrong = event("s1", 20, "progress", START_MS + 65_000, position=60.0, rate=1.0) | change
    report = send(huang, [*catalogue(), *sitting(), wrong])
    assert report["stored"]["event"] == 9
    (rejected,) = report["rejected"]
    assert (rejected["line"], rejected["code"]) == (15, code)
    assert named in rejected["detail"]


@pytest.mark.both_databases
@pytest.mark.parametrize("every_s", [1, 10])
def test_a_log_of_milliseconds_is_told_and_accuses_nobody(
    huang: TestClient, services: Services, every_s: int
) -> None:
    """Of a film of 45 minutes 3.4 s fit into its length, taken for 3,400."""
    head, control, *_ = sitting(beats=60)
    log = [
        event("s1", n, "progress", START_MS + n * 1000, position=n * 1000.0, rate=1.0)
        for n in range(0, 601, every_s)
    ]
    for _ in range(2):
        report = send(huang, [*catalogue(), head, control, *log])
        assert {it["code"] for it in report["rejected"]} == {"beyond_the_film"}
        assert [it["line"] for it in report["rejected"]] == list(range(6, 6 + len(log)))
        told = report["rejected"][0]["detail"]
        assert "'s1' of 'lin' in lesson 'l1'" in told and "positions are seconds" in told
    settle_all(services)
    verdict = huang.get("/v1/sessions/s1").json()["verdict"]
    assert (verdict["outcome"], verdict["credited_ms"]) == ("not_proven", 0)
    assert all(it["fault"] != "learner" for it in verdict["findings"])


def test_one_position_that_is_nonsense_costs_a_log_that_one_alone(huang: TestClient) -> None:
    glitch = event("s1", 20, "pause", START_MS + 65_000, position=900_000.0)
    report = send(huang, [*catalogue(), *sitting(), glitch])
    assert (report["stored"], len(report["rejected"])) == (ALL, 1)
    assert report["rejected"][0]["code"] == "beyond_the_film"


def test_an_event_without_a_receive_time_is_no_evidence(huang: TestClient) -> None:
    bare = {k: it for k, it in sitting()[3].items() if k != "received_at_ms"} | {"seq": 30}
    report = send(huang, [*catalogue(), *sitting(), bare])
    assert [(it["code"]) for it in report["rejected"]] == ["missing_field"]
    assert "received_at_ms" in report["rejected"][0]["detail"]


@pytest.mark.parametrize("clock_ms", [0, -1, 1_772_413_200, 253_402_300_799_999])
def test_a_device_without_a_clock_loses_no_sitting(
    huang: TestClient, services: Services, clock_ms: int
) -> None:
    told = [
        it | {name: clock_ms for name in ("at_ms", "started_at_ms", "ended_at_ms") if name in it}
        for it in sitting()
    ]
    report = send(huang, [*catalogue(), *told])
    assert report["rejected"] == []
    assert (report["stored"]["session"], report["stored"]["event"]) == (1, 9)
    with services.database.read() as connection:
        row = connection.execute(select(Session)).one()
    assert row.opened_ms == START_MS + 40 and row.close_reason == "import"


@pytest.mark.parametrize("off_ms", [-8 * 3_600_000, 8 * 3_600_000, -86_400_000 * 3])
def test_a_device_whose_clock_is_off_contradicts_nobody(
    huang: TestClient, services: Services, off_ms: int
) -> None:
    clocks = ("at_ms", "started_at_ms", "ended_at_ms")
    head, *rest = (
        it | {name: it[name] + off_ms for name in clocks if name in it} for it in sitting()
    )
    told = [head | {"received_at_ms": START_MS}, *rest]
    report = send(huang, [*catalogue(), *told])
    assert report["rejected"] == [] and report["stored"]["session"] == 1
    with services.database.read() as connection:
        row = connection.execute(select(Session)).one()
    assert (row.opened_ms, row.closed_ms - row.opened_ms) == (START_MS, 70_000)
    settle_all(services)
    verdict = huang.get("/v1/sessions/s1").json()["verdict"]
    assert "contradicting_times" not in {it["rule"] for it in verdict["findings"]}
    assert send(huang, [*catalogue(), *told])["stored"] == {}


def test_a_sitting_that_no_clock_saw_is_refused_by_name(huang: TestClient) -> None:
    (head, *_) = sitting(started_at_ms=0)
    report = send(huang, [*catalogue(), head])
    assert [it["code"] for it in report["rejected"]] == ["no_time"]


@pytest.mark.parametrize(
    ("change", "code", "named"),
    [
        ({"learner_id": "nobody"}, "unknown_learner", "learner_id"),
        ({"class_id": "nowhere"}, "unknown_class", "class_id"),
        ({"lesson_id": "nothing"}, "unknown_lesson", "lesson_id"),
        ({"started_at_ms": "yesterday"}, "bad_time", "started_at_ms"),
        ({"ended_at_ms": START_MS - 1}, "bad_ending", "ended_at_ms"),
        ({"client": "Firefox"}, "dict_type", "client"),
        ({"client": {"user_agent": "x" * 3000}}, "client_too_large", "client"),
        ({"device_id": 5}, "string_type", "device_id"),
        ({"resume_position": -1}, "greater_than_equal", "resume_position"),
    ],
)
def test_a_wrong_session_is_refused_with_all_its_evidence(
    huang: TestClient, change: dict[str, Any], code: str, named: str, services: Services
) -> None:
    first, *rest = sitting()
    report = send(huang, [*catalogue(), first | change, *rest])
    assert set(report["stored"]) == {"course", "class", "roster"}
    own = [it for it in report["rejected"] if it["line"] == 4]
    assert [it["code"] for it in own] == [code]
    assert named in own[0]["detail"]
    assert [it["line"] for it in sorted(report["rejected"], key=lambda it: it["line"])] == [
        *range(4, 15)
    ]
    assert contents(services)["sessions"] == []


def test_evidence_of_an_unknown_session_is_refused(huang: TestClient) -> None:
    report = send(huang, [*catalogue(), *sitting()[1:]])
    assert {it["code"] for it in report["rejected"]} == {"unknown_session"}
    assert report["rejected_total"] == 10


def test_another_platform_s_session_does_not_exist(huang: TestClient, county: County) -> None:
    send(huang, [*catalogue(), *sitting()])
    huang.headers.update(county.guang.headers)
    report = send(huang, sitting()[1:])
    assert {it["code"] for it in report["rejected"]} == {"unknown_session"}


def test_a_session_cannot_be_told_anew(huang: TestClient) -> None:
    send(huang, [*catalogue(), *sitting()])
    report = send(huang, sitting(learner_id="wu"))
    assert {it["code"] for it in report["rejected"]} == {"session_exists"}


def test_terms_are_frozen_once_somebody_has_studied(huang: TestClient) -> None:
    send(huang, [*catalogue(), *sitting()])
    plan = huang.get("/v1/classes/c1").json()
    huang.put("/v1/courses/sewing", json=course(lessons=[lesson("l1", 50, order=1)]))
    assert huang.put("/v1/classes/c1", json=training_class()).json() == plan
    changes: list[Record] = [
        {"course_ids": []},
        {"controls": "platform"},
        {"occupation": "电工"},
    ]
    for change in changes:
        answer = huang.put("/v1/classes/c1", json=training_class(mode="offline", **change))
        assert (answer.status_code, answer.json()["code"]) == (409, "class_frozen")
        assert set(change) <= set(answer.json()["fields"])
    later = training_class(assessment={"planned_on": "2026-08-20", "applied_on": "2026-08-01"})
    changed = huang.put("/v1/classes/c1", json=later)
    assert changed.json()["assessment"]["planned_on"] == "2026-08-20"
    assert changed.json()["plan_digest"] == plan["plan_digest"]


def test_lin_cannot_become_somebody_else_after_studying(huang: TestClient) -> None:
    send(huang, [*catalogue(), *sitting()])
    other = LIN | {"id_number": "000000197501010015"}
    answer = huang.put("/v1/classes/c1/roster", json={"learners": [other]})
    assert (answer.status_code, answer.json()["code"]) == (422, "identity_frozen")


@pytest.mark.thorough
def test_a_run_that_was_cut_off_is_finished_by_the_next(
    huang: TestClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [*catalogue(), *(it for n in range(24) for it in sitting(f"s{n:02}", beats=1))]
    monkeypatch.setattr(imports, "_GROUPS_AT_ONCE", 4)
    tell, calls = Services.closed, []

    def power_cut(self: Services, ids: Iterable[int]) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("power cut")
        tell(self, ids)

    monkeypatch.setattr(Services, "closed", power_cut)
    assert huang.post("/v1/imports", content=ndjson(records)).status_code == 500
    assert len(contents(services)["sessions"]) == 12
    report = send(huang, records)
    assert report["stored"]["session"] == 12
    assert report["rejected"] == []
    assert len(contents(services)["sessions"]) == 24


def test_broken_files_are_refused_whole(huang: TestClient, services: Services) -> None:
    records = [*catalogue(), *sitting()]
    plain = ndjson(records)
    packed = zipped(records)
    for body, code in (
        (b"", "empty_import"),
        (b"\x00\x01\x02\x03" * 100, "no_records"),
        (b"hello\nworld\n", "no_records"),
        (packed[: len(packed) // 2], "broken_archive"),
        (packed[:200] + b"\xff" * 50 + packed[250:], "broken_archive"),
        (gzip.compress(plain)[:-20], "broken_archive"),
        (b"\x1f\x8b" + b"\x00" * 100, "broken_archive"),
        (b"PK\x03\x04" + b"\x00" * 100, "broken_archive"),
    ):
        status, found = refused(huang, body)
        assert (found, 400 <= status < 500) == (code, True)
    assert all(rows == [] for rows in contents(services).values())


def test_dangerous_zips_are_refused(huang: TestClient) -> None:
    def archive(*names: str) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as target:
            for name in names:
                target.writestr(name, ndjson(catalogue()))
        return buffer.getvalue()

    for names, code in (
        (("../../outside.ndjson",), "unsafe_path"),
        (("/etc/outside.ndjson",), "unsafe_path"),
        (("a\\..\\b.ndjson",), "unsafe_path"),
        (("readme.txt",), "no_records"),
    ):
        assert refused(huang, archive(*names)) == (422, code)


def test_a_bomb_does_not_go_off(huang: TestClient) -> None:
    line = b" " * 1_023 + b"\n"
    bomb = gzip.compress(line * (import_source.FREE_BYTES // 1_024 + 1_000))
    assert len(bomb) < 1_000_000
    assert refused(huang, bomb) == (413, "archive_bomb")


class TestSmall:
    @pytest.fixture
    def settings(self, settings: Any) -> Any:
        return settings.model_copy(update={"max_import_bytes": 2_000})

    def test_a_file_over_the_limit_is_refused(self, huang: TestClient) -> None:
        assert refused(huang, b" " * 2_001) == (413, "body_too_large")
        assert refused(huang, gzip.compress(b" " * 100_000))[1] == "import_too_large"


def test_an_import_needs_its_scope(client: TestClient, county: County) -> None:
    made = client.post(
        "/v1/keys", json={"label": "x", "scopes": ["ingest"]}, headers=county.huang.headers
    ).json()
    answer = client.post(
        "/v1/imports",
        content=json.dumps(catalogue()[0]),
        headers={"authorization": f"Bearer {made['key']}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_a_form_is_not_an_import(huang: TestClient) -> None:
    answer = huang.post("/v1/imports", files={"file": b"x"})
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_media_type")
