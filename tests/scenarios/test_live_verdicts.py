"""Scenarios as real HTTP traffic on a clock that the player moves, down to the verdict.

The service issues the controls itself, photos are drawn faces that are really compared, and the
verdict is read where a platform reads it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.db import Database
from app.jobs.face_worker import run_pending
from app.jobs.lease_sweep import sweep
from app.jobs.settler import settle_one
from app.services import Services
from app.simulation.environment import LIN, Setting
from app.simulation.live import LiveReport, play_honest_live, play_live
from app.simulation.scenarios import SCENARIOS
from app.simulation.transport import Api
from models import Session
from tests.people import County
from tests.people import TestClock as Clock
from tests.thorough import later

pytestmark = pytest.mark.thorough

HONEST = ("H28",)
FRAUD = ("F02", "F16")
MORE_HONEST, MORE_FRAUD = ("H01", "H02", "H04", "H14"), ("F01", "F07", "F10")


class Stage:
    """Plays a scenario against the service and reads what became of it."""

    def __init__(self, client: TestClient, services: Services, clock: Clock, secret: str) -> None:
        self.client, self.services, self.clock = client, services, clock
        self.api = Api(client, secret)

    def play(self, scenario_id: str) -> LiveReport:
        scenario = SCENARIOS[scenario_id]
        setting = Setting(
            lesson=scenario.lesson,
            lessons=scenario.lessons,
            start_ms=self.clock.now_ms,
            starts_on="2026-03-02",
            ends_on="2026-03-20",
        )
        report = play_live(
            scenario_id,
            self.api,
            setting=setting,
            advance=self._pass,
        )
        self.clock.advance(minutes=20)
        sweep(self.services)
        run_pending(self.services)
        self._settle(report)
        return report

    def _pass(self, seconds: float) -> None:
        """Photos are read within seconds, so that who was not recognised is asked again."""
        self.clock.advance(seconds=seconds)
        run_pending(self.services)

    def play_honest(self, seed: int) -> tuple[LiveReport, frozenset[str]]:
        """Somebody honest, without consent to face processing: no picture has to be drawn."""
        setting = Setting(
            learner=replace(LIN, face_consent=False),
            media_s=900.0,  # three of them make a class-hour
            start_ms=self.clock.now_ms,
            starts_on="2026-03-02",
            ends_on="2026-03-30",
        )
        report, befell = play_honest_live(
            seed,
            self.api,
            setting=setting,
            advance=lambda seconds: self.clock.advance(seconds=seconds),
        )
        self.clock.advance(minutes=20)
        sweep(self.services)
        self._settle(report)
        return report, befell

    def _settle(self, report: LiveReport) -> None:
        """What the settler's thread does in its own time, done before the verdict is read."""
        with self.services.database.read() as connection:
            query = select(Session.id).where(Session.external_id.in_(report.sessions))
            sessions = connection.execute(query).scalars().all()
        for session_id in sessions:
            settle_one(self.services, session_id)

    def verdicts(self, report: LiveReport) -> list[dict[str, Any]]:
        return [
            self.api.call("GET", f"/v1/sessions/{session}", None)["verdict"]
            for session in report.sessions
        ]


@pytest.fixture
def stage(client: TestClient, services: Services, database: Database, clock: Clock) -> Stage:
    return Stage(client, services, clock, County.found(database, clock).huang.secret)


def credited_s(verdicts: list[dict[str, Any]]) -> float:
    return sum(verdict["credited_ms"] for verdict in verdicts) / 1000


@pytest.mark.parametrize("scenario_id", [*HONEST, *later(*MORE_HONEST)])
def test_an_honest_sitting_is_valid_and_credited(stage: Stage, scenario_id: str) -> None:
    report = stage.play(scenario_id)
    assert report.problems == [] and report.refused == []
    verdicts = stage.verdicts(report)
    found = [it for verdict in verdicts for it in verdict["findings"]]
    assert [(it["rule"], it["reason"], it["sentence"]["en"]) for it in found] == []
    assert [verdict["outcome"] for verdict in verdicts] == ["valid"] * len(verdicts)
    low, high = SCENARIOS[scenario_id].expected.credited_s
    assert low <= credited_s(verdicts) <= high


@pytest.mark.parametrize("seed", [0, *later(*range(1, 6))])
def test_odd_things_that_happen_to_an_honest_learner_are_no_accusation(
    stage: Stage, seed: int
) -> None:
    report, befell = stage.play_honest(seed)
    found = [it for verdict in stage.verdicts(report) for it in verdict["findings"]]
    doubts = [
        (it["rule"], it["reason"]) for it in found if it["outcome"] in ("violation", "review")
    ]
    assert report.problems == []
    assert doubts == [], befell


@pytest.mark.parametrize("scenario_id", [*FRAUD, *later(*MORE_FRAUD)])
def test_a_fraud_is_invalid_and_says_why(stage: Stage, scenario_id: str) -> None:
    report = stage.play(scenario_id)
    expected = SCENARIOS[scenario_id].expected
    verdicts = stage.verdicts(report)
    assert "invalid" in {verdict["outcome"] for verdict in verdicts}
    found = [finding for verdict in verdicts for finding in verdict["findings"]]
    accused = {it["rule"] for it in found if it["outcome"] == "violation"}
    assert set(expected.rules) & accused
    for finding in found:
        assert finding["sentence"]["zh"] and finding["clause"]["quote"]
        assert finding["start_ms"] <= finding["end_ms"]
    assert credited_s(verdicts) <= expected.credited_s[1]
