"""Everything the service refuses, as one tree.

ZhenxueError
├── BadInput            422  the request is understood and wrong; names the field
│   ├── MalformedBody   400  not even JSON, gzip or an image
│   ├── TooSlow         408
│   ├── BodyTooLarge    413
│   └── WrongMediaType  415
├── NotSignedIn         401
├── NotAllowed          403
├── NotFound            404  also for what belongs to another platform
├── Conflict            409  concurrent_session, lesson_locked, session_closed …
├── PreconditionFailed  412  the document is not the one that the caller has seen
├── TooManyRequests     429
└── NotReady            503  with Retry-After
"""

from __future__ import annotations

from typing import Any


class ZhenxueError(Exception):
    """A refusal with an HTTP status, a code for machines and a sentence for people."""

    status = 500
    title = "Internal error"

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        retry_after_s: int | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retry_after_s = retry_after_s
        self.extra = extra

    def problem(self) -> dict[str, Any]:
        """The body of an `application/problem+json` answer (RFC 9457)."""
        body: dict[str, Any] = {
            "type": f"urn:zhenxue:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            **self.extra,
        }
        if self.errors is not None:
            body["errors"] = self.errors
        if self.retry_after_s is not None:
            body["retry_after_s"] = self.retry_after_s
        return body


class BadInput(ZhenxueError):
    status = 422
    title = "Unprocessable input"


class MalformedBody(BadInput):
    status = 400
    title = "Malformed body"


class BodyTooLarge(BadInput):
    status = 413
    title = "Body too large"


class TooSlow(BadInput):
    status = 408
    title = "Request timeout"


class WrongMediaType(BadInput):
    status = 415
    title = "Unsupported media type"


class NotSignedIn(ZhenxueError):
    status = 401
    title = "Not signed in"


class NotAllowed(ZhenxueError):
    status = 403
    title = "Not allowed"


class NotFound(ZhenxueError):
    status = 404
    title = "Not found"


class Conflict(ZhenxueError):
    status = 409
    title = "Conflict"


class PreconditionFailed(ZhenxueError):
    status = 412
    title = "Precondition failed"


class TooManyRequests(ZhenxueError):
    status = 429
    title = "Too many requests"


class NotReady(ZhenxueError):
    status = 503
    title = "Not ready"
