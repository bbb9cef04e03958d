"""An embedder on trial: what it would make of this site's people, before it decides anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from app.domain.faces import calibration
from app.domain.faces.calibration import Faces
from app.security import Unsealable
from app.services import Services
from app.store.accounts import audit
from app.store.faces import face_keys, face_sets
from app.store.faces.blobs import BlobMissing
from app.vision.match import Moment
from app.vision.model_card import ModelCard
from app.vision.readers import FaceReaders
from app.vision.seen import Seen, usable, vector


@dataclass(frozen=True, slots=True)
class Trial:
    """`body` is a calibration that is not kept, None with why when there are `too_few` people."""

    persons: int
    photos: int
    unread: int
    body: dict[str, Any] | None
    too_few: str | None


def on_own_people(
    services: Services, readers: FaceReaders, card: ModelCard, *, persons: int, actor: str
) -> Trial:
    """Read the kept photos of up to `persons` learners anew, with the models of ``readers``, and
    measure as a calibration does. Nothing is stored but a line in the audit log."""
    with services.database.read() as connection:
        accounts = face_sets.accounts(connection)[:persons]
    counts = {"photos": 0, "unread": 0}
    faces = [
        Faces(learner, person, sittings)
        for learner, person in accounts
        if (sittings := list(_sittings(services, readers, learner, counts)))
    ]
    with services.database.write() as connection:
        audit.append(
            connection,
            at_ms=services.clock(),
            actor=actor,
            action="model.tried",
            subject=f"model:{card.model}",
            detail={"persons": len(faces), "photos": counts["photos"]},
        )
    try:
        body, _ = calibration.measured(card, faces)
    except calibration.NotEnoughFaces as few:
        return Trial(len(faces), **counts, body=None, too_few=few.detail)
    return Trial(len(faces), **counts, body=body, too_few=None)


def _sittings(
    services: Services, readers: FaceReaders, learner_id: int, counts: dict[str, int]
) -> Iterator[list[Moment]]:
    """The enrolled photos, then those of each sitting, where there are any."""
    with services.database.read() as connection:
        groups = face_sets.kept_photos(connection, learner_id)
        try:
            key = face_keys.key(connection, services.photos.vault, learner_id)
        except face_keys.KeyDestroyed:
            return
    if key is None:
        return
    for blob_keys in groups:
        photos = list(_opened(services, key, blob_keys))
        seen = readers.read(photos) if photos else []
        good = [
            Moment(vector(it.embedding))
            for it in seen
            if isinstance(it, Seen) and usable(it.fields) and it.embedding
        ]
        counts["photos"] += len(good)
        counts["unread"] += len(blob_keys) - len(good)
        if good:
            yield good


def _opened(services: Services, key: bytes, blob_keys: Iterable[str]) -> Iterator[bytes]:
    for blob_key in blob_keys:
        try:
            yield services.photos.opened(key, blob_key)
        except (BlobMissing, Unsealable):
            continue
