"""One photograph handed in twice, the second time re-encoded, moved, turned, mirrored, or before
another background.

Perceptual hashes of the aligned faces only find candidates. What proves is the agreement of two
faces after alignment, measured on the pixels, and even then a person decides with both photos
before them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection

from app.domain.faces import photo_codes
from app.domain.faces.burst_liveness import PhotoGroup
from app.store.faces import photo_codes as store
from app.store.faces import reference_photos
from app.store.faces import snapshots as rows
from app.store.faces.photo_codes import FoundSnapshot
from app.store.faces.snapshots import PhotoRow, SittingOwner, reading_of
from app.vision.seen import SamePhotograph

CANDIDATE_BITS = 18
MOST_CANDIDATES = 5  # an alignment takes 15 ms
MOST_NEAR = 50  # of everybody's, before it is known whose they are
MOST_ENROLLED = 5  # the newest, without a hash
MOST_OF_A_BURST = 3  # those that look straight ahead: one photograph gives them all


def suspects(
    connection: Connection, session_id: int, groups: Iterable[PhotoGroup]
) -> list[tuple[PhotoRow, Sequence[Any]]]:
    """Photos of these groups that wait for a decision, each with what it may be a copy of: the
    nearest of the learner's and the class's earlier photos, but for what is of one moment with it,
    the learner's enrolled photos, and the nearest of everybody's, taken or enrolled. The photo of a
    start may be one that a platform enrolled: it is held against photos that were enrolled before
    it was asked for."""
    waiting = [(it, group) for group in groups for it in _telling(group)]
    if not waiting:
        return []
    near = _near(connection, session_id, [it for it, _ in waiting])
    owner = rows.owner_named(connection, session_id)
    enrolled = _enrolled(connection, owner)
    codes = store.of_snapshots(connection, [photo.id for photo, _ in waiting])
    found: list[tuple[PhotoRow, Sequence[Any]]] = []
    for photo, group in waiting:
        asked_ms = None if group.control is None else group.control.issued_ms
        alike: list[Any] = [
            *near.get(photo.id, ()),
            *(it for it in enrolled if _before(it, photo, asked_ms)),
        ]
        if photo.id in codes:
            known = {it.id for it in near.get(photo.id, ())}
            everywhere = _Everywhere(connection, owner, photo, codes[photo.id])
            alike += [*everywhere.named(known), *everywhere.elsewhere(asked_ms)]
        alike = [it for it in alike if isinstance(it, _OfAnother) or it.sha256 != photo.sha256]
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


@dataclass(frozen=True, slots=True)
class _OfAnother:
    """A photo of somebody outside the class, or one that another learner enrolled. Its names stay
    here: who reads of it need not be one who may know of them."""

    id: int
    learner_id: int
    blob_key: str | None
    reading: dict[str, Any] | None
    enrolled: bool
    session: None = None
    external_id: None = None
    learner: None = None


def _before(enrolled: Any, photo: PhotoRow, asked_ms: int | None) -> bool:
    if photo.purpose != "start":
        return True
    return asked_ms is not None and enrolled.created_ms < asked_ms


def _enrolled(connection: Connection, owner: SittingOwner) -> list[_Enrolled]:
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


class _Everywhere:
    """The nearest earlier photos of all that the installation keeps, this sitting's left out."""

    def __init__(
        self, connection: Connection, owner: SittingOwner, photo: PhotoRow, codes: bytes
    ) -> None:
        self._connection, self._owner, self._photo = connection, owner, photo
        near = photo_codes.near(connection, codes)[:MOST_NEAR]
        self._place = {(it.snapshot_id, it.reference_photo_id): at for at, it in enumerate(near)}
        taken = [it.snapshot_id for it in near if it.snapshot_id is not None]
        self._taken = [
            it
            for it in store.snapshots_found(connection, taken)
            if it.session_id != photo.session_id and it.received_ms < photo.received_ms
        ]
        self._enrolled = store.references_found(
            connection, [it.reference_photo_id for it in near if it.reference_photo_id is not None]
        )

    def named(self, known: Collection[int]) -> Sequence[Any]:
        """Photos of the learner and of the class that are not `known` yet."""
        mine = [it for it in self._taken if self._near_by(it) and it.id not in known]
        mine.sort(key=lambda it: self._place[it.id, None])
        ids = [it.id for it in mine[:MOST_CANDIDATES]]
        return rows.with_owner(self._connection, ids) if ids else []

    def elsewhere(self, asked_ms: int | None) -> list[_OfAnother]:
        """Photos of others: outside the class, or enrolled."""
        own = self._owner.learner_id
        found = [
            (
                self._place[it.id, None],
                _OfAnother(it.id, it.learner_id, it.blob_key, it.reading, False),
            )
            for it in self._taken
            if not self._near_by(it) and it.sha256 != self._photo.sha256
        ]
        for it in self._enrolled:
            earlier = it.created_ms < self._photo.received_ms
            if it.learner_id != own and earlier and _before(it, self._photo, asked_ms):
                reading = {"box": it.quality.get("box")}
                other = _OfAnother(it.id, it.learner_id, it.blob_key, reading, True)
                found.append((self._place[None, it.id], other))
        found.sort(key=lambda it: it[0])
        return [other for _, other in found[:MOST_CANDIDATES]]

    def _near_by(self, photo: FoundSnapshot) -> bool:
        owner = self._owner
        return photo.learner_id == owner.learner_id or photo.class_id == owner.class_id


def document(like: Any, proof: SamePhotograph) -> dict[str, Any]:
    """What stays with the photo: the other one by its public names, which an enrolled one and one
    from outside the class do not have, and the proof. `photo` and `enrolled` are the rows of the
    latter, for people who may see them."""
    outside: dict[str, int] = {}
    if isinstance(like, _OfAnother):
        outside = {"enrolled" if like.enrolled else "photo": like.id}
    return outside | {
        "session_id": like.session,
        "snapshot_id": like.external_id,
        "learner_id": like.learner,
        "residual": round(proof.residual, 4),
        "mirrored": proof.mirrored,
    }


def _apart(hashes: np.ndarray[Any, np.dtype[np.uint64]], hexadecimal: str) -> Any:
    return np.bitwise_count(hashes ^ np.uint64(int(hexadecimal, 16)))
