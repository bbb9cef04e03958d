"""What happened outside the online lessons: attendance, leave, surveys, assessments, history.

Lists of items, each accepted, unchanged or rejected by itself. An item is known by its natural
key; sending it again with other content replaces it, so that a mistake can be corrected and
nothing counts twice. `item_id` tells apart what shares a natural key. Within one list, or one file,
a key that stands twice with other content is a question, and so are two equal rows of attendance:
they may be two half-days.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from app.domain.catalogue import certificates, claims, roster_days
from app.domain.catalogue.learner_account import number_hash
from app.domain.wire import Count, Day, Id, Identified, ItemError, Line, Title, Wire, parse_items
from app.store.catalogue import catalogue, people
from app.store.catalogue import records as store
from app.vault import Vault
from detectors.qualifications import Certificate, certificate_of

DAY_HOLDS = 12
"""Most class-hours of one learner on one day in person (the product's default)."""

ItemId = Annotated[Id | None, Field(description="your own id of this item")]


class Item(Wire):
    """One item of a list. `columns` are what is queried; the whole item is kept beside them."""

    table: ClassVar[store.Table]
    key: ClassVar[tuple[str, ...]]
    adds_up: ClassVar[bool] = False
    """Whether two equal items of one list may both be meant."""

    @property
    def columns(self) -> dict[str, Any]:
        raise NotImplementedError


PartOfDay = Literal["am", "pm", "evening"]


class OfflineHours(Item):
    """Class-hours that a learner attended in person on one day; known by learner, day and item_id,
    or else half of the day."""

    table = store.ATTENDANCE
    key = ("class_id", "learner_id", "held_on", "item")
    adds_up = True

    learner_id: Id
    held_on: Day
    hours: Annotated[float, Field(gt=0, le=24, description="class-hours, not clock hours")]
    item_id: ItemId = None
    session: Annotated[
        PartOfDay | None,
        Field(description="which part of the day, where a day has several rows"),
    ] = None
    place: Title | None = None
    teacher: Line | None = None
    practical: bool | None = None
    minutes: Annotated[
        float | None,
        Field(gt=0, le=1440, description="minutes that these class-hours took, without breaks"),
    ] = None

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "held_on": self.held_on.isoformat(),
            "item": self.item_id or self.session or "1",
            "hours": float(self.hours),
        }


class Leave(Item):
    """A learner's absence; known by learner and item_id, else by its first day."""

    table = store.LEAVE
    key = ("class_id", "learner_id", "item")

    learner_id: Id
    from_on: Day
    to_on: Day
    written: Annotated[bool, Field(description="asked for in writing")]
    approved: bool
    made_up_on: Day | None = None
    reason: Title | None = None
    item_id: ItemId = None

    @field_validator("to_on")
    @classmethod
    def _in_order(cls, to_on: Any, info: ValidationInfo) -> Any:
        if "from_on" in info.data and to_on < info.data["from_on"]:
            raise PydanticCustomError("ends_before_start", "lies before from_on")
        return to_on

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "from_on": self.from_on.isoformat(),
            "to_on": self.to_on.isoformat(),
            "item": self.item_id or self.from_on.isoformat(),
            "written": self.written,
            "approved": self.approved,
        }


class Satisfaction(Item):
    """The result of one survey; known by item_id, else by its day."""

    table = store.SATISFACTION
    key = ("class_id", "item")

    answered: Annotated[Count, Field(description="valid answers")]
    satisfied: Count
    surveyed_on: Annotated[Day, Field(description="the day its result stood")]
    item_id: ItemId = None

    @field_validator("satisfied")
    @classmethod
    def _part(cls, satisfied: int, info: ValidationInfo) -> int:
        if satisfied > info.data.get("answered", satisfied):
            raise PydanticCustomError("more_than_answered", "is more than answered")
        return satisfied

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "item": self.item_id or self.surveyed_on.isoformat(),
            "satisfied": self.satisfied,
            "answered": self.answered,
            "surveyed_on": self.surveyed_on.isoformat(),
        }


