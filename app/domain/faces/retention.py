"""Legal holds, and the erasure of one learner's face data on the authority's instruction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.domain.wire import shown_text
from app.errors import BadInput, Conflict, NotFound
from app.store.accounts import audit
from app.store.catalogue import catalogue
from app.store.exchange import documents, forgotten
from app.store.faces import retention as store

MIN_REASON, MAX_REASON = 4, 2000


def place_hold(
    connection: Connection,
    platform_id: int,
    *,
    class_id: str | None,
    learner_id: str | None,
    reason: str,
    actor: str,
    now_ms: int,
) -> int:
    """Keep the photos and templates of a class or of a learner, each by the platform's own id;
    the hold's id. Raises BadInput unless exactly one is named with a reason, NotFound."""
    words = _reason(reason)
    if (class_id is None) == (learner_id is None):
        raise BadInput("bad_hold", "name either a class or a learner")
    values: dict[str, Any] = {"class_id": None, "learner_id": None}
    if class_id is not None:
        klass = catalogue.class_of_platform(connection, platform_id, class_id)
        if klass is None:
            raise NotFound("unknown_class", f"there is no class {class_id!r}")
        values["class_id"] = klass.id
    else:
        values["learner_id"] = _learner(connection, platform_id, str(learner_id))
    values |= {"reason": words, "placed_by": actor, "placed_ms": now_ms}
    hold_id = store.place(connection, **values)
    named = {"class": class_id, "learner": learner_id, "reason": words}
    _record(connection, now_ms, actor, "hold.placed", f"hold:{hold_id}", named)
    return hold_id


def lift_hold(
    connection: Connection, hold_id: int, *, reason: str, actor: str, now_ms: int
) -> None:
    """Let terms run again. Raises BadInput without a reason, NotFound."""
    words = _reason(reason)
    if not store.lift(connection, hold_id, now_ms):
        raise NotFound("unknown_hold", f"there is no hold {hold_id} in force")
    _record(connection, now_ms, actor, "hold.lifted", f"hold:{hold_id}", {"reason": words})


def erase_learner(
    connection: Connection,
    platform_id: int,
    learner_id: str,
    *,
    reason: str,
    actor: str,
    now_ms: int,
) -> int:
    """Destroy the learner's key: photos and templates are unreadable from the commit on, wherever
    copies lie. What xAPI told of the learner goes, verdicts stay. How many photos are to be
    removed. Raises NotFound, Conflict."""
    words = _reason(reason)
    row_id = _learner(connection, platform_id, learner_id)
    holds = store.holds_on_learner(connection, row_id)
    if holds:
        names = ", ".join(map(str, holds))
        raise Conflict("held", f"a legal hold keeps this learner's data: {names}")
    photos = store.erase(connection, row_id, now_ms)
    removed = documents.erase(connection, platform_id, row_id, learner_id)
    statements = forgotten.erase(connection, platform_id, row_id, learner_id)
    detail: dict[str, Any] = {"learner": learner_id, "photos": photos, "reason": words}
    if removed:
        detail["documents"] = removed
    if statements:
        detail["statements"] = statements
    _record(connection, now_ms, actor, "learner.erased", f"learner:{row_id}", detail)
    return photos


def _learner(connection: Connection, platform_id: int, learner_id: str) -> int:
    found = store.learner(connection, platform_id, learner_id)
    if found is None:
        raise NotFound("unknown_learner", f"there is no learner {learner_id!r}")
    return found


def _reason(reason: str) -> str:
    words = shown_text(reason)
    if not MIN_REASON <= len(words) <= MAX_REASON:
        limits = f"{MIN_REASON} to {MAX_REASON} characters"
        raise BadInput("reason_missing", f"reason: {limits}", field="reason")
    return words


def _record(
    connection: Connection,
    now_ms: int,
    actor: str,
    action: str,
    subject: str,
    detail: dict[str, Any],
) -> None:
    audit.append(
        connection, at_ms=now_ms, actor=actor, action=action, subject=subject, detail=detail
    )
