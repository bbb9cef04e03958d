"""Trying another pack on stored evidence: counts and names, and not one verdict written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.domain.accounts import users
from app.domain.judging import what_if
from app.domain.policy import packs
from app.domain.review import review
from app.errors import BadInput, NotFound
from app.jobs.what_if import run_next
from app.services import Services
from app.simulation.scenarios import perform
from app.store.judging import runs
from models import Finding, Verdict
from tests.people import HUANGCHUAN, County
from tests.verdicts import class_row, sign_in, take_without_photos, validate

LITERAL = "huangchuan-2021-literal@1.0.0"


@pytest.fixture
def zhao(services: Services) -> Any:
    sign_in(services, "zhao", HUANGCHUAN)
    with services.database.read() as connection:
        user = users.check_password(connection, "zhao", "a-quiet-river-in-henan")
    assert user is not None
    return user


def trial(services: Services, user: Any, pack: str, since: str, until: str) -> dict[str, Any]:
    with services.database.write() as connection:
        run_id = what_if.request(connection, user, pack, since, until, services.clock())
    assert run_next(services) and not run_next(services)
    with services.database.read() as connection:
        row = runs.by_id(connection, run_id)
    assert row.state == "done", row.error
    return dict(row.summary)


def stored(services: Services) -> int:
    with services.database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(Verdict)).scalar_one())


@pytest.mark.both_databases
def test_the_literal_reading_is_tried_without_writing_a_verdict(
    services: Services, county: County, tmp_path: Path, zhao: Any
) -> None:
    take_without_photos(services, county, perform("F01"), tmp_path)
    klass = class_row(services.database, county, "class-demo")
    validate(services, klass.id)
    before = stored(services)
    told = trial(services, zhao, LITERAL, "2026-01-01", "2026-12-31")
    result = told["result"]
    assert told["classes"] == 1 and stored(services) == before
    assert result["rules_after"]["fast_forward"] == result["rules_before"]["fast_forward"] == 1
    assert sum(result["before"].values()) == sum(result["after"].values()) > 0


@pytest.mark.parametrize("decision", ["", "uphold", "overturn"])
@pytest.mark.parametrize("scenario", ["F01", "F02", "F05", "F07"])
def test_its_own_pack_tried_on_a_class_changes_nothing_whatever_was_decided(
    services: Services, county: County, tmp_path: Path, zhao: Any, scenario: str, decision: str
) -> None:
    take_without_photos(services, county, perform(scenario), tmp_path)
    klass = class_row(services.database, county, "class-demo")
    validate(services, klass.id)
    if decision:
        with services.database.write() as connection:
            for row in connection.scalars(select(Finding.id).where(~Finding.shadow)).all():
                review.decide(connection, row, zhao, decision, "已核对时间轴", services.clock())
        validate(services, klass.id)
    pack = packs.load("huangchuan-2021-graded@1.0.0")
    with services.database.read() as connection:
        same = what_if.tried(connection, klass.id, pack)
    assert same["before"] == same["after"] and not same["changed"]
    assert same["rules_before"] == same["rules_after"]


def test_nobody_studied_then(services: Services, county: County, zhao: Any) -> None:
    told = trial(services, zhao, LITERAL, "2020-01-01", "2020-01-31")
    assert told["classes"] == 0 and told["result"] == {}


@pytest.mark.parametrize(
    ("pack", "since", "until", "error"),
    [
        ("no-such@1.0.0", "2026-01-01", "2026-01-31", NotFound),
        (LITERAL, "yesterday", "2026-01-31", BadInput),
        (LITERAL, "2026-02-01", "2026-01-31", BadInput),
        (LITERAL, "2024-01-01", "2026-01-31", BadInput),
    ],
)
def test_a_trial_that_makes_no_sense_is_refused(
    services: Services, zhao: Any, pack: str, since: str, until: str, error: type[Exception]
) -> None:
    with services.database.write() as connection, pytest.raises(error):
        what_if.request(connection, zhao, pack, since, until, services.clock())


def test_another_persons_trial_is_not_seen(services: Services, zhao: Any) -> None:
    with services.database.write() as connection:
        made = what_if.request(connection, zhao, LITERAL, "2026-01-01", "2026-01-31", 1)
    sign_in(services, "sun", HUANGCHUAN)
    with services.database.read() as connection:
        sun = users.check_password(connection, "sun", "a-quiet-river-in-henan")
        assert sun is not None
        with pytest.raises(NotFound):
            what_if.seen(connection, sun, made)
