"""Whether a class's photos are still there, unaltered, at the moment that something rests on them.

An object that the store describes as it did when its bytes were last compared with their hash is
taken to be the same: a class of 80 costs one listing for each learner. The night trusts no
description, and reads every object.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import structlog

from app.clock import Clock
from app.db import Database
from app.domain.faces import snapshots
from app.domain.faces.photo_store import PhotoStore
from app.domain.sittings import sealing
from app.store.faces import face_keys
from app.store.faces import snapshots as photo_rows
from app.store.faces.blobs import StoreAway
from app.store.judging import runs as store
from app.store.judging.runs import RecheckedPhoto
from app.vision.seen import NOT_RETRIEVABLE
from detectors.trace import Check

log = structlog.get_logger("zhenxue.kept_photos")


@dataclass(slots=True)
class Rechecked:
    """Counts of photos by what became of them, and the learners for whom that changed."""

    counts: Counter[str] = field(default_factory=Counter)
    learners: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class KeptPhotos:
    """Looks after the stored photos of classes. One a process."""

    database: Database
    photos: PhotoStore
    clock: Clock

    def recheck(self, class_id: int, *, whole: bool = False) -> Rechecked:
        """Look after every stored photo of a class; what is lost, or is there again, becomes a
        fact.

        whole: read them all, whatever the store says of them; raises StoreAway. Otherwise a store
        that does not answer leaves things as they are known (`unchecked`).

        Photos of a learner whose key was destroyed were erased by order, which is no loss: they are
        counted, and the record stands.
        """
        done = Rechecked()
        with self.database.read() as connection:
            photos = store.photos_to_recheck(connection, class_id)
        for learner_id, group in groupby(photos, lambda photo: photo.learner_id):
            own = list(group)
            try:
                self._of_learner(learner_id, own, done, whole)
            except StoreAway:
                if whole:
                    raise
                log.warning("the photo store does not answer: photos go unchecked", klass=class_id)
                done.counts["unchecked"] += len(own)
        return done

    def _of_learner(
        self, learner_id: int, own: Sequence[RecheckedPhoto], done: Rechecked, whole: bool
    ) -> None:
        try:
            with self.database.read() as connection:
                key = face_keys.key(connection, self.photos.vault, learner_id)
        except face_keys.KeyDestroyed:
            done.counts["erased"] += len(own)
            return
        tags = self.photos.blobs.e_tags(f"learners/{learner_id}/")
        read = own if whole else [it for it in own if it.blob_key in tags and not _same(it, tags)]
        missing = snapshots.missing(self.photos, key, read)
        missing |= {it.id for it in own if it.blob_key not in tags}
        lost = [it for it in own if it.id in missing and it.purged_ms is None]
        found_again = [it for it in own if it.id not in missing and it.purged_ms is not None]
        unread = [it for it in own if it.id not in missing and _was_not_there(it)]
        e_tags = {it.id: tags[it.blob_key] for it in read if it.id not in missing}
        done.counts.update(
            checked=len(own), read=len(read), lost=len(lost), found_again=len(found_again)
        )
        if not (lost or found_again or unread or e_tags):
            return
        now_ms = self.clock()
        with self.database.write() as connection:
            photo_rows.compared(connection, e_tags)
            store.mark_photos(connection, [it.id for it in lost], now_ms)
            store.mark_photos(connection, [it.id for it in found_again], None)
            photo_rows.read_again(connection, unread)
            for session_id in sorted({it.session_id for it in (*lost, *found_again)}):
                sealing.seal_ended(connection, session_id, now_ms)
        if lost or found_again or unread:
            done.learners.add(learner_id)


def _same(photo: RecheckedPhoto, tags: Mapping[str, str]) -> bool:
    """The store describes it as when its bytes were compared with their hash."""
    return photo.purged_ms is None and bool(photo.e_tag) and photo.e_tag == tags[photo.blob_key]


def _was_not_there(photo: RecheckedPhoto) -> bool:
    """The face worker came for it in vain."""
    lost = photo.check == Check.LOST
    return lost and (photo.reading or {}).get("refused") == NOT_RETRIEVABLE
