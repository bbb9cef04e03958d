"""Photos come in, are kept encrypted, and are refused for clear reasons."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert

from app.db import Database
from app.domain.faces import snapshots
from app.domain.policy import packs
from app.domain.policy.sitting_terms import BURST_MS
from app.domain.sittings import sitting_life
from app.jobs.face_worker import run_pending
from app.services import Services
from app.store.controls import controls as control_store
from app.store.faces import face_keys
from app.store.faces import snapshots as store
from app.store.judging import facts
from app.store.sittings import sittings as sitting_store
from app.vision import image_header
from detectors.facts import facts as detector_facts
from detectors.trace import Check, PhotoFlag, Purpose
from models import ReferencePhoto
from tests.api.test_sessions import found_school, opening, post
from tests.jobs.test_nightly_plans import asked, reads_all
from tests.people import LIN, WU, County, TestClock
from tests.vision.test_arrival import photo as of_a_phone


def png(shade: int = 0, width: int = 8, height: int = 8) -> bytes:
    """A small grey picture; another shade, other bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes([shade % 256]) * width for _ in range(height)))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.fixture
def sitting(client: TestClient, county: County) -> dict[str, Any]:
    found_school(client, county)
    opened: dict[str, Any] = post(client, county, opening(session_id="s1")).json()
    return opened


def put(
    client: TestClient, county: County, name: str = "p1", data: bytes | None = None, **query: Any
) -> Any:
    return client.put(
        f"/v1/sessions/{query.pop('session', 's1')}/snapshots/{name}",
        content=png() if data is None else data,
        params={"purpose": "start", **query},
        headers={**county.huang.headers, "content-type": "image/png"},
    )


@pytest.mark.both_databases
def test_a_photo_is_kept_encrypted_and_answers_its_challenge(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services, tmp_path: Path
) -> None:
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    answer = put(client, county, challenge_id=challenge, taken_at_ms=1_772_413_205_000)
    assert answer.status_code == 202, answer.text
    assert answer.json() == {
        "sha256": hashlib.sha256(png()).hexdigest(),
        "status": "pending",
        "bound": True,
        "late": False,
    }
    blobs = [path for path in (tmp_path / "blobs").rglob("[!.]*") if path.is_file()]
    assert len(blobs) == 1 and png() not in blobs[0].read_bytes()
    seen = client.get("/v1/sessions/s1", headers=county.huang.headers).json()
    assert seen["controls"][0]["answered_at_ms"] == services.clock()
    with services.database.read() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
        assert row is not None
        photos = store.rows(connection, row.id)
        controls = control_store.rows(connection, row.id)
        key = face_keys.key(connection, services.vault, row.learner_id)
    assert key is not None and services.photos.opened(key, photos[0].blob_key) == png()
    packed = store.photos_array(photos, controls, row.opened_ms)
    assert packed["control"][0] == 0 and packed["purpose"][0] == Purpose.START
    assert packed["check"][0] == Check.PENDING
    assert packed["flags"][0] == PhotoFlag.BOUND | PhotoFlag.KEPT


def test_a_photo_that_comes_costs_as_much_as_its_sitting(
    client: TestClient, county: County, sitting: dict[str, Any], database: Database
) -> None:
    """Not as much as all photos there ever were."""
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    with asked(database.engine) as statements:
        put(client, county, challenge_id=challenge)
    with database.read() as connection:
        for sql, values in statements.items():
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values)
            whole = [it[3] for it in plan if reads_all(it[3])]
            assert not whole or " LIMIT " in sql, sql  # whether any photo was ever stored


def test_the_same_photo_twice_changes_nothing(
    client: TestClient, county: County, sitting: dict[str, Any]
) -> None:
    assert put(client, county).json() == put(client, county).json()
    other = put(client, county, data=png(9))
    assert (other.status_code, other.json()["code"]) == (409, "snapshot_exists")


def test_a_challenge_of_nobody_leaves_the_photo_unbound(
    client: TestClient, county: County, sitting: dict[str, Any]
) -> None:
    assert put(client, county, challenge_id="invented").json()["bound"] is False


def beats(client: TestClient, county: County, clock: TestClock, seconds: int) -> dict[str, Any]:
    """Lin's page says every ten seconds that it plays; the last answer."""
    answer: dict[str, Any] = {}
    for _ in range(0, seconds, 10):
        clock.advance(seconds=10)
        answer = tell(client, county, clock, [beat(clock)])
    return answer


def beat(clock: TestClock, ago_s: int = 0) -> dict[str, Any]:
    at_ms = clock() - ago_s * 1000
    position = (at_ms - STARTED_MS) / 1000
    seen = {"visible": True, "focused": True}
    return {"type": "progress", "at_ms": at_ms, "seq": round(position), "position": position} | seen


