"""People signed in to the console may read /v1, as far as they see; they write nothing there."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.console.login import COOKIE
from app.domain.accounts import users
from app.services import Services
from tests.people import GUANGSHAN, HUANGCHUAN, LIN, County, TestClock, course, training_class


def sign_in(services: Services, clock: TestClock, name: str, county: str) -> dict[str, str]:
    """The cookie of an auditor of that county."""
    password = "a-quiet-river-in-henan"
    with services.database.write() as connection:
        users.add_user(
            connection,
            username=name,
            display_name=name,
            password=password,
            role="auditor",
            counties=[county],
            actor="system",
            now_ms=clock(),
        )
        user = users.check_password(connection, name, password)
        assert user is not None
        return {"cookie": f"{COOKIE}={users.open_login(connection, user, clock())}"}


@pytest.fixture
def opened(client: TestClient, county: County) -> TestClient:
    """A class `c1` of Lin's on Huangchuan's platform."""
    for path, body in (
        ("/v1/courses/sewing", course()),
        ("/v1/classes/c1", training_class()),
        ("/v1/classes/c1/roster", {"learners": [LIN]}),
    ):
        assert client.put(path, json=body, headers=county.huang.headers).is_success
    return client


def test_zhao_reads_the_county_s_classes_and_qian_does_not(
    opened: TestClient, services: Services, clock: TestClock
) -> None:
    zhao = sign_in(services, clock, "zhao", HUANGCHUAN)
    qian = sign_in(services, clock, "qian", GUANGSHAN)
    for path in ("/v1/classes/c1", "/v1/classes/c1/roster"):
        assert opened.get(path, headers=zhao).status_code == 200
        assert opened.get(path, headers=qian).json()["code"] == "unknown_class"


def test_one_id_on_two_platforms_is_told_apart_by_platform(
    opened: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    theirs = county.guang.headers
    opened.put("/v1/courses/sewing", json=course(), headers=theirs)
    opened.put("/v1/classes/c1", json=training_class(), headers=theirs)
    zhao = sign_in(services, clock, "zhao", users.ALL_COUNTIES)
    answer = opened.get("/v1/classes/c1", headers=zhao)
    assert (answer.status_code, answer.json()["code"]) == (409, "ambiguous_id")
    assert opened.get("/v1/classes/c1?platform=huang-edu", headers=zhao).json()["enrolled"] == 1
    assert opened.get("/v1/classes/c1?platform=guang-edu", headers=zhao).json()["enrolled"] == 0


def test_zhao_writes_nothing_on_a_platform_s_behalf(
    opened: TestClient, services: Services, clock: TestClock
) -> None:
    zhao = sign_in(services, clock, "zhao", HUANGCHUAN)
    answer = opened.put("/v1/classes/c1", json=training_class(), headers=zhao)
    assert answer.status_code == 401
    answer = opened.get("/v1/courses/sewing", headers=zhao)
    assert (answer.status_code, answer.json()["code"]) == (403, "platform_key_needed")
