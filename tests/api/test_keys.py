"""Platforms hold keys; keys open only what they should, and only until they end."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain.accounts import platforms
from app.services import Services
from tests.people import County, TestClock


def make_key(client: TestClient, county: County, **wanted: Any) -> dict[str, Any]:
    answer = client.post(
        "/v1/keys",
        json={"label": "back end", "scopes": ["ingest"], **wanted},
        headers=county.huang.headers,
    )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def bearer(key: dict[str, Any]) -> dict[str, str]:
    return {"authorization": f"Bearer {key['key']}"}


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Basic enhfOng=", "Bearer zx_" + "x" * 500],
)
def test_nobody_enters_without_a_key(client: TestClient, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    answer = client.get("/v1/keys", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_api_key")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_key_opens_only_its_scopes(client: TestClient, county: County) -> None:
    answer = client.get("/v1/keys", headers=bearer(make_key(client, county)))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")


def test_the_secret_is_told_once_and_only_its_hash_is_kept(
    client: TestClient, county: County, services: Services
) -> None:
    made = make_key(client, county)
    assert made["key"] not in client.get("/v1/keys", headers=county.huang.headers).text
    with services.database.read() as connection:
        everything = connection.exec_driver_sql("SELECT * FROM api_keys").all()
    assert made["key"] not in repr(everything)


def test_a_revoked_key_is_shut_out_at_once(client: TestClient, county: County) -> None:
    made = make_key(client, county, scopes=["admin"])
    assert client.get("/v1/keys", headers=bearer(made)).status_code == 200
    gone = client.delete(f"/v1/keys/{made['key_id']}", headers=county.huang.headers)
    assert gone.status_code == 204
    assert client.get("/v1/keys", headers=bearer(made)).status_code == 401


def test_a_revocation_elsewhere_bites_within_five_seconds(
    client: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    made = make_key(client, county, scopes=["admin"])
    assert client.get("/v1/keys", headers=bearer(made)).status_code == 200
    with services.database.write() as connection:
        platforms.revoke_key(connection, None, made["key_id"], actor="system", now_ms=clock())
    clock.advance(seconds=5)
    assert client.get("/v1/keys", headers=bearer(made)).status_code == 401


def test_rotation_lets_both_keys_work_during_the_overlap(
    client: TestClient, county: County, clock: TestClock
) -> None:
    old = make_key(client, county, scopes=["admin"])
    answer = client.post(
        f"/v1/keys/{old['key_id']}/rotate", json={"overlap_s": 60}, headers=county.huang.headers
    )
    new = answer.json()
    assert answer.status_code == 201
    assert new["scopes"] == ["admin"]
    for key in (old, new):
        assert client.get("/v1/keys", headers=bearer(key)).status_code == 200
    clock.advance(seconds=60)
    assert client.get("/v1/keys", headers=bearer(old)).status_code == 401
    assert client.get("/v1/keys", headers=bearer(new)).status_code == 200


def test_a_key_ends_at_its_expiry_even_while_remembered(
    client: TestClient, county: County, clock: TestClock
) -> None:
    made = make_key(client, county, scopes=["admin"], expires_at=clock() + 2000)
    assert client.get("/v1/keys", headers=bearer(made)).status_code == 200
    clock.advance(seconds=2)
    assert client.get("/v1/keys", headers=bearer(made)).status_code == 401


def test_another_platform_s_keys_do_not_exist(client: TestClient, county: County) -> None:
    made = make_key(client, county)
    for method, path in (
        ("DELETE", f"/v1/keys/{made['key_id']}"),
        ("POST", f"/v1/keys/{made['key_id']}/rotate"),
    ):
        answer = client.request(method, path, json={}, headers=county.guang.headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_key")


@pytest.mark.parametrize(
    ("wanted", "word"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes"),
        ({"scopes": "ingest"}, "scopes"),
        ({"label": ""}, "label"),
        ({"label": 7}, "label"),
        ({"label": "a\u0000b"}, "label"),
        ({"label": "x" * 129}, "label"),
        ({"expires_at": 1}, "expires_at"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "2026-03-02T09:00:00"}, "expires_at"),
        ({"expires_at": 4_102_444_800_000}, "expires_at"),
    ],
)
def test_a_wrong_wish_is_refused_by_field(
    client: TestClient, county: County, wanted: dict[str, Any], word: str
) -> None:
    answer = client.post(
        "/v1/keys",
        json={"label": "back end", "scopes": ["ingest"], **wanted},
        headers=county.huang.headers,
    )
    assert answer.status_code == 422
    assert word in answer.json()["detail"]


class TestLimited:
    @pytest.fixture
    def settings(self, settings: Any) -> Any:
        return settings.model_copy(update={"api_requests_per_minute": 3})

    def test_too_many_requests_are_told_when_to_come_back(
        self, client: TestClient, county: County
    ) -> None:
        answers = [client.get("/v1/keys", headers=county.huang.headers) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert client.get("/v1/keys", headers=county.guang.headers).status_code == 200


def test_a_key_gives_no_more_than_it_has_itself(client: TestClient, county: County) -> None:
    """Else whoever gets hold of a key that keeps keys holds them all."""
    keeper = make_key(client, county, scopes=["admin", "read"])
    more = {"label": "more", "scopes": ["read", "ingest"]}
    answer = client.post("/v1/keys", json=more, headers=bearer(keeper))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_not_held")
    assert "ingest" in answer.json()["detail"]
    as_much = {"label": "as much", "scopes": ["read"]}
    assert client.post("/v1/keys", json=as_much, headers=bearer(keeper)).status_code == 201
    stronger = make_key(client, county, scopes=["ingest"])
    path = f"/v1/keys/{stronger['key_id']}/rotate"
    answer = client.post(path, json={}, headers=bearer(keeper))
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_not_held")
    assert client.get("/v1/keys", headers=bearer(stronger)).json()["code"] == "scope_missing"


def test_a_key_that_keeps_keys_only_has_nothing_sent_that_it_may_not_read(
    client: TestClient, county: County
) -> None:
    """Else it reads verdicts and findings by a webhook of its own."""
    keeper = bearer(make_key(client, county, scopes=["admin"]))
    wanted = {"url": "https://hooks.example/zhenxue", "events": ["finding.opened"]}
    answer = client.post("/v1/webhooks", json=wanted, headers=keeper)
    assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    made = client.post("/v1/webhooks", json=wanted, headers=county.huang.headers).json()
    path = f"/v1/webhooks/{made['webhook_id']}"
    for asked in (
        client.get(f"{path}/deliveries", headers=keeper),
        client.post(f"{path}/messages", json={}, headers=keeper),
    ):
        assert (asked.status_code, asked.json()["code"]) == (403, "scope_missing")
    assert client.delete(path, headers=keeper).status_code == 204


def test_a_key_makes_none_that_outlasts_it(
    client: TestClient, county: County, clock: TestClock
) -> None:
    """Else a key that was given for a day hands itself on for good."""
    ends_ms = clock() + 86_400_000
    keeper = make_key(client, county, scopes=["admin", "read"], expires_at=ends_ms)
    longer = {"label": "longer", "scopes": ["read"], "expires_at": ends_ms + 1000}
    answer = client.post("/v1/keys", json=longer, headers=bearer(keeper))
    assert (answer.status_code, answer.json()["code"]) == (403, "time_not_held")
    unsaid = {"label": "unsaid", "scopes": ["admin", "read"]}
    made = client.post("/v1/keys", json=unsaid, headers=bearer(keeper)).json()
    itself = client.post(
        f"/v1/keys/{keeper['key_id']}/rotate", json={"overlap_s": 60}, headers=bearer(keeper)
    ).json()
    assert client.get("/v1/keys", headers=bearer(made)).status_code == 200
    clock.advance(days=1)
    for key in (made, itself):
        assert client.get("/v1/keys", headers=bearer(key)).status_code == 401


def test_a_key_that_keeps_keys_reaches_nothing_but_its_own_platform_s(
    client: TestClient, county: County
) -> None:
    """It makes no platform, no person with a role, and no key of another tenant."""
    keeper = bearer(make_key(client, county, scopes=["admin"]))
    told = {"label": "theirs", "scopes": ["admin"], "platform": "guang-edu", "platform_id": 2}
    made = client.post("/v1/keys", json=told, headers=keeper)
    if made.status_code == 201:  # what else it said was left out
        own = {it["key_id"] for it in client.get("/v1/keys", headers=keeper).json()["keys"]}
        assert made.json()["key_id"] in own
    theirs = client.get("/v1/keys", headers=county.guang.headers).json()["keys"]
    assert [it["label"] for it in theirs] == ["tests"]
    for role in ("admin", "auditor"):
        for name in ("scopes", "roles"):
            body = {"label": "role", "scopes": ["admin"], name: [role]}
            answer = client.post("/v1/keys", json=body, headers=keeper)
            assert answer.status_code in {403, 422} or answer.json()["scopes"] == ["admin"]
    for path in ("/console/users", "/console/platforms", "/console/audit"):
        answer = client.get(path, headers=keeper, follow_redirects=False)
        assert answer.status_code == 303 and "login" in answer.headers["location"]


def test_the_operator_exchanges_a_key_with_an_overlap(
    client: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    old = make_key(client, county, scopes=["admin"])
    with services.database.write() as connection:
        new = platforms.rotate_key(
            connection, None, old["key_id"], overlap_ms=60_000, actor="system", now_ms=clock()
        )
    for secret in (old["key"], new.secret):
        assert client.get("/v1/keys", headers=bearer({"key": secret})).status_code == 200
    clock.advance(seconds=60)
    assert client.get("/v1/keys", headers=bearer(old)).status_code == 401
    assert client.get("/v1/keys", headers=bearer({"key": new.secret})).status_code == 200
