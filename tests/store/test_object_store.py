"""Photos in an S3-compatible store that freezes: they wait for it, and nothing else does."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.services import Services
from app.settings import Settings
from app.store.faces import blobs as doors
from app.store.faces.blobs import Blobs, StoreAway
from tests.api.test_sessions import found_school, opening, post
from tests.api.test_snapshots import put
from tests.domain.events.test_events import event
from tests.drills.object_store import OwnStore
from tests.evidence import picture, zipped
from tests.people import County


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnStore]:
    monkeypatch.setenv("AWS_READ_TIMEOUT", "2 seconds")
    with OwnStore(tmp_path / "store").running() as it:
        yield it


@pytest.fixture
def settings(database_url: str, tmp_path: Path, store: OwnStore) -> Settings:
    return Settings(
        database_url=database_url, data_dir=tmp_path, face_workers=0, blob_url=store.url
    )


def test_it_keeps_what_it_is_given(store: OwnStore) -> None:
    blobs = Blobs(store.url)
    assert blobs.put("learners/1/a b", b"x")
    store.kill()
    store.start()
    assert blobs.get("learners/1/a b") == b"x" and blobs.size("learners/1/a b") == 1
    assert list(blobs.e_tags("learners/1/")) == ["learners/1/a b"]
    blobs.delete("learners/1/a b")
    assert blobs.find("learners/1/a b") is None


@pytest.mark.thorough
@pytest.mark.both_databases
def test_events_are_stored_while_a_photo_waits_for_a_frozen_store(
    client: TestClient, county: County, store: OwnStore
) -> None:
    found_school(client, county)
    assert post(client, county, opening(session_id="s1")).is_success
    assert put(client, county, "before").status_code == 202
    with store.frozen(), ThreadPoolExecutor() as pool:
        photo = pool.submit(put, client, county, "meanwhile")
        time.sleep(0.5)
        began = time.monotonic()
        beat = {"events": [event("progress", seq=0, position=1)]}
        answer = client.post("/v1/sessions/s1/events", json=beat, headers=county.huang.headers)
        assert answer.status_code == 200 and time.monotonic() - began < 1
        assert not photo.done()
        refused = photo.result()
        assert refused.status_code == 503 and refused.headers["retry-after"]


@pytest.mark.thorough
def test_once_somebody_waited_in_vain_nobody_else_does_until_it_answers(
    store: OwnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "SHUT_S", 1.5)
    blobs = Blobs(store.url)
    blobs.put("a", b"x")
    with store.frozen():
        with pytest.raises(StoreAway):
            blobs.get("a")
        began = time.monotonic()
        for _ in range(50):
            with pytest.raises(StoreAway):
                blobs.get("a")
        assert time.monotonic() - began < 1
    time.sleep(1.5)
    assert blobs.get("a") == b"x"


@pytest.mark.thorough
def test_no_more_than_a_few_threads_wait_for_it(
    store: OwnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "PLACE_S", 0.1)
    blobs = Blobs(store.url)
    blobs.put("a", b"x")
    quick: list[float] = []

    def ask() -> None:
        began = time.monotonic()
        with pytest.raises(StoreAway):
            blobs.get("a")
        quick.append(time.monotonic() - began)

    with store.frozen():
        threads = [threading.Thread(target=ask) for _ in range(40)]
        for it in threads:
            it.start()
        for it in threads:
            it.join()
    assert sum(it > 1.5 for it in quick) <= doors.MOST_AT_ONCE


def test_an_import_does_not_take_an_outage_for_a_fault_of_its_photos(
    client: TestClient, county: County, services: Services, store: OwnStore
) -> None:
    found_school(client, county)
    body = zipped(
        [{"kind": "reference_photo", "learner_id": "lin", "file": "photos/lin.png"}],
        {"photos/lin.png": picture(90)},
    )
    store.kill()
    away = client.post("/v1/imports", content=body, headers=county.huang.headers)
    assert (away.status_code, away.json()["code"]) == (503, "photo_store"), away.text
    store.start()
    answer = client.post("/v1/imports", content=body, headers=county.huang.headers)
    assert answer.json()["stored"] == {"reference_photo": 1}, answer.text
