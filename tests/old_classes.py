"""A class of years ago, and all that is read of the controls and photos of its sittings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import func, select, update

from app.db import Database
from app.jobs import archive, purge
from app.services import Services
from app.simulation.scenarios import perform
from app.store.events import event_log
from app.store.exchange import report_rows
from app.store.faces import snapshots
from app.store.judging import conformity
from app.store.review import class_sittings
from models import Finding, Session, Snapshot, TrainingClass
from tests.people import County, TestClock
from tests.verdicts import class_row, take, validate


def judged(services: Services, county: County, folder: Path) -> int:
    """Its photos were read, and nobody waits for a decision."""
    take(services, county, perform("H01"), folder)
    class_id = class_row(services.database, county, "class-demo").id
    with services.database.write() as connection:
        ids = connection.execute(select(Session.id)).scalars().all()
        event_log.unsettle(connection, ids)
        liveness = {"liveness": {"outcome": "live", "degrees": 11.25}}
        connection.execute(
            update(Snapshot).values(status="done", check=1, score=0.25, reading=liveness)
        )
    validate(services, class_id)
    decided(services)
    return class_id


def decided(services: Services) -> None:
    with services.database.write() as connection:
        connection.execute(update(Finding).values(status="overturned"))


def grown_old(services: Services, clock: TestClock) -> None:
    with services.database.write() as connection:
        connection.execute(update(TrainingClass).values(ends_on="2026-03-31", assessment_on=None))
    clock.advance(days=1500)


def purged(services: Services) -> None:
    purge.perform(services, "test")
    decided(services)


def moved(services: Services) -> archive.Archived:
    return archive.perform(services, "test", months=12)


def count(database: Database, model: type) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(model)).scalar_one()


def rows(found: Any) -> list[Any]:
    return [it if isinstance(it, msgspec.Struct) else tuple(it) for it in found]


def seen(services: Services, class_id: int) -> dict[str, Any]:
    """What the lists, the pages and the record of the platform's controls are made of."""
    kinds = ("popup", "snapshot", "face_check")
    told: dict[str, Any]
    with services.database.read() as connection:
        sittings = connection.execute(select(Session.id).order_by(Session.id)).scalars().all()
        told = {f"controls {it}": report_rows.controls(connection, class_id, it) for it in kinds}
        told |= {
            "photos": report_rows.photos(connection, class_id),
            "ledger": sorted(rows(conformity.ledger(connection, class_id))),
            "compared": sorted(rows(conformity.photos(connection, class_id))),
            "sittings": class_sittings.of_class(connection, class_id, 100),
            "in order": [it for each in sittings for it in snapshots.rows(connection, each)],
        }
    return {name: rows(found) for name, found in told.items()}
