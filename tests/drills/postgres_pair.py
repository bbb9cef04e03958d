"""A PostgreSQL primary and a streaming standby of the drill's own, and what stands before them."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.drills.postgres_server import OwnPostgres
from tests.waiting import eventually

_HAPROXY = """\
global
    maxconn 500
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
listen postgresql
    bind 127.0.0.1:{front}
    option tcp-check
    tcp-check connect
    tcp-check send-binary 00000008
    tcp-check send-binary 04d2162f
    default-server inter 500ms fall 2 rise 1 on-marked-down shutdown-sessions
    server first 127.0.0.1:{first} check
    server second 127.0.0.1:{second} check backup
"""
_PGBOUNCER = """\
[databases]
* = host={host} port={port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {front}
auth_type = any
pool_mode = {mode}
max_client_conn = 200
default_pool_size = 20
server_login_retry = 1
query_wait_timeout = 10
ignore_startup_parameters = extra_float_digits
admin_users = postgres
unix_socket_dir =
"""


class Pair:
    """`primary` serves; `standby` follows it, synchronously if asked."""

    def __init__(self, folder: Path, *, synchronous: bool = True) -> None:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.folder = folder
        self.primary = OwnPostgres(folder / "primary")
        self.standby = OwnPostgres(folder / "standby")
        self._synchronous = synchronous
        self.bouncer: Bouncer | None = None

    @contextmanager
    def running(self) -> Iterator[Pair]:
        with self.primary.running(), self.standby.following(self.primary):
            if self._synchronous:
                self.primary.ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
                self.primary.ask("SELECT pg_reload_conf()")
            follows = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
            assert eventually(lambda: self.primary.ask(follows) == 1, 20), "it does not follow"
            yield self

    def promote(self) -> None:
        """The standby takes writes from now on, and waits for nobody."""
        self.standby.ask("SELECT pg_promote()")

    @property
    def both(self) -> str:
        """The address of both, as libpq has it."""
        hosts = f"127.0.0.1:{self.primary.port},127.0.0.1:{self.standby.port}"
        return f"postgresql://postgres@{hosts}/postgres?target_session_attrs=read-write"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def haproxy_before(pair: Pair) -> Iterator[str]:
    """The address under which HAProxy hands on to whichever of the two answers."""
    front = free_port()
    words = _HAPROXY.format(front=front, first=pair.primary.port, second=pair.standby.port)
    file = pair.folder / "haproxy.cfg"
    file.write_text(words, "utf-8")
    with _process(["haproxy", "-db", "-f", str(file)], front):
        yield f"postgresql://postgres@127.0.0.1:{front}/postgres"


@contextmanager
def pgbouncer_before(pair: Pair, mode: str = "transaction") -> Iterator[tuple[str, Bouncer]]:
    """The address of a PgBouncer before the primary, and the means to point it elsewhere."""
    bouncer = Bouncer(pair, mode)
    bouncer.point_to(pair.primary, reload=False)
    words = ["pgbouncer", str(bouncer.file)]
    with _process(words, bouncer.front, user="nobody" if os.geteuid() == 0 else None):
        yield f"postgresql://postgres@127.0.0.1:{bouncer.front}/postgres", bouncer


class Bouncer:
    def __init__(self, pair: Pair, mode: str) -> None:
        self.front, self.mode = free_port(), mode
        self.file = pair.folder / "pgbouncer.ini"

    def point_to(self, server: OwnPostgres, *, reload: bool = True) -> None:
        """As whoever manages the failover does."""
        words = _PGBOUNCER.format(
            host="127.0.0.1", port=server.port, front=self.front, mode=self.mode
        )
        self.file.write_text(words, "utf-8")
        if reload:
            admin = f"postgresql://postgres@127.0.0.1:{self.front}/pgbouncer"
            with psycopg.connect(admin, autocommit=True) as it:
                it.execute("RELOAD")


@contextmanager
def _process(words: list[str], port: int, user: str | None = None) -> Iterator[None]:
    process = subprocess.Popen(
        words, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert eventually(lambda: _listens(port), 10), f"{words[0]} does not start"
        yield
    finally:
        process.terminate()
        process.wait(10)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
