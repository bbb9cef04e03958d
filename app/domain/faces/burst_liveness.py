"""Which photos of a sitting are a burst, and whether it shows somebody who did what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from app.domain.policy.sitting_terms import REPORT_GRACE_MS
from app.store.controls import controls as control_store
from app.store.faces import snapshots as rows
from app.store.row import AnyRow
from app.vision import liveness
from app.vision.face_reading import FaceReading
from app.vision.feed_signs import FeedSigns
from app.vision.liveness import LIVENESS_LIMITS, Challenge, Frame

Embedding = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a sitting's pixels say beside the faces: `feeds` of its `bursts`, by the id of the
    control that each answers, and `copies`, by the id of the photo, of photographs seen before."""

    feeds: Mapping[int, FeedSigns] = field(default_factory=dict)
    copies: Mapping[int, dict[str, Any]] = field(default_factory=dict)


def bursts(connection: Connection, session_id: int) -> dict[int, list[AnyRow]]:
    """The sitting's bursts that wait for a decision and are long enough to tell whether they come
    from a live camera: their photos in the order taken, by the id of the control."""
    asked = {
        row.id for row in control_store.rows(connection, session_id) if "actions" in row.demand
    }
    if not asked:
        return {}
    found: dict[int, list[AnyRow]] = {}
    for photo in rows.rows(connection, session_id):
        if photo.control_id in asked and photo.status in ("read", "done") and not photo.late:
            found.setdefault(photo.control_id, []).append(photo)
    return {
        control: sorted(photos, key=_as_taken)
        for control, photos in found.items()
        if len(photos) >= LIVENESS_LIMITS.min_faces and any(it.status == "read" for it in photos)
    }


def judged(
    seen: Sequence[tuple[AnyRow, Embedding | None]],
    control: AnyRow | None,
    beside: Beside,
) -> dict[str, Any] | None:
    """Whether the head turns that `control` asked for were seen in its burst so far; None when
    it asked for none. `seen` are the sitting's photos up to the one under decision."""
    if control is None or "actions" not in control.demand:
        return None
    burst = [(row, it) for row, it in seen if row.control_id == control.id]
    if len(burst) < LIVENESS_LIMITS.min_faces:
        return {"outcome": "inconclusive", "reasons": ["too_few_faces"], "frames": len(burst)}

    frames = [
        Frame(row.received_ms, FaceReading.from_stored(row.reading, embedding))
        for row, embedding in sorted(burst, key=lambda it: _as_taken(it[0]))
    ]
    actions = tuple(control.demand["actions"])
    challenge = Challenge(actions, control.issued_ms, control.window_ms + REPORT_GRACE_MS)
    found = liveness.verify(frames, challenge, beside.feeds.get(control.id))
    return {
        "outcome": found.outcome,
        "reasons": list(found.reasons),
        "signs": found.signs,
        "frames": len(burst),
    }


def _as_taken(photo: AnyRow) -> tuple[int, int]:
    return photo.frame, photo.received_ms
