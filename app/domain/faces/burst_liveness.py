"""Which photos of a sitting are a burst, when it is over, and whether it shows somebody live.

A burst answers a face check that asked for actions. It is judged once, when it is whole or its time
is over, and all its frames carry that; a frame that comes later carries it as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.domain.policy.sitting_terms import BURST_MS, REPORT_GRACE_MS
from app.store.controls.controls import ControlRow
from app.store.faces.snapshots import PhotoRow, reading_of
from app.vision import liveness
from app.vision.face_reading import FaceReading
from app.vision.feed_signs import FeedSigns
from app.vision.liveness import LIVENESS_LIMITS, Challenge, Frame

Embedding = NDArray[np.float32]
Seen = Sequence[tuple[PhotoRow, Embedding | None]]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a sitting's pixels say beside the faces: `feeds` of its bursts, by the id of the control
    that each answers, and `copies`, by the id of the photo, of photographs seen before."""

    feeds: Mapping[int, FeedSigns] = field(default_factory=dict)
    copies: Mapping[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PhotoGroup:
    """Photos that are decided together: a burst in the order taken, or one photo. `control` is the
    face check that a burst answers."""

    photos: Sequence[PhotoRow]
    control: ControlRow | None = None


def to_decide(
    photos: Sequence[PhotoRow], controls: Collection[ControlRow], *, open_now: bool, now_ms: int
) -> Iterator[PhotoGroup]:
    """A sitting's photos as far as they can be decided, decided ones among them: up to the first
    that is not read yet, or whose burst is not over. `photos` in order of receipt, `open_now`: more
    may be coming."""
    checks = {row.id: row for row in controls if "actions" in row.demand}
    bursts: dict[int, list[PhotoRow]] = {}
    for photo in photos:
        if photo.control_id in checks and not photo.late:
            bursts.setdefault(photo.control_id, []).append(photo)
    decided: set[int] = set()
    for photo in photos:
        if photo.late or photo.control_id in decided:
            continue
        if photo.control_id not in bursts:
            if photo.status == "pending":
                return
            if photo.status != "failed":
                yield PhotoGroup([photo])
            continue
        control, burst = checks[photo.control_id], bursts[photo.control_id]
        if not _over(control, burst, open_now=open_now, now_ms=now_ms):
            return
        decided.add(control.id)
        readable = [it for it in burst if it.status != "failed"]
        if readable:
            yield PhotoGroup(sorted(readable, key=_as_taken), control)


def _over(control: ControlRow, burst: Sequence[PhotoRow], *, open_now: bool, now_ms: int) -> bool:
    if any(it.status == "pending" for it in burst):
        return False
    if not open_now or any(it.status == "done" for it in burst):
        return True
    asked = control.demand.get("frames")
    if asked is not None and len(burst) >= asked:
        return True
    ends_ms = control.expired_ms or control.due_ms + control.window_ms + REPORT_GRACE_MS
    last_ms: int = max(it.received_ms for it in burst)
    return bool(now_ms > ends_ms or now_ms - last_ms >= BURST_MS)


def long_enough(group: PhotoGroup) -> bool:
    """Whether its feed can tell anything."""
    return group.control is not None and len(group.photos) >= LIVENESS_LIMITS.min_faces


def judged(group: PhotoGroup, seen: Seen, beside: Beside) -> dict[str, Any] | None:
    """What photos of one group show of a living person, as it is kept with each: of a burst
    whether what its face check asked for was done, of another photo what the anti-spoofing model
    says against it. None where nothing is asked and nothing said."""
    if group.control is None:
        return _model_alone(group.photos)
    for photo in group.photos:
        if photo.status == "done" and (earlier := reading_of(photo).get("liveness")) is not None:
            return dict(earlier)
    control = group.control
    frames = [
        Frame(
            row.received_ms,
            FaceReading.from_stored(reading_of(row), embedding),
            row.taken_at_ms,
        )
        for row, embedding in seen
    ]
    challenge = Challenge(
        tuple(control.demand["actions"]),
        control.issued_ms,
        control.window_ms + REPORT_GRACE_MS,
        control.demand.get("frames", 0),
    )
    known = any(row.id in beside.copies for row, _ in seen)
    found = liveness.verify(frames, challenge, beside.feeds.get(control.id), known=known)
    return _document(found.outcome, found.reasons, found.signs, len(frames))


def _model_alone(photos: Sequence[PhotoRow]) -> dict[str, Any] | None:
    found = liveness.verify_photos([FaceReading.from_stored(reading_of(it)) for it in photos])
    if found is None or found.outcome == "live":
        return None  # a photo that nothing was asked of proves nobody live
    return _document(found.outcome, found.reasons, found.signs, len(photos))


def _document(
    outcome: str, reasons: Sequence[str], signs: Mapping[str, float], frames: int
) -> dict[str, Any]:
    return {"outcome": outcome, "reasons": list(reasons), "signs": dict(signs), "frames": frames}


def _as_taken(photo: PhotoRow) -> tuple[int, int]:
    return photo.frame, photo.received_ms
