"""What one decision settles: findings that have one cause are one case.

The cause follows from the finding alone, so the same evidence comes to the same cases whenever it
is judged:

    platform  what a platform lacks or tells wrongly: its findings of one rule, or on one lesson
    class     what is on one class: a crowd, a device, an institution's doing
    sitting   whose face a sitting shows: everything about its photos
    person    what one natural person did on one day, on whatever accounts, by rule
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from app.canonical import canonical
from app.clock import day
from app.store.bodies import FindingBody

OF_FACES = frozenset(
    {"face_liveness", "photo_reuse", "person_over_course", "one_face_several_accounts"}
)
_OF_PLATFORM = ("lesson:", "player")  # subjects that are the same in every class of a platform


class Cause(NamedTuple):
    """A kind of case, and the key by which findings of one cause in one county are known."""

    kind: str
    key: str


def cause_of(finding: Mapping[str, Any], county: str, person_id: int | None) -> Cause:
    """The cause of a finding, given as its columns; `person_id` is who its learner is.

    >>> row = {"platform_id": 1, "class_id": 2, "learner_id": 3, "session_id": 4, "start_ms": 0}
    >>> row |= {"rule": "popup_gap", "fault": "platform", "reason": "none_issued", "body": {}}
    >>> cause_of(row, "示例县", 9) == cause_of(row | {"learner_id": 5, "class_id": 6}, "示例县", 8)
    True
    """
    kind, *parts = _parts(finding, person_id)
    digest = hashlib.sha256(canonical([county, kind, *parts])).hexdigest()
    return Cause(kind, digest[:40])


def _parts(it: Mapping[str, Any], person_id: int | None) -> tuple[Any, ...]:
    rule, subject = it["rule"], _subject(it["body"])
    if subject.startswith(_OF_PLATFORM):
        return "platform", it["platform_id"], rule, subject
    if subject or it["fault"] == "institution":
        return "class", it["class_id"], rule, subject
    if it["fault"] == "platform":
        return "platform", it["platform_id"], rule
    if it["learner_id"] is None:
        return "class", it["class_id"], rule, it["reason"]
    if rule in OF_FACES and it["session_id"] is not None:
        return "sitting", it["session_id"]
    began_ms = it["start_ms"] if it["start_ms"] is not None and it["start_ms"] >= 0 else 0
    return "person", person_id, rule, day(began_ms).isoformat()


def _subject(body: FindingBody | Mapping[str, Any]) -> str:
    """Of a body that is about to be stored, or of one that is."""
    return (body.subject if isinstance(body, FindingBody) else body.get("subject")) or ""
