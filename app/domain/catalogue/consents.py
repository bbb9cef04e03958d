"""Consent to face checks that learners signed on paper, told by whoever keeps the papers."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from app.clock import day, midnight_ms
from app.domain.wire import Day, Line, Wire
from app.errors import BadInput
from app.store.accounts import audit
from app.store.catalogue import class_file
from app.store.catalogue import people as store


class SignedConsent(Wire):
    """When the papers were signed, and what they are called."""

    signed_on: Day
    document: Line


def record(
    connection: Connection,
    class_id: int,
    learner_ids: Collection[int],
    said: SignedConsent,
    *,
    actor: str,
    now_ms: int,
) -> int:
    """Enter the consent of these learners of the class, each in the audit log; how many were new.

    Raises BadInput `nobody_chosen` (none of them is in the class), `in_future`.
    """
    if said.signed_on > day(now_ms):
        raise BadInput("in_future", "signed_on: has not come yet", field="signed_on")
    chosen = [it for it in class_file.roster(connection, class_id) if it.id in learner_ids]
    if not chosen:
        raise BadInput("nobody_chosen", "learners: choose who signed", field="learners")
    new = [it for it in chosen if not it.face_consent]
    for it in new:
        store.update_learner(
            connection,
            it.id,
            face_consent=True,
            consent_ms=midnight_ms(said.signed_on),
            consent_document=said.document,
        )
        audit.append(
            connection,
            at_ms=now_ms,
            actor=actor,
            action="consent.given",
            subject=f"learner:{it.id}",
            detail={"document": said.document},
        )
    return len(new)
