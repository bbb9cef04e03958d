"""Photos of a class, decrypted for an archive that somebody asked to hold them."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection

from app.domain.faces.photo_store import PhotoStore
from app.security import Unsealable
from app.store.exchange import report_rows
from app.store.faces import face_keys
from app.store.faces.blobs import BlobMissing

_EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png"}


def opened(photos: PhotoStore, connection: Connection, class_id: int) -> dict[str, bytes]:
    """Members `photos/<sha256>.<jpg|png>` of all photos still held; an erased one is left out.

    The caller enters into the audit log who takes them.
    """
    found: dict[str, bytes] = {}
    keys: dict[int, bytes | None] = {}
    for row in report_rows.photos(connection, class_id):
        if row.blob_key is None or row.purged_ms is not None or row.removal_ms is not None:
            continue
        if row.learner_id not in keys:
            keys[row.learner_id] = _key(photos, connection, row.learner_id)
        key = keys[row.learner_id]
        if key is None:
            continue
        try:
            data = photos.opened(key, row.blob_key)
        except (BlobMissing, Unsealable):
            continue
        if hashlib.sha256(data).digest() == row.sha256:
            found[f"photos/{row.sha256.hex()}.{_EXTENSIONS.get(row.media_type, 'bin')}"] = data
    return found


def _key(photos: PhotoStore, connection: Connection, learner_id: int) -> bytes | None:
    try:
        return face_keys.key(connection, photos.vault, learner_id)
    except face_keys.KeyDestroyed:
        return None
