"""A face check under the newest pack, answered through the API: only a head that turns passes."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.jobs.face_worker import run_pending
from app.services import Services
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.store.faces import snapshots as store
from app.vision.backends import load
from benchmarks.face_attacks import ENROLLED, FACE_ATTACKS, FaceAttack
from detectors.trace import Check, PhotoFlag
from tests.api.test_sessions import found_school, opening, post
from tests.jobs.test_face_worker import enrol, photos, put
from tests.people import County, TestClock

LIN = PORTRAIT_SEEDS[4]
NEWEST = "huangchuan-2021-graded"


@pytest.fixture
def sitting(client: TestClient, county: County) -> dict[str, Any]:
    found_school(client, county, policy_id=NEWEST)
    enrol(client, county, "lin", portrait(LIN, noise_seed=ENROLLED))
    for take in (901, 902):
        enrol(client, county, "lin", portrait(LIN, noise_seed=take))
    opened: dict[str, Any] = post(client, county, opening(session_id="s1")).json()
    return opened


def answered(
    client: TestClient,
    county: County,
    clock: TestClock,
    services: Services,
    check: dict[str, Any],
    attack: FaceAttack,
) -> list[Any]:
    """Its photos, decided, when the burst is over."""
    begun = clock.now_ms
    for frame, (at_ms, data) in enumerate(attack.answer(LIN, check["actions"], load())):
        clock.now_ms = begun + at_ms
        put(
            client,
            county,
            f"{check['challenge_id']}-{frame}",
            data,
            challenge_id=check["challenge_id"],
            frame=frame,
            purpose="challenge",
        )
    clock.advance(seconds=11)
    run_pending(services)
    return photos(services, county)


def asked_again(client: TestClient, county: County, clock: TestClock) -> dict[str, Any] | None:
    clock.advance(seconds=5)
    body = {"batch": 1, "sent_at_ms": clock.now_ms, "events": []}
    told = client.post("/v1/sessions/s1/events", json=body, headers=county.huang.headers)
    assert told.status_code == 200, told.text
    found: dict[str, Any] | None = told.json()["controls"].get("face_check")
    return found


@pytest.mark.parametrize("attack", FACE_ATTACKS, ids=lambda it: it.en)
def test_only_a_head_that_turns_as_asked_passes(
    client: TestClient,
    county: County,
    clock: TestClock,
    services: Services,
    sitting: dict[str, Any],
    attack: FaceAttack,
) -> None:
    check = sitting["controls"]["face_check"]
    assert check["frames"] == 16
    found = answered(client, county, clock, services, check, attack)
    (judged,) = {repr(photo.reading["liveness"]) for photo in found}
    live = found[0].reading["liveness"]
    if attack.outcome == "not live":
        assert live["outcome"] in ("spoof", "inconclusive"), judged
    else:
        assert live["outcome"] == attack.outcome, judged
    assert set(attack.reasons) <= set(live["reasons"]), judged
    flags = store.photos_array(found, [], 0)["flags"]
    assert bool((flags & PhotoFlag.LIVE).any()) == (attack.outcome == "live")
    if live["outcome"] == "spoof":
        assert Check.MATCH not in {Check(photo.check) for photo in found}
    assert not any(photo.check in (Check.MISMATCH, Check.SPOOF) for photo in found)
