"""Bodies of findings and verdicts with only what a test is about said of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from app.store.bodies import EnrolmentVerdict, FindingBody, HourVerdict

TODAY = date(2026, 11, 26)
_FINDING = {
    "key": "k" * 32,
    "rule": "fast_forward",
    "reason": "outran",
    "outcome": "review",
    "fault": "learner",
    "evidence_class": "S",
    "rule_status": "active",
    "reach": "L1",
    "curable": True,
    "needs_two_reviewers": False,
    "start_ms": 0,
    "end_ms": 60_000,
    "measured": 60,
    "limit": 10,
    "unit": "s",
    "clause": {"key": "x/1", "quote": "“”", "instrument": "某办发〔2019〕50号", "article": "一"},
    "evidence": {"controls": [], "photos": []},
}
_HOUR = {
    "subject": {"class_id": "c", "learner_id": "l", "class_hour": 1},
    "outcome": "valid",
    "coverage": 1.0,
    "credited_ms": 2_700_000,
    "played_ms": 2_700_000,
    "length_ms": 2_700_000,
    "photos": 1,
    "sessions": [],
    "findings": [],
    "withheld": [],
    "provenance": ["live"],
    "pack": {"id": "p", "version": "1.0.0", "sha256": "0" * 64},
    "facts_sha256": "0" * 64,
}
_NO_HOURS = ("valid", "invalid", "pending_review", "not_proven", "incomplete", "not_started")
_ENROLMENT = {
    "subject": {"class_id": "c", "learner_id": "l"},
    "outcome": "pending",
    "own": "pending",
    "hours": {"planned": 0, **dict.fromkeys(_NO_HOURS, 0)},
    "findings": [],
    "scale": "own",
    "curable": True,
    "reasons": [],
    "graded": None,
    "literal": None,
    "checks": [],
    "cut_off": None,
    "next_window": {"first": "2026-12-01", "last": "2026-12-31"},
    "pack": {"id": "huangchuan-2021-graded", "version": "1.0.0", "sha256": "0" * 64},
    "detectors": {},
    "facts_sha256": "0" * 64,
}


def finding(**said: Any) -> FindingBody:
    return msgspec.convert(_FINDING | said, FindingBody)


def enrolment(**said: Any) -> EnrolmentVerdict:
    return msgspec.convert(_ENROLMENT | said, EnrolmentVerdict)


def class_hour(**said: Any) -> HourVerdict:
    return msgspec.convert(_HOUR | said, HourVerdict, from_attributes=True)
