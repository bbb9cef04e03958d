"""The two event endpoints in the OpenAPI document: they are answered before the routing, so that
nothing describes them by itself."""

from __future__ import annotations

from typing import Any

import msgspec

from app.api.answers import COMPONENTS, described, named
from app.domain.answer import Answer
from app.domain.events.batch_answer import BatchAnswer, BatchesAnswer
from app.domain.events.events import AnyEvent


def describe(document: dict[str, Any]) -> None:
    """Enter both endpoints, with every type of event."""
    document["paths"]["/v1/sessions/{session_id}/events"] = {"post": _ONE}
    document["paths"]["/v1/events"] = {"post": _MANY}


def _operation(
    name: str,
    summary: str,
    batch_name: str,
    event: dict[str, Any],
    parameters: list[dict[str, Any]],
    answer: type[Answer],
) -> dict[str, Any]:
    batch = named(
        batch_name,
        {
            "type": "object",
            "properties": {
                "sent_at_ms": {"type": "integer"},
                "batch_id": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 128,
                    "description": "names a batch whose events come without seq, so that it is "
                    "stored once however often it is sent; goes before Idempotency-Key",
                },
                "events": {"type": "array", "items": event, "minItems": 1, "maxItems": 1000},
            },
            "required": ["events"],
        },
    )
    return {
        "tags": ["events"],
        "operationId": name,
        "summary": summary,
        "description": "Acknowledged once durable. Also as NDJSON; gzip and zstd are accepted.",
        "parameters": parameters,
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": batch},
                "application/x-ndjson": {"schema": {"type": "string"}},
            },
        },
        "responses": {
            "200": {
                "description": "what was stored, what was refused by index, what to do next",
                **described(answer)[200],
            },
        },
    }


(_UNION,), _KINDS = msgspec.json.schema_components([AnyEvent], ref_template=COMPONENTS)
for _kind in _KINDS.values():
    del _kind["properties"]["seq"]["default"]
    _kind["properties"]["seq"]["description"] = (
        "needed with a lease token; a platform's key may leave it out of every event of a sitting"
    )


def _addressed() -> dict[str, Any]:
    """An event of any type with its sitting, as one object: a composed union is one that
    generators of clients get wrong."""
    kinds = list(_KINDS.values())
    fields = {name: it for kind in kinds for name, it in kind["properties"].items()}
    types = [name for kind in kinds for name in kind["properties"]["type"]["enum"]]
    return {
        "type": "object",
        "description": "an Event with its sitting; the fields are those of its type",
        "properties": {
            "session_id": {"type": "string"},
            **fields,
            "type": named("EventType", {"type": "string", "enum": types}),
        },
        "required": ["session_id", "type", "at_ms"],
    }


_BATCH_ID = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "as batch_id",
    "schema": {"type": "string", "maxLength": 128},
}
_EVENT = named("Event", {**_UNION, "$defs": _KINDS})
_ONE = _operation(
    "post_session_events",
    "One batch of one sitting",
    "EventBatch",
    _EVENT,
    [
        {
            "name": "session_id",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "maxLength": 128},
        },
        _BATCH_ID,
    ],
    BatchAnswer,
)
_MANY = _operation(
    "post_events",
    "One batch of many sittings",
    "AddressedEventBatch",
    named("AddressedEvent", _addressed()),
    [_BATCH_ID],
    BatchesAnswer,
)
