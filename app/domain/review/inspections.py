"""Remote inspection: draw learners, or recordings of teaching, by a seed that nobody chose, and
record what was found.

The seed comes from the server's generator when the draw is made, and the whole frame is kept: who
sorts it by SHA-256 of "seed:learner" and takes the first ones comes to the same people.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from app.canonical import canonical
from app.clock import day
from app.domain.accounts.users import User
from app.domain.catalogue import roster_days
from app.domain.wire import Line, Wire, shown_text
from app.errors import BadInput, Conflict, NotAllowed, NotFound
from app.store.accounts import audit
from app.store.catalogue import catalogue, class_file, films
from app.store.review import inspections as store

MOST = 80
SILENT_MS = 120_000  # who was not heard of for so long is not on line
MAX_REMARK = 2000
RECORDINGS = "recordings"
FRAMES = ("online", "roster", RECORDINGS)
_OF_LEARNERS = ("present", "absent", "other")
_OF_RECORDINGS = ("intact", "differs", "unavailable", "other")


class Noted(Wire):
    """What 附件2 asks of an inspection beside each learner; what was not seen is left out.
    `heads_present` were counted on the spot, in a room or on line."""

    place: Line | None = None
    teachers_present: Annotated[int, Field(ge=0, le=1000)] | None = None
    heads_present: Annotated[int, Field(ge=0, le=10_000)] | None = None
    materials: Line | None = None


def results_of(frame_kind: str) -> tuple[str, ...]:
    """What may be found of one who, or one that, was drawn from such a frame."""
    return _OF_RECORDINGS if frame_kind == RECORDINGS else _OF_LEARNERS


def drawn(seed: str, frame: Collection[str], count: int) -> list[str]:
    """The first `count` of the frame in the order that the seed gives it."""
    order = {it: hashlib.sha256(f"{seed}:{it}".encode()).digest() for it in frame}
    return sorted(order, key=lambda it: (order[it], it))[:count]


def frame_digest(frame: Sequence[str]) -> str:
    """sha256 of everybody who could be drawn: what the audit log binds the draw to."""
    return hashlib.sha256(canonical(frame)).hexdigest()


def draw(
    connection: Connection, class_id: int, user: User, frame_kind: str, count: int, now_ms: int
) -> int:
    """Draw `count` of those on line, of the roster, or of the recordings; the inspection's id.

    Raises NotAllowed, NotFound, BadInput, and Conflict when nobody could be drawn.
    """
    _may_draw(connection, class_id, user, frame_kind, count)
    sittings = online(connection, class_id, now_ms)
    learning = {it.learner for it in sittings}
    frame = sorted(_frame(connection, class_id, frame_kind, learning, now_ms))
    if not frame:
        detail = "nobody is on line, or the class has no learners, or no recordings"
        raise Conflict("nobody_to_draw", detail)
    seed = secrets.token_hex(16)
    chosen = drawn(seed, frame, count)
    inspection_id = store.add(
        connection,
        class_id=class_id,
        frame_kind=frame_kind,
        frame=frame,
        seed=seed,
        drawn=chosen,
        online=[
            {"session_id": row.external_id, "learner_id": row.learner, "opened_ms": row.opened_ms}
            for row in sittings
        ],
        drawn_by=user.id,
        drawn_ms=now_ms,
    )
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="inspection.drawn",
        subject=f"class:{class_id}",
        detail={
            "inspection": inspection_id,
            "seed": seed,
            "frame": frame_kind,
            "frame_sha256": frame_digest(frame),
            "drawn": chosen,
        },
    )
    return inspection_id


def record(
    connection: Connection,
    inspection_id: int,
    user: User,
    said: Mapping[str, str],
    noted: Noted,
    now_ms: int,
) -> None:
    """Record a whole form: `result-1` and `remark-1` are said of the first who was drawn, `noted`
    of the class. Of whom nothing is said, nothing is recorded, and no note that stands already.

    Raises NotAllowed, NotFound, and BadInput for a remark without a result or an empty form.
    """
    _may(user)
    row = seen(connection, inspection_id, user)
    found = 0
    for place, learner in enumerate(row.drawn, 1):
        result, remark = said.get(f"result-{place}", ""), said.get(f"remark-{place}", "")
        if result or shown_text(remark):
            check(connection, inspection_id, user, learner, result, remark, now_ms)
            found += 1
    last = store.notes_of_class(connection, row.class_id).get(inspection_id)
    body = noted.model_dump(mode="json", exclude_none=True)
    if body and (last is None or last.body != body):
        note(connection, inspection_id, user, noted, now_ms)
    elif not found:
        raise BadInput("nothing_found", "say of at least one what was found", field="result")


def note(connection: Connection, inspection_id: int, user: User, noted: Noted, now_ms: int) -> None:
    """Record what the inspection found as a whole; a later note counts instead of an earlier one.

    Raises NotAllowed, NotFound, and BadInput where nothing is said, or more heads were counted than
    the class ever had.
    """
    _may(user)
    klass = catalogue.class_by_id(connection, seen(connection, inspection_id, user).class_id)
    most = roster_days.most_at_once(roster_days.of_class(connection, klass))
    if noted.heads_present is not None and noted.heads_present > most:
        raise BadInput("too_many_heads", f"heads_present: {most} at most", field="heads_present")
    body = noted.model_dump(mode="json", exclude_none=True)
    if not body:
        raise BadInput("nothing_noted", "say at least one thing")
    store.add_note(
        connection, inspection_id=inspection_id, body=body, noted_by=user.id, noted_ms=now_ms
    )
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="inspection.noted",
        subject=f"inspection:{inspection_id}",
        detail=body,
    )


def check(
    connection: Connection,
    inspection_id: int,
    user: User,
    learner: str,
    result: str,
    remark: str,
    now_ms: int,
) -> None:
    """Record what was found of one who was drawn, a learner by the platform's id or a recording by
    its file's name; a later entry counts instead of an earlier one.

    Raises NotAllowed, NotFound, BadInput.
    """
    _may(user)
    row = seen(connection, inspection_id, user)
    if learner not in row.drawn:
        raise NotFound("unknown_learner", "that learner was not drawn")
    said = shown_text(remark)
    known = results_of(row.frame_kind)
    if result not in known or len(said) > MAX_REMARK or (result == "other" and not said):
        detail = f"result: {', '.join(known)}; other with words"
        raise BadInput("bad_result", detail, field="result")
    going_on = [it for it in online(connection, row.class_id, now_ms) if it.learner == learner]
    store.add_check(
        connection,
        inspection_id=inspection_id,
        learner=learner,
        result=result,
        remark=said,
        session_id=going_on[0].id if going_on else None,
        checked_by=user.id,
        checked_ms=now_ms,
    )
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="inspection.checked",
        subject=f"inspection:{inspection_id}",
        detail={"learner": learner, "result": result, "remark": said},
    )


def _may_draw(
    connection: Connection, class_id: int, user: User, frame_kind: str, count: int
) -> None:
    _may(user)
    if class_file.klass(connection, class_id, user.scope) is None:
        raise NotFound("unknown_class", "there is no such class")
    if frame_kind not in FRAMES:
        raise BadInput("bad_frame", f"frame: one of {', '.join(FRAMES)}", field="frame")
    if not 1 <= count <= MOST:
        raise BadInput("bad_count", f"count: 1 to {MOST}", field="count")


def _frame(
    connection: Connection, class_id: int, kind: str, learning: Collection[str], now_ms: int
) -> Collection[str]:
    if kind == RECORDINGS:
        return [it.item for it in films.of_class(connection, class_id)]
    if kind == "online":
        return learning
    return store.members(connection, class_id, day(now_ms).isoformat())


def online(connection: Connection, class_id: int, now_ms: int) -> Sequence[Any]:
    """Sittings of the class that are going on and were heard of lately, by learner."""
    return store.online(connection, class_id, now_ms - SILENT_MS)


def seen(connection: Connection, inspection_id: int, user: User) -> Any:
    """The inspection, if it lies within this person's scope. Raises NotAllowed, NotFound."""
    may_read(user)
    row = store.one(connection, inspection_id, user.scope)
    if row is None:
        raise NotFound("unknown_inspection", "there is no such inspection")
    return row


def may_read(user: User) -> None:
    """Raises NotAllowed for who is not of the authority: who is told of a draw can be there
    in time."""
    if not user.of_authority:
        raise NotAllowed("role", "inspections are told to the authority alone")


def _may(user: User) -> None:
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers inspect")
