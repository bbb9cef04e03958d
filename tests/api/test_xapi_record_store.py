"""What makes a record store of it: files, signatures, relations, what is known, and leases."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from typing import Any
from unittest.mock import Mock

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from fastapi.testclient import TestClient

from app.domain.exchange import xapi_attachments
from app.domain.exchange.xapi_attachments import SIGNATURE
from app.services import Services
from tests.api.test_leases import lease
from tests.api.test_sessions import found_school
from tests.api.test_xapi import ID, OTHER, READ, URL, Lrs, refused, statement
from tests.people import County

SESSION = "https://w3id.org/xapi/video/extensions/session-id"
PAGE = {"id": "https://huang.example/pages/1"}


@pytest.fixture
def lrs(client: TestClient, county: County) -> Lrs:
    return Lrs(client, county.huang)


def attachment(file: bytes, **parts: Any) -> dict[str, Any]:
    return {
        "usageType": "https://huang.example/usage/photo",
        "display": {"zh-CN": "照片"},
        "contentType": "application/octet-stream",
        "length": len(file),
        "sha2": hashlib.sha256(file).hexdigest(),
        **parts,
    }


def multipart(told: Any, *files: bytes, **heads: str) -> tuple[bytes, str]:
    parts = [b"Content-Type: application/json\r\n\r\n" + json.dumps(told).encode()]
    for file in files:
        head = {
            "Content-Type": "application/octet-stream",
            "Content-Transfer-Encoding": "binary",
            "X-Experience-API-Hash": hashlib.sha256(file).hexdigest(),
        } | {name.replace("_", "-"): value for name, value in heads.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        parts.append(lines.encode() + b"\r\n" + file)
    body = b"".join(b"--cut\r\n" + part + b"\r\n" for part in parts) + b"--cut--\r\n"
    return body, 'multipart/mixed; boundary="cut"'


def sent(lrs: Lrs, told: Any, *files: bytes, **heads: str) -> Any:
    body, media_type = multipart(told, *files, **heads)
    headers = {**lrs.headers, "content-type": media_type}
    return lrs.client.post(URL, content=body, headers=headers)


# ---------------------------------------------------------------------------- files, signatures


@pytest.mark.both_databases
def test_files_come_with_statements_and_go_out_with_them(
    lrs: Lrs, client: TestClient, county: County
) -> None:
    file = bytes(range(256)) + b"\r\n--cu\r\n"
    told = [statement(id=ID, attachments=[attachment(file)]), statement()]
    assert sent(lrs, told, file).status_code == 200
    assert lrs.get(statementId=ID).headers["content-type"] == "application/json"
    answer = lrs.get(attachments="true")
    head = f"content-type: {answer.headers['content-type']}\r\n\r\n".encode()
    whole = message_from_bytes(head + answer.content)
    page, *files = [part for part in whole.walk() if not part.is_multipart()]
    assert len(json.loads(str(page.get_payload()))["statements"]) == 2
    assert [it["x-experience-api-hash"] for it in files] == [hashlib.sha256(file).hexdigest()]
    assert file in answer.content
    guang = Lrs(client, county.guang)
    assert file not in guang.get(attachments="true").content


def test_files_and_statements_that_do_not_agree_are_refused(lrs: Lrs) -> None:
    file, named = b"photo", statement(id=ID, attachments=[attachment(b"photo")])
    refused(lrs.post(named), 400, "invalid_attachment")  # the file is nowhere
    refused(sent(lrs, statement(), file), 400, "invalid_attachment")  # nobody names it
    refused(sent(lrs, named, file, X_Experience_API_Hash="00" * 32), 400, "invalid_attachment")
    told = sent(lrs, named, file, Content_Transfer_Encoding="base64")
    refused(told, 400, "malformed_multipart")
    refused(sent(lrs, named, file, X_Experience_API_Hash=""), 400, "malformed_multipart")
    assert lrs.ids() == []
    elsewhere = attachment(file, fileUrl="https://huang.example/1.jpg")
    assert lrs.post(statement(attachments=[elsewhere])).status_code == 200


def test_files_fill_the_share_of_their_platform_only(lrs: Lrs, services: Services) -> None:
    services.settings.max_documents_bytes = 1024
    big = b"x" * 2000
    refused(sent(lrs, statement(attachments=[attachment(big)]), big), 413, "documents_full")
    assert lrs.ids() == []


def signed(told: dict[str, Any], algorithm: str = "RS256", forged: bool = False) -> bytes:
    """A JSON Web Signature of a statement with the certificate of a key made for it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "huang")])
    now = datetime(2026, 3, 2, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, now, now + timedelta(days=1))
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )
    head = {"alg": algorithm, "x5c": [base64.b64encode(certificate).decode()]}
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, told)
    ]
    seal = key.sign(b".".join(parts), padding.PKCS1v15(), hashes.SHA256())
    seal = bytes(len(seal)) if forged else seal
    return b".".join([*parts, base64.urlsafe_b64encode(seal).rstrip(b"=")])


def test_a_signature_must_be_of_the_statement_that_bears_it(lrs: Lrs) -> None:
    told = statement(id=ID, result={"duration": "PT1.23456S"})
    good = signed({**told, "result": {"duration": "PT1.23S"}})
    for seal, status in (
        (good, 200),
        (signed(told, forged=True), 400),
        (signed(told, "HS256"), 400),
        (signed({**told, "result": {"success": True}}), 400),
        (b"no.signature", 400),
    ):
        bearing = {**told, "id": OTHER} if status == 400 else told
        named = {**bearing, "attachments": [attachment(seal, usageType=SIGNATURE)]}
        assert sent(lrs, named, seal).status_code == status
    assert lrs.ids() == [ID]


