"""What runs beside the requests: threads of the web process, workers, the nightly run."""

from __future__ import annotations

from app.services import Services


def install(services: Services) -> None:
    """Tie the web process's own jobs to its start and stop."""
    from app.jobs import (
        audit_watch,
        class_run,
        conclusions,
        erasures,
        face_worker,
        ground,
        key_exchange,
        lease_sweep,
        scheduler,
        settler,
        spot_checks,
        telling,
        webhooks,
        what_if,
    )

    erasures.install(services)
    services.on_start.append(services.events.start)
    services.on_stop.append(services.events.stop)
    ground.install(services)
    key_exchange.install(services)
    audit_watch.install(services)
    settler.install(services)
    spot_checks.install(services)
    lease_sweep.install(services)
    face_worker.install(services)
    class_run.install(services)
    conclusions.install(services)
    what_if.install(services)
    webhooks.install(services)
    telling.install(services)
    scheduler.install(services)
