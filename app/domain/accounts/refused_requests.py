"""What a platform was refused of late and why: kept for its developers, and without anything of a
person.

What a refusal quotes may be a learner's name or number, so the kept sentence has its quotations,
its Chinese words, what stands in brackets, and its long numbers struck out.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.clock import DAY_MS
from app.domain.answer import Answer, EpochMs
from app.store.accounts import refused_requests as store

KEPT_MS = 14 * DAY_MS  # product defaults: how long they are kept, and how many
MOST = 200  # of one platform
_MINUTE_MS = 60_000
_SAID_BY_THE_SENDER = re.compile(
    r"'[^']*'|\"[^\"]*\"|“[^”]*”|（[^）]*）|\([^)]*\)|\d{6,}|[^\x00-\x7f…]+|\S*@\S*"
)
_OUR_OWN_WORDS = ("literal_error", "enum")  # which quote what is allowed, not what was sent


@dataclass(frozen=True, slots=True)
class Reason:
    """What was asked, and why it was refused. `route` is the address with names for ids; `status`
    200 is a batch of which some items were refused."""

    method: str
    route: str
    status: int
    code: str
    field: str

    def digest(self, key_id: int | None) -> bytes:
        parts = (self.method, self.route, self.status, self.code, self.field, key_id)
        return hashlib.sha256(repr(parts).encode()).digest()


@dataclass(slots=True)
class Occurrences:
    """How often a reason came up, and what the last time was like."""

    count: int
    at_ms: int
    detail: str
    request_id: str


@dataclass(frozen=True, slots=True)
class Told:
    """A reason's count for one asker: a platform's key, or one of its learners' browsers."""

    platform_id: int
    key_id: int | None
    reason: Reason
    refused: Occurrences


class RefusedRequestView(Answer, frozen=True, kw_only=True):
    """What was refused in one minute for one reason, `count` times, last `at_ms` as `request_id`.

    `status` 200: the batch was taken, but for `count` items. `field` is empty where no one field
    is at fault; `detail` has what the request said struck out. Without `key_id` a learner's browser
    asked, by a lease.
    """

    at_ms: EpochMs
    count: int
    method: str
    route: str
    status: int
    code: str
    field: str
    detail: str
    request_id: str
    key_id: int | None
    key_label: str | None


def masked(detail: str, code: str = "") -> str:
    """The sentence without what the sender said in it.

    >>> masked("learner '吴某' of class K1 (W-7) has 13800000000")
    'learner … of class K1 … has …'
    """
    if code in _OUR_OWN_WORDS:
        return detail[:500]
    return _SAID_BY_THE_SENDER.sub("…", detail)[:500]


def enter(connection: Connection, told: Iterable[Told]) -> None:
    """Keep them; of each platform the newest `MOST`."""
    told = sorted(told, key=lambda it: (it.platform_id, it.reason.digest(it.key_id)))
    rows: list[dict[str, Any]] = [
        {
            "platform_id": it.platform_id,
            "minute": it.refused.at_ms // _MINUTE_MS,
            "kind": it.reason.digest(it.key_id),
            "at_ms": it.refused.at_ms,
            "count": it.refused.count,
            "method": it.reason.method,
            "route": it.reason.route,
            "status": it.reason.status,
            "code": it.reason.code,
            "field": it.reason.field,
            "detail": it.refused.detail,
            "request_id": it.refused.request_id,
            "key_id": it.key_id,
        }
        for it in told
    ]
    if rows:
        store.add(connection, rows)
    for platform_id in sorted({it.platform_id for it in told}):
        store.keep_newest(connection, platform_id, MOST)


def enter_over(connection: Connection, counts: Mapping[int, int], now_ms: int) -> None:
    """Keep with each sitting, by its row, how many events came for it though it was over."""
    store.add_over(connection, counts, now_ms)


def of_platform(connection: Connection, platform_id: int, now_ms: int) -> list[RefusedRequestView]:
    """The platform's last refused requests, newest first, at most `MOST`."""
    return [
        RefusedRequestView(
            **{name: getattr(row, name) for name in RefusedRequestView.__struct_fields__}
        )
        for row in store.newest(connection, platform_id, now_ms - KEPT_MS)
    ]


def forget(connection: Connection, now_ms: int) -> None:
    store.forget(connection, now_ms - KEPT_MS)
