"""What the authority asks for in one process reaches the sittings that another serves."""

from __future__ import annotations

from app.jobs.repeating import Repeating
from app.services import Services
from app.store.review import spot_checks

EVERY_S = 2.0


def look(services: Services) -> None:
    """Have each sitting that is asked for a face check told with its next batch."""
    with services.database.read() as connection:
        sittings = spot_checks.waiting_sittings(connection, services.clock())
    for session_id in sittings:
        services.controls.wake(session_id)


def install(services: Services) -> None:
    job = Repeating("spot-checks", EVERY_S, lambda: look(services))
    services.on_start.append(job.start)
    services.on_stop.append(job.stop)
