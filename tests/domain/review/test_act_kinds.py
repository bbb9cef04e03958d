"""What an act of each kind may say; whether it counts is for others to decide."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.domain.review.act_kinds import (
    KINDS,
    AnswerTime,
    CheckedInPerson,
    ClassExtended,
    LeaveApproved,
    LessonLength,
)
from app.store.review.act_bodies import (
    ActBody,
    AnswerTimeBody,
    CheckedInPersonBody,
    ClassExtendedBody,
    LeaveApprovedBody,
    LessonLengthBody,
    said,
)
from app.store.review.acts import JUDGING

FILM: dict[str, Any] = {"lesson_id": "l1", "media_seconds": 2700.0}


@pytest.mark.parametrize(
    "skipped",
    [[], [[0, 10]], [[10, 20], [20, 30]], [[100.5, 200.25], [300, 2699.9]]],
    ids=["none", "at the start", "one after another", "apart"],
)
def test_what_a_film_lacks_is_told_in_order_and_before_its_end(skipped: list[list[float]]) -> None:
    assert LessonLength(**FILM, skipped=skipped).skipped == skipped


@pytest.mark.parametrize(
    "skipped",
    [[[20, 10]], [[10, 10]], [[10, 30], [20, 40]], [[30, 40], [10, 20]], [[-1, 5]], [[2600, 2700]]],
    ids=["backwards", "empty", "overlapping", "out of order", "before the film", "to its end"],
)
def test_stretches_that_no_film_can_lack_are_refused(skipped: list[list[float]]) -> None:
    with pytest.raises(ValidationError, match="先后排列"):
        LessonLength(**FILM, skipped=skipped)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (AnswerTime, {"answer_window_s": 59}),
        (AnswerTime, {"answer_window_s": 601}),
        (CheckedInPerson, {"class_hours": [], "checked_on": "2026-04-01", "checked_by": "赵"}),
        (LessonLength, FILM | {"media_seconds": 0}),
        (ClassExtended, {"ends_on": "2026-02-30"}),
    ],
)
def test_a_body_beyond_what_its_kind_allows_is_refused(kind: Any, body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        kind(**body)


def test_an_extension_may_leave_out_when_the_class_was_to_end() -> None:
    assert ClassExtended.model_validate({"ends_on": "2026-05-01", "formerly": ""}).formerly is None


# Every kind that judging reads, as short as it may be recorded.
READ: dict[str, tuple[Any, dict[str, Any], type[ActBody]]] = {
    "answer_time": (AnswerTime, {"answer_window_s": 120}, AnswerTimeBody),
    "checked_in_person": (
        CheckedInPerson,
        {"class_hours": [1, 2], "checked_on": "2026-04-01", "checked_by": "赵"},
        CheckedInPersonBody,
    ),
    "lesson_length": (LessonLength, FILM, LessonLengthBody),
    "class_extended": (ClassExtended, {"ends_on": "2026-05-01"}, ClassExtendedBody),
    "leave_approved": (
        LeaveApproved,
        {"from_on": "2026-04-01", "to_on": "2026-04-02"},
        LeaveApprovedBody,
    ),
}


def test_every_kind_that_judging_reads_is_read_as_a_body_of_its_own() -> None:
    assert READ.keys() == JUDGING


@pytest.mark.parametrize("name", READ)
def test_what_is_recorded_in_short_is_read_with_what_it_leaves_out(name: str) -> None:
    kind, told, body = READ[name]
    assert KINDS[name].body is kind
    whole = kind(**told).model_dump(mode="json")
    read = said(kind(**told).model_dump(mode="json", exclude_defaults=True), body)
    assert {field: getattr(read, field) for field in body.__struct_fields__} == {
        field: whole[field] for field in body.__struct_fields__
    }
