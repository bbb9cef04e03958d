"""An embedder on trial reads the kept photos anew, and leaves a line of audit and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.jobs import model_trial
from app.jobs.face_worker import run_pending
from app.services import Services
from app.store.faces import retention
from app.vision.model_card import DLIB_RESNET, read_card
from models import AuditEntry, Calibration, Learner
from tests.api.test_sessions import found_school, opening, post
from tests.jobs.test_face_worker import LIN, WU, enrol, face, photos, put
from tests.people import County


@pytest.fixture
def photographed(client: TestClient, county: County, services: Services) -> None:
    found_school(client, county)
    for learner, person, session in (("lin", LIN, "s1"), ("wu", WU, "s2")):
        post(client, county, opening(learner, session_id=session))
        enrol(client, county, learner, face(person, 0))
        for take in range(3):
            put(client, county, f"p{take}", face(person, 10 + take), session=session)
    run_pending(services)


def tried(services: Services) -> model_trial.Trial:
    card = read_card(DLIB_RESNET)
    return model_trial.on_own_people(services, services.readers, card, persons=10, actor="x")


def test_enrolled_photos_and_those_of_sittings_are_read_anew(
    photographed: None, services: Services
) -> None:
    trial = tried(services)
    assert (trial.persons, trial.photos, trial.unread) == (2, 8, 0)
    assert trial.moments == 2  # three photos of one second are one picture of a person
    assert trial.body is None and trial.too_few is not None  # two people are no cohort


def test_a_trial_is_in_the_audit_log_and_changes_no_decision(
    photographed: None, services: Services, county: County
) -> None:
    before = [(it.check, it.score, it.status) for it in photos(services, county)]
    tried(services)
    assert [(it.check, it.score, it.status) for it in photos(services, county)] == before
    with services.database.read() as connection:
        detail: dict[str, Any] = connection.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "model.tried")
        ).one()
        assert detail == {"persons": 2, "photos": 8}
        assert connection.execute(select(Calibration)).first() is None


def test_a_learner_whose_key_was_destroyed_is_left_out(
    photographed: None, services: Services, county: County
) -> None:
    with services.database.write() as connection:
        lin = connection.scalars(select(Learner.id).where(Learner.external_id == "lin")).one()
        retention.erase(connection, lin, services.clock())
    assert tried(services).persons == 1
