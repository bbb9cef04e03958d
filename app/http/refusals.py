"""What platforms are refused, gathered in memory and written down every few seconds.

Nothing happens for a request that is answered. A refusal costs one entry in memory: the same reason
is counted, at most `_REASONS` of one asker and `_STRANGERS` askers that this process does not know
wait for the next round, and what comes on top is left out, so that a flood costs few writes.
Without the database what waits is dropped, but for counts of sittings that were over: an answer
never waits for it.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection
from starlette.types import Scope

from app.clock import Clock
from app.db import Database
from app.domain.accounts import platforms, refused_requests
from app.domain.accounts.refused_requests import Occurrences, Reason, Told, masked
from app.domain.exchange import lost_evidence
from app.domain.sittings import leases
from app.domain.wire import ItemError
from app.errors import ZhenxueError
from app.http.keyring import KeyRing
from app.outages import DatabaseAway
from app.security import token_digest

EVERY_S = 2.0
REFUSAL = "zhenxue.refusal"  # in a request's scope: the ZhenxueError that it is answered with
ASKED = "zhenxue.asked"  # there: its method, where it is answered as another's
AUTHORIZATION = "zhenxue.authorization"  # there: the header's text, where it came in a form
_REASONS = 40
_STRANGERS = 50
_SITTINGS = 1000
_Reasons = dict[Reason, Occurrences]
_DOORS = ("/v1/", "/xAPI/")
_SEGMENT = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")


@dataclass(frozen=True, slots=True)
class _Asker:
    """Who asked: a key or a lease, by its digest. Of a lease, also where to look for it."""

    digest: bytes
    platform_id: int = 0
    session: str = ""


class Refusals:
    """`note` in the request's own way, `write` in a thread of its own. One a process."""

    def __init__(self, database: Database, clock: Clock, keys: KeyRing) -> None:
        self._database, self._clock, self._keys = database, clock, keys
        self._lock = threading.Lock()
        self._known: dict[tuple[int, int], _Reasons] = {}  # by platform and key
        self._strangers: dict[_Asker, _Reasons] = {}
        self._over: dict[int, int] = {}  # events by the row of a sitting that was over

    def note_over(self, session_id: int, events: int) -> None:
        """So many events came for a sitting that takes no more: its learner is to be told."""
        with self._lock:
            if session_id in self._over or len(self._over) < _SITTINGS:
                self._over[session_id] = self._over.get(session_id, 0) + events

    def note(
        self, scope: Scope, status: int, request_id: str, *, route: str = "", session: str = ""
    ) -> None:
        """A request to the machines' side was refused, with the error that its scope holds. `route`
        and `session` are for what was answered before the routing."""
        if not scope["path"].startswith(_DOORS):
            return
        asker = _asker(scope, session)
        if asker is None:
            return
        error = scope.get(REFUSAL)
        problem = error.problem() if isinstance(error, ZhenxueError) else {}
        first: dict[str, Any] = next(iter(problem.get("errors") or ()), {})
        name = first.get("field") or problem.get("field") or ""
        code = str(problem.get("code", "method_not_allowed" if status == 405 else "refused"))
        if code == "no_event_accepted" and first:
            code = str(first["code"])  # why the first was not: the answer tells of all
        address = route or _route(scope)
        method = scope.get(ASKED, scope["method"])
        reason = Reason(method, address, status, code[:128], str(name)[:128])
        detail = str(first.get("detail") or problem.get("detail", ""))
        self._enter(asker, reason, masked(detail, str(first.get("code"))), request_id, 1)

    def note_items(
        self, scope: Scope, rejected: list[ItemError], request_id: str, *, route: str, session: str
    ) -> None:
        """A batch was taken, but for these items: `index`, `code` and `detail` of each."""
        asker = _asker(scope, session)
        if asker is None:
            return
        counts: dict[str, int] = {}
        for it in rejected:
            counts[it.code] = counts.get(it.code, 0) + 1
        first = {it.code: it for it in reversed(rejected)}
        for code, count in counts.items():
            reason = Reason(scope["method"], route, 200, code, "events")
            self._enter(asker, reason, masked(first[code].detail), request_id, count)

    def _enter(
        self, asker: _Asker, reason: Reason, detail: str, request_id: str, count: int
    ) -> None:
        key = None if asker.session or asker.platform_id else self._keys.seen(asker.digest)
        now_ms = self._clock()
        with self._lock:
            if key is not None:
                waiting = self._known.setdefault((key.platform_id, key.id), {})
            elif asker in self._strangers or len(self._strangers) < _STRANGERS:
                waiting = self._strangers.setdefault(asker, {})
            else:
                return
            found = waiting.get(reason)
            if found is not None:
                found.count += count
                found.at_ms, found.detail, found.request_id = now_ms, detail, request_id
            elif len(waiting) < _REASONS:
                waiting[reason] = Occurrences(count, now_ms, detail, request_id)

    def write(self) -> None:
        """Write down what waits, for all services to see."""
        with self._lock:
            if not self._known and not self._strangers and not self._over:
                return
            over, self._over = self._over, {}
            known, self._known = self._known, {}
            strangers, self._strangers = self._strangers, {}
        try:
            with self._database.read() as connection:
                whose = {it: _holder(connection, it) for it in strangers}
            told = [
                Told(platform_id, key_id, reason, refused)
                for (platform_id, key_id), waiting in known.items()
                for reason, refused in waiting.items()
            ]
            told += _together(strangers, whose)
            if told or over:
                with self._database.write() as connection:
                    refused_requests.enter_over(connection, over, self._clock())
                    refused_requests.enter(connection, told)
                    lost_evidence.tell(connection, told, self._clock())
        except DatabaseAway:
            for session_id, events in over.items():
                self.note_over(session_id, events)


