"""New keys for learners, and their photos and templates encrypted anew.

A learner has one key. In an exchange a second one stands beside it first, unused, until every
process that reads has it (`GRACE_MS`); then the two change places, and what is stored from then on
lies under the new one; after as long again, when nobody stores by the former one any more, object
by object and row by row is encrypted anew, and the former key goes. All along both open, and each
learner is finished alone, so a run that died is gone on with.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from app.domain.faces.enrolment_photos import template_context
from app.domain.faces.photo_store import PhotoStore
from app.security import LearnersKey, Unsealable, seal, unseal
from app.store.faces import face_keys as store
from app.store.faces.blobs import BlobMissing
from app.vault import Vault
from app.vision.seen import embedding_context

GRACE_MS = 15 * 60_000  # how long a process may go by what it read before
AT_ONCE = 500


def begin(connection: Connection, vault: Vault, since_ms: int, now_ms: int) -> int:
    """A second key for some more of the learners whose key is older than `since_ms`; how many."""
    learners = store.older_than(connection, since_ms, AT_ONCE)
    store.put_beside(
        connection,
        [(learner_id, vault.new_learner_key()[1]) for learner_id in learners],
        now_ms,
    )
    return len(learners)


def anew(key: LearnersKey, sealed: bytes, context: bytes) -> bytes | None:
    """The bytes as sealed under the key; None where they are already, or open by neither."""
    try:
        unseal(bytes(key), sealed, context)
    except Unsealable:
        try:
            return seal(key, unseal(key, sealed, context), context)
        except Unsealable:  # altered: another's to tell, and to find unchanged
            return None
    return None


def objects_anew(photos: PhotoStore, key: LearnersKey, learner_id: int) -> int:
    """Encrypt the learner's stored images anew; how many. Raises StoreAway."""
    done = 0
    for name in photos.blobs.e_tags(f"learners/{learner_id}/"):
        try:
            fresh = anew(key, photos.blobs.get(name), name.encode())
        except BlobMissing:  # removed meanwhile
            continue
        if fresh is not None:
            photos.blobs.put(name, fresh)
            done += 1
    return done


def finish(connection: Connection, vault: Vault, learner_id: int) -> bool:
    """Encrypt the learner's templates anew and let the former key go, in one transaction; False
    where the key was destroyed meanwhile."""
    try:
        key = store.locked(connection, vault, learner_id)
    except store.KeyDestroyed:
        return False
    contexts: dict[str, Callable[[int], bytes]] = {
        "template": lambda _session_id: template_context(learner_id),
        "embedding": embedding_context,
    }
    for row in store.sealed_faces(connection, learner_id):
        fresh = anew(key, row.value, contexts[row.kind](row.session_id))
        if fresh is not None:
            store.replace_face(connection, row, fresh)
    store.drop_other(connection, learner_id)
    return True
