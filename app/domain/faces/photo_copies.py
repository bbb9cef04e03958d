"""One photograph handed in twice, the second time re-encoded, cropped, brightened or mirrored.

Perceptual hashes only find candidates: at ten bits 60 % of a person's different snapshots at one
desk are near each other. What proves is the residual after alignment, measured on the pixels, and
even then a person decides with both photos before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection

from app.store.faces import snapshots as rows
from app.store.row import AnyRow
from app.vision.seen import SamePhotograph

CANDIDATE_BITS = 10
MOST_CANDIDATES = 3  # an alignment takes 27 ms


def suspects(connection: Connection, session_id: int) -> list[tuple[AnyRow, Sequence[AnyRow]]]:
    """The sitting's photos that wait for a decision and look like earlier ones, each with the
    nearest of these: photos of the learner's other sittings, and of others in the class."""
    waiting = rows.to_compare(connection, session_id)
    if not waiting:
        return []
    earlier = rows.hashes_around(connection, session_id)
    if not earlier:
        return []
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
    return [
        (photo, [by_id[it] for it in near[photo.id] if by_id[it].sha256 != photo.sha256])
        for photo in waiting
        if photo.id in near
    ]


def document(like: AnyRow, proof: SamePhotograph) -> dict[str, Any]:
    """What stays with the photo: the other one by its public names, and the proof."""
    return {
        "session_id": like.session,
        "snapshot_id": like.external_id,
        "learner_id": like.learner,
        "residual": round(proof.residual, 4),
        "mirrored": proof.mirrored,
    }


def _apart(hashes: np.ndarray[Any, np.dtype[np.uint64]], hexadecimal: str) -> Any:
    return np.bitwise_count(hashes ^ np.uint64(int(hexadecimal, 16)))
