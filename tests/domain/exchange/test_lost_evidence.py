"""A refusal of evidence reaches a platform's webhook once a day; other refusals do not."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from app.db import Database
from app.domain.accounts.refused_requests import Occurrences, Reason, Told
from app.domain.exchange import lost_evidence, webhooks
from app.services import Services
from models import WebhookDelivery
from tests.people import County, TestClock

EVENTS = "/v1/sessions/{session_id}/events"


def refused(county: County, route: str = EVENTS, status: int = 409, code: str = "x") -> Told:
    reason = Reason("POST", route, status, code, "events")
    return Told(county.huang.platform.id, 1, reason, Occurrences(1, 0, "must be a number", "r1"))


@pytest.fixture
def told(services: Services, database: Database, county: County, clock: TestClock) -> Any:
    """Tells of refusals; what the webhook was told by then: code and words."""
    with database.write() as connection:
        webhooks.register(
            connection,
            services.vault,
            county.huang.platform.id,
            url="listen:",
            events=["evidence.lost"],
            https_only=False,
            actor="system",
            now_ms=clock(),
        )

    def tell(*refusals: Told) -> list[tuple[str, str]]:
        with database.write() as connection:
            lost_evidence.tell(connection, refusals, clock())
            rows = connection.scalars(select(WebhookDelivery.payload).order_by(WebhookDelivery.id))
            return [(it["data"]["code"], it["data"]["zh"]) for it in rows]

    return tell


def test_each_reason_is_told_once_a_day(told: Any, county: County, clock: TestClock) -> None:
    closed = refused(county, code="session_closed")
    assert [code for code, _ in told(closed, closed)] == ["session_closed"]
    assert len(told(closed)) == 1
    assert len(told(closed, refused(county, code="batch_conflict"))) == 2
    clock.advance(days=1)
    assert len(told(closed)) == 3


@pytest.mark.parametrize(
    ("route", "status", "code", "words"),
    [
        (EVENTS, 409, "session_closed", "请在学员继续学习时重新开始会话"),
        ("/v1/events", 200, "numbered_by_client", "请继续编号"),
        ("/v1/sessions/{session_id}/controls", 422, "invalid_field", "内容不合要求"),
        ("/v1/sessions", 409, "outside_class_dates", "不在班级的学习期间"),
        ("/v1/sessions", 409, "concurrent_session", ""),  # a learner's other window is no loss
        (EVENTS, 401, "bad_api_key", ""),
        (EVENTS, 429, "too_many_requests", ""),
        ("/v1/classes/{class_id}/roster", 422, "invalid_field", ""),
    ],
)
def test_only_what_was_evidence_is_told_of(
    told: Any, county: County, route: str, status: int, code: str, words: str
) -> None:
    said = told(refused(county, route, status, code))
    assert [it[0] for it in said] == ([code] if words else [])
    assert all(words in it[1] for it in said)
