"""One photograph handed in twice, the second time re-encoded, moved, turned, mirrored, or before
another background.

Perceptual hashes of the aligned faces only find candidates. What proves is the agreement of two
faces after alignment, measured on the pixels, and even then a person decides with both photos
before them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from app.domain.faces.burst_liveness import PhotoGroup
from app.store.faces import reference_photos
from app.store.faces import snapshots as rows
from app.store.faces.snapshots import PhotoRow, reading_of
from app.vision.seen import SamePhotograph

CANDIDATE_BITS = 18
MOST_CANDIDATES = 5  # an alignment takes 15 ms
MOST_ENROLLED = 5  # the newest, without a hash
MOST_OF_A_BURST = 3  # those that look straight ahead: one photograph gives them all


def suspects(
    connection: Connection, session_id: int, groups: Iterable[PhotoGroup]
) -> list[tuple[PhotoRow, Sequence[Any]]]:
    """Photos of these groups that wait for a decision, each with what it may be a copy of: the
    nearest of the learner's and the class's earlier photos, but for what is of one moment with it,
    and the learner's enrolled photos. The photo of a start may be one that a platform enrolled: it
    is held against photos that were enrolled before it was asked for."""
    waiting = [(it, group) for group in groups for it in _telling(group)]
    if not waiting:
        return []
    near = _near(connection, session_id, [it for it, _ in waiting])
    enrolled = _enrolled(connection, session_id)
    found: list[tuple[PhotoRow, Sequence[Any]]] = []
    for photo, group in waiting:
        asked_ms = None if group.control is None else group.control.issued_ms
        alike: list[Any] = [
            *near.get(photo.id, ()),
            *(it for it in enrolled if _before(it, photo, asked_ms)),
        ]
        alike = [it for it in alike if it.sha256 != photo.sha256]
        if alike:
            found.append((photo, alike))
    return found


def _telling(group: PhotoGroup) -> Sequence[PhotoRow]:
    """The photos of a group that wait and are worth comparing."""
    waits = [it for it in group.photos if it.status == "read"]
    turned = [(it, ratios) for it in waits if (ratios := reading_of(it)["ratios"]) is not None]
    if group.control is not None:
        straight = sorted(turned, key=lambda it: abs(it[1]["jaw_ratio"]))
        turned = straight[:MOST_OF_A_BURST]
    return [photo for photo, _ in turned]


@dataclass(frozen=True, slots=True)
class _Enrolled:
    """An enrolled photo in the place of an earlier one; it belongs to no sitting."""

    learner_id: int
    learner: str
    sha256: bytes
    blob_key: str | None
    created_ms: int
    reading: dict[str, Any]
    session: None = None
    external_id: None = None


def _before(enrolled: _Enrolled, photo: PhotoRow, asked_ms: int | None) -> bool:
    if photo.purpose != "start":
        return True
    return asked_ms is not None and enrolled.created_ms < asked_ms


def _enrolled(connection: Connection, session_id: int) -> list[_Enrolled]:
    owner = rows.owner_named(connection, session_id)
    photos = reference_photos.ready(connection, owner.learner_id)[-MOST_ENROLLED:]
    return [
        _Enrolled(
            owner.learner_id,
            owner.learner,
            it.sha256,
            it.blob_key,
            it.created_ms,
            {"box": it.quality.get("box")},
        )
        for it in photos
    ]


def _near(
    connection: Connection, session_id: int, waiting: Sequence[PhotoRow]
) -> dict[int, list[Any]]:
    earlier = rows.hashes_around(connection, session_id)
    if not earlier:
        return {}
    ids = np.array([row.id for row in earlier], np.int64)
    received = np.array([row.received_ms for row in earlier], np.int64)
    hashes = np.array([row.phash for row in earlier], np.int64).view(np.uint64)
    own = np.array([row.session_id == session_id for row in earlier])
    control = np.array([row.control_id or 0 for row in earlier], np.int64)
    near: dict[int, list[int]] = {}
    for photo in waiting:
        reading = reading_of(photo)
        apart = np.minimum(
            _apart(hashes, reading["perceptual_hash"]),
            _apart(hashes, reading["mirrored_hash"]),
        )
        before = received < photo.received_ms - np.where(own, rows.SAME_MOMENT_MS, 0)
        before &= ~own | (control == 0) | (control != (photo.control_id or 0))
        found = np.flatnonzero((apart <= CANDIDATE_BITS) & before)
        if len(found):
            order = found[np.argsort(apart[found], kind="stable")][:MOST_CANDIDATES]
            near[photo.id] = ids[order].tolist()
    photos = rows.with_owner(connection, {it for alike in near.values() for it in alike})
    by_id = {row.id: row for row in photos}
    return {photo_id: [by_id[it] for it in alike] for photo_id, alike in near.items()}


def document(like: Any, proof: SamePhotograph) -> dict[str, Any]:
    """What stays with the photo: the other one by its public names, which an enrolled one does not
    have, and the proof."""
    return {
        "session_id": like.session,
        "snapshot_id": like.external_id,
        "learner_id": like.learner,
        "residual": round(proof.residual, 4),
        "mirrored": proof.mirrored,
    }


def _apart(hashes: np.ndarray[Any, np.dtype[np.uint64]], hexadecimal: str) -> Any:
    return np.bitwise_count(hashes ^ np.uint64(int(hexadecimal, 16)))
