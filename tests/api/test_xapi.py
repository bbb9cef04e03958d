"""Statements over HTTP: what the standard demands of whoever keeps them."""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from time import process_time
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from app.domain.accounts import platforms
from app.services import Services
from tests.people import County, Tenant, TestClock

URL = "/xAPI/statements"
ID = "7ccd3322-e1a5-411a-a67d-6a735c76f119"
OTHER = "8ccd3322-e1a5-411a-a67d-6a735c76f119"
VERSION = {"x-experience-api-version": "1.0.3"}
READ = "https://huang.example/verbs/read"


def statement(**parts: Any) -> dict[str, Any]:
    return {
        "actor": {"name": "林小兰", "mbox": "mailto:lin@huang.example"},
        "verb": {"id": READ, "display": {"zh-CN": "读"}},
        "object": {
            "id": "https://huang.example/pages/1",
            "definition": {"name": {"zh-CN": "第一页"}},
        },
        **parts,
    }


class Lrs:
    """A platform's own view of the service."""

    def __init__(self, client: TestClient, tenant: Tenant, version: str = "1.0.3") -> None:
        self.client = client
        self.headers = {**tenant.headers, "x-experience-api-version": version}

    def post(self, body: Any, **more: Any) -> Any:
        return self.client.post(URL, json=body, headers=self.headers, **more)

    def put(self, body: Any, statement_id: str = ID) -> Any:
        params = {"statementId": statement_id}
        return self.client.put(URL, json=body, params=params, headers=self.headers)

    def get(self, **params: Any) -> Any:
        return self.client.get(URL, params=params, headers=self.headers)

    def ids(self, **params: Any) -> list[str]:
        answer = self.get(**params)
        assert answer.status_code == 200, answer.text
        return [it["id"] for it in answer.json()["statements"]]

    def stored(self, **parts: Any) -> str:
        answer = self.post(statement(**parts))
        assert answer.status_code == 200, answer.text
        (statement_id,) = answer.json()
        return str(statement_id)


@pytest.fixture
def lrs(client: TestClient, county: County) -> Lrs:
    return Lrs(client, county.huang)


def refused(answer: Any, status: int, code: str) -> Any:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-experience-api-version"]
    return answer.json()


def test_anybody_may_ask_for_the_versions(client: TestClient) -> None:
    answer = client.get("/xAPI/about")
    assert answer.status_code == 200
    assert {"1.0.3", "2.0.0"} <= set(answer.json()["version"])


@pytest.mark.both_databases
def test_a_statement_is_kept_whole(lrs: Lrs) -> None:
    told = statement(result={"extensions": {"https://a.example/any": [None, 1.50, {"深": "度"}]}})
    answer = lrs.put(told)
    assert (answer.status_code, answer.content) == (204, b"")
    answer = lrs.get(statementId=ID.upper())
    kept = answer.json()
    assert {name: kept[name] for name in told} == told
    assert kept["id"] == ID and kept["version"] == "1.0.0"
    assert kept["timestamp"] == kept["stored"] == "2026-03-02T01:00:00.000Z"
    assert kept["authority"]["account"]["name"].startswith("key:")
    assert answer.headers["last-modified"] == "Mon, 02 Mar 2026 01:00:00 GMT"
    assert answer.headers["x-experience-api-consistent-through"] >= kept["stored"]


def test_what_a_platform_says_of_itself_is_replaced_or_kept(lrs: Lrs) -> None:
    lrs.put(
        statement(
            timestamp="2026-03-02T08:59:00+08:00",
            version="1.0.2",
            stored="2020-01-01T00:00:00Z",
            authority={"mbox": "mailto:root@huang.example"},
        )
    )
    kept = lrs.get(statementId=ID).json()
    assert kept["timestamp"] == "2026-03-02T08:59:00+08:00" and kept["version"] == "1.0.2"
    assert kept["stored"].startswith("2026-03-02") and "mbox" not in kept["authority"]


def test_a_batch_answers_its_ids_in_order(lrs: Lrs) -> None:
    answer = lrs.post([statement(), statement(id=ID), statement()])
    first, second, third = answer.json()
    assert second == ID and uuid.UUID(first) != uuid.UUID(third)
    assert lrs.ids(ascending="true") == [first, ID, third]
    assert lrs.post([]).json() == []


def test_a_batch_is_stored_whole_or_not_at_all(lrs: Lrs) -> None:
    told = refused(lrs.post([statement(id=ID), statement(verb=None)]), 400, "invalid_statement")
    assert told["errors"][0]["field"] == "[1].verb"
    lrs.put(statement(), OTHER)
    batch = [statement(id=ID), statement(id=OTHER, result={"success": True})]
    refused(lrs.post(batch), 409, "statement_conflict")
    assert lrs.ids() == [OTHER]


