"""Whatever is thrown at the statements resource, it answers, and never with a 5xx."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.test_sessions import found_school, opening, post
from tests.api.test_xapi import ID, URL, Lrs, statement
from tests.people import County
from tests.thorough import examples

FUZZ = settings(
    max_examples=examples(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SCRAPS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
VIDEO = "https://w3id.org/xapi/video/"
NAMES = ("id", "actor", "verb", "object", "result", "context", "timestamp", "version", "authority")
WORDS = ("time", "time-from", "time-to", "speed", "session-id", "completion-threshold")
VERBS = (
    *(f"{VIDEO}verbs/{name}" for name in ("played", "paused", "seeked")),
    *(f"http://adlnet.gov/expapi/verbs/{name}" for name in ("interacted", "completed")),
)


@pytest.fixture
def lrs(client: TestClient, county: County) -> Lrs:
    return Lrs(client, county.huang)


def answered(answer: Any) -> None:
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert answer.json()["code"] and answer.json()["detail"]


@FUZZ
@given(body=SCRAPS | st.dictionaries(st.sampled_from(NAMES), SCRAPS))
def test_any_json(lrs: Lrs, body: Any) -> None:
    answered(lrs.post(body))
    answered(lrs.put(body))


@FUZZ
@given(parts=st.dictionaries(st.sampled_from(NAMES), SCRAPS, max_size=2))
def test_statements_with_a_part_that_is_anything(lrs: Lrs, parts: dict[str, Any]) -> None:
    answered(lrs.post([statement(), statement(**parts)]))


@pytest.fixture
def sitting(lrs: Lrs, county: County) -> Lrs:
    found_school(lrs.client, county)
    assert post(lrs.client, county, opening(session_id="s1")).status_code == 201
    return lrs


@FUZZ
@given(
    verb=st.sampled_from(VERBS),
    words=st.dictionaries(st.sampled_from(WORDS), SCRAPS | st.floats(0, 5000)),
    where=st.sampled_from(["result", "context"]),
)
def test_players_that_say_anything_about_themselves(
    sitting: Lrs, verb: str, words: dict[str, Any], where: str
) -> None:
    told = statement(verb={"id": verb}, result={}, context={})
    told["context"]["extensions"] = {f"{VIDEO}extensions/session-id": "s1"}
    told[where].setdefault("extensions", {}).update(
        (f"{VIDEO}extensions/{name}", value) for name, value in words.items()
    )
    assert sitting.post(told).status_code == 200


@FUZZ
@given(body=st.binary(max_size=60), query=TEXT, kind=st.sampled_from(["form", "json"]))
def test_any_bytes(lrs: Lrs, body: bytes, query: str, kind: str) -> None:
    types = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
    headers = {**lrs.headers, "content-type": types[kind]}
    for params in ({"method": "POST"}, {"method": query}, {}, {query: query}):
        answered(lrs.client.post(URL, content=body, params=params, headers=headers))
    answered(lrs.client.put(URL, content=body, params={"statementId": ID}, headers=headers))


@FUZZ
@given(
    name=st.sampled_from(
        ["statementId", "agent", "verb", "registration", "since", "limit", "after"]
    ),
    value=TEXT | SCRAPS.map(str),
)
def test_any_question(lrs: Lrs, name: str, value: str) -> None:
    answered(lrs.get(**{name: value}))
