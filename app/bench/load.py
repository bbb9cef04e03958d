"""Batches of events on many connections, each timed until it is acknowledged as durable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from app.bench.service import RunningService
from app.clock import system_clock
from app.errors import NotReady

CONNECTIONS = 32
_WARM_S = 0.5
_LESSON_S = 35_000  # positions stay within the lesson


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it; times in seconds, `next_seq` is free in every sitting."""

    batch: int
    requests: int
    took_s: float
    p50_s: float
    p99_s: float
    next_seq: int

    @property
    def events_per_s(self) -> float:
        return self.requests * self.batch / self.took_s

    @property
    def requests_per_s(self) -> float:
        return self.requests / self.took_s


def warm(service: RunningService, sessions: Sequence[str], batch: int, seq: int) -> int:
    """The same for half a second on a few connections, not measured; the next free seq."""
    return measure(service, sessions[:4], batch, _WARM_S, seq).next_seq


def measure(
    service: RunningService, sessions: Sequence[str], batch: int, seconds: float, seq: int
) -> Load:
    """Post batches for `seconds`, one connection a sitting, numbered from `seq` on.

    Raises NotReady when an answer is not what it should be, OSError when there is none.
    """
    clients = [_Client(service, session, batch, seq) for session in sessions]
    began = time.perf_counter()
    asyncio.run(_all(clients, began + seconds))
    took_s = time.perf_counter() - began
    waits = sorted(value for client in clients for value in client.waits)
    p50_s, p99_s = (waits[int(len(waits) * share)] for share in (0.5, 0.99))
    next_seq = max(client.seq for client in clients)
    return Load(batch, len(waits), took_s, p50_s, p99_s, next_seq)


async def _all(clients: Sequence[_Client], until: float) -> None:
    await asyncio.gather(*(client.run(until) for client in clients))


class _Client:
    """One keep-alive connection, as thin as it can be, so that the service is what is measured."""

    def __init__(self, service: RunningService, session: str, batch: int, seq: int) -> None:
        self.port = service.settings.port
        self.batch, self.seq = batch, seq
        self.waits: list[float] = []
        self.head = (
            f"POST /v1/sessions/{session}/events HTTP/1.1\r\nhost: localhost\r\n"
            f"authorization: Bearer {service.api.key}\r\ncontent-type: application/json\r\n"
            "content-length: "
        ).encode()

    def body(self) -> bytes:
        now = system_clock()
        events = ",".join(
            f'{{"seq":{self.seq + n},"type":"progress","at_ms":{now},'
            f'"position":{self.seq % _LESSON_S}.{n:03},"rate":1.0,"visible":true,"focused":true,'
            f'"monotonic_ms":{self.seq + n}.5,'
            '"unknown_field":"the SDK may send more than is kept"}'
            for n in range(self.batch)
        )
        self.seq += self.batch
        return f'{{"sent_at_ms":{now},"events":[{events}]}}'.encode()

    async def run(self, until: float) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        while time.perf_counter() < until:
            body = self.body()
            began = time.perf_counter()
            writer.write(self.head + str(len(body)).encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            told = await reader.readexactly(length)
            self.waits.append(time.perf_counter() - began)
            if f'"accepted":{self.batch},'.encode() not in told:
                raise NotReady("bench_ingest", f"events were refused: {told.decode()[:200]}")
        writer.close()
