"""Live play against the real service, whose clock the player moves."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from app.simulation.environment import Setting
from app.simulation.live import LiveReport, play_live
from app.simulation.scenarios import SCENARIOS
from app.simulation.transport import Api
from tests.people import County
from tests.people import TestClock as Clock

pytestmark = pytest.mark.thorough


@pytest.fixture
def play(client: TestClient, database: Database, clock: Clock):
    api = Api(client, County.found(database, clock).huang.secret)

    def play(scenario_id: str) -> LiveReport:
        scenario = SCENARIOS[scenario_id]
        setting = Setting(
            lesson=scenario.lesson,
            lessons=scenario.lessons,
            media_s=900.0,  # three of them make a class-hour
            start_ms=clock.now_ms,
            starts_on="2026-03-02",
            ends_on="2026-03-20",
        )
        return play_live(
            scenario_id,
            api,
            setting=setting,
            advance=lambda seconds: clock.advance(seconds=seconds),
        )

    return play


def controls(report: LiveReport, kind: str) -> list[dict[str, object]]:
    return [
        control
        for state in report.states.values()
        for control in state["controls"]
        if control["control"] == kind
    ]


def test_lin_answers_every_popup_that_the_service_issues(play):
    report = play("H01")
    assert report.problems == [] and report.refused == []
    popups = controls(report, "popup")
    assert len(popups) >= 2
    assert all(popup["answered_at_ms"] for popup in popups[:-1])  # the last may not come due


def test_wu_strips_popups_and_the_service_keeps_the_ledger(play):
    report = play("F16")
    assert report.problems == []
    popups = controls(report, "popup")
    assert popups and not any(popup["answered_at_ms"] for popup in popups)


def test_a_reload_takes_the_lease_over(play):
    report = play("H07")
    assert report.problems == [] and report.refused == []
    assert [state["state"] for state in report.states.values()] == ["superseded", "closed"]


@pytest.mark.thorough
def test_who_missed_a_popup_enters_the_lesson_again(play):
    report = play("H13")
    assert report.problems == []
    assert len(report.sessions) == 2


@pytest.mark.thorough  # tests/api does, without a player
def test_a_second_device_is_refused(play):
    assert play("F35").refused == ["concurrent_session"]


@pytest.mark.thorough
def test_a_locked_lesson_is_refused(play):
    assert play("F34").refused == ["lesson_locked"]
