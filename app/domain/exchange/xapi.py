"""Statements taken in and given out: kept whole, and turned into events of the platform's sittings.

A batch is one transaction: all of its statements are stored or none. Statements carry no order of
their own, so their events take the next numbers of the session in the order of arrival; a statement
that is sent again is known by its id. Only the time of receipt counts, as for every event.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection

from app.clock import Clock
from app.db import Database
from app.domain import notify
from app.domain.controls.scheduler import Batch
from app.domain.events import intake
from app.domain.events.events import Event, PlayEvent, SeekEvent, beyond_the_film
from app.domain.events.intake import BEYOND_THE_FILM, RunningSitting
from app.domain.exchange.xapi_attachments import AttachedFile, attachments_of, require_files
from app.domain.exchange.xapi_batch import Sent, completed, says_the_same
from app.domain.exchange.xapi_documents import require_room
from app.domain.exchange.xapi_fates import DUPLICATE, KEPT, LOST, NO_POSITION, UNKNOWN, Loss
from app.domain.exchange.xapi_formats import activity
from app.domain.exchange.xapi_keys import activity_key, agent_key, object_key, verb_key
from app.domain.exchange.xapi_links import activities_of, definitions_of, joined, links_of
from app.domain.exchange.xapi_mapping import StatementMapping, read_mapping
from app.domain.exchange.xapi_model import VOIDED
from app.domain.exchange.xapi_sittings import Address, Addressing, Openings, Spoken
from app.domain.exchange.xapi_values import dump_json
from app.domain.exchange.xapi_video import event_of, session_of, tells_of_watching
from app.errors import Conflict, NotFound
from app.store.exchange import activities, documents, statement_places
from app.store.exchange import statements as store
from app.store.exchange.statements import StatementFilter

log = structlog.get_logger("zhenxue.xapi")

PAGE = 100
SETTLING_MS = 2_000  # what is younger may belong to a transaction that still runs


@dataclass(frozen=True, slots=True)
class Files:
    """Files that came with a batch, and how large all that a platform keeps may be."""

    brought: Sequence[AttachedFile] = ()
    most_kept: int = 0


NO_FILES = Files()


@dataclass(slots=True)
class Taken:
    """What became of a batch: the ids in its order, how many statements met which fate (one of
    `sitting_life.Fate`, of `xapi_fates.LOST`, `kept`: no event, `duplicate`), where each new one
    went, and what the control scheduler is told."""

    ids: list[str]
    fates: Counter[str] = field(default_factory=Counter)
    each: list[tuple[str, Address | None]] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)

    def lost(self) -> dict[str, Loss]:
        """Fates of what reached no sitting, each with why, and what to do instead."""
        return {fate: loss for fate, loss in LOST.items() if self.fates[fate]}


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Bodies of statements; `after` is set when there are more."""

    bodies: Sequence[bytes]
    newest_ms: int
    after: int | None


@dataclass(frozen=True, slots=True)
class Sender:
    """On whose behalf statements come."""

    platform_id: int
    authority: dict[str, Any]
    two: bool  # speaks version 2.0


def receive(
    database: Database,
    openings: Openings,
    clock: Clock,
    sender: Sender,
    batch: Sequence[Sent],
    files: Files = NO_FILES,
) -> Taken:
    """Store a batch and have what it does to controls decided. Raises as `take`."""
    with database.write() as connection:
        # Before the clock is asked: statements become visible in the order of their `stored`.
        store.queue(connection, sender.platform_id)
        mapping = mapping_of(connection, sender.platform_id)
        taken = take(connection, openings, sender, mapping, batch, clock(), files)
    openings.controls.after(taken.batches)
    return taken


def mapping_of(connection: Connection, platform_id: int) -> StatementMapping | None:
    """How the platform's statements find their sittings, where it has said so."""
    told = statement_places.mapping(connection, platform_id)
    return None if told is None else read_mapping(told)


def take(
    connection: Connection,
    openings: Openings,
    sender: Sender,
    mapping: StatementMapping | None,
    batch: Sequence[Sent],
    now_ms: int,
    files: Files = NO_FILES,
) -> Taken:
    """Store a batch and its files. Raises Conflict when an id stands for another statement already,
    MalformedBody where files and statements do not agree, BodyTooLarge."""
    platform_id = sender.platform_id
    require_files(batch, files.brought)
    known = store.bodies(connection, platform_id, [sent.key for sent in batch])
    _require_same(batch, known)
    fresh = [sent for sent in batch if sent.key not in known]
    taken = Taken([sent.id for sent in batch])
    taken.fates[DUPLICATE] = len(batch) - len(fresh)
    addressing = Addressing(connection, platform_id, mapping, openings, now_ms)
    _play(connection, addressing, platform_id, fresh, now_ms, taken)
    taken.fates.update(fate for fate, _ in taken.each)
    store.add(
        connection,
        [
            _row(sender, sent, address, now_ms) | {"fate": fate}
            for sent, (fate, address) in zip(fresh, taken.each, strict=True)
        ],
        [links_of(sent.statement) for sent in fresh],
    )
    _define(connection, platform_id, [sent.statement for sent in fresh])
    _keep(connection, platform_id, files, now_ms)
    lost = taken.lost()
    if lost:
        log.info("statements lost", fates=dict(taken.fates))
        told = {fate: loss.sentence for fate, loss in lost.items()}
        notify.evidence_lost(connection, platform_id, told, now_ms)
    return taken


