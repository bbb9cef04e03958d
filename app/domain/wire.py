"""Field types of what platforms send: strict about types, finite, of a sane length.

Unknown extra fields are ignored. A wrong field is refused by name, and nothing is coerced: a
number in quotes is not a number. Instants are RFC 3339 with an offset or integer epoch
milliseconds, days are ISO dates.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from app.domain import id_numbers

MAX_MEDIA_S = 24 * 3600
_EARLIEST_YEAR, _LATEST_YEAR = 2000, 2099
EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00:00Z
LATEST_MS = 4_102_444_800_000  # 2100-01-01T00:00:00Z
# Control characters, halves of characters, and what shows nothing or turns the line around: two
# names that look the same must be the same. U+FFFD stands where somebody lost what had been there.
_CONTROL = re.compile(
    "(?:[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffd"
    "\U0001d173-\U0001d17a\U000e0000-\U000e00ff]"
    # What chooses a form of the character before it, where there is none to choose: of Mongolian
    # letters, of ideographs, of signs that are pictures too.
    "|(?<![\u1800-\u18af])[\u180b-\u180f]"
    "|(?<![\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\U000e0100-\U000e01ef]"
    "|(?<![\xa9\xae\u203c-\u3299\U0001f000-\U0001faff])\ufe0f(?!\u20e3))"
)
_HIDDEN = re.compile(rf"(?![\t\n\r\ufffd]){_CONTROL.pattern}")  # within a text of several lines
_PLACES = (".", "..")  # of a path, where an address is made shorter on its way
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Wire(BaseModel):
    """Base of everything read from outside."""

    model_config = ConfigDict(
        strict=True, extra="ignore", frozen=True, allow_inf_nan=False, hide_input_in_errors=True
    )


Model = TypeVar("Model", bound=Wire)


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why one item of a list was not taken."""

    index: int
    code: str
    detail: str


def field_name(path: Iterable[str | int]) -> str:
    """A pydantic location as people write it.

    >>> field_name(("lessons", 2, "media_seconds"))
    'lessons[2].media_seconds'
    """
    name = ""
    for part in path:
        name += f"[{part}]" if isinstance(part, int) else f".{part}" if name else str(part)
    return name


