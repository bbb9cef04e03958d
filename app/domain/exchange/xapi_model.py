"""The statement data model of xAPI 1.0.3 and 2.0: what a statement may consist of.

One function per kind of object, each naming the properties it knows. `check_statement` is the
entry; the others raise `StatementError` too.
"""

from __future__ import annotations

from typing import Any

from app.domain.exchange.xapi_values import (
    Check,
    StatementError,
    boolean,
    duration,
    entries,
    extensions,
    fields,
    iri,
    language,
    language_map,
    list_of,
    mbox,
    media_type,
    number,
    one_of,
    scaled,
    sha1,
    sha2,
    size,
    string,
    timestamp,
    uuid,
)

VOIDED = "http://adlnet.gov/expapi/verbs/voided"
IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
_INTERACTIONS: dict[str, tuple[str, ...]] = {
    "true-false": (),
    "choice": ("choices",),
    "fill-in": (),
    "long-fill-in": (),
    "matching": ("source", "target"),
    "performance": ("steps",),
    "sequencing": ("choices",),
    "likert": ("scale",),
    "numeric": (),
    "other": (),
}


def check_statement(value: Any, two: bool) -> None:
    """Raises Fault. `two`: by the rules of version 2.0."""
    known: dict[str, Check] = {
        **_said(two),
        "id": uuid,
        "object": lambda it, where: _object(it, where, two),
        "stored": timestamp,
        "authority": _authority,
        "version": _version(two),
    }
    statement = fields(value, "", known, ("actor", "verb", "object"))
    _agrees(statement, "")


def _said(two: bool) -> dict[str, Check]:
    """What statements and sub-statements share."""
    return {
        "actor": actor,
        "verb": _verb,
        "result": _result,
        "context": _context_two if two else _context,
        "timestamp": timestamp,
        "attachments": list_of(_attachment),
    }


def _agrees(statement: dict[str, Any], where: str) -> None:
    """What one part of a statement demands of another."""
    prefix = f"{where}." if where else ""
    kind = statement["object"].get("objectType", "Activity")
    if statement["verb"]["id"] == VOIDED and kind != "StatementRef":
        raise StatementError(f"{prefix}object.objectType", "must be StatementRef with this verb")
    for name in ("revision", "platform"):
        if kind != "Activity" and name in statement.get("context", ()):
            raise StatementError(f"{prefix}context.{name}", "goes with an Activity as object only")


def _version(two: bool) -> Check:
    def check(value: Any, where: str) -> None:
        string(value, where)
        series = ("1.0.", "2.0.") if two else ("1.0.",)
        if value == "1.0":
            return
        if not value.startswith(series) or not value.rpartition(".")[2].isdecimal():
            raise StatementError(where, f"must be a version like {series[-1]}0")

    return check


# ------------------------------------------------------------------------------ actors and verbs


def actor(value: Any, where: str) -> None:
    """An Agent, or a Group."""
    if _object_type(value, where, "Agent", ("Agent", "Group")) == "Group":
        _group(value, where)
    else:
        _agent(value, where)


_WHO: dict[str, Check] = {
    "objectType": string,
    "name": string,
    "mbox": mbox,
    "mbox_sha1sum": sha1,
    "openid": iri,
    "account": lambda it, where: _account(it, where),
}


def _agent(value: Any, where: str) -> None:
    _object_type(value, where, "Agent", ("Agent",))
    fields(value, where, _WHO)
    if _identified(value, where) == 0:
        raise StatementError(where, f"needs one of {', '.join(IDENTIFIERS)}")


def _group(value: Any, where: str) -> None:
    _object_type(value, where, "", ("Group",))
    fields(value, where, {**_WHO, "member": list_of(_agent)})
    if _identified(value, where) == 0 and not value.get("member"):
        raise StatementError(f"{where}.member", "is required of a group without an identifier")


def _identified(value: dict[str, Any], where: str) -> int:
    count = sum(name in value for name in IDENTIFIERS)
    if count > 1:
        raise StatementError(where, f"must have only one of {', '.join(IDENTIFIERS)}")
    return count


def _account(value: Any, where: str) -> None:
    fields(value, where, {"homePage": iri, "name": string}, ("homePage", "name"))


def _authority(value: Any, where: str) -> None:
    actor(value, where)
    if value.get("objectType") != "Group":
        return
    if _identified(value, where):
        raise StatementError(where, "must be an agent, or a group without an identifier")
    if len(value.get("member", ())) != 2:
        raise StatementError(
            f"{where}.member", "must be the two agents of an OAuth consumer and its user"
        )


def _verb(value: Any, where: str) -> None:
    fields(value, where, {"id": iri, "display": language_map}, ("id",))


def _object_type(value: Any, where: str, default: str, allowed: tuple[str, ...]) -> str:
    entries(value, where)
    kind = value.get("objectType", default)
    if kind not in allowed:
        raise StatementError(f"{where}.objectType", f"must be {' or '.join(allowed)}")
    return str(kind)