def test_a_signature_that_a_statement_bears_many_times_is_read_once(
    lrs: Lrs, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = statement(id=ID)
    seal, reading = signed(told), Mock(wraps=xapi_attachments._opened)
    monkeypatch.setattr(xapi_attachments, "_opened", reading)
    named = {**told, "attachments": [attachment(seal, usageType=SIGNATURE)] * 50}
    assert sent(lrs, named, seal).status_code == 200 and reading.call_count == 1


# ------------------------------------------------------------------------ relations, what is known


@pytest.mark.both_databases
def test_related_people_and_activities_are_found_when_asked_for(lrs: Lrs) -> None:
    teacher = {"mbox": "mailto:zhou@huang.example"}
    course = {"id": "https://huang.example/courses/1"}
    group = {"objectType": "Group", "member": [{"mbox": "mailto:wu@huang.example"}]}
    context = {"instructor": teacher, "contextActivities": {"parent": course}}
    told = lrs.stored(actor=group, context=context)
    assert lrs.ids(agent=json.dumps(teacher)) == []
    assert lrs.ids(agent=json.dumps(teacher), related_agents="true") == [told]
    assert lrs.ids(activity=course["id"]) == []
    assert lrs.ids(activity=course["id"], related_activities="true") == [told]
    assert lrs.ids(agent=json.dumps(group["member"][0])) == [told]  # as one of the group


@pytest.mark.both_databases
def test_a_statement_about_another_is_found_by_what_that_one_says(lrs: Lrs) -> None:
    lrs.put(statement())
    other = lrs.stored(verb={"id": "https://huang.example/verbs/rated"})
    reference = {"objectType": "StatementRef", "id": ID}
    praise = lrs.stored(
        actor={"mbox": "mailto:zhou@huang.example"},
        verb={"id": "https://huang.example/verbs/praised"},
        object=reference,
    )
    lin = json.dumps(statement()["actor"])
    assert lrs.ids(agent=lin) == [praise, other, ID]
    assert lrs.ids(verb=READ, ascending="true") == [ID, praise]
    assert lrs.ids(verb=READ, limit=1) == [praise]


def test_an_activity_is_all_that_was_told_of_it(lrs: Lrs) -> None:
    for name in ({"zh-CN": "第一页"}, {"en": "Page one"}):
        lrs.stored(object={**PAGE, "definition": {"name": name}})
    ask = lrs.client.get("/xAPI/activities", params={"activityId": PAGE["id"]}, headers=lrs.headers)
    name = {"zh-CN": "第一页", "en": "Page one"}
    assert ask.json() == {"objectType": "Activity", **PAGE, "definition": {"name": name}}
    lrs.headers = {**lrs.headers, "accept-language": "en"}
    for shown in lrs.get(format="canonical").json()["statements"]:
        assert shown["object"]["definition"] == {"name": {"en": "Page one"}}
    unknown = {"activityId": "https://huang.example/pages/2"}
    ask = lrs.client.get("/xAPI/activities", params=unknown, headers=lrs.headers)
    assert ask.json() == {"objectType": "Activity", "id": unknown["activityId"]}


def test_an_agent_is_a_person_of_its_own(lrs: Lrs) -> None:
    lin = {"name": "林小兰", "mbox": "mailto:lin@huang.example"}
    params = {"agent": json.dumps(lin)}
    told = lrs.client.get("/xAPI/agents", params=params, headers=lrs.headers).json()
    assert told == {"objectType": "Person", "name": [lin["name"]], "mbox": [lin["mbox"]]}


def test_every_answer_says_until_when_all_is_to_be_seen(lrs: Lrs) -> None:
    for answer in (lrs.get(limit="x"), lrs.get(statementId=ID), lrs.post(statement()), lrs.get()):
        assert answer.headers["x-experience-api-consistent-through"].startswith("2026-03-02T0")


# --------------------------------------------------------------------------------------- leases


def test_lins_page_sends_statements_of_its_own_sitting_with_its_lease(
    client: TestClient, county: County
) -> None:
    found_school(client, county)
    mine = lease(client, county, session_id="s1")
    lease(client, county, learner="wu", session_id="s2")
    lrs = Lrs(client, county.huang)
    platform = lrs.headers
    lrs.headers = {**mine, "x-experience-api-version": "1.0.3"}

    def named(session: str, **parts: Any) -> dict[str, Any]:
        return statement(context={"extensions": {SESSION: session}}, **parts)

    assert lrs.post(named("s1", id=ID)).json() == [ID]
    assert lrs.post([named("s1"), named("s2")]).status_code == 403
    assert lrs.post(named("s2")).status_code == 401
    assert lrs.post(statement()).status_code == 403
    void = {"verb": {"id": "http://adlnet.gov/expapi/verbs/voided"}}
    target = {"object": {"objectType": "StatementRef", "id": ID}}
    assert lrs.post(named("s1", **void, **target)).status_code == 403
    assert lrs.get().status_code == 403
    lrs.headers = platform
    assert lrs.ids() == [ID]
