"""What the stored pixels of a sitting say beside its faces: asked of the readers, kept nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection

from app.domain.faces import burst_liveness, face_checks, photo_copies
from app.domain.faces.burst_liveness import Beside
from app.security import Unsealable
from app.services import Services
from app.store.faces import face_keys
from app.store.faces import snapshots as rows
from app.store.faces.blobs import BlobMissing
from app.store.faces.snapshots import PhotoRow, reading_of
from app.vision.feed_signs import FeedSigns
from app.vision.readers import FaceReaders
from app.vision.seen import NOT_RETRIEVABLE, FacePicture, Unread

log = structlog.get_logger("zhenxue.pixels")


class KeptObject(Protocol):
    id: int
    blob_key: str | None


class Pixels:
    """Opens photos and has readers look at several of them together."""

    def __init__(self, services: Services, readers: FaceReaders) -> None:
        self._services = services
        self._readers = readers

    def keys(self, connection: Connection, learner_ids: Iterable[int]) -> dict[int, bytes]:
        """The learners' keys, of those that have one still."""
        keys: dict[int, bytes] = {}
        for learner_id in set(learner_ids):
            try:
                key = face_keys.key(connection, self._services.vault, learner_id)
            except face_keys.KeyDestroyed:
                continue
            if key is not None:
                keys[learner_id] = key
        return keys

    def opened(self, photo: KeptObject, key: bytes | None) -> bytes | Unread:
        """The bytes of a photo, or why there are none."""
        if key is None or photo.blob_key is None:
            return Unread("erased", final=True, lost=True)
        try:
            return self._services.photos.opened(key, photo.blob_key)
        except (BlobMissing, Unsealable) as error:
            log.warning("photo cannot be opened", photo=photo.id, error=type(error).__name__)
            return Unread(NOT_RETRIEVABLE, final=True, lost=True)

    def beside(self, session_id: int) -> Beside:
        """Feeds that are no live camera, and photos taken before, of what can be decided now."""
        with self._services.database.read() as connection:
            now_ms = self._services.clock()
            groups = [
                group
                for group in face_checks.decidable(connection, session_id, now_ms)
                if any(photo.status == "read" for photo in group.photos)
            ]
            suspects = photo_copies.suspects(connection, session_id, groups)
            bursts = [group for group in groups if burst_liveness.long_enough(group)]
            if not bursts and not suspects:
                return Beside()
            learner_id = rows.owner_of(connection, session_id)
            others = {like.learner_id for _, alike in suspects for like in alike}
            keys = self.keys(connection, {learner_id} | others)
        key = keys.get(learner_id)
        feeds = {it.control.id: self._feed(it.photos, key) for it in bursts if it.control}
        copies = {photo.id: self._copy(photo, key, alike, keys) for photo, alike in suspects}
        return Beside(
            {control: signs for control, signs in feeds.items() if signs is not None},
            {photo: copy for photo, copy in copies.items() if copy is not None},
        )

    def _feed(self, photos: Sequence[PhotoRow], key: bytes | None) -> FeedSigns | None:
        opened = [self.opened(photo, key) for photo in photos]
        pictures = [data for data in opened if isinstance(data, bytes)]
        if len(pictures) < len(photos):
            return None
        received = [photo.received_ms for photo in photos]
        return self._readers.signs(pictures, [reading_of(photo) for photo in photos], received)

    def _copy(
        self,
        photo: PhotoRow,
        key: bytes | None,
        alike: Sequence[Any],
        keys: dict[int, bytes],
    ) -> dict[str, Any] | None:
        """The first of the photos that look alike which proves to be the same photograph."""
        data = self.opened(photo, key)
        there = [(like, self.opened(like, keys.get(like.learner_id))) for like in alike]
        known = [
            (like, FacePicture(other, (like.reading or {}).get("box")))
            for like, other in there
            if isinstance(other, bytes)
        ]
        if not isinstance(data, bytes) or not known:
            return None
        face = FacePicture(data, reading_of(photo)["box"])
        proof = self._readers.copy(face, [other for _, other in known])
        if proof is None:
            return None
        return photo_copies.document(known[proof.place][0], proof)
