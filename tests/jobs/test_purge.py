"""Terms are carried out, holds keep, and no verdict changes by it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from app.domain.accounts import platforms
from app.domain.faces import kept_photos, retention
from app.domain.faces.photo_store import PhotoStore
from app.domain.policy.pack import Pack
from app.errors import Conflict
from app.jobs import face_worker, purge
from app.services import Services
from app.simulation.scenarios import perform
from app.store.accounts import audit
from models import AuditEntry, Learner, LearnerKey, ReferencePhoto, Snapshot, TrainingClass
from tests.people import County, TestClock, instant
from tests.verdicts import bodies, class_row, take, validate

pytestmark = pytest.mark.both_databases
LATER = "2032-01-10 04:30"


class Class:
    """Scenario H01 with its photos, compared and judged."""

    def __init__(self, services: Services, county: County, clock: TestClock) -> None:
        self.services, self.clock, self.database = services, clock, services.database
        self.platform = county.huang.platform.id
        self.row = class_row(services.database, county, "class-demo")

    def photos(self) -> list[Any]:
        with self.database.read() as connection:
            return list(connection.execute(select(Snapshot).order_by(Snapshot.id)))

    def there(self) -> int:
        return sum(self.services.blobs.size(it.blob_key) is not None for it in self.photos())

    def references(self) -> int:
        """Enrolled photos whose bytes are kept."""
        with self.database.read() as connection:
            keys = connection.execute(select(ReferencePhoto.blob_key)).scalars()
            return sum(it is not None for it in keys)

    def templates(self) -> int:
        with self.database.read() as connection:
            kept = connection.execute(select(ReferencePhoto.template_encrypted)).scalars()
            return sum(
                it is not None for it in (*kept, *(p.embedding_encrypted for p in self.photos()))
            )

    def hold(self, **named: str | None) -> int:
        with self.database.write() as connection:
            return retention.place_hold(
                connection,
                self.platform,
                **({"class_id": None, "learner_id": None} | named),
                reason="复议期间保留",
                actor="test",
                now_ms=self.clock(),
            )

    def learner(self) -> str:
        with self.database.read() as connection:
            return str(connection.execute(select(Learner.external_id)).scalars().first())


@pytest.fixture
def klass(
    services: Services,
    county: County,
    clock: TestClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Class:
    monkeypatch.setattr(face_worker, "run_pending", lambda *_, **__: 0)
    take(services, county, perform("H01"), tmp_path)
    with services.database.write() as connection:
        seen = {"status": "done", "check": 1, "score": 0.25, "limit": 0.5, "checked_ms": clock()}
        connection.execute(update(Snapshot).values(embedding_encrypted=b"face", **seen))
        connection.execute(update(ReferencePhoto).values(status="ready", template_encrypted=b"t"))
    made = Class(services, county, clock)
    validate(services, made.row.id)
    return made


def test_nothing_is_due_while_a_class_is_young(klass: Class) -> None:
    assert purge.listed(klass.services) == []
    assert purge.perform(klass.services, "test")["photos"] == 0
    assert klass.there() == len(klass.photos()) > 0


def test_templates_go_after_the_assessment_and_photos_stay_for_their_term(
    klass: Class, clock: TestClock
) -> None:
    clock.now_ms = instant("2027-06-01 04:30")
    (due,) = purge.listed(klass.services)
    assert (due["photos"], due["templates"]) == (0, len(klass.photos()))
    assert klass.templates() > 0, "a listing removes nothing"
    purge.perform(klass.services, "test")
    assert klass.templates() == 0 and klass.there() == len(klass.photos())


def test_photos_past_their_term_go_and_every_verdict_stays(klass: Class, clock: TestClock) -> None:
    clock.now_ms = instant(LATER)
    validate(klass.services, klass.row.id)
    before = bodies(klass.database)
    done = purge.perform(klass.services, "test")
    assert done["photos"] == len(klass.photos()) and klass.there() == 0
    assert klass.services.kept_photos.recheck(klass.row.id, whole=True).counts["lost"] == 0
    validate(klass.services, klass.row.id)
    assert bodies(klass.database) == before
    assert all(it.purged_ms is None and it.removed_ms for it in klass.photos())
    with klass.database.read() as connection:
        told = connection.execute(
            select(AuditEntry.detail).where(AuditEntry.action == "retention.purged")
        ).scalars()
        assert done["photos"] in [it.get("photos") for it in told]
        assert audit.first_broken(connection) is None
    assert purge.perform(klass.services, "test")["removed"] == 0


def test_photos_stay_for_the_years_that_the_pack_asks_for(klass: Class, clock: TestClock) -> None:
    with klass.database.write() as connection:
        pack = {"pack_id": "jiangxi-2024-special", "pack_version": "1.0.0"}
        connection.execute(update(TrainingClass).values(**pack))
    clock.now_ms = instant(LATER)
    assert [it["photos"] for it in purge.listed(klass.services)] in ([], [0])
    assert purge.perform(klass.services, "test")["photos"] == 0 and klass.there() > 0
    assert klass.references() > 0, "nor do enrolled photos go before them"
    clock.now_ms += 6 * 366 * 86_400_000
    assert purge.perform(klass.services, "test")["photos"] == len(klass.photos())
    assert klass.references() == 0


def test_photos_go_after_the_longest_term_of_their_pack_whatever_the_setting_says(
    klass: Class, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pack, "photo_years_at_most", 1.0)
    clock.now_ms = instant("2027-03-01 04:30")
    assert purge.perform(klass.services, "test")["photos"] == 0 and klass.references() > 0
    clock.now_ms = instant("2028-03-01 04:30")
    assert purge.perform(klass.services, "test")["photos"] == len(klass.photos())
    assert klass.references() == 0


def test_of_a_pack_that_is_not_on_the_shelf_no_photo_goes(klass: Class, clock: TestClock) -> None:
    with klass.database.write() as connection:
        connection.execute(update(TrainingClass).values(pack_id="lost-2020"))
    clock.now_ms = instant(LATER)
    assert purge.perform(klass.services, "test")["photos"] == 0
    assert klass.there() and klass.references()


def test_a_night_that_had_listed_a_photo_before_takes_its_removal_for_no_loss(
    klass: Class, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now_ms = instant(LATER)
    real = kept_photos.snapshots.missing  # type: ignore[attr-defined]

    def purged_meanwhile(photos: PhotoStore, key: Any, own: Any) -> set[int]:
        purge.perform(klass.services, "test")
        return real(photos, key, own)

    monkeypatch.setattr(kept_photos.snapshots, "missing", purged_meanwhile)  # type: ignore[attr-defined]
    klass.services.kept_photos.recheck(klass.row.id, whole=True)
    assert all(it.purged_ms is None for it in klass.photos())


def test_a_purge_that_was_killed_is_finished_by_the_next(
    klass: Class, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now_ms = instant(LATER)
    deleted: list[str] = []
    real = klass.services.blobs.delete

    def killed(key: str) -> None:
        if len(deleted) == 1:
            raise KeyboardInterrupt
        deleted.append(key)
        real(key)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(klass.services.blobs, "delete", killed)
        purge.perform(klass.services, "test")
    assert klass.services.kept_photos.recheck(klass.row.id, whole=True).counts["lost"] == 0
    assert 0 < klass.there() < len(klass.photos())
    purge.perform(klass.services, "test")
    assert klass.there() == 0


@pytest.mark.parametrize("by", ["class_id", "learner_id"])
def test_a_hold_keeps_all_until_it_is_lifted(klass: Class, clock: TestClock, by: str) -> None:
    hold_id = klass.hold(**{by: "class-demo" if by == "class_id" else klass.learner()})
    clock.now_ms = instant(LATER)
    (due,) = purge.listed(klass.services)
    assert (due["photos"], due["held"]) == (0, len(klass.photos()))
    purge.perform(klass.services, "test")
    assert klass.there() == len(klass.photos()) and klass.templates() > len(klass.photos())
    with klass.database.write() as connection:
        retention.lift_hold(connection, hold_id, reason="复议结束", actor="test", now_ms=clock())
    purge.perform(klass.services, "test")
    assert klass.there() == klass.templates() == 0


def test_an_erased_learner_leaves_nothing_that_a_file_could_tell(
    klass: Class, clock: TestClock, tmp_path: Path
) -> None:
    def erase() -> None:
        with klass.database.write() as connection:
            retention.erase_learner(
                connection, klass.platform, klass.learner(),
                reason="本人撤回同意", actor="test", now_ms=clock(),
            )  # fmt: skip

    with klass.database.read() as connection:
        wrapped = connection.execute(select(LearnerKey.wrapped)).scalars().one()
    hold_id = klass.hold(learner_id=klass.learner())
    with pytest.raises(Conflict):
        erase()
    with klass.database.write() as connection:
        retention.lift_hold(connection, hold_id, reason="复议结束", actor="test", now_ms=clock())
    before = bodies(klass.database)
    erase()
    purge.sweep(klass.services)
    assert purge.forget(klass.services)
    assert klass.there() == klass.templates() == 0
    assert not [it for it in (tmp_path / "blobs").rglob("[!.]*") if it.is_file()]
    for file in tmp_path.glob("zhenxue.sqlite*"):
        assert wrapped not in file.read_bytes()
    validate(klass.services, klass.row.id)
    assert bodies(klass.database) == before


def test_names_of_classes_are_those_of_their_platform(klass: Class) -> None:
    with klass.database.read() as connection:
        other = platforms.platform_of(connection, "guang-edu").id
        assert connection.execute(select(TrainingClass.id)).scalars().all()
    with pytest.raises(Exception, match="no class"), klass.database.write() as connection:
        retention.place_hold(
            connection, other, class_id="class-demo", learner_id=None,
            reason="复议期间保留", actor="test", now_ms=0,
        )  # fmt: skip
