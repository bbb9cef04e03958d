"""How many events one service process takes, each acknowledged only once the disk has it.

    python -m benchmarks.ingest [--postgres URL] [--seconds 5] [--batches 1,50,500]

Starts the service as its users do (one uvicorn process), opens one sitting per connection through
the public interface, and posts batches from a client process over loopback. Prints events/s,
requests/s, p50 and p99 of the acknowledgement, service CPU per event, and stored bytes per event.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from benchmarks.machine import machine

CONNECTIONS = 32


@dataclass
class Service:
    """A service process on a database of its own, and the client's way in."""

    process: subprocess.Popen[bytes]
    port: int
    key: str
    database_url: str

    def call(self, method: str, path: str, body: Any) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            json.dumps(body).encode(),
            {"authorization": f"Bearer {self.key}", "content-type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{method} {path}: {error.read().decode()}") from None

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


def start(folder: Path, database_url: str, face_workers: int = 0) -> Service:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {
        "ZHENXUE_DATABASE_URL": database_url,
        "ZHENXUE_DATA_DIR": str(folder),
        "ZHENXUE_FACE_WORKERS": str(face_workers),
        "ZHENXUE_PORT": str(port),
    }
    command = [sys.executable, "-m", "app.cli"]
    made = subprocess.run(
        [
            *command,
            "key",
            "create",
            "--platform",
            "bench",
            "--json",
            "--scope",
            "ingest",
            "--scope",
            "admin",
            "--scope",
            "read",
            "--scope",
            "import",
        ],
        env=env,
        check=True,
        capture_output=True,
    )
    key = json.loads(made.stdout)
    process = subprocess.Popen([*command, "serve"], env=env, stderr=subprocess.DEVNULL)
    service = Service(process, port, key.get("key") or key["secret"], database_url)
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz").close()
            return service
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the service did not start")


def open_sittings(service: Service, count: int, *, face: bool = False) -> list[str]:
    """A class of `count` people, each in a sitting of a ten-hour lesson; `face`: they consent."""
    service.call(
        "PUT",
        "/v1/courses/bench",
        {
            "title": "Bench",
            "course_kind": "public",
            "sequential_lock": False,
            "lessons": [
                {
                    "lesson_id": "l1",
                    "order": 1,
                    "title": "L",
                    "media_seconds": 36_000,
                    "class_hours": 1,
                }
            ],
        },
    )
    service.call(
        "PUT",
        "/v1/classes/bench",
        {
            "official_class_no": "000000-bench",
            "institution": "Bench",
            "occupation": "营销员",
            "level": "五级",
            "certificate_type": "培训合格证书",
            "mode": "online",
            "applicant": {"type": "enterprise", "name": "Bench", "uscc": "0" * 18},
            "course_ids": ["bench"],
            "starts_on": "2026-10-12",
            "ends_on": "2026-11-13",
            "teachers": ["A", "B"],
            "policy_id": "huangchuan-2021-graded",
            "controls": "platform",
            "assessment": {
                "planned_on": "2026-12-15",
                "applied_on": "2026-12-01",
                "mode": "offline",
            },
        },
    )
    service.call(
        "PUT",
        "/v1/classes/bench/roster",
        {
            "learners": [
                {
                    "learner_id": f"p{n}",
                    "name": f"学员{n}",
                    "id_number": f"00000019900101{n:03}0",
                    "employer": "Bench",
                    "category": "企业职工",
                    "real_name_verified": True,
                    "consent": {
                        "face": face,
                        "at": "2026-10-01T09:00:00+08:00",
                        "document": "bench",
                    },
                }
                for n in range(count)
            ]
        },
    )
    return [
        service.call(
            "POST",
            "/v1/sessions",
            {
                "learner_id": f"p{n}",
                "class_id": "bench",
                "lesson_id": "l1",
                "device_id": f"d{n}",
                "window_id": "w",
                "client": {},
                "started_at_ms": round(time.time() * 1000),
            },
        )["session_id"]
        for n in range(count)
    ]


