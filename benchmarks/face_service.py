"""How long from a photo's upload to its verdict, on a running service.

    python -m benchmarks.face_service [--workers 1,2] [--photos 60] [--rate 4]

Starts the service as its users do, with as many face workers, enrols one artificial person, opens
one sitting, and uploads photos at a steady rate: each is timed from the moment its upload begins
until the database holds its decision. Then the same number is uploaded at once, and the whole queue
is timed: what the workers do when photos pile up.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from sqlalchemy import Engine, create_engine, text

from app.bench import throw_away
from app.bench.machine import machine
from app.bench.service import RunningService, open_sittings, running
from app.simulation.portraits.portrait import PORTRAIT_SEEDS, portrait

SIZE = (640, 480)
POLL_S = 0.01
TIMEOUT_S = 300.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", default="1,2", help="numbers of face workers to try")
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--rate", type=float, default=4.0, help="photos a second")
    arguments = parser.parse_args()
    print(machine())
    print(f"{SIZE[0]}x{SIZE[1]}, {arguments.photos} photos, SQLite, from upload to decision")
    print("workers   p50 s   p95 s  at/s   all at once: photos/s   p95 s")
    pictures = [
        portrait(PORTRAIT_SEEDS[0], noise_seed=take, size=SIZE, pose=0.02 * (take % 5))
        for take in range(arguments.photos)
    ]
    for workers in map(int, arguments.workers.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            url = f"sqlite:///{folder}/bench.sqlite"
            settings = throw_away.apart(Path(folder), url, face_workers=workers)
            with running(settings) as service:
                (session,) = open_sittings(service.api, 1, face=True)
                measure(service, session, pictures, arguments.rate, workers)


def measure(
    service: RunningService, session: str, pictures: list[bytes], rate: float, workers: int
) -> None:
    """One row of the table."""
    engine = create_engine(service.settings.resolved_database_url)
    put(service, "/v1/learners/p0/reference-photo", portrait(PORTRAIT_SEEDS[0], size=SIZE))
    warm = {f"warm{n}": upload(service, session, f"warm{n}", pictures[n]) for n in range(workers)}
    decided(engine, warm)
    began, sent = time.time(), {}
    for n, picture in enumerate(pictures):
        time.sleep(max(0.0, began + n / rate - time.time()))
        sent[f"steady{n}"] = upload(service, session, f"steady{n}", picture)
    steady = decided(engine, sent)
    began = time.time()
    sent = {f"once{n}": upload(service, session, f"once{n}", it) for n, it in enumerate(pictures)}
    once = decided(engine, sent)
    took = time.time() - began
    print(
        f"{workers:>7} {np.quantile(steady, 0.5):>7.2f} {np.quantile(steady, 0.95):>7.2f}"
        f" {rate:>5.1f} {len(pictures) / took:>23.1f} {np.quantile(once, 0.95):>7.2f}",
        flush=True,
    )


def upload(service: RunningService, session: str, name: str, picture: bytes) -> float:
    """Hand a photo in; the time at which that began."""
    began = time.time()
    put(service, f"/v1/sessions/{session}/snapshots/{name}?purpose=random", picture)
    return began


def put(service: RunningService, path: str, picture: bytes) -> None:
    service.api.call("PUT", path, content=picture, content_type="image/jpeg")


def decided(engine: Engine, sent: dict[str, float]) -> list[float]:
    """Seconds from each upload to its decision, as the worker's clock wrote it down."""
    query = text("SELECT external_id, checked_ms FROM snapshots WHERE checked_ms IS NOT NULL")
    until = time.time() + TIMEOUT_S
    while time.time() < until:
        with engine.connect() as connection:
            done = {name: ms / 1000 for name, ms in connection.execute(query) if name in sent}
        if len(done) == len(sent):
            return [max(0.0, done[name] - began) for name, began in sent.items()]
        time.sleep(POLL_S)
    raise SystemExit(f"{len(sent) - len(done)} photos were not decided in {TIMEOUT_S:.0f} s")


if __name__ == "__main__":
    main()
