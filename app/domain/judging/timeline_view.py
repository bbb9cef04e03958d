"""One sitting's timeline as its platform, or a person who may see it, reads it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection

from app.domain.answer import Answer, EpochMs
from app.domain.controls.control_line import ControlSource
from app.domain.judging.sitting_view import Provenance
from app.domain.judging.timeline import timeline
from app.domain.judging.views import FindingView
from app.domain.sittings.sitting_life import State
from app.domain.sittings.sittings import unknown_session
from app.errors import Conflict
from app.store.bodies import Interval
from app.store.scope import AccessScope
from app.store.sittings import sittings
from detectors.assess import SessionOutcome
from detectors.control_kinds import ControlKind

ACTING = "active"


class TimelineSession(Answer, frozen=True, kw_only=True):
    """The sitting, and its lesson; `outcome` as it would be judged now."""

    id: str
    learner: str
    lesson: str
    lesson_title: str
    klass: str = msgspec.field(name="class")
    opened_ms: EpochMs
    closed_ms: EpochMs | None
    ended_ms: EpochMs
    state: State
    provenance: Provenance
    media_ms: int
    resume_ms: int
    outcome: SessionOutcome


class VoidedStretch(Answer, frozen=True, kw_only=True):
    """Time that does not count, by which rule; `finding` is the finding's key."""

    t0_ms: EpochMs
    t1_ms: EpochMs
    rule: str
    finding: str


class TimelineControl(Answer, frozen=True, kw_only=True):
    kind: ControlKind
    issued_ms: EpochMs | None
    due_ms: EpochMs | None
    shown_ms: EpochMs | None
    answered_ms: EpochMs | None
    expired_ms: EpochMs | None
    latency_ms: int | None
    flags: list[str]
    source: ControlSource


class TimelinePhoto(Answer, frozen=True, kw_only=True):
    """A photo: when it came, what for, what its comparison gave (`score` against `limit`)."""

    snapshot_id: str
    t_ms: EpochMs
    purpose: str
    check: str
    score: float | None
    limit: float | None
    flags: list[str]


class TimelineFinding(FindingView, frozen=True, kw_only=True):
    """A finding, as it was entered and where it stands; both null when it was not entered yet."""

    id: int | None
    status: str | None


class TimelineView(Answer, frozen=True, kw_only=True):
    """What is plotted of a sitting; times by the server's clock, positions in content ms.

    samples   [t_ms, position_ms, visible (0 or 1)]; a seek gives two at one time
    credited  content from and to, time from and to
    breaks    from and to: the player stood still
    """

    session: TimelineSession
    samples: list[tuple[int, int, int]]
    credited: Sequence[Interval]
    voided: list[VoidedStretch]
    controls: list[TimelineControl]
    photos: list[TimelinePhoto]
    findings: list[TimelineFinding]
    notes: list[FindingView]
    breaks: list[tuple[int, int]]


def view(
    connection: Connection, scope: AccessScope, external_id: str, platform: str | None
) -> TimelineView:
    """`timeline.timeline` without rules on trial and without row numbers of photos.

    Raises NotFound, or Conflict when several platforms have a session of that id.
    """
    rows = sittings.seen(connection, scope, external_id, platform)
    if not rows:
        raise unknown_session(external_id)
    if len(rows) > 1:
        raise Conflict("ambiguous_id", f"several platforms have a session {external_id!r}")
    told = timeline(connection, rows[0].id)
    for kind in ("findings", "notes"):
        told[kind] = [it for it in told[kind] if it["rule_status"] == ACTING]
    return msgspec.convert(told, TimelineView)
