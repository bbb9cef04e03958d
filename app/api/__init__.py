"""The machines' side: one resource a file, JSON only."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from fastapi import FastAPI

RESOURCES = (
    "app.api.operations",
    "app.api.courses",
    "app.api.classes",
    "app.api.learners",
    "app.api.records",
    "app.api.imports",
    "app.api.platforms",
    "app.api.sessions",
    "app.api.events",
    "app.api.snapshots",
    "app.api.verdicts",
    "app.console",
)


def include_routers(app: FastAPI) -> None:
    """Mount every resource that this installation has."""
    for name in RESOURCES:
        if find_spec(name) is not None:
            router = getattr(import_module(name), "router", None)
            if router is not None:
                app.include_router(router)
