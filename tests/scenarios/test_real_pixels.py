"""Photos are drawn, imported, read and compared: fraud that only shows in the pixels is found.

The faces are artificial; their distances say nothing of real people, only that nothing is known
here but the pixels.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db import Database
from app.services import Services
from app.simulation.scenarios import SCENARIOS, Scene, perform
from detectors.trace import Check
from models import Finding, Session, Snapshot, TrainingClass
from tests.people import County
from tests.people import TestClock as Clock
from tests.verdicts import take, validate

Judge = Callable[[str], "Judged"]


class Judged:
    """What the service says of a scenario's judged sittings."""

    def __init__(self, services: Services, scene: Scene) -> None:
        self.scene = scene
        with services.database.read() as connection:
            own = select(Session.id).where(Session.external_id.in_(scene.judged))
            self.findings = connection.execute(
                select(Finding).where(Finding.session_id.in_(own), Finding.status == "open")
            ).all()
            self.photos = connection.execute(
                select(Snapshot).where(Snapshot.session_id.in_(own)).order_by(Snapshot.id)
            ).all()

    @property
    def reasons(self) -> set[tuple[str, str]]:
        return {(it.rule, it.reason) for it in self.findings if it.outcome != "clear"}

    def of(self, rule: str) -> Any:
        (finding,) = (it for it in self.findings if it.rule == rule)
        return finding


@pytest.fixture
def judge(services: Services, database: Database, clock: Clock, tmp_path: Path) -> Judge:
    county = County.found(database, clock)

    def judge(scenario_id: str) -> Judged:
        scene = perform(scenario_id)
        take(services, county, scene, tmp_path)
        with database.read() as connection:
            classes = connection.execute(select(TrainingClass.id)).scalars().all()
        for class_id in classes:
            validate(services, class_id)
        return Judged(services, scene)

    return judge


def test_an_honest_lesson_stays_clean(judge: Judge) -> None:
    told = judge("H01")
    assert told.reasons == set()
    assert {Check(photo.check) for photo in told.photos} == {Check.MATCH}
    assert not any("near_duplicate" in photo.reading for photo in told.photos)


def test_an_old_photo_saved_again_with_noise_goes_to_a_person_beside_the_old_one(
    judge: Judge,
) -> None:
    told = judge("F27")
    finding = told.of("photo_reuse")
    assert (finding.reason, finding.outcome) == ("near_duplicate", "review")
    copies = [photo["same_as"] for photo in finding.body["evidence"]["photos"]]
    assert any(copy["session_id"] not in told.scene.judged for copy in copies)
    assert all(copy["snapshot_id"] and copy["residual"] <= 0.04 for copy in copies)


def test_another_person_goes_to_two_reviewers(judge: Judge) -> None:
    told = judge("F28")
    finding = told.of("face_liveness")
    assert finding.reason in ("enrolled_never_seen", "near_threshold")
    assert finding.outcome == SCENARIOS["F28"].expected.rules["face_liveness"] == "review"
    assert Check.MATCH not in {Check(photo.check) for photo in told.photos}


def test_a_screen_is_no_proof_of_presence_and_no_accusation_without_a_model(judge: Judge) -> None:
    told = judge("F29")
    assert Check.SPOOF not in {Check(photo.check) for photo in told.photos}
    assert not any(it.outcome == "violation" for it in told.findings)


def test_two_accounts_with_one_picture_are_told(judge: Judge) -> None:
    told = judge("F32")
    reused = [it for it in told.findings if it.rule == "photo_reuse"]
    assert {it.reason for it in reused} == {"identical_bytes"}
    assert all(it.outcome == "review" and it.body["voids"] for it in reused)
