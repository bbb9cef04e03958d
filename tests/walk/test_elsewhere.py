"""People of another county, platform or school read the same whether the class is there or not: no
page, list, figure or search of theirs tells of it, of its school or its platform."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from app.domain.faces import retention
from app.main import create_app
from app.services import Services
from models import Enrolment, Learner, Session, TrainingClass
from tests.people import LIN, course, training_class
from tests.walk.conftest import _clock, _settings
from tests.walk.dataset import Dataset, routes
from tests.walk.test_console import OTHERS

# What is not the class's: people and how they sign in, who is registered, and how all is kept.
KEPT = {
    "alembic_version", "api_keys", "audit_entries", "counties", "foreign_identities",
    "installation", "institutions", "platforms", "second_factors", "user_sessions", "users",
    "vault_keys",
}  # fmt: skip
AS_IT_IS = {"/metrics", "/readyz", "/status", "/console/account/app", "/console/account/passkey"}
WORDS = (
    *("林一", "示例", "学", "learner-01", "class-demo", "course-demo", "huang-edu", "school-1"),
    *("000000", "_", "1"),
)
SEARCHED = ("/console/search", "/console/classes", "/console/findings", "/console/face-data")
STATES = ("/console/cases?state=done", "/console/findings?status=all", "/v1/findings?limit=1")


@pytest.fixture
def houses(template: Dataset, tmp_path: Path, who: str) -> Iterator[list[TestClient]]:
    """The house as it is, and the same without the class and all that came of it."""
    clients = []
    for name in ("whole", "empty"):
        folder = tmp_path / name
        shutil.copytree(template.folder, folder)
        if name == "empty":
            _empty(folder / "zhenxue.sqlite", shares_platform=who == "tang")
        app = create_app(_settings(folder), _clock())
        if name == "whole":
            _at_work(app.state.services, template)
        clients.append(TestClient(app))
    yield clients
    for client in clients:
        client.app.state.services.database.close()  # type: ignore[attr-defined]


def _at_work(services: Services, dataset: Dataset) -> None:
    """Somebody of the class learns at this moment, and its photos are held."""
    with services.database.write() as connection:
        retention.place_hold(
            connection,
            dataset.county.huang.platform.id,
            class_id="class-demo",
            learner_id=None,
            reason="举报待查",
            actor="system",
            now_ms=services.clock(),
        )
        last = select(func.max(Session.id)).scalar_subquery()
        now = {"state": "open", "last_recv_ms": services.clock(), "closed_ms": None}
        connection.execute(update(Session).where(Session.id == last).values(**now))


def _empty(path: Path, *, shares_platform: bool) -> None:
    """`shares_platform`: other schools of the county may use the class's platform."""
    with sqlite3.connect(path) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for name in {it for (it,) in tables if not it.startswith("sqlite_")} - KEPT:
            connection.execute(f'DELETE FROM "{name}"')
        connection.execute("DELETE FROM institutions WHERE code = 'school-1'")
        if not shares_platform:
            connection.execute(
                "UPDATE platforms SET slug = 'x', name = '别的平台' WHERE slug = 'huang-edu'"
            )
    connection.close()


@pytest.mark.parametrize("who", OTHERS)
def test_nobody_of_elsewhere_sees_that_the_class_is_there(
    houses: list[TestClient], template: Dataset, who: str
) -> None:
    app = houses[0].app
    paths = [path for method, path in routes(app) if method == "GET" and "{" not in path]  # type: ignore[arg-type]
    paths = [it for it in paths if it not in AS_IT_IS] + list(STATES)
    paths += [f"{path}?q={word}" for path in SEARCHED for word in WORDS]
    paths += [f"/console/search?q={template.api['session_id']}"]
    differ = []
    for path in paths:
        whole, empty = (
            it.get(path, headers=template.headers(who), follow_redirects=False) for it in houses
        )
        told = [
            (it.status_code, it.headers.get("location"), _same(it.text)) for it in (whole, empty)
        ]
        if told[0] != told[1]:
            differ.append(path)
    assert differ == []


def _same(text: str) -> str:
    """Without what a page draws anew each time."""
    return re.sub(r"nonce-[^']*|\"request_id\": ?\"[^\"]*\"", "", text)


@pytest.mark.parametrize("who", ["qian", "gao"])
def test_a_person_who_learns_in_both_counties_is_in_each_the_one_of_that_county(
    walker: TestClient, dataset: Dataset, services: Services, who: str
) -> None:
    """Lin learns in Guangshan too; what she did in Huangchuan is told to nobody there."""
    headers = dataset.county.guang.headers
    for path, body in (
        ("courses/sewing", course()),
        ("classes/class-own", training_class("class-own")),
        ("classes/class-own/roster", {"learners": [LIN]}),
    ):
        answer = walker.put(f"/v1/{path}", json=body, headers=headers)
        assert answer.is_success, answer.text
    person_id = int(dataset.console["person_id"])
    with services.database.write() as connection:
        enrolled = select(Enrolment.learner_id, Enrolment.class_id).join(TrainingClass)
        own = connection.execute(enrolled.where(TrainingClass.external_id == "class-own")).one()
        same = update(Learner).where(Learner.id == own.learner_id).values(person_id=person_id)
        connection.execute(same)
    page = f"/console/classes/{own.class_id}"
    for path in (
        page,
        f"{page}/learners/{own.learner_id}",
        f"{page}/enrolments",
        f"/console/people/{person_id}",
        *(f"/console/people/{person_id}/file.{ext}" for ext in ("json", "csv")),
    ):
        answer = walker.get(path, headers=dataset.headers(who))
        assert answer.status_code == 200 and LIN["name"] in answer.text, path
        for telling in ("class-demo", "潢川示例", "huang-edu", "电子商务师", "吴小二"):
            assert telling not in answer.text, (path, telling)
