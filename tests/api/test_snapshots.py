"""Photos come in, are kept encrypted, and are refused for clear reasons."""

from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.domain import snapshots
from app.services import Services
from app.store import controls as control_store
from app.store import face_keys
from app.store import sittings as sitting_store
from app.store import snapshots as store
from detectors.trace import Check, PhotoFlag, Purpose
from tests.api.test_sessions import found_school, opening, post
from tests.people import LIN, WU, County, TestClock


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
    }
    blobs = [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]
    assert len(blobs) == 1 and png() not in blobs[0].read_bytes()
    seen = client.get("/v1/sessions/s1", headers=county.huang.headers).json()
    assert seen["controls"][0]["answered_at_ms"] == services.clock()
    with services.database.read() as connection:
        row = sitting_store.by_external_id(connection, county.huang.platform.id, "s1")
        assert row is not None
        photos = store.rows(connection, row.id)
        controls = control_store.rows(connection, row.id)
        key = face_keys.key(connection, services.vault, row.learner_id)
    assert key is not None and snapshots.opened(services, key, photos[0].blob_key) == png()
    packed = store.photos_array(photos, controls, row.opened_ms)
    assert packed["control"][0] == 0 and packed["purpose"][0] == Purpose.START
    assert packed["check"][0] == Check.PENDING
    assert packed["flags"][0] == PhotoFlag.BOUND | PhotoFlag.KEPT


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


def test_a_challenge_is_used_up_two_minutes_after_its_first_photo(
    client: TestClient, county: County, sitting: dict[str, Any], clock: TestClock
) -> None:
    challenge = sitting["controls"]["face_check"]["challenge_id"]
    assert put(client, county, "p1", challenge_id=challenge).json()["bound"]
    clock.advance(seconds=120)
    assert put(client, county, "p2", png(2), challenge_id=challenge, frame=1).json()["bound"]
    clock.advance(seconds=1)
    assert not put(client, county, "p3", png(3), challenge_id=challenge, frame=2).json()["bound"]


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
    assert snapshots.missing(services, key, photos) == set()
    services.blobs.delete(photos[0].blob_key)
    services.blobs.put(photos[1].blob_key, services.blobs.get(photos[2].blob_key))
    lost = snapshots.missing(services, key, photos)
    assert lost == {photos[0].id, photos[1].id}
    packed = store.photos_array(photos, [], row.opened_ms, lost)
    assert [bool(flags & PhotoFlag.KEPT) for flags in packed["flags"]] == [False, False, True]
    assert snapshots.missing(services, None, photos) == {photo.id for photo in photos}


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
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


def test_a_photo_may_come_shortly_after_the_close(
    client: TestClient, county: County, sitting: dict[str, Any], clock: TestClock
) -> None:
    client.post("/v1/sessions/s1/close", headers=county.huang.headers)
    clock.advance(minutes=10)
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
    data: bytes,
    status: int,
    code: str | None,
) -> None:
    answer = put(client, county, data=data)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code


@pytest.mark.parametrize(
    ("query", "content_type", "status"),
    [
        ({"purpose": "fun"}, "image/png", 422),
        ({"frame": -1}, "image/png", 422),
        ({"frame": "NaN"}, "image/png", 422),
        ({"taken_at_ms": 0}, "image/png", 422),
        ({}, "text/plain", 415),
    ],
)
def test_wrong_terms_are_refused(
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
