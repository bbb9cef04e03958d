"""The small values that xAPI statements are made of, and the check of each.

A check takes (value, where) and raises `StatementError` naming the field. It checks what the
standard calls a MUST only: what it recommends is not demanded.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from app.errors import MalformedBody

Check = Callable[[Any, str], None]

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s\x00-\x1f\x7f<>\"{}|\\^`]+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_MBOX = re.compile(r"mailto:[^@\s]+@[^@\s]+")
_SHA1 = re.compile(r"[0-9a-fA-F]{40}")
_SHA2 = re.compile(r"[0-9a-fA-F]{56}|[0-9a-fA-F]{64}|[0-9a-fA-F]{96}|[0-9a-fA-F]{128}")
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,8}|[xXiI](?=-))(?:-[A-Za-z0-9]{1,8})*")
_MEDIA_TYPE = re.compile(r"[\w.+\-!#$&^]+/[\w.+\-!#$&^]+(?:\s*;.*)?", re.ASCII)
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?([Zz]|[+-]\d{2}(?::?\d{2})?)?", re.ASCII
)
_NO_ZONE = re.compile(r".*-00(?::?00)?")  # "the zone is unknown", which statements may not say
_NUMBER = r"\d+(?:\.\d+)?"
_DURATION = re.compile(
    rf"P(?!$)(?:{_NUMBER}W|(?:{_NUMBER}Y)?(?:{_NUMBER}M)?(?:{_NUMBER}D)?"
    rf"(?:T(?=\d)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?)",
    re.ASCII,
)
_MOST_DIGITS = 300
_MOST_LEVELS = 64


class StatementError(Exception):
    """What is wrong with a statement: `where` names the field, `text` says what it must be."""

    def __init__(self, where: str, text: str) -> None:
        super().__init__(f"{where}: {text}")
        self.where = where
        self.text = text


def parse_json(text: bytes | str) -> Any:
    """Strict JSON: no doubled keys, no NaN, no infinity, only Unicode. Raises MalformedBody."""
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unambiguous,
            parse_constant=_not_a_number,
            parse_float=_finite,
            parse_int=_whole,
        )
        dump_json(value)
        deep = _deeper_than(value, _MOST_LEVELS)
    except RecursionError:
        deep = True
    except (ValueError, OverflowError) as error:
        raise MalformedBody("malformed_json", f"not valid JSON: {_reason(error)}") from None
    if deep:
        raise MalformedBody("malformed_json", f"nested more than {_MOST_LEVELS} levels deep")
    return value


def dump_json(value: Any) -> bytes:
    """As it is stored and handed out. Raises UnicodeEncodeError for halves of characters."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeError):
        return "text that is not Unicode"
    return str(error)[:200]


def _deeper_than(value: Any, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        objects = [child for it in layer if isinstance(it, dict) for child in it.values()]
        layer = objects + [child for it in layer if isinstance(it, list) for child in it]
    return bool(layer)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a property stands twice in one object")
    return found


def _not_a_number(word: str) -> Any:
    raise ValueError(f"{word} is not a number")


def _finite(text: str) -> float:
    if not math.isfinite(found := float(text)):
        raise ValueError("a number is out of range")
    return found


def _whole(text: str) -> int:
    if len(text) > _MOST_DIGITS:
        raise ValueError("a number is out of range")
    return int(text)


# ------------------------------------------------------------------------------------- the checks


def string(value: Any, where: str) -> None:
    if not isinstance(value, str):
        raise StatementError(where, "must be a string")


def boolean(value: Any, where: str) -> None:
    if not isinstance(value, bool):
        raise StatementError(where, "must be true or false")


def number(value: Any, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise StatementError(where, "must be a number")


def size(value: Any, where: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise StatementError(where, "must be a whole number, 0 or more")


def scaled(value: Any, where: str) -> None:
    number(value, where)
    if not -1 <= value <= 1:
        raise StatementError(where, "must lie between -1 and 1")


def _shaped(pattern: re.Pattern[str], text: str) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise StatementError(where, text)

    return check


iri = _shaped(_IRI, "must be an IRI with its scheme, like https://example.org/a")
uuid = _shaped(_UUID, "must be a UUID of 36 characters")
mbox = _shaped(_MBOX, "must be a mail address like mailto:lin@example.org")
sha1 = _shaped(_SHA1, "must be a SHA-1 of 40 hex digits")
sha2 = _shaped(_SHA2, "must be a SHA-2 in hex digits")
language = _shaped(_LANGUAGE, "must be a language tag like zh-CN")
media_type = _shaped(_MEDIA_TYPE, "must be a media type like text/plain")
duration = _shaped(_DURATION, "must be an ISO 8601 duration like PT4M30S")


def timestamp(value: Any, where: str) -> None:
    milliseconds(value, where)


def milliseconds(value: Any, where: str) -> int:
    """Epoch milliseconds of a timestamp; one without a zone is UTC. Raises Fault."""
    shape = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if shape is None or _NO_ZONE.fullmatch(shape[1] or ""):
        raise StatementError(where, "must be a timestamp like 2026-03-02T09:00:00.000Z")
    try:
        moment = datetime.fromisoformat(shape[0].upper())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return math.floor(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise StatementError(where, "is no moment of the calendar") from None


def as_timestamp(ms: int) -> str:
    """Epoch milliseconds as statements write them: `2026-03-02T01:00:00.000Z`."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def language_map(value: Any, where: str) -> None:
    for tag, text in entries(value, where):
        language(tag, f"{where}.{tag[:80]}")
        string(text, f"{where}.{tag}")


def extensions(value: Any, where: str) -> None:
    """Any values under IRIs: the only place where null may stand."""
    for key, _ in entries(value, where):
        iri(key, f"{where}.{key[:80]}")


def entries(value: Any, where: str) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        raise StatementError(where, "must be an object")
    return list(value.items())


def one_of(*words: str) -> Check:
    def check(value: Any, where: str) -> None:
        if value not in words:
            raise StatementError(where, f"must be {' or '.join(words)}")

    return check


def list_of(item: Check) -> Check:
    def check(value: Any, where: str) -> None:
        if not isinstance(value, list):
            raise StatementError(where, "must be an array")
        for index, entry in enumerate(value):
            item(entry, f"{where}[{index}]")

    return check


def fields(
    value: Any, where: str, known: dict[str, Check], needed: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Check an object of named properties: all of them known, none null, the needed ones there."""
    for name, entry in entries(value, where):
        path = f"{where}.{name[:80]}" if where else name[:80]
        if name not in known:
            raise StatementError(path, "the standard knows no such property here")
        if entry is None:
            raise StatementError(path, "must not be null")
        known[name](entry, path)
    for name in needed:
        if name not in value:
            raise StatementError(f"{where}.{name}" if where else name, "is required")
    found: dict[str, Any] = value
    return found
