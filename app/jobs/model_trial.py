"""An embedder on trial: what it would make of this site's people, before it decides anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from app.domain.faces import calibration
from app.domain.faces.calibration import Faces
from app.domain.faces.moments import moments
from app.security import Unsealable
from app.services import Services
from app.store.accounts import audit
from app.store.faces import face_keys, face_sets, reference_photos
from app.store.faces.blobs import BlobMissing
from app.vision.match import Embedding, Moment
from app.vision.model_card import ModelCard
from app.vision.readers import FaceReaders
from app.vision.seen import Seen, usable, vector


@dataclass(frozen=True, slots=True)
class Trial:
    """`body` is a calibration that is not kept, None with why when there are `too_few` people;
    `moments` are those of sittings, and photos taken together are one."""

    persons: int
    photos: int
    moments: int
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
    read = (_faces(services, readers, it, counts) for it in accounts)
    faces = [it for it in read if it is not None]
    with services.database.write() as connection:
        audit.append(
            connection,
            at_ms=services.clock(),
            actor=actor,
            action="model.tried",
            subject=f"model:{card.model}",
            detail={"persons": len(faces), "photos": counts["photos"]},
        )
    body, too_few = None, None
    try:
        body, _ = calibration.measured(card, faces)
    except calibration.NotEnoughFaces as few:
        too_few = few.detail
    seen = sum(len(it.moments) for it in faces)
    return Trial(len(faces), moments=seen, body=body, too_few=too_few, **counts)


def _faces(
    services: Services, readers: FaceReaders, account: tuple[int, int], counts: dict[str, int]
) -> Faces | None:
    """What the models make of one account's photos, in moments as the decision counts them; None
    where nothing can be read."""
    learner_id, person_id = account
    with services.database.read() as connection:
        enrolled = reference_photos.kept(connection, learner_id)
        sittings = face_sets.kept_photos(connection, learner_id)
        try:
            key = face_keys.key(connection, services.photos.vault, learner_id)
        except face_keys.KeyDestroyed:
            key = None
    if key is None:
        return None
    own = tuple(Moment(it) for _, it in _read(services, readers, key, enrolled, counts))
    taken = [moments(_read(services, readers, key, it, counts)) for it in sittings]
    seen = [sitting for sitting in taken if sitting]
    return calibration.faces_of(learner_id, person_id, seen, own) if own or seen else None


class _Kept(Protocol):
    @property
    def blob_key(self) -> str: ...


Photo = TypeVar("Photo", bound=_Kept)


def _read(
    services: Services,
    readers: FaceReaders,
    key: bytes,
    photos: Iterable[Photo],
    counts: dict[str, int],
) -> list[tuple[Photo, Embedding]]:
    """The photos that show one good face, with what the models make of it."""
    opened: list[tuple[Photo, bytes]] = []
    for photo in photos:
        try:
            opened.append((photo, services.photos.opened(key, photo.blob_key)))
        except (BlobMissing, Unsealable):
            counts["unread"] += 1
    seen = readers.read([data for _, data in opened]) if opened else []
    good = [
        (photo, vector(it.embedding))
        for (photo, _), it in zip(opened, seen, strict=True)
        if isinstance(it, Seen) and usable(it.fields) and it.embedding
    ]
    counts["photos"] += len(good)
    counts["unread"] += len(opened) - len(good)
    return good
