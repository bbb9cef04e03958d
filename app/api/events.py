"""The hot path: event batches, acknowledged once the disk has them.

Plain ASGI instead of a body model: the raw body goes to msgspec, what falls due comes from memory,
and only what changes the ledger takes a thread. The OpenAPI document describes it by hand.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import msgspec
import structlog
from prometheus_client import Counter
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import problems
from app.api.auth import demand
from app.domain.accounts.platforms import KeyScope
from app.domain.answer import UNSET
from app.domain.controls.controls_due import NOTHING_DUE, ControlsDue
from app.domain.controls.scheduler import NOTHING, Batch
from app.domain.events import ingest
from app.domain.events.batch_answer import (
    BatchAnswer,
    BatchesAnswer,
    LeaseStanding,
    Noted,
    SittingAnswer,
)
from app.domain.events.events import pack
from app.domain.events.ingest import Arrived
from app.domain.sittings import leases, sitting_life, sitting_terms, unseen_note
from app.domain.sittings.sitting_life import Fate, State
from app.domain.sittings.sitting_terms import SittingTerms
from app.domain.sittings.sittings import unknown_session
from app.domain.wire import ItemError
from app.errors import BadInput, BodyTooLarge, Conflict, MalformedBody, ZhenxueError
from app.http.callers import Callers
from app.http.keyring import Caller
from app.services import Services
from app.store.events.events import Append, Receipt
from models import Session, TrainingClass

log = structlog.get_logger("zhenxue.events")

LONGEST_MS = 2**31 - 1  # receipts are stored as 32 bits of ms since the opening: 24 days
STRANGE_CLOCK = "at_ms: 设备时钟不准，已记录，不影响学时 a wrong clock: noted, no matter"
_HELD = 200_000  # sessions remembered by a process


@dataclass(frozen=True, slots=True)
class _Sitting:
    """What never changes of a session while it runs."""

    id: int
    opened_ms: int
    terms: SittingTerms


class _Sittings:
    """Session ids → rows, remembered: a lookup per batch would cost more than the batch."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._known: dict[tuple[int, str], _Sitting] = {}

    async def find(self, platform_id: int, session: str) -> _Sitting | None:
        known = self._known.get((platform_id, session))
        if known is None:
            known = await run_in_threadpool(self._load, platform_id, session)
            if known is not None:
                if len(self._known) >= _HELD:
                    self._known.clear()
                self._known[platform_id, session] = known
        return known

    def _load(self, platform_id: int, session: str) -> _Sitting | None:
        query = (
            select(Session.id, Session.opened_ms, TrainingClass.pack_id, TrainingClass.pack_version)
            .join(TrainingClass, TrainingClass.id == Session.class_id)
            .where(Session.platform_id == platform_id, Session.external_id == session)
        )
        with self._services.database.read() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        terms = sitting_terms.of_pack(row.pack_id, row.pack_version)
        return _Sitting(row.id, row.opened_ms, terms)


