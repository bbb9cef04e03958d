"""Class-hours that misconduct cost and that were studied again count with the authority's word."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.services import Services
from app.store.judging.enrolment_facts import _HourParts, _LostPart, _made_up
from detectors.finding import Fault, Outcome
from tests.domain.judging.test_attested_evidence import Class
from tests.people import HUANGCHUAN, County, TestClock
from tests.verdicts import codes, sign_in, studied

APPROVED: dict[str, Any] = {
    "kind": "make_up_approved",
    "learner_id": "wu",
    "body": {"class_hours": [7]},
    "reason": "已教育本人，同意补学",
    "document": "补课审批表",
}


@pytest.mark.parametrize(
    ("sessions", "fault", "outcome", "voids", "made_up"),
    [
        (["a", "b"], Fault.LEARNER, Outcome.VIOLATION, True, True),
        (["a"], Fault.LEARNER, Outcome.VIOLATION, True, False),  # enough was left without it
        (["a", "b"], Fault.PLATFORM, Outcome.VIOLATION, True, False),
        (["a", "b"], Fault.LEARNER, Outcome.REVIEW, True, False),
        (["a", "b"], Fault.LEARNER, Outcome.VIOLATION, False, False),
    ],
)
def test_only_another_sitting_after_a_learners_violation_makes_up(
    sessions: list[str], fault: Fault, outcome: Outcome, voids: bool, made_up: bool
) -> None:
    lost = _LostPart(outcome=outcome, fault=fault, voids=voids, session_id="a")
    assert _made_up(_HourParts(sessions=sessions, findings=[lost])) is made_up


def test_two_persons_approve_before_made_up_hours_count(
    services: Services, client: TestClient, county: County, clock: TestClock
) -> None:
    klass = Class(services, client, county, clock, policy_id="huangchuan-2021-graded@1.2.0")
    studied(services.database, county, clock, "lin")
    studied(services.database, county, clock, "wu", made_up=[7, 8])
    assert klass.learner("lin")["own"] == "eligible"
    wu = klass.learner("wu")
    assert (wu["own"], codes(wu)[0], wu["reasons"][0]["class_hours"]) == (
        "pending",
        "hours_made_up",
        [7, 8],
    )
    assert wu["reasons"][0]["cure"]["how"] == "authority_approval"
    assert not klass.record(county.huang.headers, **APPROVED).is_success

    zhao, qian = (sign_in(services, it, HUANGCHUAN) for it in ("zhao", "qian"))
    act = klass.record(zhao, **APPROVED).json()
    assert act["state"] == "awaits_approval" and klass.learner("wu")["own"] == "pending"
    assert client.post(f"/v1/acts/{act['id']}/approval", headers=qian).is_success
    assert klass.learner("wu")["reasons"][0]["class_hours"] == [8]
    both = APPROVED | {"body": {"class_hours": [8]}}
    act = klass.record(zhao, **both).json()
    assert client.post(f"/v1/acts/{act['id']}/approval", headers=qian).is_success
    assert klass.learner("wu")["own"] == "eligible"


def test_a_pack_that_does_not_ask_counts_them(
    services: Services, client: TestClient, county: County, clock: TestClock
) -> None:
    klass = Class(services, client, county, clock)
    studied(services.database, county, clock, "wu", made_up=[7])
    assert klass.learner("wu")["own"] == "eligible"