@pytest.mark.both_databases
def test_sending_again_changes_nothing_and_saying_otherwise_is_refused(
    lrs: Lrs, clock: TestClock
) -> None:
    assert lrs.put(statement()).status_code == 204
    before = lrs.get(statementId=ID).json()
    clock.advance(minutes=1)
    assert lrs.put(statement()).status_code == 204
    assert lrs.post([before]).json() == [ID]
    refused(lrs.put(statement(result={"success": True})), 409, "statement_conflict")
    refused(lrs.post(statement(id=ID.upper(), result={})), 409, "statement_conflict")
    assert lrs.get(statementId=ID).json() == before


def test_another_platform_sees_none_of_it(client: TestClient, county: County, lrs: Lrs) -> None:
    lrs.put(statement())
    guang = Lrs(client, county.guang)
    refused(guang.get(statementId=ID), 404, "unknown_statement")
    assert guang.ids() == []
    assert guang.put(statement(result={"success": True})).status_code == 204


# ------------------------------------------------------------------------- versions, keys, bodies


@pytest.mark.parametrize("version", [None, "", "0.95", "1.1.0", "2", "2.1.0", "1.0.3, 2.0.0"])
def test_the_version_must_be_one_that_is_spoken(lrs: Lrs, version: str | None) -> None:
    lrs.headers.pop("x-experience-api-version")
    if version is not None:
        lrs.headers["x-experience-api-version"] = version
    code = "version_missing" if version is None else "version_unsupported"
    for answer in (lrs.post(statement()), lrs.put(statement()), lrs.get()):
        refused(answer, 400, code)


def test_version_two_is_answered_in_version_two(client: TestClient, county: County) -> None:
    lrs = Lrs(client, county.huang, "2.0.0")
    answer = lrs.put(statement(context={"contextAgents": []}))
    assert (answer.status_code, answer.headers["x-experience-api-version"]) == (204, "2.0.0")
    assert lrs.get(statementId=ID).json()["version"] == "2.0.0"
    lrs.headers["x-experience-api-version"] = "1.0"
    assert lrs.get().headers["x-experience-api-version"] == "1.0.3"
    refused(lrs.post(statement(context={"contextAgents": []})), 400, "invalid_statement")


def test_a_key_comes_as_bearer_or_as_basic(
    client: TestClient, county: County, services: Services
) -> None:
    with services.database.read() as connection:
        (key,) = platforms.keys(connection, county.huang.platform.id)
    secret = county.huang.secret
    for user, status in (("huang-edu", 200), (str(key.id), 200), ("guang-edu", 401), ("", 401)):
        told = base64.b64encode(f"{user}:{secret}".encode()).decode()
        answer = client.get(URL, headers={**VERSION, "authorization": f"Basic {told}"})
        assert answer.status_code == status, user
    for nonsense in ("Basic", "Basic ???", "Basic /////w==", "Basic aHVhbmc="):
        answer = client.get(URL, headers={**VERSION, "authorization": nonsense})
        refused(answer, 401, "bad_api_key")
    refused(client.get(URL, headers=VERSION), 401, "bad_api_key")


def test_a_key_writes_or_reads_as_its_scopes_say(client: TestClient, county: County) -> None:
    for scope, writes, reads in (("ingest", 200, 403), ("read", 403, 200)):
        made = client.post(
            "/v1/keys", json={"label": "x", "scopes": [scope]}, headers=county.huang.headers
        )
        headers = {**VERSION, "authorization": f"Bearer {made.json()['key']}"}
        assert client.post(URL, json=statement(), headers=headers).status_code == writes
        assert client.get(URL, headers=headers).status_code == reads


@pytest.mark.parametrize(
    ("media_type", "code"),
    [("text/plain", "media_type"), ("multipart/mixed; boundary=a", "malformed_multipart")],
)
def test_statements_come_as_json(lrs: Lrs, media_type: str, code: str) -> None:
    headers = {**lrs.headers, "content-type": media_type}
    body = json.dumps(statement())
    refused(lrs.client.post(URL, content=body, headers=headers), 400, code)