# --------------------------------------------------------------------------------------- objects


def _object(value: Any, where: str, two: bool) -> None:
    kinds = ("Activity", "Agent", "Group", "StatementRef", "SubStatement")
    kind = _object_type(value, where, "Activity", kinds)
    if kind == "SubStatement":
        _sub_statement(value, where, two)
    else:
        _OBJECTS[kind](value, where)


def _sub_statement(value: Any, where: str, two: bool) -> None:
    known: dict[str, Check] = {**_said(two), "objectType": string, "object": _simple_object}
    _agrees(fields(value, where, known, ("actor", "verb", "object")), where)


def _simple_object(value: Any, where: str) -> None:
    _OBJECTS[_object_type(value, where, "Activity", tuple(_OBJECTS))](value, where)


def _statement_ref(value: Any, where: str) -> None:
    _object_type(value, where, "", ("StatementRef",))
    fields(value, where, {"objectType": string, "id": uuid}, ("id",))


def _activity(value: Any, where: str) -> None:
    _object_type(value, where, "Activity", ("Activity",))
    fields(value, where, {"objectType": string, "id": iri, "definition": _definition}, ("id",))


_OBJECTS: dict[str, Check] = {
    "Activity": _activity,
    "Agent": _agent,
    "Group": _group,
    "StatementRef": _statement_ref,
}


def _definition(value: Any, where: str) -> None:
    components: dict[str, Check] = {
        name: _components for name in ("choices", "scale", "source", "target", "steps")
    }
    known: dict[str, Check] = {
        "name": language_map,
        "description": language_map,
        "type": iri,
        "moreInfo": iri,
        "extensions": extensions,
        "interactionType": one_of(*_INTERACTIONS),
        "correctResponsesPattern": list_of(string),
        **components,
    }
    found = fields(value, where, known)
    kind = found.get("interactionType")
    if kind is None and ("correctResponsesPattern" in found or components.keys() & found.keys()):
        raise StatementError(f"{where}.interactionType", "is required of an interaction")
    for name in components:
        if name in found and name not in _INTERACTIONS[str(kind)]:
            raise StatementError(
                f"{where}.{name}", f"has no place in an interaction of type {kind}"
            )


def _components(value: Any, where: str) -> None:
    list_of(_component)(value, where)
    names = [entry["id"] for entry in value]
    if len(set(names)) < len(names):
        raise StatementError(where, "must have ids that differ")


def _component(value: Any, where: str) -> None:
    fields(value, where, {"id": string, "description": language_map}, ("id",))


# --------------------------------------------------------------- result, context and attachments


def _result(value: Any, where: str) -> None:
    known: dict[str, Check] = {
        "score": _score,
        "success": boolean,
        "completion": boolean,
        "response": string,
        "duration": duration,
        "extensions": extensions,
    }
    fields(value, where, known)


def _score(value: Any, where: str) -> None:
    score = fields(value, where, {"scaled": scaled, "raw": number, "min": number, "max": number})
    order = [score[name] for name in ("min", "raw", "max") if name in score]
    if order != sorted(order) or ("min" in score and score["min"] == score.get("max")):
        raise StatementError(where, "must have min < max, and raw between them")


def _activities(value: Any, where: str) -> None:
    if isinstance(value, list):
        list_of(_activity)(value, where)
    else:
        _activity(value, where)


def _context_activities(value: Any, where: str) -> None:
    fields(value, where, dict.fromkeys(("parent", "grouping", "category", "other"), _activities))


_CONTEXT: dict[str, Check] = {
    "registration": uuid,
    "instructor": actor,
    "team": _group,
    "contextActivities": _context_activities,
    "revision": string,
    "platform": string,
    "language": language,
    "statement": _statement_ref,
    "extensions": extensions,
}


def _context(value: Any, where: str) -> None:
    fields(value, where, _CONTEXT)


def _context_two(value: Any, where: str) -> None:
    known = {
        **_CONTEXT,
        "contextAgents": list_of(_taking_part("contextAgent", "agent", _agent)),
        "contextGroups": list_of(_taking_part("contextGroup", "group", _group)),
    }
    fields(value, where, known)


def _taking_part(kind: str, name: str, who: Check) -> Check:
    def check(value: Any, where: str) -> None:
        known = {"objectType": one_of(kind), name: who, "relevantTypes": list_of(iri)}
        fields(value, where, known, ("objectType", name))
        if value.get("relevantTypes") == []:
            raise StatementError(f"{where}.relevantTypes", "must not be empty")

    return check


def _attachment(value: Any, where: str) -> None:
    known: dict[str, Check] = {
        "usageType": iri,
        "display": language_map,
        "description": language_map,
        "contentType": media_type,
        "length": size,
        "sha2": sha2,
        "fileUrl": iri,
    }
    fields(value, where, known, ("usageType", "display", "contentType", "length", "sha2"))