def _play(
    connection: Connection,
    addressing: Addressing,
    platform_id: int,
    fresh: Sequence[Sent],
    now_ms: int,
    taken: Taken,
) -> None:
    """Have the events of new statements appended to their sittings, in the order of their own
    times: some emitters send their newest first. Note what became of each, in that of the batch."""
    said = []
    for sent in fresh:
        at_ms = now_ms if sent.at_ms is None else sent.at_ms
        said.append(Spoken(sent.statement, event_of(sent.statement, at_ms), at_ms))
    order = _by_time(fresh)
    found = dict(zip(order, addressing.addresses([said[n] for n in order]), strict=True))
    addresses = [found[n] for n in range(len(said))]
    events: dict[str, list[Event]] = {}
    for it, address in ((said[n], addresses[n]) for n in order):
        if address is None or address.fate is not None or it.event is None:
            continue
        if address.session is not None:
            events.setdefault(address.session, []).append(it.event)
    begun = {it.session for it in addresses if it is not None and it.since_ms is not None}
    fates = _append(connection, platform_id, events, begun, now_ms, taken) if events else {}
    for it, address in zip(said, addresses, strict=True):
        if address is None:
            fate = NO_POSITION if tells_of_watching(it.statement) else KEPT
        else:
            fate = address.fate or fates[id(it.event)]
        taken.each.append((fate, address))
    addressing.end(
        [
            (it.statement, address.session)
            for it, address in zip(said, addresses, strict=True)
            if address is not None and address.session is not None
        ]
    )


def _by_time(batch: Sequence[Sent]) -> list[int]:
    """Their places, oldest first; one that tells no time happened with the one before."""
    times: list[int] = []
    for sent in batch:
        before = times[-1] if times else 0
        times.append(before if sent.at_ms is None else sent.at_ms)
    return sorted(range(len(times)), key=times.__getitem__)


def _define(connection: Connection, platform_id: int, statements: list[dict[str, Any]]) -> None:
    told = definitions_of(statements)
    known = activities.definitions(connection, platform_id, told)
    bodies = {
        key: dump_json(joined(json.loads(known[key]) if key in known else {}, definition))
        for key, definition in told.items()
    }
    changed = {key: body for key, body in sorted(bodies.items()) if known.get(key) != body}
    activities.define(connection, platform_id, changed)


def _keep(connection: Connection, platform_id: int, files: Files, now_ms: int) -> None:
    bodies = {file.sha2: file.body for file in files.brought}
    for sha2 in activities.known_files(connection, platform_id, bodies) if bodies else ():
        del bodies[sha2]
    if bodies:
        more = sum(map(len, bodies.values()))
        require_room(connection, platform_id, more, files.most_kept)
        activities.keep(connection, platform_id, bodies, now_ms)


def _require_same(batch: Sequence[Sent], known: dict[str, bytes]) -> None:
    for sent in batch:
        stored = known.get(sent.key)
        if stored is not None and not says_the_same(json.loads(stored), sent):
            raise Conflict(
                "statement_conflict", f"id: {sent.id} is stored already and says something else"
            )


def _row(sender: Sender, sent: Sent, address: Address | None, now_ms: int) -> dict[str, Any]:
    statement = sent.statement
    verb = statement["verb"]["id"]
    registration = statement.get("context", {}).get("registration")
    thing = statement["object"]
    refers = thing["id"].lower() if thing.get("objectType") == "StatementRef" else None
    return {
        "platform_id": sender.platform_id,
        "statement_id": sent.key,
        "stored_ms": now_ms,
        "body": dump_json(completed(sent, sender.authority, now_ms, sender.two)),
        "actor": agent_key(statement["actor"]),
        "account": account_of(statement["actor"]),
        "verb": verb_key(verb),
        "object": object_key(thing),
        "registration": registration and registration.lower(),
        "session": (address and address.session) or session_of(statement),
        "refers": refers,
        "voids": refers if verb == VOIDED else None,
    }


