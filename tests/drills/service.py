"""A service as a process of its own, which can be killed and started again."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from app.settings import Settings
from app.simulation.transport import UrllibClient
from tests.waiting import eventually

START_S = 120  # on a machine that is busy otherwise


class ServiceProcess:
    """`zhenxue serve` with these settings; `more` are further variables of its environment."""

    def __init__(
        self,
        settings: Settings,
        *,
        more: Mapping[str, str] | None = None,
        descriptors: int | None = None,
        user: str | None = None,
    ) -> None:
        self.settings = settings
        self.url = f"http://127.0.0.1:{settings.port}"
        self.log: Path = settings.data_dir.parent / f"{settings.data_dir.name}-{settings.port}.log"
        self._more, self._descriptors, self._user = dict(more or {}), descriptors, user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def begin(self) -> None:
        """Start without waiting for it."""
        with self.log.open("ab") as told:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.cli.main", "serve"],
                env=environment(self.settings) | self._more,
                stdout=told,
                stderr=told,
                user=self._user,
            )
        if self._descriptors:
            limit = (self._descriptors, self._descriptors)
            resource.prlimit(self.pid, resource.RLIMIT_NOFILE, limit)

    def start_with(self, more: Mapping[str, str]) -> None:
        """Killed, and started again with these variables beside the others."""
        self.kill()
        self._more |= more
        self.start()

    def start(self) -> None:
        self.begin()
        heard = eventually(lambda: self.ended or self.answers(), START_S)
        assert heard, f"it did not answer within {START_S} s\n{self.last_words()}"
        assert not self.ended, f"it ended by itself\n{self.last_words()}"

    def kill(self) -> None:
        """As the kernel does: nothing is finished."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As an operator does; the exit code."""
        return self._end(signal.SIGTERM)

    def _end(self, sign: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(sign)
        return self._process.wait(60)

    def wait(self, seconds: float) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    @property
    def ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def answers(self, path: str = "/healthz", seconds: float = 5) -> bool:
        try:
            told = UrllibClient(self.url, seconds).request("GET", path, content=None, headers={})
        except OSError:
            return False
        return told.status_code == 200

    def ready(self) -> bool:
        return self.answers("/readyz")

    def last_words(self) -> str:
        return self.log.read_text("utf-8", "replace")[-2000:]


def environment(settings: Settings) -> dict[str, str]:
    """What a process needs around it to have these settings."""
    given = {
        "database_url": settings.database_url,
        "data_dir": settings.data_dir,
        "blob_url": settings.blob_url,
        "master_key": settings.master_key.get_secret_value(),
        "port": settings.port,
        "executor": settings.executor,
        "face_workers": settings.face_workers,
        "nightly_cron": settings.nightly_cron,
        "purge_cron": settings.purge_cron,
    }
    own = {f"ZHENXUE_{name.upper()}": str(value) for name, value in given.items()}
    return {k: v for k, v in os.environ.items() if not k.startswith("ZHENXUE_")} | own
