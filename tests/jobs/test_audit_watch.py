"""What was entered into the audit log cannot be changed or cut off without being found."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import delete, select, update

from app.jobs import audit_watch
from app.jobs.audit_watch import AuditBroken
from app.services import Services
from app.store.accounts import audit
from models import AuditEntry
from tests.people import TestClock

pytestmark = pytest.mark.usefixtures("database")


def enter(services: Services, count: int) -> None:
    with services.database.write() as connection:
        for n in range(count):
            audit.append(
                connection, at_ms=services.clock() + n, actor="user:zhao", action="t", subject="s"
            )


def cut(services: Services, last: int) -> None:
    newest = select(AuditEntry.id).order_by(AuditEntry.id.desc()).limit(last)
    with services.database.write() as connection:
        ids = connection.execute(newest).scalars().all()
        connection.execute(delete(AuditEntry).where(AuditEntry.id.in_(ids)))


@pytest.mark.both_databases
def test_a_log_whose_last_entries_were_cut_off_is_found(services: Services) -> None:
    enter(services, 30)
    assert audit_watch.verify(services) == []
    audit_watch.write_head(services)
    assert audit_watch.verify(services) == []
    cut(services, 20)
    (problem,) = audit_watch.verify(services)
    assert "is gone from the audit log" in problem
    with pytest.raises(AuditBroken):
        audit_watch.write_head(services)
    enter(services, 20)
    assert audit_watch.verify(services), "others in their place do not hide it"


def test_a_log_that_was_chained_anew_is_found(services: Services) -> None:
    """Whoever can write the database makes every link anew, but has no key for the seals."""
    enter(services, 5)
    with services.database.write() as connection:
        previous = audit.GENESIS
        for row in connection.execute(select(AuditEntry).order_by(AuditEntry.id)).mappings().all():
            told = {
                name: row[name] for name in ("at_ms", "actor", "action", "subject", "detail")
            } | {"actor": "user:nobody"}
            previous = audit.link(previous, told)
            mine = update(AuditEntry).where(AuditEntry.id == row["id"])
            connection.execute(mine.values(actor="user:nobody", chain=previous))
    (problem,) = audit_watch.verify(services)
    assert "no valid seal" in problem


def test_a_head_that_was_kept_elsewhere_tells_where_the_folder_s_own_are_gone(
    services: Services, tmp_path: Path, clock: TestClock
) -> None:
    enter(services, 3)
    head = audit_watch.write_head(services)
    assert head is not None
    kept = shutil.copy(head, tmp_path / "kept.json")
    cut(services, 1)
    head.unlink()
    assert audit_watch.verify(services) == []
    assert audit_watch.verify(services, [Path(kept)])


def test_a_head_that_was_changed_or_is_another_s_is_not_believed(
    services: Services, tmp_path: Path
) -> None:
    enter(services, 3)
    head = audit_watch.write_head(services)
    assert head is not None
    told = msgspec.json.decode(head.read_bytes())
    head.write_bytes(msgspec.json.encode({**told, "entry": 1}))
    (problem,) = audit_watch.verify(services)
    assert "was changed" in problem


def test_one_head_a_day_is_kept(services: Services, clock: TestClock) -> None:
    for _ in range(3):
        enter(services, 1)
        audit_watch.write_head(services)
        audit_watch.write_head(services)
        clock.advance(days=1)
    folder = audit_watch.folder_of(services)
    assert len(audit_watch.heads_in(folder)) == 3
    assert folder.stat().st_mode & 0o077 == 0


def test_entries_of_an_earlier_version_have_no_seal_and_stand(services: Services) -> None:
    enter(services, 2)
    with services.database.write() as connection:
        connection.execute(update(AuditEntry).values(seal=None))
    enter(services, 1)
    assert audit_watch.verify(services) == []
    cut(services, 3)