def tell(
    client: TestClient, county: County, clock: TestClock, events: list[dict[str, Any]]
) -> dict[str, Any]:
    answer = client.post(
        "/v1/sessions/s1/events", json={"events": events}, headers=county.huang.headers
    )
    assert answer.status_code == 200 and not answer.json()["rejected"], answer.text
    told: dict[str, Any] = answer.json()
    return told


STARTED_MS = TestClock().now_ms
LATE = {"status": "done", "bound": False, "late": True}
IN_TIME = {"status": "pending", "bound": True, "late": False}


def fate(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    return {name: it for name, it in answer.json().items() if name != "sha256"}


def test_a_challenge_takes_photos_until_half_a_minute_after_its_window(
    client: TestClient, county: County, sitting: dict[str, Any], clock: TestClock
) -> None:
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    for name, seconds, then in (("p1", 0, IN_TIME), ("p2", 70, IN_TIME), ("p3", 10, LATE)):
        beats(client, county, clock, seconds)
        data = png(int(name[1]))
        told = put(client, county, name, data, challenge_id=challenge, frame=int(name[1]))
        assert fate(told) == then
        assert fate(put(client, county, name, data, challenge_id=challenge)) == then


def test_a_photo_nine_minutes_after_all_checks_expired_is_kept_and_counts_for_nothing(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
) -> None:
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    beats(client, county, clock, 300)
    assert fate(put(client, county, "p1", challenge_id=challenge)) == LATE
    client.post("/v1/sessions/s1/close", headers=county.huang.headers)
    clock.advance(minutes=9)
    assert fate(put(client, county, "p2", png(2), challenge_id=challenge)) == LATE
    with services.database.read() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
        assert row is not None
        photos, controls = store.rows(connection, row.id), control_store.rows(connection, row.id)
    assert [photo.blob_key is not None for photo in photos] == [True, True]
    assert all(line.answered_ms is None for line in controls)
    packed = store.photos_array(photos, controls, row.opened_ms)
    assert np.all(packed["flags"] & PhotoFlag.LATE)


@pytest.mark.parametrize("first", ["photo", "events"])
def test_what_an_outage_held_back_counts_whichever_comes_first(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
    first: str,
) -> None:
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    beats(client, county, clock, 20)
    clock.advance(minutes=5)
    kept_back = [beat(clock, ago_s) for ago_s in range(290, -10, -10)]
    if first == "events":
        tell(client, county, clock, kept_back)
        clock.advance(seconds=5)
    assert fate(put(client, county, challenge_id=challenge)) == IN_TIME
    if first == "photo":
        clock.advance(seconds=5)
        tell(client, county, clock, kept_back)
    beats(client, county, clock, 60)
    assert timely_of(services) == [True]


def test_silence_that_brings_nothing_back_excuses_no_photo(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
) -> None:
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    beats(client, county, clock, 20)
    clock.advance(minutes=5)
    assert fate(put(client, county, challenge_id=challenge)) == IN_TIME  # as far as one can tell
    tell(client, county, clock, [beat(clock)])
    beats(client, county, clock, 60)
    assert timely_of(services) == [False]


def timely_of(services: Services) -> list[bool]:
    """What the detectors make of the photos of the only sitting there is."""
    with services.database.read() as connection:
        evidence = facts.of_sessions(connection, [1])
    policy = packs.load("huangchuan-2021-graded").policy
    told: list[bool] = detector_facts(evidence.trace, policy).timely.tolist()
    return told


def test_after_a_reload_a_photo_for_the_sitting_before_is_late_only_when_its_time_is_over(
    client: TestClient, county: County, sitting: dict[str, Any], clock: TestClock
) -> None:
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    clock.advance(seconds=5)
    post(client, county, opening(session_id="s2"))
    clock.advance(seconds=10)
    assert fate(put(client, county, "p1", challenge_id=challenge)) == IN_TIME
    other = put(client, county, "q1", png(2), challenge_id=challenge, session="s2")
    assert fate(other) == {"status": "pending", "bound": False, "late": False}
    clock.advance(minutes=2)
    assert fate(put(client, county, "p2", png(3), challenge_id=challenge)) == LATE


def test_a_platform_that_tells_of_its_photo_later_loses_nothing(
    client: TestClient, county: County, services: Services, clock: TestClock
) -> None:
    found_school(client, county, controls="platform")
    post(client, county, opening(session_id="s1"))
    beats(client, county, clock, 60)
    asked_ms = clock()
    beats(client, county, clock, 10)
    answer = put(client, county, "p1", challenge_id="k1", purpose="random")
    assert fate(answer) == {"status": "pending", "bound": False, "late": False}
    beats(client, county, clock, 60)
    told = {"control": "snapshot", "challenge_id": "k1", "issued_at_ms": asked_ms}
    client.post("/v1/sessions/s1/controls", json={"controls": [told]}, headers=county.huang.headers)
    assert timely_of(services) == [True]
    with services.database.read() as connection:
        (photo,) = facts.of_sessions(connection, [1]).trace.photos
    counts = PhotoFlag.BOUND | PhotoFlag.RANDOM_TIME | PhotoFlag.KEPT
    assert photo["flags"] & counts == counts


def test_the_learner_is_told_in_words_why_a_check_did_not_pass(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
) -> None:
    assert "reason" not in sitting["controls"]["face_check"]
    again = beats(client, county, clock, 70)["controls"]["face_check"]
    assert again["reason"] == "no_photo"
    assert "摄像头" in again["text"]["zh"] and "camera" in again["text"]["en"]
    for frame in range(3):
        blank = png(frame, width=320, height=240)
        put(client, county, f"b{frame}", blank, challenge_id=again["challenge_id"], frame=frame)
    clock.advance(milliseconds=BURST_MS)
    run_pending(services)
    third = tell(client, county, clock, [beat(clock)])["controls"]["face_check"]
    assert third["challenge_id"] != again["challenge_id"]
    assert third["reason"] == "no_face" and "人脸" in third["text"]["zh"]


def test_wu_sends_lins_photo_and_only_wu_is_noted(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    post(client, county, opening("wu", session_id="s2"))
    put(client, county, "p1", png(1))
    put(client, county, "p1", png(1), session="s2")
    flags = {}
    with services.database.read() as connection:
        for name in ("s1", "s2"):
            row = sitting_store.by_external_id(connection, county.huang.platform.id, name)
            assert row is not None
            photos = store.photos_array(store.rows(connection, row.id), [], row.opened_ms)
            flags[name] = bool(photos["flags"][0] & PhotoFlag.SEEN_BEFORE)
    assert flags == {"s1": False, "s2": True}


def test_trying_again_at_the_same_challenge_is_no_reuse(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    for name in ("p1", "p1-again"):
        put(client, county, name, challenge_id=challenge)
    with services.database.read() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
        assert row is not None
        assert [photo.seen_before for photo in store.rows(connection, row.id)] == [False, False]


@pytest.mark.parametrize("seconds, noted", [(120, False), (121, True)])
def test_one_moment_delivered_twice_is_no_reuse(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    clock: TestClock,
    seconds: int,
    noted: bool,
) -> None:
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    put(client, county, "start")
    clock.advance(seconds=seconds)
    put(client, county, "answer", challenge_id=challenge, purpose="challenge")
    with services.database.read() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
        assert row is not None
        assert [photo.seen_before for photo in store.rows(connection, row.id)] == [False, noted]


@pytest.mark.both_databases
@pytest.mark.parametrize(("purpose", "noted"), [("start", False), ("random", True)])
def test_the_enrolled_photo_itself_was_not_taken_at_a_random_moment(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    purpose: str,
    noted: bool,
) -> None:
    put(client, county, "p1", png(7), purpose=purpose)
    put(client, county, "p2", png(8), purpose=purpose)
    with services.database.write() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
        assert row is not None
        connection.execute(
            insert(ReferencePhoto).values(
                learner_id=row.learner_id,
                sha256=hashlib.sha256(png(7)).digest(),
                quality={},
                status="ready",
                created_ms=services.clock(),
            )
        )
        assert [photo.seen_before for photo in store.rows(connection, row.id)] == [noted, False]


def test_a_photo_that_was_lost_or_altered_is_noticed(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services, tmp_path: Path
) -> None:
    for shade in range(3):
        put(client, county, f"p{shade}", png(shade))
    with services.database.read() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
        assert row is not None
        photos = store.rows(connection, row.id)
        key = face_keys.key(connection, services.vault, row.learner_id)
    assert snapshots.missing(services.photos, key, photos) == set()
    services.blobs.delete(photos[0].blob_key)
    services.blobs.put(photos[1].blob_key, services.blobs.get(photos[2].blob_key))
    lost = snapshots.missing(services.photos, key, photos)
    assert lost == {photos[0].id, photos[1].id}
    packed = store.photos_array(photos, [], row.opened_ms, lost)
    assert [bool(flags & PhotoFlag.KEPT) for flags in packed["flags"]] == [False, False, True]
    assert snapshots.missing(services.photos, None, photos) == {photo.id for photo in photos}


def test_without_consent_nothing_is_stored(
    client: TestClient, county: County, tmp_path: Path
) -> None:
    found_school(client, county)
    refusing = {**LIN, "learner_id": "mei", "id_number": "000000198003060049", "consent": None}
    client.put(
        "/v1/classes/c1/roster",
        json={"learners": [LIN, WU, refusing]},
        headers=county.huang.headers,
    )
    post(client, county, opening("mei", session_id="s1"))
    answer = put(client, county)
    assert (answer.status_code, answer.json()["code"]) == (403, "no_face_consent")
    assert not [path for path in (tmp_path / "blobs").rglob("[!.]*") if path.is_file()]


@pytest.mark.parametrize(("kind", "declared"), [("HEIF", "heic"), ("WEBP", "webp"), ("BMP", "bmp")])
def test_a_phones_own_format_is_kept_as_a_jpeg_and_answers_its_challenge(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    kind: str,
    declared: str,
) -> None:
    services.readers.processes = 0
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    first, again = (
        client.put(
            "/v1/sessions/s1/snapshots/p1",
            content=of_a_phone(kind),
            params={"purpose": "challenge", "challenge_id": challenge},
            headers={**county.huang.headers, "content-type": f"image/{declared}"},
        )
        for _ in range(2)
    )
    assert first.status_code == 202 and first.json()["bound"], first.text
    assert again.json() == first.json()
    with services.database.read() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
        assert row is not None
        photo = store.by_external_id(connection, row.id, "p1")
        key = face_keys.key(connection, services.vault, row.learner_id)
    assert key is not None and photo is not None and photo.blob_key is not None
    kept = services.photos.opened(key, photo.blob_key)
    assert image_header.verify(kept).media_type == "image/jpeg"
    assert hashlib.sha256(kept).hexdigest() == first.json()["sha256"]


def test_no_pixel_is_read_for_a_sitting_that_is_not_there(
    client: TestClient, county: County, sitting: dict[str, Any], services: Services
) -> None:
    services.readers.processes = 1  # would start, and be there afterwards
    data = of_a_phone("WEBP")
    assert put(client, county, data=data, session="s2").status_code == 404
    assert services.readers._pool is None


def test_a_photo_may_come_shortly_after_the_close(
    client: TestClient, county: County, sitting: dict[str, Any], clock: TestClock
) -> None:
    client.post("/v1/sessions/s1/close", headers=county.huang.headers)
    clock.advance(milliseconds=sitting_life.LATE_MS)
    assert put(client, county).status_code == 202
    clock.advance(milliseconds=1)
    answer = put(client, county, "p2", png(2))
    assert (answer.status_code, answer.json()["code"]) == (409, "session_closed")


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "image_empty"),
        (b"GIF89a" + bytes(100), 415, "image_type"),
        (png()[:-20], 422, "image_truncated"),
        (png(width=40_000, height=1)[:33] + bytes(60), 422, "image_truncated"),
        (b"\xff\xd8\xff" + bytes(50), 422, None),
        (bytes(5_000_000), 413, "body_too_large"),
    ],
)
def test_what_is_no_proper_picture_is_refused(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    services: Services,
    data: bytes,
    status: int,
    code: str | None,
) -> None:
    services.readers.processes = 0
    answer = put(client, county, data=data)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code


@pytest.mark.parametrize(
    ("query", "content_type", "status"),
    [
        ({"purpose": "fun"}, "image/png", 422),
        ({"frame": -1}, "image/png", 422),
        ({"frame": "NaN"}, "image/png", 422),
        ({"taken_at_ms": 0}, "image/png", 202),  # what a device's clock says refuses nothing
        ({}, "text/plain", 415),
    ],
)
def test_wrong_terms_are_refused_and_wrong_clocks_are_not(
    client: TestClient,
    county: County,
    sitting: dict[str, Any],
    query: dict[str, Any],
    content_type: str,
    status: int,
) -> None:
    answer = client.put(
        "/v1/sessions/s1/snapshots/p1",
        content=png(),
        params={"purpose": "start", **query},
        headers={**county.huang.headers, "content-type": content_type},
    )
    assert answer.status_code == status


def test_another_tenants_sitting_is_not_there(
    client: TestClient, county: County, sitting: dict[str, Any]
) -> None:
    answer = client.put(
        "/v1/sessions/s1/snapshots/p1",
        content=png(),
        params={"purpose": "start"},
        headers={**county.guang.headers, "content-type": "image/png"},
    )
    assert answer.status_code == 404
