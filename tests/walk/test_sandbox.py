"""What a platform tries in a sandbox class shows nowhere else, and accuses nobody."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from app.domain import runs
from app.jobs import class_run, nightly, settler
from app.main import create_app
from app.services import Services
from detectors.trace import Check
from models import Finding, ReferencePhoto, Session, Snapshot, TrainingClass, Verdict
from tests.evidence import Record, zipped
from tests.reports.sample_class import records
from tests.walk.conftest import _clock, _settings
from tests.walk.dataset import Dataset, routes, send

STORY = ("F02", "F16", "F10", "H01")
TRIED = "tried-"
AS_IT_IS = {  # the log of all that anybody did; how busy the service is; a code drawn at each look
    "GET /console/audit",
    "GET /console/audit.csv",
    "GET /metrics",
    "GET /console/account/app",
}
_DRAWN = re.compile(rb"[A-Za-z0-9_-]{43}|nonce-[^']*|nonce=\"[^\"]*\"")  # of a page, each time


@dataclass(frozen=True)
class House:
    """A service in which the night has been."""

    services: Services
    app: FastAPI

    def read(self, query: Any) -> list[Any]:
        with self.services.database.read() as connection:
            return [tuple(row) for row in connection.execute(query)]


def _as_tried(record: Record, *, sandbox: bool) -> Record:
    """The record under ids of its own; names, ID numbers, devices, times and photos stay."""
    ids = ("learner_id", "class_id", "session_id", "snapshot_id")
    out: dict[str, Any]
    out = {name: f"{TRIED}{it}" if name in ids and it else it for name, it in record.items()}
    if record["kind"] == "class" and sandbox:
        out["sandbox"] = True
    if record["kind"] == "roster":
        out["learners"] = [it | {"learner_id": TRIED + it["learner_id"]} for it in out["learners"]]
    return out


def _try(services: Services, dataset: Dataset, folder: Path, *, sandbox: bool = True) -> None:
    """The frauds of the sample class, by its people at the same time with the same photos."""
    found, files = records(STORY)
    path = folder / "tried.zip"
    path.write_bytes(zipped([_as_tried(it, sandbox=sandbox) for it in found], files))
    report = services.imports.take_file(dataset.county.huang.platform.id, path, actor="test")
    assert not report.rejected_total, report.shown()
    told = {"status": "done", "check": int(Check.MATCH), "score": 0.31, "limit": 0.5}
    with services.database.write() as connection:
        connection.execute(
            update(Snapshot)
            .where(Snapshot.status != "done")
            .values(reading={"liveness": {"outcome": "live"}}, **told)
        )
        connection.execute(
            update(ReferencePhoto)
            .where(ReferencePhoto.status == "pending")
            .values(status="ready", template_encrypted=b"t")
        )
    settler.settle_all(services)


def _house(dataset: Dataset, folder: Path, *, tried: bool) -> House:
    shutil.copytree(dataset.folder, folder)
    app = create_app(_settings(folder), _clock())
    services: Services = app.state.services
    services.settings.executor = "processes:1"
    if tried:
        _try(services, dataset, folder)
    nightly.perform(services, "test")
    if tried:
        (class_id,) = _only(services)
        with services.database.write() as connection:
            run_id = runs.begin(connection, class_id, "test", services.clock())
        class_run.perform(services, run_id)
        with services.database.write() as connection:  # somebody tries at this moment
            last = select(func.max(Session.id)).where(Session.class_id == class_id)
            now = {"state": "open", "last_recv_ms": services.clock(), "closed_ms": None}
            connection.execute(
                update(Session).where(Session.id == last.scalar_subquery()).values(**now)
            )
    return House(services, app)


def _only(services: Services) -> list[int]:
    with services.database.read() as connection:
        query = select(TrainingClass.id).where(TrainingClass.sandbox.is_(True))
        return list(connection.scalars(query))


@pytest.fixture(scope="module")
def houses(template: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[House]]:
    """The same house twice: the platform of one of them has a sandbox class."""
    folder = tmp_path_factory.mktemp("houses")
    made = [_house(template, folder / name, tried=name == "tried") for name in ("plain", "tried")]
    yield made
    for house in made:
        house.services.database.close()


LATER = pytest.mark.thorough


def test_a_platform_s_own_figures_count_no_sandbox(houses: list[House], template: Dataset) -> None:
    headers = template.headers("fang")
    plain, tried = (TestClient(it.app, headers=headers) for it in houses)
    for path in ("/console", "/console/platforms"):
        told = [_DRAWN.sub(b"", it.get(path).content) for it in (plain, tried)]
        assert told[0] == told[1], path
    slug = template.county.huang.platform.slug
    trends = [it.get(f"/v1/platforms/{slug}/conformity").json()["trend"] for it in (plain, tried)]
    assert trends[0] == trends[1] and trends[0]


@pytest.mark.parametrize(
    "who",
    [
        "root",  # sees most
        *(
            pytest.param(it, marks=pytest.mark.thorough)
            for it in ("zhao", "sun", "chang", "han", "qian", "")
        ),
    ],
)
def test_no_page_list_or_figure_of_the_authority_knows_of_a_sandbox(
    houses: list[House], template: Dataset, who: str
) -> None:
    paths = [
        (f"{method} {path}", template.address(path))
        for method, path in routes(houses[0].app)
        if method == "GET" and f"GET {path}" not in AS_IT_IS
    ]
    paths += [(it, it) for it in ("/console/search?q=林一", f"/console/search?q={TRIED}class-demo")]
    paths += [(it, it) for it in ("/console/cases?state=done", "/console/findings?status=all")]
    plain, tried = (TestClient(it.app) for it in houses)
    differ = []
    for name, path in paths:
        answers = [
            (it.status_code, _DRAWN.sub(b"", it.content))
            for client in (plain, tried)
            for it in [client.get(path, headers=template.headers(who), follow_redirects=False)]
        ]
        if answers[0] != answers[1]:
            differ.append((name, answers[0][0], answers[1][0]))
    assert differ == []


def test_nobody_of_the_authority_opens_what_was_tried_by_its_address(
    houses: list[House], template: Dataset
) -> None:
    tried = houses[1]
    (row,) = tried.read(
        select(Finding.class_id, Finding.learner_id, Finding.session_id, Finding.id)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(TrainingClass.sandbox.is_(True), Finding.session_id.is_not(None))
        .limit(1)
    )
    class_id, learner_id, session_id, finding_id = row
    client = TestClient(tried.app)
    for path in (
        f"/console/classes/{class_id}",
        f"/console/classes/{class_id}/learners/{learner_id}",
        f"/console/sessions/{session_id}",
        f"/console/findings/{finding_id}",
        f"/v1/findings/{finding_id}",
        f"/v1/classes/{TRIED}class-demo",
        f"/v1/classes/{TRIED}class-demo/roster",
    ):
        for who, wanted in (("root", (404,)), ("zhao", (404,)), ("fang", (200, 303))):
            status = send(client, "GET", path, template.headers(who))
            assert status in wanted, (path, who, status)


def test_findings_and_verdicts_on_real_learners_are_the_same_to_the_byte(
    houses: list[House],
) -> None:
    real = TrainingClass.sandbox.is_(False)
    for query in (
        select(Finding.key, Finding.status, Finding.case_id, Finding.body)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(real)
        .order_by(Finding.id),
        select(Verdict.subject_kind, Verdict.hour, Verdict.outcome, Verdict.body)
        .join(TrainingClass, TrainingClass.id == Verdict.class_id)
        .where(real)
        .order_by(Verdict.id),
    ):
        plain, tried = (it.read(query) for it in houses)
        assert plain and plain == tried


def _rules(house: House, class_id: str) -> set[str]:
    query = (
        select(Finding.rule)
        .join(TrainingClass, TrainingClass.id == Finding.class_id)
        .where(TrainingClass.external_id == class_id, Finding.status != "gone")
    )
    return {rule for (rule,) in house.read(query)}


def test_frauds_are_found_in_a_sandbox_and_what_real_learners_did_is_not_held_against_it(
    houses: list[House],
) -> None:
    found = _rules(houses[1], f"{TRIED}class-demo")
    assert "fast_forward" in found
    assert not found & {"multi_window", "photo_reuse"}, found


@pytest.mark.thorough
def test_the_same_in_a_real_class_is_held_against_its_people(
    template: Dataset, tmp_path: Path
) -> None:
    shutil.copytree(template.folder, tmp_path / "real")
    app = create_app(_settings(tmp_path / "real"), _clock())
    services: Services = app.state.services
    _try(services, template, tmp_path, sandbox=False)
    house = House(services, app)
    assert {"multi_window", "photo_reuse"} <= _rules(house, f"{TRIED}class-demo")
    services.database.close()
