"""Documents of the record store: states and profiles, and who may replace what."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain.faces import retention
from app.jobs import purge
from app.services import Services
from tests.api.test_leases import lease
from tests.api.test_sessions import found_school
from tests.api.test_xapi import statement
from tests.people import County, Tenant, TestClock

LIN = {"account": {"homePage": "https://huang.example", "name": "lin"}}
WU = {"account": {"homePage": "https://huang.example", "name": "wu"}}
LESSON = "https://huang.example/lessons/1"
JSON = {"content-type": "application/json"}
BYTES = {"content-type": "application/octet-stream"}
KINDS = {
    "activities/state": ({"activityId": LESSON, "agent": json.dumps(LIN)}, "stateId"),
    "agents/profile": ({"agent": json.dumps(LIN)}, "profileId"),
    "activities/profile": ({"activityId": LESSON}, "profileId"),
}


class Shelf:
    """One kind of document as a platform reaches it."""

    def __init__(
        self, client: TestClient, tenant: Tenant, kind: str, version: str = "1.0.3"
    ) -> None:
        self._client = client
        self.url = f"/xAPI/{kind}"
        self.place, self.name = KINDS[kind]
        self.headers = {**tenant.headers, "x-experience-api-version": version}

    def ask(self, method: str, name: str | None = None, body: Any = None, **parts: Any) -> Any:
        params = {**self.place, **parts.pop("params", {})}
        if name is not None:
            params[self.name] = name
        content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        if method == "PUT" and "if-match" not in parts and parts.pop("unseen", True):
            parts.setdefault("if-none-match", "*")
        headers = {**self.headers, **(JSON if body is not None else {}), **parts}
        return self._client.request(
            method, self.url, params=params, content=content, headers=headers
        )


@pytest.fixture(params=sorted(KINDS))
def shelf(request: pytest.FixtureRequest, client: TestClient, county: County) -> Shelf:
    return Shelf(client, county.huang, request.param)


def test_a_document_is_handed_back_as_it_was_put(shelf: Shelf) -> None:
    assert shelf.ask("PUT", "任务 1", b"\x00\xff", **{"content-type": "image/x"}).status_code == 204
    found = shelf.ask("GET", "任务 1")
    assert (found.content, found.headers["content-type"]) == (b"\x00\xff", "image/x")
    assert found.headers["etag"].strip('"') and found.headers["last-modified"]
    assert found.headers["content-security-policy"].startswith("sandbox")
    head = shelf.ask("HEAD", "任务 1")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == found.headers["etag"]
    assert shelf.ask("GET").json() == ["任务 1"]
    assert shelf.ask("DELETE", "任务 1").status_code == 204
    assert shelf.ask("GET", "任务 1").status_code == 404
    assert shelf.ask("GET").json() == []


def test_json_is_merged_one_level_deep_and_with_nothing_else(shelf: Shelf) -> None:
    assert shelf.ask("POST", "a", {"car": {"make": 1, "model": 2}, "seat": 3}).status_code == 204
    assert shelf.ask("POST", "a", {"car": {"make": 4}}).status_code == 204
    assert shelf.ask("GET", "a").json() == {"car": {"make": 4}, "seat": 3}
    for body, kind in ((b"[]", "application/json"), (b"{", "application/json"), (b"{}", "text/x")):
        answer = shelf.ask("POST", "a", body, **{"content-type": kind})
        assert answer.status_code == 400, answer.text
    assert shelf.ask("GET", "a").json() == {"car": {"make": 4}, "seat": 3}


@pytest.mark.both_databases
def test_only_who_has_seen_a_document_changes_it(shelf: Shelf) -> None:
    assert shelf.ask("PUT", "a", {"v": 1}, **{"if-match": '"1"'}).status_code == 412
    assert shelf.ask("PUT", "a", {"v": 1}, **{"if-none-match": "*"}).status_code == 204
    tag = shelf.ask("GET", "a").headers["etag"]
    assert shelf.ask("PUT", "a", {"v": 2}, **{"if-none-match": "*"}).status_code == 412
    for method in ("PUT", "POST", "DELETE"):
        body = None if method == "DELETE" else {"v": 2}
        assert shelf.ask(method, "a", body, **{"if-match": '"1"'}).status_code == 412
    assert shelf.ask("GET", "a").json() == {"v": 1}
    assert shelf.ask("PUT", "a", {"v": 3}, **{"if-match": tag}).status_code == 204
    assert shelf.ask("GET", "a").json() == {"v": 3}


def test_nothing_is_overwritten_unseen_but_a_state_of_version_one(
    client: TestClient, county: County
) -> None:
    for kind in KINDS:
        for version in ("1.0.3", "2.0.0"):
            shelf = Shelf(client, county.huang, kind, version)
            assert shelf.ask("PUT", version, {"v": 1}).status_code == 204
            free = kind == "activities/state" and version == "1.0.3"
            assert shelf.ask("PUT", version, {"v": 2}, unseen=False).status_code == (
                204 if free else 409
            )
            assert shelf.ask("GET", version).headers["x-experience-api-version"] == version
            blind = kind != "activities/state" and version == "1.0.3"
            assert shelf.ask("PUT", "other", {}, unseen=False).status_code == (
                400 if blind else 204
            )
            shelf.ask("DELETE", "other")


def test_documents_of_a_registration_lie_apart(client: TestClient, county: County) -> None:
    shelf = Shelf(client, county.huang, "activities/state")
    one = {"registration": "8ccd3322-e1a5-411a-a67d-6a735c76f119"}
    shelf.ask("PUT", "a", {"v": 1}, params=one)
    shelf.ask("PUT", "b", {"v": 2})
    assert shelf.ask("GET", "a").status_code == 404
    assert shelf.ask("GET", params=one).json() == ["a"]
    assert sorted(shelf.ask("GET").json()) == ["a", "b"]
    assert shelf.ask("DELETE", params=one).status_code == 204
    assert shelf.ask("GET").json() == ["b"]


def test_what_changed_since_is_listed(shelf: Shelf, clock: TestClock) -> None:
    shelf.ask("PUT", "old", {})
    clock.advance(minutes=1)
    shelf.ask("PUT", "new", {})
    assert shelf.ask("GET", params={"since": "2026-03-02T01:00:30Z"}).json() == ["new"]


def test_another_platform_and_a_reader_do_nothing_here(
    client: TestClient, county: County, shelf: Shelf
) -> None:
    shelf.ask("PUT", "a", {"v": 1})
    guang = Shelf(client, county.guang, shelf.url.removeprefix("/xAPI/"))
    assert guang.ask("GET", "a").status_code == 404 and guang.ask("GET").json() == []
    made = client.post(
        "/v1/keys", json={"label": "x", "scopes": ["read"]}, headers=county.huang.headers
    )
    shelf.headers = {**shelf.headers, "authorization": f"Bearer {made.json()['key']}"}
    assert shelf.ask("GET", "a").status_code == 200
    assert shelf.ask("DELETE", "a").status_code == 403


@pytest.mark.parametrize("method", ["GET", "PUT", "POST", "DELETE"])
def test_a_request_without_its_place_is_refused(shelf: Shelf, method: str) -> None:
    for missing in list(shelf.place):
        kept = shelf.place
        shelf.place = {name: value for name, value in kept.items() if name != missing}
        answer = shelf.ask(method, "a", None if method in ("GET", "DELETE") else {})
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
        shelf.place = {**kept, missing: "nonsense"}
        assert shelf.ask(method, "a").status_code == 400
        shelf.place = kept
    if method in ("PUT", "POST"):
        assert shelf.ask(method, None, {}).status_code == 400


def test_a_platform_keeps_no_more_than_its_share(shelf: Shelf, services: Services) -> None:
    services.settings.max_documents_bytes = 1024
    assert shelf.ask("PUT", "a", b"x" * 1000, **BYTES).status_code == 204
    assert shelf.ask("PUT", "b", b"x" * 30, **BYTES).json()["code"] == "documents_full"
    tag = shelf.ask("GET", "a").headers["etag"]
    assert shelf.ask("PUT", "a", b"x" * 900, **BYTES, **{"if-match": tag}).status_code == 204
    assert shelf.ask("PUT", "b", b"x" * 30, **BYTES).status_code == 204


def test_untouched_documents_go_with_their_term(
    shelf: Shelf, services: Services, clock: TestClock
) -> None:
    shelf.ask("PUT", "old", {})
    clock.advance(days=390)
    shelf.ask("PUT", "new", {})
    clock.advance(days=11)
    purge.perform(services, "system:purge")
    assert shelf.ask("GET").json() == ["new"]


def test_a_page_of_any_origin_may_ask_for_what_its_key_opens(shelf: Shelf) -> None:
    asked = {
        "origin": "https://huang.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "authorization,if-match,x-experience-api-version",
    }
    answer = shelf.ask("OPTIONS", **asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    found = shelf.ask("GET", origin="https://huang.example")
    assert "ETag" in found.headers["access-control-expose-headers"]


def test_lins_documents_go_when_lin_is_erased(
    client: TestClient, county: County, services: Services
) -> None:
    found_school(client, county)
    lease(client, county, session_id="s1")
    shelf = Shelf(client, county.huang, "activities/state")
    shelf.ask("PUT", "by account", {})
    mail = {"mbox": "mailto:lin@huang.example"}
    said = {"https://w3id.org/xapi/video/extensions/session-id": "s1"}
    told = statement(actor=mail, context={"extensions": said})
    assert client.post("/xAPI/statements", json=told, headers=shelf.headers).status_code == 200
    for agent in (mail, WU):
        shelf.ask("PUT", "notes", {}, params={"agent": json.dumps(agent)})
    with services.database.write() as connection:
        retention.erase_learner(
            connection,
            county.huang.platform.id,
            "lin",
            reason="学员本人申请",
            actor="user:zhao",
            now_ms=services.clock(),
        )
    kept = [shelf.ask("GET", params={"agent": json.dumps(it)}).json() for it in (LIN, mail, WU)]
    assert kept == [[], [], ["notes"]]