def test_a_body_may_be_packed_and_must_not_be_too_large(lrs: Lrs, services: Services) -> None:
    packed = gzip.compress(json.dumps(statement(id=ID)).encode())
    headers = {**lrs.headers, "content-type": "application/json", "content-encoding": "gzip"}
    assert lrs.client.post(URL, content=packed, headers=headers).json() == [ID]
    refused(lrs.client.post(URL, content=b"{}", headers=headers), 400, "malformed_encoding")
    large = b" " * (services.settings.max_body_bytes + 1)
    refused(lrs.client.post(URL, content=large, headers=lrs.headers), 413, "body_too_large")


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("POST", f"statementId={ID}"),
        ("PUT", ""),
        ("PUT", "statementId=1"),
        ("PUT", f"statementId={ID}&colour=red"),
        ("PUT", f"statementId={ID}&statementId={ID}"),
        ("GET", "statementId=1"),
        ("GET", f"statementId={ID}&limit=1"),
        ("GET", f"statementId={ID}&voidedStatementId={ID}"),
        ("GET", f"statementId={ID}&attachments=yes"),
        ("GET", "StatementId=1"),
        ("GET", "limit=-1"),
        ("GET", "limit=%D9%A1"),
        ("GET", "after=x"),
        ("GET", "ascending=1"),
        ("GET", "format=pretty"),
        ("GET", "verb=read"),
        ("GET", "registration=1"),
        ("GET", "since=yesterday"),
        ("GET", "agent=lin"),
        ("GET", "agent=%7B%7D"),
        ("GET", "agent=%7B%22objectType%22%3A%22Group%22%7D"),
        ("GET", "related_agents=1"),
    ],
)
def test_parameters_that_mean_nothing_are_refused(lrs: Lrs, method: str, query: str) -> None:
    body = None if method == "GET" else statement()
    answer = lrs.client.request(method, f"{URL}?{query}", json=body, headers=lrs.headers)
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] in ("invalid_parameter", "malformed_json")


# --------------------------------------------------------------------------------------- reading


@pytest.mark.both_databases
def test_statements_are_found_by_who_what_and_when(lrs: Lrs, clock: TestClock) -> None:
    account = {"account": {"homePage": "https://huang.example", "name": "wu"}}
    lin = lrs.stored()
    clock.advance(minutes=1)
    wu = lrs.stored(actor=account, context={"registration": ID.upper()})
    clock.advance(minutes=1)
    praised = lrs.stored(
        verb={"id": "https://huang.example/verbs/praised"},
        object={"objectType": "Agent", "name": "吴", **account},
    )
    assert lrs.ids() == [praised, wu, lin]
    assert lrs.ids(ascending="true") == [lin, wu, praised]
    assert lrs.ids(agent=json.dumps(account)) == [praised, wu]
    assert lrs.ids(agent=json.dumps({"mbox": "mailto:lin@huang.example"})) == [praised, lin]
    assert lrs.ids(verb=READ) == [wu, lin]
    assert lrs.ids(activity="https://huang.example/pages/1") == [wu, lin]
    assert lrs.ids(activity="https://huang.example/pages/2") == []
    assert lrs.ids(registration=ID) == [wu]
    assert lrs.ids(since="2026-03-02T09:00:00+08:00") == [praised, wu]
    assert lrs.ids(until="2026-03-02T09:01:00+08:00") == [wu, lin]
    assert lrs.ids(verb=READ, agent=json.dumps(account), limit=5) == [wu]


def test_more_leads_through_all_pages(lrs: Lrs) -> None:
    ids = lrs.post([statement() for _ in range(7)]).json()
    for ascending, expected in (("true", ids), ("false", ids[::-1])):
        found: list[str] = []
        answer = lrs.get(limit=3, verb=READ, ascending=ascending).json()
        found += [it["id"] for it in answer["statements"]]
        while answer["more"]:
            answer = lrs.client.get(answer["more"], headers=lrs.headers).json()
            found += [it["id"] for it in answer["statements"]]
        assert found == expected


def test_limit_nothing_means_as_many_as_there_may_be(lrs: Lrs) -> None:
    lrs.post([statement() for _ in range(101)])
    answer = lrs.get(limit=0).json()
    assert len(answer["statements"]) == 100 and answer["more"]


def test_ids_leave_out_what_only_people_read(lrs: Lrs) -> None:
    group = {"objectType": "Group", "member": [{"name": "林", "mbox": "mailto:lin@huang.example"}]}
    page = {"id": "https://huang.example/pages/1", "definition": {"name": {"zh": "第一页"}}}
    lrs.put(
        statement(
            actor=group,
            context={"team": group, "contextActivities": {"parent": page, "other": [page]}},
            object={"objectType": "SubStatement", **statement()},
        )
    )
    shown = lrs.get(statementId=ID, format="ids").json()
    who = {"objectType": "Group", "member": [{"mbox": "mailto:lin@huang.example"}]}
    assert shown["actor"] == who == shown["context"]["team"]
    activity = {"id": "https://huang.example/pages/1"}
    assert shown["context"]["contextActivities"] == {"parent": [activity], "other": [activity]}
    assert shown["object"]["verb"] == {"id": READ} and shown["object"]["object"] == activity
    (listed,) = lrs.get(format="ids").json()["statements"]
    assert listed == shown


