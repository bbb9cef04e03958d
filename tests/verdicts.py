"""A class of forty class-hours, and shortcuts to the verdicts that tests are about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient
from sqlalchemy import Connection, select

from app.console.login import COOKIE
from app.db import Database
from app.domain import runs
from app.domain.accounts import users
from app.domain.review import learner_link
from app.jobs import class_run
from app.services import Services
from app.simulation import bundle
from app.simulation.scenarios import Scene
from app.store.catalogue import catalogue
from app.store.judging import verdicts
from app.store.judging.verdicts import Judged
from models import Enrolment, Learner, Verdict
from tests.people import LIN, WU, County, TestClock, course, lesson, training_class

HOURS = 40
PASSWORD = "a-quiet-river-in-henan"
Row = Mapping[str, Any]


def forty(client: TestClient, county: County, **terms: Any) -> None:
    """Lin and Wu in class c1: forty lessons of one class-hour each, an occupation taught online."""
    lessons = [lesson(f"l{n}", 45, order=n) for n in range(1, HOURS + 1)]
    klass = training_class(occupation="社会工作者", **terms)
    for path, body in (
        ("/v1/courses/sewing", course(lessons=lessons)),
        ("/v1/classes/c1", klass),
        ("/v1/classes/c1/roster", {"learners": [LIN, WU]}),
    ):
        answer = client.put(path, json=body, headers=county.huang.headers)
        assert answer.status_code < 300, answer.text


def class_row(database: Database, county: County, class_id: str = "c1") -> catalogue.ClassRow:
    with database.read() as connection:
        row = catalogue.class_of_platform(connection, county.huang.platform.id, class_id)
    assert row is not None
    return row


def studied(
    database: Database,
    county: County,
    clock: TestClock,
    learner: str,
    attested: Iterable[int] = (),
    made_up: Iterable[int] = (),
    **outcomes: Iterable[int],
) -> None:
    """Write class-hour verdicts as a judgement would: outcome → numbers; the others are valid.
    `attested` are the numbers that rest on a platform's log, `made_up` those in which a violation
    of one sitting was made up for in another."""
    attested, made_up = set(attested), set(made_up)
    klass = class_row(database, county)
    by_number = dict.fromkeys(range(1, HOURS + 1), "valid")
    by_number |= {number: name for name, numbers in outcomes.items() for number in numbers}
    with database.write() as connection:
        enrolment = connection.execute(
            select(Enrolment.id)
            .join(Learner, Learner.id == Enrolment.learner_id)
            .where(Enrolment.class_id == klass.id, Learner.external_id == learner)
        ).scalar_one()
        judged = [
            Judged.of(
                "class_hour",
                enrolment,
                number,
                outcome,
                bytes([number in attested] * 32),
                _hour(number, outcome)
                | {"provenance": ["attested" if number in attested else "live"]}
                | (_MADE_UP if number in made_up else {}),
            )
            for number, outcome in by_number.items()
            if outcome != "not_started"
        ]
        verdicts.add(connection, klass.id, judged, ("test@1", "0"), None, clock())


_MADE_UP = {
    "sessions": ["first", "second"],
    "findings": [
        {"outcome": "violation", "fault": "learner", "voids": True, "session_id": "first"},
    ],
}


def _hour(number: int, outcome: str) -> Any:
    return {"class_hour": number, "outcome": outcome, "played_ms": 1, "length_ms": 2, "photos": 1}


def take(services: Services, county: County, scene: Scene, folder: Path) -> None:
    """Import a performance with its photos."""
    path = folder / "scene.zip"
    bundle.write(path, [*scene.catalogue, *scene.evidence], scene.photos)
    report = services.imports.take_file(county.huang.platform.id, path, actor="test")
    assert not report.rejected, report.rejected


def take_without_photos(services: Services, county: County, scene: Scene, folder: Path) -> None:
    """Import a performance of which no photo was handed over."""
    path = folder / "scene.ndjson"
    left_out = ("snapshot", "reference_photo")
    records = [it for it in (*scene.catalogue, *scene.evidence) if it["kind"] not in left_out]
    bundle.write_records(path, records)
    report = services.imports.take_file(county.huang.platform.id, path, actor="test")
    assert not report.rejected, report.rejected


def validate(services: Services, class_id: int) -> dict[str, Any]:
    with services.database.write() as connection:
        run_id = runs.begin(connection, class_id, "test", services.clock())
    return class_run.perform(services, run_id)


def bodies(database: Database) -> list[tuple[str, int, bytes]]:
    """Every stored verdict in order of entry."""
    with database.read() as connection:
        rows = connection.execute(
            select(Verdict.subject_kind, Verdict.hour, Verdict.body).order_by(Verdict.id)
        )
        return [(row.subject_kind, row.hour, row.body) for row in rows]


def sign_in(services: Services, name: str, county: str, role: str = "reviewer") -> dict[str, str]:
    """The headers of a person signed in to the console, with their login's own token."""
    now_ms = services.clock()
    with services.database.write() as connection:
        users.add_user(
            connection,
            username=name,
            display_name=name,
            password=PASSWORD,
            role=role,
            counties=[county],
            actor="system",
            now_ms=now_ms,
        )
        user = users.check_password(connection, name, PASSWORD)
        assert user is not None
        token = users.open_login(connection, user, now_ms)
        found = users.login_of(connection, token, now_ms)
    assert found is not None
    return {"cookie": f"{COOKIE}={token}", "x-csrf-token": found[0].csrf}


def codes(verdict: Row) -> list[str]:
    """Reasons of the learner's own: classes of these tests lack traces of controls, and wait."""
    found = [reason["code"] for reason in verdict["reasons"]]
    return [it for it in found if it != "class_pending"]


def check(verdict: Row, name: str) -> Row:
    return next(it for it in verdict["checks"] if it["check"] == name)


def control(verdict: Row, rule: str) -> Row:
    return next(it for it in verdict["controls"] if it["rule"] == rule)


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def links_of(
    connection: Connection, services: Services, class_id: int, ids: Mapping[str, int], now_ms: int
) -> dict[str, str]:
    """The path of a new link to each learner's own page, by the names in `ids`."""
    return {
        name: learner_link.issue(
            connection, services.vault, class_id, learner_id, actor="test", days=30, now_ms=now_ms
        ).path
        for name, learner_id in ids.items()
    }
