"""PgBouncer between the service and PostgreSQL, pooling by transaction over two connections."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from app.db import STATEMENT_S, Database
from tests.machine import PGBOUNCER, lacks
from tests.waiting import eventually


@pytest.fixture
def pooled(database_url: str, backend: str, tmp_path: Path) -> Iterator[Database]:
    if shutil.which("pgbouncer") is None:
        lacks(PGBOUNCER)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = make_url(database_url)
    there = f"host={url.host} port={url.port or 5432} user={url.username}"
    there += f" password={url.password}" if url.password else ""
    file = tmp_path / "pgbouncer.ini"
    file.write_text(
        f"[databases]\n{url.database} = {there}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
        "default_pool_size = 2\nserver_reset_query =\n"
    )
    tmp_path.chmod(0o755)
    user = "nobody" if os.geteuid() == 0 else None  # it refuses to run as root
    command = [shutil.which("pgbouncer") or "", str(file)]
    with (tmp_path / "log").open("wb") as log, file.open("rb") as configuration:
        command[1] = "/dev/stdin"
        process = subprocess.Popen(command, stdin=configuration, stdout=log, stderr=log, user=user)
    database = Database(url.set(host="127.0.0.1", port=port).render_as_string(hide_password=False))

    def answers() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return False
        return True

    assert eventually(answers, 10), (tmp_path / "log").read_text()
    yield database
    database.close()
    process.terminate()
    process.wait(10)


@pytest.mark.thorough
@pytest.mark.parametrize("backend", ["postgresql"])
def test_transactions_of_many_threads_share_two_connections(pooled: Database) -> None:
    def ask(n: int) -> tuple[int, str]:
        told = 0
        for _ in range(20):  # psycopg would prepare the statement at the sixth
            with pooled.write() as connection:
                told = connection.execute(text("SELECT CAST(:n AS int)"), {"n": n}).scalar_one()
                limit = connection.execute(text("SHOW statement_timeout")).scalar_one()
        return told, limit

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [(n, f"{STATEMENT_S}s") for n in range(8)]


@pytest.mark.thorough
@pytest.mark.parametrize("backend", ["postgresql"])
def test_who_works_alone_is_alone_and_leaves_no_lock_behind(pooled: Database) -> None:
    for _ in range(5):
        with pooled.alone("purge") as mine, pooled.alone("purge") as other:
            assert mine and not other
