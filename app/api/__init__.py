"""The machines' side: one resource a file, JSON only."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from fastapi import FastAPI

RESOURCES = (
    "app.api.operations",
    "app.api.institutions",
    "app.api.courses",
    "app.api.classes",
    "app.api.learners",
    "app.api.records",
    "app.api.tables",
    "app.api.acts",
    "app.api.stages",
    "app.api.imports",
    "app.api.platforms",
    "app.api.webhooks",
    "app.api.refusals",
    "app.api.events",
    "app.api.sessions",
    "app.api.snapshots",
    "app.api.reference_photos",
    "app.api.xapi",
    "app.api.statement_mapping",
    "app.api.xapi_documents",
    "app.api.xapi_known",
    "app.api.verdicts",
    "app.api.findings",
    "app.api.cases",
    "app.api.requests",
    "app.api.exports",
    "app.api.sign_offs",
    "app.console",
    "app.sdk",
)

# What is answered before the routing; every refusal; every answer, with an example; and all of it
# in the kinds of values that generators of clients know.
DESCRIBING = (
    "app.api.event_schema",
    "app.api.problem_schema",
    "app.api.answers",
    "app.api.for_generators",
)


def include_routers(app: FastAPI) -> None:
    """Mount every resource, and have the OpenAPI document tell what its routes do not."""
    for name in RESOURCES:
        app.include_router(import_module(name).router)
    modules = [import_module(name) for name in DESCRIBING]
    generated = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = generated()
            for module in modules:
                module.describe(app.openapi_schema)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
