"""Routes that answer with a struct: its schema and an example stand in the OpenAPI document.

A handler says in its return annotation what it answers with, and returns one; msgspec encodes it.
Who writes the answer by other means names its struct with `described`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import is_dataclass
from functools import cache, wraps
from importlib import resources
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import Match
from starlette.types import Scope

from app.domain import plain_json
from app.http import addresses

JSON = "application/json"
COMPONENTS = "#/components/schemas/{name}"
# What its module may call by a short word needs one of its own in the document. A view or a stored
# body is called there by what it shows.
_PUBLIC = {
    "Decision": "FindingDecision",
    "Evidence": "EvidenceClass",
    "Fate": "BatchFate",
    "HourOutcome": "ClassHourOutcome",
    "HourVerdictView": "ClassHourVerdict",
    "Outcome": "FindingOutcome",
    "Place": "EvidencePlace",
    "Quality": "FaceQuality",
    "StandingBody": "StandingFinding",
    "State": "SessionState",
    "SittingAnswer": "SessionBatchAnswer",
    "SittingControl": "SessionControl",
    "SittingView": "Session",
    "Status": "RuleStatus",
    "Text": "LocalizedText",
    "WindowBody": "AssessmentWindow",
}
_VIEWS = ("View", "Body")
_FIELDS = {"properties", "additionalProperties"}
_described: set[Any] = set()
_named: dict[str, dict[str, Any]] = {}


class AnswerRoute(APIRoute):
    """A route whose handler may be annotated to return a msgspec Struct or a dataclass."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        answer = inspect.signature(endpoint, eval_str=True).return_annotation
        if inspect.isclass(answer) and (issubclass(answer, msgspec.Struct) or is_dataclass(answer)):
            status = options.get("status_code") or 200
            options["responses"] = {**(options.get("responses") or {}), **described(answer, status)}
            options["response_model"] = None
            endpoint = _encoding(endpoint, status)
        super().__init__(path, endpoint, **options)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path = addresses.divided(scope)
        if path == scope["path"]:
            return super().matches(scope)
        match, found = super().matches({**scope, "path": path})
        if match is not Match.NONE:
            named = found["path_params"].items()
            found["path_params"] = {
                name: addresses.whole(it) if isinstance(it, str) else it for name, it in named
            }
        return match, found

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def strictly(request: Request) -> Response:
            return await handle(_PlainRequest(request.scope, request.receive))

        return strictly


class _PlainRequest(Request):
    """A request whose JSON says everything once."""

    async def json(self) -> Any:
        return plain_json.loads(await self.body())


def described(answer: Any, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """What `responses` of a route, or of an operation written by hand, say of an answer."""
    _described.add(answer)
    schema = {"$ref": _reference(answer.__name__)}
    return {status: {"content": {JSON: {"schema": schema}}}}


def named(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A reference to a schema written by hand or made by pydantic, which enters the document under
    that name, with what it defines by the way."""
    _named.update({**schema.pop("$defs", {}), name: schema})
    return {"$ref": COMPONENTS.format(name=name)}


def described_model(model: type[BaseModel]) -> dict[str, Any]:
    """A reference to the schema of a request that is read by hand."""
    template = COMPONENTS.format(name="{model}")
    return named(model.__name__, model.model_json_schema(ref_template=template))


def describe(document: dict[str, Any]) -> None:
    """Enter the schema of every answer that the document refers to, and an example of it and
    of what is sent for it."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    wanted = set(references(document["paths"]))
    ours = [it for it in _described if _reference(it.__name__) in wanted]
    every = sorted(ours, key=lambda it: str(it.__name__))
    answers = msgspec.json.schema_components(every, ref_template=COMPONENTS)[1]
    for schema in answers.values():
        _always_written(schema)
    schemas.update(_named)
    told = {_public(name): it for name, it in answers.items()}
    same = told.keys() & schemas.keys()
    if twice := {it for it in same if "properties" in told[it]}:  # else a body's would be lost
        raise ValueError(f"a body and an answer have one name: {sorted(twice)}")
    schemas.update(told)
    _tidy(document, schemas)
    for operations in document["paths"].values():
        for operation in operations.values():
            _show(operation)


def examples() -> dict[str, Any]:
    """Recorded answers by operation id: `python -m tests.contract.record`."""
    return _recorded("examples.json")


def body_examples() -> dict[str, Any]:
    """The bodies that were answered so, by operation id."""
    return _recorded("request_examples.json")


@cache
def _recorded(name: str) -> dict[str, Any]:
    text = resources.files("app.api").joinpath(name).read_bytes()
    found: dict[str, Any] = msgspec.json.decode(text)
    return found


def _always_written(schema: dict[str, Any]) -> None:
    """What has a default is written all the same; only what is UNSET is left out."""
    for name, field in schema.get("properties", {}).items():
        if "default" in field:
            del field["default"]
            schema["required"].append(name)


def _public(name: str) -> str:
    """What a struct is called in the document."""
    if name in _PUBLIC:
        return _PUBLIC[name]
    for ending in _VIEWS:
        name = name.removesuffix(ending)
    return name


def references(node: Any) -> Iterator[str]:
    """What a part of the document refers to."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from references(inner)


def _reference(name: str) -> str:
    return COMPONENTS.format(name=_public(name))


def _tidy(document: dict[str, Any], schemas: dict[str, Any]) -> None:
    """What generators stumble over: pydantic's literals refer to the enum that has a name for the
    same words, and an object whose fields are not told may have any."""
    names = {tuple(sorted(it["enum"])): name for name, it in schemas.items() if "enum" in it}

    def visit(node: Any) -> None:
        if isinstance(node, list):
            for inner in node:
                visit(inner)
        elif isinstance(node, dict):
            if "$ref" in node:
                node["$ref"] = _reference(node["$ref"].rpartition("/")[2])
            name = names.get(tuple(sorted(node.get("enum", ()))))
            if name is not None and node is not schemas[name]:
                del node["enum"]
                node.pop("type", None)
                node["$ref"] = COMPONENTS.format(name=name)
            if node.get("type") == "object" and not node.keys() & _FIELDS:
                node["additionalProperties"] = True
            for inner in node.values():
                visit(inner)

    visit(document)


def _show(operation: dict[str, Any]) -> None:
    example = examples().get(operation["operationId"])
    for status, response in operation["responses"].items():
        if status.startswith("2") and example is not None:
            for kind, content in response.get("content", {}).items():
                if kind.startswith("text/") if isinstance(example, str) else kind == JSON:
                    content["example"] = example
    taken = operation.get("requestBody", {}).get("content", {})
    if JSON in taken and operation["operationId"] in body_examples():
        taken[JSON]["example"] = body_examples()[operation["operationId"]]


def encoded(answer: Any, status: int = 200) -> Response:
    return Response(msgspec.json.encode(answer), status, media_type=JSON)


def _encoding(endpoint: Callable[..., Any], status: int) -> Callable[..., Any]:
    """The handler, as one that returns a Response."""
    if inspect.iscoroutinefunction(endpoint):

        @wraps(endpoint)
        async def later(**arguments: Any) -> Response:
            return encoded(await endpoint(**arguments), status)

        return later

    @wraps(endpoint)
    def now(**arguments: Any) -> Response:
        return encoded(endpoint(**arguments), status)

    return now
