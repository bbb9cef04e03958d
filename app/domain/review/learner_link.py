"""A learner's own link: signed, bound to one enrolment, ending by itself, revocable.

The token is the link's row and a signature over it under a key of its own; whoever holds it sees
what was counted for that learner in that class, may appeal, and nothing else.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.clock import DAY_MS
from app.domain.review import appeals
from app.domain.review.appeals import AppealView
from app.errors import NotFound, TooManyRequests
from app.store.accounts import audit
from app.store.accounts import links as store
from app.store.catalogue import catalogue
from app.store.scope import AccessScope
from app.vault import Vault

_VISIT_MS = 3_600_000
_PURPOSE = "learner-link"


@dataclass(frozen=True, slots=True)
class Issued:
    """Where the learner finds the page, and until when."""

    path: str
    expires_ms: int


def issue(
    connection: Connection,
    vault: Vault,
    class_id: int,
    learner_id: int,
    *,
    actor: str,
    days: int,
    now_ms: int,
) -> Issued:
    """A new link for a learner of a class, good for so many days; links given before stay good.
    Raises NotFound."""
    enrolment_id = _enrolment(connection, class_id, learner_id)
    expires_ms = now_ms + days * DAY_MS
    link_id = store.add(connection, enrolment_id, actor, now_ms, expires_ms)
    _log(connection, actor, "link.issued", enrolment_id, now_ms, link=link_id)
    return Issued(f"/my/{_token(vault, link_id, enrolment_id, expires_ms)}", expires_ms)


def revoke(
    connection: Connection, class_id: int, learner_id: int, *, actor: str, now_ms: int
) -> int:
    """End all links of a learner in a class; how many were open. Raises NotFound."""
    enrolment_id = _enrolment(connection, class_id, learner_id)
    ended = store.revoke(connection, enrolment_id, now_ms)
    _log(connection, actor, "link.revoked", enrolment_id, now_ms)
    return ended


def revoke_one(
    connection: Connection, class_id: int, link_id: int, *, actor: str, now_ms: int
) -> None:
    """End one link of a class; the learner's others stay good. Raises NotFound."""
    link = store.one(connection, link_id)
    if link is None or link.class_id != class_id:
        raise NotFound("unknown_link", "there is no such link in the class")
    if store.revoke_one(connection, link_id, now_ms):
        _log(connection, actor, "link.revoked", link.enrolment_id, now_ms, link=link_id)


def standing(link: Any, now_ms: int) -> str:
    """Whether a link still opens the page: open, over or revoked."""
    if link.revoked_ms is not None:
        return "revoked"
    return "over" if link.expires_ms <= now_ms else "open"


def read(connection: Connection, vault: Vault, token: str, now_ms: int) -> Any:
    """The link of a token. Raises NotFound, the same for one that is wrong, over or revoked."""
    number = token.partition("-")[0]
    row = None
    if number.isascii() and number.isdecimal() and len(number) < 16:
        row = store.one(connection, int(number))
    if row is None or standing(row, now_ms) != "open":
        raise _unknown()
    told = token.encode("utf-8", "replace")
    if not vault.signed(
        _message(row.id, row.enrolment_id, row.expires_ms),
        _PURPOSE,
        lambda sign: hmac.compare_digest(_with(row.id, sign).encode(), told),
    ):
        raise _unknown()
    return row


def visits_anew(link: Any, now_ms: int) -> bool:
    """Whether opening the page is a visit to note; within the hour it is the same one."""
    return link.opened_ms is None or now_ms - link.opened_ms > _VISIT_MS


def opened(connection: Connection, link: Any, now_ms: int) -> None:
    """Note that the page was opened."""
    store.opened(connection, link.id, now_ms)
    _log(connection, actor_of(link), "link.opened", link.enrolment_id, now_ms, link=link.id)


def appeal(
    connection: Connection, link: Any, finding_id: int, statement: str, a_day: int, now_ms: int
) -> AppealView:
    """File the learner's appeal, one of `a_day` in 24 hours.

    Raises NotFound for a finding that is not this learner's, TooManyRequests, and what
    `appeals.file` raises.
    """
    if store.appeals_since(connection, actor_of(link), now_ms - DAY_MS) >= a_day:
        raise TooManyRequests("too_many_appeals", f"{a_day} appeals a day", retry_after_s=3600)
    scope = AccessScope(platform_id=link.platform_id)
    if not appeals.concerns(connection, scope, finding_id, link.class_id, link.learner_id):
        raise NotFound("unknown_finding", "there is no such finding")
    return appeals.file(
        connection, scope, finding_id, statement, actor=actor_of(link), now_ms=now_ms
    )


def _enrolment(connection: Connection, class_id: int, learner_id: int) -> int:
    found = catalogue.enrolments(connection, class_id).get(learner_id)
    if found is None:
        raise NotFound("unknown_learner", "there is no such learner in the class")
    return found


def _token(vault: Vault, link_id: int, enrolment_id: int, expires_ms: int) -> str:
    return _with(link_id, vault.sign(_message(link_id, enrolment_id, expires_ms), _PURPOSE))


def _message(link_id: int, enrolment_id: int, expires_ms: int) -> bytes:
    return f"{link_id}:{enrolment_id}:{expires_ms}".encode()


def _with(link_id: int, sign: bytes) -> str:
    return f"{link_id}-{urlsafe_b64encode(sign).decode().rstrip('=')}"


def actor_of(link: Any) -> str:
    """How appeals and the audit log name whoever holds the link."""
    return f"learner-link:{link.id}"


def _unknown() -> NotFound:
    return NotFound("unknown_link", "there is no such link, or it is over")


def _log(
    connection: Connection, actor: str, action: str, enrolment_id: int, now_ms: int, **detail: int
) -> None:
    audit.append(
        connection,
        at_ms=now_ms,
        actor=actor,
        action=action,
        subject=f"enrolment:{enrolment_id}",
        detail=detail,
    )
