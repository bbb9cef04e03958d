"""What the authority decides where a check before an assessment leaves it to it.

A decision is a recorded act. It keeps what the check had found when it was made and stands for that
alone: a decision on a fourth training says nothing of a fifth.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from app.domain.wire import Id, Wire
from app.errors import BadInput
from app.store.bodies import CheckBody, ClassVerdict, EnrolmentVerdict
from app.store.catalogue import catalogue
from app.store.catalogue.catalogue import ClassRow
from app.store.judging import verdicts
from app.store.judging.enrolment_facts import roster
from detectors.batch_facts import CheckOutcome

Decided = Literal["allowed", "refused"]

# Leave has acts of its own to approve (`leave_approved`), one for each.
DECIDED_ELSEWHERE = "leave_not_accepted"


class CheckDecision(Wire):
    """What the authority decides on a check, such as B17, that is left to it."""

    check: Annotated[Id, Field(title="检查项编号")]
    decision: Annotated[Decided, Field(title="决定")]


def left_to_authority(
    connection: Connection, class_id: int, learner_id: int | None = None
) -> list[CheckBody]:
    """The checks on the class, or on one of its learners, that wait for the authority."""
    if learner_id is None:
        bodies: list[ClassVerdict] | list[EnrolmentVerdict] = [
            it.body for it in verdicts.of_class(connection, class_id, ClassVerdict)
        ]
    else:
        enrolment_id = catalogue.enrolments(connection, class_id).get(learner_id, 0)
        bodies = [
            it.body
            for it in verdicts.of_class(connection, class_id, EnrolmentVerdict, enrolment_id)
        ]
    return [check for body in bodies for check in body.checks if _waits(check)]


def learners_waiting(connection: Connection, class_id: int) -> dict[int, list[CheckBody]]:
    """By learner id, the checks on learners that wait for the authority."""
    learner_of = {it.id: it.learner_id for it in roster(connection, class_id)}
    return {
        learner_of[row.subject_id]: waiting
        for row in verdicts.of_class(connection, class_id, EnrolmentVerdict)
        if row.subject_id in learner_of
        and (waiting := [it for it in row.body.checks if _waits(it)])
    }


def _waits(check: CheckBody) -> bool:
    return check.result is CheckOutcome.NEEDS_AUTHORITY and check.reason != DECIDED_ELSEWHERE


def completed(
    connection: Connection, klass: ClassRow, learner_id: int | None, wanted: CheckDecision
) -> dict[str, Any]:
    """The decision, with what the check found. Raises BadInput where nothing waits for it."""
    waiting = {it.check: it for it in left_to_authority(connection, klass.id, learner_id)}
    check = waiting.get(wanted.check)
    if check is None:
        there = ", ".join(waiting) or "none"
        detail = f"body.check: nothing of {wanted.check} is left to the authority; waiting: {there}"
        raise BadInput("nothing_to_decide", detail, field="body.check")
    return {**wanted.model_dump(mode="json"), "because": check.reason, "found": check.found}
