"""What is arranged about cases: who looks after one, until when, what was written of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Connection

from app.clock import day
from app.domain.accounts.users import User
from app.domain.review import cases, review_queue
from app.domain.review.case_files import CaseFile
from app.domain.wire import shown_text, typed_day
from app.errors import BadInput, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.review import assignments, case_notes, finding_queue
from app.store.review import cases as store
from app.store.review.case_notes import NoteRow
from app.store.review.cases import CaseFilter, QueuedCase
from app.store.review.finding_queue import QueueFilter

MAX_COMMENT = 2000
MOST_DAYS = 90  # that a case may be put off: this product's choice
LIMIT, MOST_LIMIT = 20, 200  # cases that one person is given automatically, beside their own
AT_ONCE = 100


def comment(
    connection: Connection,
    user: User,
    case_id: int,
    words: str,
    now_ms: int,
    file: CaseFile | None = None,
    blob_key: str | None = None,
) -> int:
    """Write on a case, with a file that lies under `blob_key`; the note. Raises NotAllowed,
    NotFound, BadInput when there is neither word nor file."""
    _at_work(connection, user, case_id)
    said = shown_text(words)
    if not said and file is None:
        raise BadInput(
            "comment_missing", "comment: write something, or attach a file", field="comment"
        )
    if len(said) > MAX_COMMENT:
        raise BadInput("comment_too_long", f"comment: {MAX_COMMENT} characters", field="comment")
    note = case_notes.add(
        connection,
        case_id=case_id,
        written_by=user.actor,
        body=said,
        file_name=file and file.name,
        media_type=file and file.media_type,
        size=file and len(file.data),
        sha256=file and file.sha256,
        blob_key=blob_key,
        created_ms=now_ms,
    )
    detail = {"note": note} | ({"file": file.name, "sha256": file.sha256.hex()} if file else {})
    log(connection, user.actor, "case.commented", case_id, now_ms, **detail)
    return note


def file_opened(
    connection: Connection, user: User, case_id: int, note_id: int, now_ms: int
) -> tuple[NoteRow, str]:
    """The note whose attached file this person opens, and under which key it lies. It is entered:
    photos of people are among them. Raises NotAllowed, NotFound."""
    _at_work(connection, user, case_id)
    note = case_notes.one(connection, case_id, note_id)
    if note is None or note.blob_key is None:
        raise NotFound("unknown_file", "there is no such file")
    log(connection, user.actor, "case.file_opened", case_id, now_ms, note=note_id)
    return note, note.blob_key


def snooze(connection: Connection, user: User, case_id: int, until: str, now_ms: int) -> None:
    """Put a case off until a day, or take it back for an empty one; new findings bring it back as
    well. Raises BadInput for a day that is none, past, or too far."""
    _at_work(connection, user, case_id)
    to = day_ahead(until, now_ms, MOST_DAYS, "until") if until else None
    store.arrange(connection, case_id, snoozed_until=to)
    log(connection, user.actor, "case.snoozed", case_id, now_ms, until=to)


def set_due(connection: Connection, user: User, case_id: int, due_on: str, now_ms: int) -> None:
    """Set the day by which a case is to be decided. Raises BadInput."""
    _at_work(connection, user, case_id)
    to = day_ahead(due_on, now_ms, 366, "due_on")
    store.arrange(connection, case_id, due_on=to)
    log(connection, user.actor, "case.due", case_id, now_ms, due_on=to)


def hand_over(
    connection: Connection, user: User, case_ids: Collection[int], to: int | None, now_ms: int
) -> None:
    """Give cases to somebody who decides where they lie; None takes them back. All or none.

    Raises NotAllowed, NotFound, BadInput `bad_assignee` and `none_chosen`.
    """
    ids = sorted(set(case_ids))
    if not 1 <= len(ids) <= AT_ONCE:
        raise BadInput("none_chosen", f"cases: 1 to {AT_ONCE}", field="case")
    known = {it.id: it for it in review_queue.colleagues(connection, user)}
    for case_id in ids:
        _at_work(connection, user, case_id)
        counties = store.counties(connection, user.scope, case_id)
        who = known.get(to) if to is not None else None
        if to is not None and (who is None or not review_queue.covers(who, counties)):
            raise BadInput("bad_assignee", "user: nobody who decides there", field="user")
        log(connection, user.actor, "case.handed_over", case_id, now_ms, to=who and who.username)
    if to is None:
        assignments.release(connection, ids)
    else:
        assignments.assign(connection, ids, to, user.id, now_ms)


def take_next(connection: Connection, user: User, now_ms: int) -> int | None:
    """Take the gravest case that nobody looks after and this person may decide; None: there is
    none. Raises NotAllowed."""
    for row in _unassigned(connection, user, now_ms, 1):
        hand_over(connection, user, [row.id], user.id, now_ms)
        return row.id
    return None


def share_out(connection: Connection, user: User, limit: int, now_ms: int) -> int:
    """Give cases that nobody looks after, the gravest first, to whoever has fewest, until everyone
    has `limit`; how many were given.

    Raises NotAllowed, BadInput for a limit out of bounds.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers share out cases")
    if not 1 <= limit <= MOST_LIMIT:
        raise BadInput("bad_limit", f"limit: 1 to {MOST_LIMIT}", field="limit")
    people = review_queue.colleagues(connection, user)
    held = store.held_by(connection, [it.id for it in people])
    free = {it.id: limit - held.get(it.id, 0) for it in people}
    given = 0
    rows = _unassigned(connection, user, now_ms, sum(max(it, 0) for it in free.values()))
    spoken = store.spoken_on(connection, [it.id for it in rows])
    for row in rows:
        counties = store.counties(connection, user.scope, row.id)
        able = [
            it
            for it in people
            if free[it.id] > 0
            and review_queue.covers(it, counties)
            and it.id not in spoken.get(row.id, ())
        ]
        if not able:
            continue
        who = max(able, key=lambda it: (free[it.id], -it.id))
        free[who.id] -= 1
        assignments.assign(connection, [row.id], who.id, user.id, now_ms)
        log(connection, user.actor, "case.handed_over", row.id, now_ms, to=who.username)
        given += 1
    return given


def _unassigned(connection: Connection, user: User, now_ms: int, most: int) -> list[QueuedCase]:
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers take cases")
    wanted = CaseFilter(QueueFilter(asked_by=user.id), day(now_ms).isoformat(), assigned_to=0)
    rows = store.page(connection, user.scope, wanted, None, most)
    return [it for it in rows if it.gravity < finding_queue.WAITS_FOR_OTHERS]


def _at_work(connection: Connection, user: User, case_id: int) -> None:
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers work on cases")
    cases.case_seen(connection, user.scope, case_id)


def day_ahead(text: str, now_ms: int, most: int, field: str) -> str:
    """A day from today on, at most so many days ahead. Raises BadInput by the field."""
    today = day(now_ms)
    try:
        given = typed_day(text)
    except ValueError as error:
        raise BadInput("bad_date", f"{field}: YYYY-MM-DD", field=field) from error
    if not today <= given <= today + timedelta(days=most):
        raise BadInput("date_out_of_reach", f"{field}: within {most} days", field=field)
    return given.isoformat()


def log(
    connection: Connection, actor: str, action: str, case_id: int, now_ms: int, **detail: object
) -> None:
    """Enter what was done about a case into the audit log."""
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action=action,
        subject=f"case:{case_id}",
        detail=detail,
    )
