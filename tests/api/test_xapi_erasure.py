"""Statements and their files go with the learner, and by term."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.domain.faces import retention
from app.jobs import purge
from app.services import Services
from models import Statement, XapiAttachment
from tests.api.test_leases import lease
from tests.api.test_sessions import found_school
from tests.api.test_xapi import Lrs, statement
from tests.api.test_xapi_documents import LIN, WU
from tests.api.test_xapi_record_store import attachment, sent
from tests.people import County, TestClock


@pytest.mark.both_databases
def test_lins_statements_and_files_go_when_lin_is_erased_and_wus_stay(
    client: TestClient, county: County, services: Services
) -> None:
    found_school(client, county)
    lease(client, county, session_id="s1")
    lease(client, county, learner="wu", session_id="s2")
    lrs = Lrs(client, county.huang)
    mail = {"mbox": "mailto:lin@huang.example"}
    server = {"account": {"homePage": "https://huang.example", "name": "server"}}

    def of_sitting(name: str) -> dict[str, Any]:
        extensions = {"https://w3id.org/xapi/video/extensions/session-id": name}
        return {"context": {"extensions": extensions}}

    lins = [
        statement(actor=LIN, id=str(UUID(int=1))),
        statement(actor=mail, id=str(UUID(int=2)), **of_sitting("s1")),
        statement(actor=mail, id=str(UUID(int=3))),
        statement(actor=server, id=str(UUID(int=4)), **of_sitting("s1")),
        statement(actor={"objectType": "Group", "member": [WU, mail]}, id=str(UUID(int=5))),
    ]
    others = [
        statement(actor=WU, id=str(UUID(int=6))),
        statement(actor=server, id=str(UUID(int=7)), **of_sitting("s2")),
        statement(actor=server, id=str(UUID(int=8))),
    ]
    for told in (*lins, *others):
        answer = client.post("/xAPI/statements", json=told, headers=lrs.headers)
        assert answer.status_code == 200, answer.text
    photo, shared = b"lin's certificate", b"the course's leaflet"
    for n, (actor, files) in enumerate(((LIN, (photo, shared)), (WU, (shared,)))):
        told = statement(actor=actor, id=str(UUID(int=9 + n)))
        told["attachments"] = [attachment(it) for it in files]
        answer = sent(lrs, told, *files)
        assert answer.status_code == 200, answer.text
    with services.database.write() as connection:
        retention.erase_learner(
            connection,
            county.huang.platform.id,
            "lin",
            reason="学员本人申请",
            actor="user:zhao",
            now_ms=services.clock(),
        )
    with services.database.read() as connection:
        kept = {UUID(it).int for it in connection.scalars(select(Statement.statement_id))}
        left = set(connection.scalars(select(XapiAttachment.body)))
    assert kept == {6, 7, 8, 10}
    assert left == {shared}


def test_statements_go_by_term_and_a_hold_keeps_those_of_its_sittings(
    client: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    found_school(client, county)
    lease(client, county, session_id="s1")
    lrs = Lrs(client, county.huang)
    extensions = {"https://w3id.org/xapi/video/extensions/session-id": "s1"}
    for n, more in enumerate(({}, {"context": {"extensions": extensions}}), 1):
        told = statement(id=str(UUID(int=n)), **more)
        assert client.post("/xAPI/statements", json=told, headers=lrs.headers).status_code == 200
    with services.database.write() as connection:
        hold = retention.place_hold(
            connection,
            county.huang.platform.id,
            class_id=None,
            learner_id="lin",
            reason="复议期间保留",
            actor="test",
            now_ms=clock(),
        )
    assert purge.perform(services, "test")["statements"] == 0
    clock.advance(days=1096)
    assert purge.perform(services, "test")["statements"] == 1
    with services.database.write() as connection:
        retention.lift_hold(connection, hold, reason="复议结束", actor="test", now_ms=clock())
    assert purge.perform(services, "test")["statements"] == 1
