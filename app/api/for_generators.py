"""The OpenAPI document as generators of clients like it: each operation says what it asks of the
caller, and a value is of one kind.

What the service takes besides (a list without its object, an ISO 8601 time for milliseconds, a form
for JSON) is told in words: a generated client needs one way, and a union without a name is a guess.
"""

from __future__ import annotations

from typing import Any

from app.api.answers import COMPONENTS, references
from app.console.login import COOKIE, CSRF_HEADER

Schema = dict[str, Any]
_KEY: list[dict[str, list[str]]] = [{"HTTPBearer": []}]
_PERSON: list[dict[str, list[str]]] = [{"ConsoleLogin": [], "ConsoleToken": []}]
_OPEN: list[dict[str, list[str]]] = []
_SCHEMES = {
    "ConsoleLogin": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "a person who is signed in to the console",
    },
    "ConsoleToken": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "the token of that person's own page",
    },
}
_SECURITY = {
    "healthz": _OPEN,
    "readyz": _OPEN,
    "metrics": _OPEN,
    "get_about": _OPEN,
    "approve_act": _PERSON,
    "review_finding": _PERSON,
    "review_case": _PERSON,
    "undo_case": _PERSON,
    "correct_case": _PERSON,
    "put_county": _PERSON,
    "list_institution": _PERSON,
    "change_institution": _PERSON,
    "put_annual_review": _PERSON,
    "put_teachers": _PERSON,
    "withdraw_institution": _PERSON,
    "relist_institution": _PERSON,
    "post_session_events": _KEY,
    "post_events": _KEY,
}
_NUMBERS = {"integer", "number"}
_FORM = "application/x-www-form-urlencoded"  # of a browser that can send nothing else
_WIDE = 2**31  # what some languages take for an integer, and no time in milliseconds fits into
_SHOWN = ("example", "examples", "default", "discriminator")  # values, not schemas


def describe(document: dict[str, Any]) -> None:
    """Say who may call each operation, and make every union without a name one kind of value."""
    document["components"].setdefault("securitySchemes", {}).update(_SCHEMES)
    for operations in document["paths"].values():
        for operation in operations.values():
            if operation["operationId"] in _SECURITY:
                operation.setdefault("security", _SECURITY[operation["operationId"]])
            body = operation.get("requestBody", {}).get("content", {})
            if "application/json" in body:
                body.pop(_FORM, None)
    schemas = document["components"]["schemas"]
    document["paths"] = _plain(document["paths"], schemas)
    for name in list(schemas):
        schemas[name] = _plain(schemas[name], schemas)
    _drop_unused(document, schemas)


def _drop_unused(document: dict[str, Any], schemas: dict[str, Schema]) -> None:
    """Without what only a union referred to, and what only that did."""
    while True:
        used = set(references(document))
        unused = [name for name in schemas if COMPONENTS.format(name=name) not in used]
        if not unused:
            return
        for name in unused:
            del schemas[name]


def _plain(value: Any, schemas: dict[str, Schema]) -> Any:
    if isinstance(value, list):
        return [_plain(it, schemas) for it in value]
    if not isinstance(value, dict):
        return value
    inner = {
        key: it if key in _SHOWN else _plain(it, schemas)
        for key, it in value.items()
        if not (key == "default" and it in ({}, []))  # which some generators cannot write
    }
    if inner.get("type") == "integer" and inner.get("maximum", _WIDE) >= _WIDE:
        inner.setdefault("format", "int64")
    if inner.get("type") == "number":
        inner.setdefault("format", "double")
    kinds = inner.get("anyOf") or inner.get("oneOf")
    if not isinstance(kinds, list) or "discriminator" in inner:
        return inner
    return _one_kind(inner, kinds, schemas)


def _one_kind(schema: Schema, kinds: list[Schema], schemas: dict[str, Schema]) -> Schema:
    """The same with one kind of value, beside null where that is one."""
    empty = [it for it in kinds if it.get("type") == "null"]
    full = [it for it in kinds if it.get("type") != "null"]
    if len(full) < 2:
        return schema
    chosen, also = _chosen(full, schemas)
    rest = {key: it for key, it in schema.items() if key not in ("anyOf", "oneOf")}
    told = ". ".join(
        it for it in (rest.pop("description", chosen.get("description", "")), also) if it
    )
    if told:
        rest["description"] = told
    chosen = {key: it for key, it in chosen.items() if key != "description"}
    return {**rest, "anyOf": [chosen, *empty]} if empty and chosen else {**chosen, **rest}


def _chosen(kinds: list[Schema], schemas: dict[str, Schema]) -> tuple[Schema, str]:
    """The kind to tell, and in words what else there is."""
    types = {it.get("type") for it in kinds}
    named = [it for it in kinds if "$ref" in it]
    number = next((it for it in kinds if it.get("type") in _NUMBERS), None)
    if types == _NUMBERS:
        return next(it for it in kinds if it["type"] == "number"), ""
    if number and any(it.get("format") == "date-time" for it in kinds):
        return number, "An ISO 8601 time with its zone is taken too"
    if len(kinds) == 2 and len(named) == 1 and "array" in types:
        return named[0], "The list alone is taken too"
    if len(named) == len(kinds):
        return _either([it["$ref"].rpartition("/")[2] for it in named], schemas), ""
    lists = [it for it in kinds if it.get("type") == "array"]
    if lists and types <= {"array", None}:
        return lists[0], ""
    return {}, "Of more than one kind"


def _either(names: list[str], schemas: dict[str, Schema]) -> Schema:
    """An object with the fields of all, of which those are required that each of them requires."""
    objects = [schemas[name] for name in names]
    fields = {name: it for each in objects for name, it in each.get("properties", {}).items()}
    required = set.intersection(*(set(each.get("required", ())) for each in objects))
    name = "Or".join(names)
    schemas[name] = {"type": "object", "properties": fields, "required": sorted(required)}
    if any(each.get("additionalProperties") is True for each in objects):
        schemas[name]["additionalProperties"] = True
    return {"$ref": COMPONENTS.format(name=name)}