class Client:
    """One keep-alive connection, as thin as it can be, so that the service is what is measured."""

    def __init__(self, service: Service, session: str, size: int, first_seq: int) -> None:
        self.service, self.session, self.size, self.seq = service, session, size, first_seq
        self.latencies: list[float] = []

    def body(self) -> bytes:
        now = round(time.time() * 1000)
        events = ",".join(
            f'{{"seq":{self.seq + n},"type":"progress","at_ms":{now},"position":{self.seq % 35000}'
            f'.{n:03},"rate":1.0,"visible":true,"focused":true,"monotonic_ms":{self.seq + n}.5,'
            '"unknown_field":"the SDK may send more than is kept"}'
            for n in range(self.size)
        )
        self.seq += self.size
        return f'{{"sent_at_ms":{now},"events":[{events}]}}'.encode()

    async def run(self, until: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.service.port)
        head = (
            f"POST /v1/sessions/{self.session}/events HTTP/1.1\r\nhost: localhost\r\n"
            f"authorization: Bearer {self.service.key}\r\ncontent-type: application/json\r\n"
            "content-length: "
        ).encode()
        while time.perf_counter() < until:
            body = self.body()
            began = time.perf_counter()
            writer.write(head + str(len(body)).encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(answer.decode())
            length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            told = await reader.readexactly(length)
            self.latencies.append(time.perf_counter() - began)
            assert f'"accepted":{self.size},'.encode() in told, told
        writer.close()


async def _load(clients: list[Client], seconds: float) -> None:
    until = time.perf_counter() + seconds
    await asyncio.gather(*(client.run(until) for client in clients))


def measure(service: Service, sessions: list[str], size: int, seconds: float, seq: int) -> int:
    """One row of the table; the next free seq."""
    clients = [Client(service, session, size, seq) for session in sessions]
    asyncio.run(_load(clients[:4], 0.5))
    for client in clients:
        client.latencies.clear()
    stored, cpu, began = _stored(service), service.cpu_s(), time.perf_counter()
    asyncio.run(_load(clients, seconds))
    took = time.perf_counter() - began
    cpu = service.cpu_s() - cpu
    grown = _stored(service) - stored
    latencies = sorted(value for client in clients for value in client.latencies)
    requests = len(latencies)
    events = requests * size
    p50, p99 = (latencies[int(requests * share)] * 1000 for share in (0.5, 0.99))
    print(
        f"{size:>6} {events / took:>12,.0f} {requests / took:>11,.0f} {p50:>8.1f} {p99:>8.1f}"
        f" {cpu / events * 1e6:>13.2f} {grown / events:>12.1f}",
        flush=True,
    )
    return max(client.seq for client in clients)


def _stored(service: Service) -> int:
    """Bytes of the stored batches with their row overhead, as the database counts them."""
    engine = create_engine(service.database_url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            query = "SELECT sum(length(records)+length(notes)+length(chain)+16) FROM event_batches"
        else:
            query = "SELECT sum(pg_column_size(b.*)) FROM event_batches b"
        return int(connection.execute(text(query)).scalar() or 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--postgres", help="URL of an empty PostgreSQL database to use as well")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--batches", default="1,50,500")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    print(machine())
    with tempfile.TemporaryDirectory() as folder:
        urls = {"SQLite (WAL, FULL)": f"sqlite:///{folder}/bench.sqlite"}
        if arguments.postgres:
            urls["PostgreSQL"] = arguments.postgres
        for name, url in urls.items():
            service = start(Path(folder), url)
            print(f"\n{name}, {CONNECTIONS} connections, one service process")
            print(" batch     events/s  requests/s   p50 ms   p99 ms  CPU µs/event  bytes/event")
            try:
                sessions = open_sittings(service, CONNECTIONS)
                seq = 0
                for size in map(int, arguments.batches.split(",")):
                    seq = measure(service, sessions, size, arguments.seconds, seq)
            finally:
                service.stop()


if __name__ == "__main__":
    main()
