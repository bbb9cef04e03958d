"""Class-hours: short lessons are put together, long ones cut, and none is under forty minutes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.catalogue.class_plan import PlannedLesson, plan_course
from app.errors import BadInput

MINUTE = 60_000
HOUR = 40 * MINUTE


def plan(*lessons: tuple[float, int]) -> list[list[tuple[int, float, float]]]:
    """Class-hours of lessons given as (minutes, declared class-hours), in minutes."""
    planned = [
        PlannedLesson(row, f"l{row}", round(minutes * MINUTE), hours)
        for row, (minutes, hours) in enumerate(lessons, 1)
    ]
    return [
        [(p.lesson_id, p.start_ms / MINUTE, p.end_ms / MINUTE) for p in hour]
        for hour in plan_course("sewing", planned, HOUR)
    ]


@pytest.mark.parametrize(
    ("lessons", "hours"),
    [
        ([(40, 1)], [[(1, 0, 40)]]),
        ([(45, 0)], [[(1, 0, 45)]]),
        ([(100, 1)], [[(1, 0, 100)]]),
        ([(90, 2)], [[(1, 0, 45)], [(1, 45, 90)]]),
        ([(80, 2)], [[(1, 0, 40)], [(1, 40, 80)]]),
        ([(20, 1), (20, 1)], [[(1, 0, 20), (2, 0, 20)]]),
        ([(25, 0), (25, 0), (25, 0)], [[(1, 0, 25), (2, 0, 25), (3, 0, 25)]]),
        ([(10, 0), (15, 0), (15, 0), (39, 1), (1, 0)],
         [[(1, 0, 10), (2, 0, 15), (3, 0, 15)], [(4, 0, 39), (5, 0, 1)]]),
        ([(20, 0), (45, 1), (20, 0)], [[(1, 0, 20), (3, 0, 20)], [(2, 0, 45)]]),
        ([(20, 0), (90, 2)], [[(1, 0, 20), (2, 0, 45)], [(2, 45, 90)]]),
        ([(45, 1), (20, 0), (50, 1), (10, 0)],
         [[(1, 0, 45), (2, 0, 20)], [(3, 0, 50), (4, 0, 10)]]),
        ([(45, 1), (10, 0)], [[(1, 0, 45), (2, 0, 10)]]),
    ],
)  # fmt: skip
def test_a_course_becomes_class_hours(
    lessons: list[tuple[float, int]], hours: list[list[tuple[int, float, float]]]
) -> None:
    assert plan(*lessons) == hours


@pytest.mark.parametrize(
    ("lessons", "code", "named"),
    [
        ([(45, 1), (79.999, 2)], "lesson_too_short", "'l2'"),
        ([(30, 2)], "lesson_too_short", "'l1'"),
        ([(39.999, 1)], "course_too_short", "'sewing'"),
        ([(10, 0), (10, 0)], "course_too_short", "20 minutes"),
    ],
)
def test_what_cannot_be_planned_is_refused_by_name(
    lessons: list[tuple[float, int]], code: str, named: str
) -> None:
    with pytest.raises(BadInput, match=named) as refused:
        plan(*lessons)
    assert refused.value.code == code


@given(st.lists(st.tuples(st.integers(1, 8 * HOUR), st.integers(0, 4)), min_size=1, max_size=30))
def test_every_minute_is_in_one_class_hour_and_each_is_long_enough(
    lessons: list[tuple[int, int]],
) -> None:
    planned = [PlannedLesson(row, str(row), ms, hours) for row, (ms, hours) in enumerate(lessons)]
    try:
        hours = plan_course("sewing", planned, HOUR)
    except BadInput:
        return
    pieces = sorted((p.lesson_id, p.start_ms, p.end_ms) for hour in hours for p in hour)
    for row, (media_ms, _) in enumerate(lessons):
        mine = [(start, end) for lesson, start, end in pieces if lesson == row]
        assert mine[0][0] == 0
        assert mine[-1][1] == media_ms
        assert all(a[1] == b[0] for a, b in pairwise(mine))
    assert all(sum(p.media_ms for p in hour) >= HOUR for hour in hours)
