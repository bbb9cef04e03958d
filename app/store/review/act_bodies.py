"""What recorded acts say, as their readers take it: one struct for each kind that something reads.

`app.domain.review.act_kinds` checks the same fields when an act is recorded; what says no more than
its default is not stored.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

Said = TypeVar("Said", bound="ActBody")


class ActBody(msgspec.Struct, frozen=True, kw_only=True):
    """Base of what an act says. Days are `yyyy-mm-dd`."""


class AnswerTimeBody(ActBody, frozen=True, kw_only=True):
    answer_window_s: float

    @property
    def window_ms(self) -> int:
        return round(self.answer_window_s * 1000)


class CheckedInPersonBody(ActBody, frozen=True, kw_only=True):
    class_hours: list[int]


class LessonLengthBody(ActBody, frozen=True, kw_only=True):
    """Seconds by the player; `skipped` are stretches [from, to] that no player can show."""

    lesson_id: str
    media_seconds: float
    skipped: list[tuple[float, float]] = []


class ClassExtendedBody(ActBody, frozen=True, kw_only=True):
    ends_on: str
    formerly: str | None = None


class LeaveApprovedBody(ActBody, frozen=True, kw_only=True):
    from_on: str
    to_on: str


class CheckDecidedBody(ActBody, frozen=True, kw_only=True):
    """`because` and `found` are the check's reason and what it had found when it was decided."""

    check: str
    decision: str
    because: str
    found: str


class MakeUpApprovedBody(ActBody, frozen=True, kw_only=True):
    class_hours: list[int]


class ExplicitHoursBody(ActBody, frozen=True, kw_only=True):
    least_hours: float


def said(body: dict[str, Any], kind: type[Said]) -> Said:
    """A stored body by its kind. Raises msgspec.ValidationError where it is of another."""
    return msgspec.convert(body, kind)
