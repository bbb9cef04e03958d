"""核验一次: somebody of the authority asks a learner's page for a face check at this moment.

It is a face check like those that the service draws, told with the answer to the page's next report
while something plays, repeated as they are, and judged as they are. What stands here of it accuses
nobody: a page that is closed, quiet or at rest is told as that.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from app.clock import DAY_MS
from app.domain import notify
from app.domain.accounts.users import User
from app.domain.controls.control_line import ControlLine, PhotoResult
from app.domain.controls.scheduler import compared_lines
from app.domain.policy import sitting_terms
from app.domain.policy.sitting_terms import REPORT_GRACE_MS, SittingTerms
from app.domain.review.inspections import SILENT_MS, may_read
from app.errors import Conflict, NotAllowed, NotFound, TooManyRequests
from app.store.accounts import audit
from app.store.controls import controls as control_store
from app.store.events import event_log
from app.store.review import spot_checks as store
from app.store.review.spot_checks import PATIENCE_MS, SpotCheckRow
from app.store.sittings import sittings as sitting_store
from detectors.control_kinds import ControlKind
from detectors.event_types import wire
from detectors.trace import Check, Kind

# This product's defaults: a person is not to be called to the camera all day long.
BETWEEN_MS = 600_000
MOST_A_DAY = 6
SHOWN_MS = 3_600_000
MOST_SHOWN = 50


class SpotState(StrEnum):
    """What became of it so far.

    ASKED        the page has not reported since
    RESTING      it reports, and nothing plays: the check comes when something does
    SHOWN        the page was told to do it
    COMPARING    photos came and are being compared
    PASSED, UNSURE (near the threshold), FAILED, NOT_COMPARED (no enrolled photo)
    NO_ANSWER    no photo came in any try
    NO_CAMERA    the page could not open one
    REFUSED      the learner refused it in this sitting
    NOT_PLAYED   nothing played any more within PATIENCE_MS
    LEFT         the learner ended the sitting before
    SILENT       the page fell silent before
    """

    ASKED = "asked"
    RESTING = "resting"
    SHOWN = "shown"
    COMPARING = "comparing"
    PASSED = "passed"
    UNSURE = "unsure"
    FAILED = "failed"
    NOT_COMPARED = "not_compared"
    NO_ANSWER = "no_answer"
    NO_CAMERA = "no_camera"
    REFUSED = "refused"
    NOT_PLAYED = "not_played"
    LEFT = "left"
    SILENT = "silent"

    @property
    def over(self) -> bool:
        return self not in (self.ASKED, self.RESTING, self.SHOWN, self.COMPARING)


@dataclass(frozen=True, slots=True)
class SpotCheck:
    """One that was asked for; `tries` were told to the page, `told_ms` and `answered_ms` are when
    the first was told and the last photo came."""

    row: SpotCheckRow
    state: SpotState
    tries: int = 0
    told_ms: int | None = None
    answered_ms: int | None = None


def ask(connection: Connection, user: User, session_id: int, now_ms: int) -> int:
    """Ask for a check of a sitting that is going on; its id.

    Raises NotAllowed, NotFound, TooManyRequests (`asked_lately`, `asked_often`), and Conflict:
    `not_on_line`, `no_consent_to_check`, and `nobody_listens` where the platform runs the controls
    and has no webhook for it.
    """
    if not user.decides:
        raise NotAllowed("role", "only auditors and reviewers ask for a check")
    sitting = store.sitting(connection, user.scope, session_id)
    if sitting is None:
        raise NotFound("unknown_session", "there is no such session")
    if sitting.state != "open" or sitting.last_recv_ms < now_ms - SILENT_MS:
        raise Conflict("not_on_line", "the learner is not on line any more")
    if not sitting.face_consent:
        raise Conflict("no_consent_to_check", "the learner did not agree to face checks")
    sitting_store.lock_person(connection, sitting.person_id)
    _require_rest(connection, sitting.person_id, now_ms)
    check = store.add(
        connection,
        session_id=session_id,
        person_id=sitting.person_id,
        asked_by=user.id,
        asked_ms=now_ms,
    )
    if sitting.controls == "platform":
        challenge = f"spot-{check}-{secrets.token_hex(8)}"
        store.name(connection, check, challenge)
        message = {
            "session_id": sitting.external_id,
            "class_id": sitting.klass,
            "learner_id": sitting.learner,
            "challenge_id": challenge,
            "asked_at_ms": now_ms,
            "answer_within_s": PATIENCE_MS // 1000,
        }
        if not notify.face_check_requested(connection, sitting.class_id, check, message, now_ms):
            raise Conflict("nobody_listens", "the platform has no webhook for face_check.requested")
    audit.append(
        connection,
        at_ms=now_ms,
        actor=user.actor,
        action="spot_check.asked",
        subject=f"session:{sitting.external_id}"[:128],
        detail={"spot_check": check, "class": sitting.klass, "learner": sitting.learner},
    )
    return check


def _require_rest(connection: Connection, person_id: int, now_ms: int) -> None:
    asked = store.asked_since(connection, person_id, now_ms - DAY_MS)
    if asked and asked[0] > now_ms - BETWEEN_MS:
        wait_s = -(-(asked[0] + BETWEEN_MS - now_ms) // 1000)
        detail = "this person was asked within ten minutes"
        raise TooManyRequests("asked_lately", detail, retry_after_s=wait_s)
    if len(asked) >= MOST_A_DAY:
        detail = f"this person was asked {MOST_A_DAY} times within a day"
        raise TooManyRequests("asked_often", detail, retry_after_s=3600)


def lately(
    connection: Connection,
    user: User,
    now_ms: int,
    class_id: int | None = None,
    within_ms: int = SHOWN_MS,
) -> list[SpotCheck]:
    """What was asked for within the last hour, in a class or in all of this person's counties, the
    latest first. Raises NotAllowed for who is not of the authority."""
    may_read(user)
    rows = store.asked(connection, user.scope, now_ms - within_ms, MOST_SHOWN, class_id)
    return [_told(connection, it, now_ms) for it in rows]


def _told(connection: Connection, row: SpotCheckRow, now_ms: int) -> SpotCheck:
    terms = sitting_terms.of_pack(row.pack_id, row.pack_version)
    by_service = row.controls == "service"
    lines = compared_lines(
        connection, row.session_id, now_ms, live_required=terms.live_required and by_service
    )
    chain = _chain(lines, row.challenge_id)
    if not chain:
        return SpotCheck(row, _untold(row, now_ms))
    photos = [
        it
        for it in control_store.photos_of(connection, row.session_id)
        if it.challenge_id in {line.challenge_id for line in chain}
    ]
    state = _answered(chain, {Check(it.check) for it in photos}, terms, now_ms)
    told_ms = max(chain[0].issued_ms, row.asked_ms)  # one that was open just then serves too
    if state in (SpotState.SHOWN, SpotState.NO_ANSWER):
        state = _without_camera(connection, row, chain[0].issued_ms) or state
    if not state.over and state is not SpotState.COMPARING:
        state = _gone(row, now_ms) or state
    last_ms = max((it.received_ms for it in photos), default=None)
    return SpotCheck(row, state, len(chain), told_ms, last_ms)


def _chain(lines: Sequence[ControlLine], challenge_id: str | None) -> list[ControlLine]:
    """The check, and its further tries."""
    chain: list[ControlLine] = []
    for line in lines:
        if line.kind != ControlKind.FACE_CHECK:
            continue
        if line.challenge_id == challenge_id or (
            chain and line.reissue_of == chain[-1].challenge_id
        ):
            chain.append(line)
    return chain


def _untold(row: SpotCheckRow, now_ms: int) -> SpotState:
    gone = _gone(row, now_ms)
    if gone is not None:
        return gone
    if now_ms - row.asked_ms >= PATIENCE_MS:
        return SpotState.NOT_PLAYED if row.controls == "service" else SpotState.NO_ANSWER
    if row.controls == "service" and row.last_recv_ms > row.asked_ms:
        return SpotState.RESTING
    return SpotState.ASKED


def _without_camera(connection: Connection, row: SpotCheckRow, issued_ms: int) -> SpotState | None:
    """What the page said of its camera; it asks for consent once in a sitting."""
    found = None
    for received_ms, note in event_log.heard_notes(connection, row.session_id):
        if note["type"] != wire(Kind.ERROR):
            continue
        if note["code"] == "camera_refused":
            return SpotState.REFUSED
        if note["code"] == "camera_unavailable" and received_ms >= issued_ms:
            found = SpotState.NO_CAMERA
    return found


def _gone(row: SpotCheckRow, now_ms: int) -> SpotState | None:
    if row.state in ("closed", "superseded"):
        return SpotState.LEFT
    if row.state != "open" or row.last_recv_ms < now_ms - SILENT_MS:
        return SpotState.SILENT
    return None


def _answered(
    chain: Sequence[ControlLine], checks: set[Check], terms: SittingTerms, now_ms: int
) -> SpotState:
    last = chain[-1]
    if any(line.result is PhotoResult.PASSED for line in chain):
        if Check.MATCH in checks:
            return SpotState.PASSED
        return SpotState.UNSURE if Check.REVIEW in checks else SpotState.NOT_COMPARED
    if last.result is PhotoResult.PENDING:
        return SpotState.COMPARING
    tries = last.demand.get("try", terms.face_tries)
    spent = tries >= terms.face_tries
    if last.result is PhotoResult.FAILED:
        return SpotState.FAILED if spent else SpotState.SHOWN
    missed = last.expired_ms is not None or now_ms > (
        last.due_ms + last.window_ms + REPORT_GRACE_MS
    )
    if not missed or not spent:
        return SpotState.SHOWN
    failed = any(line.result is PhotoResult.FAILED for line in chain)
    return SpotState.FAILED if failed else SpotState.NO_ANSWER