class Assessment(Item):
    """A learner's assessment; known by learner and day. `passed` null: not known yet."""

    table = store.ASSESSMENTS
    key = ("class_id", "learner_id", "held_on")

    learner_id: Id
    held_on: Day
    passed: bool | None = None
    score: Annotated[float | None, Field(ge=0, le=1000)] = None
    certificate_no: Annotated[
        Line | None,
        Field(description="only of who passed; without spaces, unique among all classes"),
    ] = None

    certificate_type: Annotated[
        Line | None,
        Field(description="that the examination leads to, where it is not the class's"),
    ] = None

    @field_validator("certificate_type")
    @classmethod
    def _one_of_five(cls, said: str | None) -> str | None:
        kind = certificate_of(said) if said else None
        if said and kind is None:
            raise PydanticCustomError(
                "unknown_certificate",
                "证书类型须为{known} / one of these",
                {"known": "、".join(Certificate)},
            )
        return str(kind) if kind else None

    @field_validator("certificate_no")
    @classmethod
    def _only_who_passed(cls, number: str | None, info: ValidationInfo) -> str | None:
        if number is None:
            return None
        if info.data.get("passed") is not True:
            raise PydanticCustomError(
                "certificate_not_passed",
                "考核没有登记为合格，不能登记证书编号 / only who passed has a certificate",
            )
        return certificates.plain(number)

    @property
    def columns(self) -> dict[str, Any]:
        return {"held_on": self.held_on.isoformat(), "passed": self.passed}


Minutes = Annotated[float, Field(gt=0, le=1440)]


class TeachingFilm(Item):
    """A recording of teaching in person, wherever it lies; known by its day and its file's name.

    `class_hours` are those of the day's teaching of that kind, counted from 1. What was read from
    the file itself stands beside what was told of it.
    """

    table = store.RECORDINGS
    key = ("class_id", "item")

    file: Annotated[
        Line, Field(max_length=110, description="the file's name; with its day it is known by it")
    ]
    held_on: Day
    practical: Annotated[bool, Field(description="practice; else theory")]
    class_hours: Annotated[
        str,
        Field(
            pattern=r"^\d{1,2}(-\d{1,2})?$",
            description="which class-hours of that day and kind it shows, such as 1 or 1-3",
        ),
    ]
    minutes: Annotated[Minutes, Field(description="its length")]
    stored_at: Annotated[Title, Field(description="where the file lies")]
    sha256: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    begins: Annotated[
        str | None, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", description="local time, HH:MM")
    ] = None
    recorded_by: Line | None = None
    measured_minutes: Annotated[
        Minutes | None, Field(description="its length as read from the file")
    ] = None
    longest_minutes: Annotated[
        Minutes | None, Field(description="its longest stretch without a break, as read from it")
    ] = None

    @field_validator("class_hours")
    @classmethod
    def _in_order(cls, said: str) -> str:
        first, last = film_hours(said)
        if not 1 <= first <= last:
            raise PydanticCustomError(
                "bad_class_hours",
                "学时序号从1起，由小到大，如 1 或 1-3 / class-hours count from 1 upwards",
            )
        return said

    @property
    def columns(self) -> dict[str, Any]:
        day = self.held_on.isoformat()
        return {"item": f"{day} {self.file}", "held_on": day}


def film_hours(said: str) -> tuple[int, int]:
    """First and last class-hour that a film shows.

    >>> film_hours("2"), film_hours("1-3")
    ((2, 2), (1, 3))
    """
    first, _, last = said.partition("-")
    return int(first), int(last or first)


class History(Identified, Item):
    """An earlier training of a person, from the official register.

    The person is named by learner_id, or by id_number when no account is known. Known by person
    and item_id, else by occupation, level and first day.
    """

    table = store.HISTORY
    key = ("person_id", "platform_id", "item")

    learner_id: Id | None = None
    occupation: Line
    level: Line | None = None
    started_on: Day
    assessed_on: Day | None = None
    subsidised: bool = True
    institution: Line | None = None
    official_class_no: Line | None = None
    item_id: ItemId = None

    @model_validator(mode="after")
    def _somebody(self) -> History:
        if self.learner_id is None and self.id_number is None:
            raise PydanticCustomError("nobody_named", "learner_id or id_number is needed")
        return self

    @property
    def columns(self) -> dict[str, Any]:
        natural = f"{self.occupation}\0{self.level}\0{self.started_on.isoformat()}"
        return {
            "item": self.item_id or hashlib.sha256(natural.encode()).hexdigest()[:32],
            "occupation": self.occupation,
            "level": self.level,
            "started_on": self.started_on.isoformat(),
            "assessed_on": self.assessed_on.isoformat() if self.assessed_on else None,
            "subsidised": self.subsidised,
        }


