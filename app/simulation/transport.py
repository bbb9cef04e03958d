"""Just enough HTTP: what httpx2 and Starlette's TestClient offer, or urllib."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

TRIES = 6
LONGEST_WAIT_S = 10.0


class Response(Protocol):
    @property
    def status_code(self) -> int: ...

    @property
    def content(self) -> bytes: ...


class HttpClient(Protocol):
    """Anything with httpx2's `request`; paths are relative to the service's base URL."""

    def request(
        self, method: str, url: str, *, content: bytes | None, headers: Mapping[str, str]
    ) -> Response: ...


@dataclass(frozen=True, slots=True)
class Reply:
    status_code: int
    content: bytes


@dataclass(frozen=True, slots=True)
class UrllibClient:
    """The default: one connection a request, no dependency. Where the service is busy (503), it is
    asked again after the time that it names. Raises OSError when nobody answers."""

    base_url: str
    timeout_s: float = 30.0

    def request(
        self, method: str, url: str, *, content: bytes | None, headers: Mapping[str, str]
    ) -> Reply:
        for _ in range(TRIES - 1):
            reply, after_s = self._once(method, url, content, headers)
            if after_s is None:
                return reply
            time.sleep(min(after_s, LONGEST_WAIT_S))
        return self._once(method, url, content, headers)[0]

    def _once(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[Reply, float | None]:
        """The answer, and in how many seconds to ask again where it says so."""
        request = urllib.request.Request(
            self.base_url.rstrip("/") + url, data=content, headers=dict(headers), method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as answer:
                return Reply(answer.status, answer.read()), None
        except urllib.error.HTTPError as error:
            with error:
                after = str(error.headers.get("Retry-After", ""))
                again = error.code == 503 and after.isdecimal()
                return Reply(error.code, error.read()), float(after) if again else None


class Problem(Exception):
    """The service answered with an error it should not have for what was asked."""

    def __init__(self, method: str, path: str, status: int, code: str, detail: str) -> None:
        super().__init__(f"{method} {path}: {status} {code} {detail}".rstrip())
        self.status = status
        self.code = code


@dataclass(slots=True)
class Api:
    """JSON calls with an API key; counts requests."""

    client: HttpClient
    key: str
    requests: int = 0

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content: bytes | None = None,
        content_type: str = "application/json",
    ) -> dict[str, Any]:
        """The answer's JSON object, {} for an empty one. Raises `Problem` from 400 on."""
        headers = {"Authorization": f"Bearer {self.key}"}
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
        if content is not None:
            headers["Content-Type"] = content_type
        self.requests += 1
        answer = self.client.request(method, path, content=content, headers=headers)
        document = _object(answer.content)
        if answer.status_code >= 400:
            code, detail = str(document.get("code", "")), str(document.get("detail", ""))
            raise Problem(method, path, answer.status_code, code, detail)
        return document


def _object(content: bytes) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
