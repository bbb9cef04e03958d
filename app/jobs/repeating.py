"""Work that is done again and again in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger("zhenxue.jobs")


class Repeating:
    """Does `work` every few seconds between `start()` and `stop()`; a failed round is logged, and
    the next one tries again. Long work looks at `stopping` now and then."""

    def __init__(self, name: str, every_s: float, work: Callable[[], object]) -> None:
        self.stopping = threading.Event()
        self._name = name
        self._every_s = every_s
        self._work = work
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self.stopping.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        while not self.stopping.wait(self._every_s):
            try:
                self._work()
            except Exception:
                log.exception("a round failed", job=self._name)