def _together(
    strangers: dict[_Asker, _Reasons], whose: dict[_Asker, tuple[int, int | None] | None]
) -> list[Told]:
    """What askers that this process did not know were refused, those of nobody left out; learners'
    browsers of one platform are one asker."""
    found: dict[tuple[int, int | None, Reason], Occurrences] = {}
    for asker, waiting in strangers.items():
        holder = whose[asker]
        if holder is None:
            continue
        for reason, refused in waiting.items():
            before = found.setdefault((*holder, reason), refused)
            if before is not refused:
                before.count += refused.count
                if refused.at_ms >= before.at_ms:
                    before.at_ms, before.detail = refused.at_ms, refused.detail
                    before.request_id = refused.request_id
    return [Told(*asked, refused) for asked, refused in found.items()]


def _holder(connection: Connection, asker: _Asker) -> tuple[int, int | None] | None:
    """The platform, and its key if it was one: also of a key or lease that is over."""
    if asker.platform_id:
        mine = leases.held(connection, asker.platform_id, asker.session, asker.digest)
        return (asker.platform_id, None) if mine else None
    key = platforms.holder_of(connection, asker.digest)
    return None if key is None else (key.platform_id, key.id)


def _asker(scope: Scope, session: str) -> _Asker | None:
    """Who asks, or says so; None for a signed-in person and for nobody."""
    text = scope.get(AUTHORIZATION)
    if text is None:
        raw = next((v for k, v in scope["headers"] if k == b"authorization"), b"")
        text = raw.decode("latin-1")
    scheme, _, secret = text.partition(" ")
    secret = secret.strip()[:512]
    if scheme.lower() == "basic":
        try:
            secret = base64.b64decode(secret, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            return None
    if not secret:
        return None
    lease = leases.platform_in(secret)
    if lease is None:
        return _Asker(token_digest(secret))
    session = session or str(scope.get("path_params", {}).get("session_id", ""))
    return _Asker(token_digest(secret), lease, session) if session else None


def _route(scope: Scope) -> str:
    """The address with names for ids; of one that there is not, as far as it holds none."""
    path = getattr(scope.get("route"), "path", None)
    if path is not None:
        return str(path)
    door, resource, *more = scope["path"].split("/")[1:]
    resource = resource if _SEGMENT.fullmatch(resource) else "…"
    return f"/{door}/{resource}" + "/…" * bool(more)
