"""One sitting's timeline as its platform, or a person who may see it, reads it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from app.domain.answer import Answer
from app.domain.judging.timeline import (
    KeptPhoto,
    Sample,
    TimelineControl,
    TimelineFinding,
    TimelinePhoto,
    TimelineSession,
    VoidedStretch,
    timeline,
)
from app.domain.judging.views import FindingView
from app.domain.sittings.sittings import unknown_session
from app.errors import Conflict
from app.store.bodies import Interval
from app.store.scope import AccessScope
from app.store.sittings import sittings

ACTING = "active"


class TimelineView(Answer, frozen=True, kw_only=True):
    """What is plotted of a sitting; times by the server's clock, positions in content ms.

    samples   [t_ms, position_ms, visible (0 or 1)]; a seek gives two at one time
    credited  content from and to, time from and to
    breaks    from and to: the player stood still
    """

    session: TimelineSession
    samples: list[Sample]
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
    whole = timeline(connection, rows[0].id)
    return TimelineView(
        session=whole.session,
        samples=whole.samples,
        credited=whole.credited,
        voided=whole.voided,
        controls=whole.controls,
        photos=[_unnumbered(it) for it in whole.photos],
        findings=[it for it in whole.findings if it.rule_status == ACTING],
        notes=[it for it in whole.notes if it.rule_status == ACTING],
        breaks=whole.breaks,
    )


def _unnumbered(photo: KeptPhoto) -> TimelinePhoto:
    return TimelinePhoto(**{name: getattr(photo, name) for name in TimelinePhoto.__struct_fields__})
