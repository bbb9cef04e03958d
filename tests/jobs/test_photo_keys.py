"""After a leak of learners' keys nothing old opens with them, and nothing is lost on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.domain.faces.enrolment_photos import template_context
from app.domain.faces.photo_keys import GRACE_MS
from app.jobs import face_worker, photo_keys
from app.security import Unsealable, seal, unseal
from app.services import Services
from app.simulation.scenarios import perform
from app.store.accounts import audit
from app.store.faces import face_keys, retention
from app.vision.seen import embedding_context
from models import LearnerKey, ReferencePhoto, Session, Snapshot
from tests.people import County, TestClock
from tests.verdicts import bodies, class_row, take, validate

pytestmark = pytest.mark.both_databases


class Album:
    """Scenario H01 with its photos stored, its faces read, and its key as it leaked."""

    def __init__(self, services: Services, county: County, clock: TestClock) -> None:
        self.services, self.clock, self.database = services, clock, services.database
        self.klass = class_row(services.database, county, "class-demo")
        with self.database.write() as connection:
            self.learner = connection.execute(select(Session.learner_id)).scalars().first()
            clock.advance(minutes=1)
            self.leaked = bytes(
                face_keys.ensure_key(connection, services.vault, self.learner, clock())
            )
            for row in connection.execute(select(Snapshot)):
                sealed = seal(self.leaked, b"face", embedding_context(row.session_id))
                connection.execute(
                    update(Snapshot).where(Snapshot.id == row.id).values(embedding_encrypted=sealed)
                )
            template = seal(self.leaked, b"mean", template_context(self.learner))
            connection.execute(update(ReferencePhoto).values(template_encrypted=template))

    def sealed(self) -> dict[str, tuple[bytes, bytes]]:
        """Everything under the learner's key, with what it is sealed for."""
        blobs = self.services.blobs
        found = {it: (blobs.get(it), it.encode()) for it in blobs.e_tags("learners/")}
        with self.database.read() as connection:
            for row in face_keys.sealed_faces(connection, self.learner):
                context = (
                    template_context(self.learner)
                    if row.kind == "template"
                    else embedding_context(row.session_id)
                )
                found[f"{row.kind}:{row.id}"] = (row.value, context)
        return found

    def opened(self, key: bytes | None = None) -> dict[str, bytes]:
        """What opens by this key; by the learner's own as everybody reads it."""
        with self.database.read() as connection:
            own = face_keys.key(connection, self.services.vault, self.learner)
        found = {}
        for name, (value, context) in self.sealed().items():
            try:
                found[name] = unseal(key or own, value, context)
            except Unsealable:
                continue
        return found

    def on(self) -> photo_keys.PhotoKeysLeft:
        return photo_keys.go_on(self.services, "test")

    def lost(self) -> int:
        return self.services.kept_photos.recheck(self.klass.id, whole=True).counts["lost"]


@pytest.fixture
def album(
    services: Services,
    county: County,
    clock: TestClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Album:
    monkeypatch.setattr(face_worker, "run_pending", lambda *_, **__: 0)
    take(services, county, perform("H01"), tmp_path)
    clock.advance(days=1)
    return Album(services, county, clock)


def test_nothing_opens_with_the_former_key_and_all_with_the_new_one(
    album: Album, clock: TestClock
) -> None:
    validate(album.services, album.klass.id)
    before, verdicts = album.opened(), bodies(album.database)
    assert len(before) > 4 and album.opened(album.leaked) == before
    assert photo_keys.begin(album.services, "test") == 1
    clock.now_ms += GRACE_MS  # by now everybody has both, and the new one takes the first place
    assert album.on().learners == 1
    assert album.opened() == before == album.opened(album.leaked)
    clock.now_ms += GRACE_MS  # nobody stores by the former one any more
    assert album.on().learners == 0
    assert album.opened() == before and album.opened(album.leaked) == {}
    assert album.lost() == 0
    validate(album.services, album.klass.id)
    assert bodies(album.database) == verdicts
    with album.database.read() as connection:
        assert audit.last_of(connection, "keys.photos_encrypted") is not None


def test_a_new_key_is_not_used_before_everybody_has_it(album: Album, clock: TestClock) -> None:
    photo_keys.begin(album.services, "test")
    album.on()
    clock.now_ms += GRACE_MS - 1
    album.on()
    with album.database.read() as connection:
        key = face_keys.key(connection, album.services.vault, album.learner)
    assert bytes(key) == album.leaked and key.other is not None


@pytest.mark.parametrize("puts", [0, 1, 3])
def test_who_was_killed_over_it_is_gone_on_with(
    album: Album, clock: TestClock, monkeypatch: pytest.MonkeyPatch, puts: int
) -> None:
    before = album.opened()
    photo_keys.begin(album.services, "test")
    clock.now_ms += GRACE_MS
    album.on()
    clock.now_ms += GRACE_MS
    blobs = album.services.blobs
    done: list[str] = []

    def put(key: str, data: bytes) -> Any:
        if len(done) == puts:
            raise KeyboardInterrupt
        done.append(key)
        return type(blobs).put(blobs, key, data)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(blobs, "put", put)
        album.on()
    assert album.opened() == before and album.lost() == 0
    assert photo_keys.begin(album.services, "test") == 0, "the learner has a new key already"
    assert album.on().learners == 0
    assert album.opened() == before and album.opened(album.leaked) == {}


def test_who_is_erased_meanwhile_stays_erased(album: Album, clock: TestClock) -> None:
    photo_keys.begin(album.services, "test")
    clock.now_ms += GRACE_MS
    album.on()
    with album.database.write() as connection:
        retention.erase(connection, album.learner, clock())
    clock.now_ms += GRACE_MS
    assert album.on().learners == 0
    with album.database.read() as connection:
        row = connection.execute(select(LearnerKey)).one()
        assert (row.wrapped, row.other) == (None, None)
        with pytest.raises(face_keys.KeyDestroyed):
            face_keys.key(connection, album.services.vault, album.learner)


def test_who_is_gone_meanwhile_keeps_nobody_else_waiting(
    album: Album, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo_keys.begin(album.services, "test")
    clock.now_ms += GRACE_MS + 1
    photo_keys.go_on(album.services, "test")
    clock.now_ms += GRACE_MS + 1
    due = face_keys.due
    monkeypatch.setattr(face_keys, "due", lambda *given: [10**6, *due(*given)])
    photo_keys.go_on(album.services, "test")
    with album.database.read() as connection:
        assert face_keys.with_two(connection) == 0
