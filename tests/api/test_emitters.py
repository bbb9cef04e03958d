"""Players and courses as they are: what each says, recorded in its real form, and what it is worth.

The files in `tests/recordings/emitters` hold statements as the emitter makes them, with invented
people and addresses: `mapping` is what a platform sets for it, `fates` what becomes of the
statements, `told` the note on the platform's page where something is lost.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app.clock import SHANGHAI
from app.jobs.lease_sweep import sweep
from app.jobs.settler import settle_all
from app.services import Services
from models import Session
from tests.api.test_sessions import found_school
from tests.api.test_xapi import Lrs
from tests.people import County, TestClock

FOLDER = Path(__file__).parents[1] / "recordings" / "emitters"
EMITTERS = sorted(it.stem for it in FOLDER.glob("*.json"))
NAMED = {  # by the issue that asked for them, and by docs/xapi.md
    "openedx", "moodle-video", "adapt", "rise", "h5p", "marsha", "cmi5", "xapi-videojs",
}  # fmt: skip


def recorded(emitter: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((FOLDER / f"{emitter}.json").read_text())
    return told


def arriving(lrs: Lrs, clock: TestClock, said: list[dict[str, Any]]) -> Counter[str]:
    """Each statement sent when it was said; what became of them, by the answers' heads."""
    began_ms, fates = clock(), Counter[str]()
    for it in said:
        clock.now_ms = began_ms + it["at_s"] * 1000
        at = datetime.fromtimestamp(clock() / 1000, SHANGHAI).isoformat()
        answer = lrs.post({**it["statement"], "timestamp": at})
        assert answer.status_code == 200, answer.text
        fate, _, count = answer.headers["zhenxue-statements"].partition("=")
        fates[fate] += int(count)
    return fates


def content_s(credited: list[list[int]]) -> float:
    """Seconds of content that were played, each once."""
    seen: set[int] = set()
    for start_ms, end_ms, *_ in credited:
        seen.update(range(start_ms // 10, end_ms // 10))
    return len(seen) / 100


def test_every_emitter_that_was_asked_for_is_recorded() -> None:
    assert set(EMITTERS) >= NAMED


@pytest.mark.parametrize("emitter", EMITTERS)
def test_an_emitter_as_it_is_is_credited_or_its_platform_is_told(
    client: TestClient, county: County, services: Services, clock: TestClock, emitter: str
) -> None:
    found_school(client, county, controls="platform")
    lrs, it = Lrs(client, county.huang), recorded(emitter)
    mapped = client.put("/v1/statement-mapping", json=it["mapping"], headers=lrs.headers)
    assert mapped.status_code == 200, mapped.text
    assert arriving(lrs, clock, it["said"]) == it["fates"]

    clock.advance(minutes=3)
    sweep(services)
    settle_all(services)
    credited_s = 0.0
    with services.database.read() as connection:
        sessions = list(connection.scalars(select(Session.external_id)))
    for session in sessions:
        view = client.get(f"/v1/sessions/{session}", headers=lrs.headers).json()
        ended = "terminated" if it.get("ends", True) else "lease"
        assert (view["learner_id"], view["lesson_id"]) == ("lin", "l1")
        assert view["close_reason"] == ended
        credited_s += content_s(view["credited"])
        assert all(one["fault"] != "learner" for one in view["verdict"]["findings"])
    assert credited_s == pytest.approx(it["credited_s"], abs=0.5)

    record = client.get("/v1/platforms/huang-edu/conformity", headers=lrs.headers).json()
    notes = {note["code"] for note in record["notes"]}
    assert bool(credited_s) is ("told" not in it)  # never 200 and nothing, and nobody told
    if "told" in it:
        assert it["told"] in notes
