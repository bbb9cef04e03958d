"""Waiting for what another thread, process or browser does."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(came: Callable[[], object], seconds: float = 60) -> bool:
    """Whether it came true; asked every hundredth of a second. The limit is there to end a run
    that hangs, so it is far beyond what a busy machine needs."""
    until = time.monotonic() + seconds
    while not came():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
