"""Is it alive, is it ready, what does it count, and what can be asked of it."""

from __future__ import annotations

from enum import StrEnum
from html import escape
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app.api.answers import AnswerRoute, described, encoded
from app.api.auth import services_of
from app.domain.answer import Answer
from app.http import readiness
from app.http.readiness import PartState
from app.vision.model_files import BackendFiles

router = APIRouter(tags=["operations"], route_class=AnswerRoute)
_NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"description": "a part is not ready; says which"}
}


class Health(Answer, frozen=True, kw_only=True):
    status: Literal["ok"]


class ReadinessStatus(StrEnum):
    READY = "ready"
    NOT_READY = "not_ready"


class ModelsInForce(Answer, frozen=True, kw_only=True):
    """What reads faces. `detector`: a file's name or `default`; `embedder`: as it stands in
    decisions; `anti_spoof`: whether a model that recognises prints and screens is supplied."""

    detector: str
    embedder: str
    anti_spoof: bool


class Readiness(Answer, frozen=True, kw_only=True):
    """`checks` by part: database, store, migrations and what else was registered. `notices` name
    model files that are configured and cannot be used."""

    status: ReadinessStatus
    checks: dict[str, PartState]
    notices: list[str]
    models: ModelsInForce


@router.get("/healthz")
async def healthz() -> Health:
    """The process is alive."""
    return Health(status="ok")


@router.get("/readyz", responses={**described(Readiness), **_NOT_READY})
def readyz(request: Request) -> Response:
    """Every part answers: database, schema, object store, and whatever else was registered.

    `notices` name model files that are configured and cannot be used: the default stands in.
    """
    services = services_of(request)
    results = readiness.ask(services)
    ready = all(result is PartState.OK for result in results.values())
    return encoded(
        Readiness(
            status=ReadinessStatus.READY if ready else ReadinessStatus.NOT_READY,
            checks=results,
            notices=list(services.readers.notices),
            models=_models(services.readers.files),
        ),
        200 if ready else 503,
    )


def _models(files: BackendFiles) -> ModelsInForce:
    return ModelsInForce(
        detector=files.yunet.path.name if files.yunet else "default",
        embedder=files.card().model,
        anti_spoof=bool(files.anti_spoof),
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}}}},
)
def metrics(request: Request) -> Response:
    """Counters and histograms in Prometheus' text format."""
    return Response(generate_latest(services_of(request).registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
def docs(request: Request) -> str:
    """The interface as one page that needs nothing from elsewhere."""
    document = request.app.openapi()
    rows = "".join(
        f"<tr><td><code>{method.upper()}</code></td><td><code>{escape(path)}</code></td>"
        f"<td>{escape(_first_line(operation))}</td></tr>"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    )
    title = escape(document["info"]["title"])
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{title} API</title>"
        "<style>body{font:16px/1.5 sans-serif;margin:2rem;max-width:70rem}"
        "td{padding:.2rem 1rem .2rem 0;vertical-align:top}</style>"
        f"<h1>{title} API {escape(document['info']['version'])}</h1>"
        "<p>The whole description, with all fields: <a href='/openapi.json'>/openapi.json</a></p>"
        f"<table>{rows}</table></html>"
    )


def _first_line(operation: dict[str, Any]) -> str:
    text: str = operation.get("description") or operation.get("summary") or ""
    return text.partition("\n")[0]