class EventIntake:
    """Stores what arrived and tells the client what to do next. One a process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._sittings = _Sittings(services)
        self._stored = Counter(
            "zhenxue_events_total", "Events by fate", ("fate",), registry=services.registry
        )

    async def one_session(self, platform_id: int, session: str, found: Arrived) -> BatchAnswer:
        """Store one session's batch. Raises NotFound, BadInput when no event was good, Conflict
        when the session takes no more events."""
        sitting = await self._sittings.find(platform_id, session)
        if sitting is None:
            raise unknown_session(session)
        return await self._take(session, sitting, found)

    async def many_sessions(
        self, platform_id: int, found: dict[str, Arrived], lost: list[ItemError]
    ) -> BatchesAnswer:
        """Store a mixed batch; an event of an unknown session is refused alone."""
        sessions: dict[str, SittingAnswer] = {}
        rejected = list(lost)
        accepted = duplicates = 0
        for name, batch in found.items():
            sitting = await self._sittings.find(platform_id, name)
            faults = list(batch.problems)
            if sitting is None:
                faults += _refused(batch, "unknown_session", f"there is no session {name!r}")
            elif batch.events:
                try:
                    told = await self._take(name, sitting, batch)
                except Conflict as conflict:
                    faults += _refused(batch, conflict.code, conflict.detail)
                else:
                    sessions[name] = SittingAnswer.of(told)
                    accepted += told.accepted
                    duplicates += told.duplicates
                    rejected += told.rejected
                    continue
            rejected += faults
        rejected.sort(key=lambda fault: fault.index)
        if not accepted and not duplicates:
            raise _all_refused(rejected)
        return BatchesAnswer(
            accepted=accepted, duplicates=duplicates, rejected=rejected, sessions=sessions
        )

    async def _take(self, name: str, sitting: _Sitting, found: Arrived) -> BatchAnswer:
        if not found.events:
            raise _all_refused(found.problems)
        now_ms = self._services.clock()
        if now_ms - sitting.opened_ms > LONGEST_MS:
            raise Conflict("session_closed", sitting_life.why(Fate.CLOSED, name))
        packed = pack(found.events, now_ms - sitting.opened_ms)
        receipt = await self._services.events.append(
            Append(sitting.id, packed, now_ms, sitting.terms.lease_ms)
        )
        if receipt.refused == "unknown_session":
            raise unknown_session(name)
        if receipt.refused:
            raise Conflict(receipt.refused, sitting_life.why(Fate(receipt.refused), name))
        notes = ingest.popup_notes(packed, found.events, now_ms)
        position = receipt.position_ms if packed.first_ms >= 0 else None
        batch = Batch(sitting.id, receipt.learning_ms, position, now_ms, notes)
        scheduler = self._services.controls
        # What resumes was over for the scheduler: it looks at the rows again.
        demands = None if receipt.fate == Fate.RESUMES else scheduler.glance(batch)
        if demands is None:
            (demands,) = await run_in_threadpool(scheduler.settle, [batch])
        self._count(receipt, found)
        controls = NOTHING_DUE if demands is NOTHING else demands.due()
        note = unseen_note.of(packed.watched, sitting.terms) if packed.watched else None
        if note is not None and receipt.state == State.OPEN:
            controls = msgspec.structs.replace(controls, note=note)
        return _answer(receipt, found, controls, packed.strange_times)

    def _count(self, receipt: Receipt, found: Arrived) -> None:
        self._stored.labels("accepted").inc(receipt.accepted)
        if receipt.duplicates:
            self._stored.labels("duplicate").inc(receipt.duplicates)
        if found.problems:
            self._stored.labels("rejected").inc(len(found.problems))


def _answer(
    receipt: Receipt, found: Arrived, controls: ControlsDue, strange_times: int
) -> BatchAnswer:
    rejected = list(found.problems)
    if receipt.conflicts:
        rejected += _conflicts(receipt, found)
        rejected.sort(key=lambda fault: fault.index)
    noted = Noted(code="client_time", detail=STRANGE_CLOCK, count=strange_times)
    return BatchAnswer(
        accepted=receipt.accepted,
        duplicates=receipt.duplicates,
        rejected=rejected,
        next_seq=receipt.next_seq,
        chain=receipt.chain.hex(),
        controls=controls,
        lease=LeaseStanding(expires_at_ms=receipt.lease_expires_ms, state=State(receipt.state)),
        fate=Fate(receipt.fate),
        noted=[noted] if strange_times else UNSET,
    )


def _conflicts(receipt: Receipt, found: Arrived) -> list[ItemError]:
    seqs = set(receipt.conflicts)
    return [
        ItemError(index, "seq_conflict", f"seq: {event.seq} was stored before with other content")
        for index, event in zip(found.indices, found.events, strict=True)
        if event.seq in seqs
    ]


def _refused(batch: Arrived, code: str, detail: str) -> list[ItemError]:
    return [ItemError(index, code, detail) for index in batch.indices]


def _all_refused(rejected: Sequence[ItemError]) -> BadInput:
    first = rejected[0].detail if rejected else "no event"
    return BadInput(
        "no_event_accepted",
        f"no event of the batch was accepted: {first}",
        errors=msgspec.to_builtins(rejected),
    )


# ------------------------------------------------------------------------------------- the edge

_ONE = re.compile(r"/v1/sessions/([^/]{1,128})/events")
_MANY = "/v1/events"
_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
]


class HotPath:
    """Answers the two event endpoints itself and hands everything else on.

    It stands before the routing and the outer layer, which together cost more than storing a
    batch; what they do for other requests and is needed here, it does itself.
    """

    def __init__(self, app: ASGIApp, services: Services, callers: Callers) -> None:
        self._app = app
        self._services = services
        self._callers = callers
        self._intake = EventIntake(services)
        self._requests = Counter(
            "zhenxue_event_requests_total",
            "Event batches answered",
            ("status",),
            registry=services.registry,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        session = _ONE.fullmatch(path)
        if session is None and path != _MANY:
            await self._app(scope, receive, send)
            return
        try:
            named = None if session is None else unquote(session[1])
            status, answer = 200, await self._answer(scope, receive, named)
            body = msgspec.json.encode(answer)
            headers = [*_HEADERS, (b"content-length", str(len(body)).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": body})
        except ZhenxueError as error:
            status = error.status
            await problems.response(error)(scope, receive, send)
        except Exception:
            status = 500
            log.exception("events could not be taken", path=path)
            fault = ZhenxueError("internal_error", "the events could not be taken; send them again")
            await problems.response(fault)(scope, receive, send)
        self._requests.labels(str(status)).inc()

    async def _answer(
        self, scope: Scope, receive: Receive, session: str | None
    ) -> BatchAnswer | BatchesAnswer:
        headers = dict(scope["headers"])
        authorization = headers.get(b"authorization")
        text = None if authorization is None else authorization.decode("latin-1")
        caller = await self._caller(text, session)
        body = await self._body(headers, receive)
        media_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0]
        media_type = media_type.strip().lower()
        if session is not None:
            found = ingest.arrived(body, media_type)
            return await self._intake.one_session(caller.platform, session, found)
        by_session, lost = ingest.addressed(body, media_type)
        return await self._intake.many_sessions(caller.platform, by_session, lost)

    async def _caller(self, authorization: str | None, session: str | None) -> Caller:
        if session is not None and leases.is_lease((authorization or "").partition(" ")[2].strip()):
            ring = self._callers.leases
            browser = await run_in_threadpool(ring.caller, authorization, session)
            if browser is not None:
                return browser
        return demand(self._callers.keys.caller(authorization), KeyScope.INGEST)

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The plain body, refused as soon as it is known to be too large."""
        limit = self._services.settings.max_body_bytes
        declared = headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            raise _too_large(limit)
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise MalformedBody("disconnected", "the body broke off")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > limit:
                raise _too_large(limit)
            if not message.get("more_body"):
                break
        encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
        return ingest.decompressed(b"".join(parts), encoding, limit)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge("body_too_large", f"the body is larger than {limit} bytes", limit=limit)
