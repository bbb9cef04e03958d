"""What every refusal of /v1 looks like in the OpenAPI document, told once for all routes.

Which refusals a route can give follows from what it takes: a key, a body, ids in its path. Only
conflicts are each route's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.http.middleware import PROBLEM_JSON

_PROBLEM = {
    "title": "Problem",
    "description": "A refusal (RFC 9457); `code` is for machines, `detail` for people.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri", "examples": ["urn:zhenxue:problem:not_found"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "retry_after_s": {"type": "integer", "description": "as the header Retry-After"},
        "errors": {
            "description": "what is wrong with each item or field",
            "type": "array",
            "items": {"$ref": "#/components/schemas/ProblemItem"},
        },
    },
}
_PROBLEM_ITEM = {
    "title": "ProblemItem",
    "type": "object",
    "required": ["code", "detail"],
    "properties": {
        "index": {"type": "integer"},
        "line": {"type": "integer"},
        "field": {"type": "string"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
}
_TOLD = {
    400: "the body is not even what it claims to be: no JSON, no image, no archive",
    401: "no API key or lease that is valid, and nobody signed in",
    403: "the key lacks the scope, or this is for people, or for a platform",
    404: "nothing of that id within what the caller sees",
    413: "the body is too large",
    415: "another media type or content encoding",
    422: "understood and wrong; `errors` names the fields",
    429: "too many requests; see Retry-After",
    503: "not ready; see Retry-After",
}
_ANYWHERE = (401, 403, 429, 503)
_WITH_BODY = (400, 413, 415, 422)
_SEVERAL = "several platforms have that id; `platform` says which one is meant"
_CONFLICTS = {
    "POST /v1/acts/{act_id}/approval": "it is in force already, was revoked, or no longer fits",
    "POST /v1/acts/{act_id}/revocation": "it was revoked, or what came since rests on it",
    "PUT /v1/counties/{county}": "another county has that code",
    "POST /v1/institutions": "`institution_code_taken`, `institution_name_taken`",
    "PUT /v1/institutions/{institution_id}": (
        "`institution_code_taken`, `institution_name_taken`, `institution_has_classes`"
    ),
    "POST /v1/institutions/{institution_id}/withdrawal": "it is off the list already",
    "POST /v1/institutions/{institution_id}/relisting": "it is on the list",
    "POST /v1/requests/{request_id}/answer": "it was answered",
    "POST /v1/classes/{class_id}/acts": "the learner has left, or is in the other class already",
    "PUT /v1/classes/{class_id}": "terms that are frozen once somebody has studied",
    "POST /v1/classes/{class_id}/clock": "a class whose clock does not move: no sandbox",
    "PUT /v1/classes/{class_id}/roster": "somebody who studied cannot become somebody else",
    "PUT /v1/learners/{learner_id}/reference-photo": (
        "a photo that was replaced, data erased, or `enrolment_complete` by this link"
    ),
    "POST /v1/learners/{learner_id}/enrolment": "face data erased",
    "POST /v1/keys/{key_id}/rotate": "the key has ended",
    "POST /v1/webhooks": "the platform has as many webhooks as it may",
    "POST /v1/sessions": "`concurrent_session`, `enrolment_ended`, `lesson_locked` …",
    "POST /v1/sessions/{session_id}/controls": "the service runs the controls, or it is over",
    "POST /v1/sessions/{session_id}/events": "the session takes no more events",
    "PUT /v1/sessions/{session_id}/snapshots/{snapshot_id}": "other bytes, too many, or it is over",
    "POST /v1/findings/{finding_id}/reviews": "decided, on trial, or waits for another person",
    "POST /v1/cases/{case_id}/reviews": "the case holds other findings by now",
    "POST /v1/cases/{case_id}/undo": "no decision of yours that can still be undone",
    "POST /v1/findings/{finding_id}/appeals": "nothing stands any more",
}
_SHARED_IDS = {"class_id", "session_id"}  # each platform gives its own


def describe(document: dict[str, Any]) -> None:
    """Tell the refusals of every route under /v1."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(Problem=_PROBLEM, ProblemItem=_PROBLEM_ITEM)
    for path, method, operation in _operations(document):
        for status, told in _refusals(path, method, operation).items():
            operation["responses"][str(status)] = {
                "description": told,
                "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            }
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        if path.startswith("/v1/"):
            for method, operation in operations.items():
                yield path, method.upper(), operation


def _refusals(path: str, method: str, operation: dict[str, Any]) -> dict[int, str]:
    statuses = {*_ANYWHERE}
    if "requestBody" in operation:
        statuses |= {*_WITH_BODY}
    if operation.get("parameters"):
        statuses.add(422)
    named = {it["name"] for it in operation.get("parameters", ())}
    if "{" in path or method == "POST" or named & _SHARED_IDS:
        statuses.add(404)
    descriptions = {status: _TOLD[status] for status in statuses}
    conflict = _CONFLICTS.get(f"{method} {path}")
    if conflict is None and method == "GET" and named & _SHARED_IDS:
        conflict = _SEVERAL
    if conflict is not None:
        descriptions[409] = conflict
    return dict(sorted(descriptions.items()))
