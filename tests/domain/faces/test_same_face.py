"""One face under several accounts is searched with thresholds of the site's own, or not at all."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.domain.faces import calibration, same_face
from app.jobs.face_worker import run_pending
from app.services import Services
from app.simulation.portraits.portrait import PORTRAIT_SEEDS
from app.store.accounts import audit
from app.store.accounts.audit import AuditFilter
from app.store.faces import face_sets
from app.store.judging import facts as fact_store
from app.vision.model_card import DLIB_RESNET, read_card
from app.vision.readers import FaceReaders
from app.vision.seen import Seen, vector
from tests.api.test_sessions import found_school, opening, post
from tests.domain.faces.test_calibration import measured
from tests.jobs.test_face_worker import LIN, WU, enrol, face, put
from tests.people import County, TestClock

CARD = read_card(DLIB_RESNET)


@pytest.fixture
def classmates(client: TestClient, county: County, services: Services, clock: TestClock) -> None:
    """Lin sits in for Wu, whose account was enrolled with her face."""
    found_school(client, county)
    for learner, session in (("lin", "s1"), ("wu", "s2")):
        post(client, county, opening(learner, session_id=session))
        enrol(client, county, learner, face(LIN, 0))
        for take in range(3):
            clock.advance(minutes=1)
            put(client, county, f"p{take}", face(LIN, 10 * len(learner) + take), session=session)
    run_pending(services)


def applied(services: Services) -> None:
    """Thresholds of an invented cohort, about the mean of the artificial portraits."""
    body, _ = measured()
    seen = FaceReaders(0).read([face(seed, 0) for seed in PORTRAIT_SEEDS[:12]])
    faces = [vector(it.embedding) for it in seen if isinstance(it, Seen) and it.embedding]
    centre = np.mean(faces, axis=0)
    with services.database.write() as connection:
        stored: dict[str, Any] = json.loads(json.dumps(body))
        calibration.record(
            connection, CARD, stored, centre, actor="system:cli", apply=True, now_ms=1
        )


def search(services: Services) -> same_face.Searched:
    with services.database.read() as connection:
        accounts = face_sets.accounts(connection)
        return same_face.search(connection, services.vault, CARD, accounts)


def test_without_a_calibration_nobody_is_compared(classmates: None, services: Services) -> None:
    with pytest.raises(same_face.NotCalibrated, match="zhenxue calibrate --apply"):
        search(services)


@pytest.mark.both_databases
def test_lin_under_two_accounts_is_found_once_and_reaches_the_detectors(
    classmates: None, services: Services
) -> None:
    applied(services)
    found = search(services)
    assert found.accounts == 2
    (pair,) = found.pairs
    assert pair.distance <= found.limit and pair.pictures == 3
    with services.database.write() as connection:
        assert same_face.keep(connection, found, "class", 2) == 1
        assert same_face.keep(connection, found, "institution", 3) == 0
        trace = fact_store.of_class(connection, 1).trace
    (known,) = trace.faces
    assert {int(known["one"]), int(known["other"])} == set(trace.sessions["person"].tolist())


def test_a_search_of_everybody_stands_in_the_audit_log(
    classmates: None, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from app.cli import main as cli

    applied(services)
    monkeypatch.setenv("ZHENXUE_DATABASE_URL", services.settings.database_url)
    monkeypatch.setenv("ZHENXUE_DATA_DIR", str(services.settings.data_dir))
    command = ["same-face", "--everyone", "--reason", "spot check", "--json"]
    told = CliRunner().invoke(cli.app, command)
    assert told.exit_code == 0, told.output
    assert json.loads(told.output)["new"] == 1
    with services.database.read() as connection:
        (entry,) = audit.page(connection, AuditFilter(action="faces.searched"), size=5)
    assert (entry.subject, entry.detail["reason"]) == ("everyone", "spot check")


def test_different_people_are_no_pair(
    client: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    found_school(client, county)
    for learner, session, person in (("lin", "s1", LIN), ("wu", "s2", WU)):
        post(client, county, opening(learner, session_id=session))
        enrol(client, county, learner, face(person, 0))
        for take in range(3):
            clock.advance(minutes=1)
            put(client, county, f"p{take}", face(person, 10 + take), session=session)
    run_pending(services)
    applied(services)
    assert search(services).pairs == []
