"""Requests for material: what a platform, an institution or a learner hands in, and until when.

While something asked for is still to come, its case waits outside the queue; it comes back with the
answer, or once the day is over. Whoever is asked reads what is wanted, and nothing else of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection

from app.clock import day
from app.domain import notify
from app.domain.accounts.users import User
from app.domain.review import case_desk, cases
from app.domain.review.case_files import CaseFile
from app.domain.wire import shown_text
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.review import case_notes
from app.store.review import material as store
from app.store.review.material import AskedParty, MaterialRow
from app.store.scope import AccessScope

MIN_WORDS, MAX_WORDS = 4, 2000
DAYS, MOST_DAYS = 5, 60  # to hand it in: this product's default and bound
SOON_DAYS = 2


def choices(connection: Connection, scope: AccessScope, case_id: int) -> dict[str, AskedParty]:
    """Whom a case can be asked of, by a code: `platform:1`, `institution:2`, `enrolment:3`."""
    found: dict[str, AskedParty] = {}
    for it in store.parties(connection, scope, case_id):
        found.setdefault(f"platform:{it.platform_id}", it)
        if it.institution_id is not None:
            found.setdefault(f"institution:{it.institution_id}", it)
        if it.enrolment_id is not None:
            found.setdefault(f"enrolment:{it.enrolment_id}", it)
    return found


def ask(
    connection: Connection,
    user: User,
    case_id: int,
    addressee: str,
    wanted: str,
    due_on: str,
    now_ms: int,
) -> int:
    """Ask somebody whom the case concerns; the request. Raises NotAllowed, NotFound, BadInput."""
    _may_ask(connection, user, case_id)
    if addressee not in choices(connection, user.scope, case_id):
        raise BadInput("bad_addressee", "addressee: nobody of this case", field="addressee")
    words = _words(wanted, "wanted")
    until = case_desk.day_ahead(due_on, now_ms, MOST_DAYS, "due_on")
    kind, _, number = addressee.partition(":")
    request_id = store.add(
        connection,
        case_id=case_id,
        **{f"{kind}_id": int(number)},
        wanted=words,
        due_on=until,
        asked_by=user.actor,
        asked_ms=now_ms,
    )
    case_desk.log(
        connection,
        user.actor,
        "material.asked",
        case_id,
        now_ms,
        request=request_id,
        addressee=addressee,
        until=until,
    )
    if kind == "platform":
        notify.material_requested(connection, int(number), request_id, until, now_ms)
    return request_id


def remind(connection: Connection, user: User, case_id: int, request_id: int, now_ms: int) -> None:
    """Remind whoever is asked: it stands out in what they see. Raises Conflict once answered."""
    row = _open_request(connection, user, case_id, request_id)
    store.change(connection, request_id, reminded_ms=now_ms)
    if row.platform_id is not None:
        notify.material_requested(
            connection, row.platform_id, request_id, row.due_on, now_ms, reminder=True
        )
    case_desk.log(connection, user.actor, "material.reminded", case_id, now_ms, request=request_id)


def withdraw(
    connection: Connection, user: User, case_id: int, request_id: int, now_ms: int
) -> None:
    """It is not needed any more. Raises Conflict once answered."""
    _open_request(connection, user, case_id, request_id)
    store.change(connection, request_id, withdrawn_ms=now_ms)
    case_desk.log(connection, user.actor, "material.withdrawn", case_id, now_ms, request=request_id)


def inbox(connection: Connection, scope: AccessScope) -> Sequence[MaterialRow]:
    """What a platform or an institution is asked; nothing for the authority."""
    if scope.of_authority:
        return []
    return store.addressed_to(
        connection, platform_id=scope.platform_id, institution_id=scope.institution_id
    )


def asked_of(connection: Connection, scope: AccessScope, request_id: int) -> MaterialRow:
    """A request to that platform or institution. Raises NotFound."""
    return _among(inbox(connection, scope), request_id)


def asked_of_learner(connection: Connection, enrolment_id: int, request_id: int) -> MaterialRow:
    """A request to the learner of an enrolment. Raises NotFound."""
    return _among(store.addressed_to(connection, enrolment_id=enrolment_id), request_id)


def answer(
    connection: Connection,
    row: MaterialRow,
    actor: str,
    words: str,
    now_ms: int,
    files: Sequence[tuple[CaseFile, str]] = (),
) -> None:
    """Answer a request, once, with files that are kept under their keys; the case is back in the
    queue. The row was looked up for whoever answers. Raises BadInput, Conflict `already_answered`.
    """
    said = _words(words, "answer") if not files or shown_text(words) else ""
    if not store.close(connection, row.id, now_ms):
        raise Conflict("already_answered", "the request was answered or withdrawn")
    notes = [
        case_notes.add(
            connection,
            case_id=row.case_id,
            written_by=actor,
            body="" if place else said,
            file_name=file and file.name,
            media_type=file and file.media_type,
            size=file and len(file.data),
            sha256=file and file.sha256,
            blob_key=blob_key,
            created_ms=now_ms,
        )
        for place, (file, blob_key) in enumerate(files or [(None, None)])
    ]
    store.change(connection, row.id, note_id=notes[0])
    detail = {"sha256": [file.sha256.hex() for file, _ in files]} if files else {}
    case_desk.log(
        connection, actor, "material.answered", row.case_id, now_ms, request=row.id, **detail
    )


def presses(row: MaterialRow, now_ms: int) -> bool:
    """Whether it stands out: reminded, or due within days."""
    soon = (day(now_ms) + timedelta(days=SOON_DAYS)).isoformat()
    return row.answered_ms is None and (row.reminded_ms is not None or row.due_on <= soon)


def _among(rows: Sequence[MaterialRow], request_id: int) -> MaterialRow:
    found = next((it for it in rows if it.id == request_id), None)
    if found is None:
        raise NotFound("unknown_request", "there is no such request")
    return found


def _may_ask(connection: Connection, user: User, case_id: int) -> None:
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers ask for material")
    cases.case_seen(connection, user.scope, case_id)


def _open_request(connection: Connection, user: User, case_id: int, request_id: int) -> MaterialRow:
    _may_ask(connection, user, case_id)
    row = store.one(connection, request_id)
    if row is None or row.case_id != case_id:
        raise NotFound("unknown_request", "there is no such request")
    if row.answered_ms is not None or row.withdrawn_ms is not None:
        raise Conflict("already_answered", "the request was answered or withdrawn")
    return row


def _words(text: str, field: str) -> str:
    said = shown_text(text)
    if not MIN_WORDS <= len(said) <= MAX_WORDS:
        raise BadInput(
            "material_words", f"{field}: {MIN_WORDS} to {MAX_WORDS} characters", field=field
        )
    return said
