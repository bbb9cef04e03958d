"""A PostgreSQL of the drill's own, which can be restarted."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg


class OwnPostgres:
    """A server in a folder; as root it runs as `postgres`. Raises LookupError where there are no
    binaries."""

    def __init__(self, folder: Path) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
        if not found:
            raise LookupError("no PostgreSQL: apt-get install postgresql")
        self._binaries, self._folder = found[-1].parent, folder
        self._user = "postgres" if os.geteuid() == 0 else None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def _run(self, program: str, *words: str) -> None:
        command = [str(self._binaries / program), "-D", str(self._folder), *words]
        # What goes on running keeps what it was given to write to.
        subprocess.run(
            command,
            check=True,
            user=self._user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    @contextmanager
    def running(self) -> Iterator[OwnPostgres]:
        self._found()
        self._run("initdb", "-U", "postgres", "-A", "trust", "--no-sync")
        with self._started():
            yield self

    @contextmanager
    def following(self, primary: OwnPostgres) -> Iterator[OwnPostgres]:
        """A streaming standby of another, from a copy of it."""
        self._found()
        self._run("pg_basebackup", "-d", primary.url, "-R", "-c", "fast")
        with self._started():
            yield self

    def _found(self) -> None:
        self._folder.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self._folder, self._user)
            for parent in self._folder.parents:
                if parent.owner() == pwd.getpwuid(0).pw_name and parent.name.startswith("zhenxue"):
                    parent.chmod(0o755)

    @contextmanager
    def _started(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            with suppress(subprocess.CalledProcessError):  # it was killed
                self._run("pg_ctl", "-m", "immediate", "stop")

    def start(self) -> None:
        with suppress(FileNotFoundError):  # of one that was killed
            (self._folder / "postmaster.pid").unlink()
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), *self._options(), "start")

    def kill(self) -> None:
        """As `kill -9` of every process it has: nothing is finished."""
        self._signal(signal.SIGKILL)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """It keeps its sockets and says nothing."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def _signal(self, sign: signal.Signals) -> None:
        first = (self._folder / "postmaster.pid").read_text().split()[0]
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", first], capture_output=True, text=True, check=True
        )
        for pid in (first, *children.stdout.split()):
            with suppress(ProcessLookupError):
                os.kill(int(pid), sign)

    def ask(self, statement: str) -> Any:
        """What the server says to one statement: the first value, if there is one."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as it:
            cursor = it.execute(statement)
            row = cursor.fetchone() if cursor.description else None
        return row and row[0]

    def _options(self) -> tuple[str, str]:
        address = f"-p {self.port} -c listen_addresses=127.0.0.1"
        return "-o", f"{address} -c unix_socket_directories={self._folder}"

    def restart(self, pause_s: float) -> None:
        """As after a crash, away for as long."""
        self._run("pg_ctl", "-m", "immediate", "stop")
        time.sleep(pause_s)
        self.start()
