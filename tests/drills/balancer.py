"""HAProxy with the configuration that docs/deploy gives to operators, on ports of this machine."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import eventually

SHIPPED = Path(__file__).parents[2] / "docs" / "deploy" / "haproxy.cfg"
_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")


def installed() -> bool:
    return shutil.which("haproxy") is not None


@contextmanager
def balancer(ports: Sequence[int], folder: Path) -> Iterator[str]:
    """The address under which the services on these ports are reached meanwhile."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        front = probe.getsockname()[1]
    shipped = SHIPPED.read_text(encoding="utf-8")
    named = sorted(set(_ADDRESS.findall(shipped)))
    assert named == ["8001", "8002", "8003", "8080"]
    there = dict(zip(named, [*ports, front], strict=True))
    file = folder / "haproxy.cfg"
    file.write_text(_ADDRESS.sub(lambda it: f"127.0.0.1:{there[it[1]]}", shipped), "utf-8")
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen(["haproxy", "-db", "-f", file], stdout=log, stderr=log)
    try:
        assert eventually(lambda: _listens(front), 10), (folder / "haproxy.log").read_text()
        yield f"http://127.0.0.1:{front}"
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
