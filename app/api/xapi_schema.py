"""The OpenAPI description of the statements resource: the handlers read requests by themselves."""

from __future__ import annotations

from typing import Any

from app.api.answers import JSON, named

_IRI = {"type": "string", "format": "uri"}
_UUID = {"type": "string", "format": "uuid"}
_MOMENT = {"type": "string", "format": "date-time"}
WORD = {"type": "string"}
_SWITCH = {"type": "string", "enum": ["true", "false"]}
_LANGUAGE_MAP = {
    "type": "object",
    "additionalProperties": WORD,
    "propertyNames": {"enum": ["zh-CN", "en"]},
}


def _object(needed: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(needed),
        "additionalProperties": False,
    }


_EXTENSIONS = {
    "type": "object",
    "propertyNames": {"pattern": r"^https://[a-z]+\.example/[a-z]+$"},
    "description": "any values under IRIs",
}
_MBOX = {"type": "string", "pattern": r"^mailto:[a-z0-9]+@[a-z0-9]+\.example$"}
_ACCOUNT = named("AgentAccount", _object(("homePage", "name"), homePage=_IRI, name=WORD))
_AGENT = {
    "oneOf": [
        named(
            "AgentByMail",
            _object(("mbox",), objectType={"const": "Agent"}, name=WORD, mbox=_MBOX),
        ),
        named(
            "AgentByAccount",
            _object(("account",), objectType={"const": "Agent"}, name=WORD, account=_ACCOUNT),
        ),
    ]
}
_ACTIVITY = named(
    "Activity",
    _object(
        ("id",),
        objectType={"const": "Activity"},
        id=_IRI,
        definition=named(
            "ActivityDefinition",
            _object(name=_LANGUAGE_MAP, description=_LANGUAGE_MAP, type=_IRI),
        ),
    ),
)
_NAMELESS: dict[str, Any] = _object(
    ("actor", "verb", "object"),
    actor=_AGENT,
    verb=named("StatementVerb", _object(("id",), id=_IRI, display=_LANGUAGE_MAP)),
    object=_ACTIVITY,
    result=named(
        "StatementOutcome",
        _object(
            success={"type": "boolean"},
            completion={"type": "boolean"},
            response=WORD,
            extensions=_EXTENSIONS,
        ),
    ),
    context=named(
        "StatementContext",
        _object(registration=_UUID, platform=WORD, extensions=_EXTENSIONS),
    ),
    timestamp=_MOMENT,
)
_STATEMENT = named(
    "StatementSent",
    {
        **_NAMELESS,
        "properties": {"id": _UUID, **_NAMELESS["properties"]},
        "description": "The parts that players use; all of the standard's data model is accepted.",
    },
)
_STATEMENT_PUT = named(
    "StatementPut",
    {
        **_NAMELESS,
        "description": "As for POST; an `id` within must be the one that the request names.",
    },
)
_KEPT = named(
    "StatementKept",
    {
        "type": "object",
        "properties": {"id": _UUID, "stored": _MOMENT, "timestamp": _MOMENT, "version": WORD},
        "required": ["id", "stored", "timestamp", "version"],
        "additionalProperties": True,
        "description": "The statement whole as it was sent, with what the standard adds to it.",
    },
)
_PAGE = named(
    "StatementPage",
    {
        "type": "object",
        "properties": {
            "statements": {"type": "array", "items": _KEPT},
            "more": {"type": "string", "description": "path of the next page; empty: no more"},
        },
        "required": ["statements", "more"],
        "additionalProperties": False,
    },
)
_IDS = {"type": "array", "items": _UUID, "description": "of what was stored, in order"}


def parameter(name: str, schema: dict[str, Any], text: str, **more: Any) -> dict[str, Any]:
    """A parameter of the query."""
    return {"name": name, "in": "query", "schema": schema, "description": text, **more}


VERSION = {
    "name": "X-Experience-API-Version",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "enum": ["1.0.3", "2.0.0"]},
    "description": "1.0.x or 2.0.x",
}
SECURITY: dict[str, Any] = {"security": [{"HTTPBearer": []}]}
_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": _PROBLEM}
    for status, text in {
        400: "names the field, the parameter or the header that is wrong",
        401: "no key, or one that is not known",
        403: "the key lacks the scope",
        404: "there is no such statement",
        409: "the id stands for another statement already",
        413: "the body is too large",
        415: "the content encoding is not understood",
        429: "too many requests with this key",
    }.items()
}

POSTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {JSON: {"schema": {"anyOf": [_IDS, _PAGE, _KEPT]}}}},
    204: {"description": "stored, with `method=PUT`"},
    **REFUSALS,
}
GOT: dict[int | str, dict[str, Any]] = {
    200: {"content": {JSON: {"schema": {"anyOf": [_PAGE, _KEPT]}}}},
    **REFUSALS,
}

POST: dict[str, Any] = {
    **SECURITY,
    "parameters": [
        VERSION,
        parameter(
            "method",
            {"type": "string", "enum": ["POST", "PUT", "GET", "DELETE"]},
            "the body is a form that holds another request (Alternate Request Syntax)",
        ),
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"anyOf": [_STATEMENT, {"type": "array", "items": _STATEMENT}]}
            },
            "application/x-www-form-urlencoded": {
                "schema": named(
                    "StatementForm",
                    {
                        "type": "object",
                        "properties": {
                            name: WORD
                            for name in ("Content", "Authorization", "X-Experience-API-Version")
                        },
                        "description": "only with `method`; parameters of the request stand beside",
                    },
                )
            },
        },
    },
}
PUT: dict[str, Any] = {
    **SECURITY,
    "parameters": [VERSION, parameter("statementId", _UUID, "its id", required=True)],
    "requestBody": {"required": True, "content": {"application/json": {"schema": _STATEMENT_PUT}}},
}
GET: dict[str, Any] = {
    **SECURITY,
    "parameters": [
        VERSION,
        parameter("statementId", _UUID, "one statement; only with format and attachments"),
        parameter("voidedStatementId", _UUID, "one that was taken back"),
        parameter("agent", WORD, "JSON of an agent or group: who did it, or to whom"),
        parameter("verb", _IRI, "id of the verb"),
        parameter("activity", _IRI, "id of the object"),
        parameter("registration", _UUID, "of the context"),
        parameter("since", _MOMENT, "stored after"),
        parameter("until", _MOMENT, "stored at or before"),
        parameter("limit", {"type": "integer", "minimum": 0, "maximum": 10**9}, "0: the most"),
        parameter("ascending", _SWITCH, "oldest first"),
        parameter("format", {"type": "string", "enum": ["exact", "ids", "canonical"]}, "how"),
        parameter("attachments", _SWITCH, "their files too, as multipart/mixed"),
        parameter("related_activities", _SWITCH, "wherever the statement names it"),
        parameter("related_agents", _SWITCH, "wherever the statement names it"),
    ],
}
