"""Which parts of the service answer, asked all at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

import structlog

from app.services import Services
from app.store import schema

MOST_WAIT_S = 3.0

log = structlog.get_logger("zhenxue.readiness")


class PartState(StrEnum):
    OK = "ok"
    FAILED = "failed"


def ask(services: Services) -> dict[str, PartState]:
    """What each part says: database, store, migrations, and whatever else was registered."""
    return asked(
        {
            "database": services.database.ping,
            "store": services.blobs.ping,
            "migrations": lambda: schema.require_head(services.database),
            **services.checks,
        }
    )


def asked(checks: Mapping[str, Callable[[], Any]]) -> dict[str, PartState]:
    """What each check says; one that does not answer in time has failed. Together they take no
    longer than one."""
    results = dict.fromkeys(checks, PartState.FAILED)

    def one(name: str) -> None:
        try:
            checks[name]()
        except Exception:
            log.exception("not ready", part=name)
        else:
            results[name] = PartState.OK

    threads = [threading.Thread(target=one, args=(name,), daemon=True) for name in checks]
    until = time.monotonic() + MOST_WAIT_S
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return dict(results)
