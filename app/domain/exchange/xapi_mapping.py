"""Who, which lesson and which class a statement is about, where its emitter names no sitting.

A platform says once in which of a statement's many fields its own ids stand, and in what shape.
A shape is the text around an id: `https://lms.example/lessons/{id}`, with `*` for what changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from app.domain.wire import Id, Line, Title, Wire, first_error
from app.errors import BadInput

MOST_NAMES = 2_000  # product default: lessons that a platform names one by one
_ID = "{id}"
_MOST_WILD = 3  # each may cost one pass over the text
_LONGEST = 2_000  # characters of an IRI that are looked at
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I | re.ASCII)


def _shape(value: str) -> str:
    if value.count(_ID) != 1 or value.count("*") > _MOST_WILD:
        raise PydanticCustomError(
            "bad_shape",
            "must hold {id} once and * at most three times / 须含一个{id}，*最多三个",
        )
    return value


Shape = Annotated[Title, AfterValidator(_shape)]
Names = Annotated[
    dict[Annotated[str, BeforeValidator(str.strip), Field(max_length=_LONGEST)], Id],
    Field(max_length=MOST_NAMES),
]


ActorField = Literal["account", "mbox", "mbox_sha1sum", "openid"]
ActivityField = Literal["object", "parent", "grouping", "category"]


class ActorMapping(Wire):
    """In which identifier of the actor the learner's id stands. `home_page`: of accounts, only
    those of that site count."""

    by: ActorField = "account"
    home_page: Line | None = None
    shape: Shape = _ID


class ThingMapping(Wire):
    """Which activity names the lesson or the class: the object, or one of the context's activities.
    `names` gives the id of what the shape found, where the platform's own is another."""

    by: ActivityField = "object"
    shape: Shape = _ID
    names: Names = Field(default_factory=dict)


class StatementMapping(Wire):
    """How statements find their sitting: by the session that they name, else by learner and lesson.

    `class_activity` None: the one class of the learner that has the lesson, and runs today.
    `opens`: play opens a sitting where none is open, and a new one after a break; `ends`:
    `terminated` ends it, where no platform calls the interface.
    """

    learner: ActorMapping = Field(default_factory=ActorMapping)
    lesson: ThingMapping = Field(default_factory=ThingMapping)
    class_activity: ThingMapping | None = None
    opens: bool = True
    ends: bool = True


@dataclass(frozen=True, slots=True)
class StatementPlace:
    """The platform's own ids of who studies what, as a statement tells them. None: it tells none,
    or not in the shape that was agreed; `klass` None also where the mapping asks for none."""

    learner: str | None
    lesson: str | None
    klass: str | None


NOWHERE = StatementPlace(None, None, None)


def read_mapping(value: Any) -> StatementMapping:
    """A mapping as it was sent or stored. Raises BadInput naming the field."""
    try:
        return StatementMapping.model_validate(value)
    except ValidationError as error:
        code, detail = first_error(error)
        field, _, said = detail.partition(": ")
        raise BadInput(code, said or detail, field=field if said else "") from None


def place_of(mapping: StatementMapping, statement: dict[str, Any]) -> StatementPlace:
    """Whom and what a valid statement is about."""
    klass = mapping.class_activity
    return StatementPlace(
        _learner(mapping.learner, statement["actor"]),
        _thing(mapping.lesson, statement),
        None if klass is None else _thing(klass, statement),
    )


def registration_of(statement: dict[str, Any]) -> str | None:
    """The registration, which some emitters make anew for every sitting."""
    told = statement.get("context", {}).get("registration")
    return told.lower() if isinstance(told, str) and _UUID.fullmatch(told) else None


def account_of(statement: dict[str, Any]) -> str | None:
    """The account's name, on whatever site."""
    name = statement["actor"].get("account", {}).get("name")
    return name if isinstance(name, str) else None


def _learner(mapping: ActorMapping, actor: dict[str, Any]) -> str | None:
    if mapping.by != "account":
        told = actor.get(mapping.by)
        return _found(mapping.shape, told.removeprefix("mailto:")) if told else None
    account = actor.get("account", {})
    if mapping.home_page is not None and account.get("homePage") != mapping.home_page:
        return None
    name = account.get("name")
    return _found(mapping.shape, name) if name else None


def _thing(mapping: ThingMapping, statement: dict[str, Any]) -> str | None:
    for name in _activities(mapping.by, statement):
        found = _found(mapping.shape, name)
        if found is not None:
            return mapping.names.get(name) or mapping.names.get(found) or found
    return None


def _activities(by: str, statement: dict[str, Any]) -> Iterator[str]:
    if by == "object":
        thing = statement["object"]
        if thing.get("objectType", "Activity") == "Activity":
            yield thing["id"]
        return
    told = statement.get("context", {}).get("contextActivities", {}).get(by, [])
    yield from (it["id"] for it in (told if isinstance(told, list) else [told]))


def _found(shape: str, text: str) -> str | None:
    match = _compiled(shape).fullmatch(text[:_LONGEST])
    return match[1] if match else None


@lru_cache(1_000)
def _compiled(shape: str) -> re.Pattern[str]:
    """An id ends where a part of an address ends, unless it is all there is."""
    if shape == _ID:
        return re.compile(r"(.+)", re.S)
    parts = re.split(r"(\{id\}|\*)", shape)
    words = {_ID: "([^/?#&]+?)", "*": ".*?"}
    return re.compile("".join(words.get(it) or re.escape(it) for it in parts), re.S)
