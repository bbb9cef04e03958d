"""A client that holds every answer of the API against the OpenAPI document."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
from fastapi import FastAPI
from fastapi.testclient import TestClient

FORM = "application/x-www-form-urlencoded"
Validator = Any  # jsonschema_rs gives a class a draft
_documents: list[dict[str, Any]] = []


class DescribedClient(TestClient):
    """Fails a test when the service gave an answer that its own document does not describe."""

    @property
    def document(self) -> dict[str, Any]:
        assert isinstance(self.app, FastAPI)
        if not _documents:  # the same for every application, and it takes a while to make
            _documents.append(self.app.openapi())
        return _documents[0]

    def request(self, method: str, url: Any, **options: Any) -> Any:
        answer = super().request(method, url, **options)
        assert self.document
        path = answer.request.url.raw_path.partition(b"?")[0].decode()
        kind = answer.headers.get("content-type", "").partition(";")[0]
        where = f"{method} {path}: {answer.status_code} {answer.text[:200]}"
        broken = answer.status_code == 500  # which a test brought about
        if path.startswith("/v1/") and method.upper() != "OPTIONS" and not broken:
            statuses, media_types = described(method, path, answer.status_code)
            assert answer.status_code in statuses, f"not described: {where}"
            assert not answer.content or not media_types or kind in media_types, (kind, where)
        form = answer.request.headers.get("content-type", "").startswith(FORM)
        if form and path.startswith("/xAPI/"):
            return answer  # it stands for another method, under which its answer is described
        if answer.is_success and kind == "application/json" and operation_of(method, path):
            for fault in _schema(method, path, answer.status_code).iter_errors(answer.json()):
                raise AssertionError(f"{fault.instance_path}: {fault.message}: {where}")
        return answer


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """The document's schemas, with no other field allowed than those that they name.

    What is published leaves room for additions; a test wants to see each of them described."""
    schemas = {}
    for name, schema in document["components"]["schemas"].items():
        named = schema.get("type") == "object" and schema.get("properties")
        shut = named and "additionalProperties" not in schema
        schemas[name] = {**schema, "additionalProperties": False} if shut else schema
    return schemas


def described(method: str, path: str, status: int) -> tuple[set[int], set[str]]:
    """The statuses of the operation at an address, and what this one comes as; of an address or a
    method that there is none of: 404 and 405."""
    operation = operation_of(method, path)
    if operation is None:
        return {404, 405}, {"application/problem+json"}
    responses = operation["responses"]
    content = responses.get(str(status), {}).get("content", ())
    return {int(it) for it in responses}, {it.partition(";")[0] for it in content}


def operation_of(method: str, path: str) -> dict[str, Any] | None:
    for pattern, operations in _operations():
        if pattern.fullmatch(path) and method.lower() in operations:
            return dict(operations[method.lower()])
    return None


def _schema(method: str, path: str, status: int) -> Validator:
    operation = operation_of(method, path)
    assert operation is not None
    content = operation["responses"][str(status)]["content"]["application/json"]
    return validator(json.dumps(content["schema"]))


@cache
def validator(schema: str) -> Validator:
    """Of a schema in the document, given as JSON."""
    components = {"components": {"schemas": closed(_documents[0])}}
    return jsonschema_rs.validator_for({**json.loads(schema), **components})


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [
        (re.compile(re.sub(r"\\?\{\w+\\?\}", "[^/]+", re.escape(path))), operations)
        for path, operations in _documents[0]["paths"].items()
    ]
