"""Photos become decisions outside the request, once, whatever happens to the worker."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image, ImageEnhance, ImageOps
from sqlalchemy import select, update

from app.clock import system_clock
from app.domain.faces import enrolment_photos, retention
from app.domain.policy.sitting_terms import BURST_MS
from app.jobs import face_worker, purge
from app.jobs.face_worker import CLAIM_MS, MOST_ATTEMPTS, FaceWorker, run_pending
from app.services import Services
from app.settings import Settings
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.store.faces import calibrations, face_keys
from app.store.faces import snapshots as store
from app.store.faces.blobs import Blobs, StoreAway
from app.store.judging import conformity
from app.store.sittings import sittings as sitting_store
from app.vision.model_card import DLIB_RESNET, read_card
from app.vision.model_files import NO_FILES, BackendFiles, ModelFile
from app.vision.onnx_graph import Graph
from app.vision.readers import FaceReaders, ReadersNotStarted
from app.vision.seen import Seen, Unread
from detectors.trace import Check, PhotoFlag
from models import AuditEntry, Learner, Lesson, PhotoCode, ReferencePhoto, Session
from tests.api.test_sessions import found_school, opening, post
from tests.people import County, TestClock
from tests.waiting import eventually

LIN, WU = PORTRAIT_SEEDS[:2]  # artificial people


@functools.cache
def face(person: int, take: int, **changes: Any) -> bytes:
    """Nobody holds the head twice in one way: a drawn face that did would be a copy of itself."""
    return portrait(person, noise_seed=take, **{"pose": (take * 3 % 7 - 3) * 0.07, **changes})


def enrol(client: TestClient, county: County, learner: str, data: bytes) -> Any:
    return client.put(
        f"/v1/learners/{learner}/reference-photo",
        content=data,
        headers={**county.huang.headers, "content-type": "image/jpeg"},
    )


def put(client: TestClient, county: County, name: str, data: bytes, **query: Any) -> Any:
    answer = client.put(
        f"/v1/sessions/{query.pop('session', 's1')}/snapshots/{name}",
        content=data,
        params={"purpose": "random", **query},
        headers={**county.huang.headers, "content-type": "image/jpeg"},
    )
    assert answer.status_code == 202, answer.text
    return answer.json()


@pytest.fixture
def sitting(client: TestClient, county: County) -> dict[str, Any]:
    found_school(client, county)
    opened: dict[str, Any] = post(client, county, opening(session_id="s1")).json()
    return opened


def photos(services: Services, county: County, session: str = "s1") -> list[Any]:
    with services.database.read() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, session)
        assert row is not None
        return list(store.rows(connection, row.id))


def checks(services: Services, county: County, session: str = "s1") -> list[Check]:
    return [Check(photo.check) for photo in photos(services, county, session)]


def test_lin_is_recognised_and_somebody_else_is_not(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
) -> None:
    for take in range(3):
        assert enrol(client, county, "lin", face(LIN, take)).status_code == 200
    for take in range(3):
        clock.advance(minutes=1)
        put(client, county, f"p{take}", face(LIN, 10 + take))
    assert run_pending(services) == 3
    done = photos(services, county)
    assert [Check(photo.check) for photo in done] == [Check.MATCH] * 3
    assert all(photo.score <= photo.limit and photo.status == "done" for photo in done)
    assert [photo.reading["decision"]["snapshots"] for photo in done] == [3, 3, 3]
    assert len({(photo.score, photo.limit) for photo in done}) == 1
    assert done[0].phash is not None and done[0].embedding_encrypted is not None

    post(client, county, opening("wu", session_id="s2"))
    enrol(client, county, "wu", face(LIN, 0))
    for take in range(3):
        put(client, county, f"p{take}", face(WU, take), session="s2")
    run_pending(services)
    assert Check.MATCH not in checks(services, county, "s2")
    assert checks(services, county, "s2")[-1] in (Check.MISMATCH, Check.REVIEW)


def test_a_picture_without_a_face_and_a_dark_one_are_told_apart(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    put(client, county, "dark", face(LIN, 1, light=0.12))
    whole = face(LIN, 2)
    put(client, county, "empty", whole[: whole.index(b"\xff\xda") + 20] + bytes(900) + b"\xff\xd9")
    run_pending(services)
    dark, empty = checks(services, county)
    assert dark in (Check.LOW_QUALITY, Check.NO_FACE)
    assert empty in (Check.UNREADABLE, Check.NO_FACE)


def test_photos_wait_for_the_reference_and_are_compared_when_it_comes(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    put(client, county, "p1", face(LIN, 1))
    run_pending(services)
    assert checks(services, county) == [Check.NO_REFERENCE]
    enrol(client, county, "lin", face(LIN, 0))
    run_pending(services)
    assert checks(services, county) == [Check.MATCH]


def live_sittings(services: Services) -> list[bool]:
    """What the platform's conformity record counts, sitting by sitting."""
    with services.database.read() as connection:
        (class_id,) = connection.scalars(select(Session.class_id).distinct())
        return [row.live > 0 for row in conformity.photos(connection, class_id)]


