"""Recorded acts: a person says what the evidence cannot, by name, with a reason, for good.

An act is never edited. It comes into force when it is recorded or approved (its kind says which),
ends when it is revoked, and each of these asks for the class to be judged again.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection

from app.domain import runs
from app.domain.accounts.users import User
from app.domain.answer import Answer, EpochMs
from app.domain.catalogue.classes import pack_of
from app.domain.review.act_kinds import KINDS, ActKind, Approval
from app.domain.wire import Wire, first_error, shown_text
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.languages import Text
from app.store.accounts import audit
from app.store.catalogue import catalogue, people
from app.store.catalogue.catalogue import ClassRow
from app.store.review import acts as store
from app.store.review.acts import PERSON, ActRow
from app.store.scope import AccessScope
from app.vault import Vault

MIN_REASON, MAX_REASON, MAX_DOCUMENT = 4, 2000, 128


class ActState(StrEnum):
    AWAITS_APPROVAL = "awaits_approval"
    IN_FORCE = "in_force"
    REVOKED = "revoked"


class Act(Answer, frozen=True, kw_only=True):
    """A recorded act. `body` holds the fields of its kind; who of the authority did it is told to
    people only."""

    id: int
    kind: str
    title: Text
    learner_id: str | None
    body: dict[str, Any]
    reason: str
    document: str
    state: ActState
    recorded_ms: EpochMs
    approved_ms: EpochMs | None
    revoked_ms: EpochMs | None
    recorded_by: str | None
    approved_by: str | None


def record(
    connection: Connection,
    klass: ClassRow,
    *,
    kind: str,
    learner: str | None,
    body: Any,
    reason: str,
    document: str,
    actor: str,
    user: User | None,
    now_ms: int,
    vault: Vault | None = None,
) -> int:
    """Record an act on a class; its id. The same words of the same person again are the same act.
    `user` is None for a platform's key; `vault` is needed by kinds that keep something secret.

    Raises BadInput (unknown kind, field of the body, reason), NotFound (learner), NotAllowed.
    """
    of_kind = KINDS.get(kind)
    if of_kind is None:
        raise BadInput("unknown_kind", f"kind: one of {', '.join(KINDS)}", field="kind")
    _require_recorder(of_kind, user)
    learner_id = _learner(connection, klass, of_kind, learner)
    said, paper = _words(reason), _paper(of_kind, document)
    wanted = _body(of_kind, body)
    told, kept = _split(connection, vault, klass, of_kind, learner_id, wanted)
    words = {"body": told, "reason": said, "document": paper, "recorded_by": actor}
    last = store.last_of(connection, klass.id, learner_id, kind)
    if last and not of_kind.deed and all(getattr(last, it) == words[it] for it in words):
        return last.id
    approved = _in_force_at_once(connection, klass, of_kind, learner_id, user)
    act_id = store.add(
        connection,
        kind=kind,
        class_id=klass.id,
        learner_id=learner_id,
        **words,
        recorded_ms=now_ms,
        approved_by=actor if approved else None,
        approved_ms=now_ms if approved else None,
    )
    if of_kind.deed is not None:
        of_kind.deed.recorded(connection, act_id, kept)
    entry = {"kind": kind, "learner": learner, "body": told, "reason": said, "document": paper}
    _enter(connection, actor, "act.recorded", act_id, now_ms, entry)
    if approved:
        _brought_into_force(connection, klass, of_kind, act_id, actor, now_ms)
    return act_id


def _brought_into_force(
    connection: Connection, klass: ClassRow, kind: ActKind, act_id: int, actor: str, now_ms: int
) -> None:
    if kind.deed is not None:
        kind.deed.done(connection, klass, store.by_id(connection, act_id), actor, now_ms)
    runs.request(connection, klass.id, actor, now_ms)


def _paper(kind: ActKind, document: str) -> str:
    paper = shown_text(document)[:MAX_DOCUMENT]
    if kind.needs_document and not paper:
        detail = "document: this act names the paper it rests on"
        raise BadInput("missing_document", detail, field="document")
    return paper


def _body(kind: ActKind, body: Any) -> Wire:
    try:
        return kind.body.model_validate(body)
    except ValidationError as error:
        code, detail = first_error(error)
        raise BadInput(code, f"body.{detail}", field="body") from None


def _split(
    connection: Connection,
    vault: Vault | None,
    klass: ClassRow,
    kind: ActKind,
    learner_id: int | None,
    wanted: Wire,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the act tells, and what its kind keeps beside it."""
    if kind.completed is not None:
        return kind.completed(connection, klass, learner_id, wanted), {}
    if kind.deed is None:
        return wanted.model_dump(mode="json", exclude_defaults=True), {}
    assert vault is not None and learner_id is not None
    return kind.deed.split(connection, vault, klass, learner_id, wanted)