LISTS: dict[str, type[Item]] = {
    "offline-attendance": OfflineHours,
    "leave": Leave,
    "satisfaction": Satisfaction,
    "assessments": Assessment,
    "history": History,
    "recordings": TeachingFilm,
}


Rows = dict[tuple[Any, ...], dict[str, Any]]  # by their kind's key


class ListReport(msgspec.Struct):
    """What became of a list."""

    accepted: int = 0
    unchanged: int = 0
    rejected: list[ItemError] = []


def take(
    connection: Connection,
    vault: Vault,
    row: catalogue.ClassRow,
    kind: type[Item],
    items: Sequence[Any],
    *,
    actor: str,
    now_ms: int,
    told: dict[tuple[Any, ...], dict[str, Any]] | None = None,
) -> ListReport:
    """Store the items of one list for a class that the caller holds locked.

    `told` is what earlier lists of the same file said, by key, and is added to.
    """
    told = {} if told is None else told
    good, bad = parse_items(kind, items)
    report = ListReport(rejected=bad)
    subjects = _Subjects(connection, vault, row, good)
    rows: Rows = {}
    indexes: dict[tuple[Any, ...], int] = {}
    for index, item in good:
        subject = subjects.of(item)
        refusal = _outside_the_class(index, item, subject, row)
        if refusal is not None:
            report.rejected.append(refusal)
            continue
        assert subject is not None
        values = subject | item.columns | {"body": _body(item)}
        key = tuple(values[name] for name in kind.key)
        if key not in told:
            told[key] = rows[key] = values
            indexes[key] = index
        elif told[key] != values or kind.adds_up:
            report.rejected.append(_question(index, item, equal=told[key] == values))
        else:
            report.unchanged += 1
    asked = [values[kind.key[0]] for values in rows.values()]
    known = store.by_key(connection, kind.table, kind.key[0], asked, kind.key)
    report.rejected += _held_back(connection, row, kind, rows, known, indexes, now_ms)
    fresh = [values | {"created_ms": now_ms} for values in _new(rows, known)]
    store.write(connection, kind.table, fresh, kind.key)
    if kind is Leave:
        for values in fresh:
            claims.on_leave(connection, row, values, actor, now_ms)
    report.accepted = len(fresh)
    report.unchanged += len(rows) - len(fresh)
    report.rejected.sort(key=lambda error: error.index)
    return report


def _held_back(
    connection: Connection,
    row: catalogue.ClassRow,
    kind: type[Item],
    rows: Rows,
    known: Rows,
    indexes: dict[tuple[Any, ...], int],
    now_ms: int,
) -> list[ItemError]:
    """Takes out of `rows` what is good by itself and not beside what is known, and names it."""
    if kind is OfflineHours:
        return [
            *_out_of_class(connection, row, rows, indexes),
            *_beyond_a_day(rows, known, indexes),
        ]
    if kind is Assessment:
        return certificates.claim(connection, row, rows, known, indexes, now_ms)
    return []


def _new(rows: Rows, known: Rows) -> list[dict[str, Any]]:
    """What is not stored just so."""
    return [
        values
        for key, values in rows.items()
        if key not in known or any(known[key][name] != it for name, it in values.items())
    ]


def _outside_the_class(
    index: int, item: Item, subject: Mapping[str, Any] | None, row: catalogue.ClassRow
) -> ItemError | None:
    if subject is None:
        detail = f"learner_id: {item.learner_id!r} is not in this class"  # type: ignore[attr-defined]
        return ItemError(index, "unknown_learner", detail)
    return _beyond_the_class(index, item, row)


def _beyond_the_class(index: int, item: Item, row: catalogue.ClassRow) -> ItemError | None:
    """Attendance counts from the class's first day to its assessment, or else its last day; nobody
    is assessed before the class."""
    if not isinstance(item, OfflineHours | TeachingFilm | Assessment):
        return None
    first = row.starts_on
    if isinstance(item, Assessment):
        if first <= item.held_on.isoformat():
            return None
        detail = (
            f"held_on: {item.learner_id!r} {item.held_on} 早于开班日期（{first}）/ "
            f"before the class, which began on {first}"
        )
        return ItemError(index, "outside_class_dates", detail)
    planned = (row.terms.get("assessment") or {}).get("planned_on")
    last = max(str(row.terms["ends_on"]), str(planned or ""))
    if first <= item.held_on.isoformat() <= last:
        return None
    who = item.learner_id if isinstance(item, OfflineHours) else item.file
    detail = (
        f"held_on: {who!r} {item.held_on} 不在班级日期内（{first}至{last}）/ "
        f"outside the class, {first} to {last}"
    )
    return ItemError(index, "outside_class_dates", detail)


