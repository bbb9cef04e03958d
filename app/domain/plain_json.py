"""JSON that says everything once: what a parser would drop in silence is refused by name.

Of a name that stands twice in one object parsers keep the last, and bytes that are no UTF-8 pass
unseen in a field that nobody reads. Whoever sent them would be told that all of it was stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from app.errors import MalformedBody

UTF8 = ("", "utf-8", "utf8", "us-ascii", "ascii")
_NAME_AND_SPACE = re.compile(rb'"[ \t\r\n]+:')
_one = msgspec.json.Decoder(dict[str, msgspec.Raw])
_many = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def require_utf8(body: bytes) -> None:
    """Raises MalformedBody and says where the first byte stands that is no UTF-8."""
    if not body.isascii():
        try:
            body.decode()
        except UnicodeDecodeError as error:
            detail = f"the body is not UTF-8: byte {error.start}"
            raise MalformedBody("malformed_json", detail) from None


def require_single_names(body: bytes, objects: str = "") -> None:
    """Raises MalformedBody for an object of the document in which a name stands twice.

    `objects` names the list of plain objects that most of the document is; it makes this quick:
    where as many names were written as are left after parsing, none was dropped.
    """
    if objects and b"\\" not in body and not _NAME_AND_SPACE.search(body):
        try:
            head = _one.decode(body)
            listed = _many.decode(head[objects])
        except (msgspec.DecodeError, KeyError):
            pass
        else:
            if body.count(b'":') == len(head) + sum(map(len, listed)):
                return
    try:  # numbers as their lengths: what they are is no matter, and Python refuses long ones
        json.loads(body, object_pairs_hook=_single, parse_int=len, parse_float=len)
    except RecursionError:
        raise MalformedBody("malformed_json", "the body is nested too deep") from None
    except ValueError as error:
        raise MalformedBody("malformed_json", f"the body is not valid JSON: {error}") from None


def loads(body: bytes) -> Any:
    """A whole document as plain data. Raises MalformedBody for a name that stands twice and for
    what is no UTF-8, json.JSONDecodeError for what is no JSON."""
    require_utf8(body)
    return json.loads(body, object_pairs_hook=_single)


def _single(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            shown = name[:80].encode("utf-8", "backslashreplace").decode()
            raise MalformedBody("duplicate_name", f"{shown}: stands twice in one object")
        found[name] = value
    return found
