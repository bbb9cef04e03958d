"""The OpenAPI description of the document resources, and of agents and activities."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from app.api.answers import JSON, named
from app.api.xapi_schema import REFUSALS, SECURITY, VERSION, WORD, parameter

_IRI = {"type": "string", "format": "uri"}
_UUID = {"type": "string", "format": "uuid"}
_MOMENT = {"type": "string", "format": "date-time"}
ACTIVITY = parameter("activityId", _IRI, "id of the activity", required=True)
AGENT = parameter("agent", WORD, "JSON of an agent or group with an identifier", required=True)
_REGISTRATION = parameter("registration", _UUID, "of the course; none: in no registration")
_SINCE = parameter("since", _MOMENT, "with no id: of what changed after")
_PLACES = {
    "state": ("stateId", [ACTIVITY, AGENT, _REGISTRATION]),
    "agent_profile": ("profileId", [AGENT]),
    "activity_profile": ("profileId", [ACTIVITY]),
}
_ANY = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
_DOCUMENT = named("KeptDocument", {"description": "any JSON, as it was put or merged"})
_DOCUMENT_OR_IDS = named(
    "DocumentOrIds",
    {"description": "any JSON as it was put or merged; without an id: a list of ids"},
)
_PROBLEM = REFUSALS[400]["content"]
_WRITTEN: dict[int | str, dict[str, Any]] = {
    **REFUSALS,
    409: {"description": "there is one, and no `If-Match` was sent", "content": _PROBLEM},
    412: {"description": "`If-Match` or `If-None-Match` does not hold", "content": _PROBLEM},
}


def _header(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "schema": WORD, "description": text}


_MATCH = [
    _header("If-Match", "ETag of the document that is replaced"),
    _header("If-None-Match", "`*`: only if there is none"),
]


def read(kind: str) -> dict[str, Any]:
    """Options of a GET."""
    name, place = _PLACES[kind]
    text = "the id of one document; none: the ids of all"
    ids = {JSON: {"schema": _DOCUMENT_OR_IDS}, **_ANY}
    return {
        "response_class": Response,
        "responses": {
            200: {"description": "the document as it was put, or a list of ids", "content": ids},
            **REFUSALS,
        },
        "openapi_extra": {
            **SECURITY,
            "parameters": [VERSION, *place, parameter(name, WORD, text), _SINCE],
        },
    }


def written(kind: str) -> dict[str, Any]:
    """Options of a PUT or POST."""
    name, place = _PLACES[kind]
    return {
        "status_code": 204,
        "response_class": Response,
        "responses": _WRITTEN,
        "openapi_extra": {
            **SECURITY,
            "parameters": [
                VERSION,
                *_MATCH,
                *place,
                parameter(name, WORD, "the id of the document", required=True),
            ],
            "requestBody": {
                "required": True,
                "content": {JSON: {"schema": _DOCUMENT}, **_ANY},
            },
        },
    }


def removed(kind: str) -> dict[str, Any]:
    """Options of a DELETE."""
    name, place = _PLACES[kind]
    text = "the id of the document"
    return {
        "status_code": 204,
        "response_class": Response,
        "responses": _WRITTEN,
        "openapi_extra": {
            **SECURITY,
            "parameters": [
                VERSION,
                _MATCH[0],
                *place,
                parameter(name, WORD, text, required=kind != "state"),
            ],
        },
    }


def known(asked: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Options of a GET of what is known of one thing."""
    return {
        "response_class": Response,
        "responses": {200: {"content": {JSON: {"schema": answer}}}, **REFUSALS},
        "openapi_extra": {**SECURITY, "parameters": [VERSION, asked]},
    }


PERSON = named(
    "Person",
    {
        "type": "object",
        "properties": {
            "objectType": {"const": "Person"},
            **{
                name: {"type": "array", "items": WORD}
                for name in ("name", "mbox", "mbox_sha1sum", "openid")
            },
            "account": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["objectType"],
        "additionalProperties": False,
    },
)
ACTIVITY_BODY = named(
    "ActivityKnown",
    {
        "type": "object",
        "properties": {
            "objectType": {"const": "Activity"},
            "id": _IRI,
            "definition": {"type": "object", "description": "as statements told it"},
        },
        "required": ["objectType", "id"],
        "additionalProperties": False,
    },
)
