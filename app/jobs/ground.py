"""Is the ground we stand on as it should be: the clock that everything rests on, and the disk."""

from __future__ import annotations

import os
import shutil

from app import clock
from app.errors import NotReady
from app.services import Services
from app.store.accounts import audit

LEAST_FREE = 64 * 1024 * 1024
BEHIND_MS = 120_000


def install(services: Services) -> None:
    """Have `/readyz` ask for both."""
    services.checks["clock"] = lambda: check_clock(services)
    services.checks["disk"] = lambda: check_disk(services)


def check_clock(services: Services) -> None:
    """Raises NotReady when the machine's clock was set while we ran, or is behind what was done."""
    stepped_ms = clock.stepped_ms()
    if services.clock is clock.system_clock and stepped_ms:
        raise NotReady(
            "clock",
            f"the machine's clock was set by {stepped_ms / 1000:+.1f} s, and we go on by the former"
            " time: once it is right, start the service anew",
        )
    with services.database.read() as connection:
        last_ms = audit.last_ms(connection)
    if last_ms is not None and last_ms > services.clock() + BEHIND_MS:
        raise NotReady("clock", "the clock is behind the last entry of the audit log")


def check_disk(services: Services) -> None:
    """Raises NotReady when a disk of the data folder or the database is full, or read-only."""
    for folder in {services.settings.data_dir, services.database.folder}:
        if folder is None or not folder.is_dir():
            continue
        if shutil.disk_usage(folder).free < LEAST_FREE:
            raise NotReady("disk", f"less than {LEAST_FREE >> 20} MiB are free in {folder}")
        if not os.access(folder, os.W_OK):
            raise NotReady("disk", f"{folder} cannot be written to")
