"""A client that holds every answer of /v1 against the OpenAPI document."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

_documents: list[dict[str, Any]] = []


class DescribedClient(TestClient):
    """Fails a test when the service gave an answer that its own document does not describe."""

    def request(self, method: str, url: Any, **options: Any) -> Any:
        answer = super().request(method, url, **options)
        path = answer.request.url.path
        broken = answer.status_code == 500  # which a test brought about
        if path.startswith("/v1/") and method.upper() != "OPTIONS" and not broken:
            assert isinstance(self.app, FastAPI)
            if not _documents:  # the same for every application, and it takes a while to make
                _documents.append(self.app.openapi())
            statuses, media_types = described(method, path, answer.status_code)
            where = f"{method} {path}: {answer.status_code} {answer.text[:200]}"
            assert answer.status_code in statuses, f"not described: {where}"
            kind = answer.headers.get("content-type", "").partition(";")[0]
            assert not answer.content or not media_types or kind in media_types, (kind, where)
        return answer


def described(method: str, path: str, status: int) -> tuple[set[int], set[str]]:
    """The statuses of the operation at an address, and what this one comes as; of an address or a
    method that there is none of: 404 and 405."""
    problem = {"application/problem+json"}
    for pattern, operations in _operations():
        if pattern.fullmatch(path):
            operation = operations.get(method.lower())
            if operation is None:
                continue
            responses = operation["responses"]
            content = responses.get(str(status), {}).get("content", ())
            return {int(it) for it in responses}, {it.partition(";")[0] for it in content}
    return {404, 405}, problem


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [
        (re.compile(re.sub(r"\\?\{\w+\\?\}", "[^/]+", re.escape(path))), operations)
        for path, operations in _documents[0]["paths"].items()
    ]