@pytest.mark.both_databases
def test_lin_turns_the_head_as_asked_and_is_alive(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    check = sitting["controls"]["face_check"]
    turns = [1.0 if action == "turn_left" else -1.0 for action in check["actions"]]
    poses = [0, 0, 0, *[turns[0]] * 4, 0, 0, *[turns[1]] * 4, 0, 0, 0]
    for frame, pose in enumerate(poses):
        clock.advance(milliseconds=500)
        query = {"challenge_id": check["challenge_id"], "frame": frame, "purpose": "start"}
        put(client, county, f"f{frame}", face(LIN, 50 + frame, pose=pose), **query)
        if frame == 14:
            run_pending(services)
            assert {photo.status for photo in photos(services, county)} == {"read"}
    run_pending(services)
    found = photos(services, county)
    assert [photo.reading["liveness"] for photo in found] == [found[0].reading["liveness"]] * 16
    assert found[-1].reading["liveness"]["outcome"] == "live", found[-1].reading["liveness"]
    packed = store.photos_array(found, [], 0)
    assert packed["flags"][-1] & PhotoFlag.LIVE
    assert Check.MATCH in checks(services, county)
    assert live_sittings(services) == [True]


def test_a_still_picture_does_not_pass_for_alive(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
) -> None:
    check = sitting["controls"]["face_check"]
    for frame in range(8):
        query = {"challenge_id": check["challenge_id"], "frame": frame, "purpose": "start"}
        put(client, county, f"f{frame}", face(LIN, 50 + frame), **query)
    clock.advance(milliseconds=BURST_MS)
    run_pending(services)
    found = photos(services, county)
    assert all(photo.reading["liveness"]["outcome"] == "inconclusive" for photo in found)
    assert all("too_few_frames" in photo.reading["liveness"]["reasons"] for photo in found)
    assert live_sittings(services) == [False]


def test_after_the_last_photo_a_closed_sitting_is_judged_again(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    judged: list[int] = []
    services.on_closed.append(judged.append)
    put(client, county, "p1", face(LIN, 1))
    client.post("/v1/sessions/s1/close", headers=county.huang.headers)
    put(client, county, "p2", face(LIN, 2))
    assert len(judged) == 1
    run_pending(services)
    assert len(judged) == 2 and judged[0] == judged[1]
    run_pending(services)
    assert len(judged) == 2


def test_a_good_reference_photo_is_reported_and_never_given_back(
    client: TestClient, county: County, sitting: dict[str, Any]
) -> None:
    first = enrol(client, county, "lin", face(LIN, 0))
    assert first.status_code == 200, first.text
    body = first.json()
    assert (body["status"], body["photos"], body["confidence"]) == ("ready", 1, "low")
    assert body["quality"]["quality"]["interocular"] > 48
    assert "embedding" not in first.text and "template" not in first.text
    assert enrol(client, county, "lin", face(LIN, 0)).json()["photos"] == 1
    for take in range(1, 5):
        again = enrol(client, county, "lin", face(LIN, take)).json()
    assert (again["photos"], again["confidence"]) == (5, "normal")
    assert again["quality"]["agrees_with_enrolled"] == "match"


def test_who_is_erased_while_their_photo_is_read_leaves_nothing_of_it(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    platform_id = county.huang.platform.id
    with services.database.write() as connection:
        lin = enrolment_photos.learner_of(connection, platform_id, "lin")
        enrolment_photos.defer(connection, services.photos, lin, face(LIN, 0), services.clock())
    worker = FaceWorker(services)
    look = worker._look

    def erased_meanwhile(pictures: Sequence[bytes | Unread], *, enrolment: bool) -> Any:
        seen = look(pictures, enrolment=enrolment)
        assert isinstance(seen[0], Seen)
        with services.database.write() as connection:
            told: dict[str, Any] = {"actor": "test", "now_ms": services.clock()}
            retention.erase_learner(connection, platform_id, "lin", reason="本人要求", **told)
        purge.sweep(services)
        return seen

    monkeypatch.setattr(worker, "_look", erased_meanwhile)
    worker.step()
    with services.database.read() as connection:
        assert connection.execute(select(PhotoCode)).all() == []
        row = connection.execute(select(ReferencePhoto)).one()
    assert (row.status, row.template_encrypted, row.quality) == (
        "refused",
        None,
        {"reasons": ["image_unreadable"]},
    )


@pytest.mark.parametrize("light", [0.08])
def test_an_unusable_reference_photo_says_what_to_do(
    client: TestClient, county: County, sitting: dict[str, Any], light: float
) -> None:
    answer = enrol(client, county, "lin", face(LIN, 0, light=light))
    assert (answer.status_code, answer.json()["code"]) == (422, "photo_unusable")
    assert all(reason["zh"] and reason["en"] for reason in answer.json()["reasons"])


def test_a_reference_photo_needs_the_learner_and_a_picture(
    client: TestClient, county: County, sitting: dict[str, Any]
) -> None:
    assert enrol(client, county, "nobody", face(LIN, 0)).status_code == 404
    assert enrol(client, county, "lin", b"no picture").status_code == 415


# ------------------------------------------------------------------ workers that die, and attacks


class Fatal:
    """Readers that lose their worker at every picture."""

    processes = 1
    files = NO_FILES

    def start(self) -> None: ...

    def read(self, pictures: Any, *, enrolment: bool = False) -> list[Seen | Unread]:
        return [Unread("worker_lost", final=False) for _ in pictures]


def test_a_picture_that_ends_every_worker_is_given_up(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    put(client, county, "p1", face(LIN, 1))
    worker = FaceWorker(services, Fatal())  # type: ignore[arg-type]
    for _ in range(MOST_ATTEMPTS):
        worker.step()
    assert checks(services, county) == [Check.PENDING]
    worker.step()
    (photo,) = photos(services, county)
    assert (photo.status, Check(photo.check)) == ("failed", Check.LOST)


@pytest.mark.both_databases
def test_two_workers_never_hold_the_same_photo(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    for name in range(6):
        put(client, county, f"p{name}", face(LIN, name))
    now_ms = services.clock()
    with services.database.write() as connection:
        first = store.claim(connection, "a", now_ms, now_ms + CLAIM_MS, 4, 3)
    with services.database.write() as connection:
        second = store.claim(connection, "b", now_ms, now_ms + CLAIM_MS, 4, 3)
    assert len(first) == 4 and len(second) == 2
    assert not {photo.id for photo in first} & {photo.id for photo in second}


@pytest.mark.both_databases
def test_a_photo_claimed_under_a_clock_a_month_ahead_is_free_once_the_clock_is_right(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    put(client, county, "p1", face(LIN, 1))
    now_ms = services.clock()
    ahead_ms = now_ms + 31 * 24 * 3_600_000
    with services.database.write() as connection:
        assert store.claim(connection, "dead", ahead_ms, ahead_ms + CLAIM_MS, 4, 3)
        assert store.any_to_do(connection, now_ms)
        assert store.claim(connection, "a", now_ms, now_ms + CLAIM_MS, 4, 3)


def test_a_late_worker_does_not_overwrite_who_took_over(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    put(client, county, "p1", face(LIN, 1))
    now_ms = services.clock()
    with services.database.write() as connection:
        (photo,) = store.claim(connection, "slow", now_ms, now_ms + CLAIM_MS, 4, 3)
    with services.database.write() as connection:
        later = now_ms + CLAIM_MS
        assert store.claim(connection, "quick", later, later + CLAIM_MS, 4, 3)
    with services.database.write() as connection:
        assert not store.put_reading(connection, photo, "slow", status="read", reading={})
        assert store.put_reading(connection, photo, "quick", status="read", reading={})


_CLAIMS_AND_HANGS = """
import sys, time
from app.jobs.face_worker import FaceWorker
from app.services import Services
from app.settings import Settings

class Hangs:
    processes = 1
    def start(self): ...
    def read(self, pictures, *, enrolment=False):
        print("claimed", flush=True)
        time.sleep(600)

FaceWorker(Services.build(Settings()), Hangs()).step()
"""


@pytest.mark.both_databases
def test_what_a_killed_worker_had_in_hand_is_taken_over(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    settings: Settings,
    clock: TestClock,
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    put(client, county, "p1", face(LIN, 1))
    environment = os.environ | {
        "ZHENXUE_DATABASE_URL": settings.database_url,
        "ZHENXUE_DATA_DIR": str(settings.data_dir),
    }
    worker = subprocess.Popen(
        [sys.executable, "-c", _CLAIMS_AND_HANGS],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert worker.stdout is not None and "claimed" in worker.stdout.readline()
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    clock.now_ms = system_clock()
    assert run_pending(services) == 0  # its claim still stands
    assert checks(services, county) == [Check.PENDING]
    clock.advance(milliseconds=CLAIM_MS)
    assert run_pending(services) == 1
    assert checks(services, county) == [Check.MATCH]


@pytest.mark.thorough
@pytest.mark.slow
@pytest.mark.both_databases
def test_killed_between_two_photos_none_is_lost_and_none_is_judged_twice(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    settings: Settings,
    clock: TestClock,
) -> None:
    count = 12
    enrol(client, county, "lin", face(LIN, 0))
    for take in range(count):
        clock.advance(minutes=1)
        put(client, county, f"p{take}", face(LIN, take))
    environment = os.environ | {
        "ZHENXUE_DATABASE_URL": settings.database_url,
        "ZHENXUE_DATA_DIR": str(settings.data_dir),
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "app.cli.main", "worker", "--processes", "1"], env=environment
    )
    assert eventually(lambda: Check.MATCH in checks(services, county))
    worker.kill()
    worker.wait()
    decided = {it.id: it.checked_ms for it in photos(services, county) if it.status == "done"}
    assert 0 < len(decided) < count
    clock.now_ms = system_clock() + CLAIM_MS
    run_pending(services)
    found = photos(services, county)
    assert [Check(it.check) for it in found] == [Check.MATCH] * count
    assert {it.reading["decision"]["snapshots"] for it in found} == {count}
    assert len({it.score for it in found}) == 1


@pytest.mark.thorough
def test_a_reader_that_is_killed_costs_no_photo(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    for name in range(2):
        put(client, county, f"p{name}", face(LIN, name))
    readers = FaceReaders(1)
    try:
        assert readers.read([face(LIN, 9)])
        pool = readers._pool
        assert pool is not None
        for pid in list(pool._processes or {}):
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: pool._broken is not False)
        assert run_pending(services, readers=readers) == 2
    finally:
        readers.stop()
    assert checks(services, county) == [Check.MATCH, Check.MATCH]


def test_the_queue_shows_in_the_metrics(
    client: TestClient, county: County, sitting: dict[str, Any], clock: TestClock
) -> None:
    put(client, county, "p1", face(LIN, 1))
    clock.advance(seconds=30)
    text = client.get("/metrics").text
    assert "zhenxue_face_checks_waiting 1.0" in text
    assert "zhenxue_face_checks_oldest_seconds 30.0" in text


def test_a_cohort_that_the_model_does_not_fit_shows_in_the_metrics(
    client: TestClient, services: Services, clock: TestClock
) -> None:
    assert "zhenxue_face_model_misfit 0.0" in client.get("/metrics").text
    with services.database.write() as connection:
        calibrations.add(
            connection,
            model=services.settings.model_files.card().model,
            created_ms=clock(),
            actor="system:nightly",
            applied=False,
            body={"alarm": "FMR 1 % at 0.27, below 0.31"},
        )
    assert "zhenxue_face_model_misfit 1.0" in client.get("/metrics").text


def test_the_default_model_card_is_at_hand_before_any_model_is_loaded() -> None:
    assert face_worker._default_card().model.startswith("dlib-resnet")


_STARTS_A_READER = """
import os, sys
from app.vision.onnx_graph import Graph
from app.vision.readers import FaceReaders, ReadersNotStarted
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait

if __name__ == "__main__":
    readers = FaceReaders(1)
    readers.read([portrait(3)])
    print(*readers._pool._processes, flush=True)
    os.kill(os.getpid(), 9)
"""


_WITHOUT_A_GUARD = """
import os, threading
from app.vision import readers

readers.START_S = HOW_LONG
try:
    readers.FaceReaders(1).read([b"a picture"])
except readers.ReadersNotStarted as refusal:
    print(os.getpid(), refusal.detail, flush=True)
THEN
"""


@pytest.mark.thorough
@pytest.mark.parametrize(
    "start_s, then, what",
    [
        (5, "threading.Event().wait(60)", "did not start within 5 s"),
        (60, "raise SystemExit(1)", "ended while it started"),
    ],
)
def test_readers_that_cannot_start_are_told_with_the_likely_cause(
    tmp_path: Path, start_s: int, then: str, what: str
) -> None:
    script = tmp_path / "service.py"
    script.write_text(_WITHOUT_A_GUARD.replace("HOW_LONG", str(start_s)).replace("THEN", then))
    process = subprocess.Popen(
        [sys.executable, str(script)],
        env=os.environ | {"PYTHONPATH": os.getcwd()},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    lines = iter(process.stdout.readline, "")  # its reader prints too: it is the same program
    told = next(line for line in lines if line.startswith(f"{process.pid} "))
    process.kill()
    process.wait()
    process.stdout.close()
    assert what in told
    assert 'under `if __name__ == "__main__":`' in told


class NeverUp(FaceReaders):
    """Readers whose models cannot be loaded."""

    def start(self) -> None:
        raise ReadersNotStarted("face_readers", "the models are not there")


def test_photos_wait_unharmed_while_no_reader_starts(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    put(client, county, "p1", face(LIN, 1))
    worker = FaceWorker(services, NeverUp(1))
    for _ in range(MOST_ATTEMPTS + 1):
        with pytest.raises(ReadersNotStarted):
            worker.step()
    assert checks(services, county) == [Check.PENDING]
    assert run_pending(services) == 1
    assert checks(services, county) == [Check.MATCH]


@pytest.mark.both_databases
def test_photos_wait_unharmed_while_the_store_is_away(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    put(client, county, "p1", face(LIN, 1))
    there = services.photos
    services.photos = replace(there, blobs=Blobs("http://127.0.0.1:9/photos"))
    refused = client.put(
        "/v1/sessions/s1/snapshots/p2?purpose=random",
        content=face(LIN, 2),
        headers={**county.huang.headers, "content-type": "image/jpeg"},
    )
    assert (refused.status_code, refused.json()["code"]) == (503, "photo_store")
    assert refused.headers["retry-after"]
    assert checks(services, county) == [Check.PENDING, Check.LOST]  # it came: we have not got it
    for _ in range(MOST_ATTEMPTS + 1):
        with pytest.raises(StoreAway):
            run_pending(services)
    assert checks(services, county) == [Check.PENDING, Check.LOST]
    services.photos = there
    put(client, county, "p2", face(LIN, 2))
    assert run_pending(services) == 2
    assert checks(services, county) == [Check.MATCH, Check.MATCH]


@pytest.mark.both_databases
def test_a_photo_that_the_service_lost_accuses_nobody_and_is_compared_when_found_again(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    put(client, county, "p1", face(LIN, 1))
    (photo,) = photos(services, county)
    kept = services.blobs.get(photo.blob_key)
    services.blobs.delete(photo.blob_key)
    run_pending(services)
    assert checks(services, county) == [Check.LOST]
    with services.database.read() as connection:
        class_id = connection.scalar(select(Session.class_id))
    assert services.kept_photos.recheck(class_id, whole=True).counts["lost"] == 1
    services.blobs.put(photo.blob_key, kept)
    assert services.kept_photos.recheck(class_id, whole=True).counts["found_again"] == 1
    run_pending(services)
    assert checks(services, county) == [Check.MATCH]


def test_a_wrong_first_enrolment_photo_is_outvoted_by_the_right_ones(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    enrol(client, county, "lin", face(WU, 0))  # the platform's mistake
    first = enrol(client, county, "lin", face(LIN, 0)).json()
    assert first["quality"]["agrees_with_enrolled"] == "mismatch"
    assert "传错了人" in first["advice"]
    put(client, county, "p1", face(LIN, 10))
    run_pending(services)
    assert checks(services, county) == [Check.REVIEW]  # nobody knows who of them is Lin
    for take in (1, 2):
        enrol(client, county, "lin", face(LIN, take))
    for take in range(3):
        put(client, county, f"q{take}", face(LIN, 11 + take))
    run_pending(services)
    assert checks(services, county)[1:] == [Check.MATCH] * 3


def test_a_wrong_enrolment_photo_is_replaced_and_that_stands_in_the_audit_log(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    enrol(client, county, "lin", face(WU, 0))
    for take in range(3):
        put(client, county, f"p{take}", face(LIN, 10 + take))
    run_pending(services)
    before = checks(services, county)
    assert Check.MATCH not in before
    right = client.put(
        "/v1/learners/lin/reference-photo?replace=true",
        content=face(LIN, 0),
        headers={**county.huang.headers, "content-type": "image/jpeg"},
    ).json()
    assert right["photos"] == 1 and "agrees_with_enrolled" not in right["quality"]
    put(client, county, "p4", face(LIN, 14))
    run_pending(services)
    assert checks(services, county) == [*before, Check.MATCH]  # people overturn, nothing else
    with services.database.read() as connection:
        (entry,) = connection.execute(
            select(AuditEntry).where(AuditEntry.action == "enrolment.replaced")
        )
    assert entry.actor.startswith("key:") and entry.detail == {"photos": 1}


def test_consent_withdrawn_midway_stops_the_comparison_and_accuses_nobody(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    put(client, county, "p1", face(LIN, 1))
    run_pending(services)
    put(client, county, "p2", face(WU, 2))
    with services.database.write() as connection:
        connection.execute(update(Learner).values(face_consent=False))
    answer = client.put(
        "/v1/sessions/s1/snapshots/p3?purpose=random",
        content=face(LIN, 3),
        headers={**county.huang.headers, "content-type": "image/jpeg"},
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "no_face_consent")
    run_pending(services)
    assert checks(services, county) == [Check.MATCH, Check.NO_CONSENT]


@pytest.mark.thorough
def test_readers_do_not_outlive_a_killed_service(tmp_path: Path) -> None:
    script = tmp_path / "service.py"
    script.write_text(_STARTS_A_READER)
    environment = os.environ | {"PYTHONPATH": os.getcwd()}
    told = subprocess.run(
        [sys.executable, str(script)], env=environment, stdout=subprocess.PIPE, text=True
    )
    reader = int(told.stdout.split()[0])
    assert eventually(lambda: not Path(f"/proc/{reader}").exists())


def test_a_picture_held_before_the_camera_goes_to_a_person(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    check = sitting["controls"]["face_check"]
    for frame in range(7):
        clock.advance(milliseconds=500)
        query = {"challenge_id": check["challenge_id"], "frame": frame, "purpose": "start"}
        put(client, county, f"f{frame}", face(LIN, 3) + bytes([frame]), **query)
    clock.advance(milliseconds=BURST_MS)
    run_pending(services)
    found = photos(services, county)
    assert "frozen_feed" in found[-1].reading["liveness"]["reasons"]
    assert found[-1].reading["liveness"]["signs"]["span_ms"] == 3_000
    assert Check(found[-1].check) is Check.REVIEW
    assert store.photos_array(found, [], 0)["flags"][-1] & PhotoFlag.FEED_NOT_LIVE


def doubtful_of_everything(folder: Path) -> BackendFiles:
    """An anti-spoofing pair to which the green of a face is its life, and no face is green."""
    graph = Graph()
    pooled = graph.node("Flatten", [graph.node("GlobalAveragePool", ["face"])])
    graph.node("Softmax", [pooled], output="classes")
    path = folder / "pair.onnx"
    path.write_bytes(graph.model("pair", ("face", [3, 80, 80]), ("classes", [3])))
    file = ModelFile(path, hashlib.sha256(path.read_bytes()).hexdigest())
    return BackendFiles(anti_spoof=(file, file))


def test_what_the_anti_spoofing_model_doubts_is_no_match_at_random_or_in_a_short_burst(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
    tmp_path: Path,
) -> None:
    for take in range(3):
        enrol(client, county, "lin", face(LIN, take))
    check = sitting["controls"]["face_check"]
    for frame in range(3):
        query = {"challenge_id": check["challenge_id"], "frame": frame, "purpose": "start"}
        put(client, county, f"f{frame}", face(LIN, 10 + frame), **query)
    clock.advance(minutes=3)
    put(client, county, "random", face(LIN, 20))
    run_pending(services, readers=FaceReaders(0, doubtful_of_everything(tmp_path)))
    found = photos(services, county)
    assert len(found) == 4 and {Check(it.check) for it in found} == {Check.REVIEW}
    for photo in found:
        assert "attack_model" in photo.reading["liveness"]["reasons"]
        assert photo.reading["decision"]["zone"] == "match"


def changed(data: bytes, *, mirrored: bool) -> bytes:
    """The same photograph, brighter, saved again."""
    with Image.open(io.BytesIO(data)) as picture:
        other = ImageEnhance.Brightness(ImageOps.mirror(picture) if mirrored else picture)
        buffer = io.BytesIO()
        other.enhance(1.08).save(buffer, "JPEG", quality=70)
    return buffer.getvalue()


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_photo_of_another_sitting_that_is_saved_again_is_noticed(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
    mirrored: bool,
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    put(client, county, "old", face(LIN, 3))
    put(client, county, "burst", changed(face(LIN, 3), mirrored=mirrored))  # of the same sitting
    client.post("/v1/sessions/s1/close", headers=county.huang.headers)
    clock.advance(hours=1)
    post(client, county, opening(session_id="s2"))
    put(client, county, "new", face(LIN, 4, pose=0.1), session="s2")
    put(client, county, "again", changed(face(LIN, 3), mirrored=mirrored), session="s2")
    run_pending(services)
    own = photos(services, county)
    assert not any("near_duplicate" in photo.reading for photo in own)
    new, again = photos(services, county, "s2")
    assert "near_duplicate" not in new.reading
    assert again.reading["near_duplicate"]["session_id"] == "s1"
    flags = store.photos_array([again], [], 0)["flags"][0]
    assert flags & PhotoFlag.NEAR_DUPLICATE
    with services.database.read() as connection:
        copies = store.copies(connection, [again.session_id])
    assert copies[again.session_id, 1].snapshot_id in ("old", "burst")


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_enrolled_photo_saved_again_is_noticed_in_a_first_sitting(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    mirrored: bool,
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    put(client, county, "start", changed(face(LIN, 0), mirrored=mirrored), purpose="start")
    put(client, county, "again", changed(face(LIN, 0), mirrored=mirrored))
    put(client, county, "live", face(LIN, 3, pose=0.1))
    run_pending(services)
    told = {
        photo.external_id: photo.reading.get("near_duplicate") for photo in photos(services, county)
    }
    assert told["start"] is told["live"] is None
    assert told["again"] is not None and told["again"]["session_id"] is None
    assert told["again"]["residual"] <= 0.04
    with services.database.read() as connection:
        session_id = photos(services, county)[0].session_id
        (copy,) = store.copies(connection, [session_id]).values()
    assert copy.session_id is None


class AtDistance(FaceReaders):
    """Reads real pictures, and puts every face at one distance from the enrolled one."""

    def __init__(self, services: Services, learner_id: int, distance: float) -> None:
        super().__init__(0)
        card = read_card(DLIB_RESNET)
        with services.database.read() as connection:
            key = face_keys.key(connection, services.vault, learner_id)
            assert key is not None
            enrolled = enrolment_photos.template(connection, key, learner_id, card)
        assert enrolled is not None
        aside = np.eye(1, card.dim, dtype=np.float32)[0] * distance
        self.embedding = (enrolled.mean + aside).astype("<f4").tobytes()

    def read(self, pictures: Sequence[bytes], *, enrolment: bool = False) -> list[Seen | Unread]:
        seen = super().read(pictures, enrolment=enrolment)
        return [
            replace(it, embedding=self.embedding) if isinstance(it, Seen) else it for it in seen
        ]


@pytest.mark.both_databases
def test_a_face_that_passes_alone_in_many_short_sittings_is_held_against_the_whole_class_hour(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
) -> None:
    for take in range(3):
        assert enrol(client, county, "lin", face(LIN, take)).status_code == 200
    with services.database.read() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
        assert row is not None
    readers = AtDistance(services, row.learner_id, 0.29)
    put(client, county, "p1", face(LIN, 10))
    run_pending(services, readers=readers)
    assert checks(services, county) == [Check.MATCH]
    for number in (2, 3):
        client.post(
            f"/v1/sessions/s{number - 1}/close",
            json={"reason": "done"},
            headers=county.huang.headers,
        )
        clock.advance(minutes=1)
        assert post(client, county, opening(session_id=f"s{number}")).status_code == 201
        put(client, county, "p1", face(LIN, 10 + number), session=f"s{number}")
        run_pending(services, readers=readers)
    (photo,) = photos(services, county, "s3")
    assert photo.check == Check.REVIEW
    assert photo.reading["decision"]["zone"] == "match"
    assert "with_others" not in photo.reading
    assert photo.reading["class_hour"]["snapshots"] == 3
    assert photo.score > photo.limit


def test_another_lessons_photos_say_nothing_of_this_class_hour(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
) -> None:
    enrol(client, county, "lin", face(LIN, 0))
    put(client, county, "p1", face(LIN, 10))
    client.post("/v1/sessions/s1/close", json={"reason": "done"}, headers=county.huang.headers)
    with services.database.write() as connection:
        ours = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
        assert ours is not None
        l2 = select(Lesson.id).where(Lesson.external_id == "l2").scalar_subquery()
        connection.execute(update(Session).where(Session.id == ours.id).values(lesson_id=l2))
    clock.advance(minutes=1)
    post(client, county, opening(session_id="s2"))
    put(client, county, "p1", face(LIN, 11), session="s2")
    run_pending(services)
    (photo,) = photos(services, county, "s2")
    assert photo.check == Check.MATCH and "class_hour" not in photo.reading
