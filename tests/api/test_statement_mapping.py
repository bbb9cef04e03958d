"""Emitters that name no sitting of ours: a mapping finds it, or what was lost is told. What each
emitter says is recorded in `test_emitters.py`."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.domain.exchange.xapi_mapping import StatementMapping, place_of
from app.jobs.lease_sweep import sweep
from app.services import Services
from models import AuditEntry, Session
from tests.api.test_sessions import found_school, opening, post
from tests.api.test_xapi import Lrs
from tests.api.test_xapi_events import heard, paused, played, said
from tests.people import WU, County, TestClock, course, lesson, training_class

MAPPING = "/v1/statement-mapping"
ADL = "http://adlnet.gov/expapi/verbs/"
VERBS = "https://w3id.org/xapi/video/verbs/"
EXTENSIONS = "https://w3id.org/xapi/video/extensions/"
OPENEDX = "https://w3id.org/xapi/openedx/extension/"
LMS = "https://lms.huang.example"
UUID = "5d1f2c3a-0000-4000-8000-000000000001"
VIDEO_TYPE = {"type": "https://w3id.org/xapi/video/activity-type/video"}


def account(name: str, home_page: str = LMS) -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": home_page, "name": name}}


def openedx(verb: str, position: float, **result: Any) -> dict[str, Any]:
    """As its events are routed: one browser session over all lessons, the course as parent."""
    course = f"{LMS}/course/course-v1:Huang+Sewing+2026"
    return {
        "version": "1.0.3",
        "actor": account("lin"),
        "verb": {"id": verb},
        "object": {
            "id": f"{LMS}/xblock/block-v1:Huang+Sewing+2026+type@video+block@l1",
            "objectType": "Activity",
            "definition": VIDEO_TYPE,
        },
        "result": {"extensions": {EXTENSIONS + "time": position, **result}},
        "context": {
            "registration": UUID,
            "contextActivities": {
                "parent": [{"id": course, "objectType": "Activity"}],
                "category": [{"id": "https://w3id.org/xapi/video", "objectType": "Activity"}],
            },
            "extensions": {OPENEDX + "session-id": "1d3b4a5fa0c5d1e4f5f5d0b0c0ffee00"},
        },
    }


def marsha(verb: str, position: float) -> dict[str, Any]:
    """The film is `uuid://…`; the account's name is the learner's."""
    return {
        "actor": account("lin", "https://marsha.huang.example"),
        "verb": {"id": verb, "display": {"en-US": verb.rpartition("/")[2]}},
        "object": {"id": "uuid://l1", "definition": VIDEO_TYPE, "objectType": "Activity"},
        "result": {"extensions": {EXTENSIONS + "time": position}},
        "context": {
            "contextActivities": {"category": [{"id": "https://w3id.org/xapi/video"}]},
            "extensions": {EXTENSIONS + "session-id": UUID, EXTENSIONS + "length": 2700},
        },
    }


BY_FILM = {"lesson": {"shape": "uuid://{id}"}}


@pytest.fixture
def lrs(client: TestClient, county: County) -> Lrs:
    """Lin and Wu are in a class; nobody has opened a sitting."""
    found_school(client, county, controls="platform")
    return Lrs(client, county.huang)


def map_statements(lrs: Lrs, mapping: dict[str, Any]) -> None:
    answer = lrs.client.put(MAPPING, json=mapping, headers=lrs.headers)
    assert answer.status_code == 200, answer.text


def sent(lrs: Lrs, *statements: dict[str, Any]) -> dict[str, int]:
    """What became of them, by the answer's head."""
    answer = lrs.post(list(statements))
    assert answer.status_code == 200, answer.text
    told = answer.headers["zhenxue-statements"].split(", ")
    return {name: int(count) for name, count in (it.split("=") for it in told)}


def opened(services: Services) -> list[str]:
    """The sittings that are open."""
    with services.database.read() as connection:
        query = select(Session.external_id).where(Session.state == "open").order_by(Session.id)
        return list(connection.execute(query).scalars())