def _in_force_at_once(
    connection: Connection,
    klass: ClassRow,
    kind: ActKind,
    learner_id: int | None,
    user: User | None,
) -> bool:
    """Whether the act needs nobody's approval; a platform's word is enough for few of a class."""
    if (user is not None and user.decides) or kind.approval is Approval.AT_ONCE:
        return _approval(klass, kind) is not Approval.TWO
    if kind.approval is not Approval.FEW:
        return False
    others = store.by_platform_alone(connection, klass.id, kind.name) - {learner_id}
    return len(others) < few_of(connection, klass)


def _approval(klass: ClassRow, kind: ActKind) -> Approval:
    """When an act of this kind is in force in this class."""
    if kind.approval is not Approval.BY_PACK:
        return kind.approval
    return Approval.TWO if pack_of(klass).decisions_need_two else Approval.AUTHORITY


def few_of(connection: Connection, klass: ClassRow) -> int:
    """For how many of a class a platform's word is enough: one at least."""
    share = pack_of(klass).policy["popup_gap"]["longer_by_platform_share"]
    return max(1, int(len(people.enrolled(connection, klass.id)) * share))


def approve(connection: Connection, act_id: int, user: User, now_ms: int, reason: str = "") -> None:
    """Bring an act into force. Where two are needed, the second must be somebody else.

    What stands by a platform's word alone becomes the authority's, and holds for the past as well.

    Raises NotFound, NotAllowed, Conflict (already approved or revoked).
    """
    row = _open(connection, act_id, user)
    if row.approved_ms is not None and str(row.approved_by).startswith(PERSON):
        raise Conflict("already_approved", "this act is in force already")
    klass = catalogue.class_by_id(connection, row.class_id)
    if row.recorded_by == user.actor and _approval(klass, KINDS[row.kind]) is Approval.TWO:
        raise NotAllowed("second_person", "somebody else has to approve what you recorded")
    deed = KINDS[row.kind].deed
    if deed is not None and row.approved_ms is None:
        deed.done(connection, klass, row, user.actor, now_ms)
    store.change(connection, act_id, approved_by=user.actor, approved_ms=now_ms)
    _enter(connection, user.actor, "act.approved", act_id, now_ms, {"reason": reason})
    runs.request(connection, row.class_id, user.actor, now_ms)


def revoke(connection: Connection, act_id: int, user: User, reason: str, now_ms: int) -> None:
    """End an act, from now on; what was judged by it is judged again without it. A school's clerk
    takes back what they recorded themselves."""
    if user.hands_in and not user.decides:
        row = _found(connection, user.scope, act_id)
        if row.recorded_by == user.actor and _takes_back(row):
            _revoke(connection, row, user.actor, reason, now_ms)
            return
    _revoke(connection, _open(connection, act_id, user), user.actor, reason, now_ms)


def _takes_back(row: ActRow) -> bool:
    """Whether who recorded it may end it alone: nobody of the authority stands behind it."""
    kind = KINDS[row.kind]
    return kind.approval is Approval.AT_ONCE or (kind.by_school and row.approved_ms is None)


def take_back(
    connection: Connection, scope: AccessScope, act_id: int, actor: str, reason: str, now_ms: int
) -> None:
    """End an act by the platform's key: one that needed nobody's approval, as long as no person of
    the authority stands behind it. Raises NotFound, NotAllowed, Conflict."""
    row = _found(connection, scope, act_id)
    by_people = any(str(it).startswith(PERSON) for it in (row.recorded_by, row.approved_by))
    if by_people or KINDS[row.kind].approval is not Approval.AT_ONCE:
        raise NotAllowed("people_only", "a person of the authority ends this act")
    _revoke(connection, row, actor, reason, now_ms)