def _out_of_class(
    connection: Connection, row: catalogue.ClassRow, rows: Rows, indexes: dict[tuple[Any, ...], int]
) -> list[ItemError]:
    """Takes the attendance out of `rows` of who was not in the class on that day, and names it."""
    stays = roster_days.by_learner(connection, row)
    refused = []
    for key in list(rows):
        _, learner_id, held_on, _ = key
        if learner_id in stays and not stays[learner_id].covers(date.fromisoformat(held_on)):
            who = rows.pop(key)["body"]["learner_id"]
            detail = (
                f"held_on: {who!r} {held_on} 不在班（离班、转班或尚未入班）/ "
                "was not in the class on that day"
            )
            refused.append(ItemError(indexes[key], "not_in_class_then", detail))
    return refused


def _beyond_a_day(rows: Rows, known: Rows, indexes: dict[tuple[Any, ...], int]) -> list[ItemError]:
    """Takes the attendance out of `rows` with which a learner's day would hold more than a day can,
    and names it."""
    of_day: dict[tuple[Any, Any], float] = defaultdict(float)
    for (_, learner_id, held_on, _), values in (known | rows).items():
        of_day[learner_id, held_on] += values["hours"]
    refused = []
    for key in [it for it in rows if of_day[it[1], it[2]] > DAY_HOLDS]:
        who, total = rows.pop(key)["body"]["learner_id"], of_day[key[1], key[2]]
        detail = (
            f"hours: {who!r} {key[2]} 一天共{total:g}学时，超过{DAY_HOLDS}学时 / "
            f"{total:g} class-hours on one day, at most {DAY_HOLDS}"
        )
        refused.append(ItemError(indexes[key], "more_than_a_day_holds", detail))
    return refused


def _question(index: int, item: Item, *, equal: bool) -> ItemError:
    who = getattr(item, "learner_id", None)
    if equal:
        detail = (
            f"item_id: {who!r} 同一天有两条相同的考勤：若是两个半天，请注明 session"
            "（am 上午、pm 下午、evening 晚上）或各给 item_id；若是重复，请删去一条 / "
            "two equal rows of one day: say session am, pm or evening, or give item_ids, "
            "if both are meant"
        )
    else:
        detail = (
            "item_id: 本次已有同一项而内容不同，请各给 item_id / another item of this list "
            "has the same key and other content: give item_id"
        )
    return ItemError(index, "duplicate_item", detail)


class _Subjects:
    """Rows that items are about: the class and its learners, or a person."""

    def __init__(
        self,
        connection: Connection,
        vault: Vault,
        row: catalogue.ClassRow,
        items: Sequence[tuple[int, Item]],
    ) -> None:
        self._connection = connection
        self._vault = vault
        self._class = row
        self._members = {it.external_id: it for it in people.enrolled(connection, row.id)}
        named = {it.learner_id for _, it in items if isinstance(it, History) and it.learner_id}
        self._accounts = people.learners(connection, row.platform_id, named)

    def of(self, item: Item) -> dict[str, int] | None:
        if isinstance(item, Satisfaction | TeachingFilm):
            return {"class_id": self._class.id}
        if isinstance(item, History):
            person_id = self._person(item)
            if person_id is None:
                return None
            return {"person_id": person_id, "platform_id": self._class.platform_id}
        member = self._members.get(item.learner_id)  # type: ignore[attr-defined]
        return None if member is None else {"class_id": self._class.id, "learner_id": member.id}

    def _person(self, item: History) -> int | None:
        if item.id_number is not None:
            id_hash = number_hash(self._vault, self._class, item.id_number)
            return people.ensure_person(self._connection, id_hash)
        account = self._accounts.get(item.learner_id or "")
        return None if account is None else account.person_id


def _body(item: Item) -> dict[str, Any]:
    """The item as sent, without what identifies a person."""
    secret = set(Identified.model_fields)
    return item.model_dump(mode="json", exclude=secret, exclude_none=True)
