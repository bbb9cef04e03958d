"""A sitting as its platform, or a person who may see it, reads it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from app.domain.answer import UNSET, Answer, EpochMs, Sha256, UnsetType
from app.domain.catalogue.classes import ControlsBy
from app.domain.controls import draws
from app.domain.controls.control_line import ControlLine, ControlSource
from app.domain.controls.draws import PhotoDraw, PopupDraw
from app.domain.controls.photo_plan import Point
from app.domain.controls.scheduler import lines_of
from app.domain.judging import wording
from app.domain.judging.views import SessionVerdictView
from app.domain.policy import pack_term, sitting_terms
from app.domain.policy.pack_term import PackTerm
from app.domain.sittings import sitting_life
from app.domain.sittings.sittings import unknown_session
from app.domain.standing import Found, of_findings
from app.errors import Conflict
from app.store.bodies import Interval, SessionVerdict, extended
from app.store.judging.unsettled import finding_keys
from app.store.scope import AccessScope
from app.store.sittings import progress
from app.store.sittings import sittings as store
from app.store.sittings.sittings import NamedSitting, SittingRow
from detectors.assess import SessionOutcome
from detectors.control_kinds import ControlKind, kind_of
from detectors.trace import ControlFlag


class Provenance(StrEnum):
    """LIVE: this service received it as it happened. ATTESTED: a platform told of it later."""

    LIVE = "live"
    ATTESTED = "attested"


class SittingControl(Answer, frozen=True, kw_only=True):
    """A line of the controls ledger. `nonce` and what was `drawn` are told once the sitting is over
    for good."""

    control: ControlKind
    challenge_id: str
    source: ControlSource
    random_time: bool
    reissue_of: str | None
    issued_at_ms: EpochMs
    due_at_ms: EpochMs
    answer_window_s: float
    shown_at_ms: EpochMs | None
    answered_at_ms: EpochMs | None
    expired_at_ms: EpochMs | None
    latency_ms: int | None
    flags: list[str]
    nonce: str | UnsetType | None = UNSET
    drawn: dict[str, Any] | UnsetType = UNSET


class StudyNow(Answer, frozen=True, kw_only=True):
    """A sitting while it is open: `counted_s` ran by the service's clock so far, and is judged when
    it is over; the next pop-up comes within `next_popup_within_s` of study, null where the platform
    issues its own."""

    counted_s: float
    next_popup_within_s: float | None


class SittingView(Answer, frozen=True, kw_only=True):
    """`client` is what the platform told of browser and SDK. `credited` as in the verdict: content
    from and to, server time from and to, in ms."""

    session_id: str
    console_path: str
    learner_id: str
    class_id: str
    lesson_id: str
    device_id: str
    window_id: str
    client: dict[str, Any]
    provenance: Provenance
    state: sitting_life.State
    close_reason: str | None
    started_at_ms: EpochMs | None
    opened_at_ms: EpochMs
    last_received_ms: EpochMs | None
    closed_at_ms: EpochMs | None
    lease_expires_at_ms: EpochMs | None
    resume_position: float
    event_count: int
    next_seq: int
    chain: Sha256
    controls_by: ControlsBy
    commitment: Sha256 | None
    seed: str | None
    controls: list[SittingControl]
    schedule_verified: bool | None
    study: StudyNow | None
    credited: Sequence[Interval]
    pack_term: PackTerm | None
    verdict: SessionVerdictView | None


def view(
    connection: Connection, scope: AccessScope, external_id: str, platform: str | None, now_ms: int
) -> SittingView:
    """State, credited intervals, ledger and latest verdict. Raises NotFound, or Conflict when
    several platforms have a session of that id and `platform` (a slug) does not tell them apart.

    While the sitting is open, only controls that were issued stand in the ledger, without nonces;
    the seed and what was drawn from it are shown once it is over for good.
    """
    row = _seen(connection, scope, external_id, platform)
    over = sitting_life.over(row, now_ms + row.ahead_ms)
    verdict = progress.verdict_on(connection, row.id)
    lines = lines_of(connection, row.id)
    return SittingView(
        session_id=row.external_id,
        console_path=f"/console/sessions/{row.id}",
        learner_id=row.learner,
        class_id=row.klass,
        lesson_id=row.lesson,
        device_id=row.device_id,
        window_id=row.window_id,
        client=row.client,
        provenance=Provenance(row.provenance),
        state=sitting_life.State(row.state),
        close_reason=row.close_reason,
        started_at_ms=row.started_at_ms,
        opened_at_ms=row.opened_ms,
        last_received_ms=row.last_recv_ms,
        closed_at_ms=row.closed_ms,
        lease_expires_at_ms=row.lease_expires_ms,
        resume_position=row.resume_ms / 1000,
        event_count=row.event_count,
        next_seq=row.next_seq,
        chain=row.chain.hex(),
        controls_by=ControlsBy(row.controls),
        commitment=row.commitment.hex() if row.commitment else None,
        seed=row.seed_revealed.hex() if over and row.seed_revealed else None,
        controls=[_line(line, over) for line in lines],
        schedule_verified=_verified(row, lines) if over and row.seed_revealed else None,
        study=None if over else _study(row),
        credited=[] if verdict is None else verdict.credited,
        pack_term=pack_term.of_class(
            f"{row.pack_id}@{row.pack_version}", row.starts_on, row.ends_on
        ),
        verdict=None
        if verdict is None
        else _verdict(verdict, finding_keys(connection, row.class_id)),
    )


def _verdict(verdict: SessionVerdict, found: Found) -> SessionVerdictView:
    return extended(
        SessionVerdictView,
        verdict,
        standing=SessionOutcome(of_findings(verdict.outcome, verdict.findings, found)),
        findings=wording.findings(verdict.findings),
    )


def _study(row: NamedSitting) -> StudyNow:
    within = None
    if row.controls == ControlsBy.SERVICE:
        terms = sitting_terms.of_pack(row.pack_id, row.pack_version)
        within = max(0, row.popup_from_ms + terms.popup_high_ms - row.learning_ms) / 1000
    return StudyNow(counted_s=row.learning_ms / 1000, next_popup_within_s=within)


def _seen(
    connection: Connection, scope: AccessScope, external_id: str, platform: str | None
) -> NamedSitting:
    rows = store.seen(connection, scope, external_id, platform)
    if not rows:
        raise unknown_session(external_id)
    if len(rows) > 1:
        raise Conflict("ambiguous_id", f"several platforms have a session {external_id!r}")
    return rows[0]


def draw_errors(row: SittingRow, lines: list[ControlLine]) -> list[str]:
    """What of a finished sitting's ledger does not follow from its revealed seed."""
    popups = [
        PopupDraw(line.demand["draw"], low_ms, high_ms, line.demand["interval_ms"])
        for line in lines
        if line.kind == ControlKind.POPUP and "draw" in line.demand
        for low_ms, high_ms in (line.demand["range_ms"],)
    ]
    points = [
        Point.of(line.demand)
        for line in lines
        if line.kind == ControlKind.SNAPSHOT and "draw" in line.demand
    ] + [Point.of(point) for point in row.schedule.get("points", [])]
    photos = [
        PhotoDraw(point.draw, point.stretches, point.lesson, point.position_ms)
        for point in points
        if point.drawn_in == row.external_id
    ]
    assert row.seed_revealed is not None and row.commitment is not None
    return draws.verify(row.seed_revealed, row.commitment, popups, photos)


def _verified(row: SittingRow, lines: list[ControlLine]) -> bool:
    return not draw_errors(row, lines)


def _line(line: ControlLine, over: bool) -> SittingControl:
    return SittingControl(
        control=kind_of(line.kind),
        challenge_id=line.challenge_id,
        source=ControlSource(line.source),
        random_time=line.random_time,
        reissue_of=line.reissue_of,
        issued_at_ms=line.issued_ms,
        due_at_ms=line.due_ms,
        answer_window_s=line.window_ms / 1000,
        shown_at_ms=line.shown_ms,
        answered_at_ms=line.answered_ms,
        expired_at_ms=line.expired_ms,
        latency_ms=line.latency_ms,
        flags=[flag.name.lower() for flag in ControlFlag if flag.name and flag & line.flags],
        nonce=line.nonce if over else UNSET,
        drawn=line.demand if over else UNSET,
    )
