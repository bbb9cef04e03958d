"""What an act of each kind may say; whether it counts is for others to decide."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.domain.review.act_kinds import AnswerTime, CheckedInPerson, ClassExtended, LessonLength

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