def first_error(error: ValidationError) -> tuple[str, str]:
    """(code, detail) of what is wrong first; the detail names the field."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    name = field_name(first["loc"])
    return first["type"], f"{name}: {first['msg']}" if name else first["msg"]


def parse_items(
    model: type[Model], items: Sequence[Any]
) -> tuple[list[tuple[int, Model]], list[ItemError]]:
    """Read every item by itself: what is good with its index, and what is not."""
    good: list[tuple[int, Model]] = []
    bad: list[ItemError] = []
    for index, item in enumerate(items):
        try:
            good.append((index, model.model_validate(item)))
        except ValidationError as error:
            bad.append(ItemError(index, *first_error(error)))
    return good, bad


def shows_all(text: str) -> bool:
    """Whether all of a line can be seen where it stands.

    >>> shows_all("赵敏"), shows_all("赵\u202e敏")
    (True, False)
    """
    return not _CONTROL.search(text)


def shown_only(text: str) -> str:
    """A line that somebody else vouches for, without what cannot be seen."""
    return _CONTROL.sub("", text)


def shown_text(text: str) -> str:
    """What somebody wrote in their own words, trimmed and without what cannot be seen: a reason
    that turns its lines around reads otherwise than it says.

    >>> shown_text(" 不\u202e予\u200b通过\n见附件 ")
    '不予通过\\n见附件'
    """
    return _HIDDEN.sub("", text).strip()


def whole(text: str) -> int | None:
    """The whole number that somebody typed, of no more digits than a database holds; None where it
    is none.

    >>> whole(" 12 "), whole("1.5"), whole("9" * 5000), whole("²")
    (12, None, None, None)
    """
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 19 else None


def typed_day(text: str) -> date:
    """The day that somebody typed, as 2026-03-02. Raises ValueError, also for a year in which
    nobody studies: before the first and after the last day of the calendar there is no other."""
    text = text.strip()
    day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    if day is None or not _EARLIEST_YEAR <= day.year <= _LATEST_YEAR:
        raise ValueError(f"a day like 2026-03-02, from {_EARLIEST_YEAR} to {_LATEST_YEAR}")
    return day


def _line(value: Any) -> Any:
    """One line of text, trimmed; empty and unprintable text is refused."""
    if not isinstance(value, str):
        return value
    if not shows_all(value):
        raise PydanticCustomError(
            "unprintable",
            "must not contain control or invisible characters / 不能含控制或不可见字符",
        )
    return value.strip()


def _id(value: Any) -> Any:
    value = _line(value)
    if value in _PLACES:
        raise PydanticCustomError("no_name", "must not be . or .., which addresses leave out")
    return value


def _day(value: Any) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise PydanticCustomError("bad_date", "must be a date like 2026-03-02, as a string")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise PydanticCustomError("bad_date", "is not a day of the calendar") from None
    if not _EARLIEST_YEAR <= day.year <= _LATEST_YEAR:
        raise PydanticCustomError(
            "date_out_of_range", f"must lie between {_EARLIEST_YEAR} and {_LATEST_YEAR}"
        )
    return day


def instant(value: Any) -> int:
    """Epoch milliseconds of an instant as sent. Raises PydanticCustomError."""
    if isinstance(value, str):
        value = _milliseconds(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise PydanticCustomError(
            "bad_time", "must be integer epoch milliseconds or RFC 3339 with an offset"
        )
    if not EARLIEST_MS <= value < LATEST_MS:
        raise PydanticCustomError(
            "time_out_of_range", f"must lie between {_EARLIEST_YEAR} and {_LATEST_YEAR}"
        )
    return value


def client_instant(value: Any) -> int:
    """A client's clock is no evidence: any number is taken, and clamped to 1970 … 2099. Raises
    PydanticCustomError for what is no time at all."""
    if isinstance(value, str):
        with suppress(ValueError):
            value = float(value)  # a query parameter
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return min(max(value, 0), LATEST_MS - 1)
    return instant(value)


def _milliseconds(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
        return math.floor(moment.timestamp() * 1000) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


Id = Annotated[str, BeforeValidator(_id), Field(min_length=1, max_length=128)]
Line = Annotated[str, BeforeValidator(_line), Field(min_length=1, max_length=128)]
Title = Annotated[str, BeforeValidator(_line), Field(min_length=1, max_length=500)]
Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Instant = Annotated[
    int,
    BeforeValidator(instant),
    WithJsonSchema(
        {
            "anyOf": [{"type": "integer"}, {"type": "string", "format": "date-time"}],
            "description": "epoch milliseconds, or RFC 3339 with an offset",
        }
    ),
]
ClientInstant = Annotated[
    int,
    BeforeValidator(client_instant),
    WithJsonSchema(
        {
            "anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}],
            "description": "a client's clock: noted, clamped to what a date can be, never refused",
        }
    ),
]
EpochMs = Annotated[int, Field(ge=EARLIEST_MS, lt=LATEST_MS)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Identified(Wire):
    """What names a natural person: a document's number, cleaned and checked."""

    id_type: Annotated[
        id_numbers.IdType | None,
        Field(description="which document; known by the number's form where it is left out"),
    ] = None
    id_number_confirmed: Annotated[
        bool, Field(description="read from the document, although it ends in 000")
    ] = False
    id_number: Annotated[
        str | None,
        Field(description="stored encrypted, shown masked, matched by keyed hash"),
    ] = None

    @field_validator("id_type", mode="before")
    @classmethod
    def _type_in_words(cls, said: Any) -> Any:
        if not isinstance(said, str):
            return said
        try:
            return id_numbers.type_in_words(said)
        except id_numbers.BadNumber as refusal:
            raise PydanticCustomError(refusal.code, str(refusal)) from None

    @field_validator("id_number", mode="before")
    @classmethod
    def _number(cls, said: Any, info: ValidationInfo) -> Any:
        if isinstance(said, int | float) and not isinstance(said, bool):
            raise PydanticCustomError(
                "id_number_not_text",
                "证件号码须为文本：作为数值时电脑只保留15至16位，号码可能已经改变 / "
                "must be a string: as a number only 15 to 16 digits are kept, and it may be "
                "another by now",
            )
        if not isinstance(said, str):
            return said
        confirmed = info.data.get("id_number_confirmed", False)
        try:
            return id_numbers.read(said, info.data.get("id_type"), confirmed=confirmed)
        except id_numbers.BadNumber as refusal:
            raise PydanticCustomError(refusal.code, str(refusal)) from None
