"""A PostgreSQL of the drill's own, which can be restarted."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
            self._port = probe.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

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
        self._folder.mkdir(mode=0o700)
        if self._user:
            shutil.chown(self._folder, self._user)
            for parent in self._folder.parents:
                if parent.owner() == pwd.getpwuid(0).pw_name and parent.name.startswith("zhenxue"):
                    parent.chmod(0o755)
        self._run("initdb", "-U", "postgres", "-A", "trust", "--no-sync")
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), *self._options(), "start")
        try:
            yield self
        finally:
            self._run("pg_ctl", "-m", "immediate", "stop")

    def _options(self) -> tuple[str, str]:
        address = f"-p {self._port} -c listen_addresses=127.0.0.1"
        return "-o", f"{address} -c unix_socket_directories={self._folder}"

    def restart(self, pause_s: float) -> None:
        """As after a crash, away for as long."""
        self._run("pg_ctl", "-m", "immediate", "stop")
        time.sleep(pause_s)
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), *self._options(), "start")
