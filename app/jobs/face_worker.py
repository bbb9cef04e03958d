"""The face worker: photos that wait in the database are claimed, read, compared.

A claim expires: what a worker that was killed had in hand is taken by another. A result is written
only under a claim that still stands, and decided in the order of receipt, so that no photo is
judged twice to different results. Any number of workers may run, in the service or beside it.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

import structlog
from prometheus_client import Gauge
from sqlalchemy import Connection

from app import tracing
from app.domain.faces import enrolment_photos, face_checks, photo_codes
from app.domain.faces.enrolling import EnrolmentDesk
from app.jobs.pixels import Pixels
from app.security import seal
from app.services import Services
from app.store.faces import calibrations, face_keys, reference_photos
from app.store.faces import photo_codes as code_store
from app.store.faces import snapshots as rows
from app.store.faces.blobs import StoreAway
from app.store.faces.snapshots import ClaimedPhoto
from app.store.sittings import sittings
from app.vision.model_card import DLIB_RESNET, ModelCard, read_card
from app.vision.readers import FaceReaders
from app.vision.seen import Seen, Unread, embedding_context, signed
from detectors.trace import Check

CLAIM_MS = 120_000
MOST_ATTEMPTS = 3
IDLE_S = 0.1  # between looks at a queue with nothing to take
VAIN_S = 1.0  # after a round that found something and could do nothing

log = structlog.get_logger("zhenxue.face_worker")


class FaceWorker:
    """One worker over the queue. `start` and `stop` frame a thread; `step` is one round."""

    def __init__(self, services: Services, readers: FaceReaders | None = None) -> None:
        self.name = secrets.token_hex(8)
        self._services = services
        self._readers = readers or services.readers
        self._pixels = Pixels(services, self._readers)
        self._batch = 4 * max(1, self._readers.processes)
        self._cards: dict[str, ModelCard] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name="face-worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def step(self, limit: int | None = None, session_ids: Collection[int] | None = None) -> int:
        """One round: enrol what waits, read the next photos, decide; how many were handled.

        Raises ReadersNotStarted and StoreAway, and no photo is to blame for that: it waits.
        """
        services = self._services
        if not self._awaited():
            return 0
        self._readers.start()
        handled = self._enrol()
        now_ms = services.clock()
        with services.database.write() as connection:
            touched = set(rows.give_up(connection, now_ms, MOST_ATTEMPTS))
            taken = rows.claim(
                connection,
                self.name,
                now_ms,
                now_ms + CLAIM_MS,
                self._batch if limit is None else min(limit, self._batch),
                MOST_ATTEMPTS,
                session_ids,
            )
        if taken:
            self._read(taken)
            touched |= {photo.session_id for photo in taken}
        with services.database.read() as connection:
            touched |= set(rows.to_decide(connection, session_ids))
        self._decide(sorted(touched))
        if not (handled or touched) and session_ids is None:
            return self._look_up_later(self._batch if limit is None else min(limit, self._batch))
        return handled + len(taken)

    def _look_up_later(self, limit: int) -> int:
        """Read photos from before there were codes, so that they are found; how many."""
        with self._services.database.read() as connection:
            due = code_store.due(connection, limit)
            keys = self._pixels.keys(connection, {photo.learner_id for photo in due})
        if not due:
            return 0
        pictures = [self._pixels.opened(photo, keys.get(photo.learner_id)) for photo in due]
        seen = self._look(pictures, enrolment=False)
        found = {
            photo.id: (photo, result.codes if isinstance(result, Seen) else None)
            for photo, result in zip(due, seen, strict=True)
        }
        with self._services.database.write() as connection:
            photo_codes.settle(connection, found)
        return len(due)

    def _enrol(self) -> int:
        """Read imported reference photos, so that the photos of sittings find them."""
        services = self._services
        with services.database.read() as connection:
            waiting = reference_photos.pending(connection, self._batch)
            keys = self._pixels.keys(connection, {photo.learner_id for photo in waiting})
        pictures = [self._pixels.opened(photo, keys.get(photo.learner_id)) for photo in waiting]
        seen = self._look(pictures, enrolment=True)
        desk = EnrolmentDesk(services.database, services.photos, self._readers, services.clock)
        for photo, picture, result in zip(waiting, pictures, seen, strict=True):
            key = keys.get(photo.learner_id)
            copied = (
                isinstance(picture, bytes)
                and isinstance(result, Seen)
                and desk.copied(photo.learner_id, picture, result)
            )
            if key is None or (isinstance(result, Unread) and not result.final):
                result = Unread("image_unreadable", final=True)
            with services.database.write() as connection:
                if key is not None and not self._still_there(connection, photo.learner_id):
                    result = Unread("image_unreadable", final=True)
                enrolment_photos.settle(
                    connection, key or b"", photo, result, services.clock(), copied=copied
                )
        return len(waiting)

    def _still_there(self, connection: Connection, learner_id: int) -> bool:
        """Whether nobody erased the learner meanwhile; nobody does until the transaction ends."""
        try:
            face_keys.locked(connection, self._services.vault, learner_id)
        except face_keys.KeyDestroyed:
            return False
        return True

    def _read(self, taken: Sequence[ClaimedPhoto]) -> None:
        with tracing.span("faces.read", {"photos": len(taken)}):
            self._read_and_store(taken)

    def _read_and_store(self, taken: Sequence[ClaimedPhoto]) -> None:
        services = self._services
        with services.database.read() as connection:
            keys = self._pixels.keys(connection, {photo.learner_id for photo in taken})
        try:
            pictures = [self._pixels.opened(photo, keys.get(photo.learner_id)) for photo in taken]
        except StoreAway:
            with services.database.write() as connection:
                rows.release(connection, [photo.id for photo in taken], self.name)
            raise
        read = zip(taken, self._look(pictures, enrolment=False), strict=True)
        now_ms = services.clock()
        with services.database.write() as connection:
            # By sitting: the one order in which everybody locks several of them.
            for photo, result in sorted(read, key=lambda it: it[0].session_id):
                columns = _columns(photo, result, keys.get(photo.learner_id), now_ms)
                stands = rows.put_reading(connection, photo, self.name, **columns)
                if stands and isinstance(result, Seen):
                    photo_codes.enter_snapshot(connection, photo.id, result.codes)

    def _look(self, pictures: Sequence[bytes | Unread], *, enrolment: bool) -> list[Seen | Unread]:
        """Read the pictures that there are; the others stay what they are."""
        there = [data for data in pictures if isinstance(data, bytes)]
        seen = iter(self._readers.read(there, enrolment=enrolment) if there else [])
        results = [next(seen) if isinstance(data, bytes) else data for data in pictures]
        for result in results:
            if isinstance(result, Seen):
                self._cards[result.card.model] = result.card
        return results

    def _decide(self, session_ids: Sequence[int]) -> None:
        services = self._services
        for session_id in session_ids:
            try:
                beside = self._pixels.beside(session_id)
                with services.database.write() as connection:
                    now_ms = services.clock() + sittings.ahead_ms(connection, session_id)
                    over = face_checks.decide_session(
                        connection, services.vault, session_id, self._card, now_ms, beside
                    )
            except Exception:  # one sitting's trouble is not the others'
                log.exception("photos could not be decided", session=session_id)
                continue
            services.controls.wake(session_id)
            if over:
                services.closed([session_id])

    def _card(self, model: str) -> ModelCard:
        known = self._cards.get(model)
        if known is None:
            configured = self._readers.files.card()
            known = configured if configured.model == model else _default_card()
        return known

    def _awaited(self) -> bool:
        """Whether a round would find anything; asked often, so it locks nothing."""
        with self._services.database.read() as connection:
            return (
                rows.any_to_do(connection, self._services.clock())
                or bool(reference_photos.pending(connection, 1))
                or code_store.any_due(connection)
            )

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause_s = IDLE_S
            try:
                if self._awaited():
                    pause_s = 0.0 if self.step() else VAIN_S
            except Exception:  # the next round tries again; claims expire
                log.exception("face worker failed")
                pause_s = VAIN_S
            self._stopping.wait(pause_s)


def run_pending(
    services: Services,
    *,
    limit: int | None = None,
    session_ids: Collection[int] | None = None,
    readers: FaceReaders | None = None,
) -> int:
    """Work the queue off in this thread; how many photos were handled.

    Photos that another worker holds are left to it. `session_ids` narrows it to those sittings.
    """
    worker = FaceWorker(services, readers)
    done = 0
    while limit is None or done < limit:
        handled = worker.step(None if limit is None else limit - done, session_ids)
        if not handled:
            break
        done += handled
    return done


def install(services: Services) -> None:
    """Run a worker with the service, unless `face_workers` is 0, and show the queue in /metrics."""
    observe(services)
    if services.settings.face_workers:
        worker = FaceWorker(services)
        services.on_start.append(worker.start)
        services.on_stop.append(worker.stop)


def observe(services: Services) -> None:
    """Gauges of the queue, asked for at each scrape."""
    waiting = Gauge(
        "zhenxue_face_checks_waiting", "Photos not yet decided", registry=services.registry
    )
    oldest = Gauge(
        "zhenxue_face_checks_oldest_seconds",
        "Age of the oldest photo not yet decided",
        registry=services.registry,
    )

    rejected = Gauge(
        "zhenxue_face_model_files_rejected",
        "Model files of the operator's own that cannot be used; the log says why",
        registry=services.registry,
    )
    rejected.set_function(lambda: float(len(services.readers.notices)))
    misfit = Gauge(
        "zhenxue_face_model_misfit",
        "1 when the last calibration found that the face model does not fit the cohort",
        registry=services.registry,
    )
    lost = Gauge(
        "zhenxue_face_readers_lost",
        "Readers that a picture took down, or that took too long over one, since the start",
        registry=services.registry,
    )
    lost.set_function(lambda: float(services.readers.lost))

    def depth() -> tuple[int, int | None]:
        with services.database.read() as connection:
            return rows.waiting(connection)

    def age_s() -> float:
        received_ms = depth()[1]
        return 0.0 if received_ms is None else max(0, services.clock() - received_ms) / 1000

    def alarmed() -> bool:
        model = services.settings.model_files.card().model
        with services.database.read() as connection:
            measured = calibrations.latest(connection, model)
        return measured is not None and bool(measured.body["alarm"])

    misfit.set_function(lambda: float(alarmed()))
    waiting.set_function(lambda: float(depth()[0]))
    oldest.set_function(age_s)


def _columns(
    photo: ClaimedPhoto, result: Seen | Unread, key: bytes | None, now_ms: int
) -> dict[str, Any]:
    """What is written of one reading. Without a final result the photo goes back to the queue."""
    if isinstance(result, Unread):
        if not result.final:
            return {"status": "pending"}
        return {
            "status": "failed",
            "check": int(Check.LOST if result.lost else Check.UNREADABLE),
            "reading": {"refused": result.reason},
            "checked_ms": now_ms,
        }
    embedding = None
    if result.embedding is not None and key is not None:
        context = embedding_context(photo.session_id)
        embedding = seal(key, result.embedding, context)
    return {
        "status": "read",
        "reading": result.fields,
        "phash": signed(result.fields["perceptual_hash"]),
        "embedding_encrypted": embedding,
    }


@cache
def _default_card() -> ModelCard:
    return read_card(DLIB_RESNET)
