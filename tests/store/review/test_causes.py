"""What makes findings one case, and what keeps them apart."""

from __future__ import annotations

from typing import Any

import pytest

from app.store.review.causes import cause_of

NOON = 1_775_650_000_000  # 2026-04-08 20:06:40 in Shanghai
ROW: dict[str, Any] = {
    "platform_id": 1,
    "class_id": 1,
    "learner_id": 1,
    "session_id": 1,
    "rule": "multi_window",
    "reason": "overlap",
    "fault": "learner",
    "start_ms": NOON,
    "body": {},
}
PLATFORM = ROW | {"rule": "popup_gap", "fault": "platform", "reason": "none_issued"}
LESSON = PLATFORM | {"rule": "lesson_length", "learner_id": None, "session_id": None}
LESSON |= {"body": {"subject": "lesson:k1"}}
CROWD = LESSON | {"rule": "shared_device", "fault": "undetermined", "body": {"subject": "device:1"}}
FACE = ROW | {"rule": "face_liveness", "fault": "undetermined"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            ROW,
            ROW | {"session_id": 2, "class_id": 2, "learner_id": 2, "start_ms": NOON - 3_600_000},
        ),
        (PLATFORM, PLATFORM | {"session_id": 2, "learner_id": 2, "class_id": 2}),
        (
            PLATFORM,
            PLATFORM | {"learner_id": None, "session_id": None, "reason": "control_missing"},
        ),
        (LESSON, LESSON | {"class_id": 2}),
        (FACE, FACE | {"rule": "photo_reuse"}),
    ],
    ids=["afternoon", "platform", "control", "lesson", "face"],
)
def test_one_cause_is_one_case(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert cause_of(one, "示例县", 7) == cause_of(other, "示例县", 7)


@pytest.mark.parametrize(
    ("one", "other", "county", "person"),
    [
        (ROW, ROW, "光山县", 7),
        (ROW, ROW, "示例县", 8),
        (ROW, ROW | {"start_ms": NOON + 86_400_000}, "示例县", 7),
        (ROW, ROW | {"rule": "fast_forward"}, "示例县", 7),
        (PLATFORM, PLATFORM | {"platform_id": 2}, "示例县", 7),
        (LESSON, LESSON | {"body": {"subject": "lesson:k2"}}, "示例县", 7),
        (CROWD, CROWD | {"class_id": 2}, "示例县", 7),
        (FACE, FACE | {"session_id": 2}, "示例县", 7),
    ],
    ids=["county", "person", "day", "rule", "platform", "lesson", "class", "sitting"],
)
def test_other_causes_are_other_cases(
    one: dict[str, Any], other: dict[str, Any], county: str, person: int
) -> None:
    assert cause_of(one, "示例县", 7) != cause_of(other, county, person)
