"""A face check under the newest pack, answered through the API: only a head that turns passes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain.controls import draws
from app.domain.policy.sitting_terms import BURST_MS
from app.jobs.face_worker import run_pending
from app.jobs.settler import settle_all
from app.services import Services
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.store.faces import snapshots as store
from app.vision import attack_set
from app.vision.backends import load
from benchmarks.face_attacks import ENROLLED, FACE_ATTACKS, FaceAttack, Sent
from detectors.trace import Check, PhotoFlag
from tests.api.test_sessions import found_school, opening, post
from tests.api.test_snapshots import beat, tell
from tests.jobs.test_face_worker import enrol, photos, put
from tests.people import County, TestClock
from tests.thorough import later

pytestmark = pytest.mark.thorough

LIN = PORTRAIT_SEEDS[4]
NEWEST = "huangchuan-2021-graded"


@pytest.fixture
def sitting(client: TestClient, county: County) -> dict[str, Any]:
    found_school(client, county, policy_id=NEWEST)
    enrol(client, county, "lin", portrait(LIN, noise_seed=ENROLLED))
    for take in (901, 902):
        enrol(client, county, "lin", portrait(LIN, noise_seed=take))
    opened: dict[str, Any] = post(
        client, county, opening(session_id="s1", client={"face_actions": list(draws.MOVES)})
    ).json()
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
    clock.advance(milliseconds=BURST_MS)
    run_pending(services)
    return photos(services, county)


def judged_as_a_folder(folder: Path, check: dict[str, Any], sent: list[Sent]) -> str:
    """What `zhenxue calibrate` makes of the same pictures, which counts how many attacks pass."""
    presentation = folder / "presentations" / "species" / "one"
    presentation.mkdir(parents=True)
    for n, (_, data) in enumerate(sent):
        (presentation / f"{n:02}.jpg").write_bytes(data)
    gap_ms = (sent[-1][0] - sent[0][0]) // max(1, len(sent) - 1)
    asked = {name: check[name] for name in ("actions", "frames")} | {"frame_ms": gap_ms}
    (presentation / "challenge.json").write_text(json.dumps(asked))
    (found,) = attack_set.presentations(folder / "presentations")
    return attack_set.judge(found, load())


@pytest.mark.parametrize(
    "attack", [*FACE_ATTACKS[:3], *later(*FACE_ATTACKS[3:])], ids=lambda it: it.en
)
def test_only_a_head_that_turns_as_asked_passes(
    client: TestClient,
    county: County,
    clock: TestClock,
    services: Services,
    sitting: dict[str, Any],
    attack: FaceAttack,
    tmp_path: Path,
) -> None:
    check = sitting["controls"]["face_check"]
    assert check["frames"] == 23 and len(set(check["actions"]) & set(draws.MOVES)) == 1
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
    sent = list(attack.answer(LIN, check["actions"], load()))
    if "known_picture" not in attack.reasons:  # a folder knows no other photos
        assert judged_as_a_folder(tmp_path, check, sent) == live["outcome"]
    again = tell(client, county, clock, [beat(clock)])["controls"].get("face_check")
    told = None if again is None else again["reason"]
    assert told in (attack.told or (None,))


@pytest.mark.parametrize(("stalls_s", "outcome"), [(20, "live"), (35, "inconclusive")])
def test_a_line_that_stalls_for_a_while_leaves_the_burst_whole(
    client: TestClient,
    county: County,
    clock: TestClock,
    services: Services,
    sitting: dict[str, Any],
    stalls_s: int,
    outcome: str,
) -> None:
    check, head = sitting["controls"]["face_check"], FACE_ATTACKS[0]
    begun, stall = clock.now_ms, 1_000 * stalls_s
    for frame, (at_ms, data) in enumerate(head.answer(LIN, check["actions"], load())):
        held = stall if frame >= 10 else 0
        if frame == 10:
            clock.now_ms = begun + at_ms + held - 1
            run_pending(services)
        clock.now_ms = begun + at_ms + held
        put(
            client,
            county,
            f"p{frame}",
            data,
            challenge_id=check["challenge_id"],
            frame=frame,
            purpose="challenge",
            taken_at_ms=begun + at_ms,
        )
    run_pending(services)
    judged = [photo.reading.get("liveness", {}) for photo in photos(services, county)]
    assert {it.get("outcome") for it in judged} == {outcome}
    assert all(("too_few_frames" in it["reasons"]) == (outcome != "live") for it in judged)


def test_a_photo_of_the_same_still_excuses_no_frozen_feed(
    client: TestClient,
    county: County,
    clock: TestClock,
    services: Services,
    sitting: dict[str, Any],
) -> None:
    (frozen,) = (it for it in FACE_ATTACKS if it.id == "P1")
    answered(client, county, clock, services, sitting["controls"]["face_check"], frozen)
    clock.advance(minutes=5)
    (_, still), *_ = frozen.answer(LIN, ("turn_left", "turn_right"), load())
    put(client, county, "random", still, purpose="random")
    run_pending(services)
    assert "near_duplicate" in photos(services, county)[-1].reading
    closed = client.post("/v1/sessions/s1/close", headers=county.huang.headers)
    assert closed.status_code == 202, closed.text
    settle_all(services)
    told = client.get("/v1/sessions/s1", headers=county.huang.headers).json()["verdict"]
    found = {it["reason"] for it in told["findings"] if it["rule"] == "face_liveness"}
    assert told["outcome"] == "pending_review" and "feed_not_live" in found
