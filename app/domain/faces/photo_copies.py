"""One photograph handed in twice, the second time re-encoded, cropped, brightened or mirrored.

Perceptual hashes only find candidates: at ten bits 60 % of a person's different snapshots at one
desk are near each other. What proves is the residual after alignment, measured on the pixels, and
even then a person decides with both photos before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from app.store.faces import reference_photos
from app.store.faces import snapshots as rows
from app.store.row import AnyRow
from app.vision.seen import SamePhotograph

CANDIDATE_BITS = 10
MOST_CANDIDATES = 3  # an alignment takes 27 ms
MOST_ENROLLED = 2  # the newest; without a hash, as a crop of 2 % already leaves its reach


def suspects(connection: Connection, session_id: int) -> list[tuple[AnyRow, Sequence[Any]]]:
    """The sitting's photos that wait for a decision, each with what it may be a copy of: the
    nearest of the learner's other sittings and of others in the class, and the learner's enrolled
    photos. The photo of a start may be one that a platform enrolled: only the others are held
    against these."""
    waiting = rows.to_compare(connection, session_id)
    if not waiting:
        return []
    near = _near(connection, session_id, waiting)
    enrolled = _enrolled(connection, session_id)
    found: list[tuple[AnyRow, Sequence[Any]]] = []
    for photo in waiting:
        alike: list[Any] = [
            *near.get(photo.id, ()),
            *(enrolled if photo.purpose != "start" else ()),
        ]
        alike = [it for it in alike if it.sha256 != photo.sha256]
        if alike:
            found.append((photo, alike))
    return found


@dataclass(frozen=True, slots=True)
class _Enrolled:
    """An enrolled photo in the place of an earlier one; it belongs to no sitting."""

    learner_id: int
    learner: str
    sha256: bytes
    blob_key: str | None
    session: None = None
    external_id: None = None


def _enrolled(connection: Connection, session_id: int) -> list[_Enrolled]:
    owner = rows.owner_named(connection, session_id)
    photos = reference_photos.ready(connection, owner.learner_id)[-MOST_ENROLLED:]
    return [_Enrolled(owner.learner_id, owner.learner, it.sha256, it.blob_key) for it in photos]


def _near(
    connection: Connection, session_id: int, waiting: Sequence[AnyRow]
) -> dict[int, list[Any]]:
    earlier = rows.hashes_around(connection, session_id)
    if not earlier:
        return {}
    ids = np.array([row.id for row in earlier], np.int64)
    received = np.array([row.received_ms for row in earlier], np.int64)
    hashes = np.array([row.phash for row in earlier], np.int64).view(np.uint64)
    near: dict[int, list[int]] = {}
    for photo in waiting:
        apart = np.minimum(
            _apart(hashes, photo.reading["perceptual_hash"]),
            _apart(hashes, photo.reading["mirrored_hash"]),
        )
        found = np.flatnonzero((apart <= CANDIDATE_BITS) & (received < photo.received_ms))
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