def account_of(actor: dict[str, Any]) -> bytes | None:
    """The digest of the account's name alone, by which a learner's statements are erased."""
    account = actor.get("account")
    return documents.account_digest(account["name"]) if account else None


def _append(
    connection: Connection,
    platform_id: int,
    events: dict[str, list[Event]],
    begun: Collection[str | None],
    now_ms: int,
    taken: Taken,
) -> dict[int, str]:
    """Events to their sittings, each after the last one there; what became of each, by its `id()`.
    `begun`: the sittings that statements opened."""
    sittings = store.sessions(connection, platform_id, list(events))
    fates = dict.fromkeys(events, UNKNOWN)
    mine, names = [], []
    elsewhere: set[int] = set()
    for sitting in sittings:
        said = events[sitting.external_id]
        beyond = set(beyond_the_film(said, sitting.media_ms))
        elsewhere.update(id(said[n]) for n in beyond)
        said = [it for n, it in enumerate(said) if n not in beyond]
        if not said:
            continue
        if sitting.next_seq == 0 and sitting.external_id in begun:
            said = _from_here(said)
        _find_origins(said, sitting.play_pos_ms / 1000)
        for seq, event in enumerate(said, sitting.next_seq):
            event.seq = seq
        mine.append((RunningSitting.of(sitting), said))
        names.append(sitting.external_id)
    for name, stored in zip(names, intake.append(connection, mine, now_ms), strict=True):
        fates[name] = stored.fate.value
        if stored.batch is not None:
            taken.batches.append(stored.batch)
    return {
        id(it): BEYOND_THE_FILM if id(it) in elsewhere else fates[name]
        for name, said in events.items()
        for it in said
    }


def _find_origins(events: Sequence[Event], position: float) -> None:
    """A jump that tells where it led alone began, at the least, where the player was last told to
    be: what it played since claims nothing, and what it left out is told of, so nobody's leap."""
    for event in events:
        if isinstance(event, SeekEvent):
            if event.origin is None:
                event.origin = position
            position = event.target
        else:
            told = getattr(event, "position", None)
            position = position if told is None else told


def _from_here(events: list[Event]) -> list[Event]:
    """The first events of a sitting that statements opened. Where it begins in the midst of play,
    as what opened it came late, its first position claims nothing of the way there."""
    first = events[0]
    position = getattr(first, "position", None)
    if position is None or isinstance(first, PlayEvent):
        return events
    return [PlayEvent(at_ms=first.at_ms, position=position), *events]


# --------------------------------------------------------------------------------------- reading


def statement(
    connection: Connection, platform_id: int, statement_id: str, voided: bool
) -> tuple[bytes, int]:
    """(body, stored_ms) of one statement. Raises NotFound, also where it is voided and `voided` is
    not asked for, or the other way about."""
    row = store.one(connection, platform_id, statement_id.lower())
    if row is None or bool(row.voided) is not voided:
        raise NotFound("unknown_statement", f"there is no such statement {statement_id}")
    return row.body, row.stored_ms


def page(
    connection: Connection, platform_id: int, wanted: StatementFilter, after: int | None, size: int
) -> StatementPage:
    """A page of the statements that match; `size` 0 asks for as many as there may be."""
    size = min(size or PAGE, PAGE)
    rows = store.page(connection, platform_id, wanted, after, size + 1)
    shown = rows[:size]
    newest_ms = max((row.stored_ms for row in shown), default=0)
    more = shown[-1].id if len(rows) > size else None
    return StatementPage([row.body for row in shown], newest_ms, more)


def files_of(
    connection: Connection, platform_id: int, bodies: Sequence[bytes]
) -> list[AttachedFile]:
    """The files that are kept of these statements, each once."""
    names = {it["sha2"].lower() for body in bodies for it in attachments_of(json.loads(body))}
    found = activities.files(connection, platform_id, names) if names else ()
    return [AttachedFile(file.sha2, file.body) for file in found]


def canonical(
    connection: Connection, platform_id: int, bodies: Sequence[bytes]
) -> dict[str, dict[str, Any]]:
    """What is known of the activities that these statements name: definition by id."""
    names = {it["id"] for body in bodies for it in activities_of(json.loads(body))}
    known = activities.definitions(connection, platform_id, [activity_key(it) for it in names])
    keys = {name: activity_key(name) for name in names}
    return {name: json.loads(known[key]) for name, key in keys.items() if key in known}


def activity_of(connection: Connection, platform_id: int, name: str) -> dict[str, Any]:
    """All that is known of an activity: at least its id."""
    key = activity_key(name)
    known = activities.definitions(connection, platform_id, [key]).get(key)
    return activity(name, None if known is None else json.loads(known))
