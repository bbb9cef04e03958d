"""Learners' keys exchanged while the service runs, and all that lies under them encrypted anew."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from app.domain.faces import photo_keys
from app.services import Services
from app.store.accounts import audit
from app.store.faces import face_keys as store
from app.store.faces.face_keys import KeyDestroyed

GRACE_MS = photo_keys.GRACE_MS
_TURN_S, _PAUSE_S = 1.0, 0.1

log = structlog.get_logger("zhenxue.photo_keys")


@dataclass(frozen=True, slots=True)
class PhotoKeysLeft:
    """Learners with two keys, and of them those whose photos may be encrypted anew by now."""

    learners: int
    due: int


def begin(services: Services, actor: str) -> int:
    """A second key for every learner; how many got one. Called again after a kill it goes on where
    it stopped, as long as the exchange is under way."""
    now_ms = services.clock()
    with services.database.read() as connection:
        since_ms = store.under_way_since(connection) or now_ms
    begun, more = 0, 1
    while more:
        with services.database.write() as connection:
            more = photo_keys.begin(connection, services.vault, since_ms, now_ms)
        begun += more
    with services.database.write() as connection:
        _record(services, connection, actor, "keys.photos_begun", {"learners": begun})
    return begun


def go_on(
    services: Services,
    actor: str,
    *,
    grace_ms: int = GRACE_MS,
    stopping: threading.Event | None = None,
) -> PhotoKeysLeft:
    """Go on as far as the moment allows; what is left. Raises StoreAway."""
    with services.database.alone("photo-keys") as mine:
        if mine and left(services, grace_ms).learners:
            with services.database.write() as connection:
                store.turn(connection, services.clock() - grace_ms, services.clock())
            _encrypt(services, actor, grace_ms, stopping)
    return left(services, grace_ms)


def left(services: Services, grace_ms: int = GRACE_MS) -> PhotoKeysLeft:
    with services.database.read() as connection:
        return PhotoKeysLeft(
            store.with_two(connection), len(store.due(connection, services.clock() - grace_ms))
        )


def _encrypt(
    services: Services, actor: str, grace_ms: int, stopping: threading.Event | None
) -> None:
    with services.database.read() as connection:
        due = list(store.due(connection, services.clock() - grace_ms))
    learners = objects = 0
    while due and not (stopping is not None and stopping.is_set()):
        with (
            services.database.alone("purge") as nobody_removes,
            services.database.alone("backup") as nobody_copies,
        ):
            # What a purge deletes must not be put back; what a backup copies must open by the
            # keys that it copied before.
            if not nobody_removes or not nobody_copies:
                break
            until = time.monotonic() + _TURN_S
            while due and time.monotonic() < until:
                objects += _of_learner(services, due.pop(0))
                learners += 1
        time.sleep(_PAUSE_S if due else 0)  # let a purge come in between
    if learners:
        with services.database.write() as connection:
            detail = {"learners": learners, "objects": objects}
            _record(services, connection, actor, "keys.photos_encrypted", detail)
        log.info("photos were encrypted anew", learners=learners, objects=objects)


def _of_learner(services: Services, learner_id: int) -> int:
    try:
        with services.database.read() as connection:
            key = store.key(connection, services.vault, learner_id)
    except KeyDestroyed:
        return 0
    if key is None:  # the learner is gone since they were counted: the others wait
        return 0
    done = photo_keys.objects_anew(services.photos, key, learner_id)
    with services.database.write() as connection:
        whole = photo_keys.finish(connection, services.vault, learner_id)
    if not whole:  # erased in this very moment: what was put back opens by no key; away with it
        for name in services.blobs.e_tags(f"learners/{learner_id}/"):
            services.blobs.delete(name)
    return done


def _record(
    services: Services, connection: Connection, actor: str, action: str, detail: dict[str, int]
) -> None:
    audit.append(
        connection,
        at_ms=services.clock(),
        actor=actor,
        action=action,
        subject="keys:photos",
        detail=detail,
    )
