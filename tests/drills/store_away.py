"""The object store goes away, with photos on their way to it."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import select

from app.services import Services
from app.settings import Settings
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait
from app.store.faces import face_keys
from app.store.faces.blobs import BlobMissing
from models import Session, Snapshot
from tests.drills.stage import Stage
from tests.waiting import eventually

CAMERAS, PAUSE_S = 24, 0.3
AWAY_S = 20.0


@dataclass
class Cameras:
    """Pages that each send photo after photo, every one until it is acknowledged."""

    at: Stage
    acknowledged: set[str] = field(default_factory=set)
    heard_at: dict[int, float] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(CAMERAS)]
        for it in self._threads:
            it.start()

    def stop(self) -> None:
        self._over.set()
        for it in self._threads:
            it.join()

    def _send(self, camera: int) -> None:
        browser = self.at.crowd.browsers[camera % len(self.at.crowd.browsers)]
        picture = portrait(PORTRAIT_SEEDS[0], noise_seed=camera)
        head = {"authorization": f"Bearer {self.at.api.key}", "content-type": "image/jpeg"}
        taken = 0
        while not self._over.wait(PAUSE_S):
            path = f"/v1/sessions/{browser.session}/snapshots/c{camera}-{taken}?purpose=random"
            status, after = _put(self.at.settings.port, path, picture, head)
            browser.statuses[status] += 1
            if status == 202:
                self.acknowledged.add(f"c{camera}-{taken}")
                self.heard_at[camera] = time.monotonic()
                taken += 1
            elif status == 503 and not after:
                browser.unhinted += 1

    def all_heard_since(self, moment: float) -> bool:
        return sum(it > moment for it in self.heard_at.values()) == CAMERAS

    def lost(self, settings: Settings) -> int:
        """Photos that were acknowledged and do not open."""
        services = Services.build(settings)
        with services.database.read() as connection:
            rows = connection.execute(
                select(Snapshot.external_id, Snapshot.blob_key, Session.learner_id)
                .join(Session, Session.id == Snapshot.session_id)
                .where(Snapshot.blob_key.is_not(None))
            ).all()
            keys = {
                it: face_keys.key(connection, services.vault, it)
                for it in {row.learner_id for row in rows}
            }
        found = set()
        for row in rows:
            try:
                services.photos.opened(keys[row.learner_id] or b"", row.blob_key)
            except BlobMissing:
                continue
            found.add(row.external_id)
        services.stop()
        return len(self.acknowledged - found)


def _put(port: int, path: str, data: bytes, head: dict[str, str]) -> tuple[int, str | None]:
    """The status, 0 without an answer, and Retry-After."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("PUT", path, data, head)
        answer = connection.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0, None
    finally:
        connection.close()
    return answer.status, answer.getheader("retry-after")


def object_store_away(at: Stage) -> None:
    """The S3-compatible store is killed, and then frozen: photos wait, all else goes on."""
    store, cameras = at.store, Cameras(at)
    assert store is not None
    cameras.start()
    try:
        at.require(eventually(lambda: cameras.all_heard_since(0), 60), "no photos before")
        store.kill()
        _meanwhile(at, "stopped")
        store.start()
        _back(at, cameras, "stopped")
        with store.frozen():
            _meanwhile(at, "frozen")
        _back(at, cameras, "frozen")
    finally:
        cameras.stop()
    lost = cameras.lost(at.settings)
    at.require(not lost, f"{lost} of {len(cameras.acknowledged)} photos are lost")
    at.trouble_is_over()


def _meanwhile(at: Stage, how: str) -> None:
    """Events and sittings go on, and /readyz tells, as long as it is so."""
    time.sleep(1)
    at.require(eventually(lambda: not at.service.ready(), 15), f"{how}: /readyz says ready")
    before, until = Counter(at.crowd.statuses), time.monotonic() + AWAY_S
    slowest, heard, session = 0.0, time.monotonic(), at.crowd.browsers[0].session
    while time.monotonic() < until:
        began = time.monotonic()
        at.api.call("GET", f"/v1/sessions/{session}")
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.2)
    told = at.crowd.statuses - before
    print(
        f"  {how}: {told[200]} batches stored, {told[503]} answers of 503, a sitting's page in"
        f" {slowest:.1f} s at most"
    )
    at.require(at.crowd.all_heard_since(heard), f"{how}: events were not stored meanwhile")
    at.require(slowest < 5, f"{how}: a sitting took {slowest:.1f} s")


def _back(at: Stage, cameras: Cameras, how: str) -> None:
    since = time.monotonic()
    came = eventually(lambda: cameras.all_heard_since(since) and at.service.ready(), 60)
    print(f"  {how}: photos are taken again {time.monotonic() - since:.1f} s after")
    at.require(came, f"{how}: photos were not taken afterwards")
