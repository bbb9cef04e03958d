"""The machines' side: one resource a file, JSON only."""

from __future__ import annotations

from importlib import import_module

import structlog
from fastapi import FastAPI

log = structlog.get_logger("zhenxue.api")

RESOURCES = (
    "app.api.operations",
    "app.api.courses",
    "app.api.classes",
    "app.api.learners",
    "app.api.records",
    "app.api.imports",
    "app.api.platforms",
    "app.api.sessions",
    "app.api.snapshots",
    "app.api.reference_photos",
    "app.api.xapi",
    "app.api.verdicts",
    "app.api.findings",
    "app.api.exports",
    "app.console",
)


def include_routers(app: FastAPI) -> None:
    """Mount every resource that is finished."""
    for name in RESOURCES:
        try:
            router = import_module(name).router
        except (ModuleNotFoundError, AttributeError) as missing:
            log.warning("resource left out", resource=name, missing=str(missing))
            continue
        app.include_router(router)
