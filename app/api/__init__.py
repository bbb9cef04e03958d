"""The machines' side: one resource a file, JSON only."""

from __future__ import annotations

from importlib import import_module

from fastapi import FastAPI

RESOURCES = (
    "app.api.operations",
    "app.api.courses",
    "app.api.classes",
    "app.api.learners",
    "app.api.records",
    "app.api.acts",
    "app.api.imports",
    "app.api.platforms",
    "app.api.webhooks",
    "app.api.sessions",
    "app.api.snapshots",
    "app.api.reference_photos",
    "app.api.xapi",
    "app.api.verdicts",
    "app.api.findings",
    "app.api.exports",
    "app.console",
    "app.sdk",
)


def include_routers(app: FastAPI) -> None:
    """Mount every resource; describe what is answered before the routing, and every refusal."""
    for name in RESOURCES:
        app.include_router(import_module(name).router)
    for name in ("app.api.event_schema", "app.api.problem_schema", "app.api.answers"):
        import_module(name).describe(app)
