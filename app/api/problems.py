"""Refusals as `application/problem+json` (RFC 9457), whoever raised them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import Scope

from app.domain.wire import field_name
from app.errors import BadInput, MalformedBody, NotFound, WrongMediaType, ZhenxueError
from app.http.middleware import PROBLEM_JSON, problem_body
from app.http.refusals import REFUSAL

_MAX_ERRORS = 100
_TITLES = {400: "Bad request", 404: "Not found", 405: "Method not allowed"}
_CODES = {404: "not_found", 405: "method_not_allowed"}


def install(app: FastAPI) -> None:
    app.add_exception_handler(ZhenxueError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def response(error: ZhenxueError, scope: Scope) -> Response:
    """The answer that says why; the request's scope keeps it for the platform's developers."""
    scope[REFUSAL] = error
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    if error.retry_after_s is not None:
        headers["retry-after"] = str(error.retry_after_s)
    if error.status == 401:
        headers["www-authenticate"] = 'Bearer realm="zhenxue"'
    return Response(
        problem_body(error.problem()), error.status, headers=headers, media_type=PROBLEM_JSON
    )


def field_errors(errors: Iterable[Any]) -> list[dict[str, Any]]:
    """Pydantic's errors as ours: field, code, detail, and the item's index where there is one.

    What was sent is not repeated: it may be secret, and it may not even be JSON.
    """
    found = []
    for error in list(errors)[:_MAX_ERRORS]:
        path = [part for part in error["loc"] if part not in ("body", "query", "path", "header")]
        name = field_name(path) or "body"
        entry = {"field": name, "code": error["type"], "detail": f"{name}: {error['msg']}"}
        index = next((part for part in path if isinstance(part, int)), None)
        found.append(entry if index is None else {"index": index, **entry})
    return found


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ZhenxueError)
    return response(error, request.scope)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if errors and errors[0]["type"] == "json_invalid":
        return response(
            MalformedBody("malformed_json", "the body is not valid JSON"), request.scope
        )
    if isinstance(error.body, bytes):
        wrong = WrongMediaType("wrong_media_type", "send the body as application/json")
        return response(wrong, request.scope)
    found = field_errors(errors)
    refusal = BadInput("invalid_input", "; ".join(e["detail"] for e in found[:3]), errors=found)
    if request.url.path.startswith("/xAPI"):
        refusal = MalformedBody(refusal.code, refusal.detail, errors=found)
    return response(refusal, request.scope)


async def _http(request: Request, error: Exception) -> Response:
    """What the framework itself refuses; a refusal of ours may be wrapped in it."""
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, ZhenxueError):
        return response(error.__cause__, request.scope)
    if error.status_code == 404:
        nothing = NotFound("not_found", "there is nothing at this address")
        return response(nothing, request.scope)
    code = _CODES.get(
        error.status_code, "malformed_body" if error.status_code == 400 else "refused"
    )
    body = {
        "type": f"urn:zhenxue:problem:{code}",
        "title": _TITLES.get(error.status_code, "Refused"),
        "status": error.status_code,
        "detail": str(error.detail),
        "code": code,
    }
    return Response(
        problem_body(body), error.status_code, headers=error.headers, media_type=PROBLEM_JSON
    )
