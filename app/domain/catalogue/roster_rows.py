"""Rows of a roster as they are sent, each read by itself: one bad row spoils no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from app.domain.answer import Answer
from app.domain.catalogue import person_names
from app.domain.wire import Day, Id, Identified, Instant, ItemError, Line, Wire, first_error
from detectors.qualifications import occupation_code

NAMELESS = "（没有姓名）"


def _name(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not person_names.printable(value):
        raise PydanticCustomError(
            "unprintable", "姓名含有控制字符 / must not contain control characters"
        )
    name = person_names.cleaned(value)
    if not name:
        raise PydanticCustomError("name_empty", "没有填写姓名 / the name is empty")
    return name


PersonName = Annotated[str, BeforeValidator(_name), Field(min_length=1, max_length=128)]


class Consent(Wire):
    """What the learner agreed to, and when. Withdrawn by sending `face: false`."""

    face: bool
    at: Instant | None = None
    document: Line | None = None

    @model_validator(mode="after")
    def _dated(self) -> Consent:
        if self.face and self.at is None:
            raise PydanticCustomError("consent_undated", "at: consent needs the time it was given")
        return self


def _code(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    code = occupation_code(value)
    if code is None:
        raise PydanticCustomError(
            "bad_occupation_code",
            "须为国家职业分类大典的职业代码，如 4-01-02-01 / "
            "should be a code of the national classification of occupations, such as 4-01-02-01",
        )
    return code


OccupationCode = Annotated[str, BeforeValidator(_code)]


class LearnerTerms(Identified):
    learner_id: Id
    name: PersonName
    employer: Line | None = None
    category: Line | None = None
    joined_on: Annotated[
        Day | None, Field(description="the first day, of who comes after the class has begun")
    ] = None
    post_code: Annotated[
        OccupationCode | None, Field(description="occupation of an employee's post")
    ] = None
    former_post_code: Annotated[
        OccupationCode | None, Field(description="of who changes posts, the former one")
    ] = None
    school: Annotated[Line | None, Field(description="of a student")] = None
    major: Annotated[Line | None, Field(description="of a student")] = None
    real_name_verified: bool | None = None
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class RowError(ItemError):
    """Why one row was not taken; `detail` begins with the field and names the person."""

    learner_id: str | None
    name: str

    @property
    def field(self) -> str:
        return self.detail.partition(":")[0]


class CleanedRow(Answer, frozen=True, kw_only=True):
    """A row of which name or ID number is kept otherwise than it was typed."""

    index: int
    learner_id: str
    name: str
    fields: list[str]
    detail: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What of a row was typed otherwise than it is kept."""

    index: int
    learner_id: str
    name: str
    fields: tuple[str, ...]

    def shown(self) -> CleanedRow:
        said = {"name": ("姓名", "name"), "id_number": ("证件号码", "ID number")}
        zh = "、".join(said[field][0] for field in self.fields)
        en = " and ".join(said[field][1] for field in self.fields)
        return CleanedRow(
            index=self.index,
            learner_id=self.learner_id,
            name=self.name,
            fields=list(self.fields),
            detail=f"{self.name}：{zh}已按规范整理 / {self.name}: {en} written the usual way",
        )


def refused(index: int, learner: LearnerTerms, code: str, field: str, zh: str, en: str) -> RowError:
    """A refusal in two languages that names the person."""
    detail = _bilingual(field, learner.name, zh, en)
    return RowError(index, code, detail, learner.learner_id, learner.name)


def read(
    items: Sequence[Any],
) -> tuple[list[tuple[int, LearnerTerms]], list[RowError], list[Cleaned]]:
    """Every row by itself: what is good with its index, what is not, and what was cleaned."""
    good: list[tuple[int, LearnerTerms]] = []
    bad: list[RowError] = []
    changed: list[Cleaned] = []
    for index, item in enumerate(items):
        try:
            learner = LearnerTerms.model_validate(item)
        except ValidationError as error:
            bad.append(_unreadable(index, item, error))
            continue
        good.append((index, learner))
        if fields := _cleaned(item, learner):
            changed.append(Cleaned(index, learner.learner_id, learner.name, fields))
    return good, bad, changed


def _unreadable(index: int, item: Any, error: ValidationError) -> RowError:
    """One sentence for the first thing that is wrong."""
    code, detail = first_error(error)
    field, colon, said = detail.partition(": ")
    if not colon:
        field, said = "row", detail
    zh, slash, en = said.partition(" / ")
    if not slash:
        zh, en = f"“{field}”填写有误", said
    name, learner_id = _who(item, index)
    return RowError(index, code, _bilingual(field, name, zh, en), learner_id, name)


def _bilingual(field: str, name: str, zh: str, en: str) -> str:
    return f"{field}: {name}：{zh} / {name}: {en}"


def _who(item: Any, index: int) -> tuple[str, str | None]:
    """The person's name as far as it can be read, else the account, else the row."""
    row = item if isinstance(item, dict) else {}
    learner_id, name = row.get("learner_id"), row.get("name")
    learner_id = learner_id.strip()[:128] if isinstance(learner_id, str) else None
    if isinstance(name, str) and person_names.printable(name) and person_names.cleaned(name):
        return person_names.cleaned(name)[:40], learner_id
    if learner_id and learner_id.isprintable():
        return f"{NAMELESS}{learner_id}", learner_id
    return f"{NAMELESS}第{index + 1}行", None


def _cleaned(item: dict[str, Any], learner: LearnerTerms) -> tuple[str, ...]:
    sent, kept = item.get("id_number"), learner.id_number
    said = {"name": item["name"] != learner.name}
    said["id_number"] = sent is not None and kept not in (sent, f"PASSPORT:{sent}")
    return tuple(field for field, differs in said.items() if differs)