def test_what_follows_a_long_break_is_a_new_sitting_though_the_page_keeps_its_session(
    lrs: Lrs, services: Services, clock: TestClock
) -> None:
    map_statements(lrs, BY_FILM)
    sent(lrs, marsha(VERBS + "played", 0))
    (first,) = opened(services)
    clock.advance(seconds=30)
    sent(lrs, marsha(VERBS + "paused", 30))
    clock.advance(minutes=5)
    sweep(services)
    assert opened(services) == []
    assert sent(lrs, marsha(VERBS + "played", 30)) == {"resumes": 1}
    assert opened(services) == [first]
    clock.advance(minutes=2, seconds=1)
    sweep(services)
    clock.advance(minutes=16)
    assert sent(lrs, marsha(VERBS + "played", 30)) == {"taken": 1}
    (second,) = opened(services)
    assert second != first
    clock.advance(seconds=9)
    assert sent(lrs, marsha(VERBS + "paused", 39)) == {"taken": 1}
    assert heard(services, second) == [(0, "play", 30), (1, "pause", 39)]


def test_the_next_lesson_of_a_browser_session_ends_the_last_one(
    client: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    public = course(course_kind="public", sequential_lock=False)
    lrs = Lrs(client, county.huang)
    for path, body in (
        ("/v1/courses/sewing", public),
        ("/v1/classes/c2", training_class("c2", controls="platform")),
        ("/v1/classes/c2/roster", {"learners": [WU]}),
    ):
        assert client.put(path, json=body, headers=lrs.headers).status_code < 300
    names = {f"{LMS}/course/course-v1:Huang+Sewing+2026": "c2"}
    klass = {"by": "parent", "shape": "{id}", "names": names}
    map_statements(lrs, {"lesson": {"shape": "*block@{id}"}, "class_activity": klass})

    def of_wu(verb: str, lesson_id: str, position: float) -> dict[str, Any]:
        told = openedx(verb, position)
        told["actor"] = account("wu")
        told["object"]["id"] = told["object"]["id"].replace("@l1", f"@{lesson_id}")
        return told

    assert sent(lrs, of_wu(VERBS + "played", "l1", 0)) == {"taken": 1}
    clock.advance(seconds=20)
    assert sent(lrs, of_wu(VERBS + "paused", "l1", 20), of_wu(VERBS + "played", "l2", 0)) == {
        "late": 1,
        "taken": 1,
    }
    (second,) = opened(services)
    view = client.get(f"/v1/sessions/{second}", headers=lrs.headers).json()
    assert (view["class_id"], view["lesson_id"]) == ("c2", "l2")


BY_PATH = {"lesson": {"shape": "https://huang.example/lessons/{id}"}}


def without_session(**parts: Any) -> dict[str, Any]:
    told = played(0, **parts)
    del told["context"]
    return told


@pytest.mark.parametrize(
    ("statement", "fate"),
    [
        (without_session(actor={"mbox": "mailto:lin@huang.example"}), "unknown_learner"),
        (without_session(actor=account("nobody")), "unknown_learner"),
        (without_session(object={"id": "https://huang.example/pages/l1"}), "unknown_lesson"),
        (without_session(object={"id": "https://huang.example/lessons/l9"}), "unknown_lesson"),
        (without_session(object={"id": "https://huang.example/lessons/l2"}), "lesson_locked"),
        (without_session(timestamp="2026-03-02T08:40:00+08:00"), "too_old"),
        ({**paused(3), "context": {}}, "not_open"),
    ],
)
def test_what_finds_no_sitting_is_kept_and_told_of_with_what_to_do(
    lrs: Lrs, services: Services, statement: dict[str, Any], fate: str
) -> None:
    map_statements(lrs, BY_PATH)
    answer = lrs.post([statement])
    assert answer.headers["zhenxue-statements"] == f"{fate}=1"
    assert f"{fate}: " in answer.headers["zhenxue-remedy"]
    assert opened(services) == []
    conformity = lrs.client.get("/v1/platforms/huang-edu/conformity", headers=lrs.headers).json()
    (note,) = conformity["notes"]
    assert (note["code"], note["count"]) == (fate, 1)
    assert lrs.ids() == answer.json()


def test_a_batch_is_heard_in_the_order_of_its_times_where_the_newest_stands_first(
    lrs: Lrs, services: Services
) -> None:
    lrs.client.put(MAPPING, json=BY_FILM, headers=lrs.headers)
    told = [
        {**marsha(VERBS + "paused", 8), "timestamp": "2026-03-02T00:59:59Z"},
        {**marsha(VERBS + "played", 0), "timestamp": "2026-03-02T00:59:51Z"},
    ]
    answer = lrs.post(told)
    assert answer.headers["zhenxue-statements"] == "taken=2"
    with services.database.read() as connection:
        (sitting,) = connection.scalars(select(Session.external_id))
    assert [it[1] for it in heard(services, sitting)] == ["play", "pause"]


@pytest.mark.parametrize("mapping", [None, BY_PATH])
def test_nobody_plays_in_the_sitting_of_another_person(
    lrs: Lrs, county: County, services: Services, mapping: dict[str, Any] | None
) -> None:
    assert post(lrs.client, county, opening(session_id="s1")).status_code == 201
    if mapping is not None:
        map_statements(lrs, mapping)
    wrong = played(1, actor=account("wu"))
    assert sent(lrs, played(0), wrong) == {"taken": 1, "other_learner": 1}
    assert heard(services) == [(0, "play", 0)]


def test_what_is_said_of_another_lesson_of_the_class_is_no_part_of_the_sitting(
    client: TestClient, county: County, services: Services
) -> None:
    one, other = (f"https://huang.example/lessons/{n}" for n in "12")
    lessons = [lesson(one, 45, order=1), lesson(other, 45, order=2)]
    client.put("/v1/courses/sewing", json=course(lessons=lessons), headers=county.huang.headers)
    klass = training_class(controls="platform")
    client.put("/v1/classes/c1", json=klass, headers=county.huang.headers)
    client.put("/v1/classes/c1/roster", json={"learners": [WU]}, headers=county.huang.headers)
    wu = opening("wu", lesson_id=one, session_id="s1")
    assert post(client, county, wu).status_code == 201
    lrs = Lrs(client, county.huang)
    by_wu = {"actor": account("wu")}
    right, wrong = ({**by_wu, "object": {"id": it}} for it in (one, other))
    assert sent(lrs, played(0, **right), played(1, **wrong)) == {"taken": 1, "other_lesson": 1}
    map_statements(lrs, {})
    assert sent(lrs, played(2, **right), played(3, **wrong)) == {
        "taken": 1,
        "concurrent_session": 1,
    }
    assert [it[2] for it in heard(services)] == [0, 2]


def test_an_actor_that_is_no_account_of_the_platform_is_taken_at_its_session_s_word(
    client: TestClient, county: County, lrs: Lrs
) -> None:
    assert post(client, county, opening(session_id="s1")).status_code == 201
    assert sent(lrs, played(0, actor=account("5038b12a"))) == {"taken": 1}


def test_a_trial_says_what_would_happen_and_leaves_no_trace(
    lrs: Lrs, county: County, services: Services
) -> None:
    trial = {
        "mapping": BY_PATH,
        "statements": [
            without_session(timestamp="2025-03-02T08:40:00+08:00"),  # recorded a year ago
            {**paused(30), "context": {}},
            without_session(actor=account("nobody")),
            without_session(verb={"id": ADL + "answered"}),
            {**said(VERBS + "seeked", time_to=60), "context": {}},
        ],
    }
    for _ in range(2):
        answer = lrs.client.post(f"{MAPPING}/try", json=trial, headers=lrs.headers)
        assert answer.status_code == 200, answer.text
        told = answer.json()["statements"]
        assert [it["fate"] for it in told] == [
            "opened",
            "taken",
            "unknown_learner",
            "kept",
            "taken",
        ]
        assert told[0]["event"] == {"type": "play", "position": 0.0}
        assert told[4]["event"] == {"type": "seek", "to": 60.0, "blocked": False}
        assert (told[0]["learner_id"], told[0]["lesson_id"], told[0]["class_id"]) == (
            "lin",
            "l1",
            "c1",
        )
        assert "登记学员" in told[2]["sentence"]["zh"]
    assert opened(services) == [] and lrs.ids() == []
    assert post(lrs.client, county, opening()).status_code == 201


def test_a_mapping_is_read_changed_and_taken_away_and_each_change_is_logged(
    lrs: Lrs, services: Services
) -> None:
    assert lrs.client.get(MAPPING, headers=lrs.headers).json() == {"mapping": None}
    map_statements(lrs, BY_PATH)
    told = lrs.client.get(MAPPING, headers=lrs.headers).json()["mapping"]
    assert told["lesson"]["shape"] == "https://huang.example/lessons/{id}" and told["opens"] is True
    assert lrs.client.delete(MAPPING, headers=lrs.headers).status_code == 204
    assert sent(lrs, without_session()) == {"no_session": 1}
    with services.database.read() as connection:
        query = select(AuditEntry.action).where(AuditEntry.action.like("platform.statement%"))
        assert len(connection.execute(query).all()) == 2


@pytest.mark.parametrize(
    ("mapping", "field"),
    [
        ({"learner": {"by": "name"}}, "learner.by"),
        ({"lesson": {"shape": "https://huang.example/"}}, "lesson.shape"),
        ({"lesson": {"shape": "{id}/{id}"}}, "lesson.shape"),
        ({"lesson": {"shape": "****{id}"}}, "lesson.shape"),
        ({"lesson": {"names": {"a": ""}}}, "lesson.names"),
        ({"opens": "yes"}, "opens"),
    ],
)
def test_a_mapping_that_says_nothing_sensible_is_refused_by_its_field(
    lrs: Lrs, mapping: dict[str, Any], field: str
) -> None:
    answer = lrs.client.put(MAPPING, json=mapping, headers=lrs.headers)
    assert answer.status_code == 422 and field in answer.text


@pytest.mark.parametrize(
    ("shape", "text", "found"),
    [
        ("{id}", "https://huang.example/a b?c=1#d", "https://huang.example/a b?c=1#d"),
        ("https://*/lessons/{id}", "https://huang.example/lessons/l1", "l1"),
        ("https://*/lessons/{id}", "https://huang.example/lessons/l1/film", None),
        ("*id={id}*", "https://huang.example/view.php?id=7&x=2", "7"),
        ("a.b/{id}", "aXb/l1", None),
        ("stu-{id}", "stu-", None),
    ],
)
def test_a_shape_finds_the_id_where_it_stands(shape: str, text: str, found: str | None) -> None:
    assert named(shape, text) == found


def test_no_shape_looks_longer_at_a_text_that_nearly_fits() -> None:
    for shape, text in (("*a*a*{id}!", "a" * 2_000), ("*a{id}a*a!", "aab/" * 500)):
        assert named(shape, text) is None, shape
    assert named("*a*a*{id}!", "a" * 1_998 + "b!") == "a" * 1_996 + "b"


def test_what_a_shape_finds_is_what_its_pattern_would_find() -> None:
    drawn = random.Random(1)
    for _ in range(5_000):
        parts = [drawn.choice("ab/") for _ in range(drawn.randrange(5))]
        parts += ["{id}", *"*" * drawn.randrange(4)]
        drawn.shuffle(parts)
        words = {"{id}": "([^/?#&]+?)", "*": ".*?"}
        text = "".join(drawn.choice("ab/") for _ in range(1, drawn.randrange(2, 11)))
        found = re.fullmatch("".join(words.get(it, it) for it in parts), text)
        whole = text if parts == ["{id}"] else None
        assert named("".join(parts), text) == (whole or (found and found[1])), (parts, text)


def named(shape: str, text: str) -> str | None:
    mapping = StatementMapping.model_validate({"lesson": {"shape": shape}})
    return place_of(mapping, {"actor": account("lin"), "object": {"id": text}}).lesson