def _revoke(connection: Connection, row: ActRow, actor: str, reason: str, now_ms: int) -> None:
    said, deed = _words(reason), KINDS[row.kind].deed
    if deed is not None and row.approved_ms is not None:
        klass = catalogue.class_by_id(connection, row.class_id)
        deed.undone(connection, klass, row, actor, now_ms)
    store.change(connection, row.id, revoked_by=actor, revoked_ms=now_ms, revoked_reason=said)
    _enter(connection, actor, "act.revoked", row.id, now_ms, {"reason": said})
    if row.approved_ms is not None:
        runs.request(connection, row.class_id, actor, now_ms)


def of_class(connection: Connection, klass: ClassRow, *, told_people: bool) -> list[Act]:
    """All acts of a class, newest first; who of the authority did it is told to people only."""
    return [_shown(row, told_people) for row in store.of_class(connection, klass.id)]


def one(connection: Connection, scope: AccessScope, act_id: int, *, told_people: bool) -> Act:
    """One act as it stands. Raises NotFound."""
    row = store.one(connection, scope, act_id)
    if row is None:
        raise NotFound("unknown_act", "there is no such act")
    return _shown(row, told_people)


def _shown(row: ActRow, told_people: bool) -> Act:
    title = KINDS[row.kind].title
    return Act(
        id=row.id,
        kind=row.kind,
        title=Text(zh=title.zh, en=title.en),
        learner_id=row.learner,
        body=row.body,
        reason=row.reason,
        document=row.document,
        state=state_of(row),
        recorded_ms=row.recorded_ms,
        approved_ms=row.approved_ms,
        revoked_ms=row.revoked_ms,
        recorded_by=row.recorded_by if told_people else None,
        approved_by=row.approved_by if told_people else None,
    )


def state_of(row: ActRow) -> ActState:
    if row.revoked_ms is not None:
        return ActState.REVOKED
    return ActState.AWAITS_APPROVAL if row.approved_ms is None else ActState.IN_FORCE


def _open(connection: Connection, act_id: int, user: User) -> ActRow:
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers decide on acts")
    return _found(connection, user.scope, act_id)


def _found(connection: Connection, scope: AccessScope, act_id: int) -> ActRow:
    """As it stands until the transaction ends: of two who decide at once, the second sees what the
    first did."""
    row = store.one(connection, scope, act_id, lock=True)
    if row is None:
        raise NotFound("unknown_act", "there is no such act")
    if row.revoked_ms is not None:
        raise Conflict("revoked", "this act was revoked")
    return row


def records(user: User, kind: ActKind) -> bool:
    """Whether this person records such acts: a school's clerk what needs nobody, and what waits
    for the authority's approval then."""
    at_once = kind.approval is Approval.AT_ONCE
    return user.decides or (user.hands_in and (at_once or kind.by_school))


def _require_recorder(kind: ActKind, user: User | None) -> None:
    if user is None:
        if not kind.by_platform:
            raise NotAllowed("people_only", "a person of the authority records this act")
    elif not records(user, kind):
        raise NotAllowed("role", "only auditors and reviewers record acts")


def _learner(
    connection: Connection, klass: ClassRow, kind: ActKind, learner: str | None
) -> int | None:
    if not kind.of_learner:
        if learner is not None:
            raise BadInput("not_of_learner", "learner_id: this act is about the class")
        return None
    members = {it.external_id: it.id for it in people.enrolled(connection, klass.id)}
    if learner not in members:
        raise NotFound("unknown_learner", f"learner_id: {learner!r} is not in this class")
    return int(members[learner])


def _words(reason: str) -> str:
    said = shown_text(reason)
    if not MIN_REASON <= len(said) <= MAX_REASON:
        detail = f"reason: {MIN_REASON} to {MAX_REASON} characters"
        raise BadInput("bad_reason", detail, field="reason")
    return said


def _enter(
    connection: Connection,
    actor: str,
    action: str,
    act_id: int,
    now_ms: int,
    detail: dict[str, Any],
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action=action,
        subject=f"act:{act_id}",
        detail=detail,
    )