@pytest.mark.both_databases
@pytest.mark.parametrize("first", ["statement", "voiding"])
def test_a_statement_taken_back_is_found_only_as_such(lrs: Lrs, first: str) -> None:
    ref = {"objectType": "StatementRef", "id": ID.upper()}
    voiding = statement(id=OTHER, verb={"id": "http://adlnet.gov/expapi/verbs/voided"}, object=ref)
    both = [statement(id=ID), voiding]
    for it in both if first == "statement" else both[::-1]:
        assert lrs.post(it).status_code == 200
    refused(lrs.get(statementId=ID), 404, "unknown_statement")
    assert lrs.get(voidedStatementId=ID).json()["id"] == ID
    refused(lrs.get(voidedStatementId=OTHER), 404, "unknown_statement")
    assert lrs.ids() == [OTHER]


def test_a_head_is_a_get_without_its_body(lrs: Lrs) -> None:
    answer = lrs.client.head(URL, headers=lrs.headers)
    assert answer.status_code == 200
    assert answer.headers["x-experience-api-consistent-through"]


# ----------------------------------------------------------------- the alternate request syntax


def beacon(lrs: Lrs, method: str, query: str = "", **fields: str) -> Any:
    """What `navigator.sendBeacon(url, new URLSearchParams(…))` sends: no header of its own."""
    form = {
        "Authorization": lrs.headers["authorization"],
        "X-Experience-API-Version": "1.0.3",
        "Content-Type": "application/json",
        **fields,
    }
    return lrs.client.post(
        f"{URL}?method={method}{query}",
        content=urlencode({name: value for name, value in form.items() if value}),
        headers={"content-type": "application/x-www-form-urlencoded;charset=UTF-8"},
    )


def test_a_closing_page_gets_its_last_word_in(lrs: Lrs) -> None:
    answer = beacon(lrs, "PUT", statementId=ID, Content=json.dumps(statement()))
    assert (answer.status_code, answer.headers["x-experience-api-version"]) == (204, "1.0.3")
    answer = beacon(lrs, "POST", content=json.dumps([statement(id=OTHER)]))
    assert answer.json() == [OTHER]
    found = beacon(lrs, "GET", **{"Content-Type": ""}, limit="1").json()
    assert [it["id"] for it in found["statements"]] == [OTHER] and found["more"]
    assert beacon(lrs, "GET", statementId=ID).json()["actor"]["name"] == "林小兰"


@pytest.mark.parametrize(
    ("method", "query", "fields"),
    [
        ("DELETE", "", {}),
        ("put", "", {"statementId": ID, "content": "{}"}),
        ("PUT", f"&statementId={ID}", {"content": "{}"}),
        ("POST", "", {}),
        ("POST", "", {"content": ""}),
        ("POST", "", {"content": "{}", "Content-Type": "text/plain"}),
        ("POST", "", {"content": "{}", "X-Experience-API-Version": ""}),
        ("POST", "", {"content": "{}", "Content": "{}"}),
        ("GET", "", {"content": "{}"}),
        ("GET", "", {"colour": "red"}),
    ],
)
def test_a_form_that_holds_no_request_is_refused(
    lrs: Lrs, method: str, query: str, fields: dict[str, str]
) -> None:
    assert beacon(lrs, method, query, **fields).status_code == 400


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("POST", {"Content-Type": 'multipart/mixed; x="' + ";" * 150_000, "content": "x"}),
        ("GET", {"Accept-Language": "zh" + " " * 60_000 + "!", "format": "canonical"}),
    ],
)
@pytest.mark.parametrize("who", ["a key", "a lease that nobody gave"])
def test_a_header_in_a_form_is_no_longer_than_a_header(
    lrs: Lrs, method: str, fields: dict[str, str], who: str
) -> None:
    token = {} if who == "a key" else {"Authorization": f"Bearer zl1_{'A' * 43}"}
    began = process_time()
    assert beacon(lrs, method, **{"Content-Type": "", **fields}, **token).status_code == 400
    assert process_time() - began < 5


def test_a_form_needs_a_key_too(lrs: Lrs) -> None:
    answer = beacon(lrs, "POST", content=json.dumps(statement()), Authorization="")
    refused(answer, 401, "bad_api_key")
    for body in (b"content=%FF", b"&".join([b"a=b"] * 60), b"content", b""):
        headers = {**lrs.headers, "content-type": "text/plain"}
        answer = lrs.client.post(f"{URL}?method=POST", content=body, headers=headers)
        assert answer.status_code == 400
