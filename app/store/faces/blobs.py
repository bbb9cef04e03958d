"""Encrypted photos as objects: in a folder by default, in an S3-compatible store by URL."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from app.errors import NotReady

if TYPE_CHECKING:
    from obstore.store import RetryConfig

MOST_TAG = 128
MOST_AT_ONCE = 16  # of a process's threads, most of which others need
PLACE_S = 2.0
SLOW_S = 1.0
SHUT_S = 5.0
MARKER = ".zhenxue-photos"
# A store that is away must not hold a request for the library's three minutes, nor one that keeps
# its sockets and says nothing for the thirty seconds of an attempt.
_RETRY: RetryConfig = {"max_retries": 3, "retry_timeout": timedelta(seconds=8)}
# As variables, beside which the operator's own count: options in their place would undo those.
_PATIENCE = {
    "CONNECT_TIMEOUT": "3 seconds",
    "READ_TIMEOUT": "10 seconds",
    "TIMEOUT": "60 seconds",  # of a large file that comes slowly
}


class BlobMissing(Exception):
    """There is no object under that key."""


class StoreAway(NotReady):
    """The store does not answer: nothing is known of any object."""


def _is_folder(url: str) -> bool:
    return url.startswith("file:")


def _away() -> StoreAway:
    return StoreAway("photo_store", "the photo store does not answer", retry_after_s=15)


class _Door:
    """How many ask the store at once. Once somebody waited in vain nobody asks for some seconds,
    and then one, whose answer is everybody's: else all threads there are would wait for it."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._lock = threading.Lock()
        self._shut_until: float | None = None

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Raises StoreAway where the store fails, at once where others waited in vain."""
        self._knock()
        if not self._places.acquire(timeout=PLACE_S):
            raise _away()
        began = time.monotonic()
        try:
            yield
        except (NotFoundError, FileNotFoundError):
            self._shut_until = None
            raise
        except (BaseError, OSError) as error:
            if (now := time.monotonic()) - began > SLOW_S:
                self._shut_until = now + SHUT_S
            raise _away() from error
        else:
            self._shut_until = None
        finally:
            self._places.release()

    def _knock(self) -> None:
        with self._lock:
            if self._shut_until is not None:
                if time.monotonic() < self._shut_until:
                    raise _away()
                self._shut_until = time.monotonic() + SHUT_S  # whoever comes meanwhile goes by it


class Blobs:
    """Objects by hierarchical keys like `learners/7/sessions/12/3f9a`. Opened at first use.

    Whatever asks the store raises StoreAway when it does not answer.

    url: `file:///folder` (made when missing, if `may_found` says that nothing lay there before: a
    folder without its marker file is away), `memory:///`, `s3://bucket/prefix` and whatever else
    obstore knows; credentials come from the environment.
    """

    def __init__(self, url: str, may_found: Callable[[], bool] = lambda: True) -> None:
        self._url = url
        self._may_found = may_found
        self._marker = Path(unquote(urlsplit(url).path)) / MARKER if _is_folder(url) else None
        self._lock = threading.Lock()
        self._opened: ObjectStore | None = None
        self._door = _Door()

    @property
    def _store(self) -> ObjectStore:
        with self._lock:
            if self._opened is None:
                if self._marker is not None:
                    self._found(self._marker)
                    self._opened = LocalStore.from_url(self._url)
                else:
                    for maker in ("AWS", "AZURE", "GOOGLE"):
                        for name, value in _PATIENCE.items():
                            os.environ.setdefault(f"{maker}_{name}", value)
                    self._opened = from_url(self._url, retry_config=_RETRY)
            if self._marker is not None and not self._marker.exists():
                raise OSError(errno.ENODEV, "the photo folder is gone: is it mounted?")
            return self._opened

    def _found(self, marker: Path) -> None:
        """Mark the folder as ours. An empty one in the place of a full one is a volume that is not
        mounted: photos that went there would be hidden by it, and those in it seem lost."""
        folder = marker.parent
        if marker.exists():
            return
        if not (folder.is_dir() and any(folder.iterdir())):
            if not self._may_found():
                raise OSError(
                    errno.ENODEV, f"an empty photo folder: not mounted? else make {marker}"
                )
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        marker.write_text("Photos of Zhenxue, encrypted. Without this file they are not used.\n")

    def put(self, key: str, data: bytes) -> str | None:
        """Store an object; how the store describes it, if it does (see `e_tags`)."""
        with self._door.asking():
            e_tag = obstore.put(self._store, key, data, max_concurrency=2)["e_tag"]
        return e_tag[:MOST_TAG] if e_tag else None

    def get(self, key: str) -> bytes:
        """The object's bytes. Raises BlobMissing."""
        try:
            with self._door.asking():
                return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError) as error:
            raise BlobMissing(key) from error

    def find(self, key: str) -> bytes | None:
        """The object's bytes, or None when there is none."""
        try:
            return self.get(key)
        except BlobMissing:
            return None

    def e_tags(self, prefix: str) -> dict[str, str]:
        """How the store describes every object under a folder: another description, other bytes (a
        folder of files tells them by inode, size and time of writing)."""
        with self._door.asking():
            return {
                str(it["path"]): (it["e_tag"] or "")[:MOST_TAG]
                for some in obstore.list(self._store, prefix=prefix)
                for it in some
            }

    def size(self, key: str) -> int | None:
        """Bytes of the object, or None when there is none."""
        try:
            with self._door.asking():
                return int(obstore.head(self._store, key)["size"])
        except (NotFoundError, FileNotFoundError):
            return None

    def delete(self, key: str) -> None:
        """Remove the object; a missing one is no error."""
        with suppress(NotFoundError, FileNotFoundError), self._door.asking():
            obstore.delete(self._store, key)

    def ping(self) -> None:
        """Raises when the store does not answer, or has no such bucket."""
        with self._door.asking():
            next(iter(obstore.list(self._store, prefix="ping", chunk_size=1)), None)
