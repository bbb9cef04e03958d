"""Signing the lists of a class: one person submits them, another signs, and they are frozen.

What changes after that reaches nobody's list by itself: the lists are submitted again as a
numbered correction, with a reason, and signed by two persons like the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from app.domain import notify
from app.domain.accounts.users import User
from app.domain.answer import Answer, EpochMs, Sha256
from app.domain.wire import shown_text
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.catalogue import catalogue, class_file
from app.store.review import sign_offs as store
from app.store.review.sign_offs import SignOffRow
from app.vault import Vault

MIN_REASON, MAX_REASON = 4, 2000
_PURPOSE = "signed-lists"


@dataclass(frozen=True, slots=True)
class Submission:
    """The lists as they stand: their digest, learners by outcome, and the lists themselves as
    bytes that only who made them reads."""

    digest: str
    counts: Mapping[str, int]
    lists: bytes


class SignOffView(Answer, frozen=True, kw_only=True):
    """Lists of a class that were submitted: `state` is prepared, signed or withdrawn. The signed
    ones are numbered from 0, from 1 on as corrections."""

    state: str
    number: int
    digest: Sha256
    counts: dict[str, int]
    reason: str
    prepared_by: str | None
    prepared_ms: EpochMs
    signed_by: str | None = None
    signed_ms: EpochMs | None = None
    withdrawn_by: str | None = None
    withdrawn_ms: EpochMs | None = None
    withdrawn_reason: str | None = None


def submit(
    connection: Connection,
    vault: Vault,
    class_id: int,
    user: User,
    submission: Submission,
    reason: str,
    now_ms: int,
) -> int:
    """Submit the lists for another person's signature; the row's id.

    Raises NotAllowed, NotFound, and Conflict `sign_off_waiting` while some wait already,
    `nobody_settled` where every learner is undecided, `nothing_changed` where what was signed
    still holds; BadInput `reason_missing` for a correction without a reason.
    """
    rows = _locked(connection, class_id, user)
    if waiting(rows) is not None:
        raise Conflict("sign_off_waiting", "lists of this class wait for a signature already")
    if not submission.counts["eligible"] + submission.counts["ineligible"]:
        raise Conflict("nobody_settled", "no learner of the class is settled")
    signed = in_force(rows)
    if signed is not None and signed.digest == submission.digest:
        raise Conflict("nothing_changed", "the lists are as they were signed")
    words = shown_text(reason)
    if len(words) > MAX_REASON or (signed is not None and len(words) < MIN_REASON):
        raise BadInput("reason_missing", "reason: 4 to 2000 characters", field="reason")
    added = store.add(
        connection,
        class_id=class_id,
        digest=submission.digest,
        counts=dict(submission.counts),
        lists=vault.seal(submission.lists, _PURPOSE),
        reason=words,
        prepared_by=user.id,
        prepared_ms=now_ms,
    )
    _log(connection, "lists.submitted", class_id, user, now_ms, submission.digest, words)
    return added


def sign(
    connection: Connection,
    class_id: int,
    user: User,
    digest: str,
    now_ms: int,
    *,
    seen: str | None = None,
) -> int:
    """Sign what was submitted, and tell the platform; its number. `digest`: of the lists as they
    stand now; `seen`: of those that this person was shown.

    Raises NotAllowed, NotFound, and Conflict `second_person_needed` for who submitted them,
    `lists_resubmitted` where none wait or others were submitted since they were shown,
    `lists_changed` where they are no longer what was submitted.
    """
    rows = _locked(connection, class_id, user)
    row = waiting(rows)
    if row and row.prepared_by == user.id:
        raise Conflict("second_person_needed", "the lists are signed by another person")
    row = _waiting(rows, seen)
    if row.digest != digest:
        raise Conflict("lists_changed", "the lists changed since they were submitted")
    store.end(connection, row.id, signed_by=user.id, signed_ms=now_ms)
    number = sum(it.signed_ms is not None for it in rows)
    notify.lists_signed(connection, row.id, number, now_ms)
    _log(connection, "lists.signed", class_id, user, now_ms, digest, row.reason)
    return number


def withdraw(
    connection: Connection,
    class_id: int,
    user: User,
    reason: str,
    now_ms: int,
    *,
    seen: str | None = None,
) -> None:
    """Send back what was submitted, with a reason. Raises as `sign`, and BadInput."""
    row = _waiting(_locked(connection, class_id, user), seen)
    words = shown_text(reason)
    if not MIN_REASON <= len(words) <= MAX_REASON:
        raise BadInput("reason_missing", "reason: 4 to 2000 characters", field="reason")
    ended = {"withdrawn_by": user.id, "withdrawn_ms": now_ms, "withdrawn_reason": words}
    store.end(connection, row.id, **ended)
    _log(connection, "lists.withdrawn", class_id, user, now_ms, row.digest, words)


def waiting(rows: Sequence[SignOffRow]) -> SignOffRow | None:
    """What was submitted and is neither signed nor withdrawn."""
    open_now = [it for it in rows if it.signed_ms is None and it.withdrawn_ms is None]
    return open_now[-1] if open_now else None


def in_force(rows: Sequence[SignOffRow]) -> SignOffRow | None:
    """The last signed one."""
    signed = [it for it in rows if it.signed_ms is not None]
    return signed[-1] if signed else None


def lists_of(connection: Connection, vault: Vault, row: SignOffRow) -> bytes:
    """The lists as they were submitted."""
    return vault.open(store.sealed_lists(connection, row.id), _PURPOSE)


def history(rows: Sequence[SignOffRow], *, told_people: bool) -> list[SignOffView]:
    """All submissions of a class, newest first; platforms are told no names."""
    number, found = 0, []
    for it in rows:
        state = "signed" if it.signed_ms else "withdrawn" if it.withdrawn_ms else "prepared"
        found.append(
            SignOffView(
                state=state,
                number=number,
                digest=it.digest,
                counts=it.counts,
                reason=it.reason,
                prepared_by=it.preparer if told_people else None,
                prepared_ms=it.prepared_ms,
                signed_by=it.signer if told_people else None,
                signed_ms=it.signed_ms,
                withdrawn_by=it.withdrawer if told_people else None,
                withdrawn_ms=it.withdrawn_ms,
                withdrawn_reason=it.withdrawn_reason,
            )
        )
        number += state == "signed"
    return found[::-1]


def _locked(connection: Connection, class_id: int, user: User) -> list[SignOffRow]:
    """The class's submissions under its lock. Raises NotAllowed, NotFound."""
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers sign lists")
    if class_file.klass(connection, class_id, user.scope) is None:
        raise NotFound("unknown_class", "there is no such class")
    catalogue.lock_class(connection, class_id)
    return store.of_class(connection, class_id)


def _waiting(rows: Sequence[SignOffRow], seen: str | None) -> SignOffRow:
    """What was submitted, if it is what was shown. Raises Conflict."""
    row = waiting(rows)
    if row is None or seen not in (None, row.digest):
        raise Conflict("lists_resubmitted", "these are not the lists that were shown")
    return row


def _log(
    connection: Connection,
    action: str,
    class_id: int,
    user: User,
    now_ms: int,
    digest: str,
    reason: str,
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action=action,
        subject=f"class:{class_id}",
        detail={"digest": digest, "reason": reason},
    )
