"""Who, which lesson and which class a statement is about, where its emitter names no sitting.

A platform says once in which of a statement's many fields its own ids stand, and in what shape.
A shape is the text around an id: `https://lms.example/lessons/{id}`, with `*` for what changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from app.domain.wire import Id, Line, Title, Wire, first_error
from app.errors import BadInput

MOST_NAMES = 2_000  # product default: lessons that a platform names one by one
_ID = "{id}"
_MOST_WILD = 3
_LONGEST = 2_000  # characters of an IRI that are looked at
_END_OF_PART = re.compile("[/?#&]")
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
    """The id in the text, if it has that shape. Each part is looked for from where the one before
    it first stands: a pattern with as much freedom can cost years on a text that nearly fits."""
    text = text[:_LONGEST]
    if shape == _ID:
        return text or None
    head, rest = (it.split("*") for it in shape.split(_ID))
    end, at = len(text) - len(rest[-1]), _past(text, head[:-1], 0)
    if not text.startswith(head[0]) or not text.endswith(rest[-1]) or at is None:
        return None
    place = _place(text, head[-1], at if head[1:] else None, rest[0], None if rest[1:] else end)
    if place is None:
        return None
    after = _past(text, rest[1:-1], place.stop + len(rest[0])) if rest[1:] else end
    return text[place] if after is not None and after <= end else None


def _past(text: str, parts: Sequence[str], at: int) -> int | None:
    """Where the parts end that stand in the text one after the other, as soon as they can."""
    for part in parts:
        found = text.find(part, at)
        if found < 0:
            return None
        at = found + len(part)
    return at


def _place(text: str, lead: str, at: int | None, tail: str, stop: int | None) -> slice | None:
    """Where an id stands between its lead and its tail: the first, and of it as little as there can
    be. `at` None: the lead begins the text; `stop`: where the tail stands, if that is sure. An id
    ends where a part of an address ends."""
    start, tail_at = at or 0, -1 if stop is None else stop
    while (start := text.find(lead, start)) >= 0:
        begin = start + len(lead)
        if tail_at <= begin:
            tail_at = -1 if stop is not None else text.find(tail, begin + 1)
        if tail_at < 0:
            return None
        over = _END_OF_PART.search(text, begin, tail_at)
        if over is None:
            return slice(begin, tail_at)
        if at is None:
            return None
        start = max(start + 1, over.end() - len(lead))
    return None
