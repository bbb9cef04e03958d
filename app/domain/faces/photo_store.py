"""Where photos lie: sealed with their learner's own key, in the blob store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from app.errors import NotReady, ZhenxueError
from app.security import seal, unseal
from app.store.faces.blobs import Blobs, StoreAway
from app.vault import Vault
from app.vision.image_header import ImageLimits


@dataclass(frozen=True, slots=True)
class PhotoStore:
    """One a process. `max_bytes` is the largest image file that is taken in."""

    vault: Vault  # wraps the learners' keys
    blobs: Blobs
    max_bytes: int

    @property
    def limits(self) -> ImageLimits:
        return ImageLimits(max_bytes=self.max_bytes)

    def put(self, key: bytes, blob_key: str, data: bytes) -> str | None:
        """Seal an image under a learner's key and keep it: its e-tag, where the store gives one.

        Raises StoreAway.
        """
        return self.blobs.put(blob_key, seal(key, data, blob_key.encode()))

    @contextmanager
    def unless_refused(self, blob_key: str | None) -> Iterator[None]:
        """Enter an image that lies in the store already; one that is refused goes again. After an
        outage nobody knows whether a row names it, so it stays."""
        try:
            yield
        except NotReady:
            raise
        except ZhenxueError:
            if blob_key is not None:
                with suppress(StoreAway):
                    self.blobs.delete(blob_key)
            raise

    def opened(self, key: bytes, blob_key: str) -> bytes:
        """The image as it came. Raises BlobMissing, StoreAway, Unsealable."""
        return unseal(key, self.blobs.get(blob_key), blob_key.encode())
