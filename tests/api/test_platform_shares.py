"""One platform, by its keys and by its learners' browsers, cannot fill the disk of all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from app.errors import TooManyRequests
from app.http.keyring import Caller
from app.http.platform_shares import PlatformShares
from app.services import Services
from app.simulation.portraits.portrait import portrait
from app.store.scope import AccessScope
from tests.api.test_leases import lease
from tests.api.test_sessions import found_school
from tests.api.test_sessions_live import FACE
from tests.api.test_xapi_events import played
from tests.evidence import START_MS, catalogue, picture, sitting, snapshot, zipped
from tests.people import County, TestClock

SHARE = 30_000


@pytest.fixture
def settings(settings: Any) -> Any:
    return settings.model_copy(update={"platform_bytes_a_day": SHARE})


@pytest.fixture
def browser(client: TestClient, county: County) -> dict[str, str]:
    found_school(client, county, controls="platform")
    return lease(client, county, session_id="s1")


@pytest.fixture
def numbers() -> Iterator[int]:
    return count()


@pytest.fixture
def ways(
    client: TestClient, county: County, browser: dict[str, str], clock: TestClock, numbers: Any
) -> dict[str, Callable[[], Any]]:
    """Each sends some kilobytes on the platform's account."""
    keyed, face = county.huang.headers, portrait(FACE, noise_seed=100)

    def events(headers: dict[str, str], **more: Any) -> Any:
        body = {
            "events": [
                {"seq": next(numbers), "type": "heartbeat", "at_ms": clock(), "position": 0}
                for _ in range(40)
            ]
        }
        return client.post("/v1/sessions/s1/events", json=body, headers={**headers, **more})

    def photo() -> Any:
        path = f"/v1/sessions/s1/snapshots/p{next(numbers)}"
        kind = {"content-type": "image/jpeg"}
        return client.put(path, content=face, params={"purpose": "start"}, headers=browser | kind)

    def statement() -> Any:
        said = [played(0, timestamp="2026-03-02T09:00:00Z") for _ in range(5)]
        version = {"x-experience-api-version": "1.0.3"}
        return client.post("/xAPI/statements", json=said, headers=keyed | version)

    def roster_in_pieces() -> Any:
        def pieces() -> Iterator[bytes]:
            yield b'{"learners": ['
            yield b" " * 2_000
            yield b"]}"

        kind = {"content-type": "application/json"}
        path = "/v1/classes/c1/roster"
        return client.put(path, content=pieces(), headers=keyed | kind)

    return {
        "a key's events": lambda: events(keyed),
        "a browser's events": lambda: events(browser),
        "a browser's photo": photo,
        "statements": statement,
        "a body that tells no length": roster_in_pieces,
    }


@pytest.mark.parametrize(
    "way",
    [
        "a key's events",
        "a browser's events",
        "a browser's photo",
        "statements",
        "a body that tells no length",
    ],
)
def test_whatever_a_platform_sends_is_counted_and_a_share_that_is_used_up_takes_nothing_more(
    ways: Any, way: str, client: TestClient, county: County, clock: TestClock
) -> None:
    for _ in range(400):
        answer = ways[way]()
        if answer.status_code == 429:
            break
    assert answer.status_code == 429, f"{way} is not counted"
    assert answer.json()["code"] == "platform_share"
    assert "稍后再送" in answer.json()["detail"]
    assert int(answer.headers["retry-after"]) > 0
    for name, other in ways.items():
        assert other().status_code == 429, f"{name} has a share of its own"
    path, keyed = "/v1/sessions/s1", county.huang.headers
    assert client.get(path, headers=keyed).status_code == 200, "reading is free"
    theirs = client.put("/v1/courses/c", json={}, headers=county.guang.headers)
    assert theirs.status_code == 422, "another platform has its own share"
    shown = client.get("/metrics").text
    assert float(shown.split("\nzhenxue_platform_share ")[1].split()[0]) >= 1
    clock.advance(minutes=3)
    assert ways[way]().status_code == 429
    clock.advance(days=2)
    assert ways["a body that tells no length"]().status_code != 429


def test_a_photo_that_many_records_of_an_import_name_is_counted_as_often_as_it_is_kept(
    client: TestClient, county: County
) -> None:
    face = picture(size=1_600)
    named = [
        snapshot("s1", "a.jpg", START_MS + 30_000 + n, snapshot_id=f"p{n}")
        for n in range(2 * SHARE // len(face) + 2)
    ]
    body = zipped([*catalogue(), *sitting(), *named], {"a.jpg": face})
    assert len(body) < SHARE
    keyed = county.huang.headers
    taken = client.post("/v1/imports", content=body, headers=keyed)
    assert taken.status_code == 200 and taken.json()["stored"]["snapshot"] == len(named)
    again = client.post("/v1/imports", content=body, headers=keyed)
    assert (again.status_code, again.json().get("code")) == (429, "platform_share")


@pytest.mark.both_databases
def test_a_platform_has_one_share_at_all_services_and_after_a_restart(
    services: Services, county: County, clock: TestClock
) -> None:
    def service() -> PlatformShares:
        return PlatformShares(services.database, clock, CollectorRegistry(), 1_000)

    def sends(shares: PlatformShares, size: int) -> None:
        scope = {"type": "http", "method": "POST"}
        scoped = AccessScope(platform_id=county.huang.platform.id)
        caller = Caller(county.huang.platform.id, "key", frozenset(), scoped, "key:1")
        shares.admit(scope, caller)
        shares.count(scope, size)

    here, there = service(), service()
    sends(here, 600)
    here.limit.share()
    there.limit.share()
    sends(there, 600)
    there.limit.share()
    here.limit.share()
    for shares in (here, there):
        with pytest.raises(TooManyRequests):
            sends(shares, 1)
    restarted = service()
    restarted.limit.share()
    with pytest.raises(TooManyRequests):
        sends(restarted, 1)
    clock.advance(days=2)
    sends(restarted, 1_000)
