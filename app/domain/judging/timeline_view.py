"""One sitting's timeline as its platform, or a person who may see it, reads it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from app.domain.judging.timeline import timeline
from app.domain.sittings.sittings import unknown_session
from app.errors import Conflict
from app.store.scope import Scope
from app.store.sittings import sittings

ACTING = "active"


def view(
    connection: Connection, scope: Scope, external_id: str, platform: str | None
) -> dict[str, Any]:
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
    told["photos"] = [
        {name: value for name, value in photo.items() if name != "id"} for photo in told["photos"]
    ]
    return told
