"""Pictures to numbers in processes of their own, so that a hostile one costs a worker at most."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any, TypeVar

import structlog

from app.errors import NotReady
from app.processes import end_with_parent
from app.vision.errors import VisionError
from app.vision.feed_signs import FeedSigns
from app.vision.model_files import NO_FILES, BackendFiles
from app.vision.seen import FacePicture, SamePhotograph, Seen, Unread

START_S = 60.0  # a reader starts and loads its models in 3 to 10 s, also on a busy machine
READ_S = 60.0  # a picture that takes longer is hostile

_LIKELY = (
    "Each reader imports the program that started the service, so that program must start it under "
    '`if __name__ == "__main__":`; a reader also needs 300 MB of memory.'
)

_Result = TypeVar("_Result")

log = structlog.get_logger("zhenxue.face_readers")


class ReadersNotStarted(NotReady):
    """The readers could not be started; no picture is to blame."""


class FaceReaders:
    """`processes` workers, started at first use; 0 reads in the calling process.

    Whatever uses them raises ReadersNotStarted when they did not come up within `START_S`.

    `notices` tell which of the operator's model files cannot be used, and why; `lost` counts the
    workers that pictures took down.
    """

    def __init__(self, processes: int, files: BackendFiles = NO_FILES) -> None:
        self.processes = processes
        self.files = files
        self.notices = files.complaints()
        for notice in self.notices:
            log.warning("a model file is not used", notice=notice)
        self.lost = 0
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Have them running, their models loaded, before work is taken on."""
        if self.processes:
            self._started()
            return
        try:
            self._notice(load_models(self.files))
        except VisionError as error:
            raise _not_started(error) from error

    def read(self, pictures: Sequence[bytes], *, enrolment: bool = False) -> list[Seen | Unread]:
        """What each picture shows, in order. A picture that ends its worker is tried once more,
        alone, so that those read beside it do not suffer."""
        if self.processes == 0:
            with self._lock:  # the detectors are not made for several threads
                return self._noted([read_picture(data, enrolment, self.files) for data in pictures])
        together = self._read(pictures, enrolment)
        return [
            self._read([data], enrolment)[0] or Unread("worker_lost", final=False)
            if seen is None
            else seen
            for data, seen in zip(pictures, together, strict=True)
        ]

    def signs(
        self, pictures: Sequence[bytes], fields: Sequence[dict[str, Any]], at_ms: Sequence[int]
    ) -> FeedSigns | None:
        """Signs that a burst, in the order taken, is no live camera; `fields` are what `read` saw
        in each picture. None when a reader was lost over it."""
        return self._alone(feed_of, pictures, fields, at_ms, self.files)

    def as_jpeg(self, data: bytes) -> bytes | Unread:
        """A photo of any phone as a JPEG of a sane size, or why it is none."""
        return self._alone(jpeg_of, data) or Unread("image_unreadable", final=True)

    def copy(self, picture: FacePicture, others: Sequence[FacePicture]) -> SamePhotograph | None:
        """The first of the others that is the same photograph, also mirrored; None: none is."""
        return self._alone(copy_of, picture, others, self.files)

    def _alone(self, work: Callable[..., _Result], *arguments: Any) -> _Result | None:
        """One piece of work in a reader; None when it took the reader down, or too long."""
        if self.processes == 0:
            with self._lock:
                return work(*arguments)
        pool = self._started()
        try:
            return pool.submit(work, *arguments).result(READ_S)
        except (BrokenProcessPool, TimeoutError, RuntimeError) as error:
            self._lose(pool, error)
            return None

    def stop(self) -> None:
        self._discard(self._pool)

    def _read(self, pictures: Sequence[bytes], enrolment: bool) -> list[Seen | Unread | None]:
        pool = self._started()
        futures: list[Future[Seen | Unread]] = []
        try:
            futures = [pool.submit(read_picture, data, enrolment, self.files) for data in pictures]
            return [*self._noted([future.result(READ_S) for future in futures])]
        except (BrokenProcessPool, TimeoutError, RuntimeError) as error:
            self._lose(pool, error)
            finished = [_result(future) for future in futures]
            return finished + [None] * (len(pictures) - len(finished))

    def _noted(self, seen: list[Seen | Unread]) -> list[Seen | Unread]:
        """The same, once what the reader found out about its models is known here too."""
        for result in seen:
            if isinstance(result, Seen):
                self._notice(result.notices)
        return seen

    def _notice(self, notices: tuple[str, ...]) -> None:
        if set(notices) - set(self.notices):
            self.notices = notices

    def _started(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = self._new_pool()
            return self._pool

    def _new_pool(self) -> ProcessPoolExecutor:
        """Readers that have loaded their models."""
        pool = ProcessPoolExecutor(
            self.processes,
            mp_context=get_context("spawn"),
            initializer=end_with_parent,
        )
        until = time.monotonic() + START_S
        try:
            ready = [pool.submit(load_models, self.files) for _ in range(self.processes)]
            for future in ready:
                self._notice(future.result(max(0.0, until - time.monotonic())))
        except (BrokenProcessPool, TimeoutError, RuntimeError) as error:
            self.lost += 1
            _end(pool)
            raise _not_started(error) from error
        return pool

    def _lose(self, pool: ProcessPoolExecutor, error: Exception) -> None:
        self.lost += 1
        log.warning("a face reader was lost", error=type(error).__name__)
        self._discard(pool)

    def _discard(self, pool: ProcessPoolExecutor | None) -> None:
        with self._lock:
            if pool is not None and self._pool is pool:
                self._pool = None
        if pool is not None:
            _end(pool)


def _not_started(error: Exception) -> ReadersNotStarted:
    """What hung or failed, and the likely cause."""
    if isinstance(error, VisionError):
        message = f"a face reader could not load its models: {error}"
    elif isinstance(error, TimeoutError):
        message = f"a face reader did not start within {START_S:.0f} s. {_LIKELY}"
    else:
        message = f"a face reader ended while it started ({type(error).__name__}). {_LIKELY}"
    log.error("photos wait: face readers do not start", reason=message)
    return ReadersNotStarted("face_readers", message, retry_after_s=round(START_S))


def _end(pool: ProcessPoolExecutor) -> None:
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:  # one that hangs would outlive the service
        process.kill()


def load_models(files: BackendFiles) -> tuple[str, ...]:
    """Runs in a worker: its models, so that no picture waits for them; what is wrong with them."""
    from app.vision import backends

    return backends.load(files).notices


def read_picture(data: bytes, enrolment: bool, files: BackendFiles) -> Seen | Unread:
    """Runs in a worker: what the picture shows, or why it cannot be read."""
    from app.vision import backends, quality, reading
    from app.vision.image_header import ImageRejected

    models = backends.load(files)
    limits = quality.ENROLMENT if enrolment else quality.SNAPSHOT
    try:
        seen = reading.read(data, models, limits)
    except ImageRejected as rejected:
        return Unread(rejected.code, final=True)
    embedding = None if seen.embedding is None else seen.embedding.astype("<f4").tobytes()
    return Seen(seen.as_json(), embedding, models.embedder.card, models.notices, seen.codes)


def jpeg_of(data: bytes) -> bytes | Unread:
    """Runs in a worker: the photo as a JPEG, or why it cannot be made one."""
    from app.vision.arrival import as_jpeg
    from app.vision.image_header import ImageRejected

    try:
        return as_jpeg(data)
    except ImageRejected as rejected:
        return Unread(rejected.code, final=True)


def feed_of(
    pictures: Sequence[bytes],
    fields: Sequence[dict[str, Any]],
    at_ms: Sequence[int],
    files: BackendFiles = NO_FILES,
) -> FeedSigns:
    """Runs in a worker: what a burst shows besides faces."""
    from app.vision import backends
    from app.vision.face_reading import FaceReading
    from app.vision.feed import feed_signs
    from app.vision.image import decode

    readings = [FaceReading.from_stored(it) for it in fields]
    pixels = [decode(data) for data in pictures]
    return feed_signs(pixels, readings, at_ms, backends.load(files))


def copy_of(
    picture: FacePicture, others: Sequence[FacePicture], files: BackendFiles = NO_FILES
) -> SamePhotograph | None:
    """Runs in a worker: which of the others, aligned with the picture, shows the same face in the
    same moment."""
    from app.vision.reuse import residual

    face = _face_of(picture, files)
    if face is None:
        return None
    for place, other in enumerate(others):
        there = _face_of(other, files)
        if there is None:
            continue
        left = residual(face, there)
        if left.same_photograph:
            return SamePhotograph(place, left.value, left.mirrored)
    return None


def _face_of(picture: FacePicture, files: BackendFiles) -> Any:
    """The aligned face of a picture, or None; where nobody knows its box, it is looked for."""
    from app.vision import backends
    from app.vision.face_reading import Box
    from app.vision.image import decode
    from app.vision.reuse import face_crop

    models, pixels = backends.load(files), decode(picture.data)
    box = None if picture.box is None else Box(**picture.box)
    if box is None:
        box = next(iter(models.detector.detect(pixels)), None)
    return None if box is None else face_crop(pixels, models.landmarker.locate(pixels, box))


def _result(future: Future[Seen | Unread]) -> Seen | Unread | None:
    if future.done() and not future.cancelled() and future.exception() is None:
        return future.result()
    return None
