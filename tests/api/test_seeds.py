"""Wu collects every seed that was revealed, and foretells nothing with them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain.controls import draws
from app.main import create_app
from app.services import Services
from app.settings import Settings
from app.store.sittings import sittings as sitting_store
from tests.api.test_sessions import found_school, opening, post
from tests.described import DescribedClient
from tests.people import County, TestClock

SITTINGS = 40
NEAR_MS = 2_000


@dataclass
class Plan:
    """What a sitting was going to ask for, and what Wu knows of it once it is over."""

    popup: tuple[int, tuple[int, int]] | None  # interval and its range
    points: list[dict[str, Any]]
    seed: bytes


class Wu:
    """Opens sitting after sitting, plays four seconds of each, and closes it again."""

    def __init__(
        self, client: TestClient, county: County, services: Services, clock: TestClock
    ) -> None:
        found_school(client, county)
        self.client, self.county, self.services, self.clock = client, county, services, clock
        self.headers = county.huang.headers
        self.position = 0.0
        self.told: list[str] = []  # every answer that reached the browser

    def sitting(self, name: str) -> Plan:
        opened = post(self.client, self.county, opening("wu", session_id=name))
        self.told.append(opened.text)
        with self.services.database.read() as connection:
            row = sitting_store.by_external_id(connection, self.county.huang.platform.id, name)
        assert row is not None
        planned = row.schedule["popup_range_ms"]
        popup = planned and (row.popup_due_ms - row.popup_from_ms, tuple(planned))
        self.play(name)
        lease = {"authorization": f"Bearer {opened.json()['lease']['token']}"}
        closed = self.client.post(f"/v1/sessions/{name}/close", headers=lease)
        self.told.append(closed.text)
        refused = self.client.get(f"/v1/sessions/{name}", headers=lease)
        assert refused.status_code in (401, 403)
        self.told.append(refused.text)
        seen = self.client.get(f"/v1/sessions/{name}", headers=self.headers).json()
        assert seen["schedule_verified"] is True
        return Plan(popup, row.schedule["points"], bytes.fromhex(seen["seed"]))

    def play(self, name: str) -> None:
        self.clock.advance(seconds=4)
        self.position += 4
        beat = {"seq": 1, "type": "progress", "at_ms": self.clock(), "position": self.position}
        answer = self.client.post(
            f"/v1/sessions/{name}/events",
            json={"events": [beat | {"visible": True, "focused": True}]},
            headers=self.headers,
        )
        assert answer.status_code == 200, answer.text
        self.told.append(answer.text)


@pytest.fixture(scope="module")
def plans(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Wu, list[Plan]]:
    """Made once: everybody here only looks at what was told."""
    folder = tmp_path_factory.mktemp("seeds")
    shutil.copyfile(sqlite_template, folder / "zhenxue.sqlite")
    url = f"sqlite:///{folder / 'zhenxue.sqlite'}"
    clock = TestClock()
    app = create_app(Settings(database_url=url, data_dir=folder, face_workers=0), clock)
    services: Services = app.state.services
    with DescribedClient(app) as client:
        wu = Wu(client, County.found(services.database, clock), services, clock)
        return wu, [wu.sitting(f"w{n}") for n in range(SITTINGS)]


@pytest.mark.thorough
def test_all_seeds_that_were_revealed_foretell_nothing_of_the_next_sitting(plans: Any) -> None:
    """For every sitting, each earlier seed is tried on its draws: it is right about as often as a
    guess. Drawn points that were carried over made this certain."""
    _, made = plans
    photos = popups = photo_hits = popup_hits = 0
    photo_chance = popup_chance = 0.0
    for at, plan in enumerate(made):
        for known in made[:at]:
            for point in plan.points:
                stretches = [tuple(it) for it in point["stretches"]]
                _, told = draws.photo_point(known.seed, point["draw"], stretches)
                photos += 1
                photo_hits += abs(told - point["position_ms"]) <= NEAR_MS
                photo_chance += 2 * NEAR_MS / sum(end - start for _, start, end in stretches)
            if plan.popup is not None:
                interval, (low, high) = plan.popup
                told = draws.popup_interval_ms(known.seed, 0, low, high)
                popups += 1
                popup_hits += abs(told - interval) <= NEAR_MS
                popup_chance += min(1.0, 2 * NEAR_MS / max(1, high - low))
    assert photos > 1_000 and popups > 300
    assert photo_hits < 3 * photo_chance + 5
    assert popup_hits < 2 * popup_chance + 5


def test_no_drawn_moment_of_an_ended_sitting_comes_back(plans: Any) -> None:
    _, made = plans
    points = [point["position_ms"] for plan in made for point in plan.points]
    assert len(set(points)) == len(points)
    assert all(point["drawn_in"] == f"w{at}" for at, it in enumerate(made) for point in it.points)


def test_no_answer_that_reaches_a_browser_tells_a_seed(plans: Any) -> None:
    wu, made = plans
    assert not any(plan.seed.hex() in told for plan in made for told in wu.told)
